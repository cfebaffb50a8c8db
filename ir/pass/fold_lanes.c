/* Views of views, of constants and of what was put; gets and puts at constant
 * places; gathers that are views. */
#include <string.h>

#include "ir/pass/fold.h"

#define DIMS 16
#define CHAIN 64 /* puts that a view looks through */

static bool identity(const ir_value *x, int64_t off, const ir_dim *d,
                     uint32_t nd) {
  uint64_t step = 1;
  if (off || ir_dims_lanes(d, nd) != x->ty.lanes) return false;
  for (uint32_t k = nd; k--; step *= d[k].n)
    if (d[k].n != 1 && d[k].stride != (int64_t)step) return false;
  return true;
}

/* ---- composition ----
 * The lanes of the inner view are counted in mixed radix by its axes.  An
 * outer axis that adds the same digits without a carry composes; one that runs
 * over a whole inner axis is first cut in two. */
typedef struct shape {
  ir_dim d[DIMS];
  uint32_t n;
  int64_t off;
} shape;

static bool cut(shape *o, uint32_t k, const shape *in, const int64_t *w) {
  ir_dim *d = &o->d[k];
  for (uint32_t j = 1; j < in->n; j++) {
    int64_t wide = w[j - 1];
    if (d->stride <= 0 || d->stride < w[j] || wide % d->stride ||
        d->stride >= wide)
      continue;
    uint64_t m = (uint64_t)(wide / d->stride);
    if (d->n <= m || d->n % m || o->n == DIMS) continue;
    memmove(d + 1, d, (o->n - k) * sizeof *d);
    o->n++;
    d[0] = (ir_dim){d[1].n / m, wide};
    d[1].n = m;
    return true;
  }
  return false;
}

static bool compose(shape *o, const shape *in) {
  int64_t w[DIMS + 1], used[DIMS], off = in->off;
  if (in->n == 0) {
    for (uint32_t k = 0; k < o->n; k++) o->d[k].stride = 0;
    o->off = in->off;
    return true;
  }
  w[in->n - 1] = 1;
  for (uint32_t k = in->n - 1; k--;)
    w[k] = w[k + 1] * (int64_t)in->d[k + 1].n;
  for (uint32_t k = 0; k < o->n; k++)
    while (cut(o, k, in, w)) continue;
  for (uint32_t j = 0; j < in->n; j++) {
    used[j] = o->off / w[j] % (int64_t)in->d[j].n;
    if (j == 0) used[j] = o->off / w[j];
    off += used[j] * in->d[j].stride;
  }
  for (uint32_t k = 0; k < o->n; k++) {
    int64_t s = o->d[k].stride, stride = 0;
    if (s < 0 && in->n > 1) return false;
    for (uint32_t j = 0; j < in->n; j++) {
      int64_t q = s / w[j];
      s -= q * w[j];
      stride += q * in->d[j].stride;
      used[j] += q * (int64_t)(o->d[k].n - 1);
      if (j && used[j] >= (int64_t)in->d[j].n) return false;
    }
    o->d[k].stride = stride;
  }
  o->off = off;
  return true;
}

static bool load(shape *s, int64_t off, const ir_dim *d, uint32_t nd) {
  if (nd > DIMS || off < 0) return false;
  memcpy(s->d, d, nd * sizeof *d);
  s->n = pass_dims_tidy(s->d, nd);
  s->off = off;
  return true;
}

/* ---- what a view may look through ---- */
static bool same_place(const shape *s, int64_t off, const ir_dim *d,
                       uint32_t nd) {
  shape t;
  return load(&t, off, d, nd) && t.off == s->off && t.n == s->n &&
         !memcmp(t.d, s->d, t.n * sizeof *t.d);
}

static bool apart(const shape *s, int64_t off, const ir_dim *d, uint32_t nd) {
  int64_t alo, ahi, blo, bhi;
  if (!ir_dims_extent(s->d, s->n, &alo, &ahi) ||
      !ir_dims_extent(d, nd, &blo, &bhi))
    return false;
  return s->off + ahi < off + blo || off + bhi < s->off + alo;
}

