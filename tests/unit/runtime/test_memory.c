/* Memory of a session: nothing is allocated in a round; every allocation fails
 * once, in chi_session_new and in chi_session_start, and nothing leaks; an
 * input that finds no memory is refused.
 *
 * Two counters: calls of the session's hook, and of OpenSSL's allocator by the
 * party's own thread.
 */
#include <CUnit/Basic.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

/* f(a from a client, b from node 1): z = a * b; z * z; both opened, in three
 * exchanges, one of which has both.  Words: a, b, z, z * z of two planes, then
 * the opened ones. */
enum { L = CHI_GEN_CHUNK + 905 }; /* two chunks */
enum { A = 0, B = 2 * L, Z = 4 * L, Q = 6 * L, OZ = 8 * L, OQ = 9 * L };
enum { WORDS = 10 * L, NODES = 7 };

static void reduce(chi_gen *g, uint64_t dst, uint64_t x, uint64_t y) {
  uint64_t *w = chi_gen_words(g);
  int P = chi_gen_protocol(g);
  for (uint64_t off = 0; off < L; off += CHI_GEN_CHUNK) {
    uint64_t n = chii_min(CHI_GEN_CHUNK, L - off);
    uint64_t *z = chi_gen_reduce_open_chunk(g, dst, L, off, n);
    for (uint64_t i = 0; i < n; i++)
      z[i] = chi_f_add(z[i], chi_pr_mul(P, chi_sh_ld(P, w + x, L, off + i),
                                        chi_sh_ld(P, w + y, L, off + i)));
    chi_gen_reduce_close_chunk(g);
  }
}

static int run(chi_gen *g) {
  chi_gen_begin(g, L, 0);
  reduce(g, Z, A, B);
  if (chi_gen_end(g))
    return 1;
  chi_gen_begin(g, L, L);
  reduce(g, Q, Z, Z);
  chi_gen_open(g, OZ, Z, L);
  if (chi_gen_end(g))
    return 1;
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, OQ, Q, L);
  return chi_gen_end(g);
}

static const chi_leaf inputs[] = {
    {"a", "field", "[5001]", CHI_KIND_SHARE, L, NULL, NULL, A},
    {"b", "field", "[5001]", CHI_KIND_SHARE, L, NULL, NULL, B}};
static const chi_leaf outputs[] = {
    {"z", "field", "[5001]", CHI_KIND_FIELD, L, NULL, NULL, OZ},
    {"q", "field", "[5001]", CHI_KIND_FIELD, L, NULL, NULL, OQ}};
static const chi_program program = {
    .abi = CHI_ABI, .field = TEST_FIELD, .name = "f", .words = WORDS,
    .input = inputs, .n_input = 2, .output = outputs, .n_output = 2,
    .max_reduce_lanes = L, .max_open_lanes = L, .max_reduce_values = 1,
    .max_open_values = 1, .max_bit_values = 3, .run = run};

/* ---- counters ---- */

typedef struct counter {
  long live, calls, fail_at; /* fail_at 0: never */
} counter;

static void *counted_alloc(void *user, size_t bytes) {
  counter *c = user;
  if (++c->calls == c->fail_at)
    return NULL;
  void *p = malloc(bytes);
  c->live += p != NULL;
  return p;
}

static void counted_free(void *user, void *p) {
  counter *c = user;
  c->live--;
  free(p);
}

static _Thread_local long ssl_calls, ssl_fail_at;

static void *ssl_malloc(size_t bytes, const char *file, int line) {
  (void)file;
  (void)line;
  return ++ssl_calls == ssl_fail_at ? NULL : malloc(bytes);
}

static void *ssl_realloc(void *p, size_t bytes, const char *file, int line) {
  (void)file;
  (void)line;
  return ++ssl_calls == ssl_fail_at ? NULL : realloc(p, bytes);
}

static void ssl_free(void *p, const char *file, int line) {
  (void)file;
  (void)line;
  free(p);
}

/* ---- a run ---- */

typedef struct party {
  counter hook;
  long fail_in_start; /* of the hook's calls from chi_session_start on; 0 */
  long ssl_fail_in_start;
  long hook_at_start, ssl_at_start; /* calls so far when it had ended */
  long hook_in_run, ssl_in_run;
  long started_with, ssl_started_with; /* calls before it */
  long live_before, live_after;        /* it */
  bool sticky, right, refused;
} party;

typedef struct setting {
  chi_protocol protocol;
  unsigned n;
  chi_identity *id[NODES];
  uint8_t key[NODES][CHI_KEY_BYTES], session_id[CHI_SESSION_ID_BYTES];
  uint8_t *blob[NODES];
  size_t blob_bytes[NODES];
  int64_t a[L], b[L];
  party party[NODES];
  chi_alloc mem[NODES];
} setting;

