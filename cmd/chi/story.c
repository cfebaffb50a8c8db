#include "cmd/chi/story.h"

#include <string.h>
#include <time.h>

static void value(const story *s, buf *b, const fe_param *p,
                  const tx_values *v) {
  lanes *l = iface_lanes(s->c->a, s->f, p, v);
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

/* ---- opened values ---- */

/* An opened value as the package describes it: its place in the source, its
 * path in what is revealed, its type.  at = NULL: it does not. */
typedef struct seen {
  const ir_leaf *leaf;
  const tx_value *v;
  const ct_opened *at;
  const fe_type *type;
} seen;

/* The type of one turn's value for all n lanes: turns come first.  Without an
 * interval: a turn that was not taken has zeros.  NULL: it is not that of these
 * lanes. */
static const fe_type *over_turns(arena *a, const fe_type *t, uint64_t n) {
  if (t->nfield > 0 || t->lanes == 0 || n % t->lanes != 0)
    return NULL;
  fe_type *all = ARENA_NEW(a, fe_type);
  uint64_t *dim = ARENA_ARR(a, uint64_t, (size_t)t->ndim + 1);
  uint32_t more = n != t->lanes;
  dim[0] = n / t->lanes;
  for (uint32_t i = 0; i < t->ndim; i++)
    dim[more + i] = t->dim[i];
  *all = *t;
  all->lo = all->hi = NULL;
  all->lanes = n;
  all->dim = dim;
  all->ndim = t->ndim + more;
  return all;
}

static seen look(const story *s, const iface_action *x, const ir_leaf *leaf,
                 const tx_value *v) {
  const ct_action *p = x->part;
  seen o = {.leaf = leaf, .v = v};
  uint32_t i = 0;
  while (i < p->nopened && strcmp(p->opened[i].name, leaf->name) != 0)
    i++;
  if (i < p->nopened) {
    const fe_type *t = x->opened[i];
    /* An element of the field that stands for something else is shown raw. */
    bool raw = strcmp(leaf->type, "field") == 0;
    o.at = &p->opened[i];
    if (t != NULL && (!raw || t->kind == FE_FIELD))
      o.type = over_turns(s->c->a, t, v->n);
  }
  if (o.type == NULL)
    o.type = iface_leaf_type(s->c->a, leaf, v->n);
  return o;
}

/* The value alone. */
static void opened_value(const story *s, buf *b, const seen *o) {
  fe_leaf leaf = {o->leaf->name, o->type};
  fe_param p = {.name = leaf.name, .type = o->type, .leaf = &leaf, .nleaf = 1};
  value(s, b, &p, &(tx_values){(tx_value *)(uintptr_t)o->v, 1});
}

static void opened_json(const story *s, buf *b, const seen *o) {
  buf_puts(b, "{\"name\":");
  text_jsonz(b, o->leaf->name);
  buf_puts(b, ",\"type\":");
  text_jsonz(b, o->type->text);
  if (o->at != NULL) {
    buf_printf(b, ",\"line\":%u,\"col\":%u,\"path\":", o->at->line,
               o->at->col);
    text_jsonz(b, o->at->path);
  }
  buf_puts(b, ",\"value\":");
  opened_value(s, b, o);
  buf_putc(b, '}');
}

/* Are they of one value: from one reveal, whose first field, o, has not come
 * again? */
static bool together(const seen *o, const seen *next) {
  return o->at != NULL && next->at != NULL && o->at->path != NULL &&
         next->at->path != NULL && o->at->line == next->at->line &&
         o->at->col == next->at->col &&
         strcmp(o->at->path, next->at->path) != 0;
}

/* One value, of one field or more, on a line; how many there are. */
static uint32_t opened_line(const story *s, buf *b, const seen *o, uint32_t n,
                            const char *indent) {
  uint32_t k = 0;
  buf_printf(b, "%sopened", indent);
  if (o->at != NULL)
    buf_printf(b, " in line %u", o->at->line);
  else
    buf_printf(b, " %s", o->leaf->name);
  do {
    const char *path = o[k].at != NULL ? o[k].at->path : NULL;
    buf_puts(b, k > 0 ? ", " : ": ");
    if (path != NULL && path[0] != '\0')
      buf_printf(b, "%s = ", path);
    opened_value(s, b, &o[k]);
    k++;
  } while (k < n && together(o, &o[k]));
  buf_putc(b, '\n');
  return k;
}

void story_opened(const story *s, buf *b, const iface_action *x,
                  const tx_values *opened, const char *indent) {
  const ir_module *m = x->part->part[CT_CIRCUIT];
  seen *o = ARENA_ARR(s->c->a, seen, (m != NULL ? m->nout : 0) + 1);
  uint32_t n = 0;
  for (uint32_t i = 0; m != NULL && i < m->nout; i++) {
    const tx_value *v = m->out[i].name[0] == '!'
                            ? tx_find(opened, m->out[i].name)
                            : NULL;
    if (v != NULL)
      o[n++] = look(s, x, &m->out[i], v);
  }
  if (s->json)
    buf_putc(b, '[');
  for (uint32_t i = 0; i < n && s->json; i++) {
    if (i > 0)
      buf_putc(b, ',');
    opened_json(s, b, &o[i]);
  }
  for (uint32_t i = 0; i < n && !s->json;)
    i += opened_line(s, b, &o[i], n - i, indent);
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
