/* What a node sees, exactly: over a tiny prime every sharing of the operands
 * and every output of the streams is one lane, and the joint distribution of a
 * node's view (its shares, the streams it knows, every word it receives) is
 * counted.  For inputs with equal outputs the counts must be equal, bin by bin.
 *
 * Negative controls: without the zero share, or with one used twice, the same
 * counts must differ; they show that the test can fail.
 */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

enum { MAX_DIGITS = 10 };

/* How stream values are made from lane numbers: digit d of lane l is
 * (l / p^d) mod p. */
typedef enum { FRESH, DROPPED, REUSED } mask_mode;
static mask_mode mode;
static unsigned first_stream_digit; /* of value 0; value 1 follows */
static unsigned streams;            /* stream digits of a value */
static uint64_t stream_lanes;       /* lanes of a value, rounded to even */
static int (*digit_of)(unsigned from, unsigned to);

static uint64_t powers[MAX_DIGITS + 1]; /* of p; those that fit */

static uint64_t power(unsigned e) { return powers[e]; }

static uint64_t digit(uint64_t lane, unsigned d) {
  return lane / powers[d] % CHI_P;
}

static bool enumerate(void *user, unsigned holder, unsigned from, unsigned to,
                      unsigned purpose, uint64_t *out, uint64_t index,
                      size_t n) {
  (void)user;
  (void)holder;
  (void)purpose;
  uint64_t value = index / stream_lanes;
  int d = digit_of(from, to);
  for (size_t j = 0; j < n; j++) {
    uint64_t lane = (index + j) % stream_lanes;
    uint64_t v = mode == REUSED ? 0 : value;
    out[j] = mode == DROPPED || d < 0
                 ? 0
                 : digit(lane, first_stream_digit + (unsigned)d +
                                   (unsigned)v * streams);
  }
  return true;
}

/* ---- products: values z_v = sum of `terms` x_q * y_q, of all lanes ---- */

typedef struct gate {
  chi_program program;
  unsigned values, terms; /* pair q belongs to value q / terms */
  uint64_t lanes;
  bool opened;
} gate;

/* Arena: for each pair x, y, z (2 planes each) and the opened plane. */
static uint64_t at_x(const gate *g, unsigned q) { return q * 7 * g->lanes; }
static uint64_t at_y(const gate *g, unsigned q) {
  return at_x(g, q) + 2 * g->lanes;
}
static uint64_t at_z(const gate *g, unsigned v) {
  return at_x(g, v * g->terms) + 4 * g->lanes;
}

static int run_gate(chi_gen *s) {
  const gate *g = (const gate *)(const void *)chi_session_program(s);
  int P = chi_gen_protocol(s);
  uint64_t *w = chi_gen_words(s), L = g->lanes;
  chi_gen_begin(s, g->values * L, 0);
  for (unsigned v = 0; v < g->values; v++)
    for (uint64_t off = 0; off < L; off += CHI_GEN_CHUNK) {
      uint64_t n = chii_min(CHI_GEN_CHUNK, L - off);
      uint64_t *z = chi_gen_reduce_open_chunk(s, at_z(g, v), L, off, n);
      for (unsigned q = v * g->terms; q < (v + 1) * g->terms; q++)
        for (uint64_t i = 0; i < n; i++)
          z[i] = chi_f_add(
              z[i], chi_pr_mul(P, chi_sh_ld(P, w + at_x(g, q), L, off + i),
                               chi_sh_ld(P, w + at_y(g, q), L, off + i)));
      chi_gen_reduce_close_chunk(s);
    }
  if (chi_gen_end(s) || !g->opened)
    return (int)chi_session_status(s);
  chi_gen_begin(s, 0, L);
  chi_gen_open(s, at_z(g, 0) + 2 * L, at_z(g, 0), L);
  return chi_gen_end(s);
}

/* Operands are polynomials or sums whose free coefficients are lane digits. */
typedef struct operands {
  const gate *g;
  uint64_t secret[4]; /* x_0 y_0 x_1 y_1 */
  bool square;        /* y_q = x_q, same sharing */
} operands;

