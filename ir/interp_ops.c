/* The interpreter's arithmetic: 64-bit lanes where they suffice, GMP elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "ir/interp_impl.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* ---- words ---- */
static inline uint64_t p_reduce(u128 v, uint64_t p, unsigned k) {
  while (v > p) v = (v & p) + (v >> k);
  return v == p ? 0 : (uint64_t)v;
}

static inline uint64_t p_mul(uint64_t a, uint64_t b, uint64_t p, unsigned k) {
  u128 v = (u128)a * b; /* < p^2: one fold leaves less than 2p */
  uint64_t r = ((uint64_t)v & p) + (uint64_t)(v >> k);
  return r >= p ? r - p : r;
}

static inline uint64_t p_add(uint64_t a, uint64_t b, uint64_t p) {
  uint64_t r = a + b;
  return r >= p ? r - p : r;
}

static inline uint64_t p_neg(uint64_t a, uint64_t p) { return a ? p - a : 0; }

static uint64_t p_inv(uint64_t a, uint64_t p, unsigned k) {
  uint64_t r = 1;
  for (uint64_t e = p - 2; e; e >>= 1) { /* Fermat */
    if (e & 1) r = p_mul(r, a, p, k);
    a = p_mul(a, a, p, k);
  }
  return r;
}

static inline int z_div(ir_op op, int64_t a, int64_t b, int64_t *r) {
  if (!b) return 2;
  if (a == INT64_MIN && b == -1) { /* the machine would trap */
    *r = 0;
    return op == OP_DIV;
  }
  *r = op == OP_DIV ? a / b : a % b;
  return 0;
}

/* Nearest, ties to even. */
static inline int z_rdiv(int64_t a, int64_t b, int64_t *r) {
  if (!b) return 2;
  i128 q = (i128)a / b, rest = (i128)a % b, size = b;
  if (rest < 0) rest = -rest;
  if (size < 0) size = -size;
  if (2 * rest > size || (2 * rest == size && q & 1))
    q += (a < 0) == (b < 0) ? 1 : -1;
  *r = (int64_t)q;
  return *r != q;
}

static inline int z_shift(ir_op op, int64_t a, int64_t b, int64_t *r) {
  if (b < 0) return 2;
  if (op == OP_SHR) {
    *r = b > 63 ? (a < 0 ? -1 : 0) : a >> b; /* arithmetic: floor */
    return 0;
  }
  if (!a || !b) {
    *r = a;
    return 0;
  }
  return b > 62 || __builtin_mul_overflow(a, (int64_t)1 << b, r);
}

static inline int z_op(ir_op op, int64_t a, int64_t b, int64_t *r) {
  switch (op) {
  case OP_ADD: return __builtin_add_overflow(a, b, r);
  case OP_SUB: return __builtin_sub_overflow(a, b, r);
  case OP_MUL: return __builtin_mul_overflow(a, b, r);
  case OP_NEG: return __builtin_sub_overflow((int64_t)0, a, r);
  case OP_EQ: *r = a == b; return 0;
  case OP_LT: *r = a < b; return 0;
  case OP_LE: *r = a <= b; return 0;
  case OP_AND: *r = a & b; return 0;
  case OP_OR: *r = a | b; return 0;
  case OP_XOR: *r = a ^ b; return 0;
  case OP_DIV:
  case OP_MOD: return z_div(op, a, b, r);
  case OP_RDIV: return z_rdiv(a, b, r);
  default: return z_shift(op, a, b, r);
  }
}

static inline int p_op(ir_op op, uint64_t p, unsigned k, uint64_t a,
                       uint64_t b, uint64_t *r) {
  switch (op) {
  case OP_ADD: *r = p_add(a, b, p); return 0;
  case OP_SUB: *r = p_add(a, p_neg(b, p), p); return 0;
  case OP_MUL: *r = p_mul(a, b, p, k); return 0;
  case OP_NEG: *r = p_neg(a, p); return 0;
  case OP_EQ: *r = a == b; return 0;
  default: /* inv */
    if (!a) return 2;
    *r = p_inv(a, p, k);
    return 0;
  }
}

