/* Comparisons.  d = x - y is local in the field, so one number is compared with
 * 0, at the width of its interval; see convert.c for s, c and w.
 *
 *   d < 0    the offset 2^j makes d >= 0; bit j of s + c + w tells.
 *   full     2d mod p is odd where d < 0: s_0 ^ c_0 ^ carry out of s + c + 1.
 *   d = 0    for |d| < 2^m - 1: s + c = d + wp is -1 modulo 2^m only if
 *            d = 0, w = 1, that is s_i ^ c_i = 1 for i < m.  No carries, no w.
 */
#include "ir/gadget/gadget.h"

/* Bits of the lane's result if the interval alone decides, else -1. */
static int decided(const ir_range *d) {
  if (!d) return -1;
  return mpz_sgn(d->hi) < 0 ? 1 : mpz_sgn(d->lo) >= 0 ? 0 : -1;
}

/* Is d < 0?  All values are in the field. */
static ir_value *negative(gadget *g, ir_value *d, const ir_range *r) {
  uint32_t k = g->b.m->k;
  uint64_t lanes = d->ty.lanes;
  ir_value *s, *c;
  bool neg;
  if (r && decided(r) >= 0) return gd_const(g, (unsigned)decided(r), lanes);
  if (!g->b.m->is_mersenne) return gd_modular_negative(g, d, r);
  uint32_t width = r ? gd_width(r, &neg) : k;
  if (width >= k) {
    gd_addends(g, d, 1, 0, (int32_t)k, &s, &c);
    ir_value *carry = gd_carry(g, lanes, s, c, k, gd_const(g, 1, 1));
    ir_value *low = gd_xor(g, gd_planes(g, s, lanes, 0, 1),
                           gd_planes(g, c, lanes, 0, 1));
    return gd_xor(g, low, carry);
  }
  uint32_t j = width - 1;
  d = gd_offset(g, d, j);
  gd_addends(g, d, 0, -1, (int32_t)j + 1, &s, &c);
  ir_value *w = gd_or(g, gd_planes(g, s, lanes, 0, 1),
                      gd_planes(g, c, lanes, 0, 1));
  ir_value *carry = w;
  if (j)
    carry = gd_carry(g, lanes, gd_planes(g, s, lanes, 1, j),
                     gd_planes(g, c, lanes, 1, j), j, w);
  ir_value *top = gd_xor(g, gd_planes(g, s, lanes, j + 1, 1),
                         gd_planes(g, c, lanes, j + 1, 1));
  return gd_not(g, gd_xor(g, top, carry));
}

static ir_value *public_sign(gadget *g, ir_value *x) {
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  return gd_planes(g, gd_public_bits(g, x, m), x->ty.lanes, m - 1, 1);
}

/* Where x - y leaves the field: same signs, and it does not; else x's sign. */
static ir_value *lt_by_signs(gadget *g, ir_value *x, ir_value *y, ir_value *d) {
  ir_value *dn = negative(g, d, NULL);
  ir_value *sign[2], *v[2] = {x, y};
  for (int k = 0; k < 2; k++) {
    int known = decided(v[k]->ty.range);
    if (known >= 0)
      sign[k] = gd_const(g, (unsigned)known, d->ty.lanes);
    else if (v[k]->ty.kind == KIND_PUB)
      sign[k] = public_sign(g, v[k]);
    else
      sign[k] = negative(g, v[k], v[k]->ty.range);
    sign[k] = gd_widen(g, sign[k], 1, d->ty.lanes);
  }
  return gd_mux(g, gd_xor(g, sign[0], sign[1]), sign[0], dn, 1);
}

ir_value *gd_lt(gadget *g, ir_value *x, ir_value *y) {
  ir_value *d = gd_arith(g, OP_SUB, x, y);
  if (!d->ty.range) return lt_by_signs(g, x, y, d);
  return negative(g, d, d->ty.range);
}

/* The least m with |d| < 2^m - 1, at most k. */
static uint32_t eq_width(const gadget *g, const ir_range *r) {
  uint32_t k = g->b.m->k;
  if (!r) return k;
  mpz_t t;
  mpz_init(t);
  mpz_abs(t, mpz_cmpabs(r->lo, r->hi) > 0 ? r->lo : r->hi);
  mpz_add_ui(t, t, 1);
  size_t m = mpz_sizeinbase(t, 2); /* t <= 2^m - 1 */
  if (mpz_scan0(t, 0) >= m) m++;   /* t = 2^m - 1 */
  mpz_clear(t);
  return m < k ? (uint32_t)m : k;
}

ir_value *gd_eq(gadget *g, ir_value *x, ir_value *y) {
  ir_value *d = gd_arith(g, OP_SUB, x, y), *s, *c;
  const ir_range *r = d->ty.range;
  if (r && (mpz_sgn(r->lo) > 0 || mpz_sgn(r->hi) < 0))
    return gd_const(g, 0, d->ty.lanes);
  uint32_t m = eq_width(g, r);
  if (!g->b.m->is_mersenne) return gd_modular_zero(g, d, r, m);
  gd_addends(g, d, 0, 0, (int32_t)m, &s, &c);
  return gd_all(g, gd_xor(g, s, c), d->ty.lanes, m);
}

/* ---- of bits ---- */
static ir_value *flip_top(gadget *g, uint64_t lanes, ir_value *x, uint32_t m) {
  ir_value *part[2] = {NULL, gd_not(g, gd_planes(g, x, lanes, m - 1, 1))};
  if (m == 1) return part[1];
  part[0] = gd_planes(g, x, lanes, 0, m - 1);
  return gd_cat(g, part, 2);
}

/* No carry out of x + ~y + 1. */
ir_value *gd_lt_bits(gadget *g, uint64_t lanes, ir_value *x, ir_value *y,
                     uint32_t m, bool is_signed) {
  if (is_signed) {
    x = flip_top(g, lanes, x, m);
    y = flip_top(g, lanes, y, m);
  }
  return gd_not(g, gd_carry(g, lanes, x, gd_not(g, y), m, gd_const(g, 1, 1)));
}

ir_value *gd_eq_bits(gadget *g, uint64_t lanes, ir_value *x, ir_value *y,
                     uint32_t m) {
  return gd_all(g, gd_not(g, gd_xor(g, x, y)), lanes, m);
}
