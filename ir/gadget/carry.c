/* Carries.  A node spans neighbouring positions: G is its carry out for a carry
 * in of 0, P tells whether it passes a carry on.
 *
 *   leaf      G = s c                       P = q = s ^ c
 *   extend    G = s ^ q (s ^ G'),           P = q P'      by one position
 *   combine   G = G_hi ^ P_hi G_lo,         P = P_hi P_lo
 *
 * Extending saves the leaf's product: maj(s, c, G) = s ^ (s ^ c)(s ^ G).  A
 * chain of n - 1 extensions is n - 1 deep, a tree ceil(log2 n); the cheapest
 * mixture of least depth is planned once, by dynamic programming.  Sums of
 * products stay products until they are multiplied (pass lazy), so a level is a
 * round.
 */
#include <string.h>

#include "ir/gadget/gadget.h"

#define LEVELS 11

/* INNER needs P.  FIRST holds position 0, FROM_W the carry-in as well: no P. */
typedef enum { INNER, FIRST, FROM_W, SHAPES } shape;

typedef struct carry_plan {
  uint16_t cost[SHAPES][LEVELS][GD_PLANES]; /* products; UINT16_MAX: none */
  uint16_t low[SHAPES][LEVELS][GD_PLANES];  /* 1 + positions of the lower part;
                                               0: a chain */
} carry_plan;

static void plan_one(carry_plan *t, shape s, uint32_t lv, uint32_t n) {
  uint32_t best = UINT16_MAX, low = 0;
  uint32_t chain = s == FROM_W ? lv : lv + 1;
  uint32_t each = s == INNER ? 2 : 1;
  if (n <= chain && (n || s == FROM_W))
    best = s == INNER ? 2 * n - 1 : n;
  for (uint32_t a = s != FROM_W; lv && a < n; a++) {
    uint32_t x = t->cost[s][lv - 1][a], y = t->cost[INNER][lv - 1][n - a];
    if (x == UINT16_MAX || y == UINT16_MAX || x + y + each >= best) continue;
    best = x + y + each;
    low = a + 1;
  }
  t->cost[s][lv][n] = (uint16_t)best;
  t->low[s][lv][n] = (uint16_t)low;
}

static carry_plan *plan_of(gadget *g) {
  if (g->plan) return g->plan;
  g->plan = ARENA_NEW(g->a, carry_plan);
  for (uint32_t lv = 0; lv < LEVELS; lv++)
    for (uint32_t n = 0; n < g->b.m->k + GD_MORE; n++)
      for (int s = 0; s < SHAPES; s++) plan_one(g->plan, (shape)s, lv, n);
  return g->plan;
}

/* ---- the tree, as steps by level ---- */
typedef struct node {
  gd_plane g, p;
  uint32_t level;
} node;

typedef struct step {
  enum { LEAF, EXTEND, COMBINE } kind;
  bool pass; /* P is needed */
  uint32_t at, lo, hi, to; /* position; nodes */
} step;

typedef struct tree {
  gadget *g;
  uint64_t lanes;
  gd_plane s, c, q; /* first plane of each */
  node n[4 * GD_PLANES];
  step st[4 * GD_PLANES];
  uint32_t nn, ns;
} tree;

static uint32_t new_node(tree *t, uint32_t level) {
  t->n[t->nn].level = level;
  return t->nn++;
}

static uint32_t add_step(tree *t, step s, uint32_t level) {
  s.to = new_node(t, level);
  t->st[t->ns++] = s;
  return s.to;
}

static uint32_t plan_chain(tree *t, shape s, uint32_t from, uint32_t n,
                           uint32_t w) {
  uint32_t at = w, k = 0;
  bool pass = s == INNER;
  if (s != FROM_W)
    at = add_step(t, (step){.kind = LEAF, .at = from + k++, .pass = pass}, 0);
  for (; k < n; k++)
    at = add_step(t,
                  (step){.kind = EXTEND, .pass = pass, .at = from + k,
                         .lo = at},
                  t->n[at].level + 1);
  return at;
}

static uint32_t plan_tree(tree *t, const carry_plan *p, shape s, uint32_t lv,
                          uint32_t from, uint32_t n, uint32_t w) {
  uint32_t low = p->low[s][lv][n];
  if (!low) return plan_chain(t, s, from, n, w);
  uint32_t a = low - 1;
  uint32_t x = plan_tree(t, p, s, lv - 1, from, a, w);
  uint32_t y = plan_tree(t, p, INNER, lv - 1, from + a, n - a, w);
  uint32_t l = t->n[x].level > t->n[y].level ? t->n[x].level : t->n[y].level;
  return add_step(
      t, (step){.kind = COMBINE, .pass = s == INNER, .lo = x, .hi = y}, l + 1);
}

