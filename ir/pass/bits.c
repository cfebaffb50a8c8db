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
  case OP_SELECT: return true;
  default: return false;
  }
}

static void uses(bits_pass *z, ir_block *b) {
  for (ir_inst *i = b->last; i; i = i->prev) {
    for (uint32_t r = i->nregion; r--;) uses(z, i->region[r]);
    uint8_t w = BITS_FIELD;
    if (ir_is_typed(i) || i->op == OP_OPEN) w = BITS_PLANES;
    if (follows(i)) w = z->wants[i->res[0]->id];
    for (uint32_t k = 0; k < i->narg; k++) z->wants[i->arg[k]->id] |= w;
  }
}

/* ---- forward ---- */
static void lower_block(bits_pass *z, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    z->g.b = pass_before(z->m, i);
    if (!i->nregion && i->op != OP_YIELD && bits_lower(z, i)) {
      ir_remove(i);
      z->changed = true;
      continue;
    }
    for (uint32_t k = 0; k < i->narg; k++)
      i->arg[k] = bits_field(z, i->arg[k]);
    for (uint32_t r = 0; r < i->nregion; r++) lower_block(z, i->region[r]);
  }
}

static void find_typed(ir_inst *i, void *any) {
  *(bool *)any |= ir_is_typed(i) ||
                  (i->op == OP_ASSUME && i->narg > 1 &&
                   i->arg[1]->ty.kind == KIND_SH);
}

bool pass_bits(ir_module *m, pass_ctx *cx) {
  bool any = false;
  ir_walk(m->body, find_typed, &any);
  if (!any) return false;
  bits_pass z = {.m = m, .n = ir_number(m)};
  z.g = (gadget){.target = cx->target, .a = cx->scratch};
  z.form = ARENA_ARR(cx->scratch, bits_form, z.n + 1);
  z.wants = ARENA_ARR(cx->scratch, uint8_t, z.n + 1);
  uses(&z, m->body);
  lower_block(&z, m->body);
  return z.changed;
}
