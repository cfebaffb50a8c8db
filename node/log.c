#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/node_impl.h"

void (*node_barrier)(const char *point);

void nd_barrier(const char *point) {
  if (node_barrier)
    node_barrier(point);
}

uint32_t nd_deadline(const nd *x) {
  return x->cfg->deadline_ms ? x->cfg->deadline_ms : 5000;
}

/* One write a line, so that lines of nodes and threads stay whole. */
void nd_log(const nd *x, const char *format, ...) {
  char line[1200];
  struct timespec ts;
  struct tm tm;
  va_list ap;
  if (x->log < 0)
    return;
  clock_gettime(CLOCK_REALTIME, &ts);
  gmtime_r(&ts.tv_sec, &tm);
  size_t n = strftime(line, 40, "%Y-%m-%dT%H:%M:%S", &tm);
  n += (size_t)snprintf(line + n, 60, ".%03dZ node %u: ",
                        (int)(ts.tv_nsec / 1000000), x->cfg->me);
  va_start(ap, format);
  int k = vsnprintf(line + n, sizeof line - n - 1, format, ap);
  va_end(ap);
  if (k > 0)
    n += (size_t)k < sizeof line - n - 1 ? (size_t)k : sizeof line - n - 2;
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)line[i] < ' ' || line[i] == 127)
      line[i] = ' ';
  line[n++] = '\n';
  ssize_t done = write(x->log, line, n);
  (void)done;
}

void nd_fatal(nd *x, const char *format, ...) {
  char text[1000];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (!x->fatal) {
    x->fatal = arena_strdup(x->a, text);
    nd_log(x, "%s", text);
  }
  atomic_store(&x->stop, true);
}
