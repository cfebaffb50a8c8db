/* A node's store: real files, real kills; what is changed behind its back is
 * changed with SQLite itself. */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chi.h"
#include "node/store.h"

enum { L = 5 };

static char dir[] = "/tmp/chi-store-XXXXXX";
static char path[128];
static chi_identity *id;
static arena *a;
static const char *why;
static const uint8_t net[32] = {1}, con[32] = {2}, ses[32] = {3};

static store *open_as(const chi_identity *who, unsigned node,
                      uint8_t protocol) {
  store *s;
  why = "";
  store_status st = store_open(&s, path, who, node, protocol, a, &why);
  if (st != STORE_OK)
    CU_FAIL(why);
  return s;
}

static store *reopen(store *s) {
  store_close(s);
  return open_as(id, 1, CHI_REP3);
}

static store *fresh(void) {
  static int count;
  snprintf(path, sizeof path, "%s/%d.db", dir, count++);
  return open_as(id, 1, CHI_REP3);
}

static void words(uint64_t *w, uint64_t seed) {
  for (uint64_t i = 0; i < 2 * L; i++)
    w[i] = (seed * 1000003 + i * 7919) % ((UINT64_C(1) << 61) - 1);
}

static store_place place(const char *leaf, uint64_t version) {
  store_place p = {.leaf = leaf, .version = version};
  memcpy(p.net, net, 32);
  memcpy(p.contract, con, 32);
  return p;
}

static store_status stage(store *s, const char *leaf, uint64_t call,
                          uint64_t seed) {
  uint64_t w[2 * L];
  words(w, seed);
  store_share x = {leaf, w, 2, L};
  store_run r = {.call = call, .share = &x, .nshare = 1,
                 .vote = (const uint8_t *)"vote", .vote_bytes = 4};
  memcpy(r.net, net, 32);
  memcpy(r.contract, con, 32);
  memcpy(r.session, ses, 32);
  return store_stage(s, &r, &why);
}

static store_status load(store *s, const char *leaf, uint64_t version,
                         uint64_t seed) {
  uint64_t got[2 * L], want[2 * L];
  store_place p = place(leaf, version);
  memset(got, 255, sizeof got);
  store_status st = store_load(s, &p, got, 2, L, &why);
  words(want, seed);
  if (st != STORE_OK)
    memset(want, 0, sizeof want);
  CU_ASSERT_EQUAL(memcmp(got, want, sizeof want), 0);
  return st;
}

/* With the store closed; how many rows changed. */
static int alter(const char *sql) {
  sqlite3 *db;
  char *err = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK)
    CU_FAIL(err);
  int rows = sqlite3_total_changes(db);
  sqlite3_close(db);
  return rows;
}

static void change(const char *sql) { CU_ASSERT(alter(sql) > 0); }

static void said(const char *part) {
  if (!strstr(why, part)) {
    printf("\nnot '%s' but '%s'\n", part, why);
    CU_FAIL("another reason");
  }
}

static void there_and_back(void) {
  store *s = fresh();
  struct stat st;
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 077, 0);
  CU_ASSERT_EQUAL(stage(s, "$salary", 7, 1), STORE_OK);
  CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_MISSING); /* staged only */
  CU_ASSERT_EQUAL(store_promote(s, 7, &why), STORE_OK);
  CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_OK);
  s = reopen(s);
  CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_OK);
  store_held *h;
  size_t n;
  CU_ASSERT_EQUAL(store_list(s, a, &h, &n, &why), STORE_OK);
  CU_ASSERT_EQUAL_FATAL(n, 1);
  CU_ASSERT_STRING_EQUAL(h->leaf, "$salary");
  CU_ASSERT_EQUAL(h->version, 7);
  CU_ASSERT_EQUAL(h->lanes, L);
  CU_ASSERT_EQUAL(memcmp(h->contract, con, 32), 0);
  store_close(s);
  /* no share lies there in the clear */
  uint64_t w[2 * L];
  words(w, 1);
  FILE *f = fopen(path, "rb");
  static char bytes[1 << 20];
  size_t got = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  CU_ASSERT(got > 4096 && got < sizeof bytes);
  for (size_t i = 0; i + 8 <= got; i++)
    for (int k = 0; k < 2 * L; k++)
      if (memcmp(bytes + i, &w[k], 8) == 0)
        CU_FAIL("a share in the clear");
}

