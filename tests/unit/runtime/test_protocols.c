/* Products, sums of products, openings and inputs of both protocols against
 * plain arithmetic; counters against the cost formulas. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

/* A circuit of three values of different lengths: their products with a second
 * operand, a sum of products over all lanes, and openings, in two exchanges.
 * Words: x, y, z each (2 L words), dot (2), opened (L each, 1). */
enum { VALUES = 3 };
typedef struct circuit {
  chi_program program;
  uint64_t lanes[VALUES];
  uint64_t x[VALUES], y[VALUES], z[VALUES], o[VALUES], dot, odot;
} circuit;

/* ---- plain arithmetic ---- */
static uint64_t mulmod(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 u128;
  return (uint64_t)((u128)a * b % CHI_P);
}

typedef struct data {
  circuit *c;
  chi_protocol protocol;
  unsigned n;
  uint64_t *clear; /* arena of clear values, one word a lane */
  chi_sh *share;   /* [word of the arena][n], operands only */
  uint64_t *got[CHI_PARTIES_MAX];
} data;

static void products(chi_gen *g, int P, const circuit *c) {
  uint64_t *w = chi_gen_words(g);
  uint64_t dot = 0;
  for (int v = 0; v < VALUES; v++)
    for (uint64_t off = 0; off < c->lanes[v]; off += CHI_GEN_CHUNK) {
      uint64_t n = chii_min(CHI_GEN_CHUNK, c->lanes[v] - off);
      uint64_t *z = chi_gen_reduce_open_chunk(g, c->z[v], c->lanes[v], off, n);
      for (uint64_t i = 0; i < n; i++) {
        uint64_t p =
            chi_pr_mul(P, chi_sh_ld(P, w + c->x[v], c->lanes[v], off + i),
                       chi_sh_ld(P, w + c->y[v], c->lanes[v], off + i));
        z[i] = chi_f_add(z[i], p);
        dot = chi_f_add(dot, p);
      }
      chi_gen_reduce_close_chunk(g);
    }
  uint64_t *z = chi_gen_reduce_open_chunk(g, c->dot, 1, 0, 1);
  *z = chi_f_add(*z, dot);
  chi_gen_reduce_close_chunk(g);
}

static int run(chi_gen *g) {
  const circuit *c = (const circuit *)(const void *)chi_session_program(g);
  uint64_t m = 1;
  for (int v = 0; v < VALUES; v++)
    m += c->lanes[v];
  /* first exchange: products, and the opening of an operand beside them */
  chi_gen_begin(g, m, c->lanes[0]);
  chi_gen_open(g, c->o[0], c->x[0], c->lanes[0]);
  if (chi_gen_protocol(g) == CHI_GEN_REP3)
    products(g, CHI_GEN_REP3, c);
  else
    products(g, CHI_GEN_SHAMIR, c);
  if (chi_gen_end(g))
    return 1;
  /* second: openings alone */
  chi_gen_begin(g, 0, m - c->lanes[0]);
  for (int v = 1; v < VALUES; v++)
    chi_gen_open(g, c->o[v], c->z[v], c->lanes[v]);
  chi_gen_open(g, c->odot, c->dot, 1);
  return chi_gen_end(g);
}

static void make(circuit *c, const uint64_t *lanes) {
  uint64_t at = 0, m = 1;
  memset(c, 0, sizeof *c);
  for (int v = 0; v < VALUES; v++) {
    c->lanes[v] = lanes[v];
    m += lanes[v];
    c->x[v] = at;
    c->y[v] = at + 2 * lanes[v];
    c->z[v] = at + 4 * lanes[v];
    c->o[v] = at + 6 * lanes[v];
    at += 7 * lanes[v];
  }
  c->dot = at;
  c->odot = at + 2;
  c->program = (chi_program){.abi = CHI_ABI,
                             .field = TEST_FIELD,
                             .name = "test",
                             .words = at + 3,
                             .max_reduce_lanes = m,
                             .max_open_lanes = m,
                             .max_reduce_values = VALUES + 1,
                             .max_open_values = VALUES + 1,
                             .run = run};
}

