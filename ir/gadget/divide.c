/* Division and square root.
 *
 * By a constant c: y / c = floor(y M / 2^s) with M = ceil(2^s / c) wherever
 * (M c - 2^s) y < 2^s [GM94]; where y M does not fit the field, a smaller M
 * gives a quotient q too small by little, and y - q c is divided again.
 *
 * By a share that is short, and roots: digit by digit without restoring; the
 * sign of the partial remainder R says whether to subtract or to add next, so a
 * turn is one addition.  The turns are a loop.  From REDUNDANT planes on the
 * additions would be deep: srt.c.
 */
#include "ir/gadget/gadget.h"

#define REDUNDANT 8

/* ---- by a constant ---- */
/* The least s, with M, such that floor(y M / 2^s) is exact on 0 .. top. */
static uint32_t reciprocal(mpz_ptr m, mpz_srcptr c, mpz_srcptr top) {
  mpz_t e, two;
  mpz_inits(e, two, (mpz_ptr)NULL);
  uint32_t s = 0;
  for (;; s++) {
    mpz_set_ui(two, 0);
    mpz_setbit(two, s);
    mpz_cdiv_q(m, two, c);
    mpz_mul(e, m, c);
    mpz_sub(e, e, two);
    mpz_mul(e, e, top);
    if (mpz_cmp(e, two) < 0) break;
  }
  mpz_clears(e, two, (mpz_ptr)NULL);
  return s;
}

/* floor(y M / 2^s) as planes; top M is what y M is at most. */
static ir_value *scaled(gadget *g, ir_value *y, mpz_srcptr top, mpz_srcptr m,
                        uint32_t s, uint32_t *planes) {
  mpz_t zero, most;
  mpz_inits(zero, most, (mpz_ptr)NULL);
  mpz_mul(most, top, m);
  ir_value *p = gd_arith(g, OP_MUL, y, ir_const(&g->b, DOM_P, m, 1));
  const ir_range *r = ir_range_get(g->b.m, zero, most);
  bool neg;
  uint32_t width = gd_width(r, &neg);
  mpz_clears(zero, most, (mpz_ptr)NULL);
  if (s >= width) {
    *planes = 1;
    return gd_const(g, 0, y->ty.lanes);
  }
  *planes = width - s;
  return gd_planes(g, gd_to_bits(g, p, r, width), y->ty.lanes, s, width - s);
}

/* y in 0 .. top. */
static ir_value *quotient(gadget *g, ir_value *y, mpz_srcptr top,
                          mpz_srcptr c) {
  ir_module *mod = g->b.m;
  mpz_t m, t, rest;
  mpz_inits(m, t, rest, (mpz_ptr)NULL);
  uint32_t planes, s = reciprocal(m, c, top);
  mpz_mul(t, top, m);
  bool exact = ir_in_field(mod, t);
  if (!exact) { /* the largest s for which floor(2^s / c) top fits */
    do {
      mpz_set_ui(t, 0);
      mpz_setbit(t, --s);
      mpz_fdiv_q(m, t, c);
      mpz_mul(t, m, top);
    } while (!ir_in_field(mod, t));
  }
  ir_value *q = scaled(g, y, top, m, s, &planes);
  q = gd_to_field(g, q, y->ty.lanes, planes, false,
                  ir_range_bits(mod, planes, false));
  mpz_fdiv_q(t, top, c);
  if (exact) {
    mpz_set_ui(m, 0);
    q = gd_fit(g, q, ir_range_get(mod, m, t));
  } else { /* y - q c < c + top (2^s - M c) / 2^s */
    mpz_set_ui(t, 0);
    mpz_setbit(t, s);
    mpz_submul(t, m, c);
    mpz_mul(t, t, top);
    mpz_cdiv_q_2exp(t, t, s);
    mpz_add(rest, t, c);
    if (mpz_cmp(rest, top) > 0) mpz_set(rest, top);
    ir_value *r = gd_arith(
        g, OP_SUB, y,
        gd_arith(g, OP_MUL, q, ir_const(&g->b, DOM_P, c, 1)));
    mpz_set_ui(m, 0);
    r = gd_fit(g, r, ir_range_get(mod, m, rest));
    q = gd_arith(g, OP_ADD, q, quotient(g, r, rest, c));
    mpz_fdiv_q(t, top, c);
    q = gd_fit(g, q, ir_range_get(mod, m, t));
  }
  mpz_clears(m, t, rest, (mpz_ptr)NULL);
  return q;
}

