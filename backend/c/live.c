/* Who reads a slot, and whether anybody will again.
 *
 * A unit is an instruction that is emitted by itself: a root, an effect, a
 * region operation, a yield.  A unit reads the slots at the leaves of its
 * tree; the tree is evaluated where the unit stands.
 */
#include "backend/c/plan.h"

static void add_use(c_plan *p, const ir_value *v, const ir_inst *unit) {
  c_val *c = plan_val(p, v);
  if (c->nuse && c->use[c->nuse - 1] == unit) return;
  if (c->nuse == c->capuse) {
    uint32_t cap = c->capuse ? c->capuse * 2 : 2;
    c->use = arena_grow(p->a, c->use, c->nuse, cap, sizeof *c->use);
    c->capuse = cap;
  }
  c->use[c->nuse++] = unit;
}

static void read_tree(c_plan *p, const ir_value *v, const ir_inst *unit) {
  if (plan_val(p, v)->root) {
    add_use(p, v, unit);
    return;
  }
  for (uint32_t k = 0; k < plan_narg(v->def); k++)
    read_tree(p, v->def->arg[k], unit);
}

static bool is_unit(const c_plan *p, const ir_inst *i) {
  if (i->nregion || i->nres == 0) return true;
  return plan_val(p, i->res[0])->root;
}

static void fill_block(c_plan *p, const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (is_unit(p, i))
      for (uint32_t k = 0; k < plan_narg(i); k++) read_tree(p, i->arg[k], i);
    for (uint32_t r = 0; r < i->nregion; r++) fill_block(p, i->region[r]);
  }
}

void plan_fill_uses(c_plan *p) { fill_block(p, p->m->body); }

/* An output is read when the run is over. */
static uint32_t use_pos(const ir_inst *u) {
  return u->op == OP_OUTPUT ? UINT32_MAX : plan_ins(u)->pos;
}

static const ir_block *parent(const ir_block *b) {
  return b->owner ? b->owner->block : NULL;
}

static uint32_t block_depth(const ir_block *b) {
  uint32_t d = 0;
  for (; b->owner; b = b->owner->block) d++;
  return d;
}

/* Do two blocks lie in different branches of one if? */
static bool exclude_each_other(const ir_block *x, const ir_block *y) {
  uint32_t dx = block_depth(x), dy = block_depth(y);
  for (; dx > dy; dx--) x = parent(x);
  for (; dy > dx; dy--) y = parent(y);
  while (x != y) {
    if (!x->owner || !y->owner) return false;
    if (x->owner == y->owner) return x->owner->op == OP_IF;
    x = parent(x);
    y = parent(y);
  }
  return false;
}

static bool is_loop(const ir_inst *i) {
  return i->op == OP_FOR || i->op == OP_WHILE;
}

bool plan_live_after(const c_plan *p, const ir_value *v, const ir_inst *i) {
  const c_val *c = plan_val(p, v);
  /* what a while's test sees, the turn sees again */
  if (!v->def && v->block->owner->op == OP_WHILE &&
      v->block == v->block->owner->region[0])
    return true;
  if (!c->nuse) return false;
  /* A loop between the definition and i comes round again. */
  for (const ir_block *b = i->block; b != v->block && b->owner;
       b = parent(b)) {
    if (!is_loop(b->owner)) continue;
    const c_ins *l = plan_ins(b->owner);
    for (uint32_t k = 0; k < c->nuse; k++) {
      uint32_t at = use_pos(c->use[k]);
      if (at > l->pos && at <= l->end) return true;
    }
  }
  /* An if is over behind its branches; a loop reads from its start on. */
  const c_ins *ci = plan_ins(i);
  uint32_t from = i->op == OP_IF ? ci->end : ci->pos;
  for (uint32_t k = c->nuse; k-- > 0;) {
    const ir_inst *u = c->use[k];
    if (u->op == OP_OUTPUT) return true;
    if (use_pos(u) <= from) break; /* uses stand in program order */
    if (!exclude_each_other(u->block, i->block)) return true;
  }
  return false;
}

bool plan_used_at(const c_plan *p, const ir_value *v, uint32_t pos) {
  const c_val *c = plan_val(p, v);
  for (uint32_t k = c->nuse; k-- > 0;) {
    uint32_t at = use_pos(c->use[k]);
    if (at == pos) return true;
    if (at < pos) return false;
  }
  return false;
}

bool plan_reads(const c_plan *p, const ir_value *v, const ir_value *x) {
  if (v == x) return true;
  if (plan_val(p, v)->root) return false;
  for (uint32_t k = 0; k < plan_narg(v->def); k++)
    if (plan_reads(p, v->def->arg[k], x)) return true;
  return false;
}

static bool is_elementwise(ir_op op) {
  return op != OP_VIEW && op != OP_GET && op != OP_GATHER && op != OP_SUM &&
         op != OP_PUT && op != OP_CONCAT;
}

bool plan_reads_own_lane(const c_plan *p, const ir_value *v,
                         const ir_value *x) {
  if (v == x || plan_val(p, v)->root) return true;
  if (!is_elementwise(v->def->op)) return !plan_reads(p, v, x);
  for (uint32_t k = 0; k < plan_narg(v->def); k++)
    if (!plan_reads_own_lane(p, v->def->arg[k], x)) return false;
  return true;
}
