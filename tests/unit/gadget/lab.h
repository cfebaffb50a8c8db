/* A compiled circuit on nodes whose streams of randomness are a tape that the
 * test writes: run once as it is, and then again and again, with draws of one
 * exchange changed, up to the end of that exchange; or with all values of the
 * draws that a node does not know.
 *
 * A session runs all of them, so a run costs its rounds and nothing else.
 */
#ifndef TESTS_GADGET_LAB_H
#define TESTS_GADGET_LAB_H

#include "bits.h"
#include "session.h"

enum { LAB_NODES = 5, LAB_ELEMENTS = -1 }; /* the latter beside chii_bit_kind:
                                               a reduce of the field */

/* One call of an exchange that has a message. */
typedef struct lab_item {
  int kind;
  uint64_t lanes; /* deals: of all bits together */
  uint64_t index; /* in the streams */
} lab_item;

typedef struct lab_frame {
  uint8_t *p;
  size_t bytes;
} lab_frame;

typedef struct lab_exchange {
  lab_item *item; /* those of the field first, then bits as called */
  unsigned items;
  uint64_t opened; /* lanes of the field; of bits there are items */
  lab_frame frame[LAB_NODES * LAB_NODES]; /* [from * n + to] */
} lab_exchange;

/* A draw: one word of a stream. */
typedef struct lab_draw {
  unsigned from, to, purpose;
  uint64_t index;
} lab_draw;

/* How the draws of one exchange change. */
typedef struct lab_shift {
  unsigned exchange;
  int column;    /* by 1 in the streams of that column; -1: at random in all */
  uint64_t seed;
  lab_frame frame[LAB_NODES * LAB_NODES]; /* what was sent then */
} lab_shift;

/* A draw that takes all values: a bit, a byte of its word, or an element. */
typedef struct lab_free {
  lab_draw d;
  unsigned part, radix; /* radix 2: which bit; 256: which byte */
} lab_free;

typedef struct lab lab;
struct lab {
  chi_protocol protocol;
  unsigned n, t, d;
  const chi_program *circuit;
  uint64_t lanes;        /* of each secret input */
  const uint64_t *value; /* of all inputs' lanes, in [0, p) */
  uint64_t seed;         /* of sharings and tape */
  unsigned node;         /* has the same shares whatever the values are */
  /* Mutants: which draw of the tape a draw gives (NULL: itself); called after
   * each exchange. */
  lab_draw (*source)(const lab *l, lab_draw d);
  bool (*is_zero)(const lab *l, lab_draw d);
  void (*disturb)(chi_session *s, unsigned exchange);

  lab_exchange *exchange;
  unsigned exchanges;
  uint64_t *result; /* shares of output 0, lane after lane; see lab_result */
  lab_shift *shift;
  unsigned shifts;
  const lab_free *free; /* what takes all values */
  unsigned frees;
  uint64_t choices;     /* product of the radices */
  uint64_t *seen; /* of each choice: a digest of what the node received */
  /* Faults that any run showed. */
  unsigned twice; /* draws made again, or in two exchanges */
  unsigned early; /* frames before the changed exchange that differ */
  struct lab_impl *impl;
};

/* Column of a draw: rep3 the component, shamir which seed of the dealer. */
unsigned lab_column(const lab *l, unsigned from, unsigned to);
unsigned lab_columns(const lab *l);
/* What a shift adds to a draw: an element; bits and bytes to be xored. */
uint64_t lab_delta(const lab *l, const lab_shift *x, lab_draw d);

/* The circuit as it is.  False: a run failed, with a line on stderr. */
bool lab_base(lab *l);
/* All of l->shift. */
bool lab_shifts(lab *l);
/* All of l->choices, each up to the end; l->seen must be NULL. */
bool lab_choices(lab *l);
/* The value of lane k of output 0 in the run as it is. */
uint64_t lab_result(const lab *l, uint64_t k);
void lab_fini(lab *l);

#endif
