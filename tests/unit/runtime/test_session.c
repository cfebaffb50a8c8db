/* Inputs, outputs, told values, direct arithmetic, statuses and misuse;
 * streams. */
#include <CUnit/Basic.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "parties.h"

/* f(k: public i16, w: public wide, secret a: [3] from a client, secret b: [3]
 * from node 1) = a * b + k opened, w + 1, a shared, b told to an identity.
 * Words: k 0, w 1..17, a 18..23, b 24..29, z 30..35, opened 36..38,
 * w + 1 39..55 */
enum { K = 0, W = 1, A = 18, B = 24, Z = 30, O = 36, W1 = 39, WORDS = 56 };
enum { L = 3 };

static uint64_t told_to[CHI_WIDE_WORDS];

static int run(chi_gen *g) {
  uint64_t *w = chi_gen_words(g);
  int P = chi_gen_protocol(g);
  unsigned me = chi_gen_me(g);
  uint64_t one[CHI_WIDE_WORDS], k = chi_f_from_i64((int64_t)w[K]);
  if ((int64_t)w[K] == 13)
    return chi_gen_fail(g, 0);
  chi_gen_begin(g, L, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, Z, L, 0, L);
  for (uint64_t i = 0; i < L; i++) {
    uint64_t p = chi_pr_mul(P, chi_sh_ld(P, w + A, L, i),
                            chi_sh_ld(P, w + B, L, i));
    z[i] = chi_f_add(z[i], chi_pr_addp(P, me, p, k));
  }
  chi_gen_reduce_close_chunk(g);
  if (chi_gen_end(g))
    return 1;
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, O, Z, L);
  if (chi_gen_end(g))
    return 1;
  chi_wide_set_i64(one, 1);
  chi_wide_add(w + W1, w + W, one);
  return chi_gen_tell(g, 3, told_to, B, L);
}

static const chi_leaf inputs[] = {
    {"k", "i16", "", CHI_KIND_INT, 1, "-32768", "32767", K},
    {"w", "u256", "", CHI_KIND_WIDE, 1, "0",
     "115792089237316195423570985008687907853269984665640564039457584007913"
     "129639935",
     W},
    {"a", "i32", "[3]", CHI_KIND_SHARE, L, "-2147483648", "2147483647", A},
    {"b", "field", "[3]", CHI_KIND_SHARE, L, NULL, NULL, B}};
static const chi_leaf outputs[] = {
    {"r.0", "field", "[3]", CHI_KIND_FIELD, L, NULL, NULL, O},
    {"r.1", "u257", "", CHI_KIND_WIDE, 1, NULL, NULL, W1},
    {"r.2", "i32", "[3]", CHI_KIND_SHARE, L, NULL, NULL, A},
    {"r.3", "field", "[3]", CHI_KIND_TOLD, L, NULL, NULL, 0}};
static const chi_site sites[] = {
    {CHI_SITE_REQUIRE, "not thirteen", "f.chi", 3, 7}};
static const chi_program program = {
    .abi = CHI_ABI, .field = TEST_FIELD, .name = "f", .words = WORDS,
    .input = inputs, .n_input = 4, .output = outputs, .n_output = 4,
    .site = sites, .n_site = 1, .max_reduce_lanes = L, .max_open_lanes = L,
    .max_reduce_values = 1, .max_open_values = 1, .run = run};

static const int64_t va[L] = {-5, 7, 2147483647}, vb[L] = {11, -3, 1000003};

typedef struct setting {
  chi_protocol protocol;
  unsigned n;
  chi_identity *id[CHI_PARTIES_MAX], *holder;
  uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES], holder_key[CHI_KEY_BYTES];
  uint8_t session_id[CHI_SESSION_ID_BYTES];
  uint8_t *blob[CHI_PARTIES_MAX];
  size_t blob_bytes[CHI_PARTIES_MAX];
  uint8_t *told[CHI_PARTIES_MAX];
  size_t told_bytes[CHI_PARTIES_MAX];
  chi_sh share[L][CHI_PARTIES_MAX];
  int64_t k;
  unsigned odd_k; /* party with another k, or n */
  int bad;
  bool two_values; /* the client gives half of the nodes another value */
} setting;

