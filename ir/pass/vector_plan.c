/* What of a loop becomes lanes.
 *
 * Optimistic: each carried value is taken for the best kind its shape allows,
 * then the body is classed forward; a kind whose ingredients turn out
 * sequential is given up, until nothing changes.  Effects follow last: lanes
 * may not open what a check of an earlier turn could have prevented.
 */
#include "ir/pass/vector.h"

#define CHAIN_MAX 100000 /* steps of one reduction */
#define MASK_MAX 8
#define SETTLE_MAX 24 /* times that the classes are worked out again */

vclass vec_class(const vloop *l, const ir_value *v) {
  const vinfo *x = vec_info(l, v);
  return x ? (vclass)x->cls : CL_UNIFORM;
}

/* ---- reductions ---- */
/* Which carried value each value adds to or multiplies, if just one. */
static void reductions(vloop *l) {
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vinfo *p = vec_info(l, l->carry[k].param);
    p->sum_of = p->prod_of = k + 1;
  }
  for (ir_inst *i = l->body->first; i; i = i->next) {
    if (i->nres != 1 || i->nregion) continue;
    vinfo *r = vec_info(l, i->res[0]), *x, *y;
    r->sum_of = r->prod_of = 0;
    x = i->narg > 0 ? vec_info(l, i->arg[0]) : NULL;
    y = i->narg > 1 ? vec_info(l, i->arg[1]) : NULL;
    uint32_t sx = x ? x->sum_of : 0, sy = y ? y->sum_of : 0;
    uint32_t px = x ? x->prod_of : 0, py = y ? y->prod_of : 0;
    switch (i->op) {
    case OP_ADD: r->sum_of = sx && sy ? 0 : sx + sy; break;
    case OP_SUB: r->sum_of = sy ? 0 : sx; break;
    case OP_MUL: r->prod_of = px && py ? 0 : px + py; break;
    case OP_ASSUME:
      r->sum_of = sx;
      r->prod_of = px;
      break;
    case OP_SELECT: {
      vinfo *z = vec_info(l, i->arg[2]);
      if (y && z && !sx && !px) {
        r->sum_of = sy == z->sum_of ? sy : 0;
        r->prod_of = py == z->prod_of ? py : 0;
      }
      break;
    }
    default: break;
    }
  }
}

typedef struct chain {
  vloop *l;
  vcarry *c;
  bool product;
  uint32_t steps;
  VEC(ir_inst *) inst;
} chain;

static uint32_t part_of(const chain *h, const ir_value *v) {
  const vinfo *x = vec_info(h->l, v);
  return !x ? 0 : h->product ? x->prod_of : x->sum_of;
}

static void term(chain *h, ir_value *v, bool neg, vmask *mask) {
  vec_push(h->l->a, &h->c->term, ((vterm){v, neg, mask}));
}

/* Follows v back to the parameter and collects the terms on the way. */
static bool follow(chain *h, ir_value *v, vmask *mask, int depth) {
  uint32_t me = (uint32_t)(h->c - h->l->carry) + 1;
  for (;;) {
    if (v == h->c->param) return true;
    if (part_of(h, v) != me || !v->def || ++h->steps > CHAIN_MAX) return false;
    ir_inst *d = v->def;
    bool first = !vec_inst(d)->walked;
    if (first) {
      vec_inst(d)->walked = true;
      vec_push(h->l->a, &h->inst, d);
      for (uint32_t k = 0; k < d->narg; k++)
        if (part_of(h, d->arg[k]) == me) vec_info(h->l, d->arg[k])->seen++;
    }
    switch (d->op) {
    case OP_ADD:
    case OP_MUL: {
      uint32_t k = part_of(h, d->arg[0]) == me ? 0 : 1;
      term(h, d->arg[!k], false, mask);
      v = d->arg[k];
      break;
    }
    case OP_SUB:
      term(h, d->arg[1], true, mask);
      v = d->arg[0];
      break;
    case OP_ASSUME: v = d->arg[0]; break;
    case OP_SELECT: {
      if (depth == MASK_MAX) return false;
      vmask *m = ARENA_ARR(h->l->a, vmask, 2);
      m[0] = (vmask){d->arg[0], true, mask};
      m[1] = (vmask){d->arg[0], false, mask};
      if (!follow(h, d->arg[1], &m[0], depth + 1)) return false;
      mask = &m[1];
      depth++;
      v = d->arg[2];
      break;
    }
    default: return false;
    }
  }
}

