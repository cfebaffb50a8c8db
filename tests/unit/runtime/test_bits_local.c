/* Local operations on bits against plain loops, for all kinds of values of both
 * protocols: random lanes, strides and offsets. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "bits_kit.h"

enum { WORDS = 4096, MOST = 512 };

/* Parties without a network: an arena each. */
typedef struct bench {
  chi_protocol protocol;
  unsigned n;
  chi_session s[CHI_PARTIES_MAX];
  uint64_t *arena[CHI_PARTIES_MAX];
} bench;

static uint64_t seed = 1;

static uint64_t upto(uint64_t n) { return test_random(&seed) % n; }

static void bench_new(bench *b, chi_protocol protocol, unsigned n) {
  memset(b, 0, sizeof *b);
  b->protocol = protocol;
  b->n = n;
  for (unsigned i = 0; i < n; i++) {
    b->arena[i] = b->s[i].w = malloc(WORDS * 8);
    memset(b->arena[i], 0x5a, WORDS * 8);
    b->s[i].proto = protocol == CHI_REP3 ? &chii_rep3_ops : &chii_shamir_ops;
    b->s[i].n = n;
    b->s[i].me = i;
  }
}

static void bench_free(bench *b) {
  for (unsigned i = 0; i < b->n; i++)
    free(b->arena[i]);
}

static void random_bits(unsigned *bit, uint64_t lanes) {
  for (uint64_t l = 0; l < lanes; l++)
    bit[l] = test_random(&seed) & 1;
}

static void share(bench *b, int kind, const unsigned *bit, uint64_t lanes,
                  uint64_t at) {
  kit_share(b->protocol, b->n, kind, bit, lanes, b->arena, at, &seed);
}

/* Nothing is at `at` that a value might have. */
static void fresh(bench *b, uint64_t at) {
  for (unsigned i = 0; i < b->n; i++)
    memset(b->arena[i] + at, 0x5a, 700 * 8);
}

static void wrong(const char *what) {
  (void)fprintf(stderr, "%s: ", what);
  CU_FAIL_FATAL("an operation is wrong, or writes behind its result");
}

static void expect(bench *b, int kind, const unsigned *bit, uint64_t lanes,
                   uint64_t at, const char *what) {
  for (uint64_t l = 0; l < lanes; l++)
    if (kit_join(b->protocol, b->n, kind, lanes, b->arena, at, l) != bit[l])
      wrong(what);
  for (unsigned i = 0; i < b->n; i++)
    if (b->arena[i][at + kit_words(b->protocol, kind, lanes)] !=
        UINT64_C(0x5a5a5a5a5a5a5a5a))
      wrong(what);
}

#define EACH(call)                                                             \
  for (unsigned i_ = 0; i_ < b->n; i_++) {                                     \
    chi_gen *g = &b->s[i_];                                                    \
    call;                                                                      \
  }

/* Slots, far from each other. */
enum { A = 0, B = 600, C = 1200, D = 1800, E = 2600 };

