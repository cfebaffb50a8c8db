/* Bits under replicated sharing: docs/protocols.md, "Bits".
 *
 *   reduce   z_i = local product ^ F(k_i) ^ F(k_{i+1}), packed, to party i-1
 *   open     plane a to party i+1; plane b under the round's one tag
 *   xdeal    lane l, r = l mod 3: party r, which has b_r and b_{r+1}, deals
 *            E = b_r ^ b_{r+1}: E_r = F(k_r), E_{r+2} = 0, the rest to r+1
 *   xjoin    b = E ^ b_{r+2} = E + b_{r+2} - 2 E b_{r+2}.  E b_{r+2} is
 *            additive between parties r+1 and r+2, which both have b_{r+2}:
 *            r+1 has E_{r+1} b_{r+2} and sends it less z_{r+1} = F(k_{r+1}) to
 *            r+2; r+2 has E_r b_{r+2} and sends it less z_r = F(k_r) to r+1;
 *            z_{r+2} is the sum of both messages.
 *
 * Each party has a part in every lane, by l mod 3; that spreads the traffic.
 *
 * A call computes what is known at once; its messages leave in chi_gen_end, in
 * order of the calls, after the elements of the round.
 */
#include <string.h>

#include "ctime.h"
#include "rep3.h"

chi_status chii_rep3_bits_setup(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  if (!s->bit_cap)
    return CHI_OK;
  r->from_next.window = chii_alloc(s, 2 * CHUNK, 8);
  if (!r->from_next.window)
    return CHI_E_NOMEM;
  r->from_prev.window = r->from_next.window + CHUNK;
  return CHI_OK;
}

void chii_rep3_bits_load(chi_session *s, uint64_t send[3], uint64_t recv[3]) {
  const chii_rep3 *r = s->proto_state;
  const chi_b_load *b = &s->load;
  unsigned me = s->me, next = r->next, prev = r->prev;
  send[prev] += b->reduce_bytes + 8 * b->xjoin[next];
  send[next] += b->open_bytes + 8 * (b->xdeal[me] + b->xjoin[prev]);
  recv[next] += b->reduce_bytes + 8 * b->xjoin[prev];
  recv[prev] += b->open_bytes + 8 * (b->xdeal[prev] + b->xjoin[next]);
}

void chii_rep3_bits_reset(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  r->from_next.item = r->from_prev.item = 0;
  r->from_next.got = r->from_prev.got = 0;
  r->from_next.bytes = r->from_prev.bytes = 0;
}

static bool fill(chi_session *s, chii_prg *g, bool words, uint64_t index,
                 size_t n, uint64_t *out) {
  if (words ? chii_prg_words(g, out, index, n)
            : chii_prg_fill(g, out, index, n))
    return true;
  chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  return false;
}

/* ---- the calls ---- */

void chii_rep3_reduce_bits(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t W = chii_bit_words(it->lanes), *z = it->dst;
  memcpy(z, it->src, W * 8);
  for (uint64_t at = 0; at < W; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, W - at);
    for (int k = 0; k < 2; k++) {
      if (!fill(s, k ? &r->bits_b : &r->bits_a, true, it->index + at, n,
                r->mask))
        return;
      for (size_t j = 0; j < n; j++)
        z[at + j] ^= r->mask[j];
    }
  }
  chii_trim_bits(z, it->lanes);
  z[2 * W - 1] = 0; /* the last word arrives in part */
}

void chii_rep3_open_bits(chi_session *s, const chii_bit_item *it) {
  (void)s;
  it->dst[chii_bit_words(it->lanes) - 1] = 0;
}

/* Lane l of a packed plane, 0 or 1. */
static uint64_t bit(const uint64_t *plane, uint64_t l) {
  return plane[l / 64] >> (l % 64) & 1;
}

/* Elements index.. of a stream to lanes first, first + 3, .. of dst. */
static bool scatter(chi_session *s, chii_prg *g, uint64_t index, uint64_t *dst,
                    unsigned first, uint64_t lanes) {
  chii_rep3 *r = s->proto_state;
  uint64_t count = chii_thirds(lanes, first);
  for (uint64_t at = 0; at < count; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, count - at);
    if (!fill(s, g, false, index + at, n, r->mask))
      return false;
    for (size_t j = 0; j < n; j++)
      dst[3 * (at + j) + first] = r->mask[j];
  }
  return true;
}

