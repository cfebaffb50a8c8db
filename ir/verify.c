/* The invariants of a circuit, for the stage it says it is in.
 *
 *  1 arity     operands, results, regions and attributes are as many as ops.def
 *              and ir_op_attrs() say
 *  2 stage     the op is legal in the stage; prod and lift, reduce exist only
 *              in core and sched
 *  3 types     1 <= lanes <= IR_LANES_MAX; z is public and has a range
 *  4 order     a definition stands before its uses, in the same or in an
 *              enclosing block; ids are distinct and below nvalue
 *  5 kinds     domains and kinds of operands and results obey the op's rule;
 *              sh never stands beside prod without a lift
 *  6 lanes     lanes of operands and results obey the op's rule
 *  7 ranges    a result's range contains what the op gives on its operands'
 *              ranges; dec's fits the field, wrap's is that of its bits
 *  8 regions   a region ends in its one yield, the body in none; parameters,
 *              yields, initial values and results agree.  (Whether a turn's
 *              yield lies in the parameter's range is an induction over turns:
 *              who made the loop has done it, the interpreter checks it.)
 *  9 bounds    a view stays within its operand's lanes; a get or put does for
 *              some offset
 * 10 rounds    in sched every interactive op has a round >= 1; in a block
 *              rounds ascend, ops of one round stand next to each other and
 *              do not use each other; before sched there is no round
 * 11 leaves    input, output and tell name a leaf of the tables that has their
 *              lanes and secrecy; an input or output stands once, in the body
 * 12 field     k is a Mersenne exponent
 * 13 links     lists, owners and blocks point at each other
 * 14 target    split, xdeal and xjoin stand in circuits for rep3, deal and
 *              bdeal in those for shamir; results are as many as summands
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

static const char *const inv_name[] = {
    "",       "arity",  "stage",   "types",  "order",  "kinds", "lanes",
    "ranges", "regions", "bounds", "rounds", "leaves", "field", "links",
    "target"};

typedef struct verifier {
  ir_module *m; /* only its range table changes */
  diag *dg;
  const ir_value **seen; /* by id: defined and in scope */
  const ir_value **everdef; /* by id: defined anywhere before */
  uint8_t *in_used, *out_used;
  bool ok;
} verifier;

