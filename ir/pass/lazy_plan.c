/* Where products become shares.
 *
 * deg2: the values that a product reaches through linear steps.  A share of
 * such a value is had in two ways: reduce it, or do the same step on shares of
 * its operands.  Neither is deeper than the other by the wrong side: operands
 * reduce at their own depth, which is no greater.  So only elements count:
 * cost() compares lanes, with an operand's cost split among its uses.  That is
 * greedy; where a connected set of values would come out dearer than reducing
 * every multiplication in it, the set does just that (unless it reaches into
 * regions: rounds inside loops weigh more than elements).
 *
 * A carried value is a product if a product is yielded, unless the turn itself
 * needs a share of something linear in it: to reduce that would delay the turn
 * by a round, to reduce the yield may share one.
 */
#include "ir/pass/lazy.h"

#define ROUND_WORTH 1024 /* elements sent in the time a round takes */
#define ROUNDS 8 /* of forcing; after that all carried values are shares */

bool lazy_is_linear(const ir_inst *i) {
  switch (i->op) {
  case OP_ADD:
  case OP_SUB:
  case OP_NEG:
  case OP_SELECT:
  case OP_SUM:
  case OP_VIEW:
  case OP_GET:
  case OP_GATHER:
  case OP_PUT:
  case OP_CONCAT:
  case OP_ASSUME: return true;
  case OP_MUL:
    return i->arg[0]->ty.kind == KIND_PUB || i->arg[1]->ty.kind == KIND_PUB;
  default: return false;
  }
}

bool lazy_wants_share(const ir_inst *i, uint32_t k) {
  switch (i->op) {
  case OP_MUL: return pass_is_share_mul(i);
  case OP_OPEN:
  case OP_OUTPUT:
  case OP_SPLIT:
  case OP_DEAL:
  case OP_XDEAL:
  case OP_XJOIN:
  case OP_BDEAL: return true;
  case OP_ASSUME: return k == 1;
  case OP_TELL: return k == 0;
  default: return false;
  }
}

static lazy_value *of(lazy *z, const ir_value *v) { return &z->v[v->id]; }

static bool set_deg2(lazy *z, const ir_value *v, bool on) {
  if (!on || v->ty.kind != KIND_SH || of(z, v)->deg2) return false;
  return of(z, v)->deg2 = true;
}

/* ---- degrees: forward until nothing changes ---- */
static bool degrees(lazy *z, ir_block *b);

static bool degrees_region(lazy *z, ir_inst *o) {
  bool any = false;
  uint32_t at = pass_first_carry(o);
  for (uint32_t r = 0; r < o->nregion; r++) any |= degrees(z, o->region[r]);
  for (uint32_t k = 0; k < o->nres; k++) {
    lazy_value *slot = of(z, o->res[k]);
    if (slot->share) continue;
    bool d;
    if (o->op == OP_IF)
      d = of(z, pass_yield(o->region[0])->arg[k])->deg2 ||
          of(z, pass_yield(o->region[1])->arg[k])->deg2;
    else
      d = of(z, o->arg[k + at])->deg2 ||
          of(z, pass_yield(pass_loop_body(o))->arg[k])->deg2;
    any |= set_deg2(z, o->res[k], d);
    if (o->op != OP_IF)
      for (uint32_t r = 0; r < o->nregion; r++)
        any |= set_deg2(z, o->region[r]->param[k + at], d);
  }
  return any;
}

static bool degrees(lazy *z, ir_block *b) {
  bool any = false;
  for (ir_inst *i = b->first; i; i = i->next) {
    if (i->nregion) {
      any |= degrees_region(z, i);
      continue;
    }
    if (i->nres != 1) continue;
    bool d = of(z, i->res[0])->mul = pass_is_share_mul(i);
    if (!d && lazy_is_linear(i))
      for (uint32_t k = 0; k < i->narg && !d; k++) d = of(z, i->arg[k])->deg2;
    any |= set_deg2(z, i->res[0], d);
  }
  return any;
}

/* ---- uses, weights, components ---- */
static uint32_t root_of(lazy *z, uint32_t id) {
  while (z->v[id].root != id) id = z->v[id].root = z->v[z->v[id].root].root;
  return id;
}

static void join(lazy *z, const ir_value *x, const ir_value *y) {
  if (of(z, x)->deg2 && of(z, y)->deg2)
    z->v[root_of(z, x->id)].root = root_of(z, y->id);
}

static void use(lazy *z, const ir_value *v, bool hard) {
  lazy_value *u = of(z, v);
  u->uses++;
  u->hard |= hard && u->deg2;
}

