/* Identities of arithmetic, comparisons that ranges decide, chains of
 * constants, repeated addition as multiplication. */
#include "ir/pass/fold.h"

static bool is_si(const ir_value *v, long c) {
  mpz_srcptr z;
  return ir_is_const(v, &z) && !mpz_cmp_si(z, c);
}

static ir_value *spread(fold *f, ir_inst *i, ir_value *x) {
  ir_builder b = pass_before(f->m, i);
  return ir_splat(&b, x, i->res[0]->ty.lanes);
}

static bool is_bits(const ir_inst *i) { return i->res[0]->ty.dom == DOM_B; }

static ir_value *constant(fold *f, ir_inst *i, long c) {
  if (i->res[0]->ty.kind != KIND_PUB) return NULL;
  ir_builder b = pass_before(f->m, i);
  return ir_const_si(&b, i->res[0]->ty.dom, c, i->res[0]->ty.lanes);
}

/* ---- sums as coefficient times base ---- */
typedef struct term {
  ir_value *base;
  mpz_srcptr coef; /* NULL: 1 */
  bool neg;
} term;

static term split(ir_value *v) {
  term t = {v, NULL, false};
  if (v->def && v->def->op == OP_NEG) {
    t.neg = true;
    t.base = v = v->def->arg[0];
  }
  if (!v->def || v->def->op != OP_MUL) return t;
  for (uint32_t k = 0; k < 2; k++)
    if (ir_is_const(v->def->arg[k], NULL) &&
        v->def->arg[!k]->ty.lanes == v->ty.lanes) {
      ir_is_const(v->def->arg[k], &t.coef);
      t.base = v->def->arg[!k];
      return t;
    }
  return t;
}

static void coef(mpz_ptr out, const term *t) {
  if (t->coef)
    mpz_set(out, t->coef);
  else
    mpz_set_ui(out, 1);
  if (t->neg) mpz_neg(out, out);
}

/* x op y with a common base: (a +- b) * base. */
static ir_value *like_terms(fold *f, ir_inst *i) {
  term x = split(i->arg[0]), y = split(i->arg[1]);
  if (x.base != y.base || x.base->ty.lanes != i->res[0]->ty.lanes) return NULL;
  mpz_t a, b;
  mpz_inits(a, b, (mpz_ptr)NULL);
  coef(a, &x);
  coef(b, &y);
  if (i->op == OP_SUB)
    mpz_sub(a, a, b);
  else
    mpz_add(a, a, b);
  ir_value *v = NULL;
  ir_builder bd = pass_before(f->m, i);
  if (!mpz_cmp_ui(a, 1))
    v = x.base;
  else if (mpz_sgn(a) || i->res[0]->ty.kind == KIND_PUB)
    v = mpz_sgn(a) ? ir_op2(&bd, OP_MUL, x.base,
                            ir_const(&bd, x.base->ty.dom, a, 1))
                   : constant(f, i, 0);
  mpz_clears(a, b, (mpz_ptr)NULL);
  return v;
}

/* (x op c) op d with constants c, d becomes x op (c op d). */
static ir_value *constant_chain(fold *f, ir_inst *i) {
  mpz_srcptr d, c;
  for (uint32_t k = 0; k < 2; k++) {
    ir_inst *in = i->arg[!k]->def;
    if (!ir_is_const(i->arg[k], &d) || !in || in->op != i->op) continue;
    for (uint32_t j = 0; j < 2; j++) {
      ir_value *x = in->arg[!j];
      if (!ir_is_const(in->arg[j], &c)) continue;
      if (x->ty.lanes != i->res[0]->ty.lanes) continue;
      mpz_t e;
      mpz_init(e);
      if (i->op == OP_ADD)
        mpz_add(e, c, d);
      else
        mpz_mul(e, c, d);
      ir_builder b = pass_before(f->m, i);
      ir_dom dom = i->arg[k]->ty.dom;
      if (dom == DOM_B) mpz_fdiv_r_2exp(e, e, 1);
      ir_value *v = NULL; /* constants of the field stay below it */
      if (dom == DOM_Z || ir_in_field(f->m, e))
        v = ir_op2(&b, i->op, x, ir_const(&b, dom, e, 1));
      mpz_clear(e);
      return v;
    }
  }
  return NULL;
}

