/* Field to bits modulo any prime q of k bits; convert.c has the method for
 * 2^k - 1.
 *
 * A share is the sum S = y + mq of d numbers of k bits, 0 <= m < d, 0 of the
 * first being written q.  For 0 <= y <= w, S lies in one of the d intervals
 * jq .. jq + w.  The sum A of the numbers without their low g bits is
 * S / 2^g - d < A <= S / 2^g, so m >= j where A >= t_j,
 *
 *   t_j = floor(((j - 1) q + w) / 2^g) + 1,   (d + 1) 2^g <= q - w or g = 0.
 *
 * Then y = S - mq modulo 2^n: n low bits of the numbers, the few top ones that
 * A takes, and one of d constants, chosen by the exclusive or of the
 * comparisons times their differences.  x - lo is y, lo joins the constants.
 */
#include "ir/gadget/gadget.h"
#include "ir/pass/util.h"

static uint32_t log2_up(uint32_t d) {
  uint32_t n = 0;
  while ((1u << n) < d) n++;
  return n;
}

/* `rows` constants of n planes, row j having lanes j * lanes ..: public. */
static ir_value *constants(gadget *g, mpz_t *c, uint32_t rows,
                           uint32_t n, uint64_t lanes) {
  ir_module *m = g->b.m;
  mpz_srcptr *bit = ARENA_ARR(m->a, mpz_srcptr, (size_t)n * rows);
  mpz_t t[2];
  mpz_init_set_ui(t[0], 0);
  mpz_init_set_ui(t[1], 1);
  mpz_srcptr value[2] = {ir_mpz(m, t[0]), ir_mpz(m, t[1])};
  mpz_clears(t[0], t[1], (mpz_ptr)NULL);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < rows; j++)
      bit[i * rows + j] = value[mpz_tstbit(c[j], i)];
  ir_type ty = ir_ty(DOM_B, KIND_PUB, (uint64_t)n * rows, NULL);
  ir_inst *tab = ir_emit(&g->b, OP_TABLE, NULL, 0, &ty, 1);
  tab->at.table = bit;
  ir_dim d[2] = {{(uint64_t)n * rows, 1}, {lanes, 0}};
  return pass_view(&g->b, tab->res[0], 0, d, 2);
}

/* Carry-save adders from d numbers of n planes down to 2, modulo 2^n. */
static void carry_save(gadget *g, uint64_t lanes, ir_value **v, uint32_t d,
                       uint32_t n) {
  while (d > 2) {
    uint32_t left = 0;
    for (uint32_t j = 0; j < d; j += 3) {
      if (j + 2 >= d) {
        for (uint32_t i = j; i < d; i++) v[left++] = v[i];
        break;
      }
      ir_value *xz = gd_xor(g, v[j], v[j + 2]);
      ir_value *yz = gd_xor(g, v[j + 1], v[j + 2]);
      ir_value *sum = gd_xor(g, xz, v[j + 1]), *z = v[j + 2];
      v[left++] = sum;
      if (n == 1) {
        v[left++] = gd_const(g, 0, lanes);
        continue;
      }
      ir_value *maj = gd_and(g, gd_planes(g, xz, lanes, 0, n - 1),
                             gd_planes(g, yz, lanes, 0, n - 1));
      maj = gd_xor(g, maj, gd_planes(g, z, lanes, 0, n - 1));
      ir_value *part[2] = {gd_const(g, 0, lanes), maj};
      v[left++] = gd_cat(g, part, 2);
    }
    d = left;
  }
}

/* The comparisons A >= t_j, 0 < j < d, each of `lanes` lanes. */
static ir_value *multiples(gadget *g, uint64_t lanes, ir_value **top,
                           uint32_t d, uint32_t drop, mpz_srcptr w) {
  uint32_t k = g->b.m->k, n = k - drop + log2_up(d), rows = d - 1;
  ir_value *v[IR_NODES_MAX];
  for (uint32_t j = 0; j < d; j++)
    v[j] = gd_extend(g, top[j], lanes, k - drop, false, n);
  carry_save(g, lanes, v, d, n);
  ir_value *a = gd_sum(g, lanes, v[0], v[1], n, NULL);
  mpz_t t[IR_NODES_MAX];
  for (uint32_t j = 0; j < rows; j++) { /* 2^n - t: a carry where A >= t */
    mpz_init(t[j]);
    mpz_mul_ui(t[j], g->b.m->p, j);
    mpz_add(t[j], t[j], w);
    mpz_fdiv_q_2exp(t[j], t[j], drop);
    mpz_com(t[j], t[j]); /* - (t - 1) - 1 */
    mpz_fdiv_r_2exp(t[j], t[j], n);
  }
  ir_dim each[3] = {{n, (int64_t)lanes}, {rows, 0}, {lanes, 1}};
  a = pass_view(&g->b, a, 0, each, 3);
  ir_value *c = constants(g, t, rows, n, lanes);
  for (uint32_t j = 0; j < rows; j++) mpz_clear(t[j]);
  return gd_carry(g, rows * lanes, a, c, n, NULL);
}

