/* Type syntax to types, sizes, and generics from arguments. */
#include <stdlib.h>
#include <string.h>

#include "frontend/sema.h"

uint64_t size_of(an *a, const node *n, const char *what) {
  val v = expr_of(a, n, NULL);
  if (v.t->kind == T_ERROR) return 0;
  if (v.t->kind != T_INT || v.t->label == LAB_SEC || !ival_single(v.t->iv)) {
    REPORT(a, SIZE_NOT_CONSTANT, n->sp, what, tx(a, v.t));
    diag_hint(a->u->dg, "Use a literal, a `const` or a size parameter of the "
                        "function.");
    return 0;
  }
  if (mpz_sgn(v.t->iv->lo) <= 0 ||
      mpz_cmp_ui(v.t->iv->lo, TY_MAX_LANES) > 0) {
    REPORT(a, SIZE_OUT_OF_RANGE, n->sp, what, ivtx(a, v.t->iv));
    diag_hint(a->u->dg, "Sizes are 1 to 4294967296.");
    return 0;
  }
  return mpz_get_ui(v.t->iv->lo);
}

/* uN, iN: the width, 0 if it is no such name. */
static unsigned int_name(const char *s, bool *sign) {
  if ((s[0] != 'u' && s[0] != 'i') || s[1] < '1' || s[1] > '9') return 0;
  size_t n = strspn(s + 1, "0123456789");
  if (s[1 + n]) return 0;
  *sign = s[0] == 'i';
  return n > 6 ? 1000000 : (unsigned)strtoul(s + 1, NULL, 10);
}

static const ty *open_label(ty_set *s, const ty *t, void *user) {
  ty_label l = *(ty_label *)user;
  if (t->label != LAB_OPEN) return t;
  return ty_relabel(s, t, l);
}

/* A secret type has to fit the field; secret fixed comes later. */
static const ty *label_type(an *a, const ty *t, ty_label l, span sp) {
  const ty *r = ty_map(a->u->ts, t, open_label, &l);
  if (l != LAB_SEC) return r;
  for (uint32_t i = 0; i < r->nleaf; i++) {
    const ty *x = ty_leaf(r, i);
    if (x->label != LAB_SEC) continue;
    if (x->kind == T_FIXED) {
      unsupported(a, sp, "a secret `fixed`",
                  "Keep secrets as integers, reveal sums, and compute with "
                  "`fixed` in public.");
      return poison(a);
    }
    if (x->kind == T_IDENTITY) {
      unsupported(a, sp, "a secret `identity`",
                  "Identities are public keys: pass them in public.");
      return poison(a);
    }
    if (x->kind == T_INT && !secret_fits(a, x->iv)) {
      REPORT(a, SECRET_TYPE_TOO_WIDE, sp, tx(a, x), ivtx(a, x->iv),
             field_text(a));
      diag_hint(a->u->dg, "The widest secret integers here are u%u and i%u.",
                secret_bits(a, false), secret_bits(a, true));
      return poison(a);
    }
    if (x->kind == T_INT) secret_seen(a, x->iv, sp);
  }
  return r;
}

const ty *label_secret(an *a, const ty *t, span sp) {
  return label_type(a, t, LAB_SEC, sp);
}

const sym *struct_sym(an *a, module *m, const char *name, span sp) {
  const char *dot = strrchr(name, '.');
  if (!dot) {
    sym *s = find_sym(a->u, m, name, sp, false);
    return s && s->kind == R_STRUCT ? s : NULL;
  }
  size_t n = (size_t)(dot - name);
  for (uint32_t i = 0; i < m->nimport; i++) {
    const import *im = &m->import[i];
    if (im->mod && ((strlen(im->last) == n && !memcmp(im->last, name, n)) ||
                    (strlen(im->path) == n && !memcmp(im->path, name, n)))) {
      sym *s = module_find(im->mod, dot + 1);
      return s && s->kind == R_STRUCT ? s : NULL;
    }
  }
  return NULL;
}

