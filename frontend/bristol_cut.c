/* Where sums of products are settled.  A product of shares is not yet a share;
 * sums of products are as cheap to turn into one as a single product.  In one
 * level of ands, settled are the nodes of a least vertex cut between the ands
 * and the nodes that have to be shares: ways that share no vertex, found by
 * depth-first search, several in each sweep; the cut is what the last sweep,
 * which finds none, reaches from in front but not from behind.  A sweep is
 * linear; after SWEEPS of them every product is settled by itself.
 * Source: K. Menger 1927; L. Ford, D. Fulkerson 1956. */
#include <stdlib.h>
#include <string.h>

#include "frontend/bristol.h"

#define FREE UINT32_MAX       /* no way leads through here */
#define END (UINT32_MAX - 1)  /* the way begins, or ends, here */
enum { SWEEPS = 40 };

typedef struct graph {
  uint32_t n;
  uint32_t *start, *to; /* successors */
  const uint8_t *source, *sink;
  uint32_t *prev, *next; /* along the way through a vertex */
  uint8_t *seen;         /* 1: in front, 2: behind */
  uint32_t *at;          /* the next successor to try */
  uint32_t *path;        /* 2 v: in front of v, 2 v + 1: behind it */
  uint32_t npath;
} graph;

static bool enter(graph *g, uint32_t v, bool behind) {
  uint8_t bit = behind ? 2 : 1;
  if (g->seen[v] & bit) return false;
  g->seen[v] |= bit;
  g->path[g->npath++] = 2 * v + behind;
  return true;
}

/* Goes on from the end of the path; 1: there is a way out, 0: went on, -1:
 * nowhere to go. */
static int advance(graph *g) {
  uint32_t v = g->path[g->npath - 1] / 2;
  bool used = g->prev[v] != FREE;
  if (!(g->path[g->npath - 1] & 1)) { /* in front of v */
    if (!used) return enter(g, v, true) ? 0 : -1;
    return g->prev[v] != END && enter(g, g->prev[v], true) ? 0 : -1;
  }
  if (g->sink[v]) return 1;
  while (g->at[v] < g->start[v + 1]) {
    uint32_t w = g->to[g->at[v]++];
    if (g->next[v] != w && enter(g, w, false)) return 0;
  }
  /* the way through v may give v up */
  return used && enter(g, v, false) ? 0 : -1;
}

/* The steps of the path: taken back ones first. */
static void apply(graph *g) {
  for (uint32_t k = 0; k + 1 < g->npath; k++) {
    uint32_t x = g->path[k], y = g->path[k + 1];
    if (x & 1 || !(y & 1) || x / 2 == y / 2) continue;
    g->next[y / 2] = FREE; /* in front of x, back to behind y */
    g->prev[x / 2] = FREE;
  }
  g->prev[g->path[0] / 2] = END;
  for (uint32_t k = 0; k + 1 < g->npath; k++) {
    uint32_t x = g->path[k], y = g->path[k + 1];
    if (!(x & 1) || y & 1 || x / 2 == y / 2) continue;
    g->next[x / 2] = y / 2;
    g->prev[y / 2] = x / 2;
  }
  g->next[g->path[g->npath - 1] / 2] = END;
}

static uint32_t sweep(graph *g) {
  uint32_t found = 0;
  memset(g->seen, 0, g->n);
  memcpy(g->at, g->start, (size_t)g->n * sizeof *g->at);
  for (uint32_t v = 0; v < g->n; v++) {
    if (!g->source[v]) continue;
    g->npath = 0;
    if (!enter(g, v, false)) continue;
    while (g->npath) {
      int way = advance(g);
      if (way < 0) g->npath--;
      if (way <= 0) continue;
      apply(g);
      found++;
      break;
    }
  }
  return found;
}

static void *zeros(size_t n, size_t size) {
  void *p = calloc(n ? n : 1, size);
  if (!p) arena_oom_hook();
  return p;
}

/* Edges between nodes of this level, as positions in it. */
static void edges(graph *g, const bristol_level *l) {
  g->start = zeros((size_t)l->n + 2, sizeof *g->start);
  for (int fill = 0; fill < 2; fill++) {
    for (uint32_t k = 0; k < l->n; k++) {
      uint32_t v = l->node[k];
      if (l->c->is_and[v]) continue;
      const uint32_t arg[2] = {l->c->a[v], l->c->b[v]};
      for (int j = 0; j < 2; j++) {
        if (l->level[arg[j]] != l->number) continue;
        uint32_t from = l->at[arg[j]];
        if (fill) g->to[g->start[from + 1]++] = k;
        else g->start[from + 2]++;
      }
    }
    if (fill) break;
    for (uint32_t k = 0; k < l->n; k++) g->start[k + 2] += g->start[k + 1];
    g->to = zeros(g->start[l->n + 1], sizeof *g->to);
  }
}

uint32_t bristol_cut(const bristol_level *l) {
  const bristol *c = l->c;
  graph g = {.n = l->n};
  uint8_t *source = zeros(l->n, 1), *sink = zeros(l->n, 1);
  uint32_t ands = 0, size = 0;
  for (uint32_t k = 0; k < l->n; k++) {
    l->at[l->node[k]] = k;
    source[k] = c->is_and[l->node[k]];
    sink[k] = l->target[l->node[k]];
    ands += source[k];
  }
  edges(&g, l);
  g.source = source;
  g.sink = sink;
  g.prev = zeros(l->n, sizeof *g.prev);
  g.next = zeros(l->n, sizeof *g.next);
  g.at = zeros(l->n, sizeof *g.at);
  g.seen = zeros(l->n, 1);
  g.path = zeros((size_t)l->n * 2, sizeof *g.path);
  memset(g.prev, 0xff, (size_t)l->n * sizeof *g.prev);
  memset(g.next, 0xff, (size_t)l->n * sizeof *g.next);
  int turn = 0;
  while (turn < SWEEPS && sweep(&g)) turn++;
  if (turn < SWEEPS)
    for (uint32_t k = 0; k < l->n; k++)
      size += l->cut[l->node[k]] = g.seen[k] == 1;
  if (turn == SWEEPS || size >= ands) { /* nothing won */
    for (uint32_t k = 0; k < l->n; k++) l->cut[l->node[k]] = source[k];
    size = ands;
  }
  free(source);
  free(sink);
  free(g.start);
  free(g.to);
  free(g.prev);
  free(g.next);
  free(g.at);
  free(g.seen);
  free(g.path);
  return size;
}
