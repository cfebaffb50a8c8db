/* Clients: integers to elements, elements to sealed blobs of shares, and told
 * outputs back.  The shares themselves are made in format.c; here they are
 * checked, put in their place and sealed.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "chi_gen.h"
#include "ctime.h"
#include "format.h"
#include "keys.h"
#include "util.h"

#define HALF ((int64_t)(CHI_P / 2)) /* (p-1)/2 */

static int is_run(const chi_client_run *run, chii_field *f, bool thorough) {
  if (chii_field_of(f, &run->field, thorough)) return 0;
  return (run->protocol == CHI_REP3 && run->n == 3) ||
         (run->protocol == CHI_SHAMIR && run->n >= CHI_PARTIES_MIN &&
          run->n <= CHI_PARTIES_MAX && chii_below_p(f, run->n));
}

chi_status chi_encode(uint64_t *out, const int64_t *in, size_t lanes,
                      int64_t lo, int64_t hi) {
  if (lo > hi || lo < -HALF || hi > HALF) return CHI_E_ARG;
  unsigned bad = 0;
  for (size_t i = 0; i < lanes; i++) {
    uint64_t v = (uint64_t)in[i];
    bad |= (unsigned)(in[i] < lo) | (unsigned)(in[i] > hi);
    out[i] = v + (CHI_P & ((uint64_t)0 - (v >> 63)));
  }
  CHII_PUBLIC(&bad, sizeof bad);
  if (!bad) return CHI_OK;
  sodium_memzero(out, lanes * sizeof *out);
  return CHI_E_RANGE;
}

chi_status chi_decode(int64_t *out, const uint64_t *in, size_t lanes,
                      int64_t lo, int64_t hi) {
  if (lo > hi || lo < -HALF || hi > HALF) return CHI_E_ARG;
  unsigned bad = 0;
  for (size_t i = 0; i < lanes; i++) {
    uint64_t high = ((uint64_t)HALF - in[i]) >> 63; /* above (p-1)/2 */
    int64_t v = (int64_t)(in[i] - (CHI_P & ((uint64_t)0 - high)));
    bad |= (unsigned)(in[i] >= CHI_P) | (unsigned)(v < lo) | (unsigned)(v > hi);
    out[i] = v;
  }
  CHII_PUBLIC(&bad, sizeof bad);
  if (!bad) return CHI_OK;
  sodium_memzero(out, lanes * sizeof *out);
  return CHI_E_RANGE;
}

size_t chi_client_blob_bytes(const chi_client_run *run, unsigned node,
                             size_t lanes) {
  chii_field f;
  CHII_REQUIRE(run, "a NULL argument");
  if (!is_run(run, &f, false)) return 0;
  size_t clear = chii_blob_bytes(&f, CHII_BLOB_INPUT, run->protocol, run->n,
                                 node, lanes);
  return clear && clear <= SIZE_MAX - CHI_SEAL_BYTES ? clear + CHI_SEAL_BYTES
                                                     : 0;
}

/* Splits and seals; a run that is_run has seen. */
static chi_status share(uint8_t *const *blobs, const chi_client_run *run,
                        const chii_field *f, uint32_t input,
                        const uint64_t *elements, size_t lanes) {
  uint8_t *clear[CHI_PARTIES_MAX] = {0};
  for (unsigned i = 0; i < run->n; i++) {
    if (!chi_client_blob_bytes(run, i, lanes)) return CHI_E_ARG;
    /* Plaintexts are written where their boxes will stand. */
    clear[i] = blobs[i] + CHI_SEAL_BYTES;
  }
  chi_status st = chii_input_split(f, clear, run->protocol, run->n, input,
                                   run->session_id, elements, lanes);
  for (unsigned i = 0; i < run->n && !st; i++) {
    size_t bytes = chii_blob_bytes(f, CHII_BLOB_INPUT, run->protocol, run->n,
                                   i, lanes);
    st = chi_seal(blobs[i], run->party_key[i], clear[i], bytes);
  }
  return st;
}

