/* Elements of the field that emitted C works in, and public integers that are
 * wider than a word.  Part of chi_gen.h, as unstable as that.
 */
#ifndef CHI_FE_H
#define CHI_FE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "chi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The field: 2^61 - 1 unless these are defined before this header,
 *   CHI_MERSENNE 127                        2^127 - 1
 *   CHI_PRIME_WORDS n, CHI_PRIME {l0, ..}   any, its n limbs, least first
 * and CHI_MERSENNE 3, 5, 7, 13 or 31 in tests, where libchi has to match. */
#ifdef CHI_PRIME_WORDS
#undef CHI_MERSENNE
#define CHI_MERSENNE 0
#define CHI_FE_WORDS CHI_PRIME_WORDS
#define CHI_FIELD_INIT {0, CHI_PRIME_WORDS, chi_f_prime}
#else
#ifndef CHI_MERSENNE
#define CHI_MERSENNE 61
#endif
#if CHI_MERSENNE == 127
#define CHI_FE_WORDS 2
#elif CHI_MERSENNE == 3 || CHI_MERSENNE == 5 || CHI_MERSENNE == 7 ||           \
    CHI_MERSENNE == 13 || CHI_MERSENNE == 31 || CHI_MERSENNE == 61
#define CHI_FE_WORDS 1
#else
#error "CHI_MERSENNE: 2^k - 1 must be prime, k one of 3 5 7 13 31 61 127"
#endif
#define CHI_FIELD_INIT {CHI_MERSENNE, CHI_FE_WORDS, 0}
#endif

#if defined(__GNUC__)
#define CHI_GEN_INLINE inline __attribute__((always_inline, unused))
#else
#define CHI_GEN_INLINE inline
#endif

/* ---- public integers up to 1024 bits: CHI_WIDE_WORDS words each ------------
 * Word 0 is the sign (-1, 0, 1 as int64_t), words 1..16 the magnitude.  Results
 * must fit (the compiler proved it); r may be an operand.  Time depends on the
 * values: they are public. */
CHI_API void chi_wide_set_i64(uint64_t *r, int64_t a);
/* Low 64 bits, two's complement: the value if it fits int64_t. */
CHI_API int64_t chi_wide_get_i64(const uint64_t *a);
CHI_API int chi_wide_fits_i64(const uint64_t *a);
/* From a sign and n <= 16 limbs, least significant first. */
CHI_API void chi_wide_set_limbs(uint64_t *r, int sign, const uint64_t *limb,
                                unsigned n);
CHI_API void chi_wide_copy(uint64_t *r, const uint64_t *a);
CHI_API void chi_wide_add(uint64_t *r, const uint64_t *a, const uint64_t *b);
CHI_API void chi_wide_sub(uint64_t *r, const uint64_t *a, const uint64_t *b);
CHI_API void chi_wide_neg(uint64_t *r, const uint64_t *a);
CHI_API void chi_wide_mul(uint64_t *r, const uint64_t *a, const uint64_t *b);
/* Quotient towards zero and its remainder (sign of a); b != 0. */
CHI_API void chi_wide_tdiv(uint64_t *r, const uint64_t *a, const uint64_t *b);
CHI_API void chi_wide_tmod(uint64_t *r, const uint64_t *a, const uint64_t *b);
/* Quotient to nearest, ties to even; b != 0. */
CHI_API void chi_wide_rdiv(uint64_t *r, const uint64_t *a, const uint64_t *b);
/* -1, 0, 1. */
CHI_API int chi_wide_cmp(const uint64_t *a, const uint64_t *b);
/* a * 2^n; floor(a / 2^n). */
CHI_API void chi_wide_shl(uint64_t *r, const uint64_t *a, uint64_t n);
CHI_API void chi_wide_shr(uint64_t *r, const uint64_t *a, uint64_t n);
/* a, b >= 0. */
CHI_API void chi_wide_and(uint64_t *r, const uint64_t *a, const uint64_t *b);
CHI_API void chi_wide_or(uint64_t *r, const uint64_t *a, const uint64_t *b);
CHI_API void chi_wide_xor(uint64_t *r, const uint64_t *a, const uint64_t *b);
/* a >= 0. */
CHI_API void chi_wide_isqrt(uint64_t *r, const uint64_t *a);
/* As chi_z_wrap, 1 <= bits <= 1024. */
CHI_API void chi_wide_wrap(uint64_t *r, const uint64_t *a, unsigned bits,
                           int is_signed);

