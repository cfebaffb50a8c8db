/* bits: integers on shares in terms of additions and multiplications.
 *
 * Comparisons, selections, bitwise operations, shifts, division, digits and
 * one-hot of shares are written out by the gadgets of ir/gadget, in the field
 * and in GF(2), for one protocol (pass_ctx.target).  A value has up to two
 * forms, in the field and as planes of bits; each is made once, where the value
 * is defined, and only if something asks for it.  Moves, openings and gates on
 * 0/1 follow the form that their operands have.
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
  if (!f->native && !f->field) return v;
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
  else if (x->def && x->def->op == OP_HIDE)
    p = ir_op1(&z->g.b, OP_HIDE, gd_public_bits(&z->g, x->def->arg[0], m));
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
/* A gate on 0/1, written as arithmetic. */
static bool is_gate(const ir_inst *i) {
  if ((i->op != OP_MUL && i->op != OP_SUB && i->op != OP_PROD) ||
      !gd_is_bool(i->res[0]))
    return false;
  for (uint32_t k = 0; k < i->narg; k++)
    if (!gd_is_bool(i->arg[k])) return false;
  return true;
}

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

static bool want(bits_pass *z, const ir_value *v, uint8_t w) {
  uint8_t *have = &z->wants[v->id];
  bool more = w & ~*have;
  *have |= w;
  return more;
}

/* What the result of slot k is wanted as: its initial value, what a turn or
 * branch yields and its parameter alike. */
static bool uses_slot(bits_pass *z, ir_inst *o, uint32_t k) {
  ir_value *slot[6];
  uint32_t n = 0, at = k + pass_first_carry(o);
  uint8_t w = 0;
  bool more = false;
  slot[n++] = o->res[k];
  if (o->op == OP_IF) {
    for (uint32_t r = 0; r < 2; r++)
      slot[n++] = pass_yield(o->region[r])->arg[k];
  } else {
    for (uint32_t r = 0; r < o->nregion; r++)
      slot[n++] = o->region[r]->param[at];
    slot[n++] = pass_yield(pass_loop_body(o))->arg[k];
    slot[n++] = o->arg[at];
  }
  uint32_t own = o->op == OP_IF ? 1 : 1 + o->nregion;
  for (uint32_t j = 0; j < own; j++) w |= z->wants[slot[j]->id];
  for (uint32_t j = 0; j < n; j++) more |= want(z, slot[j], w);
  return more;
}

/* True if something more is known to be wanted. */
static bool uses(bits_pass *z, ir_block *b) {
  bool more = false;
  for (ir_inst *i = b->last; i; i = i->prev) {
    if (i->op == OP_YIELD) continue;
    for (uint32_t k = 0; k < i->nres && i->nregion; k++)
      more |= uses_slot(z, i, k);
    for (uint32_t r = i->nregion; r--;) more |= uses(z, i->region[r]);
    if (i->nregion) continue;
    uint8_t w = BITS_FIELD;
    if (ir_is_typed(i) || i->op == OP_OPEN) w = BITS_PLANES;
    if (follows(i) || is_gate(i)) w = z->wants[i->res[0]->id];
    for (uint32_t k = 0; k < i->narg; k++) more |= want(z, i->arg[k], w);
  }
  return more;
}

/* ---- slots of regions as planes ---- */
/* Is v planes, or will it be, by what is known in front of it? */
static bool is_likely(const bits_pass *z, const ir_value *v) {
  return v->ty.kind == KIND_PUB || bits_native(z, v) ||
         (v->id < z->n && z->likely[v->id]);
}

static bool likely(const bits_pass *z, const ir_inst *d) {
  if (ir_is_typed(d) && d->op != OP_SELECT) return d->op != OP_SHL;
  if (d->op == OP_HIDE) return gd_is_bool(d->res[0]);
  if (is_gate(d)) {
    for (uint32_t k = 0; k < d->narg; k++)
      if (d->arg[k]->ty.kind == KIND_SH && is_likely(z, d->arg[k]))
        return true;
    return false;
  }
  if (!follows(d)) return false;
  uint32_t from = d->op == OP_SELECT, to = d->op == OP_CONCAT ? d->narg
                                          : d->op == OP_SELECT ? 3
                                          : d->op == OP_PUT    ? 2
                                                               : 1;
  for (uint32_t k = from; k < to; k++)
    if (!is_likely(z, d->arg[k])) return false;
  return true;
}

/* What the regions of o hold, if its parameters are planes where that is all
 * that they are wanted as. */
static void guess(bits_pass *z, const ir_inst *o) {
  for (uint32_t r = 0; r < o->nregion; r++) {
    const ir_block *b = o->region[r];
    for (uint32_t k = 0; k < b->nparam; k++)
      z->likely[b->param[k]->id] = z->wants[b->param[k]->id] == BITS_PLANES;
    for (const ir_inst *i = b->first; i; i = i->next) {
      if (i->nregion) guess(z, i);
      for (uint32_t k = 0; k < i->nres && !i->nregion; k++)
        z->likely[i->res[k]->id] = likely(z, i);
    }
  }
  for (uint32_t k = 0; k < o->nres; k++) {
    bool yes = z->wants[o->res[k]->id] == BITS_PLANES;
    for (uint32_t r = o->op == OP_WHILE; r < o->nregion; r++)
      yes = yes && is_likely(z, pass_yield(o->region[r])->arg[k]);
    z->likely[o->res[k]->id] = yes;
  }
}

