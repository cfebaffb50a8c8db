#include "node/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "chi.h"
#include "node/store_impl.h"

enum {
  FORMAT = 1,
  NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
  TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
  SHARE_BYTES_MAX = 900 << 20 /* SQLite takes blobs below 10^9 bytes */
};

static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE share(net BLOB, contract BLOB, leaf TEXT, version INTEGER,"
    " staged INTEGER, lanes INTEGER, box BLOB,"
    " PRIMARY KEY(net, contract, leaf, version));"
    "CREATE INDEX share_version ON share(version);"
    "CREATE TABLE run(call INTEGER PRIMARY KEY, vote BLOB);"
    "CREATE TABLE started(session BLOB PRIMARY KEY, call INTEGER)"
    " WITHOUT ROWID;"
    "CREATE TABLE sealed(session BLOB, digest BLOB, at INTEGER, box BLOB,"
    " PRIMARY KEY(session, digest));"
    "CREATE TABLE letter(id INTEGER PRIMARY KEY, call INTEGER, staged INTEGER,"
    " contract BLOB, session BLOB, holder BLOB, output INTEGER, name TEXT,"
    " lanes INTEGER, box BLOB);"
    "CREATE INDEX letter_call ON letter(call);"
    "CREATE INDEX letter_holder ON letter(holder, call);";

/* ---- SQLite ---- */

const char *store_say(const char *format, ...) {
  static _Thread_local char text[320];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  return text;
}

store_status store_fault(store *s, const char **why) {
  *why = store_say("its store failed: %s", sqlite3_errmsg(s->db));
  return STORE_FAILED;
}

static sqlite3_stmt *query(store *s, const char *sql, const char *form,
                           va_list ap) {
  sqlite3_stmt *st;
  if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
    return NULL;
  int rc = SQLITE_OK;
  for (int i = 1; *form && rc == SQLITE_OK; form++, i++) {
    const void *p;
    switch (*form) {
    case 'i':
      rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
      break;
    case 't':
      rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1,
                             SQLITE_STATIC);
      break;
    case 'k':
      rc = sqlite3_bind_blob64(st, i, va_arg(ap, const void *), 32,
                               SQLITE_STATIC);
      break;
    default:
      p = va_arg(ap, const void *);
      rc = sqlite3_bind_blob64(st, i, p ? p : "", va_arg(ap, size_t),
                               SQLITE_STATIC);
      break;
    }
  }
  if (rc == SQLITE_OK)
    return st;
  sqlite3_finalize(st);
  return NULL;
}

sqlite3_stmt *store_query(store *s, const char *sql, const char *form, ...) {
  va_list ap;
  va_start(ap, form);
  sqlite3_stmt *st = query(s, sql, form, ap);
  va_end(ap);
  return st;
}

bool store_do(store *s, const char *sql, const char *form, ...) {
  va_list ap;
  va_start(ap, form);
  sqlite3_stmt *st = query(s, sql, form, ap);
  va_end(ap);
  if (!st)
    return false;
  int rc;
  while ((rc = sqlite3_step(st)) == SQLITE_ROW)
    ;
  sqlite3_finalize(st);
  return rc == SQLITE_DONE;
}

bool store_end(store *s, bool ok, const char **why) {
  if (ok && store_do(s, "COMMIT", ""))
    return true;
  store_fault(s, why);
  if (!sqlite3_get_autocommit(s->db))
    store_do(s, "ROLLBACK", "");
  return false;
}

