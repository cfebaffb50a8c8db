/* Big-endian numbers of 1 to 8 bytes, as everything writes them that goes to
 * disk or over a wire. */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <stdint.h>

#include "base/buf.h"

static inline void be_put(uint8_t *p, uint64_t v, int bytes) {
  while (bytes-- > 0) {
    p[bytes] = (uint8_t)v;
    v >>= 8;
  }
}

static inline uint64_t be_get(const uint8_t *p, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++) v = v << 8 | p[i];
  return v;
}

static inline void be_write(buf *b, uint64_t v, int bytes) {
  uint8_t p[8];
  be_put(p, v, bytes);
  buf_write(b, p, (size_t)bytes);
}

#endif