static void open_setting(setting *t, chi_protocol protocol, unsigned n) {
  memset(t, 0, sizeof *t);
  t->protocol = protocol;
  t->n = t->odd_k = n;
  t->k = -100;
  randombytes_buf(t->session_id, sizeof t->session_id);
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL_FATAL(chi_identity_new(&t->id[i]), CHI_OK);
    chi_identity_public(t->id[i], t->key[i]);
  }
  CU_ASSERT_EQUAL_FATAL(chi_identity_new(&t->holder), CHI_OK);
  chi_identity_public(t->holder, t->holder_key);
  uint64_t limb[4] = {0};
  for (int i = 0; i < 32; i++)
    limb[(31 - i) / 8] |= (uint64_t)t->holder_key[i] << (8 * ((31 - i) % 8));
  chi_wide_set_limbs(told_to, 1, limb, 4);
}

static chi_client_run client_run(const setting *t) {
  chi_client_run r = {.protocol = t->protocol, .n = t->n, .field = TEST_FIELD,
                      .party_key = t->key};
  memcpy(r.session_id, t->session_id, sizeof r.session_id);
  return r;
}

static void give(setting *t, uint32_t input, bool two) {
  chi_client_run r = client_run(t);
  for (unsigned i = 0; i < t->n; i++) {
    t->blob_bytes[i] = chi_client_blob_bytes(&r, i, L);
    t->blob[i] = malloc(t->blob_bytes[i]);
  }
  CU_ASSERT_EQUAL_FATAL(chi_client_share(t->blob, &r, input, va, L), CHI_OK);
  if (two) { /* the last node gets its part of another sharing */
    uint8_t *b[CHI_PARTIES_MAX];
    for (unsigned i = 0; i < t->n; i++)
      b[i] = malloc(t->blob_bytes[i]);
    CU_ASSERT_EQUAL_FATAL(chi_client_share(b, &r, input, vb, L), CHI_OK);
    memcpy(t->blob[t->n - 1], b[t->n - 1], t->blob_bytes[t->n - 1]);
    for (unsigned i = 0; i < t->n; i++)
      free(b[i]);
  }
}

static void close_setting(setting *t) {
  for (unsigned i = 0; i < t->n; i++) {
    chi_identity_free(t->id[i]);
    free(t->blob[i]);
    free(t->told[i]);
  }
  chi_identity_free(t->holder);
}

static void expect(setting *t, chi_status got, chi_status want) {
  if (got != want)
    __atomic_add_fetch(&t->bad, 1, __ATOMIC_RELAXED);
}

static const char *const big =
    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

static void prepare(chi_session *s, void *user) {
  setting *t = user;
  static const char *const beyond[] = {
      "115792089237316195423570985008687907853269984665640564039457584007913"
      "129639936"};
  static const char *const junk[] = {"12x"};
  int64_t k = t->k + (s->me == t->odd_k), too_big = 40000;
  uint8_t *copy = malloc(t->blob_bytes[s->me]);
  if (!copy)
    abort();
  /* refused calls leave the session healthy */
  expect(t, chi_session_start(s), CHI_E_STATE);
  expect(t, chi_session_run(s), CHI_E_STATE);
  expect(t, chi_session_input_public(s, 0, &too_big, 1), CHI_E_RANGE);
  expect(t, chi_session_input_public(s, 2, &k, 1), CHI_E_ARG);
  expect(t, chi_session_input_public_text(s, 1, beyond, 1), CHI_E_RANGE);
  expect(t, chi_session_input_public_text(s, 1, junk, 1), CHI_E_ARG);
  memcpy(copy, t->blob[s->me], t->blob_bytes[s->me]);
  copy[60] ^= 1;
  expect(t, chi_session_input_sealed(s, 2, copy, t->blob_bytes[s->me]),
         CHI_E_INPUT);
  expect(t, chi_session_input_sealed(s, 3, t->blob[s->me],
                                     t->blob_bytes[s->me]),
         CHI_E_INPUT); /* sealed for input 2 */
  expect(t, chi_session_input_sealed(s, 2, t->blob[s->me],
                                     t->blob_bytes[s->me] - 1),
         CHI_E_INPUT);
  free(copy);
  expect(t, chi_session_input_public(s, 0, &k, 1), CHI_OK);
  expect(t, chi_session_input_public_text(s, 1, &big, 1), CHI_OK);
  expect(t, chi_session_input_sealed(s, 2, t->blob[s->me],
                                     t->blob_bytes[s->me]),
         CHI_OK);
  expect(t, chi_session_input_node(s, 3, 1, s->me == 1 ? vb : NULL, L),
         CHI_OK);
}

