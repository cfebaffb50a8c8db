/* A value meets a declared type: shape, label, interval. */
#include <string.h>

#include "frontend/sema.h"

static const ty *declared(an *a, const ty *d, const ty *v) {
  /* What follow-ups see after an error: the declared type. */
  ty_set *ts = a->u->ts;
  return d->open ? (v->sec ? ty_relabel(ts, d, LAB_SEC) : ty_close(ts, d)) : d;
}

/* The shape that a place without a declared type has. */
static const char *shape_text(an *a, const ty *t) {
  if (a->quiet) return "";
  if (t->kind == T_INT) return "integer";
  if (t->kind != T_ARRAY) return ty_text(a->u->a, t);
  const char *s = "[_;";
  for (uint32_t i = 0; i < t->ndim; i++)
    s = arena_printf(a->u->a, "%s%s %llu", s, i ? "," : "",
                     (unsigned long long)t->dim[i]);
  return arena_printf(a->u->a, "%s]", s);
}

/* Reports; what follow-ups see.  A place without a declared type keeps what
 * it holds. */
static const ty *mismatch(an *a, fitting *f, const ty *v, const ty *d) {
  REPORT(a, TYPE_MISMATCH, f->sp, f->what,
         f->held ? shape_text(a, f->held) : tx(a, ty_close(a->u->ts, d)),
         tx(a, v));
  if (v->kind == T_BOOL && d->kind == T_INT)
    diag_hint(a->u->dg, "Write `if c { 1 } else { 0 }`.");
  else if (v->kind == T_INT && d->kind == T_BOOL)
    diag_hint(a->u->dg, "Compare it: `x != 0`.");
  else if (v->kind == T_FIXED && d->kind == T_INT)
    diag_hint(a->u->dg, "Write `int(x)`, which rounds towards zero.");
  else if (v->kind == T_FIELD && d->kind == T_INT)
    diag_hint(a->u->dg, "A field element has no order; keep it a `field`.");
  else if (d->kind == T_FIELD)
    diag_hint(a->u->dg, "Write `field(x)`.");
  else if (d->kind == T_BOOL && ty_elem(v)->kind == T_BOOL)
    diag_hint(a->u->dg, "Say `all(...)` or `any(...)` of an array.");
  else if (v->kind == T_ARRAY && d->kind == T_ARRAY)
    diag_hint(a->u->dg, "The shapes have to be equal.");
  return f->held ? poison(a) : declared(a, d, v);
}

static ty_label label_of(an *a, fitting *f, const ty *v, const ty *d,
                         bool *ok) {
  if (d->label == LAB_SEC || v->label != LAB_SEC) return d->label == LAB_SEC
                                                     ? LAB_SEC : LAB_PUB;
  if (d->label == LAB_OPEN && (f->follow || a->in->poly)) {
    f->leaked = true;
    return LAB_SEC;
  }
  if (*ok) {
    REPORT(a, SECRET_TO_PUBLIC, f->sp, f->what, tx(a, v));
    if (d->label == LAB_PUB)
      diag_hint(a->u->dg, "Open it with `reveal(...)`, which every node and "
                          "everybody then learns.");
    else
      diag_hint(a->u->dg, "Open it with `reveal(...)`, or declare the type "
                          "`%s`.",
                ty_text(a->u->a, ty_relabel(a->u->ts, d, LAB_SEC)));
  }
  *ok = false;
  return LAB_PUB; /* reported: what follows goes on as declared */
}

