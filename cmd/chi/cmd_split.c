/* chi split: where an action is cut, beside its source. */
#include <string.h>

#include "cmd/chi/package.h"
#include "cmd/chi/show.h"

enum { PARTS = 3, BEFORE = 1, CIRCUIT = 2, AFTER = 4 };
static const char *const part_name[PARTS] = {"before", "circuit", "after"};

/* The lines of one action: which part does something there. */
typedef struct page {
  cli *c;
  const parts *p;
  uint32_t first, last; /* of the action in its file */
  const source_file *file;
  uint8_t *line;        /* by line - first */
  uint8_t now;          /* the part being walked */
} page;

static const ir_module *part(const parts *p, int k) {
  return k == 0 ? p->cut.before : k == 1 ? p->cut.circuit : p->cut.after;
}

/* Does an instruction stand for something that the author wrote there?
 * Constants and what only hands values on do not. */
static bool counts(const ir_inst *i, uint8_t where) {
  switch (i->op) {
  case OP_CONST:
  case OP_TABLE:
  case OP_IOTA:
  case OP_INPUT:
  case OP_OUTPUT:
  case OP_YIELD:
  case OP_VIEW:
  case OP_ENC:
  case OP_HIDE: return false;
  case OP_CHECK:
  case OP_TELL: return true;
  default: break;
  }
  if (where != CIRCUIT)
    return true;
  for (uint32_t k = 0; k < i->nres; k++)
    if (i->res[k]->ty.kind != KIND_PUB)
      return true;
  return i->op == OP_OPEN;
}

static void mark(ir_inst *i, void *user) {
  page *g = user;
  source_pos at = source_at(g->c->ss, i->sp.start);
  if (at.file != g->file || at.line < g->first || at.line > g->last ||
      !counts(i, g->now))
    return;
  g->line[at.line - g->first] |= g->now;
}

static void find_lines(page *g) {
  span sp = g->p->act->body;
  source_pos from = source_at(g->c->ss, sp.start);
  source_pos to = source_at(g->c->ss, sp.end);
  g->file = from.file;
  g->first = from.line;
  g->last = to.file == from.file ? to.line : from.line;
  g->line = ARENA_ARR(g->c->a, uint8_t, g->last - g->first + 1);
  for (int k = 0; k < PARTS; k++) {
    g->now = (uint8_t)(1 << k);
    if (part(g->p, k) != NULL)
      ir_walk(part(g->p, k)->body, mark, g);
  }
}

static source_pos line_at(const page *g, uint32_t line) {
  const char *s = g->file->text;
  uint32_t off = 0;
  for (uint32_t k = 1; k < line; k++) {
    const char *nl = memchr(s + off, '\n', g->file->n - off);
    if (nl == NULL)
      break;
    off = (uint32_t)(nl - s) + 1;
  }
  return source_at(g->c->ss, g->file->base + off);
}

/* What stands at a span, on one line. */
static const char *source_text(cli *c, span sp) {
  source_pos at = source_at(c->ss, sp.start);
  if (at.file == NULL || sp.end <= sp.start)
    return "";
  size_t n = sp.end - sp.start, most = at.line_len - (at.col - 1);
  return arena_strndup(c->a, at.line_text + at.col - 1, n < most ? n : most);
}

/* A value handed on or opened, in the words of the source. */
static const char *told_as(cli *c, const ir_value *v) {
  const ir_inst *d = v->def;
  if (d == NULL)
    return "a value of a loop";
  if (d->op == OP_INPUT)
    return d->at.name[0] == '$' || d->at.name[0] == '@' ? d->at.name + 1
                                                        : d->at.name;
  return source_text(c, d->sp);
}

typedef struct handed {
  const char *name, *type, *text;
  bool to_circuit, to_after;
} handed;