/* Bits that a product of trip terms may need; only integers grow. */
static bool product_fits(const vloop *l, const vcarry *c) {
  if (c->param->ty.dom == DOM_P) return true;
  uint64_t bits = 0;
  for (size_t k = 0; k < c->term.n; k++) {
    const ir_range *r = c->term.p[k].v->ty.range;
    size_t a = mpz_sizeinbase(r->lo, 2), b = mpz_sizeinbase(r->hi, 2);
    bits += a > b ? a : b;
  }
  return bits <= 1024 && bits * l->trip <= 1024;
}

static bool try_chain(vloop *l, vcarry *c, bool product) {
  chain h = {.l = l, .c = c, .product = product};
  c->term.n = 0;
  bool ok = c->yield != c->param && vec_info(l, c->yield) &&
            follow(&h, c->yield, NULL, 0);
  if (ok) vec_info(l, c->yield)->seen++; /* the yield itself */
  ok = ok && vec_info(l, c->param)->seen == vec_info(l, c->param)->uses;
  for (size_t k = 0; k < h.inst.n; k++) {
    vinfo *r = vec_info(l, h.inst.p[k]->res[0]);
    ok = ok && r->seen == r->uses;
  }
  ok = ok && (!product || product_fits(l, c));
  for (size_t k = 0; k < h.inst.n; k++) {
    vec_inst(h.inst.p[k])->absorbed = ok;
    vec_inst(h.inst.p[k])->walked = false;
    vec_info(l, h.inst.p[k]->res[0])->seen = 0;
  }
  vec_info(l, c->param)->seen = 0;
  return ok;
}

/* ---- arrays ---- */
static bool try_array(vloop *l, vcarry *c) {
  bool puts = false;
  if (c->failed || !c->access.n) return false;
  for (size_t k = 0; k < c->access.n; k++) {
    vaccess *x = c->access.p[k];
    if (!x->put) continue;
    puts = true;
    if (!vec_distinct(l, x)) return false;
    for (size_t j = 0; j < c->access.n; j++) {
      vaccess *y = c->access.p[j];
      if (y->group == x->group || vec_apart(l, x, y)) continue;
      if (y->put || !vec_read_first(l, y, x)) return false;
    }
  }
  if (!puts) return false;
  for (size_t k = 0; k < c->access.n; k++)
    if (c->access.p[k]->put) vec_inst(c->access.p[k]->i)->absorbed = true;
  return true;
}

static bool try_kind(vloop *l, vcarry *c, carry_kind k) {
  switch (k) {
  case CARRY_ARRAY: return try_array(l, c);
  case CARRY_SUM: return try_chain(l, c, false);
  case CARRY_PROD: return try_chain(l, c, true);
  case CARRY_LAST: return vec_info(l, c->param)->uses == 0;
  default: return true;
  }
}

static void choose_kind(vloop *l, vcarry *c) {
  static const carry_kind order[] = {CARRY_ARRAY, CARRY_SUM, CARRY_PROD,
                                     CARRY_LAST, CARRY_TURNS};
  for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
    if (c->tried >> order[k] & 1) continue;
    if (try_kind(l, c, order[k])) {
      c->kind = order[k];
      return;
    }
    c->tried |= 1u << order[k];
  }
}

static void give_up(vloop *l, vcarry *c) {
  for (size_t k = 0; k < c->access.n; k++)
    vec_inst(c->access.p[k]->i)->absorbed = false;
  if (c->kind == CARRY_SUM || c->kind == CARRY_PROD) {
    uint32_t me = (uint32_t)(c - l->carry) + 1;
    for (ir_inst *i = l->body->first; i; i = i->next) {
      vinfo *r = i->nres == 1 && !i->nregion ? vec_info(l, i->res[0]) : NULL;
      if (r && (c->kind == CARRY_SUM ? r->sum_of : r->prod_of) == me)
        vec_inst(i)->absorbed = false;
    }
  }
  c->tried |= 1u << c->kind;
  choose_kind(l, c);
}

/* ---- classes ---- */
static vclass worse(vclass a, vclass b) { return a > b ? a : b; }

static void depend(vloop *l, vinfo *d, const ir_value *v) {
  const vinfo *x = vec_info(l, v);
  if (!x) return;
  d->cls = (uint8_t)worse(d->cls, x->cls);
  d->dep_open |= x->dep_open;
  d->dep_inter |= x->dep_inter;
  d->dep_guard |= x->dep_guard;
}

/* Offset = uniform + constant * index? */
static bool steps_evenly(vloop *l, ir_value *off) {
  affine a;
  vec_affine(l, off, &a);
  for (uint32_t k = 0; a.ok && k < a.n; k++)
    if (a.t[k].v != l->iv && vec_class(l, a.t[k].v) != CL_UNIFORM) return false;
  return a.ok;
}

