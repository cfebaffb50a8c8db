/* Inside the embedded ledger: what its server reaches for. */
#ifndef LEDGER_CHAIN_H
#define LEDGER_CHAIN_H

#include "ledger/verify.h"

typedef struct chain {
  ledger base;
  arena *a; /* genesis */
  state *st;
  packages *packages;
  ledger_options o;
  tx genesis;
  uint8_t net[32];
  verify_head head;
  const char *broken; /* it cannot go on: why */
} chain;

uint64_t chain_clock(const chain *c); /* never before the last record */
/* Records after `after`, at most max and about max_bytes, at least one if there
 * is one; raw.  The server sends them as they are. */
uint32_t chain_records(chain *c, arena *a, uint64_t after, uint32_t max,
                       size_t max_bytes, raw_record **out);
/* Everything but RECORD and VERIFY. */
ledger_status chain_read(chain *c, arena *a, const ledger_query *q,
                         ledger_answer *out);
/* FAILED or CORRUPT with what SQLite says, OK if it says nothing. */
ledger_status chain_trouble(chain *c, arena *a, const char **why);

#endif
