/* What each side makes and takes: backwards from its effects.
 *
 * The circuit first: what it takes is made in before; then before's own
 * effects; then after, which looks at what before has.
 */
#include "ir/cut_impl.h"
#include "ir/pass/util.h"

typedef struct marks {
  cut *c;
  uint8_t side;
  VEC(ir_value *) work, taken;
} marks;

/* ---- needs ---- */
static void need(marks *k, ir_value *v) {
  cut_val *cv = cut_of(k->c, v);
  if ((cv->made | cv->taken) & k->side) return;
  if (!cut_takes(k->c, k->side, v)) {
    cv->made |= k->side;
    vec_push(k->c->a, &k->work, v);
    return;
  }
  cv->taken |= k->side;
  vec_push(k->c->a, &k->taken, v);
}

/* The instruction runs: so do the regions around it, and what steers them is
 * needed. */
static void need_inst(marks *k, ir_inst *i) {
  for (; i && !(cut_at(i)->made & k->side); i = i->block->owner) {
    cut_at(i)->made |= k->side;
    if (i->op == OP_FOR || i->op == OP_IF)
      need(k, i->arg[0]);
    else if (i->op == OP_WHILE)
      need(k, pass_yield(i->region[0])->arg[0]);
    else if (i->op != OP_YIELD)
      for (uint32_t j = 0; j < i->narg; j++) need(k, i->arg[j]);
  }
}

/* Inside and after the region this side makes the slot itself. */
static void need_slot(marks *k, ir_inst *o, uint32_t j) {
  cut_val *cv = cut_of(k->c, o->res[j]);
  if (cv->slot & k->side) return;
  cv->slot |= k->side;
  cv->made |= k->side;
  if (o->op == OP_IF) {
    need(k, pass_yield(o->region[0])->arg[j]);
    need(k, pass_yield(o->region[1])->arg[j]);
    return;
  }
  uint32_t at = j + pass_first_carry(o);
  need(k, o->arg[at]);
  for (uint32_t r = 0; r < o->nregion; r++)
    cut_of(k->c, o->region[r]->param[at])->made |= k->side;
  need(k, pass_yield(pass_loop_body(o))->arg[j]);
}

static void spread(marks *k, ir_value *v) {
  ir_inst *o = v->def ? v->def : v->block->owner;
  if (!o) return;
  need_inst(k, o);
  if (v->def && o->nregion)
    need_slot(k, o, v->index);
  else if (!v->def && v->index >= pass_first_carry(o))
    need_slot(k, o, v->index - pass_first_carry(o));
}

static void drain(marks *k) {
  while (k->work.n) spread(k, k->work.p[--k->work.n]);
}

/* ---- roots ---- */
static void root(ir_inst *i, void *user) {
  marks *k = user;
  if (cut_root(k->c, i) != k->side) return;
  if (i->op != OP_DEC)
    need_inst(k, i);
  else if (!cut_of(k->c, i->res[0])->wire) /* else the circuit does it */
    need(k, i->res[0]);
}

/* What follows in the circuit and must not happen when a check fails. */
typedef struct follow {
  bool reveals; /* an open or tell: it would tell too much */
  bool guarded; /* what goes wrong unless the check holds */
} follow;

/* May the condition be all that stands between v's operands and a fault in the
 * circuit?  Then the circuit has what it is computed from.  Looks at no more
 * than `left` values. */
static bool may_guard(const marks *k, const ir_value *v, int *left) {
  const cut_val *cv = cut_of(k->c, v);
  if ((cv->made | cv->taken) & CIRCUIT || cut_is_top(k->c, v)) return true;
  if (!v->def || v->def->nregion || --*left < 0) return true;
  bool all = v->def->op != OP_MLOAD;
  for (uint32_t j = 0; all && j < v->def->narg; j++)
    all = may_guard(k, v->def->arg[j], left);
  return all;
}

/* A check that before has passed is repeated for the sake of the passes, which
 * move nothing over the check that it needs. */
static bool repeats(const marks *k, const ir_inst *i, const follow *f) {
  int left = 64;
  if (i->op != OP_CHECK && i->op != OP_DEC) return false;
  uint8_t in = cut_control(i->block) | cut_of(k->c, i->arg[0])->facts;
  if (cut_at(i)->from_cut)
    return f->reveals || (f->guarded && !(in & ONLY_AFTER));
  return i->op == OP_CHECK && f->guarded && may_guard(k, i->arg[0], &left);
}

static void repeat_checks(marks *k, ir_block *b, follow *f);

static void repeat_in(marks *k, ir_inst *i, follow *f) {
  follow all = *f;
  if (i->op != OP_IF) { /* in the next turn all of it follows */
    f->reveals |= (cut_at(i)->has & (HAS_OPEN | HAS_TELL)) != 0;
    f->guarded |= (cut_at(i)->has & (HAS_GUARDED | HAS_DEC)) != 0;
    all = *f;
  }
  for (uint32_t r = i->nregion; r--;) {
    follow one = *f;
    repeat_checks(k, i->region[r], &one);
    all.reveals |= one.reveals;
    all.guarded |= one.guarded;
  }
  *f = all;
}

static void repeat_checks(marks *k, ir_block *b, follow *f) {
  for (ir_inst *i = b->last; i; i = i->prev) {
    cut_inst *ci = cut_at(i);
    if (!b->owner && !ci->from_cut) { /* a check that stands here holds */
      *f = (follow){false, false};
      if (!i->nregion) continue;
    }
    if (i->nregion) {
      if (ci->made & CIRCUIT || ci->from_cut) repeat_in(k, i, f);
      continue;
    }
    if (repeats(k, i, f)) {
      need_inst(k, i);
      drain(k);
    }
    if (i->op == OP_OPEN || i->op == OP_TELL) f->reveals = true;
    if (ci->made & CIRCUIT && ci->has & (HAS_GUARDED | HAS_DEC))
      f->guarded = true;
  }
}

/* ---- sides ---- */
/* What the side takes and does not happen to make comes by wire, and is made
 * where it comes from. */
static void take(marks *k) {
  marks from = {.c = k->c, .side = BEFORE};
  for (size_t j = 0; j < k->taken.n; j++) {
    cut_val *cv = cut_of(k->c, k->taken.p[j]);
    if (cv->made & k->side) continue;
    if (!cv->wire) cv->wire = cut_wire_new(k->c, k->taken.p[j], BEFORE);
    cv->wire->to |= k->side;
    if (cv->wire->from == BEFORE) need(&from, cv->wire->v);
    drain(&from);
  }
}

static void mark_side(cut *c, uint8_t side) {
  marks k = {.c = c, .side = side};
  ir_walk(c->m->body, root, &k);
  if (side == CIRCUIT)
    for (size_t j = 0; j < c->wires.n; j++) need(&k, c->wires.p[j]->v);
  drain(&k);
  follow f = {false, false};
  if (side == CIRCUIT) repeat_checks(&k, c->m->body, &f);
  take(&k);
}

void cut_mark(cut *c) {
  cut_wires_open(c);
  if (c->has_circuit) mark_side(c, CIRCUIT);
  mark_side(c, BEFORE);
  if (c->has_circuit) mark_side(c, AFTER);
}
