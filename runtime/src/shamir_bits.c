/* Bits under Shamir sharing over GF(2^8): docs/protocols.md, "Bits".
 *
 * Party i has the value at point i + 1 of a polynomial of degree t over
 * GF(2^8), a byte for each lane.  All that is dealt is dealt as elements are:
 * the points of the next t parties come from pair seeds, n-1-t are sent.
 *
 *   reduce   dealer i < d deals lambda_i times its point of degree 2t; the sum
 *            of what was dealt is the product [GRR98]
 *   deal     dealer i deals bits of lambda_i * share_i mod p; these d integers
 *            add up to x modulo p
 *   bdeal    dealer i deals bit 0 of lambda_i * share_i, as an element; a bit
 *            is the sum of all in GF(2^8), hence of their bits 0 in GF(2)
 *   open     all to all; all n points lie on degree t, and the value is 0 or 1
 *
 * In a frame of the first round the calls come in their order after the
 * elements' products; openings of bits come last.  They are worked off in
 * chi_gen_end, block by block, and bytes of a peer are taken up to the block
 * that is done: a reduce's result starts as its operand.
 */
#include <string.h>

#include "ctime.h"
#include "shamir.h"

#define BLOCK 512 /* words of a deal: t + 1 rows, mostly in L1 */

chi_status chii_shamir_bits_setup(chi_session *s) {
  chii_shamir *h = s->proto_state;
  unsigned n = s->n, t = h->t, rows = t + 1;
  uint8_t x[CHI_PARTIES_MAX + 1];
  if (!s->bit_cap)
    return CHI_OK;
  h->gf_predict = chii_alloc(s, (uint64_t)n * rows, 3);
  h->bits_out = chii_alloc(s, 4 * (uint64_t)t, sizeof(chii_prg));
  if (!h->gf_predict || !h->bits_out)
    return CHI_E_NOMEM;
  h->gf_spread = h->gf_predict + (size_t)n * rows;
  h->gf_red_spread = h->gf_spread + (size_t)n * rows;
  h->bits_in = h->bits_out + t;
  h->conv_out = h->bits_in + t;
  h->conv_in = h->conv_out + t;
  for (unsigned i = 0; i < n; i++)
    x[i] = (uint8_t)chii_point(i);
  chii_gf_lagrange(h->gf_lambda_d, x, h->d, 0);
  chii_gf_lagrange(h->gf_lambda_t, x, rows, 0);
  for (unsigned j = rows; j < n; j++)
    chii_gf_lagrange(h->gf_predict + (j - rows) * rows, x, rows,
                     (uint8_t)chii_point(j));
  x[0] = 0;
  for (unsigned k = 0; k < t; k++)
    x[k + 1] = (uint8_t)chii_point((s->me + 1 + k) % n);
  for (unsigned j = 0; j < n; j++)
    chii_gf_lagrange(h->gf_spread + j * rows, x, rows,
                     (uint8_t)chii_point(j));
  memcpy(h->gf_red_spread, h->gf_spread, (size_t)n * rows);
  for (unsigned j = 0; j < n && s->me < h->d; j++)
    h->gf_red_spread[j * rows] = (uint8_t)chii_gf_mul(
        h->gf_spread[j * rows], h->gf_lambda_d[s->me]);
  return CHI_OK;
}

bool chii_shamir_bits_keys(chi_session *s) {
  chii_shamir *h = s->proto_state;
  for (unsigned k = 0; h->bits_out && k < h->t; k++) {
    unsigned to = (s->me + 1 + k) % s->n;
    unsigned from = (s->me + s->n - 1 - k) % s->n;
    const uint8_t *kt = s->pair_key[to], *kf = s->pair_key[from];
    if (!chii_prg_init(&h->bits_out[k], kt, s->me, to, CHII_BITS) ||
        !chii_prg_init(&h->conv_out[k], kt, s->me, to, CHII_CONVERT) ||
        !chii_prg_init(&h->bits_in[k], kf, from, s->me, CHII_BITS) ||
        !chii_prg_init(&h->conv_in[k], kf, from, s->me, CHII_CONVERT))
      return false;
  }
#ifdef CHI_TEST_HOOKS
  for (unsigned k = 0; h->bits_out && k < 4 * h->t; k++)
    h->bits_out[k].holder = (uint8_t)s->me;
#endif
  return true;
}

void chii_shamir_bits_wipe(chi_session *s) {
  chii_shamir *h = s->proto_state;
  for (unsigned k = 0; h->bits_out && k < 4 * h->t; k++)
    chii_prg_fini(&h->bits_out[k]);
}

/* Bytes of a lane on the wire: of its d results one comes from each dealer. */
static uint64_t lane_bytes(const chi_session *s, const chii_bit_item *it) {
  return it->kind == CHII_B_BDEAL ? s->eb : 1;
}