static void load(chi_session *s, void *user) {
  data *d = user;
  const circuit *c = d->c;
  for (int v = 0; v < VALUES; v++)
    for (uint64_t l = 0; l < c->lanes[v]; l++)
      for (int k = 0; k < 2; k++) {
        uint64_t base = k ? c->y[v] : c->x[v];
        chi_sh_st((int)d->protocol, s->w + base, c->lanes[v], l,
                  d->share[(base + l) * d->n + s->me]);
      }
}

static void store(chi_session *s, void *user) {
  data *d = user;
  d->got[s->me] = malloc(d->c->program.words * 8);
  if (d->got[s->me])
    memcpy(d->got[s->me], s->w, d->c->program.words * 8);
}

static uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/* Bytes that node i sends in one exchange: the cost formulas of the docs. */
static uint64_t formula(chi_protocol protocol, unsigned n, unsigned i,
                        uint64_t m, uint64_t o) {
  if (protocol == CHI_REP3)
    return 8 * m + 8 * o + (o ? 16 : 0);
  unsigned t = (n + 1) / 2 - 1, d = 2 * t + 1;
  uint64_t e = (uint64_t)(n - 1) * o;
  if (i < d && n <= 5)
    e += (n - 1 - t) * m;
  if (i < d && n >= 6) {
    uint64_t kings = m > i ? ceil_div(m - i, d) : 0; /* gates g = i mod d */
    e += ceil_div(m, t + 1) * (n - 1 - t);
    e += m - kings;
    e += kings * (n - 1 - t);
  }
  return 8 * e;
}

/* ---- streams advance in step and never go back ---- */

static uint64_t next_index[CHI_PARTIES_MAX][CHI_PARTIES_MAX][CHI_PARTIES_MAX]
                          [CHII_INPUT + 1];
static int reused;

/* Only looks on.  Each holder is one thread and has its own row.  Points of
 * degree 2t of others are expanded again where a batch lies in two chunks, as
 * what they were; those that a party deals itself are expanded once. */
static bool watch(void *user, unsigned holder, unsigned from, unsigned to,
                  unsigned purpose, uint64_t *out, uint64_t index, size_t n) {
  (void)user;
  (void)out;
  uint64_t *next = &next_index[holder][from][to][purpose];
  if (purpose == CHII_DOUBLE && (holder != from || from == to))
    return false;
  if (index < *next)
    __atomic_add_fetch(&reused, 1, __ATOMIC_RELAXED);
  *next = chii_prg_round(index + n);
  return false;
}

static void check_streams(unsigned n) {
  CU_ASSERT_EQUAL(reused, 0);
  for (unsigned i = 0; i < n; i++)
    for (unsigned j = 0; j < n; j++)
      if (i != j)
        CU_ASSERT_EQUAL(next_index[i][i][j][CHII_REDUCE],
                        next_index[j][i][j][CHII_REDUCE]);
  reused = 0;
  memset(next_index, 0, sizeof next_index);
}

