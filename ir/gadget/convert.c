/* Between the field and bits.
 *
 * A share is a sum modulo p of numbers that a node or a pair knows, so their
 * bits are shares for free (split) or for one message (deal).  Carry-save
 * adders with end-around carry, s = x ^ y ^ z, c = rotl(maj(x, y, z), 1), bring
 * the summands down to two; as 0 of the first is written p, they are never all
 * 0 and never all p, nor are s and c: 1 <= s + c <= 2p - 1.
 *
 * For 0 <= x < 2^(k-1): s + c = x + wp where w = s_(k-1) | c_(k-1), and p = -1
 * modulo 2^m, so x = s + c + w modulo 2^m: m low bits and a few top ones do.
 */
#include "ir/gadget/gadget.h"

#include <stdlib.h>

#include "ir/pass/util.h"

static void bind(gadget *g) { g->b.m->target = g->target; }

/* ---- arithmetic in the field ---- */
ir_value *gd_arith(gadget *g, ir_op op, ir_value *x, ir_value *y) {
  ir_value *v = ir_op2(&g->b, op, x, y);
  if (!ir_range_in_field(g->b.m, v->ty.range)) v->ty.range = NULL;
  return v;
}

ir_value *gd_arith_si(gadget *g, ir_op op, ir_value *x, int64_t y) {
  return gd_arith(g, op, x, ir_const_si(&g->b, DOM_P, y, 1));
}

ir_value *gd_fit(gadget *g, ir_value *v, const ir_range *r) {
  return pass_fit(&g->b, v, r);
}

ir_value *gd_element(gadget *g, mpz_srcptr v) {
  mpz_t c;
  mpz_init(c);
  mpz_mod(c, v, g->b.m->p);
  if (!ir_in_field(g->b.m, c)) mpz_sub(c, c, g->b.m->p);
  ir_value *k = ir_const(&g->b, DOM_P, c, 1);
  mpz_clear(c);
  return k;
}

ir_value *gd_offset(gadget *g, ir_value *x, uint32_t j) {
  mpz_t c;
  mpz_init(c);
  mpz_setbit(c, j);
  ir_value *v = gd_arith(g, OP_ADD, x, gd_element(g, c));
  if (!ir_in_field(g->b.m, c)) v->ty.range = NULL;
  mpz_clear(c);
  return v;
}

ir_value *gd_scale(gadget *g, ir_value *x, int32_t j) {
  mpz_t c;
  mpz_init(c);
  mpz_setbit(c, (mp_bitcnt_t)abs(j));
  if (j < 0) mpz_invert(c, c, g->b.m->p);
  ir_value *v = gd_arith(g, OP_MUL, x, gd_element(g, c));
  if (j < 0) v->ty.range = NULL;
  mpz_clear(c);
  return v;
}

/* ---- addends ---- */
static ir_inst *emit_parts(gadget *g, ir_op op, ir_value *x, ir_type ty,
                           uint32_t off, uint32_t bits) {
  ir_type res[IR_NODES_MAX];
  uint32_t n = ir_target_summands(&g->target);
  for (uint32_t k = 0; k < n; k++) res[k] = ty;
  bind(g);
  ir_inst *i = ir_emit(&g->b, op, &x, 1, res, n);
  i->at.off = off;
  i->at.bits = bits;
  return i;
}

static ir_inst *split(gadget *g, ir_value *x, uint32_t off, uint32_t bits) {
  return emit_parts(g, g->target.protocol == IR_REP3 ? OP_SPLIT : OP_DEAL, x,
                    ir_ty(DOM_B, KIND_SH, bits * x->ty.lanes, NULL), off, bits);
}

void gd_summands(gadget *g, ir_value *x, uint32_t off, uint32_t n,
                 ir_value **out) {
  ir_inst *i = split(g, x, off, n);
  for (uint32_t j = 0; j < i->nres; j++) out[j] = i->res[j];
}