void chii_rep3_xdeal(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t L = it->lanes, W = chii_bit_words(L);
  uint64_t *a = it->dst, *b = it->dst + L;
  memset(it->dst, 0, 2 * L * 8);
  /* the key k_r is party r's first and party r - 1's second */
  if (!scatter(s, &r->conv_a, it->index, a, s->me, L) ||
      !scatter(s, &r->conv_b, it->index, b, r->next, L))
    return;
  for (uint64_t l = s->me; l < L; l += 3)
    b[l] = chi_f_sub(bit(it->src, l) ^ bit(it->src + W, l), a[l]);
}

/* My summand of E b_{r+2} in lane l, of which the sum less the masks of keys
 * k_r and k_{r+1} is z_{r+2}; dst has the mask.  As party r + 1, r + 2: */
static uint64_t summand_1(const chii_bit_item *it, uint64_t l) {
  const uint64_t *b = it->src + chii_bit_words(it->lanes);
  return chi_f_sub(it->e[l] & (0 - bit(b, l)), it->dst[l]);
}
static uint64_t summand_2(const chii_bit_item *it, uint64_t l) {
  uint64_t e = it->e[it->lanes + l];
  return chi_f_sub(e & (0 - bit(it->src, l)), it->dst[it->lanes + l]);
}

/* dst is the share of E b_{r+2} until the round is over. */
void chii_rep3_xjoin(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t L = it->lanes, *a = it->dst, *b = it->dst + L;
  uint64_t half = it->index + chii_prg_round(chii_thirds(L, 0));
  /* z_r is of key k_r in its first half, z_{r+1} of key k_{r+1} in the other */
  if (!scatter(s, &r->conv_a, it->index, a, s->me, L) ||
      !scatter(s, &r->conv_b, half, b, s->me, L) ||
      !scatter(s, &r->conv_a, half, a, r->prev, L) ||
      !scatter(s, &r->conv_b, it->index, b, r->next, L))
    return;
  for (uint64_t l = r->prev; l < L; l += 3)
    b[l] = summand_1(it, l);
  for (uint64_t l = r->next; l < L; l += 3)
    a[l] = summand_2(it, l);
}

static void finish_xjoin(chi_session *s, const chii_bit_item *it) {
  const chii_rep3 *r = s->proto_state;
  uint64_t L = it->lanes, W = chii_bit_words(L), *z = it->dst;
  const uint64_t *e = it->e;
  for (uint64_t l = 0; l < 2 * L; l++) /* E - 2 z */
    z[l] = chi_f_sub(e[l], chi_f_add(z[l], z[l]));
  for (uint64_t l = r->prev; l < L; l += 3) /* and b_{r+2} */
    z[L + l] = chi_f_add(z[L + l], bit(it->src + W, l));
  for (uint64_t l = r->next; l < L; l += 3)
    z[l] = chi_f_add(z[l], bit(it->src, l));
}

void chii_rep3_bits_finish(chi_session *s) {
  for (uint32_t k = 0; k < s->load.items; k++)
    if (s->bit[k].kind == CHII_B_XJOIN)
      finish_xjoin(s, &s->bit[k]);
}

/* ---- sending ---- */

/* Lanes first, first + 3, .. of one of: plane b, a summand. */
static void send_thirds(chi_session *s, const chii_bit_item *it, unsigned to,
                        unsigned first,
                        uint64_t (*value)(const chii_bit_item *, uint64_t)) {
  uint64_t count = chii_thirds(it->lanes, first);
  for (uint64_t at = 0; at < count; at += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, count - at);
    uint64_t *p = chii_send_reserve(s, to, n * 8);
    if (!p)
      return;
    for (size_t j = 0; j < n; j++)
      p[j] = value(it, 3 * (at + j) + first);
    chii_count_elements(s, n);
    chii_pump(s);
  }
}

static uint64_t dealt(const chii_bit_item *it, uint64_t l) {
  return it->dst[it->lanes + l];
}

void chii_rep3_bits_send(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  for (uint32_t k = 0; k < s->load.items && !s->status; k++) {
    const chii_bit_item *it = &s->bit[k];
    uint64_t bytes = chii_bit_bytes(it->lanes);
    uint64_t W = chii_bit_words(it->lanes);
    switch (it->kind) {
    case CHII_B_REDUCE:
      chii_send_direct(s, r->prev, it->dst, bytes);
      break;
    case CHII_B_OPEN:
      chii_send_direct(s, r->next, it->src, bytes);
      crypto_onetimeauth_update(&r->made, (const uint8_t *)(it->src + W),
                                bytes);
      break;
    case CHII_B_XDEAL:
      send_thirds(s, it, r->next, s->me, dealt);
      break;
    default: /* xjoin */
      send_thirds(s, it, r->next, r->prev, summand_1);
      send_thirds(s, it, r->prev, r->next, summand_2);
    }
    chii_pump(s);
  }
}

