/* What becomes of loops and trees that the design promises a shape for: the
 * expected numbers are arithmetic on the sizes. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ir/pass/pass.h"
#include "run.h"
#include "suite.h"

typedef struct shape {
  uint64_t insts, loops, reduces, reduce_lanes, rounds;
} shape;

static void count(ir_inst *i, void *user) {
  shape *s = user;
  s->insts++;
  s->loops += i->op == OP_FOR || i->op == OP_WHILE;
  if (i->op != OP_REDUCE && i->op != OP_OPEN) return;
  if (i->at.round > s->rounds) s->rounds = i->at.round;
  if (i->op == OP_REDUCE) {
    s->reduces++;
    s->reduce_lanes += i->res[0]->ty.lanes;
  }
}

static shape shape_of(const ir_module *m) {
  shape s = {0};
  ir_walk(m->body, count, &s);
  return s;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool optimise(ir_module *m, arena *a, const char *pipeline) {
  diag *dg = diag_new(a, m->src);
  if (pass_run(m, pipeline, NULL, dg)) return true;
  buf b = {0};
  diag_render_all(dg, &b, false);
  fprintf(stderr, "%s", b.p ? b.p : "");
  buf_free(&b);
  return false;
}

static ir_module *parse(arena *a, const char *text) {
  source_set *ss = source_set_new(a);
  source_id id;
  diag *dg = diag_new(a, ss);
  ir_module *m = NULL;
  if (source_add(ss, "test.ir", text, strlen(text), &id))
    m = ir_parse(a, ss, id, dg);
  if (m) return m;
  buf b = {0};
  diag_render_all(dg, &b, false);
  fprintf(stderr, "%s\n%s", text, b.p ? b.p : "");
  buf_free(&b);
  return NULL;
}

/* Parses, checks the outcome on small circuits against the unoptimised form,
 * optimises; a zero shape after a failure. */
static shape final_shape(const char *text, bool run) {
  arena *a = arena_new();
  ir_module *m = parse(a, text);
  shape s = {0};
  if (m) {
    outcome x = {0}, y = {0};
    if (run) x = run_circuit(m, 7);
    if (optimise(m, a, pass_pipeline(2, IR_SCHED))) s = shape_of(m);
    if (run) {
      y = run_circuit(m, 7);
      if (!same_outcome(&x, &y)) {
        fprintf(stderr, "%s\nbefore %s\nafter %s\n", text, x.text, y.text);
        s = (shape){0};
      }
      free_outcome(&x);
      free_outcome(&y);
    }
  }
  arena_free(a);
  return s;
}

static void count_deals(ir_inst *i, void *n) {
  *(unsigned *)n += i->op == OP_XDEAL;
}

/* Bits that the circuit turns into the field. */
static unsigned field_deals(const char *text) {
  arena *a = arena_new();
  ir_module *m = parse(a, text);
  unsigned n = 0;
  if (m && optimise(m, a, pass_pipeline(2, IR_SCHED)))
    ir_walk(m->body, count_deals, &n);
  arena_free(a);
  return n;
}

/* ---- dot product, elementwise product ---- */
static char *dot(unsigned n) {
  static char t[2000];
  snprintf(t, sizeof t,
           "circuit \"dot\"\nstage high\nfield 61\n"
           "input \"x\" \"i8\" \"[%u]\" of \"x\" secret\n"
           "input \"y\" \"i8\" \"[%u]\" of \"y\" secret\n"
           "output \"r\" \"i8\" \"\" of \"r\" secret\n"
           "@body {\n"
           "  %%x: p.sh<-8..7>[%u] = input \"x\"\n"
           "  %%y: p.sh<-8..7>[%u] = input \"y\"\n"
           "  %%n: z<%u..%u> = const %u\n"
           "  %%z: p<0..0> = const 0\n"
           "  %%h: p.sh<0..0> = hide %%z\n"
           "  %%s: p.sh = for %%n, %%h @turn(%%i: z<0..%u>, %%a: p.sh) {\n"
           "    %%p: p.sh<-8..7> = get %%x, %%i [1:1]\n"
           "    %%q: p.sh<-8..7> = get %%y, %%i [1:1]\n"
           "    %%m: p.sh<-56..64> = mul %%p, %%q\n"
           "    %%b: p.sh = add %%a, %%m\n"
           "    yield %%b\n  }\n  output %%s \"r\"\n}\n",
           n, n, n, n, n, n, n, n - 1);
  return t;
}