static void check_world(chi_protocol protocol, unsigned n,
                        const uint64_t *lanes, uint64_t seed) {
  circuit c;
  make(&c, lanes);
  data d = {.c = &c, .protocol = protocol, .n = n};
  d.clear = calloc(c.program.words, 8);
  d.share = calloc(c.program.words * n, sizeof *d.share);
  static const uint64_t edge[] = {0, 1, 2, CHI_P - 1, CHI_P - 2, CHI_P / 2};
  uint64_t dot = 0, m = 1;
  for (int v = 0; v < VALUES; v++) {
    m += lanes[v];
    for (uint64_t l = 0; l < lanes[v]; l++) {
      for (int k = 0; k < 2; k++) {
        uint64_t at = (k ? c.y[v] : c.x[v]) + l;
        d.clear[at] = test_random(&seed) % 4
                          ? test_element(&seed)
                          : edge[test_random(&seed) % 6] % CHI_P;
        test_split(protocol, n, d.clear[at], &seed, &d.share[at * n]);
      }
      dot = (dot + mulmod(d.clear[c.x[v] + l], d.clear[c.y[v] + l])) % CHI_P;
    }
  }
  world w = {.protocol = protocol, .n = n, .program = &c.program,
             .before_run = load, .finish = store, .user = &d};
  chii_test_prg = watch;
  world_run(&w);
  chii_test_prg = NULL;
  check_streams(n);
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL_FATAL(w.result[i].status, CHI_OK);
    uint64_t *g = d.got[i];
    CU_ASSERT_EQUAL(g[c.odot], dot);
    for (uint64_t l = 0; l < lanes[0]; l++)
      if (g[c.o[0] + l] != d.clear[c.x[0] + l])
        CU_FAIL_FATAL("an opened operand is wrong");
    for (int v = 1; v < VALUES; v++)
      for (uint64_t l = 0; l < lanes[v]; l++)
        if (g[c.o[v] + l] !=
            mulmod(d.clear[c.x[v] + l], d.clear[c.y[v] + l]))
          CU_FAIL_FATAL("an opened product is wrong");
    const chi_stats *st = &w.result[i].stats;
    CU_ASSERT_EQUAL(st->rounds,
                    (protocol == CHI_SHAMIR && n >= 6 ? 2 : 1) + 1);
    CU_ASSERT_EQUAL(st->exchanges, 2);
    CU_ASSERT_EQUAL(st->reduced_lanes, m);
    CU_ASSERT_EQUAL(st->opened_lanes, m);
    CU_ASSERT_EQUAL(st->bytes_sent,
                    formula(protocol, n, i, m, lanes[0]) +
                        formula(protocol, n, i, 0, m - lanes[0]));
    uint64_t tags = protocol == CHI_REP3 ? 32 : 0;
    CU_ASSERT_EQUAL(st->elements_sent * 8 + tags, st->bytes_sent);
  }
  /* the shares left in the arenas join to the products */
  for (uint64_t l = 0; l < lanes[0]; l++) {
    chi_sh sh[CHI_PARTIES_MAX];
    for (unsigned i = 0; i < n; i++)
      sh[i] = chi_sh_ld((int)protocol, d.got[i] + c.z[0], lanes[0], l);
    if (test_join(protocol, n, sh) !=
        mulmod(d.clear[c.x[0] + l], d.clear[c.y[0] + l]))
      CU_FAIL_FATAL("the shares of a product are wrong");
  }
  for (unsigned i = 0; i < n; i++)
    free(d.got[i]);
  free(d.clear);
  free(d.share);
  world_free(&w);
}

static void rep3_products(void) {
  static const uint64_t lanes[][VALUES] = {
      {1, 1, 1}, {3, 4096, 5}, {8193, 2, 4097}, {100, 20000, 7}};
  for (unsigned k = 0; k < 4; k++)
    check_world(CHI_REP3, 3, lanes[k], k);
}

static void shamir_products(void) {
  for (unsigned n = 3; n <= 22; n++) {
    static const uint64_t lanes[][VALUES] = {{1, 1, 1}, {5, 4097, 70}};
    check_world(CHI_SHAMIR, n, lanes[0], n);
    check_world(CHI_SHAMIR, n, lanes[1], n + 100);
  }
  static const uint64_t small[VALUES] = {9, 1, 300};
  check_world(CHI_SHAMIR, 33, small, 1);
  check_world(CHI_SHAMIR, 64, small, 2);
}

static void shamir_long(void) {
  static const uint64_t lanes[VALUES] = {30000, 9000, 1};
  check_world(CHI_SHAMIR, 3, lanes, 5);
  check_world(CHI_SHAMIR, 5, lanes, 6);
  check_world(CHI_SHAMIR, 7, lanes, 7);
}

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("protocols", NULL, NULL);
  CU_add_test(s, "rep3: products, dots, openings", rep3_products);
  CU_add_test(s, "shamir, n = 3..22, 33, 64", shamir_products);
  CU_add_test(s, "shamir, many chunks", shamir_long);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
