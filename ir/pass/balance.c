/* balance: products of many shares become trees of least depth.
 *
 * A maximal tree of multiplications whose inner nodes are used once is taken
 * apart; its public factors are multiplied first, its shares pairwise, the
 * shallowest first (Huffman's rule for max + 1).  Equal factors are paired next
 * to each other, so that cse turns powers into squares.  Trees of sums need
 * nothing: additions on products are free, so their depth is that of the
 * deepest term whatever the shape.
 * Needs: stage high.  Keeps: the number of multiplications.  Linear.
 * Source: Golumbic 1976 (combinatorial merging).
 *
 *   ((%a * %b) * %c) * %d         ->  (%a * %b) * (%c * %d)
 */
#include <stdlib.h>

#include "base/vec.h"
#include "ir/pass/util.h"

typedef struct leaf {
  ir_value *v;
  uint32_t depth;
  uint32_t order;
} leaf;

typedef struct balance {
  ir_module *m;
  arena *a;
  uint32_t *uses;          /* by id */
  uint32_t *depth, *share; /* by id: levels to it as a product, as a share */
  uint32_t n;
  VEC(ir_value *) work;
  bool changed;
} balance;

static bool old(const balance *z, const ir_value *v) { return v->id < z->n; }

static uint32_t share_depth(const balance *z, const ir_value *v) {
  return old(z, v) ? z->share[v->id] : 0;
}

/* Depth of every value, forward.  A region counts one level: what matters is
 * that its results come late. */
static void depths(balance *z, ir_block *b, uint32_t base) {
  for (uint32_t k = 0; k < b->nparam; k++)
    z->depth[b->param[k]->id] = z->share[b->param[k]->id] = base;
  for (ir_inst *i = b->first; i; i = i->next) {
    uint32_t d = base, e = base;
    bool prod = i->op == OP_PROD && i->res[0]->ty.kind == KIND_SH;
    bool mul = pass_is_share_mul(i) || prod;
    bool waits = mul || pass_interacts(i) || i->nregion;
    for (uint32_t k = 0; k < i->narg; k++) {
      uint32_t s = z->share[i->arg[k]->id];
      uint32_t p = waits ? s : z->depth[i->arg[k]->id];
      if (p > d) d = p;
      if (s > e) e = s;
    }
    if (pass_interacts(i) || i->nregion) d++;
    for (uint64_t n = prod ? i->at.inner : 0; n > 2; n = n - n / 2) d++;
    for (uint32_t r = 0; r < i->nregion; r++) depths(z, i->region[r], d);
    for (uint32_t k = 0; k < i->nres; k++) {
      z->depth[i->res[k]->id] = d;
      z->share[i->res[k]->id] = waits ? d + mul : e;
    }
  }
}

static void count(ir_inst *i, void *user) {
  balance *z = user;
  for (uint32_t k = 0; k < i->narg; k++) z->uses[i->arg[k]->id]++;
}

/* A node that the tree of `root` may swallow. */
static bool inner(const balance *z, const ir_value *v, const ir_value *root) {
  const ir_inst *d = v->def;
  return d && d->op == OP_MUL && v->ty.kind == KIND_SH &&
         v->ty.dom == DOM_P && v->ty.lanes == root->ty.lanes &&
         (v == root || (old(z, v) && z->uses[v->id] == 1 &&
                        d->block == root->def->block));
}

