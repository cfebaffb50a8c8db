/* The canonical text of a circuit.  Same module, same bytes: order is program
 * order, names are the source's with a suffix where they repeat, values without
 * a name get their number in order of definition.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

static const char *const stage_name[] = {"high", "core", "sched"};
static const char *const kind_name[] = {"", ".sh", ".prod"};

/* How often a base name was used: the next one gets this as its suffix. */
typedef struct base_name {
  char *s; /* owned */
  uint32_t used;
} base_name;

typedef struct printer {
  buf *out;
  bool spans;
  char **name; /* by value id; owned; NULL: not defined */
  uint32_t nname;
  uint32_t next; /* number of the next value */
  base_name *tab;
  size_t cap, n;
} printer;

/* ---- names ---- */
/* Letters, digits, _ and '.', no digit first, no ".123" last (that is what a
 * suffix looks like). */
static char *clean_name(const char *s) {
  size_t n = strlen(s);
  char *c = malloc(n + 2), *w = c;
  if (!c) arena_oom_hook();
  if (isdigit((unsigned char)*s)) *w++ = '_';
  for (; *s; s++) {
    unsigned char ch = (unsigned char)*s;
    *w++ = (ch < 128 && isalnum(ch)) || ch == '.' ? (char)ch : '_';
  }
  *w = 0;
  char *d = w;
  while (d > c && isdigit((unsigned char)d[-1])) d--;
  if (d < w && d > c && d[-1] == '.') d[-1] = '_';
  return c;
}

