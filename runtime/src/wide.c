/* Public integers of up to 1024 bits: sign and magnitude over GMP's mpn layer,
 * in the caller's words, so that nothing is allocated between rounds. */
#include <gmp.h>
#include <string.h>

#include "chi_gen.h"
#include "util.h"

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0, "64-bit limbs");

#define LIMBS CHI_WIDE_LIMBS

/* A number taken apart: sign -1, 0, 1; m[0..n) without leading zeros. */
typedef struct num {
  int sign;
  mp_size_t n;
  mp_limb_t m[2 * LIMBS + 1];
} num;

static void trim(num *x) {
  while (x->n > 0 && x->m[x->n - 1] == 0)
    x->n--;
  if (x->n == 0)
    x->sign = 0;
}

static void load(num *x, const uint64_t *a) {
  x->sign = (int)(int64_t)a[0];
  x->n = LIMBS;
  for (int i = 0; i < LIMBS; i++)
    x->m[i] = a[1 + i];
  trim(x);
}

static void store(uint64_t *r, num *x) {
  trim(x);
  if (x->n > LIMBS)
    chii_misuse("chi_wide", "a public integer exceeds 1024 bits");
  r[0] = (uint64_t)(int64_t)x->sign;
  for (mp_size_t i = 0; i < LIMBS; i++)
    r[1 + i] = i < x->n ? x->m[i] : 0;
}

static int cmp_mag(const num *x, const num *y) {
  if (x->n != y->n)
    return x->n < y->n ? -1 : 1;
  return x->n ? mpn_cmp(x->m, y->m, x->n) : 0;
}

static void add_mag(num *z, const num *x, const num *y) {
  if (x->n < y->n) {
    const num *s = x;
    x = y;
    y = s;
  }
  mp_size_t n = x->n;
  mp_limb_t c = 0;
  if (y->n)
    c = mpn_add(z->m, x->m, n, y->m, y->n);
  else if (n)
    memcpy(z->m, x->m, (size_t)n * 8);
  z->m[n] = c;
  z->n = n + 1;
}

static void sub_mag(num *z, const num *x, const num *y) { /* |x| >= |y| */
  if (y->n)
    mpn_sub(z->m, x->m, x->n, y->m, y->n);
  else if (x->n)
    memcpy(z->m, x->m, (size_t)x->n * 8);
  z->n = x->n;
}

static void add_signed(uint64_t *r, const num *x, const num *y) {
  num z;
  if (x->sign == 0 || y->sign == 0 || x->sign == y->sign) {
    add_mag(&z, x, y);
    z.sign = x->sign ? x->sign : y->sign;
  } else if (cmp_mag(x, y) >= 0) {
    sub_mag(&z, x, y);
    z.sign = x->sign;
  } else {
    sub_mag(&z, y, x);
    z.sign = y->sign;
  }
  store(r, &z);
}

