/* Secret permutations: results, counters, uniformity, what is refused; over a
 * tiny prime, what a node sees.
 */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"
#include "shuffle.h"

/* Columns of rows of `row` lanes, one behind the other in the arena, each of
 * two planes; a step moves some of them to others in one exchange. */
enum { COLUMNS = 16 };
typedef struct step {
  unsigned to, from, perm; /* columns; which permutation */
  bool back;
} step;

typedef struct circuit {
  chi_program program;
  uint64_t rows, row;
  unsigned columns, perms, turn;
  const step *step; /* ends with from = to */
  unsigned steps, exchanges;
  unsigned last[8]; /* steps of each exchange */
} circuit;

static uint64_t lanes_of(const circuit *c) { return c->rows * c->row; }
static uint64_t column(const circuit *c, unsigned k) {
  return 2 * lanes_of(c) * k;
}

/* Turns go round, from the circuit's first. */
static unsigned turn_of(const circuit *c, unsigned perm) {
  return (c->turn + perm) % CHI_GEN_TURNS;
}
static uint64_t number_of(const circuit *c, unsigned perm) {
  return (uint64_t)turn_of(c, perm) << CHI_GEN_TURN_BITS | perm;
}

static int run(chi_gen *g) {
  const circuit *c = (const circuit *)(const void *)chi_session_program(g);
  const step *s = c->step;
  for (unsigned k = 0; k < c->perms; k++)
    if (chi_gen_perm(g, turn_of(c, k)) != number_of(c, k))
      return 1;
  for (unsigned x = 0; x < c->exchanges; x++) {
    unsigned n = c->last[x];
    chi_gen_begin(g, 0, 0);
    chi_gen_begin_shuffle(g, n * lanes_of(c));
    for (; n--; s++)
      (s->back ? chi_gen_unshuffle : chi_gen_shuffle)(
          g, column(c, s->to), column(c, s->from), lanes_of(c), c->row,
          number_of(c, s->perm));
    if (chi_gen_end(g))
      return 1;
  }
  return 0;
}

static circuit make(uint64_t rows, uint64_t row, unsigned columns,
                    unsigned perms, const step *s, unsigned most) {
  circuit c = {.rows = rows, .row = row, .columns = columns, .perms = perms,
               .step = s};
  c.program = (chi_program){
      .abi = CHI_ABI, .field = TEST_FIELD, .name = "shuffle",
      .words = column(&c, columns), .run = run, .max_shuffle_values = most,
      .max_shuffle_lanes = most * lanes_of(&c), .max_shuffle_rows = rows};
  return c;
}

static void exchange(circuit *c, unsigned steps) {
  c->last[c->exchanges++] = steps;
  c->steps += steps;
}

/* ---- one run ---- */
typedef struct data {
  circuit c;
  chi_protocol protocol;
  unsigned n;
  uint64_t *arena[CHI_PARTIES_MAX];
} data;

static void load(chi_session *s, void *user) {
  data *d = user;
  memcpy(s->w, d->arena[s->me], d->c.program.words * 8);
}

static void store(chi_session *s, void *user) {
  data *d = user;
  if (!s->status)
    memcpy(d->arena[s->me], s->w, d->c.program.words * 8);
}

static void new_data(data *d, chi_protocol protocol, unsigned n) {
  d->protocol = protocol;
  d->n = n;
  for (unsigned i = 0; i < n; i++)
    d->arena[i] = calloc(d->c.program.words, 8);
}

static void free_data(data *d) {
  for (unsigned i = 0; i < d->n; i++)
    free(d->arena[i]);
}

#if CHI_MERSENNE == 61
static void share(data *d, unsigned col, uint64_t l, uint64_t v,
                  uint64_t *seed) {
  chi_sh sh[CHI_PARTIES_MAX];
  test_split(d->protocol, d->n, v, seed, sh);
  for (unsigned i = 0; i < d->n; i++)
    chi_sh_st((int)d->protocol, d->arena[i] + column(&d->c, col),
              lanes_of(&d->c), l, sh[i]);
}

static uint64_t value(const data *d, unsigned col, uint64_t l) {
  chi_sh sh[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < d->n; i++)
    sh[i] = chi_sh_ld((int)d->protocol, d->arena[i] + column(&d->c, col),
                      lanes_of(&d->c), l);
  return test_join(d->protocol, d->n, sh);
}

static void run_data(data *d, world *w) {
  *w = (world){.protocol = d->protocol, .n = d->n, .program = &d->c.program,
               .before_run = load, .finish = store, .user = d};
  world_run(w);
}