int store_any(store *s, const char *sql, int64_t value) {
  sqlite3_stmt *st = store_query(s, sql, "i", value);
  if (!st)
    return -1;
  int rc = sqlite3_step(st);
  sqlite3_finalize(st);
  return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

void store_key_column(sqlite3_stmt *st, int c, uint8_t out[32]) {
  const void *p = sqlite3_column_blob(st, c);
  memset(out, 0, 32);
  if (p && sqlite3_column_bytes(st, c) == 32)
    memcpy(out, p, 32);
}

/* ---- sealing at rest ---- */

static void put_be(buf *b, uint64_t v, int bytes) {
  while (bytes-- > 0)
    buf_putc(b, (char)(v >> (8 * bytes)));
}

/* Where a share belongs; what the box is bound to.  The leaf comes last, so
 * that nothing needs a length. */
static void bind_place(buf *b, const store *s, const store_place *p,
                       size_t planes, size_t lanes) {
  buf_puts(b, "chirograph share v1");
  buf_write(b, p->net, 32);
  buf_write(b, p->contract, 32);
  put_be(b, p->version, 8);
  put_be(b, s->node, 4);
  put_be(b, s->protocol, 1);
  put_be(b, planes, 4);
  put_be(b, lanes, 8);
  buf_puts(b, p->leaf);
}

static void seal(const store *s, const buf *ad, const void *msg, size_t n,
                 uint8_t *box) {
  randombytes_buf(box, NONCE);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      box + NONCE, NULL, msg, n, (const uint8_t *)ad->p, ad->n, NULL, box,
      s->key);
}

static bool unseal(const store *s, const buf *ad, const uint8_t *box,
                   size_t bytes, void *msg, size_t n) {
  return bytes == n + NONCE + TAG &&
         crypto_aead_xchacha20poly1305_ietf_decrypt(
             msg, NULL, NULL, box + NONCE, n + TAG, (const uint8_t *)ad->p,
             ad->n, box, s->key) == 0;
}

/* Bytes of a share, 0 if it is too large to be kept. */
static size_t share_bytes(size_t planes, size_t lanes) {
  return planes && lanes <= SHARE_BYTES_MAX / 8 / planes ? 8 * planes * lanes
                                                         : 0;
}

/* ---- opening ---- */

static const uint8_t owner_text[16] = "chirograph store";

static void bind_owner(buf *b, const store *s) {
  buf_puts(b, "chirograph store v1");
  put_be(b, s->node, 4);
  put_be(b, s->protocol, 1);
}

static bool create(store *s) {
  uint8_t box[NONCE + sizeof owner_text + TAG];
  buf ad = {0};
  bind_owner(&ad, s);
  seal(s, &ad, owner_text, sizeof owner_text, box);
  buf_free(&ad);
  bool ok = store_do(s, "BEGIN IMMEDIATE", "") &&
            sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
            store_do(s, "INSERT INTO meta VALUES('owner', ?)", "b", box,
                     sizeof box) &&
            store_do(s, "PRAGMA user_version = 1", "");
  const char *why;
  return store_end(s, ok, &why);
}

static store_status check_owner(store *s, const char **why) {
  sqlite3_stmt *st =
      store_query(s, "SELECT value FROM meta WHERE name = 'owner'", "");
  uint8_t got[sizeof owner_text];
  buf ad = {0};
  bind_owner(&ad, s);
  bool ok = st && sqlite3_step(st) == SQLITE_ROW &&
            unseal(s, &ad, sqlite3_column_blob(st, 0),
                   (size_t)sqlite3_column_bytes(st, 0), got, sizeof got) &&
            memcmp(got, owner_text, sizeof got) == 0;
  buf_free(&ad);
  sqlite3_finalize(st);
  if (ok)
    return STORE_OK;
  *why = "it is the store of another node, identity or protocol";
  return STORE_FOREIGN;
}

