/* Node processes of a local run, seen from the command. */
#ifndef CMD_CHI_DRIVER_H
#define CMD_CHI_DRIVER_H

#include <gmp.h>

#include "chi.h"
#include "cmd/chi/cli.h"
#include "cmd/chi/inputs.h"
#include "cmd/chi/proc.h"

typedef struct mesh mesh;

/* Binds n listening sockets on the loopback, makes n keys, starts n nodes.
 * NULL after a report; then nothing is left. */
mesh *mesh_start(cli *c, chi_protocol protocol, unsigned n, unsigned timeout_s,
                 progress *p);
/* Kills what still runs, reaps it, frees. */
void mesh_stop(mesh *m);
/* After a failed run: can the nodes take another one? */
bool mesh_usable(const mesh *m);

/* Public output k: one array of the two, as all nodes gave it. */
typedef struct run_output {
  uint64_t n;
  int64_t *small;
  const char *digits; /* NUL-ended numbers, one after the other */
  size_t digits_bytes;
} run_output;

typedef struct run_told {
  uint32_t output;
  uint8_t to[32];
  uint64_t n;
  uint64_t *value; /* canonical elements, field.words a lane; NULL: not
                      opened, the key is elsewhere */
} run_told;

typedef enum {
  RUN_OK,
  RUN_CHECK, /* a check of the program failed: detail tells which */
  RUN_FAILED /* reported */
} run_status;

typedef struct run_result {
  uint64_t rounds[CHI_PARTIES_MAX], bytes[CHI_PARTIES_MAX];
  uint64_t elements[CHI_PARTIES_MAX], setup[CHI_PARTIES_MAX];
  uint64_t wire[CHI_PARTIES_MAX];
  double seconds; /* first share in place to last output */
  double online;  /* of them, from the nodes' agreement on */
  run_output *output; /* of index k; n = 0 where there is none */
  uint32_t noutput;
  run_told *told;
  uint32_t ntold;
  const char *detail;
} run_result;

/* One circuit on the mesh: library, symbol and field, inputs in the circuit's order
 * (secret ones are shared as their client would).  `loaded` (may be NULL) is
 * called when no node needs the library's file any more. */
run_status mesh_run(mesh *m, const char *library, const char *symbol,
                    chi_field field, const inputs *in, uint32_t noutput,
                    void (*loaded)(void *user), void *user, run_result *out);

#endif
