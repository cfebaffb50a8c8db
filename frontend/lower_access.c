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
  access x = {t, 0, t->nleaf, ARENA_ARR(l->a, axes, t->nleaf + 1)};
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
  a->nd--;
}

/* A start of the run: in bounds by its interval or by a check. */
static ir_value *bounded(lo *l, ir_value *v, uint64_t last, bool slice) {
  const ival *iv = ival_si(l->u->iv, 0, (int64_t)last);
  const char *msg = slice
                        ? arena_printf(l->a, "slice out of range: its start is "
                                             "not in 0..%llu",
                                       (unsigned long long)last)
                        : arena_printf(l->a, "index out of range 0..%llu",
                                       (unsigned long long)last);
  return check_range(l, v, iv, msg);
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
      dyn = bounded(l, dyn, extent - len, range);
    } else if (start && start->kind != N_INT && start->kind != N_NAME) {
      lower_expr(l, start); /* it may have effects */
    }
    for (uint32_t i = 0; i < x->n; i++) {
      axes *a = &x->ax[x->from + i];
      shift(l, a, axis, dyn, fixed);
      if (range) a->d[axis].n = len;
      else drop_axis(a, axis);
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

lv access_load(lo *l, const access *x, const lv *whole) {
  lv v = lv_new(l, x->t);
  for (uint32_t i = 0; i < x->n; i++) {
    const axes *a = &x->ax[x->from + i];
    ir_value *w = whole->leaf[x->from + i];
    ir_dim d[64];
    uint32_t nd = merged(a, d);
    v.leaf[i] = a->dyn ? ir_get(&l->b, w, a->dyn, a->off, d, nd)
                       : ir_view(&l->b, w, a->off, d, nd);
  }
  return v;
}

lv access_store(lo *l, const access *x, const lv *whole, const lv *part) {
  lv v = lv_new(l, whole->t);
  memcpy(v.leaf, whole->leaf, whole->t->nleaf * sizeof *v.leaf);
  for (uint32_t i = 0; i < x->n; i++) {
    const axes *a = &x->ax[x->from + i];
    ir_value *w = whole->leaf[x->from + i], *p = part->leaf[i];
    ir_dim d[64];
    uint32_t nd = merged(a, d);
    uint64_t lanes = ir_dims_lanes(d, nd);
    if (lanes == w->ty.lanes && !a->dyn && !a->off) {
      v.leaf[x->from + i] = ir_splat(&l->b, p, lanes);
      continue;
    }
    v.leaf[x->from + i] = ir_put(&l->b, w, p, a->dyn ? a->dyn : z_si(l, 0),
                                 a->off, d, nd);
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
