/* Expressions: literals, names, fields, tuples; what all of them share. */
#include <string.h>

#include "frontend/sema.h"

val val_of(const ty *t) { return (val){t, NULL, NULL}; }

const ty *poison(an *a) {
  a->poisons++;
  if (!a->quiet) a->in->failed = true;
  return a->u->ts->error;
}

const char *tx(an *a, const ty *t) {
  return a->quiet ? "" : ty_text(a->u->a, t);
}

const char *ivtx(an *a, const ival *v) {
  if (a->quiet) return "";
  buf b = {0};
  if (mpz_cmp(v->lo, v->hi) != 0) {
    buf_mpz(&b, v->lo);
    buf_puts(&b, "..");
  }
  buf_mpz(&b, v->hi);
  const char *s = b.n > 200 ? arena_printf(a->u->a, "of %zu bits", ival_bits(v))
                            : arena_strndup(a->u->a, b.p, b.n);
  buf_free(&b);
  return s;
}

const char *suggest(an *a, const ival *v, ty_label l) {
  if (a->quiet) return "";
  buf b = {0};
  if (l == LAB_SEC) buf_puts(&b, "secret ");
  ival_suggest(v, &b);
  const char *s = arena_strndup(a->u->a, b.p, b.n);
  buf_free(&b);
  return s;
}

ninfo *info_of(const inst *in, const node *n) {
  if (!in->info || n->id < in->id0 || n->id >= in->id1) return NULL;
  return &in->info[n->id - in->id0];
}

void record(an *a, const node *n, const ty *t) {
  if (a->quiet) return;
  ninfo *i = info_of(a->in, n);
  if (!i) return;
  if (a->join && i->t) {
    const ty *j = ty_join(a->u->ts, i->t, t);
    i->t = j ? j : t;
  } else {
    i->t = t;
  }
}

static bool within_half(const ival *iv, const mpz_t h) {
  return mpz_cmpabs(iv->lo, h) <= 0 && mpz_cmpabs(iv->hi, h) <= 0;
}

bool secret_fits(const an *a, const ival *iv) {
  return within_half(iv, a->u->pmax);
}

void needs_wide(an *a, span sp) {
  contract_info *c = a->in->mod ? a->in->mod->contract : NULL;
  if (!a->in->wide_field) a->in->wide_sp = sp;
  a->in->wide_field = true;
  if (c && !c->wide_field) c->wide_sp = sp; /* what it keeps is of one field */
  if (c) c->wide_field = true;
}

void secret_seen(an *a, const ival *iv, span sp) {
  if (!a->quiet && !within_half(iv, a->u->narrow)) needs_wide(a, sp);
}

const char *field_text(const an *a) {
  mpz_srcptr h = a->u->pmax;
  size_t k = mpz_sizeinbase(h, 2);
  mpz_srcptr p = a->u->opt.prime;
  if (!p || mpz_scan0(p, 0) > k)
    return arena_printf(a->u->a, "2^%zu - 1", k + 1);
  return arena_printf(a->u->a, "a prime of %zu bits", mpz_sizeinbase(p, 2));
}

unsigned secret_bits(const an *a, bool sign) {
  mpz_t t;
  mpz_init_set(t, a->u->pmax);
  if (!sign) mpz_add_ui(t, t, 1);
  unsigned n = (unsigned)mpz_sizeinbase(t, 2) - !sign;
  mpz_clear(t);
  return n;
}

const ty *checked_int(an *a, span sp, const ival *iv, ty_label l,
                      const char *what) {
  if (l == LAB_SEC && !secret_fits(a, iv)) {
    REPORT(a, SECRET_TOO_WIDE, sp, what, ivtx(a, iv), suggest(a, iv, LAB_PUB),
           field_text(a));
    diag_hint(a->u->dg, "Secrets hold up to u%u; declare narrower operands, or "
                        "say `assume(x, uN)` of a value you know to be small.",
              secret_bits(a, false));
    return poison(a);
  }
  if (l == LAB_SEC) secret_seen(a, iv, sp);
  if (ival_bits(iv) > TY_MAX_VALUE_BITS) {
    REPORT(a, VALUE_TOO_WIDE, sp, what, ival_bits(iv));
    diag_hint(a->u->dg, "Narrow the operands with wrap, clamp or assume.");
    return poison(a);
  }
  return ty_int(a->u->ts, iv, l);
}

