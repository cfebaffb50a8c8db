#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/parties.h"

enum { STREAMS = LAB_NODES * LAB_NODES * 16 };

typedef struct note {
  lab_draw d;
  unsigned exchange;
} note;

typedef struct lab_party {
  unsigned run, exchange; /* that it is in */
  uint8_t *out[LAB_NODES]; /* sent in the exchange: head and payload */
  size_t out_bytes[LAB_NODES], out_cap[LAB_NODES];
  note *note; /* the draws of the run as it is */
  size_t notes, note_cap;
  unsigned early;
  uint64_t *result;
  uint64_t said; /* digest of what was sent to the node in the run */
} lab_party;

typedef enum { BASE, SHIFTS, CHOICES } mode;

typedef struct lab_impl {
  chii_proto ops; /* the protocol's, with `end` watched */
  const chii_proto *real;
  chi_program program;
  chi_sh *share; /* [party][lane of all inputs] */
  uint64_t values;
  lab_party party[LAB_NODES];
  /* Exchange of each draw of the tape, from 1 on; per stream. */
  uint16_t *when[STREAMS];
  size_t when_n[STREAMS];
  mode mode;
  uint64_t *said; /* CHOICES: [run * n + from] */
} lab_impl;

static lab *the; /* chi_program.run has no argument of ours */

static void *need(void *p) {
  if (!p) abort();
  return p;
}

/* ---- the tape ---- */

static bool of_bits(unsigned purpose) {
  return purpose == CHII_BITS || purpose == CHII_PERM;
}

static uint64_t hash(uint64_t seed, lab_draw d) {
  uint64_t s = seed ^ d.index * UINT64_C(0xd1342543de82ef95);
  s ^= (uint64_t)(d.from << 16 | d.to << 8 | d.purpose) << 40;
  (void)test_random(&s);
  return test_random(&s);
}

static unsigned stream_of(const lab *l, lab_draw d) {
  return (d.from * l->n + d.to) * 16 + d.purpose;
}

static unsigned when(const lab *l, lab_draw d) {
  unsigned k = stream_of(l, d);
  return d.index < l->impl->when_n[k] ? l->impl->when[k][d.index] : 0;
}

unsigned lab_columns(const lab *l) {
  return l->protocol == CHI_REP3 ? 3 : l->t;
}

unsigned lab_column(const lab *l, unsigned from, unsigned to) {
  return l->protocol == CHI_REP3 ? to : (to + l->n - from - 1) % l->n;
}

uint64_t lab_delta(const lab *l, const lab_shift *x, lab_draw d) {
  if (x->column >= 0 && lab_column(l, d.from, d.to) != (unsigned)x->column)
    return 0;
  if (x->column >= 0 && of_bits(d.purpose))
    return l->protocol == CHI_REP3 ? ~UINT64_C(0) : CHII_ONES;
  if (x->column >= 0) return 1;
  uint64_t r = hash(x->seed, d);
  return of_bits(d.purpose) ? r : r % CHI_P;
}

static bool same_draw(lab_draw a, lab_draw b) {
  return a.from == b.from && a.to == b.to && a.purpose == b.purpose &&
         a.index == b.index;
}

/* v with what of it takes all values, in choice c. */
static uint64_t chosen(const lab *l, lab_draw d, uint64_t v, uint64_t c) {
  for (unsigned k = 0; k < l->frees; c /= l->free[k++].radix) {
    const lab_free *f = &l->free[k];
    uint64_t digit = c % f->radix, mask = f->radix - 1;
    unsigned at = f->radix == 2 ? f->part : 8 * f->part;
    if (!same_draw(f->d, d)) continue;
    v = of_bits(d.purpose) ? (v & ~(mask << at)) | digit << at : digit;
  }
  return v;
}

static uint64_t draw(const lab *l, unsigned run, lab_draw d) {
  const lab_impl *m = l->impl;
  const lab_shift *x = m->mode == SHIFTS ? &l->shift[run] : NULL;
  lab_draw from = l->source ? l->source(l, d) : d;
  uint64_t v = hash(l->seed, from);
  if (!of_bits(d.purpose)) v %= CHI_P;
  if (l->is_zero && l->is_zero(l, from)) return 0;
  if (m->mode == CHOICES) return chosen(l, from, v, run);
  if (!x || when(l, from) != x->exchange + 1) return v;
  uint64_t by = lab_delta(l, x, from);
  return of_bits(d.purpose) ? v ^ by : (v + by) % CHI_P;
}

static void take_note(lab_party *q, lab_draw d) {
  if (q->notes == q->note_cap) {
    q->note_cap = 2 * q->note_cap + 256;
    q->note = need(realloc(q->note, q->note_cap * sizeof *q->note));
  }
  q->note[q->notes++] = (note){d, q->exchange};
}

