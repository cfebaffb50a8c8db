/* Fields of every kind: arithmetic of their tables and of chi_big_* against
 * GMP's integers; streams; what is refused. */
#include <CUnit/Basic.h>
#include <gmp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fields_kit.h"
#include "prg.h"

static mpz_t P, X, Y, Z;
static chii_field F;

static void set(mpz_t z, const uint64_t *v) {
  mpz_import(z, F.words, -1, 8, 0, 0, v);
}

/* Is v the canonical residue of Z? */
static int is(const uint64_t *v) {
  uint64_t w[CHI_FIELD_WORDS_MAX] = {0};
  mpz_fdiv_r(Z, Z, P);
  mpz_export(w, NULL, -1, 8, 0, 0, Z);
  return memcmp(w, v, F.bytes) == 0;
}
#define IS(v) CU_ASSERT_FATAL(is(v))

static void open_field(unsigned k) {
  CU_ASSERT_EQUAL_FATAL(chii_field_of(&F, &kit_field[k].field, true), CHI_OK);
  mpz_import(P, F.words, -1, 8, 0, 0, F.prime);
}

enum { N = 67 };

static void lane_by_lane(const uint64_t *a, const uint64_t *b) {
  static uint64_t r[N * CHI_FIELD_WORDS_MAX];
  unsigned w = F.words;
#define EACH(call, what)                                                       \
  do {                                                                         \
    call;                                                                      \
    for (size_t l = 0; l < N; l++) {                                           \
      set(X, a + l * w);                                                       \
      set(Y, b + l * w);                                                       \
      what;                                                                    \
      IS(r + l * w);                                                           \
    }                                                                          \
  } while (0)
  EACH(chii_add(&F, r, a, b, N), mpz_add(Z, X, Y));
  EACH(chii_sub(&F, r, a, b, N), mpz_sub(Z, X, Y));
  EACH(chii_mul(&F, r, a, b, N), mpz_mul(Z, X, Y));
  EACH(F.op->neg(&F, r, a, N), mpz_neg(Z, X));
  /* in place */
  EACH(memcpy(r, a, N * F.bytes); chii_add(&F, r, r, b, N), mpz_add(Z, X, Y));
  EACH(memcpy(r, a, N * F.bytes); chii_sub(&F, r, r, b, N), mpz_sub(Z, X, Y));
  EACH(memcpy(r, b, N * F.bytes); chii_sub(&F, r, a, r, N), mpz_sub(Z, X, Y));
  EACH(memcpy(r, a, N * F.bytes); F.op->neg(&F, r, r, N), mpz_neg(Z, X));
  EACH(memcpy(r, a, N * F.bytes); F.op->add_two(&F, r, a, b, N),
       mpz_add(Z, X, X); mpz_add(Z, Z, Y));
  EACH(memcpy(r, b, N * F.bytes); F.op->add_to(&F, r, 1, a, N),
       mpz_add(Z, X, Y));
  EACH(F.op->shift(&F, r, a, b, N), set(Y, b); mpz_add(Z, X, Y));
  EACH(chii_scale(&F, r, b, a, 1, N), set(Y, b); mpz_mul(Z, X, Y));
  EACH(memcpy(r, a, N * F.bytes); F.op->scale_add(&F, r, b, a, 1, N),
       set(Y, b); mpz_mul(Z, X, Y); mpz_add(Z, Z, X));
  EACH(memcpy(r, b, N * F.bytes); F.op->products(&F, r, a, b, 0, N),
       mpz_mul(Z, X, Y); mpz_add(Z, Z, Y));
  /* strides */
  chii_scale(&F, r, b, a, 3, N / 3);
  for (size_t l = 0; l < N / 3; l++) {
    set(X, a + 3 * l * w);
    set(Y, b);
    mpz_mul(Z, X, Y);
    IS(r + l * w);
  }
  for (size_t l = 0; l < N; l++) {
    set(X, a + l * w);
    F.op->inv(&F, r, a + l * w);
    if (!mpz_invert(Z, X, P))
      mpz_set_ui(Z, 0); /* of 0 alone: p is prime */
    IS(r);
  }
}

