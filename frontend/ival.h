/* Intervals of integers, interned: equal intervals are equal pointers.  The
 * limbs live in the arena, so nothing is ever cleared.
 */
#ifndef FRONTEND_IVAL_H
#define FRONTEND_IVAL_H

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

typedef struct ival {
  mpz_t lo, hi; /* read-only, limbs in the arena */
  uint64_t hash;
  struct ival *next;
} ival;

typedef struct ival_set ival_set;

ival_set *ival_set_new(arena *a);
const ival *ival_get(ival_set *s, mpz_srcptr lo, mpz_srcptr hi);
const ival *ival_si(ival_set *s, int64_t lo, int64_t hi);
const ival *ival_unsigned(ival_set *s, unsigned bits); /* uN */
const ival *ival_signed(ival_set *s, unsigned bits);   /* iN */

static inline bool ival_single(const ival *v) {
  return mpz_cmp(v->lo, v->hi) == 0;
}
static inline bool ival_zero(const ival *v) {
  return ival_single(v) && mpz_sgn(v->lo) == 0;
}
bool ival_inside(const ival *in, const ival *out); /* in is part of out */
/* Bits of the larger bound's magnitude. */
size_t ival_bits(const ival *v);
bool ival_to_si(const ival *v, int64_t *out); /* a single value */

const ival *ival_hull(ival_set *s, const ival *a, const ival *b);
/* What both have; b if they are apart. */
const ival *ival_meet(ival_set *s, const ival *a, const ival *b);
const ival *ival_add(ival_set *s, const ival *a, const ival *b);
const ival *ival_sub(ival_set *s, const ival *a, const ival *b);
const ival *ival_neg(ival_set *s, const ival *a);
const ival *ival_mul(ival_set *s, const ival *a, const ival *b);
/* A 0 in the divisor is left out. */
const ival *ival_div(ival_set *s, const ival *a, const ival *b);
const ival *ival_mod(ival_set *s, const ival *a, const ival *b);
const ival *ival_rdiv(ival_set *s, const ival *a, const ival *b);
const ival *ival_shl(ival_set *s, const ival *a, unsigned long bits);
/* Rounded down. */
const ival *ival_shr(ival_set *s, const ival *a, unsigned long bits);
const ival *ival_and(ival_set *s, const ival *a, const ival *b);
const ival *ival_or(ival_set *s, const ival *a, const ival *b); /* also xor */
const ival *ival_abs(ival_set *s, const ival *a);
const ival *ival_min(ival_set *s, const ival *a, const ival *b);
const ival *ival_max(ival_set *s, const ival *a, const ival *b);
const ival *ival_sqrt(ival_set *s, const ival *a); /* of the part >= 0 */
const ival *ival_pow(ival_set *s, const ival *a, unsigned long e);
/* Sum of n values of a, n in [nlo, nhi]. */
const ival *ival_times(ival_set *s, const ival *a, mpz_srcptr nlo,
                       mpz_srcptr nhi);
const ival *ival_scale_up(ival_set *s, const ival *a, unsigned long bits);
/* Rounded to nearest, ties to even. */
const ival *ival_scale_down(ival_set *s, const ival *a, unsigned long bits);
void mpz_rdiv(mpz_t q, mpz_srcptr a, mpz_srcptr b); /* nearest, ties even */

/* "u8", "i16", "5", else "0..510". */
void ival_print(const ival *v, buf *out);
/* The smallest uN or iN that holds v: "u9". */
void ival_suggest(const ival *v, buf *out);

/* Bits of x less the least of them: at least 1. */
unsigned ival_key_bits(ival_set *s, const ival *x);

#endif