void unsupported(an *a, span sp, const char *what, const char *mend) {
  REPORT(a, SECRET_UNSUPPORTED, sp, what);
  diag_hint(a->u->dg, "%s", mend);
}

/* ---- literals ---- */

static bool parse_int(const char *s, mpz_t out) {
  char digits[1100];
  size_t n = 0;
  int base = 10;
  if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) base = 16, s += 2;
  else if (s[0] == '0' && (s[1] == 'b' || s[1] == 'B')) base = 2, s += 2;
  else if (s[0] == '0' && (s[1] == 'o' || s[1] == 'O')) base = 8, s += 2;
  for (; *s && n + 1 < sizeof digits; s++)
    if (*s != '_') digits[n++] = *s;
  digits[n] = 0;
  return n && mpz_set_str(out, digits, base) == 0;
}

static val int_literal(an *a, const node *n) {
  mpz_t v;
  mpz_init(v);
  const ty *t = a->u->ts->error;
  if (parse_int(n->text, v))
    t = checked_int(a, n->sp, ival_get(a->u->iv, v, v), LAB_PUB, "literal");
  mpz_clear(v);
  return val_of(t);
}

/* 12.5e-3 as num/den, exactly. */
static bool parse_decimal(const char *s, mpz_t num, mpz_t den) {
  char digits[1100];
  size_t n = 0;
  long point = 0, e = 0;
  bool frac = false;
  for (; *s && *s != 'e' && *s != 'E' && n + 1 < sizeof digits; s++) {
    if (*s == '_') continue;
    if (*s == '.') frac = true;
    else digits[n++] = *s, point += frac;
  }
  digits[n] = 0;
  if (*s == 'e' || *s == 'E') {
    s++;
    bool neg = *s == '-';
    if (*s == '-' || *s == '+') s++;
    for (; *s; s++)
      if (*s >= '0' && *s <= '9' && e < 100000) e = e * 10 + (*s - '0');
    if (neg) e = -e;
  }
  e -= point;
  if (e > 2000 || e < -4000 || !n || mpz_set_str(num, digits, 10)) return false;
  mpz_ui_pow_ui(den, 10, (unsigned long)(e < 0 ? -e : 0));
  if (e > 0) {
    mpz_t t;
    mpz_init(t);
    mpz_ui_pow_ui(t, 10, (unsigned long)e);
    mpz_mul(num, num, t);
    mpz_clear(t);
  }
  return true;
}

static val decimal_literal(an *a, const node *n, const ty *want) {
  const ty *w = want ? ty_elem(want) : NULL;
  unsigned f = w && w->kind == T_FIXED ? w->fbits : TY_DEF_FBITS;
  unsigned i = w && w->kind == T_FIXED ? w->ibits : TY_DEF_IBITS;
  mpz_t num, den;
  mpz_init(num);
  mpz_init(den);
  const ty *t = NULL;
  if (parse_decimal(n->text, num, den)) {
    mpz_mul_2exp(num, num, f);
    mpz_rdiv(num, num, den);
    const ival *raw = ival_get(a->u->iv, num, num);
    size_t bits = ival_bits(raw);
    if (bits > i + f) i = (unsigned)(bits - f);
    if (bits <= 300) t = ty_fixed(a->u->ts, i, f, raw, LAB_PUB);
  }
  mpz_clear(num);
  mpz_clear(den);
  if (!t) {
    REPORT(a, DECIMAL_TOO_LARGE, n->sp, n->text);
    diag_hint(a->u->dg, "A fixed value has at most 300 bits.");
    return val_of(poison(a));
  }
  return val_of(t);
}

