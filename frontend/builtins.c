/* The functions that are always there: types, intervals, secrecy. */
#include <string.h>

#include "frontend/sema.h"

typedef struct call {
  an *a;
  const node *n;
  const char *name;
  const node *arg[2];
  uint32_t narg;
  const ty *x; /* type of the first argument */
  const ty *want;
} call;

static const ty *like(an *a, const ty *shape, const ty *elem) {
  return shape->kind == T_ARRAY
             ? ty_array(a->u->ts, elem, shape->dim, shape->ndim) : elem;
}

static const ty *bad_argument(call *c, const node *at, const ty *t,
                              const char *takes) {
  an *a = c->a;
  REPORT(a, BAD_ARGUMENT, at->sp, c->name, tx(a, t), takes);
  diag_hint(a->u->dg, "It takes %s.", takes);
  return poison(a);
}

/* Shapes of two arguments that are taken element by element. */
static bool meeting_shapes(call *c, const ty *x, const ty *y, uint64_t *dim,
                           uint32_t *nd) {
  an *a = c->a;
  if (broadcast(x, y, dim, nd)) return true;
  REPORT(a, SHAPES_DIFFER, c->n->sp, c->name, tx(a, x), tx(a, y));
  diag_hint(a->u->dg, "Shapes must be equal, or agree in their last axes.");
  poison(a);
  return false;
}

static bool number(const ty *t) {
  return t->kind == T_INT || t->kind == T_FIXED;
}

/* Refuses a secret argument; the mend is a whole sentence. */
static bool is_secret(call *c, const ty *t, const char *what,
                      const char *mend) {
  if (!t->sec) return false;
  unsupported(c->a, c->n->sp, what, mend);
  poison(c->a);
  return true;
}

/* ---- reductions ---- */

static const ty *sum_of(call *c, uint64_t n, const ty *shape) {
  an *a = c->a;
  const ty *e = ty_elem(c->x), *r;
  mpz_t k;
  mpz_init_set_ui(k, n);
  const ival *iv = e->iv ? ival_times(a->u->iv, e->iv, k, k) : NULL;
  mpz_clear(k);
  if (e->kind == T_INT) r = checked_int(a, c->n->sp, iv, e->label, "sum");
  else if (e->kind == T_FIXED)
    r = fixed_result(a, e->ibits, e->fbits, iv, LAB_PUB);
  else if (e->kind == T_FIELD) r = e;
  else
    return bad_argument(c, c->arg[0], c->x, e->kind == T_BOOL
                        ? "an array of numbers; count(b) counts bools"
                        : "an array of numbers");
  return r->err ? r : like(a, shape, r);
}

static const ty *sum_call(call *c) {
  an *a = c->a;
  if (c->x->kind != T_ARRAY)
    return bad_argument(c, c->arg[0], c->x, "an array of numbers");
  if (c->narg == 1) return sum_of(c, c->x->lanes, ty_elem(c->x));
  const node *k = c->arg[1];
  const ty *t = expr_of(a, k, NULL).t;
  int64_t axis;
  if (t->err) return poison(a);
  if (t->kind != T_INT || t->sec || !ival_to_si(t->iv, &axis) || axis < 0 ||
      axis >= c->x->ndim) {
    REPORT(a, AXIS, k->sp, ivtx(a, t->iv ? t->iv : ival_si(a->u->iv, 0, 0)),
           tx(a, c->x));
    diag_hint(a->u->dg, "Its axes are 0 to %u, and the axis is a constant.",
              c->x->ndim - 1);
    return poison(a);
  }
  uint64_t dim[64];
  uint32_t nd = 0;
  for (uint32_t i = 0; i < c->x->ndim; i++)
    if (i != axis) dim[nd++] = c->x->dim[i];
  return sum_of(c, c->x->dim[axis],
                ty_with_dims(a->u->ts, c->x, dim, nd));
}

/* The product of n numbers of one interval, which may differ: interval
 * products associate, so squaring is exact. */
static const ival *product_of(ival_set *s, const ival *x, uint64_t n) {
  const ival *r = ival_si(s, 1, 1);
  for (; n; n >>= 1) {
    if (n & 1) r = ival_mul(s, r, x);
    if (n > 1) x = ival_mul(s, x, x);
  }
  return r;
}

