#define _GNU_SOURCE
#include "net.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  fprintf(stderr, "test: %s: %s\n", what, strerror(errno));
  exit(3);
}

static void pause_ms(long ms) {
  struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&ts, NULL);
}

/* ---- sockets ---- */

/* -1: the port is taken. */
static int try_port(uint16_t port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one))
    die("socket");
  if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0)
    return fd;
  close(fd);
  return -1;
}

static int listen_at(uint16_t port) {
  for (int turn = 0; turn < 50; turn++) {
    int fd = try_port(port);
    if (fd >= 0)
      return fd;
    pause_ms(100);
  }
  die("listen");
  return -1;
}

/* The first of PORTS free ones, of a block that no other test takes while this
 * process lives: they stay free while a node is dead.  See tests/kit/ports.py.
 */
enum { PORT_FIRST = 4096, PORTS = 16, PORT_BLOCKS = 384 };

static bool all_free(uint16_t first) {
  for (uint16_t i = 0; i < PORTS; i++) {
    int fd = try_port((uint16_t)(first + i));
    if (fd < 0)
      return false;
    close(fd);
  }
  return true;
}

static uint16_t take_ports(void) {
  static uint16_t taken;
  char path[64];
  int n = snprintf(path, sizeof path, "/tmp/chi-test-ports-%u",
                   (unsigned)getuid());
  if (taken)
    return taken;
  if (mkdir(path, 0777) != 0 && errno != EEXIST)
    die(path);
  for (;;) {
    unsigned k = randombytes_uniform(PORT_BLOCKS);
    uint16_t first = (uint16_t)(PORT_FIRST + PORTS * k);
    snprintf(path + n, sizeof path - (size_t)n, "/%u", k);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
      die(path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && all_free(first))
      return taken = first; /* fd is never closed */
    close(fd);
  }
}

/* ---- processes ---- */

/* A child that ends when the other end of *stop is closed, or we die. */
static pid_t child(net *w, int *stop, int *stop_read) {
  int fd[2];
  if (pipe2(fd, O_CLOEXEC))
    die("pipe");
  fflush(stdout);
  pid_t pid = fork();
  if (pid < 0)
    die("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(fd[1]);
    for (unsigned i = 0; i < w->n; i++)
      if (w->pid[i])
        close(w->stop[i]);
    if (w->ledger_pid)
      close(w->ledger_stop);
    *stop_read = fd[0];
    return 0;
  }
  close(fd[0]);
  *stop = fd[1];
  return pid;
}

static const char *kill_point, *pause_point, *hold_point, *hold_file;
int net_lie;

static void at_point(const char *point) {
  if (pause_point && strcmp(point, pause_point) == 0) {
    pause_point = NULL;
    pause_ms(3000);
  }
  if (hold_point && strcmp(point, hold_point) == 0) {
    close(open(hold_file, O_WRONLY | O_CREAT, 0600));
    for (;;)
      pause_ms(1000);
  }
  if (kill_point && strcmp(point, kill_point) == 0)
    kill(getpid(), SIGKILL);
}

