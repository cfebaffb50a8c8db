/* Transactions: what a ledger accepts, as bytes that are signed.
 *
 * A transaction is canonical: one value has one encoding, and what does not
 * encode back to the same bytes is refused.  All numbers are big-endian,
 * lengths come before what they measure (codec.h).
 *
 *   magic "CHTX" | version 1 | kind | net id 32 | sender key 32 | counter u64
 *   | body | Ed25519 signature 64
 *
 * The signature covers the label "chirograph transaction v1" and everything
 * before it.  The net's id is the hash of its genesis, which itself has zeros
 * there.  counter: 1, 2, .. for deploy and call, each used once, whatever
 * became of the transaction; 0 for genesis, votes and expiries.
 */
#ifndef LEDGER_TX_H
#define LEDGER_TX_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct chi_identity; /* runtime: chi.h */

typedef enum {
  TX_GENESIS = 1, /* what the net is: record 1, signed by its first node */
  TX_DEPLOY = 2,
  TX_CALL = 3,
  TX_VOTE = 4,    /* a node's word on a pending call */
  TX_EXPIRE = 5   /* the ledger's own: a lock ran out; unsigned */
} tx_kind;

enum {
  TX_NODES_MAX = 64,
  TX_NAME_MAX = 255,    /* bytes of a contract's, action's, leaf's name */
  TX_WHY_MAX = 1000,    /* bytes of a reason */
  TX_VALUES_MAX = 1024, /* named values in one list */
  TX_LANES_MAX = 1 << 20, /* in one list */
  TX_LANE_BITS_MAX = 1024,
  TX_BYTES_MAX = 32 << 20,
  TX_STEPS_DEFAULT = 10 * 1000 * 1000,
  TX_STEPS_MAX = 1000 * 1000 * 1000
};
#define TX_LOCK_MS_MAX ((uint64_t)30 * 24 * 3600 * 1000) /* 30 days */

/* A named array of integers: an argument, a state leaf, an opened value. */
typedef struct tx_value {
  const char *name;
  uint64_t n;
  mpz_t *lane; /* |lane| < 2^TX_LANE_BITS_MAX; decoded ones live in the arena
                  and are only read */
} tx_value;

typedef struct tx_values {
  tx_value *p;
  uint32_t n;
} tx_values;

typedef struct tx {
  tx_kind kind;
  uint8_t net[32], sender[32];
  uint64_t counter;
  union {
    struct {
      uint8_t protocol; /* chi_protocol */
      uint32_t n;
      uint8_t (*key)[32];
      uint64_t lock_ms; /* how long a pending call may hold its lock: 1 ms to
                           TX_LOCK_MS_MAX */
      uint64_t step_budget; /* of one public part of a call: instructions and
                               lanes; 0: TX_STEPS_DEFAULT */
      uint8_t nonce[32];
    } genesis;
    struct {
      const char *package; /* package_bytes of contract.h's JSON */
      size_t package_bytes;
      tx_values args;      /* leaves of the contract's parameters */
    } deploy;
    struct {
      uint8_t contract[32]; /* instance */
      const char *action;
      tx_values args;       /* public leaves of parameters */
      uint32_t nsealed;     /* 0, or the number of nodes */
      uint8_t (*sealed)[32]; /* SHA-256 of what each node was sent */
    } call;
    struct {
      uint64_t call;   /* seq of the pending record */
      uint32_t node;   /* index */
      bool commit;
      const char *why; /* of an abort: one sentence; "" else */
      int32_t status;  /* of an abort: chi_status, or 0 */
      tx_values opened;      /* "!0".. in the circuit's order */
      uint64_t rounds, bytes; /* counted in the run */
      uint64_t told;          /* values told to identities */
    } vote;
    struct {
      uint64_t call;
    } expire;
  } u;
  uint8_t signature[64];
} tx;

/* Encodes and signs (id NULL: expire, no signature; sender is filled from id).
 * Result in `a`; NULL if a limit is broken. */
uint8_t *tx_encode(arena *a, tx *t, const struct chi_identity *id,
                   size_t *bytes);
/* Decodes; strings and lanes in `a`.  False with one sentence in *why. */
bool tx_decode(arena *a, const uint8_t *p, size_t n, tx *out,
               const char **why);
/* Is the signature at the end of p the sender's? */
bool tx_signed(const uint8_t *p, size_t n, const tx *t);
/* SHA-256 of the bytes. */
void tx_hash(const uint8_t *p, size_t n, uint8_t out[32]);

/* Which run a call is, for sealed arguments and nodes: SHA-256 of the label
 * "chirograph run v1", net, contract, caller, counter. */
void tx_session(uint8_t out[32], const uint8_t net[32],
                const uint8_t contract[32], const uint8_t caller[32],
                uint64_t counter);
/* The instance that a deploy makes: SHA-256 of "chirograph instance v1", net,
 * package hash, sender, counter. */
void tx_instance(uint8_t out[32], const uint8_t net[32],
                 const uint8_t package[32], const uint8_t sender[32],
                 uint64_t counter);
/* What a node is sent for a call: its sealed boxes in the order of the
 * circuit's secret parameter inputs, each after its length as u32; the digest
 * is the SHA-256 of "chirograph sealed v1" and these bytes. */
void tx_sealed_digest(uint8_t out[32], const uint8_t *p, size_t n);

const tx_value *tx_find(const tx_values *v, const char *name);
const char *tx_kind_name(tx_kind k); /* "genesis", "deploy" .. */

#endif
