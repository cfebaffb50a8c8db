/* Expansion of pair keys into field elements, addressed by index.
 *
 * One stream belongs to one (pair of parties, direction, purpose).  Element i
 * of w words is made of words i w .. i w + w - 1 of AES-128-CTR, cut to the
 * bits that p has; a number that is p or more is replaced by the first of
 * F'(retry key, i, attempt) that is below: exactly uniform, and both holders
 * stay in step without a word.  Callers advance an index by the rounded-up
 * number of elements and never go back.
 */
#ifndef CHII_PRG_H
#define CHII_PRG_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "field.h"

/* What a stream is for; part of its key. */
typedef enum chii_purpose {
  CHII_REDUCE = 1,   /* rep3 zero shares; shamir seeded points of degree t */
  CHII_DOUBLE = 2,   /* shamir, n >= 6: seeded points of degree 2t */
  CHII_INPUT = 3,    /* inputs dealt by a node */
  CHII_OPEN_TAG = 4, /* rep3 one-time keys of opening tags */
  CHII_INPUT_TAG = 5, /* rep3 tags of client inputs */
  CHII_BITS = 6,      /* words of bits: rep3 zero shares; shamir seeded points
                         in GF(2^8) */
  CHII_CONVERT = 7,   /* elements that bits become */
  CHII_PERM = 8,      /* words that permutations are made of */
  CHII_SHUFFLE = 9    /* masks of what is shuffled */
} chii_purpose;

#define CHII_PAIR_KEY_BYTES 32

typedef struct chii_prg {
  EVP_CIPHER_CTX *ctx;
  uint64_t block; /* next block of the running CTR stream */
  uint8_t retry[32];
  uint8_t from, to, purpose;
#ifdef CHI_TEST_HOOKS
  uint8_t holder; /* the party that expands, for the index check of tests */
#endif
} chii_prg;

/* Key bytes for one use of a pair key: keyed BLAKE2b over label, direction and
 * purpose.  At most 64 bytes. */
void chii_derive(uint8_t *out, size_t out_bytes,
                 const uint8_t key[CHII_PAIR_KEY_BYTES], unsigned from,
                 unsigned to, chii_purpose purpose);

/* Makes the stream of one direction of a pair; false if OpenSSL fails. */
bool chii_prg_init(chii_prg *g, const uint8_t key[CHII_PAIR_KEY_BYTES],
                   unsigned from, unsigned to, chii_purpose purpose);
void chii_prg_fini(chii_prg *g);

/* out[j] = element index + j, j < n; index even.  Allocates nothing.  Takes
 * the time of n rounded up to even. */
bool chii_prg_fill(const chii_field *f, chii_prg *g, uint64_t *out,
                   uint64_t index, size_t n);

/* The same with words, and all 64 bits of each. */
bool chii_prg_words(chii_prg *g, uint64_t *out, uint64_t index, size_t n);

static inline uint64_t chii_prg_round(uint64_t n) {
  return (n + 1) & ~UINT64_C(1);
}

#ifdef CHI_TEST_HOOKS
/* Tests only: called for every fill, of elements or (CHII_BITS, CHII_PERM) of
 * words; returns true if it wrote out itself. */
typedef bool (*chii_prg_hook)(void *user, unsigned holder, unsigned from,
                              unsigned to, unsigned purpose, uint64_t *out,
                              uint64_t index, size_t n);
extern chii_prg_hook chii_test_prg;
extern void *chii_test_prg_user;
#endif

#endif