static bool tape(void *user, unsigned holder, unsigned from, unsigned to,
                 unsigned purpose, uint64_t *out, uint64_t index, size_t n) {
  lab *l = user;
  lab_party *q = &l->impl->party[holder];
  for (size_t j = 0; j < n; j++) {
    lab_draw d = {from, to, purpose, index + j};
    out[j] = draw(l, q->run, d);
    if (l->impl->mode == BASE) take_note(q, d);
  }
  return true;
}

static int by_draw(const void *a, const void *b) {
  const note *x = a, *y = b;
  const uint64_t u[] = {x->d.from, x->d.to, x->d.purpose, x->d.index,
                        x->exchange};
  const uint64_t v[] = {y->d.from, y->d.to, y->d.purpose, y->d.index,
                        y->exchange};
  for (int k = 0; k < 5; k++)
    if (u[k] != v[k]) return u[k] < v[k] ? -1 : 1;
  return 0;
}

static void note_when(lab *l, const note *e) {
  lab_draw d = l->source ? l->source(l, e->d) : e->d;
  unsigned k = stream_of(l, d);
  size_t n = l->impl->when_n[k];
  if (d.index >= n) {
    size_t to = (size_t)d.index * 2 + 64;
    l->impl->when[k] = need(realloc(l->impl->when[k], to * sizeof(uint16_t)));
    memset(l->impl->when[k] + n, 0, (to - n) * sizeof(uint16_t));
    l->impl->when_n[k] = to;
  }
  l->impl->when[k][d.index] = (uint16_t)(e->exchange + 1);
}

/* No node draws a word twice, and both who can draw it in one exchange. */
static void account(lab *l) {
  lab_impl *m = l->impl;
  size_t n = 0;
  for (unsigned i = 0; i < l->n; i++) {
    lab_party *q = &m->party[i];
    qsort(q->note, q->notes, sizeof *q->note, by_draw);
    for (size_t k = 0; k < q->notes; k++) {
      lab_draw a = q->note[k].d, b = k ? q->note[k - 1].d : a;
      note_when(l, &q->note[k]);
      l->twice += k && same_draw(a, b);
    }
    n += q->notes;
  }
  note *all = need(malloc((n + 1) * sizeof *all));
  n = 0;
  for (unsigned i = 0; i < l->n; i++)
    for (size_t k = 0; k < m->party[i].notes; k++)
      all[n++] = m->party[i].note[k];
  qsort(all, n, sizeof *all, by_draw);
  for (size_t k = 1; k < n; k++) {
    note a = all[k - 1], b = all[k];
    unsigned was = a.exchange;
    a.exchange = b.exchange;
    l->twice += by_draw(&a, &b) == 0 && was != b.exchange;
  }
  free(all);
}

/* ---- frames ---- */

static long watch(void *user, unsigned from, unsigned to, uint8_t *p,
                  size_t bytes, size_t room) {
  lab_party *q = &((lab *)user)->impl->party[from];
  (void)room;
  if (q->out_bytes[to] + bytes > q->out_cap[to]) {
    q->out_cap[to] = 2 * (q->out_bytes[to] + bytes) + 1024;
    q->out[to] = need(realloc(q->out[to], q->out_cap[to]));
  }
  memcpy(q->out[to] + q->out_bytes[to], p, bytes);
  q->out_bytes[to] += bytes;
  return (long)bytes;
}

/* The payload to a peer but for rep3's tag, which is a function of what is
 * opened and of a key that the receiver has. */
static lab_frame sent(const chi_session *s, unsigned to) {
  const lab_party *q = &the->impl->party[s->me];
  lab_frame f = {q->out[to], q->out_bytes[to]};
  if (!f.bytes) return f;
  f.p += CHII_FRAME_BYTES;
  f.bytes -= CHII_FRAME_BYTES;
  if (the->protocol == CHI_REP3 && to == (s->me + 2) % 3 &&
      (s->o || s->load.open_lanes))
    f.bytes -= 16;
  return f;
}

static lab_frame keep(lab_frame f) {
  uint8_t *p = need(malloc(f.bytes + 1));
  if (f.bytes) memcpy(p, f.p, f.bytes);
  return (lab_frame){p, f.bytes};
}

static bool same(lab_frame a, lab_frame b) {
  return a.bytes == b.bytes && (!a.bytes || !memcmp(a.p, b.p, a.bytes));
}

static void forget_sent(lab_party *q) {
  memset(q->out_bytes, 0, sizeof q->out_bytes);
}

/* ---- one exchange ---- */

