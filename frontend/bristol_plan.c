/* Gates to steps over rows: by depth in ands, then by depth in exclusive ors
 * since the last one, so that the depth is least and every step is as wide as
 * it can be.  The pool is written from its head on; when it is full, what is
 * still needed moves to a new one.  It is half as large again as what is ever
 * needed at once, so that a row moves twice on average at most: all of it is
 * linear in the gates. */
#include <stdlib.h>
#include <string.h>

#include "frontend/bristol.h"

typedef struct layout {
  arena *a;
  const bristol *c;
  bristol_plan *p;
  uint32_t first;   /* node of the first gate */
  uint32_t *step;   /* by node: where it is made, from 1 on; 0: at the start */
  uint32_t *last;   /* by node: the step that reads it last; 0: none does */
  uint32_t *row;    /* by node */
  uint32_t *order;  /* gates by step */
  uint32_t *held;   /* nodes in the pool, by row */
  uint32_t nheld;
} layout;

static void *zeros(size_t n, size_t size) {
  void *p = calloc(n ? n : 1, size);
  if (!p) arena_oom_hook();
  return p;
}

/* ---- when ---- */
/* Numbers the pairs (ands, exclusive ors behind them) that occur, in order. */
static void levels(layout *l) {
  const bristol *c = l->c;
  uint64_t *at = zeros(c->n, sizeof *at);
  uint32_t *wide = zeros((size_t)c->depth + 1, sizeof *wide);
  for (uint32_t k = l->first; k < c->n; k++) {
    if (!c->live[k]) continue;
    uint64_t x = at[c->a[k]], y = at[c->b[k]], m = x > y ? x : y;
    /* an and begins a new level; an exclusive or follows its operands */
    at[k] = c->is_and[k] ? ((m >> 32) + 1) << 32 : m + 1;
    uint32_t d = (uint32_t)(at[k] >> 32), n = (uint32_t)at[k];
    if (n > wide[d]) wide[d] = n;
  }
  uint32_t *base = zeros((size_t)c->depth + 2, sizeof *base);
  for (uint32_t d = 0; d <= c->depth; d++)
    base[d + 1] = base[d] + wide[d] + (d > 0);
  /* level 0 has no ands: its first exclusive ors are step 1 */
  l->p->nstep = base[c->depth + 1];
  for (uint32_t k = l->first; k < c->n; k++)
    if (c->live[k]) {
      uint32_t d = (uint32_t)(at[k] >> 32), n = (uint32_t)at[k];
      l->step[k] = base[d] + n + (d > 0);
    }
  free(at);
  free(wide);
  free(base);
}

static void sort(layout *l, uint32_t *start) {
  const bristol *c = l->c;
  for (uint32_t k = l->first; k < c->n; k++)
    if (c->live[k]) start[l->step[k] + 1]++;
  for (uint32_t s = 0; s <= l->p->nstep; s++) start[s + 1] += start[s];
  uint32_t *to = zeros((size_t)l->p->nstep + 2, sizeof *to);
  memcpy(to, start, ((size_t)l->p->nstep + 1) * sizeof *to);
  for (uint32_t k = l->first; k < c->n; k++) {
    if (!c->live[k]) continue;
    l->order[to[l->step[k]]++] = k;
    uint32_t s = l->step[k];
    if (s > l->last[c->a[k]]) l->last[c->a[k]] = s;
    if (s > l->last[c->b[k]]) l->last[c->b[k]] = s;
  }
  for (uint32_t k = 0; k < c->out_bits; k++)
    l->last[c->result[k]] = UINT32_MAX;
  free(to);
}

/* ---- where ---- */
static void hold(layout *l, uint32_t node) {
  l->row[node] = l->nheld;
  l->held[l->nheld++] = node;
}

/* The most rows needed at once. */
static uint32_t needed(const layout *l, const uint32_t *start) {
  uint32_t n = l->p->nstep;
  uint32_t *gone = zeros((size_t)n + 2, sizeof *gone);
  for (uint32_t k = 0; k < l->c->n; k++)
    if (l->last[k] && l->last[k] <= n) gone[l->last[k]]++;
  uint32_t now = 0, most = 0;
  for (uint32_t k = 0; k < l->first; k++) now += l->last[k] > 0;
  most = now;
  for (uint32_t s = 1; s <= n; s++) {
    now = now - gone[s] + (start[s + 1] - start[s]);
    if (now > most) most = now;
  }
  free(gone);
  return most;
}

static void pack(layout *l, bristol_step *st, uint32_t s) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < l->nheld; k++) n += l->last[l->held[k]] > s;
  uint32_t *keep = ARENA_ARR(l->a, uint32_t, n), was = l->nheld;
  l->nheld = 0;
  for (uint32_t k = 0; k < was; k++) {
    if (l->last[l->held[k]] <= s) continue;
    keep[l->nheld] = k;
    hold(l, l->held[k]);
  }
  st->packs = true;
  st->keep = keep;
  st->nkeep = n;
}

static void place(layout *l, const uint32_t *start) {
  const bristol *c = l->c;
  bristol_plan *p = l->p;
  p->one = l->last[BRISTOL_ONE] > 0;
  p->zero = l->last[BRISTOL_ZERO] > 0;
  uint32_t begin = c->in_bits + p->one + p->zero, most = needed(l, start);
  p->rows = most + most / 2;
  if (p->rows < begin) p->rows = begin;
  l->held = zeros((size_t)p->rows, sizeof *l->held);
  for (uint32_t k = 0; k < c->in_bits; k++) hold(l, BRISTOL_INPUT + k);
  if (p->one) hold(l, BRISTOL_ONE);
  if (p->zero) hold(l, BRISTOL_ZERO);
  p->step = ARENA_ARR(l->a, bristol_step, p->nstep);
  for (uint32_t s = 1; s <= p->nstep; s++) {
    bristol_step *st = &p->step[s - 1];
    const uint32_t *g = l->order + start[s];
    st->n = start[s + 1] - start[s];
    st->is_and = c->is_and[g[0]];
    uint32_t *a = ARENA_ARR(l->a, uint32_t, st->n);
    uint32_t *b = ARENA_ARR(l->a, uint32_t, st->n);
    for (uint32_t k = 0; k < st->n; k++) {
      a[k] = l->row[c->a[g[k]]];
      b[k] = l->row[c->b[g[k]]];
    }
    st->a = a;
    st->b = b;
    if (st->n > p->rows - l->nheld) pack(l, st, s);
    st->at = l->nheld;
    for (uint32_t k = 0; k < st->n; k++) hold(l, g[k]);
  }
  uint32_t *result = ARENA_ARR(l->a, uint32_t, c->out_bits);
  for (uint32_t k = 0; k < c->out_bits; k++)
    result[k] = l->row[c->result[k]];
  p->result = result;
}

const bristol_plan *bristol_layout(arena *a, bristol *c) {
  if (c->plan) return c->plan;
  layout l = {.a = a, .c = c, .first = BRISTOL_INPUT + c->in_bits};
  l.p = c->plan = ARENA_NEW(a, bristol_plan);
  l.step = zeros(c->n, sizeof *l.step);
  l.last = zeros(c->n, sizeof *l.last);
  l.row = zeros(c->n, sizeof *l.row);
  l.order = zeros(c->n, sizeof *l.order);
  levels(&l);
  uint32_t *start = zeros((size_t)l.p->nstep + 2, sizeof *start);
  sort(&l, start);
  place(&l, start);
  free(l.step);
  free(l.last);
  free(l.row);
  free(l.order);
  free(l.held);
  free(start);
  return l.p;
}
