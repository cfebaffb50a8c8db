/* Every pair of operands of small fields, for every target: with the whole
 * interval that the field holds, with a part of it, and with all widths. */
#include <CUnit/Basic.h>
#include <stdlib.h>

#include "suite.h"
#include "try.h"

static const ir_target targets[] = {
    {IR_REP3, 3}, {IR_SHAMIR, 3}, {IR_SHAMIR, 5}, {IR_SHAMIR, 7},
    {IR_SHAMIR, 4}};

static void all_pairs(pairs *p, long xlo, long xhi, long ylo, long yhi) {
  pairs_init(p, (unsigned)((xhi - xlo + 1) * (yhi - ylo + 1)));
  unsigned n = 0;
  for (long x = xlo; x <= xhi; x++)
    for (long y = ylo; y <= yhi; y++, n++) {
      mpz_set_si(p->x[n], x);
      mpz_set_si(p->y[n], y);
    }
  mpz_set_si(p->xlo, xlo);
  mpz_set_si(p->xhi, xhi);
  mpz_set_si(p->ylo, ylo);
  mpz_set_si(p->yhi, yhi);
}

/* Tries all that fits; how many did. */
static unsigned try_all(const trial *t, setup s, long xlo, long xhi, long ylo,
                        long yhi) {
  unsigned done = 0;
  if (t->natural && (xlo < 0 || ylo < 0)) return 0;
  if (t->y == Y_COUNT) {
    ylo = 0;
    yhi = (long)s.w;
  } else if (t->y == Y_NONE) {
    ylo = yhi = 0;
  }
  pairs p;
  all_pairs(&p, xlo, xhi, ylo, yhi);
  for (int pub = 0; pub < 2; pub++)
    for (int open = 0; open < 2; open++) {
      if (pub && t->y == Y_NONE) continue;
      s.y_pub = pub;
      s.open = open;
      bool skipped;
      CU_ASSERT(try_pairs(t, &s, &p, &skipped));
      done += !skipped;
    }
  pairs_fini(&p);
  return done;
}

static unsigned try_intervals(const trial *t, const setup *s, long h) {
  unsigned done = try_all(t, *s, -h, h, -h, h);
  done += try_all(t, *s, 0, h, 0, h);
  done += try_all(t, *s, 0, h, -h, h);
  done += try_all(t, *s, -h, h, 0, h);
  done += try_all(t, *s, -h / 2, h / 3, -h / 3, h / 2);
  done += try_all(t, *s, 0, h / 3, 0, h / 2);
  done += try_all(t, *s, 1, 1, 0, 1);
  if (t->divides) done += try_all(t, *s, 0, h / 8, 1, h);
  return done + try_all(t, *s, 0, 1, 0, 1);
}

/* Of digits and the like every w; of the others one is enough. */
static bool uses_w(const trial *t) { return t->y != Y_SHARE; }

/* A NULL prime is 2^k - 1. */
static void exhaust_over(const char *prime, unsigned k, const char *pipeline,
                         unsigned first, unsigned ntarget) {
  long h = prime ? strtol(prime, NULL, 10) / 2 : (1L << (k - 1)) - 1;
  for (unsigned c = 0; c < ntrials; c++)
    for (unsigned g = first; g < ntarget; g++) {
      unsigned done = 0;
      for (unsigned w = 1; w <= k; w++) {
        if (w > 2 && !uses_w(&trials[c])) break;
        setup s = {.k = k, .w = w, .prime = prime, .target = targets[g],
                   .pipeline = pipeline};
        done += try_intervals(&trials[c], &s, h);
      }
      CU_ASSERT(done > 0);
    }
}

static void exhaust(unsigned k, const char *pipeline, unsigned first,
                    unsigned ntarget) {
  exhaust_over(NULL, k, pipeline, first, ntarget);
}

static void test_primes(void) {
  exhaust_over("11", 4, pass_pipeline(2, IR_SCHED), 0, 4);
  exhaust_over("29", 5, pass_pipeline(2, IR_SCHED), 0, 3);
  exhaust_over("29", 5, pass_pipeline(0, IR_SCHED), 0, 1);
}

static void test_3(void) {
  exhaust(3, pass_pipeline(0, IR_SCHED), 0, 5);
  exhaust(3, pass_pipeline(2, IR_SCHED), 0, 5);
}

static void test_5(void) {
  exhaust(5, pass_pipeline(1, IR_SCHED), 0, 5);
  exhaust(5, pass_pipeline(2, IR_CORE), 0, 1);
}

static void test_7(void) { exhaust(7, pass_pipeline(2, IR_SCHED), 0, 1); }

/* Quotients of and by eight planes and more have a method of their own. */
static void test_redundant(void) {
  static const long r[][4] = {
      {0, 255, 0, 255}, {-128, 127, -128, 127}, {-255, 300, 255, 257}};
  for (unsigned c = 0; c < ntrials; c++)
    for (unsigned j = 0; trials[c].divides && j < 3; j++) {
      pairs p;
      all_pairs(&p, r[j][0], r[j][1], r[j][2], r[j][3]);
      setup s = {.k = 61, .target = targets[j == 2],
                 .pipeline = pass_pipeline(2, IR_SCHED)};
      bool skipped;
      CU_ASSERT(try_pairs(&trials[c], &s, &p, &skipped));
      CU_ASSERT(!skipped);
      pairs_fini(&p);
    }
}

/* By a public one there is no loop: in one limb, in two, in four; also of
 * divisors longer than what is divided. */
static void test_public(void) {
  static const struct {
    const char *prime;
    unsigned k;
    long r[4];
  } t[] = {{NULL, 61, {0, 255, 1, 255}},   {NULL, 61, {0, 40, 7, 1300}},
           {NULL, 17, {0, 200, 1, 260}},   {NULL, 13, {3, 255, 1, 255}},
           {NULL, 13, {0, 255, 100, 300}}, {"1021", 10, {0, 63, 1, 510}},
           {NULL, 61, {0, 255, 5, 5}},     {NULL, 61, {0, 0, 1, 255}}};
  for (unsigned c = 0; c < ntrials; c++)
    for (unsigned j = 0; trials[c].divides && j < sizeof t / sizeof *t; j++)
      for (unsigned g = 0; g < 3; g++) {
        pairs p;
        all_pairs(&p, t[j].r[0], t[j].r[1], t[j].r[2], t[j].r[3]);
        setup s = {.k = t[j].k, .prime = t[j].prime, .target = targets[g],
                   .pipeline = pass_pipeline(g == 2 ? 0 : 2, IR_SCHED),
                   .y_pub = true, .open = j % 2};
        bool skipped;
        CU_ASSERT(try_pairs(&trials[c], &s, &p, &skipped));
        CU_ASSERT(!skipped);
        pairs_fini(&p);
      }
}

void exhaustive_suite(void) {
  CU_pSuite s = CU_add_suite("every pair of operands", NULL, NULL);
  CU_add_test(s, "k = 3", test_3);
  CU_add_test(s, "k = 5", test_5);
  CU_add_test(s, "k = 7", test_7);
  CU_add_test(s, "other primes", test_primes);
  CU_add_test(s, "division, redundant", test_redundant);
  CU_add_test(s, "division by public ones", test_public);
}
