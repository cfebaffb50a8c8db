/* Units: what stands by itself in straight code. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/c/emit.h"

typedef struct target {
  const c_plan *p;
  const ir_value *v;    /* whose operation, or whose value */
  const c_slot *slot;   /* where to */
  c_rep rep;
  uint64_t lanes, base; /* of the slot's vector; first lane written */
  const ir_inst *put;   /* lanes go where this put sends them */
  const c_slot *temp;   /* v lives here for now */
  bool make;            /* the operation itself, not the slot of v */
} target;

static void comment(c_emit *e, const ir_inst *i) {
  source_pos at = {0};
  if (e->m->src && i->sp.start) at = source_at(e->m->src, i->sp.start);
  buf_puts(&e->code, "  // ");
  if (at.file) buf_printf(&e->code, "line %u: ", at.line);
  buf_puts(&e->code, ir_ops[i->op].spelling);
  if (i->nres)
    buf_printf(&e->code, ", %" PRIu64 " lane%s", i->res[0]->ty.lanes,
               i->res[0]->ty.lanes == 1 ? "" : "s");
  buf_putc(&e->code, '\n');
}

/* ---- lane bodies ---- */

static void store_body(c_kernel *k, const c_idx *lane, void *user) {
  const target *t = user;
  c_name x;
  if (t->temp)
    x = elem_convert(k,
                     kernel_load(k, t->temp, plan_val(t->p, t->v)->rep,
                                 t->v->ty.lanes, lane),
                     plan_val(t->p, t->v)->rep, t->rep);
  else if (t->make)
    x = elem_convert(k, elem_make(k, t->v, lane), plan_val(t->p, t->v)->rep,
                     t->rep);
  else
    x = elem_as(k, t->v, lane, t->rep);
  c_idx to = *lane;
  if (t->put) {
    to = idx_view(k, lane, t->put->at.off, t->put->at.dim, t->put->at.ndim);
    const ir_value *at = t->put->arg[2];
    mpz_srcptr c;
    if (ir_is_const(at, &c)) {
      to.c += (int64_t)mpz_get_si(c);
    } else {
      c_idx zero = idx_const(0);
      c_name o = elem_as(k, at, &zero, REP_Z);
      idx_add_sym(k, &to, arena_strdup(k->e->a, o.s), 1);
    }
  }
  to.c += (int64_t)t->base;
  kernel_store(k, t->slot, t->rep, t->lanes, &to, x);
}

static void run_target(c_emit *e, uint64_t lanes, target *t) {
  t->p = e->p;
  kernel_run(e, lanes, NULL, NULL, store_body, t);
}

typedef struct guard {
  const ir_value *v;
  uint32_t site;
  const ir_inst *dec;
} guard;

static void check_body(c_kernel *k, const c_idx *lane, void *user) {
  const guard *c = user;
  c_name x = elem_as(k, c->v, lane, REP_Z);
  k->e->uses_g = true;
  kernel_line(k, "if (%s == 0) return chi_gen_fail(g, %u);", x.s, c->site);
}

/* Elements of more than a word. */
static void dec_wide(c_kernel *k, const c_idx *lane, const guard *c) {
  const ir_value *r = c->dec->res[0];
  const c_val *cr = plan_val(k->e->p, r);
  c_name x = elem(k, c->v, lane), y;
  snprintf(y.s, sizeof y.s, "%s", emit_name(k->e, "v"));
  uint32_t lo = emit_wide_const(k->e, r->ty.range->lo);
  uint32_t hi = emit_wide_const(k->e, r->ty.range->hi);
  kernel_line(k, "uint64_t %s[CHI_WIDE_WORDS];", y.s);
  kernel_line(k, "chi_f_to_wide(%s, %s);", y.s, x.s);
  kernel_line(k,
              "if (chi_wide_cmp(%s, c%u) < 0 || chi_wide_cmp(%s, c%u) > 0) "
              "return chi_gen_fail(g, %u);",
              y.s, lo, y.s, hi, c->site);
  kernel_store(k, cr->slot, cr->rep, r->ty.lanes, lane,
               elem_convert(k, y, REP_WIDE, cr->rep));
}

static void dec_body(c_kernel *k, const c_idx *lane, void *user) {
  const guard *c = user;
  const ir_value *r = c->dec->res[0];
  const c_val *cr = plan_val(k->e->p, r);
  k->e->uses_g = true;
  if (!emit_own_field(k->e)) {
    dec_wide(k, lane, c);
    return;
  }
  c_name x = elem(k, c->v, lane);
  const char *y = emit_name(k->e, "v");
  kernel_line(k, "const int64_t %s = chi_f_to_i64(%s);", y, x.s);
  kernel_line(k, "if (%s < %s || %s > %s) return chi_gen_fail(g, %u);", y,
              emit_mpz_i64(k->e, r->ty.range->lo), y,
              emit_mpz_i64(k->e, r->ty.range->hi), c->site);
  c_name n;
  snprintf(n.s, sizeof n.s, "%s", y);
  kernel_store(k, cr->slot, cr->rep, r->ty.lanes, lane, n);
}

/* ---- exchanges ---- */

