/* bits: one operation at a time. */
#include "ir/pass/bits.h"

static bool is_share(const ir_value *v) { return v->ty.kind == KIND_SH; }

/* The planes that hold both. */
static uint32_t common(const ir_value *x, const ir_value *y, bool *is_signed) {
  bool sx, sy;
  uint32_t mx = gd_width(x->ty.range, &sx), my = gd_width(y->ty.range, &sy);
  *is_signed = sx || sy;
  if (sx && !sy) my++;
  if (sy && !sx) mx++;
  return mx > my ? mx : my;
}

static uint32_t width_of(const ir_value *v) {
  bool neg;
  return gd_width(v->ty.range, &neg);
}

/* All that is not public is made as planes, and something is not public. */
static bool all_native(const bits_pass *z, ir_value *const *v, uint32_t n) {
  bool any = false;
  for (uint32_t k = 0; k < n; k++) {
    if (!is_share(v[k])) continue;
    if (!bits_native(z, v[k])) return false;
    any = true;
  }
  return any;
}

static bool some_native(const bits_pass *z, ir_value *const *v, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (bits_native(z, v[k])) return true;
  return false;
}

/* ---- comparisons ---- */
static bool lower_compare(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1], *v;
  uint64_t lanes = i->res[0]->ty.lanes;
  if (i->op == OP_LE) { /* not y < x */
    x = i->arg[1];
    y = i->arg[0];
  }
  if (some_native(z, i->arg, 2)) {
    bool neg;
    uint32_t m = common(x, y, &neg);
    ir_value *xb = bits_operand(z, x, m, lanes);
    ir_value *yb = bits_operand(z, y, m, lanes);
    v = i->op == OP_EQ ? gd_eq_bits(&z->g, lanes, xb, yb, m)
                       : gd_lt_bits(&z->g, lanes, xb, yb, m, neg);
  } else {
    x = bits_field(z, x);
    y = bits_field(z, y);
    v = i->op == OP_EQ ? gd_eq(&z->g, x, y) : gd_lt(&z->g, x, y);
  }
  if (i->op == OP_LE) v = gd_not(&z->g, v);
  bits_set_planes(z, i, v, 1, false);
  return true;
}

/* ---- selection ---- */
static bool lower_select(bits_pass *z, ir_inst *i) {
  ir_value *c = i->arg[0], *x = i->arg[1], *y = i->arg[2];
  ir_value *r = i->res[0];
  bool pub = !is_share(x) && !is_share(y);
  bool planes = pub ? !(z->wants[r->id] & BITS_FIELD) ||
                          (gd_is_bool(r) && bits_native(z, c))
                    : all_native(z, i->arg + 1, 2);
  if (gd_is_bool(x) && gd_is_bool(y)) planes |= some_native(z, i->arg + 1, 2);
  planes = planes && ir_range_in_field(z->m, r->ty.range);
  if (!ir_is_typed(i) && (!planes || pub)) return false;
  if (!planes) {
    c = bits_field(z, c);
    x = bits_field(z, x);
    y = bits_field(z, y);
    /* y + c (x - y); the difference always the same way round, so that the
     * opposite choice has the same product */
    bool turn = x->id > y->id;
    ir_value *d = gd_arith(&z->g, OP_SUB, turn ? y : x, turn ? x : y);
    bits_set_field(z, i, gd_arith(&z->g, turn ? OP_SUB : OP_ADD, y,
                                  gd_arith(&z->g, OP_MUL, c, d)));
    return true;
  }
  bool neg;
  uint32_t m = common(x, y, &neg);
  ir_value *cb = is_share(c) ? bits_operand(z, c, 1, r->ty.lanes)
                             : gd_widen(&z->g, gd_public_bits(&z->g, c, 1), 1,
                                        r->ty.lanes);
  bits_set_planes(z, i,
                  gd_mux(&z->g, cb, bits_operand(z, x, m, r->ty.lanes),
                         bits_operand(z, y, m, r->ty.lanes), m),
                  m, neg);
  return true;
}

