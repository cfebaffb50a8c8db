/* Clients: shares of inputs, told outputs.  The arithmetic here is the test's
 * own: schoolbook, on __int128 and %. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chi.h"
#include "format.h"
#include "keys.h"

__extension__ typedef unsigned __int128 u128;

static const uint64_t P = (UINT64_C(1) << 61) - 1;
#define LANES 9

static uint64_t mul(uint64_t a, uint64_t b) {
  return (uint64_t)((u128)a * b % P);
}

static uint64_t power(uint64_t a, uint64_t e) {
  uint64_t r = 1;
  for (; e; e >>= 1, a = mul(a, a)) {
    if (e & 1) r = mul(r, a);
  }
  return r;
}

/* Value at x of the polynomial through (at[i] + 1, y[i]), i < count. */
static uint64_t lagrange(const unsigned *at, const uint64_t *y, unsigned count,
                         uint64_t x) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < count; i++) {
    uint64_t num = y[i], den = 1;
    for (unsigned j = 0; j < count; j++) {
      if (j == i) continue;
      num = mul(num, (x + P - (at[j] + 1)) % P);
      den = mul(den, (at[i] + P - at[j]) % P);
    }
    sum = (sum + mul(num, power(den, P - 2))) % P;
  }
  return sum;
}

static uint64_t word(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
  return v;
}

static void put_word(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t rng_state = 88172645463325252u;
static uint64_t rng(void) {
  rng_state ^= rng_state << 13;
  rng_state ^= rng_state >> 7;
  rng_state ^= rng_state << 17;
  return rng_state;
}

typedef struct world {
  unsigned n, t;
  chi_identity *id[CHI_PARTIES_MAX], *client;
  uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  uint8_t client_key[CHI_KEY_BYTES];
  chi_client_run run;
} world;

static void world_open(world *w, chi_protocol protocol, unsigned n) {
  memset(w, 0, sizeof *w);
  w->n = n;
  w->t = (n + 1) / 2 - 1;
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_FATAL(!chi_identity_new(&w->id[i]));
    chi_identity_public(w->id[i], w->key[i]);
  }
  CU_ASSERT_FATAL(!chi_identity_new(&w->client));
  chi_identity_public(w->client, w->client_key);
  w->run.protocol = protocol;
  w->run.n = n;
  w->run.party_key = (const uint8_t(*)[CHI_KEY_BYTES])w->key;
  for (int i = 0; i < 32; i++) w->run.session_id[i] = (uint8_t)(i * 7 + n);
}

static void world_close(world *w) {
  for (unsigned i = 0; i < w->n; i++) chi_identity_free(w->id[i]);
  chi_identity_free(w->client);
}

static const int64_t EDGE[LANES] = {
    0, 1, -1, 42, INT64_C(1152921504606846975), -INT64_C(1152921504606846975),
    INT64_C(2305843009213693950), 1234567890123, -77};

static chii_field own_field(void) {
  chii_field f;
  chi_field own = {0, 0, NULL};
  CU_ASSERT_EQUAL_FATAL(chii_field_of(&f, &own, true), CHI_OK);
  return f;
}

/* What the nodes hold, from opened blobs: rep3 component c at part[c], shamir
 * point of node i at part[i].  Fails the test on any disagreement. */
