/* How fast the runtime's core is: field, streams, products of both protocols
 * over the in-memory transport.  Prints a table, or JSON with --json. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session.h"

typedef struct row {
  const char *name, *unit;
  double value;
} row;

static row rows[32];
static unsigned n_rows;

static void report(const char *name, double value, const char *unit) {
  rows[n_rows++] = (row){name, unit, value};
}

/* Processor time of this thread, for work on one core. */
static double cpu(void) {
  struct timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

enum { N = 4096, ROUNDS = 20000 };
static uint64_t va[N], vb[N], vc[N];
static volatile uint64_t sink;
static chii_field own;

static void bench_field(void) {
  for (int i = 0; i < N; i++) {
    va[i] = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) % CHI_P;
    vb[i] = (uint64_t)i * UINT64_C(0x94d049bb133111eb) % CHI_P;
  }
  double t = cpu();
  for (int r = 0; r < ROUNDS; r++) {
    for (int i = 0; i < N; i++)
      vc[i] = chi_f_mul(va[i], vb[i]);
    sink = vc[r % N];
  }
  report("field product", (cpu() - t) / N / ROUNDS * 1e9, "ns");
  t = cpu();
  uint64_t sum = 0;
  for (int r = 0; r < ROUNDS; r++)
    for (int i = 0; i < N; i += CHI_ACC_UNITS) {
      chi_acc z = chi_acc_zero();
      for (int j = 0; j < CHI_ACC_UNITS; j++)
        z = chi_acc_mul(z, va[i + j], vb[i + j]);
      sum = chi_f_add(sum, chi_acc_fold(z));
    }
  sink = sum;
  report("product in a dot", (cpu() - t) / N / ROUNDS * 1e9, "ns");
  t = cpu();
  for (int r = 0; r < ROUNDS; r++) {
    for (int i = 0; i < N; i++)
      vc[i] = chi_pr_mul(CHI_GEN_REP3, (chi_sh){va[i], vb[i]},
                         (chi_sh){vb[i], va[i]});
    sink = vc[r % N];
  }
  report("rep3 local product", (cpu() - t) / N / ROUNDS * 1e9, "ns");
}

static void bench_prg(void) {
  chii_prg g;
  uint8_t key[32] = {1};
  memset(&g, 0, sizeof g);
  if (!chii_prg_init(&g, key, 0, 1, CHII_REDUCE))
    abort();
  double t = cpu();
  for (int r = 0; r < ROUNDS; r++)
    if (!chii_prg_fill(&own, &g, vc, (uint64_t)r * N, N))
      abort();
  t = cpu() - t;
  report("stream of elements", 8.0 * N * ROUNDS / t * 1e-9, "GB/s");
  report("stream of elements", t / N / ROUNDS * 1e9, "ns/element");
  chii_prg_fini(&g);
}

/* ---- products in memory ---- */

typedef struct job {
  chi_transport tr;
  chi_protocol protocol;
  unsigned n, me;
  uint64_t lanes, turns;
  pthread_t thread;
  double s, cpu; /* of all turns but the first */
} job;

static void *work(void *arg) {
  job *j = arg;
  static const uint8_t keys[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  chi_session_config cfg = {.protocol = j->protocol, .n = j->n, .me = j->me,
                            .party_key = keys, .vec_words = 6 * j->lanes};
  chi_session *s;
  chi_vec a, b, c;
  if (chi_session_new(&s, &j->tr, &cfg, NULL) || chi_session_start(s) ||
      chi_vec_new(s, &a, j->lanes) || chi_vec_new(s, &b, j->lanes) ||
      chi_vec_new(s, &c, j->lanes))
    abort();
  for (uint64_t r = 0; r <= j->turns; r++) {
    if (r == 1) { /* the first turn warms up */
      j->s = (double)chii_now_ns() * 1e-9;
      j->cpu = cpu();
    }
    if (chi_mul(s, c, a, b) || chi_exchange(s))
      abort();
  }
  j->s = (double)chii_now_ns() * 1e-9 - j->s;
  j->cpu = cpu() - j->cpu;
  chi_session_free(s);
  return NULL;
}

static void bench_products(chi_protocol protocol, unsigned n, uint64_t lanes,
                           uint64_t turns, const char *name,
                           const char *core) {
  job j[CHI_PARTIES_MAX];
  chi_transport tr[CHI_PARTIES_MAX];
  double longest = 0, sum = 0;
  if (chi_mem_new(tr, n))
    abort();
  for (unsigned i = 0; i < n; i++) {
    j[i] = (job){.tr = tr[i], .protocol = protocol, .n = n, .me = i,
                 .lanes = lanes, .turns = turns};
    if (pthread_create(&j[i].thread, NULL, work, &j[i]))
      abort();
  }
  for (unsigned i = 0; i < n; i++) {
    pthread_join(j[i].thread, NULL);
    if (j[i].s > longest)
      longest = j[i].s;
    sum += j[i].cpu;
  }
  report(name, (double)(lanes * turns) / longest * 1e-6, "million/s");
  report(core, sum / n / (double)(lanes * turns) * 1e9, "ns");
}

/* The local part of a rep3 product through the table of each kind of field. */
static void bench_fields(void) {
  enum { LANES = 1024, WORDS = 4 };
  static const uint64_t p[WORDS] = {UINT64_MAX - 18, UINT64_MAX, UINT64_MAX,
                                    UINT64_MAX >> 1};
  static const struct {
    const char *name;
    chi_field field;
    int turns;
  } kind[] = {{"rep3 local product, 2^61 - 1", {0, 0, NULL}, 20000},
              {"rep3 local product, 2^127 - 1", {127, 2, NULL}, 10000},
              {"rep3 local product, 2^255 - 19", {0, WORDS, p}, 500}};
  static uint64_t x[2 * LANES * WORDS], y[2 * LANES * WORDS],
      z[LANES * WORDS];
  for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
    chii_field f;
    if (chii_field_of(&f, &kind[k].field, true))
      abort();
    for (uint64_t i = 0; i < 2 * LANES * f.words; i++)
      x[i] = y[i] = i * UINT64_C(0x9e3779b97f4a7c15) >> 3;
    memset(z, 0, sizeof z);
    double t = cpu();
    for (int r = 0; r < kind[k].turns; r++)
      f.op->products(&f, z, x, y, LANES, LANES);
    sink = z[0];
    report(kind[k].name, (cpu() - t) / LANES / kind[k].turns * 1e9, "ns");
  }
}

