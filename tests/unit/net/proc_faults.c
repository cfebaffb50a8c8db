/* Nodes as processes over TLS, one of which misbehaves in each round of a run
 * in every way of evil.h.  The others must come back in bounded time with a
 * status that names it, and without any output. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evil.h"
#include "mesh.h"
#include "small_program.h"

/* Long against what a busy machine does to a process, short enough to wait. */
#define SILENCE_MS 1000

typedef struct report {
  chi_status status;
  int culprit, outputs, right;
  double seconds;
  char detail[256];
} report;

typedef struct scene {
  chi_protocol protocol;
  unsigned n, evil, at;
  evil_mode mode;
  mesh m;
  uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  uint8_t session_id[32];
  uint8_t *blob[CHI_PARTIES_MAX];
  size_t blob_bytes[CHI_PARTIES_MAX];
  volatile evil_log *log; /* shared with the processes */
} scene;

static void scene_open(scene *c, chi_protocol protocol, unsigned n) {
  static int64_t w[SMALL_LANES];
  memset(c, 0, sizeof *c);
  c->protocol = protocol;
  c->n = n;
  mesh_open(&c->m, n);
  void *shared = mmap(NULL, sizeof *c->log, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CU_ASSERT_FATAL(shared != MAP_FAILED);
  c->log = shared;
  chi_client_run run = {protocol, n, (const uint8_t(*)[CHI_KEY_BYTES])c->key,
                        {0}, {0, 0, 0}};
  for (unsigned i = 0; i < n; i++) {
    memcpy(c->key[i], c->m.party[i].key, CHI_KEY_BYTES);
    c->blob_bytes[i] = chi_client_blob_bytes(&run, i, SMALL_LANES);
    c->blob[i] = malloc(c->blob_bytes[i]);
  }
  for (int k = 0; k < 32; k++) c->session_id[k] = (uint8_t)(k + 1);
  memcpy(run.session_id, c->session_id, 32);
  for (unsigned l = 0; l < SMALL_LANES; l++) w[l] = small_w(l);
  CU_ASSERT_EQUAL_FATAL(chi_client_share(c->blob, &run, 2, w, SMALL_LANES),
                        CHI_OK);
}

static void scene_close(scene *c) {
  (void)munmap((void *)(uintptr_t)c->log, sizeof *c->log);
  for (unsigned i = 0; i < c->n; i++) free(c->blob[i]);
  mesh_close(&c->m);
}

static chi_status give_inputs(const scene *c, chi_session *s, unsigned me) {
  static int64_t x[SMALL_LANES], y[SMALL_LANES];
  for (unsigned l = 0; l < SMALL_LANES; l++) {
    x[l] = small_x(l);
    y[l] = small_y(l);
  }
  chi_status st =
      chi_session_input_node(s, 0, 0, me == 0 ? x : NULL, SMALL_LANES);
  if (!st) {
    st = chi_session_input_node(s, 1, 1, me == 1 ? y : NULL, SMALL_LANES);
  }
  if (!st) {
    st = chi_session_input_sealed(s, 2, c->blob[me], c->blob_bytes[me]);
  }
  return st;
}

/* A node's life: fills in what happened. */
static void node(const scene *c, unsigned me, report *r) {
  chi_transport t;
  const chi_tls_config tls = {.me = me,
                              .n = c->n,
                              .identity = c->m.id[me],
                              .party = c->m.party,
                              .listen_fd = c->m.listen_fd[me],
                              .deadline_ms = 10000};
  r->status = chi_tls_connect(&t, r->detail, sizeof r->detail, &tls);
  if (r->status) return;
  uint64_t from = mesh_now_ns();
  int evil = me == c->evil;
  if (evil) t = evil_wrap(&t, c->n, c->mode, c->at, c->log);
  chi_session_config cfg = {
      .protocol = c->protocol,
      .n = c->n,
      .me = me,
      .party_key = (const uint8_t(*)[CHI_KEY_BYTES])c->key,
      .identity = c->m.id[me],
      .deadline_ms = SILENCE_MS};
  memcpy(cfg.session_id, c->session_id, 32);
  const chi_program *p =
      evil && c->mode == EVIL_OTHER_CIRCUIT ? &small_other : &small_program;
  chi_session *s = NULL;
  r->status = chi_session_new(&s, &t, &cfg, p);
  if (!r->status) r->status = give_inputs(c, s, me);
  if (!r->status) r->status = chi_session_start(s);
  if (!r->status) r->status = chi_session_run(s);
  r->seconds = (double)(mesh_now_ns() - from) / 1e9;
  if (!s) return;
  r->culprit = chi_session_culprit(s);
  (void)snprintf(r->detail, sizeof r->detail, "%s", chi_session_detail(s));
  if (r->status) {
    /* Sticky, and nothing to be had. */
    static int64_t values[SMALL_LANES];
    for (uint32_t k = 0; k < 2; k++) {
      if (chi_session_output(s, k, values, SMALL_LANES) != r->status) {
        r->outputs = 1;
      }
    }
    for (unsigned l = 0; l < SMALL_LANES; l++) r->outputs |= values[l] != 0;
    if (chi_session_run(s) != r->status) r->outputs = 1;
  } else {
    r->right = small_right(s);
  }
  chi_session_free(s);
}

/* Reads until r is whole or `until` has passed; false: no report. */
static int read_report(int fd, report *r, uint64_t until) {
  size_t got = 0;
  while (got < sizeof *r) {
    uint64_t now = mesh_now_ns();
    struct pollfd p = {fd, POLLIN, 0};
    if (now >= until || poll(&p, 1, (int)((until - now) / 1000000) + 1) < 1) {
      return 0;
    }
    ssize_t k = read(fd, (char *)r + got, sizeof *r - got);
    if (k == 0 || (k < 0 && errno != EINTR)) return 0;
    if (k > 0) got += (size_t)k;
  }
  return 1;
}

/* Runs the scene; have[i] tells whether node i reported. */
static void act(const scene *c, report *r, int *have) {
  pid_t pid[CHI_PARTIES_MAX];
  int fd[CHI_PARTIES_MAX][2];
  (void)fflush(NULL);
  c->log->rounds = 0;
  c->log->done = 0;
  for (unsigned i = 0; i < c->n; i++) {
    CU_ASSERT_FATAL(!pipe(fd[i]));
    pid[i] = fork();
    CU_ASSERT_FATAL(pid[i] >= 0);
    if (pid[i] == 0) {
      report mine;
      memset(&mine, 0, sizeof mine);
      mine.culprit = -1;
      node(c, i, &mine);
      _exit(write(fd[i][1], &mine, sizeof mine) != sizeof mine);
    }
    close(fd[i][1]);
  }
  uint64_t until = mesh_now_ns() + UINT64_C(12000000000);
  for (unsigned k = 0; k <= c->n; k++) { /* the culprit last */
    unsigned i = k < c->n ? k : c->evil;
    if (k < c->n && i == c->evil) continue;
    memset(&r[i], 0, sizeof r[i]);
    have[i] = read_report(fd[i][0], &r[i],
                          i == c->evil && c->mode != EVIL_HONEST
                              ? mesh_now_ns() + 1000000
                              : until);
  }
  for (unsigned i = 0; i < c->n; i++) {
    int status;
    (void)kill(pid[i], SIGKILL);
    CU_ASSERT(waitpid(pid[i], &status, 0) == pid[i]);
    close(fd[i][0]);
  }
}

/* hard: never to happen.  soft: who is named, and when, hangs on time; on a
 * machine that is busy with other things a scene may be played again. */
static unsigned hard, soft;

static void complain(const scene *c, unsigned i, const report *r,
                     unsigned *count, const char *what) {
  (void)fprintf(stderr, "%s n=%u, party %u %s in round %u: party %u %s: %s %s"
                " (culprit %d, %.2f s)\n",
                chi_protocol_name(c->protocol), c->n, c->evil,
                evil_name(c->mode), c->at, i, what, chi_status_name(r->status),
                r->detail, r->culprit, r->seconds);
  ++*count;
}

/* One misbehaviour; `last`: nothing is due after this round.  1 if it could
 * take place. */
static int play(scene *c, int last) {
  report r[CHI_PARTIES_MAX];
  int have[CHI_PARTIES_MAX];
  char name[16];
  act(c, r, have);
  int done = c->log->done || c->mode == EVIL_OTHER_CIRCUIT;
  (void)snprintf(name, sizeof name, "party %u", c->evil);
  for (unsigned i = 0; i < c->n; i++) {
    if (i == c->evil) continue;
    if (!have[i]) {
      complain(c, i, &r[i], &hard, "did not come back");
      continue;
    }
    if (r[i].seconds > 5) complain(c, i, &r[i], &soft, "took long");
    if (!r[i].status) {
      /* It may have had nothing to say in that round; too much after the last
       * word disturbs nobody. */
      if (done && !(last && c->mode == EVIL_DOUBLED)) {
        complain(c, i, &r[i], &hard, "noticed nothing");
      } else if (!r[i].right) {
        complain(c, i, &r[i], &hard, "has a wrong result");
      }
      continue;
    }
    if (r[i].outputs) complain(c, i, &r[i], &hard, "gave output");
    if (c->mode == EVIL_NONCANONICAL) {
      /* In set-up these bytes are tags and hashes: a check fails, and may see
       * no more than a pair in dispute. */
      if (r[i].culprit >= 0 && r[i].culprit != (int)c->evil && last) {
        complain(c, i, &r[i], &soft, "names another");
      }
      continue;
    }
    if (r[i].culprit != (int)c->evil) complain(c, i, &r[i], &soft, "names another");
    if (!strstr(r[i].detail, name)) complain(c, i, &r[i], &soft, "does not say who");
    chi_status want = c->mode == EVIL_OTHER_CIRCUIT ? CHI_E_DISAGREE : CHI_OK;
    if (want && r[i].status != want && r[i].status != CHI_E_PEER_LOST) {
      complain(c, i, &r[i], &soft, "has another status");
    }
  }
  return done;
}

/* Who is named first depends on which node the scheduler lets speak first. */
static int one(scene *c, int last) {
  unsigned before = soft;
  int done = play(c, last);
  for (int again = 0; again < 2 && soft != before; again++) {
    soft = before;
    done = play(c, last);
  }
  return done;
}

static void sweep(chi_protocol protocol, unsigned n) {
  scene c;
  report r[CHI_PARTIES_MAX];
  int have[CHI_PARTIES_MAX];
  scene_open(&c, protocol, n);
  c.mode = EVIL_HONEST;
  c.at = 0;
  act(&c, r, have);
  for (unsigned i = 0; i < n; i++) {
    CU_ASSERT(have[i] && !r[i].status && r[i].right);
    if (!have[i] || r[i].status) complain(&c, i, &r[i], &hard, "fails in peace");
  }
  unsigned rounds = c.log->rounds, turn = 0, deeds = 0;
  CU_ASSERT(rounds >= 5);
  for (c.mode = EVIL_KILLED; c.mode < EVIL_COUNT; c.mode++) {
    for (c.at = 1; c.at <= rounds; c.at++) {
      if (c.mode == EVIL_OTHER_CIRCUIT && c.at > 1) break;
      if (c.mode == EVIL_REPLAYED && c.at == 1) continue;
      /* Silences last; they share the rounds between them. */
      if (c.mode == EVIL_STOPPED && c.at % 2 == 0) continue;
      if (c.mode == EVIL_TRUNCATED && c.at % 2 == 1) continue;
      /* Every node has its turn as the villain. */
      c.evil = turn++ % n;
      deeds += (unsigned)one(&c, c.at == rounds);
    }
  }
  (void)printf("%s n=%u: %u misdeeds in %u rounds ",
               chi_protocol_name(protocol), n, deeds, rounds);
  CU_ASSERT(deeds > 5 * rounds);
  CU_ASSERT_EQUAL(hard, 0);
  CU_ASSERT_EQUAL(soft, 0);
  scene_close(&c);
}

static void test_rep3(void) { sweep(CHI_REP3, 3); }
static void test_shamir_3(void) { sweep(CHI_SHAMIR, 3); }
static void test_shamir_6(void) { sweep(CHI_SHAMIR, 6); }

int main(void) {
  if (CU_initialize_registry()) return 2;
  CU_pSuite f = CU_add_suite("faulty processes", NULL, NULL);
  CU_ADD_TEST(f, test_rep3);
  CU_ADD_TEST(f, test_shamir_3);
  CU_ADD_TEST(f, test_shamir_6);
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
