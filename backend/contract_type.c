/* Values in a contract package: names, lists, types and their leaves. */
#include <string.h>

#include "backend/contract_impl.h"
#include "base/vec.h"

enum { DEPTH_MAX = 64, DIMS_MAX = 64, DIGITS_MAX = 400 };

typedef VEC(ct_leaf) leaf_list;

bool ct_is_name(const char *s) {
  size_t n = 0;
  for (; s[n]; n++)
    if (s[n] <= ' ' || s[n] > '~' || s[n] == '"' || s[n] == '\\') return false;
  return n > 0 && n <= CONTRACT_NAME_MAX;
}

const char *ct_text(ct_reader *r, const json_t *o, const char *ctx,
                    const char *key, size_t max) {
  const json_t *v = json_object_get(o, key);
  const char *s = json_string_value(v);
  if (s && json_string_length(v) <= max && strlen(s) == json_string_length(v))
    return arena_strdup(r->a, s);
  ct_refuse(r, "'%s' of %s must be a string of at most %zu bytes", key, ctx,
            max);
  return "";
}

const char *ct_name(ct_reader *r, const json_t *o, const char *ctx,
                    const char *key) {
  const char *s = ct_text(r, o, ctx, key, CONTRACT_NAME_MAX);
  if (r->ok && !ct_is_name(s))
    ct_refuse(r, "'%s' of %s must be a name", key, ctx);
  return s;
}

const json_t *ct_list(ct_reader *r, const json_t *o, const char *ctx,
                      const char *key, size_t max, uint32_t *n) {
  const json_t *v = json_object_get(o, key);
  *n = 0;
  if (!json_is_array(v) || json_array_size(v) > max) {
    ct_refuse(r, "'%s' of %s must be a list of at most %zu entries", key, ctx,
              max);
    return NULL;
  }
  *n = (uint32_t)json_array_size(v);
  return v;
}

/* ---- bounds ---- */
static const char *read_bound(ct_reader *r, const json_t *o, const char *ctx,
                              const char *key) {
  const json_t *v = json_object_get(o, key);
  if (!v || json_is_null(v)) return NULL;
  const char *s = ct_text(r, o, ctx, key, DIGITS_MAX);
  size_t n = strlen(s), minus = *s == '-';
  if (r->ok && (n == minus || strspn(s + minus, "0123456789") != n - minus))
    ct_refuse(r, "'%s' of %s must be a string of decimal digits", key, ctx);
  return s;
}

static void read_bounds(ct_reader *r, const json_t *o, const char *ctx,
                        ct_leaf *l) {
  l->lo = read_bound(r, o, ctx, "lo");
  l->hi = read_bound(r, o, ctx, "hi");
  l->p = r->p;
  if (!r->ok) return;
  if (!l->lo != !l->hi) {
    ct_refuse(r, "%s must have both 'lo' and 'hi' or neither", ctx);
    return;
  }
  if (!l->lo) return;
  mpz_t lo, hi;
  mpz_init_set_str(lo, l->lo, 10);
  mpz_init_set_str(hi, l->hi, 10);
  if (mpz_cmp(lo, hi) > 0 || mpz_sizeinbase(lo, 2) > 1024 ||
      mpz_sizeinbase(hi, 2) > 1024)
    ct_refuse(r, "'lo' of %s must be at most 'hi', both within 1024 bits",
              ctx);
  mpz_clear(lo);
  mpz_clear(hi);
}

bool ct_leaf_holds(const ct_leaf *l, mpz_srcptr v) {
  if (!l->lo) return mpz_sgn(v) >= 0 && mpz_cmp(v, l->p) < 0;
  mpz_t b;
  mpz_init_set_str(b, l->lo, 10);
  bool ok = mpz_cmp(b, v) <= 0;
  if (ok) {
    mpz_set_str(b, l->hi, 10);
    ok = mpz_cmp(v, b) <= 0;
  }
  mpz_clear(b);
  return ok;
}

void ct_read_leaf(ct_reader *r, const json_t *o, const char *ctx, ct_leaf *l) {
  const json_t *v = json_object_get(o, "lanes");
  json_int_t n = json_integer_value(v);
  if (!json_is_integer(v) || n < 1 || (uint64_t)n > IR_LANES_MAX)
    ct_refuse(r, "'lanes' of %s must be an integer from 1 to 2^40", ctx);
  l->lanes = (uint64_t)n;
  read_bounds(r, o, ctx, l);
}

