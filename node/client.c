/* What callers say to nodes: to one, or to all of them at once.  Everything is
 * bounded by one deadline, however slowly a node speaks. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/be.h"
#include "base/clock.h"
#include "node/ask.h"

enum {
  PATIENCE_MS = 30000,
  STATUS_MS = 5000,
  CHUNK = 64 << 10,
  SAID_MAX = 300,              /* bytes of a node's reason */
  LETTERS_BYTES = 1 << 30      /* of all answers together */
};

typedef struct link {
  arena *a;
  int fd;
  const char *host;
  uint16_t port;
  const char **why;
  const buf *ask; /* NULL: all of it is sent */
  size_t sent;
  uint64_t want;  /* bytes of the answer; 0: its length is not known yet */
  uint8_t kind;   /* wanted */
  buf got;        /* kind included, when it is whole */
  bool over, ok;
} link_t;

static bool failed(link_t *l, const char *what) {
  *l->why = arena_printf(l->a, "the node at %s:%u %s", l->host, l->port, what);
  l->over = true;
  l->ok = false;
  return false;
}

/* Begins to connect: the first byte tells how that went. */
static bool open_link(link_t *l) {
  char port[8];
  struct addrinfo hint = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                          .ai_socktype = SOCK_STREAM}, *at = NULL;
  snprintf(port, sizeof port, "%u", l->port);
  if (getaddrinfo(l->host, port, &hint, &at) != 0 || !at)
    return failed(l, "has no numeric address");
  l->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool ok = l->fd >= 0 && (connect(l->fd, at->ai_addr, at->ai_addrlen) == 0 ||
                           errno == EINPROGRESS);
  int why = errno;
  freeaddrinfo(at);
  if (ok)
    return true;
  return failed(l, arena_printf(l->a, "cannot be reached: %s", strerror(why)));
}

static void close_link(link_t *l) {
  if (l->fd >= 0)
    close(l->fd);
  buf_free(&l->got);
}

static void begin(link_t *l, const buf *ask, uint8_t kind) {
  l->ask = ask;
  l->sent = 0;
  l->want = 0;
  l->kind = kind;
  l->over = false;
  buf_reset(&l->got);
}

/* What a node says goes to a terminal. */
static const char *cleaned(arena *a, const uint8_t *p, size_t n) {
  n = n < SAID_MAX ? n : SAID_MAX;
  char *s = arena_strndup(a, (const char *)p, n);
  for (size_t i = 0; i < n; i++)
    if (p[i] < ' ' || p[i] >= 127)
      s[i] = '?';
  return s;
}

/* A node that refuses answers before it has read everything, so what it says
 * is worth reading even if sending fails. */
static void send_some(link_t *l) {
  while (l->ask && l->sent < l->ask->n) {
    ssize_t k = send(l->fd, l->ask->p + l->sent, l->ask->n - l->sent,
                     MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0 && errno == EAGAIN)
      return;
    if (k <= 0)
      break;
    l->sent += (size_t)k;
  }
  l->ask = NULL;
}

/* One frame is there. */
static void judge(link_t *l) {
  uint8_t kind = (uint8_t)l->got.p[0];
  l->over = true;
  l->ok = kind == l->kind;
  if (l->ok)
    return;
  if (kind != ASK_ERROR)
    failed(l, "does not speak as a node");
  else
    failed(l, arena_printf(l->a, "says: %s",
                           cleaned(l->a, (uint8_t *)l->got.p + 1,
                                   l->got.n - 1)));
}

static void ended(link_t *l, ssize_t k) {
  int why = errno;
  if (k < 0 && (why == ECONNREFUSED || why == ENETUNREACH ||
                why == EHOSTUNREACH || why == ETIMEDOUT))
    failed(l, arena_printf(l->a, "cannot be reached: %s", strerror(why)));
  else
    failed(l, l->want ? "broke off its answer" : "does not answer");
}

