/* One exchange, from the calls of emitted code or of vec.c: keeps the list of
 * values, checks that the calls keep their contract, hands chunks to the
 * protocol. */
#include <string.h>

#include "session.h"

uint64_t *chi_gen_words(chi_gen *g) { return g->w; }
unsigned chi_gen_me(const chi_gen *g) { return g->me; }
int chi_gen_protocol(const chi_gen *g) { return (int)g->proto->id; }

void chii_ex_begin(chi_session *s, uint64_t m, uint64_t o) {
  CHII_REQUIRE(!s->in_exchange, "chi_gen_begin inside an exchange");
  s->in_exchange = true;
  s->m = m;
  s->o = o;
  s->m_seen = s->o_seen = 0;
  s->n_reduce = s->n_open = 0;
  s->chunk_item = NULL;
  s->begun = false;
  s->load = s->load_seen = (chi_b_load){0};
  chii_shuffle_begin(s);
  if (!s->status && (m > s->max_reduce || o > s->max_open))
    chii_fail(s, CHI_E_BUG, -1, "an exchange exceeds the program's maxima");
}

void chii_ex_start(chi_session *s) {
  if (s->status || s->begun || (!s->m && !s->o && !s->load.items))
    return;
  s->begun = true;
  s->stats.exchanges++;
  s->stats.reduced_lanes += s->m;
  s->stats.opened_lanes += s->o;
  s->proto->begin(s);
}

uint64_t *chii_ex_open_chunk(chi_session *s, uint64_t *dst, uint64_t lanes,
                             uint64_t off, uint64_t n) {
  CHII_REQUIRE(s->in_exchange && !s->chunk_item && n <= CHUNK,
               "chunk outside its exchange");
  chii_item *it;
  uint64_t *z = NULL;
  chii_ex_start(s);
  if (s->status)
    goto scrap;
  if (off == 0) {
    if (s->n_reduce == s->reduce_cap || lanes > s->m - s->m_seen) {
      chii_fail(s, CHI_E_BUG, -1, "more values than the exchange announced");
      goto scrap;
    }
    it = &s->reduce[s->n_reduce];
    *it = (chii_item){dst, NULL, lanes, s->m_seen, s->stream_index};
    s->stream_index += chii_prg_round(lanes);
    s->m_seen += lanes;
    s->chunk_off = 0;
  } else {
    it = &s->reduce[s->n_reduce - 1];
    if (s->n_reduce == 0 || it->dst != dst || it->lanes != lanes) {
      chii_fail(s, CHI_E_BUG, -1, "chunks of two values mixed");
      goto scrap;
    }
  }
  if (off != s->chunk_off || n == 0 || n != chii_min(CHUNK, lanes - off)) {
    chii_fail(s, CHI_E_BUG, -1, "chunks out of order");
    goto scrap;
  }
  z = s->proto->open_chunk(s, it, off, (size_t)n);
  /* only now may bytes of this value be received: open_chunk has set up dst */
  if (off == 0)
    s->n_reduce++;
  if (s->status || !z)
    goto scrap;
  s->chunk_item = it;
  s->chunk_n = (size_t)n;
  s->chunk_z = z;
  return z;
scrap:
  memset(s->scrap, 0, CHUNK * s->eb);
  return s->scrap;
}

void chii_ex_close_chunk(chi_session *s) {
  CHII_REQUIRE(s->in_exchange, "chunk outside its exchange");
  chii_item *it = s->chunk_item;
  s->chunk_item = NULL;
  if (s->status || !it)
    return;
  uint64_t off = s->chunk_off;
  s->chunk_off += s->chunk_n;
  s->proto->close_chunk(s, it, off, s->chunk_n);
}

