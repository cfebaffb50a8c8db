/* Whole gadgets: nodes that pool their views, at most t of them, see words that
 * are uniform whatever the secrets are.
 *
 * By composition: each word that a coalition receives, openings aside, is
 * masked by draws that nobody in it knows, that were made once, in this
 * exchange, for this word; see masks.c and docs/protocols.md, 12.  Where draws
 * are few, all of them are tried besides.  Mutants, with masks left out or used
 * again, must be found.
 */
#include <CUnit/Basic.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "kit_impl.h"
#include "../runtime/parties.h"
#include "masks.h"
#include "try.h"

enum { MOST_LANES = 64 };

/* ---- operations that the compiler makes of several ---- */

static void is_select(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                      unsigned part) {
  (void)w, (void)part;
  mpz_set(r, mpz_sgn(x) ? y : x);
}
static ir_value *b_select(ir_builder *b, ir_value *x, ir_value *y,
                          unsigned w) {
  (void)w;
  return ir_select(b, x, y, x);
}

/* An array of w equal elements y at the secret place x: 0 outside. */
static ir_value *repeated(ir_builder *b, ir_value *x, uint64_t times) {
  const ir_dim d[] = {{x->ty.lanes, 1}, {times, 0}};
  return ir_view(b, x, 0, d, 2);
}
static void is_read(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                    unsigned part) {
  (void)part;
  mpz_set_ui(r, 0);
  if (mpz_sgn(x) >= 0 && mpz_cmp_ui(x, w) < 0) mpz_set(r, y);
}
static ir_value *b_read(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  ir_value *at = ir_onehot(b, x, w);
  return ir_fold(b, OP_SUM, ir_op2(b, OP_MUL, at, repeated(b, y, w)), w);
}

/* An array of w elements x: y to the place x. */
static void is_write(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)w;
  mpz_set(r, mpz_cmp_ui(x, part) == 0 ? y : x);
}
static ir_value *b_write(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  return ir_select(b, ir_onehot(b, x, w), repeated(b, y, w),
                   repeated(b, x, w));
}
static unsigned parts_w(unsigned w) { return w; }

/* x of two bits by 1, 2, 3, which are public but no constant. */
static unsigned parts_3(unsigned w) {
  (void)w;
  return 3;
}
static void is_split(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w,
                     unsigned part) {
  (void)y, (void)w;
  mpz_fdiv_q_ui(r, x, part + 1);
}
static ir_value *b_split(ir_builder *b, ir_value *x, ir_value *y, unsigned w) {
  (void)y, (void)w;
  const ir_dim d[] = {{x->ty.lanes, 0}, {3, 1}};
  ir_value *by = ir_op2(b, OP_ADD, ir_iota(b, 3), ir_const_si(b, DOM_Z, 1, 1));
  return ir_op2(b, OP_DIV, repeated(b, x, 3),
                ir_op1(b, OP_ENC, ir_view(b, by, 0, d, 2)));
}

static const trial more[] = {
    {"split", b_split, is_split, parts_3, true, Y_NONE, false, false},
    {"read", b_read, is_read, NULL, false, Y_SHARE, false, false},
    {"write", b_write, is_write, parts_w, false, Y_SHARE, false, false},
    {"select", b_select, is_select, NULL, true, Y_SHARE, false, false},
};
enum { MORE = sizeof more / sizeof *more };

static const trial *trial_at(unsigned k) {
  return k < ntrials ? &trials[k] : &more[k - ntrials];
}
static const trial *trial_of(const char *name) {
  for (unsigned k = 0; k < ntrials + MORE; k++)
    if (!strcmp(trial_at(k)->name, name)) return trial_at(k);
  abort();
}

/* ---- operands ---- */

static uint64_t range_size(const mpz_t lo, const mpz_t hi) {
  return (uint64_t)(mpz_get_si(hi) - mpz_get_si(lo) + 1);
}

static void set_pair(pairs *p, unsigned k, uint64_t at) {
  uint64_t wide = range_size(p->xlo, p->xhi);
  mpz_add_ui(p->x[k], p->xlo, at % wide);
  mpz_add_ui(p->y[k], p->ylo, at / wide);
}