static void missing_and_older(void) {
  store *s = fresh();
  CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_MISSING);
  said("it has no share of \"salary\"");
  stage(s, "$salary", 3, 1);
  store_promote(s, 3, &why);
  CU_ASSERT_EQUAL(load(s, "$salary", 5, 1), STORE_OLDER);
  said("its share of \"salary\" is of version 3, and the ledger names 5");
  CU_ASSERT_EQUAL(load(s, "$salary", 2, 1), STORE_MISSING);
  said("is of version 3, and the ledger names 2");
  CU_ASSERT_EQUAL(load(s, "$other", 3, 1), STORE_MISSING);
  uint64_t w[4 * L];
  store_place p = place("$salary", 3);
  CU_ASSERT_EQUAL(store_load(s, &p, w, 2, L - 1, &why), STORE_SHAPE);
  said("has 5 elements, not 4");
  CU_ASSERT_EQUAL(store_load(s, &p, w, 1, L, &why), STORE_FOREIGN);
  CU_ASSERT_EQUAL(store_load(s, &p, w, 2, SIZE_MAX / 8, &why), STORE_SHAPE);
  store_close(s);
}

/* One thing is changed in a copy of a good store. */
static void foreign(void) {
  static const char *const sql[] = {
      "UPDATE share SET contract = zeroblob(32)",
      "UPDATE share SET net = zeroblob(32)",
      "UPDATE share SET leaf = '$bonus' WHERE leaf = '$salary'",
      "UPDATE share SET version = 9",
      ("UPDATE share SET box = (SELECT box FROM share WHERE leaf = '$other')"
       " WHERE leaf = '$salary'"),
      "UPDATE share SET box = substr(box, 1, length(box) - 1)",
      "UPDATE share SET box = box || x'00'",
      "UPDATE share SET box = x''",
      "UPDATE share SET box = NULL",
      "UPDATE share SET box = 17"};
  for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
    store *s = fresh();
    stage(s, "$salary", 7, 1);
    store_promote(s, 7, &why);
    stage(s, "$other", 8, 2);
    store_promote(s, 8, &why);
    store_close(s);
    change(sql[i]);
    s = open_as(id, 1, CHI_REP3);
    store_place p = place(i == 2 ? "$bonus" : "$salary", i == 3 ? 9 : 7);
    if (i == 0)
      memset(p.contract, 0, 32);
    if (i == 1)
      memset(p.net, 0, 32);
    uint64_t w[2 * L];
    memset(w, 255, sizeof w);
    CU_ASSERT_EQUAL(store_load(s, &p, w, 2, L, &why), STORE_FOREIGN);
    said("does not open");
    for (int k = 0; k < 2 * L; k++)
      CU_ASSERT_EQUAL(w[k], 0);
    store_close(s);
  }
}

static void changed_byte(void) {
  store *s = fresh();
  stage(s, "$salary", 7, 1);
  store_promote(s, 7, &why);
  int bytes = 24 + 2 * L * 8 + 16;
  store_close(s);
  for (int at = 1; at <= bytes; at++) {
    char sql[400];
    snprintf(sql, sizeof sql, "ATTACH '%s.copy' AS side; CREATE TABLE"
             " IF NOT EXISTS side.copy AS SELECT box FROM share", path);
    alter(sql);
    snprintf(sql, sizeof sql,
             "UPDATE share SET box = CAST(substr(box, 1, %d) || CASE"
             " WHEN substr(box, %d, 1) = x'00' THEN x'01' ELSE x'00' END ||"
             " substr(box, %d) AS BLOB)", at - 1, at, at + 1);
    change(sql);
    s = open_as(id, 1, CHI_REP3);
    CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_FOREIGN);
    store_close(s);
    snprintf(sql, sizeof sql, "ATTACH '%s.copy' AS side;"
             " UPDATE share SET box = (SELECT box FROM side.copy)", path);
    change(sql);
    s = open_as(id, 1, CHI_REP3);
    CU_ASSERT_EQUAL(load(s, "$salary", 7, 1), STORE_OK);
    store_close(s);
  }
}

