/* Operators: types, intervals, labels; lifting over arrays. */
#include <string.h>

#include "base/vec.h"
#include "frontend/sema.h"

/* ---- fixed ---- */

unsigned fixed_ibits(const ty *t, unsigned least) {
  if (t->kind == T_FIXED) return t->ibits > least ? t->ibits : least;
  size_t b = ival_bits(t->iv);
  return b > least ? (unsigned)b : least;
}

const ival *fixed_raw(an *a, const ty *t, unsigned f) {
  unsigned from = t->kind == T_FIXED ? t->fbits : 0;
  return f >= from ? ival_scale_up(a->u->iv, t->iv, f - from)
                   : ival_scale_down(a->u->iv, t->iv, from - f);
}

/* The result keeps the operands' format; where the interval does not prove
 * that it fits, a run-time check does. */
const ty *fixed_result(an *a, unsigned i, unsigned f, const ival *raw,
                       ty_label l) {
  ty_set *ts = a->u->ts;
  return ty_fixed(ts, i, f, ival_meet(a->u->iv, raw, ty_fixed_range(ts, i, f)),
                  l);
}

bool is_decimal(const node *n) {
  while (n->kind == N_UNARY && n->op == O_NEG) n = n->kid[0];
  return n->kind == N_DECIMAL;
}

/* ---- relations to the head of a loop ---- */

static const rel *shifted(an *a, const rel *r, const ival *d, bool minus) {
  rel *n = ARENA_NEW(a->u->a, rel);
  *n = *r;
  n->d = minus ? ival_sub(a->u->iv, r->d, d) : ival_add(a->u->iv, r->d, d);
  return n;
}

static val add_relation(an *a, node_op op, val x, val y, const ty *t) {
  val v = val_of(t);
  if (!x.rel && !y.rel) return v;
  const ty *e = ty_elem(t);
  if (e->kind != T_INT && e->kind != T_FIXED) return v;
  const rel *rx = x.rel ? x.rel[0] : NULL, *ry = y.rel ? y.rel[0] : NULL;
  const ty *ex = ty_elem(x.t), *ey = ty_elem(y.t);
  if (ex->kind != e->kind || ey->kind != e->kind || ex->fbits != ey->fbits)
    return v;
  const rel *r = NULL;
  /* Elementwise: the side that is related must have the result's shape. */
  if (rx && (op == O_ADD || op == O_SUB) && x.t->ndim == t->ndim &&
      ty_lanes(x.t) == ty_lanes(t))
    r = shifted(a, rx, ey->iv, op == O_SUB);
  else if (ry && !rx && op == O_ADD && y.t->ndim == t->ndim &&
           ty_lanes(y.t) == ty_lanes(t))
    r = shifted(a, ry, ex->iv, false);
  if (!r) return v;
  v.rel = ARENA_ARR(a->u->a, const rel *, 1);
  v.rel[0] = r;
  return v;
}

/* ---- scalars ---- */

static bool comparison(node_op op) { return op >= O_EQ && op <= O_GE; }

static const ty *bad_operands(an *a, const node *n, node_op op, const ty *x,
                              const ty *y) {
  REPORT(a, BAD_OPERANDS, n->sp, ast_op_text(op), tx(a, x), tx(a, y));
  bool logic = op == O_ANDAND || op == O_OROR;
  if (logic && (x->kind == T_INT || y->kind == T_INT)) {
    const node *k = n->kid[x->kind == T_INT ? 0 : 1];
    diag_hint(a->u->dg, "Compare the number: `%s != 0`.",
              k->kind == N_NAME ? k->text : "x");
  } else if (logic && (x->kind == T_ARRAY || y->kind == T_ARRAY))
    diag_hint(a->u->dg, "`&` and `|` combine arrays of bools, element by "
                        "element.");
  else if (x->kind == T_BOOL || y->kind == T_BOOL)
    diag_hint(a->u->dg, "Bools combine with && || ! and compare with == !=.");
  else if (x->kind == T_FIXED || y->kind == T_FIXED)
    diag_hint(a->u->dg, "`int(x)` makes an integer of a fixed value.");
  else if ((x->kind == T_FIELD || y->kind == T_FIELD) && op >= O_LT &&
           op <= O_GE)
    diag_hint(a->u->dg, "Field elements have no order: p - 1 is -1. Keep what "
                        "is compared as an integer.");
  else if (x->kind == T_FIELD || y->kind == T_FIELD)
    diag_hint(a->u->dg, "Field elements have + - * / == !=.");
  else
    diag_hint(a->u->dg, "Arithmetic needs numbers, or arrays of them.");
  return poison(a);
}

