/* Replicated sharing from inside: rep3.c (elements) and rep3_bits.c. */
#ifndef CHII_REP3_H
#define CHII_REP3_H

#include <sodium.h>

#include "bits.h"

#define CHII_TAG_BYTES 16
#define CHII_BLOCK 1024 /* masked at a time: two streams of words stay in L1 */

/* Calls on bits whose bytes come from one neighbour. */
typedef struct chii_bit_cursor {
  uint32_t item;
  uint64_t got;     /* bytes of it that are used up */
  uint64_t *window; /* CHUNK elements on their way to their lanes */
  size_t bytes;     /* of it */
} chii_bit_cursor;

typedef struct chii_rep3 {
  unsigned next, prev; /* parties i+1, i-1 */
  chii_prg zero_a, zero_b, deal_a, deal_b; /* of k_i and k_{i+1} */
  chii_prg bits_a, bits_b, conv_a, conv_b;
  uint8_t tag_a[32], tag_b[32];       /* opening tags */
  uint8_t in_tag_a[32], in_tag_b[32]; /* client input tags */
  uint64_t deal_index, tag_count;
  uint64_t *mask, *tmp; /* CHII_BLOCK elements each */

  /* receiving: bytes of the current item */
  uint32_t red, opn;
  uint64_t red_bytes, opn_bytes;
  uint64_t opn_done; /* lanes of the current open that are added up */
  chii_bit_cursor from_next, from_prev;
  uint8_t tag[CHII_TAG_BYTES];
  unsigned tag_got;
  crypto_onetimeauth_state made, seen; /* tag to send, tag to expect */
  uint8_t made_tag[CHII_TAG_BYTES];
} chii_rep3;

chi_status chii_rep3_bits_setup(chi_session *s);
/* Bytes of the round's calls on bits, added to those of each party. */
void chii_rep3_bits_load(chi_session *s, uint64_t send[3], uint64_t recv[3]);
void chii_rep3_bits_reset(chi_session *s);
/* In chi_gen_end: what the calls send; after the round: their results. */
void chii_rep3_bits_send(chi_session *s);
void chii_rep3_bits_finish(chi_session *s);
/* Does the neighbour owe bytes of such calls?  Where the next go; they came. */
bool chii_rep3_bits_due(chi_session *s, unsigned peer);
size_t chii_rep3_bits_want(chi_session *s, unsigned peer, uint8_t **p);
void chii_rep3_bits_took(chi_session *s, unsigned peer, size_t n);

/* The calls, by chii_bit_kind. */
void chii_rep3_reduce_bits(chi_session *s, const chii_bit_item *it);
void chii_rep3_open_bits(chi_session *s, const chii_bit_item *it);
void chii_rep3_xdeal(chi_session *s, const chii_bit_item *it);
void chii_rep3_xjoin(chi_session *s, const chii_bit_item *it);

#endif