static void finish(chi_session *s, void *user) {
  setting *t = user;
  int64_t v[L];
  uint64_t a[L], b[L];
  char text[320];
  if (s->status) {
    expect(t, chi_session_output(s, 0, v, L), s->status);
    CU_ASSERT_EQUAL(chi_session_told_count(s), 0);
    return;
  }
  expect(t, chi_session_output(s, 0, v, L), CHI_OK);
  for (int i = 0; i < L; i++) {
    __extension__ typedef __int128 i128;
    i128 r = (i128)va[i] * vb[i] + t->k;
    r %= (i128)CHI_P;
    if (r < 0)
      r += (i128)CHI_P;
    expect(t, (chi_status)(v[i] == (int64_t)r), (chi_status)1);
  }
  expect(t, chi_session_output_text(s, 1, 0, text, sizeof text), CHI_OK);
  expect(t,
         (chi_status)strcmp(text, "11579208923731619542357098500868790785326998"
                                  "4665640564039457584007913129639936"),
         CHI_OK);
  expect(t, chi_session_output_text(s, 1, 0, text, 20), CHI_E_RANGE);
  expect(t, chi_session_output(s, 1, v, 1), CHI_E_RANGE);
  expect(t, chi_session_output(s, 2, v, L), CHI_E_ARG);
  expect(t, chi_session_output_share(s, 2, a, b, L), CHI_OK);
  for (int i = 0; i < L; i++)
    t->share[i][s->me] = (chi_sh){a[i], b[i]};
  uint8_t to[CHI_KEY_BYTES];
  uint32_t output;
  uint64_t lanes;
  const uint8_t *blob;
  size_t bytes;
  expect(t, (chi_status)chi_session_told_count(s), (chi_status)1);
  expect(t, chi_session_told(s, 0, to, &output, &lanes, &blob, &bytes),
         CHI_OK);
  expect(t, (chi_status)memcmp(to, t->holder_key, sizeof to), CHI_OK);
  t->told[s->me] = malloc(bytes);
  t->told_bytes[s->me] = bytes;
  memcpy(t->told[s->me], blob, bytes);
}

static world world_of(setting *t) {
  world w = {.protocol = t->protocol, .n = t->n, .program = &program,
             .prepare = prepare, .finish = finish, .user = t,
             .deadline_ms = 2000,
             .keys = (const uint8_t(*)[CHI_KEY_BYTES])t->key,
             .identity = (const chi_identity *const *)t->id};
  memcpy(w.session_id, t->session_id, sizeof w.session_id);
  return w;
}

static void whole(chi_protocol protocol, unsigned n) {
  setting t;
  open_setting(&t, protocol, n);
  give(&t, 2, false);
  world w = world_of(&t);
  world_run(&w);
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL(w.result[i].status, CHI_OK);
    CU_ASSERT(w.result[i].stats.setup_bytes_sent > 0);
    CU_ASSERT_EQUAL(w.result[i].stats.told_lanes, L);
  }
  CU_ASSERT_EQUAL(t.bad, 0);
  for (int i = 0; i < L; i++)
    CU_ASSERT_EQUAL(test_join(protocol, n, t.share[i]),
                    va[i] < 0 ? CHI_P - (uint64_t)-va[i] : (uint64_t)va[i]);
  chi_client_run r = client_run(&t);
  uint64_t got[L];
  CU_ASSERT_EQUAL(chi_client_open(got, L, NULL, &r, t.holder, 3,
                                  (const uint8_t *const *)t.told,
                                  t.told_bytes),
                  CHI_OK);
  for (int i = 0; i < L; i++)
    CU_ASSERT_EQUAL(got[i], vb[i] < 0 ? CHI_P - (uint64_t)-vb[i]
                                      : (uint64_t)vb[i]);
  close_setting(&t);
}

