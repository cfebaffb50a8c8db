/* Branches.  On a public condition a region each, or a choice where both are
 * cheap; on a secret one both are computed and what they change is selected.
 */
#include <string.h>

#include "frontend/lower.h"

typedef struct side {
  ir_block *b;
  lv v;
  VEC(ltrail) now; /* slots of outside and their values here */
} side;

static void run_side(lo *l, side *s, lower_thunk f, const void *user,
                     const ty *t) {
  ir_builder out = l->b;
  size_t mark = l->trail.n;
  int64_t times = l->times;
  s->b = ir_block_new(l->m);
  l->b.b = s->b;
  l->b.at = NULL;
  l->times = -1;
  l->inner++;
  l->nest++;
  s->v = f(l, user);
  if (t) s->v = coerce(l, s->v, t);
  l->nest--;
  l->inner--;
  l->times = times;
  for (size_t i = l->trail.n; i-- > mark;) {
    ltrail c = {l->trail.p[i].slot, l->fr->env[l->trail.p[i].slot]};
    vec_push(l->a, &s->now, c);
  }
  roll_back_env(l, mark);
  l->b = out;
}

/* Local, without effects and cheap: both sides may be computed. */
static bool simple(const ir_block *b) {
  uint32_t n = 0;
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (!(ir_ops[i->op].flags & F_S) || i->op == OP_PROD || ir_is_typed(i) ||
        ++n > 64)
      return false;
    if (i->op == OP_MUL && i->arg[0]->ty.kind == KIND_SH &&
        i->arg[1]->ty.kind == KIND_SH)
      return false;
  }
  return true;
}

static void splice(lo *l, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    ir_remove(i);
    ir_append(l->b.b, i);
  }
}

typedef struct meeting {
  VEC(ir_value *) x, y;
  VEC(ir_value **) to;
} meeting;

static void meet(lo *l, meeting *m, const lv *x, const lv *y, lv *out) {
  for (uint32_t k = 0; k < out->t->nleaf; k++) {
    out->leaf[k] = x->leaf[k];
    if (x->leaf[k] == y->leaf[k]) continue;
    vec_push(l->a, &m->x, x->leaf[k]);
    vec_push(l->a, &m->y, y->leaf[k]);
    vec_push(l->a, &m->to, &out->leaf[k]);
  }
}

/* Each slot once, without those that the branch declares; marks them. */
static void index_side(lo *l, side *s, int which) {
  size_t kept = 0;
  for (size_t i = 0; i < s->now.n; i++) {
    uint32_t slot = s->now.p[i].slot;
    slotmark *m = &l->fr->mark[slot];
    if (!l->fr->env[slot].t || m->stamp[which] == l->stamp) continue;
    m->stamp[which] = l->stamp;
    m->at[which] = (uint32_t)kept;
    s->now.p[kept++] = s->now.p[i];
  }
  s->now.n = kept;
}

static const lv *in_side(const lo *l, const side *s, int which,
                         uint32_t slot) {
  const slotmark *m = &l->fr->mark[slot];
  return m->stamp[which] == l->stamp ? &s->now.p[m->at[which]].old : NULL;
}

static const ty *either_type(lo *l, const ty *x, const ty *y) {
  const ty *j = ty_join(l->u->ts, x, y);
  return j ? j : x;
}

static void meet_slot(lo *l, meeting *m, uint32_t slot, const side *x,
                      const side *y) {
  const lv *a = in_side(l, x, 0, slot), *b = in_side(l, y, 1, slot);
  lv old = l->fr->env[slot];
  if (!a) a = &old;
  if (!b) b = &old;
  lv out = lv_new(l, either_type(l, a->t, b->t));
  meet(l, m, a, b, &out);
  set_env(l, slot, out);
}

/* Values that differ, of the slots either side changed and of their value. */
static void meet_sides(lo *l, meeting *m, side *a, side *b, lv *v) {
  l->stamp++;
  index_side(l, a, 0);
  index_side(l, b, 1);
  if (v) meet(l, m, &a->v, &b->v, v);
  for (size_t i = 0; i < a->now.n; i++)
    meet_slot(l, m, a->now.p[i].slot, a, b);
  for (size_t i = 0; i < b->now.n; i++)
    if (!in_side(l, a, 0, b->now.p[i].slot))
      meet_slot(l, m, b->now.p[i].slot, a, b);
}

