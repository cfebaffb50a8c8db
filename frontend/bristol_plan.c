/* Gates to steps over rows: by depth in ands, then by depth in exclusive ors
 * since the last one, so that the depth is least and every step is as wide as
 * it can be.  Where sums of products are settled bristol_cut.c says: what they
 * need is made of products, everything else of shares.
 *
 * The pool of shares is written from its head on; when it is full, what is
 * still needed moves to a new one.  It is half as large again as what is ever
 * needed at once, so that a row moves twice on average at most: all of it is
 * linear in the gates. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "frontend/bristol.h"

/* A step before rows are given: its nodes. */
typedef struct draft {
  bristol_kind kind;
  const uint32_t *node;
  uint32_t n;
  const uint32_t *share; /* OPEN: shares that the sums need */
  uint32_t nshare;
} draft;

typedef struct layout {
  arena *a;
  const bristol *c;
  bristol_plan *p;
  uint32_t first;     /* node of the first gate */
  uint32_t *level;    /* by node: in ands; 0 before the first */
  uint8_t *target;    /* by node: has to be a share */
  uint8_t *cut;       /* by node: settled */
  uint8_t *form;      /* by node: IN_SUM, IN_SHARE */
  uint32_t *depth;    /* by node: exclusive ors since the level began */
  uint32_t *at;       /* scratch by node */
  VEC(draft) draft;
  uint32_t *last;     /* by node: 1 + the step that reads its share last */
  uint32_t *row, *sum; /* by node: where it is in either pool */
  uint32_t *held;     /* nodes in the pool of shares, by row */
  uint32_t nheld;
} layout;

enum { IN_SUM = 1, IN_SHARE = 2, FETCHED = 4 };

static void *zeros(size_t n, size_t size) {
  void *p = calloc(n ? n : 1, size);
  if (!p) arena_oom_hook();
  return p;
}

/* ---- levels ---- */
/* A share is needed of operands of ands and of outputs.  An and waits until the
 * first such sum that it is part of can be complete: so products meet that are
 * added up, and nothing is later than it could be. */
static void levels(layout *l) {
  const bristol *c = l->c;
  uint32_t *soon = l->at; /* the least level of the sums a node is part of */
  memset(soon, 0xff, c->n * sizeof *soon);
  for (uint32_t k = l->first; k < c->n; k++) {
    if (!c->live[k]) continue;
    uint32_t x = l->level[c->a[k]], y = l->level[c->b[k]];
    l->level[k] = (x > y ? x : y) + c->is_and[k];
  }
  for (uint32_t k = 0; k < c->out_bits; k++)
    soon[c->result[k]] = l->level[c->result[k]];
  for (uint32_t k = c->n; k-- > l->first;) {
    if (!c->live[k]) continue;
    const uint32_t arg[2] = {c->a[k], c->b[k]};
    for (int j = 0; j < 2; j++) {
      uint32_t n = c->is_and[k] ? l->level[arg[j]] : soon[k];
      if (n < soon[arg[j]]) soon[arg[j]] = n;
    }
  }
  for (uint32_t k = l->first; k < c->n; k++) {
    if (!c->live[k]) continue;
    uint32_t x = l->level[c->a[k]], y = l->level[c->b[k]];
    l->level[k] = c->is_and[k] ? soon[k] : x > y ? x : y;
  }
  for (uint32_t k = l->first; k < c->n; k++) {
    if (!c->live[k]) continue;
    const uint32_t arg[2] = {c->a[k], c->b[k]};
    for (int j = 0; j < 2; j++)
      if (c->is_and[k] || l->level[arg[j]] < l->level[k])
        l->target[arg[j]] = 1;
  }
  for (uint32_t k = 0; k < c->out_bits; k++) l->target[c->result[k]] = 1;
}

