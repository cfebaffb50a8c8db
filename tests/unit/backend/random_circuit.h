/* Random well-formed circuits at stage high: every op, kind and width, nested
 * control flow, checks that may fail.  Equal seeds give equal circuits. */
#ifndef TESTS_BACKEND_RANDOM_CIRCUIT_H
#define TESTS_BACKEND_RANDOM_CIRCUIT_H

#include "ir/ir.h"

ir_module *random_circuit(arena *a, uint64_t seed);

#endif