static void parts_of(const world *w, uint8_t *const *blob, uint32_t input,
                     uint64_t part[][LANES]) {
  chii_field f = own_field();
  int rep3 = w->run.protocol == CHI_REP3;
  for (unsigned i = 0; i < w->n; i++) {
    size_t bytes = chi_client_blob_bytes(&w->run, i, LANES);
    uint8_t *clear = malloc(bytes);
    CU_ASSERT_EQUAL_FATAL(chi_unseal(clear, w->id[i], blob[i], bytes), CHI_OK);
    CU_ASSERT_EQUAL(chii_blob_check(&f, clear, bytes - CHI_SEAL_BYTES,
                                    CHII_BLOB_INPUT, w->run.protocol, w->n, i,
                                    input, LANES, w->run.session_id),
                    0);
    const uint8_t *body = clear + CHII_BLOB_HEAD;
    uint64_t a[LANES], b[LANES];
    if (!rep3) {
      for (int l = 0; l < LANES; l++) part[i][l] = word(body + 8 * l);
    } else {
      const uint8_t *second = body + (i == 2 ? 8 * LANES : 32);
      if (i == 2) {
        for (int l = 0; l < LANES; l++) a[l] = word(body + 8 * l);
        CU_ASSERT_EQUAL(chii_seed_expand(&f, b, second, LANES), CHI_OK);
      } else {
        CU_ASSERT_EQUAL(chii_seed_expand(&f, a, body, LANES), CHI_OK);
        if (i == 0) {
          CU_ASSERT_EQUAL(chii_seed_expand(&f, b, second, LANES), CHI_OK);
        } else {
          for (int l = 0; l < LANES; l++) b[l] = word(second + 8 * l);
        }
      }
      /* Node i holds components i and i+1; the second holder must agree. */
      if (i == 0) memcpy(part[0], a, sizeof a);
      if (i > 0) CU_ASSERT(!memcmp(part[i], a, sizeof a));
      if (i < 2) memcpy(part[i + 1], b, sizeof b);
      if (i == 2) CU_ASSERT(!memcmp(part[0], b, sizeof b));
    }
    free(clear);
  }
}

static void share_all(const world *w, uint32_t input, const int64_t *values,
                      uint8_t **blob) {
  for (unsigned i = 0; i < w->n; i++) {
    blob[i] = malloc(chi_client_blob_bytes(&w->run, i, LANES));
  }
  CU_ASSERT_EQUAL_FATAL(chi_client_share(blob, &w->run, input, values, LANES),
                        CHI_OK);
}

static void free_all(const world *w, uint8_t **blob) {
  for (unsigned i = 0; i < w->n; i++) free(blob[i]);
}

static void input_case(chi_protocol protocol, unsigned n) {
  world w;
  uint8_t *blob[CHI_PARTIES_MAX];
  static uint64_t part[CHI_PARTIES_MAX][LANES], once[CHI_PARTIES_MAX][LANES];
  world_open(&w, protocol, n);
  for (int run = 0; run < 2; run++) {
    share_all(&w, 5, EDGE, blob);
    parts_of(&w, blob, 5, part);
    free_all(&w, blob);
    for (unsigned l = 0; l < LANES; l++) {
      uint64_t want = EDGE[l] < 0 ? P - (uint64_t)-EDGE[l] : (uint64_t)EDGE[l];
      for (unsigned i = 0; i < n; i++) CU_ASSERT(part[i][l] < P);
      if (protocol == CHI_REP3) {
        u128 sum = (u128)part[0][l] + part[1][l] + part[2][l];
        CU_ASSERT_EQUAL((uint64_t)(sum % P), want);
        continue;
      }
      unsigned at[CHI_PARTIES_MAX];
      uint64_t y[CHI_PARTIES_MAX];
      for (unsigned i = 0; i < n; i++) {
        at[i] = i;
        y[i] = part[i][l];
      }
      /* t + 1 points give the value and all other points; t do not. */
      CU_ASSERT_EQUAL(lagrange(at, y, w.t + 1, 0), want);
      for (unsigned i = w.t + 1; i < n; i++) {
        CU_ASSERT_EQUAL(lagrange(at, y, w.t + 1, i + 1), y[i]);
      }
      if (w.t > 0) CU_ASSERT(lagrange(at, y, w.t, 0) != want);
    }
    if (run) CU_ASSERT(memcmp(part, once, n * sizeof *part) != 0);
    memcpy(once, part, sizeof part);
  }
  world_close(&w);
}

