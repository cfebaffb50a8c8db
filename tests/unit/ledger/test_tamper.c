/* Whoever changes the file is found out, and the finding says where. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/record.h"
#include "world.h"

static world w;
static uint8_t pool[32];

/* Records: 1 genesis, 2 deploy, 3 pay, 4 join, 5 6 7 votes, 8 reverted pay,
 * 9 join that stays pending, 10 a vote on it. */
static void fill(void) {
  world_open(&w, 0);
  CU_ASSERT_EQUAL_FATAL(world_deploy(&w, 0, "4", pool), LEDGER_OK);
  tx_values pay = world_values(w.a, "to=5", "amount=30", NULL);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay, false), LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "join", world_none(), true),
                  LEDGER_OK);
  world_all_commit(&w, w.receipt.seq, world_none());
  pay = world_values(w.a, "to=5", "amount=0", NULL);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay, false),
                  LEDGER_REVERTED);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "join", world_none(), true),
                  LEDGER_OK);
  world_commit(&w, 1, w.receipt.seq, world_none());
  CU_ASSERT_EQUAL_FATAL(w.receipt.seq, 10);
}

static void copy_file(const char *from, const char *to) {
  char b[65536];
  int in = open(from, O_RDONLY), out;
  ssize_t n;
  unlink(to);
  if (in < 0) return;
  out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  while ((n = read(in, b, sizeof b)) > 0)
    if (write(out, b, (size_t)n) != n) abort();
  close(in);
  close(out);
}

static sqlite3 *db_of(const char *path) {
  sqlite3 *db;
  if (sqlite3_open(path, &db) != SQLITE_OK) abort();
  return db;
}

static void sql(sqlite3 *db, const char *text) {
  char *err = NULL;
  if (sqlite3_exec(db, text, 0, 0, &err) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", text, err);
    CU_FAIL("sql");
  }
  sqlite3_free(err);
}

/* Opens the file, or else checks it; the finding. */
static const char *finding(const char *path, ledger_status *opened) {
  ledger *l;
  const char *why = "";
  ledger_options o = {world_clock, &w};
  *opened = ledger_open(&l, w.a, path, &o, &why);
  if (*opened) return why;
  ledger_query q = {.kind = READ_VERIFY};
  ledger_answer out;
  ledger_status s = l->ops->read(l, w.a, &q, &out);
  l->ops->close(l);
  CU_ASSERT(s == LEDGER_OK || s == LEDGER_CORRUPT);
  return s ? out.why : NULL;
}

static void expect(const char *path, bool at_open, const char *record,
                   const char *item) {
  ledger_status opened;
  const char *why = finding(path, &opened);
  CU_ASSERT_PTR_NOT_NULL_FATAL(why);
  CU_ASSERT_EQUAL(opened, at_open ? LEDGER_CORRUPT : LEDGER_OK);
  bool ok = strstr(why, record) && strstr(why, item);
  if (!ok) fprintf(stderr, "found: %s, not %s %s\n", why, record, item);
  CU_ASSERT(ok);
}