/* The planes from .. to - 1 of each summand, |from| and to at most k. */
static void summands(gadget *g, ir_value *x, int32_t from, int32_t to,
                     ir_value **out) {
  uint32_t k = g->b.m->k, d = ir_target_summands(&g->target);
  uint32_t up = (uint32_t)-from, n = up + (uint32_t)to;
  if (n < k) {
    ir_inst *hi = split(g, x, k - up, up);
    ir_inst *lo = to ? split(g, x, 0, (uint32_t)to) : NULL;
    for (uint32_t j = 0; j < d; j++) {
      ir_value *part[2] = {hi->res[j], lo ? lo->res[j] : NULL};
      out[j] = gd_cat(g, part, lo ? 2 : 1);
    }
    return;
  }
  ir_inst *all = split(g, x, 0, k);
  for (uint32_t j = 0; j < d; j++) {
    gd_plane p[2 * GD_PLANES];
    for (uint32_t i = 0; i < n; i++)
      p[i] = (gd_plane){all->res[j], (i + IR_NODES_MAX * k - up) % k};
    out[j] = gd_take(g, x->ty.lanes, p, n);
  }
}

/* Layers of carry-save adders from d numbers down to 2. */
static uint32_t layers(uint32_t d) {
  uint32_t n = 0;
  for (; d > 2; d -= d / 3) n++;
  return n;
}

void gd_addends(gadget *g, ir_value *x, unsigned turn, int32_t from,
                int32_t to, ir_value **s, ir_value **c) {
  ir_value *v[IR_NODES_MAX];
  uint64_t lanes = x->ty.lanes;
  uint32_t d = ir_target_summands(&g->target);
  int32_t down = (int32_t)(turn + layers(d));
  uint32_t n = (uint32_t)(to - from + (int32_t)layers(d));
  summands(g, x, from - down, to - (int32_t)turn, v);
  for (; d > 2; n--) { /* planes 0 .. n-1 come in, 1 .. n-1 go out */
    uint32_t left = 0;
    for (uint32_t j = 0; j < d; j += 3) {
      if (j + 2 >= d) {
        for (uint32_t i = j; i < d; i++)
          v[left++] = gd_planes(g, v[i], lanes, 1, n - 1);
        break;
      }
      ir_value *xz = gd_xor(g, v[j], v[j + 2]);
      ir_value *yz = gd_xor(g, v[j + 1], v[j + 2]);
      ir_value *sum = gd_xor(g, xz, v[j + 1]);
      ir_value *maj =
          gd_and(g, gd_planes(g, xz, lanes, 0, n - 1),
                 gd_planes(g, yz, lanes, 0, n - 1));
      maj = gd_xor(g, maj, gd_planes(g, v[j + 2], lanes, 0, n - 1));
      v[left++] = gd_planes(g, sum, lanes, 1, n - 1);
      v[left++] = maj;
    }
    d = left;
  }
  *s = v[0];
  *c = v[1];
}

/* ---- field to bits ---- */
ir_value *gd_to_bits(gadget *g, ir_value *x, const ir_range *r, uint32_t m) {
  uint32_t k = g->b.m->k;
  uint64_t lanes = x->ty.lanes;
  bool neg;
  uint32_t width = gd_width(r, &neg);
  ir_value *s, *c, *v;
  if (m > width) { /* the top one again, or 0 */
    v = gd_to_bits(g, x, r, width);
    return gd_extend(g, v, lanes, width, neg, m);
  }
  if (!g->b.m->is_mersenne) return gd_modular_bits(g, x, r, m);
  if (neg) x = gd_offset(g, x, width - 1);
  if (width == k) { /* x + 2^(k-1) in 1 .. p */
    gd_addends(g, x, 0, 0, (int32_t)k, &s, &c);
    v = gd_sum_around(g, lanes, s, c, k);
    v = gd_planes(g, v, lanes, 0, m);
  } else {
    gd_addends(g, x, 0, -1, (int32_t)m, &s, &c);
    ir_value *w = gd_or(g, gd_planes(g, s, lanes, 0, 1),
                        gd_planes(g, c, lanes, 0, 1));
    v = gd_sum(g, lanes, gd_planes(g, s, lanes, 1, m),
               gd_planes(g, c, lanes, 1, m), m, w);
  }
  if (!neg || m < width) return v;
  ir_value *top = gd_not(g, gd_planes(g, v, lanes, m - 1, 1));
  if (m == 1) return top;
  ir_value *part[2] = {gd_planes(g, v, lanes, 0, m - 1), top};
  return gd_cat(g, part, 2);
}

