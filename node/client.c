/* What callers say to a node. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/be.h"
#include "node/ask.h"

enum { PATIENCE_S = 30, CHUNK = 64 << 10 };

typedef struct link {
  arena *a;
  int fd;
  const char *host;
  uint16_t port;
  const char **why;
} link_t;

static bool failed(link_t *l, const char *what) {
  *l->why = arena_printf(l->a, "the node at %s:%u %s", l->host, l->port, what);
  return false;
}

static bool open_link(link_t *l) {
  char port[8];
  struct addrinfo hint = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                          .ai_socktype = SOCK_STREAM}, *at = NULL;
  struct timeval patience = {PATIENCE_S, 0};
  snprintf(port, sizeof port, "%u", l->port);
  if (getaddrinfo(l->host, port, &hint, &at) != 0 || !at)
    return failed(l, "has no numeric address");
  l->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = l->fd >= 0 &&
            setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
                       sizeof patience) == 0 &&
            setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
                       sizeof patience) == 0 &&
            connect(l->fd, at->ai_addr, at->ai_addrlen) == 0;
  int why = errno;
  freeaddrinfo(at);
  if (ok)
    return true;
  return failed(l, arena_printf(l->a, "cannot be reached: %s", strerror(why)));
}

/* A node that refuses answers before it has read everything, so what it says
 * is worth reading even if sending fails. */
static void send_all(link_t *l, const buf *b) {
  for (size_t at = 0; at < b->n;) {
    ssize_t k = send(l->fd, b->p + at, b->n - at, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR)
      continue;
    if (k <= 0)
      return;
    at += (size_t)k;
  }
}

static bool recv_exactly(link_t *l, buf *b, uint64_t n) {
  char chunk[CHUNK];
  while (n > 0) {
    ssize_t k = recv(l->fd, chunk, n < CHUNK ? (size_t)n : CHUNK, 0);
    if (k < 0 && errno == EINTR)
      continue;
    if (k <= 0)
      return false;
    buf_write(b, chunk, (size_t)k);
    n -= (uint64_t)k;
  }
  return true;
}

/* Reads one frame of kind `want` into `got` (kind included). */
static bool hear(link_t *l, uint8_t want, buf *got) {
  buf_reset(got);
  if (!recv_exactly(l, got, ASK_HEAD))
    return failed(l, "does not answer");
  uint64_t n = be_get((const uint8_t *)got->p, ASK_HEAD);
  if (n == 0 || n > ASK_ANSWER_MAX)
    return failed(l, "does not speak as a node");
  buf_reset(got);
  if (!recv_exactly(l, got, n))
    return failed(l, "broke off its answer");
  uint8_t kind = (uint8_t)got->p[0];
  if (kind == want)
    return true;
  if (kind != ASK_ERROR)
    return failed(l, "does not speak as a node");
  return failed(l, arena_printf(l->a, "says: %.*s",
                                n - 1 < 300 ? (int)(n - 1) : 300, got->p + 1));
}

static bool exchange(link_t *l, const buf *ask, uint8_t want, buf *got) {
  send_all(l, ask);
  return hear(l, want, got);
}

static bool ask_once(link_t *l, buf *ask, uint8_t want, buf *got) {
  bool ok = open_link(l) && exchange(l, ask, want, got);
  if (l->fd >= 0)
    close(l->fd);
  buf_free(ask);
  return ok;
}

static bool send_part(link_t *l, const node_part *part,
                      const uint8_t session[32]) {
  if (part->n > NODE_DEPOSIT_MAX) {
    *l->why = arena_printf(l->a, "sealed arguments of %zu bytes are too large:"
                                 " a node takes %d", part->n, NODE_DEPOSIT_MAX);
    return false;
  }
  if (!open_link(l))
    return false;
  buf ask = {0};
  size_t f = ask_begin(&ask, ASK_DEPOSIT);
  buf_write(&ask, session, 32);
  buf_write(&ask, part->p, part->n);
  ask_end(&ask, f);
  send_all(l, &ask);
  buf_free(&ask);
  return true;
}

bool node_deposit(arena *a, const node_part *part, unsigned n,
                  const uint8_t session[32], unsigned *who, const char **why) {
  link_t *l = ARENA_ARR(a, link_t, n + 1);
  buf got = {0};
  bool ok = true;
  unsigned sent = 0;
  for (*who = 0; ok && sent < n; sent++) {
    *who = sent;
    l[sent] = (link_t){a, -1, part[sent].host, part[sent].port, why};
    ok = send_part(&l[sent], &part[sent], session);
  }
  for (unsigned i = 0; ok && i < n; i++) {
    *who = i;
    ok = hear(&l[i], ASK_OK, &got);
  }
  for (unsigned i = 0; i < sent; i++)
    if (l[i].fd >= 0)
      close(l[i].fd);
  buf_free(&got);
  return ok;
}

