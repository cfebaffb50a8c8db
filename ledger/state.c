#include "ledger/state.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "ledger/state_impl.h"

static const char schema[] =
    "CREATE TABLE record(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " prev BLOB NOT NULL, hash BLOB NOT NULL, tx BLOB NOT NULL,"
    " outcome INTEGER NOT NULL, why TEXT NOT NULL, effects BLOB NOT NULL);"
    "CREATE TABLE instance(seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " package BLOB NOT NULL, creator BLOB NOT NULL,"
    " label TEXT NOT NULL UNIQUE);"
    "CREATE TABLE package(hash BLOB PRIMARY KEY, seq INTEGER NOT NULL,"
    " bytes BLOB NOT NULL);"
    "CREATE TABLE leaf(inst INTEGER, name TEXT, seq INTEGER NOT NULL,"
    " value BLOB NOT NULL, PRIMARY KEY(inst, name)) WITHOUT ROWID;"
    "CREATE TABLE entry(inst INTEGER, leaf TEXT, key BLOB,"
    " seq INTEGER NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(inst, leaf, key)) WITHOUT ROWID;"
    "CREATE TABLE slot(inst INTEGER, name TEXT, seq INTEGER NOT NULL,"
    " version INTEGER NOT NULL, initial BLOB NOT NULL,"
    " PRIMARY KEY(inst, name)) WITHOUT ROWID;"
    "CREATE TABLE pending(call INTEGER PRIMARY KEY, inst INTEGER NOT NULL,"
    " action TEXT NOT NULL, until INTEGER NOT NULL);"
    "CREATE TABLE vote(call INTEGER, node INTEGER, seq INTEGER NOT NULL,"
    " hash BLOB NOT NULL UNIQUE, PRIMARY KEY(call, node)) WITHOUT ROWID;"
    "CREATE TABLE counter(id BLOB PRIMARY KEY, seq INTEGER NOT NULL,"
    " next INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE argument(digest BLOB PRIMARY KEY, seq INTEGER NOT NULL)"
    " WITHOUT ROWID;";

enum { APPLICATION = 0x43484c31, /* "CHL1" */ FORMAT = 1 };

static const char *const sql[Q_COUNT] = {
#define Q(E, TEXT) [Q_##E] = TEXT,
    STATE_QUERIES(Q)
#undef Q
};

/* ---- failures ---- */
void state_fail(state *st, int rc) {
  if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) return;
  if (st->failed) return;
  st->failed = true;
  st->damaged = rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
  snprintf(st->error, sizeof st->error, "%s",
           rc == SQLITE_BUSY ? "it is in use by another process"
                             : sqlite3_errmsg(st->db));
}

const char *state_error(const state *st) {
  return st->failed ? st->error : NULL;
}

bool state_damaged(const state *st) { return st->failed && st->damaged; }

static void run(state *st, const char *text) {
  if (!st->failed) state_fail(st, sqlite3_exec(st->db, text, 0, 0, 0));
}

void state_begin(state *st) { run(st, "BEGIN IMMEDIATE"); }
void state_commit(state *st) { run(st, "COMMIT"); }

void state_rollback(state *st) {
  if (!sqlite3_get_autocommit(st->db))
    sqlite3_exec(st->db, "ROLLBACK", 0, 0, 0);
  st->failed = st->damaged = false;
}

/* ---- statements ---- */
static void bind_all(sqlite3_stmt *s, const char *fmt, va_list ap) {
  for (int k = 1; *fmt; fmt++, k++)
    switch (*fmt) {
    case 'i': sqlite3_bind_int64(s, k, (sqlite3_int64)va_arg(ap, uint64_t));
      break;
    case 't':
      sqlite3_bind_text(s, k, va_arg(ap, const char *), -1, SQLITE_STATIC);
      break;
    case 'h':
      sqlite3_bind_blob(s, k, va_arg(ap, const void *), 32, SQLITE_STATIC);
      break;
    default: { /* b: pointer, size; empty is no NULL */
      const void *p = va_arg(ap, const void *);
      size_t n = va_arg(ap, size_t);
      sqlite3_bind_blob64(s, k, n ? p : "", n, SQLITE_STATIC);
    }
    }
}