static void arithmetic(bench *b, uint64_t L) {
  unsigned x[MOST], y[MOST], p[MOST], z[MOST];
  random_bits(x, L);
  random_bits(y, L);
  random_bits(p, L);
  share(b, CHI_B_PUB, p, L, C);
  for (int kind = CHI_B_PUB; kind <= CHI_B_PROD; kind++) {
    share(b, kind, x, L, A);
    share(b, kind, y, L, B);
    fresh(b, D);
    EACH(chi_gen_b_add(g, kind, D, A, B, L));
    for (uint64_t l = 0; l < L; l++)
      z[l] = x[l] ^ y[l];
    expect(b, kind, z, L, D, "add");
    EACH(chi_gen_b_addp(g, kind, D, A, C, L));
    for (uint64_t l = 0; l < L; l++)
      z[l] = x[l] ^ p[l];
    expect(b, kind, z, L, D, "addp");
    EACH(chi_gen_b_mulp(g, kind, D, A, C, L));
    for (uint64_t l = 0; l < L; l++)
      z[l] = x[l] & p[l];
    expect(b, kind, z, L, D, "mulp");
    EACH(chi_gen_b_mulp(g, kind, D, D, C, L));
    expect(b, kind, z, L, D, "mulp in place");
    EACH(chi_gen_b_addp(g, kind, D, D, C, L));
    for (uint64_t l = 0; l < L; l++)
      z[l] ^= p[l];
    expect(b, kind, z, L, D, "addp in place");
    EACH(chi_gen_b_add(g, kind, D, D, D, L));
    memset(z, 0, sizeof z);
    expect(b, kind, z, L, D, "add to itself");
  }
  share(b, CHI_B_SH, x, L, A);
  share(b, CHI_B_SH, y, L, B);
  fresh(b, D);
  EACH(chi_gen_b_mul(g, D, A, B, L));
  for (uint64_t l = 0; l < L; l++)
    z[l] = x[l] & y[l];
  expect(b, CHI_B_PROD, z, L, D, "mul");
  EACH(chi_gen_b_muladd(g, D, D, A, A, L));
  for (uint64_t l = 0; l < L; l++)
    z[l] ^= x[l];
  expect(b, CHI_B_PROD, z, L, D, "muladd");
  fresh(b, D);
  EACH(chi_gen_b_lift(g, D, A, L));
  expect(b, CHI_B_PROD, x, L, D, "lift");
  fresh(b, E);
  EACH(chi_gen_b_hide(g, E, C, L));
  expect(b, CHI_B_SH, p, L, E, "hide");
}

static void sums(bench *b, uint64_t out, uint64_t inner) {
  unsigned x[MOST], z[MOST];
  random_bits(x, out * inner);
  for (uint64_t o = 0; o < out; o++) {
    z[o] = 0;
    for (uint64_t k = 0; k < inner; k++)
      z[o] ^= x[o * inner + k];
  }
  for (int kind = CHI_B_PUB; kind <= CHI_B_PROD; kind++) {
    share(b, kind, x, out * inner, A);
    fresh(b, D);
    EACH(chi_gen_b_sum(g, kind, D, A, out, inner));
    expect(b, kind, z, out, D, "sum");
  }
}

static void select_of(bench *b, uint64_t L) {
  unsigned x[MOST], y[MOST], z[MOST];
  random_bits(x, L);
  random_bits(y, L);
  for (int kind = CHI_B_PUB; kind <= CHI_B_PROD; kind++)
    for (unsigned how = 0; how < 3; how++) { /* 0, 1, a condition a lane */
      share(b, kind, x, L, A);
      share(b, kind, y, L, B);
      for (uint64_t l = 0; l < L; l++) {
        uint64_t c = how == 2 ? test_random(&seed) & 1 : how;
        z[l] = c ? x[l] : y[l];
        EACH(g->w[E + l] = c);
      }
      fresh(b, D);
      EACH(chi_gen_b_select(g, kind, D, A, B, L, E, how == 2 ? L : 1));
      expect(b, kind, z, L, D, "select");
      EACH(chi_gen_b_select(g, kind, A, A, B, L, E, how == 2 ? L : 1));
      for (uint64_t l = 0; l < L; l++)
        if (kit_join(b->protocol, b->n, kind, L, b->arena, A, l) != z[l])
          CU_FAIL_FATAL("select in place");
    }
}

/* A view of random shape whose lanes lie in [0, lanes); distinct lanes if
 * `once`.  Returns its size, at most `room`. */
static uint64_t random_view(chi_b_dim *dim, unsigned *ndim, int64_t *off,
                            uint64_t lanes, uint64_t room, bool once) {
  uint64_t size = 1, reach = 1; /* inner dimensions cover [0, reach) */
  unsigned k = (unsigned)upto(4);
  *ndim = k;
  *off = 0;
  while (k-- > 0) {
    uint64_t left = lanes / reach;
    uint64_t n = 1 + upto(chii_min(left, room / size) + 1);
    uint64_t stride = upto(3) ? reach : 0; /* goes on, or */
    if (once && !stride)
      stride = reach;
    if (stride && upto(3) == 0)
      stride += upto(lanes / n / 2 + 1);
    while (n > 1 && (n - 1) * stride + reach > lanes)
      n--;
    if (n * size > room)
      n = room / size;
    dim[k] = (chi_b_dim){n, (int64_t)stride};
    if (n > 1 && stride)
      reach += (n - 1) * stride;
    if (n > 1 && stride && upto(4) == 0) { /* backwards */
      *off += (int64_t)((n - 1) * stride);
      dim[k].stride = -dim[k].stride;
    }
    size *= n;
  }
  *off += (int64_t)upto(lanes - reach + 1);
  return size;
}

