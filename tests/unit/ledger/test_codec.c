#include <stdlib.h>

#include "world.h"

static void test_numbers(void) {
  arena *a = arena_new();
  codec_writer w = codec_writer_new(a, 100);
  codec_put_u8(&w, 0xab);
  codec_put_u32(&w, 0x01020304);
  codec_put_u64(&w, 0x1122334455667788);
  static const uint8_t want[] = {0xab, 1,    2,    3,    4,    0x11, 0x22,
                                 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
  CU_ASSERT_EQUAL_FATAL(w.n, sizeof want);
  CU_ASSERT(!memcmp(w.p, want, sizeof want));
  codec_reader r = codec_reader_new(a, w.p, w.n);
  CU_ASSERT_EQUAL(codec_get_u8(&r), 0xab);
  CU_ASSERT_EQUAL(codec_get_u32(&r), 0x01020304);
  CU_ASSERT_EQUAL(codec_get_u64(&r), 0x1122334455667788);
  CU_ASSERT(codec_done(&r));
  CU_ASSERT_EQUAL(codec_get_u8(&r), 0);
  CU_ASSERT(r.bad);
  CU_ASSERT_STRING_EQUAL(r.why, "it is cut off");
  arena_free(a);
}

/* The writer keeps its limit and stays bad. */
static void test_writer_limit(void) {
  arena *a = arena_new();
  codec_writer w = codec_writer_new(a, 5);
  codec_put_u32(&w, 1);
  codec_put_u32(&w, 1);
  CU_ASSERT(w.bad);
  codec_put_u8(&w, 1);
  CU_ASSERT_EQUAL(w.n, 4);
  w = codec_writer_new(a, 10000);
  codec_put_name(&w, "a b");
  CU_ASSERT(w.bad);
  w = codec_writer_new(a, 10000);
  codec_put_why(&w, "line\nline");
  CU_ASSERT(w.bad);
  arena_free(a);
}

/* A length is not believed: nothing is allocated, nothing is passed. */
static void test_reader_lengths(void) {
  arena *a = arena_new();
  static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 'x'};
  static const uint8_t many[] = {0, 0, 4, 0, 0, 0, 0, 1};
  size_t n, used = arena_used(a);
  codec_reader r = codec_reader_new(a, huge, sizeof huge);
  CU_ASSERT_PTR_NULL(codec_get_bytes(&r, SIZE_MAX, &n));
  CU_ASSERT_EQUAL(n, 0);
  CU_ASSERT(r.bad);
  r = codec_reader_new(a, huge, sizeof huge);
  CU_ASSERT_STRING_EQUAL(codec_get_text(&r, 100), "");
  CU_ASSERT_STRING_EQUAL(r.why, "a length is too large");
  tx_values v;
  r = codec_reader_new(a, many, sizeof many);
  codec_get_values(&r, &v);
  CU_ASSERT(r.bad);
  CU_ASSERT_EQUAL(v.n, 0);
  uint64_t lanes;
  static const uint8_t million[] = {0, 0x0f, 0, 0, 0};
  r = codec_reader_new(a, million, sizeof million);
  CU_ASSERT_PTR_NULL(codec_get_lanes(&r, TX_LANES_MAX, &lanes));
  CU_ASSERT_EQUAL(arena_used(a), used);
  arena_free(a);
}

static void same_integer(arena *a, const char *text) {
  mpz_t z;
  uint64_t n;
  mpz_init_set_str(z, text, 10);
  codec_writer w = codec_writer_new(a, 1000);
  codec_put_lanes(&w, (const mpz_t *)&z, 1);
  CU_ASSERT_FALSE(w.bad);
  codec_reader r = codec_reader_new(a, w.p, w.n);
  mpz_t *out = codec_get_lanes(&r, 1, &n);
  CU_ASSERT_FATAL(codec_done(&r));
  CU_ASSERT(n == 1 && !mpz_cmp(out[0], z));
  mpz_clear(z);
}

