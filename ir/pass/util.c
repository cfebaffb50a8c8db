/* Renaming, cursors, and the questions every pass asks. */
#include "ir/pass/util.h"

#include <string.h>

static void clear_block(ir_block *b) {
  for (uint32_t k = 0; k < b->nparam; k++) b->param[k]->tmp = NULL;
  for (ir_inst *i = b->first; i; i = i->next) {
    i->tmp = NULL;
    for (uint32_t k = 0; k < i->nres; k++) i->res[k]->tmp = NULL;
    for (uint32_t k = 0; k < i->nregion; k++) clear_block(i->region[k]);
  }
}

void pass_clear(ir_module *m) { clear_block(m->body); }

/* ---- renaming ---- */
void pass_replace(ir_value *v, ir_value *by) {
  if (v == by) return;
  if (!by->name) by->name = v->name;
  v->tmp = by;
}

ir_value *pass_alias(ir_value *v) {
  ir_value *root = v;
  while (root->tmp) root = root->tmp;
  while (v->tmp) { /* shorten the path */
    ir_value *next = v->tmp;
    if (next != root) v->tmp = root;
    v = next;
  }
  return root;
}

void pass_resolve(ir_inst *i) {
  for (uint32_t k = 0; k < i->narg; k++) i->arg[k] = pass_alias(i->arg[k]);
}

void pass_resolve_block(ir_block *b) {
  for (ir_inst *i = b->first; i; i = i->next) {
    pass_resolve(i);
    for (uint32_t k = 0; k < i->nregion; k++) pass_resolve_block(i->region[k]);
  }
}

/* ---- cursors ---- */
ir_builder pass_after(ir_module *m, ir_inst *i) {
  return (ir_builder){m, i->block, i->next, i->sp};
}

ir_builder pass_before(ir_module *m, ir_inst *i) {
  return (ir_builder){m, i->block, i, i->sp};
}

ir_builder pass_after_value(ir_module *m, ir_value *v) {
  if (v->def) return pass_after(m, v->def);
  ir_inst *o = v->block->owner;
  return (ir_builder){m, v->block, v->block->first,
                      o ? o->sp : (span){0, 0}};
}

ir_inst *pass_copy(ir_builder *b, const ir_inst *i, ir_value **arg) {
  ir_type ty = i->nres ? i->res[0]->ty : (ir_type){0};
  ir_inst *c = ir_emit(b, i->op, arg, i->narg, &ty, i->nres);
  c->at = i->at;
  c->sp = i->sp;
  return c;
}

ir_inst *pass_yield(const ir_block *b) { return b->last; }

/* ---- constants ---- */
bool pass_const_u64(const ir_value *v, uint64_t *out) {
  mpz_srcptr c;
  if (!ir_is_const(v, &c) || !mpz_fits_ulong_p(c)) return false;
  *out = mpz_get_ui(c);
  return true;
}

bool pass_const_i64(const ir_value *v, int64_t *out) {
  mpz_srcptr c;
  if (!ir_is_const(v, &c) || !mpz_fits_slong_p(c)) return false;
  *out = mpz_get_si(c);
  return true;
}

bool pass_trip(const ir_inst *f, uint64_t *out) {
  return f->op == OP_FOR && pass_const_u64(f->arg[0], out);
}

/* ---- what may move ---- */
static bool has_zero(const ir_range *r) {
  return !r || (mpz_sgn(r->lo) <= 0 && mpz_sgn(r->hi) >= 0);
}

/* r + off + the reach of the axes lies in 0 .. lanes-1 */
static bool in_bounds(const ir_range *r, const ir_inst *i, uint64_t lanes) {
  int64_t lo, hi, a, b;
  if (!ir_range_is_int64(r) || !ir_dims_extent(i->at.dim, i->at.ndim, &lo, &hi))
    return false;
  a = mpz_get_si(r->lo);
  b = mpz_get_si(r->hi);
  return !__builtin_add_overflow(a, i->at.off, &a) &&
         !__builtin_add_overflow(a, lo, &a) &&
         !__builtin_add_overflow(b, i->at.off, &b) &&
         !__builtin_add_overflow(b, hi, &b) && a >= 0 &&
         (uint64_t)b < lanes;
}

