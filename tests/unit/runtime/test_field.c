/* Field arithmetic of chi_gen.h against GMP; small primes exhaustively.  Wide
 * integers against GMP's mpz. */
#include <CUnit/Basic.h>
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

static mpz_t P, X, Y, Z;

static void set64(mpz_t z, uint64_t v) {
  mpz_import(z, 1, -1, 8, 0, 0, &v);
}

static uint64_t get64(mpz_t z) {
  uint64_t v = 0;
  mpz_export(&v, NULL, -1, 8, 0, 0, z);
  return v;
}

static uint64_t residue(void) { /* Z mod p, in 0..p-1 */
  mpz_fdiv_r(Z, Z, P);
  return get64(Z);
}

static void pair(uint64_t a, uint64_t b) {
  set64(X, a);
  set64(Y, b);
  mpz_add(Z, X, Y);
  CU_ASSERT_EQUAL_FATAL(chi_f_add(a, b), residue());
  mpz_sub(Z, X, Y);
  CU_ASSERT_EQUAL_FATAL(chi_f_sub(a, b), residue());
  mpz_mul(Z, X, Y);
  CU_ASSERT_EQUAL_FATAL(chi_f_mul(a, b), residue());
  mpz_neg(Z, X);
  CU_ASSERT_EQUAL_FATAL(chi_f_neg(a), residue());
  chi_sh x = {a, b}, y = {b, a}; /* a b' + a a' + b b', b' = b, a' = a */
  mpz_mul(Z, X, Y);
  mpz_addmul(Z, X, X);
  mpz_addmul(Z, Y, Y);
  CU_ASSERT_EQUAL_FATAL(chi_pr_mul(CHI_GEN_REP3, x, y), residue());
}

static void inverse(uint64_t a) {
  uint64_t i = chi_f_inv(a);
  if (a == 0) {
    CU_ASSERT_EQUAL(i, 0);
    return;
  }
  set64(X, a);
  CU_ASSERT_FATAL(mpz_invert(Z, X, P) != 0);
  CU_ASSERT_EQUAL_FATAL(i, get64(Z));
}

static const uint64_t edge[] = {0, 1, 2, 3, CHI_P - 1, CHI_P - 2,
                                CHI_P / 2, CHI_P / 2 + 1, CHI_P / 2 - 1,
                                (UINT64_C(1) << 32) - 1, UINT64_C(1) << 32};
enum { EDGES = sizeof edge / sizeof *edge };

static void arithmetic(void) {
  if (CHI_P <= 127) {
    for (uint64_t a = 0; a < CHI_P; a++) {
      inverse(a);
      for (uint64_t b = 0; b < CHI_P; b++)
        pair(a, b);
    }
    return;
  }
  uint64_t st = 1;
  for (int i = 0; i < EDGES; i++) {
    inverse(edge[i] % CHI_P);
    for (int j = 0; j < EDGES; j++)
      pair(edge[i] % CHI_P, edge[j] % CHI_P);
  }
  for (int i = 0; i < 100000; i++)
    pair(test_element(&st), test_element(&st));
  for (int i = 0; i < 1000; i++)
    inverse(test_element(&st));
}

/* 64 products of the largest elements, and small sums beside them. */
static void accumulators(void) {
  uint64_t st = 2;
  for (int round = 0; round < 1000; round++) {
    chi_acc z = chi_acc_zero();
    mpz_set_ui(Z, 0);
    for (int i = 0; i < CHI_ACC_UNITS; i++) {
      uint64_t a = round ? test_element(&st) : CHI_P - 1;
      uint64_t b = round ? test_element(&st) : CHI_P - 1;
      z = chi_acc_mul(z, a, b);
      set64(X, a);
      set64(Y, b);
      mpz_addmul(Z, X, Y);
    }
    for (int i = 0; i < 64; i++) {
      z = chi_acc_add(z, CHI_P - 1);
      set64(X, CHI_P - 1);
      mpz_add(Z, Z, X);
    }
    CU_ASSERT_EQUAL_FATAL(chi_acc_fold(z), residue());
  }
  chi_acc z = chi_acc_zero();
  chi_sh big = {CHI_P - 1, CHI_P - 1};
  for (int i = 0; i < CHI_ACC_PAIRS; i++)
    z = chi_acc_pr(CHI_GEN_REP3, z, big, big);
  CU_ASSERT_EQUAL(chi_acc_fold(z), 3 * CHI_ACC_PAIRS % CHI_P);
  /* every 128-bit number has a canonical fold */
  for (int i = 0; i < 100000; i++) {
    uint64_t w[2] = {test_random(&st), test_random(&st)};
    if (i < 4) {
      w[0] = i & 1 ? UINT64_MAX : 0;
      w[1] = i & 2 ? UINT64_MAX : 0;
    }
    mpz_import(Z, 2, -1, 8, 0, 0, w);
    CU_ASSERT_EQUAL_FATAL(chi_acc_fold((chi_acc)w[1] << 64 | w[0]),
                          residue());
  }
}

