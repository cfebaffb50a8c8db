/* The compiler's private door into libchi: what emitted C includes.  Unstable;
 * CHI_ABI in every chi_program is checked when a session is made.
 *
 * Field arithmetic is inline, so that a loop over lanes reads shares and writes
 * the send buffer with nothing in between.  Everything on shares is branch-free
 * and free of secret-dependent addresses.
 */
#ifndef CHI_GEN_H
#define CHI_GEN_H

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

/* Protocol constants for the `P` argument below. */
#define CHI_GEN_REP3 CHI_REP3
#define CHI_GEN_SHAMIR CHI_SHAMIR
/* Lanes of one chunk of a reduction. */
#define CHI_GEN_CHUNK 4096

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

/* ---- shares ------------------------------------------------------------- */

/* One lane of a share.  REP3: x = x_0+x_1+x_2, party i has a = x_i and
 * b = x_{i+1}.  SHAMIR: a is the polynomial's value at i+1, b unused. */
typedef struct chi_sh {
  chi_fe a, b;
} chi_sh;

/* Lane l of the vector of `lanes` lanes at base. */
static CHI_GEN_INLINE chi_sh chi_sh_ld(int P, const uint64_t *base,
                                       uint64_t lanes, uint64_t l) {
  chi_sh x;
  x.a = chi_fe_ld(base, l);
  if (P == CHI_GEN_REP3)
    x.b = chi_fe_ld(base, lanes + l);
  else
    memset(&x.b, 0, sizeof x.b);
  return x;
}

static CHI_GEN_INLINE void chi_sh_st(int P, uint64_t *base, uint64_t lanes,
                                     uint64_t l, chi_sh x) {
  chi_fe_st(base, l, x.a);
  if (P == CHI_GEN_REP3)
    chi_fe_st(base, lanes + l, x.b);
}

