/* Reads a Bristol Fashion file.  Linear in the text; what the counts of its
 * head ask for is bounded by its length before anything is allocated. */
#include "frontend/bristol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 4096, MAX_INPUT_BITS = 1 << 24, NONE = 0 };

typedef struct reader {
  arena *a;
  const source_file *f;
  diag *dg;
  const char *p, *end;
  bristol *c;
  uint32_t *node; /* by wire; NONE: not driven yet, else node + 1 */
  uint32_t nwire, ngate;
  uint32_t *na, *nb;
  uint8_t *is_and;
  uint32_t cap; /* nodes there is room for */
} reader;

/* ---- errors ---- */
static span span_of(const reader *r, const char *from, const char *to) {
  return (span){r->f->base + (uint32_t)(from - r->f->text),
                r->f->base + (uint32_t)(to - r->f->text)};
}

static const char *line_end(const reader *r, const char *p) {
  const char *e = memchr(p, '\n', (size_t)(r->end - p));
  return e ? e : r->end;
}

/* At the token p, or at the end of its line. */
static bool wrong_at(reader *r, const char *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool wrong_at(reader *r, const char *p, const char *fmt, ...) {
  char text[200];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const char *e = p;
  while (e < r->end && (unsigned char)*e > ' ') e++;
  diag_report(r->dg, DIAG_BRISTOL, span_of(r, p, e), text);
  return false;
}

static bool no_bristol(reader *r, const char *p, const char *what) {
  wrong_at(r, p, "%s", what);
  diag_hint(r->dg, "A Bristol Fashion file begins with `GATES WIRES`, "
                   "`INPUTS width ..`, `OUTPUTS width ..`, each on its line.");
  return false;
}

/* ---- words of a line ---- */
static void skip_blanks(reader *r) {
  while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r'))
    r->p++;
}

static bool at_line_end(reader *r) {
  skip_blanks(r);
  return r->p == r->end || *r->p == '\n';
}

static void skip_lines(reader *r) {
  while (r->p < r->end && at_line_end(r) && r->p < r->end) r->p++;
}

/* A number on this line, at most UINT32_MAX. */
static bool number(reader *r, uint32_t *out) {
  skip_blanks(r);
  const char *p = r->p;
  uint64_t v = 0;
  while (p < r->end && *p >= '0' && *p <= '9' && v <= UINT32_MAX)
    v = v * 10 + (uint64_t)(*p++ - '0');
  bool ends = p == r->end || *p == ' ' || *p == '\n' || *p == '\r' ||
              *p == '\t';
  if (p == r->p || !ends || v > UINT32_MAX) return false;
  *out = (uint32_t)v;
  r->p = p;
  return true;
}

/* ---- head ---- */
static bool widths(reader *r, const char *what, uint32_t *n,
                   const uint32_t **out, uint32_t *bits) {
  skip_lines(r);
  const char *line = r->p;
  if (!number(r, n) || *n == 0 || *n > MAX_VALUES)
    return no_bristol(r, line, "this is no Bristol Fashion: expected the "
                               "number of values and their widths");
  uint32_t *w = ARENA_ARR(r->a, uint32_t, *n), k = 0;
  uint64_t sum = 0;
  for (; k < *n && !at_line_end(r); k++) {
    const char *at = r->p;
    if (!number(r, &w[k]) || !w[k])
      return no_bristol(r, at, "expected the width of a value");
    sum += w[k];
    if (sum > MAX_INPUT_BITS)
      return wrong_at(r, at, "the %s have more than 2^24 bits", what);
  }
  if (k < *n || !at_line_end(r)) {
    wrong_at(r, line, "the line speaks of %u %s, but has %s widths", *n, what,
             k < *n ? "fewer" : "more");
    diag_hint(r->dg, "Bristol Fashion has `2 128 128` here; three widths "
                     "without their number are the older Bristol format.");
    return false;
  }
  *out = w;
  *bits = (uint32_t)sum;
  return true;
}

static bool head(reader *r) {
  bristol *c = r->c;
  skip_lines(r);
  const char *line = r->p;
  if (!number(r, &r->ngate) || !number(r, &r->nwire) || !at_line_end(r))
    return no_bristol(r, line, "this is no Bristol Fashion: expected the "
                               "numbers of gates and of wires");
  if (!widths(r, "inputs", &c->nin, &c->in, &c->in_bits) ||
      !widths(r, "outputs", &c->nout, &c->out, &c->out_bits))
    return false;
  /* "2 1 0 1 2 AND" and "1 1 0 1 EQ": at least 4 bytes a wire */
  size_t text = (size_t)(r->end - r->p);
  if (r->ngate > text / 4)
    return wrong_at(r, line, "the file is too short for %u gates", r->ngate);
  if (r->nwire < c->in_bits || r->nwire < c->out_bits)
    return wrong_at(r, line, "%u wires are fewer than inputs or outputs have",
                    r->nwire);
  if (r->nwire - c->in_bits > text / 4)
    return wrong_at(r, line, "the file is too short for %u wires", r->nwire);
  return true;
}

/* ---- nodes ---- */
static uint32_t push(reader *r, uint32_t a, uint32_t b, bool is_and) {
  bristol *c = r->c;
  r->na[c->n] = a;
  r->nb[c->n] = b;
  r->is_and[c->n] = is_and;
  return c->n++;
}

static uint32_t xor_node(reader *r, uint32_t a, uint32_t b) {
  if (a == b) return BRISTOL_ZERO;
  if (a > b) { /* constants come first */
    uint32_t t = a;
    a = b;
    b = t;
  }
  if (a == BRISTOL_ZERO) return b;
  if (a == BRISTOL_ONE && b >= BRISTOL_INPUT + r->c->in_bits &&
      !r->is_and[b] && r->na[b] == BRISTOL_ONE)
    return r->nb[b]; /* twice inverted */
  return push(r, a, b, false);
}

static uint32_t and_node(reader *r, uint32_t a, uint32_t b) {
  if (a > b) {
    uint32_t t = a;
    a = b;
    b = t;
  }
  if (a == BRISTOL_ZERO) return BRISTOL_ZERO;
  if (a == BRISTOL_ONE || a == b) return b;
  return push(r, a, b, true);
}

/* ---- gates ---- */
typedef enum { G_XOR, G_AND, G_INV, G_EQ, G_EQW, G_MAND, G_NONE } gate_kind;
static const struct {
  const char *name;
  uint32_t nin, nout; /* of MAND: at least */
} gates[] = {{"XOR", 2, 1}, {"AND", 2, 1}, {"INV", 1, 1},
             {"EQ", 1, 1},  {"EQW", 1, 1}, {"MAND", 2, 1}};

static bool wire_in(reader *r, uint32_t gate, const char *at, uint32_t *out) {
  uint32_t w;
  if (!number(r, &w)) return wrong_at(r, at, "expected the number of a wire");
  if (w >= r->nwire)
    return wrong_at(r, at, "gate %u reads wire %u, but there are only %u", gate,
                    w, r->nwire);
  if (r->node[w] == NONE)
    return wrong_at(r, at, "gate %u reads wire %u before anything drives it",
                    gate, w);
  *out = r->node[w] - 1;
  return true;
}

static bool wire_out(reader *r, uint32_t gate, const char *at, uint32_t *out) {
  uint32_t w;
  if (!number(r, &w)) return wrong_at(r, at, "expected the number of a wire");
  if (w >= r->nwire)
    return wrong_at(r, at, "gate %u drives wire %u, but there are only %u",
                    gate, w, r->nwire);
  if (w < r->c->in_bits)
    return wrong_at(r, at, "gate %u drives wire %u, which is an input", gate,
                    w);
  if (r->node[w] != NONE)
    return wrong_at(r, at, "wire %u is driven twice", w);
  *out = w;
  return true;
}

/* The name at the end of the line that begins at r->p. */
static gate_kind kind_of_line(const reader *r, const char **name) {
  const char *e = line_end(r, r->p), *p;
  while (e > r->p && (unsigned char)e[-1] <= ' ') e--;
  for (p = e; p > r->p && (unsigned char)p[-1] > ' ';) p--;
  *name = p;
  size_t n = (size_t)(e - p);
  for (int k = 0; k < G_NONE; k++)
    if (strlen(gates[k].name) == n && !memcmp(gates[k].name, p, n))
      return (gate_kind)k;
  return G_NONE;
}

static const char *word_at(reader *r) {
  skip_blanks(r);
  return r->p;
}

/* k pairs of operands, then k results. */
static bool many_ands(reader *r, uint32_t gate, uint32_t k) {
  uint32_t *in = malloc((size_t)k * 2 * sizeof *in), w = 0;
  if (!in) arena_oom_hook();
  bool ok = true;
  for (uint32_t j = 0; ok && j < 2 * k; j++)
    ok = wire_in(r, gate, word_at(r), &in[j]);
  for (uint32_t j = 0; ok && j < k; j++) {
    ok = wire_out(r, gate, word_at(r), &w);
    if (ok) r->node[w] = and_node(r, in[j], in[k + j]) + 1;
  }
  free(in);
  return ok;
}

static bool one_gate(reader *r, uint32_t gate, gate_kind k) {
  uint32_t a = 0, b = 0, w = 0;
  if (k == G_EQ) {
    const char *at = word_at(r);
    if (!number(r, &a) || a > 1)
      return wrong_at(r, at, "EQ takes a constant, 0 or 1");
    a = a ? BRISTOL_ONE : BRISTOL_ZERO;
  } else if (!wire_in(r, gate, word_at(r), &a)) {
    return false;
  }
  if (gates[k].nin == 2 && !wire_in(r, gate, word_at(r), &b)) return false;
  if (!wire_out(r, gate, word_at(r), &w)) return false;
  r->node[w] = 1 + (k == G_XOR   ? xor_node(r, a, b)
                    : k == G_AND ? and_node(r, a, b)
                    : k == G_INV ? xor_node(r, BRISTOL_ONE, a)
                                 : a);
  return true;
}

static bool gate_line(reader *r, uint32_t gate) {
  const char *line = r->p, *name;
  gate_kind k = kind_of_line(r, &name);
  uint32_t nin, nout;
  if (k == G_NONE) {
    wrong_at(r, name, "gate %u is of no known kind", gate);
    diag_hint(r->dg, "Bristol Fashion has XOR, AND, INV, EQ, EQW and MAND.");
    return false;
  }
  if (!number(r, &nin) || !number(r, &nout))
    return wrong_at(r, line, "expected how many inputs and outputs gate %u has",
                    gate);
  bool fits = k == G_MAND ? nout >= 1 && nin == 2 * (uint64_t)nout
                          : nin == gates[k].nin && nout == gates[k].nout;
  if (!fits)
    return wrong_at(r, line, "a gate %s does not have %u inputs and %u outputs",
                    gates[k].name, nin, nout);
  r->c->file_ands += k == G_AND ? 1 : k == G_MAND ? nout : 0;
  if (k == G_MAND && nout > (size_t)(r->end - r->p) / 4)
    return wrong_at(r, line, "the line is too short for %u outputs", nout);
  if (!(k == G_MAND ? many_ands(r, gate, nout) : one_gate(r, gate, k)))
    return false;
  if (word_at(r) != name)
    return wrong_at(r, r->p, "gate %u has more wires than it says", gate);
  r->p = line_end(r, r->p);
  return true;
}

static bool body(reader *r) {
  for (uint32_t g = 0;; g++) {
    skip_lines(r);
    if (r->p == r->end) {
      if (g == r->ngate) break;
      return wrong_at(r, r->p, "the file ends after %u of %u gates", g,
                      r->ngate);
    }
    if (g == r->ngate)
      return wrong_at(r, r->p, "the first line speaks of %u gates, here is one "
                               "more", r->ngate);
    if (!gate_line(r, g)) return false;
  }
  for (uint32_t w = 0; w < r->nwire; w++)
    if (r->node[w] == NONE) return wrong_at(r, r->f->text,
                                            "nothing drives wire %u", w);
  return true;
}

/* ---- what the outputs need ---- */
static void finish(reader *r) {
  bristol *c = r->c;
  uint32_t first = BRISTOL_INPUT + c->in_bits;
  uint32_t *result = ARENA_ARR(r->a, uint32_t, c->out_bits);
  uint32_t *depth = calloc(c->n, sizeof *depth);
  uint8_t *live = ARENA_ARR(r->a, uint8_t, c->n);
  if (!depth) arena_oom_hook();
  for (uint32_t k = 0; k < c->out_bits; k++) {
    result[k] = r->node[r->nwire - c->out_bits + k] - 1;
    live[result[k]] = 1;
  }
  for (uint32_t k = c->n; k-- > first;)
    if (live[k]) live[r->na[k]] = live[r->nb[k]] = 1;
  for (uint32_t k = first; k < c->n; k++) {
    if (!live[k]) continue;
    uint32_t x = depth[r->na[k]], y = depth[r->nb[k]];
    depth[k] = (x > y ? x : y) + r->is_and[k];
    if (depth[k] > c->depth) c->depth = depth[k];
    *(r->is_and[k] ? &c->ands : &c->xors) += 1;
  }
  free(depth);
  c->a = r->na;
  c->b = r->nb;
  c->is_and = r->is_and;
  c->live = live;
  c->result = result;
  c->file_gates = r->ngate;
}

bristol *bristol_parse(arena *a, const source_file *f, diag *dg) {
  reader r = {.a = a, .f = f, .dg = dg, .p = f->text, .end = f->text + f->n};
  bristol *c = r.c = ARENA_NEW(a, bristol);
  if (!head(&r)) return NULL;
  r.cap = BRISTOL_INPUT + r.nwire; /* a node at most for each wire */
  r.na = ARENA_ARR(a, uint32_t, r.cap);
  r.nb = ARENA_ARR(a, uint32_t, r.cap);
  r.is_and = ARENA_ARR(a, uint8_t, r.cap);
  r.node = calloc(r.nwire, sizeof *r.node);
  if (!r.node) arena_oom_hook();
  c->n = BRISTOL_INPUT + c->in_bits;
  for (uint32_t w = 0; w < c->in_bits; w++) r.node[w] = BRISTOL_INPUT + w + 1;
  bool ok = body(&r);
  if (ok) finish(&r);
  free(r.node);
  return ok ? c : NULL;
}
