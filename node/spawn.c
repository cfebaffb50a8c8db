#define _GNU_SOURCE
#include "node/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { WORDS_MAX = 64, SAID_MAX = 64 << 10, TURN_MS = 50 };

extern char **environ;

const char **spawn_compiler(arena *a, const char *const *more) {
  const char *cc = getenv("CC");
  const char **argv = ARENA_ARR(a, const char *, WORDS_MAX + 1);
  size_t n = 0;
  if (!cc || strspn(cc, " \t") == strlen(cc))
    cc = "cc";
  for (const char *p = cc + strspn(cc, " \t"); *p && n < WORDS_MAX / 2;) {
    size_t k = strcspn(p, " \t");
    argv[n++] = arena_strndup(a, p, k);
    p += k;
    p += strspn(p, " \t");
  }
  for (; *more && n < WORDS_MAX; more++)
    argv[n++] = *more;
  return argv;
}

static const char **environment(arena *a, const char *tmp) {
  size_t n = 0, k = 0;
  while (environ[n])
    n++;
  const char **env = ARENA_ARR(a, const char *, n + 2);
  for (size_t i = 0; i < n; i++)
    if (!tmp || strncmp(environ[i], "TMPDIR=", 7) != 0)
      env[k++] = environ[i];
  if (tmp)
    env[k++] = arena_printf(a, "TMPDIR=%s", tmp);
  return env;
}

/* An error number, 0 if it runs. */
static int start(arena *a, const char *const *argv, const char *tmp,
                 int stream, int out, pid_t *pid) {
  posix_spawn_file_actions_t act;
  posix_spawnattr_t attr;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  if (posix_spawn_file_actions_init(&act) != 0)
    return ENOMEM;
  if (posix_spawnattr_init(&attr) != 0) {
    posix_spawn_file_actions_destroy(&act);
    return ENOMEM;
  }
  int rc = posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY, 0);
  if (!rc)
    rc = posix_spawn_file_actions_adddup2(&act, out, stream);
  if (!rc)
    rc = posix_spawn_file_actions_addopen(&act, 3 - stream, "/dev/null",
                                          O_WRONLY, 0);
  /* listening sockets and the store stay here */
  if (!rc)
    rc = posix_spawn_file_actions_addclosefrom_np(&act, 3);
  if (!rc)
    rc = posix_spawnattr_setsigmask(&attr, &none);
  if (!rc)
    rc = posix_spawnattr_setsigdefault(&attr, &all);
  if (!rc)
    rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
                                             POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
  if (!rc)
    rc = posix_spawnp(pid, argv[0], &act, &attr, (char *const *)argv,
                      (char *const *)environment(a, tmp));
  posix_spawnattr_destroy(&attr);
  posix_spawn_file_actions_destroy(&act);
  return rc;
}

/* Reads until the other end is closed; false if it had to be given up. */
static bool listen_to(int fd, int timeout_ms, const atomic_bool *stop,
                      buf *said) {
  char chunk[4096];
  int64_t end = clock_ms() + timeout_ms;
  while (!atomic_load(stop) && clock_ms() < end) {
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, TURN_MS) <= 0)
      continue;
    ssize_t k = read(fd, chunk, sizeof chunk);
    if (k == 0 || (k < 0 && errno != EINTR && errno != EAGAIN))
      return true;
    if (k > 0 && said->n < SAID_MAX)
      buf_write(said, chunk, (size_t)k);
  }
  return false;
}

const char *spawn_run(arena *a, const char *const *argv, const char *tmp,
                      int stream, int timeout_ms, const atomic_bool *stop,
                      buf *said) {
  int fd[2], status = 0;
  pid_t pid;
  if (pipe2(fd, O_CLOEXEC) != 0)
    return arena_printf(a, "no pipe: %s", strerror(errno));
  int rc = start(a, argv, tmp, stream, fd[1], &pid);
  close(fd[1]);
  if (rc != 0) {
    close(fd[0]);
    return arena_printf(a, "%s could not be started: %s", argv[0],
                        strerror(rc));
  }
  bool ended = listen_to(fd[0], timeout_ms, stop, said);
  close(fd[0]);
  if (!ended)
    kill(-pid, SIGKILL);
  while ((rc = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
    ;
  if (!ended)
    return atomic_load(stop) ? "the node stops"
                             : arena_printf(a, "%s took longer than %d s",
                                            argv[0], timeout_ms / 1000);
  if (rc == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return NULL;
  if (rc == pid && WIFSIGNALED(status))
    return arena_printf(a, "%s was killed by signal %d", argv[0],
                        WTERMSIG(status));
  return arena_printf(a, "%s ended with code %d", argv[0],
                      rc == pid ? WEXITSTATUS(status) : -1);
}
