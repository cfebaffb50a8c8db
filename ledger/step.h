/* One transaction met by a state: whether it is recorded, and with which
 * outcome and effects.  Reads the state and writes nothing: the ledger applies
 * what comes out (state_apply), a check compares it with what was recorded.
 */
#ifndef LEDGER_STEP_H
#define LEDGER_STEP_H

#include "ledger/exec.h"

typedef struct step {
  state *st;
  packages *packages;
  const tx *genesis; /* NULL: seq is 1 */
  uint8_t net[32];   /* hash of the genesis */
  uint64_t budget;
  uint64_t seq, time_ms; /* of the record that it would become */
} step;

typedef struct step_result {
  ledger_status status; /* OK, REVERTED: to be recorded */
  rec_outcome outcome;
  const char *why;
  uint64_t seq;   /* LOCKED: the pending call; a vote repeated: its record */
  bool repeated;  /* OK, but recorded long ago */
  effects fx;
  const uint8_t *bytes; /* fx, encoded */
  size_t nbytes;
} step_result;

/* p, n: the bytes of t.  Everything lives in `a`. */
void step_run(const step *s, arena *a, const uint8_t *p, size_t n,
              const tx *t, step_result *out);

/* ---- step_call.c: the kinds of which step_run has checked the frame ---- */
void step_deploy(const step *s, arena *a, const tx *t, step_result *out);
void step_call(const step *s, arena *a, const tx *t, step_result *out);
/* ---- step_vote.c ---- */
void step_vote(const step *s, arena *a, const uint8_t *p, size_t n,
               const tx *t, step_result *out);
void step_expire(const step *s, arena *a, const tx *t, step_result *out);

/* Steps of one part, as the genesis says. */
uint64_t step_budget(const tx *genesis);
/* Sets status (and outcome, if it is recorded) and a reason. */
void step_end(step_result *out, ledger_status status, rec_outcome outcome,
              const char *why);

/* A view on the state as it stands, at time and height of s. */
ledger_status step_view(const step *s, arena *a, const ledger_query *q,
                        tx_values *result, const char **why);

#endif