/* Live gates by level, in order: start[d] .. start[d + 1] of the result. */
static uint32_t *by_level(layout *l, uint32_t *start) {
  const bristol *c = l->c;
  uint32_t *node = ARENA_ARR(l->a, uint32_t, c->ands + c->xors);
  uint32_t *to = zeros((size_t)c->depth + 2, sizeof *to);
  for (uint32_t k = l->first; k < c->n; k++)
    if (c->live[k]) start[l->level[k] + 1]++;
  for (uint32_t d = 0; d <= c->depth; d++) start[d + 1] += start[d];
  memcpy(to, start, ((size_t)c->depth + 1) * sizeof *to);
  for (uint32_t k = l->first; k < c->n; k++)
    if (c->live[k]) node[to[l->level[k]]++] = k;
  free(to);
  return node;
}

static void add_draft(layout *l, bristol_kind kind, const uint32_t *node,
                      uint32_t n) {
  draft d = {kind, node, n, NULL, 0};
  if (n) vec_push(l->a, &l->draft, d);
}

/* One step for each depth in exclusive ors of the nodes that are needed in
 * this form. */
static void add_xors(layout *l, bristol_kind kind, const uint32_t *node,
                     uint32_t n, uint32_t level, uint8_t form) {
  const bristol *c = l->c;
  uint32_t most = 0, all = 0;
  for (uint32_t k = 0; k < n; k++) {
    uint32_t v = node[k], depth = 0;
    bool made = form == IN_SUM ? !c->is_and[v] : !l->cut[v];
    if (!(l->form[v] & form) || !made) {
      l->depth[v] = 0;
      continue;
    }
    const uint32_t arg[2] = {c->a[v], c->b[v]};
    for (int j = 0; j < 2; j++)
      if (l->level[arg[j]] == level && l->depth[arg[j]] > depth)
        depth = l->depth[arg[j]];
    l->depth[v] = depth + 1;
    if (depth + 1 > most) most = depth + 1;
    all++;
  }
  if (!all) return;
  uint32_t *sorted = ARENA_ARR(l->a, uint32_t, all);
  uint32_t *start = zeros((size_t)most + 2, sizeof *start);
  for (uint32_t k = 0; k < n; k++)
    if (l->depth[node[k]]) start[l->depth[node[k]] + 1]++;
  for (uint32_t d = 0; d <= most; d++) start[d + 1] += start[d];
  for (uint32_t k = 0; k < n; k++)
    if (l->depth[node[k]]) sorted[start[l->depth[node[k]]]++] = node[k];
  /* each start has moved to the next one's */
  for (uint32_t d = 1; d <= most; d++)
    add_draft(l, kind, sorted + start[d - 1], start[d] - start[d - 1]);
  free(start);
}

/* Which forms of the level's nodes are needed, from the last back. */
static void forms(layout *l, const uint32_t *node, uint32_t n,
                  uint32_t level) {
  const bristol *c = l->c;
  for (uint32_t k = n; k--;) {
    uint32_t v = node[k];
    if (l->target[v]) l->form[v] |= IN_SHARE;
    if (l->cut[v]) l->form[v] |= IN_SUM;
    if (c->is_and[v]) continue;
    uint8_t want = l->form[v] & IN_SUM;
    if (l->form[v] & IN_SHARE && !l->cut[v]) want |= IN_SHARE;
    const uint32_t arg[2] = {c->a[v], c->b[v]};
    for (int j = 0; j < 2; j++)
      if (l->level[arg[j]] == level) l->form[arg[j]] |= want;
  }
}

/* The nodes of the level that hold; in order. */
static uint32_t *chosen(layout *l, const uint32_t *node, uint32_t n,
                        const uint8_t *is, uint32_t *count) {
  *count = 0;
  for (uint32_t k = 0; k < n; k++) *count += is[node[k]] != 0;
  uint32_t *out = ARENA_ARR(l->a, uint32_t, *count), m = 0;
  for (uint32_t k = 0; k < n; k++)
    if (is[node[k]]) out[m++] = node[k];
  return out;
}

/* Shares of lower levels that the sums need. */
static void add_shares(layout *l, draft *d, const uint32_t *node, uint32_t n,
                       uint32_t level) {
  const bristol *c = l->c;
  VEC(uint32_t) out = {0};
  for (uint32_t k = 0; k < n; k++) {
    uint32_t v = node[k];
    if (c->is_and[v] || !(l->form[v] & IN_SUM)) continue;
    const uint32_t arg[2] = {c->a[v], c->b[v]};
    for (int j = 0; j < 2; j++) {
      if (l->level[arg[j]] == level || l->form[arg[j]] & FETCHED) continue;
      l->form[arg[j]] |= FETCHED;
      vec_push(l->a, &out, arg[j]);
    }
  }
  for (size_t k = 0; k < out.n; k++) l->form[out.p[k]] &= (uint8_t)~FETCHED;
  d->share = out.p;
  d->nshare = (uint32_t)out.n;
}

