/* Conversions that keep the clear value, and rearranged lanes. */
#include <string.h>

#include "ir/interp_impl.h"

/* ---- conversions ---- */
static bool run_dec(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty, *from = &i->arg[0]->ty;
  val *v = arg_of(x, nd, 0);
  if (!interp_must_lie(x, v, from, ty->range, IR_RUN_RANGE,
                       "the opened value does not fit its type", i->sp))
    return false;
  bool was = ir_lanes_wide(x->m, from), wide = ir_lanes_wide(x->m, ty);
  uint64_t n = v->st && v->st->n > 1 ? ty->lanes : 1;
  store *s = wide ? store_gmp(x, n, i->sp) : store_words(x, n, i->sp);
  if (!s) return false;
  for (uint64_t k = 0; k < n; k++) {
    if (!was && !wide) {
      uint64_t w = val_word(x, v, k);
      s->w[k] = w > x->p / 2 ? -(x->p - w) : w;
      continue;
    }
    val_mpz(v, DOM_P, was, k, x->t[0]);
    interp_centre(x->m, x->t[0]);
    store_set(s, k, x->t[0]);
  }
  val *r = res_of(x, nd);
  *r = (val){.st = s};
  if (n == 1 && !wide) {
    uint64_t word = s->w[0];
    val_drop(x, r);
    r->word = word;
  }
  return true;
}

/* t[0], of the type, if it lies in r, else a value that does. */
static void put_inside(ir_interp *x, const ir_type *ty, const ir_range *r) {
  mpz_set(x->t[1], x->t[0]);
  if (ty->dom == DOM_P) interp_centre(x->m, x->t[1]);
  if (mpz_cmp(x->t[1], r->lo) < 0 || mpz_cmp(x->t[1], r->hi) > 0)
    mpz_set(x->t[0], r->lo);
}

/* Where the guard of an assume is 0 nothing is checked: what lies outside gets
 * any value of the range.  What lies inside stays, as the guard is also 0 where
 * a pass has dropped the check. */
static bool mask_guard(ir_interp *x, const node *nd, val *r) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->arg[0]->ty;
  val *guard = arg_of(x, nd, 1);
  const ir_type *tg = &i->arg[1]->ty;
  bool wide_guard = ir_lanes_wide(x->m, tg);
  if (!val_settle(x, guard, tg->lanes, false, i->sp)) return false;
  bool wide = ir_lanes_wide(x->m, ty);
  store *s = wide ? store_gmp(x, ty->lanes, i->sp)
                  : store_words(x, ty->lanes, i->sp);
  if (!s) return false;
  for (uint64_t l = 0; l < ty->lanes; l++) {
    val_mpz(guard, tg->dom, wide_guard, tg->lanes == 1 ? 0 : l, x->t[0]);
    bool counts = mpz_sgn(x->t[0]) != 0;
    val_mpz(r, ty->dom, wide, l, x->t[0]);
    if (!counts) put_inside(x, ty, i->res[0]->ty.range);
    if (ty->dom == DOM_P) mpz_mod(x->t[0], x->t[0], x->m->p);
    store_set(s, l, x->t[0]);
  }
  val_drop(x, r);
  *r = (val){.st = s};
  if (ty->lanes > 1 || wide) return true;
  uint64_t word = s->w[0];
  val_drop(x, r);
  r->word = word;
  return true;
}

/* hide lift reduce open settle assume: the clear value is the same. */
static bool run_same(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  val *r = res_of(x, nd);
  if (!val_settle(x, arg_of(x, nd, 0), i->arg[0]->ty.lanes, false, i->sp))
    return false;
  *r = val_ref(*arg_of(x, nd, 0));
  if (nd->op != OP_ASSUME) return true;
  const ir_type *from = &i->arg[0]->ty;
  if (i->narg > 1 && !mask_guard(x, nd, r)) return false;
  return interp_must_lie(x, r, from, i->res[0]->ty.range, IR_RUN_ASSUME,
                         "an assumption is wrong", i->sp) &&
         val_convert(x, r, from, &i->res[0]->ty, i->sp);
}

