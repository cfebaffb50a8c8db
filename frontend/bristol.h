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
 * A pool of rows, one row for each bit that is still needed.  A step fetches
 * the rows a and b, combines them, and writes the results side by side at row
 * `at`.  Before that, where `packs` is set, the rows keep[0 .. nkeep-1] move to
 * the head of a new pool, and everything else is dropped. */
typedef struct bristol_step {
  bool is_and, packs;
  uint32_t n;
  const uint32_t *a, *b;
  uint32_t at;
  const uint32_t *keep;
  uint32_t nkeep;
} bristol_step;

typedef struct bristol_plan {
  uint32_t rows; /* of the pool; it begins with the inputs, then one, zero */
  bool one, zero; /* are they there? */
  bristol_step *step;
  uint32_t nstep;
  const uint32_t *result; /* rows of the outputs at the end */
} bristol_plan;

/* Made once, then kept in c. */
const bristol_plan *bristol_layout(arena *a, bristol *c);

#endif
