/* Callers to nodes: frames of a u32 length (big-endian), a kind and a body of
 * length - 1 bytes.
 *
 *   DEPOSIT   session 32 | bytes                  -> OK
 *   LETTERS   identity 32 | after u64             -> CHALLENGE nonce 32
 *   PROOF     signature 64 of frame_challenge     -> MAIL more u8 | count u32 |
 *               each: call u64 | contract 32 | session 32 | output u32 |
 *               lanes u64 | u32 name | u32 box
 *   STATUS                                        -> JSON text
 *   anything that cannot be done                  -> ERROR a sentence, the end
 */
#ifndef NODE_FRAME_H
#define NODE_FRAME_H

#include <stdint.h>

#include "base/buf.h"
#include "node/node.h"

enum {
  FRAME_DEPOSIT = 1,
  FRAME_LETTERS = 2,
  FRAME_PROOF = 3,
  FRAME_STATUS = 4,
  FRAME_OK = 64,
  FRAME_CHALLENGE = 65,
  FRAME_MAIL = 66,
  FRAME_JSON = 67,
  FRAME_ERROR = 68
};

enum {
  FRAME_HEAD = 4,
  FRAME_ASK_MAX = 1 + 32 + NODE_DEPOSIT_MAX,
  FRAME_TELL_MAX = 256 << 20,
  FRAME_MAIL_BYTES = 32 << 20 /* of boxes in one answer, if there is a choice */
};

/* What the holder of an identity signs: label, identity, after, nonce. */
enum { FRAME_CHALLENGE_BYTES = 21 + 32 + 8 + 32 };
void frame_challenge(uint8_t out[FRAME_CHALLENGE_BYTES],
                     const uint8_t identity[32], uint64_t after,
                     const uint8_t nonce[32]);

void frame_put_be(buf *b, uint64_t v, int bytes);
uint64_t frame_get_be(const uint8_t *p, int bytes);
/* A frame is begun, filled with buf_*, and ended, which sets its length. */
size_t frame_begin(buf *b, uint8_t kind);
void frame_end(buf *b, size_t begun);

#endif
