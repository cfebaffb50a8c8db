/* The server: many clients at once, strangers, and the same answers as the
 * ledger in the process. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ledger/frame.h"
#include "world.h"

typedef struct hosted {
  world w;
  ledger *own; /* the embedded one */
  int fd, stop[2];
  uint16_t port;
  pthread_t thread;
  int result;
} hosted;

static hosted h;
static uint8_t pool[32];

static void *serve(void *arg) {
  const char *why = "";
  (void)arg;
  h.result = ledger_serve(h.own, h.fd, h.stop[0], &why);
  return NULL;
}

static void listen_on(uint16_t port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  socklen_t n = sizeof at;
  int one = 1;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  h.fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(h.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(h.fd, (struct sockaddr *)&at, sizeof at) < 0 ||
      listen(h.fd, 64) < 0 ||
      getsockname(h.fd, (struct sockaddr *)&at, &n) < 0 || pipe(h.stop) < 0)
    abort();
  h.port = ntohs(at.sin_port);
  if (pthread_create(&h.thread, NULL, serve, NULL)) abort();
}

static void stop_serving(void) {
  close(h.stop[1]);
  pthread_join(h.thread, NULL);
  CU_ASSERT_EQUAL(h.result, 0);
  close(h.stop[0]);
  close(h.fd);
}

/* The world's ledger is a client from here on. */
static void start(void) {
  const char *why = "";
  world_open(&h.w, 0);
  h.own = h.w.l;
  listen_on(0);
  CU_ASSERT_EQUAL_FATAL(
      ledger_connect(&h.w.l, h.w.a, "127.0.0.1", h.port, &why), LEDGER_OK);
  CU_ASSERT_EQUAL_FATAL(world_deploy(&h.w, 0, "4", pool), LEDGER_OK);
}

static void stop(void) {
  h.w.l->ops->close(h.w.l);
  stop_serving();
  h.w.l = h.own;
  world_reopen(&h.w);
  world_close(&h.w);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static tx_values pay_args(arena *a, const char *amount) {
  return world_values(a, "to=5", arena_printf(a, "amount=%s", amount), NULL);
}

/* Every question, asked through the wire and at home, has one answer. */
static void test_answers(void) {
  world *w = &h.w;
  ledger_answer x;
  start();
  CU_ASSERT_EQUAL(world_call(w, 1, pool, "pay", pay_args(w->a, "30"), false),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(world_call(w, 1, pool, "pay", pay_args(w->a, "0"), false),
                  LEDGER_REVERTED);
  WHY(w, "nothing to pay");
  CU_ASSERT_EQUAL(world_call(w, 1, pool, "join", world_none(), true),
                  LEDGER_OK);
  uint64_t call = w->receipt.seq;
  CU_ASSERT_EQUAL(world_call(w, 2, pool, "join", world_none(), true),
                  LEDGER_LOCKED);
  CU_ASSERT_EQUAL(w->receipt.seq, call);
  ledger_query q = {.kind = READ_HEAD};
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  CU_ASSERT_EQUAL(x.seq, call);
  CU_ASSERT(!memcmp(x.net, w->net, 32));
  CU_ASSERT_EQUAL(x.genesis.u.genesis.n, NODES);
  q = (ledger_query){.kind = READ_PENDING};
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  CU_ASSERT(x.npending == 1 && x.pending[0] == call);
  q = (ledger_query){.kind = READ_CONTRACT, .name = "Pool"};
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  CU_ASSERT_EQUAL(x.instance->locked_by, call);
  CU_ASSERT(!memcmp(x.instance->id, pool, 32));
  q.name = "None";
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(x.why, "no contract 'None'"));
  q = (ledger_query){.kind = READ_PACKAGE};
  memcpy(q.id, pool, 32);
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  CU_ASSERT_STRING_EQUAL(x.bytes, pool_package(w->a));
  q = (ledger_query){.kind = READ_COUNTER};
  chi_identity_public(w->person[1], q.id);
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  CU_ASSERT_EQUAL(x.seq, 4);
  world_all_commit(w, call, world_none());
  CU_ASSERT_STRING_EQUAL(world_state(w, pool, "$filled"), "1");
  CU_ASSERT_STRING_EQUAL(world_entry(w, pool, "$votes", "5"), "30");
  CU_ASSERT_EQUAL(world_version(w, pool, "salary"), call);
  CU_ASSERT_STRING_EQUAL(
      world_view(w, pool, "paid", world_values(w->a, "who=5", NULL)),
      "result=30");
  CU_ASSERT_STRING_EQUAL(
      world_view(w, pool, "paid", world_values(w->a, "who=6", NULL)),
      "nobody paid");
  CU_ASSERT_EQUAL(w->status, LEDGER_REVERTED);
  ledger_record *r = world_record(w, 3);
  CU_ASSERT_STRING_EQUAL(world_text(w->a, &r->event[0].field.p[1]), "30");
  q = (ledger_query){.kind = READ_RECORD, .seq = 99};
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_NOT_FOUND);
  q = (ledger_query){.kind = READ_VERIFY};
  CU_ASSERT_EQUAL(w->l->ops->read(w->l, w->a, &q, &x), LEDGER_OK);
  stop();
}

