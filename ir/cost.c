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
 *
 * Items of bits, L lanes each, beside those in the same exchange; 1 round:
 *
 *   rep3         reduce and open: every node sends ceil(L / 8) bytes, an open
 *                is under the round's tag.  xdeal: lane l costs node l mod 3
 *                an element.  xjoin: lane l costs each of the other two one.
 *   shamir       reduce and deal: each of the d nodes sends n-1-t bytes a
 *                lane, bdeal: elements; open: every node sends n-1 bytes.
 *
 * All that is shuffled in an exchange, s lanes, takes rounds of its own after
 * the others.
 *
 *   rep3         2 rounds; each node sends s elements, and as many again the
 *                one after that whose turn it is.
 *                                                                    [AFOPRT21]
 *   shamir       one round for each t+1 of the d nodes, in which each of these
 *                deals s elements, to n-1-t.                           [LWZ11]
 */
#include "ir/cost.h"

#include <stddef.h>
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

bool ir_target_ok(const ir_target *c) {
  if (c->protocol == IR_REP3) return c->n == 3;
  return c->protocol == IR_SHAMIR && c->n >= 3 && c->n <= IR_NODES_MAX;
}

/* ---- one exchange ---- */
static unsigned threshold(unsigned n) { return (n + 1) / 2 - 1; }

static bool has_king(const ir_target *c) {
  return c->protocol == IR_SHAMIR && c->n >= 6;
}

static uint64_t lanes_of(const ir_inst *i) { return i->res[0]->ty.lanes; }

/* Lanes below n that are k mod 3. */
static uint64_t third(uint64_t n, unsigned k) {
  return n / 3 + (n % 3 > k);
}

static void add_bits(uint64_t *bits, uint64_t *bytes, uint64_t n) {
  acc(bits, n, 1);
  acc(bytes, n / 8 + (n % 8 != 0), 1);
}

void ir_load_add(ir_load *x, const ir_inst *i) {
  uint64_t n = lanes_of(i);
  bool bits = i->arg[0]->ty.dom == DOM_B;
  x->bit_items += bits || i->op == OP_DEAL || i->op == OP_XJOIN;
  switch (i->op) {
  case OP_REDUCE:
    if (bits)
      add_bits(&x->reduce_bits, &x->reduce_bytes, n);
    else
      acc(&x->reduce, n, 1);
    break;
  case OP_OPEN:
    if (bits)
      add_bits(&x->open_bits, &x->open_bytes, n);
    else
      acc(&x->open, n, 1);
    break;
  case OP_DEAL: acc(&x->deal, n, 1); break;
  case OP_BDEAL: acc(&x->bdeal, n, 1); break;
  case OP_XDEAL:
    for (unsigned k = 0; k < 3; k++) acc(&x->xdeal[k], third(n, k), 1);
    break;
  case OP_XJOIN:
    for (unsigned k = 0; k < 3; k++) acc(&x->xjoin[k], third(n, k), 1);
    break;
  case OP_SHUFFLE:
  case OP_UNSHUFFLE:
    acc(&x->shuffle[ir_turn_of(i->arg[1]->ty.range) % IR_TURNS], n, 1);
    break;
  default: break;
  }
}

ir_load ir_load_of(const ir_inst *first, uint32_t nop) {
  ir_load x = {0};
  for (; nop--; first = first->next) ir_load_add(&x, first);
  return x;
}

/* k of n, n small: else saturates. */
static uint64_t choose(unsigned n, unsigned k) {
  u128 r = 1;
  for (unsigned j = 1; j <= k; j++) {
    r = r * (n - k + j) / j;
    if (r > UINT64_MAX / IR_NODES_MAX) return UINT64_MAX;
  }
  return (uint64_t)r;
}

static uint64_t shuffle_rounds(const ir_target *c) {
  unsigned t = threshold(c->n);
  return c->protocol == IR_REP3 ? 2 : choose(2 * t + 1, t + 1);
}