/* Something else than the tables of this release. */
static void other_tables(void) {
  static const char *const sql[] = {
      "CREATE TRIGGER t AFTER INSERT ON share BEGIN DELETE FROM started; END",
      "CREATE VIEW v AS SELECT 1",
      "CREATE INDEX i ON share(lanes)",
      "DROP INDEX share_version",
      "ALTER TABLE run ADD COLUMN more INTEGER",
      "DROP TABLE started; CREATE TABLE started(session BLOB, call INTEGER)"};
  for (size_t k = 0; k < sizeof sql / sizeof *sql; k++) {
    store *s = fresh();
    store_close(s);
    alter(sql[k]);
    CU_ASSERT_EQUAL(store_open(&s, path, id, 1, CHI_REP3, a, &why),
                    STORE_FOREIGN);
    said("its tables are others");
  }
}

/* The row of another node, copied with everything that is in the clear. */
static void other_node(void) {
  char theirs[128], sql[400];
  store *s = fresh();
  stage(s, "$salary", 7, 2);
  store_promote(s, 7, &why);
  store_close(s);
  snprintf(theirs, sizeof theirs, "%s", path);
  chi_identity *other;
  CU_ASSERT_EQUAL_FATAL(chi_identity_new(&other), CHI_OK);
  for (int k = 0; k < 3; k++) {
    static int count;
    snprintf(path, sizeof path, "%s/o%d.db", dir, count++);
    const chi_identity *who = k == 0 ? other : id;
    unsigned node = k == 1 ? 2 : 1;
    uint8_t protocol = k == 2 ? CHI_SHAMIR : CHI_REP3;
    s = open_as(who, node, protocol);
    store_close(s);
    snprintf(sql, sizeof sql, "ATTACH '%s' AS o; INSERT INTO share SELECT *"
             " FROM o.share", theirs);
    change(sql);
    s = open_as(who, node, protocol);
    CU_ASSERT_EQUAL(load(s, "$salary", 7, 2), STORE_FOREIGN);
    store_close(s);
    CU_ASSERT_EQUAL(store_open(&s, theirs, who, node, protocol, a, &why),
                    STORE_FOREIGN);
    said("another node, identity or protocol");
  }
  chi_identity_free(other);
}

static void versions(void) {
  store *s = fresh();
  uint64_t *call;
  size_t n;
  stage(s, "$salary", 3, 1);
  store_promote(s, 3, &why);
  CU_ASSERT_EQUAL(stage(s, "$salary", 5, 2), STORE_OK);
  CU_ASSERT_EQUAL(stage(s, "$salary", 5, 3), STORE_OK); /* replaces it */
  stage(s, "$other", 6, 4);
  CU_ASSERT_EQUAL(store_staged(s, a, &call, &n, &why), STORE_OK);
  CU_ASSERT_EQUAL_FATAL(n, 2);
  CU_ASSERT_EQUAL(call[0], 5);
  CU_ASSERT_EQUAL(call[1], 6);
  CU_ASSERT_EQUAL(load(s, "$salary", 3, 1), STORE_OK);
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(store_discard(s, 6, &why), STORE_OK);
    CU_ASSERT_EQUAL(load(s, "$other", 6, 4), STORE_MISSING);
  }
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(store_promote(s, 5, &why), STORE_OK);
    CU_ASSERT_EQUAL(load(s, "$salary", 5, 3), STORE_OK);
    CU_ASSERT_EQUAL(load(s, "$salary", 3, 1), STORE_MISSING); /* gone */
    CU_ASSERT_EQUAL(store_discard(s, 5, &why), STORE_OK); /* too late */
  }
  CU_ASSERT_EQUAL(stage(s, "$salary", 5, 9), STORE_REPEATED);
  CU_ASSERT_EQUAL(load(s, "$salary", 5, 3), STORE_OK);
  CU_ASSERT_EQUAL(store_staged(s, a, &call, &n, &why), STORE_OK);
  CU_ASSERT_EQUAL(n, 0);
  CU_ASSERT_EQUAL(store_promote(s, 99, &why), STORE_OK);
  /* another contract keeps its own */
  uint64_t w[2 * L];
  words(w, 8);
  store_share x = {"$salary", w, 2, L};
  store_run r = {.contract = {77}, .call = 10, .share = &x, .nshare = 1};
  memcpy(r.net, net, 32);
  CU_ASSERT_EQUAL(store_stage(s, &r, &why), STORE_OK);
  CU_ASSERT_EQUAL(store_promote(s, 10, &why), STORE_OK);
  CU_ASSERT_EQUAL(load(s, "$salary", 5, 3), STORE_OK);
  store_close(s);
}

