/* A party that sends the wrong bytes, or none: every honest party ends in
 * bounded time, with a status that names the culprit where one is to be known,
 * without outputs and with its arena wiped. */
#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

enum { LANES = 50, DEADLINE = 300 };

/* Opens the product of two operands: x at 0, y at 2 L, z at 4 L, opened 6 L. */
static int run(chi_gen *g) {
  uint64_t *w = chi_gen_words(g);
  int P = chi_gen_protocol(g);
  chi_gen_begin(g, LANES, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, 4 * LANES, LANES, 0, LANES);
  for (uint64_t i = 0; i < LANES; i++)
    z[i] = chi_f_add(z[i],
                     chi_pr_mul(P, chi_sh_ld(P, w, LANES, i),
                                chi_sh_ld(P, w + 2 * LANES, LANES, i)));
  chi_gen_reduce_close_chunk(g);
  if (chi_gen_end(g))
    return 1;
  chi_gen_begin(g, 0, LANES);
  chi_gen_open(g, 6 * LANES, 4 * LANES, LANES);
  return chi_gen_end(g);
}

static const chi_leaf out_leaf = {.name = "result", .type = "field",
                                  .shape = "", .kind = CHI_KIND_FIELD,
                                  .lanes = LANES, .slot = 6 * LANES};
static const chi_program program = {.abi = CHI_ABI, .field = TEST_FIELD,
                                    .name = "fault", .words = 7 * LANES,
                                    .output = &out_leaf, .n_output = 1,
                                    .max_reduce_lanes = LANES,
                                    .max_open_lanes = LANES,
                                    .max_reduce_values = 1,
                                    .max_open_values = 1, .run = run};

static chi_sh shares[2 * LANES][CHI_PARTIES_MAX];
static uint64_t product[LANES];
static int wrong_outputs, left_secrets, not_sticky;

static void load(chi_session *s, void *user) {
  (void)user;
  int P = (int)s->proto->id;
  for (uint64_t i = 0; i < LANES; i++) {
    chi_sh_st(P, s->w, LANES, i, shares[i][s->me]);
    chi_sh_st(P, s->w + 2 * LANES, LANES, i, shares[LANES + i][s->me]);
  }
}

static void look(chi_session *s, void *user) {
  (void)user;
  int64_t v[LANES];
  chi_status st = chi_session_output(s, 0, v, LANES);
  if (st == CHI_OK)
    for (int i = 0; i < LANES; i++)
      if ((uint64_t)v[i] != product[i])
        __atomic_add_fetch(&wrong_outputs, 1, __ATOMIC_RELAXED);
  if (!s->status)
    return;
  if (st != s->status || chi_session_run(s) != s->status ||
      chi_session_start(s) != s->status)
    __atomic_add_fetch(&not_sticky, 1, __ATOMIC_RELAXED);
  uint64_t any = 0;
  for (uint64_t i = 0; i < s->words; i++)
    any |= s->w[i];
  for (unsigned j = 0; j < s->n; j++)
    for (int b = 0; b < 32; b++)
      any |= s->pair_key[j][b];
  if (any)
    __atomic_add_fetch(&left_secrets, 1, __ATOMIC_RELAXED);
}

static void deal(chi_protocol protocol, unsigned n) {
  uint64_t st = 7;
  uint64_t v[2 * LANES];
  for (int i = 0; i < 2 * LANES; i++) {
    v[i] = i % 17 + 1;
    test_split(protocol, n, v[i], &st, shares[i]);
  }
  for (int i = 0; i < LANES; i++)
    product[i] = v[i] * v[LANES + i];
}

/* allowed: statuses that the victim, party `to`, may give, bit by bit.  late:
 * the victim finds the fault only after it has told the others that its checks
 * passed; they may have outputs then. */