/* All pairs; if these are too many, some of them, the corners among them. */
static void choose(pairs *p, unsigned most, long xlo, long xhi, long ylo,
                   long yhi) {
  uint64_t all = (uint64_t)((xhi - xlo + 1) * (yhi - ylo + 1));
  uint64_t state = all, n = all < most ? all : most;
  pairs_init(p, (unsigned)n);
  mpz_set_si(p->xlo, xlo);
  mpz_set_si(p->xhi, xhi);
  mpz_set_si(p->ylo, ylo);
  mpz_set_si(p->yhi, yhi);
  for (unsigned k = 0; k < n; k++) {
    uint64_t at = n == all ? k : test_random(&state) % all;
    if (n < all && k < 2) at = k ? all - 1 : 0;
    set_pair(p, k, at);
  }
}

/* The widest operands that fit. */
static ir_module *widest(arena *a, const trial *t, setup *s, pairs *p,
                         unsigned lanes) {
  long h = (1L << (CHI_MERSENNE - 1)) - 1;
  s->k = CHI_MERSENNE;
  s->w = t->digits ? CHI_MERSENNE - 1 : t->y == Y_COUNT ? 1 : 2;
  for (unsigned k = 0; k < 4; k++) {
    const long lo[] = {-h, 0, 0, 0}, hi[] = {h, h, h / 2, 1};
    if (t->natural && lo[k] < 0) continue;
    bool bit = !strcmp(t->name, "select"), two = !strcmp(t->name, "split");
    choose(p, lanes, bit ? 0 : lo[k], bit ? 1 : two ? 3 : hi[k],
           t->y == Y_SHARE ? lo[k] : 0,
           t->y == Y_SHARE ? hi[k] : t->y == Y_COUNT ? (long)s->w : 0);
    ir_module *m = try_module(a, t, s, p);
    if (m) return m;
    pairs_fini(p);
  }
  return NULL;
}

/* ---- one gadget ---- */

typedef struct gadget {
  const trial *t;
  setup s;
  arena *a;
  ir_module *m;
  pairs p;
  kit_program *program;
  uint64_t *value; /* of the inputs, in [0, p) */
} gadget;

static bool complain(const gadget *g, const char *why) {
  fprintf(stderr, "%s k=%d %s n=%u open=%d: %s\n", g->t->name, CHI_MERSENNE,
          g->s.target.protocol == IR_REP3 ? "rep3" : "shamir", g->s.target.n,
          g->s.open, why);
  return false;
}

static void put_values(gadget *g) {
  unsigned n = g->p.n;
  free(g->value);
  g->value = calloc(2 * n + 1, sizeof *g->value);
  if (!g->value) abort();
  for (uint32_t k = 0; k < g->m->nin; k++)
    for (unsigned j = 0; j < n; j++)
      g->value[k * n + j] = mpz_fdiv_ui(
          g->m->in[k].name[0] == 'x' ? g->p.x[j] : g->p.y[j], CHI_P);
}

/* The circuit, not yet compiled. */
static bool lower(gadget *g, const trial *t, ir_target target, bool open,
                  unsigned lanes) {
  *g = (gadget){.t = t, .s = {.target = target, .open = open}};
  g->a = arena_new();
  g->m = widest(g->a, t, &g->s, &g->p, lanes);
  diag *dg = diag_new(g->a, NULL);
  pass_opts o = {.verify = true, .target = target};
  if (!g->m) return complain(g, "no operands fit");
  put_values(g);
  if (pass_run(g->m, pass_pipeline(2, IR_SCHED), &o, dg)) return true;
  buf why = {0};
  diag_render_all(dg, &why, false);
  (void)complain(g, why.p ? why.p : "?");
  buf_free(&why);
  return false;
}

enum { MOST_GADGETS = 32 };

/* n gadgets, ready to run. */
static void compile(gadget *g, unsigned n) {
  ir_module *m[MOST_GADGETS] = {NULL};
  kit_program *p[MOST_GADGETS] = {NULL};
  buf why = {0};
  for (unsigned k = 0; k < n; k++) m[k] = g[k].m;
  bool ok = kit_compile_all(m, n, &(kit_build){.flags = "-O0"}, p, &why);
  if (!ok) fprintf(stderr, "%s\n", why.p ? why.p : "?");
  buf_free(&why);
  CU_ASSERT_FATAL(ok);
  for (unsigned k = 0; k < n; k++) g[k].program = p[k];
}

