/* The cost model: counts worked out by hand; cost_model.py has a second model
 * of the same protocols and compares many exchanges. */
#include <CUnit/Basic.h>
#include <string.h>

#include "ir/cost.h"
#include "tests/unit/ir/suite.h"

static ir_cost load(ir_protocol p, unsigned n, ir_load x) {
  ir_cost c = {0};
  ir_target model = {p, n};
  CU_ASSERT(ir_target_ok(&model));
  ir_cost_exchange(&model, 8, &x, 1, &c);
  return c;
}

static ir_cost one(ir_protocol p, unsigned n, uint64_t m, uint64_t o) {
  return load(p, n, (ir_load){.reduce = m, .open = o});
}

static void exchange(void) {
  ir_cost c = one(IR_REP3, 3, 10, 0);
  CU_ASSERT(c.rounds == 1 && c.bytes[0] == 80 && c.bytes[2] == 80);
  CU_ASSERT(c.zero_shares == 30);
  c = one(IR_REP3, 3, 10, 2);
  CU_ASSERT(c.rounds == 1 && c.elements[1] == 12 && c.bytes[1] == 112);
  c = one(IR_SHAMIR, 3, 10, 0);
  CU_ASSERT(c.rounds == 1 && c.elements[0] == 10 && c.elements[2] == 10);
  c = one(IR_SHAMIR, 5, 10, 1);
  CU_ASSERT(c.rounds == 1 && c.elements[4] == 24);
  c = one(IR_SHAMIR, 4, 10, 0); /* the fourth node only receives */
  CU_ASSERT(c.elements[0] == 20 && c.elements[3] == 0);
  /* n = 7, t = 3, d = 7, m = 8: B = 2; node 0 is king of lanes 0 and 7:
   * 6 masked products, 2 * 3 dealt, 2 * 3 re-shared. */
  c = one(IR_SHAMIR, 7, 8, 0);
  CU_ASSERT(c.rounds == 2 && c.elements[0] == 18 && c.elements[1] == 16);
  CU_ASSERT(c.doubles_dealt == 8 && c.doubles_used == 8);
  c = one(IR_SHAMIR, 7, 0, 5);
  CU_ASSERT(c.rounds == 1 && c.elements[6] == 30);
  c = one(IR_SHAMIR, 6, 5, 1); /* t = 2, d = 5: the sixth only opens */
  CU_ASSERT(c.elements[5] == 5 && c.elements[0] == 5 + 4 + 6 + 3);
  c = one(IR_REP3, 3, 0, 0);
  CU_ASSERT(c.rounds == 0 && c.exchanges == 0);
}

static void bits(void) {
  /* two items of 9 and 1 lanes: 2 + 1 bytes */
  ir_load r = {.reduce_bits = 10, .reduce_bytes = 3, .bit_items = 2};
  ir_cost c = load(IR_REP3, 3, r);
  CU_ASSERT(c.rounds == 1 && c.bytes[0] == 3 && c.bytes[2] == 3);
  CU_ASSERT(c.reduce_bits == 10 && c.reduce_lanes == 0 && c.elements[0] == 0);
  c = load(IR_SHAMIR, 5, r); /* t = 2: two receivers get a byte a lane */
  CU_ASSERT(c.rounds == 1 && c.bytes[0] == 20 && c.bytes[4] == 20);
  c = load(IR_SHAMIR, 7, r); /* no king for bits */
  CU_ASSERT(c.rounds == 1 && c.bytes[6] == 30 && c.doubles_dealt == 0);
  c = load(IR_SHAMIR, 4, r); /* the fourth node only receives */
  CU_ASSERT(c.bytes[2] == 20 && c.bytes[3] == 0);
  ir_load o = {.open = 1, .open_bits = 9, .open_bytes = 2, .bit_items = 1};
  c = load(IR_REP3, 3, o); /* one tag */
  CU_ASSERT(c.bytes[1] == 8 + 2 + 16 && c.open_lanes == 1 && c.open_bits == 9);
  c = load(IR_SHAMIR, 4, o);
  CU_ASSERT(c.bytes[3] == 3 * (8 + 9) && c.elements[3] == 3);
  ir_load d = {.deal = 61, .bdeal = 2, .bit_items = 2};
  c = load(IR_SHAMIR, 3, d);
  CU_ASSERT(c.bytes[0] == 61 + 16 && c.elements[0] == 2 && c.dealt == 63);
  CU_ASSERT(c.seeded == 6);
  /* 4 lanes: 2 of node 0, one each of nodes 1 and 2 */
  ir_load x = {.xdeal = {2, 1, 1}, .bit_items = 1};
  c = load(IR_REP3, 3, x);
  CU_ASSERT(c.bytes[0] == 16 && c.bytes[1] == 8 && c.bytes[2] == 8);
  ir_load j = {.xjoin = {2, 1, 1}, .bit_items = 1};
  c = load(IR_REP3, 3, j);
  CU_ASSERT(c.bytes[0] == 16 && c.bytes[1] == 24 && c.bytes[2] == 24);
  CU_ASSERT(c.elements[1] == 3 && c.seeded == 16 && c.dealt == 4);
}