/* ---- F_p: arguments and results canonical, in [0, p-1] ------------------
 *
 * chi_fe              an element of CHI_FE_WORDS words
 * CHI_FE(l0, ..)      from exactly so many limbs, least significant first
 * chi_fe_ld, _st      lane `lane` of a plane at base
 * chi_acc             sums of products.  Between two folds it takes 64 units: a
 *                     product of canonical elements is 1 unit, chi_acc_pr is 3
 *                     (21 calls), an element added counts as nothing up to 2^6
 *                     of them.
 *
 * In all fields: chi_f_add, sub, neg, mul, inv (0 gives 0), eq; chi_f_from_i64
 * of any int64_t; chi_acc_zero, of, mul, add, pr, fold.  For public elements:
 * chi_f_to_i64, the integer of least absolute value, INT64_MIN if that is
 * longer; chi_f_to_wide and chi_f_from_wide. */
#define CHI_ACC_UNITS 64
#define CHI_ACC_PAIRS 21

__extension__ typedef unsigned __int128 chi_u128;

/* Any prime p, of n limbs: in libchi. */
CHI_API void chi_big_add(uint64_t *r, const uint64_t *a, const uint64_t *b,
                         const uint64_t *p, unsigned n);
CHI_API void chi_big_sub(uint64_t *r, const uint64_t *a, const uint64_t *b,
                         const uint64_t *p, unsigned n);
CHI_API void chi_big_mul(uint64_t *r, const uint64_t *a, const uint64_t *b,
                         const uint64_t *p, unsigned n);
CHI_API void chi_big_inv(uint64_t *r, const uint64_t *a, const uint64_t *p,
                         unsigned n);
/* z: 2n + 1 limbs; + a * b, + a, mod p. */
CHI_API void chi_big_acc_mul(uint64_t *z, const uint64_t *a, const uint64_t *b,
                             unsigned n);
CHI_API void chi_big_acc_add(uint64_t *z, const uint64_t *a, unsigned n);
CHI_API void chi_big_fold(uint64_t *r, const uint64_t *z, const uint64_t *p,
                          unsigned n);
CHI_API void chi_big_from_i64(uint64_t *r, int64_t v, const uint64_t *p,
                              unsigned n);
CHI_API int64_t chi_big_to_i64(const uint64_t *a, const uint64_t *p,
                               unsigned n);
CHI_API void chi_big_to_wide(uint64_t *r, const uint64_t *a, const uint64_t *p,
                             unsigned n);
CHI_API void chi_big_from_wide(uint64_t *r, const uint64_t *a,
                               const uint64_t *p, unsigned n);

#if CHI_FE_WORDS == 1 && CHI_MERSENNE /* ---- 2^61 - 1, and smaller in tests */

#define CHI_P ((UINT64_C(1) << CHI_MERSENNE) - 1)
typedef uint64_t chi_fe;
#define CHI_FE(l0) ((chi_fe)(l0))

/* A product with one factor below 2^62 is 2 units.  64 (2^61-2)^2 = 2^128 -
 * 2^69 + 256. */
typedef chi_u128 chi_acc;

static CHI_GEN_INLINE chi_fe chi_fe_ld(const uint64_t *base, uint64_t lane) {
  return base[lane];
}

static CHI_GEN_INLINE void chi_fe_st(uint64_t *base, uint64_t lane, chi_fe v) {
  base[lane] = v;
}

static CHI_GEN_INLINE uint64_t chi_f_cond_sub(uint64_t r) { /* r < 2p */
  uint64_t d = r - CHI_P;
  return d + (CHI_P & (0 - (d >> 63)));
}

