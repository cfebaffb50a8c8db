/* What every transaction needs: the right net, a signature, a counter. */
#include "ledger/step.h"

#include <string.h>

uint64_t step_budget(const tx *genesis) {
  uint64_t n = genesis->u.genesis.step_budget;
  return n ? n : TX_STEPS_DEFAULT;
}

void step_end(step_result *out, ledger_status status, rec_outcome outcome,
              const char *why) {
  out->status = status;
  out->outcome = outcome;
  out->why = why;
}

static void refuse(step_result *out, const char *why) {
  step_end(out, LEDGER_REFUSED, 0, why);
}

static void run_kind(const step *s, arena *a, const uint8_t *p, size_t n,
                     const tx *t, step_result *out) {
  switch (t->kind) {
  case TX_GENESIS: refuse(out, "a ledger has one genesis"); break;
  case TX_DEPLOY: step_deploy(s, a, t, out); break;
  case TX_CALL: step_call(s, a, t, out); break;
  case TX_VOTE: step_vote(s, a, p, n, t, out); break;
  case TX_EXPIRE: step_expire(s, a, t, out); break;
  }
}

static void run(const step *s, arena *a, const uint8_t *p, size_t n,
                const tx *t, step_result *out) {
  *out = (step_result){.why = ""};
  if (!s->genesis) {
    if (t->kind != TX_GENESIS)
      refuse(out, "the first transaction is no genesis");
    else
      step_end(out, LEDGER_OK, REC_DONE, "");
    return;
  }
  if (memcmp(t->net, s->net, 32)) {
    refuse(out, "the transaction is for another net");
    return;
  }
  if (t->counter) {
    uint64_t next = state_counter(s->st, t->sender);
    if (t->counter != next) {
      step_end(out, LEDGER_COUNTER, 0,
               arena_printf(a, "the counter is %llu, the next one is %llu",
                            (unsigned long long)t->counter,
                            (unsigned long long)next));
      return;
    }
  }
  run_kind(s, a, p, n, t, out);
}

/* What one record cannot hold does not happen. */
static void encode(arena *a, const tx *t, step_result *out) {
  out->bytes = effects_encode(a, &out->fx, &out->nbytes);
  if (out->bytes) return;
  effects fx = {.call = out->fx.call};
  memcpy(fx.contract, out->fx.contract, 32);
  out->fx = fx;
  step_end(out, t->kind == TX_VOTE ? LEDGER_OK : LEDGER_REVERTED,
           REC_REVERTED, "the call writes more than a record can hold");
  out->bytes = effects_encode(a, &out->fx, &out->nbytes);
}

void step_run(const step *s, arena *a, const uint8_t *p, size_t n,
              const tx *t, step_result *out) {
  run(s, a, p, n, t, out);
  if ((out->status == LEDGER_OK && !out->repeated) ||
      out->status == LEDGER_REVERTED)
    encode(a, t, out);
}
