/* Expressions to values. */
#include <stdlib.h>
#include <string.h>

#include "frontend/lower.h"

const ty *type_at(lo *l, const node *n) {
  const ninfo *i = info_of(l->fr->in, n);
  return i && i->t ? i->t : l->u->ts->unit;
}

uint32_t field_at(const ty *t, const char *name) {
  const ty *e = ty_elem(t);
  if (e->kind != T_STRUCT) return (uint32_t)strtoul(name, NULL, 10);
  for (uint32_t i = 0; i < e->nelem; i++)
    if (!strcmp(e->fname[i], name)) return i;
  return 0;
}

/* A constant: its expression once more; equal values meet again in cse. */
static lv lower_const(lo *l, const sym *s) {
  if (ty_is_scalar(s->ct) && s->ct->kind != T_FIELD && ival_single(s->ct->iv))
    return lv_const(l, s->ct);
  lframe f = {.in = s->cinst}, *up = l->fr;
  f.env = ARENA_ARR(l->a, lv, s->nlocal + 2 + 64 + 1);
  f.mark = ARENA_ARR(l->a, slotmark, s->nlocal + 2 + 64 + 1);
  l->fr = &f;
  const node *e = s->decl->kid[s->decl->kind == N_CONST_];
  lv v = coerce(l, lower_expr(l, e), s->cinst->want);
  l->fr = up;
  return v;
}

static lv lower_name(lo *l, const node *n) {
  const res *r = &l->u->res[n->id];
  if (r->kind == R_LOCAL) return l->fr->env[r->idx];
  if (r->kind == R_CONST) return lower_const(l, r->p);
  return lv_const(l, type_at(l, n)); /* a size parameter */
}

static lv lower_tuple(lo *l, const node *n) {
  const ty **e = ARENA_ARR(l->a, const ty *, n->nkid + 1);
  lv *v = ARENA_ARR(l->a, lv, n->nkid + 1);
  for (uint32_t i = 0; i < n->nkid; i++) {
    v[i] = lower_expr(l, n->kid[i]);
    e[i] = v[i].t;
  }
  lv r = lv_new(l, ty_tuple(l->u->ts, e, n->nkid));
  uint32_t at = 0;
  for (uint32_t i = 0; i < n->nkid; i++)
    for (uint32_t k = 0; k < v[i].t->nleaf; k++) r.leaf[at++] = v[i].leaf[k];
  return r;
}

static lv lower_struct(lo *l, const node *n) {
  const ninfo *ni = info_of(l->fr->in, n);
  const ty *d = ni->want;
  const ty **e = ARENA_ARR(l->a, const ty *, d->nelem + 1);
  lv *v = ARENA_ARR(l->a, lv, d->nelem + 1);
  for (uint32_t i = 0; i < n->nkid; i++) { /* in the order written */
    uint32_t k = field_at(d, n->kid[i]->text);
    v[k] = coerce(l, lower_expr(l, n->kid[i]->kid[0]), d->elem[k]);
    e[k] = v[k].t;
  }
  lv r = lv_new(l, ty_struct(l->u->ts, d->decl, d->name, d->fname, e,
                             d->nelem));
  uint32_t at = 0;
  for (uint32_t k = 0; k < d->nelem; k++)
    for (uint32_t i = 0; i < v[k].t->nleaf; i++) r.leaf[at++] = v[k].leaf[i];
  return r;
}

/* Constants side by side are one table; NULL if some part is none. */
static ir_value *table_of(lo *l, ir_value **part, uint32_t n) {
  mpz_srcptr *v = ARENA_ARR(l->a, mpz_srcptr, n);
  const ir_range *r = NULL;
  for (uint32_t i = 0; i < n; i++) {
    const ir_type *t = &part[i]->ty;
    if (t->lanes != 1 || t->dom != DOM_Z || !ir_is_const(part[i], &v[i]))
      return NULL;
    r = i ? ir_range_hull(l->m, r, t->range) : t->range;
  }
  ir_type t = ir_ty(DOM_Z, KIND_PUB, n, r);
  ir_inst *in = ir_emit(&l->b, OP_TABLE, NULL, 0, &t, 1);
  in->at.table = v;
  return in->res[0];
}

