#include "random_circuit.h"

#include <string.h>

#include "base/vec.h"
#include "kit.h"

enum { MAX_LANES = 600, MAX_BITS = 700, OPS = 14, DEPTH = 3 };

typedef struct gen {
  uint64_t s;
  arena *a;
  ir_module *m;
  ir_builder b;
  VEC(ir_value *) pool; /* values in scope */
  unsigned products;    /* secret products so far: bounds the rounds */
  unsigned told, checks, typed;
} gen;

static uint64_t next(gen *g) { /* splitmix64 */
  uint64_t z = g->s += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t below(gen *g, uint64_t n) { return next(g) % n; }

static void keep(gen *g, ir_value *v) { vec_push(g->a, &g->pool, v); }

static const char *shape(gen *g, uint64_t lanes) {
  return lanes == 1 ? "" : arena_printf(g->a, "[%u]", (unsigned)lanes);
}

/* ---- choosing operands ---- */

typedef bool (*want)(const ir_value *v);

static bool want_z(const ir_value *v) { return v->ty.dom == DOM_Z; }
static bool want_p(const ir_value *v) { return v->ty.dom == DOM_P; }
static bool want_pub(const ir_value *v) {
  return v->ty.dom == DOM_P && v->ty.kind == KIND_PUB;
}
static bool want_sh(const ir_value *v) {
  return v->ty.dom == DOM_P && v->ty.kind == KIND_SH;
}
static bool want_any(const ir_value *v) {
  (void)v;
  return true;
}

static ir_value *pick(gen *g, want w) {
  for (int k = 0; k < 60; k++) {
    /* recent values more often */
    size_t n = g->pool.n, reach = below(g, 2) && n > 8 ? 8 : n;
    ir_value *v = g->pool.p[n - 1 - below(g, reach)];
    if (w(v)) return v;
  }
  for (size_t k = g->pool.n; k-- > 0;)
    if (w(g->pool.p[k])) return g->pool.p[k];
  return NULL;
}

/* v with as many lanes as asked, by a view that replicates or cuts. */
static ir_value *fit(gen *g, ir_value *v, uint64_t lanes) {
  uint64_t have = v->ty.lanes;
  if (have == lanes) return v;
  if (have > lanes) {
    ir_dim d = {lanes, 1};
    return ir_view(&g->b, v, (int64_t)below(g, have - lanes + 1), &d, 1);
  }
  ir_dim d = {lanes, 0};
  return ir_view(&g->b, v, (int64_t)below(g, have), &d, 1);
}

static ir_value *pick_like(gen *g, want w, const ir_value *x) {
  ir_value *y = pick(g, w);
  if (y->ty.lanes == 1 && below(g, 2)) return y;
  return fit(g, y, x->ty.lanes);
}

static const ir_range *bits_range(gen *g, unsigned bits, bool is_signed) {
  return ir_range_bits(g->m, bits, is_signed);
}

static ir_value *wrapped(gen *g, ir_value *v, unsigned bits, bool is_signed) {
  return ir_ranged(&g->b, OP_WRAP, v, bits_range(g, bits, is_signed));
}

/* Keeps intervals small enough to be run. */
static ir_value *tame(gen *g, ir_value *v) {
  if (v->ty.dom != DOM_Z) return v;
  if (mpz_sizeinbase(v->ty.range->lo, 2) > MAX_BITS ||
      mpz_sizeinbase(v->ty.range->hi, 2) > MAX_BITS)
    return wrapped(g, v, 200, mpz_sgn(v->ty.range->lo) < 0);
  return v;
}

static ir_value *natural(gen *g, ir_value *v) {
  if (mpz_sgn(v->ty.range->lo) >= 0) return v;
  static const unsigned bits[] = {1, 8, 31, 63, 64, 65, 130};
  return wrapped(g, v, bits[below(g, 7)], false);
}

/* Never 0, both signs. */
static ir_value *divisor(gen *g, ir_value *v) {
  static const unsigned bits[] = {1, 3, 16, 40, 64, 90};
  ir_value *d = wrapped(g, v, bits[below(g, 6)], false);
  d = ir_op2(&g->b, OP_ADD, d, ir_const_si(&g->b, DOM_Z, 1, 1));
  return below(g, 2) ? ir_op1(&g->b, OP_NEG, d) : d;
}

/* ---- operations ---- */

static ir_value *gen_const(gen *g) {
  uint64_t lanes = below(g, 3) ? 1 : 1 + below(g, 40);
  mpz_t v;
  mpz_init_set_si(v, (long)below(g, 2000) - 1000);
  if (below(g, 4) == 0) mpz_mul_2exp(v, v, (mp_bitcnt_t)below(g, 150));
  ir_dom d = below(g, 3) ? DOM_Z : DOM_P;
  if (d == DOM_P) mpz_mod(v, v, g->m->p);
  ir_value *c = ir_const(&g->b, d, v, lanes);
  mpz_clear(v);
  return c;
}

static ir_value *gen_table(gen *g) {
  uint64_t n = 2 + below(g, 30);
  mpz_srcptr *t = ARENA_ARR(g->a, mpz_srcptr, n);
  mpz_t v, lo, hi;
  mpz_inits(v, lo, hi, (mpz_ptr)NULL);
  bool wide = below(g, 3) == 0, field = below(g, 3) == 0;
  for (uint64_t k = 0; k < n; k++) {
    mpz_set_si(v, (long)below(g, 5000) - 2500);
    if (wide) mpz_mul_2exp(v, v, 90);
    if (field) mpz_mod(v, v, g->m->p);
    if (!k || mpz_cmp(v, lo) < 0) mpz_set(lo, v);
    if (!k || mpz_cmp(v, hi) > 0) mpz_set(hi, v);
    t[k] = ir_mpz(g->m, v);
  }
  ir_type ty = ir_ty(field ? DOM_P : DOM_Z, KIND_PUB, n,
                     ir_range_get(g->m, lo, hi));
  ir_inst *i = ir_emit(&g->b, OP_TABLE, NULL, 0, &ty, 1);
  i->at.table = t;
  mpz_clears(v, lo, hi, (mpz_ptr)NULL);
  return i->res[0];
}

static ir_value *gen_z(gen *g) {
  static const ir_op op[] = {OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_RDIV,
                             OP_EQ,  OP_LT,  OP_LE,  OP_AND, OP_OR,  OP_XOR,
                             OP_SHL, OP_SHR, OP_NEG, OP_ISQRT, OP_WRAP};
  ir_op o = op[below(g, sizeof op / sizeof *op)];
  ir_value *x = pick(g, want_z), *y = pick_like(g, want_z, x);
  switch (o) {
  case OP_DIV:
  case OP_MOD:
  case OP_RDIV:
    return ir_op2(&g->b, o, x, divisor(g, y));
  case OP_AND:
  case OP_OR:
  case OP_XOR:
    return ir_op2(&g->b, o, natural(g, x), natural(g, y));
  case OP_SHL:
    return tame(g, ir_op2(&g->b, o, x, wrapped(g, y, 4, false)));
  case OP_SHR:
    return ir_op2(&g->b, o, x, wrapped(g, y, 7, false));
  case OP_NEG:
    return ir_op1(&g->b, o, x);
  case OP_ISQRT:
    return ir_op1(&g->b, o, natural(g, x));
  case OP_WRAP: {
    static const unsigned bits[] = {2, 7, 32, 63, 64, 65, 128};
    return wrapped(g, x, bits[below(g, 7)], below(g, 2));
  }
  default:
    return tame(g, ir_op2(&g->b, o, x, y));
  }
}

static ir_value *boolean(gen *g, uint64_t lanes) {
  ir_value *x = pick(g, want_z);
  x = fit(g, x, lanes);
  ir_value *y = pick_like(g, want_z, x);
  return ir_op2(&g->b, below(g, 2) ? OP_LT : OP_LE, x, y);
}

/* An integer that fits the field becomes an element. */
static ir_value *encoded(gen *g) {
  ir_value *x = pick(g, want_z);
  return ir_op1(&g->b, OP_ENC, x);
}

/* ---- operations on shares of integers ---- */

enum { TYPED_LANES = 12, TYPED_BITS = 30, TYPED_MOST = 3 };

static bool want_typed(const ir_value *v) {
  const ir_range *r = v->ty.range;
  return want_sh(v) && r && mpz_sizeinbase(r->lo, 2) <= TYPED_BITS &&
         mpz_sizeinbase(r->hi, 2) <= TYPED_BITS;
}

static ir_value *natural_share(gen *g, ir_value *x) {
  return mpz_sgn(x->ty.range->lo) >= 0
             ? x
             : ir_ranged(&g->b, OP_WRAP, x, bits_range(g, 9, false));
}

static ir_value *gen_typed(gen *g) {
  static const ir_op op[] = {OP_EQ,  OP_LT,  OP_LE,   OP_SELECT, OP_AND,
                             OP_OR,  OP_XOR, OP_SHL,  OP_SHR,    OP_WRAP,
                             OP_DIV, OP_MOD, OP_ISQRT};
  ir_op o = op[below(g, sizeof op / sizeof *op)];
  ir_value *x = pick(g, want_typed), *y = pick(g, want_typed);
  if (!x || g->typed++ >= TYPED_MOST) return NULL;
  if (x->ty.lanes > TYPED_LANES) x = fit(g, x, TYPED_LANES);
  y = fit(g, y, x->ty.lanes);
  switch (o) {
  case OP_SELECT: {
    ir_value *c = ir_op2(&g->b, OP_LT, x, y);
    return ir_select(&g->b, c, x, y);
  }
  case OP_AND:
  case OP_OR:
  case OP_XOR:
    return ir_op2(&g->b, o, natural_share(g, x), natural_share(g, y));
  case OP_SHL:
  case OP_SHR: {
    ir_value *by = below(g, 2)
                       ? ir_ranged(&g->b, OP_WRAP, y, bits_range(g, 3, false))
                       : ir_const_si(&g->b, DOM_Z, (int64_t)below(g, 5), 1);
    return ir_op2(&g->b, o, natural_share(g, x), by);
  }
  case OP_WRAP:
    return ir_ranged(&g->b, OP_WRAP, x,
                     bits_range(g, 1 + (unsigned)below(g, 20), below(g, 2)));
  case OP_ISQRT:
    return ir_op1(&g->b, o, natural_share(g, x));
  default:
    return ir_op2(&g->b, o, x, y);
  }
}

static ir_value *gen_p(gen *g) {
  static const ir_op op[] = {OP_ADD, OP_ADD, OP_SUB, OP_MUL, OP_MUL, OP_NEG,
                             OP_SELECT, OP_EQ, OP_INV, OP_HIDE, OP_ENC};
  ir_op o = op[below(g, sizeof op / sizeof *op)];
  ir_value *x = pick(g, want_p);
  if (!x || o == OP_ENC) return encoded(g);
  ir_value *y = pick_like(g, want_p, x);
  switch (o) {
  case OP_NEG:
    return ir_op1(&g->b, o, x);
  case OP_SELECT: {
    ir_value *c = boolean(g, y->ty.lanes > x->ty.lanes ? y->ty.lanes
                                                       : x->ty.lanes);
    return ir_select(&g->b, c, x, y);
  }
  case OP_EQ: {
    ir_value *u = pick(g, want_pub);
    if (!u) return encoded(g);
    return ir_op2(&g->b, o, u, pick_like(g, want_pub, u));
  }
  case OP_INV: { /* of x^2 + 7-ish constants only: never 0 */
    ir_value *u = wrapped(g, pick(g, want_z), 20, false);
    u = ir_op2(&g->b, OP_ADD, u, ir_const_si(&g->b, DOM_Z, 3, 1));
    return ir_op1(&g->b, OP_INV, ir_op1(&g->b, OP_ENC, u));
  }
  case OP_HIDE: {
    ir_value *u = pick(g, want_pub);
    return ir_op1(&g->b, OP_HIDE, u ? u : encoded(g));
  }
  case OP_MUL:
    if (x->ty.kind == KIND_SH && y->ty.kind == KIND_SH && g->products++ > 12)
      return ir_op2(&g->b, OP_SUB, x, y);
    return ir_op2(&g->b, o, x, y);
  default:
    return ir_op2(&g->b, o, x, y);
  }
}

static bool in_field(const gen *g, const ir_value *v) {
  return v->ty.range && ir_range_in_field(g->m, v->ty.range);
}

static ir_value *gen_open(gen *g) {
  ir_value *x = pick(g, want_sh);
  if (!x) return encoded(g);
  if (below(g, 3) == 0 && x->ty.lanes > 3) x = fit(g, x, 1 + below(g, 3));
  ir_value *o = ir_op1(&g->b, OP_OPEN, x);
  keep(g, o);
  if (!in_field(g, o)) return ir_op1(&g->b, OP_NEG, o);
  const ir_range *r = o->ty.range;
  if (below(g, 40) == 0) r = ir_range_si(g->m, -3, 70000);
  return ir_ranged(&g->b, OP_DEC, o, r);
}

static ir_value *gen_fold(gen *g) {
  ir_value *x = pick(g, want_any);
  uint64_t n = x->ty.lanes, inner = n;
  for (int k = 0; k < 6; k++) {
    uint64_t d = 1 + below(g, n);
    if (n % d == 0) inner = d;
  }
  bool product = below(g, 6) == 0 && inner <= 9;
  if (x->ty.dom == DOM_Z && mpz_sizeinbase(x->ty.range->lo, 2) +
                                    mpz_sizeinbase(x->ty.range->hi, 2) >
                                160)
    product = false;
  if (product && x->ty.kind == KIND_SH && (g->products += 3) > 12)
    product = false;
  return tame(g, ir_fold(&g->b, product ? OP_PROD : OP_SUM, x, inner));
}

/* Axes whose span stays within `room` lanes; at most MAX_LANES results. */
static uint32_t random_dims(gen *g, ir_dim *d, uint64_t room, uint64_t *lanes,
                            int64_t *off, bool distinct) {
  uint32_t nd = 1 + (uint32_t)below(g, 3);
  uint64_t total = 1, used = 0, back = 0, unit = 1;
  for (uint32_t k = nd; k-- > 0;) {
    uint64_t n = 1 + below(g, 7);
    if (total * n > MAX_LANES) n = 1;
    int64_t stride = (int64_t)(distinct ? unit : below(g, room + 1) / 3);
    uint64_t reach = (n - 1) * (uint64_t)stride;
    if (used + back + reach >= room) {
      n = 1;
      reach = 0;
    }
    bool neg = !distinct && below(g, 5) == 0;
    if (neg)
      back += reach;
    else
      used += reach;
    unit *= n;
    total *= n;
    d[k] = (ir_dim){n, neg ? -stride : stride};
  }
  *lanes = total;
  *off = (int64_t)(back + below(g, room - used - back));
  return nd;
}

/* A matrix seen by columns and repeated, as a product of matrices reads it. */
static ir_value *gen_transposed(gen *g, ir_value *x) {
  uint64_t n = x->ty.lanes;
  for (uint64_t r = 2; r < 12; r++) {
    if (n % r || n / r < 2) continue;
    uint64_t c = n / r, times = n * 2 <= MAX_LANES ? 1 + below(g, 2) : 1;
    ir_dim d[3] = {{times, 0}, {c, 1}, {r, (int64_t)c}};
    return ir_view(&g->b, x, 0, d, 3);
  }
  return NULL;
}

static ir_value *gen_move(gen *g) {
  ir_value *x = pick(g, want_any);
  uint64_t n = x->ty.lanes, lanes;
  int64_t off;
  ir_dim d[3];
  switch (below(g, 7)) {
  case 0:
  case 1: {
    ir_value *t = below(g, 2) ? gen_transposed(g, x) : NULL;
    if (t) return t;
    uint32_t nd = random_dims(g, d, n, &lanes, &off, false);
    return ir_view(&g->b, x, off, d, nd);
  }
  case 2: { /* get: run-time offset in 0 .. 2^b - 1 */
    unsigned bits = 0;
    while (bits < 5 && (2u << bits) <= n) bits++;
    if (!bits) return ir_splat(&g->b, x, 1 + below(g, 9));
    uint64_t room = n - (1u << bits) + 1;
    uint32_t nd = random_dims(g, d, room, &lanes, &off, false);
    ir_value *at = wrapped(g, fit(g, pick(g, want_z), 1), bits, false);
    return ir_get(&g->b, x, at, off, d, nd);
  }
  case 3: { /* gather, by rows where they divide x */
    unsigned bits = 0;
    uint64_t row = n > 4 && n % 3 == 0 ? 3 : n > 2 && n % 2 == 0 ? 2 : 1;
    if (below(g, 2)) row = 1;
    while (bits < 6 && (2u << bits) <= n / row) bits++;
    if (!bits) return x;
    return ir_gather_rows(&g->b, x,
                          wrapped(g, pick(g, want_z), bits, false), row);
  }
  case 4:
  case 5: { /* put */
    unsigned bits = 0;
    while (bits < 5 && (2u << bits) <= n) bits++;
    if (!bits) return x;
    uint64_t room = n - (1u << bits) + 1;
    uint32_t nd = random_dims(g, d, room, &lanes, &off, true);
    ir_value *at = wrapped(g, fit(g, pick(g, want_z), 1), bits, false);
    ir_value *part = pick(g, want_any);
    if (below(g, 2)) /* from the array itself */
      part = ir_get(&g->b, x, at, off, d, nd);
    if (x->ty.dom == DOM_Z && part->ty.dom == DOM_P) part = pick(g, want_z);
    part = fit(g, part, lanes);
    return ir_put(&g->b, x, part, at, off, d, nd);
  }
  default: {
    ir_value *y = pick(g, want_any), *both[3] = {x, y, x};
    uint32_t k = 2 + (uint32_t)below(g, 2);
    if (x->ty.lanes * 2 + y->ty.lanes > MAX_LANES) return x;
    return ir_concat(&g->b, both, k);
  }
  }
}

/* ---- control flow ---- */

static void gen_block(gen *g, unsigned ops, unsigned depth);

/* Type of a carried value grown from v, and v as that type. */
static ir_type carried(gen *g, ir_value **v) {
  ir_type ty = (*v)->ty;
  if (ty.dom == DOM_P) {
    ty.range = NULL;
    return ty;
  }
  static const unsigned bits[] = {8, 16, 32, 63, 64, 200};
  *v = wrapped(g, *v, bits[below(g, 6)], below(g, 2));
  return (*v)->ty;
}

/* Something in scope as a value of type ty. */
static ir_value *as_type(gen *g, const ir_type *ty) {
  ir_value *v = NULL;
  if (ty->dom == DOM_Z) {
    v = fit(g, pick(g, want_z), ty->lanes);
    return wrapped(g, v, (unsigned)mpz_sizeinbase(ty->range->hi, 2) +
                             (mpz_sgn(ty->range->lo) < 0),
                   mpz_sgn(ty->range->lo) < 0);
  }
  v = pick(g, ty->kind == KIND_SH ? want_sh : want_pub);
  if (!v) v = encoded(g);
  if (ty->kind == KIND_SH && v->ty.kind == KIND_PUB)
    v = ir_op1(&g->b, OP_HIDE, v);
  return fit(g, v, ty->lanes);
}

/* The carried value itself, changed: by arithmetic, a put, or not at all. */
static ir_value *grown(gen *g, ir_value *p) {
  const ir_type ty = p->ty;
  switch (below(g, 5)) {
  case 0:
    return p;
  case 1:
    return as_type(g, &ty);
  case 2:
    if (ty.lanes >= 4) {
      ir_dim d = {1, 1};
      ir_value *at = wrapped(g, fit(g, pick(g, want_z), 1), 2, false);
      ir_type one = ty;
      one.lanes = 1;
      return ir_put(&g->b, p, as_type(g, &one), at, 0, &d, 1);
    }
    break;
  default:
    break;
  }
  ir_value *y = as_type(g, &ty);
  ir_value *v = ir_op2(&g->b, below(g, 2) ? OP_ADD : OP_SUB, p, y);
  if (ty.dom == DOM_Z)
    v = wrapped(g, v, (unsigned)mpz_sizeinbase(ty.range->hi, 2) +
                          (mpz_sgn(ty.range->lo) < 0),
                mpz_sgn(ty.range->lo) < 0);
  return v;
}

typedef struct scope {
  ir_builder b;
  size_t mark;
} scope;

static scope enter(gen *g, ir_block *b) {
  scope s = {g->b, g->pool.n};
  g->b.b = b;
  g->b.at = NULL;
  return s;
}

static void leave(gen *g, scope s) {
  g->b = s.b;
  g->pool.n = s.mark;
}

static uint32_t choose_carried(gen *g, ir_value **init, ir_type *ty) {
  uint32_t n = 1 + (uint32_t)below(g, 3);
  for (uint32_t k = 0; k < n; k++) {
    init[k] = pick(g, want_any);
    ty[k] = carried(g, &init[k]);
  }
  return n;
}

static void yield_grown(gen *g, ir_value **param, uint32_t n) {
  ir_value *y[4];
  for (uint32_t k = 0; k < n; k++) y[k] = grown(g, param[k]);
  /* sometimes exchange two carried values of one type */
  for (uint32_t k = 1; k < n; k++)
    if (param[k]->ty.dom == param[0]->ty.dom &&
        param[k]->ty.kind == param[0]->ty.kind &&
        param[k]->ty.lanes == param[0]->ty.lanes &&
        param[k]->ty.range == param[0]->ty.range && below(g, 2)) {
      y[0] = param[k];
      y[k] = below(g, 2) ? param[0] : y[k];
    }
  ir_yield(&g->b, y, n);
}

static void gen_for(gen *g, unsigned depth) {
  ir_value *arg[5];
  ir_type ty[4];
  uint32_t n = choose_carried(g, arg + 1, ty);
  uint64_t most = 1 + below(g, 4);
  arg[0] = below(g, 2)
               ? ir_const_si(&g->b, DOM_Z, (int64_t)below(g, most + 1), 1)
               : wrapped(g, fit(g, pick(g, want_z), 1), 2, false);
  ir_block *b = ir_block_new(g->m);
  ir_value *index =
      ir_param(g->m, b, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(g->m, 0, 4)),
               "i");
  ir_value *param[4];
  for (uint32_t k = 0; k < n; k++) param[k] = ir_param(g->m, b, ty[k], "c");
  scope s = enter(g, b);
  keep(g, index);
  for (uint32_t k = 0; k < n; k++) keep(g, param[k]);
  gen_block(g, 2 + (unsigned)below(g, 5), depth + 1);
  yield_grown(g, param, n);
  leave(g, s);
  ir_inst *i = ir_region_inst(&g->b, OP_FOR, arg, n + 1, ty, n, &b, 1);
  for (uint32_t k = 0; k < n; k++) keep(g, i->res[k]);
}

