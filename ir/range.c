/* Intervals of integers, interned, and their arithmetic.
 *
 * Operands are independent: the hull of { a op b } over all pairs.  For an op
 * monotone in each operand on a sign-constant piece the hull is taken at the
 * corners of the pieces.
 */
#include <string.h>

#include "ir/ir.h"

typedef struct ir_range_set {
  const ir_range **slot; /* open addressing, power of two */
  size_t cap, n;
} ir_range_set;

static size_t hash_mpz(size_t h, mpz_srcptr v) {
  h = (h ^ (size_t)(mpz_sgn(v) + 1)) * 0x9E3779B97F4A7C15u;
  for (size_t i = 0; i < mpz_size(v); i++)
    h = (h ^ (h >> 29) ^ mpz_getlimbn(v, (mp_size_t)i)) * 0x9E3779B97F4A7C15u;
  return h;
}

static size_t find_slot(const ir_range_set *s, mpz_srcptr lo, mpz_srcptr hi) {
  size_t h = hash_mpz(hash_mpz(17, lo), hi);
  for (size_t i = (h ^ (h >> 31)) & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
    const ir_range *r = s->slot[i];
    if (!r || (!mpz_cmp(r->lo, lo) && !mpz_cmp(r->hi, hi))) return i;
  }
}

static void grow_set(ir_module *m, ir_range_set *s) {
  ir_range_set big = {.cap = s->cap ? s->cap * 2 : 64, .n = s->n};
  big.slot = ARENA_ARR(m->a, const ir_range *, big.cap);
  for (size_t i = 0; i < s->cap; i++)
    if (s->slot[i])
      big.slot[find_slot(&big, s->slot[i]->lo, s->slot[i]->hi)] = s->slot[i];
  *s = big;
}

const ir_range *ir_range_get(ir_module *m, mpz_srcptr lo, mpz_srcptr hi) {
  if (mpz_cmp(lo, hi) > 0) {
    mpz_srcptr t = lo;
    lo = hi;
    hi = t;
  }
  if (mpz_sizeinbase(lo, 2) > IR_RANGE_BITS ||
      mpz_sizeinbase(hi, 2) > IR_RANGE_BITS)
    return NULL;
  if (!m->ranges) m->ranges = ARENA_NEW(m->a, ir_range_set);
  ir_range_set *s = m->ranges;
  if (s->n * 2 >= s->cap) grow_set(m, s);
  size_t i = find_slot(s, lo, hi);
  if (!s->slot[i]) {
    ir_range *r = ARENA_NEW(m->a, ir_range);
    r->lo[0] = *ir_mpz(m, lo);
    r->hi[0] = *ir_mpz(m, hi);
    s->slot[i] = r;
    s->n++;
  }
  return s->slot[i];
}

const ir_range *ir_range_si(ir_module *m, int64_t lo, int64_t hi) {
  mpz_t l, h;
  mpz_init_set_si(l, lo);
  mpz_init_set_si(h, hi);
  const ir_range *r = ir_range_get(m, l, h);
  mpz_clears(l, h, (mpz_ptr)NULL);
  return r;
}

const ir_range *ir_range_hull(ir_module *m, const ir_range *a,
                              const ir_range *b) {
  if (!a || !b) return NULL;
  if (a == b) return a;
  return ir_range_get(m, mpz_cmp(a->lo, b->lo) < 0 ? a->lo : b->lo,
                      mpz_cmp(a->hi, b->hi) > 0 ? a->hi : b->hi);
}

bool ir_range_within(const ir_range *a, const ir_range *b) {
  if (!b || a == b) return true;
  return a && mpz_cmp(a->lo, b->lo) >= 0 && mpz_cmp(a->hi, b->hi) <= 0;
}

bool ir_range_is_int64(const ir_range *r) {
  return r && mpz_fits_slong_p(r->lo) && mpz_fits_slong_p(r->hi);
}

bool ir_in_field(const ir_module *m, mpz_srcptr v) {
  mpz_t twice;
  mpz_init(twice);
  mpz_mul_2exp(twice, v, 1);
  bool ok = mpz_cmpabs(twice, m->p) < 0;
  mpz_clear(twice);
  return ok;
}

bool ir_range_in_field(const ir_module *m, const ir_range *r) {
  return r && ir_in_field(m, r->lo) && ir_in_field(m, r->hi);
}

const ir_range *ir_range_bits(ir_module *m, uint32_t bits, bool is_signed) {
  if (bits > IR_RANGE_BITS || (is_signed && !bits)) return NULL;
  mpz_t lo, hi;
  mpz_init(lo);
  mpz_init(hi);
  mpz_setbit(hi, is_signed ? bits - 1 : bits);
  if (is_signed) mpz_neg(lo, hi);
  mpz_sub_ui(hi, hi, 1);
  const ir_range *r = ir_range_get(m, lo, hi);
  mpz_clears(lo, hi, (mpz_ptr)NULL);
  return r;
}

