/* Circuit text: names, strings, spans, faults. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ir/suite.h"

static void same_text(const char *text, bool spans) {
  arena *a = arena_new();
  diag *dg;
  buf b = {0};
  ir_module *m = parse_text(a, text, &dg);
  if (!m && diag_count(dg)) printf("%s\n", diag_get(dg, 0)->text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  ir_print(m, &b, spans);
  if (strcmp(b.p, text)) printf("%s", b.p);
  CU_ASSERT_STRING_EQUAL(b.p, text);
  buf_free(&b);
  arena_free(a);
}

static void canonical(void) {
  same_text("circuit \"\"\nstage core\nfield 3\n@body {\n}\n", false);
  same_text("circuit \"a\\\"b\\\\c\\x01\\xff\"\nstage sched\nfield 127\n"
            "input \"p.q\" \"fixed<8,8>\" \"[2, 2]\" of \"p\" secret scale 8\n"
            "output \"r\" \"()\" \"\" of \"result\"\n@body {\n}\n", false);
  same_text("circuit \"s\"\nstage high\nfield 61\n@body {\n"
            "  %x: z<-1..1> = const -1 at 3..77\n"
            "  %c: z<0..1> = eq %x, %x at 5..6\n"
            "  check %c \"no\" at 0..0\n}\n", true);
}

/* Values built with awkward names come out distinct, and survive. */
static void names(void) {
  static const char *const name[] = {"x", "x", "x.1", "x_1", "3d", "", "a b",
                                     "a-b", "p.age", "t.0", "t_0", NULL};
  static const char *const want[] = {"%x:",  "%x.1:",  "%x_1:",   "%x_1.1:",
                                     "%_3d:", "%5:",   "%a_b:",   "%a_b.1:",
                                     "%p.age:", "%t_0:", "%t_0.1:", "%11:"};
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "names", 61);
  ir_builder b = {.m = m, .b = m->body};
  buf one = {0}, two = {0};
  for (size_t k = 0; k < sizeof name / sizeof *name; k++)
    ir_const_si(&b, DOM_Z, (int64_t)k, 1)->name = name[k];
  ir_print(m, &one, false);
  const char *at = one.p;
  for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
    at = strstr(at, want[k]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  }
  diag *dg;
  ir_module *again = parse_text(a, one.p, &dg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(again);
  ir_print(again, &two, false);
  CU_ASSERT_STRING_EQUAL(one.p, two.p);
  char h1[65], h2[65];
  ir_hash(m, h1);
  ir_hash(again, h2);
  CU_ASSERT_STRING_EQUAL(h1, h2);
  CU_ASSERT_EQUAL(strlen(h1), 64);
  buf_free(&one);
  buf_free(&two);
  arena_free(a);
}

typedef struct fault {
  const char *body, *says;
} fault;

static const fault faults[] = {
    {"  %x z", "expected ':'"},
    {"  %x: q = iota", "expected a type"},
    {"  %x: p.q = iota", "expected a kind"},
    {"  %x: z<1..0> = iota", "lo <= hi"},
    {"  %x: z<1 0> = iota", "'..'"},
    {"  %x: z[0] = iota", "at least one lane"},
    {"  %x: z[1099511627777] = iota", "limit is 1099511627776"},
    {"  %x: z[-1] = iota", "integer >= 0"},
    {"  %x: z = iot", "operation 'iot' does not exist"},
    {"  %x: z = const", "expected an integer"},
    {"  %x: z[2] = table [1]", "as many entries"},
    {"  %x: z = add %x, %x", "'%x' is used before its definition"},
    {"  %x: z = iota\n  %x: z = iota", "'%x' is defined twice"},
    {"  %x: z = iota\n  %y: z = add %x", "expected ','"},
    {"  %x: z = iota\n  %y: z = neg %x, %x", "found ','"},
    {"  %x: z = iota\n  neg %x", "expected 1 results"},
    {"  %x: z = iota\n  %y: z = concat", "expected an operand"},
    {"  %x: z = iota\n  check %x 5", "expected a string"},
    {"  %x: z = iota\n  check %x \"a\nb\"", "found '\"'"},
    {"  %x: z = iota\n  check %x \"\\x00\"", "found '\"'"},
    {"  %x: z = iota\n  %y: z = view %x off 9223372036854775808 []",
     "63 bits"},
    {"  %x: z = iota\n  %y: z = view %x [1]", "expected ':'"},
    {"  %x: z = iota\n  if %x @else() {}", "'@then'"},
    {"  %x: z = iota\n  if %x @then() {} %x", "'@else'"},
    {"  $", "expected an operation"},
    {"  yield at 5", "'..'"},
};

