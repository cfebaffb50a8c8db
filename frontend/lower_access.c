/* Elements, slices, fields: views that read, puts that write. */
#include <string.h>

#include "frontend/lower.h"

/* All array sizes around leaf i, outermost first. */
static uint32_t sizes_of(const ty *t, uint32_t i, uint64_t *dim) {
  uint32_t n = 0;
  for (;;) {
    for (uint32_t k = 0; k < t->ndim && n < 64; k++) dim[n++] = t->dim[k];
    if (!t->nelem) return n;
    uint32_t k = 0;
    while (k + 1 < t->nelem && i >= t->elem[k]->nleaf) i -= t->elem[k++]->nleaf;
    t = t->elem[k];
  }
}

access access_whole(lo *l, const ty *t) {
  access x = {t, 0, t->nleaf, ARENA_ARR(l->a, axes, t->nleaf + 1), NULL};
  uint64_t dim[64];
  for (uint32_t i = 0; i < t->nleaf; i++) {
    axes *a = &x.ax[i];
    a->nd = sizes_of(t, i, dim);
    int64_t stride = 1;
    for (uint32_t k = a->nd; k-- > 0;) {
      a->d[k] = (ir_dim){dim[k], stride};
      stride *= (int64_t)dim[k];
    }
  }
  return x;
}

static void shift(lo *l, axes *a, uint32_t axis, ir_value *dyn, int64_t fixed) {
  int64_t stride = a->d[axis].stride;
  if (!dyn) {
    a->off += fixed * stride;
    return;
  }
  ir_value *o = stride == 1 ? dyn : ir_op2(&l->b, OP_MUL, dyn, z_si(l, stride));
  a->dyn = a->dyn ? ir_op2(&l->b, OP_ADD, a->dyn, o) : o;
}

static void drop_axis(axes *a, uint32_t axis) {
  memmove(a->d + axis, a->d + axis + 1, (a->nd - axis - 1) * sizeof *a->d);
  memmove(a->at + axis, a->at + axis + 1, (a->nd - axis - 1) * sizeof *a->at);
  a->nd--;
}

/* The k-th axis of what is reached. */
static uint32_t open_axis(const axes *a, uint32_t k) {
  uint32_t i = 0;
  for (;; i++)
    if (!a->at[i] && k-- == 0) return i;
}

/* A start of the run: in bounds by its interval or by a check.  Where that
 * would tell a secret, somewhere in bounds, and x->hit says whether it was. */
static ir_value *bounded(lo *l, access *x, ir_value *v, uint64_t last,
                         bool slice, bool sec) {
  const ival *iv = ival_si(l->u->iv, 0, (int64_t)last);
  const char *msg = slice
                        ? arena_printf(l->a, "slice out of range: its start is "
                                             "not in 0..%llu",
                                       (unsigned long long)last)
                        : arena_printf(l->a, "index out of range 0..%llu",
                                       (unsigned long long)last);
  if ((!sec && !l->guard) || ir_range_within(v->ty.range, range_of(l, iv)))
    return check_range(l, v, iv, msg);
  ir_value *ok = ir_op2(&l->b, OP_AND, ir_op2(&l->b, OP_LE, z_si(l, 0), v),
                        ir_op2(&l->b, OP_LE, v, z_si(l, (int64_t)last)));
  note_that(l, ok, msg);
  x->hit = x->hit ? ir_op2(&l->b, OP_AND, x->hit, ok) : ok;
  return clamped(l, v, iv);
}

void access_at(lo *l, access *x, ir_value *i) {
  const ty *t = x->t;
  mpz_srcptr c;
  for (uint32_t k = 0; k < x->n; k++) {
    axes *a = &x->ax[x->from + k];
    if (ir_is_const(i, &c)) shift(l, a, 0, NULL, mpz_get_si(c));
    else shift(l, a, 0, i, 0);
    drop_axis(a, 0);
  }
  x->t = ty_with_dims(l->u->ts, t, t->dim + 1, t->ndim - 1);
}