static const ty *power(call *c, const ty *e, uint64_t n, bool same,
                       const char *what) {
  an *a = c->a;
  if (e->kind == T_FIELD) return e;
  if (e->kind == T_FIXED) {
    if (e->sec) {
      unsupported(a, c->n->sp, "`fixed` arithmetic on a secret",
                  "Reveal first.");
      return poison(a);
    }
    return ty_fixed(a->u->ts, e->ibits, e->fbits,
                    ty_fixed_range(a->u->ts, e->ibits, e->fbits), LAB_PUB);
  }
  if (ival_bits(e->iv) > 1 && n > 2 * TY_MAX_VALUE_BITS) {
    REPORT(a, VALUE_TOO_WIDE, c->n->sp, what,
           (size_t)(ival_bits(e->iv) * n));
    diag_hint(a->u->dg, "A product of so many factors does not fit; use "
                        "`field` elements.");
    return poison(a);
  }
  if (ival_bits(e->iv) <= 1 && n > 64) n = 64 + n % 2;
  const ival *iv = same ? ival_pow(a->u->iv, e->iv, n)
                        : product_of(a->u->iv, e->iv, n);
  return checked_int(a, c->n->sp, iv, e->label, what);
}

static const ty *prod_call(call *c) {
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || !(number(e) || e->kind == T_FIELD))
    return bad_argument(c, c->arg[0], c->x, "an array of numbers");
  return power(c, e, c->x->lanes, false, "product");
}

static const ty *pow_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x), *t = expr_of(a, c->arg[1], NULL).t;
  int64_t k;
  if (t->err) return poison(a);
  if (!(number(e) || e->kind == T_FIELD))
    return bad_argument(c, c->arg[0], c->x, "a number and a constant exponent");
  if (t->kind != T_INT || t->sec || !ival_to_si(t->iv, &k) || k < 0 ||
      k > 1000000) {
    REPORT(a, EXPONENT, c->arg[1]->sp, tx(a, t));
    diag_hint(a->u->dg, "Exponents are constants from 0 to 1000000; use a loop "
                        "for others.");
    return poison(a);
  }
  const ty *r = power(c, e, (uint64_t)k, true, "power");
  return r->err ? r : like(a, c->x, r);
}

/* The greater or lesser of x and y, scalars. */
static const ty *extreme(call *c, const ty *e, const ty *f, bool max) {
  an *a = c->a;
  ty_set *ts = a->u->ts;
  ival_set *s = a->u->iv;
  ty_label l = label_join(e->label, f->label);
  if (e->kind == T_INT && f->kind == T_INT) {
    const ival *h = ival_hull(s, e->iv, f->iv);
    if (checked_int(a, c->n->sp, h, l, "argument")->err) return ts->error;
    return ty_int(ts, (max ? ival_max : ival_min)(s, e->iv, f->iv), l);
  }
  unsigned fb = e->fbits > f->fbits ? e->fbits : f->fbits;
  if (l == LAB_SEC) {
    unsupported(a, c->n->sp, "`fixed` arithmetic on a secret",
                "Compare as integers, or reveal first.");
    return poison(a);
  }
  const ival *iv = (max ? ival_max : ival_min)(s, fixed_raw(a, e, fb),
                                               fixed_raw(a, f, fb));
  return fixed_result(a, fixed_ibits(e, fixed_ibits(f, 0)), fb, iv, LAB_PUB);
}

static const ty *min_max(call *c, bool max) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->narg == 1) {
    if (c->x->kind != T_ARRAY || !number(e))
      return bad_argument(c, c->arg[0], c->x, "an array of numbers, or two");
    return e;
  }
  const ty *y = expr_of(a, c->arg[1], c->x).t;
  if (y->err) return poison(a);
  const ty *f = ty_elem(y);
  if (!number(e)) return bad_argument(c, c->arg[0], c->x, "numbers");
  if (!number(f)) return bad_argument(c, c->arg[1], y, "numbers");
  const ty *r;
  uint64_t dim[64];
  uint32_t nd;
  if (!meeting_shapes(c, c->x, y, dim, &nd)) return a->u->ts->error;
  r = extreme(c, e, f, max);
  return r->err ? r : ty_array(a->u->ts, r, dim, nd);
}

