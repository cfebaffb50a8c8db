#include "cmd/chi/iface.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/abi.h"
#include "cmd/chi/show.h"

typedef struct reader {
  cli *c;
  const char *path;
  bool ok;
} reader;

static void refuse(reader *r, const char *what) {
  if (r->ok)
    diag_report_nowhere(r->c->dg, DIAG_PACKAGE_TYPE, r->path, what);
  r->ok = false;
}

static const fe_type *type(reader *r, const json_t *j, const char *what) {
  static const fe_type unit = {.kind = FE_UNIT, .text = "()",
                               .elem_text = "()", .lanes = 1};
  const fe_type *t = j == NULL || json_is_null(j) ? &unit
                                                  : abi_read(r->c->a, j);
  if (t == NULL)
    refuse(r, what);
  return t != NULL ? t : &unit;
}

static fe_param *params(reader *r, const json_t *list, const char *what,
                        uint32_t *n) {
  arena *a = r->c->a;
  *n = (uint32_t)json_array_size(list);
  fe_param *p = ARENA_ARR(a, fe_param, *n + 1);
  for (uint32_t i = 0; i < *n; i++) {
    const json_t *o = json_array_get(list, i);
    const char *name = json_string_value(json_object_get(o, "name"));
    p[i] = abi_param(a, arena_strdup(a, name != NULL ? name : ""),
                     type(r, json_object_get(o, "type"), what));
  }
  return p;
}

/* ---- parts ---- */

static void read_action(reader *r, const json_t *o, const ct_action *part,
                        iface_action *x) {
  arena *a = r->c->a;
  const json_t *list = json_object_get(o, "opened");
  x->part = part;
  x->fn.name = part->name;
  x->fn.runnable = true;
  x->fn.param = params(r, json_object_get(o, "params"), part->name,
                       &x->fn.nparam);
  x->fn.result =
      abi_param(a, "result", type(r, json_object_get(o, "result"), part->name));
  x->opened = ARENA_ARR(a, const fe_type *, part->nopened + 1);
  for (uint32_t i = 0; i < part->nopened; i++) {
    const json_t *j = json_object_get(json_array_get(list, i), "type");
    x->opened[i] = j == NULL || json_is_null(j) ? NULL
                                                : type(r, j, part->name);
  }
}

static void read_state(reader *r, const json_t *o, const ct_state *part,
                       iface_state *x) {
  arena *a = r->c->a;
  const json_t *keys = json_object_get(o, "keys");
  x->part = part;
  x->key = ARENA_ARR(a, const fe_type *, part->nkey + 1);
  for (uint32_t i = 0; i < part->nkey; i++)
    x->key[i] = type(r, json_array_get(keys, i), part->name);
  x->value = abi_param(a, arena_printf(a, "$%s", part->name),
                       type(r, json_object_get(o, "value"), part->name));
}

static iface *read_all(reader *r, const json_t *j, const contract *k) {
  arena *a = r->c->a;
  iface *f = ARENA_NEW(a, iface);
  const char *by = json_string_value(json_object_get(j, "compiler"));
  const json_t *list = json_object_get(j, "actions");
  f->k = k;
  f->compiler = arena_strdup(a, by != NULL ? by : "");
  f->action = ARENA_ARR(a, iface_action, k->naction + 1);
  f->event = ARENA_ARR(a, iface_event, k->nevent + 1);
  f->state = ARENA_ARR(a, iface_state, k->nstate + 1);
  for (uint32_t i = 0; i < k->naction; i++)
    read_action(r, json_array_get(list, i), &k->action[i], &f->action[i]);
  list = json_object_get(j, "events");
  for (uint32_t i = 0; i < k->nevent; i++) {
    iface_event *e = &f->event[i];
    e->name = k->event[i].name;
    e->field = params(r, json_object_get(json_array_get(list, i), "fields"),
                      e->name, &e->nfield);
  }
  list = json_object_get(j, "state");
  for (uint32_t i = 0; i < k->nstate; i++)
    read_state(r, json_array_get(list, i), &k->state[i], &f->state[i]);
  return f;
}

iface *iface_read(cli *c, const char *path, const char *text, size_t n) {
  reader r = {c, path, true};
  contract *k = contract_parse(c->a, path, text, n, c->dg);
  if (k == NULL)
    return NULL;
  json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
  iface *f = read_all(&r, j, k);
  json_decref(j);
  return r.ok ? f : NULL;
}