/* ---- bitwise ---- */
static ir_value *gate(gadget *g, ir_op op, ir_value *x, ir_value *y) {
  return op == OP_AND || op == OP_MUL ? gd_and(g, x, y)
         : op == OP_OR                ? gd_or(g, x, y)
                                      : gd_xor(g, x, y);
}

/* The same of 0/1 in the field. */
static ir_value *field_gate(gadget *g, ir_op op, ir_value *x, ir_value *y) {
  ir_value *xy = gd_arith(g, OP_MUL, x, y);
  if (op == OP_AND) return xy;
  if (op == OP_XOR) xy = gd_arith_si(g, OP_MUL, xy, 2);
  return gd_arith(g, OP_SUB, gd_arith(g, OP_ADD, x, y), xy);
}

static bool lower_bitwise(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1], *r = i->res[0];
  gadget *g = &z->g;
  if (gd_is_bool(x) && gd_is_bool(y) && !some_native(z, i->arg, 2) &&
      z->wants[r->id] & BITS_FIELD) {
    bits_set_field(z, i, field_gate(g, i->op, bits_field(z, x),
                                    bits_field(z, y)));
    return true;
  }
  uint32_t mx = width_of(x), my = width_of(y), lo = mx < my ? mx : my;
  uint64_t lanes = r->ty.lanes;
  ir_value *v = gate(g, i->op, bits_operand(z, x, lo, lanes),
                     bits_operand(z, y, lo, lanes));
  if (i->op != OP_AND && mx != my) {
    uint32_t hi = mx > my ? mx : my;
    ir_value *wide = bits_operand(z, mx > my ? x : y, hi, lanes);
    ir_value *part[2] = {v, gd_planes(g, wide, lanes, lo, hi - lo)};
    v = gd_cat(g, part, 2);
    lo = hi;
  }
  bits_set_planes(z, i, v, lo, false);
  return true;
}

/* 0/1 times 0/1 where one is planes already. */
static bool lower_mul(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1];
  if (!is_share(i->res[0]) || !gd_is_bool(x) || !gd_is_bool(y) ||
      !some_native(z, i->arg, 2))
    return false;
  return lower_bitwise(z, i);
}

/* 1 - x */
static bool lower_sub(bits_pass *z, ir_inst *i) {
  mpz_srcptr c;
  ir_value *x = i->arg[1];
  if (!ir_is_const(i->arg[0], &c) || mpz_cmp_ui(c, 1) || !gd_is_bool(x) ||
      !bits_native(z, x) || x->ty.lanes != i->res[0]->ty.lanes)
    return false;
  bits_set_planes(z, i, gd_not(&z->g, bits_operand(z, x, 1, x->ty.lanes)), 1,
                  false);
  return true;
}

/* ---- low and high parts ---- */
/* Is the value wanted in the field alone, and made of field elements? */
static bool in_field(const bits_pass *z, const ir_inst *i) {
  return z->wants[i->res[0]->id] == BITS_FIELD && !bits_native(z, i->arg[0]);
}

/* x without its lowest n bits costs the conversion of those n. */
static ir_value *without_low(bits_pass *z, ir_value *x, uint32_t n) {
  gadget *g = &z->g;
  const bits_form *f = &z->form[x->id];
  ir_value *v = bits_field(z, x);
  ir_value *low = f->planes ? gd_planes(g, f->planes, x->ty.lanes, 0, n)
                            : gd_to_bits(g, v, x->ty.range, n);
  low = gd_to_field(g, low, x->ty.lanes, n, false,
                    ir_range_bits(z->m, n, false));
  return gd_arith(g, OP_SUB, v, low);
}

/* The lowest n bits of x cost the conversion of the others. */
static ir_value *without_high(bits_pass *z, ir_value *x, uint32_t n) {
  gadget *g = &z->g;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  ir_value *v = bits_field(z, x);
  ir_value *high = gd_planes(g, bits_planes(z, x), x->ty.lanes, n, m - n);
  high = gd_to_field(g, high, x->ty.lanes, m - n, neg,
                     ir_range_bits(z->m, m - n, neg));
  return gd_arith(g, OP_SUB, v, gd_scale(g, high, (int32_t)n));
}

