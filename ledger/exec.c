#include "ledger/exec.h"

#include <string.h>

#include "ir/interp.h"
#include "ledger/overlay.h"

struct exec {
  arena *a;
  exec_call call;
  overlay written;
  effects *out;   /* of the running part */
  uint64_t lanes;  /* written and emitted so far */
  uint64_t hosted; /* loads, stores, events of the running part */
  const char *why; /* of a host's refusal */
};

static bool refuse(exec *e, const char *why) {
  if (!e->why) e->why = why;
  return false;
}

/* ---- lanes in and out ---- */
static bool to_lanes(exec *e, const tx_value *v, bool wide, ir_lanes *out) {
  *out = (ir_lanes){0};
  if (!ir_lanes_init(out, v->n, wide)) return refuse(e, "out of memory");
  for (uint64_t k = 0; k < v->n; k++)
    if (!ir_lanes_set(out, k, v->lane[k]))
      return refuse(e, arena_printf(e->a, "'%.100s' is outside its range",
                                    v->name));
  return true;
}

/* A copy in the arena. */
static void from_mpz(exec *e, mpz_srcptr v, mpz_ptr out) {
  size_t n = mpz_size(v);
  mp_limb_t *l = ARENA_ARR(e->a, mp_limb_t, n + 1);
  if (n) memcpy(l, mpz_limbs_read(v), n * sizeof *l);
  mpz_roinit_n(out, l, mpz_sgn(v) < 0 ? -(mp_size_t)n : (mp_size_t)n);
}

static tx_value from_lanes(exec *e, const char *name, const ir_lanes *l) {
  tx_value v = {arena_strdup(e->a, name), l->n,
                ARENA_ARR(e->a, mpz_t, l->n)};
  mpz_t z;
  mpz_init(z);
  for (uint64_t k = 0; k < l->n; k++) {
    ir_lanes_get(l, k, z);
    from_mpz(e, z, v.lane[k]);
  }
  mpz_clear(z);
  return v;
}

/* Whatever leaves a part must fit a record. */
static bool account(exec *e, const tx_value *v) {
  e->lanes += v->n;
  if (e->lanes > TX_LANES_MAX)
    return refuse(e, "the call writes more than 1048576 numbers");
  for (uint64_t k = 0; k < v->n; k++)
    if (mpz_sizeinbase(v->lane[k], 2) > TX_LANE_BITS_MAX)
      return refuse(e, arena_printf(e->a, "'%.100s' exceeds 1024 bits",
                                    v->name));
  return true;
}

static bool in_range(exec *e, const ct_leaf *l, const tx_value *v) {
  for (uint64_t k = 0; k < v->n; k++)
    if (!ct_leaf_holds(l, v->lane[k]))
      return refuse(e, arena_printf(e->a, "'%.100s' would leave its range "
                                    "%.100s..%.100s", l->name + 1,
                                    l->lo ? l->lo : "0",
                                    l->hi ? l->hi : "p - 1"));
  return true;
}

/* ---- inputs ---- */
static tx_value number(exec *e, const char *name, uint64_t n) {
  tx_values v = {0};
  values_add_u64(e->a, &v, name, n);
  return v.p[0];
}

static tx_value zeros(exec *e, const char *name, uint64_t n) {
  static const mp_limb_t zero[1] = {0};
  tx_value v = {name, n, ARENA_ARR(e->a, mpz_t, n)};
  for (uint64_t k = 0; k < n; k++) mpz_roinit_n(v.lane[k], zero, 0);
  return v;
}

static tx_value caller(exec *e, const char *name) {
  tx_value v = {name, 1, ARENA_NEW(e->a, mpz_t)};
  mpz_t z;
  mpz_init(z);
  mpz_import(z, 32, 1, 1, 1, 0, e->call.caller);
  from_mpz(e, z, v.lane[0]);
  mpz_clear(z);
  return v;
}

