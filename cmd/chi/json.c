#include "cmd/chi/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/chi/cli.h"

enum { DEPTH_MAX = 100 };

typedef struct reader {
  arena *a;
  const char *s;
  size_t n, i;
  bool relaxed;
  json_error *err;
} reader;

static bool value(reader *r, json_val *out, unsigned depth);

static bool fail(reader *r, const char *want, size_t start, size_t end) {
  if (r->err->want != NULL)
    return false;
  r->err->want = want;
  r->err->start = (uint32_t)start;
  r->err->end = (uint32_t)end;
  r->err->found =
      start >= r->n
          ? "the end"
          : arena_printf(r->a, "\"%s\"",
                         text_shown(r->a, r->s + start, end - start));
  return false;
}

static bool expected(reader *r, const char *want) {
  return fail(r, want, r->i, r->i + (r->i < r->n));
}

static void blanks(reader *r) {
  while (r->i < r->n && strchr(" \t\r\n", r->s[r->i]) != NULL &&
         r->s[r->i] != '\0')
    r->i++;
}

static bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '+' || c == '-';
}

static size_t digits(const char *s, size_t i, size_t n) {
  while (i < n && s[i] >= '0' && s[i] <= '9')
    i++;
  return i;
}

/* Is s[0..n) a number of RFC 8259? */
static bool is_number(const char *s, size_t n) {
  size_t i = n > 0 && s[0] == '-', j = digits(s, i, n);
  if (j == i || (s[i] == '0' && j > i + 1))
    return false;
  if (j < n && s[j] == '.') {
    i = j + 1;
    j = digits(s, i, n);
    if (j == i)
      return false;
  }
  if (j < n && (s[j] == 'e' || s[j] == 'E')) {
    i = j + 1;
    i += i < n && (s[i] == '+' || s[i] == '-');
    j = digits(s, i, n);
    if (j == i)
      return false;
  }
  return j == n;
}

static bool is_strict_word(const char *s, size_t n) {
  return is_number(s, n) || (n == 4 && memcmp(s, "true", 4) == 0) ||
         (n == 5 && memcmp(s, "false", 5) == 0) ||
         (n == 4 && memcmp(s, "null", 4) == 0);
}

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static bool hex4(reader *r, unsigned *out) {
  unsigned v = 0;
  for (int k = 0; k < 4; k++) {
    int d = r->i < r->n ? hex_digit(r->s[r->i]) : -1;
    if (d < 0)
      return expected(r, "a hexadecimal digit");
    v = v * 16 + (unsigned)d;
    r->i++;
  }
  *out = v;
  return true;
}

static void utf8(buf *b, unsigned c) {
  if (c < 0x80) {
    buf_putc(b, (char)c);
  } else if (c < 0x800) {
    buf_putc(b, (char)(0xc0 | c >> 6));
    buf_putc(b, (char)(0x80 | (c & 63)));
  } else if (c < 0x10000) {
    buf_putc(b, (char)(0xe0 | c >> 12));
    buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
    buf_putc(b, (char)(0x80 | (c & 63)));
  } else {
    buf_putc(b, (char)(0xf0 | c >> 18));
    buf_putc(b, (char)(0x80 | (c >> 12 & 63)));
    buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
    buf_putc(b, (char)(0x80 | (c & 63)));
  }
}

static bool escape(reader *r, buf *b) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char c = r->i < r->n ? r->s[r->i] : '\0';
  const char *at = c != '\0' ? strchr(from, c) : NULL;
  if (at != NULL) {
    buf_putc(b, to[at - from]);
    r->i++;
    return true;
  }
  if (c != 'u')
    return expected(r, "an escape of JSON");
  r->i++;
  unsigned u, low;
  if (!hex4(r, &u))
    return false;
  if (u >= 0xd800 && u < 0xdc00) {
    if (r->i + 1 >= r->n || r->s[r->i] != '\\' || r->s[r->i + 1] != 'u')
      return expected(r, "the second half of a surrogate pair");
    r->i += 2;
    if (!hex4(r, &low))
      return false;
    if (low < 0xdc00 || low > 0xdfff)
      return expected(r, "the second half of a surrogate pair");
    u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
  } else if (u == 0 || (u >= 0xdc00 && u < 0xe000)) {
    return expected(r, "a character");
  }
  utf8(b, u);
  return true;
}

static bool string(reader *r, const char **text, uint32_t *n) {
  buf b = {0};
  size_t start = r->i++;
  bool ok = true;
  buf_puts(&b, "");
  while (ok && r->i < r->n && r->s[r->i] != '"') {
    char c = r->s[r->i];
    if ((unsigned char)c < 0x20) {
      ok = expected(r, "a character of a string");
    } else if (c == '\\') {
      r->i++;
      ok = escape(r, &b);
    } else {
      buf_putc(&b, c);
      r->i++;
    }
  }
  if (ok && r->i >= r->n)
    ok = fail(r, "a closing quote", start, start + 1);
  r->i++;
  *text = ok ? arena_strndup(r->a, b.p != NULL ? b.p : "", b.n) : NULL;
  *n = (uint32_t)b.n;
  buf_free(&b);
  return ok;
}

