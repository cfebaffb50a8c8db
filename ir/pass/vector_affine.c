/* Offsets as affine forms, and when places meet. */
#include <stdlib.h>
#include <string.h>

#include "ir/pass/vector.h"

#define BUDGET 96 /* steps that one form looks at */

static bool mul_add(int64_t *acc, int64_t a, int64_t b) {
  int64_t p;
  return !__builtin_mul_overflow(a, b, &p) &&
         !__builtin_add_overflow(*acc, p, acc);
}

static void add_term(affine *o, ir_value *v, int64_t k) {
  for (uint32_t j = 0; j < o->n; j++)
    if (o->t[j].v == v) {
      if (!mul_add(&o->t[j].k, k, 1)) o->ok = false;
      return;
    }
  if (o->n == VEC_TERMS) {
    o->ok = false;
    return;
  }
  o->t[o->n].v = v;
  o->t[o->n++].k = k;
}

static vcarry *carry_of(const vloop *l, const ir_value *v) {
  if (v->def || v->block != l->body || v->index == 0) return NULL;
  return l->carry ? &l->carry[v->index - 1] : NULL;
}

static void walk(vloop *l, ir_value *v, int64_t k, affine *o, int *budget) {
  int64_t c;
  if (!o->ok) return;
  if (pass_const_i64(v, &c)) {
    if (!mul_add(&o->c, c, k)) o->ok = false;
    return;
  }
  vcarry *y = carry_of(l, v);
  if (y && y->kind == CARRY_CONST) {
    walk(l, y->init, k, o, budget);
    return;
  }
  if (y && y->kind == CARRY_INDUCT && pass_const_i64(y->step, &c)) {
    int64_t p = 0;
    if (!mul_add(&p, c, k)) o->ok = false;
    add_term(o, l->iv, p);
    walk(l, y->init, k, o, budget);
    return;
  }
  ir_inst *d = v->def;
  if (d && --*budget > 0 && v->ty.lanes == 1 && v->ty.dom == DOM_Z) {
    int64_t p = 0;
    switch (d->op) {
    case OP_ADD:
      walk(l, d->arg[0], k, o, budget);
      walk(l, d->arg[1], k, o, budget);
      return;
    case OP_SUB:
      walk(l, d->arg[0], k, o, budget);
      walk(l, d->arg[1], -k, o, budget);
      return;
    case OP_NEG: walk(l, d->arg[0], -k, o, budget); return;
    case OP_MUL:
      for (int j = 0; j < 2; j++)
        if (pass_const_i64(d->arg[j], &c) && mul_add(&p, c, k)) {
          walk(l, d->arg[!j], p, o, budget);
          return;
        }
      break;
    default: break;
    }
  }
  add_term(o, v, k);
}

