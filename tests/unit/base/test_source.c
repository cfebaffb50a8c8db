#include <CUnit/Basic.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/source.h"
#include "base/utf8.h"
#include "tests/unit/base/suites.h"

/* Oracle: counts line ends from the beginning, byte by byte. */
static void naive_place(const char *text, size_t at, uint32_t *line,
                        uint32_t *col) {
  *line = *col = 1;
  for (size_t i = 0; i < at; i++) {
    if (text[i] == '\n') {
      ++*line;
      *col = 1;
    } else {
      ++*col;
    }
  }
}

static void test_every_offset(void) {
  static const char *const text[] = {"a\nbb\r\n\nccc", "", "\n", "x", "y\n"};
  enum { N = sizeof text / sizeof *text };
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  source_id id[N];
  for (int i = 0; i < N; i++)
    CU_ASSERT_TRUE(source_add(ss, "f", text[i], strlen(text[i]), &id[i]));
  CU_ASSERT_EQUAL(source_count(ss), N);
  for (int i = 0; i < N; i++) {
    const source_file *f = source_get(ss, id[i]);
    for (size_t at = 0; at <= f->n; at++) { /* the end of file, too */
      uint32_t line, col;
      source_pos p = source_at(ss, f->base + (uint32_t)at);
      naive_place(text[i], at, &line, &col);
      CU_ASSERT_PTR_EQUAL(p.file, f);
      CU_ASSERT_EQUAL(p.line, line);
      CU_ASSERT_EQUAL(p.col, col);
    }
  }
  source_pos p = source_at(ss, source_get(ss, id[0])->base + 3);
  CU_ASSERT_EQUAL(p.line_len, 2); /* without its \r\n */
  CU_ASSERT_EQUAL(memcmp(p.line_text, "bb", 2), 0);
  CU_ASSERT_PTR_NULL(source_at(ss, 0).file);
  CU_ASSERT_PTR_NULL(source_get(ss, N));
  arena_free(a);
}

static void test_limits(void) {
  enum { MAX = 64 << 20 };
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  char *big = arena_alloc(a, MAX + 1);
  memset(big, 'x', MAX);
  source_id id;
  CU_ASSERT_FALSE(source_add(ss, "f", big, MAX + 1, &id));
  CU_ASSERT_EQUAL(errno, EFBIG);
  CU_ASSERT_TRUE(source_add(ss, "f", big, MAX, &id));
  arena_free(a);
}

static void test_load_failures(void) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  source_id id;
  CU_ASSERT_FALSE(source_load(ss, "/no/such/file", &id));
  CU_ASSERT_EQUAL(errno, ENOENT);
  CU_ASSERT_FALSE(source_load(ss, "/", &id));
  CU_ASSERT_EQUAL(errno, EISDIR);
  arena_free(a);
}

static void test_intern(void) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  const char *seen[2000];
  char name[16];
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 2000; i++) {
      size_t n = (size_t)sprintf(name, "n%d", i);
      const char *p = source_intern(ss, name, n);
      CU_ASSERT_STRING_EQUAL(p, name);
      if (round == 0)
        seen[i] = p;
      else
        CU_ASSERT_PTR_EQUAL(p, seen[i]);
    }
  CU_ASSERT_STRING_EQUAL(source_intern(ss, "n12345", 3), "n12");
  CU_ASSERT_STRING_EQUAL(source_intern(ss, "", 0), "");
  arena_free(a);
}

/* Oracle: encode each code point by RFC 3629's table and decode it; count the
 * two- and three-byte strings that are accepted. */
static void test_utf8(void) {
  uint32_t cp;
  for (uint32_t c = 1; c <= 0x10ffff; c++) {
    char b[4];
    size_t n;
    if (c < 0x80) {
      n = 1, b[0] = (char)c;
    } else if (c < 0x800) {
      n = 2, b[0] = (char)(0xc0 + c / 64), b[1] = (char)(0x80 + c % 64);
    } else if (c < 0x10000) {
      n = 3, b[0] = (char)(0xe0 + c / 4096);
      b[1] = (char)(0x80 + c / 64 % 64), b[2] = (char)(0x80 + c % 64);
    } else {
      n = 4, b[0] = (char)(0xf0 + c / 262144);
      b[1] = (char)(0x80 + c / 4096 % 64);
      b[2] = (char)(0x80 + c / 64 % 64), b[3] = (char)(0x80 + c % 64);
    }
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    size_t got = utf8_decode(b, n, &cp);
    if (surrogate ? got != 0 : got != n || cp != c) CU_FAIL_FATAL("utf8");
    if (n > 1 && utf8_decode(b, n - 1, &cp) != 0) CU_FAIL_FATAL("cut short");
  }
  int two = 0, three = 0;
  for (int x = 0x80; x < 256; x++)
    for (int y = 0; y < 256; y++) {
      char b[3] = {(char)x, (char)y, 0};
      two += utf8_decode(b, 2, &cp) == 2;
      for (int z = 0; z < 256; z++) {
        b[2] = (char)z;
        three += utf8_decode(b, 3, &cp) == 3;
      }
    }
  CU_ASSERT_EQUAL(two, 0x800 - 0x80);
  CU_ASSERT_EQUAL(three, 0x10000 - 0x800 - 0x800);
}

void suite_source(void) {
  CU_pSuite s = CU_add_suite("source", NULL, NULL);
  CU_ADD_TEST(s, test_every_offset);
  CU_ADD_TEST(s, test_limits);
  CU_ADD_TEST(s, test_load_failures);
  CU_ADD_TEST(s, test_intern);
  CU_ADD_TEST(s, test_utf8);
}
