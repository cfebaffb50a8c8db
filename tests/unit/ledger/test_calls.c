/* The life of a call, from submission to its end. */
#include "world.h"

static world w;
static uint8_t pool[32];

static void start(void) {
  world_open(&w, 0);
  CU_ASSERT_EQUAL_FATAL(world_deploy(&w, 0, "2", pool), LEDGER_OK);
}

static void stop(void) {
  world_reopen(&w);
  world_close(&w);
}

static tx_values pay_args(int to, const char *amount) {
  return world_values(
      w.a, arena_printf(w.a, "to=%s", world_key(&w, w.person[to])),
      arena_printf(w.a, "amount=%s", amount), NULL);
}

static void test_deploy(void) {
  uint8_t second[32], none[32];
  ledger_query q = {.kind = READ_CONTRACT, .name = "Pool"};
  ledger_answer out;
  char hex[65];
  start();
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$seats"), "2");
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$filled"), "0");
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$owner"),
                         world_key(&w, w.person[0]));
  CU_ASSERT_EQUAL(world_version(&w, pool, "salary"), 0);
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT(!memcmp(out.instance->id, pool, 32));
  CU_ASSERT_EQUAL(out.instance->seq, 2);

  CU_ASSERT_EQUAL(world_deploy(&w, 1, "5", second), LEDGER_OK);
  q.name = "Pool-2";
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT(!memcmp(out.instance->id, second, 32));
  chi_hex(hex, pool, 32);
  hex[12] = 0;
  q.name = hex;
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_STRING_EQUAL(out.instance->label, "Pool");
  q.name = "abc";
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_NOT_FOUND);
  q.kind = READ_CONTRACTS;
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL(out.ninstance, 2);
  memcpy(q.id, second, 32);
  q.kind = READ_PACKAGE;
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_STRING_EQUAL(out.bytes, pool_package(w.a));

  /* A require of init fails: recorded, the counter is used, no contract. */
  CU_ASSERT_EQUAL(world_deploy(&w, 0, "0", none), LEDGER_REVERTED);
  WHY(&w, "a pool without seats");
  memcpy(q.id, none, 32);
  q.kind = READ_STATE;
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_NOT_FOUND);
  /* The secret variable to which init gave a value. */
  memcpy(q.id, pool, 32);
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL(out.nslot, 2);
  CU_ASSERT_STRING_EQUAL(out.slot[0].name, "bonus");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &out.slot[0].initial.p[0]), "7");
  CU_ASSERT_EQUAL(out.slot[1].initial.n, 0);
  stop();
}

static void test_bad_packages(void) {
  uint8_t id[32];
  const char *text = pool_package(w.a = arena_new());
  char *copy = arena_strdup(w.a, text), *at = strstr(copy, "\"format\":1");
  at[strlen("\"format\":")] = '2';
  const char *format = copy;
  arena *keep = w.a;
  start();
  CU_ASSERT_EQUAL(world_deploy_text(&w, 0, format, world_none(), id),
                  LEDGER_REFUSED);
  WHY(&w, "'format' must be 1");
  CU_ASSERT_EQUAL(world_deploy_text(&w, 0, "{", world_none(), id),
                  LEDGER_REFUSED);
  WHY(&w, "not JSON");
  CU_ASSERT_EQUAL(world_deploy_text(&w, 0, text, world_none(), id),
                  LEDGER_REFUSED);
  WHY(&w, "argument 'seats' is missing");
  CU_ASSERT_EQUAL(world_deploy_text(&w, 0, text,
                                    world_values(w.a, "seats=4294967296",
                                                 NULL), id),
                  LEDGER_REFUSED);
  WHY(&w, "outside its range 0..4294967295");
  stop();
  arena_free(keep);
}

