/* A session from inside: what exchange.c, the protocols, start.c, gen.c and
 * vec.c share. */
#ifndef CHII_SESSION_H
#define CHII_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chi_gen.h"
#include "field.h"
#include "prg.h"
#include "util.h"
#include "wire.h"

#define CHUNK CHI_GEN_CHUNK
/* Send ring of a peer: every reservation is at most one chunk, so a blocked
 * reservation leaves more than two chunks on their way. */
#define CHII_RING_CHUNKS 4

/* Bytes to send: in the send ring, or where they lie in the arena. */
typedef struct chii_span {
  const uint8_t *p;
  size_t bytes;
  size_t skip; /* ring bytes in front of p that were left unused */
  bool ring;
} chii_span;

/* One peer.  Sending and receiving of a round are independent of each other
 * and of all other peers. */
typedef struct chii_link {
  chii_span *span; /* circular queue */
  uint32_t span_cap, span_head, span_count;
  uint8_t *ring;
  size_t ring_pos, ring_used;
  uint64_t send_total, queued; /* payload of the round; of it in the queue */
  bool head_sent_part;         /* some byte of the frame has left */

  uint8_t head[CHII_FRAME_BYTES];
  unsigned head_got;
  uint64_t recv_total, recv_got;
  uint8_t *raw; /* plain destination; NULL: ask the protocol */
} chii_link;

/* A reduced or an opened value of the running exchange, in order of calls. */
typedef struct chii_item {
  uint64_t *dst;
  const uint64_t *src; /* opens */
  uint64_t lanes;
  uint64_t first; /* number of its first lane in the exchange */
  uint64_t index; /* reduces: index of its first lane in the streams */
} chii_item;

typedef struct chii_bit_item chii_bit_item; /* bits.h */
typedef struct chii_shuffle chii_shuffle;   /* shuffle.h */

typedef struct chii_told {
  uint8_t to[CHI_KEY_BYTES];
  uint32_t output;
  uint64_t lanes;
  uint64_t *share; /* until sealed */
  uint8_t *blob;
  size_t blob_bytes;
  struct chii_told *next;
} chii_told;

/* A protocol.  One static table each; all state in s->proto_state.  Functions
 * report through chii_fail and leave at once if s->status is not CHI_OK. */
typedef struct chii_proto {
  chi_protocol id;
  unsigned planes; /* elements of a share */
  /* Required.  Allocates everything; precomputes.  At chi_session_new. */
  chi_status (*setup)(chi_session *s);
  /* Required.  Pair keys are there: make the streams. */
  bool (*keys)(chi_session *s);
  /* Required.  Wipes and releases keys and scratch; idempotent. */
  void (*wipe)(chi_session *s);
  /* Required.  See chi_gen_begin .. chi_gen_end. */
  void (*begin)(chi_session *s);
  uint64_t *(*open_chunk)(chi_session *s, const chii_item *it, uint64_t off,
                          size_t n);
  void (*close_chunk)(chi_session *s, const chii_item *it, uint64_t off,
                      size_t n);
  void (*open)(chi_session *s, const chii_item *it);
  /* A call on bits; NULL for kinds that the protocol does not have. */
  void (*bits[6])(chi_session *s, const chii_bit_item *it);
  void (*end)(chi_session *s);
  /* Required.  Shuffles, for programs that have some: memory, keys (in set-up,
   * may talk), wiping; the rounds of those of an exchange. */
  chi_status (*shuffle_setup)(chi_session *s);
  bool (*shuffle_keys)(chi_session *s);
  void (*shuffle_wipe)(chi_session *s);
  void (*shuffle)(chi_session *s);
  /* Required.  Where the next bytes of `peer` in this round go (0: nowhere
   * yet), and that n of them came. */
  size_t (*want)(chi_session *s, unsigned peer, uint8_t **p);
  void (*took)(chi_session *s, unsigned peer, size_t n);
  /* Required.  An input of `lanes` canonical values (NULL but at the dealer)
   * to the share at dst; one round. */
  void (*deal)(chi_session *s, unsigned dealer, uint64_t *dst,
               const uint64_t *values, uint64_t lanes);
  /* Required.  The share at src to node `party`, whose dst gets the values
   * (NULL elsewhere); one round. */
  void (*open_to)(chi_session *s, unsigned party, uint64_t *dst,
                  const uint64_t *src, uint64_t lanes);
  /* Required.  Checks the shares of `count` inputs against each other. */
  void (*check_inputs)(chi_session *s, const uint32_t *input, uint32_t count);
} chii_proto;

