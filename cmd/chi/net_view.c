#define _GNU_SOURCE
#include "cmd/chi/net_view.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/lock.h"
#include "ledger/ledger.h"
#include "node/node.h"

enum { RUN_FILE_MAX = 1 << 20, PATIENCE_SECONDS = 3 };

/* ---- looking ---- */

static void look_processes(net_view *v) {
  cli *c = v->c;
  size_t n;
  char *text = disk_read(c->a, net_path(c->a, v->dir, "run.json"),
                         RUN_FILE_MAX, &n);
  json_t *o = text != NULL ? json_loadb(text, n, 0, NULL) : NULL;
  const json_t *list = json_object_get(o, "processes");
  for (unsigned i = 0; i < v->n; i++) {
    const json_t *x = json_array_get(list, i);
    const char *state = json_string_value(json_object_get(x, "state"));
    const char *why = json_string_value(json_object_get(x, "why"));
    net_part *p = &v->p[i];
    if (v->keeper == 0 || state == NULL)
      continue;
    p->state = arena_strdup(c->a, state);
    p->why = arena_strdup(c->a, why != NULL ? why : "");
    p->pid = (long)json_integer_value(json_object_get(x, "pid"));
    p->restarts =
        (unsigned)json_integer_value(json_object_get(x, "restarts"));
  }
  json_decref(o);
}

static void ask_ledger(net_view *v, net_part *p) {
  cli *c = v->c;
  ledger *l;
  const char *why = "";
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer head = {0};
  if (ledger_connect(&l, c->a, NET_HOST, p->port, &why) != LEDGER_OK) {
    p->why = p->why[0] != '\0' ? p->why : why;
    return;
  }
  if (l->ops->read(l, c->a, &q, &head) == LEDGER_OK) {
    p->answers = memcmp(head.net, v->w->id, 32) == 0;
    p->seen = head.seq;
    if (!p->answers)
      p->why = "it is the ledger of another network";
  }
  l->ops->close(l);
}

static void ask_node(net_view *v, net_part *p) {
  const char *text, *why = "";
  if (!node_status(v->c->a, NET_HOST, p->port, &text, &why)) {
    p->why = p->why[0] != '\0' ? p->why : why;
    return;
  }
  json_t *o = json_loads(text, 0, NULL);
  p->answers = json_is_integer(json_object_get(o, "seen"));
  p->seen = (uint64_t)json_integer_value(json_object_get(o, "seen"));
  json_decref(o);
}

/* ---- all of them at once: none may keep us waiting ---- */

typedef struct answer {
  bool answers;
  uint64_t seen;
  char why[400];
} answer;

typedef struct question {
  pid_t pid;
  int fd;
} question;

/* A child asks; it can be killed when it takes too long. */
static question ask(net_view *v, unsigned i) {
  int pipe_fd[2];
  question q = {0, -1};
  if (pipe2(pipe_fd, O_CLOEXEC) != 0)
    return q;
  q.pid = fork();
  if (q.pid == 0) {
    answer a = {0};
    net_part *p = &v->p[i];
    if (i == 0)
      ask_ledger(v, p);
    else
      ask_node(v, p);
    a.answers = p->answers;
    a.seen = p->seen;
    snprintf(a.why, sizeof a.why, "%s", p->why);
    _exit(write(pipe_fd[1], &a, sizeof a) == sizeof a ? 0 : 1);
  }
  close(pipe_fd[1]);
  q.fd = pipe_fd[0];
  return q;
}

static void hear(net_view *v, unsigned i, question *q, double limit) {
  net_part *p = &v->p[i];
  answer a;
  double left = limit - clock_seconds();
  struct pollfd fd = {.fd = q->fd, .events = POLLIN};
  int wait_ms = left > 0 ? (int)(left * 1000) : 0;
  bool heard = q->pid > 0 && poll(&fd, 1, wait_ms) > 0 &&
               read(q->fd, &a, sizeof a) == sizeof a;
  if (q->pid > 0) {
    kill(q->pid, SIGKILL);
    waitpid(q->pid, NULL, 0);
  }
  if (q->fd >= 0)
    close(q->fd);
  p->answers = heard && a.answers;
  p->seen = heard ? a.seen : 0;
  if (heard)
    p->why = arena_strdup(v->c->a, a.why);
  else if (p->why[0] == '\0')
    p->why = "it does not answer in time";
}

