/* The functions that are always there. */
#include <string.h>

#include "frontend/lower.h"

static lv one(lo *l, const ty *t, ir_value *v) {
  lv r = lv_new(l, t);
  if (t->nleaf) r.leaf[0] = v;
  return r;
}

/* ---- folds in a tree that keeps the order of the lanes ---- */

typedef struct fold {
  ir_value *v, *i; /* i: positions, or NULL */
} fold;
typedef fold (*fold_fn)(lo *l, fold x, fold y, const void *user);

static ir_value *half(lo *l, ir_value *v, uint64_t n, int64_t off) {
  ir_dim d = {n, 2};
  return ir_view(&l->b, v, off, &d, 1);
}

static fold tree(lo *l, fold x, fold_fn f, const void *user) {
  for (uint64_t n = x.v->ty.lanes; n > 1; n = n / 2 + n % 2) {
    uint64_t h = n / 2;
    fold a = {half(l, x.v, h, 0), x.i ? half(l, x.i, h, 0) : NULL};
    fold b = {half(l, x.v, h, 1), x.i ? half(l, x.i, h, 1) : NULL};
    fold r = f(l, a, b, user);
    if (n % 2) {
      ir_dim d = {1, 1};
      ir_value *p[2] = {r.v, ir_view(&l->b, x.v, (int64_t)n - 1, &d, 1)};
      r.v = ir_concat(&l->b, p, 2);
      if (r.i) {
        ir_value *q[2] = {r.i, ir_view(&l->b, x.i, (int64_t)n - 1, &d, 1)};
        r.i = ir_concat(&l->b, q, 2);
      }
    }
    x = r;
  }
  return x;
}

/* The second wins only if it is better, so the first of equals stays. */
static fold extreme(lo *l, fold x, fold y, const void *user) {
  bool max = *(const bool *)user;
  ir_value *c = max ? compare(l, O_LT, x.v, y.v) : compare(l, O_LT, y.v, x.v);
  fold r = {ir_select(&l->b, c, y.v, x.v), NULL};
  if (x.i) r.i = ir_select(&l->b, c, y.i, x.i);
  return r;
}

static fold joined(lo *l, fold x, fold y, const void *user) {
  return (fold){logic(l, *(const node_op *)user, x.v, y.v), NULL};
}

/* any, all */
static ir_value *of_bools(lo *l, ir_value *v, builtin b) {
  node_op op = b == B_ANY ? O_OROR : O_ANDAND;
  if (v->ty.dom == DOM_P) return tree(l, (fold){v, NULL}, joined, &op).v;
  uint64_t n = v->ty.lanes;
  ir_value *sum = ir_fold(&l->b, OP_SUM, v, n);
  return b == B_ANY ? ir_op2(&l->b, OP_LT, z_si(l, 0), sum)
                    : ir_op2(&l->b, OP_EQ, z_si(l, (int64_t)n), sum);
}

static fold differing(lo *l, fold x, fold y, const void *user) {
  (void)user;
  return (fold){ir_op2(&l->b, OP_XOR, x.v, y.v), NULL};
}

static fold times(lo *l, fold x, fold y, const void *user) {
  const ty *t = user;
  return (fold){fixed_mul(l, x.v, y.v, t->fbits, t), NULL};
}

/* ---- reductions ---- */

static lv lower_sum(lo *l, const node *n, const ty *t, lv x) {
  const ty *e = ty_elem(x.t);
  uint64_t inner = x.t->lanes;
  ir_value *v = x.leaf[0];
  if (n->nkid > 2) {
    int64_t axis = 0;
    ival_to_si(type_at(l, n->kid[2]->kid[0])->iv, &axis);
    uint64_t outer = 1, rest = 1;
    inner = x.t->dim[axis];
    for (uint32_t i = 0; i < x.t->ndim; i++)
      *(i < axis ? &outer : &rest) *= i == axis ? 1 : x.t->dim[i];
    ir_dim d[3] = {{outer, (int64_t)(inner * rest)}, {rest, 1},
                   {inner, (int64_t)rest}};
    v = ir_view(&l->b, v, 0, d, 3);
  }
  v = ir_fold(&l->b, OP_SUM, v, inner);
  if (e->kind == T_FIXED) v = fixed_checked(l, v, e);
  else v = narrowed(l, v, ty_elem(t)->iv);
  return one(l, t, v);
}