bool pass_guarded(const ir_inst *i) {
  switch (i->op) {
  case OP_DIV:
  case OP_MOD:
  case OP_RDIV:
    return i->arg[1]->ty.kind == KIND_PUB && has_zero(i->arg[1]->ty.range);
  case OP_INV: {
    mpz_srcptr c;
    return !ir_is_const(i->arg[0], &c) || !mpz_sgn(c);
  }
  case OP_ASSUME: return i->res[0]->ty.dom == DOM_Z;
  case OP_GET: return !in_bounds(i->arg[1]->ty.range, i, i->arg[0]->ty.lanes);
  case OP_PUT: return !in_bounds(i->arg[2]->ty.range, i, i->arg[0]->ty.lanes);
  case OP_GATHER: {
    const ir_range *r = i->arg[1]->ty.range;
    return !ir_range_is_int64(r) || mpz_sgn(r->lo) < 0 ||
           mpz_cmp_ui(r->hi, i->arg[0]->ty.lanes / i->at.inner - 1) > 0;
  }
  default: return false;
  }
}

bool pass_free(const ir_inst *i) {
  if (i->nregion || !i->nres) return false;
  switch (i->op) {
  case OP_INPUT:
  case OP_DEC:
  case OP_OPEN:
  case OP_REDUCE:
  case OP_DEAL:
  case OP_XDEAL:
  case OP_XJOIN:
  case OP_BDEAL:
  case OP_HIDE:
  case OP_SETTLE:
  case OP_MLOAD:
  case OP_WROTE:
  case OP_ASSUME: return false;
  default: return !pass_guarded(i);
  }
}

unsigned pass_has(const ir_inst *i) {
  unsigned h = 0;
  switch (i->op) {
  case OP_OPEN: h = HAS_OPEN; break;
  case OP_REDUCE:
  case OP_DEAL:
  case OP_XDEAL:
  case OP_XJOIN:
  case OP_BDEAL: h = HAS_REDUCE; break;
  case OP_CHECK: h = HAS_CHECK; break;
  case OP_DEC: h = HAS_DEC; break;
  case OP_TELL: h = HAS_TELL; break;
  case OP_INPUT:
  case OP_OUTPUT:
  case OP_MLOAD:
  case OP_MSTORE:
  case OP_EMIT: h = HAS_EDGE; break;
  case OP_MUL: h = pass_is_share_mul(i) ? HAS_SHARE_MUL : 0; break;
  case OP_PROD: h = i->arg[0]->ty.kind == KIND_SH ? HAS_SHARE_MUL : 0; break;
  default:
    h = (pass_guarded(i) ? HAS_GUARDED : 0) |
        (ir_is_typed(i) ? HAS_SHARE_MUL : 0);
    break;
  }
  for (uint32_t k = 0; k < i->nregion; k++) h |= pass_block_has(i->region[k]);
  return h;
}

unsigned pass_block_has(const ir_block *b) {
  unsigned h = 0;
  for (const ir_inst *i = b->first; i; i = i->next) h |= pass_has(i);
  return h;
}

/* ---- building ---- */
ir_value *pass_fit(ir_builder *b, ir_value *v, const ir_range *r) {
  return ir_range_within(v->ty.range, r) ? v : ir_ranged(b, OP_ASSUME, v, r);
}

uint32_t pass_dims_tidy(ir_dim *d, uint32_t nd) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < nd; k++) {
    if (d[k].n == 1) continue;
    int64_t reach;
    if (n && !__builtin_mul_overflow((int64_t)d[k].n, d[k].stride, &reach) &&
        d[n - 1].stride == reach) {
      d[n - 1].n *= d[k].n;
      d[n - 1].stride = d[k].stride;
    } else {
      d[n++] = d[k];
    }
  }
  return n;
}

ir_value *pass_view(ir_builder *b, ir_value *x, int64_t off, const ir_dim *d,
                    uint32_t nd) {
  ir_dim small[16];
  if (nd > 16) return ir_view(b, x, off, d, nd);
  memcpy(small, d, nd * sizeof *d);
  nd = pass_dims_tidy(small, nd);
  if (!nd) {
    small[0] = (ir_dim){1, 1};
    nd = 1;
  }
  return ir_view(b, x, off, small, nd);
}
