/* Statements: `if`, loops, assignment.  A loop carries the slots that it
 * changes.
 */
#include <string.h>

#include "frontend/lower.h"

void set_env(lo *l, uint32_t slot, lv v) {
  ltrail t = {slot, l->fr->env[slot]};
  vec_push(l->a, &l->trail, t);
  l->fr->env[slot] = v;
}

void roll_back_env(lo *l, size_t mark) {
  while (l->trail.n > mark) {
    const ltrail *t = &l->trail.p[--l->trail.n];
    l->fr->env[t->slot] = t->old;
  }
}

void bind_lv(lo *l, const node *p, lv v) {
  if (p->kind == N_NAME) {
    const res *r = &l->u->res[p->id];
    if (r->kind == R_LOCAL) set_env(l, r->idx, v);
    return;
  }
  uint32_t at = 0;
  for (uint32_t i = 0; i < p->nkid && i < v.t->nelem; i++) {
    lv e = {v.t->elem[i], v.leaf + at};
    at += e.t->nleaf;
    bind_lv(l, p->kid[i], e);
  }
}

/* ---- if ---- */

static lv then_side(lo *l, const void *n) {
  lv v;
  lower_block(l, ((const node *)n)->kid[1], &v);
  return v;
}

static lv else_side(lo *l, const void *user) {
  const node *n = user, *o = n->nkid > 2 ? n->kid[2] : NULL;
  lv v = lv_new(l, l->u->ts->unit);
  if (o && o->kind == N_IF) v = lower_if(l, o);
  else if (o) lower_block(l, o, &v);
  return v;
}

lv lower_if(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  bool value = ty_is_data(t);
  lv c = lower_expr(l, n->kid[0]);
  l->b.sp = n->sp;
  if (l->failed) return lv_zero(l, t);
  const ty *ct = type_at(l, n->kid[0]);
  bool known = ct->label != LAB_SEC && ival_single(ct->iv);
  ir_value *cond = known ? z_const(l, ct->iv->lo) : c.leaf[0];
  return lower_branch(l, cond, ct->sec, then_side, else_side, n,
                      value ? t : NULL);
}

/* ---- blocks; what follows a return inside ---- */

typedef struct rest {
  const node *block;
  uint32_t from;
  lv *value;
} rest;

static void statements(lo *l, const node *n, uint32_t from, lv *value);

static lv thunk_rest(lo *l, const void *user) {
  const rest *r = user;
  lv v = lv_new(l, l->u->ts->unit);
  statements(l, r->block, r->from, &v);
  const ty *t = type_at(l, r->block);
  if (ty_is_data(t) && !v.t->nleaf) v = lv_zero(l, t); /* it returned */
  return v;
}

static lv thunk_skip(lo *l, const void *user) {
  const rest *r = user;
  return lv_zero(l, type_at(l, r->block));
}

static void statements(lo *l, const node *n, uint32_t from, lv *value) {
  for (uint32_t i = from; i < n->nkid && !l->failed; i++) {
    const node *s = n->kid[i];
    if (n->has_value && i + 1 == n->nkid) {
      *value = lower_expr(l, s->kind == N_EXPR ? s->kid[0] : s);
      return;
    }
    lower_stmt(l, s);
    if (!l->fr->early || l->failed) continue;
    ir_value *flag = l->fr->env[slot_flag(l)].leaf[0];
    mpz_srcptr c;
    if (ir_is_const(flag, &c)) {
      if (mpz_sgn(c) == 0) continue;
      const ty *t = type_at(l, n);
      if (ty_is_data(t)) *value = lv_zero(l, t);
      return;
    }
    if (i + 1 == n->nkid) return;
    rest r = {n, i + 1, value};
    const ty *t = type_at(l, n);
    lv v = lower_branch(l, flag, false, thunk_skip, thunk_rest, &r,
                        ty_is_data(t) ? t : NULL);
    if (ty_is_data(t)) *value = v;
    return;
  }
}

void lower_block(lo *l, const node *n, lv *value) {
  *value = lv_new(l, l->u->ts->unit);
  statements(l, n, 0, value);
}

/* ---- loops ---- */

typedef struct carried {
  uint32_t n;      /* slots */
  uint32_t *slot;
  const ty **t;
  uint32_t nleaf;
  ir_type *ty;
  ir_value **init;
  lv *head; /* of the slots, in a turn */
  bool ret; /* a return inside: flag and result are carried too */
} carried;

