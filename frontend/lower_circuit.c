/* A circuit file as operations on rows: every bit of it is a row of n lanes,
 * one for each instance; a step of the plan is two gathers of rows, one
 * operation on all of them, and a put into the pool. */
#include "frontend/bristol.h"

#include "frontend/lower.h"

typedef struct rows {
  lo *l;
  uint64_t n;    /* lanes of a row */
  ir_value *pool;
  uint32_t cap;
  mpz_srcptr *number; /* of each row, once it was needed */
} rows;

static mpz_srcptr number_of(rows *r, uint32_t k) {
  if (!r->number[k]) {
    mpz_t z;
    mpz_init_set_ui(z, k);
    r->number[k] = ir_mpz(r->l->m, z);
    mpz_clear(z);
  }
  return r->number[k];
}

static ir_value *index_of_rows(rows *r, const uint32_t *row, uint32_t n) {
  ir_builder *b = &r->l->b;
  if (n == 1) return ir_const(b, DOM_Z, number_of(r, row[0]), 1);
  mpz_srcptr *t = ARENA_ARR(r->l->m->a, mpz_srcptr, n);
  uint32_t lo = UINT32_MAX, hi = 0;
  for (uint32_t k = 0; k < n; k++) {
    t[k] = number_of(r, row[k]);
    if (row[k] < lo) lo = row[k];
    if (row[k] > hi) hi = row[k];
  }
  ir_type ty = ir_ty(DOM_Z, KIND_PUB, n, ir_range_si(r->l->m, lo, hi));
  ir_inst *i = ir_emit(b, OP_TABLE, NULL, 0, &ty, 1);
  i->at.table = t;
  return i->res[0];
}

static ir_value *fetch(rows *r, const uint32_t *row, uint32_t n) {
  return ir_gather_rows(&r->l->b, r->pool, index_of_rows(r, row, n), r->n);
}

static ir_value *bit_row(rows *r, int64_t bit, uint64_t count) {
  return ir_const_si(&r->l->b, DOM_Z, bit, count * r->n);
}

static void begin(rows *r, const bristol *c, const bristol_plan *p,
                  const lv *arg) {
  ir_value **part = ARENA_ARR(r->l->a, ir_value *, c->nin + 3);
  uint32_t k = 0, have = c->in_bits + p->one + p->zero;
  for (; k < c->nin; k++) {
    part[k] = ir_splat(&r->l->b, arg[k].leaf[0], c->in[k] * r->n);
  }
  if (p->one) part[k++] = bit_row(r, 1, 1);
  if (p->zero || p->rows > have)
    part[k++] = bit_row(r, 0, p->zero + p->rows - have);
  r->pool = ir_concat(&r->l->b, part, k);
}

static void pack(rows *r, const bristol_step *s) {
  ir_value *part[2];
  uint32_t k = 0;
  if (s->nkeep) part[k++] = fetch(r, s->keep, s->nkeep);
  if (s->nkeep < r->cap) {
    part[k] = bit_row(r, 0, r->cap - s->nkeep);
    if (r->pool->ty.kind == KIND_SH)
      part[k] = ir_op1(&r->l->b, OP_HIDE, part[k]);
    k++;
  }
  r->pool = ir_concat(&r->l->b, part, k);
}

static void step(rows *r, const bristol_step *s) {
  ir_builder *b = &r->l->b;
  ir_value *x = fetch(r, s->a, s->n), *y = fetch(r, s->b, s->n);
  ir_value *v = ir_op2(b, s->is_and ? OP_AND : OP_XOR, x, y);
  if (s->is_and && v->ty.kind == KIND_SH) v = ir_op1(b, OP_SETTLE, v);
  if (s->packs) pack(r, s);
  ir_dim d[2] = {{s->n, (int64_t)r->n}, {r->n, 1}};
  r->pool = ir_put(b, r->pool, v, z_si(r->l, 0), (int64_t)(s->at * r->n), d, 2);
}

lv lower_circuit(lo *l, const inst *in, const lv *arg) {
  bristol *c = circuit_of(l->u, in->s);
  const bristol_plan *p = bristol_layout(l->u->a, c);
  const ty *t0 = in->param[0];
  rows r = {.l = l, .n = t0->ndim == 2 ? t0->dim[1] : 1, .cap = p->rows};
  r.number = ARENA_ARR(l->a, mpz_srcptr, (size_t)p->rows + 1);
  begin(&r, c, p, arg);
  for (uint32_t k = 0; k < p->nstep && !too_large(l); k++)
    step(&r, &p->step[k]);
  lv v = lv_new(l, in->value);
  for (uint32_t k = 0, at = 0; k < c->nout; at += c->out[k++])
    v.leaf[k] = fetch(&r, p->result + at, c->out[k]);
  return v;
}
