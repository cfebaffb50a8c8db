/* Runs the public parts of actions, inits and views over a state: the
 * interpreter of circuits, with a step budget and deterministic.  What a part
 * writes is kept aside; its later reads, and the part after it, see it.
 */
#ifndef LEDGER_EXEC_H
#define LEDGER_EXEC_H

#include "ledger/state.h"

/* Memory of one part's values. */
#define EXEC_BYTES_MAX ((uint64_t)256 << 20)
/* A map's load or store and an event count as so many steps: a part may do
 * budget / EXEC_HOST_STEPS of them, beside its arithmetic. */
enum { EXEC_HOST_STEPS = 100 };

/* Packages as contracts, the most recently used ones; one for many states. */
typedef struct packages packages;
packages *packages_new(void);
void packages_free(packages *p);
/* NULL if the ledger has no such package, or it does not parse.  Valid until
 * EXEC_PACKAGES others were asked for. */
enum { EXEC_PACKAGES = 64 };
const contract *packages_get(packages *p, state *st, const uint8_t hash[32]);

typedef struct exec exec;
typedef struct exec_call {
  state *st;
  uint64_t inst; /* 0: not made yet, all state is empty */
  const contract *c;
  const ct_action *x;
  uint8_t caller[32];
  uint64_t now, height;
  uint64_t budget; /* steps of one part */
  tx_values args, handed, opened;
} exec_call;

exec *exec_new(arena *a, const exec_call *call);
/* Writes of an earlier part, by which later reads go. */
void exec_staged(exec *e, const effect_write *write, uint32_t n);
/* Runs a part: true, or false with a reason for the caller.  Events, handed
 * values, result are added to *out; writes are kept for exec_writes. */
bool exec_run(exec *e, ct_part part, effects *out, const char **why);
/* Everything written, staged too, in order of first writing. */
void exec_writes(const exec *e, effects *out);

/* Are `v` exactly the leaves, in order, with their lanes and within their
 * intervals?  Secret ones are left out.  False with a reason. */
bool exec_fits(arena *a, const ct_leaf *leaf, uint32_t n, const tx_values *v,
               const char *what, const char **why);
/* Are `v` the values that the circuit opens? */
bool exec_opened_fits(arena *a, const ct_action *x, const tx_values *v,
                      const char **why);
/* Has the circuit an input that callers give? */
bool exec_has_sealed(const ct_action *x);

#endif