static lv lower_prod(lo *l, const ty *t, lv x) {
  const ty *e = ty_elem(x.t);
  if (e->kind == T_FIXED)
    return one(l, t, tree(l, (fold){x.leaf[0], NULL}, times, e).v);
  ir_value *v = ir_fold(&l->b, OP_PROD, x.leaf[0], x.t->lanes);
  return one(l, t, narrowed(l, v, t->iv));
}

static ir_value *power(lo *l, ir_value *x, uint64_t k, const ty *e) {
  ir_value *r = NULL, *sq = x;
  for (; k; k >>= 1) {
    if (k & 1)
      r = !r ? sq : e->kind == T_FIXED ? fixed_mul(l, r, sq, e->fbits, e)
                                       : ir_op2(&l->b, OP_MUL, r, sq);
    if (k > 1)
      sq = e->kind == T_FIXED ? fixed_mul(l, sq, sq, e->fbits, e)
                              : ir_op2(&l->b, OP_MUL, sq, sq);
  }
  if (!r) { /* x^0 */
    r = ir_const_si(&l->b, e->kind == T_FIELD ? DOM_P : DOM_Z, 1, x->ty.lanes);
    if (e->kind == T_FIXED) r = scaled(l, r, (int)e->fbits);
  }
  return r;
}

static lv lower_min_max(lo *l, const node *n, const ty *t, lv x, bool max) {
  if (n->nkid == 2) {
    ir_value *v = tree(l, (fold){x.leaf[0], NULL}, extreme, &max).v;
    return one(l, t, v);
  }
  lv y = lower_expr(l, n->kid[2]);
  const ty *e = ty_elem(x.t), *f = ty_elem(y.t), *r = ty_elem(t);
  uint64_t dim[64];
  uint32_t nd;
  broadcast(x.t, y.t, dim, &nd);
  ir_value *a = stretch(l, x.leaf[0], x.t, dim, nd);
  ir_value *b = stretch(l, y.leaf[0], y.t, dim, nd);
  if (r->kind == T_FIXED) {
    a = scaled(l, a, (int)r->fbits - (e->kind == T_FIXED ? (int)e->fbits : 0));
    b = scaled(l, b, (int)r->fbits - (f->kind == T_FIXED ? (int)f->fbits : 0));
  }
  ir_value *v = extreme(l, (fold){a, NULL}, (fold){b, NULL}, &max).v;
  if (r->kind == T_FIXED) v = fixed_checked(l, v, r);
  else v = within(l, v, r->iv);
  return one(l, t, ir_splat(&l->b, v, ty_lanes(t)));
}

/* ---- ranges and conversions ---- */

static lv lower_ranged(lo *l, const node *n, const ty *t, lv x, builtin b) {
  const ninfo *ni = info_of(l->fr->in, n);
  const ival *to = ni->want->iv;
  ir_value *v = x.leaf[0];
  const ir_range *r = range_of(l, ty_elem(t)->iv);
  if (v->ty.range && ir_range_within(v->ty.range, range_of(l, to)))
    return one(l, t, v);
  if (v->ty.dom == DOM_P && b != B_ASSUME) v = typed_operand(l, v, false);
  if (b == B_WRAP) v = ir_ranged(&l->b, OP_WRAP, v, range_of(l, to));
  else if (b == B_CLAMP) v = within(l, clamped(l, v, to), ty_elem(t)->iv);
  else if (v->ty.dom == DOM_Z)
    v = check_range(l, v, to,
                    arena_printf(l->a, "the value assumed to be %s is not",
                                 ty_text_plain(l->a, ni->want)));
  else {
    note_assume(l, n->sp, x.t->kind == T_ARRAY
                              ? ty_array(l->u->ts, ni->want, x.t->dim,
                                         x.t->ndim)
                              : ni->want);
    v = ir_assume(&l->b, v, l->guard, r);
  }
  return one(l, t, v);
}

static ir_value *root(lo *l, ir_value *v, const ty *e, const ty *t) {
  if (v->ty.dom == DOM_P)
    return ir_op1(&l->b, OP_ISQRT, typed_operand(l, v, true));
  if (mpz_sgn(v->ty.range->lo) < 0) {
    const ival *iv = ival_max(l->u->iv, e->iv, ival_si(l->u->iv, 0, 0));
    v = check_range(l, v, ival_get(l->u->iv, ival_si(l->u->iv, 0, 0)->lo,
                                   iv->hi),
                    "square root of a negative number");
  }
  if (e->kind == T_INT) return ir_op1(&l->b, OP_ISQRT, v);
  /* floor(sqrt(4x)), plus one, halved: the nearest; there are no ties */
  v = ir_op1(&l->b, OP_ISQRT, scaled(l, v, (int)e->fbits + 2));
  v = ir_op2(&l->b, OP_SHR, ir_op2(&l->b, OP_ADD, v, z_si(l, 1)), z_si(l, 1));
  return fixed_checked(l, v, t);
}

