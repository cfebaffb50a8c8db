/* Shifts, digits, one-hot: planes change places. */
#include "ir/gadget/gadget.h"
#include "ir/pass/util.h"

/* x moved up by n planes, zeros coming in. */
static ir_value *up(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                    uint64_t n) {
  if (n >= m) return gd_const(g, 0, m * lanes);
  if (!n) return x;
  ir_value *part[2] = {gd_const(g, 0, n * lanes),
                       gd_planes(g, x, lanes, 0, m - (uint32_t)n)};
  return gd_cat(g, part, 2);
}

/* x moved down by n planes, its sign or zeros coming in. */
static ir_value *down(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                      bool is_signed, uint64_t n) {
  if (n >= m && !is_signed) return gd_const(g, 0, m * lanes);
  uint32_t from = n >= m ? m - 1 : (uint32_t)n;
  ir_value *rest = gd_planes(g, x, lanes, from, m - from);
  return gd_extend(g, rest, lanes, m - from, is_signed, m);
}

static uint64_t power(uint32_t t) {
  return t < 63 ? (uint64_t)1 << t : INT64_MAX;
}

ir_value *gd_shl(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                 ir_value *by, uint32_t n) {
  for (uint32_t t = 0; t < n; t++)
    x = gd_mux(g, gd_planes(g, by, lanes, t, 1), up(g, lanes, x, m, power(t)),
               x, m);
  return x;
}

ir_value *gd_shr(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                 bool is_signed, ir_value *by, uint32_t n) {
  for (uint32_t t = 0; t < n; t++)
    x = gd_mux(g, gd_planes(g, by, lanes, t, 1),
               down(g, lanes, x, m, is_signed, power(t)), x, m);
  return x;
}

/* The product of the 1 + b (2^(2^t) - 1), b being bit t. */
ir_value *gd_power_of_2(gadget *g, uint64_t lanes, ir_value *by, uint32_t n) {
  ir_value *f[GD_PLANES];
  ir_value *bit = gd_to_field(g, by, by->ty.lanes, 1, false,
                              ir_range_si(g->b.m, 0, 1));
  mpz_t e, c;
  mpz_init_set_ui(e, 2 % mpz_get_ui(g->b.m->p));
  mpz_init(c);
  for (uint32_t t = 0; t < n; t++) { /* e = 2^(2^t) mod p */
    mpz_sub_ui(c, e, 1);
    ir_dim d = {lanes, 1};
    ir_value *b = ir_view(&g->b, bit, (int64_t)(t * lanes), &d, 1);
    f[t] = gd_arith_si(g, OP_ADD, gd_arith(g, OP_MUL, b, gd_element(g, c)), 1);
    mpz_mul(e, e, e);
    mpz_mod(e, e, g->b.m->p);
  }
  mpz_clears(e, c, (mpz_ptr)NULL);
  while (n > 1) {
    uint32_t h = n / 2;
    for (uint32_t t = 0; t < h; t++)
      f[t] = gd_arith(g, OP_MUL, f[2 * t], f[2 * t + 1]);
    if (n & 1) f[h] = f[n - 1];
    n -= h;
  }
  return f[0];
}

ir_value *gd_digits(gadget *g, uint64_t lanes, ir_value *x, uint32_t m) {
  ir_dim d[2] = {{lanes, 1}, {m, (int64_t)lanes}};
  return pass_view(&g->b, x, 0, d, 2);
}

/* ---- one-hot ---- */
/* Planes j = 0 .. 2^m - 1 of which the one x names is 1: two bits at once with
 * one product, more by the product of two halves. */
static ir_value *demux(gadget *g, uint64_t lanes, ir_value *x, uint32_t m) {
  if (m == 1) {
    ir_value *part[2] = {gd_not(g, x), x};
    return gd_cat(g, part, 2);
  }
  if (m == 2) {
    ir_value *a = gd_planes(g, x, lanes, 0, 1);
    ir_value *b = gd_planes(g, x, lanes, 1, 1);
    ir_value *ab = gd_and(g, a, b), *na = gd_xor(g, a, ab);
    ir_value *part[4] = {gd_not(g, gd_xor(g, na, b)), na, gd_xor(g, b, ab), ab};
    return gd_cat(g, part, 4);
  }
  uint32_t lo = m / 2, hi = m - lo;
  ir_value *x0 = demux(g, lanes, gd_planes(g, x, lanes, 0, lo), lo);
  ir_value *x1 = demux(g, lanes, gd_planes(g, x, lanes, lo, hi), hi);
  uint64_t n0 = (uint64_t)1 << lo, n1 = (uint64_t)1 << hi;
  ir_dim d0[2] = {{n1, 0}, {n0 * lanes, 1}};
  ir_dim d1[3] = {{n1, (int64_t)lanes}, {n0, 0}, {lanes, 1}};
  return gd_and(g, pass_view(&g->b, x0, 0, d0, 2),
                pass_view(&g->b, x1, 0, d1, 3));
}

ir_value *gd_onehot(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                    uint64_t n) {
  uint32_t w = 1;
  while (power(w) < n) w++;
  ir_value *ok = NULL, *v;
  if (m > w) { /* no place for what is too large or negative */
    ok = gd_all(g, gd_not(g, gd_planes(g, x, lanes, w, m - w)), lanes, m - w);
    x = gd_planes(g, x, lanes, 0, w);
    m = w;
  }
  v = demux(g, lanes, x, m);
  uint64_t have = power(m);
  if (ok) {
    ir_dim d[2] = {{have, 0}, {lanes, 1}};
    v = gd_and(g, v, pass_view(&g->b, ok, 0, d, 2));
  }
  if (have < n) { /* places that x cannot name */
    ir_value *part[2] = {v, gd_const(g, 0, (n - have) * lanes)};
    v = gd_cat(g, part, 2);
  }
  ir_dim d[2] = {{lanes, 1}, {n, (int64_t)lanes}};
  return pass_view(&g->b, v, 0, d, 2);
}