static void receive_some(link_t *l) {
  char chunk[CHUNK];
  while (!l->over) {
    uint64_t left = (l->want ? l->want : ASK_HEAD) - l->got.n;
    ssize_t k = recv(l->fd, chunk, left < CHUNK ? (size_t)left : CHUNK, 0);
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0 && errno == EAGAIN)
      return;
    if (k <= 0) {
      ended(l, k);
      return;
    }
    buf_write(&l->got, chunk, (size_t)k);
    if (!l->want && l->got.n == ASK_HEAD) {
      l->want = be_get((const uint8_t *)l->got.p, ASK_HEAD);
      buf_reset(&l->got);
      if (l->want == 0 || l->want > ASK_ANSWER_MAX)
        failed(l, "does not speak as a node");
    } else if (l->want && l->got.n == l->want) {
      judge(l);
    }
  }
}

/* All of them until each is over; true if all went well. */
static bool exchange_all(link_t *l, size_t n, int64_t until) {
  struct pollfd p[CHI_PARTIES_MAX];
  bool ok = true;
  for (;;) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
      p[i] = (struct pollfd){l[i].over ? -1 : l[i].fd,
                             (short)(POLLIN | (l[i].ask ? POLLOUT : 0)), 0};
      any = any || !l[i].over;
    }
    if (!any)
      break;
    int64_t left = until - clock_ms();
    if (left <= 0) {
      for (size_t i = 0; i < n; i++)
        if (!l[i].over)
          failed(&l[i], "does not answer in time");
      break;
    }
    if (poll(p, n, left < INT32_MAX ? (int)left : INT32_MAX) < 0)
      continue;
    for (size_t i = 0; i < n; i++) {
      if (p[i].revents & ~POLLOUT) /* first: it tells why there is no link */
        receive_some(&l[i]);
      if (!l[i].over && (p[i].revents & ~POLLIN))
        send_some(&l[i]);
    }
  }
  for (size_t i = 0; i < n; i++)
    ok = ok && l[i].ok;
  return ok;
}

/* Asks, and has the answer in l->got. */
static bool exchange(link_t *l, const buf *ask, uint8_t want, int64_t until) {
  begin(l, ask, want);
  return exchange_all(l, 1, until);
}

/* ---- deposits ---- */

static void put_deposit(buf *b, const uint8_t session[32],
                        const node_parcel *p) {
  size_t f = ask_begin(b, ASK_DEPOSIT);
  buf_write(b, session, 32);
  buf_write(b, p->p, p->n);
  ask_end(b, f);
}

bool node_deposit(arena *a, const uint8_t session[32], node_parcel *p,
                      size_t n, int timeout_ms) {
  link_t l[CHI_PARTIES_MAX];
  buf ask[CHI_PARTIES_MAX] = {{NULL, 0, 0}};
  for (size_t i = 0; i < n; i++) {
    p[i].why = NULL;
    l[i] = (link_t){.a = a, .fd = -1, .host = p[i].host, .port = p[i].port,
                    .why = &p[i].why};
    if (p[i].n > NODE_DEPOSIT_MAX) {
      failed(&l[i], arena_printf(a, "takes sealed arguments of %d bytes, and"
                                    " these are %zu: too large",
                                 NODE_DEPOSIT_MAX, p[i].n));
    } else if (open_link(&l[i])) {
      put_deposit(&ask[i], session, &p[i]);
      begin(&l[i], &ask[i], ASK_OK);
    }
  }
  bool ok = exchange_all(l, n, clock_ms() + timeout_ms);
  for (size_t i = 0; i < n; i++) {
    close_link(&l[i]);
    buf_free(&ask[i]);
  }
  return ok;
}

/* ---- status ---- */