const char **struct_generics(an *a, const sym *s, uint32_t *n) {
  const node *g = s->decl->kid[0];
  *n = g ? g->nkid : 0;
  const char **r = ARENA_ARR(a->u->a, const char *, *n + 1);
  for (uint32_t i = 0; i < *n; i++) r[i] = g->kid[i]->text;
  return r;
}

const ty *struct_field_types(an *a, const sym *s, const ty **targ, span sp) {
  fe_unit *u = a->u;
  sym *ms = (sym *)s;
  if (ms->state == 1 || u->depth > 200) {
    REPORT(a, RECURSIVE_STRUCT, s->decl->name_sp, s->name);
    diag_hint(u->dg, "A struct cannot hold itself; use an array of another.");
    (void)sp;
    return poison(a);
  }
  int old = ms->state;
  ms->state = 1;
  u->depth++;
  /* The fields are read in the struct's own file, with its own generics. */
  fninfo f = {0};
  f.generic = struct_generics(a, s, &f.ngeneric);
  inst in = {.u = u, .f = &f, .mod = s->mod, .targ = targ, .id0 = 1};
  an b = {.u = u, .in = &in, .quiet = a->quiet};
  uint32_t n = s->decl->nkid - 1;
  const ty **e = ARENA_ARR(u->a, const ty *, n + 1);
  const char **names = ARENA_ARR(u->a, const char *, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    const node *p = s->decl->kid[i + 1];
    names[i] = p->text;
    e[i] = type_of(&b, p->kid[0]);
  }
  u->depth--;
  ms->state = old;
  const char *name = s->name;
  return ty_struct(u->ts, s->decl, name, names, e, n);
}

static const ty *named_type(an *a, const char *s, span sp) {
  ty_set *ts = a->u->ts;
  const fninfo *f = a->in->f;
  for (uint32_t i = 0; f && i < f->ngeneric; i++)
    if (!strcmp(f->generic[i], s)) {
      const ty *t = a->in->targ ? a->in->targ[i] : NULL;
      if (!t) return poison(a);
      return t;
    }
  if (!strcmp(s, "bool")) return ty_bool(ts, LAB_OPEN);
  if (!strcmp(s, "field")) return ty_scalar(ts, T_FIELD, NULL, LAB_OPEN);
  if (!strcmp(s, "identity"))
    return ty_scalar(ts, T_IDENTITY, ival_unsigned(a->u->iv, 256), LAB_OPEN);
  if (!strcmp(s, "fixed"))
    return ty_fixed(ts, TY_DEF_IBITS, TY_DEF_FBITS,
                    ty_fixed_range(ts, TY_DEF_IBITS, TY_DEF_FBITS), LAB_OPEN);
  const sym *st = struct_sym(a, a->in->mod, s, sp);
  if (st) {
    uint32_t n;
    struct_generics(a, st, &n);
    if (n) {
      REPORT(a, GENERIC_ARGUMENTS, sp, s, n, 0u);
      diag_hint(a->u->dg, "Write \"%s<...>\".", s);
      return poison(a);
    }
    return struct_field_types(a, st, NULL, sp);
  }
  bool sign;
  unsigned w = int_name(s, &sign);
  if (w > TY_MAX_BITS) {
    REPORT(a, WIDTH_TOO_LARGE, sp, s);
    diag_hint(a->u->dg, "The widest integers are u256 and i256.");
    return poison(a);
  }
  if (w)
    return ty_int(ts, sign ? ival_signed(a->u->iv, w)
                           : ival_unsigned(a->u->iv, w), LAB_OPEN);
  REPORT(a, UNKNOWN_TYPE, sp, s);
  if (!strcmp(s, "int") || !strcmp(s, "uint"))
    diag_hint(a->u->dg, "Say how wide: \"%c32\".", s[0]);
  else if (!strncmp(s, "uint", 4) && strspn(s + 4, "0123456789") ==
                                         strlen(s + 4))
    diag_hint(a->u->dg, "Unsigned integers are written \"u%s\".", s + 4);
  else if (!strncmp(s, "int", 3) && strspn(s + 3, "0123456789") ==
                                        strlen(s + 3))
    diag_hint(a->u->dg, "Signed integers are written \"i%s\".", s + 3);
  else if (!strcmp(s, "address"))
    diag_hint(a->u->dg, "Who calls is an \"identity\".");
  else if (!strcmp(s, "map") || !strcmp(s, "mapping"))
    diag_hint(a->u->dg, "A map is public state of a contract: `state m: "
                        "map<identity, u32>;`.");
  else
    diag_hint(a->u->dg, "Types are bool, uN, iN, fixed, field, identity, "
                        "structs, tuples and arrays \"[T; n]\".");
  return poison(a);
}

