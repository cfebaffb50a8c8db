/* Loops whose condition opens something, or reads a map, carry it instead: a
 * wire leads out of the turn of a loop, but not out of its test.
 *
 *   while a max n                  c = test(a)
 *     test(x) { yield test(x) } -> while a, c, 0 max n
 *     turn(x) { yield f(x) }         test(x, c, k) { yield c }
 *                                    turn(x, c, k) {
 *                                      y = f(x)
 *                                      d = if k < n - 1 { test(y) } else { 0 }
 *                                      yield y, d, k + 1
 *                                    }
 *
 * The test runs as often as before, and in the same places of the story.
 */
#include "ir/cut_impl.h"
#include "ir/pass/util.h"

typedef struct rotation {
  ir_module *m;
  arena *a;
} rotation;

/* ---- copies within the module: v->tmp is what stands for v ---- */
static ir_value *stand_in(const ir_value *v) {
  return v->tmp ? v->tmp : (ir_value *)v;
}

static void copy_block(rotation *t, ir_builder *b, const ir_block *from);

static void copy_inst(rotation *t, ir_builder *b, const ir_inst *i) {
  ir_value **arg = ARENA_ARR(t->a, ir_value *, i->narg + 1);
  ir_type *ty = ARENA_ARR(t->a, ir_type, i->nres + 1);
  ir_block *region[2];
  for (uint32_t k = 0; k < i->narg; k++) arg[k] = stand_in(i->arg[k]);
  for (uint32_t k = 0; k < i->nres; k++) ty[k] = i->res[k]->ty;
  for (uint32_t r = 0; r < i->nregion; r++) {
    const ir_block *from = i->region[r];
    ir_builder in = {t->m, region[r] = ir_block_new(t->m), NULL, i->sp};
    for (uint32_t k = 0; k < from->nparam; k++)
      from->param[k]->tmp = ir_param(t->m, in.b, from->param[k]->ty,
                                     from->param[k]->name);
    copy_block(t, &in, from);
  }
  b->sp = i->sp;
  ir_inst *c = i->nregion
                   ? ir_region_inst(b, i->op, arg, i->narg, ty, i->nres,
                                    region, i->nregion)
                   : ir_emit(b, i->op, arg, i->narg, ty, i->nres);
  c->at = i->at;
  for (uint32_t k = 0; k < i->nres; k++) {
    c->res[k]->name = i->res[k]->name;
    i->res[k]->tmp = c->res[k];
  }
}

static void copy_block(rotation *t, ir_builder *b, const ir_block *from) {
  for (const ir_inst *i = from->first; i; i = i->next) copy_inst(t, b, i);
}

/* The test of a loop on the values x: its instructions, and what it says. */
static ir_value *test_here(rotation *t, ir_builder *b, const ir_block *test,
                           ir_value *const *x) {
  for (uint32_t k = 0; k < test->nparam; k++)
    test->param[k]->tmp = pass_fit(b, x[k], test->param[k]->ty.range);
  for (const ir_inst *i = test->first; i != test->last; i = i->next)
    copy_inst(t, b, i);
  return stand_in(test->last->arg[0]);
}

/* ---- one loop ---- */
static ir_value *number(ir_builder *b, uint64_t n) {
  mpz_t v;
  mpz_init_set_ui(v, n);
  ir_value *c = ir_const(b, DOM_Z, v, 1);
  mpz_clear(v);
  return c;
}

static ir_type up_to(ir_module *m, uint64_t n) {
  mpz_t lo, hi;
  mpz_init(lo);
  mpz_init_set_ui(hi, n);
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, 1, ir_range_get(m, lo, hi));
  mpz_clears(lo, hi, (mpz_ptr)NULL);
  return ty;
}

static void clear_block(ir_block *b) {
  while (b->first != b->last) ir_remove(b->first);
}

/* No turn, no test. */
static void never(rotation *t, ir_inst *w) {
  for (uint32_t r = 0; r < 2; r++) clear_block(w->region[r]);
  ir_builder b = pass_before(t->m, w->region[0]->last);
  w->region[0]->last->arg[0] = number(&b, 0);
  for (uint32_t k = 0; k < w->nres; k++)
    w->region[1]->last->arg[k] = w->region[1]->param[k];
}