static chi_sh share_of(const chi_session *s, uint64_t secret, uint64_t lane,
                       unsigned d) {
  uint64_t c0 = digit(lane, d), c1 = digit(lane, d + 1);
  if (s->proto->id == CHI_REP3) {
    uint64_t x[3] = {c0, c1, (secret + 2 * CHI_P - c0 - c1) % CHI_P};
    return (chi_sh){x[s->me], x[(s->me + 1) % 3]};
  }
  return (chi_sh){(secret + c0 * (s->me + 1)) % CHI_P, 0}; /* t = 1 */
}

static unsigned sharing_digits(const chi_session *s) {
  return s->proto->id == CHI_REP3 ? 2 : 1;
}

static void load(chi_session *s, void *user) {
  const operands *o = user;
  const gate *g = o->g;
  int P = (int)s->proto->id;
  unsigned k = sharing_digits(s), d = 0;
  for (unsigned q = 0; q < g->values * g->terms; q++) {
    unsigned dx = d, dy = o->square ? d : d + k;
    d += o->square ? k : 2 * k;
    for (uint64_t l = 0; l < g->lanes; l++) {
      chi_sh x = share_of(s, o->secret[2 * q], l, dx);
      chi_sh y = o->square ? x : share_of(s, o->secret[2 * q + 1], l, dy);
      chi_sh_st(P, s->w + at_x(g, q), g->lanes, l, x);
      chi_sh_st(P, s->w + at_y(g, q), g->lanes, l, y);
    }
  }
}

/* ---- counting ---- */

typedef struct column {
  const uint64_t *word; /* one a lane, or NULL: a digit of the lane */
  unsigned digit;
} column;

typedef struct view {
  column col[2 * MAX_DIGITS];
  unsigned n;
} view;

static void see_word(view *v, const uint64_t *w) {
  v->col[v->n++] = (column){w, 0};
}
static void see_digit(view *v, unsigned d) {
  v->col[v->n++] = (column){NULL, d};
}

static uint32_t *count(const view *v, uint64_t lanes, size_t *bins) {
  *bins = (size_t)power(v->n);
  uint32_t *h = calloc(*bins, sizeof *h);
  if (!h)
    abort();
  for (uint64_t l = 0; l < lanes; l++) {
    size_t at = 0;
    for (unsigned c = 0; c < v->n; c++) {
      uint64_t x = v->col[c].word ? v->col[c].word[l]
                                  : digit(l, v->col[c].digit);
      if (x >= CHI_P)
        abort();
      at = at * CHI_P + x;
    }
    h[at]++;
  }
  return h;
}

static int rep3_digit(unsigned from, unsigned to) {
  (void)from;
  return (int)to; /* component c: from party c - 1 to party c */
}

static int shamir3_digit(unsigned from, unsigned to) {
  (void)to;
  return (int)from; /* dealer i seeds party i + 1 */
}

/* Arenas of the nodes, kept for their own shares. */
static uint64_t *arena[CHI_PARTIES_MAX];

static void keep(chi_session *s, void *user) {
  (void)user;
  uint64_t *grown = realloc(arena[s->me], s->words * 8);
  if (!grown)
    abort();
  arena[s->me] = grown;
  memcpy(grown, s->w, s->words * 8);
}

/* What one run gives for a node: counts of its view up to the product, and, if
 * the gate opens it, with the opening. */
typedef struct counts {
  uint32_t *closed, *opened;
  size_t closed_bins, opened_bins;
} counts;

/* A node's shares of all operands. */
static void see_operands(view *v, chi_protocol protocol, const gate *g,
                         const operands *o, unsigned node) {
  for (unsigned q = 0; q < g->values * g->terms; q++) {
    const uint64_t *x = arena[node] + at_x(g, q);
    const uint64_t *y = arena[node] + at_y(g, q);
    see_word(v, x);
    if (protocol == CHI_REP3)
      see_word(v, x + g->lanes);
    if (!o->square) {
      see_word(v, y);
      if (protocol == CHI_REP3)
        see_word(v, y + g->lanes);
    }
  }
}

/* Is the opened value `value` in every lane, at every node? */
static bool opened_is(const gate *g, uint64_t value) {
  for (unsigned i = 0; i < 3; i++)
    for (uint64_t l = 0; l < g->lanes; l++)
      if (arena[i][at_z(g, 0) + 2 * g->lanes + l] != value)
        return false;
  return true;
}

