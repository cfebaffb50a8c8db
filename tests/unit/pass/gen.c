#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

#define LANES 24 /* of every array */
#define POOL 64

typedef struct pool {
  ir_value *v[POOL];
  uint32_t n;
} pool;

typedef struct gen {
  ir_module *m;
  uint64_t seed;
  bool branches;
  uint32_t checks, depth, left; /* statements left */
  /* in scope: public scalars, secret scalars, secret arrays, indexes */
  pool z, s, a, i;
} gen;

static uint64_t next(gen *g) {
  uint64_t x = g->seed += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static uint32_t pick(gen *g, uint32_t n) { return (uint32_t)(next(g) % n); }

static void push(pool *p, ir_value *v) {
  if (p->n < POOL) p->v[p->n++] = v;
}

static ir_value *any(gen *g, pool *p) {
  uint32_t late = p->n > 6 && pick(g, 3) ? 6 : p->n;
  return p->v[p->n - 1 - pick(g, late)];
}

/* A public scalar of 0 .. 2^bits - 1. */
static ir_value *wrapped(gen *g, ir_builder *b, ir_value *v, uint32_t bits) {
  return ir_ranged(b, OP_WRAP, v, ir_range_bits(g->m, bits, false));
}

static ir_value *small(ir_builder *b, int64_t c) {
  return ir_const_si(b, DOM_Z, c, 1);
}

/* Secret values carry no range: sums in loops need none. */
static ir_value *loose(ir_value *v) {
  v->ty.range = NULL;
  return v;
}

static void check(gen *g, ir_builder *b, ir_value *cond) {
  char text[32];
  snprintf(text, sizeof text, "check %u", g->checks++);
  ir_check(b, cond, text);
}

/* An index of any value, with a check that it is in bounds: by an assumption,
 * or trusted as it is. */
static ir_value *checked_place(gen *g, ir_builder *b, int64_t last) {
  ir_value *v = wrapped(g, b, any(g, &g->z), pick(g, 3) ? 4 : 5);
  check(g, b, ir_op2(b, OP_LE, v, small(b, last)));
  if (pick(g, 3) == 0) return v;
  return ir_ranged(b, OP_ASSUME, v, ir_range_si(g->m, 0, last));
}

/* An index that its range keeps within an array of LANES less `room`. */
static ir_value *place(gen *g, ir_builder *b, int64_t room) {
  int64_t last = LANES - 1 - room;
  if (pick(g, 12) == 0) return checked_place(g, b, last);
  if (!g->i.n || pick(g, 8) == 0) return small(b, pick(g, (uint32_t)last + 1));
  ir_value *v = any(g, &g->i), *w = any(g, &g->i);
  switch (pick(g, 6)) {
  case 0: v = ir_op2(b, OP_ADD, v, small(b, pick(g, 4))); break;
  case 1:
    v = ir_op2(b, OP_ADD, ir_op2(b, OP_MUL, v, small(b, 1 + pick(g, 5))), w);
    break;
  case 2: v = ir_op2(b, OP_SUB, small(b, last), v); break;
  case 3: v = ir_op2(b, OP_MUL, v, small(b, 1 + pick(g, 4))); break;
  default: break;
  }
  const ir_range *r = v->ty.range;
  if (mpz_sgn(r->lo) < 0 || mpz_cmp_si(r->hi, last) > 0) {
    uint32_t bits = 0;
    while ((2 << bits) - 1 <= last) bits++;
    v = wrapped(g, b, v, bits ? bits : 1);
    if (mpz_cmp_si(v->ty.range->hi, last) > 0) return small(b, 0);
  }
  return v;
}

static ir_value *read1(gen *g, ir_builder *b) {
  ir_dim one = {1, 1};
  return ir_get(b, any(g, &g->a), place(g, b, 0), 0, &one, 1);
}

static ir_value *secret(gen *g, ir_builder *b) {
  return g->s.n && pick(g, 2) ? any(g, &g->s) : read1(g, b);
}

/* Public 0 or 1. */
static ir_value *condition(gen *g, ir_builder *b) {
  return ir_op2(b, pick(g, 2) ? OP_LT : OP_EQ,
                wrapped(g, b, any(g, &g->z), 3), small(b, pick(g, 6)));
}

static ir_value *secret_expr(gen *g, ir_builder *b) {
  ir_value *x = secret(g, b), *y = secret(g, b);
  switch (pick(g, 9)) {
  case 0:
  case 1: return loose(ir_op2(b, OP_ADD, x, y));
  case 2: return loose(ir_op2(b, OP_SUB, x, y));
  case 3:
  case 4:
  case 5: return loose(ir_op2(b, OP_MUL, x, y));
  case 6: return loose(ir_op2(b, OP_MUL, x, any(g, &g->z)));
  case 7: return loose(ir_select(b, condition(g, b), x, y));
  default: return loose(ir_op2(b, OP_ADD, x, any(g, &g->z)));
  }
}

static void public_step(gen *g, ir_builder *b) {
  ir_value *x = any(g, &g->z), *y = any(g, &g->z);
  static const ir_op op[] = {OP_ADD, OP_MUL, OP_SUB, OP_XOR, OP_LT, OP_DIV};
  ir_op o = op[pick(g, 6)];
  if (o == OP_DIV && pick(g, 2)) {
    ir_value *zero = ir_op2(b, OP_EQ, y, small(b, 0));
    check(g, b, ir_op2(b, OP_EQ, zero, small(b, 0)));
  } else if (o == OP_DIV) {
    y = ir_op2(b, OP_ADD, wrapped(g, b, y, 4), small(b, 1));
  }
  push(&g->z, wrapped(g, b, ir_op2(b, o, x, y), 10));
}

/* Opens a share and makes a small public integer of it. */
static void open_step(gen *g, ir_builder *b) {
  ir_value *o = ir_op1(b, OP_OPEN, secret_expr(g, b));
  ir_value *c = ir_op2(b, OP_EQ, o, ir_const_si(b, DOM_P, 3, 1));
  push(&g->z, c);
}

static void check_step(gen *g, ir_builder *b) {
  ir_value *v = any(g, &g->z);
  int64_t bound = pick(g, 3) ? 1023 : 3 + pick(g, 40);
  ir_value *c = ir_op2(b, OP_LT, wrapped(g, b, v, 10), small(b, bound));
  check(g, b, c);
}

static void vector_step(gen *g, ir_builder *b) {
  ir_value *x = any(g, &g->a), *y = any(g, &g->a);
  ir_dim d[2] = {{4, 6}, {6, 1}}, t[2] = {{6, 1}, {4, 6}};
  switch (pick(g, 7)) {
  case 0: push(&g->s, loose(ir_fold(b, OP_SUM, x, LANES))); break;
  case 1: push(&g->a, loose(ir_op2(b, OP_MUL, x, y))); break;
  case 2: push(&g->a, loose(ir_op2(b, OP_SUB, x, secret(g, b)))); break;
  case 3: push(&g->a, ir_view(b, x, 0, t, 2)); break;
  case 4: {
    ir_value *p = loose(ir_fold(b, OP_PROD, x, 3));
    push(&g->s, loose(ir_fold(b, OP_SUM, p, LANES / 3)));
    break;
  }
  case 5: {
    ir_value *half[2] = {ir_view(b, x, 0, &(ir_dim){12, 2}, 1),
                         ir_view(b, y, 11, &(ir_dim){12, -1}, 1)};
    push(&g->a, ir_concat(b, half, 2));
    break;
  }
  default: {
    ir_value *idx = ir_op2(b, OP_MUL, ir_iota(b, 4), small(b, 2));
    ir_value *rows = ir_gather_rows(b, x, idx, x->ty.lanes % 3 ? 1 : 3);
    push(&g->s, loose(ir_fold(b, OP_SUM, rows, rows->ty.lanes)));
    (void)d;
    break;
  }
  }
}

static ir_value *write1(gen *g, ir_builder *b, ir_value *array) {
  ir_dim row = {pick(g, 4) ? 1 : 3, 1};
  ir_value *v = secret_expr(g, b);
  ir_value *off = place(g, b, (int64_t)row.n - 1);
  if (pick(g, 3) == 0 && row.n == 1) /* read, change, write */
    v = loose(ir_op2(b, OP_ADD, ir_get(b, array, off, 0, &row, 1), v));
  return loose(ir_put(b, array, v, off, 0, &row, 1));
}

static void statements(gen *g, ir_builder *b, uint32_t n);

typedef struct scope {
  uint32_t z, s, a, i;
} scope;

static scope enter(const gen *g) {
  return (scope){g->z.n, g->s.n, g->a.n, g->i.n};
}

static void leave(gen *g, scope s) {
  g->z.n = s.z;
  g->s.n = s.s;
  g->a.n = s.a;
  g->i.n = s.i;
}

/* Carries a public and a secret scalar, an array, a fresh sum. */
static void loop_step(gen *g, ir_builder *b) {
  static const uint32_t trips[] = {0, 1, 2, 3, 4, 5, 6, 3};
  ir_module *m = g->m;
  uint32_t turns = trips[pick(g, 8)];
  bool counted = !g->branches || pick(g, 4);
  ir_value *trip = counted ? small(b, turns) : wrapped(g, b, any(g, &g->z), 2);
  int64_t last = counted ? (int64_t)turns - 1 : 2;
  ir_value *zero = loose(ir_op1(b, OP_HIDE, ir_const_si(b, DOM_P, 0, 1)));
  ir_value *arg[5] = {trip, any(g, &g->z), secret(g, b), any(g, &g->a), zero};
  uint32_t shape = 1 + pick(g, 31); /* which changes a turn makes */
  ir_type ty[4];
  ir_block *body = ir_block_new(m);
  scope out = enter(g);
  const ir_range *index = ir_range_si(m, 0, last < 0 ? 0 : last);
  ir_value *iv = ir_param(m, body, ir_ty(DOM_Z, KIND_PUB, 1, index), "i");
  arg[1] = wrapped(g, b, arg[1], 10);
  for (uint32_t k = 0; k < 4; k++) {
    ty[k] = arg[k + 1]->ty;
    if (ty[k].dom == DOM_P) ty[k].range = NULL;
    ir_param(m, body, ty[k], NULL);
  }
  ir_value **p = body->param;
  push(&g->i, iv);
  push(&g->z, iv);
  bool use_z = pick(g, 2), use_s = pick(g, 3) == 0;
  if (use_z) push(&g->z, p[1]);
  if (use_s) push(&g->s, p[2]);
  push(&g->a, p[3]);
  g->depth++;
  ir_builder in = {m, body, NULL, {0, 0}};
  statements(g, &in, 1 + pick(g, 3));
  ir_value *y[4] = {p[1], p[2], p[3], p[4]};
  if (shape & 1) y[3] = loose(ir_op2(&in, OP_ADD, p[4], secret_expr(g, &in)));
  if (shape & 2) y[2] = write1(g, &in, pick(g, 4) ? p[3] : any(g, &g->a));
  if (shape & 4) {
    static const ir_op op[] = {OP_ADD, OP_MUL, OP_SUB};
    ir_value *e = pick(g, 3) ? secret(g, &in) : secret_expr(g, &in);
    y[1] = pick(g, 5) ? loose(ir_op2(&in, op[pick(g, 3)], p[2], e)) : e;
  }
  if (shape & 8) {
    ir_value *e = pick(g, 2) ? small(&in, 3) : any(g, &g->z);
    y[0] = wrapped(g, &in, ir_op2(&in, OP_ADD, p[1], e), 10);
  }
  ir_yield(&in, y, 4);
  g->depth--;
  leave(g, out);
  ir_inst *f = ir_region_inst(b, OP_FOR, arg, 5, ty, 4, &body, 1);
  push(&g->z, f->res[0]);
  push(&g->s, f->res[1]);
  push(&g->a, f->res[2]);
  push(&g->s, f->res[3]);
}

static void while_step(gen *g, ir_builder *b) {
  ir_module *m = g->m;
  ir_value *arg[2] = {wrapped(g, b, any(g, &g->z), 3), secret(g, b)};
  ir_type ty[2] = {ir_ty(DOM_Z, KIND_PUB, 1, ir_range_bits(m, 10, false)),
                   arg[1]->ty};
  ty[1].range = NULL;
  ir_block *r[2] = {ir_block_new(m), ir_block_new(m)};
  for (uint32_t k = 0; k < 4; k++) ir_param(m, r[k / 2], ty[k % 2], NULL);
  ir_builder in = {m, r[0], NULL, {0, 0}};
  ir_value *c = ir_op2(&in, OP_LT, r[0]->param[0], small(&in, 8));
  ir_yield(&in, &c, 1);
  in.b = r[1];
  scope out = enter(g);
  push(&g->s, r[1]->param[1]);
  ir_value *y[2];
  y[0] = wrapped(g, &in, ir_op2(&in, OP_ADD, r[1]->param[0], small(&in, 2)),
                 10);
  y[1] = secret_expr(g, &in);
  ir_yield(&in, y, 2);
  leave(g, out);
  ir_inst *w = ir_region_inst(b, OP_WHILE, arg, 2, ty, 2, r, 2);
  w->at.max = 6;
  push(&g->s, w->res[1]);
}

static void if_step(gen *g, ir_builder *b) {
  ir_module *m = g->m;
  ir_value *c = condition(g, b), *array = any(g, &g->a);
  ir_value *x = secret(g, b);
  ir_block *r[2] = {ir_block_new(m), ir_block_new(m)};
  ir_type ty[2] = {ir_ty(DOM_P, KIND_SH, 1, NULL), array->ty};
  ty[1].range = NULL;
  for (uint32_t k = 0; k < 2; k++) {
    scope out = enter(g);
    ir_builder in = {m, r[k], NULL, {0, 0}};
    if (pick(g, 3) == 0) statements(g, &in, 1);
    ir_value *y[2] = {pick(g, 2) ? secret_expr(g, &in) : x,
                      pick(g, 2) ? write1(g, &in, array) : array};
    ir_yield(&in, y, 2);
    leave(g, out);
  }
  ir_inst *i = ir_region_inst(b, OP_IF, &c, 1, ty, 2, r, 2);
  push(&g->s, i->res[0]);
  push(&g->a, i->res[1]);
}

static void statements(gen *g, ir_builder *b, uint32_t n) {
  while (n-- && g->left) {
    g->left--;
    uint32_t k = pick(g, 19);
    if (k < 5 && g->depth < 3)
      loop_step(g, b);
    else if (k < 8)
      push(&g->s, secret_expr(g, b));
    else if (k < 10)
      vector_step(g, b);
    else if (k < 12)
      public_step(g, b);
    else if (k == 12)
      check_step(g, b);
    else if (k == 13)
      open_step(g, b);
    else if (k == 14)
      check_step(g, b);
    else if (k == 15)
      open_step(g, b);
    else if (g->branches && k == 16)
      if_step(g, b);
    else if (g->branches && pick(g, 3) == 0)
      while_step(g, b);
    else
      push(&g->a, write1(g, b, any(g, &g->a)));
  }
}

static void leaf_in(ir_builder *b, pool *p, const char *name,
                    ir_type ty) {
  ir_leaf l = {.name = name, .type = "i8", .shape = ty.lanes > 1 ? "[24]" : "",
               .top = name,
               .secret = ty.kind == KIND_SH};
  push(p, ir_input(b, &l, ty));
}

static void leaf_out(ir_builder *b, uint32_t k, ir_value *v) {
  char name[32];
  snprintf(name, sizeof name, "result.%u", k);
  ir_leaf l = {.name = name, .type = "i8",
               .shape = v->ty.lanes > 1 ? "[24]" : "", .top = "result",
               .secret = v->ty.kind == KIND_SH};
  ir_output(b, &l, v);
}

ir_module *gen_circuit(arena *a, uint64_t seed, bool branches) {
  ir_module *m = ir_module_new(a, "random", 61);
  gen g = {.m = m, .seed = seed, .branches = branches, .left = 16};
  ir_builder b = {m, m->body, NULL, {0, 0}};
  const ir_range *r = ir_range_si(m, -3, 3);
  leaf_in(&b, &g.z, "n", ir_ty(DOM_Z, KIND_PUB, 1,
                                   ir_range_bits(m, 10, false)));
  leaf_in(&b, &g.s, "x", ir_ty(DOM_P, KIND_SH, 1, r));
  leaf_in(&b, &g.a, "xs", ir_ty(DOM_P, KIND_SH, LANES, r));
  leaf_in(&b, &g.a, "ys", ir_ty(DOM_P, KIND_SH, LANES, r));
  push(&g.z, small(&b, 5));
  statements(&g, &b, 6);
  uint32_t k = 0;
  for (uint32_t n = 0; n < 2; n++) leaf_out(&b, k++, any(&g, &g.s));
  leaf_out(&b, k++, any(&g, &g.a));
  leaf_out(&b, k++, any(&g, &g.z));
  leaf_out(&b, k++, g.s.v[g.s.n - 1]);
  leaf_out(&b, k++, g.a.v[g.a.n - 1]);
  return m;
}
