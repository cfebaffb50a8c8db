/* A node's own store: shares of secret state, sealed arguments that wait for
 * their call, values told to identities, runs that were started.  SQLite, one
 * process; its threads may share the handle.
 *
 * At rest a share is encrypted (XChaCha20-Poly1305, random nonce) under a key
 * derived from the node's seed, and bound by the additional data to net,
 * contract, state leaf, version, node index, protocol and lane count: a row
 * that is moved, renamed, or of another node does not open.  Sealed arguments
 * and told values are boxes already.
 *
 * Versions.  A new share is staged under the call that made it and becomes
 * current when the ledger says that the call is done; before that the old one
 * stays.  At any time, also after kill -9, the store holds for each variable
 * the version that the ledger names, or can make it from the ledger's record.
 */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "node/letter.h"

typedef struct store store;
struct chi_identity;

typedef enum {
  STORE_OK = 0,
  STORE_MISSING,  /* no such share, no such argument */
  STORE_OLDER,    /* the newest share is of an older version: *why says which */
  STORE_FOREIGN,  /* it does not open: changed, or of another place */
  STORE_SHAPE,    /* another number of lanes */
  STORE_REPEATED, /* that run was started before */
  STORE_FAILED    /* SQLite, the disk */
} store_status;

/* Every function but the first: *why is set unless the status is STORE_OK, is
 * one sentence that follows "node 2: ", and lives until the next call of the
 * same thread. */

/* Opens or makes the file; `a` holds *why.  STORE_FOREIGN if it is the store
 * of another node, identity or protocol. */
store_status store_open(store **out, const char *path,
                        const struct chi_identity *id, unsigned node,
                        uint8_t protocol, arena *a, const char **why);
void store_close(store *s); /* NULL is allowed */

typedef struct store_place {
  uint8_t net[32], contract[32];
  const char *leaf; /* "$salary" */
  uint64_t version;
} store_place;

/* One leaf: width * lanes words, where width is the protocol's planes (rep3: 2,
 * shamir: 1) times the words of an element.  Zeros unless OK. */
store_status store_load(store *s, const store_place *p, uint64_t *words,
                        size_t width, size_t lanes, const char **why);

/* Which shares are held and current, in `a`. */
typedef struct store_held {
  uint8_t contract[32];
  const char *leaf;
  uint64_t version, lanes;
} store_held;
store_status store_list(store *s, arena *a, store_held **out, size_t *n,
                        const char **why);

/* ---- runs ---- */

/* Before a run begins: its session is used up from here on, whatever becomes of
 * it.  STORE_REPEATED if it was used up before. */
store_status store_start(store *s, const uint8_t session[32], uint64_t call,
                         const char **why);

store_status store_was_started(store *s, const uint8_t session[32],
                               bool *started, const char **why);

typedef struct store_share {
  const char *leaf;
  const uint64_t *words;
  size_t width, lanes;
} store_share;
typedef struct store_told {
  uint8_t to[32];
  uint32_t output;
  const char *name; /* of the told leaf: "result" */
  uint64_t lanes;
  const uint8_t *box;
  size_t box_bytes;
} store_told;

/* Everything that a call leaves. */
typedef struct store_run {
  uint8_t net[32], contract[32], session[32];
  uint64_t call;
  const store_share *share;
  size_t nshare;
  const store_told *told;
  size_t ntold;
  const uint8_t *vote; /* the signed vote to commit, to be cast again */
  size_t vote_bytes;
} store_run;
/* In one durable transaction.  Staging a call again replaces it. */
store_status store_stage(store *s, const store_run *run, const char **why);
/* The vote of a staged call, in `a`; STORE_MISSING if it is not staged. */
store_status store_vote(store *s, arena *a, uint64_t call, uint8_t **vote,
                        size_t *n, const char **why);
/* The call is done: its staged shares become version `call`, older versions of
 * the same leaves go, told values can be fetched.  Repeating it is harmless. */
store_status store_promote(store *s, uint64_t call, const char **why);
/* The call came to nothing. */
store_status store_discard(store *s, uint64_t call, const char **why);
/* Calls with something staged, ascending, in `a`. */
store_status store_staged(store *s, arena *a, uint64_t **call, size_t *n,
                          const char **why);

/* ---- store_mail.c ---- */

/* Sealed arguments: kept until their call ends, at most for a day and at most
 * 256 MiB in all, oldest first out.  Whoever knows a session may send some for
 * it: they are told apart by their digest (tx_sealed_digest). */
enum { STORE_SEALED_MAX = 256 << 20, STORE_SEALED_SECONDS = 86400 };
store_status store_put_sealed(store *s, const uint8_t session[32],
                              const uint8_t digest[32], const uint8_t *p,
                              size_t n, const char **why);
/* STORE_MISSING: none of that session; STORE_FOREIGN: only others. */
store_status store_get_sealed(store *s, arena *a, const uint8_t session[32],
                              const uint8_t digest[32], uint8_t **p, size_t *n,
                              const char **why);
store_status store_drop_sealed(store *s, const uint8_t session[32],
                               const char **why);

/* Values told to an identity, with the run they come from: of promoted calls
 * after `after`, ascending, whole calls, up to `max_bytes` of boxes (but one
 * call at least); *more if there are others. */
store_status store_letters(store *s, arena *a, const uint8_t to[32],
                           uint64_t after, size_t max_bytes,
                           node_letter **out, size_t *n, bool *more,
                           const char **why);

/* The last ledger record this node has seen (seq 0: none): a ledger that lost
 * it is found. */
store_status store_seen(store *s, uint64_t *seq, uint8_t hash[32],
                        const char **why);
store_status store_set_seen(store *s, uint64_t seq, const uint8_t hash[32],
                            const char **why);

#endif
