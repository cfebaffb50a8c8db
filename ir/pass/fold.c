/* fold: computes what is known and drops what does nothing.
 *
 * One forward walk; each instruction is replaced as long as a rule applies
 * (fold_const.c, fold_arith.c, fold_lanes.c), what a rule builds being folded
 * in turn.  Regions: dead branches, loops of 0 turns, of 1 turn, carried values
 * that never change, an if without steps.
 * Needs: nothing.  Keeps: the stage, effects, range containment.  Linear: rules
 * look a bounded way back.  Source: Muchnick 1997, 12.1 to 12.3.
 *
 *   %a = view %x off 2 dims 8:1       %v = view %x off 5 dims 1:1
 *   %b = get %a at %three         ->  yields %v
 *   %c = mul %b, 1
 */
#include "ir/pass/fold.h"

#define AGAIN 8 /* times a replacement is folded again */

uintptr_t fold_uses(const ir_value *v) {
  return v->def ? (uintptr_t)v->def->tmp : 0;
}

static void count_uses(ir_inst *i, void *user) {
  (void)user;
  for (uint32_t k = 0; k < i->narg; k++)
    if (i->arg[k]->def)
      i->arg[k]->def->tmp = (void *)((uintptr_t)i->arg[k]->def->tmp + 1);
}

static bool may_replace(const ir_value *v, const ir_value *by) {
  return v != by && v->ty.dom == by->ty.dom && v->ty.kind == by->ty.kind &&
         v->ty.lanes == by->ty.lanes &&
         ir_range_within(by->ty.range, v->ty.range);
}

static bool one_value(const ir_value *v) {
  const ir_range *r = v->ty.range;
  return r && !mpz_cmp(r->lo, r->hi);
}

/* A range of one value tells it, also of a share. */
static ir_value *by_range(fold *f, ir_inst *i) {
  const ir_value *r = i->res[0];
  if (!i->narg || !one_value(r) || (ir_ops[i->op].flags & (F_S | F_I)) != F_S ||
      r->ty.kind == KIND_PROD || (r->ty.dom != DOM_Z && r->ty.dom != DOM_P) ||
      (i->op == OP_HIDE && fold_known(i->arg[0])))
    return NULL;
  ir_builder b = pass_before(f->m, i);
  ir_value *v = ir_const(&b, r->ty.dom, r->ty.range->lo, r->ty.lanes);
  return r->ty.kind == KIND_SH ? ir_op1(&b, OP_HIDE, v) : v;
}

static ir_value *rewrite(fold *f, ir_inst *i) {
  ir_value *v = by_range(f, i);
  if (!v) v = fold_const(f, i);
  if (!v) v = fold_arith(f, i);
  if (!v) v = fold_lanes(f, i);
  return v && may_replace(i->res[0], v) ? v : NULL;
}

static bool always_holds(const ir_inst *i) {
  return i->op == OP_CHECK && mpz_sgn(i->arg[0]->ty.range->lo) > 0;
}

static void fold_inst(fold *f, ir_inst *i) {
  if (always_holds(i)) {
    ir_remove(i);
    f->changed = true;
    return;
  }
  ir_value *v = i->nres == 1 && !i->nregion ? rewrite(f, i) : NULL;
  if (!v) return;
  f->changed = true;
  for (int k = 0; k < AGAIN; k++) {
    ir_value *w = v->def && !v->tmp && !v->def->tmp && !v->def->nregion &&
                          v->def->nres == 1
                      ? rewrite(f, v->def)
                      : NULL;
    if (!w) break;
    v = w;
  }
  if (v->def && !v->def->nregion) /* it takes over the uses */
    v->def->tmp = (void *)(fold_uses(v) + fold_uses(i->res[0]));
  pass_replace(i->res[0], v);
  ir_remove(i);
}

/* ---- regions ---- */
/* Moves the instructions of b before `at` and gives the first of them. */
static ir_inst *splice(ir_inst *at, ir_block *b, ir_inst *otherwise) {
  ir_inst *y = pass_yield(b), *first = b->first == y ? otherwise : b->first;
  for (ir_inst *i = b->first, *next; i != y; i = next) {
    next = i->next;
    ir_remove(i);
    ir_insert_before(at, i);
  }
  return first;
}

static bool all_fit(const ir_inst *i, ir_value *const *by) {
  for (uint32_t k = 0; k < i->nres; k++)
    if (!ir_range_within(by[k]->ty.range, i->res[k]->ty.range)) return false;
  return true;
}