/* Lane of the operand that lane l of the view is. */
static uint64_t lane_of(const chi_b_dim *dim, unsigned ndim, int64_t off,
                        uint64_t l) {
  for (unsigned k = ndim; k-- > 0; l /= dim[k].n)
    off += (int64_t)(l % dim[k].n) * dim[k].stride;
  return (uint64_t)off;
}

static void views(bench *b) {
  unsigned x[MOST], y[MOST], z[MOST];
  chi_b_dim dim[4];
  unsigned ndim;
  int64_t off;
  uint64_t lanes = 1 + upto(200), dst_lanes = 1 + upto(250);
  int kind = (int)upto(3);
  random_bits(x, MOST);
  random_bits(y, MOST);

  uint64_t size = random_view(dim, &ndim, &off, lanes, dst_lanes, false);
  uint64_t to = upto(dst_lanes - size + 1);
  share(b, kind, x, lanes, A);
  fresh(b, D);
  share(b, kind, y, dst_lanes, D);
  EACH(chi_gen_b_view(g, kind, D, dst_lanes, to, A, lanes, off, dim, ndim));
  memcpy(z, y, sizeof z);
  for (uint64_t l = 0; l < size; l++)
    z[to + l] = x[lane_of(dim, ndim, off, l)];
  expect(b, kind, z, dst_lanes, D, "view");
  if (to + size == dst_lanes) { /* what stood behind the last lane goes */
    EACH(memset(g->w + D, 0xff, kit_words(b->protocol, kind, dst_lanes) * 8));
    chi_b_dim all = {to, 0};
    if (to)
      EACH(chi_gen_b_view(g, kind, D, dst_lanes, 0, A, lanes, 0, &all, 1));
    EACH(chi_gen_b_view(g, kind, D, dst_lanes, to, A, lanes, off, dim, ndim));
    for (uint64_t l = 0; l < to; l++)
      z[l] = x[0];
    expect(b, kind, z, dst_lanes, D, "view of a fresh value");
  }

  size = random_view(dim, &ndim, &off, dst_lanes, lanes, true);
  share(b, kind, x, size, A);
  fresh(b, D);
  share(b, kind, y, dst_lanes, D);
  EACH(chi_gen_b_put(g, kind, D, dst_lanes, off, dim, ndim, A, size));
  memcpy(z, y, sizeof z);
  for (uint64_t l = 0; l < size; l++)
    z[lane_of(dim, ndim, off, l)] = x[l];
  expect(b, kind, z, dst_lanes, D, "put");

  uint64_t index[MOST];
  for (uint64_t l = 0; l < dst_lanes; l++) {
    index[l] = upto(lanes);
    z[l] = x[index[l]];
  }
  share(b, kind, x, lanes, A);
  fresh(b, D);
  EACH(chi_gen_b_gather(g, kind, D, dst_lanes, A, lanes, index));
  expect(b, kind, z, dst_lanes, D, "gather");
}

static void constants(bench *b, uint64_t L) {
  unsigned z[MOST];
  uint64_t table[MOST / 64 + 1];
  memset(table, 0, sizeof table);
  for (unsigned bit = 0; bit < 2; bit++) {
    for (uint64_t l = 0; l < L; l++)
      z[l] = bit;
    fresh(b, D);
    EACH(chi_gen_b_const(g, D, L, bit));
    expect(b, CHI_B_PUB, z, L, D, "const");
  }
  random_bits(z, L);
  for (uint64_t l = 0; l < L; l++)
    kit_set_bit(table, l, z[l]);
  fresh(b, D);
  EACH(chi_gen_b_table(g, D, L, table));
  expect(b, CHI_B_PUB, z, L, D, "table");
}

