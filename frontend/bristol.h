/* Bristol Fashion: a boolean circuit as text, one gate a line.
 *
 *     GATES WIRES
 *     INPUTS width ..       the first wires are the inputs, in order
 *     OUTPUTS width ..      the last wires are the outputs, in order
 *
 *     2 1 a b out XOR       also AND; 1 1 a out INV, EQW; 1 1 0 out EQ;
 *     2k k a.. b.. out.. MAND
 *
 * bristol.c reads it, bristol_plan.c lays it out in steps over rows.  Nothing
 * here knows of circuits in ir/: lower_circuit.c does that.
 */
#ifndef FRONTEND_BRISTOL_H
#define FRONTEND_BRISTOL_H

#include "base/diag.h"

/* What is left of a file once INV is an exclusive or with one, EQ and EQW are
 * gone, and what no output needs is left out.  Nodes are numbered in an order
 * of evaluation: zero, one, the bits of the inputs, then gates. */
enum { BRISTOL_ZERO, BRISTOL_ONE, BRISTOL_INPUT };

typedef struct bristol {
  uint32_t nin, nout; /* values */
  const uint32_t *in, *out;
  uint32_t in_bits, out_bits;
  uint32_t n;          /* nodes */
  const uint32_t *a, *b; /* operands, by node; those of gates are set */
  const uint8_t *is_and; /* else exclusive or */
  const uint8_t *live;
  const uint32_t *result; /* nodes of the outputs */
  uint32_t ands, xors;
  uint32_t depth;      /* ands on the longest way */
  uint32_t file_gates, file_ands; /* as the file has them */
  struct bristol_plan *plan;
} bristol;

/* NULL after one report, in the file. */
bristol *bristol_parse(arena *a, const source_file *f, diag *dg);

/* ---- the plan ----
 * A pool of shares holds a row for each bit that is still needed; a second one
 * holds sums of products of one level of ands, which become shares together.
 *
 *   XOR     rows a and b of the pool, combined, become rows at .. of it
 *   AND     the same; the products are settled at once
 *   OPEN    an AND whose products begin a pool of products; the rows keep[..]
 *           of the pool of shares follow them
 *   SUM     a XOR in the pool of products
 *   SETTLE  rows a of the pool of products become rows at .. of the other
 *
 * Before a step writes to the pool of shares, where `packs` is set, the rows
 * keep[0 .. nkeep-1] move to the head of a new one and the others are gone. */
typedef enum {
  BRISTOL_XOR,
  BRISTOL_AND,
  BRISTOL_OPEN,
  BRISTOL_SUM,
  BRISTOL_SETTLE
} bristol_kind;

typedef struct bristol_step {
  bristol_kind kind;
  bool packs;
  uint32_t n;
  const uint32_t *a, *b;
  uint32_t at;
  const uint32_t *keep;
  uint32_t nkeep;
  uint32_t rows; /* OPEN: of the pool of products */
} bristol_step;

typedef struct bristol_plan {
  uint32_t rows; /* of the pool; it begins with the inputs, then one, zero */
  bool one, zero; /* are they there? */
  bristol_step *step;
  uint32_t nstep;
  const uint32_t *result; /* rows of the outputs at the end */
  uint64_t settled; /* bits that become shares: what an instance sends */
} bristol_plan;

/* Made once, then kept in c. */
const bristol_plan *bristol_layout(arena *a, bristol *c);

/* ---- bristol_cut.c ----
 * The gates of one level of ands, in order, and where the products among them
 * are settled: cut[k] is set for few nodes such that every node that has to be
 * a share is one of them, or a sum of them and of shares of lower levels. */
typedef struct bristol_level {
  const bristol *c;
  const uint32_t *level;  /* by node */
  const uint8_t *target;  /* by node: has to be a share */
  const uint32_t *node;   /* of this level, ascending */
  uint32_t n;
  uint32_t number;        /* the level */
  uint32_t *at;           /* scratch by node */
  uint8_t *cut;           /* by node: out */
} bristol_level;
uint32_t bristol_cut(const bristol_level *l);

#endif