static void test_public_call(void) {
  const char *key;
  start();
  key = world_key(&w, w.person[5]);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay_args(5, "30"), false),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_DONE);
  ledger_record *r = world_record(&w, w.receipt.seq);
  CU_ASSERT_EQUAL(r->nevent, 1);
  CU_ASSERT_STRING_EQUAL(r->event[0].name, "Paid");
  CU_ASSERT_STRING_EQUAL(r->event[0].field.p[1].name, "amount");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->event[0].field.p[1]), "30");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->result.p[0]), "30");
  CU_ASSERT_EQUAL(r->call, 0);
  w.now += 5500;
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay", pay_args(5, "12"), false),
                  LEDGER_OK);
  CU_ASSERT_STRING_EQUAL(world_entry(&w, pool, "$votes", key), "42");
  CU_ASSERT_STRING_EQUAL(world_entry(&w, pool, "$when", "0"), "4000000005");
  CU_ASSERT_STRING_EQUAL(world_entry(&w, pool, "$when", "1"), "4");
  CU_ASSERT_STRING_EQUAL(
      world_view(&w, pool, "paid",
                 world_values(w.a, arena_printf(w.a, "who=%s", key), NULL)),
      "result=42");
  CU_ASSERT_STRING_EQUAL(
      world_view(&w, pool, "paid", world_values(w.a, "who=1", NULL)),
      "nobody paid");
  CU_ASSERT_EQUAL(w.status, LEDGER_REVERTED);
  stop();
}

static void test_reverts(void) {
  start();
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay_args(5, "0"), false),
                  LEDGER_REVERTED);
  WHY(&w, "nothing to pay");
  CU_ASSERT_EQUAL(world_record(&w, w.receipt.seq)->outcome, REC_REVERTED);
  /* A write that leaves the leaf's range. */
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "note",
                             world_values(w.a, "x=9", NULL), false),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "note",
                             world_values(w.a, "x=10", NULL), false),
                  LEDGER_REVERTED);
  WHY(&w, "'digit' would leave its range 0..9");
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$digit"), "9");
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay_args(5, "4294967295"),
                             false), LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay_args(5, "1"), false),
                  LEDGER_REVERTED);
  WHY(&w, "'votes' would leave its range");
  stop();
}

static void test_budget(void) {
  uint8_t id[32];
  world_open(&w, 5000);
  CU_ASSERT_EQUAL_FATAL(world_deploy(&w, 0, "2", id), LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 1, id, "spin",
                             world_values(w.a, "n=1000", NULL), false),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 1, id, "spin",
                             world_values(w.a, "n=4294967295", NULL), false),
                  LEDGER_REVERTED);
  CU_ASSERT_STRING_EQUAL(w.receipt.why,
                         "the step budget of 5000 was used up");
  stop();
}

/* ---- with a circuit ---- */
static uint64_t join(int who) {
  CU_ASSERT_EQUAL(world_call(&w, who, pool, "join", world_none(), true),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_PENDING);
  return w.receipt.seq;
}

static void test_commit(void) {
  uint64_t a;
  start();
  a = join(1);
  ledger_record *r = world_record(&w, a);
  CU_ASSERT_STRING_EQUAL(r->handed.p[0].name, "%0");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->handed.p[0]), "0");
  CU_ASSERT_EQUAL(r->secret_before.n, 1);
  CU_ASSERT_STRING_EQUAL(r->secret_before.p[0].name, "salary");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->secret_before.p[0]), "0");
  CU_ASSERT_EQUAL(r->lock_until_ms, w.now + 10000);
  /* What before wrote is not seen yet. */
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$filled"), "0");
  CU_ASSERT_STRING_EQUAL(world_view(&w, pool, "total", world_none()),
                         "result.0=0 result.1=0");
  CU_ASSERT_EQUAL(world_commit(&w, 0, a, world_none()), LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_NOTED);
  uint64_t noted = w.receipt.seq;
  CU_ASSERT_EQUAL(world_record(&w, noted)->call, 0);
  CU_ASSERT_EQUAL(world_commit(&w, 1, a, world_none()), LEDGER_OK);
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$filled"), "0");
  /* The same vote once more is what it was. */
  CU_ASSERT_EQUAL(world_commit(&w, 0, a, world_none()), LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.seq, noted);
  CU_ASSERT_EQUAL(world_abort(&w, 0, a, "no", 0), LEDGER_REFUSED);
  WHY(&w, "node 0 has voted otherwise");
  CU_ASSERT_EQUAL(world_commit(&w, 2, a, world_none()), LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_DONE);
  uint64_t done = w.receipt.seq;
  r = world_record(&w, done);
  CU_ASSERT_EQUAL(r->call, a);
  CU_ASSERT(!memcmp(r->contract, pool, 32));
  CU_ASSERT_STRING_EQUAL(r->secret_after.p[0].name, "salary");
  CU_ASSERT_EQUAL(mpz_get_ui(r->secret_after.p[0].lane[0]), a);
  CU_ASSERT_EQUAL(world_version(&w, pool, "salary"), a);
  CU_ASSERT_EQUAL(world_version(&w, pool, "bonus"), 0);
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$filled"), "1");
  CU_ASSERT_EQUAL(world_commit(&w, 2, a, world_none()), LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.seq, done);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_DONE);
  CU_ASSERT_EQUAL(world_abort(&w, 2, a, "late", 0), LEDGER_REFUSED);
  WHY(&w, "there is no pending call");
  uint64_t b = join(2);
  r = world_record(&w, b);
  CU_ASSERT_EQUAL(mpz_get_ui(r->secret_before.p[0].lane[0]), a);
  stop();
}

