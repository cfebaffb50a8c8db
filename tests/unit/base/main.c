#include <CUnit/Basic.h>

#include "tests/unit/base/suites.h"

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  suite_arena();
  suite_buf();
  suite_source();
  suite_diag();
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
