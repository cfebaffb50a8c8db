/* Runs the C compiler: nothing of the node reaches it, and it ends in bounded
 * time. */
#ifndef NODE_SPAWN_H
#define NODE_SPAWN_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"

/* The words of CC ("ccache gcc"), or cc; NULL ends the list.  In `a`. */
const char **spawn_compiler(arena *a, const char *const *more);

/* Runs argv with nothing but standard output and error, of which `stream` (1
 * or 2) is kept in `said`, up to 64 KiB; temporary files go to `tmp` (NULL:
 * where the environment says).  It is killed, with all its children, after
 * timeout_ms or when *stop is set.  NULL if it ended with code 0, else why
 * not, in `a`. */
const char *spawn_run(arena *a, const char *const *argv, const char *tmp,
                      int stream, int timeout_ms, const atomic_bool *stop,
                      buf *said);

#endif