static bool is_natural(call *c, const node *at, const ty *t) {
  an *a = c->a;
  if (ty_elem(t)->kind != T_INT) {
    bad_argument(c, at, t, "an unsigned integer");
    return false;
  }
  if (mpz_sgn(ty_elem(t)->iv->lo) >= 0) return true;
  REPORT(a, BITS_OF_NEGATIVE, at->sp, c->name, tx(a, c->x), tx(a, t));
  diag_hint(a->u->dg, "Use unsigned operands, or wrap(x, uN) first.");
  poison(a);
  return false;
}

static const ty *of_bools(call *c, builtin b) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || e->kind != T_BOOL)
    return bad_argument(c, c->arg[0], c->x, "an array of bools");
  if (b == B_COUNT)
    return checked_int(a, c->n->sp, ival_si(a->u->iv, 0, (int64_t)c->x->lanes),
                       e->label, "count");
  return ty_bool(a->u->ts, e->label);
}

static const ty *xor_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || (e->kind != T_BOOL && e->kind != T_INT))
    return bad_argument(c, c->arg[0], c->x, "an array of bools or of unsigned "
                                            "integers");
  if (e->kind == T_BOOL) return ty_bool(a->u->ts, e->label);
  if (!is_natural(c, c->arg[0], c->x)) return a->u->ts->error;
  return checked_int(a, c->n->sp, ival_or(a->u->iv, e->iv, e->iv), e->label,
                     "result");
}

static const ty *arg_extreme(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || c->x->ndim != 1 || !number(e))
    return bad_argument(c, c->arg[0], c->x, "an array of numbers");
  return ty_int(a->u->ts, ival_si(a->u->iv, 0, (int64_t)c->x->dim[0] - 1),
                e->label);
}

static const ty *dot_call(call *c) {
  an *a = c->a;
  val y = expr_of(a, c->arg[1], c->x);
  if (y.t->err) return poison(a);
  if (c->x->kind != T_ARRAY || c->x->ndim != 1)
    return bad_argument(c, c->arg[0], c->x, "two vectors of one length");
  if (y.t->kind != T_ARRAY || y.t->ndim != 1)
    return bad_argument(c, c->arg[1], y.t, "two vectors of one length");
  return matmul_type(a, c->n, c->x, y.t);
}

/* ---- ranges ---- */

static const ty *ranged(call *c, builtin b) {
  an *a = c->a;
  ty_set *s = a->u->ts;
  const ty *t = type_of(a, c->arg[1]);
  if (t->err) return poison(a);
  const ty *te = ty_elem(t), *e = ty_elem(c->x);
  if (e->kind != T_INT)
    return bad_argument(c, c->arg[0], c->x, "an integer and an integer type");
  if (te->kind != T_INT || (t->kind == T_ARRAY && !ty_alike(t, c->x)))
    return bad_argument(c, c->arg[1], t, "an integer and an integer type");
  if (e->sec && !ival_inside(e->iv, te->iv) && !secret_fits(a, te->iv)) {
    REPORT(a, SECRET_TYPE_TOO_WIDE, c->arg[1]->sp, tx(a, te), ivtx(a, te->iv),
           field_text(a));
    diag_hint(a->u->dg, "Assume a narrower type.");
    return poison(a);
  }
  const ival *iv = te->iv;
  if (ival_inside(e->iv, te->iv)) iv = e->iv;
  else if (b == B_CLAMP) {
    iv = ival_max(a->u->iv, e->iv, ival_get(a->u->iv, te->iv->lo, te->iv->lo));
    iv = ival_min(a->u->iv, iv, ival_get(a->u->iv, te->iv->hi, te->iv->hi));
  } else if (b == B_ASSUME) {
    iv = ival_meet(a->u->iv, e->iv, te->iv);
  }
  ninfo *ni = a->quiet ? NULL : info_of(a->in, c->n);
  if (ni) ni->want = ty_int(s, te->iv, LAB_PUB);
  return like(a, c->x, ty_int(s, iv, e->label));
}

/* ---- conversions ---- */