/* ---- lanes ---- */
/* Offset operand k + the constant; false unless all lanes are in bounds. */
static bool offset(ir_interp *x, const node *nd, uint32_t k, int64_t *off) {
  const ir_inst *i = nd->i;
  int64_t lo, hi, lanes = (int64_t)i->arg[0]->ty.lanes;
  val_mpz(arg_of(x, nd, k), DOM_Z, ir_lanes_wide(x->m, &i->arg[k]->ty), 0,
          x->t[0]);
  bool ok = ir_dims_extent(i->at.dim, i->at.ndim, &lo, &hi) &&
            mpz_fits_slong_p(x->t[0]) &&
            !__builtin_add_overflow(mpz_get_si(x->t[0]), i->at.off, off) &&
            !__builtin_add_overflow(*off, lo, &lo) &&
            !__builtin_add_overflow(*off, hi, &hi) && lo >= 0 && hi < lanes;
  return ok || interp_fail(x, IR_RUN_UNDEFINED, i->sp,
                           "a lane outside the array was asked for");
}

static bool run_view(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  int64_t off = i->at.off;
  if (nd->op == OP_GET && !offset(x, nd, 1, &off)) return false;
  val *r = res_of(x, nd), *v = arg_of(x, nd, 0);
  if (v->st && v->st->form == ST_WORDS && !i->at.ndim) {
    r->word = v->st->w[off];
  } else {
    if (!val_settle(x, v, i->arg[0]->ty.lanes, false, i->sp)) return false;
    *r = val_ref(*v);
    if (!val_view(x, r, &i->arg[0]->ty, off, i->at.dim, i->at.ndim,
                  i->res[0]->ty.lanes, i->sp))
      return false;
  }
  /* the result's range may be wider than the operand's */
  return val_convert(x, r, &i->arg[0]->ty, &i->res[0]->ty, i->sp);
}

static store *store_like(ir_interp *x, const ir_value *v, span sp) {
  return ir_lanes_wide(x->m, &v->ty) ? store_gmp(x, v->ty.lanes, sp)
                                     : store_words(x, v->ty.lanes, sp);
}

/* A stored scalar in word form is no store. */
static void set_result(ir_interp *x, const node *nd, store *s) {
  val *r = res_of(x, nd);
  *r = (val){.st = s};
  if (s->form != ST_WORDS || s->n != 1) return;
  uint64_t word = s->w[0];
  val_drop(x, r);
  r->word = word;
}

/* Copies lane `from` of v (type t) to lane `to` of s, which may be wider. */
static void copy_lane(ir_interp *x, store *s, uint64_t to, const val *v,
                      const ir_type *t, uint64_t from) {
  bool wide = ir_lanes_wide(x->m, t);
  if (!wide && s->form == ST_WORDS) {
    s->w[to] = val_word(x, v, from);
    return;
  }
  val_mpz(v, t->dom, wide, from, x->t[0]);
  if (!store_set(s, to, x->t[0]))
    interp_fail(x, IR_RUN_WRONG, (span){0, 0}, "a value left its range");
}

/* Lanes from .. from + n - 1 of v to lanes to .. of s. */
static void copy_run(ir_interp *x, store *s, uint64_t to, const val *v,
                     const ir_type *t, uint64_t from, uint64_t n) {
  uint64_t tmp[CHUNK];
  if (s->form != ST_WORDS || ir_lanes_wide(x->m, t)) {
    for (uint64_t l = 0; l < n; l++) copy_lane(x, s, to + l, v, t, from + l);
    return;
  }
  for (uint64_t l = 0; l < n; l += CHUNK) {
    uint32_t k = n - l < CHUNK ? (uint32_t)(n - l) : CHUNK;
    memcpy(s->w + to + l, val_load(x, v, from + l, k, tmp), k * sizeof *s->w);
  }
}

