/* From modules to loaded programs. */
#include <dirent.h>
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

/* Runs cc flags -o dir/circuit.so dir/NAME; stderr goes to dir/log. */
static bool run_cc(const char *dir, const char *name, const kit_build *b,
                   buf *why) {
  char src[4200], lib[4200], log[4200], inc[4200];
  snprintf(src, sizeof src, "%s/%s", dir, name);
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
  char path[4400];
  DIR *d = opendir(dir);
  for (struct dirent *f; d && (f = readdir(d));) {
    snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
    unlink(path);
  }
  if (d) closedir(d);
  rmdir(dir);
}

static bool make_dir(char *dir, size_t room, const kit_build *b, buf *why) {
  const char *tmp = getenv("TMPDIR");
  if (b->keep) {
    snprintf(dir, room, "%s", b->keep);
    mkdir(dir, 0700);
    return true;
  }
  snprintf(dir, room, "%s/chi-kit-XXXXXX", tmp ? tmp : "/tmp");
  if (mkdtemp(dir)) return true;
  buf_printf(why, "no temporary directory: %s", strerror(errno));
  return false;
}

/* Statics of units that are compiled together get names of their own: "define"
 * or "undef". */
static void rename_statics(buf *out, const buf *text, unsigned k,
                           const char *what) {
  const char *p = text->p, *end = text->p + text->n;
  for (; p && p < end; p = memchr(p, '\n', (size_t)(end - p))) {
    p += *p == '\n';
    if (end - p < 7 || memcmp(p, "static ", 7) != 0) continue;
    const char *to = p + strcspn(p, "[(=\n"), *from;
    while (to[-1] == ' ') to--;
    for (from = to; from[-1] != ' ' && from[-1] != '*';) from--;
    int n = (int)(to - from);
    if (*what == 'd')
      buf_printf(out, "#define %.*s %.*s_u%u\n", n, from, n, from, k);
    else
      buf_printf(out, "#undef %.*s\n", n, from);
  }
}

/* Writes what is emitted for circuit k, and includes it in `all`. */
static bool put_circuit(ir_module *m, unsigned k, const char *stem,
                        const char *dir, buf *all, kit_program *p, buf *why) {
  arena *a = arena_new();
  diag *dg = diag_new(a, m->src ? m->src : source_set_new(a));
  backend_output o = {0};
  backend_info info = {.module = "kit", .version = "test", .stem = stem,
                       .mersenne = chi_mersenne()};
  bool ok = backend_find("c")->emit(m, &info, a, dg, &o);
  if (!ok) diag_render_all(dg, why, false);
  for (uint32_t j = 0; ok && j < o.npart; j++) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s%s", dir, stem, o.part[j].suffix);
    buf_save(&o.part[j].text, path);
  }
  if (ok) {
    p->source_bytes = o.part[0].text.n;
    rename_statics(all, &o.part[0].text, k, "define");
    buf_printf(all, "#include \"%s.c\"\n", stem);
    rename_statics(all, &o.part[0].text, k, "undef");
    backend_output_free(&o);
  }
  arena_free(a);
  return ok;
}

static bool load(kit_program *p, const ir_module *m, const char *dir,
                 buf *why) {
  char lib[4200];
  arena *a = arena_new();
  snprintf(lib, sizeof lib, "%s/circuit.so", dir);
  p->dl = dlopen(lib, RTLD_NOW | RTLD_LOCAL); /* counted */
  if (!p->dl)
    buf_printf(why, "dlopen: %s", dlerror());
  else
    p->program = dlsym(p->dl, mangle_symbol(a, "kit", m->name));
  if (p->dl && !p->program) buf_puts(why, "the program has no symbol");
  arena_free(a);
  return p->program != NULL;
}

bool kit_compile_all(ir_module *const *m, unsigned n, const kit_build *b,
                     kit_program **out, buf *why) {
  static const kit_build plain;
  char dir[4096], stem[32] = "circuit", path[4200];
  buf all = {0};
  bool ok = true;
  if (!b) b = &plain;
  if (!make_dir(dir, sizeof dir, b, why)) return false;
  for (unsigned k = 0; k < n; k++) {
    out[k] = calloc(1, sizeof *out[k]);
    if (n > 1) snprintf(stem, sizeof stem, "circuit%u", k);
    ok = ok && put_circuit(m[k], k, stem, dir, &all, out[k], why);
  }
  snprintf(path, sizeof path, "%s/all.c", dir);
  if (n > 1) buf_save(&all, path);
  double t = now();
  ok = ok && run_cc(dir, n > 1 ? "all.c" : "circuit.c", b, why);
  for (unsigned k = 0; k < n; k++) {
    out[k]->cc_seconds = (now() - t) / n;
    ok = ok && load(out[k], m[k], dir, why);
  }
  if (!b->keep) remove_dir(dir);
  buf_free(&all);
  for (unsigned k = 0; k < n && !ok; k++) {
    kit_free(out[k]);
    out[k] = NULL;
  }
  return ok;
}

kit_program *kit_compile(ir_module *m, const kit_build *b, buf *why) {
  kit_program *p = NULL;
  return kit_compile_all(&m, 1, b, &p, why) ? p : NULL;
}

void kit_free(kit_program *p) {
  if (!p) return;
  if (p->dl) dlclose(p->dl);
  free(p);
}

double kit_cc_seconds(const kit_program *p) { return p->cc_seconds; }
size_t kit_source_bytes(const kit_program *p) { return p->source_bytes; }