/* A process that is killed at a point between stage and promote. */
static void killed(void) {
  for (int point = 0; point < 4; point++) {
    store *s = fresh();
    stage(s, "$salary", 3, 1);
    store_promote(s, 3, &why);
    store_close(s);
    pid_t pid = fork();
    if (pid == 0) {
      s = open_as(id, 1, CHI_REP3);
      if (point > 0)
        stage(s, "$salary", 5, 2);
      if (point > 1)
        store_promote(s, 5, &why);
      if (point > 2)
        stage(s, "$salary", 6, 3);
      kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
    s = open_as(id, 1, CHI_REP3);
    uint8_t *vote;
    size_t n;
    CU_ASSERT_EQUAL(load(s, "$salary", point < 2 ? 3 : 5, point < 2 ? 1 : 2),
                    STORE_OK);
    CU_ASSERT_EQUAL(store_vote(s, a, 5, &vote, &n, &why),
                    point == 1 ? STORE_OK : STORE_MISSING);
    if (point == 1) {
      CU_ASSERT_EQUAL_FATAL(n, 4);
      CU_ASSERT_EQUAL(memcmp(vote, "vote", 4), 0);
    }
    if (point == 1 || point == 3) {
      uint64_t call = point == 1 ? 5 : 6;
      CU_ASSERT_EQUAL(store_promote(s, call, &why), STORE_OK);
      CU_ASSERT_EQUAL(load(s, "$salary", call, (uint64_t)(point + 3) / 2),
                      STORE_OK);
    }
    store_close(s);
  }
}

static void started(void) {
  store *s = fresh();
  uint8_t other[32] = {4};
  CU_ASSERT_EQUAL(store_start(s, ses, 7, &why), STORE_OK);
  CU_ASSERT_EQUAL(store_start(s, ses, 7, &why), STORE_REPEATED);
  said("a run is never repeated");
  s = reopen(s);
  CU_ASSERT_EQUAL(store_start(s, ses, 8, &why), STORE_REPEATED);
  CU_ASSERT_EQUAL(store_start(s, other, 8, &why), STORE_OK);
  store_close(s);
}

static uint8_t dig[32];

static store_status put(store *s, uint8_t session, uint8_t digest, size_t n) {
  uint8_t k[32] = {session};
  uint8_t *p = malloc(n + 1);
  memset(p, session, n);
  dig[0] = digest;
  store_status st = store_put_sealed(s, k, dig, p, n, &why);
  free(p);
  return st;
}

static store_status get(store *s, uint8_t session, uint8_t digest, size_t n) {
  uint8_t k[32] = {session}, *p;
  size_t got;
  arena *tmp = arena_new();
  dig[0] = digest;
  store_status st = store_get_sealed(s, tmp, k, dig, &p, &got, &why);
  if (st == STORE_OK) {
    CU_ASSERT_EQUAL_FATAL(got, n);
    for (size_t i = 0; i < n; i++)
      if (p[i] != session) {
        CU_FAIL("other bytes");
        break;
      }
  }
  arena_free(tmp);
  return st;
}

static void sealed(void) {
  store *s = fresh();
  CU_ASSERT_EQUAL(get(s, 1, 1, 0), STORE_MISSING);
  CU_ASSERT_EQUAL(put(s, 1, 1, 1000), STORE_OK);
  CU_ASSERT_EQUAL(put(s, 1, 1, 1000), STORE_OK); /* sent once more */
  CU_ASSERT_EQUAL(put(s, 1, 2, 50), STORE_OK);   /* by somebody else */
  CU_ASSERT_EQUAL(put(s, 2, 1, 0), STORE_OK);
  s = reopen(s);
  CU_ASSERT_EQUAL(get(s, 1, 1, 1000), STORE_OK);
  CU_ASSERT_EQUAL(get(s, 2, 1, 0), STORE_OK);
  CU_ASSERT_EQUAL(get(s, 1, 3, 0), STORE_FOREIGN);
  said("not those that the caller signed");
  CU_ASSERT_EQUAL(get(s, 3, 1, 0), STORE_MISSING);
  uint8_t k[32] = {1};
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(store_drop_sealed(s, k, &why), STORE_OK);
    CU_ASSERT_EQUAL(get(s, 1, 1, 0), STORE_MISSING);
  }
  CU_ASSERT_EQUAL(get(s, 2, 1, 0), STORE_OK);
  store_close(s);
}

