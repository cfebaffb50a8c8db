/* Control flow, edges and lanes of the interpreter. */
#include "ir/interp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp_impl.h"

bool interp_fail(ir_interp *x, ir_status s, span sp, const char *fmt, ...) {
  if (x->status != IR_RUN_OK) return false;
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  x->status = s;
  x->sp = sp;
  x->message = arena_strdup(x->a, text);
  return false;
}

static val *slot(ir_interp *x, const ir_value *v) { return &x->slot[v->id]; }

static val *arg_of(ir_interp *x, const node *nd, uint32_t k) {
  return slot(x, nd->i->arg[k]);
}

static val *res_of(ir_interp *x, const node *nd) {
  return slot(x, nd->i->res[0]);
}

static void kill_range(ir_interp *x, const node *nd, uint32_t from,
                       uint32_t to) {
  for (uint32_t k = from; k < to; k++) val_drop(x, &x->slot[nd->kill[k]]);
}

/* ---- ranges ---- */
static bool leaves_range(const ir_range *r, mpz_srcptr v) {
  return r && (mpz_cmp(v, r->lo) < 0 || mpz_cmp(v, r->hi) > 0);
}

/* v as an integer: of a residue the representative of least absolute value. */
static void centre(const ir_module *m, mpz_ptr v) {
  mpz_t twice;
  mpz_init(twice);
  mpz_mul_2exp(twice, v, 1);
  if (mpz_cmp(twice, m->p) > 0) mpz_sub(v, v, m->p);
  mpz_clear(twice);
}

/* Do all lanes lie in r?  (A p value whose range the field cannot hold is not
 * constrained by it.) */
static bool in_range(ir_interp *x, val *v, const ir_type *ty,
                     const ir_range *r, span sp) {
  if (!r || (ty->dom == DOM_P && !ir_range_in_field(x->m, r))) return true;
  bool wide = ir_lanes_wide(x->m, ty);
  if (!val_settle(x, v, ty->lanes, false, sp)) return false;
  uint64_t n = v->st && v->st->n > 1 ? ty->lanes : 1;
  if (!wide && ir_range_is_int64(r)) {
    int64_t lo = mpz_get_si(r->lo), hi = mpz_get_si(r->hi);
    for (uint64_t l = 0; l < n; l++) {
      uint64_t w = val_word(x, v, l);
      int64_t s = (int64_t)w;
      if (ty->dom == DOM_P && w > x->p / 2) s = -(int64_t)(x->p - w);
      if (s < lo || s > hi) {
        mpz_set_si(x->t[3], s);
        return false;
      }
    }
    return true;
  }
  for (uint64_t l = 0; l < n; l++) {
    val_mpz(v, ty->dom, wide, l, x->t[3]);
    if (ty->dom == DOM_P) centre(x->m, x->t[3]);
    if (leaves_range(r, x->t[3])) return false;
  }
  return true;
}

/* Reports the lane in t[3] unless all lie in r. */
static bool must_lie(ir_interp *x, val *v, const ir_type *ty,
                     const ir_range *r, ir_status s, const char *what,
                     span sp) {
  if (in_range(x, v, ty, r, sp)) return true;
  if (x->status != IR_RUN_OK) return false;
  char *got = mpz_get_str(NULL, 10, x->t[3]);
  char *lo = mpz_get_str(NULL, 10, r->lo), *hi = mpz_get_str(NULL, 10, r->hi);
  interp_fail(x, s, sp, "%s: %.80s is not in %.80s .. %.80s", what, got, lo,
              hi);
  free(got);
  free(lo);
  free(hi);
  return false;
}

static bool check_result(ir_interp *x, const ir_value *v, span sp) {
  return !x->o.check_ranges ||
         must_lie(x, slot(x, v), &v->ty, v->ty.range, IR_RUN_WRONG,
                  "a value left its range", sp);
}