/* ---- shifts ---- */
static bool lower_shift(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *by = i->arg[1], *r = i->res[0];
  gadget *g = &z->g;
  uint64_t lanes = r->ty.lanes, n;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  bool fixed = pass_const_u64(by, &n);
  if (i->op == OP_SHL && !is_share(by) && !bits_native(z, x)) {
    ir_value *f = ir_op2(&g->b, OP_SHL, ir_const_si(&g->b, DOM_Z, 1, 1), by);
    bits_set_field(z, i, gd_arith(g, OP_MUL, bits_field(z, x),
                                  ir_op1(&g->b, OP_ENC, f)));
    return true;
  }
  if (i->op == OP_SHL && in_field(z, i)) {
    ir_value *f = gd_power_of_2(g, by->ty.lanes, bits_planes(z, by),
                                width_of(by));
    bits_set_field(z, i, gd_arith(g, OP_MUL, bits_field(z, x), f));
    return true;
  }
  if (i->op == OP_SHL) {
    bool rneg;
    uint32_t to = gd_width(r->ty.range, &rneg);
    if (to < m) to = m;
    ir_value *v = bits_operand(z, x, to, lanes);
    v = gd_shl(g, lanes, v, to, bits_operand(z, by, width_of(by), lanes),
               width_of(by));
    bits_set_planes(z, i, v, to, neg);
    return true;
  }
  if (fixed && in_field(z, i) && n && n < m && 2 * n < m &&
      x->ty.lanes == lanes) {
    ir_value *q = without_low(z, x, (uint32_t)n);
    bits_set_field(z, i, gd_scale(g, q, -(int32_t)n));
    return true;
  }
  ir_value *v = bits_operand(z, x, m, lanes);
  if (fixed) {
    uint32_t from = n < m ? (uint32_t)n : m - 1;
    if (n >= m && !neg)
      bits_set_planes(z, i, gd_const(g, 0, lanes), 1, false);
    else
      bits_set_planes(z, i, gd_planes(g, v, lanes, from, m - from), m - from,
                      neg);
    return true;
  }
  v = gd_shr(g, lanes, v, m, neg, bits_operand(z, by, width_of(by), lanes),
             width_of(by));
  bits_set_planes(z, i, v, m, neg);
  return true;
}

/* ---- widths ---- */
static bool lower_wrap(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  uint32_t m = i->at.bits;
  bool neg = mpz_sgn(i->res[0]->ty.range->lo) < 0;
  const bits_form *f = &z->form[x->id];
  ir_value *v;
  if (in_field(z, i) && !neg && m < width_of(x) && width_of(x) < 2 * m) {
    bits_set_field(z, i, without_high(z, x, m));
    return true;
  }
  if (f->planes || width_of(x) <= m)
    v = bits_operand(z, x, m, x->ty.lanes);
  else
    v = gd_to_bits(&z->g, bits_field(z, x), x->ty.range, m);
  bits_set_planes(z, i, v, m, neg);
  return true;
}

static bool lower_digits(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  uint32_t m = i->at.bits;
  ir_value *v = bits_operand(z, x, m, x->ty.lanes);
  bits_set_planes(z, i, gd_digits(&z->g, x->ty.lanes, v, m), 1, false);
  return true;
}

static bool lower_onehot(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  /* the planes of a negative place are none that there is */
  while (neg && m < 64 && (i->at.inner - 1) >> (m - 1)) m++;
  ir_value *v = bits_operand(z, x, m, x->ty.lanes);
  bits_set_planes(z, i, gd_onehot(&z->g, x->ty.lanes, v, m, i->at.inner), 1,
                  false);
  return true;
}