static void inputs_and_outputs(void) {
  whole(CHI_REP3, 3);
  for (unsigned n = 3; n <= 8; n++)
    whole(CHI_SHAMIR, n);
}

static void inconsistent_client(void) {
  for (unsigned n = 3; n <= 7; n++)
    for (int rep3 = 0; rep3 < (n == 3 ? 2 : 1); rep3++) {
      setting t;
      open_setting(&t, rep3 ? CHI_REP3 : CHI_SHAMIR, n);
      give(&t, 2, true);
      world w = world_of(&t);
      world_run(&w);
      unsigned named = 0;
      for (unsigned i = 0; i < n; i++) {
        CU_ASSERT(w.result[i].status == CHI_E_INPUT ||
                  w.result[i].status == CHI_E_PEER_LOST);
        CU_ASSERT_FALSE(w.result[i].outputs);
        if (w.result[i].status == CHI_E_INPUT) {
          named++;
          CU_ASSERT(strstr(w.result[i].detail, "'a'") != NULL);
        }
      }
      CU_ASSERT(named > 0);
      CU_ASSERT_EQUAL(t.bad, 0);
      close_setting(&t);
    }
}

static void public_inputs_differ(void) {
  setting t;
  open_setting(&t, CHI_REP3, 3);
  t.odd_k = 1;
  give(&t, 2, false);
  world w = world_of(&t);
  world_run(&w);
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT_FALSE(w.result[i].outputs);
  CU_ASSERT(w.result[0].status == CHI_E_DISAGREE ||
            w.result[2].status == CHI_E_DISAGREE);
  close_setting(&t);
}

static void failed_requirement(void) {
  setting t;
  open_setting(&t, CHI_SHAMIR, 5);
  t.k = 13;
  give(&t, 2, false);
  world w = world_of(&t);
  world_run(&w);
  for (unsigned i = 0; i < 5; i++) {
    CU_ASSERT_EQUAL(w.result[i].status, CHI_E_REQUIRE);
    CU_ASSERT_STRING_EQUAL(w.result[i].detail, "f.chi:3:7: not thirteen");
  }
  close_setting(&t);
}

/* ---- direct arithmetic ---- */

static int vec_bad;

static void vec_ok(bool ok) {
  if (!ok)
    __atomic_add_fetch(&vec_bad, 1, __ATOMIC_RELAXED);
}

static _Thread_local unsigned long drains;

static int count_drain(void *state, uint64_t deadline_ns) {
  (void)state, (void)deadline_ns;
  drains++;
  return 1;
}

