/* What the files of the cut share; cut.c has the rules. */
#ifndef IR_CUT_IMPL_H
#define IR_CUT_IMPL_H

#include "base/vec.h"
#include "ir/cut.h"

/* The three sides, as sets. */
enum { BEFORE = 1, CIRCUIT = 2, AFTER = 4 };

/* Facts about a value, or about whether a block runs at all. */
enum {
  REVEALED = 1,   /* depends on an opened value */
  LATE = 2,       /* before cannot compute it */
  LAZY = 4,       /* reads a map from the cut on: before may, if it must */
  ONLY_AFTER = 8, /* the circuit may not compute it */
};

/* A value that one side makes and others take: "%0" from before, "!0" from the
 * circuit.  Inside regions it is a tape: an array with a place for each turn of
 * the loops around it; zero where there was no turn. */
typedef struct cut_wire {
  ir_value *v;
  uint8_t from, to;
  const char *name;
  uint64_t lanes;        /* of the tape */
  const ir_range *range; /* of the tape, in the module that is cut */
  ir_value *cur;         /* of the side being made: the part for one block */
} cut_wire;

typedef VEC(cut_wire *) cut_wires;

/* By value id. */
typedef struct cut_val {
  uint8_t facts;
  uint8_t made, taken; /* sides that compute it; that want it from a wire */
  uint8_t slot;        /* a result of a region: sides whose region has it */
  cut_wire *wire;
  ir_value *copy;      /* in the side being made */
} cut_val;

/* By instruction: i->tmp. */
typedef struct cut_inst {
  uint8_t made;     /* sides that have it */
  uint8_t control;  /* facts: what decides whether its regions run */
  bool from_cut;    /* in a top-level instruction at or after the cut */
  bool overwritten; /* a map's load: a store from the cut on stands before it */
  bool queued;
  unsigned has;     /* HAS_*, its regions included */
  cut_wires wire[2];  /* in its regions */
} cut_inst;

typedef struct cut {
  arena *a;        /* scratch */
  ir_module *m;
  diag *dg;
  cut_val *val;
  cut_wires wires;
  bool has_circuit;
} cut;

static inline cut_val *cut_of(const cut *c, const ir_value *v) {
  return &c->val[v->id];
}

static inline cut_inst *cut_at(const ir_inst *i) { return i->tmp; }

/* Facts of what decides whether block b runs. */
static inline uint8_t cut_control(const ir_block *b) {
  return b->owner ? cut_at(b->owner)->control : 0;
}

static inline bool cut_is_top(const cut *c, const ir_value *v) {
  return v->block == c->m->body;
}

/* ---- cut.c: the rules ---- */
uint8_t cut_source(const ir_inst *i, uint8_t in);
uint8_t cut_root(const cut *c, const ir_inst *i);
bool cut_takes(const cut *c, uint8_t side, const ir_value *v);

/* ---- cut_rotate.c ---- */
/* Takes openings and reads of maps out of the tests of loops. */
void cut_rotate(cut *c);

/* ---- cut_facts.c ---- */
void cut_facts(cut *c);

/* ---- cut_mark.c: what each side makes and takes ---- */
void cut_mark(cut *c);

/* ---- cut_refuse.c ---- */
/* False after a report. */
bool cut_allowed(cut *c);

/* ---- cut_wire.c ---- */
cut_wire *cut_wire_new(cut *c, ir_value *v, uint8_t from);
void cut_wires_open(cut *c); /* one for each opening */
/* Places that a loop has in a tape. */
uint64_t cut_turns(const ir_inst *o);
/* Order, names, sizes.  False after a report. */
bool cut_wires_settle(cut *c);

/* ---- cut_clone.c ---- */
ir_module *cut_clone(cut *c, arena *a, uint8_t side);

#endif
