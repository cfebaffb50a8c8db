/* Scalars between text and numbers, and outputs as text or JSON. */
#ifndef CMD_CHI_VALUES_H
#define CMD_CHI_VALUES_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "frontend/frontend.h"

struct chi_identity;

/* The people of one run.  An identity given by name gets a fresh key, unless
 * the list is closed: then the names are those of identities that are kept. */
typedef struct person {
  const char *name; /* NULL: given by its public key */
  uint8_t pub[32];
  struct chi_identity *key; /* NULL: it is not here */
} person;
typedef struct people {
  person *p;
  uint32_t n, cap;
  bool closed;
} people;
/* The person of that name or public key; a new one if there is none.  NULL if
 * a key could not be made, or nobody has that name and the list is closed. */
const person *people_get(people *w, const char *text, size_t n);
/* One more, known by its public key; false if out of memory. */
bool people_add(people *w, const char *name, const uint8_t pub[32]);
const person *people_find(const people *w, const uint8_t pub[32]);
void people_free(people *w);
/* A name that may stand for an identity, or 64 hex digits. */
bool identity_valid(const char *text, size_t n);
/* The circuit's integer of an identity: 32 bytes, most significant first. */
void identity_to_mpz(mpz_t out, const uint8_t pub[32]);
bool identity_from_mpz(uint8_t pub[32], mpz_srcptr v);

/* The lanes of one leaf: small where its range is known and fits int64 (field:
 * 2^61 - 1), else big.  A prime that is NULL is 2^61 - 1, here and below. */
typedef struct lanes {
  uint64_t n;
  int64_t *small;
  mpz_t *big;
} lanes;
void lanes_new(lanes *l, const fe_leaf *leaf, mpz_srcptr prime);
void lanes_free(lanes *l);
void lanes_get(const lanes *l, uint64_t i, mpz_t out);
void lanes_set(lanes *l, uint64_t i, mpz_srcptr v);

typedef enum { VALUE_OK, VALUE_FORM, VALUE_RANGE } value_status;
/* Reads one scalar of the leaf's type: raw for fixed (rounded to nearest,
 * ties to even), canonical for field.  Identities go through people_get. */
value_status value_read(const fe_leaf *leaf, mpz_srcptr prime,
                        const char *text, size_t n, mpz_t out);
/* The same for plain decimal digits of types within int64; false: use the
 * other. */
bool value_read_small(const fe_leaf *leaf, mpz_srcptr prime, const char *text,
                      size_t n, int64_t *out);
const char *value_wants(fe_kind k); /* "an integer" */
/* p - 1. */
void value_greatest(buf *b, mpz_srcptr prime);

/* Shortest decimal that rounds back to raw at `scale` fraction bits. */
void value_fixed(buf *b, mpz_srcptr raw, uint32_t scale);
void value_show(buf *b, const fe_type *t, mpz_srcptr v, const people *w,
                bool json);
void value_shape(buf *b, const uint64_t *dim, uint32_t n); /* "2 x 3" */

#endif