/* Runs one gate; the counts are the caller's to free. */
static void observe(chi_protocol protocol, const gate *g, const operands *o,
                    counts c[3]) {
  chii_test_prg = enumerate;
  world w = {.protocol = protocol, .n = 3, .in_turn = true,
             .program = &g->program,
             .before_run = load, .finish = keep, .user = (void *)o,
             .record = true};
  world_run(&w);
  size_t words;
  for (unsigned i = 0; i < 3; i++) {
    if (w.result[i].status)
      CU_FAIL_FATAL("a run failed");
    unsigned next = (i + 1) % 3, prev = (i + 2) % 3;
    view v = {.n = 0};
    see_operands(&v, protocol, g, o, i);
    /* the streams it knows: its own, and one of a neighbour's */
    unsigned values = mode == REUSED ? 1 : g->values;
    for (unsigned k = 0; k < values && mode != DROPPED; k++) {
      unsigned base = first_stream_digit + k * streams;
      see_digit(&v, base + i);
      see_digit(&v, base + (protocol == CHI_REP3 ? next : prev));
    }
    /* what it receives: rep3 from party i + 1, shamir from i + 1 too, since
     * party i - 1 seeds it */
    const uint64_t *f = world_frame(&w, next, i, 1, &words);
    if (words != g->values * g->lanes)
      CU_FAIL_FATAL("a frame has another length");
    for (unsigned k = 0; k < g->values; k++)
      see_word(&v, f + k * g->lanes);
    c[i] = (counts){NULL, NULL, 0, 0};
    c[i].closed = count(&v, g->lanes, &c[i].closed_bins);
    if (!g->opened)
      continue;
    see_word(&v, world_frame(&w, prev, i, 1, &words));
    /* with two terms this is left out, to spare bins: the node has checked
     * that it lies on a line with the other two points */
    if (protocol == CHI_SHAMIR && g->terms == 1)
      see_word(&v, world_frame(&w, next, i, 2, &words));
    c[i].opened = count(&v, g->lanes, &c[i].opened_bins);
  }
  world_free(&w);
  chii_test_prg = NULL;
}

static gate make_gate(unsigned values, unsigned terms, unsigned digits,
                      bool opened) {
  gate g = {.values = values, .terms = terms, .lanes = power(digits),
            .opened = opened};
  uint64_t L = g.lanes;
  g.program = (chi_program){.abi = CHI_ABI, .field = TEST_FIELD,
                            .name = "view",
                            .words = values * terms * 7 * L,
                            .max_reduce_lanes = values * L,
                            .max_open_lanes = L,
                            .max_reduce_values = values,
                            .max_open_values = 1, .run = run_gate};
  stream_lanes = chii_prg_round(L);
  return g;
}

/* Keeps the first counts as reference; 1 if later ones differ. */
static unsigned same(uint32_t **ref, uint32_t *h, size_t bins) {
  if (!h)
    return 0;
  if (!*ref) {
    *ref = h;
    return 0;
  }
  unsigned differ = memcmp(*ref, h, bins * sizeof *h) != 0;
  free(h);
  return differ;
}

/* All pairs (x, y): views up to the product are equal for all of them, views
 * with the opening for those of equal product.  How many differ. */
typedef struct verdict {
  unsigned closed, opened;
} verdict;

static bool quick; /* x = 0, 3, 6 alone: for builds with sanitizers */

static verdict compare(chi_protocol protocol, mask_mode m) {
  unsigned k = protocol == CHI_REP3 ? 2 : 1;
  verdict differ = {0, 0};
  mode = m;
  first_stream_digit = 2 * k;
  streams = 3;
  digit_of = protocol == CHI_REP3 ? rep3_digit : shamir3_digit;
  gate g = make_gate(1, 1, 2 * k + (m == DROPPED ? 0 : 3), true);
  uint32_t *ref[7][3], *all[3] = {NULL};
  memset(ref, 0, sizeof ref);
  for (uint64_t x = 0; x < CHI_P; x += quick ? 3 : 1)
    for (uint64_t y = 0; y < CHI_P; y++) {
      operands o = {&g, {x, y, 0, 0}, false};
      counts c[3];
      observe(protocol, &g, &o, c);
      for (unsigned i = 0; i < 3; i++) {
        differ.closed += same(&all[i], c[i].closed, c[i].closed_bins);
        differ.opened += same(&ref[x * y % CHI_P][i], c[i].opened,
                              c[i].opened_bins);
      }
    }
  for (unsigned i = 0; i < 3; i++) {
    free(all[i]);
    for (unsigned r = 0; r < 7; r++)
      free(ref[r][i]);
  }
  return differ;
}

