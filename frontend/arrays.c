/* Arrays: literals, indices, slices, comprehensions, the matrix product. */
#include <string.h>

#include "frontend/sema.h"

/* ---- indices ---- */

static const ty *index_value(an *a, const node *k) {
  const ty *t = expr_of(a, k, NULL).t;
  if (t->err) return NULL;
  if (t->kind != T_INT) {
    REPORT(a, INDEX_TYPE, k->sp, tx(a, t));
    diag_hint(a->u->dg, "An index is an integer.");
    poison(a);
    return NULL;
  }
  return t;
}

static void check_bounds(an *a, const node *k, const ival *iv, uint64_t n) {
  if (mpz_sgn(iv->hi) >= 0 && mpz_cmp_ui(iv->lo, n) < 0) return;
  REPORT(a, INDEX_OUT_OF_RANGE, k->sp, ivtx(a, iv), (unsigned long long)n - 1);
  diag_hint(a->u->dg, "The axis has %llu elements, 0 to %llu.",
            (unsigned long long)n, (unsigned long long)n - 1);
  poison(a);
}

/* The terms of a sum, with their signs. */
typedef struct terms {
  const node *e[32];
  bool minus[32];
  uint32_t n;
} terms;

static bool add_terms(terms *t, const node *e, bool minus) {
  for (; e->kind == N_BINARY && (e->op == O_ADD || e->op == O_SUB);
       e = e->kid[0])
    if (!add_terms(t, e->kid[1], minus != (e->op == O_SUB))) return false;
  if (t->n == 32) return false;
  t->e[t->n] = e;
  t->minus[t->n++] = minus;
  return true;
}

/* hi - lo, where everything that is not constant cancels: i + 1 .. i + 3 has a
 * constant length although its start has no constant value. */
static bool constant_length(an *a, const node *lo, const node *hi,
                            uint64_t *len) {
  terms t = {.n = 0};
  if (!lo || !add_terms(&t, hi, false) || !add_terms(&t, lo, true))
    return false;
  int64_t sum = 0;
  for (uint32_t i = 0; i < t.n; i++) {
    if (!t.e[i]) continue;
    bool gone = false;
    for (uint32_t k = i + 1; k < t.n && !gone; k++)
      if (t.e[k] && t.minus[k] != t.minus[i] && same_expr(t.e[i], t.e[k])) {
        t.e[k] = NULL;
        gone = true;
      }
    if (gone) continue;
    bool q = a->quiet;
    a->quiet = true;
    const ty *c = expr_of(a, t.e[i], NULL).t;
    a->quiet = q;
    int64_t v;
    if (c->kind != T_INT || !ival_to_si(c->iv, &v) || v > INT32_MAX ||
        v < -INT32_MAX)
      return false;
    sum += t.minus[i] ? -v : v;
  }
  *len = (uint64_t)sum;
  return sum > 0;
}