static void test_inputs(void) {
  input_case(CHI_REP3, 3);
  for (unsigned n = 3; n <= 21; n++) input_case(CHI_SHAMIR, n);
}

static void test_input_refusals(void) {
  world w;
  uint8_t *blob[CHI_PARTIES_MAX];
  int64_t v[LANES] = {0};
  world_open(&w, CHI_SHAMIR, 5);
  share_all(&w, 0, EDGE, blob);
  v[3] = (int64_t)P;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  v[3] = -(int64_t)(P / 2) - 1;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  v[3] = INT64_MIN;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  v[3] = 0;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, 0), CHI_E_ARG);
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, SIZE_MAX / 2),
                  CHI_E_ARG);
  w.run.protocol = CHI_REP3;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  w.run.protocol = CHI_SHAMIR;
  w.run.n = 2;
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  w.run.n = 5;
  /* One unusable key: no blob may remain. */
  memset(w.key[4], 0, 32);
  CU_ASSERT_EQUAL(chi_client_share(blob, &w.run, 0, v, LANES), CHI_E_ARG);
  for (unsigned i = 0; i < 5; i++) {
    size_t bytes = chi_client_blob_bytes(&w.run, i, LANES);
    for (size_t k = 0; k < bytes; k++) CU_ASSERT_EQUAL(blob[i][k], 0);
  }
  free_all(&w, blob);
  world_close(&w);
}

/* A blob in another place: other node, input, run, protocol, length. */
static void test_input_places(void) {
  world w;
  uint8_t *blob[CHI_PARTIES_MAX], clear[4096];
  world_open(&w, CHI_REP3, 3);
  share_all(&w, 2, EDGE, blob);
  size_t bytes = chi_client_blob_bytes(&w.run, 1, LANES);
  size_t inner = bytes - CHI_SEAL_BYTES;
  CU_ASSERT_EQUAL(chi_unseal(clear, w.id[2], blob[1], bytes), CHI_E_CRYPTO);
  CU_ASSERT_EQUAL_FATAL(chi_unseal(clear, w.id[1], blob[1], bytes), CHI_OK);
  const uint8_t *sid = w.run.session_id;
  uint8_t other[32] = {1};
  chii_field f = own_field();
#define CHECK(kind, protocol, n, node, index, lanes, id, size) \
  chii_blob_check(&f, clear, size, kind, protocol, n, node, index, lanes, id)
  CU_ASSERT_EQUAL(
      CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 2, LANES, sid, inner), 0);
  CU_ASSERT(CHECK(CHII_BLOB_TOLD, CHI_REP3, 3, 1, 2, LANES, sid, inner) != 0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_SHAMIR, 3, 1, 2, LANES, sid, inner) !=
            0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 0, 2, LANES, sid, inner) != 0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 2, 2, LANES, sid, inner) != 0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 3, LANES, sid, inner) != 0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 2, LANES + 1, sid, inner) !=
            0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 2, LANES, other, inner) !=
            0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 2, LANES, sid, inner - 1) !=
            0);
  CU_ASSERT(CHECK(CHII_BLOB_INPUT, CHI_REP3, 3, 1, 2, LANES, sid, inner + 8) !=
            0);
  free_all(&w, blob);
  world_close(&w);
}

/* ---- told outputs ---- */

static const uint64_t TOLD[LANES] = {0,  1,      UINT64_C(2305843009213693950), 7,  1u << 30,
                                     99, 123456, 5,           11};

/* The nodes' side, by the book: fresh shares of TOLD, sealed blobs. */
typedef struct told {
  uint8_t *clear[CHI_PARTIES_MAX], *box[CHI_PARTIES_MAX];
  size_t inner[CHI_PARTIES_MAX], bytes[CHI_PARTIES_MAX];
} told;

