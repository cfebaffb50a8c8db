/* Sharings of bits made and joined by plain loops: the oracle of tests on bits.
 * It shares no code with the library. */
#ifndef TESTS_RUNTIME_BITS_KIT_H
#define TESTS_RUNTIME_BITS_KIT_H

#include "parties.h"

/* Words of a value of `lanes` bits. */
uint64_t kit_words(chi_protocol protocol, int kind, uint64_t lanes);
/* Lane l of a packed plane; sets it. */
unsigned kit_bit(const uint64_t *v, uint64_t l);
void kit_set_bit(uint64_t *v, uint64_t l, unsigned bit);
/* Bit-by-bit product in GF(2^8). */
unsigned kit_gf_mul(unsigned a, unsigned b);

/* Shares bit[l] among n parties: arena[i] + at gets party i's value, padding
 * zero.  PUB: packed for everybody.  PROD: of degree 2t, or three summands. */
void kit_share(chi_protocol protocol, unsigned n, int kind,
               const unsigned *bit, uint64_t lanes, uint64_t *const *arena,
               uint64_t at, uint64_t *state);
/* The bit of lane l; 2 if the shares are inconsistent or padding is not 0. */
unsigned kit_join(chi_protocol protocol, unsigned n, int kind, uint64_t lanes,
                  uint64_t *const *arena, uint64_t at, uint64_t l);
#endif
