#include "wire.h"

#include "util.h"

void chii_frame_put(uint8_t out[CHII_FRAME_BYTES], const chii_frame *f) {
  chii_put64(out, f->tag);
  chii_put64(out + 8, f->round);
  chii_put64(out + 16, f->bytes);
}

void chii_frame_get(chii_frame *f, const uint8_t in[CHII_FRAME_BYTES]) {
  f->tag = chii_get64(in);
  f->round = chii_get64(in + 8);
  f->bytes = chii_get64(in + 16);
}

chii_frame_fault chii_frame_check(const chii_frame *got,
                                  const chii_frame *scheduled) {
  if (got->round == CHII_ROUND_STOP)
    return CHII_FRAME_STOP;
  if (got->tag != scheduled->tag)
    return CHII_FRAME_GARBAGE;
  if (got->round < scheduled->round)
    return CHII_FRAME_OLD;
  if (got->round > scheduled->round)
    return CHII_FRAME_EARLY;
  if (got->bytes != scheduled->bytes)
    return CHII_FRAME_LENGTH;
  return CHII_FRAME_GOOD;
}
