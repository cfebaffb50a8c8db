#include "mesh.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NEED(x)                                     \
  do {                                              \
    if (!(x)) {                                     \
      (void)fprintf(stderr, "mesh: %s failed\n", #x); \
      abort();                                      \
    }                                               \
  } while (0)

uint64_t mesh_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void mesh_sleep_ms(unsigned ms) {
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  while (nanosleep(&t, &t)) {
  }
}

int mesh_listen(uint16_t *port) {
  struct sockaddr_in a;
  socklen_t len = sizeof a;
  memset(&a, 0, sizeof a);
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(*port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  NEED(fd >= 0);
  if (*port) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  NEED(!bind(fd, (struct sockaddr *)&a, sizeof a));
  NEED(!listen(fd, 128));
  NEED(!getsockname(fd, (struct sockaddr *)&a, &len));
  *port = ntohs(a.sin_port);
  return fd;
}

int mesh_dial(uint16_t port) {
  struct sockaddr_in a;
  memset(&a, 0, sizeof a);
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  NEED(fd >= 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
    close(fd);
    return -1;
  }
  return fd;
}

void mesh_open(mesh *m, unsigned n) {
  memset(m, 0, sizeof *m);
  m->n = n;
  for (unsigned i = 0; i < n; i++) {
    NEED(!chi_identity_new(&m->id[i]));
    chi_identity_public(m->id[i], m->party[i].key);
    m->party[i].host = "127.0.0.1";
    m->listen_fd[i] = mesh_listen(&m->party[i].port);
  }
}

void mesh_close(mesh *m) {
  for (unsigned i = 0; i < m->n; i++) {
    chi_identity_free(m->id[i]);
    if (m->listen_fd[i] >= 0) close(m->listen_fd[i]);
  }
}

void side_init(side *s, const mesh *m, unsigned me) {
  memset(s, 0, sizeof *s);
  s->m = m;
  s->me = me;
  s->n = m->n;
  s->listen_fd = m->listen_fd[me];
  s->deadline_ms = 5000;
  memcpy(s->party, m->party, sizeof s->party);
}

static void *side_main(void *arg) {
  side *s = arg;
  mesh_sleep_ms(s->delay_ms);
  const chi_tls_config c = {.me = s->me,
                            .n = s->n,
                            .identity = s->m->id[s->me],
                            .party = s->party,
                            .listen_fd = s->listen_fd,
                            .deadline_ms = s->deadline_ms,
                            .context = s->context};
  uint64_t from = mesh_now_ns();
  s->status = chi_tls_connect(&s->t, s->detail, sizeof s->detail, &c);
  s->seconds = (double)(mesh_now_ns() - from) / 1e9;
  return NULL;
}

void side_start(side *s) {
  NEED(!pthread_create(&s->thread, NULL, side_main, s));
}

void side_join(side *s) { NEED(!pthread_join(s->thread, NULL)); }

void side_close(side *s) {
  if (s->t.ops) s->t.ops->close(s->t.state);
  s->t.ops = NULL;
}

long mesh_send(chi_transport *t, unsigned peer, const void *p, size_t n) {
  uint64_t deadline = mesh_now_ns() + UINT64_C(10000000000);
  size_t done = 0;
  while (done < n) {
    long k = t->ops->try_send(t->state, peer, (const char *)p + done, n - done);
    if (k < 0) return k;
    done += (size_t)k;
    if (done < n && t->ops->wait(t->state, 0, UINT64_C(1) << peer,
                                 deadline) != 1) {
      return -99;
    }
  }
  return 0;
}

long mesh_recv(chi_transport *t, unsigned peer, void *p, size_t n) {
  uint64_t deadline = mesh_now_ns() + UINT64_C(10000000000);
  size_t done = 0;
  while (done < n) {
    long k = t->ops->try_recv(t->state, peer, (char *)p + done, n - done);
    if (k < 0) return k;
    done += (size_t)k;
    if (done < n && t->ops->wait(t->state, UINT64_C(1) << peer, 0,
                                 deadline) != 1) {
      return -99;
    }
  }
  return 0;
}
