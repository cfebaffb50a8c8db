/* Serves a ledger over TCP: one thread, poll.
 *
 * All submissions that are complete when a turn begins become one durable
 * commit.  A client has one question at a time; nothing more is read from it
 * until it has its answer.  Nobody is believed: buffers grow with the bytes
 * that came, not with the length that was claimed, all of them together are
 * bounded, and who is silent or slow in the middle of a frame, or does not take
 * an answer, is turned away; so is, when memory is short, who holds most of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/be.h"
#include "base/clock.h"
#include "ledger/chain.h"
#include "ledger/frame.h"

enum {
  CLIENTS_MAX = 256,
  READ_BYTES = 1 << 16,        /* from one client in one turn */
  BUFFERED_MAX = 512 << 20,    /* of all clients */
  SILENCE_MS = 10000,          /* within a frame, or an answer */
  FRAME_MS = 60000,            /* for all of it */
  VERIFY_RECORDS = 100,        /* in one turn */
  ACCEPT_PAUSE_MS = 100
};

typedef enum {
  IDLE,    /* no byte of a frame yet */
  READING,
  ASKED,   /* a whole frame, to be answered in this turn */
  WATCHING,
  CHECK_WAITS, CHECK_RUNS,
  ANSWERING
} client_state;

typedef struct client {
  int fd;
  client_state state;
  bool served;    /* it has had an answer */
  uint8_t *in, *out;
  size_t nin, capin, nout, atout;
  int64_t since;  /* last progress */
  int64_t begun;  /* the frame, or the answer */
  int64_t until;  /* WATCHING */
  uint64_t after;
  uint32_t max;
} client;

typedef struct server {
  ledger *l;
  chain *c;
  int listen_fd;
  client client[CLIENTS_MAX];
  uint32_t n;
  size_t buffered;
  int64_t now, accept_at;
  verify *check;
  arena *a; /* of this turn */
} server;

/* ---- clients ---- */
static void release(server *s, uint8_t **p, size_t n) {
  s->buffered -= n;
  free(*p);
  *p = NULL;
}

static void drop(server *s, client *c) {
  release(s, &c->in, c->capin);
  release(s, &c->out, c->nout);
  close(c->fd);
  c->fd = -1;
}

/* Clients that were dropped leave the table. */
static void sweep(server *s) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->n; k++)
    if (s->client[k].fd >= 0) s->client[n++] = s->client[k];
  s->n = n;
}

/* Who is turned away first when the table is full: who never asked anything,
 * then who has nothing to wait for, who is slow, who watches (and will ask
 * again). */
static int worth(const client *c) {
  static const int of[] = {[IDLE] = 1,     [READING] = 2,     [ANSWERING] = 2,
                           [WATCHING] = 3, [CHECK_WAITS] = 4, [CHECK_RUNS] = 4,
                           [ASKED] = 5};
  bool begun = c->state == IDLE || c->state == READING;
  return begun && !c->served ? 0 : of[c->state];
}

static void evict(server *s) {
  client *o = &s->client[0];
  for (uint32_t k = 1; k < s->n; k++) {
    client *c = &s->client[k];
    if (worth(c) < worth(o) || (worth(c) == worth(o) && c->since < o->since))
      o = c;
  }
  drop(s, o);
  sweep(s);
}

static void accept_all(server *s) {
  for (int k = 0; k < 64; k++) {
    int one = 1, fd = accept(s->listen_fd, NULL, NULL);
    if (fd < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        s->accept_at = s->now + ACCEPT_PAUSE_MS;
      return;
    }
    if (s->n == CLIENTS_MAX) evict(s);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->client[s->n++] = (client){.fd = fd, .since = s->now};
  }
}

/* ---- reading ---- */
static size_t claimed(const client *c) {
  if (c->nin < FRAME_HEAD) return 0;
  return (size_t)be_get(c->in, FRAME_HEAD);
}

/* Drops unfinished frames and answers, the largest first, until n bytes more
 * fit; false if c is the next to go. */
