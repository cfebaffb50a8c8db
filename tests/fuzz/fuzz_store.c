/* A node's store as somebody with access to the file may leave it: rows with any
 * contents, and files with any bytes in them.  Never a crash: a status with a
 * reason; and a share is only given back if nobody touched its row. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chi.h"
#include "node/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { LANES = 4, PLANES = 2 };
static char path[64];
static uint8_t *whole; /* of a store that is in order */
static size_t whole_bytes;
static chi_identity *id;
static const uint64_t words[PLANES * LANES] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t zeros[32], box[100] = {9};

static void demand(bool ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "fuzz_store: %s\n", what);
  abort();
}

static void forget_files(void) {
  static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
  char name[80];
  for (size_t k = 0; k < 4; k++) {
    snprintf(name, sizeof name, "%s%s", path, suffix[k]);
    unlink(name);
  }
}

static store *opened(arena *a, const char **why) {
  store *s = NULL;
  *why = NULL;
  store_status st = store_open(&s, path, id, 1, CHI_REP3, a, why);
  demand(st == STORE_OK || (*why && **why), "refused without a reason");
  return st == STORE_OK ? s : NULL;
}

static void make(void) {
  static const uint8_t seed[32] = {3};
  arena *a = arena_new();
  const char *why;
  snprintf(path, sizeof path, "/dev/shm/fuzz-store-%ld", (long)getpid());
  atexit(forget_files);
  forget_files();
  demand(chi_identity_from_seed(&id, seed) == CHI_OK, "an identity");
  store *s = opened(a, &why);
  demand(s != NULL, "a new store");
  store_share share = {"$x", words, PLANES, LANES};
  store_told told = {.name = "told", .lanes = 1, .box = box, .box_bytes = 100};
  store_run run = {.call = 5, .share = &share, .nshare = 1, .told = &told,
                   .ntold = 1, .vote = box, .vote_bytes = sizeof box};
  demand(!store_stage(s, &run, &why) && !store_promote(s, 5, &why), "a call");
  run.call = 7;
  demand(!store_stage(s, &run, &why) && !store_start(s, zeros, 7, &why) &&
             !store_put_sealed(s, zeros, zeros, box, sizeof box, &why) &&
             !store_set_seen(s, 7, zeros, &why),
         "more of it");
  store_close(s);
  sqlite3 *db;
  demand(!sqlite3_open(path, &db) &&
             !sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0, 0, 0),
         "one file");
  sqlite3_close(db);
  FILE *f = fopen(path, "rb");
  demand(f && !fseek(f, 0, SEEK_END), "the file");
  whole_bytes = (size_t)ftell(f);
  whole = malloc(whole_bytes);
  rewind(f);
  demand(whole && fread(whole, 1, whole_bytes, f) == whole_bytes, "its bytes");
  fclose(f);
  arena_free(a);
}

/* The file, with bytes of it changed if `raw`. */
static void put_back(const uint8_t *p, size_t n, bool raw) {
  forget_files();
  FILE *f = fopen(path, "wb");
  demand(f && fwrite(whole, 1, whole_bytes, f) == whole_bytes, "a copy");
  for (; raw && n >= 4; p += 4, n -= 4) {
    size_t at = ((size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2]) % whole_bytes;
    fseek(f, (long)at, SEEK_SET);
    fputc(p[3], f);
  }
  fclose(f);
}

/* One column of one table becomes what the input holds. */
static void change_row(uint8_t which, const uint8_t *p, size_t n) {
  static const char *const sql[] = {
      "UPDATE share SET box = ?", "UPDATE share SET lanes = ?",
      "UPDATE share SET version = ?", "UPDATE share SET leaf = ?",
      "UPDATE share SET staged = ?", "UPDATE run SET vote = ?",
      "UPDATE sealed SET box = ?", "UPDATE sealed SET at = ?",
      "UPDATE letter SET box = ?", "UPDATE letter SET lanes = ?",
      "UPDATE letter SET holder = ?", "UPDATE letter SET name = ?",
      "UPDATE letter SET output = ?", "UPDATE meta SET value = ?",
      "UPDATE share SET contract = ?", "UPDATE letter SET call = ?"};
  sqlite3 *db;
  sqlite3_stmt *s;
  demand(!sqlite3_open(path, &db), "the file again");
  demand(!sqlite3_prepare_v2(db, sql[which % 16], -1, &s, NULL), "a change");
  sqlite3_int64 v = 0;
  memcpy(&v, p, n < 8 ? n : 8);
  switch (which >> 4 & 3) {
  case 0: sqlite3_bind_blob(s, 1, p, (int)n, SQLITE_STATIC); break;
  case 1: sqlite3_bind_int64(s, 1, v); break;
  case 2: sqlite3_bind_text(s, 1, (const char *)p, (int)n, SQLITE_STATIC); break;
  default: sqlite3_bind_null(s, 1);
  }
  sqlite3_step(s);
  sqlite3_finalize(s);
  sqlite3_close(db);
}

static void read_all(store *s, arena *a) {
  const char *why;
  uint64_t out[PLANES * LANES], *call;
  uint8_t *p;
  size_t n;
  store_place at = {.leaf = "$x", .version = 5};
  if (store_load(s, &at, out, PLANES, LANES, &why) == STORE_OK)
    demand(!memcmp(out, words, sizeof out), "another share was given back");
  at.version = 6;
  demand(store_load(s, &at, out, PLANES, LANES, &why) != STORE_OK,
         "a share of a version that never was");
  store_held *held;
  (void)store_list(s, a, &held, &n, &why);
  (void)store_staged(s, a, &call, &n, &why);
  (void)store_vote(s, a, 7, &p, &n, &why);
  (void)store_get_sealed(s, a, zeros, zeros, &p, &n, &why);
  node_letter *letter;
  bool more;
  (void)store_letters(s, a, zeros, 0, 1 << 20, &letter, &n, &more, &why);
  uint64_t seq;
  uint8_t hash[32];
  (void)store_seen(s, &seq, hash, &why);
  bool started;
  (void)store_was_started(s, zeros, &started, &why);
  (void)store_promote(s, 7, &why);
  (void)store_discard(s, 7, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  if (!whole) make();
  if (n < 2) return 0;
  bool raw = data[0] & 1;
  put_back(data + 1, n - 1, raw);
  if (!raw) change_row(data[1], data + 2, n - 2);
  arena *a = arena_new();
  const char *why;
  store *s = opened(a, &why);
  if (s) read_all(s, a);
  store_close(s);
  arena_free(a);
  return 0;
}
