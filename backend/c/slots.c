/* Slots: who shares one, and where they lie.
 *
 * One walk in program order.  A slot's *holder* is the value that lives in it
 * at that point; another value may move in only if the holder is not read any
 * more on any path, or is read by the very kernel that writes, lane by lane.
 * By induction no earlier tenant is read either.  Branches of an if start from
 * the same holders.
 *
 * Then linear scan over the hulls of the tenants' live ranges, first fit into
 * the free list.
 */
#include <stdlib.h>

#include "backend/c/plan.h"
#include "base/vec.h"

typedef struct undo {
  c_slot *slot;
  const ir_value *holder;
} undo;

static const ir_block *parent_of(const ir_block *b) {
  return b->owner ? b->owner->block : NULL;
}

typedef struct asg {
  c_plan *p;
  VEC(undo) log;
} asg;

static bool is_loop(const ir_inst *i) {
  return i->op == OP_FOR || i->op == OP_WHILE;
}

static c_slot *new_slot(c_plan *p, c_rep r, uint64_t lanes) {
  c_slot *s = ARENA_NEW(p->a, c_slot);
  s->words = plan_words(p->m, r, lanes);
  s->start = UINT32_MAX;
  if (p->nslot == p->capslot) {
    uint32_t cap = p->capslot ? p->capslot * 2 : 16;
    p->slot = arena_grow(p->a, p->slot, p->nslot, cap, sizeof *p->slot);
    p->capslot = cap;
  }
  p->slot[p->nslot++] = s;
  return s;
}

static void cover(c_slot *s, uint32_t start, uint32_t end) {
  if (start < s->start) s->start = start;
  if (end > s->end) s->end = end;
}

static void set_holder(asg *g, c_slot *s, const ir_value *v) {
  vec_push(g->p->a, &g->log, ((undo){s, s->holder}));
  s->holder = v;
}

/* From definition to last use; a use in a loop that the definition is not in
 * lasts until the loop is over. */
static void live_range(const c_plan *p, const ir_value *v, uint32_t *start,
                       uint32_t *end) {
  const c_val *c = plan_val(p, v);
  if (v->def) {
    const c_ins *d = plan_ins(v->def);
    *start = v->def->op == OP_INPUT ? 0 : d->pos;
    *end = d->end;
  } else {
    const c_ins *o = plan_ins(v->block->owner);
    *start = o->pos;
    *end = o->end;
  }
  for (uint32_t k = 0; k < c->nuse; k++) {
    const ir_inst *u = c->use[k];
    uint32_t at = u->op == OP_OUTPUT ? UINT32_MAX : plan_ins(u)->pos;
    for (const ir_block *b = u->block; b != v->block && b->owner;
         b = b->owner->block)
      if (is_loop(b->owner) && plan_ins(b->owner)->end > at)
        at = plan_ins(b->owner)->end;
    if (at > *end) *end = at;
  }
}

static void move_in(asg *g, const ir_value *v, c_slot *s) {
  uint32_t start, end;
  live_range(g->p, v, &start, &end);
  cover(s, start, end);
  plan_val(g->p, v)->slot = s;
  set_holder(g, s, v);
}

static bool same_form(const c_plan *p, const ir_value *x, const ir_value *y) {
  return plan_val(p, x)->rep == plan_val(p, y)->rep &&
         x->ty.lanes == y->ty.lanes;
}

