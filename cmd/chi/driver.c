/* Driver of node processes: one poll loop over their sockets.
 *
 * Invariant: every pid > 0 in the mesh is a child that has not been reaped;
 * mesh_stop kills and reaps them all, whatever happened before. */
#define _GNU_SOURCE
#include "cmd/chi/driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/chi/json.h"
#include "cmd/chi/wire.h"

typedef struct peer {
  pid_t pid;
  int fd, listen_fd;
  uint16_t port;
  chi_identity *identity;
  uint8_t key[CHI_KEY_BYTES];
  buf out, in; /* messages under way; sent: bytes of out that are gone */
  size_t sent;
  bool eof, loaded, done;
  buf results;        /* output messages of the run, whole */
  const json_val *end; /* of MSG_DONE */
  double cpu;
  int exit_status;
} peer;

struct mesh {
  cli *c;
  progress *prog;
  chi_protocol protocol;
  unsigned n, timeout_s;
  peer *p;
};

enum { GRACE_MS = 1500 };

static void system_error(mesh *m, const char *what) {
  diag_report_nowhere(m->c->dg, DIAG_SYSTEM, what, strerror(errno));
}

/* ---- start ---- */

static bool bind_one(peer *p) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t len = sizeof at;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->listen_fd < 0 ||
      bind(p->listen_fd, (struct sockaddr *)&at, sizeof at) != 0 ||
      listen(p->listen_fd, 128) != 0 ||
      getsockname(p->listen_fd, (struct sockaddr *)&at, &len) != 0)
    return false;
  p->port = ntohs(at.sin_port);
  return true;
}

static bool spawn(mesh *m, peer *p) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return false;
  const char *argv[] = {m->c->self, "node", "--control", "3", NULL};
  p->pid = proc_spawn(argv, pair[1], p->listen_fd, -1, false, NULL);
  int why = errno;
  close(pair[1]);
  p->fd = pair[0];
  close(p->listen_fd);
  p->listen_fd = -1;
  fcntl(p->fd, F_SETFL, O_NONBLOCK);
  errno = why;
  return p->pid > 0;
}

static void hex(buf *b, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    buf_printf(b, "%02x", p[i]);
}

static void send_config(mesh *m, unsigned me) {
  buf b = {0};
  uint8_t seed[32];
  peer *p = &m->p[me];
  buf_printf(&b, "{\"me\":%u,\"protocol\":%d,\"deadline\":%u,\"parties\":[",
             me, (int)m->protocol, m->timeout_s * 1000);
  for (unsigned i = 0; i < m->n; i++) {
    buf_puts(&b, i ? ",{\"key\":\"" : "{\"key\":\"");
    hex(&b, m->p[i].key, CHI_KEY_BYTES);
    buf_printf(&b, "\",\"port\":%u}", m->p[i].port);
  }
  buf_puts(&b, "]}");
  wire_put(&p->out, MSG_CONFIG, b.p, b.n, NULL, 0);
  chi_identity_seed(p->identity, seed);
  wire_put(&p->out, MSG_KEY, seed, sizeof seed, NULL, 0);
  sodium_memzero(seed, sizeof seed);
  buf_free(&b);
}

mesh *mesh_start(cli *c, chi_protocol protocol, unsigned n, unsigned timeout_s,
                 progress *prog) {
  mesh *m = ARENA_NEW(c->a, mesh);
  *m = (mesh){c, prog, protocol, n, timeout_s, NULL};
  m->p = ARENA_ARR(c->a, peer, n);
  for (unsigned i = 0; i < n; i++)
    m->p[i].fd = m->p[i].listen_fd = -1;
  for (unsigned i = 0; i < n; i++) {
    if (chi_identity_new(&m->p[i].identity) != CHI_OK) {
      errno = EIO;
      system_error(m, "make a key");
      mesh_stop(m);
      return NULL;
    }
    chi_identity_public(m->p[i].identity, m->p[i].key);
    if (!bind_one(&m->p[i])) {
      system_error(m, "bind a socket on the loopback");
      mesh_stop(m);
      return NULL;
    }
  }
  for (unsigned i = 0; i < n; i++) {
    if (!spawn(m, &m->p[i])) {
      system_error(m, "start a node process");
      mesh_stop(m);
      return NULL;
    }
    send_config(m, i);
  }
  return m;
}

static void wipe(buf *b) {
  if (b->p != NULL)
    sodium_memzero(b->p, b->cap);
  buf_free(b);
}