static void gen_while(gen *g, unsigned depth) {
  ir_value *arg[4], *param[4];
  ir_type ty[4];
  uint32_t n = choose_carried(g, arg, ty);
  ir_block *b[2] = {ir_block_new(g->m), ir_block_new(g->m)};
  for (uint32_t k = 0; k < n; k++) param[k] = ir_param(g->m, b[0], ty[k], "w");
  scope s = enter(g, b[0]);
  for (uint32_t k = 0; k < n; k++) keep(g, param[k]);
  gen_block(g, 1 + (unsigned)below(g, 3), depth + 1);
  ir_value *c = boolean(g, 1);
  ir_yield(&g->b, &c, 1);
  leave(g, s);
  for (uint32_t k = 0; k < n; k++) param[k] = ir_param(g->m, b[1], ty[k], "w");
  s = enter(g, b[1]);
  for (uint32_t k = 0; k < n; k++) keep(g, param[k]);
  gen_block(g, 1 + (unsigned)below(g, 4), depth + 1);
  yield_grown(g, param, n);
  leave(g, s);
  ir_inst *i = ir_region_inst(&g->b, OP_WHILE, arg, n, ty, n, b, 2);
  i->at.max = below(g, 5);
  for (uint32_t k = 0; k < n; k++) keep(g, i->res[k]);
}

