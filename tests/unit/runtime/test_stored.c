/* Shares that nodes keep from one session and give into the next. */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

enum { L = 5, A = 0, B = 2 * L, Z = 4 * L, O = 6 * L, WORDS = 7 * L };

/* make(a, b from nodes 0 and 1) = a * b, which stays shared */
static int multiply(chi_gen *g) {
  uint64_t *w = chi_gen_words(g);
  int P = chi_gen_protocol(g);
  chi_gen_begin(g, L, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, Z, L, 0, L);
  for (uint64_t i = 0; i < L; i++)
    z[i] = chi_f_add(z[i], chi_pr_mul(P, chi_sh_ld(P, w + A, L, i),
                                      chi_sh_ld(P, w + B, L, i)));
  chi_gen_reduce_close_chunk(g);
  return chi_gen_end(g);
}

/* use(a kept, k public) = a, opened in the first round; a stays shared */
static int show(chi_gen *g) {
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, O, A, L);
  return chi_gen_end(g);
}

static const chi_leaf make_in[] = {
    {"a", "field", "[5]", CHI_KIND_SHARE, L, NULL, NULL, A},
    {"b", "field", "[5]", CHI_KIND_SHARE, L, NULL, NULL, B}};
static const chi_leaf make_out[] = {
    {"$z", "field", "[5]", CHI_KIND_SHARE, L, NULL, NULL, Z}};
static const chi_program make = {
    .abi = CHI_ABI, .field = TEST_FIELD, .name = "make", .words = WORDS,
    .hash = {1}, .input = make_in, .n_input = 2, .output = make_out,
    .n_output = 1, .max_reduce_lanes = L, .max_reduce_values = 1,
    .run = multiply};
static const chi_leaf use_in[] = {
    {"$z", "field", "[5]", CHI_KIND_SHARE, L, NULL, NULL, A},
    {"k", "i16", "", CHI_KIND_INT, 1, "-32768", "32767", B}};
static const chi_leaf use_out[] = {
    {"!0", "field", "[5]", CHI_KIND_FIELD, L, NULL, NULL, O},
    {"$z", "field", "[5]", CHI_KIND_SHARE, L, NULL, NULL, A}};
static const chi_program use = {
    .abi = CHI_ABI, .field = TEST_FIELD, .name = "use", .words = WORDS,
    .hash = {2}, .input = use_in, .n_input = 2, .output = use_out,
    .n_output = 2, .max_open_lanes = L, .max_open_values = 1, .run = show};

static const int64_t va[L] = {-5, 7, 1000003, 0, 1};
static const int64_t vb[L] = {11, -3, 999983, 12345, 1};

typedef struct setting {
  uint64_t a[CHI_PARTIES_MAX][L], b[CHI_PARTIES_MAX][L]; /* kept */
  int64_t opened[CHI_PARTIES_MAX][L];
  unsigned missing; /* a party that gives nothing, or n */
  unsigned dealer;  /* a party that says that node 0 deals, or n */
  int bad;
} setting;

static void expect(setting *t, bool ok) {
  if (!ok)
    __atomic_add_fetch(&t->bad, 1, __ATOMIC_RELAXED);
}

static void make_prepare(chi_session *s, void *user) {
  setting *t = user;
  expect(t, !chi_session_input_node(s, 0, 0, s->me == 0 ? va : NULL, L));
  expect(t, !chi_session_input_node(s, 1, 1, s->me == 1 ? vb : NULL, L));
}

static void make_finish(chi_session *s, void *user) {
  setting *t = user;
  expect(t, !chi_session_output_share(
                s, 0, t->a[s->me],
                s->proto->planes == 2 ? t->b[s->me] : NULL, L));
}

