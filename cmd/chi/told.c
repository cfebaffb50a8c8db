#include "cmd/chi/told.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/chi/client.h"
#include "cmd/chi/proc.h"
#include "cmd/chi/show.h"
#include "node/node.h"

enum { SETTLE_SECONDS = 5 };

typedef struct mail {
  node_letter *p;
  size_t n;
} mail;

/* ---- from the nodes ---- */

static bool seen(contact *x, unsigned i, uint64_t seq) {
  const char *text, *why;
  if (!node_status(x->c->a, NET_HOST, x->w->node[i].port, &text, &why))
    return false;
  json_t *o = json_loads(text, 0, NULL);
  json_int_t at = json_integer_value(json_object_get(o, "seen"));
  json_decref(o);
  return at > 0 && (uint64_t)at >= seq;
}

void told_settle(contact *x, uint64_t seq) {
  double limit = clock_seconds() + SETTLE_SECONDS;
  for (unsigned i = 0; i < x->w->n; i++)
    while (!seen(x, i, seq) && clock_seconds() < limit)
      nanosleep(&(struct timespec){0, 2000000}, NULL);
}

static bool collect(contact *x, const chi_identity *id, uint64_t after,
                    mail *m) {
  cli *c = x->c;
  for (unsigned i = 0; i < x->w->n; i++) {
    const char *why = "";
    if (!node_letters(c->a, NET_HOST, x->w->node[i].port, id, after, &m[i].p,
                      &m[i].n, &why)) {
      diag_report_nowhere(c->dg, DIAG_NOT_REACHED,
                          arena_printf(c->a, "node %u", i), why);
      diag_hint(c->dg, "A told value opens only with what all nodes have.");
      return false;
    }
  }
  return true;
}

static const node_letter *same_letter(const mail *m, const node_letter *l) {
  for (size_t k = 0; k < m->n; k++)
    if (m->p[k].call == l->call && m->p[k].output == l->output &&
        m->p[k].lanes == l->lanes &&
        memcmp(m->p[k].session, l->session, 32) == 0)
      return &m->p[k];
  return NULL;
}

/* ---- what the ledger says of the call ---- */

/* The contracts met so far. */
typedef struct known {
  uint8_t id[32];
  const char *label;
  iface *f;
} known;
typedef struct shelf {
  contact *x;
  known *p;
  size_t n;
} shelf;

static const known *contract_of(shelf *s, const uint8_t id[32]) {
  arena *a = s->x->c->a;
  char hex[65];
  ledger_instance inst;
  for (size_t k = 0; k < s->n; k++)
    if (memcmp(s->p[k].id, id, 32) == 0)
      return &s->p[k];
  chi_hex(hex, id, 32);
  if (!contact_instance(s->x, hex, &inst))
    return NULL;
  s->p = arena_grow(a, s->p, s->n, s->n + 1, sizeof *s->p);
  known *k = &s->p[s->n++];
  *k = (known){.label = inst.label, .f = contact_iface(s->x, &inst)};
  memcpy(k->id, id, 32);
  return k->f != NULL ? k : NULL;
}

static const char *describe(shelf *s, const node_letter *l, told_letter *t,
                            const ir_module **circuit, const ir_leaf **leaf) {
  ledger_query q = {.kind = READ_RECORD, .seq = l->call};
  ledger_answer r = {0};
  contact *x = s->x;
  uint8_t session[32];
  if (x->l->ops->read(x->l, x->c->a, &q, &r) != LEDGER_OK ||
      r.record->t.kind != TX_CALL)
    return "the ledger has no such call";
  const tx *call = &r.record->t;
  memcpy(t->caller, call->sender, 32);
  tx_session(session, x->id, call->u.call.contract, call->sender,
             call->counter);
  if (memcmp(session, l->session, 32) != 0)
    return "it is of another run than the ledger says";
  const known *k = contract_of(s, call->u.call.contract);
  if (k == NULL)
    return "its contract cannot be read";
  t->contract = k->label;
  t->action = call->u.call.action;
  const ct_action *act = contract_action(k->f->k, t->action);
  const ir_module *m = act != NULL ? act->part[CT_CIRCUIT] : NULL;
  if (m == NULL || l->output >= m->nout)
    return "its circuit has no such output";
  *circuit = m;
  *leaf = &m->out[l->output];
  t->name = (*leaf)->name;
  const ir_type *ty = contract_leaf_type(m, true, t->name);
  if (ty != NULL && ty->lanes != l->lanes)
    return "it has another number of elements than its circuit says";
  return NULL;
}