static void test_dot(void) {
  shape small = final_shape(dot(10), true);
  shape big = final_shape(dot(1000000), false);
  CU_ASSERT_EQUAL(small.loops, 0);
  CU_ASSERT_EQUAL(small.reduce_lanes, 1);
  CU_ASSERT_EQUAL(small.rounds, 1);
  CU_ASSERT_EQUAL(big.reduce_lanes, 1);
  CU_ASSERT_EQUAL(big.rounds, 1);
  CU_ASSERT_EQUAL(big.insts, small.insts);
}

static char *map(unsigned n) {
  static char t[2000];
  snprintf(t, sizeof t,
           "circuit \"map\"\nstage high\nfield 61\n"
           "input \"x\" \"i8\" \"[%u]\" of \"x\" secret\n"
           "input \"y\" \"i8\" \"[%u]\" of \"y\" secret\n"
           "output \"r\" \"i8\" \"[%u]\" of \"r\" secret\n"
           "@body {\n"
           "  %%x: p.sh<-8..7>[%u] = input \"x\"\n"
           "  %%y: p.sh<-8..7>[%u] = input \"y\"\n"
           "  %%n: z<%u..%u> = const %u\n"
           "  %%z: p<0..0>[%u] = const 0\n"
           "  %%h: p.sh<0..0>[%u] = hide %%z\n"
           "  %%s: p.sh[%u] = for %%n, %%h @turn(%%i: z<0..%u>, "
           "%%a: p.sh[%u]) {\n"
           "    %%p: p.sh<-8..7> = get %%x, %%i [1:1]\n"
           "    %%q: p.sh<-8..7> = get %%y, %%i [1:1]\n"
           "    %%m: p.sh<-56..64> = mul %%p, %%q\n"
           "    %%b: p.sh[%u] = put %%a, %%m, %%i [1:1]\n"
           "    yield %%b\n  }\n  output %%s \"r\"\n}\n",
           n, n, n, n, n, n, n, n, n, n, n, n - 1, n, n);
  return t;
}

static void test_map(void) {
  shape small = final_shape(map(9), true);
  shape big = final_shape(map(900000), false);
  CU_ASSERT_EQUAL(small.loops, 0);
  CU_ASSERT_EQUAL(small.reduce_lanes, 9);
  CU_ASSERT_EQUAL(small.rounds, 1);
  CU_ASSERT_EQUAL(big.reduce_lanes, 900000);
  CU_ASSERT_EQUAL(big.insts, small.insts);
}

/* ---- matrix product, the loops in any order ---- */
static void matmul(buf *b, const char *order, unsigned n, unsigned m,
                   unsigned k) {
  unsigned size[3] = {n, m, k}; /* of loops i, j, k */
  unsigned nm = n * m;
  buf_printf(b,
             "circuit \"mm\"\nstage high\nfield 61\n"
             "input \"x\" \"i8\" \"[%u]\" of \"x\" secret\n"
             "input \"y\" \"i8\" \"[%u]\" of \"y\" secret\n"
             "output \"r\" \"i8\" \"[%u]\" of \"r\" secret\n@body {\n"
             "  %%x: p.sh<-8..7>[%u] = input \"x\"\n"
             "  %%y: p.sh<-8..7>[%u] = input \"y\"\n"
             "  %%z: p<0..0>[%u] = const 0\n"
             "  %%c: p.sh<0..0>[%u] = hide %%z\n"
             "  %%cm: z<%u..%u> = const %u\n  %%ck: z<%u..%u> = const %u\n",
             n * k, k * m, nm, n * k, k * m, nm, nm, m, m, m, k, k, k);
  for (int d = 0; d < 3; d++) {
    unsigned t = size[order[d] == 'i' ? 0 : order[d] == 'j' ? 1 : 2];
    buf_printf(b,
               "%%t%d: z<%u..%u> = const %u\n"
               "%%r%d: p.sh[%u] = for %%t%d, %%%s @turn(%%%c: z<0..%u>, "
               "%%c%d: p.sh[%u]) {\n",
               d, t, t, t, d, nm, d, d ? (d == 1 ? "c0" : "c1") : "c",
               order[d], t - 1, d, nm);
  }
  unsigned ik = n * k - 1, kj = k * m - 1, ij = nm - 1;
  buf_printf(b,
             "%%ik0: z<0..%u> = mul %%i, %%ck\n"
             "%%ik: z<0..%u> = add %%ik0, %%k\n"
             "%%kj0: z<0..%u> = mul %%k, %%cm\n"
             "%%kj: z<0..%u> = add %%kj0, %%j\n"
             "%%ij0: z<0..%u> = mul %%i, %%cm\n"
             "%%ij: z<0..%u> = add %%ij0, %%j\n"
             "%%xe: p.sh<-8..7> = get %%x, %%ik [1:1]\n"
             "%%ye: p.sh<-8..7> = get %%y, %%kj [1:1]\n"
             "%%pe: p.sh = mul %%xe, %%ye\n"
             "%%ce: p.sh = get %%c2, %%ij [1:1]\n"
             "%%se: p.sh = add %%ce, %%pe\n"
             "%%ne: p.sh[%u] = put %%c2, %%se, %%ij [1:1]\n"
             "yield %%ne\n}\nyield %%r2\n}\nyield %%r1\n}\n"
             "output %%r0 \"r\"\n}\n",
             ik + 1 - k, ik, kj + 1 - m, kj, ij + 1 - m, ij, nm);
}