static uint64_t dealt_lanes(const chii_bit_item *it) {
  return it->kind == CHII_B_OPEN ? 0 : it->bits * it->lanes;
}

static bool sends(const chi_session *s, unsigned from, unsigned to) {
  const chii_shamir *h = s->proto_state;
  return from < h->d && from != to && !chii_seeded(s, h->t, from, to);
}

uint64_t chii_shamir_bits_bytes(const chi_session *s, unsigned from,
                                unsigned to) {
  const chi_b_load *b = &s->load;
  uint64_t dealt = b->reduce_lanes + b->deal_lanes + s->eb * b->bdeal_lanes;
  return b->open_lanes + (sends(s, from, to) ? dealt : 0);
}

void chii_shamir_bits_reset(chi_session *s) {
  chii_shamir *h = s->proto_state;
  h->bit_item = h->bopen_item = 0;
  h->bit_done = h->bopen_at = h->bopen_off = 0;
}

/* ---- the calls ---- */

void chii_shamir_reduce_bits(chi_session *s, const chii_bit_item *it) {
  const chii_shamir *h = s->proto_state;
  uint64_t bytes = chii_bit_bytes(it->lanes) * 8;
  if (s->me < h->d)
    memcpy(it->dst, it->src, bytes);
  else
    memset(it->dst, 0, bytes);
}

void chii_shamir_open_bits(chi_session *s, const chii_bit_item *it) {
  (void)s;
  memset(it->dst, 0, chii_bit_words(it->lanes) * 8);
}

void chii_shamir_deal_bits(chi_session *s, const chii_bit_item *it) {
  const chii_shamir *h = s->proto_state;
  uint64_t words = it->kind == CHII_B_BDEAL
                       ? it->lanes * s->ew
                       : chii_bit_bytes(it->bits * it->lanes);
  for (unsigned i = 0; i < h->d; i++)
    it->dsts[i][words - 1] = 0;
}

/* ---- dealing ---- */

/* lambda times lanes l .. of the share to h->own, 0 of the first as p. */
static void summands(chi_session *s, const chii_bit_item *it, uint64_t l,
                     size_t n) {
  chii_shamir *h = s->proto_state;
  const uint64_t *p = s->field.prime;
  unsigned w = s->ew;
  chii_scale(&s->field, h->own, h->lambda_d + s->me * w, it->src + l * w, 1, n);
  for (size_t j = 0; s->me == 0 && j < n; j++) {
    uint64_t *v = h->own + j * w, any = 0;
    for (unsigned i = 0; i < w; i++)
      any |= v[i];
    uint64_t zero = ((any | (0 - any)) >> 63) - 1; /* all ones if v is 0 */
    for (unsigned i = 0; i < w; i++)
      v[i] |= p[i] & zero;
  }
}

/* Secrets of lanes at .. at + n - 1 <= CHUNK to the first row: bit by bit of
 * the element, and there lane by lane. */
static void secrets_of_deal(chi_session *s, const chii_bit_item *it,
                            uint64_t at, size_t n) {
  chii_shamir *h = s->proto_state;
  uint8_t *out = (uint8_t *)h->rows;
  uint64_t bit = at / it->lanes + it->off, l = at % it->lanes;
  bool all = n >= it->lanes; /* each lane is met: made once */
  if (all)
    summands(s, it, 0, (size_t)it->lanes);
  for (size_t k; n; n -= k, out += k, l = 0, bit++) {
    k = (size_t)chii_min(n, it->lanes - l);
    if (!all)
      summands(s, it, l, k);
    const uint64_t *v = h->own + (all ? l * s->ew : 0) + bit / 64;
    for (size_t j = 0; j < k; j++)
      out[j] = v[j * s->ew] >> (bit % 64) & 1;
  }
}

static void secrets_of_bdeal(chi_session *s, const chii_bit_item *it,
                             uint64_t at, size_t n) {
  chii_shamir *h = s->proto_state;
  const uint8_t *v = (const uint8_t *)it->src + at;
  uint64_t lambda = h->gf_lambda_d[s->me] * CHII_ONES;
  memset(h->rows, 0, n * s->eb);
  for (size_t j = 0; j < n; j++)
    h->rows[j * s->ew] = chii_gf_mul(v[j], lambda) & 1;
}

static bool words_of(chi_session *s, chii_prg *g, uint64_t *out,
                     uint64_t index, uint64_t n) {
  if (chii_prg_words(g, out, index, (size_t)n))
    return true;
  chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  return false;
}

