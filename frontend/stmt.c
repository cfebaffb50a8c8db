/* Statements.  The state of a function is a value per slot; changes go on a
 * trail, so that branches can be undone and merged at the cost of what they
 * change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "frontend/sema.h"

void set_slot(an *a, uint32_t slot, val v) {
  if (!a->cur) return; /* in the type of a declaration: reported */
  if (a->ntrail == a->captrail) {
    uint32_t cap = a->captrail ? a->captrail * 2 : 64;
    a->trail = arena_grow(a->u->a, a->trail, a->ntrail, cap, sizeof *a->trail);
    a->captrail = cap;
  }
  a->trail[a->ntrail++] = (trail){slot, a->cur[slot]};
  a->cur[slot] = v;
}

void roll_back(an *a, uint32_t mark) {
  while (a->ntrail > mark) {
    const trail *t = &a->trail[--a->ntrail];
    a->cur[t->slot] = t->old;
  }
}

val join_vals(an *a, val x, val y) {
  const ty *t = ty_join(a->u->ts, x.t, y.t);
  val v = {t, NULL, NULL};
  if (t && (x.fresh || y.fresh))
    v.fresh = ty_join(a->u->ts, val_fresh(x), val_fresh(y));
  if (!t || !x.rel || !y.rel || t->err || x.t->err || y.t->err) return v;
  v.rel = ARENA_ARR(a->u->a, const rel *, t->nleaf + 1);
  for (uint32_t i = 0; i < t->nleaf; i++) {
    const rel *p = x.rel[i], *q = y.rel[i];
    if (!p || !q || p->loop != q->loop || p->slot != q->slot ||
        p->leaf != q->leaf)
      continue;
    rel *r = ARENA_NEW(a->u->a, rel);
    *r = *p;
    r->d = ival_hull(a->u->iv, p->d, q->d);
    v.rel[i] = r;
  }
  return v;
}

/* ---- let, var ---- */

void bind_pattern(an *a, const node *p, val v) {
  if (p->kind == N_NAME) {
    const res *r = &a->u->res[p->id];
    if (r->kind == R_LOCAL) set_slot(a, r->idx, v);
    record(a, p, v.t);
    return;
  }
  if (p->kind != N_TUPLE) return;
  bool ok = v.t->kind == T_TUPLE && v.t->nelem == p->nkid;
  if (!ok && !v.t->err) {
    REPORT(a, PATTERN, p->sp, p->nkid, tx(a, v.t));
    diag_hint(a->u->dg, "The pattern needs a name for each part of a tuple.");
    poison(a);
  }
  uint32_t at = 0;
  for (uint32_t i = 0; i < p->nkid; i++) {
    val e = val_of(a->u->ts->error);
    if (ok) {
      e.t = v.t->elem[i];
      if (v.rel) e.rel = v.rel + at;
      at += e.t->nleaf;
    }
    bind_pattern(a, p->kid[i], e);
  }
}

static void declare_types(an *a, const node *p, const ty *t) {
  if (p->kind == N_NAME && a->u->res[p->id].kind == R_LOCAL && a->decl)
    a->decl[a->u->res[p->id].idx] = t;
  for (uint32_t i = 0; p->kind == N_TUPLE && i < p->nkid; i++)
    declare_types(a, p->kid[i], t && t->kind == T_TUPLE && t->nelem == p->nkid
                                    ? t->elem[i] : NULL);
}

static const char *what_of(an *a, const node *p) {
  if (a->quiet) return "";
  return p->kind == N_NAME ? arena_printf(a->u->a, "\"%s\"", p->text)
                           : "the pattern";
}

static void let_of(an *a, const node *n) {
  const ty *want = n->kid[1] ? type_of(a, n->kid[1]) : NULL;
  val v = expr_of(a, n->kid[2], want);
  if (want) {
    fitting f = {n->kid[2]->sp, what_of(a, n->kid[0]), false, false, NULL};
    v = fit_val(a, &f, v, want);
    ninfo *i = a->quiet ? NULL : info_of(a->in, n);
    if (i) i->want = want;
  } else if (!v.t->err && !ty_is_data(v.t)) {
    REPORT(a, NOT_DATA, n->kid[2]->sp, tx(a, v.t));
    diag_hint(a->u->dg, v.t->kind == T_TOLD
                            ? "A told value is known to one identity only; "
                              "write the reveal as a statement."
                            : "There is no value to keep.");
    v = val_of(poison(a));
  }
  declare_types(a, n->kid[0], want && !want->err ? want : NULL);
  bind_pattern(a, n->kid[0], v);
}

