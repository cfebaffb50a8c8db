/* Evaluating steps whose operands are all constants, exactly. */
#include "ir/pass/fold.h"

#define SHIFT_MAX 4096u /* bits that a folded shift may add */

bool fold_known(const ir_value *v) {
  return v->def && (v->def->op == OP_CONST || v->def->op == OP_TABLE ||
                    v->def->op == OP_IOTA);
}

mpz_srcptr fold_lane(const ir_value *v, uint64_t l, mpz_ptr t) {
  if (v->def->op == OP_CONST) return v->def->at.imm;
  if (v->def->op == OP_TABLE) return v->def->at.table[v->ty.lanes == 1 ? 0 : l];
  mpz_set_ui(t, v->ty.lanes == 1 ? 0 : l);
  return t;
}

static bool splat_only(const ir_inst *i) {
  for (uint32_t k = 0; k < i->narg; k++)
    if (i->arg[k]->def->op != OP_CONST) return false;
  return true;
}

/* The residue of least absolute value. */
static void centre(fold *f, mpz_ptr v) {
  mpz_t half;
  mpz_init(half);
  mpz_fdiv_q_2exp(half, f->m->p, 1);
  mpz_mod(v, v, f->m->p);
  if (mpz_cmp(v, half) > 0) mpz_sub(v, v, f->m->p);
  mpz_clear(half);
}

static bool in_field(fold *f, mpz_srcptr v) {
  mpz_t half;
  mpz_init(half);
  mpz_fdiv_q_2exp(half, f->m->p, 1);
  bool ok = mpz_cmpabs(v, half) <= 0;
  mpz_clear(half);
  return ok;
}

static bool wrap(const ir_inst *i, mpz_ptr out, mpz_srcptr x) {
  mp_bitcnt_t bits = i->at.bits;
  mpz_fdiv_r_2exp(out, x, bits);
  bool is_signed = mpz_sgn(i->res[0]->ty.range->lo) < 0;
  if (is_signed && bits && mpz_tstbit(out, bits - 1)) {
    mpz_t top;
    mpz_init(top);
    mpz_setbit(top, bits);
    mpz_sub(out, out, top);
    mpz_clear(top);
  }
  return true;
}

static bool shift(ir_op op, mpz_ptr out, mpz_srcptr x, mpz_srcptr y) {
  if (mpz_sgn(y) < 0 || mpz_cmp_ui(y, SHIFT_MAX) > 0) return false;
  if (op == OP_SHL)
    mpz_mul_2exp(out, x, mpz_get_ui(y));
  else
    mpz_fdiv_q_2exp(out, x, mpz_get_ui(y));
  return true;
}

static bool equal(fold *f, const ir_inst *i, mpz_srcptr x, mpz_srcptr y) {
  if (i->arg[0]->ty.dom == DOM_Z) return !mpz_cmp(x, y);
  return mpz_congruent_p(x, y, f->m->p);
}

/* out = op(x, y) on one lane; false if it is not to be folded. */
static bool eval(fold *f, const ir_inst *i, mpz_ptr out, mpz_srcptr x,
                 mpz_srcptr y) {
  switch (i->op) {
  case OP_ADD: mpz_add(out, x, y); return true;
  case OP_SUB: mpz_sub(out, x, y); return true;
  case OP_MUL: mpz_mul(out, x, y); return true;
  case OP_NEG: mpz_neg(out, x); return true;
  case OP_ENC:
  case OP_ASSUME: mpz_set(out, x); return true;
  case OP_DEC: mpz_set(out, x); centre(f, out); return true;
  case OP_INV: return mpz_invert(out, x, f->m->p);
  case OP_EQ: mpz_set_ui(out, equal(f, i, x, y)); return true;
  case OP_LT: mpz_set_ui(out, mpz_cmp(x, y) < 0); return true;
  case OP_LE: mpz_set_ui(out, mpz_cmp(x, y) <= 0); return true;
  case OP_AND: mpz_and(out, x, y); return true;
  case OP_OR: mpz_ior(out, x, y); return true;
  case OP_XOR: mpz_xor(out, x, y); return true;
  case OP_SHL:
  case OP_SHR: return shift(i->op, out, x, y);
  case OP_WRAP: return wrap(i, out, x);
  case OP_DIV:
    if (mpz_sgn(y)) mpz_tdiv_q(out, x, y);
    return mpz_sgn(y);
  case OP_MOD:
    if (mpz_sgn(y)) mpz_tdiv_r(out, x, y);
    return mpz_sgn(y);
  case OP_RDIV:
    if (mpz_sgn(y)) ir_mpz_rdiv(out, x, y);
    return mpz_sgn(y);
  case OP_ISQRT:
    if (mpz_sgn(x) >= 0) mpz_sqrt(out, x);
    return mpz_sgn(x) >= 0;
  default: return false;
  }
}