static void product(chi_protocol protocol) {
  verdict v = compare(protocol, FRESH);
  CU_ASSERT_EQUAL(v.closed, 0);
  CU_ASSERT_EQUAL(v.opened, 0);
}

static void no_mask(chi_protocol protocol) {
  verdict v = compare(protocol, DROPPED);
  CU_ASSERT(v.closed > 0);
  CU_ASSERT(v.opened > 0);
}

static void rep3_product(void) { product(CHI_REP3); }
static void rep3_control(void) { no_mask(CHI_REP3); }
static void shamir_product(void) { product(CHI_SHAMIR); }
static void shamir_control(void) { no_mask(CHI_SHAMIR); }

/* Two squares in one exchange.  Fresh: shamir only (7^2 sharings, 7^6 streams);
 * a mask used for both must show, in both protocols. */
static unsigned squares(chi_protocol protocol, mask_mode m) {
  unsigned k = protocol == CHI_REP3 ? 2 : 1, differ = 0;
  mode = m;
  first_stream_digit = 2 * k;
  streams = 3;
  digit_of = protocol == CHI_REP3 ? rep3_digit : shamir3_digit;
  gate g = make_gate(2, 1, 2 * k + (m == REUSED ? 3 : 6), false);
  static const uint64_t pairs[][2] = {{0, 0}, {0, 1}, {3, 1}};
  uint32_t *ref[3] = {NULL};
  for (unsigned p = 0; p < (m == REUSED ? 3 : 2); p++) {
    operands o = {&g, {pairs[p][0], 0, pairs[p][1], 0}, true};
    counts c[3];
    observe(protocol, &g, &o, c);
    for (unsigned i = 0; i < 3; i++)
      differ += same(&ref[i], c[i].closed, c[i].closed_bins);
  }
  for (unsigned i = 0; i < 3; i++)
    free(ref[i]);
  return differ;
}

static void mask_used_twice(void) {
  CU_ASSERT(squares(CHI_REP3, REUSED) > 0);
  CU_ASSERT(squares(CHI_SHAMIR, REUSED) > 0);
}

static void two_squares(void) {
  CU_ASSERT_EQUAL(squares(CHI_SHAMIR, FRESH), 0);
}

/* ---- a dot product of two pairs, reduced once, and its opening ---- */

/* Every sharing and every output of the streams.  shamir: all of x_0 y_0 x_1
 * y_1.  rep3 has twice the components, so there the vector is multiplied with
 * itself: x_0 x_0 + x_1 x_1. */
static verdict dots(chi_protocol protocol, mask_mode m) {
  static const uint64_t rep3_pairs[5][4] = {
      {0, 0, 1, 1}, {6, 6, 0, 0}, {2, 2, 5, 5}, /* 1 */
      {1, 1, 1, 1}, {0, 0, 3, 3}};              /* 2 */
  static const uint64_t shamir_pairs[5][4] = {
      {1, 1, 0, 0}, {0, 0, 3, 5}, {2, 3, 3, 3}, /* 1 */
      {0, 0, 0, 0}, {1, 6, 1, 1}};              /* 0 */
  bool rep3 = protocol == CHI_REP3;
  verdict differ = {0, 0};
  mode = m;
  first_stream_digit = 4;
  streams = 3;
  digit_of = rep3 ? rep3_digit : shamir3_digit;
  gate g = make_gate(1, 2, 4 + (m == DROPPED ? 0 : 3), true);
  uint32_t *all[3] = {NULL};
  for (unsigned k = 0; k < 2; k++) {
    uint32_t *ref[3] = {NULL};
    for (unsigned j = 0; j < (quick || k ? 2 : 3); j++) {
      operands o = {&g, {0}, rep3};
      counts c[3];
      memcpy(o.secret, (rep3 ? rep3_pairs : shamir_pairs)[3 * k + j],
             sizeof o.secret);
      observe(protocol, &g, &o, c);
      CU_ASSERT(opened_is(&g, k == 0 ? 1 : rep3 ? 2 : 0));
      for (unsigned i = 0; i < 3; i++) {
        differ.closed += same(&all[i], c[i].closed, c[i].closed_bins);
        differ.opened += same(&ref[i], c[i].opened, c[i].opened_bins);
      }
    }
    for (unsigned i = 0; i < 3; i++)
      free(ref[i]);
  }
  for (unsigned i = 0; i < 3; i++)
    free(all[i]);
  return differ;
}