static void parse_faults(void) {
  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    arena *a = arena_new();
    diag *dg;
    ir_module *m = parse_body(a, "high", "", faults[k].body, &dg);
    bool ok = !m && diag_count(dg) == 1 &&
              strstr(diag_get(dg, 0)->text, faults[k].says);
    if (!ok)
      printf("%s\n  gives: %s\n", faults[k].body,
             diag_count(dg) ? diag_get(dg, 0)->text : "nothing");
    CU_ASSERT(ok);
    arena_free(a);
  }
}

/* Regions nested too deep, a number too long, too many leaves. */
static void hostile(void) {
  arena *a = arena_new();
  diag *dg;
  buf b = {0};
  buf_puts(&b, "  %c: z<0..1> = const 1\n");
  for (int k = 0; k < 100000; k++) buf_puts(&b, "if %c @then() {\n");
  CU_ASSERT_PTR_NULL(parse_body(a, "high", "", b.p, &dg));
  CU_ASSERT_PTR_NOT_NULL(strstr(diag_get(dg, 0)->text, "limit is 1024"));
  buf_reset(&b);
  buf_puts(&b, "  %c: z<0..1> = const ");
  for (int k = 0; k < 1000000; k++) buf_puts(&b, "9");
  CU_ASSERT_PTR_NULL(parse_body(a, "high", "", b.p, &dg));
  CU_ASSERT_PTR_NOT_NULL(strstr(diag_get(dg, 0)->text, "20000 digits"));
  buf_reset(&b);
  for (int k = 0; k < 16385; k++)
    buf_printf(&b, "input \"%d\" \"\" \"\" of \"\"\n", k);
  CU_ASSERT_PTR_NULL(parse_body(a, "high", b.p, "", &dg));
  CU_ASSERT_PTR_NOT_NULL(strstr(diag_get(dg, 0)->text, "limit is 16384"));
  buf_free(&b);
  arena_free(a);
}

/* What the table says of each op is within the vocabulary of the readers. */
static void table(void) {
  for (int k = 0; k < OP_COUNT; k++) {
    const ir_opinfo *o = &ir_ops[k];
    CU_ASSERT(o->spelling && *o->spelling && o->doc && *o->doc);
    CU_ASSERT(o->stages && o->stages < 8);
    CU_ASSERT(o->nargs >= -1 && o->nargs <= 3 && o->nres >= -1 && o->nres <= 1);
    CU_ASSERT(!(o->flags & F_F) || o->flags & F_E);
    CU_ASSERT(!(o->flags & F_S) || !(o->flags & (F_E | F_I | F_F)));
    for (int j = 0; j < k; j++)
      CU_ASSERT_STRING_NOT_EQUAL(o->spelling, ir_ops[j].spelling);
  }
}

void add_text_tests(void) {
  CU_pSuite s = CU_add_suite("text", NULL, NULL);
  CU_add_test(s, "canonical", canonical);
  CU_add_test(s, "names", names);
  CU_add_test(s, "faults", parse_faults);
  CU_add_test(s, "hostile", hostile);
  CU_add_test(s, "the table", table);
}