static ir_value *absolute(lo *l, ir_value *v, const ty *t) {
  if (mpz_sgn(v->ty.range->lo) >= 0) return v;
  ir_value *neg = ir_op1(&l->b, OP_NEG, v);
  v = ir_select(&l->b, compare(l, O_LT, v, z_si(l, 0)), neg, v);
  const ival *iv = ival_abs(l->u->iv, ival_get(l->u->iv, v->ty.range->lo,
                                               v->ty.range->hi));
  v = within(l, v, iv);
  return t->kind == T_FIXED ? fixed_checked(l, v, t) : v;
}

static lv convert(lo *l, const ty *t, lv x, builtin b) {
  const ty *e = ty_elem(x.t), *r = ty_elem(t);
  ir_value *v = x.leaf[0];
  if (b == B_FIELD) {
    if (v->ty.dom == DOM_Z) v = ir_op1(&l->b, OP_ENC, v);
  } else if (b == B_FIXED) {
    v = scaled(l, v, (int)r->fbits - (e->kind == T_FIXED ? (int)e->fbits : 0));
    v = fixed_checked(l, v, r);
  } else if (e->kind == T_FIXED && e->fbits) {
    mpz_t d;
    mpz_init_set_ui(d, 1);
    mpz_mul_2exp(d, d, e->fbits);
    v = ir_op2(&l->b, OP_DIV, v, z_const(l, d));
    mpz_clear(d);
  }
  return one(l, t, v);
}

/* ---- bits ---- */

static lv lower_bits(lo *l, const node *n, const ty *t, lv x, builtin b) {
  const ninfo *ni = info_of(l->fr->in, n);
  ir_value *v = x.leaf[0];
  unsigned w = ni && ni->want ? (unsigned)ival_bits(ni->want->iv) : 0;
  if (b == B_BITS) return one(l, t, digits_of(l, v, w));
  if (b == B_FROM_BITS)
    return one(l, t, from_digits(l, v, (unsigned)x.t->dim[x.t->ndim - 1]));
  if (b == B_POPCOUNT) {
    w = (unsigned)mpz_sizeinbase(typed_operand(l, v, true)->ty.range->hi, 2);
    return one(l, t, within(l, popcount(l, v, w), ty_elem(t)->iv));
  }
  ir_value *k = lower_expr(l, n->kid[2]).leaf[0];
  if (l->failed) return lv_zero(l, t);
  return one(l, t, rotated(l, v, w, k, b == B_ROTL));
}

/* ---- opening ---- */

static lv lower_reveal(lo *l, const node *n, lv x) {
  const ty *pub = ty_relabel(l->u->ts, type_at(l, n->kid[1]), LAB_PUB);
  if (n->nkid > 2) {
    const node *who = n->kid[2]->kind == N_NAMED ? n->kid[2]->kid[0]
                                                 : n->kid[2];
    lv id = lower_expr(l, who);
    const source_pos p = source_at(l->u->ss, who->sp.start);
    size_t len = who->sp.end - who->sp.start;
    const char *text = p.col - 1 + len <= p.line_len
                           ? arena_strndup(l->a, p.line_text + p.col - 1, len)
                           : "an identity";
    note_opening(l, n->sp, pub, text, NULL);
    if (l->inner) {
      if (!l->failed) {
        diag_report(l->u->dg, DIAG_TELL_PLACE, n->sp,
                    "a loop, a condition or a called function");
        const node *d = l->fr->in->f ? l->fr->in->f->decl : NULL;
        if (d && d->name_sp.start != l->entry_sp.start)
          diag_note(l->u->dg, l->entry_sp, "called in the circuit of \"%s\"",
                    l->entry);
        diag_hint(l->u->dg, "Give the value back and tell it where the run "
                            "function ends.");
      }
      l->failed = true;
      return lv_new(l, l->u->ts->unit);
    }
    const char *name = l->ntold ? arena_printf(l->a, "told%u", l->ntold + 1)
                                : "told";
    l->ntold++;
    tell_leaves(l, (lv){pub, x.leaf}, id.leaf[0], name, name);
    return lv_new(l, l->u->ts->unit);
  }
  lv r = lv_new(l, pub);
  bool any = false, *opened = ARENA_ARR(l->a, bool, pub->nleaf + 1);
  for (uint32_t i = 0; i < pub->nleaf; i++) {
    const ty *e = ty_leaf(pub, i);
    ir_value *v = x.leaf[i];
    if (v->ty.kind != KIND_PUB) {
      v = ir_op1(&l->b, OP_OPEN, v);
      any = opened[i] = true;
    }
    if (v->ty.dom == DOM_P && e->kind != T_FIELD)
      v = ir_ranged(&l->b, OP_DEC, v, range_of(l, e->iv));
    r.leaf[i] = v;
  }
  if (any) note_opening(l, n->sp, pub, "everybody", opened);
  return r;
}

