/* Sums in one accumulator: a product of canonical elements goes into 128 bits
 * unreduced, and the accumulator is folded only when it may overflow.
 *
 * An accumulator takes CHI_ACC_UNITS = 64 units between folds: a product is
 * one, a product of replicated shares (three multiplications) three; plain
 * elements weigh nothing up to 64 of them.
 */
#include <stdio.h>
#include <string.h>

#include "backend/c/emit.h"

enum { UNITS = 64, PLAIN = 64 };

typedef struct load {
  uint32_t units, plain; /* of one accumulation */
} load;

static c_rep rep_of(const c_kernel *k, const ir_value *v) {
  return plan_val(k->e->p, v)->rep;
}

static bool is_inline(const c_kernel *k, const ir_value *v, ir_op op) {
  return v->def && v->def->op == op && !plan_val(k->e->p, v)->root;
}

/* A product the accumulator can take whole. */
static bool is_product(const c_kernel *k, const ir_value *v) {
  if (!v->def || v->def->op != OP_MUL) return false;
  c_rep r = rep_of(k, v);
  return r == REP_P || r == REP_PROD || r == REP_SH;
}

static load load_of(const c_kernel *k, const ir_value *v, bool top) {
  bool here = top || !plan_val(k->e->p, v)->root;
  if (here && v->def && v->def->op == OP_ADD && rep_of(k, v) != REP_SH) {
    load x = load_of(k, v->def->arg[0], false);
    load y = load_of(k, v->def->arg[1], false);
    return (load){x.units + y.units, x.plain + y.plain};
  }
  if (here && is_product(k, v)) {
    bool two = rep_of(k, v->def->arg[0]) == REP_SH &&
               rep_of(k, v->def->arg[1]) == REP_SH;
    return (load){two ? 3 : 1, 0};
  }
  return (load){0, 1};
}

bool fold_wanted(const c_kernel *k, const ir_value *v) {
  c_rep r = rep_of(k, v);
  if ((r != REP_P && r != REP_PROD) || v->def->op != OP_ADD) return false;
  load l = load_of(k, v, true);
  return l.units > 1 && l.units <= UNITS && l.plain <= PLAIN;
}

static const c_idx *lane_for(const ir_value *v, const c_idx *lane,
                             const c_idx *zero) {
  return v->ty.lanes == 1 ? zero : lane;
}

/* acc += v, v in the field or a product. */
static void accumulate(c_kernel *k, const char *acc, const ir_value *v,
                       const c_idx *lane, c_rep r, bool top) {
  c_idx zero = idx_const(0);
  lane = lane_for(v, lane, &zero);
  bool here = top || !plan_val(k->e->p, v)->root;
  const ir_inst *d = v->def;
  if (here && d && d->op == OP_ADD) {
    accumulate(k, acc, d->arg[0], lane, r, false);
    accumulate(k, acc, d->arg[1], lane, r, false);
    return;
  }
  if (!here || !is_product(k, v) || rep_of(k, v) != r) {
    c_name x = elem_as(k, v, lane, r);
    kernel_line(k, "%s = chi_acc_add(%s, %s);", acc, acc, x.s);
    return;
  }
  c_name x = elem(k, d->arg[0], lane_for(d->arg[0], lane, &zero));
  c_name y = d->arg[1] == d->arg[0]
                 ? x
                 : elem(k, d->arg[1], lane_for(d->arg[1], lane, &zero));
  if (rep_of(k, d->arg[0]) == REP_SH) {
    k->e->shares = true;
    kernel_line(k, "%s = chi_acc_pr(P, %s, %s, %s);", acc, acc, x.s, y.s);
  } else {
    kernel_line(k, "%s = chi_acc_mul(%s, %s, %s);", acc, acc, x.s, y.s);
  }
}

static c_name open_acc(c_kernel *k) {
  c_name a;
  snprintf(a.s, sizeof a.s, "%s", emit_name(k->e, "a"));
  kernel_line(k, "chi_acc %s = chi_acc_zero();", a.s);
  return a;
}

static c_name folded(c_kernel *k, c_name acc) {
  c_name v;
  snprintf(v.s, sizeof v.s, "%s", emit_name(k->e, "v"));
  kernel_line(k, "const chi_fe %s = chi_acc_fold(%s);", v.s, acc.s);
  return v;
}

c_name elem_fold(c_kernel *k, const ir_value *v, const c_idx *lane) {
  c_name acc = open_acc(k);
  accumulate(k, acc.s, v, lane, rep_of(k, v), true);
  return folded(k, acc);
}

/* ---- sums over lanes ---- */

