/* The store: the file, SQLite, sealing at rest. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/be.h"
#include "chi.h"
#include "node/store_impl.h"

enum {
  FORMAT = 1,
  NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
  TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
_Static_assert(NONCE + TAG == STORE_SEAL_BYTES, "bytes that sealing adds");

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

void store_seal(const store *s, const buf *ad, const void *msg, size_t n,
                 uint8_t *box) {
  randombytes_buf(box, NONCE);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      box + NONCE, NULL, msg, n, (const uint8_t *)ad->p, ad->n, NULL, box,
      s->key);
}

bool store_unseal(const store *s, const buf *ad, const uint8_t *box,
                   size_t bytes, void *msg, size_t n) {
  return bytes == n + NONCE + TAG &&
         crypto_aead_xchacha20poly1305_ietf_decrypt(
             msg, NULL, NULL, box + NONCE, n + TAG, (const uint8_t *)ad->p,
             ad->n, box, s->key) == 0;
}

/* ---- opening ---- */

static const uint8_t owner_text[16] = "chirograph store";

static void bind_owner(buf *b, const store *s) {
  buf_puts(b, "chirograph store v1");
  be_write(b, s->node, 4);
  be_write(b, s->protocol, 1);
}

static bool create(store *s) {
  uint8_t box[sizeof owner_text + STORE_SEAL_BYTES];
  buf ad = {0};
  bind_owner(&ad, s);
  store_seal(s, &ad, owner_text, sizeof owner_text, box);
  buf_free(&ad);
  bool ok = store_do(s, "BEGIN IMMEDIATE", "") &&
            sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
            store_do(s, "INSERT INTO meta VALUES('owner', ?)", "b", box,
                     sizeof box) &&
            store_do(s, "PRAGMA user_version = 1", "");
  const char *why;
  return store_end(s, ok, &why);
}

static bool same_row(sqlite3_stmt *x, sqlite3_stmt *y) {
  const char *p = (const char *)sqlite3_column_text(x, 0);
  const char *q = (const char *)sqlite3_column_text(y, 0);
  return p && q && strcmp(p, q) == 0;
}

/* The tables are those of this release: a trigger or a view that somebody added
 * would have its own mind. */
static bool same_schema(store *s) {
  static const char all[] = "SELECT type || name || tbl_name || ifnull(sql, '')"
                            " FROM sqlite_master ORDER BY type, name";
  store fresh = {0};
  bool same = sqlite3_open(":memory:", &fresh.db) == SQLITE_OK &&
              sqlite3_exec(fresh.db, schema, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_stmt *x = same ? store_query(s, all, "") : NULL;
  sqlite3_stmt *y = same ? store_query(&fresh, all, "") : NULL;
  same = x && y;
  for (int rx = SQLITE_ROW, ry; same && rx == SQLITE_ROW;) {
    rx = sqlite3_step(x);
    ry = sqlite3_step(y);
    same = rx == ry && (rx == SQLITE_DONE || same_row(x, y));
  }
  sqlite3_finalize(x);
  sqlite3_finalize(y);
  sqlite3_close(fresh.db);
  return same;
}

static store_status check_owner(store *s, const char **why) {
  sqlite3_stmt *st =
      store_query(s, "SELECT value FROM meta WHERE name = 'owner'", "");
  uint8_t got[sizeof owner_text];
  buf ad = {0};
  bind_owner(&ad, s);
  bool ok = st && sqlite3_step(st) == SQLITE_ROW &&
            store_unseal(s, &ad, sqlite3_column_blob(st, 0),
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
  fchmod(fd, 0600); /* copied back, perhaps */
  close(fd);
  if (sqlite3_open_v2(path, &s->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX,
                      NULL) != SQLITE_OK ||
      !store_do(s, "PRAGMA trusted_schema = OFF", "") ||
      !store_do(s, "PRAGMA cell_size_check = ON", "") ||
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
    if (same_schema(s))
      return check_owner(s, why);
    *why = "it was changed: its tables are others";
    return STORE_FOREIGN;
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