static CHI_GEN_INLINE uint64_t chi_f_add(uint64_t a, uint64_t b) {
  return chi_f_cond_sub(a + b);
}

static CHI_GEN_INLINE uint64_t chi_f_sub(uint64_t a, uint64_t b) {
  uint64_t d = a - b;
  return d + (CHI_P & (0 - (d >> 63)));
}

static CHI_GEN_INLINE uint64_t chi_f_neg(uint64_t a) {
  return chi_f_sub(0, a);
}

/* Any 128-bit number to its canonical residue. */
static CHI_GEN_INLINE uint64_t chi_acc_fold(chi_acc z) {
#if CHI_MERSENNE == 61
  uint64_t r = ((uint64_t)z & CHI_P) + ((uint64_t)(z >> 61) & CHI_P) +
               (uint64_t)(z >> 122); /* < 2^62 + 2^6 */
  r = (r & CHI_P) + (r >> 61);       /* < 2^61 + 2 */
  return chi_f_cond_sub(r);
#else
  /* division by a constant: multiplications and shifts */
  uint64_t hi = (uint64_t)(z >> 64) % CHI_P, lo = (uint64_t)z % CHI_P;
  return (hi * (UINT64_C(1) << (64 % CHI_MERSENNE)) + lo) % CHI_P;
#endif
}

/* z < 2^124: one fold less. */
static CHI_GEN_INLINE uint64_t chi_f_fold124(chi_acc z) {
#if CHI_MERSENNE == 61
  uint64_t r = ((uint64_t)z & CHI_P) + (uint64_t)(z >> 61); /* < 2^63+2^61 */
  r = (r & CHI_P) + (r >> 61);
  return chi_f_cond_sub(r);
#else
  return chi_acc_fold(z);
#endif
}

static CHI_GEN_INLINE uint64_t chi_f_mul(uint64_t a, uint64_t b) {
  return chi_f_fold124((chi_acc)a * b);
}

/* Any int64_t; negative v is p - |v| mod p. */
static CHI_GEN_INLINE uint64_t chi_f_from_i64(int64_t v) {
  uint64_t neg = 0 - ((uint64_t)v >> 63); /* all ones if v < 0 */
  uint64_t mag = ((uint64_t)v ^ neg) - neg;
  uint64_t r = chi_acc_fold(mag);
  return (r & ~neg) | (chi_f_neg(r) & neg);
}

static CHI_GEN_INLINE int64_t chi_f_to_i64(uint64_t v) {
  return (int64_t)(v - (CHI_P & (0 - (uint64_t)(v > CHI_P / 2))));
}

static CHI_GEN_INLINE void chi_f_to_wide(uint64_t *r, chi_fe v) {
  chi_wide_set_i64(r, chi_f_to_i64(v));
}

static CHI_GEN_INLINE chi_fe chi_f_from_wide(const uint64_t *a) {
  uint64_t r = 0; /* Horner over limbs, 2^64 = 2^(64 mod k) */
  int i;
  for (i = CHI_WIDE_LIMBS; i >= 1; i--)
    r = chi_acc_fold(((chi_acc)r << (64 % CHI_MERSENNE)) + a[i]);
  return (int64_t)a[0] < 0 ? chi_f_neg(r) : r;
}

static CHI_GEN_INLINE chi_acc chi_acc_zero(void) { return 0; }

static CHI_GEN_INLINE chi_acc chi_acc_of(chi_fe a) { return a; }

/* z + a * b: 1 unit. */
static CHI_GEN_INLINE chi_acc chi_acc_mul(chi_acc z, uint64_t a, uint64_t b) {
  return z + (chi_acc)a * b;
}

/* z + a. */
static CHI_GEN_INLINE chi_acc chi_acc_add(chi_acc z, uint64_t a) {
  return z + a;
}

/* z + a (b + c) + d b, the sums of a local product: 3 units. */
static CHI_GEN_INLINE chi_acc chi_acc_cross(chi_acc z, chi_fe a, chi_fe b,
                                            chi_fe c, chi_fe d) {
  return z + (chi_acc)a * (b + c) + (chi_acc)d * b; /* b + c < 2^62 */
}