static void results(ir_inst *i, ir_value **by) {
  for (uint32_t k = 0; k < i->nres; k++)
    pass_replace(i->res[k], pass_alias(by[k]));
}

/* A loop of one turn: its region, in its place. */
static ir_inst *unroll_once(fold *f, ir_inst *i) {
  ir_block *b = i->region[0];
  ir_builder at = pass_before(f->m, i);
  pass_replace(b->param[0], ir_const_si(&at, DOM_Z, 0, 1));
  for (uint32_t k = 1; k < i->narg; k++) pass_replace(b->param[k], i->arg[k]);
  ir_value **y = pass_yield(b)->arg;
  ir_inst *next = splice(i, b, i->next);
  /* the yields are renamed once the walk has passed what defines them */
  for (uint32_t k = 0; k < i->nres; k++) pass_replace(i->res[k], y[k]);
  ir_remove(i);
  return next;
}

/* Carried values that each turn hands on as they came. */
static void constant_carries(fold *f, ir_inst *i) {
  uint32_t at = pass_first_carry(i);
  ir_inst *y = pass_yield(pass_loop_body(i));
  for (uint32_t k = 0; k < i->nres; k++) {
    ir_value *p = pass_loop_body(i)->param[k + at], *init = i->arg[k + at];
    if (p->tmp || (pass_alias(y->arg[k]) != p && !one_value(i->res[k])))
      continue;
    if (!may_replace(i->res[k], init)) continue;
    for (uint32_t r = 0; r < i->nregion; r++)
      pass_replace(i->region[r]->param[k + at], init);
    pass_replace(i->res[k], init);
    y->arg[k] = init;
    f->changed = true;
  }
}

static bool only_yields(const ir_block *b) { return b->first == b->last; }

/* An if whose branches compute nothing is a select of values. */
static bool to_select(fold *f, ir_inst *i) {
  if (!only_yields(i->region[0]) || !only_yields(i->region[1])) return false;
  ir_value **x = i->region[0]->last->arg, **y = i->region[1]->last->arg;
  ir_builder b = pass_before(f->m, i);
  for (uint32_t k = 0; k < i->nres; k++) {
    ir_value *t = pass_alias(x[k]), *e = pass_alias(y[k]);
    ir_value *v = t == e ? t : ir_select(&b, i->arg[0], t, e);
    pass_replace(i->res[k], v);
  }
  ir_remove(i);
  return true;
}

#define EFFECTS (HAS_OPEN | HAS_CHECK | HAS_DEC | HAS_TELL | HAS_EDGE)

/* A while whose first test says no, and does nothing else. */
static bool never_turns(const ir_inst *i) {
  uint64_t n;
  return i->op == OP_WHILE &&
         pass_const_u64(pass_yield(i->region[0])->arg[0], &n) && n == 0 &&
         !(pass_block_has(i->region[0]) & EFFECTS);
}

static void fold_block(fold *f, ir_block *b);

/* Gives the next instruction to fold. */
static ir_inst *fold_region(fold *f, ir_inst *i) {
  ir_inst *next = i->next;
  uint64_t n;
  bool counted = pass_trip(i, &n);
  if (counted && n == 0 && all_fit(i, i->arg + 1)) {
    results(i, i->arg + 1);
    ir_remove(i);
    f->changed = true;
    return next;
  }
  if (counted && n == 1) {
    f->changed = true;
    return unroll_once(f, i);
  }
  if (i->op == OP_IF && pass_const_u64(i->arg[0], &n)) {
    ir_block *r = i->region[n == 0];
    next = splice(i, r, i->next);
    for (uint32_t k = 0; k < i->nres; k++)
      pass_replace(i->res[k], pass_yield(r)->arg[k]);
    ir_remove(i);
    f->changed = true;
    return next;
  }
  if (i->op != OP_IF) constant_carries(f, i);
  for (uint32_t r = 0; r < i->nregion; r++) fold_block(f, i->region[r]);
  if (i->op == OP_IF && to_select(f, i)) f->changed = true;
  if (never_turns(i) && all_fit(i, i->arg)) {
    results(i, i->arg);
    ir_remove(i);
    f->changed = true;
  }
  return next;
}

static void fold_block(fold *f, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    pass_resolve(i);
    if (i->nregion)
      next = fold_region(f, i);
    else
      fold_inst(f, i);
  }
}

bool pass_fold(ir_module *m, pass_ctx *cx) {
  fold f = {.m = m, .a = cx->scratch};
  ir_walk(m->body, count_uses, NULL);
  fold_block(&f, m->body);
  return f.changed;
}
