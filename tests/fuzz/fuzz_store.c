/* What a node believes of its own store and of who speaks to its port.
 *
 *   byte 0 even: rows of the store, as somebody with the file writes them, and
 *                then everything that a node asks of it
 *   byte 0 odd:  bytes that a caller sends to the port, cut as they say
 *
 * Statuses with a reason, answers that are frames, nothing else.
 */
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/be.h"
#include "node/ask.h"
#include "node/node_impl.h"
#include "node/store.h"

#define NEED(x) \
  do { \
    if (!(x)) abort(); \
  } while (0)

enum { ROWS_MAX = 32, LANES = 3, PLANES = 2, CALL = 7 };

static chi_identity *id;
static char path[64], at[64];
static const uint8_t net[32] = {1}, instance[32] = {2}, session[32] = {3};

static void clean_up(void) {
  static const char *const end[] = {"", "-wal", "-shm"};
  char name[80];
  for (int k = 0; k < 3; k++) {
    snprintf(name, sizeof name, "%s%s", path, end[k]);
    unlink(name);
  }
  unlink(at);
  *strrchr(path, '/') = 0;
  rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  uint8_t seed[32] = {9};
  char shm[] = "/dev/shm/chi-fuzz-XXXXXX", tmp[] = "/tmp/chi-fuzz-XXXXXX";
  char *dir = mkdtemp(shm);
  (void)argc;
  (void)argv;
  if (!dir) dir = mkdtemp(tmp); /* slower: a commit waits for the disk */
  NEED(sodium_init() >= 0 && dir);
  NEED(chi_identity_from_seed(&id, seed) == CHI_OK);
  snprintf(path, sizeof path, "%s/s", dir);
  snprintf(at, sizeof at, "%s/p", dir);
  atexit(clean_up);
  return 0;
}

/* ---- what an input is read as ---- */

typedef struct bytes {
  const uint8_t *p;
  size_t n;
} bytes;

static uint8_t next(bytes *b) {
  if (!b->n) return 0;
  b->n--;
  return *b->p++;
}

static bytes take(bytes *b, size_t n) {
  bytes x = {b->p, n < b->n ? n : b->n};
  b->p += x.n;
  b->n -= x.n;
  return x;
}

/* ---- the store ---- */

static store *open_store(arena *a, store_status *status) {
  store *s = NULL;
  const char *why = "";
  *status = store_open(&s, path, id, 1, CHI_REP3, a, &why);
  NEED((*status == STORE_OK) == (s != NULL));
  NEED(s || *why);
  return s;
}

/* A store with one of everything. */
static void fill(store *s) {
  uint64_t w[PLANES * LANES] = {1, 2, 3, 4, 5, 6};
  store_share share[2] = {{"$x", w, PLANES, LANES}, {"$y", w, PLANES, 1}};
  store_told told = {.to = {4}, .name = "result", .lanes = 1, .box = net,
                     .box_bytes = 32};
  store_run run = {.call = CALL, .share = share, .nshare = 2, .told = &told,
                   .ntold = 1, .vote = net, .vote_bytes = 32};
  const char *why;
  memcpy(run.net, net, 32);
  memcpy(run.contract, instance, 32);
  memcpy(run.session, session, 32);
  NEED(!store_stage(s, &run, &why) && !store_promote(s, CALL, &why));
  run.call = CALL + 2;
  NEED(!store_stage(s, &run, &why));
  NEED(!store_start(s, session, CALL, &why));
  NEED(!store_put_sealed(s, session, net, net, 32, &why));
  NEED(!store_set_seen(s, 40, net, &why));
}

/* Binds a value of any type. */
static void bind_any(sqlite3_stmt *st, int k, bytes *in) {
  static const uint8_t *const known[] = {net, instance, session};
  static const char *const name[] = {"$x", "$y", "seen", "owner", "result"};
  uint8_t kind = next(in), v = next(in);
  int64_t big = 0;
  bytes x;
  switch (kind % 8) {
  case 0: sqlite3_bind_null(st, k); break;
  case 1: sqlite3_bind_int64(st, k, v % 16); break;
  case 2:
    x = take(in, 8);
    if (x.n) memcpy(&big, x.p, x.n);
    sqlite3_bind_int64(st, k, big);
    break;
  case 3: sqlite3_bind_blob(st, k, known[v % 3], 32, SQLITE_STATIC); break;
  case 4: sqlite3_bind_text(st, k, name[v % 5], -1, SQLITE_STATIC); break;
  case 5:
    x = take(in, v);
    sqlite3_bind_text(st, k, (const char *)x.p, (int)x.n, SQLITE_STATIC);
    break;
  case 6:
    x = take(in, v);
    sqlite3_bind_blob(st, k, x.p, (int)x.n, SQLITE_STATIC);
    break;
  default: sqlite3_bind_double(st, k, v / 3.0);
  }
}

