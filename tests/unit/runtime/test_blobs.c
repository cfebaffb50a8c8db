/* What a client's blobs tell the nodes, exactly: over a tiny prime every output
 * of the client's seeds is one lane.  The opened blobs of any t nodes, byte by
 * byte, must be distributed alike for every input.
 *
 * Blobs go the whole way: chi_client_share, then chi_unseal with the node's
 * identity.  Seeds are told apart by their bytes, so that a seed in a blob
 * where it does not belong is seen.
 *
 * Negative controls: without randomness, or with one seed used twice, the same
 * counts must differ.
 */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "parties.h"

enum { INPUT = 5, COLUMNS = 4, NODES = 6 };

typedef enum { FRESH, DROPPED, REUSED } mask_mode;
static mask_mode mode;

static uint64_t digit(uint64_t lane, unsigned d) {
  while (d--)
    lane /= CHI_P;
  return lane % CHI_P;
}

/* ---- the client's randomness ---- */

static unsigned draws, expansions; /* calls of the two below */
static uint8_t drawn[2 * CHII_SEED_BYTES]; /* by the first call */
static uint64_t draw_state;

static void draw(void *const buf, const size_t bytes) {
  uint8_t *p = buf;
  for (size_t i = 0; i < bytes; i++)
    p[i] = (uint8_t)test_random(&draw_state);
  if (draws++ == 0)
    memcpy(drawn, buf, bytes < sizeof drawn ? bytes : sizeof drawn);
}

static uint32_t draw_word(void) {
  uint32_t v;
  draw(&v, sizeof v);
  return v;
}

static const char *draw_name(void) { return "test"; }

static struct randombytes_implementation test_draws = {
    .implementation_name = draw_name, .random = draw_word, .buf = draw};

static bool is_rep3;
static unsigned degree;

/* rep3: expansion k is digit k of the lane; shamir: expansion k covers lanes
 * k * block on, coefficient after coefficient. */
static bool expand(void *user, unsigned holder, unsigned from, unsigned to,
                   unsigned purpose, uint64_t *out, uint64_t index, size_t n) {
  (void)user;
  (void)holder;
  if (from || to || purpose != CHII_INPUT || index)
    abort(); /* not the expansion of a seed */
  size_t block = is_rep3 ? n : n / degree;
  for (size_t j = 0; j < n; j++) {
    uint64_t lane = is_rep3 ? j : expansions * block + j % block;
    unsigned d = is_rep3 ? expansions : (unsigned)(j / block);
    out[j] = mode == DROPPED  ? 0
             : mode == REUSED ? digit(lane, 0)
                              : digit(lane, d);
  }
  expansions++;
  return true;
}

/* ---- reading and counting ---- */

typedef struct setting {
  chi_protocol protocol;
  unsigned n, t;
  size_t lanes;
  chi_client_run run;
  chi_identity *id[NODES];
  uint8_t key[NODES][CHI_KEY_BYTES];
  uint8_t *plain[NODES], *first[NODES]; /* this input's; the first input's */
  size_t bytes[NODES];
} setting;

typedef struct column {
  const uint8_t *word; /* one a lane, or NULL: a digit of the lane */
  unsigned digit;
} column;

typedef struct view {
  column col[COLUMNS];
  unsigned n;
} view;

static uint64_t cell(column c, uint64_t lane) {
  return c.word ? chii_get64(c.word + 8 * lane) : digit(lane, c.digit);
}

static void see_seed(view *v, const uint8_t *seed) {
  for (unsigned d = 0; d < 2; d++)
    if (memcmp(seed, drawn + d * CHII_SEED_BYTES, CHII_SEED_BYTES) == 0) {
      v->col[v->n++] = (column){NULL, mode == REUSED ? 0 : d};
      return;
    }
  CU_FAIL_FATAL("32 bytes of a blob are none of the client's seeds");
}

static void see_words(view *v, const uint8_t *words) {
  v->col[v->n++] = (column){words, 0};
}

/* All of a node's blob behind its head; format.h. */
static void see_blob(view *v, const setting *s, unsigned node) {
  const uint8_t *body = s->plain[node] + CHII_BLOB_HEAD;
  size_t left = s->bytes[node] - CHII_BLOB_HEAD;
  if (s->protocol == CHI_SHAMIR) {
    CU_ASSERT_EQUAL_FATAL(left, 8 * s->lanes);
    see_words(v, body);
    return;
  }
  CU_ASSERT_EQUAL_FATAL(left, node == 0 ? 2 * CHII_SEED_BYTES
                                        : CHII_SEED_BYTES + 8 * s->lanes);
  if (node == 2)
    see_words(v, body);
  see_seed(v, node == 2 ? body + 8 * s->lanes : body);
  if (node == 0)
    see_seed(v, body + CHII_SEED_BYTES);
  if (node == 1)
    see_words(v, body + CHII_SEED_BYTES);
}

static uint32_t *count(const view *v, uint64_t lanes, size_t *bins) {
  *bins = 1;
  for (unsigned c = 0; c < v->n; c++)
    *bins *= CHI_P;
  uint32_t *h = calloc(*bins, sizeof *h);
  if (!h)
    abort();
  for (uint64_t l = 0; l < lanes; l++) {
    size_t at = 0;
    for (unsigned c = 0; c < v->n; c++) {
      uint64_t x = cell(v->col[c], l);
      if (x >= CHI_P)
        abort();
      at = at * CHI_P + x;
    }
    h[at]++;
  }
  return h;
}

/* ---- runs ---- */