bool node_status_all(arena *a, node_view *p, size_t n, int timeout_ms) {
  link_t l[CHI_PARTIES_MAX];
  buf ask = {0};
  ask_end(&ask, ask_begin(&ask, ASK_STATUS));
  for (size_t i = 0; i < n; i++) {
    p[i].json = NULL;
    l[i] = (link_t){.a = a, .fd = -1, .host = p[i].host, .port = p[i].port,
                    .why = &p[i].why};
    if (open_link(&l[i]))
      begin(&l[i], &ask, ASK_JSON);
  }
  bool ok = exchange_all(l, n, clock_ms() + timeout_ms);
  for (size_t i = 0; i < n; i++) {
    if (l[i].ok)
      p[i].json = arena_strndup(a, l[i].got.p + 1, l[i].got.n - 1);
    close_link(&l[i]);
  }
  buf_free(&ask);
  return ok;
}

bool node_status(arena *a, const char *host, uint16_t port, const char **json,
                 const char **why) {
  node_view v = {.host = host, .port = port};
  bool ok = node_status_all(a, &v, 1, STATUS_MS);
  *json = v.json;
  *why = v.why;
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

/* One answer onto the list; false if it is malformed.  Calls ascend, so that
 * asking on ends. */
static bool read_mail(const buf *got, arena *a, uint64_t after,
                      node_letter **out, size_t *n, bool *more) {
  enum { LEAST = 8 + 32 + 32 + 4 + 8 + 4 + 4 };
  reader r = {(const uint8_t *)got->p + 1, got->n - 1, false};
  *more = *take(&r, 1) == 1;
  uint64_t count = number(&r, 4);
  if (r.bad || count > r.n / LEAST)
    return false;
  *out = arena_grow(a, *out, *n, *n + (size_t)count + 1, sizeof **out);
  for (uint64_t i = 0, least = after + 1; i < count && !r.bad; i++) {
    node_letter *l = &(*out)[(*n)++];
    read_letter(&r, a, l);
    r.bad = r.bad || after == UINT64_MAX || l->call < least;
    least = l->call;
  }
  return !r.bad && r.n == 0 && (!*more || count > 0);
}

/* The holder of `id` asks for letters after `after`: a challenge, its
 * signature, the mail in l->got. */
static bool ask_mail(link_t *l, const chi_identity *id, uint64_t after,
                     int64_t until) {
  buf ask = {0};
  uint8_t key[32], msg[ASK_CHALLENGE_BYTES], sig[CHI_SIGNATURE_BYTES];
  chi_identity_public(id, key);
  size_t f = ask_begin(&ask, ASK_LETTERS);
  buf_write(&ask, key, 32);
  be_write(&ask, after, 8);
  ask_end(&ask, f);
  bool ok = exchange(l, &ask, ASK_CHALLENGE, until);
  if (ok && l->got.n != 33)
    ok = failed(l, "does not speak as a node");
  if (ok) {
    ask_challenge(msg, key, after, (const uint8_t *)l->got.p + 1);
    if (chi_identity_sign(sig, id, msg, sizeof msg) != CHI_OK)
      ok = failed(l, "sent a challenge that could not be signed");
  }
  if (ok) {
    buf_reset(&ask);
    f = ask_begin(&ask, ASK_PROOF);
    buf_write(&ask, sig, sizeof sig);
    ask_end(&ask, f);
    ok = exchange(l, &ask, ASK_MAIL, until);
  }
  buf_free(&ask);
  return ok;
}

bool node_letters(arena *a, const char *host, uint16_t port,
                  const chi_identity *id, uint64_t after, node_letter **out,
                  size_t *n, const char **why) {
  link_t l = {.a = a, .fd = -1, .host = host, .port = port, .why = why};
  bool ok = open_link(&l), more = true;
  size_t bytes = 0;
  *out = NULL;
  *n = 0;
  while (ok && more) {
    ok = ask_mail(&l, id, after, clock_ms() + PATIENCE_MS);
    if (ok && !read_mail(&l.got, a, after, out, n, &more))
      ok = failed(&l, "sent letters that are malformed");
    bytes += l.got.n;
    if (ok && bytes > LETTERS_BYTES)
      ok = failed(&l, "sends letters without end");
    if (ok && more)
      after = (*out)[*n - 1].call;
  }
  close_link(&l);
  return ok;
}