/* ---- on a secret: both sides, and a choice of what they changed ---- */

ir_value *set_guard(lo *l, ir_value *cond) {
  ir_value *old = l->guard;
  l->guard = old ? logic(l, O_ANDAND, old, cond) : cond;
  return old;
}

/* Conditions around the side and its own; the rest of the side's state as in a
 * region, but in the same block. */
static void run_both(lo *l, side *s, ir_value *cond, lower_thunk f,
                     const void *user, const ty *t) {
  size_t mark = l->trail.n;
  int64_t times = l->times;
  ir_value *guard = set_guard(l, cond);
  l->times = -1;
  l->inner++;
  l->nest++;
  s->v = f(l, user);
  if (t) s->v = coerce(l, s->v, t);
  l->nest--;
  l->inner--;
  l->times = times;
  l->guard = guard;
  for (size_t i = l->trail.n; i-- > mark;) {
    ltrail c = {l->trail.p[i].slot, l->fr->env[l->trail.p[i].slot]};
    vec_push(l->a, &s->now, c);
  }
  roll_back_env(l, mark);
}

enum { PUTS_MAX = 64 };

/* The puts that make x of what lies under them. */
typedef struct puts {
  const ir_inst *put[PUTS_MAX];
  const ir_value *under[PUTS_MAX + 1]; /* under[i] is below put[0 .. i - 1] */
  uint32_t n;
} puts;

static const ir_value *bare(const ir_value *v) {
  while (v->def && (v->def->op == OP_HIDE || v->def->op == OP_ENC))
    v = v->def->arg[0];
  return v;
}

static void puts_of(const ir_value *v, puts *p) {
  p->n = 0;
  p->under[0] = v = bare(v);
  while (p->n < PUTS_MAX && v->def && v->def->op == OP_PUT) {
    p->put[p->n++] = v->def;
    p->under[p->n] = v = bare(v->def->arg[0]);
  }
}

static ir_value *place_in(lo *l, ir_value *whole, const ir_inst *put) {
  const ir_attr *at = &put->at;
  mpz_srcptr c;
  if (ir_is_const(put->arg[2], &c))
    return ir_view(&l->b, whole, at->off + mpz_get_si(c), at->dim, at->ndim);
  return ir_get(&l->b, whole, put->arg[2], at->off, at->dim, at->ndim);
}

static bool same_place(const ir_inst *x, const ir_inst *y) {
  mpz_srcptr a, b;
  bool off = x->arg[2] == y->arg[2] ||
             (ir_is_const(x->arg[2], &a) && ir_is_const(y->arg[2], &b) &&
              mpz_cmp(a, b) == 0);
  if (!off || x->at.off != y->at.off || x->at.ndim != y->at.ndim) return false;
  for (uint32_t k = 0; k < x->at.ndim; k++)
    if (x->at.dim[k].n != y->at.dim[k].n ||
        x->at.dim[k].stride != y->at.dim[k].stride)
      return false;
  return true;
}

static ir_value *put_again(lo *l, ir_value *whole, const ir_inst *put,
                           ir_value *part) {
  return ir_put(&l->b, whole, part, put->arg[2], put->at.off, put->at.dim,
                put->at.ndim);
}

/* Arrays that differ in a few elements: only those are chosen.  NULL if that
 * is not less. */
static ir_value *choose_parts(lo *l, ir_value *cond, const ir_value *x,
                              const ir_value *y) {
  puts p, q;
  puts_of(x, &p);
  puts_of(y, &q);
  uint32_t i = 0, j = 0;
  for (; i <= p.n; i++) {
    for (j = 0; j <= q.n && p.under[i] != q.under[j];) j++;
    if (j <= q.n) break;
  }
  if (i > p.n || i + j == 0) return NULL;
  ir_value *r = (ir_value *)(uintptr_t)p.under[i];
  if (i == 1 && j == 1 && same_place(p.put[0], q.put[0]))
    return put_again(l, r, p.put[0],
                     ir_select(&l->b, cond, p.put[0]->arg[1],
                               q.put[0]->arg[1]));
  uint64_t lanes = 0;
  for (uint32_t k = 0; k < i; k++) lanes += p.put[k]->arg[1]->ty.lanes;
  for (uint32_t k = 0; k < j; k++) lanes += q.put[k]->arg[1]->ty.lanes;
  if (lanes >= x->ty.lanes) return NULL;
  while (i-- > 0)
    r = put_again(l, r, p.put[i],
                  ir_select(&l->b, cond, p.put[i]->arg[1],
                            place_in(l, r, p.put[i])));
  while (j-- > 0)
    r = put_again(l, r, q.put[j],
                  ir_select(&l->b, cond, place_in(l, r, q.put[j]),
                            q.put[j]->arg[1]));
  return r;
}