/* ---- types ---- */
static bool read_dims(ct_reader *r, const json_t *t, const char *ctx,
                      uint64_t *lanes) {
  uint32_t n;
  if (!json_object_get(t, "dims")) return true;
  const json_t *v = ct_list(r, t, ctx, "dims", DIMS_MAX, &n);
  for (uint32_t k = 0; k < n; k++) {
    const json_t *d = json_array_get(v, k);
    json_int_t x = json_integer_value(d);
    if (!json_is_integer(d) || x < 0 || (uint64_t)x > IR_LANES_MAX ||
        (x && *lanes > IR_LANES_MAX / (uint64_t)x))
      return ct_refuse(r, "'dims' of %s must be at most 2^40 lanes", ctx);
    *lanes *= (uint64_t)x;
  }
  return r->ok;
}

static bool is_kind(const char *kind, const char *const *list) {
  for (; *list; list++)
    if (!strcmp(kind, *list)) return true;
  return false;
}

/* Appends the leaves of a value of type t called `name`; those of an enclosing
 * array have its lanes too, those of a secret struct are secret. */
static bool read_type(ct_reader *r, const json_t *t, const char *name,
                      uint64_t lanes, bool secret, unsigned depth,
                      leaf_list *out) {
  static const char *const ranged[] = {"bool", "int", "fixed", "identity",
                                       NULL};
  static const char *const group[] = {"struct", "tuple", NULL};
  static const char *const nothing[] = {"unit", "told", NULL};
  if (!json_is_object(t) || depth > DEPTH_MAX || !ct_is_name(name))
    return ct_refuse(r, "the type of '%.60s' must be a TYPE", name);
  const char *kind = ct_text(r, t, name, "kind", 16);
  const json_t *s = json_object_get(t, "secret");
  if (!json_is_boolean(s))
    return ct_refuse(r, "'secret' of '%.60s' must be true or false", name);
  secret = secret || json_is_true(s);
  if (!read_dims(r, t, name, &lanes)) return false;
  if (is_kind(kind, group)) {
    uint32_t n;
    const json_t *f = ct_list(r, t, name, "fields", CONTRACT_LIST_MAX, &n);
    for (uint32_t k = 0; k < n && r->ok; k++) {
      const json_t *o = json_array_get(f, k);
      const char *sub = ct_name(r, o, name, "name");
      if (r->ok)
        read_type(r, json_object_get(o, "type"),
                  arena_printf(r->a, "%s.%s", name, sub), lanes, secret,
                  depth + 1, out);
    }
    return r->ok;
  }
  if (is_kind(kind, nothing)) return true;
  ct_leaf l = {.name = name, .p = r->p, .lanes = lanes, .secret = secret};
  if (is_kind(kind, ranged)) {
    read_bounds(r, t, name, &l);
    if (r->ok && !l.lo)
      ct_refuse(r, "the type of '%.60s' must have an interval", name);
  } else if (strcmp(kind, "field")) {
    ct_refuse(r, "the type of '%.60s' must have a kind this release knows",
              name);
  }
  if (r->ok && out->n == CONTRACT_LIST_MAX)
    ct_refuse(r, "'%.60s' and its neighbours must be at most %d leaves", name,
              CONTRACT_LIST_MAX);
  if (r->ok) vec_push(r->a, out, l);
  return r->ok;
}

ct_leaf *ct_read_fields(ct_reader *r, const json_t *list, const char *ctx,
                        uint32_t *n) {
  leaf_list out = {0};
  for (size_t k = 0; k < json_array_size(list) && r->ok; k++) {
    const json_t *o = json_array_get(list, k);
    const char *name = ct_name(r, o, ctx, "name");
    if (r->ok)
      read_type(r, json_object_get(o, "type"), name, 1, false, 0, &out);
  }
  for (size_t k = 0; k < out.n && r->ok; k++)
    for (size_t j = 0; j < k; j++)
      if (!strcmp(out.p[j].name, out.p[k].name))
        ct_refuse(r, "the leaf '%.60s' of %s is there twice", out.p[k].name,
                  ctx);
  *n = (uint32_t)out.n;
  return out.p;
}

ct_leaf *ct_read_value(ct_reader *r, const json_t *type, const char *name,
                       bool secret, uint32_t *n) {
  leaf_list out = {0};
  read_type(r, type, name, 1, secret, 0, &out);
  *n = (uint32_t)out.n;
  return out.p;
}

bool ct_read_key(ct_reader *r, const json_t *type, const char *ctx) {
  leaf_list l = {0};
  if (!read_type(r, type, "key", 1, false, 0, &l)) return false;
  if (l.n == 1 && l.p[0].lanes == 1 && !l.p[0].secret && l.p[0].lo)
    return true;
  return ct_refuse(r, "'keys' of %s must be public integers or identities",
                   ctx);
}