static int known(bool sure_yes, bool sure_no) {
  return sure_yes ? 1 : sure_no ? 0 : -1;
}

/* What a comparison of intervals must give: 1, 0, or -1 for either. */
static int compare_known(node_op op, const ival *x, const ival *y) {
  int ll = mpz_cmp(x->lo, y->hi), hh = mpz_cmp(x->hi, y->lo);
  bool same = ival_single(x) && ival_single(y) && mpz_cmp(x->lo, y->lo) == 0;
  switch (op) {
  case O_EQ: return known(same, ll > 0 || hh < 0);
  case O_NE: return known(ll > 0 || hh < 0, same);
  case O_LT: return known(hh < 0, ll >= 0);
  case O_LE: return known(hh <= 0, ll > 0);
  case O_GT: return known(ll > 0, hh <= 0);
  default: return known(ll >= 0, hh < 0);
  }
}

static const ty *bool_result(an *a, int k) {
  return k < 0 ? ty_bool(a->u->ts, LAB_PUB) : ty_bool_known(a->u->ts, k == 1);
}

static const ty *compare(an *a, const node *n, node_op op, const ty *x,
                         const ty *y) {
  bool sec = x->label == LAB_SEC || y->label == LAB_SEC;
  if (x->kind == T_BOOL && y->kind == T_BOOL && (op == O_EQ || op == O_NE)) {
    if (sec) return ty_bool(a->u->ts, LAB_SEC);
    return bool_result(a, compare_known(op, x->iv, y->iv));
  }
  bool numbers = (x->kind == T_INT || x->kind == T_FIXED) &&
                 (y->kind == T_INT || y->kind == T_FIXED);
  bool others = x->kind == y->kind &&
                (x->kind == T_FIELD || x->kind == T_IDENTITY);
  bool mixed = (x->kind == T_FIELD && y->kind == T_INT) ||
               (x->kind == T_INT && y->kind == T_FIELD);
  if (!numbers && !((others || mixed) && (op == O_EQ || op == O_NE)))
    return bad_operands(a, n, op, x, y);
  if (!numbers) return ty_bool(a->u->ts, sec ? LAB_SEC : LAB_PUB);
  unsigned f = x->fbits > y->fbits ? x->fbits : y->fbits;
  if (sec) {
    const ival *r = ival_hull(a->u->iv, fixed_raw(a, x, f), fixed_raw(a, y, f));
    return checked_int(a, n->sp, r, LAB_SEC, "side of the comparison")->err
               ? a->u->ts->error : ty_bool(a->u->ts, LAB_SEC);
  }
  return bool_result(a, compare_known(op, fixed_raw(a, x, f),
                                      fixed_raw(a, y, f)));
}