static void run_node(net *w, unsigned me, int stop_fd) {
  const char *why = "", *dir = arena_printf(w->a, "%s/node%u", w->dir, me);
  node_config cfg = {.dir = dir, .me = me, .n = w->n,
                     .protocol = w->protocol, .peer = w->peer,
                     .identity = w->node[me], .ledger_host = "127.0.0.1",
                     .ledger_port = w->ledger_port, .stop_fd = stop_fd,
                     .deadline_ms = w->deadline_ms, .include = TEST_INCLUDE,
                     .cache_dir = arena_printf(w->a, "%s/circuits", w->dir)};
  kill_point = w->kill_at[me];
  pause_point = w->pause_at[me];
  hold_point = w->hold_at[me];
  hold_file = arena_printf(w->a, "%s/held%u", w->dir, me);
  net_lie = w->lie[me];
  node_barrier = at_point;
  cfg.mesh_fd = listen_at(w->peer[me].mesh_port);
  cfg.client_fd = listen_at(w->peer[me].port);
  int log = open(arena_printf(w->a, "%s/log%u", w->dir, me),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int rc = node_serve(&cfg, log, &why, w->a);
  if (rc)
    dprintf(log, "ended: %s\n", why);
  exit(rc ? 1 : 0); /* sanitizers look for leaks */
}

void net_start(net *w, unsigned node) {
  int stop_fd;
  pid_t pid = child(w, &w->stop[node], &stop_fd);
  if (pid == 0)
    run_node(w, node, stop_fd);
  w->pid[node] = pid;
  w->kill_at[node] = w->pause_at[node] = w->hold_at[node] = NULL;
}

static bool reap(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool net_stop(net *w, unsigned node) {
  close(w->stop[node]);
  bool ok = reap(w->pid[node]);
  w->pid[node] = 0;
  return ok;
}

void net_kill(net *w, unsigned node) {
  kill(w->pid[node], SIGKILL);
  net_stop(w, node);
}

void net_await_held(net *w, unsigned node) {
  const char *file = arena_printf(w->a, "%s/held%u", w->dir, node);
  for (int i = 0; i < 300 && access(file, F_OK) != 0; i++)
    pause_ms(100);
  if (unlink(file) != 0)
    CU_FAIL("the node does not come to its barrier");
}

void net_died(net *w, unsigned node) {
  for (int i = 0; i < 300; i++) {
    siginfo_t info = {0};
    waitid(P_PID, (id_t)w->pid[node], &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid) {
      net_stop(w, node);
      return;
    }
    pause_ms(100);
  }
  CU_FAIL("the node did not die");
  net_kill(w, node);
}

const char *net_ledger_path(net *w) {
  return arena_printf(w->a, "%s/ledger.db", w->dir);
}

const char *net_store(net *w, unsigned node) {
  return arena_printf(w->a, "%s/node%u/store.db", w->dir, node);
}

void net_start_ledger(net *w) {
  int stop_fd;
  pid_t pid = child(w, &w->ledger_stop, &stop_fd);
  const char *why = "";
  if (pid == 0) {
    ledger *l;
    int fd = listen_at(w->ledger_port);
    if (ledger_open(&l, w->a, net_ledger_path(w), NULL, &why) != LEDGER_OK ||
        ledger_serve(l, fd, stop_fd, &why) != 0) {
      fprintf(stderr, "test ledger: %s\n", why);
      _exit(1);
    }
    l->ops->close(l);
    _exit(0);
  }
  w->ledger_pid = pid;
  for (int i = 0; i < 100 && !w->l; i++) {
    if (ledger_connect(&w->l, w->a, "127.0.0.1", w->ledger_port, &why) ==
        LEDGER_OK)
      return;
    w->l = NULL;
    pause_ms(50);
  }
  die(why);
}

void net_stop_ledger(net *w) {
  w->l->ops->close(w->l);
  w->l = NULL;
  close(w->ledger_stop);
  CU_ASSERT(reap(w->ledger_pid));
  w->ledger_pid = 0;
}

/* ---- the net ---- */

static void make_genesis(net *w) {
  tx t = {.kind = TX_GENESIS};
  size_t n;
  const char *why = "";
  t.u.genesis.protocol = (uint8_t)w->protocol;
  t.u.genesis.n = w->n;
  t.u.genesis.key = w->key;
  t.u.genesis.lock_ms = 60000;
  randombytes_buf(t.u.genesis.nonce, 32);
  uint8_t *p = tx_encode(w->a, &t, w->node[0], &n);
  if (!p || ledger_create(net_ledger_path(w), p, n, &why, w->a) != LEDGER_OK)
    die(why);
  tx_hash(p, n, w->id);
}

void net_open(net *w, chi_protocol protocol, unsigned n) {
  *w = (net){.a = arena_new(), .protocol = protocol, .n = n,
             .deadline_ms = 20000, .counter = 1};
  snprintf(w->dir, sizeof w->dir, "/tmp/chi-net-XXXXXX");
  if (!mkdtemp(w->dir))
    die("mkdtemp");
  w->key = arena_array(w->a, n, 32);
  w->ledger_port = take_ports();
  for (unsigned i = 0; i < n; i++) {
    if (chi_identity_new(&w->node[i]) != CHI_OK)
      die("identity");
    chi_identity_public(w->node[i], w->key[i]);
    memcpy(w->peer[i].key, w->key[i], 32);
    w->peer[i].host = "127.0.0.1";
    w->peer[i].port = (uint16_t)(w->ledger_port + 2 * i + 1);
    w->peer[i].mesh_port = (uint16_t)(w->ledger_port + 2 * i + 2);
  }
  if (chi_identity_new(&w->caller) != CHI_OK)
    die("identity");
  chi_identity_public(w->caller, w->who);
  make_genesis(w);
  net_start_ledger(w);
  for (unsigned i = 0; i < n; i++)
    net_start(w, i);
}

void net_close(net *w) {
  char rm[128];
  for (unsigned i = 0; i < w->n; i++)
    if (w->pid[i] && !net_stop(w, i))
      CU_FAIL("a node did not end well");
  net_stop_ledger(w);
  if (CU_get_number_of_failures() > 0 && getenv("CHI_TEST_LOGS"))
    for (unsigned i = 0; i < w->n; i++)
      fprintf(stderr, "%s", net_log(w, i));
  for (unsigned i = 0; i < w->n; i++)
    chi_identity_free(w->node[i]);
  chi_identity_free(w->caller);
  snprintf(rm, sizeof rm, "rm -rf '%s'", w->dir);
  if (system(rm))
    die("rm");
  arena_free(w->a);
}

const char *net_log(net *w, unsigned node) {
  FILE *f = fopen(arena_printf(w->a, "%s/log%u", w->dir, node), "r");
  char chunk[4096];
  buf b = {0};
  size_t k;
  buf_puts(&b, "");
  while (f && (k = fread(chunk, 1, sizeof chunk, f)) > 0)
    buf_write(&b, chunk, k);
  if (f)
    fclose(f);
  const char *s = arena_strdup(w->a, b.p);
  buf_free(&b);
  return s;
}

/* ---- calls ---- */

static ledger_status submit(net *w, tx *t, ledger_receipt *r) {
  size_t n;
  memcpy(t->net, w->id, 32);
  t->counter = w->counter;
  uint8_t *p = tx_encode(w->a, t, w->caller, &n);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  *r = (ledger_receipt){0};
  ledger_status s = w->l->ops->submit(w->l, w->a, p, n, r);
  if (s == LEDGER_OK || s == LEDGER_REVERTED)
    w->counter++;
  else if (r->why)
    fprintf(stderr, "test: %s\n", r->why);
  return s;
}

void net_deploy(net *w, const char *name) {
  uint8_t hash[32];
  ledger_receipt r;
  tx t = {.kind = TX_DEPLOY};
  t.u.deploy.package = test_package(w->a, name);
  t.u.deploy.package_bytes = strlen(t.u.deploy.package);
  tx_hash((const uint8_t *)t.u.deploy.package, t.u.deploy.package_bytes, hash);
  tx_instance(w->contract, w->id, hash, w->who, w->counter);
  CU_ASSERT_EQUAL_FATAL(submit(w, &t, &r), LEDGER_OK);
}

/* What each node is sent: one box after its length. */
static void share(net *w, long secret, uint32_t input, uint8_t **out,
                  size_t *bytes) {
  chi_client_run run = {.protocol = w->protocol, .n = w->n,
                        .party_key = (const uint8_t(*)[32])w->key};
  uint8_t *box[NET_MAX];
  int64_t v = secret;
  tx_session(run.session_id, w->id, w->contract, w->who, w->counter);
  for (unsigned i = 0; i < w->n; i++) {
    size_t n = chi_client_blob_bytes(&run, i, 1);
    bytes[i] = n + 4;
    out[i] = arena_alloc(w->a, n + 4);
    for (int k = 0; k < 4; k++)
      out[i][k] = (uint8_t)(n >> (24 - 8 * k));
    box[i] = out[i] + 4;
  }
  CU_ASSERT_EQUAL_FATAL(chi_client_share(box, &run, input, &v, 1), CHI_OK);
}

static void deposit(net *w, tx *t, long secret, uint32_t input,
                    const twist *k) {
  uint8_t *p[NET_MAX], *q[NET_MAX], session[32];
  size_t n[NET_MAX];
  tx_session(session, w->id, w->contract, w->who, w->counter);
  share(w, secret, input, p, n);
  if (k && k->other_value) {
    share(w, secret + 1, input, q, n);
    p[k->other_value - 1] = q[k->other_value - 1];
  }
  t->u.call.nsealed = w->n;
  t->u.call.sealed = arena_array(w->a, w->n, 32);
  for (unsigned i = 0; i < w->n; i++) {
    tx_sealed_digest(t->u.call.sealed[i], p[i], n[i]);
    if (k && k->no_deposit == (int)i + 1)
      continue;
    if (k && k->other_deposit == (int)i + 1)
      p[i][n[i] - 1] ^= 1;
    node_parcel part = {.host = "127.0.0.1", .port = w->peer[i].port,
                        .p = p[i], .n = n[i]};
    bool ok = false;
    for (int turn = 0; turn < 50 && !ok; turn++) {
      ok = node_deposit(w->a, session, &part, 1, 30000);
      if (!ok)
        pause_ms(100); /* it starts */
    }
    if (!ok)
      CU_FAIL(part.why);
  }
}

ledger_status net_submit(net *w, const char *action, long secret,
                         const char *pub, long value, const twist *k) {
  tx t = {.kind = TX_CALL, .u.call.action = action};
  ledger_receipt r;
  tx_value arg = {.name = pub, .n = 1};
  memcpy(t.u.call.contract, w->contract, 32);
  if (pub) {
    arg.lane = arena_array(w->a, 1, sizeof *arg.lane);
    mpz_init_set_si(arg.lane[0], value);
    t.u.call.args = (tx_values){&arg, 1};
  }
  /* "by" stands after "%0", as "amount" does */
  if (secret >= 0)
    deposit(w, &t, secret, 1, k);
  ledger_status s = submit(w, &t, &r);
  if (pub)
    mpz_clear(arg.lane[0]);
  w->seq = r.seq;
  return s;
}

void net_wait(net *w) {
  uint64_t after = w->seq;
  w->end = NULL;
  for (int turn = 0; turn < 900; turn++) {
    ledger_record *r;
    uint32_t n;
    if (w->l->ops->watch(w->l, w->a, after, 16, 100, &r, &n) != LEDGER_OK)
      break;
    for (uint32_t i = 0; i < n; i++) {
      after = r[i].seq;
      if (r[i].call == w->seq && r[i].outcome != REC_NOTED) {
        w->end = &r[i];
        return;
      }
    }
  }
  CU_FAIL_FATAL("the call did not end");
}

rec_outcome net_call(net *w, const char *action, long secret, const char *pub,
                     long value) {
  CU_ASSERT_EQUAL_FATAL(net_submit(w, action, secret, pub, value, NULL),
                        LEDGER_OK);
  net_wait(w);
  return w->end->outcome;
}

long net_result(net *w) {
  const tx_value *v = tx_find(&w->end->result, "result");
  return v && v->n == 1 ? mpz_get_si(v->lane[0]) : -1;
}

long net_total(net *w) {
  rec_outcome o = net_call(w, "total", -1, "most", 4000000000);
  if (o != REC_DONE)
    fprintf(stderr, "test: total: %s\n", w->end->why);
  return o == REC_DONE ? net_result(w) : -1;
}

static uint64_t number_after(const char *json, const char *key) {
  const char *p = strstr(json, key);
  return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

void net_settle(net *w) {
  const char *json, *why;
  ledger_answer head = {0};
  ledger_query q = {.kind = READ_HEAD};
  CU_ASSERT_EQUAL_FATAL(w->l->ops->read(w->l, w->a, &q, &head), LEDGER_OK);
  for (unsigned i = 0; i < w->n; i++)
    for (int turn = 0; w->pid[i]; turn++) {
      if (node_status(w->a, "127.0.0.1", w->peer[i].port, &json, &why) &&
          number_after(json, "\"seen\":") >= head.seq)
        break;
      if (turn > 600)
        CU_FAIL_FATAL("a node does not follow the ledger");
      pause_ms(50);
    }
}

uint64_t net_version(net *w, unsigned node, const char *leaf) {
  const char *json, *why = "";
  if (!node_status(w->a, "127.0.0.1", w->peer[node].port, &json, &why)) {
    CU_FAIL(why);
    return 0;
  }
  const char *p = strstr(json, arena_printf(w->a, "\"leaf\":\"%s\"", leaf));
  return p ? number_after(p, "\"version\":") : 0;
}
