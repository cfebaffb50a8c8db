/* Writes of a call in order of first writing, found by leaf and key. */
#ifndef LEDGER_OVERLAY_H
#define LEDGER_OVERLAY_H

#include "ledger/record.h"

typedef struct overlay {
  arena *a;
  effect_write *write;
  uint32_t n;
  uint32_t *slot; /* open addressing: index + 1 */
  uint32_t cap;
} overlay;

/* nkey 0: no map.  NULL if it was not written. */
const tx_value *overlay_get(const overlay *o, const char *leaf,
                            const mpz_t *key, uint64_t nkey);
/* Key and value are kept as they are. */
void overlay_put(overlay *o, const effect_write *w);

#endif
