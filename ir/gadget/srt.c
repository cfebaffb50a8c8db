/* Division by a share, the remainder in redundant form [EL94].
 *
 * y is moved up until its top plane, d - 1, is 1: Y = y 2^h, X = x 2^h, which
 * has the same quotient and a remainder 2^h as large.  The partial remainder is
 * W = S + C, modulo 2^(d+2), so a turn has no carry to wait for:
 *
 *   W <- 2W + (next bit of X) - e Y,    |W| <= Y
 *   e = 1 if E >= 0, 0 if E = -1/2, -1 else,
 *
 * E being the sum of the top four planes of 2S and of 2C, in units of 2^d; it
 * is below 2W / 2^d by less than 1.  With `minus` for E < 0 and `none` for
 * E = -1/2, what is added is ~Y, 0 or Y, the 1 that ~Y lacks of -Y being put
 * where C has no plane:
 *
 *   A = ~Y ^ minus ^ none Y
 *
 * A turn of the loop makes two digits.  E of the second is found for each value
 * of the first while that one is made, from the planes at the top: five rounds
 * for two.
 */
#include "ir/gadget/gadget.h"

typedef struct digit { /* one plane each */
  ir_value *minus, *none;
} digit;

typedef struct work {
  gadget *g;
  uint64_t lanes;
  uint32_t d;
  ir_value *y, *not_y;
} work;

static ir_value *cut(const work *k, ir_value *x, uint32_t from, uint32_t n) {
  return gd_planes(k->g, x, k->lanes, from, n);
}

static ir_value *join(const work *k, ir_value *low, ir_value *high) {
  ir_value *part[2] = {low, high};
  return gd_cat(k->g, part, 2);
}

static ir_value *shared_zeros(const work *k, uint32_t n) {
  return ir_op1(&k->g->b, OP_HIDE, gd_const(k->g, 0, n * k->lanes));
}

/* ---- one digit ---- */
/* By E = s + c, four planes each: two rounds, six products. */
static digit select_digit(const work *k, ir_value *s, ir_value *c) {
  gadget *g = k->g;
  ir_value *q = gd_xor(g, s, c), *g01, *p21, *p30, *s2, *q2;
  g01 = gd_and(g, cut(k, s, 0, 2), cut(k, c, 0, 2));
  q2 = cut(k, q, 2, 1);
  p21 = gd_and(g, q2, cut(k, q, 1, 1));
  p30 = gd_and(g, cut(k, q, 3, 1), cut(k, q, 0, 1));
  s2 = cut(k, s, 2, 1);
  ir_value *carry = gd_xor(
      g, gd_and(g, q2, gd_xor(g, s2, cut(k, g01, 1, 1))),
      gd_and(g, p21, cut(k, g01, 0, 1)));
  ir_value *minus = gd_xor(g, gd_xor(g, cut(k, q, 3, 1), s2), carry);
  return (digit){minus, gd_and(g, p21, p30)};
}

/* One of three by what digit e is: one round, one reduced sum of products. */
static ir_value *choose(const work *k, digit e, ir_value *plus, ir_value *zero,
                        ir_value *minus) {
  gadget *g = k->g;
  ir_value *v = gd_xor(g, plus, gd_and(g, e.minus, gd_xor(g, plus, minus)));
  return gd_xor(g, v, gd_and(g, e.none, gd_xor(g, zero, minus)));
}

typedef struct step {
  ir_value *s, *c; /* 2S + next bit and 2C: d + 3 planes */
  ir_value *u, *uy; /* s ^ c; and u Y, d planes */
} step;

static step doubled(const work *k, ir_value *s, ir_value *c, ir_value *bit) {
  gadget *g = k->g;
  step t;
  t.s = join(k, bit, s);
  t.c = join(k, gd_const(g, 0, k->lanes), c);
  t.u = gd_xor(g, t.s, t.c);
  t.uy = gd_and(g, cut(k, t.u, 0, k->d), k->y);
  return t;
}

/* S, C of d + 2 planes after digit e: one round, 2d + 1 products.  The majority
 * of s, c, A is s ^ u (s ^ A). */