static const ty *fixed_op(an *a, const node *n, node_op op, const ty *x,
                          const ty *y) {
  ival_set *s = a->u->iv;
  if (x->label == LAB_SEC || y->label == LAB_SEC) {
    unsupported(a, n->sp, "`fixed` arithmetic on a secret",
                "Reveal first, then compute with `fixed`.");
    return poison(a);
  }
  unsigned f = x->fbits > y->fbits ? x->fbits : y->fbits;
  unsigned i = 0;
  if (x->kind == T_FIXED) i = x->ibits;
  if (y->kind == T_FIXED && y->ibits > i) i = y->ibits;
  const ival *r;
  switch (op) {
  case O_ADD: r = ival_add(s, fixed_raw(a, x, f), fixed_raw(a, y, f)); break;
  case O_SUB: r = ival_sub(s, fixed_raw(a, x, f), fixed_raw(a, y, f)); break;
  case O_MUL:
    r = ival_scale_down(s, ival_mul(s, x->iv, y->iv),
                        x->fbits + y->fbits - f);
    break;
  case O_DIV:
    if (ival_zero(y->iv)) {
      REPORT(a, DIVISION_BY_ZERO, n->sp);
      diag_hint(a->u->dg, "The divisor is always 0 here.");
      return poison(a);
    }
    /* (x / 2^fx) / (y / 2^fy) * 2^f */
    r = ival_rdiv(s, ival_scale_up(s, x->iv, f + y->fbits - x->fbits), y->iv);
    break;
  default: return bad_operands(a, n, op, x, y);
  }
  return fixed_result(a, i, f, r, LAB_PUB);
}

/* x >> ..: where the count is secret, a public x becomes a share. */
static const ty *shifted_share(an *a, const node *n, const ty *x, ty_label l,
                               const ival *r) {
  return checked_int(a, n->sp, x->iv, l, "operand")->err
             ? a->u->ts->error : ty_int(a->u->ts, r, l);
}

static const ty *bits_op(an *a, const node *n, node_op op, const ty *x,
                         const ty *y) {
  ival_set *s = a->u->iv;
  ty_label l = label_join(x->label, y->label);
  if (mpz_sgn(y->iv->lo) < 0 ||
      (mpz_sgn(x->iv->lo) < 0 && op != O_SHL && op != O_SHR)) {
    REPORT(a, BITS_OF_NEGATIVE, n->sp, ast_op_text(op), tx(a, x), tx(a, y));
    diag_hint(a->u->dg, op == O_SHL || op == O_SHR
                            ? "The count on the right may not be negative."
                            : "Use unsigned operands, or wrap(x, uN) first.");
    return poison(a);
  }
  if (op != O_SHL && op != O_SHR && l == LAB_SEC) {
    const ival *r = ival_hull(s, x->iv, y->iv); /* both become shares */
    if (checked_int(a, n->sp, r, l, "operand")->err) return a->u->ts->error;
  }
  if (op == O_AND) return ty_int(a->u->ts, ival_and(s, x->iv, y->iv), l);
  if (op == O_OR || op == O_XOR)
    return checked_int(a, n->sp, ival_or(s, x->iv, y->iv), l, "result");
  if (mpz_cmp_ui(y->iv->hi, TY_MAX_VALUE_BITS) > 0) {
    if (op == O_SHL) {
      REPORT(a, VALUE_TOO_WIDE, n->sp, "result of <<",
             (size_t)mpz_get_ui(y->iv->hi));
      diag_hint(a->u->dg, "Narrow the shift first: clamp(s, u8).");
      return poison(a);
    }
    return shifted_share(a, n, x, l, ival_hull(s, x->iv, ival_si(s, -1, 0)));
  }
  unsigned long lo = mpz_get_ui(y->iv->lo), hi = mpz_get_ui(y->iv->hi);
  const ival *(*f)(ival_set *, const ival *, unsigned long) =
      op == O_SHL ? ival_shl : ival_shr;
  const ival *r = ival_hull(s, f(s, x->iv, lo), f(s, x->iv, hi));
  return op == O_SHL ? checked_int(a, n->sp, r, l, "result of <<")
                     : shifted_share(a, n, x, l, r);
}

/* x / 0 = 0 and x % 0 = x where that cannot end the run: of a secret divisor,
 * and in a branch on a secret. */
