/* The callers' side of a node: one thread, poll, bounded in memory and time.
 *
 * Who is silent or slow is turned away.  If all places are taken, who came or
 * was answered longest ago goes; if memory is short, who holds most of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/be.h"
#include "base/clock.h"
#include "node/ask.h"
#include "node/node_impl.h"

enum {
  CONNS = 64,
  SILENCE_MS = 10000,
  FRAME_MS = 60000,     /* for a whole frame, or a whole answer */
  HELD_MAX = 256 << 20, /* bytes of unfinished frames, all callers together */
  CHUNK = 64 << 10,
  TURN_MS = 200
};

typedef struct conn {
  int fd; /* -1: free */
  buf in, out;
  size_t sent;
  int64_t last;  /* ms, when something moved */
  int64_t begun; /* when it came, or the last frame or answer ended */
  bool closing; /* after `out` */
  bool asked;   /* a challenge stands */
  uint8_t who[32], nonce[32];
  uint64_t after;
} conn;

typedef struct listener {
  nd *x;
  conn c[CONNS];
} listener;

static void drop(conn *c) {
  close(c->fd);
  buf_free(&c->in);
  buf_free(&c->out);
  *c = (conn){.fd = -1};
}

/* ---- answers ---- */

static void tell(conn *c, uint8_t kind, const char *text) {
  size_t f = ask_begin(&c->out, kind);
  buf_puts(&c->out, text);
  ask_end(&c->out, f);
  c->closing |= kind == ASK_ERROR;
}

static void deposit(listener *l, conn *c, const uint8_t *p, size_t n) {
  uint8_t digest[32];
  const char *why;
  if (n < 32) {
    tell(c, ASK_ERROR, "a deposit begins with its session");
    return;
  }
  tx_sealed_digest(digest, p + 32, n - 32);
  if (store_put_sealed(l->x->store, p, digest, p + 32, n - 32, &why) ==
      STORE_OK)
    tell(c, ASK_OK, "");
  else
    tell(c, ASK_ERROR, why);
}

static void letters(conn *c, const uint8_t *p, size_t n) {
  if (n != 40) {
    tell(c, ASK_ERROR, "letters are asked for with an identity and a number");
    return;
  }
  memcpy(c->who, p, 32);
  c->after = be_get(p + 32, 8);
  randombytes_buf(c->nonce, sizeof c->nonce);
  c->asked = true;
  size_t f = ask_begin(&c->out, ASK_CHALLENGE);
  buf_write(&c->out, c->nonce, sizeof c->nonce);
  ask_end(&c->out, f);
}

static void put_letters(buf *b, const node_letter *l, size_t n, bool more) {
  size_t f = ask_begin(b, ASK_MAIL);
  buf_putc(b, more);
  be_write(b, n, 4);
  for (size_t i = 0; i < n; i++) {
    size_t name = strlen(l[i].name);
    be_write(b, l[i].call, 8);
    buf_write(b, l[i].contract, 32);
    buf_write(b, l[i].session, 32);
    be_write(b, l[i].output, 4);
    be_write(b, l[i].lanes, 8);
    be_write(b, name, 4);
    buf_write(b, l[i].name, name);
    be_write(b, l[i].box_bytes, 4);
    buf_write(b, l[i].box, l[i].box_bytes);
  }
  ask_end(b, f);
}

