/* Chunked bump allocator.  Chunks double from 64 KiB to 8 MiB; larger requests
 * get a chunk of their own, so the waste is below one half. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, CHUNK_MIN = 64 << 10, CHUNK_MAX = 8 << 20 };

typedef struct chunk {
  struct chunk *prev;
  char *mem; /* calloc'd: unused bytes are zero */
  size_t n, cap;
} chunk;

typedef struct defer {
  struct defer *prev;
  void (*f)(void *);
  void *p;
} defer;

struct arena {
  chunk *top;
  defer *defers;
  size_t next_cap, used;
};

/* The one place of the libraries that ends the process: no caller could do
 * anything sensible with a half-built tree. */
static void oom_default(void) {
  fputs("chi: out of memory\n", stderr);
  exit(4);
}

void (*arena_oom_hook)(void) = oom_default;

static void *must(void *p) {
  if (!p) {
    arena_oom_hook();
    abort(); /* a hook must not return */
  }
  return p;
}

arena *arena_new(void) {
  arena *a = must(calloc(1, sizeof *a));
  a->next_cap = CHUNK_MIN;
  return a;
}

void arena_free(arena *a) {
  if (!a) return;
  for (defer *d = a->defers; d; d = d->prev) d->f(d->p);
  for (chunk *c = a->top; c;) {
    chunk *prev = c->prev;
    free(c->mem);
    free(c);
    c = prev;
  }
  free(a);
}

static chunk *add_chunk(size_t cap) {
  chunk *c = must(malloc(sizeof *c));
  c->mem = must(calloc(1, cap));
  c->n = 0;
  c->cap = cap;
  return c;
}

void *arena_alloc(arena *a, size_t bytes) {
  if (bytes > SIZE_MAX / 2) must(NULL);
  size_t need = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if (need == 0) need = ALIGN;
  a->used += need;
  if (a->top && need <= a->top->cap - a->top->n) {
    void *p = a->top->mem + a->top->n;
    a->top->n += need;
    return p;
  }
  if (need > a->next_cap / 2) { /* own chunk, slipped below the open one */
    chunk *c = add_chunk(need);
    c->n = need;
    if (a->top) {
      c->prev = a->top->prev;
      a->top->prev = c;
    } else {
      c->prev = NULL;
      a->top = c;
    }
    return c->mem;
  }
  chunk *c = add_chunk(a->next_cap);
  if (a->next_cap < CHUNK_MAX) a->next_cap *= 2;
  c->prev = a->top;
  c->n = need;
  a->top = c;
  return c->mem;
}

void *arena_array(arena *a, size_t n, size_t bytes) {
  if (bytes && n > SIZE_MAX / 2 / bytes) must(NULL);
  return arena_alloc(a, n * bytes);
}

void *arena_grow(arena *a, void *old, size_t oldn, size_t newn, size_t bytes) {
  if (newn <= oldn && old) return old;
  void *p = arena_array(a, newn, bytes);
  if (old && oldn) memcpy(p, old, oldn * bytes);
  return p;
}

char *arena_strndup(arena *a, const char *s, size_t n) {
  char *p = arena_array(a, n + 1, 1);
  if (n) memcpy(p, s, n);
  return p;
}

char *arena_strdup(arena *a, const char *s) {
  return arena_strndup(a, s, strlen(s));
}

char *arena_printf(arena *a, const char *fmt, ...) {
  va_list ap, ap2;
  va_start(ap, fmt);
  va_copy(ap2, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *p = arena_array(a, n < 0 ? 1 : (size_t)n + 1, 1);
  if (n > 0) vsnprintf(p, (size_t)n + 1, fmt, ap2);
  va_end(ap2);
  return p;
}

size_t arena_used(const arena *a) { return a->used; }

void arena_defer(arena *a, void (*f)(void *), void *p) {
  defer *d = ARENA_NEW(a, defer);
  *d = (defer){a->defers, f, p};
  a->defers = d;
}
