/* What nodes say about a pending call, and what ends it. */
#include <string.h>

#include "chi.h"
#include "ledger/step.h"

static void refuse(step_result *out, const char *why) {
  step_end(out, LEDGER_REFUSED, 0, why);
}

/* The call came to nothing: the state stays. */
static void end_call(step_result *out, rec_outcome outcome,
                     const char *why) {
  effects fx = {.call = out->fx.call};
  memcpy(fx.contract, out->fx.contract, 32);
  out->fx = fx;
  step_end(out, LEDGER_OK, outcome, why);
}

/* A pending call with all that its end needs. */
typedef struct pending {
  pending_row row;
  ledger_record rec;
  effects fx;
  const contract *c;
  const ct_action *x;
} pending;

static bool find_pending(const step *s, arena *a, uint64_t call, pending *p,
                         step_result *out) {
  raw_record raw;
  instance_row inst;
  const char *why;
  if (!state_pending_call(s->st, a, call, &p->row)) {
    refuse(out, arena_printf(a, "there is no pending call %llu",
                             (unsigned long long)call));
    return false;
  }
  step_end(out, LEDGER_CORRUPT, 0, "the pending call's record is damaged");
  if (!state_record(s->st, a, call, &raw) ||
      !record_open(a, &raw, &p->rec, &p->fx, &why) ||
      p->rec.t.kind != TX_CALL ||
      !state_instance(s->st, a, p->rec.t.u.call.contract, &inst))
    return false;
  p->c = packages_get(s->packages, s->st, inst.package);
  p->x = p->c ? contract_action(p->c, p->rec.t.u.call.action) : NULL;
  if (!p->x || !p->x->part[CT_CIRCUIT]) return false;
  out->fx.call = call;
  memcpy(out->fx.contract, inst.id, 32);
  return true;
}

/* ---- the last vote ---- */
/* The versions of the secret variables that the circuit left. */
static void secrets_left(arena *a, const pending *p, effects *fx) {
  const ir_module *m = p->x->part[CT_CIRCUIT];
  for (uint32_t k = 0; k < p->c->nstate; k++) {
    bool left = false;
    for (uint32_t j = 0; j < m->nout && !left; j++)
      left = *m->out[j].name == '$' &&
             contract_state(p->c, m->out[j].name) == (int)k;
    if (left)
      values_add_u64(a, &fx->secret_after, p->c->state[k].name, p->row.call);
  }
}

/* Events are appended to an array whose size is a power of two. */
static size_t room(uint32_t n) {
  size_t k = 1;
  while (k < n) k *= 2;
  return k;
}

static void run_after(const step *s, arena *a, const tx *t, const pending *p,
                      step_result *out) {
  exec_call call = {.st = s->st, .inst = p->row.inst, .c = p->c, .x = p->x,
                    .now = p->rec.time_ms / 1000, .height = p->rec.seq,
                    .budget = s->budget, .args = p->rec.t.u.call.args,
                    .handed = p->fx.handed, .opened = t->u.vote.opened};
  effects *fx = &out->fx;
  const char *why = "";
  memcpy(call.caller, p->rec.t.sender, 32);
  exec *e = exec_new(a, &call);
  exec_staged(e, p->fx.write, p->fx.nwrite);
  fx->nevent = p->fx.nevent;
  fx->event = arena_grow(a, p->fx.event, p->fx.nevent, room(p->fx.nevent),
                         sizeof *fx->event);
  if (!p->x->part[CT_AFTER]) fx->result = p->fx.result;
  if (!exec_run(e, CT_AFTER, fx, &why)) {
    end_call(out, REC_REVERTED, why);
    return;
  }
  exec_writes(e, fx);
  secrets_left(a, p, fx);
  step_end(out, LEDGER_OK, REC_DONE, "");
}

/* Notes the vote, or ends the call if it is the last one or differs from an
 * earlier one. */
static void commit(const step *s, arena *a, const tx *t, const pending *p,
                   step_result *out) {
  uint64_t seq[TX_NODES_MAX];
  uint32_t n = state_votes(s->st, p->row.call, seq);
  for (uint32_t k = 0; k < n; k++) {
    raw_record raw;
    ledger_record r;
    const char *why;
    if (!state_record(s->st, a, seq[k], &raw) ||
        !record_open(a, &raw, &r, NULL, &why) || r.t.kind != TX_VOTE) {
      step_end(out, LEDGER_CORRUPT, 0, "a vote's record is damaged");
      return;
    }
    if (!values_equal(&r.t.u.vote.opened, &t->u.vote.opened)) {
      end_call(out, REC_ABORTED,
               arena_printf(a, "the nodes disagree about the opened values: "
                            "node %u and node %u", r.t.u.vote.node,
                            t->u.vote.node));
      return;
    }
  }
  if (n + 1 == s->genesis->u.genesis.n)
    run_after(s, a, t, p, out);
  else {
    out->fx = (effects){0};
    step_end(out, LEDGER_OK, REC_NOTED, "");
  }
}

void step_vote(const step *s, arena *a, const uint8_t *bytes, size_t n,
               const tx *t, step_result *out) {
  uint32_t node = t->u.vote.node;
  const char *why = "";
  uint8_t hash[32];
  pending p;
  if (node >= s->genesis->u.genesis.n ||
      memcmp(t->sender, s->genesis->u.genesis.key[node], 32)) {
    refuse(out, arena_printf(a, "the vote is not by node %u", node));
    return;
  }
  tx_hash(bytes, n, hash);
  out->seq = state_vote(s->st, hash);
  if (out->seq) {
    out->repeated = true;
    step_end(out, LEDGER_OK, 0, "");
    return;
  }
  if (!find_pending(s, a, t->u.vote.call, &p, out)) return;
  if (state_vote_of(s->st, p.row.call, node)) {
    refuse(out, arena_printf(a, "node %u has voted otherwise on call %llu",
                             node, (unsigned long long)p.row.call));
    return;
  }
  if (s->time_ms >= p.row.until_ms) {
    refuse(out, "the lock of the call has run out");
    return;
  }
  if (!t->u.vote.commit) {
    /* A require that fails in the circuit is the contract's word. */
    end_call(out,
             t->u.vote.status == CHI_E_REQUIRE ? REC_REVERTED : REC_ABORTED,
             t->u.vote.why);
    return;
  }
  if (!exec_opened_fits(a, p.x, &t->u.vote.opened, &why)) {
    refuse(out, why);
    return;
  }
  commit(s, a, t, &p, out);
}

void step_expire(const step *s, arena *a, const tx *t, step_result *out) {
  pending p;
  if (!find_pending(s, a, t->u.expire.call, &p, out)) return;
  if (s->time_ms < p.row.until_ms) {
    refuse(out, "the lock of the call has not run out");
    return;
  }
  end_call(out, REC_ABORTED, "the lock of the call ran out");
}
