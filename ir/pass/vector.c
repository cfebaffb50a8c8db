/* vector: turns of loops become lanes.
 *
 * Loops of a constant number of turns, innermost first.  What does not differ
 * from turn to turn is computed once; gets at affine places become views, puts
 * at distinct places one put, sums and products over turns sum and product; a
 * place that stays the same becomes a carried value first.  Interactive work
 * that does not hang on a sequential carried value is split out ahead of the
 * sequential rest.  Needs: stage high; fold, cse, dce.  Keeps: the first check
 * to fail, no open that an earlier check prevents.  Linear in instructions
 * times nesting, whatever the turns.  Source: Allen, Kennedy 2001, 2 and 5.
 *
 *   %s = for 64 (i, acc) {            %p = mul %x, %y
 *     yield add acc, mul x[i], y[i] -> %s = sum %p inner 64
 *   }
 */
#include "ir/pass/vector.h"

vinfo *vec_info(const vloop *l, const ir_value *v) {
  if (v->id >= l->ninfo || l->info[v->id].stamp != l->stamp) return NULL;
  return &l->info[v->id];
}

/* ---- opening a loop: what it defines, how often that is used ---- */
static void enter(vloop *l, const ir_value *v) {
  l->info[v->id] = (vinfo){.stamp = l->stamp};
}

static void enter_block(vloop *l, ir_block *b, bool after_check) {
  for (uint32_t k = 0; k < b->nparam; k++) enter(l, b->param[k]);
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    if (i->op == OP_CONST || i->op == OP_TABLE || i->op == OP_IOTA) {
      ir_remove(i);
      ir_insert_before(l->f, i);
      continue;
    }
    vinst *n = ARENA_NEW(l->a, vinst);
    n->after_check = after_check;
    i->tmp = n;
    for (uint32_t k = 0; k < i->nres; k++) enter(l, i->res[k]);
    for (uint32_t k = 0; k < i->narg; k++) {
      vinfo *x = vec_info(l, i->arg[k]);
      if (x) x->uses++;
    }
    for (uint32_t r = 0; r < i->nregion; r++)
      enter_block(l, i->region[r], after_check);
    if (i->op == OP_CHECK) l->checks++;
    after_check |= l->checks > 0;
  }
}

/* Carried values that each turn hands on, or adds the same step to. */
static void known_carries(vloop *l) {
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vcarry *c = &l->carry[k];
    if (c->yield == c->param) {
      c->kind = CARRY_CONST;
      continue;
    }
    const ir_inst *d = c->yield->def;
    if (c->param->ty.dom != DOM_Z || c->param->ty.lanes != 1 || !d ||
        d->op != OP_ADD)
      continue;
    for (uint32_t j = 0; j < 2; j++)
      if (d->arg[j] == c->param && !vec_info(l, d->arg[!j])) {
        c->kind = CARRY_INDUCT;
        c->step = d->arg[!j];
      }
  }
}

void vec_open_loop(vloop *l, ir_inst *f) {
  ir_module *m = l->m;
  if (m->nvalue > l->ninfo) {
    uint32_t cap = m->nvalue + m->nvalue / 2;
    l->info = arena_grow(l->a, l->info, l->ninfo, cap, sizeof *l->info);
    l->ninfo = cap;
  }
  l->stamp++;
  l->f = f;
  l->body = f->region[0];
  l->iv = l->body->param[0];
  l->checks = 0;
  l->too_big = l->split = l->effects_stay = false;
  pass_trip(f, &l->trip);
  enter_block(l, l->body, false);
  l->ncarry = f->nres;
  l->carry = ARENA_ARR(l->a, vcarry, l->ncarry + 1);
  for (uint32_t k = 0; k < l->ncarry; k++)
    l->carry[k] = (vcarry){.param = l->body->param[k + 1],
                           .init = f->arg[k + 1],
                           .yield = pass_yield(l->body)->arg[k],
                           .res = f->res[k]};
  known_carries(l);
}

/* Opens f, drops what is dead in it and makes fixed places carried values. */
static void prepare(vloop *l, ir_inst *f) {
  vec_open_loop(l, f);
  vec_prune(l);
  for (;;) {
    vec_open_loop(l, l->f);
    vec_arrays(l);
    if (!vec_promote(l)) return;
  }
}

/* With branches flattened in a copy; the copy goes if that leads nowhere. */
static bool try_flat(vloop *l, ir_inst *f) {
  ir_inst *before = f->prev, *c = vec_clone(l, f);
  vec_flatten(l, c->region[0]);
  prepare(l, c);
  if (!vec_has_if(l->body) && vec_plan(l) && !l->split) {
    for (uint32_t k = 0; k < f->nres; k++) pass_replace(f->res[k], c->res[k]);
    vec_emit(l);
    ir_inst *i = before ? before->next : f->block->first;
    for (; i != f; i = i->next) pass_resolve(i); /* writes behind the copy */
    ir_remove(f);
    return true;
  }
  for (ir_inst *i = f->prev; i != before; i = f->prev) ir_remove(i);
  return false;
}

/* Planes of bits would not follow one another turn by turn. */
static bool has_bits(const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++)
      if (i->res[k]->ty.dom == DOM_B) return true;
    for (uint32_t r = 0; r < i->nregion; r++)
      if (has_bits(i->region[r])) return true;
  }
  return false;
}

/* Gives the next instruction to look at. */
static ir_inst *vector_loop(vloop *l, ir_inst *f, bool *changed) {
  uint64_t trip;
  ir_inst *next = f->next;
  if (!pass_trip(f, &trip) || trip < 2 || trip >= VEC_LANES ||
      has_bits(f->region[0]))
    return next;
  *changed = true; /* constants, dead steps and fixed places left the body */
  if (vec_has_if(f->region[0]) && try_flat(l, f)) return next;
  prepare(l, f);
  next = l->f->next;
  if (vec_plan(l)) vec_emit(l);
  return next;
}

static bool vector_block(vloop *l, ir_block *b) {
  bool changed = false;
  for (ir_inst *i = b->first, *next; i; i = next) {
    pass_resolve(i);
    for (uint32_t r = 0; r < i->nregion; r++)
      changed |= vector_block(l, i->region[r]);
    next = i->op == OP_FOR ? vector_loop(l, i, &changed) : i->next;
  }
  return changed;
}

bool pass_vector(ir_module *m, pass_ctx *cx) {
  vloop l = {.m = m, .a = cx->scratch};
  return vector_block(&l, m->body);
}
