/* Intervals of what a loop changes.
 *
 * Sought is, for each variable that the body assigns, a type H that holds at
 * the head of every turn.  With S the value before the loop and E the value at
 * the end of a body that started in H:
 *
 *   - if the analysis shows E = head + d with d in [dl, dh] (`x += d` in any
 *     disguise), then after j turns x lies in S + j*[dl, dh]:
 *       H = S + (T-1)*[min(0,dl), max(0,dh)],   after the loop S + T*[dl, dh]
 *   - else H = hull(S, E, H).
 *
 * Starting from H = S this is repeated until H stands still; each round may
 * widen the d of another variable, so a chain of k dependent sums takes k + 1
 * rounds.  A standing H holds at every head by induction over turns.
 *
 * Elements of an array that distinct turns touch in distinct places grow by
 * one d, not by T of them (note_store).
 *
 * What does not stand still (x *= 2): a loop of few turns is walked turn by
 * turn, to the most turns its bounds allow; else a variable with a declared
 * type is taken to hold anything of it, and the final pass checks each
 * assignment; else its type has to be written.
 *
 * Cost: a body is looked at a few times, T is never walked beyond a budget.
 */
#include <string.h>

#include "frontend/sema.h"

enum { ROUNDS = 12, WALK = 200000, WALK_TURNS = 4096, BUDGET = 1500000 };

/* Nodes that may be looked at before loops are taken as declared. */
static bool spent(const an *a, uint64_t more) {
  return a->u->work + more > BUDGET + 4 * (uint64_t)a->u->nnode;
}

typedef struct loop {
  an *a;
  const node *n;
  loop_body body;
  void *user;
  mpz_srcptr tlo, thi;
  const loopset *set;
  uint32_t serial;
  frame frame;
  val *before;     /* S */
  const ty **head; /* H */
  const ty **fresh; /* head of the elements to be touched, NULL: H */
  val *end;        /* E */
  bool *moving, *pinned;
  bool broken; /* the last pass of settle lost a variable to an error */
} loop;

static bool affine_term(an *a, const node *e, uint32_t var, int64_t *coef,
                        const ival **rest, const loopset *set);

/* e = coef * var + something in *rest; false if it is not so simple. */
static bool affine(an *a, const node *e, uint32_t var, int64_t *coef,
                   const ival **rest, const loopset *set) {
  if (e->kind == N_BINARY && (e->op == O_ADD || e->op == O_SUB)) {
    int64_t c1, c2;
    const ival *r1, *r2;
    if (!affine(a, e->kid[0], var, &c1, &r1, set) ||
        !affine(a, e->kid[1], var, &c2, &r2, set))
      return false;
    *coef = e->op == O_ADD ? c1 + c2 : c1 - c2;
    *rest = e->op == O_ADD ? ival_add(a->u->iv, r1, r2)
                           : ival_sub(a->u->iv, r1, r2);
    return true;
  }
  return affine_term(a, e, var, coef, rest, set);
}

static bool is_var(an *a, const node *e, uint32_t var) {
  const res *r = &a->u->res[e->id];
  return e->kind == N_NAME && r->kind == R_LOCAL && r->idx == var;
}

/* A term that is the same in every turn counts as a constant: width 0. */
static bool invariant(an *a, const node *e, const loopset *set) {
  const res *r = &a->u->res[e->id];
  switch (e->kind) {
  case N_INT: return true;
  case N_NAME:
    if (r->kind == R_CONST || r->kind == R_GENERIC) return true;
    if (r->kind != R_LOCAL || r->idx >= set->first) return false;
    return loopset_find(set, r->idx) < 0;
  case N_BINARY:
    return invariant(a, e->kid[1], set) && invariant(a, e->kid[0], set);
  default: return false;
  }
}

