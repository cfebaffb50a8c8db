#define _GNU_SOURCE
#include "node/code.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/be.h"
#include "node/spawn.h"

enum { COMPILE_MS = 600000, VERSION_MS = 10000, TURN_MS = 20 };

static void add(crypto_hash_sha256_state *h, const void *p, size_t n) {
  uint8_t len[8];
  be_put(len, n, 8);
  crypto_hash_sha256_update(h, len, sizeof len);
  crypto_hash_sha256_update(h, p, n);
}

static bool add_file(crypto_hash_sha256_state *h, const char *path) {
  FILE *f = fopen(path, "re");
  if (!f)
    return false;
  buf b = {0};
  char chunk[4096];
  size_t k;
  while ((k = fread(chunk, 1, sizeof chunk, f)) > 0)
    buf_write(&b, chunk, k);
  bool ok = !ferror(f);
  fclose(f);
  add(h, b.p ? b.p : "", b.n);
  buf_free(&b);
  return ok;
}

static void remove_folder(const char *path) {
  DIR *d = opendir(path);
  struct dirent *e;
  while (d && (e = readdir(d)))
    if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
      unlinkat(dirfd(d), e->d_name, 0);
  if (d)
    closedir(d);
  rmdir(path);
}

/* What nodes that were killed left behind. */
static void sweep(const char *dir) {
  DIR *d = opendir(dir);
  struct dirent *e;
  while (d && (e = readdir(d))) {
    long pid;
    char path[4096];
    if (sscanf(e->d_name, "work-%ld-", &pid) == 1 && pid > 0 &&
        kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name) <
            (int)sizeof path)
      remove_folder(path);
  }
  if (d)
    closedir(d);
}

/* Code from there runs in this process: nobody else may write it. */
static const char *check_folder(arena *a, const char *dir) {
  struct stat st;
  if (mkdir(dir, 0700) != 0 && errno != EEXIST)
    return arena_printf(a, "%s: could not be made: %s", dir, strerror(errno));
  if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
    return arena_printf(a, "%s: is no folder", dir);
  if (st.st_uid != geteuid() || (st.st_mode & 022))
    return arena_printf(a, "%s: others than its owner can write there", dir);
  return NULL;
}

const char *code_open(code_cache *x, arena *a, const char *dir,
                      const char *include, const atomic_bool *stop) {
  static const char *const headers[] = {"chi.h", "chi_fe.h", "chi_gen.h",
                                        "chi_transport.h"};
  static const char *const ask[] = {"--version", NULL};
  *x = (code_cache){.dir = dir, .include = include, .stop = stop};
  const char *why = check_folder(a, dir);
  if (why)
    return why;
  sweep(dir);
  buf said = {0};
  const char **argv = spawn_compiler(a, ask);
  why = spawn_run(a, argv, NULL, 1, VERSION_MS, stop, &said);
  if (why) {
    buf_free(&said);
    return arena_printf(a, "no C compiler: %s", why);
  }
  crypto_hash_sha256_state h;
  uint32_t abi = CHI_ABI;
  crypto_hash_sha256_init(&h);
  add(&h, "chirograph code v1", 18);
  add(&h, &abi, sizeof abi);
  add(&h, chi_version(), strlen(chi_version()));
  for (; *argv; argv++)
    add(&h, *argv, strlen(*argv));
  add(&h, said.p ? said.p : "", said.n);
  buf_free(&said);
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    const char *path = arena_printf(a, "%s/%s", include, headers[i]);
    if (!add_file(&h, path))
      return arena_printf(a, "%s: could not be read", path);
  }
  crypto_hash_sha256_final(&h, x->base);
  return NULL;
}

static void name_of(const code_cache *x, const backend_output *o,
                    const char *symbol, uint8_t key[32]) {
  crypto_hash_sha256_state h;
  crypto_hash_sha256_init(&h);
  add(&h, x->base, sizeof x->base);
  add(&h, symbol, strlen(symbol));
  for (uint32_t i = 0; i < o->npart; i++) {
    add(&h, o->part[i].suffix, strlen(o->part[i].suffix));
    add(&h, o->part[i].text.p ? o->part[i].text.p : "", o->part[i].text.n);
  }
  crypto_hash_sha256_final(&h, key);
}

/* ---- one compiler at a time for each circuit ---- */

