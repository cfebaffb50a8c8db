/* The parts of the loop vectoriser.  Only vector*.c include this. */
#ifndef IR_PASS_VECTOR_H
#define IR_PASS_VECTOR_H

#include "base/vec.h"
#include "ir/pass/util.h"

#define VEC_TERMS 6              /* of an affine form */
#define VEC_ACCESS 128           /* of one array in one turn */
#define VEC_DIMS 14              /* axes of an access */
#define VEC_LANES (UINT64_C(1) << 32) /* no value gets as many */

/* c + sum of coefficients times scalars; the loop's index is one of them. */
typedef struct affine {
  bool ok;
  int64_t c;
  uint32_t n;
  struct {
    ir_value *v;
    int64_t k;
  } t[VEC_TERMS];
} affine;

/* Uniform: the same in every turn.  Lanes: turns are independent.  Turns: in
 * sequence only. */
typedef enum { CL_UNIFORM, CL_LANES, CL_TURNS } vclass;

typedef struct vinfo { /* of a value that the loop defines */
  uint32_t stamp;
  uint8_t cls;
  bool dep_open;  /* needs an open of the loop */
  bool dep_inter; /* needs a product of shares, an open or a dec of it */
  bool dep_guard; /* needs a step that a check of the loop guards */
  bool need;      /* a check's condition needs it */
  uint32_t depth, share_depth; /* rounds from the start of a turn to it as a
                                  product, as a share */
  uint32_t uses, seen;
  uint32_t chain, pos; /* version pos of carried array chain - 1 */
  uint32_t sum_of, prod_of; /* carried value + 1 that it adds to, multiplies */
  ir_value *uni, *vec, *back;
} vinfo;

typedef struct vinst { /* of an instruction of the loop: i->tmp */
  uint8_t cls;
  bool absorbed;  /* its carried value's result is computed as a whole */
  bool after_check;
  bool walked;
  bool done; /* written */
  struct vaccess *access;
} vinst;

typedef struct vaccess {
  ir_inst *i;
  bool put;
  affine at;
  ir_dim d[VEC_DIMS];
  uint32_t nd, pos, group;
  ir_value *forward; /* get: what this turn has put there */
} vaccess;

typedef enum {
  CARRY_TURNS,  /* sequential */
  CARRY_CONST,  /* never changes */
  CARRY_SUM,    /* + and - of terms */
  CARRY_PROD,   /* times terms */
  CARRY_ARRAY,  /* puts at places that differ from turn to turn */
  CARRY_LAST,   /* only the last turn's counts */
  CARRY_INDUCT  /* a public integer that grows by the same step */
} carry_kind;

typedef struct vterm {
  ir_value *v;
  bool neg;
  struct vmask *mask;
} vterm;

typedef struct vmask { /* counts only where cond is `when` */
  ir_value *cond;
  bool when;
  struct vmask *up;
} vmask;

typedef struct vcarry {
  carry_kind kind;
  ir_value *param, *init, *yield, *res;
  bool failed; /* as an array */
  uint32_t tried; /* kinds, as bits, that were tried in vain */
  VEC(vterm) term;
  VEC(vaccess *) access;
  ir_value *step, *state;
} vcarry;

typedef struct vloop {
  ir_module *m;
  arena *a;
  ir_inst *f;
  ir_block *body;
  uint64_t trip;
  ir_value *iv;
  uint32_t ncarry;
  vcarry *carry;
  vinfo *info; /* by value id */
  uint32_t ninfo, stamp;
  bool effects_stay; /* effects of the loop stay in it */
  bool too_big;      /* some value would get too many lanes */
  bool split;        /* a sequential part stays a loop */
  uint32_t checks;   /* in the body, nested ones included */
} vloop;

/* vector.c */
vinfo *vec_info(const vloop *l, const ir_value *v); /* NULL: from outside */
static inline vinst *vec_inst(const ir_inst *i) { return i->tmp; }
vclass vec_class(const vloop *l, const ir_value *v);
void vec_open_loop(vloop *l, ir_inst *f); /* fills info for f's body */

/* vector_affine.c */
void vec_affine(vloop *l, ir_value *v, affine *out);
int64_t vec_coef(const affine *a, const ir_value *v);
bool vec_same_form(const affine *a, const affine *b);
/* Places put in different turns are different. */
bool vec_distinct(const vloop *l, const vaccess *x);
/* No turn's x meets any turn's y. */
bool vec_apart(const vloop *l, const vaccess *x, const vaccess *y);
/* get reads what a later turn puts: never sees it. */
bool vec_read_first(const vloop *l, const vaccess *get, const vaccess *put);
/* All lanes of i at offset a, in all turns, lie within its operand. */
bool vec_fits(const vloop *l, const ir_inst *i, const affine *a);
/* a without its index term, as a scalar built at b (NULL: only a constant). */
ir_value *vec_base(vloop *l, ir_builder *b, const affine *a, int64_t *c);

/* vector_array.c */
void vec_arrays(vloop *l);  /* finds the accesses of carried arrays */
bool vec_promote(vloop *l); /* fixed places become carried values; then the
                               loop is another instruction: l->f */

/* vector_plan.c */
bool vec_plan(vloop *l);    /* classes; false if the loop stays as it is */

/* vector_emit.c */
void vec_emit(vloop *l);

/* vector_if.c */
bool vec_has_if(const ir_block *b);
ir_inst *vec_clone(vloop *l, ir_inst *f); /* right before f */
void vec_flatten(vloop *l, ir_block *b);
void vec_prune(vloop *l); /* drops dead steps of the body */

#endif
