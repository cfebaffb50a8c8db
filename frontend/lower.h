/* From checked instances to the circuit.  Private to lower*.c.
 *
 * A value of any type is an array of leaves, one IR value per scalar of the
 * type, lanes the product of all array sizes around it, row-major.  What is
 * public and an integer, bool, fixed or identity is in domain z; field elements
 * and shares are in p.  A public value in a secret place stays as it is and
 * meets shares where an operation joins them.
 */
#ifndef FRONTEND_LOWER_H
#define FRONTEND_LOWER_H

#include "base/vec.h"
#include "frontend/sema.h"
#include "ir/ir.h"

typedef struct lv {
  const ty *t; /* kinds and shape; its intervals may be wider */
  ir_value **leaf;
} lv;

typedef struct ltrail {
  uint32_t slot;
  lv old;
} ltrail;

/* Where a slot stands in the list of a branch's changes, per side. */
typedef struct slotmark {
  uint32_t stamp[2], at[2];
} slotmark;

/* One inlined function. */
typedef struct lframe {
  inst *in;
  lv *env;        /* by slot; two more: returned flag, result */
  const ty *ret;  /* NULL: none */
  lv value;       /* of the return at the end */
  bool early;     /* returns inside: the two extra slots are in use */
  struct slotmark *mark; /* by slot: scratch of branches */
  const struct carried *loop; /* the innermost, NULL: none */
} lframe;

typedef struct lo {
  fe_unit *u;
  arena *a;
  ir_module *m;
  ir_builder b;
  lframe *fr;
  VEC(ltrail) trail;
  VEC(fe_opening) opening;
  VEC(fe_opening) assume;
  int64_t times; /* how often this place runs; -1: depends on data */
  uint32_t inner; /* > 0: within a loop, a condition or a called function */
  uint32_t ntold, nest;
  uint32_t ncompr; /* comprehensions being filled in this function */
  lv *hide; /* of an action: by fninfo.hide, first values, then last ones */
  uint64_t work;
  uint32_t stamp;
  ir_value *guard; /* the secret conditions around, 0/1; NULL: none */
  bool failed, test;
  const span *wide; /* what made it take 2^127 - 1; NULL: nothing did */
  bool strict; /* for the checked simulation, which misses nothing */
  const char *entry;
  span entry_sp; /* its name */
  span call; /* of the library by the program, around what is lowered; or 0 */
} lo;

/* ---- lower.c ---- */
lv lower_inst(lo *l, inst *in, lv *arg, span sp);
uint32_t slot_flag(const lo *l);
uint32_t slot_result(const lo *l);
bool too_large(lo *l);
/* Over the prime of the unit; else 2^127 - 1 if something needs it, which is at
 * *wide, else 2^61 - 1. */
lo *lower_begin(fe_unit *u, arena *a, const char *name, const node *d,
                bool test, const span *wide);
ir_module *lower_end(lo *l, fe_facts *facts);
lv *lower_inputs(lo *l, const inst *in, const fe_fn *f);
void lower_outputs(lo *l, const fe_fn *f, lv v);
lv lower_entry(lo *l, inst *in, lv *arg);

/* ---- lower_circuit.c ---- */
lv lower_circuit(lo *l, const inst *in, const lv *arg);

/* ---- lower_narrow.c ---- */
void narrow_env(lo *l, const node *cond); /* behind a check that it holds */

/* ---- lower_contract.c ---- */
lv lower_map(lo *l, const sym *s, const node *const *key);
void lower_map_assign(lo *l, const node *n);
void lower_emit(lo *l, const node *n);
/* v as it is put into slot: marked if that is public state. */
lv lower_written(lo *l, uint32_t slot, lv v);

/* ---- lower_value.c: leaves ---- */
lv lv_new(lo *l, const ty *t);
const ir_range *range_of(lo *l, const ival *iv);
ir_value *z_const(lo *l, mpz_srcptr v);
ir_value *z_si(lo *l, int64_t v);
lv lv_const(lo *l, const ty *t); /* scalar public type of one value */
lv lv_zero(lo *l, const ty *t);
uint64_t leaf_lanes(const ty *t, uint32_t i);
/* IR type of leaf i of t: where a loop or a branch carries it. */
ir_type leaf_type(lo *l, const ty *t, uint32_t i);
/* Encodes and hides as far as the type asks. */
ir_value *to_type(lo *l, ir_value *v, ir_type ty);
/* Value of v put where `want` is declared: converts, rounds, hides in tests. */
lv coerce(lo *l, lv v, const ty *want);
/* v, known to lie in iv: narrows what IR could not see where it matters. */
ir_value *narrowed(lo *l, ir_value *v, const ival *iv);
/* Ends the run unless cond; under a secret condition, where that would tell it,
 * only in the checked simulation. */
