/* The bits of integers >= 0, as lanes: bit i of lane l is lane l * bits + i. */
#include "frontend/lower.h"

ir_value *digits_of(lo *l, ir_value *v, unsigned bits) {
  const ival *iv = ival_unsigned(l->u->iv, bits);
  if (v->ty.dom == DOM_P)
    return ir_digits(&l->b, within(l, v, iv), bits);
  uint64_t n = v->ty.lanes;
  ir_dim dv[2] = {{n, 1}, {bits, 0}}, di[2] = {{n, 0}, {bits, 1}};
  ir_value *place = ir_view(&l->b, ir_iota(&l->b, bits), 0, di, 2);
  v = ir_op2(&l->b, OP_SHR, ir_view(&l->b, v, 0, dv, 2), place);
  return ir_op2(&l->b, OP_AND, v, z_si(l, 1));
}

ir_value *from_digits(lo *l, ir_value *v, unsigned bits) {
  if (bits == 1) return v;
  mpz_srcptr *w = ARENA_ARR(l->a, mpz_srcptr, bits);
  mpz_t one, p;
  mpz_init_set_ui(one, 1);
  mpz_init(p);
  for (unsigned i = 0; i < bits; i++) {
    mpz_mul_2exp(p, one, i);
    w[i] = ir_mpz(l->m, p);
  }
  ir_type t = ir_ty(DOM_Z, KIND_PUB, bits, ir_range_get(l->m, w[0], p));
  mpz_clear(one);
  mpz_clear(p);
  ir_inst *in = ir_emit(&l->b, OP_TABLE, NULL, 0, &t, 1);
  in->at.table = w;
  ir_dim d[2] = {{v->ty.lanes / bits, 0}, {bits, 1}};
  ir_value *weight = ir_view(&l->b, in->res[0], 0, d, 2);
  v = ir_fold(&l->b, OP_SUM, ir_op2(&l->b, OP_MUL, v, weight), bits);
  return within(l, v, ival_unsigned(l->u->iv, bits));
}

ir_value *popcount(lo *l, ir_value *v, unsigned bits) {
  return ir_fold(&l->b, OP_SUM, digits_of(l, v, bits), bits);
}

/* ---- rotation ---- */

/* Bit i of the result is bit i + off modulo the width, off in 0 .. bits. */
static ir_value *turned(lo *l, ir_value *d, unsigned bits, ir_value *off,
                        unsigned fixed) {
  uint64_t n = d->ty.lanes / bits;
  ir_dim twice[3] = {{n, bits}, {2, 0}, {bits, 1}};
  ir_dim part[2] = {{n, 2 * (int64_t)bits}, {bits, 1}};
  d = ir_view(&l->b, d, 0, twice, 3);
  return off ? ir_get(&l->b, d, off, 0, part, 2)
             : ir_view(&l->b, d, (int64_t)fixed, part, 2);
}

/* A share's count: turned by each power of two that it has, or not. */
static ir_value *turned_by_share(lo *l, ir_value *d, unsigned bits,
                                 ir_value *k, bool left) {
  unsigned n = (unsigned)mpz_sizeinbase(k->ty.range->hi, 2);
  ir_value *has = digits_of(l, k, n);
  uint64_t step = 1 % bits;
  for (unsigned j = 0; j < n; j++, step = 2 * step % bits) {
    if (!step) continue;
    ir_dim one = {1, 1};
    ir_value *t = turned(l, d, bits, NULL,
                         (unsigned)(left ? bits - step : step));
    d = ir_select(&l->b, ir_view(&l->b, has, j, &one, 1), t, d);
  }
  return d;
}

ir_value *rotated(lo *l, ir_value *x, unsigned bits, ir_value *k, bool left) {
  ir_value *d = digits_of(l, x, bits);
  if (k->ty.kind == KIND_SH) {
    d = turned_by_share(l, d, bits, typed_operand(l, k, true), left);
    return from_digits(l, d, bits);
  }
  mpz_srcptr c;
  if (ir_is_const(k, &c)) {
    unsigned r = (unsigned)mpz_fdiv_ui(c, bits);
    d = turned(l, d, bits, NULL, left ? bits - r : r);
  } else {
    ir_value *m = ir_op2(&l->b, OP_MOD, k, z_si(l, bits));
    if (left) m = ir_op2(&l->b, OP_SUB, z_si(l, bits), m);
    d = turned(l, d, bits, m, 0);
  }
  return from_digits(l, d, bits);
}
