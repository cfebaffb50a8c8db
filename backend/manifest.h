/* The manifest: what a circuit takes, gives, opens and costs, as JSON.
 *
 * {"format": 1, "name", "module", "symbol", "compiler", "field",
 *  "circuit_hash", "source_hash",
 *  "target":   {"protocol", "nodes"} or null: any nodes,
 *  "inputs":   [{"name", "type", "shape", "lanes", "secret", "owner",
 *                "lo", "hi", "scale"}],
 *  "outputs":  [the same without owner, and "to"],
 *  "openings": [{"file", "line", "col", "call", "type", "lanes", "to",
 *                "times"}],
 *  "assumes":  [the same without "to"],
 *  "cost":     [{"protocol", "nodes", "exact", "rounds", "bytes": [..],
 *                "elements": [..], "zero_shares", "doubles_dealt",
 *                "doubles_used", "seeded"}]}
 *
 * "file" is "std/set.chi" in the library, else relative to the program's; of
 * what the library does, "call" is where the program calls it: {"file", "line",
 * "col"}.  Both may be left out.
 *
 * A circuit with a target runs on no other nodes, and "cost" tells of these
 * alone; "target" may be left out.
 *
 * lo and hi are decimal strings (they may exceed a double) or null for any
 * field element.  times is null where it depends on public data.  "to" is
 * "everybody", "nodes" for a share that stays, or "identity".
 */
#ifndef BACKEND_MANIFEST_H
#define BACKEND_MANIFEST_H

#include "backend/backend.h"

enum {
  MANIFEST_FORMAT = 1,
  MANIFEST_BYTES_MAX = 16 << 20,
  MANIFEST_NODES_MAX = 64
};

void manifest_print(buf *out, const ir_module *m, const backend_info *info,
                    const char *symbol, arena *a);

typedef struct manifest_leaf {
  const char *name, *type, *shape;
  const char *owner; /* inputs; "anybody" */
  const char *to;    /* outputs */
  const char *lo, *hi; /* decimal; both NULL: any field element */
  uint64_t lanes, scale;
  bool secret;
} manifest_leaf;

typedef struct manifest_fact {
  uint64_t line, col, lanes;
  const char *file, *call_file; /* NULL: not told */
  uint64_t call_line, call_col;
  const char *type, *to; /* to: openings */
  int64_t times;         /* -1: depends on public data */
} manifest_fact;

typedef struct manifest_cost {
  const char *protocol; /* "rep3", "shamir" */
  uint64_t nodes, rounds;
  bool exact;
  uint64_t bytes[MANIFEST_NODES_MAX], elements[MANIFEST_NODES_MAX];
  uint64_t zero_shares, doubles_dealt, doubles_used, seeded;
} manifest_cost;

typedef struct manifest {
  const char *name, *module, *symbol, *compiler, *field;
  const char *circuit_hash, *source_hash; /* 64 lower-case hex */
  const char *protocol; /* of the only nodes it is for; NULL: any */
  uint64_t nodes;       /* 0: any */
  manifest_leaf *input, *output;
  manifest_fact *opening, *assume;
  manifest_cost *cost;
  size_t ninput, noutput, nopening, nassume, ncost;
} manifest;

/* Reads and checks a manifest of n bytes; `path` names it in diagnostics.
 * NULL after one report.  Unknown keys are allowed, missing ones are not.
 * Everything lives in `a`. */
manifest *manifest_parse(arena *a, const char *path, const char *text,
                         size_t n, diag *dg);

#endif
