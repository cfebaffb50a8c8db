/* Writing a planned loop as lanes, right before it.
 *
 * A value of L lanes a turn becomes one of trip * L, turn by turn; a uniform
 * one stays as it is and is widened by a view of stride 0 where lanes of it are
 * wanted.  Checks and what their conditions need come first, then the rest in
 * program order.  A sequential remainder reads its lanes back by get.
 */
#include <string.h>

#include "ir/pass/vector.h"

static void write_block(vloop *l, ir_builder *b, ir_block *from);

static bool is_lanes(const vloop *l, const ir_value *v) {
  return vec_class(l, v) == CL_LANES;
}

static ir_value *uni(const vloop *l, ir_value *v) {
  vinfo *x = vec_info(l, v);
  return x ? x->uni : v;
}

/* v, L lanes a turn, in trip * L lanes. */
static ir_value *wide(vloop *l, ir_builder *b, ir_value *v, uint64_t lanes) {
  bool each = is_lanes(l, v), one = v->ty.lanes == 1;
  ir_value *x = each ? vec_info(l, v)->vec : uni(l, v);
  if (each && v->ty.lanes == lanes) return x;
  ir_dim d[2] = {{l->trip, each ? (int64_t)v->ty.lanes : 0}, {lanes, !one}};
  return pass_view(b, x, 0, d, 2);
}

/* As wide, but a uniform scalar may stay one: it meets any lanes. */
static ir_value *operand(vloop *l, ir_builder *b, ir_value *v,
                         uint64_t lanes) {
  if (!is_lanes(l, v) && v->ty.lanes == 1) return uni(l, v);
  return wide(l, b, v, lanes);
}

static void set_lanes(vloop *l, ir_builder *b, const ir_value *v,
                      ir_value *vec) {
  vec = pass_fit(b, vec, v->ty.range); /* it holds for every turn */
  if (!vec->name) vec->name = v->name;
  vec_info(l, v)->vec = vec;
}

/* ---- places ---- */
static uint32_t with_turns(const vloop *l, ir_dim *out, int64_t stride,
                           const ir_inst *i) {
  out[0] = (ir_dim){l->trip, stride};
  if (i->at.ndim) memcpy(out + 1, i->at.dim, i->at.ndim * sizeof *out);
  return pass_dims_tidy(out, i->at.ndim + 1);
}

/* The offset of a get, put or view, with its attribute; false if its lanes are
 * no affine ones. */
static bool offset_of(vloop *l, const ir_inst *i, affine *a) {
  ir_value *off = i->op == OP_GET ? i->arg[1] : i->op == OP_PUT ? i->arg[2]
                                                                : NULL;
  *a = (affine){.ok = true};
  if (off) vec_affine(l, off, a);
  for (uint32_t k = 0; k < a->n; k++)
    if (a->t[k].v != l->iv && is_lanes(l, a->t[k].v)) return false;
  return a->ok && !__builtin_add_overflow(a->c, i->at.off, &a->c);
}

/* Lane numbers of the places of i within one turn, for all turns. */
static ir_value *pattern(vloop *l, ir_builder *b, const ir_inst *i) {
  ir_value *sum = NULL;
  for (uint32_t k = 0; k < i->at.ndim; k++) {
    if (i->at.dim[k].n == 1 || i->at.dim[k].stride == 0) continue;
    ir_dim d[VEC_DIMS + 2];
    d[0] = (ir_dim){l->trip, 0};
    for (uint32_t j = 0; j < i->at.ndim; j++)
      d[j + 1] = (ir_dim){i->at.dim[j].n, j == k};
    ir_value *x =
        pass_view(b, ir_iota(b, i->at.dim[k].n), 0, d, i->at.ndim + 1);
    x = ir_op2(b, OP_MUL, x, ir_const_si(b, DOM_Z, i->at.dim[k].stride, 1));
    sum = sum ? ir_op2(b, OP_ADD, sum, x) : x;
  }
  return sum;
}

