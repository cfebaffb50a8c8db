/* Local arithmetic on bits: docs/protocols.md, "Bits".
 *
 * Everything goes by words: 64 lanes of a packed plane, 8 lanes of GF(2^8).
 */
#include "bits.h"

#include <string.h>

static bool in_bytes(const chi_gen *g, int kind) {
  return kind != CHI_B_PUB && g->proto->id == CHI_SHAMIR;
}

uint64_t chi_gen_b_words(const chi_gen *g, int kind, uint64_t lanes) {
  if (in_bytes(g, kind))
    return chii_bit_bytes(lanes);
  bool two = kind == CHI_B_SH;
  return chii_bit_words(lanes) << two;
}

void chi_gen_b_const(chi_gen *g, uint64_t dst, uint64_t lanes, unsigned bit) {
  memset(g->w + dst, bit ? 0xff : 0, chii_bit_words(lanes) * 8);
  chii_trim_bits(g->w + dst, lanes);
}

void chi_gen_b_table(chi_gen *g, uint64_t dst, uint64_t lanes,
                     const uint64_t *words) {
  memcpy(g->w + dst, words, chii_bit_words(lanes) * 8);
}

void chi_gen_b_add(chi_gen *g, int kind, uint64_t dst, uint64_t a, uint64_t b,
                   uint64_t lanes) {
  uint64_t n = chi_gen_b_words(g, kind, lanes), *w = g->w;
  for (uint64_t j = 0; j < n; j++)
    w[dst + j] = w[a + j] ^ w[b + j];
}

void chi_gen_b_addp(chi_gen *g, int kind, uint64_t dst, uint64_t a, uint64_t p,
                    uint64_t lanes) {
  uint64_t n = chi_gen_b_words(g, kind, lanes), *w = g->w;
  const uint64_t *c = w + p;
  if (kind == CHI_B_PUB) {
    chi_gen_b_add(g, kind, dst, a, p, lanes);
    return;
  }
  if (in_bytes(g, kind)) {
    for (uint64_t j = 0; j < n; j++)
      w[dst + j] = w[a + j] ^ chii_spread(chii_byte_of(c, j));
    return;
  }
  /* (c, 0, 0): component 0 is plane a of party 0 and plane b of party 2 */
  memmove(w + dst, w + a, n * 8);
  uint64_t W = chii_bit_words(lanes), *plane = NULL;
  if (g->me == 0)
    plane = w + dst;
  else if (g->me == 2 && kind == CHI_B_SH)
    plane = w + dst + W;
  for (uint64_t j = 0; plane && j < W; j++)
    plane[j] ^= c[j];
}

void chi_gen_b_mulp(chi_gen *g, int kind, uint64_t dst, uint64_t a, uint64_t p,
                    uint64_t lanes) {
  uint64_t n = chi_gen_b_words(g, kind, lanes), *w = g->w;
  uint64_t W = chii_bit_words(lanes);
  const uint64_t *c = w + p;
  if (in_bytes(g, kind)) {
    for (uint64_t j = 0; j < n; j++)
      w[dst + j] = w[a + j] & (chii_spread(chii_byte_of(c, j)) * 0xff);
    return;
  }
  for (uint64_t at = 0; at < n; at += W)
    for (uint64_t j = 0; j < W; j++)
      w[dst + at + j] = w[a + at + j] & c[j];
}

/* acc: NULL or what is added. */
static void muladd(chi_gen *g, uint64_t *z, const uint64_t *acc,
                   const uint64_t *x, const uint64_t *y, uint64_t lanes) {
  uint64_t n = chi_gen_b_words(g, CHI_B_PROD, lanes);
  if (in_bytes(g, CHI_B_PROD)) {
    for (uint64_t j = 0; j < n; j++)
      z[j] = (acc ? acc[j] : 0) ^ chii_gf_mul(x[j], y[j]);
    return;
  }
  /* x_i y_i + x_i y_{i+1} + x_{i+1} y_i */
  for (uint64_t j = 0; j < n; j++)
    z[j] = (acc ? acc[j] : 0) ^ (x[j] & (y[j] ^ y[n + j])) ^ (x[n + j] & y[j]);
}

