/* The copy of a loop or branch: of its slots those that the side has, and
 * behind them the tapes.
 *
 * Who makes a value in a loop carries an array of zeros and puts each turn's
 * value at its place; a branch that does not make it yields zeros.  Who takes
 * it gets the turn's part on entry.  A while has no index: a counter is
 * carried, last of all.
 *
 *   for %n (i, x) {                 for %n (i, x, t) {
 *     %o = open .. ; yield ..  ->     %o = open .. ; %u = put %t, %o, %i
 *   }                                 yield .., %u
 */
#include "ir/cut_clone.h"
#include "ir/pass/util.h"

typedef struct region {
  const ir_inst *i;
  uint64_t turns;
  uint32_t *slot, nslot; /* which the side has */
  cut_wires give, take;
  size_t split;          /* region 0 makes those of give before it */
  bool counter;
  uint32_t n;            /* slots, tapes and the counter */
  ir_value **arg;        /* n, behind an operand 0 that steers */
  ir_type *ty;           /* n: of results, of parameters, but the counter's */
  ir_block *copy[2];
} region;

/* ---- which slots ---- */
static void find_wires(cloner *k, region *r) {
  for (int j = 0; j < 2; j++) {
    const cut_wires *l = &cut_at(r->i)->wire[j];
    if (j) r->split = r->give.n;
    for (size_t n = 0; n < l->n; n++) {
      if (l->p[n]->from == k->side) vec_push(k->c->a, &r->give, l->p[n]);
      if (l->p[n]->to & k->side) vec_push(k->c->a, &r->take, l->p[n]);
    }
  }
}

/* Lanes of the tape in block b. */
static uint64_t part_lanes(const cut_wire *w, const ir_block *b) {
  uint64_t n = w->v->ty.lanes;
  for (const ir_block *at = w->v->block; at != b; at = at->owner->block)
    n *= cut_turns(at->owner);
  return n;
}

static ir_type part_type(const cloner *k, const cut_wire *w,
                         const ir_block *b) {
  return ir_ty(w->v->ty.dom, KIND_PUB, part_lanes(w, b),
               cut_range(k, w->range));
}

static void find_slots(cloner *k, region *r) {
  const ir_inst *i = r->i;
  arena *a = k->c->a;
  uint32_t first = pass_first_carry(i);
  r->slot = ARENA_ARR(a, uint32_t, i->nres + 1);
  for (uint32_t j = 0; j < i->nres; j++)
    if (cut_of(k->c, i->res[j])->slot & k->side) r->slot[r->nslot++] = j;
  find_wires(k, r);
  r->turns = cut_turns(i);
  r->counter =
      i->op == OP_WHILE && r->turns > 1 && r->give.n + r->take.n;
  r->n = r->nslot + (uint32_t)r->give.n + r->counter;
  r->arg = ARENA_ARR(a, ir_value *, r->n + 2);
  r->ty = ARENA_ARR(a, ir_type, r->n + 1);
  ir_value **arg = r->arg + 1;
  uint32_t n = 0;
  for (; n < r->nslot; n++) {
    r->ty[n] = cut_type(k, i->res[r->slot[n]]->ty);
    if (i->op != OP_IF) arg[n] = cut_copy(k, i->arg[first + r->slot[n]]);
  }
  for (size_t j = 0; j < r->give.n; j++, n++) {
    const ir_type *ty = &r->ty[n];
    r->ty[n] = part_type(k, r->give.p[j], i->block);
    if (i->op != OP_IF) arg[n] = ir_const_si(&k->b, ty->dom, 0, ty->lanes);
  }
  if (!r->counter) return;
  r->ty[n] = ir_ty(DOM_Z, KIND_PUB, 1,
                   ir_range_si(k->m, 0, (int64_t)r->turns));
  arg[n] = ir_const_si(&k->b, DOM_Z, 0, 1);
}

/* ---- a region ---- */
static void add_params(cloner *k, region *r, const ir_block *b,
                       ir_block *copy) {
  if (r->i->op == OP_IF) return;
  uint32_t first = pass_first_carry(r->i), n = r->nslot;
  for (uint32_t j = 0; j < first + r->nslot; j++) {
    const ir_value *p = b->param[j < first ? j : first + r->slot[j - first]];
    cut_set_copy(k, p, ir_param(k->m, copy, cut_type(k, p->ty), NULL));
  }
  for (size_t j = 0; j < r->give.n; j++, n++)
    ir_param(k->m, copy, r->ty[n], NULL);
  if (r->counter) /* neither region is entered with more */
    ir_param(k->m, copy,
             ir_ty(DOM_Z, KIND_PUB, 1,
                   ir_range_si(k->m, 0, (int64_t)r->turns - 1)), NULL);
}

