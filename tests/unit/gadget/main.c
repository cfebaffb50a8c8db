#include <CUnit/Basic.h>
#include <stdlib.h>

#include "suite.h"

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS) return EXIT_FAILURE;
  cost_suite();
  exhaustive_suite();
  wide_suite();
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