static void broken(verifier *v, const ir_inst *i, unsigned inv,
                   const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void broken(verifier *v, const ir_inst *i, unsigned inv,
                   const char *fmt, ...) {
  char text[200], whole[260];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  v->ok = false;
  snprintf(whole, sizeof whole, "%s%s%s", i ? ir_ops[i->op].spelling : "",
           i ? ": " : "", text);
  if (v->dg)
    diag_report(v->dg, v->m->parsed ? DIAG_IR_INVARIANT : DIAG_IR_BUG,
                i ? i->sp : (span){0, 0}, inv, inv_name[inv], whole);
}

static bool is_z(const ir_value *x) {
  return x->ty.dom == DOM_Z && x->ty.kind == KIND_PUB;
}

static bool is_pub(const ir_value *x) { return x->ty.kind == KIND_PUB; }

static bool is_bool(const ir_value *x) {
  return is_z(x) && x->ty.range && mpz_sgn(x->ty.range->lo) >= 0 &&
         mpz_cmp_ui(x->ty.range->hi, 1) <= 0;
}

static bool is_scalar(const ir_value *x) { return x->ty.lanes == 1; }

/* ---- 1 ---- */
static bool inv_arity(verifier *v, const ir_inst *i) {
  if ((unsigned)i->op >= OP_COUNT) {
    v->ok = false;
    return false;
  }
  const ir_opinfo *o = &ir_ops[i->op];
  unsigned has = ir_op_attrs(i->op);
  uint32_t least = i->op == OP_FOR || i->op == OP_CONCAT ||
                   i->op == OP_MLOAD || i->op == OP_MSTORE ||
                   i->op == OP_ASSUME;
  uint32_t regions = i->op == OP_FOR ? 1 : o->rule == RULE_REGION ? 2 : 0;
  if (i->op == OP_YIELD) regions = 0;
  bool ok = (o->nargs < 0 ? i->narg >= least : i->narg == (uint32_t)o->nargs);
  if (i->op == OP_ASSUME) ok = ok && i->narg <= 2;
  ok = ok && (o->nres < 0 || i->nres == (uint32_t)o->nres);
  ok = ok && i->nregion == regions;
  for (uint32_t k = 0; ok && k < i->narg; k++) ok = i->arg[k];
  if (has & AT_IMM) ok = ok && i->at.imm;
  if (has & AT_TABLE) ok = ok && i->at.table;
  if (has & AT_NAME) ok = ok && i->at.name;
  if (has & AT_MESSAGE) ok = ok && i->at.message;
  if (has & AT_DIMS) ok = ok && (!i->at.ndim || i->at.dim);
  if (!ok) broken(v, i, 1, "wrong number of operands, results or attributes");
  return ok;
}

/* ---- 2 ---- */
static void inv_stage(verifier *v, const ir_inst *i) {
  static const char *const stage[] = {"high", "core", "sched"};
  if (!(ir_ops[i->op].stages >> v->m->stage & 1) ||
      (v->m->stage != IR_HIGH && ir_is_typed(i)))
    broken(v, i, 2, "has no place in stage %s", stage[v->m->stage]);
  for (uint32_t k = 0; k < i->nres; k++)
    if (i->res[k]->ty.kind == KIND_PROD && v->m->stage == IR_HIGH)
      broken(v, i, 2, "a local product has no place in stage high");
}

/* ---- 3 ---- */
static void inv_type(verifier *v, const ir_inst *i, const ir_value *x) {
  const ir_type *t = &x->ty;
  if (t->lanes < 1 || t->lanes > IR_LANES_MAX)
    broken(v, i, 3, "%llu lanes", (unsigned long long)t->lanes);
  if (t->dom == DOM_Z && t->kind != KIND_PUB)
    broken(v, i, 3, "an integer that is not public");
  if (t->dom == DOM_Z && !t->range)
    broken(v, i, 3, "an integer without a range");
  if (t->dom == DOM_B && t->range) broken(v, i, 3, "a bit with a range");
}

/* ---- 4 ---- */
static bool define(verifier *v, const ir_inst *i, const ir_value *x) {
  if (x->id >= v->m->nvalue || v->everdef[x->id]) {
    broken(v, i, 4, "the id %u of a value is not its own", x->id);
    return false;
  }
  v->seen[x->id] = v->everdef[x->id] = x;
  return true;
}

static bool inv_order(verifier *v, const ir_inst *i) {
  bool ok = true;
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_value *x = i->arg[k];
    if (x->id < v->m->nvalue && v->seen[x->id] == x) continue;
    broken(v, i, 4, "operand %u is not defined before it", k);
    ok = false;
  }
  return ok;
}

/* ---- 5 ---- */
/* Kind of x op y for a linear op; false if they must not meet. */
static bool join_kinds(const ir_value *x, const ir_value *y, ir_kind *out) {
  ir_kind a = x->ty.kind, b = y->ty.kind;
  *out = a > b ? a : b;
  return x->ty.dom == y->ty.dom && (a == b || a == KIND_PUB || b == KIND_PUB);
}

static bool is_field(const ir_value *x) { return x->ty.dom == DOM_P; }

/* A share of 0 or 1. */
static bool is_bit_share(const ir_value *x) {
  const ir_range *r = x->ty.range;
  return is_field(x) && x->ty.kind == KIND_SH && r && mpz_sgn(r->lo) >= 0 &&
         mpz_cmp_ui(r->hi, 1) <= 0;
}

/* The form of a rule ZZ or ZBOOL that takes shares. */
static bool typed_kinds(verifier *v, const ir_inst *i) {
  bool natural = i->op == OP_AND || i->op == OP_OR || i->op == OP_XOR;
  bool shift = i->op == OP_SHL || i->op == OP_SHR;
  if (i->op == OP_RDIV) return false;
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_value *x = i->arg[k];
    if (shift && k && is_z(x)) continue;
    if (!is_field(x) || x->ty.kind == KIND_PROD) return false;
    if (i->op == OP_EQ && !x->ty.range) continue;
    if (!ir_range_in_field(v->m, x->ty.range)) return false;
    if ((natural || (shift && k) || i->op == OP_ISQRT) &&
        mpz_sgn(x->ty.range->lo) < 0)
      return false;
  }
  return is_field(i->res[0]) && i->res[0]->ty.kind == KIND_SH;
}