static unsigned binomial(unsigned n, unsigned k) {
  return k ? binomial(n - 1, k - 1) * n / k : 1;
}

/* ---- moved rows ---- */

/* Column 0 has numbers of rows, column 1 anything.  The last column gets what
 * an exchange moves forth and back at once. */
static const step both[] = {
    {2, 0, 0, false}, {3, 1, 0, false}, {4, 0, 1, false}, /* exchange 0 */
    {5, 2, 0, true},  {6, 3, 1, false}, {7, 4, 1, true},  /* 1 */
    {8, 1, 0, true}};

static void check_counters(const data *d, const world *w, unsigned moves,
                           unsigned exchanges) {
  unsigned n = d->n, t = (n + 1) / 2 - 1, D = 2 * t + 1;
  uint64_t L = lanes_of(&d->c);
  for (unsigned i = 0; i < n; i++) {
    const chi_stats *st = &w->result[i].stats;
    uint64_t sent = i >= D ? 0 : moves * binomial(2 * t, t) * (n - 1 - t);
    unsigned rounds = binomial(D, t + 1);
    if (d->protocol == CHI_REP3) {
      sent = moves;
      for (unsigned k = 0; k < moves; k++)
        sent += i == (turn_of(&d->c, d->c.step[k].perm) + 1) % 3;
      rounds = 2;
    }
    CU_ASSERT_EQUAL(st->elements_sent, sent * L);
    CU_ASSERT_EQUAL(st->bytes_sent, sent * L * 8);
    CU_ASSERT_EQUAL(st->rounds, exchanges * rounds);
    CU_ASSERT_EQUAL(st->exchanges, exchanges);
  }
}

static void check(chi_protocol protocol, unsigned n, uint64_t rows,
                  uint64_t row, uint64_t seed) {
  data d = {.c = make(rows, row, 9, 2, both, 4)};
  world w;
  d.c.turn = (unsigned)(seed % CHI_GEN_TURNS);
  exchange(&d.c, 3);
  exchange(&d.c, 4);
  new_data(&d, protocol, n);
  uint64_t L = rows * row, *y = malloc(L * 8);
  uint8_t *seen = calloc(rows, 1);
  for (uint64_t l = 0; l < L; l++) {
    share(&d, 0, l, l, &seed);
    share(&d, 1, l, y[l] = test_element(&seed), &seed);
  }
  run_data(&d, &w);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT_EQUAL_FATAL(w.result[i].status, CHI_OK);
  check_counters(&d, &w, 7, 2);
  uint64_t moved = 0, others = 0;
  for (uint64_t l = 0; l < L; l++) {
    uint64_t from = value(&d, 2, l);
    if (from >= L || from % row != l % row)
      CU_FAIL_FATAL("a row is torn");
    if (l % row == 0 && seen[from / row]++)
      CU_FAIL_FATAL("a row came twice");
    if (value(&d, 3, l) != y[from])
      CU_FAIL_FATAL("one permutation moves two columns in two ways");
    moved += from != l;
    others += from != value(&d, 4, l);
    if (value(&d, 5, l) != l || value(&d, 7, l) != l)
      CU_FAIL_FATAL("back is not where it was");
    if (value(&d, 8, from) != y[l])
      CU_FAIL_FATAL("back is not the inverse");
    if (value(&d, 6, l) != value(&d, 3, value(&d, 4, l)))
      CU_FAIL_FATAL("permutations do not compose");
  }
  if (rows > 20) /* fails once in 20! sessions */
    CU_ASSERT(moved && others);
  world_free(&w);
  free_data(&d);
  free(seen);
  free(y);
}

static void rep3_rows(void) {
  for (uint64_t rows = 1; rows < 40; rows += 1 + rows / 4)
    for (uint64_t row = 1; row < 4; row++)
      check(CHI_REP3, 3, rows, row, rows + row);
  check(CHI_REP3, 3, 9001, 1, 1);
  check(CHI_REP3, 3, 1500, 7, 2);
}

static void shamir_rows(void) {
  for (unsigned n = 3; n <= 8; n++) {
    check(CHI_SHAMIR, n, 1, 1, n);
    check(CHI_SHAMIR, n, 30, 2, n);
    check(CHI_SHAMIR, n, 7, 3, n);
  }
  check(CHI_SHAMIR, 3, 9001, 1, 1);
  check(CHI_SHAMIR, 5, 2100, 3, 2);
}

/* ---- uniformity ---- */

