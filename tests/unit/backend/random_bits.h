/* Random well-formed circuits on bits, at stage core: every operation, kind and
 * axis, in loops and branches; with a target also from shares to bits and back.
 * Equal seeds give equal circuits. */
#ifndef TESTS_BACKEND_RANDOM_BITS_H
#define TESTS_BACKEND_RANDOM_BITS_H

#include "ir/ir.h"

ir_module *random_bits(arena *a, uint64_t seed, ir_target target);

#endif
