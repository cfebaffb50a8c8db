/* What is known of each value before anything is placed: forward, over data,
 * control and carried values, to a fixpoint.  Each fact of each value is passed
 * on once, so time is linear. */
#include <string.h>

#include "ir/analysis.h"
#include "ir/cut_impl.h"
#include "ir/pass/util.h"

typedef struct facts {
  cut *c;
  ir_uses uses;
  VEC(ir_inst *) work;
} facts;

/* ---- structure ---- */
static unsigned index_block(cut *c, ir_block *b, bool from_cut) {
  unsigned has = 0;
  for (ir_inst *i = b->first; i; i = i->next) {
    cut_inst *ci = ARENA_NEW(c->a, cut_inst);
    i->tmp = ci;
    ci->has = i->nregion ? 0 : pass_has(i);
    for (uint32_t r = 0; r < i->nregion; r++)
      ci->has |= index_block(c, i->region[r], from_cut);
    ci->from_cut = from_cut;
    has |= ci->has;
  }
  return has;
}

static void stands_from_cut(ir_inst *i, void *user) {
  (void)user;
  cut_at(i)->from_cut = true;
}

/* The cut is the first instruction of the body that opens something. */
static void find_cut(cut *c) {
  ir_inst *i = c->m->body->first;
  index_block(c, c->m->body, false);
  while (i && !(cut_at(i)->has & HAS_OPEN)) i = i->next;
  for (; i; i = i->next) {
    cut_at(i)->from_cut = true;
    for (uint32_t r = 0; r < i->nregion; r++)
      ir_walk(i->region[r], stands_from_cut, NULL);
  }
}

/* ---- maps that were stored to ---- */
typedef struct stored {
  arena *a;
  VEC(const char *) map;
} stored;

/* "$pos.x" belongs to the map "$pos". */
static bool same_map(const char *x, const char *y) {
  size_t n = strcspn(x, ".");
  return n == strcspn(y, ".") && !memcmp(x, y, n);
}

static bool is_stored(const stored *s, const char *name) {
  for (size_t k = 0; k < s->map.n; k++)
    if (same_map(s->map.p[k], name)) return true;
  return false;
}

static void note_store(ir_inst *i, void *user) {
  stored *s = user;
  if (i->op == OP_MSTORE && !is_stored(s, i->at.name))
    vec_push(s->a, &s->map, i->at.name);
}

/* In a loop every store of it stands before every load, by the turn before. */
static void find_overwritten(stored *s, ir_block *b, bool in_loop) {
  for (ir_inst *i = b->first; i; i = i->next) {
    if (!cut_at(i)->from_cut) continue;
    bool loop = i->op == OP_FOR || i->op == OP_WHILE;
    if (i->op == OP_MLOAD) cut_at(i)->overwritten = is_stored(s, i->at.name);
    note_store(i, s);
    for (uint32_t r = 0; r < i->nregion; r++)
      if (loop && !in_loop) ir_walk(i->region[r], note_store, s);
    for (uint32_t r = 0; r < i->nregion; r++)
      find_overwritten(s, i->region[r], in_loop || loop);
  }
}

/* ---- propagation ---- */
static void push(facts *f, ir_inst *i) {
  if (cut_at(i)->queued) return;
  cut_at(i)->queued = true;
  vec_push(f->c->a, &f->work, i);
}

static void join(facts *f, const ir_value *v, uint8_t add) {
  cut_val *cv = cut_of(f->c, v);
  if (!(add & ~cv->facts)) return;
  cv->facts |= add;
  for (uint32_t k = f->uses.start[v->id]; k < f->uses.start[v->id + 1]; k++)
    push(f, f->uses.use[k].inst);
}

static void join_control(facts *f, ir_inst *o, uint8_t add) {
  if (!(add & ~cut_at(o)->control)) return;
  cut_at(o)->control |= add;
  for (uint32_t r = 0; r < o->nregion; r++) {
    for (uint32_t k = 0; k < o->region[r]->nparam; k++)
      join(f, o->region[r]->param[k], add);
    for (ir_inst *i = o->region[r]->first; i; i = i->next) push(f, i);
  }
  for (uint32_t k = 0; k < o->nres; k++) join(f, o->res[k], add);
}

/* The value becomes carried value or result k of o. */
static void join_slot(facts *f, ir_inst *o, uint32_t k, const ir_value *v) {
  uint8_t add = cut_of(f->c, v)->facts;
  join(f, o->res[k], add);
  if (o->op == OP_IF) return;
  for (uint32_t r = 0; r < o->nregion; r++)
    join(f, o->region[r]->param[k + pass_first_carry(o)], add);
}

static void eval_yield(facts *f, ir_inst *i) {
  ir_inst *o = i->block->owner;
  if (o->op == OP_WHILE && i->block == o->region[0]) {
    join_control(f, o, cut_of(f->c, i->arg[0])->facts);
    return;
  }
  for (uint32_t k = 0; k < i->narg; k++) join_slot(f, o, k, i->arg[k]);
}

static void eval_region(facts *f, ir_inst *i) {
  uint32_t first = i->op == OP_WHILE ? 0 : 1;
  uint8_t control = cut_control(i->block);
  if (first) control |= cut_of(f->c, i->arg[0])->facts;
  join_control(f, i, control);
  for (uint32_t k = first; k < i->narg; k++)
    join_slot(f, i, k - first, i->arg[k]);
}

static void eval(facts *f, ir_inst *i) {
  if (i->op == OP_YIELD) {
    eval_yield(f, i);
    return;
  }
  if (i->nregion) {
    eval_region(f, i);
    return;
  }
  uint8_t in = cut_control(i->block);
  for (uint32_t k = 0; k < i->narg; k++) in |= cut_of(f->c, i->arg[k])->facts;
  if (cut_at(i)->from_cut) in |= cut_source(i, in);
  for (uint32_t k = 0; k < i->nres; k++) join(f, i->res[k], in);
}

static void push_all(ir_inst *i, void *user) { push(user, i); }

void cut_facts(cut *c) {
  facts f = {.c = c};
  stored s = {.a = c->a};
  ir_uses_fill(&f.uses, c->m, c->a);
  c->val = ARENA_ARR(c->a, cut_val, (size_t)c->m->nvalue + 1);
  find_cut(c);
  find_overwritten(&s, c->m->body, false);
  ir_walk(c->m->body, push_all, &f);
  for (size_t k = 0; k < f.work.n; k++) { /* grows meanwhile */
    ir_inst *i = f.work.p[k];
    cut_at(i)->queued = false;
    eval(&f, i);
  }
  for (ir_inst *i = c->m->body->first; i; i = i->next)
    if (i->op == OP_OUTPUT && i->arg[0]->ty.kind != KIND_PUB)
      c->has_circuit = true;
  unsigned has = 0;
  for (ir_inst *i = c->m->body->first; i; i = i->next) has |= cut_at(i)->has;
  if (has & (HAS_OPEN | HAS_TELL)) c->has_circuit = true;
}
