#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/unit/base/suites.h"

static void test_writes(void) {
  buf b = {0};
  buf_puts(&b, "ab");
  buf_putc(&b, 'c');
  buf_write(&b, "\0d", 2);
  buf_printf(&b, "%03d", 7);
  CU_ASSERT_EQUAL(b.n, 8);
  CU_ASSERT_EQUAL(memcmp(b.p, "abc\0d007", 9), 0);
  buf_reset(&b);
  CU_ASSERT_EQUAL(b.n, 0);
  CU_ASSERT_STRING_EQUAL(b.p, "");
  buf_free(&b);
  CU_ASSERT_PTR_NULL(b.p);
}

static void test_every_length_of_printf(void) {
  buf b = {0};
  size_t n = 0;
  for (int w = 1; w < 300; w++) { /* crosses each capacity */
    buf_printf(&b, "%*d", w, 5);
    n += (size_t)w;
    CU_ASSERT_EQUAL(b.n, n);
    CU_ASSERT_EQUAL(b.p[n - 1], '5');
    CU_ASSERT_EQUAL(b.p[n], 0);
  }
  buf_free(&b);
}

static void test_mpz(void) {
  mpz_t v;
  mpz_init(v);
  mpz_ui_pow_ui(v, 10, 200);
  mpz_neg(v, v);
  buf b = {0};
  buf_mpz(&b, v);
  CU_ASSERT_EQUAL(b.n, 202);
  CU_ASSERT_EQUAL(b.p[0], '-');
  CU_ASSERT_EQUAL(b.p[1], '1');
  CU_ASSERT_EQUAL(strspn(b.p + 2, "0"), 200);
  mpz_clear(v);
  buf_free(&b);
}

static void test_save(void) {
  char dir[] = "/tmp/chi-buf-XXXXXX", path[64], back[16] = {0};
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/x", dir);
  buf b = {0};
  buf_puts(&b, "hello");
  CU_ASSERT_TRUE(buf_save(&b, path));
  buf_puts(&b, " you");
  CU_ASSERT_TRUE(buf_save(&b, path)); /* over an old one */
  FILE *f = fopen(path, "rb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_EQUAL(fread(back, 1, sizeof back, f), 9);
  fclose(f);
  CU_ASSERT_STRING_EQUAL(back, "hello you");
  buf empty = {0};
  CU_ASSERT_TRUE(buf_save(&empty, path));
  struct stat st;
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_size, 0);
  CU_ASSERT_EQUAL(unlink(path), 0);
  snprintf(path, sizeof path, "%s/no/such", dir);
  CU_ASSERT_FALSE(buf_save(&b, path));
  CU_ASSERT_EQUAL(rmdir(dir), 0); /* no temporary file was left behind */
  buf_free(&b);
}

void suite_buf(void) {
  CU_pSuite s = CU_add_suite("buf", NULL, NULL);
  CU_ADD_TEST(s, test_writes);
  CU_ADD_TEST(s, test_every_length_of_printf);
  CU_ADD_TEST(s, test_mpz);
  CU_ADD_TEST(s, test_save);
}
