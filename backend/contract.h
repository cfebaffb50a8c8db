/* A contract package: a deployed contract as data.  The compiler writes it, its
 * SHA-256 is the contract's name for ever; ledger, nodes and callers read it.
 *
 * JSON, written canonically (equal source, equal bytes):
 *
 * {"format": 1, "compiler", "contract", "field", "source_hash",
 *  "state":   [{"name", "type", "secret", "constant", "keys": [TYPE..],
 *               "value": TYPE,
 *               "leaves": [{"name", "lanes", "lo", "hi"}]}],
 *  "events":  [{"name", "fields": [{"name", "type": TYPE}]}],
 *  "actions": [{"name", "kind": "action"|"view"|"init",
 *               "params": [{"name", "type": TYPE}], "result": TYPE,
 *               "reads": [state name..], "writes": [state name..],
 *               "before": IR text or null, "circuit": .., "after": ..,
 *               "circuit_hash": 64 hex or null,
 *               "openings": [{"line", "col", "type", "lanes", "to", "times"}],
 *               "opened": [{"name": "!0", "line", "col",
 *                           "path": "" or "a.x" or null,
 *                           "type": TYPE or null}]}]}
 *
 * "field" is "2^61-1", "2^127-1" or another prime's decimal digits: of all
 * circuits, and of the shares that nodes keep.
 *
 * TYPE describes a value for people who read and write it (abi.h).  "openings"
 * are the reveals of the source; "opened", which may be left out, says of values
 * that the circuit opens which reveal opens them, and which part of its value
 * they are.
 *
 * Names of leaves in the three parts of an action:
 *
 *   "amount", "p.age"   a leaf of a parameter
 *   "@caller" "@now" "@height"   who calls (256 bits), ledger time in seconds,
 *                       number of the record: inputs of before
 *   "$filled", "$p.age" a leaf of a state variable that is not a map.  An input
 *                       holds what it was, an output what it becomes; no output
 *                       means that it stays
 *   "%3"                a public value handed on: output of before; input of
 *                       circuit, after, or both
 *   "!0"                a value that the circuit opens: its public output, an
 *                       input of after
 *   "result", "result.0"   what the action or view gives: of before where there
 *                       is no after
 *
 *   before   in:  public parameters, @.., public $..     (no nodes needed)
 *            out: public $.., %..; result if there is no after
 *   circuit  in:  %.., secret parameters, secret $..     (run on shares)
 *            out: !.., secret $.., told values (`tell`)
 *   after    in:  %.., !..      out: public $.., result
 *
 * before and after read and write maps and emit events by the ops mload, mstore
 * and emit, through ir_host (ir/interp.h).  A map's leaves are named "$votes",
 * "$pos.x".  The init part is a before; its output "$salary" of a secret state
 * variable is the public value that the shares begin with.
 *
 * Secret state that was never written (version 0) is zero, or what init gave.
 */
#ifndef BACKEND_CONTRACT_H
#define BACKEND_CONTRACT_H

#include "ir/ir.h"

enum {
  CONTRACT_FORMAT = 1,
  CONTRACT_BYTES_MAX = 16 << 20,
  CONTRACT_NAME_MAX = 255,  /* bytes of a name or leaf path */
  CONTRACT_LIST_MAX = 1024, /* states, actions, events; leaves of one list */
  CONTRACT_KEYS_MAX = 8,
  CONTRACT_LANES_MAX = 1 << 20, /* of what the ledger holds or is told */
  CONTRACT_BITS_MAX = 4096      /* of a value in before and after */
};

typedef enum { CT_ACTION, CT_VIEW, CT_INIT } ct_kind;

typedef struct ct_leaf {
  const char *name;    /* state: with its sigil, "$p.age" */
  uint64_t lanes;
  const char *lo, *hi; /* decimal; both NULL: any element of the field */
  mpz_srcptr p;        /* of that field */
  bool secret;
} ct_leaf;

typedef struct ct_state {
  const char *name; /* "salary" */
  const char *type; /* as written: "[secret u32; 64]" */
  bool secret;
  bool constant;    /* a parameter of the contract: set at deploy */
  uint32_t nkey;    /* > 0: a map; its keys are public scalars */
  ct_leaf *leaf;
  uint32_t nleaf;
} ct_state;

typedef struct ct_event {
  const char *name;
  ct_leaf *field; /* in order of declaration */
  uint32_t nfield;
} ct_event;

/* Where an opened value comes from: for people. */
typedef struct ct_opened {
  const char *name; /* "!0" */
  uint32_t line, col;
  const char *path; /* in the value revealed: "", "a.x"; NULL: not known */
} ct_opened;

typedef enum { CT_BEFORE, CT_CIRCUIT, CT_AFTER, CT_PARTS } ct_part;

typedef struct ct_action {
  const char *name;
  ct_kind kind;
  ct_leaf *param; /* leaves of the parameters, in order of declaration */
  uint32_t nparam;
  const char *before, *circuit, *after; /* IR text; NULL: there is none */
  const char *circuit_hash; /* ir_hash of the circuit as parsed; NULL: none */
  ir_module *part[CT_PARTS]; /* the three, parsed; NULL: there is none */
  const ir_type **in[CT_PARTS], **out[CT_PARTS]; /* types of their leaves, by
                               index; NULL: told, no operation has it */
  bool *reads, *writes;     /* by state index */
  ct_opened *opened;
  uint32_t nopened;
} ct_action;

typedef struct contract {
  const char *name;
  const char *field;
  mpz_srcptr p; /* the prime that "field" names */
  ct_state *state;
  uint32_t nstate;
  ct_event *event;
  uint32_t nevent;
  ct_action *action; /* "init" is among them */
  uint32_t naction;
  const char *text;  /* the package's bytes, n of them and a NUL */
  size_t n;
  uint8_t hash[32];  /* SHA-256 of them */
} contract;

/* Reads and checks a package of n bytes; `path` names it in diagnostics.  Every
 * IR text is parsed and verified once, and its leaves are compared with the
 * rules above: what a part reads and writes is declared, handed on and opened
 * values fit together, a circuit writes all leaves of a secret variable or
 * none.  NULL after one report.  Everything lives in `a`. */
contract *contract_parse(arena *a, const char *path, const char *text,
                         size_t n, diag *dg);
const ct_action *contract_action(const contract *c, const char *name);
/* Index of the state variable, -1 if there is none; `name` may be a leaf with
 * its sigil. */
int contract_state(const contract *c, const char *name);
/* Two actions that may not overlap: one writes what the other reads or
 * writes. */
bool contract_conflict(const contract *c, const ct_action *x,
                       const ct_action *y);
const ct_event *contract_event(const contract *c, const char *name);
/* A leaf of state by its name with sigil; *state (may be NULL): of which. */
const ct_leaf *contract_leaf(const contract *c, const char *name, int *state);
/* Does the leaf's interval hold v?  Any field element: 0 .. p-1. */
bool ct_leaf_holds(const ct_leaf *l, mpz_srcptr v);
/* The type of an input or output leaf of any part; NULL if no op has it. */
const ir_type *contract_leaf_type(const ir_module *m, bool out,
                                  const char *name);
/* The type of an output of a part by name; NULL if no op has it. */
const ir_type *contract_output(const ct_action *x, ct_part part,
                               const char *name);
/* One part as a module, verified; NULL after a report. */
ir_module *contract_part(arena *a, const char *name, const char *ir_text,
                         diag *dg);

#endif