static void test_matmul(void) {
  static const char *const order[] = {"ijk", "ikj", "kij", "jik", "jki", "kji"};
  for (size_t o = 0; o < sizeof order / sizeof *order; o++) {
    buf small = {0}, big = {0};
    matmul(&small, order[o], 3, 4, 5);
    matmul(&big, order[o], 300, 200, 100);
    shape s = final_shape(small.p, true), l = final_shape(big.p, false);
    CU_ASSERT_EQUAL(s.loops, 0);
    CU_ASSERT_EQUAL(s.reduce_lanes, 12);
    CU_ASSERT_EQUAL(s.rounds, 1);
    CU_ASSERT_EQUAL(l.reduce_lanes, 60000);
    CU_ASSERT_EQUAL(l.rounds, 1);
    CU_ASSERT_EQUAL(l.insts, s.insts);
    buf_free(&small);
    buf_free(&big);
  }
}

/* ---- products ---- */
static char *product(unsigned n, bool loop) {
  static char t[2000];
  int at = snprintf(t, sizeof t,
                    "circuit \"prod\"\nstage high\nfield 61\n"
                    "input \"x\" \"i8\" \"[%u]\" of \"x\" secret\n"
                    "output \"r\" \"i8\" \"\" of \"r\" secret\n@body {\n"
                    "  %%x: p.sh<1..2>[%u] = input \"x\"\n",
                    n, n);
  if (!loop) {
    snprintf(t + at, sizeof t - (size_t)at,
             "  %%r: p.sh = product %%x inner %u\n  output %%r \"r\"\n}\n", n);
    return t;
  }
  snprintf(t + at, sizeof t - (size_t)at,
           "  %%n: z<%u..%u> = const %u\n"
           "  %%f: p.sh<1..2> = view %%x [1:1]\n"
           "  %%s: p.sh = for %%n, %%f @turn(%%i: z<0..%u>, %%a: p.sh) {\n"
           "    %%p: p.sh<1..2> = get %%x, %%i off 1 [1:1]\n"
           "    %%b: p.sh = mul %%a, %%p\n"
           "    yield %%b\n  }\n  output %%s \"r\"\n}\n",
           n - 1, n - 1, n - 1, n - 2);
  return t;
}

static void test_product(void) {
  static const struct {
    unsigned n, depth;
  } c[] = {{2, 1}, {3, 2}, {7, 3}, {8, 3}, {9, 4}, {1000, 10}, {1023, 10}};
  for (size_t k = 0; k < sizeof c / sizeof *c; k++) {
    shape s = final_shape(product(c[k].n, false), true);
    CU_ASSERT_EQUAL(s.reduce_lanes, c[k].n - 1);
    CU_ASSERT_EQUAL(s.rounds, c[k].depth);
  }
  shape s = final_shape(product(1001, true), true);
  CU_ASSERT_EQUAL(s.loops, 0);
  CU_ASSERT_EQUAL(s.reduce_lanes, 1000);
  CU_ASSERT(s.rounds <= 11);
}

/* ---- long straight code ---- */
typedef struct chain {
  arena *a;
  ir_module *m;
  ir_builder b;
  ir_value *x;
} chain;

