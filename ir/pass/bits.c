/* bits: integers on shares in terms of additions and multiplications.
 *
 * Comparisons, selections, bitwise operations, shifts, division, digits and
 * one-hot of shares are written out by the gadgets of ir/gadget, in the field and
 * in GF(2), for one protocol (pass_ctx.target).  A value has up to two forms, in
 * the field and as planes of bits; each is made once, where the value is defined,
 * and only if something asks for it.  Moves, openings and gates on 0/1 follow
 * the form that their operands have.
 * Needs: stage high.  Keeps: the stage.  Linear, times the width of the field.
 * Source: docs/passes.md.
 *
 *   %c: p.sh<0..1> = lt %x, %y        %d = sub %x, %y ; .. = split %d bits 33
 *   %o: p<0..1> = open %c         ->  .. carries .. ; %b: b.sh = add ..
 *                                     %q: b = open %b ; %o = enc (pack %q)
 */
#include "ir/pass/bits.h"

/* ---- forms ---- */
ir_value *bits_field(bits_pass *z, ir_value *v) {
  if (v->id >= z->n) return v;
  bits_form *f = &z->form[v->id];
  if (!f->field && !f->planes) return v;
  if (!f->field) {
    ir_builder b = z->g.b;
    z->g.b = pass_after_value(z->m, f->planes);
    bool neg;
    uint32_t m = gd_width(v->ty.range, &neg);
    f->field = gd_to_field(&z->g, f->planes, v->ty.lanes, m, neg, v->ty.range);
    z->g.b = b;
  }
  return f->field;
}

ir_value *bits_planes(bits_pass *z, ir_value *v) {
  bits_form *f = v->id < z->n ? &z->form[v->id] : NULL;
  if (f && f->planes) return f->planes;
  ir_builder b = z->g.b;
  ir_value *x = f && f->field ? f->field : v, *p;
  z->g.b = pass_after_value(z->m, x);
  bool neg;
  uint32_t m = gd_width(v->ty.range, &neg);
  if (x->ty.kind == KIND_PUB)
    p = gd_public_bits(&z->g, x, m);
  else
    p = gd_to_bits(&z->g, x, v->ty.range, m);
  z->g.b = b;
  if (f) f->planes = p;
  return p;
}

ir_value *bits_operand(bits_pass *z, ir_value *v, uint32_t m, uint64_t lanes) {
  bool neg;
  uint32_t have = gd_width(v->ty.range, &neg);
  ir_value *p = bits_planes(z, v);
  p = gd_extend(&z->g, p, v->ty.lanes, have, neg, m);
  return v->ty.lanes == lanes ? p : gd_widen(&z->g, p, m, lanes);
}

void bits_set_field(bits_pass *z, ir_inst *i, ir_value *v) {
  ir_value *r = i->res[0];
  v = gd_fit(&z->g, v, r->ty.range);
  if (!v->name) v->name = r->name;
  z->form[r->id].field = v;
}

void bits_set_planes(bits_pass *z, ir_inst *i, ir_value *v, uint32_t m,
                     bool is_signed) {
  ir_value *r = i->res[0];
  bool neg;
  uint32_t to = gd_width(r->ty.range, &neg);
  v = gd_extend(&z->g, v, r->ty.lanes, m, is_signed, to);
  if (v->ty.kind == KIND_PUB) v = ir_op1(&z->g.b, OP_HIDE, v);
  if (!v->name) v->name = r->name;
  z->form[r->id] = (bits_form){.planes = v, .native = true};
}

/* ---- uses, backward ---- */
/* What follows the form of its operands passes its own uses on. */
static bool follows(const ir_inst *i) {
  switch (i->op) {
  case OP_VIEW:
  case OP_GET:
  case OP_GATHER:
  case OP_PUT:
  case OP_CONCAT:
  case OP_ASSUME:
  case OP_SETTLE:
  case OP_SELECT: return true;
  default: return false;
  }
}

static void uses(bits_pass *z, ir_block *b);

static bool is_loop(const ir_inst *i) {
  return i->op == OP_FOR || i->op == OP_WHILE;
}

/* The loop whose next carried values i yields, or NULL. */
static ir_inst *loop_of(const ir_inst *i) {
  ir_inst *o = i->op == OP_YIELD ? i->block->owner : NULL;
  return o && is_loop(o) && pass_loop_body(o) == i->block ? o : NULL;
}

static bool is_bit(const ir_value *v) {
  const ir_range *r = v->ty.range;
  return v->ty.kind == KIND_SH && v->ty.dom == DOM_P && r &&
         mpz_sgn(r->lo) >= 0 && mpz_cmp_ui(r->hi, 1) <= 0;
}