static void direct(chi_session *s, void *user) {
  enum { M = 5000 };
  (void)user;
  chi_vec x = {0, 0}, y = x, z = x, d = x, big_one;
  uint64_t *vx = malloc(M * 8), *vy = malloc(M * 8), *r = malloc(M * 8), dot;
  uint64_t seed = 9, sum = 0;
  if (!vx || !vy || !r)
    abort();
  for (int i = 0; i < M; i++) {
    vx[i] = test_element(&seed);
    vy[i] = test_element(&seed);
    __extension__ typedef unsigned __int128 u128;
    sum = (uint64_t)((sum + (u128)vx[i] * vy[i]) % CHI_P);
  }
  vec_ok(!chi_vec_new(s, &x, M) && !chi_vec_new(s, &y, M) &&
         !chi_vec_new(s, &z, M) && !chi_vec_new(s, &d, 1));
  vec_ok(chi_vec_new(s, &big_one, 1000000) == CHI_E_LIMIT);
  vec_ok(!chi_share(s, x, 0, s->me == 0 ? vx : NULL));
  vec_ok(!chi_share(s, y, s->n - 1, s->me == s->n - 1 ? vy : NULL));
  vec_ok(!chi_exchange(s));
  vec_ok(!chi_mul(s, z, x, y) && !chi_dot(s, d, x, y));
  vec_ok(!chi_exchange(s));
  vec_ok(!chi_vec_add(s, z, z, x) && !chi_vec_sub(s, z, z, y));
  const uint64_t c[] = {3, 7};
  vec_ok(!chi_vec_scale(s, z, z, c) && !chi_vec_shift(s, z, z, c + 1));
  vec_ok(!chi_open(s, r, z) && !chi_open(s, &dot, d));
  vec_ok(!chi_exchange(s));
  const chi_transport_ops *own = s->tr.ops;
  chi_transport_ops counting = *own;
  counting.drain = count_drain;
  s->tr.ops = &counting;
  drains = 0;
  for (unsigned p = 0; p < s->n; p++) { /* to each node alone */
    chi_stats before, after;
    uint64_t *v = malloc(M * 8);
    chi_session_stats(s, &before);
    vec_ok(v && !chi_open_to(s, p, p == s->me ? v : NULL, z) &&
           !chi_exchange(s));
    chi_session_stats(s, &after);
    uint64_t sent = 8 * M;
    if (s->proto->id == CHI_REP3 && s->me == (p + 1) % 3)
      sent = 16; /* the tag */
    vec_ok(after.rounds == before.rounds + 1);
    vec_ok(after.bytes_sent - before.bytes_sent == (p == s->me ? 0 : sent));
    if (p == s->me)
      vec_ok(memcmp(v, r, M * 8) == 0);
    free(v);
  }
  vec_ok(drains == s->n); /* no round leaves bytes in the transport */
  s->tr.ops = own;
  for (int i = 0; i < M; i++) {
    __extension__ typedef unsigned __int128 u128;
    u128 v = (u128)vx[i] * vy[i] % CHI_P + vx[i] + CHI_P - vy[i];
    vec_ok(r[i] == (uint64_t)((v % CHI_P * 3 + 7) % CHI_P));
  }
  vec_ok(dot == sum);
  for (unsigned k = 0; k < 64; k++)
    vec_ok(!chi_open(s, r, d));
  vec_ok(chi_open(s, r, d) == CHI_E_LIMIT);
  vec_ok(!chi_exchange(s));
  free(vx);
  free(vy);
  free(r);
}

static void vectors(void) {
  vec_bad = 0;
  for (unsigned n = 3; n <= 7; n++)
    for (int rep3 = 0; rep3 < (n == 3 ? 2 : 1); rep3++) {
      world w = {.protocol = rep3 ? CHI_REP3 : CHI_SHAMIR, .n = n,
                 .before_run = direct, .vec_words = 40000};
      world_run(&w);
      for (unsigned i = 0; i < n; i++)
        CU_ASSERT_EQUAL(w.result[i].status, CHI_OK);
    }
  CU_ASSERT_EQUAL(vec_bad, 0);
}

/* ---- misuse, statuses ---- */

static jmp_buf back;
static const char *misused;

static void caught(const char *function, const char *what) {
  (void)function;
  misused = what;
  longjmp(back, 1);
}

static void misuse(void) {
  chi_session *s = NULL;
  chi_set_misuse_hook(caught);
  if (setjmp(back) == 0) {
    (void)!chi_session_new(&s, NULL, NULL, NULL);
    CU_FAIL("no misuse");
  }
  CU_ASSERT_PTR_NOT_NULL(misused);
  chi_set_misuse_hook(NULL);
  CU_ASSERT_STRING_EQUAL(chi_status_name(CHI_E_PEER_LOST), "E_PEER_LOST");
  CU_ASSERT_STRING_EQUAL(chi_status_name((chi_status)99), "E_UNNAMED");
  static const chi_status all[] = {
#define NAME(name, value, spelling, text) name,
      CHI_STATUS_MAP(NAME)
#undef NAME
  };
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    CU_ASSERT_EQUAL((unsigned)all[i], i); /* dense, pinned */
}

static void configurations(void) {
  static const uint8_t keys[4][CHI_KEY_BYTES];
  chi_program p = program;
  chi_session_config good = {.protocol = CHI_REP3, .n = 3, .party_key = keys};
  for (int k = 0; k < 6; k++) {
    chi_transport tr[4];
    chi_session *s;
    chi_session_config cfg = good;
    p = program;
    if (k == 0)
      cfg.n = 4;
    if (k == 1)
      cfg.me = 3;
    if (k == 2)
      cfg.protocol = (chi_protocol)9;
    if (k == 3)
      p.abi = CHI_ABI + 1;
    if (k == 4)
      p.field = (chi_field){31, 0, NULL};
    if (k == 5)
      cfg.party_key = NULL;
    CU_ASSERT_EQUAL_FATAL(chi_mem_new(tr, 4), CHI_OK);
    CU_ASSERT_EQUAL(chi_session_new(&s, &tr[0], &cfg, &p), CHI_E_ARG);
    CU_ASSERT_PTR_NULL(s);
    for (unsigned i = 1; i < 4; i++)
      tr[i].ops->close(tr[i].state);
  }
}

