/* The field of a session: a table of functions on vectors of elements, so that
 * a protocol's loop costs one indirect call, whatever an element is.
 *
 *   field_mersenne.h  loops over the inline arithmetic of chi_gen.h, compiled
 *                     for the library's own field (field_own.c) and for
 *                     2^127 - 1 (field_127.c)
 *   field_prime.c     any prime, over big.c
 *
 * An element is `words` words, least significant first, canonical.  Counts and
 * strides are of elements.  All of it is constant time in elements; factors of
 * `scale`, `combine`, `extract` are public.
 */
#ifndef CHII_FIELD_H
#define CHII_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chi.h"

typedef struct chii_field chii_field;

typedef struct chii_field_ops {
  /* out = a + b, a - b, -a, a b, lane by lane; out may be an operand. */
  void (*add)(const chii_field *f, uint64_t *out, const uint64_t *a,
              const uint64_t *b, size_t n);
  void (*sub)(const chii_field *f, uint64_t *out, const uint64_t *a,
              const uint64_t *b, size_t n);
  void (*neg)(const chii_field *f, uint64_t *out, const uint64_t *a, size_t n);
  void (*mul)(const chii_field *f, uint64_t *out, const uint64_t *a,
              const uint64_t *b, size_t n);
  /* out += a + b: openings of three summands. */
  void (*add_two)(const chii_field *f, uint64_t *out, const uint64_t *a,
                  const uint64_t *b, size_t n);
  /* out = a + c, one c; out may be a. */
  void (*shift)(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *c, size_t n);
  /* out = c a, out += c a; lane j of a is a[j * stride]. */
  void (*scale)(const chii_field *f, uint64_t *out, const uint64_t *c,
                const uint64_t *a, size_t stride, size_t n);
  void (*scale_add)(const chii_field *f, uint64_t *out, const uint64_t *c,
                    const uint64_t *a, size_t stride, size_t n);
  /* out[j * stride] += a[j]. */
  void (*add_to)(const chii_field *f, uint64_t *out, size_t stride,
                 const uint64_t *a, size_t n);
  /* out[j] = sum over r < rows <= 64 of c[r] v[r * stride + j]; out is no
   * row. */
  void (*combine)(const chii_field *f, uint64_t *out, const uint64_t *c,
                  const uint64_t *v, size_t stride, unsigned rows, size_t n);
  /* The other way round, column by column of v: c has rows of d <= 64 elements;
   * out goes through products of all rows with v's first column, from `row` on,
   * then with its second, .. up to n of them. */
  void (*extract)(const chii_field *f, uint64_t *out, const uint64_t *c,
                  unsigned d, unsigned rows, const uint64_t *v, size_t stride,
                  unsigned row, size_t n);
  /* z += local products of n lanes; rep3 if `plane`, the distance of the planes
   * of shares a and b, is not 0. */
  void (*products)(const chii_field *f, uint64_t *z, const uint64_t *a,
                   const uint64_t *b, uint64_t plane, size_t n);
  /* *z += the sum of the local products. */
  void (*dot)(const chii_field *f, uint64_t *z, const uint64_t *a,
              const uint64_t *b, uint64_t plane, size_t n);
  /* *z += the sum of a b. */
  void (*inner)(const chii_field *f, uint64_t *z, const uint64_t *a,
                const uint64_t *b, size_t n);
  /* Not 0 if some element is p or more. */
  uint64_t (*above)(const chii_field *f, const uint64_t *v, size_t n);
  /* Clears the bits that p has not; the same of the rest. */
  uint64_t (*trim)(const chii_field *f, uint64_t *v, size_t n);
  /* Of one element; 0 gives 0. */
  void (*inv)(const chii_field *f, uint64_t *out, const uint64_t *a);
  void (*from_i64)(const chii_field *f, uint64_t *out, const int64_t *v,
                   size_t n);
  /* Of a public wide integer. */
  void (*from_wide)(const chii_field *f, uint64_t *out, const uint64_t *a);
} chii_field_ops;

struct chii_field {
  const chii_field_ops *op;
  uint32_t mersenne; /* k, or 0 */
  unsigned bits, words;
  size_t bytes; /* of an element */
  uint64_t prime[CHI_FIELD_WORDS_MAX];
};

extern const chii_field_ops chii_own_ops, chii_127_ops, chii_prime_ops;

/* Reads a chi_field; CHI_E_ARG unless it is one.  Whether `prime` is prime is
 * looked at if `thorough`. */
chi_status chii_field_of(chii_field *f, const chi_field *from, bool thorough);

/* The element of a public number below p. */
void chii_small(const chii_field *f, uint64_t *out, uint64_t v);
/* Is n < p? */
bool chii_below_p(const chii_field *f, uint64_t n);
/* Canonical elements of a wide integer in 1 - p .. p - 1, else false. */
bool chii_of_wide(const chii_field *f, uint64_t *out, const uint64_t *a);
/* An element as a wide integer in 0 .. p - 1; the one of least absolute value
 * if centred. */
void chii_to_wide(const chii_field *f, uint64_t *r, const uint64_t *a,
                  bool centred);
/* Canonical elements of integers: v < 0 is p + v.  Not 0 if one has none, that
 * is, |v| exceeds p - 1, or (p - 1) / 2 for negative ones if `half`. */
uint64_t chii_of_i64(const chii_field *f, uint64_t *out, const int64_t *v,
                     size_t n, bool half);

/* c[i]: the polynomial through points x[0..n) has the value sum c[i] y[i] at
 * `at`.  Points are distinct numbers below p. */
void chii_lagrange(const chii_field *f, uint64_t *c, const uint64_t *x,
                   unsigned n, uint64_t at);

static inline void chii_add(const chii_field *f, uint64_t *out,
                            const uint64_t *a, const uint64_t *b, size_t n) {
  f->op->add(f, out, a, b, n);
}
static inline void chii_sub(const chii_field *f, uint64_t *out,
                            const uint64_t *a, const uint64_t *b, size_t n) {
  f->op->sub(f, out, a, b, n);
}
static inline void chii_mul(const chii_field *f, uint64_t *out,
                            const uint64_t *a, const uint64_t *b, size_t n) {
  f->op->mul(f, out, a, b, n);
}
static inline void chii_scale(const chii_field *f, uint64_t *out,
                              const uint64_t *c, const uint64_t *a,
                              size_t stride, size_t n) {
  f->op->scale(f, out, c, a, stride, n);
}
static inline void chii_combine(const chii_field *f, uint64_t *out,
                                const uint64_t *c, const uint64_t *v,
                                size_t stride, unsigned rows, size_t n) {
  f->op->combine(f, out, c, v, stride, rows, n);
}

#endif