static const struct {
  const char *sql;
  const char *record, *item;
} rows[] = {
    /* state */
    {"UPDATE leaf SET value=x'0000000100' WHERE name='$filled'", "record 7",
     "state '$filled' of the contract of record 2 was changed"},
    {"DELETE FROM leaf WHERE name='$owner'", "record 2",
     "state '$owner' of the contract of record 2 is missing"},
    {"INSERT INTO leaf VALUES(2, '$gift', 3, x'0000000100')", "record 3",
     "state '$gift' of the contract of record 2 is in the file, but"},
    {"UPDATE leaf SET seq=4 WHERE name='$filled'", "record 7", "$filled"},
    {"UPDATE entry SET value=x'00000001010163' WHERE leaf='$votes'",
     "record 3", "map entry '$votes'"},
    {"DELETE FROM entry WHERE leaf='$votes'", "record 3", "is missing"},
    {"UPDATE slot SET version=3 WHERE name='salary'", "record 7",
     "version of secret state 'salary'"},
    {"UPDATE slot SET initial=x'00000000' WHERE name='bonus'", "record 2",
     "'bonus'"},
    {"UPDATE counter SET next=next-1 WHERE seq=9", "record 9", "counter"},
    {"DELETE FROM argument WHERE seq=4", "record 4", "used argument"},
    {"DELETE FROM pending", "record 9", "pending call"},
    {"UPDATE pending SET until=until+1", "record 9", "pending call"},
    {"DELETE FROM vote WHERE seq=10", "record 10", "vote"},
    {"UPDATE instance SET label='Poll'", "record 2", "contract"},
    {"UPDATE instance SET creator=zeroblob(32)", "record 2", "contract"},
    {"UPDATE package SET bytes=bytes||x'20'", "record 2", "package"},
    {"CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM leaf; END",
     "record 0", "trigger"},
    /* records */
    {"DELETE FROM record WHERE seq=3", "record 3", "it is missing"},
    {"DELETE FROM record WHERE seq=10", "record 10", "vote"},
    {"DELETE FROM record", "record 1", "it is missing"},
    {"UPDATE record SET time=time+1 WHERE seq=3", "record 3",
     "it was changed"},
    {"UPDATE record SET outcome=1 WHERE seq=8", "record 8", "it was changed"},
    {"UPDATE record SET why='' WHERE seq=8", "record 8", "it was changed"},
    {"UPDATE record SET effects=(SELECT effects FROM record WHERE seq=4)"
     " WHERE seq=3", "record 3", "it was changed"},
    {"UPDATE record SET tx=(SELECT tx FROM record WHERE seq=6) WHERE seq=5",
     "record 5", "it was changed"},
    {"UPDATE record SET prev=zeroblob(32) WHERE seq=5", "record 5",
     "hash chain"},
    {"UPDATE record SET seq=100 WHERE seq=5;"
     "UPDATE record SET seq=5 WHERE seq=6;"
     "UPDATE record SET seq=6 WHERE seq=100", "record 5", "hash chain"},
    {"UPDATE record SET seq=0 WHERE seq=1", "record 1", "it is missing"},
    {"INSERT INTO record SELECT 12, time, prev, hash, tx, outcome, why,"
     " effects FROM record WHERE seq=3", "record 11", "it is missing"},
    {"INSERT INTO record SELECT 0, time, prev, hash, tx, outcome, why,"
     " effects FROM record WHERE seq=3", "record 0", "before the first"},
};

static void test_rows(void) {
  fill();
  w.l->ops->close(w.l);
  w.l = NULL;
  const char *copy = arena_printf(w.a, "%s.copy", w.path);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    copy_file(w.path, copy);
    sqlite3 *db = db_of(copy);
    sql(db, rows[k].sql);
    sqlite3_close(db);
    expect(copy, true, rows[k].record, rows[k].item);
    unlink(copy);
  }
  world_close(&w);
}

/* ---- forgers who make the hashes anew ---- */
typedef void (*forge)(raw_record *r);

static raw_record row(sqlite3_stmt *s) {
  raw_record r = {.seq = (uint64_t)sqlite3_column_int64(s, 0),
                  .time_ms = (uint64_t)sqlite3_column_int64(s, 1),
                  .outcome = (rec_outcome)sqlite3_column_int(s, 4)};
  r.tx = (uint8_t *)arena_strndup(w.a, sqlite3_column_blob(s, 3),
                                  (size_t)sqlite3_column_bytes(s, 3));
  r.tx_bytes = (size_t)sqlite3_column_bytes(s, 3);
  r.why = arena_strdup(w.a, (const char *)sqlite3_column_text(s, 5));
  r.effects = (uint8_t *)arena_strndup(w.a, sqlite3_column_blob(s, 6),
                                       (size_t)sqlite3_column_bytes(s, 6));
  r.effects_bytes = (size_t)sqlite3_column_bytes(s, 6);
  return r;
}

