/* What a circuit costs: rounds, elements and bytes that each node sends, and
 * the correlated randomness it uses.  docs/protocols.md derives the formulas.
 *
 * Bytes are the payload at the share layer: elements of 8 bytes and rep3's
 * opening tags.  Frames, TLS, set-up and sealed outputs come on top.
 */
#ifndef IR_COST_H
#define IR_COST_H

#include "ir/interp.h"
#include "ir/ir.h"

enum { IR_ELEMENT_BYTES = 8, IR_TAG_BYTES = 16 };

typedef struct ir_cost_model {
  ir_protocol protocol;
  unsigned n; /* nodes: 3 for rep3, 3 .. IR_NODES_MAX for shamir */
} ir_cost_model;
bool ir_cost_model_ok(const ir_cost_model *c);

/* All counts saturate at UINT64_MAX. */
typedef struct ir_cost {
  bool exact; /* false: an upper bound, the control flow is not static */
  uint64_t exchanges, rounds;
  uint64_t reduce_lanes, open_lanes, told_lanes;
  uint64_t elements[IR_NODES_MAX]; /* sent by each node */
  uint64_t bytes[IR_NODES_MAX];
  /* Correlated randomness, over all nodes: zero shares (one element each),
   * double sharings dealt and used, and elements expanded from shared seeds. */
  uint64_t zero_shares, doubles_dealt, doubles_used, seeded;
} ir_cost;

/* Adds `times` exchanges of m reduce and o open lanes. */
void ir_cost_exchange(const ir_cost_model *c, uint64_t m, uint64_t o,
                      uint64_t times, ir_cost *acc);

/* The share of one source line.  `rounds` counts those in which the line takes
 * part, so lines that share a round count it each; lanes and bytes add up to
 * the total. */
typedef struct ir_cost_line {
  span sp;            /* of the first op of the line */
  const char *path;   /* NULL without sources */
  uint32_t line;
  uint64_t rounds, reduce_lanes, open_lanes, told_lanes;
  uint64_t bytes;     /* of all nodes together */
} ir_cost_line;

/* Sums exchanges up: from the static walk below, or from the interpreter
 * (ir_interp_opts.exchange = ir_cost_meter_exchange, user = the meter), which
 * predicts a run with known inputs exactly (told lanes: ir_interp_counts). */
typedef struct ir_cost_meter ir_cost_meter;
ir_cost_meter *ir_cost_meter_new(arena *a, const ir_module *m,
                                 ir_cost_model c);
void ir_cost_meter_exchange(void *meter, const ir_exchange *x);
const ir_cost *ir_cost_meter_total(const ir_cost_meter *t);
/* In order of source line. */
const ir_cost_line *ir_cost_meter_lines(ir_cost_meter *t, uint32_t *n);

/* Walks a module of stage sched.  Exact if trip counts and branches with
 * exchanges in them are constants, or branches cost the same; else the greatest
 * the ranges allow.  Lines count both branches. */
ir_cost_meter *ir_cost_static(arena *a, const ir_module *m, ir_cost_model c);

#endif