bool slice_length(an *a, const node *r, uint64_t extent, uint64_t *len) {
  const node *lo = r->nkid > 0 ? r->kid[0] : NULL;
  const node *hi = r->nkid > 1 ? r->kid[1] : NULL;
  const ty *tl = lo ? index_value(a, lo) : NULL;
  const ty *th = hi ? index_value(a, hi) : NULL;
  if ((lo && !tl) || (hi && !th)) return false;
  if ((tl && tl->sec) || (th && th->sec)) {
    unsupported(a, tl && tl->sec ? lo->sp : hi->sp, "a secret bound of a slice",
                "Take elements one by one, `a[s]`, with a secret index.");
    poison(a);
    return false;
  }
  const ival *zero = ival_si(a->u->iv, 0, 0);
  const ival *end = ival_si(a->u->iv, (int64_t)extent, (int64_t)extent);
  const ival *il = tl ? tl->iv : zero, *ih = th ? th->iv : end;
  if (ival_single(il) && ival_single(ih)) {
    if (mpz_sgn(il->lo) < 0 || mpz_cmp_ui(ih->lo, extent) > 0 ||
        mpz_cmp(il->lo, ih->lo) >= 0) {
      REPORT(a, SLICE_BOUNDS, r->sp, ivtx(a, il), ivtx(a, ih),
             (unsigned long long)extent);
      diag_hint(a->u->dg, "A slice a..b needs 0 <= a < b <= %llu.",
                (unsigned long long)extent);
      poison(a);
      return false;
    }
    *len = mpz_get_ui(ih->lo) - mpz_get_ui(il->lo);
    return true;
  }
  if (!hi || !constant_length(a, lo, hi, len)) {
    REPORT(a, SLICE_LENGTH, r->sp);
    diag_hint(a->u->dg, "Bounds have to be constants, or the end has to be "
                        "the start plus a constant: `a[i..i + 4]`.");
    poison(a);
    return false;
  }
  if (*len > extent || mpz_cmp_ui(il->lo, extent - *len) > 0 ||
      mpz_sgn(il->hi) < 0) {
    REPORT(a, SLICE_BOUNDS, r->sp, ivtx(a, il), ivtx(a, ih),
           (unsigned long long)extent);
    diag_hint(a->u->dg, "The slice is %llu long and lies outside.",
              (unsigned long long)*len);
    poison(a);
    return false;
  }
  return true;
}

static bool may_miss(const ival *iv, uint64_t n) {
  return mpz_sgn(iv->lo) < 0 || mpz_cmp_ui(iv->hi, n - 1) > 0;
}

/* What lies outside reads as 0 where the run cannot be ended. */
static const ty *or_zero(ty_set *s, const ty *t, void *user) {
  (void)user;
  if (!t->iv || t->kind == T_IDENTITY) return t;
  ty n = *t;
  n.iv = ival_hull(s->iv, t->iv, ival_si(s->iv, 0, 0));
  return n.kind == T_INT    ? ty_int(s, n.iv, n.label)
         : n.kind == T_BOOL ? ty_scalar(s, T_BOOL, n.iv, n.label)
                            : ty_fixed(s, n.ibits, n.fbits, n.iv, n.label);
}

/* The part of b, as it is declared; *sec: a secret says which, *miss: it may
 * lie outside. */
static const ty *indexed(an *a, const node *n, const ty *b, bool *sec,
                         bool *miss) {
  if (b->err) return poison(a);
  uint32_t given = n->nkid - 1;
  if (b->kind != T_ARRAY || given > b->ndim) {
    if (b->kind != T_ARRAY) {
      REPORT(a, NOT_INDEXABLE, n->sp, tx(a, b));
      diag_hint(a->u->dg, b->kind == T_TUPLE ? "Parts of a tuple are t.0, t.1."
                                             : "Only arrays have elements.");
    } else {
      REPORT(a, TOO_MANY_INDICES, n->sp, given, b->ndim, tx(a, b));
      diag_hint(a->u->dg, "Give at most one index per axis.");
    }
    for (uint32_t i = 0; i < given; i++)
      if (n->kid[i + 1]->kind != N_RANGE) expr_of(a, n->kid[i + 1], NULL);
    return poison(a);
  }
  uint64_t dim[64];
  uint32_t nd = 0;
  bool ok = true;
  for (uint32_t i = 0; i < given; i++) {
    const node *k = n->kid[i + 1];
    if (k->kind == N_RANGE) {
      uint64_t len = 1;
      ok &= slice_length(a, k, b->dim[i], &len);
      dim[nd++] = len;
      *miss |= is_guarded(a) && k->nkid && k->kid[0] &&
               k->kid[0]->kind != N_INT;
    } else {
      const ty *t = index_value(a, k);
      ok &= t != NULL;
      if (!t) continue;
      check_bounds(a, k, t->iv, b->dim[i]);
      *sec |= t->sec;
      *miss |= (t->sec || is_guarded(a)) && may_miss(t->iv, b->dim[i]);
    }
  }
  if (!ok) return poison(a);
  for (uint32_t i = given; i < b->ndim; i++) dim[nd++] = b->dim[i];
  return ty_with_dims(a->u->ts, b, dim, nd);
}

