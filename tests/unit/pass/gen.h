/* Random circuits of stage high: straight code, nested loops with gets, puts
 * and reductions, branches, checks, opens.  Every access and division is fine
 * by its range or behind a check: a run ends well or in a failed check. */
#ifndef TESTS_PASS_GEN_H
#define TESTS_PASS_GEN_H

#include "ir/ir.h"

/* Same seed, same circuit.  With `branches` off there is no `if` and no loop
 * of unknown length, so that counts can be compared. */
ir_module *gen_circuit(arena *a, uint64_t seed, bool branches);

#endif