static void carry_slot(lo *l, carried *c, uint32_t slot, const ty *t) {
  lv v = l->fr->env[slot];
  if (!v.t || !t || t->err || v.t->nleaf != t->nleaf) return;
  c->slot[c->n] = slot;
  c->t[c->n++] = t;
  for (uint32_t k = 0; k < t->nleaf; k++) {
    ir_type in = leaf_type(l, t, k);
    if (v.leaf[k]->ty.kind > in.kind) in.kind = v.leaf[k]->ty.kind;
    if (v.leaf[k]->ty.dom == DOM_P) in.dom = DOM_P;
    if (in.range) in = join_types(l, &in, &v.leaf[k]->ty);
    c->ty[c->nleaf] = in;
    c->init[c->nleaf++] = to_type(l, v.leaf[k], in);
  }
}

static bool returns(const node *n) {
  while (n) {
    if (n->kind == N_RETURN) return true;
    for (uint32_t i = 1; i < n->nkid; i++)
      if (returns(n->kid[i])) return true;
    n = n->nkid ? n->kid[0] : NULL;
  }
  return false;
}

static const hidden *state_of(const lo *l, uint32_t slot) {
  return hidden_find(l->fr->in->f, slot);
}

/* What the loop carries: what it assigns, and a return inside of it. */
static carried carry(lo *l, const node *n, const node *body, uint32_t more) {
  const loopset *set = l->u->res[n->id].p;
  const ninfo *ni = info_of(l->fr->in, n);
  const loopfact *f = ni ? ni->p : NULL;
  carried c = {0};
  uint32_t leaves = 1 + more;
  for (uint32_t i = 0; f && i < set->n; i++)
    if (f->carry[i]) leaves += f->carry[i]->nleaf;
  bool ret = l->fr->early && returns(body);
  if (ret) leaves += 1 + (l->fr->ret ? l->fr->ret->nleaf : 0);
  c.slot = ARENA_ARR(l->a, uint32_t, set->n + 3);
  c.t = ARENA_ARR(l->a, const ty *, set->n + 3);
  c.head = ARENA_ARR(l->a, lv, set->n + 3);
  c.ret = ret;
  c.ty = ARENA_ARR(l->a, ir_type, leaves);
  c.init = ARENA_ARR(l->a, ir_value *, leaves);
  for (uint32_t i = 0; f && i < set->n; i++) {
    const ty *t = f->carry[i];
    /* state is read behind a return, too: it has its declared interval */
    if (t && ret && state_of(l, set->slot[i]))
      t = hidden_type(l->u, state_of(l, set->slot[i]));
    carry_slot(l, &c, set->slot[i], t);
  }
  if (ret) {
    carry_slot(l, &c, slot_flag(l), ty_bool(l->u->ts, LAB_PUB));
    if (l->fr->ret) carry_slot(l, &c, slot_result(l), l->fr->ret);
  }
  return c;
}

/* Sets the slots to the parameters of the region's block from `first` on. */
static void set_params(lo *l, carried *c, ir_block *b) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    lv v = lv_new(l, c->t[i]);
    const char *name = NULL;
    if (l->fr->in->f && c->slot[i] < l->fr->in->f->nlocal)
      name = l->fr->in->f->local[c->slot[i]].name;
    for (uint32_t k = 0; k < c->t[i]->nleaf; k++)
      v.leaf[k] = ir_param(l->m, b, c->ty[at++], name);
    c->head[i] = v;
    set_env(l, c->slot[i], v);
  }
}

/* Types of the results: what the interval analysis proved of the heads, and
 * the last turn's value as the circuit bounds it. */
static ir_type *yield_slots(lo *l, const carried *c) {
  ir_value **y = ARENA_ARR(l->a, ir_value *, c->nleaf + 1);
  ir_type *t = ARENA_ARR(l->a, ir_type, c->nleaf + 1);
  uint32_t at = 0;
  for (uint32_t i = 0; i < c->n; i++)
    for (uint32_t k = 0; k < c->t[i]->nleaf; k++, at++) {
      y[at] = to_type(l, l->fr->env[c->slot[i]].leaf[k], c->ty[at]);
      t[at] = join_types(l, &c->ty[at], &y[at]->ty);
    }
  ir_yield(&l->b, y, c->nleaf);
  return t;
}

