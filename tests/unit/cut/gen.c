#include "gen.h"

#include <stdio.h>

#define LANES 8 /* of every array */
#define POOL 64
#define STATES 3
#define ARRAYS 2

typedef struct pool {
  ir_value *v[POOL];
  uint32_t n;
} pool;

/* What the variables hold here. */
typedef struct vars {
  ir_value *pub[STATES];   /* "$p0" .. */
  ir_value *array[ARRAYS]; /* "$s0" .. */
} vars;

typedef struct gen {
  ir_module *m;
  uint64_t seed;
  uint32_t checks, told, depth, left; /* statements left */
  uint32_t bare;  /* of 8: how often an opened value stays in its pool */
  bool loopy;
  pool z, s;      /* in scope: public scalars, secret scalars of any value */
  pool tiny;      /* secret scalars of -3 .. 3 */
  vars now;
  bool wrote[STATES], put[ARRAYS]; /* anywhere */
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
  uint32_t late = p->n > 4 && pick(g, 3) ? 4 : p->n;
  return p->v[p->n - 1 - pick(g, late)];
}

static ir_value *small(ir_builder *b, int64_t c) {
  return ir_const_si(b, DOM_Z, c, 1);
}

static ir_value *wrapped(gen *g, ir_builder *b, ir_value *v, uint32_t bits) {
  return ir_ranged(b, OP_WRAP, v, ir_range_bits(g->m, bits, false));
}

static ir_value *loose(ir_value *v) {
  v->ty.range = NULL;
  return v;
}

static void check(gen *g, ir_builder *b, ir_value *cond) {
  char text[32];
  snprintf(text, sizeof text, "check %u", g->checks++);
  ir_check(b, cond, text);
}

/* Public 0 or 1. */
static ir_value *condition(gen *g, ir_builder *b) {
  return ir_op2(b, pick(g, 2) ? OP_LT : OP_LE,
                wrapped(g, b, any(g, &g->z), 3), small(b, pick(g, 7)));
}

/* A lane of an array: by its range or behind a check. */
static ir_value *place(gen *g, ir_builder *b) {
  ir_value *v = any(g, &g->z);
  if (pick(g, 3)) return wrapped(g, b, v, 3);
  v = wrapped(g, b, v, 4);
  check(g, b, ir_op2(b, OP_LT, v, small(b, LANES)));
  if (pick(g, 2)) return v;
  return ir_ranged(b, OP_ASSUME, v, ir_range_si(g->m, 0, LANES - 1));
}

/* ---- secret ---- */
static ir_value *secret(gen *g, ir_builder *b) {
  ir_dim one = {1, 1};
  switch (pick(g, 4)) {
  case 0: return any(g, &g->tiny);
  case 1:
    return ir_get(b, g->now.array[pick(g, ARRAYS)], place(g, b), 0, &one, 1);
  case 2:
    return loose(ir_op1(b, OP_HIDE, ir_op1(b, OP_ENC, any(g, &g->z))));
  default: return any(g, &g->s);
  }
}

static ir_value *secret_expr(gen *g, ir_builder *b) {
  ir_value *x = secret(g, b), *y = secret(g, b);
  switch (pick(g, 5)) {
  case 0: return loose(ir_op2(b, OP_ADD, x, y));
  case 1: return loose(ir_op2(b, OP_SUB, x, y));
  case 2: return loose(ir_op2(b, OP_MUL, x, any(g, &g->z)));
  case 3: return loose(ir_select(b, condition(g, b), x, y));
  default: return loose(ir_op2(b, OP_MUL, x, y));
  }
}

static void put_step(gen *g, ir_builder *b) {
  ir_dim one = {1, 1};
  uint32_t k = pick(g, ARRAYS);
  ir_value *v = secret_expr(g, b);
  g->put[k] = true;
  g->now.array[k] =
      loose(ir_put(b, g->now.array[k], v, place(g, b), 0, &one, 1));
}

