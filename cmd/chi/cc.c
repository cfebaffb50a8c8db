#define _GNU_SOURCE
#include "cmd/chi/cc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 32, JOBS_MAX = 16 };

/* CC may hold options: "ccache gcc". */
static size_t compiler(cli *c, const char **argv) {
  const char *cc = getenv("CC");
  size_t n = 0;
  if (cc == NULL || strspn(cc, " \t") == strlen(cc))
    cc = "cc";
  for (const char *p = cc + strspn(cc, " \t"); *p != '\0' && n < 16;) {
    size_t k = strcspn(p, " \t");
    argv[n++] = arena_strndup(c->a, p, k);
    p += k;
    p += strspn(p, " \t");
  }
  return n;
}

static bool start(cli *c, const char *dir, cc_job *j) {
  const char *argv[ARGS_MAX];
  size_t n = compiler(c, argv);
  int pipe_fd[2];
  argv[n++] = "-std=c11";
  argv[n++] = "-O2";
  argv[n++] = "-fPIC";
  argv[n++] = "-shared";
  argv[n++] = arena_printf(c->a, "-I%s", c->include);
  argv[n++] = "-o";
  argv[n++] = j->library;
  argv[n++] = j->source;
  argv[n] = NULL;
  if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "make a pipe", strerror(errno));
    return false;
  }
  j->pid = proc_spawn(argv, -1, -1, pipe_fd[1], SPAWN_GROUP, dir);
  int why = errno;
  close(pipe_fd[1]);
  if (j->pid < 0) {
    close(pipe_fd[0]);
    diag_report_nowhere(c->dg, DIAG_CC_MISSING, argv[0], strerror(why));
    diag_hint(c->dg, "Install a C compiler or name one in the environment "
                     "variable CC; --clear needs none.");
    return false;
  }
  j->err = pipe_fd[0];
  return true;
}

/* Reads what the compiler says; at the end of it, reaps it. */
static void drain(cc_job *j) {
  char chunk[4096];
  ssize_t k = read(j->err, chunk, sizeof chunk);
  if (k > 0) {
    if (j->text.n < 65536)
      buf_write(&j->text, chunk, (size_t)k);
    return;
  }
  if (k < 0 && errno == EINTR)
    return;
  close(j->err);
  while (waitpid(j->pid, &j->status, 0) < 0 && errno == EINTR)
    ;
  j->pid = 0;
  j->done = true;
}

static void stop(cc_job *j) {
  if (j->pid <= 0)
    return;
  kill(-j->pid, SIGKILL);
  kill(j->pid, SIGKILL);
  close(j->err);
  while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  j->pid = 0;
}

static void report(cli *c, cc_job *j) {
  size_t n = j->text.n < 600 ? j->text.n : 600;
  const char *said = n == 0 ? proc_status_text(c->a, j->status)
                            : arena_strndup(c->a, j->text.p, n);
  const char *line = arena_strndup(c->a, said, strcspn(said, "\n"));
  diag_report_nowhere(c->dg, DIAG_CC_FAILED, line);
  if (getenv("CC") != NULL)
    diag_hint(c->dg, "Does it work without CC=%s in the environment? If not, "
                     "please report it with the source file.",
              text_shown(c->a, getenv("CC"), strlen(getenv("CC"))));
  else
    diag_hint(c->dg, "Please report it with the source file; --keep DIR keeps "
                     "the emitted C.");
}

bool cc_run(cli *c, const char *dir, cc_job *job, size_t n, progress *p) {
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  size_t next = 0, running = 0, slots = cpus < 1 ? 1 : (size_t)cpus;
  bool ok = true;
  if (slots > JOBS_MAX)
    slots = JOBS_MAX;
  while (ok && (next < n || running > 0)) {
    while (ok && next < n && running < slots) {
      ok = start(c, dir, &job[next]);
      if (ok) {
        next++;
        running++;
      }
    }
    struct pollfd fd[JOBS_MAX];
    cc_job *who[JOBS_MAX];
    nfds_t k = 0;
    for (size_t i = 0; i < next; i++)
      if (job[i].pid > 0) {
        who[k] = &job[i];
        fd[k++] = (struct pollfd){job[i].err, POLLIN, 0};
      }
    if (!ok || k == 0)
      break;
    progress_tick(p, "compiling");
    if (proc_poll(fd, k, 200) < 0 && proc_interrupted()) {
      ok = false;
      break;
    }
    for (nfds_t i = 0; i < k; i++)
      if (fd[i].revents != 0) {
        drain(who[i]);
        if (who[i]->done) {
          running--;
          if (who[i]->status != 0) {
            report(c, who[i]);
            ok = false;
          }
        }
      }
  }
  for (size_t i = 0; i < n; i++) {
    stop(&job[i]);
    buf_free(&job[i].text);
  }
  return ok;
}
