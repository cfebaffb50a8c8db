/* Copying one side of the cut: cut_clone.c, cut_region.c. */
#ifndef IR_CUT_CLONE_H
#define IR_CUT_CLONE_H

#include "ir/cut_impl.h"

typedef struct cloner {
  cut *c;
  ir_module *m;
  ir_builder b;
  uint8_t side;
} cloner;

ir_value *cut_copy(const cloner *k, const ir_value *v);
void cut_set_copy(cloner *k, const ir_value *v, ir_value *copy);
/* Ranges and types of the module that is cut, in the copy. */
const ir_range *cut_range(const cloner *k, const ir_range *r);
ir_type cut_type(const cloner *k, ir_type ty);
void cut_copy_block(cloner *k, const ir_block *b);
void cut_copy_region(cloner *k, const ir_inst *i);

#endif
