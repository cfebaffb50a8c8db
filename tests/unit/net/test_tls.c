/* The TLS transport: who gets in, who does not, and what moves. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mesh.h"

/* Sets up parties 0..n-1 of m with threads; leaves the results in s. */
static void run_all(side *s, unsigned n) {
  for (unsigned i = 0; i < n; i++) side_start(&s[i]);
  for (unsigned i = 0; i < n; i++) side_join(&s[i]);
}

static void init_all(side *s, const mesh *m) {
  for (unsigned i = 0; i < m->n; i++) side_init(&s[i], m, i);
}

static void close_all(side *s, mesh *m) {
  for (unsigned i = 0; i < m->n; i++) side_close(&s[i]);
  mesh_close(m);
}

static int says(const side *s, const char *what) {
  if (strstr(s->detail, what)) return 1;
  (void)fprintf(stderr, "party %u says: %s\n", s->me, s->detail);
  return 0;
}

static void test_mesh_sizes(void) {
  static const unsigned sizes[] = {3, 4, 7, 21};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    mesh m;
    static side s[CHI_PARTIES_MAX];
    mesh_open(&m, sizes[k]);
    init_all(s, &m);
    for (unsigned i = 0; i < m.n; i++) s[i].deadline_ms = 20000;
    run_all(s, m.n);
    for (unsigned i = 0; i < m.n; i++) {
      CU_ASSERT_EQUAL(s[i].status, CHI_OK);
      if (s[i].status) (void)says(&s[i], "?");
    }
    /* Every ordered pair says who speaks to whom. */
    for (unsigned i = 0; i < m.n; i++) {
      for (unsigned j = 0; j < m.n; j++) {
        uint8_t word[2] = {(uint8_t)i, (uint8_t)j};
        if (i != j) CU_ASSERT_EQUAL(mesh_send(&s[i].t, j, word, 2), 0);
      }
    }
    for (unsigned i = 0; i < m.n; i++) {
      for (unsigned j = 0; j < m.n; j++) {
        uint8_t word[2] = {99, 99};
        if (i == j) continue;
        CU_ASSERT_EQUAL(mesh_recv(&s[i].t, j, word, 2), 0);
        CU_ASSERT(word[0] == j && word[1] == i);
      }
    }
    close_all(s, &m);
  }
}

static void test_exporter(void) {
  mesh m;
  side s[3];
  uint8_t key[2][3][3][32];
  memset(key, 0, sizeof key);
  mesh_open(&m, 3);
  for (int run = 0; run < 2; run++) {
    init_all(s, &m);
    run_all(s, 3);
    for (unsigned i = 0; i < 3; i++) {
      CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
      for (unsigned j = 0; j < 3; j++) {
        if (i == j) continue;
        CU_ASSERT_EQUAL(s[i].t.ops->exporter(s[i].t.state, j, key[run][i][j]),
                        0);
      }
    }
    for (unsigned i = 0; i < 3; i++) side_close(&s[i]);
    CU_ASSERT(!memcmp(key[run][0][1], key[run][1][0], 32));
    CU_ASSERT(!memcmp(key[run][0][2], key[run][2][0], 32));
    CU_ASSERT(!memcmp(key[run][1][2], key[run][2][1], 32));
    CU_ASSERT(memcmp(key[run][0][1], key[run][0][2], 32) != 0);
    CU_ASSERT(memcmp(key[run][0][1], key[run][1][2], 32) != 0);
  }
  CU_ASSERT(memcmp(key[0][0][1], key[1][0][1], 32) != 0);
  mesh_close(&m);
}

/* ---- data ---- */

#define BULK (6u * 1000 * 1000 + 13)

typedef struct bulk {
  side *s;
  unsigned to, from;
  uint8_t *out, *in;
  int bad;
  pthread_t thread;
} bulk;

