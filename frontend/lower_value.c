/* Leaves: constants, conversions, checks. */
#include <string.h>

#include "frontend/lower.h"

lv lv_new(lo *l, const ty *t) {
  lv v = {t, ARENA_ARR(l->a, ir_value *, t->nleaf + 1)};
  return v;
}

const ir_range *range_of(lo *l, const ival *iv) {
  return iv ? ir_range_get(l->m, iv->lo, iv->hi) : NULL;
}

ir_value *z_const(lo *l, mpz_srcptr v) { return ir_const(&l->b, DOM_Z, v, 1); }
ir_value *z_si(lo *l, int64_t v) { return ir_const_si(&l->b, DOM_Z, v, 1); }

lv lv_const(lo *l, const ty *t) {
  lv v = lv_new(l, t);
  v.leaf[0] = z_const(l, t->iv->lo);
  return v;
}

uint64_t leaf_lanes(const ty *t, uint32_t i) {
  uint64_t n = ty_lanes(t);
  while (t->nelem) {
    uint32_t k = 0;
    while (k + 1 < t->nelem && i >= t->elem[k]->nleaf) i -= t->elem[k++]->nleaf;
    t = t->elem[k];
    n *= ty_lanes(t);
  }
  return n;
}

ir_type leaf_type(lo *l, const ty *t, uint32_t i) {
  const ty *x = ty_leaf(t, i);
  bool p = x->kind == T_FIELD || x->label == LAB_SEC;
  return ir_ty(p ? DOM_P : DOM_Z, x->label == LAB_SEC ? KIND_SH : KIND_PUB,
               leaf_lanes(t, i), range_of(l, x->iv));
}

lv lv_zero(lo *l, const ty *t) {
  lv v = lv_new(l, t);
  for (uint32_t i = 0; i < t->nleaf; i++)
    v.leaf[i] = ir_const_si(&l->b,
                            ty_leaf(t, i)->kind == T_FIELD ? DOM_P : DOM_Z, 0,
                            leaf_lanes(t, i));
  return v;
}

ir_value *to_type(lo *l, ir_value *v, ir_type to) {
  if (to.dom == DOM_P && v->ty.dom == DOM_Z) v = ir_op1(&l->b, OP_ENC, v);
  if (to.kind == KIND_SH && v->ty.kind == KIND_PUB)
    v = ir_op1(&l->b, OP_HIDE, v);
  return v->ty.lanes == to.lanes ? v : ir_splat(&l->b, v, to.lanes);
}

ir_type join_types(lo *l, const ir_type *x, const ir_type *y) {
  ir_type t = *x;
  if (y->dom == DOM_P) t.dom = DOM_P;
  if (y->kind > t.kind) t.kind = y->kind;
  if (y->lanes > t.lanes) t.lanes = y->lanes;
  t.range = x->range && y->range ? ir_range_hull(l->m, x->range, y->range)
                                 : NULL;
  return t;
}

/* ---- ranges ---- */

static size_t range_bits(const ir_range *r) {
  size_t a = mpz_sizeinbase(r->lo, 2), b = mpz_sizeinbase(r->hi, 2);
  return a > b ? a : b;
}

/* v, known to lie in iv; a share only where the branch around it counts, as its
 * condition may be why.  Elsewhere it may be anything, of which an operation
 * takes the bits of the type: all they can say has to be in the range. */
static ir_value *taken(lo *l, ir_value *v, const ival *iv) {
  if (v->ty.dom != DOM_P || !l->guard)
    return ir_assume(&l->b, v, NULL, range_of(l, iv));
  unsigned bits = (unsigned)ival_bits(iv) + (mpz_sgn(iv->lo) < 0);
  const ival *all = mpz_sgn(iv->lo) < 0 ? ival_signed(l->u->iv, bits)
                                        : ival_unsigned(l->u->iv, bits);
  const ir_range *r = range_of(l, all);
  return ir_assume(&l->b, v, l->guard,
                   ir_range_in_field(l->m, r) ? r : range_of(l, iv));
}