/* Deals the n bytes in the first row, as chii_shamir_deal. */
static bool deal_bytes(chi_session *s, const uint8_t *spread, uint64_t index,
                       size_t n, uint8_t *own) {
  chii_shamir *h = s->proto_state;
  unsigned t = h->t;
  size_t words = chii_bit_bytes(n);
  for (unsigned k = 0; k < t; k++)
    if (!words_of(s, &h->bits_out[k], h->rows + (k + 1) * CHUNK, index, words))
      return false;
  for (unsigned e = t + 1; e <= s->n; e++) { /* e = n: myself */
    unsigned j = (s->me + e) % s->n;
    uint8_t *p = j == s->me ? own : chii_send_reserve(s, j, n);
    if (!p)
      return false;
    chii_gf_combine(h->own, spread + j * (t + 1), h->rows, CHUNK, t + 1,
                    words);
    memcpy(p, h->own, n);
  }
  return true;
}

/* My points of lanes at.. of what I deal. */
static bool deal_block(chi_session *s, const chii_bit_item *it, uint64_t at,
                       size_t n) {
  chii_shamir *h = s->proto_state;
  uint64_t index = it->index;
  switch (it->kind) {
  case CHII_B_BDEAL:
    secrets_of_bdeal(s, it, at, n);
    return chii_shamir_deal(s, h->conv_out, h->spread, index + at, n,
                            it->dsts[s->me] + at * s->ew);
  case CHII_B_DEAL:
    secrets_of_deal(s, it, at, n);
    return deal_bytes(s, h->gf_spread, index + at / 8, n,
                      (uint8_t *)it->dsts[s->me] + at);
  default: /* reduce */
    memcpy(h->rows, (uint8_t *)it->dst + at, n);
    return deal_bytes(s, h->gf_red_spread, index + at / 8, n,
                      (uint8_t *)it->dst + at);
  }
}

static void xor_bytes(uint8_t *restrict d, const uint8_t *restrict v,
                      size_t n) {
  for (size_t j = 0; j < n; j++)
    d[j] ^= v[j];
}

/* My points of what dealer `from` deals and seeds me with. */
static bool seeded_block(chi_session *s, const chii_bit_item *it, unsigned k,
                         unsigned from, uint64_t at, size_t n) {
  chii_shamir *h = s->proto_state;
  uint64_t index = it->index;
  if (it->kind == CHII_B_BDEAL) {
    if (chii_prg_fill(&s->field, &h->conv_in[k], it->dsts[from] + at * s->ew,
                      index + at, n))
      return true;
    chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
    return false;
  }
  if (!words_of(s, &h->bits_in[k], h->own, index + at / 8, chii_bit_bytes(n)))
    return false;
  if (it->kind == CHII_B_DEAL)
    memcpy((uint8_t *)it->dsts[from] + at, h->own, n);
  else
    xor_bytes((uint8_t *)it->dst + at, (const uint8_t *)h->own, n);
  return true;
}

static void work_off(chi_session *s, const chii_bit_item *it) {
  chii_shamir *h = s->proto_state;
  uint64_t lanes = dealt_lanes(it);
  uint64_t block = it->kind == CHII_B_BDEAL ? BLOCK : 8 * BLOCK;
  for (uint64_t at = 0; at < lanes && !s->status; at += block) {
    size_t n = (size_t)chii_min(block, lanes - at);
    if (s->me < h->d && !deal_block(s, it, at, n))
      return;
    for (unsigned k = 0; k < h->t; k++) {
      unsigned from = (s->me + s->n - 1 - k) % s->n;
      if (from < h->d && !seeded_block(s, it, k, from, at, n))
        return;
    }
    h->bit_done = at + n;
    chii_pump(s);
  }
}

void chii_shamir_bits_send(chi_session *s) {
  chii_shamir *h = s->proto_state;
  for (uint32_t k = 0; k < s->load.items && !s->status; k++) {
    work_off(s, &s->bit[k]);
    h->bit_item++;
    h->bit_done = 0;
  }
}

void chii_shamir_bits_send_opens(chi_session *s) {
  for (uint32_t k = 0; k < s->load.items; k++)
    if (s->bit[k].kind == CHII_B_OPEN)
      for (unsigned j = 0; j < s->n; j++)
        if (j != s->me)
          chii_send_direct(s, j, s->bit[k].src, s->bit[k].lanes);
}

/* ---- receiving what is dealt ---- */

bool chii_shamir_bits_due(chi_session *s, unsigned peer) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  if (!sends(s, peer, s->me))
    return false;
  while (c->bit < s->load_seen.items &&
         c->bit_got == dealt_lanes(&s->bit[c->bit]) *
                           lane_bytes(s, &s->bit[c->bit])) {
    c->bit++;
    c->bit_got = 0;
  }
  return c->bit < s->load.items;
}