static void sums(const uint64_t *a, const uint64_t *b) {
  static uint64_t r[N * CHI_FIELD_WORDS_MAX];
  unsigned w = F.words;
  mpz_t sum;
  mpz_init(sum);
  for (unsigned rows = 1; rows <= 64; rows += rows < 6 ? 1 : 29) {
    /* a: coefficients; rows of b overlap, one lane apart */
    F.op->combine(&F, r, a, b, 1, rows, N - rows);
    for (size_t j = 0; j < N - rows; j++) {
      mpz_set_ui(Z, 0);
      for (unsigned k = 0; k < rows; k++) {
        set(X, a + k * w);
        set(Y, b + (k + j) * w);
        mpz_addmul(Z, X, Y);
      }
      IS(r + j * w);
    }
  }
  /* three rows of five coefficients, columns two lanes apart, from row 1 */
  F.op->extract(&F, r, a, 5, 3, b, 12, 1, 20);
  for (size_t j = 0; j < 20; j++) {
    mpz_set_ui(Z, 0);
    for (unsigned i = 0; i < 5; i++) {
      set(X, a + ((j + 1) % 3 * 5 + i) * w);
      set(Y, b + (i * 12 + (j + 1) / 3) * w);
      mpz_addmul(Z, X, Y);
    }
    IS(r + j * w);
  }
  for (int rep3 = 0; rep3 < 2; rep3++) {
    size_t n = rep3 ? N / 2 : N;
    uint64_t plane = rep3 ? N / 2 : 0;
    set(sum, b);
    for (size_t l = 0; l < n; l++) {
      set(X, a + l * w);
      set(Y, b + l * w);
      mpz_addmul(sum, X, Y);
      if (!rep3)
        continue;
      set(Z, b + (l + plane) * w);
      mpz_addmul(sum, X, Z);
      set(Z, a + (l + plane) * w);
      mpz_addmul(sum, Z, Y);
    }
    memcpy(r, b, F.bytes);
    F.op->dot(&F, r, a, b, plane, n);
    mpz_set(Z, sum);
    IS(r);
    memset(r, 0, sizeof r);
    F.op->products(&F, r, a, b, plane, n);
    for (size_t l = 1; l < n; l++)
      chii_add(&F, r, r, r + l * w, 1);
    chii_add(&F, r, r, b, 1);
    mpz_set(Z, sum);
    IS(r);
  }
  mpz_clear(sum);
}

static void bounds(const uint64_t *a) {
  uint64_t v[3 * CHI_FIELD_WORDS_MAX], ones[CHI_FIELD_WORDS_MAX];
  unsigned w = F.words;
  CU_ASSERT_FATAL(!F.op->above(&F, a, N));
  for (int k = 0; k < 3; k++) {
    memcpy(v, a, 3 * F.bytes);
    CU_ASSERT(!F.op->above(&F, v, 3));
    memcpy(v + k * w, F.prime, F.bytes);
    CU_ASSERT(F.op->above(&F, v, 3));
    CU_ASSERT(F.op->trim(&F, v, 3));
    memset(v + k * w, 0xff, F.bytes);
    CU_ASSERT(F.op->above(&F, v, 3));
    F.op->trim(&F, v, 3);
    mpz_set_ui(Z, 1);
    mpz_mul_2exp(Z, Z, F.bits);
    mpz_sub_ui(Z, Z, 1);
    memset(ones, 0, sizeof ones);
    mpz_export(ones, NULL, -1, 8, 0, 0, Z);
    CU_ASSERT_EQUAL(memcmp(ones, v + k * w, F.bytes), 0);
  }
}

static void integers(uint64_t *seed) {
  uint64_t e[CHI_FIELD_WORDS_MAX], wide[CHI_WIDE_WORDS], back[CHI_WIDE_WORDS];
  char text[200];
  for (int i = 0; i < 200; i++) {
    int64_t v = (int64_t)test_random(seed) >> (test_random(seed) % 64);
    v = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i == 2 ? 0 : v;
    F.op->from_i64(&F, e, &v, 1);
    mpz_set_si(Z, (long)v);
    IS(e);
    /* any wide integer to an element; the element as the nearest to 0 */
    uint64_t limb[CHI_WIDE_LIMBS];
    for (int k = 0; k < CHI_WIDE_LIMBS; k++)
      limb[k] = test_random(seed);
    chi_wide_set_limbs(wide, i % 2 ? -1 : 1, limb, (unsigned)i % 17);
    F.op->from_wide(&F, e, wide);
    mpz_import(Z, (unsigned)i % 17, -1, 8, 0, 0, limb);
    if (i % 2)
      mpz_neg(Z, Z);
    IS(e);
    chii_to_wide(&F, wide, e, true);
    mpz_mul_ui(X, Z, 2);
    if (mpz_cmp(X, P) > 0)
      mpz_sub(Z, Z, P);
    CU_ASSERT_FATAL(chii_wide_print(text, sizeof text, wide));
    char *want = mpz_get_str(NULL, 10, Z);
    CU_ASSERT_STRING_EQUAL_FATAL(text, want);
    free(want);
    CU_ASSERT_FATAL(chii_of_wide(&F, back, wide));
    CU_ASSERT_EQUAL_FATAL(memcmp(back, e, F.bytes), 0);
  }
}

