#include <CUnit/Basic.h>

#include "world.h"

int main(int argc, char **argv) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 1;
  suite_contract(argc > 1 ? argv[1] : NULL);
  suite_codec();
  suite_tx();
  suite_calls();
  suite_tamper();
  suite_server();
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