static void draft_level(layout *l, const uint32_t *node, uint32_t n,
                        uint32_t level) {
  const bristol *c = l->c;
  if (!level) { /* all of it is shares */
    for (uint32_t k = 0; k < n; k++) l->form[node[k]] = IN_SHARE;
    add_xors(l, BRISTOL_XOR, node, n, level, IN_SHARE);
    return;
  }
  bristol_level in = {c, l->level, l->target, node, n, level, l->at, l->cut};
  uint32_t nand, ncut, settled = bristol_cut(&in);
  l->p->settled += settled;
  forms(l, node, n, level);
  const uint32_t *ands = chosen(l, node, n, c->is_and, &nand);
  if (settled == nand) {
    add_draft(l, BRISTOL_AND, ands, nand);
  } else {
    draft open = {BRISTOL_OPEN, ands, nand, NULL, 0};
    add_shares(l, &open, node, n, level);
    vec_push(l->a, &l->draft, open);
    add_xors(l, BRISTOL_SUM, node, n, level, IN_SUM);
    const uint32_t *cut = chosen(l, node, n, l->cut, &ncut);
    add_draft(l, BRISTOL_SETTLE, cut, ncut);
  }
  add_xors(l, BRISTOL_XOR, node, n, level, IN_SHARE);
}

/* ---- how long ---- */
static void read_at(layout *l, uint32_t node, size_t step) {
  if (l->last[node] < step + 1) l->last[node] = (uint32_t)step + 1;
}

static void lives(layout *l) {
  const bristol *c = l->c;
  for (size_t s = 0; s < l->draft.n; s++) {
    const draft *d = &l->draft.p[s];
    bool reads = d->kind <= BRISTOL_OPEN;
    for (uint32_t k = 0; reads && k < d->n; k++) {
      read_at(l, c->a[d->node[k]], s);
      read_at(l, c->b[d->node[k]], s);
    }
    for (uint32_t k = 0; k < d->nshare; k++) read_at(l, d->share[k], s);
  }
  for (uint32_t k = 0; k < c->out_bits; k++)
    l->last[c->result[k]] = UINT32_MAX;
}

static bool writes(bristol_kind k) {
  return k != BRISTOL_OPEN && k != BRISTOL_SUM;
}

/* The most rows needed at once. */
static uint32_t needed(const layout *l) {
  size_t n = l->draft.n;
  uint32_t *gone = zeros(n + 2, sizeof *gone);
  for (uint32_t k = 0; k < l->c->n; k++)
    if (l->last[k] && l->last[k] <= n) gone[l->last[k]]++;
  uint32_t now = 0, most;
  for (uint32_t k = 0; k < l->first; k++) now += l->last[k] > 0;
  most = now;
  for (size_t s = 0; s < n; s++) {
    const draft *d = &l->draft.p[s];
    now = now - gone[s + 1] + (writes(d->kind) ? d->n : 0);
    if (now > most) most = now;
  }
  free(gone);
  return most;
}

/* ---- where ---- */
static void hold(layout *l, uint32_t node) {
  l->row[node] = l->nheld;
  l->held[l->nheld++] = node;
}

static void pack(layout *l, bristol_step *st, uint32_t s) {
  uint32_t n = 0, was = l->nheld;
  for (uint32_t k = 0; k < was; k++) n += l->last[l->held[k]] > s + 1;
  uint32_t *keep = ARENA_ARR(l->a, uint32_t, n);
  l->nheld = 0;
  for (uint32_t k = 0; k < was; k++) {
    if (l->last[l->held[k]] <= s + 1) continue;
    keep[l->nheld] = k;
    hold(l, l->held[k]);
  }
  st->packs = true;
  st->keep = keep;
  st->nkeep = n;
}