static uint64_t shuffled(const ir_load *x) {
  return sat_add(sat_add(x->shuffle[0], x->shuffle[1]), x->shuffle[2]);
}

/* Elements node i sends for what is shuffled. */
static uint64_t shuffle_sent(const ir_target *c, unsigned i,
                             const ir_load *x) {
  unsigned n = c->n, t = threshold(n);
  if (c->protocol == IR_REP3)
    return sat_add(shuffled(x), x->shuffle[(i + 2) % 3]);
  if (i > 2 * t) return 0;
  return sat_mul(shuffled(x), sat_mul(choose(2 * t, t), n - 1 - t));
}

/* Elements node i sends, tags apart. */
static uint64_t sent(const ir_target *c, unsigned i, const ir_load *x) {
  unsigned n = c->n, t = threshold(n), d = 2 * t + 1;
  uint64_t m = x->reduce, moved = shuffle_sent(c, i, x);
  if (c->protocol == IR_REP3) {
    uint64_t joined = sat_add(x->xjoin[(i + 1) % 3], x->xjoin[(i + 2) % 3]);
    return sat_add(sat_add(sat_add(m, x->open), moved),
                   sat_add(x->xdeal[i], joined));
  }
  uint64_t open = sat_add(sat_mul(x->open, n - 1), moved);
  if (i >= d) return open;
  open = sat_add(open, sat_mul(x->bdeal, n - 1 - t));
  if (!has_king(c)) return sat_add(open, sat_mul(m, n - 1 - t));
  uint64_t batch = m / (t + 1) + (m % (t + 1) != 0);
  uint64_t king = m / d + (i < m % d); /* lanes g with g mod d = i */
  return sat_add(sat_add(open, m - king),
                 sat_mul(sat_add(batch, king), n - 1 - t));
}

/* Bytes of bits node i sends. */
static uint64_t sent_bits(const ir_target *c, unsigned i, const ir_load *x) {
  unsigned n = c->n, t = threshold(n);
  if (c->protocol == IR_REP3) return sat_add(x->reduce_bytes, x->open_bytes);
  uint64_t open = sat_mul(x->open_bits, n - 1);
  if (i > 2 * t) return open;
  return sat_add(open, sat_mul(sat_add(x->reduce_bits, x->deal), n - 1 - t));
}

static uint64_t seeded(const ir_target *c, const ir_load *x) {
  unsigned t = threshold(c->n), d = 2 * t + 1;
  uint64_t s = 0;
  if (c->protocol == IR_REP3) { /* z_i += F(k_i) - F(k_i+1) */
    acc(&s, x->reduce, 2 * c->n);
    acc(&s, shuffled(x), 8); /* two masks, two components, by two each */
    for (unsigned k = 0; k < 3; k++) { /* each F by the two that have its key */
      acc(&s, x->xdeal[k], 2);
      acc(&s, x->xjoin[k], 4);
    }
    return s;
  }
  acc(&s, x->bdeal, d * t);
  acc(&s, shuffled(x), sat_mul(shuffle_rounds(c), (t + 1) * t));
  if (has_king(c))
    acc(&s, x->reduce / (t + 1) + (x->reduce % (t + 1) != 0),
        (uint64_t)d * 3 * t);
  else
    acc(&s, x->reduce, d * t);
  return s;
}

static uint64_t dealt(const ir_load *x) {
  uint64_t sum = sat_add(x->deal, x->bdeal);
  for (unsigned k = 0; k < 3; k++)
    sum = sat_add(sum, sat_add(x->xdeal[k], x->xjoin[k]));
  return sum;
}

/* Without those of shuffles. */
static uint64_t first_rounds(const ir_target *c, const ir_load *x) {
  if (x->reduce && has_king(c)) return 2;
  return x->reduce || x->open || x->bit_items;
}

static uint64_t rounds_of(const ir_target *c, const ir_load *x) {
  uint64_t first = first_rounds(c, x);
  return shuffled(x) ? sat_add(first, shuffle_rounds(c)) : first;
}