static ir_value *turns_times(vloop *l, ir_builder *b, uint64_t lanes,
                             uint64_t times) {
  ir_dim d[2] = {{l->trip, 1}, {lanes, 0}};
  ir_value *x = pass_view(b, ir_iota(b, l->trip), 0, d, 2);
  return ir_op2(b, OP_MUL, x, ir_const_si(b, DOM_Z, (int64_t)times, 1));
}

/* A get whose offset is no affine form of the index. */
static ir_value *gathered(vloop *l, ir_builder *b, ir_inst *i, ir_value *src,
                          bool each) {
  uint64_t n = i->res[0]->ty.lanes;
  ir_value *idx = wide(l, b, i->arg[1], n), *p = pattern(l, b, i);
  if (p) idx = ir_op2(b, OP_ADD, idx, p);
  if (i->at.off)
    idx = ir_op2(b, OP_ADD, idx, ir_const_si(b, DOM_Z, i->at.off, 1));
  if (each)
    idx = ir_op2(b, OP_ADD, idx,
                 turns_times(l, b, n, i->arg[0]->ty.lanes));
  return ir_gather(b, src, idx);
}

static void write_get(vloop *l, ir_builder *b, ir_inst *i) {
  vaccess *x = vec_inst(i)->access;
  vcarry *c = x ? &l->carry[vec_info(l, i->arg[0])->chain - 1] : NULL;
  bool array = c && c->kind == CARRY_ARRAY;
  if (array && x->forward) {
    set_lanes(l, b, i->res[0],
              wide(l, b, x->forward, i->res[0]->ty.lanes));
    return;
  }
  bool each = !array && is_lanes(l, i->arg[0]);
  ir_value *src = array  ? c->init
                  : each ? vec_info(l, i->arg[0])->vec
                         : uni(l, i->arg[0]);
  affine a;
  if (!offset_of(l, i, &a)) {
    set_lanes(l, b, i->res[0], gathered(l, b, i, src, each));
    return;
  }
  ir_dim d[VEC_DIMS + 1];
  int64_t at, s = vec_coef(&a, l->iv);
  if (each) s += (int64_t)i->arg[0]->ty.lanes;
  uint32_t nd = with_turns(l, d, s, i);
  ir_value *off = vec_base(l, b, &a, &at);
  set_lanes(l, b, i->res[0], off ? ir_get(b, src, off, at, d, nd)
                              : ir_view(b, src, at, d, nd));
}

static ir_value *put_lanes(vloop *l, ir_builder *b, ir_inst *i, ir_value *into,
                           int64_t stride) {
  affine a;
  ir_dim d[VEC_DIMS + 1];
  int64_t at;
  offset_of(l, i, &a);
  uint32_t nd = with_turns(l, d, vec_coef(&a, l->iv) + stride, i);
  ir_value *off = vec_base(l, b, &a, &at);
  if (!off) off = ir_const_si(b, DOM_Z, 0, 1);
  ir_value *part = wide(l, b, i->arg[1], i->arg[1]->ty.lanes);
  ir_value *v = ir_put(b, into, part, off, at, d, nd);
  v->ty.range = i->res[0]->ty.range;
  return v;
}