static lv lower_array(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  const ty *et = ty_with_dims(l->u->ts, t, t->dim + 1, t->ndim - 1);
  lv *v = ARENA_ARR(l->a, lv, n->nkid + 1);
  for (uint32_t i = 0; i < n->nkid; i++)
    v[i] = coerce(l, lower_expr(l, n->kid[i]), et);
  lv r = lv_new(l, t);
  ir_value **part = ARENA_ARR(l->a, ir_value *, n->nkid + 1);
  for (uint32_t k = 0; k < t->nleaf; k++) {
    for (uint32_t i = 0; i < n->nkid; i++) part[i] = v[i].leaf[k];
    ir_value *table = n->nkid > 1 ? table_of(l, part, n->nkid) : NULL;
    r.leaf[k] = table ? table : ir_concat(&l->b, part, n->nkid);
  }
  return r;
}

static lv lower_string(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  ir_value **part = ARENA_ARR(l->a, ir_value *, t->lanes + 1);
  for (uint64_t i = 0; i < t->lanes; i++)
    part[i] = z_si(l, (unsigned char)n->text[i]);
  lv r = lv_new(l, t);
  r.leaf[0] = t->lanes > 1 ? table_of(l, part, (uint32_t)t->lanes) : part[0];
  return r;
}

static lv lower_repeat(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  lv v = lower_expr(l, n->kid[0]);
  lv r = lv_new(l, ty_array(l->u->ts, v.t, t->dim, n->nkid - 1));
  for (uint32_t k = 0; k < v.t->nleaf; k++) {
    uint64_t have = v.leaf[k]->ty.lanes, want = leaf_lanes(r.t, k);
    ir_dim d[2] = {{want / have, 0}, {have, 1}};
    r.leaf[k] = ir_view(&l->b, v.leaf[k], 0, d, 2);
  }
  return r;
}

static lv lower_index(lo *l, const node *n) {
  const node *key[MAP_KEYS_MAX];
  const sym *map = map_entry(l->u, n, key);
  if (map) return lower_map(l, map, key);
  lv b = lower_expr(l, n->kid[0]);
  l->b.sp = n->sp;
  access x = access_whole(l, b.t);
  access_index(l, &x, n);
  return access_load(l, &x, &b);
}

static lv lower_field(lo *l, const node *n) {
  const res *r = &l->u->res[n->id];
  if (r->kind == R_CONST) return lower_const(l, r->p);
  lv b = lower_expr(l, n->kid[0]);
  uint32_t k = field_at(b.t, n->text), at = 0;
  const ty *e = ty_elem(b.t);
  for (uint32_t i = 0; i < k; i++) at += e->elem[i]->nleaf;
  const ty *t = b.t->kind == T_ARRAY ? ty_array(l->u->ts, e->elem[k],
                                                b.t->dim, b.t->ndim)
                                     : e->elem[k];
  return (lv){t, b.leaf + at};
}

/* ---- && and ||: the right side in a branch if it may fail or open ---- */

static bool has_call(const node *n) {
  while (n) {
    if (n->kind == N_CALL || n->kind == N_INDEX || n->kind == N_BLOCK ||
        n->kind == N_IF || n->kind == N_COMPR ||
        (n->kind == N_BINARY && (n->op == O_DIV || n->op == O_MOD)))
      return true;
    for (uint32_t i = 1; i < n->nkid; i++)
      if (has_call(n->kid[i])) return true;
    n = n->nkid ? n->kid[0] : NULL;
  }
  return false;
}

static lv thunk_expr(lo *l, const void *n) { return lower_expr(l, n); }
static lv thunk_true(lo *l, const void *n) {
  (void)n;
  return lv_const(l, ty_bool_known(l->u->ts, true));
}
static lv thunk_false(lo *l, const void *n) {
  (void)n;
  return lv_const(l, ty_bool_known(l->u->ts, false));
}

static lv short_circuit(lo *l, const node *n, lv x) {
  const node *rhs = n->kid[1];
  const ty *b = ty_bool(l->u->ts, LAB_PUB);
  if (n->op == O_ANDAND)
    return lower_branch(l, x.leaf[0], false, thunk_expr, thunk_false, rhs, b);
  return lower_branch(l, x.leaf[0], false, thunk_true, thunk_expr, rhs, b);
}

/* The right side; beside a secret `&&` or `||` it is always computed, but what
 * could fail in it counts only if the left side does not decide. */