static setting *open_setting(chi_protocol protocol, unsigned n) {
  setting *t = calloc(1, sizeof *t);
  uint64_t seed = n;
  if (!t)
    abort();
  t->protocol = protocol;
  t->n = n;
  chi_client_run r = {.protocol = protocol, .n = n, .field = TEST_FIELD,
                      .party_key = (const uint8_t(*)[CHI_KEY_BYTES])t->key};
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL_FATAL(chi_identity_new(&t->id[i]), CHI_OK);
    chi_identity_public(t->id[i], t->key[i]);
    t->blob_bytes[i] = chi_client_blob_bytes(&r, i, L);
    if (!(t->blob[i] = malloc(t->blob_bytes[i])))
      abort();
  }
  for (unsigned l = 0; l < L; l++) {
    t->a[l] = (int64_t)(test_element(&seed) >> 31);
    t->b[l] = (int64_t)(test_element(&seed) >> 31);
  }
  CU_ASSERT_EQUAL_FATAL(chi_client_share(t->blob, &r, 0, t->a, L), CHI_OK);
  return t;
}

static void close_setting(setting *t) {
  for (unsigned i = 0; i < t->n; i++) {
    chi_identity_free(t->id[i]);
    free(t->blob[i]);
  }
  free(t);
}

/* Inputs without memory are refused, and that is all. */
static bool refuses(chi_session *s, setting *t) {
  counter *c = &t->party[s->me].hook;
  const int64_t *b = s->me == 1 ? t->b : NULL;
  bool ok = true;
  c->fail_at = c->calls + 1;
  ok &= chi_session_input_sealed(s, 0, t->blob[s->me],
                                 t->blob_bytes[s->me]) == CHI_E_NOMEM;
  if (b) {
    c->fail_at = c->calls + 1;
    ok &= chi_session_input_node(s, 1, 1, b, L) == CHI_E_NOMEM;
  }
  if (t->protocol == CHI_REP3) { /* expands seeds */
    ssl_fail_at = ssl_calls + 1;
    ok &= chi_session_input_sealed(s, 0, t->blob[s->me],
                                   t->blob_bytes[s->me]) == CHI_E_CRYPTO;
  }
  return ok && s->status == CHI_OK;
}

static void prepare(chi_session *s, void *user) {
  setting *t = user;
  party *p = &t->party[s->me];
  p->refused = refuses(s, t);
  if (chi_session_input_sealed(s, 0, t->blob[s->me], t->blob_bytes[s->me]) ||
      chi_session_input_node(s, 1, 1, s->me == 1 ? t->b : NULL, L))
    abort();
  p->started_with = p->hook.calls;
  p->live_before = p->hook.live;
  p->ssl_started_with = ssl_calls;
  if (p->fail_in_start)
    p->hook.fail_at = p->hook.calls + p->fail_in_start;
  if (p->ssl_fail_in_start)
    ssl_fail_at = ssl_calls + p->ssl_fail_in_start;
}

static void started(chi_session *s, void *user) {
  party *p = &((setting *)user)->party[s->me];
  p->hook_at_start = p->hook.calls;
  p->live_after = p->hook.live;
  p->ssl_at_start = ssl_calls;
}

/* Outputs are right, or every call says the same. */
static void finish(chi_session *s, void *user) {
  setting *t = user;
  party *p = &t->party[s->me];
  chi_status st = s->status;
  int64_t v;
  p->hook_in_run = p->hook.calls - p->hook_at_start;
  p->ssl_in_run = ssl_calls - p->ssl_at_start;
  p->sticky = st && chi_session_start(s) == st && chi_session_run(s) == st &&
              chi_session_output(s, 0, &v, 1) == st &&
              chi_session_input_public(s, 0, &v, 1) == st &&
              chi_session_status(s) == st && chi_session_told_count(s) == 0;
  p->right = !st;
  for (unsigned l = 0; l < L && !st; l++) {
    __extension__ typedef unsigned __int128 u128;
    u128 z = (u128)t->a[l] * (u128)t->b[l] % CHI_P;
    p->right = p->right && s->w[OZ + l] == z && s->w[OQ + l] == z * z % CHI_P;
  }
}

static void run_all(setting *t, world *w) {
  for (unsigned i = 0; i < t->n; i++)
    t->mem[i] = (chi_alloc){counted_alloc, counted_free, &t->party[i].hook};
  *w = (world){.protocol = t->protocol, .n = t->n, .program = &program,
               .prepare = prepare, .before_run = started, .finish = finish,
               .user = t, .deadline_ms = 5000, .alloc = t->mem,
               .keys = (const uint8_t(*)[CHI_KEY_BYTES])t->key,
               .identity = (const chi_identity *const *)t->id};
  world_run(w);
}

/* ---- tests ---- */

static void rounds(chi_protocol protocol, unsigned n) {
  setting *t = open_setting(protocol, n);
  world w;
  run_all(t, &w);
  for (unsigned i = 0; i < n; i++) {
    const party *p = &t->party[i];
    CU_ASSERT_EQUAL(w.result[i].status, CHI_OK);
    CU_ASSERT_EQUAL(w.result[i].stats.reduced_lanes, 2 * L);
    CU_ASSERT_EQUAL(w.result[i].stats.opened_lanes, 2 * L);
    CU_ASSERT(p->right);
    CU_ASSERT(p->refused);
    CU_ASSERT_EQUAL(p->hook_in_run, 0);
    CU_ASSERT_EQUAL(p->ssl_in_run, 0);
    CU_ASSERT_EQUAL(p->hook.live, 0);
    /* the start keeps nothing, and the dealer's values have left */
    CU_ASSERT_EQUAL(p->live_after, p->live_before - (i == 1));
    /* and the counters count */
    CU_ASSERT(p->hook_at_start > p->started_with && p->started_with > 0);
    CU_ASSERT(p->ssl_at_start > p->ssl_started_with);
  }
  close_setting(t);
}

