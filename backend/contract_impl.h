/* Between the files that read a contract package. */
#ifndef BACKEND_CONTRACT_IMPL_H
#define BACKEND_CONTRACT_IMPL_H

#include <jansson.h>

#include "backend/contract.h"

typedef struct ct_reader {
  arena *a;
  diag *dg;
  const char *path;
  bool ok; /* false after the one report */
  mpz_srcptr p; /* the package's field, once it is read */
} ct_reader;

/* Reports the first violation; false. */
bool ct_refuse(ct_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- contract_type.c ---- */
/* Is it a name as sources and ledgers have them: printable ASCII, no space,
 * quote or backslash? */
bool ct_is_name(const char *s);
/* A string of at most `max` bytes; "" after a report. */
const char *ct_text(ct_reader *r, const json_t *o, const char *ctx,
                    const char *key, size_t max);
const char *ct_name(ct_reader *r, const json_t *o, const char *ctx,
                    const char *key);
/* A list of at most `max` entries; NULL and 0 after a report. */
const json_t *ct_list(ct_reader *r, const json_t *o, const char *ctx,
                      const char *key, size_t max, uint32_t *n);
/* A leaf as {"lanes", "lo", "hi"}, under a name that was read. */
void ct_read_leaf(ct_reader *r, const json_t *o, const char *ctx, ct_leaf *l);
/* All leaves of [{"name", "type": TYPE}], in order of declaration. */
ct_leaf *ct_read_fields(ct_reader *r, const json_t *list, const char *ctx,
                        uint32_t *n);
/* All leaves of one value called `name`. */
ct_leaf *ct_read_value(ct_reader *r, const json_t *type, const char *name,
                       bool secret, uint32_t *n);
/* Is it a TYPE of one public lane: a key? */
bool ct_read_key(ct_reader *r, const json_t *type, const char *ctx);

/* ---- contract_check.c ---- */
/* Finds the types of all leaves, and checks the rules of the three parts; false
 * after a report. */
bool ct_check_action(ct_reader *r, const contract *c, ct_action *x);
/* Adds to a sum of lanes that the ledger holds or is told. */
bool ct_count_lanes(ct_reader *r, const char *what, uint64_t lanes,
                    uint64_t *sum);

#endif
