/* The store: shares and the runs that make them. */
#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "chi.h"
#include "node/store_impl.h"

enum { SHARE_BYTES_MAX = 900 << 20 }; /* SQLite: blobs below 10^9 bytes */

/* Where a share belongs; what the box is bound to.  The leaf comes last, so
 * that nothing needs a length. */
static void bind_place(buf *b, const store *s, const store_place *p,
                       size_t width, size_t lanes) {
  buf_puts(b, "chirograph share v1");
  buf_write(b, p->net, 32);
  buf_write(b, p->contract, 32);
  be_write(b, p->version, 8);
  be_write(b, s->node, 4);
  be_write(b, s->protocol, 1);
  be_write(b, width, 4);
  be_write(b, lanes, 8);
  buf_puts(b, p->leaf);
}

/* Bytes of a share, 0 if it is too large to be kept. */
static size_t share_bytes(size_t width, size_t lanes) {
  return width && lanes <= SHARE_BYTES_MAX / 8 / width ? 8 * width * lanes
                                                         : 0;
}

/* ---- shares ---- */

/* There is no row of p: which versions are there? */
static store_status not_there(store *s, const store_place *p,
                              const char **why) {
  sqlite3_stmt *st = store_query(
      s,
      "SELECT max(version) FROM share WHERE net = ? AND contract = ?"
      " AND leaf = ? AND staged = 0",
      "kkt", p->net, p->contract, p->leaf);
  if (!st || sqlite3_step(st) != SQLITE_ROW) {
    sqlite3_finalize(st);
    return store_fault(s, why);
  }
  bool none = sqlite3_column_type(st, 0) == SQLITE_NULL;
  unsigned long long newest = (unsigned long long)sqlite3_column_int64(st, 0),
                     want = p->version;
  sqlite3_finalize(st);
  const char *name = p->leaf + (*p->leaf == '$');
  if (none) {
    *why = store_say("it has no share of \"%s\", and the ledger names version"
                     " %llu", name, want);
    return STORE_MISSING;
  }
  *why = store_say("its share of \"%s\" is of version %llu, and the ledger"
                   " names %llu", name, newest, want);
  return newest < want ? STORE_OLDER : STORE_MISSING;
}

static store_status load(store *s, const store_place *p, uint64_t *words,
                         size_t width, size_t lanes, const char **why) {
  size_t n = share_bytes(width, lanes);
  sqlite3_stmt *st = store_query(
      s,
      "SELECT lanes, box FROM share WHERE net = ? AND contract = ?"
      " AND leaf = ? AND version = ? AND staged = 0",
      "kkti", p->net, p->contract, p->leaf, (int64_t)p->version);
  int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
  store_status status = STORE_OK;
  if (rc == SQLITE_DONE) {
    sqlite3_finalize(st);
    return not_there(s, p, why);
  }
  if (rc != SQLITE_ROW) {
    status = store_fault(s, why);
  } else if (n == 0 || (uint64_t)sqlite3_column_int64(st, 0) != lanes) {
    *why = store_say("its share of \"%s\" has %lld elements, not %llu",
                     p->leaf + (*p->leaf == '$'),
                     (long long)sqlite3_column_int64(st, 0),
                     (unsigned long long)lanes);
    status = STORE_SHAPE;
  } else {
    buf ad = {0};
    bind_place(&ad, s, p, width, lanes);
    if (!store_unseal(s, &ad, sqlite3_column_blob(st, 1),
                (size_t)sqlite3_column_bytes(st, 1), words, n)) {
      *why = store_say("its share of \"%s\", version %llu, does not open: it"
                       " was changed, or is of another place",
                       p->leaf + (*p->leaf == '$'),
                       (unsigned long long)p->version);
      status = STORE_FOREIGN;
    }
    buf_free(&ad);
  }
  sqlite3_finalize(st);
  return status;
}

