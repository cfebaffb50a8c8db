/* Calls of actions: cmd_call.c makes one, call_batch.c many. */
#ifndef CMD_CHI_CALL_H
#define CMD_CHI_CALL_H

#include "cmd/chi/contact.h"
#include "cmd/chi/inputs.h"
#include "cmd/chi/story.h"
#include "cmd/chi/told.h"

typedef struct call {
  cli *c;
  contact x;
  ledger_instance inst;
  iface *f;
  chi_identity *id;
  submission s;
  progress prog;
  /* of one call */
  const iface_action *act;
  inputs in;
  tx t;
  uint64_t seq, end;       /* of the call, of what ended it */
  const ledger_record *r;  /* what ended it */
  const char *reverted;    /* NULL, or why */
  const tx *vote;          /* one to commit, or one to abort */
  uint64_t bytes[CHI_PARTIES_MAX];
  told_box told;
  double seconds;
} call;

/* Makes the call that act and in say and waits for its end; false after a
 * report. */
bool call_make(call *k);
/* Without a newline. */
/* Lines "told to .." */
void call_told(const call *k, buf *b);
void call_json(const call *k, buf *b);
/* Frees what belongs to one call. */
void call_forget(call *k);

/* ---- call_batch.c ---- */
/* Calls of k's contract and identity from --batch; an exit code. */
int call_batch(call *k);

#endif