/* A constant that was hidden only to be of the kind of what it starts. */
static ir_value *hidden_constant(ir_value *v) {
  return v->def && v->def->op == OP_HIDE && ir_is_const(v->def->arg[0], NULL)
             ? v->def->arg[0]
             : NULL;
}

static ir_value *add(fold *f, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1];
  for (uint32_t k = 0; k < 2; k++) {
    ir_value *c = hidden_constant(i->arg[k]);
    if (!c || i->arg[!k]->ty.kind != KIND_SH || i->arg[!k] == i->arg[k])
      continue;
    if (c->ty.lanes != i->res[0]->ty.lanes && c->ty.lanes != 1) continue;
    if (hidden_constant(i->arg[!k])) continue;
    ir_builder b = pass_before(f->m, i);
    return ir_op2(&b, OP_ADD, i->arg[!k], c);
  }
  if (is_si(y, 0)) return spread(f, i, x);
  if (is_si(x, 0)) return spread(f, i, y);
  ir_builder b = pass_before(f->m, i);
  if (y->def && y->def->op == OP_NEG)
    return ir_op2(&b, OP_SUB, x, y->def->arg[0]);
  if (x->def && x->def->op == OP_NEG)
    return ir_op2(&b, OP_SUB, y, x->def->arg[0]);
  ir_value *v = constant_chain(f, i);
  if (v || !is_bits(i)) return v ? v : like_terms(f, i);
  return x == y ? constant(f, i, 0) : NULL;
}

static ir_value *sub(fold *f, ir_inst *i) {
  ir_value *x = i->arg[0], *y = i->arg[1];
  mpz_srcptr c;
  if (is_si(y, 0)) return spread(f, i, x);
  ir_builder b = pass_before(f->m, i);
  if (is_bits(i)) return ir_op2(&b, OP_ADD, x, y);
  if (is_si(x, 0)) return spread(f, i, ir_op1(&b, OP_NEG, y));
  if (y->def && y->def->op == OP_NEG)
    return ir_op2(&b, OP_ADD, x, y->def->arg[0]);
  if (ir_is_const(y, &c)) {
    mpz_t n;
    mpz_init(n);
    mpz_neg(n, c);
    ir_value *v =
        ir_op2(&b, OP_ADD, x, ir_const(&b, y->ty.dom, n, y->ty.lanes));
    mpz_clear(n);
    return v;
  }
  return like_terms(f, i);
}

static ir_value *mul(fold *f, ir_inst *i) {
  for (uint32_t k = 0; k < 2; k++) {
    ir_value *c = i->arg[k], *x = i->arg[!k];
    ir_builder b = pass_before(f->m, i);
    if (is_si(c, 1)) return spread(f, i, x);
    if (is_si(c, -1)) return spread(f, i, ir_op1(&b, OP_NEG, x));
    if (is_si(c, 0)) return constant(f, i, 0);
    ir_value *h = hidden_constant(c);
    if (h && is_si(h, 1) && x->ty.kind == KIND_SH && !hidden_constant(x) &&
        x->ty.lanes == i->res[0]->ty.lanes)
      return x;
  }
  if (is_bits(i) && i->arg[0] == i->arg[1]) return i->arg[0];
  return constant_chain(f, i);
}

