/* What a condition that holds says of the variables in it: behind
 * `require(a > 3)` and in `if a > 3 { .. }`, a is at least 4.  Integer
 * variables, compared with anything, joined by `&& || & | !`.
 *
 * A public condition narrows public variables, a secret one secret variables
 * alone: its branch runs also where it does not hold, with values outside of
 * the interval.  On shares that gives values without meaning, which are not
 * chosen; public ones are trusted, as places in memory, to be what they are
 * said to be.  In the circuit such a branch keeps the wider range, and what has
 * to be narrower is assumed where the branch counts (narrowed, within). */
#include "frontend/lower.h"

/* One comparison with a variable on its left: what is left of its interval. */
static const ival *limited(ival_set *s, const ival *x, node_op op,
                           const ival *y) {
  mpz_t least, most;
  mpz_init_set(least, x->lo);
  mpz_init_set(most, x->hi);
  mpz_t t;
  mpz_init(t);
  if (op == O_LT || op == O_LE || op == O_EQ) {
    mpz_sub_ui(t, y->hi, op == O_LT);
    if (mpz_cmp(t, most) < 0) mpz_set(most, t);
  }
  if (op == O_GT || op == O_GE || op == O_EQ) {
    mpz_add_ui(t, y->lo, op == O_GT);
    if (mpz_cmp(t, least) > 0) mpz_set(least, t);
  }
  if (op == O_NE && ival_single(y)) {
    if (mpz_cmp(y->lo, least) == 0) mpz_add_ui(least, least, 1);
    if (mpz_cmp(y->lo, most) == 0) mpz_sub_ui(most, most, 1);
  }
  const ival *r = mpz_cmp(least, most) <= 0 ? ival_get(s, least, most) : x;
  mpz_clears(least, most, t, (mpz_ptr)NULL);
  return r;
}

static node_op negated(node_op op) {
  switch (op) {
  case O_EQ: return O_NE;
  case O_NE: return O_EQ;
  case O_LT: return O_GE;
  case O_LE: return O_GT;
  case O_GT: return O_LE;
  default: return O_LT; /* O_GE */
  }
}

static node_op mirrored(node_op op) {
  switch (op) {
  case O_LT: return O_GT;
  case O_LE: return O_GE;
  case O_GT: return O_LT;
  case O_GE: return O_LE;
  default: return op;
  }
}

typedef void (*narrow_fn)(void *user, const node *name, node_op op,
                          const node *other);

/* Calls f for each comparison that surely holds if cond is `truth`. */
static void walk(const node *n, bool truth, narrow_fn f, void *user) {
  while (n->kind == N_UNARY && n->op == O_NOT) {
    n = n->kid[0];
    truth = !truth;
  }
  if (n->kind != N_BINARY) return;
  if (n->op == (truth ? O_ANDAND : O_OROR) ||
      n->op == (truth ? O_AND : O_OR)) {
    walk(n->kid[0], truth, f, user);
    walk(n->kid[1], truth, f, user);
    return;
  }
  if (n->op < O_EQ || n->op > O_GE) return;
  node_op op = truth ? (node_op)n->op : negated((node_op)n->op);
  if (n->kid[0]->kind == N_NAME) f(user, n->kid[0], op, n->kid[1]);
  if (n->kid[1]->kind == N_NAME) f(user, n->kid[1], mirrored(op), n->kid[0]);
}

static const ty *an_int(const ty *t) {
  return t && t->kind == T_INT ? t : NULL;
}

static const ty *public_int(const ty *t) {
  return an_int(t) && t->label == LAB_PUB ? t : NULL;
}

/* ---- in the analysis ---- */

typedef struct narrowing {
  an *a;
  ty_label label;
} narrowing;

static void narrow_val(void *user, const node *name, node_op op,
                       const node *other) {
  narrowing *w = user;
  an *a = w->a;
  const res *r = &a->u->res[name->id];
  if (r->kind != R_LOCAL || !a->cur || !an_int(a->cur[r->idx].t) ||
      a->cur[r->idx].t->label != w->label)
    return;
  bool q = a->quiet;
  uint32_t poisons = a->poisons;
  a->quiet = true;
  const ty *o = an_int(expr_of(a, other, NULL).t);
  a->quiet = q;
  a->poisons = poisons;
  if (!o) return;
  val v = a->cur[r->idx];
  const ival *iv = limited(a->u->iv, v.t->iv, op, o->iv);
  if (iv == v.t->iv) return;
  v.t = ty_int(a->u->ts, iv, w->label);
  v.fresh = NULL;
  set_slot(a, r->idx, v);
}

void narrow(an *a, const node *cond, bool truth, ty_label label) {
  narrowing w = {a, label};
  walk(cond, truth, narrow_val, &w);
}

/* ---- in the circuit, behind a check ---- */

static void narrow_lv(void *user, const node *name, node_op op,
                      const node *other) {
  lo *l = user;
  const res *r = &l->u->res[name->id];
  const ty *t = r->kind == R_LOCAL ? public_int(type_at(l, name)) : NULL;
  const ty *o = public_int(type_at(l, other));
  if (!t || !o || l->failed) return;
  lv v = l->fr->env[r->idx];
  const ir_range *have = v.leaf[0]->ty.range;
  const ival *iv = limited(l->u->iv, ival_get(l->u->iv, have->lo, have->hi), op,
                           o->iv);
  const ir_range *to = range_of(l, iv);
  if (ir_range_within(have, to)) return;
  lv w = lv_new(l, v.t);
  span sp = l->b.sp;
  l->b.sp = name->sp;
  w.leaf[0] = ir_ranged(&l->b, OP_ASSUME, v.leaf[0], to);
  l->b.sp = sp;
  set_env(l, r->idx, w);
}

void narrow_env(lo *l, const node *cond) { walk(cond, true, narrow_lv, l); }
