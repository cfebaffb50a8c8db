/* One side, as a module of its own: a copy of what is marked for it. */
#include <string.h>

#include "ir/cut_impl.h"
#include "ir/cut_clone.h"
#include "ir/pass/util.h"

ir_value *cut_copy(const cloner *k, const ir_value *v) {
  return cut_of(k->c, v)->copy;
}

const ir_range *cut_range(const cloner *k, const ir_range *r) {
  return r ? ir_range_get(k->m, r->lo, r->hi) : NULL;
}

ir_type cut_type(const cloner *k, ir_type ty) {
  ty.range = cut_range(k, ty.range);
  return ty;
}

void cut_set_copy(cloner *k, const ir_value *v, ir_value *copy) {
  cut_of(k->c, v)->copy = copy;
  if (v->name && !copy->name) copy->name = arena_strdup(k->m->a, v->name);
}

/* ---- leaves ---- */
/* The narrowest type that holds the range. */
static const char *type_name(arena *a, const ir_type *ty) {
  if (ty->dom == DOM_P) return "field";
  mpz_srcptr lo = ty->range->lo, hi = ty->range->hi;
  size_t bits = mpz_sizeinbase(hi, 2);
  if (mpz_sgn(lo) >= 0) return arena_printf(a, "u%zu", bits);
  if (mpz_sgn(hi) <= 0) bits = 0;
  mpz_t t;
  mpz_init(t);
  mpz_com(t, lo); /* -lo - 1 */
  size_t low = mpz_sgn(t) ? mpz_sizeinbase(t, 2) : 0;
  mpz_clear(t);
  return arena_printf(a, "i%zu", (low > bits ? low : bits) + 1);
}

static ir_type wire_type(const cloner *k, const cut_wire *w) {
  return ir_ty(w->v->ty.dom, KIND_PUB, w->lanes, cut_range(k, w->range));
}

static ir_leaf wire_leaf(const cloner *k, const cut_wire *w) {
  ir_type ty = wire_type(k, w);
  arena *a = k->c->a;
  return (ir_leaf){
      .name = w->name,
      .type = type_name(a, &ty),
      .shape = w->lanes == 1 ? "" : arena_printf(a, "[%llu]",
                                                 (unsigned long long)w->lanes),
      .top = w->name};
}

static void take_wires(cloner *k) {
  for (size_t j = 0; j < k->c->wires.n; j++) {
    cut_wire *w = k->c->wires.p[j];
    w->cur = NULL;
    if (!(w->to & k->side)) continue;
    ir_leaf leaf = wire_leaf(k, w);
    k->b.sp = w->v->def ? w->v->def->sp : (span){0, 0};
    w->cur = ir_input(&k->b, &leaf, wire_type(k, w));
    w->cur->name = w->v->name ? arena_strdup(k->m->a, w->v->name) : NULL;
    if (cut_is_top(k->c, w->v)) cut_set_copy(k, w->v, w->cur);
  }
}

static void give_wires(cloner *k) {
  for (size_t j = 0; j < k->c->wires.n; j++) {
    cut_wire *w = k->c->wires.p[j];
    if (w->from != k->side) continue;
    ir_leaf leaf = wire_leaf(k, w);
    k->b.sp = w->v->def ? w->v->def->sp : (span){0, 0};
    ir_output(&k->b, &leaf,
              cut_is_top(k->c, w->v) ? cut_copy(k, w->v) : w->cur);
  }
}

/* The leaf of an input, an output or a value told, into the module's table. */
static const char *copy_leaf(cloner *k, const ir_inst *i) {
  const ir_module *m = k->c->m;
  bool out = i->op != OP_INPUT;
  const ir_leaf *tab = out ? m->out : m->in;
  int at = ir_leaf_find(tab, out ? m->nout : m->nin, i->at.name);
  return ir_leaf_add(k->m, out, &tab[at])->name;
}

/* ---- instructions ---- */
static void copy_attrs(cloner *k, const ir_inst *i, ir_inst *copy) {
  arena *a = k->m->a;
  unsigned has = ir_op_attrs(i->op);
  copy->at = i->at;
  if (i->op == OP_INPUT || i->op == OP_OUTPUT || i->op == OP_TELL)
    copy->at.name = copy_leaf(k, i);
  else if (has & AT_NAME)
    copy->at.name = arena_strdup(a, i->at.name);
  if (has & AT_IMM) copy->at.imm = ir_mpz(k->m, i->at.imm);
  if (has & AT_MESSAGE) copy->at.message = arena_strdup(a, i->at.message);
  if (has & AT_DIMS && i->at.ndim) {
    ir_dim *d = ARENA_ARR(a, ir_dim, i->at.ndim);
    memcpy(d, i->at.dim, i->at.ndim * sizeof *d);
    copy->at.dim = d;
  }
  if (!(has & AT_TABLE)) return;
  uint64_t n = i->res[0]->ty.lanes;
  mpz_srcptr *t = ARENA_ARR(a, mpz_srcptr, n);
  for (uint64_t j = 0; j < n; j++) t[j] = ir_mpz(k->m, i->at.table[j]);
  copy->at.table = t;
}

static void copy_inst(cloner *k, const ir_inst *i) {
  if (i->op == OP_WROTE && k->side == CIRCUIT) {
    cut_of(k->c, i->res[0])->copy = cut_copy(k, i->arg[0]);
    return;
  }
  ir_value **arg = ARENA_ARR(k->c->a, ir_value *, i->narg + 1);
  ir_type ty = {0};
  for (uint32_t j = 0; j < i->narg; j++) arg[j] = cut_copy(k, i->arg[j]);
  if (i->nres) ty = cut_type(k, i->res[0]->ty);
  ir_inst *copy = ir_emit(&k->b, i->op, arg, i->narg, &ty, i->nres);
  copy_attrs(k, i, copy);
  if (i->nres) cut_set_copy(k, i->res[0], copy->res[0]);
}

void cut_copy_block(cloner *k, const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (!(cut_at(i)->made & k->side) || i->op == OP_YIELD) continue;
    k->b.sp = i->sp;
    if (i->nregion)
      cut_copy_region(k, i);
    else
      copy_inst(k, i);
  }
}

ir_module *cut_clone(cut *c, arena *a, uint8_t side) {
  ir_module *m = ir_module_over(a, c->m->name, c->m->p);
  m->src = c->m->src;
  cloner k = {.c = c, .m = m, .b = {.m = m, .b = m->body}, .side = side};
  for (uint32_t j = 0; j < c->m->nvalue; j++) c->val[j].copy = NULL;
  take_wires(&k);
  cut_copy_block(&k, c->m->body);
  give_wires(&k);
  ir_number(m);
  return m;
}
