/* chi net start|stop|status: the local network of this folder. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/chi/compile.h"
#include "cmd/chi/disk.h"
#include "cmd/chi/lock.h"
#include "cmd/chi/net_view.h"

enum { STOP_SECONDS = 30 };

/* ---- status ---- */

static int status(cli *c) {
  net_view v = {.c = c, .w = net_find(c)};
  if (v.w == NULL)
    return report_failure(c);
  v.dir = v.w->dir;
  net_look(&v);
  return net_print(&v, net_all_answer(&v) ? EXIT_FINE : EXIT_NETWORK);
}

/* ---- stop ---- */

static void pause_ms(int ms) {
  nanosleep(&(struct timespec){0, ms * 1000000L}, NULL);
}

/* Until nobody holds the lock; a holder that does not end is killed. */
static bool wait_free(net_view *v, const char *lock, double soft, double hard) {
  pid_t holder;
  while ((holder = lock_holder(lock)) > 0) {
    double now = clock_seconds();
    if (now > hard)
      return false;
    if (now > soft)
      kill(holder, SIGKILL);
    progress_tick(&v->prog, "waiting for the processes to end");
    pause_ms(10);
  }
  return true;
}

static int stop(cli *c) {
  net_view v = {.c = c, .w = net_find(c)};
  if (v.w == NULL)
    return report_failure(c);
  v.dir = v.w->dir;
  progress_begin(&v.prog, c);
  const char *lock = net_path(c->a, v.dir, "lock");
  pid_t keeper = lock_holder(lock);
  if (keeper > 0 && kill(keeper, SIGTERM) != 0 && errno != ESRCH) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "stop the network",
                        strerror(errno));
    return report_failure(c);
  }
  double hard = clock_seconds() + STOP_SECONDS, soft = hard - 5;
  bool ok = wait_free(&v, lock, soft, hard) &&
            wait_free(&v, net_path(c->a, v.dir, "ledger.lock"), soft, hard);
  for (unsigned i = 0; ok && i < v.w->n; i++)
    ok = wait_free(&v, net_node_path(c->a, v.dir, i, "lock"), soft, hard);
  progress_end(&v.prog);
  if (!ok) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "stop the network",
                        "a process does not end");
    return report_failure(c);
  }
  buf b = {0};
  if (c->opt.json)
    buf_printf(&b, "{\"stopped\":true,\"was_running\":%s}\n",
               keeper > 0 ? "true" : "false");
  else
    buf_puts(&b, keeper > 0 ? "stopped\n" : "it was not running\n");
  ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

/* ---- start ---- */

static int start_failed(net_view *v, const char *why) {
  cli *c = v->c;
  diag_report_nowhere(c->dg, DIAG_NET_START, why);
  diag_hint(c->dg, "The logs are in %s.", net_path(c->a, v->dir, "log"));
  return report_failure(c);
}

/* The daemon: a session and a folder of its own, descriptor 3 to us. */
static void become_keeper(const char *const *argv, int control, int log) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  if (fork() != 0)
    _exit(0);
  int fd3 = fcntl(control, F_DUPFD, 10), err = fcntl(log, F_DUPFD, 10);
  int null = open("/dev/null", O_RDWR);
  if (chdir("/") != 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
      dup2(err, 2) < 0 || dup2(fd3, 3) < 0)
    _exit(127);
  for (int fd = 4; fd < 1024; fd++)
    close(fd);
  execv(argv[0], (char *const *)argv);
  _exit(127);
}

/* The end of the pipe that the supervisor speaks on; -1 and errno. */
static int start_keeper(net_view *v, const ir_target *model) {
  cli *c = v->c;
  int pipe_fd[2] = {-1, -1};
  const char *argv[] = {c->self,
                        "net-process",
                        "--dir",
                        v->dir,
                        "--nodes",
                        arena_printf(c->a, "%u", model->n),
                        "--protocol",
                        model->protocol == IR_REP3 ? "rep3" : "shamir",
                        c->opt.port != NULL ? "--port" : NULL,
                        c->opt.port,
                        NULL};
  int log = open(net_path(c->a, v->dir, "log/net.log"),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0 || pipe2(pipe_fd, O_CLOEXEC) != 0)
    return -1;
  pid_t pid = fork();
  if (pid == 0)
    become_keeper(argv, pipe_fd[1], log);
  int why = errno;
  close(log);
  close(pipe_fd[1]);
  if (pid > 0) {
    waitpid(pid, NULL, 0);
    return pipe_fd[0];
  }
  close(pipe_fd[0]);
  errno = why;
  return -1;
}

/* Reads what the supervisor says until it is up; NULL, or why it is not.
 * *ours: it is the one that was started, no other was there before. */
static const char *follow(net_view *v, int fd, double limit, bool *ours) {
  cli *c = v->c;
  char line[1024];
  const char *stage = "starting";
  size_t n = 0;
  for (;;) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (clock_seconds() > limit)
      return arena_printf(c->a, "it took too long (%s)", stage);
    progress_tick(&v->prog, stage);
    if (poll(&p, 1, 250) <= 0)
      continue;
    char ch;
    if (read(fd, &ch, 1) != 1)
      return "the supervisor ended without a word";
    if (ch != '\n') {
      if (n + 1 < sizeof line)
        line[n++] = ch;
      continue;
    }
    line[n] = '\0';
    n = 0;
    *ours = strncmp(line, "running", 7) != 0;
    if (!*ours || strncmp(line, "started", 7) == 0)
      return NULL;
    if (strncmp(line, "fail ", 5) == 0)
      return arena_strdup(c->a, line + 5);
    if (strncmp(line, "stage ", 6) == 0)
      stage = arena_strdup(c->a, line + 6);
  }
}

