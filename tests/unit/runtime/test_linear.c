/* What t colluding nodes see, exactly, for any n and the real prime.
 *
 * Given the shares of the operands, all that is sent in a product and an
 * opening is an affine function of the outputs of the streams.  The map is read
 * off the running protocol: batch 0 has all streams 0, batch k has stream k
 * equal to 1.  For a coalition C the streams that no member knows are uniform,
 * so two sharings give C the same distribution of views if and only if the
 * difference of their all-zero views lies in the image of the unknown streams.
 * The sharings compared have equal shares in C and, with an opening, equal
 * products.
 *
 * Negative controls: streams fixed at zero; one stream for two batches.
 */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

enum { MAX_STREAMS = 512, MAX_WORDS = 4096 };
typedef enum { FRESH, DROPPED, REUSED } mask_mode;

static uint64_t mulmod(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 u128;
  return (uint64_t)((u128)a * b % CHI_P);
}
static uint64_t submod(uint64_t a, uint64_t b) {
  return (a + CHI_P - b) % CHI_P;
}
static uint64_t invmod(uint64_t a) {
  uint64_t r = 1;
  for (uint64_t e = CHI_P - 2; e; e >>= 1, a = mulmod(a, a))
    if (e & 1)
      r = mulmod(r, a);
  return r;
}

/* ---- the experiment ---- */

typedef struct stream_id {
  unsigned from, to, purpose, sub; /* sub: which of the two products */
} stream_id;

/* A unit is two products (rep3, GRR: two lanes; DN: two batches of t + 1), the
 * second with other operands; they share nothing but, in REUSED, the streams.
 * DN: kings turn with period d batches, so a unit takes 2 d batches and uses
 * the first and the d-th. */
typedef struct experiment {
  chi_program program;
  chi_protocol protocol;
  unsigned n, t, d;
  bool dn;
  mask_mode mode;
  unsigned gates;  /* of a batch */
  unsigned period; /* batches from one used to the next */
  stream_id stream[MAX_STREAMS];
  unsigned streams;
  uint64_t batches, lanes;
  chi_sh x[2][CHI_PARTIES_MAX], y[2][CHI_PARTIES_MAX]; /* of the products */
  uint64_t index_pad; /* rep3, GRR: lanes of the one value */
} experiment;

static bool unit_streams(void *user, unsigned holder, unsigned from,
                         unsigned to, unsigned purpose, uint64_t *out,
                         uint64_t index, size_t n) {
  const experiment *e = user;
  (void)holder;
  for (size_t j = 0; j < n; j++) {
    uint64_t batch = index + j, used = batch / e->period;
    uint64_t unit = used / 2, sub = used % 2;
    out[j] = 0;
    if (batch % e->period || unit == 0 || unit > e->streams ||
        e->mode == DROPPED)
      continue;
    const stream_id *s = &e->stream[unit - 1];
    out[j] = s->from == from && s->to == to && s->purpose == purpose &&
             (e->mode == REUSED || s->sub == sub);
  }
  return true;
}

static int run(chi_gen *g) {
  const experiment *e = (const void *)chi_session_program(g);
  int P = chi_gen_protocol(g);
  uint64_t *w = chi_gen_words(g), L = e->lanes;
  chi_gen_begin(g, L, 0);
  for (uint64_t off = 0; off < L; off += CHI_GEN_CHUNK) {
    uint64_t n = chii_min(CHI_GEN_CHUNK, L - off);
    uint64_t *z = chi_gen_reduce_open_chunk(g, 4 * L, L, off, n);
    for (uint64_t i = 0; i < n; i++)
      z[i] = chi_f_add(z[i],
                       chi_pr_mul(P, chi_sh_ld(P, w, L, off + i),
                                  chi_sh_ld(P, w + 2 * L, L, off + i)));
    chi_gen_reduce_close_chunk(g);
  }
  if (chi_gen_end(g))
    return 1;
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, 6 * L, 4 * L, L);
  return chi_gen_end(g);
}