/* ---- assignment ---- */

/* A place read as an expression; element relations stay those of the whole,
 * as the same element is read and written. */
static val place_of(an *a, const node *n) {
  val v;
  if (n->kind == N_INDEX) {
    val b = place_of(a, n->kid[0]);
    v = val_of(b.t->err ? poison(a) : index_type(a, n, b.t));
    v.rel = v.t->err ? NULL : b.rel;
  } else if (n->kind == N_FIELD) {
    v = field_val(a, n, place_of(a, n->kid[0]));
  } else {
    v = expr_of(a, n, NULL);
    if (v.fresh) v = (val){v.fresh, v.rel, NULL};
    return v;
  }
  record(a, n, v.t);
  return v;
}

/* The sub-type of t that the place reaches; `indexed`: through an index. */
static const ty *reach(an *a, const node *n, const ty *t, const node *root,
                       bool *indexed) {
  if (n == root) return t;
  const ty *b = reach(a, n->kid[0], t, root, indexed);
  if (b->err) return b;
  if (n->kind == N_FIELD) {
    bool q = a->quiet;
    a->quiet = true;
    val v = field_val(a, n, val_of(b));
    a->quiet = q;
    return v.t;
  }
  *indexed = true;
  bool q = a->quiet;
  a->quiet = true;
  const ty *r = index_place(a, n, b);
  a->quiet = q;
  return r;
}

/* t with the part that the place reaches joined with (indexed) or replaced by
 * the leaves of v. */
typedef struct storing {
  an *a;
  uint32_t from, n; /* leaves of the whole */
  const ty *v;
  bool weak;
  uint32_t at;
} storing;

static const ty *store_leaf(ty_set *s, const ty *t, void *user) {
  storing *st = user;
  uint32_t i = st->at++;
  if (i < st->from || i >= st->from + st->n) return t;
  const ty *v = ty_leaf(st->v, i - st->from);
  if (!st->weak) return v;
  const ty *j = ty_join(s, t, v);
  return j ? j : t;
}

static uint32_t leaf_start(an *a, const node *n, const ty *t, const node *root,
                           const ty **sub) {
  if (n == root) {
    *sub = t;
    return 0;
  }
  const ty *b;
  uint32_t at = leaf_start(a, n->kid[0], t, root, &b);
  const ty *e = ty_elem(b);
  *sub = e; /* below an index only the element matters */
  if (n->kind != N_FIELD) return at;
  for (uint32_t i = 0; i < e->nelem; i++) {
    bool hit = e->kind == T_STRUCT
                   ? !strcmp(e->fname[i], n->text)
                   : strtoul(n->text, NULL, 10) == i;
    if (hit) {
      *sub = e->elem[i];
      return at;
    }
    at += e->elem[i]->nleaf;
  }
  return at;
}

static val stored(an *a, const node *place, const node *root, val whole,
                  val v, bool weak) {
  const ty *sub;
  storing st = {.a = a, .v = v.t, .weak = weak, .n = v.t->nleaf};
  st.from = leaf_start(a, place, whole.t, root, &sub);
  val r = val_of(ty_map(a->u->ts, whole.t, store_leaf, &st));
  if (whole.fresh) {
    st.at = 0;
    r.fresh = ty_map(a->u->ts, whole.fresh, store_leaf, &st);
  }
  if (!whole.rel && !v.rel) return r;
  r.rel = ARENA_ARR(a->u->a, const rel *, r.t->nleaf + 1);
  for (uint32_t i = 0; i < r.t->nleaf; i++) {
    const rel *old = whole.rel ? whole.rel[i] : NULL;
    if (i < st.from || i >= st.from + st.n) {
      r.rel[i] = old;
      continue;
    }
    const rel *now = v.rel ? v.rel[i - st.from] : NULL;
    if (!weak) {
      r.rel[i] = now;
    } else if (old && now && old->loop == now->loop && old->slot == now->slot &&
               old->leaf == now->leaf) {
      rel *m = ARENA_NEW(a->u->a, rel);
      *m = *old;
      m->d = ival_hull(a->u->iv, old->d, now->d);
      r.rel[i] = m;
    }
  }
  return r;
}