typedef struct product {
  const ir_value *v;
  const char *z, *from;
} product;

/* The mask is there already: products are added to it. */
static void reduce_body(c_kernel *k, const c_idx *lane, void *user) {
  const product *r = user;
  c_name x = elem_as(k, r->v, lane, REP_PROD);
  c_idx at = *lane;
  if (r->from) idx_add_sym(k, &at, r->from, -1);
  const char *i = idx_text(k, &at);
  kernel_line(k, "chi_fe_st(%s, (uint64_t)(%s),", r->z, i);
  kernel_line(k, "          chi_f_add(chi_fe_ld(%s, (uint64_t)(%s)), %s));",
              r->z, i, x.s);
}

static void emit_reduce(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0];
  uint64_t n = v->ty.lanes, dst = plan_val(e->p, v)->slot->off;
  product r = {.v = i->arg[0], .z = emit_name(e, "z")};
  comment(e, i);
  if (n <= EMIT_CHUNK) {
    emit_line(e,
              "uint64_t *const %s = chi_gen_reduce_open_chunk(g, %" PRIu64
              ", %" PRIu64 ", 0, %" PRIu64 ");",
              r.z, dst, n, n);
    kernel_run(e, n, NULL, NULL, reduce_body, &r);
    emit_line(e, "chi_gen_reduce_close_chunk(g);");
    return;
  }
  const char *from = emit_name(e, "o"), *to = emit_name(e, "e");
  emit_line(e, "for (int64_t %s = 0; %s < %" PRIu64 "; %s += CHI_GEN_CHUNK) {",
            from, from, n, from);
  emit_line(e,
            "  const int64_t %s = %" PRIu64 " - %s < CHI_GEN_CHUNK ? %" PRIu64
            " : %s + CHI_GEN_CHUNK;",
            to, n, from, n, from);
  emit_line(e, "  uint64_t *const %s =", r.z);
  emit_line(e,
            "      chi_gen_reduce_open_chunk(g, %" PRIu64 ", %" PRIu64
            ", (uint64_t)%s, (uint64_t)(%s - %s));",
            dst, n, from, to, from);
  r.from = from;
  kernel_run(e, n, from, to, reduce_body, &r);
  emit_line(e, "  chi_gen_reduce_close_chunk(g);");
  emit_line(e, "}");
}

static void count_move(c_emit *e, const ir_inst *i, uint32_t *n) {
  uint64_t rows = i->res[0]->ty.lanes / i->at.inner;
  if (rows > e->max_shuffle_rows) e->max_shuffle_rows = rows;
  if (++*n > e->max_shuffle_values) e->max_shuffle_values = *n;
}

/* All interactive ops of the round that begins with `first`. */
static void emit_exchange(c_emit *e, const ir_inst *first) {
  uint32_t nm = 0, no = 0, ns = 0;
  ir_load x = {0};
  const ir_inst *i;
  for (i = first; i && (ir_ops[i->op].flags & F_I) &&
                  i->at.round == first->at.round;
       i = i->next) {
    ir_load_add(&x, i);
    nm += i->op == OP_REDUCE && !plan_is_bits(i);
    no += i->op == OP_OPEN && !plan_is_bits(i);
    if (ir_ops[i->op].rule == RULE_SHUFFLE) count_move(e, i, &ns);
  }
  const ir_inst *end = i;
  if (x.reduce > e->max_reduce) e->max_reduce = x.reduce;
  if (x.open > e->max_open) e->max_open = x.open;
  if (nm > e->max_reduce_values) e->max_reduce_values = nm;
  if (no > e->max_open_values) e->max_open_values = no;
  if (x.bit_items > e->max_bit_values) e->max_bit_values = x.bit_items;
  emit_line(e, "chi_gen_begin(g, %" PRIu64 ", %" PRIu64 ");", x.reduce,
            x.open);
  uint64_t moved = x.shuffle[0] + x.shuffle[1] + x.shuffle[2];
  if (moved > e->max_shuffle_lanes) e->max_shuffle_lanes = moved;
  if (moved)
    emit_line(e, "chi_gen_begin_shuffle(g, %" PRIu64 ");", moved);
  if (x.bit_items) bits_begin(e, &x);
  for (i = first; i != end; i = i->next) {
    e->uses_g = true; /* again: the function may have ended */
    if (plan_is_bits(i)) {
      bits_exchange(e, i);
    } else if (i->op == OP_REDUCE) {
      emit_reduce(e, i);
    } else {
      emit_line(e, "chi_gen_open(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
                plan_val(e->p, i->res[0])->slot->off,
                plan_val(e->p, i->arg[0])->slot->off, i->arg[0]->ty.lanes);
    }
    if (e->stmts > EMIT_STATEMENTS) control_flush(e);
  }
  e->uses_g = true;
  emit_line(e, "if (chi_gen_end(g) != 0) return 1;");
}

static bool starts_exchange(const ir_inst *i) {
  return !i->prev || !(ir_ops[i->prev->op].flags & F_I) ||
         i->prev->at.round != i->at.round;
}

/* ---- vectors ---- */

