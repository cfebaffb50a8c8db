/* The system's C compiler on emitted code. */
#ifndef CMD_CHI_CC_H
#define CMD_CHI_CC_H

#include "cmd/chi/proc.h"

typedef struct cc_job {
  const char *source, *library; /* paths */
  pid_t pid;
  int err;
  buf text; /* what it said */
  int status;
  bool done;
} cc_job;

/* Compiles n sources to shared objects, several at a time, temporary files in
 * dir.  False after a report, or when a signal came; no child is left. */
bool cc_run(cli *c, const char *dir, cc_job *job, size_t n, progress *p);

#endif
