/* Nodes that die at each point, that are late, that find another ledger; a
 * ledger that goes away. */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

static const char *const points[] = {"pending-seen", "inputs-ready",
                                     "connected",    "started",
                                     "ran",          "staged",
                                     "voted",        "promoted"};
enum { POINTS = sizeof points / sizeof *points, STARTED = 3, STAGED = 5 };

static void said(const char *text, const char *part) {
  if (!strstr(text, part)) {
    fprintf(stderr, "test: not '%s' but '%s'\n", part, text);
    CU_FAIL("another reason");
  }
}

/* "scale" doubles the bonus: done or not, never both, never half. */
static long bonus;

static void begin(net *w, chi_protocol protocol, unsigned n) {
  net_open(w, protocol, n);
  net_deploy(w, "Vault");
  CU_ASSERT_EQUAL(net_call(w, "put", 2, NULL, 0), REC_DONE);
  bonus = 7;
}

static void same_everywhere(net *w) {
  net_settle(w);
  uint64_t v = net_version(w, 0, "$bonus");
  for (unsigned i = 1; i < w->n; i++)
    CU_ASSERT_EQUAL(net_version(w, i, "$bonus"), v);
  CU_ASSERT_EQUAL(net_total(w), bonus + 2);
  net_settle(w); /* no record is left to be met by a node that is to die */
}

static void took(net *w, unsigned point) {
  CU_ASSERT(w->end->outcome == REC_DONE || w->end->outcome == REC_ABORTED);
  if (w->end->outcome == REC_DONE)
    bonus *= 2;
  if (point >= STARTED && point < STAGED)
    CU_ASSERT_EQUAL(w->end->outcome, REC_ABORTED);
  if (point >= STAGED)
    CU_ASSERT_EQUAL(w->end->outcome, REC_DONE);
}

/* One node is killed at a point and comes again. */
static void one_dies(chi_protocol protocol, unsigned n, unsigned node) {
  net w;
  begin(&w, protocol, n);
  for (unsigned p = 0; p < POINTS; p++) {
    CU_ASSERT(net_stop(&w, node));
    w.kill_at[node] = points[p];
    net_start(&w, node);
    CU_ASSERT_EQUAL(net_submit(&w, "scale", 1, NULL, 0, NULL), LEDGER_OK);
    net_died(&w, node);
    net_start(&w, node);
    net_wait(&w);
    took(&w, p);
    same_everywhere(&w);
    CU_ASSERT_EQUAL(net_call(&w, "scale", 1, NULL, 0), REC_DONE);
    bonus *= 2;
    same_everywhere(&w);
  }
  net_close(&w);
}

static void killed(void) {
  one_dies(CHI_REP3, 3, 0);
  one_dies(CHI_REP3, 3, 2);
  one_dies(CHI_SHAMIR, 4, 1);
}

/* All nodes die at one point of one call. */
static void all_killed(void) {
  net w;
  begin(&w, CHI_REP3, 3);
  for (unsigned p = 0; p < POINTS; p++) {
    for (unsigned i = 0; i < 3; i++) {
      CU_ASSERT(net_stop(&w, i));
      w.hold_at[i] = points[p];
      net_start(&w, i);
    }
    CU_ASSERT_EQUAL(net_submit(&w, "scale", 1, NULL, 0, NULL), LEDGER_OK);
    /* none before the others are there too */
    for (unsigned i = 0; i < 3; i++)
      net_await_held(&w, i);
    for (unsigned i = 0; i < 3; i++)
      net_kill(&w, i);
    for (unsigned i = 0; i < 3; i++)
      net_start(&w, i);
    net_wait(&w);
    took(&w, p);
    if (p == STARTED)
      said(w.end->why, "a run is never repeated");
    same_everywhere(&w);
    CU_ASSERT_EQUAL(net_call(&w, "scale", 1, NULL, 0), REC_DONE);
    bonus *= 2;
    same_everywhere(&w);
  }
  net_close(&w);
}

/* A node that is away for good: the others say so, and go on when it is
 * there. */
static void away(void) {
  net w;
  net_open(&w, CHI_REP3, 3);
  w.deadline_ms = 1000;
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT(net_stop(&w, i));
    net_start(&w, i);
  }
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  bonus = 7;
  net_settle(&w);
  net_kill(&w, 1);
  CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 100), REC_ABORTED);
  said(w.end->why, "node 1");
  net_start(&w, 1);
  same_everywhere(&w);
  net_close(&w);
}

/* A node that is late comes to a call that is over, and to the next one in
 * time; one that is a little late is waited for. */
