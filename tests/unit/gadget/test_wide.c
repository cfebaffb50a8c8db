/* Random operands and extreme ones at full size. */
#include <CUnit/Basic.h>
#include <stdlib.h>

#include "suite.h"
#include "try.h"

static const ir_target targets[] = {
    {IR_REP3, 3}, {IR_SHAMIR, 3}, {IR_SHAMIR, 4}, {IR_SHAMIR, 5},
    {IR_SHAMIR, 7}};

#define EDGES 10
#define RANDOM 20
#define PAIRS (EDGES * EDGES + RANDOM)

/* 0, +-1, +-2^(b-1), 2^b - 1 and neighbours, cut to lo .. hi. */
static void edge(mpz_ptr v, unsigned b, unsigned which, mpz_srcptr lo,
                 mpz_srcptr hi) {
  static const struct {
    int up, by, sign; /* sign * (2^(b-1+up) + by); up = 2: no power */
  } t[EDGES] = {{2, 0, 1},  {2, 1, 1},  {2, 1, -1}, {0, 0, 1},  {0, 0, -1},
                {0, -1, 1}, {0, 1, -1}, {1, -1, 1}, {1, -1, -1}, {1, -2, 1}};
  mpz_set_ui(v, 0);
  if (t[which].up < 2) mpz_setbit(v, b - 1 + (unsigned)t[which].up);
  if (t[which].by < 0)
    mpz_sub_ui(v, v, (unsigned long)-t[which].by);
  else
    mpz_add_ui(v, v, (unsigned long)t[which].by);
  if (t[which].sign < 0) mpz_neg(v, v);
  if (mpz_cmp(v, lo) < 0) mpz_set(v, lo);
  if (mpz_cmp(v, hi) > 0) mpz_set(v, hi);
}

static void fill(pairs *p, unsigned b, gmp_randstate_t rnd) {
  mpz_t size;
  mpz_init(size);
  for (unsigned n = 0; n < PAIRS; n++) {
    if (n < EDGES * EDGES) {
      edge(p->x[n], b, n % EDGES, p->xlo, p->xhi);
      edge(p->y[n], b, n / EDGES, p->ylo, p->yhi);
      continue;
    }
    mpz_sub(size, p->xhi, p->xlo);
    mpz_add_ui(size, size, 1);
    mpz_urandomm(p->x[n], rnd, size);
    mpz_add(p->x[n], p->x[n], p->xlo);
    mpz_sub(size, p->yhi, p->ylo);
    mpz_add_ui(size, size, 1);
    mpz_urandomm(p->y[n], rnd, size);
    mpz_add(p->y[n], p->y[n], p->ylo);
    if (n % 8 == 0 && mpz_cmp(p->x[n], p->ylo) >= 0 &&
        mpz_cmp(p->x[n], p->yhi) <= 0)
      mpz_set(p->y[n], p->x[n]);
  }
  mpz_clear(size);
}

/* |v| < 2^b, from 0 where natural. */
static void bounds(mpz_ptr lo, mpz_ptr hi, unsigned b, bool natural) {
  mpz_set_ui(hi, 0);
  mpz_setbit(hi, b);
  mpz_sub_ui(hi, hi, 1);
  mpz_neg(lo, hi);
  if (natural) mpz_set_ui(lo, 0);
}

static unsigned try_width(const trial *t, setup s, unsigned b, bool natural) {
  unsigned done = 0;
  gmp_randstate_t rnd;
  gmp_randinit_default(rnd);
  gmp_randseed_ui(rnd, 1000 * s.k + b);
  pairs p;
  pairs_init(&p, PAIRS);
  bounds(p.xlo, p.xhi, b, natural);
  bounds(p.ylo, p.yhi, b, natural);
  if (t->y == Y_COUNT) {
    mpz_set_ui(p.ylo, 0);
    mpz_set_ui(p.yhi, s.w);
  }
  fill(&p, b, rnd);
  for (int how = 0; how < 2; how++) {
    bool skipped;
    s.open = how;
    s.y_pub = how && t->y != Y_NONE;
    CU_ASSERT(try_pairs(t, &s, &p, &skipped));
    done += !skipped;
  }
  if (t->divides && natural) { /* by public ones, which are not 0 */
    bool skipped;
    for (unsigned n = 0; n < PAIRS; n++)
      if (mpz_sgn(p.y[n]) == 0) mpz_set_ui(p.y[n], 1);
    mpz_set_ui(p.ylo, 1);
    s.y_pub = true;
    CU_ASSERT(try_pairs(t, &s, &p, &skipped));
  }
  pairs_fini(&p);
  gmp_randclear(rnd);
  return done;
}

/* Targets after shamir of 3: comparisons at every other width; the others at 8
 * bits or, every third in turn, at 32. */
static bool is_picked(unsigned c, unsigned g, unsigned j, int natural) {
  if (g < 2) return true;
  if (c <= 3) return natural && j % 2 == 0;
  bool narrow = trials[c].parts || trials[c].digits || (c + g) % 3;
  return natural && j == (narrow ? 1u : 2u);
}

/* A NULL prime is 2^k - 1. */
static void widths(const char *prime, unsigned k, const char *pipeline,
                   unsigned ntarget) {
  const unsigned width[] = {1, 8, 32, k - 3, k - 2, k - 1};
  for (unsigned c = 0; c < ntrials; c++)
    for (unsigned g = 0; g < ntarget; g++) {
      unsigned done = 0;
      for (unsigned j = 0; j < sizeof width / sizeof *width; j++)
        for (int natural = 0; natural < 2; natural++) {
          if (trials[c].natural && !natural) continue;
          unsigned b = width[j], w = trials[c].parts || b < 9 ? b : b / 3;
          if (trials[c].parts && b > 8 && g) continue;
          if (!is_picked(c, g, j, natural)) continue;
          setup s = {.k = k, .w = w, .prime = prime, .target = targets[g],
                     .pipeline = pipeline};
          done += try_width(&trials[c], s, b, natural);
          if (trials[c].y != Y_NONE || trials[c].parts || b < 9) continue;
          s.w = b - 2; /* most of x, not a third */
          done += try_width(&trials[c], s, b, natural);
        }
      CU_ASSERT(done > 0);
    }
}

static void test_61(void) { widths(NULL, 61, pass_pipeline(2, IR_SCHED), 5); }
static void test_plain(void) { widths(NULL, 61, pass_pipeline(0, IR_SCHED), 1); }
static void test_127(void) { widths(NULL, 127, pass_pipeline(2, IR_SCHED), 1); }

/* 2^61 - 31; 2^255 - 19. */
static void test_primes(void) {
  widths("2305843009213693921", 61, pass_pipeline(2, IR_SCHED), 2);
  widths("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
         255, pass_pipeline(2, IR_SCHED), 1);
}

void wide_suite(void) {
  CU_pSuite s = CU_add_suite("random and extreme operands", NULL, NULL);
  CU_add_test(s, "k = 61", test_61);
  CU_add_test(s, "k = 61, no optimisation", test_plain);
  CU_add_test(s, "k = 127", test_127);
  CU_add_test(s, "other primes", test_primes);
}