/* The secret index on the way to the place, or NULL. */
static const node *secret_index(an *a, const node *place, const node *root) {
  bool q = a->quiet;
  const node *found = NULL;
  a->quiet = true;
  for (; place != root && !found; place = place->kid[0])
    for (uint32_t i = 1; place->kind == N_INDEX && i < place->nkid; i++)
      if (place->kid[i]->kind != N_RANGE && place->kid[i]->kind != N_INT &&
          expr_of(a, place->kid[i], NULL).t->sec)
        found = place->kid[i];
  a->quiet = q;
  return found;
}

/* What a secret condition around the assignment, or a secret index, makes of
 * its value; false after a report. */
static bool by_secret(an *a, const node *n, uint32_t slot, const node *index,
                      const ty *decl, val *v) {
  bool outside = a->under && slot < a->under->first;
  if (!outside && !index) return true;
  const local *x = a->in->f ? &a->in->f->local[slot] : NULL;
  if (x && x->hidden && outside && !decl->sec) return false; /* an effect */
  if (decl &&
      !decided_fits(a, n, x && !x->hidden ? x : NULL, decl,
                    outside ? "a secret condition" : "a secret index",
                    outside ? a->under->cond : index->sp))
    return false;
  v->t = decided(a, n->sp, v->t, "value");
  return !v->t->err;
}

static void assign_of(an *a, const node *n) {
  const node *place = n->kid[0], *root = place, *rhs = n->kid[1];
  while (root->kind == N_INDEX || root->kind == N_FIELD) root = root->kid[0];
  const res *r = root->kind == N_NAME ? &a->u->res[root->id] : NULL;
  if (r && r->kind == R_MAP) {
    map_assign(a, n);
    return;
  }
  if (!r || r->kind != R_LOCAL || !a->cur || !a->cur[r->idx].t) {
    expr_of(a, rhs, NULL);
    poison(a);
    return;
  }
  uint32_t slot = r->idx;
  val at = place_of(a, place);
  const ty *decl = a->decl[slot];
  bool indexed = false;
  const ty *want = NULL;
  val v;
  if (!at.t->err) {
    const ty *whole = decl ? decl : undeclared(a, a->cur[slot].t);
    want = reach(a, place, whole, root, &indexed);
  }
  /* x = x + d is x += d: then d counts, not the interval of x. */
  node_op op = (node_op)n->op;
  const node *d = rhs;
  bool same = !op && rhs->kind == N_BINARY &&
              (rhs->op == O_ADD || rhs->op == O_SUB) && indexed &&
              same_expr(place, rhs->kid[0]);
  if (same) {
    op = (node_op)rhs->op;
    d = rhs->kid[1];
    expr_of(a, rhs->kid[0], NULL);
  }
  v = expr_of(a, d, want && !want->err ? want : NULL);
  if (op) {
    v = apply_binary(a, same ? rhs : n, op,
                     place == root ? a->cur[slot] : at, v);
    record(a, same ? rhs : n, v.t);
  }
  if (!want || want->err || v.t->err) {
    poison(a);
    return;
  }
  if (!by_secret(a, n, slot, indexed ? secret_index(a, place, root) : NULL,
                 decl ? want : NULL, &v)) {
    poison(a);
    return;
  }
  fitting f = {n->sp, what_of(a, root), !decl, false, decl ? NULL : at.t};
  if (place != root && !a->quiet)
    f.what = place->kind == N_FIELD
                 ? arena_printf(a->u->a, "part \"%s\"", place->text)
                 : "the element";
  v = fit_val(a, &f, v, want);
  ninfo *ni = a->quiet ? NULL : info_of(a->in, n);
  if (ni) {
    record(a, place, at.t);
    ni->want = ni->want && a->join ? ty_join(a->u->ts, ni->want, want) : want;
    if (!ni->want) ni->want = want;
  }
  if (v.t->err) return;
  if (a->frame) note_store(a, slot, place);
  set_slot(a, slot, place == root ? v
                                  : stored(a, place, root, a->cur[slot], v,
                                           indexed));
}

/* ---- if ---- */

typedef struct change {
  uint32_t slot;
  val v;
} change;
typedef VEC(change) changes;

/* What the slots changed since `mark` are now. */
static void collect(an *a, uint32_t mark, changes *out) {
  for (uint32_t i = a->ntrail; i-- > mark;) {
    change c = {a->trail[i].slot, a->cur[a->trail[i].slot]};
    vec_push(a->u->a, out, c);
  }
}

/* Drops what is declared within the branch. */
static void keep_outer(const an *a, changes *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++)
    if (a->cur[c->p[i].slot].t) c->p[n++] = c->p[i];
  c->n = n;
}