/* Sends and receives at once, in odd pieces, and leaves nothing behind. */
static void *bulk_main(void *arg) {
  bulk *b = arg;
  const chi_transport *t = &b->s->t;
  size_t sent = 0, got = 0, piece = 1;
  uint64_t deadline = mesh_now_ns() + UINT64_C(20000000000);
  while (sent < BULK || got < BULK) {
    piece = piece * 7 % 200003 + 1;
    size_t k = BULK - sent < piece ? BULK - sent : piece;
    long w = k ? t->ops->try_send(t->state, b->to, b->out + sent, k) : 0;
    k = BULK - got < piece ? BULK - got : piece;
    long r = k ? t->ops->try_recv(t->state, b->from, b->in + got, k) : 0;
    if (w < 0 || r < 0) {
      b->bad = 1;
      return NULL;
    }
    sent += (size_t)w;
    got += (size_t)r;
    if (w || r || (sent == BULK && got == BULK)) continue;
    if (t->ops->wait(t->state, got < BULK ? UINT64_C(1) << b->from : 0,
                     sent < BULK ? UINT64_C(1) << b->to : 0, deadline) != 1) {
      b->bad = 2;
      return NULL;
    }
  }
  if (t->ops->drain(t->state, deadline) != 1) b->bad = 3;
  return NULL;
}

static void test_bulk(void) {
  mesh m;
  side s[3];
  bulk b[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
    b[i] = (bulk){&s[i], (i + 2) % 3, (i + 1) % 3, malloc(BULK), malloc(BULK),
                  0, 0};
    uint64_t x = i + 1;
    for (size_t k = 0; k < BULK; k++) {
      x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
      b[i].out[k] = (uint8_t)(x >> 56);
    }
  }
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_FATAL(!pthread_create(&b[i].thread, NULL, bulk_main, &b[i]));
  }
  for (unsigned i = 0; i < 3; i++) CU_ASSERT(!pthread_join(b[i].thread, NULL));
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(b[i].bad, 0);
    CU_ASSERT(!memcmp(b[i].in, b[b[i].from].out, BULK));
  }
  for (unsigned i = 0; i < 3; i++) {
    free(b[i].out);
    free(b[i].in);
  }
  close_all(s, &m);
}

static void *drain_main(void *arg) {
  const chi_transport *t = &((side *)arg)->t;
  uint64_t deadline = mesh_now_ns() + UINT64_C(20000000000);
  return t->ops->drain(t->state, deadline) == 1 ? arg : NULL;
}

/* What was taken arrives behind drain, although nothing else is called; drain
 * waits for as long as the receiver takes nothing. */
static void test_drain(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  const chi_transport *t = &s[0].t;
  CU_ASSERT_EQUAL(t->ops->drain(t->state, 0), 1);
  size_t cap = 16u << 20, taken = 0;
  uint8_t *data = calloc(cap, 1), *in = calloc(cap, 1);
  for (size_t k = 0; k < cap; k++) data[k] = (uint8_t)(k * 41 >> 3);
  int drained_all = 1;
  for (; drained_all == 1 && taken < cap;
       drained_all = t->ops->drain(t->state, mesh_now_ns() + 500000000u)) {
    long k = t->ops->try_send(t->state, 1, data + taken, cap - taken);
    CU_ASSERT_FATAL(k >= 0);
    taken += (size_t)k;
  }
  CU_ASSERT_EQUAL(drained_all, 0);
  pthread_t drainer;
  void *drained = NULL;
  CU_ASSERT_FATAL(!pthread_create(&drainer, NULL, drain_main, &s[0]));
  CU_ASSERT_EQUAL(mesh_recv(&s[1].t, 0, in, taken), 0);
  CU_ASSERT(!pthread_join(drainer, &drained));
  CU_ASSERT_PTR_NOT_NULL(drained);
  CU_ASSERT(!memcmp(in, data, taken));
  free(data);
  free(in);
  close_all(s, &m);
}

static void *close_main(void *arg) {
  side_close(arg);
  return NULL;
}

