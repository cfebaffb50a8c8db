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
  r->from_next.window = chii_alloc(s, 2 * CHUNK, s->eb);
  if (!r->from_next.window)
    return CHI_E_NOMEM;
  r->from_prev.window = r->from_next.window + CHUNK * s->ew;
  return CHI_OK;
}

void chii_rep3_bits_load(chi_session *s, uint64_t send[3], uint64_t recv[3]) {
  const chii_rep3 *r = s->proto_state;
  const chi_b_load *b = &s->load;
  unsigned me = s->me, next = r->next, prev = r->prev;
  send[prev] += b->reduce_bytes + s->eb * b->xjoin[next];
  send[next] += b->open_bytes + s->eb * (b->xdeal[me] + b->xjoin[prev]);
  recv[next] += b->reduce_bytes + s->eb * b->xjoin[prev];
  recv[prev] += b->open_bytes + s->eb * (b->xdeal[prev] + b->xjoin[next]);
}

void chii_rep3_bits_reset(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  r->from_next.item = r->from_prev.item = 0;
  r->from_next.got = r->from_prev.got = 0;
  r->from_next.bytes = r->from_prev.bytes = 0;
}

static bool filled(chi_session *s, bool ok) {
  if (!ok)
    chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  return ok;
}

/* ---- the calls ---- */

void chii_rep3_reduce_bits(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t W = chii_bit_words(it->lanes), *z = it->dst;
  memcpy(z, it->src, W * 8);
  for (uint64_t at = 0; at < W; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, W - at);
    for (int k = 0; k < 2; k++) {
      if (!filled(s, chii_prg_words(k ? &r->bits_b : &r->bits_a, r->mask,
                                    it->index + at, n)))
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

/* Elements of lanes first + 3 at, .. of a plane to out; and back. */
static void gather(const chi_session *s, uint64_t *out, const uint64_t *plane,
                   unsigned first, uint64_t at, size_t n) {
  size_t w = s->ew;
  const uint64_t *v = plane + (3 * at + first) * w;
  if (w == 1)
    for (size_t j = 0; j < n; j++)
      out[j] = v[3 * j];
  else
    for (size_t j = 0; j < n; j++)
      memcpy(out + j * w, v + 3 * j * w, s->eb);
}

static void scatter(const chi_session *s, uint64_t *plane, unsigned first,
                    uint64_t at, const uint64_t *v, size_t n) {
  size_t w = s->ew;
  uint64_t *d = plane + (3 * at + first) * w;
  if (w == 1)
    for (size_t j = 0; j < n; j++)
      d[3 * j] = v[j];
  else
    for (size_t j = 0; j < n; j++)
      memcpy(d + 3 * j * w, v + j * w, s->eb);
}

/* Elements index.. of a stream to lanes first, first + 3, .. of dst. */
static bool draw(chi_session *s, chii_prg *g, uint64_t index, uint64_t *dst,
                 unsigned first, uint64_t lanes) {
  chii_rep3 *r = s->proto_state;
  uint64_t count = chii_thirds(lanes, first);
  for (uint64_t at = 0; at < count; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, count - at);
    if (!filled(s, chii_prg_fill(&s->field, g, r->mask, index + at, n)))
      return false;
    scatter(s, dst, first, at, r->mask, n);
  }
  return true;
}

/* Bits of lanes first + 3 at, .. as elements; b: a second plane, added, or
 * NULL. */
static void bits_of(const chi_session *s, uint64_t *out, const uint64_t *a,
                    const uint64_t *b, unsigned first, uint64_t at, size_t n) {
  uint64_t l = 3 * at + first;
  memset(out, 0, n * s->eb);
  for (size_t j = 0; j < n; j++, l += 3)
    out[j * s->ew] = bit(a, l) ^ (b ? bit(b, l) : 0);
}

void chii_rep3_xdeal(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  const chii_field *f = &s->field;
  uint64_t L = it->lanes, W = chii_bit_words(L), count = chii_thirds(L, s->me);
  uint64_t *a = it->dst, *b = it->dst + L * s->ew;
  memset(it->dst, 0, 2 * L * s->eb);
  /* the key k_r is party r's first and party r - 1's second */
  if (!draw(s, &r->conv_a, it->index, a, s->me, L) ||
      !draw(s, &r->conv_b, it->index, b, r->next, L))
    return;
  for (uint64_t at = 0; at < count; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, count - at);
    bits_of(s, r->tmp, it->src, it->src + W, s->me, at, n);
    gather(s, r->mask, a, s->me, at, n);
    chii_sub(f, r->tmp, r->tmp, r->mask, n);
    scatter(s, b, s->me, at, r->tmp, n);
  }
}

