/* What a file offers; texts that are hard on the checker. */
#include <string.h>

#include "tests/unit/frontend/checked.h"

static void functions(void) {
  checked c = check_text(
      "struct P { x: u8, y: secret [i9; 2] }\n"
      "/// Adds.\n"
      "#[rounds(7)] #[bytes(2_000)]\n"
      "fn f(p: [P; 3], t: (bool, fixed<4, 8>), s: secret u10) -> (u8, secret "
      "u10) { return (p[0].x, s + 0); }\n"
      "fn g<T>(x: T) -> T { return x; }\n"
      "fn h() { }\n"
      "test \"one\" { h(); }\n");
  CU_ASSERT_TRUE_FATAL(c.ok);
  CU_ASSERT_EQUAL(fe_fn_count(c.u), 3);
  CU_ASSERT_EQUAL(fe_test_count(c.u), 1);
  CU_ASSERT_STRING_EQUAL(fe_test_at(c.u, 0)->name, "one");
  const fe_fn *f = fe_fn_find(c.u, "f");
  CU_ASSERT_TRUE(f->runnable);
  CU_ASSERT_EQUAL(f->max_rounds, 7);
  CU_ASSERT_EQUAL(f->max_bytes, 2000);
  CU_ASSERT_EQUAL_FATAL(f->nparam, 3);
  CU_ASSERT_EQUAL_FATAL(f->param[0].nleaf, 2);
  CU_ASSERT_STRING_EQUAL(f->param[0].leaf[0].name, "p.x");
  CU_ASSERT_STRING_EQUAL(f->param[0].leaf[1].name, "p.y");
  CU_ASSERT_EQUAL(f->param[0].leaf[1].type->ndim, 2);
  CU_ASSERT_EQUAL(f->param[0].leaf[1].type->lanes, 6);
  CU_ASSERT_TRUE(f->param[0].leaf[1].type->secret);
  CU_ASSERT_FALSE(f->param[0].leaf[0].type->secret);
  CU_ASSERT_EQUAL(f->param[1].type->kind, FE_TUPLE);
  CU_ASSERT_EQUAL(f->param[1].leaf[1].type->scale, 8);
  CU_ASSERT_STRING_EQUAL(f->param[1].leaf[1].name, "t.1");
  CU_ASSERT_EQUAL(mpz_get_si(f->param[2].type->hi), 1023);
  CU_ASSERT_STRING_EQUAL(f->result.leaf[1].name, "result.1");
  CU_ASSERT_TRUE(f->result.leaf[1].type->secret);
  CU_ASSERT_FALSE(fe_fn_find(c.u, "g")->runnable);
  CU_ASSERT_TRUE(fe_fn_find(c.u, "h")->runnable);
  CU_ASSERT_EQUAL(fe_fn_find(c.u, "h")->result.type->kind, FE_UNIT);
  CU_ASSERT_PTR_NULL(fe_fn_find(c.u, "none"));
  checked_free(&c);
}

static void labels_follow(void) {
  checked c = check_text(
      "fn most(a: u8, b: u8) -> u9 { let s: u9 = a + b; return s; }\n"
      "fn f(a: secret u8, b: u8) -> u9 { return reveal(most(a, b)) ; }\n"
      "fn g(a: u8) -> u9 { return most(a, 1); }\n");
  CU_ASSERT_TRUE(c.ok);
  uint32_t n = 0, poly = 0;
  const sym *s = module_find(c.u->mod[0], "most");
  for (const inst *i = s->fn->insts; i; i = i->next) n++, poly += i->poly;
  CU_ASSERT_EQUAL(n, 2);
  CU_ASSERT_EQUAL(poly, 1);
  checked_free(&c);
}

static void library(void) {
  static const char *const mod[] = {"math", "stats", "linalg"};
  if (!std_dir) return;
  for (int i = 0; i < 3; i++) {
    char text[64];
    snprintf(text, sizeof text, "import std.%s;\n", mod[i]);
    checked c = check_text(text);
    CU_ASSERT_TRUE(c.ok);
    CU_ASSERT_EQUAL(diag_count(c.dg), 0);
    checked_free(&c);
  }
}

static void repeat(buf *b, const char *s, unsigned n) {
  for (unsigned i = 0; i < n; i++) buf_puts(b, s);
}

static void long_sum(void) {
  buf b = {0};
  buf_puts(&b, "fn f(x: secret u8) -> secret u26 { return x");
  repeat(&b, " + x", 199999);
  buf_puts(&b, "; }\n");
  checked c = check_text(b.p);
  CU_ASSERT_TRUE(c.ok);
  CU_ASSERT_EQUAL(mpz_get_si(returned(&c, "f")->hi), 255L * 200000);
  checked_free(&c);
  buf_free(&b);
}

/* 3^100 passes would not end. */
static void deep_loops(void) {
  buf b = {0};
  buf_puts(&b, "fn f(a: u8) -> u8 { var t: u8 = 0; var u: u8 = 1;");
  repeat(&b, "for _i in 0..3 {", 100);
  buf_puts(&b, "t = a; u = wrap(u * 3, u8);");
  repeat(&b, "}", 100);
  buf_puts(&b, "return t; }");
  checked c = check_text(b.p);
  CU_ASSERT_PTR_NOT_NULL(c.u);
  checked_free(&c);
  buf_free(&b);
}

/* Every level calls the one below twice: 2^60 in one circuit. */
static void many_calls(void) {
  buf b = {0};
  buf_puts(&b, "fn f0(a: u8) -> u8 { return a; }\n");
  for (int i = 1; i < 60; i++)
    buf_printf(&b, "fn f%d(a: u8) -> u8 "
                   "{ return wrap(f%d(a) + f%d(a), u8); }\n",
               i, i - 1, i - 1);
  checked c = check_text(b.p);
  CU_ASSERT_TRUE(c.ok);
  CU_ASSERT_PTR_NULL(fe_lower(c.u, "f59", c.a, NULL));
  CU_ASSERT_TRUE(has_id(&c, "E0401"));
  /* said once for the unit, not for each level */
  uint32_t errors = diag_errors(c.dg);
  CU_ASSERT_PTR_NULL(fe_lower(c.u, "f58", c.a, NULL));
  CU_ASSERT_EQUAL(diag_errors(c.dg), errors);
  checked_free(&c);
  buf_free(&b);
}

void suite_units(void) {
  CU_pSuite s = CU_add_suite("units", NULL, NULL);
  CU_add_test(s, "functions and their types", functions);
  CU_add_test(s, "labels follow arguments", labels_follow);
  CU_add_test(s, "the library", library);
  CU_add_test(s, "a sum of 200000 terms", long_sum);
  CU_add_test(s, "loops 100 deep", deep_loops);
  CU_add_test(s, "calls without end", many_calls);
}
