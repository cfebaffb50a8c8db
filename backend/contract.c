/* Reading a contract package: nothing in it is believed before it is checked.
 */
#include "backend/contract.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/contract_impl.h"

bool ct_refuse(ct_reader *r, const char *fmt, ...) {
  if (!r->ok) return false;
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
  diag_report_nowhere(r->dg, DIAG_CONTRACT_PACKAGE, r->path, text);
  return r->ok = false;
}

/* ---- parts ---- */
/* The first report about a part, with its place in the part's text. */
static bool part_failed(ct_reader *r, const char *name, const diag *inner) {
  const diag_msg *m = diag_get(inner, 0);
  if (!m) return ct_refuse(r, "%s cannot be read", name);
  uint32_t line = source_at(diag_sources(inner), m->sp.start).line;
  return ct_refuse(r, "%s, line %u: %s", name, line, m->text);
}

static ir_module *read_part(ct_reader *r, const char *name, const char *text) {
  source_set *ss = source_set_new(r->a);
  diag *inner = diag_new(r->a, ss);
  source_id id;
  ir_module *m = NULL;
  if (source_add(ss, name, text, strlen(text), &id))
    m = ir_parse(r->a, ss, id, inner);
  if (m && ir_verify(m, inner)) return m;
  part_failed(r, name, inner);
  return NULL;
}

ir_module *contract_part(arena *a, const char *name, const char *ir_text,
                         diag *dg) {
  ct_reader r = {a, dg, name, true, NULL};
  return read_part(&r, name, ir_text);
}

static void get_parts(ct_reader *r, const json_t *o, const char *ctx,
                      ct_action *x) {
  static const char *const key[CT_PARTS] = {"before", "circuit", "after"};
  const char **text[CT_PARTS] = {&x->before, &x->circuit, &x->after};
  for (int p = 0; p < CT_PARTS && r->ok; p++) {
    if (json_is_null(json_object_get(o, key[p]))) continue;
    *text[p] = ct_text(r, o, ctx, key[p], CONTRACT_BYTES_MAX);
    if (r->ok)
      x->part[p] = read_part(
          r, arena_printf(r->a, "%s of %s", key[p], ctx), *text[p]);
  }
  if (!r->ok) return;
  if (!json_is_null(json_object_get(o, "circuit_hash")))
    x->circuit_hash = ct_text(r, o, ctx, "circuit_hash", 64);
  char hash[65] = "";
  if (x->part[CT_CIRCUIT]) ir_hash(x->part[CT_CIRCUIT], hash);
  if (r->ok && strcmp(x->circuit_hash ? x->circuit_hash : "", hash))
    ct_refuse(r, "'circuit_hash' of %s must be the hash of its circuit", ctx);
}

/* ---- state, events ---- */
static bool get_bool(ct_reader *r, const json_t *o, const char *ctx,
                     const char *key) {
  const json_t *v = json_object_get(o, key);
  if (!json_is_boolean(v))
    ct_refuse(r, "'%s' of %s must be true or false", key, ctx);
  return json_is_true(v);
}

/* "$name", or "$name." and more. */
static bool leaf_of(const char *leaf, const char *name) {
  size_t n = strlen(name);
  return *leaf == '$' && !strncmp(leaf + 1, name, n) &&
         (!leaf[n + 1] || leaf[n + 1] == '.');
}

static bool same_text(const char *x, const char *y) {
  return x && y ? !strcmp(x, y) : x == y;
}

/* "leaves" says what "value" says. */
static void check_value(ct_reader *r, const json_t *o, const ct_state *s) {
  uint32_t n;
  const ct_leaf *v =
      ct_read_value(r, json_object_get(o, "value"),
                    arena_printf(r->a, "$%s", s->name), s->secret, &n);
  bool same = n == s->nleaf;
  for (uint32_t k = 0; k < n && same; k++)
    same = !strcmp(v[k].name, s->leaf[k].name) &&
           v[k].lanes == s->leaf[k].lanes && v[k].secret == s->secret &&
           same_text(v[k].lo, s->leaf[k].lo) &&
           same_text(v[k].hi, s->leaf[k].hi);
  if (!same)
    ct_refuse(r, "'leaves' and 'value' of the state '%.60s' must agree",
              s->name);
}

