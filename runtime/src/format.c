#include "format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ctime.h"
#include "prg.h"
#include "util.h"

size_t chii_blob_bytes(const chii_field *f, chii_blob_kind kind,
                       chi_protocol protocol, unsigned n, unsigned node,
                       uint64_t lanes) {
  uint64_t planes = kind == CHII_BLOB_TOLD && protocol == CHI_REP3 ? 2 : 1;
  size_t extra = CHII_BLOB_HEAD, body;
  if (lanes > (UINT64_C(1) << 48) || node >= n)
    return 0;
  if (kind == CHII_BLOB_INPUT && protocol == CHI_REP3) {
    extra += (node == 0 ? 2 : 1) * CHII_SEED_BYTES;
    if (node == 0)
      lanes = 0;
  }
  if (!chii_mul_size(&body, lanes, planes * f->bytes))
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

int chii_blob_check(const chii_field *f, const uint8_t *blob,
                    size_t blob_bytes, chii_blob_kind kind,
                    chi_protocol protocol, unsigned n, unsigned node,
                    uint32_t index, uint64_t lanes,
                    const uint8_t session_id[CHI_SESSION_ID_BYTES]) {
  uint8_t head[CHII_BLOB_HEAD];
  if (blob_bytes < CHII_BLOB_HEAD ||
      blob_bytes != chii_blob_bytes(f, kind, protocol, n, node, lanes))
    return -1;
  chii_blob_put_head(head, kind, protocol, n, node, index, lanes, session_id);
  return memcmp(head, blob, CHII_BLOB_HEAD) ? -1 : 0;
}

chi_status chii_seed_expand(const chii_field *f, uint64_t *out,
                            const uint8_t seed[CHII_SEED_BYTES],
                            uint64_t lanes) {
  chii_prg g;
  memset(&g, 0, sizeof g);
  bool ok = chii_prg_init(&g, seed, 0, 0, CHII_INPUT) &&
            chii_prg_fill(f, &g, out, 0, (size_t)lanes);
  chii_prg_fini(&g);
  return ok ? CHI_OK : CHI_E_CRYPTO;
}

static chi_status split_rep3(const chii_field *f, uint8_t *const *body,
                             const uint64_t *values, uint64_t lanes) {
  uint8_t seed[2][CHII_SEED_BYTES];
  size_t bytes = (size_t)lanes * f->bytes, n = (size_t)lanes;
  uint64_t *x0 = malloc(bytes ? bytes : 1), *x1 = malloc(bytes ? bytes : 1);
  chi_status st = x0 && x1 ? CHI_OK : CHI_E_NOMEM;
  randombytes_buf(seed, sizeof seed);
  CHII_SECRET(seed, sizeof seed);
  if (!st)
    st = chii_seed_expand(f, x0, seed[0], lanes);
  if (!st)
    st = chii_seed_expand(f, x1, seed[1], lanes);
  if (!st) {
    chii_add(f, x0, x0, x1, n);
    chii_sub(f, x0, values, x0, n); /* x_2 */
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

/* A random polynomial of degree t for each value: Horner at each point, BLOCK
 * values at a time.  coef: rows of e = 1 .. t, then one to work in. */
static chi_status split_shamir(const chii_field *f, uint8_t *const *body,
                               unsigned n, const uint64_t *values,
                               uint64_t lanes) {
  enum { BLOCK = 256 };
  unsigned t = (n + 1) / 2 - 1;
  size_t row = BLOCK * f->words, room = (t + 1) * row * 8;
  uint64_t *coef = malloc(room), x[CHI_FIELD_WORDS_MAX];
  if (!coef)
    return CHI_E_NOMEM;
  uint8_t seed[CHII_SEED_BYTES];
  chi_status st = CHI_OK;
  for (uint64_t at = 0; at < lanes && !st; at += BLOCK) {
    size_t k = (size_t)chii_min(BLOCK, lanes - at);
    uint64_t *v = coef + t * row;
    randombytes_buf(seed, sizeof seed);
    CHII_SECRET(seed, sizeof seed);
    st = chii_seed_expand(f, coef, seed, (uint64_t)t * BLOCK);
    for (unsigned i = 0; i < n && !st; i++) {
      chii_small(f, x, i + 1);
      memset(v, 0, row * 8);
      for (unsigned e = t; e-- > 0;) {
        chii_add(f, v, v, coef + e * row, k);
        chii_scale(f, v, x, v, 1, k);
      }
      chii_add(f, v, v, values + at * f->words, k);
      memcpy(body[i] + at * f->bytes, v, k * f->bytes);
    }
  }
  chii_wipe(coef, room);
  chii_wipe(seed, sizeof seed);
  free(coef);
  return st;
}

chi_status chii_input_split(const chii_field *f, uint8_t *const *blobs,
                            chi_protocol protocol, unsigned n, uint32_t input,
                            const uint8_t session_id[CHI_SESSION_ID_BYTES],
                            const uint64_t *values, uint64_t lanes) {
  uint8_t *body[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < n; i++) {
    chii_blob_put_head(blobs[i], CHII_BLOB_INPUT, protocol, n, i, input, lanes,
                       session_id);
    body[i] = blobs[i] + CHII_BLOB_HEAD;
  }
  return protocol == CHI_REP3 ? split_rep3(f, body, values, lanes)
                              : split_shamir(f, body, n, values, lanes);
}

enum { JOIN = 64 }; /* lanes at a time */

/* Elements of lanes at .. at + k - 1 of all nodes to rows of y. */
static void read_rows(const chii_field *f, uint64_t *y, unsigned n,
                      const uint8_t *const *blobs, uint64_t at, size_t k) {
  for (unsigned i = 0; i < n; i++)
    memcpy(y + i * JOIN * f->words,
           blobs[i] + CHII_BLOB_HEAD + at * f->bytes, k * f->bytes);
}

static uint64_t differs(const uint64_t *a, const uint64_t *b, size_t words) {
  uint64_t differ = 0;
  for (size_t i = 0; i < words; i++)
    differ |= a[i] ^ b[i];
  return differ;
}

/* rep3: everything comes twice, plane b of node i is plane a of i + 1. */
static uint64_t join_rep3(const chii_field *f, uint64_t *out, uint64_t *y,
                          const uint8_t *const *blobs, uint64_t lanes,
                          uint64_t at, size_t k) {
  uint64_t *b = y + 3 * JOIN * f->words, differ = 0;
  size_t w = f->words;
  read_rows(f, y, 3, blobs, at, k);
  read_rows(f, b, 3, blobs, lanes + at, k);
  for (unsigned i = 0; i < 3; i++)
    differ |= differs(b + i * JOIN * w, y + (i + 1) % 3 * JOIN * w, k * w);
  chii_add(f, out, y, y + JOIN * w, k);
  chii_add(f, out, out, y + 2 * JOIN * w, k);
  return differ;
}

/* c: rows of coefficients, of points t + 1 .. n - 1 and of the value. */
static uint64_t join_shamir(const chii_field *f, uint64_t *out, uint64_t *y,
                            const uint64_t *c, unsigned n,
                            const uint8_t *const *blobs, uint64_t at,
                            size_t k) {
  unsigned rows = (n + 1) / 2;
  uint64_t *v = y + n * JOIN * f->words, differ = 0;
  size_t w = f->words;
  read_rows(f, y, n, blobs, at, k);
  for (unsigned i = rows; i < n; i++, c += rows * w) {
    chii_combine(f, v, c, y, JOIN, rows, k);
    differ |= differs(v, y + i * JOIN * w, k * w);
  }
  chii_combine(f, out, c, y, JOIN, rows, k);
  return differ;
}

/* Are all elements of node i's body below p? */
static bool reduced(const chii_field *f, uint64_t *y, const uint8_t *blob,
                    uint64_t count) {
  uint64_t bad = 0;
  for (uint64_t at = 0; at < count; at += JOIN) {
    size_t k = (size_t)chii_min(JOIN, count - at);
    read_rows(f, y, 1, &blob, at, k);
    bad |= f->op->above(f, y, k);
  }
  CHII_PUBLIC(&bad, sizeof bad);
  return !bad;
}

chi_status chii_told_join(const chii_field *f, uint64_t *values,
                          uint64_t lanes, unsigned *bad_node,
                          chi_protocol protocol, unsigned n,
                          const uint8_t *const *blobs) {
  unsigned planes = protocol == CHI_REP3 ? 2 : 1, rows = (n + 1) / 2;
  size_t w = f->words, own = (2 * (size_t)n + 1) * JOIN * w;
  size_t words = own + (size_t)(n - rows + 1) * rows * w;
  uint64_t *y = malloc(words * 8), differ = 0, x[CHI_PARTIES_MAX];
  if (!y)
    return CHI_E_NOMEM;
  uint64_t *c = y + own;
  for (unsigned i = 0; i < n; i++)
    x[i] = i + 1;
  for (unsigned i = rows; i <= n && protocol == CHI_SHAMIR; i++)
    chii_lagrange(f, c + (i - rows) * rows * w, x, rows, i == n ? 0 : i + 1);
  chi_status st = CHI_OK;
  for (unsigned i = 0; i < n && !st; i++)
    if (!reduced(f, y, blobs[i], planes * lanes)) {
      if (bad_node)
        *bad_node = i;
      st = CHI_E_PROTOCOL;
    }
  for (uint64_t at = 0; at < lanes && !st; at += JOIN) {
    size_t k = (size_t)chii_min(JOIN, lanes - at);
    uint64_t *out = values + at * w;
    differ |= protocol == CHI_REP3
                  ? join_rep3(f, out, y, blobs, lanes, at, k)
                  : join_shamir(f, out, y, c, n, blobs, at, k);
  }
  chii_wipe(y, words * 8);
  free(y);
  CHII_PUBLIC(&differ, sizeof differ);
  if (!st && differ) {
    chii_wipe(values, (size_t)lanes * f->bytes);
    st = CHI_E_CHECK;
  }
  return st;
}