/* ---- edges ---- */
static bool run_input(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty;
  int leaf = ir_leaf_find(x->m->in, x->m->nin, i->at.name);
  const ir_lanes *in = leaf < 0 ? NULL : &x->in[leaf];
  if (!in || in->n != ty->lanes)
    return interp_fail(x, IR_RUN_INPUT, i->sp, "input '%.100s' is missing",
                       i->at.name);
  bool wide = ir_lanes_wide(x->m, ty);
  if (wide != (in->mpz != NULL))
    return interp_fail(x, IR_RUN_INPUT, i->sp,
                       "input '%.100s' came in the wrong form", i->at.name);
  store *s = wide ? store_gmp(x, in->n, i->sp) : store_words(x, in->n, i->sp);
  if (!s) return false;
  val v = {.st = s};
  for (uint64_t k = 0; k < in->n; k++) {
    if (wide && ty->dom == DOM_P)
      mpz_mod(&s->g[k], &in->mpz[k], x->m->p);
    else if (wide)
      mpz_set(&s->g[k], &in->mpz[k]);
    else if (ty->dom == DOM_Z)
      s->w[k] = (uint64_t)in->i64[k];
    else
      s->w[k] = in->i64[k] < 0
                    ? (x->p - -(uint64_t)in->i64[k] % x->p) % x->p
                    : (uint64_t)in->i64[k] % x->p;
  }
  if (!wide && in->n == 1) {
    uint64_t word = s->w[0];
    val_drop(x, &v);
    v.word = word;
  }
  *res_of(x, nd) = v;
  return must_lie(x, res_of(x, nd), ty, ty->range, IR_RUN_INPUT, i->at.name,
                  i->sp);
}

/* The lanes of v for a host: see ir_lanes. */
static bool export(ir_interp *x, val *v, const ir_type *ty,
                   const ir_leaf *leaf, ir_lanes *out, span sp) {
  bool wide = ir_lanes_wide(x->m, ty);
  bool centred = ty->dom == DOM_P && strcmp(leaf->type, "field");
  if (!val_settle(x, v, ty->lanes, false, sp)) return false;
  ir_lanes_fini(out);
  if (!ir_lanes_init(out, ty->lanes, wide))
    return interp_fail(x, IR_RUN_BUDGET, sp, "could not hold an output");
  for (uint64_t k = 0; k < ty->lanes; k++) {
    if (wide) {
      val_mpz(v, ty->dom, true, k, &out->mpz[k]);
      if (centred) centre(x->m, &out->mpz[k]);
      continue;
    }
    uint64_t w = val_word(x, v, k);
    out->i64[k] = (int64_t)w;
    if (centred && w > x->p / 2) out->i64[k] = -(int64_t)(x->p - w);
  }
  return true;
}

static bool run_output(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  int leaf = ir_leaf_find(x->m->out, x->m->nout, i->at.name);
  if (leaf < 0) return interp_fail(x, IR_RUN_WRONG, i->sp, "no such output");
  x->has_out[leaf] = true;
  return export(x, arg_of(x, nd, 0), &i->arg[0]->ty, &x->m->out[leaf],
                &x->out[leaf], i->sp);
}

static bool run_tell(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  int leaf = ir_leaf_find(x->m->out, x->m->nout, i->at.name);
  if (leaf < 0) return interp_fail(x, IR_RUN_WRONG, i->sp, "no such output");
  if (x->ntold == x->captold) {
    uint32_t cap = x->captold ? x->captold * 2 : 8;
    ir_told *t = realloc(x->told, cap * sizeof *t);
    if (!t) arena_oom_hook();
    x->told = t;
    x->captold = cap;
  }
  ir_told *t = &x->told[x->ntold++];
  *t = (ir_told){.name = i->at.name, .sp = i->sp};
  mpz_init(t->identity);
  val_mpz(arg_of(x, nd, 1), DOM_Z, ir_lanes_wide(x->m, &i->arg[1]->ty), 0,
          t->identity);
  x->n.told_lanes += i->arg[0]->ty.lanes;
  return export(x, arg_of(x, nd, 0), &i->arg[0]->ty, &x->m->out[leaf],
                &t->value, i->sp);
}

