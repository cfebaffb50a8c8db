/* The in-memory transport's hook for tests. */
#ifndef CHII_TRANSPORT_MEM_H
#define CHII_TRANSPORT_MEM_H

#include "chi.h"

#ifdef CHI_TEST_HOOKS
#define CHII_MEM_SWALLOW (-1) /* the bytes are lost */
#define CHII_MEM_CLOSE (-2)   /* the stream from `from` to `to` ends */

/* Sees every piece that party `from` sends to `to` and may change it: `bytes`
 * of `room` at p; returns the new length or CHII_MEM_*. */
typedef long (*chii_mem_hook)(void *user, unsigned from, unsigned to,
                              uint8_t *p, size_t bytes, size_t room);
/* For transport `tr` of chi_mem_new: what its party sends. */
void chii_mem_intercept(chi_transport *tr, chii_mem_hook hook, void *user);
#endif

#endif