const ty *index_place(an *a, const node *n, const ty *b) {
  bool sec = false, miss = false;
  return indexed(a, n, b, &sec, &miss);
}

const ty *index_type(an *a, const node *n, const ty *b) {
  bool sec = false, miss = false;
  const ty *r = indexed(a, n, b, &sec, &miss);
  if (r->err) return r;
  if (miss) r = ty_map(a->u->ts, r, or_zero, NULL);
  return sec ? decided(a, n->sp, r, "element") : r;
}

val index_of(an *a, const node *n) {
  const node *key[MAP_KEYS_MAX];
  sym *map = map_entry(a->u, n, key);
  if (map) return map_of(a, n, map, key);
  const ty *b = expr_of(a, n->kid[0], NULL).t;
  return val_of(index_type(a, n, b));
}

/* ---- literals ---- */

static const ty *elem_hint(an *a, const ty *want) {
  if (!want || want->kind != T_ARRAY) return NULL;
  return ty_with_dims(a->u->ts, want, want->dim + 1, want->ndim - 1);
}

static bool is_data(an *a, const node *n, const ty *t) {
  if (t->err) return false;
  if (ty_is_data(t)) return true;
  REPORT(a, NOT_DATA, n->sp, tx(a, t));
  diag_hint(a->u->dg, "An array holds values.");
  poison(a);
  return false;
}

/* Hull of two element types; ints become fixed beside a fixed. */
static const ty *common(an *a, const ty *x, const ty *y) {
  ty_set *s = a->u->ts;
  const ty *j = ty_join(s, x, y);
  if (j) return j;
  if (x->kind == T_FIXED && y->kind == T_INT)
    return ty_join(s, x, ty_fixed(s, fixed_ibits(y, x->ibits), x->fbits,
                                  fixed_raw(a, y, x->fbits), y->label));
  if (y->kind == T_FIXED && x->kind == T_INT) return common(a, y, x);
  if (x->kind == T_FIELD && y->kind == T_INT)
    return ty_scalar(s, T_FIELD, NULL,
                     x->label == LAB_SEC || y->label == LAB_SEC ? LAB_SEC
                                                                : LAB_PUB);
  if (y->kind == T_FIELD && x->kind == T_INT) return common(a, y, x);
  if (x->kind == T_ARRAY && y->kind == T_ARRAY && x->ndim == y->ndim &&
      !memcmp(x->dim, y->dim, x->ndim * sizeof *x->dim)) {
    const ty *e = common(a, x->elem[0], y->elem[0]);
    return e ? ty_array(s, e, x->dim, x->ndim) : NULL;
  }
  return NULL;
}

val array_of(an *a, const node *n, const ty *want) {
  if (n->nkid == 0) {
    REPORT(a, EMPTY_ARRAY, n->sp);
    diag_hint(a->u->dg, "Arrays have at least one element.");
    return val_of(poison(a));
  }
  const ty *hint = elem_hint(a, want), *e = NULL;
  bool ok = true;
  for (uint32_t i = 0; i < n->nkid; i++) {
    const ty *t = expr_of(a, n->kid[i], hint).t;
    if (!is_data(a, n->kid[i], t)) {
      ok = false;
      continue;
    }
    const ty *j = e ? common(a, e, t) : t;
    if (!j) {
      REPORT(a, ELEMENTS_DIFFER, n->kid[i]->sp, tx(a, t), tx(a, e));
      diag_hint(a->u->dg, "All elements of an array have one type and shape.");
      ok = false;
      continue;
    }
    e = j;
  }
  if (!ok) return val_of(poison(a));
  uint64_t dim = n->nkid;
  return val_of(ty_array(a->u->ts, e, &dim, 1));
}