/* Brings a field element into the field where the result's range allows, and
 * says whether the value may stand for the result. */
static bool settle(fold *f, const ir_inst *i, mpz_ptr v) {
  const ir_type *ty = &i->res[0]->ty;
  if (ty->dom == DOM_B) mpz_fdiv_r_2exp(v, v, 1);
  if (ty->dom == DOM_P && !in_field(f, v)) {
    if (ty->range) return false;
    centre(f, v);
  }
  return !ty->range || (mpz_cmp(v, ty->range->lo) >= 0 &&
                        mpz_cmp(v, ty->range->hi) <= 0);
}

static ir_value *table(fold *f, ir_inst *i, mpz_srcptr *lane) {
  ir_builder b = pass_before(f->m, i);
  ir_type ty = i->res[0]->ty;
  ir_inst *t = ir_emit(&b, OP_TABLE, NULL, 0, &ty, 1);
  t->at.table = lane;
  t->res[0]->ty.range = ir_inst_range(f->m, t);
  return t->res[0];
}

/* All bits of a constant, if they are the same. */
static ir_value *unpack(fold *f, ir_inst *i) {
  mpz_srcptr c;
  if (!ir_is_const(i->arg[0], &c)) return NULL;
  int first = mpz_tstbit(c, 0);
  for (uint32_t k = 1; k < i->at.bits; k++)
    if (mpz_tstbit(c, k) != first) return NULL;
  ir_builder b = pass_before(f->m, i);
  return ir_const_si(&b, DOM_B, first, i->res[0]->ty.lanes);
}

ir_value *fold_const(fold *f, ir_inst *i) {
  if (i->op == OP_UNPACK) return unpack(f, i);
  if (!i->narg || i->narg > 2 || i->nres != 1 || i->nregion) return NULL;
  if (i->res[0]->ty.kind != KIND_PUB || ir_ops[i->op].rule == RULE_MOVE ||
      ir_ops[i->op].rule == RULE_FOLD)
    return NULL;
  for (uint32_t k = 0; k < i->narg; k++)
    if (!fold_known(i->arg[k])) return NULL;
  uint64_t lanes = i->res[0]->ty.lanes, n = splat_only(i) ? 1 : lanes;
  if (n > FOLD_TABLE_MAX || (n > 1 && i->op != OP_ENC && n > 4096)) return NULL;
  bool iota = false; /* arithmetic on lane numbers is cheap where it runs */
  for (uint32_t k = 0; k < i->narg; k++)
    iota |= i->arg[k]->def->op == OP_IOTA && lanes > 1;
  if (iota) return NULL;
  mpz_t out, s, t;
  mpz_inits(out, s, t, (mpz_ptr)NULL);
  mpz_srcptr *lane = n > 1 ? ARENA_ARR(f->m->a, mpz_srcptr, n) : NULL;
  bool ok = true;
  for (uint64_t l = 0; ok && l < n; l++) {
    mpz_srcptr x = fold_lane(i->arg[0], l, s);
    mpz_srcptr y = i->narg > 1 ? fold_lane(i->arg[1], l, t) : NULL;
    ok = eval(f, i, out, x, y) && settle(f, i, out);
    if (ok && lane) lane[l] = ir_mpz(f->m, out);
  }
  ir_value *v = NULL;
  if (ok && lane) {
    v = table(f, i, lane);
  } else if (ok) {
    ir_builder b = pass_before(f->m, i);
    v = ir_const(&b, i->res[0]->ty.dom, out, lanes);
  }
  mpz_clears(out, s, t, (mpz_ptr)NULL);
  return v;
}
