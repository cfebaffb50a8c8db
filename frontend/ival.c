#include "frontend/ival.h"

#include <string.h>

struct ival_set {
  arena *a;
  ival **slot;
  size_t nslot, count;
  mpz_t t[6]; /* scratch of the operations */
};

static void set_clear(void *p) {
  ival_set *s = p;
  for (int i = 0; i < 6; i++) mpz_clear(s->t[i]);
}

ival_set *ival_set_new(arena *a) {
  ival_set *s = ARENA_NEW(a, ival_set);
  s->a = a;
  s->nslot = 1024;
  s->slot = ARENA_ARR(a, ival *, s->nslot);
  for (int i = 0; i < 6; i++) mpz_init(s->t[i]);
  arena_defer(a, set_clear, s);
  return s;
}

static void copy_ro(arena *a, mpz_ptr dst, mpz_srcptr v) {
  size_t n = mpz_size(v);
  mp_limb_t *l = ARENA_ARR(a, mp_limb_t, n + 1);
  if (n) memcpy(l, mpz_limbs_read(v), n * sizeof *l);
  mpz_roinit_n(dst, l, mpz_sgn(v) < 0 ? -(mp_size_t)n : (mp_size_t)n);
}

static uint64_t hash_mpz(uint64_t h, mpz_srcptr v) {
  size_t n = mpz_size(v);
  h = (h ^ (uint64_t)(mpz_sgn(v) + 2)) * 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < n; i++) {
    h = (h ^ (uint64_t)mpz_getlimbn(v, (mp_size_t)i)) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
  }
  return h;
}

const ival *ival_get(ival_set *s, mpz_srcptr lo, mpz_srcptr hi) {
  uint64_t h = hash_mpz(hash_mpz(1, lo), hi);
  h ^= h >> 32;
  for (ival *v = s->slot[h & (s->nslot - 1)]; v; v = v->next)
    if (v->hash == h && !mpz_cmp(v->lo, lo) && !mpz_cmp(v->hi, hi)) return v;
  if (s->count * 2 > s->nslot) {
    size_t n = s->nslot * 2;
    ival **t = ARENA_ARR(s->a, ival *, n);
    for (size_t i = 0; i < s->nslot; i++)
      for (ival *v = s->slot[i], *nx; v; v = nx) {
        nx = v->next;
        v->next = t[v->hash & (n - 1)];
        t[v->hash & (n - 1)] = v;
      }
    s->slot = t;
    s->nslot = n;
  }
  ival *v = ARENA_NEW(s->a, ival);
  copy_ro(s->a, v->lo, lo);
  copy_ro(s->a, v->hi, hi);
  v->hash = h;
  v->next = s->slot[h & (s->nslot - 1)];
  s->slot[h & (s->nslot - 1)] = v;
  s->count++;
  return v;
}

