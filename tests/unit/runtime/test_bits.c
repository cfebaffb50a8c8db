/* Items on bits of an exchange, both protocols: results, counters, streams, and
 * what is caught. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "bits_kit.h"

/* ---- a circuit that uses every item ---- */

enum { FULL = CHI_MERSENNE, DEALERS = CHI_PARTIES_MAX };

typedef struct circuit {
  chi_program program;
  uint64_t lanes;
  unsigned off, bits; /* of the second split or deal */
  unsigned lie;       /* 1..3: totals that are not those of the calls */
  bool elements;      /* products and openings of elements beside them */
  uint64_t x, y, prod, z, f, ff, of, ox, oz;
  uint64_t s[DEALERS], os[DEALERS];   /* all bits of the summands */
  uint64_t sp[DEALERS], osp[DEALERS]; /* some */
  uint64_t e[DEALERS], j;             /* in the field */
} circuit;

static unsigned summands(chi_protocol protocol, unsigned n) {
  return protocol == CHI_REP3 ? 3 : (n + 1) / 2 * 2 - 1;
}

static void totals(chi_b_load *b, uint64_t reduce, uint64_t open,
                   uint32_t items) {
  memset(b, 0, sizeof *b);
  b->reduce_lanes = reduce;
  b->reduce_bytes = (reduce + 7) / 8;
  b->open_lanes = open;
  b->open_bytes = (open + 7) / 8;
  b->items = items;
}

static int run(chi_gen *g) {
  const circuit *c = (const circuit *)(const void *)chi_session_program(g);
  int P = chi_gen_protocol(g);
  uint64_t L = c->lanes, m = c->elements ? L : 0, *w = chi_gen_words(g);
  unsigned d = summands((chi_protocol)P, g->n);
  chi_b_load b;
  chi_gen_b_mul(g, c->prod, c->x, c->y, L);
  totals(&b, L, L, P == CHI_GEN_REP3 ? 3 : 5);
  if (P == CHI_GEN_REP3) {
    for (unsigned r = 0; r < 3; r++)
      b.xdeal[r] = (L + 2 - r) / 3;
  } else {
    b.deal_lanes = (FULL + c->bits) * L;
    b.bdeal_lanes = L;
  }
  b.reduce_bytes += c->lie == 1;
  b.items += (c->lie == 2) - (c->lie == 3);
  chi_gen_begin(g, m, m);
  chi_gen_begin_bits(g, &b);
  chi_gen_b_open(g, c->ox, c->x, L);
  if (m)
    chi_gen_open(g, c->of, c->f, L);
  if (P == CHI_GEN_REP3) {
    chi_gen_b_split(g, c->s, c->f, L, 0, FULL);
    chi_gen_b_split(g, c->sp, c->f, L, c->off, c->bits);
    chi_gen_b_xdeal(g, c->e[0], c->x, L);
  } else {
    chi_gen_b_deal(g, c->s, c->f, L, 0, FULL);
    chi_gen_b_bdeal(g, c->e, c->x, L);
    chi_gen_b_deal(g, c->sp, c->f, L, c->off, c->bits);
  }
  for (uint64_t off = 0; off < m; off += CHI_GEN_CHUNK) {
    uint64_t n = chii_min(CHI_GEN_CHUNK, m - off);
    uint64_t *z = chi_gen_reduce_open_chunk(g, c->ff, L, off, n);
    for (uint64_t i = 0; i < n; i++) {
      chi_sh x = chi_sh_ld(P, w + c->f, L, off + i);
      z[i] = chi_f_add(z[i], chi_pr_mul(P, x, x));
    }
    chi_gen_reduce_close_chunk(g);
  }
  chi_gen_b_reduce(g, c->z, c->prod, L);
  /* a reduce is done with its operand at once */
  memset(w + c->prod, 0xff, kit_words((chi_protocol)P, CHI_B_PROD, L) * 8);
  if (chi_gen_end(g))
    return 1;

  totals(&b, 0, L + d * (FULL + c->bits) * L,
         1 + 2 * d + (P == CHI_GEN_REP3));
  b.open_bytes = (L + 7) / 8 + d * ((FULL * L + 7) / 8) +
                 d * ((c->bits * L + 7) / 8);
  if (P == CHI_GEN_REP3)
    for (unsigned r = 0; r < 3; r++)
      b.xjoin[r] = (L + 2 - r) / 3;
  chi_gen_begin(g, 0, 0);
  chi_gen_begin_bits(g, &b);
  for (unsigned i = 0; i < d; i++) {
    chi_gen_b_open(g, c->os[i], c->s[i], FULL * L);
    chi_gen_b_open(g, c->osp[i], c->sp[i], c->bits * L);
  }
  if (P == CHI_GEN_REP3)
    chi_gen_b_xjoin(g, c->j, c->e[0], c->x, L);
  chi_gen_b_open(g, c->oz, c->z, L);
  return chi_gen_end(g);
}