/* sum(c * x) = c * sum(x) where c is the same in each group of lanes. */
static ir_value *sum(fold *f, ir_inst *i) {
  ir_value *x = i->arg[0];
  ir_builder b = pass_before(f->m, i);
  if (i->at.inner == 1) return x;
  mpz_srcptr c;
  if (ir_is_const(x, &c)) {
    mpz_t s;
    mpz_init(s);
    mpz_mul_ui(s, c, i->at.inner);
    if (is_bits(i)) mpz_fdiv_r_2exp(s, s, 1);
    ir_value *v = ir_const(&b, x->ty.dom, s, i->res[0]->ty.lanes);
    mpz_clear(s);
    return v;
  }
  ir_inst *d = x->def;
  if (d && d->op == OP_SUM)
    return ir_fold(&b, OP_SUM, d->arg[0], i->at.inner * d->at.inner);
  if (d && d->op == OP_NEG)
    return ir_op1(&b, OP_NEG, ir_fold(&b, OP_SUM, d->arg[0], i->at.inner));
  if (d && d->op == OP_VIEW && d->at.ndim) { /* sum of a splat */
    const ir_dim *last = &d->at.dim[d->at.ndim - 1];
    if (last->stride == 0 && last->n % i->at.inner == 0) {
      ir_dim *e = ARENA_ARR(f->a, ir_dim, d->at.ndim);
      for (uint32_t k = 0; k < d->at.ndim; k++) e[k] = d->at.dim[k];
      e[d->at.ndim - 1].n /= i->at.inner;
      ir_value *v = fold_view(f, &b, d->arg[0], d->at.off, e, d->at.ndim);
      uint64_t times = is_bits(i) ? i->at.inner & 1 : i->at.inner;
      ir_value *n = ir_const_si(&b, x->ty.dom, (int64_t)times, 1);
      return ir_op2(&b, OP_MUL, v, n);
    }
  }
  if (!d || d->op != OP_MUL || fold_uses(x) != 1) return NULL;
  for (uint32_t k = 0; k < 2; k++)
    if (d->arg[k]->ty.lanes == 1 && d->arg[!k]->ty.lanes == x->ty.lanes)
      return ir_op2(&b, OP_MUL, d->arg[k],
                    ir_fold(&b, OP_SUM, d->arg[!k], i->at.inner));
  return NULL;
}

/* ---- comparisons and bits ---- */
static ir_value *compare(fold *f, ir_inst *i) {
  const ir_value *x = i->arg[0], *y = i->arg[1];
  const ir_range *a = x->ty.range, *b = y->ty.range;
  if (x == y) return constant(f, i, i->op != OP_LT);
  if (x->ty.dom != DOM_Z) return NULL;
  bool less = mpz_cmp(a->hi, b->lo) < 0, more = mpz_cmp(a->lo, b->hi) > 0;
  if (i->op == OP_EQ) return less || more ? constant(f, i, 0) : NULL;
  if (less) return constant(f, i, 1);
  if (more) return constant(f, i, 0);
  if (i->op == OP_LE && mpz_cmp(a->hi, b->lo) == 0) return constant(f, i, 1);
  if (i->op == OP_LT && mpz_cmp(a->lo, b->hi) == 0) return constant(f, i, 0);
  return NULL;
}

static bool is_bit(const ir_value *v) {
  return mpz_sgn(v->ty.range->lo) >= 0 && mpz_cmp_ui(v->ty.range->hi, 1) <= 0;
}

static ir_value *bits(fold *f, ir_inst *i) {
  for (uint32_t k = 0; k < 2; k++) {
    ir_value *c = i->arg[k], *x = i->arg[!k];
    if (is_si(c, 0))
      return i->op == OP_AND ? constant(f, i, 0) : spread(f, i, x);
    if (is_si(c, 1) && is_bit(x)) {
      if (i->op == OP_AND) return spread(f, i, x);
      if (i->op == OP_OR) return constant(f, i, 1);
    }
  }
  if (i->arg[0] == i->arg[1])
    return i->op == OP_XOR ? constant(f, i, 0) : i->arg[0];
  return NULL;
}

/* v is the result plus a constant, NULL: plus 0. */
static ir_value *without_constant(ir_value *v, mpz_srcptr *c) {
  *c = NULL;
  if (v->def && v->def->op == OP_ADD)
    for (uint32_t k = 0; k < 2; k++)
      if (v->def->arg[!k]->ty.lanes == v->ty.lanes &&
          ir_is_const(v->def->arg[k], c))
        return v->def->arg[!k];
  return v;
}