enum { RUNS = 4800, PER_EXCHANGE = 600 };

/* RUNS permutations of 4 rows, PER_EXCHANGE in each exchange: how often each of
 * the 24 comes.  A right one is above the limit once in 10^11 sessions. */
static void uniform(chi_protocol protocol, unsigned n) {
  step *s = calloc(RUNS, sizeof *s);
  for (unsigned k = 0; k < RUNS; k++)
    s[k] = (step){k + 1, 0, k, k % 2};
  data d = {.c = make(4, 1, RUNS + 1, RUNS, s, PER_EXCHANGE)};
  for (unsigned k = 0; k < RUNS / PER_EXCHANGE; k++)
    exchange(&d.c, PER_EXCHANGE);
  world w;
  uint64_t seed = n;
  unsigned cell[256] = {0}, cells = 0;
  new_data(&d, protocol, n);
  for (uint64_t l = 0; l < 4; l++)
    share(&d, 0, l, l, &seed);
  run_data(&d, &w);
  CU_ASSERT_EQUAL_FATAL(w.result[0].status, CHI_OK);
  for (unsigned k = 1; k <= RUNS; k++) {
    unsigned code = 0;
    for (uint64_t l = 0; l < 4; l++)
      code = code * 4 + (unsigned)value(&d, k, l) % 4;
    cell[code]++;
  }
  double chi2 = 0, expect = RUNS / 24.0;
  for (unsigned k = 0; k < 256; k++)
    if (cell[k]) {
      chi2 += (cell[k] - expect) * (cell[k] - expect) / expect;
      cells++;
    }
  CU_ASSERT_EQUAL(cells, 24);
  CU_ASSERT(chi2 < 101); /* 23 degrees of freedom */
  world_free(&w);
  free_data(&d);
  free(s);
}

static void rep3_uniform(void) { uniform(CHI_REP3, 3); }

static void shamir_uniform(void) {
  uniform(CHI_SHAMIR, 3);
  uniform(CHI_SHAMIR, 4);
  uniform(CHI_SHAMIR, 5);
  uniform(CHI_SHAMIR, 7);
}

/* ---- streams ---- */

/* Masks are drawn in order and once. */
static uint64_t next_index[CHI_PARTIES_MAX][CHI_PARTIES_MAX][CHI_PARTIES_MAX];
static int reused;

static bool watch(void *user, unsigned holder, unsigned from, unsigned to,
                  unsigned purpose, uint64_t *out, uint64_t index, size_t n) {
  (void)user;
  (void)out;
  uint64_t *next = &next_index[holder][from][to];
  if (purpose != CHII_SHUFFLE)
    return false;
  if (index < *next)
    __atomic_add_fetch(&reused, 1, __ATOMIC_RELAXED);
  *next = chii_prg_round(index + n);
  return false;
}

static const step turns[] = {{1, 0, 0, false}, {2, 1, 0, true}};

static void streams(void) {
  static const unsigned n[] = {3, 3, 4, 5};
  for (unsigned k = 0; k < 4; k++) {
    chi_protocol p = k ? CHI_SHAMIR : CHI_REP3;
    data d = {.c = make(3001, 1, 3, 1, turns, 1)};
    exchange(&d.c, 1);
    exchange(&d.c, 1);
    world w;
    new_data(&d, p, n[k]);
    memset(next_index, 0, sizeof next_index);
    reused = 0;
    chii_test_prg = watch;
    run_data(&d, &w);
    chii_test_prg = NULL;
    CU_ASSERT_EQUAL(w.result[0].status, CHI_OK);
    /* rep3 draws the components after all masks of one exchange's move */
    CU_ASSERT_EQUAL(reused, 0);
    for (unsigned i = 0; i < n[k]; i++)
      for (unsigned j = 0; j < n[k]; j++)
        if (i != j)
          CU_ASSERT_EQUAL(next_index[i][i][j], next_index[j][i][j]);
    world_free(&w);
    free_data(&d);
  }
}

/* ---- what is refused ---- */

static void expect_status(circuit c, chi_protocol protocol, unsigned n,
                          chi_status st) {
  data d = {.c = c};
  world w;
  new_data(&d, protocol, n);
  run_data(&d, &w);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT_EQUAL(w.result[i].status, st);
  world_free(&w);
  free_data(&d);
}