static const ty *to_fixed(call *c) {
  an *a = c->a;
  const node *f = c->n->kid[0];
  const ty *e = ty_elem(c->x), *t = NULL;
  if (f->kind == N_TY_FIXED) {
    t = type_of(a, f);
    if (t->err) return t;
  }
  if (!number(e)) return bad_argument(c, c->arg[0], c->x, "a number");
  if (is_secret(c, c->x, "converting a secret to `fixed`",
                "Reveal first, then convert."))
    return a->u->ts->error;
  unsigned i = t ? t->ibits : fixed_ibits(e, TY_DEF_IBITS);
  unsigned fb = t ? t->fbits : TY_DEF_FBITS;
  const ival *raw = fixed_raw(a, e, fb);
  if (ival_single(raw) &&
      !ival_inside(raw, ty_fixed_range(a->u->ts, i, fb))) {
    REPORT(a, FIXED_OVERFLOW, c->n->sp, ivtx(a, e->iv),
           tx(a, ty_fixed(a->u->ts, i, fb, raw, LAB_PUB)));
    diag_hint(a->u->dg, "Use more integer bits.");
  }
  return like(a, c->x, fixed_result(a, i, fb, raw, LAB_PUB));
}

static const ty *to_int(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (e->kind == T_INT) return c->x;
  if (e->kind == T_BOOL)
    return like(a, c->x, ty_int(a->u->ts, e->iv, e->label));
  if (e->kind != T_FIXED)
    return bad_argument(c, c->arg[0], c->x, "a fixed value or a bool");
  mpz_t d;
  mpz_init_set_ui(d, 1);
  mpz_mul_2exp(d, d, e->fbits);
  const ival *iv = ival_div(a->u->iv, e->iv, ival_get(a->u->iv, d, d));
  mpz_clear(d);
  return like(a, c->x, ty_int(a->u->ts, iv, LAB_PUB));
}

static const ty *to_field(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (e->kind != T_INT && e->kind != T_FIELD && e->kind != T_BOOL)
    return bad_argument(c, c->arg[0], c->x, "an integer");
  return like(a, c->x, ty_scalar(a->u->ts, T_FIELD, NULL, e->label));
}

static const ty *root_call(call *c, builtin b) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (b == B_ISQRT && e->kind != T_INT)
    return bad_argument(c, c->arg[0], c->x, "an integer");
  if (!number(e)) return bad_argument(c, c->arg[0], c->x, "a number");
  if (mpz_sgn(e->iv->hi) < 0 || (e->sec && mpz_sgn(e->iv->lo) < 0)) {
    REPORT(a, SQRT_OF_NEGATIVE, c->n->sp, ivtx(a, e->iv));
    diag_hint(a->u->dg, mpz_sgn(e->iv->hi) < 0
                            ? "The argument is always negative here."
                            : "A secret cannot be checked in the run: say "
                              "`max(x, 0)`, or `assume(x, uN)`.");
    return poison(a);
  }
  if (e->kind == T_INT)
    return like(a, c->x,
                ty_int(a->u->ts, ival_sqrt(a->u->iv, e->iv), e->label));
  /* nearest root of raw * 2^f: floor or one more */
  const ival *r = ival_sqrt(a->u->iv, ival_scale_up(a->u->iv, e->iv, e->fbits));
  r = ival_hull(a->u->iv, r, ival_add(a->u->iv, r, ival_si(a->u->iv, 1, 1)));
  return like(a, c->x, fixed_result(a, e->ibits, e->fbits, r, LAB_PUB));
}

static const ty *abs_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (!number(e)) return bad_argument(c, c->arg[0], c->x, "a number");
  ty t = *e;
  t.iv = ival_abs(a->u->iv, e->iv);
  return like(a, c->x, e->kind == T_INT ? ty_int(a->u->ts, t.iv, e->label)
                                        : fixed_result(a, e->ibits, e->fbits,
                                                       t.iv, LAB_PUB));
}

/* ---- bits ---- */

static const ty *popcount_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (!is_natural(c, c->arg[0], c->x)) return a->u->ts->error;
  int64_t n = (int64_t)ival_bits(e->iv);
  return like(a, c->x, ty_int(a->u->ts, ival_si(a->u->iv, 0, n), e->label));
}