ir_value *typed_operand(lo *l, ir_value *v, bool natural);
void check_that(lo *l, ir_value *cond, const char *message);
/* For the checked simulation: ok, or not reached. */
void note_that(lo *l, ir_value *ok, const char *message);
/* v where the guard is 1, else something harmless; the checked simulation
 * alone needs it. */
ir_value *spared(lo *l, ir_value *v, int64_t harmless);
ir_value *clamped(lo *l, ir_value *v, const ival *to);
/* v, which lies in iv for sure. */
ir_value *within(lo *l, ir_value *v, const ival *iv);
/* v in iv: the run ends if not; under a secret condition the nearest value. */
ir_value *check_range(lo *l, ir_value *v, const ival *iv, const char *message);
ir_value *not_of(lo *l, ir_value *v); /* 1 - v */
ir_value *scaled(lo *l, ir_value *v, int bits); /* v * 2^bits, rounded */
ir_value *fixed_checked(lo *l, ir_value *raw, const ty *t);
ir_type join_types(lo *l, const ir_type *x, const ir_type *y);

/* ---- lower_access.c ---- */
typedef struct axes {
  int64_t off;
  ir_value *dyn; /* NULL: static */
  uint32_t nd;
  ir_dim d[64];
  ir_value *at[64]; /* a share that says where; NULL: an axis of the result */
} axes;
/* What is reached has the axes without a share; with one it is nowhere if that
 * lies outside. */
typedef struct access {
  const ty *t; /* what is reached */
  uint32_t from, n; /* leaves of the whole */
  axes *ax;
  ir_value *hit; /* public 0/1: inside; NULL: always or checked */
} access;
access access_whole(lo *l, const ty *t);
void access_index(lo *l, access *x, const node *n);
void access_at(lo *l, access *x, ir_value *i); /* first axis at i */
void access_field(lo *l, access *x, uint32_t k);
lv access_load(lo *l, const access *x, const lv *whole);
lv access_store(lo *l, const access *x, const lv *whole, const lv *part);
ir_value *stretch(lo *l, ir_value *v, const ty *from, const uint64_t *dim,
                  uint32_t nd);

/* ---- lower_expr.c ---- */
lv lower_expr(lo *l, const node *n);
const ty *type_at(lo *l, const node *n);
uint32_t field_at(const ty *t, const char *name);
ir_value *logic(lo *l, node_op op, ir_value *x, ir_value *y);
lv lower_matmul(lo *l, const ty *t, lv x, lv y);

/* ---- lower_ops.c ---- */
lv binary(lo *l, const node *n, const ty *t, node_op op, lv x, lv y);
lv unary(lo *l, const node *n, lv x);
ir_value *compare(lo *l, node_op op, ir_value *x, ir_value *y);
ir_value *fixed_mul(lo *l, ir_value *x, ir_value *y, unsigned drop,
                    const ty *t);

/* ---- lower_builtin.c ---- */
lv lower_builtin(lo *l, const node *n, builtin b);
void tell_leaves(lo *l, lv x, ir_value *id, const char *name, const char *top);

/* ---- lower_facts.c: what the manifest lists ---- */
/* t is told `to` somebody; opened: which of its leaves everybody learns, or
 * NULL. */
void note_opening(lo *l, span sp, const ty *t, const char *to,
                  const bool *opened);
/* The library opens t, which is uniform whatever the secrets are. */
void note_uniform(lo *l, span sp, const ty *t);
/* What nodes take for granted: a share lies in t. */
void note_assume(lo *l, span sp, const ty *t);

/* ---- lower_bits.c ---- */
ir_value *popcount(lo *l, ir_value *v, unsigned bits);
ir_value *digits_of(lo *l, ir_value *v, unsigned bits);
ir_value *from_digits(lo *l, ir_value *v, unsigned bits);
/* x turned by k, a count that is public or shared. */
ir_value *rotated(lo *l, ir_value *x, unsigned bits, ir_value *k, bool left);

/* ---- lower_stmt.c ---- */
void set_env(lo *l, uint32_t slot, lv v);
void roll_back_env(lo *l, size_t mark);
void lower_block(lo *l, const node *n, lv *value);
lv lower_if(lo *l, const node *n);

/* ---- lower_branch.c ---- */
/* Lowers thunk x or y in a branch on cond, which is secret or not; both give
 * values of type t. */
typedef lv (*lower_thunk)(lo *l, const void *user);
lv lower_branch(lo *l, ir_value *cond, bool sec, lower_thunk x, lower_thunk y,
                const void *user, const ty *t);
/* Until it is set back: nothing may fail unless cond.  What was set. */
ir_value *set_guard(lo *l, ir_value *cond);

void bind_lv(lo *l, const node *pattern, lv v);
void lower_stmt(lo *l, const node *n);
lv lower_compr(lo *l, const node *n);
/* x, from `root` on, becomes what `n` reaches. */
void access_place(lo *l, access *x, const node *n, const node *root);
void leaf_entry(lo *l, const fe_leaf *f, const char *top, ir_leaf *out);

#endif