/* ---- names ---- */

/* The value that the command gives a template parameter. */
static val given_value(an *a, const sym *s) {
  mpz_t v;
  mpz_init(v);
  const ty *t = a->u->ts->error;
  const char *p = s->given;
  bool neg = *p == '-';
  if (strlen(p) < 300 && parse_int(p + neg, v)) {
    if (neg) mpz_neg(v, v);
    t = ty_int(a->u->ts, ival_get(a->u->iv, v, v), LAB_PUB);
  } else {
    diag_report(a->u->dg, DIAG_TEMPLATE_VALUE, s->decl->name_sp, s->name, p);
    diag_hint(a->u->dg, "Template parameters are integers.");
  }
  mpz_clear(v);
  return val_of(t);
}

val const_val(an *a, sym *s, span sp) {
  fe_unit *u = a->u;
  if (s->state == 2) return val_of(s->ct);
  if (s->state == 1) {
    REPORT(a, CONST_CYCLE, sp, s->name);
    diag_hint(u->dg, "A constant cannot depend on itself.");
    return val_of(poison(a));
  }
  s->state = 1;
  const node *d = s->decl;
  inst *in = new_inst(u, s, NULL, s->mod);
  in->id0 = UINT32_MAX;
  ids_of(d, &in->id0, &in->id1);
  in->info = ARENA_ARR(u->a, ninfo, in->id1 - in->id0);
  s->cinst = in;
  an b = {.u = u, .in = in};
  b.cur = ARENA_ARR(u->a, val, s->nlocal + 1);
  b.decl = ARENA_ARR(u->a, const ty *, s->nlocal + 1);
  b.stamp = ARENA_ARR(u->a, uint32_t, s->nlocal + 1);
  const ty *want = NULL;
  const node *e = d->kid[0];
  if (d->kind == N_CONST_) {
    want = d->kid[0] ? type_of(&b, d->kid[0]) : NULL;
    e = d->kid[1];
  }
  val v = s->given ? given_value(&b, s) : expr_of(&b, e, want);
  if (v.t->err && s->given) v = expr_of(&b, e, want); /* what follows fits */
  in->want = want;
  if (want) {
    fitting f = {e->sp, arena_printf(u->a, "constant \"%s\"", s->name),
                 false, false, NULL};
    v = val_of(fit(&b, &f, v.t, want));
  }
  if (v.t->sec || (!v.t->err && !ty_is_data(v.t))) {
    diag_report(u->dg, DIAG_CONST_NOT_CONSTANT, e->sp, s->name);
    diag_hint(u->dg, "A constant is made of literals and other constants.");
    v = val_of(u->ts->error);
  }
  s->state = 2;
  s->ct = v.t;
  return v;
}

static val name_of(an *a, const node *n) {
  const res *r = &a->u->res[n->id];
  switch (r->kind) {
  case R_LOCAL: {
    if (!a->cur) { /* a parameter in the result's type */
      const inst *in = a->in;
      bool known = in->param && in->f && r->idx < in->f->nparam;
      return val_of(known ? in->param[r->idx] : poison(a));
    }
    val v = a->cur[r->idx];
    return v.t ? v : val_of(poison(a));
  }
  case R_GENERIC: {
    const ty *t = a->in->targ ? a->in->targ[r->idx] : NULL;
    if (!t) return val_of(poison(a));
    if (t->kind != T_INT || !ival_single(t->iv)) {
      REPORT(a, TYPE_AS_VALUE, n->sp);
      diag_hint(a->u->dg, "\"%s\" is a type; only size parameters are values.",
                n->text);
      return val_of(poison(a));
    }
    return val_of(ty_relabel(a->u->ts, t, LAB_PUB));
  }
  case R_CONST: return const_val(a, r->p, n->sp);
  case R_FN:
  case R_BUILTIN:
    REPORT(a, FUNCTION_AS_VALUE, n->sp, n->text);
    diag_hint(a->u->dg, "Call it: \"%s(...)\".", n->text);
    return val_of(poison(a));
  case R_MAP:
    return map_whole(a, n, r->p);
  case R_EVENT:
  case R_ACTION:
  case R_CONTRACT:
    REPORT(a, NOT_A_VALUE, n->sp, n->text,
           r->kind == R_EVENT    ? "an event: write `emit`"
           : r->kind == R_ACTION ? "an action or view, which identities call"
                                 : "a contract");
    diag_hint(a->u->dg, "Put what several actions share into a `fn`.");
    return val_of(poison(a));
  case R_STRUCT:
    REPORT(a, TYPE_AS_VALUE, n->sp);
    diag_hint(a->u->dg, "Write a literal: \"%s { field: value }\".", n->text);
    return val_of(poison(a));
  default: return val_of(poison(a));
  }
}

