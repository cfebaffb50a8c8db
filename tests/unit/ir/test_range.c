/* Intervals against brute force: every pair of operands, in plain C. */
#include <CUnit/Basic.h>
#include <stdlib.h>

#include "tests/unit/ir/suite.h"

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

static int64_t floor_div(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b && (a < 0) != (b < 0) ? q - 1 : q;
}

/* Nearest, ties to even, by comparing both neighbours. */
static int64_t nearest(int64_t a, int64_t b) {
  int64_t q = floor_div(a, b), left = llabs(a - q * b);
  int64_t right = llabs(a - (q + 1) * b);
  if (left != right) return left < right ? q : q + 1;
  return q % 2 ? q + 1 : q;
}

static int64_t root(int64_t a) {
  int64_t r = 0;
  while ((r + 1) * (r + 1) <= a) r++;
  return r;
}

/* The op's value; false where it is not defined. */
static bool plain(ir_op op, int64_t a, int64_t b, int64_t *r) {
  switch (op) {
  case OP_ADD: *r = a + b; return true;
  case OP_SUB: *r = a - b; return true;
  case OP_MUL: *r = a * b; return true;
  case OP_NEG: *r = -a; return true;
  case OP_DIV: if (b) *r = a / b; return b;
  case OP_MOD: if (b) *r = a % b; return b;
  case OP_RDIV: if (b) *r = nearest(a, b); return b;
  case OP_ISQRT: if (a >= 0) *r = root(a); return a >= 0;
  case OP_AND: *r = a & b; return a >= 0 && b >= 0;
  case OP_OR: *r = a | b; return a >= 0 && b >= 0;
  case OP_XOR: *r = a ^ b; return a >= 0 && b >= 0;
  case OP_SHL: *r = a * (1 << (b & 31)); return b >= 0;
  default: *r = b >= 0 ? floor_div(a, 1 << (b & 31)) : 0; return b >= 0;
  }
}

static bool is_exact(ir_op op) {
  return op != OP_MOD && op != OP_AND && op != OP_OR && op != OP_XOR;
}

static void one_case(ir_module *m, ir_op op, int64_t alo, int64_t ahi,
                     int64_t blo, int64_t bhi) {
  int64_t lo = INT64_MAX, hi = INT64_MIN, r;
  for (int64_t a = alo; a <= ahi; a++)
    for (int64_t b = blo; b <= bhi; b++)
      if (plain(op, a, b, &r)) {
        if (r < lo) lo = r;
        if (r > hi) hi = r;
      }
  const ir_range *got = ir_range_of(m, op, ir_range_si(m, alo, ahi),
                                    ir_range_si(m, blo, bhi), 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(got);
  if (lo > hi) return; /* nowhere defined */
  const ir_range *want = ir_range_si(m, lo, hi);
  bool ok = is_exact(op) ? got == want : ir_range_within(want, got);
  if (!ok)
    gmp_printf("%s %ld..%ld, %ld..%ld gives %Zd..%Zd, not %ld..%ld\n",
               ir_ops[op].spelling, alo, ahi, blo, bhi, got->lo, got->hi, lo,
               hi);
  CU_ASSERT(ok);
}

static void brute_force(void) {
  static const ir_op op[] = {OP_ADD,   OP_SUB, OP_MUL, OP_NEG, OP_DIV,
                             OP_MOD,   OP_RDIV, OP_ISQRT, OP_AND, OP_OR,
                             OP_XOR,   OP_SHL, OP_SHR};
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "t", 61);
  for (size_t k = 0; k < sizeof op / sizeof *op; k++) {
    bool shift = op[k] == OP_SHL || op[k] == OP_SHR;
    bool pos = op[k] == OP_AND || op[k] == OP_OR || op[k] == OP_XOR;
    for (int n = 0; n < 600; n++) {
      int64_t alo = (int64_t)(rnd() % 61) - 30;
      int64_t ahi = alo + (int64_t)(rnd() % 20);
      int64_t blo = (int64_t)(rnd() % 41) - 20;
      int64_t bhi = blo + (int64_t)(rnd() % 20);
      if (shift) {
        blo = (int64_t)(rnd() % 6);
        bhi = blo + (int64_t)(rnd() % 6);
      }
      if (pos) {
        alo = llabs(alo);
        ahi = alo + 13;
        blo = llabs(blo);
        bhi = blo + 9;
      }
      if (op[k] == OP_ISQRT) {
        alo = llabs(alo);
        ahi = alo + 40;
      }
      one_case(m, op[k], alo, ahi, blo, bhi);
    }
  }
  arena_free(a);
}

