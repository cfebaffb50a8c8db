/* The supervisor of a local network: starts the ledger and the nodes, starts
 * again what ends, ends them all when it is asked to (SIGTERM).  Each of them
 * holds a pipe that ends with this process, however it ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/lock.h"
#include "cmd/chi/net.h"
#include "cmd/chi/proc.h"

enum { CONTROL_FD = 3, LINE_MAX_BYTES = 600, END_SECONDS = 8 };
#define PAUSE_LEAST 0.05
#define PAUSE_MOST 10.0
#define HEALTHY_SECONDS 5.0

typedef enum { WARD_IDLE, WARD_STARTING, WARD_UP, WARD_WAITING } ward_state;
static const char *const state_names[] = {"idle", "starting", "up", "waiting"};

/* One process that is kept running. */
typedef struct ward {
  char name[16];
  const char *const *argv;
  const char *log;
  pid_t pid;
  int stop, report;
  char line[LINE_MAX_BYTES], why[LINE_MAX_BYTES];
  size_t nline;
  ward_state state;
  unsigned restarts;
  double since, again, pause;
} ward;

typedef struct keeper {
  cli *c;
  const char *dir;
  net *w;
  ward *p;
  unsigned n; /* wards: the ledger first */
  bool control;
} keeper;

/* ---- telling ---- */

static void note(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...) {
  char at[32] = "";
  struct tm tm;
  time_t now = time(NULL);
  if (gmtime_r(&now, &tm) != NULL)
    strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S", &tm);
  fprintf(stderr, "%s ", at);
  va_list ap;
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
}

static void tell(keeper *k, const char *word, const char *text) {
  if (!k->control)
    return;
  char line[LINE_MAX_BYTES + 32];
  int n = snprintf(line, sizeof line, "%s %s\n", word, text);
  ssize_t sent = write(CONTROL_FD, line, (size_t)n);
  (void)sent;
}

/* What `chi net status` reads. */
static void save_state(keeper *k) {
  arena *a = arena_new();
  buf b = {0};
  buf_printf(&b, "{\"pid\":%ld,\"processes\":[", (long)getpid());
  for (unsigned i = 0; i < k->n; i++) {
    const ward *p = &k->p[i];
    buf_printf(&b,
               "%s\n{\"name\":\"%s\",\"pid\":%ld,\"state\":\"%s\","
               "\"restarts\":%u,\"why\":",
               i > 0 ? "," : "", p->name, (long)p->pid, state_names[p->state],
               p->restarts);
    text_jsonz(&b, p->why);
    buf_putc(&b, '}');
  }
  buf_puts(&b, "]}\n");
  if (!disk_put(a, net_path(a, k->dir, "run.json"), b.p, b.n, 0600, false))
    note("could not write run.json: %s", strerror(errno));
  buf_free(&b);
  arena_free(a);
}

/* ---- one process ---- */

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void rest(ward *p) {
  double now = clock_seconds();
  if (p->state == WARD_UP && now - p->since > HEALTHY_SECONDS)
    p->pause = PAUSE_LEAST;
  p->state = WARD_WAITING;
  p->again = now + p->pause;
  note("%s ended: %s", p->name, p->why);
  p->pause = p->pause * 2 < PAUSE_MOST ? p->pause * 2 : PAUSE_MOST;
}

