/* Circuits from text, inputs from a seed. */
#include <string.h>

#include "ir/pass/pass.h"
#include "kit.h"

ir_target kit_target(chi_protocol protocol, unsigned n) {
  return (ir_target){protocol == CHI_REP3 ? IR_REP3 : IR_SHAMIR, n};
}

bool kit_fits(const ir_module *m, ir_target t) {
  return !m->target.protocol ||
         (m->target.protocol == t.protocol && m->target.n == t.n);
}

ir_module *kit_module(arena *a, const char *text, const char *pipeline,
                      ir_target target, buf *why) {
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  if (!source_add(ss, "circuit.ir", text, strlen(text), &id)) {
    buf_puts(why, "the text is too long");
    return NULL;
  }
  ir_module *m = ir_parse(a, ss, id, dg);
  pass_opts o = {.verify = true, .target = target};
  bool ok = m && ir_verify(m, dg);
  if (ok && pipeline) ok = pass_run(m, pipeline, &o, dg);
  if (ok) ok = ir_verify(m, dg);
  if (!ok) {
    diag_render_all(dg, why, false);
    return NULL;
  }
  m->src = ss;
  return m;
}

static uint64_t next(uint64_t *s) { /* splitmix64 */
  uint64_t z = *s += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Within [lo, hi]; every eighth at an end. */
static void pick(mpz_t v, mpz_srcptr lo, mpz_srcptr hi, uint64_t *s) {
  uint64_t how = next(s) % 16;
  if (how == 0) {
    mpz_set(v, lo);
    return;
  }
  if (how == 1) {
    mpz_set(v, hi);
    return;
  }
  mpz_t width;
  mpz_init(width);
  mpz_sub(width, hi, lo);
  mpz_add_ui(width, width, 1);
  mpz_set_ui(v, 0);
  for (size_t k = 0; k <= mpz_sizeinbase(width, 2) / 64 + 1; k++) {
    mpz_mul_2exp(v, v, 64);
    mpz_add_ui(v, v, next(s));
  }
  mpz_mod(v, v, width);
  mpz_add(v, v, lo);
  mpz_clear(width);
}

static void fini_lanes(void *p) { ir_lanes_fini(p); }

static void fill(const ir_module *m, const ir_inst *i, ir_lanes *l, arena *a,
                 uint64_t *s) {
  const ir_type *ty = &i->res[0]->ty;
  mpz_t v, lo, hi;
  mpz_inits(v, lo, hi, (mpz_ptr)NULL);
  if (ty->range) {
    mpz_set(lo, ty->range->lo);
    mpz_set(hi, ty->range->hi);
  } else {
    mpz_sub_ui(hi, m->p, 1);
  }
  ir_lanes_init(l, ty->lanes, ir_lanes_wide(m, ty));
  arena_defer(a, fini_lanes, l);
  for (uint64_t k = 0; k < ty->lanes; k++) {
    pick(v, lo, hi, s);
    ir_lanes_set(l, k, v);
  }
  mpz_clears(v, lo, hi, (mpz_ptr)NULL);
}

ir_lanes *kit_inputs(const ir_module *m, arena *a, uint64_t seed) {
  ir_lanes *in = ARENA_ARR(a, ir_lanes, m->nin + 1);
  for (const ir_inst *i = m->body->first; i; i = i->next) {
    if (i->op != OP_INPUT) continue;
    int k = ir_leaf_find(m->in, m->nin, i->at.name);
    uint64_t s = seed * 1000003 + (uint64_t)k;
    fill(m, i, &in[k], a, &s);
  }
  return in;
}