static void gadget_new(gadget *g, const char *name, ir_target target,
                       bool open, unsigned lanes) {
  CU_ASSERT_FATAL(lower(g, trial_of(name), target, open, lanes));
  compile(g, 1);
}

static void gadget_fini(gadget *g) {
  kit_free(g->program);
  pairs_fini(&g->p);
  free(g->value);
  arena_free(g->a);
}

static lab lab_of(const gadget *g, uint64_t seed) {
  return (lab){.protocol = g->s.target.protocol == IR_REP3 ? CHI_REP3
                                                           : CHI_SHAMIR,
               .n = g->s.target.n, .circuit = g->program->program,
               .value = g->value, .seed = seed};
}

/* Does it compute what it should? */
static bool right(const gadget *g, const lab *l) {
  unsigned parts = g->t->parts ? g->t->parts(g->s.w) : 1;
  mpz_t want;
  mpz_init(want);
  bool ok = l->circuit->output[0].lanes == g->p.n * parts;
  for (unsigned k = 0; k < g->p.n * parts && ok; k++) {
    unsigned at = k / parts;
    g->t->is(want, g->p.x[at], g->p.y[at], g->s.w, k % parts);
    ok = mpz_fdiv_ui(want, CHI_P) == lab_result(l, k);
  }
  mpz_clear(want);
  return ok;
}

/* A result is opened whole or bit by bit: how many of its lanes are. */
static bool opened_right(const lab *l, bool open, unsigned opened) {
  const chi_leaf *r = &l->circuit->output[0];
  long lo = strtol(r->lo, NULL, 10), hi = strtol(r->hi, NULL, 10);
  unsigned bits = 0, n = (unsigned)r->lanes;
  while (hi >> bits || (lo < 0 && -(lo + 1) >> bits)) bits++;
  return open ? opened == n || opened == n * (bits + (lo < 0)) : !opened;
}

/* Views are as they should, and nothing but the result is opened. */
static bool try_tape(const gadget *g, uint64_t seed, unsigned *words) {
  masks m;
  lab l = lab_of(g, seed);
  bool ok = lab_base(&l) && right(g, &l);
  if (!ok) (void)complain(g, "a wrong result");
  ok = ok && masks_find(&l, &m);
  if (ok && (masks_wrong(&m) || !m.words)) {
    char why[200];
    snprintf(why, sizeof why,
             "of %u words %u follow other draws, %u are not masked; %u draws "
             "are used again, %u frames change too early",
             m.words, m.elsewhere, m.bare, m.twice, m.early);
    ok = complain(g, why);
  }
  if (ok && !opened_right(&l, g->s.open, m.opened))
    ok = complain(g, "another number of openings");
  if (ok) *words += m.words;
  lab_fini(&l);
  return ok;
}

/* All pairs of operands, as many at once as there are lanes; each time with
 * other sharings and another tape. */
static bool try_gadget(gadget *g, unsigned *words) {
  uint64_t all = range_size(g->p.xlo, g->p.xhi) *
                 range_size(g->p.ylo, g->p.yhi), at = 0, seed = 0;
  bool ok = true;
  while (ok && at < all) {
    for (unsigned k = 0; k < g->p.n; k++, at++) set_pair(&g->p, k, at % all);
    put_values(g);
    ok = try_tape(g, ++seed, words);
  }
  return ok;
}

/* ---- mutants ---- */

/* Two draws that are one: of neighbours, of different exchanges. */
static lab_draw neighbour(const lab *l, lab_draw d) {
  (void)l;
  d.index &= ~UINT64_C(1);
  return d;
}
static lab_draw earlier(const lab *l, lab_draw d) {
  (void)l;
  if (d.purpose == CHII_BITS) d.index %= 16;
  return d;
}
static bool no_mask(const lab *l, lab_draw d) {
  (void)l;
  return d.purpose == CHII_CONVERT && d.to == 1;
}
static bool no_reduce_mask(const lab *l, lab_draw d) {
  (void)l;
  return d.purpose == CHII_REDUCE;
}
static bool no_bit_mask(const lab *l, lab_draw d) {
  (void)l;
  return d.purpose == CHII_BITS && d.to == 2 && d.index < 8;
}
static void start_again(chi_session *s, unsigned exchange) {
  if (exchange == 3) s->bit_index = 0;
}
static void step_back(chi_session *s, unsigned exchange) {
  (void)exchange;
  if (s->convert_index) s->convert_index -= 2;
  if (s->stream_index) s->stream_index -= 2;
}