static void use_prepare(chi_session *s, void *user) {
  setting *t = user;
  int64_t k = 3;
  uint64_t big[L], *b = s->proto->planes == 2 ? t->b[s->me] : NULL;
  memcpy(big, t->a[s->me], sizeof big);
  big[L - 1] = CHI_P;
  /* refused calls leave the session healthy */
  expect(t, chi_session_input_share(s, 0, big, b, L) == CHI_E_INPUT);
  expect(t, strstr(chi_session_detail(s), "'$z'") != NULL);
  if (b)
    expect(t, chi_session_input_share(s, 0, b, big, L) == CHI_E_INPUT);
  expect(t, chi_session_input_share(s, 0, t->a[s->me], b, L - 1) ==
                CHI_E_ARG);
  expect(t, chi_session_input_share(s, 1, t->a[s->me], b, 1) == CHI_E_ARG);
  expect(t, !chi_session_input_public(s, 1, &k, 1));
  expect(t, chi_session_start(s) == CHI_E_STATE);
  if (s->me == t->missing)
    return;
  if (s->me == t->dealer)
    expect(t, !chi_session_input_node(s, 0, 0, s->me == 0 ? va : NULL, L));
  else
    expect(t, !chi_session_input_share(s, 0, t->a[s->me], b, L));
}

static void use_finish(chi_session *s, void *user) {
  setting *t = user;
  if (s->me == t->missing) { /* told so by the start, and still healthy */
    expect(t, strstr(chi_session_detail(s), "'$z' is missing") != NULL);
    expect(t, !s->status && s->phase == CHII_NEW);
    return;
  }
  if (s->status)
    return;
  expect(t, chi_session_input_share(s, 0, t->a[s->me], t->b[s->me], L) ==
                CHI_E_STATE);
  expect(t, !chi_session_output(s, 0, t->opened[s->me], L));
  expect(t, !chi_session_output_share(
                s, 1, t->a[s->me],
                s->proto->planes == 2 ? t->b[s->me] : NULL, L));
}

static void begin(setting *t, world *w, chi_protocol protocol, unsigned n) {
  memset(t, 0, sizeof *t);
  *w = (world){.protocol = protocol, .n = n, .program = &make,
               .prepare = make_prepare, .finish = make_finish, .user = t,
               .deadline_ms = 2000};
  t->missing = t->dealer = n;
  randombytes_buf(w->session_id, sizeof w->session_id);
  world_run(w);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT_EQUAL_FATAL(w->result[i].status, CHI_OK);
  w->program = &use;
  w->prepare = use_prepare;
  w->finish = use_finish;
}

static void again(world *w) {
  randombytes_buf(w->session_id, sizeof w->session_id);
  world_run(w);
}

static uint64_t product(int i) {
  __extension__ typedef __int128 i128;
  i128 r = (i128)va[i] * vb[i] % (i128)CHI_P;
  return (uint64_t)(r < 0 ? r + (i128)CHI_P : r);
}

typedef void (*check_fn)(chi_protocol protocol, unsigned n);

static void everywhere(check_fn check) {
  static const unsigned counts[] = {3, 4, 5, 7};
  check(CHI_REP3, 3);
  for (unsigned k = 0; k < 4; k++)
    check(CHI_SHAMIR, counts[k]);
}

static void kept_from(chi_protocol protocol, unsigned n) {
  setting t;
  world w;
  begin(&t, &w, protocol, n);
  for (int turn = 0; turn < 3; turn++) {
    again(&w);
    for (unsigned i = 0; i < n; i++) {
      CU_ASSERT_EQUAL(w.result[i].status, CHI_OK);
      for (int l = 0; l < L; l++)
        CU_ASSERT_EQUAL((uint64_t)t.opened[i][l], product(l));
    }
  }
  for (int l = 0; l < L; l++) {
    chi_sh sh[CHI_PARTIES_MAX];
    for (unsigned i = 0; i < n; i++)
      sh[i] = (chi_sh){t.a[i][l], t.b[i][l]};
    CU_ASSERT_EQUAL(test_join(protocol, n, sh), product(l));
  }
  CU_ASSERT_EQUAL(t.bad, 0);
}

static void kept(void) { everywhere(kept_from); }

