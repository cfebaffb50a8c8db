#include "tests/unit/frontend/checked.h"

const char *std_dir;

int main(int argc, char **argv) {
  std_dir = argc > 1 ? argv[1] : NULL;
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  suite_intervals();
  suite_types();
  suite_units();
  suite_loops();
  suite_circuits();
  suite_bristol();
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
