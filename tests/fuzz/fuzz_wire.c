/* Fuzzes what a party believes of its peers' bytes.
 *
 * At the start an honest run of each configuration is recorded: all that the
 * peers sent to party 0.  An input then is
 *   byte 0        configuration; bit 7: the rest is raw, bytes dealt out to
 *                 the peers in turn
 *   then, each    peer, place (2 bytes), deed, length, and as many bytes as the
 *                 deed wants: what happens to the recording
 * Party 0 draws the same randomness in every run, so an unchanged recording
 * runs to its end, and a changed one gets as far as it deserves.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "chi_gen.h"

#define NEED(x) \
  do {          \
    if (!(x)) abort(); \
  } while (0)

enum { L = 5, PARTIES = 6, CONFIGS = 3 };
enum { X = 0, W = 2 * L, Z = 4 * L, OUT = 6 * L, WORDS = 7 * L };

/* ---- randomness that repeats, one stream a thread ---- */

static _Thread_local uint64_t random_party, random_count;

static void random_buf(void *p, size_t n) {
  uint8_t *out = p;
  for (size_t i = 0; i < n; i++) {
    uint64_t v = ++random_count * UINT64_C(0x9e3779b97f4a7c15) + random_party;
    v ^= v >> 29;
    v *= UINT64_C(0xbf58476d1ce4e5b9);
    out[i] = (uint8_t)(v >> 40);
  }
}

static uint32_t random_word(void) {
  uint32_t v;
  random_buf(&v, sizeof v);
  return v;
}

static const char *random_name(void) { return "repeats"; }

static randombytes_implementation repeats = {
    .implementation_name = random_name,
    .random = random_word,
    .buf = random_buf};

static void random_from(unsigned party) {
  random_party = party * UINT64_C(1000003);
  random_count = 0;
}

/* ---- the circuit: open x w and x ---- */

static CHI_GEN_INLINE int circuit_of(int P, chi_gen *g) {
  const uint64_t *w = chi_gen_words(g);
  chi_gen_begin(g, L, 0);
  uint64_t *z = chi_gen_reduce_open_chunk(g, Z, L, 0, L);
  for (unsigned l = 0; l < L; l++) {
    z[l] = chi_f_add(z[l], chi_pr_mul(P, chi_sh_ld(P, w + X, L, l),
                                      chi_sh_ld(P, w + W, L, l)));
  }
  chi_gen_reduce_close_chunk(g);
  if (chi_gen_end(g)) return 1;
  chi_gen_begin(g, 0, L);
  chi_gen_open(g, OUT, Z, L);
  return chi_gen_end(g);
}

static int circuit(chi_gen *g) {
  return chi_gen_protocol(g) == CHI_GEN_REP3 ? circuit_of(CHI_GEN_REP3, g)
                                             : circuit_of(CHI_GEN_SHAMIR, g);
}

static const chi_leaf INPUT[] = {
    {"x", "field", "[5]", CHI_KIND_SHARE, L, 0, 0, X},
    {"w", "field", "[5]", CHI_KIND_SHARE, L, 0, 0, W}};
static const chi_leaf OUTPUT[] = {
    {"z", "field", "[5]", CHI_KIND_FIELD, L, 0, 0, OUT}};
static const chi_program PROGRAM = {
    CHI_ABI, CHI_FIELD_INIT, "wire", {1}, {2}, WORDS, INPUT, 2, OUTPUT, 1, 0, 0,
    L, L, 1, 1, 2, 2, 3, circuit, {0, 0}, 0};

/* ---- recordings ---- */

typedef struct stream {
  uint8_t *p;
  size_t n, cap;
} stream;

static const struct {
  chi_protocol protocol;
  unsigned n;
} CONFIG[CONFIGS] = {{CHI_REP3, 3}, {CHI_SHAMIR, 3}, {CHI_SHAMIR, 6}};

static chi_identity *id[PARTIES];
static uint8_t key[PARTIES][CHI_KEY_BYTES];
static uint8_t *blob[CONFIGS][PARTIES];
static size_t blob_bytes[CONFIGS][PARTIES];
static stream heard[CONFIGS][PARTIES]; /* by party 0, of each peer */

