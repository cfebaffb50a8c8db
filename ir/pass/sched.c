/* sched: stage core to sched; interactive steps go in as few exchanges as the
 * depth allows.
 *
 * In each block a step's level is the number of exchanges it must wait for: an
 * interactive one adds 1.  A region that interacts stands between two levels,
 * where its operands are ready.  An open, a tell and what a check guards wait
 * for the check.  A reduce with slack goes late unless it frees more lanes than
 * it makes.  Checks come as early as they can, all else right before its use.
 * Needs: stage core.  Keeps: the order of checks and tells, checks before later
 * opens.  Linear.  Source: ASAP and ALAP levels, De Micheli 1994, 5.2.
 *
 *   %a = reduce %x ; %c = add %a %b   %a = reduce %x round 1
 *   %d = reduce %y                ->  %d = reduce %y round 1
 *   output %c ; output %d             %c = add %a %b ; output %c ; output %d
 */
#include "base/vec.h"
#include "ir/pass/util.h"

typedef struct node {
  ir_inst *i;
  unsigned has;
  uint32_t level, late, uses;
  size_t first, end; /* its predecessors in sched.pred */
  bool inter;        /* an exchange of its own: reduce, open, deal .. */
  bool eager;        /* placed as soon as its level is reached */
  bool done;
} node;

typedef struct frame {
  uint32_t n;
  size_t next;
} frame;

typedef struct sched {
  ir_module *m;
  arena *a;
  ir_block *b;
  node *v;
  uint32_t n, levels;
  VEC(uint32_t) pred;
  VEC(frame) stack;
  VEC(ir_inst *) order;
} sched;

#define NONE UINT32_MAX
#define CONE 64 /* steps looked at to see what a reduce frees */

static uint32_t index_of(const ir_inst *i) {
  return (uint32_t)((uintptr_t)i->tmp - 1);
}

/* ---- dependences ---- */
static void depend(sched *s, uint32_t on) {
  if (on != NONE) vec_push(s->a, &s->pred, on);
}

static void depend_on_args(sched *s, const ir_inst *i) {
  for (uint32_t k = 0; k < i->narg; k++) {
    const ir_inst *d = i->arg[k]->def;
    if (d && d->block == s->b) {
      depend(s, index_of(d));
      s->v[index_of(d)].uses++;
    }
  }
  for (uint32_t r = 0; r < i->nregion; r++)
    for (const ir_inst *k = i->region[r]->first; k; k = k->next)
      depend_on_args(s, k);
}

static void graph(sched *s) {
  uint32_t check = NONE, chain = NONE, output = NONE, k = 0;
  for (ir_inst *i = s->b->first; i; i = i->next) {
    node *v = &s->v[k];
    *v = (node){.i = i, .has = pass_has(i), .first = s->pred.n};
    i->tmp = (void *)(uintptr_t)(k + 1);
    v->inter = pass_interacts(i);
    v->eager = !v->inter && (i->op == OP_INPUT || i->op == OP_DEC ||
                             v->has & (HAS_OPEN | HAS_REDUCE | HAS_CHECK |
                                       HAS_TELL));
    depend_on_args(s, i);
    if (v->has & (HAS_OPEN | HAS_TELL | HAS_GUARDED | HAS_CHECK))
      depend(s, check);
    if (v->has & (HAS_CHECK | HAS_TELL)) {
      depend(s, chain);
      chain = k;
    }
    if (v->has & HAS_CHECK) check = k;
    if (i->op == OP_OUTPUT) {
      depend(s, output);
      output = k;
    }
    v->end = s->pred.n;
    k++;
  }
  s->n = k;
}

static void levels(sched *s) {
  s->levels = 0;
  for (uint32_t k = 0; k < s->n; k++) {
    node *v = &s->v[k];
    for (size_t p = v->first; p < v->end; p++)
      if (s->v[s->pred.p[p]].level > v->level)
        v->level = s->v[s->pred.p[p]].level;
    v->level += v->inter;
    if (v->level > s->levels) s->levels = v->level;
  }
}

/* ---- slack ---- */
static double lanes_of(const ir_inst *i) {
  double sum = 0;
  for (uint32_t k = 0; k < i->nres; k++)
    sum += pass_size(&i->res[k]->ty) *
           (i->res[k]->ty.kind == KIND_SH ? 2 : 1);
  return sum;
}

