#include "ledger/verify.h"

#include <stdlib.h>
#include <string.h>

struct verify {
  arena *a; /* the genesis, the verdict */
  state *st, *fold;
  packages *packages;
  bool thorough, finished;
  verify_head head;
  tx genesis;
  uint8_t net[32];
  ledger_status status;
  const char *why;
};

verify *verify_new(state *st, packages *p, bool thorough) {
  arena *a = arena_new();
  verify *v = ARENA_NEW(a, verify);
  bool damaged;
  v->a = a;
  v->st = st;
  v->packages = p;
  v->thorough = thorough;
  v->why = "";
  v->fold = state_open(NULL, true, st, a, &v->why, &damaged);
  if (!v->fold) {
    v->status = LEDGER_FAILED;
    v->finished = true;
  }
  return v;
}

void verify_free(verify *v) {
  if (!v) return;
  state_close(v->fold);
  arena_free(v->a);
}

static bool finish(verify *v, ledger_status status, const char *why) {
  v->finished = true;
  v->status = status;
  v->why = arena_strdup(v->a, why);
  return false;
}

static bool corrupt(verify *v, arena *a, uint64_t seq, const char *what) {
  return finish(v, LEDGER_CORRUPT,
                arena_printf(a, "record %llu: %s", (unsigned long long)seq,
                             what));
}

/* ---- one record ---- */
static bool check_link(verify *v, arena *a, const raw_record *r) {
  uint8_t hash[32];
  uint64_t seq = v->head.seq + 1;
  if (r->seq != seq) return corrupt(v, a, seq, "it is missing");
  if (memcmp(r->prev, v->head.hash, 32))
    return corrupt(v, a, seq,
                   "it does not follow the record before it: hash chain");
  record_hash(r, hash);
  if (memcmp(r->hash, hash, 32))
    return corrupt(v, a, seq, "it was changed: its hash is another");
  if (r->time_ms < v->head.time_ms)
    return corrupt(v, a, seq, "its time is before that of the record before");
  return true;
}

/* Meets the transaction again; what comes out must be what is there. */
static bool check_again(verify *v, arena *a, const raw_record *r,
                        const tx *t) {
  step s = {.st = v->fold, .packages = v->packages,
            .genesis = v->head.seq ? &v->genesis : NULL,
            .budget = step_budget(&v->genesis), .seq = r->seq,
            .time_ms = r->time_ms};
  step_result out;
  memcpy(s.net, v->net, 32);
  if (t->kind != TX_EXPIRE && !tx_signed(r->tx, r->tx_bytes, t))
    return corrupt(v, a, r->seq, "its signature is not the sender's");
  step_run(&s, a, r->tx, r->tx_bytes, t, &out);
  if (out.status == LEDGER_COUNTER)
    return corrupt(v, a, r->seq,
                   arena_printf(a, "its counter is wrong: %s", out.why));
  if ((out.status != LEDGER_OK && out.status != LEDGER_REVERTED) ||
      out.repeated)
    return corrupt(v, a, r->seq,
                   arena_printf(a, "it should not be there: %s",
                                out.repeated ? "it repeats a vote" : out.why));
  if (out.outcome != r->outcome || strcmp(out.why, r->why))
    return corrupt(v, a, r->seq, "executed again it has another outcome");
  if (out.nbytes != r->effects_bytes ||
      memcmp(out.bytes, r->effects, out.nbytes))
    return corrupt(v, a, r->seq, "executed again it has other effects");
  return true;
}

static bool sqlite_failed(verify *v, const state *st) {
  if (!state_error(st)) return false;
  finish(v, state_damaged(st) ? LEDGER_CORRUPT : LEDGER_FAILED,
         state_error(st));
  return true;
}

/* The genesis as it stays in the arena of the check. */
static bool keep_genesis(verify *v, const raw_record *r) {
  uint8_t *p = ARENA_ARR(v->a, uint8_t, r->tx_bytes);
  const char *why;
  memcpy(p, r->tx, r->tx_bytes);
  tx_hash(p, r->tx_bytes, v->net);
  return tx_decode(v->a, p, r->tx_bytes, &v->genesis, &why) &&
         v->genesis.kind == TX_GENESIS;
}

/* False at the end of the chain too. */
static bool check_record(verify *v, arena *a, uint64_t last) {
  uint64_t seq = v->head.seq + 1;
  raw_record raw;
  ledger_record r;
  effects fx;
  const char *why;
  if (!state_record(v->st, a, seq, &raw)) {
    if (!sqlite_failed(v, v->st) && seq <= last)
      corrupt(v, a, seq, "it is missing");
    return false;
  }
  if (!check_link(v, a, &raw)) return false;
  if (!record_open(a, &raw, &r, &fx, &why))
    return corrupt(v, a, seq, arena_printf(a, "it cannot be read: %s", why));
  if (v->thorough && !check_again(v, a, &raw, &r.t)) return false;
  if (seq == 1 && !keep_genesis(v, &raw))
    return corrupt(v, a, seq, "it is no genesis");
  state_fold(v->fold, &r, &fx);
  if (state_error(v->fold))
    return corrupt(v, a, seq,
                   arena_printf(a, "its effects do not fit those before: %s",
                                state_error(v->fold)));
  v->head.seq = seq;
  v->head.time_ms = raw.time_ms;
  memcpy(v->head.hash, raw.hash, 32);
  return true;
}

static void compare(verify *v, arena *a, uint64_t first, uint64_t last) {
  const char *why = "";
  if (!last)
    finish(v, LEDGER_CORRUPT, "record 1: it is missing");
  else if (first != 1)
    corrupt(v, a, first, "a record before the first one");
  else if (!state_compare(v->st, v->fold, a, &why)) {
    if (!sqlite_failed(v, v->st) && !sqlite_failed(v, v->fold))
      finish(v, LEDGER_CORRUPT, why);
  } else {
    finish(v, LEDGER_OK, "");
  }
}

bool verify_step(verify *v, uint64_t records) {
  uint64_t first, last;
  if (v->finished) return true;
  state_ends(v->st, &first, &last);
  if (sqlite_failed(v, v->st)) return true;
  state_begin(v->fold);
  arena *a = arena_new();
  for (uint64_t k = 0; k < records && !v->finished; k++) {
    if (arena_used(a) > (16u << 20)) {
      arena_free(a);
      a = arena_new();
    }
    if (!check_record(v, a, last) && !v->finished) {
      compare(v, a, first, last);
      break;
    }
  }
  arena_free(a);
  if (!state_error(v->fold)) state_commit(v->fold);
  return v->finished;
}

ledger_status verify_verdict(const verify *v, const char **why) {
  *why = v->why;
  return v->status;
}

verify_head verify_last(const verify *v) { return v->head; }