static bool bits_kinds(const ir_inst *i) {
  static const struct {
    uint8_t op, xd, xk, rd, rk;
  } t[] = {{OP_DIGITS, DOM_P, KIND_SH, DOM_P, KIND_SH},
           {OP_ONEHOT, DOM_P, KIND_SH, DOM_P, KIND_SH},
           {OP_SPLIT, DOM_P, KIND_SH, DOM_B, KIND_SH},
           {OP_DEAL, DOM_P, KIND_SH, DOM_B, KIND_SH},
           {OP_XDEAL, DOM_B, KIND_SH, DOM_P, KIND_SH},
           {OP_XJOIN, DOM_P, KIND_SH, DOM_P, KIND_SH},
           {OP_BDEAL, DOM_B, KIND_SH, DOM_P, KIND_SH},
           {OP_UNPACK, DOM_Z, KIND_PUB, DOM_B, KIND_PUB},
           {OP_PACK, DOM_B, KIND_PUB, DOM_Z, KIND_PUB}};
  const ir_type *x = &i->arg[0]->ty;
  size_t at = 0;
  while (at < sizeof t / sizeof *t && t[at].op != i->op) at++;
  if (at == sizeof t / sizeof *t || x->dom != t[at].xd || x->kind != t[at].xk)
    return false;
  for (uint32_t k = 0; k < i->nres; k++)
    if (i->res[k]->ty.dom != t[at].rd || i->res[k]->ty.kind != t[at].rk)
      return false;
  if (i->op == OP_DIGITS)
    return x->range && mpz_sgn(x->range->lo) >= 0 &&
           mpz_sizeinbase(x->range->hi, 2) <= i->at.bits;
  if (i->op == OP_ONEHOT) return x->range;
  return i->op != OP_XJOIN ||
         (i->arg[1]->ty.dom == DOM_B && i->arg[1]->ty.kind == KIND_SH);
}

static bool shuffle_kinds(const ir_inst *i) {
  const ir_type *x = &i->arg[0]->ty, *r = &i->res[0]->ty;
  const ir_value *perm = i->arg[1];
  return x->dom == DOM_P && x->kind == KIND_SH && r->dom == DOM_P &&
         r->kind == KIND_SH && is_z(perm) &&
         ir_turn_of(perm->ty.range) < IR_TURNS;
}

static bool linear_kinds(const ir_inst *i) {
  const ir_value *x = i->arg[0], *r = i->res[0];
  ir_kind k = x->ty.kind;
  if (i->op == OP_INV && (x->ty.dom != DOM_P || k != KIND_PUB)) return false;
  if (i->op == OP_SELECT && x->ty.kind == KIND_SH) {
    const ir_value *y = i->arg[1], *z = i->arg[2];
    return is_bit_share(x) && is_field(y) && is_field(z) && is_field(r) &&
           y->ty.kind != KIND_PROD && z->ty.kind != KIND_PROD &&
           r->ty.kind == KIND_SH;
  }
  if (i->op == OP_SELECT) {
    if (!is_bool(x) || !join_kinds(i->arg[1], i->arg[2], &k)) return false;
    x = i->arg[1];
  } else if (i->narg == 2 && !join_kinds(x, i->arg[1], &k)) {
    return false;
  }
  return r->ty.dom == x->ty.dom && r->ty.kind == k;
}

static bool mul_kinds(const verifier *v, const ir_inst *i) {
  const ir_value *x = i->arg[0], *y = i->arg[1], *r = i->res[0];
  ir_kind a = x->ty.kind, b = y->ty.kind, k = a > b ? a : b;
  if (a == KIND_SH && b == KIND_SH)
    k = v->m->stage == IR_HIGH ? KIND_SH : KIND_PROD;
  else if (a != KIND_PUB && b != KIND_PUB)
    return false;
  return x->ty.dom == y->ty.dom && r->ty.dom == x->ty.dom && r->ty.kind == k;
}

static bool move_kinds(const ir_inst *i) {
  const ir_type *t = &i->arg[0]->ty, *r = &i->res[0]->ty;
  uint32_t like = i->op == OP_CONCAT ? i->narg : i->op == OP_PUT ? 2 : 1;
  for (uint32_t k = 1; k < like; k++)
    if (i->arg[k]->ty.dom != t->dom || i->arg[k]->ty.kind != t->kind)
      return false;
  for (uint32_t k = like; k < i->narg; k++)
    if (!is_z(i->arg[k])) return false;
  return r->dom == t->dom && r->kind == t->kind;
}

