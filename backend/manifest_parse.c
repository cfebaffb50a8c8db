/* Reading a manifest: nothing in it is believed before it is checked. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backend/manifest.h"

typedef struct reader {
  arena *a;
  diag *dg;
  const char *path;
  bool ok;
} reader;

enum { LIST_MAX = 100000, TEXT_MAX = 4096 };

static void refuse(reader *r, const char *what, const char *must) {
  if (r->ok) diag_report_nowhere(r->dg, DIAG_MANIFEST_KEY, r->path, what, must);
  r->ok = false;
}

static const char *where(reader *r, const char *ctx, const char *key) {
  return *ctx ? arena_printf(r->a, "'%s' of %s", key, ctx)
              : arena_printf(r->a, "'%s'", key);
}

static const char *get_text(reader *r, const json_t *o, const char *ctx,
                            const char *key) {
  const json_t *v = json_object_get(o, key);
  if (!json_is_string(v) || json_string_length(v) > TEXT_MAX ||
      strlen(json_string_value(v)) != json_string_length(v)) {
    refuse(r, where(r, ctx, key), "a string of at most 4096 bytes");
    return "";
  }
  return arena_strdup(r->a, json_string_value(v));
}

static uint64_t get_count(reader *r, const json_t *o, const char *ctx,
                          const char *key) {
  const json_t *v = json_object_get(o, key);
  if (!json_is_integer(v) || json_integer_value(v) < 0) {
    refuse(r, where(r, ctx, key), "an integer that is not negative");
    return 0;
  }
  return (uint64_t)json_integer_value(v);
}

static bool get_bool(reader *r, const json_t *o, const char *ctx,
                     const char *key) {
  const json_t *v = json_object_get(o, key);
  if (!json_is_boolean(v)) refuse(r, where(r, ctx, key), "true or false");
  return json_is_true(v);
}

static const json_t *get_list(reader *r, const json_t *o, const char *ctx,
                              const char *key, size_t *n) {
  const json_t *v = json_object_get(o, key);
  *n = 0;
  if (!json_is_array(v) || json_array_size(v) > LIST_MAX) {
    refuse(r, where(r, ctx, key), "a list of at most 100000 entries");
    return NULL;
  }
  *n = json_array_size(v);
  return v;
}

static bool is_hash(const char *s) {
  return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static const char *get_hash(reader *r, const json_t *o, const char *key) {
  const char *s = get_text(r, o, "", key);
  if (r->ok && !is_hash(s))
    refuse(r, where(r, "", key), "64 lower-case hexadecimal digits");
  return s;
}

static bool is_decimal(const char *s) {
  if (*s == '-') s++;
  size_t n = strlen(s);
  return n > 0 && n <= 400 && strspn(s, "0123456789") == n;
}

/* A decimal string, or null. */
static const char *get_bound(reader *r, const json_t *o, const char *ctx,
                             const char *key) {
  if (json_is_null(json_object_get(o, key))) return NULL;
  const char *s = get_text(r, o, ctx, key);
  if (r->ok && !is_decimal(s))
    refuse(r, where(r, ctx, key), "null or a string of decimal digits");
  return s;
}

static bool is_symbol(const char *s) {
  size_t n = strlen(s);
  return n > 4 && strncmp(s, "chi_", 4) == 0 &&
         strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789_") == n;
}

static void check_bounds(reader *r, const manifest_leaf *l, const char *ctx) {
  if (!r->ok) return;
  if (!l->lo != !l->hi) {
    refuse(r, where(r, ctx, "hi"), "null exactly if 'lo' is");
    return;
  }
  if (!l->lo) return;
  mpz_t lo, hi;
  mpz_init_set_str(lo, l->lo, 10);
  mpz_init_set_str(hi, l->hi, 10);
  if (mpz_cmp(lo, hi) > 0) refuse(r, where(r, ctx, "lo"), "at most 'hi'");
  mpz_clear(lo);
  mpz_clear(hi);
}