/* ---- fields and tuples ---- */

static uint32_t leaf_offset(const ty *t, uint32_t k) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < k; i++) n += t->elem[i]->nleaf;
  return n;
}

/* Position of field `n` in struct or tuple t, -1 after a report. */
static int64_t field_index(an *a, const node *n, const ty *t) {
  const ty *e = ty_elem(t);
  if (e->kind == T_STRUCT) {
    for (uint32_t i = 0; i < e->nelem; i++)
      if (!strcmp(e->fname[i], n->text)) return i;
    REPORT(a, NO_SUCH_FIELD, n->name_sp.end ? n->name_sp : n->sp, tx(a, e),
           n->text);
    buf b = {0};
    for (uint32_t i = 0; i < e->nelem && i < 20; i++)
      buf_printf(&b, "%s%s", i ? ", " : "", e->fname[i]);
    diag_hint(a->u->dg, "It has: %s.", b.p ? b.p : "no fields");
    buf_free(&b);
    return -1;
  }
  if (e->kind == T_TUPLE && n->text[0] >= '0' && n->text[0] <= '9') {
    uint64_t k = 0;
    for (const char *s = n->text; *s && k < 100000; s++)
      k = k * 10 + (uint64_t)(*s - '0');
    if (k < e->nelem) return (int64_t)k;
  }
  REPORT(a, NO_SUCH_FIELD, n->sp, tx(a, t), n->text);
  if (e->kind == T_TUPLE)
    diag_hint(a->u->dg, "Its parts are .0 to .%u.", e->nelem - 1);
  else if (t->kind == T_ARRAY)
    diag_hint(a->u->dg, "The length of an array is `len(a)`.");
  else
    diag_hint(a->u->dg, "Only structs and tuples have fields.");
  return -1;
}

static val field_of(an *a, const node *n) {
  const res *r = &a->u->res[n->id];
  if (r->kind == R_CONST) return const_val(a, r->p, n->sp);
  if (r->kind != R_NONE) {
    if (r->kind != R_ERROR) {
      REPORT(a, FUNCTION_AS_VALUE, n->sp, n->text);
      diag_hint(a->u->dg, "Call it.");
    }
    return val_of(poison(a));
  }
  return field_val(a, n, expr_of(a, n->kid[0], NULL));
}

val field_val(an *a, const node *n, val b) {
  if (b.t->err) return val_of(poison(a));
  int64_t k = field_index(a, n, b.t);
  if (k < 0) return val_of(poison(a));
  const ty *e = ty_elem(b.t), *f = e->elem[k];
  val v = val_of(b.t->kind == T_ARRAY
                     ? ty_array(a->u->ts, f, b.t->dim, b.t->ndim) : f);
  if (b.rel) v.rel = b.rel + leaf_offset(e, (uint32_t)k);
  return v;
}