static bool conv_kinds(const ir_inst *i) {
  const ir_type *x = &i->arg[0]->ty, *r = &i->res[0]->ty;
  if (i->op == OP_ASSUME)
    return x->dom == r->dom && x->kind == r->kind && x->dom != DOM_B &&
           (i->narg < 2 || is_bool(i->arg[1]) || is_bit_share(i->arg[1]));
  if (i->op == OP_SETTLE)
    return x->kind == KIND_SH && r->kind == KIND_SH && x->dom == r->dom;
  if (i->op == OP_WROTE)
    return x->kind == KIND_PUB && x->dom == r->dom && r->kind == KIND_PUB;
  static const struct {
    uint8_t op, xd, xk, rd, rk;
  } t[] = {{OP_ENC, DOM_Z, KIND_PUB, DOM_P, KIND_PUB},
           {OP_DEC, DOM_P, KIND_PUB, DOM_Z, KIND_PUB},
           {OP_HIDE, DOM_P, KIND_PUB, DOM_P, KIND_SH},
           {OP_LIFT, DOM_P, KIND_SH, DOM_P, KIND_PROD},
           {OP_REDUCE, DOM_P, KIND_PROD, DOM_P, KIND_SH},
           {OP_OPEN, DOM_P, KIND_SH, DOM_P, KIND_PUB},
           {OP_HIDE, DOM_B, KIND_PUB, DOM_B, KIND_SH},
           {OP_LIFT, DOM_B, KIND_SH, DOM_B, KIND_PROD},
           {OP_REDUCE, DOM_B, KIND_PROD, DOM_B, KIND_SH},
           {OP_OPEN, DOM_B, KIND_SH, DOM_B, KIND_PUB}};
  for (size_t k = 0; k < sizeof t / sizeof *t; k++)
    if (t[k].op == i->op && x->dom == t[k].xd && x->kind == t[k].xk &&
        r->dom == t[k].rd && r->kind == t[k].rk)
      return true;
  return false;
}

static bool edge_kinds(const ir_inst *i) {
  switch (i->op) {
  case OP_INPUT:
    return i->res[0]->ty.kind != KIND_PROD && i->res[0]->ty.dom != DOM_B;
  case OP_OUTPUT:
    return i->arg[0]->ty.kind != KIND_PROD && i->arg[0]->ty.dom != DOM_B;
  case OP_PERM: return is_z(i->res[0]);
  case OP_CHECK: return is_bool(i->arg[0]);
  case OP_MLOAD:
  case OP_MSTORE:
  case OP_EMIT: {
    uint32_t value = i->op == OP_MSTORE;
    bool ok = i->op != OP_MLOAD || is_pub(i->res[0]);
    for (uint32_t k = 0; k < i->narg; k++)
      ok = ok && (i->op == OP_EMIT || k < value ? is_pub(i->arg[k])
                                                : is_z(i->arg[k]));
    return ok;
  }
  default: /* tell */
    return i->arg[0]->ty.dom == DOM_P && i->arg[0]->ty.kind == KIND_SH &&
           is_z(i->arg[1]) && mpz_sgn(i->arg[1]->ty.range->lo) >= 0 &&
           mpz_sizeinbase(i->arg[1]->ty.range->hi, 2) <= 256;
  }
}

static void inv_kinds(verifier *v, const ir_inst *i) {
  bool ok = true;
  switch (ir_ops[i->op].rule) {
  case RULE_NONE:
    ok = is_pub(i->res[0]) && (i->op != OP_IOTA || is_z(i->res[0]));
    break;
  case RULE_ZZ:
  case RULE_ZBOOL:
    if (ir_is_typed(i)) {
      ok = typed_kinds(v, i);
      break;
    }
    for (uint32_t k = 0; k < i->narg; k++)
      ok = ok && (is_z(i->arg[k]) || (i->op == OP_EQ && is_pub(i->arg[k]) &&
                                      is_pub(i->arg[0]) &&
                                      i->arg[k]->ty.dom != DOM_B &&
                                      i->arg[0]->ty.dom == i->arg[k]->ty.dom));
    if (i->op == OP_EQ) ok = ok && i->arg[0]->ty.dom == i->arg[1]->ty.dom;
    ok = ok && is_z(i->res[0]);
    break;
  case RULE_LINEAR: ok = linear_kinds(i); break;
  case RULE_MUL: ok = mul_kinds(v, i); break;
  case RULE_MOVE: ok = move_kinds(i); break;
  case RULE_FOLD:
    ok = i->arg[0]->ty.dom == i->res[0]->ty.dom &&
         i->arg[0]->ty.kind == i->res[0]->ty.kind;
    break;
  case RULE_CONV: ok = conv_kinds(i); break;
  case RULE_EDGE: ok = edge_kinds(i); break;
  case RULE_REGION: break; /* invariant 8 */
  case RULE_BITS: ok = bits_kinds(i); break;
  case RULE_SHUFFLE: ok = shuffle_kinds(i); break;
  }
  if (!ok) broken(v, i, 5, "domains or kinds do not fit the operation");
}

