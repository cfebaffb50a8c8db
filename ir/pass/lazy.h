/* lazy's plan: which values are local products, and where each turns into a
 * share.  Only lazy.c and lazy_plan.c include this. */
#ifndef IR_PASS_LAZY_H
#define IR_PASS_LAZY_H

#include "ir/pass/util.h"

typedef struct lazy_value {
  bool mul;     /* a product of two shares */
  bool deg2;    /* a product reaches it through linear steps only */
  bool share;   /* forced (region result slot): reduced before the yield */
  bool hard;    /* some use needs a share */
  bool linear;  /* its share is the same step on its operands' shares */
  bool need_p, need_s;
  uint32_t pulled; /* 1 + greatest nesting where a share of something linear in
                      it is needed; 0: nowhere */
  bool eager;   /* its component reduces at the multiplications */
  double weight; /* how often its definition runs, roughly */
  double cost;   /* elements that a share of it costs */
  double turns;  /* how often the reduce for a share of it runs */
  uint32_t uses; /* by linear steps and hard ones */
  uint32_t root; /* union-find over linear steps */
  double greedy, every; /* at the root: elements of the two plans */
  bool crosses; /* at the root: results of regions are among them */
  ir_value *p, *s; /* its forms, once written */
} lazy_value;

typedef struct lazy {
  ir_module *m;
  lazy_value *v; /* by value id */
  uint32_t n;
  bool changed;  /* this round forced something more */
} lazy;

/* A step whose result on products is a product: degree is kept. */
bool lazy_is_linear(const ir_inst *i);
/* Does operand k of i have to be a share? */
bool lazy_wants_share(const ir_inst *i, uint32_t k);
void lazy_plan(lazy *z);

#endif