static const uint32_t *rows_of(layout *l, const uint32_t *row,
                               const uint32_t *node, const uint32_t *of,
                               uint32_t n) {
  uint32_t *r = ARENA_ARR(l->a, uint32_t, n);
  for (uint32_t k = 0; k < n; k++) r[k] = row[of ? of[node[k]] : node[k]];
  return r;
}

static void place_step(layout *l, uint32_t s, uint32_t *nsum) {
  const bristol *c = l->c;
  const draft *d = &l->draft.p[s];
  bristol_step *st = &l->p->step[s];
  bool sums = d->kind == BRISTOL_SUM, settles = d->kind == BRISTOL_SETTLE;
  const uint32_t *row = sums || settles ? l->sum : l->row;
  st->kind = d->kind;
  st->n = d->n;
  st->a = rows_of(l, row, d->node, settles ? NULL : c->a, d->n);
  if (!settles) st->b = rows_of(l, row, d->node, c->b, d->n);
  if (d->kind == BRISTOL_OPEN) {
    st->keep = rows_of(l, l->row, d->share, NULL, d->nshare);
    st->nkeep = d->nshare;
    st->rows = d->n + d->nshare;
    for (size_t j = s + 1; l->draft.p[j].kind == BRISTOL_SUM; j++)
      st->rows += l->draft.p[j].n;
    *nsum = 0;
  }
  if (!writes(d->kind)) {
    st->at = *nsum;
    for (uint32_t k = 0; k < d->n; k++) l->sum[d->node[k]] = (*nsum)++;
    for (uint32_t k = 0; k < d->nshare; k++) l->sum[d->share[k]] = (*nsum)++;
    return;
  }
  if (st->n > l->p->rows - l->nheld) pack(l, st, s);
  st->at = l->nheld;
  for (uint32_t k = 0; k < st->n; k++) hold(l, d->node[k]);
}

static void place(layout *l) {
  const bristol *c = l->c;
  bristol_plan *p = l->p;
  p->one = l->last[BRISTOL_ONE] > 0;
  p->zero = l->last[BRISTOL_ZERO] > 0;
  uint32_t begin = c->in_bits + p->one + p->zero, most = needed(l), nsum = 0;
  p->rows = most + most / 2;
  if (p->rows < begin) p->rows = begin;
  l->held = zeros(p->rows, sizeof *l->held);
  for (uint32_t k = 0; k < c->in_bits; k++) hold(l, BRISTOL_INPUT + k);
  if (p->one) hold(l, BRISTOL_ONE);
  if (p->zero) hold(l, BRISTOL_ZERO);
  p->nstep = (uint32_t)l->draft.n;
  p->step = ARENA_ARR(l->a, bristol_step, p->nstep);
  for (uint32_t s = 0; s < p->nstep; s++) place_step(l, s, &nsum);
  p->result = rows_of(l, l->row, c->result, NULL, c->out_bits);
}

static void draft_all(layout *l) {
  uint32_t *start = zeros((size_t)l->c->depth + 2, sizeof *start);
  const uint32_t *node = by_level(l, start);
  for (uint32_t d = 0; d <= l->c->depth; d++)
    draft_level(l, node + start[d], start[d + 1] - start[d], d);
  free(start);
}

const bristol_plan *bristol_layout(arena *a, bristol *c) {
  if (c->plan) return c->plan;
  layout l = {.a = a, .c = c, .first = BRISTOL_INPUT + c->in_bits};
  l.p = c->plan = ARENA_NEW(a, bristol_plan);
  uint32_t **words[] = {&l.level, &l.depth, &l.at, &l.last, &l.row, &l.sum};
  uint8_t **bytes[] = {&l.target, &l.cut, &l.form};
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    *words[k] = zeros(c->n, sizeof **words[k]);
  for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++)
    *bytes[k] = zeros(c->n, 1);
  levels(&l);
  draft_all(&l);
  lives(&l);
  place(&l);
  for (size_t k = 0; k < sizeof words / sizeof *words; k++) free(*words[k]);
  for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++) free(*bytes[k]);
  free(l.held);
  return l.p;
}
