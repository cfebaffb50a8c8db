/* Replicated sharing among three: docs/protocols.md, "rep3" [AFLNO16].
 *
 * x = x_0 + x_1 + x_2, indices mod 3; party i has (x_i, x_{i+1}) as planes a
 * and b.  Component i is held by parties i-1 and i, and so is pair key k_i.
 *
 *   product  z_i = local product + F(k_i) - F(k_{i+1}), to party i-1.  It is
 *            made in the destination's a plane and sent from there; what comes
 *            from party i+1 lands in the b plane.
 *   opening  x_i to party i+1, straight from the a plane; a tag on the b plane
 *            to party i-1, under a one-time key from k_i, which the sender of
 *            the value does not know: a changed value passes with probability
 *            at most len / 2^106 (Poly1305).
 *   deal     by party i: x_i = F(k_i), x_{i+2} = 0, x_{i+1} = x - x_i to party
 *            i+1.
 */
#include "rep3.h"

#include <string.h>

#include "ctime.h"
#include "shuffle.h"

static chi_status setup(chi_session *s) {
  if (s->n != 3) {
    return CHI_E_ARG;
  }
  chii_rep3 *r = s->proto_state = chii_alloc(s, 1, sizeof *r);
  if (!r)
    return CHI_E_NOMEM;
  r->next = (s->me + 1) % 3;
  r->prev = (s->me + 2) % 3;
  r->mask = chii_alloc(s, 2 * CHII_BLOCK, s->eb);
  if (!r->mask)
    return CHI_E_NOMEM;
  r->tmp = r->mask + CHII_BLOCK * s->ew;
  return chii_rep3_bits_setup(s);
}

static bool keys(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  unsigned i = s->me;
  const uint8_t *ka = s->pair_key[r->prev], *kb = s->pair_key[r->next];
  /* streams of component c: from party c-1, to party c */
  bool ok = chii_prg_init(&r->zero_a, ka, r->prev, i, CHII_REDUCE) &&
            chii_prg_init(&r->zero_b, kb, i, r->next, CHII_REDUCE) &&
            chii_prg_init(&r->deal_a, ka, r->prev, i, CHII_INPUT) &&
            chii_prg_init(&r->deal_b, kb, i, r->next, CHII_INPUT) &&
            chii_prg_init(&r->bits_a, ka, r->prev, i, CHII_BITS) &&
            chii_prg_init(&r->bits_b, kb, i, r->next, CHII_BITS) &&
            chii_prg_init(&r->conv_a, ka, r->prev, i, CHII_CONVERT) &&
            chii_prg_init(&r->conv_b, kb, i, r->next, CHII_CONVERT);
  chii_derive(r->tag_a, 32, ka, r->prev, i, CHII_OPEN_TAG);
  chii_derive(r->tag_b, 32, kb, i, r->next, CHII_OPEN_TAG);
  chii_derive(r->in_tag_a, 32, ka, r->prev, i, CHII_INPUT_TAG);
  chii_derive(r->in_tag_b, 32, kb, i, r->next, CHII_INPUT_TAG);
#ifdef CHI_TEST_HOOKS
  r->zero_a.holder = r->zero_b.holder = (uint8_t)i;
  r->deal_a.holder = r->deal_b.holder = (uint8_t)i;
  r->bits_a.holder = r->bits_b.holder = (uint8_t)i;
  r->conv_a.holder = r->conv_b.holder = (uint8_t)i;
#endif
  return ok;
}

static void wipe(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  if (!r)
    return;
  chii_prg_fini(&r->zero_a);
  chii_prg_fini(&r->zero_b);
  chii_prg_fini(&r->deal_a);
  chii_prg_fini(&r->deal_b);
  chii_prg_fini(&r->bits_a);
  chii_prg_fini(&r->bits_b);
  chii_prg_fini(&r->conv_a);
  chii_prg_fini(&r->conv_b);
  chii_wipe(r->from_next.window, r->from_next.window ? 2 * CHUNK * s->eb : 0);
  chii_wipe(r->mask, r->mask ? 2 * CHII_BLOCK * s->eb : 0);
  chii_wipe(r, sizeof *r);
}

/* One-time key number `count` from a tag key. */
static void tag_init(crypto_onetimeauth_state *st, const uint8_t key[32],
                     uint64_t count) {
  uint8_t msg[8], k[32];
  chii_put64(msg, count);
  crypto_generichash(k, sizeof k, msg, sizeof msg, key, 32);
  crypto_onetimeauth_init(st, k);
  chii_wipe(k, sizeof k);
}

