/* Circuit files: what is wrong with a text, and random ones against a plain
 * evaluation of the text itself. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frontend/bristol.h"
#include "ir/interp.h"
#include "ir/pass/pass.h"
#include "tests/unit/frontend/checked.h"

/* ---- errors ---- */
static void faults(void) {
  static const struct {
    const char *text;
    uint32_t line, col;
    const char *says;
  } t[] = {
      {"", 1, 1, "no Bristol Fashion"},
      {"hello\n", 1, 1, "no Bristol Fashion"},
      {"1 3 4\n2 1 1\n1 1\n", 1, 1, "no Bristol Fashion"},
      {"1 3\n2 1\n1 1\n2 1 0 1 2 AND\n", 2, 1, "2 inputs, but has fewer"},
      {"1 3\n1 1 1\n1 1\n2 1 0 1 2 AND\n", 2, 1, "1 inputs, but has more"},
      {"1 3\n2 1 0\n1 1\n", 2, 5, "expected the width"},
      {"1 3\n0\n1 1\n", 2, 1, "number of values"},
      {"1 3\n1 99999999\n1 1\n", 2, 3, "more than 2^24 bits"},
      {"1 4294967296\n", 1, 1, "no Bristol Fashion"},
      {"1 1\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 1, 1, "fewer than"},
      {"999 3\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 1, 1, "too short for 999 gates"},
      {"1 999\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 1, 1, "too short for 999 wires"},
      {"1 3\n2 1 1\n1 1\n2 1 0 5 2 AND\n", 4, 7, "there are only 3"},
      {"1 3\n2 1 1\n1 1\n2 1 0 2 2 AND\n", 4, 7, "before anything drives it"},
      {"1 3\n2 1 1\n1 1\n2 1 0 1 1 AND\n", 4, 9, "which is an input"},
      {"1 3\n2 1 1\n1 1\n2 1 0 1 7 AND\n", 4, 9, "there are only 3"},
      {"2 4\n2 1 1\n1 1\n2 1 0 1 2 AND\n2 1 0 1 2 XOR\n", 5, 9,
       "driven twice"},
      {"1 4\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 1, 1, "nothing drives wire 3"},
      {"1 3\n2 1 1\n1 1\n2 1 0 1 2 NAND\n", 4, 11, "no known kind"},
      {"1 3\n2 1 1\n1 1\n1 1 0 1 2 AND\n", 4, 1, "does not have 1 inputs"},
      {"1 3\n2 1 1\n1 1\n2 1 0 1 2 3 AND\n", 4, 11, "more wires than it says"},
      {"1 3\n2 1 1\n1 1\n2 1 0 x 2 AND\n", 4, 7, "number of a wire"},
      {"1 3\n2 1 1\n1 1\nx AND\n", 4, 1, "how many inputs"},
      {"1 2\n1 1\n1 1\n1 1 2 1 EQ\n", 4, 5, "a constant, 0 or 1"},
      {"1 3\n2 1 1\n1 1\n3 2 0 1 0 2 2 MAND\n", 4, 1, "does not have 3"},
      {"2 3\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 5, 1, "ends after 1 of 2"},
      {"0 2\n2 1 1\n1 1\n2 1 0 1 2 AND\n", 4, 1, "one more"},
  };
  for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
    arena *a = arena_new();
    source_set *ss = source_set_new(a);
    diag *dg = diag_new(a, ss);
    source_id id;
    CU_ASSERT_TRUE_FATAL(
        source_add(ss, "c.txt", t[k].text, strlen(t[k].text), &id));
    CU_ASSERT_PTR_NULL(bristol_parse(a, source_get(ss, id), dg));
    CU_ASSERT_EQUAL_FATAL(diag_count(dg), 1);
    const diag_msg *m = diag_get(dg, 0);
    source_pos p = source_at(ss, m->sp.start);
    if (p.line != t[k].line || p.col != t[k].col ||
        !strstr(m->text, t[k].says)) {
      fprintf(stderr, "case %zu: %u:%u: %s\n", k, p.line, p.col, m->text);
      CU_FAIL("another message");
    }
    arena_free(a);
  }
}

static void simplified(void) {
  static const char text[] =
      "9 12\n2 1 2\n1 2\n\n1 1 1 3 EQ\n1 1 0 4 EQ\n2 1 0 3 5 XOR\n"
      "1 1 5 6 INV\n2 1 6 4 7 AND\n2 1 1 3 8 AND\n2 1 8 2 9 AND\r\n"
      "1 1 6 10 EQW\n1 1 9 11 EQW\n";
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  CU_ASSERT_TRUE_FATAL(source_add(ss, "c.txt", text, strlen(text), &id));
  bristol *c = bristol_parse(a, source_get(ss, id), dg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_EQUAL(c->file_gates, 9);
  CU_ASSERT_EQUAL(c->file_ands, 3);
  CU_ASSERT_EQUAL(c->ands, 1); /* constants went through the others */
  CU_ASSERT_EQUAL(c->xors, 0); /* twice inverted is the input */
  CU_ASSERT_EQUAL(c->result[0], BRISTOL_INPUT);
  CU_ASSERT_EQUAL(c->depth, 1);
  arena_free(a);
}

/* ---- random circuits ---- */
static uint64_t state;
static uint32_t below(uint32_t n) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((state >> 33) % n);
}

enum { IN = 9, LANES = 5 };

typedef struct made {
  buf text, gates;
  uint32_t nwire, ngate;
  uint8_t *wire; /* bits of the LANES instances */
} made;

static void gate(made *c, const char *kind, uint32_t a, uint32_t b,
                 uint8_t v) {
  if (b == UINT32_MAX)
    buf_printf(&c->gates, "1 1 %u %u %s\n", a, c->nwire, kind);
  else
    buf_printf(&c->gates, "2 1 %u %u %u %s\n", a, b, c->nwire, kind);
  c->wire[c->nwire++] = v;
  c->ngate++;
}

/* Old wires now and then, so that ways are short and long. */
static uint32_t some(const made *c) {
  uint32_t reach = below(3) ? 12 : c->nwire;
  return c->nwire - 1 - below(reach < c->nwire ? reach : c->nwire);
}

static void mand(made *c) {
  uint32_t k = 1 + below(4), x[8];
  buf_printf(&c->gates, "%u %u", 2 * k, k);
  for (uint32_t j = 0; j < 2 * k; j++)
    buf_printf(&c->gates, " %u", x[j] = some(c));
  for (uint32_t j = 0; j < k; j++) {
    buf_printf(&c->gates, " %u", c->nwire + j);
    c->wire[c->nwire + j] = c->wire[x[j]] & c->wire[x[k + j]];
  }
  buf_puts(&c->gates, " MAND\n");
  c->nwire += k;
  c->ngate++;
}

static made make(uint32_t gates, const uint8_t *in) {
  made c = {.nwire = IN};
  c.wire = calloc(IN + gates * 4 + 1, 1);
  memcpy(c.wire, in, IN);
  uint8_t all = (1 << LANES) - 1;
  while (c.ngate < gates) {
    uint32_t x = some(&c), y = some(&c);
    switch (below(12)) {
    case 0: gate(&c, "INV", x, UINT32_MAX, c.wire[x] ^ all); break;
    case 1: gate(&c, "EQW", x, UINT32_MAX, c.wire[x]); break;
    case 2: mand(&c); break;
    case 3:
      x = below(2);
      if (!below(4)) gate(&c, "EQ", x, UINT32_MAX, x ? all : 0);
      break;
    case 4:
    case 5:
    case 6:
    case 7: gate(&c, "AND", x, y, c.wire[x] & c.wire[y]); break;
    default: gate(&c, "XOR", x, y, c.wire[x] ^ c.wire[y]);
    }
  }
  return c;
}

static void give(ir_interp *x, const ir_module *m, uint32_t leaf,
                 const uint8_t *in, uint32_t width, ir_lanes *l) {
  mpz_t z;
  mpz_init(z);
  ir_type type = ir_ty(DOM_P, KIND_SH, 0, NULL);
  if (!ir_lanes_init(l, width * LANES, ir_lanes_wide(m, &type))) abort();
  for (uint32_t j = 0; j < width * LANES; j++) {
    mpz_set_ui(z, in[j / LANES] >> j % LANES & 1u);
    ir_lanes_set(l, j, z);
  }
  CU_ASSERT_TRUE(ir_interp_input(x, leaf, l));
  mpz_clear(z);
}

/* Outputs of m on the lanes of `in` against the last wires. */
static bool agrees(const ir_module *m, const made *c, const uint8_t *in,
                   uint32_t out) {
  ir_interp *x = ir_interp_new(m, NULL);
  ir_lanes a, b;
  give(x, m, 0, in, 4, &a);
  give(x, m, 1, in + 4, IN - 4, &b);
  bool ok = ir_interp_run(x) == IR_RUN_OK;
  const ir_lanes *r = ok ? ir_interp_output(x, 0) : NULL;
  mpz_t z;
  mpz_init(z);
  for (uint32_t j = 0; r && j < out * LANES; j++) {
    ir_lanes_get(r, j, z);
    ok = ok && mpz_get_ui(z) ==
                   (c->wire[c->nwire - out + j / LANES] >> j % LANES & 1u);
  }
  mpz_clear(z);
  ir_lanes_fini(&a);
  ir_lanes_fini(&b);
  ir_interp_free(x);
  return ok && r;
}

/* A function on the file `name` in /tmp, as text. */
static void write_file(const char *path, const made *c, uint32_t out) {
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fprintf(f, "%u %u\n2 4 %d\n1 %u\n\n", c->ngate, c->nwire, IN - 4, out);
  fwrite(c->gates.p, 1, c->gates.n, f);
  fclose(f);
}

static void random_circuits(void) {
  uint64_t fewer = 0;
  for (uint32_t k = 0; k < 150; k++) {
    state = k + 1;
    uint8_t in[IN];
    for (int j = 0; j < IN; j++) in[j] = (uint8_t)below(1 << LANES);
    made c = make(1 + below(k < 100 ? 60 : 400), in);
    uint32_t out = 1 + below(c.nwire < 12 ? c.nwire : 12);
    char path[] = "/tmp/chi-bristol-XXXXXX", text[400];
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    write_file(path, &c, out);
    snprintf(text, sizeof text,
             "fn g<n>(a: [bool; 4, n], b: [bool; %d, n]) -> [bool; %u, n] = "
             "\"%s\";\n"
             "fn f(a: secret [bool; 4, %d], b: secret [bool; %d, %d]) -> "
             "secret [bool; %u, %d] { return g(a, b); }\n",
             IN - 4, out, path, LANES, IN - 4, LANES, out, LANES);
    checked u = check_text(text);
    CU_ASSERT_TRUE_FATAL(u.ok);
    ir_module *m = fe_lower(u.u, "f", u.a, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_TRUE(ir_verify(m, u.dg));
    CU_ASSERT_TRUE(agrees(m, &c, in, out));
    const sym *s = module_find(u.u->mod[0], "g");
    bristol *b = circuit_of(u.u, s);
    CU_ASSERT_TRUE(b->plan->settled <= b->ands);
    fewer += b->ands - b->plan->settled;
    /* rounds: the depth, and what turns inputs to bits and results back */
    pass_opts o = {.verify = true, .target = {IR_REP3, 3}};
    if (k & 1) o.target = (ir_target){IR_SHAMIR, 5};
    CU_ASSERT_TRUE(pass_run(m, pass_pipeline(2, IR_SCHED), &o, u.dg));
    CU_ASSERT_TRUE(agrees(m, &c, in, out));
    checked_free(&u);
    unlink(path);
    free(c.wire);
    buf_free(&c.text);
    buf_free(&c.gates);
  }
  CU_ASSERT_TRUE(fewer > 0);
}

/* ---- a large file ---- */
enum { LARGE = 1000000, SECONDS = 2 };

/* 256 inputs; gates mostly read what was made lately. */
static void write_large(const char *path) {
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fprintf(f, "%d %d\n2 128 128\n1 128\n\n", LARGE, LARGE + 256);
  state = 7;
  for (uint32_t w = 256; w < LARGE + 256; w++) {
    uint32_t reach = below(50) && w > 20000 ? 20000 : w;
    uint32_t x = w - 1 - below(reach), y = w - 1 - below(reach);
    if (below(20))
      fprintf(f, "2 1 %u %u %u %s\n", x, y, w, below(3) ? "XOR" : "AND");
    else
      fprintf(f, "1 1 %u %u INV\n", x, w);
  }
  fclose(f);
}

static void large(void) {
  char path[] = "/tmp/chi-bristol-XXXXXX", text[400];
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  close(fd);
  write_large(path);
  snprintf(text, sizeof text,
           "fn f(a: secret [bool; 128, 4], b: secret [bool; 128, 4]) -> "
           "secret [bool; 128, 4] = \"%s\";\n", path);
  clock_t begin = clock();
  checked u = check_text(text);
  CU_ASSERT_TRUE_FATAL(u.ok);
  ir_module *m = fe_lower(u.u, "f", u.a, NULL);
  double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT_TRUE(ir_verify(m, u.dg));
  const bristol *b = circuit_of(u.u, module_find(u.u->mod[0], "f"));
  CU_ASSERT_EQUAL(b->file_gates, LARGE);
  CU_ASSERT(m->nvalue < 20 * b->plan->nstep + 100);
  CU_ASSERT(b->plan->rows < LARGE);
  printf("%u gates: %.2f s, %u steps, %u rows, %u ands, %llu settled ", LARGE,
         seconds, b->plan->nstep, b->plan->rows, b->ands,
         (unsigned long long)b->plan->settled);
#if !defined __SANITIZE_ADDRESS__ && defined NDEBUG
  CU_ASSERT(seconds < SECONDS);
#endif
  checked_free(&u);
  unlink(path);
}

/* ---- the declaration ---- */
static void declared(void) {
  static const struct {
    const char *text, *id;
  } t[] = {
      {"fn f(a: [bool; 2], b: [bool; 1]) -> [bool; 1] = \"%s\";", ""},
      {"fn f<n>(a: [bool; 2, n], b: [bool; 1, n]) -> [bool; 1, n] = \"%s\";",
       ""},
      {"fn f(a: [bool; 2], b: [bool; 1]) -> [bool; 1] = \"%s.no\";", "E0270"},
      {"fn f<n>(a: [bool; 2, n]) -> [bool; 1, n] = \"%s.no\";", "E0270"},
      {"fn f(a: [bool; 2]) -> [bool; 1] = \"%s\";", "E0271"},
      {"fn f(a: [bool; 3], b: [bool; 1]) -> [bool; 1] = \"%s\";", "E0271"},
      {"fn f(a: [u1; 2], b: [bool; 1]) -> [bool; 1] = \"%s\";", "E0271"},
      {"fn f(a: [bool; 2], b: bool) -> [bool; 1] = \"%s\";", "E0271"},
      {"fn f(a: [bool; 2, 3], b: [bool; 1, 2]) -> [bool; 1, 3] = \"%s\";",
       "E0271"},
      {"fn f(a: [bool; 2], b: [bool; 1]) -> [bool; 2] = \"%s\";", "E0271"},
      {"fn f(a: [bool; 2], b: [bool; 1]) = \"%s\";", "E0271"},
      {"fn f(a: [bool; 2], b: [bool; 1]) -> ([bool; 1], [bool; 1]) = \"%s\";",
       "E0271"},
      {"fn f<n>(a: [bool; 3, n], b: [bool; 1, n]) -> [bool; 1, n] = \"%s\";",
       "E0271"},
      {"fn f(a: secret [bool; 2], b: [bool; 1]) -> public [bool; 1] = \"%s\";",
       "E0231"},
  };
  char path[] = "/tmp/chi-bristol-XXXXXX", text[400];
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  FILE *f = fdopen(fd, "w");
  fputs("2 5\n2 2 1\n1 1\n2 1 0 1 3 AND\n2 1 3 2 4 XOR\n", f);
  fclose(f);
  for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
    snprintf(text, sizeof text, t[k].text, path);
    checked c = check_text(text);
    if (c.ok != !*t[k].id || (*t[k].id && !has_id(&c, t[k].id))) {
      buf b = {0};
      diag_render_all(c.dg, &b, false);
      fprintf(stderr, "%s\n%.*s", text, (int)b.n, b.p ? b.p : "");
      buf_free(&b);
      CU_FAIL("the declaration is judged otherwise");
    }
    checked_free(&c);
  }
  unlink(path);
}

void suite_bristol(void) {
  CU_pSuite s = CU_add_suite("circuit files", NULL, NULL);
  CU_add_test(s, "faults", faults);
  CU_add_test(s, "simplified", simplified);
  CU_add_test(s, "random circuits", random_circuits);
  CU_add_test(s, "a million gates", large);
  CU_add_test(s, "declarations", declared);
}