sqlite3_stmt *state_query(state *st, state_q q, const char *fmt, ...) {
  if (st->failed) return NULL;
  if (!st->stmt[q])
    state_fail(st, sqlite3_prepare_v3(st->db, sql[q], -1,
                                      SQLITE_PREPARE_PERSISTENT, &st->stmt[q],
                                      NULL));
  sqlite3_stmt *s = st->stmt[q];
  if (!s) return NULL;
  va_list ap;
  va_start(ap, fmt);
  bind_all(s, fmt, ap);
  va_end(ap);
  return s;
}

bool state_step(state *st, sqlite3_stmt *s) {
  if (!s || st->failed) {
    if (s) sqlite3_reset(s);
    return false;
  }
  int rc = sqlite3_step(s);
  if (rc == SQLITE_ROW) return true;
  state_fail(st, rc);
  sqlite3_reset(s);
  return false;
}

void state_done(sqlite3_stmt *s) {
  if (s) sqlite3_reset(s);
}

/* One row, of one number; 0 without it. */
static uint64_t one(state *st, sqlite3_stmt *s) {
  uint64_t v = state_step(st, s) ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
  state_done(s);
  return v;
}

const uint8_t *state_blob(arena *a, sqlite3_stmt *s, int k, size_t *n) {
  const void *p = sqlite3_column_blob(s, k);
  *n = p ? (size_t)sqlite3_column_bytes(s, k) : 0;
  return (const uint8_t *)arena_strndup(a, p, *n);
}

static const char *text(arena *a, sqlite3_stmt *s, int k) {
  const char *p = (const char *)sqlite3_column_text(s, k);
  return arena_strdup(a, p ? p : "");
}

static void hash(sqlite3_stmt *s, int k, uint8_t out[32]) {
  const void *p = sqlite3_column_blob(s, k);
  memset(out, 0, 32);
  if (p && sqlite3_column_bytes(s, k) == 32) memcpy(out, p, 32);
}

/* ---- life ---- */
/* A new file gets its tables, an old one is looked at before it is touched. */
static bool is_ours(state *st, bool create) {
  char pragma[128];
  if (create) {
    snprintf(pragma, sizeof pragma,
             "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION,
             FORMAT);
    run(st, pragma);
    run(st, schema);
    return true;
  }
  if (one(st, state_query(st, Q_APPLICATION, "")) == APPLICATION &&
      one(st, state_query(st, Q_FORMAT, "")) == FORMAT)
    return true;
  if (!st->failed)
    snprintf(st->error, sizeof st->error,
             "the file is no ledger of this format");
  if (!st->failed) st->damaged = st->failed = true;
  return false;
}

