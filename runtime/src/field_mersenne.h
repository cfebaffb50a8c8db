/* The loops of field.h over the arithmetic of chi_gen.h, for the field that it
 * was told.  OPS: the table's name. */
#include "chi_gen.h"
#include "field.h"

#define LD chi_fe_ld
#define ST chi_fe_st
/* n lanes of OUT from an expression in l; in place stands apart, where no
 * check of overlaps keeps the loop from being vectorised. */
#define EACH(out, a, expression_in_place, expression)                          \
  do {                                                                         \
    if ((out) == (a))                                                          \
      for (size_t l = 0; l < n; l++)                                           \
        ST(out, l, expression_in_place);                                       \
    else                                                                       \
      for (size_t l = 0; l < n; l++)                                           \
        ST(out, l, expression);                                                \
  } while (0)

static void add(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  (void)f;
  EACH(out, a, chi_f_add(LD(out, l), LD(b, l)),
       chi_f_add(LD(a, l), LD(b, l)));
}

static void sub(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  (void)f;
  EACH(out, a, chi_f_sub(LD(out, l), LD(b, l)),
       chi_f_sub(LD(a, l), LD(b, l)));
}

static void neg(const chii_field *f, uint64_t *out, const uint64_t *a,
                size_t n) {
  (void)f;
  EACH(out, a, chi_f_neg(LD(out, l)), chi_f_neg(LD(a, l)));
}

static void mul(const chii_field *f, uint64_t *out, const uint64_t *a,
                const uint64_t *b, size_t n) {
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l, chi_f_mul(LD(a, l), LD(b, l)));
}

static void add_two(const chii_field *f, uint64_t *out, const uint64_t *a,
                    const uint64_t *b, size_t n) {
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l, chi_f_add(LD(out, l), chi_f_add(LD(a, l), LD(b, l))));
}

static void shift(const chii_field *f, uint64_t *out, const uint64_t *a,
                  const uint64_t *c, size_t n) {
  chi_fe k = LD(c, 0);
  (void)f;
  EACH(out, a, chi_f_add(LD(out, l), k), chi_f_add(LD(a, l), k));
}

static void scale(const chii_field *f, uint64_t *out, const uint64_t *c,
                  const uint64_t *a, size_t stride, size_t n) {
  chi_fe k = LD(c, 0);
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l, chi_f_mul(k, LD(a, l * stride)));
}

static void scale_add(const chii_field *f, uint64_t *out, const uint64_t *c,
                      const uint64_t *a, size_t stride, size_t n) {
  chi_fe k = LD(c, 0);
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l, chi_f_add(LD(out, l), chi_f_mul(k, LD(a, l * stride))));
}

static void add_to(const chii_field *f, uint64_t *out, size_t stride,
                   const uint64_t *a, size_t n) {
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l * stride, chi_f_add(LD(out, l * stride), LD(a, l)));
}

/* rows constant where it is small, so that the loop over rows unrolls. */
static CHI_GEN_INLINE void combine_rows(uint64_t *restrict out,
                                        const uint64_t *c, const uint64_t *v,
                                        size_t stride, unsigned rows,
                                        size_t n) {
  for (size_t j = 0; j < n; j++) { /* rows <= 64: one fold */
    chi_acc z = chi_acc_zero();
    for (unsigned r = 0; r < rows; r++)
      z = chi_acc_mul(z, LD(c, r), LD(v, r * stride + j));
    ST(out, j, chi_acc_fold(z));
  }
}

static void combine(const chii_field *f, uint64_t *out, const uint64_t *c,
                    const uint64_t *v, size_t stride, unsigned rows,
                    size_t n) {
  (void)f;
  if (rows == 2)
    combine_rows(out, c, v, stride, 2, n);
  else if (rows == 3)
    combine_rows(out, c, v, stride, 3, n);
  else if (rows == 4)
    combine_rows(out, c, v, stride, 4, n);
  else
    combine_rows(out, c, v, stride, rows, n);
}

