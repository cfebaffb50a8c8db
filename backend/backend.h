/* Backends: from a scheduled circuit to text in memory.  The caller saves it.
 *
 *   backend_output out = {0};
 *   if (!backend_find("c")->emit(m, &info, a, dg, &out)) ... show dg ...
 *   buf_save(&out.part[0].text, path); ...
 *   backend_output_free(&out);
 *
 * What a backend cannot express is a diagnostic, reported before the first
 * byte.  Equal circuits and equal infos give equal bytes on any machine.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "ir/ir.h"

/* One `reveal`, `tell` or `assume` of the source. */
typedef struct backend_fact {
  uint32_t line, col;
  const char *type; /* "u38", "[u32; 9]" */
  uint64_t lanes;   /* elements, all leaves */
  const char *to;   /* "everybody" or the text of the identity; assume: NULL */
  int64_t times;    /* how often one run does it; -1: depends on public data */
  const char *file; /* "main.chi", "std/set.chi"; NULL: not told */
  const char *call_file; /* in the library: where the program calls it; or
                            NULL */
  uint32_t call_line, call_col;
} backend_fact;

/* What the circuit itself does not know.  Any pointer may be NULL. */
typedef struct backend_info {
  const char *module;       /* file stem or dotted module name; NULL: "main" */
  const char *doc;          /* doc comment of the function */
  const char *version;      /* compiler version */
  const char *source_hash;  /* 64 lower-case hex; NULL: all zero */
  const char *const *owner; /* per input leaf: who brings it; NULL: anybody */
  const backend_fact *opening;
  uint32_t nopening;
  const backend_fact *assume;
  uint32_t nassume;
  unsigned mersenne; /* the library's own field is 2^this - 1; 0: 61 */
  const char *stem; /* file name of the outputs without suffix, NULL: the
                       function's name; the .c includes "<stem>.h" */
} backend_info;

enum { BACKEND_PARTS = 3 };

typedef struct backend_output {
  struct {
    const char *suffix; /* ".c" */
    buf text;
  } part[BACKEND_PARTS];
  uint32_t npart;
  uint64_t words; /* 64-bit words of a node's memory for one run; 0: unknown */
} backend_output;

void backend_output_free(backend_output *o);

/* Capabilities. */
enum {
  BACKEND_RUNS = 1,     /* its output can be run by nodes */
  BACKEND_SHARES = 2,   /* handles shared values */
  BACKEND_MANIFEST = 4, /* writes a manifest */
};

typedef struct backend {
  const char *name;
  const char *const *suffixes; /* of the parts, NULL ends */
  unsigned capabilities;
  /* False after a report; `o` is then untouched.  m must be at stage sched
   * and verified; its value ids and tmp fields are used.  Scratch and strings
   * of the result come from `a`. */
  bool (*emit)(ir_module *m, const backend_info *info, arena *a, diag *dg,
               backend_output *o);
} backend;

/* The nodes whose costs a circuit's papers tell: its target, or a choice. */
const ir_target *backend_targets(const ir_module *m, uint32_t *n);
/* Cost of one run from the schedule alone, in `a`: totals without the lines. */
struct ir_cost;
const struct ir_cost *backend_cost(arena *a, const ir_module *m,
                                   const ir_target *t);

/* What stands for input or output k of m's table: the value read or given. */
typedef struct backend_leaf {
  const ir_value *v; /* NULL: nothing does */
  bool told;
} backend_leaf;
backend_leaf *backend_leaves(arena *a, const ir_module *m, bool out);

extern const backend backend_c;
const backend *backend_find(const char *name); /* NULL if there is none */
const backend *backend_at(uint32_t i);         /* NULL beyond the last */

#endif