static void uses_region(lazy *z, ir_inst *o) {
  uint32_t at = pass_first_carry(o);
  for (uint32_t k = 0; k < o->nres; k++) {
    bool hard = !of(z, o->res[k])->deg2;
    if (o->op == OP_IF) {
      for (uint32_t r = 0; r < 2; r++) {
        ir_value *y = pass_yield(o->region[r])->arg[k];
        use(z, y, hard);
        join(z, y, o->res[k]);
      }
      continue;
    }
    ir_value *y = pass_yield(pass_loop_body(o))->arg[k];
    use(z, y, hard);
    use(z, o->arg[k + at], hard);
    join(z, y, o->res[k]);
    join(z, o->arg[k + at], o->res[k]);
    for (uint32_t r = 0; r < o->nregion; r++)
      join(z, o->region[r]->param[k + at], o->res[k]);
  }
}

static void uses(lazy *z, ir_block *b, double weight) {
  for (uint32_t k = 0; k < b->nparam; k++) of(z, b->param[k])->weight = weight;
  for (ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) of(z, i->res[k])->weight = weight;
    if (i->nregion) {
      uses_region(z, i);
      uint64_t trip = 64; /* a guess where it is not known */
      if (i->op == OP_IF)
        trip = 1;
      else
        pass_trip(i, &trip);
      for (uint32_t r = 0; r < i->nregion; r++)
        uses(z, i->region[r], weight * (double)trip);
    } else if (i->op != OP_YIELD) {
      bool lin = i->nres == 1 && lazy_is_linear(i);
      for (uint32_t k = 0; k < i->narg; k++) {
        use(z, i->arg[k], lazy_wants_share(i, k));
        if (lin) join(z, i->arg[k], i->res[0]);
      }
    }
  }
}

/* ---- cost of a share, forward ---- */
static void costs(lazy *z, ir_block *b) {
  for (uint32_t k = 0; k < b->nparam; k++) {
    lazy_value *v = of(z, b->param[k]);
    v->cost = 0; /* where a turn needs it, it is a share */
    v->turns = v->weight;
  }
  for (ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) {
      lazy_value *v = of(z, i->res[k]);
      v->cost = v->weight * pass_size(&i->res[k]->ty);
      v->turns = v->weight;
    }
    if (i->nres == 1 && lazy_is_linear(i) && of(z, i->res[0])->deg2) {
      lazy_value *v = of(z, i->res[0]);
      double sum = 0, turns = 0;
      for (uint32_t k = 0; k < i->narg; k++) {
        lazy_value *a = of(z, i->arg[k]);
        if (!a->deg2) continue;
        if (!a->hard) sum += a->cost / (a->uses ? a->uses : 1);
        if (a->turns > turns) turns = a->turns;
      }
      /* reduced here: more rounds, if what it is made of stands further out */
      double here = v->cost + (v->weight - turns) * ROUND_WORTH;
      v->linear = v->eager || sum <= here;
      if (v->linear) {
        v->cost = sum;
        v->turns = turns;
      }
    }
    for (uint32_t r = 0; r < i->nregion; r++) costs(z, i->region[r]);
  }
}

/* ---- needs, backward ---- */
/* A use of v at nesting `depth`, as a share or as a product. */
static void need(lazy *z, const ir_value *v, bool share, uint32_t depth) {
  lazy_value *u = of(z, v);
  if (!u->deg2) return;
  if (!share)
    u->need_p = true;
  else
    u->need_s = true;
  if (share && u->pulled < depth + 1) u->pulled = depth + 1;
}

static void pull(lazy *z, const ir_value *v, uint32_t by) {
  lazy_value *u = of(z, v);
  if (u->deg2 && u->pulled < by) u->pulled = by;
}

static void force(lazy *z, ir_inst *o, uint32_t k) {
  lazy_value *slot = of(z, o->res[k]);
  if (slot->share) return;
  slot->share = true;
  z->changed = true;
}

/* Carried value k as a share costs what a turn reduces and a round a turn; as a
 * product, all its lanes once. */
static bool turns_cheaper(lazy *z, const ir_inst *o, uint32_t k) {
  if (o->op == OP_IF) return false;
  const ir_block *b = pass_loop_body(o);
  double turns = of(z, b->param[k + pass_first_carry(o)])->weight;
  return of(z, o->res[k])->cost >
         of(z, pass_yield(b)->arg[k])->cost + ROUND_WORTH * turns;
}

static void needs(lazy *z, ir_block *b, uint32_t depth);

