/* The builder computes types, meets domains and kinds, and edits lists. */
#include <CUnit/Basic.h>
#include <string.h>

#include "ir/analysis.h"
#include "tests/unit/ir/suite.h"

typedef struct fixture {
  arena *a;
  ir_module *m;
  ir_builder b;
  ir_value *xs, *y, *n; /* p.sh<0..9>[6], p.sh<-3..4>, z<0..5> */
} fixture;

static fixture set_up(ir_stage stage) {
  fixture f = {.a = arena_new()};
  f.m = ir_module_new(f.a, "t", 61);
  f.m->stage = stage;
  f.b = (ir_builder){.m = f.m, .b = f.m->body};
  ir_leaf xs = {.name = "xs", .type = "u4", .shape = "[2, 3]", .top = "xs",
                .secret = true};
  ir_leaf y = {.name = "y", .type = "i4", .top = "y", .secret = true};
  ir_leaf n = {.name = "n", .type = "u4", .top = "n"};
  f.xs = ir_input(&f.b, &xs, ir_ty(DOM_P, KIND_SH, 6, ir_range_si(f.m, 0, 9)));
  f.y = ir_input(&f.b, &y, ir_ty(DOM_P, KIND_SH, 1, ir_range_si(f.m, -3, 4)));
  f.n = ir_input(&f.b, &n, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(f.m, 0, 5)));
  return f;
}

static bool type_is(const fixture *f, const ir_value *v, ir_dom d, ir_kind k,
                    uint64_t lanes, int64_t lo, int64_t hi) {
  return v->ty.dom == d && v->ty.kind == k && v->ty.lanes == lanes &&
         v->ty.range == ir_range_si(f->m, lo, hi);
}

static void tear_down(fixture *f, bool verifies) {
  diag *dg = diag_new(f->a, NULL);
  bool ok = ir_verify(f->m, dg);
  for (uint32_t k = 0; verifies && k < diag_count(dg); k++)
    printf("%s\n", diag_get(dg, k)->text);
  CU_ASSERT_EQUAL(ok, verifies);
  arena_free(f->a);
}

static void arithmetic(void) {
  fixture f = set_up(IR_HIGH);
  ir_value *v = ir_op2(&f.b, OP_ADD, f.xs, f.y);
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_SH, 6, -3, 13));
  CU_ASSERT(type_is(&f, ir_op2(&f.b, OP_MUL, f.y, f.xs), DOM_P, KIND_SH, 6,
                    -27, 36));
  CU_ASSERT(type_is(&f, ir_op2(&f.b, OP_MUL, f.y, f.y), DOM_P, KIND_SH, 1, 0,
                    16));
  v = ir_op2(&f.b, OP_MUL, f.n, f.xs); /* the integer is encoded */
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_SH, 6, 0, 45));
  CU_ASSERT_EQUAL(v->def->arg[0]->def->op, OP_ENC);
  CU_ASSERT(type_is(&f, ir_op1(&f.b, OP_NEG, f.y), DOM_P, KIND_SH, 1, -4, 3));
  CU_ASSERT(type_is(&f, ir_op2(&f.b, OP_LT, f.n, f.n), DOM_Z, KIND_PUB, 1, 0,
                    1));
  CU_ASSERT(type_is(&f, ir_fold(&f.b, OP_SUM, f.xs, 3), DOM_P, KIND_SH, 2, 0,
                    27));
  CU_ASSERT_PTR_EQUAL(ir_fold(&f.b, OP_SUM, f.xs, 1), f.xs);
  ir_value *c = ir_op2(&f.b, OP_EQ, f.n, f.n);
  v = ir_select(&f.b, c, f.xs, f.y);
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_SH, 6, -3, 9));
  v = ir_op1(&f.b, OP_OPEN, f.y);
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_PUB, 1, -3, 4));
  v = ir_ranged(&f.b, OP_DEC, v, ir_range_si(f.m, -3, 4));
  CU_ASSERT(type_is(&f, v, DOM_Z, KIND_PUB, 1, -3, 4));
  v = ir_ranged(&f.b, OP_WRAP, v, ir_range_si(f.m, -4, 3));
  CU_ASSERT(type_is(&f, v, DOM_Z, KIND_PUB, 1, -4, 3) && v->def->at.bits == 3);
  v = ir_ranged(&f.b, OP_WRAP, v, ir_range_si(f.m, 0, 255));
  CU_ASSERT(v->def->at.bits == 8);
  tear_down(&f, true);
}

static void kinds_meet(void) {
  fixture f = set_up(IR_CORE);
  ir_value *p = ir_op2(&f.b, OP_MUL, f.xs, f.y);
  CU_ASSERT_EQUAL(p->ty.kind, KIND_PROD);
  ir_value *v = ir_op2(&f.b, OP_ADD, p, f.y); /* the share is lifted */
  CU_ASSERT_EQUAL(v->ty.kind, KIND_PROD);
  CU_ASSERT_EQUAL(v->def->arg[1]->def->op, OP_LIFT);
  v = ir_op2(&f.b, OP_ADD, p, f.n); /* a public one is not */
  CU_ASSERT_EQUAL(v->def->arg[1]->def->op, OP_ENC);
  ir_value *part[3] = {f.n, f.y, p};
  v = ir_concat(&f.b, part, 3);
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_PROD, 8, -27, 36));
  v = ir_op1(&f.b, OP_REDUCE, v);
  CU_ASSERT_EQUAL(v->ty.kind, KIND_SH);
  ir_dim d = {2, 1};
  v = ir_put(&f.b, f.xs, f.n, f.n, 0, &d, 1); /* hidden, splat */
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_SH, 6, 0, 9));
  CU_ASSERT_EQUAL(v->def->arg[1]->ty.lanes, 2);
  tear_down(&f, true);
}