static bool affine_term(an *a, const node *e, uint32_t var, int64_t *coef,
                        const ival **rest, const loopset *set) {
  *coef = 0;
  *rest = ival_si(a->u->iv, 0, 0);
  if (is_var(a, e, var)) {
    *coef = 1;
    return true;
  }
  if (invariant(a, e, set)) return true;
  bool q = a->quiet;
  a->quiet = true;
  const ty *t = NULL;
  if (e->kind == N_BINARY && e->op == O_MUL &&
      (is_var(a, e->kid[0], var) || is_var(a, e->kid[1], var))) {
    t = expr_of(a, e->kid[is_var(a, e->kid[0], var)], NULL).t;
    a->quiet = q;
    return t->kind == T_INT && ival_to_si(t->iv, coef) && *coef;
  }
  t = e->kind == N_NAME ? expr_of(a, e, NULL).t : NULL;
  a->quiet = q;
  if (!t || t->kind != T_INT || t->label == LAB_SEC) return false;
  mpz_t w;
  mpz_init(w);
  mpz_sub(w, t->iv->hi, t->iv->lo); /* only the width matters */
  *rest = ival_get(a->u->iv, ival_si(a->u->iv, 0, 0)->lo, w);
  mpz_clear(w);
  return true;
}

/* Does an index of the place name another element in each turn? */
static bool distinct(an *a, const node *place, const frame *f) {
  if (f->var < 0) return false;
  for (; place->kind == N_INDEX || place->kind == N_FIELD;
       place = place->kid[0]) {
    if (place->kind == N_FIELD) continue;
    for (uint32_t i = 1; i < place->nkid; i++) {
      int64_t c;
      const ival *rest;
      if (place->kid[i]->kind == N_RANGE ||
          !affine(a, place->kid[i], (uint32_t)f->var, &c, &rest, f->set) || !c)
        continue;
      mpz_t w;
      mpz_init(w);
      mpz_sub(w, rest->hi, rest->lo);
      bool ok = mpz_cmp_ui(w, (unsigned long)(c < 0 ? -c : c)) < 0;
      mpz_clear(w);
      if (ok) return true;
    }
  }
  return false;
}

void note_store(an *a, uint32_t slot, const node *place) {
  for (frame *f = a->frame; f; f = f->up) {
    int64_t i = loopset_find(f->set, slot);
    if (i < 0) continue;
    if (!f->at[i]) {
      f->at[i] = place;
      f->shared[i] = !distinct(a, place, f);
    } else if (!same_expr(f->at[i], place)) {
      f->shared[i] = true;
    }
  }
}

/* ---- one pass over the body ---- */

static void set_heads(loop *l) {
  an *a = l->a;
  for (uint32_t i = 0; i < l->set->n; i++) {
    if (!l->before[i].t) continue;
    val v = val_of(l->head[i]);
    v.fresh = l->fresh[i];
    uint32_t n = v.t->err ? 0 : v.t->nleaf;
    v.rel = ARENA_ARR(a->u->a, const rel *, n + 1);
    for (uint32_t k = 0; k < n; k++) {
      const ty *t = ty_leaf(v.t, k);
      if (t->kind != T_INT && t->kind != T_FIXED) continue;
      rel *r = ARENA_NEW(a->u->a, rel);
      *r = (rel){l->serial, l->set->slot[i], k, ival_si(a->u->iv, 0, 0)};
      v.rel[k] = r;
    }
    set_slot(a, l->set->slot[i], v);
  }
}

static void pass(loop *l, bool quiet) {
  an *a = l->a;
  bool q = a->quiet, returned = a->returned;
  a->quiet = quiet;
  l->frame.up = a->frame;
  a->frame = &l->frame;
  memset(l->frame.at, 0, (l->set->n + 1) * sizeof *l->frame.at);
  memset(l->frame.shared, 0, (l->set->n + 1) * sizeof *l->frame.shared);
  uint32_t mark = a->ntrail;
  set_heads(l);
  l->body(a, l->n, l->user);
  for (uint32_t i = 0; i < l->set->n; i++)
    l->end[i] = a->cur[l->set->slot[i]];
  roll_back(a, mark);
  a->frame = l->frame.up;
  a->returned = returned;
  a->quiet = q;
}

/* The growth of leaf k of variable i in one turn; NULL if it is no sum. */
static const ival *growth(const loop *l, uint32_t i, uint32_t k) {
  const rel *r = l->end[i].rel ? l->end[i].rel[k] : NULL;
  return r && r->loop == l->serial && r->slot == l->set->slot[i] && r->leaf == k
             ? r->d : NULL;
}

static bool array_leaf(const ty *t, uint32_t k) {
  while (t->nelem) {
    if (t->kind == T_ARRAY) return true;
    uint32_t i = 0;
    while (i + 1 < t->nelem && k >= t->elem[i]->nleaf) k -= t->elem[i++]->nleaf;
    t = t->elem[i];
  }
  return false;
}

