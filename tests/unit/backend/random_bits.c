/* Random circuits on bits.  Summands of a share are made up by who has it, so
 * they only occur where their sum or exclusive or is taken. */
#include "random_bits.h"

#include "base/vec.h"

enum { OPS = 12, DEPTH = 2, MOST = 300, DIMS = 3, CARRIED = 3 };

typedef struct gen {
  uint64_t s;
  arena *a;
  ir_module *m;
  ir_builder b;
  VEC(ir_value *) pool; /* values of bits in scope */
  VEC(ir_value *) z;    /* public scalars, 0 .. 3 */
  ir_value *words;      /* public integers */
  unsigned outputs;
} gen;

static uint64_t next(gen *g) { /* splitmix64 */
  uint64_t z = g->s += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t below(gen *g, uint64_t n) { return next(g) % n; }

static ir_value *pick(gen *g) {
  size_t n = g->pool.n, reach = below(g, 2) && n > 5 ? 5 : n;
  return g->pool.p[n - 1 - below(g, reach)];
}

static ir_value *scalar(gen *g) { return g->z.p[below(g, g->z.n)]; }

static ir_value *emit1(gen *g, ir_op op, ir_value **arg, uint32_t n,
                       ir_type ty) {
  return ir_emit(&g->b, op, arg, n, &ty, 1)->res[0];
}

static ir_type bits(ir_kind k, uint64_t lanes) {
  return ir_ty(DOM_B, k, lanes, NULL);
}

/* ---- forms ---- */

static ir_value *convert(gen *g, ir_op op, ir_value *x, ir_kind k) {
  return emit1(g, op, &x, 1, bits(k, x->ty.lanes));
}

static ir_value *as_kind(gen *g, ir_value *x, ir_kind k) {
  if (x->ty.kind == KIND_PROD && k != KIND_PROD)
    x = convert(g, OP_REDUCE, x, KIND_SH);
  if (x->ty.kind == KIND_PUB && k != KIND_PUB)
    x = convert(g, OP_HIDE, x, KIND_SH);
  if (x->ty.kind == KIND_SH && k == KIND_PROD)
    x = convert(g, OP_LIFT, x, KIND_PROD);
  if (x->ty.kind == KIND_SH && k == KIND_PUB)
    x = convert(g, OP_OPEN, x, KIND_PUB);
  return x;
}

static ir_value *fit(gen *g, ir_value *x, uint64_t lanes) {
  uint64_t have = x->ty.lanes;
  ir_dim d = {lanes, have > lanes};
  if (have == lanes) return x;
  return ir_view(&g->b, x,
                 (int64_t)below(g, have > lanes ? have - lanes + 1 : have), &d,
                 1);
}

static ir_value *like(gen *g, ir_value *x, const ir_type *ty) {
  return as_kind(g, fit(g, x, ty->lanes), ty->kind);
}

static ir_value *partner(gen *g, const ir_value *x) {
  ir_value *y = pick(g);
  return y->ty.lanes == 1 && below(g, 2) ? y : fit(g, y, x->ty.lanes);
}

/* ---- axes ---- */

/* Distinct lanes within `lanes`, whatever is added below `slack`; true, and the
 * least offset. */
static bool axes(gen *g, uint64_t lanes, uint64_t slack, bool distinct,
                 ir_dim *d, uint32_t *n, int64_t *off) {
  for (int tries = 0; tries < 20; tries++) {
    *n = (uint32_t)below(g, DIMS + 1);
    int64_t run = 1 + (int64_t)below(g, 2), lo, hi;
    for (uint32_t k = *n; k-- > 0;) {
      d[k].n = 1 + below(g, below(g, 3) ? 6 : 70);
      d[k].stride = distinct ? run : (int64_t)below(g, 9) - 3;
      run = run * (int64_t)d[k].n + (int64_t)below(g, 3);
      if (below(g, 3) == 0) d[k].stride = -d[k].stride;
    }
    if (!ir_dims_extent(d, *n, &lo, &hi) || ir_dims_lanes(d, *n) > MOST ||
        hi - lo + (int64_t)slack >= (int64_t)lanes)
      continue;
    *off = -lo + (int64_t)below(g, lanes - (uint64_t)(hi - lo) - slack);
    return true;
  }
  return false;
}

/* ---- operations ---- */

static ir_value *gen_public(gen *g) {
  uint64_t n = 1 + below(g, 90);
  if (below(g, 3) == 0) return ir_const_si(&g->b, DOM_B, below(g, 2), n);
  if (below(g, 2)) {
    mpz_srcptr *t = ARENA_ARR(g->a, mpz_srcptr, n);
    mpz_t v;
    mpz_init(v);
    for (uint64_t k = 0; k < n; k++) {
      mpz_set_ui(v, below(g, 2));
      t[k] = ir_mpz(g->m, v);
    }
    mpz_clear(v);
    ir_value *x = emit1(g, OP_TABLE, NULL, 0, bits(KIND_PUB, n));
    x->def->at.table = t;
    return x;
  }
  uint32_t wide = 1 + (uint32_t)below(g, 12);
  ir_value *z = fit(g, g->words, 1 + below(g, g->words->ty.lanes));
  ir_value *x = emit1(g, OP_UNPACK, &z, 1, bits(KIND_PUB, z->ty.lanes * wide));
  x->def->at.bits = wide;
  return x;
}

static ir_value *gen_two(gen *g) {
  ir_value *x = pick(g), *y = partner(g, x);
  if (below(g, 2)) return ir_op2(&g->b, below(g, 5) ? OP_ADD : OP_SUB, x, y);
  if (x->ty.kind == KIND_PROD && y->ty.kind != KIND_PUB)
    x = as_kind(g, x, KIND_SH);
  if (y->ty.kind == KIND_PROD && x->ty.kind != KIND_PUB)
    y = as_kind(g, y, KIND_SH);
  ir_value *p = ir_op2(&g->b, OP_MUL, x, y);
  if (p->ty.kind == KIND_PROD && below(g, 2)) /* a sum of products */
    return ir_op2(&g->b, OP_ADD, like(g, pick(g), &p->ty), p);
  return p;
}

static ir_value *gen_select(gen *g) {
  ir_value *x = pick(g), *y = partner(g, x);
  uint64_t lanes = x->ty.lanes > y->ty.lanes ? x->ty.lanes : y->ty.lanes;
  ir_value *w = g->words;
  ir_dim d = {lanes, 0};
  if (below(g, 2))
    w = ir_view(&g->b, w, (int64_t)below(g, w->ty.lanes), &d, below(g, 2));
  else
    w = lanes <= w->ty.lanes ? fit(g, w, lanes) : fit(g, w, 1);
  ir_value *c = ir_op2(&g->b, OP_LT, w,
                       ir_const_si(&g->b, DOM_Z, INT64_C(1) << 19, 1));
  return ir_select(&g->b, c, x, y);
}

static ir_value *gen_move(gen *g) {
  ir_value *x = pick(g), *y;
  ir_dim d[DIMS];
  uint32_t n;
  int64_t off;
  switch (below(g, 6)) {
  case 0:
    if (!axes(g, x->ty.lanes, 0, false, d, &n, &off)) break;
    return ir_view(&g->b, x, off, d, n);
  case 1:
    if (!axes(g, x->ty.lanes, 3, false, d, &n, &off)) break;
    return ir_get(&g->b, x, scalar(g), off, d, n);
  case 2:
    if (!axes(g, x->ty.lanes, 3, true, d, &n, &off)) break;
    y = fit(g, pick(g), ir_dims_lanes(d, n));
    return ir_put(&g->b, x, as_kind(g, y, x->ty.kind), scalar(g), off, d, n);
  case 3: {
    ir_value *at = fit(g, g->words, 1 + below(g, g->words->ty.lanes));
    at = ir_op2(&g->b, OP_MOD, at,
                ir_const_si(&g->b, DOM_Z, (int64_t)x->ty.lanes, 1));
    return ir_gather(&g->b, x, at);
  }
  case 4: {
    uint64_t group = 1 + below(g, 9), out = x->ty.lanes / group;
    if (!out) break;
    return ir_fold(&g->b, OP_SUM, fit(g, x, group * out), group);
  }
  default: {
    ir_value *part[3] = {x, pick(g), pick(g)};
    if (x->ty.lanes > MOST / 3) break;
    for (int k = 1; k < 3; k++) {
      if (part[k]->ty.lanes > MOST / 3) part[k] = fit(g, part[k], MOST / 3);
      part[k] = as_kind(g, part[k], x->ty.kind);
    }
    return ir_concat(&g->b, part, 2 + (uint32_t)below(g, 2));
  }
  }
  return fit(g, x, 1 + below(g, 70));
}

/* ---- control ---- */

static void gen_block(gen *g, unsigned ops, unsigned depth);

typedef struct scope {
  ir_builder b;
  size_t pool, z;
} scope;

static scope enter(gen *g, ir_block *b) {
  scope s = {g->b, g->pool.n, g->z.n};
  g->b.b = b;
  return s;
}

static void leave(gen *g, scope s) {
  g->b = s.b;
  g->pool.n = s.pool;
  g->z.n = s.z;
}

static void keep(gen *g, ir_value *v) { vec_push(g->a, &g->pool, v); }

static void yield_like(gen *g, ir_value **from, const ir_type *ty,
                       uint32_t n) {
  ir_value *y[CARRIED];
  for (uint32_t k = 0; k < n; k++) y[k] = like(g, pick(g), &ty[k]);
  for (uint32_t k = 1; k < n; k++) /* some change places */
    if (ty[k].kind == ty[0].kind && ty[k].lanes == ty[0].lanes &&
        below(g, 2)) {
      y[0] = from[k];
      y[k] = from[0];
    }
  ir_yield(&g->b, y, n);
}

static uint32_t carried(gen *g, ir_value **v, ir_type *ty) {
  uint32_t n = 1 + (uint32_t)below(g, CARRIED);
  for (uint32_t k = 0; k < n; k++) {
    v[k] = k && below(g, 2) ? like(g, pick(g), &ty[0]) : pick(g);
    ty[k] = v[k]->ty;
  }
  return n;
}

static void gen_for(gen *g, unsigned depth) {
  ir_value *arg[CARRIED + 1], *param[CARRIED];
  ir_type ty[CARRIED];
  uint32_t n = carried(g, arg + 1, ty);
  arg[0] = scalar(g);
  ir_block *b = ir_block_new(g->m);
  ir_value *index = ir_param(
      g->m, b, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(g->m, 0, 3)), "i");
  for (uint32_t k = 0; k < n; k++) param[k] = ir_param(g->m, b, ty[k], "c");
  scope s = enter(g, b);
  vec_push(g->a, &g->z, index);
  for (uint32_t k = 0; k < n; k++) keep(g, param[k]);
  gen_block(g, 2 + (unsigned)below(g, 4), depth + 1);
  yield_like(g, param, ty, n);
  leave(g, s);
  ir_inst *i = ir_region_inst(&g->b, OP_FOR, arg, n + 1, ty, n, &b, 1);
  for (uint32_t k = 0; k < n; k++) keep(g, i->res[k]);
}

