/* The cut of an action into the part that runs before, on the ledger; the
 * circuit, on shares; and the part that runs after, on the ledger again, with
 * the values that the circuit opened.
 *
 * The action comes as one module of stage high, public and secret statements in
 * one story: besides every op of the stage it may load and store maps, emit
 * events and mark state as written.  Names of leaves are those of
 * backend/contract.h; cut.c begins with the rules by which each instruction
 * finds its place.
 */
#ifndef IR_CUT_H
#define IR_CUT_H

#include "ir/ir.h"

/* Lanes that one revealed value may have over all turns of its loops. */
#define IR_CUT_TAPE_MAX ((uint64_t)1 << 20)

typedef struct ir_cut {
  ir_module *before;  /* public; never NULL, but may be empty */
  ir_module *circuit; /* on shares; NULL: the action has nothing secret */
  ir_module *after;   /* public; NULL: there is no circuit */
} ir_cut;

/* Cuts m, which must verify; it goes on meaning the same, but a loop whose
 * condition opens something is rewritten in place.  The parts are of stage
 * high, verified and live in `a`; equal actions give equal text.  False after a
 * report: a refusal has its place in the source of m. */
bool ir_cut_action(arena *a, ir_module *m, diag *dg, ir_cut *out);

#endif
