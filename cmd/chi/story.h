/* What happened in a call, in the words of its contract: arguments, opened
 * values, events, result; as text for people or as JSON. */
#ifndef CMD_CHI_STORY_H
#define CMD_CHI_STORY_H

#include "cmd/chi/iface.h"
#include "cmd/chi/show.h"
#include "ledger/ledger.h"

typedef struct story {
  cli *c;
  const iface *f;
  const people *who;
  bool json;
} story;

/* "(amount: sealed, to: ann)"; JSON: an object, null for what is sealed. */
void story_args(const story *s, buf *b, const iface_action *x,
                const tx_values *args);
/* A line "result = .." if there is one; JSON: the value or null. */
void story_result(const story *s, buf *b, const iface_action *x,
                  const tx_values *result, const char *indent);
/* Lines "opened .."; JSON: a list. */
void story_opened(const story *s, buf *b, const iface_action *x,
                  const tx_values *opened, const char *indent);
/* Lines "event .."; JSON: a list. */
void story_events(const story *s, buf *b, const ledger_event *e, uint32_t n,
                  const char *indent);
/* "2026-11-26 19:05:03". */
const char *story_time(arena *a, uint64_t ms);

#endif
