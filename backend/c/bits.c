/* Operations on bits: calls of the runtime on whole slots. */
#include <inttypes.h>

#include "backend/c/emit.h"

static uint64_t place(const c_emit *e, const ir_value *v) {
  return plan_val(e->p, v)->slot->off;
}

static c_rep rep_of(const c_emit *e, const ir_value *v) {
  return plan_val(e->p, v)->rep;
}

static const char *kind_of(c_rep r) {
  static const char *const name[] = {"CHI_B_PUB", "CHI_B_SH", "CHI_B_PROD"};
  return name[r - REP_B];
}

/* ---- axes ---- */

/* Without axes of one step; two that are one run become one. */
static uint32_t simplify(const ir_dim *d, uint32_t n, ir_dim *out) {
  uint32_t k = 0;
  for (uint32_t j = 0; j < n; j++) {
    if (d[j].n == 1) continue;
    int64_t run;
    if (k && !__builtin_mul_overflow(d[j].stride, (int64_t)d[j].n, &run) &&
        out[k - 1].stride == run)
      out[k - 1] = (ir_dim){out[k - 1].n * d[j].n, d[j].stride};
    else
      out[k++] = d[j];
  }
  if (!k) out[k++] = (ir_dim){1, 1};
  return k;
}

/* "d3, 2": an array of axes and how many they are. */
static const char *axes(c_emit *e, const ir_dim *d, uint32_t n) {
  ir_dim *s = ARENA_ARR(e->a, ir_dim, n + 1);
  const char *text = "", *name = emit_name(e, "d");
  n = simplify(d, n, s);
  for (uint32_t k = 0; k < n; k++)
    text = arena_printf(e->a, "%s%s{%" PRIu64 ", %" PRId64 "}", text,
                        k ? ", " : "", s[k].n, s[k].stride);
  emit_line(e, "const chi_b_dim %s[] = {%s};", name, text);
  return arena_printf(e->a, "%s, %u", name, n);
}

/* at + off, where `at` is a public scalar. */
static const char *offset(c_emit *e, const ir_value *at, int64_t off) {
  mpz_srcptr c;
  if (ir_is_const(at, &c))
    return emit_i64(e, off + (int64_t)mpz_get_si(c));
  e->uses_w = true;
  const char *x = arena_printf(e->a,
                               rep_of(e, at) == REP_WIDE
                                   ? "chi_wide_get_i64(w + %" PRIu64 ")"
                                   : "(int64_t)w[%" PRIu64 "]",
                               place(e, at));
  return off ? arena_printf(e->a, "%s + %s", x, emit_i64(e, off)) : x;
}

static void emit_view(c_emit *e, c_rep r, uint64_t dst, uint64_t dst_lanes,
                      uint64_t dst_off, uint64_t src, uint64_t src_lanes,
                      const char *off, const ir_dim *d, uint32_t n) {
  const char *dims = axes(e, d, n);
  emit_line(e,
            "chi_gen_b_view(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ", %" PRIu64 ", %s, %s);",
            kind_of(r), dst, dst_lanes, dst_off, src, src_lanes, off, dims);
}

/* ---- operands ---- */

static void clear(c_emit *e, const c_slot *s) {
  e->uses_w = true;
  emit_line(e, "memset(w + %" PRIu64 ", 0, %" PRIu64 " * sizeof *w);", s->off,
            s->words);
}

/* A public value as a share or product. */
static void emit_kind(c_emit *e, const c_slot *to, c_rep r, uint64_t src,
                      uint64_t lanes) {
  if (r == REP_BSH) {
    emit_line(e, "chi_gen_b_hide(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
              to->off, src, lanes);
    return;
  }
  clear(e, to);
  emit_line(e,
            "chi_gen_b_addp(g, CHI_B_PROD, %" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ");",
            to->off, to->off, src, lanes);
}

/* Integers of one word a lane. */
static void emit_narrow(c_emit *e, const c_slot *to, uint64_t src,
                        uint64_t lanes) {
  const char *l = emit_name(e, "l");
  e->uses_w = true;
  emit_line(e, "for (uint64_t %s = 0; %s < %" PRIu64 "; %s++)", l, l, lanes, l);
  emit_line(e,
            "  w[%" PRIu64 " + %s] = (uint64_t)chi_wide_get_i64(w + %" PRIu64
            " + 17 * %s);",
            to->off, l, src, l);
}

/* Where operand k is, in the form the operation takes it; *r is its form. */
static uint64_t operand(c_emit *e, const ir_inst *i, uint32_t k, c_rep *r) {
  const c_ins *ci = plan_ins(i);
  const ir_value *x = i->arg[k];
  uint64_t at = place(e, x);
  c_rep rx = rep_of(e, x);
  if (ci->like[k]) {
    if (rx == REP_WIDE)
      emit_narrow(e, ci->like[k], at, x->ty.lanes);
    else
      emit_kind(e, ci->like[k], rep_of(e, i->res[0]), at, x->ty.lanes);
    rx = rx == REP_WIDE ? REP_Z : rep_of(e, i->res[0]);
    at = ci->like[k]->off;
  }
  if (ci->wide[k]) {
    uint64_t n = i->res[0]->ty.lanes;
    ir_dim all = {n, 0};
    emit_view(e, rx, ci->wide[k]->off, n, 0, at, 1, "0", &all, 1);
    at = ci->wide[k]->off;
  }
  if (r) *r = rx;
  return at;
}