static const ty *fit_int(an *a, fitting *f, const ty *v, const ty *d,
                         ty_label l) {
  ty_set *ts = a->u->ts;
  if (ival_inside(v->iv, d->iv)) return ty_int(ts, v->iv, l);
  REPORT(a, DOES_NOT_FIT, f->sp, f->what, ivtx(a, v->iv),
         tx(a, ty_int(ts, d->iv, LAB_PUB)), ivtx(a, d->iv));
  const char *name = ty_text(a->u->a, ty_int(ts, d->iv, LAB_PUB));
  if (ival_single(v->iv))
    diag_hint(a->u->dg, "The smallest type that holds it is \"%s\".",
              suggest(a, v->iv, l));
  else if (l == LAB_SEC)
    diag_hint(a->u->dg, "\"%s\" would hold it; or say `assume(x, %s)` if you "
                        "know that it fits.", suggest(a, v->iv, l), name);
  else
    diag_hint(a->u->dg, "\"%s\" would hold it; or say what you want: "
                        "wrap(x, %s), clamp(x, %s), assume(x, %s).",
              suggest(a, v->iv, l), name, name, name);
  return ty_int(ts, ival_meet(a->u->iv, v->iv, d->iv), l);
}

/* raw / 2^bits exactly: "-4.5". */
static const char *decimal_text(an *a, mpz_srcptr raw, unsigned bits) {
  mpz_t v;
  mpz_init(v);
  mpz_ui_pow_ui(v, 5, bits); /* over 10^bits */
  mpz_mul(v, v, raw);
  char digits[1100];
  const char *sign = mpz_sgn(v) < 0 ? "-" : "";
  mpz_abs(v, v);
  size_t n = mpz_sizeinbase(v, 10);
  const char *text = "a value of many digits";
  if (n + bits + 2 < sizeof digits) {
    mpz_get_str(digits, 10, v);
    n = strlen(digits);
    size_t lead = n > bits ? 0 : bits + 1 - n; /* zeros in front */
    memmove(digits + lead, digits, n + 1);
    memset(digits, '0', lead);
    n += lead;
    size_t whole = n - bits;
    while (n > whole && digits[n - 1] == '0') n--;
    text = arena_printf(a->u->a, "%s%.*s%s%.*s", sign, (int)whole, digits,
                        n > whole ? "." : "", (int)(n - whole),
                        digits + whole);
  }
  mpz_clear(v);
  return text;
}

/* A constant, `raw` in the format of d, that d cannot hold. */
static void fixed_fits(an *a, fitting *f, const ty *v, const ival *raw,
                       const ty *d) {
  if (!ival_single(raw) || ival_inside(raw, d->iv)) return;
  size_t bits = ival_bits(raw);
  unsigned i = bits > d->fbits ? (unsigned)(bits - d->fbits) : 0;
  REPORT(a, FIXED_OVERFLOW, f->sp,
         v->kind == T_INT ? ivtx(a, v->iv)
                          : decimal_text(a, v->iv->lo, v->fbits), tx(a, d));
  diag_hint(a->u->dg, "Use more integer bits: \"fixed<%u, %u>\".",
            i > d->ibits ? i : d->ibits + 1, d->fbits);
}

static const ty *fit_scalar(an *a, fitting *f, const ty *v, const ty *d) {
  ty_set *ts = a->u->ts;
  bool ok = true;
  if (v->kind == d->kind) {
    ty_label l = label_of(a, f, v, d, &ok);
    if (v->kind == T_INT) return fit_int(a, f, v, d, l);
    if (v->kind == T_FIXED) {
      const ival *raw = fixed_raw(a, v, d->fbits);
      fixed_fits(a, f, v, raw, d);
      return ty_fixed(ts, d->ibits, d->fbits,
                      ival_meet(a->u->iv, raw, d->iv), l);
    }
    return ty_relabel(ts, v, l);
  }
  if (v->kind == T_INT && d->kind == T_FIXED) {
    ty_label l = label_of(a, f, v, d, &ok);
    if (l == LAB_SEC) {
      unsupported(a, f->sp, "converting a secret to `fixed`",
                  "Reveal first, then convert.");
      return poison(a);
    }
    const ival *raw = fixed_raw(a, v, d->fbits);
    fixed_fits(a, f, v, raw, d);
    return ty_fixed(ts, d->ibits, d->fbits, ival_meet(a->u->iv, raw, d->iv),
                    l);
  }
  if (v->kind == T_INT && d->kind == T_FIELD && secret_fits(a, v->iv))
    return ty_scalar(ts, T_FIELD, NULL, label_of(a, f, v, d, &ok));
  return mismatch(a, f, v, d);
}

