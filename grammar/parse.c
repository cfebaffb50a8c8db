#include "grammar/parse.h"

#include <string.h>

#include "base/utf8.h"
#include "grammar/parse_impl.h"
#include "grammar/parser.h"

bool parser_may_report(parser *ps) {
  if (ps->stop) return false;
  if (++ps->errors >= PARSE_MAX_ERRORS) ps->stop = true;
  return true;
}

void nesting_report(parser *ps, span sp) {
  if (ps->stop) return;
  diag_report(ps->dg, DIAG_NESTING, sp, (int)PARSE_MAX_NESTING);
  diag_hint(ps->dg,
            "Name parts of it with `let`, or move them into functions.");
  ps->stop = true; /* what follows would be read in the wrong context */
}

/* Reports what is no text and blanks it in the copy that the lexer reads.
 * Counts no further than the parser would tell. */
static void report_bytes(parser *ps, size_t at, size_t n, uint32_t cp) {
  uint32_t start = ps->file->base + (uint32_t)at;
  span sp = {start, start + (uint32_t)n};
  unsigned byte = (unsigned char)ps->file->text[at];
  if (parser_may_report(ps)) {
    if (cp) {
      diag_report(ps->dg, DIAG_BIDI, sp, (unsigned)cp);
      diag_hint(ps->dg, "Remove it; in a string, write it as \\u{%X}.",
                (unsigned)cp);
    } else if (byte == 0) {
      diag_report(ps->dg, DIAG_NUL_BYTE, sp);
    } else {
      diag_report(ps->dg, DIAG_NOT_UTF8, sp, byte);
      diag_hint(ps->dg, "Save the file as UTF-8.");
    }
  }
  memset(ps->text + at, ' ', n);
}

static void clean_text(parser *ps) {
  size_t n = ps->file->n;
  const char *s = ps->file->text;
  ps->text = ARENA_ARR(ps->a, char, n + 2);
  memcpy(ps->text, s, n);
  size_t i = 0;
  if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
    memset(ps->text, ' ', 3);
    i = 3;
  }
  while (i < n) {
    uint32_t cp = 0;
    size_t len = utf8_decode(s + i, n - i, &cp);
    if (len && cp && !(len > 1 && utf8_is_bidi(cp))) {
      i += len;
    } else if (len && cp) {
      report_bytes(ps, i, len, cp);
      i += len;
    } else { /* a run of such bytes is one error */
      size_t j = i;
      bool nul = s[i] == 0;
      while (j < n && (nul ? s[j] == 0 : !utf8_decode(s + j, n - j, &cp))) j++;
      report_bytes(ps, i, j - i, 0);
      i = j;
    }
  }
}

node *parse_file(arena *a, source_set *ss, source_id id, diag *dg,
                 uint32_t *next_id) {
  parser ps = {.a = a,
               .ss = ss,
               .file = source_get(ss, id),
               .dg = dg,
               .next_id = next_id};
  for (int i = 0; i < HISTORY; i++)
    ps.past[i].sp = (span){ps.file->base, ps.file->base};
  clean_text(&ps);
  lexer_open(&ps, ps.file->n);
  chi_yyparse(&ps); /* failure was reported; what was read stays */
  lexer_close(&ps);
  buf_free(&ps.doc);
  uint32_t base = ps.file->base;
  span all = {base, base + (uint32_t)ps.file->n};
  return mk_list(&ps, N_FILE, all, NULL, &ps.items);
}
