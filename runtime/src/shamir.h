/* Shamir sharing from inside: shamir.c (points, dealing, openings, n <= 5),
 * shamir_dn.c (products for n >= 6) and shamir_bits.c. */
#ifndef CHII_SHAMIR_H
#define CHII_SHAMIR_H

#include "bits.h"

/* Batches of double sharings dealt at a time. */
#define CHII_DEAL_BLOCK 512

/* Where the bytes of one peer stand in a round. */
typedef struct chii_cursor {
  uint64_t dealt;  /* elements of double sharings */
  uint64_t gate;   /* elements of products */
  uint32_t item;   /* where gate lies: item and lane */
  uint64_t item_off;
  size_t bytes; /* in the window, not used up */
  uint32_t bit; /* call on bits, and its bytes that came */
  uint64_t bit_got;
} chii_cursor;

typedef struct chii_shamir {
  unsigned t, d; /* degree, dealers (2t + 1) */
  bool dn;       /* n >= 6 */
  /* Coefficients, elements all; points are party + 1. */
  uint64_t *lambda_d; /* value at 0 from points 0..d-1 */
  uint64_t *lambda_t; /* value at 0 from points 0..t */
  uint64_t *predict; /* [n-1-t][t+1]: points t+1.. from points 0..t */
  uint64_t *spread;  /* [n][t+1]: my dealing: a point from the secret and the
                        seeded points of parties me+1..me+t */
  uint64_t *red_spread; /* the same, the secret multiplied by my lambda_d: so
                           receivers of dealt products only add */
  /* t-sharings with a given secret, for CHII_REDUCE and CHII_INPUT: streams
   * that I seed ([t], to me+1+k) and that seed me ([t], from me-1-k). */
  chii_prg *red_out, *red_in, *in_out, *in_in;
  uint64_t deal_index;

  chii_cursor *cur;  /* [n] */
  uint64_t *window;  /* [n][CHUNK] elements */
  uint64_t *rows;    /* [t + 1][CHUNK]: secrets to deal, seeded points */
  uint64_t *own;     /* CHUNK */
  bool opens_ready;
  unsigned round;    /* of the exchange: 1, 2 */
  uint64_t open_at;  /* openings done */
  uint32_t open_item;
  uint64_t open_off;

  /* Bits (shamir_bits.c): as above, over GF(2^8); NULL if the program has
   * none.  conv: elements that bits become. */
  uint8_t gf_lambda_d[CHI_PARTIES_MAX], gf_lambda_t[CHI_PARTIES_MAX];
  uint8_t *gf_predict, *gf_spread, *gf_red_spread;
  chii_prg *bits_out, *bits_in, *conv_out, *conv_in; /* [t] */
  uint32_t bit_item; /* calls that are worked off; lanes of the next */
  uint64_t bit_done;
  uint32_t bopen_item; /* openings of bits that are done: lanes, where */
  uint64_t bopen_at, bopen_off;

  /* n >= 6 */
  chii_prg *dbl_out, *dbl_in; /* [d]: 2t-sharings: mine to others, theirs */
  chii_prg dbl_own;           /* my own point of what I deal */
  uint8_t own_key[32];
  uint64_t *vand;    /* [t + 1][d]: row, dealer */
  uint64_t *dealt;   /* [d][max_batches]: my points of degree t */
  size_t max_batches;
  uint64_t *eacc;    /* [m / d + 1]: masked products of my gates */
  uint64_t *dbl;     /* [d][..]: 2t-shares of a chunk or of a deal block */
  size_t dbl_lanes;  /* of one row of dbl */
  uint64_t batch_index, batches; /* of this exchange */
} chii_shamir;

/* Deals n secrets, which the caller put into h->rows[0], with the t seeded
 * points of `out` at stream index `index` and the coefficients `spread`:
 * explicit points to the other n-1-t parties; mine to own. */
bool chii_shamir_deal(chi_session *s, chii_prg *out, const uint64_t *spread,
                      uint64_t index, size_t n, uint64_t *own);
/* Is party j one of the t after i (whose points i seeds)? */
static inline bool chii_seeded(const chi_session *s, unsigned t, unsigned i,
                               unsigned j) {
  return (j + s->n - i - 1) % s->n < t;
}
static inline uint64_t chii_point(unsigned party) { return party + 1; }

chi_status chii_shamir_bits_setup(chi_session *s);
bool chii_shamir_bits_keys(chi_session *s);
void chii_shamir_bits_wipe(chi_session *s);
void chii_shamir_bits_reset(chi_session *s);
/* Bytes of the round's calls on bits from one party to another. */
uint64_t chii_shamir_bits_bytes(const chi_session *s, unsigned from,
                                unsigned to);
/* In chi_gen_end: what is dealt, then what is opened. */
void chii_shamir_bits_send(chi_session *s);
void chii_shamir_bits_send_opens(chi_session *s);
/* Does the peer owe dealt bytes?  Where the next go; they came. */
bool chii_shamir_bits_due(chi_session *s, unsigned peer);
size_t chii_shamir_bits_want(chi_session *s, unsigned peer, uint8_t **p);
void chii_shamir_bits_took(chi_session *s, unsigned peer, size_t n);
/* Lanes still to be opened, the points of `count` of which are in the windows
 * of all peers: check, then store. */
uint64_t chii_shamir_bit_opens(const chi_session *s);
void chii_shamir_finish_bit_opens(chi_session *s, size_t count);
/* The calls, by chii_bit_kind. */
void chii_shamir_reduce_bits(chi_session *s, const chii_bit_item *it);
void chii_shamir_open_bits(chi_session *s, const chii_bit_item *it);
void chii_shamir_deal_bits(chi_session *s, const chii_bit_item *it);

chi_status chii_dn_setup(chi_session *s);
bool chii_dn_keys(chi_session *s);
void chii_dn_begin(chi_session *s);
uint64_t *chii_dn_open_chunk(chi_session *s, const chii_item *it, uint64_t off,
                             size_t n);
void chii_dn_close_chunk(chi_session *s, const chii_item *it, uint64_t off,
                         size_t n);
/* After all of the first round: the kings' round. */
void chii_dn_second(chi_session *s);
/* Dealt points that peer still owes, and where they go. */
uint64_t chii_dn_dealt_due(chi_session *s, unsigned peer);
uint64_t *chii_dn_dealt(chi_session *s, unsigned peer);
/* Other elements that it owes before its openings; n of them came. */
uint64_t chii_dn_due(chi_session *s, unsigned peer);
void chii_dn_took(chi_session *s, unsigned peer, const uint64_t *v, size_t n);

#endif
