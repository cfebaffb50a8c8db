/* Names, manifests, determinism, both compilers at every level. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/mangle.h"
#include "backend/manifest.h"
#include "ir/pass/pass.h"
#include "kit.h"
#include "random_circuit.h"

/* ---- names ---- */

static void test_mangle(void) {
  static const struct {
    const char *module, *function, *symbol;
  } t[] = {{"study", "means", "chi_study_means"},
           {"std.stats", "mean_of", "chi_std_2stats_mean_of"},
           {"a_b", "c", "chi_a_0b_c"},
           {"a", "b_c", "chi_a_b_c"},
           {"joint-study", "f", "chi_joint_32dstudy_f"},
           {"_a", "f", "chi_0a_f"},
           {"2a", "f", "chi_12a_f"},
           {"-a", "f", "chi_22da_f"},
           {"a", "_f", "chi_a_1f"},
           {"a", "f__g", "chi_a_f_0_0g"},
           {"a", "f_", "chi_a_f_0"},
           {"a", "f_0", "chi_a_f_00"}};
  arena *a = arena_new();
  for (size_t k = 0; k < sizeof t / sizeof *t; k++)
    CU_ASSERT_STRING_EQUAL(mangle_symbol(a, t[k].module, t[k].function),
                           t[k].symbol);
  /* all pairs of short names over a hostile alphabet are distinct, and none
   * has two underscores in a row */
  static const char *const part[] = {"a", "b", "a_", "_a", "a_b", "a__b",
                                     "a_0", "a_1", "a_2b", "__", "b_a", "_",
                                     "_0a"};
  enum { N = sizeof part / sizeof *part };
  char *sym[N * N];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      sym[i * N + j] = mangle_symbol(a, part[i], part[j]);
      CU_ASSERT(strstr(sym[i * N + j], "__") == NULL);
    }
  for (int i = 0; i < N * N; i++)
    for (int j = 0; j < i; j++) CU_ASSERT(strcmp(sym[i], sym[j]) != 0);
  arena_free(a);
}

/* ---- a circuit to describe ---- */

static const char circuit[] =
    "circuit \"f\"\nstage high\nfield 61\n"
    "input \"xs\" \"u32\" \"[100]\" of \"xs\" secret\n"
    "input \"k\" \"u8\" \"\" of \"k\"\n"
    "output \"result\" \"u60\" \"\" of \"result\"\n"
    "output \"kept\" \"u60\" \"\" of \"kept\" secret\n"
    "@body {\n"
    "  %xs: p.sh<0..4294967295>[100] = input \"xs\"\n"
    "  %k: z<0..255> = input \"k\"\n"
    "  %s: p.sh<0..429496729500> = sum %xs inner 100\n"
    "  %e: p<0..255> = enc %k\n"
    "  %t: p.sh<0..109521666022500> = mul %s, %e\n"
    "  %o: p<0..109521666022500> = open %t\n"
    "  %r: z<0..109521666022500> = dec %o\n"
    "  output %r \"result\"\n  output %s \"kept\"\n}\n";

static bool emit(const char *text, arena *a, backend_output *o, buf *why) {
  static const char *const owner[] = {"clinic \"A\"", "everyone"};
  static const backend_fact fact = {.line = 7, .col = 3, .type = "u60",
                                    .lanes = 1, .to = "everybody", .times = 1};
  static const backend_fact often = {.line = 8, .col = 1, .type = "u8",
                                     .lanes = 4, .times = -1,
                                     .file = "std/set.chi",
                                     .call_file = "main.chi", .call_line = 20,
                                     .call_col = 9};
  ir_module *m = kit_module(a, text, pass_pipeline(2, IR_SCHED),
                            (ir_target){IR_REP3, 3}, why);
  if (!m) return false;
  backend_info info = {.module = "unit", .version = "1.2.3", .owner = owner,
                       .opening = &fact, .nopening = 1, .assume = &often,
                       .nassume = 1, .doc = "a */ b\nsecond line"};
  diag *dg = diag_new(a, m->src);
  return backend_find("c")->emit(m, &info, a, dg, o);
}