static void get_leaf(ct_reader *r, const json_t *o, const char *ctx,
                     const ct_state *s, ct_leaf *l) {
  l->name = ct_name(r, o, ctx, "name");
  l->secret = s->secret;
  ct_read_leaf(r, o, l->name, l);
  if (r->ok && !leaf_of(l->name, s->name))
    ct_refuse(r, "the leaf '%.60s' must be one of '%.60s'", l->name, s->name);
  for (const ct_leaf *k = s->leaf; k < l && r->ok; k++)
    if (!strcmp(k->name, l->name))
      ct_refuse(r, "the leaf '%.60s' is there twice", l->name);
}

static void get_state(ct_reader *r, const json_t *o, const char *ctx,
                      ct_state *s) {
  s->name = ct_name(r, o, ctx, "name");
  s->type = ct_text(r, o, ctx, "type", 4096);
  s->secret = get_bool(r, o, ctx, "secret");
  s->constant = get_bool(r, o, ctx, "constant");
  const json_t *keys = ct_list(r, o, ctx, "keys", CONTRACT_KEYS_MAX, &s->nkey);
  for (uint32_t k = 0; k < s->nkey && r->ok; k++)
    ct_read_key(r, json_array_get(keys, k), ctx);
  if (r->ok && strchr(s->name, '.'))
    ct_refuse(r, "'name' of %s may have no dot", ctx);
  if (r->ok && (s->nkey > 0) + s->secret + s->constant > 1)
    ct_refuse(r, "%s may be only one of secret, constant, a map", ctx);
  const json_t *list =
      ct_list(r, o, ctx, "leaves", CONTRACT_LIST_MAX, &s->nleaf);
  s->leaf = ARENA_ARR(r->a, ct_leaf, (size_t)s->nleaf + 1);
  for (uint32_t k = 0; k < s->nleaf && r->ok; k++)
    get_leaf(r, json_array_get(list, k), ctx, s, &s->leaf[k]);
  if (r->ok) check_value(r, o, s);
}

static void get_states(ct_reader *r, const json_t *j, contract *c) {
  const json_t *list =
      ct_list(r, j, "the package", "state", CONTRACT_LIST_MAX, &c->nstate);
  uint32_t leaves = 0;
  uint64_t lanes = 0;
  c->state = ARENA_ARR(r->a, ct_state, (size_t)c->nstate + 1);
  for (uint32_t k = 0; k < c->nstate && r->ok; k++) {
    get_state(r, json_array_get(list, k), arena_printf(r->a, "state[%u]", k),
              &c->state[k]);
    leaves += c->state[k].nleaf;
    for (uint32_t i = 0; i < c->state[k].nleaf && r->ok; i++)
      if (!c->state[k].secret)
        ct_count_lanes(r, "public state", c->state[k].leaf[i].lanes, &lanes);
    for (uint32_t i = 0; i < k && r->ok; i++)
      if (!strcmp(c->state[i].name, c->state[k].name))
        ct_refuse(r, "the state '%.60s' is there twice", c->state[k].name);
    if (r->ok && leaves > CONTRACT_LIST_MAX)
      ct_refuse(r, "the state must have at most %d leaves in all",
                CONTRACT_LIST_MAX);
  }
}

static void get_events(ct_reader *r, const json_t *j, contract *c) {
  const json_t *list =
      ct_list(r, j, "the package", "events", CONTRACT_LIST_MAX, &c->nevent);
  c->event = ARENA_ARR(r->a, ct_event, (size_t)c->nevent + 1);
  for (uint32_t k = 0; k < c->nevent && r->ok; k++) {
    const char *ctx = arena_printf(r->a, "events[%u]", k);
    const json_t *o = json_array_get(list, k);
    ct_event *e = &c->event[k];
    uint32_t n;
    e->name = ct_name(r, o, ctx, "name");
    const json_t *f = ct_list(r, o, ctx, "fields", CONTRACT_LIST_MAX, &n);
    e->field = ct_read_fields(r, f, ctx, &e->nfield);
    for (uint32_t i = 0; i < e->nfield && r->ok; i++)
      if (e->field[i].secret)
        ct_refuse(r, "the event '%.60s' may have no secret field", e->name);
    if (r->ok && contract_event(c, e->name) != e)
      ct_refuse(r, "the event '%.60s' is there twice", e->name);
  }
}

