/* One poll loop over the sockets of all nodes. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cmd/chi/mesh.h"

enum { GRACE_MS = 1500 };

static bool take_messages(mesh *m, peer *p) {
  size_t at = 0;
  while (p->in.n - at >= WIRE_HEAD) {
    uint64_t n;
    memcpy(&n, p->in.p + at + 1, sizeof n);
    if (n > p->in.n - at - WIRE_HEAD)
      break;
    const char *body = p->in.p + at + WIRE_HEAD;
    char kind = p->in.p[at];
    if (kind == MSG_LOADED) {
      p->loaded = true;
    } else if (kind == MSG_DONE) {
      json_error err;
      char *text = arena_strndup(m->c->a, body, (size_t)n);
      p->end = json_read(m->c->a, text, (size_t)n, false, &err);
      p->done = true;
    } else {
      buf_write(&p->results, p->in.p + at, WIRE_HEAD + (size_t)n);
    }
    at += WIRE_HEAD + (size_t)n;
  }
  if (at > 0) {
    memmove(p->in.p, p->in.p + at, p->in.n - at);
    p->in.n -= at;
  }
  return !p->done || p->end != NULL;
}

static void read_some(mesh *m, peer *p) {
  static const size_t chunk_bytes = 1 << 18;
  char *chunk = malloc(chunk_bytes);
  if (chunk == NULL)
    arena_oom_hook();
  for (;;) {
    ssize_t k = recv(p->fd, chunk, chunk_bytes, 0);
    if (k > 0) {
      buf_write(&p->in, chunk, (size_t)k);
      continue;
    }
    if (k < 0 && (errno == EINTR))
      continue;
    if (k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
      p->eof = true;
    break;
  }
  free(chunk);
  if (!take_messages(m, p))
    p->eof = true;
}

static void write_some(peer *p) {
  while (p->sent < p->out.n) {
    ssize_t k = send(p->fd, p->out.p + p->sent, p->out.n - p->sent,
                     MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0)
      return; /* full, or its end will be seen by reading */
    p->sent += (size_t)k;
  }
  mesh_wipe(&p->out);
  p->sent = 0;
}

/* Processor time of all nodes: while it grows, they are at work. */
static bool working(mesh *m) {
  bool moved = false;
  for (unsigned i = 0; i < m->n; i++) {
    clockid_t clock;
    struct timespec ts;
    if (m->p[i].pid <= 0 || clock_getcpuclockid(m->p[i].pid, &clock) != 0 ||
        clock_gettime(clock, &ts) != 0)
      continue;
    double t = (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
    /* Waiting in poll costs some, too. */
    moved = moved || t > m->p[i].cpu + 0.02;
    if (t > m->p[i].cpu + 0.02)
      m->p[i].cpu = t;
  }
  return moved;
}

static bool peer_ok(const peer *p) {
  const json_val *st = json_get(p->end, "status");
  return p->done && st != NULL && st->n == 1 && st->u.text[0] == '0';
}

loop_end mesh_loop(mesh *m, void (*loaded)(void *), void *user) {
  struct pollfd fd[CHI_PARTIES_MAX];
  double last = clock_seconds(), give_up = 0;
  bool told_loaded = false;
  for (;;) {
    unsigned open = 0, nloaded = 0, nfailed = 0;
    for (unsigned i = 0; i < m->n; i++) {
      peer *p = &m->p[i];
      bool wants = !p->done && !p->eof;
      fd[i] = (struct pollfd){wants ? p->fd : -1, POLLIN, 0};
      if (p->sent < p->out.n)
        fd[i].events |= POLLOUT;
      open += wants;
      nloaded += p->loaded || p->eof;
      nfailed += (p->eof && !p->done) || (p->done && !peer_ok(p));
    }
    if (nloaded == m->n && !told_loaded && loaded != NULL) {
      told_loaded = true;
      loaded(user);
    }
    if (open == 0)
      return nfailed ? LOOP_SOME_FAILED : LOOP_DONE;
    double now = clock_seconds();
    if (nfailed > 0 && give_up == 0)
      give_up = now + GRACE_MS * 1e-3;
    if (give_up > 0 && now > give_up)
      return LOOP_SOME_FAILED;
    progress_tick(m->prog, nloaded < m->n ? "starting the nodes"
                                          : "running on the nodes");
    int k = proc_poll(fd, m->n, 200);
    if (k < 0 && proc_interrupted())
      return LOOP_STOPPED;
    for (unsigned i = 0; k > 0 && i < m->n; i++) {
      if (fd[i].revents & POLLOUT)
        write_some(&m->p[i]);
      if (fd[i].revents & (POLLIN | POLLHUP | POLLERR))
        read_some(m, &m->p[i]);
    }
    /* The nodes' own deadlines name the culprit, so they come first. */
    if (k > 0 || working(m))
      last = clock_seconds();
    else if (clock_seconds() - last > m->timeout_s + 2.0)
      return LOOP_STALLED;
  }
}

uint64_t mesh_number(const peer *p, const char *key) {
  const json_val *v = json_get(p->end, key);
  return v != NULL && v->kind == JSON_WORD ? strtoull(v->u.text, NULL, 10) : 0;
}
