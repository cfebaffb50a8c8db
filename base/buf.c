#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

/* Room for `more` bytes and the closing NUL. */
static void reserve(buf *b, size_t more) {
  if (more < b->cap - b->n) return;
  size_t cap = b->cap ? b->cap : 64;
  while (cap - b->n <= more) {
    if (cap > SIZE_MAX / 2) {
      arena_oom_hook();
      abort();
    }
    cap *= 2;
  }
  char *p = realloc(b->p, cap);
  if (!p) {
    arena_oom_hook();
    abort();
  }
  b->p = p;
  b->cap = cap;
}

void buf_free(buf *b) {
  free(b->p);
  *b = (buf){0};
}

void buf_reset(buf *b) {
  b->n = 0;
  if (b->p) b->p[0] = 0;
}

void buf_write(buf *b, const void *p, size_t n) {
  reserve(b, n);
  if (n) memcpy(b->p + b->n, p, n);
  b->n += n;
  b->p[b->n] = 0;
}

void buf_putc(buf *b, char c) { buf_write(b, &c, 1); }

void buf_puts(buf *b, const char *s) { buf_write(b, s, strlen(s)); }

void buf_printf(buf *b, const char *fmt, ...) {
  va_list ap, ap2;
  va_start(ap, fmt);
  va_copy(ap2, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n >= 0) {
    reserve(b, (size_t)n);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap2);
    b->n += (size_t)n;
  }
  va_end(ap2);
}

void buf_mpz(buf *b, mpz_srcptr v) {
  reserve(b, mpz_sizeinbase(v, 10) + 2);
  mpz_get_str(b->p + b->n, 10, v);
  b->n += strlen(b->p + b->n);
}

static int write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) return 0;
    p += k;
    n -= (size_t)k;
  }
  return 1;
}

int buf_save(const buf *b, const char *path) {
  size_t n = strlen(path);
  char *tmp = malloc(n + sizeof ".XXXXXX");
  if (!tmp) return 0;
  memcpy(tmp, path, n);
  memcpy(tmp + n, ".XXXXXX", sizeof ".XXXXXX");
  int fd = mkstemp(tmp);
  int ok = fd >= 0;
  if (ok) {
    /* mkstemp makes 0600; give what open(2) would have given. */
    mode_t mask = umask(0);
    umask(mask);
    ok = fchmod(fd, 0666 & ~mask) == 0 && write_all(fd, b->p, b->n);
    int saved = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(tmp, path) != 0) {
      ok = 0;
      saved = errno;
    }
    if (!ok) {
      unlink(tmp);
      errno = saved;
    }
  }
  int saved = errno;
  free(tmp);
  errno = saved;
  return ok;
}
