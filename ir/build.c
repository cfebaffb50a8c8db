/* Typed construction: each helper computes the type of its result. */
#include <string.h>

#include "ir/ir.h"

static ir_value *emit1(ir_builder *b, ir_op op, ir_value **arg, uint32_t narg,
                       ir_type ty) {
  return ir_emit(b, op, arg, narg, &ty, 1)->res[0];
}

/* ---- axes ---- */
uint64_t ir_dims_lanes(const ir_dim *d, uint32_t nd) {
  uint64_t n = 1;
  for (uint32_t k = 0; k < nd; k++)
    if (__builtin_mul_overflow(n, d[k].n, &n)) return UINT64_MAX;
  return n;
}

bool ir_dims_extent(const ir_dim *d, uint32_t nd, int64_t *lo, int64_t *hi) {
  *lo = *hi = 0;
  for (uint32_t k = 0; k < nd; k++) {
    int64_t reach;
    if (d[k].n == 0 || d[k].n > INT64_MAX ||
        __builtin_mul_overflow((int64_t)(d[k].n - 1), d[k].stride, &reach))
      return false;
    int64_t *end = reach < 0 ? lo : hi;
    if (__builtin_add_overflow(*end, reach, end)) return false;
  }
  return true;
}

/* Never NULL, so that axes may be copied without a look at their number. */
static const ir_dim *dims_copy(ir_module *m, const ir_dim *d, uint32_t nd) {
  static const ir_dim none;
  if (!nd) return &none;
  ir_dim *c = ARENA_ARR(m->a, ir_dim, nd);
  memcpy(c, d, nd * sizeof *d);
  return c;
}

static void set_dims(ir_builder *b, ir_value *v, int64_t off, const ir_dim *d,
                     uint32_t nd) {
  v->def->at.off = off;
  v->def->at.dim = dims_copy(b->m, d, nd);
  v->def->at.ndim = nd;
}

/* ---- meeting of domains and kinds ---- */
static ir_value *to_p(ir_builder *b, ir_value *x) {
  if (x->ty.dom != DOM_Z) return x;
  return emit1(b, OP_ENC, &x, 1,
               ir_ty(DOM_P, KIND_PUB, x->ty.lanes, x->ty.range));
}

static ir_value *to_kind(ir_builder *b, ir_value *x, ir_kind k) {
  ir_type ty = x->ty;
  if (ty.kind < KIND_SH && k >= KIND_SH) {
    ty.kind = KIND_SH;
    x = emit1(b, OP_HIDE, &x, 1, ty);
  }
  if (ty.kind < KIND_PROD && k >= KIND_PROD) {
    ty.kind = KIND_PROD;
    x = emit1(b, OP_LIFT, &x, 1, ty);
  }
  return x;
}

static void same_domain(ir_builder *b, ir_value **x, ir_value **y) {
  if ((*x)->ty.dom == (*y)->ty.dom) return;
  *x = to_p(b, *x);
  *y = to_p(b, *y);
}

/* Only pub may stand beside sh or prod in a linear op. */
static void lift_beside(ir_builder *b, ir_value **x, ir_value **y) {
  if ((*x)->ty.kind == KIND_PROD && (*y)->ty.kind == KIND_SH)
    *y = to_kind(b, *y, KIND_PROD);
  if ((*y)->ty.kind == KIND_PROD && (*x)->ty.kind == KIND_SH)
    *x = to_kind(b, *x, KIND_PROD);
}

static uint64_t wider(const ir_value *x, const ir_value *y) {
  return x->ty.lanes > y->ty.lanes ? x->ty.lanes : y->ty.lanes;
}

static ir_kind join(ir_kind a, ir_kind b) { return a > b ? a : b; }

/* ---- constants ---- */
ir_value *ir_const(ir_builder *b, ir_dom d, mpz_srcptr v, uint64_t lanes) {
  ir_value *c = emit1(b, OP_CONST, NULL, 0,
                      ir_ty(d, KIND_PUB, lanes,
                            d == DOM_B ? NULL : ir_range_get(b->m, v, v)));
  c->def->at.imm = ir_mpz(b->m, v);
  return c;
}