void access_index(lo *l, access *x, const node *n) {
  const ty *t = x->t;
  uint64_t dim[64];
  uint32_t nd = 0, axis = 0;
  for (uint32_t k = 1; k < n->nkid; k++) {
    const node *e = n->kid[k];
    const ty *full = NULL;
    int64_t fixed = 0;
    ir_value *dyn = NULL;
    uint64_t extent = t->dim[k - 1], len = 1;
    bool range = e->kind == N_RANGE;
    const node *start = range ? (e->nkid ? e->kid[0] : NULL) : e;
    if (range) {
      /* the analysis found the length; its sizes are in the result's type */
      int64_t hi = (int64_t)extent, lo_ = 0;
      const ty *ts = start ? type_at(l, start) : NULL;
      const node *end = e->nkid > 1 ? e->kid[1] : NULL;
      const ty *te = end ? type_at(l, end) : NULL;
      full = type_at(l, n);
      bool known = (!ts || ival_to_si(ts->iv, &lo_)) &&
                   (!te || ival_to_si(te->iv, &hi));
      len = known ? (uint64_t)(hi - lo_)
                  : full && nd < full->ndim ? full->dim[nd] : 1;
    }
    const ty *si = start ? type_at(l, start) : NULL;
    if (start && !(si->iv && ival_to_si(si->iv, &fixed))) {
      dyn = lower_expr(l, start).leaf[0];
      if (l->failed) return;
      if (dyn->ty.dom == DOM_P)
        dyn = spared(l, typed_operand(l, dyn, false), 0);
      else
        dyn = bounded(l, x, dyn, extent - len, range, si->sec);
    } else if (start && start->kind != N_INT && start->kind != N_NAME) {
      lower_expr(l, start); /* it may have effects */
    }
    for (uint32_t i = 0; i < x->n; i++) {
      axes *a = &x->ax[x->from + i];
      uint32_t at = open_axis(a, axis);
      if (dyn && dyn->ty.dom == DOM_P) {
        a->at[at] = dyn;
        continue;
      }
      shift(l, a, at, dyn, fixed);
      if (range) a->d[at].n = len;
      else drop_axis(a, at);
    }
    if (range) {
      dim[nd++] = len;
      axis++;
    }
  }
  for (uint32_t k = n->nkid - 1; k < t->ndim; k++) dim[nd++] = t->dim[k];
  x->t = ty_with_dims(l->u->ts, t, dim, nd);
}

void access_field(lo *l, access *x, uint32_t k) {
  const ty *t = x->t, *e = ty_elem(t);
  for (uint32_t i = 0; i < k; i++) x->from += e->elem[i]->nleaf;
  x->n = e->elem[k]->nleaf;
  x->t = t->kind == T_ARRAY
             ? ty_array(l->u->ts, e->elem[k], t->dim, t->ndim) : e->elem[k];
}

/* Axes that lie one behind the other become one. */
static uint32_t merged(const axes *a, ir_dim *d) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < a->nd; k++) {
    if (a->d[k].n == 1) continue;
    if (n && d[n - 1].stride == a->d[k].stride * (int64_t)a->d[k].n) {
      d[n - 1].n *= a->d[k].n;
      d[n - 1].stride = a->d[k].stride;
    } else {
      d[n++] = a->d[k];
    }
  }
  return n;
}

/* ---- places that a share names: one-hot vectors ---- */

static bool by_share(const axes *a) {
  for (uint32_t k = 0; k < a->nd; k++)
    if (a->at[k]) return true;
  return false;
}

static ir_value *read_axes(lo *l, const axes *a, ir_value *w) {
  ir_dim d[64];
  bool all = by_share(a);
  uint32_t nd = all ? a->nd : merged(a, d);
  const ir_dim *dim = all ? a->d : d;
  return a->dyn ? ir_get(&l->b, w, a->dyn, a->off, dim, nd)
                : ir_view(&l->b, w, a->off, dim, nd);
}

static ir_value *write_axes(lo *l, const axes *a, ir_value *w, ir_value *p) {
  ir_dim d[64];
  bool all = by_share(a);
  uint32_t nd = all ? a->nd : merged(a, d);
  const ir_dim *dim = all ? a->d : d;
  uint64_t lanes = ir_dims_lanes(dim, nd);
  if (lanes == w->ty.lanes && !a->dyn && !a->off)
    return ir_splat(&l->b, p, lanes);
  return ir_put(&l->b, w, p, a->dyn ? a->dyn : z_si(l, 0), a->off, dim, nd);
}

/* Of v, whose lanes have the axes a, the place that axis k names: the sum of
 * one-hot times v along it. */