void unit_copy(c_emit *e, const c_slot *to, const c_slot *from) {
  e->uses_w = true;
  if (to->words == 1)
    emit_line(e, "w[%" PRIu64 "] = w[%" PRIu64 "];", to->off, from->off);
  else
    emit_line(e,
              "memcpy(w + %" PRIu64 ", w + %" PRIu64 ", %" PRIu64
              " * sizeof *w);",
              to->off, from->off, to->words);
}

static void emit_put(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0], *x = i->arg[0];
  const c_val *c = plan_val(e->p, v), *cx = plan_val(e->p, x);
  target t = {.v = x, .slot = c->slot, .rep = c->rep, .lanes = v->ty.lanes};
  if (!cx->root || cx->rep != c->rep)
    run_target(e, v->ty.lanes, &t);
  else if (cx->slot != c->slot)
    unit_copy(e, c->slot, cx->slot);
  t.v = i->arg[1];
  t.put = i;
  run_target(e, i->arg[1]->ty.lanes, &t);
}

static void emit_concat(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0];
  const c_val *c = plan_val(e->p, v);
  uint64_t base = 0;
  for (uint32_t k = 0; k < i->narg; k++) {
    target t = {.v = i->arg[k], .slot = c->slot, .rep = c->rep,
                .lanes = v->ty.lanes, .base = base};
    run_target(e, i->arg[k]->ty.lanes, &t);
    base += i->arg[k]->ty.lanes;
    if (e->stmts > EMIT_STATEMENTS) control_flush(e);
  }
}

static void emit_tell(c_emit *e, const ir_inst *i) {
  const ir_value *id = i->arg[1], *v = i->arg[0];
  const c_val *c = plan_val(e->p, id), *cv = plan_val(e->p, v);
  int out = ir_leaf_find(e->m->out, e->m->nout, i->at.name);
  const char *at;
  e->uses_g = e->uses_w = true;
  if (c->rep == REP_WIDE) {
    at = arena_printf(e->a, "w + %" PRIu64, c->slot->off);
  } else {
    at = emit_name(e, "d");
    emit_line(e, "uint64_t %s[CHI_WIDE_WORDS];", at);
    emit_line(e, "chi_wide_set_i64(%s, (int64_t)w[%" PRIu64 "]);", at,
              c->slot->off);
  }
  emit_line(e,
            "if (chi_gen_tell(g, %d, %s, %" PRIu64 ", %" PRIu64
            ") != 0) return 1;",
            out < 0 ? 0 : out, at, cv->slot->off, v->ty.lanes);
}

/* ---- all of them ---- */

void unit_emit(c_emit *e, const ir_inst *i) {
  if (ir_ops[i->op].flags & F_I) {
    if (starts_exchange(i)) {
      e->uses_g = true;
      emit_exchange(e, i);
    }
    return;
  }
  if (i->op == OP_INPUT || i->op == OP_OUTPUT || i->op == OP_YIELD) return;
  if (i->nres && !plan_val(e->p, i->res[0])->root) return;
  bool wanted = !i->nres || ir_ops[i->op].flags & F_E;
  for (uint32_t k = 0; k < i->nres; k++)
    wanted |= plan_val(e->p, i->res[k])->nuse > 0;
  if (!wanted) return;
  comment(e, i);
  if (plan_is_bits(i)) {
    bits_emit(e, i);
    return;
  }
  switch (i->op) {
  case OP_PUT:
    emit_put(e, i);
    return;
  case OP_CONCAT:
    emit_concat(e, i);
    return;
  case OP_TELL:
    emit_tell(e, i);
    return;
  case OP_CHECK: {
    guard c = {.v = i->arg[0],
               .site = emit_site(e, false, i->at.message, i->sp)};
    kernel_run(e, i->arg[0]->ty.lanes, NULL, NULL, check_body, &c);
    return;
  }
  case OP_DEC: {
    guard c = {.v = i->arg[0], .dec = i,
               .site = emit_site(e, true, NULL, i->sp)};
    kernel_run(e, i->arg[0]->ty.lanes, NULL, NULL, dec_body, &c);
    return;
  }
  default: {
    const ir_value *v = i->res[0];
    const c_val *c = plan_val(e->p, v);
    target t = {.v = v, .slot = c->slot, .rep = c->rep,
                .lanes = v->ty.lanes, .make = true};
    run_target(e, v->ty.lanes, &t);
  }
  }
}

void unit_moves(c_emit *e, const ir_inst *i) {
  const c_ins *ci = plan_ins(i);
  for (uint32_t k = 0; k < ci->nmove; k++) {
    const c_move *m = &ci->move[k];
    const ir_value *to = m->to ? m->to : m->src;
    const c_val *s = plan_val(e->p, m->src);
    c_rep r = plan_val(e->p, to)->rep;
    if (s->root && r == s->rep) {
      unit_copy(e, m->dst, m->temp ? m->temp : s->slot);
    } else {
      target t = {.v = m->src, .slot = m->dst, .rep = r,
                  .lanes = to->ty.lanes, .temp = m->temp};
      run_target(e, to->ty.lanes, &t);
    }
    if (e->stmts > EMIT_STATEMENTS) control_flush(e);
  }
}