static void ask_all(net_view *v) {
  question q[CHI_PARTIES_MAX + 1];
  double limit = clock_seconds() + PATIENCE_SECONDS;
  for (unsigned i = 0; i < v->n; i++)
    if (strcmp(v->p[i].state, "up") == 0)
      q[i] = ask(v, i);
  for (unsigned i = 0; i < v->n; i++)
    if (strcmp(v->p[i].state, "up") == 0)
      hear(v, i, &q[i], limit);
}

bool net_all_answer(const net_view *v) {
  unsigned k = 0;
  for (unsigned i = 0; i < v->n; i++)
    k += v->p[i].answers;
  return v->n > 0 && k == v->n;
}

void net_look(net_view *v) {
  cli *c = v->c;
  v->keeper = lock_holder(net_path(c->a, v->dir, "lock"));
  v->n = v->w != NULL ? v->w->n + 1 : 0;
  v->p = ARENA_ARR(c->a, net_part, v->n + 1);
  for (unsigned i = 0; i < v->n; i++)
    v->p[i] = (net_part){
        .name = i == 0 ? "ledger" : arena_printf(c->a, "node-%u", i - 1),
        .state = "stopped",
        .why = "",
        .port = i == 0 ? v->w->ledger_port : v->w->node[i - 1].port};
  look_processes(v);
  if (v->keeper != 0)
    ask_all(v);
}

/* ---- telling ---- */

static const char *state_word(const net_part *p) {
  return strcmp(p->state, "up") != 0 ? p->state
         : p->answers                ? "answers"
                                     : "silent";
}

static void print_json(const net_view *v, buf *b) {
  char hex[65] = "";
  if (v->w != NULL)
    chi_hex(hex, v->w->id, 32);
  buf_printf(b, "{\"running\":%s,\"pid\":%ld,\"folder\":",
             v->keeper != 0 ? "true" : "false", (long)v->keeper);
  text_jsonz(b, v->dir);
  buf_printf(b, ",\"net\":\"%s\",\"protocol\":\"%s\",\"nodes\":%u,"
             "\"processes\":[",
             hex, chi_protocol_name(v->w->protocol), v->w->n);
  for (unsigned i = 0; i < v->n; i++) {
    const net_part *p = &v->p[i];
    buf_printf(b,
               "%s{\"name\":\"%s\",\"pid\":%ld,\"port\":%u,\"state\":\"%s\","
               "\"restarts\":%u,\"last_record\":",
               i > 0 ? "," : "", p->name, p->pid, p->port, state_word(p),
               p->restarts);
    if (p->answers)
      buf_printf(b, "%llu,\"why\":", (unsigned long long)p->seen);
    else
      buf_puts(b, "null,\"why\":");
    text_jsonz(b, p->why);
    buf_putc(b, '}');
  }
  buf_puts(b, "]}\n");
}

static void print_table(const net_view *v, buf *b) {
  buf_printf(b, "%s, %u nodes, in %s: %s\n",
             chi_protocol_name(v->w->protocol), v->w->n, v->dir,
             v->keeper == 0       ? "not running"
             : net_all_answer(v) ? "running"
                             : "not complete");
  if (v->keeper == 0)
    return;
  buf_printf(b, "%-8s %8s %6s  %-8s %12s\n", "process", "pid", "port",
             "state", "last record");
  for (unsigned i = 0; i < v->n; i++) {
    const net_part *p = &v->p[i];
    buf_printf(b, "%-8s %8ld %6u  %-8s ", p->name, p->pid, p->port,
               state_word(p));
    if (p->answers)
      buf_printf(b, "%12llu", (unsigned long long)p->seen);
    else
      buf_printf(b, "%12s", "-");
    if (p->restarts > 0)
      buf_printf(b, "  started again %u time%s", p->restarts,
                 p->restarts == 1 ? "" : "s");
    if (p->why[0] != '\0')
      buf_printf(b, "  %s", p->why);
    buf_putc(b, '\n');
  }
}

int net_print(net_view *v, int code) {
  buf b = {0};
  if (v->c->opt.json)
    print_json(v, &b);
  else
    print_table(v, &b);
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? code : EXIT_NETWORK;
}
