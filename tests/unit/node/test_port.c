/* A node's port for callers: what is asked well, badly, slowly, by strangers;
 * and a caller whose node speaks nonsense. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/be.h"
#include "net.h"
#include "node/ask.h"

static net w;

/* ---- raw frames ---- */

static int dial(void) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons(w.peer[0].port)};
  struct timeval patience = {20, 0};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
  return fd;
}

static void put(int fd, const void *p, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t k = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
    if (k <= 0)
      return;
    at += (size_t)k;
  }
}

static void ask(int fd, uint8_t kind, const void *body, size_t n) {
  buf b = {0};
  size_t f = ask_begin(&b, kind);
  buf_write(&b, body, n);
  ask_end(&b, f);
  put(fd, b.p, b.n);
  buf_free(&b);
}

static bool get(int fd, void *p, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t k = recv(fd, (char *)p + at, n - at, 0);
    if (k <= 0)
      return false;
    at += (size_t)k;
  }
  return true;
}

/* The kind of the answer, 0: the stream ended; its body as text. */
static uint8_t hear(int fd, char body[4096]) {
  uint8_t head[5];
  memset(body, 0, 4096);
  if (!get(fd, head, 5))
    return 0;
  uint64_t n = be_get(head, 4) - 1;
  CU_ASSERT_FATAL(n < 4096);
  return get(fd, body, n) ? head[4] : 0;
}

static void refused(int fd, const char *part) {
  char body[4096];
  CU_ASSERT_EQUAL(hear(fd, body), ASK_ERROR);
  if (!strstr(body, part)) {
    fprintf(stderr, "test: not '%s' but '%s'\n", part, body);
    CU_FAIL("another reason");
  }
  CU_ASSERT_EQUAL(hear(fd, body), 0);
  close(fd);
}

/* ---- tests ---- */

static void status(void) {
  const char *json, *why = "";
  net_open(&w, CHI_SHAMIR, 3);
  net_deploy(&w, "Vault");
  CU_ASSERT_EQUAL(net_call(&w, "put", 2, NULL, 0), REC_DONE);
  net_settle(&w);
  CU_ASSERT_FATAL(node_status(w.a, "127.0.0.1", w.peer[1].port, &json, &why));
  json_error_t e;
  json_t *j = json_loads(json, 0, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(j);
  CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "node")), 1);
  CU_ASSERT(json_integer_value(json_object_get(j, "seen")) > 0);
  json_t *leaves = json_object_get(j, "leaves");
  CU_ASSERT_EQUAL(json_array_size(leaves), 1);
  json_t *leaf = json_array_get(leaves, 0);
  CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(leaf, "leaf")),
                         "$list");
  CU_ASSERT_EQUAL(json_integer_value(json_object_get(leaf, "lanes")), 4);
  CU_ASSERT_EQUAL(strlen(json_string_value(json_object_get(leaf, "contract"))),
                  64);
  json_decref(j);
}

static void badly(void) {
  static const uint8_t nothing[4], huge[5] = {255, 255, 255, 255, 1},
                       over[5] = {4, 0, 0, 34, 1};
  char body[4096];
  int fd = dial();
  put(fd, nothing, 4);
  refused(fd, "empty or too long");
  put(fd = dial(), huge, 5);
  refused(fd, "empty or too long");
  put(fd = dial(), over, 5);
  refused(fd, "empty or too long");
  ask(fd = dial(), 99, "x", 1);
  refused(fd, "no such request");
  ask(fd = dial(), ASK_JSON, "{}", 2);
  refused(fd, "no such request");
  ask(fd = dial(), ASK_DEPOSIT, body, 31);
  refused(fd, "begins with its session");
  ask(fd = dial(), ASK_LETTERS, body, 39);
  refused(fd, "an identity and a number");
  uint64_t state = 1;
  for (int i = 0; i < 200; i++) { /* noise, cut off */
    uint8_t noise[64];
    for (size_t k = 0; k < sizeof noise; k++)
      noise[k] = (uint8_t)((state = state * 6364136223846793005u + 1) >> 56);
    if (i % 2)
      memset(noise, 0, 3);
    put(fd = dial(), noise, (size_t)(state >> 40) % sizeof noise);
    close(fd);
  }
  ask(fd = dial(), ASK_STATUS, "", 0);
  CU_ASSERT_EQUAL(hear(fd, body), ASK_JSON);
  close(fd);
}