/* After chii_shamir_bits_due. */
size_t chii_shamir_bits_want(chi_session *s, unsigned peer, uint8_t **p) {
  chii_shamir *h = s->proto_state;
  const chii_cursor *c = &h->cur[peer];
  if (c->bit > h->bit_item || c->bit == s->load_seen.items)
    return 0;
  const chii_bit_item *it = &s->bit[c->bit];
  uint64_t lanes = c->bit < h->bit_item ? dealt_lanes(it) : h->bit_done;
  uint64_t left = lanes * lane_bytes(s, it) - c->bit_got;
  if (it->kind == CHII_B_REDUCE)
    *p = (uint8_t *)(h->window + (size_t)peer * CHUNK * s->ew);
  else
    *p = (uint8_t *)it->dsts[peer] + c->bit_got;
  return (size_t)chii_min(left, CHUNK * 8);
}

void chii_shamir_bits_took(chi_session *s, unsigned peer, size_t n) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  const chii_bit_item *it = &s->bit[c->bit];
  uint64_t from = c->bit_got;
  c->bit_got += n;
  if (it->kind == CHII_B_REDUCE) {
    xor_bytes((uint8_t *)it->dst + from,
              (const uint8_t *)(h->window + (size_t)peer * CHUNK * s->ew), n);
  } else if (it->kind == CHII_B_BDEAL) {
    from /= s->eb;
    chii_canonical(s, peer, it->dsts[peer] + from * s->ew,
                   (size_t)(c->bit_got / s->eb - from));
  }
}

/* ---- openings ---- */

uint64_t chii_shamir_bit_opens(const chi_session *s) {
  const chii_shamir *h = s->proto_state;
  return s->load.open_lanes - h->bopen_at;
}

/* The next piece, of at most n lanes, of an opened value; moves on. */
static const chii_bit_item *piece(chi_session *s, uint32_t *item,
                                  uint64_t *off, size_t n, uint64_t *from,
                                  size_t *count) {
  while (s->bit[*item].kind != CHII_B_OPEN || *off == s->bit[*item].lanes) {
    ++*item;
    *off = 0;
  }
  const chii_bit_item *it = &s->bit[*item];
  *from = *off;
  *count = (size_t)chii_min(n, it->lanes - *off);
  *off += *count;
  return it;
}

static bool not_of(chi_session *s, uint64_t differ, const char *what) {
  CHII_PUBLIC(&differ, sizeof differ);
  if (differ)
    chii_fail(s, CHI_E_CHECK, -1, "an opening failed its check: %s", what);
  return differ != 0;
}

void chii_shamir_finish_bit_opens(chi_session *s, size_t count) {
  chii_shamir *h = s->proto_state;
  unsigned n = s->n, rows = h->t + 1;
  size_t stride = CHUNK * s->ew; /* of windows */
  size_t words = chii_bit_bytes(count), k;
  uint8_t *mine = (uint8_t *)(h->window + s->me * stride);
  uint32_t item = h->bopen_item;
  uint64_t off = h->bopen_off, from, differ = 0;
  for (size_t at = 0; at < count; at += k) {
    const chii_bit_item *it = piece(s, &item, &off, count - at, &from, &k);
    memcpy(mine + at, (const uint8_t *)it->src + from, k);
  }
  for (unsigned j = 0; j < n; j++)
    h->window[j * stride + words - 1] &= chii_last_bytes(count);
  for (unsigned j = rows; j < n; j++) {
    const uint64_t *got = h->window + j * stride;
    chii_gf_combine(h->own, h->gf_predict + (j - rows) * rows, h->window,
                    stride, rows, words);
    for (size_t l = 0; l < words; l++)
      differ |= h->own[l] ^ got[l];
  }
  if (not_of(s, differ,
             "the points of a bit of all parties do not lie on one polynomial"
             " of degree t"))
    return;
  chii_gf_combine(h->own, h->gf_lambda_t, h->window, stride, rows, words);
  for (size_t l = 0; l < words; l++)
    differ |= h->own[l] & ~CHII_ONES;
  if (not_of(s, differ, "a bit is neither 0 nor 1"))
    return;
  CHII_PUBLIC(h->own, words * 8);
  const uint8_t *v = (const uint8_t *)h->own;
  for (size_t at = 0; at < count; at += k) {
    const chii_bit_item *it =
        piece(s, &h->bopen_item, &h->bopen_off, count - at, &from, &k);
    for (size_t l = 0; l < k; l++)
      it->dst[(from + l) / 64] |= (uint64_t)v[at + l] << ((from + l) % 64);
  }
  h->bopen_at += count;
  for (unsigned j = 0; j < n; j++)
    h->cur[j].bytes = 0;
}