static CHI_GEN_INLINE chi_fe chi_f_cross(chi_fe a, chi_fe b, chi_fe c,
                                         chi_fe d) { /* < 2^123 + 2^122 */
  return chi_f_fold124((chi_acc)a * (b + c) + (chi_acc)d * b);
}

#elif CHI_MERSENNE == 127 /* ---- 2^127 - 1 */

#define CHI_P (((chi_u128)1 << 127) - 1)
typedef chi_u128 chi_fe;
#define CHI_FE(l0, l1) ((chi_fe)(uint64_t)(l1) << 64 | (uint64_t)(l0))

/* lo + hi 2^128 of numbers that are reduced below 2^128 one by one: far more
 * than 64. */
typedef struct chi_acc {
  chi_u128 lo;
  uint64_t hi;
} chi_acc;

static CHI_GEN_INLINE chi_fe chi_fe_ld(const uint64_t *base, uint64_t lane) {
  return CHI_FE(base[2 * lane], base[2 * lane + 1]);
}

static CHI_GEN_INLINE void chi_fe_st(uint64_t *base, uint64_t lane, chi_fe v) {
  base[2 * lane] = (uint64_t)v;
  base[2 * lane + 1] = (uint64_t)(v >> 64);
}

static CHI_GEN_INLINE chi_fe chi_f_cond_sub(chi_fe r) { /* r < 2p */
  chi_fe d = r - CHI_P;
  return d + (CHI_P & (0 - (d >> 127)));
}

static CHI_GEN_INLINE chi_fe chi_f_add(chi_fe a, chi_fe b) {
  return chi_f_cond_sub(a + b);
}

static CHI_GEN_INLINE chi_fe chi_f_sub(chi_fe a, chi_fe b) {
  chi_fe d = a - b;
  return d + (CHI_P & (0 - (d >> 127)));
}

static CHI_GEN_INLINE chi_fe chi_f_neg(chi_fe a) { return chi_f_sub(0, a); }

/* a b for a, b <= p, as (a b mod 2^127) + floor(a b / 2^127) < 2^128 - 2. */
static CHI_GEN_INLINE chi_u128 chi_f_mul_lazy(chi_fe a, chi_fe b) {
  uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64);
  uint64_t b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
  chi_u128 lo = (chi_u128)a0 * b0;
  chi_u128 mid = (chi_u128)a0 * b1 + (chi_u128)a1 * b0; /* < 2^128: a1 < 2^63 */
  chi_u128 hi = (chi_u128)a1 * b1 + (mid >> 64);
  chi_u128 low = lo + (mid << 64);
  hi += low < lo; /* a carry: no branch */
  return (low & CHI_P) + (hi << 1 | low >> 127);
}

static CHI_GEN_INLINE chi_fe chi_f_mul(chi_fe a, chi_fe b) {
  return chi_f_cond_sub(chi_f_mul_lazy(a, b)); /* <= p + (p - 3) */
}

