/* A node whose ledger tells it something else than the others', or something
 * that nobody signed.  Linked with --wrap=ledger_connect: what comes from the
 * ledger passes through here. */
#include <CUnit/Basic.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

typedef enum {
  TRUTH,
  SIGNATURE, /* the caller's is another */
  HANDED,    /* a value that before handed on */
  VERSION,   /* of the list */
  NO_VALUE,  /* nothing is handed on */
  NO_VERSION,
  PACKAGE,   /* a byte of it */
  DEPLOY,    /* of another contract */
  INITIAL,   /* what init gave */
  NO_INITIAL,
  LIES
} lie;

static const char *const reason[LIES] = {
    [SIGNATURE] = "not signed by its caller",
    [HANDED] = "disagrees on the public inputs",
    [VERSION] = "its share of \"list\" is of version",
    [NO_VALUE] = "the ledger did not hand on \"%0\"",
    [NO_VERSION] = "the ledger names no version of \"",
    [PACKAGE] = "the contract has no signed deploy",
    [DEPLOY] = "was not made by the deploy that the ledger names",
    [INITIAL] = "the shares of input '$bonus' are not of one value",
    [NO_INITIAL] = "the ledger does not give what \"bonus\" begins with"};

typedef struct liar {
  ledger base;
  ledger *real;
} liar;

static uint8_t *flipped(arena *a, const void *p, size_t n, size_t at) {
  uint8_t *q = arena_alloc(a, n);
  memcpy(q, p, n);
  q[at] ^= 1;
  return q;
}

static void clear(void *p) { mpz_clear(*(mpz_t *)p); }

/* Lanes of records are only to be read: new ones. */
static void one_less(arena *a, tx_value *v) {
  mpz_t *z = arena_array(a, 1, sizeof *z);
  mpz_init_set(z[0], v->lane[0]);
  arena_defer(a, clear, z);
  mpz_sub_ui(z[0], z[0], 1);
  v->lane = z;
}

static void pending(arena *a, ledger_record *r) {
  if (net_lie == SIGNATURE)
    r->tx = flipped(a, r->tx, r->tx_bytes, r->tx_bytes - 1);
  if (net_lie == HANDED)
    one_less(a, &r->handed.p[0]);
  if (net_lie == NO_VALUE)
    r->handed.n = 0;
  if (net_lie == NO_VERSION)
    r->secret_before.n = 0;
  for (uint32_t i = 0; net_lie == VERSION && i < r->secret_before.n; i++)
    if (strstr(r->secret_before.p[i].name, "list"))
      one_less(a, &r->secret_before.p[i]);
}

static ledger_status lie_watch(ledger *l, arena *a, uint64_t after,
                               uint32_t max, int ms, ledger_record **out,
                               uint32_t *n) {
  ledger *real = ((liar *)l)->real;
  ledger_status s = real->ops->watch(real, a, after, max, ms, out, n);
  for (uint32_t i = 0; s == LEDGER_OK && i < *n; i++)
    if ((*out)[i].outcome == REC_PENDING)
      pending(a, &(*out)[i]);
  return s;
}

static ledger_status lie_read(ledger *l, arena *a, const ledger_query *q,
                              ledger_answer *out) {
  ledger *real = ((liar *)l)->real;
  ledger_query other = *q;
  if (net_lie == DEPLOY && q->kind == READ_RECORD && q->seq == 2)
    other.seq = 3; /* the deploys are records 2 and 3 */
  ledger_status s = real->ops->read(real, a, &other, out);
  if (s != LEDGER_OK)
    return s;
  if (other.seq != q->seq && q->kind == READ_RECORD)
    out->record->seq = q->seq;
  if (net_lie == PACKAGE && q->kind == READ_RECORD &&
      out->record->t.kind == TX_DEPLOY)
    out->record->tx = flipped(a, out->record->tx, out->record->tx_bytes, 200);
  for (uint32_t i = 0; q->kind == READ_STATE && i < out->nslot; i++)
    if (strstr(out->slot[i].name, "bonus")) {
      if (net_lie == INITIAL)
        one_less(a, &out->slot[i].initial.p[0]);
      if (net_lie == NO_INITIAL)
        out->slot[i].name = "other";
    }
  return s;
}

static ledger_status lie_submit(ledger *l, arena *a, const uint8_t *p,
                                size_t n, ledger_receipt *out) {
  ledger *real = ((liar *)l)->real;
  return real->ops->submit(real, a, p, n, out);
}

static void lie_close(ledger *l) {
  ledger *real = ((liar *)l)->real;
  real->ops->close(real);
}

ledger_status __real_ledger_connect(ledger **out, arena *a, const char *host,
                                    uint16_t port, const char **why);
ledger_status __wrap_ledger_connect(ledger **out, arena *a, const char *host,
                                    uint16_t port, const char **why);

ledger_status __wrap_ledger_connect(ledger **out, arena *a, const char *host,
                                    uint16_t port, const char **why) {
  static const ledger_ops ops = {lie_submit, lie_read, lie_watch, lie_close};
  ledger_status s = __real_ledger_connect(out, a, host, port, why);
  if (s != LEDGER_OK || net_lie == TRUTH)
    return s;
  liar *x = ARENA_NEW(a, liar);
  x->base.ops = &ops;
  x->real = *out;
  *out = &x->base;
  return s;
}

static void lies_to(chi_protocol protocol, unsigned node) {
  net w;
  net_open(&w, protocol, 3);
  net_deploy(&w, "Vault");
  uint8_t id[32];
  memcpy(id, w.contract, 32);
  net_deploy(&w, "Other");
  memcpy(w.contract, id, 32);
  CU_ASSERT_EQUAL(net_call(&w, "put", 30, NULL, 0), REC_DONE);
  net_settle(&w);
  for (int k = 1; k < LIES; k++) {
    CU_ASSERT(net_stop(&w, node));
    w.lie[node] = k;
    net_start(&w, node);
    CU_ASSERT_EQUAL(net_call(&w, "total", -1, "most", 1000), REC_ABORTED);
    if (!strstr(w.end->why, reason[k])) {
      fprintf(stderr, "test: not '%s' but '%s'\n", reason[k], w.end->why);
      CU_FAIL("another reason");
    }
    net_settle(&w);
    CU_ASSERT(net_stop(&w, node));
    w.lie[node] = TRUTH;
    net_start(&w, node);
    CU_ASSERT_EQUAL(net_total(&w), 37);
    net_settle(&w);
  }
  net_close(&w);
}

static void lies(void) {
  lies_to(CHI_REP3, 0);
  lies_to(CHI_SHAMIR, 2);
}

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("lies", NULL, NULL);
  CU_add_test(s, "a ledger that lies to one node", lies);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