/* Do all lanes of a get, put or view stay within the operand?  (A check that
 * always fails may stand before one that does not.) */
static bool fits(vloop *l, const ir_inst *i) {
  vaccess x = {.nd = 0};
  if (i->op != OP_GET && i->op != OP_PUT) return true;
  ir_value *off = i->arg[i->op == OP_GET ? 1 : 2];
  if (!steps_evenly(l, off)) return i->op == OP_GET;
  vec_affine(l, off, &x.at);
  return i->at.ndim <= VEC_DIMS && !__builtin_add_overflow(
             x.at.c, i->at.off, &x.at.c) && vec_fits(l, i, &x.at);
}

static vinfo class_block(vloop *l, ir_block *b, bool nested);

/* A loop inside whose turns are the same for all turns of l: its body works on
 * lanes.  Its carried values are uniform as long as they can be. */
static vinfo class_inner(vloop *l, ir_inst *f) {
  vinfo all = {.cls = CL_UNIFORM};
  unsigned has = pass_has(f);
  depend(l, &all, f->arg[0]);
  vec_info(l, f->region[0]->param[0])->cls = CL_UNIFORM;
  if (all.cls != CL_UNIFORM ||
      has & (HAS_OPEN | HAS_CHECK | HAS_DEC | HAS_TELL | HAS_EDGE))
    all.cls = CL_TURNS;
  for (uint32_t k = 0; k < f->nres; k++) {
    vinfo *p = vec_info(l, f->region[0]->param[k + 1]);
    *p = (vinfo){.stamp = p->stamp, .uses = p->uses};
    depend(l, p, f->arg[k + 1]);
    all.cls = (uint8_t)worse(all.cls, p->cls);
  }
  for (bool more = true; more && all.cls != CL_TURNS;) {
    more = false;
    vinfo in = class_block(l, f->region[0], true);
    all.cls = (uint8_t)worse(all.cls, in.cls);
    all.dep_inter |= in.dep_inter;
    for (uint32_t k = 0; k < f->nres && all.cls != CL_TURNS; k++) {
      vinfo *p = vec_info(l, f->region[0]->param[k + 1]);
      vinfo before = *p;
      depend(l, p, pass_yield(f->region[0])->arg[k]);
      all.cls = (uint8_t)worse(all.cls, p->cls);
      more |= p->cls != before.cls || p->dep_inter != before.dep_inter ||
              p->dep_open != before.dep_open ||
              p->dep_guard != before.dep_guard;
    }
  }
  for (uint32_t k = 0; k < f->nres; k++) {
    vinfo *r = vec_info(l, f->res[k]);
    *r = (vinfo){.stamp = r->stamp, .uses = r->uses};
    depend(l, r, f->region[0]->param[k + 1]);
    r->dep_guard |= vec_inst(f)->after_check && has & HAS_GUARDED;
    if (all.cls == CL_TURNS) r->cls = CL_TURNS;
  }
  return all;
}

static bool stays(const vloop *l, const ir_inst *i) {
  switch (i->op) {
  case OP_INPUT:
  case OP_OUTPUT:
  case OP_TELL:
  case OP_MLOAD:
  case OP_MSTORE:
  case OP_EMIT:
  case OP_PERM:
  case OP_SHUFFLE:
  case OP_UNSHUFFLE:
  case OP_WHILE:
  case OP_IF: return true;
  case OP_OPEN:
  case OP_CHECK:
  case OP_DEC: return l->effects_stay;
  default:
    return l->effects_stay && vec_inst(i)->after_check && pass_guarded(i);
  }
}

static vinfo class_inst(vloop *l, ir_inst *i) {
  vinfo d = {.cls = CL_UNIFORM};
  vaccess *x = vec_inst(i)->access;
  bool lanes = x && l->carry[vec_info(l, i->arg[0])->chain - 1].kind ==
                        CARRY_ARRAY;
  for (uint32_t k = lanes; k < i->narg; k++) depend(l, &d, i->arg[k]);
  if (lanes) { /* a place of a carried array */
    d.cls = (uint8_t)worse(d.cls, CL_LANES);
    d.dep_inter = true;
    if (x->forward) depend(l, &d, x->forward);
  }
  unsigned has = pass_has(i);
  d.dep_open |= (has & HAS_OPEN) != 0;
  d.dep_inter |= (has & (HAS_OPEN | HAS_DEC | HAS_SHARE_MUL)) != 0;
  d.dep_guard |= vec_inst(i)->after_check && has & HAS_GUARDED;
  if (stays(l, i) || (d.cls == CL_LANES && !x && !fits(l, i)))
    d.cls = CL_TURNS;
  if (i->op == OP_PUT && !vec_inst(i)->absorbed && d.cls == CL_LANES &&
      !steps_evenly(l, i->arg[2]))
    d.cls = CL_TURNS;
  return d;
}