/* ---- 6 ---- */
static bool move_lanes(const ir_inst *i) {
  uint64_t r = i->res[0]->ty.lanes, n = 0;
  switch (i->op) {
  case OP_VIEW: return r == ir_dims_lanes(i->at.dim, i->at.ndim);
  case OP_GET:
    return r == ir_dims_lanes(i->at.dim, i->at.ndim) && is_scalar(i->arg[1]);
  case OP_PUT:
    return r == i->arg[0]->ty.lanes && is_scalar(i->arg[2]) &&
           i->arg[1]->ty.lanes == ir_dims_lanes(i->at.dim, i->at.ndim);
  case OP_GATHER:
    return i->at.inner && i->arg[0]->ty.lanes % i->at.inner == 0 &&
           !__builtin_mul_overflow(i->arg[1]->ty.lanes, i->at.inner, &n) &&
           r == n;
  default:
    for (uint32_t k = 0; k < i->narg; k++)
      if (__builtin_add_overflow(n, i->arg[k]->ty.lanes, &n)) return false;
    return r == n;
  }
}

/* Keys and identities are scalars. */
static bool edge_lanes(const ir_inst *i) {
  if (i->op == OP_PERM)
    return is_scalar(i->res[0]) && i->at.off >= 0 && i->at.off < IR_TURNS;
  uint32_t from = i->op == OP_TELL || i->op == OP_MSTORE ? 1 : 0;
  if (i->op != OP_TELL && i->op != OP_MSTORE && i->op != OP_MLOAD) return true;
  if (i->narg == from) return false;
  for (uint32_t k = from; k < i->narg; k++)
    if (!is_scalar(i->arg[k])) return false;
  return true;
}

static bool shuffle_lanes(const ir_inst *i) {
  uint64_t x = i->arg[0]->ty.lanes, row = i->at.inner;
  return row && x % row == 0 && x / row < IR_ROWS_MAX &&
         i->res[0]->ty.lanes == x && is_scalar(i->arg[1]);
}

static bool bits_lanes(const verifier *v, const ir_inst *i) {
  uint64_t x = i->arg[0]->ty.lanes, n = x;
  uint64_t times = ir_op_attrs(i->op) & AT_BITS    ? i->at.bits
                   : ir_op_attrs(i->op) & AT_INNER ? i->at.inner
                                                   : 1;
  if (!times) return false;
  bool public = i->op == OP_PACK || i->op == OP_UNPACK;
  bool words = ir_field_is_word(v->m);
  if (public && words && times > IR_PACK_BITS) return false;
  if (i->op == OP_PACK) {
    n = i->res[0]->ty.lanes;
    if (words && !ir_range_is_int64(i->res[0]->ty.range)) return false;
    return !__builtin_mul_overflow(n, times, &n) && n == x;
  }
  if (__builtin_mul_overflow(x, times, &n)) return false;
  for (uint32_t k = 0; k < i->nres; k++)
    if (i->res[k]->ty.lanes != n) return false;
  if (i->op == OP_SPLIT || i->op == OP_DEAL)
    return i->at.off >= 0 && i->at.off < (int64_t)v->m->k &&
           i->at.bits <= v->m->k - (uint64_t)i->at.off;
  return i->op != OP_XJOIN || i->arg[1]->ty.lanes == x;
}

static void inv_lanes(verifier *v, const ir_inst *i) {
  uint64_t r = i->nres ? i->res[0]->ty.lanes : 0, most = 1, n;
  bool ok = true;
  switch (ir_ops[i->op].rule) {
  case RULE_ZZ:
  case RULE_ZBOOL:
  case RULE_LINEAR:
  case RULE_MUL:
    for (uint32_t k = 0; k < i->narg; k++)
      if (i->arg[k]->ty.lanes > most) most = i->arg[k]->ty.lanes;
    for (uint32_t k = 0; k < i->narg; k++)
      ok = ok && (i->arg[k]->ty.lanes == most || is_scalar(i->arg[k]));
    ok = ok && r == most;
    break;
  case RULE_MOVE: ok = move_lanes(i); break;
  case RULE_FOLD:
    ok = i->at.inner && !__builtin_mul_overflow(r, i->at.inner, &n) &&
         n == i->arg[0]->ty.lanes;
    break;
  case RULE_CONV:
    ok = r == i->arg[0]->ty.lanes &&
         (i->narg < 2 || is_scalar(i->arg[1]) || i->arg[1]->ty.lanes == r);
    break;
  case RULE_EDGE: ok = edge_lanes(i); break;
  case RULE_BITS: ok = bits_lanes(v, i); break;
  case RULE_SHUFFLE: ok = shuffle_lanes(i); break;
  case RULE_NONE:
  case RULE_REGION: break;
  }
  if (!ok) broken(v, i, 6, "lanes of operands and result do not fit");
}

