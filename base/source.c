#include "base/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { FILE_MAX = 64 << 20, SET_MAX = 1 << 30 };

/* Line starts are found once, when a text is added: lookups are log(lines). */
typedef struct file_entry {
  source_file f;
  uint32_t *line; /* offset of each line's first byte, in the file */
  uint32_t nline;
} file_entry;

typedef struct interned {
  const char *s;
  size_t n;
  uint64_t hash;
} interned;

struct source_set {
  arena *a;
  VEC(file_entry *) file;
  uint64_t next_base; /* coordinate 0 belongs to no file: {0,0} is nowhere */
  interned *tab;      /* open addressing, at most half full */
  size_t ntab, captab;
};

source_set *source_set_new(arena *a) {
  source_set *s = ARENA_NEW(a, source_set);
  s->a = a;
  s->next_base = 1;
  return s;
}

static void map_lines(arena *a, file_entry *e) {
  size_t count = 1;
  const char *end = e->f.text + e->f.n;
  for (const char *p = e->f.text;
       (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
    count++;
  e->line = ARENA_ARR(a, uint32_t, count);
  e->nline = 1;
  for (const char *p = e->f.text;
       (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
    e->line[e->nline++] = (uint32_t)(p + 1 - e->f.text);
}

bool source_add(source_set *s, const char *path, const char *text, size_t n,
                source_id *out) {
  /* One coordinate more than bytes: end of file has a place of its own. */
  if (n > FILE_MAX || s->next_base + n + 1 > SET_MAX) {
    errno = EFBIG;
    return false;
  }
  file_entry *e = ARENA_NEW(s->a, file_entry);
  e->f.path = arena_strdup(s->a, path);
  e->f.text = arena_strndup(s->a, text, n);
  e->f.n = n;
  e->f.base = (uint32_t)s->next_base;
  s->next_base += n + 1;
  map_lines(s->a, e);
  *out = (source_id)s->file.n;
  vec_push(s->a, &s->file, e);
  return true;
}

bool source_load(source_set *s, const char *path, source_id *out) {
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  buf b = {0};
  char chunk[1 << 16];
  size_t k;
  errno = 0;
  while ((k = fread(chunk, 1, sizeof chunk, f)) > 0 && b.n <= FILE_MAX)
    buf_write(&b, chunk, k);
  bool ok = !ferror(f);
  int saved = errno;
  fclose(f);
  if (ok)
    ok = source_add(s, path, b.p ? b.p : "", b.n, out);
  else
    errno = saved ? saved : EIO;
  saved = errno;
  buf_free(&b);
  errno = saved;
  return ok;
}

const source_file *source_get(const source_set *s, source_id id) {
  return id < s->file.n ? &s->file.p[id]->f : NULL;
}

uint32_t source_count(const source_set *s) { return (uint32_t)s->file.n; }

source_pos source_at(const source_set *s, uint32_t offset) {
  size_t lo = 0, hi = s->file.n; /* the file: last base <= offset */
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (s->file.p[mid]->f.base <= offset)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo == 0) return (source_pos){0};
  const file_entry *e = s->file.p[lo - 1];
  size_t rel = offset - e->f.base;
  if (rel > e->f.n) rel = e->f.n;
  size_t a = 0, b = e->nline;
  while (a < b) {
    size_t mid = a + (b - a) / 2;
    if (e->line[mid] <= rel)
      a = mid + 1;
    else
      b = mid;
  }
  size_t start = e->line[a - 1];
  size_t end = a < e->nline ? e->line[a] - 1 : e->f.n;
  if (end > start && e->f.text[end - 1] == '\r') end--;
  return (source_pos){.file = &e->f,
                      .line = (uint32_t)a,
                      .col = (uint32_t)(rel - start) + 1,
                      .line_text = e->f.text + start,
                      .line_len = end - start};
}

static uint64_t hash_bytes(const char *p, size_t n) { /* FNV-1a, 64 bit */
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * 1099511628211u;
  return h;
}

static interned *slot(interned *tab, size_t cap, const char *p, size_t n,
                      uint64_t h) {
  size_t i = (size_t)(h ^ h >> 32) & (cap - 1);
  while (tab[i].s && !(tab[i].hash == h && tab[i].n == n &&
                       memcmp(tab[i].s, p, n) == 0))
    i = (i + 1) & (cap - 1);
  return &tab[i];
}

const char *source_intern(source_set *s, const char *p, size_t n) {
  if (s->ntab * 2 >= s->captab) {
    size_t cap = s->captab ? s->captab * 2 : 256;
    interned *tab = ARENA_ARR(s->a, interned, cap);
    for (size_t i = 0; i < s->captab; i++)
      if (s->tab[i].s)
        *slot(tab, cap, s->tab[i].s, s->tab[i].n, s->tab[i].hash) = s->tab[i];
    s->tab = tab;
    s->captab = cap;
  }
  uint64_t h = hash_bytes(p, n);
  interned *e = slot(s->tab, s->captab, p, n, h);
  if (!e->s) {
    *e = (interned){arena_strndup(s->a, p, n), n, h};
    s->ntab++;
  }
  return e->s;
}