static void late(void) {
  net w;
  net_open(&w, CHI_REP3, 3);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  bonus = 7;
  for (unsigned turn = 0; turn < 2; turn++) {
    w.deadline_ms = turn ? 10000 : 1500;
    for (unsigned i = 0; i < 3; i++) {
      CU_ASSERT(net_stop(&w, i));
      w.pause_at[i] = i == 2 ? "inputs-ready" : NULL;
      net_start(&w, i);
    }
    CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 100),
                    turn ? REC_DONE : REC_ABORTED);
    for (int k = 0; k < 3; k++) {
      rec_outcome o = net_call(&w, "total", -1, "most", 100);
      CU_ASSERT(o == REC_DONE || (turn == 0 && k < 2));
    }
    same_everywhere(&w);
  }
  net_close(&w);
}

/* ---- the ledger ---- */

static void ledger_away(void) {
  net w;
  begin(&w, CHI_REP3, 3);
  for (int i = 0; i < 3; i++) {
    net_stop_ledger(&w);
    net_start_ledger(&w);
    CU_ASSERT_EQUAL(net_call(&w, "scale", 1, NULL, 0), REC_DONE);
    bonus *= 2;
    same_everywhere(&w);
  }
  said(net_log(&w, 0), "the ledger is there again");
  net_close(&w);
}

static void copy(net *w, const char *from, const char *to) {
  CU_ASSERT_EQUAL(
      system(arena_printf(w->a, "cp '%s' '%s' && rm -f '%s-wal' '%s-shm'",
                          from, to, to, to)), 0);
}

/* An older copy of the ledger takes the place of the ledger. */
static void rolled_back(void) {
  net w;
  begin(&w, CHI_REP3, 3);
  const char *old = arena_printf(w.a, "%s/old.db", w.dir);
  net_settle(&w);
  for (int how = 0; how < 2; how++) {
    net_stop_ledger(&w);
    copy(&w, net_ledger_path(&w), old);
    net_start_ledger(&w);
    CU_ASSERT_EQUAL(net_call(&w, "scale", 1, NULL, 0), REC_DONE);
    uint64_t counter = w.counter, call = w.seq;
    net_settle(&w);
    if (how == 1) /* while the nodes are away */
      for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(net_stop(&w, i));
    net_stop_ledger(&w);
    const char *good = arena_printf(w.a, "%s/good.db", w.dir);
    copy(&w, net_ledger_path(&w), good);
    copy(&w, old, net_ledger_path(&w));
    net_start_ledger(&w);
    w.counter = counter - 1;
    /* the same number, another history */
    CU_ASSERT_EQUAL(net_submit(&w, "total", -1, "most", 100, NULL),
                    LEDGER_OK);
    CU_ASSERT_EQUAL(w.seq, call);
    for (unsigned i = 0; i < 3; i++) {
      if (how == 1)
        net_start(&w, i);
      net_died(&w, i);
      said(net_log(&w, i), "was rolled back or replaced");
    }
    ledger_record *r;
    uint32_t n;
    CU_ASSERT_EQUAL(w.l->ops->watch(w.l, w.a, call, 9, 0, &r, &n), LEDGER_OK);
    CU_ASSERT_EQUAL(n, 0); /* nobody voted */
    net_stop_ledger(&w);
    copy(&w, good, net_ledger_path(&w));
    net_start_ledger(&w);
    w.counter = counter;
    for (unsigned i = 0; i < 3; i++)
      net_start(&w, i);
    bonus *= 2;
    same_everywhere(&w);
  }
  net_close(&w);
}

static void other_net(void) {
  net w;
  net_open(&w, CHI_REP3, 3);
  net_settle(&w);
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT(net_stop(&w, i));
  /* another place in the table; a store of another protocol */
  node_peer p = w.peer[1];
  chi_identity *id = w.node[1];
  w.peer[1] = w.peer[2];
  w.node[1] = w.node[2];
  w.peer[2] = p;
  w.node[2] = id;
  CU_ASSERT_EQUAL(system(arena_printf(w.a, "rm -r '%s/node0'", w.dir)), 0);
  net_start(&w, 0);
  net_died(&w, 0);
  said(net_log(&w, 0), "a net with other nodes or another protocol");
  net_start(&w, 1);
  net_died(&w, 1);
  said(net_log(&w, 1), "the store of another node, identity or protocol");
  net_close(&w);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("faults", NULL, NULL);
  CU_add_test(s, "one node dies at each point", killed);
  CU_add_test(s, "all nodes die at each point", all_killed);
  CU_add_test(s, "a node is away", away);
  CU_add_test(s, "a node is late", late);
  CU_add_test(s, "the ledger is away", ledger_away);
  CU_add_test(s, "the ledger is rolled back", rolled_back);
  CU_add_test(s, "another net", other_net);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
