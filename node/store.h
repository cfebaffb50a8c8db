/* A node's own store: shares of secret state, sealed arguments that wait for
 * their call, values told to identities.  SQLite, one writer.
 *
 * At rest a share is encrypted (XChaCha20-Poly1305) under a key derived from the
 * node's seed, and bound by the additional data to net, contract, state
 * variable, leaf, version, node index, protocol and lane count: a row that is
 * moved, renamed, or of another node does not open.
 *
 * Versions.  A new share is staged under the call that made it and becomes
 * current when the ledger says that the call is done; before that the old one
 * stays.  At any time, also after kill -9, the store holds for each variable the
 * version that the ledger names, or can make it from the ledger's record.
 */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct store store;
struct chi_identity;

typedef enum {
  STORE_OK = 0,
  STORE_MISSING,  /* no share of that variable and version */
  STORE_OLDER,    /* the newest is of an older version: `detail` says which */
  STORE_FOREIGN,  /* it does not open: changed, or of another place */
  STORE_SHAPE,    /* another number of lanes */
  STORE_FAILED    /* SQLite, the disk */
} store_status;

typedef struct store_place {
  uint8_t net[32], contract[32];
  const char *leaf; /* "$salary" */
  uint64_t version;
} store_place;

/* Opens or makes the file.  The key is derived from the identity's seed. */
store_status store_open(store **out, const char *path,
                        const struct chi_identity *id, unsigned node,
                        uint8_t protocol, arena *a, const char **why);
void store_close(store *s);

/* One leaf: planes words of `lanes` each, rep3: 2, shamir: 1. */
store_status store_load(store *s, const store_place *p, uint64_t *words,
                        size_t planes, size_t lanes, const char **why);

/* Everything that a call leaves, in one durable transaction. */
typedef struct store_share {
  const char *leaf;
  const uint64_t *words;
  size_t planes, lanes;
} store_share;
typedef struct store_told {
  uint8_t to[32];
  uint32_t output;
  const char *name; /* of the told leaf: "result" */
  uint64_t lanes;
  const uint8_t *box;
  size_t box_bytes;
} store_told;
store_status store_stage(store *s, const uint8_t net[32],
                         const uint8_t contract[32], uint64_t call,
                         const store_share *share, size_t nshare,
                         const store_told *told, size_t ntold,
                         const char **why);
/* The call is done: its staged shares become version `call`, older versions of
 * the same leaves go, told values can be fetched.  Repeating it is harmless. */
store_status store_promote(store *s, uint64_t call, const char **why);
/* The call came to nothing. */
store_status store_discard(store *s, uint64_t call, const char **why);
/* Calls with something staged, ascending, in `a`. */
store_status store_staged(store *s, arena *a, uint64_t **call, size_t *n,
                          const char **why);

/* Sealed arguments: kept until their call ends, at most for a day and at most
 * 256 MiB in all, oldest first out. */
store_status store_put_sealed(store *s, const uint8_t session[32],
                              const uint8_t *p, size_t n, const char **why);
store_status store_get_sealed(store *s, arena *a, const uint8_t session[32],
                              uint8_t **p, size_t *n, const char **why);
store_status store_drop_sealed(store *s, const uint8_t session[32],
                               const char **why);

/* Values told to an identity, with the run they come from. */
typedef struct store_letter {
  uint64_t call;
  uint8_t contract[32], session[32];
  uint32_t output;
  const char *name;
  uint64_t lanes;
  const uint8_t *box;
  size_t box_bytes;
} store_letter;
store_status store_letters(store *s, arena *a, const uint8_t to[32],
                           uint64_t after_call, store_letter **out, size_t *n,
                           const char **why);

/* The last ledger record this node has seen: a ledger that lost it is found. */
store_status store_seen(store *s, uint64_t *seq, uint8_t hash[32],
                        const char **why);
store_status store_set_seen(store *s, uint64_t seq, const uint8_t hash[32],
                            const char **why);

#endif