/* Lanes that nobody else needs once v has run. */
static double frees(sched *s, const node *v) {
  uint32_t todo[CONE], n = 0, seen = 0;
  double sum = 0;
  for (size_t p = v->first; p < v->end && n < CONE; p++)
    todo[n++] = s->pred.p[p];
  while (n && seen++ < CONE) {
    const node *u = &s->v[todo[--n]];
    if (u->uses != 1 || u->i->op == OP_INPUT) continue;
    if (u->inter || u->i->nregion) {
      sum += lanes_of(u->i);
      continue;
    }
    for (size_t p = u->first; p < u->end && n < CONE; p++)
      todo[n++] = s->pred.p[p];
  }
  return sum;
}

static void choose(sched *s) {
  for (uint32_t k = 0; k < s->n; k++) s->v[k].late = s->levels;
  for (uint32_t k = s->n; k--;) {
    node *v = &s->v[k];
    if (v->inter && v->late > v->level && frees(s, v) < lanes_of(v->i))
      v->level = v->late;
    uint32_t due = v->inter ? v->level - 1 : v->eager ? v->level : v->late;
    for (size_t p = v->first; p < v->end; p++)
      if (s->v[s->pred.p[p]].late > due) s->v[s->pred.p[p]].late = due;
  }
}

/* ---- placing ---- */
static void place(sched *s, uint32_t k) {
  vec_push(s->a, &s->order, s->v[k].i);
  s->v[k].done = true;
}

/* What k needs and, unless only that was asked for, k itself. */
static void place_cone(sched *s, uint32_t k, bool only_preds) {
  if (s->v[k].done) return;
  vec_push(s->a, &s->stack, ((frame){k, s->v[k].first}));
  while (s->stack.n) {
    frame *f = &s->stack.p[s->stack.n - 1];
    if (f->next == s->v[f->n].end) {
      uint32_t done = f->n;
      s->stack.n--;
      if (s->stack.n || !only_preds) place(s, done);
      continue;
    }
    uint32_t p = s->pred.p[f->next++];
    if (!s->v[p].done)
      vec_push(s->a, &s->stack, ((frame){p, s->v[p].first}));
  }
}

/* Instructions of each level, in program order: bucket[l] .. bucket[l+1]. */
static uint32_t *by_level(sched *s, size_t *bucket) {
  uint32_t *list = ARENA_ARR(s->a, uint32_t, s->n + 1);
  for (uint32_t k = 0; k < s->n; k++)
    if (s->v[k].inter || s->v[k].eager) bucket[s->v[k].level + 2]++;
  for (uint32_t l = 2; l < s->levels + 3; l++) bucket[l] += bucket[l - 1];
  for (uint32_t k = 0; k < s->n; k++)
    if (s->v[k].inter || s->v[k].eager)
      list[bucket[s->v[k].level + 1]++] = k;
  return list;
}

static void place_all(sched *s) {
  size_t *bucket = ARENA_ARR(s->a, size_t, s->levels + 4);
  uint32_t *list = by_level(s, bucket), round = 0;
  for (uint32_t l = 0; l <= s->levels; l++) {
    bool any = false;
    for (size_t k = bucket[l]; k < bucket[l + 1]; k++)
      if (s->v[list[k]].inter) {
        place_cone(s, list[k], true);
        any = true;
      }
    round += any;
    for (size_t k = bucket[l]; k < bucket[l + 1]; k++)
      if (s->v[list[k]].inter) {
        s->v[list[k]].i->at.round = round;
        place(s, list[k]);
      }
    for (size_t k = bucket[l]; k < bucket[l + 1]; k++)
      if (s->v[list[k]].eager) place_cone(s, list[k], false);
  }
  for (uint32_t k = 0; k < s->n; k++)
    if (s->v[k].i->op != OP_YIELD) place_cone(s, k, false);
  if (s->n && s->v[s->n - 1].i->op == OP_YIELD) place(s, s->n - 1);
}

static void schedule(ir_module *m, ir_block *b) {
  uint32_t n = 0;
  for (ir_inst *i = b->first; i; i = i->next) {
    n++;
    for (uint32_t r = 0; r < i->nregion; r++) schedule(m, i->region[r]);
  }
  sched s = {.m = m, .a = arena_new(), .b = b};
  s.v = ARENA_ARR(s.a, node, n + 1);
  graph(&s);
  levels(&s);
  choose(&s);
  place_all(&s);
  b->first = b->last = NULL;
  for (size_t k = 0; k < s.order.n; k++) ir_append(b, s.order.p[k]);
  arena_free(s.a);
}

bool pass_sched(ir_module *m, pass_ctx *cx) {
  (void)cx;
  schedule(m, m->body);
  return true;
}