static void open_setting(setting *s, chi_protocol protocol, unsigned n) {
  *s = (setting){.protocol = protocol, .n = n, .t = (n + 1) / 2 - 1,
                 .lanes = protocol == CHI_REP3 ? 49 : 343}; /* two blocks */
  s->run = (chi_client_run){
      .protocol = protocol, .n = n, .session_id = {9}, .field = TEST_FIELD,
      .party_key = (const uint8_t(*)[CHI_KEY_BYTES])s->key};
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL_FATAL(chi_identity_new(&s->id[i]), CHI_OK);
    chi_identity_public(s->id[i], s->key[i]);
    s->bytes[i] = chi_client_blob_bytes(&s->run, i, s->lanes) -
                  CHI_SEAL_BYTES;
    s->plain[i] = malloc(s->bytes[i]);
    s->first[i] = malloc(s->bytes[i]);
    if (!s->plain[i] || !s->first[i])
      abort();
  }
  is_rep3 = protocol == CHI_REP3;
  degree = s->t;
}

static void close_setting(setting *s) {
  for (unsigned i = 0; i < s->n; i++) {
    chi_identity_free(s->id[i]);
    free(s->plain[i]);
    free(s->first[i]);
  }
}

/* Shares `secret` in all lanes; the nodes open their blobs. */
static void give(setting *s, uint64_t secret) {
  uint8_t *box[NODES];
  int64_t values[343];
  for (size_t l = 0; l < s->lanes; l++)
    values[l] = (int64_t)secret;
  for (unsigned i = 0; i < s->n; i++)
    if (!(box[i] = malloc(s->bytes[i] + CHI_SEAL_BYTES)))
      abort();
  draws = expansions = 0;
  chii_test_prg = expand;
  randombytes_set_implementation(&test_draws);
  CU_ASSERT_EQUAL_FATAL(chi_client_share(box, &s->run, INPUT, values, s->lanes),
                        CHI_OK);
  randombytes_set_implementation(&randombytes_sysrandom_implementation);
  chii_test_prg = NULL;
  /* one fresh seed an expansion; each box draws one key more */
  CU_ASSERT_EQUAL(expansions, 2);
  CU_ASSERT_EQUAL(draws, (is_rep3 ? 1 : 2) + s->n);
  for (unsigned i = 0; i < s->n; i++) {
    CU_ASSERT_EQUAL_FATAL(chi_unseal(s->plain[i], s->id[i], box[i],
                                     s->bytes[i] + CHI_SEAL_BYTES),
                          CHI_OK);
    free(box[i]);
  }
}

/* Are the blobs shares of `secret` in every lane? */
static bool joins(const setting *s, uint64_t secret) {
  for (uint64_t l = 0; l < s->lanes; l++) {
    chi_sh sh[NODES];
    for (unsigned i = 0; i < s->n; i++) {
      view v = {.n = 0};
      see_blob(&v, s, i);
      sh[i] = (chi_sh){cell(v.col[0], l), v.n > 1 ? cell(v.col[1], l) : 0};
    }
    if (test_join(s->protocol, s->n, sh) != secret)
      return false;
  }
  return true;
}

/* All coalitions of t nodes, all secrets: how many views differ. */
static unsigned views(chi_protocol protocol, unsigned n, mask_mode m) {
  setting s;
  unsigned differ = 0;
  uint32_t *ref[NODES][NODES] = {{NULL}};
  mode = m;
  open_setting(&s, protocol, n);
  for (uint64_t secret = 0; secret < CHI_P; secret++) {
    give(&s, secret);
    if (m != DROPPED)
      CU_ASSERT(joins(&s, secret));
    for (unsigned i = 0; i < n; i++) {
      if (secret == 0)
        memcpy(s.first[i], s.plain[i], CHII_BLOB_HEAD);
      differ += memcmp(s.first[i], s.plain[i], CHII_BLOB_HEAD) != 0;
      for (unsigned j = i; j < n; j++) {
        size_t bins;
        view v = {.n = 0};
        if ((s.t == 1) != (i == j))
          continue;
        see_blob(&v, &s, i);
        if (j != i)
          see_blob(&v, &s, j);
        uint32_t *h = count(&v, s.lanes, &bins);
        if (!ref[i][j]) {
          ref[i][j] = h;
          continue;
        }
        differ += memcmp(ref[i][j], h, bins * sizeof *h) != 0;
        free(h);
      }
    }
  }
  for (unsigned i = 0; i < n; i++)
    for (unsigned j = 0; j < n; j++)
      free(ref[i][j]);
  close_setting(&s);
  return differ;
}

static void fresh(void) {
  CU_ASSERT_EQUAL(views(CHI_REP3, 3, FRESH), 0);
  for (unsigned n = 3; n <= NODES; n++)
    CU_ASSERT_EQUAL(views(CHI_SHAMIR, n, FRESH), 0);
}

/* Six of seven secrets differ from the first; rep3's node 0 has seeds alone,
 * and they are the same for all. */
static void dropped(void) {
  CU_ASSERT_EQUAL(views(CHI_REP3, 3, DROPPED), 6 * 2);
  CU_ASSERT_EQUAL(views(CHI_SHAMIR, 3, DROPPED), 6 * 3);
  CU_ASSERT_EQUAL(views(CHI_SHAMIR, 5, DROPPED), 6 * 10);
}

static void used_twice(void) {
  CU_ASSERT_EQUAL(views(CHI_REP3, 3, REUSED), 6 * 2);
  CU_ASSERT(views(CHI_SHAMIR, 5, REUSED) > 0);
}

int main(void) {
  if (sodium_init() < 0 || CHI_P != 7)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("blobs", NULL, NULL);
  CU_add_test(s, "a client's input", fresh);
  CU_add_test(s, "control, randomness dropped", dropped);
  CU_add_test(s, "control, a seed used twice", used_twice);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
