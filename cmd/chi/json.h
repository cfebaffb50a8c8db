/* Reads JSON without losing a digit: numbers stay text.  The relaxed form is
 * for values typed on a command line: keys and names without quotes, hex
 * numbers, digit separators, round brackets as lists. */
#ifndef CMD_CHI_JSON_H
#define CMD_CHI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum { JSON_WORD, JSON_STRING, JSON_LIST, JSON_OBJECT } json_kind;

typedef struct json_val json_val;
typedef struct json_member json_member;
struct json_val {
  json_kind kind;
  uint32_t start, end; /* bytes of the text */
  uint32_t n;          /* bytes of a string, elements, members */
  union {
    const char *text;        /* STRING, decoded; WORD: bytes start..end */
    const json_val *item;    /* LIST */
    const json_member *member;
  } u;
};
struct json_member {
  const char *key;
  uint32_t start, end; /* of the key */
  json_val val;
};

typedef struct json_error {
  const char *want, *found;
  uint32_t start, end;
} json_error;

/* text has n < 2^32 - 1 bytes and a NUL; the result points into it.  NULL with
 * *err filled if it is not well formed. */
const json_val *json_read(arena *a, const char *text, size_t n, bool relaxed,
                          json_error *err);
/* Member of an object by name, or NULL. */
const json_val *json_get(const json_val *object, const char *key);

#endif