static void integers(void) {
  uint64_t st = 3;
  for (int i = 0; i < 10000; i++) {
    int64_t v = (int64_t)test_random(&st) >> (test_random(&st) % 64);
    if (i == 0)
      v = INT64_MIN;
    if (i == 1)
      v = INT64_MAX;
    mpz_set_si(Z, (long)v);
    uint64_t e = chi_f_from_i64(v);
    CU_ASSERT_EQUAL_FATAL(e, residue());
    int64_t half = (int64_t)(CHI_P / 2);
    if (v >= -half && v <= half)
      CU_ASSERT_EQUAL_FATAL(chi_f_to_i64(e), v);
  }
  CU_ASSERT_EQUAL(chi_z_rdiv(5, 2), 2);
  CU_ASSERT_EQUAL(chi_z_rdiv(7, 2), 4);
  CU_ASSERT_EQUAL(chi_z_rdiv(-5, 2), -2);
  CU_ASSERT_EQUAL(chi_z_rdiv(-7, 2), -4);
  CU_ASSERT_EQUAL(chi_z_rdiv(INT64_MIN, 1), INT64_MIN);
  CU_ASSERT_EQUAL(chi_z_isqrt(INT64_MAX), INT64_C(3037000499));
  CU_ASSERT_EQUAL(chi_z_isqrt(0), 0);
  CU_ASSERT_EQUAL(chi_z_wrap(-1, 8, 0), 255);
  CU_ASSERT_EQUAL(chi_z_wrap(200, 8, 1), -56);
  CU_ASSERT_EQUAL(chi_z_wrap(-1, 64, 1), -1);
}

/* ---- wide integers ---- */

static void wide_of(uint64_t *w, const mpz_t z) {
  uint64_t limb[CHI_WIDE_LIMBS] = {0};
  size_t n = 0;
  mpz_export(limb, &n, -1, 8, 0, 0, z);
  chi_wide_set_limbs(w, mpz_sgn(z), limb, (unsigned)n);
}

static int same(const uint64_t *w, const mpz_t z) {
  uint64_t v[CHI_WIDE_WORDS];
  wide_of(v, z);
  return memcmp(v, w, sizeof v) == 0;
}

static void random_wide(mpz_t z, uint64_t *st, unsigned bits) {
  uint64_t limb[CHI_WIDE_LIMBS];
  for (int i = 0; i < CHI_WIDE_LIMBS; i++) {
    limb[i] = test_random(st);
    unsigned kind = (unsigned)(test_random(st) % 6);
    limb[i] = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : limb[i];
  }
  mpz_import(z, CHI_WIDE_LIMBS, -1, 8, 0, 0, limb);
  mpz_fdiv_r_2exp(z, z, test_random(st) % (bits + 1));
  if (test_random(st) & 1)
    mpz_neg(z, z);
}

static void rdiv(mpz_t q, const mpz_t a, const mpz_t b) {
  mpz_t n, d, r; /* floor((2a + b) / 2b), then ties to even */
  mpz_inits(n, d, r, NULL);
  mpz_mul_2exp(n, a, 1);
  mpz_add(n, n, b);
  mpz_mul_2exp(d, b, 1);
  mpz_fdiv_qr(q, r, n, d);
  if (mpz_sgn(r) == 0 && mpz_odd_p(q))
    mpz_sub_ui(q, q, 1);
  mpz_clears(n, d, r, NULL);
}

