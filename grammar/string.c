/* Escapes of string literals: \n \t \r \\ \" \u{HEX}. */
#include <string.h>

#include "grammar/parse_impl.h"

static void put_utf8(buf *b, uint32_t c) {
  if (c < 0x80) {
    buf_putc(b, (char)c);
  } else if (c < 0x800) {
    buf_putc(b, (char)(0xc0 | c >> 6));
    buf_putc(b, (char)(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    buf_putc(b, (char)(0xe0 | c >> 12));
    buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    buf_putc(b, (char)(0x80 | (c & 0x3f)));
  } else {
    buf_putc(b, (char)(0xf0 | c >> 18));
    buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
    buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
    buf_putc(b, (char)(0x80 | (c & 0x3f)));
  }
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* s points behind `\u`; returns the length of `{HEX}`, 0 if it is not one.
 * Zero is left out: values are NUL-terminated. */
static size_t code_point(const char *s, size_t n, uint32_t *out) {
  size_t i = 1;
  uint32_t v = 0;
  if (n < 3 || s[0] != '{') return 0;
  for (; i < n && i <= 6 && hex_digit(s[i]) >= 0; i++)
    v = v << 4 | (uint32_t)hex_digit(s[i]);
  if (i == 1 || i >= n || s[i] != '}') return 0;
  if (v == 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000)) return 0;
  *out = v;
  return i + 1;
}

const char *string_value(parser *ps, uint32_t from, uint32_t to) {
  const char *s = ps->text + from;
  size_t n = to - from;
  if (!memchr(s, '\\', n)) return source_intern(ps->ss, s, n);
  buf b = {0};
  for (size_t i = 0; i < n;) {
    static const char letter[] = "ntr\\\"", value[] = "\n\t\r\\\"";
    const char *k;
    uint32_t cp;
    size_t len;
    if (s[i] != '\\') {
      buf_putc(&b, s[i++]);
    } else if (i + 1 < n && (k = strchr(letter, s[i + 1])) && *k) {
      buf_putc(&b, value[k - letter]);
      i += 2;
    } else if (i + 2 < n && s[i + 1] == 'u' &&
               (len = code_point(s + i + 2, n - i - 2, &cp)) > 0) {
      put_utf8(&b, cp);
      i += 2 + len;
    } else {
      uint32_t at = ps->file->base + from + (uint32_t)i;
      if (parser_may_report(ps)) {
        diag_report(ps->dg, DIAG_ESCAPE, (span){at, at + 2});
        diag_hint(ps->dg, "The escapes are \\n, \\t, \\r, \\\\, \\\" and "
                          "\\u{1F600} (not zero).");
      }
      i += 2;
    }
  }
  const char *v = source_intern(ps->ss, b.p ? b.p : "", b.n);
  buf_free(&b);
  return v;
}
