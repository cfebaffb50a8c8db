/* The parts of the pass bits.  Only bits*.c include this. */
#ifndef IR_PASS_BITS_H
#define IR_PASS_BITS_H

#include "ir/gadget/gadget.h"
#include "ir/pass/util.h"

/* The forms of a value of the circuit as it was: in the field, and as planes
 * (gd_width of its range).  Each is made when first asked for, right behind the
 * other. */
typedef struct bits_form {
  ir_value *field, *planes;
  bool native; /* it is made as planes */
} bits_form;

typedef struct bits_pass {
  ir_module *m;
  gadget g;
  bits_form *form; /* by value id */
  uint32_t n;
  uint8_t *wants; /* by value id: BITS_* of its uses */
  uint8_t *likely; /* by value id: will it be planes? */
  bool changed;
} bits_pass;

enum { BITS_FIELD = 1, BITS_PLANES = 2 };

/* bits.c */
ir_value *bits_field(bits_pass *z, ir_value *v);
ir_value *bits_planes(bits_pass *z, ir_value *v);
/* With m planes and so many lanes. */
ir_value *bits_operand(bits_pass *z, ir_value *v, uint32_t m, uint64_t lanes);
/* What stands for the result of i. */
void bits_set_field(bits_pass *z, ir_inst *i, ir_value *v);
/* m planes, cut or extended to the range of the result. */
void bits_set_planes(bits_pass *z, ir_inst *i, ir_value *v, uint32_t m,
                     bool is_signed);
static inline bool bits_native(const bits_pass *z, const ir_value *v) {
  return v->id < z->n && z->form[v->id].native;
}

/* bits_ops.c: writes i in other words before it, false if i stays as it is (on
 * fields). */
bool bits_lower(bits_pass *z, ir_inst *i);

#endif