const ival *ival_si(ival_set *s, int64_t lo, int64_t hi) {
  mpz_set_si(s->t[0], lo);
  mpz_set_si(s->t[1], hi);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_unsigned(ival_set *s, unsigned bits) {
  mpz_set_ui(s->t[0], 0);
  mpz_set_ui(s->t[1], 1);
  mpz_mul_2exp(s->t[1], s->t[1], bits);
  mpz_sub_ui(s->t[1], s->t[1], 1);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_signed(ival_set *s, unsigned bits) {
  mpz_set_ui(s->t[1], 1);
  mpz_mul_2exp(s->t[1], s->t[1], bits - 1);
  mpz_neg(s->t[0], s->t[1]);
  mpz_sub_ui(s->t[1], s->t[1], 1);
  return ival_get(s, s->t[0], s->t[1]);
}

bool ival_inside(const ival *in, const ival *out) {
  if (in == out) return true;
  return mpz_cmp(in->lo, out->lo) >= 0 && mpz_cmp(in->hi, out->hi) <= 0;
}

size_t ival_bits(const ival *v) {
  size_t a = mpz_sgn(v->lo) ? mpz_sizeinbase(v->lo, 2) : 0;
  size_t b = mpz_sgn(v->hi) ? mpz_sizeinbase(v->hi, 2) : 0;
  return a > b ? a : b;
}

bool ival_to_si(const ival *v, int64_t *out) {
  if (!ival_single(v) || !mpz_fits_slong_p(v->lo)) return false;
  *out = mpz_get_si(v->lo);
  return true;
}

const ival *ival_hull(ival_set *s, const ival *a, const ival *b) {
  if (a == b) return a;
  return ival_get(s, mpz_cmp(a->lo, b->lo) <= 0 ? a->lo : b->lo,
                  mpz_cmp(a->hi, b->hi) >= 0 ? a->hi : b->hi);
}

const ival *ival_meet(ival_set *s, const ival *a, const ival *b) {
  if (a == b) return b;
  mpz_srcptr lo = mpz_cmp(a->lo, b->lo) >= 0 ? a->lo : b->lo;
  mpz_srcptr hi = mpz_cmp(a->hi, b->hi) <= 0 ? a->hi : b->hi;
  return mpz_cmp(lo, hi) <= 0 ? ival_get(s, lo, hi) : b;
}

const ival *ival_add(ival_set *s, const ival *a, const ival *b) {
  mpz_add(s->t[0], a->lo, b->lo);
  mpz_add(s->t[1], a->hi, b->hi);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_sub(ival_set *s, const ival *a, const ival *b) {
  mpz_sub(s->t[0], a->lo, b->hi);
  mpz_sub(s->t[1], a->hi, b->lo);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_neg(ival_set *s, const ival *a) {
  mpz_neg(s->t[0], a->hi);
  mpz_neg(s->t[1], a->lo);
  return ival_get(s, s->t[0], s->t[1]);
}

/* Widens [t0, t1] by t2; the first value starts it. */
static void take(ival_set *s, bool *first) {
  if (*first || mpz_cmp(s->t[2], s->t[0]) < 0) mpz_set(s->t[0], s->t[2]);
  if (*first || mpz_cmp(s->t[2], s->t[1]) > 0) mpz_set(s->t[1], s->t[2]);
  *first = false;
}

const ival *ival_mul(ival_set *s, const ival *a, const ival *b) {
  if (ival_zero(a)) return a;
  if (ival_zero(b)) return b;
  bool first = true;
  mpz_srcptr x[2] = {a->lo, a->hi}, y[2] = {b->lo, b->hi};
  for (int i = 0; i < 4; i++) {
    mpz_mul(s->t[2], x[i & 1], y[i >> 1]);
    take(s, &first);
  }
  return ival_get(s, s->t[0], s->t[1]);
}

static const ival *quotient(ival_set *s, const ival *a, const ival *b,
                            void (*div)(mpz_ptr, mpz_srcptr, mpz_srcptr)) {
  /* The quotient is monotone in each operand on either side of 0, so its
   * extremes lie at the ends of the divisor's negative and positive part. */
  bool first = true;
  mpz_t e[4];
  int n = 0;
  for (int i = 0; i < 4; i++) mpz_init(e[i]);
  if (mpz_sgn(b->lo) < 0) {
    mpz_set(e[n++], b->lo);
    if (mpz_sgn(b->hi) < 0) mpz_set(e[n++], b->hi);
    else mpz_set_si(e[n++], -1);
  }
  if (mpz_sgn(b->hi) > 0) {
    mpz_set(e[n++], b->hi);
    if (mpz_sgn(b->lo) > 0) mpz_set(e[n++], b->lo);
    else mpz_set_si(e[n++], 1);
  }
  for (int i = 0; i < n; i++) {
    div(s->t[2], a->lo, e[i]);
    take(s, &first);
    div(s->t[2], a->hi, e[i]);
    take(s, &first);
  }
  for (int i = 0; i < 4; i++) mpz_clear(e[i]);
  if (first) return ival_si(s, 0, 0); /* the divisor is always 0 */
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_div(ival_set *s, const ival *a, const ival *b) {
  return quotient(s, a, b, mpz_tdiv_q);
}

void mpz_rdiv(mpz_t q, mpz_srcptr a, mpz_srcptr b) {
  mpz_t r, d;
  mpz_init(r);
  mpz_init(d);
  mpz_abs(d, b);
  mpz_fdiv_qr(q, r, a, d); /* a = q d + r, 0 <= r < d */
  mpz_mul_2exp(r, r, 1);
  int c = mpz_cmp(r, d);
  if (c > 0 || (c == 0 && mpz_odd_p(q))) mpz_add_ui(q, q, 1);
  if (mpz_sgn(b) < 0) mpz_neg(q, q); /* half-even is symmetric */
  mpz_clear(r);
  mpz_clear(d);
}

static void rdiv_op(mpz_ptr q, mpz_srcptr a, mpz_srcptr b) {
  mpz_rdiv(q, a, b);
}

const ival *ival_rdiv(ival_set *s, const ival *a, const ival *b) {
  return quotient(s, a, b, rdiv_op);
}

const ival *ival_mod(ival_set *s, const ival *a, const ival *b) {
  if (ival_single(a) && ival_single(b) && mpz_sgn(b->lo)) {
    mpz_tdiv_r(s->t[0], a->lo, b->lo);
    return ival_get(s, s->t[0], s->t[0]);
  }
  /* |r| < max|b|, r has the sign of a, |r| <= |a| */
  mpz_abs(s->t[2], b->lo);
  mpz_abs(s->t[3], b->hi);
  if (mpz_cmp(s->t[3], s->t[2]) > 0) mpz_set(s->t[2], s->t[3]);
  if (mpz_sgn(s->t[2])) mpz_sub_ui(s->t[2], s->t[2], 1);
  if (ival_single(b) && mpz_sgn(a->lo) >= 0 && mpz_cmp(a->hi, s->t[2]) <= 0)
    return a;
  mpz_neg(s->t[0], s->t[2]);
  if (mpz_cmp(a->lo, s->t[0]) > 0)
    mpz_set(s->t[0], mpz_sgn(a->lo) < 0 ? a->lo : s->t[0]);
  if (mpz_sgn(a->lo) >= 0) mpz_set_ui(s->t[0], 0);
  mpz_set(s->t[1], s->t[2]);
  if (mpz_cmp(a->hi, s->t[1]) < 0) mpz_set(s->t[1], a->hi);
  if (mpz_sgn(a->hi) <= 0) mpz_set_ui(s->t[1], 0);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_shl(ival_set *s, const ival *a, unsigned long bits) {
  mpz_mul_2exp(s->t[0], a->lo, bits);
  mpz_mul_2exp(s->t[1], a->hi, bits);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_shr(ival_set *s, const ival *a, unsigned long bits) {
  mpz_fdiv_q_2exp(s->t[0], a->lo, bits);
  mpz_fdiv_q_2exp(s->t[1], a->hi, bits);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_and(ival_set *s, const ival *a, const ival *b) {
  if (ival_single(a) && ival_single(b)) {
    mpz_and(s->t[0], a->lo, b->lo);
    return ival_get(s, s->t[0], s->t[0]);
  }
  mpz_set_ui(s->t[0], 0);
  mpz_set(s->t[1], mpz_cmp(a->hi, b->hi) < 0 ? a->hi : b->hi);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_or(ival_set *s, const ival *a, const ival *b) {
  size_t n = ival_bits(a) > ival_bits(b) ? ival_bits(a) : ival_bits(b);
  return ival_unsigned(s, (unsigned)n);
}

const ival *ival_abs(ival_set *s, const ival *a) {
  if (mpz_sgn(a->lo) >= 0) return a;
  if (mpz_sgn(a->hi) <= 0) return ival_neg(s, a);
  mpz_neg(s->t[1], a->lo);
  if (mpz_cmp(a->hi, s->t[1]) > 0) mpz_set(s->t[1], a->hi);
  mpz_set_ui(s->t[0], 0);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_min(ival_set *s, const ival *a, const ival *b) {
  return ival_get(s, mpz_cmp(a->lo, b->lo) < 0 ? a->lo : b->lo,
                  mpz_cmp(a->hi, b->hi) < 0 ? a->hi : b->hi);
}

const ival *ival_max(ival_set *s, const ival *a, const ival *b) {
  return ival_get(s, mpz_cmp(a->lo, b->lo) > 0 ? a->lo : b->lo,
                  mpz_cmp(a->hi, b->hi) > 0 ? a->hi : b->hi);
}

const ival *ival_sqrt(ival_set *s, const ival *a) {
  if (mpz_sgn(a->lo) > 0) mpz_sqrt(s->t[0], a->lo);
  else mpz_set_ui(s->t[0], 0);
  if (mpz_sgn(a->hi) > 0) mpz_sqrt(s->t[1], a->hi);
  else mpz_set_ui(s->t[1], 0);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_pow(ival_set *s, const ival *a, unsigned long e) {
  if (e == 0) return ival_si(s, 1, 1);
  mpz_pow_ui(s->t[0], a->lo, e);
  mpz_pow_ui(s->t[1], a->hi, e);
  if (e % 2 == 0 && mpz_sgn(a->lo) < 0) {
    if (mpz_cmp(s->t[0], s->t[1]) > 0) mpz_swap(s->t[0], s->t[1]);
    if (mpz_sgn(a->hi) >= 0) mpz_set_ui(s->t[0], 0);
  }
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_times(ival_set *s, const ival *a, mpz_srcptr nlo,
                       mpz_srcptr nhi) {
  mpz_mul(s->t[0], a->lo, mpz_sgn(a->lo) < 0 ? nhi : nlo);
  mpz_mul(s->t[1], a->hi, mpz_sgn(a->hi) < 0 ? nlo : nhi);
  return ival_get(s, s->t[0], s->t[1]);
}

const ival *ival_scale_up(ival_set *s, const ival *a, unsigned long bits) {
  return ival_shl(s, a, bits);
}

const ival *ival_scale_down(ival_set *s, const ival *a, unsigned long bits) {
  if (bits == 0) return a;
  mpz_t d;
  mpz_init_set_ui(d, 1);
  mpz_mul_2exp(d, d, bits);
  mpz_rdiv(s->t[0], a->lo, d);
  mpz_rdiv(s->t[1], a->hi, d);
  mpz_clear(d);
  return ival_get(s, s->t[0], s->t[1]);
}

/* N if v is exactly uN (sign 0) or iN (sign 1), else 0. */
static unsigned exact_width(const ival *v, bool *sign) {
  *sign = mpz_sgn(v->lo) < 0;
  size_t n = mpz_sgn(v->hi) > 0 ? mpz_sizeinbase(v->hi, 2) : 0;
  if (mpz_sgn(v->hi) < 0 || n > 100000) return 0;
  if (n && mpz_popcount(v->hi) != n) return 0;
  if (!*sign) return mpz_sgn(v->lo) == 0 ? (unsigned)n : 0;
  mpz_t t;
  mpz_init(t);
  mpz_com(t, v->hi); /* -hi - 1 */
  bool ok = mpz_cmp(t, v->lo) == 0;
  mpz_clear(t);
  return ok ? (unsigned)n + 1 : 0;
}

void ival_print(const ival *v, buf *out) {
  bool sign;
  if (ival_single(v)) {
    buf_mpz(out, v->lo);
  } else {
    unsigned w = exact_width(v, &sign);
    if (w) {
      buf_printf(out, "%c%u", sign ? 'i' : 'u', w);
    } else {
      buf_mpz(out, v->lo);
      buf_puts(out, "..");
      buf_mpz(out, v->hi);
    }
  }
}

void ival_suggest(const ival *v, buf *out) {
  size_t hi = mpz_sgn(v->hi) > 0 ? mpz_sizeinbase(v->hi, 2) : 0;
  if (mpz_sgn(v->lo) >= 0) {
    buf_printf(out, "u%zu", hi ? hi : 1);
    return;
  }
  mpz_t t;
  mpz_init(t);
  mpz_com(t, v->lo); /* -lo - 1 needs one bit less than the type */
  size_t lo = mpz_sgn(t) > 0 ? mpz_sizeinbase(t, 2) : 0;
  mpz_clear(t);
  buf_printf(out, "i%zu", (hi > lo ? hi : lo) + 1);
}

unsigned ival_key_bits(ival_set *s, const ival *x) {
  const ival *y = ival_sub(s, x, ival_get(s, x->lo, x->lo));
  unsigned n = (unsigned)mpz_sizeinbase(y->hi, 2);
  return n ? n : 1;
}