static void start_ward(ward *p) {
  int stop[2] = {-1, -1}, report[2] = {-1, -1};
  int log = open(p->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  p->pid = -1;
  if (log >= 0 && pipe2(stop, O_CLOEXEC) == 0 &&
      pipe2(report, O_CLOEXEC) == 0)
    p->pid = proc_spawn(p->argv, stop[0], report[1], log, SPAWN_FREE, NULL);
  int why = errno;
  close_fd(&log);
  close_fd(&stop[0]);
  close_fd(&report[1]);
  p->stop = stop[1];
  p->report = report[0];
  p->nline = 0;
  p->since = clock_seconds();
  p->state = WARD_STARTING;
  if (p->pid > 0) {
    fcntl(p->report, F_SETFL, O_NONBLOCK);
    return;
  }
  close_fd(&p->stop);
  close_fd(&p->report);
  p->pid = 0;
  snprintf(p->why, sizeof p->why, "could not start it: %s", strerror(why));
  rest(p);
}

/* After the end of its report pipe: it is ending, or has ended. */
static void reap(ward *p) {
  int status = 0;
  bool told = p->why[0] != '\0';
  close_fd(&p->report);
  for (int turn = 0; waitpid(p->pid, &status, WNOHANG) == 0; turn++) {
    if (turn == 200)
      kill(p->pid, SIGKILL);
    nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  close_fd(&p->stop);
  p->pid = 0;
  if (told)
    return;
  arena *a = arena_new();
  snprintf(p->why, sizeof p->why, "%s", proc_status_text(a, status));
  arena_free(a);
}

static void take_line(ward *p) {
  if (strcmp(p->line, "ready") == 0) {
    p->state = WARD_UP;
    p->since = clock_seconds();
    p->why[0] = '\0';
  } else if (strncmp(p->line, "fail ", 5) == 0) {
    snprintf(p->why, sizeof p->why, "%s", p->line + 5);
  }
}

/* False at the end. */
static bool take_report(ward *p) {
  char part[256];
  for (;;) {
    ssize_t n = read(p->report, part, sizeof part);
    if (n == 0)
      return false;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN;
    for (ssize_t i = 0; i < n; i++) {
      if (part[i] == '\n') {
        p->line[p->nline] = '\0';
        take_line(p);
        p->nline = 0;
      } else if (p->nline + 1 < sizeof p->line) {
        p->line[p->nline++] = part[i];
      }
    }
  }
}

/* ---- all of them ---- */

/* Waits at most `seconds` for something; false: a signal, or, while the
 * network starts, nobody listens any more. */
static bool turn(keeper *k, double seconds) {
  struct pollfd fd[2 + CHI_PARTIES_MAX];
  ward *of[2 + CHI_PARTIES_MAX];
  nfds_t n = 0;
  for (unsigned i = 0; i < k->n; i++)
    if (k->p[i].report >= 0) {
      of[n] = &k->p[i];
      fd[n++] = (struct pollfd){.fd = k->p[i].report, .events = POLLIN};
    }
  nfds_t wards = n;
  if (k->control)
    fd[n++] = (struct pollfd){.fd = CONTROL_FD};
  int got = proc_poll(fd, n, seconds < 0 ? -1 : (int)(seconds * 1000) + 1);
  if (got < 0)
    return !proc_interrupted();
  bool changed = false;
  for (nfds_t i = 0; i < wards; i++) {
    if (fd[i].revents == 0)
      continue;
    ward_state was = of[i]->state;
    if (!take_report(of[i])) {
      reap(of[i]);
      of[i]->restarts++;
      rest(of[i]);
    }
    changed = changed || of[i]->state != was;
  }
  if (changed)
    save_state(k);
  return !k->control || fd[wards].revents == 0;
}

static void keep(keeper *k) {
  for (;;) {
    double now = clock_seconds(), next = -1;
    for (unsigned i = 0; i < k->n; i++) {
      ward *p = &k->p[i];
      if (p->state != WARD_WAITING)
        continue;
      double left = p->again - now;
      if (left <= 0) {
        note("%s is started again", p->name);
        p->why[0] = '\0';
        start_ward(p);
        save_state(k);
        left = p->state == WARD_WAITING ? p->pause : 1;
      }
      next = next < 0 || left < next ? left : next;
    }
    if (!turn(k, next))
      return;
  }
}

/* Starts wards from..to and waits until they are up; false after a message. */
static bool bring_up(keeper *k, unsigned from, unsigned to,
                     const char *stage) {
  tell(k, "stage", stage);
  for (unsigned i = from; i < to; i++)
    start_ward(&k->p[i]);
  save_state(k);
  for (;;) {
    unsigned up = 0;
    for (unsigned i = from; i < to; i++) {
      ward *p = &k->p[i];
      if (p->state == WARD_WAITING) {
        char text[LINE_MAX_BYTES + 32];
        snprintf(text, sizeof text, "%s: %s", p->name, p->why);
        tell(k, "fail", text);
        return false;
      }
      up += p->state == WARD_UP;
    }
    if (up == to - from)
      return true;
    if (!turn(k, 1))
      return false;
  }
}

/* Nodes before the ledger; what does not end in time is killed. */
static void end_wards(keeper *k, unsigned from, unsigned to) {
  double limit = clock_seconds() + END_SECONDS;
  for (unsigned i = from; i < to; i++)
    close_fd(&k->p[i].stop);
  for (unsigned i = from; i < to; i++) {
    ward *p = &k->p[i];
    while (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == 0) {
      if (clock_seconds() > limit) {
        note("%s does not end; it is killed", p->name);
        kill(p->pid, SIGKILL);
      }
      nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    p->pid = 0;
    p->state = WARD_IDLE;
    close_fd(&p->report);
  }
}

/* ---- the process ---- */

static void add_ward(keeper *k, const char *what, int index) {
  cli *c = k->c;
  ward *p = &k->p[k->n++];
  const char **argv = ARENA_ARR(c->a, const char *, 7);
  *p = (ward){.stop = -1, .report = -1, .pause = PAUSE_LEAST};
  argv[0] = c->self;
  argv[1] = what;
  argv[2] = "--dir";
  argv[3] = k->dir;
  if (index >= 0) {
    argv[4] = "--index";
    argv[5] = arena_printf(c->a, "%d", index);
    snprintf(p->name, sizeof p->name, "node-%d", index);
  } else {
    snprintf(p->name, sizeof p->name, "ledger");
  }
  p->argv = argv;
  p->log = net_path(c->a, k->dir,
                    arena_printf(c->a, "log/%s.log", p->name));
}

/* The network of the folder, made anew the first time. */
static net *take_net(keeper *k, chi_protocol protocol, unsigned n,
                     unsigned port) {
  cli *c = k->c;
  const char *why = "", *db = net_path(c->a, k->dir, "ledger.db");
  net *w = net_load(c->a, k->dir, &why);
  if (w == NULL && why[0] == '\0') {
    if (access(db, F_OK) == 0) {
      why = "there is a ledger but no net.json: put it back, or remove the "
            "folder and begin anew";
    } else {
      tell(k, "stage", "making keys and the ledger");
      w = net_make(c->a, k->dir, protocol, n, port, &why);
    }
  }
  if (w == NULL) {
    note("could not start: %s", why);
    tell(k, "fail", why);
  }
  return w;
}

static bool take_lock(keeper *k) {
  if (lock_take(net_path(k->c->a, k->dir, "lock"), 0))
    return true;
  if (errno == EAGAIN)
    tell(k, "running", "");
  else
    tell(k, "fail", strerror(errno));
  return false;
}

int cmd_net_process(cli *c) {
  keeper k = {.c = c, .dir = c->opt.dir, .control = true};
  bool rep3 = c->opt.protocol != NULL && strcmp(c->opt.protocol, "rep3") == 0;
  unsigned n = 3, port = 0;
  signal(SIGPIPE, SIG_IGN);
  if (k.dir == NULL || fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) != 0)
    return usage_error(c, NULL, "this process belongs to 'chi net start'");
  if ((c->opt.nodes != NULL &&
       !opts_number(c, "--nodes", c->opt.nodes, CHI_PARTIES_MIN,
                    CHI_PARTIES_MAX, &n)) ||
      !net_port_option(c, n, &port))
    return EXIT_USAGE;
  setvbuf(stderr, NULL, _IOLBF, 0);
  proc_guard();
  if (!take_lock(&k) ||
      (k.w = take_net(&k, rep3 ? CHI_REP3 : CHI_SHAMIR, n, port)) == NULL)
    return EXIT_NETWORK;
  k.p = ARENA_ARR(c->a, ward, k.w->n + 1);
  add_ward(&k, "ledger-process", -1);
  for (unsigned i = 0; i < k.w->n; i++)
    add_ward(&k, "node-process", (int)i);
  bool ok = bring_up(&k, 0, 1, "opening the ledger") &&
            bring_up(&k, 1, k.n, "starting the nodes");
  if (ok) {
    note("started");
    tell(&k, "started", "");
    close(CONTROL_FD);
    k.control = false;
    keep(&k);
  }
  end_wards(&k, 1, k.n);
  end_wards(&k, 0, 1);
  save_state(&k);
  note("stopped");
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
