/* Processes, signals, the private directory: everything that must be gone when
 * the command ends, however it ends. */
#ifndef CMD_CHI_PROC_H
#define CMD_CHI_PROC_H

#include <poll.h>
#include <sys/types.h>

#include "cmd/chi/cli.h"

/* From here on this process and its children leave no core file: it would hold
 * keys, arguments, shares. */
void proc_no_core(void);
/* From here on SIGINT, SIGTERM and SIGHUP arrive only inside proc_poll. */
void proc_guard(void);
/* The end of that: everything is cleaned up.  A signal that came ends the
 * process now. */
void proc_unguard(void);
/* 0, or the signal that asked the command to end. */
int proc_interrupted(void);
/* poll() that the three signals interrupt (then -1 with EINTR). */
int proc_poll(struct pollfd *p, nfds_t n, int timeout_ms);
enum {
  SPAWN_GROUP = 1, /* in a process group of its own */
  SPAWN_FREE = 2   /* it does not die with this process */
};
/* Forks and runs argv with fd3 and fd4 (or -1) as its descriptors 3 and 4, err
 * (or -1) as standard error, standard input and output at /dev/null.  -1 and
 * errno on failure, exec included. */
pid_t proc_spawn(const char *const *argv, int fd3, int fd4, int err,
                 unsigned how, const char *tmpdir);
/* "killed by signal 9", "exit code 1" of a reaped process. */
const char *proc_status_text(arena *a, int status);

/* A directory only this user can enter; NULL after a report. */
char *tmp_make(cli *c);
void tmp_remove(const char *dir); /* with the files in it; NULL is fine */

/* Progress on a terminal, once a second has passed. */
typedef struct progress {
  bool on, shown;
  double start;
  const char *stage;
} progress;
void progress_begin(progress *p, const cli *c);
void progress_tick(progress *p, const char *stage);
void progress_end(progress *p);
double clock_seconds(void); /* monotonic */

#endif