static const ty *bits_call(call *c) {
  an *a = c->a;
  if (ty_elem(c->x)->kind != T_INT)
    return bad_argument(c, c->arg[0], c->x, "an unsigned integer");
  const ival *w = whole_width(a, c->n, c->arg[0], c->x, c->name);
  if (!w) return poison(a);
  uint64_t dim[64], n = ival_bits(w);
  uint32_t nd = c->x->kind == T_ARRAY ? c->x->ndim : 0;
  if (nd >= 32 || ty_lanes(c->x) > TY_MAX_LANES / n) {
    REPORT(a, TOO_LARGE, c->n->sp, "an array of more than 2^32 elements");
    diag_hint(a->u->dg, "Use smaller sizes.");
    return poison(a);
  }
  if (nd) memcpy(dim, c->x->dim, nd * sizeof *dim);
  dim[nd++] = n;
  return ty_array(a->u->ts, ty_bool(a->u->ts, ty_elem(c->x)->label), dim, nd);
}

static const ty *from_bits_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || e->kind != T_BOOL)
    return bad_argument(c, c->arg[0], c->x, "an array of bools");
  uint32_t nd = c->x->ndim - 1;
  uint64_t n = c->x->dim[nd];
  if (n > TY_MAX_VALUE_BITS) {
    REPORT(a, VALUE_TOO_WIDE, c->n->sp, "number of these bits", (size_t)n);
    diag_hint(a->u->dg, "Take fewer bits.");
    return poison(a);
  }
  const ty *r = checked_int(a, c->n->sp, ival_unsigned(a->u->iv, (unsigned)n),
                            e->label, "number of these bits");
  return r->err ? r : ty_with_dims(a->u->ts, like(a, c->x, r), c->x->dim, nd);
}

static const ty *rotate_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x), *k = expr_of(a, c->arg[1], NULL).t;
  if (k->err) return poison(a);
  if (e->kind != T_INT)
    return bad_argument(c, c->arg[0], c->x, "an unsigned integer");
  if (!is_natural(c, c->arg[1], k)) return a->u->ts->error;
  if (k->kind == T_ARRAY)
    return bad_argument(c, c->arg[1], k, "one count for all elements");
  const ival *w = whole_width(a, c->n, c->arg[0], c->x, c->name);
  if (!w) return poison(a);
  const ty *r = checked_int(a, c->n->sp, w, label_join(e->label, k->label),
                            "argument");
  if (!r->err && checked_int(a, c->n->sp, k->iv, k->label, "count")->err)
    return a->u->ts->error;
  return r->err ? r : like(a, c->x, r);
}

/* ---- opening, checking ---- */

static const ty *reveal_call(call *c) {
  an *a = c->a;
  if (!ty_is_data(c->x)) return bad_argument(c, c->arg[0], c->x, "a value");
  if (!c->x->sec && !a->in->failed && !a->in->poly && !a->in->test &&
      !(a->in->f && a->in->f->ngeneric)) {
    REPORT(a, REVEAL_OF_PUBLIC, c->n->sp);
    diag_hint(a->u->dg, "The value is public already.");
  }
  const ty *t = ty_relabel(a->u->ts, c->x, LAB_PUB);
  if (c->narg == 1) return t;
  const ty *id = expr_of(a, c->arg[1], NULL).t;
  if (id->err) return poison(a);
  if (id->kind != T_IDENTITY)
    return bad_argument(c, c->arg[1], id, "an identity after `to:`");
  return ty_told(a->u->ts, t);
}

static const ty *check_call(call *c, bool test) {
  an *a = c->a;
  if (test && !a->in->test) {
    REPORT(a, ASSERT_OUTSIDE, c->n->sp);
    diag_hint(a->u->dg, "In a function write `require(c, \"why\")`.");
    return poison(a);
  }
  if (c->x->kind == T_BOOL && c->x->sec) {
    REPORT(a, REQUIRE_SECRET, c->arg[0]->sp, test ? "assert" : "require");
    diag_hint(a->u->dg, "Open what may be known: `%s(reveal(..), ..)`.",
              test ? "assert" : "require");
    return poison(a);
  }
  if (c->x->kind != T_BOOL) {
    REPORT(a, CONDITION, c->arg[0]->sp, tx(a, c->x));
    if (c->x->kind == T_ARRAY) diag_hint(a->u->dg, "Say `all(c)`.");
    else diag_hint(a->u->dg, "Compare it with something.");
    return poison(a);
  }
  if (c->narg == 2) {
    const ty *m = expr_of(a, c->arg[1], NULL).t;
    if (c->arg[1]->kind != N_STRING && !m->err)
      return bad_argument(c, c->arg[1], m, "a string as its second argument");
  }
  narrow(a, c->arg[0], true, LAB_PUB);
  return a->u->ts->unit;
}