ir_value *gd_div_const(gadget *g, ir_value *x, mpz_srcptr by) {
  const ir_range *r = x->ty.range;
  mpz_t c, off, top, k;
  mpz_inits(c, off, top, k, (mpz_ptr)NULL);
  mpz_abs(c, by);
  ir_value *y = x;
  if (mpz_sgn(r->lo) < 0) {
    /* x / c = floor((x + (c - 1)[x < 0] + k c) / c) - k, k c >= -lo */
    ir_value *neg = gd_lt(g, x, ir_const_si(&g->b, DOM_P, 0, 1));
    neg = gd_to_field(g, neg, x->ty.lanes, 1, false, ir_range_si(g->b.m, 0, 1));
    mpz_sub_ui(off, c, 1);
    y = gd_arith(g, OP_ADD, y,
                 gd_arith(g, OP_MUL, neg, ir_const(&g->b, DOM_P, off, 1)));
    mpz_neg(k, r->lo);
    mpz_cdiv_q(k, k, c);
    mpz_mul(off, k, c);
    y = gd_arith(g, OP_ADD, y, ir_const(&g->b, DOM_P, off, 1));
  }
  if (mpz_sgn(r->hi) > 0) mpz_add(top, off, r->hi);
  if (mpz_sgn(r->lo) < 0) { /* where x < 0 it is below (k + 1) c */
    mpz_add(off, off, c);
    if (mpz_cmp(off, top) > 0) mpz_set(top, off);
  }
  mpz_set_ui(off, 0);
  y = gd_fit(g, y, ir_range_get(g->b.m, off, top));
  ir_value *q = mpz_cmp_ui(c, 1) ? quotient(g, y, top, c) : y;
  q = gd_arith(g, OP_SUB, q, ir_const(&g->b, DOM_P, k, 1));
  if (mpz_sgn(by) < 0) q = ir_op1(&g->b, OP_NEG, q);
  mpz_clears(c, off, top, k, (mpz_ptr)NULL);
  return q;
}

/* ---- digit by digit ---- */
static ir_value *zeros(gadget *g, uint64_t lanes) {
  return ir_op1(&g->b, OP_HIDE, gd_const(g, 0, lanes));
}

/* Integers >= 0: x of n planes by y of d. */
static void divide(gadget *g, uint64_t lanes, ir_value *x, uint32_t n,
                   ir_value *y, uint32_t d, ir_value **q, ir_value **r) {
  gd_turns t;
  ir_value *start[2] = {zeros(g, (d + 1) * lanes), gd_hidden(g, x)};
  gd_turns_open(g, &t, n, start, 2);
  ir_value *rem = t.body->param[1], *reg = t.body->param[2];
  ir_value *sub = gd_not(g, gd_planes(g, rem, lanes, d, 1));
  ir_value *in[2] = {gd_planes(g, reg, lanes, n - 1, 1),
                     gd_planes(g, rem, lanes, 0, d)};
  ir_value *to[2] = {gd_xor(g, y, gd_repeat(g, sub, d)), sub};
  ir_value *next =
      gd_sum(g, lanes, gd_cat(g, in, 2), gd_cat(g, to, 2), d + 1, sub);
  ir_value *bit = gd_not(g, gd_planes(g, next, lanes, d, 1));
  ir_value *out[2] = {bit, n > 1 ? gd_planes(g, reg, lanes, 0, n - 1) : NULL};
  ir_value *end[2] = {next, gd_cat(g, out, n > 1 ? 2 : 1)};
  ir_inst *f = gd_turns_close(g, &t, end);
  *q = f->res[1];
  /* R + y where R < 0 */
  ir_value *neg = gd_planes(g, f->res[0], lanes, d, 1);
  *r = gd_sum(g, lanes, gd_planes(g, f->res[0], lanes, 0, d),
              gd_and(g, y, gd_repeat(g, neg, d)), d, NULL);
}

