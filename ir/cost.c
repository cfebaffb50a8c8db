/* The formulas.  n nodes, t = ceil(n/2) - 1, d = 2t + 1 nodes that deal and
 * multiply (the last one does not if n is even).  An exchange has m lanes to
 * reduce and o to open.
 *
 *   rep3         every node sends m + o elements, and a tag if o > 0; 1 round.
 *   shamir n<=5  each of the d nodes re-shares its product: t receivers expand
 *                a seed, n-1-t get an element; 1 round.               [GRR98]
 *   shamir n>=6  each of the d nodes deals B = ceil(m/(t+1)) double sharings;
 *                the 2t-sharing is all seeds, the t-sharing costs n-1-t
 *                elements.  Lane g goes, masked, to king g mod d, who
 *                re-shares it with n-1-t elements.  2 rounds.          [DN07]
 *   opening      every node sends o elements to each of the others; 1 round.
 */
#include "ir/cost.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

static uint64_t sat_add(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t sat_mul(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static void acc(uint64_t *to, uint64_t v, uint64_t times) {
  *to = sat_add(*to, sat_mul(v, times));
}

bool ir_cost_model_ok(const ir_cost_model *c) {
  if (c->protocol == IR_REP3) return c->n == 3;
  return c->protocol == IR_SHAMIR && c->n >= 3 && c->n <= IR_NODES_MAX;
}

/* ---- one exchange ---- */
static unsigned threshold(unsigned n) { return (n + 1) / 2 - 1; }

static bool has_king(const ir_cost_model *c) {
  return c->protocol == IR_SHAMIR && c->n >= 6;
}

/* Elements node i sends, tags apart. */
static uint64_t sent(const ir_cost_model *c, unsigned i, uint64_t m,
                     uint64_t o) {
  unsigned n = c->n, t = threshold(n), d = 2 * t + 1;
  if (c->protocol == IR_REP3) return sat_add(m, o);
  uint64_t open = sat_mul(o, n - 1);
  if (i >= d) return open;
  if (!has_king(c)) return sat_add(open, sat_mul(m, n - 1 - t));
  uint64_t batch = m / (t + 1) + (m % (t + 1) != 0);
  uint64_t king = m / d + (i < m % d); /* lanes g with g mod d = i */
  return sat_add(sat_add(open, m - king),
                 sat_mul(sat_add(batch, king), n - 1 - t));
}

void ir_cost_exchange(const ir_cost_model *c, uint64_t m, uint64_t o,
                      uint64_t times, ir_cost *a) {
  unsigned n = c->n, t = threshold(n), d = 2 * t + 1;
  if (!(m || o) || !times) return;
  acc(&a->exchanges, 1, times);
  acc(&a->rounds, m && has_king(c) ? 2 : 1, times);
  acc(&a->reduce_lanes, m, times);
  acc(&a->open_lanes, o, times);
  uint64_t tag = c->protocol == IR_REP3 && o ? IR_TAG_BYTES : 0;
  for (unsigned i = 0; i < n; i++) {
    uint64_t e = sent(c, i, m, o);
    acc(&a->elements[i], e, times);
    acc(&a->bytes[i], sat_add(sat_mul(e, IR_ELEMENT_BYTES), tag), times);
  }
  if (c->protocol == IR_REP3) { /* z_i += F(k_i) - F(k_i+1) */
    acc(&a->zero_shares, sat_mul(m, n), times);
    acc(&a->seeded, sat_mul(m, 2 * n), times);
  } else if (!has_king(c)) {
    acc(&a->seeded, sat_mul(m, (uint64_t)d * t), times);
  } else {
    uint64_t batch = m / (t + 1) + (m % (t + 1) != 0);
    acc(&a->doubles_dealt, sat_mul(batch, t + 1), times);
    acc(&a->doubles_used, m, times);
    acc(&a->seeded, sat_mul(batch, (uint64_t)d * 3 * t), times);
  }
}

/* ---- meter ---- */
typedef struct line_slot {
  uint32_t start; /* of the span */
  uint32_t line;  /* index + 1; 0: free */
} line_slot;

struct ir_cost_meter {
  arena *a;
  const ir_module *m;
  ir_cost_model c;
  ir_cost total;
  ir_cost_line *line;
  uint32_t nline, cap;
  line_slot *slot; /* span start -> line */
  size_t nslot, cslot;
};

ir_cost_meter *ir_cost_meter_new(arena *a, const ir_module *m,
                                 ir_cost_model c) {
  ir_cost_meter *t = ARENA_NEW(a, ir_cost_meter);
  t->a = a;
  t->m = m;
  t->c = c;
  t->total.exact = true;
  return t;
}

static uint32_t line_at(ir_cost_meter *t, span sp) {
  const char *path = NULL;
  uint32_t number = 0;
  if (t->m->src) {
    source_pos pos = source_at(t->m->src, sp.start);
    path = pos.file ? pos.file->path : NULL;
    number = pos.line;
  }
  for (uint32_t k = 0; k < t->nline; k++)
    if (t->line[k].path == path && t->line[k].line == number) return k;
  if (t->nline == t->cap) {
    uint32_t cap = t->cap ? t->cap * 2 : 16;
    t->line = arena_grow(t->a, t->line, t->cap, cap, sizeof *t->line);
    t->cap = cap;
  }
  t->line[t->nline] = (ir_cost_line){.sp = sp, .path = path, .line = number};
  return t->nline++;
}

static line_slot *find_slot(const ir_cost_meter *t, uint32_t start) {
  size_t h = start * (size_t)0x9E3779B97F4A7C15u;
  for (size_t i = (h >> 20) & (t->cslot - 1);; i = (i + 1) & (t->cslot - 1))
    if (!t->slot[i].line || t->slot[i].start == start) return &t->slot[i];
}

static ir_cost_line *line_of(ir_cost_meter *t, span sp) {
  if (2 * t->nslot >= t->cslot) {
    ir_cost_meter old = *t;
    t->cslot = old.cslot ? old.cslot * 2 : 64;
    t->slot = ARENA_ARR(t->a, line_slot, t->cslot);
    for (size_t i = 0; i < old.cslot; i++)
      if (old.slot[i].line) *find_slot(t, old.slot[i].start) = old.slot[i];
  }
  line_slot *s = find_slot(t, sp.start);
  if (!s->line) {
    *s = (line_slot){sp.start, line_at(t, sp) + 1};
    t->nslot++;
  }
  return &t->line[s->line - 1];
}

static uint64_t all_bytes(const ir_cost *c) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < IR_NODES_MAX; i++) sum = sat_add(sum, c->bytes[i]);
  return sum;
}