/* One node's work on a rep3 product without its network: masks and product. */
static void bench_rep3_node(void) {
  chii_prg g[2];
  uint8_t key[2][32] = {{1}, {2}};
  static uint64_t x[2 * N], y[2 * N], mask[1024];
  memset(g, 0, sizeof g);
  if (!chii_prg_init(&g[0], key[0], 0, 1, CHII_REDUCE) ||
      !chii_prg_init(&g[1], key[1], 1, 2, CHII_REDUCE))
    abort();
  for (uint64_t i = 0; i < 2 * N; i++) /* or all pages are one page of zeros */
    x[i] = y[i] = i * UINT64_C(0x9e3779b97f4a7c15) % CHI_P;
  double t = cpu();
  for (int r = 0; r < ROUNDS / 2; r++) {
    for (int at = 0; at < N; at += 1024) {
      uint64_t index = (uint64_t)r * N + (uint64_t)at;
      if (!chii_prg_fill(&own, &g[0], vc + at, index, 1024) ||
          !chii_prg_fill(&own, &g[1], mask, index, 1024))
        abort();
      chii_sub(&own, vc + at, vc + at, mask, 1024);
    }
    for (int i = 0; i < N; i++)
      vc[i] = chi_f_add(vc[i], chi_pr_mul(CHI_GEN_REP3,
                                          chi_sh_ld(CHI_GEN_REP3, x, N,
                                                    (uint64_t)i),
                                          chi_sh_ld(CHI_GEN_REP3, y, N,
                                                    (uint64_t)i)));
    sink = vc[r % N];
  }
  report("rep3 product, masks included, one core",
         (cpu() - t) / N / (ROUNDS / 2) * 1e9, "ns");
  chii_prg_fini(&g[0]);
  chii_prg_fini(&g[1]);
}

int main(int argc, char **argv) {
  if (chii_field_of(&own, &(chi_field){0, 0, NULL}, false))
    abort();
  bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
  bench_field();
  bench_prg();
  bench_fields();
  bench_rep3_node();
  bench_products(CHI_REP3, 3, 1000000, 10, "rep3 products, 3 threads",
                 "  of it, a node's core and product");
  bench_products(CHI_SHAMIR, 3, 300000, 5, "shamir products, n = 3",
                 "  of it, a node's core and product");
  bench_products(CHI_SHAMIR, 5, 300000, 5, "shamir products, n = 5",
                 "  of it, a node's core and product");
  bench_products(CHI_SHAMIR, 7, 200000, 3, "shamir products, n = 7",
                 "  of it, a node's core and product");
  bench_products(CHI_SHAMIR, 21, 50000, 2, "shamir products, n = 21",
                 "  of it, a node's core and product");
  if (json)
    printf("[");
  for (unsigned i = 0; i < n_rows; i++)
    if (json)
      printf("%s{\"name\":\"%s\",\"value\":%.4g,\"unit\":\"%s\"}",
             i ? "," : "", rows[i].name, rows[i].value, rows[i].unit);
    else
      printf("%-40s %10.3f %s\n", rows[i].name, rows[i].value, rows[i].unit);
  if (json)
    printf("]\n");
  return 0;
}