/* The operand of a concat that holds all of s; s becomes relative to it. */
static ir_value *in_part(const ir_inst *c, shape *s) {
  int64_t lo, hi, at = 0;
  if (!ir_dims_extent(s->d, s->n, &lo, &hi)) return NULL;
  lo += s->off;
  hi += s->off;
  uint32_t k = 0;
  if (c->narg > CHAIN) { /* find the part at once, or not at all */
    if (c->res[0]->ty.lanes != c->narg) return NULL;
    k = (uint32_t)lo;
    at = lo;
  }
  for (; k < c->narg; at += (int64_t)c->arg[k++]->ty.lanes) {
    if (lo >= at + (int64_t)c->arg[k]->ty.lanes) continue;
    if (hi >= at + (int64_t)c->arg[k]->ty.lanes) return NULL;
    s->off -= at;
    return c->arg[k];
  }
  return NULL;
}

/* One step of looking through x's definition; NULL when there is none. */
static ir_value *through(ir_value *x, shape *s) {
  ir_inst *d = x->def;
  if (!d) return NULL;
  if (d->op == OP_VIEW) {
    shape in, out = *s;
    if (!load(&in, d->at.off, d->at.dim, d->at.ndim) || !compose(&out, &in))
      return NULL;
    *s = out;
    s->n = pass_dims_tidy(s->d, s->n);
    return d->arg[0];
  }
  if (d->op == OP_CONCAT) return in_part(d, s);
  int64_t c;
  if (d->op != OP_PUT || !pass_const_i64(d->arg[2], &c)) return NULL;
  c += d->at.off;
  if (apart(s, c, d->at.dim, d->at.ndim)) return d->arg[0];
  if (!same_place(s, c, d->at.dim, d->at.ndim)) return NULL;
  s->off = 0;
  s->n = 1;
  s->d[0] = (ir_dim){d->arg[1]->ty.lanes, 1};
  return d->arg[1];
}

/* A few known lanes of a constant, table or iota. */
static ir_value *known(fold *f, ir_builder *b, ir_value *x, const shape *s) {
  uint64_t n = ir_dims_lanes(s->d, s->n);
  if (x->def->op == OP_CONST) return ir_const(b, x->ty.dom, x->def->at.imm, n);
  mpz_t t;
  mpz_init(t);
  ir_value *v = NULL;
  if (n == 1) {
    v = ir_const(b, x->ty.dom, fold_lane(x, (uint64_t)s->off, t), 1);
  } else if (x->def->op == OP_TABLE && n <= 4096 && s->n == 1) {
    mpz_srcptr *lane = ARENA_ARR(f->m->a, mpz_srcptr, n);
    for (uint64_t l = 0; l < n; l++)
      lane[l] = x->def->at.table[s->off + (int64_t)l * s->d[0].stride];
    ir_type ty = x->ty;
    ty.lanes = n;
    ir_inst *k = ir_emit(b, OP_TABLE, NULL, 0, &ty, 1);
    k->at.table = lane;
    v = k->res[0];
    v->ty.range = ir_inst_range(f->m, k);
  }
  mpz_clear(t);
  return v;
}

ir_value *fold_view(fold *f, ir_builder *b, ir_value *x, int64_t off,
                    const ir_dim *d, uint32_t nd) {
  shape s;
  if (!load(&s, off, d, nd)) return ir_view(b, x, off, d, nd);
  uint64_t lanes = ir_dims_lanes(s.d, s.n);
  for (int k = 0; k < CHAIN; k++) {
    ir_value *y = through(x, &s);
    if (!y) break;
    x = y;
  }
  if (x->def) /* one use more, or all of the view's */
    x->def->tmp = (void *)(fold_uses(x) + 2);
  if (lanes == x->ty.lanes && identity(x, s.off, s.d, s.n)) return x;
  if (fold_known(x)) {
    ir_value *v = known(f, b, x, &s);
    if (v) return v;
  }
  return pass_view(b, x, s.off, s.d, s.n);
}

/* A view of a step that nothing else uses is the step on views: those of its
 * operands may compose, and lanes that nobody reads are not computed. */
static ir_value *of_step(fold *f, ir_inst *i) {
  ir_inst *d = i->arg[0]->def;
  uint64_t lanes = i->res[0]->ty.lanes;
  if (!d || d->block != i->block || fold_uses(i->arg[0]) != 1 ||
      lanes > i->arg[0]->ty.lanes)
    return NULL;
  if (d->op != OP_ADD && d->op != OP_SUB && d->op != OP_NEG &&
      d->op != OP_MUL && d->op != OP_SELECT)
    return NULL;
  ir_builder b = pass_before(f->m, i);
  ir_value *arg[3];
  for (uint32_t k = 0; k < d->narg; k++) {
    if (k && d->arg[k] == d->arg[0])
      arg[k] = arg[0];
    else if (d->arg[k]->ty.lanes == 1 && i->arg[0]->ty.lanes > 1)
      arg[k] = d->arg[k];
    else
      arg[k] = fold_view(f, &b, d->arg[k], i->at.off, i->at.dim, i->at.ndim);
  }
  uint64_t most = 1; /* a scalar operand may have been all that is left */
  for (uint32_t k = 0; k < d->narg; k++)
    if (arg[k]->ty.lanes > most) most = arg[k]->ty.lanes;
  if (most != lanes) return NULL;
  ir_type ty = i->res[0]->ty;
  return ir_emit(&b, d->op, arg, d->narg, &ty, 1)->res[0];
}

