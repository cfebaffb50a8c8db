/* Use lists and multiplicative depth. */
#include "ir/analysis.h"

/* ---- uses ---- */
typedef struct uses_pass {
  ir_uses *u;
  bool store; /* else count */
} uses_pass;

static void note_uses(ir_inst *i, void *user) {
  uses_pass *p = user;
  for (uint32_t k = 0; k < i->narg; k++) {
    uint32_t *at = &p->u->start[i->arg[k]->id + !p->store];
    if (p->store) p->u->use[*at] = (ir_use){i, k};
    ++*at;
  }
}

void ir_uses_fill(ir_uses *u, ir_module *m, arena *a) {
  uses_pass p = {.u = u};
  u->nvalue = ir_number(m);
  u->start = ARENA_ARR(a, uint32_t, (size_t)u->nvalue + 1);
  ir_walk(m->body, note_uses, &p);
  for (uint32_t k = 0; k < u->nvalue; k++) u->start[k + 1] += u->start[k];
  uint32_t total = u->start[u->nvalue];
  u->use = ARENA_ARR(a, ir_use, total ? total : 1);
  p.store = true;
  ir_walk(m->body, note_uses, &p); /* moves each start to the next one */
  for (uint32_t k = u->nvalue; k; k--) u->start[k] = u->start[k - 1];
  u->start[0] = 0;
}

uint32_t ir_uses_count(const ir_uses *u, const ir_value *v) {
  return u->start[v->id + 1] - u->start[v->id];
}

/* ---- depth ---- */
typedef struct depths {
  ir_module *m;
  uint64_t *d; /* by id */
  uint64_t max;
} depths;

static uint64_t sat_add(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t sat_mul(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static bool is_step(const ir_module *m, const ir_inst *i) {
  if (ir_ops[i->op].flags & F_I) return true;
  return m->stage == IR_HIGH && i->op == OP_MUL &&
         i->arg[0]->ty.kind == KIND_SH && i->arg[1]->ty.kind == KIND_SH;
}

/* Factors of a product of shares meet in a balanced tree. */
static uint64_t tree_depth(const ir_inst *i) {
  uint64_t n = 0;
  if (i->op != OP_PROD || i->arg[0]->ty.kind != KIND_SH) return 0;
  while (n < 63 && (uint64_t)1 << n < i->at.inner) n++;
  return n;
}

static void set(depths *s, const ir_value *v, uint64_t d) {
  s->d[v->id] = d;
  if (d > s->max) s->max = d;
}

static void depth_block(depths *s, const ir_block *b);

static uint64_t turns_of(const ir_inst *i) {
  if (i->op == OP_WHILE) return i->at.max;
  mpz_srcptr hi = i->arg[0]->ty.range->hi;
  if (mpz_sgn(hi) <= 0) return 0;
  return mpz_fits_ulong_p(hi) ? mpz_get_ui(hi) : UINT64_MAX;
}

/* The first turn tells what each turn adds: the greatest rise from the carried
 * values to the yields.  All carried values count as one: a bound. */
static void depth_loop(depths *s, const ir_inst *i, uint64_t from) {
  const ir_block *turn = i->region[i->nregion - 1];
  uint64_t turns = turns_of(i), rise = 0;
  for (uint32_t r = 0; r < i->nregion; r++) {
    for (uint32_t k = 0; k < i->region[r]->nparam; k++)
      set(s, i->region[r]->param[k], from);
    depth_block(s, i->region[r]);
  }
  for (uint32_t k = 0; k < i->nres; k++) {
    uint64_t d = s->d[turn->last->arg[k]->id];
    if (d > from && d - from > rise) rise = d - from;
  }
  for (uint32_t k = 0; k < i->nres; k++) {
    uint64_t d = s->d[turn->last->arg[k]->id];
    if (!turns || d < from) d = from;
    if (turns > 1) d = sat_add(d, sat_mul(rise, turns - 1));
    set(s, i->res[k], d);
  }
}

static void depth_inst(depths *s, const ir_inst *i) {
  uint64_t d = 0;
  for (uint32_t k = 0; k < i->narg; k++)
    if (s->d[i->arg[k]->id] > d) d = s->d[i->arg[k]->id];
  if (i->op == OP_FOR || i->op == OP_WHILE) {
    depth_loop(s, i, d);
    return;
  }
  for (uint32_t r = 0; r < i->nregion; r++) depth_block(s, i->region[r]);
  d = sat_add(d, is_step(s->m, i) ? 1 : tree_depth(i));
  for (uint32_t k = 0; k < i->nres; k++) {
    uint64_t e = d;
    for (uint32_t r = 0; r < i->nregion; r++) {
      uint64_t y = s->d[i->region[r]->last->arg[k]->id];
      if (y > e) e = y;
    }
    set(s, i->res[k], e);
  }
}

static void depth_block(depths *s, const ir_block *b) {
  for (const ir_inst *i = b->first; i; i = i->next) depth_inst(s, i);
}

static uint64_t *fill(ir_module *m, arena *a, uint64_t *max) {
  depths s = {.m = m};
  uint32_t n = ir_number(m);
  s.d = ARENA_ARR(a, uint64_t, n ? n : 1);
  depth_block(&s, m->body);
  *max = s.max;
  return s.d;
}

uint64_t *ir_depth_fill(ir_module *m, arena *a) {
  uint64_t max;
  return fill(m, a, &max);
}

uint64_t ir_depth_max(ir_module *m, arena *scratch) {
  uint64_t max;
  fill(m, scratch, &max);
  return max;
}