static void run_fault(chi_protocol protocol, unsigned n, fault f,
                      unsigned allowed, bool named, bool late) {
  world w;
  const party_result *v;
  /* Where the deadline passes on a busy machine an honest node is slow too, and
   * may be named: only then the same again, with more time. */
  unsigned more = 1;
  for (;; more *= 4) {
    w = (world){.protocol = protocol, .n = n, .program = &program,
                .before_run = load, .finish = look,
                .deadline_ms = DEADLINE * more, .fault = f};
    wrong_outputs = left_secrets = not_sticky = 0;
    deal(protocol, n);
    world_run(&w);
    v = &w.result[f.to];
    bool other = named && v->status && v->status != CHI_E_CHECK &&
                 v->culprit != (int)f.from;
    if (!other || more > 4) break;
    world_free(&w);
  }
  bool ok = allowed >> v->status & 1;
  if (!ok)
    printf("\nprotocol %d n %u kind %d %u->%u frame %u: %s (%s)\n", protocol,
           n, f.kind, f.from, f.to, f.frame, chi_status_name(v->status),
           v->detail);
  CU_ASSERT(ok);
  if (named && v->status) {
    char name[32];
    snprintf(name, sizeof name, "party %u", f.from);
    CU_ASSERT(strstr(v->detail, name) != NULL);
    if (v->status != CHI_E_CHECK)
      CU_ASSERT_EQUAL(v->culprit, (int)f.from);
  }
  /* nobody may have outputs if the fault hit before the final barrier */
  unsigned outputs = 0;
  for (unsigned i = 0; i < n; i++)
    outputs += w.result[i].outputs;
  if (v->status)
    CU_ASSERT_FALSE(w.result[f.to].outputs);
  if (!late && v->status)
    CU_ASSERT_EQUAL(outputs, 0);
  for (unsigned i = 0; i < n; i++)
    CU_ASSERT(w.result[i].status != CHI_E_BUG);
  CU_ASSERT_EQUAL(wrong_outputs, 0);
  CU_ASSERT_EQUAL(left_secrets, 0);
  CU_ASSERT_EQUAL(not_sticky, 0);
  CU_ASSERT(w.seconds < 4.0 * more);
  world_free(&w);
}

#define ST(x) (1u << (x))

/* Frames of a direction: hello, products (shamir n >= 6: two), opening,
 * barrier; rep3 sends products to party i - 1, values to i + 1, tags to
 * i - 1.  Only directions that carry the frame are disturbed. */
static void all_faults(chi_protocol protocol, unsigned n, unsigned from,
                       unsigned to, unsigned frames) {
  for (unsigned k = 0; k < frames; k++) {
    fault f = {.from = from, .to = to, .frame = k};
    bool late = k + 1 == frames; /* the barrier itself */
    f.kind = FAULT_GARBAGE;
    run_fault(protocol, n, f, ST(CHI_E_PROTOCOL), true, late);
    f.kind = FAULT_SHORT;
    run_fault(protocol, n, f, ST(CHI_E_PROTOCOL), true, late);
    f.kind = FAULT_LONG;
    run_fault(protocol, n, f, ST(CHI_E_PROTOCOL), true, k + 2 >= frames);
    if (k) {
      f.kind = FAULT_REPLAY;
      run_fault(protocol, n, f, ST(CHI_E_PROTOCOL), true, late);
    }
    f.kind = FAULT_CLOSE;
    run_fault(protocol, n, f, ST(CHI_E_PEER_LOST), true, late);
    f.at = 3;
    run_fault(protocol, n, f, ST(CHI_E_PEER_LOST), true, late);
    f.kind = FAULT_WITHHOLD; /* or its own deadline ends it first */
    run_fault(protocol, n, f, ST(CHI_E_PEER_STALLED) | ST(CHI_E_PEER_LOST),
              true, late);
  }
}

static void rep3_framing(void) {
  all_faults(CHI_REP3, 3, 1, 0, 4); /* hello, products, tag, barrier */
  all_faults(CHI_REP3, 3, 0, 1, 3); /* hello, values, barrier */
}

static void shamir_framing(void) {
  all_faults(CHI_SHAMIR, 3, 2, 1, 4);
  all_faults(CHI_SHAMIR, 7, 6, 2, 3);
}

