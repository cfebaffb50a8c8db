/* Running circuits on fixed pseudo-random inputs and comparing outcomes. */
#ifndef TESTS_PASS_RUN_H
#define TESTS_PASS_RUN_H

#include "ir/interp.h"

typedef struct outcome {
  ir_status status;
  char *text; /* all outputs, or the message of the failed check; owned */
  ir_counts counts;
} outcome;

outcome run_circuit(const ir_module *m, uint64_t seed);
bool same_outcome(const outcome *x, const outcome *y);
void free_outcome(outcome *o);
/* An independent copy, through the text form. */
ir_module *reparse(arena *a, const ir_module *m);
char *text_of(const ir_module *m); /* free() */

#endif