static void change(bytes *in) {
  static const char *const sql[] = {
      "INSERT OR REPLACE INTO share VALUES(?, ?, ?, ?, ?, ?, ?)",
      "INSERT OR REPLACE INTO meta VALUES(?, ?)",
      "INSERT OR REPLACE INTO run VALUES(?, ?)",
      "INSERT OR REPLACE INTO started VALUES(?, ?)",
      "INSERT OR REPLACE INTO sealed VALUES(?, ?, ?, ?)",
      "INSERT OR REPLACE INTO letter VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      "UPDATE OR IGNORE share SET version = ?, staged = ?",
      "UPDATE share SET lanes = ? WHERE leaf = ?",
      "UPDATE share SET box = ? WHERE leaf = ?",
      "UPDATE letter SET staged = ?, call = ?, box = ?",
      "UPDATE OR IGNORE run SET call = ?",
      "DELETE FROM share WHERE leaf = ?",
      "UPDATE meta SET value = ?",
      "CREATE TRIGGER t AFTER DELETE ON share BEGIN SELECT ?; END",
      "DROP TABLE letter", "DELETE FROM meta",
      "PRAGMA user_version = 3", "PRAGMA journal_mode = DELETE"};
  sqlite3 *db;
  sqlite3_stmt *st;
  NEED(sqlite3_open(path, &db) == SQLITE_OK);
  sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
  for (int k = 0; in->n && k < ROWS_MAX; k++) {
    size_t which = next(in) % (sizeof sql / sizeof *sql);
    if (sqlite3_prepare_v2(db, sql[which], -1, &st, NULL) != SQLITE_OK)
      continue; /* a table that was dropped */
    for (int j = 1; j <= sqlite3_bind_parameter_count(st); j++)
      bind_any(st, j, in);
    sqlite3_step(st);
    sqlite3_finalize(st);
  }
  sqlite3_close(db);
}

static void told(store_status s, const char *why) {
  NEED(s == STORE_OK || (why && *why));
}

static void load_all(store *s) {
  static const char *const leaf[] = {"$x", "$y", "$none"};
  for (uint64_t version = 0; version < 12; version++)
    for (int k = 0; k < 3; k++) {
      store_place p = {.leaf = leaf[k], .version = version};
      uint64_t w[PLANES * LANES];
      const char *why = NULL;
      memcpy(p.net, net, 32);
      memcpy(p.contract, instance, 32);
      memset(w, 255, sizeof w);
      store_status got = store_load(s, &p, w, PLANES, LANES, &why);
      told(got, why);
      for (int j = 0; got && j < PLANES * LANES; j++) NEED(w[j] == 0);
      /* what opens is what was put there */
      NEED(got || (w[0] == 1 && w[5] == 6 && k == 0));
    }
}

static void ask_all(store *s, arena *a) {
  const char *why = NULL;
  store_held *held;
  node_letter *letter;
  uint8_t *p, hash[32];
  const uint8_t to[32] = {4};
  uint64_t *call, seq;
  size_t n, m;
  bool more, started;
  load_all(s);
  told(store_list(s, a, &held, &n, &why), why);
  told(store_letters(s, a, to, 0, 100, &letter, &n, &more, &why), why);
  for (uint64_t k = 0; k < 12; k++)
    told(store_vote(s, a, k, &p, &m, &why), why);
  told(store_seen(s, &seq, hash, &why), why);
  told(store_was_started(s, session, &started, &why), why);
  told(store_start(s, instance, 9, &why), why);
  told(store_get_sealed(s, a, session, net, &p, &m, &why), why);
  told(store_put_sealed(s, session, instance, net, 32, &why), why);
  if (!store_staged(s, a, &call, &n, &why))
    for (size_t k = 0; k < n; k++)
      told(k % 2 ? store_discard(s, call[k], &why)
                 : store_promote(s, call[k], &why), why);
  load_all(s);
  told(store_drop_sealed(s, session, &why), why);
  told(store_set_seen(s, 41, net, &why), why);
}