static manifest_leaf *get_leaves(reader *r, const json_t *o, const char *key,
                                 bool out, size_t *n) {
  const json_t *list = get_list(r, o, "", key, n);
  manifest_leaf *leaf = ARENA_ARR(r->a, manifest_leaf, *n + 1);
  for (size_t k = 0; k < *n && r->ok; k++) {
    const json_t *j = json_array_get(list, k);
    const char *ctx = arena_printf(r->a, "%s[%zu]", key, k);
    manifest_leaf *l = &leaf[k];
    l->name = get_text(r, j, ctx, "name");
    l->type = get_text(r, j, ctx, "type");
    l->shape = get_text(r, j, ctx, "shape");
    l->lanes = get_count(r, j, ctx, "lanes");
    l->secret = get_bool(r, j, ctx, "secret");
    if (out)
      l->to = get_text(r, j, ctx, "to");
    else
      l->owner = get_text(r, j, ctx, "owner");
    l->lo = get_bound(r, j, ctx, "lo");
    l->hi = get_bound(r, j, ctx, "hi");
    l->scale = get_count(r, j, ctx, "scale");
    if (r->ok && (l->lanes == 0 || l->lanes > IR_LANES_MAX))
      refuse(r, where(r, ctx, "lanes"), "from 1 to 2^40");
    if (r->ok && l->scale > 65536)
      refuse(r, where(r, ctx, "scale"), "at most 65536");
    check_bounds(r, l, ctx);
  }
  return leaf;
}

/* What older manifests do not tell. */
static void get_place(reader *r, const json_t *j, const char *ctx,
                      manifest_fact *f) {
  const json_t *call = json_object_get(j, "call");
  if (json_object_get(j, "file")) f->file = get_text(r, j, ctx, "file");
  if (!call) return;
  ctx = where(r, ctx, "call");
  f->call_file = get_text(r, call, ctx, "file");
  f->call_line = get_count(r, call, ctx, "line");
  f->call_col = get_count(r, call, ctx, "col");
}

static manifest_fact *get_facts(reader *r, const json_t *o, const char *key,
                                bool to, size_t *n) {
  const json_t *list = get_list(r, o, "", key, n);
  manifest_fact *fact = ARENA_ARR(r->a, manifest_fact, *n + 1);
  for (size_t k = 0; k < *n && r->ok; k++) {
    const json_t *j = json_array_get(list, k);
    const char *ctx = arena_printf(r->a, "%s[%zu]", key, k);
    manifest_fact *f = &fact[k];
    f->line = get_count(r, j, ctx, "line");
    f->col = get_count(r, j, ctx, "col");
    get_place(r, j, ctx, f);
    f->type = get_text(r, j, ctx, "type");
    f->lanes = get_count(r, j, ctx, "lanes");
    if (to) f->to = get_text(r, j, ctx, "to");
    f->times = json_is_null(json_object_get(j, "times"))
                   ? -1
                   : (int64_t)get_count(r, j, ctx, "times");
  }
  return fact;
}

static void get_counts(reader *r, const json_t *o, const char *ctx,
                       const char *key, uint64_t nodes, uint64_t *out) {
  size_t n;
  const json_t *list = get_list(r, o, ctx, key, &n);
  if (!r->ok) return;
  if (n != nodes) {
    refuse(r, where(r, ctx, key), "one entry for each node");
    return;
  }
  for (size_t k = 0; k < n; k++) {
    const json_t *v = json_array_get(list, k);
    if (!json_is_integer(v) || json_integer_value(v) < 0) {
      refuse(r, where(r, ctx, key), "integers that are not negative");
      return;
    }
    out[k] = (uint64_t)json_integer_value(v);
  }
}

