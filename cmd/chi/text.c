#include <stdio.h>
#include <string.h>

#include "cmd/chi/cli.h"

enum { WORD_MAX = 64 };

/* Damerau-Levenshtein distance with adjacent swaps; words are short. */
static unsigned distance(const char *a, const char *b) {
  unsigned d[3][WORD_MAX + 1];
  size_t n = strlen(a), m = strlen(b);
  if (n > WORD_MAX || m > WORD_MAX)
    return WORD_MAX;
  for (size_t j = 0; j <= m; j++)
    d[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned *cur = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
    cur[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);
      if (up[j] + 1 < best)
        best = up[j] + 1;
      if (cur[j - 1] + 1 < best)
        best = cur[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          up2[j - 2] + 1 < best)
        best = up2[j - 2] + 1;
      cur[j] = best;
    }
  }
  return d[n % 3][m];
}

const char *text_near(const char *word, const char *const *list, size_t n) {
  const char *best = NULL;
  size_t len = strlen(word);
  unsigned limit = len <= 1 ? 0 : len <= 3 ? 1 : len <= 6 ? 2 : 3;
  unsigned least = limit + 1;
  for (size_t i = 0; i < n; i++) {
    unsigned d = distance(word, list[i]);
    if (len >= 3 && strncmp(word, list[i], len) == 0 && d > 1)
      d = 1; /* an abbreviation */
    if (d < least) {
      least = d;
      best = list[i];
    }
  }
  return best;
}

static size_t utf8_length(const unsigned char *s, size_t n) {
  size_t k = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
             : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
             : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                           : 0;
  if (k == 0 || k > n)
    return 0;
  for (size_t i = 1; i < k; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  /* Overlong forms, surrogates and values past U+10FFFF are no text. */
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
      (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
    return 0;
  return k;
}

void text_json(buf *b, const char *s, size_t n) {
  const unsigned char *p = (const unsigned char *)s;
  buf_putc(b, '"');
  for (size_t i = 0; i < n;) {
    unsigned char ch = p[i];
    if (ch == '"' || ch == '\\') {
      buf_putc(b, '\\');
      buf_putc(b, (char)ch);
      i++;
    } else if (ch == '\n') {
      buf_puts(b, "\\n");
      i++;
    } else if (ch == '\t') {
      buf_puts(b, "\\t");
      i++;
    } else if (ch < 0x20 || ch == 0x7f) {
      buf_printf(b, "\\u%04x", ch);
      i++;
    } else if (ch < 0x80) {
      buf_putc(b, (char)ch);
      i++;
    } else {
      size_t k = utf8_length(p + i, n - i);
      if (k == 0) {
        buf_puts(b, "\\ufffd");
        i++;
      } else {
        buf_write(b, p + i, k);
        i += k;
      }
    }
  }
  buf_putc(b, '"');
}

void text_jsonz(buf *b, const char *s) {
  if (s == NULL)
    buf_puts(b, "null");
  else
    text_json(b, s, strlen(s));
}

static const char *shown(arena *a, const char *s, size_t n, size_t most) {
  buf b = {0};
  const unsigned char *p = (const unsigned char *)s;
  buf_puts(&b, "");
  for (size_t i = 0; i < n;) {
    if (i >= most) {
      buf_puts(&b, "...");
      break;
    }
    size_t k = p[i] < 0x80 ? 1 : utf8_length(p + i, n - i);
    if (k == 0 || p[i] < 0x20 || p[i] == 0x7f) {
      buf_printf(&b, "\\x%02x", p[i]);
      i++;
    } else {
      buf_write(&b, p + i, k);
      i += k;
    }
  }
  char *out = arena_strndup(a, b.p != NULL ? b.p : "", b.n);
  buf_free(&b);
  return out;
}

const char *text_shown(arena *a, const char *s, size_t n) {
  return shown(a, s, n, 40);
}

const char *text_whole(arena *a, const char *s) {
  return shown(a, s, strlen(s), SIZE_MAX);
}

void text_count(buf *b, uint64_t v) {
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
  for (int i = 0; i < n; i++) {
    buf_putc(b, digits[i]);
    if (i + 1 < n && (n - 1 - i) % 3 == 0)
      buf_putc(b, ',');
  }
}