static const ty *quotient(an *a, const node *n, node_op op, const ty *x,
                          const ty *y, ty_label l) {
  ival_set *s = a->u->iv;
  if (checked_int(a, n->sp, ival_hull(s, x->iv, y->iv), l,
                  op == O_DIV ? "operand of /" : "operand of %")->err)
    return a->u->ts->error;
  const ival *r = op == O_DIV ? ival_div(s, x->iv, y->iv)
                              : ival_mod(s, x->iv, y->iv);
  bool zero = mpz_sgn(y->iv->lo) <= 0 && mpz_sgn(y->iv->hi) >= 0;
  if (zero && (y->label == LAB_SEC || is_guarded(a)))
    r = ival_hull(s, r, op == O_DIV ? ival_si(s, 0, 0) : x->iv);
  return ty_int(a->u->ts, r, l);
}

static const ty *int_op(an *a, const node *n, node_op op, const ty *x,
                        const ty *y) {
  ival_set *s = a->u->iv;
  bool sec = x->label == LAB_SEC || y->label == LAB_SEC;
  ty_label l = sec ? LAB_SEC : LAB_PUB;
  switch (op) {
  case O_ADD:
    return checked_int(a, n->sp, ival_add(s, x->iv, y->iv), l, "sum");
  case O_SUB:
    return checked_int(a, n->sp, ival_sub(s, x->iv, y->iv), l, "difference");
  case O_MUL:
    return checked_int(a, n->sp, ival_mul(s, x->iv, y->iv), l, "product");
  case O_DIV:
  case O_MOD:
    if (ival_zero(y->iv)) {
      REPORT(a, DIVISION_BY_ZERO, n->sp);
      diag_hint(a->u->dg, "The divisor is always 0 here.");
      return poison(a);
    }
    return quotient(a, n, op, x, y, l);
  default: return bits_op(a, n, op, x, y);
  }
}

static const ty *field_op(an *a, const node *n, node_op op, const ty *x,
                          const ty *y) {
  bool sec = x->label == LAB_SEC || y->label == LAB_SEC;
  if (op == O_DIV && sec) {
    unsupported(a, n->sp, "dividing field elements with a secret",
                "Multiply by a public inverse instead.");
    return poison(a);
  }
  if (op != O_ADD && op != O_SUB && op != O_MUL && op != O_DIV)
    return bad_operands(a, n, op, x, y);
  if (op == O_DIV && y->kind == T_INT && ival_zero(y->iv)) {
    REPORT(a, DIVISION_BY_ZERO, n->sp);
    diag_hint(a->u->dg, "The divisor is always 0 here.");
    return poison(a);
  }
  return ty_scalar(a->u->ts, T_FIELD, NULL, sec ? LAB_SEC : LAB_PUB);
}

static const ty *logic_op(an *a, const node *n, node_op op, const ty *x,
                          const ty *y) {
  if (x->kind != T_BOOL || y->kind != T_BOOL)
    return bad_operands(a, n, op, x, y);
  if (x->label == LAB_SEC || y->label == LAB_SEC)
    return ty_bool(a->u->ts, LAB_SEC);
  return ty_scalar(a->u->ts, T_BOOL,
                   op == O_ANDAND || op == O_AND
                       ? ival_min(a->u->iv, x->iv, y->iv)
                       : ival_max(a->u->iv, x->iv, y->iv), LAB_PUB);
}

static const ty *scalar_op(an *a, const node *n, node_op op, const ty *x,
                           const ty *y) {
  if (x->err || y->err) return poison(a);
  if (comparison(op)) return compare(a, n, op, x, y);
  if (op == O_ANDAND || op == O_OROR) return logic_op(a, n, op, x, y);
  if (x->kind == T_BOOL && y->kind == T_BOOL && (op == O_AND || op == O_OR))
    return logic_op(a, n, op, x, y);
  if (x->kind == T_BOOL && y->kind == T_BOOL && op == O_XOR)
    return compare(a, n, O_NE, x, y);
  if (x->kind == T_INT && y->kind == T_INT) return int_op(a, n, op, x, y);
  bool xn = x->kind == T_INT || x->kind == T_FIXED;
  bool yn = y->kind == T_INT || y->kind == T_FIXED;
  if (xn && yn) return fixed_op(a, n, op, x, y);
  if ((x->kind == T_FIELD || x->kind == T_INT) &&
      (y->kind == T_FIELD || y->kind == T_INT))
    return field_op(a, n, op, x, y);
  return bad_operands(a, n, op, x, y);
}