static int by_depth(const void *x, const void *y) {
  const leaf *a = x, *b = y;
  if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
  if (a->v->id != b->v->id) return a->v->id < b->v->id ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

/* Multiplies the leaves, sorted by depth: those of one level in pairs; one left
 * over goes up a level. */
static ir_value *merge(balance *z, ir_builder *b, leaf *l, uint32_t n,
                       uint32_t *depth) {
  leaf *cur = ARENA_ARR(z->a, leaf, n + 1);
  leaf *next = ARENA_ARR(z->a, leaf, n + 1);
  uint32_t nc = 0, taken = 0, d = l[0].depth;
  for (;; d++) {
    while (taken < n && l[taken].depth <= d) cur[nc++] = l[taken++];
    if (nc == 1 && taken == n) break;
    uint32_t nn = 0;
    if (nc < 2) { /* nothing to pair here: on to the next leaf's level */
      if (taken < n) d = l[taken].depth - 1;
      continue;
    }
    for (uint32_t k = 0; k + 1 < nc; k += 2)
      next[nn++].v = ir_op2(b, OP_MUL, cur[k].v, cur[k + 1].v);
    if (nc & 1) next[nn++] = cur[nc - 1];
    leaf *t = cur;
    cur = next;
    next = t;
    nc = nn;
  }
  *depth = d;
  return cur[0].v;
}

static ir_value *times(ir_builder *b, ir_value *x, ir_value *y) {
  return x ? ir_op2(b, OP_MUL, x, y) : y;
}

static void rebuild(balance *z, ir_inst *i) {
  ir_value *root = i->res[0], *pub = NULL, *wide = NULL;
  VEC(leaf) leaves = {0};
  VEC(ir_value *) open = {0};
  ir_builder b = pass_before(z->m, i);
  bool even = true;
  uint32_t nodes = 0;
  z->work.n = 0;
  vec_push(z->a, &z->work, root);
  while (z->work.n) {
    ir_value *v = z->work.p[--z->work.n];
    if (inner(z, v, root)) {
      nodes++;
      vec_push(z->a, &z->work, v->def->arg[1]);
      vec_push(z->a, &z->work, v->def->arg[0]);
    } else if (v->ty.kind == KIND_PUB) {
      vec_push(z->a, &open, v);
    } else {
      even &= v->ty.lanes == root->ty.lanes;
      leaf x = {v, share_depth(z, v), (uint32_t)leaves.n};
      vec_push(z->a, &leaves, x);
    }
  }
  if (nodes < 2 || leaves.n < 2 || !even) return;
  qsort(leaves.p, leaves.n, sizeof *leaves.p, by_depth);
  uint32_t d;
  ir_value *v = merge(z, &b, leaves.p, (uint32_t)leaves.n, &d);
  for (size_t k = 0; k < open.n; k++) {
    ir_value **p = open.p[k]->ty.lanes == 1 ? &pub : &wide;
    *p = times(&b, *p, open.p[k]);
  }
  if (wide) pub = times(&b, pub, wide);
  if (pub) v = ir_op2(&b, OP_MUL, v, pub);
  pass_replace(root, pass_fit(&b, v, root->ty.range));
  z->changed = true;
}

/* Roots: multiplications that no other tree swallows. */
static void balance_block(balance *z, ir_block *b) {
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    for (uint32_t r = 0; r < i->nregion; r++) balance_block(z, i->region[r]);
    if (i->tmp) rebuild(z, i);
  }
}

static void find_roots(ir_inst *i, void *user) {
  balance *z = user;
  if (i->op == OP_MUL && i->res[0]->ty.kind == KIND_SH) i->tmp = i;
  for (uint32_t k = 0; i->op == OP_MUL && k < 2; k++)
    if (i->tmp && inner(z, i->arg[k], i->res[0]) && i->arg[k]->def != i)
      i->arg[k]->def->tmp = NULL;
}

bool pass_balance(ir_module *m, pass_ctx *cx) {
  balance z = {.m = m, .a = cx->scratch, .n = ir_number(m)};
  z.uses = ARENA_ARR(z.a, uint32_t, z.n + 1);
  z.depth = ARENA_ARR(z.a, uint32_t, z.n + 1);
  z.share = ARENA_ARR(z.a, uint32_t, z.n + 1);
  ir_walk(m->body, count, &z);
  depths(&z, m->body, 0);
  ir_walk(m->body, find_roots, &z);
  balance_block(&z, m->body);
  pass_resolve_block(m->body);
  return z.changed;
}