static int b_op(ir_op op, uint64_t a, uint64_t b, uint64_t *r) {
  switch (op) {
  case OP_ADD:
  case OP_SUB: *r = a ^ b; return 0;
  case OP_MUL: *r = a & b; return 0;
  default: *r = a; return 0; /* neg */
  }
}

int word_op(ir_op op, ir_dom dom, uint64_t p, unsigned k, uint64_t a,
            uint64_t b, uint64_t *r) {
  if (dom == DOM_B) return b_op(op, a, b, r);
  if (dom == DOM_P) return p_op(op, p, k, a, b, r);
  return z_op(op, (int64_t)a, (int64_t)b, (int64_t *)r);
}

bool is_word_op(ir_op op) {
  switch (op) {
  case OP_ADD:
  case OP_SUB:
  case OP_MUL:
  case OP_NEG:
  case OP_EQ:
  case OP_LT:
  case OP_LE:
  case OP_AND:
  case OP_OR:
  case OP_XOR:
  case OP_DIV:
  case OP_MOD:
  case OP_RDIV:
  case OP_SHL:
  case OP_SHR:
  case OP_INV:
  case OP_SELECT: return true;
  default: return false;
  }
}

/* op is constant in each copy of the loop. */
#define LANES(E, F) \
  case E: \
    for (uint32_t l = 0; l < n; l++) bad |= F; \
    break;

static int words_z(ir_op op, const uint64_t *a, const uint64_t *b,
                   uint64_t *out, uint32_t n) {
  const int64_t *x = (const int64_t *)a, *y = (const int64_t *)b;
  int64_t *r = (int64_t *)out;
  int bad = 0;
  switch (op) {
    LANES(OP_ADD, z_op(OP_ADD, x[l], y[l], &r[l]))
    LANES(OP_SUB, z_op(OP_SUB, x[l], y[l], &r[l]))
    LANES(OP_MUL, z_op(OP_MUL, x[l], y[l], &r[l]))
    LANES(OP_LT, z_op(OP_LT, x[l], y[l], &r[l]))
    LANES(OP_EQ, z_op(OP_EQ, x[l], y[l], &r[l]))
  default:
    for (uint32_t l = 0; l < n; l++)
      bad |= z_op(op, x[l], y ? y[l] : 0, &r[l]);
  }
  return bad;
}

static int words_p(ir_op op, uint64_t p, unsigned k, const uint64_t *a,
                   const uint64_t *b, uint64_t *r, uint32_t n) {
  int bad = 0;
  switch (op) {
    LANES(OP_ADD, p_op(OP_ADD, p, k, a[l], b[l], &r[l]))
    LANES(OP_SUB, p_op(OP_SUB, p, k, a[l], b[l], &r[l]))
    LANES(OP_MUL, p_op(OP_MUL, p, k, a[l], b[l], &r[l]))
  default:
    for (uint32_t l = 0; l < n; l++)
      bad |= p_op(op, p, k, a[l], b ? b[l] : 0, &r[l]);
  }
  return bad;
}

int words_op(ir_op op, ir_dom dom, uint64_t p, unsigned k, const uint64_t *a,
             const uint64_t *b, const uint64_t *c, uint64_t *r, uint32_t n) {
  if (op == OP_SELECT) {
    for (uint32_t l = 0; l < n; l++) r[l] = a[l] ? b[l] : c[l];
    return 0;
  }
  if (dom == DOM_P) return words_p(op, p, k, a, b, r, n);
  if (dom == DOM_B) {
    for (uint32_t l = 0; l < n; l++) b_op(op, a[l], b ? b[l] : 0, &r[l]);
    return 0;
  }
  return words_z(op, a, b, r, n);
}

static bool faulty(ir_interp *x, int bad, span sp) {
  if (!bad) return true;
  return interp_fail(x, bad & 2 ? IR_RUN_UNDEFINED : IR_RUN_WRONG, sp,
                     bad & 2 ? "undefined arithmetic (division by 0?)"
                             : "a value left its range");
}