static void no_blobs(uint8_t *const *blobs, const chi_client_run *run,
                     size_t lanes) {
  for (unsigned i = 0; i < run->n; i++)
    sodium_memzero(blobs[i], chi_client_blob_bytes(run, i, lanes));
}

chi_status chi_client_share(uint8_t *const *blobs, const chi_client_run *run,
                            uint32_t input, const int64_t *values,
                            size_t lanes) {
  chii_field f;
  size_t bytes;
  CHII_REQUIRE(blobs && run && values, "a NULL argument");
  if (!is_run(run, &f, true) || lanes == 0) return CHI_E_ARG;
  if (!chii_mul_size(&bytes, lanes, f.bytes)) return CHI_E_ARG;
  uint64_t *elements = malloc(bytes);
  if (!elements) return CHI_E_NOMEM;
  uint64_t bad = chii_of_i64(&f, elements, values, lanes, true);
  CHII_PUBLIC(&bad, sizeof bad);
  chi_status st = bad ? CHI_E_ARG : share(blobs, run, &f, input, elements,
                                          lanes);
  sodium_memzero(elements, bytes);
  free(elements);
  if (st) no_blobs(blobs, run, lanes);
  return st;
}

chi_status chi_client_share_elements(uint8_t *const *blobs,
                                     const chi_client_run *run, uint32_t input,
                                     const uint64_t *elements, size_t lanes) {
  chii_field f;
  size_t bytes;
  CHII_REQUIRE(blobs && run && elements, "a NULL argument");
  if (!is_run(run, &f, true) || lanes == 0) return CHI_E_ARG;
  if (!chii_mul_size(&bytes, lanes, f.bytes)) return CHI_E_ARG;
  uint64_t bad = f.op->above(&f, elements, lanes);
  CHII_PUBLIC(&bad, sizeof bad);
  chi_status st = bad ? CHI_E_ARG : share(blobs, run, &f, input, elements,
                                          lanes);
  if (st) no_blobs(blobs, run, lanes);
  return st;
}

chi_status chi_client_open(uint64_t *values, size_t lanes, unsigned *bad_node,
                           const chi_client_run *run, const chi_identity *id,
                           uint32_t output, const uint8_t *const *blobs,
                           const size_t *blob_bytes) {
  uint8_t *clear[CHI_PARTIES_MAX] = {0};
  chii_field f;
  unsigned bad = 0, i = 0;
  chi_status st = CHI_OK;
  CHII_REQUIRE(values && run && id && blobs && blob_bytes, "a NULL argument");
  if (!is_run(run, &f, true) || lanes == 0) return CHI_E_ARG;
  for (i = 0; i < run->n && !st; i++) {
    size_t bytes = chii_blob_bytes(&f, CHII_BLOB_TOLD, run->protocol, run->n,
                                   i, lanes);
    bad = i;
    if (!bytes || blob_bytes[i] != bytes + CHII_TOLD_BYTES) {
      st = CHI_E_PROTOCOL;
    } else if (!(clear[i] = malloc(bytes))) {
      st = CHI_E_NOMEM;
    } else {
      st = chii_told_unseal(clear[i], id, run->party_key[i], blobs[i],
                            blob_bytes[i]);
    }
    if (!st && chii_blob_check(&f, clear[i], bytes, CHII_BLOB_TOLD,
                               run->protocol, run->n, i, output, lanes,
                               run->session_id)) {
      st = CHI_E_PROTOCOL;
    }
  }
  if (!st) {
    const uint8_t *body[CHI_PARTIES_MAX];
    for (i = 0; i < run->n; i++) body[i] = clear[i];
    st = chii_told_join(&f, values, lanes, &bad, run->protocol, run->n, body);
  }
  if (st) sodium_memzero(values, lanes * f.bytes);
  if (st && st != CHI_E_CHECK && bad_node) *bad_node = bad;
  for (i = 0; i < run->n; i++) {
    if (!clear[i]) continue;
    sodium_memzero(clear[i], chii_blob_bytes(&f, CHII_BLOB_TOLD, run->protocol,
                                             run->n, i, lanes));
    free(clear[i]);
  }
  return st;
}
