/* GF(2^8) for sharings of bits among n parties: coefficients are public, lanes
 * are secret and go eight to a word. */
#include "bits.h"

static uint8_t mul(uint8_t a, uint8_t b) {
  return (uint8_t)chii_gf_mul(a, b);
}

/* a^254; 0 gives 0. */
static uint8_t inv(uint8_t a) {
  uint8_t r = 1;
  for (int k = 7; k >= 0; k--) {
    r = mul(r, r);
    if (k != 0)
      r = mul(r, a);
  }
  return r;
}

void chii_gf_lagrange(uint8_t *c, const uint8_t *x, unsigned n, uint8_t at) {
  for (unsigned i = 0; i < n; i++) {
    uint8_t num = 1, den = 1;
    for (unsigned j = 0; j < n; j++)
      if (j != i) {
        num = mul(num, at ^ x[j]);
        den = mul(den, x[i] ^ x[j]);
      }
    c[i] = mul(num, inv(den));
  }
}

void chii_gf_combine(uint64_t *out, const uint8_t *c, const uint64_t *v,
                     size_t stride, unsigned rows, size_t n) {
  for (size_t j = 0; j < n; j++)
    out[j] = 0;
  for (int k = 7; k >= 0; k--) { /* by the coefficients' bits, from the top */
    if (k != 7)
      for (size_t j = 0; j < n; j++)
        out[j] = chii_gf_x(out[j]);
    for (unsigned r = 0; r < rows; r++)
      if (c[r] >> k & 1)
        for (size_t j = 0; j < n; j++)
          out[j] ^= v[r * stride + j];
  }
}