/* sign ? -x : x, m planes. */
static ir_value *negate_if(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                           ir_value *sign) {
  return gd_sum(g, lanes, gd_xor(g, x, gd_repeat(g, sign, m)),
                gd_const(g, 0, m * lanes), m, sign);
}

void gd_divide(gadget *g, uint64_t lanes, ir_value *x, uint32_t n, bool xneg,
               ir_value *y, uint32_t d, bool yneg, bool by_zero, ir_value **q,
               ir_value **r) {
  ir_value *sx = xneg ? gd_planes(g, x, lanes, n - 1, 1) : NULL;
  ir_value *sy = yneg ? gd_planes(g, y, lanes, d - 1, 1) : NULL;
  ir_value *ax = xneg ? negate_if(g, lanes, x, n, sx) : x;
  ir_value *ay = yneg ? negate_if(g, lanes, y, d, sy) : y;
  ir_value *none = NULL; /* is y 0? */
  if (n < REDUNDANT || d < REDUNDANT)
    divide(g, lanes, ax, n, ay, d, q, r);
  else
    gd_srt(g, lanes, ax, n, ay, d, q, r, &none);
  ir_value *s = sx && sy ? gd_xor(g, sx, sy) : sx ? sx : sy;
  if (s) { /* one plane more for the sign */
    *q = gd_extend(g, *q, lanes, n, false, n + 1);
    *q = negate_if(g, lanes, *q, n + 1, s);
  }
  if (sx) {
    *r = gd_extend(g, *r, lanes, d, false, d + 1);
    *r = negate_if(g, lanes, *r, d + 1, sx);
  }
  if (!by_zero) return;
  uint32_t nq = n + (s != NULL), m = d + (sx != NULL);
  if (!none) none = gd_all(g, gd_not(g, y), lanes, d);
  ir_value *some = gd_not(g, none);
  *q = gd_and(g, *q, gd_repeat(g, some, nq));
  uint32_t most = m > n ? m : n;
  *r = gd_mux(g, some, gd_extend(g, *r, lanes, m, xneg, most),
              gd_extend(g, x, lanes, n, xneg, most), most);
}

ir_value *gd_isqrt(gadget *g, uint64_t lanes, ir_value *x, uint32_t m) {
  uint32_t h = (m + 1) / 2, w = h + 3, n = 2 * h;
  x = gd_extend(g, x, lanes, m, false, n);
  gd_turns t; /* carries R, w planes, and behind x what is known of the root */
  ir_value *reg[2] = {x, zeros(g, h * lanes)};
  ir_value *start[2] = {zeros(g, w * lanes), gd_hidden(g, gd_cat(g, reg, 2))};
  gd_turns_open(g, &t, h, start, 2);
  ir_value *rem = t.body->param[1], *all = t.body->param[2];
  ir_value *root = gd_planes(g, all, lanes, n, h);
  ir_value *sub = gd_not(g, gd_planes(g, rem, lanes, w - 1, 1));
  ir_value *in[2] = {gd_planes(g, all, lanes, n - 2, 2),
                     gd_planes(g, rem, lanes, 0, w - 2)};
  /* 4R + two bits of x, minus 4 root + 1 or plus 4 root + 3 */
  ir_value *to[4] = {gd_not(g, sub), gd_const(g, 1, lanes),
                     gd_xor(g, root, gd_repeat(g, sub, h)), sub};
  ir_value *next =
      gd_sum(g, lanes, gd_cat(g, in, 2), gd_cat(g, to, 4), w, sub);
  ir_value *bit = gd_not(g, gd_planes(g, next, lanes, w - 1, 1));
  ir_value *part[4] = {zeros(g, 2 * lanes), NULL, bit, NULL};
  uint32_t np = 1;
  if (n > 2) part[np++] = gd_planes(g, all, lanes, 0, n - 2);
  part[np++] = bit;
  if (h > 1) part[np++] = gd_planes(g, root, lanes, 0, h - 1);
  ir_value *end[2] = {next, gd_cat(g, part, np)};
  ir_inst *f = gd_turns_close(g, &t, end);
  return gd_planes(g, f->res[1], lanes, n, h);
}