static void reduce_by(const work *k, const step *t, digit e, ir_value **s,
                      ir_value **c) {
  gadget *g = k->g;
  uint32_t d = k->d;
  ir_value *plus = gd_not(g, e.minus);
  ir_value *ones = gd_xor(g, k->not_y, gd_repeat(g, e.minus, d));
  ir_value *none = gd_repeat(g, e.none, d);
  ir_value *a = gd_xor(g, ones, gd_and(g, none, k->y));
  a = join(k, a, gd_repeat(g, plus, 2));
  *s = gd_xor(g, cut(k, t->u, 0, d + 2), a);
  ir_value *low = cut(k, t->s, 0, d), *top = cut(k, t->s, d, 1);
  low = gd_xor(g, gd_xor(g, low, gd_and(g, none, t->uy)),
               gd_and(g, cut(k, t->u, 0, d), gd_xor(g, low, ones)));
  top = gd_xor(g, top, gd_and(g, cut(k, t->u, d, 1), gd_xor(g, top, plus)));
  ir_value *part[3] = {plus, low, top};
  *c = gd_cat(g, part, 3);
}

/* The next digit if this one adds A, of which planes d - 3 .. d + 1 are `a`; uA
 * of the first four is `ua`, or NULL: A = 0. */
static digit look_ahead(const work *k, const step *t, ir_value *both,
                        ir_value *a, ir_value *ua) {
  gadget *g = k->g;
  ir_value *s = cut(k, t->u, k->d - 2, 4);
  if (!ua) return select_digit(k, s, both);
  return select_digit(k, gd_xor(g, s, cut(k, a, 1, 4)), gd_xor(g, both, ua));
}

/* The digit after e, found while e is not yet known. */
static digit second_digit(const work *k, const step *t, digit e) {
  gadget *g = k->g;
  uint32_t low = k->d - 3;
  ir_value *both = gd_and(g, cut(k, t->s, low, 4), cut(k, t->c, low, 4));
  ir_value *zero = gd_const(g, 0, k->lanes);
  ir_value *y = join(k, cut(k, k->y, low, 3), gd_const(g, 0, 2 * k->lanes));
  ir_value *uy = join(k, cut(k, t->uy, low, 3), zero);
  ir_value *u = cut(k, t->u, low, 4);
  digit p = look_ahead(k, t, both, gd_not(g, y), gd_xor(g, u, uy));
  digit z = look_ahead(k, t, both, NULL, NULL);
  digit m = look_ahead(k, t, both, y, uy);
  return (digit){choose(k, e, p.minus, z.minus, m.minus),
                 choose(k, e, p.none, z.none, m.none)};
}

/* ---- moving y's top plane up ---- */
/* Plane i of the result: are planes d - 1 .. d - 1 - i of y all 0? */
static ir_value *leading_zeros(const work *k, ir_value *y) {
  gadget *g = k->g;
  uint32_t d = k->d;
  gd_plane p[GD_PLANES], hi[GD_PLANES], lo[GD_PLANES];
  ir_value *n = gd_not(g, y);
  for (uint32_t i = 0; i < d; i++) p[i] = (gd_plane){n, d - 1 - i};
  for (uint32_t l = 0; (1u << l) < d; l++) {
    uint32_t m = 0;
    for (uint32_t i = 0; i < d; i++) {
      if (!(i >> l & 1)) continue;
      hi[m] = p[i];
      lo[m++] = p[(i >> l << l) - 1];
    }
    ir_value *v = gd_and(g, gd_take(g, k->lanes, hi, m),
                         gd_take(g, k->lanes, lo, m));
    for (uint32_t i = 0, j = 0; i < d; i++)
      if (i >> l & 1) p[i] = (gd_plane){v, j++};
  }
  return gd_take(g, k->lanes, p, d);
}

/* x, m planes, moved up (or down) by the j for which plane j of `one` is 1: a
 * sum of products, one round; of public ones public. */
static ir_value *moved(const work *k, ir_value *x, uint32_t m, ir_value *one,
                       bool up) {
  gadget *g = k->g;
  bool pub = x->ty.kind == KIND_PUB && one->ty.kind == KIND_PUB;
  ir_value *zero = gd_const(g, 0, k->lanes);
  ir_value *start[3] = {
      pub ? gd_const(g, 0, m * k->lanes) : shared_zeros(k, m), x, one};
  gd_turns t;
  gd_turns_open(g, &t, k->d, start, 3);
  ir_value *sum = t.body->param[1], *v = t.body->param[2];
  ir_value *left = t.body->param[3];
  ir_value *now = gd_repeat(g, cut(k, left, 0, 1), m);
  ir_value *end[3] = {gd_xor(g, sum, gd_and(g, now, v)),
                      up ? join(k, zero, cut(k, v, 0, m - 1))
                         : join(k, cut(k, v, 1, m - 1), zero),
                      join(k, cut(k, left, 1, k->d - 1), zero)};
  return gd_turns_close(g, &t, end)->res[0];
}

