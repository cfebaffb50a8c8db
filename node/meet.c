/* Nodes meet for a call.
 *
 * A mesh knows who is there, not for what: a node that has given up one call
 * may find a peer that has not.  So each says in a first word which call it
 * means and whether it is ready, and in a second that it heard the same from
 * all; only then the streams go to the session.  Who meant another call, or
 * left before it said so, is met again until the deadline.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/be.h"
#include "base/clock.h"
#include "node/ask.h"
#include "node/node_impl.h"

enum { WORD = 16, AGAIN_MS = 20 };
typedef enum { SAY_UNREADY = 0, SAY_READY = 1, SAY_ALL = 2 } say;

typedef struct talk {
  uint8_t out[WORD], in[64][WORD];
  size_t sent[64], got[64];
  uint64_t lost; /* bit: that peer left */
} talk;

/* What of a word can move; true when nothing is left to do. */
static bool move(const nd *x, chi_transport *t, talk *k, uint64_t *readable,
                 uint64_t *writable) {
  *readable = *writable = 0;
  for (unsigned j = 0; j < x->cfg->n; j++) {
    uint64_t bit = UINT64_C(1) << j;
    if (j == x->cfg->me || (k->lost & bit))
      continue;
    if (k->sent[j] < WORD) {
      long n = t->ops->try_send(t->state, j, k->out + k->sent[j],
                                WORD - k->sent[j]);
      if (n < 0)
        k->lost |= bit;
      else if ((k->sent[j] += (size_t)n) < WORD)
        *writable |= bit;
    }
    if (k->got[j] < WORD && !(k->lost & bit)) {
      long n = t->ops->try_recv(t->state, j, k->in[j] + k->got[j],
                                WORD - k->got[j]);
      if (n < 0)
        k->lost |= bit;
      else if ((k->got[j] += (size_t)n) < WORD)
        *readable |= bit;
    }
  }
  return !*readable && !*writable;
}

/* Says a word to all and hears theirs, of those who do not leave. */
static void exchange(const nd *x, chi_transport *t, talk *k, say what,
                     uint64_t seq, uint64_t deadline) {
  uint64_t readable, writable;
  memset(k, 0, sizeof *k);
  memcpy(k->out, "CHNODE1", 7);
  k->out[7] = (uint8_t)what;
  be_put(k->out + 8, seq, 8);
  while (!move(x, t, k, &readable, &writable))
    if (t->ops->wait(t->state, readable, writable, deadline) <= 0) {
      k->lost |= readable | writable;
      return;
    }
}

/* Do all mean `seq`?  Then who is not ready goes to *unready (n: nobody). */
static bool same_call(const nd *x, const talk *k, uint64_t seq, say least,
                      unsigned *unready) {
  *unready = x->cfg->n;
  for (unsigned j = 0; j < x->cfg->n; j++) {
    if (j == x->cfg->me)
      continue;
    if ((k->lost >> j & 1) || memcmp(k->in[j], "CHNODE1", 7) != 0 ||
        be_get(k->in[j] + 8, 8) != seq)
      return false;
    if (k->in[j][7] < (uint8_t)least && *unready == x->cfg->n)
      *unready = j;
  }
  return true;
}

static chi_status connect_all(nd *x, arena *a, chi_transport *t,
                              uint64_t left_ms, char *detail, size_t cap) {
  const node_config *cfg = x->cfg;
  chi_party *party = ARENA_ARR(a, chi_party, cfg->n);
  for (unsigned i = 0; i < cfg->n; i++) {
    memcpy(party[i].key, cfg->peer[i].key, CHI_KEY_BYTES);
    party[i].host = cfg->peer[i].host;
    party[i].port = cfg->peer[i].mesh_port;
  }
  chi_tls_config tls = {.me = cfg->me,
                        .n = cfg->n,
                        .identity = cfg->identity,
                        .party = party,
                        .listen_fd = cfg->mesh_fd,
                        .deadline_ms = (uint32_t)left_ms,
                        .context = x->tls};
  return chi_tls_connect(t, detail, cap, &tls);
}

/* One mesh.  MEET_GONE here: these streams are of no use, others may be. */
static meet_result try_once(nd *x, nd_call *c, uint64_t deadline,
                            chi_transport *t, chi_status *status,
                            char *detail, size_t cap) {
  uint64_t now = clock_ns();
  uint64_t left = deadline > now ? (deadline - now) / 1000000 + 1 : 1;
  talk *k = ARENA_NEW(c->a, talk);
  say mine = c->why ? SAY_UNREADY : SAY_READY;
  *status = connect_all(x, c->a, t, left, detail, cap);
  if (*status != CHI_OK)
    return MEET_FAILED;
  exchange(x, t, k, mine, c->r->seq, deadline);
  bool same = same_call(x, k, c->r->seq, SAY_READY, &c->unready);
  if (same && c->why)
    c->unready = x->cfg->me;
  if (same && c->unready < x->cfg->n)
    return MEET_UNREADY;
  if (same) {
    exchange(x, t, k, SAY_ALL, c->r->seq, deadline);
    if (same_call(x, k, c->r->seq, SAY_ALL, &c->unready) &&
        c->unready == x->cfg->n)
      return MEET_READY;
  }
  *status = CHI_E_PEER_STALLED;
  for (unsigned j = 0; j < x->cfg->n; j++)
    if (j != x->cfg->me && (k->lost >> j & 1))
      (void)snprintf(detail, cap,
                     "node %u left or was silent before the run began", j);
  t->ops->close(t->state);
  return MEET_GONE;
}

meet_result nd_meet(nd *x, nd_call *c, chi_transport *out, chi_status *status,
                    const char **why) {
  char detail[300] = "the nodes did not meet for this call";
  uint64_t deadline = clock_ns() + (uint64_t)nd_deadline(x) * 1000000;
  for (;;) {
    meet_result r = try_once(x, c, deadline, out, status, detail,
                             sizeof detail);
    *why = arena_strdup(c->a, detail);
    if (r != MEET_GONE)
      return r;
    bool pending;
    if (!nd_is_pending(x, c->r->seq, &pending))
      return MEET_STOP;
    if (!pending)
      return MEET_GONE;
    if (clock_ns() >= deadline)
      return MEET_FAILED;
    struct timespec pause = {0, AGAIN_MS * 1000000L};
    nanosleep(&pause, NULL);
  }
}

void nd_await_leave(nd *x, chi_transport *t, unsigned peer) {
  uint64_t deadline = clock_ns() + (uint64_t)nd_deadline(x) * 1000000;
  uint8_t junk[64];
  for (;;) {
    long n = t->ops->try_recv(t->state, peer, junk, sizeof junk);
    if (n < 0 || clock_ns() >= deadline)
      return;
    if (n == 0 && t->ops->wait(t->state, UINT64_C(1) << peer, 0, deadline) <= 0)
      return;
  }
}