static const val *arg(const ir_interp *x, const node *nd, uint32_t k) {
  return &x->slot[nd->i->arg[k]->id];
}

static bool elementwise_words(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  val *res = &x->slot[i->res[0]->id];
  ir_dom dom = i->arg[i->op == OP_SELECT ? 1 : 0]->ty.dom;
  uint64_t lanes = i->res[0]->ty.lanes;
  uint64_t tmp[3][CHUNK];
  store *s;
  if (nd->lazy) {
    uint32_t depth = 0;
    for (uint32_t k = 0; k < i->narg; k++) {
      const store *a = arg(x, nd, k)->st;
      if (a && a->form == ST_LAZY && a->depth >= depth) depth = a->depth;
    }
    if (depth < LAZY_DEPTH && (s = calloc(1, sizeof *s))) {
      *s = (store){.ref = 1, .form = ST_LAZY, .n = lanes, .op = i->op,
                   .dom = dom, .depth = depth + 1, .narg = i->narg,
                   .sp = i->sp};
      for (uint32_t k = 0; k < i->narg; k++)
        s->arg[k] = val_ref(*arg(x, nd, k));
      res->st = s;
      return true;
    }
  }
  if (!(s = store_words(x, lanes, i->sp))) return false;
  int bad = 0;
  for (uint64_t at = 0; at < lanes; at += CHUNK) {
    uint32_t n = lanes - at < CHUNK ? (uint32_t)(lanes - at) : CHUNK;
    const uint64_t *a[3] = {NULL, NULL, NULL};
    for (uint32_t k = 0; k < i->narg; k++)
      a[k] = val_load(x, arg(x, nd, k), at, n, tmp[k]);
    bad |= words_op(i->op, dom, x->p, x->k, a[0], a[1], a[2], s->w + at, n);
  }
  *res = (val){.st = s};
  return faulty(x, bad, i->sp);
}

/* Sum or product of each group, in words throughout. */
static bool fold_words(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t lanes = i->arg[0]->ty.lanes, inner = i->at.inner;
  uint64_t groups = i->res[0]->ty.lanes;
  bool z = i->res[0]->ty.dom == DOM_Z, sum = i->op == OP_SUM;
  bool bits = i->res[0]->ty.dom == DOM_B;
  store *s = groups > 1 ? store_words(x, groups, i->sp) : NULL;
  if (groups > 1 && !s) return false;
  uint64_t tmp[CHUNK], left = inner, g = 0, r = !sum;
  i128 zs = 0;
  u128 ps = 0; /* 2^64 residues of 61 bits fit */
  int bad = 0;
  for (uint64_t at = 0; at < lanes; at += CHUNK) {
    uint32_t n = lanes - at < CHUNK ? (uint32_t)(lanes - at) : CHUNK;
    const uint64_t *a = val_load(x, arg(x, nd, 0), at, n, tmp);
    for (uint32_t l = 0; l < n;) {
      uint32_t run = left < n - l ? (uint32_t)left : n - l;
      if (sum && z)
        for (uint32_t e = l + run; l < e; l++) zs += (int64_t)a[l];
      else if (sum)
        for (uint32_t e = l + run; l < e; l++) ps += a[l];
      else
        for (uint32_t e = l + run; l < e; l++)
          bad |= word_op(OP_MUL, z ? DOM_Z : DOM_P, x->p, x->k, r, a[l], &r);
      left -= run;
      if (left) continue;
      if (sum && bits) r = (uint64_t)ps & 1;
      else if (sum) r = z ? (uint64_t)(int64_t)zs : p_reduce(ps, x->p, x->k);
      if (sum && z && zs != (int64_t)zs) bad |= 1;
      if (s) s->w[g++] = r;
      else x->slot[i->res[0]->id].word = r;
      left = inner;
      zs = 0;
      ps = 0;
      r = !sum;
    }
  }
  x->slot[i->res[0]->id].st = s;
  return faulty(x, bad, i->sp) && x->status == IR_RUN_OK;
}