static void told_seal(const world *w, told *d, unsigned i) {
  CU_ASSERT_EQUAL_FATAL(chii_told_seal(d->box[i], w->id[i], w->client_key,
                                       d->clear[i], d->inner[i]),
                        CHI_OK);
}

static void told_open(const world *w, told *d) {
  uint64_t coefficient[CHI_PARTIES_MAX];
  chii_field f = own_field();
  for (unsigned i = 0; i < w->n; i++) {
    d->inner[i] = chii_blob_bytes(&f, CHII_BLOB_TOLD, w->run.protocol, w->n,
                                  i, LANES);
    d->bytes[i] = d->inner[i] + CHII_TOLD_BYTES;
    d->clear[i] = malloc(d->inner[i]);
    d->box[i] = malloc(d->bytes[i]);
    chii_blob_put_head(d->clear[i], CHII_BLOB_TOLD, w->run.protocol, w->n, i,
                       8, LANES, w->run.session_id);
  }
  for (unsigned l = 0; l < LANES; l++) {
    if (w->run.protocol == CHI_REP3) {
      uint64_t x[3] = {rng() % P, rng() % P, 0};
      x[2] = (uint64_t)(((u128)TOLD[l] + 2 * P - x[0] - x[1]) % P);
      for (unsigned i = 0; i < 3; i++) {
        put_word(d->clear[i] + CHII_BLOB_HEAD + 8 * l, x[i]);
        put_word(d->clear[i] + CHII_BLOB_HEAD + 8 * (LANES + l),
                 x[(i + 1) % 3]);
      }
      continue;
    }
    for (unsigned k = 0; k <= w->t; k++) coefficient[k] = rng() % P;
    coefficient[0] = TOLD[l];
    for (unsigned i = 0; i < w->n; i++) {
      uint64_t y = 0;
      for (unsigned k = w->t + 1; k-- > 0;) {
        y = (mul(y, i + 1) + coefficient[k]) % P;
      }
      put_word(d->clear[i] + CHII_BLOB_HEAD + 8 * l, y);
    }
  }
  for (unsigned i = 0; i < w->n; i++) told_seal(w, d, i);
}

static void told_close(const world *w, told *d) {
  for (unsigned i = 0; i < w->n; i++) {
    free(d->clear[i]);
    free(d->box[i]);
  }
}

static unsigned bad;
static uint64_t got[LANES];

static chi_status join(const world *w, const told *d) {
  bad = 1000;
  return chi_client_open(got, LANES, &bad, &w->run, w->client, 8,
                         (const uint8_t *const *)d->box, d->bytes);
}

static void told_case(chi_protocol protocol, unsigned n) {
  world w;
  told d;
  world_open(&w, protocol, n);
  told_open(&w, &d);
  CU_ASSERT_EQUAL(join(&w, &d), CHI_OK);
  CU_ASSERT(!memcmp(got, TOLD, sizeof got));
  for (unsigned i = 0; i < n; i++) {
    uint8_t *lane = d.clear[i] + CHII_BLOB_HEAD + 8 * (LANES - 1);
    uint64_t y = word(lane);
    /* A wrong share is noticed, whoever sent it. */
    put_word(lane, (y + 1) % P);
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_CHECK);
    for (int l = 0; l < LANES; l++) CU_ASSERT_EQUAL(got[l], 0);
    /* So is a number that is no canonical element. */
    put_word(lane, P);
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(bad, i);
    put_word(lane, y | UINT64_C(1) << 63);
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(bad, i);
    put_word(lane, y);
    told_seal(&w, &d, i);
    /* A flipped bit, a short box. */
    d.box[i][d.bytes[i] / 2] ^= 4;
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_CRYPTO);
    CU_ASSERT_EQUAL(bad, i);
    d.box[i][d.bytes[i] / 2] ^= 4;
    d.bytes[i]--;
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(bad, i);
    d.bytes[i]++;
    /* Another run's blob of the same node; another output's. */
    d.clear[i][20] ^= 1;
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_PROTOCOL);
    CU_ASSERT_EQUAL(bad, i);
    d.clear[i][20] ^= 1;
    chii_blob_put_head(d.clear[i], CHII_BLOB_TOLD, protocol, n, i, 9, LANES,
                       w.run.session_id);
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_E_PROTOCOL);
    chii_blob_put_head(d.clear[i], CHII_BLOB_TOLD, protocol, n, i, 8, LANES,
                       w.run.session_id);
    told_seal(&w, &d, i);
    CU_ASSERT_EQUAL(join(&w, &d), CHI_OK);
  }
  /* Node 0's words in node 1's mouth. */
  uint8_t *swap = d.box[0];
  d.box[0] = d.box[1];
  d.box[1] = swap;
  CU_ASSERT_EQUAL(join(&w, &d), CHI_E_CRYPTO);
  d.box[1] = d.box[0];
  d.box[0] = swap;
  /* A consistent set that a stranger made. */
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT(!chii_told_seal(d.box[i], w.client, w.client_key, d.clear[i],
                              d.inner[i]));
  }
  CU_ASSERT_EQUAL(join(&w, &d), CHI_E_CRYPTO);
  CU_ASSERT_EQUAL(bad, 0);
  told_close(&w, &d);
  world_close(&w);
}

