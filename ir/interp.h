/* Evaluates a circuit of any stage on clear values: the oracle of the tests and
 * the engine of --clear.
 *
 * A p value is its residue, a local product the product, a share its secret.
 * Lanes live in flat arrays: 64-bit words where the field (k <= 61) or the
 * range allows it, GMP integers otherwise.  Views, and vector arithmetic that
 * feeds one sum only, are read through and not stored; put works in place on an
 * array that nothing else holds; a dead value is freed at once.  Time is linear
 * in the lanes computed.
 */
#ifndef IR_INTERP_H
#define IR_INTERP_H

#include "ir/ir.h"

/* The lanes of a leaf.  Exactly one array is there: mpz if the value is wide
 * (ir_lanes_wide), else i64.  A residue is canonical, 0 .. p-1, in a leaf of
 * type "field"; in any other it is the representative of least absolute value.
 * Inputs may be either. */
typedef struct ir_lanes {
  uint64_t n;
  int64_t *i64;
  __mpz_struct *mpz;
} ir_lanes;

bool ir_lanes_wide(const ir_module *m, const ir_type *ty);
/* Zeroed; false if out of memory. */
bool ir_lanes_init(ir_lanes *l, uint64_t n, bool wide);
void ir_lanes_fini(ir_lanes *l);
void ir_lanes_get(const ir_lanes *l, uint64_t k, mpz_ptr out);
/* False if v does not fit the array. */
bool ir_lanes_set(ir_lanes *l, uint64_t k, mpz_srcptr v);

typedef enum {
  IR_RUN_OK,
  IR_RUN_CHECK,     /* a check failed: its message and place */
  IR_RUN_RANGE,     /* an opened value lies outside dec's range */
  IR_RUN_ASSUME,    /* assume was wrong */
  IR_RUN_INPUT,     /* an input is missing or outside its range */
  IR_RUN_UNDEFINED, /* division by 0, a lane out of bounds: nothing checked */
  IR_RUN_WRONG,     /* a value left its range: the circuit is faulty */
  IR_RUN_BUDGET,    /* opts.max_steps or max_bytes */
  IR_RUN_HOST       /* the host refused a load, a store or an event */
} ir_status;

/* One exchange of stage sched, as it happens: ops first .. of one round. */
typedef struct ir_exchange {
  const ir_inst *first;
  uint32_t nop;
  uint64_t reduce_lanes, open_lanes;
} ir_exchange;

/* One value told: what, to whom (256 bits), in order of telling. */
typedef struct ir_told {
  const char *name;
  mpz_t identity;
  ir_lanes value;
  span sp;
} ir_told;

/* Where maps and events of a contract's public part are: ops mload, mstore and
 * emit.  Every member is needed by a circuit that has the op; false fails the
 * run with IR_RUN_HOST. */
typedef struct ir_host {
  /* The value of a map's leaf under nkey keys; *out has the right form and
   * number of lanes and is zero: what an absent entry is. */
  bool (*load)(void *user, const char *leaf, const mpz_t *key, uint32_t nkey,
               ir_lanes *out);
  bool (*store)(void *user, const char *leaf, const mpz_t *key, uint32_t nkey,
                const ir_lanes *value);
  /* Fields in order of declaration, one entry per leaf. */
  bool (*emit)(void *user, const char *event, const ir_lanes *field,
               uint32_t nfield);
  void *user;
} ir_host;

typedef struct ir_interp_opts {
  uint64_t max_steps; /* instructions + lanes computed; 0: no limit */
  /* Steps bound time: an instruction on values that do not fit a word, and each
   * of its lanes, counts as many times as it is slower. */
  bool weigh;
  uint64_t max_bytes; /* of lanes alive; 0: no limit */
  bool strict; /* what is defined of shares, but surely a mistake, is
                  IR_RUN_CHECK: a division by 0, an index outside */
  bool check_ranges;  /* every value, each lane: IR_RUN_WRONG; slower */
  void (*exchange)(void *user, const ir_exchange *x); /* or NULL */
  void *user;
  const ir_host *host; /* or NULL: the circuit has no such ops */
} ir_interp_opts;

typedef struct ir_counts {
  uint64_t exchanges; /* stage sched; else each interactive op counts one */
  uint64_t reduce_lanes, open_lanes, told_lanes;
  uint64_t steps, peak_bytes;
} ir_counts;

typedef struct ir_interp ir_interp;
/* m must be verified and outlive the interpreter.  Call ir_interp_free. */
ir_interp *ir_interp_new(const ir_module *m, const ir_interp_opts *o);
void ir_interp_free(ir_interp *x);
/* The array is read by the runs that follow and stays the caller's; *v itself
 * is copied.  False if there is no such leaf or no array. */
bool ir_interp_input(ir_interp *x, uint32_t leaf, const ir_lanes *v);
ir_status ir_interp_run(ir_interp *x);
/* After a status other than OK: what and where; of a check its own message. */
const char *ir_interp_message(const ir_interp *x);
span ir_interp_span(const ir_interp *x);
/* The result leaf after a run that was OK; NULL if it has no output (told). */
const ir_lanes *ir_interp_output(const ir_interp *x, uint32_t leaf);
uint32_t ir_interp_ntold(const ir_interp *x);
const ir_told *ir_interp_told(const ir_interp *x, uint32_t k);
ir_counts ir_interp_counts(const ir_interp *x);

#endif
