/* chi state: what stands on the ledger, and where secrets are held. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/show.h"
#include "node/node.h"

enum { PATIENCE_MS = 3000 }; /* with all nodes */

typedef struct view {
  cli *c;
  contact x;
  ledger_instance inst;
  iface *f;
  ledger_answer got;
  json_t *status[CHI_PARTIES_MAX]; /* of the nodes; NULL: silent */
} view;

/* ---- where secret state is ---- */

static bool any_secret(const view *v) {
  for (uint32_t i = 0; i < v->f->k->nstate; i++)
    if (v->f->k->state[i].secret)
      return true;
  return false;
}

static void ask_nodes(view *v) {
  node_view p[CHI_PARTIES_MAX];
  if (!any_secret(v))
    return;
  for (unsigned i = 0; i < v->x.w->n; i++)
    p[i] = (node_view){.host = NET_HOST, .port = v->x.w->node[i].port};
  node_status_all(v->c->a, p, v->x.w->n, PATIENCE_MS);
  for (unsigned i = 0; i < v->x.w->n; i++)
    if (p[i].json != NULL)
      v->status[i] = json_loads(p[i].json, 0, NULL);
}

typedef enum { HOLDS, LACKS, SILENT } holding;

/* Does node i hold all leaves of the variable at that version? */
static holding holds(const view *v, unsigned i, const ct_state *s,
                     uint64_t version) {
  char hex[65];
  const json_t *list = json_object_get(v->status[i], "leaves");
  if (v->status[i] == NULL)
    return SILENT;
  chi_hex(hex, v->inst.id, 32);
  for (uint32_t k = 0; k < s->nleaf; k++) {
    bool found = false;
    for (size_t j = 0; j < json_array_size(list) && !found; j++) {
      const json_t *o = json_array_get(list, j);
      const char *at = json_string_value(json_object_get(o, "contract"));
      const char *leaf = json_string_value(json_object_get(o, "leaf"));
      found = at != NULL && leaf != NULL && strcmp(at, hex) == 0 &&
              strcmp(leaf, s->leaf[k].name) == 0 &&
              (uint64_t)json_integer_value(json_object_get(o, "version")) ==
                  version;
    }
    if (!found)
      return LACKS;
  }
  return HOLDS;
}

static const ledger_slot *slot_of(const view *v, const char *name) {
  for (uint32_t i = 0; i < v->got.nslot; i++)
    if (strcmp(v->got.slot[i].name, name) == 0)
      return &v->got.slot[i];
  return NULL;
}

static void node_list(const view *v, buf *b, const ct_state *s,
                      uint64_t version, holding which, bool json) {
  bool first = true;
  for (unsigned i = 0; i < v->x.w->n; i++) {
    if (holds(v, i, s, version) != which)
      continue;
    buf_printf(b, "%s%u", first ? "" : json ? "," : ", ", i);
    first = false;
  }
}

static unsigned count(const view *v, const ct_state *s, uint64_t version,
                      holding which) {
  unsigned n = 0;
  for (unsigned i = 0; i < v->x.w->n; i++)
    n += holds(v, i, s, version) == which;
  return n;
}

/* ---- public state ---- */

static void show_public(view *v, buf *b, const iface_state *s,
                        const tx_values *values) {
  lanes *l = iface_lanes(v->c->a, v->f, &s->value, values);
  show_value(b, s->value.type, l, s->value.nleaf, &v->x.who,
             !v->c->opt.json);
  iface_lanes_free(l, s->value.nleaf);
}

static void show_one_key(view *v, buf *b, const iface_state *s,
                         const tx_value *key, uint32_t k) {
  fe_leaf leaf = {"key", s->key[k]};
  fe_param p = {.name = "key", .type = s->key[k], .leaf = &leaf, .nleaf = 1};
  tx_value one = {"key", 1, &key->lane[k]};
  tx_values all = {&one, 1};
  lanes *l = iface_lanes(v->c->a, v->f, &p, &all);
  show_value(b, p.type, l, 1, &v->x.who, !v->c->opt.json);
  iface_lanes_free(l, 1);
}

static bool same_key(const tx_value *a, const tx_value *b) {
  if (a->n != b->n)
    return false;
  for (uint64_t i = 0; i < a->n; i++)
    if (mpz_cmp(a->lane[i], b->lane[i]) != 0)
      return false;
  return true;
}

/* The leaves of the map's entry at got.entry[i], which is the first of that
 * key; false if it is not. */
