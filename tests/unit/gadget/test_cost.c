/* What gadgets cost under rep3: rounds, and bytes a node sends for a lane, as
 * upper bounds.  Counted here from the lanes of each exchange. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "try.h"

#define LANES 6400

typedef struct sum {
  double bytes;
  uint32_t rounds;
} sum;

static void count(ir_inst *i, void *user) {
  sum *s = user;
  if (!(ir_ops[i->op].flags & F_I) || i->op == OP_OPEN) return;
  double n = (double)i->arg[0]->ty.lanes;
  switch (i->op) {
  case OP_REDUCE: s->bytes += i->arg[0]->ty.dom == DOM_B ? n / 8 : 8 * n; break;
  case OP_XDEAL: s->bytes += 8 * n / 3; break;
  case OP_XJOIN: s->bytes += 16 * n / 3; break;
  default: break;
  }
  if (i->at.round > s->rounds) s->rounds = i->at.round;
}

typedef struct bound {
  const char *text; /* of %x, %y to %r */
  const char *x, *y;
  bool open;
  double bytes;
  uint32_t rounds;
} bound;

static bool measure(const bound *b, sum *s) {
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
  bool ok = m && pass_run(m, pass_pipeline(2, IR_SCHED), NULL, dg);
  if (!ok) {
    buf out = {0};
    diag_render_all(dg, &out, false);
    fprintf(stderr, "%s%s", t, out.p ? out.p : "");
    buf_free(&out);
  } else {
    ir_walk(m->body, count, s);
    s->bytes /= LANES;
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
    {"  %r: " BIT " = lt %x, %y\n", U32, U32, true, 12.7, 8},
    {"  %r: " BIT " = lt %x, %y\n", U8, U8, true, 3.9, 6},
    {"  %r: " BIT " = lt %x, %y\n", I32, I32, true, 12.7, 8},
    {"  %z: p<0..0> = const 0\n  %r: " BIT " = lt %x, %z\n", FULL, FULL, true,
     26, 8},
    {"  %r: " BIT " = lt %x, %y\n", FULL, FULL, true, 78, 9},
    {"  %r: " BIT " = eq %x, %y\n", U32, U32, true, 8.2, 7},
    {"  %r: " BIT " = eq %x, %y\n", U8, U8, true, 2.2, 5},
    {"  %r: " BIT " = eq %x, %y\n", FULL, FULL, true, 15.2, 7},
    {"  %r: " BIT " = lt %x, %y\n", U32, U32, false, 20.7, 10},
    {"  %c: " BIT " = lt %x, %y\n  %r: p.sh<" U32 ">[6400] = select %c, %x, %y\n",
     U32, U32, false, 28.7, 11},
    {"  %r: p.sh<" U32 ">[6400] = xor %x, %y\n", U32, U32, false, 301, 9},
};

static void test_rep3(void) {
  for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
    sum s = {0};
    CU_ASSERT(measure(&table[k], &s));
    printf("\n  %6.2f B %2u rounds  %s", s.bytes, s.rounds, table[k].text);
    CU_ASSERT(s.bytes <= table[k].bytes);
    CU_ASSERT(s.rounds <= table[k].rounds);
    CU_ASSERT(s.bytes > 0.5 * table[k].bytes); /* it was counted */
  }
}

void cost_suite(void) {
  CU_pSuite s = CU_add_suite("cost", NULL, NULL);
  CU_add_test(s, "rep3: rounds and bytes", test_rep3);
}
