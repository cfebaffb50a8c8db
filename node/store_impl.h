/* The store from inside: what store.c and store_mail.c share. */
#ifndef NODE_STORE_IMPL_H
#define NODE_STORE_IMPL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "node/store.h"

struct store {
  sqlite3 *db;
  pthread_mutex_t lock; /* held by every public function */
  uint8_t *key;         /* 32 bytes, locked page */
  unsigned node;
  uint8_t protocol;
};

/* ---- store_file.c ---- */

/* A sentence, in a buffer of the calling thread. */
const char *store_say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* What SQLite said last. */
store_status store_fault(store *s, const char **why);

/* A prepared statement with its values bound, NULL if that failed.  `form` has
 * a letter for each: i int64_t, k a 32-byte blob, b a blob and its size_t, t a
 * text.  What is bound must live until the statement is finalized. */
sqlite3_stmt *store_query(store *s, const char *sql, const char *form, ...);
/* The same, run to its end. */
bool store_do(store *s, const char *sql, const char *form, ...);
/* Ends a transaction begun with store_do(s, "BEGIN IMMEDIATE", ""): commits if
 * ok, else rolls back.  False: *why is set. */
bool store_end(store *s, bool ok, const char **why);
/* Is there a row?  -1: failed. */
int store_any(store *s, const char *sql, int64_t value);
/* Column `c` as 32 bytes; zeros if it is not that long. */
void store_key_column(sqlite3_stmt *st, int c, uint8_t out[32]);

/* n bytes to n + STORE_SEAL_BYTES and back, bound to `ad`. */
enum { STORE_SEAL_BYTES = 40 };
void store_seal(const store *s, const buf *ad, const void *msg, size_t n,
                uint8_t *box);
bool store_unseal(const store *s, const buf *ad, const uint8_t *box,
                  size_t bytes, void *msg, size_t n);

#endif