static bool gather(const view *v, const iface_state *s, uint32_t i,
                   tx_value *leaf, uint32_t *n) {
  const ledger_entry *e = v->got.entry;
  *n = 0;
  if (s->value.nleaf == 1) {
    leaf[0] = e[i].value;
    leaf[(*n)++].name = e[i].leaf;
    return true;
  }
  for (uint32_t k = 0; k < v->got.nentry; k++) {
    if (contract_state(v->f->k, e[k].leaf) !=
            (int)(s - v->f->state) ||
        !same_key(&e[k].key, &e[i].key))
      continue;
    if (k < i)
      return false;
    if (*n < s->value.nleaf) {
      leaf[*n] = e[k].value;
      leaf[(*n)++].name = e[k].leaf;
    }
  }
  return true;
}

typedef struct row {
  const char *key; /* as it is shown */
  uint32_t entry;
} row;

static int row_order(const void *p, const void *q) {
  const row *a = p, *b = q;
  int d = strcmp(a->key, b->key);
  return d != 0 ? d : (a->entry > b->entry) - (a->entry < b->entry);
}

static const char *keys_text(view *v, const iface_state *s,
                             const tx_value *key) {
  buf b = {0};
  for (uint32_t k = 0; k < s->part->nkey; k++) {
    if (k > 0)
      buf_puts(&b, v->c->opt.json ? "," : ", ");
    show_one_key(v, &b, s, key, k);
  }
  const char *text = arena_strndup(v->c->a, b.p, b.n);
  buf_free(&b);
  return text;
}

/* Numbers in their order, which is the ledger's; people by name. */
static void show_map(view *v, buf *b, const iface_state *s) {
  bool json = v->c->opt.json;
  tx_value *leaf = ARENA_ARR(v->c->a, tx_value, s->value.nleaf + 1);
  row *rows = ARENA_ARR(v->c->a, row, v->got.nentry + 1);
  uint32_t n, nrow = 0;
  for (uint32_t i = 0; i < v->got.nentry; i++) {
    const ledger_entry *e = &v->got.entry[i];
    if (contract_state(v->f->k, e->leaf) == (int)(s - v->f->state) &&
        e->key.n == s->part->nkey && gather(v, s, i, leaf, &n))
      rows[nrow++] = (row){keys_text(v, s, &e->key), i};
  }
  if (strcmp(s->key[0]->text, "identity") == 0)
    qsort(rows, nrow, sizeof *rows, row_order);
  for (uint32_t i = 0; i < nrow; i++) {
    gather(v, s, rows[i].entry, leaf, &n);
    buf_printf(b, json ? "%s{\"key\":[%s],\"value\":" : "%s  %s = ",
               json && i > 0 ? "," : "", rows[i].key);
    tx_values all = {leaf, n};
    show_public(v, b, s, &all);
    buf_puts(b, json ? "}" : "\n");
  }
}

/* ---- a variable ---- */

/* What it began with; version 0. */
static void show_initial(view *v, buf *b, const iface_state *s,
                         const ledger_slot *slot) {
  if (slot == NULL || slot->initial.n == 0)
    buf_puts(b, v->c->opt.json ? "null" : "zero");
  else
    show_public(v, b, s, &slot->initial);
}

static void secret_text(view *v, buf *b, const iface_state *s) {
  const ct_state *p = s->part;
  const ledger_slot *slot = slot_of(v, p->name);
  uint64_t version = slot != NULL ? slot->version : 0;
  buf_printf(b, "%s: secret %s", p->name,
             strncmp(p->type, "secret ", 7) == 0 ? p->type + 7 : p->type);
  if (version == 0) {
    buf_puts(b, ", not written yet, begins as ");
    show_initial(v, b, s, slot);
    buf_putc(b, '\n');
    return;
  }
  buf_printf(b, ", version %llu", (unsigned long long)version);
  static const char *const word[] = {"held by", "missing at", "silent:"};
  for (int w = HOLDS; w <= SILENT; w++) {
    unsigned n = count(v, p, version, (holding)w);
    if (n == 0)
      continue;
    buf_printf(b, ", %s node%s ", word[w], n == 1 ? "" : "s");
    node_list(v, b, p, version, (holding)w, false);
  }
  buf_putc(b, '\n');
}

