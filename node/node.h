/* A node of a network: watches the ledger, runs the circuits of pending calls
 * with its peers, keeps its shares, votes.
 *
 * One call at a time, in the ledger's order.  For a pending call it
 *   1 checks the caller's signature, the package's hash and that the circuit is
 *     the one it compiled from that package;
 *   2 takes its sealed arguments from the store and compares their digest with
 *     the one the caller signed;
 *   3 loads its shares at the versions the ledger names;
 *   4 meets its peers (TLS 1.3, pinned keys) and hears from each that it means
 *     the same call and is ready; a node that failed in 1..3 meets them too,
 *     says so, votes and leaves, so that nobody waits and its reason stands;
 *   5 notes durably that the run begins, which it may do once; agrees on
 *     circuit, public inputs, session; consistency of all shares is checked
 *     before anything is opened; runs;
 *   6 stages the new shares and told values durably;
 *   7 votes.  From a vote to commit on it waits for the ledger's word.
 * When it starts it goes on behind the last record it has seen: promotes or
 * discards what is staged as the ledger says, votes again for what is staged
 * and pending, and votes to abort what it had begun and did not stage.  A
 * ledger that lost the last record seen was rolled back: the node does not
 * serve it.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/arena.h"
#include "chi.h"
#include "ledger/ledger.h"
#include "node/letter.h"

typedef struct node_peer {
  uint8_t key[32];
  const char *host;   /* numeric */
  uint16_t mesh_port; /* node to node */
  uint16_t port;      /* callers to node */
} node_peer;

typedef struct node_config {
  const char *dir;    /* store.db, circuits/ */
  unsigned me, n;
  chi_protocol protocol;
  const node_peer *peer;
  const chi_identity *identity;
  const char *ledger_host;
  uint16_t ledger_port;
  int mesh_fd, client_fd; /* listening */
  int stop_fd;            /* end of file: stop */
  uint32_t deadline_ms;   /* silence of a peer; 0: 5000 */
  const char *include;    /* folder of chi.h, chi_gen.h, for the C compiler */
  /* Compiled circuits by hash, shared by the nodes of one machine. */
  const char *cache_dir;
  void (*ready)(void); /* or NULL: once it serves, and the ledger is its own */
} node_config;

/* Runs until stop_fd ends.  0, or -1 with *why, in `a`.  One line per event on
 * `log` (a file descriptor; -1: none); never a secret. */
int node_serve(const node_config *cfg, int log, const char **why, arena *a);

/* Points where tests kill a node: called with the point's name, in the thread
 * of node_serve; NULL, the default: nobody.  pending-seen, inputs-ready,
 * connected, started, ran, staged, voted, promoted. */
extern void (*node_barrier)(const char *point);

/* What libchi says of parties, in words of nodes. */
const char *node_words(arena *a, const char *detail);

/* ---- client.c: what callers say to a node; false with *why, in `a` ---- */

enum { NODE_DEPOSIT_MAX = 64 << 20 }; /* bytes of sealed arguments of a call */

/* What one node gets: sealed arguments of a call. */
typedef struct node_parcel {
  const char *host;
  uint16_t port;
  const uint8_t *p;
  size_t n;
  const char *why; /* NULL: it is durable there */
} node_parcel;
/* Gives n nodes, at most CHI_PARTIES_MAX, their sealed arguments of a call that
 * will be submitted, all at once: none that hangs costs more than timeout_ms in
 * all. */
bool node_deposit(arena *a, const uint8_t session[32], node_parcel *p, size_t n,
                  int timeout_ms);
/* Values told to the holder of `id`, from calls after `after`; the node checks
 * a signature on a fresh challenge. */
bool node_letters(arena *a, const char *host, uint16_t port,
                  const chi_identity *id, uint64_t after, node_letter **out,
                  size_t *n, const char **why);
/* JSON: {"node": index, "seen": seq of the last record, "leaves":
 * [{"contract": hex, "leaf", "version", "lanes"}]}: which shares it holds. */
bool node_status(arena *a, const char *host, uint16_t port, const char **json,
                 const char **why);
/* The same of n nodes, at most CHI_PARTIES_MAX, at once; false if one is
 * silent. */
typedef struct node_view {
  const char *host;
  uint16_t port;
  const char *json; /* NULL: why not */
  const char *why;
} node_view;
bool node_status_all(arena *a, node_view *p, size_t n, int timeout_ms);

#endif