typedef struct mutant {
  lab_draw (*source)(const lab *l, lab_draw d);
  bool (*is_zero)(const lab *l, lab_draw d);
  void (*disturb)(chi_session *s, unsigned exchange);
} mutant;

static const mutant mutants[] = {
    {neighbour, NULL, NULL}, {earlier, NULL, NULL}, {NULL, no_mask, NULL},
    {NULL, no_bit_mask, NULL}, {NULL, NULL, start_again},
    {NULL, NULL, step_back}};
enum { MUTANTS = sizeof mutants / sizeof *mutants };

static void find_mutants(ir_target target) {
  gadget g;
  gadget_new(&g, "max", target, false, MOST_LANES);
  for (unsigned k = 0; k < MUTANTS; k++) {
    masks m;
    lab l = lab_of(&g, 2);
    l.source = mutants[k].source;
    l.is_zero = mutants[k].is_zero;
    l.disturb = mutants[k].disturb;
    CU_ASSERT(lab_base(&l));
    CU_ASSERT(right(&g, &l)); /* results do not tell */
    CU_ASSERT(masks_find(&l, &m));
    CU_ASSERT(masks_wrong(&m) > 0);
    printf("\n  mutant %u: twice %u, early %u, elsewhere %u, bare %u ", k,
           m.twice, m.early, m.elsewhere, m.bare);
    lab_fini(&l);
  }
  gadget_fini(&g);
}

/* ---- every value of what a node does not know ---- */

/* One lane, few draws.  Given a node's shares and draws, what it receives must
 * have one distribution for all operands, or for those of one result if that is
 * opened. */
enum { MOST_CHOICES = 4096, SECRETS = 4 };

