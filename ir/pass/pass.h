/* Passes over the circuit.  passes.def is the list; a pipeline is a comma
 * list of its names.  docs/passes.md tells what each does.
 *
 * A pass changes the module in place, keeps what the circuit computes, which
 * check fails first, and (bits apart, which says what integers on shares cost)
 * never raises depth or the elements of an exchange.
 * Running one costs time and memory linear in the instructions (sched: times
 * the depth's logarithm), whatever the lanes and trip counts.
 */
#ifndef IR_PASS_PASS_H
#define IR_PASS_PASS_H

#include "ir/ir.h"

typedef enum {
#define PASS(NAME, ...) PASS_##NAME,
#include "ir/pass/passes.def"
#undef PASS
  PASS_COUNT
} pass_id;

/* What one pass did, for --stats and --time-passes. */
typedef struct pass_stat {
  const char *pass;
  bool changed;
  double seconds;
  uint64_t before, after; /* instructions, regions included */
  size_t bytes;           /* arena growth */
} pass_stat;

typedef struct pass_opts {
  bool verify; /* after each pass; debug builds always do */
  const char *dump_after; /* a pass name, "all" or NULL */
  void (*dump)(void *user, const char *pass, const ir_module *m);
  void (*stat)(void *user, const pass_stat *st);
  void *user;
  ir_target target; /* for whom `bits` lowers; {0}: the module's, or rep3 */
} pass_opts;

/* What a pass gets besides the module. */
typedef struct pass_ctx {
  arena *scratch; /* freed after the pass */
  diag *dg;
  ir_target target;
} pass_ctx;

typedef struct pass_info {
  const char *name;
  bool (*run)(ir_module *m, pass_ctx *cx); /* did it change anything? */
  ir_stage in_lo, in_hi; /* stages it takes */
  int out;               /* stage it leaves, or -1: the one it found */
  bool required;         /* every pipeline to its stage must hold it */
  const char *summary;
} pass_info;
extern const pass_info pass_table[PASS_COUNT];
const pass_info *pass_find(const char *name, size_t n); /* NULL: none */

/* Runs the passes of a comma list ("fold,cse,dce") in their order.  False
 * after a report to dg: unknown name, wrong stage, or (when verifying) the pass
 * after which the verifier objected, by name.  o may be NULL. */
bool pass_run(ir_module *m, const char *pipeline, const pass_opts *o,
              diag *dg);

/* The pipeline of -O0, -O1, -O2 (larger counts as 2) that takes a module from
 * stage high to `upto`. */
const char *pass_pipeline(int level, ir_stage upto);

/* order.c: in every pipeline, each run of `after` that has a `before` in the
 * pipeline stands behind one. */
typedef struct pass_rule {
  pass_id before, after;
  const char *why;
} pass_rule;
extern const pass_rule pass_rules[];
extern const uint32_t pass_nrules;
/* The first rule the pipeline breaks, or NULL; also NULL for unknown names. */
const pass_rule *pass_order_broken(const char *pipeline);

#endif