ir_value *gd_integer(gadget *g, ir_value *x) {
  mpz_srcptr c;
  if (x->ty.dom == DOM_P && x->def && x->def->op == OP_ENC)
    return x->def->arg[0];
  if (x->ty.dom == DOM_P && ir_is_const(x, &c))
    return ir_const(&g->b, DOM_Z, c, x->ty.lanes);
  return x->ty.dom == DOM_P ? ir_ranged(&g->b, OP_DEC, x, x->ty.range) : x;
}

ir_value *gd_public_bits(gadget *g, ir_value *x, uint32_t m) {
  x = gd_integer(g, x);
  ir_type ty = ir_ty(DOM_B, KIND_PUB, m * x->ty.lanes, NULL);
  ir_inst *i = ir_emit(&g->b, OP_UNPACK, &x, 1, &ty, 1);
  i->at.bits = m;
  return i->res[0];
}

/* ---- bits to field ---- */
static ir_value *xor_field(gadget *g, ir_value *x, ir_value *y) {
  ir_value *xy = gd_arith(g, OP_MUL, x, y);
  ir_value *v = gd_arith(g, OP_SUB, gd_arith(g, OP_ADD, x, y),
                         gd_arith_si(g, OP_MUL, xy, 2));
  return gd_fit(g, v, ir_range_si(g->b.m, 0, 1));
}

/* Each lane by itself. */
static ir_value *join(gadget *g, ir_value *b) {
  ir_type ty = ir_ty(DOM_P, KIND_SH, b->ty.lanes, ir_range_si(g->b.m, 0, 1));
  bind(g);
  if (g->target.protocol == IR_REP3) {
    ir_value *e = ir_emit(&g->b, OP_XDEAL, &b, 1, &ty, 1)->res[0];
    ir_value *arg[2] = {e, b};
    return ir_emit(&g->b, OP_XJOIN, arg, 2, &ty, 1)->res[0];
  }
  ir_inst *i = emit_parts(g, OP_BDEAL, b, ty, 0, 0);
  ir_value *v[IR_NODES_MAX];
  uint32_t n = i->nres;
  for (uint32_t k = 0; k < n; k++) v[k] = i->res[k];
  while (n > 1) {
    uint32_t h = n / 2;
    for (uint32_t k = 0; k < h; k++)
      v[k] = xor_field(g, v[2 * k], v[2 * k + 1]);
    if (n & 1) v[h] = v[n - 1];
    n -= h;
  }
  return v[0];
}

ir_value *gd_powers(gadget *g, ir_dom dom, uint32_t m, bool is_signed) {
  mpz_srcptr *w = ARENA_ARR(g->b.m->a, mpz_srcptr, m);
  mpz_t t;
  mpz_init(t);
  for (uint32_t i = 0; i < m; i++) {
    mpz_set_ui(t, 0);
    mpz_setbit(t, i);
    if (is_signed && i == m - 1) mpz_neg(t, t);
    w[i] = ir_mpz(g->b.m, t);
  }
  mpz_clear(t);
  ir_type ty = ir_ty(dom, KIND_PUB, m, NULL);
  ir_inst *tab = ir_emit(&g->b, OP_TABLE, NULL, 0, &ty, 1);
  tab->at.table = w;
  tab->res[0]->ty.range = ir_inst_range(g->b.m, tab);
  return tab->res[0];
}

ir_value *gd_to_field(gadget *g, ir_value *bits, uint64_t lanes, uint32_t m,
                      bool is_signed, const ir_range *r) {
  if (bits->ty.kind == KIND_PUB) bits = ir_op1(&g->b, OP_HIDE, bits);
  ir_value *v = join(g, bits);
  if (m == 1 && !is_signed) return gd_fit(g, v, r);
  ir_value *power = gd_powers(g, DOM_P, m, is_signed);
  ir_dim across[2] = {{lanes, 1}, {m, (int64_t)lanes}};
  ir_dim again[2] = {{lanes, 0}, {m, 1}};
  v = gd_arith(g, OP_MUL, pass_view(&g->b, v, 0, across, 2),
               pass_view(&g->b, power, 0, again, 2));
  v = ir_fold(&g->b, OP_SUM, v, m);
  if (!ir_range_in_field(g->b.m, v->ty.range)) v->ty.range = NULL;
  return gd_fit(g, v, r);
}