static void extract(const chii_field *f, uint64_t *out, const uint64_t *c,
                    unsigned d, unsigned rows, const uint64_t *v,
                    size_t stride, unsigned row, size_t n) {
  chi_fe col[CHI_PARTIES_MAX];
  (void)f;
  for (size_t j = 0, b = 0; j < n; b++, row = 0) {
    for (unsigned i = 0; i < d; i++)
      col[i] = LD(v, i * stride + b);
    for (; row < rows && j < n; row++, j++) {
      chi_acc z = chi_acc_zero();
      for (unsigned i = 0; i < d; i++)
        z = chi_acc_mul(z, LD(c, row * d + i), col[i]);
      ST(out, j, chi_acc_fold(z));
    }
  }
}

static CHI_GEN_INLINE void products_of(int P, uint64_t *restrict z,
                                       const uint64_t *a, const uint64_t *b,
                                       uint64_t plane, size_t n) {
  for (size_t i = 0; i < n; i++)
    ST(z, i, chi_f_add(LD(z, i), chi_pr_mul(P, chi_sh_ld(P, a, plane, i),
                                            chi_sh_ld(P, b, plane, i))));
}

static void products(const chii_field *f, uint64_t *z, const uint64_t *a,
                     const uint64_t *b, uint64_t plane, size_t n) {
  (void)f;
  if (plane)
    products_of(CHI_GEN_REP3, z, a, b, plane, n);
  else
    products_of(CHI_GEN_SHAMIR, z, a, b, 0, n);
}

static CHI_GEN_INLINE chi_fe dot_of(int P, const uint64_t *a,
                                    const uint64_t *b, uint64_t plane,
                                    size_t n) {
  chi_fe sum = chi_acc_fold(chi_acc_zero());
  for (size_t at = 0; at < n; at += CHI_ACC_PAIRS) {
    size_t to = at + CHI_ACC_PAIRS < n ? at + CHI_ACC_PAIRS : n;
    chi_acc z = chi_acc_zero();
    for (size_t l = at; l < to; l++)
      z = chi_acc_pr(P, z, chi_sh_ld(P, a, plane, l),
                     chi_sh_ld(P, b, plane, l));
    sum = chi_f_add(sum, chi_acc_fold(z));
  }
  return sum;
}

static void dot(const chii_field *f, uint64_t *z, const uint64_t *a,
                const uint64_t *b, uint64_t plane, size_t n) {
  chi_fe v = plane ? dot_of(CHI_GEN_REP3, a, b, plane, n)
                   : dot_of(CHI_GEN_SHAMIR, a, b, 0, n);
  (void)f;
  ST(z, 0, chi_f_add(LD(z, 0), v));
}

static void inner(const chii_field *f, uint64_t *z, const uint64_t *a,
                  const uint64_t *b, size_t n) {
  dot(f, z, a, b, 0, n);
}

static uint64_t above(const chii_field *f, const uint64_t *v, size_t n) {
  chi_fe bad = 0; /* top bit: some element is p or more */
  (void)f;
  for (size_t i = 0; i < n; i++)
    bad |= LD(v, i) | (CHI_P - 1 - LD(v, i));
  return (uint64_t)(bad >> (8 * sizeof bad - 1));
}

static uint64_t trim(const chii_field *f, uint64_t *v, size_t n) {
  chi_fe excess = 0; /* bit k: some value is p */
  (void)f;
  for (size_t j = 0; j < n; j++) {
    chi_fe x = LD(v, j) & CHI_P;
    excess |= x + 1;
    ST(v, j, x);
  }
  return (uint64_t)(excess >> CHI_MERSENNE);
}

static void inv(const chii_field *f, uint64_t *out, const uint64_t *a) {
  (void)f;
  ST(out, 0, chi_f_inv(LD(a, 0)));
}

static void from_i64(const chii_field *f, uint64_t *out, const int64_t *v,
                     size_t n) {
  (void)f;
  for (size_t l = 0; l < n; l++)
    ST(out, l, chi_f_from_i64(v[l]));
}

static void from_wide(const chii_field *f, uint64_t *out, const uint64_t *a) {
  (void)f;
  ST(out, 0, chi_f_from_wide(a));
}

const chii_field_ops OPS = {
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