static val tuple_of(an *a, const node *n, const ty *want) {
  const ty **e = ARENA_ARR(a->u->a, const ty *, n->nkid + 1);
  val *v = ARENA_ARR(a->u->a, val, n->nkid + 1);
  bool err = false, rels = false;
  uint32_t leaves = 0;
  for (uint32_t i = 0; i < n->nkid; i++) {
    const ty *w = want && want->kind == T_TUPLE && want->nelem == n->nkid
                      ? want->elem[i] : NULL;
    v[i] = expr_of(a, n->kid[i], w);
    e[i] = v[i].t;
    if (!e[i]->err && !ty_is_data(e[i])) {
      REPORT(a, NOT_DATA, n->kid[i]->sp, tx(a, e[i]));
      diag_hint(a->u->dg, "A tuple holds values.");
      e[i] = poison(a);
    }
    err |= e[i]->err;
    rels |= v[i].rel != NULL;
    leaves += e[i]->nleaf;
  }
  if (err) return val_of(poison(a));
  val r = val_of(ty_tuple(a->u->ts, e, n->nkid));
  if (rels) {
    r.rel = ARENA_ARR(a->u->a, const rel *, leaves + 1);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n->nkid; i++) {
      for (uint32_t k = 0; v[i].rel && k < e[i]->nleaf; k++)
        r.rel[at + k] = v[i].rel[k];
      at += e[i]->nleaf;
    }
  }
  return r;
}

/* ---- structural equality of expressions without effects ---- */

bool same_expr(const node *x, const node *y) {
  for (;;) {
    if (!x || !y) return x == y;
    if (x->kind != y->kind || x->op != y->op || x->nkid != y->nkid)
      return false;
    if (x->kind == N_CALL || x->kind == N_IF || x->kind == N_BLOCK ||
        x->kind == N_COMPR)
      return false;
    if (!x->text != !y->text || (x->text && strcmp(x->text, y->text)))
      return false;
    if (x->nkid == 0) return true;
    for (uint32_t i = 1; i < x->nkid; i++)
      if (!same_expr(x->kid[i], y->kid[i])) return false;
    x = x->kid[0];
    y = y->kid[0];
  }
}

/* The bytes of its UTF-8, as an array of these numbers would be. */
static val string_of(an *a, const node *n) {
  const unsigned char *s = (const unsigned char *)n->text;
  uint64_t len = strlen(n->text);
  if (len == 0) {
    REPORT(a, EMPTY_ARRAY, n->sp);
    diag_hint(a->u->dg, "Arrays have at least one element, and a text is an "
                        "array of bytes.");
    return val_of(poison(a));
  }
  int lo = 255, hi = 0;
  for (uint64_t i = 0; i < len; i++) {
    if (s[i] < lo) lo = s[i];
    if (s[i] > hi) hi = s[i];
  }
  const ty *e = ty_int(a->u->ts, ival_si(a->u->iv, lo, hi), LAB_PUB);
  return val_of(ty_array(a->u->ts, e, &len, 1));
}

/* ---- all ---- */

static val kind_of(an *a, const node *n, const ty *want) {
  switch (n->kind) {
  case N_INT: return int_literal(a, n);
  case N_DECIMAL: return decimal_literal(a, n, want);
  case N_BOOL: return val_of(ty_bool_known(a->u->ts, n->op != 0));
  case N_STRING: return string_of(a, n);
  case N_NAME: return name_of(a, n);
  case N_UNARY: return unary_of(a, n, want);
  case N_BINARY: return binary_of(a, n, want);
  case N_CALL: return call_of(a, n, want);
  case N_INDEX: return index_of(a, n);
  case N_FIELD: return field_of(a, n);
  case N_TUPLE: return tuple_of(a, n, want);
  case N_ARRAY: return array_of(a, n, want);
  case N_REPEAT: return repeat_of(a, n, want);
  case N_COMPR: return compr_of(a, n, want);
  case N_STRUCTLIT: return structlit_of(a, n);
  case N_IF: return if_of(a, n, want);
  case N_BLOCK: return block_of(a, n, want);
  default: return val_of(poison(a));
  }
}

val expr_of(an *a, const node *n, const ty *want) {
  a->u->work++;
  val v = kind_of(a, n, want);
  record(a, n, v.t);
  return v;
}