/* Lane of this turn's part in a tape whose parts have n lanes. */
static ir_value *turn_lane(cloner *k, region *r, uint64_t n) {
  ir_block *b = k->b.b;
  ir_value *turn = b->param[r->counter ? b->nparam - 1 : 0];
  return n == 1 ? turn
                : ir_op2(&k->b, OP_MUL, turn,
                         ir_const_si(&k->b, DOM_Z, (int64_t)n, 1));
}

static void enter(cloner *k, region *r, uint32_t which) {
  const ir_block *b = r->i->region[which];
  const cut_wires *l = &cut_at(r->i)->wire[which];
  for (size_t j = 0; j < l->n; j++) {
    cut_wire *w = l->p[j];
    if (!(w->to & k->side)) continue;
    uint64_t n = part_lanes(w, b);
    ir_dim d = {n, 1};
    if (r->turns > 1)
      w->cur = ir_get(&k->b, w->cur, turn_lane(k, r, n), 0, &d, 1);
    if (w->v->block == b)
      cut_set_copy(k, w->v,
                   pass_fit(&k->b, w->cur, cut_range(k, w->v->ty.range)));
  }
}

/* What a region yields for tape j: its part, put in its place. */
static ir_value *leave(cloner *k, region *r, uint32_t which, size_t j) {
  const ir_block *b = r->i->region[which];
  const cut_wire *w = r->give.p[j];
  uint32_t at = r->nslot + (uint32_t)j;
  const ir_type *ty = &r->ty[at];
  if (which != (j >= r->split))
    return ir_const_si(&k->b, ty->dom, 0, ty->lanes);
  ir_value *part = w->v->block == b ? cut_copy(k, w->v) : w->cur;
  if (r->turns == 1) return part;
  ir_dim d = {part_lanes(w, b), 1};
  ir_value *tape = k->b.b->param[pass_first_carry(r->i) + at];
  return ir_put(&k->b, tape, part, turn_lane(k, r, d.n), 0, &d, 1);
}

static void copy_region(cloner *k, region *r, uint32_t which) {
  const ir_block *b = r->i->region[which];
  ir_builder out = k->b;
  k->b = (ir_builder){k->m, r->copy[which] = ir_block_new(k->m), NULL, out.sp};
  add_params(k, r, b, k->b.b);
  bool test = r->i->op == OP_WHILE && !which;
  ir_value **yield = ARENA_ARR(k->c->a, ir_value *, r->n + 1);
  uint32_t n = 0;
  if (!test) enter(k, r, which);
  cut_copy_block(k, b);
  k->b.sp = b->last->sp;
  if (test) {
    yield[n++] = cut_copy(k, b->last->arg[0]);
  } else {
    for (; n < r->nslot; n++) yield[n] = cut_copy(k, b->last->arg[r->slot[n]]);
    for (size_t j = 0; j < r->give.n; j++, n++)
      yield[n] = leave(k, r, which, j);
    if (r->counter) {
      yield[n] = ir_op2(&k->b, OP_ADD, k->b.b->param[n],
                        ir_const_si(&k->b, DOM_Z, 1, 1));
      n++;
    }
  }
  ir_yield(&k->b, yield, n);
  k->b = out;
}

void cut_copy_region(cloner *k, const ir_inst *i) {
  region r = {.i = i};
  find_slots(k, &r);
  ir_value **outer = ARENA_ARR(k->c->a, ir_value *, r.take.n + 1);
  for (uint32_t j = 0; j < i->nregion; j++) {
    for (size_t n = 0; n < r.take.n; n++)
      if (j) r.take.p[n]->cur = outer[n];
      else outer[n] = r.take.p[n]->cur;
    copy_region(k, &r, j);
  }
  for (size_t n = 0; n < r.take.n; n++) r.take.p[n]->cur = outer[n];
  uint32_t steer = i->op != OP_WHILE, carried = i->op == OP_IF ? 0 : r.n;
  if (steer) r.arg[0] = cut_copy(k, i->arg[0]);
  ir_inst *copy = ir_region_inst(&k->b, i->op, r.arg + !steer, steer + carried,
                                 r.ty, r.n, r.copy, i->nregion);
  copy->at.max = i->at.max;
  for (uint32_t j = 0; j < r.nslot; j++)
    cut_set_copy(k, i->res[r.slot[j]], copy->res[j]);
  for (size_t j = 0; j < r.give.n; j++)
    r.give.p[j]->cur = copy->res[r.nslot + j];
}
