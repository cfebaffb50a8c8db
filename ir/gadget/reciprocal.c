/* Division by what only the run knows, and everybody:
 *
 *   x / c = floor(x M / 2^s), M = ceil(2^s / c), s = n + e
 *
 * where x < 2^n and 2^(e-1) < c <= 2^e, as (M c - 2^s) x < c x < 2^s [GM94].
 *
 * M is a public integer of n + 2 bits.  Where x M does not fit the field, M is
 * cut into limbs whose products with x do; these become bits together and are
 * added up.  The quotient begins at plane s, a place that the run knows: taking
 * it from there sends nothing.  The depth is that of a conversion and of
 * ceil(log2 limbs) additions.
 */
#include "ir/gadget/gadget.h"
#include "ir/pass/util.h"

#define LIMBS 8

/* Where c > 2^k, counted: the e of each lane. */
static ir_value *bit_length(gadget *g, ir_value *c, uint32_t d) {
  uint64_t lanes = c->ty.lanes;
  ir_dim again[2] = {{lanes, 0}, {d, 1}}, each[2] = {{lanes, 1}, {d, 0}};
  ir_value *power = gd_powers(g, DOM_Z, d, false);
  ir_value *less = ir_op2(&g->b, OP_LT, pass_view(&g->b, power, 0, again, 2),
                          pass_view(&g->b, c, 0, each, 2));
  return ir_fold(&g->b, OP_SUM, less, d);
}

/* ceil(2^(n + e) / c).  That c is not 0 was checked, but perhaps by the ledger,
 * for whose word no node shall fall over: then it is divided by 1. */
static ir_value *reciprocal(gadget *g, ir_value *c, ir_value *e, uint32_t n) {
  ir_builder *b = &g->b;
  ir_value *one = ir_const_si(b, DOM_Z, 1, 1);
  if (mpz_sgn(c->ty.range->lo) == 0)
    c = ir_op2(b, OP_ADD, c,
               ir_op2(b, OP_EQ, c, ir_const_si(b, DOM_Z, 0, 1)));
  ir_value *s = ir_op2(b, OP_ADD, e, ir_const_si(b, DOM_Z, n, 1));
  ir_value *up = ir_op2(b, OP_ADD, ir_op2(b, OP_SHL, one, s),
                        ir_op2(b, OP_SUB, c, one));
  return ir_op2(b, OP_DIV, up, c);
}

/* The w bits of m from `from` on, as a field element. */
static ir_value *limb(gadget *g, ir_value *m, uint32_t from, uint32_t w) {
  ir_value *v = ir_op2(&g->b, OP_SHR, m, ir_const_si(&g->b, DOM_Z, from, 1));
  v = ir_ranged(&g->b, OP_WRAP, v, ir_range_bits(g->b.m, w, false));
  return ir_op1(&g->b, OP_ENC, v);
}

/* x times the limbs of m, added up in a tree: n + w * limbs planes.  What
 * stands for j limbs has n + w j. */
static ir_value *product(gadget *g, uint64_t lanes, ir_value *x, uint32_t n,
                         ir_value *m, uint32_t w, uint32_t limbs) {
  ir_value *part[LIMBS];
  uint32_t width[LIMBS];
  for (uint32_t k = 0; k < limbs; k++) {
    ir_value *p = gd_arith(g, OP_MUL, x, limb(g, m, k * w, w));
    part[k] = gd_to_bits(g, p, p->ty.range, n + w);
    width[k] = w;
  }
  for (; limbs > 1; limbs = (limbs + 1) / 2) {
    for (uint32_t k = 0; k + 1 < limbs; k += 2) {
      uint32_t low = width[k], high = n + width[k + 1];
      ir_value *carried = gd_planes(g, part[k], lanes, low, n);
      ir_value *both[2] = {
          gd_planes(g, part[k], lanes, 0, low),
          gd_sum(g, lanes, gd_extend(g, carried, lanes, n, false, high),
                 part[k + 1], high, NULL)};
      part[k / 2] = gd_cat(g, both, 2);
      width[k / 2] = low + width[k + 1];
    }
    if (limbs & 1) {
      part[limbs / 2] = part[limbs - 1];
      width[limbs / 2] = width[limbs - 1];
    }
  }
  return part[0];
}

/* n planes of x from plane e on, e of 1 lane or as many as x. */
static ir_value *from_plane(gadget *g, uint64_t lanes, ir_value *x, uint32_t n,
                            ir_value *e) {
  ir_builder *b = &g->b;
  ir_value *step = ir_const_si(b, DOM_Z, (int64_t)lanes, 1);
  if (e->ty.lanes == 1) {
    ir_dim d = {n * lanes, 1};
    return ir_get(b, x, ir_op2(b, OP_MUL, e, step), 0, &d, 1);
  }
  ir_dim plane[2] = {{n, 1}, {lanes, 0}}, lane[2] = {{n, 0}, {lanes, 1}};
  ir_value *at = ir_op2(b, OP_ADD, pass_view(b, ir_iota(b, n), 0, plane, 2),
                        pass_view(b, e, 0, lane, 2));
  at = ir_op2(b, OP_ADD, ir_op2(b, OP_MUL, at, step),
              pass_view(b, ir_iota(b, lanes), 0, lane, 2));
  return ir_gather(b, x, at);
}

/* Limbs of w bits for the n + 2 of M, whose products with x fit the field; 0:
 * too many. */
static uint32_t limbs_of(const gadget *g, uint32_t n, uint32_t *w) {
  uint32_t k = (uint32_t)mpz_sizeinbase(g->b.m->p, 2), m = n + 2;
  if (n + 2 >= k) return 0;
  uint32_t limbs = (m + k - n - 3) / (k - n - 2);
  *w = (m + limbs - 1) / limbs;
  return limbs <= LIMBS && n + m + limbs + GD_MORE < GD_PLANES ? limbs : 0;
}

bool gd_divides_public(const gadget *g, const ir_range *x, const ir_range *c) {
  bool neg;
  uint32_t w;
  return mpz_sgn(x->lo) >= 0 && mpz_sgn(c->lo) >= 0 &&
         limbs_of(g, gd_width(x, &neg), &w);
}

ir_value *gd_div_public(gadget *g, ir_value *x, ir_value *c, uint64_t lanes,
                        uint32_t *planes) {
  const ir_range *r = x->ty.range, *by = c->ty.range;
  bool neg;
  uint32_t n = gd_width(r, &neg), d = gd_width(by, &neg), w;
  uint32_t limbs = limbs_of(g, n, &w);
  c = gd_integer(g, c);
  ir_value *e = bit_length(g, c, d);
  ir_value *p = product(g, lanes, ir_splat(&g->b, x, lanes), n,
                        reciprocal(g, c, e, n), w, limbs);
  p = gd_planes(g, p, lanes, n, w * limbs);
  mpz_t most;
  mpz_init_set(most, r->hi);
  if (mpz_cmp_ui(by->lo, 1) > 0) mpz_fdiv_q(most, most, by->lo);
  *planes = mpz_sgn(most) ? (uint32_t)mpz_sizeinbase(most, 2) : 1;
  mpz_clear(most);
  if (*planes + d > w * limbs)
    p = gd_extend(g, p, lanes, w * limbs, false, *planes + d);
  return from_plane(g, lanes, p, *planes, e);
}