static void load(chi_session *s, void *user) {
  const experiment *e = user;
  int P = (int)s->proto->id;
  for (uint64_t l = 0; l < e->lanes; l++) {
    uint64_t sub = l / e->gates / e->period % 2;
    chi_sh_st(P, s->w, e->lanes, l, e->x[sub][s->me]);
    chi_sh_st(P, s->w + 2 * e->lanes, e->lanes, l, e->y[sub][s->me]);
  }
}

static void add_stream(experiment *e, unsigned from, unsigned to,
                       unsigned purpose) {
  for (unsigned sub = 0; sub < (e->mode == REUSED ? 1 : 2); sub++)
    e->stream[e->streams++] = (stream_id){from, to, purpose, sub};
}

static void make(experiment *e, chi_protocol protocol, unsigned n,
                 mask_mode mode) {
  memset(e, 0, sizeof *e);
  e->protocol = protocol;
  e->n = n;
  e->t = (n + 1) / 2 - 1;
  e->d = 2 * e->t + 1;
  e->mode = mode;
  e->dn = protocol == CHI_SHAMIR && n >= 6;
  e->gates = e->dn ? e->t + 1 : 1;
  e->period = e->dn ? e->d : 1;
  if (protocol == CHI_REP3) {
    for (unsigned i = 0; i < 3; i++)
      add_stream(e, (i + 2) % 3, i, CHII_REDUCE);
  } else {
    for (unsigned i = 0; i < e->d; i++)
      for (unsigned k = 1; k <= e->t; k++)
        add_stream(e, i, (i + k) % n, CHII_REDUCE);
    for (unsigned i = 0; e->dn && i < e->d; i++)
      for (unsigned j = 0; j < e->d; j++)
        add_stream(e, i, j, CHII_DOUBLE);
  }
  e->batches = (uint64_t)e->period * 2 * (e->streams + 1);
  e->lanes = e->batches * e->gates;
  e->program = (chi_program){.abi = CHI_ABI, .field = TEST_FIELD,
                             .name = "linear", .words = 7 * e->lanes,
                             .max_reduce_lanes = e->lanes,
                             .max_open_lanes = e->lanes,
                             .max_reduce_values = 1, .max_open_values = 1,
                             .run = run};
}

/* Words of unit `u` in the frames from j to i, appended to v. */
static unsigned words_of(const experiment *e, const world *w, unsigned j,
                         unsigned i, uint64_t u, bool opened, uint64_t *v) {
  unsigned n = 0, frame = 1;
  size_t words;
  bool seeded = (i + e->n - j - 1) % e->n < e->t;
  bool dealer = j < e->d;
  const uint64_t *f;
  for (unsigned sub = 0; sub < 2; sub++) {
    uint64_t batch = (2 * u + sub) * e->period;
    frame = 1;
    if (e->protocol == CHI_REP3) {
      if (j == (i + 1) % 3) /* product; then the tag, which is a function of
                               streams that i knows and of what it opens */
        v[n++] = world_frame(w, j, i, 1, &words)[batch];
      else if (opened)
        v[n++] = world_frame(w, j, i, 1, &words)[batch];
      continue;
    }
    if (!e->dn) {
      if (dealer && !seeded)
        v[n++] = world_frame(w, j, i, frame++, &words)[batch];
    } else {
      if (dealer && (!seeded || i < e->d)) { /* the first round */
        f = world_frame(w, j, i, frame++, &words);
        uint64_t at = 0;
        if (!seeded) {
          v[n++] = f[batch];
          at = e->batches;
        }
        for (unsigned r = 0; i < e->d && r < e->gates; r++) {
          uint64_t g = batch * e->gates + r;
          if (g % e->d == i)
            v[n++] = f[at + g / e->d];
        }
      }
      if (dealer && !seeded) { /* the king's round */
        f = world_frame(w, j, i, frame++, &words);
        for (unsigned r = 0; r < e->gates; r++) {
          uint64_t g = batch * e->gates + r;
          if (g % e->d == j)
            v[n++] = f[g / e->d];
        }
      }
    }
    if (opened) {
      f = world_frame(w, j, i, frame, &words);
      for (unsigned r = 0; r < e->gates; r++)
        v[n++] = f[batch * e->gates + r];
    }
  }
  return n;
}