ir_value *ir_const_si(ir_builder *b, ir_dom d, int64_t v, uint64_t lanes) {
  mpz_t z;
  mpz_init_set_si(z, v);
  ir_value *c = ir_const(b, d, z, lanes);
  mpz_clear(z);
  return c;
}

ir_value *ir_iota(ir_builder *b, uint64_t lanes) {
  return emit1(b, OP_IOTA, NULL, 0,
               ir_ty(DOM_Z, KIND_PUB, lanes,
                     ir_range_si(b->m, 0, (int64_t)lanes - 1)));
}

/* ---- arithmetic ---- */
static ir_type finished(ir_builder *b, const ir_inst *i, ir_type ty) {
  ty.range = ir_inst_range(b->m, i);
  return ty;
}

static ir_value *emit_ranged(ir_builder *b, ir_op op, ir_value **arg,
                             uint32_t narg, ir_type ty, uint64_t inner) {
  ir_value *v = emit1(b, op, arg, narg, ty);
  v->def->at.inner = inner;
  v->ty = finished(b, v->def, ty);
  return v;
}

ir_value *ir_op1(ir_builder *b, ir_op op, ir_value *x) {
  ir_type ty = x->ty;
  switch (op) {
  case OP_ENC: ty.dom = DOM_P; break;
  case OP_HIDE: x = to_p(b, x); ty = x->ty; ty.kind = KIND_SH; break;
  case OP_LIFT: ty.kind = KIND_PROD; break;
  case OP_REDUCE: ty.kind = KIND_SH; break;
  case OP_OPEN: ty.kind = KIND_PUB; break;
  case OP_INV: x = to_p(b, x); ty = x->ty; break;
  default: break;
  }
  return emit_ranged(b, op, &x, 1, ty, 0);
}

static ir_kind product_kind(const ir_module *m, ir_kind a, ir_kind b) {
  if (a == KIND_SH && b == KIND_SH)
    return m->stage == IR_HIGH ? KIND_SH : KIND_PROD;
  return join(a, b);
}

static bool is_share(const ir_value *x) { return x->ty.kind == KIND_SH; }

ir_value *ir_op2(ir_builder *b, ir_op op, ir_value *x, ir_value *y) {
  bool shift = op == OP_SHL || op == OP_SHR;
  if (shift && is_share(y)) x = to_p(b, x);
  if (!shift) same_domain(b, &x, &y);
  if (ir_ops[op].rule == RULE_LINEAR) lift_beside(b, &x, &y);
  ir_type ty = ir_ty(x->ty.dom, join(x->ty.kind, y->ty.kind), wider(x, y),
                     NULL);
  if (ir_ops[op].rule == RULE_ZBOOL && ty.kind == KIND_PUB) ty.dom = DOM_Z;
  if (op == OP_MUL) ty.kind = product_kind(b->m, x->ty.kind, y->ty.kind);
  ir_value *arg[2] = {x, y};
  return emit_ranged(b, op, arg, 2, ty, 0);
}

ir_value *ir_select(ir_builder *b, ir_value *c, ir_value *x, ir_value *y) {
  same_domain(b, &x, &y);
  ir_kind kind = join(x->ty.kind, y->ty.kind);
  if (is_share(c)) {
    x = to_p(b, x);
    y = to_p(b, y);
    kind = KIND_SH;
  }
  lift_beside(b, &x, &y);
  uint64_t lanes = wider(x, y);
  if (c->ty.lanes > lanes) lanes = c->ty.lanes;
  ir_value *arg[3] = {c, x, y};
  return emit_ranged(b, OP_SELECT, arg, 3,
                     ir_ty(x->ty.dom, kind, lanes, NULL), 0);
}

