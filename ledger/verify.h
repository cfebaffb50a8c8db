/* Checks a ledger's file: the hash chain, that records follow from each other,
 * that the tables say what follows from the records.  Thorough: signatures too,
 * and every transaction is met again by the state as it stood and must have the
 * outcome and effects that are recorded.
 */
#ifndef LEDGER_VERIFY_H
#define LEDGER_VERIFY_H

#include "ledger/step.h"

typedef struct verify verify;

verify *verify_new(state *st, packages *p, bool thorough);
void verify_free(verify *v);
/* Goes on for about `records` records, and at their end compares the tables.
 * True when finished. */
bool verify_step(verify *v, uint64_t records);
/* Of a finished check: OK, CORRUPT or FAILED; a sentence that names record and
 * item. */
ledger_status verify_verdict(const verify *v, const char **why);

/* What is known of the chain after a check: its last record. */
typedef struct verify_head {
  uint64_t seq, time_ms;
  uint8_t hash[32];
} verify_head;
verify_head verify_last(const verify *v);

#endif
