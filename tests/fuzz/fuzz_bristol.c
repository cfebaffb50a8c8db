/* Any bytes as a circuit file: a circuit or one error.  The plan has to make
 * the bits that the gates make: both are evaluated on fixed inputs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/bristol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int holds) {
  if (!holds) abort();
}

static uint8_t input(uint32_t k) { return (k * 2654435761u >> 7) & 1; }

static uint8_t *by_gates(const bristol *c) {
  uint8_t *v = calloc(c->n, 1);
  must(v != NULL);
  v[BRISTOL_ONE] = 1;
  for (uint32_t k = 0; k < c->in_bits; k++) v[BRISTOL_INPUT + k] = input(k);
  for (uint32_t k = BRISTOL_INPUT + c->in_bits; k < c->n; k++) {
    must(c->a[k] < k && c->b[k] < k);
    v[k] = c->is_and[k] ? v[c->a[k]] & v[c->b[k]] : v[c->a[k]] ^ v[c->b[k]];
  }
  return v;
}

/* A row holds 2 where nothing was written. */
static uint8_t at(const uint8_t *pool, uint32_t rows, uint32_t row) {
  must(row < rows && pool[row] < 2);
  return pool[row];
}

static uint8_t *unwritten(uint32_t rows) {
  uint8_t *p = malloc(rows ? rows : 1);
  must(p != NULL);
  memset(p, 2, rows);
  return p;
}

static uint8_t *packed(const bristol_step *s, const uint8_t *pool,
                       uint32_t rows) {
  uint8_t *to = unwritten(rows);
  must(s->nkeep <= rows);
  for (uint32_t k = 0; k < s->nkeep; k++) to[k] = at(pool, rows, s->keep[k]);
  return to;
}

static uint8_t *by_steps(const bristol *c, const bristol_plan *p) {
  uint8_t *pool = unwritten(p->rows), *sums = NULL;
  uint32_t n = 0, nsums = 0;
  must(p->rows >= c->in_bits + p->one + p->zero);
  for (; n < c->in_bits; n++) pool[n] = input(n);
  if (p->one) pool[n++] = 1;
  if (p->zero) pool[n++] = 0;
  for (uint32_t i = 0; i < p->nstep; i++) {
    const bristol_step *s = &p->step[i];
    bool of_sums = s->kind == BRISTOL_SUM || s->kind == BRISTOL_SETTLE;
    const uint8_t *from = of_sums ? sums : pool;
    uint32_t rows = of_sums ? nsums : p->rows;
    uint8_t *v = unwritten(s->n);
    for (uint32_t k = 0; k < s->n; k++) {
      v[k] = at(from, rows, s->a[k]);
      if (s->kind == BRISTOL_AND || s->kind == BRISTOL_OPEN)
        v[k] &= at(from, rows, s->b[k]);
      else if (s->kind != BRISTOL_SETTLE)
        v[k] ^= at(from, rows, s->b[k]);
    }
    if (s->kind == BRISTOL_OPEN) {
      free(sums);
      nsums = s->rows;
      sums = unwritten(nsums);
      must(s->at == 0 && s->n + s->nkeep <= nsums);
      for (uint32_t k = 0; k < s->nkeep; k++)
        sums[s->n + k] = at(pool, p->rows, s->keep[k]);
    } else if (s->packs) {
      uint8_t *to = packed(s, pool, p->rows);
      free(pool);
      pool = to;
    }
    bool shares = s->kind != BRISTOL_OPEN && s->kind != BRISTOL_SUM;
    uint32_t room = shares ? p->rows : nsums;
    must(s->at <= room && s->n <= room - s->at);
    memcpy((shares ? pool : sums) + s->at, v, s->n);
    free(v);
  }
  free(sums);
  return pool;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  must(source_add(ss, "fuzz.txt", (const char *)data, n, &id));
  const source_file *f = source_get(ss, id);
  bristol *c = bristol_parse(a, f, dg);
  must(diag_errors(dg) == (c == NULL));
  if (c == NULL) {
    span sp = diag_get(dg, 0)->sp;
    must(sp.start >= f->base && sp.end <= f->base + f->n);
  } else {
    const bristol_plan *p = bristol_layout(a, c);
    uint8_t *want = by_gates(c), *pool = by_steps(c, p);
    must(p->settled <= c->ands);
    for (uint32_t k = 0; k < c->out_bits; k++)
      must(at(pool, p->rows, p->result[k]) == want[c->result[k]]);
    free(want);
    free(pool);
  }
  arena_free(a);
  return 0;
}