static bool size_fits(an *a, const node *n, const ty *e, const uint64_t *dim,
                      uint32_t nd) {
  uint64_t lanes = ty_size(e);
  for (uint32_t i = 0; i < nd; i++)
    if (__builtin_mul_overflow(lanes, dim[i], &lanes)) lanes = UINT64_MAX;
  if (lanes <= TY_MAX_LANES && e->ndim + nd <= 32) return true;
  REPORT(a, TOO_LARGE, n->sp, "an array of more than 2^32 elements");
  diag_hint(a->u->dg, "Use smaller sizes.");
  poison(a);
  return false;
}

val repeat_of(an *a, const node *n, const ty *want) {
  uint64_t dim[32];
  uint32_t nd = n->nkid - 1;
  const ty *hint = want && want->kind == T_ARRAY ? ty_elem(want) : NULL;
  const ty *e = expr_of(a, n->kid[0], hint).t;
  bool ok = is_data(a, n->kid[0], e) && nd <= 16;
  for (uint32_t i = 0; i < nd && i < 32; i++) {
    dim[i] = size_of(a, n->kid[i + 1], "array size");
    ok &= dim[i] != 0;
  }
  if (!ok || !size_fits(a, n, e, dim, nd)) return val_of(poison(a));
  return val_of(ty_array(a->u->ts, e, dim, nd));
}

/* ---- comprehensions ---- */

typedef struct compr {
  const ty **var;
  const ty *elem, *hint;
} compr;

static void compr_body(an *a, const node *n, void *user) {
  compr *c = user;
  for (uint32_t i = 1; i < n->nkid; i++)
    bind_pattern(a, n->kid[i]->kid[0], val_of(c->var[i - 1]));
  const ty *t = expr_of(a, n->kid[0], c->hint).t;
  c->elem = t;
}

/* Type of the variable and number of turns of one source. */
static const ty *source_type(an *a, const node *s, uint64_t *len) {
  const node *e = s->kid[1];
  if (e->kind != N_RANGE) {
    const ty *t = expr_of(a, e, NULL).t;
    if (t->err) return NULL;
    if (t->kind != T_ARRAY) {
      REPORT(a, NOT_A_SOURCE, e->sp, tx(a, t));
      diag_hint(a->u->dg, "Take elements of an array or of a range `a..b`.");
      poison(a);
      return NULL;
    }
    *len = t->dim[0];
    return ty_with_dims(a->u->ts, t, t->dim + 1, t->ndim - 1);
  }
  const ty *b[2];
  for (int i = 0; i < 2; i++) {
    if (i >= (int)e->nkid || !e->kid[i]) {
      REPORT(a, RANGE_BOUNDS, e->sp, "an end");
      diag_hint(a->u->dg, "Write both: `a..b`.");
      poison(a);
      return NULL;
    }
    b[i] = expr_of(a, e->kid[i], NULL).t;
    if (b[i]->err) return NULL;
    if (b[i]->kind != T_INT || b[i]->label == LAB_SEC ||
        !ival_single(b[i]->iv)) {
      REPORT(a, SIZE_NOT_CONSTANT, e->kid[i]->sp, "bound of a comprehension",
             tx(a, b[i]));
      diag_hint(a->u->dg, "The array's size has to be known: use constants.");
      poison(a);
      return NULL;
    }
  }
  mpz_t d;
  mpz_init(d);
  mpz_sub(d, b[1]->iv->lo, b[0]->iv->lo);
  bool ok = mpz_sgn(d) > 0 && mpz_cmp_ui(d, TY_MAX_LANES) <= 0;
  if (ok) *len = mpz_get_ui(d);
  if (ok) mpz_sub_ui(d, b[1]->iv->lo, 1);
  const ty *t = ok ? ty_int(a->u->ts, ival_get(a->u->iv, b[0]->iv->lo, d),
                            LAB_PUB) : NULL;
  mpz_clear(d);
  if (!ok) {
    REPORT(a, SIZE_OUT_OF_RANGE, e->sp, "range of a comprehension", "0");
    diag_hint(a->u->dg, "Arrays have at least one element.");
    poison(a);
  }
  return t;
}