/* ---- actions ---- */
static bool *get_touched(ct_reader *r, const json_t *o, const char *ctx,
                         const char *key, const contract *c) {
  uint32_t n;
  const json_t *list = ct_list(r, o, ctx, key, CONTRACT_LIST_MAX, &n);
  bool *set = ARENA_ARR(r->a, bool, (size_t)c->nstate + 1);
  for (uint32_t k = 0; k < n && r->ok; k++) {
    const char *name = json_string_value(json_array_get(list, k));
    int s = name && *name != '$' ? contract_state(c, name) : -1;
    if (s < 0)
      ct_refuse(r, "'%s' of %s must name state variables", key, ctx);
    else
      set[s] = true;
  }
  return set;
}

static uint32_t get_place(ct_reader *r, const json_t *o, const char *ctx,
                          const char *key) {
  const json_t *v = json_object_get(o, key);
  json_int_t n = json_integer_value(v);
  if (!json_is_integer(v) || n < 0 || n > INT32_MAX)
    ct_refuse(r, "'%s' of %s must be a place in a source", key, ctx);
  return r->ok ? (uint32_t)n : 0;
}

static void get_opened(ct_reader *r, const json_t *o, const char *ctx,
                       ct_action *x) {
  if (!json_object_get(o, "opened")) return;
  const json_t *list =
      ct_list(r, o, ctx, "opened", CONTRACT_LIST_MAX, &x->nopened);
  x->opened = ARENA_ARR(r->a, ct_opened, (size_t)x->nopened + 1);
  for (uint32_t k = 0; k < x->nopened && r->ok; k++) {
    const char *at = arena_printf(r->a, "opened[%u] of %s", k, ctx);
    const json_t *e = json_array_get(list, k);
    ct_opened *v = &x->opened[k];
    v->name = ct_name(r, e, at, "name");
    v->line = get_place(r, e, at, "line");
    v->col = get_place(r, e, at, "col");
    if (r->ok && !json_is_null(json_object_get(e, "path")))
      v->path = ct_text(r, e, at, "path", CONTRACT_NAME_MAX);
    if (r->ok && v->path && *v->path && !ct_is_name(v->path))
      ct_refuse(r, "'path' of %s must be a name", at);
    if (r->ok && (*v->name != '!' || !contract_output(x, CT_CIRCUIT, v->name)))
      ct_refuse(r, "'%.60s' of %s is opened by no circuit", v->name, at);
    for (uint32_t i = 0; i < k && r->ok; i++)
      if (!strcmp(x->opened[i].name, v->name))
        ct_refuse(r, "'%.60s' is opened twice in %s", v->name, ctx);
  }
}

static void get_action(ct_reader *r, const json_t *o, const char *ctx,
                       const contract *c, ct_action *x) {
  static const char *const kinds[] = {"action", "view", "init"};
  uint32_t n;
  uint64_t lanes = 0;
  x->name = ct_name(r, o, ctx, "name");
  const char *kind = ct_text(r, o, ctx, "kind", 16);
  int k = 0;
  while (k < 3 && strcmp(kinds[k], kind)) k++;
  if (r->ok && (k == 3 || (k == CT_INIT) != !strcmp(x->name, "init")))
    ct_refuse(r, "'kind' of %s must be action, view, or init for \"init\"",
              ctx);
  x->kind = (ct_kind)k;
  const json_t *p = ct_list(r, o, ctx, "params", CONTRACT_LIST_MAX, &n);
  x->param = ct_read_fields(r, p, ctx, &x->nparam);
  x->reads = get_touched(r, o, ctx, "reads", c);
  x->writes = get_touched(r, o, ctx, "writes", c);
  for (uint32_t i = 0; i < x->nparam && r->ok; i++)
    if (!x->param[i].secret)
      ct_count_lanes(r, "public parameters", x->param[i].lanes, &lanes);
  if (r->ok)
    get_parts(r, o, arena_printf(r->a, "action '%s'", x->name), x);
  if (r->ok) ct_check_action(r, c, x);
  if (r->ok) get_opened(r, o, ctx, x);
}

static void get_actions(ct_reader *r, const json_t *j, contract *c) {
  const json_t *list =
      ct_list(r, j, "the package", "actions", CONTRACT_LIST_MAX, &c->naction);
  c->action = ARENA_ARR(r->a, ct_action, (size_t)c->naction + 1);
  for (uint32_t k = 0; k < c->naction && r->ok; k++) {
    ct_action *x = &c->action[k];
    get_action(r, json_array_get(list, k), arena_printf(r->a, "actions[%u]", k),
               c, x);
    if (r->ok && contract_action(c, x->name) != x)
      ct_refuse(r, "the action '%.60s' is there twice", x->name);
  }
}

/* ---- the whole ---- */
static void clear(void *p) { mpz_clear(p); }