static void test_after(void) {
  tx_values opened;
  start();
  world_all_commit(&w, join(1), world_none());
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "close", world_none(), false),
                  LEDGER_REVERTED);
  WHY(&w, "only the owner");
  CU_ASSERT_EQUAL(world_call(&w, 0, pool, "close", world_none(), false),
                  LEDGER_OK);
  uint64_t call = w.receipt.seq;
  CU_ASSERT_EQUAL(world_record(&w, call)->nevent, 0);
  opened = world_values(w.a, "!0=500", NULL);
  world_all_commit(&w, call, opened);
  ledger_record *r = world_record(&w, w.receipt.seq);
  CU_ASSERT_EQUAL(r->outcome, REC_DONE);
  CU_ASSERT_EQUAL(r->nevent, 2);
  CU_ASSERT_STRING_EQUAL(r->event[0].name, "Paid");
  CU_ASSERT_STRING_EQUAL(r->event[1].name, "Closed");
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->event[1].field.p[0]), "500");
  /* result = opened + what before wrote to the map */
  CU_ASSERT_STRING_EQUAL(world_text(w.a, &r->result.p[0]), "501");
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$total"), "500");
  CU_ASSERT_EQUAL(r->secret_after.n, 0);

  /* A require in after fails: nothing of the call stays. */
  CU_ASSERT_EQUAL(world_call(&w, 0, pool, "close", world_none(), false),
                  LEDGER_OK);
  call = w.receipt.seq;
  opened = world_values(w.a, "!0=1000001", NULL);
  world_all_commit(&w, call, opened);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_REVERTED);
  WHY(&w, "the total is too large");
  CU_ASSERT_EQUAL(world_record(&w, w.receipt.seq)->call, call);
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$total"), "500");
  stop();
}

static void test_votes(void) {
  uint64_t call;
  start();
  CU_ASSERT_EQUAL(world_call(&w, 0, pool, "close", world_none(), false),
                  LEDGER_OK);
  call = w.receipt.seq;
  CU_ASSERT_EQUAL(world_commit(&w, 0, call, world_none()), LEDGER_REFUSED);
  WHY(&w, "opened value '!0' is missing");
  CU_ASSERT_EQUAL(world_commit(&w, 0, call,
                               world_values(w.a, "!0=1", "!1=2", NULL)),
                  LEDGER_REFUSED);
  CU_ASSERT_EQUAL(world_commit(&w, 0, call,
                               world_values(w.a, "!0=-1", NULL)),
                  LEDGER_REFUSED);
  WHY(&w, "outside its range");
  /* Not a node, another node's index. */
  tx t = {.kind = TX_VOTE, .u.vote = {.call = call, .node = 1,
                                      .commit = true, .why = ""}};
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[0]), LEDGER_REFUSED);
  WHY(&w, "not by node 1");
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.node[0]), LEDGER_REFUSED);
  t.u.vote.node = 3;
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.node[0]), LEDGER_REFUSED);
  /* They differ. */
  CU_ASSERT_EQUAL(world_commit(&w, 0, call, world_values(w.a, "!0=1", NULL)),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(world_commit(&w, 1, call, world_values(w.a, "!0=2", NULL)),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_ABORTED);
  WHY(&w, "the nodes disagree about the opened values: node 0 and node 1");
  CU_ASSERT_EQUAL(world_record(&w, w.receipt.seq)->call, call);
  /* One aborts. */
  call = join(3);
  CU_ASSERT_EQUAL(world_commit(&w, 0, call, world_none()), LEDGER_OK);
  CU_ASSERT_EQUAL(world_abort(&w, 1, call, "node 2 is away", 4), LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_ABORTED);
  WHY(&w, "node 2 is away");
  CU_ASSERT_EQUAL(world_version(&w, pool, "salary"), 0);
  /* A require of the circuit. */
  call = join(3);
  CU_ASSERT_EQUAL(world_abort(&w, 1, call, "too poor", CHI_E_REQUIRE),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_REVERTED);
  WHY(&w, "too poor");
  CU_ASSERT_STRING_EQUAL(world_state(&w, pool, "$filled"), "0");
  stop();
}

