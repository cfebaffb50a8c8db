#include "format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "chi_gen.h"
#include "ctime.h"
#include "prg.h"
#include "util.h"

size_t chii_blob_bytes(chii_blob_kind kind, chi_protocol protocol, unsigned n,
                       unsigned node, uint64_t lanes) {
  uint64_t planes = kind == CHII_BLOB_TOLD && protocol == CHI_REP3 ? 2 : 1;
  size_t extra = CHII_BLOB_HEAD, body;
  if (lanes > (UINT64_C(1) << 48) || node >= n)
    return 0;
  if (kind == CHII_BLOB_INPUT && protocol == CHI_REP3) {
    extra += (node == 0 ? 2 : 1) * CHII_SEED_BYTES;
    if (node == 0)
      lanes = 0;
  }
  if (!chii_mul_size(&body, lanes, planes * 8))
    return 0;
  return extra + body;
}

void chii_blob_put_head(uint8_t head[CHII_BLOB_HEAD], chii_blob_kind kind,
                        chi_protocol protocol, unsigned n, unsigned node,
                        uint32_t index, uint64_t lanes,
                        const uint8_t session_id[CHI_SESSION_ID_BYTES]) {
  memset(head, 0, CHII_BLOB_HEAD);
  memcpy(head, "CHI", 3);
  head[3] = (uint8_t)kind;
  head[4] = CHI_WIRE_VERSION;
  head[5] = (uint8_t)protocol;
  head[6] = (uint8_t)n;
  head[7] = (uint8_t)node;
  for (int i = 0; i < 4; i++)
    head[8 + i] = (uint8_t)(index >> (8 * i));
  chii_put64(head + 12, lanes);
  memcpy(head + 20, session_id, CHI_SESSION_ID_BYTES);
}

int chii_blob_check(const uint8_t *blob, size_t blob_bytes,
                    chii_blob_kind kind, chi_protocol protocol, unsigned n,
                    unsigned node, uint32_t index, uint64_t lanes,
                    const uint8_t session_id[CHI_SESSION_ID_BYTES]) {
  uint8_t head[CHII_BLOB_HEAD];
  if (blob_bytes < CHII_BLOB_HEAD ||
      blob_bytes != chii_blob_bytes(kind, protocol, n, node, lanes))
    return -1;
  chii_blob_put_head(head, kind, protocol, n, node, index, lanes, session_id);
  return memcmp(head, blob, CHII_BLOB_HEAD) ? -1 : 0;
}

chi_status chii_seed_expand(uint64_t *out, const uint8_t seed[CHII_SEED_BYTES],
                            uint64_t lanes) {
  chii_prg g;
  memset(&g, 0, sizeof g);
  bool ok = chii_prg_init(&g, seed, 0, 0, CHII_INPUT) &&
            chii_prg_fill(&g, out, 0, (size_t)lanes);
  chii_prg_fini(&g);
  return ok ? CHI_OK : CHI_E_CRYPTO;
}

static chi_status split_rep3(uint8_t *const *body, const uint64_t *values,
                             uint64_t lanes) {
  uint8_t seed[2][CHII_SEED_BYTES];
  size_t bytes = (size_t)lanes * 8;
  uint64_t *x0 = malloc(bytes ? bytes : 1), *x1 = malloc(bytes ? bytes : 1);
  chi_status st = x0 && x1 ? CHI_OK : CHI_E_NOMEM;
  randombytes_buf(seed, sizeof seed);
  CHII_SECRET(seed, sizeof seed);
  if (!st)
    st = chii_seed_expand(x0, seed[0], lanes);
  if (!st)
    st = chii_seed_expand(x1, seed[1], lanes);
  for (uint64_t l = 0; l < lanes && !st; l++)
    x0[l] = chi_f_sub(values[l], chi_f_add(x0[l], x1[l])); /* x_2 */
  if (!st) {
    memcpy(body[0], seed, sizeof seed);
    memcpy(body[1], seed[1], CHII_SEED_BYTES);
    memcpy(body[1] + CHII_SEED_BYTES, x0, bytes);
    memcpy(body[2], x0, bytes);
    memcpy(body[2] + bytes, seed[0], CHII_SEED_BYTES);
  }
  chii_wipe(x0, x0 ? bytes : 0);
  chii_wipe(x1, x1 ? bytes : 0);
  chii_wipe(seed, sizeof seed);
  free(x0);
  free(x1);
  return st;
}