static void integers(bench *b, uint64_t L, unsigned bits) {
  unsigned z[MOST];
  for (uint64_t l = 0; l < L; l++) {
    uint64_t v = test_random(&seed); /* of any sign */
    EACH(g->w[A + l] = v);
    for (unsigned i = 0; i < bits; i++)
      z[i * L + l] = v >> i & 1;
  }
  fresh(b, D);
  EACH(chi_gen_b_unpack(g, D, A, L, bits));
  expect(b, CHI_B_PUB, z, bits * L, D, "unpack");
  EACH(chi_gen_b_pack(g, B, D, L, bits));
  for (uint64_t l = 0; l < L; l++)
    for (unsigned i = 0; i < b->n; i++)
      CU_ASSERT_EQUAL_FATAL(b->arena[i][B + l],
                            b->arena[i][A + l] & ((UINT64_C(1) << bits) - 1));
}

static void all_of(chi_protocol protocol, unsigned n) {
  bench b;
  bench_new(&b, protocol, n);
  for (int k = 0; k < 20; k++) {
    uint64_t L = k < 8 ? (uint64_t[]){1, 2, 7, 8, 63, 64, 65, 200}[k]
                       : 1 + upto(200);
    arithmetic(&b, L);
    sums(&b, 1 + upto(20), 1 + upto(20));
    select_of(&b, L);
    constants(&b, L);
    integers(&b, 1 + upto(8), 1 + (unsigned)upto(63));
    integers(&b, 1 + upto(140), 1 + (unsigned)upto(3));
    for (int v = 0; v < 12; v++)
      views(&b);
  }
  sums(&b, 1, 200);
  sums(&b, 3, 130);
  bench_free(&b);
}

static void rep3(void) { all_of(CHI_REP3, 3); }
static void shamir(void) {
  all_of(CHI_SHAMIR, 3);
  all_of(CHI_SHAMIR, 4);
  all_of(CHI_SHAMIR, 7);
}

/* All 2^16 products, eight at a time, and combinations. */
static void gf256(void) {
  for (unsigned a = 0; a < 256; a++)
    for (unsigned c = 0; c < 256; c += 8) {
      uint64_t y = 0;
      for (unsigned k = 0; k < 8; k++)
        y |= (uint64_t)(c + k) << (8 * k);
      uint64_t z = chii_gf_mul(a * CHII_ONES, y);
      for (unsigned k = 0; k < 8; k++)
        if ((z >> (8 * k) & 0xff) != kit_gf_mul(a, c + k))
          CU_FAIL_FATAL("a product in GF(2^8) is wrong");
    }
  /* a polynomial of degree 3 from 4 points */
  uint8_t coef[4], x[4], y[4], c[4];
  for (int round = 0; round < 200; round++) {
    for (unsigned i = 0; i < 4; i++) {
      coef[i] = (uint8_t)test_random(&seed);
      x[i] = (uint8_t)(64 * i + upto(64));
    }
    uint8_t at = (uint8_t)test_random(&seed);
    unsigned want = 0;
    for (unsigned i = 0; i < 4; i++) {
      unsigned v = 0;
      for (unsigned e = 4; e-- > 0;)
        v = kit_gf_mul(v, x[i]) ^ coef[e];
      y[i] = (uint8_t)v;
    }
    for (unsigned e = 4; e-- > 0;)
      want = kit_gf_mul(want, at) ^ coef[e];
    uint64_t rows[4], out;
    for (unsigned i = 0; i < 4; i++)
      rows[i] = y[i];
    chii_gf_lagrange(c, x, 4, at);
    chii_gf_combine(&out, c, rows, 1, 4, 1);
    CU_ASSERT_EQUAL(out, want);
  }
}

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("bits, local", NULL, NULL);
  CU_add_test(s, "GF(2^8)", gf256);
  CU_add_test(s, "rep3", rep3);
  CU_add_test(s, "shamir", shamir);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