static void make(circuit *c, chi_protocol protocol, unsigned n, uint64_t L,
                 unsigned off, unsigned bits, bool elements) {
  unsigned d = summands(protocol, n);
  uint64_t sh = kit_words(protocol, CHI_B_SH, L), W = (L + 63) / 64, at = 0;
  memset(c, 0, sizeof *c);
  c->lanes = L;
  c->off = off;
  c->bits = bits;
  c->elements = elements;
  struct {
    uint64_t *slot, words;
  } slots[] = {{&c->x, sh},     {&c->y, sh},     {&c->prod, sh},
               {&c->z, sh},     {&c->f, 2 * L},  {&c->ff, 2 * L},
               {&c->of, L},     {&c->ox, W},     {&c->oz, W},
               {&c->j, 2 * L}};
  for (size_t k = 0; k < sizeof slots / sizeof *slots; k++) {
    *slots[k].slot = at;
    at += slots[k].words;
  }
  for (unsigned i = 0; i < d; i++) {
    c->s[i] = at;
    c->os[i] = at += kit_words(protocol, CHI_B_SH, FULL * L);
    c->sp[i] = at += (FULL * L + 63) / 64;
    c->osp[i] = at += kit_words(protocol, CHI_B_SH, bits * L);
    c->e[i] = at += (bits * L + 63) / 64;
    at += 2 * L;
  }
  c->program = (chi_program){.abi = CHI_ABI,
                             .field = TEST_FIELD,
                             .name = "bits",
                             .words = at,
                             .max_reduce_lanes = L,
                             .max_open_lanes = L,
                             .max_reduce_values = 1,
                             .max_open_values = 1,
                             .max_bit_values = 2 * d + 2,
                             .target = {protocol, n},
                             .run = run};
}

/* ---- one run ---- */

typedef struct data {
  circuit c;
  chi_protocol protocol;
  unsigned n;
  unsigned *x, *y; /* bits */
  uint64_t *f;     /* elements */
  uint64_t *arena[CHI_PARTIES_MAX];
} data;

static void load(chi_session *s, void *user) {
  data *d = user;
  memcpy(s->w, d->arena[s->me], d->c.program.words * 8);
}

static void store(chi_session *s, void *user) {
  data *d = user;
  memcpy(d->arena[s->me], s->w, d->c.program.words * 8);
}

/* Sharings that a random one hardly ever is: all components 0, p - 1, ... */
static void share_element(data *d, uint64_t l, uint64_t *seed) {
  chi_sh sh[CHI_PARTIES_MAX];
  static const uint64_t edge[] = {0, 1, 2, CHI_P - 1, CHI_P - 2, CHI_P / 2};
  d->f[l] = test_random(seed) % 2 ? edge[test_random(seed) % 6]
                                  : test_element(seed);
  test_split(d->protocol, d->n, d->f[l], seed, sh);
  if (d->protocol == CHI_REP3 && test_random(seed) % 2) {
    uint64_t x[3];
    for (unsigned i = 0; i < 3; i++)
      x[i] = edge[test_random(seed) % 6];
    d->f[l] = (x[0] + x[1] + x[2]) % CHI_P;
    for (unsigned i = 0; i < 3; i++)
      sh[i] = (chi_sh){x[i], x[(i + 1) % 3]};
  } else if (d->protocol == CHI_SHAMIR && test_random(seed) % 4 == 0) {
    for (unsigned i = 0; i < d->n; i++)
      sh[i].a = d->f[l]; /* a constant polynomial */
  }
  if (l == 0 && d->protocol == CHI_REP3) { /* the alias of 0 */
    d->f[0] = 0;
    memset(sh, 0, sizeof sh);
  }
  for (unsigned i = 0; i < d->n; i++)
    chi_sh_st((int)d->protocol, d->arena[i] + d->c.f, d->c.lanes, l, sh[i]);
}