static tx_value state_now(exec *e, const char *name, uint64_t lanes) {
  const tx_value *w = overlay_get(&e->written, name, NULL, 0);
  tx_value v;
  if (w) return *w;
  if (e->call.inst && state_leaf(e->call.st, e->a, e->call.inst, name, &v))
    return v;
  return zeros(e, name, lanes);
}

static bool find_input(exec *e, const char *name, uint64_t lanes,
                       tx_value *out) {
  const tx_value *v = NULL;
  switch (*name) {
  case '@':
    *out = name[1] == 'c'   ? caller(e, name)
           : name[1] == 'n' ? number(e, name, e->call.now)
                            : number(e, name, e->call.height);
    return true;
  case '$': *out = state_now(e, name, lanes); return true;
  case '%': v = tx_find(&e->call.handed, name); break;
  case '!': v = tx_find(&e->call.opened, name); break;
  default: v = tx_find(&e->call.args, name); break;
  }
  if (!v || v->n != lanes)
    return refuse(e, arena_printf(e->a, "'%.100s' is missing", name));
  *out = *v;
  return true;
}

/* Gives all inputs; `in` has one entry per leaf, to be freed. */
static bool give_inputs(exec *e, ct_part part, ir_interp *x, ir_lanes *in) {
  const ir_module *m = e->call.x->part[part];
  for (uint32_t k = 0; k < m->nin; k++) {
    const ir_type *ty = e->call.x->in[part][k];
    tx_value v;
    if (!find_input(e, m->in[k].name, ty->lanes, &v) ||
        !to_lanes(e, &v, ir_lanes_wide(m, ty), &in[k]))
      return false;
    if (!ir_interp_input(x, k, &in[k]))
      return refuse(e, arena_printf(e->a, "'%.100s' is missing", v.name));
  }
  return true;
}

/* ---- the host ---- */
static const char *used_up(exec *e) {
  return arena_printf(e->a, "the step budget of %llu was used up",
                      (unsigned long long)e->call.budget);
}

/* These cost more than arithmetic, and so they count. */
static bool charge(exec *e) {
  return ++e->hosted <= e->call.budget / EXEC_HOST_STEPS ||
         refuse(e, used_up(e));
}

static bool host_load(void *user, const char *leaf, const mpz_t *key,
                      uint32_t nkey, ir_lanes *out) {
  exec *e = user;
  const tx_value *w = overlay_get(&e->written, leaf, key, nkey);
  tx_value v;
  if (!charge(e)) return false;
  for (uint32_t k = 0; k < nkey; k++)
    if (mpz_sizeinbase(key[k], 2) > TX_LANE_BITS_MAX)
      return refuse(e, "a key of a map exceeds 1024 bits");
  if (!w && (!e->call.inst || !state_entry(e->call.st, e->a, e->call.inst,
                                           leaf, key, nkey, &v)))
    return true;
  if (w) v = *w;
  if (v.n != out->n) return refuse(e, "a map has another number of lanes");
  for (uint64_t k = 0; k < v.n; k++)
    if (!ir_lanes_set(out, k, v.lane[k]))
      return refuse(e, arena_printf(e->a, "'%.100s' is outside its range",
                                    leaf));
  return true;
}

static bool host_store(void *user, const char *leaf, const mpz_t *key,
                       uint32_t nkey, const ir_lanes *value) {
  exec *e = user;
  const ct_leaf *l = contract_leaf(e->call.c, leaf, NULL);
  effect_write w = {.value = from_lanes(e, leaf, value)};
  w.key = (tx_value){"key", nkey, ARENA_ARR(e->a, mpz_t, nkey)};
  for (uint32_t k = 0; k < nkey; k++) from_mpz(e, key[k], w.key.lane[k]);
  if (!l || !charge(e) || !account(e, &w.key) || !account(e, &w.value) ||
      !in_range(e, l, &w.value))
    return false;
  overlay_put(&e->written, &w);
  return true;
}