static chain chain_new(uint64_t lanes) {
  chain c = {.a = arena_new()};
  c.m = ir_module_new(c.a, "chain", 61);
  c.b = (ir_builder){c.m, c.m->body, NULL, {0, 0}};
  char shape_text[32];
  snprintf(shape_text, sizeof shape_text, "[%llu]", (unsigned long long)lanes);
  ir_leaf in = {.name = "x", .type = "i8", .shape = shape_text, .top = "x",
                .secret = true};
  c.x = ir_input(&c.b, &in, ir_ty(DOM_P, KIND_SH, lanes, NULL));
  return c;
}

static shape chain_end(chain *c, ir_value *v, double *took) {
  ir_leaf out = {.name = "r", .type = "i8", .shape = "", .top = "r",
                 .secret = true};
  ir_output(&c->b, &out, v);
  ir_number(c->m);
  double t = seconds();
  shape s = {0};
  if (optimise(c->m, c->a, pass_pipeline(2, IR_SCHED))) s = shape_of(c->m);
  *took = seconds() - t;
  arena_free(c->a);
  return s;
}

static ir_value *element(chain *c, uint32_t k) {
  ir_dim one = {1, 1};
  return ir_view(&c->b, c->x, k, &one, 1);
}

static void test_long(void) {
  double took;
  chain c = chain_new(200000);
  ir_value *v = element(&c, 0);
  for (uint32_t k = 1; k < 200000; k++)
    v = ir_op2(&c.b, OP_ADD, v, element(&c, k));
  shape s = chain_end(&c, v, &took);
  CU_ASSERT_EQUAL(s.reduce_lanes, 0);
  fprintf(stderr, "sum of 200000 terms: %.2f s\n", took);
#ifdef NDEBUG /* processor time; debug builds verify after each pass */
  CU_ASSERT(took < 2); /* 1 s on an idle machine */
#endif

  c = chain_new(5000);
  v = element(&c, 0);
  for (uint32_t k = 1; k < 5000; k++)
    v = ir_op2(&c.b, OP_MUL, v, element(&c, k));
  s = chain_end(&c, v, &took);
  CU_ASSERT_EQUAL(s.reduce_lanes, 4999);
  CU_ASSERT_EQUAL(s.rounds, 13); /* 2^12 < 5000 <= 2^13 */

  c = chain_new(64); /* a power: squares */
  v = element(&c, 0);
  for (uint32_t k = 1; k < 64; k++)
    v = ir_op2(&c.b, OP_MUL, v, element(&c, 0));
  s = chain_end(&c, v, &took);
  CU_ASSERT_EQUAL(s.reduce_lanes, 6);
  CU_ASSERT_EQUAL(s.rounds, 6);

  c = chain_new(3); /* x + x + .. is a multiple */
  v = element(&c, 0);
  for (uint32_t k = 1; k < 100; k++)
    v = ir_op2(&c.b, OP_ADD, v, element(&c, 0));
  s = chain_end(&c, v, &took);
  CU_ASSERT(s.insts <= 5);
}

/* ---- pipelines ---- */
/* ---- choices ---- */
/* Between x + 5 and x - 2 there is only a constant, under a share too; the bit
 * 1 - c of a comparison is turned into the field with c. */
static void test_choice(void) {
  static const char constant[] =
      "circuit \"choice\"\nstage high\nfield 61\n"
      "input \"x\" \"i8\" \"\" of \"x\" secret\n"
      "input \"c\" \"bool\" \"\" of \"c\" secret\n"
      "output \"r\" \"i9\" \"\" of \"r\" secret\n"
      "@body {\n"
      "  %x: p.sh<-128..127> = input \"x\"\n"
      "  %c: p.sh<0..1> = input \"c\"\n"
      "  %5: p<5..5> = const 5\n"
      "  %2: p<2..2> = const 2\n"
      "  %a: p.sh<-123..132> = add %5, %x\n"
      "  %b: p.sh<-130..125> = sub %x, %2\n"
      "  %r: p.sh<-130..132> = select %c, %a, %b\n"
      "  output %r \"r\"\n}\n";
  static const char both[] =
      "circuit \"both\"\nstage high\nfield 61\n"
      "input \"x\" \"u8\" \"[2]\" of \"x\" secret\n"
      "output \"r\" \"u8\" \"\" of \"r\" secret\n"
      "@body {\n"
      "  %x: p.sh<0..255>[2] = input \"x\"\n"
      "  %y: p.sh<0..255> = view %x off 1 [1:1]\n"
      "  %z: p.sh<0..255> = view %x [1:1]\n"
      "  %c: p.sh<0..1> = lt %z, %y\n"
      "  %1: p<1..1> = const 1\n"
      "  %0: p<0..0> = const 0\n"
      "  %s: p.sh<0..1> = select %c, %1, %0\n"
      "  %7: p<7..7> = const 7\n"
      "  %m: p.sh<0..7> = mul %s, %7\n"
      "  %n: p.sh<0..8> = add %m, %c\n"
      "  output %n \"r\"\n}\n";
  CU_ASSERT_EQUAL(final_shape(constant, true).reduces, 0);
  CU_ASSERT_EQUAL(field_deals(both), 1);
}