/* ---- 7 ---- */
static void inv_ranges(verifier *v, const ir_inst *i) {
  if (!i->nres || ir_ops[i->op].rule == RULE_REGION) return;
  const ir_range *r = i->res[0]->ty.range;
  bool ok = true;
  switch (i->op) {
  case OP_INPUT:
  case OP_MLOAD:
    ok = i->res[0]->ty.dom == DOM_Z || !r || ir_range_in_field(v->m, r);
    break;
  case OP_DEC: ok = ir_range_in_field(v->m, r); break;
  case OP_ASSUME: ok = r; break;
  case OP_WRAP:
    ok = r && r == ir_range_bits(v->m, i->at.bits, mpz_sgn(r->lo) < 0);
    break;
  default: ok = !r || ir_range_within(ir_inst_range(v->m, i), r); break;
  }
  if (!ok) broken(v, i, 7, "the result's range is too small");
}

/* ---- 8 ---- */
static bool same_shape(const ir_value *a, const ir_value *b) {
  return a->ty.dom == b->ty.dom && a->ty.kind == b->ty.kind &&
         a->ty.lanes == b->ty.lanes;
}

/* Value from flows into to. */
static bool flows(const ir_value *from, const ir_value *to) {
  return same_shape(from, to) &&
         ir_range_within(from->ty.range, to->ty.range);
}

/* Region r ends in a yield of n values. */
static bool yields(const ir_block *r, uint32_t n) {
  return r->last && r->last->op == OP_YIELD && r->last->narg == n;
}

static bool for_region(verifier *v, const ir_inst *i) {
  const ir_block *r = i->region[0];
  const ir_value *trip = i->arg[0];
  if (i->narg != i->nres + 1 || r->nparam != i->nres + 1 ||
      !yields(r, i->nres) || !is_z(trip) || !is_scalar(trip))
    return false;
  const ir_value *index = r->param[0];
  if (!is_z(index) || !is_scalar(index)) return false;
  bool runs = mpz_sgn(trip->ty.range->lo) > 0;
  if (mpz_sgn(trip->ty.range->hi) > 0) {
    mpz_t zero, last;
    mpz_inits(zero, last, (mpz_ptr)NULL);
    mpz_sub_ui(last, trip->ty.range->hi, 1);
    bool ok = ir_range_within(ir_range_get(v->m, zero, last), index->ty.range);
    mpz_clears(zero, last, (mpz_ptr)NULL);
    if (!ok) return false;
  }
  for (uint32_t k = 0; k < i->nres; k++)
    if (!flows(i->arg[k + 1], r->param[k + 1]) ||
        !same_shape(r->last->arg[k], r->param[k + 1]) ||
        !flows(r->last->arg[k], i->res[k]) ||
        !(runs || flows(i->arg[k + 1], i->res[k])))
      return false;
  return true;
}

static bool while_region(const ir_inst *i) {
  const ir_block *test = i->region[0], *turn = i->region[1];
  if (i->narg != i->nres || test->nparam != i->nres ||
      turn->nparam != i->nres || !yields(test, 1) || !yields(turn, i->nres))
    return false;
  if (!is_bool(test->last->arg[0]) || !is_scalar(test->last->arg[0]))
    return false;
  for (uint32_t k = 0; k < i->nres; k++)
    if (!flows(i->arg[k], test->param[k]) ||
        !flows(i->arg[k], turn->param[k]) || !flows(i->arg[k], i->res[k]) ||
        !flows(turn->last->arg[k], i->res[k]))
      return false;
  return true;
}

static bool if_region(const ir_inst *i) {
  if (!is_bool(i->arg[0]) || !is_scalar(i->arg[0])) return false;
  for (uint32_t j = 0; j < 2; j++) {
    const ir_block *r = i->region[j];
    if (r->nparam || !yields(r, i->nres)) return false;
    for (uint32_t k = 0; k < i->nres; k++)
      if (!flows(r->last->arg[k], i->res[k])) return false;
  }
  return true;
}

static void inv_regions(verifier *v, const ir_inst *i) {
  bool ok = true;
  if (i->op == OP_FOR) ok = for_region(v, i);
  if (i->op == OP_WHILE) ok = while_region(i);
  if (i->op == OP_IF) ok = if_region(i);
  if (i->op == OP_YIELD) ok = !i->next && i->block->owner;
  if (!ok)
    broken(v, i, 8, "parameters, yields, initial values and results disagree");
}