/* ---- many ---- */
enum { CLIENTS = 8, CALLS = 25 };

typedef struct many {
  int who;
  unsigned done, failed;
} many;

static void *call_often(void *arg) {
  many *m = arg;
  const char *why;
  ledger *l;
  arena *a = arena_new();
  if (ledger_connect(&l, a, "127.0.0.1", h.port, &why)) return NULL;
  for (unsigned k = 1; k <= CALLS; k++) {
    size_t n;
    ledger_receipt r;
    tx t = {.kind = TX_CALL, .counter = k,
            .u.call = {.action = "pay",
                       .args = world_values(a, "to=5", "amount=1", NULL)}};
    memcpy(t.net, h.w.net, 32);
    memcpy(t.u.call.contract, pool, 32);
    uint8_t *p = tx_encode(a, &t, h.w.person[m->who], &n);
    if (l->ops->submit(l, a, p, n, &r) == LEDGER_OK)
      m->done++;
    else
      m->failed++;
  }
  l->ops->close(l);
  arena_free(a);
  return NULL;
}

static void test_many(void) {
  pthread_t t[CLIENTS];
  many m[CLIENTS];
  start();
  for (int k = 0; k < CLIENTS; k++) {
    m[k] = (many){.who = k + 1};
    pthread_create(&t[k], NULL, call_often, &m[k]);
  }
  for (int k = 0; k < CLIENTS; k++) {
    pthread_join(t[k], NULL);
    CU_ASSERT_EQUAL(m[k].done, CALLS);
    CU_ASSERT_EQUAL(m[k].failed, 0);
  }
  CU_ASSERT_STRING_EQUAL(world_entry(&h.w, pool, "$votes", "5"), "200");
  ledger_record *r;
  uint32_t n;
  uint64_t after = 2;
  uint8_t prev[32];
  memcpy(prev, world_record(&h.w, 2)->hash, 32);
  while (h.w.l->ops->watch(h.w.l, h.w.a, after, 30, 0, &r, &n) == LEDGER_OK &&
         n > 0)
    for (uint32_t k = 0; k < n; k++) {
      CU_ASSERT_EQUAL(r[k].seq, ++after);
      CU_ASSERT(!memcmp(r[k].prev, prev, 32));
      memcpy(prev, r[k].hash, 32);
    }
  CU_ASSERT_EQUAL(after, 2 + CLIENTS * CALLS);
  stop();
}

/* ---- watching ---- */
static void *pay_soon(void *arg) {
  const char *why;
  ledger *l;
  arena *a = arena_new();
  (void)arg;
  if (ledger_connect(&l, a, "127.0.0.1", h.port, &why)) return NULL;
  poll(NULL, 0, 150);
  size_t n;
  ledger_receipt r;
  tx t = {.kind = TX_CALL, .counter = 1,
          .u.call = {.action = "pay",
                     .args = world_values(a, "to=5", "amount=1", NULL)}};
  memcpy(t.net, h.w.net, 32);
  memcpy(t.u.call.contract, pool, 32);
  uint8_t *p = tx_encode(a, &t, h.w.person[1], &n);
  CU_ASSERT_EQUAL(l->ops->submit(l, a, p, n, &r), LEDGER_OK);
  l->ops->close(l);
  arena_free(a);
  return NULL;
}