static void test_locks(void) {
  uint64_t call, other;
  uint8_t second[32];
  start();
  CU_ASSERT_EQUAL(world_deploy(&w, 0, "9", second), LEDGER_OK);
  call = join(1);
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "join", world_none(), true),
                  LEDGER_LOCKED);
  CU_ASSERT_EQUAL(w.receipt.seq, call);
  CU_ASSERT_EQUAL(world_call(&w, 0, pool, "close", world_none(), false),
                  LEDGER_LOCKED);
  /* No common state, or another instance. */
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay", pay_args(1, "1"), false),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(&w, 2, second, "join", world_none(), true),
                  LEDGER_OK);
  other = w.receipt.seq;
  ledger_query q = {.kind = READ_PENDING};
  ledger_answer out;
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL_FATAL(out.npending, 2);
  CU_ASSERT_EQUAL(out.pending[0], call);
  CU_ASSERT_EQUAL(out.pending[1], other);
  q = (ledger_query){.kind = READ_CONTRACT, .name = "Pool"};
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL(out.instance->locked_by, call);
  /* Pending calls survive. */
  world_reopen(&w);
  world_all_commit(&w, call, world_none());
  CU_ASSERT_EQUAL(w.receipt.outcome, REC_DONE);
  join(2);
  stop();
}

static void test_expiry(void) {
  uint64_t call;
  start();
  CU_ASSERT_EQUAL(ledger_expire(w.l, w.a), -1);
  call = join(1);
  CU_ASSERT_EQUAL(world_commit(&w, 0, call, world_none()), LEDGER_OK);
  w.now += 9000;
  CU_ASSERT_EQUAL(ledger_expire(w.l, w.a), 1000);
  w.now += 1000;
  CU_ASSERT_EQUAL(world_commit(&w, 1, call, world_none()), LEDGER_REFUSED);
  WHY(&w, "there is no pending call");
  ledger_record *r = world_record(&w, 5);
  CU_ASSERT_EQUAL(r->t.kind, TX_EXPIRE);
  CU_ASSERT_EQUAL(r->outcome, REC_ABORTED);
  CU_ASSERT_EQUAL(r->call, call);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->why, "lock"));
  call = join(1);
  w.now += 10001;
  CU_ASSERT_EQUAL(ledger_expire(w.l, w.a), -1);
  CU_ASSERT_EQUAL(world_record(&w, call + 1)->call, call);
  /* Nobody submits an expiry. */
  call = join(1);
  size_t n;
  tx t = {.kind = TX_EXPIRE, .u.expire = {call}};
  uint8_t *p = world_bytes(&w, &t, NULL, &n);
  w.now += 20000;
  CU_ASSERT_EQUAL(w.l->ops->submit(w.l, w.a, p, n, &w.receipt),
                  LEDGER_REFUSED);
  stop();
}