static uint64_t strip_of(load l) {
  if (l.units == 0) return 0; /* 2^64 elements fit */
  uint64_t s = UNITS / l.units;
  if (l.plain && PLAIN / l.plain < s) s = PLAIN / l.plain;
  return s ? s : 1;
}

static c_name sum_field(c_kernel *k, const ir_inst *i, const c_idx *lane,
                        c_rep r) {
  const ir_value *x = i->arg[0];
  load l = load_of(k, x, false);
  bool flat = l.units <= UNITS && l.plain <= PLAIN;
  if (!flat) l = (load){0, 1};
  c_name acc = open_acc(k);
  c_idx in = kernel_open(k, i->at.inner, lane, strip_of(l));
  if (flat) {
    accumulate(k, acc.s, x, &in, r, false);
  } else {
    c_name y = elem_as(k, x, &in, r);
    kernel_line(k, "%s = chi_acc_add(%s, %s);", acc.s, acc.s, y.s);
  }
  char pause[128];
  snprintf(pause, sizeof pause, "%s = chi_acc_of(chi_acc_fold(%s));", acc.s,
           acc.s);
  kernel_close(k, pause);
  return folded(k, acc);
}

/* Both components; a public factor goes in unreduced. */
static c_name sum_shares(c_kernel *k, const ir_inst *i, const c_idx *lane) {
  const ir_value *x = i->arg[0];
  k->e->shares = true;
  bool scaled = is_inline(k, x, OP_MUL);
  c_name a = open_acc(k), b = open_acc(k);
  c_idx in = kernel_open(k, i->at.inner, lane, scaled ? UNITS : 0);
  if (scaled) {
    const ir_value *s = x->def->arg[0], *c = x->def->arg[1];
    if (rep_of(k, s) != REP_SH) {
      const ir_value *t = s;
      s = c;
      c = t;
    }
    c_idx zero = idx_const(0);
    c_name y = elem(k, s, lane_for(s, &in, &zero));
    c_name f = elem(k, c, lane_for(c, &in, &zero));
    kernel_line(k, "%s = chi_acc_mul(%s, %s.a, %s);", a.s, a.s, y.s, f.s);
    kernel_line(k, "if (P == CHI_GEN_REP3) %s = chi_acc_mul(%s, %s.b, %s);",
                b.s, b.s, y.s, f.s);
  } else {
    c_name y = elem(k, x, &in);
    kernel_line(k, "%s = chi_acc_add(%s, %s.a);", a.s, a.s, y.s);
    kernel_line(k, "if (P == CHI_GEN_REP3) %s = chi_acc_add(%s, %s.b);", b.s,
                b.s, y.s);
  }
  char pause[256];
  snprintf(pause, sizeof pause,
           "%s = chi_acc_of(chi_acc_fold(%s)); "
           "%s = chi_acc_of(chi_acc_fold(%s));",
           a.s, a.s, b.s, b.s);
  kernel_close(k, pause);
  c_name v;
  snprintf(v.s, sizeof v.s, "%s", emit_name(k->e, "v"));
  kernel_line(k, "const chi_sh %s = {chi_acc_fold(%s), chi_acc_fold(%s)};",
              v.s, a.s, b.s);
  return v;
}

static c_name sum_int(c_kernel *k, const ir_inst *i, const c_idx *lane,
                      c_rep r) {
  const ir_value *x = i->arg[0];
  c_name acc;
  snprintf(acc.s, sizeof acc.s, "%s", emit_name(k->e, "v"));
  bool wide = r == REP_WIDE || rep_of(k, x) == REP_WIDE;
  if (wide) {
    kernel_line(k, "uint64_t %s[CHI_WIDE_WORDS];", acc.s);
    kernel_line(k, "chi_wide_set_i64(%s, 0);", acc.s);
  } else {
    kernel_line(k, "int64_t %s = 0;", acc.s);
  }
  c_idx in = kernel_open(k, i->at.inner, lane, 0);
  if (wide) {
    c_name y = elem_as(k, x, &in, REP_WIDE);
    kernel_line(k, "chi_wide_add(%s, %s, %s);", acc.s, acc.s, y.s);
  } else {
    c_name y = elem(k, x, &in);
    kernel_line(k, "%s = chi_z_add(%s, %s);", acc.s, acc.s, y.s);
  }
  kernel_close(k, NULL);
  return wide ? elem_convert(k, acc, REP_WIDE, r) : acc;
}

c_name elem_sum(c_kernel *k, const ir_value *v, const c_idx *lane) {
  const ir_inst *i = v->def;
  c_rep r = rep_of(k, v);
  if (r == REP_Z || r == REP_WIDE) return sum_int(k, i, lane, r);
  if (r == REP_SH) return sum_shares(k, i, lane);
  return sum_field(k, i, lane, r);
}
