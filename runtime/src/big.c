/* F_p of any prime, in limbs, over those functions of GMP whose time and
 * addresses depend on sizes alone: mpn_sec_*, mpn_cnd_*, and mpn_add_n,
 * mpn_sub_n, mpn_copyi.  Operands are canonical; r may be an operand. */
#include <gmp.h>
#include <string.h>

#include "big.h"
#include "util.h"

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0, "64-bit limbs");

#define N CHI_FIELD_WORDS_MAX
#define ACC (2 * N + 1)
/* Scratch of the functions below for N limbs; chii_big_fits looks. */
#define SCRATCH (8 * N + 16)

typedef mp_limb_t limb;

/* The same 64 bits under GMP's name. */
static limb *in(uint64_t *v) { return (limb *)(void *)v; }
static const limb *at(const uint64_t *v) {
  return (const limb *)(const void *)v;
}

bool chii_big_fits(unsigned n) {
  mp_size_t k = (mp_size_t)n;
  return k <= N && mpn_sec_mul_itch(k, k) <= SCRATCH &&
         mpn_sec_div_r_itch(2 * k + 1, k) <= SCRATCH &&
         mpn_sec_div_r_itch(ACC, k) <= SCRATCH &&
         mpn_sec_invert_itch(k) <= SCRATCH;
}

void chi_big_add(uint64_t *r, const uint64_t *a, const uint64_t *b,
                 const uint64_t *p, unsigned n) {
  mp_size_t k = (mp_size_t)n;
  limb carry = mpn_add_n(in(r), at(a), at(b), k);
  limb below = mpn_sub_n(in(r), at(r), at(p), k);
  (void)mpn_cnd_add_n(carry ^ below, in(r), at(r), at(p), k);
}

void chi_big_sub(uint64_t *r, const uint64_t *a, const uint64_t *b,
                 const uint64_t *p, unsigned n) {
  mp_size_t k = (mp_size_t)n;
  limb below = mpn_sub_n(in(r), at(a), at(b), k);
  (void)mpn_cnd_add_n(below, in(r), at(r), at(p), k);
}

/* r = z mod p; z of m limbs is used up. */
static void reduce(uint64_t *r, limb *z, mp_size_t m, const uint64_t *p,
                   mp_size_t n) {
  limb tmp[SCRATCH];
  mpn_sec_div_r(z, m, at(p), n, tmp);
  mpn_copyi(in(r), z, n);
}

void chi_big_mul(uint64_t *r, const uint64_t *a, const uint64_t *b,
                 const uint64_t *p, unsigned n) {
  limb z[2 * N], tmp[SCRATCH];
  mp_size_t k = (mp_size_t)n;
  mpn_sec_mul(z, at(a), k, at(b), k, tmp);
  reduce(r, z, 2 * k, p, k);
}

void chi_big_inv(uint64_t *r, const uint64_t *a, const uint64_t *p,
                 unsigned n) {
  limb v[N], x[N], tmp[SCRATCH];
  mp_size_t k = (mp_size_t)n;
  mpn_copyi(v, at(a), k);
  limb m = 0 - (limb)mpn_sec_invert(x, v, at(p), k, 128 * (mp_bitcnt_t)n, tmp);
  for (unsigned i = 0; i < n; i++)
    r[i] = x[i] & m; /* 0 has none */
}

void chi_big_acc_mul(uint64_t *z, const uint64_t *a, const uint64_t *b,
                     unsigned n) {
  limb v[2 * N], tmp[SCRATCH];
  mp_size_t k = (mp_size_t)n;
  mpn_sec_mul(v, at(a), k, at(b), k, tmp);
  z[2 * n] += mpn_add_n(in(z), at(z), v, 2 * k);
}

void chi_big_acc_add(uint64_t *z, const uint64_t *a, unsigned n) {
  uint64_t carry = mpn_add_n(in(z), at(z), at(a), (mp_size_t)n);
  for (unsigned i = n; i <= 2 * n; i++) {
    z[i] += carry;
    carry = z[i] < carry;
  }
}

void chi_big_fold(uint64_t *r, const uint64_t *z, const uint64_t *p,
                  unsigned n) {
  limb v[ACC];
  mp_size_t k = (mp_size_t)n;
  mpn_copyi(v, at(z), 2 * k + 1);
  reduce(r, v, 2 * k + 1, p, k);
}

/* r, a canonical element, or p - r if neg is 1. */
static void negate(uint64_t *r, uint64_t neg, const uint64_t *p, unsigned n) {
  limb minus[N], zero[N];
  memset(zero, 0, n * sizeof(limb));
  chi_big_sub((uint64_t *)(void *)minus, (const uint64_t *)(void *)zero, r, p,
              n);
  for (unsigned i = 0; i < n; i++)
    r[i] = (r[i] & (neg - 1)) | (minus[i] & (0 - neg));
}

void chi_big_from_i64(uint64_t *r, int64_t v, const uint64_t *p, unsigned n) {
  uint64_t neg = (uint64_t)v >> 63;
  limb z[N + 1];
  mpn_zero(z, (mp_size_t)n + 1);
  z[0] = ((uint64_t)v ^ (0 - neg)) + neg;
  reduce(r, z, (mp_size_t)n + 1, p, (mp_size_t)n);
  negate(r, neg, p, n);
}

/* Magnitude of the integer of least absolute value; is it negative? */
static bool centre(uint64_t *mag, const uint64_t *a, const uint64_t *p,
                   unsigned n) {
  mp_size_t k = (mp_size_t)n;
  (void)mpn_sub_n(in(mag), at(p), at(a), k);
  if (mpn_cmp(at(a), at(mag), k) > 0)
    return true;
  mpn_copyi(in(mag), at(a), k);
  return false;
}

int64_t chi_big_to_i64(const uint64_t *a, const uint64_t *p, unsigned n) {
  uint64_t mag[N];
  bool neg = centre(mag, a, p, n);
  for (unsigned i = 1; i < n; i++)
    if (mag[i])
      return INT64_MIN;
  if (mag[0] >> 63)
    return INT64_MIN;
  return neg ? -(int64_t)mag[0] : (int64_t)mag[0];
}

void chi_big_to_wide(uint64_t *r, const uint64_t *a, const uint64_t *p,
                     unsigned n) {
  uint64_t mag[N];
  bool neg = centre(mag, a, p, n);
  chi_wide_set_limbs(r, neg ? -1 : 1, mag, n);
}

void chi_big_from_wide(uint64_t *r, const uint64_t *a, const uint64_t *p,
                       unsigned n) {
  limb z[CHI_WIDE_LIMBS], tmp[4 * CHI_WIDE_LIMBS];
  mpn_copyi(z, at(a + 1), CHI_WIDE_LIMBS);
  CHII_REQUIRE(mpn_sec_div_r_itch(CHI_WIDE_LIMBS, (mp_size_t)n) <=
                   (mp_size_t)(sizeof tmp / sizeof *tmp),
               "scratch of a division");
  mpn_sec_div_r(z, CHI_WIDE_LIMBS, at(p), (mp_size_t)n, tmp);
  mpn_copyi(in(r), z, (mp_size_t)n);
  negate(r, (int64_t)a[0] < 0, p, n);
}
