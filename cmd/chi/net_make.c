/* The first start of a network: keys, ports, genesis. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/net.h"
#include "ledger/ledger.h"

/* A call that opens nothing for this long is given up. */
enum { LOCK_MS = 60000 };

/* ---- ports ---- */

static int bound_socket(uint16_t port, bool again) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if ((!again || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ==
                     0) &&
      bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
    return fd;
  int why = errno;
  close(fd);
  errno = why;
  return -1;
}

int net_listen(uint16_t port) {
  int fd = bound_socket(port, true);
  if (fd >= 0 && listen(fd, 128) != 0) {
    int why = errno;
    close(fd);
    errno = why;
    return -1;
  }
  return fd;
}

/* Free ones below those that the system gives to outgoing connections, so that
 * they are still free at the next start; or the n from `first` on. */
static bool choose_ports(arena *a, uint16_t *port, unsigned n, unsigned first,
                         const char **why) {
  enum { LOW = 10240, HIGH = 32768, TRIES = 2000 };
  int fd[2 * CHI_PARTIES_MAX + 1];
  unsigned k = 0;
  *why = "there are not enough free ports";
  for (unsigned t = 0; t < TRIES && k < n; t++) {
    uint16_t p = (uint16_t)(first ? first + k
                                  : LOW + randombytes_uniform(HIGH - LOW));
    fd[k] = bound_socket(p, first != 0);
    if (fd[k] >= 0) {
      port[k++] = p;
    } else if (first) {
      *why = arena_printf(a, "port %u: %s", p, strerror(errno));
      break;
    }
  }
  for (unsigned i = 0; i < k; i++)
    close(fd[i]);
  return k == n;
}

bool net_port_option(cli *c, unsigned n, unsigned *port) {
  return c->opt.port == NULL || opts_number(c, "--port", c->opt.port, 1024,
                                            UINT16_MAX - 2 * n, port);
}

/* ---- keys ---- */

bool net_read_seed(arena *a, const char *path, uint8_t seed[32],
                   const char **why) {
  size_t n;
  char *p = disk_read(a, path, 32, &n);
  *why = p == NULL ? arena_printf(a, "%s: %s", path, strerror(errno))
         : n != 32 ? arena_printf(a, "%s: a node's key has 32 bytes", path)
                   : NULL;
  if (*why != NULL)
    return false;
  memcpy(seed, p, 32);
  sodium_memzero(p, 32);
  return true;
}

/* Seeds that an interrupted start left are used. */
static bool make_key(arena *a, const char *dir, unsigned i, uint8_t key[32],
                     chi_identity **id, const char **why) {
  const char *path = net_node_path(a, dir, i, "node.key");
  uint8_t seed[32];
  randombytes_buf(seed, sizeof seed);
  bool ok = disk_private(a, net_node_path(a, dir, i, ".")) &&
            (disk_put(a, path, seed, sizeof seed, 0600, true) ||
             errno == EEXIST);
  if (!ok)
    *why = arena_printf(a, "%s: %s", path, strerror(errno));
  ok = ok && net_read_seed(a, path, seed, why);
  chi_status st = ok ? chi_identity_from_seed(id, seed) : CHI_OK;
  if (st != CHI_OK)
    *why = chi_status_text(st);
  sodium_memzero(seed, sizeof seed);
  if (!ok || st != CHI_OK)
    return false;
  chi_identity_public(*id, key);
  return true;
}

/* ---- genesis ---- */

static bool make_ledger(arena *a, net *w, const chi_identity *first,
                        const char **why) {
  const char *path = net_path(a, w->dir, "ledger.db");
  tx t = {.kind = TX_GENESIS};
  uint8_t (*key)[32] = arena_array(a, w->n, 32);
  size_t n = 0;
  for (unsigned i = 0; i < w->n; i++)
    memcpy(key[i], w->node[i].key, 32);
  t.u.genesis.protocol = (uint8_t)w->protocol;
  t.u.genesis.n = w->n;
  t.u.genesis.key = key;
  t.u.genesis.lock_ms = LOCK_MS;
  randombytes_buf(t.u.genesis.nonce, sizeof t.u.genesis.nonce);
  uint8_t *p = tx_encode(a, &t, first, &n);
  *why = "the genesis cannot be written down";
  if (p == NULL || ledger_create(path, p, n, why, a) != LEDGER_OK)
    return false;
  ledger *l = NULL;
  ledger_answer head = {0};
  if (ledger_open(&l, a, path, NULL, why) != LEDGER_OK)
    return false;
  ledger_query q = {.kind = READ_HEAD};
  bool ok = l->ops->read(l, a, &q, &head) == LEDGER_OK;
  *why = head.why;
  memcpy(w->id, head.net, 32);
  l->ops->close(l);
  return ok;
}

net *net_make(arena *a, const char *dir, chi_protocol protocol, unsigned n,
              unsigned first, const char **why) {
  chi_identity *id[CHI_PARTIES_MAX] = {NULL};
  uint16_t port[2 * CHI_PARTIES_MAX + 1];
  net *w = ARENA_NEW(a, net);
  *w = (net){.dir = dir, .protocol = protocol, .n = n};
  w->node = ARENA_ARR(a, net_node, n);
  bool ok = choose_ports(a, port, 2 * n + 1, first, why);
  w->ledger_port = port[0];
  for (unsigned i = 0; ok && i < n; i++) {
    w->node[i].port = port[2 * i + 1];
    w->node[i].mesh_port = port[2 * i + 2];
    ok = make_key(a, dir, i, w->node[i].key, &id[i], why);
  }
  ok = ok && make_ledger(a, w, id[0], why);
  if (ok && !net_save(a, w)) {
    *why = arena_printf(a, "net.json: %s", strerror(errno));
    ok = false;
  }
  for (unsigned i = 0; i < n; i++)
    chi_identity_free(id[i]);
  return ok ? w : NULL;
}