/* Classes of everything in b; gives the worst. */
static vinfo class_block(vloop *l, ir_block *b, bool nested) {
  vinfo all = {.cls = CL_UNIFORM};
  for (ir_inst *i = b->first; i; i = i->next) {
    vinst *n = vec_inst(i);
    if (i->op == OP_YIELD) continue;
    if (n->absorbed) {
      n->cls = CL_LANES;
      continue;
    }
    vinfo d = i->op == OP_FOR ? class_inner(l, i) : class_inst(l, i);
    if (nested && i->op == OP_FOR && d.cls == CL_TURNS) all.cls = CL_TURNS;
    n->cls = d.cls;
    for (uint32_t k = 0; k < i->nres; k++) {
      vinfo *r = vec_info(l, i->res[k]);
      if (i->op != OP_FOR)
        *r = (vinfo){.stamp = r->stamp, .uses = r->uses, .chain = r->chain,
                     .pos = r->pos, .sum_of = r->sum_of, .prod_of = r->prod_of,
                     .cls = d.cls, .dep_open = d.dep_open,
                     .dep_inter = d.dep_inter, .dep_guard = d.dep_guard};
      uint64_t lanes;
      if (r->cls == CL_LANES &&
          (__builtin_mul_overflow(i->res[k]->ty.lanes, l->trip, &lanes) ||
           lanes >= VEC_LANES))
        l->too_big = true;
    }
    all.cls = (uint8_t)worse(all.cls, d.cls);
    all.dep_inter |= d.dep_inter;
  }
  return all;
}

static void class_params(vloop *l) {
  vec_info(l, l->iv)->cls = CL_LANES;
  for (uint32_t k = 0; k < l->ncarry; k++) {
    vcarry *c = &l->carry[k];
    vec_info(l, c->param)->cls = c->kind == CARRY_TURNS   ? CL_TURNS
                                 : c->kind == CARRY_CONST ? CL_UNIFORM
                                                          : CL_LANES;
  }
}

/* Are the ingredients of what was hoped for c there? */
static bool holds(vloop *l, const vcarry *c) {
  if (c->kind == CARRY_LAST) return vec_class(l, c->yield) != CL_TURNS;
  if (c->kind == CARRY_SUM || c->kind == CARRY_PROD)
    for (size_t k = 0; k < c->term.n; k++) {
      if (vec_class(l, c->term.p[k].v) == CL_TURNS) return false;
      for (vmask *m = c->term.p[k].mask; m; m = m->up)
        if (vec_class(l, m->cond) == CL_TURNS) return false;
    }
  if (c->kind == CARRY_ARRAY)
    for (size_t k = 0; k < c->access.n; k++) {
      const vaccess *x = c->access.p[k];
      for (uint32_t j = 0; j < x->at.n; j++)
        if (x->at.t[j].v != l->iv &&
            vec_class(l, x->at.t[j].v) != CL_UNIFORM)
          return false;
      if (x->put && vec_class(l, x->i->arg[1]) == CL_TURNS) return false;
      if (!x->put && vec_inst(x->i)->cls == CL_TURNS) return false;
      if (!vec_fits(l, x->i, &x->at)) return false;
    }
  return true;
}

/* Too many carried values turned out sequential one by one: all are. */
static void despair(vloop *l) {
  for (ir_inst *i = l->body->first; i; i = i->next)
    if (i->op != OP_YIELD) vec_inst(i)->absorbed = false;
  for (uint32_t k = 0; k < l->ncarry; k++)
    if (l->carry[k].kind != CARRY_CONST && l->carry[k].kind != CARRY_INDUCT)
      l->carry[k].kind = CARRY_TURNS;
}

static void settle(vloop *l) {
  uint32_t rounds_left = SETTLE_MAX;
  for (uint32_t k = 0; k < l->ncarry; k++)
    if (l->carry[k].kind != CARRY_CONST && l->carry[k].kind != CARRY_INDUCT) {
      l->carry[k].tried = 0;
      choose_kind(l, &l->carry[k]);
    }
  for (bool again = true; again;) {
    again = false;
    if (!rounds_left--) despair(l);
    class_params(l);
    class_block(l, l->body, false);
    for (uint32_t k = 0; k < l->ncarry; k++)
      if (!holds(l, &l->carry[k])) {
        give_up(l, &l->carry[k]);
        again = true;
      }
  }
}