static void needs_region(lazy *z, ir_inst *o, uint32_t depth) {
  uint32_t at = pass_first_carry(o);
  for (uint32_t k = 0; k < o->nres; k++) {
    bool share = !of(z, o->res[k])->deg2;
    if (o->op == OP_IF) {
      for (uint32_t r = 0; r < 2; r++) {
        need(z, pass_yield(o->region[r])->arg[k], share, depth + 1);
        pull(z, pass_yield(o->region[r])->arg[k], of(z, o->res[k])->pulled);
      }
    } else {
      uint32_t by = of(z, o->res[k])->pulled;
      ir_value *y = pass_yield(pass_loop_body(o))->arg[k];
      need(z, y, share, depth + 1);
      need(z, o->arg[k + at], share, depth);
      pull(z, o->arg[k + at], by);
      pull(z, y, by < depth + 1 ? by : depth + 1); /* not this loop's */
    }
    if (!of(z, o->res[k])->deg2) continue;
    if (of(z, o->res[k])->eager || turns_cheaper(z, o, k)) force(z, o, k);
  }
  for (uint32_t r = o->nregion; r--;) needs(z, o->region[r], depth + 1);
  if (o->op == OP_IF) return;
  for (uint32_t r = 0; r < o->nregion; r++)
    for (uint32_t k = 0; k < o->nres; k++) {
      uint32_t by = of(z, o->region[r]->param[k + at])->pulled;
      if (by > depth + 1)
        force(z, o, k);
      else
        pull(z, o->arg[k + at], by);
    }
}

static void needs_step(lazy *z, ir_inst *i, uint32_t depth) {
  lazy_value *v = i->nres == 1 ? of(z, i->res[0]) : NULL;
  bool deg2 = v && v->deg2;
  if (deg2 && !v->need_s) v->need_p = true;
  if (deg2 && v->need_s && !v->linear) v->need_p = true;
  for (uint32_t k = 0; k < i->narg; k++) {
    if (i->op == OP_SETTLE) {
      need(z, i->arg[k], false, depth);
      continue;
    }
    if (lazy_wants_share(i, k) || !deg2) {
      need(z, i->arg[k], true, depth);
      continue;
    }
    if (v->need_s && v->linear) need(z, i->arg[k], true, depth);
    if (v->need_p) need(z, i->arg[k], false, depth);
    pull(z, i->arg[k], v->pulled);
  }
}

static void needs(lazy *z, ir_block *b, uint32_t depth) {
  for (ir_inst *i = b->last; i; i = i->prev) {
    if (i->nregion)
      needs_region(z, i, depth);
    else if (i->op != OP_YIELD)
      needs_step(z, i, depth);
  }
}

/* ---- the two plans, by component ---- */
static void tally(lazy *z, ir_block *b) {
  for (ir_inst *i = b->first; i; i = i->next) {
    for (uint32_t k = 0; k < i->nres; k++) {
      lazy_value *v = of(z, i->res[k]);
      if (!v->deg2) continue;
      lazy_value *r = &z->v[root_of(z, i->res[k]->id)];
      r->crosses |= i->nregion > 0;
      double full = v->weight * pass_size(&i->res[k]->ty);
      if (v->need_s && !v->linear) r->greedy += full;
      if (pass_is_share_mul(i)) r->every += full;
    }
    for (uint32_t k = 0; k < i->nregion; k++) tally(z, i->region[k]);
  }
}

static bool make_eager(lazy *z) {
  bool any = false;
  for (uint32_t k = 0; k < z->n; k++) {
    lazy_value *r = &z->v[root_of(z, k)];
    if (!z->v[k].deg2 || z->v[k].eager || r->crosses ||
        r->greedy <= r->every)
      continue;
    any = z->v[k].eager = true;
  }
  return any;
}

static void force_all(ir_inst *i, void *user) {
  lazy *z = user;
  for (uint32_t k = 0; k < i->nres && i->nregion; k++)
    of(z, i->res[k])->share = true;
}

void lazy_plan(lazy *z) {
  for (int round = 0;; round++) {
    for (uint32_t k = 0; k < z->n; k++)
      z->v[k] = (lazy_value){
          .share = z->v[k].share, .eager = z->v[k].eager, .root = k};
    if (round == ROUNDS) ir_walk(z->m->body, force_all, z);
    int spread = 0;
    while (degrees(z, z->m->body))
      if (++spread == 64) { /* carried values that rotate: no products */
        ir_walk(z->m->body, force_all, z);
        for (uint32_t k = 0; k < z->n; k++) z->v[k].deg2 = false;
      }
    uses(z, z->m->body, 1);
    costs(z, z->m->body);
    z->changed = false;
    needs(z, z->m->body, 0);
    if (z->changed && round < ROUNDS) continue;
    tally(z, z->m->body);
    if (round < ROUNDS && make_eager(z)) continue;
    return;
  }
}
