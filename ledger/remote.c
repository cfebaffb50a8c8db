/* A ledger that a server keeps: one connection, one question at a time. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/be.h"
#include "base/clock.h"
#include "ledger/frame.h"

/* Silence after which the server is given up; a check may take long. */
enum { PATIENCE_MS = 60000, VERIFY_MS = 3600000, CONNECT_MS = 5000 };
enum { BODY_FIRST = 64 << 10 };

typedef struct remote {
  ledger base;
  arena *a;
  const char *host, *port;
  int fd; /* -1: not connected */
} remote;

static remote *of(ledger *l) { return (remote *)(void *)l; }

/* ---- the connection ---- */
static void hang_up(remote *r) {
  if (r->fd >= 0) close(r->fd);
  r->fd = -1;
}

static bool ready(int fd, short events, int64_t until) {
  struct pollfd p = {fd, events, 0};
  for (;;) {
    int64_t left = until - clock_ms();
    int n = poll(&p, 1, left > 0 ? (int)left : 0);
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

static bool connect_to(int fd, const struct addrinfo *ai) {
  int err = 0, one = 1;
  socklen_t n = sizeof err;
  if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
    if (errno != EINPROGRESS ||
        !ready(fd, POLLOUT, clock_ms() + CONNECT_MS) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0 || err) {
      if (err) errno = err;
      return false;
    }
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return true;
}

/* An idle connection that the server has closed meanwhile. */
static bool is_stale(int fd) {
  char c;
  ssize_t k = recv(fd, &c, 1, MSG_PEEK);
  return k == 0 || (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
                    errno != EINTR);
}

static bool dial(remote *r) {
  struct addrinfo hint = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                          .ai_socktype = SOCK_STREAM};
  struct addrinfo *ai;
  if (r->fd >= 0 && is_stale(r->fd)) hang_up(r);
  if (r->fd >= 0) return true;
  if (getaddrinfo(r->host, r->port, &hint, &ai)) return false;
  r->fd = socket(ai->ai_family,
                 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (r->fd >= 0 && !connect_to(r->fd, ai)) {
    int why = errno;
    hang_up(r);
    errno = why;
  }
  freeaddrinfo(ai);
  return r->fd >= 0;
}

static bool send_all(remote *r, const uint8_t *p, size_t n) {
  int64_t until = clock_ms() + PATIENCE_MS;
  while (n > 0) {
    ssize_t k = send(r->fd, p, n, MSG_NOSIGNAL);
    if (k > 0) {
      p += k;
      n -= (size_t)k;
      continue;
    }
    if (k < 0 && errno == EINTR) continue;
    if (k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) ||
        !ready(r->fd, POLLOUT, until))
      return false;
  }
  return true;
}

static bool receive_all(remote *r, uint8_t *p, size_t n, int64_t until) {
  while (n > 0) {
    ssize_t k = recv(r->fd, p, n, 0);
    if (k > 0) {
      p += k;
      n -= (size_t)k;
      continue;
    }
    if (k < 0 && errno == EINTR) continue;
    if (k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) ||
        !ready(r->fd, POLLIN, until))
      return false;
  }
  return true;
}

/* A body of n bytes, in `a`; memory grows with what came, not with what was
 * claimed.  NULL: the connection is no use. */
static uint8_t *receive_body(remote *r, arena *a, size_t n) {
  int64_t until = clock_ms() + PATIENCE_MS;
  uint8_t *body = NULL;
  for (size_t got = 0, cap = 0, k; got < n; got += k) {
    if (got == cap) {
      cap = !cap ? BODY_FIRST : 2 * cap;
      body = arena_grow(a, body, got, cap < n ? cap : n, 1);
    }
    k = (cap < n ? cap : n) - got;
    if (!receive_all(r, body + got, k, until)) return NULL;
  }
  return body;
}

/* Sends a frame, receives its answer: a reader of the body, in `a`. */
static bool ask(remote *r, arena *a, codec_writer *w, frame_kind kind,
                int patience_ms, codec_reader *out) {
  size_t n;
  uint8_t head[FRAME_HEAD];
  const uint8_t *p = frame_end(w, &n);
  if (!p || !dial(r)) return false;
  int64_t until = clock_ms() + patience_ms;
  if (!send_all(r, p, n) || !receive_all(r, head, sizeof head, until))
    return false;
  size_t len = (size_t)be_get(head, FRAME_HEAD);
  if (len < 2 || len > FRAME_ANSWER_MAX) return false;
  uint8_t *body = receive_body(r, a, len);
  if (!body) return false;
  *out = codec_reader_new(a, body, len);
  return frame_open(out) == kind && !out->bad;
}