void chii_ex_open(chi_session *s, uint64_t *dst, const uint64_t *src,
                  uint64_t lanes) {
  CHII_REQUIRE(s->in_exchange && !s->chunk_item, "open outside its exchange");
  chii_ex_start(s);
  if (s->status)
    return;
  if (s->n_open == s->open_cap || lanes > s->o - s->o_seen || lanes == 0) {
    chii_fail(s, CHI_E_BUG, -1, "more values than the exchange announced");
    return;
  }
  chii_item *it = &s->opened[s->n_open];
  *it = (chii_item){dst, src, lanes, s->o_seen, 0};
  s->o_seen += lanes;
  s->n_open++;
  s->proto->open(s, it);
}

void chii_ex_single_open(chi_session *s, uint64_t *dst, const uint64_t *src,
                         uint64_t lanes) {
  s->m = s->m_seen = 0;
  s->o = s->o_seen = lanes;
  s->n_reduce = 0;
  s->load = s->load_seen = (chi_b_load){0};
  s->n_open = 1;
  s->opened[0] = (chii_item){dst, src, lanes, 0, 0};
}

int chii_ex_end(chi_session *s) {
  CHII_REQUIRE(s->in_exchange && !s->chunk_item, "no exchange to end");
  chii_ex_start(s);
  if (!s->status && (s->m_seen != s->m || s->o_seen != s->o ||
                     !chii_bit_items_seen(s) || !chii_shuffle_seen(s)))
    chii_fail(s, CHI_E_BUG, -1, "fewer values than the exchange announced");
  if (!s->status && s->begun)
    s->proto->end(s);
  if (!s->status)
    chii_shuffle_run(s);
  s->in_exchange = false;
  return (int)s->status;
}

void chi_gen_begin(chi_gen *g, uint64_t m, uint64_t o) {
  chii_ex_begin(g, m, o);
}

uint64_t *chi_gen_reduce_open_chunk(chi_gen *g, uint64_t dst, uint64_t lanes,
                                    uint64_t off, uint64_t n) {
  return chii_ex_open_chunk(g, g->w + dst, lanes, off, n);
}

void chi_gen_reduce_close_chunk(chi_gen *g) { chii_ex_close_chunk(g); }

void chi_gen_open(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes) {
  chii_ex_open(g, g->w + dst, g->w + src, lanes);
}

int chi_gen_end(chi_gen *g) { return chii_ex_end(g); }

int chi_gen_tell(chi_gen *g, uint32_t output, const uint64_t *identity,
                 uint64_t src, uint64_t lanes) {
  CHII_REQUIRE(!g->in_exchange, "chi_gen_tell inside an exchange");
  if (g->status)
    return (int)g->status;
  if (!g->identity) {
    chii_fail(g, CHI_E_ARG, -1,
              "the program tells a value, but the session has no identity");
    return (int)g->status;
  }
  chii_told *t = chii_alloc(g, 1, sizeof *t);
  uint64_t elements = lanes * g->proto->planes;
  if (t)
    t->share = chii_alloc(g, elements, g->eb);
  if (!t || !t->share) {
    chii_free(g, t);
    chii_fail(g, CHI_E_NOMEM, -1, "no memory for a told output");
    return (int)g->status;
  }
  for (int i = 0; i < CHI_KEY_BYTES; i++) /* most significant byte first */
    t->to[i] = (uint8_t)(identity[1 + (31 - i) / 8] >> (8 * ((31 - i) % 8)));
  memcpy(t->share, g->w + src, elements * g->eb);
  t->output = output;
  t->lanes = lanes;
  *g->told_tail = t;
  g->told_tail = &t->next;
  g->n_told++;
  g->stats.told_lanes += lanes;
  return 0;
}

int chi_gen_fail(chi_gen *g, uint32_t site) {
  const chi_program *p = g->program;
  if (g->status)
    return (int)g->status;
  if (!p || site >= p->n_site) {
    chii_fail(g, CHI_E_BUG, -1, "a failure at a site that does not exist");
    return (int)g->status;
  }
  const chi_site *at = &p->site[site];
  chii_fail(g, at->kind == CHI_SITE_RANGE ? CHI_E_RANGE : CHI_E_REQUIRE, -1,
            "%s:%u:%u: %s", at->file, (unsigned)at->line, (unsigned)at->column,
            at->message);
  return (int)g->status;
}
