#include "cmd/chi/show.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78, SHOWN_MAX = 1000, INLINE_MAX = 16 };

const char *show_protocol(const ir_target *m) {
  return m->protocol == IR_REP3 ? "rep3" : "shamir";
}

/* ---- JSON: the tree of the type ---- */

typedef struct json_out {
  buf *b;
  const outcome *o;
  const people *who;
  bool inline_form; /* for people: bare names, long lists cut */
  mpz_t v;
} json_out;

static uint32_t leaves(const fe_type *t) {
  uint32_t n = 0;
  if (t->kind != FE_STRUCT && t->kind != FE_TUPLE)
    return t->kind != FE_UNIT;
  for (uint32_t i = 0; i < t->nfield; i++)
    n += leaves(t->field[i]);
  return n;
}

static void json_dims(json_out *j, const fe_type *t, uint32_t k, uint64_t lane,
                      uint32_t d);

static void json_one(json_out *j, const fe_type *t, uint32_t k,
                     uint64_t lane) {
  bool named = t->kind == FE_STRUCT;
  if (named || t->kind == FE_TUPLE) {
    buf_putc(j->b, named ? '{' : '[');
    for (uint32_t i = 0; i < t->nfield; i++) {
      if (i > 0)
        buf_puts(j->b, j->inline_form ? ", " : ",");
      if (named && j->inline_form) {
        buf_printf(j->b, "%s: ", t->field_name[i]);
      } else if (named) {
        text_jsonz(j->b, t->field_name[i]);
        buf_putc(j->b, ':');
      }
      json_dims(j, t->field[i], k, lane, 0);
      k += leaves(t->field[i]);
    }
    buf_putc(j->b, named ? '}' : ']');
  } else if (t->kind == FE_UNIT || k >= j->o->n || j->o->val[k].n == 0) {
    buf_puts(j->b, "null"); /* shared, told or nothing */
  } else {
    lanes_get(&j->o->val[k], lane, j->v);
    value_show(j->b, t, j->v, j->who, !j->inline_form);
  }
}

static void json_dims(json_out *j, const fe_type *t, uint32_t k, uint64_t lane,
                      uint32_t d) {
  if (d == t->ndim) {
    json_one(j, t, k, lane);
    return;
  }
  buf_putc(j->b, '[');
  for (uint64_t i = 0; i < t->dim[d]; i++) {
    if (i > 0)
      buf_puts(j->b, j->inline_form ? ", " : ",");
    if (i == INLINE_MAX && j->inline_form) {
      buf_puts(j->b, "...");
      break;
    }
    json_dims(j, t, k, lane * t->dim[d] + i, d + 1);
  }
  buf_putc(j->b, ']');
}

void show_outputs_json(buf *b, const fe_fn *f, const outcome *o,
                       const people *who) {
  json_out j = {b, o, who, false, {{0}}};
  const fe_type *t = f->result.type;
  mpz_init(j.v);
  if (t->kind == FE_STRUCT && t->ndim == 0) {
    json_one(&j, t, 0, 0);
  } else if (t->kind == FE_UNIT) {
    buf_puts(b, "{}");
  } else {
    buf_puts(b, "{\"result\":");
    json_dims(&j, t, 0, 0, 0);
    buf_putc(b, '}');
  }
  mpz_clear(j.v);
}

void show_value(buf *b, const fe_type *t, const lanes *v, uint32_t n,
                const people *who, bool inline_form) {
  outcome o = {.val = (lanes *)v, .n = n};
  json_out j = {b, &o, who, inline_form, {{0}}};
  mpz_init(j.v);
  json_dims(&j, t, 0, 0, 0);
  mpz_clear(j.v);
}

/* ---- text: a line or a block per leaf ---- */

static const char *short_name(const char *name) {
  bool field = strncmp(name, "result.", 7) == 0 &&
               !(name[7] >= '0' && name[7] <= '9');
  return field ? name + 7 : name;
}

/* Elements of one leaf, brackets around each axis, rows on lines of their
 * own, numbers right-aligned. */
