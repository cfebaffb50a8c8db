/* Buffered socket I/O under OpenSSL: a BIO that never blocks, never raises
 * SIGPIPE and moves many records with one system call.
 */
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

tls_io *chii_tls_io_new(int fd) {
  tls_io *io = calloc(1, sizeof *io);
  uint8_t *buffers = malloc(2 * (size_t)TLS_BUFFER);
  if (!io || !buffers) {
    free(io);
    free(buffers);
    close(fd);
    return NULL;
  }
  io->fd = fd;
  io->in = buffers;
  io->out = buffers + TLS_BUFFER;
  return io;
}

void chii_tls_io_free(tls_io *io) {
  if (!io) return;
  if (io->fd >= 0) close(io->fd);
  free(io->in);
  free(io);
}

bool chii_tls_io_flush(tls_io *io) {
  while (io->out_at < io->out_end) {
    ssize_t n = send(io->fd, io->out + io->out_at, io->out_end - io->out_at,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      io->error = errno;
      return false;
    }
    io->out_at += (size_t)n;
    io->wire_out += (uint64_t)n;
  }
  if (io->out_at == io->out_end) io->out_at = io->out_end = 0;
  return true;
}

bool chii_tls_io_room(const tls_io *io) {
  return TLS_BUFFER - io->out_end >= TLS_RECORD_WIRE ||
         io->out_at >= TLS_BUFFER / 2;
}

static int io_write(BIO *b, const char *p, size_t n, size_t *done) {
  tls_io *io = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  *done = 0;
  if (n == 0) return 1;
  if (TLS_BUFFER - io->out_end < n && !chii_tls_io_flush(io)) return 0;
  if (TLS_BUFFER - io->out_end < n && io->out_at >= TLS_BUFFER / 2) {
    /* At least half of the buffer is gone: moving the rest costs less than
     * one copy a byte sent. */
    memmove(io->out, io->out + io->out_at, io->out_end - io->out_at);
    io->out_end -= io->out_at;
    io->out_at = 0;
  }
  size_t room = TLS_BUFFER - io->out_end;
  if (n > room) n = room;
  if (n == 0) {
    BIO_set_retry_write(b);
    return 0;
  }
  memcpy(io->out + io->out_end, p, n);
  io->out_end += n;
  *done = n;
  return 1;
}

static bool io_fill(tls_io *io) {
  for (;;) {
    ssize_t n = recv(io->fd, io->in, TLS_BUFFER, MSG_DONTWAIT);
    if (n > 0) {
      io->in_at = 0;
      io->in_end = (size_t)n;
      io->wire_in += (uint64_t)n;
      return true;
    }
    if (n == 0) {
      io->eof = true;
      return false;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) io->error = errno;
    return false;
  }
}

static int io_read(BIO *b, char *p, size_t n, size_t *done) {
  tls_io *io = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  *done = 0;
  if (n == 0) return 1;
  if (io->in_at == io->in_end && !io_fill(io)) {
    if (!io->eof && !io->error) BIO_set_retry_read(b);
    return 0;
  }
  size_t have = io->in_end - io->in_at;
  if (n > have) n = have;
  memcpy(p, io->in + io->in_at, n);
  io->in_at += n;
  *done = n;
  return 1;
}

static long io_ctrl(BIO *b, int cmd, long num, void *ptr) {
  tls_io *io = BIO_get_data(b);
  (void)num;
  (void)ptr;
  switch (cmd) {
    case BIO_CTRL_FLUSH:
      return chii_tls_io_flush(io) ? 1 : 0;
    case BIO_CTRL_EOF:
      return io->eof ? 1 : 0;
    case BIO_CTRL_PENDING:
      return (long)(io->in_end - io->in_at);
    case BIO_CTRL_WPENDING:
      return (long)(io->out_end - io->out_at);
    case BIO_CTRL_DUP:
    case BIO_CTRL_PUSH:
    case BIO_CTRL_POP:
    default:
      return 0;
  }
}

static int io_create(BIO *b) {
  BIO_set_init(b, 1);
  return 1;
}

BIO_METHOD *chii_tls_io_method(void) {
  BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "chi");
  if (!m) return NULL;
  if (!BIO_meth_set_write_ex(m, io_write) || !BIO_meth_set_read_ex(m, io_read) ||
      !BIO_meth_set_ctrl(m, io_ctrl) || !BIO_meth_set_create(m, io_create)) {
    BIO_meth_free(m);
    return NULL;
  }
  return m;
}
