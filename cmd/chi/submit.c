/* From a transaction to its record, whatever comes between: counters that
 * others of this identity used first, locks, a ledger that starts again. */
#include <string.h>
#include <time.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/proc.h"

enum { WATCH_MAX = 64, WATCH_MS = 500, AGAIN_MS = 50 };

static bool late(submission *s, const char *what) {
  if (clock_seconds() < s->limit)
    return false;
  diag_report_nowhere(s->x->c->dg, DIAG_CALL_TIMEOUT, what, s->timeout);
  diag_hint(s->x->c->dg, "Wait longer with --timeout; chi log tells what "
            "becomes of it.");
  return true;
}

/* Connects anew, as often as time allows; false after a report. */
static bool again(submission *s, const char *why) {
  contact *x = s->x;
  ledger_status st;
  if (x->l != NULL)
    x->l->ops->close(x->l);
  do {
    x->l = NULL;
    progress_tick(s->prog, "waiting for the ledger");
    nanosleep(&(struct timespec){0, AGAIN_MS * 1000000L}, NULL);
    st = ledger_connect(&x->l, x->c->a, NET_HOST, x->w->ledger_port, &why);
    if (st == LEDGER_OK)
      return true;
  } while (clock_seconds() < s->limit);
  x->l = NULL;
  contact_failed(x, st, "connect", why);
  return false;
}

static bool head_seq(submission *s, uint64_t *seq) {
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer r;
  if (!contact_read(s->x, &q, &r, "read its head"))
    return false;
  *seq = r.seq;
  return true;
}

/* The next records after *seq, waiting at most `wait`; false after a report.
 * *n = 0: none came. */
static bool watch(submission *s, uint64_t after, int wait, ledger_record **r,
                  uint32_t *n) {
  contact *x = s->x;
  *n = 0;
  ledger_status st =
      x->l->ops->watch(x->l, x->c->a, after, WATCH_MAX, wait, r, n);
  if (st == LEDGER_OK)
    return true;
  *n = 0;
  if (st == LEDGER_UNREACHABLE)
    return again(s, "it went away");
  contact_failed(x, st, "watch it", NULL);
  return false;
}

/* Is the transaction among the records after `since`?  -1 after a report. */
static int find_own(submission *s, uint64_t since, const uint8_t *p, size_t n,
                    ledger_receipt *out) {
  for (;;) {
    ledger_record *r;
    uint32_t k;
    if (!watch(s, since, 0, &r, &k))
      return -1;
    if (k == 0)
      return 0;
    for (uint32_t i = 0; i < k; i++)
      if (r[i].tx_bytes == n && memcmp(r[i].tx, p, n) == 0) {
        *out = (ledger_receipt){r[i].seq, r[i].outcome, r[i].why};
        return 1;
      }
    since = r[k - 1].seq;
  }
}

static bool wait_unlocked(submission *s, uint64_t call) {
  const char *what =
      arena_printf(s->x->c->a, "call %llu, which holds what this one needs, "
                   "is still pending", (unsigned long long)call);
  for (uint64_t at = call;;) {
    ledger_record *r;
    uint32_t n;
    if (late(s, what) || !watch(s, at, WATCH_MS, &r, &n))
      return false;
    progress_tick(s->prog, "waiting for another call to end");
    for (uint32_t i = 0; i < n; i++)
      if (r[i].call == call)
        return true;
    at = n > 0 ? r[n - 1].seq : at;
  }
}

typedef enum { SENT, COUNT_AGAIN, GIVEN_UP } sent;

/* One signed transaction, until it is recorded or cannot be. */
static sent send_tx(submission *s, const uint8_t *p, size_t n, uint64_t since,
                    ledger_receipt *out) {
  contact *x = s->x;
  for (bool unsure = false;;) {
    if (unsure && late(s, "the ledger does not answer"))
      return GIVEN_UP;
    *out = (ledger_receipt){0};
    ledger_status st = x->l->ops->submit(x->l, x->c->a, p, n, out);
    if (st == LEDGER_OK || st == LEDGER_REVERTED)
      return SENT;
    if (st == LEDGER_COUNTER && !unsure)
      return COUNT_AGAIN;
    if (st == LEDGER_LOCKED) {
      if (!wait_unlocked(s, out->seq))
        return GIVEN_UP;
      continue;
    }
    if (st != LEDGER_UNREACHABLE && st != LEDGER_COUNTER) {
      contact_failed(x, st, "take the transaction", out->why);
      return GIVEN_UP;
    }
    /* It may have been recorded before the answer was lost. */
    if (st == LEDGER_UNREACHABLE && !again(s, out->why))
      return GIVEN_UP;
    int found = find_own(s, since, p, n, out);
    if (found != 0)
      return found > 0 ? SENT : GIVEN_UP;
    if (st == LEDGER_COUNTER)
      return COUNT_AGAIN;
    unsure = true;
  }
}

bool submit(submission *s, tx *t, ledger_receipt *out) {
  contact *x = s->x;
  arena *a = x->c->a;
  uint64_t since;
  s->limit = clock_seconds() + s->timeout;
  if (!head_seq(s, &since))
    return false;
  for (;;) {
    ledger_query q = {.kind = READ_COUNTER};
    ledger_answer r;
    size_t n;
    memcpy(q.id, s->pub, 32);
    if (late(s, "this identity's counter moves all the time") ||
        !contact_read(x, &q, &r, "read the counter"))
      return false;
    memcpy(t->net, x->id, 32);
    memcpy(t->sender, s->pub, 32);
    t->counter = r.seq;
    if (!s->fill(s->user, a, t))
      return false;
    uint8_t *p = tx_encode(a, t, s->id, &n);
    if (p == NULL) {
      diag_report_nowhere(x->c->dg, DIAG_LEDGER_REFUSED,
                          "take the transaction",
                          "it is larger than a ledger takes");
      return false;
    }
    sent how = send_tx(s, p, n, since, out);
    if (how != COUNT_AGAIN)
      return how == SENT;
  }
}

const ledger_record *submit_wait(submission *s, uint64_t call,
                                 void (*see)(void *user,
                                             const ledger_record *r),
                                 void *user) {
  const char *what = arena_printf(s->x->c->a, "call %llu is still pending",
                                  (unsigned long long)call);
  for (uint64_t at = call;;) {
    ledger_record *r;
    uint32_t n;
    if (late(s, what) || !watch(s, at, WATCH_MS, &r, &n))
      return NULL;
    progress_tick(s->prog, "the nodes compute");
    for (uint32_t i = 0; i < n; i++) {
      if (r[i].t.kind == TX_VOTE && r[i].t.u.vote.call == call)
        see(user, &r[i]);
      if (r[i].call == call)
        return &r[i];
    }
    at = n > 0 ? r[n - 1].seq : at;
  }
}