/* May v, made by unit i, be written over the holder of s? */
static bool may_overwrite(const c_plan *p, const ir_value *v,
                          const ir_inst *i, const c_slot *s) {
  const ir_value *x = s->holder;
  if (!x) return true;
  if (s->claim == i) return false;
  if (plan_live_after(p, x, i)) return false;
  if (i->nregion) return true; /* entered by a parallel move */
  if (!plan_used_at(p, x, plan_ins(i)->pos)) return true;
  if (ir_ops[i->op].flags & F_I) return false;
  /* of the calls on bits these may write over an operand */
  if (plan_is_bits(i))
    return i->op == OP_ADD || i->op == OP_SUB || i->op == OP_MUL ||
           i->op == OP_SELECT || i->op == OP_NEG;
  /* these write while they still read */
  if (i->op == OP_PUT || i->op == OP_CONCAT || i->op == OP_DEC) return false;
  if (v->ty.lanes == 1) return true;
  if (v->def->op == OP_SUM || v->def->op == OP_VIEW ||
      v->def->op == OP_GET || v->def->op == OP_GATHER)
    return false;
  for (uint32_t k = 0; k < plan_narg(i); k++)
    if (!plan_reads_own_lane(p, i->arg[k], x)) return false;
  return true;
}

/* The part of a put may read the array it goes into if lane by lane it reads
 * what it writes. */
static bool same_place(const ir_inst *get, const ir_inst *put) {
  if (get->arg[1] != put->arg[2] || get->at.off != put->at.off ||
      get->at.ndim != put->at.ndim)
    return false;
  for (uint32_t k = 0; k < get->at.ndim; k++)
    if (get->at.dim[k].n != put->at.dim[k].n ||
        get->at.dim[k].stride != put->at.dim[k].stride)
      return false;
  return true;
}

static bool part_is_safe(const c_plan *p, const ir_inst *put,
                         const ir_value *v) {
  const ir_value *x = put->arg[0];
  if (v == x) return false;
  if (plan_val(p, v)->root || !plan_reads(p, v, x)) return true;
  const ir_inst *d = v->def;
  if (d->op == OP_GET && d->arg[0] == x) return same_place(d, put);
  if (d->op == OP_VIEW || d->op == OP_GET || d->op == OP_GATHER ||
      d->op == OP_SUM)
    return false;
  for (uint32_t k = 0; k < d->narg; k++)
    if (!part_is_safe(p, put, d->arg[k])) return false;
  return true;
}

/* ---- values ---- */

static bool put_in_place(asg *g, const ir_inst *i) {
  c_plan *p = g->p;
  const ir_value *x = i->arg[0];
  const c_val *cx = plan_val(p, x);
  if (!cx->root || cx->slot->holder != x || !same_form(p, x, i->res[0]) ||
      plan_live_after(p, x, i))
    return false;
  if ((i->arg[1]->ty.lanes > 1 || plan_is_bits(i)) &&
      !part_is_safe(p, i, i->arg[1]))
    return false;
  move_in(g, i->res[0], cx->slot);
  return true;
}

static void assign_value(asg *g, const ir_inst *i, const ir_value *v) {
  c_plan *p = g->p;
  c_val *c = plan_val(p, v);
  if (i->op == OP_PUT && put_in_place(g, i)) return;
  if (c->hint && may_overwrite(p, v, i, c->hint)) {
    move_in(g, v, c->hint);
    return;
  }
  move_in(g, v, new_slot(p, c->rep, v->ty.lanes));
}

static c_slot *own_slot(c_plan *p, const ir_inst *i, c_rep r,
                        uint64_t lanes) {
  c_slot *s = new_slot(p, r, lanes);
  cover(s, plan_ins(i)->pos, plan_ins(i)->pos);
  return s;
}

/* Where operands of an operation on bits change their form. */
static void assign_forms(c_plan *p, const ir_inst *i) {
  if (!plan_is_bits(i)) return;
  c_ins *ci = plan_ins(i);
  uint64_t lanes = i->res[0]->ty.lanes;
  c_rep r = plan_val(p, i->res[0])->rep;
  bool linear = i->op == OP_ADD || i->op == OP_SUB || i->op == OP_MUL;
  for (uint32_t k = 0; k < i->narg && k < 3; k++) {
    const ir_value *x = i->arg[k];
    c_rep rx = plan_val(p, x)->rep;
    bool chosen = i->op == OP_SELECT && k > 0;
    if (rx == REP_WIDE && i->op != OP_UNPACK)
      ci->like[k] = own_slot(p, i, REP_Z, x->ty.lanes);
    else if (chosen && rx != r)
      ci->like[k] = own_slot(p, i, r, x->ty.lanes);
    if ((linear || chosen) && x->ty.lanes < lanes)
      ci->wide[k] = own_slot(p, i, chosen ? r : rx, lanes);
  }
}

