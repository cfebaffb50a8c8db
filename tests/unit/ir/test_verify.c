/* For each invariant, circuits that break it and it alone. */
#include <CUnit/Basic.h>
#include <string.h>

#include "tests/unit/ir/suite.h"

typedef struct broken {
  unsigned inv;
  const char *stage, *leaves, *body;
} broken;

#define X "  %x: p.sh<0..9>[6] = input \"x\"\n"
#define LX "input \"x\" \"u4\" \"[2, 3]\" of \"x\" secret\n"
#define C "  %c: z<0..1> = const 1\n"

static const broken list[] = {
    {2, "high", LX, X "  %y: p.prod<0..9>[6] = lift %x\n"},
    {2, "core", "", C "  %y: z<0..1> = product %c inner 1\n"},
    {3, "high", "", "  %x: z = const 1\n"},
    {4, "high", "", C "  %a: z<0..1> = if %c @then() {\n"
                    "    %i: z<1..1> = const 1\n    yield %i\n"
                    "  } @else() {\n    yield %c\n  }\n"
                    "  %b: z<1..2> = add %i, %i\n"},
    {5, "core", LX, X "  %y: p.prod<0..81>[6] = mul %x, %x\n"
                    "  %z: p.prod<0..90>[6] = add %x, %y\n"},
    {5, "core", LX, X "  %y: p.prod<0..81>[6] = mul %x, %x\n"
                    "  %z: p.prod<0..729>[6] = mul %x, %y\n"},
    {5, "high", LX, X "  %y: z<0..1>[6] = eq %x, %x\n"},
    {5, "high", LX, X "  %y: z<0..9>[6] = dec %x\n"},
    {5, "high", LX, X C "  %y: p.sh<0..10>[6] = add %x, %c\n"},
    {5, "high", "", "  %x: z<2..2> = const 2\n  check %x \"m\"\n"},
    {5, "core", LX, X "  %y: p.sh<0..81>[6] = mul %x, %x\n"},
    {5, "high", LX, X "  %y: p<0..9>[6] = view %x [6:1]\n"},
    {2, "core", LX, X "  %y: p.sh<0..1>[6] = lt %x, %x\n"},
    {5, "high", LX, X "  %y: z<0..1>[6] = lt %x, %x\n"},
    {5, "high", LX, X "  %y: p.sh<0..9>[6] = select %x, %x, %x\n"},
    {5, "high", LX, X "  %y: p.sh<-9..9>[6] = sub %x, %x\n"
                    "  %z: p.sh<0..15>[6] = or %x, %y\n"},
    {5, "high", LX, X "  %y: b[6] = const 1\n"
                    "  %z: p.sh[6] = add %x, %y\n"},
    {5, "high", LX, X "  %t: p.sh<0..9> = view %x []\n"
                    "  %y: p.sh<0..9>[6] = shuffle %x, %t inner 1\n"},
    {5, "high", LX, X "  %p: z<0..1099511627776> = const 0\n" /* two turns */
                    "  %y: p.sh<0..9>[6] = shuffle %x, %p inner 1\n"},
    {5, "high", LX, X "  %p: z<0..1099511627775> = perm\n"
                    "  %y: p<0..9>[6] = unshuffle %x, %p inner 1\n"},
    {6, "high", LX, X "  %p: z<0..1099511627775> = perm\n"
                    "  %y: p.sh<0..9>[6] = shuffle %x, %p inner 4\n"},
    {6, "high", "", "  %p: z<3298534883328..4398046511103> = perm off 3\n"},
    {7, "high", "", "  %p: z<0..9> = perm\n"},
    {6, "high", LX, X "  %y: p.sh<0..1>[12] = digits %x bits 4\n"},
    {6, "high", LX, X "  %y: p.sh<0..1>[6] = onehot %x inner 4\n"},
    {6, "high", "", "  %y: b[6] = const 1\n  %z: z<0..7>[3] = pack %y bits 3"
                    "\n"},
    {7, "high", LX, X "  %y: p.sh<1..1>[6] = lt %x, %x\n"},
    {7, "high", LX, X "  %y: p.sh<0..8>[6] = mod %x, %x\n"},
    {14, "high", LX, X "  %a: b.sh[6], %b: b.sh[6], %c: b.sh[6] = split %x "
                     "bits 1\n"},
    {6, "high", LX, X "  %y: p.sh<0..9>[5] = view %x [5:1]\n"
                    "  %z: p.sh<0..18>[6] = add %x, %y\n"},
    {6, "high", LX, X "  %y: p.sh<0..36>[2] = sum %x inner 4\n"},
    {6, "high", LX, X "  %y: p.sh<-9..0>[7] = neg %x\n"},
    {6, "high", LX, X "  %y: p.sh<0..9>[3] = view %x [2:1]\n"},
    {6, "high", LX, X "  %y: p.sh<0..9>[11] = concat %x, %x\n"},
    {6, "high", LX, X "  %y: p<0..9> = open %x\n"},
    {7, "high", LX, X "  %y: p.sh<0..17>[6] = add %x, %x\n"},
    {7, "high", "", "  %x: z<0..1> = const 2\n"},
    {7, "high", "", "  %x: z<0..2>[4] = iota\n"},
    {7, "high", "", C "  %y: z<0..7> = wrap %c bits 4\n"},
    {7, "high", "", "  %x: p = const 2\n  %y: p<0..9> = neg %x\n"},
    {7, "high", "", "  %x: p = const 2\n"
                    "  %y: z<0..1152921504606846976> = dec %x\n"},
    {8, "high", "", C "  %a: z<0..1> = if %c @then() {\n    yield\n  } @else() "
                    "{\n    yield %c\n  }\n"},
    {8, "high", "", C "  if %c @then() {\n  } @else() {\n    yield\n  }\n"},
    {8, "high", "", C "  for %c @turn(%i: z<1..1>) {\n    yield\n  }\n"},
    {8, "high", "", C "  %a: z<0..0> = for %c, %c @turn(%i: z<0..0>, %d: "
                    "z<0..1>) {\n    yield %d\n  }\n"},
    {8, "high", "", C "  %a: z<0..1> = while %c max 3 @test(%d: z<0..1>) {\n"
                    "    yield %d\n  } @turn(%e: z<0..0>) {\n    yield %e\n"
                    "  }\n"},
    {8, "high", "", "  yield\n"},
    {9, "high", LX, X "  %y: p.sh<0..9>[3] = view %x off 4 [3:1]\n"},
    {9, "high", LX, X "  %y: p.sh<0..9>[2] = view %x [2:-1]\n"},
    {9, "high", LX, X C "  %y: p.sh<0..9>[7] = get %x, %c [7:1]\n"},
    {9, "high", LX, X "  %y: p.sh<0..9>[2] = view %x "
                      "[2:9223372036854775807]\n"},
    {10, "sched", LX, X "  %y: p<0..9>[6] = open %x\n"},
    {10, "core", LX, X "  %y: p<0..9>[6] = open %x round 1\n"},
    {10, "sched", LX, X "  %y: p<0..9>[6] = open %x round 1\n" C
                      "  %z: p<0..9>[6] = open %x round 1\n"},
    {10, "sched", LX, X "  %y: p<0..9>[6] = open %x round 2\n"
                      "  %z: p<0..9>[6] = open %x round 1\n"},
    {10, "sched", LX, X "  %m: p.prod<0..81>[6] = mul %x, %x\n"
                      "  %y: p.sh<0..81>[6] = reduce %m round 1\n"
                      "  %z: p<0..81>[6] = open %y round 1\n"},
    {11, "high", "", X},
    {11, "high", "input \"x\" \"u4\" \"[2, 2]\" of \"x\" secret\n", X},
    {11, "high", "input \"x\" \"u4\" \"[2,3]\" of \"x\" secret\n", X},
    {11, "high", "input \"x\" \"u4\" \"[6]\" of \"x\"\n", X},
    {11, "high", LX, X "  %y: p.sh<0..9>[6] = input \"x\"\n"},
    {11, "high", "output \"r\" \"u1\" \"\" of \"r\"\n",
     C "  if %c @then() {\n    output %c \"r\"\n    yield\n  } @else() {\n"
       "    yield\n  }\n"},
};