static void wide(void) {
  uint64_t st = 4, a[CHI_WIDE_WORDS], b[CHI_WIDE_WORDS], r[CHI_WIDE_WORDS];
  char text[400];
  for (int i = 0; i < 20000; i++) {
    random_wide(X, &st, i % 3 ? 1022 : 70);
    random_wide(Y, &st, i % 2 ? 1022 : 70);
    wide_of(a, X);
    wide_of(b, Y);
    mpz_add(Z, X, Y);
    chi_wide_add(r, a, b);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_sub(Z, X, Y);
    chi_wide_sub(r, a, b);
    CU_ASSERT_FATAL(same(r, Z));
    CU_ASSERT_EQUAL_FATAL(chi_wide_cmp(a, b),
                          (mpz_cmp(X, Y) > 0) - (mpz_cmp(X, Y) < 0));
    mpz_mul(Z, X, Y);
    if (mpz_sizeinbase(Z, 2) <= 1024) {
      chi_wide_mul(r, a, b);
      CU_ASSERT_FATAL(same(r, Z));
    }
    if (mpz_sgn(Y)) {
      mpz_tdiv_q(Z, X, Y);
      chi_wide_tdiv(r, a, b);
      CU_ASSERT_FATAL(same(r, Z));
      mpz_tdiv_r(Z, X, Y);
      chi_wide_tmod(r, a, b);
      CU_ASSERT_FATAL(same(r, Z));
      rdiv(Z, X, Y);
      chi_wide_rdiv(r, a, b);
      CU_ASSERT_FATAL(same(r, Z));
    }
    unsigned bits = (unsigned)(test_random(&st) % 1100);
    mpz_fdiv_q_2exp(Z, X, bits);
    chi_wide_shr(r, a, bits);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_mul_2exp(Z, X, bits);
    if (mpz_sizeinbase(Z, 2) <= 1024 && bits <= 1024) {
      chi_wide_shl(r, a, bits);
      CU_ASSERT_FATAL(same(r, Z));
    }
    bits = 1 + (unsigned)(test_random(&st) % 1024);
    mpz_fdiv_r_2exp(Z, X, bits);
    chi_wide_wrap(r, a, bits, 0);
    CU_ASSERT_FATAL(same(r, Z));
    if (mpz_tstbit(Z, bits - 1)) {
      mpz_t m;
      mpz_init_set_ui(m, 1);
      mpz_mul_2exp(m, m, bits);
      mpz_sub(Z, Z, m);
      mpz_clear(m);
    }
    chi_wide_wrap(r, a, bits, 1);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_set(Z, X);
    CU_ASSERT_EQUAL_FATAL(chi_f_from_wide(a), residue());
    CU_ASSERT_EQUAL_FATAL(chi_wide_fits_i64(a), mpz_fits_slong_p(X) != 0);
    if (mpz_fits_slong_p(X)) {
      CU_ASSERT_EQUAL_FATAL(chi_wide_get_i64(a), mpz_get_si(X));
      chi_wide_set_i64(r, mpz_get_si(X));
      CU_ASSERT_FATAL(same(r, X));
    }
    mpz_abs(X, X);
    mpz_abs(Y, Y);
    wide_of(a, X);
    wide_of(b, Y);
    mpz_and(Z, X, Y);
    chi_wide_and(r, a, b);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_ior(Z, X, Y);
    chi_wide_or(r, a, b);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_xor(Z, X, Y);
    chi_wide_xor(r, a, b);
    CU_ASSERT_FATAL(same(r, Z));
    mpz_sqrt(Z, X);
    chi_wide_isqrt(r, a);
    CU_ASSERT_FATAL(same(r, Z));
    chi_wide_neg(a, a);
    mpz_neg(X, X);
    CU_ASSERT_FATAL(same(a, X));
    CU_ASSERT_FATAL(chii_wide_print(text, sizeof text, a));
    char *want = mpz_get_str(NULL, 10, X);
    CU_ASSERT_STRING_EQUAL_FATAL(text, want);
    free(want);
    CU_ASSERT_FATAL(chii_wide_parse(r, text));
    CU_ASSERT_FATAL(same(r, X));
  }
  CU_ASSERT_FALSE(chii_wide_parse(r, ""));
  CU_ASSERT_FALSE(chii_wide_parse(r, "-"));
  CU_ASSERT_FALSE(chii_wide_parse(r, "12a"));
  CU_ASSERT(chii_wide_parse(r, "0xFf"));
  CU_ASSERT_EQUAL(chi_wide_get_i64(r), 255);
  memset(text, '9', 309);
  text[309] = 0;
  CU_ASSERT_FALSE(chii_wide_parse(r, text));
}

int main(void) {
  mpz_inits(P, X, Y, Z, NULL);
  set64(P, CHI_P);
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("field", NULL, NULL);
  CU_add_test(s, "arithmetic", arithmetic);
  CU_add_test(s, "accumulators", accumulators);
  CU_add_test(s, "integers", integers);
  CU_add_test(s, "wide integers", wide);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  mpz_clears(P, X, Y, Z, NULL);
  return failed != 0;
}