extern const chii_proto chii_rep3_ops, chii_shamir_ops;

typedef enum chii_phase {
  CHII_NEW,     /* inputs come */
  CHII_STARTED, /* agreed; ready to run */
  CHII_DONE     /* outputs are there */
} chii_phase;

typedef struct chii_input {
  enum {
    CHII_IN_MISSING,
    CHII_IN_PUBLIC,
    CHII_IN_SEALED,
    CHII_IN_NODE,
    CHII_IN_SHARE
  } how; /* what peers compare: values never change */
  unsigned dealer;
  uint64_t *values; /* the dealer's, until dealt */
} chii_input;

struct chii_vec_op;
typedef struct chii_block chii_block;

struct chi_session {
  chi_status status;
  int culprit;
  bool accused; /* a peer stopped the run and named this party */
  int stopped_by; /* the peer whose stop frame ended the run, or -1 */
  uint64_t stop_word;
  char detail[256];
  chii_phase phase;

  const chi_program *program; /* NULL: direct arithmetic */
  chii_field field;
  unsigned ew; /* words, bytes of an element */
  size_t eb;
  const chii_proto *proto;
  void *proto_state;
  unsigned n, me;
  chi_transport tr;
  bool tr_open;
  chi_alloc mem;
  chii_block *blocks; /* all memory but the session itself */
  uint32_t deadline_ms;
  const chi_identity *identity;
  uint8_t session_id[CHI_SESSION_ID_BYTES];
  uint8_t (*party_key)[CHI_KEY_BYTES];
  uint8_t (*pair_key)[CHII_PAIR_KEY_BYTES]; /* [n]; zeros for me */

  uint64_t *w; /* the arena */
  uint64_t words;
  uint64_t max_reduce, max_open;
  chii_input *input;

  /* rounds (exchange.c) */
  chii_link *link; /* [n] */
  size_t ring_bytes; /* of each */
  uint64_t round, tag;
  uint64_t deadline_ns;
  bool setup; /* counts go to the set-up counters */
  chi_stats stats;

  /* the running exchange */
  bool in_exchange, begun; /* begun: the protocol has begun its round */
  uint64_t m, o, m_seen, o_seen;
  uint64_t stream_index; /* next unused index of the CHII_REDUCE streams */
  chii_item *reduce, *opened;
  uint32_t reduce_cap, open_cap, n_reduce, n_open;
  chii_item *chunk_item; /* between open_chunk and close_chunk */
  uint64_t chunk_off;
  size_t chunk_n;
  uint64_t *chunk_z;
  uint64_t *scrap; /* CHUNK elements for kernels of a failed session */
  chi_b_load load, load_seen; /* of calls on bits: announced, made */
  chii_bit_item *bit;
  uint32_t bit_cap; /* load_seen.items of them are there */
  uint64_t bit_index, convert_index; /* next unused of CHII_BITS, .._CONVERT */

  chii_shuffle *shuffle; /* NULL: the program has none */

  chii_told *told, **told_tail;
  size_t n_told;

  /* direct arithmetic (vec.c) */
  uint64_t vec_used;
  struct chii_vec_op *vec_op;
  uint32_t vec_queue, n_vec_op;
};

/* session.c */
void *chii_alloc(chi_session *s, uint64_t count, size_t size); /* zeroed */
void chii_free(chi_session *s, void *p);
/* Records a sticky failure, tells the peers, wipes, closes.  culprit: party or
 * -1.  The first failure stays. */
