/* Fields: from their public description, and what is alike in all of them. */
#include "field.h"

#include <gmp.h>
#include <string.h>

#include "big.h"
#include "util.h"

#define ROUNDS 30 /* of Miller and Rabin: a composite passes with 2^-60 */

static chi_status of_mersenne(chii_field *f, uint32_t k, uint32_t words) {
  f->mersenne = k;
  f->bits = k;
  f->words = k == 127 ? 2 : 1;
  f->op = k == 127 ? &chii_127_ops : &chii_own_ops;
  f->bytes = 8 * (size_t)f->words;
  if ((k != CHI_MERSENNE && k != 127) || (words && words != f->words))
    return CHI_E_ARG;
  for (unsigned i = 0; i < f->words; i++)
    f->prime[i] = ~UINT64_C(0);
  f->prime[f->words - 1] >>= 64 - k % 64;
  return CHI_OK;
}

static bool is_prime(const chii_field *f) {
  mpz_t p;
  mpz_init(p);
  mpz_import(p, f->words, -1, 8, 0, 0, f->prime);
  int r = mpz_probab_prime_p(p, ROUNDS);
  mpz_clear(p);
  return r > 0;
}

chi_status chii_field_of(chii_field *f, const chi_field *from, bool thorough) {
  memset(f, 0, sizeof *f);
  if (!from->prime)
    return of_mersenne(f, from->mersenne || from->words ? from->mersenne
                                                        : CHI_MERSENNE,
                       from->words);
  unsigned w = from->words;
  if (from->mersenne || !w || w > CHI_FIELD_WORDS_MAX || !chii_big_fits(w))
    return CHI_E_ARG;
  memcpy(f->prime, from->prime, w * sizeof *f->prime);
  f->op = &chii_prime_ops;
  f->words = w;
  f->bytes = 8 * (size_t)w;
  f->bits = 64 * (w - 1);
  for (uint64_t top = f->prime[w - 1]; top; top >>= 1)
    f->bits++;
  if (!f->prime[w - 1] || !(f->prime[0] & 1) || f->bits < 3)
    return CHI_E_ARG;
  return !thorough || is_prime(f) ? CHI_OK : CHI_E_ARG;
}

void chii_small(const chii_field *f, uint64_t *out, uint64_t v) {
  memset(out, 0, f->bytes);
  out[0] = v;
}

bool chii_below_p(const chii_field *f, uint64_t n) {
  return f->words > 1 || n < f->prime[0];
}

void chii_to_wide(const chii_field *f, uint64_t *r, const uint64_t *a,
                  bool centred) {
  if (centred)
    chi_big_to_wide(r, a, f->prime, f->words);
  else
    chi_wide_set_limbs(r, 1, a, f->words);
}

bool chii_of_wide(const chii_field *f, uint64_t *out, const uint64_t *a) {
  uint64_t b[CHI_WIDE_WORDS], p[CHI_WIDE_WORDS];
  chi_wide_set_limbs(p, 1, f->prime, f->words);
  chi_wide_copy(b, a);
  if ((int64_t)b[0] < 0)
    chi_wide_neg(b, b);
  if (chi_wide_cmp(b, p) >= 0)
    return false;
  f->op->from_wide(f, out, a);
  return true;
}

uint64_t chii_of_i64(const chii_field *f, uint64_t *out, const int64_t *v,
                     size_t n, bool half) {
  uint64_t bad = 0;
  if (f->bits < 64) { /* else all of them have one */
    int64_t most = (int64_t)f->prime[0] - 1;
    int64_t least = half ? -(most / 2) : -most;
    for (size_t i = 0; i < n; i++)
      bad |= (uint64_t)(v[i] < least) | (uint64_t)(v[i] > most);
  } else if (f->bits == 64 && half) { /* (p - 1) / 2 < 2^63 */
    int64_t least = -(int64_t)(f->prime[0] / 2);
    for (size_t i = 0; i < n; i++)
      bad |= (uint64_t)(v[i] < least);
  }
  f->op->from_i64(f, out, v, n);
  return bad;
}

void chii_lagrange(const chii_field *f, uint64_t *c, const uint64_t *x,
                   unsigned n, uint64_t at) {
  uint64_t num[CHI_FIELD_WORDS_MAX], den[CHI_FIELD_WORDS_MAX];
  uint64_t u[CHI_FIELD_WORDS_MAX], v[CHI_FIELD_WORDS_MAX];
  for (unsigned i = 0; i < n; i++) {
    chii_small(f, num, 1);
    chii_small(f, den, 1);
    for (unsigned j = 0; j < n; j++) {
      if (j == i)
        continue;
      chii_small(f, v, x[j]);
      chii_small(f, u, at);
      chii_sub(f, u, u, v, 1);
      chii_mul(f, num, num, u, 1);
      chii_small(f, u, x[i]);
      chii_sub(f, u, u, v, 1);
      chii_mul(f, den, den, u, 1);
    }
    f->op->inv(f, den, den);
    chii_mul(f, c + i * f->words, num, den, 1);
  }
}
