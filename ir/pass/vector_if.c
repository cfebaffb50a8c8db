/* Bodies made fit for lanes: branches become selects, dead steps go.
 *
 * A branch that can run without harm runs in every turn, and select picks.  An
 * array put to in a branch gets back what was there instead, so that only the
 * place is selected, not the array.  That can cost elements, so it happens to a
 * copy of the loop, which stays only if nothing sequential is left of it.
 */
#include "ir/pass/vector.h"

#define PUTS 16 /* of one array in one branch */

bool vec_has_if(const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (i->op == OP_IF) return true;
    for (uint32_t r = 0; r < i->nregion; r++)
      if (vec_has_if(i->region[r])) return true;
  }
  return false;
}

/* ---- copies ---- */
typedef struct copy {
  ir_module *m;
  arena *a;
  ir_value **map;
  uint32_t n;
} copy;

static ir_value *image(const copy *c, ir_value *v) {
  return v->id < c->n && c->map[v->id] ? c->map[v->id] : v;
}

static void copy_inst(copy *c, ir_builder *b, const ir_inst *i);

static ir_block *copy_block(copy *c, const ir_block *from) {
  ir_block *to = ir_block_new(c->m);
  for (uint32_t k = 0; k < from->nparam; k++)
    c->map[from->param[k]->id] =
        ir_param(c->m, to, from->param[k]->ty, from->param[k]->name);
  ir_builder b = {c->m, to, NULL, {0, 0}};
  for (const ir_inst *i = from->first; i; i = i->next) copy_inst(c, &b, i);
  return to;
}

static void copy_inst(copy *c, ir_builder *b, const ir_inst *i) {
  ir_value **arg = ARENA_ARR(c->a, ir_value *, i->narg + 1);
  ir_type *ty = ARENA_ARR(c->a, ir_type, i->nres + 1);
  ir_block **region = ARENA_ARR(c->a, ir_block *, i->nregion + 1);
  for (uint32_t k = 0; k < i->narg; k++) arg[k] = image(c, i->arg[k]);
  for (uint32_t k = 0; k < i->nres; k++) ty[k] = i->res[k]->ty;
  for (uint32_t k = 0; k < i->nregion; k++)
    region[k] = copy_block(c, i->region[k]);
  b->sp = i->sp;
  ir_inst *n = i->nregion
                   ? ir_region_inst(b, i->op, arg, i->narg, ty, i->nres,
                                    region, i->nregion)
                   : ir_emit(b, i->op, arg, i->narg, ty, i->nres);
  n->at = i->at;
  for (uint32_t k = 0; k < i->nres; k++) {
    n->res[k]->name = i->res[k]->name;
    c->map[i->res[k]->id] = n->res[k];
  }
}

ir_inst *vec_clone(vloop *l, ir_inst *f) {
  copy c = {.m = l->m, .a = l->a, .n = l->m->nvalue};
  c.map = ARENA_ARR(l->a, ir_value *, c.n + 1);
  ir_builder b = pass_before(l->m, f);
  copy_inst(&c, &b, f);
  return f->prev;
}

/* ---- branches ---- */
static bool harmless(const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next)
    if (i->op != OP_YIELD && !pass_free(i)) return false;
  return true;
}

/* The puts in r that make v, last first; gives what they start from. */
static ir_value *puts_of(ir_value *v, const ir_block *r, ir_inst **put,
                         uint32_t *n) {
  *n = 0;
  while (v->def && v->def->op == OP_PUT && v->def->block == r && *n < PUTS) {
    put[(*n)++] = v->def;
    v = pass_alias(v->def->arg[0]);
  }
  return v;
}

static ir_value *put_where(ir_builder *b, ir_value *cond, bool when,
                           ir_value *into, ir_inst **put, uint32_t n) {
  while (n--) {
    ir_inst *p = put[n];
    ir_value *off = pass_alias(p->arg[2]), *part = pass_alias(p->arg[1]);
    ir_value *was =
        ir_get(b, into, off, p->at.off, p->at.dim, p->at.ndim);
    ir_value *now = when ? ir_select(b, cond, part, was)
                         : ir_select(b, cond, was, part);
    into = ir_put(b, into, now, off, p->at.off, p->at.dim, p->at.ndim);
  }
  return into;
}

static void splice(ir_inst *at, ir_block *r) {
  ir_inst *y = pass_yield(r);
  for (ir_inst *i = r->first, *next; i != y; i = next) {
    next = i->next;
    ir_remove(i);
    ir_insert_before(at, i);
  }
}

typedef struct branch {
  ir_value *then, *other, *base; /* base: both put to it, or NULL */
  ir_inst *put[2][PUTS];
  uint32_t n[2];
} branch;

static void flatten_if(vloop *l, ir_inst *i) {
  ir_value *cond = i->arg[0];
  branch *br = ARENA_ARR(l->a, branch, i->nres + 1);
  for (uint32_t k = 0; k < i->nres; k++) {
    branch *x = &br[k];
    x->then = pass_yield(i->region[0])->arg[k];
    x->other = pass_yield(i->region[1])->arg[k];
    ir_value *b0 = puts_of(x->then, i->region[0], x->put[0], &x->n[0]);
    ir_value *b1 = puts_of(x->other, i->region[1], x->put[1], &x->n[1]);
    if (b0 == b1 && x->n[0] + x->n[1]) x->base = b0;
  }
  splice(i, i->region[0]);
  splice(i, i->region[1]);
  ir_builder b = pass_before(l->m, i);
  for (uint32_t k = 0; k < i->nres; k++) {
    branch *x = &br[k];
    ir_value *v = x->base;
    if (v) {
      v = put_where(&b, cond, true, v, x->put[0], x->n[0]);
      v = put_where(&b, cond, false, v, x->put[1], x->n[1]);
    } else {
      v = x->then == x->other ? x->then
                              : ir_select(&b, cond, x->then, x->other);
    }
    pass_replace(i->res[k], v);
  }
  ir_remove(i);
}

void vec_flatten(vloop *l, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    pass_resolve(i);
    for (uint32_t r = 0; r < i->nregion; r++) vec_flatten(l, i->region[r]);
    if (i->op == OP_IF && harmless(i->region[0]) && harmless(i->region[1]))
      flatten_if(l, i);
  }
}

/* ---- dead steps ---- */
static void drop_uses(vloop *l, const ir_inst *i) {
  for (uint32_t k = 0; k < i->narg; k++) {
    vinfo *x = vec_info(l, i->arg[k]);
    if (x) x->uses--;
  }
  for (uint32_t r = 0; r < i->nregion; r++)
    for (const ir_inst *j = i->region[r]->first; j; j = j->next)
      drop_uses(l, j);
}

void vec_prune(vloop *l) {
  for (ir_inst *i = l->body->last, *prev; i; i = prev) {
    prev = i->prev;
    if (i->op == OP_YIELD) continue;
    if (pass_has(i) & (HAS_OPEN | HAS_CHECK | HAS_DEC | HAS_TELL | HAS_EDGE))
      continue;
    uint32_t used = 0;
    for (uint32_t k = 0; k < i->nres; k++)
      used += vec_info(l, i->res[k])->uses;
    if (used) continue;
    drop_uses(l, i);
    ir_remove(i);
  }
}
