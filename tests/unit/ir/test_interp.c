/* The interpreter against results worked out by hand or by the formula. */
#include <CUnit/Basic.h>
#include <string.h>

#include "ir/interp.h"
#include "tests/unit/ir/suite.h"

typedef struct run {
  arena *a;
  ir_module *m;
  ir_interp *x;
  ir_status s;
  ir_lanes in;
} run;

/* Parses, verifies, runs; the first input gets x0, x0 + 1, .. */
static run run_text(const char *stage, const char *leaves, const char *body,
                    uint64_t lanes, int64_t x0, const ir_interp_opts *o) {
  run r = {.a = arena_new()};
  diag *dg;
  r.m = parse_body(r.a, stage, leaves, body, &dg);
  bool ok = r.m && ir_verify(r.m, dg);
  for (uint32_t k = 0; k < diag_count(dg); k++)
    printf("%s\n", diag_get(dg, k)->text);
  CU_ASSERT_FATAL(ok);
  r.x = ir_interp_new(r.m, o);
  CU_ASSERT(ir_lanes_init(&r.in, lanes, false));
  for (uint64_t k = 0; k < lanes; k++) r.in.i64[k] = x0 + (int64_t)k;
  ir_interp_input(r.x, 0, &r.in);
  r.s = ir_interp_run(r.x);
  return r;
}

static void end(run *r) {
  ir_interp_free(r->x);
  ir_lanes_fini(&r->in);
  arena_free(r->a);
}

static bool output_is(const run *r, const int64_t *want, uint64_t n) {
  const ir_lanes *l = ir_interp_output(r->x, 0);
  if (r->s != IR_RUN_OK) printf("%s\n", ir_interp_message(r->x));
  if (!l || l->n != n || !l->i64) return false;
  for (uint64_t k = 0; k < n; k++)
    if (l->i64[k] != want[k]) return false;
  return true;
}

#define LX "input \"x\" \"i8\" \"[6]\" of \"x\" secret\n"
#define OUT(S) "output \"r\" \"\" \"" S "\" of \"r\"\n"
#define X "  %x: p.sh<-128..127>[6] = input \"x\"\n"

/* x = -2 .. 3: the transpose of its 2 x 3 rows, squared and summed. */
static void vectors(void) {
  const char *body =
      X "  %t: p.sh<-128..127>[6] = view %x [3:1, 2:3]\n"
        "  %q: p.prod<-16256..16384>[6] = mul %t, %x\n"
        "  %s: p.prod<-48768..49152>[2] = sum %q inner 3\n"
        "  %e: p.sh<-48768..49152>[2] = reduce %s\n"
        "  %o: p<-48768..49152>[2] = open %e\n"
        "  %z: z<-48768..49152>[2] = dec %o\n  output %z \"r\"\n";
  /* t = -2 1 -1 2 0 3, t*x = 4 -1 0 2 0 9 */
  static const int64_t want[] = {3, 11};
  run r = run_text("core", LX OUT("[2]"), body, 6, -2, NULL);
  CU_ASSERT(output_is(&r, want, 2));
  end(&r);
}

/* 100,000 lanes: sum of x(x+1) over -50000 .. 49999, read lazily, through
 * views, in two groups. */
static void lazy(void) {
  const char *leaves = "input \"x\" \"i20\" \"[100000]\" of \"x\" secret\n"
                       OUT("[2]");
  const char *body =
      "  %x: p.sh<-60000..60000>[100000] = input \"x\"\n"
      "  %one: p<1..1> = const 1\n"
      "  %y: p.sh<-59999..60001>[100000] = add %x, %one\n"
      "  %q: p.sh<-4000000000..4000000000>[100000] = mul %y, %x\n"
      "  %s: p.sh<-200000000000000..200000000000000>[2] = sum %q inner 50000\n"
      "  %rev: p.sh<-60000..60000>[100000] = view %x off 99999 [100000:-1]\n"
      "  %d: p.sh<-120000..120000>[100000] = add %rev, %x\n"
      "  %e: p.sh<-6000000000..6000000000>[2] = sum %d inner 50000\n"
      "  %f: p.sh<-200006000000000..200006000000000>[2] = add %e, %s\n"
      "  %o: p<-200006000000000..200006000000000>[2] = open %f\n"
      "  %z: z<-200006000000000..200006000000000>[2] = dec %o\n"
      "  output %z \"r\"\n";
  int64_t want[2] = {0, 0};
  for (int64_t k = 0; k < 100000; k++) {
    int64_t x = k - 50000, rev = 49999 - k;
    want[k / 50000] += x * (x + 1) + x + rev;
  }
  run r = run_text("high", leaves, body, 100000, -50000, NULL);
  CU_ASSERT(output_is(&r, want, 2));
  CU_ASSERT(ir_interp_counts(r.x).peak_bytes < 3 * 100000 * 8);
  end(&r);
}