/* Sums and products of groups: all choices of 3 elements. */
static void folds(void) {
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "t", 61);
  for (int64_t lo = -4; lo <= 3; lo++)
    for (int64_t hi = lo; hi <= 4; hi++) {
      int64_t least = 1000, most = -1000;
      for (int64_t x = lo; x <= hi; x++)
        for (int64_t y = lo; y <= hi; y++)
          for (int64_t z = lo; z <= hi; z++) {
            if (x * y * z < least) least = x * y * z;
            if (x * y * z > most) most = x * y * z;
          }
      const ir_range *r = ir_range_si(m, lo, hi);
      CU_ASSERT_PTR_EQUAL(ir_range_of(m, OP_PROD, r, NULL, 3),
                          ir_range_si(m, least, most));
      CU_ASSERT_PTR_EQUAL(ir_range_of(m, OP_SUM, r, NULL, 3),
                          ir_range_si(m, 3 * lo, 3 * hi));
      int64_t big = lo * lo > hi * hi ? lo * lo : hi * hi;
      int64_t small = lo * lo < hi * hi ? lo * lo : hi * hi;
      CU_ASSERT(ir_range_within(
          ir_range_si(m, lo <= 0 && hi >= 0 ? 0 : small, big),
          ir_range_square(m, r)));
    }
  arena_free(a);
}

static void interning(void) {
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "t", 61);
  const ir_range *keep[500];
  for (int64_t k = 0; k < 500; k++) keep[k] = ir_range_si(m, -k, k * k);
  for (int64_t k = 0; k < 500; k++)
    CU_ASSERT_PTR_EQUAL(keep[k], ir_range_si(m, -k, k * k));
  CU_ASSERT_PTR_EQUAL(ir_range_hull(m, keep[3], keep[7]),
                      ir_range_si(m, -7, 49));
  CU_ASSERT(ir_range_within(keep[3], keep[7]));
  CU_ASSERT_FALSE(ir_range_within(keep[7], keep[3]));
  CU_ASSERT(ir_range_within(keep[7], NULL));
  CU_ASSERT_FALSE(ir_range_within(NULL, keep[7]));
  CU_ASSERT_PTR_EQUAL(ir_range_bits(m, 8, true), ir_range_si(m, -128, 127));
  CU_ASSERT_PTR_EQUAL(ir_range_bits(m, 8, false), ir_range_si(m, 0, 255));
  arena_free(a);
}

static void limits(void) {
  arena *a = arena_new();
  ir_module *m = ir_module_new(a, "t", 61);
  const ir_range *r = ir_range_si(m, INT64_MIN, INT64_MAX);
  CU_ASSERT(ir_range_is_int64(r));
  CU_ASSERT_FALSE(ir_range_is_int64(ir_range_of(m, OP_ADD, r, r, 0)));
  CU_ASSERT_FALSE(ir_range_in_field(m, r));
  int64_t half = ((int64_t)1 << 60) - 1;
  CU_ASSERT(ir_range_in_field(m, ir_range_si(m, -half, half)));
  CU_ASSERT_FALSE(ir_range_in_field(m, ir_range_si(m, 0, half + 1)));
  CU_ASSERT_FALSE(ir_range_in_field(m, NULL));
  /* too wide to represent: no range, and no exhaustion on the way */
  const ir_range *s = ir_range_si(m, 2, 1000000000);
  CU_ASSERT_PTR_NULL(ir_range_of(m, OP_SHL, s, s, 0));
  CU_ASSERT_PTR_NULL(ir_range_of(m, OP_PROD, s, NULL, IR_LANES_MAX));
  CU_ASSERT_PTR_EQUAL(ir_range_of(m, OP_SHR, s, s, 0),
                      ir_range_si(m, 0, 250000000));
  CU_ASSERT_PTR_NULL(ir_range_of(m, OP_ADD, s, NULL, 0));
  arena_free(a);
}

void add_range_tests(void) {
  CU_pSuite s = CU_add_suite("ranges", NULL, NULL);
  CU_add_test(s, "brute force", brute_force);
  CU_add_test(s, "sums, products, squares", folds);
  CU_add_test(s, "interning", interning);
  CU_add_test(s, "limits", limits);
}
