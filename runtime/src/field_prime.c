/* Any prime: the loops of field.h over big.c.  Sums of products are reduced
 * once; an accumulator takes 64 of them. */
#include <gmp.h>
#include <string.h>

#include "big.h"
#include "field.h"

#define N CHI_FIELD_WORDS_MAX

typedef uint64_t acc[2 * N + 1];

static void clear(uint64_t *z, unsigned w) {
  memset(z, 0, (2 * w + 1) * sizeof *z);
}

static void add(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  for (size_t i = 0; i < n * f->words; i += f->words)
    chi_big_add(out + i, a + i, b + i, f->prime, f->words);
}

static void sub(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  for (size_t i = 0; i < n * f->words; i += f->words)
    chi_big_sub(out + i, a + i, b + i, f->prime, f->words);
}

static void neg(const chii_field *f, uint64_t *out, const uint64_t *a,
                size_t n) {
  static const uint64_t zero[N];
  for (size_t i = 0; i < n * f->words; i += f->words)
    chi_big_sub(out + i, zero, a + i, f->prime, f->words);
}

static void mul(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  for (size_t i = 0; i < n * f->words; i += f->words)
    chi_big_mul(out + i, a + i, b + i, f->prime, f->words);
}

static void add_two(const chii_field *f, uint64_t *out, const uint64_t *a,
                    const uint64_t *b, size_t n) {
  add(f, out, out, a, n);
  add(f, out, out, b, n);
}

static void shift(const chii_field *f, uint64_t *out, const uint64_t *a,
                  const uint64_t *c, size_t n) {
  for (size_t i = 0; i < n * f->words; i += f->words)
    chi_big_add(out + i, a + i, c, f->prime, f->words);
}

static void scale(const chii_field *f, uint64_t *out, const uint64_t *c,
                  const uint64_t *a, size_t stride, size_t n) {
  for (size_t l = 0; l < n; l++)
    chi_big_mul(out + l * f->words, c, a + l * stride * f->words, f->prime,
                f->words);
}

static void scale_add(const chii_field *f, uint64_t *out, const uint64_t *c,
                      const uint64_t *a, size_t stride, size_t n) {
  uint64_t v[N];
  for (size_t l = 0; l < n; l++) {
    uint64_t *d = out + l * f->words;
    chi_big_mul(v, c, a + l * stride * f->words, f->prime, f->words);
    chi_big_add(d, d, v, f->prime, f->words);
  }
}

static void add_to(const chii_field *f, uint64_t *out, size_t stride,
                   const uint64_t *a, size_t n) {
  for (size_t l = 0; l < n; l++) {
    uint64_t *d = out + l * stride * f->words;
    chi_big_add(d, d, a + l * f->words, f->prime, f->words);
  }
}

/* out = sum over i < n of c[i] v[i * stride]. */
static void sum(const chii_field *f, uint64_t *out, const uint64_t *c,
                const uint64_t *v, size_t stride, unsigned n) {
  unsigned w = f->words;
  acc z;
  clear(z, w);
  for (unsigned i = 0; i < n; i++)
    chi_big_acc_mul(z, c + i * w, v + i * stride * w, w);
  chi_big_fold(out, z, f->prime, w);
}

static void combine(const chii_field *f, uint64_t *out, const uint64_t *c,
                    const uint64_t *v, size_t stride, unsigned rows,
                    size_t n) {
  for (size_t j = 0; j < n; j++)
    sum(f, out + j * f->words, c, v + j * f->words, stride, rows);
}

static void extract(const chii_field *f, uint64_t *out, const uint64_t *c,
                    unsigned d, unsigned rows, const uint64_t *v,
                    size_t stride, unsigned row, size_t n) {
  unsigned w = f->words;
  for (size_t j = 0, b = 0; j < n; b++, row = 0)
    for (; row < rows && j < n; row++, j++)
      sum(f, out + j * w, c + (size_t)row * d * w, v + b * w, stride, d);
}

/* z += the local product of lane l. */
static void local(const chii_field *f, uint64_t *z, const uint64_t *a,
                  const uint64_t *b, uint64_t plane, size_t l) {
  unsigned w = f->words;
  const uint64_t *x = a + l * w, *y = b + l * w;
  chi_big_acc_mul(z, x, y, w);
  if (!plane)
    return;
  chi_big_acc_mul(z, x, y + plane * w, w);
  chi_big_acc_mul(z, x + plane * w, y, w);
}

static void products(const chii_field *f, uint64_t *z, const uint64_t *a,
                     const uint64_t *b, uint64_t plane, size_t n) {
  acc v;
  for (size_t l = 0; l < n; l++) {
    clear(v, f->words);
    chi_big_acc_add(v, z + l * f->words, f->words);
    local(f, v, a, b, plane, l);
    chi_big_fold(z + l * f->words, v, f->prime, f->words);
  }
}

static void dot(const chii_field *f, uint64_t *z, const uint64_t *a,
                const uint64_t *b, uint64_t plane, size_t n) {
  acc v;
  for (size_t at = 0; at < n; at += CHI_ACC_PAIRS) {
    clear(v, f->words);
    chi_big_acc_add(v, z, f->words);
    for (size_t l = at; l < n && l < at + CHI_ACC_PAIRS; l++)
      local(f, v, a, b, plane, l);
    chi_big_fold(z, v, f->prime, f->words);
  }
}

static void inner(const chii_field *f, uint64_t *z, const uint64_t *a,
                  const uint64_t *b, size_t n) {
  dot(f, z, a, b, 0, n);
}

static uint64_t above(const chii_field *f, const uint64_t *v, size_t n) {
  mp_limb_t t[N];
  uint64_t bad = 0;
  for (size_t i = 0; i < n * f->words; i += f->words)
    bad |= mpn_sub_n(t, (const mp_limb_t *)(const void *)(v + i),
                     (const mp_limb_t *)(const void *)f->prime,
                     (mp_size_t)f->words) ^ 1;
  return bad;
}

static uint64_t trim(const chii_field *f, uint64_t *v, size_t n) {
  unsigned top = f->bits % 64;
  uint64_t mask = top ? (UINT64_C(1) << top) - 1 : ~UINT64_C(0);
  for (size_t i = 1; i <= n; i++)
    v[i * f->words - 1] &= mask;
  return above(f, v, n);
}

static void inv(const chii_field *f, uint64_t *out, const uint64_t *a) {
  chi_big_inv(out, a, f->prime, f->words);
}

static void from_i64(const chii_field *f, uint64_t *out, const int64_t *v,
                     size_t n) {
  for (size_t l = 0; l < n; l++)
    chi_big_from_i64(out + l * f->words, v[l], f->prime, f->words);
}

static void from_wide(const chii_field *f, uint64_t *out, const uint64_t *a) {
  chi_big_from_wide(out, a, f->prime, f->words);
}

const chii_field_ops chii_prime_ops = {
    .add = add,
    .sub = sub,
    .neg = neg,
    .mul = mul,
    .add_two = add_two,
    .shift = shift,
    .scale = scale,
    .scale_add = scale_add,
    .add_to = add_to,
    .combine = combine,
    .extract = extract,
    .products = products,
    .dot = dot,
    .inner = inner,
    .above = above,
    .trim = trim,
    .inv = inv,
    .from_i64 = from_i64,
    .from_wide = from_wide};