static void write_concat(vloop *l, ir_builder *b, ir_inst *i) {
  uint64_t all = i->res[0]->ty.lanes, first = i->arg[0]->ty.lanes, at = 0;
  ir_value **x = ARENA_ARR(l->a, ir_value *, i->narg);
  bool even = true;
  for (uint32_t k = 0; k < i->narg; k++) {
    x[k] = wide(l, b, i->arg[k], i->arg[k]->ty.lanes);
    even &= i->arg[k]->ty.lanes == first;
  }
  if (even) { /* turn by turn out of operand by operand */
    ir_dim d[3] = {{l->trip, (int64_t)first},
                   {i->narg, (int64_t)(l->trip * first)},
                   {first, 1}};
    ir_value *v = pass_view(b, ir_concat(b, x, i->narg), 0, d, 3);
    set_lanes(l, b, i->res[0], v);
    return;
  }
  ir_value *v = ir_splat(b, pass_view(b, x[0], 0, &(ir_dim){1, 1}, 1),
                         all * l->trip);
  for (uint32_t k = 0; k < i->narg; at += i->arg[k++]->ty.lanes) {
    ir_dim d[2] = {{l->trip, (int64_t)all}, {i->arg[k]->ty.lanes, 1}};
    v = ir_put(b, v, x[k], ir_const_si(b, DOM_Z, 0, 1), (int64_t)at, d, 2);
  }
  set_lanes(l, b, i->res[0], v);
}

/* ---- other instructions ---- */
static void write_uniform(vloop *l, ir_builder *b, ir_inst *i) {
  ir_value **arg = ARENA_ARR(l->a, ir_value *, i->narg + 1);
  for (uint32_t k = 0; k < i->narg; k++) arg[k] = uni(l, i->arg[k]);
  ir_inst *c = pass_copy(b, i, arg);
  if (i->nres) {
    c->res[0]->name = i->res[0]->name;
    vec_info(l, i->res[0])->uni = c->res[0];
  }
}

static void write_steps(vloop *l, ir_builder *b, ir_inst *i) {
  uint64_t lanes = i->nres ? i->res[0]->ty.lanes : i->arg[0]->ty.lanes;
  if (ir_ops[i->op].rule == RULE_FOLD || ir_ops[i->op].rule == RULE_BITS)
    lanes = i->arg[0]->ty.lanes;
  ir_value *arg[3];
  for (uint32_t k = 0; k < i->narg; k++)
    arg[k] = k && i->arg[k] == i->arg[0] ? arg[0]
                                         : operand(l, b, i->arg[k], lanes);
  ir_type ty = {0};
  if (i->nres) {
    ty = i->res[0]->ty;
    ty.lanes *= l->trip;
  }
  ir_inst *c = ir_emit(b, i->op, arg, i->narg, &ty, i->nres);
  c->at = i->at;
  c->sp = i->sp;
  if (i->nres) set_lanes(l, b, i->res[0], c->res[0]);
}

static void write_inner(vloop *l, ir_builder *b, ir_inst *f) {
  ir_block *from = f->region[0], *to = ir_block_new(l->m);
  ir_value **arg = ARENA_ARR(l->a, ir_value *, f->narg);
  ir_type *ty = ARENA_ARR(l->a, ir_type, f->nres + 1);
  arg[0] = uni(l, f->arg[0]);
  vec_info(l, from->param[0])->uni =
      ir_param(l->m, to, from->param[0]->ty, from->param[0]->name);
  for (uint32_t k = 0; k < f->nres; k++) {
    ir_value *p = from->param[k + 1];
    bool each = is_lanes(l, p);
    ir_type in = p->ty;
    ty[k] = f->res[k]->ty;
    if (each) {
      in.lanes *= l->trip;
      ty[k].lanes *= l->trip;
    }
    arg[k + 1] = each ? wide(l, b, f->arg[k + 1], p->ty.lanes)
                      : uni(l, f->arg[k + 1]);
    ir_value *q = ir_param(l->m, to, in, p->name);
    *(each ? &vec_info(l, p)->vec : &vec_info(l, p)->uni) = q;
  }
  ir_builder in = {l->m, to, NULL, f->sp};
  write_block(l, &in, from);
  ir_value **y = ARENA_ARR(l->a, ir_value *, f->nres + 1);
  for (uint32_t k = 0; k < f->nres; k++) {
    ir_value *v = pass_yield(from)->arg[k];
    y[k] = is_lanes(l, from->param[k + 1])
               ? wide(l, &in, v, from->param[k + 1]->ty.lanes)
               : uni(l, v);
  }
  ir_yield(&in, y, f->nres);
  ir_inst *g = ir_region_inst(b, OP_FOR, arg, f->narg, ty, f->nres, &to, 1);
  for (uint32_t k = 0; k < f->nres; k++) {
    vinfo *r = vec_info(l, f->res[k]);
    *(is_lanes(l, f->res[k]) ? &r->vec : &r->uni) = g->res[k];
  }
}

