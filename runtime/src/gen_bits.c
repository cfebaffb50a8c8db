/* Calls on bits in an exchange: the list of them, and the contract of the
 * calls, as gen.c for elements. */
#include <string.h>

#include "bits.h"
#include "ctime.h"

chi_status chii_bit_items_new(chi_session *s, uint32_t cap) {
  s->bit_cap = cap;
  s->bit = chii_alloc(s, cap, sizeof *s->bit);
  if (!s->bit)
    return CHI_E_NOMEM;
  if (s->proto->id != CHI_SHAMIR)
    return CHI_OK;
  /* deals have a result for each of at most n dealers */
  uint64_t **dsts = chii_alloc(s, (uint64_t)cap * s->n, sizeof *dsts);
  for (uint32_t k = 0; dsts && k < cap; k++)
    s->bit[k].dsts = dsts + (uint64_t)k * s->n;
  return dsts ? CHI_OK : CHI_E_NOMEM;
}

bool chii_bit_items_seen(const chi_session *s) {
  const chi_b_load *a = &s->load, *b = &s->load_seen;
  bool same = a->items == b->items && a->reduce_lanes == b->reduce_lanes &&
              a->reduce_bytes == b->reduce_bytes &&
              a->open_lanes == b->open_lanes &&
              a->open_bytes == b->open_bytes &&
              a->deal_lanes == b->deal_lanes &&
              a->bdeal_lanes == b->bdeal_lanes;
  for (unsigned r = 0; r < 3; r++)
    same = same && a->xdeal[r] == b->xdeal[r] && a->xjoin[r] == b->xjoin[r];
  return same;
}

bool chii_padding(chi_session *s, unsigned peer, const uint64_t *v,
                  uint64_t lanes) {
  uint64_t bad = v[chii_bit_words(lanes) - 1] & ~chii_last_bits(lanes);
  CHII_PUBLIC(&bad, sizeof bad);
  if (!bad)
    return true;
  chii_fail(s, CHI_E_PROTOCOL, (int)peer,
            "party %u sent bits beyond the last of a value, in round %llu",
            peer, (unsigned long long)s->round);
  return false;
}

void chi_gen_begin_bits(chi_gen *g, const chi_b_load *load) {
  CHII_REQUIRE(g->in_exchange && !g->begun, "totals of bits come too late");
  if (g->status)
    return;
  if (load->items > g->bit_cap) {
    chii_fail(g, CHI_E_BUG, -1, "an exchange exceeds the program's maxima");
    return;
  }
  g->load = *load;
}

/* The next item, or NULL after a failure. */
static chii_bit_item *next(chi_session *s, chii_bit_kind kind, uint64_t dst,
                           uint64_t src, uint64_t lanes) {
  CHII_REQUIRE(s->in_exchange && !s->chunk_item, "bits outside an exchange");
  chii_ex_start(s);
  if (s->status)
    return NULL;
  if (s->load_seen.items == s->load.items || lanes == 0 ||
      !s->proto->bits[kind]) {
    chii_fail(s, CHI_E_BUG, -1, "more values than the exchange announced");
    return NULL;
  }
  chii_bit_item *it = &s->bit[s->load_seen.items];
  uint64_t **dsts = it->dsts;
  *it = (chii_bit_item){.kind = kind, .dst = s->w + dst, .dsts = dsts,
                        .src = s->w + src, .lanes = lanes, .bits = 1};
  return it;
}

/* `words` indices of one of the stream counters. */
static uint64_t take(uint64_t *counter, uint64_t words) {
  uint64_t at = *counter;
  *counter += chii_prg_round(words);
  return at;
}

/* Sets the item up; only then may its bytes be received. */
static void add(chi_session *s, chii_bit_item *it) {
  s->proto->bits[it->kind](s, it);
  s->load_seen.items++;
}

void chi_gen_b_reduce(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes) {
  chii_bit_item *it = next(g, CHII_B_REDUCE, dst, src, lanes);
  if (!it)
    return;
  it->index = take(&g->bit_index, g->proto->id == CHI_REP3
                                      ? chii_bit_words(lanes)
                                      : chii_bit_bytes(lanes));
  g->load_seen.reduce_lanes += lanes;
  g->load_seen.reduce_bytes += chii_bit_bytes(lanes);
  add(g, it);
}

void chi_gen_b_open(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes) {
  chii_bit_item *it = next(g, CHII_B_OPEN, dst, src, lanes);
  if (!it)
    return;
  g->load_seen.open_lanes += lanes;
  g->load_seen.open_bytes += chii_bit_bytes(lanes);
  add(g, it);
}

static void put_dsts(chi_session *s, chii_bit_item *it, const uint64_t *dst) {
  unsigned d = (s->n + 1) / 2 * 2 - 1;
  for (unsigned i = 0; i < d; i++)
    it->dsts[i] = s->w + dst[i];
}

void chi_gen_b_deal(chi_gen *g, const uint64_t *dst, uint64_t src,
                    uint64_t lanes, unsigned off, unsigned bits) {
  chii_bit_item *it = next(g, CHII_B_DEAL, dst[0], src, lanes);
  if (!it)
    return;
  put_dsts(g, it, dst);
  it->off = off;
  it->bits = bits;
  it->index = take(&g->bit_index, chii_bit_bytes(bits * lanes));
  g->load_seen.deal_lanes += bits * lanes;
  add(g, it);
}

void chi_gen_b_bdeal(chi_gen *g, const uint64_t *dst, uint64_t src,
                     uint64_t lanes) {
  chii_bit_item *it = next(g, CHII_B_BDEAL, dst[0], src, lanes);
  if (!it)
    return;
  put_dsts(g, it, dst);
  it->index = take(&g->convert_index, lanes);
  g->load_seen.bdeal_lanes += lanes;
  add(g, it);
}

void chi_gen_b_xdeal(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes) {
  chii_bit_item *it = next(g, CHII_B_XDEAL, dst, src, lanes);
  if (!it)
    return;
  it->index = take(&g->convert_index, chii_thirds(lanes, 0));
  for (unsigned r = 0; r < 3; r++)
    g->load_seen.xdeal[r] += chii_thirds(lanes, r);
  add(g, it);
}

void chi_gen_b_xjoin(chi_gen *g, uint64_t dst, uint64_t e, uint64_t src,
                     uint64_t lanes) {
  chii_bit_item *it = next(g, CHII_B_XJOIN, dst, src, lanes);
  if (!it)
    return;
  it->e = g->w + e;
  /* each key masks two thirds of the lanes */
  it->index =
      take(&g->convert_index, 2 * chii_prg_round(chii_thirds(lanes, 0)));
  for (unsigned r = 0; r < 3; r++)
    g->load_seen.xjoin[r] += chii_thirds(lanes, r);
  add(g, it);
}
