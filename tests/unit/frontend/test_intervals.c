/* Interval arithmetic against all pairs of values of small intervals. */
#include "tests/unit/frontend/checked.h"

enum { R = 6 };

typedef bool (*op_fn)(long x, long y, long *out);
typedef const ival *(*iv_fn)(ival_set *, const ival *, const ival *);

static bool add(long x, long y, long *o) { return *o = x + y, true; }
static bool sub(long x, long y, long *o) { return *o = x - y, true; }
static bool mul(long x, long y, long *o) { return *o = x * y, true; }
static bool tdiv(long x, long y, long *o) { return y && (*o = x / y, true); }
static bool tmod(long x, long y, long *o) { return y && (*o = x % y, true); }
static bool least(long x, long y, long *o) {
  return *o = x < y ? x : y, true;
}
static bool most(long x, long y, long *o) { return *o = x > y ? x : y, true; }
static bool rdiv(long x, long y, long *o) {
  if (!y) return false;
  long n = y < 0 ? -x : x, d = y < 0 ? -y : y;
  long q = n / d, r = n % d;
  if (r < 0) r += d, q--;
  if (2 * r > d || (2 * r == d && q % 2 != 0)) q++;
  return *o = q, true;
}
static bool bits_and(long x, long y, long *o) {
  return x >= 0 && y >= 0 && (*o = x & y, true);
}
static bool bits_or(long x, long y, long *o) {
  return x >= 0 && y >= 0 && (*o = x | y, true);
}
static bool bits_xor(long x, long y, long *o) {
  return x >= 0 && y >= 0 && (*o = x ^ y, true);
}

/* Sound for all; the hull exactly where `exact`. */
static void pairs(ival_set *s, op_fn f, iv_fn g, bool exact, bool positive) {
  for (long a = -R; a <= R; a++)
    for (long b = a; b <= R; b++)
      for (long c = -R; c <= R; c++)
        for (long d = c; d <= R; d++) {
          if (positive && (a < 0 || c < 0)) continue;
          bool any = false;
          long lo = 0, hi = 0, v;
          for (long x = a; x <= b; x++)
            for (long y = c; y <= d; y++) {
              if (!f(x, y, &v)) continue;
              if (!any || v < lo) lo = v;
              if (!any || v > hi) hi = v;
              any = true;
            }
          if (!any) continue;
          const ival *r = g(s, ival_si(s, a, b), ival_si(s, c, d));
          bool sound = mpz_cmp_si(r->lo, lo) <= 0 && mpz_cmp_si(r->hi, hi) >= 0;
          bool tight = mpz_cmp_si(r->lo, lo) == 0 && mpz_cmp_si(r->hi, hi) == 0;
          if (!sound || (exact && !tight)) {
            CU_FAIL("interval of a pair");
            return;
          }
        }
  CU_PASS("pairs");
}

static void two_operands(void) {
  arena *a = arena_new();
  ival_set *s = ival_set_new(a);
  pairs(s, add, ival_add, true, false);
  pairs(s, sub, ival_sub, true, false);
  pairs(s, mul, ival_mul, true, false);
  pairs(s, tdiv, ival_div, true, false);
  pairs(s, rdiv, ival_rdiv, true, false);
  pairs(s, tmod, ival_mod, false, false);
  pairs(s, least, ival_min, true, false);
  pairs(s, most, ival_max, true, false);
  pairs(s, bits_and, ival_and, false, true);
  pairs(s, bits_or, ival_or, false, true);
  pairs(s, bits_xor, ival_or, false, true);
  arena_free(a);
}

static void powers(void) {
  arena *a = arena_new();
  ival_set *s = ival_set_new(a);
  for (long lo = -5; lo <= 5; lo++)
    for (long hi = lo; hi <= 5; hi++)
      for (unsigned long e = 0; e <= 4; e++) {
        long best = 0, worst = 0;
        for (long x = lo; x <= hi; x++) {
          long v = 1;
          for (unsigned long i = 0; i < e; i++) v *= x;
          if (x == lo || v < worst) worst = v;
          if (x == lo || v > best) best = v;
        }
        const ival *r = ival_pow(s, ival_si(s, lo, hi), e);
        CU_ASSERT_EQUAL(mpz_get_si(r->lo), worst);
        CU_ASSERT_EQUAL(mpz_get_si(r->hi), best);
      }
  arena_free(a);
}

static void one_operand(void) {
  arena *a = arena_new();
  ival_set *s = ival_set_new(a);
  for (long lo = -9; lo <= 9; lo++)
    for (long hi = lo; hi <= 9; hi++) {
      const ival *v = ival_si(s, lo, hi);
      long least_abs = lo > 0 ? lo : hi < 0 ? -hi : 0;
      long most_abs = -lo > hi ? -lo : hi;
      CU_ASSERT_EQUAL(mpz_get_si(ival_abs(s, v)->lo), least_abs);
      CU_ASSERT_EQUAL(mpz_get_si(ival_abs(s, v)->hi), most_abs);
      CU_ASSERT_EQUAL(mpz_get_si(ival_neg(s, v)->lo), -hi);
      CU_ASSERT_EQUAL(mpz_get_si(ival_shr(s, v, 1)->lo),
                      (lo - (lo & 1)) / 2);
      CU_ASSERT_PTR_EQUAL(ival_hull(s, v, ival_si(s, lo, lo)), v);
    }
  arena_free(a);
}

static void interned(void) {
  arena *a = arena_new();
  ival_set *s = ival_set_new(a);
  const ival *first = ival_si(s, -1, 1);
  for (long i = 0; i < 20000; i++) ival_si(s, i, 2 * i);
  CU_ASSERT_PTR_EQUAL(ival_si(s, -1, 1), first);
  CU_ASSERT_PTR_EQUAL(ival_si(s, 0, 255), ival_unsigned(s, 8));
  CU_ASSERT_PTR_EQUAL(ival_si(s, -128, 127), ival_signed(s, 8));
  arena_free(a);
}

static void texts(void) {
  static const struct {
    long lo, hi;
    const char *text, *mend;
  } t[] = {{0, 255, "u8", "u8"},      {-128, 127, "i8", "i8"},
           {0, 510, "0..510", "u9"},  {5, 5, "5", "u3"},
           {0, 0, "0", "u1"},         {-1, 0, "i1", "i1"},
           {-129, 0, "-129..0", "i9"}, {1, 256, "1..256", "u9"},
           {-3, 200, "-3..200", "i9"}, {0, 1, "u1", "u1"}};
  arena *a = arena_new();
  ival_set *s = ival_set_new(a);
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    buf b = {0}, c = {0};
    ival_print(ival_si(s, t[i].lo, t[i].hi), &b);
    ival_suggest(ival_si(s, t[i].lo, t[i].hi), &c);
    CU_ASSERT_STRING_EQUAL(b.p, t[i].text);
    CU_ASSERT_STRING_EQUAL(c.p, t[i].mend);
    buf_free(&b);
    buf_free(&c);
  }
  arena_free(a);
}

void suite_intervals(void) {
  CU_pSuite s = CU_add_suite("intervals", NULL, NULL);
  CU_add_test(s, "two operands, all pairs", two_operands);
  CU_add_test(s, "powers", powers);
  CU_add_test(s, "one operand", one_operand);
  CU_add_test(s, "interned", interned);
  CU_add_test(s, "texts and mends", texts);
}