static void test_integers(void) {
  arena *a = arena_new();
  static const char *const text[] = {"0", "1", "-1", "255", "256", "-256",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "-340282366920938463463374607431768211456"};
  for (size_t k = 0; k < sizeof text / sizeof *text; k++)
    same_integer(a, text[k]);
  mpz_t z;
  mpz_init(z);
  for (int k = 0; k < 300; k++) {
    mpz_set_ui(z, 1);
    mpz_mul_2exp(z, z, (mp_bitcnt_t)rand() % 1024);
    if (k & 1) mpz_sub_ui(z, z, 1);
    if (k & 2) mpz_neg(z, z);
    char *d = mpz_get_str(NULL, 10, z);
    same_integer(a, d);
    free(d);
  }
  /* One bit too many. */
  mpz_set_ui(z, 1);
  mpz_mul_2exp(z, z, TX_LANE_BITS_MAX);
  codec_writer w = codec_writer_new(a, 1000);
  codec_put_mpz(&w, z);
  CU_ASSERT(w.bad);
  mpz_clear(z);
  arena_free(a);
}

/* One integer has one encoding. */
static void test_not_canonical(void) {
  arena *a = arena_new();
  static const struct {
    uint8_t p[8];
    size_t n;
  } bad[] = {{{0, 0, 0, 1, 1, 0}, 6},        /* no magnitude */
             {{0, 0, 0, 1, 1, 1, 0}, 7},     /* positive zero */
             {{0, 0, 0, 1, 2, 1, 0}, 7},     /* negative zero */
             {{0, 0, 0, 1, 1, 2, 0, 1}, 8},  /* a leading zero */
             {{0, 0, 0, 1, 3, 1, 1}, 7},     /* another sign */
             {{0, 0, 0, 1, 1, 129, 1}, 7},   /* too long */
             {{0, 0, 0, 2, 0, 1}, 6}};       /* cut off */
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    uint64_t n;
    codec_reader r = codec_reader_new(a, bad[k].p, bad[k].n);
    codec_get_lanes(&r, 10, &n);
    CU_ASSERT(r.bad);
  }
  arena_free(a);
}

static void test_texts(void) {
  arena *a = arena_new();
  CU_ASSERT(codec_is_name("$p.age"));
  CU_ASSERT_FALSE(codec_is_name(""));
  CU_ASSERT_FALSE(codec_is_name("a\"b"));
  CU_ASSERT_FALSE(codec_is_name("caf\xc3\xa9"));
  char *name = ARENA_ARR(a, char, 400);
  memset(name, 'x', 255);
  CU_ASSERT(codec_is_name(name));
  name[255] = 'x';
  CU_ASSERT_FALSE(codec_is_name(name));
  CU_ASSERT_STRING_EQUAL(codec_clean(a, "a\n\x1b[31mb"), "a  [31mb");
  CU_ASSERT_STRING_EQUAL(codec_clean(a, ""), "no reason is given");
  char *why = ARENA_ARR(a, char, 3000);
  for (int k = 0; k < 1001; k += 2) memcpy(why + k, "\xc3\xa9", 2);
  memmove(why + 1, why, 1500);
  why[0] = 'x';
  const char *cut = codec_clean(a, why);
  CU_ASSERT_EQUAL(strlen(cut), 999); /* not in the middle of a letter */
  codec_writer w = codec_writer_new(a, 2000);
  codec_put_why(&w, cut);
  CU_ASSERT_FALSE(w.bad);
  arena_free(a);
}

void suite_codec(void) {
  CU_pSuite s = CU_add_suite("codec", NULL, NULL);
  CU_add_test(s, "numbers", test_numbers);
  CU_add_test(s, "a writer's limit", test_writer_limit);
  CU_add_test(s, "a reader's lengths", test_reader_lengths);
  CU_add_test(s, "integers", test_integers);
  CU_add_test(s, "not canonical", test_not_canonical);
  CU_add_test(s, "texts", test_texts);
}
