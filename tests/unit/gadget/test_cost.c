/* What gadgets cost under rep3: rounds, and bytes a node sends for a lane. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "try.h"

void cost_suite(void) {}
