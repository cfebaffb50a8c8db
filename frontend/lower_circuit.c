/* A circuit file as operations on rows: every bit of it is a row of n lanes,
 * one for each instance; a step of the plan is two gathers of rows, one
 * operation on all of them, and a put into a pool. */
#include "frontend/bristol.h"

#include "frontend/lower.h"

typedef struct rows {
  lo *l;
  uint64_t n;    /* lanes of a row */
  ir_value *pool, *sums;
  ir_value *zero; /* the offset of every put */
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
  uint32_t least = UINT32_MAX, most = 0;
  for (uint32_t k = 0; k < n; k++) {
    t[k] = number_of(r, row[k]);
    if (row[k] < least) least = row[k];
    if (row[k] > most) most = row[k];
  }
  ir_type type =
      ir_ty(DOM_Z, KIND_PUB, n, ir_range_si(r->l->m, least, most));
  ir_inst *i = ir_emit(b, OP_TABLE, NULL, 0, &type, 1);
  i->at.table = t;
  return i->res[0];
}

static ir_value *fetch(rows *r, ir_value *from, const uint32_t *row,
                       uint32_t n) {
  return ir_gather_rows(&r->l->b, from, index_of_rows(r, row, n), r->n);
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
    if (part[k]->ty.kind == KIND_SH) /* from here on as bits */
      part[k] = ir_digits(&r->l->b, part[k], 1);
  }
  if (p->one) part[k++] = bit_row(r, 1, 1);
  if (p->zero || p->rows > have)
    part[k++] = bit_row(r, 0, p->zero + p->rows - have);
  r->pool = ir_concat(&r->l->b, part, k);
}

static void pack(rows *r, const bristol_step *s) {
  ir_value *part[2];
  uint32_t k = 0;
  if (s->nkeep) part[k++] = fetch(r, r->pool, s->keep, s->nkeep);
  if (s->nkeep < r->cap) {
    part[k] = bit_row(r, 0, r->cap - s->nkeep);
    if (r->pool->ty.kind == KIND_SH)
      part[k] = ir_op1(&r->l->b, OP_HIDE, part[k]);
    k++;
  }
  r->pool = ir_concat(&r->l->b, part, k);
}

/* v as rows from `at` on of pool. */
static ir_value *stored(rows *r, ir_value *pool, ir_value *v, uint32_t at,
                        uint32_t n) {
  ir_dim d[2] = {{n, (int64_t)r->n}, {r->n, 1}};
  return ir_put(&r->l->b, pool, v, r->zero, (int64_t)(at * r->n), d, 2);
}

static ir_value *settled(rows *r, ir_value *v) {
  return v->ty.kind == KIND_SH ? ir_op1(&r->l->b, OP_SETTLE, v) : v;
}

static void open_sums(rows *r, const bristol_step *s, ir_value *v) {
  ir_value *part[3] = {v};
  uint32_t k = 1, have = s->n + s->nkeep;
  if (s->nkeep) part[k++] = fetch(r, r->pool, s->keep, s->nkeep);
  if (have < s->rows) part[k++] = bit_row(r, 0, s->rows - have);
  r->sums = ir_concat(&r->l->b, part, k);
}

static void step(rows *r, const bristol_step *s) {
  bool sums = s->kind == BRISTOL_SUM || s->kind == BRISTOL_SETTLE;
  bool ands = s->kind == BRISTOL_AND || s->kind == BRISTOL_OPEN;
  ir_value *from = sums ? r->sums : r->pool;
  ir_value *v = fetch(r, from, s->a, s->n);
  if (s->kind != BRISTOL_SETTLE)
    v = ir_op2(&r->l->b, ands ? OP_AND : OP_XOR, v,
               fetch(r, from, s->b, s->n));
  if (s->kind == BRISTOL_OPEN) {
    open_sums(r, s, v);
  } else if (s->kind == BRISTOL_SUM) {
    r->sums = stored(r, r->sums, v, s->at, s->n);
  } else {
    if (s->kind != BRISTOL_XOR) v = settled(r, v);
    if (s->packs) pack(r, s);
    r->pool = stored(r, r->pool, v, s->at, s->n);
  }
}

lv lower_circuit(lo *l, const inst *in, const lv *arg) {
  bristol *c = circuit_of(l->u, in->s);
  const bristol_plan *p = bristol_layout(l->u->a, c);
  const ty *t0 = in->param[0];
  rows r = {.l = l, .n = t0->ndim == 2 ? t0->dim[1] : 1, .cap = p->rows};
  uint32_t most = p->rows;
  for (uint32_t k = 0; k < p->nstep; k++)
    if (p->step[k].rows > most) most = p->step[k].rows;
  r.number = ARENA_ARR(l->a, mpz_srcptr, (size_t)most + 1);
  r.zero = z_si(l, 0);
  begin(&r, c, p, arg);
  for (uint32_t k = 0; k < p->nstep && !too_large(l); k++)
    step(&r, &p->step[k]);
  lv v = lv_new(l, in->value);
  for (uint32_t k = 0, at = 0; k < c->nout; at += c->out[k++])
    v.leaf[k] = fetch(&r, r.pool, p->result + at, c->out[k]);
  return v;
}
