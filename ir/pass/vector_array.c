/* Carried arrays: which places a turn reads and writes, and the carried values
 * that fixed places turn into.
 */
#include <string.h>

#include "ir/pass/vector.h"

/* ---- finding the accesses ---- */
static void fail(vloop *l, uint32_t chain) {
  if (chain) l->carry[chain - 1].failed = true;
}

static uint32_t chain_of(const vloop *l, const ir_value *v) {
  const vinfo *x = vec_info(l, v);
  return x ? x->chain : 0;
}

static void record(vloop *l, ir_inst *i, uint32_t chain) {
  vcarry *c = &l->carry[chain - 1];
  const ir_value *off = i->op == OP_VIEW  ? NULL
                        : i->op == OP_GET ? i->arg[1]
                                          : i->arg[2];
  vaccess *x = ARENA_NEW(l->a, vaccess);
  x->i = i;
  x->put = i->op == OP_PUT;
  x->pos = vec_info(l, i->arg[0])->pos;
  if (off)
    vec_affine(l, (ir_value *)off, &x->at);
  else
    x->at.ok = true;
  if (__builtin_add_overflow(x->at.c, i->at.off, &x->at.c) ||
      i->at.ndim > VEC_DIMS || !x->at.ok || c->access.n >= VEC_ACCESS) {
    c->failed = true;
    return;
  }
  memcpy(x->d, i->at.dim, i->at.ndim * sizeof *x->d);
  x->nd = pass_dims_tidy(x->d, i->at.ndim);
  vec_push(l->a, &c->access, x);
  vec_inst(i)->access = x;
  if (!x->put) return;
  vinfo *r = vec_info(l, i->res[0]);
  r->chain = chain;
  r->pos = x->pos + 1;
}

static void scan_nested(vloop *l, const ir_inst *i) {
  for (uint32_t k = 0; k < i->narg; k++) fail(l, chain_of(l, i->arg[k]));
  for (uint32_t r = 0; r < i->nregion; r++)
    for (const ir_inst *j = i->region[r]->first; j; j = j->next)
      scan_nested(l, j);
}

static bool same_group(const vaccess *x, const vaccess *y) {
  return x->nd == y->nd && vec_same_form(&x->at, &y->at) &&
         !memcmp(x->d, y->d, x->nd * sizeof *x->d);
}

/* Groups: accesses of one place.  A get that follows a put of its group in the
 * same turn takes what was put. */
static void group(vcarry *c) {
  for (size_t k = 0; k < c->access.n; k++) {
    vaccess *x = c->access.p[k];
    x->group = (uint32_t)k;
    for (size_t j = 0; j < k; j++) {
      vaccess *y = c->access.p[j];
      if (!same_group(x, y)) continue;
      x->group = y->group;
      if (!x->put && y->put && y->pos < x->pos) x->forward = y->i->arg[1];
    }
  }
}

void vec_arrays(vloop *l) {
  uint32_t *top = ARENA_ARR(l->a, uint32_t, l->ncarry + 1);
  for (uint32_t k = 0; k < l->ncarry; k++) {
    bool known = l->carry[k].kind != CARRY_TURNS;
    vec_info(l, l->carry[k].param)->chain = known ? 0 : k + 1;
    l->carry[k].failed = known;
  }
  for (ir_inst *i = l->body->first; i; i = i->next) {
    uint32_t c = i->narg && i->op != OP_YIELD ? chain_of(l, i->arg[0]) : 0;
    uint32_t from = 0;
    bool moves = i->op == OP_GET || i->op == OP_VIEW || i->op == OP_PUT;
    if (c && moves && !l->carry[c - 1].failed) {
      if (i->op == OP_PUT && vec_info(l, i->arg[0])->pos != top[c - 1])
        fail(l, c);
      else
        record(l, i, c);
      if (i->op == OP_PUT) top[c - 1]++;
      from = 1;
    }
    if (i->op == OP_YIELD) {
      for (uint32_t k = 0; k < i->narg; k++) {
        uint32_t y = chain_of(l, i->arg[k]);
        if (y && y != k + 1) fail(l, y);
        if (y != k + 1 || vec_info(l, i->arg[k])->pos != top[k])
          l->carry[k].failed = true;
      }
      continue;
    }
    for (uint32_t k = from; k < i->narg; k++) fail(l, chain_of(l, i->arg[k]));
    for (uint32_t r = 0; r < i->nregion; r++)
      for (ir_inst *j = i->region[r]->first; j; j = j->next) scan_nested(l, j);
  }
  for (uint32_t k = 0; k < l->ncarry; k++)
    if (!l->carry[k].failed) group(&l->carry[k]);
}