static int by_id(const void *x, const void *y) {
  const ir_value *const *a = x, *const *b = y;
  return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

void vec_affine(vloop *l, ir_value *v, affine *out) {
  int budget = BUDGET;
  *out = (affine){.ok = true};
  walk(l, v, 1, out, &budget);
  uint32_t n = 0;
  for (uint32_t j = 0; j < out->n; j++)
    if (out->t[j].k) out->t[n++] = out->t[j];
  out->n = n;
  qsort(out->t, n, sizeof *out->t, by_id);
}

int64_t vec_coef(const affine *a, const ir_value *v) {
  for (uint32_t j = 0; j < a->n; j++)
    if (a->t[j].v == v) return a->t[j].k;
  return 0;
}

/* Equal up to the constant and the index. */
static bool same_rest(const vloop *l, const affine *a, const affine *b) {
  uint32_t i = 0, j = 0;
  if (!a->ok || !b->ok) return false;
  for (;;) {
    while (i < a->n && a->t[i].v == l->iv) i++;
    while (j < b->n && b->t[j].v == l->iv) j++;
    if (i == a->n || j == b->n) return i == a->n && j == b->n;
    if (a->t[i].v != b->t[j].v || a->t[i].k != b->t[j].k) return false;
    i++;
    j++;
  }
}

bool vec_same_form(const affine *a, const affine *b) {
  if (!a->ok || !b->ok || a->c != b->c || a->n != b->n) return false;
  for (uint32_t j = 0; j < a->n; j++)
    if (a->t[j].v != b->t[j].v || a->t[j].k != b->t[j].k) return false;
  return true;
}

static int by_stride(const void *x, const void *y) {
  int64_t a = llabs(((const ir_dim *)x)->stride);
  int64_t b = llabs(((const ir_dim *)y)->stride);
  return a < b ? -1 : a > b;
}

/* With the turns as one more axis, each stride must exceed the reach of the
 * axes with smaller ones. */
bool vec_distinct(const vloop *l, const vaccess *x) {
  ir_dim d[VEC_DIMS + 1];
  if (!x->at.ok) return false;
  memcpy(d, x->d, x->nd * sizeof *d);
  d[x->nd] = (ir_dim){l->trip, vec_coef(&x->at, l->iv)};
  qsort(d, x->nd + 1, sizeof *d, by_stride);
  int64_t reach = 0;
  for (uint32_t k = 0; k <= x->nd; k++) {
    if (d[k].n == 1) continue;
    if (llabs(d[k].stride) <= reach) return false;
    if (!mul_add(&reach, llabs(d[k].stride), (int64_t)d[k].n - 1))
      return false;
  }
  return true;
}

static bool sweep(const vloop *l, const vaccess *x, int64_t *lo, int64_t *hi) {
  int64_t s = vec_coef(&x->at, l->iv);
  if (!ir_dims_extent(x->d, x->nd, lo, hi)) return false;
  return mul_add(lo, x->at.c, 1) && mul_add(hi, x->at.c, 1) &&
         mul_add(s < 0 ? lo : hi, s, (int64_t)l->trip - 1);
}

static int64_t gcd(int64_t a, int64_t b) {
  a = llabs(a);
  b = llabs(b);
  while (b) {
    int64_t t = a % b;
    a = b;
    b = t;
  }
  return a;
}

bool vec_apart(const vloop *l, const vaccess *x, const vaccess *y) {
  int64_t xlo, xhi, ylo, yhi;
  if (!same_rest(l, &x->at, &y->at)) return false;
  if (!sweep(l, x, &xlo, &xhi) || !sweep(l, y, &ylo, &yhi)) return false;
  if (xhi < ylo || yhi < xlo) return true;
  int64_t g = gcd(vec_coef(&x->at, l->iv), vec_coef(&y->at, l->iv));
  for (uint32_t k = 0; k < x->nd; k++)
    if (x->d[k].n > 1) g = gcd(g, x->d[k].stride);
  for (uint32_t k = 0; k < y->nd; k++)
    if (y->d[k].n > 1) g = gcd(g, y->d[k].stride);
  return g > 1 && (x->at.c - y->at.c) % g != 0;
}

bool vec_read_first(const vloop *l, const vaccess *get, const vaccess *put) {
  int64_t s = vec_coef(&get->at, l->iv), far = get->at.c - put->at.c;
  if (!same_rest(l, &get->at, &put->at) || s == 0 ||
      s != vec_coef(&put->at, l->iv) || ir_dims_lanes(get->d, get->nd) != 1 ||
      ir_dims_lanes(put->d, put->nd) != 1)
    return false;
  return far % s == 0 && far / s > 0;
}

bool vec_fits(const vloop *l, const ir_inst *i, const affine *a) {
  int64_t lo, hi, s = vec_coef(a, l->iv), n = (int64_t)i->arg[0]->ty.lanes;
  bool fixed = a->n == 0 || (a->n == 1 && s);
  if (!ir_dims_extent(i->at.dim, i->at.ndim, &lo, &hi) ||
      !mul_add(s < 0 ? &lo : &hi, s, (int64_t)l->trip - 1))
    return false;
  if (fixed) return mul_add(&lo, a->c, 1) && mul_add(&hi, a->c, 1) &&
                    lo >= 0 && hi < n;
  return hi - lo < n;
}

ir_value *vec_base(vloop *l, ir_builder *b, const affine *a, int64_t *c) {
  ir_value *sum = NULL;
  *c = a->c;
  for (uint32_t j = 0; j < a->n; j++) {
    ir_value *v = a->t[j].v;
    if (v == l->iv) continue;
    vinfo *x = vec_info(l, v);
    if (x) v = x->uni;
    if (a->t[j].k != 1)
      v = ir_op2(b, OP_MUL, v, ir_const_si(b, DOM_Z, a->t[j].k, 1));
    sum = sum ? ir_op2(b, OP_ADD, sum, v) : v;
  }
  return sum;
}