static void secret_json(view *v, buf *b, const iface_state *s) {
  const ct_state *p = s->part;
  const ledger_slot *slot = slot_of(v, p->name);
  uint64_t version = slot != NULL ? slot->version : 0;
  static const char *const word[] = {"held_by", "missing_at", "silent"};
  buf_printf(b, ",\"version\":%llu", (unsigned long long)version);
  if (version == 0) {
    buf_puts(b, ",\"initial\":");
    show_initial(v, b, s, slot);
  }
  for (int w = HOLDS; version > 0 && w <= SILENT; w++) {
    buf_printf(b, ",\"%s\":[", word[w]);
    node_list(v, b, p, version, (holding)w, true);
    buf_putc(b, ']');
  }
}

/* "map<identity, map<u8, u32>>". */
static const char *map_type(const view *v, const iface_state *s) {
  const char *t = s->value.type->text;
  for (uint32_t k = s->part->nkey; k-- > 0;)
    t = arena_printf(v->c->a, "map<%s, %s>", s->key[k]->text, t);
  return t;
}

static void state_text(view *v, buf *b, const iface_state *s) {
  const ct_state *p = s->part;
  if (p->secret) {
    secret_text(v, b, s);
  } else if (p->nkey > 0) {
    buf_printf(b, "%s: %s\n", p->name, map_type(v, s));
    show_map(v, b, s);
  } else {
    buf_printf(b, "%s: %s = ", p->name, p->type);
    show_public(v, b, s, &v->got.values);
    buf_putc(b, '\n');
  }
}

static void state_json(view *v, buf *b, const iface_state *s) {
  const ct_state *p = s->part;
  buf_puts(b, "\n{\"name\":");
  text_jsonz(b, p->name);
  buf_puts(b, ",\"type\":");
  text_jsonz(b, p->nkey > 0 ? map_type(v, s) : p->type);
  buf_printf(b, ",\"secret\":%s,\"constant\":%s", p->secret ? "true" : "false",
             p->constant ? "true" : "false");
  if (p->secret) {
    secret_json(v, b, s);
  } else if (p->nkey > 0) {
    buf_puts(b, ",\"entries\":[");
    show_map(v, b, s);
    buf_putc(b, ']');
  } else {
    buf_puts(b, ",\"value\":");
    show_public(v, b, s, &v->got.values);
  }
  buf_putc(b, '}');
}

static void print_all(view *v, buf *b) {
  char id[65], package[65];
  bool json = v->c->opt.json;
  chi_hex(id, v->inst.id, 32);
  chi_hex(package, v->inst.package, 32);
  if (json) {
    buf_puts(b, "{\"contract\":");
    text_jsonz(b, v->inst.label);
    buf_printf(b, ",\"id\":\"%s\",\"package\":\"%s\",\"creator\":", id,
               package);
    show_key(b, v->inst.creator, NULL, true);
    buf_printf(b, ",\"record\":%llu,\"locked_by\":",
               (unsigned long long)v->got.seq);
    if (v->inst.locked_by != 0)
      buf_printf(b, "%llu,\"state\":[",
                 (unsigned long long)v->inst.locked_by);
    else
      buf_puts(b, "null,\"state\":[");
  } else {
    buf_printf(b, "%s, id %.16s.., by ", v->inst.label, id);
    show_key(b, v->inst.creator, &v->x.who, false);
    buf_printf(b, ", after record %llu\n", (unsigned long long)v->got.seq);
    if (v->inst.locked_by != 0)
      buf_printf(b, "call %llu is pending\n",
                 (unsigned long long)v->inst.locked_by);
  }
  for (uint32_t i = 0; i < v->f->k->nstate; i++) {
    if (json && i > 0)
      buf_putc(b, ',');
    if (json)
      state_json(v, b, &v->f->state[i]);
    else
      state_text(v, b, &v->f->state[i]);
  }
  if (json)
    buf_puts(b, "]}\n");
}

int cmd_state(cli *c) {
  view v = {.c = c};
  ledger_query q = {.kind = READ_STATE};
  buf b = {0};
  bool ok = contact_open(c, &v.x) &&
            contact_instance(&v.x, c->opt.arg[0], &v.inst) &&
            (v.f = contact_iface(&v.x, &v.inst)) != NULL;
  if (ok) {
    memcpy(q.id, v.inst.id, 32);
    ok = contact_read(&v.x, &q, &v.got, "read the state");
  }
  int code = EXIT_NETWORK;
  if (!ok) {
    code = report_failure(c);
  } else {
    ask_nodes(&v);
    print_all(&v, &b);
    if (print_out(&b))
      code = EXIT_FINE;
  }
  for (unsigned i = 0; i < CHI_PARTIES_MAX; i++)
    json_decref(v.status[i]);
  buf_free(&b);
  contact_close(&v.x);
  return code;
}