static const ty *array_type(an *a, const node *t) {
  const ty *e = type_of(a, t->kid[0]);
  uint64_t dim[32], lanes = 1;
  uint32_t n = t->nkid - 1;
  if (n > 16) {
    REPORT(a, TOO_LARGE, t->sp, "an array of more than 16 dimensions");
    diag_hint(a->u->dg, "Use fewer dimensions.");
    return poison(a);
  }
  bool ok = true;
  for (uint32_t i = 0; i < n; i++) {
    dim[i] = size_of(a, t->kid[i + 1], "array size");
    ok &= dim[i] != 0;
    if (ok && __builtin_mul_overflow(lanes, dim[i], &lanes)) lanes = UINT64_MAX;
  }
  if (!ok || e->err) return poison(a);
  if (!ty_is_data(e) || e->kind == T_TOLD) {
    REPORT(a, NOT_DATA, t->kid[0]->sp, tx(a, e));
    diag_hint(a->u->dg, "Arrays hold numbers, bools, structs and tuples.");
    return poison(a);
  }
  uint64_t size = ty_size(e);
  if (lanes > TY_MAX_LANES / (size ? size : 1) || e->ndim + n > 32) {
    REPORT(a, TOO_LARGE, t->sp, "an array of more than 2^32 elements");
    diag_hint(a->u->dg, "Use smaller sizes.");
    return poison(a);
  }
  return ty_array(a->u->ts, e, dim, n);
}

static const ty *fixed_type(an *a, const node *t) {
  int64_t bits[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    val v = expr_of(a, t->kid[i], NULL);
    if (v.t->kind == T_ERROR) return poison(a);
    if (v.t->kind != T_INT || v.t->label == LAB_SEC ||
        !ival_to_si(v.t->iv, &bits[i]) || bits[i] < 0 || bits[i] > 256) {
      REPORT(a, FIXED_BITS, t->kid[i]->sp, tx(a, v.t));
      diag_hint(a->u->dg,
                "Write constants from 0 to 256, as in fixed<16, 16>.");
      return poison(a);
    }
  }
  if (bits[0] + bits[1] == 0 || bits[0] + bits[1] > 300) {
    REPORT(a, FIXED_BITS, t->sp, "all bits together");
    diag_hint(a->u->dg, "Use 1 to 300 bits in all.");
    return poison(a);
  }
  unsigned i = (unsigned)bits[0], f = (unsigned)bits[1];
  return ty_fixed(a->u->ts, i, f, ty_fixed_range(a->u->ts, i, f), LAB_OPEN);
}