/* Is something opened in the round? */
static bool opens(const chi_session *s) {
  return s->o || s->load.open_lanes;
}

/* Nothing of the round has arrived; tag keys for its openings. */
static void reset(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  r->red = r->opn = 0;
  r->red_bytes = r->opn_bytes = r->opn_done = 0;
  r->tag_got = 0;
  chii_rep3_bits_reset(s);
  if (opens(s)) {
    r->tag_count++;
    tag_init(&r->made, r->tag_a, r->tag_count);
    tag_init(&r->seen, r->tag_b, r->tag_count);
  }
  s->stats.rounds++;
}

static void begin(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  uint64_t send[3] = {0}, recv[3] = {0};
  uint64_t tag = opens(s) ? CHII_TAG_BYTES : 0;
  send[r->prev] = s->eb * s->m + tag;
  send[r->next] = s->eb * s->o;
  recv[r->next] = s->eb * s->m + tag;
  recv[r->prev] = s->eb * s->o;
  chii_rep3_bits_load(s, send, recv);
  reset(s);
  chii_round_begin(s, send, recv, NULL);
}

/* z = F(k_i) - F(k_{i+1}): sums to zero over the parties. */
static uint64_t *open_chunk(chi_session *s, const chii_item *it, uint64_t off,
                            size_t n) {
  chii_rep3 *r = s->proto_state;
  const chii_field *f = &s->field;
  uint64_t *z = it->dst + off * s->ew;
  for (size_t at = 0; at < n; at += CHII_BLOCK) {
    size_t c = (size_t)chii_min(CHII_BLOCK, n - at);
    uint64_t index = it->index + off + at, *d = z + at * s->ew;
    if (!chii_prg_fill(f, &r->zero_a, d, index, c) ||
        !chii_prg_fill(f, &r->zero_b, r->mask, index, c)) {
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
      return NULL;
    }
    chii_sub(f, d, d, r->mask, c);
  }
  return z;
}

static void close_chunk(chi_session *s, const chii_item *it, uint64_t off,
                        size_t n) {
  chii_rep3 *r = s->proto_state;
  chii_send_direct(s, r->prev, it->dst + off * s->ew, n * s->eb);
  chii_count_elements(s, n);
  chii_pump(s);
}

static void open_item(chi_session *s, const chii_item *it) {
  chii_rep3 *r = s->proto_state;
  uint64_t bytes = it->lanes * s->eb;
  chii_send_direct(s, r->next, it->src, bytes);
  chii_count_elements(s, it->lanes);
  chii_pump(s);
  const uint8_t *b = (const uint8_t *)(it->src + it->lanes * s->ew);
  for (uint64_t at = 0; at < bytes && !s->status; at += CHUNK * 8) {
    crypto_onetimeauth_update(&r->made, b + at,
                              chii_min(CHUNK * 8, bytes - at));
    chii_pump(s);
  }
}

static void send_tag(chi_session *s, unsigned to) {
  chii_rep3 *r = s->proto_state;
  crypto_onetimeauth_final(&r->made, r->made_tag);
  chii_send_direct(s, to, r->made_tag, CHII_TAG_BYTES);
}

/* The values of the round are those that party i + 1 tagged. */
static void check_tag(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  uint8_t expect[CHII_TAG_BYTES];
  crypto_onetimeauth_final(&r->seen, expect);
  int differ = sodium_memcmp(expect, r->tag, CHII_TAG_BYTES);
  CHII_PUBLIC(&differ, sizeof differ);
  if (differ)
    chii_fail(s, CHI_E_CHECK, -1,
              "an opening failed its check: the value from party %u and the"
              " tag from party %u disagree",
              r->prev, r->next);
}

static void end(chi_session *s) {
  chii_rep3 *r = s->proto_state;
  chii_rep3_bits_send(s);
  if (opens(s))
    send_tag(s, r->prev);
  chii_round_end(s);
  if (!s->status && opens(s))
    check_tag(s);
  if (!s->status)
    chii_rep3_bits_finish(s);
}