/* 1,000,000 turns that write an array of as many lanes: only in place is this
 * possible in time, and in memory. */
static void in_place(void) {
  const char *body =
      "  %n: z<1000000..1000000> = const 1000000\n"
      "  %a: z<0..0>[1000000] = const 0\n"
      "  %r: z<0..999999>[1000000] = for %n, %a @turn(%i: z<0..999999>, %b: "
      "z<0..999999>[1000000]) {\n"
      "    %last: z<999999..999999> = const 999999\n"
      "    %at: z<0..999999> = sub %last, %i\n"
      "    %c: z<0..999999>[1000000] = put %b, %i, %at []\n"
      "    yield %c\n  }\n"
      "  %g: z<0..999999>[3] = view %r [3:1]\n  output %g \"r\"\n";
  static const int64_t want[] = {999999, 999998, 999997};
  run r = run_text("high", OUT("[3]"), body, 0, 0, NULL);
  CU_ASSERT(output_is(&r, want, 3));
  CU_ASSERT(ir_interp_counts(r.x).peak_bytes < 3u * 8000000);
  end(&r);
}

/* 80! by a sequential loop in integers, then its remainder. */
static void wide(void) {
  arena *a = arena_new();
  char big[140] = "1";
  memset(big + 1, '0', 130);
  big[131] = 0;
  const char *body = arena_printf(
      a,
      "  %%n: z<80..80> = const 80\n  %%one: z<1..1> = const 1\n"
      "  %%f: z<1..%s> = for %%n, %%one @turn(%%i: z<0..79>, %%p: z<1..%s>) "
      "{\n    %%k: z<1..80> = add %%i, %%one\n"
      "    %%q: z<1..%s00> = mul %%p, %%k\n    %%a: z<1..%s> = assume %%q\n"
      "    yield %%a\n  }\n  %%m: z<1000003..1000003> = const 1000003\n"
      "  %%r: z<0..1000002> = mod %%f, %%m\n  output %%r \"r\"\n",
      big, big, big, big);
  uint64_t want = 1;
  for (uint64_t k = 1; k <= 80; k++) want = want * k % 1000003;
  int64_t w = (int64_t)want;
  run r = run_text("high", OUT(""), body, 0, 0, NULL);
  CU_ASSERT(output_is(&r, &w, 1));
  end(&r);
  arena_free(a);
}

static void status(ir_status want, const char *says, const char *leaves,
                   const char *body, uint64_t lanes, int64_t x0,
                   const ir_interp_opts *o) {
  run r = run_text("high", leaves, body, lanes, x0, o);
  if (r.s != want || !strstr(ir_interp_message(r.x), says))
    printf("status %d: %s\n", r.s, ir_interp_message(r.x));
  CU_ASSERT_EQUAL(r.s, want);
  CU_ASSERT_PTR_NOT_NULL(strstr(ir_interp_message(r.x), says));
  CU_ASSERT(ir_interp_span(r.x).end > ir_interp_span(r.x).start);
  end(&r);
}