static void dot(chi_protocol protocol) {
  verdict v = dots(protocol, FRESH);
  CU_ASSERT_EQUAL(v.closed, 0);
  CU_ASSERT_EQUAL(v.opened, 0);
  v = dots(protocol, DROPPED);
  CU_ASSERT(v.closed > 0);
  CU_ASSERT(v.opened > 0);
}

static void rep3_dot(void) { dot(CHI_REP3); }
static void shamir_dot(void) { dot(CHI_SHAMIR); }

/* ---- an opening alone ---- */

/* Opens x + y, or x, as a share that nothing has refreshed. */
static int open_sum(chi_gen *s, bool sum) {
  const gate *g = (const gate *)(const void *)chi_session_program(s);
  int P = chi_gen_protocol(s);
  uint64_t *w = chi_gen_words(s), L = g->lanes;
  for (uint64_t l = 0; l < L; l++) {
    chi_sh x = chi_sh_ld(P, w + at_x(g, 0), L, l);
    chi_sh y = chi_sh_ld(P, w + at_y(g, 0), L, l);
    chi_sh_st(P, w + at_z(g, 0), L, l, sum ? chi_sh_add(P, x, y) : x);
  }
  chi_gen_begin(s, 0, L);
  chi_gen_open(s, at_z(g, 0) + 2 * L, at_z(g, 0), L);
  return chi_gen_end(s);
}

static int run_sum(chi_gen *s) { return open_sum(s, true); }
static int run_first(chi_gen *s) { return open_sum(s, false); }

/* All sharings of all pairs (x, y): views must be equal where x + y is.  The
 * control opens x alone.  rep3's tag, from party i + 1, is a function of the
 * words from party i - 1 and of a key that the node has: it found it right. */
static unsigned openings(chi_protocol protocol, bool sum) {
  bool rep3 = protocol == CHI_REP3;
  unsigned differ = 0;
  mode = DROPPED;
  gate g = make_gate(1, 1, rep3 ? 4 : 2, true);
  g.program.run = sum ? run_sum : run_first;
  uint32_t *ref[7][3];
  memset(ref, 0, sizeof ref);
  for (uint64_t x = 0; x < CHI_P; x++)
    for (uint64_t y = 0; y < CHI_P; y++) {
      operands o = {&g, {x, y, 0, 0}, false};
      world w = {.protocol = protocol, .n = 3, .in_turn = true,
                 .program = &g.program,
                 .before_run = load, .finish = keep, .user = &o,
                 .record = true};
      world_run(&w);
      for (unsigned i = 0; i < 3; i++) {
        unsigned next = (i + 1) % 3, prev = (i + 2) % 3;
        size_t words, bins;
        view v = {.n = 0};
        CU_ASSERT_EQUAL_FATAL(w.result[i].status, CHI_OK);
        see_operands(&v, protocol, &g, &o, i);
        see_word(&v, world_frame(&w, prev, i, 1, &words));
        CU_ASSERT_EQUAL_FATAL(words, g.lanes);
        const uint64_t *f = world_frame(&w, next, i, 1, &words);
        CU_ASSERT_EQUAL_FATAL(words, rep3 ? 2 : g.lanes);
        if (!rep3)
          see_word(&v, f);
        uint32_t *h = count(&v, g.lanes, &bins);
        differ += same(&ref[(x + y) % CHI_P][i], h, bins);
      }
      CU_ASSERT(opened_is(&g, sum ? (x + y) % CHI_P : x));
      world_free(&w);
    }
  for (unsigned r = 0; r < 7; r++)
    for (unsigned i = 0; i < 3; i++)
      free(ref[r][i]);
  return differ;
}