/* ---- arithmetic ---- */

static void emit_two(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0];
  uint64_t dst = place(e, v), n = v->ty.lanes, x[2];
  c_rep r[2], rv = rep_of(e, v);
  for (uint32_t k = 0; k < 2; k++) x[k] = operand(e, i, k, &r[k]);
  bool mul = i->op == OP_MUL;
  if (mul && r[0] == REP_BSH && r[1] == REP_BSH) {
    emit_line(e,
              "chi_gen_b_mul(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", %" PRIu64 ");",
              dst, x[0], x[1], n);
    return;
  }
  uint32_t pub = r[0] == REP_B ? 0 : 1; /* of a public one and a share */
  bool mixed = mul || r[0] != r[1];
  emit_line(e,
            "chi_gen_b_%s(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ");",
            mul ? "mulp" : mixed ? "addp" : "add", kind_of(rv), dst,
            mixed ? x[1 - pub] : x[0], mixed ? x[pub] : x[1], n);
}

/* The addition reads the factors of a product that is no root. */
static bool emit_fused(c_emit *e, const ir_inst *i) {
  for (uint32_t k = 0; k < 2; k++) {
    const ir_value *x = i->arg[k];
    if (plan_val(e->p, x)->root) continue;
    emit_line(e,
              "chi_gen_b_muladd(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", %" PRIu64 ", %" PRIu64 ");",
              place(e, i->res[0]), place(e, i->arg[1 - k]),
              place(e, x->def->arg[0]), place(e, x->def->arg[1]),
              i->res[0]->ty.lanes);
    return true;
  }
  return false;
}

static void emit_select(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0], *c = i->arg[0];
  uint64_t x = operand(e, i, 1, NULL), y = operand(e, i, 2, NULL);
  emit_line(e,
            "chi_gen_b_select(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
            kind_of(rep_of(e, v)), place(e, v), x, y, v->ty.lanes, place(e, c),
            c->ty.lanes);
}

/* ---- lanes ---- */

static void emit_gather(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0], *x = i->arg[0];
  uint64_t index = operand(e, i, 1, NULL);
  e->uses_w = true;
  if (i->at.inner > 1) {
    emit_line(e,
              "chi_gen_b_rows(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", w + %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
              kind_of(rep_of(e, v)), place(e, v), place(e, x), x->ty.lanes,
              index, i->arg[1]->ty.lanes, i->at.inner);
    return;
  }
  emit_line(e,
            "chi_gen_b_gather(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ", w + %" PRIu64 ");",
            kind_of(rep_of(e, v)), place(e, v), v->ty.lanes, place(e, x),
            x->ty.lanes, index);
}

static void emit_put(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0], *x = i->arg[0], *part = i->arg[1];
  const c_slot *to = plan_val(e->p, v)->slot, *from = plan_val(e->p, x)->slot;
  if (to != from) unit_copy(e, to, from);
  const char *dims = axes(e, i->at.dim, i->at.ndim);
  emit_line(e,
            "chi_gen_b_put(g, %s, %" PRIu64 ", %" PRIu64 ", %s, %s, %" PRIu64
            ", %" PRIu64 ");",
            kind_of(rep_of(e, v)), to->off, v->ty.lanes,
            offset(e, i->arg[2], i->at.off), dims, place(e, part),
            part->ty.lanes);
}

static void emit_concat(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0];
  uint64_t base = 0;
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_value *x = i->arg[k];
    ir_dim all = {x->ty.lanes, 1};
    e->uses_g = true;
    emit_view(e, rep_of(e, v), place(e, v), v->ty.lanes, base, place(e, x),
              x->ty.lanes, "0", &all, 1);
    base += x->ty.lanes;
    if (e->stmts > EMIT_STATEMENTS) control_flush(e);
  }
}

/* ---- between the domains ---- */

/* An array of where the results are. */
static const char *results(c_emit *e, const ir_inst *i) {
  const char *text = "", *name = emit_name(e, "d");
  for (uint32_t k = 0; k < i->nres; k++)
    text = arena_printf(e->a, "%s%s%" PRIu64, text, k ? ", " : "",
                        place(e, i->res[k]));
  emit_line(e, "const uint64_t %s[] = {%s};", name, text);
  return name;
}

static void emit_split(c_emit *e, const ir_inst *i) {
  const ir_value *x = i->arg[0];
  emit_line(e,
            "chi_gen_b_%s(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRId64 ", %u);",
            i->op == OP_DEAL ? "deal" : "split", results(e, i), place(e, x),
            x->ty.lanes, i->at.off, (unsigned)i->at.bits);
}