/* 5 lanes in turn 0 and 2 in turn 2: nodes 1 and 0 send them twice. */
static void shuffles(void) {
  ir_load x = {.shuffle = {5, 0, 2}};
  ir_cost c = load(IR_REP3, 3, x);
  CU_ASSERT(c.rounds == 2 && c.exchanges == 1 && c.shuffled == 7);
  CU_ASSERT(c.elements[0] == 9 && c.elements[1] == 12 && c.elements[2] == 7);
  c = load(IR_SHAMIR, 3, x); /* 3 sets, 2 of a node, one point to send */
  CU_ASSERT(c.rounds == 3 && c.bytes[2] == 7 * 2 * 8);
  c = load(IR_SHAMIR, 4, x); /* the last does not deal */
  CU_ASSERT(c.rounds == 3 && c.elements[0] == 7 * 2 * 2 && !c.elements[3]);
  c = load(IR_SHAMIR, 7, x);
  CU_ASSERT(c.rounds == 35 && c.elements[6] == 7 * 20 * 3);
  x.reduce = x.open = 1; /* their rounds come first */
  c = load(IR_REP3, 3, x);
  CU_ASSERT(c.rounds == 3 && c.bytes[2] == 8 * 9 + 16);
  c = load(IR_SHAMIR, 7, x);
  CU_ASSERT(c.rounds == 37);
}

static void models(void) {
  CU_ASSERT_FALSE(ir_target_ok(&(ir_target){IR_REP3, 4}));
  CU_ASSERT_FALSE(ir_target_ok(&(ir_target){IR_SHAMIR, 2}));
  CU_ASSERT_FALSE(ir_target_ok(&(ir_target){IR_SHAMIR, 65}));
  ir_cost c = {0};
  ir_target rep3 = {IR_REP3, 3};
  ir_load big = {.reduce = UINT64_MAX / 2, .open = 1};
  ir_cost_exchange(&rep3, 8, &big, UINT64_MAX / 2, &c);
  CU_ASSERT(c.bytes[0] == UINT64_MAX && c.rounds == UINT64_MAX / 2);
}

static const char loop_body[] =
    "  %x: p.sh[6] = input \"x\"\n  %n: z<N..5> = const 5\n"
    "  %r: p.sh[6] = for %n, %x @turn(%i: z<0..4>, %a: p.sh[6]) {\n"
    "    %m: p.prod[6] = mul %a, %a\n"
    "    %b: p.sh[6] = reduce %m round 1\n    yield %b\n  }\n"
    "  %c: z<0..1> = eq %n, %n\n"
    "  %s: p[6] = if %c @then() {\n    %o: p[6] = open %r round 1\n"
    "    yield %o\n  } @else() {\n    %p: p[6] = open %x round 1\n"
    "    yield %p\n  }\n";

static void statically(void) {
  for (int known = 0; known < 2; known++) {
    arena *a = arena_new();
    diag *dg;
    char *body = arena_strdup(a, loop_body);
    *strchr(body, 'N') = known ? '5' : '0';
    ir_module *m = parse_body(a, "sched",
                              "input \"x\" \"\" \"[6]\" of \"x\" secret\n",
                              body, &dg);
    CU_ASSERT_FATAL(m && ir_verify(m, dg));
    ir_cost_meter *t = ir_cost_static(a, m, (ir_target){IR_REP3, 3});
    const ir_cost *c = ir_cost_meter_total(t);
    CU_ASSERT_EQUAL(c->exact, known == 1);
    CU_ASSERT(c->exchanges == 6 && c->rounds == 6 && c->reduce_lanes == 30 &&
              c->open_lanes == 6);
    CU_ASSERT(c->bytes[0] == 30 * 8 + 6 * 8 + 16);
    uint32_t n;
    const ir_cost_line *l = ir_cost_meter_lines(t, &n);
    CU_ASSERT_EQUAL_FATAL(n, 3);
    CU_ASSERT(l[0].rounds == 5 && l[0].reduce_lanes == 30 &&
              l[0].bytes == 3 * 240 && !strcmp(l[0].path, "test.ir"));
    CU_ASSERT(l[1].rounds == 1 && l[1].bytes == 3 * 64 && l[2].bytes == 192);
    arena_free(a);
  }
}

void add_cost_tests(void) {
  CU_pSuite s = CU_add_suite("cost", NULL, NULL);
  CU_add_test(s, "one exchange", exchange);
  CU_add_test(s, "items of bits", bits);
  CU_add_test(s, "shuffles", shuffles);
  CU_add_test(s, "models and saturation", models);
  CU_add_test(s, "static walk", statically);
}