static const ty *transpose_call(call *c) {
  an *a = c->a;
  if (c->x->kind != T_ARRAY || c->x->ndim != 2)
    return bad_argument(c, c->arg[0], c->x, "a matrix");
  uint64_t dim[2] = {c->x->dim[1], c->x->dim[0]};
  return ty_with_dims(a->u->ts, c->x, dim, 2);
}

static const ty *len_call(call *c) {
  an *a = c->a;
  if (c->x->kind != T_ARRAY)
    return bad_argument(c, c->arg[0], c->x, "an array");
  int64_t n = (int64_t)c->x->dim[0];
  return ty_int(a->u->ts, ival_si(a->u->iv, n, n), LAB_PUB);
}

/* ---- for the standard library ---- */

static const ival *numbers_of_turn(ival_set *s, int64_t k) {
  return ival_si(s, k * TY_PERMS, (k + 1) * TY_PERMS - 1);
}

/* An array whose rows are moved by a permutation, argument 1. */
static const ty *shuffle_call(call *c) {
  an *a = c->a;
  if (c->x->kind != T_ARRAY || !ty_is_data(c->x))
    return bad_argument(c, c->arg[0], c->x, "an array of values");
  const ty *p = expr_of(a, c->arg[1], NULL).t;
  if (p->err) return poison(a);
  for (int64_t k = 0; k < TY_TURNS; k++)
    if (p->kind == T_INT && !p->sec &&
        ival_inside(p->iv, numbers_of_turn(a->u->iv, k)))
      return ty_relabel(a->u->ts, c->x, LAB_SEC);
  return bad_argument(c, c->arg[1], p, "a permutation");
}

/* The argument is a constant: the turn. */
static const ty *permutation_call(call *c) {
  an *a = c->a;
  int64_t k;
  if (c->x->kind != T_INT || c->x->sec || !ival_to_si(c->x->iv, &k) || k < 0 ||
      k >= TY_TURNS)
    return bad_argument(c, c->arg[0], c->x, "0, 1 or 2");
  return ty_int(a->u->ts, numbers_of_turn(a->u->iv, k), LAB_PUB);
}

static const ty *open_call(call *c) {
  if (!ty_is_data(c->x)) return bad_argument(c, c->arg[0], c->x, "a value");
  return ty_relabel(c->a->u->ts, c->x, LAB_PUB);
}

/* The bits of x less its least value, along a new last axis. */
static const ty *digits_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (e->kind != T_INT && e->kind != T_BOOL)
    return bad_argument(c, c->arg[0], c->x, "integers");
  uint64_t dim[64], n = e->kind == T_INT ? ival_key_bits(a->u->iv, e->iv) : 1;
  uint32_t nd = c->x->kind == T_ARRAY ? c->x->ndim : 0;
  if (nd >= 32 || ty_lanes(c->x) > TY_MAX_LANES / n) {
    REPORT(a, TOO_LARGE, c->n->sp, "an array of more than 2^32 elements");
    return poison(a);
  }
  if (nd) memcpy(dim, c->x->dim, nd * sizeof *dim);
  dim[nd++] = n;
  return ty_array(a->u->ts,
                  ty_int(a->u->ts, ival_si(a->u->iv, 0, 1), e->label), dim,
                  nd);
}

/* The sum of all elements before each. */
static const ty *sums_before_call(call *c) {
  an *a = c->a;
  const ty *e = ty_elem(c->x);
  if (c->x->kind != T_ARRAY || c->x->ndim != 1 || e->kind != T_INT)
    return bad_argument(c, c->arg[0], c->x, "an array of integers");
  mpz_t none, most;
  mpz_init(none);
  mpz_init_set_ui(most, c->x->lanes - 1);
  const ival *iv = ival_times(a->u->iv, e->iv, none, most);
  mpz_clear(none);
  mpz_clear(most);
  const ty *r = checked_int(a, c->n->sp, iv, e->label, "sum");
  return r->err ? r : like(a, c->x, r);
}

/* ---- all ---- */

