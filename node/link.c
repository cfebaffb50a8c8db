/* A node's way to the ledger: asked again until it answers, and looked at again
 * whenever it was away. */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "node/node_impl.h"

enum { PAUSE_MS = 100, WATCH_MS = 300, WATCH_MAX = 64 };

static bool again(ledger_status s) {
  return s == LEDGER_UNREACHABLE || s == LEDGER_FAILED;
}

static void leave(nd *x) {
  if (x->ledger)
    x->ledger->ops->close(x->ledger);
  x->ledger = NULL;
  arena_free(x->ledger_a);
  x->ledger_a = NULL;
}

/* The net's parameters are the genesis: it must be ours, and its hash is the
 * net's name. */
static bool check_net(nd *x, const ledger_record *first,
                      const uint8_t net[32]) {
  const node_config *cfg = x->cfg;
  const tx *t = &first->t;
  uint8_t hash[32];
  tx_hash(first->tx, first->tx_bytes, hash);
  if (t->kind != TX_GENESIS || memcmp(hash, net, 32) != 0 ||
      !tx_signed(first->tx, first->tx_bytes, t)) {
    nd_fatal(x, "the ledger's first record is no genesis of its net");
    return false;
  }
  bool same = t->u.genesis.protocol == (uint8_t)cfg->protocol &&
              t->u.genesis.n == cfg->n;
  for (unsigned i = 0; same && i < cfg->n; i++)
    same = memcmp(t->u.genesis.key[i], cfg->peer[i].key, 32) == 0;
  if (!same) {
    nd_fatal(x, "the ledger is of a net with other nodes or another protocol");
    return false;
  }
  memcpy(x->net, net, 32);
  return true;
}

/* 1 good, 0 unreachable, -1 fatal */
static int look(nd *x) {
  arena *a = arena_new();
  ledger_answer head = {0}, ans = {0};
  ledger_query q = {.kind = READ_HEAD};
  int good = 1;
  ledger_status s = x->ledger->ops->read(x->ledger, a, &q, &head);
  q = (ledger_query){.kind = READ_RECORD, .seq = 1};
  if (s == LEDGER_OK)
    s = x->ledger->ops->read(x->ledger, a, &q, &ans);
  if (s == LEDGER_OK && !check_net(x, ans.record, head.net))
    good = -1;
  if (s == LEDGER_OK && good > 0 && x->seen > 0) {
    q.seq = x->seen;
    if (head.seq < x->seen)
      s = LEDGER_NOT_FOUND;
    else
      s = x->ledger->ops->read(x->ledger, a, &q, &ans);
    if (s == LEDGER_NOT_FOUND ||
        (s == LEDGER_OK &&
         memcmp(ans.record->hash, x->seen_hash, 32) != 0)) {
      nd_fatal(x, "the ledger no longer has record %llu as this node has seen"
                  " it: it was rolled back or replaced",
               (unsigned long long)x->seen);
      good = -1;
    }
  }
  if (good > 0 && s != LEDGER_OK) {
    good = again(s) ? 0 : -1;
    if (good < 0)
      nd_fatal(x, "the ledger does not answer: %s", ledger_status_text(s));
  }
  arena_free(a);
  return good;
}

bool nd_connect(nd *x) {
  bool told = false;
  while (!x->ledger && !atomic_load(&x->stop)) {
    const char *why = "";
    int good = 0;
    x->ledger_a = arena_new();
    ledger_status s = ledger_connect(&x->ledger, x->ledger_a,
                                     x->cfg->ledger_host, x->cfg->ledger_port,
                                     &why);
    if (s != LEDGER_OK)
      x->ledger = NULL;
    if (s == LEDGER_OK)
      good = look(x);
    if (good > 0 && told)
      nd_log(x, "the ledger is there again");
    if (good > 0)
      return true;
    if (!told && good == 0)
      nd_log(x, "the ledger cannot be reached: %s",
             s == LEDGER_OK ? "it does not answer" : why);
    told = true;
    leave(x);
    struct timespec pause = {0, PAUSE_MS * 1000000L};
    if (!atomic_load(&x->stop))
      nanosleep(&pause, NULL);
  }
  return x->ledger && !atomic_load(&x->stop);
}

bool nd_read(nd *x, arena *a, const ledger_query *q, ledger_answer *out,
             ledger_status *status) {
  while (nd_connect(x)) {
    *out = (ledger_answer){0};
    *status = x->ledger->ops->read(x->ledger, a, q, out);
    if (!again(*status))
      return true;
    leave(x);
  }
  return false;
}

bool nd_record(nd *x, arena *a, uint64_t seq, ledger_record **out) {
  ledger_query q = {.kind = READ_RECORD, .seq = seq};
  ledger_answer ans;
  ledger_status s;
  if (!nd_read(x, a, &q, &ans, &s))
    return false;
  if (s == LEDGER_OK && ans.record && ans.record->seq == seq) {
    *out = ans.record;
    return true;
  }
  nd_fatal(x, "the ledger does not give record %llu: %s",
           (unsigned long long)seq, ledger_status_text(s));
  return false;
}

bool nd_is_pending(nd *x, uint64_t seq, bool *pending) {
  arena *a = arena_new();
  ledger_query q = {.kind = READ_PENDING};
  ledger_answer ans;
  ledger_status s;
  bool ok = nd_read(x, a, &q, &ans, &s);
  *pending = false;
  if (ok && s != LEDGER_OK) {
    nd_fatal(x, "the ledger does not give its pending calls: %s",
             ledger_status_text(s));
    ok = false;
  }
  for (uint32_t i = 0; ok && i < ans.npending; i++)
    *pending |= ans.pending[i] == seq;
  arena_free(a);
  return ok;
}

bool nd_watch(nd *x, arena *a, ledger_record **out, uint32_t *n) {
  *n = 0;
  if (!nd_connect(x))
    return false;
  ledger_status s = x->ledger->ops->watch(x->ledger, a, x->seen, WATCH_MAX,
                                          WATCH_MS, out, n);
  if (s == LEDGER_OK)
    return true;
  *n = 0;
  if (again(s)) {
    leave(x);
    return true;
  }
  nd_fatal(x, "the ledger does not give its records: %s",
           ledger_status_text(s));
  return false;
}

bool nd_submit(nd *x, const uint8_t *p, size_t n) {
  while (nd_connect(x)) {
    arena *a = arena_new();
    ledger_receipt r = {0};
    ledger_status s = x->ledger->ops->submit(x->ledger, a, p, n, &r);
    bool over = !again(s);
    if (over && s != LEDGER_OK && s != LEDGER_REVERTED)
      nd_log(x, "the ledger did not take the vote: %s",
             r.why && *r.why ? r.why : ledger_status_text(s));
    arena_free(a);
    if (over)
      return true;
    leave(x);
  }
  return false;
}