ir_value *ir_digits(ir_builder *b, ir_value *x, uint32_t bits) {
  ir_value *v = emit1(b, OP_DIGITS, &x, 1,
                      ir_ty(DOM_P, KIND_SH, x->ty.lanes * bits,
                            ir_range_si(b->m, 0, 1)));
  v->def->at.bits = bits;
  return v;
}

ir_value *ir_onehot(ir_builder *b, ir_value *x, uint64_t places) {
  ir_value *v = emit1(b, OP_ONEHOT, &x, 1,
                      ir_ty(DOM_P, KIND_SH, x->ty.lanes * places,
                            ir_range_si(b->m, 0, 1)));
  v->def->at.inner = places;
  return v;
}

ir_value *ir_perm(ir_builder *b, unsigned turn) {
  ir_value *v = emit1(b, OP_PERM, NULL, 0,
                      ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(b->m, 0, 0)));
  v->def->at.off = turn;
  v->ty.range = ir_inst_range(b->m, v->def);
  return v;
}

ir_value *ir_shuffle(ir_builder *b, ir_op op, ir_value *x, ir_value *perm,
                     uint64_t row) {
  x = to_p(b, x);
  if (x->ty.kind == KIND_PUB) x = ir_op1(b, OP_HIDE, x);
  ir_value *arg[2] = {x, perm};
  return emit_ranged(b, op, arg, 2, x->ty, row);
}

ir_value *ir_fold(ir_builder *b, ir_op op, ir_value *x, uint64_t inner) {
  if (inner <= 1) return x;
  ir_type ty = x->ty;
  ty.lanes = ty.lanes / inner;
  return emit_ranged(b, op, &x, 1, ty, inner);
}

/* ---- lanes ---- */
/* Does the view give its operand unchanged? */
static bool is_identity(const ir_value *x, int64_t off, const ir_dim *d,
                        uint32_t nd) {
  if (off || ir_dims_lanes(d, nd) != x->ty.lanes) return false;
  uint64_t step = 1;
  for (uint32_t k = nd; k--; step *= d[k].n)
    if (d[k].n != 1 && d[k].stride != (int64_t)step) return false;
  return true;
}

ir_value *ir_view(ir_builder *b, ir_value *x, int64_t off, const ir_dim *d,
                  uint32_t nd) {
  if (is_identity(x, off, d, nd)) return x;
  ir_type ty = x->ty;
  ty.lanes = ir_dims_lanes(d, nd);
  ir_value *v = emit1(b, OP_VIEW, &x, 1, ty);
  set_dims(b, v, off, d, nd);
  return v;
}

ir_value *ir_splat(ir_builder *b, ir_value *x, uint64_t lanes) {
  ir_dim d = {lanes, 0};
  return x->ty.lanes == lanes ? x : ir_view(b, x, 0, &d, 1);
}

ir_value *ir_get(ir_builder *b, ir_value *x, ir_value *off, int64_t plus,
                 const ir_dim *d, uint32_t nd) {
  ir_type ty = x->ty;
  ty.lanes = ir_dims_lanes(d, nd);
  ir_value *arg[2] = {x, off};
  ir_value *v = emit1(b, OP_GET, arg, 2, ty);
  set_dims(b, v, plus, d, nd);
  return v;
}

ir_value *ir_gather(ir_builder *b, ir_value *x, ir_value *idx) {
  return ir_gather_rows(b, x, idx, 1);
}

ir_value *ir_gather_rows(ir_builder *b, ir_value *x, ir_value *idx,
                         uint64_t inner) {
  ir_type ty = x->ty;
  ty.lanes = idx->ty.lanes * inner;
  ir_value *arg[2] = {x, idx};
  ir_value *v = emit1(b, OP_GATHER, arg, 2, ty);
  v->def->at.inner = inner;
  return v;
}