static bool of_return(const lo *l, uint32_t slot) {
  return slot == slot_flag(l) || slot == slot_result(l);
}

/* The intervals of a loop hold where nothing returned.  What returned there
 * keeps the heads of its last turn, which lie in them: nobody reads them.
 */
static void keep_heads(lo *l) {
  const carried *c = l->fr->loop;
  for (uint32_t i = 0; c && i < c->n; i++)
    if (!of_return(l, c->slot[i]) && !state_of(l, c->slot[i]))
      set_env(l, c->slot[i], c->head[i]);
}

/* The same behind a loop that may have returned, for the loop around it. */
static void keep_outer_heads(lo *l, const carried *in) {
  const carried *c = l->fr->loop;
  ir_value *flag = l->fr->env[slot_flag(l)].leaf[0];
  for (uint32_t i = 0; i < in->n; i++) {
    uint32_t slot = in->slot[i], j = 0;
    while (j < c->n && c->slot[j] != slot) j++;
    if (j == c->n || of_return(l, slot) || state_of(l, slot)) continue;
    lv now = l->fr->env[slot], v = lv_new(l, now.t);
    for (uint32_t k = 0; k < now.t->nleaf; k++) {
      ir_value *x = now.leaf[k], *h = c->head[j].leaf[k];
      bool free = !x->ty.range || !h->ty.range ||
                  ir_range_within(x->ty.range, h->ty.range);
      v.leaf[k] = free ? x : ir_select(&l->b, flag, h, x);
    }
    set_env(l, slot, v);
  }
}

static void set_results(lo *l, const carried *c, ir_inst *in) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    lv v = lv_new(l, c->t[i]);
    for (uint32_t k = 0; k < c->t[i]->nleaf; k++) {
      const ival *iv = ty_leaf(c->t[i], k)->iv;
      if (iv && c->slot[i] == slot_result(l)) /* 0: not returned yet */
        iv = ival_hull(l->u->iv, iv, ival_si(l->u->iv, 0, 0));
      v.leaf[k] = narrowed(l, in->res[at++], iv);
    }
    set_env(l, c->slot[i], v);
  }
  if (c->ret && l->fr->loop) keep_outer_heads(l, c);
}

typedef struct body {
  const node *n; /* FOR, or COMPR */
  lv array;      /* of `for x in array`; t NULL: a range */
  ir_value *from;
  const ival *var;
  const ty *var_t;
} body;

typedef void (*turn_fn)(lo *l, const body *b, ir_value *index);

/* A `for` of `trip` turns around `turn`. */
static void for_loop(lo *l, ir_value *trip, int64_t turns, mpz_srcptr max,
                     carried *c, turn_fn turn, const body *b) {
  ir_builder out = l->b;
  size_t mark = l->trail.n;
  int64_t times = l->times;
  ir_block *blk = ir_block_new(l->m);
  mpz_t hi, zero;
  mpz_init(zero);
  mpz_init_set(hi, max);
  if (mpz_sgn(hi)) mpz_sub_ui(hi, hi, 1);
  ir_type it = ir_ty(DOM_Z, KIND_PUB, 1, ir_range_get(l->m, zero, hi));
  mpz_clear(hi);
  mpz_clear(zero);
  ir_value *index = ir_param(l->m, blk, it, NULL);
  l->b.b = blk;
  l->b.at = NULL;
  l->times = times < 0 || turns < 0 || (turns && times > INT64_MAX / turns)
                 ? -1 : times * turns;
  l->inner++;
  l->nest++;
  set_params(l, c, blk);
  const carried *up = l->fr->loop;
  l->fr->loop = c;
  turn(l, b, index);
  l->fr->loop = up;
  ir_type *out_t = yield_slots(l, c);
  l->nest--;
  l->inner--;
  l->times = times;
  roll_back_env(l, mark);
  l->b = out;
  ir_value **arg = ARENA_ARR(l->a, ir_value *, c->nleaf + 1);
  arg[0] = trip;
  memcpy(arg + 1, c->init, c->nleaf * sizeof *arg);
  ir_inst *in = ir_region_inst(&l->b, OP_FOR, arg, c->nleaf + 1, out_t,
                               c->nleaf, &blk, 1);
  set_results(l, c, in);
}