static void merge(an *a, changes *x, changes *y, bool dead_x, bool dead_y) {
  keep_outer(a, x);
  keep_outer(a, y);
  uint32_t mark = a->ntrail;
  /* the one side stands, the other is joined into it */
  const changes *first = dead_x ? y : x;
  for (size_t i = 0; i < first->n; i++)
    set_slot(a, first->p[i].slot, first->p[i].v);
  if (dead_x || dead_y) return;
  uint32_t end = a->ntrail, stamp = ++a->stamps;
  for (size_t i = 0; i < y->n; i++) {
    uint32_t slot = y->p[i].slot;
    a->stamp[slot] = stamp;
    val j = join_vals(a, a->cur[slot], y->p[i].v);
    if (j.t) set_slot(a, slot, j);
  }
  for (uint32_t i = mark; i < end; i++) {
    /* changed by the first side only: the old value is the second's */
    uint32_t slot = a->trail[i].slot;
    if (a->stamp[slot] == stamp) continue;
    val j = join_vals(a, a->cur[slot], a->trail[i].old);
    if (j.t) set_slot(a, slot, j);
  }
}

val if_of(an *a, const node *n, const ty *want) {
  ty_set *ts = a->u->ts;
  val c = expr_of(a, n->kid[0], NULL);
  const node *other = n->nkid > 2 ? n->kid[2] : NULL;
  int known = -1;
  bool sec = false;
  const under *outer = a->under, in = {n->kid[0]->sp, a->u->res[n->id].idx};
  if (!c.t->err) {
    if (c.t->kind != T_BOOL) {
      REPORT(a, CONDITION, n->kid[0]->sp, tx(a, c.t));
      if (c.t->kind == T_INT)
        diag_hint(a->u->dg, "Compare it: `x != 0`.");
      else if (c.t->kind == T_ARRAY)
        diag_hint(a->u->dg, "Say `any(c)` or `all(c)`.");
      poison(a);
    } else if (c.t->label == LAB_SEC) {
      effect_under_secret(a, n, n->kid[0]->sp);
      sec = true;
    } else if (ival_single(c.t->iv)) {
      known = mpz_sgn(c.t->iv->lo) != 0;
    }
  }
  bool quiet = a->quiet, returned = a->returned;
  uint32_t mark = a->ntrail;
  changes x = {0}, y = {0};
  a->quiet = quiet || known == 0;
  if (sec) a->under = &in;
  bool plain = !c.t->err && c.t->kind == T_BOOL;
  if (plain) narrow(a, n->kid[0], true, c.t->label);
  val v = block_of(a, n->kid[1], want);
  bool rx = a->returned;
  collect(a, mark, &x);
  roll_back(a, mark);
  a->returned = returned;
  a->quiet = quiet || known == 1;
  if (plain) narrow(a, n->kid[0], false, c.t->label);
  val w = val_of(ts->unit);
  if (other)
    w = other->kind == N_IF ? expr_of(a, other, want)
                            : block_of(a, other, want);
  bool ry = a->returned;
  collect(a, mark, &y);
  roll_back(a, mark);
  a->quiet = quiet;
  a->under = outer;
  bool dead_x = known == 0 || (rx && known != 1);
  bool dead_y = known == 1 || (ry && known != 0);
  a->returned = known == 1 ? rx : known == 0 ? ry : rx && ry;
  if (dead_x && dead_y) dead_y = false, dead_x = false;
  merge(a, &x, &y, dead_x, dead_y);
  if (known == 1) return v;
  if (known == 0) return w;
  if (!other || v.t->kind == T_UNIT || w.t->kind == T_UNIT) {
    if (rx && !ry && other) return w;
    if (ry && !rx) return v;
    return val_of(ts->unit);
  }
  val j = join_vals(a, v, w);
  if (!j.t && v.t->kind == T_INT && w.t->kind == T_FIXED)
    j = join_vals(a, val_of(ty_fixed(ts, fixed_ibits(v.t, w.t->ibits),
                                     w.t->fbits,
                                     fixed_raw(a, v.t, w.t->fbits),
                                     LAB_PUB)), w);
  else if (!j.t && w.t->kind == T_INT && v.t->kind == T_FIXED)
    j = join_vals(a, v, val_of(ty_fixed(ts, fixed_ibits(w.t, v.t->ibits),
                                        v.t->fbits,
                                        fixed_raw(a, w.t, v.t->fbits),
                                        LAB_PUB)));
  if (!j.t) {
    REPORT(a, BRANCHES_DIFFER, n->sp, tx(a, v.t), tx(a, w.t));
    diag_hint(a->u->dg, "Both branches of an `if` with a value have to give "
                        "the same type.");
    return val_of(poison(a));
  }
  if (sec && !j.t->err) j.t = decided(a, n->sp, j.t, "value");
  return j;
}

