#include "cmd/chi/abi.h"

#include <string.h>

#include "cmd/chi/cli.h"

enum { DEPTH_MAX = 64, DIMS_MAX = 64, SCALE_MAX = 256, DIGITS_MAX = 320 };
#define LANES_MAX ((uint64_t)1 << 32)

static const char *const kinds[] = {
    [FE_BOOL] = "bool",         [FE_INT] = "int",       [FE_FIXED] = "fixed",
    [FE_FIELD] = "field",       [FE_IDENTITY] = "identity",
    [FE_STRUCT] = "struct",     [FE_TUPLE] = "tuple",   [FE_UNIT] = "unit",
    [FE_TOLD] = "told",
};
enum { NKIND = sizeof kinds / sizeof kinds[0] };

static bool has_fields(const fe_type *t) {
  return t->kind == FE_STRUCT || t->kind == FE_TUPLE;
}

/* ---- writing ---- */

void abi_write(buf *b, const fe_type *t) {
  buf_printf(b, "{\"kind\":\"%s\",\"secret\":%s,\"text\":", kinds[t->kind],
             t->secret ? "true" : "false");
  text_jsonz(b, t->text);
  buf_puts(b, ",\"elem\":");
  text_jsonz(b, t->elem_text);
  for (uint32_t i = 0; i < t->ndim; i++)
    buf_printf(b, "%s%llu", i == 0 ? ",\"dims\":[" : ",",
               (unsigned long long)t->dim[i]);
  if (t->ndim > 0)
    buf_putc(b, ']');
  if (t->lo != NULL) {
    buf_puts(b, ",\"lo\":\"");
    buf_mpz(b, t->lo);
    buf_puts(b, "\",\"hi\":\"");
    buf_mpz(b, t->hi);
    buf_putc(b, '"');
  }
  if (t->scale > 0)
    buf_printf(b, ",\"scale\":%u", t->scale);
  for (uint32_t i = 0; i < t->nfield; i++) {
    buf_puts(b, i == 0 ? ",\"fields\":[{\"name\":" : ",{\"name\":");
    text_jsonz(b, t->field_name[i]);
    buf_puts(b, ",\"type\":");
    abi_write(b, t->field[i]);
    buf_putc(b, '}');
  }
  if (t->nfield > 0)
    buf_putc(b, ']');
  buf_putc(b, '}');
}

/* ---- reading ---- */

static const char *text(arena *a, const json_t *j, const char *key) {
  const char *s = json_string_value(json_object_get(j, key));
  return s != NULL ? arena_strdup(a, s) : NULL;
}

static void clear_mpz(void *p) { mpz_clear(p); }

/* False if there is something that is no number. */
static bool number(arena *a, const json_t *j, const char *key,
                   mpz_srcptr *out) {
  const json_t *v = json_object_get(j, key);
  const char *s = json_string_value(v);
  *out = NULL;
  if (v == NULL)
    return true;
  size_t n = s != NULL ? strlen(s) : 0, minus = n > 0 && s[0] == '-';
  if (n == minus || n > DIGITS_MAX ||
      strspn(s + minus, "0123456789") != n - minus)
    return false;
  mpz_t *z = ARENA_NEW(a, mpz_t);
  mpz_init_set_str(*z, s, 10);
  arena_defer(a, clear_mpz, *z);
  *out = *z;
  return true;
}

static bool interval(arena *a, const json_t *j, fe_type *t) {
  bool wants = t->kind <= FE_FIXED || t->kind == FE_IDENTITY;
  if (!number(a, j, "lo", &t->lo) || !number(a, j, "hi", &t->hi))
    return false;
  if (!wants)
    return t->lo == NULL && t->hi == NULL;
  return t->lo != NULL && t->hi != NULL && mpz_cmp(t->lo, t->hi) <= 0;
}

static bool dims(arena *a, const json_t *j, uint64_t outer, fe_type *t) {
  const json_t *v = json_object_get(j, "dims");
  size_t n = json_array_size(v);
  t->lanes = 1;
  if (v == NULL)
    return true;
  if (n == 0 || n > DIMS_MAX)
    return false;
  uint64_t *dim = ARENA_ARR(a, uint64_t, n);
  for (size_t i = 0; i < n; i++) {
    const json_t *d = json_array_get(v, i);
    json_int_t x = json_integer_value(d);
    if (!json_is_integer(d) || x < 0 || (uint64_t)x > LANES_MAX)
      return false;
    dim[i] = (uint64_t)x;
    if (dim[i] > 0 && outer * t->lanes > LANES_MAX / dim[i])
      return false;
    t->lanes *= dim[i];
  }
  t->dim = dim;
  t->ndim = (uint32_t)n;
  return true;
}

/* `outer`: lanes of what encloses it. */
static const fe_type *read_type(arena *a, const json_t *j, uint64_t outer,
                                unsigned depth);