/* ---- parallel moves ---- */

/* Orders the moves so that nothing is overwritten before it is read; breaks
 * cycles with temporaries. */
static void order_moves(asg *g, const ir_inst *i, c_move *mv, uint32_t n) {
  c_plan *p = g->p;
  c_ins *ci = plan_ins(i);
  c_move *out = ARENA_ARR(p->a, c_move, 2 * n + 1);
  uint32_t nout = 0;
  bool *done = ARENA_ARR(p->a, bool, n + 1);
  uint32_t left = n;
  while (left) {
    bool moved = false;
    for (uint32_t k = 0; k < n; k++) {
      if (done[k]) continue;
      bool read = false;
      for (uint32_t j = 0; j < n && !read; j++)
        read = j != k && !done[j] && !mv[j].temp &&
               plan_val(p, mv[j].src)->slot == mv[k].dst;
      if (read) continue;
      out[nout++] = mv[k];
      done[k] = moved = true;
      left--;
    }
    if (moved) continue;
    for (uint32_t k = 0; k < n; k++) {
      if (done[k] || mv[k].temp) continue;
      const c_val *s = plan_val(p, mv[k].src);
      c_slot *t = new_slot(p, s->rep, mv[k].src->ty.lanes);
      cover(t, ci->pos, ci->pos);
      out[nout++] = (c_move){t, NULL, mv[k].src, NULL};
      mv[k].temp = t;
      break;
    }
  }
  ci->move = out;
  ci->nmove = nout;
}

/* ---- regions ---- */

static void assign_block(asg *g, const ir_block *b);

/* The slot of a region's k-th carried value or result. */
static c_slot *pick_slot(asg *g, const ir_inst *i, const ir_value *init,
                         const ir_value *res) {
  c_plan *p = g->p;
  const c_val *c = plan_val(p, res);
  if (init && plan_val(p, init)->root && same_form(p, init, res)) {
    c_slot *s = plan_val(p, init)->slot;
    if (s->holder == init && s->claim != i && !plan_live_after(p, init, i))
      return s;
  }
  if (c->hint && may_overwrite(p, res, i, c->hint)) return c->hint;
  return new_slot(p, c->rep, res->ty.lanes);
}

/* Asks the yielded values of a block to be made in the slots of the region. */
static void hint_yields(asg *g, const ir_block *b, c_slot *const *h,
                        const ir_value *const *form) {
  const ir_inst *y = b->last;
  for (uint32_t k = 0; k < y->narg; k++) {
    const ir_value *v = y->arg[k];
    c_val *c = plan_val(g->p, v);
    if (v->block == b && v->def && c->root && !c->hint &&
        same_form(g->p, v, form[k]))
      c->hint = h[k];
  }
}

static void move_yields(asg *g, const ir_block *b, c_slot *const *h,
                        const ir_value *const *to) {
  c_plan *p = g->p;
  const ir_inst *y = b->last;
  c_move *mv = ARENA_ARR(p->a, c_move, y->narg + 1);
  uint32_t n = 0;
  for (uint32_t k = 0; k < y->narg; k++)
    if (!plan_val(p, y->arg[k])->root ||
        plan_val(p, y->arg[k])->slot != h[k])
      mv[n++] = (c_move){h[k], to[k], y->arg[k], NULL};
  order_moves(g, y, mv, n);
}

