#include "node/ask.h"

#include <string.h>

void ask_put_be(buf *b, uint64_t v, int bytes) {
  while (bytes-- > 0)
    buf_putc(b, (char)(v >> (8 * bytes)));
}

uint64_t ask_get_be(const uint8_t *p, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++)
    v = v << 8 | p[i];
  return v;
}

size_t ask_begin(buf *b, uint8_t kind) {
  size_t begun = b->n;
  ask_put_be(b, 0, ASK_HEAD);
  buf_putc(b, (char)kind);
  return begun;
}

void ask_end(buf *b, size_t begun) {
  uint64_t n = b->n - begun - ASK_HEAD;
  for (int i = 0; i < ASK_HEAD; i++)
    b->p[begun + (size_t)i] = (char)(n >> (8 * (ASK_HEAD - 1 - i)));
}

void ask_challenge(uint8_t out[ASK_CHALLENGE_BYTES],
                     const uint8_t identity[32], uint64_t after,
                     const uint8_t nonce[32]) {
  memcpy(out, "chirograph letters v1", 21);
  memcpy(out + 21, identity, 32);
  for (int i = 0; i < 8; i++)
    out[53 + i] = (uint8_t)(after >> (56 - 8 * i));
  memcpy(out + 61, nonce, 32);
}