static bool take_arguments(call *c, builtin b) {
  an *a = c->a;
  const node *n = c->n;
  uint32_t given = n->nkid - 1;
  if (given < builtin_min_args(b) || given > builtin_max_args(b)) {
    unsigned lo = builtin_min_args(b), hi = builtin_max_args(b);
    const char *more = lo == 1 ? "" : "s";
    if (hi > lo) more = arena_printf(a->u->a, "%s or %u", more, hi);
    REPORT(a, ARGUMENT_COUNT, n->sp, c->name, lo, more, given);
    diag_hint(a->u->dg, "Look at the call.");
    poison(a);
    return false;
  }
  const char *named = b == B_SUM ? "axis" : b == B_REVEAL ? "to" : NULL;
  for (uint32_t i = 0; i < given; i++) {
    const node *k = n->kid[i + 1];
    bool is_named = k->kind == N_NAMED;
    bool right = is_named && i == 1 && named && !strcmp(k->text, named);
    if (is_named != (i == 1 && named != NULL) || (is_named && !right)) {
      if (is_named) {
        REPORT(a, NAMED_ARGUMENT, k->sp, k->text);
        diag_hint(a->u->dg, named ? "Its named argument is `%s:`."
                                  : "It has no named arguments%s.",
                  named ? named : "");
      } else {
        REPORT(a, NAMED_ARGUMENT, k->sp, named);
        diag_hint(a->u->dg, "Write `%s: ...`.", named);
      }
      poison(a);
      return false;
    }
    c->arg[i] = is_named ? k->kid[0] : k;
  }
  c->narg = given;
  return true;
}

static const ty *dispatch(call *c, builtin b) {
  switch (b) {
  case B_SUM: return sum_call(c);
  case B_PROD: return prod_call(c);
  case B_DOT: return dot_call(c);
  case B_COUNT: case B_ANY: case B_ALL: return of_bools(c, b);
  case B_XOR: return xor_call(c);
  case B_MIN: return min_max(c, false);
  case B_MAX: return min_max(c, true);
  case B_ARGMIN: case B_ARGMAX: return arg_extreme(c);
  case B_LEN: return len_call(c);
  case B_ABS: return abs_call(c);
  case B_SQRT:
  case B_ISQRT: return root_call(c, b);
  case B_POPCOUNT: return popcount_call(c);
  case B_BITS: return bits_call(c);
  case B_FROM_BITS: return from_bits_call(c);
  case B_ROTL:
  case B_ROTR: return rotate_call(c);
  case B_POW: return pow_call(c);
  case B_WRAP: case B_CLAMP: case B_ASSUME: return ranged(c, b);
  case B_FIELD: return to_field(c);
  case B_FIXED: return to_fixed(c);
  case B_INT: return to_int(c);
  case B_TRANSPOSE: return transpose_call(c);
  case B_REVEAL: return reveal_call(c);
  case B_ASSERT: return check_call(c, true);
  case B_REQUIRE: return check_call(c, false);
  case B_PERMUTATION: return permutation_call(c);
  case B_SHUFFLE: case B_UNSHUFFLE: return shuffle_call(c);
  case B_OPEN: return open_call(c);
  case B_DIGITS: return digits_call(c);
  case B_SUMS_BEFORE: return sums_before_call(c);
  default: return poison(c->a);
  }
}

val builtin_of(an *a, const node *n, builtin b, const ty *want) {
  call c = {.a = a, .n = n, .name = builtin_name(b), .want = want};
  if (!take_arguments(&c, b)) {
    for (uint32_t i = 1; i < n->nkid; i++) {
      const node *k = n->kid[i];
      if (b != B_WRAP && b != B_CLAMP && b != B_ASSUME)
        expr_of(a, k->kind == N_NAMED ? k->kid[0] : k, NULL);
    }
    return val_of(poison(a));
  }
  const ty *hint = NULL;
  if (b == B_FIXED && n->kid[0]->kind == N_TY_FIXED)
    hint = type_of(a, n->kid[0]);
  else if (b == B_ABS || b == B_SQRT || b == B_MIN || b == B_MAX)
    hint = want;
  val x = expr_of(a, c.arg[0], hint && !hint->err ? hint : NULL);
  c.x = x.t;
  if (x.t->err) {
    bool type = b == B_WRAP || b == B_CLAMP || b == B_ASSUME;
    if (c.narg == 2 && !type) expr_of(a, c.arg[1], NULL);
    return val_of(poison(a));
  }
  return val_of(dispatch(&c, b));
}