static const char ENDED[] = "it ended again";

/* Up is not enough: everybody answers. */
static const char *wait_answers(net_view *v, double limit) {
  cli *c = v->c;
  const char *why;
  for (;;) {
    v->w = net_load(c->a, v->dir, &why);
    net_look(v);
    if (net_all_answer(v))
      return NULL;
    if (v->keeper == 0)
      return ENDED;
    if (clock_seconds() > limit)
      break;
    progress_tick(&v->prog, "waiting for answers");
    pause_ms(20);
  }
  for (unsigned i = 0; i < v->n; i++)
    if (!v->p[i].answers)
      return arena_printf(c->a, "%s does not answer%s%s", v->p[i].name,
                          v->p[i].why[0] != '\0' ? ": " : "", v->p[i].why);
  return "it does not answer";
}

/* Does the network that is here fit the options? */
static bool fits(net_view *v, const ir_target *model, unsigned port) {
  cli *c = v->c;
  chi_protocol p = model->protocol == IR_REP3 ? CHI_REP3 : CHI_SHAMIR;
  if ((c->opt.nodes == NULL || v->w->n == model->n) &&
      (c->opt.protocol == NULL || v->w->protocol == p) &&
      (port == 0 || v->w->ledger_port == port))
    return true;
  diag_report_nowhere(c->dg, DIAG_NET_OTHER, chi_protocol_name(v->w->protocol),
                      v->w->n, v->w->ledger_port);
  return false;
}

static bool make_folders(net_view *v) {
  cli *c = v->c;
  const char *log = net_path(c->a, v->dir, "log");
  if (disk_private(c->a, v->dir) && disk_private(c->a, log))
    return true;
  diag_report_nowhere(c->dg, DIAG_OUTPUT_DIR, v->dir, strerror(errno));
  return false;
}

/* Until it is up and answers; one that just ends is waited for.  NULL, or why
 * not. */
static const char *bring_up(net_view *v, const ir_target *model,
                            double limit) {
  const char *lock = net_path(v->c->a, v->dir, "lock"), *failure;
  for (;;) {
    bool ours = lock_holder(lock) == 0;
    if (ours) {
      int fd = start_keeper(v, model);
      if (fd < 0)
        return strerror(errno);
      failure = follow(v, fd, limit, &ours);
      close(fd); /* before it is up, this ends the supervisor */
      if (failure != NULL)
        break;
    }
    failure = wait_answers(v, limit);
    if (failure == NULL)
      return NULL;
    if (ours && v->keeper > 0)
      kill(v->keeper, SIGTERM);
    if (ours || failure != ENDED)
      break;
  }
  double gone = clock_seconds() + STOP_SECONDS;
  wait_free(v, lock, gone, gone);
  return failure;
}

static int start(cli *c) {
  net_view v = {.c = c, .dir = net_folder(c)};
  ir_target model;
  unsigned timeout = 60, port = 0;
  const char *why = "";
  if (!option_model(c, &model) ||
      (c->opt.timeout != NULL &&
       !opts_number(c, "--timeout", c->opt.timeout, 1, 86400, &timeout)) ||
      !net_port_option(c, model.n, &port))
    return EXIT_USAGE;
  if (v.dir == NULL || !make_folders(&v))
    return report_failure(c);
  v.w = net_load(c->a, v.dir, &why);
  if (v.w == NULL && why[0] != '\0') {
    diag_report_nowhere(c->dg, DIAG_NET_FILE,
                        net_path(c->a, v.dir, "net.json"), why);
    return report_failure(c);
  }
  if (v.w != NULL && !fits(&v, &model, port))
    return report_failure(c);
  progress_begin(&v.prog, c);
  const char *failure = bring_up(&v, &model, clock_seconds() + timeout);
  progress_end(&v.prog);
  if (failure != NULL)
    return start_failed(&v, failure);
  return fits(&v, &model, port) ? net_print(&v, EXIT_FINE) : report_failure(c);
}

int cmd_net(cli *c) {
  static const char *const list[] = {"start", "stop", "status"};
  const char *what = c->opt.arg[0];
  if (strcmp(what, "start") == 0)
    return start(c);
  if (c->opt.nodes != NULL || c->opt.protocol != NULL ||
      c->opt.port != NULL || c->opt.timeout != NULL)
    return usage_error(c, NULL, "options '--nodes', '--protocol', '--port' and "
                       "'--timeout' belong to 'chi net start'");
  if (strcmp(what, "stop") == 0)
    return stop(c);
  if (strcmp(what, "status") == 0)
    return status(c);
  const char *near = text_near(what, list, 3);
  return usage_error(
      c, near != NULL ? arena_printf(c->a, "Did you mean 'chi net %s'?", near)
                      : NULL,
      "'chi net' takes start, stop or status, not '%s'",
      text_shown(c->a, what, strlen(what)));
}
