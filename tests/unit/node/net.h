/* A net for tests: a ledger's server and nodes, each in a process of its own,
 * over real sockets and files; this process is the caller. */
#ifndef TEST_NODE_NET_H
#define TEST_NODE_NET_H

#include <sys/types.h>

#include "chi.h"
#include "ledger/ledger.h"
#include "node/node.h"

enum { NET_MAX = 7 };

typedef struct net {
  arena *a;
  char dir[64];
  chi_protocol protocol;
  unsigned n;
  uint32_t deadline_ms;
  chi_identity *node[NET_MAX], *caller;
  node_peer peer[NET_MAX];
  uint8_t (*key)[32];
  uint8_t id[32], who[32]; /* the net; the caller */
  uint64_t counter;        /* the caller's next */
  uint16_t ledger_port;
  pid_t ledger_pid, pid[NET_MAX];
  int stop[NET_MAX], ledger_stop; /* closing it ends them */
  const char *kill_at[NET_MAX];   /* barrier at which the next one dies */
  const char *pause_at[NET_MAX];  /* barrier at which it stops for 3 s */
  const char *hold_at[NET_MAX];   /* barrier at which it stays */
  int lie[NET_MAX];               /* test_lies.c: what its ledger says */
  ledger *l;
  uint8_t contract[32];
  /* of the last call */
  uint64_t seq;
  const ledger_record *end;
} net;

void net_open(net *w, chi_protocol protocol, unsigned n);
void net_close(net *w);
void net_start(net *w, unsigned node);
void net_start_ledger(net *w);
/* Ends a process and waits; true if it ended with code 0. */
bool net_stop(net *w, unsigned node);
void net_kill(net *w, unsigned node);
/* Waits until it stays at its barrier. */
void net_await_held(net *w, unsigned node);
/* Waits until it has died by itself. */
void net_died(net *w, unsigned node);
void net_stop_ledger(net *w);
const char *net_ledger_path(net *w);
const char *net_store(net *w, unsigned node);
/* Everything that a node logged. */
const char *net_log(net *w, unsigned node);

void net_deploy(net *w, const char *name);
/* What is changed of a call before it is sent, or NULL. */
typedef struct twist {
  int no_deposit;      /* 1 + the node that gets none */
  int other_deposit;   /* 1 + the node that gets other bytes */
  int other_value;     /* 1 + the node that gets its part of another sharing */
} twist;
/* Submits a call; secret: value of its secret parameter, or < 0; pub: its
 * public parameter's name or NULL, and value. */
ledger_status net_submit(net *w, const char *action, long secret,
                         const char *pub, long value, const twist *t);
/* Waits for the record that ends call w->seq, w->end. */
void net_wait(net *w);
/* Both; the outcome. */
rec_outcome net_call(net *w, const char *action, long secret, const char *pub,
                     long value);
/* The result "result" of w->end, -1 without one. */
long net_result(net *w);
/* total() right now. */
long net_total(net *w);
/* Waits until all nodes have seen all records. */
void net_settle(net *w);
uint64_t net_version(net *w, unsigned node, const char *leaf);

/* In a node's process: its entry of `lie`. */
extern int net_lie;

/* package.c */
const char *test_package(arena *a, const char *name);

#endif