/* ---- 9 ---- */
static void inv_bounds(verifier *v, const ir_inst *i) {
  if (!(ir_op_attrs(i->op) & AT_DIMS)) return;
  int64_t lo, hi, lanes = (int64_t)i->arg[0]->ty.lanes;
  bool ok = ir_dims_extent(i->at.dim, i->at.ndim, &lo, &hi);
  if (ok && i->op == OP_VIEW)
    ok = !__builtin_add_overflow(lo, i->at.off, &lo) &&
         !__builtin_add_overflow(hi, i->at.off, &hi) && lo >= 0 && hi < lanes;
  else if (ok)
    ok = !__builtin_sub_overflow(hi, lo, &hi) && hi < lanes;
  if (!ok) broken(v, i, 9, "lanes outside the operand");
}

/* ---- 10 ---- */
static void inv_rounds(verifier *v, const ir_inst *i, uint32_t *last) {
  if (!(ir_ops[i->op].flags & F_I)) return;
  uint32_t r = i->at.round;
  if (v->m->stage != IR_SCHED) {
    if (r) broken(v, i, 10, "a round before stage sched");
    return;
  }
  const ir_inst *p = i->prev;
  bool beside = p && ir_ops[p->op].flags & F_I && p->at.round == r;
  if (!r || r < *last || (r == *last && !beside))
    broken(v, i, 10, "round %u after round %u", r, *last);
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_inst *d = i->arg[k]->def;
    if (d && d->block == i->block && ir_ops[d->op].flags & F_I &&
        d->at.round == r)
      broken(v, i, 10, "uses a result of its own round %u", r);
  }
  *last = r;
}

/* ---- 11 ---- */
/* Lanes of "[3, 4]"; 0 if it is no shape. */
static uint64_t shape_lanes(const char *s) {
  uint64_t n = 1;
  if (!*s) return 1;
  if (*s++ != '[') return 0;
  for (;;) {
    if (*s < '0' || *s > '9') return 0;
    uint64_t d = 0;
    for (; *s >= '0' && *s <= '9'; s++)
      if (__builtin_mul_overflow(d, 10, &d) ||
          __builtin_add_overflow(d, (uint64_t)(*s - '0'), &d))
        return 0;
    if (__builtin_mul_overflow(n, d, &n)) return 0;
    if (!strcmp(s, "]")) return n;
    if (*s++ != ',' || *s++ != ' ') return 0;
  }
}

static void inv_leaves(verifier *v, const ir_inst *i) {
  if (i->op != OP_INPUT && i->op != OP_OUTPUT && i->op != OP_TELL) return;
  ir_module *m = v->m;
  bool in = i->op == OP_INPUT;
  const ir_leaf *tab = in ? m->in : m->out;
  int k = ir_leaf_find(tab, in ? m->nin : m->nout, i->at.name);
  if (k < 0) {
    broken(v, i, 11, "no leaf '%.60s'", i->at.name);
    return;
  }
  const ir_value *x = in ? i->res[0] : i->arg[0];
  if (shape_lanes(tab[k].shape) != x->ty.lanes)
    broken(v, i, 11, "leaf '%.60s' has the shape '%.40s', not %llu lanes",
           i->at.name, tab[k].shape, (unsigned long long)x->ty.lanes);
  if (i->op == OP_TELL) return;
  if (tab[k].secret != (x->ty.kind == KIND_SH))
    broken(v, i, 11, "leaf '%.60s' is %s", i->at.name,
           tab[k].secret ? "secret" : "public");
  uint8_t *used = in ? &v->in_used[k] : &v->out_used[k];
  if (*used || i->block != m->body)
    broken(v, i, 11, "leaf '%.60s' twice, or not in the body", i->at.name);
  *used = 1;
}

/* ---- 12 ---- */
static void inv_field(verifier *v) {
  if (mpz_odd_p(v->m->p) && mpz_probab_prime_p(v->m->p, 30)) return;
  char *s = mpz_get_str(NULL, 10, v->m->p);
  if (v->m->is_mersenne)
    broken(v, NULL, 12, "2^%u - 1 is not prime", v->m->k);
  else
    broken(v, NULL, 12, "%.100s is not an odd prime", s);
  free(s);
}

