/* Functions: straight ones of kernels, control ones of calls.
 *
 * A straight function that touches shares is written once, with the protocol
 * as a constant argument, and instantiated for each protocol that the circuit
 * is for.  Both kinds end when they have grown enough, so that the C compiler's time is linear.
 */
#include <inttypes.h>
#include <stdio.h>

#include "backend/c/emit.h"

static void write_unused(buf *b, bool g, bool w) {
  if (!g) buf_puts(b, "  (void)g;\n");
  if (!w) buf_puts(b, "  (void)w;\n");
}

static void write_straight(c_emit *e, uint32_t id) {
  static const char *const name[] = {"0", "CHI_GEN_REP3", "CHI_GEN_SHAMIR"};
  ir_protocol bound = e->m->target.protocol;
  buf *b = &e->fns;
  if (e->shares && !bound)
    buf_printf(b,
               "static CHI_GEN_INLINE int s%u_on(const int P, chi_gen *g,\n"
               "                                 uint64_t *w) {\n",
               id);
  else
    buf_printf(b, "static int s%u(chi_gen *g, uint64_t *w) {\n", id);
  write_unused(b, e->uses_g || e->uses_me, e->uses_w);
  if (e->shares && bound) buf_printf(b, "  const int P = %s;\n", name[bound]);
  if (e->uses_me) buf_puts(b, "  const unsigned me = chi_gen_me(g);\n");
  buf_write(b, e->code.p, e->code.n);
  buf_puts(b, "  return 0;\n}\n\n");
  if (!e->shares || bound) return;
  buf_printf(b, "static int s%u(chi_gen *g, uint64_t *w) {\n", id);
  buf_puts(b, "  if (chi_gen_protocol(g) == CHI_GEN_REP3)\n");
  buf_printf(b, "    return s%u_on(CHI_GEN_REP3, g, w);\n", id);
  buf_printf(b, "  return s%u_on(CHI_GEN_SHAMIR, g, w);\n}\n\n", id);
}

/* A control function that is full becomes the first call of the next. */
static const char *write_control(c_emit *e, c_ctl *c) {
  const char *name = arena_printf(e->a, "r%u", e->nfn++);
  buf *b = &e->fns;
  buf_printf(b, "static int %s(chi_gen *g, uint64_t *w) {\n", name);
  buf_write(b, c->body.p, c->body.n);
  buf_puts(b, "  return 0;\n}\n\n");
  buf_reset(&c->body);
  c->calls = 0;
  return name;
}

static void roll_over(c_emit *e) {
  c_ctl *c = e->ctl;
  if (c->calls < EMIT_CALLS || c->indent > 1) return;
  const char *name = write_control(e, c);
  emit_ctl(e, "if (%s(g, w) != 0) return 1;", name);
}

void control_flush(c_emit *e) {
  if (e->code.n) {
    uint32_t id = e->nfn++;
    write_straight(e, id);
    emit_ctl(e, "if (s%u(g, w) != 0) return 1;", id);
    roll_over(e);
  }
  buf_reset(&e->code);
  e->stmts = e->nname = 0;
  e->shares = e->uses_me = e->uses_g = e->uses_w = false;
}

/* An int64_t expression for a public scalar that is constant or in a slot. */
static const char *scalar(c_emit *e, const ir_value *v) {
  const c_val *c = plan_val(e->p, v);
  if (!c->root) {
    mpz_srcptr k;
    if (ir_is_const(v, &k)) return emit_mpz_i64(e, k);
    if (v->def->op == OP_TABLE) return emit_mpz_i64(e, v->def->at.table[0]);
    return "0"; /* iota of one lane */
  }
  if (c->rep == REP_WIDE)
    return arena_printf(e->a, "chi_wide_get_i64(w + %" PRIu64 ")",
                        c->slot->off);
  return arena_printf(e->a, "(int64_t)w[%" PRIu64 "]", c->slot->off);
}

static void call(c_emit *e, const char *name) {
  if (name) emit_ctl(e, "if (%s(g, w) != 0) return 1;", name);
}

static void begin(c_emit *e, const char *fmt, const char *x) {
  emit_ctl(e, fmt, x);
  e->ctl->indent++;
}

static void end(c_emit *e) {
  e->ctl->indent--;
  emit_ctl(e, "}");
}

static void emit_for(c_emit *e, const ir_inst *i) {
  uint32_t id = e->nfn++;
  /* the count is read before the moves: a carried value may take its slot */
  begin(e, "{%s", "");
  emit_ctl(e, "const int64_t n%u = %s;", id, scalar(e, i->arg[0]));
  unit_moves(e, i);
  control_flush(e);
  const char *body = control_block(e, i->region[0]);
  const ir_value *index = i->region[0]->param[0];
  bool used = plan_val(e->p, index)->nuse > 0;
  if (body || used) {
    emit_ctl(e, "for (int64_t i%u = 0; i%u < n%u; i%u++) {", id, id, id, id);
    e->ctl->indent++;
    const c_val *c = plan_val(e->p, index);
    if (used && c->rep == REP_Z)
      emit_ctl(e, "w[%" PRIu64 "] = (uint64_t)i%u;", c->slot->off, id);
    else if (used)
      emit_ctl(e, "chi_wide_set_i64(w + %" PRIu64 ", i%u);", c->slot->off,
               id);
    call(e, body);
    end(e);
  } else {
    emit_ctl(e, "(void)n%u;", id);
  }
  end(e);
}

static void emit_while(c_emit *e, const ir_inst *i) {
  uint32_t id = e->nfn++;
  unit_moves(e, i);
  control_flush(e);
  const char *cond = control_block(e, i->region[0]);
  const char *body = control_block(e, i->region[1]);
  emit_ctl(e,
           "for (uint64_t i%u = 0; i%u != UINT64_C(%" PRIu64 "); i%u++) {", id,
           id, i->at.max, id);
  e->ctl->indent++;
  call(e, cond);
  emit_ctl(e, "if (%s == 0) break;",
           scalar(e, i->region[0]->last->arg[0]));
  call(e, body);
  end(e);
}

static void emit_if(c_emit *e, const ir_inst *i) {
  const char *yes = control_block(e, i->region[0]);
  const char *no = control_block(e, i->region[1]);
  if (!yes && !no) return;
  if (yes) {
    begin(e, "if (%s != 0) {", scalar(e, i->arg[0]));
    call(e, yes);
    end(e);
    if (!no) return;
    begin(e, "else {%s", "");
  } else {
    begin(e, "if (%s == 0) {", scalar(e, i->arg[0]));
  }
  call(e, no);
  end(e);
}

const char *control_block(c_emit *e, const ir_block *b) {
  control_flush(e);
  c_ctl c = {.indent = 1}, *outer = e->ctl;
  e->ctl = &c;
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (!i->nregion) {
      unit_emit(e, i);
      if (i->op == OP_YIELD) unit_moves(e, i);
      if (e->stmts > EMIT_STATEMENTS) control_flush(e);
      continue;
    }
    control_flush(e);
    if (i->op == OP_FOR)
      emit_for(e, i);
    else if (i->op == OP_WHILE)
      emit_while(e, i);
    else
      emit_if(e, i);
    roll_over(e);
  }
  control_flush(e);
  const char *name = c.body.n ? write_control(e, &c) : NULL;
  buf_free(&c.body);
  e->ctl = outer;
  return name;
}
