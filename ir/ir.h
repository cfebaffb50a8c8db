/* The circuit: SSA over vectors of lanes, add and mul its only arithmetic on
 * secrets.  Structured regions, no jumps.  docs/ir.md describes the text form.
 *
 * Memory: everything hangs on the module's arena and dies with it; passes that
 * replace values leave the old ones as garbage.
 */
#ifndef IR_IR_H
#define IR_IR_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/source.h"

/* Where a form stands.  verify() knows what each stage may hold. */
typedef enum { IR_HIGH, IR_CORE, IR_SCHED } ir_stage;

/* z: public integers, exact.  p: the prime field.  b: GF(2), add is xor and mul
 * is and. */
typedef enum { DOM_Z, DOM_P, DOM_B } ir_dom;

/* pub: every node knows it.  sh: a share.  prod: a local product, not yet a
 * share (degree 2t in Shamir, additive in replicated sharing). */
typedef enum { KIND_PUB, KIND_SH, KIND_PROD } ir_kind;

/* An interval of integers, interned per module: equal ranges are equal
 * pointers.  Every z value has one; a p value has one where it stands for an
 * integer (not for `field`). */
typedef struct ir_range {
  mpz_t lo, hi;
} ir_range;

typedef struct ir_type {
  ir_dom dom;
  ir_kind kind;
  uint64_t lanes;        /* >= 1 */
  const ir_range *range; /* NULL: any field element (p only) */
} ir_type;

typedef enum {
#define OP(E, ...) OP_##E,
#include "ir/ops.def"
#undef OP
  OP_COUNT
} ir_op;

enum {
  F_C = 1,
  F_A = 2,
  F_L = 4,
  F_I = 8,
  F_E = 16,
  F_R = 32,
  F_F = 64,
  F_S = 128
};

typedef enum {
  RULE_NONE,
  RULE_ZZ,
  RULE_ZBOOL,
  RULE_LINEAR,
  RULE_MUL,
  RULE_MOVE,
  RULE_FOLD,
  RULE_CONV,
  RULE_EDGE,
  RULE_REGION,
  RULE_BITS,
  RULE_SHUFFLE
} ir_rule;

/* Attributes an op carries (ir_op_attrs), in the order in which the text form
 * prints them. */
enum {
  AT_IMM = 1,
  AT_TABLE = 2,
  AT_INNER = 4,
  AT_BITS = 8,
  AT_MAX = 16,
  AT_OFF = 32,
  AT_DIMS = 64,
  AT_NAME = 128,
  AT_MESSAGE = 256,
  AT_ROUND = 512
};

typedef struct ir_opinfo {
  const char *name, *spelling;
  int nargs, nres; /* -1: any */
  ir_rule rule;
  unsigned flags;
  unsigned stages; /* bit 1 << ir_stage */
  const char *doc;
} ir_opinfo;
extern const ir_opinfo ir_ops[OP_COUNT];
unsigned ir_op_attrs(ir_op op); /* AT_* */

typedef struct ir_inst ir_inst;
typedef struct ir_block ir_block;

typedef struct ir_value {
  ir_type ty;
  uint32_t id;      /* dense per function, set by ir_number() and the builder */
  const char *name; /* source name or NULL; a hint, unique in text by suffix */
  ir_inst *def;     /* NULL for a block parameter */
  ir_block *block;  /* the block whose parameter it is, or where def stands */
  uint32_t index;   /* which result or parameter */
  void *tmp;        /* scratch of the running pass */
} ir_value;

/* One axis of a view: n lanes, `stride` apart (may be 0 or negative). */
typedef struct ir_dim {
  uint64_t n;
  int64_t stride;
} ir_dim;

/* Attributes; which ones an op has is fixed by ir_op (verify.c). */
typedef struct ir_attr {
  mpz_srcptr imm;       /* CONST */
  mpz_srcptr *table;    /* TABLE: ty.lanes entries */
  const char *name;     /* INPUT, OUTPUT, TELL: leaf path ("xs", "p.age") */
  uint64_t inner;       /* SUM, PROD: group length; ONEHOT: places;
                           SHUFFLE, UNSHUFFLE, GATHER: lanes of a row */
  uint32_t bits;        /* WRAP, DIGITS, SPLIT, DEAL, UNPACK, PACK */
  uint64_t max;         /* WHILE */
  int64_t off;          /* VIEW, GET, PUT; SPLIT, DEAL: lowest bit; PERM: turn */
  uint32_t ndim;        /* VIEW, GET, PUT */
  const ir_dim *dim;
  const char *message;  /* CHECK */
  uint32_t round;       /* sched: interactive ops of one block with equal
                           round (1, 2, ..) go in one exchange */
} ir_attr;