/* Changes record `seq` and makes all hashes from there on anew. */
static void rewrite(const char *path, uint64_t seq, forge f) {
  sqlite3 *db = db_of(path);
  sqlite3_stmt *s, *u;
  uint8_t prev[32] = {0};
  sqlite3_prepare_v2(db, "SELECT seq, time, prev, tx, outcome, why, effects"
                     " FROM record ORDER BY seq", -1, &s, NULL);
  sqlite3_prepare_v2(db, "UPDATE record SET time=?, prev=?, hash=?, tx=?,"
                     " outcome=?, why=?, effects=? WHERE seq=?", -1, &u,
                     NULL);
  sql(db, "BEGIN");
  while (sqlite3_step(s) == SQLITE_ROW) {
    raw_record r = row(s);
    if (r.seq == seq) f(&r);
    memcpy(r.prev, prev, 32);
    record_hash(&r, r.hash);
    memcpy(prev, r.hash, 32);
    sqlite3_bind_int64(u, 1, (sqlite3_int64)r.time_ms);
    sqlite3_bind_blob(u, 2, r.prev, 32, SQLITE_STATIC);
    sqlite3_bind_blob(u, 3, r.hash, 32, SQLITE_STATIC);
    sqlite3_bind_blob(u, 4, r.tx, (int)r.tx_bytes, SQLITE_STATIC);
    sqlite3_bind_int(u, 5, (int)r.outcome);
    sqlite3_bind_text(u, 6, r.why, -1, SQLITE_STATIC);
    sqlite3_bind_blob(u, 7, r.effects, (int)r.effects_bytes, SQLITE_STATIC);
    sqlite3_bind_int64(u, 8, (sqlite3_int64)r.seq);
    CU_ASSERT_EQUAL(sqlite3_step(u), SQLITE_DONE);
    sqlite3_reset(u);
  }
  sqlite3_finalize(s);
  sqlite3_finalize(u);
  sql(db, "COMMIT");
  sqlite3_close(db);
}

static void bad_signature(raw_record *r) {
  ((uint8_t *)(uintptr_t)r->tx)[r->tx_bytes - 1] ^= 1;
}

static void other_reason(raw_record *r) { r->why = "no luck"; }

static void other_time(raw_record *r) { r->time_ms += 1000; }

static void early(raw_record *r) { r->time_ms -= 1; }

/* The event says something else; the state is as before. */
static void other_event(raw_record *r) {
  effects e;
  const char *why;
  CU_ASSERT_FATAL(effects_decode(w.a, r->effects, r->effects_bytes, &e, &why));
  e.event[0].field.p[1] =
      *world_values(w.a, "amount=31", NULL).p;
  r->effects = effects_encode(w.a, &e, &r->effects_bytes);
}

static void not_bytes(raw_record *r) { r->effects_bytes--; }

/* Signed by its sender, but with a counter that is not the next one. */
static void other_counter(raw_record *r) {
  tx t;
  const char *why;
  CU_ASSERT_FATAL(tx_decode(w.a, r->tx, r->tx_bytes, &t, &why));
  t.counter += 1;
  r->tx = tx_encode(w.a, &t, w.person[1], &r->tx_bytes);
}

static const struct {
  uint64_t seq;
  forge f;
  bool at_open;
  const char *record, *item;
} forged[] = {
    {3, bad_signature, false, "record 3", "signature"},
    {8, other_reason, false, "record 8", "another outcome"},
    {3, other_time, true, "record 4", "its time is before"},
    {4, early, true, "record 4", "its time is before"},
    {3, other_event, false, "record 3", "other effects"},
    {3, not_bytes, true, "record 3", "it cannot be read"},
    {8, other_counter, false, "record 8", "its counter is wrong"},
    {5, bad_signature, true, "record 5", "vote"},
};