void mesh_stop(mesh *m) {
  if (m == NULL)
    return;
  for (unsigned i = 0; i < m->n; i++)
    if (m->p[i].pid > 0)
      kill(m->p[i].pid, SIGKILL);
  for (unsigned i = 0; i < m->n; i++) {
    peer *p = &m->p[i];
    if (p->pid > 0)
      while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    p->pid = 0;
    if (p->fd >= 0)
      close(p->fd);
    if (p->listen_fd >= 0)
      close(p->listen_fd);
    chi_identity_free(p->identity);
    wipe(&p->out);
    wipe(&p->in);
    buf_free(&p->results);
    p->fd = p->listen_fd = -1;
    p->identity = NULL;
  }
}

bool mesh_usable(const mesh *m) {
  for (unsigned i = 0; i < m->n; i++)
    if (m->p[i].pid <= 0 || m->p[i].eof || !m->p[i].done)
      return false;
  return true;
}

/* ---- inputs ---- */

static void put_public(mesh *m, uint32_t k, const lanes *v) {
  buf b = {0};
  if (v->small == NULL)
    for (uint64_t i = 0; i < v->n; i++) {
      buf_mpz(&b, v->big[i]);
      buf_putc(&b, '\0');
    }
  for (unsigned i = 0; i < m->n; i++)
    if (v->small != NULL)
      wire_put(&m->p[i].out, MSG_SMALL, &k, sizeof k, v->small,
               v->n * sizeof *v->small);
    else
      wire_put(&m->p[i].out, MSG_TEXT, &k, sizeof k, b.p, b.n);
  buf_free(&b);
}

/* As the client who holds the value would: one sealed box per node. */
static bool put_shared(mesh *m, uint32_t k, const lanes *v,
                       const chi_client_run *run) {
  uint8_t *box[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < m->n; i++) {
    bytes[i] = chi_client_blob_bytes(m->protocol, m->n, i, v->n);
    box[i] = malloc(bytes[i]);
    if (box[i] == NULL)
      arena_oom_hook();
  }
  chi_status st = v->small == NULL
                      ? CHI_E_RANGE
                      : chi_client_share(box, run, k, v->small, v->n);
  for (unsigned i = 0; i < m->n; i++) {
    if (st == CHI_OK)
      wire_put(&m->p[i].out, MSG_SEALED, &k, sizeof k, box[i], bytes[i]);
    free(box[i]);
  }
  if (st != CHI_OK)
    diag_report_nowhere(m->c->dg, DIAG_INTERNAL,
                        arena_printf(m->c->a, "an input could not be shared: "
                                     "%s", chi_status_text(st)));
  return st == CHI_OK;
}

static bool put_inputs(mesh *m, const inputs *in, const chi_client_run *run) {
  for (uint32_t k = 0; in != NULL && k < in->n; k++) {
    progress_tick(m->prog, "sharing the inputs");
    if (!in->leaf[k]->type->secret)
      put_public(m, k, &in->val[k]);
    else if (!put_shared(m, k, &in->val[k], run))
      return false;
  }
  for (unsigned i = 0; i < m->n; i++)
    wire_put(&m->p[i].out, MSG_GO, NULL, 0, NULL, 0);
  return true;
}

/* ---- the loop ---- */

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
  wipe(&p->out);
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

typedef enum { LOOP_DONE, LOOP_SOME_FAILED, LOOP_STALLED, LOOP_STOPPED } loop_end;

static bool peer_ok(const peer *p) {
  const json_val *st = json_get(p->end, "status");
  return p->done && st != NULL && st->n == 1 && st->u.text[0] == '0';
}