static void test_order(void) {
  for (int l = 0; l < 3; l++)
    for (int st = IR_HIGH; st <= IR_SCHED; st++)
      CU_ASSERT_PTR_NULL(pass_order_broken(pass_pipeline(l, (ir_stage)st)));
  for (uint32_t k = 0; k < pass_nrules; k++) {
    const pass_rule *r = &pass_rules[k];
    char list[64];
    snprintf(list, sizeof list, "%s,%s", pass_table[r->after].name,
             pass_table[r->before].name);
    CU_ASSERT_PTR_NOT_NULL(pass_order_broken(list));
    CU_ASSERT(strlen(r->why) > 10);
  }
}

static void test_required(void) { /* every pipeline holds what it must */
  for (int l = 0; l < 3; l++) {
    const char *list = pass_pipeline(l, IR_SCHED);
    for (int k = 0; k < PASS_COUNT; k++)
      if (pass_table[k].required)
        CU_ASSERT_PTR_NOT_NULL(strstr(list, pass_table[k].name));
  }
}

static void test_misuse(void) {
  arena *a = arena_new();
  ir_module *m = parse(a, dot(4));
  diag *dg = diag_new(a, m->src);
  CU_ASSERT_FALSE(pass_run(m, "fold,lasy", NULL, dg));
  CU_ASSERT_EQUAL(diag_get(dg, 0)->id, DIAG_PASS_UNKNOWN);
  CU_ASSERT_FALSE(pass_run(m, "sched", NULL, dg));
  CU_ASSERT_EQUAL(diag_get(dg, 1)->id, DIAG_PASS_STAGE);
  arena_free(a);
}

/* Rows move among few nodes only, whatever the pipeline. */
static void test_shuffle_nodes(void) {
  arena *a = arena_new();
  ir_module *m = parse(a, "circuit \"f\"\nstage high\nfield 61\n"
                          "input \"x\" \"field\" \"[3]\" of \"x\" secret\n"
                          "@body {\n  %x: p.sh[3] = input \"x\"\n"
                          "  %p: z<0..1099511627775> = perm\n"
                          "  %y: p.sh[3] = shuffle %x, %p inner 1\n}\n");
  diag *dg = diag_new(a, m->src);
  pass_opts o = {.target = {IR_SHAMIR, 9}};
  CU_ASSERT_FALSE(pass_run(m, "fold", &o, dg));
  CU_ASSERT_EQUAL(diag_get(dg, 0)->id, DIAG_SHUFFLE_NODES);
  o.target.n = 8;
  CU_ASSERT(pass_run(m, "fold", &o, dg));
  o.target = (ir_target){IR_REP3, 3};
  CU_ASSERT(pass_run(m, "lazy,sched", &o, dg));
  arena_free(a);
}

void shape_suite(void) {
  CU_pSuite s = CU_add_suite("shapes", NULL, NULL);
  CU_add_test(s, "dot product: one lane, one round", test_dot);
  CU_add_test(s, "elementwise product", test_map);
  CU_add_test(s, "matrix product in every loop order", test_matmul);
  CU_add_test(s, "products: inner - 1 elements, log depth", test_product);
  CU_add_test(s, "long straight code", test_long);
  CU_add_test(s, "choices that cost no product", test_choice);
  CU_add_test(s, "order of passes", test_order);
  CU_add_test(s, "required passes", test_required);
  CU_add_test(s, "unknown pass, wrong stage", test_misuse);
  CU_add_test(s, "shuffles among many nodes", test_shuffle_nodes);
}