static void open_step(gen *g, ir_builder *b) {
  if (pick(g, 4) == 0) { /* any value, compared in the field */
    ir_value *o = ir_op1(b, OP_OPEN, secret_expr(g, b));
    push(&g->z, ir_op2(b, OP_EQ, o, ir_const_si(b, DOM_P, pick(g, 4), 1)));
    if (pick(g, 4) == 0) /* the field element itself goes on */
      push(&g->s, loose(ir_op2(b, OP_MUL, any(g, &g->s), o)));
    return;
  }
  ir_value *x = ir_op2(b, OP_ADD, any(g, &g->tiny), any(g, &g->tiny));
  ir_value *o = ir_op1(b, OP_OPEN, x);
  int64_t most = pick(g, 6) ? 6 : 4;
  ir_value *d = ir_ranged(b, OP_DEC, o, ir_range_si(g->m, -most, most));
  if (pick(g, 5) == 0) push(&g->z, ir_op2(b, OP_EQ, o, ir_op1(b, OP_ENC, d)));
  if (pick(g, 8) < g->bare) push(&g->z, wrapped(g, b, d, 10));
}

static void tell_step(gen *g, ir_builder *b) {
  char name[32];
  snprintf(name, sizeof name, "told.%u", g->told++);
  ir_leaf l = {.name = name, .type = "i8", .shape = "", .top = "told"};
  ir_tell(b, &l, secret_expr(g, b), any(g, &g->z));
}

/* ---- public ---- */
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
  ir_value *v = ir_op2(b, o, x, y);
  if (o == OP_SUB && pick(g, 3) == 0) /* through the field: may fail */
    v = ir_ranged(b, OP_DEC, ir_op1(b, OP_ENC, v),
                  ir_range_si(g->m, -1000, 1023));
  push(&g->z, wrapped(g, b, v, 10));
}

static void check_step(gen *g, ir_builder *b) {
  int64_t bound = pick(g, 3) ? 1000 : 3 + pick(g, 200);
  check(g, b, ir_op2(b, OP_LT, any(g, &g->z), small(b, bound)));
}

static const char *const map_name[] = {"$m.a", "$m.b", "$g"};

static void map_step(gen *g, ir_builder *b) {
  uint32_t k = pick(g, 3), n = 0;
  ir_value *arg[3];
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, 1, ir_range_bits(g->m, 10, false));
  bool store = pick(g, 2);
  if (store) arg[n++] = any(g, &g->z);
  arg[n++] = wrapped(g, b, any(g, &g->z), 2);
  if (k == 2) arg[n++] = wrapped(g, b, any(g, &g->z), 1);
  ir_inst *i = ir_emit(b, store ? OP_MSTORE : OP_MLOAD, arg, n, &ty, !store);
  i->at.name = map_name[k];
  if (!store) push(&g->z, i->res[0]);
}

static void emit_step(gen *g, ir_builder *b) {
  static const char *const event[] = {"Joined", "Closed"};
  ir_value *arg[2] = {any(g, &g->z), any(g, &g->z)};
  ir_emit(b, OP_EMIT, arg, pick(g, 3), NULL, 0)->at.name = event[pick(g, 2)];
}

static void write_step(gen *g, ir_builder *b) {
  char name[8];
  uint32_t k = pick(g, STATES);
  ir_value *v = any(g, &g->z);
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, 1, ir_range_bits(g->m, 10, false));
  snprintf(name, sizeof name, "$p%u", k);
  ir_inst *i = ir_emit(b, OP_WROTE, &v, 1, &ty, 1);
  i->at.name = arena_strdup(g->m->a, name);
  g->wrote[k] = true;
  g->now.pub[k] = i->res[0];
  if (pick(g, 3) == 0) push(&g->z, i->res[0]);
}

/* ---- regions ---- */
#define SLOTS (2 + STATES + ARRAYS)

/* Everything that a region may carry: a public and a secret scalar, and the
 * variables. */
static void carried(gen *g, ir_value **v, ir_value *z, ir_value *s) {
  uint32_t n = 0;
  v[n++] = z;
  v[n++] = s;
  for (uint32_t k = 0; k < STATES; k++) v[n++] = g->now.pub[k];
  for (uint32_t k = 0; k < ARRAYS; k++) v[n++] = g->now.array[k];
}

