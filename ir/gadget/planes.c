/* Planes of bits: picking them, and the gates on them. */
#include "ir/gadget/gadget.h"

#include <stdlib.h>

#include "ir/pass/util.h"

uint32_t gd_width(const ir_range *r, bool *is_signed) {
  *is_signed = mpz_sgn(r->lo) < 0;
  size_t hi = mpz_sgn(r->hi) > 0 ? mpz_sizeinbase(r->hi, 2) : 0;
  if (!*is_signed) return hi ? (uint32_t)hi : 1;
  mpz_t t;
  mpz_init(t);
  mpz_com(t, r->lo); /* -lo - 1 */
  size_t lo = mpz_sgn(t) ? mpz_sizeinbase(t, 2) : 0;
  mpz_clear(t);
  return (uint32_t)(lo > hi ? lo : hi) + 1;
}

bool gd_is_bool(const ir_value *v) {
  const ir_range *r = v->ty.range;
  return r && mpz_sgn(r->lo) >= 0 && mpz_cmp_ui(r->hi, 1) <= 0;
}

/* ---- gates ---- */
ir_value *gd_const(gadget *g, unsigned bit, uint64_t lanes) {
  return ir_const_si(&g->b, DOM_B, (int64_t)bit, lanes);
}

ir_value *gd_xor(gadget *g, ir_value *x, ir_value *y) {
  return ir_op2(&g->b, OP_ADD, x, y);
}

ir_value *gd_and(gadget *g, ir_value *x, ir_value *y) {
  return ir_op2(&g->b, OP_MUL, x, y);
}

ir_value *gd_or(gadget *g, ir_value *x, ir_value *y) {
  return gd_xor(g, gd_xor(g, x, y), gd_and(g, x, y));
}

ir_value *gd_not(gadget *g, ir_value *x) {
  return gd_xor(g, x, gd_const(g, 1, 1));
}

ir_value *gd_repeat(gadget *g, ir_value *bit, uint32_t m) {
  ir_dim d[2] = {{m, 0}, {bit->ty.lanes, 1}};
  return pass_view(&g->b, bit, 0, d, 2);
}

ir_value *gd_mux(gadget *g, ir_value *c, ir_value *x, ir_value *y,
                 uint32_t m) {
  if (m > 1) c = gd_repeat(g, c, m);
  return gd_xor(g, y, gd_and(g, c, gd_xor(g, x, y)));
}

/* ---- planes ---- */
ir_value *gd_planes(gadget *g, ir_value *x, uint64_t lanes, uint32_t from,
                    uint32_t n) {
  ir_dim d = {n * lanes, 1};
  return ir_view(&g->b, x, (int64_t)(from * lanes), &d, 1);
}

ir_value *gd_cat(gadget *g, ir_value **x, uint32_t n) {
  return ir_concat(&g->b, x, n);
}

/* Planes p[0] .. p[n-1] of one value, `step` apart. */
typedef struct run {
  ir_value *v;
  uint32_t at, n;
  int32_t step;
} run;

/* The longest run from p on. */
static uint32_t run_length(const gd_plane *p, uint32_t n) {
  if (n < 2 || p[1].v != p[0].v) return 1;
  uint32_t k = 2;
  while (k < n && p[k].v == p[0].v &&
         p[k].at - p[k - 1].at == p[1].at - p[0].at)
    k++;
  /* of two, the second may begin a longer one */
  return k == 2 && run_length(p + 1, n - 1) > 2 ? 1 : k;
}

static bool alike(const run *x, const run *y) {
  return x->v == y->v && x->n == y->n && (x->n == 1 || x->step == y->step);
}

