/* What a circuit costs: rounds, elements and bytes that each node sends, and
 * the correlated randomness it uses.  docs/protocols.md derives the formulas.
 *
 * Bytes are the payload at the share layer: elements of 8 bytes a word, bits as
 * they are packed, and rep3's opening tags.  Frames, TLS, set-up and sealed
 * outputs come on top.
 */
#ifndef IR_COST_H
#define IR_COST_H

#include "ir/interp.h"
#include "ir/ir.h"

enum { IR_TAG_BYTES = 16 };

/* rep3 has 3 nodes, shamir 3 .. IR_NODES_MAX. */
bool ir_target_ok(const ir_target *c);

/* What one exchange moves, by item.  Bits of an item are packed by themselves
 * in rep3, hence the bytes: the sum of ceil(lanes / 8). */
typedef struct ir_load {
  uint64_t reduce, open; /* lanes of the field */
  uint64_t reduce_bits, reduce_bytes, open_bits, open_bytes;
  uint64_t deal, bdeal;  /* bits to deal: of summands, into the field */
  uint64_t xdeal[3], xjoin[3]; /* lanes by lane mod 3 */
  uint64_t shuffle[3];   /* lanes of the field, by turn */
  uint32_t bit_items;    /* all but those of the field */
} ir_load;
void ir_load_add(ir_load *x, const ir_inst *i);
/* Of nop interactive ops from `first` on. */
ir_load ir_load_of(const ir_inst *first, uint32_t nop);

/* All counts saturate at UINT64_MAX. */
typedef struct ir_cost {
  bool exact; /* false: an upper bound, the control flow is not static */
  uint64_t exchanges, rounds;
  uint64_t reduce_lanes, open_lanes, told_lanes; /* of the field */
  uint64_t reduce_bits, open_bits, dealt; /* dealt: bits between the domains */
  uint64_t shuffled; /* lanes of the field */
  uint64_t elements[IR_NODES_MAX]; /* of the field, sent by each node */
  uint64_t bytes[IR_NODES_MAX];
  /* Correlated randomness, over all nodes: zero shares (one element each),
   * double sharings dealt and used, and elements expanded from shared seeds.
   * That of bits is an eighth of a byte (rep3) or a byte each: not counted. */
  uint64_t zero_shares, doubles_dealt, doubles_used, seeded;
} ir_cost;

/* Adds `times` exchanges of that load, elements being of that size. */
void ir_cost_exchange(const ir_target *c, uint32_t element_bytes,
                      const ir_load *x, uint64_t times, ir_cost *acc);

/* The share of one source line.  `rounds` counts those in which the line takes
 * part, so lines that share a round count it each; lanes and bytes add up to
 * the total. */
typedef struct ir_cost_line {
  span sp;            /* of the first op of the line */
  const char *path;   /* NULL without sources */
  uint32_t line;
  uint64_t rounds, reduce_lanes, open_lanes, told_lanes;
  uint64_t reduce_bits, open_bits, dealt, shuffled;
  uint64_t bytes;     /* of all nodes together */
} ir_cost_line;

/* Sums exchanges up: from the static walk below, or from the interpreter
 * (ir_interp_opts.exchange = ir_cost_meter_exchange, user = the meter), which
 * predicts a run with known inputs exactly (told lanes: ir_interp_counts). */
typedef struct ir_cost_meter ir_cost_meter;
ir_cost_meter *ir_cost_meter_new(arena *a, const ir_module *m,
                                 ir_target c);
void ir_cost_meter_exchange(void *meter, const ir_exchange *x);
const ir_cost *ir_cost_meter_total(const ir_cost_meter *t);
/* In order of source line. */
const ir_cost_line *ir_cost_meter_lines(ir_cost_meter *t, uint32_t *n);

/* Walks a module of stage sched.  Exact if trip counts and branches with
 * exchanges in them are constants, or branches cost the same; else the greatest
 * the ranges allow.  Lines count both branches. */
ir_cost_meter *ir_cost_static(arena *a, const ir_module *m, ir_target c);

#endif
