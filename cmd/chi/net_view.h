/* What a local network looks like from outside. */
#ifndef CMD_CHI_NET_VIEW_H
#define CMD_CHI_NET_VIEW_H

#include "cmd/chi/net.h"
#include "cmd/chi/proc.h"

typedef struct net_part { /* of a running network */
  const char *name, *state, *why;
  long pid;
  unsigned restarts;
  uint16_t port;
  bool answers;
  uint64_t seen; /* last record */
} net_part;

typedef struct net_view {
  cli *c;
  const char *dir;
  net *w;
  pid_t keeper; /* 0: not running */
  net_part *p;      /* the ledger first */
  unsigned n;
  progress prog;
} net_view;

/* Everything about the network of v->dir, v->w as it is now. */
void net_look(net_view *v);
bool net_all_answer(const net_view *v);
/* A table or JSON; `code`, or EXIT_NETWORK if it could not be written. */
int net_print(net_view *v, int code);

#endif
