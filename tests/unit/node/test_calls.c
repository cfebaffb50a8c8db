/* Calls on a net of nodes: values, aborts, shares that are not as they should
 * be, the compiler's cache. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <glob.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"

static void said(const char *text, const char *part) {
  if (!strstr(text, part)) {
    fprintf(stderr, "test: not '%s' but '%s'\n", part, text);
    CU_FAIL("another reason");
  }
}

/* What the nodes told the caller in call w->seq, joined. */
static uint64_t told(net *w) {
  const uint8_t *box[NET_MAX];
  size_t bytes[NET_MAX];
  uint64_t v = 0;
  chi_client_run run = {.protocol = w->protocol, .n = w->n,
                        .party_key = (const uint8_t(*)[32])w->key};
  uint32_t output = 0;
  for (unsigned i = 0; i < w->n; i++) {
    node_letter *l;
    size_t n;
    const char *why = "";
    if (!node_letters(w->a, "127.0.0.1", w->peer[i].port, w->caller,
                      w->seq - 1, &l, &n, &why))
      CU_FAIL(why);
    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_EQUAL(l->call, w->seq);
    CU_ASSERT_EQUAL(l->lanes, 1);
    CU_ASSERT_STRING_EQUAL(l->name, "result");
    CU_ASSERT_EQUAL(memcmp(l->contract, w->contract, 32), 0);
    memcpy(run.session_id, l->session, 32);
    box[i] = l->box;
    bytes[i] = l->box_bytes;
    output = l->output;
  }
  CU_ASSERT_EQUAL(chi_client_open(&v, 1, NULL, &run, w->caller, output, box,
                                  bytes), CHI_OK);
  return v;
}

static void life_of(chi_protocol protocol, unsigned n) {
  net w;
  net_open(&w, protocol, n);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_total(&w), 7); /* what init gave; zeros */
  CU_ASSERT_EQUAL(net_call(&w, "put", 100, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_total(&w), 107);
  CU_ASSERT_EQUAL(net_call(&w, "put", 5, NULL, 0), REC_DONE);
  uint64_t list = w.seq;
  CU_ASSERT_EQUAL(net_total(&w), 112);
  CU_ASSERT_EQUAL(net_call(&w, "scale", 3, NULL, 0), REC_DONE);
  net_settle(&w);
  CU_ASSERT_EQUAL(told(&w), 7 * 100 * 3);
  uint64_t bonus = w.seq;
  CU_ASSERT_EQUAL(net_total(&w), 805);
  net_settle(&w);
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT_EQUAL(net_version(&w, i, "$list"), list);
    CU_ASSERT_EQUAL(net_version(&w, i, "$bonus"), bonus);
  }
  /* a second contract from the same package has a state of its own */
  uint8_t first[32];
  memcpy(first, w.contract, 32);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_total(&w), 7);
  memcpy(w.contract, first, 32);
  CU_ASSERT_EQUAL(net_total(&w), 805);
  net_close(&w);
}

static void life(void) {
  life_of(CHI_REP3, 3);
  life_of(CHI_SHAMIR, 3);
  life_of(CHI_SHAMIR, 4);
  life_of(CHI_SHAMIR, 7);
}

static void aborts(void) {
  net w;
  net_open(&w, CHI_REP3, 3);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 100, NULL, 0), REC_DONE);
  for (int i = 0; i < 3; i++) {
    twist no = {.no_deposit = i + 1}, other = {.other_deposit = i + 1},
          value = {.other_value = i + 1};
    net_submit(&w, "put", 1, NULL, 0, &no);
    net_wait(&w);
    CU_ASSERT_EQUAL(w.end->outcome, REC_ABORTED);
    said(w.end->why, "it was not sent the sealed arguments");
    said(w.end->why, arena_printf(w.a, "node %d", i));
    net_submit(&w, "put", 1, NULL, 0, &other);
    net_wait(&w);
    CU_ASSERT_EQUAL(w.end->outcome, REC_ABORTED);
    said(w.end->why, "not those that the caller signed");
    net_submit(&w, "put", 1, NULL, 0, &value);
    net_wait(&w);
    CU_ASSERT_EQUAL(w.end->outcome, REC_ABORTED);
    said(w.end->why, "the shares of input 'amount' are not of one value");
  }
  /* a condition of the circuit */
  CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 106), REC_REVERTED);
  said(w.end->why, "the total is too large");
  CU_ASSERT_EQUAL(w.end->t.u.vote.status, CHI_E_REQUIRE);
  CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 107), REC_DONE);
  /* nothing of these came to anything */
  CU_ASSERT_EQUAL(net_total(&w), 107);
  net_settle(&w);
  sqlite3 *db; /* and no sealed argument is kept */
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT(net_stop(&w, i));
    sqlite3_stmt *st;
    sqlite3_open(net_store(&w, i), &db);
    sqlite3_prepare_v2(db, "SELECT (SELECT count(*) FROM sealed) +"
                           " (SELECT count(*) FROM run)", -1, &st, NULL);
    CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_ROW);
    CU_ASSERT_EQUAL(sqlite3_column_int(st, 0), 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
  }
  net_close(&w);
}

/* ---- shares ---- */

static void change(net *w, unsigned node, const char *sql) {
  sqlite3 *db;
  char *err = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(net_store(w, node), &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK)
    CU_FAIL_FATAL(err);
  CU_ASSERT(sqlite3_total_changes(db) > 0);
  sqlite3_close(db);
}

/* A node whose store was changed makes the call fail with its reason, and
 * nothing else: with its own store it goes on. */