static void gen_if(gen *g, unsigned depth) {
  ir_value *from[4];
  ir_type ty[4];
  uint32_t n = choose_carried(g, from, ty);
  for (uint32_t k = 0; k < n; k++) keep(g, from[k]);
  ir_value *c = boolean(g, 1);
  ir_block *b[2] = {ir_block_new(g->m), ir_block_new(g->m)};
  for (int r = 0; r < 2; r++) {
    scope s = enter(g, b[r]);
    gen_block(g, 1 + (unsigned)below(g, 4), depth + 1);
    yield_grown(g, from, n);
    leave(g, s);
  }
  ir_inst *i = ir_region_inst(&g->b, OP_IF, &c, 1, ty, n, b, 2);
  for (uint32_t k = 0; k < n; k++) keep(g, i->res[k]);
}

/* ---- effects ---- */

static void gen_check(gen *g) {
  ir_value *x = pick(g, want_z);
  ir_value *c;
  if (below(g, 12)) { /* true: no value exceeds its own upper end */
    ir_value *top = ir_const(&g->b, DOM_Z, x->ty.range->hi, 1);
    c = ir_op2(&g->b, OP_LE, x, top);
  } else {
    c = boolean(g, 1 + below(g, 3));
  }
  ir_check(&g->b, c, arena_printf(g->a, "check \"%u\"", g->checks++));
}

