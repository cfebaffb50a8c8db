/* The parts of fold.  Only fold*.c include this. */
#ifndef IR_PASS_FOLD_H
#define IR_PASS_FOLD_H

#include "ir/pass/util.h"

/* Lanes of one table that folding may compute. */
#define FOLD_TABLE_MAX 65536u

typedef struct fold {
  ir_module *m;
  arena *a;
  bool changed;
} fold;

/* Each gives what stands for the result of i, or NULL; what it builds stands
 * before i.  They may also change i in place (then f->changed). */
ir_value *fold_const(fold *f, ir_inst *i); /* all operands known */
ir_value *fold_arith(fold *f, ir_inst *i); /* identities, ranges */
ir_value *fold_lanes(fold *f, ir_inst *i); /* views, gets, puts, concats */

/* The constant in lane l of a CONST, TABLE or IOTA; t holds an IOTA's. */
bool fold_known(const ir_value *v);
mpz_srcptr fold_lane(const ir_value *v, uint64_t l, mpz_ptr t);
/* A view of x that is already as simple as fold_lanes makes it. */
ir_value *fold_view(fold *f, ir_builder *b, ir_value *x, int64_t off,
                    const ir_dim *d, uint32_t nd);
/* Uses that the value had when the pass began; 0 for newer ones. */
uintptr_t fold_uses(const ir_value *v);

#endif
