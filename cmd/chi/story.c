#include "cmd/chi/story.h"

#include <string.h>
#include <time.h>

static void value(const story *s, buf *b, const fe_param *p,
                  const tx_values *v) {
  lanes *l = iface_lanes(s->c->a, p, v);
  show_value(b, p->type, l, p->nleaf, s->who, !s->json);
  iface_lanes_free(l, p->nleaf);
}

static void key(const story *s, buf *b, const char *name, bool first) {
  if (!first)
    buf_puts(b, s->json ? "," : ", ");
  if (s->json) {
    text_jsonz(b, name);
    buf_putc(b, ':');
  } else {
    buf_printf(b, "%s: ", name);
  }
}

void story_args(const story *s, buf *b, const iface_action *x,
                const tx_values *args) {
  buf_putc(b, s->json ? '{' : '(');
  for (uint32_t i = 0; i < x->fn.nparam; i++) {
    const fe_param *p = &x->fn.param[i];
    key(s, b, p->name, i == 0);
    if (p->type->secret)
      buf_puts(b, s->json ? "null" : "sealed");
    else
      value(s, b, p, args);
  }
  buf_putc(b, s->json ? '}' : ')');
}

void story_result(const story *s, buf *b, const iface_action *x,
                  const tx_values *result, const char *indent) {
  const fe_param *r = &x->fn.result;
  /* What is told is no part of the record. */
  bool there = r->nleaf > 0 && tx_find(result, r->leaf[0].name) != NULL;
  if (!there) {
    if (s->json)
      buf_puts(b, "null");
    return;
  }
  if (!s->json)
    buf_printf(b, "%sresult = ", indent);
  value(s, b, r, result);
  if (!s->json)
    buf_putc(b, '\n');
}

/* The place in the source of opened value k, if openings and values are one to
 * one. */
static const iface_opening *opening(const iface_action *x, uint32_t k,
                                    uint32_t n) {
  uint32_t all = 0;
  const iface_opening *at = NULL;
  for (uint32_t i = 0; i < x->nopening; i++)
    if (strcmp(x->opening[i].to, "everybody") == 0 && all++ == k)
      at = &x->opening[i];
  return all == n ? at : NULL;
}

static void opened_one(const story *s, buf *b, const ir_leaf *l,
                       const tx_value *v, const iface_opening *at,
                       const char *indent) {
  const fe_type *t = iface_leaf_type(s->c->a, l, v->n);
  fe_leaf leaf = {l->name, t};
  fe_param p = {.name = l->name, .type = t, .leaf = &leaf, .nleaf = 1};
  tx_values one = {(tx_value *)v, 1};
  if (s->json) {
    buf_puts(b, "{\"name\":");
    text_jsonz(b, l->name);
    buf_puts(b, ",\"type\":");
    text_jsonz(b, l->type);
    if (at != NULL)
      buf_printf(b, ",\"line\":%u,\"col\":%u", at->line, at->col);
    buf_puts(b, ",\"value\":");
  } else {
    buf_printf(b, "%sopened", indent);
    if (at != NULL)
      buf_printf(b, " in line %u", at->line);
    else
      buf_printf(b, " %s", l->name);
    buf_puts(b, ": ");
  }
  value(s, b, &p, &one);
  buf_putc(b, s->json ? '}' : '\n');
}

void story_opened(const story *s, buf *b, const iface_action *x,
                  const tx_values *opened, const char *indent) {
  const ir_module *m = x->part->part[CT_CIRCUIT];
  uint32_t n = 0, k = 0;
  for (uint32_t i = 0; m != NULL && i < m->nout; i++)
    n += m->out[i].name[0] == '!';
  if (s->json)
    buf_putc(b, '[');
  for (uint32_t i = 0; m != NULL && i < m->nout; i++) {
    if (m->out[i].name[0] != '!')
      continue;
    const tx_value *v = tx_find(opened, m->out[i].name);
    if (v != NULL) {
      if (s->json && k > 0)
        buf_putc(b, ',');
      opened_one(s, b, &m->out[i], v, opening(x, k, n), indent);
    }
    k++;
  }
  if (s->json)
    buf_putc(b, ']');
}

static void event_fields(const story *s, buf *b, const ledger_event *e) {
  const iface_event *d = iface_event_find(s->f, e->name);
  buf_putc(b, s->json ? '{' : '(');
  for (uint32_t i = 0; d != NULL && i < d->nfield; i++) {
    key(s, b, d->field[i].name, i == 0);
    value(s, b, &d->field[i], &e->field);
  }
  buf_putc(b, s->json ? '}' : ')');
}

void story_events(const story *s, buf *b, const ledger_event *e, uint32_t n,
                  const char *indent) {
  if (s->json)
    buf_putc(b, '[');
  for (uint32_t i = 0; i < n; i++) {
    if (s->json) {
      buf_puts(b, i > 0 ? ",{\"name\":" : "{\"name\":");
      text_jsonz(b, e[i].name);
      buf_puts(b, ",\"fields\":");
    } else {
      buf_printf(b, "%sevent %s", indent,
                 text_shown(s->c->a, e[i].name, strlen(e[i].name)));
    }
    event_fields(s, b, &e[i]);
    buf_putc(b, s->json ? '}' : '\n');
  }
  if (s->json)
    buf_putc(b, ']');
}

const char *story_time(arena *a, uint64_t ms) {
  struct tm tm;
  time_t t = (time_t)(ms / 1000);
  char out[40] = "?";
  if (gmtime_r(&t, &tm) != NULL)
    strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &tm);
  return arena_strdup(a, out);
}