/* ---- writing ---- */
typedef enum { TAKE_S, TAKE_C, TAKE_Q, G_LO, G_HI, P_LO, P_HI } column;

static gd_plane plane_of(const tree *t, const step *s, column c) {
  switch (c) {
  case TAKE_S: return (gd_plane){t->s.v, t->s.at + s->at};
  case TAKE_C: return (gd_plane){t->c.v, t->c.at + s->at};
  case TAKE_Q: return (gd_plane){t->q.v, t->q.at + s->at};
  case G_LO: return t->n[s->lo].g;
  case G_HI: return t->n[s->hi].g;
  case P_LO: return t->n[s->lo].p;
  default: return t->n[s->hi].p;
  }
}

static ir_value *take(tree *t, step *const *s, uint32_t n, column c) {
  gd_plane p[GD_PLANES];
  for (uint32_t k = 0; k < n; k++) p[k] = plane_of(t, s[k], c);
  return gd_take(t->g, t->lanes, p, n);
}

static void write_steps(tree *t, step **s, uint32_t n) {
  if (!n) return;
  gadget *g = t->g;
  ir_value *v;
  column pass = TAKE_Q;
  if (s[0]->kind == LEAF) {
    v = gd_and(g, take(t, s, n, TAKE_S), take(t, s, n, TAKE_C));
  } else if (s[0]->kind == EXTEND) {
    ir_value *x = take(t, s, n, TAKE_S);
    v = gd_and(g, take(t, s, n, TAKE_Q), gd_xor(g, x, take(t, s, n, G_LO)));
    v = gd_xor(g, x, v);
  } else {
    pass = P_HI;
    v = gd_and(g, take(t, s, n, P_HI), take(t, s, n, G_LO));
    v = gd_xor(g, take(t, s, n, G_HI), v);
  }
  for (uint32_t k = 0; k < n; k++) t->n[s[k]->to].g = (gd_plane){v, k};
  uint32_t np = 0;
  for (uint32_t k = 0; k < n; k++) {
    if (!s[k]->pass) continue;
    if (s[k]->kind == LEAF)
      t->n[s[k]->to].p = plane_of(t, s[k], TAKE_Q);
    else
      s[np++] = s[k];
  }
  if (!np) return;
  v = gd_and(g, take(t, s, np, pass), take(t, s, np, P_LO));
  for (uint32_t k = 0; k < np; k++) t->n[s[k]->to].p = (gd_plane){v, k};
}

static void write_tree(tree *t, uint32_t levels) {
  for (uint32_t l = 0; l <= levels; l++)
    for (int kind = LEAF; kind <= COMBINE; kind++) {
      step *s[4 * GD_PLANES];
      uint32_t n = 0;
      for (uint32_t k = 0; k < t->ns; k++)
        if ((int)t->st[k].kind == kind && t->n[t->st[k].to].level == l)
          s[n++] = &t->st[k];
      write_steps(t, s, n);
    }
}

static void init_tree(tree *t, gadget *g, uint64_t lanes, ir_value *s,
                      ir_value *c) {
  memset(t, 0, sizeof *t);
  t->g = g;
  t->lanes = lanes;
  t->s = (gd_plane){s, 0};
  t->c = (gd_plane){c, 0};
  t->q = (gd_plane){gd_xor(g, s, c), 0};
}

/* The carry out of position 0 with a public carry-in: one product, in the round
 * of the leaves. */
static ir_value *first_carry(tree *t, ir_value *w) {
  gadget *g = t->g;
  ir_value *s = gd_planes(g, t->s.v, t->lanes, 0, 1);
  ir_value *q = gd_planes(g, t->q.v, t->lanes, 0, 1);
  return gd_xor(g, s, gd_and(g, q, gd_xor(g, s, w)));
}

ir_value *gd_carry(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                   uint32_t n, ir_value *w) {
  if (!n) return w ? w : gd_const(g, 0, lanes);
  const carry_plan *p = plan_of(g);
  tree t;
  init_tree(&t, g, lanes, s, c);
  if (w && w->ty.kind == KIND_PUB) {
    w = first_carry(&t, w);
    if (n == 1) return w;
    t.s.at = t.c.at = t.q.at = 1;
    n--;
  }
  shape k = w ? FROM_W : FIRST;
  uint32_t lv = 0, start = 0;
  if (w) {
    start = new_node(&t, 0);
    t.n[start].g = (gd_plane){w, 0};
  }
  while (p->cost[k][lv][n] == UINT16_MAX) lv++;
  uint32_t root = plan_tree(&t, p, k, lv, 0, n, start);
  write_tree(&t, lv);
  return gd_planes(g, t.n[root].g.v, lanes, t.n[root].g.at, 1);
}

