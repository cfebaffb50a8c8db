/* The compiler's private door into libchi: what emitted C includes.  Unstable;
 * CHI_ABI in every chi_program is checked when a session is made.
 *
 * Field arithmetic is inline, so that a loop over lanes reads shares and writes
 * the send buffer with nothing in between.  Everything on shares is branch-free
 * and free of secret-dependent addresses.
 */
#ifndef CHI_GEN_H
#define CHI_GEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "chi.h"
#include "chi_fe.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Protocol constants for the `P` argument below. */
#define CHI_GEN_REP3 CHI_REP3
#define CHI_GEN_SHAMIR CHI_SHAMIR
/* Lanes of one chunk of a reduction. */
#define CHI_GEN_CHUNK 4096

/* ---- shares ------------------------------------------------------------- */

/* One lane of a share.  REP3: x = x_0+x_1+x_2, party i has a = x_i and
 * b = x_{i+1}.  SHAMIR: a is the polynomial's value at i+1, b unused. */
typedef struct chi_sh {
  chi_fe a, b;
} chi_sh;

/* Lane l of the vector of `lanes` lanes at base. */
static CHI_GEN_INLINE chi_sh chi_sh_ld(int P, const uint64_t *base,
                                       uint64_t lanes, uint64_t l) {
  chi_sh x;
  x.a = chi_fe_ld(base, l);
  if (P == CHI_GEN_REP3)
    x.b = chi_fe_ld(base, lanes + l);
  else
    memset(&x.b, 0, sizeof x.b);
  return x;
}

static CHI_GEN_INLINE void chi_sh_st(int P, uint64_t *base, uint64_t lanes,
                                     uint64_t l, chi_sh x) {
  chi_fe_st(base, l, x.a);
  if (P == CHI_GEN_REP3)
    chi_fe_st(base, lanes + l, x.b);
}

