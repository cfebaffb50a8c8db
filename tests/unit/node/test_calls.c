/* Calls on a net of nodes. */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

static void life_of(chi_protocol protocol, unsigned n) {
  net w;
  net_open(&w, protocol, n);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_total(&w), 7); /* what init gave; zeros */
  CU_ASSERT_EQUAL(net_call(&w, "put", 100, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_total(&w), 107);
  CU_ASSERT_EQUAL(net_call(&w, "put", 5, NULL, 0), REC_DONE);
  uint64_t list = w.seq;
  CU_ASSERT_EQUAL(net_total(&w), 112);
  net_settle(&w);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT_EQUAL(net_version(&w, i, "$list"), list);
  net_close(&w);
}

static void life(void) {
  life_of(CHI_REP3, 3);
  life_of(CHI_SHAMIR, 5);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("calls", NULL, NULL);
  CU_add_test(s, "the life of a contract", life);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