static store_status set_up(store *s, const char *path, const char **why) {
  /* SQLite gives its journals the same mode. */
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    *why = store_say("it could not be opened: %s", strerror(errno));
    return STORE_FAILED;
  }
  close(fd);
  if (sqlite3_open_v2(path, &s->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
                      NULL) != SQLITE_OK ||
      !store_do(s, "PRAGMA locking_mode = EXCLUSIVE", "") ||
      !store_do(s, "PRAGMA journal_mode = WAL", "") ||
      !store_do(s, "PRAGMA synchronous = FULL", "") ||
      !store_do(s, "PRAGMA secure_delete = ON", "")) {
    *why = sqlite3_errcode(s->db) == SQLITE_BUSY
               ? "another process uses it"
               : store_say("%s", sqlite3_errmsg(s->db));
    return STORE_FAILED;
  }
  sqlite3_stmt *st = store_query(s, "PRAGMA user_version", "");
  int version = st && sqlite3_step(st) == SQLITE_ROW
                    ? sqlite3_column_int(st, 0)
                    : -1;
  sqlite3_finalize(st);
  int tables = store_any(
      s, "SELECT 1 FROM sqlite_master WHERE rootpage > ? LIMIT 1", 0);
  if (version == 0 && tables == 0) {
    if (create(s))
      return STORE_OK;
  } else if (version == FORMAT && tables == 1) {
    return check_owner(s, why);
  } else if (version >= 0 && tables >= 0) {
    *why = "it is no store, or of another release";
    return STORE_FAILED;
  }
  *why = store_say("%s", sqlite3_errmsg(s->db));
  return STORE_FAILED;
}

store_status store_open(store **out, const char *path,
                        const struct chi_identity *id, unsigned node,
                        uint8_t protocol, arena *a, const char **why) {
  static const char label[] = "chirograph node store v1";
  uint8_t seed[32];
  *out = NULL;
  if (sodium_init() < 0) {
    *why = "libsodium could not be started";
    return STORE_FAILED;
  }
  store *s = calloc(1, sizeof *s);
  uint8_t *key = s ? sodium_malloc(32) : NULL;
  if (!key) {
    free(s);
    *why = "out of memory";
    return STORE_FAILED;
  }
  s->key = key;
  s->node = node;
  s->protocol = protocol;
  pthread_mutex_init(&s->lock, NULL);
  chi_identity_seed(id, seed);
  crypto_generichash(s->key, 32, (const uint8_t *)label, sizeof label, seed,
                     sizeof seed);
  chi_wipe(seed, sizeof seed);
  const char *what = "";
  store_status status = set_up(s, path, &what);
  if (status != STORE_OK) {
    *why = arena_printf(a, "%s: %s", path, what);
    store_close(s);
    return status;
  }
  *out = s;
  return STORE_OK;
}

void store_close(store *s) {
  if (!s)
    return;
  sqlite3_close(s->db);
  sodium_free(s->key);
  pthread_mutex_destroy(&s->lock);
  free(s);
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
                         size_t planes, size_t lanes, const char **why) {
  size_t n = share_bytes(planes, lanes);
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
    bind_place(&ad, s, p, planes, lanes);
    if (!unseal(s, &ad, sqlite3_column_blob(st, 1),
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
                        size_t planes, size_t lanes, const char **why) {
  pthread_mutex_lock(&s->lock);
  store_status status = load(s, p, words, planes, lanes, why);
  pthread_mutex_unlock(&s->lock);
  if (status != STORE_OK && share_bytes(planes, lanes))
    chi_wipe(words, share_bytes(planes, lanes));
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

static bool forget_staged(store *s, int64_t call) {
  return store_do(s, "DELETE FROM share WHERE version = ? AND staged = 1", "i",
                  call) &&
         store_do(s, "DELETE FROM letter WHERE call = ? AND staged = 1", "i",
                  call) &&
         store_do(s, "DELETE FROM run WHERE call = ?", "i", call);
}

static bool put_share(store *s, const store_run *r, const store_share *x) {
  store_place p = {.leaf = x->leaf, .version = r->call};
  size_t n = share_bytes(x->planes, x->lanes);
  memcpy(p.net, r->net, 32);
  memcpy(p.contract, r->contract, 32);
  uint8_t *box = malloc(NONCE + n + TAG);
  if (!box)
    return false;
  buf ad = {0};
  bind_place(&ad, s, &p, x->planes, x->lanes);
  seal(s, &ad, x->words, n, box);
  bool ok = store_do(s, "INSERT INTO share VALUES(?, ?, ?, ?, 1, ?, ?)",
                     "kktiib", r->net, r->contract, x->leaf, (int64_t)r->call,
                     (int64_t)x->lanes, box, NONCE + n + TAG);
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
    if (!share_bytes(r->share[i].planes, r->share[i].lanes)) {
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