static uint64_t lanes_of(const ir_inst *i) { return i->res[0]->ty.lanes; }

/* The exchange's bytes go to its lines by lanes, reduced and opened ones
 * priced apart; the last line takes the rounding. */
static void spread(ir_cost_meter *t, const ir_exchange *x, uint64_t times) {
  ir_cost red = {0}, both = {0};
  ir_cost_exchange(&t->c, x->reduce_lanes, 0, times, &red);
  ir_cost_exchange(&t->c, x->reduce_lanes, x->open_lanes, times, &both);
  uint64_t rb = all_bytes(&red), ob = all_bytes(&both) - rb;
  uint64_t rl = x->reduce_lanes, ol = x->open_lanes;
  const ir_inst *i = x->first;
  ir_cost_line *before = NULL;
  for (uint32_t k = 0; k < x->nop; k++, i = i->next) {
    ir_cost_line *l = line_of(t, i->sp);
    bool open = i->op == OP_OPEN;
    uint64_t n = lanes_of(i), *left = open ? &ob : &rb, *of = open ? &ol : &rl;
    uint64_t share = n >= *of ? *left : (uint64_t)((u128)*left * n / *of);
    acc(&l->bytes, share, 1);
    *left -= share;
    *of -= n < *of ? n : *of;
    acc(open ? &l->open_lanes : &l->reduce_lanes, n, times);
    if (l != before)
      acc(&l->rounds, x->reduce_lanes && has_king(&t->c) ? 2 : 1, times);
    before = l;
  }
}

void ir_cost_meter_exchange(void *meter, const ir_exchange *x) {
  ir_cost_meter *t = meter;
  ir_cost_exchange(&t->c, x->reduce_lanes, x->open_lanes, 1, &t->total);
  spread(t, x, 1);
}

const ir_cost *ir_cost_meter_total(const ir_cost_meter *t) {
  return &t->total;
}

static int by_place(const void *a, const void *b) {
  const ir_cost_line *x = a, *y = b;
  return (x->sp.start > y->sp.start) - (x->sp.start < y->sp.start);
}

const ir_cost_line *ir_cost_meter_lines(ir_cost_meter *t, uint32_t *n) {
  *n = t->nline;
  if (t->nline) qsort(t->line, t->nline, sizeof *t->line, by_place);
  t->nslot = t->cslot = 0; /* indices have moved */
  t->slot = NULL;
  return t->line;
}