void ir_cost_exchange(const ir_target *c, uint32_t element_bytes,
                      const ir_load *x, uint64_t times, ir_cost *a) {
  unsigned n = c->n, t = threshold(n);
  uint64_t m = x->reduce;
  if (!(m || x->open || x->bit_items || shuffled(x)) || !times) return;
  acc(&a->exchanges, 1, times);
  acc(&a->rounds, rounds_of(c, x), times);
  acc(&a->shuffled, shuffled(x), times);
  acc(&a->reduce_lanes, m, times);
  acc(&a->open_lanes, x->open, times);
  acc(&a->reduce_bits, x->reduce_bits, times);
  acc(&a->open_bits, x->open_bits, times);
  acc(&a->dealt, dealt(x), times);
  bool opens = x->open || x->open_bits;
  uint64_t tag = c->protocol == IR_REP3 && opens ? IR_TAG_BYTES : 0;
  for (unsigned i = 0; i < n; i++) {
    uint64_t e = sent(c, i, x);
    acc(&a->elements[i], e, times);
    acc(&a->bytes[i],
        sat_add(sat_add(sat_mul(e, element_bytes), tag),
                sent_bits(c, i, x)),
        times);
  }
  acc(&a->seeded, seeded(c, x), times);
  if (c->protocol == IR_REP3) {
    acc(&a->zero_shares, sat_mul(m, n), times);
  } else if (has_king(c)) {
    uint64_t batch = m / (t + 1) + (m % (t + 1) != 0);
    acc(&a->doubles_dealt, sat_mul(batch, t + 1), times);
    acc(&a->doubles_used, m, times);
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
  ir_target c;
  ir_cost total;
  ir_cost_line *line;
  uint32_t nline, cap;
  line_slot *slot; /* span start -> line */
  size_t nslot, cslot;
};

ir_cost_meter *ir_cost_meter_new(arena *a, const ir_module *m,
                                 ir_target c) {
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

static uint32_t element_bytes(const ir_module *m) {
  return 8 * ir_field_words(m);
}

static uint64_t bytes_of(const ir_cost_meter *t, const ir_load *x,
                         uint64_t times) {
  ir_cost k = {0};
  ir_cost_exchange(&t->c, element_bytes(t->m), x, times, &k);
  return all_bytes(&k);
}

/* Products of the field share the rounding of what is dealt for them, openings
 * the tag: each pool goes to its ops by weight, the last takes the rest.  Any
 * other item has a price of its own. */
typedef struct pool {
  uint64_t bytes, weight;
} pool;

static uint64_t draw(pool *p, uint64_t weight) {
  bool last = weight >= p->weight;
  uint64_t share =
      last ? p->bytes : (uint64_t)((u128)p->bytes * weight / p->weight);
  p->bytes -= share;
  p->weight -= last ? p->weight : weight;
  return share;
}

/* An opening's payload at one node. */
static uint64_t open_weight(const ir_cost_meter *t, const ir_load *x) {
  uint64_t bits = t->c.protocol == IR_REP3 ? x->open_bytes : x->open_bits;
  return sat_add(sat_mul(x->open, element_bytes(t->m)), bits);
}

static void count_line(ir_cost_line *l, const ir_load *x, uint64_t times) {
  acc(&l->reduce_lanes, x->reduce, times);
  acc(&l->open_lanes, x->open, times);
  acc(&l->reduce_bits, x->reduce_bits, times);
  acc(&l->open_bits, x->open_bits, times);
  acc(&l->dealt, dealt(x), times);
  acc(&l->shuffled, shuffled(x), times);
}

/* The exchange's bytes go to its lines. */
static void spread(ir_cost_meter *t, const ir_inst *i, uint32_t nop,
                   const ir_load *x, uint64_t times) {
  ir_load products = {.reduce = x->reduce}, others = *x;
  others.reduce = others.open = others.open_bits = others.open_bytes = 0;
  others.bit_items = 1;
  pool red = {bytes_of(t, &products, times), x->reduce};
  pool open = {bytes_of(t, x, times), open_weight(t, x)};
  open.bytes -= red.bytes;
  open.bytes -= bytes_of(t, &others, times);
  ir_cost_line *before[2] = {NULL, NULL}; /* shuffles apart */
  for (; nop--; i = i->next) {
    ir_cost_line *l = line_of(t, i->sp);
    ir_load own = {0};
    ir_load_add(&own, i);
    acc(&l->bytes,
        i->op == OP_OPEN ? draw(&open, open_weight(t, &own))
        : own.reduce     ? draw(&red, own.reduce)
                         : bytes_of(t, &own, times),
        1);
    count_line(l, &own, times);
    bool moves = shuffled(&own);
    if (l != before[moves])
      acc(&l->rounds, moves ? shuffle_rounds(&t->c) : first_rounds(&t->c, x),
          times);
    before[moves] = l;
  }
}

void ir_cost_meter_exchange(void *meter, const ir_exchange *x) {
  ir_cost_meter *t = meter;
  ir_load load = ir_load_of(x->first, x->nop);
  ir_cost_exchange(&t->c, element_bytes(t->m), &load, 1, &t->total);
  spread(t, x->first, x->nop, &load, 1);
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
static void each_count(ir_cost *to, const ir_cost *c,
                       void (*f)(uint64_t *to, uint64_t v)) {
  static const size_t at[] = {
      offsetof(ir_cost, exchanges),     offsetof(ir_cost, rounds),
      offsetof(ir_cost, reduce_lanes),  offsetof(ir_cost, open_lanes),
      offsetof(ir_cost, told_lanes),    offsetof(ir_cost, reduce_bits),
      offsetof(ir_cost, open_bits),     offsetof(ir_cost, dealt),
      offsetof(ir_cost, shuffled),
      offsetof(ir_cost, zero_shares),   offsetof(ir_cost, doubles_dealt),
      offsetof(ir_cost, doubles_used),  offsetof(ir_cost, seeded)};
  for (size_t k = 0; k < sizeof at / sizeof *at; k++)
    f((uint64_t *)((char *)to + at[k]),
      *(const uint64_t *)((const char *)c + at[k]));
  for (unsigned i = 0; i < IR_NODES_MAX; i++) {
    f(&to->elements[i], c->elements[i]);
    f(&to->bytes[i], c->bytes[i]);
  }
}

static void raise_by(uint64_t *to, uint64_t v) { *to = sat_add(*to, v); }

static void raise_to(uint64_t *to, uint64_t v) {
  if (v > *to) *to = v;
}

static void add_cost(ir_cost *to, const ir_cost *c) {
  to->exact = to->exact && c->exact;
  each_count(to, c, raise_by);
}

/* The worse of two branches, count by count. */
static void max_cost(ir_cost *to, const ir_cost *c) {
  bool same = !memcmp(to, c, sizeof *c);
  to->exact = same && to->exact;
  each_count(to, c, raise_to);
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

static uint32_t exchange_ops(const ir_inst *i) {
  uint32_t n = 0;
  for (const ir_inst *j = i; j && ir_ops[j->op].flags & F_I &&
                             j->at.round == i->at.round; j = j->next)
    n++;
  return n;
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
      uint32_t nop = exchange_ops(i);
      ir_load x = ir_load_of(i, nop);
      ir_cost_exchange(&t->c, element_bytes(t->m), &x, times, &c);
      if (times) spread(t, i, nop, &x, times);
      while (--nop) i = i->next;
    }
  }
  return c;
}

ir_cost_meter *ir_cost_static(arena *a, const ir_module *m, ir_target c) {
  ir_cost_meter *t = ir_cost_meter_new(a, m, c);
  t->total = walk(t, m->body, 1);
  return t;
}