static manifest_cost *get_costs(reader *r, const json_t *o, size_t *n) {
  const json_t *list = get_list(r, o, "", "cost", n);
  manifest_cost *cost = ARENA_ARR(r->a, manifest_cost, *n + 1);
  for (size_t k = 0; k < *n && r->ok; k++) {
    const json_t *j = json_array_get(list, k);
    const char *ctx = arena_printf(r->a, "cost[%zu]", k);
    manifest_cost *c = &cost[k];
    c->protocol = get_text(r, j, ctx, "protocol");
    c->nodes = get_count(r, j, ctx, "nodes");
    if (r->ok && strcmp(c->protocol, "rep3") && strcmp(c->protocol, "shamir"))
      refuse(r, where(r, ctx, "protocol"), "\"rep3\" or \"shamir\"");
    if (r->ok && (c->nodes < 3 || c->nodes > MANIFEST_NODES_MAX))
      refuse(r, where(r, ctx, "nodes"), "from 3 to 64");
    c->exact = get_bool(r, j, ctx, "exact");
    c->rounds = get_count(r, j, ctx, "rounds");
    get_counts(r, j, ctx, "bytes", c->nodes, c->bytes);
    get_counts(r, j, ctx, "elements", c->nodes, c->elements);
    c->zero_shares = get_count(r, j, ctx, "zero_shares");
    c->doubles_dealt = get_count(r, j, ctx, "doubles_dealt");
    c->doubles_used = get_count(r, j, ctx, "doubles_used");
    c->seeded = get_count(r, j, ctx, "seeded");
  }
  return cost;
}

static void get_target(reader *r, const json_t *j, manifest *m) {
  const json_t *t = json_object_get(j, "target");
  if (!t || json_is_null(t)) return;
  m->protocol = get_text(r, t, "target", "protocol");
  m->nodes = get_count(r, t, "target", "nodes");
  if (r->ok && strcmp(m->protocol, "rep3") && strcmp(m->protocol, "shamir"))
    refuse(r, where(r, "target", "protocol"), "\"rep3\" or \"shamir\"");
  if (r->ok && (m->nodes < 3 || m->nodes > MANIFEST_NODES_MAX))
    refuse(r, where(r, "target", "nodes"), "from 3 to 64");
}

static bool check_format(reader *r, const json_t *j) {
  if (!json_is_object(j)) {
    refuse(r, "the file", "one JSON object");
    return false;
  }
  const json_t *v = json_object_get(j, "format");
  if (!json_is_integer(v)) {
    refuse(r, "'format'", "an integer");
    return false;
  }
  if (json_integer_value(v) == MANIFEST_FORMAT) return true;
  diag_report_nowhere(r->dg, DIAG_MANIFEST_FORMAT, r->path,
                      (long long)json_integer_value(v), MANIFEST_FORMAT);
  return r->ok = false;
}

static void read_all(reader *r, const json_t *j, manifest *m) {
  m->name = get_text(r, j, "", "name");
  m->module = get_text(r, j, "", "module");
  m->symbol = get_text(r, j, "", "symbol");
  m->compiler = get_text(r, j, "", "compiler");
  m->field = get_text(r, j, "", "field");
  if (r->ok && !is_symbol(m->symbol))
    refuse(r, "'symbol'", "a C name that begins with chi_");
  if (r->ok && (!is_decimal(m->field) || m->field[0] == '-'))
    refuse(r, "'field'", "a string of decimal digits");
  m->circuit_hash = get_hash(r, j, "circuit_hash");
  m->source_hash = get_hash(r, j, "source_hash");
  get_target(r, j, m);
  m->input = get_leaves(r, j, "inputs", false, &m->ninput);
  m->output = get_leaves(r, j, "outputs", true, &m->noutput);
  m->opening = get_facts(r, j, "openings", true, &m->nopening);
  m->assume = get_facts(r, j, "assumes", false, &m->nassume);
  m->cost = get_costs(r, j, &m->ncost);
}

manifest *manifest_parse(arena *a, const char *path, const char *text,
                         size_t n, diag *dg) {
  if (n > MANIFEST_BYTES_MAX) {
    diag_report_nowhere(dg, DIAG_MANIFEST_SIZE, path, n, MANIFEST_BYTES_MAX);
    return NULL;
  }
  json_error_t err;
  json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &err);
  if (!j) {
    for (char *p = err.text; *p; p++)
      if ((unsigned char)*p < 0x20) *p = ' ';
    diag_report_nowhere(dg, DIAG_MANIFEST_JSON, path, err.line, err.text);
    return NULL;
  }
  reader r = {a, dg, path, true};
  manifest *m = ARENA_NEW(a, manifest);
  if (check_format(&r, j)) read_all(&r, j, m);
  json_decref(j);
  return r.ok ? m : NULL;
}