/* What was taken before close arrives, although the receiver is late. */
static void test_close_delivers(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  size_t cap = 16u << 20, taken = 0;
  uint8_t *data = malloc(cap), *in = malloc(cap);
  for (size_t k = 0; k < cap; k++) data[k] = (uint8_t)(k * 31 >> 3);
  for (int idle = 0; idle < 3 && taken < cap;) {
    long k = s[0].t.ops->try_send(s[0].t.state, 1, data + taken, cap - taken);
    CU_ASSERT_FATAL(k >= 0);
    taken += (size_t)k;
    idle = k ? 0 : idle + 1;
  }
  pthread_t closer;
  CU_ASSERT_FATAL(!pthread_create(&closer, NULL, close_main, &s[0]));
  mesh_sleep_ms(200);
  CU_ASSERT_EQUAL(mesh_recv(&s[1].t, 0, in, taken), 0);
  CU_ASSERT(!memcmp(in, data, taken));
  CU_ASSERT_EQUAL(mesh_recv(&s[1].t, 0, in, 1), CHI_IO_CLOSED);
  CU_ASSERT(strstr(s[1].t.ops->describe(s[1].t.state, 0), "party 0 at ") !=
            NULL);
  CU_ASSERT(!pthread_join(closer, NULL));
  free(data);
  free(in);
  close_all(s, &m);
}

/* The same while the receiver is sending, so that bytes are left unread. */
static void test_close_amid_traffic(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  size_t cap = 16u << 20, taken = 0;
  uint8_t *data = malloc(cap), *in = malloc(cap);
  for (size_t k = 0; k < cap; k++) data[k] = (uint8_t)(k * 37 >> 4);
  for (int idle = 0; idle < 3 && taken < cap;) {
    long k = s[0].t.ops->try_send(s[0].t.state, 1, data + taken, cap - taken);
    CU_ASSERT_FATAL(k >= 0);
    taken += (size_t)k;
    idle = k ? 0 : idle + 1;
    (void)s[1].t.ops->try_send(s[1].t.state, 0, data, 100000);
  }
  pthread_t closer;
  CU_ASSERT_FATAL(!pthread_create(&closer, NULL, close_main, &s[0]));
  mesh_sleep_ms(20);
  CU_ASSERT_EQUAL(mesh_recv(&s[1].t, 0, in, taken), 0);
  CU_ASSERT(!memcmp(in, data, taken));
  CU_ASSERT(!pthread_join(closer, NULL));
  free(data);
  free(in);
  close_all(s, &m);
}

/* A vanished peer: CLOSED from both calls, no SIGPIPE, wait returns. */
static void test_peer_gone(void) {
  mesh m;
  side s[3];
  uint8_t junk[70000] = {0};
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  side_close(&s[2]);
  const chi_transport *t = &s[0].t;
  CU_ASSERT_EQUAL(t->ops->wait(t->state, 1u << 2, 0,
                               mesh_now_ns() + UINT64_C(5000000000)),
                  1);
  CU_ASSERT_EQUAL(mesh_recv(&s[0].t, 2, junk, 1), CHI_IO_CLOSED);
  long r = 0;
  for (int k = 0; k < 200 && r >= 0; k++) {
    r = t->ops->try_send(t->state, 2, junk, sizeof junk);
    mesh_sleep_ms(5);
  }
  CU_ASSERT_EQUAL(r, CHI_IO_CLOSED);
  CU_ASSERT_EQUAL(t->ops->wait(t->state, 0, 1u << 2,
                               mesh_now_ns() + UINT64_C(5000000000)),
                  1);
  /* The others go on. */
  CU_ASSERT_EQUAL(mesh_send(&s[0].t, 1, "x", 1), 0);
  CU_ASSERT_EQUAL(mesh_recv(&s[1].t, 0, junk, 1), 0);
  close_all(s, &m);
}

static void test_wait_deadline(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  const chi_transport *t = &s[0].t;
  uint64_t from = mesh_now_ns();
  CU_ASSERT_EQUAL(t->ops->wait(t->state, 6, 0, from + 80000000u), 0);
  uint64_t took = mesh_now_ns() - from;
  CU_ASSERT(took >= 80000000u && took < 5000000000u);
  CU_ASSERT_EQUAL(t->ops->wait(t->state, 6, 6, from + 80000000u), 1);
  CU_ASSERT_EQUAL(t->ops->wait(t->state, 0, 0, 0), 0);
  close_all(s, &m);
}