static bool word(reader *r, json_val *out) {
  size_t j = r->i;
  while (j < r->n && is_word(r->s[j]))
    j++;
  if (j == r->i)
    return expected(r, "a value");
  if (!r->relaxed && !is_strict_word(r->s + r->i, j - r->i))
    return fail(r, "a JSON value", r->i, j);
  out->kind = JSON_WORD;
  out->u.text = r->s + r->i;
  out->n = (uint32_t)(j - r->i);
  r->i = j;
  return true;
}

/* A growing vector that the arena frees at its end. */
typedef struct vec {
  void **slot; /* what the arena will free */
  size_t n, cap;
} vec;

static void free_slot(void *p) { free(*(void **)p); }

static void *push(reader *r, vec *v, size_t size) {
  if (v->slot == NULL) {
    v->slot = arena_alloc(r->a, sizeof *v->slot);
    arena_defer(r->a, free_slot, v->slot);
  }
  if (v->n == v->cap) {
    v->cap = v->cap == 0 ? 4 : v->cap * 2;
    void *p = realloc(*v->slot, v->cap * size);
    if (p == NULL)
      arena_oom_hook();
    *v->slot = p;
  }
  return (char *)*v->slot + size * v->n++;
}

static bool list(reader *r, json_val *out, unsigned depth) {
  char close = r->s[r->i] == '(' ? ')' : ']';
  vec v = {0};
  r->i++;
  blanks(r);
  while (r->i >= r->n || r->s[r->i] != close) {
    json_val item = {0};
    if (!value(r, &item, depth + 1))
      return false;
    memcpy(push(r, &v, sizeof item), &item, sizeof item);
    blanks(r);
    if (r->i < r->n && r->s[r->i] == ',') {
      r->i++;
      blanks(r);
      if (!r->relaxed && r->i < r->n && r->s[r->i] == close)
        return expected(r, "a value");
    } else if (r->i >= r->n || r->s[r->i] != close) {
      return expected(r, close == ']' ? "\",\" or \"]\"" : "\",\" or \")\"");
    }
  }
  r->i++;
  out->kind = JSON_LIST;
  out->n = (uint32_t)v.n;
  out->u.item = v.slot != NULL ? *v.slot : NULL;
  return true;
}

static bool member(reader *r, json_member *m, unsigned depth) {
  m->start = (uint32_t)r->i;
  if (r->i < r->n && r->s[r->i] == '"') {
    uint32_t n;
    if (!string(r, &m->key, &n))
      return false;
  } else {
    size_t j = r->i;
    while (r->relaxed && j < r->n && is_word(r->s[j]))
      j++;
    if (j == r->i)
      return expected(r, "a field's name");
    m->key = arena_strndup(r->a, r->s + r->i, j - r->i);
    r->i = j;
  }
  m->end = (uint32_t)r->i;
  blanks(r);
  if (r->i >= r->n || r->s[r->i] != ':')
    return expected(r, "\":\"");
  r->i++;
  return value(r, &m->val, depth + 1);
}

static bool object(reader *r, json_val *out, unsigned depth) {
  vec v = {0};
  r->i++;
  blanks(r);
  while (r->i >= r->n || r->s[r->i] != '}') {
    json_member m = {0};
    if (!member(r, &m, depth))
      return false;
    memcpy(push(r, &v, sizeof m), &m, sizeof m);
    blanks(r);
    if (r->i < r->n && r->s[r->i] == ',') {
      r->i++;
      blanks(r);
      if (!r->relaxed && r->i < r->n && r->s[r->i] == '}')
        return expected(r, "a field's name");
    } else if (r->i >= r->n || r->s[r->i] != '}') {
      return expected(r, "\",\" or \"}\"");
    }
  }
  r->i++;
  out->kind = JSON_OBJECT;
  out->n = (uint32_t)v.n;
  out->u.member = v.slot != NULL ? *v.slot : NULL;
  return true;
}

static bool value(reader *r, json_val *out, unsigned depth) {
  blanks(r);
  if (depth > DEPTH_MAX)
    return expected(r, "at most 100 lists in each other");
  size_t start = r->i;
  char c = r->i < r->n ? r->s[r->i] : '\0';
  bool ok;
  if (c == '[' || (c == '(' && r->relaxed)) {
    ok = list(r, out, depth);
  } else if (c == '{') {
    ok = object(r, out, depth);
  } else if (c == '"') {
    out->kind = JSON_STRING;
    ok = string(r, &out->u.text, &out->n);
  } else {
    ok = word(r, out);
  }
  out->start = (uint32_t)start;
  out->end = (uint32_t)r->i;
  return ok;
}

const json_val *json_read(arena *a, const char *text, size_t n, bool relaxed,
                          json_error *err) {
  reader r = {.a = a, .s = text, .n = n, .relaxed = relaxed, .err = err};
  *err = (json_error){0};
  json_val *v = ARENA_NEW(a, json_val);
  if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    r.i = 3;
  if (!value(&r, v, 0))
    return NULL;
  blanks(&r);
  if (r.i < n) {
    expected(&r, "the end");
    return NULL;
  }
  return v;
}

const json_val *json_get(const json_val *object, const char *key) {
  if (object == NULL || object->kind != JSON_OBJECT)
    return NULL;
  for (uint32_t i = 0; i < object->n; i++)
    if (strcmp(object->u.member[i].key, key) == 0)
      return &object->u.member[i].val;
  return NULL;
}
