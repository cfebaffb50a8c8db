/* What every part of libchi uses: misuse, wiping, the clock, sizes. */
#ifndef CHII_UTIL_H
#define CHII_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chi.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "libchi moves elements between memory and wire as they lie"
#endif

/* Calls the misuse hook; never returns. */
_Noreturn void chii_misuse(const char *function, const char *what);

#define CHII_REQUIRE(cond, what)                                               \
  do {                                                                         \
    if (!(cond))                                                               \
      chii_misuse(__func__, what);                                             \
  } while (0)

/* Monotonic clock. */
uint64_t chii_now_ns(void);

/* Wipes memory so that the compiler cannot drop it; p may be NULL. */
void chii_wipe(void *p, size_t bytes);

/* a * b in *out; false on overflow. */
static inline bool chii_mul_size(size_t *out, uint64_t a, uint64_t b) {
  if (b != 0 && a > SIZE_MAX / b)
    return false;
  *out = (size_t)(a * b);
  return true;
}

static inline uint64_t chii_min(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static inline void chii_put64(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++)
    p[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t chii_get64(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 0; i < 8; i++)
    v |= (uint64_t)p[i] << (8 * i);
  return v;
}

#endif