static void append(stream *s, const void *p, size_t n) {
  if (s->n + n > s->cap) {
    s->cap = 2 * (s->n + n) + 64;
    s->p = realloc(s->p, s->cap);
    NEED(s->p);
  }
  if (n) memcpy(s->p + s->n, p, n);
  s->n += n;
}

typedef struct recorder {
  chi_transport inner;
  stream *heard;
} recorder;

static long rec_send(void *st, unsigned peer, const void *p, size_t n) {
  recorder *r = st;
  return r->inner.ops->try_send(r->inner.state, peer, p, n);
}

static long rec_recv(void *st, unsigned peer, void *p, size_t n) {
  recorder *r = st;
  long k = r->inner.ops->try_recv(r->inner.state, peer, p, n);
  if (k > 0) append(&r->heard[peer], p, (size_t)k);
  return k;
}

static int rec_wait(void *st, uint64_t readable, uint64_t writable,
                    uint64_t deadline_ns) {
  recorder *r = st;
  return r->inner.ops->wait(r->inner.state, readable, writable, deadline_ns);
}

/* The real one would not be there when party 0 is alone. */
static int zero_exporter(void *st, unsigned peer, uint8_t out[32]) {
  (void)st;
  (void)peer;
  memset(out, 0, 32);
  return 0;
}

static void rec_close(void *st) {
  recorder *r = st;
  r->inner.ops->close(r->inner.state);
}

static const chi_transport_ops RECORDER = {.try_send = rec_send,
                                           .try_recv = rec_recv,
                                           .wait = rec_wait,
                                           .exporter = zero_exporter,
                                           .close = rec_close};

static chi_status life(unsigned config, unsigned me, const chi_transport *t) {
  chi_session *s = NULL;
  const chi_session_config cfg = {
      .protocol = CONFIG[config].protocol, .n = CONFIG[config].n, .me = me,
      .party_key = (const uint8_t(*)[CHI_KEY_BYTES])key, .session_id = {9},
      .identity = id[me], .deadline_ms = 20000};
  int64_t x[L] = {1, 2, 3, -4, 5}, out[L];
  random_from(me);
  NEED(!chi_session_new(&s, t, &cfg, &PROGRAM));
  NEED(!chi_session_input_node(s, 0, 1, me == 1 ? x : NULL, L));
  NEED(!chi_session_input_sealed(
      s, 1, blob[config][me],
      blob_bytes[config][me]));
  chi_status st = chi_session_start(s);
  if (!st) st = chi_session_run(s);
  /* Whatever was sent: a status that stays, and outputs only with CHI_OK. */
  NEED(st == chi_session_status(s));
  NEED(chi_session_output(s, 0, out, L) == st);
  NEED(st == CHI_OK || chi_session_detail(s)[0]);
  for (unsigned l = 0; !st && l < L; l++) NEED((uint64_t)out[l] < CHI_P);
  chi_session_free(s);
  return st;
}

typedef struct actor {
  unsigned config, me;
  recorder r;
  pthread_t thread;
} actor;

static void *actor_main(void *arg) {
  actor *a = arg;
  const chi_transport t = {&RECORDER, &a->r};
  NEED(life(a->config, a->me, &t) == CHI_OK);
  return NULL;
}

