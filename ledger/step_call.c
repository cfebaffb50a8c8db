/* Deploys, calls, views. */
#include <string.h>

#include "ledger/step.h"

static void refuse(step_result *out, const char *why) {
  step_end(out, LEDGER_REFUSED, 0, why);
}

/* Recorded, without any effect but the counter's. */
static void revert(step_result *out, const char *why) {
  effects fx = {0};
  memcpy(fx.contract, out->fx.contract, 32);
  out->fx = fx;
  step_end(out, LEDGER_REVERTED, REC_REVERTED, why);
}

static exec_call call_of(const step *s, uint64_t inst, const contract *c,
                         const ct_action *x, const uint8_t caller[32],
                         const tx_values *args) {
  exec_call e = {.st = s->st, .inst = inst, .c = c, .x = x,
                 .now = s->time_ms / 1000, .height = s->seq,
                 .budget = s->budget, .args = *args};
  memcpy(e.caller, caller, 32);
  return e;
}

/* ---- deploy ---- */
static const char *free_label(const step *s, arena *a, const char *name) {
  instance_row row;
  const char *label = name;
  for (uint64_t k = 2; state_labelled(s->st, a, label, &row); k++)
    label = arena_printf(a, "%.240s-%llu", name, (unsigned long long)k);
  return label;
}

static bool is_written(const effects *fx, const char *leaf) {
  for (uint32_t k = 0; k < fx->nwrite; k++)
    if (!fx->write[k].key.n && !strcmp(fx->write[k].value.name, leaf))
      return true;
  return false;
}

/* Zero, for a public leaf to which init gave nothing. */
static bool add_zero(arena *a, effects *fx, const ct_leaf *l,
                     uint64_t *lanes) {
  static const mp_limb_t zero[1] = {0};
  mpz_t z;
  mpz_roinit_n(z, zero, 0);
  *lanes += l->lanes;
  if (!ct_leaf_holds(l, z) || *lanes > TX_LANES_MAX) return false;
  mpz_t *lane = ARENA_ARR(a, mpz_t, l->lanes);
  for (uint64_t k = 0; k < l->lanes; k++) mpz_roinit_n(lane[k], zero, 0);
  fx->write[fx->nwrite++] =
      (effect_write){.value = {l->name, l->lanes, lane}};
  return true;
}

/* What init wrote becomes rows: the public values that secret state begins
 * with are of its slots, all other public leaves have a value. */
static bool settle(arena *a, const contract *c, effects *fx,
                   const char **why) {
  effect_write *w = fx->write;
  uint32_t n = fx->nwrite;
  uint64_t lanes = 0;
  fx->write = ARENA_ARR(a, effect_write, (size_t)n + CONTRACT_LIST_MAX);
  fx->slot = ARENA_ARR(a, ledger_slot, (size_t)c->nstate + 1);
  fx->nwrite = 0;
  for (uint32_t s = 0; s < c->nstate; s++)
    if (c->state[s].secret)
      fx->slot[fx->nslot++] = (ledger_slot){.name = c->state[s].name};
  for (uint32_t k = 0; k < n; k++) {
    lanes += w[k].value.n;
    int s = contract_state(c, w[k].value.name);
    ledger_slot *slot = fx->slot;
    if (!c->state[s].secret) {
      fx->write[fx->nwrite++] = w[k];
      continue;
    }
    while (slot->name != c->state[s].name) slot++;
    *values_add(a, &slot->initial) = w[k].value;
  }
  for (uint32_t s = 0; s < c->nstate; s++)
    for (uint32_t k = 0; k < c->state[s].nleaf; k++) {
      const ct_leaf *l = &c->state[s].leaf[k];
      if (c->state[s].secret || c->state[s].nkey || is_written(fx, l->name))
        continue;
      if (!add_zero(a, fx, l, &lanes)) {
        *why = arena_printf(a, "the state '%.100s' has no initial value",
                            l->name + 1);
        return false;
      }
    }
  return true;
}

static bool run_init(const step *s, arena *a, const tx *t, const contract *c,
                     const ct_action *x, effects *fx, const char **why) {
  effects ignored = {0};
  if (x) {
    exec_call call = call_of(s, 0, c, x, t->sender, &t->u.deploy.args);
    exec *e = exec_new(a, &call);
    if (!exec_run(e, CT_BEFORE, &ignored, why)) return false;
    exec_writes(e, fx);
    fx->event = ignored.event;
    fx->nevent = ignored.nevent;
  }
  return settle(a, c, fx, why);
}

void step_deploy(const step *s, arena *a, const tx *t, step_result *out) {
  const char *why = "";
  diag *dg = diag_new(a, source_set_new(a));
  contract *c = contract_parse(a, "package", t->u.deploy.package,
                               t->u.deploy.package_bytes, dg);
  if (!c) {
    refuse(out, codec_clean(a, diag_get(dg, 0)->text));
    return;
  }
  const ct_action *x = contract_action(c, "init");
  if (!exec_fits(a, x ? x->param : NULL, x ? x->nparam : 0,
                 &t->u.deploy.args, "argument", &why)) {
    refuse(out, why);
    return;
  }
  tx_instance(out->fx.contract, s->net, c->hash, t->sender, t->counter);
  if (!run_init(s, a, t, c, x, &out->fx, &why)) {
    revert(out, why);
    return;
  }
  out->fx.label = free_label(s, a, c->name);
  step_end(out, LEDGER_OK, REC_DONE, "");
}