/* Nothing to look through, nothing to tidy? */
static bool plain(const ir_inst *i) {
  const ir_inst *d = i->arg[0]->def;
  if (d && (d->op == OP_VIEW || d->op == OP_PUT || d->op == OP_CONCAT ||
            fold_known(i->arg[0])))
    return false;
  if (identity(i->arg[0], i->at.off, i->at.dim, i->at.ndim)) return false;
  return i->at.ndim == 1;
}

static ir_value *view(fold *f, ir_inst *i) {
  ir_value *step = of_step(f, i);
  if (step) return step;
  if (plain(i)) return NULL;
  ir_builder b = pass_before(f->m, i);
  ir_value *v = fold_view(f, &b, i->arg[0], i->at.off, i->at.dim, i->at.ndim);
  ir_inst *d = v->def;
  if (d && d->op == OP_VIEW && d->arg[0] == i->arg[0] &&
      d->at.ndim == i->at.ndim) { /* nothing new */
    ir_remove(d);
    return NULL;
  }
  return v;
}

static ir_value *get(fold *f, ir_inst *i) {
  int64_t c;
  if (!pass_const_i64(i->arg[1], &c) || pass_guarded(i)) return NULL;
  ir_builder b = pass_before(f->m, i);
  return fold_view(f, &b, i->arg[0], c + i->at.off, i->at.dim, i->at.ndim);
}

static ir_value *put(fold *f, ir_inst *i) {
  int64_t c;
  if (!pass_const_i64(i->arg[2], &c)) return NULL;
  if (c) { /* the constant moves into the attribute */
    ir_builder b = pass_before(f->m, i);
    i->at.off += c;
    i->arg[2] = ir_const_si(&b, DOM_Z, 0, 1);
    f->changed = true;
  }
  return identity(i->arg[0], i->at.off, i->at.dim, i->at.ndim) ? i->arg[1]
                                                               : NULL;
}

static ir_value *gather(fold *f, ir_inst *i) {
  ir_inst *d = i->arg[1]->def;
  if (!d || pass_guarded(i)) return NULL;
  ir_builder b = pass_before(f->m, i);
  int64_t c = 0, row = (int64_t)i->at.inner;
  ir_dim dim[2] = {{i->arg[1]->ty.lanes, d->op == OP_IOTA ? row : 0},
                   {i->at.inner, 1}};
  if (d->op != OP_IOTA && !pass_const_i64(i->arg[1], &c)) return NULL;
  return fold_view(f, &b, i->arg[0], c * row, dim, 2);
}

static ir_value *concat(fold *f, ir_inst *i) {
  uint64_t n = i->res[0]->ty.lanes;
  if (i->narg == 1) return i->arg[0];
  if (i->res[0]->ty.kind != KIND_PUB || n > FOLD_TABLE_MAX) return NULL;
  for (uint32_t k = 0; k < i->narg; k++)
    if (!fold_known(i->arg[k]) || i->arg[k]->def->op == OP_IOTA) return NULL;
  mpz_srcptr *lane = ARENA_ARR(f->m->a, mpz_srcptr, n);
  uint64_t at = 0;
  for (uint32_t k = 0; k < i->narg; k++)
    for (uint64_t l = 0; l < i->arg[k]->ty.lanes; l++)
      lane[at++] = fold_lane(i->arg[k], l, NULL);
  ir_builder b = pass_before(f->m, i);
  ir_inst *t = ir_emit(&b, OP_TABLE, NULL, 0, &i->res[0]->ty, 1);
  t->at.table = lane;
  t->res[0]->ty.range = ir_inst_range(f->m, t);
  return t->res[0];
}

ir_value *fold_lanes(fold *f, ir_inst *i) {
  switch (i->op) {
  case OP_VIEW: return view(f, i);
  case OP_GET: return get(f, i);
  case OP_PUT: return put(f, i);
  case OP_GATHER: return gather(f, i);
  case OP_CONCAT: return concat(f, i);
  default: return NULL;
  }
}
