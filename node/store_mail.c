/* The store: sealed arguments, letters, the last record seen. */
#include <string.h>
#include <time.h>

#include "base/be.h"
#include "node/store_impl.h"

/* Oldest first, until the rest and `n` bytes more fit. */
static bool make_room(store *s, size_t n) {
  int64_t now = (int64_t)time(NULL);
  if (!store_do(s, "DELETE FROM sealed WHERE at < ? OR at > ?", "ii",
                now - STORE_SEALED_SECONDS, now + STORE_SEALED_SECONDS))
    return false;
  return store_do(
      s,
      "DELETE FROM sealed WHERE rowid IN (SELECT r FROM (SELECT rowid AS r,"
      " sum(length(box)) OVER (ORDER BY at DESC, rowid DESC) AS total"
      " FROM sealed) WHERE total > ?)",
      "i", (int64_t)STORE_SEALED_MAX - (int64_t)n);
}

store_status store_put_sealed(store *s, const uint8_t session[32],
                              const uint8_t digest[32], const uint8_t *p,
                              size_t n, const char **why) {
  if (n > STORE_SEALED_MAX) {
    *why = store_say("sealed arguments of %zu bytes are too large", n);
    return STORE_SHAPE;
  }
  pthread_mutex_lock(&s->lock);
  bool ok = store_do(s, "BEGIN IMMEDIATE", "") &&
            store_do(s, "DELETE FROM sealed WHERE session = ? AND digest = ?",
                     "kk", session, digest) &&
            make_room(s, n) &&
            store_do(s, "INSERT INTO sealed VALUES(?, ?, ?, ?)", "kkib",
                     session, digest, (int64_t)time(NULL), p, n);
  ok = store_end(s, ok, why);
  pthread_mutex_unlock(&s->lock);
  return ok ? STORE_OK : STORE_FAILED;
}

static int copy_box(store *s, arena *a, const uint8_t session[32],
                    const uint8_t digest[32], uint8_t **p, size_t *n) {
  sqlite3_stmt *st = store_query(
      s, "SELECT box FROM sealed WHERE session = ? AND digest = ?", "kk",
      session, digest);
  int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
  if (rc == SQLITE_ROW) {
    const void *box = sqlite3_column_blob(st, 0);
    *n = (size_t)sqlite3_column_bytes(st, 0);
    *p = arena_alloc(a, *n);
    if (*n)
      memcpy(*p, box, *n);
  }
  sqlite3_finalize(st);
  return rc;
}

store_status store_get_sealed(store *s, arena *a, const uint8_t session[32],
                              const uint8_t digest[32], uint8_t **p, size_t *n,
                              const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  int rc = copy_box(s, a, session, digest, p, n);
  if (rc == SQLITE_DONE) {
    sqlite3_stmt *st = store_query(
        s, "SELECT 1 FROM sealed WHERE session = ? LIMIT 1", "k", session);
    rc = st ? sqlite3_step(st) : SQLITE_ERROR;
    sqlite3_finalize(st);
    status = rc == SQLITE_ROW ? STORE_FOREIGN : STORE_MISSING;
    *why = rc == SQLITE_ROW
               ? "the sealed arguments it was sent are not those that the"
                 " caller signed"
               : "it was not sent the sealed arguments";
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    status = store_fault(s, why);
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_drop_sealed(store *s, const uint8_t session[32],
                               const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  if (!store_do(s, "DELETE FROM sealed WHERE session = ?", "k", session))
    status = store_fault(s, why);
  pthread_mutex_unlock(&s->lock);
  return status;
}

static void read_letter(sqlite3_stmt *st, arena *a, node_letter *l) {
  const char *name = (const char *)sqlite3_column_text(st, 4);
  const void *box = sqlite3_column_blob(st, 6);
  l->call = (uint64_t)sqlite3_column_int64(st, 0);
  store_key_column(st, 1, l->contract);
  store_key_column(st, 2, l->session);
  l->output = (uint32_t)sqlite3_column_int64(st, 3);
  l->name = arena_strdup(a, name ? name : "");
  l->lanes = (uint64_t)sqlite3_column_int64(st, 5);
  l->box_bytes = (size_t)sqlite3_column_bytes(st, 6);
  uint8_t *copy = arena_alloc(a, l->box_bytes);
  if (l->box_bytes)
    memcpy(copy, box, l->box_bytes);
  l->box = copy;
}

store_status store_letters(store *s, arena *a, const uint8_t to[32],
                           uint64_t after, size_t max_bytes,
                           node_letter **out, size_t *n, bool *more,
                           const char **why) {
  size_t cap = 0, bytes = 0;
  *out = NULL;
  *n = 0;
  *more = false;
  if (after > INT64_MAX)
    return STORE_OK;
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *st = store_query(
      s,
      "SELECT call, contract, session, output, name, lanes, box FROM letter"
      " WHERE holder = ? AND call > ? AND staged = 0 ORDER BY call, id",
      "ki", to, (int64_t)after);
  int rc = SQLITE_ERROR;
  while (st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
    bytes += (size_t)sqlite3_column_bytes(st, 6);
    if (*n && bytes > max_bytes &&
        (uint64_t)sqlite3_column_int64(st, 0) != (*out)[*n - 1].call) {
      *more = true;
      rc = SQLITE_DONE;
      break;
    }
    if (*n == cap) {
      *out = arena_grow(a, *out, cap, cap ? 2 * cap : 8, sizeof **out);
      cap = cap ? 2 * cap : 8;
    }
    read_letter(st, a, &(*out)[(*n)++]);
  }
  store_status status = rc == SQLITE_DONE ? STORE_OK : store_fault(s, why);
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_seen(store *s, uint64_t *seq, uint8_t hash[32],
                        const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  sqlite3_stmt *st =
      store_query(s, "SELECT value FROM meta WHERE name = 'seen'", "");
  int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
  *seq = 0;
  memset(hash, 0, 32);
  if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 40) {
    const uint8_t *p = sqlite3_column_blob(st, 0);
    *seq = be_get(p, 8);
    memcpy(hash, p + 8, 32);
  } else if (rc == SQLITE_ROW) {
    *why = "its store was changed: the last record seen is malformed";
    status = STORE_FOREIGN;
  } else if (rc != SQLITE_DONE) {
    status = store_fault(s, why);
  }
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_set_seen(store *s, uint64_t seq, const uint8_t hash[32],
                            const char **why) {
  uint8_t v[40];
  be_put(v, seq, 8);
  memcpy(v + 8, hash, 32);
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  if (!store_do(s, "INSERT OR REPLACE INTO meta VALUES('seen', ?)", "b", v,
                sizeof v))
    status = store_fault(s, why);
  pthread_mutex_unlock(&s->lock);
  return status;
}