static void gen_if(gen *g, unsigned depth) {
  ir_value *from[CARRIED];
  ir_type ty[CARRIED];
  uint32_t n = carried(g, from, ty);
  ir_value *c = ir_op2(&g->b, OP_LT, scalar(g), scalar(g));
  ir_block *b[2] = {ir_block_new(g->m), ir_block_new(g->m)};
  for (int r = 0; r < 2; r++) {
    scope s = enter(g, b[r]);
    gen_block(g, 1 + (unsigned)below(g, 4), depth + 1);
    yield_like(g, from, ty, n);
    leave(g, s);
  }
  ir_inst *i = ir_region_inst(&g->b, OP_IF, &c, 1, ty, n, b, 2);
  for (uint32_t k = 0; k < n; k++) keep(g, i->res[k]);
}

static void gen_block(gen *g, unsigned ops, unsigned depth) {
  while (ops--) {
    switch (below(g, 16)) {
    case 0:
      if (depth < DEPTH) gen_for(g, depth);
      break;
    case 1:
      if (depth < DEPTH) gen_if(g, depth);
      break;
    case 2:
    case 3:
      keep(g, gen_public(g));
      break;
    case 4:
      keep(g, as_kind(g, pick(g), (ir_kind)below(g, 3)));
      break;
    case 5:
      keep(g, gen_select(g));
      break;
    case 6:
      keep(g, ir_op1(&g->b, OP_NEG, pick(g)));
      break;
    case 7:
    case 8:
    case 9:
    case 10:
      keep(g, gen_move(g));
      break;
    default:
      keep(g, gen_two(g));
    }
  }
}

