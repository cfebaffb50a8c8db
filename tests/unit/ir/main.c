/* Runs the suites of ir/. */
#include <CUnit/Basic.h>
#include <string.h>

#include "tests/unit/ir/suite.h"

ir_module *parse_text(arena *a, const char *text, diag **dg) {
  source_set *ss = source_set_new(a);
  source_id id;
  *dg = diag_new(a, ss);
  if (!source_add(ss, "test.ir", text, strlen(text), &id)) return NULL;
  return ir_parse(a, ss, id, *dg);
}

ir_module *parse_body(arena *a, const char *stage, const char *leaves,
                      const char *body, diag **dg) {
  return parse_text(a,
                    arena_printf(a, "circuit \"t\"\nstage %s\nfield 61\n%s"
                                    "@body {\n%s}\n", stage, leaves, body),
                    dg);
}

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  add_range_tests();
  add_build_tests();
  add_text_tests();
  add_verify_tests();
  add_interp_tests();
  add_cost_tests();
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
