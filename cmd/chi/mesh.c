#define _GNU_SOURCE
#include "cmd/chi/mesh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void system_error(mesh *m, const char *what) {
  diag_report_nowhere(m->c->dg, DIAG_SYSTEM, what, strerror(errno));
}

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
  p->pid = proc_spawn(argv, pair[1], p->listen_fd, -1, 0, NULL);
  int why = errno;
  close(pair[1]);
  p->fd = pair[0];
  close(p->listen_fd);
  p->listen_fd = -1;
  fcntl(p->fd, F_SETFL, O_NONBLOCK);
  errno = why;
  return p->pid > 0;
}

static void put_hex(buf *b, const uint8_t *p, size_t n) {
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
    put_hex(&b, m->p[i].key, CHI_KEY_BYTES);
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

void mesh_wipe(buf *b) {
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
    mesh_wipe(&p->out);
    mesh_wipe(&p->in);
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
