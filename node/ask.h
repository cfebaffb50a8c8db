/* Callers to nodes: frames of a u32 length (big-endian), a kind and a body of
 * length - 1 bytes.
 *
 *   DEPOSIT   session 32 | bytes                  -> OK
 *   LETTERS   identity 32 | after u64             -> CHALLENGE nonce 32
 *   PROOF     signature 64 of ask_challenge     -> MAIL more u8 | count u32 |
 *               each: call u64 | contract 32 | session 32 | output u32 |
 *               lanes u64 | u32 name | u32 box
 *   STATUS                                        -> JSON text
 *   anything that cannot be done                  -> ERROR a sentence, the end
 */
#ifndef NODE_ASK_H
#define NODE_ASK_H

#include <stdint.h>

#include "base/buf.h"
#include "node/node.h"

enum {
  ASK_DEPOSIT = 1,
  ASK_LETTERS = 2,
  ASK_PROOF = 3,
  ASK_STATUS = 4,
  ASK_OK = 64,
  ASK_CHALLENGE = 65,
  ASK_MAIL = 66,
  ASK_JSON = 67,
  ASK_ERROR = 68
};

enum {
  ASK_HEAD = 4,
  ASK_FRAME_MAX = 1 + 32 + NODE_DEPOSIT_MAX,
  ASK_ANSWER_MAX = 256 << 20,
  ASK_MAIL_BYTES = 32 << 20 /* of boxes in one answer, if there is a choice */
};

/* What the holder of an identity signs: label, identity, after, nonce. */
enum { ASK_CHALLENGE_BYTES = 21 + 32 + 8 + 32 };
void ask_challenge(uint8_t out[ASK_CHALLENGE_BYTES],
                     const uint8_t identity[32], uint64_t after,
                     const uint8_t nonce[32]);

/* A frame is begun, filled with buf_*, and ended, which sets its length. */
size_t ask_begin(buf *b, uint8_t kind);
void ask_end(buf *b, size_t begun);

#endif
