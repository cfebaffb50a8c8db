/* Integers on shares from additions and multiplications: what the pass `bits`
 * builds typed operations of.  docs/passes.md has methods, costs and sources.
 *
 * An integer of m bits in L lanes is one value of the domain b, m planes of L
 * lanes: bit i of lane l is lane i * L + l.  Negative ones are two's
 * complement.  A gadget writes at the cursor g->b and returns new values; where
 * it says so it takes public bits as well, whose products are local.
 */
#ifndef IR_GADGET_GADGET_H
#define IR_GADGET_GADGET_H

#include "ir/ir.h"

typedef struct gadget {
  ir_builder b;
  ir_target target;
  struct carry_plan *plan; /* carry.c's, made once */
  arena *a;                /* what lives as long as the pass */
} gadget;

#define GD_PLANES 640 /* no integer in the field has as many */
#define GD_MORE 16    /* nor as many as the field and these */

/* ---- planes.c ---- */
typedef struct gd_plane {
  ir_value *v;
  uint32_t at;
} gd_plane;

/* How many planes hold r (at least one), and whether the top one counts
 * negatively. */
uint32_t gd_width(const ir_range *r, bool *is_signed);
bool gd_is_bool(const ir_value *v); /* its interval is within 0 .. 1 */
ir_value *gd_const(gadget *g, unsigned bit, uint64_t lanes); /* public */
ir_value *gd_xor(gadget *g, ir_value *x, ir_value *y);
ir_value *gd_and(gadget *g, ir_value *x, ir_value *y);
ir_value *gd_or(gadget *g, ir_value *x, ir_value *y);
ir_value *gd_not(gadget *g, ir_value *x);
/* c ? x : y; c has one plane, x and y m. */
ir_value *gd_mux(gadget *g, ir_value *c, ir_value *x, ir_value *y, uint32_t m);
/* Planes from .. from + n - 1. */
ir_value *gd_planes(gadget *g, ir_value *x, uint64_t lanes, uint32_t from,
                    uint32_t n);
/* Any planes, in any order: few views if they follow patterns. */
ir_value *gd_take(gadget *g, uint64_t lanes, const gd_plane *p, uint32_t n);
ir_value *gd_cat(gadget *g, ir_value **x, uint32_t n);
/* Each of the m planes has one lane; as many as asked for. */
ir_value *gd_widen(gadget *g, ir_value *x, uint32_t m, uint64_t lanes);
/* An integer of m planes with `to`: cut, or its sign or 0 repeated. */
ir_value *gd_extend(gadget *g, ir_value *x, uint64_t lanes, uint32_t m,
                    bool is_signed, uint32_t to);
/* The and of the m planes. */
ir_value *gd_all(gadget *g, ir_value *x, uint64_t lanes, uint32_t m);

ir_value *gd_repeat(gadget *g, ir_value *bit, uint32_t m); /* m times */

ir_value *gd_hidden(gadget *g, ir_value *x); /* as a share */

/* A loop of n turns that carries bits: body->param[k + 1] is the k-th. */
typedef struct gd_turns {
  ir_builder outer;
  ir_block *body;
  ir_value *arg[6];
  uint32_t carried; /* at most 5 */
} gd_turns;
void gd_turns_open(gadget *g, gd_turns *t, uint32_t n, ir_value **start,
                   uint32_t carried);
ir_inst *gd_turns_close(gadget *g, gd_turns *t, ir_value **next);

/* ---- carry.c ---- */
/* The carry out of s + c + w, n planes each; w is one plane or NULL. */
ir_value *gd_carry(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                   uint32_t n, ir_value *w);
/* s + c + w modulo 2^n. */
ir_value *gd_sum(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                 uint32_t n, ir_value *w);
/* The same where w is known late: a round after it, at one product a plane. */
ir_value *gd_sum_late(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                      uint32_t n, ir_value *w);
/* s + c modulo 2^n - 1, in 1 .. 2^n - 1 (neither all 0 nor all 1). */
ir_value *gd_sum_around(gadget *g, uint64_t lanes, ir_value *s, ir_value *c,
                        uint32_t n);

/* ---- convert.c ---- */
/* The lowest m bits of x, which lies in r, two's complement. */
ir_value *gd_to_bits(gadget *g, ir_value *x, const ir_range *r, uint32_t m);
/* The integer of m planes as a share that lies in r. */
ir_value *gd_to_field(gadget *g, ir_value *bits, uint64_t lanes, uint32_t m,
                      bool is_signed, const ir_range *r);
