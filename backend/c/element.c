/* One lane of one operation: a statement per value. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backend/c/emit.h"

static c_name name_of(const char *s) {
  c_name n;
  snprintf(n.s, sizeof n.s, "%s", s);
  return n;
}

static c_name fresh(c_kernel *k) { return name_of(emit_name(k->e, "v")); }

static const char *const c_type[] = {"int64_t", "", "chi_fe", "chi_sh",
                                     "chi_fe"};

/* const <type> v = <fmt>; */
static c_name def(c_kernel *k, c_rep r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static c_name def(c_kernel *k, c_rep r, const char *fmt, ...) {
  char text[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  c_name v = fresh(k);
  kernel_line(k, "const %s %s = %s;", c_type[r], v.s, text);
  return v;
}

/* A wide variable, to be filled. */
static c_name wide(c_kernel *k) {
  c_name v = fresh(k);
  kernel_line(k, "uint64_t %s[CHI_WIDE_WORDS];", v.s);
  return v;
}

static void use_p(c_kernel *k) { k->e->shares = true; }
static void use_me(c_kernel *k) {
  k->e->shares = k->e->uses_me = true;
}

c_name elem_convert(c_kernel *k, c_name x, c_rep from, c_rep to) {
  if (from == to) return x;
  if (from == REP_Z && to == REP_WIDE) {
    c_name v = wide(k);
    kernel_line(k, "chi_wide_set_i64(%s, %s);", v.s, x.s);
    return v;
  }
  if (from == REP_WIDE) return def(k, REP_Z, "chi_wide_get_i64(%s)", x.s);
  if (from == REP_P && to == REP_SH) {
    use_me(k);
    return def(k, REP_SH, "chi_sh_pub(P, me, %s)", x.s);
  }
  if (from == REP_P) {
    use_me(k);
    return def(k, REP_PROD, "chi_pr_lift(P, chi_sh_pub(P, me, %s))", x.s);
  }
  use_p(k);
  return def(k, REP_PROD, "chi_pr_lift(P, %s)", x.s);
}

c_name elem_as(c_kernel *k, const ir_value *v, const c_idx *lane, c_rep to) {
  return elem_convert(k, elem(k, v, lane), plan_val(k->e->p, v)->rep, to);
}

/* ---- leaves ---- */

static c_name constant(c_kernel *k, mpz_srcptr v) {
  const char *text = emit_field(k->e, v);
  if (ir_field_words(k->e->m) == 1) return name_of(text);
  c_name n = fresh(k);
  kernel_line(k, "const chi_fe %s = %s;", n.s, text);
  return n;
}

static c_name leaf(c_kernel *k, const ir_value *v, const c_idx *lane) {
  c_emit *e = k->e;
  c_val *c = plan_val(e->p, v);
  char s[48];
  switch (v->def->op) {
  case OP_CONST:
    idx_unused(k, lane);
    if (c->rep == REP_Z) return name_of(emit_mpz_i64(e, v->def->at.imm));
    if (c->rep == REP_P) return constant(k, v->def->at.imm);
    if (!c->table) c->table = emit_wide_const(e, v->def->at.imm);
    snprintf(s, sizeof s, "c%u", c->table);
    return name_of(s);
  case OP_TABLE: {
    uint32_t t = emit_table(e, v);
    c_name n = fresh(k);
    if (c->rep == REP_WIDE)
      kernel_line(k, "const uint64_t *const %s = t%u + 17 * (%s);", n.s, t,
                  idx_text(k, lane));
    else if (c->rep == REP_P)
      kernel_line(k, "const chi_fe %s = chi_fe_ld(t%u, (uint64_t)(%s));", n.s,
                  t, idx_text(k, lane));
    else
      kernel_line(k, "const int64_t %s = t%u[%s];", n.s, t,
                  idx_text(k, lane));
    return n;
  }
  default: {
    c_name n = fresh(k);
    kernel_line(k, "const int64_t %s = %s;", n.s, idx_text(k, lane));
    return n;
  }
  }
}

/* ---- operands ---- */

typedef struct args {
  c_name s[3];
} args;

/* Operands of an elementwise op as `rep`; a scalar meets any lane. */
static args operands(c_kernel *k, const ir_inst *i, const c_idx *lane,
                     const c_rep *rep) {
  args a;
  memset(&a, 0, sizeof a);
  c_idx zero = idx_const(0);
  for (uint32_t j = 0; j < i->narg && j < 3; j++) {
    if (j && i->arg[j] == i->arg[j - 1] && rep[j] == rep[j - 1])
      a.s[j] = a.s[j - 1];
    else
      a.s[j] = elem_as(k, i->arg[j],
                       i->arg[j]->ty.lanes == 1 ? &zero : lane, rep[j]);
  }
  return a;
}

static c_rep rep_of(const c_kernel *k, const ir_value *v) {
  return plan_val(k->e->p, v)->rep;
}

/* ---- public integers ---- */

static c_name wide_op(c_kernel *k, const ir_inst *i, const c_idx *lane) {
  static const c_rep all[3] = {REP_WIDE, REP_WIDE, REP_WIDE};
  static const c_rep shift[3] = {REP_WIDE, REP_Z, REP_Z};
  static const char *const fn[OP_COUNT] = {
      [OP_ADD] = "add",   [OP_SUB] = "sub",   [OP_NEG] = "neg",
      [OP_MUL] = "mul",   [OP_DIV] = "tdiv",  [OP_MOD] = "tmod",
      [OP_RDIV] = "rdiv", [OP_AND] = "and",   [OP_OR] = "or",
      [OP_XOR] = "xor",   [OP_SHL] = "shl",   [OP_SHR] = "shr",
      [OP_ISQRT] = "isqrt"};
  const ir_value *r = i->res[0];
  bool is_shift = i->op == OP_SHL || i->op == OP_SHR;
  args a = operands(k, i, lane, is_shift ? shift : all);
  if (i->op == OP_EQ || i->op == OP_LT || i->op == OP_LE)
    return def(k, REP_Z, "chi_wide_cmp(%s, %s) %s 0", a.s[0].s, a.s[1].s,
               i->op == OP_EQ ? "==" : i->op == OP_LT ? "<" : "<=");
  c_name v = wide(k);
  if (i->op == OP_WRAP)
    kernel_line(k, "chi_wide_wrap(%s, %s, %u, %d);", v.s, a.s[0].s,
                (unsigned)i->at.bits, mpz_sgn(r->ty.range->lo) < 0);
  else if (i->narg == 1)
    kernel_line(k, "chi_wide_%s(%s, %s);", fn[i->op], v.s, a.s[0].s);
  else
    kernel_line(k, "chi_wide_%s(%s, %s, %s%s);", fn[i->op], v.s, a.s[0].s,
                is_shift ? "(uint64_t)" : "", a.s[1].s);
  return elem_convert(k, v, REP_WIDE, rep_of(k, r));
}

static c_name z_op(c_kernel *k, const ir_inst *i, const c_idx *lane) {
  bool wide_any = rep_of(k, i->res[0]) == REP_WIDE;
  for (uint32_t j = 0; j < i->narg; j++)
    wide_any |= rep_of(k, i->arg[j]) == REP_WIDE;
  if (wide_any) return wide_op(k, i, lane);
  static const c_rep z[3] = {REP_Z, REP_Z, REP_Z};
  static const char *const fn[OP_COUNT] = {
      [OP_ADD] = "chi_z_add",   [OP_SUB] = "chi_z_sub",
      [OP_MUL] = "chi_z_mul",   [OP_DIV] = "chi_z_div",
      [OP_MOD] = "chi_z_mod",   [OP_RDIV] = "chi_z_rdiv",
      [OP_SHL] = "chi_z_shl",   [OP_SHR] = "chi_z_shr",
      [OP_NEG] = "chi_z_neg",   [OP_ISQRT] = "chi_z_isqrt"};
  static const char *const infix[OP_COUNT] = {
      [OP_EQ] = "==", [OP_LT] = "<",  [OP_LE] = "<=",
      [OP_AND] = "&", [OP_OR] = "|", [OP_XOR] = "^"};
  args a = operands(k, i, lane, z);
  if (i->op == OP_WRAP)
    return def(k, REP_Z, "chi_z_wrap(%s, %u, %d)", a.s[0].s,
               (unsigned)i->at.bits, mpz_sgn(i->res[0]->ty.range->lo) < 0);
  if (infix[i->op])
    return def(k, REP_Z, "%s %s %s", a.s[0].s, infix[i->op], a.s[1].s);
  if (i->narg == 1) return def(k, REP_Z, "%s(%s)", fn[i->op], a.s[0].s);
  return def(k, REP_Z, "%s(%s, %s)", fn[i->op], a.s[0].s, a.s[1].s);
}

/* ---- the field, shares, products ---- */

static c_name add_sub(c_kernel *k, const ir_inst *i, const c_idx *lane,
                      c_rep r) {
  const char *op = i->op == OP_ADD ? "add" : "sub";
  if (r == REP_SH) {
    c_rep want[3] = {rep_of(k, i->arg[0]), rep_of(k, i->arg[1]), REP_SH};
    use_p(k);
    if (want[0] == REP_SH && want[1] == REP_P) {
      use_me(k);
      args a = operands(k, i, lane, want);
      return def(k, REP_SH,
                 i->op == OP_ADD ? "chi_sh_addp(P, me, %s, %s)"
                                 : "chi_sh_addp(P, me, %s, chi_f_neg(%s))",
                 a.s[0].s, a.s[1].s);
    }
    if (want[0] == REP_P && want[1] == REP_SH && i->op == OP_ADD) {
      use_me(k);
      args a = operands(k, i, lane, want);
      return def(k, REP_SH, "chi_sh_addp(P, me, %s, %s)", a.s[1].s,
                 a.s[0].s);
    }
    want[0] = want[1] = REP_SH;
    args a = operands(k, i, lane, want);
    return def(k, REP_SH, "chi_sh_%s(P, %s, %s)", op, a.s[0].s, a.s[1].s);
  }
  c_rep want[3] = {r, r, r};
  args a = operands(k, i, lane, want);
  return def(k, r, "chi_f_%s(%s, %s)", op, a.s[0].s, a.s[1].s);
}

static c_name multiply(c_kernel *k, const ir_inst *i, const c_idx *lane,
                       c_rep r) {
  c_rep want[3] = {rep_of(k, i->arg[0]), rep_of(k, i->arg[1]), r};
  args a = operands(k, i, lane, want);
  if (want[0] == REP_SH && want[1] == REP_SH) {
    use_p(k);
    return def(k, r, "chi_pr_mul(P, %s, %s)", a.s[0].s, a.s[1].s);
  }
  if (r == REP_SH) {
    use_p(k);
    int s = want[0] == REP_SH ? 0 : 1;
    return def(k, r, "chi_sh_mulp(P, %s, %s)", a.s[s].s, a.s[1 - s].s);
  }
  return def(k, r, "chi_f_mul(%s, %s)", a.s[0].s, a.s[1].s);
}

static c_name negate(c_kernel *k, const ir_inst *i, const c_idx *lane,
                     c_rep r) {
  c_name x = elem_as(k, i->arg[0], lane, r);
  if (r != REP_SH) return def(k, r, "chi_f_neg(%s)", x.s);
  use_p(k);
  return def(k, r, "chi_sh_neg(P, %s)", x.s);
}

static c_name choose(c_kernel *k, const ir_inst *i, const c_idx *lane,
                     c_rep r) {
  const c_rep want[3] = {REP_Z, r, r};
  args a = operands(k, i, lane, want);
  if (r == REP_SH) {
    use_p(k);
    return def(k, r, "chi_sh_sel(P, (uint64_t)%s, %s, %s)", a.s[0].s,
               a.s[1].s, a.s[2].s);
  }
  if (r == REP_WIDE) { /* a pointer to either */
    c_name v = fresh(k);
    kernel_line(k, "const uint64_t *const %s = %s != 0 ? %s : %s;", v.s,
                a.s[0].s, a.s[1].s, a.s[2].s);
    return v;
  }
  return def(k, r, "%s != 0 ? %s : %s", a.s[0].s, a.s[1].s, a.s[2].s);
}

static c_name compare_field(c_kernel *k, const ir_inst *i,
                            const c_idx *lane) {
  static const c_rep want[3] = {REP_P, REP_P, REP_P};
  args a = operands(k, i, lane, want);
  return def(k, REP_Z, "chi_f_eq(%s, %s)", a.s[0].s, a.s[1].s);
}

/* ---- lanes ---- */

static c_name lane_of(c_kernel *k, const ir_inst *i, const c_idx *lane,
                      c_rep r) {
  c_idx x;
  if (i->op == OP_GATHER) {
    int64_t row = (int64_t)i->at.inner;
    ir_dim which[2] = {{i->arg[1]->ty.lanes, 1}, {i->at.inner, 0}};
    ir_dim within[2] = {{i->arg[1]->ty.lanes, 0}, {i->at.inner, 1}};
    c_idx r0 = idx_view(k, lane, 0, which, 2);
    c_name at = elem_as(k, i->arg[1], &r0, REP_Z);
    x = idx_view(k, lane, 0, within, 2);
    idx_add_sym(k, &x, arena_strdup(k->e->a, at.s), row);
    return elem_as(k, i->arg[0], &x, r);
  }
  x = idx_view(k, lane, i->at.off, i->at.dim, i->at.ndim);
  if (i->op == OP_GET) {
    mpz_srcptr at;
    if (ir_is_const(i->arg[1], &at)) {
      x.c += (int64_t)mpz_get_si(at);
    } else {
      c_idx zero = idx_const(0);
      c_name o = elem_as(k, i->arg[1], &zero, REP_Z);
      idx_add_sym(k, &x, arena_strdup(k->e->a, o.s), 1);
    }
  }
  return elem_as(k, i->arg[0], &x, r);
}

/* ---- dispatch ---- */

c_name elem_make(c_kernel *k, const ir_value *v, const c_idx *lane) {
  const ir_inst *i = v->def;
  c_rep r = rep_of(k, v);
  if (plan_is_leaf_op(v)) return leaf(k, v, lane);
  switch (i->op) {
  case OP_VIEW:
  case OP_GET:
  case OP_GATHER:
    return lane_of(k, i, lane, r);
  case OP_SUM:
    return elem_sum(k, v, lane);
  case OP_SELECT:
    return choose(k, i, lane, r);
  case OP_ASSUME:
    return elem_as(k, i->arg[0], lane, r);
  case OP_LIFT:
    return elem_as(k, i->arg[0], lane, REP_PROD);
  case OP_HIDE:
    return elem_as(k, i->arg[0], lane, REP_SH);
  case OP_ENC:
    if (rep_of(k, i->arg[0]) == REP_WIDE)
      return def(k, REP_P, "chi_f_from_wide(%s)", elem(k, i->arg[0], lane).s);
    return def(k, REP_P, "chi_f_from_i64(%s)", elem(k, i->arg[0], lane).s);
  case OP_INV:
    return def(k, REP_P, "chi_f_inv(%s)", elem(k, i->arg[0], lane).s);
  case OP_EQ:
    if (rep_of(k, i->arg[0]) == REP_P) return compare_field(k, i, lane);
    break;
  default:
    break;
  }
  if (r == REP_Z || r == REP_WIDE) return z_op(k, i, lane);
  if (fold_wanted(k, v)) return elem_fold(k, v, lane);
  switch (i->op) {
  case OP_ADD:
  case OP_SUB:
    return add_sub(k, i, lane, r);
  case OP_MUL:
    return multiply(k, i, lane, r);
  default:
    return negate(k, i, lane, r);
  }
}

c_name elem(c_kernel *k, const ir_value *v, const c_idx *lane) {
  const c_val *c = plan_val(k->e->p, v);
  if (!c->root) return elem_make(k, v, lane);
  return kernel_load(k, c->slot, c->rep, v->ty.lanes, lane);
}