/* A turn of a loop that may have returned before does nothing. */
typedef struct guarded {
  const body *b;
  ir_value *index;
} guarded;

static void one_turn(lo *l, const body *b, ir_value *index) {
  const node *n = b->n;
  if (b->array.t) {
    access x = access_whole(l, b->array.t);
    access_at(l, &x, index);
    bind_lv(l, n->kid[0], access_load(l, &x, &b->array));
  } else {
    lv v = lv_new(l, b->var_t);
    v.leaf[0] = ir_op2(&l->b, OP_ADD, b->from, index);
    mpz_srcptr c;
    if (ir_is_const(b->from, &c) && !mpz_sgn(c)) v.leaf[0] = index;
    v.leaf[0] = narrowed(l, v.leaf[0], b->var_t->iv);
    bind_lv(l, n->kid[0], v);
  }
  lv ignored;
  lower_block(l, n->kid[2], &ignored);
}

static lv thunk_turn(lo *l, const void *user) {
  const guarded *g = user;
  one_turn(l, g->b, g->index);
  return lv_new(l, l->u->ts->unit);
}

static lv thunk_nothing(lo *l, const void *user) {
  (void)user;
  return lv_new(l, l->u->ts->unit);
}

static void for_turn(lo *l, const body *b, ir_value *index) {
  if (!l->fr->early || !returns(b->n->kid[2])) {
    one_turn(l, b, index);
    return;
  }
  guarded g = {b, index};
  lower_branch(l, l->fr->env[slot_flag(l)].leaf[0], false, thunk_nothing,
               thunk_turn, &g, NULL);
}

static void lower_for(lo *l, const node *n) {
  const node *src = n->kid[1];
  body b = {.n = n};
  mpz_t turns, t2;
  mpz_init(turns);
  mpz_init(t2);
  ir_value *trip;
  const ninfo *ni = info_of(l->fr->in, n);
  const loopfact *f = ni ? ni->p : NULL;
  int64_t fixed = f ? f->trip : -1;
  if (src->kind == N_RANGE) {
    const ty *lo_ = type_at(l, src->kid[0]), *hi = type_at(l, src->kid[1]);
    lv from = lower_expr(l, src->kid[0]), to = lower_expr(l, src->kid[1]);
    b.from = from.leaf[0];
    b.var_t = type_at(l, n->kid[0]);
    mpz_sub(turns, hi->iv->hi, lo_->iv->lo);
    if (mpz_sgn(turns) < 0) mpz_set_ui(turns, 0);
    if (ival_single(lo_->iv) && ival_single(hi->iv)) {
      trip = z_const(l, turns);
      fixed = mpz_fits_slong_p(turns) ? mpz_get_si(turns) : -1;
    } else {
      fixed = -1;
      ir_value *d = ir_op2(&l->b, OP_SUB, to.leaf[0], from.leaf[0]);
      if (mpz_sgn(d->ty.range->lo) < 0)
        d = ir_select(&l->b, ir_op2(&l->b, OP_LT, d, z_si(l, 0)), z_si(l, 0),
                      d);
      const ir_range *r = ir_range_get(l->m, t2, turns);
      trip = ir_range_within(d->ty.range, r)
                 ? d : ir_ranged(&l->b, OP_ASSUME, d, r);
    }
  } else {
    b.array = lower_expr(l, src);
    if (l->failed || b.array.t->kind != T_ARRAY) goto done;
    mpz_set_ui(turns, b.array.t->dim[0]);
    fixed = (int64_t)b.array.t->dim[0];
    trip = z_const(l, turns);
  }
  if (!l->failed && mpz_sgn(turns)) {
    carried c = carry(l, n, n->kid[2], 0);
    for_loop(l, trip, fixed, turns, &c, for_turn, &b);
  }
done:
  mpz_clear(turns);
  mpz_clear(t2);
}

/* ---- while on a secret: every turn, and nothing changes once it is over ----
 * The condition assigns nothing, so it stays false where nothing changes. */

static lv while_body(lo *l, const void *user) {
  lv ignored;
  lower_block(l, ((const node *)user)->kid[2], &ignored);
  return lv_new(l, l->u->ts->unit);
}

static void while_turn(lo *l, const body *b, ir_value *index) {
  (void)index;
  ir_value *cond = lower_expr(l, b->n->kid[0]).leaf[0];
  if (!l->failed)
    lower_branch(l, cond, true, while_body, thunk_nothing, b->n, NULL);
}

