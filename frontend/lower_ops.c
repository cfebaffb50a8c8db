/* Operators on leaves. */
#include <string.h>

#include "frontend/lower.h"

static bool any_share(const ir_value *x, const ir_value *y) {
  return x->ty.kind == KIND_SH || y->ty.kind == KIND_SH;
}

/* Shares whose ranges decide. */
static ir_value *known_order(lo *l, node_op op, const ir_value *x,
                             const ir_value *y) {
  const ir_range *a = x->ty.range, *b = y->ty.range;
  if (!a || !b) return NULL;
  bool below = mpz_cmp(a->hi, b->lo) < 0, above = mpz_cmp(a->lo, b->hi) > 0;
  bool most = mpz_cmp(a->hi, b->lo) <= 0, least = mpz_cmp(a->lo, b->hi) >= 0;
  int k = -1;
  switch (op) {
  case O_EQ: k = below || above ? 0 : -1; break;
  case O_NE: k = below || above ? 1 : -1; break;
  case O_LT: k = below ? 1 : least ? 0 : -1; break;
  case O_LE: k = most ? 1 : above ? 0 : -1; break;
  case O_GT: k = above ? 1 : most ? 0 : -1; break;
  default: k = least ? 1 : below ? 0 : -1; break;
  }
  uint64_t n = x->ty.lanes > y->ty.lanes ? x->ty.lanes : y->ty.lanes;
  return k < 0 ? NULL : ir_const_si(&l->b, DOM_Z, k, n);
}

ir_value *compare(lo *l, node_op op, ir_value *x, ir_value *y) {
  ir_builder *b = &l->b;
  if (any_share(x, y)) {
    x = typed_operand(l, x, false);
    y = typed_operand(l, y, false);
    ir_value *k = known_order(l, op, x, y);
    if (k) return k;
  }
  switch (op) {
  case O_EQ: return ir_op2(b, OP_EQ, x, y);
  case O_NE: return not_of(l, ir_op2(b, OP_EQ, x, y));
  case O_LT: return ir_op2(b, OP_LT, x, y);
  case O_LE: return ir_op2(b, OP_LE, x, y);
  case O_GT: return ir_op2(b, OP_LT, y, x);
  default: return ir_op2(b, OP_LE, y, x);
  }
}

static void check_divisor(lo *l, ir_value *y) {
  if (y->ty.range && (mpz_sgn(y->ty.range->lo) > 0 ||
                      mpz_sgn(y->ty.range->hi) < 0))
    return;
  ir_value *zero = ir_const_si(&l->b, y->ty.dom, 0, 1);
  check_that(l, not_of(l, ir_op2(&l->b, OP_EQ, y, zero)), "division by zero");
}

/* x beside a constant bool y; NULL if y is none. */
static ir_value *logic_const(lo *l, node_op op, ir_value *x, ir_value *y) {
  mpz_srcptr c;
  if (y->ty.lanes > x->ty.lanes || !ir_is_const(y, &c)) return NULL;
  bool one = mpz_sgn(c) != 0;
  switch (op) {
  case O_ANDAND:
  case O_AND: return one ? x : y;
  case O_OROR:
  case O_OR: return one ? y : x;
  default: return one == (op == O_EQ) ? x : not_of(l, x);
  }
}

/* Bools; on shares typed too, so that they may stay bits. */
ir_value *logic(lo *l, node_op op, ir_value *x, ir_value *y) {
  ir_builder *b = &l->b;
  bool z = x->ty.dom == DOM_Z && y->ty.dom == DOM_Z;
  if (!z) {
    ir_value *r = logic_const(l, op, x, y);
    if (!r) r = logic_const(l, op, y, x);
    if (r) return r;
  }
  if (op == O_ANDAND || op == O_AND) return ir_op2(b, OP_AND, x, y);
  if (op == O_OROR || op == O_OR) return ir_op2(b, OP_OR, x, y);
  if (z) return compare(l, op, x, y);
  ir_value *r = ir_op2(b, OP_XOR, x, y);
  return op == O_EQ ? not_of(l, r) : r;
}