static void in_pieces(void) {
  char body[4096];
  uint8_t session[32] = {7};
  buf b = {0};
  for (int i = 0; i < 3; i++) {
    size_t f = ask_begin(&b, ASK_DEPOSIT);
    buf_write(&b, session, 32);
    buf_puts(&b, "abc");
    ask_end(&b, f);
  }
  int fd = dial();
  for (size_t i = 0; i < b.n / 3; i++) { /* a byte at a time */
    struct timespec ts = {0, 1000000};
    put(fd, b.p + i, 1);
    nanosleep(&ts, NULL);
  }
  CU_ASSERT_EQUAL(hear(fd, body), ASK_OK);
  put(fd, b.p, b.n); /* three at once */
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(hear(fd, body), ASK_OK);
  close(fd);
  buf_free(&b);
}

static void letters(void) {
  char body[4096];
  uint8_t who[40] = {0}, msg[ASK_CHALLENGE_BYTES], sig[CHI_SIGNATURE_BYTES];
  memcpy(who, w.who, 32);
  int fd = dial();
  ask(fd, ASK_PROOF, sig, sizeof sig);
  refused(fd, "not signed by the identity");
  for (int how = 0; how < 5; how++) {
    ask(fd = dial(), ASK_LETTERS, who, sizeof who);
    CU_ASSERT_EQUAL(hear(fd, body), ASK_CHALLENGE);
    ask_challenge(msg, w.who, how == 1 ? 1 : 0, (const uint8_t *)body);
    CU_ASSERT_EQUAL(chi_identity_sign(sig, how == 2 ? w.node[0] : w.caller, msg,
                                      sizeof msg), CHI_OK);
    if (how == 3)
      sig[17] ^= 1;
    ask(fd, ASK_PROOF, sig, how == 4 ? 63 : 64);
    if (how > 0) {
      refused(fd, "not signed by the identity");
      continue;
    }
    CU_ASSERT_EQUAL(hear(fd, body), ASK_MAIL);
    CU_ASSERT_EQUAL(be_get((const uint8_t *)body, 5), 0);
    ask(fd, ASK_PROOF, sig, sizeof sig); /* a challenge is used once */
    refused(fd, "not signed by the identity");
  }
}

static void large(void) {
  uint8_t session[32] = {9};
  uint8_t *p = calloc(NODE_DEPOSIT_MAX + 1, 1);
  node_parcel part[2];
  for (int i = 0; i < 2; i++)
    part[i] = (node_parcel){.host = "127.0.0.1", .port = w.peer[0].port, .p = p,
                            .n = i ? 5 : NODE_DEPOSIT_MAX};
  CU_ASSERT(node_deposit(w.a, session, part, 2, 30000));
  part[1].n = NODE_DEPOSIT_MAX + 1;
  CU_ASSERT_FALSE(node_deposit(w.a, session, part, 2, 30000));
  CU_ASSERT_PTR_NULL(part[0].why);
  CU_ASSERT(part[1].why && strstr(part[1].why, "too large"));
  free(p);
}