static void test_deterministic(void) {
  arena *a = arena_new(), *b = arena_new();
  buf why = {0};
  backend_output x = {0}, y = {0};
  CU_ASSERT_FATAL(emit(circuit, a, &x, &why) && emit(circuit, b, &y, &why));
  for (uint32_t k = 0; k < x.npart; k++)
    CU_ASSERT(x.part[k].text.n == y.part[k].text.n &&
              !memcmp(x.part[k].text.p, y.part[k].text.p, x.part[k].text.n));
  CU_ASSERT(strstr(x.part[0].text.p, "/tmp") == NULL);
  backend_output_free(&x);
  backend_output_free(&y);
  arena_free(a);
  arena_free(b);
}

/* ---- the manifest ---- */

static manifest *parse(arena *a, const char *text, size_t n, diag **dg) {
  *dg = diag_new(a, source_set_new(a));
  return manifest_parse(a, "m.json", text, n, *dg);
}

static void test_manifest(void) {
  arena *a = arena_new();
  buf why = {0};
  backend_output o = {0};
  CU_ASSERT_FATAL(emit(circuit, a, &o, &why));
  diag *dg;
  manifest *m = parse(a, o.part[2].text.p, o.part[2].text.n, &dg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT_STRING_EQUAL(m->symbol, "chi_unit_f");
  CU_ASSERT_STRING_EQUAL(m->field, "2305843009213693951");
  CU_ASSERT_EQUAL(m->ninput, 2);
  CU_ASSERT_STRING_EQUAL(m->input[0].owner, "clinic \"A\"");
  CU_ASSERT_EQUAL(m->input[0].lanes, 100);
  CU_ASSERT(m->input[0].secret && !m->input[1].secret);
  CU_ASSERT_STRING_EQUAL(m->input[1].hi, "255");
  CU_ASSERT_STRING_EQUAL(m->output[0].to, "everybody");
  CU_ASSERT_STRING_EQUAL(m->output[1].to, "nodes");
  CU_ASSERT_EQUAL(m->nopening, 1);
  CU_ASSERT_EQUAL(m->opening[0].line, 7);
  CU_ASSERT_PTR_NULL(m->opening[0].file);
  CU_ASSERT_EQUAL(m->assume[0].times, -1);
  CU_ASSERT_STRING_EQUAL(m->assume[0].file, "std/set.chi");
  CU_ASSERT_STRING_EQUAL(m->assume[0].call_file, "main.chi");
  CU_ASSERT_EQUAL(m->assume[0].call_line, 20);
  CU_ASSERT_EQUAL(m->assume[0].call_col, 9);
  CU_ASSERT_EQUAL_FATAL(m->ncost, 4);
  /* one opening of one lane: rep3 8 + 16 bytes, shamir 8 (n - 1) */
  CU_ASSERT_EQUAL(m->cost[0].rounds, 1);
  CU_ASSERT_EQUAL(m->cost[0].bytes[0], 24);
  CU_ASSERT_EQUAL(m->cost[3].nodes, 7);
  CU_ASSERT_EQUAL(m->cost[3].bytes[6], 48);
  CU_ASSERT(m->cost[3].exact);
  /* cut anywhere: refused with one report, never more */
  size_t n = o.part[2].text.n;
  for (size_t cut = 0; cut + 2 < n; cut += 37) {
    arena *b = arena_new();
    CU_ASSERT(parse(b, o.part[2].text.p, cut, &dg) == NULL);
    CU_ASSERT_EQUAL(diag_errors(dg), 1);
    arena_free(b);
  }
  backend_output_free(&o);
  arena_free(a);
}

/* A bound circuit's papers name its nodes. */
static const char bound[] =
    "circuit \"f\"\nstage sched\nfield 61\ntarget rep3 3\n"
    "input \"x\" \"field\" \"\" of \"x\" secret\n"
    "output \"r\" \"bool\" \"[3]\" of \"result\"\n"
    "@body {\n"
    "  %x: p.sh = input \"x\"\n"
    "  %a: b.sh, %b: b.sh, %c: b.sh = split %x bits 1\n"
    "  %t: b.sh[3] = concat %a, %b, %c\n"
    "  %o: b[3] = open %t round 1\n"
    "  %r: z<0..1>[3] = pack %o bits 1\n"
    "  output %r \"r\"\n}\n";

static bool emit_bound(arena *a, backend_output *o, buf *why) {
  ir_module *m = kit_module(a, bound, NULL, (ir_target){0}, why);
  return m && backend_find("c")->emit(m, NULL, a, diag_new(a, m->src), o);
}

static void test_bound(void) {
  arena *a = arena_new();
  buf why = {0};
  backend_output o = {0};
  CU_ASSERT_FATAL(emit_bound(a, &o, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(o.part[0].text.p, "run, {CHI_REP3, 3}, 1,"));
  CU_ASSERT_PTR_NOT_NULL(strstr(o.part[1].text.p, "for 3 nodes of rep3 and no"));
  diag *dg;
  manifest *m = parse(a, o.part[2].text.p, o.part[2].text.n, &dg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CU_ASSERT_STRING_EQUAL(m->protocol, "rep3");
  CU_ASSERT(m->nodes == 3 && m->ncost == 1);
  CU_ASSERT_EQUAL(m->cost[0].bytes[2], 1 + 16); /* three bits and the tag */
  static const struct {
    const char *from, *to;
  } bad[] = {{"\"protocol\": \"rep3\"", "\"protocol\": \"rep4\""},
             {"\"nodes\": 3", "\"nodes\": 2"},
             {"\"nodes\": 3", "\"nodes\": \"3\""}};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    const char *text = o.part[2].text.p;
    const char *at = strstr(strstr(text, "\"target\""), bad[k].from);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    buf b = {0};
    buf_write(&b, text, (size_t)(at - text));
    buf_puts(&b, bad[k].to);
    buf_puts(&b, at + strlen(bad[k].from));
    CU_ASSERT(parse(a, b.p, b.n, &dg) == NULL);
    CU_ASSERT_STRING_EQUAL(diag_table[diag_get(dg, 0)->id].id, "E0611");
    buf_free(&b);
  }
  backend_output_free(&o);
  arena_free(a);
}

/* Other nodes do not even make a session. */
static void test_refused(void) {
  static const struct {
    chi_protocol protocol;
    unsigned n;
    bool fits;
  } t[] = {{CHI_REP3, 3, true}, {CHI_SHAMIR, 3, false}, {CHI_SHAMIR, 5, false}};
  arena *a = arena_new();
  buf why = {0};
  ir_module *m = kit_module(a, bound, NULL, (ir_target){0}, &why);
  kit_program *p = m ? kit_compile(m, NULL, &why) : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  ir_lanes *in = kit_inputs(m, a, 1);
  for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
    kit_result r;
    bool ran = kit_run(p, m, t[k].protocol, t[k].n, in, &r, &why) &&
               r.status == CHI_OK;
    CU_ASSERT_EQUAL(ran, t[k].fits);
    CU_ASSERT(ran || r.status == CHI_E_ARG || why.n > 0);
    kit_result_fini(&r);
    buf_reset(&why);
  }
  kit_free(p);
  buf_free(&why);
  arena_free(a);
}

/* Replaces the first `from` of the good manifest. */
static void test_malformed(void) {
  static const struct {
    const char *from, *to, *id;
  } t[] = {{"\"format\": 1", "\"format\": 99", "E0612"},
           {"\"format\": 1", "\"format\": \"1\"", "E0611"},
           {"\"symbol\": \"chi_unit_f\"", "\"symbol\": \"system\"", "E0611"},
           {"\"symbol\": \"chi_unit_f\"", "\"symbol\": \"chi_a;b\"", "E0611"},
           {"\"lanes\": 100", "\"lanes\": 0", "E0611"},
           {"\"lanes\": 100", "\"lanes\": -1", "E0611"},
           {"\"lanes\": 100", "\"lanes\": 1e3", "E0611"},
           {"\"lanes\": 100", "\"lanes\": 99999999999999999999", "E0610"},
           {"\"hi\": \"4294967295\"", "\"hi\": \"-1\"", "E0611"},
           {"\"hi\": \"4294967295\"", "\"hi\": null", "E0611"},
           {"\"hi\": \"4294967295\"", "\"hi\": \"0x1\"", "E0611"},
           {"\"nodes\": 3", "\"nodes\": 2", "E0611"},
           {"\"nodes\": 3", "\"nodes\": 65", "E0611"},
           {"\"rep3\"", "\"rep4\"", "E0611"},
           {"\"secret\": true", "\"secret\": 1", "E0611"},
           {"\"inputs\"", "\"imputs\"", "E0611"},
           {"\"name\": \"f\"", "\"name\": \"f\", \"name\": \"g\"", "E0610"},
           {"\"circuit_hash\": \"", "\"circuit_hash\": \"zz", "E0611"}};
  arena *a = arena_new();
  buf why = {0};
  backend_output o = {0};
  CU_ASSERT_FATAL(emit(circuit, a, &o, &why));
  for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
    const char *text = o.part[2].text.p, *at = strstr(text, t[k].from);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    buf b = {0};
    buf_write(&b, text, (size_t)(at - text));
    buf_puts(&b, t[k].to);
    buf_puts(&b, at + strlen(t[k].from));
    diag *dg;
    CU_ASSERT(parse(a, b.p, b.n, &dg) == NULL);
    CU_ASSERT_EQUAL_FATAL(diag_count(dg), 1);
    CU_ASSERT_STRING_EQUAL(diag_table[diag_get(dg, 0)->id].id, t[k].id);
    buf_free(&b);
  }
  backend_output_free(&o);
  arena_free(a);
}