/* ---- opening ---- */

static const char *join(contact *x, const chi_identity *id, const mail *m,
                        const node_letter *l, const ir_module *circuit,
                        const ir_leaf *leaf, lanes *val) {
  const uint8_t *box[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  arena *a = x->c->a;
  for (unsigned i = 0; i < x->w->n; i++) {
    const node_letter *k = same_letter(&m[i], l);
    if (k == NULL)
      return arena_printf(a, "node %u does not have it", i);
    box[i] = k->box;
    bytes[i] = k->box_bytes;
  }
  chi_client_run run = contact_run(x, circuit, l->session);
  size_t words = ((size_t)l->lanes + 1) * run.field.words;
  uint64_t *v = calloc(words, sizeof *v);
  unsigned bad = 0;
  if (v == NULL)
    arena_oom_hook();
  chi_status st = chi_client_open(v, (size_t)l->lanes, &bad, &run, id,
                                  l->output, box, bytes);
  if (st == CHI_OK)
    client_integers(val, circuit, leaf, v, l->lanes);
  chi_wipe(v, words * sizeof *v);
  free(v);
  return st == CHI_OK ? NULL
         : st == CHI_E_CHECK
             ? "what the nodes have is not of one value"
             : arena_printf(a, "node %u: %s", bad, chi_status_text(st));
}

static void open_letter(shelf *s, const chi_identity *id, const mail *m,
                        const node_letter *l, told_letter *t) {
  const ir_module *circuit = NULL;
  const ir_leaf *leaf = NULL;
  *t = (told_letter){.call = l->call,
                     .contract = "",
                     .action = "",
                     .name = l->name};
  /* A sealed box has at least its shares: the length is not believed. */
  if (l->lanes == 0 || l->lanes > l->box_bytes)
    t->why = "it is malformed";
  else
    t->why = describe(s, l, t, &circuit, &leaf);
  if (t->why == NULL)
    t->why = join(s->x, id, m, l, circuit, leaf, &t->val);
  if (leaf != NULL)
    t->type = iface_leaf_type(s->x->c->a, leaf, l->lanes);
}

static int by_call(const void *p, const void *q) {
  const told_letter *a = p, *b = q;
  return a->call < b->call ? -1 : a->call > b->call;
}

bool told_fetch(contact *x, const chi_identity *id, uint64_t after,
                told_box *out) {
  mail m[CHI_PARTIES_MAX] = {{NULL, 0}};
  shelf s = {x, NULL, 0};
  size_t most = 0;
  *out = (told_box){0};
  if (!collect(x, id, after, m))
    return false;
  for (unsigned i = 0; i < x->w->n; i++)
    most += m[i].n;
  out->p = ARENA_ARR(x->c->a, told_letter, most + 1);
  for (unsigned i = 0; i < x->w->n; i++)
    for (size_t k = 0; k < m[i].n; k++) {
      const node_letter *l = &m[i].p[k];
      bool before = false;
      for (unsigned j = 0; j < i && !before; j++)
        before = same_letter(&m[j], l) != NULL;
      if (!before && l->call > after)
        open_letter(&s, id, m, l, &out->p[out->n++]);
    }
  qsort(out->p, out->n, sizeof *out->p, by_call);
  return diag_errors(x->c->dg) == 0;
}

void told_free(told_box *b) {
  for (size_t k = 0; k < b->n; k++)
    lanes_free(&b->p[k].val);
  *b = (told_box){0};
}

/* ---- telling ---- */

void told_print(buf *b, const told_letter *t, const people *who, bool json) {
  if (json) {
    buf_printf(b, "{\"call\":%llu,\"contract\":", (unsigned long long)t->call);
    text_jsonz(b, t->contract);
    buf_puts(b, ",\"action\":");
    text_jsonz(b, t->action);
    buf_puts(b, ",\"caller\":");
    show_key(b, t->caller, NULL, true);
    buf_puts(b, ",\"name\":");
    text_jsonz(b, t->name);
    buf_puts(b, ",\"value\":");
  }
  if (t->why == NULL)
    show_value(b, t->type, &t->val, 1, who, !json);
  else
    buf_puts(b, json ? "null" : "(does not open)");
  if (json) {
    buf_puts(b, ",\"why\":");
    text_jsonz(b, t->why);
    buf_putc(b, '}');
  } else if (t->why != NULL) {
    buf_printf(b, ": %s", t->why);
  }
}
