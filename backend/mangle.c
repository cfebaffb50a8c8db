#include "backend/mangle.h"

#include <stdbool.h>
#include <string.h>

static bool is_alnum(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

static void put_byte(buf *b, unsigned char c) {
  if (is_alnum(c)) {
    buf_putc(b, (char)c);
  } else if (c == '.') {
    buf_puts(b, "_2");
  } else {
    buf_printf(b, "_3%02x", c);
  }
}

/* First of a module and no letter. */
static void put_first(buf *b, unsigned char c) {
  if (c == '_')
    buf_putc(b, '0');
  else if (is_alnum(c))
    buf_printf(b, "1%c", c);
  else
    buf_printf(b, "2%02x", c);
}

char *mangle_symbol(arena *a, const char *module, const char *function) {
  buf b = {0};
  buf_puts(&b, "chi_");
  for (const char *p = module; *p; p++) {
    if (p == module && !(is_alnum((unsigned char)*p) &&
                         (*p < '0' || *p > '9'))) {
      put_first(&b, (unsigned char)*p);
    } else if (*p == '_') {
      buf_puts(&b, "_0");
    } else {
      put_byte(&b, (unsigned char)*p);
    }
  }
  buf_putc(&b, '_');
  for (const char *p = function; *p; p++) {
    if (*p != '_') {
      put_byte(&b, (unsigned char)*p);
    } else if (p == function) {
      buf_putc(&b, '1');
    } else if (p[-1] == '_' || p[1] == '_' || p[1] == '\0' ||
               (p[1] >= '0' && p[1] <= '3')) {
      buf_puts(&b, "_0");
    } else {
      buf_putc(&b, '_');
    }
  }
  char *s = arena_strndup(a, b.p, b.n);
  buf_free(&b);
  return s;
}

char *mangle_constant(arena *a, const char *symbol) {
  return arena_printf(a, "CHI_%s", symbol + 4);
}

/* '_' separates the steps of a path, so a '_' of the source is "_0". */
char *mangle_path(arena *a, const char *path) {
  buf b = {0};
  for (const char *p = path; *p; p++) {
    if (*p == '_') {
      buf_puts(&b, p == path ? "1" : "_0");
    } else if (*p == '.') {
      buf_puts(&b, p[1] >= '0' && p[1] <= '9' ? "_2" : "_");
    } else {
      put_byte(&b, (unsigned char)*p);
    }
  }
  char *s = arena_strndup(a, b.p ? b.p : "", b.n);
  buf_free(&b);
  return s;
}
