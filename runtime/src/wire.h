/* Frames: one per peer and round, of the length that both sides computed from
 * the schedule.  Nothing else is ever on a stream.
 *
 *   u64 session tag   u64 round   u64 payload bytes      little-endian
 *
 * Round CHII_ROUND_STOP has no payload: the sender's session failed; its
 * length field is status | (culprit + 1) << 8 | (its round) << 16.
 */
#ifndef CHII_WIRE_H
#define CHII_WIRE_H

#include <stdint.h>

#define CHII_FRAME_BYTES 24
#define CHII_ROUND_STOP UINT64_MAX

typedef struct chii_frame {
  uint64_t tag, round, bytes;
} chii_frame;

typedef enum chii_frame_fault {
  CHII_FRAME_GOOD,
  CHII_FRAME_STOP,    /* the peer stopped */
  CHII_FRAME_GARBAGE, /* not of this session */
  CHII_FRAME_OLD,     /* a replay, or more than was scheduled */
  CHII_FRAME_EARLY,
  CHII_FRAME_LENGTH
} chii_frame_fault;

void chii_frame_put(uint8_t out[CHII_FRAME_BYTES], const chii_frame *f);
void chii_frame_get(chii_frame *f, const uint8_t in[CHII_FRAME_BYTES]);
/* Compares a header with the scheduled one. */
chii_frame_fault chii_frame_check(const chii_frame *got,
                                  const chii_frame *scheduled);

#endif
