#include "bits_kit.h"

#include <string.h>

static bool packed(chi_protocol protocol, int kind) {
  return kind == CHI_B_PUB || protocol == CHI_REP3;
}

uint64_t kit_words(chi_protocol protocol, int kind, uint64_t lanes) {
  if (!packed(protocol, kind))
    return (lanes + 7) / 8;
  return (lanes + 63) / 64 * (kind == CHI_B_SH ? 2 : 1);
}

unsigned kit_bit(const uint64_t *v, uint64_t l) {
  return (unsigned)(v[l / 64] >> (l % 64)) & 1;
}

void kit_set_bit(uint64_t *v, uint64_t l, unsigned bit) {
  v[l / 64] &= ~(UINT64_C(1) << (l % 64));
  v[l / 64] |= (uint64_t)bit << (l % 64);
}

unsigned kit_gf_mul(unsigned a, unsigned b) {
  unsigned z = 0;
  for (; b; b >>= 1) {
    if (b & 1)
      z ^= a;
    a <<= 1;
    if (a & 0x100)
      a ^= 0x11b;
  }
  return z;
}

static unsigned gf_inv(unsigned a) {
  if (a == 1)
    return 1;
  for (unsigned b = 1; b < 256; b++)
    if (kit_gf_mul(a, b) == 1)
      return b;
  return 0;
}

void kit_share(chi_protocol protocol, unsigned n, int kind,
               const unsigned *bit, uint64_t lanes, uint64_t *const *arena,
               uint64_t at, uint64_t *state) {
  for (unsigned i = 0; i < n; i++)
    memset(arena[i] + at, 0, kit_words(protocol, kind, lanes) * 8);
  for (uint64_t l = 0; l < lanes; l++) {
    if (kind == CHI_B_PUB) {
      for (unsigned i = 0; i < n; i++)
        kit_set_bit(arena[i] + at, l, bit[l]);
    } else if (protocol == CHI_REP3) {
      unsigned x[3];
      x[0] = test_random(state) & 1;
      x[1] = test_random(state) & 1;
      x[2] = bit[l] ^ x[0] ^ x[1];
      for (unsigned i = 0; i < 3; i++) {
        kit_set_bit(arena[i] + at, l, x[i]);
        if (kind == CHI_B_SH)
          kit_set_bit(arena[i] + at + (lanes + 63) / 64, l, x[(i + 1) % 3]);
      }
    } else {
      unsigned t = (n + 1) / 2 - 1, deg = kind == CHI_B_SH ? t : 2 * t;
      unsigned c[2 * CHI_PARTIES_MAX];
      for (unsigned e = 0; e < deg; e++)
        c[e] = test_random(state) & 0xff;
      for (unsigned i = 0; i < n; i++) {
        unsigned y = 0;
        for (unsigned e = deg; e-- > 0;)
          y = kit_gf_mul(y ^ c[e], i + 1);
        ((uint8_t *)(arena[i] + at))[l] = (uint8_t)(y ^ bit[l]);
      }
    }
  }
}

/* Value at `x` of the polynomial through the points of parties 0 .. k-1. */
static unsigned at_point(const unsigned *y, unsigned k, unsigned x) {
  unsigned sum = 0;
  for (unsigned i = 0; i < k; i++) {
    unsigned num = 1, den = 1;
    for (unsigned j = 0; j < k; j++)
      if (j != i) {
        num = kit_gf_mul(num, x ^ (j + 1));
        den = kit_gf_mul(den, (i + 1) ^ (j + 1));
      }
    sum ^= kit_gf_mul(y[i], kit_gf_mul(num, gf_inv(den)));
  }
  return sum;
}

/* Bits used .. bits - 1 are 0; looked at with the first lane alone. */
static bool padded(const uint64_t *v, uint64_t used, uint64_t bits,
                   uint64_t lane) {
  if (lane)
    return true;
  for (uint64_t l = used; l < bits; l++)
    if (kit_bit(v, l))
      return false;
  return true;
}

unsigned kit_join(chi_protocol protocol, unsigned n, int kind, uint64_t lanes,
                  uint64_t *const *arena, uint64_t at, uint64_t l) {
  uint64_t W = (lanes + 63) / 64;
  unsigned y[CHI_PARTIES_MAX], z = 0;
  for (unsigned i = 0; i < n; i++) {
    const uint64_t *v = arena[i] + at;
    if (!packed(protocol, kind)) {
      y[i] = ((const uint8_t *)v)[l];
      if (!padded(v, 8 * lanes, (lanes + 7) / 8 * 64, l))
        return 2;
      continue;
    }
    y[i] = kit_bit(v, l);
    z = kind == CHI_B_PUB ? y[i] : z ^ y[i];
    if (!padded(v, lanes, W * 64, l) ||
        (kind == CHI_B_SH && !padded(v + W, lanes, W * 64, l)) ||
        (kind == CHI_B_PUB && y[i] != y[0]) ||
        (kind == CHI_B_SH &&
         kit_bit(v + W, l) != kit_bit(arena[(i + 1) % 3] + at, l)))
      return 2;
  }
  if (packed(protocol, kind))
    return z;
  unsigned t = (n + 1) / 2 - 1, deg = kind == CHI_B_SH ? t : 2 * t;
  for (unsigned i = deg + 1; i < n; i++)
    if (at_point(y, deg + 1, i + 1) != y[i])
      return 2;
  z = at_point(y, deg + 1, 0);
  return z > 1 ? 2 : z;
}