static void write_inst(vloop *l, ir_builder *b, ir_inst *i) {
  vinst *n = vec_inst(i);
  n->done = true;
  b->sp = i->sp;
  if (i->op == OP_FOR) {
    write_inner(l, b, i);
  } else if (n->cls == CL_UNIFORM) {
    write_uniform(l, b, i);
  } else if (i->op == OP_GET || i->op == OP_VIEW) {
    write_get(l, b, i);
  } else if (i->op == OP_PUT) {
    ir_value *into = wide(l, b, i->arg[0], i->arg[0]->ty.lanes);
    set_lanes(l, b, i->res[0],
              put_lanes(l, b, i, into, (int64_t)i->arg[0]->ty.lanes));
  } else if (i->op == OP_GATHER) {
    uint64_t n_idx = i->arg[1]->ty.lanes;
    bool each = is_lanes(l, i->arg[0]);
    ir_value *idx = wide(l, b, i->arg[1], n_idx);
    if (each)
      idx = ir_op2(b, OP_ADD, idx,
                   turns_times(l, b, n_idx,
                               i->arg[0]->ty.lanes / i->at.inner));
    ir_value *src = each ? vec_info(l, i->arg[0])->vec : uni(l, i->arg[0]);
    set_lanes(l, b, i->res[0], ir_gather_rows(b, src, idx, i->at.inner));
  } else if (i->op == OP_CONCAT) {
    write_concat(l, b, i);
  } else {
    write_steps(l, b, i);
  }
}

static void write_block(vloop *l, ir_builder *b, ir_block *from) {
  for (ir_inst *i = from->first; i; i = i->next)
    if (i->op != OP_YIELD) write_inst(l, b, i);
}

/* ---- checks first ---- */
static void need(vloop *l, const ir_value *v) {
  vinfo *x = vec_info(l, v);
  if (x) x->need = true;
}

static void need_args(vloop *l, const ir_inst *i) {
  const vaccess *x = vec_inst(i)->access;
  for (uint32_t k = x != NULL; k < i->narg; k++) need(l, i->arg[k]);
  if (x && x->forward) need(l, x->forward);
  for (uint32_t r = 0; r < i->nregion; r++)
    for (const ir_inst *j = i->region[r]->first; j; j = j->next)
      need_args(l, j);
}

static bool stays(const ir_inst *i) {
  const vinst *n = i->tmp;
  return i->op == OP_YIELD || n->cls == CL_TURNS || n->absorbed;
}

/* More than one check: the first to fail in program order is the one to
 * report, so a loop tests turn by turn. */
static void write_check_loop(vloop *l, ir_builder *b) {
  ir_value *trip = l->f->arg[0];
  ir_block *body = ir_block_new(l->m);
  ir_value *t = ir_param(l->m, body, l->iv->ty, l->iv->name);
  ir_builder in = {l->m, body, NULL, l->f->sp};
  for (ir_inst *i = l->body->first; i; i = i->next) {
    if (i->op != OP_CHECK || stays(i)) continue;
    ir_value *c = i->arg[0];
    in.sp = i->sp;
    if (is_lanes(l, c)) {
      ir_dim d = {c->ty.lanes, 1};
      ir_value *at = t;
      if (c->ty.lanes > 1)
        at = ir_op2(&in, OP_MUL, t,
                    ir_const_si(&in, DOM_Z, (int64_t)c->ty.lanes, 1));
      c = ir_get(&in, vec_info(l, c)->vec, at, 0, &d, 1);
    } else {
      c = uni(l, c);
    }
    ir_emit(&in, OP_CHECK, &c, 1, NULL, 0)->at = i->at;
    vec_inst(i)->done = true;
  }
  ir_yield(&in, NULL, 0);
  ir_region_inst(b, OP_FOR, &trip, 1, NULL, 0, &body, 1);
}