static size_t want(chi_session *s, unsigned peer, uint8_t **p) {
  chii_rep3 *r = s->proto_state;
  if (peer == r->next) {
    if (r->red < s->n_reduce) {
      const chii_item *it = &s->reduce[r->red];
      *p = (uint8_t *)(it->dst + it->lanes * s->ew) + r->red_bytes;
      /* a chunk at a time, so that its check finds it in the cache */
      return (size_t)chii_min(it->lanes * s->eb - r->red_bytes, CHUNK * 8);
    }
    if (s->m_seen < s->m)
      return 0;
    if (chii_rep3_bits_due(s, peer))
      return chii_rep3_bits_want(s, peer, p);
    *p = r->tag + r->tag_got;
    return CHII_TAG_BYTES - r->tag_got;
  }
  if (r->opn == s->n_open)
    return s->o_seen == s->o && chii_rep3_bits_due(s, peer)
               ? chii_rep3_bits_want(s, peer, p)
               : 0;
  const chii_item *it = &s->opened[r->opn];
  *p = (uint8_t *)it->dst + r->opn_bytes;
  return (size_t)chii_min(it->lanes * s->eb - r->opn_bytes, CHUNK * 8);
}

/* Lanes [from, to) of an open arrived: check, authenticate, add up. */
static void add_up(chi_session *s, const chii_item *it, uint64_t from,
                   uint64_t to) {
  chii_rep3 *r = s->proto_state;
  uint64_t *d = it->dst + from * s->ew;
  const uint64_t *a = it->src + from * s->ew;
  size_t n = (size_t)(to - from);
  if (!chii_canonical(s, r->prev, d, n))
    return;
  crypto_onetimeauth_update(&r->seen, (const uint8_t *)d, n * s->eb);
  s->field.op->add_two(&s->field, d, a, a + it->lanes * s->ew, n);
  CHII_PUBLIC(d, n * s->eb);
}

static void took(chi_session *s, unsigned peer, size_t n) {
  chii_rep3 *r = s->proto_state;
  if ((peer == r->next ? r->red == s->n_reduce : r->opn == s->n_open) &&
      chii_rep3_bits_due(s, peer)) {
    chii_rep3_bits_took(s, peer, n);
  } else if (peer == r->next && r->red == s->n_reduce) {
    r->tag_got += (unsigned)n;
  } else if (peer == r->next) {
    const chii_item *it = &s->reduce[r->red];
    uint64_t from = r->red_bytes / s->eb;
    r->red_bytes += n;
    uint64_t to = r->red_bytes / s->eb;
    if (!chii_canonical(s, peer, it->dst + (it->lanes + from) * s->ew,
                        (size_t)(to - from)))
      return;
    if (to == it->lanes) {
      r->red++;
      r->red_bytes = 0;
    }
  } else {
    const chii_item *it = &s->opened[r->opn];
    r->opn_bytes += n;
    uint64_t to = r->opn_bytes / s->eb;
    if (to > r->opn_done)
      add_up(s, it, r->opn_done, to);
    r->opn_done = to;
    if (!s->status && to == it->lanes) {
      r->opn++;
      r->opn_bytes = r->opn_done = 0;
    }
  }
}

static void open_to(chi_session *s, unsigned party, uint64_t *dst,
                    const uint64_t *src, uint64_t lanes) {
  chii_rep3 *r = s->proto_state;
  uint64_t send[3] = {0}, recv[3] = {0};
  chii_ex_single_open(s, dst, src, lanes);
  reset(s);
  if (s->me == party) {
    recv[r->prev] = s->eb * lanes;
    recv[r->next] = CHII_TAG_BYTES;
  } else if (r->next == party) {
    send[party] = s->eb * lanes;
  } else {
    send[party] = CHII_TAG_BYTES;
  }
  chii_round_begin(s, send, recv, NULL);
  if (r->next == party) {
    chii_send_direct(s, party, src, s->eb * lanes);
    chii_count_elements(s, lanes);
  } else if (r->prev == party) {
    crypto_onetimeauth_update(&r->made,
                              (const uint8_t *)(src + lanes * s->ew),
                              s->eb * lanes);
    send_tag(s, party);
  }
  chii_round_end(s);
  if (!s->status && s->me == party)
    check_tag(s);
}

static void deal(chi_session *s, unsigned dealer, uint64_t *dst,
                 const uint64_t *values, uint64_t lanes) {
  chii_rep3 *r = s->proto_state;
  uint64_t *a = dst, *b = dst + lanes * s->ew, index = r->deal_index;
  size_t bytes = (size_t)lanes * s->eb;
  uint64_t send[3] = {0}, recv[3] = {0};
  uint8_t *raw[3] = {NULL, NULL, NULL};
  bool ok = true;
  r->deal_index += chii_prg_round(lanes);
  if (s->me == dealer)
    send[r->next] = bytes;
  if (r->prev == dealer) {
    recv[dealer] = bytes;
    raw[dealer] = (uint8_t *)a;
  }
  if (!s->setup)
    s->stats.rounds++;
  chii_round_begin(s, send, recv, raw);
  if (s->me == dealer) {
    ok = chii_prg_fill(&s->field, &r->deal_a, a, index, lanes);
    chii_sub(&s->field, b, values, a, lanes);
    chii_send_direct(s, r->next, b, bytes);
    chii_count_elements(s, lanes);
  } else if (r->next == dealer) {
    ok = chii_prg_fill(&s->field, &r->deal_b, b, index, lanes);
    memset(a, 0, bytes);
  } else {
    memset(b, 0, bytes);
  }
  if (!ok)
    chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  chii_round_end(s);
  if (!s->status && r->prev == dealer)
    chii_canonical(s, dealer, a, lanes);
}