/* The public table 1, 2, 4, .. 2^(m - 1), the last negative if is_signed. */
ir_value *gd_powers(gadget *g, ir_dom dom, uint32_t m, bool is_signed);
/* x * 2^j, j below 0 for a quotient that is exact, modulo p. */
ir_value *gd_scale(gadget *g, ir_value *x, int32_t j);
/* A public field element as the integer that it is; integers as they are. */
ir_value *gd_integer(gadget *g, ir_value *x);
/* The same to public bits. */
ir_value *gd_public_bits(gadget *g, ir_value *x, uint32_t m);
/* x + y, x - y, x * y in the field, whose range may not be representable. */
ir_value *gd_arith(gadget *g, ir_op op, ir_value *x, ir_value *y);
ir_value *gd_arith_si(gadget *g, ir_op op, ir_value *x, int64_t y);
/* The public element that is v modulo p. */
ir_value *gd_element(gadget *g, mpz_srcptr v);
/* x + 2^j, modulo p = 2^k - 1. */
ir_value *gd_offset(gadget *g, ir_value *x, uint32_t j);
/* v as a value of range r. */
ir_value *gd_fit(gadget *g, ir_value *v, const ir_range *r);
/* Addends s, c of planes from .. to - 1 of x * 2^turn, a position below 0 being
 * one from the top; 1 <= s + c <= 2p - 1. */
void gd_addends(gadget *g, ir_value *x, unsigned turn, int32_t from,
                int32_t to, ir_value **s, ir_value **c);

/* Bits off .. off + n - 1 of the numbers that add up to x modulo p, in planes;
 * 0 of the first is written p. */
void gd_summands(gadget *g, ir_value *x, uint32_t off, uint32_t n,
                 ir_value **out);

/* ---- modular.c: for primes that are not 2^k - 1 ---- */
/* Addends of n planes of x, which lies in lo .. lo + w: s + c = x modulo 2^n. */
void gd_modular(gadget *g, ir_value *x, mpz_srcptr lo, mpz_srcptr w,
                uint32_t n, ir_value **s, ir_value **c);
/* The lowest n bits of x in r. */
ir_value *gd_modular_bits(gadget *g, ir_value *x, const ir_range *r,
                          uint32_t n);
/* x < 0?  r NULL: anything. */
ir_value *gd_modular_negative(gadget *g, ir_value *x, const ir_range *r);
/* x = 0?  |x| < 2^n; r NULL: anything, n = k. */
ir_value *gd_modular_zero(gadget *g, ir_value *x, const ir_range *r,
                          uint32_t n);

/* ---- compare.c ---- */
ir_value *gd_lt(gadget *g, ir_value *x, ir_value *y); /* in the field */
ir_value *gd_eq(gadget *g, ir_value *x, ir_value *y);
/* Integers of m planes; public ones too. */
ir_value *gd_lt_bits(gadget *g, uint64_t lanes, ir_value *x, ir_value *y,
                     uint32_t m, bool is_signed);
ir_value *gd_eq_bits(gadget *g, uint64_t lanes, ir_value *x, ir_value *y,
                     uint32_t m);

/* ---- shift.c ---- */
/* x (m planes) shifted by the integer of n planes `by`, public or shared. */
ir_value *gd_shl(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                 ir_value *by, uint32_t n);
ir_value *gd_shr(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                 bool is_signed, ir_value *by, uint32_t n);
/* 2 to the integer of n planes `by`, a share, modulo p. */
ir_value *gd_power_of_2(gadget *g, uint64_t lanes, ir_value *by, uint32_t n);
/* Lane l * m + i is bit i of lane l. */
ir_value *gd_digits(gadget *g, uint64_t lanes, ir_value *x, uint32_t m);
/* Lane l * n + j: is lane l of x (m planes) j? */
ir_value *gd_onehot(gadget *g, uint64_t lanes, ir_value *x, uint32_t m,
                    uint64_t n);

/* ---- count.c ---- */
/* Lane l: how many of lanes l * n .. l * n + n - 1 are 1, in the field. */
ir_value *gd_count(gadget *g, ir_value *bits, uint64_t lanes, uint64_t n,
                   const ir_range *r);

/* ---- divide.c ---- */
/* x / by towards zero, in the field; x has a range, by is not 0, and |x| + |by|
 * stays in the field. */
ir_value *gd_div_const(gadget *g, ir_value *x, mpz_srcptr by);
/* reciprocal.c: x / c of x >= 0 in the field and public c > 0, as *planes
 * planes; only where gd_divides_public, since x may have too many bits. */
bool gd_divides_public(const gadget *g, const ir_range *x, const ir_range *c);
ir_value *gd_div_public(gadget *g, ir_value *x, ir_value *c, uint64_t lanes,
                        uint32_t *planes);
/* x (n planes) by y (d planes), towards zero; *q has n planes, *r d, each one
 * more if it has a sign.  Where by_zero, x / 0 = 0, x mod 0 = x, and *r has at
 * least n planes. */
void gd_divide(gadget *g, uint64_t lanes, ir_value *x, uint32_t n, bool xneg,
               ir_value *y, uint32_t d, bool yneg, bool by_zero, ir_value **q,
               ir_value **r);
/* The root of x >= 0 of m planes: (m + 1) / 2 planes. */
ir_value *gd_isqrt(gadget *g, uint64_t lanes, ir_value *x, uint32_t m);


/* ---- srt.c ---- */
/* Integers >= 0, x of n planes by y of d >= 4; *none: is y 0?  If it is, *q and
 * *r are anything. */
void gd_srt(gadget *g, uint64_t lanes, ir_value *x, uint32_t n, ir_value *y,
            uint32_t d, ir_value **q, ir_value **r, ir_value **none);

#endif