static void failures(void) {
#define OPEN X "  %o: p<-128..127>[6] = open %x\n"
  status(IR_RUN_CHECK, "too few", LX,
         OPEN "  %d: z<-128..127>[6] = dec %o\n  %l: z<-1..-1> = const -1\n"
              "  %c: z<0..1>[6] = lt %l, %d\n  check %c \"too few\"\n",
         6, -1, NULL);
  status(IR_RUN_RANGE, "-3 is not in -2 .. 9", LX,
         OPEN "  %d: z<-2..9>[6] = dec %o\n", 6, -3, NULL);
  status(IR_RUN_ASSUME, "8 is not in 0 .. 7", LX,
         X "  %d: p.sh<0..7>[6] = assume %x\n", 6, 3, NULL);
  status(IR_RUN_INPUT, "128 is not in -128 .. 127", LX, X, 6, 123, NULL);
  status(IR_RUN_INPUT, "missing", LX, X, 5, 0, NULL);
  status(IR_RUN_UNDEFINED, "division", "",
         "  %a: z<0..5> = const 0\n  %b: z<0..5> = div %a, %a\n", 0, 0, NULL);
  status(IR_RUN_UNDEFINED, "outside the array", LX,
         X "  %i: z<0..6> = const 6\n  %g: p.sh<-128..127> = get %x, %i []\n",
         6, 0, NULL);
  ir_interp_opts few = {.max_steps = 1000};
  status(IR_RUN_BUDGET, "1000 steps", "",
         "  %n: z<1000..1000> = const 1000\n  for %n @turn(%i: z<0..999>) {\n"
         "    %j: z<0..1998> = add %i, %i\n    yield\n  }\n", 0, 0, &few);
  ir_interp_opts small = {.max_bytes = 1000};
  status(IR_RUN_BUDGET, "memory", "", "  %n: z<0..999>[1000] = iota\n", 0, 0,
         &small);
  ir_interp_opts strict = {.check_ranges = true}; /* a loop's induction */
  status(IR_RUN_WRONG, "4 is not in 0 .. 3", "",
         "  %n: z<9..9> = const 9\n  %z: z<0..0> = const 0\n"
         "  %r: z<0..4> = for %n, %z @turn(%i: z<0..8>, %a: z<0..3>) {\n"
         "    %o: z<1..1> = const 1\n    %b: z<1..4> = add %a, %o\n"
         "    yield %b\n  }\n", 0, 0, &strict);
}

/* 10,000 products of 1000 bits: with weigh, steps are as long as those of
 * words. */
static void weighed(void) {
  char text[2000], *body = text;
  mpz_t z;
  mpz_init_set_ui(z, 1);
  mpz_mul_2exp(z, z, 1000);
  gmp_snprintf(text, sizeof text,
               "  %%n: z<10000..10000> = const 10000\n"
               "  %%a: z<%Zd..%Zd> = const %Zd\n"
               "  for %%n @turn(%%i: z<0..9999>) {\n"
               "    %%m: z<0..%Zd%Zd> = mul %%a, %%a\n    yield\n  }\n",
               z, z, z, z, z);
  mpz_clear(z);
  ir_interp_opts few = {.max_steps = 100000};
  run r = run_text("high", "", body, 1, 0, &few);
  CU_ASSERT_EQUAL(r.s, IR_RUN_OK);
  uint64_t light = ir_interp_counts(r.x).steps;
  end(&r);
  few.weigh = true;
  r = run_text("high", "", body, 1, 0, &few);
  CU_ASSERT_EQUAL(r.s, IR_RUN_BUDGET);
  end(&r);
  few.max_steps = 0;
  r = run_text("high", "", body, 1, 0, &few);
  CU_ASSERT_EQUAL(r.s, IR_RUN_OK);
  CU_ASSERT(ir_interp_counts(r.x).steps > 8 * light);
  end(&r);
}

/* What reaches the callback: per turn one exchange of two products and, at the
 * end, one of an opening. */
static void note_exchange(void *user, const ir_exchange *x) {
  uint64_t *n = user;
  n[0]++;
  n[1] += x->nop;
  n[2] += x->reduce_lanes;
  n[3] += x->open_lanes;
}

static void exchanges(void) {
  const char *text =
      X "  %id: z<77..77> = const 77\n  %n: z<4..4> = const 4\n"
        "  %r: p.sh[6] = for %n, %x @turn(%i: z<0..3>, %a: p.sh[6]) {\n"
        "    %m: p.prod[6] = mul %a, %a\n    %k: p.prod[6] = mul %a, %x\n"
        "    %b: p.sh[6] = reduce %m round 1\n"
        "    %c: p.sh[6] = reduce %k round 1\n"
        "    %d: p.sh[6] = sub %b, %c\n    tell %d, %id \"t\"\n"
        "    yield %d\n  }\n"
        "  %o: p[6] = open %r round 1\n  output %o \"r\"\n";
  uint64_t n[4] = {0};
  ir_interp_opts o = {.exchange = note_exchange, .user = n};
  run r = run_text("sched", LX OUT("[6]") "output \"t\" \"\" \"[6]\" of \"t\" "
                   "secret\n", text, 6, 0, &o);
  CU_ASSERT_EQUAL(r.s, IR_RUN_OK);
  CU_ASSERT(n[0] == 5 && n[1] == 9 && n[2] == 48 && n[3] == 6);
  ir_counts c = ir_interp_counts(r.x);
  CU_ASSERT(c.exchanges == 5 && c.reduce_lanes == 48 && c.open_lanes == 6 &&
            c.told_lanes == 24);
  CU_ASSERT_EQUAL(ir_interp_ntold(r.x), 4);
  const ir_told *t = ir_interp_told(r.x, 1);
  CU_ASSERT(!mpz_cmp_ui(t->identity, 77) && !strcmp(t->name, "t"));
  /* a -> a^2 - a x from a = x gives 0, and stays there */
  CU_ASSERT(t->value.n == 6 && t->value.i64[5] == 0);
  CU_ASSERT_PTR_NULL(ir_interp_output(r.x, 1));
  end(&r);
}