static bool fields(arena *a, const json_t *j, fe_type *t, uint64_t outer,
                   unsigned depth) {
  const json_t *v = json_object_get(j, "fields");
  size_t n = json_array_size(v);
  if (v == NULL)
    return true;
  if (n == 0 || n > UINT32_MAX || !has_fields(t))
    return false;
  const fe_type **sub = ARENA_ARR(a, const fe_type *, n);
  const char **name = ARENA_ARR(a, const char *, n);
  for (size_t i = 0; i < n; i++) {
    const json_t *f = json_array_get(v, i);
    name[i] = text(a, f, "name");
    sub[i] = read_type(a, json_object_get(f, "type"),
                       outer * (t->lanes > 0 ? t->lanes : 1), depth + 1);
    if (name[i] == NULL || sub[i] == NULL)
      return false;
  }
  t->field = sub;
  t->field_name = name;
  t->nfield = (uint32_t)n;
  return true;
}

static const fe_type *read_type(arena *a, const json_t *j, uint64_t outer,
                                unsigned depth) {
  if (!json_is_object(j) || depth > DEPTH_MAX)
    return NULL;
  fe_type *t = ARENA_NEW(a, fe_type);
  const char *kind = json_string_value(json_object_get(j, "kind"));
  const json_t *secret = json_object_get(j, "secret");
  const json_t *scale = json_object_get(j, "scale");
  int k = 0;
  while (kind != NULL && k < NKIND && strcmp(kinds[k], kind) != 0)
    k++;
  if (kind == NULL || k == NKIND || !json_is_boolean(secret))
    return NULL;
  t->kind = (fe_kind)k;
  t->secret = json_is_true(secret);
  t->text = text(a, j, "text");
  t->elem_text = text(a, j, "elem");
  if (t->text == NULL || t->elem_text == NULL || !dims(a, j, outer, t) ||
      !interval(a, j, t) || !fields(a, j, t, outer, depth))
    return NULL;
  if (scale != NULL) {
    json_int_t s = json_integer_value(scale);
    if (!json_is_integer(scale) || t->kind != FE_FIXED || s < 1 ||
        s > SCALE_MAX)
      return NULL;
    t->scale = (uint32_t)s;
  }
  return t;
}

const fe_type *abi_read(arena *a, const json_t *j) {
  return read_type(a, j, 1, 0);
}

/* ---- leaves ---- */

static uint32_t count_leaves(const fe_type *t) {
  uint32_t n = 0;
  if (!has_fields(t))
    return t->kind != FE_UNIT && t->kind != FE_TOLD;
  for (uint32_t i = 0; i < t->nfield; i++)
    n += count_leaves(t->field[i]);
  return n;
}

/* The scalar t with the dims of what encloses it put before its own. */
static const fe_type *leaf_type(arena *a, const fe_type *t,
                                const uint64_t *dim, uint32_t ndim) {
  if (ndim == t->ndim)
    return t;
  fe_type *f = ARENA_NEW(a, fe_type);
  uint64_t *all = ARENA_ARR(a, uint64_t, ndim);
  buf b = {0};
  *f = *t;
  memcpy(all, dim, ndim * sizeof *all);
  f->dim = all;
  f->ndim = ndim;
  f->lanes = 1;
  buf_printf(&b, "%s[%s;", t->secret ? "secret " : "", t->elem_text);
  for (uint32_t i = 0; i < ndim; i++) {
    buf_printf(&b, "%s %llu", i > 0 ? "," : "", (unsigned long long)all[i]);
    f->lanes *= all[i];
  }
  buf_putc(&b, ']');
  f->text = arena_strdup(a, b.p);
  buf_free(&b);
  return f;
}

static void leaves(arena *a, const char *name, const fe_type *t,
                   const uint64_t *dim, uint32_t ndim, fe_leaf *out,
                   uint32_t *n) {
  uint64_t *all = ARENA_ARR(a, uint64_t, ndim + t->ndim + 1);
  if (ndim > 0)
    memcpy(all, dim, ndim * sizeof *all);
  if (t->ndim > 0)
    memcpy(all + ndim, t->dim, t->ndim * sizeof *all);
  ndim += t->ndim;
  if (!has_fields(t)) {
    out[(*n)++] = (fe_leaf){name, leaf_type(a, t, all, ndim)};
    return;
  }
  for (uint32_t i = 0; i < t->nfield; i++)
    leaves(a, arena_printf(a, "%s.%s", name, t->field_name[i]), t->field[i],
           all, ndim, out, n);
}

fe_param abi_param(arena *a, const char *name, const fe_type *t) {
  fe_param p = {.name = name, .type = t};
  uint32_t n = count_leaves(t);
  fe_leaf *leaf = ARENA_ARR(a, fe_leaf, n + 1);
  if (n > 0)
    leaves(a, name, t, NULL, 0, leaf, &p.nleaf);
  p.leaf = leaf;
  return p;
}