/* ---- lifting ---- */

/* Trailing axes are matched; an axis of length 1 stretches. */
bool broadcast(const ty *x, const ty *y, uint64_t *dim, uint32_t *ndim) {
  uint32_t nx = x->kind == T_ARRAY ? x->ndim : 0;
  uint32_t ny = y->kind == T_ARRAY ? y->ndim : 0;
  *ndim = nx > ny ? nx : ny;
  for (uint32_t i = 0; i < *ndim; i++) {
    uint64_t dx = i < nx ? x->dim[nx - 1 - i] : 1;
    uint64_t dy = i < ny ? y->dim[ny - 1 - i] : 1;
    if (dx != dy && dx != 1 && dy != 1) return false;
    dim[*ndim - 1 - i] = dx > dy ? dx : dy;
  }
  return true;
}

val apply_binary(an *a, const node *n, node_op op, val x, val y) {
  if (x.t->err || y.t->err) return val_of(poison(a));
  if (op == O_MATMUL) return val_of(matmul_type(a, n, x.t, y.t));
  if ((op == O_ANDAND || op == O_OROR) &&
      (x.t->kind == T_ARRAY || y.t->kind == T_ARRAY))
    return val_of(bad_operands(a, n, op, x.t, y.t));
  const ty *ex = ty_elem(x.t), *ey = ty_elem(y.t);
  if (!ty_is_scalar(ex) || !ty_is_scalar(ey))
    return val_of(bad_operands(a, n, op, x.t, y.t));
  uint64_t dim[64], lanes = 1;
  uint32_t ndim;
  if (!broadcast(x.t, y.t, dim, &ndim)) {
    REPORT(a, SHAPES_DIFFER, n->sp, ast_op_text(op), tx(a, x.t), tx(a, y.t));
    diag_hint(a->u->dg, "Shapes must be equal, or agree in their last axes, or "
                        "an axis must be 1.");
    return val_of(poison(a));
  }
  for (uint32_t i = 0; i < ndim; i++)
    if (__builtin_mul_overflow(lanes, dim[i], &lanes) || lanes > TY_MAX_LANES) {
      REPORT(a, TOO_LARGE, n->sp, "an array of more than 2^32 elements");
      diag_hint(a->u->dg, "Use smaller sizes.");
      return val_of(poison(a));
    }
  const ty *e = scalar_op(a, n, op, ex, ey);
  const ty *t = ty_array(a->u->ts, e, dim, ndim);
  return add_relation(a, op, x, y, t);
}

const ival *whole_width(an *a, const node *n, const node *x, const ty *t,
                        const char *what) {
  const res *r = &a->u->res[x->id];
  const ty *d = x->kind == N_NAME && r->kind == R_LOCAL && a->decl
                    ? a->decl[r->idx] : NULL;
  const ival *w = d && ty_elem(d)->kind == T_INT ? ty_elem(d)->iv
                                                 : ty_elem(t)->iv;
  if (w != ival_unsigned(a->u->iv, (unsigned)ival_bits(w))) {
    REPORT(a, INVERT_WIDTH, n->sp, what, tx(a, t));
    diag_hint(a->u->dg, "Give it a width: `let x: u8 = ...;`, or use "
                        "wrap(x, u8).");
    return NULL;
  }
  ninfo *ni = a->quiet ? NULL : info_of(a->in, n);
  if (ni) ni->want = ty_int(a->u->ts, w, LAB_PUB);
  return w;
}