/* ---- GMP ---- */
/* No range is wider, so a longer value has left its own. */
static int too_long(mpz_srcptr r) {
  return mpz_size(r) > IR_RANGE_BITS / GMP_NUMB_BITS + 1;
}

int z_gmp(ir_op op, mpz_ptr r, mpz_srcptr a, mpz_srcptr b) {
  switch (op) {
  case OP_ADD: mpz_add(r, a, b); return 0;
  case OP_SUB: mpz_sub(r, a, b); return 0;
  case OP_MUL: mpz_mul(r, a, b); return 0;
  case OP_NEG: mpz_neg(r, a); return 0;
  case OP_EQ: mpz_set_ui(r, mpz_cmp(a, b) == 0); return 0;
  case OP_LT: mpz_set_ui(r, mpz_cmp(a, b) < 0); return 0;
  case OP_LE: mpz_set_ui(r, mpz_cmp(a, b) <= 0); return 0;
  case OP_AND: mpz_and(r, a, b); return 0;
  case OP_OR: mpz_ior(r, a, b); return 0;
  case OP_XOR: mpz_xor(r, a, b); return 0;
  case OP_ISQRT:
    if (mpz_sgn(a) < 0) return 2;
    mpz_sqrt(r, a);
    return 0;
  case OP_SHL:
  case OP_SHR:
    if (mpz_sgn(b) < 0) return 2;
    if (mpz_cmp_ui(b, IR_RANGE_BITS) > 0) {
      if (op == OP_SHL && mpz_sgn(a)) return 1;
      mpz_set_si(r, mpz_sgn(a) < 0 ? -1 : 0);
    } else if (op == OP_SHL) {
      mpz_mul_2exp(r, a, mpz_get_ui(b));
    } else {
      mpz_fdiv_q_2exp(r, a, mpz_get_ui(b));
    }
    return 0;
  default:
    if (!mpz_sgn(b)) return 2;
    if (op == OP_DIV) mpz_tdiv_q(r, a, b);
    if (op == OP_MOD) mpz_tdiv_r(r, a, b);
    if (op == OP_RDIV) ir_mpz_rdiv(r, a, b);
    return 0;
  }
}

static int p_gmp(const ir_interp *x, ir_op op, mpz_ptr r, mpz_srcptr a,
                 mpz_srcptr b) {
  mpz_srcptr p = x->m->p;
  if (op == OP_INV) return mpz_invert(r, a, p) ? 0 : 2;
  if (op == OP_EQ) return z_gmp(op, r, a, b);
  int bad = z_gmp(op, r, a, b);
  mpz_mod(r, r, p);
  return bad;
}

/* The representative of w modulo 2^bits in the range of the result. */
static void wrap(mpz_ptr r, mpz_srcptr a, uint32_t bits, bool is_signed) {
  mpz_fdiv_r_2exp(r, a, bits);
  if (is_signed && bits && mpz_tstbit(r, bits - 1)) {
    mpz_t m;
    mpz_init(m);
    mpz_setbit(m, bits);
    mpz_sub(r, r, m);
    mpz_clear(m);
  }
}

static void lane(ir_interp *x, const node *nd, uint32_t k, uint64_t l,
                 mpz_ptr out) {
  const ir_type *t = &nd->i->arg[k]->ty;
  val_mpz(arg(x, nd, k), t->dom, ir_lanes_wide(x->m, t), l, out);
}

