#include "try.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- oracles ---- */
static void is_eq(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                  unsigned part) {
  (void)w, (void)part;
  mpz_set_ui(r, mpz_cmp(x, y) == 0);
}
static void is_lt(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                  unsigned part) {
  (void)w, (void)part;
  mpz_set_ui(r, mpz_cmp(x, y) < 0);
}
static void is_le(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                  unsigned part) {
  (void)w, (void)part;
  mpz_set_ui(r, mpz_cmp(x, y) <= 0);
}
static void is_max(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  mpz_set(r, mpz_cmp(x, y) < 0 ? y : x);
}
static void is_and(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  mpz_and(r, x, y);
}
static void is_or(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                  unsigned part) {
  (void)w, (void)part;
  mpz_ior(r, x, y);
}
static void is_xor(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  mpz_xor(r, x, y);
}
static void is_shl(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  mpz_mul_2exp(r, x, mpz_get_ui(y));
}
static void is_shr(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  mpz_fdiv_q_2exp(r, x, mpz_get_ui(y));
}
static void is_shr_w(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)part;
  mpz_fdiv_q_2exp(r, x, w);
}
static void is_wrap(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                    unsigned part) {
  (void)y, (void)part;
  mpz_fdiv_r_2exp(r, x, w);
}
static void is_wraps(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  is_wrap(r, x, y, w, part);
  if (!mpz_tstbit(r, w - 1)) return;
  mpz_t t;
  mpz_init(t);
  mpz_setbit(t, w);
  mpz_sub(r, r, t);
  mpz_clear(t);
}
static void is_digits(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                      unsigned part) {
  (void)y, (void)w;
  mpz_set_ui(r, (unsigned)mpz_tstbit(x, part));
}
static void is_onehot(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                      unsigned part) {
  (void)y, (void)w;
  mpz_set_ui(r, mpz_cmp_ui(x, part) == 0);
}
static void is_div(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  if (mpz_sgn(y))
    mpz_tdiv_q(r, x, y);
  else
    mpz_set_ui(r, 0);
}
static void is_mod(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                   unsigned part) {
  (void)w, (void)part;
  if (mpz_sgn(y))
    mpz_tdiv_r(r, x, y);
  else
    mpz_set(r, x);
}
static void is_div_w(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)part;
  mpz_tdiv_q_ui(r, x, w);
}
static void is_mod_w(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)part;
  mpz_tdiv_q_ui(r, x, w);
  mpz_mul_ui(r, r, w);
  mpz_sub(r, x, r);
}
static void is_isqrt(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)w, (void)part;
  mpz_sqrt(r, x);
}
static void is_mixed(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) { /* (x < y) & !(x = w) ? x : 3 */
  (void)part;
  if (mpz_cmp(x, y) < 0 && mpz_cmp_ui(x, w))
    mpz_set(r, x);
  else
    mpz_set_ui(r, 3);
}
static void is_count(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)w, (void)part;
  mpz_set_ui(r, mpz_popcount(x));
}
static void is_chain(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) { /* (x & y) < (x ^ y) ? x | y : x >> 1 */
  (void)w, (void)part;
  mpz_t a, b;
  mpz_inits(a, b, (mpz_ptr)NULL);
  mpz_and(a, x, y);
  mpz_xor(b, x, y);
  if (mpz_cmp(a, b) < 0)
    mpz_ior(r, x, y);
  else
    mpz_fdiv_q_2exp(r, x, 1);
  mpz_clears(a, b, (mpz_ptr)NULL);
}
static unsigned w_parts(unsigned w) { return w; }

/* ---- circuits ---- */
#define OP2(NAME, OP)                                                \
  static ir_value *b_##NAME(ir_builder *b, ir_value *x, ir_value *y, \
                            unsigned w) {                            \
    (void)w;                                                         \
    return ir_op2(b, OP, x, y);                                      \
  }
OP2(eq, OP_EQ)
OP2(lt, OP_LT)
OP2(le, OP_LE)
OP2(and, OP_AND)
OP2(or, OP_OR)
OP2(xor, OP_XOR)
OP2(shl, OP_SHL)
OP2(shr, OP_SHR)
OP2(div, OP_DIV)
OP2(mod, OP_MOD)

