/* Every circuit of a directory: text, passes, C, nodes, interpreter. */
#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/pass/pass.h"
#include "kit.h"

static const char *dir;
static const char *only;

static char *read_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  buf b = {0};
  char block[4096];
  size_t n;
  while ((n = fread(block, 1, sizeof block, f)) > 0) buf_write(&b, block, n);
  fclose(f);
  return b.p;
}

static void report(const char *file, const char *what, buf *why) {
  fprintf(stderr, "\n%s: %s: %s\n", file, what, why->p ? why->p : "");
  buf_reset(why);
}

typedef struct config {
  chi_protocol protocol;
  unsigned n;
} config;

static const config configs[] = {{CHI_REP3, 3}, {CHI_SHAMIR, 3},
                                 {CHI_SHAMIR, 4}, {CHI_SHAMIR, 5},
                                 {CHI_SHAMIR, 7}};

typedef struct built {
  ir_module *m;
  kit_program *p;
} built;

static const char *pipeline(const char *text, int level) {
  if (strstr(text, "stage high")) return pass_pipeline(level, IR_SCHED);
  return strstr(text, "stage core") ? "sched" : NULL;
}

static bool build(arena *a, const char *file, const char *text, int level,
                  ir_target t, built *b) {
  buf why = {0};
  kit_build how = {.keep = getenv("KIT_KEEP")};
  b->m = kit_module(a, text, pipeline(text, level), t, &why);
  b->p = b->m ? kit_compile(b->m, &how, &why) : NULL;
  CU_ASSERT(b->p != NULL);
  if (!b->p) report(file, arena_printf(a, "-O%d", level), &why);
  buf_free(&why);
  return b->p;
}

static void run(arena *a, const char *file, int level, const built *b,
                const config *c) {
  buf why = {0};
  for (uint64_t seed = 1; seed <= 3; seed++) {
    ir_lanes *in = kit_inputs(b->m, a, seed);
    bool ok = kit_compare(b->p, b->m, c->protocol, c->n, in, &why);
    CU_ASSERT(ok);
    if (!ok)
      report(file,
             arena_printf(a, "-O%d %s %u nodes, seed %d", level,
                          chi_protocol_name(c->protocol), c->n, (int)seed),
             &why);
  }
  buf_free(&why);
}

/* One level of optimisation, all protocols, some inputs.  A circuit that needs
 * a target is compiled for each; text that names one runs under that alone. */
static void try_level(const char *file, const char *text, int level) {
  arena *a = arena_new();
  bool fixed = strstr(text, "\ntarget ") != NULL;
  built b = {0};
  unsigned ran = 0;
  for (size_t k = 0; k < sizeof configs / sizeof *configs; k++) {
    ir_target t = kit_target(configs[k].protocol, configs[k].n);
    if (b.p && !kit_fits(b.m, t) && fixed) continue;
    if (b.p && !kit_fits(b.m, t)) {
      kit_free(b.p);
      b.p = NULL;
    }
    if (!b.p && !build(a, file, text, level, t, &b)) break;
    if (!kit_fits(b.m, t)) continue;
    run(a, file, level, &b, &configs[k]);
    ran++;
  }
  CU_ASSERT(ran > 0);
  kit_free(b.p);
  arena_free(a);
}

static int by_name(const void *x, const void *y) {
  return strcmp(*(char *const *)x, *(char *const *)y);
}

static void test_all(void) {
  DIR *d = opendir(dir);
  CU_ASSERT_FATAL(d != NULL);
  char *name[512];
  size_t n = 0;
  for (struct dirent *e; (e = readdir(d)) && n < 512;) {
    const char *dot = strrchr(e->d_name, '.');
    if (!dot || strcmp(dot, ".ir") || (only && !strstr(e->d_name, only)))
      continue;
    name[n++] = strdup(e->d_name);
  }
  closedir(d);
  qsort(name, n, sizeof *name, by_name);
  CU_ASSERT(n > 0);
  for (size_t k = 0; k < n; k++) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name[k]);
    char *text = read_file(path);
    CU_ASSERT(text != NULL);
    bool high = text && strstr(text, "stage high");
    for (int level = high ? 0 : 2; text && level <= 2; level++)
      try_level(name[k], text, level);
    free(text);
    free(name[k]);
  }
}

int main(int argc, char **argv) {
  dir = argc > 1 ? argv[1] : ".";
  only = argc > 2 ? argv[2] : NULL;
  if (CU_initialize_registry() != CUE_SUCCESS) return 2;
  CU_pSuite s = CU_add_suite("circuits on nodes", NULL, NULL);
  CU_add_test(s, "interpreter = C on every protocol", test_all);
  CU_basic_set_mode(CU_BRM_NORMAL);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