static void emit_pack(c_emit *e, const ir_inst *i) {
  bool pack = i->op == OP_PACK;
  const ir_value *ints = pack ? i->res[0] : i->arg[0];
  uint64_t x = operand(e, i, 0, NULL);
  emit_line(e,
            "chi_gen_b_%s%s(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %u);",
            pack ? "pack" : "unpack",
            rep_of(e, ints) == REP_WIDE ? "_wide" : "", place(e, i->res[0]), x,
            ints->ty.lanes, (unsigned)i->at.bits);
}

/* ---- all of them ---- */

void bits_emit(c_emit *e, const ir_inst *i) {
  const ir_value *v = i->res[0], *x = i->narg ? i->arg[0] : NULL;
  uint64_t dst = place(e, v), n = v->ty.lanes;
  if (i->op == OP_NEG) {
    if (plan_val(e->p, x)->slot != plan_val(e->p, v)->slot)
      unit_copy(e, plan_val(e->p, v)->slot, plan_val(e->p, x)->slot);
    return;
  }
  e->uses_g = true;
  switch (i->op) {
  case OP_CONST:
    emit_line(e, "chi_gen_b_const(g, %" PRIu64 ", %" PRIu64 ", %d);", dst, n,
              mpz_tstbit(i->at.imm, 0));
    return;
  case OP_TABLE:
    emit_line(e, "chi_gen_b_table(g, %" PRIu64 ", %" PRIu64 ", t%u);", dst, n,
              emit_table(e, v));
    return;
  case OP_ADD:
  case OP_SUB:
    if (!emit_fused(e, i)) emit_two(e, i);
    return;
  case OP_MUL:
    emit_two(e, i);
    return;
  case OP_SELECT:
    emit_select(e, i);
    return;
  case OP_SUM:
    emit_line(e,
              "chi_gen_b_sum(g, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", %" PRIu64 ");",
              kind_of(rep_of(e, v)), dst, place(e, x), n, i->at.inner);
    return;
  case OP_VIEW:
  case OP_GET:
    emit_view(e, rep_of(e, v), dst, n, 0, place(e, x), x->ty.lanes,
              i->op == OP_GET ? offset(e, i->arg[1], i->at.off)
                              : emit_i64(e, i->at.off),
              i->at.dim, i->at.ndim);
    return;
  case OP_GATHER:
    emit_gather(e, i);
    return;
  case OP_PUT:
    emit_put(e, i);
    return;
  case OP_CONCAT:
    emit_concat(e, i);
    return;
  case OP_HIDE:
  case OP_LIFT:
    emit_line(e,
              "chi_gen_b_%s(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
              i->op == OP_HIDE ? "hide" : "lift", dst, place(e, x), n);
    return;
  case OP_SPLIT:
    emit_split(e, i);
    return;
  case OP_PERM:
    e->uses_w = true;
    if (!e->max_shuffle_values) e->max_shuffle_values = 1;
    emit_line(e, "w[%" PRIu64 "] = chi_gen_perm(g, %d);", dst,
              (int)i->at.off);
    return;
  default:
    emit_pack(e, i);
    return;
  }
}

void bits_begin(c_emit *e, const ir_load *x) {
  const char *b = emit_name(e, "b");
  emit_line(e,
            "const chi_b_load %s = {%" PRIu64 ", %" PRIu64 ", %" PRIu64
            ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ",",
            b, x->reduce_bits, x->reduce_bytes, x->open_bits, x->open_bytes,
            x->deal, x->bdeal);
  emit_line(e,
            "    {%" PRIu64 ", %" PRIu64 ", %" PRIu64 "}, {%" PRIu64
            ", %" PRIu64 ", %" PRIu64 "}, %u};",
            x->xdeal[0], x->xdeal[1], x->xdeal[2], x->xjoin[0], x->xjoin[1],
            x->xjoin[2], x->bit_items);
  emit_line(e, "chi_gen_begin_bits(g, &%s);", b);
}

void bits_exchange(c_emit *e, const ir_inst *i) {
  const ir_value *x = i->arg[0];
  uint64_t dst = place(e, i->res[0]), n = x->ty.lanes;
  switch (i->op) {
  case OP_DEAL:
    emit_split(e, i);
    return;
  case OP_BDEAL:
    emit_line(e, "chi_gen_b_bdeal(g, %s, %" PRIu64 ", %" PRIu64 ");",
              results(e, i), place(e, x), n);
    return;
  case OP_SHUFFLE:
  case OP_UNSHUFFLE:
    emit_line(e,
              "chi_gen_%s(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", (uint64_t)%s);",
              ir_ops[i->op].spelling, dst, place(e, x), n, i->at.inner,
              offset(e, i->arg[1], 0));
    return;
  case OP_XJOIN:
    emit_line(e,
              "chi_gen_b_xjoin(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64
              ", %" PRIu64 ");",
              dst, place(e, x), place(e, i->arg[1]), n);
    return;
  default:
    emit_line(e,
              "chi_gen_b_%s(g, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ");",
              i->op == OP_REDUCE ? "reduce"
              : i->op == OP_OPEN ? "open"
                                 : "xdeal",
              dst, place(e, x), n);
    return;
  }
}