static void test_watch(void) {
  pthread_t t;
  ledger_record *r;
  uint32_t n;
  start();
  ledger *l = h.w.l;
  double from = seconds();
  CU_ASSERT_EQUAL(l->ops->watch(l, h.w.a, 2, 10, 200, &r, &n), LEDGER_OK);
  CU_ASSERT_EQUAL(n, 0);
  CU_ASSERT(seconds() - from > 0.15);
  pthread_create(&t, NULL, pay_soon, NULL);
  from = seconds();
  CU_ASSERT_EQUAL(l->ops->watch(l, h.w.a, 2, 10, 20000, &r, &n), LEDGER_OK);
  CU_ASSERT(seconds() - from < 5);
  CU_ASSERT_EQUAL_FATAL(n, 1);
  CU_ASSERT_EQUAL(r->seq, 3);
  CU_ASSERT_EQUAL(r->t.kind, TX_CALL);
  pthread_join(t, NULL);
  stop();
}

/* A lock runs out while nobody says anything. */
static void test_expiry(void) {
  ledger_record *r;
  uint32_t n;
  start();
  CU_ASSERT_EQUAL(world_call(&h.w, 1, pool, "join", world_none(), true),
                  LEDGER_OK);
  h.w.now += 10000;
  CU_ASSERT_EQUAL(h.w.l->ops->watch(h.w.l, h.w.a, 3, 1, 15000, &r, &n),
                  LEDGER_OK);
  CU_ASSERT_EQUAL_FATAL(n, 1);
  CU_ASSERT_EQUAL(r->call, 3);
  CU_ASSERT_EQUAL(r->outcome, REC_ABORTED);
  stop();
}

/* ---- strangers ---- */
static int stranger(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(h.port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) abort();
  return fd;
}

/* Is the connection closed by the server, within a second? */
static bool closed(int fd) {
  char c;
  struct pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, 1000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static bool alive(void) {
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer x;
  double from = seconds();
  return h.w.l->ops->read(h.w.l, h.w.a, &q, &x) == LEDGER_OK &&
         seconds() - from < 2;
}

static void test_strangers(void) {
  static const struct {
    const char *p;
    size_t n;
  } bad[] = {
      {"\xff\xff\xff\xff", 4},                        /* a huge length */
      {"\0\0\0\0", 4},                                /* nothing */
      {"\0\0\0\1\1", 5},                              /* too short */
      {"\0\0\0\2\2\1", 6},                            /* another version */
      {"\0\0\0\2\1\1", 6},                            /* no transaction */
      {"\0\0\0\2\1\7", 6},                            /* an unknown kind */
      {"\0\0\0\6\1\1\xff\xff\xff\xff", 10},           /* a lie within */
      {"\0\0\0\7\1\1\0\0\0\0x", 11},                  /* too many bytes */
      {"\0\0\0\3\1\2\x63", 7},                        /* unknown question */
      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35},
  };
  start();
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    int fd = stranger();
    CU_ASSERT_EQUAL(send(fd, bad[k].p, bad[k].n, MSG_NOSIGNAL),
                    (ssize_t)bad[k].n);
    CU_ASSERT(closed(fd));
    close(fd);
  }
  CU_ASSERT(alive());
  /* Garbage as a transaction is an answer, not an end. */
  ledger_receipt r;
  CU_ASSERT_EQUAL(h.w.l->ops->submit(h.w.l, h.w.a, (uint8_t *)"junk", 4, &r),
                  LEDGER_REFUSED);
  CU_ASSERT_PTR_NOT_NULL(strstr(r.why, "malformed"));
  CU_ASSERT(alive());
  stop();
}

/* Half frames, silent watchers, and more of them than there is room for. */
static void test_flood(void) {
  int fd[400];
  start();
  for (int k = 0; k < 400; k++) {
    fd[k] = stranger();
    if (k % 3 == 0) send(fd[k], "\0\0\xff\xff\1\1 half", 11, MSG_NOSIGNAL);
    if (k % 3 == 1) /* a watch for a minute */
      send(fd[k], "\0\0\0\x12\1\3\0\0\0\0\0\0\xff\xff\0\0\0\1\0\0\xea\x60",
           22, MSG_NOSIGNAL);
    if (k % 50 == 0) CU_ASSERT(alive());
  }
  CU_ASSERT(alive());
  CU_ASSERT_EQUAL(world_call(&h.w, 1, pool, "pay",
                             pay_args(h.w.a, "1"), false), LEDGER_OK);
  /* The last ones are there, the first were turned away. */
  CU_ASSERT(closed(fd[2]));
  for (int k = 0; k < 400; k++) close(fd[k]);
  CU_ASSERT(alive());
  stop();
}