static bool host_emit(void *user, const char *event, const ir_lanes *field,
                      uint32_t nfield) {
  exec *e = user;
  effects *o = e->out;
  const ct_event *d = contract_event(e->call.c, event);
  if (!d || d->nfield != nfield || !charge(e)) return false;
  if (o->nevent == RECORD_EVENTS_MAX)
    return refuse(e, "the call emits more than 65536 events");
  if (!(o->nevent & (o->nevent - 1)))
    o->event = arena_grow(e->a, o->event, o->nevent,
                          o->nevent ? 2 * (size_t)o->nevent : 1,
                          sizeof *o->event);
  ledger_event *ev = &o->event[o->nevent];
  *ev = (ledger_event){.name = d->name};
  e->lanes++;
  for (uint32_t k = 0; k < nfield; k++) {
    tx_value v = from_lanes(e, d->field[k].name, &field[k]);
    if (!account(e, &v)) return false;
    *values_add(e->a, &ev->field) = v;
  }
  o->nevent++;
  return true;
}

/* ---- outputs ---- */
static bool take_output(exec *e, const char *name, const ir_lanes *l) {
  tx_value v = from_lanes(e, name, l);
  if (!account(e, &v)) return false;
  if (*name == '%') {
    *values_add(e->a, &e->out->handed) = v;
    return true;
  }
  if (*name != '$') {
    *values_add(e->a, &e->out->result) = v;
    return true;
  }
  const ct_leaf *leaf = contract_leaf(e->call.c, name, NULL);
  effect_write w = {.value = v};
  if (!leaf || !in_range(e, leaf, &v)) return false;
  overlay_put(&e->written, &w);
  return true;
}

static const char *reason(exec *e, const ir_interp *x, ir_status s) {
  if (e->why) return e->why;
  if (s == IR_RUN_BUDGET && ir_interp_counts(x).steps > e->call.budget)
    return used_up(e);
  if (s == IR_RUN_BUDGET)
    return "the run needs more memory than the ledger gives";
  return codec_clean(e->a, ir_interp_message(x));
}

bool exec_run(exec *e, ct_part part, effects *out, const char **why) {
  const ir_module *m = e->call.x->part[part];
  ir_host host = {host_load, host_store, host_emit, e};
  ir_interp_opts o = {.max_steps = e->call.budget,
                      .weigh = true,
                      .max_bytes = EXEC_BYTES_MAX,
                      .host = &host};
  if (!m) return true;
  ir_interp *x = ir_interp_new(m, &o);
  ir_lanes *in = ARENA_ARR(e->a, ir_lanes, (size_t)m->nin + 1);
  e->out = out;
  e->why = NULL;
  e->hosted = 0;
  bool ok = give_inputs(e, part, x, in);
  ir_status s = ok ? ir_interp_run(x) : IR_RUN_INPUT;
  ok = ok && s == IR_RUN_OK;
  for (uint32_t k = 0; ok && k < m->nout; k++) {
    const ir_lanes *l = ir_interp_output(x, k);
    ok = l ? take_output(e, m->out[k].name, l)
           : refuse(e, "an output has no value");
  }
  if (!ok) *why = reason(e, x, s);
  for (uint32_t k = 0; k < m->nin; k++) ir_lanes_fini(&in[k]);
  ir_interp_free(x);
  return ok;
}

/* ---- life ---- */
exec *exec_new(arena *a, const exec_call *call) {
  exec *e = ARENA_NEW(a, exec);
  e->a = e->written.a = a;
  e->call = *call;
  return e;
}

void exec_staged(exec *e, const effect_write *write, uint32_t n) {
  for (uint32_t k = 0; k < n; k++) {
    overlay_put(&e->written, &write[k]);
    e->lanes += write[k].key.n + write[k].value.n;
  }
}

void exec_writes(const exec *e, effects *out) {
  out->write = e->written.write;
  out->nwrite = e->written.n;
}