val unary_of(an *a, const node *n, const ty *want) {
  val v = expr_of(a, n->kid[0], n->op == O_NEG ? want : NULL);
  if (v.t->err) return val_of(poison(a));
  const ty *e = ty_elem(v.t), *r = NULL;
  ty_set *ts = a->u->ts;
  bool sec = e->label == LAB_SEC;
  if (n->op == O_NEG) {
    if (e->kind == T_INT)
      r = checked_int(a, n->sp, ival_neg(a->u->iv, e->iv),
                      sec ? LAB_SEC : LAB_PUB, "negation");
    else if (e->kind == T_FIXED)
      r = fixed_result(a, e->ibits, e->fbits, ival_neg(a->u->iv, e->iv),
                       LAB_PUB);
    else if (e->kind == T_FIELD) r = e;
  } else if (n->op == O_NOT) {
    if (e->kind == T_BOOL)
      r = ty_scalar(ts, T_BOOL,
                    ival_sub(a->u->iv, ival_si(a->u->iv, 1, 1), e->iv),
                    sec ? LAB_SEC : LAB_PUB);
  } else if (n->op == O_INVERT && e->kind == T_INT) {
    const ival *w = whole_width(a, n, n->kid[0], v.t, "~"); /* 2^N - 1 - x */
    if (!w) return val_of(poison(a));
    r = ty_int(ts, ival_sub(a->u->iv, ival_get(a->u->iv, w->hi, w->hi), e->iv),
               sec ? LAB_SEC : LAB_PUB);
  }
  if (!r) {
    REPORT(a, BAD_OPERAND, n->sp, ast_op_text((node_op)n->op), tx(a, v.t));
    diag_hint(a->u->dg, n->op == O_NOT ? "`!` takes a bool; `x == 0` asks of "
                                         "a number."
                                       : "It takes a number.");
    return val_of(poison(a));
  }
  return val_of(v.t->kind == T_ARRAY ? ty_array(ts, r, v.t->dim, v.t->ndim)
                                     : r);
}

/* The right side of && and || may not run: what it assigns may be or not.  If
 * the left side is secret it always does. */
static val maybe(an *a, const node *n, bool sec) {
  uint32_t mark = a->ntrail;
  bool beside = a->beside;
  if (sec && assigns_within(n)) {
    unsupported(a, n->sp, "an assignment beside a secret condition",
                "Assign before it.");
    poison(a);
  }
  a->beside |= sec;
  val v = expr_of(a, n, NULL);
  a->beside = beside;
  for (uint32_t i = a->ntrail; i-- > mark;) {
    uint32_t slot = a->trail[i].slot;
    const ty *old = a->trail[i].old.t, *now = a->cur[slot].t;
    const ty *j = old && now ? ty_join(a->u->ts, old, now) : NULL;
    if (j) a->cur[slot] = val_of(j);
  }
  return v;
}

/* Down the left spine in a loop: it may be 200,000 deep. */
val binary_of(an *a, const node *n, const ty *want) {
  VEC(const node *) spine = {0};
  const node *x = n;
  for (; x->kind == N_BINARY; x = x->kid[0]) vec_push(a->u->a, &spine, x);
  /* The first pair may have a literal on the left that takes its format from
   * the right. */
  val acc;
  const node *low = spine.p[spine.n - 1];
  bool late = is_decimal(x) && !is_decimal(low->kid[1]);
  if (!late) acc = expr_of(a, x, want);
  else acc = val_of(a->u->ts->error);
  for (size_t i = spine.n; i-- > 0;) {
    const node *b = spine.p[i];
    const ty *hint = want;
    if (!late && acc.t->nelem <= 1 && ty_elem(acc.t)->kind == T_FIXED)
      hint = acc.t;
    bool logic = b->op == O_ANDAND || b->op == O_OROR;
    val y = logic ? maybe(a, b->kid[1], acc.t->sec)
                  : expr_of(a, b->kid[1], hint);
    if (late) {
      acc = expr_of(a, x, y.t->nelem <= 1 && ty_elem(y.t)->kind == T_FIXED
                              ? y.t : want);
      late = false;
    }
    acc = apply_binary(a, b, (node_op)b->op, acc, y);
    if (i) record(a, b, acc.t);
    a->u->work++;
  }
  return acc;
}