static bool is_apart(const loop *l, uint32_t i) {
  return l->frame.at[i] && !l->frame.shared[i];
}

/* Values of a leaf that was s, after nlo..nhi turns. */
static const ival *grown(const loop *l, uint32_t i, uint32_t k, const ival *s,
                         const ival *d, mpz_srcptr nlo, mpz_srcptr nhi) {
  an *a = l->a;
  if (is_apart(l, i) && array_leaf(l->before[i].t, k))
    return ival_add(a->u->iv, s,
                    ival_hull(a->u->iv, d, ival_si(a->u->iv, 0, 0)));
  return ival_add(a->u->iv, s, ival_times(a->u->iv, d, nlo, nhi));
}

typedef struct mapping {
  loop *l;
  uint32_t i, k;
  bool after;
  mpz_srcptr nlo, nhi;
  bool widen, fresh;
} mapping;

static const ty *next_leaf(ty_set *s, const ty *h, void *user) {
  mapping *m = user;
  loop *l = m->l;
  uint32_t k = m->k++;
  const ty *e = ty_leaf(m->fresh ? val_fresh(l->end[m->i]) : l->end[m->i].t, k);
  const ty *b = ty_leaf(m->fresh ? val_fresh(l->before[m->i])
                                 : l->before[m->i].t, k);
  const ival *d = growth(l, m->i, k);
  const ty *j;
  if (d) {
    const ival *g = grown(l, m->i, k, b->iv, d, m->nlo, m->nhi);
    ty n = *ty_join(s, h, e);
    if (n.kind == T_INT) j = ty_int(s, g, n.label);
    else
      j = ty_fixed(s, n.ibits, n.fbits,
                   ival_meet(s->iv, g, ty_fixed_range(s, n.ibits, n.fbits)),
                   n.label);
    return m->after ? j : ty_join(s, b, j);
  }
  if (m->after) return mpz_sgn(m->nlo) > 0 ? e : ty_join(s, b, e);
  j = ty_join(s, ty_join(s, b, e), h);
  if (m->widen && j != h && j->kind == T_FIXED)
    j = ty_fixed(s, j->ibits, j->fbits, ty_fixed_range(s, j->ibits, j->fbits),
                 j->label);
  return j;
}

/* The next H of variable i, or its type after the loop. */
static const ty *next_type(loop *l, uint32_t i, bool after, bool widen,
                           bool fresh) {
  ty_set *s = l->a->u->ts;
  const ty *h = l->head[i], *e = l->end[i].t;
  if (fresh && l->fresh[i]) h = l->fresh[i];
  if (h->err || e->err || l->before[i].t->err) return s->error;
  mpz_t zero, most;
  mpz_init(zero);
  mpz_init(most);
  if (mpz_sgn(l->thi) > 0) mpz_sub_ui(most, l->thi, 1);
  mapping m = {l, i, 0, after, after ? l->tlo : zero, after ? l->thi : most,
               widen, fresh};
  const ty *t = ty_map(s, h, next_leaf, &m);
  mpz_clear(zero);
  mpz_clear(most);
  return t;
}

/* Elements to be touched: as before the loop if its turns are distinct. */
static const ty *next_fresh(loop *l, uint32_t i) {
  if (!l->frame.at[i] || l->end[i].t->err || l->head[i]->err) return NULL;
  const ty *f = l->frame.shared[i] ? next_type(l, i, false, false, true)
                                   : val_fresh(l->before[i]);
  return f == l->head[i] && !l->frame.at[i] ? NULL : f;
}

/* ---- looking for heads that stand still ---- */

static bool settle(loop *l, int rounds) {
  an *a = l->a;
  bool wide = a->wide;
  for (int r = 0; r < rounds; r++) {
    a->wide = wide || r >= 3;
    pass(l, true);
    a->wide = wide;
    bool moved = false;
    l->broken = false;
    for (uint32_t i = 0; i < l->set->n; i++) {
      l->moving[i] = false;
      if (!l->before[i].t || l->pinned[i]) continue;
      if (l->end[i].t->err && !l->head[i]->err) {
        l->broken = true; /* this head shows the error: the final pass does */
        continue;
      }
      const ty *t = next_type(l, i, false, r >= 3, false);
      const ty *f = next_fresh(l, i);
      if (t == l->head[i] && f == l->fresh[i]) continue;
      l->moving[i] = moved = true;
      l->head[i] = t;
      l->fresh[i] = f;
    }
    if (!moved) return true;
    if (spent(l->a, 0)) return false;
  }
  return false;
}