/* A random polynomial of degree t for each value, by Horner at each point. */
static chi_status split_shamir(uint8_t *const *body, unsigned n,
                               const uint64_t *values, uint64_t lanes) {
  enum { BLOCK = 256 };
  unsigned t = (n + 1) / 2 - 1;
  uint64_t *coef = malloc((size_t)t * BLOCK * 8);
  if (!coef)
    return CHI_E_NOMEM;
  uint8_t seed[CHII_SEED_BYTES];
  chi_status st = CHI_OK;
  for (uint64_t at = 0; at < lanes && !st; at += BLOCK) {
    uint64_t k = chii_min(BLOCK, lanes - at);
    randombytes_buf(seed, sizeof seed);
    CHII_SECRET(seed, sizeof seed);
    st = chii_seed_expand(coef, seed, (uint64_t)t * BLOCK);
    for (unsigned i = 0; i < n && !st; i++)
      for (uint64_t l = 0; l < k; l++) {
        uint64_t v = 0;
        for (unsigned e = t; e-- > 0;)
          v = chi_f_mul(chi_f_add(v, coef[e * BLOCK + l]), i + 1);
        chii_put64(body[i] + (at + l) * 8, chi_f_add(v, values[at + l]));
      }
  }
  chii_wipe(coef, (size_t)t * BLOCK * 8);
  chii_wipe(seed, sizeof seed);
  free(coef);
  return st;
}

chi_status chii_input_split(uint8_t *const *blobs, chi_protocol protocol,
                            unsigned n, uint32_t input,
                            const uint8_t session_id[CHI_SESSION_ID_BYTES],
                            const uint64_t *values, uint64_t lanes) {
  uint8_t *body[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < n; i++) {
    chii_blob_put_head(blobs[i], CHII_BLOB_INPUT, protocol, n, i, input, lanes,
                       session_id);
    body[i] = blobs[i] + CHII_BLOB_HEAD;
  }
  return protocol == CHI_REP3 ? split_rep3(body, values, lanes)
                              : split_shamir(body, n, values, lanes);
}

/* c[i]: the polynomial through points 1..k has value sum c[i] y[i] at `at`. */
static void coefficients(uint64_t *c, unsigned k, uint64_t at) {
  for (unsigned i = 0; i < k; i++) {
    uint64_t num = 1, den = 1;
    for (unsigned j = 0; j < k; j++)
      if (j != i) {
        num = chi_f_mul(num, chi_f_sub(at, j + 1));
        den = chi_f_mul(den, chi_f_sub(i + 1, j + 1));
      }
    c[i] = chi_f_mul(num, chi_f_inv(den));
  }
}

static uint64_t dot(const uint64_t *c, const uint64_t *y, unsigned k) {
  chi_acc z = chi_acc_zero();
  for (unsigned i = 0; i < k; i++) /* k <= 32 */
    z = chi_acc_mul(z, c[i], y[i]);
  return chi_acc_fold(z);
}

chi_status chii_told_join(uint64_t *values, uint64_t lanes, unsigned *bad_node,
                          chi_protocol protocol, unsigned n,
                          const uint8_t *const *blobs) {
  unsigned planes = protocol == CHI_REP3 ? 2 : 1, t = (n + 1) / 2 - 1;
  uint64_t differ = 0, c[CHI_PARTIES_MAX + 1][CHI_PARTIES_MAX / 2];
  for (unsigned i = t + 1; i <= n && protocol == CHI_SHAMIR; i++)
    coefficients(c[i], t + 1, i == n ? 0 : i + 1); /* c[n]: the value */
  for (unsigned i = 0; i < n; i++) {
    uint64_t bad = 0; /* top bit: some word is p or more */
    for (uint64_t l = 0; l < planes * lanes; l++) {
      uint64_t v = chii_get64(blobs[i] + CHII_BLOB_HEAD + l * 8);
      bad |= v | (CHI_P - 1 - v);
    }
    CHII_PUBLIC(&bad, sizeof bad);
    if (bad >> 63) {
      if (bad_node)
        *bad_node = i;
      return CHI_E_PROTOCOL;
    }
  }
  for (uint64_t l = 0; l < lanes; l++) {
    uint64_t y[CHI_PARTIES_MAX];
    for (unsigned i = 0; i < n; i++)
      y[i] = chii_get64(blobs[i] + CHII_BLOB_HEAD + l * 8);
    if (protocol == CHI_REP3) { /* plane b of node i is plane a of i + 1 */
      for (unsigned i = 0; i < 3; i++)
        differ |= y[(i + 1) % 3] ^
                  chii_get64(blobs[i] + CHII_BLOB_HEAD + (lanes + l) * 8);
      values[l] = chi_f_add(chi_f_add(y[0], y[1]), y[2]);
    } else {
      for (unsigned i = t + 1; i < n; i++)
        differ |= y[i] ^ dot(c[i], y, t + 1);
      values[l] = dot(c[n], y, t + 1);
    }
  }
  CHII_PUBLIC(&differ, sizeof differ);
  if (!differ)
    return CHI_OK;
  chii_wipe(values, (size_t)lanes * 8);
  return CHI_E_CHECK;
}