store_status store_load(store *s, const store_place *p, uint64_t *words,
                        size_t width, size_t lanes, const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = load(s, p, words, width, lanes, why);
  pthread_mutex_unlock(&s->lock);
  if (status != STORE_OK && share_bytes(width, lanes))
    chi_wipe(words, share_bytes(width, lanes));
  return status;
}

store_status store_list(store *s, arena *a, store_held **out, size_t *n,
                        const char **why) {
  size_t cap = 0;
  *out = NULL;
  *n = 0;
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *st = store_query(
      s,
      "SELECT contract, leaf, version, lanes FROM share WHERE staged = 0"
      " ORDER BY contract, leaf, version", "");
  int rc = SQLITE_ERROR;
  while (st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
    if (*n == cap) {
      *out = arena_grow(a, *out, cap, cap ? 2 * cap : 16, sizeof **out);
      cap = cap ? 2 * cap : 16;
    }
    store_held *h = &(*out)[(*n)++];
    const char *leaf = (const char *)sqlite3_column_text(st, 1);
    store_key_column(st, 0, h->contract);
    h->leaf = arena_strdup(a, leaf ? leaf : "");
    h->version = (uint64_t)sqlite3_column_int64(st, 2);
    h->lanes = (uint64_t)sqlite3_column_int64(st, 3);
  }
  store_status status = rc == SQLITE_DONE ? STORE_OK : store_fault(s, why);
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}

/* ---- runs ---- */