/* Turn by turn, from the least number of turns on each may be the last.
 * False after an error if `stop` is set; the heads are then of no use. */
static bool walk_turns(loop *l, uint64_t least, uint64_t t, bool quiet,
                       bool stop) {
  an *a = l->a;
  bool join = a->join;
  uint32_t poisons = a->poisons;
  const ty **out = ARENA_ARR(a->u->a, const ty *, l->set->n + 1);
  const ty **all = ARENA_ARR(a->u->a, const ty *, l->set->n + 1);
  for (uint32_t i = 0; i < l->set->n; i++) {
    all[i] = l->head[i] = l->before[i].t;
    out[i] = least ? NULL : all[i];
    l->fresh[i] = NULL;
  }
  for (uint64_t k = 0; k < t; k++) {
    pass(l, quiet);
    a->join = true;
    if (stop && a->poisons != poisons) {
      a->join = join;
      return false;
    }
    for (uint32_t i = 0; i < l->set->n; i++) {
      if (!l->before[i].t) continue;
      l->head[i] = l->end[i].t;
      const ty *j = ty_join(a->u->ts, all[i], l->end[i].t);
      all[i] = j ? j : a->u->ts->error;
      if (k + 1 < least) continue;
      j = out[i] ? ty_join(a->u->ts, out[i], l->end[i].t) : l->end[i].t;
      out[i] = j ? j : a->u->ts->error;
    }
  }
  a->join = join;
  for (uint32_t i = 0; i < l->set->n; i++) {
    if (!l->before[i].t) continue;
    l->head[i] = all[i];
    l->end[i] = val_of(out[i]);
  }
  return true;
}

/* False if it would take too long, or if a number of turns that is known at
 * run time only ends in an error: a declared type is the better mend. */
static bool walk(loop *l, uint64_t cost) {
  an *a = l->a;
  if (mpz_cmp_ui(l->thi, WALK_TURNS) > 0) return false;
  bool open = mpz_cmp(l->tlo, l->thi) != 0;
  uint64_t t = mpz_get_ui(l->thi), least = mpz_get_ui(l->tlo);
  uint64_t most = open ? WALK / 4 : WALK;
  if (t * (cost + 1) > most || spent(a, t * cost * (open ? 2 : 1)))
    return false;
  uint32_t n = l->set->n;
  if (open) {
    const ty **keep = ARENA_ARR(a->u->a, const ty *, 2 * n + 1);
    memcpy(keep, l->head, n * sizeof *keep);
    memcpy(keep + n, l->fresh, n * sizeof *keep);
    if (!walk_turns(l, least, t, true, true)) {
      memcpy(l->head, keep, n * sizeof *keep);
      memcpy(l->fresh, keep + n, n * sizeof *keep);
      return false;
    }
  }
  if (!open || !a->quiet) walk_turns(l, least, t, a->quiet, false);
  for (uint32_t i = 0; i < n; i++)
    if (l->before[i].t) set_slot(a, l->set->slot[i], l->end[i]);
  return true;
}

/* Anything of the declared type, with the labels found so far. */
static const ty *pin(loop *l, uint32_t i) {
  an *a = l->a;
  const ty *d = a->decl[l->set->slot[i]];
  if (!d) return NULL;
  const ty *t = ty_close(a->u->ts, d);
  const ty *j = ty_join(a->u->ts, t, l->head[i]);
  return j ? j : t;
}

/* An integer type to declare: 32 bits where they hold what is known. */
static const ty *usual_leaf(ty_set *s, const ty *t, void *user) {
  const an *a = user;
  if (t->kind != T_INT) return t;
  bool sign = mpz_sgn(t->iv->lo) < 0;
  for (unsigned w = 32; w <= TY_MAX_BITS; w *= 2) {
    const ival *iv = sign ? ival_signed(s->iv, w) : ival_unsigned(s->iv, w);
    if (t->label == LAB_SEC && !secret_fits(a, iv)) {
      w = secret_bits(a, sign);
      iv = sign ? ival_signed(s->iv, w) : ival_unsigned(s->iv, w);
      return ty_int(s, iv, t->label);
    }
    if (ival_inside(t->iv, iv)) return ty_int(s, iv, t->label);
  }
  return t;
}