static unsigned view_of(const experiment *e, const world *w,
                        const bool *member, uint64_t u, bool opened,
                        uint64_t *v) {
  unsigned n = 0;
  for (unsigned i = 0; i < e->n; i++)
    for (unsigned j = 0; j < e->n; j++)
      if (member[i] && !member[j])
        n += words_of(e, w, j, i, u, opened, v + n);
  if (n > MAX_WORDS)
    abort();
  return n;
}

static void observe(experiment *e, world *w) {
  chii_test_prg = unit_streams;
  chii_test_prg_user = e;
  *w = (world){.protocol = e->protocol, .n = e->n, .program = &e->program,
               .before_run = load, .user = e, .record = true};
  world_run(w);
  chii_test_prg = NULL;
  for (unsigned i = 0; i < e->n; i++)
    if (w->result[i].status)
      CU_FAIL_FATAL("a run failed");
}

/* Is target in the span of the rows?  Rows are changed. */
static bool spanned(uint64_t **row, unsigned rows, uint64_t *target,
                    unsigned n) {
  unsigned r = 0;
  for (unsigned c = 0; c < n && r < rows; c++) {
    unsigned k = r;
    while (k < rows && !row[k][c])
      k++;
    if (k == rows)
      continue;
    uint64_t *s = row[k];
    row[k] = row[r];
    row[r] = s;
    uint64_t inv = invmod(s[c]);
    for (unsigned m = r + 1; m <= rows; m++) {
      uint64_t *x = m == rows ? target : row[m];
      if (!x[c])
        continue;
      uint64_t f = mulmod(x[c], inv);
      for (unsigned q = c; q < n; q++)
        x[q] = submod(x[q], mulmod(f, s[q]));
    }
    r++;
  }
  for (unsigned c = 0; c < n; c++)
    if (target[c])
      return false;
  return true;
}

/* Shares of x plus something that the coalition does not see: rep3 the missing
 * component, shamir a multiple of the polynomial that is 0 at C. */
static void change(const experiment *e, const bool *member, chi_sh *sh,
                   uint64_t r) {
  if (e->protocol == CHI_REP3) {
    unsigned i = member[0] ? 0 : member[1] ? 1 : 2; /* component i + 2 */
    unsigned a = (i + 2) % 3, b = (i + 1) % 3;
    sh[a].a = (sh[a].a + r) % CHI_P;
    sh[b].b = (sh[b].b + r) % CHI_P;
    return;
  }
  for (unsigned i = 0; i < e->n; i++) {
    uint64_t p = r;
    for (unsigned c = 0; c < e->n; c++)
      if (member[c])
        p = mulmod(p, submod(i + 1, c + 1));
    sh[i].a = (sh[i].a + p) % CHI_P;
  }
}

/* By how much r = 1 changes the secret. */
static uint64_t effect(const experiment *e, const bool *member) {
  if (e->protocol == CHI_REP3)
    return 1;
  uint64_t p = 1;
  for (unsigned c = 0; c < e->n; c++)
    if (member[c])
      p = mulmod(p, submod(0, c + 1));
  return p;
}

