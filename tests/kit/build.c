/* From a module to a loaded program. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/mangle.h"
#include "kit_impl.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void append_file(buf *out, const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) return;
  char block[4096];
  size_t n, total = 0;
  while (total < 16384 && (n = fread(block, 1, sizeof block, f)) > 0) {
    buf_write(out, block, n);
    total += n;
  }
  fclose(f);
}

/* Runs cc flags -o dir/c.so dir/c.c; stderr goes to dir/log. */
static bool run_cc(const char *dir, const kit_build *b, buf *why) {
  char src[4200], lib[4200], log[4200], inc[4200];
  snprintf(src, sizeof src, "%s/circuit.c", dir);
  snprintf(lib, sizeof lib, "%s/circuit.so", dir);
  snprintf(log, sizeof log, "%s/log", dir);
  snprintf(inc, sizeof inc, "-I%s", KIT_INCLUDE);
  const char *flags =
      b->flags ? b->flags
               : "-O1 -Wall -Wextra -Wpedantic -Wshadow -Werror "
                 "-Wmissing-prototypes -Wstrict-prototypes";
  char *words = strdup(flags), *save = NULL;
  const char *argv[64];
  int n = 0;
  argv[n++] = b->cc ? b->cc : KIT_CC;
  for (char *w = strtok_r(words, " ", &save); w && n < 50;
       w = strtok_r(NULL, " ", &save))
    argv[n++] = w;
  argv[n++] = "-std=c11";
  argv[n++] = "-fPIC";
  argv[n++] = "-shared";
  argv[n++] = inc;
  argv[n++] = "-o";
  argv[n++] = lib;
  argv[n++] = src;
  argv[n] = NULL;
  pid_t pid = fork();
  if (pid == 0) {
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) dup2(fd, 2);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
  }
  int st = -1;
  while (pid > 0 && waitpid(pid, &st, 0) < 0 && errno == EINTR) continue;
  free(words);
  if (pid > 0 && WIFEXITED(st) && WEXITSTATUS(st) == 0) return true;
  buf_printf(why, "the C compiler failed:\n");
  append_file(why, log);
  return false;
}

static void remove_dir(const char *dir) {
  static const char *const name[] = {"circuit.c", "circuit.h", "circuit.json",
                                     "circuit.so", "log"};
  char path[4200];
  for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
    snprintf(path, sizeof path, "%s/%s", dir, name[k]);
    unlink(path);
  }
  rmdir(dir);
}

static void diag_to(buf *why, const diag *dg) {
  diag_render_all(dg, why, false);
}

kit_program *kit_compile(ir_module *m, const kit_build *b, buf *why) {
  static const kit_build plain;
  if (!b) b = &plain;
  arena *a = arena_new();
  source_set *ss = m->src ? m->src : source_set_new(a);
  diag *dg = diag_new(a, ss);
  backend_output o = {0};
  backend_info info = {.module = "kit", .version = "test",
                       .stem = "circuit"};
  if (!backend_find("c")->emit(m, &info, a, dg, &o)) {
    diag_to(why, dg);
    arena_free(a);
    return NULL;
  }
  char dir[4096];
  const char *tmp = getenv("TMPDIR");
  if (b->keep) {
    snprintf(dir, sizeof dir, "%s", b->keep);
    mkdir(dir, 0700);
  } else {
    snprintf(dir, sizeof dir, "%s/chi-kit-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
      buf_printf(why, "no temporary directory: %s", strerror(errno));
      backend_output_free(&o);
      arena_free(a);
      return NULL;
    }
  }
  for (uint32_t k = 0; k < o.npart; k++) {
    char path[4200];
    snprintf(path, sizeof path, "%s/circuit%s", dir, o.part[k].suffix);
    buf_save(&o.part[k].text, path);
  }
  kit_program *p = calloc(1, sizeof *p);
  p->source_bytes = o.part[0].text.n;
  double t = now();
  if (run_cc(dir, b, why)) {
    p->cc_seconds = now() - t;
    char lib[4200];
    snprintf(lib, sizeof lib, "%s/circuit.so", dir);
    p->dl = dlopen(lib, RTLD_NOW | RTLD_LOCAL);
    if (!p->dl)
      buf_printf(why, "dlopen: %s", dlerror());
    else
      p->program = dlsym(p->dl, mangle_symbol(a, "kit", m->name));
    if (p->dl && !p->program) buf_puts(why, "the program has no symbol");
  }
  if (!b->keep) remove_dir(dir);
  backend_output_free(&o);
  arena_free(a);
  if (p->program) return p;
  kit_free(p);
  return NULL;
}

void kit_free(kit_program *p) {
  if (!p) return;
  if (p->dl) dlclose(p->dl);
  free(p);
}

double kit_cc_seconds(const kit_program *p) { return p->cc_seconds; }
size_t kit_source_bytes(const kit_program *p) { return p->source_bytes; }
