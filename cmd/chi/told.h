/* Values that nodes keep for one identity alone: fetched from each, joined. */
#ifndef CMD_CHI_TOLD_H
#define CMD_CHI_TOLD_H

#include "cmd/chi/contact.h"

typedef struct told_letter {
  uint64_t call;
  const char *contract, *action; /* label and name; "" if unknown */
  uint8_t caller[32];
  const char *name;
  const fe_type *type;
  lanes val;       /* n = 0: `why` says why not */
  const char *why;
} told_letter;

typedef struct told_box {
  told_letter *p;
  size_t n;
} told_box;

/* What the nodes keep for the holder of `id` from calls after `after`.  False
 * after a report; free with told_free. */
bool told_fetch(contact *x, const chi_identity *id, uint64_t after,
                told_box *out);
/* Waits until every node has seen record `seq`, at most some seconds. */
void told_settle(contact *x, uint64_t seq);
void told_free(told_box *b);
void told_print(buf *b, const told_letter *t, const people *who, bool json);

#endif