static const char *usual(const loop *l, uint32_t i) {
  an *a = l->a;
  if (a->quiet || l->before[i].t->err) return "u32";
  const ty *t = l->before[i].t, *s = ty_relabel(a->u->ts, t, LAB_SEC);
  if (!l->head[i]->err && ty_join(a->u->ts, t, l->head[i])->sec) {
    /* labels as far as they are found, intervals as they were */
    for (uint32_t k = 0; k < t->nleaf; k++)
      if (ty_leaf(l->head[i], k)->label != LAB_SEC) s = t;
    t = s;
  }
  return ty_text(a->u->a, ty_map(a->u->ts, t, usual_leaf, a));
}

static void needs_type(loop *l, uint32_t i) {
  an *a = l->a;
  uint32_t slot = l->set->slot[i];
  const local *v = a->in->f ? &a->in->f->local[slot] : NULL;
  REPORT(a, NEEDS_TYPE, v ? v->sp : l->n->sp, v ? v->name : "?");
  diag_note(a->u->dg, (span){l->n->sp.start, l->n->sp.start + 1},
            "it grows in this loop by more than a sum does");
  diag_hint(a->u->dg, "Declare it, as in `var %s: %s`, and narrow what is "
                      "assigned with wrap, clamp or assume if need be.",
            v ? v->name : "x", usual(l, i));
  poison(a);
  l->head[i] = a->u->ts->error;
  l->fresh[i] = NULL;
  l->pinned[i] = true;
}

static void find_heads(loop *l) {
  for (uint32_t i = 0; i < l->set->n; i++)
    if (l->moving[i]) {
      const ty *p = pin(l, i);
      if (p) {
        l->head[i] = p;
        l->fresh[i] = NULL;
        l->pinned[i] = true;
      }
    }
  if (settle(l, ROUNDS)) return;
  for (uint32_t i = 0; i < l->set->n; i++)
    if (l->before[i].t && !l->pinned[i] && l->moving[i]) needs_type(l, i);
  if (!spent(l->a, 0) && settle(l, ROUNDS)) return;
  for (uint32_t i = 0; i < l->set->n; i++) {
    if (!l->before[i].t || l->pinned[i]) continue;
    const ty *p = pin(l, i);
    if (p) l->head[i] = p, l->fresh[i] = NULL, l->pinned[i] = true;
    else needs_type(l, i);
  }
}

/* ---- after the loop ---- */

typedef struct clipping {
  const ty *decl;
  uint32_t k;
} clipping;

static const ty *clip_leaf(ty_set *s, const ty *t, void *user) {
  clipping *c = user;
  const ty *d = ty_leaf(c->decl, c->k++);
  if (t->kind != T_INT || d->kind != T_INT) return t;
  return ty_int(s, ival_meet(s->iv, t->iv, d->iv), t->label);
}

/* A declared variable, or field, holds nothing else: what would not fit is
 * reported. */
static const ty *clipped(const loop *l, uint32_t i, const ty *t) {
  const ty *d = l->a->decl[l->set->slot[i]];
  if (t->err) return t;
  if (!d) d = undeclared(l->a, t);
  if (d->nleaf != t->nleaf) return t;
  clipping c = {d, 0};
  return ty_map(l->a->u->ts, t, clip_leaf, &c);
}

static const rel **outer_relations(loop *l, uint32_t i) {
  an *a = l->a;
  const val *b = &l->before[i];
  if (!b->rel) return NULL;
  const rel **out = ARENA_ARR(a->u->a, const rel *, b->t->nleaf + 1);
  for (uint32_t k = 0; k < b->t->nleaf; k++) {
    const ival *d = growth(l, i, k);
    if (!b->rel[k] || !d) continue;
    rel *r = ARENA_NEW(a->u->a, rel);
    *r = *b->rel[k];
    const ival *g =
        is_apart(l, i) && array_leaf(b->t, k)
            ? ival_hull(a->u->iv, d, ival_si(a->u->iv, 0, 0))
            : ival_times(a->u->iv, d, l->tlo, l->thi);
    r->d = ival_add(a->u->iv, r->d, g);
    out[k] = r;
  }
  return out;
}