static void test_told(void) {
  told_case(CHI_REP3, 3);
  for (unsigned n = 3; n <= 21; n++) told_case(CHI_SHAMIR, n);
}

static void test_encode(void) {
  const int64_t half = (int64_t)(P / 2);
  const int64_t in[] = {0, 1, -1, half, -half};
  const uint64_t want[] = {0, 1, P - 1, P / 2, P / 2 + 1};
  uint64_t out[5];
  int64_t back[5];
  CU_ASSERT_EQUAL(chi_encode(out, in, 5, -half, half), CHI_OK);
  CU_ASSERT(!memcmp(out, want, sizeof want));
  CU_ASSERT_EQUAL(chi_decode(back, out, 5, -half, half), CHI_OK);
  CU_ASSERT(!memcmp(back, in, sizeof in));
  CU_ASSERT_EQUAL(chi_encode(out, in, 5, -half, half - 1), CHI_E_RANGE);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i], 0);
  CU_ASSERT_EQUAL(chi_encode(out, in, 3, 0, 1), CHI_E_RANGE);
  CU_ASSERT_EQUAL(chi_encode(out, in, 2, 0, 1), CHI_OK);
  CU_ASSERT_EQUAL(chi_encode(out, in, 2, 1, 0), CHI_E_ARG);
  CU_ASSERT_EQUAL(chi_encode(out, in, 2, -half - 1, 0), CHI_E_ARG);
  CU_ASSERT_EQUAL(chi_encode(out, in, 2, 0, half + 1), CHI_E_ARG);
  const int64_t huge[] = {INT64_MIN, INT64_MAX};
  CU_ASSERT_EQUAL(chi_encode(out, huge, 1, -half, half), CHI_E_RANGE);
  CU_ASSERT_EQUAL(chi_encode(out, huge + 1, 1, -half, half), CHI_E_RANGE);
  const uint64_t bad_element[] = {P, P + 1, UINT64_MAX, UINT64_C(1) << 63};
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(chi_decode(back, bad_element + i, 1, -half, half),
                    CHI_E_RANGE);
  }
  CU_ASSERT_EQUAL(chi_decode(back, want, 5, 0, half), CHI_E_RANGE);
}

int main(void) {
  if (CU_initialize_registry()) return 2;
  CU_pSuite c = CU_add_suite("client", NULL, NULL);
  CU_ADD_TEST(c, test_inputs);
  CU_ADD_TEST(c, test_input_refusals);
  CU_ADD_TEST(c, test_input_places);
  CU_ADD_TEST(c, test_told);
  CU_ADD_TEST(c, test_encode);
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