static uint32_t find_handed(page *g, handed *h) {
  const ir_cut *t = &g->p->cut;
  uint32_t n = 0;
  for (const ir_inst *i = t->before->body->first; i; i = i->next) {
    if (i->op != OP_OUTPUT || i->at.name[0] != '%')
      continue;
    int k = ir_leaf_find(t->before->out, t->before->nout, i->at.name);
    h[n].name = i->at.name;
    h[n].type = arena_printf(g->c->a, "%s%s", t->before->out[k].type,
                             t->before->out[k].shape);
    h[n].text = told_as(g->c, i->arg[0]);
    h[n].to_circuit = t->circuit != NULL &&
        ir_leaf_find(t->circuit->in, t->circuit->nin, i->at.name) >= 0;
    h[n].to_after = t->after != NULL &&
        ir_leaf_find(t->after->in, t->after->nin, i->at.name) >= 0;
    n++;
  }
  return n;
}

/* ---- text ---- */

static void print_source(page *g, buf *b) {
  const char *on = g->c->colour_out ? "\033[36m" : "";
  const char *off = g->c->colour_out ? "\033[0m" : "";
  buf_puts(b, "  line  before  circuit  after\n");
  for (uint32_t l = g->first; l <= g->last; l++) {
    uint8_t is = g->line[l - g->first];
    source_pos at = line_at(g, l);
    buf_printf(b, "%6u  %s%s   %s     %s%s  %s\n", l, on,
               is & BEFORE ? "  ██  " : "  ·   ",
               is & CIRCUIT ? " ██ " : " ·  ", is & AFTER ? "██ " : "·  ", off,
               arena_strndup(g->c->a, at.line_text, at.line_len));
  }
}

static void print_text(page *g, buf *b) {
  const parts *p = g->p;
  handed *h = ARENA_ARR(g->c->a, handed, p->cut.before->nout + 1);
  uint32_t n = find_handed(g, h);
  buf_printf(b, "%s %s of contract %s\n\n",
             p->act->kind == FE_VIEW ? "view" : "action", p->act->fn.name,
             p->c->name);
  print_source(g, b);
  if (p->cut.circuit == NULL) {
    buf_puts(b, p->act->kind == FE_VIEW
                    ? "\nA view: answered from public state, without a "
                      "transaction or nodes.\n"
                    : "\nNothing secret: the ledger runs it alone, in one "
                      "transaction.\n");
    return;
  }
  if (n > 0)
    buf_puts(b, "\nhanded on by before, as it stands at that place\n");
  for (uint32_t i = 0; i < n; i++)
    buf_printf(b, "  %-4s %-14s to %-18s %s\n", h[i].name, h[i].type,
               h[i].to_circuit && h[i].to_after ? "circuit and after"
               : h[i].to_circuit                ? "circuit"
                                                : "after",
               h[i].text);
  if (p->facts.nopening > 0)
    buf_puts(b, "\nopened by the circuit\n");
  for (uint32_t i = 0; i < p->facts.nopening; i++) {
    const fe_opening *o = &p->facts.opening[i];
    buf_printf(b, "  line %-4u %-14s to %-18s %s\n",
               source_at(g->c->ss, o->sp.start).line, o->type, o->to,
               source_text(g->c, o->sp));
  }
  if (p->facts.nassume > 0)
    buf_puts(b, "\nassumed by the circuit\n");
  show_assumes(b, g->c, &p->facts);
  buf_puts(b, "\nThe ledger runs before in the calling transaction, the nodes "
              "run the circuit on\nshares, the ledger runs after with what was "
              "opened. Until then the state that\nthe action touches is "
              "locked, and nothing of it is seen.\n");
}

/* ---- JSON ---- */

static void json_lines(page *g, buf *b) {
  buf_puts(b, ",\n   \"lines\":[");
  for (uint32_t l = g->first; l <= g->last; l++) {
    source_pos at = line_at(g, l);
    buf_printf(b, "%s\n    {\"line\":%u,\"parts\":[", l > g->first ? "," : "",
               l);
    bool any = false;
    for (int k = 0; k < PARTS; k++)
      if (g->line[l - g->first] >> k & 1) {
        buf_printf(b, "%s\"%s\"", any ? "," : "", part_name[k]);
        any = true;
      }
    buf_puts(b, "],\"text\":");
    text_json(b, at.line_text, at.line_len);
    buf_putc(b, '}');
  }
  buf_putc(b, ']');
}