static void read_field(ct_reader *r, const json_t *j, contract *c) {
  const char *s = c->field = ct_text(r, j, "the package", "field", 192);
  __mpz_struct *p = ARENA_NEW(r->a, __mpz_struct);
  mpz_init(p);
  arena_defer(r->a, clear, p);
  unsigned k = 0;
  if (*s && !s[strspn(s, "0123456789")]) {
    mpz_set_str(p, s, 10);
  } else if (strncmp(s, "2^", 2) == 0) {
    size_t n = strspn(s + 2, "0123456789");
    if (n > 0 && n < 4 && strcmp(s + 2 + n, "-1") == 0) {
      k = (unsigned)strtoul(s + 2, NULL, 10);
      mpz_setbit(p, k);
      mpz_sub_ui(p, p, 1);
    }
  }
  bool known = mpz_sgn(p) && (k == 61 || k == 127);
  if (!known && (mpz_sizeinbase(p, 2) > IR_FIELD_BITS || mpz_cmp_ui(p, 5) < 0 ||
                 !mpz_probab_prime_p(p, 30)))
    ct_refuse(r, "'field' must be \"2^61-1\", \"2^127-1\" or an odd prime of 3"
                 " to %u bits", IR_FIELD_BITS);
  c->p = r->p = p;
}

static void read_all(ct_reader *r, const json_t *j, contract *c) {
  const char *all = "the package";
  if (!json_is_object(j)) {
    ct_refuse(r, "the file must be one JSON object");
    return;
  }
  const json_t *v = json_object_get(j, "format");
  if (!json_is_integer(v) || json_integer_value(v) != CONTRACT_FORMAT) {
    ct_refuse(r, "'format' must be %d", CONTRACT_FORMAT);
    return;
  }
  ct_text(r, j, all, "compiler", 256);
  c->name = ct_name(r, j, all, "contract");
  if (r->ok) read_field(r, j, c);
  ct_text(r, j, all, "source_hash", 64);
  if (r->ok) get_states(r, j, c);
  if (r->ok) get_events(r, j, c);
  if (r->ok) get_actions(r, j, c);
}

contract *contract_parse(arena *a, const char *path, const char *text,
                         size_t n, diag *dg) {
  ct_reader r = {a, dg, path, true, NULL};
  if (n > CONTRACT_BYTES_MAX) {
    ct_refuse(&r, "%zu bytes: the limit is %d", n, CONTRACT_BYTES_MAX);
    return NULL;
  }
  json_error_t err;
  json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &err);
  if (!j) {
    ct_refuse(&r, "it is not JSON: line %d: %s", err.line, err.text);
    return NULL;
  }
  contract *c = ARENA_NEW(a, contract);
  read_all(&r, j, c);
  json_decref(j);
  if (!r.ok) return NULL;
  c->text = arena_strndup(a, text, n);
  c->n = n;
  crypto_hash_sha256(c->hash, (const uint8_t *)text, n);
  return c;
}

/* ---- lookups ---- */
const ct_action *contract_action(const contract *c, const char *name) {
  for (uint32_t k = 0; k < c->naction; k++)
    if (c->action[k].name && !strcmp(c->action[k].name, name))
      return &c->action[k];
  return NULL;
}

const ct_event *contract_event(const contract *c, const char *name) {
  for (uint32_t k = 0; k < c->nevent; k++)
    if (c->event[k].name && !strcmp(c->event[k].name, name))
      return &c->event[k];
  return NULL;
}

int contract_state(const contract *c, const char *name) {
  for (uint32_t k = 0; k < c->nstate; k++)
    if (*name == '$' ? leaf_of(name, c->state[k].name)
                     : !strcmp(name, c->state[k].name))
      return (int)k;
  return -1;
}

const ct_leaf *contract_leaf(const contract *c, const char *name, int *state) {
  int s = *name == '$' ? contract_state(c, name) : -1;
  if (state) *state = s;
  if (s < 0) return NULL;
  for (uint32_t k = 0; k < c->state[s].nleaf; k++)
    if (!strcmp(c->state[s].leaf[k].name, name)) return &c->state[s].leaf[k];
  return NULL;
}

bool contract_conflict(const contract *c, const ct_action *x,
                       const ct_action *y) {
  for (uint32_t k = 0; k < c->nstate; k++)
    if ((x->writes[k] && (y->reads[k] || y->writes[k])) ||
        (y->writes[k] && x->reads[k]))
      return true;
  return false;
}
