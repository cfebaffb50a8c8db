/* Arguments of a call: public ones into the transaction, secret ones sealed for
 * each node. */
#ifndef CMD_CHI_SEALING_H
#define CMD_CHI_SEALING_H

#include "cmd/chi/contact.h"
#include "cmd/chi/inputs.h"

/* Public leaves of the parameters, in order of declaration. */
void sealing_public(arena *a, const inputs *in, tx_values *out);
/* Shares every secret parameter that the circuit takes, deposits each node's
 * part with it before `limit` (clock_seconds()) and gives the digests; *n = 0
 * if there is none.  False after a report. */
bool sealing_secret(contact *x, const ct_action *part, const inputs *in,
                    const uint8_t session[32], double limit,
                    uint8_t (**digest)[32], uint32_t *n);

#endif