static CHI_GEN_INLINE chi_sh chi_sh_add(int P, chi_sh x, chi_sh y) {
  x.a = chi_f_add(x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_add(x.b, y.b);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_sub(int P, chi_sh x, chi_sh y) {
  x.a = chi_f_sub(x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_sub(x.b, y.b);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_neg(int P, chi_sh x) {
  x.a = chi_f_neg(x.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_neg(x.b);
  return x;
}

/* Share times public element. */
static CHI_GEN_INLINE chi_sh chi_sh_mulp(int P, chi_sh x, chi_fe c) {
  x.a = chi_f_mul(x.a, c);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_mul(x.b, c);
  return x;
}

/* The trivial share of a public element: REP3 (c, 0, 0), SHAMIR the constant
 * polynomial. */
static CHI_GEN_INLINE chi_sh chi_sh_pub(int P, unsigned me, chi_fe c) {
  chi_sh x;
  x.a = P == CHI_GEN_REP3 ? chi_fe_if(me == 0, c) : c;
  x.b = chi_fe_if(P == CHI_GEN_REP3 && me == 2, c);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_addp(int P, unsigned me, chi_sh x,
                                         chi_fe c) {
  return chi_sh_add(P, x, chi_sh_pub(P, me, c));
}

/* Lane of x where cond (public, 0 or 1) is 1, else of y. */
static CHI_GEN_INLINE chi_sh chi_sh_sel(int P, uint64_t cond, chi_sh x,
                                        chi_sh y) {
  x.a = chi_fe_sel(cond, x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_fe_sel(cond, x.b, y.b);
  return x;
}

/* Local product, not yet a share: REP3 an additive term x_i y_i + x_i y_{i+1}
 * + x_{i+1} y_i, SHAMIR a value of degree 2t.  Sums, differences, negations and
 * public multiples of products are those of field elements. */
static CHI_GEN_INLINE chi_fe chi_pr_mul(int P, chi_sh x, chi_sh y) {
  if (P == CHI_GEN_REP3)
    return chi_f_cross(x.a, y.a, y.b, x.b);
  return chi_f_mul(x.a, y.a);
}

/* acc + local product: 3 units in REP3, 1 in SHAMIR; fold every CHI_ACC_PAIRS
 * calls. */
static CHI_GEN_INLINE chi_acc chi_acc_pr(int P, chi_acc z, chi_sh x,
                                         chi_sh y) {
  if (P == CHI_GEN_REP3)
    return chi_acc_cross(z, x.a, y.a, y.b, x.b);
  return chi_acc_mul(z, x.a, y.a);
}

/* A share seen as a product, so that it can be added to products. */
static CHI_GEN_INLINE chi_fe chi_pr_lift(int P, chi_sh x) {
  (void)P;
  return x.a;
}

/* Product plus public element. */
static CHI_GEN_INLINE chi_fe chi_pr_addp(int P, unsigned me, chi_fe z,
                                         chi_fe c) {
  if (P == CHI_GEN_REP3)
    c = chi_fe_if(me == 0, c);
  return chi_f_add(z, c);
}

/* ---- the context of a run ------------------------------------------------ */

typedef struct chi_session chi_gen;

/* The word arena; slots are word offsets into it. */
CHI_API uint64_t *chi_gen_words(chi_gen *g);
CHI_API unsigned chi_gen_me(const chi_gen *g);
/* CHI_GEN_REP3 or CHI_GEN_SHAMIR. */
CHI_API int chi_gen_protocol(const chi_gen *g);

/* One exchange.  Order of calls:
 *   chi_gen_begin(g, m, o)          m reduce lanes, o open lanes in total
 *   in any order, the same on all nodes:
 *     for each reduced value of L lanes at word dst (2 L elements):
 *       for off = 0, CHUNK, 2 CHUNK .. < L, n = min(CHUNK, L - off):
 *         z = chi_gen_reduce_open_chunk(g, dst, L, off, n);
 *         chi_fe_st(z, i, chi_fe_ld(z, i) + local product of lane off + i)
 *         chi_gen_reduce_close_chunk(g);
 *     chi_gen_open(g, dst, src, L)  L elements at dst (a public plane), share
 *                                   of L lanes at src
 *   chi_gen_end(g)                  0: all dst are valid; else return at once
 *
 * z is not zero at first: it holds the node's mask, so products are ADDED.
 * No dst may overlap another dst, an operand of a kernel of this exchange or
 * an open's src: peers' bytes arrive in dst while kernels still run.  An src
 * must not change before chi_gen_end.  After a failure inside an exchange all
 * calls stay harmless and chi_gen_end tells.  m = o = 0 costs nothing. */
CHI_API void chi_gen_begin(chi_gen *g, uint64_t m, uint64_t o);
CHI_API uint64_t *chi_gen_reduce_open_chunk(chi_gen *g, uint64_t dst,
                                            uint64_t lanes, uint64_t off,
                                            uint64_t n);
CHI_API void chi_gen_reduce_close_chunk(chi_gen *g);
CHI_API void chi_gen_open(chi_gen *g, uint64_t dst, uint64_t src,
                          uint64_t lanes);
CHI_API CHI_MUST_USE int chi_gen_end(chi_gen *g);

/* Tells share `src` (lanes lanes) to `identity`, a wide integer of 256 bits:
 * the public key's bytes, the first the most significant.  `output` indexes
 * the output table.  Not in an exchange.  Returns 0, else return at once. */
CHI_API CHI_MUST_USE int chi_gen_tell(chi_gen *g, uint32_t output,
                                      const uint64_t *identity, uint64_t src,
                                      uint64_t lanes);

/* A check at `site` failed: poisons the session, returns non-zero, to be
 * returned by run(). */
CHI_API CHI_MUST_USE int chi_gen_fail(chi_gen *g, uint32_t site);

/* ---- bits: the domain b, GF(2) -------------------------------------------
 *
 * A value of L lanes is, in words of 64 bits, W = ceil(L/64), V = ceil(L/8):
 *
 *   kind         rep3                          shamir
 *   CHI_B_PUB    W: lane l is bit l % 64 of    the same
 *                word l / 64
 *   CHI_B_SH     2 W: planes a = x_i and       V: byte l is the point at i + 1
 *                b = x_{i+1}; x = x_0^x_1^x_2  of a polynomial over GF(2^8)
 *   CHI_B_PROD   W: x_0^x_1^x_2 = x            V: a point of degree 2t
 *
 * Bits and bytes after the last lane are 0 in operands and results.  Integers
 * of `bits` bits and L lanes are plane-major: bit i of lane l is lane i L + l.
 *
 * Arguments are word offsets into the arena, but where a pointer is written.
 * dst may be an operand where that is said, and overlaps none otherwise.
 * Nothing here branches on a secret or addresses by one. */
enum { CHI_B_PUB, CHI_B_SH, CHI_B_PROD };

CHI_API uint64_t chi_gen_b_words(const chi_gen *g, int kind, uint64_t lanes);

/* Public: `bit` (0 or 1) in all lanes; W packed words. */
CHI_API void chi_gen_b_const(chi_gen *g, uint64_t dst, uint64_t lanes,
                             unsigned bit);
CHI_API void chi_gen_b_table(chi_gen *g, uint64_t dst, uint64_t lanes,
                             const uint64_t *words);
/* a ^ b, of one kind; dst may be a or b. */
CHI_API void chi_gen_b_add(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                           uint64_t b, uint64_t lanes);
/* a ^ p and a & p, p public; dst may be a (and p, if kind is PUB). */
CHI_API void chi_gen_b_addp(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                            uint64_t p, uint64_t lanes);
CHI_API void chi_gen_b_mulp(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                            uint64_t p, uint64_t lanes);
/* sh & sh: prod; acc ^ (sh & sh): prod, dst may be acc. */
CHI_API void chi_gen_b_mul(chi_gen *g, uint64_t dst, uint64_t a, uint64_t b,
                           uint64_t lanes);
CHI_API void chi_gen_b_muladd(chi_gen *g, uint64_t dst, uint64_t acc,
                              uint64_t a, uint64_t b, uint64_t lanes);
/* sh to prod; pub to sh. */
CHI_API void chi_gen_b_lift(chi_gen *g, uint64_t dst, uint64_t a,
                            uint64_t lanes);
CHI_API void chi_gen_b_hide(chi_gen *g, uint64_t dst, uint64_t p,
                            uint64_t lanes);
/* Lane o: the parity of lanes o * inner .. o * inner + inner - 1 of a. */
CHI_API void chi_gen_b_sum(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                           uint64_t lanes_out, uint64_t inner);

/* Lane (i0, i1, ..), outermost first, is operand lane off + sum ik * stride_k;
 * at most 16 dimensions.  Runs of stride 1 and 0 go by words. */
typedef struct chi_b_dim {
  uint64_t n;
  int64_t stride;
} chi_b_dim;
#define CHI_B_DIMS 16

/* Writes lanes dst_off .. dst_off + product(n) - 1 of dst, which has dst_lanes
 * lanes, and leaves the others. */
CHI_API void chi_gen_b_view(chi_gen *g, int kind, uint64_t dst,
                            uint64_t dst_lanes, uint64_t dst_off, uint64_t src,
                            uint64_t src_lanes, int64_t off,
                            const chi_b_dim *dim, unsigned ndim);
/* The inverse: src, whose lanes are product(n), to lanes off + sum ik *
 * stride_k of dst; these are distinct. */
CHI_API void chi_gen_b_put(chi_gen *g, int kind, uint64_t dst,
                           uint64_t dst_lanes, int64_t off,
                           const chi_b_dim *dim, unsigned ndim, uint64_t src,
                           uint64_t src_lanes);
/* Lane l of dst is lane index[l] (public) of src. */
CHI_API void chi_gen_b_gather(chi_gen *g, int kind, uint64_t dst,
                              uint64_t dst_lanes, uint64_t src,
                              uint64_t src_lanes, const uint64_t *index);
/* Row r of dst, `inner` lanes, is row index[r] (public) of src; n rows. */
CHI_API void chi_gen_b_rows(chi_gen *g, int kind, uint64_t dst, uint64_t src,
                            uint64_t src_lanes, const uint64_t *index,
                            uint64_t n, uint64_t inner);
/* x where the public z at `cond` is 1, y where it is 0; cond has `lanes` words
 * or one.  dst may be x or y. */
CHI_API void chi_gen_b_select(chi_gen *g, int kind, uint64_t dst, uint64_t x,
                              uint64_t y, uint64_t lanes, uint64_t cond,
                              uint64_t cond_lanes);
/* rep3: bits off .. off + bits - 1 of the components x_0, x_1, x_2 of src, a
 * share of `lanes` elements, as three shares of bits * lanes bits; x_0 = 0 is
 * read as p. */
CHI_API void chi_gen_b_split(chi_gen *g, const uint64_t dst[3], uint64_t src,
                             uint64_t lanes, unsigned off, unsigned bits);
/* Public integers of 64 bits, or wide ones, to the low bits of their two's
 * complement, and back to 0 .. 2^bits - 1, of 64 bits if bits <= 63. */
CHI_API void chi_gen_b_unpack(chi_gen *g, uint64_t dst, uint64_t z,
                              uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_unpack_wide(chi_gen *g, uint64_t dst, uint64_t z,
                                   uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_pack(chi_gen *g, uint64_t z, uint64_t src,
                            uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_pack_wide(chi_gen *g, uint64_t z, uint64_t src,
                                 uint64_t lanes, unsigned bits);

/* Bits in an exchange: chi_gen_begin is followed at once by chi_gen_begin_bits
 * with the totals; then the calls below stand beside chi_gen_open and reduced
 * chunks, in the same order on all nodes.  All dst are valid after chi_gen_end.
 * A reduce uses up its src at the call; every other src stays unchanged until
 * chi_gen_end.  No dst overlaps another dst or a src. */
typedef struct chi_b_load {
  uint64_t reduce_lanes, reduce_bytes; /* bytes: sum of ceil(L / 8) */
  uint64_t open_lanes, open_bytes;
  uint64_t deal_lanes; /* sum of bits * L */
  uint64_t bdeal_lanes;
  uint64_t xdeal[3], xjoin[3]; /* lanes l of each item by l % 3 */
  uint32_t items;              /* calls */
} chi_b_load;

CHI_API void chi_gen_begin_bits(chi_gen *g, const chi_b_load *load);
/* prod to sh. */
CHI_API void chi_gen_b_reduce(chi_gen *g, uint64_t dst, uint64_t src,
                              uint64_t lanes);
/* sh to pub. */
CHI_API void chi_gen_b_open(chi_gen *g, uint64_t dst, uint64_t src,
                            uint64_t lanes);
/* shamir: a share of field elements to d = 2t + 1 shares of bits * lanes bits:
 * those of the numbers lambda_i * share_i mod p (0 of the first read as p). */
CHI_API void chi_gen_b_deal(chi_gen *g, const uint64_t *dst, uint64_t src,
                            uint64_t lanes, unsigned off, unsigned bits);
/* shamir: sh to d shares of field elements 0 or 1, whose exclusive or is the
 * bit. */
CHI_API void chi_gen_b_bdeal(chi_gen *g, const uint64_t *dst, uint64_t src,
                             uint64_t lanes);
/* rep3: lane l, r = l % 3: the field element b_r ^ b_{r+1}, dealt by node r. */
CHI_API void chi_gen_b_xdeal(chi_gen *g, uint64_t dst, uint64_t src,
                             uint64_t lanes);
/* rep3: e is the xdeal of src, lane by lane; the bit as a field element. */
CHI_API void chi_gen_b_xjoin(chi_gen *g, uint64_t dst, uint64_t e, uint64_t src,
                             uint64_t lanes);

/* ---- secret permutations -------------------------------------------------
 *
 * A permutation of rows, uniform and known to no party, has a public number.
 * The same number moves equally many rows alike, whenever it is used. */

/* The number of a fresh permutation: `turn`, which has to be the same on all
 * nodes, above CHI_GEN_TURN_BITS bits that count the calls from 0.  Under rep3
 * one node sends twice as much as the others for each row that it moves: the
 * one after node `turn`. */
#define CHI_GEN_TURNS 3
#define CHI_GEN_TURN_BITS 40
CHI_API uint64_t chi_gen_perm(chi_gen *g, unsigned turn);

/* In an exchange: chi_gen_begin is followed at once by the total of lanes (and
 * by chi_gen_begin_bits); then the calls below stand beside the others.  Rows
 * of `row` lanes of the share at src, which has lanes elements, are moved by
 * permutation number `perm`, or back.  All dst are valid after chi_gen_end; no
 * dst overlaps another dst or a src, which stay unchanged until then. */
CHI_API void chi_gen_begin_shuffle(chi_gen *g, uint64_t lanes);
CHI_API void chi_gen_shuffle(chi_gen *g, uint64_t dst, uint64_t src,
                             uint64_t lanes, uint64_t row, uint64_t perm);
CHI_API void chi_gen_unshuffle(chi_gen *g, uint64_t dst, uint64_t src,
                               uint64_t lanes, uint64_t row, uint64_t perm);

/* ---- public integers of 64 bits ------------------------------------------ */

/* Exact where the result fits, and never undefined where it does not. */
static CHI_GEN_INLINE int64_t chi_z_add(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static CHI_GEN_INLINE int64_t chi_z_sub(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a - (uint64_t)b);
}

static CHI_GEN_INLINE int64_t chi_z_neg(int64_t a) {
  return (int64_t)(0 - (uint64_t)a);
}

static CHI_GEN_INLINE int64_t chi_z_mul(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Quotient towards zero and its remainder; b != 0. */
static CHI_GEN_INLINE int64_t chi_z_div(int64_t a, int64_t b) {
  return b == -1 ? chi_z_neg(a) : a / b;
}

static CHI_GEN_INLINE int64_t chi_z_mod(int64_t a, int64_t b) {
  return b == -1 ? 0 : a % b;
}

/* a * 2^n; floor(a / 2^n); n >= 0. */
static CHI_GEN_INLINE int64_t chi_z_shl(int64_t a, int64_t n) {
  return n > 63 ? 0 : (int64_t)((uint64_t)a << n);
}

static CHI_GEN_INLINE int64_t chi_z_shr(int64_t a, int64_t n) {
  uint64_t s = a < 0 ? ~UINT64_C(0) : 0; /* shift the bits that differ from it */
  return (int64_t)(((uint64_t)a ^ s) >> (n > 63 ? 63 : n) ^ s);
}

/* Quotient to nearest, ties to even; b != 0 and the result fits. */
static CHI_GEN_INLINE int64_t chi_z_rdiv(int64_t a, int64_t b) {
  uint64_t ua = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
  uint64_t ub = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
  uint64_t q = ua / ub, r = ua % ub, up = ub - r;
  if (r > up || (r == up && (q & 1)))
    q++;
  return (a < 0) != (b < 0) ? (int64_t)(0 - q) : (int64_t)q;
}

/* Floor of the square root, a >= 0. */
static CHI_GEN_INLINE int64_t chi_z_isqrt(int64_t a) {
  uint64_t r = 0, bit = UINT64_C(1) << 62, x = (uint64_t)a;
  for (; bit; bit >>= 2) {
    if (x >= r + bit) {
      x -= r + bit;
      r = (r >> 1) + bit;
    } else {
      r >>= 1;
    }
  }
  return (int64_t)r;
}

/* The number congruent to a modulo 2^bits, 1 <= bits <= 64, in [0, 2^bits) or,
 * if is_signed, in [-2^(bits-1), 2^(bits-1)). */
static CHI_GEN_INLINE int64_t chi_z_wrap(int64_t a, unsigned bits,
                                         int is_signed) {
  uint64_t m = bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
  uint64_t v = (uint64_t)a & m;
  if (is_signed && (v >> (bits - 1) & 1))
    v |= ~m;
  return (int64_t)v;
}

#ifdef __cplusplus
}
#endif
#endif