/* ---- corners ---- */
typedef struct hull {
  mpz_t lo, hi, t;
  bool any;
} hull;

static void hull_add(hull *h) { /* takes h->t in */
  if (!h->any || mpz_cmp(h->t, h->lo) < 0) mpz_set(h->lo, h->t);
  if (!h->any || mpz_cmp(h->t, h->hi) > 0) mpz_set(h->hi, h->t);
  h->any = true;
}

/* Nearest integer to a / b, ties to even. */
void ir_mpz_rdiv(mpz_ptr q, mpz_srcptr a, mpz_srcptr b) {
  mpz_t r;
  mpz_init(r);
  mpz_fdiv_qr(q, r, a, b); /* r has the sign of b, |r| < |b| */
  mpz_mul_2exp(r, r, 1);
  int c = mpz_cmpabs(r, b);
  if (c > 0 || (c == 0 && mpz_odd_p(q))) mpz_add_ui(q, q, 1);
  mpz_clear(r);
}

static void corner(ir_op op, hull *h, mpz_srcptr a, mpz_srcptr b) {
  switch (op) {
  case OP_MUL: mpz_mul(h->t, a, b); break;
  case OP_DIV: mpz_tdiv_q(h->t, a, b); break;
  case OP_RDIV: ir_mpz_rdiv(h->t, a, b); break;
  case OP_SHL: mpz_mul_2exp(h->t, a, mpz_get_ui(b)); break;
  default: mpz_fdiv_q_2exp(h->t, a, mpz_get_ui(b)); break;
  }
  hull_add(h);
}

/* Divisors at which a quotient can be extreme: the ends and the neighbours of
 * 0, which itself is no divisor. */
static void quotients(ir_op op, hull *h, const ir_range *a, const ir_range *b) {
  for (int k = 0; k < 4; k++) {
    mpz_t d;
    mpz_init_set_si(d, k == 0 ? 1 : -1);
    if (k == 2) mpz_set(d, b->lo);
    if (k == 3) mpz_set(d, b->hi);
    if (mpz_sgn(d) && mpz_cmp(d, b->lo) >= 0 && mpz_cmp(d, b->hi) <= 0) {
      corner(op, h, a->lo, d);
      corner(op, h, a->hi, d);
    }
    mpz_clear(d);
  }
}

/* a mod b has a's sign, and is smaller than a and than b. */
static void remainders(hull *h, const ir_range *a, const ir_range *b) {
  mpz_t big, q;
  mpz_init(big);
  mpz_init(q);
  mpz_abs(big, mpz_cmpabs(b->lo, b->hi) > 0 ? b->lo : b->hi);
  if (mpz_sgn(big)) mpz_sub_ui(big, big, 1);
  bool one_block = false;
  if (!mpz_cmp(b->lo, b->hi) && mpz_sgn(b->lo)) {
    mpz_tdiv_q(q, a->lo, b->lo);
    mpz_tdiv_q(h->t, a->hi, b->lo);
    one_block = !mpz_cmp(q, h->t);
  }
  if (one_block) { /* one quotient: the remainder is a shifted a */
    mpz_tdiv_r(h->t, a->lo, b->lo);
    hull_add(h);
    mpz_tdiv_r(h->t, a->hi, b->lo);
    hull_add(h);
  } else {
    if (mpz_sgn(a->lo) < 0) {
      mpz_neg(h->t, big);
      if (mpz_cmp(a->lo, h->t) > 0) mpz_set(h->t, a->lo);
      hull_add(h);
    }
    if (mpz_sgn(a->hi) > 0) {
      mpz_set(h->t, mpz_cmp(a->hi, big) < 0 ? a->hi : big);
      hull_add(h);
    }
    if (mpz_sgn(a->lo) >= 0 || mpz_sgn(a->hi) <= 0 || !h->any) {
      mpz_set_ui(h->t, 0);
      hull_add(h);
    }
  }
  mpz_clears(big, q, (mpz_ptr)NULL);
}

static void bitwise(ir_op op, hull *h, const ir_range *a, const ir_range *b) {
  mpz_set_ui(h->t, 0);
  if (op == OP_OR) {
    mpz_srcptr lo = mpz_cmp(a->lo, b->lo) > 0 ? a->lo : b->lo;
    if (mpz_sgn(lo) > 0) mpz_set(h->t, lo);
  }
  hull_add(h);
  mpz_srcptr low = mpz_cmp(a->hi, b->hi) < 0 ? a->hi : b->hi;
  mpz_srcptr high = low == a->hi ? b->hi : a->hi;
  if (op == OP_AND) {
    mpz_set(h->t, low);
  } else {
    mpz_set_ui(h->t, 0);
    if (mpz_sgn(high) > 0) {
      mpz_setbit(h->t, mpz_sizeinbase(high, 2));
      mpz_sub_ui(h->t, h->t, 1);
    }
  }
  if (mpz_sgn(h->t) < 0) mpz_set_ui(h->t, 0);
  hull_add(h);
}

