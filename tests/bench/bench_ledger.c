/* Calls without a secret part, through the server, each answered only when it
 * is on the disk: calls per second of 16 connections.
 *   bench_ledger [FOLDER] [SECONDS]    the ledger's file goes to FOLDER (.)
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "chi.h"
#include "ledger/ledger.h"

enum { CLIENTS = 16 };

static const char package[] =
    "{\"format\":1,\"compiler\":\"bench\",\"contract\":\"Count\","
    "\"field\":\"2^61-1\",\"source_hash\":\"\",\"events\":[],\"state\":["
    "{\"name\":\"votes\",\"type\":\"map\",\"secret\":false,\"constant\":false,"
    "\"keys\":[{\"kind\":\"int\",\"secret\":false,\"lo\":\"0\",\"hi\":\"999\"}],"
    "\"value\":{\"kind\":\"int\",\"secret\":false,\"lo\":\"0\","
    "\"hi\":\"4294967295\"},\"leaves\":[{\"name\":\"$votes\",\"lanes\":1,\"lo\":\"0\","
    "\"hi\":\"4294967295\"}]}],\"actions\":[{\"name\":\"add\","
    "\"kind\":\"action\",\"params\":[{\"name\":\"k\",\"type\":{\"kind\":\"int\","
    "\"secret\":false,\"lo\":\"0\",\"hi\":\"999\"}}],\"reads\":[\"votes\"],"
    "\"writes\":[\"votes\"],\"circuit\":null,\"after\":null,"
    "\"circuit_hash\":null,\"before\":\"circuit \\\"add\\\"\\nstage high\\n"
    "field 61\\ninput \\\"k\\\" \\\"u10\\\" \\\"\\\" of \\\"k\\\"\\n@body {\\n"
    "%k: z<0..999> = input \\\"k\\\"\\n"
    "%v: z<0..4294967295> = mload %k \\\"$votes\\\"\\n"
    "%1: z<1..1> = const 1\\n%w: z<1..4294967296> = add %v, %1\\n"
    "mstore %w, %k \\\"$votes\\\"\\n}\\n\"}]}";

typedef struct served {
  ledger *l;
  int fd, stop;
} served;

typedef struct caller {
  uint16_t port;
  uint8_t net[32], contract[32];
  int k;
  double until;
  unsigned long calls;
} caller;

static void die(const char *what, const char *why) {
  fprintf(stderr, "bench_ledger: %s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static chi_identity *identity(int k) {
  uint8_t seed[32] = {9, (uint8_t)k};
  chi_identity *id;
  if (chi_identity_from_seed(&id, seed) != CHI_OK) die("identity", "");
  return id;
}

static void *serve(void *arg) {
  served *s = arg;
  const char *why;
  if (ledger_serve(s->l, s->fd, s->stop, &why)) die("server", why);
  return NULL;
}

static void submit(ledger *l, arena *a, tx *t, const chi_identity *id) {
  size_t n;
  ledger_receipt r;
  uint8_t *p = tx_encode(a, t, id, &n);
  if (!p || l->ops->submit(l, a, p, n, &r) != LEDGER_OK)
    die("submit", p ? r.why : "encode");
}

static void *call(void *arg) {
  caller *c = arg;
  chi_identity *id = identity(10 + c->k);
  const char *why = "";
  ledger *l;
  arena *a = arena_new();
  mpz_t key;
  mpz_init_set_ui(key, (unsigned long)c->k);
  if (ledger_connect(&l, a, "127.0.0.1", c->port, &why)) die("connect", why);
  while (now() < c->until) {
    arena *turn = arena_new();
    tx_value v = {"k", 1, &key};
    tx t = {.kind = TX_CALL, .counter = ++c->calls,
            .u.call = {.action = "add", .args = {&v, 1}}};
    memcpy(t.net, c->net, 32);
    memcpy(t.u.call.contract, c->contract, 32);
    submit(l, turn, &t, id);
    arena_free(turn);
  }
  l->ops->close(l);
  chi_identity_free(id);
  mpz_clear(key);
  arena_free(a);
  return NULL;
}

static ledger *make(arena *a, const char *path, uint8_t net[32],
                    uint8_t contract[32]) {
  const char *why = "";
  uint8_t key[3][32], hash[32];
  size_t n;
  chi_identity *node = identity(0);
  tx g = {.kind = TX_GENESIS, .u.genesis = {CHI_REP3, 3, key, 60000, 0, {1}}};
  for (int k = 0; k < 3; k++) {
    chi_identity *id = identity(k);
    chi_identity_public(id, key[k]);
    chi_identity_free(id);
  }
  uint8_t *p = tx_encode(a, &g, node, &n);
  if (!p || ledger_create(path, p, n, &why, a)) die("create", why);
  tx_hash(p, n, net);
  ledger *l;
  if (ledger_open(&l, a, path, NULL, &why)) die("open", why);
  tx t = {.kind = TX_DEPLOY, .counter = 1,
          .u.deploy = {package, sizeof package - 1, {0}}};
  memcpy(t.net, net, 32);
  submit(l, a, &t, node);
  tx_hash((const uint8_t *)package, sizeof package - 1, hash);
  tx_instance(contract, net, hash, key[0], 1);
  chi_identity_free(node);
  return l;
}

int main(int argc, char **argv) {
  arena *a = arena_new();
  const char *dir = argc > 1 ? argv[1] : ".";
  double seconds = argc > 2 ? atof(argv[2]) : 5;
  const char *path = arena_printf(a, "%s/bench_ledger.db", dir);
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t n = sizeof at;
  uint8_t net[32], contract[32];
  pthread_t thread, callers[CLIENTS];
  caller c[CLIENTS];
  int stop[2];
  unsigned long calls = 0;
  unlink(path);
  served s = {make(a, path, net, contract), socket(AF_INET, SOCK_STREAM, 0),
              0};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (pipe(stop) < 0 || bind(s.fd, (struct sockaddr *)&at, sizeof at) < 0 ||
      listen(s.fd, 64) < 0 ||
      getsockname(s.fd, (struct sockaddr *)&at, &n) < 0)
    die("socket", "");
  s.stop = stop[0];
  pthread_create(&thread, NULL, serve, &s);
  double from = now();
  for (int k = 0; k < CLIENTS; k++) {
    c[k] = (caller){.port = ntohs(at.sin_port), .k = k,
                    .until = from + seconds};
    memcpy(c[k].net, net, 32);
    memcpy(c[k].contract, contract, 32);
    pthread_create(&callers[k], NULL, call, &c[k]);
  }
  for (int k = 0; k < CLIENTS; k++) {
    pthread_join(callers[k], NULL);
    calls += c[k].calls;
  }
  double took = now() - from;
  close(stop[1]);
  pthread_join(thread, NULL);
  s.l->ops->close(s.l);
  const char *why = "";
  double opened = now();
  if (ledger_open(&s.l, a, path, NULL, &why)) die("open", why);
  opened = now() - opened;
  double checked = now();
  ledger_query q = {.kind = READ_VERIFY};
  ledger_answer out;
  if (s.l->ops->read(s.l, a, &q, &out)) die("verify", out.why);
  checked = now() - checked;
  s.l->ops->close(s.l);
  printf("ledger: %d connections, %lu calls in %.1f s: %.0f per second, "
         "durable; opened in %.2f s, checked in %.2f s\n",
         CLIENTS, calls, took, (double)calls / took, opened, checked);
  unlink(path);
  arena_free(a);
  return 0;
}