/* ---- looking up ---- */

const iface_action *iface_find(cli *c, const iface *f, ct_kind kind,
                               const char *name, span at) {
  const char **list = ARENA_ARR(c->a, const char *, f->k->naction + 1);
  const char *what = kind == CT_VIEW ? "view" : "action", *other = NULL;
  size_t n = 0;
  for (uint32_t i = 0; i < f->k->naction; i++) {
    const iface_action *x = &f->action[i];
    bool same = strcmp(x->fn.name, name) == 0;
    if (same && x->part->kind == kind)
      return x;
    if (same && x->part->kind != CT_INIT)
      other = kind == CT_VIEW ? "an action: chi call" : "a view: chi view";
    if (x->part->kind == kind)
      list[n++] = x->fn.name;
  }
  const char *near = text_near(name, list, n);
  const char *shown = text_shown(c->a, name, strlen(name));
  if (at.end > 0)
    diag_report(c->dg, DIAG_NOT_AN_ACTION, at, f->k->name, what, shown);
  else
    diag_report_nowhere(c->dg, DIAG_NOT_AN_ACTION, f->k->name, what, shown);
  if (other != NULL)
    diag_hint(c->dg, "It is %s.", other);
  else if (near != NULL)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  else if (n == 0)
    diag_hint(c->dg, "It has no %ss.", what);
  return NULL;
}

const iface_action *iface_init(const iface *f) {
  for (uint32_t i = 0; i < f->k->naction; i++)
    if (f->k->action[i].kind == CT_INIT)
      return &f->action[i];
  return NULL;
}

const iface_event *iface_event_find(const iface *f, const char *name) {
  for (uint32_t i = 0; i < f->k->nevent; i++)
    if (strcmp(f->event[i].name, name) == 0)
      return &f->event[i];
  return NULL;
}

/* ---- values ---- */

static bool fits(const fe_type *t, mpz_srcptr prime, mpz_srcptr v) {
  if (t->lo != NULL)
    return mpz_cmp(v, t->lo) >= 0 && mpz_cmp(v, t->hi) <= 0;
  if (t->kind == FE_FIELD)
    return mpz_sgn(v) >= 0 && mpz_cmp(v, prime) < 0;
  return t->kind != FE_BOOL || (mpz_sgn(v) >= 0 && mpz_cmp_ui(v, 1) <= 0);
}

lanes *iface_lanes(arena *a, const iface *f, const fe_param *p,
                   const tx_values *v) {
  lanes *l = ARENA_ARR(a, lanes, p->nleaf + 1);
  for (uint32_t k = 0; k < p->nleaf; k++) {
    const fe_leaf *leaf = &p->leaf[k];
    const tx_value *x = tx_find(v, leaf->name);
    bool ok = x != NULL && x->n == leaf->type->lanes;
    for (uint64_t i = 0; ok && i < x->n; i++)
      ok = fits(leaf->type, f->k->p, x->lane[i]);
    if (!ok)
      continue;
    lanes_new(&l[k], leaf, f->k->p);
    for (uint64_t i = 0; i < x->n; i++)
      lanes_set(&l[k], i, x->lane[i]);
  }
  return l;
}

void iface_lanes_free(lanes *l, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    lanes_free(&l[k]);
}

static void clear_value(void *p) {
  tx_value *v = p;
  for (uint64_t i = 0; i < v->n; i++)
    mpz_clear(v->lane[i]);
}

void iface_value(arena *a, tx_value *out, const char *name, const lanes *l) {
  tx_value *kept = ARENA_NEW(a, tx_value);
  *kept = (tx_value){name, l->n, ARENA_ARR(a, mpz_t, l->n + 1)};
  for (uint64_t i = 0; i < l->n; i++) {
    mpz_init(kept->lane[i]);
    lanes_get(l, i, kept->lane[i]);
  }
  arena_defer(a, clear_value, kept);
  *out = *kept;
}

const fe_type *iface_leaf_type(arena *a, const ir_leaf *l, uint64_t n) {
  fe_type *t = ARENA_NEW(a, fe_type);
  uint64_t *dim = ARENA_ARR(a, uint64_t, SHOW_RANK_MAX);
  show_leaf_type(l, n, t, dim);
  return t;
}