struct ir_inst {
  ir_op op;
  uint32_t narg, nres, nregion;
  ir_value **arg;
  ir_value **res;
  ir_block **region;
  ir_attr at;
  span sp;
  ir_inst *prev, *next;
  ir_block *block;
  void *tmp;
};

struct ir_block {
  uint32_t nparam;
  ir_value **param;
  ir_inst *first, *last; /* last is a yield in a region; the body has none */
  ir_inst *owner;        /* NULL: the circuit's body */
};

/* One leaf of a parameter or result, in order of declaration. */
typedef struct ir_leaf {
  const char *name;    /* leaf path; also the attr of its input/output op */
  const char *type;    /* source type of its element: "u32", "fixed<16,16>" */
  const char *shape;   /* "", "[3]", "[3, 4]" */
  const char *top;     /* name of the whole parameter; "result" for results */
  bool secret;
  uint32_t scale;      /* fixed: fraction bits, else 0 */
} ir_leaf;

/* For whom a circuit is made.  One that holds split, deal, xdeal, xjoin or bdeal
 * is bound to its target; any other has none and runs under every protocol. */
typedef enum { IR_ANY, IR_REP3, IR_SHAMIR } ir_protocol;
enum { IR_NODES_MAX = 64 };
typedef struct ir_target {
  ir_protocol protocol;
  unsigned n; /* nodes; 0 for any */
} ir_target;
/* Summands of a share: 3, or the d = 2t + 1 nodes that multiply. */
unsigned ir_target_summands(const ir_target *t);

typedef struct ir_module {
  arena *a;
  source_set *src;      /* for spans; may be NULL */
  const char *name;     /* the function's name */
  ir_stage stage;
  mpz_srcptr p;         /* the prime of the field */
  unsigned k;           /* its bits */
  bool is_mersenne;     /* p = 2^k - 1 */
  ir_block *body;
  ir_leaf *in, *out;
  uint32_t nin, nout;
  uint32_t nvalue;      /* ids handed out */
  struct ir_range_set *ranges;
  ir_target target;
  bool parsed;          /* from text: a broken invariant is the text's fault */
} ir_module;

/* Limits that the builder, the parser and the verifier share. */
#define IR_LANES_MAX ((uint64_t)1 << 40)
#define IR_RANGE_BITS 65536u /* wider ranges are not represented: NULL */
#define IR_PACK_BITS 63u     /* of unpack and pack: a word */
/* Permutations of one run.  Above their count a number has the turn of the nodes
 * in it, which is known before the run, as the range of the number tells. */
#define IR_PERMS_MAX ((int64_t)1 << 40)
#define IR_TURNS 3
#define IR_SHUFFLE_NODES 8 /* shamir: rounds grow as 2^n */
#define IR_ROWS_MAX ((uint64_t)1 << 32) /* rows that one moves */
#define IR_NEST_MAX 1024u    /* regions within regions, in text */

/* ---- ir.c: construction ---- */
/* Over F_p, p a prime; over p = 2^k - 1. */
ir_module *ir_module_over(arena *a, const char *name, mpz_srcptr p);
ir_module *ir_module_new(arena *a, const char *name, unsigned k);

/* ---- range.c: intervals.  Operands are taken as independent, and then the
 * result is the exact hull for add sub neg mul div rdiv shl shr isqrt sum
 * product enc and the lane ops; mod, and, or, xor give a bound. ---- */
const ir_range *ir_range_get(ir_module *m, mpz_srcptr lo, mpz_srcptr hi);
const ir_range *ir_range_si(ir_module *m, int64_t lo, int64_t hi);
const ir_range *ir_range_hull(ir_module *m, const ir_range *, const ir_range *);
/* Range that op gives on operand ranges; NULL if it has none (a NULL operand
 * range, an op whose range is given, or more than IR_RANGE_BITS bits). */
