/* Lengths of what a node sends: a transport around another. */
#ifndef TESTS_KIT_TAP_H
#define TESTS_KIT_TAP_H

#include "kit.h"

typedef struct kit_tap {
  chi_transport inner;
  kit_stream *to; /* [party] */
  chi_transport_ops ops;
} kit_tap;

/* tr becomes a transport that notes the frames sent to each party in `to`. */
void kit_tap_around(kit_tap *t, chi_transport *tr, kit_stream *to);

#endif