static void arithmetic(void) {
  static uint64_t a[N * CHI_FIELD_WORDS_MAX], b[N * CHI_FIELD_WORDS_MAX];
  for (unsigned k = 0; k < kit_fields; k++) {
    uint64_t seed = k;
    open_field(k);
    for (int round = 0; round < 30; round++) {
      for (size_t l = 0; l < N; l++) {
        kit_element(&F, a + l * F.words, &seed);
        kit_element(&F, b + l * F.words, &seed);
      }
      lane_by_lane(a, b);
      sums(a, b);
      bounds(a);
    }
    integers(&seed);
  }
}

/* Every pair of elements of the tiny ones. */
static void tiny(void) {
  for (unsigned k = 0; k < kit_fields; k++) {
    open_field(k);
    if (F.words > 1 || F.prime[0] > 31)
      continue;
    uint64_t p = F.prime[0], r, v[3];
    for (uint64_t a = 0; a < p; a++) {
      F.op->inv(&F, &r, &a);
      CU_ASSERT_EQUAL(r * a % p, a != 0);
      F.op->neg(&F, &r, &a, 1);
      CU_ASSERT_EQUAL(r, (p - a) % p);
      for (uint64_t b = 0; b < p; b++) {
        chii_add(&F, &r, &a, &b, 1);
        CU_ASSERT_EQUAL(r, (a + b) % p);
        chii_sub(&F, &r, &a, &b, 1);
        CU_ASSERT_EQUAL(r, (a + p - b) % p);
        chii_mul(&F, &r, &a, &b, 1);
        CU_ASSERT_EQUAL(r, a * b % p);
        for (uint64_t c = 0; c < p; c++) {
          v[0] = a;
          v[1] = b;
          v[2] = c;
          r = c;
          F.op->products(&F, &r, v, v + 1, 1, 1); /* a b, a c, b b */
          CU_ASSERT_EQUAL(r, (a * b + a * c + b * b + c) % p);
        }
      }
    }
  }
}

/* ---- streams ---- */

/* chi-square of the low bits and of the bits below the top; an element is never
 * p or more; both ends have the same. */
static void streams(void) {
  enum { COUNT = 1 << 14, BINS = 64 };
  uint8_t key[32] = {3};
  for (unsigned k = 0; k < kit_fields; k++) {
    chii_prg g, h;
    open_field(k);
    memset(&g, 0, sizeof g);
    memset(&h, 0, sizeof h);
    CU_ASSERT_FATAL(chii_prg_init(&g, key, 0, 1, CHII_REDUCE));
    CU_ASSERT_FATAL(chii_prg_init(&h, key, 0, 1, CHII_REDUCE));
    uint64_t *x = malloc(COUNT * F.bytes), *y = malloc(COUNT * F.bytes);
    CU_ASSERT_FATAL(x && y && chii_prg_fill(&F, &g, x, 0, COUNT));
    CU_ASSERT(!F.op->above(&F, x, COUNT));
    for (size_t at = 0, n; at < COUNT; at += n + n % 2) {
      n = chii_min(1 + at % 701, COUNT - at);
      CU_ASSERT_FATAL(chii_prg_fill(&F, &h, y, at, n));
      CU_ASSERT_EQUAL_FATAL(memcmp(y, x + at * F.words, n * F.bytes), 0);
    }
    /* classes modulo BINS, and BINS parts of 0 .. p - 1; or all elements */
    uint64_t bins = F.words == 1 && F.prime[0] < BINS ? F.prime[0] : BINS;
    long low[BINS] = {0}, high[BINS] = {0};
    for (size_t i = 0; i < COUNT; i++) {
      set(X, x + i * F.words);
      low[mpz_fdiv_ui(X, bins)]++;
      mpz_mul_ui(X, X, bins);
      mpz_fdiv_q(X, X, P);
      high[mpz_get_ui(X)]++;
    }
    double mean = (double)COUNT / (double)bins, degrees = (double)bins - 1;
    double chi[2] = {-degrees, -degrees}; /* mean 0, variance 2 degrees */
    for (uint64_t i = 0; i < bins; i++) {
      double d = (double)low[i] - mean, e = (double)high[i] - mean;
      chi[0] += d * d / mean;
      chi[1] += e * e / mean;
    }
    for (int i = 0; i < 2; i++)
      CU_ASSERT(chi[i] < 0 || chi[i] * chi[i] < 36 * 2 * degrees);
    chii_prg_fini(&g);
    chii_prg_fini(&h);
    free(x);
    free(y);
  }
}