/* ---- effects ---- */
typedef struct found {
  bool turns, inter;
  unsigned turns_has, lanes_has;
  uint32_t checks;
  bool check_opens, check_guarded, guarded;
} found;

static found look(vloop *l) {
  found r = {0};
  for (uint32_t k = 0; k < l->ncarry; k++)
    r.turns |= l->carry[k].kind == CARRY_TURNS;
  for (ir_inst *i = l->body->first; i; i = i->next) {
    if (i->op == OP_YIELD) continue;
    unsigned has = pass_has(i);
    if (vec_inst(i)->cls == CL_TURNS) {
      r.turns = true;
      r.turns_has |= has;
      continue;
    }
    r.lanes_has |= has;
    r.guarded |= has & HAS_GUARDED && vec_inst(i)->after_check;
    if (i->op != OP_CHECK) continue;
    const vinfo *c = vec_info(l, i->arg[0]);
    r.checks++;
    r.check_opens |= c && c->dep_open;
    r.check_guarded |= c && c->dep_guard;
  }
  r.inter = r.lanes_has & (HAS_SHARE_MUL | HAS_OPEN);
  return r;
}

/* ---- rounds of a turn ---- */
static uint32_t depth_of(const vloop *l, const ir_value *v, bool share) {
  const vinfo *x = vec_info(l, v);
  return !x ? 0 : share ? x->share_depth : x->depth;
}

/* The rounds a turn of b takes; with `rest`, without what becomes lanes. */
static uint32_t rounds(vloop *l, const ir_block *b, bool rest) {
  uint32_t most = 0;
  for (const ir_inst *i = b->first; i; i = i->next) {
    bool gone = rest && i->op != OP_YIELD && vec_inst(i)->cls != CL_TURNS;
    bool mul = pass_has(i) & HAS_SHARE_MUL && !i->nregion;
    uint32_t d = 0, e = 0; /* as a product, as a share */
    for (uint32_t k = 0; k < i->narg && !gone; k++) {
      bool waits = mul || i->op == OP_OPEN || i->nregion;
      uint32_t p = depth_of(l, i->arg[k], waits);
      uint32_t s = depth_of(l, i->arg[k], true);
      if (p > d) d = p;
      if (s > e) e = s;
    }
    for (uint32_t r = 0; r < i->nregion && !gone; r++)
      d += rounds(l, i->region[r], false);
    if (i->op == OP_OPEN && !gone) d++;
    if (i->op == OP_PROD && !gone)
      for (uint64_t n = i->at.inner; n > 2; n = n - n / 2) d++;
    if (i->op == OP_OPEN || i->nregion || mul) e = d + (mul && !gone);
    for (uint32_t k = 0; k < i->nres; k++) {
      vinfo *x = vec_info(l, i->res[k]);
      x->depth = d;
      x->share_depth = e;
    }
    if (d > most) most = d;
  }
  return most;
}

/* With what is carried: a share if the turn multiplies or opens. */
static uint32_t rounds_of_turn(vloop *l, bool rest, bool share) {
  uint32_t most = rounds(l, l->body, rest);
  for (uint32_t k = 0; k < l->ncarry; k++) {
    uint32_t d = depth_of(l, l->carry[k].yield, share);
    if (l->carry[k].kind == CARRY_TURNS && d > most) most = d;
  }
  return most;
}

#define EFFECTS (HAS_OPEN | HAS_CHECK | HAS_DEC | HAS_TELL | HAS_EDGE)

bool vec_plan(vloop *l) {
  found r;
  reductions(l);
  for (l->effects_stay = false;; l->effects_stay = true) {
    settle(l);
    r = look(l);
    if (l->effects_stay) break;
    bool mixed = r.turns_has & HAS_CHECK &&
                 (r.lanes_has & EFFECTS || r.guarded);
    bool opens = r.check_opens && r.lanes_has & HAS_OPEN;
    if (!mixed && !opens && !(r.checks > 1 && r.check_guarded)) break;
    for (ir_inst *i = l->body->first; i; i = i->next)
      vec_inst(i)->absorbed = false;
  }
  l->split = r.turns;
  if (l->too_big || !r.turns || !r.inter) return !l->too_big && !r.turns;
  bool share = r.turns_has & (HAS_SHARE_MUL | HAS_OPEN);
  return rounds_of_turn(l, false, share) > rounds_of_turn(l, true, share);
}