ir_value *within(lo *l, ir_value *v, const ival *iv) {
  const ir_range *r = range_of(l, iv);
  if (!v->ty.range || ir_range_within(v->ty.range, r)) return v;
  return taken(l, v, iv);
}

/* What the analysis knows of an operand, if the circuit does not see it. */
ir_value *typed_operand(lo *l, ir_value *v, bool natural) {
  const ir_range *h = v->ty.range;
  bool low = natural && h && mpz_sgn(h->lo) < 0;
  if (!h || (!low && ir_range_in_field(l->m, h))) return v;
  mpz_t lo_, hi;
  mpz_init_set(lo_, h->lo);
  mpz_init_set(hi, h->hi);
  mpz_t half;
  mpz_init(half);
  mpz_fdiv_q_2exp(half, l->m->p, 1);
  if (mpz_cmpabs(lo_, half) > 0) mpz_neg(lo_, half);
  if (mpz_cmpabs(hi, half) > 0) mpz_set(hi, half);
  mpz_clear(half);
  if (natural && mpz_sgn(lo_) < 0) mpz_set_ui(lo_, 0);
  v = within(l, v, ival_get(l->u->iv, lo_, hi));
  mpz_clear(lo_);
  mpz_clear(hi);
  return v;
}

ir_value *narrowed(lo *l, ir_value *v, const ival *iv) {
  if (!iv) return v;
  const ir_range *r = range_of(l, iv);
  if (!r || !v->ty.range || ir_range_within(v->ty.range, r)) return v;
  const ir_range *h = v->ty.range;
  bool matters = v->ty.dom == DOM_P
                     ? !ir_range_in_field(l->m, h) ||
                           ival_bits(iv) < range_bits(h) ||
                           (mpz_sgn(h->lo) < 0 && mpz_sgn(iv->lo) >= 0)
                     : !ir_range_is_int64(v->ty.range) ||
                           ival_bits(iv) + 2 <
                               mpz_sizeinbase(v->ty.range->hi, 2);
  return matters ? taken(l, v, iv) : v;
}

void check_that(lo *l, ir_value *cond, const char *message) {
  mpz_srcptr c;
  if (ir_is_const(cond, &c) && mpz_cmp_ui(c, 1) == 0) return;
  if (l->guard) note_that(l, cond, message);
  else ir_check(&l->b, cond, message);
}

void note_that(lo *l, ir_value *ok, const char *message) {
  if (!l->strict) return;
  if (l->guard) ok = logic(l, O_OROR, not_of(l, l->guard), ok);
  if (ok->ty.dom == DOM_P) {
    ok = ir_op1(&l->b, OP_OPEN, ok);
    ok = ir_ranged(&l->b, OP_DEC, ok, ir_range_si(l->m, 0, 1));
  }
  ir_check(&l->b, ok, message);
}

ir_value *spared(lo *l, ir_value *v, int64_t harmless) {
  if (!l->strict || !l->guard) return v;
  return ir_select(&l->b, l->guard, v, z_si(l, harmless));
}

ir_value *clamped(lo *l, ir_value *v, const ival *to) {
  ir_value *lo_ = z_const(l, to->lo), *hi = z_const(l, to->hi);
  const ir_range *h = v->ty.range;
  if (mpz_cmp(h->lo, to->lo) < 0)
    v = ir_select(&l->b, compare(l, O_LT, v, lo_), lo_, v);
  if (mpz_cmp(h->hi, to->hi) > 0)
    v = ir_select(&l->b, compare(l, O_LT, hi, v), hi, v);
  const ival *now = ival_get(l->u->iv, h->lo, h->hi);
  now = ival_min(l->u->iv, now, ival_get(l->u->iv, to->hi, to->hi));
  now = ival_max(l->u->iv, now, ival_get(l->u->iv, to->lo, to->lo));
  return within(l, v, now);
}