/* ---- 14 ---- */
static void inv_target(verifier *v, const ir_inst *i) {
  const ir_target *t = &v->m->target;
  ir_protocol want = IR_ANY;
  switch (i->op) {
  case OP_SPLIT:
  case OP_XDEAL:
  case OP_XJOIN: want = IR_REP3; break;
  case OP_DEAL:
  case OP_BDEAL: want = IR_SHAMIR; break;
  default: return;
  }
  bool many = i->op == OP_SPLIT || i->op == OP_DEAL || i->op == OP_BDEAL;
  if (t->protocol != want || (many && i->nres != ir_target_summands(t)))
    broken(v, i, 14, "not of the circuit's target");
}

static bool target_exists(const ir_target *t) {
  if (t->protocol == IR_ANY) return !t->n;
  return t->protocol == IR_REP3 ? t->n == 3 : t->n >= 3 && t->n <= IR_NODES_MAX;
}

/* ---- 13 ---- */
static bool inv_links(verifier *v, const ir_inst *i, const ir_block *b,
                      const ir_inst *prev) {
  bool ok = i->block == b && i->prev == prev && (i->next || b->last == i);
  for (uint32_t k = 0; k < i->nres; k++)
    ok = ok && i->res[k]->def == i && i->res[k]->index == k;
  for (uint32_t k = 0; k < i->nregion; k++)
    ok = ok && i->region[k] && i->region[k]->owner == i;
  if (!ok) broken(v, i, 13, "lists, owners or blocks disagree");
  return ok;
}

static void check_block(verifier *v, const ir_block *b);

/* Reports what i breaks.  A fault in 1, 4 or 13 hides the later checks, which
 * rely on them. */
static void check_inst(verifier *v, const ir_inst *i, uint32_t *round) {
  bool sound = inv_order(v, i);
  for (uint32_t k = 0; k < i->nregion; k++) check_block(v, i->region[k]);
  for (uint32_t k = 0; k < i->nres; k++) {
    inv_type(v, i, i->res[k]);
    sound = define(v, i, i->res[k]) && sound;
    sound = sound && (i->res[k]->ty.dom != DOM_Z || i->res[k]->ty.range);
  }
  inv_stage(v, i);
  if (!sound) return;
  for (uint32_t k = 0; k < i->narg; k++)
    if (i->arg[k]->ty.dom == DOM_Z && !i->arg[k]->ty.range) return;
  inv_kinds(v, i);
  inv_lanes(v, i);
  inv_ranges(v, i);
  inv_regions(v, i);
  inv_bounds(v, i);
  inv_rounds(v, i, round);
  inv_leaves(v, i);
  inv_target(v, i);
}

static void leave(verifier *v, const ir_value *x) {
  if (x->id < v->m->nvalue && v->seen[x->id] == x) v->seen[x->id] = NULL;
}

static void check_block(verifier *v, const ir_block *b) {
  const ir_inst *prev = NULL;
  uint32_t round = 0;
  for (uint32_t k = 0; k < b->nparam; k++) {
    inv_type(v, b->owner, b->param[k]);
    define(v, b->owner, b->param[k]);
    if (b->param[k]->ty.kind == KIND_PROD && v->m->stage == IR_HIGH)
      broken(v, b->owner, 2, "a local product has no place in stage high");
  }
  for (const ir_inst *i = b->first; i; prev = i, i = i->next) {
    if (!inv_links(v, i, b, prev)) break;
    if (inv_arity(v, i)) check_inst(v, i, &round);
  }
  for (uint32_t k = 0; k < b->nparam; k++) leave(v, b->param[k]);
  for (const ir_inst *i = b->first; i; i = i->next)
    for (uint32_t k = 0; k < i->nres; k++) leave(v, i->res[k]);
}

bool ir_verify(const ir_module *m, diag *dg) {
  /* Interning ranges is invisible to the caller, hence the cast. */
  verifier v = {.m = (ir_module *)m, .dg = dg, .ok = true};
  v.seen = calloc((size_t)m->nvalue + 1, sizeof *v.seen);
  v.everdef = calloc((size_t)m->nvalue + 1, sizeof *v.everdef);
  v.in_used = calloc((size_t)m->nin + 1, 1);
  v.out_used = calloc((size_t)m->nout + 1, 1);
  if (!v.seen || !v.everdef || !v.in_used || !v.out_used) arena_oom_hook();
  inv_field(&v);
  if (!target_exists(&m->target)) broken(&v, NULL, 14, "no such target");
  check_block(&v, m->body);
  free(v.seen);
  free(v.everdef);
  free(v.in_used);
  free(v.out_used);
  return v.ok;
}