store_status store_start(store *s, const uint8_t session[32], uint64_t call,
                         const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  if (!store_do(s, "INSERT OR IGNORE INTO started VALUES(?, ?)", "ki", session,
                (int64_t)call)) {
    status = store_fault(s, why);
  } else if (sqlite3_changes(s->db) == 0) {
    *why = "it started this run before, and a run is never repeated";
    status = STORE_REPEATED;
  }
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_was_started(store *s, const uint8_t session[32],
                               bool *started, const char **why) {
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *st = store_query(
      s, "SELECT 1 FROM started WHERE session = ?", "k", session);
  int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
  *started = rc == SQLITE_ROW;
  store_status status = rc == SQLITE_ROW || rc == SQLITE_DONE
                            ? STORE_OK
                            : store_fault(s, why);
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}

static bool forget_staged(store *s, int64_t call) {
  return store_do(s, "DELETE FROM share WHERE version = ? AND staged = 1", "i",
                  call) &&
         store_do(s, "DELETE FROM letter WHERE call = ? AND staged = 1", "i",
                  call) &&
         store_do(s, "DELETE FROM run WHERE call = ?", "i", call);
}

static bool put_share(store *s, const store_run *r, const store_share *x) {
  store_place p = {.leaf = x->leaf, .version = r->call};
  size_t n = share_bytes(x->width, x->lanes);
  memcpy(p.net, r->net, 32);
  memcpy(p.contract, r->contract, 32);
  uint8_t *box = malloc(n + STORE_SEAL_BYTES);
  if (!box)
    return false;
  buf ad = {0};
  bind_place(&ad, s, &p, x->width, x->lanes);
  store_seal(s, &ad, x->words, n, box);
  bool ok = store_do(s, "INSERT INTO share VALUES(?, ?, ?, ?, 1, ?, ?)",
                     "kktiib", r->net, r->contract, x->leaf, (int64_t)r->call,
                     (int64_t)x->lanes, box, n + STORE_SEAL_BYTES);
  buf_free(&ad);
  free(box);
  return ok;
}

static bool put_letter(store *s, const store_run *r, const store_told *t) {
  return store_do(s,
                  "INSERT INTO letter VALUES(NULL, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
                  "ikkkitib", (int64_t)r->call, r->contract, r->session, t->to,
                  (int64_t)t->output, t->name, (int64_t)t->lanes, t->box,
                  t->box_bytes);
}

store_status store_stage(store *s, const store_run *r, const char **why) {
  for (size_t i = 0; i < r->nshare; i++)
    if (!share_bytes(r->share[i].width, r->share[i].lanes)) {
      *why = store_say("a share of \"%s\" is too large to be kept",
                       r->share[i].leaf);
      return STORE_SHAPE;
    }
  pthread_mutex_lock(&s->lock);
  int64_t call = (int64_t)r->call;
  store_status status = STORE_OK;
  int done = store_any(
      s, "SELECT 1 FROM share WHERE version = ? AND staged = 0", call);
  if (done == 1) {
    *why = "that call has become current before";
    status = STORE_REPEATED;
  } else {
    bool ok = done == 0 && store_do(s, "BEGIN IMMEDIATE", "") &&
              forget_staged(s, call) &&
              store_do(s, "INSERT INTO run VALUES(?, ?)", "ib", call, r->vote,
                       r->vote_bytes);
    for (size_t i = 0; ok && i < r->nshare; i++)
      ok = put_share(s, r, &r->share[i]);
    for (size_t i = 0; ok && i < r->ntold; i++)
      ok = put_letter(s, r, &r->told[i]);
    if (!store_end(s, ok, why))
      status = STORE_FAILED;
  }
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_vote(store *s, arena *a, uint64_t call, uint8_t **vote,
                        size_t *n, const char **why) {
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *st = store_query(s, "SELECT vote FROM run WHERE call = ?", "i",
                                 (int64_t)call);
  int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
  store_status status = STORE_OK;
  if (rc == SQLITE_ROW) {
    const void *p = sqlite3_column_blob(st, 0);
    *n = (size_t)sqlite3_column_bytes(st, 0);
    *vote = arena_alloc(a, *n);
    if (*n)
      memcpy(*vote, p, *n);
  } else if (rc == SQLITE_DONE) {
    *why = "nothing is staged of that call";
    status = STORE_MISSING;
  } else {
    status = store_fault(s, why);
  }
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}

static bool make_current(store *s, int64_t call) {
  return store_do(s, "UPDATE share SET staged = 0 WHERE version = ?", "i",
                  call) &&
         store_do(s,
                  "DELETE FROM share WHERE staged = 0 AND version < ?1 AND"
                  " (net, contract, leaf) IN (SELECT net, contract, leaf"
                  " FROM share WHERE version = ?1 AND staged = 0)",
                  "i", call) &&
         store_do(s, "UPDATE letter SET staged = 0 WHERE call = ?", "i",
                  call) &&
         store_do(s, "DELETE FROM run WHERE call = ?", "i", call);
}

/* A call that is not staged costs no commit. */
static store_status settle(store *s, uint64_t call,
                           bool (*how)(store *, int64_t), const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = STORE_OK;
  int staged =
      store_any(s, "SELECT 1 FROM run WHERE call = ?", (int64_t)call);
  if (staged < 0) {
    status = store_fault(s, why);
  } else if (staged == 1) {
    bool ok = store_do(s, "BEGIN IMMEDIATE", "") && how(s, (int64_t)call);
    if (!store_end(s, ok, why))
      status = STORE_FAILED;
  }
  pthread_mutex_unlock(&s->lock);
  return status;
}

store_status store_promote(store *s, uint64_t call, const char **why) {
  return settle(s, call, make_current, why);
}

store_status store_discard(store *s, uint64_t call, const char **why) {
  return settle(s, call, forget_staged, why);
}

store_status store_staged(store *s, arena *a, uint64_t **call, size_t *n,
                          const char **why) {
  size_t cap = 0;
  *call = NULL;
  *n = 0;
  pthread_mutex_lock(&s->lock);
  sqlite3_stmt *st = store_query(s, "SELECT call FROM run ORDER BY call", "");
  int rc = SQLITE_ERROR;
  while (st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
    if (*n == cap) {
      *call = arena_grow(a, *call, cap, cap ? 2 * cap : 8, sizeof **call);
      cap = cap ? 2 * cap : 8;
    }
    (*call)[(*n)++] = (uint64_t)sqlite3_column_int64(st, 0);
  }
  store_status status = rc == SQLITE_DONE ? STORE_OK : store_fault(s, why);
  sqlite3_finalize(st);
  pthread_mutex_unlock(&s->lock);
  return status;
}
