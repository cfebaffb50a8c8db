/* One operation on two vectors of shares: lowered for a target, run, compared
 * with GMP lane by lane. */
#ifndef TESTS_GADGET_TRY_H
#define TESTS_GADGET_TRY_H

#include "ir/interp.h"
#include "ir/pass/pass.h"

typedef struct trial {
  const char *name;
  ir_value *(*build)(ir_builder *b, ir_value *x, ir_value *y, unsigned w);
  /* Part `part` of lane l of the result; each lane of x has parts(w) of them,
   * NULL: 1. */
  void (*is)(mpz_ptr r, mpz_srcptr x, mpz_srcptr y, unsigned w, unsigned part);
  unsigned (*parts)(unsigned w);
  bool natural; /* takes integers >= 0 */
  enum { Y_SHARE, Y_COUNT, Y_NONE } y; /* COUNT: 0 .. w, a number of bits */
  bool digits;  /* x < 2^w */
  bool divides; /* by y, which may be 0 only if it is a share */
} trial;

extern const trial trials[];
extern const unsigned ntrials;

typedef struct setup {
  unsigned k, w;
  const char *prime; /* of k bits; NULL: 2^k - 1 */
  ir_target target;
  const char *pipeline;
  bool open;  /* the result is opened, else left as shares */
  bool y_pub; /* y is public */
} setup;

/* n pairs x[l], y[l], which lie in lo .. hi each. */
typedef struct pairs {
  unsigned n;
  mpz_t *x, *y;
  mpz_t xlo, xhi, ylo, yhi;
} pairs;
void pairs_init(pairs *p, unsigned n);
void pairs_fini(pairs *p);

/* The circuit, at stage high; NULL if its result does not fit the field, or the
 * operation does not take such operands. */
ir_module *try_module(arena *a, const trial *t, const setup *s,
                      const pairs *p);

/* False, with a line on stderr, if some lane is wrong; true as well where the
 * result does not fit the field (*skipped). */
bool try_pairs(const trial *t, const setup *s, const pairs *p, bool *skipped);

#endif