static void secret_while(lo *l, const node *n) {
  const ival *max = type_at(l, n->kid[1])->iv;
  carried c = carry(l, n, n->kid[2], 0);
  body b = {.n = n};
  for_loop(l, z_const(l, max->lo), (int64_t)mpz_get_ui(max->lo), max->lo, &c,
           while_turn, &b);
}

static void lower_while(lo *l, const node *n) {
  if (type_at(l, n->kid[0])->sec) {
    secret_while(l, n);
    return;
  }
  carried c = carry(l, n, n->kid[2], 0);
  ir_builder out = l->b;
  size_t mark = l->trail.n;
  int64_t times = l->times;
  ir_block *region[2] = {ir_block_new(l->m), ir_block_new(l->m)};
  l->times = -1;
  l->inner++;
  l->nest++;
  l->b.b = region[0];
  l->b.at = NULL;
  set_params(l, &c, region[0]);
  ir_value *cond = lower_expr(l, n->kid[0]).leaf[0];
  if (c.ret && !l->failed)
    cond = ir_op2(&l->b, OP_AND, cond,
                  not_of(l, l->fr->env[slot_flag(l)].leaf[0]));
  ir_yield(&l->b, &cond, 1);
  roll_back_env(l, mark);
  l->b.b = region[1];
  set_params(l, &c, region[1]);
  const carried *up = l->fr->loop;
  l->fr->loop = &c;
  lv ignored;
  lower_block(l, n->kid[2], &ignored);
  l->fr->loop = up;
  ir_type *out_t = yield_slots(l, &c);
  roll_back_env(l, mark);
  l->nest--;
  l->inner--;
  l->times = times;
  l->b = out;
  ir_inst *in = ir_region_inst(&l->b, OP_WHILE, c.init, c.nleaf, out_t, c.nleaf,
                               region, 2);
  in->at.max = mpz_get_ui(type_at(l, n->kid[1])->iv->lo);
  set_results(l, &c, in);
}

/* ---- comprehensions: nested loops that put into the result ---- */

typedef struct level {
  body b;
  uint32_t depth, nsource, slot;
  const ty *t;    /* of the result */
  const ty *elem; /* of one element */
  lv *source;
  ir_value **index;
} level;

static void compr_loops(lo *l, level *v);

static void compr_turn(lo *l, const body *b, ir_value *index) {
  level *v = (level *)(uintptr_t)b; /* b is its first member */
  uint32_t d = v->depth;
  const node *src = v->b.n->kid[d + 1];
  v->index[d] = index;
  if (v->source[d].t->kind == T_ARRAY) {
    access x = access_whole(l, v->source[d].t);
    access_at(l, &x, index);
    bind_lv(l, src->kid[0], access_load(l, &x, &v->source[d]));
  } else {
    lv i = lv_new(l, type_at(l, src->kid[0]));
    mpz_srcptr c;
    ir_value *from = v->source[d].leaf[0];
    i.leaf[0] = ir_is_const(from, &c) && !mpz_sgn(c)
                    ? index : ir_op2(&l->b, OP_ADD, from, index);
    bind_lv(l, src->kid[0], i);
  }
  if (d + 1 < v->nsource) {
    v->depth++;
    compr_loops(l, v);
    v->depth--;
    return;
  }
  lv e = coerce(l, lower_expr(l, v->b.n->kid[0]), v->elem);
  if (l->failed) return;
  lv whole = l->fr->env[v->slot];
  access x = access_whole(l, v->t);
  for (uint32_t k = 0; k < v->nsource; k++) access_at(l, &x, v->index[k]);
  set_env(l, v->slot, access_store(l, &x, &whole, &e));
}

static void compr_loops(lo *l, level *v) {
  carried c = carry(l, v->b.n, v->b.n->kid[0], v->t->nleaf);
  carry_slot(l, &c, v->slot, v->t);
  mpz_t n;
  mpz_init_set_ui(n, v->t->dim[v->depth]);
  for_loop(l, z_const(l, n), (int64_t)v->t->dim[v->depth], n, &c, compr_turn,
           &v->b);
  mpz_clear(n);
}