static bool run_check(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  val *v = arg_of(x, nd, 0);
  bool wide = ir_lanes_wide(x->m, &i->arg[0]->ty); /* never: 0/1 */
  uint64_t n = v->st ? i->arg[0]->ty.lanes : 1;
  if (wide || !val_settle(x, v, i->arg[0]->ty.lanes, false, i->sp))
    return false;
  for (uint64_t k = 0; k < n; k++)
    if (!val_word(x, v, k))
      return interp_fail(x, IR_RUN_CHECK, i->sp, "%.500s", i->at.message);
  return true;
}

/* ---- conversions ---- */
static bool run_dec(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_type *ty = &i->res[0]->ty, *from = &i->arg[0]->ty;
  val *v = arg_of(x, nd, 0);
  if (!must_lie(x, v, from, ty->range, IR_RUN_RANGE,
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
    centre(x->m, x->t[0]);
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

/* hide lift reduce open assume: the clear value is the same. */
static bool run_same(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  val *r = res_of(x, nd);
  if (!val_settle(x, arg_of(x, nd, 0), i->arg[0]->ty.lanes, false, i->sp))
    return false;
  *r = val_ref(*arg_of(x, nd, 0));
  if (nd->op != OP_ASSUME) return true;
  const ir_type *from = &i->arg[0]->ty;
  return must_lie(x, r, from, i->res[0]->ty.range, IR_RUN_ASSUME,
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
  for (uint64_t k = 0; k < ti->lanes; k++) {
    val_mpz(idx, DOM_Z, wide, k, x->t[0]);
    if (mpz_sgn(x->t[0]) < 0 || mpz_cmp_ui(x->t[0], tx->lanes - 1) > 0)
      return interp_fail(x, IR_RUN_UNDEFINED, i->sp,
                         "a lane outside the array was asked for");
    copy_lane(x, s, k, v, tx, mpz_get_ui(x->t[0]));
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
    for (uint64_t l = 0; l < tp->lanes; l++) {
      uint64_t rest = l;
      int64_t at = off;
      for (uint32_t k = i->at.ndim; k--;) {
        at += (int64_t)(rest % i->at.dim[k].n) * i->at.dim[k].stride;
        rest /= i->at.dim[k].n;
      }
      copy_lane(x, s, (uint64_t)at, part, tp, l);
    }
  }
  set_result(x, nd, s);
  return x->status == IR_RUN_OK;
}

static bool run_concat(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  store *s = store_like(x, i->res[0], i->sp);
  if (!s) return false;
  uint64_t at = 0, tmp[CHUNK];
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_type *t = &i->arg[k]->ty;
    val *v = arg_of(x, nd, k);
    if (!val_settle(x, v, t->lanes, false, i->sp)) break;
    if (nd->words)
      for (uint64_t l = 0; l < t->lanes; l += CHUNK) {
        uint32_t n = t->lanes - l < CHUNK ? (uint32_t)(t->lanes - l) : CHUNK;
        memcpy(s->w + at + l, val_load(x, v, l, n, tmp), n * sizeof *s->w);
      }
    else
      for (uint64_t l = 0; l < t->lanes; l++) copy_lane(x, s, at + l, v, t, l);
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

/* ---- control ---- */
static bool run_block(ir_interp *x, const code_block *c, val *out);

/* The values between two turns, nd->turn, are as the operands gave them at
 * first and as the last yield did later: this is their type. */
static const ir_type *turn_type(const node *nd, uint32_t k, const ir_block *b,
                                bool first) {
  const ir_inst *i = nd->i;
  return first ? &i->arg[i->narg - i->nres + k]->ty : &b->last->arg[k]->ty;
}

static bool take_initial(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->nres; k++) {
    uint32_t at = i->narg - i->nres + k;
    val *v = arg_of(x, nd, at);
    if (!val_settle(x, v, i->arg[at]->ty.lanes, false, i->sp)) return false;
    nd->turn[k] = val_ref(*v);
  }
  kill_range(x, nd, 0, nd->nearly);
  return true;
}

/* v, of type from, becomes the value of `to`. */
static bool assign(ir_interp *x, const ir_value *to, val v,
                   const ir_type *from, span sp) {
  *slot(x, to) = v;
  return val_convert(x, slot(x, to), from, &to->ty, sp) &&
         check_result(x, to, sp);
}

static bool run_turn(ir_interp *x, const node *nd, uint32_t region,
                     uint32_t param, bool first) {
  const ir_inst *i = nd->i;
  const ir_block *b = i->region[region];
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->turn[k];
    nd->turn[k].st = NULL;
    if (!assign(x, b->param[param + k], v, turn_type(nd, k, b, first), i->sp))
      return false;
  }
  if (!run_block(x, &nd->region[region], nd->next)) return false;
  for (uint32_t k = 0; k < i->nres; k++) {
    nd->turn[k] = nd->next[k];
    nd->next[k].st = NULL;
  }
  return true;
}

static bool finish_loop(ir_interp *x, const node *nd, const ir_block *b,
                        bool first) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->turn[k];
    nd->turn[k].st = NULL;
    if (!assign(x, i->res[k], v, turn_type(nd, k, b, first), i->sp))
      return false;
  }
  return true;
}

static bool run_for(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_block *b = i->region[0];
  bool wide = ir_lanes_wide(x->m, &b->param[0]->ty);
  val_mpz(arg_of(x, nd, 0), DOM_Z, ir_lanes_wide(x->m, &i->arg[0]->ty), 0,
          x->t[0]);
  if (!mpz_fits_slong_p(x->t[0]) && mpz_sgn(x->t[0]) > 0)
    return interp_fail(x, IR_RUN_BUDGET, i->sp, "too many turns of a loop");
  int64_t turns = mpz_sgn(x->t[0]) > 0 ? mpz_get_si(x->t[0]) : 0;
  if (!take_initial(x, nd)) return false;
  for (int64_t t = 0; t < turns; t++) {
    val *index = slot(x, b->param[0]);
    index->word = (uint64_t)t;
    if (wide) {
      if (!(index->st = store_gmp(x, 1, i->sp))) return false;
      mpz_set_si(&index->st->g[0], t);
    }
    if (!run_turn(x, nd, 0, 1, !t)) return false;
  }
  return finish_loop(x, nd, b, turns == 0);
}

static bool run_while(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  const ir_block *test = i->region[0], *turn = i->region[1];
  uint64_t t = 0;
  if (!take_initial(x, nd)) return false;
  for (; t < i->at.max; t++) {
    val go = {0};
    for (uint32_t k = 0; k < i->nres; k++)
      if (!assign(x, test->param[k], val_ref(nd->turn[k]),
                  turn_type(nd, k, turn, !t), i->sp))
        return false;
    if (!run_block(x, &nd->region[0], &go)) return false;
    if (!go.word) break; /* a 0/1 scalar is never stored */
    if (!run_turn(x, nd, 1, 0, !t)) return false;
  }
  return finish_loop(x, nd, turn, t == 0);
}

static bool run_if(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint32_t r = !arg_of(x, nd, 0)->word;
  kill_range(x, nd, 0, nd->nearly);
  if (!run_block(x, &nd->region[r], nd->next)) return false;
  for (uint32_t k = 0; k < i->nres; k++) {
    val v = nd->next[k];
    nd->next[k].st = NULL;
    if (!assign(x, i->res[k], v, &i->region[r]->last->arg[k]->ty, i->sp))
      return false;
  }
  return true;
}

static bool run_yield(ir_interp *x, const node *nd, val *out) {
  const ir_inst *i = nd->i;
  for (uint32_t k = 0; k < i->narg; k++) {
    val *v = arg_of(x, nd, k);
    if (!val_settle(x, v, i->arg[k]->ty.lanes, false, i->sp)) return false;
    out[k] = val_ref(*v);
  }
  return true;
}

/* ---- dispatch ---- */
static bool run_node(ir_interp *x, const node *nd, val *out) {
  switch (nd->op) {
  case OP_CONST:
  case OP_TABLE: *res_of(x, nd) = val_ref(nd->fixed); return true;
  case OP_IOTA: return run_iota(x, nd);
  case OP_INPUT: return run_input(x, nd);
  case OP_OUTPUT: return run_output(x, nd);
  case OP_TELL: return run_tell(x, nd);
  case OP_CHECK: return run_check(x, nd);
  case OP_DEC: return run_dec(x, nd);
  case OP_HIDE:
  case OP_LIFT:
  case OP_REDUCE:
  case OP_OPEN:
  case OP_ASSUME: return run_same(x, nd);
  case OP_VIEW:
  case OP_GET: return run_view(x, nd);
  case OP_GATHER: return run_gather(x, nd);
  case OP_PUT: return run_put(x, nd);
  case OP_CONCAT: return run_concat(x, nd);
  case OP_FOR: return run_for(x, nd);
  case OP_WHILE: return run_while(x, nd);
  case OP_IF: return run_if(x, nd);
  case OP_YIELD: return run_yield(x, nd, out);
  default: return interp_arith(x, nd);
  }
}

/* Arithmetic on one lane in words, the bulk of a sequential loop. */
static bool run_scalar(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t a = arg_of(x, nd, 0)->word;
  val *r = res_of(x, nd);
  if (nd->op == OP_SELECT) {
    r->word = arg_of(x, nd, a ? 1 : 2)->word;
    return true;
  }
  uint64_t b = i->narg > 1 ? arg_of(x, nd, 1)->word : 0;
  int bad = word_op(nd->op, i->arg[0]->ty.dom, x->p, x->k, a, b, &r->word);
  if (!bad) return true;
  return interp_fail(x, bad == 1 ? IR_RUN_WRONG : IR_RUN_UNDEFINED, i->sp,
                     bad == 1 ? "a value left its range"
                              : "undefined arithmetic (division by 0?)");
}

static bool count(ir_interp *x, const node *nd) {
  const ir_inst *i = nd->i;
  uint64_t lanes = i->nres ? i->res[0]->ty.lanes : 0;
  if (ir_ops[nd->op].rule == RULE_FOLD) lanes = i->arg[0]->ty.lanes;
  x->n.steps += 1 + (lanes > 1 ? lanes : 0);
  if (x->o.max_steps && x->n.steps > x->o.max_steps)
    return interp_fail(x, IR_RUN_BUDGET, i->sp,
                       "the run takes more than %llu steps",
                       (unsigned long long)x->o.max_steps);
  if (!nd->head) return true;
  x->n.exchanges++;
  x->n.reduce_lanes += nd->ex.reduce_lanes;
  x->n.open_lanes += nd->ex.open_lanes;
  if (x->o.exchange && x->m->stage == IR_SCHED)
    x->o.exchange(x->o.user, &nd->ex);
  return true;
}

static bool run_block(ir_interp *x, const code_block *c, val *out) {
  for (const node *nd = c->first, *end = nd + c->nnode; nd < end; nd++) {
    if (!count(x, nd)) return false;
    bool ok = nd->scalar && is_word_op(nd->op) ? run_scalar(x, nd)
                                               : run_node(x, nd, out);
    if (!ok || x->status != IR_RUN_OK) return false;
    if (x->o.check_ranges && nd->i->nres && !nd->i->nregion &&
        !check_result(x, nd->i->res[0], nd->i->sp))
      return false;
    kill_range(x, nd, nd->nearly, nd->nkill);
  }
  return true;
}

/* ---- life ---- */
ir_interp *ir_interp_new(const ir_module *m, const ir_interp_opts *o) {
  arena *a = arena_new();
  ir_interp *x = ARENA_NEW(a, ir_interp);
  x->a = a;
  x->m = m;
  if (o) x->o = *o;
  for (int k = 0; k < 4; k++) mpz_init(x->t[k]);
  x->k = m->mersenne;
  if (m->mersenne <= 61) x->p = ((uint64_t)1 << m->mersenne) - 1;
  x->slot = ARENA_ARR(a, val, (size_t)m->nvalue + 1);
  x->in = ARENA_ARR(a, ir_lanes, (size_t)m->nin + 1);
  x->out = ARENA_ARR(a, ir_lanes, (size_t)m->nout + 1);
  x->has_out = ARENA_ARR(a, bool, (size_t)m->nout + 1);
  interp_compile(x);
  return x;
}

static void drop_code(ir_interp *x, code_block *c) {
  for (uint32_t j = 0; j < c->nnode; j++) {
    node *nd = &c->first[j];
    val_drop(x, &nd->fixed);
    for (uint32_t k = 0; k < nd->i->nregion; k++) drop_code(x, &nd->region[k]);
  }
}

static void drop_state(ir_interp *x, code_block *c) {
  for (uint32_t j = 0; j < c->nnode; j++) {
    node *nd = &c->first[j];
    if (!nd->i->nregion) continue;
    for (uint32_t k = 0; k < nd->i->nres; k++) {
      val_drop(x, &nd->turn[k]);
      val_drop(x, &nd->next[k]);
    }
    for (uint32_t k = 0; k < nd->i->nregion; k++)
      drop_state(x, &nd->region[k]);
  }
}

static void drop_results(ir_interp *x) {
  for (uint32_t k = 0; k < x->m->nout; k++) {
    ir_lanes_fini(&x->out[k]);
    x->has_out[k] = false;
  }
  for (uint32_t k = 0; k < x->ntold; k++) {
    mpz_clear(x->told[k].identity);
    ir_lanes_fini(&x->told[k].value);
  }
  x->ntold = 0;
}

void ir_interp_free(ir_interp *x) {
  if (!x) return;
  drop_results(x);
  free(x->told);
  drop_code(x, &x->body);
  for (int k = 0; k < 4; k++) mpz_clear(x->t[k]);
  arena_free(x->a);
}

bool ir_interp_input(ir_interp *x, uint32_t leaf, const ir_lanes *v) {
  if (leaf >= x->m->nin || !v->n || !v->mpz == !v->i64) return false;
  x->in[leaf] = *v;
  return true;
}

ir_status ir_interp_run(ir_interp *x) {
  drop_results(x);
  x->n = (ir_counts){.peak_bytes = x->bytes};
  if (!x->broken) {
    x->status = IR_RUN_OK;
    run_block(x, &x->body, NULL);
  }
  for (uint32_t k = 0; k < x->m->nvalue; k++) val_drop(x, &x->slot[k]);
  drop_state(x, &x->body);
  return x->status;
}

const char *ir_interp_message(const ir_interp *x) {
  return x->message ? x->message : "";
}

span ir_interp_span(const ir_interp *x) { return x->sp; }

const ir_lanes *ir_interp_output(const ir_interp *x, uint32_t leaf) {
  return leaf < x->m->nout && x->has_out[leaf] ? &x->out[leaf] : NULL;
}

uint32_t ir_interp_ntold(const ir_interp *x) { return x->ntold; }

const ir_told *ir_interp_told(const ir_interp *x, uint32_t k) {
  return k < x->ntold ? &x->told[k] : NULL;
}

ir_counts ir_interp_counts(const ir_interp *x) { return x->n; }
