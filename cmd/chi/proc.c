#define _GNU_SOURCE
#include "cmd/chi/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A limit of 0 keeps the kernel from writing a file, but not from feeding a
 * program (core_pattern "|..."); 1, which no file fits either, keeps it from
 * both. */
void proc_no_core(void) {
  struct rlimit old, one = {1, 1};
  if (getrlimit(RLIMIT_CORE, &old) == 0 && old.rlim_max == 0)
    return;
  setrlimit(RLIMIT_CORE, &one);
}

/* The only thing a signal handler can reach: which signal came. */
static volatile sig_atomic_t caught;

static void on_signal(int s) { caught = s; }

static void end_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGHUP);
}

void proc_guard(void) {
  static const int list[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction sa = {.sa_handler = on_signal}, old;
  sigset_t set;
  end_signals(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (int i = 0; i < 3; i++) {
    sigaction(list[i], NULL, &old);
    if (old.sa_handler != SIG_IGN) /* nohup keeps its meaning */
      sigaction(list[i], &sa, NULL);
  }
}

int proc_interrupted(void) { return caught; }

int proc_poll(struct pollfd *p, nfds_t n, int timeout_ms) {
  struct timespec ts = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
  sigset_t open;
  if (caught) {
    errno = EINTR;
    return -1;
  }
  sigemptyset(&open);
  return ppoll(p, n, timeout_ms < 0 ? NULL : &ts, &open);
}

void proc_unguard(void) {
  static const int list[] = {SIGINT, SIGTERM, SIGHUP};
  int s = caught;
  struct sigaction old;
  sigset_t set;
  for (int i = 0; i < 3; i++) {
    sigaction(list[i], NULL, &old);
    if (old.sa_handler != SIG_IGN)
      signal(list[i], SIG_DFL);
  }
  if (s != 0)
    raise(s);
  end_signals(&set);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* In the child: only async-signal-safe calls. */
static void child(const char *const *argv, int fd3, int fd4, int err,
                  unsigned how, pid_t parent, int report, char **env) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if ((how & SPAWN_FREE) == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(127);
  }
  if ((how & SPAWN_GROUP) != 0)
    setpgid(0, 0);
  /* Out of the way of 0..4 first. */
  int safe = fcntl(report, F_DUPFD_CLOEXEC, 10);
  int a = fd3 >= 0 ? fcntl(fd3, F_DUPFD, 10) : -1;
  int b = fd4 >= 0 ? fcntl(fd4, F_DUPFD, 10) : -1;
  int e = err >= 0 ? fcntl(err, F_DUPFD, 10) : -1;
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  if (e >= 0)
    dup2(e, 2);
  if (a >= 0)
    dup2(a, 3);
  if (b >= 0)
    dup2(b, 4);
  for (int fd = a < 0 ? 3 : b < 0 ? 4 : 5; fd < 1024; fd++)
    if (fd != safe)
      close(fd);
  execvpe(argv[0], (char *const *)argv, env);
  int why = errno;
  ssize_t k = write(safe, &why, sizeof why);
  (void)k;
  _exit(127);
}

extern char **environ;

/* The environment with TMPDIR replaced; the caller frees the array. */
static char **child_env(const char *tmpdir, char *slot, size_t cap) {
  size_t n = 0, k = 0;
  while (environ[n] != NULL)
    n++;
  char **env = malloc((n + 2) * sizeof *env);
  if (env == NULL)
    return NULL;
  for (size_t i = 0; i < n; i++)
    if (tmpdir == NULL || strncmp(environ[i], "TMPDIR=", 7) != 0)
      env[k++] = environ[i];
  if (tmpdir != NULL) {
    snprintf(slot, cap, "TMPDIR=%s", tmpdir);
    env[k++] = slot;
  }
  env[k] = NULL;
  return env;
}

pid_t proc_spawn(const char *const *argv, int fd3, int fd4, int err,
                 unsigned how, const char *tmpdir) {
  int report[2], why = 0;
  char slot[4200];
  char **env = child_env(tmpdir, slot, sizeof slot);
  if (env == NULL || pipe2(report, O_CLOEXEC) != 0) {
    free(env);
    return -1;
  }
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    close(report[0]);
    child(argv, fd3, fd4, err, how, parent, report[1], env);
  }
  why = errno;
  free(env);
  close(report[1]);
  ssize_t k = 0;
  if (pid > 0) {
    int told;
    do
      k = read(report[0], &told, sizeof told);
    while (k < 0 && errno == EINTR);
    if (k == (ssize_t)sizeof told) {
      why = told;
      waitpid(pid, NULL, 0);
      pid = -1;
    }
  }
  close(report[0]);
  errno = why;
  return pid;
}

const char *proc_status_text(arena *a, int status) {
  if (WIFSIGNALED(status))
    return arena_printf(a, "killed by signal %d, %s", WTERMSIG(status),
                        strsignal(WTERMSIG(status)));
  return arena_printf(a, "exit code %d", WEXITSTATUS(status));
}

char *tmp_make(cli *c) {
  const char *base = getenv("TMPDIR");
  if (base == NULL || base[0] == '\0')
    base = "/tmp";
  char *dir = arena_printf(c->a, "%s/chi-XXXXXX", base);
  if (strlen(dir) < 4000 && mkdtemp(dir) != NULL)
    return dir;
  diag_report_nowhere(c->dg, DIAG_TEMP_DIR, base, strerror(errno));
  return NULL;
}

void tmp_remove(const char *dir) {
  if (dir == NULL)
    return;
  DIR *d = opendir(dir);
  struct dirent *e;
  while (d != NULL && (e = readdir(d)) != NULL)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
      unlinkat(dirfd(d), e->d_name, 0);
  if (d != NULL)
    closedir(d);
  rmdir(dir);
}

double clock_seconds(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void progress_begin(progress *p, const cli *c) {
  *p = (progress){.on = c->tty_err, .start = clock_seconds()};
}

void progress_tick(progress *p, const char *stage) {
  double t = clock_seconds() - p->start;
  if (!p->on || t < 1.0)
    return;
  fprintf(stderr, "\r\033[K%s, %.0f s", stage, t);
  fflush(stderr);
  p->shown = true;
}

void progress_end(progress *p) {
  if (p->shown)
    fputs("\r\033[K", stderr);
  p->shown = false;
}