static void record(unsigned config) {
  unsigned n = CONFIG[config].n;
  chi_transport t[PARTIES];
  actor a[PARTIES];
  stream other[PARTIES][PARTIES];
  memset(other, 0, sizeof other);
  NEED(!chi_mem_new(t, n));
  for (unsigned i = 0; i < n; i++) {
    a[i] = (actor){.config = config, .me = i,
                   .r = {t[i], i ? other[i] : heard[config]}};
    NEED(!pthread_create(&a[i].thread, NULL, actor_main, &a[i]));
  }
  for (unsigned i = 0; i < n; i++) NEED(!pthread_join(a[i].thread, NULL));
  for (unsigned i = 0; i < n; i++) {
    for (unsigned j = 0; j < n; j++) free(other[i][j].p);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  NEED(!randombytes_set_implementation(&repeats) && sodium_init() >= 0);
  for (unsigned i = 0; i < PARTIES; i++) {
    uint8_t seed[32] = {(uint8_t)(i + 1)};
    NEED(!chi_identity_from_seed(&id[i], seed));
    chi_identity_public(id[i], key[i]);
  }
  for (unsigned c = 0; c < CONFIGS; c++) {
    chi_client_run run = {CONFIG[c].protocol, CONFIG[c].n,
                          (const uint8_t(*)[CHI_KEY_BYTES])key, {9},
                          {0, 0, 0}};
    const int64_t w[L] = {7, -7, 0, 100, 1};
    for (unsigned i = 0; i < run.n; i++) {
      blob_bytes[c][i] = chi_client_blob_bytes(&run, i, L);
      blob[c][i] = malloc(blob_bytes[c][i]);
      NEED(blob[c][i]);
    }
    random_from(77);
    NEED(!chi_client_share(blob[c], &run, 1, w, L));
    record(c);
  }
  return 0;
}

/* ---- a run of party 0 alone ---- */

typedef struct script {
  stream s[PARTIES];
  size_t at[PARTIES];
} script;

static long play_send(void *st, unsigned peer, const void *p, size_t n) {
  (void)st;
  (void)peer;
  (void)p;
  return (long)n;
}

static long play_recv(void *st, unsigned peer, void *p, size_t n) {
  script *c = st;
  size_t left = c->s[peer].n - c->at[peer];
  if (left == 0) return CHI_IO_CLOSED;
  if (n > left) n = left;
  memcpy(p, c->s[peer].p + c->at[peer], n);
  c->at[peer] += n;
  return (long)n;
}

static int play_wait(void *st, uint64_t readable, uint64_t writable,
                     uint64_t deadline_ns) {
  (void)st;
  (void)readable;
  (void)writable;
  (void)deadline_ns;
  return 1;
}

static void play_close(void *st) { (void)st; }

static const chi_transport_ops PLAYER = {.try_send = play_send,
                                         .try_recv = play_recv,
                                         .wait = play_wait,
                                         .exporter = zero_exporter,
                                         .close = play_close};

enum { FLIP, OVERWRITE, INSERT, DELETE, CUT, REPEAT, DEEDS };

/* One deed; returns how many bytes of data it used. */
static size_t deed(script *c, unsigned n, const uint8_t *d, size_t size) {
  if (size < 5) return size;
  stream *s = &c->s[1 + d[0] % (n - 1)];
  size_t at = s->n ? (size_t)(d[1] | d[2] << 8) % s->n : 0;
  size_t k = d[4], left = s->n - at, used = 5;
  stream tail = {0};
  switch (d[3] % DEEDS) {
    case FLIP:
      if (left) s->p[at] ^= (uint8_t)(k ? k : 1);
      return used;
    case OVERWRITE:
      if (k > size - used) k = size - used;
      if (k > left) k = left;
      if (k) memcpy(s->p + at, d + used, k);
      return used + k;
    case INSERT:
      if (k > size - used) k = size - used;
      append(&tail, s->p + at, left);
      s->n = at;
      append(s, d + used, k);
      append(s, tail.p, tail.n);
      free(tail.p);
      return used + k;
    case DELETE:
      if (k > left) k = left;
      if (left > k) memmove(s->p + at, s->p + at + k, left - k);
      s->n -= k;
      return used;
    case REPEAT:
      if (k > left) k = left;
      append(&tail, s->p + at, left);
      s->n = at + k;
      append(s, tail.p, tail.n);
      free(tail.p);
      return used;
    default:
      s->n = at;
      return used;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script c;
  memset(&c, 0, sizeof c);
  if (size == 0) return 0;
  unsigned config = (data[0] & 127) % CONFIGS, n = CONFIG[config].n;
  int raw = data[0] >> 7;
  data++;
  size--;
  int touched = raw || size > 0;
  for (unsigned j = 1; j < n; j++) {
    if (raw) {
      size_t part = size / (n - j);
      append(&c.s[j], data, part);
      data += part;
      size -= part;
    } else {
      append(&c.s[j], heard[config][j].p, heard[config][j].n);
    }
  }
  for (int k = 0; !raw && size && k < 64; k++) {
    size_t used = deed(&c, n, data, size);
    data += used;
    size -= used;
  }
  const chi_transport t = {&PLAYER, &c};
  chi_status st = life(config, 0, &t);
  NEED(touched || st == CHI_OK);
  for (unsigned j = 0; j < n; j++) free(c.s[j].p);
  return 0;
}