static CHI_GEN_INLINE chi_acc chi_acc_zero(void) {
  chi_acc z = {0, 0};
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_of(chi_fe a) {
  chi_acc z = {a, 0};
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_add(chi_acc z, chi_u128 a) {
  z.lo += a;
  z.hi += z.lo < a;
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_mul(chi_acc z, chi_fe a, chi_fe b) {
  return chi_acc_add(z, chi_f_mul_lazy(a, b));
}

/* hi < 2^62: 2^128 = 2. */
static CHI_GEN_INLINE chi_fe chi_acc_fold(chi_acc z) {
  chi_u128 r = (z.lo & CHI_P) + (z.lo >> 127) + ((chi_u128)z.hi << 1);
  r = (r & CHI_P) + (r >> 127);
  return chi_f_cond_sub(r);
}

static CHI_GEN_INLINE chi_acc chi_acc_cross(chi_acc z, chi_fe a, chi_fe b,
                                            chi_fe c, chi_fe d) {
  return chi_acc_mul(chi_acc_mul(z, a, chi_f_add(b, c)), d, b);
}

static CHI_GEN_INLINE chi_fe chi_f_cross(chi_fe a, chi_fe b, chi_fe c,
                                         chi_fe d) {
  return chi_f_add(chi_f_mul(a, chi_f_add(b, c)), chi_f_mul(d, b));
}

static CHI_GEN_INLINE chi_fe chi_f_from_i64(int64_t v) {
  uint64_t neg = 0 - ((uint64_t)v >> 63); /* all ones if v < 0 */
  chi_fe r = ((uint64_t)v ^ neg) - neg, m = (chi_fe)0 - (neg & 1);
  return (r & ~m) | (chi_f_neg(r) & m);
}

static CHI_GEN_INLINE int64_t chi_f_to_i64(chi_fe v) {
  chi_fe mag = v > CHI_P / 2 ? CHI_P - v : v;
  if (mag >> 63)
    return INT64_MIN;
  return v > CHI_P / 2 ? -(int64_t)mag : (int64_t)mag;
}

static CHI_GEN_INLINE void chi_f_to_wide(uint64_t *r, chi_fe v) {
  uint64_t limb[2];
  chi_fe_st(limb, 0, v > CHI_P / 2 ? CHI_P - v : v);
  chi_wide_set_limbs(r, v > CHI_P / 2 ? -1 : v != 0, limb, 2);
}

static CHI_GEN_INLINE chi_fe chi_f_from_wide(const uint64_t *a) {
  chi_fe r = 0; /* Horner over pairs of limbs, 2^128 = 2 */
  int i;
  for (i = CHI_WIDE_LIMBS / 2 - 1; i >= 0; i--)
    r = chi_acc_fold(chi_acc_add(chi_acc_of(chi_f_add(r, r)),
                                 chi_fe_ld(a + 1, (uint64_t)i)));
  return (int64_t)a[0] < 0 ? chi_f_neg(r) : r;
}

#else /* ---- any prime */

#define CHI_N CHI_PRIME_WORDS
#if defined(__GNUC__)
__attribute__((unused))
#endif
static const uint64_t chi_f_prime[CHI_N] = CHI_PRIME;
typedef struct chi_fe {
  uint64_t w[CHI_N];
} chi_fe;
#ifdef __cplusplus
#define CHI_FE(...) (chi_fe{{__VA_ARGS__}})
#else
#define CHI_FE(...) ((chi_fe){{__VA_ARGS__}})
#endif
typedef struct chi_acc {
  uint64_t w[2 * CHI_N + 1];
} chi_acc;

static CHI_GEN_INLINE chi_fe chi_fe_ld(const uint64_t *base, uint64_t lane) {
  chi_fe v;
  memcpy(v.w, base + lane * CHI_N, sizeof v.w);
  return v;
}

static CHI_GEN_INLINE void chi_fe_st(uint64_t *base, uint64_t lane, chi_fe v) {
  memcpy(base + lane * CHI_N, v.w, sizeof v.w);
}

static CHI_GEN_INLINE chi_fe chi_f_add(chi_fe a, chi_fe b) {
  chi_big_add(a.w, a.w, b.w, chi_f_prime, CHI_N);
  return a;
}

static CHI_GEN_INLINE chi_fe chi_f_sub(chi_fe a, chi_fe b) {
  chi_big_sub(a.w, a.w, b.w, chi_f_prime, CHI_N);
  return a;
}

static CHI_GEN_INLINE chi_fe chi_f_neg(chi_fe a) {
  chi_fe zero;
  memset(&zero, 0, sizeof zero);
  return chi_f_sub(zero, a);
}

static CHI_GEN_INLINE chi_fe chi_f_mul(chi_fe a, chi_fe b) {
  chi_big_mul(a.w, a.w, b.w, chi_f_prime, CHI_N);
  return a;
}

static CHI_GEN_INLINE chi_fe chi_f_inv(chi_fe a) {
  chi_big_inv(a.w, a.w, chi_f_prime, CHI_N);
  return a;
}

static CHI_GEN_INLINE chi_fe chi_f_from_i64(int64_t v) {
  chi_fe r;
  chi_big_from_i64(r.w, v, chi_f_prime, CHI_N);
  return r;
}

static CHI_GEN_INLINE int64_t chi_f_to_i64(chi_fe v) {
  return chi_big_to_i64(v.w, chi_f_prime, CHI_N);
}

static CHI_GEN_INLINE void chi_f_to_wide(uint64_t *r, chi_fe v) {
  chi_big_to_wide(r, v.w, chi_f_prime, CHI_N);
}

static CHI_GEN_INLINE chi_fe chi_f_from_wide(const uint64_t *a) {
  chi_fe r;
  chi_big_from_wide(r.w, a, chi_f_prime, CHI_N);
  return r;
}

static CHI_GEN_INLINE chi_acc chi_acc_zero(void) {
  chi_acc z;
  memset(&z, 0, sizeof z);
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_of(chi_fe a) {
  chi_acc z = chi_acc_zero();
  memcpy(z.w, a.w, sizeof a.w);
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_mul(chi_acc z, chi_fe a, chi_fe b) {
  chi_big_acc_mul(z.w, a.w, b.w, CHI_N);
  return z;
}

static CHI_GEN_INLINE chi_acc chi_acc_add(chi_acc z, chi_fe a) {
  chi_big_acc_add(z.w, a.w, CHI_N);
  return z;
}

static CHI_GEN_INLINE chi_fe chi_acc_fold(chi_acc z) {
  chi_fe r;
  chi_big_fold(r.w, z.w, chi_f_prime, CHI_N);
  return r;
}

static CHI_GEN_INLINE chi_acc chi_acc_cross(chi_acc z, chi_fe a, chi_fe b,
                                            chi_fe c, chi_fe d) {
  return chi_acc_mul(chi_acc_mul(z, a, chi_f_add(b, c)), d, b);
}

static CHI_GEN_INLINE chi_fe chi_f_cross(chi_fe a, chi_fe b, chi_fe c,
                                         chi_fe d) {
  return chi_acc_fold(chi_acc_cross(chi_acc_zero(), a, b, c, d));
}

#endif /* of the fields */

#if CHI_MERSENNE
static CHI_GEN_INLINE chi_fe chi_f_inv(chi_fe a) { /* a^(p-2) */
  chi_fe r = 1; /* p - 2 = 2^k - 3: all bits set but bit 1 */
  int i;
  for (i = CHI_MERSENNE - 1; i >= 0; i--) {
    r = chi_f_mul(r, r);
    if (i != 1)
      r = chi_f_mul(r, a);
  }
  return r;
}

static CHI_GEN_INLINE int chi_f_eq(chi_fe a, chi_fe b) { return a == b; }

/* v if cond (0 or 1) is 1, else 0; x if cond is 1, else y. */
static CHI_GEN_INLINE chi_fe chi_fe_if(uint64_t cond, chi_fe v) {
  return v & ((chi_fe)0 - cond);
}

static CHI_GEN_INLINE chi_fe chi_fe_sel(uint64_t cond, chi_fe x, chi_fe y) {
  chi_fe m = (chi_fe)0 - cond;
  return (x & m) | (y & ~m);
}
#else
static CHI_GEN_INLINE int chi_f_eq(chi_fe a, chi_fe b) {
  uint64_t differ = 0;
  int i;
  for (i = 0; i < CHI_N; i++)
    differ |= a.w[i] ^ b.w[i];
  return differ == 0;
}

static CHI_GEN_INLINE chi_fe chi_fe_sel(uint64_t cond, chi_fe x, chi_fe y) {
  uint64_t m = 0 - cond;
  int i;
  for (i = 0; i < CHI_N; i++)
    x.w[i] = (x.w[i] & m) | (y.w[i] & ~m);
  return x;
}

static CHI_GEN_INLINE chi_fe chi_fe_if(uint64_t cond, chi_fe v) {
  int i;
  for (i = 0; i < CHI_N; i++)
    v.w[i] &= 0 - cond;
  return v;
}
#endif

#ifdef __cplusplus
}
#endif
#endif