const ir_range *ir_range_of(ir_module *m, ir_op op, const ir_range *a,
                            const ir_range *b, uint64_t inner);
const ir_range *ir_range_square(ir_module *m, const ir_range *a); /* x * x */
/* a within b; every range is within NULL. */
bool ir_range_within(const ir_range *a, const ir_range *b);
bool ir_range_is_int64(const ir_range *r);
/* Every value lies in -(p-1)/2 .. (p-1)/2, so that p holds it exactly. */
bool ir_range_in_field(const ir_module *m, const ir_range *r);
bool ir_in_field(const ir_module *m, mpz_srcptr v);
/* The interval of wrap: bits wide, signed or not. */
const ir_range *ir_range_bits(ir_module *m, uint32_t bits, bool is_signed);
/* q = a / b rounded to nearest, ties to even: what rdiv gives. */
void ir_mpz_rdiv(mpz_ptr q, mpz_srcptr a, mpz_srcptr b);
/* An element of the field takes one word in the interpreter, as int64_t. */
static inline bool ir_field_is_word(const ir_module *m) {
  return m->is_mersenne && m->k <= 61;
}
#define IR_FIELD_BITS 576u /* of the largest prime that nodes compute with */
/* "2^61-1", or the prime's decimal digits. */
const char *ir_field_name(arena *a, const ir_module *m);
/* Words of an element on a node, and in a message. */
static inline uint32_t ir_field_words(const ir_module *m) {
  return (m->k + 63) / 64;
}
mpz_srcptr ir_mpz(ir_module *m, mpz_srcptr v);         /* a copy owned by m */
static inline ir_type ir_ty(ir_dom d, ir_kind k, uint64_t n,
                            const ir_range *r) {
  return (ir_type){d, k, n, r};
}

/* 0 .. IR_TURNS - 1, or IR_TURNS: r is no range of permutations of one turn. */
unsigned ir_turn_of(const ir_range *r);
/* The range op gives to the results of i, from its operands as they stand. */
const ir_range *ir_inst_range(ir_module *m, const ir_inst *i);
/* Lanes of a view: the product of its axes, saturating at UINT64_MAX. */
uint64_t ir_dims_lanes(const ir_dim *d, uint32_t nd);
/* Least and greatest lane offset a view reaches, relative to its offset;
 * false if that does not fit int64_t. */
bool ir_dims_extent(const ir_dim *d, uint32_t nd, int64_t *lo, int64_t *hi);

/* A cursor: new instructions go before `at`, or to the block's end. */
typedef struct ir_builder {
  ir_module *m;
  ir_block *b;
  ir_inst *at;
  span sp;
} ir_builder;

ir_block *ir_block_new(ir_module *m);
ir_value *ir_param(ir_module *m, ir_block *b, ir_type ty, const char *name);
/* The general constructor: args and result types given, attributes filled by
 * the caller afterwards through the returned pointer. */
ir_inst *ir_emit(ir_builder *b, ir_op op, ir_value **arg, uint32_t narg,
                 const ir_type *res, uint32_t nres);
/* Typed helpers (build.c): compute the result type from the operands.  An
 * operand of lanes 1 meets any number of lanes.  Where one operand is in p, a
 * public integer beside it is encoded (enc); where concat, put or an addition
 * in core would mix kinds, the lesser is hidden (hide) or lifted (lift). */
ir_value *ir_const(ir_builder *b, ir_dom d, mpz_srcptr v, uint64_t lanes);
ir_value *ir_const_si(ir_builder *b, ir_dom d, int64_t v, uint64_t lanes);
ir_value *ir_iota(ir_builder *b, uint64_t lanes);
ir_value *ir_op1(ir_builder *b, ir_op op, ir_value *x);
ir_value *ir_op2(ir_builder *b, ir_op op, ir_value *x, ir_value *y);
ir_value *ir_select(ir_builder *b, ir_value *c, ir_value *x, ir_value *y);
/* Of shares of integers >= 0 (onehot: any): see ops.def. */
ir_value *ir_digits(ir_builder *b, ir_value *x, uint32_t bits);
ir_value *ir_onehot(ir_builder *b, ir_value *x, uint64_t places);
/* A fresh permutation; x with its rows of `row` lanes moved by it, or back.  A
 * public x is hidden. */