/* ---- descriptions ---- */

static void refused(void) {
  chii_field f;
  static const uint64_t even[2] = {0, 1}, nine[1] = {9}, three[1] = {3};
  static const uint64_t top0[2] = {7, 0}, five[1] = {5}, one[1] = {1};
  static const uint64_t square[2] = {UINT64_C(0x8000000000000001) * 3, 1};
  static uint64_t long_one[10];
  long_one[9] = 1;
  long_one[0] = 1;
  const chi_field bad[] = {
      {31, 1, NULL},  {0, 1, NULL},   {127, 1, NULL},  {127, 2, five},
      {0, 0, five},   {0, 2, even},   {0, 1, nine},    {0, 1, three},
      {0, 2, top0},   {0, 1, one},    {0, 2, square},  {0, 10, long_one},
      {89, 2, NULL},  {0, 2, NULL},   {CHI_MERSENNE, 2, NULL}};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    CU_ASSERT_EQUAL(chii_field_of(&f, &bad[k], true), CHI_E_ARG);
  const chi_field good[] = {{0, 0, NULL},   {CHI_MERSENNE, 0, NULL},
                            {127, 0, NULL}, {127, 2, NULL},
                            {0, 1, five},   {CHI_MERSENNE, 1, NULL}};
  for (size_t k = 0; k < sizeof good / sizeof *good; k++)
    CU_ASSERT_EQUAL(chii_field_of(&f, &good[k], true), CHI_OK);
}

static void texts(void) {
  for (unsigned k = 0; k < kit_fields; k++) {
    const chi_field *g = &kit_field[k].field;
    uint64_t e[CHI_FIELD_WORDS_MAX], b[CHI_FIELD_WORDS_MAX], seed = k;
    char text[200], more[210];
    open_field(k);
    for (int i = 0; i < 50; i++) {
      kit_element(&F, e, &seed);
      for (int centred = 0; centred < 2; centred++) {
        CU_ASSERT_EQUAL_FATAL(
            chi_element_print(text, sizeof text, g, e, centred), CHI_OK);
        CU_ASSERT(strlen(text) < 180);
        CU_ASSERT_EQUAL_FATAL(chi_element_parse(b, g, text, NULL, NULL),
                              CHI_OK);
        CU_ASSERT_EQUAL(memcmp(b, e, F.bytes), 0);
      }
    }
    /* p - 1 and 1 - p, and no further */
    mpz_sub_ui(Z, P, 1);
    mpz_get_str(text, 10, Z);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, text, NULL, NULL), CHI_OK);
    IS(b);
    snprintf(more, sizeof more, "-%s", text);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, more, NULL, NULL), CHI_OK);
    mpz_set_ui(Z, 1);
    IS(b);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, text, NULL, "1"), CHI_E_RANGE);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, "-2", "-1", "1"), CHI_E_RANGE);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, "0x2", "-1", "2"), CHI_OK);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, "2 ", "-1", "2"), CHI_E_ARG);
    mpz_get_str(text, 10, P);
    CU_ASSERT_EQUAL(chi_element_parse(b, g, text, NULL, NULL), CHI_E_RANGE);
    CU_ASSERT_EQUAL(chi_element_print(text, sizeof text, g, F.prime, 0),
                    CHI_E_ARG);
    CU_ASSERT_EQUAL(chi_element_print(text, 1, g, b, 0), CHI_E_RANGE);
  }
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  mpz_inits(P, X, Y, Z, NULL);
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("fields", NULL, NULL);
  CU_add_test(s, "arithmetic", arithmetic);
  CU_add_test(s, "tiny fields, all elements", tiny);
  CU_add_test(s, "streams", streams);
  CU_add_test(s, "what is no field", refused);
  CU_add_test(s, "texts", texts);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  mpz_clears(P, X, Y, Z, NULL);
  return failed != 0;
}