/* ---- quotient and remainder ---- */
/* The digits of n (even) bits; x: those of X from the top on come in.  Leaves S
 * and C and, as planes, where a digit is 1 and where it is -1. */
static void digits(const work *k, ir_value *first, ir_value *x, uint32_t n,
                   ir_value *end[4]) {
  gadget *g = k->g;
  gd_turns t;
  ir_value *s0 = join(k, first, gd_const(g, 0, 3 * k->lanes));
  ir_value *start[4] = {gd_hidden(g, s0), shared_zeros(k, k->d + 2),
                        gd_hidden(g, x), shared_zeros(k, n)};
  gd_turns_open(g, &t, n / 2, start, 4);
  ir_value *s = t.body->param[1], *c = t.body->param[2];
  ir_value *plus = t.body->param[3], *minus = t.body->param[4];
  step a = doubled(k, s, c, cut(k, plus, n - 1, 1));
  digit e = select_digit(k, cut(k, a.s, k->d - 1, 4), cut(k, a.c, k->d - 1, 4));
  digit f = second_digit(k, &a, e);
  reduce_by(k, &a, e, &s, &c);
  step b = doubled(k, s, c, cut(k, plus, n - 2, 1));
  reduce_by(k, &b, f, &s, &c);
  ir_value *m = join(k, f.minus, e.minus), *z = join(k, f.none, e.none);
  ir_value *next[4] = {s, c, gd_not(g, m), gd_xor(g, m, z)};
  if (n > 2) {
    next[2] = join(k, next[2], cut(k, plus, 0, n - 2));
    next[3] = join(k, next[3], cut(k, minus, 0, n - 2));
  }
  ir_inst *f2 = gd_turns_close(g, &t, next);
  for (int j = 0; j < 4; j++) end[j] = f2->res[j];
}

void gd_srt(gadget *g, uint64_t lanes, ir_value *x, uint32_t n, ir_value *y,
            uint32_t d, ir_value **q, ir_value **r, ir_value **none) {
  work k = {g, lanes, d, NULL, NULL};
  uint32_t even = n + (n & 1), wide = even + d - 1;
  ir_value *above = leading_zeros(&k, y), *end[4];
  *none = cut(&k, above, d - 1, 1);
  /* plane h: is y moved up by h? */
  ir_value *one = gd_xor(
      g, above, join(&k, gd_const(g, 1, lanes), cut(&k, above, 0, d - 1)));
  k.y = moved(&k, y, d, one, true);
  k.not_y = gd_not(g, k.y);
  x = moved(&k, gd_extend(g, x, lanes, n, false, wide), wide, one, true);
  digits(&k, cut(&k, x, even, d - 1), cut(&k, x, 0, even), even, end);
  ir_value *s = end[0], *c = end[1];
  /* W < 0: one less, and Y more */
  ir_value *last = gd_xor(g, cut(&k, gd_xor(g, s, c), d + 1, 1),
                          gd_carry(g, lanes, s, c, d + 1, NULL));
  *q = gd_sum_late(g, lanes, cut(&k, end[2], 0, n),
                   gd_not(g, cut(&k, end[3], 0, n)), n, gd_not(g, last));
  ir_value *as_it_is = gd_sum(g, lanes, cut(&k, s, 0, d), cut(&k, c, 0, d), d,
                              NULL);
  ir_value *sl = cut(&k, s, 0, d), *cl = cut(&k, c, 0, d);
  ir_value *u = gd_xor(g, sl, cl);
  ir_value *maj = gd_xor(g, sl, gd_and(g, u, gd_xor(g, sl, k.y)));
  ir_value *more = gd_sum(
      g, lanes, gd_xor(g, u, k.y),
      join(&k, gd_const(g, 0, lanes), cut(&k, maj, 0, d - 1)), d, NULL);
  *r = moved(&k, gd_mux(g, last, more, as_it_is, d), d, one, false);
}