static void write_checks(vloop *l, ir_builder *b) {
  uint32_t checks = 0;
  for (ir_inst *i = l->body->last; i; i = i->prev) {
    if (stays(i)) continue;
    bool wanted = i->op == OP_CHECK;
    checks += wanted;
    for (uint32_t k = 0; k < i->nres; k++)
      wanted |= vec_info(l, i->res[k])->need;
    if (wanted) need_args(l, i);
  }
  if (!checks) return;
  for (ir_inst *i = l->body->first; i; i = i->next) {
    if (stays(i)) continue;
    bool wanted = i->op == OP_CHECK && checks == 1;
    for (uint32_t k = 0; k < i->nres; k++)
      wanted |= vec_info(l, i->res[k])->need;
    if (wanted) write_inst(l, b, i);
  }
  if (checks > 1) write_check_loop(l, b);
}

/* ---- results ---- */
/* x where all masks of t let it count, else the neutral constant. */
static ir_value *masked(vloop *l, ir_builder *b, const vterm *t, uint64_t lanes,
                        int neutral) {
  ir_value *x = wide(l, b, t->v, lanes);
  for (const vmask *m = t->mask; m; m = m->up) {
    ir_value *c = operand(l, b, m->cond, lanes);
    ir_value *e = ir_const_si(b, x->ty.dom, neutral, 1);
    x = m->when ? ir_select(b, c, x, e) : ir_select(b, c, e, x);
  }
  return x;
}

/* Folds trip * lanes into lanes. */
static ir_value *over_turns(vloop *l, ir_builder *b, ir_op op, ir_value *x,
                            uint64_t lanes) {
  ir_dim d[2] = {{lanes, 1}, {l->trip, (int64_t)lanes}};
  return ir_fold(b, op, lanes == 1 ? x : pass_view(b, x, 0, d, 2), l->trip);
}

static ir_value *reduced(vloop *l, ir_builder *b, const vcarry *c) {
  uint64_t lanes = c->param->ty.lanes;
  bool sum = c->kind == CARRY_SUM;
  ir_value *every = NULL, *same = NULL, *total = c->init;
  for (size_t k = 0; k < c->term.n; k++) {
    const vterm *t = &c->term.p[k];
    bool fixed = sum && !is_lanes(l, t->v) && !t->mask;
    ir_value *x = fixed ? uni(l, t->v) : masked(l, b, t, lanes, !sum);
    ir_value **into = fixed ? &same : &every;
    if (*into)
      *into = ir_op2(b, !sum ? OP_MUL : t->neg ? OP_SUB : OP_ADD, *into, x);
    else
      *into = t->neg ? ir_op1(b, OP_NEG, x) : x;
  }
  if (every) {
    ir_op fold = sum ? OP_SUM : OP_PROD;
    total = ir_op2(b, sum ? OP_ADD : OP_MUL, total,
                   over_turns(l, b, fold, every, lanes));
  }
  if (same)
    total = ir_op2(b, OP_ADD, total,
                   ir_op2(b, OP_MUL, same,
                          ir_const_si(b, same->ty.dom, (int64_t)l->trip, 1)));
  return total;
}

static ir_value *result(vloop *l, ir_builder *b, const vcarry *c) {
  uint64_t lanes = c->param->ty.lanes;
  ir_dim d = {lanes, 1};
  switch (c->kind) {
  case CARRY_SUM:
  case CARRY_PROD: return reduced(l, b, c);
  case CARRY_ARRAY: return c->state;
  case CARRY_LAST:
    return is_lanes(l, c->yield)
               ? pass_view(b, wide(l, b, c->yield, lanes),
                           (int64_t)((l->trip - 1) * lanes), &d, 1)
               : uni(l, c->yield);
  case CARRY_INDUCT:
    return ir_op2(b, OP_ADD, c->init,
                  ir_op2(b, OP_MUL, c->step,
                         ir_const_si(b, DOM_Z, (int64_t)l->trip, 1)));
  default: return c->init;
  }
}

