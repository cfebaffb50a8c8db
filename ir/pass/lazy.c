/* lazy: stage high to core; a product stays local until a share is needed.
 *
 * mul of two shares gives kind prod; what is linear (sums, views, selects,
 * puts, carried sums) keeps it; reduce stands where a multiplication, open,
 * tell or output wants a share, once a value.  lazy_plan.c decides, product.c
 * has expanded `product` before.
 * Needs: stage high.  Keeps: the depth of the given expressions.  Linear (a few
 * times over for carried values).  Source: Catrina, de Hoogh 2010 (inner
 * products), after Gennaro, Rabin, Rabin 1998.
 *
 *   %z: p.sh[64] = mul %x, %y         %z: p.prod[64] = mul %x, %y
 *   %s: p.sh = sum %z inner 64    ->  %s: p.prod = sum %z inner 64
 *   output %s                         %t: p.sh = reduce %s ; output %t
 */
#include "ir/pass/lazy.h"

static lazy_value *of(lazy *z, const ir_value *v) { return &z->v[v->id]; }

/* New values have ids beyond the plan and stand for themselves. */
static bool planned(const lazy *z, const ir_value *v) { return v->id < z->n; }

static ir_value *as_share(lazy *z, ir_value *v) {
  return planned(z, v) && of(z, v)->deg2 ? of(z, v)->s : v;
}

static ir_value *as_product(lazy *z, ir_value *v) {
  if (v->ty.kind == KIND_PROD) return v;
  lazy_value *u = of(z, v);
  if (!u->p) {
    ir_builder b = pass_after_value(z->m, v);
    ir_value *s = v;
    if (v->ty.kind == KIND_PUB) s = ir_op1(&b, OP_HIDE, v);
    u->p = ir_op1(&b, OP_LIFT, s);
  }
  return u->p;
}

/* Operand k of a step on products; public ones may stay where add, select and
 * mul take them. */
static ir_value *product_arg(lazy *z, const ir_inst *i, uint32_t k) {
  ir_value *v = i->arg[k];
  if (i->op == OP_SELECT && k == 0) return v;
  if (i->op == OP_ASSUME && k == 1) return as_share(z, v);
  if ((i->op == OP_GET || i->op == OP_GATHER) && k == 1) return v;
  if (i->op == OP_PUT && k == 2) return v;
  if (v->ty.kind == KIND_PUB && i->op != OP_PUT && i->op != OP_CONCAT) return v;
  return as_product(z, v);
}

static void reduce_after(lazy *z, ir_inst *i, ir_value *v) {
  ir_builder b = pass_after(z->m, i);
  of(z, v)->s = ir_op1(&b, OP_REDUCE, v);
}

/* Where a circuit says that a sum of products ends. */
static void write_settle(lazy *z, ir_inst *i) {
  if (of(z, i->arg[0])->deg2) {
    i->op = OP_REDUCE;
    i->arg[0] = as_product(z, i->arg[0]);
    return;
  }
  pass_replace(i->res[0], i->arg[0]);
  ir_remove(i);
}

static void write_step(lazy *z, ir_inst *i) {
  pass_resolve(i);
  if (i->op == OP_SETTLE) {
    write_settle(z, i);
    return;
  }
  ir_value *v = i->nres == 1 ? i->res[0] : NULL;
  lazy_value *u = v && of(z, v)->deg2 ? of(z, v) : NULL;
  bool by_products = u && u->need_p && !u->mul;
  if (by_products && u->need_s && u->linear) { /* both forms */
    ir_builder b = pass_after(z->m, i);
    ir_inst *twin = pass_copy(&b, i, i->arg);
    for (uint32_t k = 0; k < i->narg; k++)
      twin->arg[k] = as_share(z, i->arg[k]);
    u->s = twin->res[0];
  }
  for (uint32_t k = 0; k < i->narg; k++)
    i->arg[k] = by_products ? product_arg(z, i, k) : as_share(z, i->arg[k]);
  if (by_products || (u && u->mul)) {
    v->ty.kind = KIND_PROD;
    u->p = v;
    if (u->need_s && !u->linear) reduce_after(z, i, v);
  } else if (u) {
    u->s = v;
  }
}

static void write_block(lazy *z, ir_block *b);

static void write_region(lazy *z, ir_inst *o) {
  uint32_t at = pass_first_carry(o);
  pass_resolve(o);
  for (uint32_t k = 0; k < o->nres; k++) {
    bool prod = of(z, o->res[k])->deg2;
    if (prod) {
      o->res[k]->ty.kind = KIND_PROD;
      of(z, o->res[k])->p = o->res[k];
    }
    if (o->op == OP_IF) continue;
    o->arg[k + at] = prod ? as_product(z, o->arg[k + at])
                          : as_share(z, o->arg[k + at]);
    for (uint32_t r = 0; prod && r < o->nregion; r++) {
      ir_value *p = o->region[r]->param[k + at];
      p->ty.kind = KIND_PROD;
      of(z, p)->p = p;
    }
  }
  for (uint32_t r = 0; r < o->nregion; r++) {
    write_block(z, o->region[r]);
    if (o->op == OP_WHILE && r == 0) continue;
    ir_inst *y = pass_yield(o->region[r]);
    pass_resolve(y);
    for (uint32_t k = 0; k < o->nres; k++)
      y->arg[k] = of(z, o->res[k])->deg2 ? as_product(z, y->arg[k])
                                         : as_share(z, y->arg[k]);
  }
  for (uint32_t k = o->nres; k--;)
    if (of(z, o->res[k])->deg2 && of(z, o->res[k])->need_s)
      reduce_after(z, o, o->res[k]);
}

static void write_block(lazy *z, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    if (i->nregion)
      write_region(z, i);
    else if (i->op != OP_YIELD)
      write_step(z, i);
  }
}

bool pass_lazy(ir_module *m, pass_ctx *cx) {
  pass_expand_products(m);
  lazy z = {.m = m, .n = ir_number(m)};
  z.v = ARENA_ARR(cx->scratch, lazy_value, z.n + 1);
  lazy_plan(&z);
  m->stage = IR_CORE; /* the builder now gives kind prod */
  write_block(&z, m->body);
  pass_resolve_block(m->body);
  return true;
}