/* True if the coalition's views are equally distributed. */
static bool equal_views(chi_protocol protocol, unsigned n, mask_mode mode,
                        const bool *member, bool opened, uint64_t seed) {
  experiment *e = malloc(sizeof *e);
  world w[2];
  if (!e)
    abort();
  make(e, protocol, n, mode);
  uint64_t x[2], y[2];
  for (int k = 0; k < 2; k++) {
    x[k] = 1 + test_random(&seed) % (CHI_P - 1);
    y[k] = 1 + test_random(&seed) % (CHI_P - 1);
    test_split(protocol, n, x[k], &seed, e->x[k]);
    test_split(protocol, n, y[k], &seed, e->y[k]);
  }
  observe(e, &w[0]);
  for (int k = 0; k < 2; k++) {
    /* x' = factor x; with an opening y' = y / factor, so x' y' = x y */
    uint64_t factor = 2 + test_random(&seed) % 1000;
    uint64_t one = invmod(effect(e, member));
    change(e, member, e->x[k],
           mulmod(one, submod(mulmod(x[k], factor), x[k])));
    change(e, member, e->y[k],
           mulmod(one, submod(mulmod(y[k], invmod(factor)), y[k])));
    if (!opened)
      change(e, member, e->y[k], test_element(&seed));
  }
  observe(e, &w[1]);
  static uint64_t zero[MAX_WORDS], other[MAX_WORDS];
  unsigned words = view_of(e, &w[0], member, 0, opened, zero);
  if (view_of(e, &w[1], member, 0, opened, other) != words)
    abort();
  uint64_t **row = calloc(e->streams, sizeof *row);
  unsigned rows = 0;
  for (unsigned k = 0; k < e->streams; k++) {
    const stream_id *s = &e->stream[k];
    if (member[s->from] || member[s->to])
      continue;
    row[rows] = malloc((words + 1) * 8);
    (void)view_of(e, &w[0], member, k + 1, opened, row[rows]);
    for (unsigned q = 0; q < words; q++)
      row[rows][q] = submod(row[rows][q], zero[q]);
    rows++;
  }
  for (unsigned q = 0; q < words; q++)
    other[q] = submod(other[q], zero[q]);
  bool equal = spanned(row, rows, other, words);
  for (unsigned k = 0; k < rows; k++)
    free(row[k]);
  free(row);
  world_free(&w[0]);
  world_free(&w[1]);
  free(e);
  return equal;
}

/* Coalitions of t nodes: the first, the last, every other, a random one. */
static void coalition(bool *member, unsigned n, unsigned t, unsigned which,
                      uint64_t *seed) {
  memset(member, 0, CHI_PARTIES_MAX);
  for (unsigned k = 0; k < t; k++) {
    unsigned i = which == 0 ? k : which == 1 ? n - 1 - k : 2 * k;
    if (which == 3)
      do
        i = (unsigned)(test_random(seed) % n);
      while (member[i]);
    member[i] = true;
  }
}

static unsigned leaks(chi_protocol protocol, unsigned n, mask_mode mode,
                      bool opened) {
  unsigned t = (n + 1) / 2 - 1, found = 0;
  uint64_t seed = n;
  bool member[CHI_PARTIES_MAX];
  for (unsigned which = 0; which < 4; which++) {
    coalition(member, n, t, which, &seed);
    if (!equal_views(protocol, n, mode, member, opened, n * 10 + which))
      found++;
  }
  return found;
}

static void rep3(void) {
  CU_ASSERT_EQUAL(leaks(CHI_REP3, 3, FRESH, false), 0);
  CU_ASSERT_EQUAL(leaks(CHI_REP3, 3, FRESH, true), 0);
}

static void shamir_direct(void) {
  for (unsigned n = 3; n <= 5; n++) {
    CU_ASSERT_EQUAL(leaks(CHI_SHAMIR, n, FRESH, false), 0);
    CU_ASSERT_EQUAL(leaks(CHI_SHAMIR, n, FRESH, true), 0);
  }
}

static void shamir_kings(void) {
  for (unsigned n = 6; n <= 9; n++) {
    CU_ASSERT_EQUAL(leaks(CHI_SHAMIR, n, FRESH, false), 0);
    CU_ASSERT_EQUAL(leaks(CHI_SHAMIR, n, FRESH, true), 0);
  }
}

static void controls(void) {
  for (unsigned n = 3; n <= 7; n++) {
    CU_ASSERT_EQUAL(leaks(CHI_SHAMIR, n, DROPPED, false), 4);
    CU_ASSERT(leaks(CHI_SHAMIR, n, DROPPED, true) > 0);
    CU_ASSERT(leaks(CHI_SHAMIR, n, REUSED, false) > 0);
  }
  CU_ASSERT_EQUAL(leaks(CHI_REP3, 3, DROPPED, false), 4);
  CU_ASSERT_EQUAL(leaks(CHI_REP3, 3, DROPPED, true), 4);
  CU_ASSERT(leaks(CHI_REP3, 3, REUSED, false) > 0);
}

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("linear views", NULL, NULL);
  CU_add_test(s, "rep3", rep3);
  CU_add_test(s, "shamir, n = 3..5", shamir_direct);
  CU_add_test(s, "shamir, n = 6..9", shamir_kings);
  CU_add_test(s, "controls", controls);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