/* A write at a secret index takes the condition into its mask. */
static ir_value *choose_masked(lo *l, ir_value *cond, ir_value *x,
                               ir_value *y) {
  const ir_inst *d = x->def;
  if (!d || d->op != OP_SELECT || d->arg[0]->ty.kind != KIND_SH ||
      bare(d->arg[2]) != bare(y))
    return NULL;
  return ir_select(&l->b, logic(l, O_ANDAND, d->arg[0], cond), d->arg[1], y);
}

static ir_value *choose(lo *l, ir_value *cond, ir_value *x, ir_value *y) {
  ir_value *r = choose_parts(l, cond, x, y);
  if (!r) r = choose_masked(l, cond, x, y);
  if (!r) r = ir_select(&l->b, cond, x, y);
  return ir_splat(&l->b, r, x->ty.lanes > y->ty.lanes ? x->ty.lanes
                                                      : y->ty.lanes);
}

static lv choose_branch(lo *l, ir_value *cond, lower_thunk x, lower_thunk y,
                        const void *user, const ty *t) {
  side a = {0}, b = {0};
  run_both(l, &a, cond, x, user, t);
  run_both(l, &b, not_of(l, cond), y, user, t);
  lv v = lv_new(l, t ? either_type(l, a.v.t, b.v.t) : l->u->ts->unit);
  if (l->failed) return v;
  meeting m = {0};
  meet_sides(l, &m, &a, &b, t ? &v : NULL);
  for (size_t i = 0; i < m.x.n; i++)
    *m.to.p[i] = choose(l, cond, m.x.p[i], m.y.p[i]);
  return v;
}

static lv run_here(lo *l, lower_thunk f, const void *user, const ty *t) {
  lv v = f(l, user);
  return t ? coerce(l, v, t) : v;
}

lv lower_branch(lo *l, ir_value *cond, bool sec, lower_thunk x, lower_thunk y,
                const void *user, const ty *t) {
  mpz_srcptr c;
  if (ir_is_const(cond, &c)) {
    ir_value *old = l->guard;
    if (sec) set_guard(l, z_si(l, 1));
    lv v = run_here(l, mpz_sgn(c) ? x : y, user, t);
    l->guard = old;
    return v;
  }
  if (sec) return choose_branch(l, cond, x, y, user, t);
  side a = {0}, b = {0};
  run_side(l, &a, x, user, t);
  run_side(l, &b, y, user, t);
  meeting m = {0};
  lv v = lv_new(l, t ? either_type(l, a.v.t, b.v.t) : l->u->ts->unit);
  meet_sides(l, &m, &a, &b, t ? &v : NULL);
  if (simple(a.b) && simple(b.b)) {
    splice(l, a.b);
    splice(l, b.b);
    for (size_t i = 0; i < m.x.n; i++)
      *m.to.p[i] = ir_select(&l->b, cond, m.x.p[i], m.y.p[i]);
    return v;
  }
  ir_type *rt = ARENA_ARR(l->a, ir_type, m.x.n + 1);
  ir_builder out = l->b;
  for (size_t i = 0; i < m.x.n; i++)
    rt[i] = join_types(l, &m.x.p[i]->ty, &m.y.p[i]->ty);
  for (int s = 0; s < 2; s++) {
    ir_value **p = s ? m.y.p : m.x.p;
    l->b.b = s ? b.b : a.b;
    l->b.at = NULL;
    for (size_t i = 0; i < m.x.n; i++) p[i] = to_type(l, p[i], rt[i]);
    ir_yield(&l->b, p, (uint32_t)m.x.n);
  }
  l->b = out;
  ir_block *region[2] = {a.b, b.b};
  ir_inst *in = ir_region_inst(&l->b, OP_IF, &cond, 1, rt, (uint32_t)m.x.n,
                               region, 2);
  for (size_t i = 0; i < m.x.n; i++) *m.to.p[i] = in->res[i];
  return v;
}
