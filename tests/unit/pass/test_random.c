/* Each pass keeps what random circuits compute, and which check fails. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen.h"
#include "ir/pass/pass.h"
#include "run.h"
#include "suite.h"

#define INPUTS 3

static uint64_t seeds(void) { /* PASS_SEEDS=n runs more */
  const char *s = getenv("PASS_SEEDS");
  return s ? strtoull(s, NULL, 10) : 150;
}

static uint64_t first_seed(void) {
  const char *s = getenv("PASS_FIRST");
  return s ? strtoull(s, NULL, 10) : 1;
}

static void complain(uint64_t seed, const char *pipeline, const char *what,
                     const ir_module *m, const ir_module *n) {
  if (!getenv("PASS_SHOW")) {
    fprintf(stderr, "\nseed %llu, %s: %s (PASS_SHOW=1 prints the circuits)\n",
            (unsigned long long)seed, pipeline, what);
    return;
  }
  char *x = text_of(m), *y = text_of(n);
  fprintf(stderr, "\nseed %llu, %s: %s\n%s\n---- after\n%s\n",
          (unsigned long long)seed, pipeline, what, x, y);
  free(x);
  free(y);
}

static bool passes(ir_module *m, const char *pipeline, arena *a) {
  diag *dg = diag_new(a, m->src);
  pass_opts o = {.verify = true};
  if (pass_run(m, pipeline, &o, dg)) return true;
  buf b = {0};
  diag_render_all(dg, &b, false);
  fprintf(stderr, "%s", b.p ? b.p : "");
  buf_free(&b);
  return false;
}

static unsigned seen[3]; /* outcomes: well, failed check, other */

static bool keeps(uint64_t seed, const char *pipeline, bool branches) {
  arena *a = arena_new();
  ir_module *m = gen_circuit(a, seed, branches), *n = reparse(a, m);
  ir_number(m);
  bool ok = n && passes(n, pipeline, a);
  if (!ok) complain(seed, pipeline, "does not verify", m, n ? n : m);
  for (uint64_t k = 0; ok && k < INPUTS; k++) {
    outcome x = run_circuit(m, k), y = run_circuit(n, k);
    ok = same_outcome(&x, &y);
    /* a failed check: nothing was opened that it should have prevented */
    if (x.status != IR_RUN_OK)
      ok = ok && y.counts.open_lanes <= x.counts.open_lanes;
    seen[x.status == IR_RUN_OK ? 0 : x.status == IR_RUN_CHECK ? 1 : 2]++;
    if (!ok) {
      complain(seed, pipeline, "differs", m, n);
      fprintf(stderr, "%d %s\n%d %s\n", x.status, x.text, y.status, y.text);
    }
    free_outcome(&x);
    free_outcome(&y);
  }
  arena_free(a);
  return ok;
}

static const char *const pipelines[] = {
    "fold",       "cse",     "dce",        "hoist",
    "balance",    "vector",  "lazy",       "lazy,sched",
    "fold,cse,dce,vector,dce", "fold,cse,hoist,dce,vector,fold,cse,dce,vector",
};

static void test_each(void) {
  unsigned bad = 0;
  for (uint64_t s = first_seed(); s < first_seed() + seeds() && bad < 5; s++)
    for (size_t k = 0; k < sizeof pipelines / sizeof *pipelines; k++)
      bad += !keeps(s, pipelines[k], true);
  CU_ASSERT_EQUAL(bad, 0);
}

static void test_levels(void) {
  unsigned bad = 0;
  uint64_t end = first_seed() + 2 * seeds();
  for (uint64_t s = first_seed(); s < end && bad < 5; s++)
    for (int l = 0; l < 3; l++)
      for (int st = IR_CORE; st <= IR_SCHED; st++)
        bad += !keeps(s, pass_pipeline(l, (ir_stage)st), true);
  CU_ASSERT_EQUAL(bad, 0);
}

/* The generator is worth something: both outcomes are common. */
static void test_outcomes(void) {
  fprintf(stderr, "%u runs end well, %u in a failed check, %u otherwise\n",
          seen[0], seen[1], seen[2]);
  CU_ASSERT(seen[0] > 4 * seen[2]);
  CU_ASSERT(10 * seen[1] > seen[0]);
  CU_ASSERT_EQUAL(seen[2], 0);
}

/* Elements may buy rounds at this rate (lazy).  A round more is fine where it
 * saves elements: what a loop computes the same in each turn moves out of an
 * exchange that the loop has anyway. */
#define ROUND_WORTH 1024

static uint64_t sent(const ir_counts *c) {
  return c->reduce_lanes + c->open_lanes;
}

static bool no_dearer(const ir_counts *x, const ir_counts *y) {
  if (y->exchanges > x->exchanges + 2)
    return y->exchanges - x->exchanges + sent(y) <= sent(x);
  return y->exchanges * ROUND_WORTH + sent(y) <=
         (x->exchanges + 2) * ROUND_WORTH + sent(x);
}

/* More optimisation never means more to send or to wait for. */
static bool counts_fall(uint64_t seed) {
  arena *a = arena_new();
  ir_module *m = gen_circuit(a, seed, false);
  ir_number(m);
  outcome o[4] = {{0}};
  ir_module *v[4] = {m};
  bool ok = true;
  for (int l = 0; l < 3 && ok; l++) {
    v[l + 1] = reparse(a, m);
    ok = v[l + 1] && passes(v[l + 1], pass_pipeline(l, IR_SCHED), a);
  }
  for (int k = 0; ok && k < 4; k++) o[k] = run_circuit(v[k], 0);
  for (int k = 2; ok && k < 4; k++) {
    if (o[0].status != IR_RUN_OK) continue;
    const ir_counts *x = &o[k - 1].counts, *y = &o[k].counts;
    ok = no_dearer(x, y);
    if (ok) continue;
    complain(seed, pass_pipeline(k - 1, IR_SCHED), "costs more", v[k - 1],
             v[k]);
    fprintf(stderr, "%llu rounds %llu elements, then %llu and %llu\n",
            (unsigned long long)x->exchanges,
            (unsigned long long)(x->reduce_lanes + x->open_lanes),
            (unsigned long long)y->exchanges,
            (unsigned long long)(y->reduce_lanes + y->open_lanes));
  }
  for (int k = 0; k < 4; k++) free_outcome(&o[k]);
  arena_free(a);
  return ok;
}

static void test_counts(void) {
  unsigned bad = 0;
  uint64_t end = first_seed() + 2 * seeds();
  for (uint64_t s = first_seed(); s < end && bad < 5; s++)
    bad += !counts_fall(s);
  CU_ASSERT_EQUAL(bad, 0);
}

void random_suite(void) {
  CU_pSuite s = CU_add_suite("random circuits", NULL, NULL);
  CU_add_test(s, "each pass keeps the outcome", test_each);
  CU_add_test(s, "-O0, -O1, -O2 keep the outcome", test_levels);
  CU_add_test(s, "outcomes", test_outcomes);
  CU_add_test(s, "elements and rounds never rise", test_counts);
}