/* A field without 61 bits uses GMP, one of 3 bits wraps early. */
static void other_fields(void) {
  static const struct {
    unsigned k;
    const char *want;
  } c[] = {
      {127, "15241578753238836750495351562536198787501905199875019052100"},
      {3, NULL}};
  for (size_t j = 0; j < 2; j++) {
    arena *a = arena_new();
    diag *dg;
    ir_module *m = parse_text(
        a, arena_printf(a, "circuit \"f\"\nstage core\nfield %u\n"
                           "output \"r\" \"field\" \"\" of \"r\"\n@body {\n"
                           "  %%a: p = const 123456789012345678901234567890\n"
                           "  %%h: p.sh = hide %%a\n"
                           "  %%q: p.prod = mul %%h, %%h\n"
                           "  %%s: p.sh = reduce %%q\n  %%o: p = open %%s\n"
                           "  output %%o \"r\"\n}\n", c[j].k), &dg);
    CU_ASSERT_FATAL(m && ir_verify(m, dg));
    ir_interp *x = ir_interp_new(m, NULL);
    CU_ASSERT_EQUAL(ir_interp_run(x), IR_RUN_OK);
    mpz_t v, w;
    mpz_inits(v, w, (mpz_ptr)NULL);
    ir_lanes_get(ir_interp_output(x, 0), 0, v);
    if (c[j].want) {
      mpz_set_str(w, c[j].want, 10);
      mpz_mod(w, w, m->p);
    } else {
      mpz_set_str(w, "123456789012345678901234567890", 10);
      unsigned long r7 = mpz_fdiv_ui(w, 7);
      mpz_set_ui(w, r7 * r7 % 7);
    }
    CU_ASSERT_EQUAL(mpz_cmp(v, w), 0);
    mpz_clears(v, w, (mpz_ptr)NULL);
    ir_interp_free(x);
    arena_free(a);
  }
}

/* Trip counts 0 and 1; a while that ends by its condition or by its bound. */
static void loops(void) {
  static const struct {
    int64_t n, turns, sum;
  } c[] = {{-3, 0, 10}, {0, 0, 10}, {1, 1, 10}, {7, 7, 31}};
  for (size_t k = 0; k < sizeof c / sizeof *c; k++) {
    arena *a = arena_new();
    const char *body = arena_printf(
        a,
        "  %%n: z<-9..9> = const %ld\n  %%s: z<10..10> = const 10\n"
        "  %%r: z<0..99> = for %%n, %%s @turn(%%i: z<0..8>, %%t: z<0..90>) {\n"
        "    %%u: z<0..98> = add %%t, %%i\n    yield %%u\n  }\n"
        "  %%w: z<0..999> = while %%r max 3 @test(%%v: z<0..999>) {\n"
        "    %%l: z<40..40> = const 40\n    %%b: z<0..1> = lt %%v, %%l\n"
        "    yield %%b\n  } @turn(%%y: z<0..499>) {\n"
        "    %%d: z<0..998> = add %%y, %%y\n    yield %%d\n  }\n"
        "  %%o: z<0..999>[2] = concat %%r, %%w\n  output %%o \"r\"\n",
        (long)c[k].n);
    run r = run_text("high", OUT("[2]"), body, 0, 0, NULL);
    int64_t w = c[k].sum, t = 0;
    while (w < 40 && t++ < 3) w *= 2;
    int64_t want[2] = {c[k].sum, w};
    CU_ASSERT(output_is(&r, want, 2));
    end(&r);
    arena_free(a);
  }
}

void add_interp_tests(void) {
  CU_pSuite s = CU_add_suite("interpreter", NULL, NULL);
  CU_add_test(s, "vectors", vectors);
  CU_add_test(s, "lazy lanes", lazy);
  CU_add_test(s, "put in place", in_place);
  CU_add_test(s, "wide integers", wide);
  CU_add_test(s, "failures", failures);
  CU_add_test(s, "steps by width", weighed);
  CU_add_test(s, "exchanges", exchanges);
  CU_add_test(s, "other fields", other_fields);
  CU_add_test(s, "loops", loops);
}
