/* Facts about a module, recomputed on demand (fill), invalid after an edit. */
#ifndef IR_ANALYSIS_H
#define IR_ANALYSIS_H

#include "ir/ir.h"

/* Who uses each value: uses of the value with id v are
 * use[start[v]] .. use[start[v + 1] - 1], in program order. */
typedef struct ir_use {
  ir_inst *inst;
  uint32_t arg;
} ir_use;

typedef struct ir_uses {
  uint32_t nvalue;
  uint32_t *start; /* nvalue + 1 entries */
  ir_use *use;
} ir_uses;

/* Renumbers the module (ir_number), then fills; memory from a. */
void ir_uses_fill(ir_uses *u, ir_module *m, arena *a);
uint32_t ir_uses_count(const ir_uses *u, const ir_value *v);

/* Multiplicative depth of each value by id: the interactive steps (reduce,
 * open; in stage high a product of shares) on the longest path to it.  A loop
 * counts its turns, a trip count at its greatest, and treats its carried values
 * as one: an upper bound there; values inside have the depth of the first turn.
 * Saturates at UINT64_MAX.  Renumbers the module. */
uint64_t *ir_depth_fill(ir_module *m, arena *a);
/* The greatest of all values: without loops, the fewest rounds (of exchanges)
 * that any schedule can have. */
uint64_t ir_depth_max(ir_module *m, arena *scratch);

#endif