/* ---- division ---- */
/* x + c fits, so that the offset of gd_div_const does. */
static bool divides_const(const bits_pass *z, const ir_inst *i,
                          mpz_srcptr *by) {
  if (!ir_is_const(i->arg[1], by) || !mpz_sgn(*by)) return false;
  const ir_range *r = i->arg[0]->ty.range;
  mpz_t t;
  mpz_init(t);
  mpz_sub(t, r->hi, r->lo);
  mpz_addmul_ui(t, *by, mpz_sgn(*by) > 0 ? 3 : 0);
  mpz_submul_ui(t, *by, mpz_sgn(*by) < 0 ? 3 : 0);
  bool fits = ir_in_field(z->m, t);
  mpz_clear(t);
  return fits;
}

static bool lower_divide(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1], *q, *r;
  gadget *g = &z->g;
  uint64_t lanes = i->res[0]->ty.lanes;
  mpz_srcptr c;
  bool known = !is_share(y) && gd_divides_public(g, x->ty.range, y->ty.range);
  bool planes = i->op == OP_DIV && !(z->wants[i->res[0]->id] & BITS_FIELD);
  if (!(known && planes) && is_share(x) && divides_const(z, i, &c)) {
    x = bits_field(z, x);
    q = gd_div_const(g, x, c);
    if (i->op == OP_MOD)
      q = gd_arith(g, OP_SUB, x,
                   gd_arith(g, OP_MUL, q, ir_const(&g->b, DOM_P, c, 1)));
    bits_set_field(z, i, ir_splat(&g->b, q, lanes));
    return true;
  }
  bool xneg, yneg;
  uint32_t n = gd_width(x->ty.range, &xneg), d = gd_width(y->ty.range, &yneg);
  if (known) {
    x = bits_field(z, x);
    q = gd_div_public(g, x, y, lanes, &n);
    if (i->op == OP_DIV) {
      bits_set_planes(z, i, q, n, false);
    } else {
      if (y->ty.dom == DOM_Z) y = ir_op1(&g->b, OP_ENC, y);
      q = gd_to_field(g, q, lanes, n, false, ir_range_bits(z->m, n, false));
      bits_set_field(z, i, gd_arith(g, OP_SUB, x, gd_arith(g, OP_MUL, q, y)));
    }
    return true;
  }
  const ir_range *ry = y->ty.range;
  bool by_zero = is_share(y) && mpz_sgn(ry->lo) <= 0 && mpz_sgn(ry->hi) >= 0;
  gd_divide(g, lanes, bits_operand(z, x, n, lanes), n, xneg,
            bits_operand(z, y, d, lanes), d, yneg, by_zero, &q, &r);
  uint32_t nr = d + xneg;
  if (by_zero && nr < n) nr = n;
  if (i->op == OP_DIV)
    bits_set_planes(z, i, q, n + (xneg || yneg), xneg || yneg);
  else
    bits_set_planes(z, i, r, nr, xneg);
  return true;
}

static bool lower_isqrt(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  uint32_t m = width_of(x);
  ir_value *v = gd_isqrt(&z->g, x->ty.lanes,
                         bits_operand(z, x, m, x->ty.lanes), m);
  bits_set_planes(z, i, v, (m + 1) / 2, false);
  return true;
}

/* Of 0/1 that are planes. */
static bool lower_sum(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *r = i->res[0];
  if (!gd_is_bool(x) || !bits_native(z, x) || i->at.inner < 2) return false;
  bits_set_field(z, i, gd_count(&z->g, bits_planes(z, x), r->ty.lanes,
                                i->at.inner, r->ty.range));
  return true;
}

static bool lower_product(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  if (!gd_is_bool(x) || !bits_native(z, x)) return false;
  bits_set_planes(
      z, i, pass_product_tree(&z->g.b, bits_planes(z, x), i->at.inner), 1,
      false);
  return true;
}

/* ---- what follows its operands ---- */
static void with_planes(ir_dim *d, const ir_inst *i, uint32_t m, uint64_t of) {
  d[0] = (ir_dim){m, (int64_t)of};
  for (uint32_t k = 0; k < i->at.ndim; k++) d[k + 1] = i->at.dim[k];
}

