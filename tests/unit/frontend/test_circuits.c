/* Lowered functions: valid circuits of the right kind and size. */
#include <string.h>

#include "tests/unit/frontend/checked.h"

static ir_module *lowered(checked *c, const char *fn, fe_facts *facts) {
  CU_ASSERT_TRUE_FATAL(c->ok);
  ir_module *m = fe_lower(c->u, fn, c->a, facts);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT_TRUE(ir_verify(m, c->dg));
  CU_ASSERT_EQUAL(diag_errors(c->dg), 0);
  return m;
}

typedef struct counting {
  ir_op op;
  uint32_t n, all;
} counting;

static void count_op(ir_inst *i, void *user) {
  counting *c = user;
  c->n += i->op == c->op;
  c->all++;
}

static uint32_t count(ir_module *m, ir_op op) {
  counting c = {.op = op};
  ir_walk(m->body, count_op, &c);
  return c.n;
}

static uint32_t size(ir_module *m) {
  counting c = {.op = OP_COUNT};
  ir_walk(m->body, count_op, &c);
  return c.all;
}

static void edges(void) {
  checked c = check_text("struct P { x: u8, y: secret u8 }\n"
                         "fn f(p: [P; 3], q: u8) -> (secret u18, u8) {\n"
                         "  return (sum(p.y) * q, p[1].x); }\n");
  ir_module *m = lowered(&c, "f", NULL);
  CU_ASSERT_EQUAL_FATAL(m->nin, 3);
  CU_ASSERT_EQUAL_FATAL(m->nout, 2);
  CU_ASSERT_STRING_EQUAL(m->in[1].name, "p.y");
  CU_ASSERT_STRING_EQUAL(m->in[1].shape, "[3]");
  CU_ASSERT_TRUE(m->in[1].secret);
  CU_ASSERT_STRING_EQUAL(m->out[0].name, "result.0");
  CU_ASSERT_TRUE(m->out[0].secret);
  CU_ASSERT_EQUAL(count(m, OP_OPEN), 0);
  checked_free(&c);
}

static void loops_stay_rolled(void) {
  uint32_t n[2];
  static const char *const text[] = {
      "fn f(a: secret u8) -> secret u50 { var t = 0; for i in 0..10 { t += a * "
      "i; } return t; }",
      "fn f(a: secret u8) -> secret u60 { var t = 0; for i in 0..10000000 { "
      "t += a * i; } return t; }"};
  for (int i = 0; i < 2; i++) {
    checked c = check_text(text[i]);
    n[i] = size(lowered(&c, "f", NULL));
    checked_free(&c);
  }
  CU_ASSERT_EQUAL(n[0], n[1]);
}

static void facts_of(void) {
  checked c = check_text(
      "fn f(a: secret [u8; 4], n: u8, id: identity) -> u8 {\n"
      "  var t = 0;\n"
      "  for i in 0..4 { t = reveal(a[i]); }\n"
      "  for _i in 0..n { t = reveal(a[1]); }\n"
      "  let b = assume(sum(a), u8);\n"
      "  reveal(b, to: id);\n"
      "  return t;\n"
      "}\n");
  fe_facts f;
  ir_module *m = lowered(&c, "f", &f);
  CU_ASSERT_EQUAL_FATAL(f.nopening, 3);
  CU_ASSERT_EQUAL(f.opening[0].times, 4);
  CU_ASSERT_EQUAL(f.opening[1].times, -1);
  CU_ASSERT_STRING_EQUAL(f.opening[0].type, "u8");
  CU_ASSERT_STRING_EQUAL(f.opening[0].to, "everybody");
  CU_ASSERT_STRING_EQUAL(f.opening[2].to, "id");
  CU_ASSERT_EQUAL_FATAL(f.nassume, 1);
  CU_ASSERT_STRING_EQUAL(f.assume[0].type, "u8");
  CU_ASSERT_EQUAL(count(m, OP_TELL), 1);
  CU_ASSERT_EQUAL(m->nout, 2);
  checked_free(&c);
}

static void bounds(void) {
  checked c = check_text(
      "fn proved(a: [u8; 8], i: u3) -> u8 { return a[i]; }\n"
      "fn checked(a: [u8; 8], i: u4) -> u8 { return a[i]; }\n"
      "fn divides(a: u8, b: u8) -> u8 { return a / b; }\n"
      "fn by_two(a: u8) -> u8 { return a / 2; }\n");
  CU_ASSERT_EQUAL(count(lowered(&c, "proved", NULL), OP_CHECK), 0);
  CU_ASSERT_EQUAL(count(lowered(&c, "checked", NULL), OP_CHECK), 1);
  CU_ASSERT_EQUAL(count(lowered(&c, "divides", NULL), OP_CHECK), 1);
  CU_ASSERT_EQUAL(count(lowered(&c, "by_two", NULL), OP_CHECK), 0);
  checked_free(&c);
}

static void told_places(void) {
  checked c = check_text(
      "fn f(a: secret u8, id: identity, n: u8) {\n"
      "  for _i in 0..n { reveal(a, to: id); }\n}\n");
  CU_ASSERT_TRUE_FATAL(c.ok);
  CU_ASSERT_PTR_NULL(fe_lower(c.u, "f", c.a, NULL));
  CU_ASSERT_TRUE(has_id(&c, "E0402"));
  checked_free(&c);
}

static void tests_hide(void) {
  checked c = check_text(
      "fn f(a: secret u8) -> u16 { return reveal(a * a); }\n"
      "fn g(a: u8) -> u16 { return a * a; }\n"
      "test \"secret\" { assert(f(3) == 9); }\n"
      "test \"public\" { assert(g(3) == 9); }\n");
  CU_ASSERT_TRUE_FATAL(c.ok);
  ir_module *m = fe_lower_test(c.u, 0, c.a, NULL);
  CU_ASSERT_TRUE(ir_verify(m, c.dg));
  CU_ASSERT_EQUAL(count(m, OP_HIDE), 1);
  CU_ASSERT_EQUAL(count(m, OP_OPEN), 1);
  m = fe_lower_test(c.u, 1, c.a, NULL);
  CU_ASSERT_EQUAL(count(m, OP_HIDE), 0);
  checked_free(&c);
}

void suite_circuits(void) {
  CU_pSuite s = CU_add_suite("circuits", NULL, NULL);
  CU_add_test(s, "inputs and outputs", edges);
  CU_add_test(s, "loops stay rolled", loops_stay_rolled);
  CU_add_test(s, "openings and assumptions", facts_of);
  CU_add_test(s, "checks only where needed", bounds);
  CU_add_test(s, "told values at the top only", told_places);
  CU_add_test(s, "tests hide public values", tests_hide);
}