static void rep3_values(void) {
  fault f = {FAULT_NONCANON, 1, 0, 1, 16};
  run_fault(CHI_REP3, 3, f, ST(CHI_E_PROTOCOL), true, false);
  f = (fault){FAULT_NONCANON, 0, 1, 1, 80};
  run_fault(CHI_REP3, 3, f, ST(CHI_E_PROTOCOL), true, false);
  f = (fault){FAULT_FLIP, 0, 1, 1, 80}; /* an opened component */
  run_fault(CHI_REP3, 3, f, ST(CHI_E_CHECK), true, false);
  f = (fault){FAULT_FLIP, 1, 0, 2, 5}; /* a tag */
  run_fault(CHI_REP3, 3, f, ST(CHI_E_CHECK), true, false);
  f = (fault){FAULT_FLIP, 1, 0, 1, 8}; /* a product: the opening finds it */
  run_fault(CHI_REP3, 3, f, ST(CHI_E_CHECK) | ST(CHI_E_PEER_LOST), false,
            false);
  f = (fault){FAULT_FLIP, 1, 0, 0, 8}; /* the hello: party table's hash */
  run_fault(CHI_REP3, 3, f, ST(CHI_E_DISAGREE), true, false);
}

static void shamir_values(void) {
  for (unsigned n = 3; n <= 7; n++) {
    unsigned last = n >= 6 ? 3 : 2; /* the opening's frame */
    fault f = {FAULT_NONCANON, 2, 1, 1, 16};
    run_fault(CHI_SHAMIR, n, f, ST(CHI_E_PROTOCOL), true, false);
    f = (fault){FAULT_NONCANON, n - 1, 1, 1, 16};
    run_fault(CHI_SHAMIR, n, f, ST(CHI_E_PROTOCOL), true, false);
    unsigned from = 1; /* seeds 2 .., so party 0 gets explicit points */
    f = (fault){FAULT_FLIP, from, 0, 1, 0}; /* a product */
    run_fault(CHI_SHAMIR, n, f, ST(CHI_E_CHECK) | ST(CHI_E_PEER_LOST), false,
            false);
    f = (fault){FAULT_FLIP, from, 0, last, 8}; /* an opened point */
    run_fault(CHI_SHAMIR, n, f, ST(CHI_E_CHECK) | ST(CHI_E_PEER_LOST), false,
            false);
  }
}

/* Without a fault the same worlds give the right outputs. */
static void healthy(void) {
  fault none = {FAULT_NONE, 0, 0, 0, 0};
  run_fault(CHI_REP3, 3, none, ST(CHI_OK), false, false);
  for (unsigned n = 3; n <= 9; n++)
    run_fault(CHI_SHAMIR, n, none, ST(CHI_OK), false, false);
}

/* A party with a circuit of another hash: each of the others names it, or hears
 * from one that does. */
static void another_circuit(void) {
  chi_program other = program;
  other.hash[5] = 1;
  for (unsigned n = 3; n <= 6; n++) {
    world w = {.protocol = n == 3 ? CHI_REP3 : CHI_SHAMIR, .n = n,
               .program = &program, .odd_program = &other, .odd = 2,
               .finish = look, .deadline_ms = DEADLINE};
    left_secrets = not_sticky = 0;
    world_run(&w);
    unsigned named = 0;
    for (unsigned i = 0; i < n; i++) {
      chi_status st = w.result[i].status;
      CU_ASSERT(st == CHI_E_DISAGREE || st == CHI_E_PEER_LOST);
      CU_ASSERT_FALSE(w.result[i].outputs);
      if (i != 2 && st == CHI_E_DISAGREE) {
        named++;
        CU_ASSERT_EQUAL(w.result[i].culprit, 2);
        CU_ASSERT(strstr(w.result[i].detail, "the circuit") != NULL);
      }
    }
    CU_ASSERT(named >= 1);
    CU_ASSERT_EQUAL(left_secrets + not_sticky, 0);
  }
}

int main(void) {
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("faults", NULL, NULL);
  CU_add_test(s, "healthy", healthy);
  CU_add_test(s, "rep3: frames", rep3_framing);
  CU_add_test(s, "shamir: frames", shamir_framing);
  CU_add_test(s, "rep3: values", rep3_values);
  CU_add_test(s, "shamir: values", shamir_values);
  CU_add_test(s, "another circuit", another_circuit);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