static void assign_loop(asg *g, const ir_inst *i) {
  c_plan *p = g->p;
  uint32_t first = i->op == OP_FOR ? 1 : 0, n = i->nres;
  c_slot **h = ARENA_ARR(p->a, c_slot *, n + 1);
  const ir_value **to = ARENA_ARR(p->a, const ir_value *, n + 1);
  c_move *mv = ARENA_ARR(p->a, c_move, n + 1);
  uint32_t nmv = 0;
  for (uint32_t k = 0; k < n; k++) {
    const ir_value *init = i->arg[first + k];
    to[k] = i->res[k];
    h[k] = pick_slot(g, i, init, i->res[k]);
    h[k]->claim = i;
    /* the slot is the loop's from its start, read or not */
    cover(h[k], plan_ins(i)->pos, plan_ins(i)->end);
    if (!plan_val(p, init)->root || plan_val(p, init)->slot != h[k])
      mv[nmv++] = (c_move){h[k], to[k], init, NULL};
  }
  order_moves(g, i, mv, nmv);
  for (uint32_t r = 0; r < i->nregion; r++) {
    const ir_block *b = i->region[r];
    uint32_t skip = b->nparam - n;
    for (uint32_t k = 0; k < skip; k++) {
      const ir_value *v = b->param[k];
      move_in(g, v, new_slot(p, plan_val(p, v)->rep, v->ty.lanes));
    }
    for (uint32_t k = 0; k < n; k++) move_in(g, b->param[skip + k], h[k]);
    bool cond = i->op == OP_WHILE && r == 0;
    if (!cond) hint_yields(g, b, h, to);
    assign_block(g, b);
    if (!cond) move_yields(g, b, h, to);
  }
  for (uint32_t k = 0; k < n; k++) move_in(g, i->res[k], h[k]);
}

/* Follows a yielded value through puts and regions to the value outside of
 * block b that it grew from; NULL if there is none. */
static const ir_value *origin(const ir_value *v, const ir_block *outer) {
  for (;;) {
    const ir_block *b = v->block;
    while (b && b != outer) b = parent_of(b);
    if (v->block == outer || !b) return v;
    if (!v->def) return NULL;
    switch (v->def->op) {
    case OP_PUT:
      v = v->def->arg[0];
      break;
    case OP_FOR:
      v = v->def->arg[1 + v->index];
      break;
    case OP_WHILE:
      v = v->def->arg[v->index];
      break;
    default:
      return NULL;
    }
  }
}

static void assign_if(asg *g, const ir_inst *i) {
  c_plan *p = g->p;
  uint32_t n = i->nres;
  c_slot **h = ARENA_ARR(p->a, c_slot *, n + 1);
  const ir_value **to = ARENA_ARR(p->a, const ir_value *, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    const ir_value *o = origin(i->region[0]->last->arg[k], i->block);
    if (!o || plan_is_leaf_op(o))
      o = origin(i->region[1]->last->arg[k], i->block);
    to[k] = i->res[k];
    h[k] = pick_slot(g, i, o, i->res[k]);
    h[k]->claim = i;
    cover(h[k], plan_ins(i)->pos, plan_ins(i)->end);
  }
  for (uint32_t r = 0; r < 2; r++) {
    const ir_block *b = i->region[r];
    size_t mark = g->log.n;
    hint_yields(g, b, h, to);
    assign_block(g, b);
    move_yields(g, b, h, to);
    while (g->log.n > mark) {
      undo *u = &g->log.p[--g->log.n];
      u->slot->holder = u->holder;
    }
  }
  for (uint32_t k = 0; k < n; k++) move_in(g, i->res[k], h[k]);
}

static void assign_block(asg *g, const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (i->op == OP_FOR || i->op == OP_WHILE) {
      assign_loop(g, i);
    } else if (i->op == OP_IF) {
      assign_if(g, i);
    } else {
      assign_forms(g->p, i);
      for (uint32_t k = 0; k < i->nres; k++)
        if (plan_val(g->p, i->res[k])->root) assign_value(g, i, i->res[k]);
    }
  }
}

/* ---- places ---- */

static int by_start(const void *x, const void *y) {
  const c_slot *a = *(c_slot *const *)x, *b = *(c_slot *const *)y;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  /* ties: in order of birth, which off holds until the slot is placed */
  return a->off < b->off ? -1 : a->off > b->off;
}