/* A rep3 party whose two components fit those of both neighbours hears of the
 * fault from them: it may have sent for the first round, and gets nothing. */
static void refused(const world *w, unsigned wrong) {
  unsigned named = 0;
  for (unsigned i = 0; i < w->n; i++) {
    const party_result *r = &w->result[i];
    CU_ASSERT_FALSE(r->outputs);
    if (r->status == CHI_E_INPUT) {
      named += i != wrong;
      CU_ASSERT(strstr(r->detail, "'$z'") != NULL);
      CU_ASSERT_EQUAL(r->stats.rounds, 0);
    } else {
      CU_ASSERT_EQUAL(w->protocol, CHI_REP3);
      CU_ASSERT_EQUAL(r->status, CHI_E_PEER_LOST);
      CU_ASSERT(strstr(r->detail, "E_INPUT") != NULL);
    }
  }
  CU_ASSERT(named >= (w->protocol == CHI_REP3 ? 1 : w->n - 1));
}

static void one_wrong_of(chi_protocol protocol, unsigned n) {
  setting t;
  world w;
  begin(&t, &w, protocol, n);
  unsigned planes = protocol == CHI_REP3 ? 2 : 1;
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = 0; k < planes; k++)
      for (int l = 0; l < L; l++) {
        uint64_t *at = k ? &t.b[i][l] : &t.a[i][l], was = *at;
        *at = (was + 1) % CHI_P;
        again(&w);
        *at = was;
        refused(&w, i);
      }
  again(&w);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT_EQUAL(w.result[i].status, CHI_OK);
  CU_ASSERT_EQUAL(t.bad, 0);
}

static void one_wrong(void) { everywhere(one_wrong_of); }

/* A node that kept the shares of an older value. */
static void older_of(chi_protocol protocol, unsigned n) {
  setting t, old;
  world w;
  begin(&old, &w, protocol, n);
  begin(&t, &w, protocol, n);
  for (unsigned i = 0; i < n; i++) {
    setting mixed = t;
    memcpy(mixed.a[i], old.a[i], sizeof old.a[i]);
    memcpy(mixed.b[i], old.b[i], sizeof old.b[i]);
    w.user = &mixed;
    again(&w);
    refused(&w, i);
    CU_ASSERT_EQUAL(mixed.bad, 0);
  }
}

static void older(void) { everywhere(older_of); }

static void missing_at(chi_protocol protocol, unsigned n) {
  setting t;
  world w;
  begin(&t, &w, protocol, n);
  for (unsigned i = 0; i < n; i++) {
    t.missing = i;
    again(&w);
    for (unsigned j = 0; j < n; j++) {
      CU_ASSERT_FALSE(w.result[j].outputs);
      CU_ASSERT_EQUAL(w.result[j].stats.rounds, 0);
      if (j != i)
        CU_ASSERT(w.result[j].status != CHI_OK);
    }
  }
  CU_ASSERT_EQUAL(t.bad, 0);
}

static void missing(void) {
  missing_at(CHI_REP3, 3);
  missing_at(CHI_SHAMIR, 3);
}

/* Nodes that do not mean the same kind of input do not begin. */
static void other_plan(void) {
  setting t;
  world w;
  begin(&t, &w, CHI_SHAMIR, 3);
  t.dealer = 1;
  again(&w);
  CU_ASSERT_EQUAL(w.result[0].status, CHI_E_DISAGREE);
  CU_ASSERT_EQUAL(w.result[0].culprit, 1);
  CU_ASSERT(strstr(w.result[0].detail, "who gives the inputs") != NULL);
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT_FALSE(w.result[i].outputs);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("stored", NULL, NULL);
  CU_add_test(s, "from session to session", kept);
  CU_add_test(s, "one wrong share", one_wrong);
  CU_add_test(s, "one node is of an older run", older);
  CU_add_test(s, "one node has none", missing);
  CU_add_test(s, "another plan of inputs", other_plan);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
