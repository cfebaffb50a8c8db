/* The local network of a folder: ./.chi
 *
 *   net.json       protocol, keys, ports, net id; written last: it makes the
 *                  network complete
 *   ledger.db      the ledger
 *   node-I/        node.key (the seed, mode 0600), store.db
 *   circuits/      compiled circuits, by hash
 *   log/           a file for each process
 *   run.json       what the supervisor last did to whom
 *   lock, ledger.lock, node-I/lock   held by who runs
 */
#ifndef CMD_CHI_NET_H
#define CMD_CHI_NET_H

#include "chi.h"
#include "cmd/chi/cli.h"

#define NET_HOST "127.0.0.1"

typedef struct net_node {
  uint8_t key[32];
  uint16_t port, mesh_port;
} net_node;

typedef struct net {
  const char *dir; /* absolute */
  chi_protocol protocol;
  unsigned n;
  net_node *node;
  uint16_t ledger_port;
  uint8_t id[32];
} net;

/* ---- net_file.c ---- */
/* ./.chi, absolute; NULL after a report. */
const char *net_folder(cli *c);
const char *net_path(arena *a, const char *dir, const char *name);
const char *net_node_path(arena *a, const char *dir, unsigned i,
                          const char *name);
/* NULL with *why; "" where there is no network. */
net *net_load(arena *a, const char *dir, const char **why);
/* The network of this folder; NULL after a report. */
net *net_find(cli *c);
bool net_save(arena *a, const net *w); /* errno */

/* ---- net_make.c ---- */
/* Keys, ports, genesis, ledger: a new network in dir.  `first`: the ledger's
 * port, nodes have the two behind it each; 0: free ones.  NULL with *why. */
net *net_make(arena *a, const char *dir, chi_protocol protocol, unsigned n,
              unsigned first, const char **why);
/* --port of a network of n nodes, 0 without one; false after a report. */
bool net_port_option(cli *c, unsigned n, unsigned *port);
/* A listening socket on a port of the loopback, or -1 and errno. */
int net_listen(uint16_t port);
/* A seed of 32 bytes from its file, or false with *why. */
bool net_read_seed(arena *a, const char *path, uint8_t seed[32],
                   const char **why);

/* ---- net_run.c: the supervisor and what it starts ---- */
int cmd_net_process(cli *c);    /* hidden: --dir, --control */
int cmd_ledger_process(cli *c); /* hidden: --dir */
int cmd_node_process(cli *c);   /* hidden: --dir, --index */

#endif