static void note_items(const chi_session *s, lab_exchange *x) {
  x->item = need(calloc(s->n_reduce + s->load.items + 1, sizeof *x->item));
  x->opened = s->o;
  for (uint32_t k = 0; k < s->n_reduce; k++)
    x->item[x->items++] = (lab_item){LAB_ELEMENTS, s->reduce[k].lanes,
                                     s->reduce[k].index};
  for (uint32_t k = 0; k < s->load.items; k++) {
    const chii_bit_item *b = &s->bit[k];
    x->item[x->items++] =
        (lab_item){(int)b->kind, b->lanes * b->bits, b->index};
  }
}

enum { MAX_EXCHANGES = 1024 };

static void put_digest(lab_party *q, lab_frame f) {
  for (size_t k = 0; k < f.bytes; k++) /* FNV-1a */
    q->said = (q->said ^ f.p[k]) * UINT64_C(0x100000001b3);
}

/* What was sent to node j: kept, or compared with what was. */
static void look(const chi_session *s, unsigned j) {
  lab *l = the;
  lab_party *q = &l->impl->party[s->me];
  unsigned at = s->me * l->n + j;
  lab_frame f = sent(s, j), *was = &l->exchange[q->exchange].frame[at];
  lab_shift *x = l->impl->mode == SHIFTS ? &l->shift[q->run] : NULL;
  if (l->impl->mode == BASE)
    *was = keep(f);
  else if (!x && j == l->node)
    put_digest(q, f);
  else if (x && q->exchange < x->exchange)
    q->early += !same(f, *was);
  else if (x)
    x->frame[at] = keep(f);
}

static bool run_ends(const lab_party *q) {
  return the->impl->mode == SHIFTS &&
         q->exchange > the->shift[q->run].exchange;
}

static void end(chi_session *s) {
  lab *l = the;
  lab_party *q = &l->impl->party[s->me];
  l->impl->real->end(s);
  if (s->status) return;
  if (q->exchange == MAX_EXCHANGES) abort();
  if (l->impl->mode == BASE && s->me == 0)
    note_items(s, &l->exchange[q->exchange]);
  for (unsigned j = 0; j < l->n; j++) look(s, j);
  forget_sent(q);
  q->exchange++;
  if (l->disturb) l->disturb(s, q->exchange);
  if (run_ends(q)) s->status = CHI_E_BUG; /* the circuit returns; see one_run */
}

/* ---- runs ---- */

static void load(chi_session *s) {
  lab *l = the;
  const lab_impl *m = l->impl;
  int P = (int)l->protocol;
  uint64_t at = 0;
  memset(s->w, 0, s->words * 8);
  for (uint32_t k = 0; k < l->circuit->n_input; k++) {
    const chi_leaf *in = &l->circuit->input[k];
    for (uint64_t j = 0; j < in->lanes; j++, at++)
      chi_sh_st(P, s->w + in->slot, in->lanes, j,
                m->share[s->me * m->values + at]);
  }
}

static void one_run(chi_session *s) {
  lab_party *q = &the->impl->party[s->me];
  s->stream_index = s->bit_index = s->convert_index = 0;
  q->exchange = 0;
  q->said = 0;
  forget_sent(q);
  load(s);
  if (the->circuit->run(s) != 0 && run_ends(q)) s->status = CHI_OK;
  if (the->impl->mode == CHOICES)
    the->impl->said[q->run * the->n + s->me] = q->said;
}

static void keep_result(chi_session *s) {
  lab_party *q = &the->impl->party[s->me];
  const chi_leaf *out = &the->circuit->output[0];
  uint64_t words = out->lanes;
  if (out->kind == CHI_KIND_SHARE) words *= s->proto->planes;
  q->result = need(malloc(words * 8));
  memcpy(q->result, s->w + out->slot, words * 8);
}

static int all_runs(chi_gen *s) {
  lab *l = the;
  lab_party *q = &l->impl->party[s->me];
  uint64_t n = l->impl->mode == BASE     ? 1
               : l->impl->mode == SHIFTS ? l->shifts
                                         : l->choices;
  for (q->run = 0; q->run < n && !s->status; q->run++) one_run(s);
  if (l->impl->mode == BASE && !s->status) {
    keep_result(s);
    if (s->me == 0) l->exchanges = q->exchange;
  }
  return (int)s->status;
}

static void prepare(chi_session *s, void *user) {
  lab *l = user;
  s->proto = &l->impl->ops;
  chii_mem_intercept(&s->tr, watch, l);
}

static bool run_world(lab *l) {
  lab_impl *m = l->impl;
  bool ok = true;
  world w = {.protocol = l->protocol, .n = l->n, .program = &m->program,
             .prepare = prepare, .user = l, .in_turn = true};
  the = l;
  chii_test_prg = tape;
  chii_test_prg_user = l;
  world_run(&w);
  chii_test_prg = NULL;
  for (unsigned i = 0; i < l->n && ok; i++) {
    ok = !w.result[i].status;
    if (!ok) fprintf(stderr, "node %u: %s\n", i, w.result[i].detail);
  }
  world_free(&w);
  return ok;
}