static void lone_opening(void) {
  CU_ASSERT_EQUAL(openings(CHI_REP3, true), 0);
  CU_ASSERT_EQUAL(openings(CHI_SHAMIR, true), 0);
  CU_ASSERT(openings(CHI_REP3, false) > 0);
  CU_ASSERT(openings(CHI_SHAMIR, false) > 0);
}

/* ---- inputs by a node ---- */

typedef struct dealing {
  uint64_t secret;
  unsigned dealer;
  uint64_t lanes;
  uint64_t *share[CHI_PARTIES_MAX];
} dealing;

static void deal(chi_session *s, void *user) {
  dealing *d = user;
  chi_vec v;
  uint64_t *x = malloc(d->lanes * 8);
  if (!x)
    abort();
  for (uint64_t l = 0; l < d->lanes; l++)
    x[l] = d->secret;
  if (chi_vec_new(s, &v, d->lanes) ||
      chi_share(s, v, d->dealer, s->me == d->dealer ? x : NULL) ||
      chi_exchange(s))
    abort();
  memcpy(d->share[s->me], s->w + v.slot, d->lanes * s->proto->planes * 8);
  free(x);
}

static unsigned parties;

static int input_digit(unsigned from, unsigned to) {
  return (int)((to + parties - from) % parties) - 1; /* 0 .. t - 1 */
}

static int rep3_input_digit(unsigned from, unsigned to) {
  (void)from;
  (void)to;
  return 0;
}

/* Every node but the dealer: what it holds afterwards is all it saw. */
static unsigned inputs(chi_protocol protocol, unsigned n) {
  unsigned t = (n + 1) / 2 - 1, differ = 0;
  unsigned seeds = protocol == CHI_REP3 ? 1 : t;
  parties = n;
  mode = FRESH;
  first_stream_digit = 0;
  streams = seeds;
  digit_of = protocol == CHI_REP3 ? rep3_input_digit : input_digit;
  dealing d = {.lanes = power(seeds)};
  stream_lanes = chii_prg_round(d.lanes);
  for (unsigned i = 0; i < n; i++)
    d.share[i] = malloc(2 * d.lanes * 8);
  for (d.dealer = 0; d.dealer < n; d.dealer++) {
    uint32_t *ref[CHI_PARTIES_MAX] = {NULL};
    for (d.secret = 0; d.secret < CHI_P; d.secret++) {
      chii_test_prg = enumerate;
      world w = {.protocol = protocol, .n = n, .in_turn = true,
                 .before_run = deal, .user = &d,
                 .vec_words = 2 * d.lanes};
      world_run(&w);
      for (unsigned i = 0; i < n; i++) {
        CU_ASSERT_EQUAL_FATAL(w.result[i].status, CHI_OK);
        view v = {.n = 0};
        size_t bins;
        see_word(&v, d.share[i]);
        if (protocol == CHI_REP3)
          see_word(&v, d.share[i] + d.lanes);
        else if (t == 2) /* two colluding nodes see two points */
          see_word(&v, d.share[i + 1 == d.dealer ? (i + 2) % n : (i + 1) % n]);
        uint32_t *h = count(&v, d.lanes, &bins);
        bool dealer_sees = i == d.dealer ||
                           (protocol == CHI_SHAMIR && t == 2 &&
                            (i + 1) % n == d.dealer && i + 1 != d.dealer);
        if (dealer_sees) {
          free(h);
        } else if (!ref[i]) {
          ref[i] = h;
        } else {
          differ += memcmp(ref[i], h, bins * sizeof *h) != 0;
          free(h);
        }
      }
      /* and they are shares of the secret */
      for (uint64_t l = 0; l < d.lanes; l++) {
        chi_sh sh[CHI_PARTIES_MAX];
        for (unsigned i = 0; i < n; i++)
          sh[i] = chi_sh_ld((int)protocol, d.share[i], d.lanes, l);
        CU_ASSERT_EQUAL_FATAL(test_join(protocol, n, sh), d.secret);
      }
      world_free(&w);
      chii_test_prg = NULL;
    }
    for (unsigned i = 0; i < n; i++)
      free(ref[i]);
  }
  for (unsigned i = 0; i < n; i++)
    free(d.share[i]);
  return differ;
}

