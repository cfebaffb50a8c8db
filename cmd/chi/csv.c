#include "cmd/chi/csv.h"

#include <stdlib.h>
#include <string.h>

static bool fail(csv *c, const char *why, size_t start, size_t end) {
  c->error = why;
  c->start = start;
  c->end = end;
  return false;
}

static csv_field *next_slot(csv *c) {
  if (c->nfield == c->cap) {
    c->cap = c->cap == 0 ? 16 : c->cap * 2;
    csv_field *p = realloc(c->field, c->cap * sizeof *p);
    if (p == NULL)
      arena_oom_hook();
    c->field = p;
  }
  return &c->field[c->nfield++];
}

static bool at_end(const csv *c) {
  return c->i >= c->n || c->s[c->i] == ',' || c->s[c->i] == '\n' ||
         (c->s[c->i] == '\r' && (c->i + 1 == c->n || c->s[c->i + 1] == '\n'));
}

static bool quoted(csv *c, csv_field *f) {
  size_t from = ++c->i, doubled = 0;
  for (;; c->i++) {
    if (c->i >= c->n)
      return fail(c, "a quote is not closed", f->start, f->start + 1);
    if (c->s[c->i] != '"')
      continue;
    if (c->i + 1 < c->n && c->s[c->i + 1] == '"') {
      doubled++;
      c->i++;
    } else {
      break;
    }
  }
  f->text = c->s + from;
  f->n = c->i - from;
  if (doubled > 0) {
    char *t = arena_alloc(c->a, f->n + 1);
    size_t k = 0;
    for (size_t j = from; j < c->i; j++) {
      t[k++] = c->s[j];
      j += c->s[j] == '"';
    }
    f->text = t;
    f->n = k;
  }
  c->i++;
  f->end = c->i;
  if (!at_end(c))
    return fail(c, "text follows a closing quote", c->i, c->i + 1);
  return true;
}

static bool plain(csv *c, csv_field *f) {
  size_t from = c->i;
  for (; !at_end(c); c->i++)
    if (c->s[c->i] == '"')
      return fail(c, "a quote stands inside a field without quotes", c->i,
                  c->i + 1);
  size_t to = c->i;
  while (from < to && (c->s[from] == ' ' || c->s[from] == '\t'))
    from++;
  while (to > from && (c->s[to - 1] == ' ' || c->s[to - 1] == '\t'))
    to--;
  f->text = c->s + from;
  f->n = to - from;
  f->end = c->i;
  return true;
}

/* One record; leaves i behind its line break. */
static bool record(csv *c) {
  c->nfield = 0;
  for (;;) {
    csv_field *f = next_slot(c);
    f->start = c->i;
    if (!(c->i < c->n && c->s[c->i] == '"' ? quoted(c, f) : plain(c, f)))
      return false;
    if (c->i < c->n && c->s[c->i] == ',') {
      c->i++;
      continue;
    }
    c->i += c->i < c->n && c->s[c->i] == '\r';
    c->i += c->i < c->n && c->s[c->i] == '\n';
    return true;
  }
}

bool csv_open(csv *c, arena *a, const char *text, size_t n) {
  *c = (csv){.a = a, .s = text, .n = n};
  if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    c->i = 3;
  if (c->i >= n)
    return fail(c, "it is empty and has no header", 0, 0);
  if (!record(c))
    return false;
  c->ncolumn = c->nfield;
  c->column = arena_array(a, c->nfield, sizeof *c->column);
  for (size_t i = 0; i < c->nfield; i++)
    c->column[i] = arena_strndup(a, c->field[i].text, c->field[i].n);
  return true;
}

int csv_next(csv *c) {
  size_t begin = c->i;
  if (c->i >= c->n)
    return 0;
  c->row++;
  if (!record(c))
    return -1;
  /* Blank lines at the end of a file are no rows. */
  if (c->nfield == 1 && c->field[0].end == begin) {
    size_t rest = strspn(c->s + c->i, "\r\n");
    if (c->i + rest >= c->n) {
      c->i = c->n;
      c->row--;
      return 0;
    }
  }
  if (c->nfield != c->ncolumn) {
    size_t end = c->field[c->nfield - 1].end;
    fail(c, NULL, begin, end > begin ? end : begin + 1);
    return -1;
  }
  return 1;
}

void csv_close(csv *c) {
  free(c->field);
  c->field = NULL;
}
