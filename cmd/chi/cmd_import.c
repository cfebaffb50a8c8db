/* chi import bristol: how a source file declares a circuit file. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/cli.h"
#include "frontend/bristol.h"

static bool is_word(const char *s) {
  static const char *const words[] = {
#define TOKEN(NAME, SPELLING, CLASS) SPELLING,
#include "grammar/tokens.def"
#undef TOKEN
  };
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (!strcmp(words[k], s)) return true;
  return false;
}

static const char *base_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* A name of what stands before the dot. */
static const char *name_of(arena *a, const char *path) {
  const char *base = base_of(path), *dot = strrchr(base, '.');
  size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
  char *s = arena_strndup(a, base, n < 60 ? n : 60);
  for (char *c = s; *c; c++)
    if (!isalnum((unsigned char)*c) || (unsigned char)*c > 127) *c = '_';
  if (!isalpha((unsigned char)*s) || is_word(s))
    return arena_printf(a, "circuit_%s", s);
  return s;
}

/* The circuit's path as a file at `from` (NULL: here) has to name it. */
static const char *path_from(arena *a, const char *from, const char *path) {
  if (!from || path[0] == '/') return path;
  size_t n = (size_t)(base_of(from) - from);
  if ((size_t)(base_of(path) - path) == n && !memcmp(from, path, n))
    return base_of(path);
  if (!n) return path;
  char full[PATH_MAX];
  return realpath(path, full) ? arena_strdup(a, full) : path;
}

static void bits(buf *b, uint32_t width) {
  buf_printf(b, "[bool; %" PRIu32 ", n]", width);
}

/* "a" .. "z", "x26" .. */
static void parameter(buf *b, uint32_t k) {
  if (k < 26 && k != 'n' - 'a') buf_putc(b, (char)('a' + k));
  else buf_printf(b, "x%" PRIu32, k);
}

static void quoted(buf *b, const char *s) {
  buf_putc(b, '"');
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') buf_putc(b, '\\');
    buf_putc(b, *s);
  }
  buf_putc(b, '"');
}

static void declaration(buf *b, const bristol *c, const char *name,
                        const char *path) {
  buf_printf(b, "fn %s<n>(", name);
  for (uint32_t k = 0; k < c->nin; k++) {
    if (k) buf_puts(b, ", ");
    parameter(b, k);
    buf_puts(b, ": ");
    bits(b, c->in[k]);
  }
  buf_puts(b, ") -> ");
  if (c->nout > 1) buf_putc(b, '(');
  for (uint32_t k = 0; k < c->nout; k++) {
    if (k) buf_puts(b, ", ");
    bits(b, c->out[k]);
  }
  if (c->nout > 1) buf_putc(b, ')');
  buf_puts(b, " = ");
  quoted(b, path);
  buf_puts(b, ";\n");
}

static void widths_json(buf *b, const char *key, const uint32_t *w,
                        uint32_t n) {
  buf_printf(b, ",\"%s\":[", key);
  for (uint32_t k = 0; k < n; k++)
    buf_printf(b, "%s%" PRIu32, k ? "," : "", w[k]);
  buf_putc(b, ']');
}

static void print_json(buf *b, bristol *c, const bristol_plan *p,
                       const char *name, const char *text) {
  buf_puts(b, "{\"name\":");
  text_jsonz(b, name);
  widths_json(b, "inputs", c->in, c->nin);
  widths_json(b, "outputs", c->out, c->nout);
  buf_printf(b, ",\"gates\":%" PRIu32 ",\"ands\":%" PRIu32
                ",\"depth\":%" PRIu32 ",\"bits\":%" PRIu64
                ",\"rows\":%" PRIu32 ",\"declaration\":",
             c->file_gates, c->ands, c->depth, p->settled, p->rows);
  text_jsonz(b, text);
  buf_puts(b, "}\n");
}

int cmd_import(cli *c) {
  const char *kind = c->opt.arg[0], *path = c->opt.arg[1];
  source_id id;
  if (strcmp(kind, "bristol"))
    return usage_error(c, "There is 'chi import bristol FILE'.",
                       "'%s' is nothing that can be imported",
                       text_shown(c->a, kind, strlen(kind)));
  errno = 0;
  if (!source_load(c->ss, path, &id)) {
    diag_report_nowhere(c->dg, DIAG_CANNOT_READ, path,
                        errno ? strerror(errno) : "it is larger than 64 MiB");
    return report_failure(c);
  }
  bristol *circuit = bristol_parse(c->a, source_get(c->ss, id), c->dg);
  if (!circuit) return report_failure(c);
  const bristol_plan *p = bristol_layout(c->a, circuit);
  const char *name = name_of(c->a, path);
  buf text = {0}, out = {0};
  buf_puts(&text, "/// ");
  text_count(&text, circuit->file_gates);
  buf_puts(&text, " gates, ");
  text_count(&text, circuit->ands);
  buf_puts(&text, " of them ANDs in depth ");
  text_count(&text, circuit->depth);
  buf_puts(&text, "; an instance sends ");
  text_count(&text, p->settled);
  buf_puts(&text, " bits.\n");
  declaration(&text, circuit, name, path_from(c->a, c->opt.out, path));
  bool ok = true;
  if (c->opt.out && !buf_save(&text, c->opt.out)) {
    diag_report_nowhere(c->dg, DIAG_OUTPUT_DIR,
                        text_shown(c->a, c->opt.out, strlen(c->opt.out)),
                        strerror(errno));
    buf_free(&text);
    return report_failure(c);
  }
  if (c->opt.json)
    print_json(&out, circuit, p, name, text.p);
  else if (c->opt.out)
    buf_printf(&out, "%s\n", c->opt.out);
  else
    buf_puts(&out, text.p);
  ok = print_out(&out);
  buf_free(&text);
  buf_free(&out);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
