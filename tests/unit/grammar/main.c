#include <CUnit/Basic.h>

#include "tests/unit/grammar/parsed.h"

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  suite_tokens();
  suite_tree();
  suite_precedence();
  suite_errors();
  suite_hostile();
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
