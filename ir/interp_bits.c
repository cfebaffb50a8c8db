/* Between the field and bits: typed operations on shares, summands of shares,
 * bits of integers.  Lane by lane, in GMP.
 *
 * A share has no sharing here, so split, deal and bdeal make one up: summands
 * that depend on the secret alone, so that two splits of one value agree.
 */
#include <stdlib.h>

#include "ir/interp_impl.h"

/* ---- mistakes that a run on nodes cannot tell ---- */
static void by_zero_fail(ir_interp *x, const ir_inst *i, mpz_srcptr a) {
  char *s = mpz_get_str(NULL, 10, a);
  if (x->status == IR_RUN_OK)
    interp_fail(x, IR_RUN_CHECK, i->sp, "division of %.80s by 0", s);
  free(s);
}

/* Lane l of the operand of a onehot: is it one of its places? */
static void must_be_place(ir_interp *x, const ir_inst *i, mpz_ptr v) {
  if (x->status != IR_RUN_OK ||
      (mpz_sgn(v) >= 0 && mpz_cmp_ui(v, i->at.inner) < 0))
    return;
  interp_centre(x->m, v);
  char *s = mpz_get_str(NULL, 10, v);
  interp_fail(x, IR_RUN_CHECK, i->sp, "the index %.80s is not in 0..%llu", s,
              (unsigned long long)i->at.inner - 1);
  free(s);
}

/* ---- typed operations ---- */
bool interp_typed(ir_interp *x, const node *nd, mpz_ptr r, mpz_ptr a,
                  mpz_ptr b) {
  const ir_inst *i = nd->i;
  if (i->op == OP_EQ) {
    mpz_set_ui(r, mpz_cmp(a, b) == 0);
    return true;
  }
  if (i->arg[0]->ty.dom == DOM_P) interp_centre(x->m, a);
  if (i->narg > 1 && i->arg[1]->ty.dom == DOM_P) interp_centre(x->m, b);
  bool by_zero = (i->op == OP_DIV || i->op == OP_MOD) && !mpz_sgn(b) &&
                 i->arg[1]->ty.kind == KIND_SH;
  if (by_zero && x->o.strict) by_zero_fail(x, i, a);
  if (by_zero && i->op == OP_DIV)
    mpz_set_ui(r, 0);
  else if (by_zero)
    mpz_set(r, a);
  else if (z_gmp(i->op, r, a, b))
    return false;
  mpz_mod(r, r, x->m->p);
  return true;
}

/* ---- made-up sharings ---- */
/* splitmix64 of the secret's words and k. */
static uint64_t mix(mpz_srcptr v, uint64_t k) {
  uint64_t h = k * 0x9E3779B97F4A7C15u;
  for (size_t j = 0; j <= mpz_size(v); j++) {
    h += mpz_getlimbn(v, (mp_size_t)j) + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    h ^= h >> 31;
  }
  return h;
}

/* Summand k of n of v modulo p into out; 0 of summand 0 becomes p.  One secret
 * in four has summands with many zeros: (0, 0, 0) and the like. */
static void summand(const ir_module *m, mpz_srcptr v, unsigned k, unsigned n,
                    mpz_ptr out, mpz_ptr t) {
  bool plain = (mix(v, 999) & 3) == 0;
  mpz_set(out, v);
  for (unsigned j = 1; j < n; j++) {
    mpz_set_ui(t, 0);
    for (unsigned w = 0; !plain && w <= m->k / 64; w++) {
      mpz_mul_2exp(t, t, 64);
      mpz_add_ui(t, t, mix(v, 1 + j * 64 + w));
    }
    mpz_mod(t, t, m->p);
    if (j == k) {
      mpz_set(out, t);
      break;
    }
    mpz_sub(out, out, t);
  }
  mpz_mod(out, out, m->p);
  if (!k && !mpz_sgn(out)) mpz_set(out, m->p);
}

/* Bit k of n whose exclusive or is v. */
static unsigned summand_bit(mpz_srcptr v, uint64_t lane, unsigned k,
                            unsigned n) {
  unsigned last = (unsigned)mpz_get_ui(v) & 1;
  for (unsigned j = 1; j < n; j++) {
    unsigned b = mix(v, lane * 64 + j) & 1;
    if (j == k) return b;
    last ^= b;
  }
  return last;
}

/* ---- one result ---- */
static void lane_of(ir_interp *x, const node *nd, uint64_t l, mpz_ptr out) {
  const ir_type *t = &nd->i->arg[0]->ty;
  val_mpz(arg_of(x, nd, 0), t->dom, ir_lanes_wide(x->m, t), l, out);
}

/* Lane l of result k into t[1]; t[2] and t[3] are scratch. */
static void bits_lane(ir_interp *x, const node *nd, uint32_t k, uint64_t l) {
  const ir_inst *i = nd->i;
  uint64_t lanes = i->arg[0]->ty.lanes;
  mpz_ptr v = x->t[0], r = x->t[1];
  switch (i->op) {
  case OP_DIGITS:
    lane_of(x, nd, l / i->at.bits, v);
    mpz_set_ui(r, (unsigned)mpz_tstbit(v, l % i->at.bits));
    return;
  case OP_ONEHOT:
    lane_of(x, nd, l / i->at.inner, v);
    if (x->o.strict) must_be_place(x, i, v);
    mpz_set_ui(r, mpz_cmp_ui(v, l % i->at.inner) == 0);
    return;
  case OP_SPLIT:
  case OP_DEAL:
    lane_of(x, nd, l % lanes, v);
    summand(x->m, v, k, i->nres, x->t[2], x->t[3]);
    mpz_set_ui(r, (unsigned)mpz_tstbit(x->t[2], (uint64_t)i->at.off +
                                                    l / lanes));
    return;
  case OP_UNPACK:
    lane_of(x, nd, l % lanes, v);
    mpz_set_ui(r, (unsigned)mpz_tstbit(v, l / lanes));
    return;
  case OP_PACK:
    mpz_set_ui(r, 0);
    for (uint32_t b = i->at.bits; b--;) {
      lane_of(x, nd, b * i->res[0]->ty.lanes + l, v);
      mpz_mul_2exp(r, r, 1);
      mpz_add(r, r, v);
    }
    return;
  case OP_BDEAL:
    lane_of(x, nd, l, v);
    mpz_set_ui(r, summand_bit(v, l, k, i->nres));
    return;
  case OP_XJOIN: /* of an xdeal, which is the bit already */
  default: lane_of(x, nd, l, r); return;
  }
}

bool interp_bits(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->narg; k++)
    if (!val_settle(x, arg_of(x, nd, k), i->arg[k]->ty.lanes, false, i->sp))
      return false;
  for (uint32_t k = 0; k < i->nres; k++) {
    const ir_type *ty = &i->res[k]->ty;
    bool wide = ir_lanes_wide(x->m, ty);
    store *s = wide ? store_gmp(x, ty->lanes, i->sp)
                    : store_words(x, ty->lanes, i->sp);
    if (!s) return false;
    for (uint64_t l = 0; l < ty->lanes; l++) {
      bits_lane(x, nd, k, l);
      store_set(s, l, x->t[1]);
    }
    val *r = slot(x, i->res[k]);
    *r = (val){.st = s};
    if (!wide && ty->lanes == 1) {
      uint64_t word = s->w[0];
      val_drop(x, r);
      r->word = word;
    }
  }
  return x->status == IR_RUN_OK;
}