static loop_end loop(mesh *m, void (*loaded)(void *), void *user) {
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

/* ---- what happened ---- */

static uint64_t end_number(const peer *p, const char *key) {
  const json_val *v = json_get(p->end, key);
  return v != NULL && v->kind == JSON_WORD ? strtoull(v->u.text, NULL, 10) : 0;
}

static const char *end_detail(const peer *p) {
  const json_val *v = json_get(p->end, "detail");
  return v != NULL && v->kind == JSON_STRING ? v->u.text : "";
}

/* How near to the cause a status is: a lost peer is what others see. */
static int rank(chi_status st) {
  switch (st) {
  case CHI_OK:
    return 0;
  case CHI_E_PEER_LOST:
    return 1;
  case CHI_E_PEER_STALLED:
    return 2;
  default:
    return 3;
  }
}

static void note_others(mesh *m, unsigned but) {
  for (unsigned i = 0; i < m->n; i++)
    if (i != but && m->p[i].done && end_number(&m->p[i], "status") != 0)
      diag_note(m->c->dg, (span){0, 0}, "node %u: %s", i,
                end_detail(&m->p[i]));
}

static bool find_dead(mesh *m) {
  for (unsigned i = 0; i < m->n; i++) {
    peer *p = &m->p[i];
    if (!p->eof || p->done || p->pid <= 0)
      continue;
    int status = 0;
    pid_t got = 0;
    for (int turn = 0; turn < 100 && got == 0; turn++) {
      got = waitpid(p->pid, &status, WNOHANG);
      if (got == 0)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    const char *how = "it closed its socket";
    if (got == p->pid) {
      p->pid = 0;
      how = proc_status_text(m->c->a, status);
    }
    diag_report_nowhere(m->c->dg, DIAG_NODE_DIED, i, how);
    return true;
  }
  return false;
}

static run_status explain_failure(mesh *m, run_result *out) {
  unsigned worst = 0;
  int best = 0;
  if (find_dead(m))
    return RUN_FAILED;
  for (unsigned i = 0; i < m->n; i++) {
    int r = rank((chi_status)end_number(&m->p[i], "status"));
    if (m->p[i].done && r > best) {
      best = r;
      worst = i;
    }
  }
  const peer *p = &m->p[worst];
  chi_status st = (chi_status)end_number(p, "status");
  out->detail = end_detail(p);
  if (st == CHI_E_REQUIRE || st == CHI_E_RANGE)
    return RUN_CHECK;
  if (st == CHI_E_BUG || st == CHI_E_ARG || st == CHI_E_STATE)
    diag_report_nowhere(m->c->dg, DIAG_INTERNAL,
                        arena_printf(m->c->a, "node %u: %s: %s", worst,
                                     chi_status_text(st), out->detail));
  else
    diag_report_nowhere(m->c->dg, DIAG_NODE_FAILED, worst, chi_status_text(st),
                        out->detail[0] ? ": " : "", out->detail);
  note_others(m, worst);
  return RUN_FAILED;
}

/* ---- outputs ---- */

static bool agree(mesh *m) {
  /* Values and digits are public: byte for byte the same on all nodes. */
  for (unsigned i = 1; i < m->n; i++) {
    const buf *a = &m->p[0].results, *b = &m->p[i].results;
    size_t at = 0, bt = 0;
    while (at < a->n || bt < b->n) {
      uint64_t na = 0, nb = 0;
      if (a->n - at < WIRE_HEAD || b->n - bt < WIRE_HEAD)
        break;
      memcpy(&na, a->p + at + 1, sizeof na);
      memcpy(&nb, b->p + bt + 1, sizeof nb);
      char ka = a->p[at], kb = b->p[bt];
      bool same = ka == kb && (ka == MSG_TOLD ||
                               (na == nb && memcmp(a->p + at + WIRE_HEAD,
                                                   b->p + bt + WIRE_HEAD,
                                                   na) == 0));
      if (!same)
        break;
      at += WIRE_HEAD + na;
      bt += WIRE_HEAD + nb;
    }
    if (at != a->n || bt != b->n) {
      diag_report_nowhere(m->c->dg, DIAG_NODES_DISAGREE, 0u, i, "outputs");
      return false;
    }
  }
  return true;
}

/* Message number k of that kind in a node's results. */
static const char *message(const buf *b, char kind, uint32_t k,
                           uint64_t *bytes) {
  for (size_t at = 0; at + WIRE_HEAD <= b->n;) {
    memcpy(bytes, b->p + at + 1, sizeof *bytes);
    if (b->p[at] == kind && k-- == 0)
      return b->p + at + WIRE_HEAD;
    at += WIRE_HEAD + *bytes;
  }
  return NULL;
}

enum { TOLD_HEAD = 48 };

static bool take_told(mesh *m, const inputs *in, const chi_client_run *run,
                      uint32_t k, run_told *out) {
  const uint8_t *blob[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < m->n; i++) {
    uint64_t n;
    const char *p = message(&m->p[i].results, MSG_TOLD, k, &n);
    if (p == NULL || n < TOLD_HEAD) {
      diag_report_nowhere(m->c->dg, DIAG_NODES_DISAGREE, 0u, i,
                          "told values");
      return false;
    }
    memcpy(&out->output, p, 4);
    memcpy(&out->n, p + 8, 8);
    memcpy(out->to, p + 16, 32);
    blob[i] = (const uint8_t *)p + TOLD_HEAD;
    bytes[i] = (size_t)n - TOLD_HEAD;
  }
  const person *who = in != NULL ? people_find(&in->who, out->to) : NULL;
  if (who == NULL || who->key == NULL)
    return true;
  unsigned bad = 0;
  out->value = ARENA_ARR(m->c->a, uint64_t, out->n);
  chi_status st = chi_client_open(out->value, out->n, &bad, run, who->key,
                                  out->output, blob, bytes);
  if (st == CHI_OK)
    return true;
  diag_report_nowhere(m->c->dg, DIAG_NODE_FAILED, bad, chi_status_text(st),
                      ": ", "a told value");
  return false;
}

static bool take_outputs(mesh *m, const inputs *in, const chi_client_run *run,
                         run_result *out) {
  if (!agree(m))
    return false;
  const buf *b = &m->p[0].results;
  for (size_t at = 0; at + WIRE_HEAD <= b->n;) {
    uint64_t n;
    uint32_t k = 0;
    memcpy(&n, b->p + at + 1, sizeof n);
    const char *body = b->p + at + WIRE_HEAD;
    if (n >= sizeof k)
      memcpy(&k, body, sizeof k);
    if (b->p[at] == MSG_TOLD) {
      out->ntold++;
    } else if (k < out->noutput) {
      run_output *o = &out->output[k];
      char *copy = arena_alloc(m->c->a, (size_t)n);
      memcpy(copy, body + sizeof k, (size_t)n - sizeof k);
      if (b->p[at] == MSG_VALUES) {
        o->n = (n - sizeof k) / sizeof(int64_t);
        o->small = (int64_t *)(void *)copy;
      } else {
        o->digits = copy;
        o->digits_bytes = (size_t)n - sizeof k;
        for (size_t i = 0; i < o->digits_bytes; i++)
          o->n += copy[i] == '\0';
      }
    }
    at += WIRE_HEAD + n;
  }
  out->told = ARENA_ARR(m->c->a, run_told, out->ntold + 1);
  for (uint32_t k = 0; k < out->ntold; k++)
    if (!take_told(m, in, run, k, &out->told[k]))
      return false;
  return true;
}

static void take_counters(mesh *m, run_result *out) {
  double first = 0, last = 0;
  for (unsigned i = 0; i < m->n; i++) {
    const peer *p = &m->p[i];
    double a = (double)end_number(p, "placed_ns") * 1e-9;
    double b = (double)end_number(p, "done_ns") * 1e-9;
    first = i == 0 || a < first ? a : first;
    last = b > last ? b : last;
    out->rounds[i] = end_number(p, "rounds");
    out->bytes[i] = end_number(p, "bytes");
    out->elements[i] = end_number(p, "elements");
    out->setup[i] = end_number(p, "setup");
    out->wire[i] = end_number(p, "wire");
  }
  out->seconds = last - first;
}

run_status mesh_run(mesh *m, const char *library, const char *symbol,
                    const inputs *in, uint32_t noutput,
                    void (*loaded)(void *user), void *user, run_result *out) {
  uint8_t keys[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  chi_client_run run = {.protocol = m->protocol,
                        .n = m->n,
                        .party_key = (const uint8_t(*)[CHI_KEY_BYTES])keys};
  buf b = {0};
  *out = (run_result){.noutput = noutput, .detail = ""};
  out->output = ARENA_ARR(m->c->a, run_output, noutput + 1);
  randombytes_buf(run.session_id, sizeof run.session_id);
  buf_puts(&b, "{\"library\":");
  text_jsonz(&b, library);
  buf_printf(&b, ",\"symbol\":\"%s\",\"session\":\"", symbol);
  hex(&b, run.session_id, sizeof run.session_id);
  buf_puts(&b, "\"}");
  for (unsigned i = 0; i < m->n; i++) {
    peer *p = &m->p[i];
    memcpy(keys[i], p->key, CHI_KEY_BYTES);
    p->done = p->loaded = false;
    p->end = NULL;
    buf_reset(&p->results);
    wire_put(&p->out, MSG_LOAD, b.p, b.n, NULL, 0);
  }
  buf_free(&b);
  if (!put_inputs(m, in, &run))
    return RUN_FAILED;
  switch (loop(m, loaded, user)) {
  case LOOP_DONE:
    break;
  case LOOP_SOME_FAILED:
    return explain_failure(m, out);
  case LOOP_STALLED:
    diag_report_nowhere(m->c->dg, DIAG_NODE_STALLED, m->timeout_s);
    return RUN_FAILED;
  case LOOP_STOPPED:
    return RUN_FAILED;
  }
  take_counters(m, out);
  return take_outputs(m, in, &run, out) ? RUN_OK : RUN_FAILED;
}