static void finish(loop *l) {
  an *a = l->a;
  for (uint32_t i = 0; i < l->set->n; i++) {
    if (!l->before[i].t) continue;
    if (!a->quiet && l->end[i].t->err && !l->before[i].t->err)
      needs_type(l, i); /* unless an inner loop has said so */
    const ty *t = l->pinned[i] && !l->head[i]->err
                      ? ty_join(a->u->ts, l->head[i], l->end[i].t)
                      : next_type(l, i, true, false, false);
    val v = val_of(t ? clipped(l, i, t) : a->u->ts->error);
    if (!v.t->err) v.rel = outer_relations(l, i);
    if (!v.t->err && !l->pinned[i] && l->before[i].fresh)
      v.fresh = next_type(l, i, true, false, true);
    const ty *j = ty_join(a->u->ts, l->head[i], l->end[i].t);
    l->head[i] = j ? j : a->u->ts->error; /* now: what is carried */
    if (!v.t->err && j) {
      const ty *w = ty_join(a->u->ts, j, v.t);
      if (w) l->head[i] = w;
    }
    set_slot(a, l->set->slot[i], v);
  }
}

static void keep_facts(loop *l) {
  an *a = l->a;
  ninfo *ni = a->quiet ? NULL : info_of(a->in, l->n);
  if (!ni) return;
  loopfact *f = ni->p;
  bool fresh = !f;
  if (fresh) {
    f = ni->p = ARENA_NEW(a->u->a, loopfact);
    f->carry = ARENA_ARR(a->u->a, const ty *, l->set->n + 1);
  }
  for (uint32_t i = 0; i < l->set->n; i++) {
    const ty *t = l->before[i].t ? l->head[i] : NULL;
    if (a->join && !fresh && t && f->carry[i]) {
      const ty *j = ty_join(a->u->ts, t, f->carry[i]);
      if (j) t = j;
    }
    f->carry[i] = t;
  }
  int64_t trip = -1;
  if (mpz_cmp(l->tlo, l->thi) == 0) trip = (int64_t)mpz_get_ui(l->thi);
  f->trip = fresh || f->trip == trip ? trip : -1;
}

void analyse_loop(an *a, const node *n, loop_body body, void *user,
                  mpz_srcptr tlo, mpz_srcptr thi, int64_t var) {
  fe_unit *u = a->u;
  const loopset *set = u->res[n->id].p;
  loop l = {.a = a, .n = n, .body = body, .user = user, .tlo = tlo, .thi = thi,
            .set = set, .serial = ++a->nloop};
  uint32_t m = set->n + 1;
  l.before = ARENA_ARR(u->a, val, m);
  l.end = ARENA_ARR(u->a, val, m);
  l.head = ARENA_ARR(u->a, const ty *, m);
  l.fresh = ARENA_ARR(u->a, const ty *, m);
  l.moving = ARENA_ARR(u->a, bool, m);
  l.pinned = ARENA_ARR(u->a, bool, m);
  l.frame = (frame){set, var, ARENA_ARR(u->a, const node *, m),
                    ARENA_ARR(u->a, bool, m), NULL};
  for (uint32_t i = 0; i < set->n; i++) {
    l.before[i] = a->cur[set->slot[i]];
    l.head[i] = l.before[i].t;
  }
  if (mpz_sgn(thi) == 0) { /* never runs */
    bool q = a->quiet;
    pass(&l, true);
    a->quiet = q;
    for (uint32_t i = 0; i < set->n; i++) l.end[i] = l.before[i];
    keep_facts(&l);
    return;
  }
  uint64_t work = u->work;
  if (!spent(a, 0)) {
    bool still = settle(&l, ROUNDS);
    if (!still || l.broken) {
      if (walk(&l, (u->work - work) / ROUNDS)) {
        keep_facts(&l);
        return;
      }
      if (!still) find_heads(&l);
    }
  } else {
    for (uint32_t i = 0; i < set->n; i++) l.moving[i] = l.before[i].t != NULL;
    for (uint32_t i = 0; i < set->n; i++) {
      if (!l.before[i].t) continue;
      const ty *p = pin(&l, i);
      if (p) l.head[i] = p, l.pinned[i] = true;
      else needs_type(&l, i);
    }
    if (a->quiet) {
      for (uint32_t i = 0; i < set->n; i++) l.end[i] = val_of(l.head[i]);
      finish(&l);
      return;
    }
  }
  if (!a->quiet || !set->n) pass(&l, a->quiet);
  finish(&l);
  keep_facts(&l);
}