/* Adds v to a sharing but not to the node's part: rep3 to the component that it
 * lacks, shamir v times the polynomial that is 1 at 0 and 0 at its point. */
static void add_unseen(const lab *l, chi_sh *sh, uint64_t v) {
  unsigned a = (l->node + 2) % 3, b = (l->node + 1) % 3;
  if (l->protocol == CHI_REP3) {
    sh[a].a = (sh[a].a + v) % CHI_P;
    sh[b].b = (sh[b].b + v) % CHI_P;
    return;
  }
  uint64_t slope = 1; /* 1 / (node + 1) */
  while (slope * (l->node + 1) % CHI_P != 1) slope++;
  for (unsigned i = 0; i < l->n; i++)
    sh[i].a = (sh[i].a + v * (1 + (CHI_P - slope) * (i + 1))) % CHI_P;
}

static void share_inputs(lab *l) {
  lab_impl *m = l->impl;
  uint64_t state = l->seed;
  for (uint32_t k = 0; k < l->circuit->n_input; k++)
    m->values += l->circuit->input[k].lanes;
  m->share = need(calloc(l->n * m->values + 1, sizeof *m->share));
  for (uint64_t j = 0; j < m->values; j++) {
    chi_sh sh[LAB_NODES];
    test_split(l->protocol, l->n, 0, &state, sh);
    add_unseen(l, sh, l->value[j]);
    for (unsigned i = 0; i < l->n; i++) m->share[i * m->values + j] = sh[i];
  }
}

bool lab_base(lab *l) {
  lab_impl *m = l->impl = need(calloc(1, sizeof *m));
  l->t = (l->n + 1) / 2 - 1;
  l->d = 2 * l->t + 1;
  l->exchange = need(calloc(MAX_EXCHANGES, sizeof *l->exchange));
  m->real = l->protocol == CHI_REP3 ? &chii_rep3_ops : &chii_shamir_ops;
  m->ops = *m->real;
  m->ops.end = end;
  m->program = *l->circuit;
  m->program.n_input = m->program.n_output = 0;
  m->program.run = all_runs;
  m->mode = BASE;
  share_inputs(l);
  bool ok = run_world(l);
  account(l);
  return ok;
}

bool lab_shifts(lab *l) {
  l->impl->mode = SHIFTS;
  bool ok = run_world(l);
  for (unsigned i = 0; i < l->n; i++) l->early += l->impl->party[i].early;
  return ok;
}

bool lab_choices(lab *l) {
  lab_impl *m = l->impl;
  m->mode = CHOICES;
  m->said = need(calloc(l->choices * l->n, sizeof *m->said));
  l->seen = need(calloc(l->choices, sizeof *l->seen));
  bool ok = run_world(l);
  for (uint64_t c = 0; c < l->choices; c++)
    for (unsigned i = 0; i < l->n; i++) {
      uint64_t s = l->seen[c] ^ m->said[c * l->n + i];
      l->seen[c] = test_random(&s);
    }
  free(m->said);
  return ok;
}

uint64_t lab_result(const lab *l, uint64_t k) {
  const chi_leaf *out = &l->circuit->output[0];
  chi_sh sh[LAB_NODES];
  if (out->kind != CHI_KIND_SHARE) {
    uint64_t v = l->impl->party[0].result[k];
    return v >> 63 ? v + CHI_P : v; /* an integer */
  }
  for (unsigned i = 0; i < l->n; i++)
    sh[i] = chi_sh_ld((int)l->protocol, l->impl->party[i].result, out->lanes,
                      k);
  return test_join(l->protocol, l->n, sh);
}

static void free_frames(lab_frame *f, unsigned n) {
  for (unsigned k = 0; k < n; k++) free(f[k].p);
}

void lab_fini(lab *l) {
  lab_impl *m = l->impl;
  for (unsigned k = 0; k < MAX_EXCHANGES; k++) {
    free(l->exchange[k].item);
    free_frames(l->exchange[k].frame, l->n * l->n);
  }
  for (unsigned k = 0; k < l->shifts; k++)
    free_frames(l->shift[k].frame, l->n * l->n);
  for (unsigned i = 0; i < l->n; i++) {
    for (unsigned j = 0; j < l->n; j++) free(m->party[i].out[j]);
    free(m->party[i].note);
    free(m->party[i].result);
  }
  for (unsigned k = 0; k < STREAMS; k++) free(m->when[k]);
  free(m->share);
  free(m);
  free(l->exchange);
  free(l->shift);
  free(l->seen);
}
