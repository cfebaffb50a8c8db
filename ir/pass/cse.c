/* cse: equal values are computed once.
 *
 * A table of the values in scope, keyed by op, operands and attributes; the
 * entries of a region leave with it, so what is found always dominates.  A
 * check of a condition already checked goes too: it cannot fail.  hide is left
 * alone, and so are opens: the program asked for each.
 * Needs: nothing.  Keeps: the stage; which check fails first.  Linear.
 * Source: value numbering over a dominator tree, Briggs, Cooper, Simpson 1997.
 *
 *   %a = mul %x, %y                   %a = mul %x, %y
 *   %b = mul %y, %x               ->  %c = add %a, %a
 *   %c = add %a, %b
 */
#include <string.h>

#include "base/vec.h"
#include "ir/pass/util.h"

typedef struct entry {
  ir_inst *i;
  struct entry *next;
  size_t slot;
} entry;

typedef struct cse {
  arena *a;
  entry **slot;
  size_t nslot; /* a power of two */
  VEC(entry *) scope;
  bool changed;
} cse;

static size_t mix(size_t h, size_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

static size_t mix_mpz(size_t h, mpz_srcptr v) {
  h = mix(h, (size_t)(mpz_sgn(v) + 1));
  for (size_t k = 0; k < mpz_size(v); k++)
    h = mix(h, mpz_getlimbn(v, (mp_size_t)k));
  return h;
}

static size_t hash(const ir_inst *i) {
  unsigned has = ir_op_attrs(i->op);
  size_t h = mix(17, (size_t)i->op);
  for (uint32_t k = 0; k < i->narg; k++) h = mix(h, (size_t)i->arg[k]);
  if (i->nres) h = mix(h, (size_t)i->res[0]->ty.lanes);
  if (has & AT_IMM) h = mix_mpz(h, i->at.imm);
  for (uint64_t k = 0; has & AT_TABLE && k < i->res[0]->ty.lanes; k++)
    h = mix_mpz(h, i->at.table[k]);
  h = mix(mix(h, (size_t)i->at.inner), (size_t)i->at.off);
  for (uint32_t k = 0; has & AT_DIMS && k < i->at.ndim; k++)
    h = mix(mix(h, (size_t)i->at.dim[k].n), (size_t)i->at.dim[k].stride);
  return h ^ (h >> 31);
}

static bool same_attrs(const ir_inst *x, const ir_inst *y) {
  unsigned has = ir_op_attrs(x->op);
  if (has & AT_IMM && mpz_cmp(x->at.imm, y->at.imm)) return false;
  for (uint64_t k = 0; has & AT_TABLE && k < x->res[0]->ty.lanes; k++)
    if (mpz_cmp(x->at.table[k], y->at.table[k])) return false;
  if (x->at.inner != y->at.inner || x->at.bits != y->at.bits ||
      x->at.off != y->at.off || x->at.ndim != y->at.ndim)
    return false;
  return !(has & AT_DIMS) || !x->at.ndim ||
         !memcmp(x->at.dim, y->at.dim, x->at.ndim * sizeof *x->at.dim);
}

static bool same(const ir_inst *x, const ir_inst *y) {
  if (x->op != y->op || x->narg != y->narg || x->nres != y->nres) return false;
  for (uint32_t k = 0; k < x->narg; k++)
    if (x->arg[k] != y->arg[k]) return false;
  if (x->nres) {
    const ir_type *a = &x->res[0]->ty, *b = &y->res[0]->ty;
    if (a->dom != b->dom || a->kind != b->kind || a->lanes != b->lanes ||
        !ir_range_within(a->range, b->range))
      return false;
    if (x->op == OP_ASSUME && a->range != b->range) return false;
  }
  return same_attrs(x, y);
}

static bool takes_part(const ir_inst *i) {
  if (i->nregion || i->op == OP_YIELD || i->op == OP_HIDE) return false;
  return i->op == OP_CHECK || !(ir_ops[i->op].flags & (F_E | F_F));
}

static void order_args(ir_inst *i) {
  if (!(ir_ops[i->op].flags & F_C) || i->narg != 2) return;
  if (i->arg[0]->id > i->arg[1]->id) {
    ir_value *t = i->arg[0];
    i->arg[0] = i->arg[1];
    i->arg[1] = t;
  }
}

static void number_inst(cse *c, ir_inst *i) {
  order_args(i);
  size_t s = hash(i) & (c->nslot - 1);
  for (entry *e = c->slot[s]; e; e = e->next)
    if (same(e->i, i)) {
      for (uint32_t k = 0; k < i->nres; k++)
        pass_replace(i->res[k], e->i->res[k]);
      ir_remove(i);
      c->changed = true;
      return;
    }
  entry *e = ARENA_NEW(c->a, entry);
  *e = (entry){i, c->slot[s], s};
  c->slot[s] = e;
  vec_push(c->a, &c->scope, e);
}

static void number_block(cse *c, ir_block *b) {
  size_t mark = c->scope.n;
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    pass_resolve(i);
    for (uint32_t k = 0; k < i->nregion; k++) number_block(c, i->region[k]);
    if (takes_part(i)) number_inst(c, i);
  }
  while (c->scope.n > mark) {
    entry *e = c->scope.p[--c->scope.n];
    c->slot[e->slot] = e->next;
  }
}

bool pass_cse(ir_module *m, pass_ctx *cx) {
  cse c = {.a = cx->scratch, .nslot = 64};
  while (c.nslot < m->nvalue) c.nslot *= 2;
  c.slot = ARENA_ARR(c.a, entry *, c.nslot);
  number_block(&c, m->body);
  return c.changed;
}