static base_name *find_base(printer *p, const char *s) {
  size_t h = 1469598103934665603u;
  for (const char *c = s; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
  for (size_t i = h & (p->cap - 1);; i = (i + 1) & (p->cap - 1))
    if (!p->tab[i].s || !strcmp(p->tab[i].s, s)) return &p->tab[i];
}

static void grow_tab(printer *p) {
  printer old = *p;
  p->cap = old.cap ? old.cap * 2 : 256;
  p->tab = calloc(p->cap, sizeof *p->tab);
  if (!p->tab) arena_oom_hook();
  for (size_t i = 0; i < old.cap; i++)
    if (old.tab[i].s) *find_base(p, old.tab[i].s) = old.tab[i];
  free(old.tab);
}

static void define(printer *p, const ir_value *v) {
  char text[32];
  char *base = NULL;
  uint32_t number = p->next++;
  if (v->id >= p->nname || p->name[v->id]) return;
  if (v->name && *v->name) base = clean_name(v->name);
  if (!base) {
    snprintf(text, sizeof text, "%u", number);
    p->name[v->id] = strdup(text);
    return;
  }
  if (2 * p->n >= p->cap) grow_tab(p);
  base_name *e = find_base(p, base);
  uint32_t k = e->used++;
  if (!k) {
    e->s = base;
    p->n++;
    p->name[v->id] = strdup(base);
    return;
  }
  size_t room = strlen(base) + 16;
  p->name[v->id] = malloc(room);
  if (!p->name[v->id]) arena_oom_hook();
  snprintf(p->name[v->id], room, "%s.%u", base, k);
  free(base);
}

static void value(printer *p, const ir_value *v) {
  bool known = v && v->id < p->nname && p->name[v->id];
  buf_putc(p->out, '%');
  buf_puts(p->out, known ? p->name[v->id] : "undefined");
}

/* ---- pieces ---- */
static void string(buf *b, const char *s) {
  buf_putc(b, '"');
  for (; s && *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      buf_printf(b, "\\%c", c);
    else if (c < 0x20 || c >= 0x7f)
      buf_printf(b, "\\x%02x", c);
    else
      buf_putc(b, (char)c);
  }
  buf_putc(b, '"');
}

static void type(buf *b, const ir_type *t) {
  buf_putc(b, "zpb"[t->dom]);
  buf_puts(b, kind_name[t->kind]);
  if (t->range) {
    buf_putc(b, '<');
    buf_mpz(b, t->range->lo);
    buf_puts(b, "..");
    buf_mpz(b, t->range->hi);
    buf_putc(b, '>');
  }
  if (t->lanes != 1) buf_printf(b, "[%llu]", (unsigned long long)t->lanes);
}

static void typed(printer *p, const ir_value *v) {
  value(p, v);
  buf_puts(p->out, ": ");
  type(p->out, &v->ty);
}

static void dims(buf *b, const ir_attr *at) {
  buf_puts(b, " [");
  for (uint32_t k = 0; k < at->ndim; k++)
    buf_printf(b, "%s%llu:%lld", k ? ", " : "",
               (unsigned long long)at->dim[k].n, (long long)at->dim[k].stride);
  buf_putc(b, ']');
}

static void table(buf *b, const ir_inst *i) {
  buf_puts(b, " [");
  for (uint64_t k = 0; k < i->res[0]->ty.lanes; k++) {
    if (k) buf_puts(b, ", ");
    buf_mpz(b, i->at.table[k]);
  }
  buf_putc(b, ']');
}

static void attributes(printer *p, const ir_inst *i) {
  buf *b = p->out;
  const ir_attr *at = &i->at;
  unsigned has = ir_op_attrs(i->op);
  if (has & AT_IMM) {
    buf_putc(b, ' ');
    buf_mpz(b, at->imm);
  }
  if (has & AT_TABLE) table(b, i);
  if (has & AT_INNER && (i->op != OP_GATHER || at->inner != 1))
    buf_printf(b, " inner %llu", (unsigned long long)at->inner);
  if (has & AT_BITS) buf_printf(b, " bits %u", at->bits);
  if (has & AT_MAX) buf_printf(b, " max %llu", (unsigned long long)at->max);
  if (has & AT_OFF && at->off) buf_printf(b, " off %lld", (long long)at->off);
  if (has & AT_DIMS) dims(b, at);
  if (has & (AT_NAME | AT_MESSAGE)) {
    buf_putc(b, ' ');
    string(b, has & AT_NAME ? at->name : at->message);
  }
  if (has & AT_ROUND && at->round) buf_printf(b, " round %u", at->round);
  if (p->spans) buf_printf(b, " at %u..%u", i->sp.start, i->sp.end);
}

static void indent(buf *b, unsigned depth) {
  for (unsigned k = 0; k < depth; k++) buf_puts(b, "  ");
}

static const char *region_label(ir_op op, uint32_t k) {
  if (op == OP_IF) return k ? "else" : "then";
  if (op == OP_WHILE && !k) return "test";
  return "turn";
}

static void block(printer *p, const ir_block *bl, unsigned depth);

static void inst(printer *p, const ir_inst *i, unsigned depth) {
  buf *b = p->out;
  indent(b, depth);
  for (uint32_t k = 0; k < i->nres; k++) {
    define(p, i->res[k]);
    if (k) buf_puts(b, ", ");
    typed(p, i->res[k]);
  }
  if (i->nres) buf_puts(b, " = ");
  buf_puts(b, ir_ops[i->op].spelling);
  for (uint32_t k = 0; k < i->narg; k++) {
    buf_puts(b, k ? ", " : " ");
    value(p, i->arg[k]);
  }
  attributes(p, i);
  for (uint32_t k = 0; k < i->nregion; k++) {
    const ir_block *r = i->region[k];
    buf_printf(b, " @%s(", region_label(i->op, k));
    for (uint32_t j = 0; j < r->nparam; j++) {
      define(p, r->param[j]);
      if (j) buf_puts(b, ", ");
      typed(p, r->param[j]);
    }
    buf_puts(b, ") {\n");
    block(p, r, depth + 1);
    indent(b, depth);
    buf_putc(b, '}');
  }
  buf_putc(b, '\n');
}

static void block(printer *p, const ir_block *bl, unsigned depth) {
  for (const ir_inst *i = bl->first; i; i = i->next) inst(p, i, depth);
}

static void leaf(buf *b, const char *what, const ir_leaf *l) {
  buf_puts(b, what);
  const char *s[] = {l->name, l->type, l->shape};
  for (int k = 0; k < 3; k++) {
    buf_putc(b, ' ');
    string(b, s[k]);
  }
  buf_puts(b, " of ");
  string(b, l->top);
  if (l->secret) buf_puts(b, " secret");
  if (l->scale) buf_printf(b, " scale %u", l->scale);
  buf_putc(b, '\n');
}

void ir_print(const ir_module *m, buf *out, bool spans) {
  printer p = {.out = out, .spans = spans, .nname = m->nvalue};
  p.name = calloc(m->nvalue ? m->nvalue : 1, sizeof *p.name);
  if (!p.name) arena_oom_hook();
  buf_puts(out, "circuit ");
  string(out, m->name);
  buf_printf(out, "\nstage %s\nfield ", stage_name[m->stage]);
  if (m->is_mersenne) {
    buf_printf(out, "%u\n", m->k);
  } else {
    buf_puts(out, "prime ");
    buf_mpz(out, m->p);
    buf_putc(out, '\n');
  }
  if (m->target.protocol)
    buf_printf(out, "target %s %u\n",
               m->target.protocol == IR_REP3 ? "rep3" : "shamir", m->target.n);
  for (uint32_t k = 0; k < m->nin; k++) leaf(out, "input", &m->in[k]);
  for (uint32_t k = 0; k < m->nout; k++) leaf(out, "output", &m->out[k]);
  buf_puts(out, "@body {\n");
  block(&p, m->body, 1);
  buf_puts(out, "}\n");
  for (uint32_t k = 0; k < p.nname; k++) free(p.name[k]);
  for (size_t k = 0; k < p.cap; k++) free(p.tab[k].s);
  free(p.name);
  free(p.tab);
}
