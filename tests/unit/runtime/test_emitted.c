/* The arithmetic of chi_gen.h as emitted code has it, in each kind of field:
 * built with TEST_127, or with CHI_PRIME_WORDS and CHI_PRIME. */
#ifdef TEST_127
#undef CHI_MERSENNE
#define CHI_MERSENNE 127
#endif
#include <CUnit/Basic.h>
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "chi_gen.h"
#include "fields_kit.h"

enum { W = CHI_FE_WORDS };
static const chi_field field = CHI_FIELD_INIT;
static chii_field F; /* for elements of the kit */
static mpz_t P, X, Y, Z, S;

static void set(mpz_t z, chi_fe v) {
  uint64_t limb[W];
  chi_fe_st(limb, 0, v);
  mpz_import(z, W, -1, 8, 0, 0, limb);
}

/* Is v the canonical residue of z? */
static int is(chi_fe v, mpz_t z) {
  uint64_t limb[W];
  memset(limb, 0, sizeof limb);
  mpz_fdiv_r(z, z, P);
  mpz_export(limb, NULL, -1, 8, 0, 0, z);
  return chi_f_eq(v, chi_fe_ld(limb, 0));
}
#define IS(v, z) CU_ASSERT_FATAL(is(v, z))

static chi_fe element(uint64_t *seed) {
  uint64_t limb[CHI_FIELD_WORDS_MAX];
  kit_element(&F, limb, seed);
  return chi_fe_ld(limb, 0);
}

static void pairs(void) {
  uint64_t seed = 1;
  for (int i = 0; i < 20000; i++) {
    chi_fe a = element(&seed), b = element(&seed);
    set(X, a);
    set(Y, b);
    mpz_add(Z, X, Y);
    IS(chi_f_add(a, b), Z);
    mpz_sub(Z, X, Y);
    IS(chi_f_sub(a, b), Z);
    mpz_neg(Z, X);
    IS(chi_f_neg(a), Z);
    mpz_mul(Z, X, Y);
    IS(chi_f_mul(a, b), Z);
    CU_ASSERT_EQUAL_FATAL(chi_f_eq(a, b), mpz_cmp(X, Y) == 0);
    if (i % 20)
      continue;
    if (!mpz_invert(Z, X, P))
      mpz_set_ui(Z, 0);
    IS(chi_f_inv(a), Z);
  }
}

static void integers(void) {
  uint64_t seed = 2, wide[CHI_WIDE_WORDS], limb[CHI_WIDE_LIMBS];
  char text[200];
  for (int i = 0; i < 2000; i++) {
    int64_t v = (int64_t)test_random(&seed) >> (test_random(&seed) % 64);
    v = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : v;
    chi_fe a = chi_f_from_i64(v);
    mpz_set_si(Z, (long)v);
    IS(a, Z);
    a = i % 2 ? a : element(&seed);
    set(X, a);
    mpz_mul_ui(Y, X, 2);
    if (mpz_cmp(Y, P) > 0)
      mpz_sub(X, X, P);
    int64_t back = chi_f_to_i64(a);
    CU_ASSERT_EQUAL_FATAL(
        back, mpz_fits_slong_p(X) ? mpz_get_si(X) : INT64_MIN);
    chi_f_to_wide(wide, a);
    CU_ASSERT_FATAL(chii_wide_print(text, sizeof text, wide));
    char *want = mpz_get_str(NULL, 10, X);
    CU_ASSERT_STRING_EQUAL_FATAL(text, want);
    free(want);
    CU_ASSERT_FATAL(chi_f_eq(chi_f_from_wide(wide), a));
    for (int k = 0; k < CHI_WIDE_LIMBS; k++)
      limb[k] = i % 3 ? test_random(&seed) : UINT64_MAX;
    chi_wide_set_limbs(wide, i % 2 ? -1 : 1, limb, (unsigned)i % 17);
    mpz_import(Z, (unsigned)i % 17, -1, 8, 0, 0, limb);
    if (i % 2)
      mpz_neg(Z, Z);
    IS(chi_f_from_wide(wide), Z);
  }
}