static void rounds_allocate_nothing(void) {
  rounds(CHI_REP3, 3);
  rounds(CHI_SHAMIR, 3);
  rounds(CHI_SHAMIR, 7);
}

/* Call number `at` of chi_session_new fails, for every at. */
static void new_fails(void) {
  static const uint8_t keys[NODES][CHI_KEY_BYTES];
  for (unsigned n = 3; n <= NODES; n += 2)
    for (int rep3 = 0; rep3 < (n == 3 ? 2 : 1); rep3++)
      for (long at = 1;; at++) {
        chi_transport tr[NODES];
        counter c = {0, 0, at};
        chi_alloc mem = {counted_alloc, counted_free, &c};
        chi_session_config cfg = {
            .protocol = rep3 ? CHI_REP3 : CHI_SHAMIR, .n = n,
            .party_key = keys, .alloc = &mem};
        chi_session *s;
        CU_ASSERT_EQUAL_FATAL(chi_mem_new(tr, n), CHI_OK);
        for (unsigned i = 1; i < n; i++)
          tr[i].ops->close(tr[i].state);
        chi_status st = chi_session_new(&s, &tr[0], &cfg, &program);
        if (st == CHI_OK) {
          CU_ASSERT(c.calls < at);
          chi_session_free(s);
        } else {
          CU_ASSERT_EQUAL(st, CHI_E_NOMEM);
          CU_ASSERT_PTR_NULL(s);
        }
        CU_ASSERT_EQUAL_FATAL(c.live, 0);
        if (st == CHI_OK)
          break;
        CU_ASSERT_FATAL(at < 1000);
      }
}

/* One run in which call number `at` of party `who`'s chi_session_start fails
 * (0: none): of the hook, or of OpenSSL.  How many calls that start made; did
 * it fail?  A party that failed says so for ever, and no memory is left. */
static long start_once(chi_protocol protocol, unsigned n, unsigned who,
                       bool ssl, long at, bool *failed) {
  setting *t = open_setting(protocol, n);
  party *p = &t->party[who];
  world w;
  *(ssl ? &p->ssl_fail_in_start : &p->fail_in_start) = at;
  run_all(t, &w);
  chi_status st = w.result[who].status;
  *failed = st != CHI_OK;
  if (st) {
    CU_ASSERT_EQUAL(st, ssl ? CHI_E_CRYPTO : CHI_E_NOMEM);
    CU_ASSERT_EQUAL(w.result[who].culprit, -1);
    CU_ASSERT(w.result[who].detail[0] != 0);
  }
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL(t->party[i].hook.live, 0);
    CU_ASSERT_EQUAL(w.result[i].outputs, st == CHI_OK);
    CU_ASSERT(st ? t->party[i].sticky : t->party[i].right);
  }
  long calls = ssl ? p->ssl_at_start - p->ssl_started_with
                   : p->hook_at_start - p->started_with;
  close_setting(t);
  return calls;
}

/* Every call fails once.  How many of the runs failed; `calls` at most. */
static long start_fails(chi_protocol protocol, unsigned n, unsigned who,
                        bool ssl, long *calls) {
  bool failed;
  long count = 0;
  *calls = start_once(protocol, n, who, ssl, 0, &failed);
  CU_ASSERT_FALSE(failed);
  CU_ASSERT(*calls > 0 && *calls < 1000);
  for (long at = 1; at <= *calls && at < 1000; at++) {
    (void)start_once(protocol, n, who, ssl, at, &failed);
    count += failed;
  }
  return count;
}

static void start_without(bool ssl) {
  static const struct {
    chi_protocol protocol;
    unsigned n, who;
  } run_of[] = {{CHI_REP3, 3, 0}, {CHI_SHAMIR, 3, 1}, {CHI_SHAMIR, 7, 6}};
  for (unsigned k = 0; k < sizeof run_of / sizeof *run_of; k++) {
    long calls, failed = start_fails(run_of[k].protocol, run_of[k].n,
                                     run_of[k].who, ssl, &calls);
    /* OpenSSL may do without some of its own, in caches */
    CU_ASSERT(ssl ? failed > 0 : failed == calls);
  }
}

static void start_fails_in_hook(void) { start_without(false); }
static void start_fails_in_openssl(void) { start_without(true); }

int main(void) {
  if (CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) != 1 ||
      sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("memory", NULL, NULL);
  CU_add_test(s, "a round allocates nothing", rounds_allocate_nothing);
  CU_add_test(s, "chi_session_new without memory", new_fails);
  CU_add_test(s, "chi_session_start without memory", start_fails_in_hook);
  CU_add_test(s, "chi_session_start, OpenSSL without memory",
              start_fails_in_openssl);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