static void make_data(data *d, chi_protocol protocol, unsigned n, uint64_t L,
                      bool elements, uint64_t *seed) {
  unsigned bits = 1 + (unsigned)(test_random(seed) % FULL);
  unsigned off = (unsigned)(test_random(seed) % (FULL - bits + 1));
  memset(d, 0, sizeof *d);
  d->protocol = protocol;
  d->n = n;
  make(&d->c, protocol, n, L, off, bits, elements);
  d->x = calloc(L, sizeof *d->x);
  d->y = calloc(L, sizeof *d->y);
  d->f = calloc(L, 8);
  for (unsigned i = 0; i < n; i++) {
    d->arena[i] = malloc(d->c.program.words * 8);
    memset(d->arena[i], 0xa5, d->c.program.words * 8);
  }
  for (uint64_t l = 0; l < L; l++) {
    d->x[l] = test_random(seed) & 1;
    d->y[l] = test_random(seed) & 1;
    share_element(d, l, seed);
  }
  kit_share(protocol, n, CHI_B_SH, d->x, L, d->arena, d->c.x, seed);
  kit_share(protocol, n, CHI_B_SH, d->y, L, d->arena, d->c.y, seed);
}

static void free_data(data *d) {
  for (unsigned i = 0; i < d->n; i++)
    free(d->arena[i]);
  free(d->x);
  free(d->y);
  free(d->f);
}

/* ---- streams advance in step and never go back ---- */

static uint64_t next_index[CHI_PARTIES_MAX][CHI_PARTIES_MAX][CHI_PARTIES_MAX]
                          [CHII_CONVERT + 1];
static int reused;

/* Only looks on.  An xjoin uses the two halves of its range by turns, so for
 * its conversions every index is marked by itself. */
enum { MARKS = 4096 };
static bool marked[3][3][MARKS];

static bool watch(void *user, unsigned holder, unsigned from, unsigned to,
                  unsigned purpose, uint64_t *out, uint64_t index, size_t n) {
  const data *d = user;
  (void)out;
  if (purpose == CHII_DOUBLE) /* see test_protocols.c */
    return false;
  if (purpose == CHII_CONVERT && d->protocol == CHI_REP3) {
    for (size_t k = 0; k < chii_prg_round(n) && index + k < MARKS; k++) {
      bool *m = &marked[holder][to][index + k];
      if (*m)
        __atomic_add_fetch(&reused, 1, __ATOMIC_RELAXED);
      *m = true;
    }
    return false;
  }
  uint64_t *next = &next_index[holder][from][to][purpose];
  if (index < *next)
    __atomic_add_fetch(&reused, 1, __ATOMIC_RELAXED);
  *next = chii_prg_round(index + n);
  return false;
}

static void check_streams(unsigned n) {
  CU_ASSERT_EQUAL(reused, 0);
  for (unsigned i = 0; i < n; i++)
    for (unsigned j = 0; j < n; j++)
      for (unsigned p = CHII_BITS; i != j && p <= CHII_CONVERT; p++)
        CU_ASSERT_EQUAL(next_index[i][i][j][p], next_index[j][i][j][p]);
  reused = 0;
  memset(next_index, 0, sizeof next_index);
  memset(marked, 0, sizeof marked);
}

/* ---- what must come out ---- */

/* Bytes that node i sends in both exchanges: the formulas of the docs. */
static uint64_t formula(const data *d, unsigned i) {
  uint64_t L = d->c.lanes, m = d->c.elements ? L : 0, sum = 0;
  unsigned n = d->n, t = (n + 1) / 2 - 1, D = 2 * t + 1;
  uint64_t bits[] = {L, FULL * L, d->c.bits * L};
  if (d->protocol == CHI_REP3) {
    uint64_t third[3];
    for (unsigned r = 0; r < 3; r++)
      third[r] = (L + 2 - r) / 3;
    sum += 2 * ((L + 7) / 8) + 16 * m + 16;        /* reduce, open, tag */
    sum += 8 * third[i];                           /* xdeal */
    for (int k = 0; k < 3; k++)                    /* opens */
      sum += (bits[k] + 7) / 8 * (k ? 3 : 1);
    sum += 16;
    return sum + 8 * (third[(i + 1) % 3] + third[(i + 2) % 3]); /* xjoin */
  }
  if (i < D) {
    sum += (n - 1 - t) * (bits[0] + bits[1] + bits[2] + 8 * L);
    if (n <= 5)
      sum += 8 * (n - 1 - t) * m;
    else {
      uint64_t kings = m > i ? (m - i + D - 1) / D : 0;
      sum += 8 * ((m + t) / (t + 1) * (n - 1 - t) + m - kings +
                  kings * (n - 1 - t));
    }
  }
  sum += (n - 1) * (L + 8 * m);                               /* opens */
  return sum + (n - 1) * (bits[0] + D * (bits[1] + bits[2])); /* opens */
}

