/* The front door: from a file to checked functions to circuits at stage high.
 *
 *     fe_unit *u = fe_load(a, sources, dg, "study.chi", &(fe_options){std});
 *     if (!u || !fe_check(u)) ... show dg ...
 *     const fe_fn *f = fe_fn_find(u, "means");
 *     if (!f || !f->runnable) ... f->why_not ...
 *     fe_facts facts;
 *     struct ir_module *m = fe_lower(u, "means", a, &facts);
 *
 * Nothing here prints; everything goes to the diag given to fe_load.  All
 * results live in the arena given to fe_load (fe_lower: in its own arena).
 */
#ifndef FRONTEND_FRONTEND_H
#define FRONTEND_FRONTEND_H

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/source.h"

struct ir_module;
typedef struct fe_unit fe_unit;

typedef struct fe_options {
  const char *std_dir; /* holds stats.chi for `import std.stats`; may be NULL */
  mpz_srcptr prime;    /* of the field; NULL: 2^61 - 1, or 2^127 - 1 for a
                          function whose secrets need it (contracts: never) */
  const char *const *given; /* "SEATS=20": template parameters of contracts */
  uint32_t ngiven;
  bool strict; /* circuits for the interpreter alone, which then finds what
                  nodes cannot tell: see ir_interp_opts */
} fe_options;

/* Reads and parses `path` and everything it imports.  NULL after a report if
 * the file could not be read; syntax errors give a unit that fe_check
 * refuses. */
fe_unit *fe_load(arena *a, source_set *ss, diag *dg, const char *path,
                 const fe_options *o);

/* Names, types, secrecy, intervals of every function and test; true if there
 * is no error.  Warnings do not count. */
bool fe_check(fe_unit *u);

/* ---- what the file declares (valid after fe_check) ---- */

typedef enum {
  FE_BOOL,
  FE_INT,
  FE_FIXED,
  FE_FIELD,
  FE_IDENTITY,
  FE_STRUCT,
  FE_TUPLE,
  FE_UNIT, /* result only: no value */
  FE_TOLD  /* result only: told to one identity, see reveal(x, to: id) */
} fe_kind;

/* A type as the command needs it to read inputs and print outputs.  An array
 * is its element with ndim > 0; an array of structs has the dims at the
 * struct. */
typedef struct fe_type fe_type;
struct fe_type {
  fe_kind kind;
  bool secret;          /* scalars; a struct: every leaf is */
  const char *text;     /* as the user would write it: "[secret u32; 3]" */
  const char *elem_text; /* text without label and dims: "u32" */
  uint32_t ndim;        /* 0: not an array */
  const uint64_t *dim;
  uint64_t lanes;       /* product of dim; 1 without */
  mpz_srcptr lo, hi;    /* INT, BOOL, IDENTITY: the value; FIXED: raw = value *
                           2^scale; else NULL */
  uint32_t scale;       /* FIXED: fraction bits */
  uint32_t nfield;      /* STRUCT, TUPLE */
  const fe_type *const *field;
  const char *const *field_name; /* "x"; "0" for a tuple */
};

/* A scalar leaf in order of declaration, depth first; the circuit has one
 * input (output) op per leaf, under `name`, in this order.  dims of enclosing
 * arrays come before those of inner ones, row-major. */
typedef struct fe_leaf {
  const char *name;    /* "xs", "p.age", "t.0"; results start with "result" */
  const fe_type *type; /* a scalar kind; ndim and dim are the leaf's whole
                          shape */
} fe_leaf;

typedef struct fe_param {
  const char *name;
  const fe_type *type;
  const fe_leaf *leaf;
  uint32_t nleaf;
  span sp;
} fe_param;

typedef struct fe_fn {
  const char *name;
  const char *doc;     /* text of the `///` comment or NULL */
  bool runnable;       /* may be run as an entry */
  const char *why_not; /* a clause: "it is generic in T"; NULL if runnable */
  const fe_param *param;
  uint32_t nparam;
  fe_param result;     /* name "result" */
  int64_t max_rounds;  /* #[rounds(N)]; -1: none */
  int64_t max_bytes;   /* #[bytes(N)] per node; -1: none */
  span rounds_sp, bytes_sp, sp;
} fe_fn;