static void carried_types(gen *g, ir_value **v, ir_type *ty) {
  for (uint32_t k = 0; k < SLOTS; k++) {
    ty[k] = v[k]->ty;
    ty[k].range =
        ty[k].dom == DOM_P ? NULL : ir_range_bits(g->m, 10, false);
  }
}

/* The variables are now these; the scalars are in scope. */
static void enter(gen *g, ir_value **v) {
  push(&g->z, v[0]);
  push(&g->s, v[1]);
  for (uint32_t k = 0; k < STATES; k++) g->now.pub[k] = v[2 + k];
  for (uint32_t k = 0; k < ARRAYS; k++) g->now.array[k] = v[2 + STATES + k];
}

static void statements(gen *g, ir_builder *b, uint32_t n);

/* The body of a region, up to its yield; scope and variables are as before. */
static void body(gen *g, ir_builder *in) {
  pool z = g->z, s = g->s, tiny = g->tiny;
  vars now = g->now;
  ir_value *y[SLOTS];
  g->depth++;
  if (in->b->nparam) { /* a loop; at first its index, if it has one */
    uint32_t first = in->b->nparam - SLOTS;
    if (first) push(&g->z, in->b->param[0]);
    enter(g, in->b->param + first);
  }
  statements(g, in, 1 + pick(g, 4));
  ir_value *sum = ir_op2(in, OP_ADD, any(g, &g->z), any(g, &g->z));
  carried(g, y, wrapped(g, in, sum, 10), any(g, &g->s));
  ir_yield(in, y, SLOTS);
  g->depth--;
  g->z = z;
  g->s = s;
  g->tiny = tiny;
  g->now = now;
}

static void for_step(gen *g, ir_builder *b) {
  ir_module *m = g->m;
  int64_t turns = pick(g, 4);
  ir_value *arg[1 + SLOTS];
  ir_type ty[SLOTS];
  arg[0] = pick(g, 2) ? small(b, turns) : wrapped(g, b, any(g, &g->z), 2);
  carried(g, arg + 1, any(g, &g->z), any(g, &g->s));
  carried_types(g, arg + 1, ty);
  ir_block *r = ir_block_new(m);
  ir_param(m, r, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(m, 0, 3)), "i");
  for (uint32_t k = 0; k < SLOTS; k++) ir_param(m, r, ty[k], NULL);
  ir_builder in = {m, r, NULL, {0, 0}};
  body(g, &in);
  enter(g, ir_region_inst(b, OP_FOR, arg, 1 + SLOTS, ty, SLOTS, &r, 1)->res);
}

static void while_step(gen *g, ir_builder *b) {
  ir_module *m = g->m;
  ir_value *arg[SLOTS];
  ir_type ty[SLOTS];
  carried(g, arg, any(g, &g->z), any(g, &g->s));
  carried_types(g, arg, ty);
  ir_block *r[2] = {ir_block_new(m), ir_block_new(m)};
  for (uint32_t k = 0; k < SLOTS; k++) ir_param(m, r[0], ty[k], NULL);
  for (uint32_t k = 0; k < SLOTS; k++) ir_param(m, r[1], ty[k], NULL);
  ir_builder in = {m, r[0], NULL, {0, 0}};
  pool z = g->z, s = g->s, tiny = g->tiny;
  vars now = g->now;
  enter(g, r[0]->param);
  if (pick(g, 4) == 0) open_step(g, &in);
  if (pick(g, 4) == 0) map_step(g, &in);
  ir_value *c = condition(g, &in);
  ir_yield(&in, &c, 1);
  g->z = z;
  g->s = s;
  g->tiny = tiny;
  g->now = now;
  in.b = r[1];
  body(g, &in);
  ir_inst *w = ir_region_inst(b, OP_WHILE, arg, SLOTS, ty, SLOTS, r, 2);
  w->at.max = pick(g, 4);
  enter(g, w->res);
}

static void if_step(gen *g, ir_builder *b) {
  ir_module *m = g->m;
  ir_value *c = condition(g, b), *v[SLOTS];
  ir_type ty[SLOTS];
  carried(g, v, g->z.v[0], g->s.v[0]);
  carried_types(g, v, ty);
  ir_block *r[2] = {ir_block_new(m), ir_block_new(m)};
  for (uint32_t k = 0; k < 2; k++) {
    ir_builder in = {m, r[k], NULL, {0, 0}};
    body(g, &in);
  }
  enter(g, ir_region_inst(b, OP_IF, &c, 1, ty, SLOTS, r, 2)->res);
}

