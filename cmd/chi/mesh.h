/* The inside of a mesh: mesh.c starts and stops the nodes, mesh_loop.c moves
 * messages, driver.c knows what they mean.
 *
 * Invariant: every pid > 0 is a child that has not been reaped; mesh_stop
 * kills and reaps them all, whatever happened before. */
#ifndef CMD_CHI_MESH_H
#define CMD_CHI_MESH_H

#include "cmd/chi/driver.h"
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
} peer;

struct mesh {
  cli *c;
  progress *prog;
  chi_protocol protocol;
  unsigned n, timeout_s;
  peer *p;
};

typedef enum {
  LOOP_DONE,
  LOOP_SOME_FAILED,
  LOOP_STALLED, /* reported by nobody: no node moves */
  LOOP_STOPPED  /* a signal asked for the end */
} loop_end;

/* Until every node has answered, or one has failed and the others had their
 * time to say why. */
loop_end mesh_loop(mesh *m, void (*loaded)(void *user), void *user);
/* A number of the node's MSG_DONE; 0 if it is not there. */
uint64_t mesh_number(const peer *p, const char *key);
/* Wipes and frees. */
void mesh_wipe(buf *b);

#endif