void chi_wide_set_i64(uint64_t *r, int64_t a) {
  memset(r, 0, CHI_WIDE_WORDS * 8);
  r[0] = (uint64_t)(int64_t)((a > 0) - (a < 0));
  r[1] = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

int64_t chi_wide_get_i64(const uint64_t *a) {
  return (int64_t)((int64_t)a[0] < 0 ? 0 - a[1] : a[1]);
}

int chi_wide_fits_i64(const uint64_t *a) {
  for (int i = 2; i <= LIMBS; i++)
    if (a[i])
      return 0;
  return a[1] <= (uint64_t)INT64_MAX + ((int64_t)a[0] < 0);
}

void chi_wide_set_limbs(uint64_t *r, int sign, const uint64_t *limb,
                        unsigned n) {
  CHII_REQUIRE(n <= LIMBS, "more than 16 limbs");
  num x = {.sign = sign, .n = (mp_size_t)n};
  for (unsigned i = 0; i < n; i++)
    x.m[i] = limb[i];
  store(r, &x);
}

void chi_wide_copy(uint64_t *r, const uint64_t *a) {
  memmove(r, a, CHI_WIDE_WORDS * 8);
}

void chi_wide_add(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y;
  load(&x, a);
  load(&y, b);
  add_signed(r, &x, &y);
}

void chi_wide_sub(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y;
  load(&x, a);
  load(&y, b);
  y.sign = -y.sign;
  add_signed(r, &x, &y);
}

void chi_wide_neg(uint64_t *r, const uint64_t *a) {
  memmove(r, a, CHI_WIDE_WORDS * 8);
  r[0] = 0 - r[0];
}

void chi_wide_mul(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y, z = {.sign = 0};
  load(&x, a);
  load(&y, b);
  if (x.n && y.n) {
    const num *l = x.n >= y.n ? &x : &y, *s = x.n >= y.n ? &y : &x;
    mpn_mul(z.m, l->m, l->n, s->m, s->n);
    z.n = x.n + y.n;
    z.sign = x.sign * y.sign;
  }
  store(r, &z);
}

/* |x| = q |y| + rem, both trimmed, signs unset. */
static void divide(num *q, num *rem, const num *x, const num *y) {
  q->n = 0;
  *rem = *x;
  if (x->n >= y->n) {
    mpn_tdiv_qr(q->m, rem->m, 0, x->m, x->n, y->m, y->n);
    q->n = x->n - y->n + 1;
    rem->n = y->n;
  }
  q->sign = rem->sign = 1;
  trim(q);
  trim(rem);
}

void chi_wide_tdiv(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y, q, rem;
  load(&x, a);
  load(&y, b);
  CHII_REQUIRE(y.n, "division by zero");
  divide(&q, &rem, &x, &y);
  q.sign *= x.sign * y.sign;
  store(r, &q);
}

void chi_wide_tmod(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y, q, rem;
  load(&x, a);
  load(&y, b);
  CHII_REQUIRE(y.n, "division by zero");
  divide(&q, &rem, &x, &y);
  rem.sign *= x.sign;
  store(r, &rem);
}

void chi_wide_rdiv(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  num x, y, q, rem, up;
  load(&x, a);
  load(&y, b);
  CHII_REQUIRE(y.n, "division by zero");
  divide(&q, &rem, &x, &y);
  sub_mag(&up, &y, &rem); /* |y| - rem, the distance to the next quotient */
  up.sign = 1;
  trim(&up);
  int c = cmp_mag(&rem, &up);
  if (c > 0 || (c == 0 && q.n && (q.m[0] & 1))) {
    num one = {.sign = 1, .n = 1, .m = {1}}, z;
    add_mag(&z, &q, &one);
    q = z;
    q.sign = 1;
    trim(&q);
  }
  q.sign *= x.sign * y.sign;
  store(r, &q);
}

int chi_wide_cmp(const uint64_t *a, const uint64_t *b) {
  num x, y;
  load(&x, a);
  load(&y, b);
  if (x.sign != y.sign)
    return x.sign < y.sign ? -1 : 1;
  int c = cmp_mag(&x, &y);
  return c == 0 ? 0 : c > 0 ? x.sign : -x.sign;
}

void chi_wide_shl(uint64_t *r, const uint64_t *a, uint64_t n) {
  num x, z = {.sign = 0};
  load(&x, a);
  if (x.n) {
    CHII_REQUIRE(n <= 64 * LIMBS, "shift beyond 1024 bits");
    mp_size_t limbs = (mp_size_t)(n / 64);
    unsigned bits = (unsigned)(n % 64);
    mp_limb_t c = 0;
    memset(z.m, 0, sizeof z.m);
    if (bits)
      c = mpn_lshift(z.m + limbs, x.m, x.n, bits);
    else
      memcpy(z.m + limbs, x.m, (size_t)x.n * 8);
    z.n = limbs + x.n;
    z.m[z.n] = c;
    z.n++;
    z.sign = x.sign;
  }
  store(r, &z);
}

void chi_wide_shr(uint64_t *r, const uint64_t *a, uint64_t n) {
  num x, z = {.sign = 0};
  load(&x, a);
  mp_limb_t lost = 0;
  mp_size_t limbs = n / 64 < LIMBS ? (mp_size_t)(n / 64) : LIMBS;
  unsigned bits = (unsigned)(n % 64);
  for (mp_size_t i = 0; i < x.n && i < limbs; i++)
    lost |= x.m[i];
  if (x.n > limbs) {
    z.n = x.n - limbs;
    if (bits)
      lost |= mpn_rshift(z.m, x.m + limbs, z.n, bits);
    else
      memcpy(z.m, x.m + limbs, (size_t)z.n * 8);
    z.sign = 1;
    trim(&z);
  }
  if (x.sign < 0 && lost) { /* floor: one more below zero */
    num one = {.sign = 1, .n = 1, .m = {1}}, w;
    add_mag(&w, &z, &one);
    z = w;
    z.sign = 1;
    trim(&z);
  }
  z.sign *= x.sign;
  store(r, &z);
}

static void bitwise(uint64_t *r, const uint64_t *a, const uint64_t *b,
                    int op) {
  num z = {.sign = 1, .n = LIMBS};
  CHII_REQUIRE((int64_t)a[0] >= 0 && (int64_t)b[0] >= 0,
               "bit operation on a negative number");
  for (int i = 0; i < LIMBS; i++) {
    uint64_t x = a[1 + i], y = b[1 + i];
    z.m[i] = op == '&' ? x & y : op == '|' ? x | y : x ^ y;
  }
  store(r, &z);
}

void chi_wide_and(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  bitwise(r, a, b, '&');
}

void chi_wide_or(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  bitwise(r, a, b, '|');
}

void chi_wide_xor(uint64_t *r, const uint64_t *a, const uint64_t *b) {
  bitwise(r, a, b, '^');
}

void chi_wide_isqrt(uint64_t *r, const uint64_t *a) {
  num x, z = {.sign = 0};
  load(&x, a);
  CHII_REQUIRE(x.sign >= 0, "square root of a negative number");
  if (x.n) {
    mpn_sqrtrem(z.m, NULL, x.m, x.n);
    z.n = (x.n + 1) / 2;
    z.sign = 1;
  }
  store(r, &z);
}

void chi_wide_wrap(uint64_t *r, const uint64_t *a, unsigned bits,
                   int is_signed) {
  CHII_REQUIRE(bits >= 1 && bits <= 64 * LIMBS, "wrap beyond 1024 bits");
  /* two's complement over 17 limbs, cut, then back to sign and magnitude */
  mp_limb_t m[LIMBS + 1];
  memcpy(m, a + 1, LIMBS * 8);
  m[LIMBS] = 0;
  if ((int64_t)a[0] < 0)
    mpn_neg(m, m, LIMBS + 1);
  for (unsigned i = bits; i < 64 * (LIMBS + 1); i = (i / 64 + 1) * 64)
    m[i / 64] &= i % 64 ? (UINT64_C(1) << (i % 64)) - 1 : 0;
  num z = {.sign = 1, .n = LIMBS};
  unsigned top = bits - 1;
  if (is_signed && (m[top / 64] >> (top % 64) & 1)) {
    for (unsigned i = bits; i < 64 * (LIMBS + 1); i = (i / 64 + 1) * 64)
      m[i / 64] |= i % 64 ? ~((UINT64_C(1) << (i % 64)) - 1) : ~UINT64_C(0);
    mpn_neg(m, m, LIMBS + 1);
    z.sign = -1;
  }
  for (int i = 0; i < LIMBS; i++)
    z.m[i] = m[i];
  store(r, &z);
}