/* The interval of slot k of o: what its parameters and its result may hold, so
 * that all of them have as many planes. */
static const ir_range *slot_range(bits_pass *z, const ir_inst *o, uint32_t k) {
  const ir_range *r = o->res[k]->ty.range;
  for (uint32_t j = 0; j < o->nregion && o->op != OP_IF; j++)
    r = ir_range_hull(
        z->m, r, o->region[j]->param[k + pass_first_carry(o)]->ty.range);
  return r;
}

/* v, a parameter or result, holds the planes of its slot. */
static void set_slot(bits_pass *z, ir_value *v, const ir_range *slot) {
  bool neg, own;
  uint32_t m = gd_width(slot, &neg), to = gd_width(v->ty.range, &own);
  ir_value *p = ARENA_NEW(z->m->a, ir_value);
  *p = *v;
  p->id = z->m->nvalue++;
  p->ty = ir_ty(DOM_B, KIND_SH, v->ty.lanes * m, NULL);
  if (v->def)
    v->def->res[v->index] = p;
  else
    v->block->param[v->index] = p;
  z->g.b = pass_after_value(z->m, p);
  p = gd_extend(&z->g, p, v->ty.lanes, m, neg, to);
  z->form[v->id] = (bits_form){.planes = p, .native = true};
}

static ir_value *as_slot(bits_pass *z, ir_value *v, const ir_range *slot) {
  bool neg;
  ir_value *p = bits_operand(z, v, gd_width(slot, &neg), v->ty.lanes);
  return p->ty.kind == KIND_PUB ? ir_op1(&z->g.b, OP_HIDE, p) : p;
}

/* Slots whose uses ask for planes alone, and that get planes. */
static uint8_t *choose_slots(bits_pass *z, ir_inst *o) {
  uint8_t *is = ARENA_ARR(z->g.a, uint8_t, o->nres + 1);
  guess(z, o);
  for (uint32_t k = 0; k < o->nres; k++) {
    const ir_type *ty = &o->res[k]->ty;
    is[k] = ty->kind == KIND_SH && slot_range(z, o, k) &&
            z->likely[o->res[k]->id];
    for (uint32_t r = 0; r < o->nregion && o->op != OP_IF; r++)
      z->likely[o->region[r]->param[k + pass_first_carry(o)]->id] = is[k];
  }
  return is;
}

static void lower_block(bits_pass *z, ir_block *b);

static void lower_region(bits_pass *z, ir_inst *o) {
  uint32_t at = pass_first_carry(o);
  uint8_t *is = choose_slots(z, o);
  const ir_range **slot = ARENA_ARR(z->g.a, const ir_range *, o->nres + 1);
  for (uint32_t k = 0; k < o->nres; k++) slot[k] = slot_range(z, o, k);
  if (at || o->op == OP_IF) o->arg[0] = bits_field(z, o->arg[0]);
  for (uint32_t k = 0; k < o->nres && o->op != OP_IF; k++) {
    ir_value **init = &o->arg[k + at];
    z->g.b = pass_before(z->m, o);
    *init = is[k] ? as_slot(z, *init, slot[k]) : bits_field(z, *init);
    for (uint32_t r = 0; r < o->nregion && is[k]; r++)
      set_slot(z, o->region[r]->param[k + at], slot[k]);
  }
  for (uint32_t r = 0; r < o->nregion; r++) {
    ir_block *b = o->region[r];
    lower_block(z, b);
    ir_inst *y = pass_yield(b);
    bool cond = o->op == OP_WHILE && r == 0;
    z->g.b = pass_before(z->m, y);
    for (uint32_t k = 0; k < y->narg; k++)
      y->arg[k] = !cond && is[k] ? as_slot(z, y->arg[k], slot[k])
                                 : bits_field(z, y->arg[k]);
  }
  for (uint32_t k = 0; k < o->nres; k++)
    if (is[k]) set_slot(z, o->res[k], slot[k]);
  z->changed = true;
}

/* ---- forward ---- */
static void lower_block(bits_pass *z, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    z->g.b = pass_before(z->m, i);
    if (i->op == OP_YIELD) continue;
    if (i->nregion) {
      lower_region(z, i);
    } else if (bits_lower(z, i)) {
      for (uint32_t k = 0; k < i->nres; k++)
        z->likely[i->res[k]->id] = bits_native(z, i->res[k]);
      ir_remove(i);
      z->changed = true;
    } else {
      for (uint32_t k = 0; k < i->narg; k++)
        i->arg[k] = bits_field(z, i->arg[k]);
      for (uint32_t k = 0; k < i->nres; k++) z->likely[i->res[k]->id] = false;
    }
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
  z.likely = ARENA_ARR(cx->scratch, uint8_t, z.n + 1);
  while (uses(&z, m->body)) continue;
  lower_block(&z, m->body);
  return z.changed;
}