static void shares_of(chi_protocol protocol, unsigned n, unsigned node) {
  static const struct {
    const char *sql, *why;
  } what[] = {
      {"DELETE FROM share WHERE leaf = '$list'",
       "it has no share of \"list\""},
      {"UPDATE share SET version = version - 1 WHERE leaf = '$list'",
       "its share of \"list\" is of version"},
      {"UPDATE share SET box = zeroblob(length(box)) WHERE leaf = '$list'",
       "does not open"},
      {"UPDATE share SET lanes = 3 WHERE leaf = '$list'",
       "has 3 elements, not 4"},
      {"DELETE FROM share WHERE leaf = '$list'; UPDATE share SET leaf ="
       " '$list', lanes = 4 WHERE leaf = '$bonus'; UPDATE share SET version ="
       " (SELECT value FROM note)",
       "does not open"}};
  net w;
  char cmd[400];
  net_open(&w, protocol, n);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_call(&w, "scale", 3, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_call(&w, "put", 8, NULL, 0), REC_DONE);
  uint64_t list = w.seq;
  net_settle(&w);
  for (size_t k = 0; k < sizeof what / sizeof *what; k++) {
    CU_ASSERT(net_stop(&w, node));
    snprintf(cmd, sizeof cmd, "cp '%s' '%s/keep'", net_store(&w, node), w.dir);
    CU_ASSERT_EQUAL(system(cmd), 0);
    change(&w, node, arena_printf(w.a, "CREATE TEMP TABLE note AS SELECT %llu"
                                       " AS value; %s",
                                  (unsigned long long)list, what[k].sql));
    net_start(&w, node);
    CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 1000), REC_ABORTED);
    said(w.end->why, what[k].why);
    said(w.end->why, arena_printf(w.a, "node %u", node));
    net_settle(&w);
    CU_ASSERT(net_stop(&w, node));
    snprintf(cmd, sizeof cmd, "cp '%s/keep' '%s'", w.dir, net_store(&w, node));
    CU_ASSERT_EQUAL(system(cmd), 0);
    net_start(&w, node);
    CU_ASSERT_EQUAL(net_total(&w), 24);
    net_settle(&w);
  }
  net_close(&w);
}

static void shares(void) {
  shares_of(CHI_REP3, 3, 0);
  shares_of(CHI_SHAMIR, 4, 3);
}

/* Two nodes exchange their stores' rows: each is bound to its node. */
static void exchanged(void) {
  net w;
  net_open(&w, CHI_REP3, 3);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  net_settle(&w);
  CU_ASSERT(net_stop(&w, 1) && net_stop(&w, 2));
  change(&w, 1, arena_printf(w.a, "ATTACH '%s' AS o; UPDATE share SET box ="
                                  " (SELECT box FROM o.share WHERE leaf ="
                                  " '$list') WHERE leaf = '$list'",
                             net_store(&w, 2)));
  net_start(&w, 1);
  net_start(&w, 2);
  CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 1000), REC_ABORTED);
  said(w.end->why, "node 1: its share of \"list\"");
  said(w.end->why, "does not open");
  net_close(&w);
}

/* ---- compiled circuits ---- */

static unsigned count(const char *text, const char *part) {
  unsigned n = 0;
  for (; (text = strstr(text, part)); text++)
    n++;
  return n;
}

static unsigned compiled(net *w) {
  unsigned n = 0;
  for (unsigned i = 0; i < w->n; i++)
    n += count(net_log(w, i), "compiled \"");
  return n;
}

static void compiled_once(void) {
  net w;
  net_open(&w, CHI_SHAMIR, 5);
  net_deploy(&w, "Vault");
  net_deploy(&w, "Vault"); /* the same package */
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_call(&w, "scale", 3, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_total(&w), 16);
  net_settle(&w);
  CU_ASSERT_EQUAL(compiled(&w), 3);
  /* code that was cut short is made again, once */
  glob_t g;
  CU_ASSERT_EQUAL_FATAL(
      glob(arena_printf(w.a, "%s/circuits/*.so", w.dir), 0, NULL, &g), 0);
  CU_ASSERT_EQUAL(g.gl_pathc, 3);
  for (unsigned i = 0; i < w.n; i++)
    CU_ASSERT(net_stop(&w, i));
  CU_ASSERT_EQUAL(truncate(g.gl_pathv[0], 100), 0);
  CU_ASSERT_EQUAL(truncate(g.gl_pathv[1], 0), 0);
  for (unsigned i = 0; i < w.n; i++)
    net_start(&w, i);
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_call(&w, "scale", 3, NULL, 0), REC_DONE);
  CU_ASSERT_EQUAL(net_total(&w), 32);
  net_settle(&w);
  CU_ASSERT(compiled(&w) >= 5 && compiled(&w) <= 7);
  globfree(&g);
  /* nothing is left over */
  CU_ASSERT_EQUAL(glob(arena_printf(w.a, "%s/circuits/work-*", w.dir), 0, NULL,
                       &g), GLOB_NOMATCH);
  /* a folder that others may write is not used */
  CU_ASSERT(net_stop(&w, 0));
  CU_ASSERT_EQUAL(chmod(arena_printf(w.a, "%s/circuits", w.dir), 0777), 0);
  net_start(&w, 0);
  net_died(&w, 0);
  said(net_log(&w, 0), "others than its owner can write there");
  net_close(&w);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("calls", NULL, NULL);
  CU_add_test(s, "the life of a contract", life);
  CU_add_test(s, "aborts", aborts);
  CU_add_test(s, "shares that were changed", shares);
  CU_add_test(s, "shares of another node", exchanged);
  CU_add_test(s, "circuits are compiled once", compiled_once);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
