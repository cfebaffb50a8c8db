/* Random actions: public and secret statements in one story, with maps, events,
 * state, checks, openings, loops and branches.  Every access and division is
 * fine by its range or behind a check. */
#ifndef TESTS_CUT_GEN_H
#define TESTS_CUT_GEN_H

#include "ir/ir.h"

/* Same seed, same action. */
ir_module *gen_action(arena *a, uint64_t seed);

#endif
