/* Large and malicious texts.  Each must give the answer named here; the time
 * that ctest allows for all of them rules out anything quadratic. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/grammar/parsed.h"

enum { MB = 1 << 20 };

static void repeat(buf *b, const char *s, size_t times) {
  size_t n = strlen(s);
  for (size_t i = 0; i < times; i++) buf_write(b, s, n);
}

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others may be at work */
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* head, then middle n times, then tail n times, then end: the first error
 * ("" for none). */
static void test_repeated(void) {
  static const struct {
    const char *head, *middle, *tail, *end;
    size_t n;
    const char *id;
  } t[] = {
      {"const N = ", "(", ")", ";", 501, "E0110"}, /* around () */
      {"const N = 1", "(", ")", ";", 490, ""},
      {"const N = ", "(", "", "", 5 * MB, "E0110"},
      {"const N = ", "- ", "", "1;", 5 * MB, "E0110"},
      {"const N = ", "!", "", "1;", 490, ""},
      {"const N = ", "if ", "", "", MB, "E0110"},
      {"const N = a", ".b", "", ";", MB, "E0110"},
      {"const N = a", "[0]", "", ";", MB, "E0110"},
      {"const N = a", "()", "", ";", MB, "E0110"},
      {"const N = ", "a || b && c == d | e ^ f & g << h + i * - (", ")", ";",
       400, "E0110"},
      {"const N = ", "P { a: ", "", "", MB, "E0110"},
      {"const N = ", "a<", "", "b;", MB / 8, ""},
      {"const N = ", "f()<", "", "b;", MB / 8, ""},
      {"const N = ", "f(0<f()<", "", "", MB / 8, "E0110"},
      {"const N = ", "a<b>", "", "c;", MB / 8, "E0111"},
      {"const N = ", "a && ", "", "b;", MB / 4, ""},
      {"const N = f(", "x,", "", ");", MB / 4, ""},
      {"fn f(x: ", "secret ", "", "u8) { }", MB, "E0110"},
      {"fn f(x: ", "[", "", "", 5 * MB, "E0110"},
      {"fn f(x: ", "A<", "", "", MB, "E0110"},
      {"fn f(x: ", "A<", ">", ") { }", 3, "E0101"}, /* A<> has no argument */
      {"fn f(x: ", "A<", "A<u8>>", ") { }", 1, ""},
      {"fn f() ", "{", "", "", 5 * MB, "E0110"},
      {"fn f() ", "{", "}", "", 240, ""},
      {"fn f() { ", "if a { } else ", "", "{ } }", 100000, "E0110"},
      {"fn f() { ", "if a { } else ", "", "{ } }", 400, ""},
      {"fn f() { ", "x = y[3] * (z + 1); ", "", "}", MB / 2, ""},
      {"fn f() { ", "x ", "", "}", MB / 4, "E0101"},
      {"fn f() { ", "[x for x in ", "", "", MB / 8, "E0110"},
      {"", "fn ", "", "", MB / 4, "E0101"},
      {"", "}", "", "", 2 * MB, "E0101"},
      {"", ")", "", "", 2 * MB, "E0101"},
      {"", "$", "", "", 2 * MB, "E0102"},
      {"", "'", "", "", 2 * MB, "E0114"},
      {"", "\xff", "", "", 10 * MB, "E0103"},
      {"", "\xff" "a", "", "", 5 * MB, "E0103"},
      {"", "\xe2\x80\xae", "", "", MB, "E0115"},
      {"", "/*", "", "", 5 * MB, "E0105"},
      {"", "/*", "*/", "const N = 1;", MB, ""},
      {"", "///a\n", "", "fn f() { }", MB, ""},
      {"const S = \"", "a", "", "", 10 * MB, "E0106"},
      {"const S = \"", "\\", "", "", 10 * MB, "E0106"},
      {"const S = \"", "\\n", "", "\";", 5 * MB, ""},
      {"const N = ", "7", "", ";", 10 * MB, "E0109"},
      {"const N = ", "7", "", ";", 1000, ""},
      {"const N = ", "7", "", ";", 1001, "E0109"},
      {"const ", "x", "", " = 1;", 10 * MB, "E0113"},
      {"const ", "x", "", " = 1;", 255, ""},
      {"import ", "a.", "", "a;", MB, "E0113"},
      {"contract C { ", "{ ", "", "", MB / 4, "E0112"},
      {"contract C { ", "{ ", "} ", "}", MB / 4, "E0101"},
      {"contract C { ", "state s: u8; ", "", "}", MB / 4, ""},
      {"contract C { ", "action a() { } ", "", "}", MB / 4, ""},
      {"contract C { ", "state ", "", "}", MB / 4, "E0116"},
      {"contract C { ", "secret ", "", "}", MB / 4, "E0101"},
      {"fn f() { ", "\t", "", "let }", 10 * MB, "E0101"},
      {"fn f() {", "\n", "", "}", 10 * MB, ""},
      {"fn f() { ", "let = 1; ", "", "}", MB, "E0101"},
      {"fn f() { ", "P { x: ( ", "; }", "}", MB / 4, "E0110"},
  };
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    buf b = {0};
    buf_puts(&b, t[i].head);
    repeat(&b, t[i].middle, t[i].n);
    repeat(&b, t[i].tail, t[i].n);
    buf_puts(&b, t[i].end);
    double before = cpu_seconds();
    parsed p = parse_bytes(b.p, b.n);
    double took = cpu_seconds() - before;
    bool good = strcmp(error_id(&p, 0), t[i].id) == 0 &&
                diag_errors(p.dg) <= 20;
    if (!good || took > 20)
      printf("\n%s%s..: expected '%s', got '%s' (%s) at column %u, %u errors, "
             "%.1f s\n",
             t[i].head, t[i].middle, t[i].id, error_id(&p, 0),
             diag_count(p.dg) ? diag_get(p.dg, 0)->text : "",
             error_col(&p, 0), diag_errors(p.dg), took);
    CU_ASSERT_TRUE(good);
    CU_ASSERT_TRUE(took < 20);
    buf out = {0};
    diag_render_all(p.dg, &out, false);
    CU_ASSERT_TRUE(out.n < 20 * 2000);
    buf_free(&out);
    parsed_free(&p);
    buf_free(&b);
  }
}