ir_value *check_range(lo *l, ir_value *v, const ival *iv, const char *message) {
  const ir_range *r = range_of(l, iv);
  if (v->ty.range && ir_range_within(v->ty.range, r)) return v;
  if (!v->ty.range || mpz_cmp(v->ty.range->lo, r->lo) < 0)
    check_that(l, ir_op2(&l->b, OP_LE, z_const(l, iv->lo), v), message);
  if (!v->ty.range || mpz_cmp(v->ty.range->hi, r->hi) > 0)
    check_that(l, ir_op2(&l->b, OP_LE, v, z_const(l, iv->hi)), message);
  if (l->guard) return clamped(l, v, iv); /* nothing ended the run */
  if (v->ty.range) { /* what is still possible */
    const ir_range *h = v->ty.range;
    mpz_srcptr least = mpz_cmp(h->lo, r->lo) > 0 ? h->lo : r->lo;
    mpz_srcptr most = mpz_cmp(h->hi, r->hi) < 0 ? h->hi : r->hi;
    if (mpz_cmp(least, most) <= 0) r = ir_range_get(l->m, least, most);
  }
  return ir_ranged(&l->b, OP_ASSUME, v, r);
}

ir_value *not_of(lo *l, ir_value *v) {
  return ir_op2(&l->b, OP_SUB, z_si(l, 1), v);
}

/* ---- fixed ---- */

ir_value *scaled(lo *l, ir_value *v, int bits) {
  if (bits == 0) return v;
  mpz_t d;
  mpz_init_set_ui(d, 1);
  mpz_mul_2exp(d, d, (unsigned long)(bits < 0 ? -bits : bits));
  ir_value *c = z_const(l, d);
  mpz_clear(d);
  return ir_op2(&l->b, bits > 0 ? OP_MUL : OP_RDIV, v, c);
}

ir_value *fixed_checked(lo *l, ir_value *raw, const ty *t) {
  const ival *iv = ty_fixed_range(l->u->ts, t->ibits, t->fbits);
  return check_range(l, raw, iv,
                     arena_printf(l->a, "the result does not fit fixed<%u, %u>",
                                  t->ibits, t->fbits));
}

/* ---- conversion to a declared type ---- */

static ir_value *coerce_leaf(lo *l, ir_value *v, const ty *from,
                             const ty *to) {
  if (from->kind == T_ERROR || to->kind == T_ERROR) return v;
  if (to->kind == T_FIXED) {
    v = scaled(l, v, (int)to->fbits - (int)(from->kind == T_FIXED ? from->fbits
                                                                   : 0));
    v = fixed_checked(l, v, to);
  } else if (to->kind == T_FIELD && from->kind != T_FIELD) {
    if (v->ty.dom == DOM_Z) v = ir_op1(&l->b, OP_ENC, v);
  } else if (to->kind == T_INT && l->guard && v->ty.dom == DOM_P) {
    v = narrowed(l, v, to->iv);
  }
  if (l->test && to->label == LAB_SEC && v->ty.kind == KIND_PUB)
    v = ir_op1(&l->b, OP_HIDE, v);
  return v;
}

static const ty *kinds_of(ty_set *s, const ty *t, void *user) {
  (void)s;
  const ty ***at = user;
  const ty *w = *(*at)++;
  return w ? w : t;
}

lv coerce(lo *l, lv v, const ty *want) {
  if (!want || want->nleaf != v.t->nleaf || want->err) return v;
  lv r = lv_new(l, v.t);
  const ty **leaf = ARENA_ARR(l->a, const ty *, v.t->nleaf + 1), **at = leaf;
  for (uint32_t i = 0; i < v.t->nleaf; i++) {
    const ty *x = ty_leaf(v.t, i), *w = ty_leaf(want, i);
    r.leaf[i] = coerce_leaf(l, v.leaf[i], x, w);
    leaf[i] = x->kind == w->kind && x->fbits == w->fbits && x->ibits == w->ibits
                  ? x : w;
  }
  r.t = ty_map(l->u->ts, v.t, kinds_of, &at);
  return r;
}