/* ---- compilers ---- */

static void try_compiler(const char *cc, int level, chi_protocol protocol,
                         unsigned n) {
  arena *a = arena_new();
  buf why = {0};
  diag *dg = diag_new(a, source_set_new(a));
  ir_module *m = random_circuit(a, 77 + (uint64_t)level);
  pass_opts o = {.target = kit_target(protocol, n)};
  CU_ASSERT_FATAL(pass_run(m, pass_pipeline(level, IR_SCHED), &o, dg));
  kit_build b = {.cc = cc,
                 .flags = arena_printf(a, "-O%d -Wall -Wextra -Wpedantic "
                                          "-Werror -Wshadow", level)};
  kit_program *p = kit_compile(m, &b, &why);
  bool ok = p && kit_compare(p, m, protocol, n, kit_inputs(m, a, 5), &why);
  CU_ASSERT(ok);
  if (!ok) fprintf(stderr, "\n%s -O%d: %s\n", cc, level, why.p);
  kit_free(p);
  buf_free(&why);
  arena_free(a);
}

static void test_compilers(void) {
  static const char *const cc[] = {"gcc", "clang"};
  for (int c = 0; c < 2; c++)
    for (int level = 0; level <= 3; level++) {
      try_compiler(cc[c], level, CHI_REP3, 3);
      try_compiler(cc[c], level, CHI_SHAMIR, 5);
    }
}