/* ---- receiving ---- */

/* Bytes that a call brings from the neighbour. */
static uint64_t bytes_of(const chi_session *s, const chii_bit_item *it,
                         bool next) {
  const chii_rep3 *r = s->proto_state;
  switch (it->kind) {
  case CHII_B_REDUCE:
    return next ? chii_bit_bytes(it->lanes) : 0;
  case CHII_B_OPEN:
    return next ? 0 : chii_bit_bytes(it->lanes);
  case CHII_B_XDEAL:
    return next ? 0 : 8 * chii_thirds(it->lanes, r->prev);
  default: /* xjoin: party r + 1 hears r + 2, which hears r + 1 */
    return 8 * chii_thirds(it->lanes, next ? r->prev : r->next);
  }
}

static chii_bit_cursor *cursor(chi_session *s, unsigned peer) {
  chii_rep3 *r = s->proto_state;
  return peer == r->next ? &r->from_next : &r->from_prev;
}

bool chii_rep3_bits_due(chi_session *s, unsigned peer) {
  chii_rep3 *r = s->proto_state;
  chii_bit_cursor *c = cursor(s, peer);
  while (c->item < s->load_seen.items &&
         c->got == bytes_of(s, &s->bit[c->item], peer == r->next)) {
    c->item++;
    c->got = 0;
  }
  return c->item < s->load.items;
}

static bool in_window(const chii_bit_item *it) {
  return it->kind == CHII_B_XDEAL || it->kind == CHII_B_XJOIN;
}

/* After chii_rep3_bits_due. */
size_t chii_rep3_bits_want(chi_session *s, unsigned peer, uint8_t **p) {
  chii_rep3 *r = s->proto_state;
  chii_bit_cursor *c = cursor(s, peer);
  if (c->item == s->load_seen.items)
    return 0;
  const chii_bit_item *it = &s->bit[c->item];
  uint64_t left = bytes_of(s, it, peer == r->next) - c->got;
  if (in_window(it)) {
    *p = (uint8_t *)c->window + c->bytes;
    return (size_t)chii_min(left, CHUNK * 8) - c->bytes;
  }
  uint64_t *d = it->dst;
  if (it->kind == CHII_B_REDUCE)
    d += chii_bit_words(it->lanes);
  *p = (uint8_t *)d + c->got;
  return (size_t)left;
}

/* Bits: packed, in place. */
static void took_bits(chi_session *s, unsigned peer, const chii_bit_item *it,
                      size_t n) {
  chii_rep3 *r = s->proto_state;
  chii_bit_cursor *c = cursor(s, peer);
  uint64_t W = chii_bit_words(it->lanes), *d = it->dst;
  if (it->kind == CHII_B_OPEN)
    crypto_onetimeauth_update(&r->seen, (const uint8_t *)d + c->got, n);
  c->got += n;
  if (c->got < chii_bit_bytes(it->lanes) ||
      !chii_padding(s, peer, it->kind == CHII_B_OPEN ? d : d + W, it->lanes))
    return;
  if (it->kind == CHII_B_OPEN) {
    for (uint64_t j = 0; j < W; j++)
      d[j] ^= it->src[j] ^ it->src[W + j];
    CHII_PUBLIC(d, W * 8);
  }
}

/* n elements of a call from word `at` of its message. */
static void to_lanes(chi_session *s, unsigned peer, const chii_bit_item *it,
                     uint64_t at, const uint64_t *v, size_t n) {
  chii_rep3 *r = s->proto_state;
  bool next = peer == r->next, join = it->kind == CHII_B_XJOIN;
  /* xdeal: E_{r+1} as party r + 1; xjoin: z_{r+2} as party r + 1, r + 2 */
  uint64_t *d = it->dst + (next ? it->lanes : 0);
  unsigned first = join && !next ? r->next : r->prev;
  for (size_t j = 0; j < n; j++) {
    uint64_t *to = &d[3 * (at + j) + first];
    *to = chi_f_add(*to, v[j]);
  }
}

void chii_rep3_bits_took(chi_session *s, unsigned peer, size_t n) {
  chii_bit_cursor *c = cursor(s, peer);
  const chii_bit_item *it = &s->bit[c->item];
  if (!in_window(it)) {
    took_bits(s, peer, it, n);
    return;
  }
  c->bytes += n;
  size_t words = c->bytes / 8;
  if (!chii_canonical(s, peer, c->window, words))
    return;
  to_lanes(s, peer, it, c->got / 8, c->window, words);
  c->got += words * 8;
  c->bytes -= words * 8; /* a broken word stays */
  memmove(c->window, c->window + words, c->bytes);
}