/* ---- blocks ---- */

static void return_of(an *a, const node *n) {
  inst *in = a->in;
  const ty *ret = in->ret;
  /* what is sought quietly is found again, unless nothing gets there */
  bool live = !a->quiet && !a->returned;
  val v = val_of(a->u->ts->unit);
  if (a->under) return_under_secret(a, n);
  if (n->nkid && n->kid[0]) v = expr_of(a, n->kid[0], ret);
  const ty *t = v.t;
  if (!t->err && t->kind == T_TOLD) {
    t = ret && !ret->err ? t : v.t;
  } else if (!ret) {
    if (t->kind != T_UNIT && !t->err) {
      REPORT(a, RETURN_VALUE, n->sp, tx(a, t));
      diag_hint(a->u->dg, in->s ? "Declare the result: `-> %s`."
                                : "A test returns nothing, not %s.",
                tx(a, t));
      poison(a);
    }
  } else if (t->kind == T_UNIT) {
    if (!ret->err) {
      REPORT(a, MISSING_RETURN, n->sp, in->s ? in->s->name : "test",
             "returns here", tx(a, ty_close(a->u->ts, ret)));
      diag_hint(a->u->dg, "This `return` gives no value; write "
                          "`return x;`.");
    }
    poison(a);
    t = a->u->ts->error;
  } else {
    fitting f = {n->nkid && n->kid[0] ? n->kid[0]->sp : n->sp, "the result",
                 true, false, NULL};
    t = fit(a, &f, t, ret);
    if (f.leaked && live && !in->leak) {
      in->leak = true;
      in->leak_sp = f.sp;
    }
  }
  if (live) inst_gives(in, t);
  a->returned = true;
}

static void for_body(an *a, const node *n, void *user) {
  bind_pattern(a, n->kid[0], val_of((const ty *)user));
  block_of(a, n->kid[2], NULL);
}

static void while_body(an *a, const node *n, void *user) {
  (void)user;
  val c = expr_of(a, n->kid[0], NULL);
  const loopset *set = a->u->res[n->id].p;
  const under *outer = a->under, in = {n->kid[0]->sp, set->first};
  if (!c.t->err && c.t->kind != T_BOOL) {
    REPORT(a, CONDITION, n->kid[0]->sp, tx(a, c.t));
    diag_hint(a->u->dg, "Compare it with something.");
    poison(a);
  } else if (c.t->label == LAB_SEC && !c.t->err) {
    effect_under_secret(a, n, n->kid[0]->sp);
    if (assigns_within(n->kid[0])) {
      unsupported(a, n->kid[0]->sp, "an assignment in a secret condition",
                  "Assign in the body of the loop.");
      poison(a);
    }
    a->under = &in;
  }
  if (!c.t->err && c.t->kind == T_BOOL)
    narrow(a, n->kid[0], true, c.t->label);
  block_of(a, n->kid[2], NULL);
  a->under = outer;
}

/* Loop variable and turns of `in a..b`; false after a report. */
static const ty *range_of(an *a, const node *r, mpz_t tlo, mpz_t thi) {
  const ty *e[2];
  for (int i = 0; i < 2; i++) {
    const node *k = i < (int)r->nkid ? r->kid[i] : NULL;
    if (!k) {
      REPORT(a, RANGE_BOUNDS, r->sp, "an end");
      diag_hint(a->u->dg, "Write both: `a..b`.");
      return poison(a);
    }
    e[i] = expr_of(a, k, NULL).t;
    if (e[i]->err) return poison(a);
    if (e[i]->kind != T_INT) {
      REPORT(a, RANGE_BOUNDS, k->sp, tx(a, e[i]));
      diag_hint(a->u->dg, "Bounds are integers.");
      return poison(a);
    }
    if (e[i]->label == LAB_SEC) {
      unsupported(a, k->sp, "a secret loop bound",
                  "Loop to a public bound that is surely large enough.");
      return poison(a);
    }
  }
  mpz_sub(tlo, e[1]->iv->lo, e[0]->iv->hi);
  mpz_sub(thi, e[1]->iv->hi, e[0]->iv->lo);
  if (mpz_sgn(tlo) < 0) mpz_set_ui(tlo, 0);
  if (mpz_sgn(thi) < 0) mpz_set_ui(thi, 0);
  if (mpz_sizeinbase(thi, 2) > 62) {
    REPORT(a, RANGE_BOUNDS, r->sp, "more than 2^62 turns");
    diag_hint(a->u->dg, "Narrow the bounds: clamp(n, u32).");
    return poison(a);
  }
  mpz_t hi;
  mpz_init(hi);
  mpz_sub_ui(hi, e[1]->iv->hi, 1);
  if (mpz_cmp(hi, e[0]->iv->lo) < 0) mpz_set(hi, e[0]->iv->lo);
  const ty *t = ty_int(a->u->ts, ival_get(a->u->iv, e[0]->iv->lo, hi), LAB_PUB);
  mpz_clear(hi);
  return t;
}