/* A loop of 10 and of 10,000,000 turns: the same code but for the numbers. */
static void test_size(void) {
  size_t n[2];
  for (int k = 0; k < 2; k++) {
    long turns = k ? 10000000 : 10;
    arena *a = arena_new();
    buf why = {0};
    char *text = arena_printf(
        a,
        "circuit \"f\"\nstage high\nfield 61\n"
        "input \"x\" \"field\" \"[%ld]\" of \"x\" secret\n"
        "output \"r\" \"field\" \"\" of \"r\" secret\n@body {\n"
        "  %%x: p.sh[%ld] = input \"x\"\n  %%z: p<0..0> = const 0\n"
        "  %%h: p.sh = hide %%z\n  %%n: z<%ld..%ld> = const %ld\n"
        "  %%s: p.sh = for %%n, %%h @turn(%%i: z<0..%ld>, %%a: p.sh) {\n"
        "    %%g: p.sh = get %%x, %%i [1:1]\n    %%t: p.sh = mul %%g, %%g\n"
        "    %%b: p.sh = add %%a, %%t\n    yield %%b\n  }\n"
        "  output %%s \"r\"\n}\n",
        turns, turns, turns, turns, turns, turns - 1);
    backend_output o = {0};
    bool ok = emit(text, a, &o, &why);
    CU_ASSERT(ok);
    if (!ok) fprintf(stderr, "\n%s\n", why.p);
    n[k] = ok ? o.part[0].text.n : 0;
    if (ok) backend_output_free(&o);
    arena_free(a);
  }
  CU_ASSERT(n[1] > 0 && n[1] * 10 <= n[0] * 11);
}

int main(void) {
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  CU_pSuite s = CU_add_suite("backend", NULL, NULL);
  CU_add_test(s, "symbols are injective", test_mangle);
  CU_add_test(s, "equal circuits, equal bytes", test_deterministic);
  CU_add_test(s, "a manifest reads back", test_manifest);
  CU_add_test(s, "a malformed one does not", test_malformed);
  CU_add_test(s, "a bound circuit says for whom it is", test_bound);
  CU_add_test(s, "others do not run it", test_refused);
  CU_add_test(s, "gcc and clang, -O0 to -O3", test_compilers);
  CU_add_test(s, "size without trip counts", test_size);
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