/* Of these, elements: products and openings of such, and what bits become. */
static uint64_t elements(const data *d, unsigned i) {
  uint64_t L = d->c.lanes, m = d->c.elements ? L : 0;
  unsigned n = d->n, t = (n + 1) / 2 - 1, D = 2 * t + 1;
  if (d->protocol == CHI_REP3)
    return 2 * m + L; /* of each lane an xdeal or one of the two xjoins */
  uint64_t sum = (n - 1) * m;
  if (i < D)
    sum += (n - 1 - t) * L;
  if (i < D && n <= 5)
    sum += (n - 1 - t) * m;
  if (i < D && n >= 6) {
    uint64_t kings = m > i ? (m - i + D - 1) / D : 0;
    sum += (m + t) / (t + 1) * (n - 1 - t) + m - kings + kings * (n - 1 - t);
  }
  return sum;
}

static uint64_t integer(const uint64_t *v, uint64_t lanes, uint64_t l,
                        unsigned bits) {
  uint64_t x = 0;
  for (unsigned i = 0; i < bits; i++)
    x |= (uint64_t)kit_bit(v, i * lanes + l) << i;
  return x;
}

static void check_summands(const data *d, const uint64_t *w, uint64_t l) {
  const circuit *c = &d->c;
  uint64_t L = c->lanes, sum = 0;
  unsigned D = summands(d->protocol, d->n), zeros = 0, ps = 0;
  for (unsigned i = 0; i < D; i++) {
    uint64_t v = integer(w + c->os[i], L, l, FULL);
    uint64_t part = integer(w + c->osp[i], L, l, c->bits);
    zeros += v == 0;
    ps += v == CHI_P;
    sum = (sum + v) % CHI_P;
    if (part != (v >> c->off & ((UINT64_C(1) << c->bits) - 1)))
      CU_FAIL_FATAL("some bits of a summand are wrong");
    if (i == 0 && v == 0)
      CU_FAIL_FATAL("the first summand is 0 and not p");
  }
  if (sum != d->f[l] || zeros == D || ps == D)
    CU_FAIL_FATAL("the summands are wrong");
}

static void check_conversion(const data *d, uint64_t l) {
  const circuit *c = &d->c;
  unsigned D = d->protocol == CHI_REP3 ? 1 : summands(d->protocol, d->n);
  uint64_t bit = 0;
  for (unsigned k = 0; k < D; k++) {
    chi_sh sh[CHI_PARTIES_MAX];
    uint64_t at = d->protocol == CHI_REP3 ? c->j : c->e[k];
    for (unsigned i = 0; i < d->n; i++)
      sh[i] = chi_sh_ld((int)d->protocol, d->arena[i] + at, c->lanes, l);
    uint64_t v = test_join(d->protocol, d->n, sh);
    if (v > 1)
      CU_FAIL_FATAL("a converted bit is neither 0 nor 1");
    bit ^= v;
  }
  if (bit != d->x[l])
    CU_FAIL_FATAL("a converted bit is wrong");
}