/* The server goes away and comes back. */
static void test_restart(void) {
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer x;
  const char *why = "";
  start();
  stop_serving();
  CU_ASSERT_EQUAL(h.w.l->ops->read(h.w.l, h.w.a, &q, &x),
                  LEDGER_UNREACHABLE);
  CU_ASSERT_EQUAL(h.w.l->ops->read(h.w.l, h.w.a, &q, &x),
                  LEDGER_UNREACHABLE);
  ledger *other;
  CU_ASSERT_EQUAL(ledger_connect(&other, h.w.a, "127.0.0.1", h.port, &why),
                  LEDGER_UNREACHABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(why, "no ledger answers at 127.0.0.1"));
  CU_ASSERT_EQUAL(ledger_connect(&other, h.w.a, "no such host", 1, &why),
                  LEDGER_UNREACHABLE);
  listen_on(h.port);
  CU_ASSERT_EQUAL(h.w.l->ops->read(h.w.l, h.w.a, &q, &x), LEDGER_OK);
  CU_ASSERT_EQUAL(x.seq, 2);
  stop();
}

/* An answer of many chunks arrives whole. */
static void test_long_answer(void) {
  enum { PAID = 400 };
  ledger_record *r;
  uint32_t n;
  start();
  for (int k = 0; k < PAID; k++)
    CU_ASSERT_EQUAL(world_call(&h.w, 1, pool, "pay", pay_args(h.w.a, "1"),
                               false), LEDGER_OK);
  size_t before = arena_used(h.w.a);
  CU_ASSERT_EQUAL(h.w.l->ops->watch(h.w.l, h.w.a, 0, 1000, 0, &r, &n),
                  LEDGER_OK);
  CU_ASSERT_EQUAL(n, PAID + 2);
  CU_ASSERT(arena_used(h.w.a) - before > 128 << 10);
  for (uint32_t k = 0; k < n; k++) CU_ASSERT_EQUAL(r[k].seq, k + 1);
  stop();
}

/* Announces the greatest answer there may be, and sends a little of it. */
static void *lie(void *fd) {
  uint8_t said[1000] = {FRAME_ANSWER_MAX >> 24}, heard[100];
  int s = accept(*(int *)fd, NULL, NULL);
  if (recv(s, heard, sizeof heard, 0) > 0)
    send(s, said, sizeof said, MSG_NOSIGNAL);
  close(s);
  return NULL;
}

/* Memory grows with what came, not with what was announced. */
static void test_liar(void) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t len = sizeof at;
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer x;
  ledger *l;
  const char *why = "";
  pthread_t t;
  arena *a = arena_new();
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&at, len) == 0 &&
                  listen(fd, 1) == 0 &&
                  getsockname(fd, (struct sockaddr *)&at, &len) == 0);
  CU_ASSERT_EQUAL_FATAL(
      ledger_connect(&l, a, "127.0.0.1", ntohs(at.sin_port), &why), LEDGER_OK);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, lie, &fd), 0);
  CU_ASSERT_EQUAL(l->ops->read(l, a, &q, &x), LEDGER_UNREACHABLE);
  CU_ASSERT(arena_used(a) < 1 << 20);
  pthread_join(t, NULL);
  l->ops->close(l);
  close(fd);
  arena_free(a);
}

void suite_server(void) {
  CU_pSuite s = CU_add_suite("server", NULL, NULL);
  CU_add_test(s, "answers", test_answers);
  CU_add_test(s, "many", test_many);
  CU_add_test(s, "watch", test_watch);
  CU_add_test(s, "expiry", test_expiry);
  CU_add_test(s, "strangers", test_strangers);
  CU_add_test(s, "flood", test_flood);
  CU_add_test(s, "long answer", test_long_answer);
  CU_add_test(s, "liar", test_liar);
  CU_add_test(s, "restart", test_restart);
}
