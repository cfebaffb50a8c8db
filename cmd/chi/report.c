/* What the diag collected, as text with carets or as JSON. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/chi/cli.h"

static const char *severity(diag_severity s) {
  switch (s) {
  case SEV_ERROR:
    return "error";
  case SEV_WARNING:
    return "warning";
  case SEV_RESOURCE:
    return "failure";
  case SEV_BUG:
    return "bug";
  }
  return "error";
}

static void place(const cli *c, buf *out, bool has, span sp) {
  if (!has) {
    buf_puts(out, "\"file\":null,\"line\":null,\"column\":null,"
                  "\"endLine\":null,\"endColumn\":null");
    return;
  }
  source_pos s = source_at(c->ss, sp.start), e = source_at(c->ss, sp.end);
  buf_puts(out, "\"file\":");
  text_jsonz(out, s.file != NULL ? s.file->path : NULL);
  buf_printf(out, ",\"line\":%u,\"column\":%u,\"endLine\":%u,\"endColumn\":%u",
             s.line, s.col, e.line, e.col);
}

static void message_json(const cli *c, buf *out, const diag_msg *m) {
  const diag_info *info = &diag_table[m->id];
  buf_puts(out, "{\"id\":");
  text_jsonz(out, info->id);
  buf_printf(out, ",\"severity\":\"%s\",", severity(info->sev));
  place(c, out, m->has_span, m->sp);
  buf_puts(out, ",\"message\":");
  text_jsonz(out, m->text);
  buf_puts(out, ",\"hint\":");
  const char *hint = NULL;
  for (uint32_t i = 0; i < m->nnote && hint == NULL; i++)
    if (m->note[i].hint)
      hint = m->note[i].text;
  text_jsonz(out, hint);
  buf_puts(out, ",\"notes\":[");
  bool first = true;
  for (uint32_t i = 0; i < m->nnote; i++) {
    if (m->note[i].hint && m->note[i].text == hint)
      continue;
    buf_puts(out, first ? "{" : ",{");
    first = false;
    place(c, out, m->note[i].has_span, m->note[i].sp);
    buf_puts(out, ",\"message\":");
    text_jsonz(out, m->note[i].text);
    buf_puts(out, "}");
  }
  buf_puts(out, "]}");
}

void report_json(const cli *c, buf *out) {
  buf_putc(out, '[');
  uint32_t n = diag_count(c->dg);
  for (uint32_t i = 0; i < n; i++) {
    buf_puts(out, i == 0 ? "\n  " : ",\n  ");
    message_json(c, out, diag_get(c->dg, i));
  }
  buf_puts(out, n == 0 ? "]" : "\n]");
}

int report_code(const diag *d) {
  int code = EXIT_FINE;
  for (uint32_t i = 0; i < diag_count(d); i++) {
    diag_severity s = diag_table[diag_get(d, i)->id].sev;
    int k = s == SEV_BUG        ? EXIT_BUG
            : s == SEV_RESOURCE ? EXIT_NETWORK
            : s == SEV_ERROR    ? EXIT_PROGRAM
                                : EXIT_FINE;
    if (k > code)
      code = k;
  }
  return code;
}

bool print_out(const buf *b) {
  if (b->n == 0)
    return true;
  if (fwrite(b->p, 1, b->n, stdout) != b->n || fflush(stdout) != 0) {
    fprintf(stderr, "chi: could not write to standard output: %s\n",
            strerror(errno));
    return false;
  }
  return true;
}

static void render(cli *c) {
  buf b = {0};
  diag_render_all(c->dg, &b, c->colour_err);
  if (b.n != 0)
    fwrite(b.p, 1, b.n, stderr);
  buf_free(&b);
}

void report_warnings(cli *c) {
  if (diag_count(c->dg) == 0)
    return;
  diag_sort(c->dg);
  render(c);
}

int report_end(cli *c) {
  diag_sort(c->dg);
  if (!c->opt.json) {
    render(c);
    return report_code(c->dg);
  }
  buf b = {0};
  buf_puts(&b, "{\"diagnostics\":");
  report_json(c, &b);
  buf_puts(&b, "}\n");
  bool ok = print_out(&b);
  buf_free(&b);
  int code = report_code(c->dg);
  return ok ? code : code > EXIT_NETWORK ? code : EXIT_NETWORK;
}

int report_failure(cli *c) {
  if (diag_errors(c->dg) == 0)
    diag_report_nowhere(c->dg, DIAG_INTERNAL, "it failed without a reason");
  return report_end(c);
}