/* ---- who gets in ---- */

static void test_wrong_key(void) {
  mesh m, other;
  side s[3];
  mesh_open(&m, 3);
  mesh_open(&other, 3);
  init_all(s, &m);
  for (unsigned i = 0; i < 3; i++) s[i].deadline_ms = 600;
  /* Party 2 expects somebody else behind party 1's address. */
  memcpy(s[2].party[1].key, other.party[1].key, 32);
  run_all(s, 3);
  CU_ASSERT_EQUAL(s[2].status, CHI_E_CRYPTO);
  CU_ASSERT(says(&s[2], "party 1 at 127.0.0.1:"));
  CU_ASSERT(says(&s[2], "not the one in the party table"));
  CU_ASSERT_EQUAL(s[1].status, CHI_E_PEER_STALLED);
  CU_ASSERT(says(&s[1], "party 2 at "));
  CU_ASSERT(s[1].seconds < 5);
  close_all(s, &m);
  mesh_close(&other);
}

static void test_refused_key(void) {
  mesh m, other;
  side s[3];
  mesh_open(&m, 3);
  mesh_open(&other, 3);
  init_all(s, &m);
  for (unsigned i = 0; i < 3; i++) s[i].deadline_ms = 600;
  /* Party 0 does not know party 2's key. */
  memcpy(s[0].party[2].key, other.party[2].key, 32);
  run_all(s, 3);
  CU_ASSERT_EQUAL(s[2].status, CHI_E_DISAGREE);
  CU_ASSERT(says(&s[2], "party 0 at 127.0.0.1:"));
  CU_ASSERT(says(&s[2], "refused the key of party 2"));
  CU_ASSERT_EQUAL(s[0].status, CHI_E_PEER_STALLED);
  CU_ASSERT(says(&s[0], "party 2 at "));
  CU_ASSERT(says(&s[0], "turned away"));
  close_all(s, &m);
  mesh_close(&other);
}

/* Right keys in wrong places: the greeting shows it. */
static void test_wrong_places(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  for (unsigned i = 0; i < 3; i++) s[i].deadline_ms = 800;
  chi_party swap = s[0].party[1];
  s[0].party[1] = s[0].party[2];
  s[0].party[2] = swap;
  run_all(s, 3);
  CU_ASSERT_EQUAL(s[0].status, CHI_E_DISAGREE);
  CU_ASSERT(says(&s[0], "holds itself for party"));
  close_all(s, &m);
}

/* One context, mesh after mesh; that of another is refused. */
static void test_context(void) {
  mesh m;
  side s[3];
  chi_tls_context *kept[3] = {NULL};
  mesh_open(&m, 3);
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(chi_tls_context_new(&kept[i], m.id[i]), CHI_OK);
  for (int turn = 0; turn < 3; turn++) {
    init_all(s, &m);
    for (unsigned i = 0; i < 3; i++) s[i].context = kept[i];
    run_all(s, 3);
    for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL(s[i].status, CHI_OK);
    uint8_t word = (uint8_t)turn, got = 99;
    CU_ASSERT_EQUAL(mesh_send(&s[2].t, 0, &word, 1), 0);
    CU_ASSERT_EQUAL(mesh_recv(&s[0].t, 2, &got, 1), 0);
    CU_ASSERT_EQUAL(got, turn);
    for (unsigned i = 0; i < 3; i++) side_close(&s[i]);
  }
  side_init(&s[0], &m, 0);
  s[0].context = kept[1];
  run_all(s, 1);
  CU_ASSERT_EQUAL(s[0].status, CHI_E_ARG);
  for (unsigned i = 0; i < 3; i++) chi_tls_context_free(kept[i]);
  mesh_close(&m);
}

