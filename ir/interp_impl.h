/* Inside the interpreter: lanes in memory, and the compiled form of a module.
 *
 * A value in word form is 64 bits a lane: the residue (p, k <= 61) or an
 * int64_t (z within 64 bits).  Otherwise its lanes are GMP integers.
 */
#ifndef IR_INTERP_IMPL_H
#define IR_INTERP_IMPL_H

#include "ir/interp.h"

enum {
  CHUNK = 1024,     /* lanes worked on at a time */
  LAZY_MIN = 4096,  /* fewer lanes are always stored */
  LAZY_DEPTH = 8    /* chunks are on the stack: 16 KiB a level */
};

typedef struct store store;

/* All lanes equal: st is NULL and word holds them.  A store of n = 1 stands
 * for any number of equal lanes too. */
typedef struct val {
  store *st;
  uint64_t word;
} val;

struct store {
  uint32_t ref;
  enum { ST_WORDS, ST_GMP, ST_VIEW, ST_LAZY } form;
  uint64_t n;
  uint64_t *w;       /* WORDS */
  __mpz_struct *g;   /* GMP */
  store *base;       /* VIEW: of WORDS or GMP */
  int64_t off;
  uint32_t ndim;
  ir_dim *dim;       /* owned */
  ir_op op;          /* LAZY: op on arg; lanes computed when read */
  ir_dom dom;        /* of the operands */
  uint32_t depth, narg;
  val arg[3];
  span sp;
};

typedef struct node node;
typedef struct code_block {
  node *first;
  uint32_t nnode;
  struct code_block *parent;
  node *owner;        /* in parent */
  const ir_block *b;
} code_block;

struct node {
  const ir_inst *i;
  ir_op op;
  bool words;         /* operands and results all in word form */
  bool scalar;        /* ... and of one lane */
  bool lazy;          /* the one use reads each lane once: do not store */
  bool arg0_dies;     /* operand 0 is not used after this */
  bool head;          /* first op of an exchange */
  uint32_t weight;    /* steps of a lane */
  ir_exchange ex;
  uint32_t *kill;     /* slots to free: nearly after the operands are read, */
  uint32_t nearly, nkill; /* the rest after the instruction */
  code_block *region;
  val *turn, *next;   /* loop state, nres entries each */
  val fixed;          /* CONST, TABLE */
};

struct ir_interp {
  const ir_module *m;
  ir_interp_opts o;
  arena *a;           /* code */
  code_block body;
  val *slot;          /* by value id */
  uint64_t p;         /* word form of the prime, or 0 */
  unsigned k;
  ir_lanes *in;       /* arrays are the caller's; n = 0: missing */
  ir_lanes *out;
  bool *has_out;
  ir_told *told;
  uint32_t ntold, captold;
  ir_counts n;
  uint64_t perms;     /* permutations made */
  uint64_t bytes;
  ir_status status;
  bool broken;        /* a constant could not be made */
  char *message;      /* on a */
  span sp;
  mpz_t t[4];         /* scratch of one lane */
};

/* Where a value, an operand, the result of a node is. */
static inline val *slot(ir_interp *x, const ir_value *v) {
  return &x->slot[v->id];
}

static inline val *arg_of(ir_interp *x, const node *nd, uint32_t k) {
  return slot(x, nd->i->arg[k]);
}

static inline val *res_of(ir_interp *x, const node *nd) {
  return slot(x, nd->i->res[0]);
}

/* ---- interp.c ---- */
/* Records the first failure; false. */
bool interp_fail(ir_interp *x, ir_status s, span sp, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- interp_code.c ---- */
void interp_compile(ir_interp *x);

/* ---- interp_lanes.c ---- */
void val_drop(ir_interp *x, val *v);
val val_ref(val v);
/* Fresh stores with one reference; NULL after a failure. */
store *store_words(ir_interp *x, uint64_t n, span sp);
store *store_gmp(ir_interp *x, uint64_t n, span sp);
/* A view of v; lanes of one operand.  Takes v's reference. */
bool val_view(ir_interp *x, val *v, const ir_type *from, int64_t off,
              const ir_dim *d, uint32_t nd, uint64_t lanes, span sp);
/* Replaces a lazy value (or a view) by stored lanes. */
bool val_settle(ir_interp *x, val *v, uint64_t lanes, bool views, span sp);
/* Lanes at .. at + n of a value in word form: in place, or copied to tmp. */
const uint64_t *val_load(ir_interp *x, const val *v, uint64_t at, uint32_t n,
                         uint64_t *tmp);
uint64_t val_word(ir_interp *x, const val *v, uint64_t lane);
void val_mpz(const val *v, ir_dom dom, bool wide, uint64_t lane, mpz_ptr out);
/* Writes a lane of a fresh store; false if it does not fit a word. */
bool store_set(store *s, uint64_t lane, mpz_srcptr v);
/* From type `from` to type `to`, which differ in range only. */
bool val_convert(ir_interp *x, val *v, const ir_type *from, const ir_type *to,
                 span sp);

/* ---- interp_edge.c ---- */
/* Reports s and the first lane of v that lies outside r.  (A p value whose
 * range the field cannot hold is not constrained by it.) */
bool interp_must_lie(ir_interp *x, val *v, const ir_type *ty,
                     const ir_range *r, ir_status s, const char *what,
                     span sp);
/* v as an integer: of a residue the representative of least absolute value. */
void interp_centre(const ir_module *m, mpz_ptr v);
bool interp_edge(ir_interp *x, const node *nd); /* input output tell check */

/* ---- interp_move.c ---- */
/* Conversions that keep the clear value, and rearranged lanes. */
bool interp_move(ir_interp *x, const node *nd);

/* ---- interp_ops.c ---- */
/* One lane in word form: 0, 1 overflow, 2 undefined. */
int word_op(ir_op op, ir_dom dom, uint64_t p, unsigned k, uint64_t a,
            uint64_t b, uint64_t *r);
/* n lanes of an elementwise op; the greatest code. */
int words_op(ir_op op, ir_dom dom, uint64_t p, unsigned k, const uint64_t *a,
             const uint64_t *b, const uint64_t *c, uint64_t *r, uint32_t n);
bool is_word_op(ir_op op); /* words_op knows it */
/* r = op of a (and b) exactly: 0, 2 undefined. */
int z_gmp(ir_op op, mpz_ptr r, mpz_srcptr a, mpz_srcptr b);

/* ---- interp_bits.c ---- */
/* A typed operation on the residues of one lane; a and b are overwritten.
 * False: undefined. */
bool interp_typed(ir_interp *x, const node *nd, mpz_ptr r, mpz_ptr a,
                  mpz_ptr b);
bool interp_bits(ir_interp *x, const node *nd);

/* ---- interp_shuffle.c: perm shuffle unshuffle ---- */
bool interp_shuffle(ir_interp *x, const node *nd);

/* ---- interp_ops.c, again ---- */
/* Arithmetic, conversions that change lanes, folds. */
bool interp_arith(ir_interp *x, const node *nd);

#endif