static void check_results(data *d, const world *w) {
  const circuit *c = &d->c;
  uint64_t L = c->lanes;
  __extension__ typedef unsigned __int128 u128;
  for (unsigned i = 0; i < d->n; i++) {
    CU_ASSERT_EQUAL_FATAL(w->result[i].status, CHI_OK);
    const chi_stats *st = &w->result[i].stats;
    CU_ASSERT_EQUAL(st->bytes_sent, formula(d, i));
    CU_ASSERT_EQUAL(st->elements_sent, elements(d, i));
    bool dn = d->protocol == CHI_SHAMIR && d->n >= 6 && c->elements;
    CU_ASSERT_EQUAL(st->rounds, dn ? 3 : 2);
    CU_ASSERT_EQUAL(st->exchanges, 2);
    const uint64_t *a = d->arena[i];
    for (uint64_t l = 0; l < L; l++) {
      if (kit_bit(a + c->ox, l) != d->x[l] ||
          kit_bit(a + c->oz, l) != (d->x[l] & d->y[l]))
        CU_FAIL_FATAL("an opened bit is wrong");
      if (c->elements && a[c->of + l] != d->f[l])
        CU_FAIL_FATAL("an opened element is wrong");
      check_summands(d, a, l);
    }
  }
  for (uint64_t l = 0; l < L; l++) {
    chi_sh sh[CHI_PARTIES_MAX];
    if (kit_join(d->protocol, d->n, CHI_B_SH, L, d->arena, c->z, l) !=
        (d->x[l] & d->y[l]))
      CU_FAIL_FATAL("the shares of a product are wrong");
    check_conversion(d, l);
    for (unsigned i = 0; c->elements && i < d->n; i++)
      sh[i] = chi_sh_ld((int)d->protocol, d->arena[i] + c->ff, L, l);
    if (c->elements && test_join(d->protocol, d->n, sh) !=
                           (uint64_t)((u128)d->f[l] * d->f[l] % CHI_P))
      CU_FAIL_FATAL("the product of elements beside them is wrong");
  }
}

static void check(chi_protocol protocol, unsigned n, uint64_t L, bool elements,
                  uint64_t seed) {
  data d;
  make_data(&d, protocol, n, L, elements, &seed);
  world w = {.protocol = protocol, .n = n, .program = &d.c.program,
             .before_run = load, .finish = store, .user = &d};
  chii_test_prg = watch;
  chii_test_prg_user = &d;
  world_run(&w);
  chii_test_prg = NULL;
  check_streams(n);
  check_results(&d, &w);
  world_free(&w);
  free_data(&d);
}

static const uint64_t some_lanes[] = {1, 2, 3, 7, 8, 63, 64, 65, 200};
enum { SOME = sizeof some_lanes / sizeof *some_lanes };

static void rep3_items(void) {
  for (unsigned k = 0; k < SOME; k++)
    for (uint64_t seed = 0; seed < 4; seed++)
      check(CHI_REP3, 3, some_lanes[k], seed % 2, 100 * k + seed);
}

static void rep3_long(void) { check(CHI_REP3, 3, 60001, true, 1); }

static void shamir_items(void) {
  static const unsigned n[] = {3, 4, 5, 6, 7, 8};
  for (unsigned i = 0; i < 6; i++)
    for (unsigned k = 0; k < SOME; k++)
      for (uint64_t seed = 0; seed < 2; seed++)
        check(CHI_SHAMIR, n[i], some_lanes[k], seed, 100 * k + seed);
  check(CHI_SHAMIR, 33, 9, true, 1);
  check(CHI_SHAMIR, 64, 9, false, 2);
}

static void shamir_long(void) {
  check(CHI_SHAMIR, 3, 5001, true, 1);
  check(CHI_SHAMIR, 7, 1201, true, 2);
}

/* ---- what is caught ---- */

/* One run with a fault; the status of the party that is sent it or, if that is
 * told of a failure, of one that found it. */
static chi_status tampered(chi_protocol protocol, unsigned n, uint64_t L,
                           fault f, int *culprit) {
  data d;
  uint64_t seed = 7;
  make_data(&d, protocol, n, L, false, &seed);
  world w = {.protocol = protocol, .n = n, .program = &d.c.program,
             .before_run = load, .finish = store, .user = &d, .fault = f};
  world_run(&w);
  chi_status st = w.result[f.to].status;
  *culprit = w.result[f.to].culprit;
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT(!w.result[i].outputs);
    if (st == CHI_E_PEER_LOST)
      st = w.result[i].status;
  }
  world_free(&w);
  free_data(&d);
  return st;
}

/* Bytes of the second exchange before the message of the xjoin. */
static uint64_t before_xjoin(uint64_t L) {
  data d;
  uint64_t seed = 7;
  make_data(&d, CHI_REP3, 3, L, false, &seed);
  uint64_t bytes = 3 * (FULL * L + d.c.bits * L) / 8;
  free_data(&d);
  return bytes;
}