static void refused(void) {
  static const step unknown[] = {{1, 0, 1, false}};
  circuit c = make(4, 1, 2, 1, unknown, 1);
  exchange(&c, 1);
  expect_status(c, CHI_REP3, 3, CHI_E_BUG); /* permutation 1 was not made */
  c = make(4, 1, 3, 1, turns, 1);
  exchange(&c, 2);
  expect_status(c, CHI_SHAMIR, 3, CHI_E_BUG); /* two moves, one announced */
  c = make(4, 1, 3, 1, turns, 1);
  c.program.max_shuffle_rows = 3;
  exchange(&c, 1);
  expect_status(c, CHI_REP3, 3, CHI_E_BUG);
  c = make(4, 1, 3, 1, turns, 1);
  exchange(&c, 1);
  expect_status(c, CHI_SHAMIR, 9, CHI_E_LIMIT); /* too many sets of nodes */
}

#endif

#if CHI_MERSENNE == 3
/* ---- what a node sees, exactly ----
 * Two rows over F_7; column c of the rows is an experiment of its own, in which
 * the four masks that the node does not know are the digits of c.  Its own
 * shares of the rows are fixed, so the secrets follow from those of the others;
 * what it knows of masks is 0.  For each of its own two permutations, and over
 * both of the one it does not know, what it receives is counted, and what it
 * receives together with the opened result. */
enum { P = CHI_P, N = P * P * P * P, VIEW_BINS = N * P * P };

typedef enum { FRESH, DROPPED, KNOWN } control;

static struct {
  chi_protocol protocol;
  unsigned node;
  control mode;
  bool back;
  unsigned turn;
  unsigned perm[3]; /* do the holders of a key swap the rows? */
} at;

static unsigned unknown_perm(void) {
  return at.protocol == CHI_REP3 ? (at.node + 2) % 3 : 2 - at.node;
}

static unsigned digit(uint64_t c, unsigned d) {
  while (d--)
    c /= P;
  return (unsigned)(c % P);
}

static bool enumerate(void *user, unsigned holder, unsigned from, unsigned to,
                      unsigned purpose, uint64_t *out, uint64_t index,
                      size_t n) {
  (void)user;
  (void)holder;
  memset(out, 0, n * 8);
  if (purpose == CHII_PERM) /* the first word is for a choice of one */
    out[1] = (uint64_t)at.perm[from] << 63;
  if (purpose != CHII_SHUFFLE || at.mode == DROPPED ||
      from != (at.node + 1) % 3 || to != (at.node + 2) % 3)
    return true;
  for (size_t k = 0; k < n; k++) {
    uint64_t l = (index + k) % (2 * N), block = (index + k) / (2 * N);
    /* shamir: dealer `from` takes part in two of three rounds, the last dealer
     * in the second and third, or back the first dealer */
    unsigned nth = (unsigned)block;
    if (at.protocol == CHI_SHAMIR)
      nth = block && !(from == (at.back ? 0 : 2) && block == 1);
    out[k] = digit(l % N, (unsigned)(l / N) + 2 * nth);
  }
  return true;
}

/* The node's share is 3, 5 (rep3) or 3; the secret is v. */
static chi_sh fixed_share(unsigned party, uint64_t v) {
  chi_sh s = {0, 0};
  if (at.protocol == CHI_REP3) {
    uint64_t x[3];
    x[at.node] = 3;
    x[(at.node + 1) % 3] = 5;
    x[(at.node + 2) % 3] = (v + 2 * P - 8) % P;
    s.a = x[party];
    s.b = x[(party + 1) % 3];
    return s;
  }
  uint64_t slope = (3 + P - v) % P, inv = 1;
  while (inv * (at.node + 1) % P != 1)
    inv++;
  s.a = (v + slope * inv % P * (party + 1)) % P;
  return s;
}

static unsigned see(const data *d, const world *w, const uint64_t **see) {
  unsigned n = 0, i = at.node;
  size_t words;
  for (unsigned j = 0; j < 3; j++)
    for (unsigned f = at.protocol == CHI_REP3 ? 1 : 2; j != i && f < 5; f++) {
      if (f >= w->tap[j * 3 + i].frame)
        break;
      const uint64_t *v = world_frame(w, j, i, f, &words);
      if (words != 2 * N)
        continue;
      see[n++] = v;
      see[n++] = v + N;
    }
  /* the opened result: what the node lacks of it */
  unsigned j = at.protocol == CHI_REP3 ? (i + 2) % 3 : (i + 1) % 3;
  see[n++] = d->arena[j] + column(&d->c, 1);
  see[n++] = d->arena[j] + column(&d->c, 1) + N;
  return n;
}