/* "invariant 7 (" begins every report. */
static bool only(const diag *dg, unsigned inv) {
  char want[32];
  snprintf(want, sizeof want, "invariant %u (", inv);
  for (uint32_t k = 0; k < diag_count(dg); k++)
    if (!strstr(diag_get(dg, k)->text, want)) return false;
  return diag_count(dg) > 0;
}

static void negative(void) {
  for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
    arena *a = arena_new();
    diag *dg;
    ir_module *m = parse_body(a, list[k].stage, list[k].leaves, list[k].body,
                              &dg);
    bool ok = m && !ir_verify(m, dg) && only(dg, list[k].inv);
    if (!ok) {
      printf("case %zu (invariant %u):\n%s", k, list[k].inv, list[k].body);
      for (uint32_t j = 0; j < diag_count(dg); j++)
        printf("  gives: %s\n", diag_get(dg, j)->text);
    }
    CU_ASSERT(ok);
    arena_free(a);
  }
}

static void expect(ir_module *m, unsigned inv) {
  diag *dg = diag_new(m->a, NULL);
  CU_ASSERT_FALSE(ir_verify(m, dg));
  CU_ASSERT(only(dg, inv));
  CU_ASSERT_EQUAL(diag_get(dg, 0)->id, DIAG_IR_BUG);
}