/* ---- fixed places ---- */
/* May the place of x be read before the loop and written behind it? */
static bool fixed(vloop *l, const vcarry *c, const vaccess *x) {
  bool any_put = false;
  for (uint32_t j = 0; j < x->at.n; j++)
    if (vec_info(l, x->at.t[j].v)) return false;
  for (size_t k = 0; k < c->access.n; k++) {
    const vaccess *y = c->access.p[k];
    if (y->group == x->group) {
      any_put |= y->put;
      if (l->checks && pass_guarded(y->i)) return false;
      if (!vec_fits(l, y->i, &y->at)) return false; /* a check has failed */
    } else if (!vec_apart(l, x, y)) {
      return false;
    }
  }
  return any_put;
}

/* The loop with one more carried value, whose parameter is given back; its
 * yield is filled in by the caller. */
static ir_inst *add_carry(vloop *l, ir_value *init, ir_type res,
                          ir_value **param) {
  ir_inst *f = l->f, *y = pass_yield(l->body);
  ir_module *m = l->m;
  ir_value **arg = ARENA_ARR(l->a, ir_value *, f->narg + 1);
  ir_type *ty = ARENA_ARR(l->a, ir_type, f->nres + 1);
  memcpy(arg, f->arg, f->narg * sizeof *arg);
  arg[f->narg] = init;
  for (uint32_t k = 0; k < f->nres; k++) ty[k] = f->res[k]->ty;
  ty[f->nres] = res;
  *param = ir_param(m, l->body, init->ty, NULL);
  ir_builder b = pass_before(m, f);
  ir_inst *g = ir_region_inst(&b, OP_FOR, arg, f->narg + 1, ty, f->nres + 1,
                              f->region, 1);
  for (uint32_t k = 0; k < f->nres; k++) pass_replace(f->res[k], g->res[k]);
  ir_remove(f);
  y->arg = arena_grow(m->a, y->arg, y->narg, y->narg + 1, sizeof *y->arg);
  y->narg++;
  return l->f = g;
}

static ir_value *read_place(vloop *l, ir_builder *b, ir_value *array,
                            const vaccess *x) {
  int64_t c;
  ir_value *off = vec_base(l, b, &x->at, &c);
  ir_dim d[VEC_DIMS] = {{1, 1}};
  uint32_t nd = x->nd ? x->nd : 1;
  if (x->nd) memcpy(d, x->d, x->nd * sizeof *d);
  return off ? ir_get(b, array, off, c, d, nd) : ir_view(b, array, c, d, nd);
}

static void promote(vloop *l, uint32_t k, const vaccess *x) {
  ir_inst *old = l->f;
  ir_builder b = pass_before(l->m, old);
  vcarry *c = &l->carry[k];
  ir_value *init = read_place(l, &b, c->init, x), *param;
  ir_type res = init->ty;
  res.range = old->res[k]->ty.range;
  ir_inst *f = add_carry(l, init, res, &param);
  param->ty.range = c->param->ty.range;
  ir_value *now = param;
  for (size_t j = 0; j < c->access.n; j++) {
    vaccess *y = c->access.p[j];
    if (y->group != x->group) continue;
    if (y->put) now = pass_alias(y->i->arg[1]);
    ir_value *as = y->put       ? pass_alias(y->i->arg[0])
                   : y->forward ? pass_alias(y->forward)
                                : param; /* the array as it was before */
    pass_replace(y->i->res[0], as);
    ir_remove(y->i);
  }
  pass_yield(l->body)->arg[f->nres - 1] = now;
  pass_resolve_block(l->body);
  /* write the place once, behind the loop */
  b = pass_before(l->m, f);
  int64_t at;
  ir_value *off = vec_base(l, &b, &x->at, &at);
  if (!off) off = ir_const_si(&b, DOM_Z, 0, 1);
  ir_dim d[VEC_DIMS] = {{1, 1}};
  if (x->nd) memcpy(d, x->d, x->nd * sizeof *d);
  b = pass_after(l->m, f);
  ir_value *put = ir_put(&b, f->res[k], f->res[f->nres - 1], off, at, d,
                         x->nd ? x->nd : 1);
  put->ty.range = res.range;
  old->res[k]->tmp = put;
}

bool vec_promote(vloop *l) {
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vcarry *c = &l->carry[k];
    if (c->failed || !c->access.n) continue;
    for (size_t j = 0; j < c->access.n; j++) {
      vaccess *x = c->access.p[j];
      if (x->put && fixed(l, c, x)) {
        promote(l, k, x);
        return true;
      }
    }
  }
  return false;
}
