/* What the client of a run does with secret values: seals shares of them for
 * the nodes, and reads elements that were told. */
#ifndef CMD_CHI_CLIENT_H
#define CMD_CHI_CLIENT_H

#include "chi.h"
#include "cmd/chi/values.h"
#include "ir/ir.h"

/* One sealed box for each node, box[i] of bytes[i], to be freed by the caller
 * whatever is returned.  CHI_E_RANGE: a value does not fit the field. */
chi_status client_seal(const chi_client_run *run, uint32_t input,
                       const lanes *v, uint8_t **box, size_t *bytes);
/* The integers that n canonical elements of the leaf stand for. */
void client_integers(lanes *out, const ir_module *m, const ir_leaf *l,
                     const uint64_t *element, uint64_t n);

#endif