/* Carried bits are planes if the turns take them as planes only. */
static void decide(bits_pass *z, ir_inst *i) {
  uint32_t at = pass_first_carry(i);
  for (uint32_t k = 0; k < i->nres; k++) {
    uint8_t w = 0;
    bool bits = is_bit(i->res[k]) && is_bit(i->arg[k + at]);
    for (uint32_t r = 0; r < i->nregion; r++) {
      w |= z->wants[i->region[r]->param[k + at]->id];
      bits = bits && is_bit(i->region[r]->param[k + at]);
    }
    bits = bits && is_bit(pass_yield(pass_loop_body(i))->arg[k]);
    z->carry[i->res[k]->id] = bits && w == BITS_PLANES ? w : BITS_FIELD;
  }
}

static void uses_loop(bits_pass *z, ir_inst *i) {
  uint32_t at = pass_first_carry(i);
  for (uint32_t k = 0; k < i->nres; k++) z->carry[i->res[k]->id] = 0;
  for (uint32_t r = i->nregion; r--;) uses(z, i->region[r]);
  decide(z, i);
  for (uint32_t r = i->nregion; r--;) uses(z, i->region[r]); /* the yields */
  for (uint32_t k = 0; k < i->narg; k++)
    z->wants[i->arg[k]->id] |=
        k < at ? BITS_FIELD : z->carry[i->res[k - at]->id];
}

static void uses(bits_pass *z, ir_block *b) {
  for (ir_inst *i = b->last; i; i = i->prev) {
    if (is_loop(i)) {
      uses_loop(z, i);
      continue;
    }
    for (uint32_t r = i->nregion; r--;) uses(z, i->region[r]);
    const ir_inst *loop = loop_of(i);
    uint8_t w = BITS_FIELD;
    if (ir_is_typed(i) || i->op == OP_OPEN) w = BITS_PLANES;
    if (follows(i)) w = z->wants[i->res[0]->id];
    for (uint32_t k = 0; k < i->narg; k++)
      z->wants[i->arg[k]->id] |= loop ? z->carry[loop->res[k]->id] : w;
  }
}

/* ---- forward ---- */
static ir_value *bit_planes(bits_pass *z, ir_value *v) {
  ir_value *p = bits_operand(z, v, 1, v->ty.lanes);
  return p->ty.kind == KIND_PUB ? ir_op1(&z->g.b, OP_HIDE, p) : p;
}

/* q, which is planes, stands for v. */
static void stand_in(bits_pass *z, ir_value *q, const ir_value *v) {
  q->index = v->index;
  q->name = v->name;
  z->form[v->id] = (bits_form){.planes = q, .native = true};
}

/* The carried values that are planes get parameters and results that are. */
static void lower_carried(bits_pass *z, ir_inst *i) {
  uint32_t at = pass_first_carry(i);
  for (uint32_t k = 0; k < i->nres; k++) {
    ir_value *r = i->res[k];
    if (z->carry[r->id] != BITS_PLANES) continue;
    ir_type ty = ir_ty(DOM_B, KIND_SH, r->ty.lanes, NULL);
    i->arg[k + at] = bit_planes(z, i->arg[k + at]);
    for (uint32_t j = 0; j < i->nregion; j++) {
      ir_block *b = i->region[j];
      ir_value *old = b->param[k + at], *q = ir_param(z->m, b, ty, NULL);
      b->nparam--; /* it goes to the old one's place */
      b->param[k + at] = q;
      stand_in(z, q, old);
    }
    ir_value *q = ARENA_NEW(z->m->a, ir_value);
    *q = (ir_value){.ty = ty, .id = z->m->nvalue++, .def = i,
                    .block = i->block};
    i->res[k] = q;
    stand_in(z, q, r);
  }
}

static void lower_block(bits_pass *z, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    z->g.b = pass_before(z->m, i);
    if (!i->nregion && i->op != OP_YIELD && bits_lower(z, i)) {
      ir_remove(i);
      z->changed = true;
      continue;
    }
    if (is_loop(i)) lower_carried(z, i);
    const ir_inst *loop = loop_of(i);
    for (uint32_t k = 0; k < i->narg; k++)
      i->arg[k] = loop && loop->res[k]->ty.dom == DOM_B
                      ? bit_planes(z, i->arg[k])
                      : bits_field(z, i->arg[k]);
    for (uint32_t r = 0; r < i->nregion; r++) lower_block(z, i->region[r]);
  }
}

static void find_typed(ir_inst *i, void *any) {
  *(bool *)any |= ir_is_typed(i);
}

bool pass_bits(ir_module *m, pass_ctx *cx) {
  bool any = false;
  ir_walk(m->body, find_typed, &any);
  if (!any) return false;
  bits_pass z = {.m = m, .n = ir_number(m)};
  z.g = (gadget){.target = cx->target, .a = cx->scratch};
  z.form = ARENA_ARR(cx->scratch, bits_form, z.n + 1);
  z.wants = ARENA_ARR(cx->scratch, uint8_t, z.n + 1);
  z.carry = ARENA_ARR(cx->scratch, uint8_t, z.n + 1);
  uses(&z, m->body);
  lower_block(&z, m->body);
  return z.changed;
}