/* ---- to the field ---- */

static ir_type bit_share(gen *g, uint64_t lanes) {
  return ir_ty(DOM_P, KIND_SH, lanes, ir_range_si(g->m, 0, 1));
}

static ir_value *reduced(gen *g, ir_value *x) {
  return emit1(g, OP_REDUCE, &x, 1,
               ir_ty(DOM_P, KIND_SH, x->ty.lanes, x->ty.range));
}

/* Shared bits as field elements. */
static ir_value *to_field(gen *g, ir_value *x) {
  ir_type ty = bit_share(g, x->ty.lanes);
  if (g->m->target.protocol == IR_REP3) {
    ir_value *arg[2] = {emit1(g, OP_XDEAL, &x, 1, ty), x};
    return emit1(g, OP_XJOIN, arg, 2, ty);
  }
  unsigned d = ir_target_summands(&g->m->target);
  ir_type *all = ARENA_ARR(g->a, ir_type, d);
  for (unsigned k = 0; k < d; k++) all[k] = ty;
  ir_inst *i = ir_emit(&g->b, OP_BDEAL, &x, 1, all, d);
  ir_value *two = ir_const_si(&g->b, DOM_P, 2, 1), *v = i->res[0];
  for (unsigned k = 1; k < d; k++) { /* a + b - 2 a b */
    ir_value *w = i->res[k];
    ir_value *p = ir_op2(&g->b, OP_MUL, v, ir_op2(&g->b, OP_MUL, two, w));
    v = reduced(g, ir_op2(&g->b, OP_SUB, ir_op2(&g->b, OP_ADD, v, w), p));
  }
  return v;
}