static ir_value *b_max(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)w;
  return ir_select(b, ir_op2(b, OP_LT, x, y), y, x);
}
static ir_value *count_of(ir_builder *b, unsigned w) {
  return ir_const_si(b, DOM_Z, (int64_t)w, 1);
}
static ir_value *b_shr_w(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_op2(b, OP_SHR, x, count_of(b, w));
}
static ir_value *b_div_w(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_op2(b, OP_DIV, x, count_of(b, w));
}
static ir_value *b_mod_w(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_op2(b, OP_MOD, x, count_of(b, w));
}
static ir_value *b_wrap(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_ranged(b, OP_WRAP, x, ir_range_bits(b->m, w, false));
}
static ir_value *b_wraps(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_ranged(b, OP_WRAP, x, ir_range_bits(b->m, w, true));
}
static ir_value *b_digits(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_digits(b, x, w);
}
static ir_value *b_onehot(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_onehot(b, x, w);
}
static ir_value *b_isqrt(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y, (void)w;
  return ir_op1(b, OP_ISQRT, x);
}
static ir_value *b_mixed(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  ir_value *e = ir_op2(b, OP_EQ, x, count_of(b, w));
  e = ir_op2(b, OP_SUB, ir_const_si(b, DOM_Z, 1, 1), e);
  ir_value *c = ir_op2(b, OP_AND, ir_op2(b, OP_LT, x, y), e);
  return ir_select(b, c, x, count_of(b, 3));
}
static ir_value *b_count(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y;
  return ir_fold(b, OP_SUM, ir_digits(b, x, w), w);
}
static ir_value *b_chain(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)w;
  ir_value *c = ir_op2(b, OP_LT, ir_op2(b, OP_AND, x, y),
                       ir_op2(b, OP_XOR, x, y));
  return ir_select(b, c, ir_op2(b, OP_OR, x, y),
                   ir_op2(b, OP_SHR, x, count_of(b, 1)));
}

const trial trials[] = {
    {"eq", b_eq, is_eq, NULL, false, Y_SHARE, false, false},
    {"lt", b_lt, is_lt, NULL, false, Y_SHARE, false, false},
    {"le", b_le, is_le, NULL, false, Y_SHARE, false, false},
    {"max", b_max, is_max, NULL, false, Y_SHARE, false, false},
    {"mixed", b_mixed, is_mixed, NULL, false, Y_SHARE, false, false},
    {"and", b_and, is_and, NULL, true, Y_SHARE, false, false},
    {"or", b_or, is_or, NULL, true, Y_SHARE, false, false},
    {"xor", b_xor, is_xor, NULL, true, Y_SHARE, false, false},
    {"chain", b_chain, is_chain, NULL, true, Y_SHARE, false, false},
    {"shl", b_shl, is_shl, NULL, false, Y_COUNT, false, false},
    {"shr", b_shr, is_shr, NULL, false, Y_COUNT, false, false},
    {"shr fixed", b_shr_w, is_shr_w, NULL, false, Y_NONE, false, false},
    {"wrap", b_wrap, is_wrap, NULL, false, Y_NONE, false, false},
    {"wrap signed", b_wraps, is_wraps, NULL, false, Y_NONE, false, false},
    {"digits", b_digits, is_digits, w_parts, true, Y_NONE, true, false},
    {"count", b_count, is_count, NULL, true, Y_NONE, true, false},
    {"onehot", b_onehot, is_onehot, w_parts, false, Y_NONE, false, false},
    {"div", b_div, is_div, NULL, false, Y_SHARE, false, true},
    {"mod", b_mod, is_mod, NULL, false, Y_SHARE, false, true},
    {"div fixed", b_div_w, is_div_w, NULL, false, Y_NONE, false, false},
    {"mod fixed", b_mod_w, is_mod_w, NULL, false, Y_NONE, false, false},
    {"isqrt", b_isqrt, is_isqrt, NULL, true, Y_NONE, false, false},
};
const unsigned ntrials = sizeof trials / sizeof *trials;

/* ---- pairs ---- */
void pairs_init(pairs *p, unsigned n) {
  p->n = n;
  p->x = calloc(n, sizeof *p->x);
  p->y = calloc(n, sizeof *p->y);
  for (unsigned l = 0; l < n; l++) mpz_inits(p->x[l], p->y[l], (mpz_ptr)NULL);
  mpz_inits(p->xlo, p->xhi, p->ylo, p->yhi, (mpz_ptr)NULL);
}

void pairs_fini(pairs *p) {
  for (unsigned l = 0; l < p->n; l++)
    mpz_clears(p->x[l], p->y[l], (mpz_ptr)NULL);
  mpz_clears(p->xlo, p->xhi, p->ylo, p->yhi, (mpz_ptr)NULL);
  free(p->x);
  free(p->y);
}

/* ---- running ---- */
static const char *shape(ir_module *m, uint64_t n) {
  char text[24];
  snprintf(text, sizeof text, "[%llu]", (unsigned long long)n);
  return arena_strdup(m->a, text);
}

static ir_value *input(ir_builder *b, const char *name, bool secret,
                       unsigned n, mpz_srcptr lo, mpz_srcptr hi) {
  ir_leaf leaf = {.name = name, .type = "i64", .shape = shape(b->m, n),
                  .top = name, .secret = secret};
  return ir_input(b, &leaf,
                  ir_ty(secret ? DOM_P : DOM_Z, secret ? KIND_SH : KIND_PUB, n,
                        ir_range_get(b->m, lo, hi)));
}

