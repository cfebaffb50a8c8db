#include "cmd/chi/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void wire_put(buf *b, char kind, const void *head, size_t nhead,
              const void *body, size_t nbody) {
  uint64_t n = nhead + nbody;
  buf_putc(b, kind);
  buf_write(b, &n, sizeof n);
  if (nhead > 0)
    buf_write(b, head, nhead);
  if (nbody > 0)
    buf_write(b, body, nbody);
}

bool wire_send(int fd, const buf *b) {
  for (size_t i = 0; i < b->n;) {
    ssize_t k = send(fd, b->p + i, b->n - i, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR)
      continue;
    if (k <= 0)
      return false;
    i += (size_t)k;
  }
  return true;
}

static bool recv_exactly(int fd, void *p, size_t n) {
  for (size_t i = 0; i < n;) {
    ssize_t k = recv(fd, (char *)p + i, n - i, 0);
    if (k < 0 && errno == EINTR)
      continue;
    if (k <= 0)
      return false;
    i += (size_t)k;
  }
  return true;
}

bool wire_recv(int fd, char *kind, buf *payload) {
  unsigned char head[WIRE_HEAD];
  uint64_t n;
  if (!recv_exactly(fd, head, sizeof head))
    return false;
  memcpy(&n, head + 1, sizeof n);
  *kind = (char)head[0];
  buf_reset(payload);
  char chunk[1 << 16];
  while (n > 0) {
    size_t k = n < sizeof chunk ? (size_t)n : sizeof chunk;
    if (!recv_exactly(fd, chunk, k))
      return false;
    buf_write(payload, chunk, k);
    n -= k;
  }
  explicit_bzero(chunk, sizeof chunk);
  return true;
}
