#include <CUnit/Basic.h>

#include "suite.h"
void shape_suite(void) { CU_add_suite("shape", NULL, NULL); }