static int lane_gmp(ir_interp *x, const node *nd, uint64_t l, mpz_ptr r) {
  const ir_inst *i = nd->i;
  lane(x, nd, 0, l, x->t[0]);
  if (i->op == OP_SELECT) {
    lane(x, nd, mpz_sgn(x->t[0]) ? 1 : 2, l, r);
    return 0;
  }
  if (i->narg > 1) lane(x, nd, 1, l, x->t[1]);
  if (ir_is_typed(i) && i->op != OP_WRAP)
    return interp_typed(x, nd, r, x->t[0], x->t[1]) ? 0 : 2;
  if (i->op == OP_WRAP) {
    if (ir_is_typed(i)) interp_centre(x->m, x->t[0]);
    wrap(r, x->t[0], i->at.bits, mpz_sgn(i->res[0]->ty.range->lo) < 0);
    if (ir_is_typed(i)) mpz_mod(r, r, x->m->p);
    return 0;
  }
  if (i->op == OP_ENC) {
    mpz_mod(r, x->t[0], x->m->p);
    return 0;
  }
  if (i->arg[0]->ty.dom == DOM_P) return p_gmp(x, i->op, r, x->t[0], x->t[1]);
  int bad = z_gmp(i->op, r, x->t[0], x->t[1]);
  return bad ? bad : too_long(r);
}

static int group_gmp(ir_interp *x, const node *nd, uint64_t g, mpz_ptr r) {
  const ir_inst *i = nd->i;
  bool p = i->res[0]->ty.dom == DOM_P;
  mpz_set_ui(r, i->op == OP_PROD);
  for (uint64_t l = g * i->at.inner, e = l + i->at.inner; l < e; l++) {
    lane(x, nd, 0, l, x->t[0]);
    if (i->op == OP_SUM)
      mpz_add(r, r, x->t[0]);
    else
      mpz_mul(r, r, x->t[0]);
    if (p) mpz_mod(r, r, x->m->p);
    if (too_long(r)) return 1;
  }
  return 0;
}

/* Any op, any form, lane by lane. */
static bool arith_gmp(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty;
  bool wide = ir_lanes_wide(x->m, ty), fold = ir_ops[i->op].rule == RULE_FOLD;
  for (uint32_t k = 0; k < i->narg; k++)
    if (!val_settle(x, &x->slot[i->arg[k]->id], i->arg[k]->ty.lanes, false,
                    i->sp))
      return false;
  store *s = wide ? store_gmp(x, ty->lanes, i->sp)
                  : store_words(x, ty->lanes, i->sp);
  if (!s) return false;
  int bad = 0;
  for (uint64_t l = 0; l < ty->lanes; l++) {
    bad |= fold ? group_gmp(x, nd, l, x->t[2]) : lane_gmp(x, nd, l, x->t[2]);
    bad |= !store_set(s, l, x->t[2]);
  }
  val *res = &x->slot[i->res[0]->id];
  *res = (val){.st = s};
  if (!wide && ty->lanes == 1) {
    uint64_t word = s->w[0];
    val_drop(x, res);
    res->word = word;
  }
  return faulty(x, bad, i->sp);
}

static uint64_t enc_word(const ir_interp *x, int64_t a) {
  uint64_t v = (a < 0 ? -(uint64_t)a : (uint64_t)a) % x->p;
  return a < 0 ? p_neg(v, x->p) : v;
}

/* z to p in words. */
static bool enc_words(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t lanes = i->res[0]->ty.lanes, tmp[CHUNK];
  if (lanes == 1) {
    x->slot[i->res[0]->id].word = enc_word(x, (int64_t)arg(x, nd, 0)->word);
    return true;
  }
  store *s = store_words(x, lanes, i->sp);
  if (!s) return false;
  for (uint64_t at = 0; at < lanes; at += CHUNK) {
    uint32_t n = lanes - at < CHUNK ? (uint32_t)(lanes - at) : CHUNK;
    const int64_t *a = (const int64_t *)val_load(x, arg(x, nd, 0), at, n, tmp);
    for (uint32_t l = 0; l < n; l++) s->w[at + l] = enc_word(x, a[l]);
  }
  x->slot[i->res[0]->id].st = s;
  return true;
}

bool interp_arith(ir_interp *x, const node *nd) {
  if (!nd->words) return arith_gmp(x, nd);
  if (ir_ops[nd->op].rule == RULE_FOLD) return fold_words(x, nd);
  if (nd->op == OP_ENC) return enc_words(x, nd);
  if (is_word_op(nd->op) && nd->i->res[0]->ty.lanes > 1)
    return elementwise_words(x, nd);
  return arith_gmp(x, nd);
}
