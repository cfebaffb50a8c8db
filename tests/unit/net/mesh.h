/* A party table on loopback for the tests of the TLS transport. */
#ifndef CHI_TEST_MESH_H
#define CHI_TEST_MESH_H

#include <pthread.h>
#include <stdint.h>

#include "chi.h"

typedef struct mesh {
  unsigned n;
  chi_identity *id[CHI_PARTIES_MAX];
  chi_party party[CHI_PARTIES_MAX];
  int listen_fd[CHI_PARTIES_MAX];
} mesh;

/* One party's side of a set-up; run_all starts one thread each. */
typedef struct side {
  const mesh *m;
  chi_party party[CHI_PARTIES_MAX]; /* its own view of the table */
  unsigned me, n;
  int listen_fd;
  uint32_t deadline_ms, delay_ms;
  chi_tls_context *context; /* of the identity, or NULL */
  chi_status status;
  char detail[512];
  chi_transport t;
  double seconds;
  pthread_t thread;
} side;

/* n identities and n listening sockets on free ports; aborts if it cannot. */
void mesh_open(mesh *m, unsigned n);
void mesh_close(mesh *m);
/* *port 0: a free one, told there. */
int mesh_listen(uint16_t *port);
int mesh_dial(uint16_t port);
void side_init(side *s, const mesh *m, unsigned me);
void side_start(side *s);
void side_join(side *s);
void side_close(side *s);
uint64_t mesh_now_ns(void);
void mesh_sleep_ms(unsigned ms);
/* Blocking transfers over a transport, within 10 s; 0 or CHI_IO_*. */
long mesh_send(chi_transport *t, unsigned peer, const void *p, size_t n);
long mesh_recv(chi_transport *t, unsigned peer, void *p, size_t n);

#endif