/* My summands of E b_{r+2} in lanes first + 3 at, .., of which the sum less the
 * masks of keys k_r and k_{r+1} is z_{r+2}; dst has the masks.  n <= CHUNK. */
static void summands(chi_session *s, const chii_bit_item *it, bool plane_b,
                     uint64_t *out, unsigned first, uint64_t at, size_t n) {
  chii_rep3 *r = s->proto_state;
  uint64_t L = it->lanes, W = chii_bit_words(L);
  /* as party r + 1: plane a and the second bit; r + 2: the other ones */
  const uint64_t *e = it->e + (plane_b ? L * s->ew : 0);
  const uint64_t *m = it->dst + (plane_b ? L * s->ew : 0);
  const uint64_t *b = it->src + (plane_b ? 0 : W);
  for (size_t k; n; n -= k, at += k, out += k * s->ew) {
    k = (size_t)chii_min(CHII_BLOCK, n);
    gather(s, out, e, first, at, k);
    for (size_t j = 0; j < k; j++) {
      uint64_t keep = 0 - bit(b, 3 * (at + j) + first);
      for (unsigned i = 0; i < s->ew; i++)
        out[j * s->ew + i] &= keep;
    }
    gather(s, r->mask, m, first, at, k);
    chii_sub(&s->field, out, out, r->mask, k);
  }
}

static void send_summands(chi_session *s, const chii_bit_item *it, uint64_t *p,
                          unsigned first, uint64_t at, size_t n) {
  const chii_rep3 *r = s->proto_state;
  summands(s, it, first == r->next, p, first, at, n);
}

/* Lanes first, first + 3, .. of the other plane get my summands. */
static void keep_summands(chi_session *s, const chii_bit_item *it,
                          unsigned first) {
  chii_rep3 *r = s->proto_state;
  uint64_t count = chii_thirds(it->lanes, first);
  bool plane_b = first == r->next;
  uint64_t *to = it->dst + (plane_b ? 0 : it->lanes * s->ew);
  for (uint64_t at = 0; at < count; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, count - at);
    summands(s, it, plane_b, r->tmp, first, at, n);
    scatter(s, to, first, at, r->tmp, n);
  }
}

/* dst is the share of E b_{r+2} until the round is over. */
void chii_rep3_xjoin(chi_session *s, const chii_bit_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t L = it->lanes, *a = it->dst, *b = it->dst + L * s->ew;
  uint64_t half = it->index + chii_prg_round(chii_thirds(L, 0));
  /* z_r is of key k_r in its first half, z_{r+1} of key k_{r+1} in the other */
  if (!draw(s, &r->conv_a, it->index, a, s->me, L) ||
      !draw(s, &r->conv_b, half, b, s->me, L) ||
      !draw(s, &r->conv_a, half, a, r->prev, L) ||
      !draw(s, &r->conv_b, it->index, b, r->next, L))
    return;
  keep_summands(s, it, r->prev);
  keep_summands(s, it, r->next);
}

static void add_bits(chi_session *s, uint64_t *plane, const uint64_t *b,
                     unsigned first, uint64_t lanes) {
  chii_rep3 *r = s->proto_state;
  uint64_t count = chii_thirds(lanes, first);
  for (uint64_t at = 0; at < count; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, count - at);
    bits_of(s, r->tmp, b, NULL, first, at, n);
    s->field.op->add_to(&s->field, plane + (3 * at + first) * s->ew, 3, r->tmp,
                        n);
  }
}

