/* Records of the chain: what a transaction did, as bytes that are hashed.
 *
 * effects = contract | call | lock_until | handed | secret before | secret
 * after | result | events | writes | label | slots (codec.h).  Of a PENDING
 * record events and writes are those that before staged; they take effect with
 * the record that ends the call, whose effects repeat them.
 */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "backend/contract.h"
#include "ledger/codec.h"
#include "ledger/ledger.h"

enum {
  RECORD_EVENTS_MAX = 65536,
  RECORD_WRITES_MAX = 1 << 20,
  EFFECTS_BYTES_MAX = 32 << 20
};

/* A public leaf or one entry of a map becomes `value` (whose name is the
 * leaf's).  key.n = 0: no map. */
typedef struct effect_write {
  tx_value key, value;
} effect_write;

typedef struct effects {
  uint8_t contract[32];
  uint64_t call, lock_until_ms;
  tx_values handed, secret_before, secret_after, result;
  ledger_event *event;
  uint32_t nevent;
  effect_write *write;
  uint32_t nwrite;
  const char *label; /* of a deploy that is done; else "" */
  ledger_slot *slot; /* of a deploy that is done: all secret variables */
  uint32_t nslot;
} effects;

/* NULL if a limit is broken. */
uint8_t *effects_encode(arena *a, const effects *e, size_t *n);
/* False with a clause. */
bool effects_decode(arena *a, const uint8_t *p, size_t n, effects *e,
                    const char **why);

/* A record as it is stored and sent. */
typedef struct raw_record {
  uint64_t seq, time_ms;
  uint8_t prev[32], hash[32];
  const uint8_t *tx, *effects;
  size_t tx_bytes, effects_bytes;
  rec_outcome outcome;
  const char *why;
} raw_record;

void record_hash(const raw_record *r, uint8_t out[32]);
/* Decodes transaction and effects; `e` may be NULL.  False with a clause. */
bool record_open(arena *a, const raw_record *r, ledger_record *out,
                 effects *e, const char **why);
void record_put(codec_writer *w, const raw_record *r);
void record_get(codec_reader *rd, raw_record *r);

/* Appends name -> v. */
void values_add_u64(arena *a, tx_values *v, const char *name, uint64_t n);
/* Room for one more; its name and lanes are the caller's to fill. */
tx_value *values_add(arena *a, tx_values *v);
bool values_equal(const tx_values *x, const tx_values *y);

#endif