static void sealed_limits(void) {
  enum { PIECE = 64 << 20 };
  store *s = fresh();
  CU_ASSERT_EQUAL(put(s, 9, 1, (size_t)STORE_SEALED_MAX + 1), STORE_SHAPE);
  for (uint8_t i = 1; i <= 4; i++)
    CU_ASSERT_EQUAL(put(s, i, 1, PIECE), STORE_OK);
  for (uint8_t i = 1; i <= 4; i++)
    CU_ASSERT_EQUAL(get(s, i, 1, PIECE), STORE_OK);
  CU_ASSERT_EQUAL(put(s, 5, 1, 1), STORE_OK); /* one byte too many */
  CU_ASSERT_EQUAL(get(s, 1, 1, 0), STORE_MISSING);
  for (uint8_t i = 2; i <= 4; i++)
    CU_ASSERT_EQUAL(get(s, i, 1, PIECE), STORE_OK);
  CU_ASSERT_EQUAL(get(s, 5, 1, 1), STORE_OK);
  store_close(s);
  char sql[200];
  snprintf(sql, sizeof sql, "UPDATE sealed SET at = %lld WHERE digest ="
           " (SELECT digest FROM sealed LIMIT 1) AND length(box) = 1",
           (long long)time(NULL) - 86410);
  change(sql);
  s = open_as(id, 1, CHI_REP3);
  CU_ASSERT_EQUAL(put(s, 6, 1, 1), STORE_OK);
  CU_ASSERT_EQUAL(get(s, 5, 1, 0), STORE_MISSING); /* a day old */
  CU_ASSERT_EQUAL(get(s, 4, 1, PIECE), STORE_OK);
  store_close(s);
  unlink(path);
}

static void letters(void) {
  store *s = fresh();
  uint8_t me[32] = {5}, you[32] = {6};
  node_letter *l;
  size_t n;
  bool more;
  for (uint64_t call = 1; call <= 4; call++) {
    uint8_t box[100];
    memset(box, (int)call, sizeof box);
    store_told t[3] = {
        {.output = 0, .name = "result", .lanes = 1, .box = box,
         .box_bytes = 100},
        {.output = 1, .name = "p.age", .lanes = 2, .box = box,
         .box_bytes = 50},
        {.output = 0, .name = "result", .lanes = 1, .box = box,
         .box_bytes = 70}};
    memcpy(t[0].to, me, 32);
    memcpy(t[1].to, me, 32);
    memcpy(t[2].to, you, 32);
    store_run r = {.session = {(uint8_t)call}, .call = call, .told = t,
                   .ntold = 3};
    memcpy(r.contract, con, 32);
    CU_ASSERT_EQUAL(store_stage(s, &r, &why), STORE_OK);
    if (call == 3)
      CU_ASSERT_EQUAL(store_discard(s, 3, &why), STORE_OK);
    if (call < 3)
      CU_ASSERT_EQUAL(store_promote(s, call, &why), STORE_OK);
  }
  s = reopen(s);
  CU_ASSERT_EQUAL(store_letters(s, a, me, 0, 1000, &l, &n, &more, &why),
                  STORE_OK);
  CU_ASSERT_EQUAL_FATAL(n, 4); /* 3 is discarded, 4 is staged */
  CU_ASSERT_FALSE(more);
  CU_ASSERT_EQUAL(l[1].call, 1);
  CU_ASSERT_EQUAL(l[1].output, 1);
  CU_ASSERT_EQUAL(l[1].lanes, 2);
  CU_ASSERT_EQUAL(l[1].session[0], 1);
  CU_ASSERT_STRING_EQUAL(l[1].name, "p.age");
  CU_ASSERT_EQUAL(l[1].box_bytes, 50);
  CU_ASSERT_EQUAL(l[2].call, 2);
  CU_ASSERT_EQUAL(l[2].box[99], 2);
  CU_ASSERT_EQUAL(memcmp(l[2].contract, con, 32), 0);
  /* one call at least, and whole */
  CU_ASSERT_EQUAL(store_letters(s, a, me, 0, 1, &l, &n, &more, &why),
                  STORE_OK);
  CU_ASSERT_EQUAL(n, 2);
  CU_ASSERT(more);
  CU_ASSERT_EQUAL(store_letters(s, a, you, 1, 1000, &l, &n, &more, &why),
                  STORE_OK);
  CU_ASSERT_EQUAL(n, 1);
  CU_ASSERT_EQUAL(store_letters(s, a, you, UINT64_MAX, 9, &l, &n, &more,
                                &why), STORE_OK);
  CU_ASSERT_EQUAL(n, 0);
  store_close(s);
}

