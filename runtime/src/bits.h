/* Bits from inside: packed lanes of GF(2), lanes of GF(2^8) in bytes, and the
 * calls on bits of an exchange; the layouts are in chi_gen.h.
 */
#ifndef CHII_BITS_H
#define CHII_BITS_H

#include "session.h"

#define CHII_ONES UINT64_C(0x0101010101010101) /* 1 in each byte */

static inline uint64_t chii_bit_words(uint64_t lanes) {
  return lanes / 64 + (lanes % 64 != 0);
}
static inline uint64_t chii_bit_bytes(uint64_t lanes) {
  return lanes / 8 + (lanes % 8 != 0); /* also words of as many bytes */
}
/* The low n bits; n <= 64. */
static inline uint64_t chii_low(uint64_t n) {
  return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
}
/* What the last word of `lanes` bits, of `lanes` bytes may hold; lanes > 0. */
static inline uint64_t chii_last_bits(uint64_t lanes) {
  return chii_low((lanes - 1) % 64 + 1);
}
static inline uint64_t chii_last_bytes(uint64_t lanes) {
  return chii_low(8 * ((lanes - 1) % 8 + 1));
}

/* n bits from bit `at` of v, 1 <= n <= 64. */
static inline uint64_t chii_bits_get(const uint64_t *v, uint64_t at,
                                     uint64_t n) {
  unsigned s = (unsigned)(at % 64);
  uint64_t w = v[at / 64] >> s;
  if (s + n > 64)
    w |= v[at / 64 + 1] << (64 - s);
  return w & chii_low(n);
}
/* Writes them; w has no others. */
static inline void chii_bits_put(uint64_t *v, uint64_t at, uint64_t n,
                                 uint64_t w) {
  unsigned s = (unsigned)(at % 64);
  uint64_t *p = v + at / 64, m = chii_low(n);
  p[0] = (p[0] & ~(m << s)) | w << s;
  if (s + n > 64)
    p[1] = (p[1] & ~(m >> (64 - s))) | w >> (64 - s);
}

/* Bit k of b, a byte, to byte k as 0 or 1. */
static inline uint64_t chii_spread(uint64_t b) {
  uint64_t x = (b * CHII_ONES) & UINT64_C(0x8040201008040201);
  return ((x + 0x7f * CHII_ONES) >> 7) & CHII_ONES;
}
/* The k-th byte of packed bits, k < bytes of them. */
static inline uint64_t chii_byte_of(const uint64_t *v, uint64_t k) {
  return v[k / 8] >> (8 * (k % 8)) & 0xff;
}

/* ---- GF(2^8), x^8 + x^4 + x^3 + x + 1: eight lanes a word (gf256.c) ---- */

static inline uint64_t chii_gf_x(uint64_t a) { /* a times x */
  uint64_t hi = (a >> 7) & CHII_ONES;
  return ((a & 0x7f * CHII_ONES) << 1) ^ hi ^ hi << 1 ^ hi << 3 ^ hi << 4;
}

static inline uint64_t chii_gf_mul(uint64_t a, uint64_t b) {
  uint64_t z = 0;
  for (int k = 7; k >= 0; k--)
    z = chii_gf_x(z) ^ (a & ((b >> k & CHII_ONES) * 0xff));
  return z;
}

/* c[i]: the polynomial through points x[0..n), distinct, has the value sum
 * c[i] y[i] at `at`. */
void chii_gf_lagrange(uint8_t *c, const uint8_t *x, unsigned n, uint8_t at);
/* out[j] = sum over r of c[r] v[r][j], c public; rows are `stride` words apart;
 * out is no row. */
void chii_gf_combine(uint64_t *out, const uint8_t *c, const uint64_t *v,
                     size_t stride, unsigned rows, size_t n);

/* ---- calls of an exchange (gen_bits.c) ---- */

/* Order in which chi_gen.h declares them; gen_bits.c has a row for each. */
typedef enum chii_bit_kind {
  CHII_B_REDUCE,
  CHII_B_OPEN,
  CHII_B_DEAL,
  CHII_B_BDEAL,
  CHII_B_XDEAL,
  CHII_B_XJOIN
} chii_bit_kind;

struct chii_bit_item {
  chii_bit_kind kind;
  uint64_t *dst;
  uint64_t **dsts; /* deals: one for each dealer */
  const uint64_t *src, *e;
  uint64_t lanes;
  unsigned off, bits; /* deals: bits of each lane; bdeals: 1 */
  uint64_t index;     /* in the streams: words of CHII_BITS, or elements */
};

/* Numbers l < lanes with l % 3 = r. */
static inline uint64_t chii_thirds(uint64_t lanes, unsigned r) {
  return (lanes + 2 - r) / 3;
}

/* Clears the lanes of the last word that are none. */
static inline void chii_trim_bits(uint64_t *v, uint64_t lanes) {
  if (lanes)
    v[chii_bit_words(lanes) - 1] &= chii_last_bits(lanes);
}

/* Fails with CHI_E_PROTOCOL unless the bits behind the last lane are 0. */
bool chii_padding(chi_session *s, unsigned peer, const uint64_t *v,
                  uint64_t lanes);

#endif