/* lo - mq modulo 2^n, m being the number of comparisons that hold. */
static ir_value *correction(gadget *g, uint64_t lanes, ir_value *ge,
                            uint32_t d, uint32_t n, mpz_srcptr lo) {
  mpz_t c, next, change;
  mpz_inits(c, next, change, (mpz_ptr)NULL);
  mpz_fdiv_r_2exp(c, lo, n);
  ir_value *v = constants(g, &c, 1, n, lanes);
  for (uint32_t j = 0; j + 1 < d; j++, mpz_swap(c, next)) {
    mpz_sub(next, c, g->b.m->p);
    mpz_fdiv_r_2exp(next, next, n);
    mpz_xor(change, c, next);
    ir_dim all[2] = {{n, 0}, {lanes, 1}};
    ir_value *one = gd_planes(g, ge, lanes, j, 1);
    if (n > 1) one = pass_view(&g->b, one, 0, all, 2);
    v = gd_xor(g, v, gd_and(g, one, constants(g, &change, 1, n, lanes)));
  }
  mpz_clears(c, next, change, (mpz_ptr)NULL);
  return v;
}

void gd_modular(gadget *g, ir_value *x, mpz_srcptr lo, mpz_srcptr w,
                uint32_t n, ir_value **s, ir_value **c) {
  uint32_t k = g->b.m->k, d = ir_target_summands(&g->target), drop = 0;
  uint64_t lanes = x->ty.lanes;
  ir_value *v[IR_NODES_MAX + 1], *top[IR_NODES_MAX];
  mpz_t room;
  mpz_init(room);
  mpz_neg(room, lo);
  if (mpz_sgn(room)) x = gd_arith(g, OP_ADD, x, gd_element(g, room));
  mpz_sub(room, g->b.m->p, w);
  mpz_fdiv_q_ui(room, room, d + 1);
  if (mpz_sgn(room)) drop = (uint32_t)mpz_sizeinbase(room, 2) - 1;
  mpz_clear(room);
  if (n < drop) {
    gd_summands(g, x, drop, k - drop, top);
    gd_summands(g, x, 0, n, v);
  } else {
    gd_summands(g, x, 0, k, v);
    for (uint32_t j = 0; j < d; j++) {
      top[j] = gd_planes(g, v[j], lanes, drop, k - drop);
      v[j] = gd_planes(g, v[j], lanes, 0, n);
    }
  }
  v[d] = correction(g, lanes, multiples(g, lanes, top, d, drop, w), d, n, lo);
  carry_save(g, lanes, v, d + 1, n);
  *s = v[0];
  *c = v[1];
}

/* As to the whole field: 0 .. q - 1. */
static void modular_all(gadget *g, ir_value *x, uint32_t n, ir_value **s,
                        ir_value **c) {
  mpz_t zero, w;
  mpz_init(zero);
  mpz_init(w);
  mpz_sub_ui(w, g->b.m->p, 1);
  gd_modular(g, x, zero, w, n, s, c);
  mpz_clears(zero, w, (mpz_ptr)NULL);
}

static void modular(gadget *g, ir_value *x, const ir_range *r, uint32_t n,
                    ir_value **s, ir_value **c) {
  mpz_t w;
  mpz_init(w);
  mpz_sub(w, r->hi, r->lo);
  gd_modular(g, x, r->lo, w, n, s, c);
  mpz_clear(w);
}

ir_value *gd_modular_bits(gadget *g, ir_value *x, const ir_range *r,
                          uint32_t n) {
  ir_value *s, *c;
  modular(g, x, r, n, &s, &c);
  return gd_sum(g, x->ty.lanes, s, c, n, NULL);
}

ir_value *gd_modular_negative(gadget *g, ir_value *x, const ir_range *r) {
  uint64_t lanes = x->ty.lanes;
  ir_value *s, *c, *v;
  bool neg;
  if (!r) { /* 2x mod q is odd */
    modular_all(g, gd_arith_si(g, OP_MUL, x, 2), 1, &s, &c);
    return gd_xor(g, s, c);
  }
  uint32_t top = gd_width(r, &neg) - 1;
  modular(g, x, r, top + 1, &s, &c);
  v = gd_xor(g, gd_planes(g, s, lanes, top, 1), gd_planes(g, c, lanes, top, 1));
  if (!top) return v;
  return gd_xor(g, v, gd_carry(g, lanes, gd_planes(g, s, lanes, 0, top),
                               gd_planes(g, c, lanes, 0, top), top, NULL));
}

/* s + c = 0 modulo 2^n: each carry out is s_i | c_i. */
ir_value *gd_modular_zero(gadget *g, ir_value *x, const ir_range *r,
                          uint32_t n) {
  uint64_t lanes = x->ty.lanes;
  ir_value *s, *c;
  if (r)
    modular(g, x, r, n, &s, &c);
  else
    modular_all(g, x, n, &s, &c);
  ir_value *q = gd_xor(g, s, c);
  if (n > 1) {
    ir_value *part[2] = {gd_const(g, 0, lanes),
                         gd_or(g, gd_planes(g, s, lanes, 0, n - 1),
                               gd_planes(g, c, lanes, 0, n - 1))};
    q = gd_xor(g, q, gd_cat(g, part, 2));
  }
  return gd_all(g, gd_not(g, q), lanes, n);
}