static void test_forged(void) {
  fill();
  w.l->ops->close(w.l);
  w.l = NULL;
  const char *copy = arena_printf(w.a, "%s.copy", w.path);
  for (size_t k = 0; k < sizeof forged / sizeof *forged; k++) {
    copy_file(w.path, copy);
    rewrite(copy, forged[k].seq, forged[k].f);
    expect(copy, forged[k].at_open, forged[k].record, forged[k].item);
    unlink(copy);
  }
  world_close(&w);
}

/* State and effects changed together: only executing again tells. */
static void test_follows(void) {
  fill();
  w.l->ops->close(w.l);
  w.l = NULL;
  const char *copy = arena_printf(w.a, "%s.copy", w.path);
  copy_file(w.path, copy);
  sqlite3 *db = db_of(copy);
  sqlite3_stmt *s;
  sqlite3_prepare_v2(db, "SELECT seq, time, prev, tx, outcome, why, effects"
                     " FROM record WHERE seq=3", -1, &s, NULL);
  CU_ASSERT_EQUAL_FATAL(sqlite3_step(s), SQLITE_ROW);
  raw_record r = row(s);
  effects e;
  const char *why;
  sqlite3_finalize(s);
  sqlite3_close(db);
  CU_ASSERT_FATAL(effects_decode(w.a, r.effects, r.effects_bytes, &e, &why));
  CU_ASSERT_STRING_EQUAL(e.write[0].value.name, "$votes");
  e.write[0].value.lane = world_values(w.a, "x=99", NULL).p[0].lane;
  size_t n;
  uint8_t *p = effects_encode(w.a, &e, &n);
  CU_ASSERT_EQUAL_FATAL(n, r.effects_bytes);
  db = db_of(copy);
  sqlite3_prepare_v2(db, "UPDATE record SET effects=? WHERE seq=3", -1, &s,
                     NULL);
  sqlite3_bind_blob(s, 1, p, (int)n, SQLITE_STATIC);
  CU_ASSERT_EQUAL(sqlite3_step(s), SQLITE_DONE);
  sqlite3_finalize(s);
  sql(db, "UPDATE entry SET value=x'00000001010163' WHERE leaf='$votes'");
  sqlite3_close(db);
  rewrite(copy, 0, NULL);
  expect(copy, false, "record 3", "executed again it has other effects");
  unlink(copy);
  world_close(&w);
}

static void test_files(void) {
  ledger *l;
  const char *why = "", *junk;
  ledger_status s;
  size_t n;
  fill();
  /* In use; there already; not there; not ours. */
  CU_ASSERT_EQUAL(ledger_open(&l, w.a, w.path, NULL, &why), LEDGER_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(why, "in use by another process"));
  ledger_record *g = world_record(&w, 1);
  CU_ASSERT_EQUAL(ledger_create(w.path, g->tx, g->tx_bytes, &why, w.a),
                  LEDGER_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(why, "File exists"));
  junk = arena_printf(w.a, "%s/junk", w.dir);
  CU_ASSERT_EQUAL(ledger_open(&l, w.a, junk, NULL, &why), LEDGER_FAILED);
  FILE *f = fopen(junk, "w");
  for (int k = 0; k < 1000; k++) fputs("this is no ledger ", f);
  fclose(f);
  CU_ASSERT_EQUAL(ledger_open(&l, w.a, junk, NULL, &why), LEDGER_CORRUPT);
  unlink(junk);
  sqlite3 *db = db_of(junk);
  sql(db, "CREATE TABLE x(y)");
  sqlite3_close(db);
  s = ledger_open(&l, w.a, junk, NULL, &why);
  CU_ASSERT_EQUAL(s, LEDGER_CORRUPT);
  CU_ASSERT_PTR_NOT_NULL(strstr(why, "no ledger of this format"));
  unlink(junk);
  /* Not a genesis; a bad signature. */
  tx t = world_call_tx(&w, 1, pool, "join", world_none(), true);
  uint8_t *p = world_bytes(&w, &t, w.person[1], &n);
  CU_ASSERT_EQUAL(ledger_create(junk, p, n, &why, w.a), LEDGER_REFUSED);
  p = (uint8_t *)arena_strndup(w.a, (const char *)g->tx, g->tx_bytes);
  p[g->tx_bytes - 3] ^= 4;
  CU_ASSERT_EQUAL(ledger_create(junk, p, g->tx_bytes, &why, w.a),
                  LEDGER_REFUSED);
  CU_ASSERT_EQUAL(access(junk, F_OK), -1);
  world_close(&w);
}

