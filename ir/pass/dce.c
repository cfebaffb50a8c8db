/* dce: removes what nothing needs.
 *
 * Marks from the effects (and the checks) backwards, then sweeps.  A region is
 * needed if it holds an effect or one of its results is; its carried values and
 * results are kept one by one, so a loop loses the sums nobody reads.
 * Needs: nothing.  Keeps: the stage.  Linear.
 *
 *   %a, %b = for 10 (x, y) {        %b = for 10 (y) {
 *     yield add x 1, add y 1    ->     yield add y 1
 *   } ; output %b                   } ; output %b
 */
#include "base/vec.h"
#include "ir/pass/util.h"

typedef struct dce {
  arena *a;
  VEC(ir_value *) work;
} dce;

static void mark_value(dce *d, ir_value *v) {
  if (v->tmp) return;
  v->tmp = v;
  vec_push(d->a, &d->work, v);
}

/* The instruction runs: its operands, the regions around it and what steers
 * them are needed. */
static void mark_inst(dce *d, ir_inst *i) {
  for (; i && !i->tmp; i = i->block->owner) {
    i->tmp = i;
    if (i->op == OP_FOR || i->op == OP_IF)
      mark_value(d, i->arg[0]);
    else if (i->op == OP_WHILE)
      mark_value(d, pass_yield(i->region[0])->arg[0]);
    else if (i->op != OP_YIELD)
      for (uint32_t k = 0; k < i->narg; k++) mark_value(d, i->arg[k]);
  }
}

static void mark_slot(dce *d, ir_inst *o, uint32_t k) {
  mark_value(d, o->res[k]);
  if (o->op == OP_IF) {
    mark_value(d, pass_yield(o->region[0])->arg[k]);
    mark_value(d, pass_yield(o->region[1])->arg[k]);
    return;
  }
  uint32_t at = k + pass_first_carry(o);
  mark_value(d, o->arg[at]);
  for (uint32_t r = 0; r < o->nregion; r++)
    mark_value(d, o->region[r]->param[at]);
  mark_value(d, pass_yield(pass_loop_body(o))->arg[k]);
}

/* A map is read for its entry only. */
static void mark_roots(ir_inst *i, void *user) {
  if (i->op != OP_MLOAD && ir_ops[i->op].flags & (F_E | F_F)) mark_inst(user, i);
}

static void spread(dce *d, ir_value *v) {
  if (v->def) {
    mark_inst(d, v->def);
    if (v->def->nregion) mark_slot(d, v->def, v->index);
    return;
  }
  ir_inst *o = v->block->owner;
  if (!o) return;
  mark_inst(d, o);
  if (o->op != OP_IF && v->index >= pass_first_carry(o))
    mark_slot(d, o, v->index - pass_first_carry(o));
}

/* Drops entry k of an array of n pointers where keep says so. */
static uint32_t squeeze(ir_value **v, uint32_t n, uint32_t from,
                        const bool *keep) {
  uint32_t out = from;
  for (uint32_t k = from; k < n; k++)
    if (keep[k - from]) v[out++] = v[k];
  return out;
}

static bool sweep_slots(dce *d, ir_inst *o) {
  uint32_t n = o->nres, at = pass_first_carry(o), left = 0;
  bool *keep = ARENA_ARR(d->a, bool, n + 1);
  for (uint32_t k = 0; k < n; k++) left += keep[k] = o->res[k]->tmp != NULL;
  if (left == n) return false;
  o->nres = squeeze(o->res, n, 0, keep);
  for (uint32_t k = 0; k < o->nres; k++) o->res[k]->index = k;
  if (o->op == OP_IF) {
    for (uint32_t r = 0; r < 2; r++) {
      ir_inst *y = pass_yield(o->region[r]);
      y->narg = squeeze(y->arg, n, 0, keep);
    }
    return true;
  }
  o->narg = squeeze(o->arg, n + at, at, keep);
  for (uint32_t r = 0; r < o->nregion; r++) {
    ir_block *b = o->region[r];
    b->nparam = squeeze(b->param, n + at, at, keep);
    for (uint32_t k = at; k < b->nparam; k++) b->param[k]->index = k;
  }
  ir_inst *y = pass_yield(pass_loop_body(o));
  y->narg = squeeze(y->arg, n, 0, keep);
  return true;
}

static bool sweep(dce *d, ir_block *b) {
  bool changed = false;
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    if (i->op == OP_YIELD) continue;
    if (!i->tmp) {
      ir_remove(i);
      changed = true;
      continue;
    }
    if (!i->nregion) continue;
    changed |= sweep_slots(d, i);
    for (uint32_t r = 0; r < i->nregion; r++)
      changed |= sweep(d, i->region[r]);
  }
  return changed;
}

bool pass_dce(ir_module *m, pass_ctx *cx) {
  dce d = {.a = cx->scratch};
  ir_walk(m->body, mark_roots, &d);
  while (d.work.n) spread(&d, d.work.p[--d.work.n]);
  return sweep(&d, m->body);
}