/* Shift counts below 0 do not occur; above IR_RANGE_BITS a shift right gives
 * 0 or -1, a shift left no range. */
static bool shifts(ir_op op, hull *h, const ir_range *a, const ir_range *b) {
  mpz_t lo, hi;
  mpz_init_set(lo, b->lo);
  mpz_init_set(hi, b->hi);
  if (mpz_sgn(lo) < 0) mpz_set_ui(lo, 0);
  if (mpz_sgn(hi) < 0) mpz_set_ui(hi, 0);
  bool ok = true;
  if (mpz_cmp_ui(hi, IR_RANGE_BITS) > 0) {
    ok = op == OP_SHR;
    mpz_set_ui(hi, IR_RANGE_BITS);
    if (mpz_cmp_ui(lo, IR_RANGE_BITS) > 0) mpz_set_ui(lo, IR_RANGE_BITS);
  }
  if (ok) {
    corner(op, h, a->lo, lo);
    corner(op, h, a->lo, hi);
    corner(op, h, a->hi, lo);
    corner(op, h, a->hi, hi);
  }
  mpz_clears(lo, hi, (mpz_ptr)NULL);
  return ok;
}

static const ir_range *times(ir_module *m, const ir_range *a,
                             const ir_range *b) {
  if (!a || !b) return NULL;
  hull h = {.any = false};
  mpz_inits(h.lo, h.hi, h.t, (mpz_ptr)NULL);
  corner(OP_MUL, &h, a->lo, b->lo);
  corner(OP_MUL, &h, a->lo, b->hi);
  corner(OP_MUL, &h, a->hi, b->lo);
  corner(OP_MUL, &h, a->hi, b->hi);
  const ir_range *r = ir_range_get(m, h.lo, h.hi);
  mpz_clears(h.lo, h.hi, h.t, (mpz_ptr)NULL);
  return r;
}

const ir_range *ir_range_square(ir_module *m, const ir_range *a) {
  const ir_range *r = times(m, a, a);
  if (!r || mpz_sgn(r->lo) >= 0) return r;
  mpz_t zero;
  mpz_init(zero);
  r = ir_range_get(m, zero, r->hi);
  mpz_clear(zero);
  return r;
}

/* The interval product is associative, so squaring steps are exact. */
static const ir_range *power(ir_module *m, const ir_range *a, uint64_t n) {
  const ir_range *r = ir_range_si(m, 1, 1), *sq = a;
  for (; n && r; n >>= 1) {
    if (n & 1) r = times(m, r, sq);
    if (n > 1) sq = times(m, sq, sq);
  }
  return r;
}

static const ir_range *computed(ir_module *m, ir_op op, const ir_range *a,
                                const ir_range *b, uint64_t inner) {
  hull h = {.any = false};
  bool ok = true;
  mpz_inits(h.lo, h.hi, h.t, (mpz_ptr)NULL);
  switch (op) {
  case OP_ADD:
    mpz_add(h.lo, a->lo, b->lo);
    mpz_add(h.hi, a->hi, b->hi);
    break;
  case OP_SUB:
    mpz_sub(h.lo, a->lo, b->hi);
    mpz_sub(h.hi, a->hi, b->lo);
    break;
  case OP_NEG:
    mpz_neg(h.lo, a->hi);
    mpz_neg(h.hi, a->lo);
    break;
  case OP_SUM:
    mpz_mul_ui(h.lo, a->lo, inner);
    mpz_mul_ui(h.hi, a->hi, inner);
    break;
  case OP_DIV:
  case OP_RDIV: quotients(op, &h, a, b); break;
  case OP_MOD: remainders(&h, a, b); break;
  case OP_ISQRT:
    if (mpz_sgn(a->lo) > 0) mpz_sqrt(h.lo, a->lo);
    if (mpz_sgn(a->hi) > 0) mpz_sqrt(h.hi, a->hi);
    break;
  case OP_AND:
  case OP_OR:
  case OP_XOR: bitwise(op, &h, a, b); break;
  default: ok = shifts(op, &h, a, b); break;
  }
  const ir_range *r = ok ? ir_range_get(m, h.lo, h.hi) : NULL;
  mpz_clears(h.lo, h.hi, h.t, (mpz_ptr)NULL);
  return r;
}