const ty *fit(an *a, fitting *f, const ty *v, const ty *d) {
  ty_set *ts = a->u->ts;
  if (v->err || d->err) return d->err ? d : declared(a, d, v);
  if (v == d && !d->open) return v;
  if (ty_is_scalar(v) && ty_is_scalar(d)) return fit_scalar(a, f, v, d);
  if (v->kind != d->kind || v->decl != d->decl || v->nelem != d->nelem ||
      v->ndim != d->ndim)
    return mismatch(a, f, v, d);
  for (uint32_t i = 0; i < v->ndim; i++)
    if (v->dim[i] != d->dim[i]) return mismatch(a, f, v, d);
  if (!v->nelem) return v;
  const ty **e = ARENA_ARR(a->u->a, const ty *, v->nelem);
  for (uint32_t i = 0; i < v->nelem; i++) {
    fitting g = *f;
    if (v->kind == T_STRUCT && !a->quiet)
      g.what = arena_printf(a->u->a, "field \"%s\" of %s", v->fname[i],
                            f->what);
    if (v->kind == T_TUPLE && !a->quiet)
      g.what = arena_printf(a->u->a, "part .%u of %s", i, f->what);
    if (f->held) g.held = f->held->elem[i];
    e[i] = fit(a, &g, v->elem[i], d->elem[i]);
    f->leaked |= g.leaked;
  }
  if (v->kind == T_ARRAY) return ty_array(ts, e[0], v->dim, v->ndim);
  if (v->kind == T_TUPLE) return ty_tuple(ts, e, v->nelem);
  return ty_struct(ts, d->decl, d->name, d->fname, e, v->nelem);
}

/* Relations survive where the value does. */
val fit_val(an *a, fitting *f, val v, const ty *want) {
  const ty *t = fit(a, f, v.t, want);
  if (v.rel && v.t->nleaf == t->nleaf) {
    for (uint32_t i = 0; i < t->nleaf; i++) {
      const ty *x = ty_leaf(v.t, i), *y = ty_leaf(t, i);
      if (x->kind != y->kind || x->fbits != y->fbits) return val_of(t);
    }
    return (val){t, v.rel, NULL};
  }
  return val_of(t);
}

/* ---- places without a declared type ---- */

static const ty *loose_leaf(ty_set *s, const ty *t, void *user) {
  (void)user;
  if (t->kind == T_INT)
    return ty_int(s, ival_signed(s->iv, TY_MAX_VALUE_BITS + 1), LAB_OPEN);
  if (t->kind == T_FIXED)
    return ty_fixed(s, t->ibits, t->fbits,
                    ty_fixed_range(s, t->ibits, t->fbits), LAB_OPEN);
  return ty_relabel(s, t, LAB_OPEN);
}

/* Field types are read in the struct's own file; a generic that stands for
 * what the fields happen to hold has no targ. */
typedef struct structure {
  an *a; /* quiet */
  const sym *s;
  const char **generic;
  uint32_t ngeneric;
  const ty **targ;
} structure;

static int64_t generic_of(const structure *st, const node *n) {
  if (n->kind != N_NAME && n->kind != N_TY_NAME) return -1;
  for (uint32_t i = 0; i < st->ngeneric; i++)
    if (!strcmp(st->generic[i], n->text)) return i;
  return -1;
}

static bool mentions_generic(const structure *st, const node *n) {
  if (generic_of(st, n) >= 0) return true;
  for (uint32_t i = 0; i < n->nkid; i++)
    if (n->kid[i] && mentions_generic(st, n->kid[i])) return true;
  return false;
}

static const ty *of_struct(an *a, const ty *t, const ty **targ);