/* What text cannot say. */
static void built(void) {
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "t", 61);
  ir_builder b = {.m = m, .b = m->body};
  ir_value *v = ir_const_si(&b, DOM_Z, 1, 1);
  CU_ASSERT(ir_verify(m, NULL));
  v->def->narg = 1;
  expect(m, 1);
  v->def->narg = 0;
  v->def->at.imm = NULL;
  expect(m, 1);
  v->def->at.imm = v->ty.range->lo;
  v->def->block = NULL;
  expect(m, 13);
  v->def->block = m->body;
  v->id = 99;
  expect(m, 4);
  v->id = 0;
  v->ty.lanes = 0;
  expect(m, 3);
  v->ty.lanes = 1;
  ir_value *w = ir_const_si(&b, DOM_Z, 2, 1);
  w->id = v->id;
  expect(m, 4);
  w->id = 1;
  CU_ASSERT(ir_verify(m, NULL));
  mpz_t p;
  mpz_init_set_ui(p, 2047); /* 23 * 89 */
  m->p = ir_mpz(m, p);
  mpz_clear(p);
  expect(m, 12);
  arena_free(a);
}

/* A get whose lanes fit for some offset only is no fault of the circuit. */
static void allowed(void) {
  arena *a = arena_new();
  diag *dg;
  ir_module *m = parse_body(
      a, "core", LX,
      X "  %i: z<9..9> = const 9\n  %y: p.sh<0..9>[2] = get %x, %i [2:1]\n"
        "  %z: p.prod<0..81>[6] = mul %x, %x\n"
        "  %one: p<1..1> = const 1\n  %w: p.prod<1..82>[6] = add %z, %one\n",
      &dg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT(ir_verify(m, dg));
  arena_free(a);
}

void add_verify_tests(void) {
  CU_pSuite s = CU_add_suite("verifier", NULL, NULL);
  CU_add_test(s, "each invariant", negative);
  CU_add_test(s, "broken by construction", built);
  CU_add_test(s, "allowed", allowed);
}