ir_module *try_module(arena *a, const trial *t, const setup *s,
                      const pairs *p) {
  mpz_t prime;
  mpz_init(prime);
  if (s->prime)
    mpz_set_str(prime, s->prime, 0);
  else
    mpz_ui_pow_ui(prime, 2, s->k);
  if (!s->prime) mpz_sub_ui(prime, prime, 1);
  ir_module *m = ir_module_over(a, t->name, prime);
  mpz_clear(prime);
  m->stage = IR_HIGH;
  ir_builder b = {m, m->body, NULL, {0, 0}};
  if (!ir_in_field(m, p->xlo) || !ir_in_field(m, p->xhi) ||
      !ir_in_field(m, p->ylo) || !ir_in_field(m, p->yhi))
    return NULL;
  ir_value *x = input(&b, "x", true, p->n, p->xlo, p->xhi), *y = NULL;
  if (s->y_pub && t->divides && mpz_sgn(p->ylo) <= 0) return NULL;
  if (t->digits && mpz_sizeinbase(p->xhi, 2) > s->w) return NULL;
  if (t->y != Y_NONE) y = input(&b, "y", !s->y_pub, p->n, p->ylo, p->yhi);
  ir_value *r = t->build(&b, x, y, s->w);
  ir_leaf leaf = {.name = "r", .type = "i64", .shape = shape(m, r->ty.lanes),
                  .top = "result", .secret = !s->open};
  if (!ir_range_in_field(m, r->ty.range)) return NULL;
  if (s->open)
    r = ir_ranged(&b, OP_DEC, ir_op1(&b, OP_OPEN, r), r->ty.range);
  ir_output(&b, &leaf, r);
  return m;
}

static void feed(ir_interp *x, const ir_module *m, const char *name,
                 ir_lanes *l, mpz_t *v, unsigned n) {
  int at = ir_leaf_find(m->in, m->nin, name);
  if (at < 0) return;
  const ir_type *ty = NULL;
  for (const ir_inst *i = m->body->first; i && !ty; i = i->next)
    if (i->op == OP_INPUT && !strcmp(i->at.name, name)) ty = &i->res[0]->ty;
  ir_type none = ir_ty(DOM_P, KIND_SH, n, NULL);
  ir_lanes_init(l, n, ir_lanes_wide(m, ty ? ty : &none));
  for (unsigned k = 0; k < n; k++) ir_lanes_set(l, k, v[k]);
  ir_interp_input(x, (uint32_t)at, l);
}

static bool compare(const trial *t, const setup *s, const pairs *p,
                    const ir_module *m, ir_interp *x) {
  unsigned parts = t->parts ? t->parts(s->w) : 1;
  const ir_lanes *l = ir_interp_output(x, 0);
  mpz_t want, got;
  mpz_inits(want, got, (mpz_ptr)NULL);
  bool ok = l && l->n == (uint64_t)p->n * parts;
  for (unsigned k = 0; ok && k < p->n * parts; k++) {
    unsigned at = k / parts;
    ir_lanes_get(l, k, got);
    t->is(want, p->x[at], p->y[at], s->w, k % parts);
    mpz_sub(got, got, want);
    ok = mpz_divisible_p(got, m->p);
    mpz_add(got, got, want);
    if (!ok)
      gmp_fprintf(stderr,
                  "%s k=%u w=%u n=%u %s open=%d pub=%d: x=%Zd y=%Zd part %u: "
                  "%Zd, not %Zd\n", t->name, s->k, s->w, s->target.n,
                  s->pipeline, s->open, s->y_pub, p->x[at], p->y[at],
                  k % parts, got, want);
  }
  mpz_clears(want, got, (mpz_ptr)NULL);
  return ok;
}

bool try_pairs(const trial *t, const setup *s, const pairs *p, bool *skipped) {
  arena *a = arena_new();
  ir_module *m = try_module(a, t, s, p);
  *skipped = !m;
  if (!m) {
    arena_free(a);
    return true;
  }
  diag *dg = diag_new(a, NULL);
  pass_opts po = {.verify = true, .target = s->target};
  bool ok = ir_verify(m, dg) && pass_run(m, s->pipeline, &po, dg);
  if (!ok) {
    buf b = {0};
    diag_render_all(dg, &b, false);
    fprintf(stderr, "%s: %s", t->name, b.p ? b.p : "?\n");
    buf_free(&b);
  } else {
    ir_interp_opts io = {.check_ranges = true};
    ir_interp *x = ir_interp_new(m, &io);
    ir_lanes lx = {0}, ly = {0};
    feed(x, m, "x", &lx, p->x, p->n);
    feed(x, m, "y", &ly, p->y, p->n);
    ok = ir_interp_run(x) == IR_RUN_OK;
    if (!ok)
      fprintf(stderr, "%s k=%u n=%u %s: %s\n", t->name, s->k, s->target.n,
              s->pipeline, ir_interp_message(x));
    ok = ok && compare(t, s, p, m, x);
    ir_lanes_fini(&lx);
    ir_lanes_fini(&ly);
    ir_interp_free(x);
  }
  arena_free(a);
  return ok;
}
