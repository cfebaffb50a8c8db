/* Compiled code in a folder: from emitted C to a chi_program. */
#ifndef NODE_CODE_H
#define NODE_CODE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "backend/backend.h"
#include "chi.h"

typedef struct code_cache {
  const char *dir, *include;
  const atomic_bool *stop;
  uint8_t base[32]; /* hash of compiler, headers, versions */
} code_cache;

/* Makes the folder if it is not there; asks the compiler for its version.
 * NULL, or why it cannot be used, in `a`. */
const char *code_open(code_cache *x, arena *a, const char *dir,
                      const char *include, const atomic_bool *stop);
/* Finds or compiles `o` (file stem "circuit") and loads it.  *library stays
 * open until dlclose.  NULL after *why. */
const chi_program *code_get(const code_cache *x, arena *a,
                            const backend_output *o, const char *symbol,
                            void **library, bool *compiled, const char **why);

#endif