static void finish_xjoin(chi_session *s, const chii_bit_item *it) {
  const chii_rep3 *r = s->proto_state;
  const chii_field *f = &s->field;
  uint64_t L = it->lanes, W = chii_bit_words(L), *z = it->dst;
  for (uint64_t at = 0; at < 2 * L; at += CHII_BLOCK) { /* E - 2 z */
    size_t n = (size_t)chii_min(CHII_BLOCK, 2 * L - at);
    uint64_t *d = z + at * s->ew;
    chii_add(f, d, d, d, n);
    chii_sub(f, d, it->e + at * s->ew, d, n);
  }
  add_bits(s, z + L * s->ew, it->src + W, r->prev, L); /* and b_{r+2} */
  add_bits(s, z, it->src, r->next, L);
}

void chii_rep3_bits_finish(chi_session *s) {
  for (uint32_t k = 0; k < s->load.items; k++)
    if (s->bit[k].kind == CHII_B_XJOIN)
      finish_xjoin(s, &s->bit[k]);
}

/* ---- sending ---- */

/* n elements of lanes first + 3 at, .. to p. */
typedef void (*made)(chi_session *s, const chii_bit_item *it, uint64_t *p,
                     unsigned first, uint64_t at, size_t n);

static void send_thirds(chi_session *s, const chii_bit_item *it, unsigned to,
                        unsigned first, made make) {
  uint64_t count = chii_thirds(it->lanes, first);
  for (uint64_t at = 0; at < count; at += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, count - at);
    uint64_t *p = chii_send_reserve(s, to, n * s->eb);
    if (!p)
      return;
    make(s, it, p, first, at, n);
    chii_count_elements(s, n);
    chii_pump(s);
  }
}

static void send_dealt(chi_session *s, const chii_bit_item *it, uint64_t *p,
                       unsigned first, uint64_t at, size_t n) {
  gather(s, p, it->dst + it->lanes * s->ew, first, at, n);
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
      send_thirds(s, it, r->next, s->me, send_dealt);
      break;
    default: /* xjoin */
      send_thirds(s, it, r->next, r->prev, send_summands);
      send_thirds(s, it, r->prev, r->next, send_summands);
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
    return next ? 0 : s->eb * chii_thirds(it->lanes, r->prev);
  default: /* xjoin: party r + 1 hears r + 2, which hears r + 1 */
    return s->eb * chii_thirds(it->lanes, next ? r->prev : r->next);
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
    return (size_t)chii_min(left, CHUNK * s->eb) - c->bytes;
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

/* n elements of a call from number `at` of its message. */
static void to_lanes(chi_session *s, unsigned peer, const chii_bit_item *it,
                     uint64_t at, const uint64_t *v, size_t n) {
  chii_rep3 *r = s->proto_state;
  bool next = peer == r->next, join = it->kind == CHII_B_XJOIN;
  /* xdeal: E_{r+1} as party r + 1; xjoin: z_{r+2} as party r + 1, r + 2 */
  uint64_t *d = it->dst + (next ? it->lanes * s->ew : 0);
  unsigned first = join && !next ? r->next : r->prev;
  s->field.op->add_to(&s->field, d + (3 * at + first) * s->ew, 3, v, n);
}

void chii_rep3_bits_took(chi_session *s, unsigned peer, size_t n) {
  chii_bit_cursor *c = cursor(s, peer);
  const chii_bit_item *it = &s->bit[c->item];
  if (!in_window(it)) {
    took_bits(s, peer, it, n);
    return;
  }
  c->bytes += n;
  size_t n_elements = c->bytes / s->eb;
  if (!chii_canonical(s, peer, c->window, n_elements))
    return;
  to_lanes(s, peer, it, c->got / s->eb, c->window, n_elements);
  c->got += n_elements * s->eb;
  c->bytes -= n_elements * s->eb; /* a broken element stays */
  memmove(c->window, c->window + n_elements * s->ew, c->bytes);
}