/* Under a share c: select c, x + a, x + b = x + b + c (a - b). */
static ir_value *choose_constant(fold *f, ir_inst *i) {
  ir_value *c = i->arg[0], *y = i->arg[2];
  mpz_srcptr a, b;
  if (c->ty.kind != KIND_SH || i->res[0]->ty.dom != DOM_P ||
      y->ty.lanes != i->res[0]->ty.lanes || c->ty.lanes != y->ty.lanes ||
      without_constant(i->arg[1], &a) != without_constant(y, &b))
    return NULL;
  mpz_t d;
  mpz_init(d);
  if (a) mpz_set(d, a);
  if (b) mpz_sub(d, d, b);
  ir_value *v = NULL;
  if (ir_in_field(f->m, d)) {
    ir_builder bd = pass_before(f->m, i);
    v = ir_op2(&bd, OP_MUL, c, ir_const(&bd, DOM_P, d, 1));
    v = ir_op2(&bd, OP_ADD, y, v);
  }
  mpz_clear(d);
  return v;
}

static ir_value *select(fold *f, ir_inst *i) {
  ir_value *c = i->arg[0], *x = i->arg[1], *y = i->arg[2];
  if (x == y || is_si(c, 1)) return spread(f, i, x);
  if (is_si(c, 0)) return spread(f, i, y);
  if (i->res[0]->ty.dom == DOM_Z && is_si(x, 1) && is_si(y, 0))
    return spread(f, i, c);
  return choose_constant(f, i);
}

/* Dividing by what can only be 0: a check before it fails, and any value in
 * range may stand for what is never computed. */
static ir_value *divided(fold *f, ir_inst *i) {
  const ir_range *r = i->arg[1]->ty.range;
  ir_builder b = pass_before(f->m, i);
  if (is_si(i->arg[1], 1))
    return i->op == OP_MOD ? constant(f, i, 0) : spread(f, i, i->arg[0]);
  if (mpz_sgn(r->lo) || mpz_sgn(r->hi) || i->res[0]->ty.dom != DOM_Z)
    return NULL;
  return ir_const(&b, DOM_Z, i->res[0]->ty.range->lo, i->res[0]->ty.lanes);
}

static ir_value *within(const ir_inst *i) {
  ir_value *x = i->arg[0];
  return ir_range_within(x->ty.range, i->res[0]->ty.range) ? x : NULL;
}

static ir_value *dec(const fold *f, const ir_inst *i) {
  ir_inst *e = i->arg[0]->def;
  if (!e || e->op != OP_ENC) return NULL;
  ir_value *x = e->arg[0];
  return ir_range_in_field(f->m, x->ty.range) &&
                 ir_range_within(x->ty.range, i->res[0]->ty.range)
             ? x
             : NULL;
}

ir_value *fold_arith(fold *f, ir_inst *i) {
  switch (i->op) {
  case OP_ADD: return add(f, i);
  case OP_SUB: return sub(f, i);
  case OP_MUL: return mul(f, i);
  case OP_NEG: {
    ir_inst *d = i->arg[0]->def;
    ir_builder b = pass_before(f->m, i);
    if (is_bits(i)) return i->arg[0];
    if (d && d->op == OP_NEG) return d->arg[0];
    if (d && d->op == OP_SUB) return ir_op2(&b, OP_SUB, d->arg[1], d->arg[0]);
    return NULL;
  }
  case OP_SUM: return sum(f, i);
  case OP_PROD: return i->at.inner == 1 ? i->arg[0] : NULL;
  case OP_EQ:
  case OP_LT:
  case OP_LE: return compare(f, i);
  case OP_AND:
  case OP_OR:
  case OP_XOR: return bits(f, i);
  case OP_SELECT: return select(f, i);
  case OP_SHL:
  case OP_SHR: return is_si(i->arg[1], 0) ? spread(f, i, i->arg[0]) : NULL;
  case OP_DIV:
  case OP_RDIV:
  case OP_MOD: return divided(f, i);
  case OP_WRAP:
  case OP_ASSUME: return within(i);
  case OP_DEC: return dec(f, i);
  default: return NULL;
  }
}