static void seen(void) {
  store *s = fresh();
  uint64_t seq = 1;
  uint8_t h[32], want[32] = {7};
  CU_ASSERT_EQUAL(store_seen(s, &seq, h, &why), STORE_OK);
  CU_ASSERT_EQUAL(seq, 0);
  CU_ASSERT_EQUAL(store_set_seen(s, 300, want, &why), STORE_OK);
  s = reopen(s);
  CU_ASSERT_EQUAL(store_seen(s, &seq, h, &why), STORE_OK);
  CU_ASSERT_EQUAL(seq, 300);
  CU_ASSERT_EQUAL(memcmp(h, want, 32), 0);
  store_close(s);
}

static void no_store(void) {
  store *s = fresh(), *two;
  CU_ASSERT_EQUAL(store_open(&two, path, id, 1, CHI_REP3, a, &why),
                  STORE_FAILED);
  said("another process uses it");
  store_close(s);
  snprintf(path, sizeof path, "%s/garbage", dir);
  FILE *f = fopen(path, "w");
  for (int i = 0; i < 2000; i++)
    fputs("garbage!", f);
  fclose(f);
  CU_ASSERT_EQUAL(store_open(&s, path, id, 1, CHI_REP3, a, &why),
                  STORE_FAILED);
  CU_ASSERT_PTR_NULL(s);
  said("not a database");
  snprintf(path, sizeof path, "%s/foreign.db", dir);
  change("CREATE TABLE t(x); INSERT INTO t VALUES(1)");
  CU_ASSERT_EQUAL(store_open(&s, path, id, 1, CHI_REP3, a, &why),
                  STORE_FAILED);
  said("it is no store");
  snprintf(path, sizeof path, "%s/no/folder.db", dir);
  CU_ASSERT_EQUAL(store_open(&s, path, id, 1, CHI_REP3, a, &why),
                  STORE_FAILED);
  said("could not be opened");
}

int main(void) {
  if (sodium_init() < 0 || !mkdtemp(dir) ||
      chi_identity_new(&id) != CHI_OK)
    return 1;
  a = arena_new();
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("store", NULL, NULL);
  CU_add_test(s, "there and back", there_and_back);
  CU_add_test(s, "missing and older", missing_and_older);
  CU_add_test(s, "foreign rows", foreign);
  CU_add_test(s, "each byte", changed_byte);
  CU_add_test(s, "other tables", other_tables);
  CU_add_test(s, "another node's", other_node);
  CU_add_test(s, "versions", versions);
  CU_add_test(s, "killed", killed);
  CU_add_test(s, "runs started", started);
  CU_add_test(s, "sealed arguments", sealed);
  CU_add_test(s, "limits of sealed arguments", sealed_limits);
  CU_add_test(s, "letters", letters);
  CU_add_test(s, "the record seen", seen);
  CU_add_test(s, "no store", no_store);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  chi_identity_free(id);
  arena_free(a);
  char rm[200];
  snprintf(rm, sizeof rm, "rm -rf '%s'", dir);
  return failed != 0 || system(rm) != 0;
}