/* The operator of a share and a divisor that may be 0. */
static ir_value *quotient(lo *l, ir_op op, ir_value *x, ir_value *y,
                          bool sec) {
  bool zero = mpz_sgn(y->ty.range->lo) <= 0 && mpz_sgn(y->ty.range->hi) >= 0;
  if (any_share(x, y)) {
    x = typed_operand(l, x, false);
    y = typed_operand(l, y, false);
  }
  if (y->ty.kind == KIND_SH)
    return ir_op2(&l->b, op, x, zero ? spared(l, y, 1) : y);
  if (!zero || (!sec && !l->guard)) {
    check_divisor(l, y);
    return ir_op2(&l->b, op, x, y);
  }
  ir_value *none = ir_op2(&l->b, OP_EQ, y, z_si(l, 0));
  note_that(l, not_of(l, none), "division by zero");
  ir_value *q = ir_op2(&l->b, op, x,
                       ir_select(&l->b, none, z_si(l, 1), y));
  return ir_select(&l->b, none, op == OP_DIV ? z_si(l, 0) : x, q);
}

/* Shares: x * 2^y is linear in x if y is public. */
static ir_value *bits_op(lo *l, ir_op op, ir_value *x, ir_value *y,
                         const ty *by) {
  bool shift = op == OP_SHL || op == OP_SHR;
  x = typed_operand(l, x, !shift);
  if (!shift || y->ty.kind == KIND_SH) y = typed_operand(l, y, true);
  if (shift && y->ty.kind == KIND_SH) y = narrowed(l, y, ty_elem(by)->iv);
  if (op == OP_SHL && y->ty.dom == DOM_Z)
    return ir_op2(&l->b, OP_MUL, x, ir_op2(&l->b, OP_SHL, z_si(l, 1), y));
  return ir_op2(&l->b, op, x, y);
}

ir_value *fixed_mul(lo *l, ir_value *x, ir_value *y, unsigned drop,
                    const ty *t) {
  return fixed_checked(l, scaled(l, ir_op2(&l->b, OP_MUL, x, y), -(int)drop),
                       t);
}

static ir_value *fixed_op(lo *l, node_op op, ir_value *x, const ty *ex,
                          ir_value *y, const ty *ey, const ty *t) {
  unsigned fx = ex->kind == T_FIXED ? ex->fbits : 0;
  unsigned fy = ey->kind == T_FIXED ? ey->fbits : 0;
  unsigned f = fx > fy ? fx : fy;
  if (op == O_MUL) return fixed_mul(l, x, y, fx + fy - f, t);
  if (op == O_DIV) {
    check_divisor(l, y);
    x = scaled(l, x, (int)(f + fy) - (int)fx);
    return fixed_checked(l, ir_op2(&l->b, OP_RDIV, x, y), t);
  }
  x = scaled(l, x, (int)(f - fx));
  y = scaled(l, y, (int)(f - fy));
  if (op == O_ADD || op == O_SUB)
    return fixed_checked(l, ir_op2(&l->b, op == O_ADD ? OP_ADD : OP_SUB, x, y),
                         t);
  return compare(l, op, x, y);
}

static ir_value *int_op(lo *l, node_op op, ir_value *x, ir_value *y,
                        const ty *t, const ty *by) {
  static const ir_op table[] = {
      [O_ADD] = OP_ADD, [O_SUB] = OP_SUB, [O_MUL] = OP_MUL, [O_DIV] = OP_DIV,
      [O_MOD] = OP_MOD, [O_AND] = OP_AND, [O_OR] = OP_OR,   [O_XOR] = OP_XOR,
      [O_SHL] = OP_SHL, [O_SHR] = OP_SHR};
  if (op >= O_EQ && op <= O_GE) return compare(l, op, x, y);
  ir_value *r;
  if (op == O_DIV || op == O_MOD) r = quotient(l, table[op], x, y, by->sec);
  else if (op >= O_AND && any_share(x, y)) r = bits_op(l, table[op], x, y, by);
  else r = ir_op2(&l->b, table[op], x, y);
  return narrowed(l, r, ty_elem(t)->iv);
}