static const ty *apply_type(an *a, const node *t) {
  const sym *s = struct_sym(a, a->in->mod, t->text, t->sp);
  if (!s) {
    REPORT(a, UNKNOWN_TYPE, t->sp, t->text);
    diag_hint(a->u->dg, !strcmp(t->text, "map")
                            ? "A map is public state of a contract, and no "
                              "part of another type."
                            : "Only a generic struct takes `<...>`.");
    return poison(a);
  }
  uint32_t n;
  struct_generics(a, s, &n);
  if (n != t->nkid) {
    REPORT(a, GENERIC_ARGUMENTS, t->sp, t->text, n, t->nkid);
    diag_hint(a->u->dg, "Give each parameter of the struct one argument.");
    return poison(a);
  }
  const ty **targ = ARENA_ARR(a->u->a, const ty *, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    bool number = t->kid[i]->kind == N_INT;
    if (number && !size_of(a, t->kid[i], "array size")) return poison(a);
    targ[i] = number ? expr_of(a, t->kid[i], NULL).t : NULL;
    if (!targ[i] && t->kid[i]->kind == N_TY_NAME) {
      /* a size parameter or constant by its name */
      sym *c = find_sym(a->u, a->in->mod, t->kid[i]->text, t->kid[i]->sp,
                        false);
      if (c && c->kind == R_CONST) targ[i] = const_val(a, c, t->kid[i]->sp).t;
    }
    if (!targ[i]) targ[i] = type_of(a, t->kid[i]);
    if (targ[i]->kind == T_ERROR) return poison(a);
  }
  return struct_field_types(a, s, targ, t->sp);
}

/* What stands there, if it is short. */
static const char *written(an *a, span sp) {
  source_pos p = source_at(a->u->ss, sp.start);
  uint32_t n = sp.end - sp.start;
  if (!p.file || n > 40) return "...";
  return arena_strndup(a->u->a, p.file->text + (sp.start - p.file->base), n);
}

const ty *type_of(an *a, const node *t) {
  ty_set *ts = a->u->ts;
  switch (t->kind) {
  case N_NAME:
  case N_TY_NAME: return named_type(a, t->text, t->sp);
  case N_FIELD: return named_type(a, t->text, t->sp);
  case N_TY_FIXED: return fixed_type(a, t);
  case N_TY_APPLY: return apply_type(a, t);
  case N_REPEAT:
  case N_TY_ARRAY: return array_type(a, t);
  case N_TUPLE:
  case N_TY_TUPLE: {
    const ty **e = ARENA_ARR(a->u->a, const ty *, t->nkid + 1);
    for (uint32_t i = 0; i < t->nkid; i++) {
      e[i] = type_of(a, t->kid[i]);
      if (e[i]->err) return poison(a);
      if (!ty_is_data(e[i])) {
        REPORT(a, NOT_DATA, t->kid[i]->sp, tx(a, e[i]));
        diag_hint(a->u->dg, "Leave the part out.");
        return poison(a);
      }
    }
    return ty_tuple(ts, e, t->nkid);
  }
  case N_TY_SECRET:
  case N_TY_PUBLIC: {
    const ty *e = type_of(a, t->kid[0]);
    if (e->err) return e;
    return label_type(a, e, t->kind == N_TY_SECRET ? LAB_SEC : LAB_PUB, t->sp);
  }
  case N_ERROR: return poison(a);
  default:
    REPORT(a, UNKNOWN_TYPE, t->sp, written(a, t->sp));
    diag_hint(a->u->dg, "Here stands a type, as in `wrap(x, u8)`.");
    return poison(a);
  }
}

/* ---- generics ---- */

static const ty *strip(ty_set *s, const ty *t, void *user) {
  (void)user;
  return ty_relabel(s, t, LAB_OPEN);
}

/* A format, not the values at hand: results are declared with it. */
static const ty *whole_format(ty_set *s, const ty *t, void *user) {
  (void)user;
  return t->kind == T_FIXED
             ? ty_fixed(s, t->ibits, t->fbits,
                        ty_fixed_range(s, t->ibits, t->fbits), t->label)
             : t;
}

unifier unifier_new(an *a, const char *const *name, uint32_t n, span sp) {
  return (unifier){a, name, n, ARENA_ARR(a->u->a, const ty *, n + 1), sp,
                   ARENA_ARR(a->u->a, bool, n + 1)};
}