static void test_arguments(void) {
  start();
  tx t = world_call_tx(&w, 1, pool, "join", world_none(), true);
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[1]), LEDGER_OK);
  w.counter[1]++;
  world_all_commit(&w, w.receipt.seq, world_none());
  /* The same sealed arguments, by the same and by another caller. */
  t.counter = 2;
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[1]), LEDGER_REFUSED);
  WHY(&w, "a sealed argument was used before, in record 3");
  t.counter = 1;
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[2]), LEDGER_REFUSED);
  t = world_call_tx(&w, 2, pool, "join", world_none(), true);
  memcpy(t.u.call.sealed[1], t.u.call.sealed[0], 32);
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[2]), LEDGER_REFUSED);
  WHY(&w, "two nodes were sent the same");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "join", world_none(), false),
                  LEDGER_REFUSED);
  WHY(&w, "needs 3");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay", pay_args(1, "1"), true),
                  LEDGER_REFUSED);
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay",
                             world_values(w.a, "to=1", NULL), false),
                  LEDGER_REFUSED);
  WHY(&w, "argument 'amount' is missing");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay",
                             world_values(w.a, "amount=1", "to=1", NULL),
                             false), LEDGER_REFUSED);
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay",
                             world_values(w.a, "to=1,2", "amount=1", NULL),
                             false), LEDGER_REFUSED);
  WHY(&w, "has 2 elements, not 1");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay",
                             world_values(w.a, "to=1", "amount=1", "x=1",
                                          NULL), false), LEDGER_REFUSED);
  WHY(&w, "'x' is not asked for");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "pay",
                             world_values(w.a, "to=1", "amount=-1", NULL),
                             false), LEDGER_REFUSED);
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "total", world_none(), false),
                  LEDGER_REFUSED);
  WHY(&w, "no action 'total'");
  CU_ASSERT_EQUAL(world_call(&w, 2, pool, "init",
                             world_values(w.a, "seats=1", NULL), false),
                  LEDGER_REFUSED);
  stop();
}

static void test_counters(void) {
  tx t;
  start();
  t = world_call_tx(&w, 1, pool, "pay", pay_args(1, "1"), false);
  t.counter = 2;
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[1]), LEDGER_COUNTER);
  WHY(&w, "the next one is 1");
  t.counter = 1;
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[1]), LEDGER_OK);
  CU_ASSERT_EQUAL(world_submit(&w, &t, w.person[1]), LEDGER_COUNTER);
  ledger_query q = {.kind = READ_COUNTER};
  ledger_answer out;
  chi_identity_public(w.person[1], q.id);
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL(out.seq, 2);
  /* A revert uses it too. */
  w.counter[1] = 2;
  CU_ASSERT_EQUAL(world_call(&w, 1, pool, "pay", pay_args(1, "0"), false),
                  LEDGER_REVERTED);
  CU_ASSERT_EQUAL(w.l->ops->read(w.l, w.a, &q, &out), LEDGER_OK);
  CU_ASSERT_EQUAL(out.seq, 3);
  /* Another net; a signature of another. */
  size_t n;
  t = world_call_tx(&w, 1, pool, "pay", pay_args(1, "1"), false);
  uint8_t *p = world_bytes(&w, &t, w.person[1], &n);
  p[n - 1] ^= 1;
  CU_ASSERT_EQUAL(w.l->ops->submit(w.l, w.a, p, n, &w.receipt),
                  LEDGER_REFUSED);
  WHY(&w, "signature");
  t.net[0] ^= 1;
  p = tx_encode(w.a, &t, w.person[1], &n);
  CU_ASSERT_EQUAL(w.l->ops->submit(w.l, w.a, p, n, &w.receipt),
                  LEDGER_REFUSED);
  WHY(&w, "another net");
  stop();
}

void suite_calls(void) {
  CU_pSuite s = CU_add_suite("calls", NULL, NULL);
  CU_add_test(s, "deploy", test_deploy);
  CU_add_test(s, "bad packages", test_bad_packages);
  CU_add_test(s, "public call", test_public_call);
  CU_add_test(s, "reverts", test_reverts);
  CU_add_test(s, "budget", test_budget);
  CU_add_test(s, "commit", test_commit);
  CU_add_test(s, "after", test_after);
  CU_add_test(s, "votes", test_votes);
  CU_add_test(s, "locks", test_locks);
  CU_add_test(s, "expiry", test_expiry);
  CU_add_test(s, "arguments", test_arguments);
  CU_add_test(s, "counters", test_counters);
}
