#include "node/ask.h"

#include <string.h>

#include "base/be.h"

size_t ask_begin(buf *b, uint8_t kind) {
  size_t begun = b->n;
  be_write(b, 0, ASK_HEAD);
  buf_putc(b, (char)kind);
  return begun;
}

void ask_end(buf *b, size_t begun) {
  be_put((uint8_t *)b->p + begun, b->n - begun - ASK_HEAD, ASK_HEAD);
}

void ask_challenge(uint8_t out[ASK_CHALLENGE_BYTES],
                     const uint8_t identity[32], uint64_t after,
                     const uint8_t nonce[32]) {
  memcpy(out, "chirograph letters v1", 21);
  memcpy(out + 21, identity, 32);
  be_put(out + 53, after, 8);
  memcpy(out + 61, nonce, 32);
}