const ir_range *ir_range_of(ir_module *m, ir_op op, const ir_range *a,
                            const ir_range *b, uint64_t inner) {
  switch (op) {
  case OP_EQ:
  case OP_LT:
  case OP_LE: return ir_range_si(m, 0, 1);
  case OP_SELECT:
  case OP_PUT:
  case OP_CONCAT: return ir_range_hull(m, a, b);
  case OP_VIEW:
  case OP_GET:
  case OP_GATHER:
  case OP_ENC:
  case OP_HIDE:
  case OP_LIFT:
  case OP_REDUCE:
  case OP_OPEN:
  case OP_SETTLE:
  case OP_WROTE: return a;
  case OP_MUL: return times(m, a, b);
  case OP_PROD: return a ? power(m, a, inner) : NULL;
  case OP_NEG:
  case OP_SUM:
  case OP_ISQRT: return a ? computed(m, op, a, NULL, inner) : NULL;
  case OP_ADD:
  case OP_SUB:
  case OP_DIV:
  case OP_MOD:
  case OP_RDIV:
  case OP_AND:
  case OP_OR:
  case OP_XOR:
  case OP_SHL:
  case OP_SHR: return a && b ? computed(m, op, a, b, 0) : NULL;
  default: return NULL;
  }
}

/* x / 0 = 0 and x mod 0 = x if the divisor is a share. */
static const ir_range *by_zero(ir_module *m, const ir_inst *i,
                               const ir_range *r) {
  const ir_range *a = i->arg[0]->ty.range, *b = i->arg[1]->ty.range;
  if (i->arg[1]->ty.kind != KIND_SH || !a || !b || mpz_sgn(b->lo) > 0 ||
      mpz_sgn(b->hi) < 0)
    return r;
  return ir_range_hull(m, r, i->op == OP_MOD ? a : ir_range_si(m, 0, 0));
}

unsigned ir_turn_of(const ir_range *r) {
  if (!ir_range_is_int64(r) || mpz_sgn(r->lo) < 0 ||
      mpz_cmp_si(r->hi, IR_TURNS * IR_PERMS_MAX) >= 0)
    return IR_TURNS;
  int64_t lo = mpz_get_si(r->lo) / IR_PERMS_MAX;
  return lo == mpz_get_si(r->hi) / IR_PERMS_MAX ? (unsigned)lo : IR_TURNS;
}

const ir_range *ir_inst_range(ir_module *m, const ir_inst *i) {
  const ir_range *r;
  if (i->nres && i->res[0]->ty.dom == DOM_B) return NULL;
  switch (i->op) {
  case OP_DIGITS:
  case OP_ONEHOT:
  case OP_XDEAL:
  case OP_XJOIN:
  case OP_BDEAL: return ir_range_si(m, 0, 1);
  case OP_PACK: return ir_range_bits(m, i->at.bits, false);
  case OP_PERM:
    return ir_range_si(m, i->at.off * IR_PERMS_MAX,
                       (i->at.off + 1) * IR_PERMS_MAX - 1);
  case OP_SHUFFLE:
  case OP_UNSHUFFLE: return i->arg[0]->ty.range;
  case OP_DIV:
  case OP_MOD:
    return by_zero(m, i, ir_range_of(m, i->op, i->arg[0]->ty.range,
                                     i->arg[1]->ty.range, 0));
  case OP_CONST: return ir_range_get(m, i->at.imm, i->at.imm);
  case OP_TABLE: {
    uint64_t n = i->nres ? i->res[0]->ty.lanes : 0;
    mpz_srcptr lo = i->at.table[0], hi = lo;
    for (uint64_t k = 1; k < n; k++) {
      if (mpz_cmp(i->at.table[k], lo) < 0) lo = i->at.table[k];
      if (mpz_cmp(i->at.table[k], hi) > 0) hi = i->at.table[k];
    }
    return ir_range_get(m, lo, hi);
  }
  case OP_IOTA: return ir_range_si(m, 0, (int64_t)(i->res[0]->ty.lanes - 1));
  case OP_MUL:
    if (i->arg[0] == i->arg[1]) return ir_range_square(m, i->arg[0]->ty.range);
    return times(m, i->arg[0]->ty.range, i->arg[1]->ty.range);
  case OP_SELECT:
    return ir_range_hull(m, i->arg[1]->ty.range, i->arg[2]->ty.range);
  case OP_CONCAT:
    r = i->arg[0]->ty.range;
    for (uint32_t k = 1; k < i->narg; k++)
      r = ir_range_hull(m, r, i->arg[k]->ty.range);
    return r;
  default:
    return ir_range_of(m, i->op, i->narg ? i->arg[0]->ty.range : NULL,
                       i->narg > 1 ? i->arg[1]->ty.range : NULL,
                       i->at.inner);
  }
}
