/* How many of a group of bits are 1, in the field.
 *
 * Adding up is free in the field, bringing a bit there is not.  A layer of full
 * adders makes two bits of three: of weights 1 and 2, for one product and a
 * round.  So layers go on as long as what they save is worth a round.
 */
#include "ir/gadget/gadget.h"
#include "ir/pass/util.h"

#define COLUMNS 64
#define ROUND_WORTH 1024 /* elements sent in the time a round takes */

typedef struct column { /* n planes of weight 2^index */
  ir_value *v;
  uint64_t n;
} column;

static ir_value *cut(gadget *g, uint64_t lanes, const column *c, uint64_t from,
                     uint64_t n) {
  ir_dim d = {n * lanes, 1};
  return ir_view(&g->b, c->v, (int64_t)(from * lanes), &d, 1);
}

static void push(gadget *g, column *c, ir_value *v, uint64_t n) {
  ir_value *part[2] = {c->v, v};
  c->v = c->n ? gd_cat(g, part, 2) : v;
  c->n += n;
}

static void layer(gadget *g, uint64_t lanes, const column *from, column *to) {
  for (uint32_t k = 0; k < COLUMNS; k++) {
    uint64_t t = from[k].n / 3;
    if (from[k].n > 3 * t)
      push(g, &to[k], cut(g, lanes, &from[k], 3 * t, from[k].n - 3 * t),
           from[k].n - 3 * t);
    if (!t) continue;
    ir_value *x = cut(g, lanes, &from[k], 0, t);
    ir_value *y = cut(g, lanes, &from[k], t, t);
    ir_value *z = cut(g, lanes, &from[k], 2 * t, t);
    ir_value *xz = gd_xor(g, x, z), *yz = gd_xor(g, y, z);
    push(g, &to[k], gd_xor(g, xz, y), t);
    push(g, &to[k + 1], gd_xor(g, gd_and(g, xz, yz), z), t);
  }
}

ir_value *gd_count(gadget *g, ir_value *bits, uint64_t lanes, uint64_t n,
                   const ir_range *r) {
  column c[COLUMNS + 1] = {{NULL, 0}};
  ir_dim d[2] = {{n, 1}, {lanes, (int64_t)n}};
  push(g, &c[0], pass_view(&g->b, bits, 0, d, 2), n);
  for (;;) {
    uint64_t saved = 0;
    for (uint32_t k = 0; k < COLUMNS; k++) saved += c[k].n / 3;
    if (saved * lanes < ROUND_WORTH) break;
    column next[COLUMNS + 1] = {{NULL, 0}};
    layer(g, lanes, c, next);
    for (uint32_t k = 0; k < COLUMNS; k++) c[k] = next[k];
  }
  ir_value *part[COLUMNS], *sum = NULL;
  uint64_t at = 0;
  uint32_t np = 0;
  for (uint32_t k = 0; k < COLUMNS; k++)
    if (c[k].n) part[np++] = c[k].v;
  ir_value *all = gd_cat(g, part, np);
  ir_value *v = gd_to_field(g, all, all->ty.lanes, 1, false,
                            ir_range_si(g->b.m, 0, 1));
  for (uint32_t k = 0; k < COLUMNS; at += c[k++].n * lanes) {
    if (!c[k].n) continue;
    ir_dim each[2] = {{lanes, 1}, {c[k].n, (int64_t)lanes}};
    ir_value *s = ir_fold(
        &g->b, OP_SUM, pass_view(&g->b, v, (int64_t)at, each, 2), c[k].n);
    if (k) s = gd_scale(g, s, (int32_t)k);
    sum = sum ? gd_arith(g, OP_ADD, sum, s) : s;
  }
  return gd_fit(g, sum, r);
}