/* More letters than one answer takes: three calls of 20 MiB, two boxes each. */
static void pages(void) {
  sqlite3 *db;
  char hex[65], *sql;
  const char *why = "";
  node_letter *l;
  size_t n;
  chi_hex(hex, w.who, 32);
  CU_ASSERT(net_stop(&w, 2));
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(net_store(&w, 2), &db), SQLITE_OK);
  for (int i = 0; i < 6; i++) {
    sql = sqlite3_mprintf(
        "INSERT INTO letter VALUES(NULL, %d, 0, zeroblob(32), zeroblob(32),"
        " x'%s', %d, 'name%d', 5, zeroblob(%d))",
        1000 + i / 2, hex, i % 2, i, 10 << 20);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
  }
  sqlite3_close(db);
  net_start(&w, 2);
  net_settle(&w);
  CU_ASSERT(node_letters(w.a, "127.0.0.1", w.peer[2].port, w.caller, 0, &l, &n,
                         &why));
  CU_ASSERT_EQUAL_FATAL(n, 6);
  for (size_t i = 0; i < n; i++) {
    CU_ASSERT_EQUAL(l[i].call, 1000 + i / 2);
    CU_ASSERT_EQUAL(l[i].output, i % 2);
    CU_ASSERT_EQUAL(l[i].box_bytes, 10 << 20);
    CU_ASSERT_EQUAL(l[i].name[4], (char)('0' + i));
  }
  CU_ASSERT(node_letters(w.a, "127.0.0.1", w.peer[2].port, w.caller, 1001, &l,
                         &n, &why));
  CU_ASSERT_EQUAL(n, 2);
}

/* All places are taken by callers that say nothing: they lose them. */
static void silent(void) {
  int fd[64];
  char body[4096];
  for (int i = 0; i < 64; i++) {
    fd[i] = dial();
    put(fd[i], "\0\0\1", i % 4);
  }
  time_t begun = time(NULL); /* the oldest makes room at once */
  int one = dial();
  ask(one, ASK_STATUS, "", 0);
  CU_ASSERT_EQUAL(hear(one, body), ASK_JSON);
  CU_ASSERT(time(NULL) - begun < 3);
  close(one);
  for (int i = 0; i < 64; i++) {
    CU_ASSERT_EQUAL(recv(fd[i], body, 1, 0), 0);
    close(fd[i]);
  }
}

/* Callers that hold all memory with deposits that they do not end: a small one
 * of somebody else is taken. */
static void hoard(void) {
  enum { HOARDERS = 6 };
  static uint8_t part[1 << 20];
  static const uint8_t head[5] = {4, 0, 0, 0, ASK_DEPOSIT};
  uint8_t session[32] = {11};
  int fd[HOARDERS];
  for (int i = 0; i < HOARDERS; i++) {
    put(fd[i] = dial(), head, sizeof head);
    for (int k = 0; k < 60; k++)
      put(fd[i], part, sizeof part);
    node_parcel x = {"127.0.0.1", w.peer[0].port, part, 1000, NULL};
    CU_ASSERT(node_deposit(w.a, session, &x, 1, 30000));
  }
  for (int i = 0; i < HOARDERS; i++)
    close(fd[i]);
}

/* Three nodes at once: one is gone, one hangs. */
static void together(void) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t len = sizeof at;
  uint8_t session[32] = {12}, p[100] = {0};
  int mute = socket(AF_INET, SOCK_STREAM, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CU_ASSERT_FATAL(bind(mute, (struct sockaddr *)&at, sizeof at) == 0 &&
                  listen(mute, 1) == 0 &&
                  getsockname(mute, (struct sockaddr *)&at, &len) == 0);
  node_parcel x[3] = {{"127.0.0.1", w.peer[0].port, p, sizeof p, NULL},
                      {"127.0.0.1", ntohs(at.sin_port), p, sizeof p, NULL},
                      {"127.0.0.1", 1, p, sizeof p, NULL}};
  time_t begun = time(NULL);
  CU_ASSERT_FALSE(node_deposit(w.a, session, x, 3, 1000));
  CU_ASSERT(time(NULL) - begun < 4);
  CU_ASSERT_PTR_NULL(x[0].why);
  CU_ASSERT_FATAL(x[1].why && x[2].why);
  CU_ASSERT(strstr(x[1].why, "does not answer in time") != NULL);
  CU_ASSERT(strstr(x[2].why, "cannot be reached") != NULL);
  close(mute);
}

/* ---- a node that speaks nonsense ---- */

typedef struct liar {
  int fd;
  const void *first, *second; /* answers to the first and second question */
  size_t nfirst, nsecond;
} liar;