/* Half a page of the file is overwritten: no crash, and it is found. */
static void test_pages(void) {
  fill();
  w.l->ops->close(w.l);
  w.l = NULL;
  const char *copy = arena_printf(w.a, "%s.copy", w.path);
  struct stat st;
  CU_ASSERT_EQUAL_FATAL(stat(w.path, &st), 0);
  unsigned found = 0, all = 0;
  char junk[2048];
  memset(junk, 0xa7, sizeof junk);
  for (off_t at = 0; at < st.st_size; at += 2048, all++) {
    ledger_status opened;
    copy_file(w.path, copy);
    int fd = open(copy, O_WRONLY);
    CU_ASSERT_EQUAL(pwrite(fd, junk, sizeof junk, at), sizeof junk);
    close(fd);
    if (finding(copy, &opened)) found++;
    unlink(copy);
    unlink(arena_printf(w.a, "%s-wal", copy));
  }
  /* Some places hold nothing. */
  CU_ASSERT(found * 2 > all);
  world_close(&w);
}

/* Power fails at any moment: a copy of file and log, cut anywhere, opens with
 * all that was answered before. */
static void test_kill(void) {
  const char *copy, *wal, *copy_wal;
  struct stat st;
  fill();
  copy = arena_printf(w.a, "%s.copy", w.path);
  copy_wal = arena_printf(w.a, "%s-wal", copy);
  wal = arena_printf(w.a, "%s-wal", w.path);
  CU_ASSERT_EQUAL_FATAL(stat(wal, &st), 0);
  off_t before = st.st_size;
  uint64_t answered = w.receipt.seq;
  tx_values pay = world_values(w.a, "to=5", "amount=1", NULL);
  for (int k = 0; k < 5; k++) {
    CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay", pay, false), LEDGER_OK);
    if (stat(wal, &st) < 0) abort();
    for (off_t cut = before; cut <= st.st_size;
         cut += 1 + (st.st_size - before) / 7) {
      ledger *l;
      const char *why = "";
      ledger_options o = {world_clock, &w};
      ledger_query q = {.kind = READ_HEAD};
      ledger_answer out;
      copy_file(w.path, copy);
      copy_file(wal, copy_wal);
      CU_ASSERT_EQUAL(truncate(copy_wal, cut), 0);
      ledger_status s = ledger_open(&l, w.a, copy, &o, &why);
      if (s) fprintf(stderr, "cut at %ld: %s\n", (long)cut, why);
      CU_ASSERT_EQUAL_FATAL(s, LEDGER_OK);
      CU_ASSERT_EQUAL(l->ops->read(l, w.a, &q, &out), LEDGER_OK);
      CU_ASSERT(out.seq == answered ||
                (out.seq == answered + 1 && cut > before));
      l->ops->close(l);
      unlink(copy);
    }
    before = st.st_size;
    answered = w.receipt.seq;
  }
  world_reopen(&w);
  world_close(&w);
}

void suite_tamper(void) {
  CU_pSuite s = CU_add_suite("tamper", NULL, NULL);
  CU_add_test(s, "rows", test_rows);
  CU_add_test(s, "forged", test_forged);
  CU_add_test(s, "follows", test_follows);
  CU_add_test(s, "files", test_files);
  CU_add_test(s, "pages", test_pages);
  CU_add_test(s, "kill", test_kill);
}