static void block(buf *b, const fe_type *t, const lanes *v, const people *who,
                  size_t indent) {
  mpz_t x;
  buf e = {0};
  uint64_t n = v->n < SHOWN_MAX ? v->n : SHOWN_MAX;
  size_t wide = 0, col = indent + 1;
  uint32_t rank = t->ndim;
  mpz_init(x);
  for (uint64_t i = 0; i < n && rank > 1; i++) {
    buf_reset(&e);
    lanes_get(v, i, x);
    value_show(&e, t, x, who, false);
    wide = e.n > wide ? e.n : wide;
  }
  uint64_t row = t->dim[rank - 1];
  buf_putc(b, '[');
  for (uint64_t i = 0; i < n; i++) {
    bool first = i % row == 0;
    if (rank > 1 && first) {
      if (i > 0)
        buf_printf(b, "%*s", (int)indent + 1, "");
      buf_putc(b, '[');
      col = indent + 2;
    }
    buf_reset(&e);
    lanes_get(v, i, x);
    value_show(&e, t, x, who, false);
    size_t pad = rank > 1 && wide > e.n ? wide - e.n : 0;
    if (!first && col + 2 + pad + e.n > WIDTH) {
      buf_printf(b, ",\n%*s", (int)indent + (rank > 1 ? 2 : 1), "");
      col = indent + (rank > 1 ? 2 : 1);
    } else if (!first) {
      buf_puts(b, ", ");
      col += 2;
    }
    buf_printf(b, "%*s", (int)pad, "");
    buf_write(b, e.p, e.n);
    col += pad + e.n;
    if (rank > 1 && (i + 1) % row == 0)
      buf_puts(b, i + 1 < v->n ? "],\n" : "]");
  }
  if (n < v->n) {
    buf_puts(b, ", ... ");
    text_count(b, v->n);
    buf_puts(b, " in all; --json gives them");
  }
  buf_puts(b, "]\n");
  buf_free(&e);
  mpz_clear(x);
}

void show_leaf(buf *b, const fe_type *t, const lanes *v, const people *who,
               size_t indent) {
  if (t->ndim > 0) {
    block(b, t, v, who, indent);
    return;
  }
  mpz_t x;
  mpz_init(x);
  lanes_get(v, 0, x);
  value_show(b, t, x, who, false);
  buf_putc(b, '\n');
  mpz_clear(x);
}

static bool is_output(const ir_module *m, const char *name) {
  uint32_t k = 0;
  while (k < m->nout && strcmp(m->out[k].name, name) != 0)
    k++;
  return k < m->nout;
}

void show_outputs(buf *b, const cli *c, const ir_module *m, const fe_fn *f,
                  const outcome *o, const people *who) {
  const char *bold = c->colour_out ? "\033[1m" : "";
  const char *off = c->colour_out ? "\033[0m" : "";
  size_t wide = 0;
  for (uint32_t k = 0; k < f->result.nleaf; k++) {
    size_t n = strlen(short_name(f->result.leaf[k].name));
    wide = n > wide ? n : wide;
  }
  for (uint32_t k = 0; k < f->result.nleaf; k++) {
    const fe_leaf *l = &f->result.leaf[k];
    const char *name = short_name(l->name);
    if (!is_output(m, l->name))
      continue; /* nothing, or told: then it stands below */
    buf_printf(b, "%s%s%s%*s = ", bold, name, off,
               (int)(wide - strlen(name)), "");
    if (k >= o->n || o->val[k].n == 0)
      buf_puts(b, "(secret: stays shared among the nodes)\n");
    else
      show_leaf(b, l->type, &o->val[k], who, wide + 3);
  }
}

/* ---- told values ---- */

void show_key(buf *b, const uint8_t to[32], const people *who, bool json) {
  const person *p = who != NULL ? people_find(who, to) : NULL;
  if (p != NULL && p->name != NULL) {
    if (json)
      text_jsonz(b, p->name);
    else
      buf_puts(b, p->name);
    return;
  }
  if (json)
    buf_putc(b, '"');
  for (int i = 0; i < 32; i++)
    buf_printf(b, "%02x", to[i]);
  if (json)
    buf_putc(b, '"');
}

void show_leaf_type(const ir_leaf *l, uint64_t n, fe_type *t, uint64_t *dim) {
  uint64_t all = 1;
  *t = (fe_type){.kind = strcmp(l->type, "bool") == 0       ? FE_BOOL
                         : strcmp(l->type, "identity") == 0 ? FE_IDENTITY
                         : l->scale > 0                     ? FE_FIXED
                                                            : FE_INT,
                 .scale = l->scale,
                 .lanes = n,
                 .dim = dim,
                 .elem_text = l->type,
                 .text = l->type};
  for (const char *s = l->shape; (s = strpbrk(s, "0123456789")) != NULL;) {
    char *end;
    if (t->ndim == SHOW_RANK_MAX)
      break;
    dim[t->ndim++] = strtoull(s, &end, 10);
    all *= dim[t->ndim - 1];
    s = end;
  }
  /* A shape that says something else about the lanes is not followed. */
  if (t->ndim > 0 && all != n)
    t->ndim = 0;
  if (t->ndim == 0 && n != 1) {
    dim[0] = n;
    t->ndim = 1;
  }
}

void show_told_json(buf *b, const ir_module *m, const outcome *o,
                    const people *who) {
  buf_putc(b, '[');
  for (uint32_t i = 0; i < o->ntold; i++) {
    const told_value *v = &o->told[i];
    const ir_leaf *l = &m->out[v->output];
    uint64_t dim[SHOW_RANK_MAX];
    fe_type t;
    show_leaf_type(l, v->val.n, &t, dim);
    buf_printf(b, "%s{\"name\":", i ? "," : "");
    text_jsonz(b, l->name);
    buf_puts(b, ",\"to\":");
    show_key(b, v->to, who, true);
    buf_puts(b, ",\"value\":");
    if (v->val.n == 0) {
      buf_puts(b, "null");
    } else {
      outcome one = {.val = (lanes *)&v->val, .n = 1};
      json_out j = {b, &one, who, false, {{0}}};
      mpz_init(j.v);
      json_dims(&j, &t, 0, 0, 0);
      mpz_clear(j.v);
    }
    buf_putc(b, '}');
  }
  buf_putc(b, ']');
}