static void *lie(void *arg) {
  liar *x = arg;
  char junk[4096];
  int fd = accept(x->fd, NULL, NULL);
  if (recv(fd, junk, sizeof junk, 0) > 0)
    put(fd, x->first, x->nfirst);
  if (x->nsecond && recv(fd, junk, sizeof junk, 0) > 0)
    put(fd, x->second, x->nsecond);
  close(fd);
  return NULL;
}

static void lied_to(const void *first, size_t nfirst, const void *second,
                    size_t nsecond, const char *part) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t len = sizeof at;
  liar x = {socket(AF_INET, SOCK_STREAM, 0), first, second, nfirst, nsecond};
  pthread_t t;
  node_letter *l;
  size_t n;
  const char *json, *why = "";
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CU_ASSERT_FATAL(bind(x.fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                  listen(x.fd, 1) == 0 &&
                  getsockname(x.fd, (struct sockaddr *)&at, &len) == 0);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, lie, &x), 0);
  bool ok = second ? node_letters(w.a, "127.0.0.1", ntohs(at.sin_port),
                                  w.caller, 0, &l, &n, &why)
                   : node_status(w.a, "127.0.0.1", ntohs(at.sin_port), &json,
                                 &why);
  CU_ASSERT_FALSE(ok);
  if (!strstr(why, part)) {
    fprintf(stderr, "test: not '%s' but '%s'\n", part, why);
    CU_FAIL("another reason");
  }
  pthread_join(t, NULL);
  close(x.fd);
}

static void nonsense(void) {
  static const uint8_t challenge[37] = {0, 0, 0, 33, ASK_CHALLENGE};
  lied_to("", 0, NULL, 0, "does not answer");
  lied_to("HTTP/1.1 400", 12, NULL, 0, "does not speak as a node");
  lied_to("\0\0\0\0", 4, NULL, 0, "does not speak as a node");
  lied_to("\0\0\0\2@x", 6, NULL, 0, "does not speak as a node");
  lied_to("\0\0\1\0Cx", 6, NULL, 0, "broke off");
  lied_to("\0\0\0\5Dno\1!", 9, NULL, 0, "says: no");
  lied_to("\0\0\0\2Ax", 6, "", 0, "does not speak as a node");
  /* mail: no count; more letters than bytes; more and none; a long name */
  static const struct {
    uint8_t body[160];
    size_t n;
  } mail[] = {
      {{0, 0, 0, 1, ASK_MAIL}, 5},
      {{0, 0, 0, 6, ASK_MAIL, 0, 255, 255, 255, 255}, 10},
      {{0, 0, 0, 6, ASK_MAIL, 1, 0, 0, 0, 0}, 10},
      {{0, 0, 0, 98, ASK_MAIL, 0, 0, 0, 0, 1, [10 + 84] = 255, 255, 255, 255},
       102},
      {{0, 0, 0, 98, ASK_MAIL, 0, 0, 0, 0, 1, [10 + 88] = 255, 255, 255, 255},
       102},
      {{0, 0, 0, 99, ASK_MAIL, 0, 0, 0, 0, 1}, 103}};
  for (size_t i = 0; i < sizeof mail / sizeof *mail; i++)
    lied_to(challenge, sizeof challenge, mail[i].body, mail[i].n,
            "malformed");
}

static void end(void) { net_close(&w); }

int main(void) {
  if (sodium_init() < 0)
    return 1;
  CU_initialize_registry();
  CU_pSuite s = CU_add_suite("port", NULL, NULL);
  CU_add_test(s, "status", status);
  CU_add_test(s, "asked badly", badly);
  CU_add_test(s, "in pieces", in_pieces);
  CU_add_test(s, "letters and strangers", letters);
  CU_add_test(s, "large deposits", large);
  CU_add_test(s, "pages of letters", pages);
  CU_add_test(s, "silent callers", silent);
  CU_add_test(s, "callers that hoard", hoard);
  CU_add_test(s, "all nodes at once", together);
  CU_add_test(s, "a node that speaks nonsense", nonsense);
  CU_add_test(s, "the end", end);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