static bool setup(state *st, bool create, arena *a, const char **why) {
  bool memory = st->records != st;
  sqlite3_busy_timeout(st->db, 2000);
  run(st, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
  run(st, "PRAGMA locking_mode=EXCLUSIVE");
  if (is_ours(st, create)) {
    run(st, memory ? "PRAGMA journal_mode=OFF" : "PRAGMA journal_mode=WAL");
    run(st, memory ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL");
    /* Takes the lock now, and keeps it. */
    run(st, "BEGIN IMMEDIATE; COMMIT");
  }
  if (st->failed) *why = arena_strdup(a, st->error);
  return !st->failed;
}

state *state_open(const char *path, bool create, state *records, arena *a,
                  const char **why, bool *damaged) {
  state *st = calloc(1, sizeof *st);
  if (!st) arena_oom_hook();
  st->records = records ? records : st;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
              (create || !path ? SQLITE_OPEN_CREATE : 0);
  int rc = sqlite3_open_v2(path ? path : ":memory:", &st->db, flags, NULL);
  if (rc == SQLITE_OK && setup(st, create, a, why)) return st;
  if (rc != SQLITE_OK) *why = arena_printf(a, "%s", sqlite3_errstr(rc));
  *damaged = st->damaged;
  state_close(st);
  return NULL;
}

void state_close(state *st) {
  if (!st) return;
  for (int k = 0; k < Q_COUNT; k++) sqlite3_finalize(st->stmt[k]);
  sqlite3_close(st->db);
  free(st);
}

/* ---- records ---- */
bool state_record(state *st, arena *a, uint64_t seq, raw_record *out) {
  st = st->records;
  sqlite3_stmt *s = state_query(st, Q_RECORD, "i", seq);
  if (!state_step(st, s)) return false;
  *out = (raw_record){.seq = (uint64_t)sqlite3_column_int64(s, 0),
                      .time_ms = (uint64_t)sqlite3_column_int64(s, 1)};
  hash(s, 2, out->prev);
  hash(s, 3, out->hash);
  out->tx = state_blob(a, s, 4, &out->tx_bytes);
  out->outcome = (rec_outcome)sqlite3_column_int64(s, 5);
  out->why = text(a, s, 6);
  out->effects = state_blob(a, s, 7, &out->effects_bytes);
  state_done(s);
  return true;
}

void state_ends(state *st, uint64_t *first, uint64_t *last) {
  sqlite3_stmt *s = state_query(st, Q_ENDS, "");
  *first = *last = 0;
  if (state_step(st, s)) {
    *first = (uint64_t)sqlite3_column_int64(s, 0);
    *last = (uint64_t)sqlite3_column_int64(s, 1);
  }
  state_done(s);
}

/* ---- instances, packages, counters, arguments ---- */
static void instance_of(arena *a, sqlite3_stmt *s, instance_row *out) {
  out->seq = (uint64_t)sqlite3_column_int64(s, 0);
  hash(s, 1, out->id);
  hash(s, 2, out->package);
  hash(s, 3, out->creator);
  out->label = text(a, s, 4);
}

static bool one_instance(state *st, arena *a, sqlite3_stmt *s,
                         instance_row *out) {
  bool there = state_step(st, s);
  if (there) instance_of(a, s, out);
  state_done(s);
  return there;
}

bool state_instance(state *st, arena *a, const uint8_t id[32],
                    instance_row *out) {
  return one_instance(st, a, state_query(st, Q_INSTANCE, "h", id), out);
}

bool state_labelled(state *st, arena *a, const char *label,
                    instance_row *out) {
  return one_instance(st, a, state_query(st, Q_LABELLED, "t", label), out);
}

uint32_t state_instances(state *st, arena *a, uint64_t after, uint32_t max,
                         instance_row *out) {
  sqlite3_stmt *s = state_query(st, Q_INSTANCES, "ii", after, (uint64_t)max);
  uint32_t n = 0;
  while (n < max && state_step(st, s)) instance_of(a, s, &out[n++]);
  state_done(s);
  return n;
}

const char *state_package(state *st, arena *a, const uint8_t h[32],
                          size_t *n) {
  sqlite3_stmt *s = state_query(st, Q_PACKAGE, "h", h);
  const char *p = NULL;
  if (state_step(st, s)) p = (const char *)state_blob(a, s, 0, n);
  state_done(s);
  return p;
}

uint64_t state_counter(state *st, const uint8_t id[32]) {
  uint64_t v = one(st, state_query(st, Q_COUNTER, "h", id));
  return v ? v : 1;
}

uint64_t state_argument(state *st, const uint8_t digest[32]) {
  return one(st, state_query(st, Q_ARGUMENT, "h", digest));
}

/* ---- public state ---- */
/* Lanes of a stored blob; a blob that is none is a damaged row. */
static bool lanes_of(state *st, arena *a, sqlite3_stmt *s, int k,
                     const char *name, tx_value *out) {
  size_t n;
  const uint8_t *p = state_blob(a, s, k, &n);
  codec_reader r = codec_reader_new(a, p, n);
  out->name = name;
  out->lane = codec_get_lanes(&r, TX_LANES_MAX, &out->n);
  if (codec_done(&r)) return true;
  snprintf(st->error, sizeof st->error, "the state row '%.200s' is damaged",
           name);
  st->failed = st->damaged = true;
  return false;
}

bool state_leaf(state *st, arena *a, uint64_t inst, const char *name,
                tx_value *out) {
  sqlite3_stmt *s = state_query(st, Q_LEAF, "it", inst, name);
  bool there = state_step(st, s) && lanes_of(st, a, s, 0, name, out);
  state_done(s);
  return there;
}

bool state_entry(state *st, arena *a, uint64_t inst, const char *leaf,
                 const mpz_t *key, uint64_t nkey, tx_value *out) {
  codec_writer w = codec_writer_new(a, 1 << 16);
  codec_put_lanes(&w, key, nkey);
  sqlite3_stmt *s = state_query(st, Q_ENTRY, "itb", inst, leaf, w.p, w.n);
  bool there = state_step(st, s) && lanes_of(st, a, s, 0, leaf, out);
  state_done(s);
  return there;
}

bool state_version(state *st, uint64_t inst, const char *name,
                   uint64_t *version) {
  sqlite3_stmt *s = state_query(st, Q_SLOT, "it", inst, name);
  bool there = state_step(st, s);
  if (there) *version = (uint64_t)sqlite3_column_int64(s, 0);
  state_done(s);
  return there;
}

static void read_slots(state *st, arena *a, uint64_t inst,
                       ledger_answer *out) {
  VEC(ledger_slot) v = {0};
  sqlite3_stmt *s = state_query(st, Q_SLOTS, "i", inst);
  while (state_step(st, s)) {
    ledger_slot l = {text(a, s, 0), (uint64_t)sqlite3_column_int64(s, 1),
                     {0}};
    size_t n;
    const uint8_t *p = state_blob(a, s, 2, &n);
    codec_reader r = codec_reader_new(a, p, n);
    codec_get_values(&r, &l.initial);
    vec_push(a, &v, l);
  }
  out->slot = v.p;
  out->nslot = (uint32_t)v.n;
}

void state_read(state *st, arena *a, uint64_t inst, ledger_answer *out) {
  VEC(ledger_entry) e = {0};
  sqlite3_stmt *s = state_query(st, Q_LEAVES, "i", inst);
  while (state_step(st, s)) {
    tx_value v;
    const char *name = text(a, s, 0);
    if (lanes_of(st, a, s, 1, name, &v)) *values_add(a, &out->values) = v;
  }
  s = state_query(st, Q_ENTRIES, "i", inst);
  while (state_step(st, s)) {
    ledger_entry row = {.leaf = text(a, s, 0)};
    if (lanes_of(st, a, s, 1, row.leaf, &row.key) &&
        lanes_of(st, a, s, 2, row.leaf, &row.value))
      vec_push(a, &e, row);
  }
  out->entry = e.p;
  out->nentry = (uint32_t)e.n;
  read_slots(st, a, inst, out);
}

/* ---- pending calls, votes ---- */
static void pending_of(arena *a, sqlite3_stmt *s, pending_row *out) {
  *out = (pending_row){(uint64_t)sqlite3_column_int64(s, 0),
                       (uint64_t)sqlite3_column_int64(s, 1),
                       (uint64_t)sqlite3_column_int64(s, 2), text(a, s, 3)};
}

uint32_t state_pending(state *st, arena *a, uint64_t inst,
                       pending_row **out) {
  VEC(pending_row) v = {0};
  sqlite3_stmt *s = inst ? state_query(st, Q_PENDING_OF, "i", inst)
                         : state_query(st, Q_PENDING_ALL, "");
  while (state_step(st, s)) {
    pending_row p;
    pending_of(a, s, &p);
    vec_push(a, &v, p);
  }
  *out = v.p;
  return (uint32_t)v.n;
}

bool state_pending_call(state *st, arena *a, uint64_t call,
                        pending_row *out) {
  sqlite3_stmt *s = state_query(st, Q_PENDING_CALL, "i", call);
  bool there = state_step(st, s);
  if (there) pending_of(a, s, out);
  state_done(s);
  return there;
}

bool state_first_until(state *st, uint64_t *call, uint64_t *until_ms) {
  sqlite3_stmt *s = state_query(st, Q_FIRST_UNTIL, "");
  bool there = state_step(st, s);
  if (there) {
    *call = (uint64_t)sqlite3_column_int64(s, 0);
    *until_ms = (uint64_t)sqlite3_column_int64(s, 1);
  }
  state_done(s);
  return there;
}

uint64_t state_vote(state *st, const uint8_t h[32]) {
  return one(st, state_query(st, Q_VOTE, "h", h));
}

uint64_t state_vote_of(state *st, uint64_t call, uint32_t node) {
  return one(st, state_query(st, Q_VOTE_OF, "ii", call, (uint64_t)node));
}

uint32_t state_votes(state *st, uint64_t call, uint64_t seq[TX_NODES_MAX]) {
  uint32_t n = 0;
  sqlite3_stmt *s = state_query(st, Q_VOTES, "i", call);
  while (n < TX_NODES_MAX && state_step(st, s))
    seq[n++] = (uint64_t)sqlite3_column_int64(s, 0);
  state_done(s);
  return n;
}