/* ---- the interface ---- */
static const char gone[] = "the ledger's server cannot be reached";

static ledger_status remote_submit(ledger *l, arena *a, const uint8_t *p,
                                   size_t n, ledger_receipt *out) {
  remote *r = of(l);
  codec_reader rd;
  *out = (ledger_receipt){.why = ""};
  if (n > TX_BYTES_MAX) {
    out->why = "the transaction is malformed: it is too large";
    return LEDGER_REFUSED;
  }
  codec_writer w = frame_begin(a, FRAME_SUBMIT, FRAME_REQUEST_MAX);
  codec_put_bytes(&w, p, n);
  if (ask(r, a, &w, FRAME_SUBMIT, PATIENCE_MS, &rd)) {
    ledger_status s = frame_get_receipt(&rd, out);
    if (codec_done(&rd)) return s;
  }
  hang_up(r);
  *out = (ledger_receipt){.why = gone};
  return LEDGER_UNREACHABLE;
}

static ledger_status remote_read(ledger *l, arena *a, const ledger_query *q,
                                 ledger_answer *out) {
  remote *r = of(l);
  codec_reader rd;
  codec_writer w = frame_begin(a, FRAME_READ, FRAME_REQUEST_MAX);
  frame_put_query(&w, q);
  if (w.bad) {
    *out = (ledger_answer){.why = "the question is too large"};
    return LEDGER_REFUSED;
  }
  if (ask(r, a, &w, FRAME_READ,
          q->kind == READ_VERIFY ? VERIFY_MS : PATIENCE_MS, &rd)) {
    ledger_status s = frame_get_answer(&rd, out);
    if (codec_done(&rd)) return s;
    if (s == LEDGER_CORRUPT && !rd.bad) return s;
  }
  hang_up(r);
  *out = (ledger_answer){.why = gone};
  return LEDGER_UNREACHABLE;
}

static ledger_status remote_watch(ledger *l, arena *a, uint64_t after,
                                  uint32_t max, int timeout_ms,
                                  ledger_record **out, uint32_t *n) {
  remote *r = of(l);
  codec_reader rd;
  int64_t until = clock_ms() + (timeout_ms > 0 ? timeout_ms : 0);
  for (;;) {
    int64_t left = until - clock_ms();
    if (left < 0) left = 0;
    if (left > FRAME_WAIT_MAX_MS) left = FRAME_WAIT_MAX_MS;
    codec_writer w = frame_begin(a, FRAME_WATCH, FRAME_REQUEST_MAX);
    codec_put_u64(&w, after);
    codec_put_u32(&w, max);
    codec_put_u32(&w, (uint32_t)left);
    *n = 0;
    *out = NULL;
    if (!ask(r, a, &w, FRAME_WATCH, (int)left + PATIENCE_MS, &rd)) break;
    ledger_status s = frame_get_records(&rd, out, n);
    if (rd.bad) break;
    if (s || *n || clock_ms() >= until) return s;
  }
  hang_up(r);
  *n = 0;
  return LEDGER_UNREACHABLE;
}

static void remote_close(ledger *l) {
  remote *r = of(l);
  if (!r) return;
  hang_up(r);
  arena_free(r->a);
}

static const ledger_ops ops = {remote_submit, remote_read, remote_watch,
                               remote_close};

ledger_status ledger_connect(ledger **out, arena *a, const char *host,
                             uint16_t port, const char **why) {
  arena *own = arena_new();
  remote *r = ARENA_NEW(own, remote);
  *r = (remote){{&ops}, own, arena_strdup(own, host),
                arena_printf(own, "%u", port), -1};
  if (dial(r)) {
    *out = &r->base;
    return LEDGER_OK;
  }
  *why = arena_printf(a, "no ledger answers at %s:%u: %s", host, port,
                      errno ? strerror(errno) : "no such address");
  arena_free(own);
  return LEDGER_UNREACHABLE;
}