static void lanes(void) {
  fixture f = set_up(IR_HIGH);
  ir_dim whole[] = {{2, 3}, {3, 1}}, turned[] = {{3, 1}, {2, 3}};
  CU_ASSERT_PTR_EQUAL(ir_view(&f.b, f.xs, 0, whole, 2), f.xs);
  ir_value *v = ir_view(&f.b, f.xs, 0, turned, 2);
  CU_ASSERT(type_is(&f, v, DOM_P, KIND_SH, 6, 0, 9) && v != f.xs);
  CU_ASSERT_EQUAL(ir_splat(&f.b, f.y, 9)->ty.lanes, 9);
  CU_ASSERT_EQUAL(ir_get(&f.b, f.xs, f.n, 0, NULL, 0)->ty.lanes, 1);
  CU_ASSERT_EQUAL(ir_gather(&f.b, f.xs, ir_iota(&f.b, 4))->ty.lanes, 4);
  int64_t lo, hi;
  ir_dim e[] = {{3, -4}, {5, 2}};
  CU_ASSERT(ir_dims_extent(e, 2, &lo, &hi) && lo == -8 && hi == 8);
  ir_dim huge[] = {{1u << 31, INT64_MAX / 4}};
  CU_ASSERT_FALSE(ir_dims_extent(huge, 1, &lo, &hi));
  ir_dim many[] = {{UINT64_MAX, 1}, {3, 1}};
  CU_ASSERT_EQUAL(ir_dims_lanes(many, 2), UINT64_MAX);
  tear_down(&f, true);
}

static void count_inst(ir_inst *i, void *n) {
  (void)i;
  ++*(int *)n;
}

static void editing(void) {
  fixture f = set_up(IR_HIGH);
  ir_value *one = ir_const_si(&f.b, DOM_Z, 1, 1);
  ir_value *two = ir_const_si(&f.b, DOM_Z, 2, 1);
  mpz_srcptr z;
  CU_ASSERT(ir_is_const(two, &z) && !mpz_cmp_ui(z, 2));
  CU_ASSERT_FALSE(ir_is_const(f.n, &z));
  ir_remove(two->def);
  ir_insert_before(one->def, two->def);
  CU_ASSERT_PTR_EQUAL(two->def->next, one->def);
  f.b.at = one->def; /* the cursor */
  ir_value *three = ir_op2(&f.b, OP_ADD, two, two);
  CU_ASSERT_PTR_EQUAL(two->def->next, three->def);
  f.b.at = NULL;
  int n = 0;
  ir_walk(f.m->body, count_inst, &n);
  CU_ASSERT_EQUAL(n, 6);
  CU_ASSERT_EQUAL(ir_number(f.m), 6);
  CU_ASSERT_EQUAL(two->id, 3);
  ir_uses u;
  ir_uses_fill(&u, f.m, f.a);
  CU_ASSERT_EQUAL(ir_uses_count(&u, two), 2);
  CU_ASSERT_PTR_EQUAL(u.use[u.start[two->id]].inst, three->def);
  CU_ASSERT_EQUAL(ir_uses_count(&u, one), 0);
  tear_down(&f, true);
}

/* x^4 twice, then a loop of 5 turns that multiplies once a turn. */
static void depth(void) {
  fixture f = set_up(IR_HIGH);
  ir_value *q = ir_op2(&f.b, OP_MUL, f.y, f.y);
  ir_value *q2 = ir_op2(&f.b, OP_MUL, q, q);
  ir_value *trip = ir_const_si(&f.b, DOM_Z, 5, 1);
  ir_block *turn = ir_block_new(f.m);
  ir_param(f.m, turn, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(f.m, 0, 4)), "i");
  ir_type ty = ir_ty(DOM_P, KIND_SH, 1, NULL);
  ir_value *c = ir_param(f.m, turn, ty, "c");
  ir_builder in = {.m = f.m, .b = turn};
  ir_value *next = ir_op2(&in, OP_MUL, c, f.y);
  ir_yield(&in, &next, 1);
  ir_value *arg[2] = {trip, q2};
  ir_inst *loop = ir_region_inst(&f.b, OP_FOR, arg, 2, &ty, 1, &turn, 1);
  ir_value *o = ir_op1(&f.b, OP_OPEN, loop->res[0]);
  uint64_t *d = ir_depth_fill(f.m, f.a);
  CU_ASSERT_EQUAL(d[f.y->id], 0);
  CU_ASSERT_EQUAL(d[q->id], 1);
  CU_ASSERT_EQUAL(d[q2->id], 2);
  CU_ASSERT_EQUAL(d[next->id], 3);
  CU_ASSERT_EQUAL(d[loop->res[0]->id], 7);
  CU_ASSERT_EQUAL(d[o->id], 8);
  CU_ASSERT_EQUAL(ir_depth_max(f.m, f.a), 8);
  tear_down(&f, true);
}

void add_build_tests(void) {
  CU_pSuite s = CU_add_suite("builder", NULL, NULL);
  CU_add_test(s, "arithmetic", arithmetic);
  CU_add_test(s, "kinds meet", kinds_meet);
  CU_add_test(s, "lanes", lanes);
  CU_add_test(s, "editing and uses", editing);
  CU_add_test(s, "depth", depth);
}