static void node_inputs(void) {
  CU_ASSERT_EQUAL(inputs(CHI_REP3, 3), 0);
  CU_ASSERT_EQUAL(inputs(CHI_SHAMIR, 3), 0);
  CU_ASSERT_EQUAL(inputs(CHI_SHAMIR, 4), 0);
  CU_ASSERT_EQUAL(inputs(CHI_SHAMIR, 5), 0);
}

/* ---- refresh: the product with the trivial share of 1 ---- */

typedef struct refresh {
  gate g;
  uint64_t secret;
} refresh_case;

static void load_refresh(chi_session *s, void *user) {
  const refresh_case *r = user;
  int P = (int)s->proto->id;
  for (uint64_t l = 0; l < r->g.lanes; l++) {
    chi_sh_st(P, s->w + at_x(&r->g, 0), r->g.lanes, l,
              share_of(s, r->secret, l, 0));
    chi_sh_st(P, s->w + at_y(&r->g, 0), r->g.lanes, l,
              chi_sh_pub(P, s->me, 1));
  }
}

/* Old shares, streams and messages of each node, for every secret. */
static unsigned refreshes(void) {
  unsigned differ = 0;
  mode = FRESH;
  first_stream_digit = 1;
  streams = 3;
  digit_of = shamir3_digit;
  refresh_case r = {.g = make_gate(1, 1, 4, false)};
  uint32_t *ref[3] = {NULL};
  uint64_t step = CHI_P > 7 ? 5 : 1; /* 31^4 lanes a secret: every fifth */
  for (r.secret = 0; r.secret < CHI_P; r.secret += step) {
    chii_test_prg = enumerate;
    world w = {.protocol = CHI_SHAMIR, .n = 3, .in_turn = true,
               .program = &r.g.program,
               .before_run = load_refresh, .finish = keep, .user = &r,
               .record = true};
    world_run(&w);
    chii_test_prg = NULL;
    for (unsigned i = 0; i < 3; i++) {
      size_t words, bins;
      view v = {.n = 0};
      see_word(&v, arena[i] + at_x(&r.g, 0));
      see_digit(&v, first_stream_digit + i);
      see_digit(&v, first_stream_digit + (i + 2) % 3);
      see_word(&v, world_frame(&w, (i + 1) % 3, i, 1, &words));
      uint32_t *h = count(&v, r.g.lanes, &bins);
      if (!ref[i]) {
        ref[i] = h;
      } else {
        differ += memcmp(ref[i], h, bins * sizeof *h) != 0;
        free(h);
      }
    }
    world_free(&w);
  }
  for (unsigned i = 0; i < 3; i++)
    free(ref[i]);
  return differ;
}

static void refresh(void) { CU_ASSERT_EQUAL(refreshes(), 0); }

int main(int argc, char **argv) {
  quick = argc > 1 && strcmp(argv[1], "quick") == 0;
  powers[0] = 1;
  for (unsigned e = 1; e <= MAX_DIGITS; e++)
    powers[e] = powers[e - 1] * CHI_P;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("views", NULL, NULL);
  CU_add_test(s, "inputs by a node", node_inputs);
  CU_add_test(s, "shamir: refresh", refresh);
  if (CHI_P == 7) {
    CU_add_test(s, "an opening alone", lone_opening);
    CU_add_test(s, "shamir: dot product and opening", shamir_dot);
    CU_add_test(s, "rep3: dot product and opening", rep3_dot);
    CU_add_test(s, "shamir: product and opening", shamir_product);
    CU_add_test(s, "shamir: control, masks dropped", shamir_control);
    CU_add_test(s, "shamir: two squares", two_squares);
    CU_add_test(s, "control, a mask used twice", mask_used_twice);
    CU_add_test(s, "rep3: control, masks dropped", rep3_control);
    CU_add_test(s, "rep3: product and opening", rep3_product);
  }
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  for (unsigned i = 0; i < 3; i++)
    free(arena[i]);
  return failed != 0;
}
