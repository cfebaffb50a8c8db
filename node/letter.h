/* A value told to an identity, as one node keeps it and gives it. */
#ifndef NODE_LETTER_H
#define NODE_LETTER_H

#include <stddef.h>
#include <stdint.h>

typedef struct node_letter {
  uint64_t call;
  uint8_t contract[32], session[32];
  uint32_t output;
  const char *name;
  uint64_t lanes;
  const uint8_t *box;
  size_t box_bytes;
} node_letter;

#endif