void chi_gen_b_mul(chi_gen *g, uint64_t dst, uint64_t a, uint64_t b,
                   uint64_t lanes) {
  muladd(g, g->w + dst, NULL, g->w + a, g->w + b, lanes);
}

void chi_gen_b_muladd(chi_gen *g, uint64_t dst, uint64_t acc, uint64_t a,
                      uint64_t b, uint64_t lanes) {
  muladd(g, g->w + dst, g->w + acc, g->w + a, g->w + b, lanes);
}

void chi_gen_b_lift(chi_gen *g, uint64_t dst, uint64_t a, uint64_t lanes) {
  memcpy(g->w + dst, g->w + a, chi_gen_b_words(g, CHI_B_PROD, lanes) * 8);
}

void chi_gen_b_hide(chi_gen *g, uint64_t dst, uint64_t p, uint64_t lanes) {
  memset(g->w + dst, 0, chi_gen_b_words(g, CHI_B_SH, lanes) * 8);
  chi_gen_b_addp(g, CHI_B_SH, dst, dst, p, lanes);
}

static uint64_t parity(uint64_t w) {
  for (unsigned k = 32; k; k >>= 1)
    w ^= w >> k;
  return w & 1;
}

static void sum_bits(uint64_t *d, const uint64_t *v, uint64_t lanes,
                     uint64_t inner) {
  memset(d, 0, chii_bit_words(lanes) * 8);
  for (uint64_t o = 0, at = 0; o < lanes; o++) {
    uint64_t z = 0;
    for (uint64_t end = at + inner, n; at < end; at += n) {
      n = chii_min(64, end - at);
      z ^= chii_bits_get(v, at, n);
    }
    d[o / 64] |= parity(z) << (o % 64);
  }
}

static void sum_bytes(uint64_t *dst, const uint64_t *src, uint64_t lanes,
                      uint64_t inner) {
  uint8_t *d = (uint8_t *)dst;
  const uint8_t *v = (const uint8_t *)src;
  memset(d, 0, chii_bit_bytes(lanes) * 8);
  for (uint64_t o = 0; o < lanes; o++, v += inner)
    for (uint64_t k = 0; k < inner; k++)
      d[o] ^= v[k];
}

void chi_gen_b_sum(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                   uint64_t lanes_out, uint64_t inner) {
  uint64_t lanes = lanes_out * inner, W = chii_bit_words(lanes_out);
  if (in_bytes(g, kind)) {
    sum_bytes(g->w + dst, g->w + a, lanes_out, inner);
    return;
  }
  sum_bits(g->w + dst, g->w + a, lanes_out, inner);
  if (kind == CHI_B_SH && g->proto->id == CHI_REP3)
    sum_bits(g->w + dst + W, g->w + a + chii_bit_words(lanes), lanes_out,
             inner);
}

void chi_gen_b_select(chi_gen *g, int kind, uint64_t dst, uint64_t x,
                      uint64_t y, uint64_t lanes, uint64_t cond,
                      uint64_t cond_lanes) {
  uint64_t n = chi_gen_b_words(g, kind, lanes), *w = g->w;
  const uint64_t *c = w + cond;
  uint64_t per = in_bytes(g, kind) ? 8 : 64, W = (lanes + per - 1) / per;
  for (uint64_t j = 0; j < W; j++) {
    uint64_t m = 0 - c[0];
    if (cond_lanes > 1) {
      m = 0;
      for (uint64_t k = 0; k < per && j * per + k < lanes; k++)
        m |= c[j * per + k] << (k * (64 / per));
      if (per == 8)
        m *= 0xff;
    }
    for (uint64_t at = j; at < n; at += W)
      w[dst + at] = (w[x + at] & m) | (w[y + at] & ~m);
  }
}