ir_value *gd_take(gadget *g, uint64_t lanes, const gd_plane *p, uint32_t n) {
  run r[GD_PLANES];
  ir_value *part[GD_PLANES];
  uint32_t nr = 0, np = 0;
  for (uint32_t k = 0; k < n; k += r[nr++].n) {
    uint32_t len = run_length(p + k, n - k);
    int32_t step = len > 1 ? (int32_t)(p[k + 1].at - p[k].at) : 0;
    r[nr] = (run){p[k].v, p[k].at, len, step};
  }
  for (uint32_t k = 0, e; k < nr; k = e) { /* runs that repeat: one more axis */
    int32_t far = 0;
    for (e = k + 1; e < nr && alike(&r[k], &r[e]); e++) {
      int32_t d = (int32_t)(r[e].at - r[e - 1].at);
      if (e == k + 1)
        far = d;
      else if (d != far)
        break;
    }
    int64_t l = (int64_t)lanes;
    ir_dim d[3] = {{e - k, far * l}, {r[k].n, r[k].step * l}, {lanes, 1}};
    part[np++] = pass_view(&g->b, r[k].v, r[k].at * l, d, 3);
  }
  return gd_cat(g, part, np);
}

ir_value *gd_widen(gadget *g, ir_value *x, uint32_t m, uint64_t lanes) {
  if (lanes == 1 || x->ty.lanes != m) return x;
  ir_dim d[2] = {{m, 1}, {lanes, 0}};
  return pass_view(&g->b, x, 0, d, 2);
}

ir_value *gd_extend(gadget *g, ir_value *x, uint64_t lanes, uint32_t m,
                    bool is_signed, uint32_t to) {
  if (to <= m) return gd_planes(g, x, lanes, 0, to);
  ir_value *part[2] = {x, NULL};
  if (is_signed) {
    ir_dim d[2] = {{to - m, 0}, {lanes, 1}};
    part[1] = pass_view(&g->b, x, (int64_t)((m - 1) * lanes), d, 2);
  } else {
    part[1] = gd_const(g, 0, (to - m) * lanes);
  }
  return gd_cat(g, part, 2);
}

ir_value *gd_all(gadget *g, ir_value *x, uint64_t lanes, uint32_t m) {
  while (m > 1) {
    uint32_t h = m / 2;
    ir_value *p = gd_and(g, gd_planes(g, x, lanes, 0, h),
                         gd_planes(g, x, lanes, h, h));
    if (m & 1) {
      ir_value *part[2] = {p, gd_planes(g, x, lanes, m - 1, 1)};
      p = gd_cat(g, part, 2);
    }
    x = p;
    m = m - h;
  }
  return x;
}

ir_value *gd_hidden(gadget *g, ir_value *x) {
  return x->ty.kind == KIND_PUB ? ir_op1(&g->b, OP_HIDE, x) : x;
}

/* ---- loops ---- */
void gd_turns_open(gadget *g, gd_turns *t, uint32_t n, ir_value **start,
                   uint32_t carried) {
  ir_module *m = g->b.m;
  t->carried = carried;
  t->arg[0] = ir_const_si(&g->b, DOM_Z, n, 1);
  for (uint32_t k = 0; k < carried; k++) t->arg[k + 1] = start[k];
  t->outer = g->b;
  t->body = ir_block_new(m);
  ir_param(m, t->body, ir_ty(DOM_Z, KIND_PUB, 1, ir_range_si(m, 0, n - 1)),
           NULL);
  for (uint32_t k = 0; k < carried; k++)
    ir_param(m, t->body, t->arg[k + 1]->ty, NULL);
  g->b = (ir_builder){m, t->body, NULL, t->outer.sp};
}

ir_inst *gd_turns_close(gadget *g, gd_turns *t, ir_value **next) {
  ir_yield(&g->b, next, t->carried);
  ir_type ty[5];
  for (uint32_t k = 0; k < t->carried; k++) ty[k] = t->arg[k + 1]->ty;
  g->b = t->outer;
  return ir_region_inst(&g->b, OP_FOR, t->arg, t->carried + 1, ty, t->carried,
                        &t->body, 1);
}
