/* The product of groups of lanes as a tree of halving views: inner - 1
 * multiplied elements a group, depth ceil(log2 inner).
 *
 * A lane left over at an odd level waits; it is a product of 2^level lanes, so
 * the leftovers are the binary digits of inner, and multiplying them together
 * from the lowest on adds at most one level.
 */
#include "ir/pass/util.h"

ir_value *pass_product_tree(ir_builder *b, ir_value *x, uint64_t inner) {
  uint64_t groups = x->ty.lanes / inner;
  ir_value *rest = NULL;
  while (inner > 1) {
    uint64_t half = inner / 2;
    if (inner & 1) {
      ir_dim d = {groups, (int64_t)inner};
      ir_value *odd = pass_view(b, x, (int64_t)inner - 1, &d, 1);
      rest = rest ? ir_op2(b, OP_MUL, rest, odd) : odd;
    }
    ir_dim d[2] = {{groups, (int64_t)inner}, {half, 1}};
    ir_value *lo = pass_view(b, x, 0, d, 2);
    ir_value *hi = pass_view(b, x, (int64_t)half, d, 2);
    x = ir_op2(b, OP_MUL, lo, hi);
    inner = half;
  }
  return rest ? ir_op2(b, OP_MUL, rest, x) : x;
}

static bool expand_block(ir_module *m, ir_block *blk) {
  bool any = false;
  for (ir_inst *i = blk->first, *next; i; i = next) {
    next = i->next;
    pass_resolve(i);
    for (uint32_t k = 0; k < i->nregion; k++)
      any |= expand_block(m, i->region[k]);
    if (i->op != OP_PROD) continue;
    ir_builder b = pass_before(m, i);
    ir_value *v = pass_product_tree(&b, i->arg[0], i->at.inner);
    pass_replace(i->res[0], pass_fit(&b, v, i->res[0]->ty.range));
    ir_remove(i);
    any = true;
  }
  return any;
}

/* Every product of a circuit in stage high; uses tmp. */
bool pass_expand_products(ir_module *m) { return expand_block(m, m->body); }