static void test_arguments(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  memcpy(s[0].party[0].key, m.party[1].key, 32); /* not our identity */
  memcpy(s[1].party[2].key, m.party[0].key, 32); /* one key twice */
  s[2].party[1].host = "node.invalid";           /* a name */
  s[2].party[0].host = "node.invalid";
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(s[i].status, CHI_E_ARG);
    CU_ASSERT(s[i].seconds < 5);
    CU_ASSERT(s[i].t.ops == NULL);
  }
  init_all(s, &m);
  s[0].listen_fd = -1;
  s[1].listen_fd = STDERR_FILENO;
  s[2].me = 2;
  s[2].n = 65;
  run_all(s, 3);
  CU_ASSERT_EQUAL(s[0].status, CHI_E_ARG);
  CU_ASSERT_EQUAL(s[1].status, CHI_E_ARG);
  CU_ASSERT_EQUAL(s[2].status, CHI_E_ARG);
  close_all(s, &m);
}

static void test_late_party(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  /* Nobody listens at party 0's address for a while. */
  uint16_t port = m.party[0].port;
  close(m.listen_fd[0]);
  m.listen_fd[0] = -1;
  side_start(&s[1]);
  side_start(&s[2]);
  mesh_sleep_ms(300);
  m.listen_fd[0] = mesh_listen(&port);
  s[0].listen_fd = m.listen_fd[0];
  side_start(&s[0]);
  for (unsigned i = 0; i < 3; i++) side_join(&s[i]);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL(s[i].status, CHI_OK);
  close_all(s, &m);
}

static void test_nobody_there(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  side_init(&s[2], &m, 2);
  close(m.listen_fd[0]);
  m.listen_fd[0] = -1;
  s[2].deadline_ms = 400;
  side_start(&s[2]);
  side_join(&s[2]);
  CU_ASSERT_EQUAL(s[2].status, CHI_E_PEER_STALLED);
  CU_ASSERT(says(&s[2], "party 0 at 127.0.0.1:"));
  CU_ASSERT(says(&s[2], strerror(ECONNREFUSED)));
  CU_ASSERT(s[2].seconds >= 0.4 && s[2].seconds < 5);
  mesh_close(&m);
}

/* ---- strangers ---- */

/* An OpenSSL client as anybody could run it. */
typedef struct stranger {
  const char *ciphersuite; /* NULL: default */
  int max_version;
  chi_identity *id; /* NULL: no certificate */
} stranger;

static EVP_PKEY *private_key(const chi_identity *id) {
  uint8_t seed[32];
  chi_identity_seed(id, seed);
  return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
}

static SSL_CTX *stranger_ctx(const stranger *who) {
  SSL_CTX *c = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_max_proto_version(c, who->max_version);
  if (who->ciphersuite) {
    CU_ASSERT(SSL_CTX_set_ciphersuites(c, who->ciphersuite));
  }
  if (who->id) {
    EVP_PKEY *key = private_key(who->id);
    X509 *x = X509_new();
    X509_set_version(x, 2);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    CU_ASSERT(X509_sign(x, key, NULL) > 0);
    CU_ASSERT(SSL_CTX_use_certificate(c, x));
    CU_ASSERT(SSL_CTX_use_PrivateKey(c, key));
    X509_free(x);
    EVP_PKEY_free(key);
  }
  return c;
}