static void rep3_caught(void) {
  int who;
  for (unsigned i = 0; i < 3; i++) {
    unsigned next = (i + 1) % 3, prev = (i + 2) % 3;
    /* first exchange, to the next: opened bits, the xdeal */
    for (uint64_t at = 0; at < 2; at++)
      CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 13,
                               (fault){FAULT_FLIP, i, next, 1, at}, &who),
                      CHI_E_CHECK);
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 13,
                             (fault){FAULT_FLIP_TOP, i, next, 1, 1}, &who),
                    CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(who, i);
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 64,
                             (fault){FAULT_NONCANON, i, next, 1, 8}, &who),
                    CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(who, i);
    /* to the one before: reduced bits, the tag */
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 13,
                             (fault){FAULT_FLIP_TOP, i, prev, 1, 1}, &who),
                    CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(who, i);
    for (uint64_t at = 2; at < 18; at += 5)
      CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 13,
                               (fault){FAULT_FLIP, i, prev, 1, at}, &who),
                      CHI_E_CHECK);
    /* a wrong product is accepted by its receiver, but two nodes have it and
     * the opening shows that they disagree */
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 13,
                             (fault){FAULT_FLIP, i, prev, 1, 0}, &who),
                    CHI_E_CHECK);
    /* second exchange, both ways */
    CU_ASSERT_EQUAL(
        tampered(CHI_REP3, 3, 64,
                 (fault){FAULT_NONCANON, i, next, 2, before_xjoin(64)}, &who),
        CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 64,
                             (fault){FAULT_NONCANON, i, prev, 2, 0}, &who),
                    CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(tampered(CHI_REP3, 3, 64,
                             (fault){FAULT_SHORT, i, next, 2, 0}, &who),
                    CHI_E_PROTOCOL);
  }
}

/* In a frame of the first exchange to a node that gets dealt points: FULL L of
 * the deal, 8 L of the bdeal, the second deal, the reduce, openings. */
