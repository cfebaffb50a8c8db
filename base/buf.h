/* A growing text buffer: every printer and emitter writes here. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <gmp.h>
#include <stddef.h>

typedef struct buf {
  char *p; /* NUL-terminated once anything was written */
  size_t n, cap;
} buf;

void buf_free(buf *b);
void buf_reset(buf *b);
void buf_putc(buf *b, char c);
void buf_puts(buf *b, const char *s);
void buf_write(buf *b, const void *p, size_t n);
void buf_printf(buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_mpz(buf *b, mpz_srcptr v); /* decimal */
/* Writes the file whole or not at all (temporary file, rename); false and
 * errno on failure. */
int buf_save(const buf *b, const char *path);

#endif
