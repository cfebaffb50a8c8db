/* A node from inside. */
#ifndef NODE_IMPL_H
#define NODE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/circuits.h"
#include "node/node.h"
#include "node/store.h"

typedef struct nd {
  const node_config *cfg;
  int log;
  arena *a;          /* as long as node_serve */
  uint8_t net[32];
  store *store;
  circuits *circuits;
  chi_tls_context *tls;
  /* of the worker alone */
  ledger *ledger;    /* NULL: not connected */
  arena *ledger_a;   /* of the connection */
  uint64_t seen;
  uint8_t seen_hash[32];
  const char *fatal; /* why it cannot go on, in `a` */
  /* of both threads */
  atomic_bool stop;
  _Atomic uint64_t status_seen;
} nd;

/* log.c */
void nd_log(const nd *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void nd_barrier(const char *point);
uint32_t nd_deadline(const nd *x); /* ms */
/* Stops serving; the first reason stays. */
void nd_fatal(nd *x, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* link.c: the ledger, reached again if it goes away.  False: the node stops. */
bool nd_connect(nd *x);
/* LEDGER_OK, or what the ledger says of the question; false: the node stops. */
bool nd_read(nd *x, arena *a, const ledger_query *q, ledger_answer *out,
             ledger_status *status);
bool nd_record(nd *x, arena *a, uint64_t seq, ledger_record **out);
bool nd_is_pending(nd *x, uint64_t seq, bool *pending);
bool nd_watch(nd *x, arena *a, ledger_record **out, uint32_t *n);
/* Until the ledger has it, or says that it does not want it. */
bool nd_submit(nd *x, const uint8_t *p, size_t n);

/* listen.c: the callers' side, a thread; ends when stop_fd does. */
void *nd_listen(void *x);

/* prepare.c: what a call needs, before anybody is met. */
typedef struct nd_input {
  enum { ND_PUBLIC, ND_SEALED, ND_SHARE } how;
  const char **text;     /* PUBLIC: a lane each */
  const uint8_t *box;    /* SEALED */
  size_t box_bytes;
  uint64_t *words;       /* SHARE: width * lanes; wiped by nd_forget */
} nd_input;

typedef struct nd_call {
  arena *a;
  const ledger_record *r; /* the pending one */
  uint8_t session[32];
  circuit circuit;
  nd_input *input; /* by the program's input index */
  uint32_t ninput;
  size_t plane, planes; /* words of a lane in each; how many */
  const char *why; /* not ready; one sentence without the node's name */
  unsigned unready; /* MEET_UNREADY: who is not */
} nd_call;

/* False: the node stops.  c->why tells whether the call is ready. */
bool nd_prepare(nd *x, nd_call *c);
void nd_forget(nd_call *c);

/* meet.c */
typedef enum {
  MEET_READY,   /* *out: all are ready for this call */
  MEET_UNREADY, /* *out: met, and one is not (this node, if it said so) */
  MEET_FAILED,  /* not met */
  MEET_GONE,    /* the call has ended meanwhile */
  MEET_STOP     /* the node stops */
} meet_result;
meet_result nd_meet(nd *x, nd_call *c, chi_transport *out, chi_status *status,
                    const char **why);
/* Until `peer` leaves, or the deadline. */
void nd_await_leave(nd *x, chi_transport *t, unsigned peer);

/* run.c: a pending record, from here to the vote.  False: the node stops. */
bool nd_pending(nd *x, arena *a, const ledger_record *r);
bool nd_is_vote(nd *x, arena *a, uint64_t call, const uint8_t *p, size_t n);
#define ND_VOTE_CHANGED \
  "its store was changed: the vote of this call is not its own"
bool nd_abort(nd *x, arena *a, uint64_t call, const char *why,
              chi_status status);

#endif