/* 1 if the server lets it say and hear something; fd is taken. */
static int stranger_gets_in(const stranger *who, int fd) {
  struct timeval limit = {3, 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  SSL_CTX *c = stranger_ctx(who);
  SSL *ssl = SSL_new(c);
  SSL_set_fd(ssl, fd);
  char byte = 0;
  int in = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
  SSL_free(ssl);
  SSL_CTX_free(c);
  ERR_clear_error();
  close(fd);
  return in;
}

static void test_strangers(void) {
  mesh m;
  side s[3];
  mesh_open(&m, 3);
  init_all(s, &m);
  chi_identity *nobody = NULL;
  CU_ASSERT_FATAL(!chi_identity_new(&nobody));
  uint16_t port = m.party[0].port;
  /* Silent ones, more than there are slots; garbage; half a record. */
  int silent[80];
  for (int i = 0; i < 80; i++) silent[i] = mesh_dial(port);
  uint8_t junk[4096];
  for (size_t k = 0; k < sizeof junk; k++) junk[k] = (uint8_t)(k * 197 + 13);
  for (int i = 0; i < 5; i++) {
    (void)!write(silent[i], junk, sizeof junk);
    (void)!write(silent[10 + i], "GET / HTTP/1.1\r\n\r\n", 18);
    (void)!write(silent[20 + i], "\x16\x03\x01\x40\x00\x01", 6);
    close(silent[30 + i]);
    silent[30 + i] = -1;
  }
  s[0].deadline_ms = s[1].deadline_ms = s[2].deadline_ms = 15000;
  side_start(&s[0]);
  mesh_sleep_ms(50);
  const stranger unknown_key = {NULL, TLS1_3_VERSION, nobody};
  const stranger no_key = {NULL, TLS1_3_VERSION, NULL};
  /* With the key of a party, but not as agreed. */
  const stranger old = {NULL, TLS1_2_VERSION, m.id[1]};
  const stranger cipher = {"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION,
                           m.id[1]};
  const stranger itself = {NULL, TLS1_3_VERSION, m.id[0]};
  CU_ASSERT(!stranger_gets_in(&unknown_key, mesh_dial(port)));
  CU_ASSERT(!stranger_gets_in(&no_key, mesh_dial(port)));
  CU_ASSERT(!stranger_gets_in(&old, mesh_dial(port)));
  CU_ASSERT(!stranger_gets_in(&cipher, mesh_dial(port)));
  CU_ASSERT(!stranger_gets_in(&itself, mesh_dial(port)));
  side_start(&s[1]);
  side_start(&s[2]);
  for (unsigned i = 0; i < 3; i++) side_join(&s[i]);
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(s[i].status, CHI_OK);
    if (s[i].status) (void)says(&s[i], "?");
    CU_ASSERT(s[i].seconds < 10);
  }
  uint8_t byte = 0;
  CU_ASSERT_EQUAL(mesh_send(&s[1].t, 0, "z", 1), 0);
  CU_ASSERT_EQUAL(mesh_recv(&s[0].t, 1, &byte, 1), 0);
  CU_ASSERT_EQUAL(byte, 'z');
  for (int i = 0; i < 80; i++) {
    if (silent[i] >= 0) close(silent[i]);
  }
  chi_identity_free(nobody);
  close_all(s, &m);
}