static lv lower_check(lo *l, const node *n, lv x, builtin b) {
  const char *msg = b == B_ASSERT ? "the assertion does not hold"
                                  : "the requirement does not hold";
  if (n->nkid > 2) msg = n->kid[2]->text;
  check_that(l, x.leaf[0], msg);
  narrow_env(l, n->kid[1]);
  return lv_new(l, l->u->ts->unit);
}

static lv lower_transpose(lo *l, lv x) {
  uint64_t dim[2] = {x.t->dim[1], x.t->dim[0]};
  lv r = lv_new(l, ty_with_dims(l->u->ts, x.t, dim, 2));
  for (uint32_t i = 0; i < x.t->nleaf; i++) {
    int64_t in = (int64_t)(leaf_lanes(x.t, i) / (dim[0] * dim[1]));
    ir_dim d[3] = {{dim[0], in}, {dim[1], in * (int64_t)dim[0]},
                   {(uint64_t)in, 1}};
    r.leaf[i] = ir_view(&l->b, x.leaf[i], 0, d, 3);
  }
  return r;
}

/* ---- for the standard library ---- */

_Static_assert(TY_PERMS == IR_PERMS_MAX && TY_TURNS == IR_TURNS,
               "numbers of permutations");

static lv lower_shuffle(lo *l, const node *n, const ty *t, lv x, builtin b) {
  lv p = lower_expr(l, n->kid[2]);
  lv r = lv_new(l, t);
  if (l->failed) return lv_zero(l, t);
  ir_op op = b == B_SHUFFLE ? OP_SHUFFLE : OP_UNSHUFFLE;
  for (uint32_t i = 0; i < x.t->nleaf; i++) {
    uint64_t row = leaf_lanes(x.t, i) / x.t->dim[0];
    mpz_srcptr same; /* rows of one constant do not move */
    r.leaf[i] = ir_is_const(x.leaf[i], &same)
                    ? x.leaf[i]
                    : ir_shuffle(&l->b, op, x.leaf[i], p.leaf[0], row);
  }
  return r;
}

static lv lower_open(lo *l, const node *n, const ty *t, lv x) {
  lv r = lv_new(l, t);
  note_uniform(l, n->sp, t);
  for (uint32_t i = 0; i < t->nleaf; i++) {
    const ty *e = ty_leaf(t, i);
    ir_value *v = x.leaf[i];
    if (v->ty.kind != KIND_PUB) v = ir_op1(&l->b, OP_OPEN, v);
    if (v->ty.dom == DOM_P && e->kind != T_FIELD)
      v = ir_ranged(&l->b, OP_DEC, v, range_of(l, e->iv));
    r.leaf[i] = v;
  }
  return r;
}

static ir_value *key_digits(lo *l, const ty *e, ir_value *v) {
  if (e->kind != T_INT) return v;
  const ival *least = ival_get(l->u->iv, e->iv->lo, e->iv->lo);
  unsigned n = ival_key_bits(l->u->iv, e->iv);
  v = ir_op2(&l->b, OP_SUB, v, z_const(l, e->iv->lo));
  return digits_of(l, within(l, v, ival_sub(l->u->iv, e->iv, least)), n);
}

/* Groups of RUN lanes, one behind the other: sums within them in RUN steps on
 * all groups at once, and those of whole groups the same way. */