/* A byte of the folder's lock file, chosen by the circuit.  The lock belongs to
 * the open file: it holds among threads too, and ends with the process.  -1 if
 * it could not be taken. */
static int lock(const code_cache *x, arena *a, const uint8_t key[32]) {
  struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  int fd = open(arena_printf(a, "%s/lock", x->dir),
                O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  l.l_start = (off_t)be_get(key, 7);
  while (fd >= 0 && fcntl(fd, F_OFD_SETLK, &l) != 0) {
    struct timespec turn = {0, TURN_MS * 1000000};
    if ((errno != EAGAIN && errno != EACCES && errno != EINTR) ||
        atomic_load(x->stop)) {
      close(fd);
      return -1;
    }
    nanosleep(&turn, NULL);
  }
  return fd;
}

static const char *compile_in(const code_cache *x, arena *a, const char *work,
                              const backend_output *o, const char *target) {
  const char *source = NULL;
  for (uint32_t i = 0; i < o->npart; i++) {
    const char *path =
        arena_printf(a, "%s/circuit%s", work, o->part[i].suffix);
    if (strcmp(o->part[i].suffix, ".c") == 0)
      source = path;
    if (!buf_save(&o->part[i].text, path))
      return arena_printf(a, "%s: could not be written: %s", path,
                          strerror(errno));
  }
  const char *out = arena_printf(a, "%s/circuit.so", work);
  const char *const flags[] = {"-std=c11",
                               "-O2",
                               "-fPIC",
                               "-shared",
                               arena_printf(a, "-I%s", x->include),
                               "-o",
                               out,
                               source,
                               NULL};
  buf said = {0};
  const char *why = spawn_run(a, spawn_compiler(a, flags), work, 2, COMPILE_MS,
                              x->stop, &said);
  if (why && said.n)
    why = arena_printf(a, "%s: %.*s", why, (int)strcspn(said.p, "\n"), said.p);
  buf_free(&said);
  if (!why && rename(out, target) != 0)
    why = arena_printf(a, "%s: could not be written: %s", target,
                       strerror(errno));
  return why;
}

static const char *compile(const code_cache *x, arena *a,
                           const backend_output *o, const uint8_t key[32],
                           const char *target, bool *compiled) {
  int fd = lock(x, a, key);
  if (fd < 0)
    return atomic_load(x->stop)
               ? "the node stops"
               : arena_printf(a, "%s/lock: %s", x->dir, strerror(errno));
  const char *why = NULL;
  if (access(target, F_OK) != 0) {
    char *work = arena_printf(a, "%s/work-%ld-XXXXXX", x->dir, (long)getpid());
    if (!mkdtemp(work)) {
      why = arena_printf(a, "%s: could not be made: %s", work,
                         strerror(errno));
    } else {
      why = compile_in(x, a, work, o, target);
      remove_folder(work);
      *compiled = true;
    }
  }
  close(fd);
  return why;
}

static const chi_program *load(const char *path, const char *symbol,
                               void **library) {
  struct stat st;
  if (stat(path, &st) != 0 || st.st_uid != geteuid() || st.st_size == 0)
    return NULL;
  *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const chi_program *p = *library ? dlsym(*library, symbol) : NULL;
  if (p && p->abi == CHI_ABI)
    return p;
  if (*library)
    dlclose(*library);
  *library = NULL;
  return NULL;
}

const chi_program *code_get(const code_cache *x, arena *a,
                            const backend_output *o, const char *symbol,
                            void **library, bool *compiled,
                            const char **why) {
  uint8_t key[32];
  char hex[65];
  name_of(x, o, symbol, key);
  chi_hex(hex, key, sizeof key);
  const char *path = arena_printf(a, "%s/%s.so", x->dir, hex);
  *compiled = false;
  bool bad = access(path, F_OK) == 0; /* it is there and does not load */
  const chi_program *p = bad ? load(path, symbol, library) : NULL;
  for (int turn = 0; !p && turn < 2; turn++) {
    if (bad)
      unlink(path); /* cut short by a crash of the machine, or not ours */
    bad = true;
    *why = compile(x, a, o, key, path, compiled);
    if (*why)
      return NULL;
    p = load(path, symbol, library);
  }
  if (!p) {
    const char *e = dlerror();
    *why = arena_printf(a, "the compiled code could not be loaded: %s",
                        e ? e : "it is no circuit of this release");
  }
  return p;
}