static void rows(bytes in) {
  arena *a = arena_new();
  store_status status;
  char name[80];
  store *s;
  snprintf(name, sizeof name, "%s-wal", path);
  unlink(path);
  unlink(name);
  s = open_store(a, &status);
  NEED(s);
  fill(s);
  store_close(s);
  change(&in);
  s = open_store(a, &status);
  if (s) ask_all(s, a);
  store_close(s);
  arena_free(a);
}

/* ---- the port ---- */

static int dial(void) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  struct timeval patience = {20, 0};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(sa.sun_path, sizeof sa.sun_path, "%s", at);
  NEED(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

static void put(int fd, const uint8_t *p, size_t n) {
  while (n > 0) {
    ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR) continue; /* the fuzzer's clock */
    if (k <= 0) return;
    p += k;
    n -= (size_t)k;
  }
}

/* All that comes until the end, which are whole frames. */
static void hear(int fd) {
  buf b = {0};
  char chunk[4096];
  ssize_t k;
  while ((k = recv(fd, chunk, sizeof chunk, 0)) > 0 ||
         (k < 0 && errno == EINTR))
    if (k > 0) buf_write(&b, chunk, (size_t)k);
  NEED(k == 0 || errno == ECONNRESET);
  for (size_t i = 0; k == 0 && i < b.n;) {
    NEED(b.n - i > ASK_HEAD);
    uint64_t n = be_get((uint8_t *)b.p + i, ASK_HEAD);
    uint8_t kind = (uint8_t)b.p[i + ASK_HEAD];
    NEED(n > 0 && n <= b.n - i - ASK_HEAD);
    NEED(kind >= ASK_OK && kind <= ASK_ERROR);
    i += ASK_HEAD + n;
  }
  buf_free(&b);
}

/* Words: how many bytes, or a whole frame of a kind. */
static void speak(bytes *in) {
  int fd = dial();
  while (in->n) {
    uint8_t how = next(in), n = next(in);
    if (how == 255) break; /* hangs up, and calls again */
    bytes x = take(in, n);
    if (how % 4 == 0) {
      buf f = {0};
      size_t b = ask_begin(&f, (uint8_t)(1 + how / 4 % 5));
      buf_write(&f, x.p, x.n);
      ask_end(&f, b);
      put(fd, (uint8_t *)f.p, f.n);
      buf_free(&f);
    } else {
      put(fd, x.p, x.n);
    }
  }
  shutdown(fd, SHUT_WR);
  hear(fd);
  close(fd);
}

static void port(bytes in) {
  arena *a = arena_new();
  store_status status;
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  int stop[2];
  pthread_t t;
  char name[80];
  snprintf(name, sizeof name, "%s-wal", path);
  unlink(path);
  unlink(name);
  unlink(at);
  snprintf(sa.sun_path, sizeof sa.sun_path, "%s", at);
  node_config cfg = {.me = 1, .n = 3, .protocol = CHI_REP3, .identity = id};
  cfg.client_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  NEED(pipe(stop) == 0 && cfg.client_fd >= 0 &&
       bind(cfg.client_fd, (struct sockaddr *)&sa, sizeof sa) == 0 &&
       listen(cfg.client_fd, 8) == 0);
  cfg.stop_fd = stop[0];
  nd x = {.cfg = &cfg, .log = -1, .a = a, .store = open_store(a, &status)};
  NEED(x.store);
  fill(x.store);
  NEED(pthread_create(&t, NULL, nd_listen, &x) == 0);
  for (int k = 0; in.n && k < 4; k++) speak(&in);
  close(stop[1]);
  NEED(pthread_join(t, NULL) == 0);
  ask_all(x.store, a);
  store_close(x.store);
  close(stop[0]);
  close(cfg.client_fd);
  arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  bytes in = {data, n};
  if (next(&in) % 2) port(in);
  else rows(in);
  return 0;
}