static ir_value *sums_before(lo *l, ir_value *v) {
  enum { RUN = 16 };
  uint64_t n = v->ty.lanes, groups = (n + RUN - 1) / RUN;
  ir_value *parts[RUN], *pair[2] = {v, NULL};
  if (n < groups * RUN) {
    pair[1] = ir_const_si(&l->b, v->ty.dom, 0, groups * RUN - n);
    v = ir_concat(&l->b, pair, 2);
  }
  parts[0] = ir_const_si(&l->b, v->ty.dom, 0, groups);
  ir_value *sum = NULL;
  for (uint64_t k = 0; k < RUN; k++) {
    ir_dim column = {groups, RUN};
    ir_value *x = ir_view(&l->b, v, (int64_t)k, &column, 1);
    sum = sum ? ir_op2(&l->b, OP_ADD, sum, x) : x;
    if (k + 1 < RUN) parts[k + 1] = sum;
  }
  ir_value *all = ir_concat(&l->b, parts, RUN);
  ir_dim back[2] = {{groups, 1}, {RUN, (int64_t)groups}};
  all = ir_view(&l->b, all, 0, back, 2);
  if (groups > 1) {
    ir_dim each[2] = {{groups, 1}, {RUN, 0}};
    ir_value *whole = ir_view(&l->b, sums_before(l, sum), 0, each, 2);
    all = ir_op2(&l->b, OP_ADD, all, whole);
  }
  ir_dim first = {n, 1};
  return ir_view(&l->b, all, 0, &first, 1);
}

lv lower_builtin(lo *l, const node *n, builtin b) {
  const ty *t = type_at(l, n);
  lv x = lower_expr(l, n->kid[1]);
  ir_value *v = x.t->nleaf ? x.leaf[0] : NULL;
  /* the interval here: x.t has that of the variable's first value */
  const ty *e = ty_elem(type_at(l, n->kid[1])), *r = ty_elem(t);
  l->b.sp = n->sp;
  if (l->failed || (!v && b != B_REVEAL)) return lv_zero(l, t);
  switch (b) {
  case B_SUM: return lower_sum(l, n, t, x);
  case B_PROD: return lower_prod(l, t, x);
  case B_DOT: return lower_matmul(l, t, x, lower_expr(l, n->kid[2]));
  case B_COUNT: return one(l, t, ir_fold(&l->b, OP_SUM, v, x.t->lanes));
  case B_XOR:
    if (v->ty.dom == DOM_P && e->kind == T_INT) v = typed_operand(l, v, true);
    return one(l, t, tree(l, (fold){v, NULL}, differing, NULL).v);
  case B_ANY:
  case B_ALL: return one(l, t, of_bools(l, v, b));
  case B_MIN: return lower_min_max(l, n, t, x, false);
  case B_MAX: return lower_min_max(l, n, t, x, true);
  case B_ARGMIN:
  case B_ARGMAX: {
    bool max = b == B_ARGMAX;
    return one(l, t, tree(l, (fold){v, ir_iota(&l->b, v->ty.lanes)}, extreme,
                          &max).i);
  }
  case B_LEN: return lv_const(l, t);
  case B_ABS: return one(l, t, absolute(l, v, r));
  case B_SQRT:
  case B_ISQRT: return one(l, t, root(l, v, e, r));
  case B_POPCOUNT:
  case B_BITS:
  case B_FROM_BITS:
  case B_ROTL:
  case B_ROTR: return lower_bits(l, n, t, x, b);
  case B_POW: {
    int64_t k = 0;
    ival_to_si(type_at(l, n->kid[2])->iv, &k);
    return one(l, t, narrowed(l, power(l, v, (uint64_t)k, e),
                              r->iv ? r->iv : NULL));
  }
  case B_WRAP:
  case B_CLAMP:
  case B_ASSUME: return lower_ranged(l, n, t, x, b);
  case B_FIELD:
  case B_FIXED:
  case B_INT: return convert(l, t, x, b);
  case B_TRANSPOSE: return lower_transpose(l, x);
  case B_REVEAL: return lower_reveal(l, n, x);
  case B_PERMUTATION:
    return one(l, t, ir_perm(&l->b, ir_turn_of(range_of(l, t->iv))));
  case B_SHUFFLE:
  case B_UNSHUFFLE: return lower_shuffle(l, n, t, x, b);
  case B_OPEN: return lower_open(l, n, t, x);
  case B_DIGITS: return one(l, t, key_digits(l, e, v));
  case B_SUMS_BEFORE: return one(l, t, narrowed(l, sums_before(l, v), r->iv));
  default: return lower_check(l, n, x, b);
  }
}
