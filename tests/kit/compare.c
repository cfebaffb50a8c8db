/* The interpreter beside the nodes. */
#include <stdlib.h>
#include <string.h>

#include "ir/cost.h"
#include "kit_impl.h"

static bool same_value(const ir_module *m, const ir_lanes *want,
                       const kit_value *got, bool field, const char *name,
                       buf *why) {
  if (!want) {
    buf_printf(why, "the interpreter has no output '%s'", name);
    return false;
  }
  if (want->n != got->n) {
    buf_printf(why, "'%s' has %llu lanes, not %llu", name,
               (unsigned long long)got->n, (unsigned long long)want->n);
    return false;
  }
  mpz_t v, g;
  mpz_inits(v, g, (mpz_ptr)NULL);
  bool ok = true;
  for (uint64_t k = 0; k < want->n && ok; k++) {
    ir_lanes_get(want, k, v);
    mpz_set(g, got->lane[k]);
    if (field) {
      mpz_mod(v, v, m->p);
      mpz_mod(g, g, m->p);
    }
    ok = mpz_cmp(v, g) == 0;
    if (!ok) {
      buf_printf(why, "'%s' lane %llu: nodes ", name, (unsigned long long)k);
      buf_mpz(why, g);
      buf_puts(why, ", interpreter ");
      buf_mpz(why, v);
    }
  }
  mpz_clears(v, g, (mpz_ptr)NULL);
  return ok;
}

static bool same_status(ir_status want, const char *message,
                        const kit_result *r, buf *why) {
  bool ok;
  switch (want) {
  case IR_RUN_OK:
    ok = r->status == CHI_OK;
    break;
  case IR_RUN_CHECK:
    ok = r->status == CHI_E_REQUIRE && strstr(r->detail, message);
    break;
  case IR_RUN_RANGE:
    ok = r->status == CHI_E_RANGE;
    break;
  default: /* the nodes cannot see it */
    buf_printf(why, "the interpreter says: %s", message);
    return false;
  }
  if (!ok)
    buf_printf(why, "interpreter status %d (%s), nodes %s: %s", (int)want,
               message ? message : "", chi_status_name(r->status),
               r->detail);
  return ok;
}

static bool same_outputs(ir_interp *x, const kit_program *p,
                         const ir_module *m, const kit_result *r, buf *why) {
  if (!r->agree) {
    buf_puts(why, "nodes disagree on a public output");
    return false;
  }
  for (uint32_t k = 0; k < m->nout; k++) {
    const chi_leaf *l = &p->program->output[k];
    if (l->kind == CHI_KIND_TOLD) continue;
    bool field = l->kind == CHI_KIND_SHARE || l->kind == CHI_KIND_FIELD;
    if (!same_value(m, ir_interp_output(x, k), &r->out[k], field,
                    m->out[k].name, why))
      return false;
  }
  if (r->ntold != ir_interp_ntold(x)) {
    buf_printf(why, "%u values told, interpreter %u", r->ntold,
               ir_interp_ntold(x));
    return false;
  }
  mpz_t me;
  mpz_init(me);
  kit_identity(me);
  bool ok = true;
  for (uint32_t k = 0; k < r->ntold && ok; k++) {
    const ir_told *t = ir_interp_told(x, k);
    if (mpz_cmp(t->identity, me)) continue;
    ok = r->told[k].opened;
    if (!ok)
      buf_printf(why, "told value %u could not be opened", k);
    else
      ok = same_value(m, &t->value, &r->told[k].value, true, t->name, why);
  }
  mpz_clear(me);
  return ok;
}

static bool same_cost(const ir_cost *c, const kit_result *r, unsigned n,
                      buf *why) {
  if (c->rounds != r->rounds) {
    buf_printf(why, "%llu rounds, predicted %llu",
               (unsigned long long)r->rounds, (unsigned long long)c->rounds);
    return false;
  }
  for (unsigned i = 0; i < n; i++)
    if (c->bytes[i] != r->bytes[i]) {
      buf_printf(why, "node %u sent %llu bytes, predicted %llu", i,
                 (unsigned long long)r->bytes[i],
                 (unsigned long long)c->bytes[i]);
      return false;
    }
  return true;
}

/* What is exact before the run must be what the run did. */
static bool same_static_cost(arena *a, const ir_module *m, ir_target mo,
                             const kit_result *r, buf *why) {
  const ir_cost *c = ir_cost_meter_total(ir_cost_static(a, m, mo));
  return !c->exact || same_cost(c, r, mo.n, why);
}

bool kit_compare(kit_program *p, const ir_module *m, chi_protocol protocol,
                 unsigned n, const ir_lanes *in, buf *why) {
  arena *a = arena_new();
  ir_target mo = kit_target(protocol, n);
  ir_cost_meter *meter = ir_cost_meter_new(a, m, mo);
  ir_interp_opts o = {.exchange = ir_cost_meter_exchange, .user = meter,
                      .check_ranges = true};
  ir_interp *x = ir_interp_new(m, &o);
  for (uint32_t k = 0; k < m->nin; k++) ir_interp_input(x, k, &in[k]);
  ir_status want = ir_interp_run(x);
  kit_result r;
  bool ok = kit_run(p, m, protocol, n, in, &r, why) &&
            same_status(want, ir_interp_message(x), &r, why);
  if (ok && want == IR_RUN_OK)
    ok = same_outputs(x, p, m, &r, why) &&
         same_cost(ir_cost_meter_total(meter), &r, n, why) &&
         same_static_cost(a, m, mo, &r, why);
  kit_result_fini(&r);
  ir_interp_free(x);
  arena_free(a);
  return ok;
}