static void shamir_caught(void) {
  int who;
  for (unsigned n = 3; n <= 7; n += 2) {
    unsigned t = (n + 1) / 2 - 1, from = 1, to = (from + t + 1) % n;
    uint64_t L = 16;
    data d;
    uint64_t seed = 7;
    make_data(&d, CHI_SHAMIR, n, L, false, &seed);
    uint64_t deals = (FULL + 8 + d.c.bits) * L;
    free_data(&d);
    /* dealt points: the sharing has a wrong degree, which its opening shows */
    uint64_t dealt[] = {0, 5 * L + 3, deals - 1, deals + 2};
    for (unsigned k = 0; k < 4; k++)
      CU_ASSERT_EQUAL(tampered(CHI_SHAMIR, n, L,
                               (fault){FAULT_FLIP, from, to, 1, dealt[k]},
                               &who),
                      CHI_E_CHECK);
    /* opened points; a byte may have any value */
    for (uint64_t at = deals + L; at < deals + 2 * L; at += 5) {
      CU_ASSERT_EQUAL(tampered(CHI_SHAMIR, n, L,
                               (fault){FAULT_FLIP, from, to, 1, at}, &who),
                      CHI_E_CHECK);
      CU_ASSERT_EQUAL(tampered(CHI_SHAMIR, n, L,
                               (fault){FAULT_FLIP_TOP, from, to, 1, at}, &who),
                      CHI_E_CHECK);
    }
    CU_ASSERT_EQUAL(tampered(CHI_SHAMIR, n, L,
                             (fault){FAULT_NONCANON, from, to, 1, FULL * L},
                             &who),
                    CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(who, (int)from);
  }
}

/* A sharing of degree t whose secret is no bit. */
static void no_bit(void) {
  data d;
  uint64_t seed = 3;
  make_data(&d, CHI_SHAMIR, 5, 20, false, &seed);
  for (unsigned i = 0; i < 5; i++)
    ((uint8_t *)(d.arena[i] + d.c.x))[11] ^= 0x40;
  world w = {.protocol = CHI_SHAMIR, .n = 5, .program = &d.c.program,
             .before_run = load, .finish = store, .user = &d};
  world_run(&w);
  for (unsigned i = 0; i < 5; i++)
    CU_ASSERT(w.result[i].status == CHI_E_CHECK ||
              w.result[i].status == CHI_E_PEER_LOST);
  CU_ASSERT(w.result[0].status == CHI_E_CHECK ||
            w.result[1].status == CHI_E_CHECK);
  world_free(&w);
  free_data(&d);
}

/* Party 2 fails when the first of two reductions has left.  Party 1, who has
 * that half of the frame, must not take the rest for bits and go on. */
static bool went_on[3];

static int half(chi_gen *g) {
  const circuit *c = (const circuit *)(const void *)chi_session_program(g);
  uint64_t L = c->lanes;
  chi_b_load b;
  chi_gen_b_mul(g, c->prod, c->x, c->y, L);
  chi_gen_b_mul(g, c->s[0], c->x, c->y, L);
  totals(&b, 2 * L, 0, 2);
  b.reduce_bytes = 2 * ((L + 7) / 8);
  chi_gen_begin(g, 0, 0);
  chi_gen_begin_bits(g, &b);
  chi_gen_b_reduce(g, c->z, c->prod, L);
  chi_gen_b_reduce(g, c->s[1], c->s[0], L);
  if (g->me == 2) {
    chii_send_direct(g, 1, chi_gen_words(g) + c->z, (L + 7) / 8);
    chii_pump(g);
    chii_fail(g, CHI_E_NOMEM, -1, "half a frame is enough");
  }
  if (chi_gen_end(g) != 0)
    return 1;
  went_on[g->me] = true;
  return 0;
}

static void broken_off(void) {
  data d;
  uint64_t seed = 5;
  make_data(&d, CHI_REP3, 3, 4096, false, &seed);
  d.c.program.run = half;
  world w = {.protocol = CHI_REP3, .n = 3, .program = &d.c.program,
             .before_run = load, .user = &d};
  world_run(&w);
  CU_ASSERT_EQUAL(w.result[2].status, CHI_E_NOMEM);
  CU_ASSERT(!went_on[1] && !went_on[2]);
  CU_ASSERT_EQUAL(w.result[1].status, CHI_E_PEER_LOST);
  CU_ASSERT_EQUAL(w.result[1].culprit, 2);
  CU_ASSERT_NOT_EQUAL(w.result[0].status, CHI_OK);
  world_free(&w);
  free_data(&d);
}

/* Another target than the program's; other totals than its calls'. */
static void contract(void) {
  static const struct {
    chi_protocol protocol;
    unsigned n;
  } other[] = {{CHI_SHAMIR, 3}, {CHI_SHAMIR, 4}};
  data d;
  uint64_t seed = 3;
  make_data(&d, CHI_REP3, 3, 20, false, &seed);
  for (unsigned k = 0; k < 2; k++) {
    world w = {.protocol = other[k].protocol, .n = other[k].n,
               .program = &d.c.program};
    world_run(&w);
    for (unsigned i = 0; i < w.n; i++)
      CU_ASSERT_EQUAL(w.result[i].status, CHI_E_ARG);
    world_free(&w);
  }
  for (d.c.lie = 1; d.c.lie < 4; d.c.lie++) {
    world w = {.protocol = CHI_REP3, .n = 3, .program = &d.c.program,
               .before_run = load, .finish = store, .user = &d};
    world_run(&w);
    for (unsigned i = 0; i < 3; i++)
      CU_ASSERT(w.result[i].status == CHI_E_BUG ||
                w.result[i].status == CHI_E_PEER_LOST);
    CU_ASSERT(w.result[0].status == CHI_E_BUG ||
              w.result[1].status == CHI_E_BUG);
    world_free(&w);
  }
  free_data(&d);
}

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("bits", NULL, NULL);
  CU_add_test(s, "rep3: every item", rep3_items);
  CU_add_test(s, "rep3: many lanes", rep3_long);
  CU_add_test(s, "shamir: every item, n = 3..8, 33, 64", shamir_items);
  CU_add_test(s, "shamir: many lanes", shamir_long);
  CU_add_test(s, "rep3: what is caught", rep3_caught);
  CU_add_test(s, "shamir: what is caught", shamir_caught);
  CU_add_test(s, "an opening that is no bit", no_bit);
  CU_add_test(s, "a frame that breaks off", broken_off);
  CU_add_test(s, "target and totals", contract);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
