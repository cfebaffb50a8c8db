/* chi-opt's --interp and --cost. */
#ifndef CMD_CHI_OPT_EVALUATE_H
#define CMD_CHI_OPT_EVALUATE_H

#include "ir/cost.h"
#include "ir/interp.h"

/* Runs m on the inputs ("name=1,2,3") and prints outputs, told values and
 * counts; with a model also the cost of the run.  False after a message. */
bool evaluate(const ir_module *m, char *const *input, size_t ninput,
              bool check_ranges, const ir_target *model);
void print_static_cost(const ir_module *m, ir_target model);

#endif