lv lower_compr(lo *l, const node *n) {
  const ty *t = type_at(l, n);
  level v = {.b = {.n = n}, .nsource = n->nkid - 1, .t = t};
  v.elem = ty_with_dims(l->u->ts, t, t->dim + v.nsource, t->ndim - v.nsource);
  v.source = ARENA_ARR(l->a, lv, v.nsource + 1);
  v.index = ARENA_ARR(l->a, ir_value *, v.nsource + 1);
  for (uint32_t i = 0; i < v.nsource; i++) {
    const node *src = n->kid[i + 1]->kid[1];
    v.source[i] = lower_expr(l, src->kind == N_RANGE ? src->kid[0] : src);
  }
  if (l->failed || too_large(l)) return lv_zero(l, t);
  /* The result lives in a slot behind all others while it is filled. */
  v.slot = slot_result(l) + 1 + l->ncompr++;
  lv zero = lv_zero(l, t);
  set_env(l, v.slot, zero);
  compr_loops(l, &v);
  l->ncompr--;
  return l->fr->env[v.slot];
}

/* ---- assignment ---- */

void access_place(lo *l, access *x, const node *n, const node *root) {
  if (n == root) return;
  access_place(l, x, n->kid[0], root);
  if (n->kind == N_INDEX) access_index(l, x, n);
  else access_field(l, x, field_at(x->t, n->text));
}

static void lower_assign(lo *l, const node *n) {
  const node *place = n->kid[0], *root = place;
  while (root->kind == N_INDEX || root->kind == N_FIELD) root = root->kid[0];
  if (l->u->res[root->id].kind == R_MAP) {
    lower_map_assign(l, n);
    return;
  }
  uint32_t slot = l->u->res[root->id].idx;
  const ninfo *ni = info_of(l->fr->in, n);
  lv v;
  if (place == root) {
    v = lower_expr(l, n->kid[1]);
    l->b.sp = n->sp;
    if (n->op && !l->failed)
      v = binary(l, n, type_at(l, n), (node_op)n->op, l->fr->env[slot], v);
    if (!l->failed)
      set_env(l, slot, lower_written(l, slot, coerce(l, v, ni->want)));
    return;
  }
  access x = access_whole(l, l->fr->env[slot].t);
  access_place(l, &x, place, root);
  v = lower_expr(l, n->kid[1]);
  if (l->failed) return;
  l->b.sp = n->sp;
  lv whole = l->fr->env[slot];
  if (n->op)
    v = binary(l, n, type_at(l, n), (node_op)n->op, access_load(l, &x, &whole),
               v);
  v = coerce(l, v, ni->want);
  set_env(l, slot, lower_written(l, slot, access_store(l, &x, &whole, &v)));
}

/* ---- return ---- */

static void lower_return(lo *l, const node *n) {
  lv v = lv_new(l, l->u->ts->unit);
  if (n->nkid && n->kid[0]) {
    const node *e = n->kid[0];
    uint32_t inner = l->inner;
    v = lower_expr(l, e);
    l->inner = inner;
    if (l->fr->ret && v.t->nleaf) v = coerce(l, v, l->fr->ret);
  }
  if (l->failed) return;
  if (!l->fr->early) {
    l->fr->value = v;
    return;
  }
  if (l->fr->ret && v.t->nleaf) set_env(l, slot_result(l), v);
  keep_heads(l);
  set_env(l, slot_flag(l), lv_const(l, ty_bool_known(l->u->ts, true)));
}

static void lower_let(lo *l, const node *n) {
  const ninfo *ni = info_of(l->fr->in, n);
  lv v = lower_expr(l, n->kid[2]);
  if (l->failed) return;
  if (ni && ni->want) v = coerce(l, v, ni->want);
  bind_lv(l, n->kid[0], v);
}

void lower_stmt(lo *l, const node *n) {
  if (l->failed || too_large(l)) return;
  l->b.sp = n->sp;
  switch (n->kind) {
  case N_LET:
  case N_VAR: lower_let(l, n); break;
  case N_ASSIGN: lower_assign(l, n); break;
  case N_FOR: lower_for(l, n); break;
  case N_WHILE: lower_while(l, n); break;
  case N_RETURN: lower_return(l, n); break;
  case N_EMIT: lower_emit(l, n); break;
  case N_EXPR: lower_expr(l, n->kid[0]); break;
  default: lower_expr(l, n);
  }
}