static ir_value *pick(lo *l, ir_value *v, axes *a, uint32_t k) {
  uint64_t pre = 1, post = 1, n = a->d[k].n;
  for (uint32_t i = 0; i < a->nd; i++)
    if (i != k) *(i < k ? &pre : &post) *= a->d[i].n;
  ir_dim dv[3] = {{pre, (int64_t)(n * post)}, {post, 1}, {n, (int64_t)post}};
  ir_dim dh[2] = {{pre * post, 0}, {n, 1}};
  const ir_range *at = a->at[k]->ty.range, *r = v->ty.range;
  bool inside = mpz_sgn(at->lo) >= 0 && mpz_cmp_ui(at->hi, n) < 0;
  ir_value *hot = ir_view(&l->b, ir_onehot(&l->b, a->at[k], n), 0, dh, 2);
  v = ir_op2(&l->b, OP_MUL, ir_view(&l->b, v, 0, dv, 3), hot);
  v = ir_fold(&l->b, OP_SUM, v, n);
  if (r) {
    const ival *iv = ival_get(l->u->iv, r->lo, r->hi);
    v = within(l, v, inside ? iv : ival_hull(l->u->iv, iv,
                                            ival_si(l->u->iv, 0, 0)));
  }
  drop_axis(a, k);
  return v;
}

/* 1 at the lanes of the axes a that all the shares name. */
static ir_value *mask_of(lo *l, const axes *a) {
  ir_value *m = NULL;
  ir_dim d[64];
  int64_t stride = 1;
  for (uint32_t k = a->nd; k-- > 0;) {
    d[k] = (ir_dim){a->d[k].n, a->at[k] ? stride : 0};
    if (a->at[k]) stride *= (int64_t)a->d[k].n;
  }
  for (uint32_t k = 0; k < a->nd; k++) {
    if (!a->at[k]) continue;
    ir_value *h = ir_onehot(&l->b, a->at[k], a->d[k].n);
    if (m) {
      ir_dim dm[2] = {{m->ty.lanes, 1}, {h->ty.lanes, 0}};
      ir_dim dh[2] = {{m->ty.lanes, 0}, {h->ty.lanes, 1}};
      ir_value *x = ir_view(&l->b, m, 0, dm, 2);
      h = ir_op2(&l->b, OP_AND, x, ir_view(&l->b, h, 0, dh, 2));
    }
    m = h;
  }
  return ir_view(&l->b, m, 0, d, a->nd);
}

/* The part, stretched along the axes that shares name. */
static ir_value *spread(lo *l, const axes *a, ir_value *p) {
  if (p->ty.lanes == 1) return p;
  ir_dim d[64];
  int64_t stride = 1;
  for (uint32_t k = a->nd; k-- > 0;) {
    d[k] = (ir_dim){a->d[k].n, a->at[k] ? 0 : stride};
    if (!a->at[k]) stride *= (int64_t)a->d[k].n;
  }
  return ir_view(&l->b, p, 0, d, a->nd);
}

lv access_load(lo *l, const access *x, const lv *whole) {
  lv v = lv_new(l, x->t);
  for (uint32_t i = 0; i < x->n; i++) {
    axes a = x->ax[x->from + i];
    ir_value *p = read_axes(l, &a, whole->leaf[x->from + i]);
    for (uint32_t k = 0; k < a.nd;)
      if (a.at[k]) p = pick(l, p, &a, k);
      else k++;
    if (x->hit) p = ir_select(&l->b, x->hit, p,
                              ir_const_si(&l->b, p->ty.dom, 0, 1));
    v.leaf[i] = p;
  }
  return v;
}

lv access_store(lo *l, const access *x, const lv *whole, const lv *part) {
  lv v = lv_new(l, whole->t);
  memcpy(v.leaf, whole->leaf, whole->t->nleaf * sizeof *v.leaf);
  for (uint32_t i = 0; i < x->n; i++) {
    const axes *a = &x->ax[x->from + i];
    ir_value *w = whole->leaf[x->from + i], *p = part->leaf[i];
    if (by_share(a)) {
      ir_value *old = read_axes(l, a, w);
      p = ir_select(&l->b, mask_of(l, a), spread(l, a, p), old);
    }
    if (x->hit) p = ir_select(&l->b, x->hit, p, read_axes(l, a, w));
    v.leaf[x->from + i] = write_axes(l, a, w, p);
  }
  return v;
}

ir_value *stretch(lo *l, ir_value *v, const ty *from, const uint64_t *dim,
                  uint32_t nd) {
  uint32_t n = from->kind == T_ARRAY ? from->ndim : 0;
  uint64_t lanes = 1;
  for (uint32_t i = 0; i < nd; i++) lanes *= dim[i];
  if (v->ty.lanes == lanes || v->ty.lanes == 1) return v;
  ir_dim d[64];
  int64_t stride = 1;
  for (uint32_t i = 0; i < nd; i++) {
    uint32_t k = nd - 1 - i;
    uint64_t size = i < n ? from->dim[n - 1 - i] : 1;
    d[k] = (ir_dim){dim[k], size == 1 ? 0 : stride};
    stride *= (int64_t)size;
  }
  return ir_view(&l->b, v, 0, d, nd);
}