/* ---- all carries ---- */
/* Carries out of items 0 .. n-1, by Sklansky's tree: at level l, item i with
 * bit l set takes in the last item of the half block below.  Item 0 may be a
 * carry w; item i is position i - base.  Where `around`, P of every prefix too. */
static void prefixes(tree *t, uint32_t n, ir_value *w, bool around) {
  uint32_t base = w != NULL;
  for (uint32_t i = 0; i < n; i++) {
    new_node(t, 0);
    if (i < base)
      t->n[i].g = (gd_plane){w, 0};
    else
      t->n[i].p = (gd_plane){t->q.v, t->q.at + i - base};
  }
  for (uint32_t l = 0; l == 0 || (1u << l) < n; l++) {
    step st[GD_PLANES], *s[GD_PLANES];
    uint32_t k = 0;
    for (uint32_t i = base; i < n && l == 0; i++)
      if (!(i & 1)) {
        st[k] = (step){.kind = LEAF, .at = i - base, .to = i};
        s[k] = &st[k];
        k++;
      }
    write_steps(t, s, k);
    k = 0;
    for (uint32_t i = 0; i < n; i++) {
      if (!(i >> l & 1)) continue;
      bool pass = around || i >> (l + 1);
      st[k] = (step){.kind = l ? COMBINE : EXTEND, .pass = pass,
                     .at = i - base, .lo = (i >> l << l) - 1, .hi = i, .to = i};
      s[k] = &st[k];
      k++;
    }
    write_steps(t, s, k);
  }
}

ir_value *gd_sum(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                 uint32_t n, ir_value *w) {
  tree t;
  init_tree(&t, g, lanes, s, c);
  uint32_t items = w ? n : n - 1;
  if (!items) return t.q.v;
  prefixes(&t, items, w, false);
  gd_plane p[GD_PLANES];
  for (uint32_t i = 0; i < items; i++) p[i] = t.n[i].g;
  ir_value *carry = gd_take(g, lanes, p, items);
  if (w) return gd_xor(g, t.q.v, carry);
  ir_value *part[2] = {
      gd_planes(g, t.q.v, lanes, 0, 1),
      gd_xor(g, gd_planes(g, t.q.v, lanes, 1, n - 1), carry)};
  return gd_cat(g, part, 2);
}

ir_value *gd_sum_late(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                      uint32_t n, ir_value *w) {
  tree t;
  init_tree(&t, g, lanes, s, c);
  if (n == 1) return gd_xor(g, t.q.v, w);
  prefixes(&t, n - 1, NULL, true);
  gd_plane gp[GD_PLANES], pp[GD_PLANES];
  for (uint32_t i = 0; i < n - 1; i++) {
    gp[i] = t.n[i].g;
    pp[i] = t.n[i].p;
  }
  ir_value *passed = gd_and(g, gd_take(g, lanes, pp, n - 1),
                            gd_repeat(g, w, n - 1));
  ir_value *part[2] = {
      w, gd_xor(g, gd_take(g, lanes, gp, n - 1), passed)};
  return gd_xor(g, t.q.v, gd_cat(g, part, 2));
}

ir_value *gd_sum_around(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                        uint32_t n) {
  tree t;
  init_tree(&t, g, lanes, s, c);
  prefixes(&t, n, NULL, true);
  gd_plane gp[GD_PLANES], pp[GD_PLANES];
  for (uint32_t i = 0; i < n; i++) {
    gp[i] = t.n[i].g;
    pp[i] = t.n[i].p;
  }
  ir_value *e = gd_take(g, lanes, &gp[n - 1], 1), *part[2] = {e, NULL};
  if (n > 1) {
    ir_dim d[2] = {{n - 1, 0}, {lanes, 1}};
    ir_value *all = ir_view(&g->b, e, 0, d, 2);
    part[1] = gd_xor(g, gd_take(g, lanes, gp, n - 1),
                     gd_and(g, gd_take(g, lanes, pp, n - 1), all));
  }
  return gd_xor(g, t.q.v, gd_cat(g, part, n > 1 ? 2 : 1));
}