static void proof(listener *l, conn *c, const uint8_t *p, size_t n) {
  uint8_t msg[ASK_CHALLENGE_BYTES];
  bool asked = c->asked, more;
  node_letter *list;
  size_t count, bytes = 0;
  const char *why;
  c->asked = false; /* a challenge is used once */
  ask_challenge(msg, c->who, c->after, c->nonce);
  if (!asked || n != CHI_SIGNATURE_BYTES ||
      chi_identity_verify(c->who, p, msg, sizeof msg) != CHI_OK) {
    tell(c, ASK_ERROR, "the challenge is not signed by the identity");
    return;
  }
  arena *a = arena_new();
  if (store_letters(l->x->store, a, c->who, c->after, ASK_MAIL_BYTES, &list,
                    &count, &more, &why) != STORE_OK) {
    tell(c, ASK_ERROR, why);
  } else {
    for (size_t i = 0; i < count; i++)
      bytes += list[i].box_bytes + 400;
    if (bytes > ASK_ANSWER_MAX)
      tell(c, ASK_ERROR, "the values told by one call are too large to send");
    else
      put_letters(&c->out, list, count, more);
  }
  arena_free(a);
}

/* Names come from the store: quotes and backslashes cannot be trusted away. */
static void put_json(buf *b, const char *s) {
  buf_putc(b, '"');
  for (; *s; s++)
    if (*s == '"' || *s == '\\' || (unsigned char)*s < ' ')
      buf_printf(b, "\\u%04x", (unsigned)(unsigned char)*s);
    else
      buf_putc(b, *s);
  buf_putc(b, '"');
}

static void status(listener *l, conn *c) {
  arena *a = arena_new();
  store_held *h;
  size_t n;
  const char *why;
  if (store_list(l->x->store, a, &h, &n, &why) != STORE_OK) {
    tell(c, ASK_ERROR, why);
    arena_free(a);
    return;
  }
  size_t f = ask_begin(&c->out, ASK_JSON);
  buf_printf(&c->out, "{\"node\":%u,\"seen\":%llu,\"leaves\":[",
             l->x->cfg->me,
             (unsigned long long)atomic_load(&l->x->status_seen));
  for (size_t i = 0; i < n; i++) {
    char hex[65];
    chi_hex(hex, h[i].contract, 32);
    buf_printf(&c->out, "%s{\"contract\":\"%s\",\"leaf\":", i ? "," : "", hex);
    put_json(&c->out, h[i].leaf);
    buf_printf(&c->out, ",\"version\":%llu,\"lanes\":%llu}",
               (unsigned long long)h[i].version,
               (unsigned long long)h[i].lanes);
  }
  buf_puts(&c->out, "]}");
  ask_end(&c->out, f);
  arena_free(a);
}

static void answer(listener *l, conn *c, const uint8_t *p, size_t n) {
  switch (p[0]) {
  case ASK_DEPOSIT:
    deposit(l, c, p + 1, n - 1);
    break;
  case ASK_LETTERS:
    letters(c, p + 1, n - 1);
    break;
  case ASK_PROOF:
    proof(l, c, p + 1, n - 1);
    break;
  case ASK_STATUS:
    status(l, c);
    break;
  default:
    tell(c, ASK_ERROR, "no such request");
  }
}

/* ---- bytes ---- */

/* Answers one whole frame if there is one; false: the stream is no use. */
static bool take_frame(listener *l, conn *c) {
  if (c->in.n < ASK_HEAD)
    return true;
  uint64_t n = be_get((const uint8_t *)c->in.p, ASK_HEAD);
  if (n == 0 || n > ASK_FRAME_MAX) {
    tell(c, ASK_ERROR, "the frame is empty or too long");
    return true;
  }
  if (c->in.n < ASK_HEAD + n)
    return true;
  answer(l, c, (const uint8_t *)c->in.p + ASK_HEAD, (size_t)n);
  c->begun = clock_ms();
  size_t rest = c->in.n - ASK_HEAD - (size_t)n;
  buf kept = {0};
  buf_write(&kept, c->in.p + ASK_HEAD + n, rest);
  buf_free(&c->in); /* 64 MiB are not kept for the next word */
  c->in = kept;
  return true;
}

/* Room for k bytes more of c: unfinished frames go, the largest first; false if
 * c is the next to go. */