/* Type syntax `n` where a t is held. */
static const ty *of_syntax(const structure *st, const node *n, const ty *t) {
  an *a = st->a;
  ty_set *ts = a->u->ts;
  int64_t g = generic_of(st, n);
  if (g >= 0 && !(st->targ && st->targ[g])) return undeclared(a, t);
  if (g >= 0 || !mentions_generic(st, n)) {
    const ty *d = g >= 0 ? st->targ[g] : type_of(a, n);
    return !d->err && ty_alike(d, t) ? d : undeclared(a, t);
  }
  switch (n->kind) {
  case N_TY_SECRET:
  case N_TY_PUBLIC:
    return ty_relabel(ts, of_syntax(st, n->kid[0], t),
                      n->kind == N_TY_SECRET ? LAB_SEC : LAB_PUB);
  case N_TY_ARRAY: {
    uint32_t nd = n->nkid - 1;
    if (t->kind != T_ARRAY || t->ndim < nd) break;
    const ty *e = ty_with_dims(ts, t, t->dim + nd, t->ndim - nd);
    return ty_array(ts, of_syntax(st, n->kid[0], e), t->dim, nd);
  }
  case N_TY_TUPLE: {
    if (t->kind != T_TUPLE || t->nelem != n->nkid) break;
    const ty **e = ARENA_ARR(a->u->a, const ty *, n->nkid + 1);
    for (uint32_t i = 0; i < n->nkid; i++)
      e[i] = of_syntax(st, n->kid[i], t->elem[i]);
    return ty_tuple(ts, e, n->nkid);
  }
  case N_TY_APPLY: {
    if (t->kind != T_STRUCT) break;
    const ty **targ = ARENA_ARR(a->u->a, const ty *, n->nkid + 1);
    for (uint32_t i = 0; i < n->nkid; i++) {
      g = generic_of(st, n->kid[i]);
      if (g >= 0) targ[i] = st->targ ? st->targ[g] : NULL;
      else if (n->kid[i]->kind != N_INT && !mentions_generic(st, n->kid[i]))
        targ[i] = type_of(a, n->kid[i]);
    }
    return of_struct(a, t, targ);
  }
  default: break;
  }
  return undeclared(a, t);
}

static const sym *sym_of_struct(const fe_unit *u, const ty *t) {
  for (uint32_t i = 0; i < u->nmod + u->ncon; i++) {
    const module *m = i < u->nmod ? u->mod[i] : u->con[i - u->nmod]->mod;
    const sym *s = module_find(m, t->name);
    if (s && s->decl == t->decl) return s;
  }
  return NULL;
}

static const ty *of_struct(an *a, const ty *t, const ty **targ) {
  structure st = {.s = sym_of_struct(a->u, t), .targ = targ};
  if (!st.s) return ty_map(a->u->ts, t, loose_leaf, NULL);
  st.generic = struct_generics(a, st.s, &st.ngeneric);
  fninfo f = {.generic = st.generic, .ngeneric = st.ngeneric};
  inst in = {.u = a->u, .f = &f, .mod = st.s->mod, .id0 = 1};
  an b = {.u = a->u, .in = &in, .quiet = true};
  st.a = &b;
  const ty **e = ARENA_ARR(a->u->a, const ty *, t->nelem + 1);
  for (uint32_t i = 0; i < t->nelem; i++)
    e[i] = of_syntax(&st, st.s->decl->kid[i + 1]->kid[0], t->elem[i]);
  return ty_struct(a->u->ts, t->decl, t->name, t->fname, e, t->nelem);
}

const ty *undeclared(an *a, const ty *t) {
  ty_set *ts = a->u->ts;
  if (t->kind == T_STRUCT) return of_struct(a, t, NULL);
  if (t->kind != T_ARRAY && t->kind != T_TUPLE)
    return ty_map(ts, t, loose_leaf, NULL);
  const ty **e = ARENA_ARR(a->u->a, const ty *, t->nelem + 1);
  for (uint32_t i = 0; i < t->nelem; i++) e[i] = undeclared(a, t->elem[i]);
  return t->kind == T_ARRAY ? ty_array(ts, e[0], t->dim, t->ndim)
                            : ty_tuple(ts, e, t->nelem);
}