static void open_params(vloop *l, ir_builder *b) {
  ir_value *turns = ir_iota(b, l->trip);
  vec_info(l, l->iv)->vec = turns;
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vcarry *c = &l->carry[k];
    vinfo *p = vec_info(l, c->param);
    p->uni = c->init;
    c->state = c->init;
    if (c->kind != CARRY_INDUCT) continue;
    ir_value *v = ir_op2(b, OP_ADD, c->init, ir_op2(b, OP_MUL, c->step, turns));
    p->vec = pass_fit(b, v, c->param->ty.range);
  }
}

/* ---- the sequential remainder ---- */
static bool moved(const ir_inst *i) {
  return (i->op == OP_OPEN || i->op == OP_DEC || i->op == OP_CHECK) &&
         vec_inst(i)->cls != CL_TURNS;
}

static ir_value *read_back(vloop *l, ir_value *v) {
  vinfo *x = vec_info(l, v);
  if (x->back) return x->back;
  if (x->cls == CL_UNIFORM) return x->back = x->uni;
  ir_builder b = {l->m, l->body, l->body->first, l->f->sp};
  ir_dim d = {v->ty.lanes, 1};
  ir_value *at = l->iv;
  if (v->ty.lanes > 1)
    at = ir_op2(&b, OP_MUL, at,
                ir_const_si(&b, DOM_Z, (int64_t)v->ty.lanes, 1));
  return x->back = ir_get(&b, x->vec, at, 0, &d, 1);
}

static void read_args(vloop *l, ir_inst *i, bool turns) {
  for (uint32_t k = 0; k < i->narg; k++) {
    vinfo *x = vec_info(l, i->arg[k]);
    if (!x || x->cls == CL_TURNS || !(x->vec || x->uni)) continue;
    const ir_inst *d = i->arg[k]->def;
    if (d && ((turns && x->dep_inter) || moved(d)))
      i->arg[k] = read_back(l, i->arg[k]);
  }
  for (uint32_t r = 0; r < i->nregion; r++)
    for (ir_inst *j = i->region[r]->first; j; j = j->next)
      read_args(l, j, turns);
}

static void keep_remainder(vloop *l) {
  ir_inst *first = l->body->first; /* gets go before it, once */
  for (ir_inst *i = first; i; i = i->next)
    read_args(l, i, i->op == OP_YIELD || vec_inst(i)->cls == CL_TURNS);
  for (ir_inst *i = first, *next; i; i = next) {
    next = i->next;
    if (i->op != OP_YIELD && moved(i)) ir_remove(i);
  }
}

void vec_emit(vloop *l) {
  ir_builder b = pass_before(l->m, l->f);
  open_params(l, &b);
  write_checks(l, &b);
  for (ir_inst *i = l->body->first; i; i = i->next) {
    if (i->op == OP_YIELD) continue;
    vinst *n = vec_inst(i);
    if (n->absorbed && i->op == OP_PUT) {
      vcarry *c = &l->carry[vec_info(l, i->arg[0])->chain - 1];
      c->state = put_lanes(l, &b, i, c->state, 0);
    } else if (!stays(i) && !n->done) {
      write_inst(l, &b, i);
    }
  }
  b.sp = l->f->sp;
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vcarry *c = &l->carry[k];
    if (c->kind == CARRY_TURNS) continue;
    ir_value *v = result(l, &b, c);
    pass_replace(c->res, pass_fit(&b, v, c->res->ty.range));
  }
  if (l->split)
    keep_remainder(l);
  else
    ir_remove(l->f);
}