static bool run_gather(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ti = &i->arg[1]->ty, *tx = &i->arg[0]->ty;
  val *v = arg_of(x, nd, 0), *idx = arg_of(x, nd, 1);
  if (!val_settle(x, v, tx->lanes, false, i->sp) ||
      !val_settle(x, idx, ti->lanes, false, i->sp))
    return false;
  store *s = store_like(x, i->res[0], i->sp);
  if (!s) return false;
  *res_of(x, nd) = (val){.st = s};
  bool wide = ir_lanes_wide(x->m, ti);
  uint64_t row = i->at.inner;
  for (uint64_t k = 0; k < ti->lanes; k++) {
    val_mpz(idx, DOM_Z, wide, k, x->t[0]);
    if (mpz_sgn(x->t[0]) < 0 || mpz_cmp_ui(x->t[0], tx->lanes / row - 1) > 0)
      return interp_fail(x, IR_RUN_UNDEFINED, i->sp,
                         "a lane outside the array was asked for");
    uint64_t from = mpz_get_ui(x->t[0]) * row; /* copies use t[0], too */
    if (row == 1) copy_lane(x, s, k, v, tx, from);
    else copy_run(x, s, k * row, v, tx, from, row);
  }
  set_result(x, nd, s);
  return true;
}

/* The array of a put: operand 0's own if nothing else holds it. */
static store *put_target(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *t = &i->arg[0]->ty;
  val *v = arg_of(x, nd, 0);
  bool wide = ir_lanes_wide(x->m, &i->res[0]->ty);
  if (!val_settle(x, v, t->lanes, true, i->sp)) return NULL;
  store *s = v->st;
  if (s && s->ref == 1 && nd->arg0_dies && i->arg[1] != i->arg[0] &&
      s->n == t->lanes && wide == (s->form == ST_GMP)) {
    v->st = NULL;
    return s;
  }
  s = store_like(x, i->res[0], i->sp);
  if (!s) return NULL;
  if (v->st && v->st->form == ST_WORDS && !wide)
    memcpy(s->w, v->st->w, s->n * sizeof *s->w);
  else
    for (uint64_t k = 0; k < s->n; k++) copy_lane(x, s, k, v, t, k);
  return s;
}

static bool run_put(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *tp = &i->arg[1]->ty;
  val *part = arg_of(x, nd, 1);
  int64_t off;
  if (!offset(x, nd, 2, &off) ||
      !val_settle(x, part, tp->lanes, false, i->sp))
    return false;
  store *s = put_target(x, nd);
  if (!s) return false;
  if (!i->at.ndim) { /* one lane: the common case of a loop */
    copy_lane(x, s, (uint64_t)off, part, tp, 0);
  } else {
    const ir_dim *in = &i->at.dim[i->at.ndim - 1];
    uint64_t run = in->stride == 1 ? in->n : 1; /* lanes side by side */
    for (uint64_t l = 0; l < tp->lanes; l += run) {
      uint64_t rest = l;
      int64_t at = off;
      for (uint32_t k = i->at.ndim; k--;) {
        at += (int64_t)(rest % i->at.dim[k].n) * i->at.dim[k].stride;
        rest /= i->at.dim[k].n;
      }
      if (run == 1) copy_lane(x, s, (uint64_t)at, part, tp, l);
      else copy_run(x, s, (uint64_t)at, part, tp, l, run);
    }
  }
  set_result(x, nd, s);
  return x->status == IR_RUN_OK;
}

static bool run_concat(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  store *s = store_like(x, i->res[0], i->sp);
  if (!s) return false;
  uint64_t at = 0;
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_type *t = &i->arg[k]->ty;
    val *v = arg_of(x, nd, k);
    if (!val_settle(x, v, t->lanes, false, i->sp)) break;
    copy_run(x, s, at, v, t, 0, t->lanes);
    at += t->lanes;
  }
  set_result(x, nd, s);
  return x->status == IR_RUN_OK;
}

static bool run_iota(ir_interp *x, const node *nd) {
  store *s = store_like(x, nd->i->res[0], nd->i->sp);
  if (!s) return false;
  for (uint64_t k = 0; k < s->n; k++) {
    if (s->form == ST_WORDS)
      s->w[k] = k;
    else
      mpz_set_ui(&s->g[k], k);
  }
  set_result(x, nd, s);
  return true;
}

bool interp_move(ir_interp *x, const node *nd) {
  switch (nd->op) {
  case OP_DEC: return run_dec(x, nd);
  case OP_VIEW:
  case OP_GET: return run_view(x, nd);
  case OP_GATHER: return run_gather(x, nd);
  case OP_PUT: return run_put(x, nd);
  case OP_CONCAT: return run_concat(x, nd);
  case OP_IOTA: return run_iota(x, nd);
  default: return run_same(x, nd);
  }
}
