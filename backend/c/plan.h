/* How a circuit becomes C, decided before the first byte is written.
 *
 * A value is either a *root*, with a slot in the word arena, or is computed
 * inside the loop of whatever reads it.  Roots are: what the runtime writes
 * or reads (inputs, outputs, opened and reduced values), region operands,
 * parameters and results, put and concat, values read by several instructions,
 * values read in another block or behind an exchange, what a replicating view
 * reads, every value of bits, what an operation on bits reads, and the heaviest
 * operands of a tree of more than PLAN_WEIGHT nodes.
 * Constants, iota and views of slots never are, except where a slot is
 * demanded.
 *
 * A slot may serve several values one after the other: a put writes in place
 * if its operand dies there; the parameters and results of a region share a
 * slot, if possible with the initial value and with what the body yields.
 */
#ifndef BACKEND_C_PLAN_H
#define BACKEND_C_PLAN_H

#include "ir/ir.h"

enum {
  PLAN_WEIGHT = 120, /* operations of one tree */
  PLAN_WIDE_COST = 4, /* weight of an operation on wide integers */
  PLAN_CHAIN = 8,    /* views of views that are still read in place */
  PLAN_NEST = 4,     /* sums within sums in one loop nest */
  PLAN_MOVE = 64,    /* lanes up to which a read of a mutable value copies */
  PLAN_WORDS_MAX_BITS = 46
};

/* Representation of one lane; bits lie many in a word. */
typedef enum {
  REP_Z,
  REP_WIDE,
  REP_P,
  REP_SH,
  REP_PROD,
  REP_B, /* in the order of ir_kind */
  REP_BSH,
  REP_BPROD
} c_rep;
static inline bool rep_is_bits(c_rep r) { return r >= REP_B; }

typedef struct c_slot {
  uint64_t words, off;
  uint32_t start, end;     /* positions, inclusive */
  const ir_value *holder;  /* who lives there, while slots are assigned */
  const ir_inst *claim;    /* the if whose result took it */
} c_slot;

typedef struct c_val {
  c_rep rep;
  bool root, many, far, cheap, mutated;
  uint32_t weight, depth, nest;
  const ir_inst *user; /* the reader seen last */
  const ir_inst **use; /* of a root: units that read its slot */
  uint32_t nuse, capuse;
  c_slot *slot, *hint;
  uint32_t table; /* number of its static array, 0: none yet */
} c_val;

/* One step of a parallel move: the slot of a region's value gets `src`, from
 * its slot, from `temp`, or computed (constants). */
typedef struct c_move {
  c_slot *dst;
  const ir_value *to;  /* type of the destination; NULL: as src */
  const ir_value *src;
  c_slot *temp;
} c_move;

typedef struct c_ins {
  uint32_t pos, end; /* end: of a region op, behind its regions */
  uint32_t seg;      /* straight piece of its block */
  c_move *move;      /* yield, for, while: values to carry over */
  uint32_t nmove;
  /* Of an operation on bits, by operand: where it is made of the result's kind
   * or brought to one word a lane (like), and of the result's lanes (wide). */
  c_slot *like[3], *wide[3];
} c_ins;

typedef struct c_plan {
  arena *a;
  ir_module *m;
  c_val *val;
  c_slot **slot;
  uint32_t nslot, capslot;
  uint32_t pos;
  uint64_t words; /* size of the arena */
} c_plan;

static inline c_val *plan_val(const c_plan *p, const ir_value *v) {
  return &p->val[v->id];
}
static inline c_ins *plan_ins(const ir_inst *i) { return i->tmp; }
static inline bool plan_is_leaf_op(const ir_value *v) {
  return v->def && (v->def->op == OP_CONST || v->def->op == OP_TABLE ||
                    v->def->op == OP_IOTA);
}

c_rep plan_rep(const ir_type *t);
uint64_t plan_words(const ir_module *m, c_rep r, uint64_t lanes);
/* Is it computed by calls on slots, not by a loop over lanes? */
bool plan_is_bits(const ir_inst *i);
/* Operands of which the emitted code reads the value: an assume's guard is for
 * the interpreter. */
static inline uint32_t plan_narg(const ir_inst *i) {
  return i->op == OP_ASSUME ? 1 : i->narg;
}

/* plan.c: everything below in order; NULL after a report. */
c_plan *plan_new(ir_module *m, arena *a, diag *dg);
/* live.c */
void plan_fill_uses(c_plan *p);
/* Is v read after i on some path?  Uses by i itself do not count. */
bool plan_live_after(const c_plan *p, const ir_value *v, const ir_inst *i);
bool plan_used_at(const c_plan *p, const ir_value *v, uint32_t pos);
/* Does the tree of v read root x, and if so only lane l for lane l? */
bool plan_reads(const c_plan *p, const ir_value *v, const ir_value *x);
bool plan_reads_own_lane(const c_plan *p, const ir_value *v,
                         const ir_value *x);
/* slots.c */
void plan_assign_slots(c_plan *p);

#endif