static bool make_room(listener *l, const conn *c, size_t k) {
  for (;;) {
    conn *most = NULL;
    size_t held = 0;
    for (int i = 0; i < CONNS; i++) {
      conn *o = &l->c[i];
      if (o->fd < 0)
        continue;
      held += o->in.n;
      if (!most || o->in.n > most->in.n)
        most = o;
    }
    if (held + k <= HELD_MAX)
      return true;
    if (!most || most == c)
      return false;
    drop(most);
  }
}

static bool read_some(listener *l, conn *c) {
  char chunk[CHUNK];
  ssize_t k = recv(c->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (k < 0)
    return errno == EAGAIN || errno == EINTR;
  if (k == 0)
    return false;
  c->last = clock_ms();
  if (!make_room(l, c, (size_t)k)) {
    tell(c, ASK_ERROR, "the node is busy with other callers");
    return true;
  }
  buf_write(&c->in, chunk, (size_t)k);
  return take_frame(l, c);
}

static bool write_some(listener *l, conn *c) {
  ssize_t k = send(c->fd, c->out.p + c->sent, c->out.n - c->sent,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
  if (k < 0)
    return errno == EAGAIN || errno == EINTR;
  c->last = clock_ms();
  c->sent += (size_t)k;
  if (c->sent < c->out.n)
    return true;
  buf_free(&c->out);
  c->sent = 0;
  c->begun = c->last;
  return !c->closing && take_frame(l, c);
}

static void welcome(listener *l) {
  int fd = accept4(l->x->cfg->client_fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  conn *c = NULL;
  for (int i = 0; i < CONNS; i++) {
    conn *o = &l->c[i];
    if (!c || o->fd < 0 || (c->fd >= 0 && o->begun < c->begun))
      c = o;
    if (c->fd < 0)
      break;
  }
  if (c->fd >= 0)
    drop(c);
  c->fd = fd;
  c->last = c->begun = clock_ms();
}

static void serve(listener *l, struct pollfd *p, conn **who, nfds_t n) {
  for (nfds_t i = 2; i < n; i++) {
    conn *c = who[i];
    bool ok = true;
    if (c->fd < 0) /* it had to make room */
      continue;
    if (p[i].revents & POLLOUT)
      ok = write_some(l, c);
    else if (p[i].revents)
      ok = read_some(l, c);
    int64_t now = clock_ms();
    if (!ok || now - c->last > SILENCE_MS || now - c->begun > FRAME_MS)
      drop(c);
  }
}

/* stop_fd has ended, or somebody wrote to it. */
static bool ended(int fd) {
  char byte;
  ssize_t k = read(fd, &byte, 1);
  return k >= 0 || (errno != EAGAIN && errno != EINTR);
}

void *nd_listen(void *arg) {
  listener *l = calloc(1, sizeof *l);
  if (!l)
    arena_oom_hook();
  l->x = arg;
  for (int i = 0; i < CONNS; i++)
    l->c[i].fd = -1;
  while (!atomic_load(&l->x->stop)) {
    struct pollfd p[CONNS + 2];
    conn *who[CONNS + 2];
    nfds_t n = 2;
    p[0] = (struct pollfd){l->x->cfg->stop_fd, POLLIN, 0};
    for (int i = 0; i < CONNS; i++)
      if (l->c[i].fd >= 0) {
        who[n] = &l->c[i];
        p[n++] = (struct pollfd){l->c[i].fd, l->c[i].out.n ? POLLOUT : POLLIN,
                                 0};
      }
    p[1] = (struct pollfd){l->x->cfg->client_fd, POLLIN, 0};
    if (poll(p, n, TURN_MS) < 0)
      continue;
    if (p[0].revents && ended(l->x->cfg->stop_fd)) {
      atomic_store(&l->x->stop, true);
      circuits_stop(l->x->circuits);
      break;
    }
    serve(l, p, who, n);
    if (p[1].revents)
      welcome(l);
  }
  for (int i = 0; i < CONNS; i++)
    if (l->c[i].fd >= 0)
      drop(&l->c[i]);
  free(l);
  return NULL;
}