/* At the end of a turn: test, unless it was the last. */
static void test_next(rotation *t, const ir_inst *w, ir_block *test,
                      ir_block *turn, ir_value **next) {
  uint32_t n = w->nres;
  ir_inst *y = turn->last;
  ir_builder b = pass_before(t->m, y);
  ir_value *count = turn->param[n + 1];
  ir_value *more = ir_op2(&b, OP_LT, count, number(&b, w->at.max - 1));
  ir_block *arm[2] = {ir_block_new(t->m), ir_block_new(t->m)};
  for (uint32_t k = 0; k < n; k++) next[k] = y->arg[k];
  ir_builder in = {t->m, arm[0], NULL, y->sp};
  ir_value *again = test_here(t, &in, test, next);
  ir_yield(&in, &again, 1);
  in.b = arm[1];
  ir_value *no = number(&in, 0);
  ir_yield(&in, &no, 1);
  ir_type flag = up_to(t->m, 1);
  next[n] = ir_region_inst(&b, OP_IF, &more, 1, &flag, 1, arm, 2)->res[0];
  next[n + 1] = ir_op2(&b, OP_ADD, count, number(&b, 1));
  ir_yield(&b, next, n + 2);
  ir_remove(y);
}

static void rotate(rotation *t, ir_inst *w) {
  uint32_t n = w->nres;
  ir_module *m = t->m;
  if (!w->at.max) {
    never(t, w);
    return;
  }
  ir_builder b = pass_before(m, w);
  ir_value **v = ARENA_ARR(t->a, ir_value *, n + 2);
  ir_type *ty = ARENA_ARR(t->a, ir_type, n + 2);
  for (uint32_t k = 0; k < n; k++) v[k] = w->arg[k];
  ir_value *first = test_here(t, &b, w->region[0], v);
  ir_block *turn = w->region[1], *test = ir_block_new(m);
  for (uint32_t k = 0; k < n; k++) {
    ty[k] = w->res[k]->ty;
    ir_param(m, test, w->region[0]->param[k]->ty, w->region[0]->param[k]->name);
  }
  ty[n] = up_to(m, 1);
  ty[n + 1] = up_to(m, w->at.max);
  ir_block *both[2] = {test, turn};
  for (int r = 0; r < 2; r++) {
    ir_param(m, both[r], ty[n], NULL);
    ir_param(m, both[r], up_to(m, w->at.max - 1), NULL);
  }
  ir_builder in = {m, test, NULL, w->region[0]->last->sp};
  ir_yield(&in, &test->param[n], 1);
  test_next(t, w, w->region[0], turn, v);
  for (uint32_t k = 0; k < n; k++) v[k] = w->arg[k];
  v[n] = first;
  v[n + 1] = number(&b, 0);
  b.sp = w->sp;
  ir_inst *r = ir_region_inst(&b, OP_WHILE, v, n + 2, ty, n + 2, both, 2);
  r->at.max = w->at.max;
  for (uint32_t k = 0; k < n; k++) { /* its users keep their operands */
    r->res[k] = w->res[k];
    r->res[k]->def = r;
  }
  ir_remove(w);
}

/* ---- all loops, inner ones first ---- */
static bool rotate_inst(rotation *t, ir_inst *i);

static bool rotate_block(rotation *t, ir_block *b) {
  bool any = false;
  for (ir_inst *i = b->first, *next; i; i = next) {
    next = i->next;
    any |= rotate_inst(t, i);
  }
  return any;
}

/* Does it open something or load from a map? */
static bool rotate_inst(rotation *t, ir_inst *i) {
  bool in[2] = {false, false};
  for (uint32_t r = 0; r < i->nregion; r++)
    in[r] = rotate_block(t, i->region[r]);
  if (i->op == OP_WHILE && in[0]) rotate(t, i);
  return in[0] || in[1] || i->op == OP_OPEN || i->op == OP_MLOAD;
}

static void find_secret(ir_inst *i, void *user) {
  for (uint32_t k = 0; k < i->narg; k++)
    if (i->arg[k]->ty.kind != KIND_PUB) *(bool *)user = true;
}

/* What is public and stands before all secret work is none of the circuit's,
 * and stays as it is. */
void cut_rotate(cut *c) {
  rotation t = {.m = c->m, .a = c->a};
  bool secret = false;
  pass_clear(c->m);
  for (ir_inst *i = c->m->body->first, *next; i; i = next) {
    next = i->next;
    find_secret(i, &secret);
    for (uint32_t r = 0; r < i->nregion; r++)
      ir_walk(i->region[r], find_secret, &secret);
    if (!secret) continue;
    rotate_inst(&t, i);
  }
  pass_clear(c->m);
  ir_number(c->m);
}