static void observe(const uint64_t secret[2], uint32_t *closed,
                    uint32_t *opened) {
  step s = {1, 0, 0, at.back};
  data d = {.c = make(2, N, 2, 1, &s, 1)};
  world w;
  d.c.turn = at.turn;
  exchange(&d.c, 1);
  new_data(&d, at.protocol, 3);
  for (unsigned i = 0; i < 3; i++)
    for (uint64_t l = 0; l < 2 * N; l++)
      chi_sh_st((int)at.protocol, d.arena[i], 2 * N, l,
                fixed_share(i, secret[l / N]));
  chii_test_prg = enumerate;
  w = (world){.protocol = at.protocol, .n = 3, .program = &d.c.program,
              .before_run = load, .finish = store, .user = &d, .record = true};
  world_run(&w);
  chii_test_prg = NULL;
  CU_ASSERT_EQUAL_FATAL(w.result[at.node].status, CHI_OK);
  const uint64_t *col[12];
  unsigned n = see(&d, &w, col);
  CU_ASSERT_FATAL(n >= 2 && n <= 6);
  for (uint64_t c = 0; c < N; c++) {
    size_t bin = 0;
    for (unsigned k = 0; k < n; k++) {
      if (k == n - 2)
        closed[bin]++;
      bin = bin * P + col[k][c];
    }
    opened[bin]++;
  }
  world_free(&w);
  free_data(&d);
}

/* How many secrets give other counts than the first, and how many orders of two
 * rows other counts than the reverse. */
static void differences(unsigned *closed, unsigned *opened) {
  static const uint64_t rows[][2] = {{0, 0}, {1, 6}, {6, 1}, {3, 4}, {4, 3}};
  enum { ROWS = sizeof rows / sizeof *rows };
  uint32_t *h[ROWS][2];
  *closed = *opened = 0;
  for (unsigned own = 0; own < 4; own++) {
    for (unsigned r = 0; r < ROWS; r++) {
      h[r][0] = calloc(N, sizeof **h[r]);
      h[r][1] = calloc(VIEW_BINS, sizeof **h[r]);
      for (unsigned k = 0; k < 3; k++)
        at.perm[(unknown_perm() + k) % 3] = k ? own >> (k - 1) & 1 : 0;
      observe(rows[r], h[r][0], h[r][1]);
      at.perm[unknown_perm()] = at.mode != KNOWN;
      observe(rows[r], h[r][0], h[r][1]);
      *closed += memcmp(h[0][0], h[r][0], N * sizeof **h[r]) != 0;
      if (r && r % 2 == 0)
        *opened +=
            memcmp(h[r - 1][1], h[r][1], VIEW_BINS * sizeof **h[r]) != 0;
    }
    for (unsigned r = 0; r < ROWS; r++) {
      free(h[r][0]);
      free(h[r][1]);
    }
  }
}

static void equal_views(chi_protocol protocol) {
  unsigned closed, opened, dropped = 0, known = 0;
  at.protocol = protocol;
  for (at.node = 0; at.node < 3; at.node++)
    for (int back = 0; back < 2; back++) {
      at.back = back;
      at.turn = protocol == CHI_REP3 && at.node == 1 && back ? 2 : 0;
      at.mode = FRESH;
      differences(&closed, &opened);
      CU_ASSERT_EQUAL(closed, 0);
      CU_ASSERT_EQUAL(opened, 0);
      at.mode = DROPPED;
      differences(&closed, &opened);
      dropped += closed;
      at.mode = KNOWN;
      differences(&closed, &opened);
      CU_ASSERT_EQUAL(closed, 0);
      known += opened > 0;
    }
  CU_ASSERT(dropped > 0); /* the test sees a leak */
  CU_ASSERT_EQUAL(known, 6);
}

static void rep3_views(void) { equal_views(CHI_REP3); }
static void shamir_views(void) { equal_views(CHI_SHAMIR); }
#endif

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("shuffle", NULL, NULL);
#if CHI_MERSENNE == 3
  CU_add_test(s, "rep3: equal views", rep3_views);
  CU_add_test(s, "shamir: equal views, n = 3", shamir_views);
#else
  CU_add_test(s, "rep3: rows", rep3_rows);
  CU_add_test(s, "shamir: rows, n = 3..8", shamir_rows);
  CU_add_test(s, "rep3: all permutations alike", rep3_uniform);
  CU_add_test(s, "shamir: all permutations alike", shamir_uniform);
  CU_add_test(s, "no mask twice", streams);
  CU_add_test(s, "what is refused", refused);
#endif
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