/* ---- streams ---- */

static void streams(void) {
  enum { COUNT = 1 << 16, BINS = 256 };
  uint8_t key[32] = {7};
  chii_prg a, b;
  chii_field f;
  CU_ASSERT_EQUAL_FATAL(chii_field_of(&f, &(chi_field)TEST_FIELD, true),
                        CHI_OK);
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  CU_ASSERT_FATAL(chii_prg_init(&a, key, 0, 1, CHII_REDUCE));
  CU_ASSERT_FATAL(chii_prg_init(&b, key, 0, 1, CHII_REDUCE));
  uint64_t *x = malloc(COUNT * 8), *y = malloc(COUNT * 8);
  if (!x || !y)
    abort();
  CU_ASSERT(chii_prg_fill(&f, &a, x, 0, COUNT));
  /* any cut into pieces gives the same elements, odd ones at the end too */
  uint64_t seed = 5;
  for (size_t at = 0; at < COUNT;) {
    size_t n = (size_t)chii_min(2 + 2 * (test_random(&seed) % 1500),
                                COUNT - at);
    CU_ASSERT_FATAL(chii_prg_fill(&f, &b, y + at, at, n - 1));
    CU_ASSERT_FATAL(
        chii_prg_fill(&f, &b, y + at + n - 2, at + n - 2, 2));
    at += n;
  }
  CU_ASSERT_EQUAL(memcmp(x, y, COUNT * 8), 0);
  /* and going back gives them again */
  CU_ASSERT(chii_prg_fill(&f, &a, y, 100, 51));
  CU_ASSERT_EQUAL(memcmp(y, x + 100, 51 * 8), 0);
  /* chi-square on the top byte and on the bottom byte of an element: 255
   * degrees of freedom, mean 255, deviation 22.6 */
  for (int shift = 0; shift <= 53; shift += 53) {
    double chi = 0;
    long bin[BINS] = {0};
    for (size_t i = 0; i < COUNT; i++)
      bin[x[i] >> shift & 255]++;
    for (int i = 0; i < BINS; i++) {
      double d = (double)bin[i] - COUNT / BINS;
      chi += d * d / (COUNT / BINS);
    }
    CU_ASSERT(chi > 255 - 6 * 22.6 && chi < 255 + 6 * 22.6);
  }
  for (size_t i = 0; i < COUNT; i++)
    CU_ASSERT_FATAL(x[i] < CHI_P);
  /* other directions and purposes are other streams */
  CU_ASSERT_FATAL(chii_prg_init(&b, key, 1, 0, CHII_REDUCE));
  CU_ASSERT(chii_prg_fill(&f, &b, y, 0, 64));
  CU_ASSERT_NOT_EQUAL(memcmp(x, y, 64 * 8), 0);
  CU_ASSERT_FATAL(chii_prg_init(&b, key, 0, 1, CHII_INPUT));
  CU_ASSERT(chii_prg_fill(&f, &b, y, 0, 64));
  CU_ASSERT_NOT_EQUAL(memcmp(x, y, 64 * 8), 0);
  chii_prg_fini(&a);
  chii_prg_fini(&b);
  free(x);
  free(y);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("session", NULL, NULL);
  CU_add_test(s, "inputs and outputs", inputs_and_outputs);
  CU_add_test(s, "a client with two values", inconsistent_client);
  CU_add_test(s, "public inputs differ", public_inputs_differ);
  CU_add_test(s, "a failed requirement", failed_requirement);
  CU_add_test(s, "vectors", vectors);
  CU_add_test(s, "misuse and statuses", misuse);
  CU_add_test(s, "configurations", configurations);
  CU_add_test(s, "streams", streams);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