/* Functions of the file itself (not of imports), in source order. */
uint32_t fe_fn_count(const fe_unit *u);
const fe_fn *fe_fn_at(const fe_unit *u, uint32_t i);
const fe_fn *fe_fn_find(const fe_unit *u, const char *name);

typedef struct fe_test {
  const char *name; /* the string after `test` */
  span sp;
} fe_test;
uint32_t fe_test_count(const fe_unit *u);
const fe_test *fe_test_at(const fe_unit *u, uint32_t i);

/* ---- contracts of the file itself, in source order ---- */

typedef struct fe_state {
  const char *name, *doc;
  bool secret;
  bool constant;       /* a parameter of the contract */
  const fe_type *const *key; /* of a map */
  uint32_t nkey;       /* 0: no map */
  fe_param value;      /* leaves are named "$name.." */
  span sp;
} fe_state;

typedef struct fe_event {
  const char *name, *doc;
  const fe_param *field;
  uint32_t nfield;
} fe_event;

typedef enum { FE_ACTION, FE_VIEW, FE_INIT } fe_action_kind;
typedef struct fe_action {
  fe_fn fn; /* "init": its parameters are the contract's */
  fe_action_kind kind;
  span body; /* from its keyword to its last brace */
} fe_action;

typedef struct fe_contract {
  const char *name, *doc;
  const fe_state *state;
  uint32_t nstate;
  const fe_event *event;
  uint32_t nevent;
  const fe_action *action; /* the first is "init" */
  uint32_t naction;
  span sp;
} fe_contract;
uint32_t fe_contract_count(const fe_unit *u);
const fe_contract *fe_contract_at(const fe_unit *u, uint32_t i);
const fe_contract *fe_contract_find(const fe_unit *u, const char *name);

/* Module files read, in order of reading; the first is the file itself. */
uint32_t fe_file_count(const fe_unit *u);
const source_file *fe_file_at(const fe_unit *u, uint32_t i);

/* ---- lowering ---- */

/* One `reveal` or `assume` in the circuit, for the leakage manifest. */
typedef struct fe_opening {
  span sp;
  const char *file; /* of sp, as from the program: "main.chi", "std/set.chi" */
  span call;        /* in the library: the program's call of it; else 0, 0 */
  const char *call_file;
  const char *type; /* "u38", "[u32; 9]" */
  uint64_t lanes;   /* elements, all leaves */
  const char *to;   /* "everybody"; "everybody, uniform": opened by the library,
                       with one distribution whatever the secrets; or the text
                       of the identity expression */
  int64_t times;    /* how often one run does it; -1: depends on public data */
  const fe_leaf *leaf; /* a reveal to everybody: what of it was secret, each
                          with its path in the value: "", ".a" */
  uint32_t nleaf;
} fe_opening;

typedef struct fe_facts {
  const fe_opening *opening;
  uint32_t nopening;
  const fe_opening *assume; /* `type` is the type assumed; also of the library's
                               own */
  uint32_t nassume;
} fe_facts;

/* Circuit of function `fn` at stage high; NULL after a report.  fe_check must
 * have returned true and the function be runnable.  `facts` may be NULL.  After
 * a circuit of the unit was too large, there are no others: most often they
 * call it, and each would take as long to find out. */
struct ir_module *fe_lower(fe_unit *u, const char *fn, arena *a,
                           fe_facts *facts);

/* The whole action as one module at stage high, for ir_cut_action: state is
 * inputs and outputs "$..", see backend/contract.h.  NULL after a report. */
struct ir_module *fe_lower_action(fe_unit *u, const fe_contract *c,
                                  const fe_action *act, arena *a,
                                  fe_facts *facts);

/* Circuit of test block i: no inputs, no outputs; assert is a check.  Public
 * values that enter `secret` parameters or variables become trivial shares, so
 * that nodes really compute. */
struct ir_module *fe_lower_test(fe_unit *u, uint32_t i, arena *a,
                                fe_facts *facts);

#endif
