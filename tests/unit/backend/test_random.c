/* Random circuits: interpreter = emitted C on every protocol, at every level
 * of optimisation, results, failures, rounds and bytes.
 *
 *   test_backend_random [FIRST [COUNT [bits|integers]]]
 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/pass/pass.h"
#include "kit.h"
#include "random_bits.h"
#include "random_circuit.h"

static uint64_t first = 1, count = 40;

typedef struct config {
  chi_protocol protocol;
  unsigned n;
} config;

static const config configs[] = {{CHI_REP3, 3}, {CHI_SHAMIR, 3},
                                 {CHI_SHAMIR, 4}, {CHI_SHAMIR, 5},
                                 {CHI_SHAMIR, 7}};

typedef struct built {
  ir_module *m;
  kit_program *p;
} built;

static bool build(arena *a, ir_module *m, const char *passes, ir_target t,
                  built *b, buf *why) {
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  pass_opts o = {.verify = true, .target = t};
  kit_build how = {.keep = getenv("KIT_KEEP"), .flags = getenv("KIT_FLAGS")};
  b->m = m;
  bool ok = ir_verify(m, dg) && pass_run(m, passes, &o, dg);
  if (!ok) diag_render_all(dg, why, false);
  b->p = ok ? kit_compile(m, &how, why) : NULL;
  return b->p;
}

static void try_seed(uint64_t seed) {
  arena *a = arena_new();
  buf why = {0};
  int level = (int)(seed % 3);
  built b = {0};
  bool ok = true;
  for (size_t k = 0; ok && k < sizeof configs / sizeof *configs; k++) {
    ir_target t = kit_target(configs[k].protocol, configs[k].n);
    buf_printf(&why, "%s, %u nodes: ",
               chi_protocol_name(configs[k].protocol), configs[k].n);
    if (b.p && !kit_fits(b.m, t)) {
      kit_free(b.p);
      b.p = NULL;
    }
    ok = b.p || build(a, random_circuit(a, seed),
                      pass_pipeline(level, IR_SCHED), t, &b, &why);
    if (!ok) break;
    ir_lanes *in = kit_inputs(b.m, a, seed * 7 + k);
    ok = kit_compare(b.p, b.m, configs[k].protocol, configs[k].n, in, &why);
    if (ok) buf_reset(&why);
  }
  CU_ASSERT(ok);
  if (!ok)
    fprintf(stderr, "\nseed %llu, -O%d: %s\n", (unsigned long long)seed,
            level, why.p ? why.p : "");
  kit_free(b.p);
  buf_free(&why);
  arena_free(a);
}

/* One bound to each of the targets, and one for all of them. */
static void try_bits(uint64_t seed) {
  static const char *const passes[] = {"sched", "cse,dce,sched",
                                       "fold,cse,hoist,dce,sched"};
  enum { N = sizeof configs / sizeof *configs };
  for (size_t k = 0; k <= N; k++) {
    arena *a = arena_new();
    buf why = {0};
    built b = {0};
    ir_target t = {0};
    if (k < N) t = kit_target(configs[k].protocol, configs[k].n);
    bool ok = build(a, random_bits(a, seed, t), passes[(seed + k) % 3], t, &b,
                    &why);
    for (size_t j = 0; ok && j < N; j++) {
      if (k < N && j != k) continue;
      ir_lanes *in = kit_inputs(b.m, a, seed * 7 + j);
      ok = kit_compare(b.p, b.m, configs[j].protocol, configs[j].n, in, &why);
      if (!ok)
        buf_printf(&why, " (%s, %u nodes)",
                   chi_protocol_name(configs[j].protocol), configs[j].n);
    }
    CU_ASSERT(ok);
    if (!ok)
      fprintf(stderr, "\nbits, seed %llu, target %d %u, %s: %s\n",
              (unsigned long long)seed, t.protocol, t.n,
              passes[(seed + k) % 3], why.p ? why.p : "");
    kit_free(b.p);
    buf_free(&why);
    arena_free(a);
  }
}

static void test_bits(void) {
  for (uint64_t k = 0; k < (count + 3) / 4; k++) try_bits(first + k);
}

static void test_seeds(void) {
  for (uint64_t k = 0; k < count; k++) try_seed(first + k);
}

int main(int argc, char **argv) {
  if (argc > 1) first = strtoull(argv[1], NULL, 10);
  if (argc > 2) count = strtoull(argv[2], NULL, 10);
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  CU_pSuite s = CU_add_suite("random circuits", NULL, NULL);
  const char *only = argc > 3 ? argv[3] : "";
  if (strcmp(only, "bits")) CU_add_test(s, "interpreter = nodes", test_seeds);
  if (strcmp(only, "integers")) CU_add_test(s, "bits", test_bits);
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