void show_told(buf *b, const cli *c, const ir_module *m, const outcome *o,
               const people *who) {
  const char *bold = c->colour_out ? "\033[1m" : "";
  const char *off = c->colour_out ? "\033[0m" : "";
  for (uint32_t i = 0; i < o->ntold; i++) {
    const told_value *v = &o->told[i];
    const ir_leaf *l = &m->out[v->output];
    uint64_t dim[SHOW_RANK_MAX];
    fe_type t;
    size_t from = b->n;
    show_leaf_type(l, v->val.n, &t, dim);
    buf_puts(b, "told to ");
    show_key(b, v->to, who, false);
    buf_printf(b, " alone: %s%s%s = ", bold, short_name(l->name), off);
    if (v->val.n == 0)
      buf_puts(b, "(sealed for a key that is not here)\n");
    else
      show_leaf(b, &t, &v->val, who,
                  b->n - from - strlen(bold) - strlen(off));
  }
}

/* ---- openings ---- */

static void times(buf *b, int64_t n) {
  if (n < 0)
    buf_puts(b, "as often as the data say");
  else
    buf_printf(b, "%lld time%s", (long long)n, n == 1 ? "" : "s");
}

static void call_json(buf *b, const cli *c, const fe_opening *o) {
  source_pos at = source_at(c->ss, o->call.start);
  if (at.file == NULL)
    return;
  buf_puts(b, ",\"call\":{\"file\":");
  text_jsonz(b, at.file->path);
  buf_printf(b, ",\"line\":%u,\"column\":%u}", at.line, at.col);
}

static void facts_json(buf *b, const cli *c, const fe_opening *o, uint32_t n,
                       bool to) {
  buf_putc(b, '[');
  for (uint32_t i = 0; i < n; i++) {
    source_pos at = source_at(c->ss, o[i].sp.start);
    buf_printf(b, "%s{\"file\":", i ? "," : "");
    text_jsonz(b, at.file != NULL ? at.file->path : NULL);
    buf_printf(b, ",\"line\":%u,\"column\":%u", at.line, at.col);
    call_json(b, c, &o[i]);
    buf_puts(b, ",\"type\":");
    text_jsonz(b, o[i].type);
    buf_printf(b, ",\"elements\":%llu", (unsigned long long)o[i].lanes);
    if (to) {
      buf_puts(b, ",\"to\":");
      text_jsonz(b, o[i].to);
    }
    buf_printf(b, ",\"times\":");
    if (o[i].times < 0)
      buf_puts(b, "null}");
    else
      buf_printf(b, "%lld}", (long long)o[i].times);
  }
  buf_putc(b, ']');
}

void show_openings_json(buf *b, const cli *c, const fe_facts *f) {
  buf_puts(b, "\"openings\":");
  facts_json(b, c, f->opening, f->nopening, true);
  buf_puts(b, ",\"assumes\":");
  facts_json(b, c, f->assume, f->nassume, false);
}

/* "std/sort.chi:7:3: "; behind it, of the library, where it is called. */
static void place(buf *b, const cli *c, const fe_opening *o) {
  source_pos at = source_at(c->ss, o->sp.start);
  buf_printf(b, "  %s:%u:%u: ",
             o->call.start ? o->file : at.file != NULL ? at.file->path : "?",
             at.line, at.col);
}
static void place_of_call(buf *b, const cli *c, const fe_opening *o) {
  source_pos call = source_at(c->ss, o->call.start);
  if (call.file != NULL)
    buf_printf(b, "; called at %s:%u:%u", call.file->path, call.line,
               call.col);
  buf_putc(b, '\n');
}

void show_assumes(buf *b, const cli *c, const fe_facts *f) {
  for (uint32_t i = 0; i < f->nassume; i++) {
    place(b, c, &f->assume[i]);
    buf_printf(b, "assumed to be %s, unchecked on nodes", f->assume[i].type);
    place_of_call(b, c, &f->assume[i]);
  }
}

void show_openings(buf *b, const cli *c, const fe_facts *f) {
  buf_puts(b, f->nopening ? "openings\n" : "openings: none\n");
  for (uint32_t i = 0; i < f->nopening; i++) {
    const fe_opening *o = &f->opening[i];
    place(b, c, o);
    buf_printf(b, "%s to %s, ", o->type, o->to);
    times(b, o->times);
    place_of_call(b, c, o);
  }
  show_assumes(b, c, f);
}
