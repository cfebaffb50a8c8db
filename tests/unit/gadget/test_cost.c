/* What gadgets cost, as upper bounds: rounds, and bytes that a node sends for a
 * lane on average, by the cost model. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "ir/cost.h"
#include "suite.h"
#include "try.h"

#define LANES 6400

typedef struct sum {
  double bytes; /* of a node and lane, on average */
  uint64_t rounds;
} sum;

typedef struct bound {
  const char *text; /* of %x, %y to %r */
  const char *x, *y;
  bool open;
  sum most[3]; /* rep3, shamir of 3, of 5 */
} bound;

static const ir_target targets[3] = {
    {IR_REP3, 3}, {IR_SHAMIR, 3}, {IR_SHAMIR, 5}};

/* Without the opening of one bit a lane, in the last round. */
static void count(const ir_module *m, const ir_target *t, bool open, sum *s) {
  arena *a = arena_new();
  const ir_cost *c = ir_cost_meter_total(ir_cost_static(a, m, *t));
  for (unsigned k = 0; k < t->n; k++) s->bytes += (double)c->bytes[k];
  s->bytes /= t->n * (double)LANES;
  s->rounds = c->rounds;
  if (open) {
    s->rounds--;
    s->bytes -= t->protocol == IR_REP3 ? 1. / 8 + 16. / LANES : t->n - 1;
  }
  arena_free(a);
}

static bool measure(const bound *b, const ir_target *target, sum *s) {
  char t[3000];
  snprintf(t, sizeof t,
           "circuit \"cost\"\nstage high\nfield 61\n"
           "input \"x\" \"i64\" \"[%d]\" of \"x\" secret\n"
           "input \"y\" \"i64\" \"[%d]\" of \"y\" secret\n"
           "output \"r\" \"i64\" \"[%d]\" of \"result\"%s\n"
           "@body {\n"
           "  %%x: p.sh<%s>[%d] = input \"x\"\n"
           "  %%y: p.sh<%s>[%d] = input \"y\"\n"
           "%s%s  output %s \"r\"\n}\n",
           LANES, LANES, LANES, b->open ? "" : " secret", b->x, LANES, b->y,
           LANES, b->text,
           b->open ? "  %o: p<0..1>[6400] = open %r\n"
                     "  %d: z<0..1>[6400] = dec %o\n"
                   : "",
           b->open ? "%d" : "%r");
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  source_id id;
  diag *dg = diag_new(a, ss);
  ir_module *m = NULL;
  if (source_add(ss, "cost.ir", t, strlen(t), &id)) m = ir_parse(a, ss, id, dg);
  pass_opts o = {.target = *target};
  bool ok = m && pass_run(m, pass_pipeline(2, IR_SCHED), &o, dg);
  if (!ok) {
    buf out = {0};
    diag_render_all(dg, &out, false);
    fprintf(stderr, "%s%s", t, out.p ? out.p : "");
    buf_free(&out);
  } else {
    count(m, target, b->open, s);
  }
  arena_free(a);
  return ok;
}

#define U8 "0..255"
#define U32 "0..4294967295"
#define I32 "-2147483648..2147483647"
#define FULL "-1152921504606846975..1152921504606846975"
#define BIT "p.sh<0..1>[6400]"

static const bound table[] = {
    {"  %r: " BIT " = lt %x, %y\n", U32, U32, true,
     {{12.7, 8}, {136, 9}, {418, 11}}},
    {"  %r: " BIT " = lt %x, %y\n", U8, U8, true,
     {{3.2, 6}, {36, 7}, {122, 9}}},
    {"  %r: " BIT " = lt %x, %y\n", I32, I32, true,
     {{12.7, 8}, {136, 9}, {418, 11}}},
    {"  %z: p<0..0> = const 0\n  %r: " BIT " = lt %x, %z\n", FULL, FULL, true,
     {{25.6, 8}, {265, 9}, {780, 11}}},
    {"  %r: " BIT " = lt %x, %y\n", FULL, FULL, true,
     {{76.7, 9}, {796, 10}, {2342, 12}}},
    {"  %r: " BIT " = eq %x, %y\n", U32, U32, true,
     {{8.2, 7}, {99, 8}, {340, 10}}},
    {"  %r: " BIT " = eq %x, %y\n", U8, U8, true,
     {{2.2, 5}, {27, 6}, {100, 8}}},
    {"  %r: " BIT " = eq %x, %y\n", FULL, FULL, true,
     {{15.2, 7}, {182, 8}, {614, 10}}},
    {"  %r: " BIT " = lt %x, %y\n", U32, U32, false,
     {{20.7, 10}, {160, 12}, {498, 15}}},
    {"  %c: " BIT " = lt %x, %y\n"
     "  %r: p.sh<" U32 ">[6400] = select %c, %x, %y\n", U32, U32, false,
     {{28.7, 11}, {168, 13}, {514, 16}}},
    {"  %d: p.sh<0..1>[204800] = digits %x bits 32\n"
     "  %r: p.sh<0..32>[6400] = sum %d inner 32\n", U32, U32, false,
     {{73.6, 13}, {342, 15}, {1018, 18}}},
    {"  %c: p<10..10> = const 10\n"
     "  %r: p.sh<0..429496729>[6400] = div %x, %c\n", U32, U32, false,
     {{299.1, 18}, {992, 22}, {3278, 28}}},
    {"  %r: p.sh<" U32 ">[6400] = div %x, %y\n", U32, U32, false,
     {{825.9, 104}, {5147, 106}, {11602, 109}}},
    {"  %r: p.sh<" U32 ">[6400] = mod %x, %y\n", U32, U32, false,
     {{845.5, 105}, {5303, 107}, {11918, 110}}},
    {"  %r: p.sh<0..65535>[6400] = isqrt %x\n", U32, U32, false,
     {{280.3, 105}, {1516, 107}, {3686, 110}}},
    {"  %n: z<16..16> = const 16\n"
     "  %r: p.sh<0..65535>[6400] = shr %x, %n\n", U32, U32, false,
     {{150.3, 9}, {476, 11}, {1606, 14}}},
    {"  %r: p.sh<" U32 ">[6400] = xor %x, %y\n", U32, U32, false,
     {{300.6, 9}, {944, 11}, {3196, 14}}},
};

static void test_costs(void) {
  for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
    printf("\n%s", table[k].text);
    for (size_t t = 0; t < 3; t++) {
      sum s = {0}, most = table[k].most[t];
      CU_ASSERT(measure(&table[k], &targets[t], &s));
      printf(" %8.2f B %2u rounds", s.bytes, (unsigned)s.rounds);
      CU_ASSERT(s.bytes <= most.bytes && s.rounds <= most.rounds);
      CU_ASSERT(s.bytes > 0.9 * most.bytes); /* it was counted */
    }
  }
  printf("\n");
}

void cost_suite(void) {
  CU_pSuite s = CU_add_suite("cost", NULL, NULL);
  CU_add_test(s, "rounds and bytes", test_costs);
}