/* ---- call ---- */
static const char *sealed_wrong(const step *s, arena *a, const tx *t,
                                const ct_action *x) {
  uint32_t n = t->u.call.nsealed;
  uint32_t need = exec_has_sealed(x) ? s->genesis->u.genesis.n : 0;
  if (n != need)
    return arena_printf(a, "the call has %u digests of sealed arguments, "
                        "'%.100s' needs %u", n, x->name, need);
  for (uint32_t k = 0; k < n; k++) {
    uint64_t used = state_argument(s->st, t->u.call.sealed[k]);
    if (used)
      return arena_printf(a, "a sealed argument was used before, in record "
                          "%llu", (unsigned long long)used);
    for (uint32_t j = 0; j < k; j++)
      if (!memcmp(t->u.call.sealed[j], t->u.call.sealed[k], 32))
        return "two nodes were sent the same sealed argument";
  }
  return NULL;
}

/* The pending call that x must wait for, or 0. */
static uint64_t locked_by(const step *s, arena *a, uint64_t inst,
                          const contract *c, const ct_action *x) {
  pending_row *p;
  uint32_t n = state_pending(s->st, a, inst, &p);
  for (uint32_t k = 0; k < n; k++) {
    const ct_action *y = contract_action(c, p[k].action);
    if (!y || contract_conflict(c, x, y)) return p[k].call;
  }
  return 0;
}

/* The versions of the secret variables that the circuit reads. */
static void secrets_used(const step *s, arena *a, uint64_t inst,
                         const contract *c, const ct_action *x,
                         effects *fx) {
  const ir_module *m = x->part[CT_CIRCUIT];
  for (uint32_t k = 0; k < c->nstate; k++) {
    uint64_t version;
    bool used = false;
    for (uint32_t j = 0; j < m->nin && !used; j++)
      used = contract_state(c, m->in[j].name) == (int)k &&
             *m->in[j].name == '$';
    if (used && state_version(s->st, inst, c->state[k].name, &version))
      values_add_u64(a, &fx->secret_before, c->state[k].name, version);
  }
}

static void run_before(const step *s, arena *a, const tx *t, uint64_t inst,
                       const contract *c, const ct_action *x,
                       step_result *out) {
  exec_call call = call_of(s, inst, c, x, t->sender, &t->u.call.args);
  exec *e = exec_new(a, &call);
  effects *fx = &out->fx;
  const char *why = "";
  if (!exec_run(e, CT_BEFORE, fx, &why)) {
    revert(out, why);
    return;
  }
  exec_writes(e, fx);
  if (!x->part[CT_CIRCUIT]) {
    fx->handed = (tx_values){0};
    step_end(out, LEDGER_OK, REC_DONE, "");
    return;
  }
  secrets_used(s, a, inst, c, x, fx);
  fx->lock_until_ms = s->time_ms + s->genesis->u.genesis.lock_ms;
  step_end(out, LEDGER_OK, REC_PENDING, "");
}

void step_call(const step *s, arena *a, const tx *t, step_result *out) {
  instance_row inst;
  const char *why = "";
  if (!state_instance(s->st, a, t->u.call.contract, &inst)) {
    refuse(out, "there is no such contract");
    return;
  }
  memcpy(out->fx.contract, inst.id, 32);
  const contract *c = packages_get(s->packages, s->st, inst.package);
  if (!c) {
    step_end(out, LEDGER_CORRUPT, 0, "the contract's package is damaged");
    return;
  }
  const ct_action *x = contract_action(c, t->u.call.action);
  if (!x || x->kind != CT_ACTION) {
    refuse(out, arena_printf(a, "'%.100s' has no action '%.100s'",
                             inst.label, t->u.call.action));
    return;
  }
  if (!exec_fits(a, x->param, x->nparam, &t->u.call.args, "argument",
                 &why)) {
    refuse(out, why);
    return;
  }
  if ((why = sealed_wrong(s, a, t, x))) {
    refuse(out, why);
    return;
  }
  out->seq = locked_by(s, a, inst.seq, c, x);
  if (out->seq) {
    step_end(out, LEDGER_LOCKED, 0,
             arena_printf(a, "the state is locked by the pending call of "
                          "record %llu", (unsigned long long)out->seq));
    return;
  }
  run_before(s, a, t, inst.seq, c, x, out);
}

/* ---- views ---- */
ledger_status step_view(const step *s, arena *a, const ledger_query *q,
                        tx_values *result, const char **why) {
  instance_row inst;
  effects fx = {0};
  if (!state_instance(s->st, a, q->id, &inst)) {
    *why = "there is no such contract";
    return LEDGER_NOT_FOUND;
  }
  const contract *c = packages_get(s->packages, s->st, inst.package);
  if (!c) {
    *why = "the contract's package is damaged";
    return LEDGER_CORRUPT;
  }
  const ct_action *x = contract_action(c, q->name ? q->name : "");
  if (!x || x->kind != CT_VIEW) {
    *why = arena_printf(a, "'%.100s' has no view '%.100s'", inst.label,
                        q->name ? q->name : "");
    return LEDGER_NOT_FOUND;
  }
  if (!exec_fits(a, x->param, x->nparam, &q->args, "argument", why))
    return LEDGER_REFUSED;
  exec_call call = call_of(s, inst.seq, c, x, q->caller, &q->args);
  exec *e = exec_new(a, &call);
  if (!exec_run(e, CT_BEFORE, &fx, why)) return LEDGER_REVERTED;
  *result = fx.result;
  return LEDGER_OK;
}