bool node_status(arena *a, const char *host, uint16_t port, const char **json,
                 const char **why) {
  link_t l = {a, -1, host, port, why};
  buf ask = {0}, got = {0};
  ask_end(&ask, ask_begin(&ask, ASK_STATUS));
  bool ok = ask_once(&l, &ask, ASK_JSON, &got);
  if (ok)
    *json = arena_strndup(a, got.p + 1, got.n - 1);
  buf_free(&got);
  return ok;
}

/* ---- letters ---- */

typedef struct reader {
  const uint8_t *p;
  size_t n;
  bool bad;
} reader;

static const uint8_t *take(reader *r, size_t n) {
  static const uint8_t zeros[64];
  if (r->bad || n > r->n) {
    r->bad = true;
    return n <= sizeof zeros ? zeros : NULL;
  }
  const uint8_t *p = r->p;
  r->p += n;
  r->n -= n;
  return p;
}

static uint64_t number(reader *r, int bytes) {
  return be_get(take(r, (size_t)bytes), bytes);
}

static void read_letter(reader *r, arena *a, node_letter *l) {
  l->call = number(r, 8);
  memcpy(l->contract, take(r, 32), 32);
  memcpy(l->session, take(r, 32), 32);
  l->output = (uint32_t)number(r, 4);
  l->lanes = number(r, 8);
  size_t n = (size_t)number(r, 4);
  const uint8_t *p = take(r, n);
  l->name = r->bad ? "" : arena_strndup(a, (const char *)p, n);
  l->box_bytes = (size_t)number(r, 4);
  p = take(r, l->box_bytes);
  if (r->bad)
    return;
  uint8_t *box = arena_alloc(a, l->box_bytes);
  if (l->box_bytes)
    memcpy(box, p, l->box_bytes);
  l->box = box;
}

/* One answer onto the list; false if it is malformed. */
static bool read_mail(const buf *got, arena *a, node_letter **out, size_t *n,
                      bool *more) {
  enum { LEAST = 8 + 32 + 32 + 4 + 8 + 4 + 4 };
  reader r = {(const uint8_t *)got->p + 1, got->n - 1, false};
  *more = *take(&r, 1) == 1;
  uint64_t count = number(&r, 4);
  if (r.bad || count > r.n / LEAST)
    return false;
  *out = arena_grow(a, *out, *n, *n + (size_t)count + 1, sizeof **out);
  for (uint64_t i = 0; i < count && !r.bad; i++)
    read_letter(&r, a, &(*out)[(*n)++]);
  return !r.bad && r.n == 0 && (!*more || count > 0);
}

bool node_letters(arena *a, const char *host, uint16_t port,
                  const chi_identity *id, uint64_t after, node_letter **out,
                  size_t *n, const char **why) {
  link_t l = {a, -1, host, port, why};
  buf ask = {0}, got = {0};
  uint8_t key[32], msg[ASK_CHALLENGE_BYTES], sig[CHI_SIGNATURE_BYTES];
  bool ok = open_link(&l), more = true;
  chi_identity_public(id, key);
  *out = NULL;
  *n = 0;
  while (ok && more) {
    buf_reset(&ask);
    size_t f = ask_begin(&ask, ASK_LETTERS);
    buf_write(&ask, key, 32);
    be_write(&ask, after, 8);
    ask_end(&ask, f);
    ok = exchange(&l, &ask, ASK_CHALLENGE, &got);
    if (ok && got.n != 33)
      ok = failed(&l, "does not speak as a node");
    if (!ok)
      break;
    ask_challenge(msg, key, after, (const uint8_t *)got.p + 1);
    if (chi_identity_sign(sig, id, msg, sizeof msg) != CHI_OK) {
      ok = failed(&l, "sent a challenge that could not be signed");
      break;
    }
    buf_reset(&ask);
    f = ask_begin(&ask, ASK_PROOF);
    buf_write(&ask, sig, sizeof sig);
    ask_end(&ask, f);
    ok = exchange(&l, &ask, ASK_MAIL, &got);
    if (ok && !read_mail(&got, a, out, n, &more))
      ok = failed(&l, "sent letters that are malformed");
    if (ok && more)
      after = (*out)[*n - 1].call;
  }
  if (l.fd >= 0)
    close(l.fd);
  buf_free(&ask);
  buf_free(&got);
  return ok;
}