static lv lower_beside(lo *l, const node *n, const node *left, lv x) {
  bool logic = n->op == O_ANDAND || n->op == O_OROR;
  if (!logic || !type_at(l, left)->sec || !has_call(n->kid[1]))
    return lower_expr(l, n->kid[1]);
  ir_value *c = x.leaf[0];
  ir_value *old = set_guard(l, n->op == O_ANDAND ? c : not_of(l, c));
  lv y = lower_expr(l, n->kid[1]);
  l->guard = old;
  return y;
}

static lv lower_binary(lo *l, const node *n) {
  VEC(const node *) spine = {0};
  const node *x = n;
  for (; x->kind == N_BINARY; x = x->kid[0]) vec_push(l->a, &spine, x);
  lv acc = lower_expr(l, x);
  for (size_t i = spine.n; i-- > 0 && !l->failed;) {
    const node *b = spine.p[i];
    l->work++;
    if ((b->op == O_ANDAND || b->op == O_OROR) &&
        !type_at(l, i + 1 < spine.n ? spine.p[i + 1] : x)->sec &&
        acc.leaf[0]->ty.dom == DOM_Z && !type_at(l, b->kid[1])->sec &&
        has_call(b->kid[1])) {
      acc = short_circuit(l, b, acc);
      continue;
    }
    lv y = lower_beside(l, b, i + 1 < spine.n ? spine.p[i + 1] : x, acc);
    if (l->failed) break;
    acc = binary(l, b, type_at(l, b), (node_op)b->op, acc, y);
  }
  return acc;
}

/* ---- calls ---- */

/* The result of a call with what the analysis knows of it: t. */
static lv known(lo *l, lv v, const ty *t) {
  if (v.t->nleaf != t->nleaf) return v;
  lv r = lv_new(l, v.t);
  for (uint32_t i = 0; i < t->nleaf; i++) {
    const ty *x = ty_leaf(t, i);
    ir_value *leaf = v.leaf[i];
    if (x->iv && ival_single(x->iv) && leaf->ty.dom == DOM_Z)
      r.leaf[i] = ir_const(&l->b, DOM_Z, x->iv->lo, leaf->ty.lanes);
    else
      r.leaf[i] = narrowed(l, leaf, x->iv);
  }
  return r;
}

static lv lower_call(lo *l, const node *n) {
  const node *c = n->kid[0];
  const res *r = &l->u->res[c->id];
  if (c->kind == N_TY_FIXED) return lower_builtin(l, n, B_FIXED);
  if (r->kind == R_BUILTIN) return lower_builtin(l, n, (builtin)r->idx);
  const ninfo *ni = info_of(l->fr->in, n);
  inst *in = ni->p;
  lv *arg = ARENA_ARR(l->a, lv, n->nkid + 1);
  for (uint32_t i = 1; i < n->nkid; i++) arg[i - 1] = lower_expr(l, n->kid[i]);
  lv v = lower_inst(l, in, arg, n->sp);
  return l->failed ? v : known(l, v, type_at(l, n));
}

lv lower_expr(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  span sp = l->b.sp;
  l->b.sp = n->sp;
  lv v;
  if (too_large(l)) {
    v = lv_zero(l, t);
    l->b.sp = sp;
    return v;
  }
  switch (n->kind) {
  case N_INT:
  case N_DECIMAL:
  case N_BOOL: v = lv_const(l, t); break;
  case N_NAME: v = lower_name(l, n); break;
  case N_UNARY: v = unary(l, n, lower_expr(l, n->kid[0])); break;
  case N_BINARY: v = lower_binary(l, n); break;
  case N_CALL: v = lower_call(l, n); break;
  case N_INDEX: v = lower_index(l, n); break;
  case N_FIELD: v = lower_field(l, n); break;
  case N_TUPLE: v = lower_tuple(l, n); break;
  case N_STRING: v = lower_string(l, n); break;
  case N_ARRAY: v = lower_array(l, n); break;
  case N_REPEAT: v = lower_repeat(l, n); break;
  case N_STRUCTLIT: v = lower_struct(l, n); break;
  case N_COMPR: v = lower_compr(l, n); break;
  case N_IF: v = lower_if(l, n); break;
  case N_BLOCK: lower_block(l, n, &v); break;
  default: v = lv_new(l, l->u->ts->unit);
  }
  l->b.sp = sp;
  return v;
}
