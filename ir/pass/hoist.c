/* hoist: what a loop computes the same in every turn moves before it.
 *
 * Innermost loops first, so that a value leaves as many loops as it can.  Only
 * what cannot fail moves; what costs elements (a product of shares, a reduce)
 * moves only out of loops that run at least once.
 * Needs: nothing.  Keeps: the stage, effects where they are.  Linear in the
 * instructions times their nesting.  Source: Muchnick 1997, 13.2.
 *
 *   for %n (i, acc) {                 %k = mul %a, %b
 *     %k = mul %a, %b             ->  for %n (i, acc) {
 *     yield add acc, %k                 yield add acc, %k
 *   }                                 }
 */
#include "ir/pass/util.h"

static bool costs_elements(const ir_inst *i) {
  return (pass_interacts(i) && i->op != OP_OPEN) || pass_is_share_mul(i) ||
         ir_is_typed(i) ||
         (i->op == OP_PROD && i->arg[0]->ty.kind == KIND_SH);
}

static bool runs(const ir_inst *loop, uint32_t region) {
  if (loop->op == OP_WHILE) return region == 0;
  return mpz_sgn(loop->arg[0]->ty.range->lo) > 0;
}

static bool moves(const ir_inst *i, bool certain) {
  if (i->op == OP_YIELD) return false;
  if (costs_elements(i)) return certain;
  return pass_free(i);
}

static bool hoist_block(ir_block *b);

static bool hoist_loop(ir_inst *loop) {
  bool any = false;
  for (uint32_t r = 0; r < loop->nregion; r++) {
    ir_block *b = loop->region[r];
    bool certain = runs(loop, r);
    for (ir_inst *i = b->first, *next; i; i = next) {
      next = i->next;
      bool inside = false;
      for (uint32_t k = 0; k < i->narg && !inside; k++)
        inside = i->arg[k]->block == b;
      if (inside || !moves(i, certain)) continue;
      ir_remove(i);
      ir_insert_before(loop, i);
      any = true;
    }
  }
  return any;
}

static bool hoist_block(ir_block *b) {
  bool any = false;
  for (ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t r = 0; r < i->nregion; r++) any |= hoist_block(i->region[r]);
    if (i->op == OP_FOR || i->op == OP_WHILE) any |= hoist_loop(i);
  }
  return any;
}

bool pass_hoist(ir_module *m, pass_ctx *cx) {
  (void)cx;
  return hoist_block(m->body);
}
