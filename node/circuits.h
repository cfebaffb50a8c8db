/* Circuits of contracts, compiled: from a package to code in this process.
 *
 * A thread of its own parses packages and compiles their circuits, in the order
 * in which they were wanted; who waits for one comes first.  Compiled code is
 * kept in a folder under the SHA-256 of everything it depends on, and the
 * nodes of a machine that share the folder compile each circuit once. */
#ifndef NODE_CIRCUITS_H
#define NODE_CIRCUITS_H

#include "backend/contract.h"
#include "chi.h"

typedef struct circuits circuits;

/* A circuit that can be run, or why not. */
typedef struct circuit {
  const contract *c;
  const ct_action *action;
  const chi_program *program; /* NULL: why */
  const char *why; /* "the circuit of \"join\" is not available: .." */
} circuit;

/* Circuits are compiled for the network's nodes: `target`.  `said` is called
 * from the thread with a line for the log. */
circuits *circuits_new(ir_target target, const char *include,
                       const char *cache_dir,
                       void (*said)(void *user, const char *line), void *user,
                       arena *a, const char **why);
void circuits_free(circuits *x); /* NULL is allowed */

/* A package will be needed; the text is copied.  Wanting it again is free. */
void circuits_want(circuits *x, const uint8_t hash[32], const char *text,
                   size_t n);
/* The circuit of an action of a package that is wanted; waits for it.  The
 * result lives as long as x.  False with *why: the package cannot be read, or
 * has no such action, or the action no circuit. */
bool circuits_get(circuits *x, const uint8_t hash[32], const char *action,
                  circuit *out, const char **why);
/* Nothing is compiled any more; who waits is told.  NULL is allowed. */
void circuits_stop(circuits *x);

#endif
