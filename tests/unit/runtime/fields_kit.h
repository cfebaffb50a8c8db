/* Fields to test with, and their elements. */
#ifndef TESTS_RUNTIME_FIELDS_KIT_H
#define TESTS_RUNTIME_FIELDS_KIT_H

#include "parties.h"

typedef struct kit_named_field {
  const char *name;
  chi_field field;
} kit_named_field;

extern const kit_named_field kit_field[];
extern const unsigned kit_fields;
/* Index of a field by its name. */
unsigned kit_find(const char *name);

/* A random element, or one at an edge: 0, 1, p - 1, (p - 1) / 2, 2^64 .. */
void kit_element(const chii_field *f, uint64_t *out, uint64_t *seed);

#endif