void chii_fail(chi_session *s, chi_status st, int culprit, const char *format,
               ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;
/* A failure that is not sticky: sets the detail, returns st. */
chi_status chii_refuse(chi_session *s, chi_status st, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* exchange.c */
chi_status chii_links_new(chi_session *s, uint32_t spans);
void chii_links_free(chi_session *s);
/* A new round: payload bytes to and from each peer, [n], own entry ignored.
 * With raw not NULL, bytes of peer j go to raw[j]. */
void chii_round_begin(chi_session *s, const uint64_t *send,
                      const uint64_t *recv, uint8_t *const *raw);
/* Room for `bytes` (<= one chunk) of payload to `peer`, to be filled at once;
 * waits, moving everything that can move.  NULL after a failure. */
void *chii_send_reserve(chi_session *s, unsigned peer, size_t bytes);
/* Payload that stays where it is until the end of the round. */
void chii_send_direct(chi_session *s, unsigned peer, const void *p,
                      size_t bytes);
/* Moves what can move without waiting. */
void chii_pump(chi_session *s);
/* Until everything of the round has left and arrived. */
void chii_round_end(chi_session *s);
/* A round of its own: `bytes` to and from everybody.  out: per peer at stride
 * out_stride (0: the same for all); in: at stride `bytes`. */
void chii_swap(chi_session *s, const uint8_t *out, size_t out_stride,
               uint8_t *in, size_t bytes);
/* After the last round: fails if the peer has sent anything more. */
void chii_quiet(chi_session *s, unsigned peer);
void chii_count_elements(chi_session *s, uint64_t elements);
/* Fails with CHI_E_PROTOCOL unless all n elements are below p. */
bool chii_canonical(chi_session *s, unsigned peer, const uint64_t *v,
                    size_t n);

/* farewell.c: tells all peers that the session has failed.  If `listen`, hears
 * what they say for a while, and may change status, culprit and detail. */
void chii_farewell(chi_session *s, bool listen);

/* gen.c: the exchange on pointers; chi_gen_* and vec.c are thin over it. */
void chii_ex_begin(chi_session *s, uint64_t m, uint64_t o);
/* All totals are known: begins the round, at the first call that needs it. */
void chii_ex_start(chi_session *s);
/* gen_bits.c: memory for calls on bits; were as many made as announced? */
chi_status chii_bit_items_new(chi_session *s, uint32_t cap);
bool chii_bit_items_seen(const chi_session *s);
/* shuffle.c: the same of shuffles; their rounds, after all others. */
chi_status chii_shuffle_new(chi_session *s, uint32_t moves, uint64_t lanes,
                            uint64_t rows);
void chii_shuffle_wipe(chi_session *s);
void chii_shuffle_begin(chi_session *s); /* an exchange: none so far */
bool chii_shuffle_seen(const chi_session *s);
void chii_shuffle_run(chi_session *s);
uint64_t *chii_ex_open_chunk(chi_session *s, uint64_t *dst, uint64_t lanes,
                             uint64_t off, uint64_t n);
void chii_ex_close_chunk(chi_session *s);
/* Sets up the item list of an exchange of one opening. */
void chii_ex_single_open(chi_session *s, uint64_t *dst, const uint64_t *src,
                         uint64_t lanes);
void chii_ex_open(chi_session *s, uint64_t *dst, const uint64_t *src,
                  uint64_t lanes);
int chii_ex_end(chi_session *s);

/* inout.c: decimal or 0x text to a wide integer; false if it is none or too
 * large.  Writes at most `bytes` of decimal text; false if that is too few. */
bool chii_wide_parse(uint64_t *r, const char *text);
bool chii_wide_print(char *text, size_t bytes, const uint64_t *a);


/* vec.c */
extern const size_t chii_vec_op_bytes;
void chii_vec_wipe(chi_session *s);

#endif