ir_value *ir_perm(ir_builder *b, unsigned turn);
ir_value *ir_shuffle(ir_builder *b, ir_op shuffle_or_unshuffle, ir_value *x,
                     ir_value *perm, uint64_t row);
/* x, trusted to lie in r where guard (0/1, as many lanes or 1; NULL: 1) is 1. */
ir_value *ir_assume(ir_builder *b, ir_value *x, ir_value *guard,
                    const ir_range *r);
ir_value *ir_fold(ir_builder *b, ir_op sum_or_prod, ir_value *x,
                  uint64_t inner);
ir_value *ir_view(ir_builder *b, ir_value *x, int64_t off, const ir_dim *d,
                  uint32_t nd);
ir_value *ir_get(ir_builder *b, ir_value *x, ir_value *off, int64_t plus,
                 const ir_dim *d, uint32_t nd);
ir_value *ir_gather(ir_builder *b, ir_value *x, ir_value *idx);
/* Rows of `inner` lanes. */
ir_value *ir_gather_rows(ir_builder *b, ir_value *x, ir_value *idx,
                         uint64_t inner);
ir_value *ir_put(ir_builder *b, ir_value *x, ir_value *part, ir_value *off,
                 int64_t plus, const ir_dim *d, uint32_t nd);
ir_value *ir_concat(ir_builder *b, ir_value **x, uint32_t n);
/* A view of stride 0. */
ir_value *ir_splat(ir_builder *b, ir_value *x, uint64_t lanes);
ir_value *ir_ranged(ir_builder *b, ir_op dec_or_assume_or_wrap, ir_value *x,
                    const ir_range *r); /* result range given */
/* These add a copy of the leaf to the module's table unless a leaf of that name
 * is there. */
ir_value *ir_input(ir_builder *b, const ir_leaf *leaf, ir_type ty);
void ir_output(ir_builder *b, const ir_leaf *leaf, ir_value *x);
void ir_tell(ir_builder *b, const ir_leaf *leaf, ir_value *x, ir_value *id);
/* Index in m->in / m->out, or -1. */
int ir_leaf_find(const ir_leaf *leaf, uint32_t n, const char *name);
ir_leaf *ir_leaf_add(ir_module *m, bool out, const ir_leaf *leaf);
void ir_check(ir_builder *b, ir_value *cond, const char *message);
ir_inst *ir_region_inst(ir_builder *b, ir_op op, ir_value **arg, uint32_t narg,
                        const ir_type *res, uint32_t nres, ir_block **region,
                        uint32_t nregion);
void ir_yield(ir_builder *b, ir_value **v, uint32_t n);

/* ---- editing, for passes ---- */
void ir_remove(ir_inst *i);
void ir_insert_before(ir_inst *at, ir_inst *i);
void ir_append(ir_block *b, ir_inst *i);
/* Preorder walk over all instructions, regions included. */
void ir_walk(ir_block *b, void (*f)(ir_inst *, void *), void *user);
uint32_t ir_number(ir_module *m); /* renumber ids in program order; count */
bool ir_is_const(const ir_value *v, mpz_srcptr *out); /* CONST, any lanes */
/* A form of ir/ops.def's rules ZZ, ZBOOL or of select that takes a share, or
 * digits or onehot: stage high only. */
bool ir_is_typed(const ir_inst *i);

/* ---- ir_print.c, ir_parse.c: canonical text, which parses back ---- */
void ir_print(const ir_module *m, buf *out, bool spans);
/* NULL after a report. */
ir_module *ir_parse(arena *a, source_set *ss, source_id src, diag *dg);

/* ---- verify.c ---- */
/* Checks the numbered invariants at the head of verify.c for m->stage; reports
 * each violation to dg as a bug (or as an error for parsed text). */
bool ir_verify(const ir_module *m, diag *dg);

/* SHA-256 of the canonical text, lower-case hex: the circuit hash. */
void ir_hash(const ir_module *m, char out[65]);

#endif