ir_value *ir_put(ir_builder *b, ir_value *x, ir_value *part, ir_value *off,
                 int64_t plus, const ir_dim *d, uint32_t nd) {
  same_domain(b, &x, &part);
  ir_kind k = join(x->ty.kind, part->ty.kind);
  uint64_t lanes = ir_dims_lanes(d, nd);
  x = to_kind(b, x, k);
  part = to_kind(b, part, k);
  if (part->ty.lanes == 1 && lanes > 1) part = ir_splat(b, part, lanes);
  ir_value *arg[3] = {x, part, off};
  ir_value *v = emit_ranged(b, OP_PUT, arg, 3, x->ty, 0);
  set_dims(b, v, plus, d, nd);
  return v;
}

ir_value *ir_concat(ir_builder *b, ir_value **x, uint32_t n) {
  if (n == 1) return x[0];
  ir_value **arg = ARENA_ARR(b->m->a, ir_value *, n ? n : 1);
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, 0, NULL);
  for (uint32_t k = 0; k < n; k++) {
    if (x[k]->ty.dom != DOM_Z) ty.dom = x[k]->ty.dom;
    ty.kind = join(ty.kind, x[k]->ty.kind);
    ty.lanes += x[k]->ty.lanes;
  }
  for (uint32_t k = 0; k < n; k++)
    arg[k] = to_kind(b, ty.dom == DOM_P ? to_p(b, x[k]) : x[k], ty.kind);
  return emit_ranged(b, OP_CONCAT, arg, n, ty, 0);
}

/* ---- conversions and effects ---- */
/* The width whose interval holds r. */
static uint32_t wrap_bits(const ir_range *r) {
  size_t hi = mpz_sgn(r->hi) > 0 ? mpz_sizeinbase(r->hi, 2) : 0;
  if (mpz_sgn(r->lo) >= 0) return (uint32_t)hi;
  mpz_t t;
  mpz_init(t);
  mpz_com(t, r->lo); /* -lo - 1 */
  size_t lo = mpz_sgn(t) ? mpz_sizeinbase(t, 2) : 0;
  mpz_clear(t);
  return (uint32_t)(lo > hi ? lo : hi) + 1;
}

ir_value *ir_ranged(ir_builder *b, ir_op op, ir_value *x, const ir_range *r) {
  ir_type ty = x->ty;
  ty.range = r;
  if (op == OP_DEC) ty.dom = DOM_Z;
  ir_value *v = emit1(b, op, &x, 1, ty);
  if (op == OP_WRAP) {
    v->def->at.bits = wrap_bits(r);
    v->ty.range = ir_range_bits(b->m, v->def->at.bits, mpz_sgn(r->lo) < 0);
  }
  return v;
}

ir_value *ir_input(ir_builder *b, const ir_leaf *leaf, ir_type ty) {
  const char *name = ir_leaf_add(b->m, false, leaf)->name;
  ir_value *v = emit1(b, OP_INPUT, NULL, 0, ty);
  v->def->at.name = v->name = name;
  return v;
}

void ir_output(ir_builder *b, const ir_leaf *leaf, ir_value *x) {
  const char *name = ir_leaf_add(b->m, true, leaf)->name;
  ir_emit(b, OP_OUTPUT, &x, 1, NULL, 0)->at.name = name;
}

void ir_tell(ir_builder *b, const ir_leaf *leaf, ir_value *x, ir_value *id) {
  const char *name = ir_leaf_add(b->m, true, leaf)->name;
  ir_value *arg[2] = {to_kind(b, to_p(b, x), KIND_SH), id};
  ir_emit(b, OP_TELL, arg, 2, NULL, 0)->at.name = name;
}

ir_value *ir_assume(ir_builder *b, ir_value *x, ir_value *guard,
                    const ir_range *r) {
  ir_value *arg[2] = {x, guard};
  ir_type ty = x->ty;
  ty.range = r;
  return emit1(b, OP_ASSUME, arg, guard ? 2 : 1, ty);
}

void ir_check(ir_builder *b, ir_value *cond, const char *message) {
  ir_emit(b, OP_CHECK, &cond, 1, NULL, 0)->at.message =
      arena_strdup(b->m->a, message);
}