static CHI_GEN_INLINE chi_sh chi_sh_add(int P, chi_sh x, chi_sh y) {
  x.a = chi_f_add(x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_add(x.b, y.b);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_sub(int P, chi_sh x, chi_sh y) {
  x.a = chi_f_sub(x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_sub(x.b, y.b);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_neg(int P, chi_sh x) {
  x.a = chi_f_neg(x.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_neg(x.b);
  return x;
}

/* Share times public element. */
static CHI_GEN_INLINE chi_sh chi_sh_mulp(int P, chi_sh x, chi_fe c) {
  x.a = chi_f_mul(x.a, c);
  if (P == CHI_GEN_REP3)
    x.b = chi_f_mul(x.b, c);
  return x;
}

/* The trivial share of a public element: REP3 (c, 0, 0), SHAMIR the constant
 * polynomial. */
static CHI_GEN_INLINE chi_sh chi_sh_pub(int P, unsigned me, chi_fe c) {
  chi_sh x;
  x.a = P == CHI_GEN_REP3 ? chi_fe_if(me == 0, c) : c;
  x.b = chi_fe_if(P == CHI_GEN_REP3 && me == 2, c);
  return x;
}

static CHI_GEN_INLINE chi_sh chi_sh_addp(int P, unsigned me, chi_sh x,
                                         chi_fe c) {
  return chi_sh_add(P, x, chi_sh_pub(P, me, c));
}

/* Lane of x where cond (public, 0 or 1) is 1, else of y. */
static CHI_GEN_INLINE chi_sh chi_sh_sel(int P, uint64_t cond, chi_sh x,
                                        chi_sh y) {
  x.a = chi_fe_sel(cond, x.a, y.a);
  if (P == CHI_GEN_REP3)
    x.b = chi_fe_sel(cond, x.b, y.b);
  return x;
}

/* Local product, not yet a share: REP3 an additive term x_i y_i + x_i y_{i+1}
 * + x_{i+1} y_i, SHAMIR a value of degree 2t.  Sums, differences, negations and
 * public multiples of products are those of field elements. */
static CHI_GEN_INLINE chi_fe chi_pr_mul(int P, chi_sh x, chi_sh y) {
  if (P == CHI_GEN_REP3)
    return chi_f_cross(x.a, y.a, y.b, x.b);
  return chi_f_mul(x.a, y.a);
}

/* acc + local product: 3 units in REP3, 1 in SHAMIR; fold every CHI_ACC_PAIRS
 * calls. */
static CHI_GEN_INLINE chi_acc chi_acc_pr(int P, chi_acc z, chi_sh x,
                                         chi_sh y) {
  if (P == CHI_GEN_REP3)
    return chi_acc_cross(z, x.a, y.a, y.b, x.b);
  return chi_acc_mul(z, x.a, y.a);
}

/* A share seen as a product, so that it can be added to products. */
static CHI_GEN_INLINE chi_fe chi_pr_lift(int P, chi_sh x) {
  (void)P;
  return x.a;
}

/* Product plus public element. */
static CHI_GEN_INLINE chi_fe chi_pr_addp(int P, unsigned me, chi_fe z,
                                         chi_fe c) {
  if (P == CHI_GEN_REP3)
    c = chi_fe_if(me == 0, c);
  return chi_f_add(z, c);
}

/* ---- the context of a run ------------------------------------------------ */

typedef struct chi_session chi_gen;

/* The word arena; slots are word offsets into it. */
CHI_API uint64_t *chi_gen_words(chi_gen *g);
CHI_API unsigned chi_gen_me(const chi_gen *g);
/* CHI_GEN_REP3 or CHI_GEN_SHAMIR. */
CHI_API int chi_gen_protocol(const chi_gen *g);

/* One exchange.  Order of calls:
 *   chi_gen_begin(g, m, o)          m reduce lanes, o open lanes in total
 *   in any order, the same on all nodes:
 *     for each reduced value of L lanes at word dst (2 L elements):
 *       for off = 0, CHUNK, 2 CHUNK .. < L, n = min(CHUNK, L - off):
 *         z = chi_gen_reduce_open_chunk(g, dst, L, off, n);
 *         chi_fe_st(z, i, chi_fe_ld(z, i) + local product of lane off + i)
 *         chi_gen_reduce_close_chunk(g);
 *     chi_gen_open(g, dst, src, L)  L elements at dst (a public plane), share
 *                                   of L lanes at src
 *   chi_gen_end(g)                  0: all dst are valid; else return at once
 *
 * z is not zero at first: it holds the node's mask, so products are ADDED.
 * No dst may overlap another dst, an operand of a kernel of this exchange or
 * an open's src: peers' bytes arrive in dst while kernels still run.  An src
 * must not change before chi_gen_end.  After a failure inside an exchange all
 * calls stay harmless and chi_gen_end tells.  m = o = 0 costs nothing. */
CHI_API void chi_gen_begin(chi_gen *g, uint64_t m, uint64_t o);
CHI_API uint64_t *chi_gen_reduce_open_chunk(chi_gen *g, uint64_t dst,
                                            uint64_t lanes, uint64_t off,
                                            uint64_t n);
CHI_API void chi_gen_reduce_close_chunk(chi_gen *g);
CHI_API void chi_gen_open(chi_gen *g, uint64_t dst, uint64_t src,
                          uint64_t lanes);
CHI_API CHI_MUST_USE int chi_gen_end(chi_gen *g);

/* Tells share `src` (lanes lanes) to `identity`, a wide integer of 256 bits:
 * the public key's bytes, the first the most significant.  `output` indexes
 * the output table.  Not in an exchange.  Returns 0, else return at once. */
CHI_API CHI_MUST_USE int chi_gen_tell(chi_gen *g, uint32_t output,
                                      const uint64_t *identity, uint64_t src,
                                      uint64_t lanes);

/* A check at `site` failed: poisons the session, returns non-zero, to be
 * returned by run(). */
CHI_API CHI_MUST_USE int chi_gen_fail(chi_gen *g, uint32_t site);

/* ---- bits: the domain b, GF(2) -------------------------------------------
 *
 * A value of L lanes is, in words of 64 bits, W = ceil(L/64), V = ceil(L/8):
 *
 *   kind         rep3                          shamir
 *   CHI_B_PUB    W: lane l is bit l % 64 of    the same
 *                word l / 64
 *   CHI_B_SH     2 W: planes a = x_i and       V: byte l is the point at i + 1
 *                b = x_{i+1}; x = x_0^x_1^x_2  of a polynomial over GF(2^8)
 *   CHI_B_PROD   W: x_0^x_1^x_2 = x            V: a point of degree 2t
 *
 * Bits and bytes after the last lane are 0 in operands and results.  Integers
 * of `bits` bits and L lanes are plane-major: bit i of lane l is lane i L + l.
 *
 * Arguments are word offsets into the arena, but where a pointer is written.
 * dst may be an operand where that is said, and overlaps none otherwise.
 * Nothing here branches on a secret or addresses by one. */
enum { CHI_B_PUB, CHI_B_SH, CHI_B_PROD };

CHI_API uint64_t chi_gen_b_words(const chi_gen *g, int kind, uint64_t lanes);

/* Public: `bit` (0 or 1) in all lanes; W packed words. */
CHI_API void chi_gen_b_const(chi_gen *g, uint64_t dst, uint64_t lanes,
                             unsigned bit);
CHI_API void chi_gen_b_table(chi_gen *g, uint64_t dst, uint64_t lanes,
                             const uint64_t *words);
/* a ^ b, of one kind; dst may be a or b. */
CHI_API void chi_gen_b_add(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                           uint64_t b, uint64_t lanes);
/* a ^ p and a & p, p public; dst may be a (and p, if kind is PUB). */
CHI_API void chi_gen_b_addp(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                            uint64_t p, uint64_t lanes);
CHI_API void chi_gen_b_mulp(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                            uint64_t p, uint64_t lanes);
/* sh & sh: prod; acc ^ (sh & sh): prod, dst may be acc. */
CHI_API void chi_gen_b_mul(chi_gen *g, uint64_t dst, uint64_t a, uint64_t b,
                           uint64_t lanes);
CHI_API void chi_gen_b_muladd(chi_gen *g, uint64_t dst, uint64_t acc,
                              uint64_t a, uint64_t b, uint64_t lanes);
/* sh to prod; pub to sh. */
CHI_API void chi_gen_b_lift(chi_gen *g, uint64_t dst, uint64_t a,
                            uint64_t lanes);
CHI_API void chi_gen_b_hide(chi_gen *g, uint64_t dst, uint64_t p,
                            uint64_t lanes);
/* Lane o: the parity of lanes o * inner .. o * inner + inner - 1 of a. */
CHI_API void chi_gen_b_sum(chi_gen *g, int kind, uint64_t dst, uint64_t a,
                           uint64_t lanes_out, uint64_t inner);

/* Lane (i0, i1, ..), outermost first, is operand lane off + sum ik * stride_k;
 * at most 16 dimensions.  Runs of stride 1 and 0 go by words. */
typedef struct chi_b_dim {
  uint64_t n;
  int64_t stride;
} chi_b_dim;
#define CHI_B_DIMS 16

/* Writes lanes dst_off .. dst_off + product(n) - 1 of dst, which has dst_lanes
 * lanes, and leaves the others. */
CHI_API void chi_gen_b_view(chi_gen *g, int kind, uint64_t dst,
                            uint64_t dst_lanes, uint64_t dst_off, uint64_t src,
                            uint64_t src_lanes, int64_t off,
                            const chi_b_dim *dim, unsigned ndim);
/* The inverse: src, whose lanes are product(n), to lanes off + sum ik *
 * stride_k of dst; these are distinct. */
CHI_API void chi_gen_b_put(chi_gen *g, int kind, uint64_t dst,
                           uint64_t dst_lanes, int64_t off,
                           const chi_b_dim *dim, unsigned ndim, uint64_t src,
                           uint64_t src_lanes);
/* Lane l of dst is lane index[l] (public) of src. */
CHI_API void chi_gen_b_gather(chi_gen *g, int kind, uint64_t dst,
                              uint64_t dst_lanes, uint64_t src,
                              uint64_t src_lanes, const uint64_t *index);
/* Row r of dst, `inner` lanes, is row index[r] (public) of src; n rows. */
CHI_API void chi_gen_b_rows(chi_gen *g, int kind, uint64_t dst, uint64_t src,
                            uint64_t src_lanes, const uint64_t *index,
                            uint64_t n, uint64_t inner);
/* x where the public z at `cond` is 1, y where it is 0; cond has `lanes` words
 * or one.  dst may be x or y. */
CHI_API void chi_gen_b_select(chi_gen *g, int kind, uint64_t dst, uint64_t x,
                              uint64_t y, uint64_t lanes, uint64_t cond,
                              uint64_t cond_lanes);
/* rep3: bits off .. off + bits - 1 of the components x_0, x_1, x_2 of src, a
 * share of `lanes` elements, as three shares of bits * lanes bits; x_0 = 0 is
 * read as p. */
CHI_API void chi_gen_b_split(chi_gen *g, const uint64_t dst[3], uint64_t src,
                             uint64_t lanes, unsigned off, unsigned bits);
/* Public integers of 64 bits, or wide ones, to the low bits of their two's
 * complement, and back to 0 .. 2^bits - 1, of 64 bits if bits <= 63. */
CHI_API void chi_gen_b_unpack(chi_gen *g, uint64_t dst, uint64_t z,
                              uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_unpack_wide(chi_gen *g, uint64_t dst, uint64_t z,
                                   uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_pack(chi_gen *g, uint64_t z, uint64_t src,
                            uint64_t lanes, unsigned bits);
CHI_API void chi_gen_b_pack_wide(chi_gen *g, uint64_t z, uint64_t src,
                                 uint64_t lanes, unsigned bits);

/* Bits in an exchange: chi_gen_begin is followed at once by chi_gen_begin_bits
 * with the totals; then the calls below stand beside chi_gen_open and reduced
 * chunks, in the same order on all nodes.  All dst are valid after chi_gen_end.
 * A reduce uses up its src at the call; every other src stays unchanged until
 * chi_gen_end.  No dst overlaps another dst or a src. */
typedef struct chi_b_load {
  uint64_t reduce_lanes, reduce_bytes; /* bytes: sum of ceil(L / 8) */
  uint64_t open_lanes, open_bytes;
  uint64_t deal_lanes; /* sum of bits * L */
  uint64_t bdeal_lanes;
  uint64_t xdeal[3], xjoin[3]; /* lanes l of each item by l % 3 */
  uint32_t items;              /* calls */
} chi_b_load;

CHI_API void chi_gen_begin_bits(chi_gen *g, const chi_b_load *load);
/* prod to sh. */
CHI_API void chi_gen_b_reduce(chi_gen *g, uint64_t dst, uint64_t src,
                              uint64_t lanes);
/* sh to pub. */
CHI_API void chi_gen_b_open(chi_gen *g, uint64_t dst, uint64_t src,
                            uint64_t lanes);
/* shamir: a share of field elements to d = 2t + 1 shares of bits * lanes bits:
 * those of the numbers lambda_i * share_i mod p (0 of the first read as p). */
CHI_API void chi_gen_b_deal(chi_gen *g, const uint64_t *dst, uint64_t src,
                            uint64_t lanes, unsigned off, unsigned bits);
/* shamir: sh to d shares of field elements 0 or 1, whose exclusive or is the
 * bit. */
CHI_API void chi_gen_b_bdeal(chi_gen *g, const uint64_t *dst, uint64_t src,
                             uint64_t lanes);
/* rep3: lane l, r = l % 3: the field element b_r ^ b_{r+1}, dealt by node r. */
CHI_API void chi_gen_b_xdeal(chi_gen *g, uint64_t dst, uint64_t src,
                             uint64_t lanes);
/* rep3: e is the xdeal of src, lane by lane; the bit as a field element. */
CHI_API void chi_gen_b_xjoin(chi_gen *g, uint64_t dst, uint64_t e, uint64_t src,
                             uint64_t lanes);

/* ---- secret permutations -------------------------------------------------
 *
 * A permutation of rows, uniform and known to no party, has a public number.
 * The same number moves equally many rows alike, whenever it is used. */

/* The number of a fresh permutation: `turn`, which has to be the same on all
 * nodes, above CHI_GEN_TURN_BITS bits that count the calls from 0.  Under rep3
 * one node sends twice as much as the others for each row that it moves: the
 * one after node `turn`. */
#define CHI_GEN_TURNS 3
#define CHI_GEN_TURN_BITS 40
CHI_API uint64_t chi_gen_perm(chi_gen *g, unsigned turn);

/* In an exchange: chi_gen_begin is followed at once by the total of lanes (and
 * by chi_gen_begin_bits); then the calls below stand beside the others.  Rows
 * of `row` lanes of the share at src, which has lanes elements, are moved by
 * permutation number `perm`, or back.  All dst are valid after chi_gen_end; no
 * dst overlaps another dst or a src, which stay unchanged until then. */
CHI_API void chi_gen_begin_shuffle(chi_gen *g, uint64_t lanes);
CHI_API void chi_gen_shuffle(chi_gen *g, uint64_t dst, uint64_t src,
                             uint64_t lanes, uint64_t row, uint64_t perm);
CHI_API void chi_gen_unshuffle(chi_gen *g, uint64_t dst, uint64_t src,
                               uint64_t lanes, uint64_t row, uint64_t perm);

/* ---- public integers of 64 bits ------------------------------------------ */

/* Exact where the result fits, and never undefined where it does not. */
static CHI_GEN_INLINE int64_t chi_z_add(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static CHI_GEN_INLINE int64_t chi_z_sub(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a - (uint64_t)b);
}

static CHI_GEN_INLINE int64_t chi_z_neg(int64_t a) {
  return (int64_t)(0 - (uint64_t)a);
}

static CHI_GEN_INLINE int64_t chi_z_mul(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Quotient towards zero and its remainder; b != 0. */
static CHI_GEN_INLINE int64_t chi_z_div(int64_t a, int64_t b) {
  return b == -1 ? chi_z_neg(a) : a / b;
}

static CHI_GEN_INLINE int64_t chi_z_mod(int64_t a, int64_t b) {
  return b == -1 ? 0 : a % b;
}

/* a * 2^n; floor(a / 2^n); n >= 0. */
static CHI_GEN_INLINE int64_t chi_z_shl(int64_t a, int64_t n) {
  return n > 63 ? 0 : (int64_t)((uint64_t)a << n);
}

static CHI_GEN_INLINE int64_t chi_z_shr(int64_t a, int64_t n) {
  uint64_t s = a < 0 ? ~UINT64_C(0) : 0; /* shift the bits that differ from it */
  return (int64_t)(((uint64_t)a ^ s) >> (n > 63 ? 63 : n) ^ s);
}

/* Quotient to nearest, ties to even; b != 0 and the result fits. */
static CHI_GEN_INLINE int64_t chi_z_rdiv(int64_t a, int64_t b) {
  uint64_t ua = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
  uint64_t ub = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
  uint64_t q = ua / ub, r = ua % ub, up = ub - r;
  if (r > up || (r == up && (q & 1)))
    q++;
  return (a < 0) != (b < 0) ? (int64_t)(0 - q) : (int64_t)q;
}

/* Floor of the square root, a >= 0. */
static CHI_GEN_INLINE int64_t chi_z_isqrt(int64_t a) {
  uint64_t r = 0, bit = UINT64_C(1) << 62, x = (uint64_t)a;
  for (; bit; bit >>= 2) {
    if (x >= r + bit) {
      x -= r + bit;
      r = (r >> 1) + bit;
    } else {
      r >>= 1;
    }
  }
  return (int64_t)r;
}

/* The number congruent to a modulo 2^bits, 1 <= bits <= 64, in [0, 2^bits) or,
 * if is_signed, in [-2^(bits-1), 2^(bits-1)). */
static CHI_GEN_INLINE int64_t chi_z_wrap(int64_t a, unsigned bits,
                                         int is_signed) {
  uint64_t m = bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
  uint64_t v = (uint64_t)a & m;
  if (is_signed && (v >> (bits - 1) & 1))
    v |= ~m;
  return (int64_t)v;
}

#ifdef __cplusplus
}
#endif
#endif