static void gen_tell(gen *g) {
  ir_value *x = pick(g, want_sh);
  if (!x) return;
  mpz_t id;
  mpz_init(id);
  kit_identity(id);
  ir_leaf l = {.name = arena_printf(g->a, "told%u", g->told++),
               .type = "field", .shape = shape(g, x->ty.lanes),
               .top = "told"};
  ir_tell(&g->b, &l, x, ir_const(&g->b, DOM_Z, id, 1));
  mpz_clear(id);
}

static void gen_block(gen *g, unsigned ops, unsigned depth) {
  for (unsigned k = 0; k < ops; k++) {
    ir_value *v = NULL;
    switch (below(g, 26)) {
    case 0:
      v = gen_const(g);
      break;
    case 1:
      v = below(g, 2) ? gen_table(g) : ir_iota(&g->b, 2 + below(g, 50));
      break;
    case 2:
      if (depth < DEPTH) gen_for(g, depth);
      break;
    case 3:
      if (depth < DEPTH) gen_while(g, depth);
      break;
    case 4:
      if (depth < DEPTH) gen_if(g, depth);
      break;
    case 5:
      gen_check(g);
      break;
    case 6:
      if (depth == 0) gen_tell(g);
      break;
    case 7:
    case 8:
      v = gen_open(g);
      break;
    case 24:
    case 25:
      v = gen_typed(g);
      break;
    case 9:
    case 10:
    case 11:
      v = gen_fold(g);
      break;
    case 12:
    case 13:
    case 14:
    case 15:
      v = gen_move(g);
      break;
    case 16:
    case 17:
    case 18:
    case 19:
      v = gen_z(g);
      break;
    default:
      v = gen_p(g);
      break;
    }
    if (v) keep(g, v);
  }
}

