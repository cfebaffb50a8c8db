/* What the passes and the cut share; nothing else includes this. */
#ifndef IR_PASS_UTIL_H
#define IR_PASS_UTIL_H

#include "ir/pass/pass.h"

#define PASS(NAME, ...) bool pass_##NAME(ir_module *m, pass_ctx *cx);
#include "ir/pass/passes.def"
#undef PASS

bool pass_next(const char **list, const char **name, size_t *n);

/* Sets tmp of every value and instruction to NULL. */
void pass_clear(ir_module *m);

/* Replacement of values: v->tmp points to what stands for v now.  Definitions
 * precede uses, so one forward walk that calls pass_resolve on each
 * instruction's operands renames everything. */
void pass_replace(ir_value *v, ir_value *by);
ir_value *pass_alias(ir_value *v);
void pass_resolve(ir_inst *i); /* its operands, not its regions */
void pass_resolve_block(ir_block *b); /* everything in b, regions included */

/* A cursor right behind i, or behind what defines v. */
ir_builder pass_after(ir_module *m, ir_inst *i);
ir_builder pass_after_value(ir_module *m, ir_value *v);
ir_builder pass_before(ir_module *m, ir_inst *i);
/* A copy of i with other operands, results of the same types; no regions. */
ir_inst *pass_copy(ir_builder *b, const ir_inst *i, ir_value **arg);

ir_inst *pass_yield(const ir_block *b);
/* FOR: carried value k is operand k+1 and parameter k+1; WHILE: k and k. */
static inline uint32_t pass_first_carry(const ir_inst *i) {
  return i->op == OP_FOR;
}
/* The region whose yield gives the next carried values. */
static inline ir_block *pass_loop_body(const ir_inst *i) {
  return i->region[i->op == OP_WHILE];
}

/* A constant of lanes >= 1 that fits. */
bool pass_const_u64(const ir_value *v, uint64_t *out);
bool pass_const_i64(const ir_value *v, int64_t *out);
/* The constant trip count of a FOR. */
bool pass_trip(const ir_inst *f, uint64_t *out);

static inline bool pass_is_share_mul(const ir_inst *i) {
  return i->op == OP_MUL && i->arg[0]->ty.kind == KIND_SH &&
         i->arg[1]->ty.kind == KIND_SH;
}

/* Takes part in an exchange. */
static inline bool pass_interacts(const ir_inst *i) {
  return ir_ops[i->op].flags & F_I;
}

/* Its lanes, in elements of the field: 64 bits count as one. */
static inline double pass_size(const ir_type *ty) {
  return (double)ty->lanes / (ty->dom == DOM_B ? 64 : 1);
}

/* May i go wrong unless a check that precedes it holds?  (A divisor that may
 * be 0, a lane that may not exist, as far as ranges tell; a public integer that
 * is assumed to be in range.) */
bool pass_guarded(const ir_inst *i);
/* No effect, no failure, no region: may run where the program would not. */
bool pass_free(const ir_inst *i);

/* What the subtree of i holds. */
enum {
  HAS_OPEN = 1,
  HAS_REDUCE = 2, /* or another exchange that opens nothing */
  HAS_CHECK = 4,
  HAS_DEC = 8,
  HAS_TELL = 16,
  HAS_GUARDED = 32,
  HAS_SHARE_MUL = 64,
  HAS_EDGE = 128 /* input, output */
};
unsigned pass_has(const ir_inst *i);
unsigned pass_block_has(const ir_block *b);

/* v, trusted to lie in r where its own range does not say so. */
ir_value *pass_fit(ir_builder *b, ir_value *v, const ir_range *r);
/* View with axes of one lane dropped and neighbours merged. */
ir_value *pass_view(ir_builder *b, ir_value *x, int64_t off, const ir_dim *d,
                    uint32_t nd);
uint32_t pass_dims_tidy(ir_dim *d, uint32_t nd);
/* product.c */
ir_value *pass_product_tree(ir_builder *b, ir_value *x, uint64_t inner);
bool pass_expand_products(ir_module *m);

#endif
