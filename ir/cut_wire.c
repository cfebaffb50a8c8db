/* Wires: which there are, their names, their places in tapes.
 *
 * A tape has one place for each turn, in row-major order of the loops around
 * the value: a for's greatest trip count, a while's max.
 */
#include <stdlib.h>

#include "ir/analysis.h"
#include "ir/cut_impl.h"
#include "ir/pass/util.h"

cut_wire *cut_wire_new(cut *c, ir_value *v, uint8_t from) {
  cut_wire *w = ARENA_NEW(c->a, cut_wire);
  *w = (cut_wire){.v = v, .from = from};
  cut_of(c, v)->wire = w;
  vec_push(c->a, &c->wires, w);
  return w;
}

/* ---- openings ---- */
typedef struct openings {
  cut *c;
  ir_uses uses;
} openings;

/* What is handed on is the integer where that is all an opening is for. */
static void open_wire(ir_inst *i, void *user) {
  openings *o = user;
  if (i->op != OP_OPEN) return;
  ir_value *v = i->res[0];
  if (ir_uses_count(&o->uses, v) == 1) {
    ir_inst *u = o->uses.use[o->uses.start[v->id]].inst;
    if (u->op == OP_DEC && u->block == i->block) v = u->res[0];
  }
  cut_wire_new(o->c, v, CIRCUIT);
}

void cut_wires_open(cut *c) {
  openings o = {.c = c};
  ir_uses_fill(&o.uses, c->m, c->a);
  ir_walk(c->m->body, open_wire, &o);
}

/* ---- sizes ---- */
static const ir_range *with_zero(ir_module *m, const ir_range *r) {
  return r ? ir_range_hull(m, r, ir_range_si(m, 0, 0)) : NULL;
}

uint64_t cut_turns(const ir_inst *o) {
  if (o->op == OP_IF) return 1;
  if (o->op == OP_WHILE) return o->at.max ? o->at.max : 1;
  mpz_srcptr hi = o->arg[0]->ty.range->hi;
  if (mpz_sgn(hi) <= 0) return 1;
  return mpz_fits_ulong_p(hi) ? mpz_get_ui(hi) : UINT64_MAX;
}

static bool size(cut *c, cut_wire *w) {
  const ir_inst *o = w->v->block->owner, *d = w->v->def;
  bool fits = true;
  w->lanes = w->v->ty.lanes;
  w->range = o ? with_zero(c->m, w->v->ty.range) : w->v->ty.range;
  for (; fits && o; o = o->block->owner)
    fits = !__builtin_mul_overflow(w->lanes, cut_turns(o), &w->lanes) &&
           w->lanes <= IR_CUT_TAPE_MAX;
  if (fits) return true;
  if (d->op == OP_DEC) d = d->arg[0]->def;
  diag_report(c->dg, DIAG_CUT_TAPE, d->sp,
              d->op == OP_MLOAD ? "read from a map" : "revealed",
              (unsigned long long)IR_CUT_TAPE_MAX);
  diag_hint(c->dg, "Give the loops around it smaller bounds.");
  return false;
}

/* ---- order ---- */
static int by_place(const void *x, const void *y) {
  uint32_t a = (*(cut_wire *const *)x)->v->id;
  uint32_t b = (*(cut_wire *const *)y)->v->id;
  return a < b ? -1 : a > b;
}

static void attach(cut *c, cut_wire *w) {
  for (ir_block *b = w->v->block; b->owner; b = b->owner->block)
    vec_push(c->a, &cut_at(b->owner)->wire[b != b->owner->region[0]], w);
}

bool cut_wires_settle(cut *c) {
  unsigned given = 0, opened = 0;
  if (c->wires.n)
    qsort(c->wires.p, c->wires.n, sizeof *c->wires.p, by_place);
  for (size_t k = 0; k < c->wires.n; k++) {
    cut_wire *w = c->wires.p[k];
    bool open = w->from == CIRCUIT;
    w->name = arena_printf(c->a, "%c%u", open ? '!' : '%',
                           open ? opened++ : given++);
    if (!size(c, w)) return false;
    attach(c, w);
  }
  return true;
}