static bool make_room(server *s, const client *c, size_t n) {
  while (s->buffered + n > BUFFERED_MAX) {
    client *most = NULL;
    for (uint32_t k = 0; k < s->n; k++) {
      client *o = &s->client[k];
      if (o->fd >= 0 && (o->state == READING || o->state == ANSWERING) &&
          (!most || o->capin + o->nout > most->capin + most->nout))
        most = o;
    }
    if (!most || most == c) return false;
    drop(s, most);
  }
  return true;
}

static bool reserve(server *s, client *c, size_t n) {
  size_t cap = c->capin ? c->capin : 4096;
  while (cap < n) cap *= 2;
  if (cap == c->capin) return true;
  if (!make_room(s, c, cap - c->capin)) return false;
  uint8_t *p = realloc(c->in, cap);
  if (!p) return false;
  s->buffered += cap - c->capin;
  c->in = p;
  c->capin = cap;
  return true;
}

/* Takes what came, up to the end of one frame; false: turn it away. */
static bool take(server *s, client *c) {
  for (size_t got = 0; got < READ_BYTES;) {
    size_t len = claimed(c);
    if (c->nin >= FRAME_HEAD && (len < 2 || len > FRAME_REQUEST_MAX))
      return false;
    size_t want = FRAME_HEAD + len - c->nin;
    if (want > READ_BYTES) want = READ_BYTES;
    if (!reserve(s, c, c->nin + want)) return false;
    ssize_t k = recv(c->fd, c->in + c->nin, want, 0);
    if (k == 0) return false;
    if (k < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (!c->nin) c->begun = s->now;
    c->nin += (size_t)k;
    got += (size_t)k;
    c->since = s->now;
    c->state = READING;
    if (c->nin >= FRAME_HEAD && c->nin == FRAME_HEAD + claimed(c)) {
      c->state = ASKED;
      return true;
    }
  }
  return true;
}

/* ---- answering ---- */
static void flush(server *s, client *c) {
  while (c->atout < c->nout) {
    ssize_t k = send(c->fd, c->out + c->atout, c->nout - c->atout,
                     MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (k <= 0) {
      drop(s, c);
      return;
    }
    c->atout += (size_t)k;
    c->since = s->now;
  }
  release(s, &c->out, c->nout);
  c->nout = c->atout = 0;
  c->state = IDLE;
}

/* The frame is answered; its bytes go. */
static void answer(server *s, client *c, codec_writer *w) {
  size_t n;
  const uint8_t *p = frame_end(w, &n);
  release(s, &c->in, c->capin);
  c->nin = c->capin = 0;
  if (!p || !make_room(s, c, n) || !(c->out = malloc(n))) {
    drop(s, c);
    return;
  }
  memcpy(c->out, p, n);
  s->buffered += n;
  c->nout = n;
  c->atout = 0;
  c->state = ANSWERING;
  c->served = true;
  c->since = c->begun = s->now;
  flush(s, c);
}

static void answer_read(server *s, client *c, ledger_status st,
                        const ledger_answer *x, const raw_record *record,
                        const raw_record *first) {
  codec_writer w = frame_begin(s->a, FRAME_READ, FRAME_ANSWER_MAX);
  frame_put_answer(&w, st, x, record, first ? first->tx : NULL,
                   first ? first->tx_bytes : 0);
  if (w.bad) {
    ledger_answer sorry = {.why = "the answer is too large"};
    w = frame_begin(s->a, FRAME_READ, FRAME_ANSWER_MAX);
    frame_put_answer(&w, LEDGER_FAILED, &sorry, NULL, NULL, 0);
  }
  answer(s, c, &w);
}

static void read_now(server *s, client *c, const ledger_query *q) {
  ledger_answer x = {.why = ""};
  raw_record *raw = NULL;
  ledger_status st;
  if (q->kind == READ_VERIFY) {
    c->state = CHECK_WAITS;
    return;
  }
  if (q->kind == READ_RECORD) {
    bool there = q->seq &&
                 chain_records(s->c, s->a, q->seq - 1, 1, 1, &raw) > 0;
    st = chain_trouble(s->c, s->a, &x.why);
    if (!there) raw = NULL;
    if (!there && !st) {
      st = LEDGER_NOT_FOUND;
      x.why = "there is no such record";
    }
    answer_read(s, c, st, &x, raw, NULL);
    return;
  }
  st = chain_read(s->c, s->a, q, &x);
  if (q->kind == READ_HEAD && !st)
    chain_records(s->c, s->a, 0, 1, 1, &raw);
  answer_read(s, c, st, &x, NULL, raw);
}

/* Gives a watching client what there is; false: nothing yet. */
static bool watch_now(server *s, client *c) {
  raw_record *raw;
  const char *why;
  uint32_t n = chain_records(s->c, s->a, c->after, c->max,
                             FRAME_RECORDS_BYTES, &raw);
  ledger_status st = chain_trouble(s->c, s->a, &why);
  if (!n && !st && s->now < c->until) return false;
  codec_writer w = frame_begin(s->a, FRAME_WATCH, FRAME_ANSWER_MAX);
  frame_put_records(&w, st, raw, n);
  answer(s, c, &w);
  return true;
}

/* A whole frame but for a submission; NULL, or the transaction in place. */
static const uint8_t *meet(server *s, client *c, size_t *n) {
  codec_reader r =
      codec_reader_new(s->a, c->in + FRAME_HEAD, c->nin - FRAME_HEAD);
  ledger_query q;
  const uint8_t *p = NULL;
  uint32_t wait;
  frame_kind kind = frame_open(&r);
  switch (kind) {
  case FRAME_SUBMIT: p = codec_get_bytes(&r, TX_BYTES_MAX, n); break;
  case FRAME_READ: frame_get_query(&r, &q); break;
  case FRAME_WATCH:
    c->after = codec_get_u64(&r);
    c->max = codec_get_u32(&r);
    wait = codec_get_count(&r, FRAME_WAIT_MAX_MS);
    c->until = s->now + (int64_t)wait;
    break;
  }
  if (!codec_done(&r)) {
    drop(s, c);
    return NULL;
  }
  if (kind == FRAME_READ) read_now(s, c, &q);
  if (kind == FRAME_WATCH) {
    c->state = WATCHING;
    watch_now(s, c);
  }
  return p;
}

/* All that is waiting: submissions in one commit. */
static void serve_asked(server *s) {
  const uint8_t *p[CLIENTS_MAX];
  size_t bytes[CLIENTS_MAX];
  client *from[CLIENTS_MAX];
  ledger_status status[CLIENTS_MAX];
  ledger_receipt receipt[CLIENTS_MAX];
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->n; k++) {
    client *c = &s->client[k];
    if (c->fd < 0 || c->state != ASKED) continue;
    p[n] = meet(s, c, &bytes[n]);
    if (p[n]) from[n++] = c;
  }
  if (!n) return;
  ledger_submit_group(s->l, s->a, n, p, bytes, status, receipt);
  for (uint32_t k = 0; k < n; k++) {
    codec_writer w = frame_begin(s->a, FRAME_SUBMIT, FRAME_ANSWER_MAX);
    frame_put_receipt(&w, status[k], &receipt[k]);
    answer(s, from[k], &w);
  }
}

static void serve_watching(server *s) {
  for (uint32_t k = 0; k < s->n; k++)
    if (s->client[k].fd >= 0 && s->client[k].state == WATCHING)
      watch_now(s, &s->client[k]);
}

/* A check goes on between the turns; who asks while one runs waits for the
 * next. */
static void serve_check(server *s) {
  bool wanted = false;
  for (uint32_t k = 0; k < s->n; k++)
    wanted = wanted || (s->client[k].fd >= 0 &&
                        s->client[k].state == CHECK_WAITS);
  if (!s->check && wanted) {
    s->check = verify_new(s->c->st, s->c->packages, true);
    for (uint32_t k = 0; k < s->n; k++)
      if (s->client[k].state == CHECK_WAITS) s->client[k].state = CHECK_RUNS;
  }
  if (!s->check || !verify_step(s->check, VERIFY_RECORDS)) return;
  ledger_answer x = {0};
  ledger_status st = verify_verdict(s->check, &x.why);
  for (uint32_t k = 0; k < s->n; k++)
    if (s->client[k].fd >= 0 && s->client[k].state == CHECK_RUNS)
      answer_read(s, &s->client[k], st, &x, NULL, NULL);
  verify_free(s->check);
  s->check = NULL;
}

/* ---- turns ---- */
/* When a client must be looked at again; INT64_MAX: never. */
static int64_t due(const client *c) {
  if (c->state == WATCHING) return c->until;
  if (c->state == READING || c->state == ANSWERING)
    return c->since + SILENCE_MS < c->begun + FRAME_MS
               ? c->since + SILENCE_MS
               : c->begun + FRAME_MS;
  return INT64_MAX;
}

static short events_of(const client *c) {
  if (c->state == IDLE || c->state == READING) return POLLIN;
  return c->state == ANSWERING ? POLLOUT : 0;
}

static int wait_ms(server *s, int next_expiry) {
  int64_t at = next_expiry < 0 ? INT64_MAX : s->now + next_expiry;
  if (s->check) return 0;
  for (uint32_t k = 0; k < s->n; k++) {
    if (s->client[k].state == CHECK_WAITS) return 0;
    if (due(&s->client[k]) < at) at = due(&s->client[k]);
  }
  if (s->accept_at > s->now && s->accept_at < at) at = s->accept_at;
  if (at == INT64_MAX) return -1;
  return at <= s->now ? 0 : at - s->now > 60000 ? 60000 : (int)(at - s->now);
}

static void serve_client(server *s, client *c, short events) {
  if ((events & (POLLERR | POLLNVAL)) ||
      ((events & POLLHUP) && !(events & POLLIN))) {
    drop(s, c);
    return;
  }
  if ((events & POLLIN) && !take(s, c)) drop(s, c);
  if (c->fd >= 0 && (events & POLLOUT)) flush(s, c);
  if (c->fd >= 0 && c->state != WATCHING && due(c) <= s->now) drop(s, c);
}

/* False: stop. */
static bool turn(server *s, int stop_fd, const char **why) {
  struct pollfd p[CLIENTS_MAX + 2];
  int next = ledger_expire(s->l, s->a);
  serve_watching(s);
  sweep(s);
  uint32_t n = s->n;
  bool pause = s->accept_at > s->now;
  p[0] = (struct pollfd){stop_fd, POLLIN, 0};
  p[1] = (struct pollfd){pause ? -1 : s->listen_fd, POLLIN, 0};
  for (uint32_t k = 0; k < n; k++)
    p[k + 2] = (struct pollfd){s->client[k].fd, events_of(&s->client[k]), 0};
  int got = poll(p, n + 2, wait_ms(s, next));
  if (got < 0 && errno != EINTR) {
    *why = "poll failed";
    return false;
  }
  if (got < 0) return true;
  s->now = clock_ms();
  if (p[0].revents) return false;
  for (uint32_t k = 0; k < n; k++)
    if (s->client[k].fd >= 0)
      serve_client(s, &s->client[k], p[k + 2].revents);
  serve_asked(s);
  serve_check(s);
  sweep(s);
  if (p[1].revents) accept_all(s);
  return true;
}

int ledger_serve(ledger *l, int listen_fd, int stop_fd, const char **why) {
  server *s = calloc(1, sizeof *s);
  bool on = true;
  *why = NULL;
  if (!s) arena_oom_hook();
  s->l = l;
  s->c = (chain *)(void *)l;
  s->listen_fd = listen_fd;
  s->now = clock_ms();
  if (fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0) {
    *why = "the listening socket cannot be used";
    on = false;
  }
  while (on) {
    s->a = arena_new();
    on = turn(s, stop_fd, why);
    arena_free(s->a);
  }
  for (uint32_t k = 0; k < s->n; k++) drop(s, &s->client[k]);
  verify_free(s->check);
  free(s);
  return *why ? -1 : 0;
}