static void test_nul_bytes(void) {
  char *text = calloc(1, 10 * MB);
  parsed p = parse_bytes(text, 10 * MB); /* one run, one error */
  CU_ASSERT_STRING_EQUAL(error_id(&p, 0), "E0104");
  CU_ASSERT_EQUAL(diag_errors(p.dg), 1);
  parsed_free(&p);
  for (size_t i = 0; i < 10 * MB; i += 2) text[i] = 'a';
  p = parse_bytes(text, 10 * MB);
  CU_ASSERT_EQUAL(diag_errors(p.dg), 20);
  parsed_free(&p);
  memcpy(text, "/*", 2);
  p = parse_bytes(text, 10 * MB);
  CU_ASSERT_STRING_EQUAL(error_id(&p, 0), "E0104");
  parsed_free(&p);
  free(text);
}

/* 200,000 terms: the left spine is long, the rest of the tree is not; it can
 * be printed. */
static void test_long_sum(void) {
  enum { TERMS = 200000 };
  buf b = {0}, out = {0};
  buf_puts(&b, "fn f(x: u32) -> u32 { return x");
  repeat(&b, " + x", TERMS - 1);
  buf_puts(&b, "; }\n");
  parsed p = parse_bytes(b.p, b.n);
  CU_ASSERT_EQUAL_FATAL(diag_errors(p.dg), 0);
  const node *n = p.root->kid[0]->kid[3]->kid[0]->kid[0];
  size_t spine = 0;
  for (; n->kind == N_BINARY; n = n->kid[0]) spine++;
  CU_ASSERT_EQUAL(spine, TERMS - 1);
  CU_ASSERT_TRUE(p.root->depth < 10);
  ast_print(p.root, &out);
  CU_ASSERT_TRUE(out.n > 2 * b.n);
  CU_ASSERT_TRUE(arena_used(p.a) < 200 * (size_t)MB);
  buf_free(&b);
  buf_free(&out);
  parsed_free(&p);
}

void suite_hostile(void) {
  CU_pSuite s = CU_add_suite("hostile", NULL, NULL);
  CU_ADD_TEST(s, test_repeated);
  CU_ADD_TEST(s, test_nul_bytes);
  CU_ADD_TEST(s, test_long_sum);
}