/* A share from the bits of its summands, cut in two. */
static ir_value *through_bits(gen *g, ir_value *x) {
  uint64_t lanes = x->ty.lanes;
  unsigned k = g->m->k, d = ir_target_summands(&g->m->target);
  unsigned cut = 1 + (unsigned)below(g, k - 1);
  ir_op op = g->m->target.protocol == IR_REP3 ? OP_SPLIT : OP_DEAL;
  ir_type *ty = ARENA_ARR(g->a, ir_type, d);
  ir_value **part = ARENA_ARR(g->a, ir_value *, 2 * d);
  for (unsigned half = 0; half < 2; half++) {
    unsigned n = half ? k - cut : cut;
    for (unsigned j = 0; j < d; j++) ty[j] = bits(KIND_SH, n * lanes);
    ir_inst *i = ir_emit(&g->b, op, &x, 1, ty, d);
    i->at.bits = n;
    i->at.off = half ? cut : 0;
    for (unsigned j = 0; j < d; j++) part[2 * j + half] = i->res[j];
  }
  ir_value *f = to_field(g, ir_concat(&g->b, part, 2 * d));
  mpz_srcptr *t = ARENA_ARR(g->a, mpz_srcptr, k);
  mpz_t v;
  mpz_init_set_ui(v, 1);
  for (unsigned j = 0; j < k; j++, mpz_mul_2exp(v, v, 1))
    t[j] = ir_mpz(g->m, v);
  mpz_clear(v);
  ir_value *pow = emit1(g, OP_TABLE, NULL, 0,
                        ir_ty(DOM_P, KIND_PUB, k, NULL));
  pow->def->at.table = t;
  ir_dim each[3] = {{d, 0}, {k, 1}, {lanes, 0}};
  ir_dim turn[2] = {{lanes, 1}, {(uint64_t)d * k, (int64_t)lanes}};
  f = ir_op2(&g->b, OP_MUL, f, ir_view(&g->b, pow, 0, each, 3));
  return ir_fold(&g->b, OP_SUM, ir_view(&g->b, f, 0, turn, 2),
                 (uint64_t)d * k);
}

