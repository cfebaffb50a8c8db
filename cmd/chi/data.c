/* Data files.  What fits a source set is registered there, so that messages
 * show the line; larger files are read and named by row alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/chi/inputs.h"

enum { SPAN_MAX = 32 << 20, DATA_MAX = 1 << 30 };

static void free_text(void *p) { free(p); }

static char *read_all(FILE *f, size_t *n) {
  size_t cap = 1 << 16;
  char *p = malloc(cap + 1);
  *n = 0;
  while (p != NULL) {
    size_t k = fread(p + *n, 1, cap - *n, f);
    *n += k;
    if (k == 0)
      break;
    if (*n == cap && cap < (size_t)DATA_MAX * 2) {
      cap *= 2;
      char *q = realloc(p, cap + 1);
      if (q == NULL)
        free(p);
      p = q;
    } else if (*n == cap) {
      errno = EFBIG;
      free(p);
      return NULL;
    }
  }
  if (p == NULL || ferror(f) || *n > (size_t)DATA_MAX) {
    errno = p == NULL ? ENOMEM : ferror(f) ? errno : EFBIG;
    free(p);
    return NULL;
  }
  p[*n] = '\0';
  return p;
}

const data_file *data_open(cli *c, const char *path, span sp) {
  struct stat st;
  size_t n = 0;
  char *text = NULL;
  errno = 0;
  FILE *f = fopen(path, "rb");
  if (f != NULL && fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
    errno = EISDIR;
  else if (f != NULL)
    text = read_all(f, &n);
  int why = errno;
  if (f != NULL)
    fclose(f);
  if (text == NULL) {
    diag_report(c->dg, DIAG_INPUT_FILE, sp,
                text_shown(c->a, path, strlen(path)), strerror(why));
    return NULL;
  }
  data_file *d = ARENA_NEW(c->a, data_file);
  d->path = arena_strdup(c->a, path);
  d->n = n;
  source_id id;
  if (n <= SPAN_MAX && source_add(c->ss, d->path, text, n, &id)) {
    const source_file *s = source_get(c->ss, id);
    d->text = s->text;
    d->base = s->base;
    d->has_span = true;
    free(text);
  } else {
    d->text = text;
    arena_defer(c->a, free_text, text);
  }
  return d;
}