/* CHI_ACC_UNITS of the largest products and 64 elements beside them. */
static void sums(void) {
  uint64_t seed = 3;
  for (int round = 0; round < 500; round++) {
    chi_fe top = chi_f_neg(chi_f_from_i64(1));
    chi_acc z = chi_acc_of(top), pr = chi_acc_zero();
    set(S, top);
    for (int i = 0; i < CHI_ACC_UNITS; i++) {
      chi_fe a = round ? element(&seed) : top, b = round ? element(&seed) : top;
      set(X, a);
      set(Y, b);
      mpz_addmul(S, X, Y);
      mpz_add(S, S, X);
      z = chi_acc_add(chi_acc_mul(z, a, b), a);
    }
    IS(chi_acc_fold(z), S);
    mpz_set_ui(S, 0);
    for (int i = 0; i < CHI_ACC_PAIRS; i++) {
      chi_sh x = {top, top}, y = {top, top};
      if (round) {
        x.a = element(&seed);
        x.b = element(&seed);
        y.a = element(&seed);
        y.b = element(&seed);
      }
      set(X, x.a);
      set(Y, y.a);
      mpz_mul(Z, X, Y);
      set(Y, y.b);
      mpz_addmul(Z, X, Y);
      set(X, x.b);
      set(Y, y.a);
      mpz_addmul(Z, X, Y);
      mpz_add(S, S, Z);
      IS(chi_pr_mul(CHI_GEN_REP3, x, y), Z);
      pr = chi_acc_pr(CHI_GEN_REP3, pr, x, y);
    }
    IS(chi_acc_fold(pr), S);
  }
}

/* Planes, and shares of public elements. */
static void shares(void) {
  uint64_t base[2 * 3 * W], seed = 4;
  for (int P_ = 1; P_ <= 2; P_++)
    for (uint64_t l = 0; l < 3; l++) {
      chi_sh x = {element(&seed), element(&seed)}, y;
      memset(base, 0, sizeof base);
      chi_sh_st(P_, base, 3, l, x);
      y = chi_sh_ld(P_, base, 3, l);
      CU_ASSERT(chi_f_eq(x.a, y.a));
      CU_ASSERT(chi_f_eq(chi_fe_ld(base, l), x.a));
      CU_ASSERT(P_ == CHI_GEN_SHAMIR || chi_f_eq(x.b, y.b));
      for (unsigned me = 0; me < 3; me++) {
        chi_fe c = element(&seed);
        y = chi_sh_sub(P_, chi_sh_addp(P_, me, x, c), x);
        CU_ASSERT(chi_f_eq(y.a, P_ == 2 || me == 0 ? c : chi_f_from_i64(0)));
        y = chi_sh_sel(P_, me & 1, x, chi_sh_neg(P_, x));
        CU_ASSERT(chi_f_eq(y.a, me & 1 ? x.a : chi_f_neg(x.a)));
        y = chi_sh_mulp(P_, x, c);
        CU_ASSERT(chi_f_eq(y.a, chi_f_mul(c, x.a)));
      }
    }
#if CHI_FE_WORDS == 1
  chi_fe k = CHI_FE(5);
#elif CHI_FE_WORDS == 2
  chi_fe k = CHI_FE(5, 0);
#else
  chi_fe k = CHI_FE(5, 0, 0, 0);
#endif
  CU_ASSERT(chi_f_eq(k, chi_f_from_i64(5)));
}

int main(void) {
  mpz_inits(P, X, Y, Z, S, NULL);
  if (chii_field_of(&F, &field, true))
    return 1;
  mpz_import(P, F.words, -1, 8, 0, 0, F.prime);
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("emitted", NULL, NULL);
  CU_add_test(s, "pairs", pairs);
  CU_add_test(s, "integers", integers);
  CU_add_test(s, "sums", sums);
  CU_add_test(s, "shares", shares);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  mpz_clears(P, X, Y, Z, S, NULL);
  return failed != 0;
}