static bool bind(unifier *u, uint32_t i, const ty *t) {
  const ty *old = u->targ[i];
  t = ty_map(u->a->u->ts, t, whole_format, NULL);
  if (!old) {
    u->targ[i] = t;
    return true;
  }
  if (old == t) return true;
  const ty *j = ty_join(u->a->u->ts, old, t);
  if (u->size[i]) j = NULL; /* two sizes */
  if (j) {
    u->targ[i] = j;
    return true;
  }
  an *a = u->a;
  REPORT(a, GENERIC_CONFLICT, u->sp, u->name[i], tx(a, old), tx(a, t));
  diag_hint(a->u->dg, "Each generic stands for one type or size in a call.");
  return false;
}

static int64_t generic_index(const unifier *u, const node *n) {
  if (n->kind != N_NAME && n->kind != N_TY_NAME) return -1;
  for (uint32_t i = 0; i < u->n; i++)
    if (!strcmp(u->name[i], n->text)) return i;
  return -1;
}

static bool unify_struct(unifier *u, module *m, const node *t, const ty *arg) {
  an *a = u->a;
  const sym *s = struct_sym(a, m, t->text, t->sp);
  if (!s || arg->kind != T_STRUCT || arg->decl != s->decl) return true;
  /* What the struct's own generics are in `arg`, then match them. */
  uint32_t n;
  const char **name = struct_generics(a, s, &n);
  unifier in = unifier_new(a, name, n, u->sp);
  for (uint32_t i = 0; i < arg->nelem; i++)
    if (!unify(&in, s->mod, s->decl->kid[i + 1]->kid[0], arg->elem[i]))
      return false;
  for (uint32_t i = 0; i < in.n && i < t->nkid; i++) {
    if (!in.targ[i]) continue;
    int64_t g = generic_index(u, t->kid[i]);
    if (g >= 0) {
      u->size[g] |= in.size[i];
      if (!bind(u, (uint32_t)g, in.targ[i])) return false;
    } else if (t->kid[i]->kind != N_INT &&
               !unify(u, m, t->kid[i], in.targ[i])) {
      return false;
    }
  }
  return true;
}

bool unify(unifier *u, module *m, const node *t, const ty *arg) {
  an *a = u->a;
  ty_set *ts = a->u->ts;
  if (arg->err) return true;
  int64_t g = generic_index(u, t);
  if (g >= 0) return bind(u, (uint32_t)g, arg);
  switch (t->kind) {
  case N_TY_SECRET:
  case N_TY_PUBLIC:
    return unify(u, m, t->kid[0], ty_map(ts, arg, strip, NULL));
  case N_TY_TUPLE:
    for (uint32_t i = 0; i < t->nkid && arg->kind == T_TUPLE &&
                         t->nkid == arg->nelem; i++)
      if (!unify(u, m, t->kid[i], arg->elem[i])) return false;
    return true;
  case N_TY_ARRAY: {
    uint32_t n = t->nkid - 1;
    if (arg->kind != T_ARRAY || arg->ndim < n) return true; /* fit reports */
    for (uint32_t i = 0; i < n; i++) {
      int64_t k = generic_index(u, t->kid[i + 1]);
      if (k < 0) continue;
      mpz_t d;
      mpz_init_set_ui(d, arg->dim[i]);
      const ty *size = ty_int(ts, ival_get(a->u->iv, d, d), LAB_OPEN);
      mpz_clear(d);
      u->size[k] = true;
      if (!bind(u, (uint32_t)k, size)) return false;
    }
    return unify(u, m, t->kid[0],
                 ty_with_dims(ts, arg, arg->dim + n, arg->ndim - n));
  }
  case N_TY_APPLY: return unify_struct(u, m, t, arg);
  default: return true;
  }
}