typedef struct hole {
  uint64_t off, words;
} hole;

typedef struct places {
  arena *a;
  VEC(hole) free; /* by offset, never touching */
  VEC(c_slot *) heap; /* live slots, least end first */
  uint64_t top;
} places;

static void heap_push(places *q, c_slot *s) {
  vec_push(q->a, &q->heap, s);
  for (size_t k = q->heap.n - 1; k > 0;) {
    size_t up = (k - 1) / 2;
    if (q->heap.p[up]->end <= q->heap.p[k]->end) break;
    c_slot *t = q->heap.p[up];
    q->heap.p[up] = q->heap.p[k];
    q->heap.p[k] = t;
    k = up;
  }
}

static c_slot *heap_pop(places *q) {
  c_slot *out = q->heap.p[0];
  q->heap.p[0] = q->heap.p[--q->heap.n];
  for (size_t k = 0;;) {
    size_t l = 2 * k + 1, m = k;
    if (l < q->heap.n && q->heap.p[l]->end < q->heap.p[m]->end) m = l;
    if (l + 1 < q->heap.n && q->heap.p[l + 1]->end < q->heap.p[m]->end)
      m = l + 1;
    if (m == k) return out;
    c_slot *t = q->heap.p[m];
    q->heap.p[m] = q->heap.p[k];
    q->heap.p[k] = t;
    k = m;
  }
}

static void give_back(places *q, uint64_t off, uint64_t words) {
  size_t lo = 0, hi = q->free.n;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (q->free.p[mid].off < off)
      lo = mid + 1;
    else
      hi = mid;
  }
  bool left = lo > 0 && q->free.p[lo - 1].off + q->free.p[lo - 1].words == off;
  bool right = lo < q->free.n && off + words == q->free.p[lo].off;
  if (left && right) {
    q->free.p[lo - 1].words += words + q->free.p[lo].words;
    q->free.n--;
    for (size_t k = lo; k < q->free.n; k++) q->free.p[k] = q->free.p[k + 1];
  } else if (left) {
    q->free.p[lo - 1].words += words;
  } else if (right) {
    q->free.p[lo].off = off;
    q->free.p[lo].words += words;
  } else {
    vec_push(q->a, &q->free, ((hole){0, 0}));
    for (size_t k = q->free.n - 1; k > lo; k--)
      q->free.p[k] = q->free.p[k - 1];
    q->free.p[lo] = (hole){off, words};
  }
}

static uint64_t take(places *q, uint64_t words) {
  size_t tries = q->free.n < 64 ? q->free.n : 64; /* keeps it linear */
  for (size_t k = q->free.n; k-- > q->free.n - tries;) {
    hole *f = &q->free.p[k];
    if (f->words < words) continue;
    uint64_t off = f->off;
    f->off += words;
    f->words -= words;
    if (f->words == 0) {
      q->free.n--;
      for (; k < q->free.n; k++) q->free.p[k] = q->free.p[k + 1];
    }
    return off;
  }
  uint64_t off = q->top;
  q->top += words;
  return off;
}

static void place_slots(c_plan *p) {
  places q = {.a = p->a};
  for (uint32_t k = 0; k < p->nslot; k++) p->slot[k]->off = k;
  if (p->nslot) qsort(p->slot, p->nslot, sizeof *p->slot, by_start);
  for (uint32_t k = 0; k < p->nslot; k++) {
    c_slot *s = p->slot[k];
    while (q.heap.n && q.heap.p[0]->end < s->start) {
      c_slot *dead = heap_pop(&q);
      give_back(&q, dead->off, dead->words);
    }
    s->off = take(&q, s->words);
    heap_push(&q, s);
  }
  p->words = q.top;
}

void plan_assign_slots(c_plan *p) {
  asg g = {.p = p};
  assign_block(&g, p->m->body);
  place_slots(p);
}