/* Do the turns of loops read a good part of x, which stands before them, and
 * want it in the field?  Then it is put there once, and no turn waits for it. */
static bool read_in_turns(const bits_pass *z, const ir_inst *i) {
  const ir_value *x = i->arg[0];
  uint64_t lanes = i->res[0]->ty.lanes, turns;
  bool loop = false;
  if (z->wants[i->res[0]->id] != BITS_FIELD) return false;
  for (const ir_block *b = i->block; b != x->block; b = b->owner->block) {
    if (b->owner->op == OP_IF) continue;
    if (!pass_trip(b->owner, &turns)) return false;
    if (__builtin_mul_overflow(lanes, turns, &lanes)) lanes = UINT64_MAX;
    loop = true;
  }
  return loop && lanes >= x->ty.lanes / 16;
}

static bool lower_view(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  if (!bits_native(z, x) || read_in_turns(z, i)) return false;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg), nd = i->at.ndim + 1;
  ir_dim *d = ARENA_ARR(z->g.a, ir_dim, nd);
  with_planes(d, i, m, x->ty.lanes);
  ir_value *p = bits_planes(z, x);
  p = i->op == OP_VIEW ? pass_view(&z->g.b, p, i->at.off, d, nd)
                       : ir_get(&z->g.b, p, i->arg[1], i->at.off, d, nd);
  bits_set_planes(z, i, p, m, neg);
  return true;
}

static bool lower_put(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *r = i->res[0];
  if (!all_native(z, i->arg, 2)) return false;
  bool neg;
  uint32_t m = gd_width(r->ty.range, &neg), nd = i->at.ndim + 1;
  ir_dim *d = ARENA_ARR(z->g.a, ir_dim, nd);
  with_planes(d, i, m, x->ty.lanes);
  ir_value *part = bits_operand(z, i->arg[1], m, i->arg[1]->ty.lanes);
  ir_value *v = ir_put(&z->g.b, bits_operand(z, x, m, x->ty.lanes), part,
                       i->arg[2], i->at.off, d, nd);
  bits_set_planes(z, i, v, m, neg);
  return true;
}

/* Row r of plane j is row index[r] + j * rows. */
static bool lower_gather(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0], *at = i->arg[1];
  if (!bits_native(z, x)) return false;
  gadget *g = &z->g;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  uint64_t lanes = at->ty.lanes;
  if (m > 1) {
    ir_dim again[2] = {{m, 0}, {lanes, 1}}, plane[2] = {{m, 1}, {lanes, 0}};
    ir_value *base = ir_op2(
        &g->b, OP_MUL, ir_iota(&g->b, m),
        ir_const_si(&g->b, DOM_Z, (int64_t)(x->ty.lanes / i->at.inner), 1));
    at = ir_op2(&g->b, OP_ADD, pass_view(&g->b, at, 0, again, 2),
                pass_view(&g->b, base, 0, plane, 2));
  }
  ir_value *v = ir_gather_rows(&g->b, bits_planes(z, x), at, i->at.inner);
  bits_set_planes(z, i, v, m, neg);
  return true;
}

static bool lower_settle(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  if (!bits_native(z, x)) return false;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  bits_set_planes(z, i, ir_op1(&z->g.b, OP_SETTLE, bits_planes(z, x)), m, neg);
  return true;
}

/* A public bit is hidden in the form that is wanted; both cost nothing. */
static bool lower_hide(bits_pass *z, ir_inst *i) {
  ir_value *x = bits_field(z, i->arg[0]), *r = i->res[0];
  if (!gd_is_bool(r) || !(z->wants[r->id] & BITS_PLANES)) return false;
  ir_value *field = ir_op1(&z->g.b, OP_HIDE, x);
  bits_set_planes(z, i, gd_public_bits(&z->g, x, 1), 1, false);
  z->form[r->id].field = field;
  return true;
}

