/* Secret permutations from inside: shuffle.c (the calls of an exchange,
 * permutations from keys), rep3_shuffle.c and shamir_shuffle.c (the rounds).
 *
 * A permutation of rows is an array `from`: row r of the result is row from[r]
 * of the operand.
 */
#ifndef CHII_SHUFFLE_H
#define CHII_SHUFFLE_H

#include "session.h"

#define CHII_PERM_KEY_BYTES 32
#define CHII_SHUFFLE_NODES 8 /* shamir: rounds grow as 2^n */

typedef struct chii_move {
  uint64_t *dst;
  const uint64_t *src;
  uint64_t lanes, row; /* row: lanes of one */
  uint64_t number;     /* of the permutation */
  uint64_t index;      /* of its first mask in the CHII_SHUFFLE streams */
  bool back;           /* by the inverse */
} chii_move;

/* Permutations that are at hand, each for one key. */
typedef struct chii_perm {
  uint32_t *from;
  const uint8_t *key; /* NULL: none */
  uint64_t number, rows;
} chii_perm;
enum { CHII_PERMS = 2 };

/* Moves of one exchange that are alike in direction and turn stand together in
 * the messages, forth before back. */
enum { CHII_GROUPS = 2 * CHI_GEN_TURNS };
static inline unsigned chii_turn(const chii_move *m) {
  return (unsigned)(m->number >> CHI_GEN_TURN_BITS);
}
static inline unsigned chii_group(const chii_move *m) {
  return (m->back ? CHI_GEN_TURNS : 0) + chii_turn(m);
}

typedef struct chii_shuffle {
  chii_move *move;
  uint32_t cap, n;
  uint64_t max_lanes, max_rows;
  uint64_t lanes, seen; /* of the exchange: announced, called */
  uint64_t forth;       /* of them by the permutation itself */
  uint64_t numbers;     /* permutations made */
  uint64_t index;       /* next unused of the CHII_SHUFFLE streams */
  chii_prg words;       /* expands the key of one permutation */
  chii_perm perm[CHII_PERMS];
  unsigned oldest;      /* of perm: made anew next */
  uint64_t start[CHII_GROUPS + 1]; /* of the groups, in lanes */
  uint64_t *out, *in;   /* messages: max_lanes elements; in: of each sender */
  void *state;          /* of the protocol */
} chii_shuffle;

/* The permutation of m's rows that key and number determine, uniform if the
 * key's stream is; NULL after a failure.  Stays for one further call.  id: of
 * those who have the key. */
const uint32_t *chii_perm_get(chi_session *s, const chii_move *m,
                              const uint8_t key[CHII_PERM_KEY_BYTES],
                              unsigned id);
/* out, which is not in: rows of in moved by `from`, or back. */
void chii_permute(const chi_session *s, uint64_t *out, const uint64_t *in,
                  const uint32_t *from, const chii_move *m);

/* Calls f for each move in the order of the messages, `at` being the lanes
 * before it. */
typedef void (*chii_move_step)(chi_session *s, const chii_move *m,
                               uint64_t at);
void chii_each_move(chi_session *s, chii_move_step f);

/* rep3_shuffle.c */
chi_status chii_rep3_shuffle_setup(chi_session *s);
bool chii_rep3_shuffle_keys(chi_session *s);
void chii_rep3_shuffle_wipe(chi_session *s);
void chii_rep3_shuffle(chi_session *s);
/* shamir_shuffle.c */
chi_status chii_shamir_shuffle_setup(chi_session *s);
bool chii_shamir_shuffle_keys(chi_session *s);
void chii_shamir_shuffle_wipe(chi_session *s);
void chii_shamir_shuffle(chi_session *s);

#endif