static void gen_inputs(gen *g) {
  static const struct {
    const char *type;
    unsigned bits;
    bool is_signed, secret;
  } t[] = {{"u32", 32, false, true},  {"i16", 16, true, true},
           {"field", 0, false, true}, {"u8", 8, false, false},
           {"i64", 64, true, false},  {"u256", 256, false, false},
           {"field", 0, false, false}, {"bool", 1, false, true}};
  unsigned n = 3 + (unsigned)below(g, 4);
  for (unsigned k = 0; k < n; k++) {
    unsigned j = k < 2 ? k * 3 : (unsigned)below(g, 8);
    uint64_t lanes = below(g, 3) ? 1 + below(g, 60) : 1;
    if (below(g, 30) == 0) lanes = 9000; /* several chunks */
    ir_leaf l = {.name = arena_printf(g->a, "in%u", k), .type = t[j].type,
                 .shape = shape(g, lanes), .secret = t[j].secret};
    l.top = l.name;
    bool p = t[j].secret || !t[j].bits;
    ir_type ty = ir_ty(p ? DOM_P : DOM_Z, t[j].secret ? KIND_SH : KIND_PUB,
                       lanes,
                       t[j].bits ? bits_range(g, t[j].bits, t[j].is_signed)
                                 : NULL);
    keep(g, ir_input(&g->b, &l, ty));
  }
}

ir_module *random_circuit(arena *a, uint64_t seed) {
  gen g = {.s = seed, .a = a};
  g.m = ir_module_new(a, "f", 61);
  g.b = (ir_builder){.m = g.m, .b = g.m->body};
  gen_inputs(&g);
  gen_block(&g, OPS + (unsigned)below(&g, 20), 0);
  for (unsigned k = 0; k < 4; k++) {
    ir_value *v = pick(&g, want_any);
    ir_leaf l = {.name = arena_printf(a, "result.%u", k), .type = "value",
                 .shape = shape(&g, v->ty.lanes), .top = "result",
                 .secret = v->ty.kind == KIND_SH};
    ir_output(&g.b, &l, v);
  }
  return g.m;
}