/* The control of the test above: the same client as a party may enter. */
static void test_right_stranger(void) {
  mesh m;
  side s;
  mesh_open(&m, 3);
  side_init(&s, &m, 0);
  s.deadline_ms = 700;
  side_start(&s);
  const stranger party = {"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, m.id[1]};
  CU_ASSERT(stranger_gets_in(&party, mesh_dial(m.party[0].port)));
  side_join(&s);
  CU_ASSERT_EQUAL(s.status, CHI_E_PEER_STALLED);
  side_close(&s);
  mesh_close(&m);
}

/* ---- what answers a call ---- */

typedef struct server {
  int fd;
  const char *says;
  pthread_t thread;
  int stop[2];
} server;

static void *server_main(void *arg) {
  server *v = arg;
  int fd = accept(v->fd, NULL, NULL);
  if (fd >= 0 && v->says) (void)!write(fd, v->says, strlen(v->says));
  char byte;
  (void)!read(v->stop[0], &byte, 1);
  if (fd >= 0) close(fd);
  return NULL;
}

static void server_case(const char *text, chi_status want, const char *why) {
  mesh m;
  side s;
  mesh_open(&m, 3);
  server v = {.fd = m.listen_fd[0], .says = text};
  CU_ASSERT_FATAL(!pipe(v.stop));
  CU_ASSERT_FATAL(!pthread_create(&v.thread, NULL, server_main, &v));
  side_init(&s, &m, 2);
  s.deadline_ms = 500;
  side_start(&s);
  side_join(&s);
  CU_ASSERT_EQUAL(s.status, want);
  CU_ASSERT(says(&s, "party 0 at 127.0.0.1:"));
  CU_ASSERT(says(&s, why));
  CU_ASSERT(s.seconds < 5);
  close(v.stop[1]);
  CU_ASSERT(!pthread_join(v.thread, NULL));
  close(v.stop[0]);
  side_close(&s);
  mesh_close(&m);
}

static void test_answers(void) {
  server_case("220 mail.example.org ESMTP ready\r\n", CHI_E_PROTOCOL,
              "does not speak TLS 1.3");
  server_case(NULL, CHI_E_PEER_STALLED, "silent in the TLS handshake");
}

/* ---- somebody on the wire ---- */

typedef struct wiretap {
  int fd;        /* listens */
  uint16_t port; /* of the real party */
  size_t flip_at;
  pthread_t thread;
} wiretap;

/* Carries one connection both ways, flips a bit of what the caller sends. */
static void *wiretap_main(void *arg) {
  wiretap *w = arg;
  int a = accept(w->fd, NULL, NULL), b = mesh_dial(w->port);
  size_t seen = 0;
  uint8_t buffer[8192];
  for (;;) {
    for (int turn = 0; turn < 2; turn++) {
      int from = turn ? b : a, to = turn ? a : b;
      ssize_t n = recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(a);
        close(b);
        return NULL;
      }
      if (n < 0) continue;
      if (!turn && w->flip_at >= seen && w->flip_at < seen + (size_t)n) {
        buffer[w->flip_at - seen] ^= 1;
      }
      if (!turn) seen += (size_t)n;
      for (ssize_t k = 0; k < n;) {
        ssize_t r = send(to, buffer + k, (size_t)(n - k), MSG_NOSIGNAL);
        if (r < 0) break;
        k += r;
      }
    }
    mesh_sleep_ms(1);
  }
}

static void test_wiretap(void) {
  mesh m;
  side s[3];
  uint16_t port = 0;
  mesh_open(&m, 3);
  init_all(s, &m);
  wiretap w = {.fd = mesh_listen(&port), .port = m.party[0].port,
               .flip_at = 20000};
  s[1].party[0].port = port;
  CU_ASSERT_FATAL(!pthread_create(&w.thread, NULL, wiretap_main, &w));
  run_all(s, 3);
  for (unsigned i = 0; i < 3; i++) CU_ASSERT_EQUAL_FATAL(s[i].status, CHI_OK);
  static uint8_t data[60000];
  CU_ASSERT_EQUAL(mesh_send(&s[1].t, 0, data, sizeof data), 0);
  CU_ASSERT_EQUAL(mesh_recv(&s[0].t, 1, data, sizeof data), CHI_IO_FAILED);
  CU_ASSERT(strstr(s[0].t.ops->describe(s[0].t.state, 1), "party 1 at ") !=
            NULL);
  close_all(s, &m);
  CU_ASSERT(!pthread_join(w.thread, NULL));
  close(w.fd);
}

int main(void) {
  if (CU_initialize_registry()) return 2;
  CU_pSuite t = CU_add_suite("tls", NULL, NULL);
  CU_ADD_TEST(t, test_mesh_sizes);
  CU_ADD_TEST(t, test_exporter);
  CU_ADD_TEST(t, test_bulk);
  CU_ADD_TEST(t, test_drain);
  CU_ADD_TEST(t, test_close_delivers);
  CU_ADD_TEST(t, test_close_amid_traffic);
  CU_ADD_TEST(t, test_peer_gone);
  CU_ADD_TEST(t, test_wait_deadline);
  CU_ADD_TEST(t, test_wrong_key);
  CU_ADD_TEST(t, test_refused_key);
  CU_ADD_TEST(t, test_wrong_places);
  CU_ADD_TEST(t, test_context);
  CU_ADD_TEST(t, test_arguments);
  CU_ADD_TEST(t, test_late_party);
  CU_ADD_TEST(t, test_nobody_there);
  CU_ADD_TEST(t, test_strangers);
  CU_ADD_TEST(t, test_right_stranger);
  CU_ADD_TEST(t, test_answers);
  CU_ADD_TEST(t, test_wiretap);
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