static bool lower_concat(bits_pass *z, ir_inst *i) {
  if (!all_native(z, i->arg, i->narg)) return false;
  gadget *g = &z->g;
  bool neg;
  uint32_t m = gd_width(i->res[0]->ty.range, &neg), n = 0;
  ir_value **part = ARENA_ARR(z->g.a, ir_value *, (size_t)m * i->narg + 1);
  ir_value **p = ARENA_ARR(z->g.a, ir_value *, i->narg + 1);
  for (uint32_t k = 0; k < i->narg; k++)
    p[k] = bits_operand(z, i->arg[k], m, i->arg[k]->ty.lanes);
  for (uint32_t j = 0; j < m; j++)
    for (uint32_t k = 0; k < i->narg; k++)
      part[n++] = gd_planes(g, p[k], i->arg[k]->ty.lanes, j, 1);
  bits_set_planes(z, i, gd_cat(g, part, n), m, neg);
  return true;
}

static bool lower_assume(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  if (bits_native(z, x)) { /* what is known does without the check */
    bool neg;
    uint32_t m = gd_width(x->ty.range, &neg);
    bits_set_planes(z, i, bits_planes(z, x), m, neg);
    return true;
  }
  if (i->narg < 2 || !is_share(i->arg[1])) return false;
  bits_set_field(z, i,
                 ir_assume(&z->g.b, bits_field(z, x),
                           ir_const_si(&z->g.b, DOM_Z, 0, 1),
                           i->res[0]->ty.range));
  return true;
}

static bool lower_open(bits_pass *z, ir_inst *i) {
  ir_value *x = i->arg[0];
  gadget *g = &z->g;
  if (!bits_native(z, x)) return false;
  bool neg;
  uint32_t m = gd_width(x->ty.range, &neg);
  ir_value *v = ir_op1(&g->b, OP_OPEN, bits_planes(z, x));
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, x->ty.lanes,
                     ir_range_bits(z->m, m, false));
  ir_inst *p = ir_emit(&g->b, OP_PACK, &v, 1, &ty, 1);
  p->at.bits = m;
  v = p->res[0];
  if (neg) v = ir_ranged(&g->b, OP_WRAP, v, ir_range_bits(z->m, m, true));
  bits_set_field(z, i, ir_op1(&g->b, OP_ENC, gd_fit(g, v, x->ty.range)));
  return true;
}

bool bits_lower(bits_pass *z, ir_inst *i) {
  static bool (*const table[OP_COUNT])(bits_pass *, ir_inst *) = {
      [OP_EQ] = lower_compare,     [OP_LT] = lower_compare,
      [OP_LE] = lower_compare,     [OP_AND] = lower_bitwise,
      [OP_OR] = lower_bitwise,     [OP_XOR] = lower_bitwise,
      [OP_SHL] = lower_shift,      [OP_SHR] = lower_shift,
      [OP_WRAP] = lower_wrap,      [OP_DIGITS] = lower_digits,
      [OP_ONEHOT] = lower_onehot,  [OP_DIV] = lower_divide,
      [OP_MOD] = lower_divide,     [OP_ISQRT] = lower_isqrt,
  };
  static bool (*const follow[OP_COUNT])(bits_pass *, ir_inst *) = {
      [OP_SELECT] = lower_select, [OP_MUL] = lower_mul,
      [OP_SUB] = lower_sub,       [OP_VIEW] = lower_view,
      [OP_GET] = lower_view,      [OP_PUT] = lower_put,
      [OP_GATHER] = lower_gather, [OP_CONCAT] = lower_concat,
      [OP_ASSUME] = lower_assume, [OP_OPEN] = lower_open,
      [OP_SUM] = lower_sum,       [OP_PROD] = lower_product,
      [OP_SETTLE] = lower_settle, [OP_HIDE] = lower_hide,
  };
  if (follow[i->op]) return follow[i->op](z, i);
  return ir_is_typed(i) && table[i->op] && table[i->op](z, i);
}