static ir_value *field_op(lo *l, node_op op, ir_value *x, ir_value *y) {
  ir_builder *b = &l->b;
  if (x->ty.dom == DOM_Z) x = ir_op1(b, OP_ENC, x);
  if (y->ty.dom == DOM_Z) y = ir_op1(b, OP_ENC, y);
  switch (op) {
  case O_ADD: return ir_op2(b, OP_ADD, x, y);
  case O_SUB: return ir_op2(b, OP_SUB, x, y);
  case O_MUL: return ir_op2(b, OP_MUL, x, y);
  case O_DIV:
    check_divisor(l, y);
    return ir_op2(b, OP_MUL, x, ir_op1(b, OP_INV, y));
  default: return compare(l, op, x, y);
  }
}

lv binary(lo *l, const node *n, const ty *t, node_op op, lv x, lv y) {
  if (op == O_MATMUL) return lower_matmul(l, t, x, y);
  l->b.sp = n->sp;
  lv r = lv_new(l, t);
  const ty *ex = ty_elem(x.t), *ey = ty_elem(y.t);
  uint64_t dim[64];
  uint32_t nd = 0;
  broadcast(x.t, y.t, dim, &nd);
  ir_value *a = stretch(l, x.leaf[0], x.t, dim, nd);
  ir_value *b = stretch(l, y.leaf[0], y.t, dim, nd);
  if (ex->kind == T_BOOL && ey->kind == T_BOOL)
    r.leaf[0] = logic(l, op == O_XOR ? O_NE : op, a, b);
  else if (ex->kind == T_FIELD || ey->kind == T_FIELD)
    r.leaf[0] = field_op(l, op, a, b);
  else if (ex->kind == T_FIXED || ey->kind == T_FIXED)
    r.leaf[0] = fixed_op(l, op, a, ex, b, ey, ty_elem(t));
  else
    r.leaf[0] = int_op(l, op, a, b, t, type_at(l, n->kid[1]));
  r.leaf[0] = ir_splat(&l->b, r.leaf[0], ty_lanes(t));
  return r;
}

lv unary(lo *l, const node *n, lv x) {
  lv r = lv_new(l, type_at(l, n));
  l->b.sp = n->sp;
  if (n->op == O_NEG) r.leaf[0] = ir_op1(&l->b, OP_NEG, x.leaf[0]);
  else if (n->op == O_NOT) r.leaf[0] = not_of(l, x.leaf[0]);
  else {
    const ninfo *i = info_of(l->fr->in, n);
    r.leaf[0] = ir_op2(&l->b, OP_SUB, z_const(l, i->want->iv->hi), x.leaf[0]);
  }
  if (n->op == O_NEG && ty_elem(r.t)->kind == T_FIXED)
    r.leaf[0] = fixed_checked(l, r.leaf[0], ty_elem(r.t));
  return r;
}

/* ---- matrix product: views, products, one sum ---- */

lv lower_matmul(lo *l, const ty *t, lv x, lv y) {
  uint64_t k = y.t->dim[0];
  uint64_t n = x.t->ndim == 2 ? x.t->dim[0] : 1;
  uint64_t m = y.t->ndim == 2 ? y.t->dim[1] : 1;
  ir_dim dx[3] = {{n, (int64_t)k}, {m, 0}, {k, 1}};
  ir_dim dy[3] = {{n, 0}, {m, 1}, {k, (int64_t)m}};
  ir_value *a = ir_view(&l->b, x.leaf[0], 0, dx, 3);
  ir_value *b = ir_view(&l->b, y.leaf[0], 0, dy, 3);
  const ty *e = ty_elem(t), *ex = ty_elem(x.t), *ey = ty_elem(y.t);
  if (e->kind == T_FIELD) {
    if (a->ty.dom == DOM_Z) a = ir_op1(&l->b, OP_ENC, a);
    if (b->ty.dom == DOM_Z) b = ir_op1(&l->b, OP_ENC, b);
  }
  ir_value *v = ir_fold(&l->b, OP_SUM, ir_op2(&l->b, OP_MUL, a, b), k);
  if (e->kind == T_FIXED) { /* exact sum, rounded once */
    unsigned f = (ex->kind == T_FIXED ? ex->fbits : 0) +
                 (ey->kind == T_FIXED ? ey->fbits : 0);
    v = fixed_checked(l, scaled(l, v, (int)e->fbits - (int)f), e);
  } else {
    v = narrowed(l, v, e->iv);
  }
  lv r = lv_new(l, t);
  r.leaf[0] = v;
  return r;
}
