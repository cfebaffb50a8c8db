/* Which received words of an exchange are masked by which draws, found by
 * changing draws, and what that means for nodes that pool their views. */
#ifndef TESTS_GADGET_MASKS_H
#define TESTS_GADGET_MASKS_H

#include "lab.h"

/* What was looked at, and what was found wrong. */
typedef struct masks {
  unsigned words;     /* received words that are no openings */
  unsigned opened;    /* lanes that were opened, of the field and of bits */
  unsigned twice;     /* draws used again */
  unsigned early;     /* frames that a later draw changed */
  unsigned elsewhere; /* words that follow other draws than those of their
                         place, or not linearly */
  unsigned bare;      /* words and coalitions: not masked by what it lacks */
} masks;

/* Runs l with all shifts and looks at every exchange.  False: a run failed, or
 * a frame has another length than its items. */
bool masks_find(lab *l, masks *m);
/* What of the draws the node does not know; how many, `room` at most. */
unsigned masks_unknown(const lab *l, unsigned node, lab_free *out,
                       unsigned room);
static inline unsigned masks_wrong(const masks *m) {
  return m->twice + m->early + m->elsewhere + m->bare;
}

#endif
