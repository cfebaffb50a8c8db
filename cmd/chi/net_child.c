/* The processes of a local network: the ledger, a node.  Descriptor 3 ends when
 * the supervisor wants them gone or is gone itself; on 4 they say "ready", or
 * "fail" and why. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/lock.h"
#include "cmd/chi/net.h"
#include "cmd/chi/proc.h"
#include "ledger/ledger.h"
#include "node/node.h"

enum {
  STOP_FD = 3,
  REPORT_FD = 4,
  LOCK_WAIT_MS = 10000, /* the one before may still be ending */
  DEADLINE_MS = 5000
};

static void say(const char *line) {
  ssize_t k = write(REPORT_FD, line, strlen(line));
  (void)k;
}

static void ready(void) { say("ready\n"); }

static int failed(cli *c, const char *why) {
  struct tm tm;
  time_t now = time(NULL);
  char at[32] = "";
  if (gmtime_r(&now, &tm) != NULL)
    strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S", &tm);
  fprintf(stderr, "%s fail: %s\n", at, why);
  say(arena_printf(c->a, "fail %s\n", why));
  return EXIT_NETWORK;
}

/* What both processes do first; NULL after failed(). */
static net *enter(cli *c, const char *lock) {
  const char *dir = c->opt.dir, *why;
  signal(SIGPIPE, SIG_IGN);
  proc_no_core();
  if (fcntl(STOP_FD, F_SETFD, FD_CLOEXEC) != 0 ||
      fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) != 0) {
    usage_error(c, NULL, "this process belongs to 'chi net start'");
    return NULL;
  }
  net *w = net_load(c->a, dir, &why);
  if (w == NULL)
    failed(c, why[0] != '\0' ? why : "there is no network");
  else if (!lock_take(lock, LOCK_WAIT_MS))
    failed(c, errno == EAGAIN ? "another process does its work"
                              : strerror(errno));
  else
    return w;
  return NULL;
}

static int listen_or_fail(cli *c, uint16_t port) {
  int fd = net_listen(port);
  if (fd < 0)
    failed(c, arena_printf(c->a, "could not listen on %s:%u: %s", NET_HOST,
                           port, strerror(errno)));
  return fd;
}

int cmd_ledger_process(cli *c) {
  if (c->opt.dir == NULL)
    return usage_error(c, NULL, "option '--dir' is missing");
  net *w = enter(c, net_path(c->a, c->opt.dir, "ledger.lock"));
  if (w == NULL)
    return EXIT_NETWORK;
  ledger *l = NULL;
  const char *why = "";
  ledger_status st = ledger_open(&l, c->a, net_path(c->a, w->dir, "ledger.db"),
                                 NULL, &why);
  if (st != LEDGER_OK)
    return failed(c, arena_printf(c->a, "%s: %s", ledger_status_text(st),
                                  why));
  int fd = listen_or_fail(c, w->ledger_port);
  if (fd < 0) {
    l->ops->close(l);
    return EXIT_NETWORK;
  }
  ready();
  int end = ledger_serve(l, fd, STOP_FD, &why);
  close(fd);
  l->ops->close(l);
  return end == 0 ? EXIT_FINE : failed(c, why);
}

/* ---- a node ---- */

static node_peer *peers(cli *c, const net *w) {
  node_peer *p = ARENA_ARR(c->a, node_peer, w->n);
  for (unsigned i = 0; i < w->n; i++) {
    memcpy(p[i].key, w->node[i].key, 32);
    p[i].host = NET_HOST;
    p[i].mesh_port = w->node[i].mesh_port;
    p[i].port = w->node[i].port;
  }
  return p;
}

static chi_identity *own_identity(cli *c, const net *w, unsigned me,
                                  const char **why) {
  uint8_t seed[32], key[32];
  chi_identity *id = NULL;
  if (!net_read_seed(c->a, net_node_path(c->a, w->dir, me, "node.key"), seed,
                     why))
    return NULL;
  chi_status st = chi_identity_from_seed(&id, seed);
  sodium_memzero(seed, sizeof seed);
  if (st != CHI_OK) {
    *why = chi_status_text(st);
    return NULL;
  }
  chi_identity_public(id, key);
  if (memcmp(key, w->node[me].key, 32) == 0)
    return id;
  chi_identity_free(id);
  *why = "node.key is not the key that net.json names";
  return NULL;
}

static int serve_node(cli *c, const net *w, unsigned me, chi_identity *id) {
  const char *why = "", *cache = net_path(c->a, w->dir, "circuits");
  node_config cfg = {.dir = net_node_path(c->a, w->dir, me, "."),
                     .me = me,
                     .n = w->n,
                     .protocol = w->protocol,
                     .peer = peers(c, w),
                     .identity = id,
                     .ledger_host = NET_HOST,
                     .ledger_port = w->ledger_port,
                     .stop_fd = STOP_FD,
                     .deadline_ms = DEADLINE_MS,
                     .include = c->include,
                     .ready = ready,
                     .cache_dir = cache};
  if (!disk_private(c->a, cache))
    return failed(c, arena_printf(c->a, "%s: %s", cache, strerror(errno)));
  cfg.mesh_fd = listen_or_fail(c, w->node[me].mesh_port);
  if (cfg.mesh_fd < 0)
    return EXIT_NETWORK;
  cfg.client_fd = listen_or_fail(c, w->node[me].port);
  bool ok = cfg.client_fd >= 0 &&
            (node_serve(&cfg, 2, &why, c->a) == 0 || failed(c, why) == 0);
  close(cfg.mesh_fd);
  if (cfg.client_fd >= 0)
    close(cfg.client_fd);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

int cmd_node_process(cli *c) {
  unsigned me;
  if (c->opt.dir == NULL || c->opt.index == NULL)
    return usage_error(c, NULL, "options '--dir' and '--index' are missing");
  if (!opts_number(c, "--index", c->opt.index, 0, CHI_PARTIES_MAX - 1, &me))
    return EXIT_USAGE;
  net *w = enter(c, net_node_path(c->a, c->opt.dir, me, "lock"));
  if (w == NULL)
    return EXIT_NETWORK;
  if (me >= w->n)
    return failed(c, "the network has no node of that index");
  const char *why;
  chi_identity *id = own_identity(c, w, me, &why);
  if (id == NULL)
    return failed(c, why);
  int code = serve_node(c, w, me, id);
  chi_identity_free(id);
  return code;
}