/* ---- the circuit ---- */

static const char *shape(gen *g, uint64_t lanes) {
  return lanes == 1 ? "" : arena_printf(g->a, "[%u]", (unsigned)lanes);
}

static ir_value *input(gen *g, const char *name, const char *type,
                       ir_type ty) {
  ir_leaf l = {.name = name, .type = type, .top = name,
               .shape = shape(g, ty.lanes), .secret = ty.kind == KIND_SH};
  return ir_input(&g->b, &l, ty);
}

static void output(gen *g, ir_value *v) {
  ir_leaf l = {.name = arena_printf(g->a, "result.%u", g->outputs++),
               .type = "value", .top = "result",
               .shape = shape(g, v->ty.lanes), .secret = v->ty.kind == KIND_SH};
  ir_output(&g->b, &l, v);
}

static void give(gen *g, ir_value *x) {
  uint64_t n = x->ty.lanes;
  uint32_t wide = n % 3 == 0 ? 3 : 1;
  if (g->m->target.protocol && below(g, 2)) {
    output(g, to_field(g, as_kind(g, x, KIND_SH)));
    return;
  }
  x = as_kind(g, x, KIND_PUB);
  ir_value *z = emit1(g, OP_PACK, &x, 1,
                      ir_ty(DOM_Z, KIND_PUB, n / wide,
                            ir_range_bits(g->m, wide, false)));
  z->def->at.bits = wide;
  output(g, z);
}

ir_module *random_bits(arena *a, uint64_t seed, ir_target target) {
  gen g = {.s = seed, .a = a};
  g.m = ir_module_new(a, "f", 61);
  g.m->stage = IR_CORE;
  g.m->target = target;
  g.b = (ir_builder){.m = g.m, .b = g.m->body};
  g.words = input(&g, "words", "u20",
                  ir_ty(DOM_Z, KIND_PUB, 1 + below(&g, 40),
                        ir_range_bits(g.m, below(&g, 4) ? 20 : 80, false)));
  for (int k = 0; k < 2; k++)
    vec_push(a, &g.z,
             input(&g, k ? "n" : "m", "u2",
                   ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(g.m, 0, 3))));
  keep(&g, gen_public(&g));
  keep(&g, as_kind(&g, gen_public(&g), KIND_SH));
  keep(&g, as_kind(&g, gen_public(&g), KIND_SH));
  gen_block(&g, OPS + (unsigned)below(&g, 20), 0);
  for (unsigned k = 0; k < 4; k++) give(&g, pick(&g));
  if (target.protocol)
    output(&g, through_bits(&g, input(&g, "x", "field",
                                      ir_ty(DOM_P, KIND_SH, 1 + below(&g, 9),
                                            NULL))));
  return g.m;
}