static void print_json(page *g, buf *b) {
  const parts *p = g->p;
  handed *h = ARENA_ARR(g->c->a, handed, p->cut.before->nout + 1);
  uint32_t n = find_handed(g, h);
  buf_puts(b, "\n  {\"contract\":");
  text_jsonz(b, p->c->name);
  buf_puts(b, ",\"action\":");
  text_jsonz(b, p->act->fn.name);
  buf_printf(b, ",\"kind\":\"%s\"",
             p->act->kind == FE_VIEW ? "view" : "action");
  json_lines(g, b);
  buf_puts(b, ",\n   \"handed\":[");
  for (uint32_t i = 0; i < n; i++) {
    buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
    text_jsonz(b, h[i].name);
    buf_puts(b, ",\"type\":");
    text_jsonz(b, h[i].type);
    buf_puts(b, ",\"source\":");
    text_jsonz(b, h[i].text);
    buf_printf(b, ",\"to_circuit\":%s,\"to_after\":%s}",
               h[i].to_circuit ? "true" : "false",
               h[i].to_after ? "true" : "false");
  }
  buf_puts(b, "],\n   ");
  show_openings_json(b, g->c, &p->facts);
  for (int k = 0; k < PARTS; k++)
    package_part(b, part_name[k], part(p, k));
  buf_putc(b, '}');
}

/* ---- the command ---- */

/* ACTION or CONTRACT.ACTION, over all contracts of the file. */
static bool wanted(const fe_contract *con, const fe_action *act,
                   const char *name) {
  if (act->kind == FE_INIT)
    return false;
  if (name == NULL || strcmp(act->fn.name, name) == 0)
    return true;
  size_t n = strlen(con->name);
  return strncmp(con->name, name, n) == 0 && name[n] == '.' &&
         strcmp(act->fn.name, name + n + 1) == 0;
}

int cmd_split(cli *c) {
  fe_unit *u = compile_unit_given(c, c->opt.arg[0], c->opt.set.p, c->opt.set.n);
  if (u == NULL)
    return report_failure(c);
  buf b = {0};
  uint32_t n = 0;
  bool ok = true;
  for (uint32_t i = 0; i < fe_contract_count(u); i++) {
    const fe_contract *con = fe_contract_at(u, i);
    for (uint32_t k = 0; k < con->naction; k++) {
      parts p;
      const char *name = c->opt.narg > 1 ? c->opt.arg[1] : NULL;
      if (!wanted(con, &con->action[k], name))
        continue;
      if (!parts_make(c, u, con, &con->action[k], &p)) {
        ok = false;
        continue;
      }
      page g = {.c = c, .p = &p};
      find_lines(&g);
      if (n++ > 0)
        buf_puts(&b, c->opt.json ? "," : "\n");
      if (c->opt.json)
        print_json(&g, &b);
      else
        print_text(&g, &b);
    }
  }
  if (ok && n == 0) {
    const fe_contract *con = package_find(c, u, NULL);
    if (con != NULL && c->opt.narg > 1)
      package_action(c, con, c->opt.arg[1]);
    else if (con != NULL)
      diag_report_nowhere(c->dg, DIAG_NO_ACTION, con->name, "any");
    ok = false;
  }
  if (!ok) {
    buf_free(&b);
    return report_failure(c);
  }
  report_warnings(c);
  buf out = {0};
  if (c->opt.json)
    buf_printf(&out, "{\"actions\":[%s]}\n", b.p);
  bool said = print_out(c->opt.json ? &out : &b);
  buf_free(&b);
  buf_free(&out);
  return said ? EXIT_FINE : EXIT_NETWORK;
}