static int by_value(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

/* The digests of all choices, sorted. */
static uint64_t *all_views(const gadget *g, unsigned node, const mutant *u,
                           uint64_t *choices) {
  lab_free unknown[64];
  lab l = lab_of(g, node + 3);
  l.node = node;
  if (u) l.is_zero = u->is_zero;
  CU_ASSERT_FATAL(lab_base(&l));
  l.free = unknown;
  l.frees = masks_unknown(&l, node, unknown, 64);
  l.choices = 1;
  for (unsigned k = 0; k < l.frees && l.choices <= MOST_CHOICES; k++)
    l.choices *= unknown[k].radix;
  *choices = l.choices;
  CU_ASSERT_FATAL(l.choices <= MOST_CHOICES);
  CU_ASSERT_FATAL(lab_choices(&l));
  uint64_t *seen = l.seen;
  l.seen = NULL;
  qsort(seen, l.choices, sizeof *seen, by_value);
  lab_fini(&l);
  return seen;
}

/* How many operands have the result of operands `at`; they come first. */
static unsigned bring(const gadget *g, pairs *p, unsigned at, bool move) {
  mpz_t want, got;
  unsigned n = 0;
  mpz_inits(want, got, (mpz_ptr)NULL);
  g->t->is(want, p->x[at], p->y[at], g->s.w, 0);
  for (unsigned k = 0; k < p->n; k++) {
    g->t->is(got, p->x[k], p->y[k], g->s.w, 0);
    if (mpz_cmp(want, got)) continue;
    if (move) {
      mpz_swap(p->x[n], p->x[k]);
      mpz_swap(p->y[n], p->y[k]);
    }
    n++;
  }
  mpz_clears(want, got, (mpz_ptr)NULL);
  return n;
}

/* All operands; if their result is opened, those of the most frequent one come
 * first.  How many may not be told apart. */
static unsigned alike(const gadget *g, pairs *p) {
  unsigned best = 0;
  choose(p, UINT_MAX, mpz_get_si(g->p.xlo), mpz_get_si(g->p.xhi),
         mpz_get_si(g->p.ylo), mpz_get_si(g->p.yhi));
  for (unsigned k = 0; k < p->n; k++)
    if (bring(g, p, k, false) > bring(g, p, best, false)) best = k;
  return g->s.open ? bring(g, p, best, true) : p->n;
}

/* Distributions that differ from the first operands'. */
static unsigned enumerate(gadget *g, unsigned node, const mutant *u) {
  pairs p;
  unsigned n = alike(g, &p), differ = 0, step = n > SECRETS ? n / SECRETS : 1;
  uint64_t *first = NULL, choices;
  CU_ASSERT_FATAL(n > 1);
  for (unsigned k = 0; k < n; k += step) {
    g->value[0] = mpz_fdiv_ui(p.x[k], CHI_P);
    g->value[1] = mpz_fdiv_ui(p.y[k], CHI_P);
    uint64_t *seen = all_views(g, node, u, &choices);
    if (first)
      differ += memcmp(seen, first, choices * sizeof *seen) != 0;
    else
      first = seen;
    if (seen != first) free(seen);
  }
  free(first);
  pairs_fini(&p);
  return differ;
}

typedef struct small {
  const char *name;
  bool open;
} small;

static void enumerate_all(ir_target target, const small *c) {
  for (; c->name; c++) {
    gadget g;
    gadget_new(&g, c->name, target, c->open, 1);
    for (unsigned node = 0; node < target.n; node++)
      CU_ASSERT_EQUAL(enumerate(&g, node, NULL), 0);
    gadget_fini(&g);
  }
}

/* Without a mask it shows. */
static void enumerate_mutant(ir_target target, const char *name,
                             const mutant *u) {
  gadget g;
  unsigned differ = 0;
  gadget_new(&g, name, target, false, 1);
  for (unsigned node = 0; node < target.n; node++)
    differ += enumerate(&g, node, u);
  CU_ASSERT(differ > 0);
  gadget_fini(&g);
}

/* ---- suites ---- */

static void all_gadgets(ir_target target) {
  gadget g[MOST_GADGETS];
  unsigned words = 0, n = ntrials + MORE;
  CU_ASSERT_FATAL(n <= MOST_GADGETS);
  for (unsigned k = 0; k < n; k++) /* open here or at the other p */
    CU_ASSERT_FATAL(
        lower(&g[k], trial_at(k), target, (k + (CHI_P > 7)) % 2, MOST_LANES));
  compile(g, n);
  for (unsigned k = 0; k < n; k++) {
    CU_ASSERT(try_gadget(&g[k], &words));
    gadget_fini(&g[k]);
  }
  printf("\n  %u words ", words);
}

static const ir_target rep3 = {IR_REP3, 3}, shamir3 = {IR_SHAMIR, 3},
                       shamir4 = {IR_SHAMIR, 4}, shamir5 = {IR_SHAMIR, 5};

static void views_rep3(void) { all_gadgets(rep3); }
static void views_shamir_3(void) { all_gadgets(shamir3); }
static void views_shamir_4(void) { all_gadgets(shamir4); }
static void views_shamir_5(void) { all_gadgets(shamir5); }
/* The others have more draws than can be tried. */
static void every_rep3(void) {
  static const small c[] = {
      {"eq", false}, {"eq", true},        {"select", false},
      {"shl", true}, {"shr fixed", true}, {"select", true},
      {"xor", true}, {"wrap signed", true}, {"isqrt", true},
      {NULL, false}};
  enumerate_all(rep3, c);
  enumerate_mutant(rep3, "eq", &mutants[3]);
}
static void every_shamir_3(void) {
  static const small c[] = {{"select", false}, {"select", true}, {NULL, false}};
  const mutant u = {.is_zero = no_reduce_mask};
  enumerate_all(shamir3, c);
  enumerate_mutant(shamir3, "select", &u);
}
static void mutants_rep3(void) { find_mutants(rep3); }
static void mutants_shamir_3(void) { find_mutants(shamir3); }
static void mutants_shamir_5(void) { find_mutants(shamir5); }

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("views of gadgets", NULL, NULL);
  CU_add_test(s, "mutants, rep3", mutants_rep3);
  CU_add_test(s, "mutants, shamir of 3", mutants_shamir_3);
  CU_add_test(s, "mutants, shamir of 5", mutants_shamir_5);
  CU_add_test(s, "rep3", views_rep3);
  CU_add_test(s, "shamir of 3", views_shamir_3);
  CU_add_test(s, "shamir of 4", views_shamir_4);
  CU_add_test(s, "shamir of 5", views_shamir_5);
  if (CHI_P == 7) { /* few enough draws */
    CU_add_test(s, "rep3, every draw", every_rep3);
    CU_add_test(s, "shamir of 3, every draw", every_shamir_3);
  }
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