static void for_of(an *a, const node *n) {
  mpz_t tlo, thi;
  mpz_init(tlo);
  mpz_init(thi);
  const node *src = n->kid[1];
  const ty *var;
  int64_t slot = -1;
  if (src->kind == N_RANGE) {
    var = range_of(a, src, tlo, thi);
    if (n->kid[0]->kind == N_NAME) slot = a->u->res[n->kid[0]->id].idx;
  } else {
    const ty *t = expr_of(a, src, NULL).t;
    var = t;
    if (t->kind == T_ARRAY) {
      mpz_set_ui(tlo, t->dim[0]);
      mpz_set_ui(thi, t->dim[0]);
      var = ty_with_dims(a->u->ts, t, t->dim + 1, t->ndim - 1);
    } else if (!t->err) {
      REPORT(a, NOT_A_SOURCE, src->sp, tx(a, t));
      diag_hint(a->u->dg, "Loop over a range `a..b` or an array.");
      var = poison(a);
    }
  }
  if (var->err) mpz_set_ui(thi, 1);
  analyse_loop(a, n, for_body, (void *)(uintptr_t)var, tlo, thi, slot);
  mpz_clear(tlo);
  mpz_clear(thi);
}

static void while_of(an *a, const node *n) {
  mpz_t tlo, thi;
  mpz_init(tlo);
  mpz_init(thi);
  uint64_t max = size_of(a, n->kid[1], "number of turns");
  mpz_set_ui(thi, max ? max : 1);
  analyse_loop(a, n, while_body, NULL, tlo, thi, -1);
  mpz_clear(tlo);
  mpz_clear(thi);
}

static void expr_stmt(an *a, const node *n) {
  const node *e = n->kid[0];
  val v = expr_of(a, e, NULL);
  if (v.t->err || v.t->kind == T_UNIT || v.t->kind == T_TOLD ||
      e->kind == N_IF || e->kind == N_BLOCK || e->kind == N_ERROR)
    return;
  REPORT(a, UNUSED_RESULT, n->sp);
  diag_hint(a->u->dg, "Assign it, `let _ = ...;`, or leave the statement out.");
}

void stmt_of(an *a, const node *n) {
  switch (n->kind) {
  case N_LET:
  case N_VAR: let_of(a, n); break;
  case N_ASSIGN: assign_of(a, n); break;
  case N_FOR: for_of(a, n); break;
  case N_WHILE: while_of(a, n); break;
  case N_RETURN: return_of(a, n); break;
  case N_EMIT: emit_of(a, n); break;
  case N_EXPR: expr_stmt(a, n); break;
  case N_ERROR: poison(a); break;
  default: expr_of(a, n, NULL);
  }
}

val block_of(an *a, const node *n, const ty *want) {
  if (n->kind != N_BLOCK) return val_of(poison(a));
  for (uint32_t i = 0; i < n->nkid; i++) {
    const node *s = n->kid[i];
    if (a->returned && !a->quiet && i && n->kid[i - 1]->kind == N_RETURN) {
      REPORT(a, UNREACHABLE, s->sp);
      diag_hint(a->u->dg, "Remove what follows the return.");
    }
    if (n->has_value && i + 1 == n->nkid) {
      val v = expr_of(a, s->kind == N_EXPR ? s->kid[0] : s, want);
      record(a, n, v.t);
      return v;
    }
    stmt_of(a, s);
  }
  record(a, n, a->u->ts->unit);
  return val_of(a->u->ts->unit);
}