static void statements(gen *g, ir_builder *b, uint32_t n) {
  while (n-- && g->left) {
    g->left--;
    uint32_t k = pick(g, g->loopy && g->depth < 2 ? 32 : 24);
    if (k < 5) public_step(g, b);
    else if (k < 7) push(&g->s, secret_expr(g, b));
    else if (k < 9) put_step(g, b);
    else if (k < 11) open_step(g, b);
    else if (k < 13) check_step(g, b);
    else if (k < 16) map_step(g, b);
    else if (k < 17) emit_step(g, b);
    else if (k < 19) write_step(g, b);
    else if (k < 20) tell_step(g, b);
    else if (g->depth >= 3) public_step(g, b);
    else if (k < 22) if_step(g, b);
    else if (k < 23) while_step(g, b);
    else for_step(g, b);
  }
}

/* ---- the whole ---- */
static ir_value *input(ir_builder *b, const char *name, bool is_secret,
                       uint64_t lanes, const ir_range *r) {
  ir_leaf l = {.name = name, .type = "i8", .shape = lanes > 1 ? "[8]" : "",
               .top = name, .secret = is_secret};
  return ir_input(b, &l, ir_ty(is_secret ? DOM_P : DOM_Z,
                               is_secret ? KIND_SH : KIND_PUB, lanes, r));
}

static void output(ir_builder *b, const char *name, ir_value *v) {
  ir_leaf l = {.name = name, .type = "i8",
               .shape = v->ty.lanes > 1 ? "[8]" : "", .top = name,
               .secret = v->ty.kind == KIND_SH};
  ir_output(b, &l, v);
}

static void inputs(gen *g, ir_builder *b) {
  char name[8];
  const ir_range *t = ir_range_si(g->m, -3, 3);
  const ir_range *bits = ir_range_bits(g->m, 10, false);
  push(&g->z, small(b, 5));
  push(&g->z, input(b, "n", false, 1, bits));
  push(&g->z, input(b, "@caller", false, 1, bits));
  push(&g->s, loose(ir_op1(b, OP_HIDE, ir_const_si(b, DOM_P, 2, 1))));
  push(&g->tiny, input(b, "x", true, 1, t));
  push(&g->tiny, input(b, "y", true, 1, t));
  for (uint32_t k = 0; k < STATES; k++) {
    snprintf(name, sizeof name, "$p%u", k);
    g->now.pub[k] = input(b, name, false, 1, bits);
    push(&g->z, g->now.pub[k]);
  }
  for (uint32_t k = 0; k < ARRAYS; k++) {
    snprintf(name, sizeof name, "$s%u", k);
    g->now.array[k] = input(b, name, true, LANES, t);
  }
  ir_dim one = {1, 1};
  push(&g->tiny, ir_view(b, g->now.array[0], 3, &one, 1));
}

ir_module *gen_action(arena *a, uint64_t seed) {
  char name[16];
  ir_module *m = ir_module_new(a, "action", 61);
  gen g = {.m = m, .seed = seed};
  ir_builder b = {m, m->body, NULL, {0, 0}};
  g.bare = pick(&g, 9);
  g.loopy = pick(&g, 2);
  g.left = 24 + pick(&g, 24);
  inputs(&g, &b);
  statements(&g, &b, 4 + pick(&g, 8));
  for (uint32_t k = 0; k < STATES; k++) {
    snprintf(name, sizeof name, "$p%u", k);
    if (g.wrote[k]) output(&b, name, g.now.pub[k]);
  }
  for (uint32_t k = 0; k < ARRAYS; k++) {
    snprintf(name, sizeof name, "$s%u", k);
    if (g.put[k]) output(&b, name, g.now.array[k]);
  }
  for (uint32_t k = 0; k < pick(&g, 3); k++) {
    snprintf(name, sizeof name, "result.%u", k);
    output(&b, name, any(&g, &g.z));
  }
  ir_number(m);
  return m;
}
