/* The caret renderer:
 *
 *   pool.chi:3:17: error[E0101]: expected `;` or an operator, found `let`
 *      3 |     total = a + b
 *        |                  ^
 *   note: …
 *   hint: …
 *
 * A long line is cut to a window around the caret, so that the cost of a
 * message does not depend on the length of its line.
 */
#include <string.h>

#include "base/diag.h"
#include "base/utf8.h"

enum { WINDOW_BEFORE = 60, WINDOW = 120, TEXT_MAX = 2000 };

typedef struct style {
  const char *error, *warning, *note, *bold, *off;
} style;

static const style plain = {"", "", "", "", ""};
static const style ansi = {"\033[1;31m", "\033[1;35m", "\033[1;36m", "\033[1m",
                           "\033[0m"};

/* Bytes that a terminal would act on are shown escaped; \t stays (the
 * underline repeats it).  Returns the columns used; *used gets the bytes. */
static size_t put_char(buf *out, const char *p, size_t n, size_t *used) {
  uint32_t cp = 0;
  size_t len = utf8_decode(p, n, &cp);
  size_t from = out->n;
  *used = len ? len : 1;
  if (len == 0) {
    buf_printf(out, "<%02x>", (unsigned)(unsigned char)*p);
  } else if (cp == '\t') {
    buf_putc(out, '\t');
  } else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || utf8_is_bidi(cp) ||
             cp == 0x2028 || cp == 0x2029 || cp == 0xfeff) {
    buf_printf(out, "<U+%04X>", (unsigned)cp);
  } else {
    buf_write(out, p, len);
    return 1;
  }
  return out->n - from;
}

static void put_text(buf *out, const char *s) {
  size_t n = strlen(s), shown = n > TEXT_MAX ? TEXT_MAX : n;
  for (size_t i = 0, used; i < shown; i += used)
    put_char(out, s + i, n - i, &used);
  if (shown < n) buf_puts(out, "...");
}

static bool is_tail(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

static void put_excerpt(buf *out, source_pos at, span sp, const char *colour,
                        const char *off) {
  size_t len = at.line_len, caret = at.col - 1;
  if (caret > len) caret = len;
  size_t width = sp.end > sp.start ? sp.end - sp.start : 1;
  size_t first = caret > WINDOW_BEFORE ? caret - WINDOW_BEFORE : 0;
  if (len <= WINDOW) first = 0;
  size_t last = len - first > WINDOW ? first + WINDOW : len;
  while (first < caret && is_tail(at.line_text[first])) first++;
  while (last < len && last > caret && is_tail(at.line_text[last])) last--;

  buf under = {0}; /* what stands below, built alongside */
  buf_printf(out, "%5u | ", at.line);
  if (first > 0) {
    buf_puts(out, "...");
    buf_puts(&under, "   ");
  }
  size_t i = first;
  bool marked = false;
  while (i < last) {
    size_t used;
    bool tab = at.line_text[i] == '\t';
    size_t cols = put_char(out, at.line_text + i, len - i, &used);
    bool inside = i + used > caret && i < caret + width;
    for (size_t k = 0; k < cols; k++) {
      char c = ' ';
      if (inside) c = marked ? '~' : '^';
      if (tab && !inside) c = '\t';
      if (inside) marked = true;
      buf_putc(&under, c);
    }
    i += used;
  }
  if (last < len) buf_puts(out, "...");
  if (!marked) buf_putc(&under, '^'); /* at the end of the line */
  while (under.n && (under.p[under.n - 1] == ' ' ||
                     under.p[under.n - 1] == '\t'))
    under.p[--under.n] = 0;
  buf_printf(out, "\n      | %s%s%s\n", colour, under.p, off);
  buf_free(&under);
}

static void put_place(const diag *d, buf *out, span sp, source_pos *at) {
  *at = source_at(diag_sources(d), sp.start);
  if (!at->file) return;
  put_text(out, at->file->path);
  buf_printf(out, ":%u:%u: ", at->line, at->col);
}

static const char *severity_word(diag_severity s) {
  switch (s) {
    case SEV_ERROR: return "error";
    case SEV_WARNING: return "warning";
    case SEV_RESOURCE: return "failure";
    case SEV_BUG: return "bug";
  }
  return "error";
}

void diag_render(const diag *d, const diag_msg *m, buf *out, bool colour) {
  const style *st = colour ? &ansi : &plain;
  const diag_info *info = &diag_table[m->id];
  const char *tint = info->sev == SEV_WARNING ? st->warning : st->error;
  source_pos at = {0};
  buf_puts(out, st->bold);
  if (m->has_span) put_place(d, out, m->sp, &at);
  buf_printf(out, "%s%s%s[%s]%s: %s", st->off, tint, severity_word(info->sev),
             info->id, st->off, st->bold);
  put_text(out, m->text);
  buf_printf(out, "%s\n", st->off);
  if (at.file) put_excerpt(out, at, m->sp, tint, st->off);
  for (uint32_t i = 0; i < m->nnote; i++) {
    const diag_note_t *n = &m->note[i];
    source_pos np = {0};
    if (n->has_span) put_place(d, out, n->sp, &np);
    buf_printf(out, "%s%s%s: ", st->note, n->hint ? "hint" : "note", st->off);
    put_text(out, n->text);
    buf_putc(out, '\n');
    if (np.file && (np.file != at.file || np.line != at.line))
      put_excerpt(out, np, n->sp, st->note, st->off);
  }
}

void diag_render_all(const diag *d, buf *out, bool colour) {
  for (uint32_t i = 0; i < diag_count(d); i++)
    diag_render(d, diag_get(d, i), out, colour);
  uint32_t more = diag_more(d);
  if (more)
    buf_printf(out, "and %u more error%s\n", more, more == 1 ? "" : "s");
}