/* ---- static walk ---- */
static void add_cost(ir_cost *to, const ir_cost *c) {
  to->exact = to->exact && c->exact;
  acc(&to->exchanges, c->exchanges, 1);
  acc(&to->rounds, c->rounds, 1);
  acc(&to->reduce_lanes, c->reduce_lanes, 1);
  acc(&to->open_lanes, c->open_lanes, 1);
  acc(&to->told_lanes, c->told_lanes, 1);
  for (unsigned i = 0; i < IR_NODES_MAX; i++) {
    acc(&to->elements[i], c->elements[i], 1);
    acc(&to->bytes[i], c->bytes[i], 1);
  }
  acc(&to->zero_shares, c->zero_shares, 1);
  acc(&to->doubles_dealt, c->doubles_dealt, 1);
  acc(&to->doubles_used, c->doubles_used, 1);
  acc(&to->seeded, c->seeded, 1);
}

static void raise_to(uint64_t *to, uint64_t v) {
  if (v > *to) *to = v;
}

/* The worse of two branches, count by count. */
static void max_cost(ir_cost *to, const ir_cost *c) {
  bool same = !memcmp(to, c, sizeof *c);
  to->exact = same && to->exact;
  raise_to(&to->exchanges, c->exchanges);
  raise_to(&to->rounds, c->rounds);
  raise_to(&to->reduce_lanes, c->reduce_lanes);
  raise_to(&to->open_lanes, c->open_lanes);
  raise_to(&to->told_lanes, c->told_lanes);
  for (unsigned i = 0; i < IR_NODES_MAX; i++) {
    raise_to(&to->elements[i], c->elements[i]);
    raise_to(&to->bytes[i], c->bytes[i]);
  }
  raise_to(&to->zero_shares, c->zero_shares);
  raise_to(&to->doubles_dealt, c->doubles_dealt);
  raise_to(&to->doubles_used, c->doubles_used);
  raise_to(&to->seeded, c->seeded);
}

static ir_cost walk(ir_cost_meter *t, const ir_block *b, uint64_t times);

static bool costs(const ir_cost *c) { return c->exchanges || c->told_lanes; }

static uint64_t clamp_u64(mpz_srcptr v) {
  if (mpz_sgn(v) <= 0) return 0;
  return mpz_fits_ulong_p(v) ? mpz_get_ui(v) : UINT64_MAX;
}

static ir_cost walk_region(ir_cost_meter *t, const ir_inst *i,
                           uint64_t times) {
  if (i->op == OP_FOR) {
    const ir_range *r = i->arg[0]->ty.range;
    uint64_t lo = clamp_u64(r->lo), hi = clamp_u64(r->hi);
    ir_cost c = walk(t, i->region[0], sat_mul(times, hi));
    if (lo != hi && costs(&c)) c.exact = false;
    return c;
  }
  if (i->op == OP_WHILE) {
    ir_cost c = walk(t, i->region[0], sat_mul(times, sat_add(i->at.max, 1)));
    ir_cost turn = walk(t, i->region[1], sat_mul(times, i->at.max));
    add_cost(&c, &turn);
    if (costs(&c)) c.exact = false;
    return c;
  }
  mpz_srcptr cond;
  if (ir_is_const(i->arg[0], &cond))
    return walk(t, i->region[mpz_sgn(cond) ? 0 : 1], times);
  ir_cost c = walk(t, i->region[0], times);
  ir_cost other = walk(t, i->region[1], times);
  max_cost(&c, &other);
  return c;
}

static ir_exchange exchange_at(const ir_inst *i) {
  ir_exchange x = {.first = i};
  for (const ir_inst *j = i; j && ir_ops[j->op].flags & F_I &&
                             j->at.round == i->at.round; j = j->next) {
    x.nop++;
    acc(j->op == OP_OPEN ? &x.open_lanes : &x.reduce_lanes, lanes_of(j), 1);
  }
  return x;
}

/* Cost of `times` runs of b; its lines go to the meter. */
static ir_cost walk(ir_cost_meter *t, const ir_block *b, uint64_t times) {
  ir_cost c;
  memset(&c, 0, sizeof c); /* padding too: max_cost compares bytes */
  c.exact = true;
  for (const ir_inst *i = b->first; i; i = i->next) {
    if (i->nregion) {
      ir_cost inner = walk_region(t, i, times);
      add_cost(&c, &inner);
    } else if (i->op == OP_TELL) {
      uint64_t n = i->arg[0]->ty.lanes;
      acc(&c.told_lanes, n, times);
      if (times) acc(&line_of(t, i->sp)->told_lanes, n, times);
    } else if (ir_ops[i->op].flags & F_I) {
      ir_exchange x = exchange_at(i);
      ir_cost_exchange(&t->c, x.reduce_lanes, x.open_lanes, times, &c);
      if (times) spread(t, &x, times);
      for (uint32_t k = 1; k < x.nop; k++) i = i->next;
    }
  }
  return c;
}

ir_cost_meter *ir_cost_static(arena *a, const ir_module *m, ir_cost_model c) {
  ir_cost_meter *t = ir_cost_meter_new(a, m, c);
  t->total = walk(t, m->body, 1);
  return t;
}