/* Tag of one component of an input, told by party `sender`. */
static void input_tag(uint8_t out[CHII_TAG_BYTES], const uint8_t key[32],
                      unsigned sender, uint32_t input, const uint64_t *v,
                      size_t bytes) {
  crypto_generichash_state st;
  uint8_t head[16] = {0};
  head[0] = (uint8_t)sender;
  chii_put64(head + 8, input);
  crypto_generichash_init(&st, key, 32, CHII_TAG_BYTES);
  crypto_generichash_update(&st, head, sizeof head);
  crypto_generichash_update(&st, (const uint8_t *)v, bytes);
  crypto_generichash_final(&st, out, CHII_TAG_BYTES);
}

/* Each pair compares tags of the component that both received: a false input
 * passes with probability 2^-128. */
static void check_inputs(chi_session *s, const uint32_t *input,
                         uint32_t count) {
  chii_rep3 *r = s->proto_state;
  uint8_t *t = chii_alloc(s, count, 6 * CHII_TAG_BYTES);
  if (!t) {
    chii_fail(s, CHI_E_NOMEM, -1, "no memory to check inputs");
    return;
  }
  size_t stride = (size_t)count * CHII_TAG_BYTES;
  uint8_t *out = t, *in = t + 3 * stride, expect[CHII_TAG_BYTES];
  for (uint32_t k = 0; k < count; k++) {
    const chi_leaf *lf = &s->program->input[input[k]];
    const uint64_t *a = s->w + lf->slot, *b = a + lf->lanes * s->ew;
    size_t bytes = (size_t)lf->lanes * s->eb;
    input_tag(out + r->prev * stride + k * CHII_TAG_BYTES, r->in_tag_a, s->me,
              input[k], a, bytes);
    input_tag(out + r->next * stride + k * CHII_TAG_BYTES, r->in_tag_b, s->me,
              input[k], b, bytes);
  }
  chii_swap(s, out, stride, in, stride);
  for (uint32_t k = 0; k < count && !s->status; k++) {
    const chi_leaf *lf = &s->program->input[input[k]];
    const uint64_t *a = s->w + lf->slot, *b = a + lf->lanes * s->ew;
    size_t bytes = (size_t)lf->lanes * s->eb;
    input_tag(expect, r->in_tag_a, r->prev, input[k], a, bytes);
    int bad = sodium_memcmp(expect, in + r->prev * stride + k * CHII_TAG_BYTES,
                            CHII_TAG_BYTES);
    input_tag(expect, r->in_tag_b, r->next, input[k], b, bytes);
    bad |= sodium_memcmp(expect, in + r->next * stride + k * CHII_TAG_BYTES,
                         CHII_TAG_BYTES);
    CHII_PUBLIC(&bad, sizeof bad);
    if (bad)
      chii_fail(s, CHI_E_INPUT, -1,
                "the shares of input '%s' are not of one value", lf->name);
  }
  chii_free(s, t);
}

const chii_proto chii_rep3_ops = {
    .id = CHI_REP3,
    .planes = 2,
    .setup = setup,
    .keys = keys,
    .wipe = wipe,
    .begin = begin,
    .open_chunk = open_chunk,
    .close_chunk = close_chunk,
    .open = open_item,
    .bits = {[CHII_B_REDUCE] = chii_rep3_reduce_bits,
             [CHII_B_OPEN] = chii_rep3_open_bits,
             [CHII_B_XDEAL] = chii_rep3_xdeal,
             [CHII_B_XJOIN] = chii_rep3_xjoin},
    .end = end,
    .shuffle_setup = chii_rep3_shuffle_setup,
    .shuffle_keys = chii_rep3_shuffle_keys,
    .shuffle_wipe = chii_rep3_shuffle_wipe,
    .shuffle = chii_rep3_shuffle,
    .want = want,
    .took = took,
    .deal = deal,
    .open_to = open_to,
    .check_inputs = check_inputs};