val compr_of(an *a, const node *n, const ty *want) {
  uint32_t ns = n->nkid - 1;
  uint64_t dim[32];
  const ty **var = ARENA_ARR(a->u->a, const ty *, ns + 1);
  bool ok = ns <= 16;
  for (uint32_t i = 0; i < ns && ns <= 16; i++) {
    var[i] = source_type(a, n->kid[i + 1], &dim[i]);
    ok &= var[i] != NULL;
    if (!var[i]) var[i] = a->u->ts->error;
  }
  if (!ok) return val_of(poison(a));
  compr c = {var, NULL, NULL};
  if (want && want->kind == T_ARRAY && want->ndim >= ns)
    c.hint = ty_with_dims(a->u->ts, want, want->dim + ns, want->ndim - ns);
  mpz_t t;
  mpz_init_set_ui(t, 1);
  for (uint32_t i = 0; i < ns; i++) mpz_mul_ui(t, t, dim[i]);
  analyse_loop(a, n, compr_body, &c, t, t, -1);
  mpz_clear(t);
  const ninfo *ni = a->quiet ? NULL : info_of(a->in, n->kid[0]);
  const ty *e = ni && ni->t ? ni->t : c.elem;
  if (!e || !is_data(a, n->kid[0], e) || !size_fits(a, n, e, dim, ns))
    return val_of(poison(a));
  return val_of(ty_array(a->u->ts, e, dim, ns));
}

/* ---- matrix product ---- */

const ty *matmul_type(an *a, const node *n, const ty *x, const ty *y) {
  ty_set *s = a->u->ts;
  uint32_t nx = x->kind == T_ARRAY ? x->ndim : 0;
  uint32_t ny = y->kind == T_ARRAY ? y->ndim : 0;
  bool shapes = nx >= 1 && nx <= 2 && ny >= 1 && ny <= 2 &&
                x->dim[nx - 1] == y->dim[0];
  if (!shapes) {
    REPORT(a, SHAPES_DIFFER, n->sp, "@", tx(a, x), tx(a, y));
    diag_hint(a->u->dg, "The last axis of the left side and the first of the "
                        "right side have to be equal; at most two axes each.");
    return poison(a);
  }
  const ty *ex = ty_elem(x), *ey = ty_elem(y);
  uint64_t k = y->dim[0];
  const ty *e;
  bool sec = ex->label == LAB_SEC || ey->label == LAB_SEC;
  if (ex->kind == T_INT && ey->kind == T_INT) {
    mpz_t c;
    mpz_init_set_ui(c, k);
    const ival *iv = ival_times(a->u->iv, ival_mul(a->u->iv, ex->iv, ey->iv),
                                c, c);
    mpz_clear(c);
    e = checked_int(a, n->sp, iv, sec ? LAB_SEC : LAB_PUB, "product");
  } else {
    val p = apply_binary(a, n, O_MUL, val_of(ex), val_of(ey));
    e = p.t;
    if (e->kind == T_FIXED) {
      mpz_t c;
      mpz_init_set_ui(c, k);
      e = fixed_result(a, e->ibits, e->fbits,
                       ival_times(a->u->iv, e->iv, c, c), LAB_PUB);
      mpz_clear(c);
    }
  }
  if (e->err) return poison(a);
  uint64_t dim[2];
  uint32_t nd = 0;
  if (nx == 2) dim[nd++] = x->dim[0];
  if (ny == 2) dim[nd++] = y->dim[1];
  if (!size_fits(a, n, e, dim, nd)) return poison(a);
  return ty_array(s, e, dim, nd);
}
