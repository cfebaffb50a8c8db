/* Shamir sharing among n parties, t = ceil(n/2) - 1: docs/protocols.md.
 *
 * Party i has the value at point i+1 of a polynomial of degree t whose value
 * at 0 is the secret.  Products have degree 2t and are known from the points
 * of the d = 2t+1 dealers 0..2t.
 *
 * Dealing a secret: the points of the next t parties come from pair seeds and
 * cost nothing; secret and seeded points fix the polynomial, whose other n-1-t
 * points are sent.  For n <= 5 a product is reduced by dealing the local
 * product so, in one round [GRR98]; for n >= 6 by shamir_dn.c.
 *
 * An opening is told all to all; every party checks that all n points lie on
 * one polynomial of degree t before it looks at the value.
 */
#include "shamir.h"

#include <sodium.h>
#include <string.h>

#include "ctime.h"
#include "format.h"
#include "shuffle.h"

static chi_status setup(chi_session *s) {
  chii_shamir *h = s->proto_state = chii_alloc(s, 1, sizeof *h);
  if (!h)
    return CHI_E_NOMEM;
  unsigned n = s->n, t = h->t = (n + 1) / 2 - 1;
  const chii_field *f = &s->field;
  size_t row = (size_t)(t + 1) * s->ew;
  h->d = 2 * t + 1;
  h->dn = n >= 6;
  uint64_t x[CHI_PARTIES_MAX + 1];
  for (unsigned i = 0; i < n; i++)
    x[i] = chii_point(i);
  h->lambda_d = chii_alloc(s, n, s->eb);
  h->lambda_t = chii_alloc(s, t + 1, s->eb);
  h->predict = chii_alloc(s, (uint64_t)(n - 1 - t) * (t + 1), s->eb);
  h->spread = chii_alloc(s, (uint64_t)n * (t + 1), s->eb);
  h->red_out = chii_alloc(s, 4 * t, sizeof(chii_prg));
  h->cur = chii_alloc(s, n, sizeof *h->cur);
  h->window = chii_alloc(s, (uint64_t)n * CHUNK, s->eb);
  h->own = chii_alloc(s, CHUNK, s->eb);
  h->rows = chii_alloc(s, (uint64_t)(t + 1) * CHUNK, s->eb);
  h->red_spread = chii_alloc(s, (uint64_t)n * (t + 1), s->eb);
  if (!h->lambda_d || !h->lambda_t || !h->predict || !h->spread ||
      !h->red_out || !h->cur || !h->window || !h->own || !h->rows ||
      !h->red_spread)
    return CHI_E_NOMEM;
  h->red_in = h->red_out + t;
  h->in_out = h->red_in + t;
  h->in_in = h->in_out + t;
  chii_lagrange(f, h->lambda_d, x, h->d, 0);
  chii_lagrange(f, h->lambda_t, x, t + 1, 0);
  for (unsigned j = t + 1; j < n; j++)
    chii_lagrange(f, h->predict + (j - t - 1) * row, x, t + 1, chii_point(j));
  uint64_t y[CHI_PARTIES_MAX + 1];
  y[0] = 0;
  for (unsigned k = 0; k < t; k++)
    y[k + 1] = chii_point((s->me + 1 + k) % n);
  for (unsigned j = 0; j < n; j++)
    chii_lagrange(f, h->spread + j * row, y, t + 1, chii_point(j));
  memcpy(h->red_spread, h->spread, n * row * 8);
  for (unsigned j = 0; j < n && s->me < h->d; j++)
    chii_mul(f, h->red_spread + j * row, h->lambda_d + s->me * s->ew,
             h->spread + j * row, 1);
  chi_status st = chii_shamir_bits_setup(s);
  return st || !h->dn ? st : chii_dn_setup(s);
}

static bool keys(chi_session *s) {
  chii_shamir *h = s->proto_state;
  for (unsigned k = 0; k < h->t; k++) {
    unsigned to = (s->me + 1 + k) % s->n;
    unsigned from = (s->me + s->n - 1 - k) % s->n;
    if (!chii_prg_init(&h->red_out[k], s->pair_key[to], s->me, to,
                       CHII_REDUCE) ||
        !chii_prg_init(&h->in_out[k], s->pair_key[to], s->me, to,
                       CHII_INPUT) ||
        !chii_prg_init(&h->red_in[k], s->pair_key[from], from, s->me,
                       CHII_REDUCE) ||
        !chii_prg_init(&h->in_in[k], s->pair_key[from], from, s->me,
                       CHII_INPUT))
      return false;
  }
#ifdef CHI_TEST_HOOKS
  for (unsigned k = 0; k < 4 * h->t; k++)
    h->red_out[k].holder = (uint8_t)s->me;
#endif
  return chii_shamir_bits_keys(s) && (!h->dn || chii_dn_keys(s));
}

static void wipe(chi_session *s) {
  chii_shamir *h = s->proto_state;
  if (!h)
    return;
  for (unsigned k = 0; h->red_out && k < 4 * h->t; k++)
    chii_prg_fini(&h->red_out[k]);
  chii_shamir_bits_wipe(s);
  for (unsigned k = 0; h->dbl_out && k < 2 * h->d; k++)
    chii_prg_fini(&h->dbl_out[k]);
  chii_prg_fini(&h->dbl_own);
  chii_wipe(h->own_key, sizeof h->own_key);
  chii_wipe(h->window, h->window ? (size_t)s->n * CHUNK * s->eb : 0);
  chii_wipe(h->own, h->own ? CHUNK * s->eb : 0);
  chii_wipe(h->rows, h->rows ? (size_t)(h->t + 1) * CHUNK * s->eb : 0);
  chii_wipe(h->dealt, h->dealt ? h->d * h->max_batches * s->eb : 0);
  chii_wipe(h->eacc, h->eacc ? (s->max_reduce / h->d + 1) * s->eb : 0);
  chii_wipe(h->dbl, h->dbl ? h->d * h->dbl_lanes * s->eb : 0);
}

bool chii_shamir_deal(chi_session *s, chii_prg *out, const uint64_t *spread,
                      uint64_t index, size_t n, uint64_t *own) {
  chii_shamir *h = s->proto_state;
  unsigned t = h->t;
  size_t ew = s->ew;
  for (unsigned k = 0; k < t; k++)
    if (!chii_prg_fill(&s->field, &out[k], h->rows + (k + 1) * CHUNK * ew,
                       index, n)) {
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
      return false;
    }
  for (unsigned e = t + 1; e <= s->n; e++) { /* e = n: myself */
    unsigned j = (s->me + e) % s->n;
    uint64_t *p = j == s->me ? own : chii_send_reserve(s, j, n * s->eb);
    if (!p)
      return false;
    chii_combine(&s->field, p, spread + j * (t + 1) * ew, h->rows, CHUNK,
                 t + 1, n);
    if (j != s->me)
      chii_count_elements(s, n);
  }
  return true;
}

/* Elements that `from` sends `to` in the first round, before openings. */
static uint64_t due_elements(const chi_session *s, unsigned from, unsigned to) {
  const chii_shamir *h = s->proto_state;
  if (from >= h->d)
    return 0;
  if (!h->dn)
    return chii_seeded(s, h->t, from, to) ? 0 : s->m;
  uint64_t w = chii_seeded(s, h->t, from, to) ? 0 : h->batches;
  if (to < h->d && s->m > to)
    w += (s->m - to - 1) / h->d + 1; /* gates g = to, to + d, .. < m */
  return w;
}

static void reset(chi_session *s) {
  chii_shamir *h = s->proto_state;
  for (unsigned j = 0; j < s->n; j++)
    h->cur[j] = (chii_cursor){0};
  h->opens_ready = false;
  h->open_at = h->open_off = 0;
  h->open_item = 0;
  chii_shamir_bits_reset(s);
  h->round = 1;
  h->batches = h->dn ? (s->m + h->t) / (h->t + 1) : 0;
  s->stats.rounds++;
}

static void begin(chi_session *s) {
  chii_shamir *h = s->proto_state;
  uint64_t send[CHI_PARTIES_MAX], recv[CHI_PARTIES_MAX];
  reset(s);
  for (unsigned j = 0; j < s->n; j++) {
    send[j] = s->eb * (due_elements(s, s->me, j) + s->o) +
              chii_shamir_bits_bytes(s, s->me, j);
    recv[j] = s->eb * (due_elements(s, j, s->me) + s->o) +
              chii_shamir_bits_bytes(s, j, s->me);
  }
  if (h->dn && s->m)
    memset(h->eacc, 0, (s->m / h->d + 1) * s->eb);
  chii_round_begin(s, send, recv, NULL);
  if (h->dn && s->m && !s->status)
    chii_dn_begin(s);
}

static uint64_t *open_chunk(chi_session *s, const chii_item *it, uint64_t off,
                            size_t n) {
  chii_shamir *h = s->proto_state;
  if (h->dn)
    return chii_dn_open_chunk(s, it, off, n);
  if (off == 0)
    memset(it->dst, 0, it->lanes * s->eb);
  memset(h->rows, 0, n * s->eb);
  return h->rows;
}

static void close_chunk(chi_session *s, const chii_item *it, uint64_t off,
                        size_t n) {
  chii_shamir *h = s->proto_state;
  if (h->dn) {
    chii_dn_close_chunk(s, it, off, n);
    return;
  }
  const chii_field *f = &s->field;
  uint64_t *d = it->dst + off * s->ew, index = it->index + off;
  if (s->me < h->d) {
    if (!chii_shamir_deal(s, h->red_out, h->red_spread, index, n, h->own))
      return;
    chii_add(f, d, d, h->own, n);
  }
  for (unsigned k = 0; k < h->t; k++) {
    unsigned from = (s->me + s->n - 1 - k) % s->n;
    if (from >= h->d)
      continue;
    if (!chii_prg_fill(f, &h->red_in[k], h->own, index, n)) {
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
      return;
    }
    chii_add(f, d, d, h->own, n);
  }
  chii_pump(s);
}

/* Openings come last in everybody's frame, whenever they were called. */
static void open_item(chi_session *s, const chii_item *it) {
  (void)s;
  (void)it;
}

static void end(chi_session *s) {
  chii_shamir *h = s->proto_state;
  chii_shamir_bits_send(s);
  for (uint32_t k = 0; k < s->n_open; k++)
    for (unsigned j = 0; j < s->n; j++)
      if (j != s->me) {
        chii_send_direct(s, j, s->opened[k].src,
                         s->opened[k].lanes * s->eb);
        chii_count_elements(s, s->opened[k].lanes);
      }
  chii_shamir_bits_send_opens(s);
  h->opens_ready = true;
  chii_round_end(s);
  if (h->dn && s->m && !s->status)
    chii_dn_second(s);
}

static void open_to(chi_session *s, unsigned party, uint64_t *dst,
                    const uint64_t *src, uint64_t lanes) {
  chii_shamir *h = s->proto_state;
  uint64_t send[CHI_PARTIES_MAX] = {0}, recv[CHI_PARTIES_MAX] = {0};
  chii_ex_single_open(s, dst, src, lanes);
  reset(s);
  h->opens_ready = true;
  send[party] = s->me == party ? 0 : s->eb * lanes;
  for (unsigned j = 0; j < s->n && s->me == party; j++)
    recv[j] = s->eb * lanes;
  chii_round_begin(s, send, recv, NULL);
  if (s->me != party) {
    chii_send_direct(s, party, src, s->eb * lanes);
    chii_count_elements(s, lanes);
  }
  chii_round_end(s);
}

/* Elements of products that have a destination now. */
static uint64_t due_now(chi_session *s, unsigned peer) {
  chii_shamir *h = s->proto_state;
  if (h->dn)
    return chii_dn_due(s, peer);
  if (peer >= h->d || chii_seeded(s, h->t, peer, s->me))
    return 0;
  return s->m_seen - h->cur[peer].gate;
}

static bool before_bits(chi_session *s, unsigned peer) {
  chii_shamir *h = s->proto_state;
  const chii_cursor *c = &h->cur[peer];
  return h->round == 2 ||
         c->dealt + c->gate < due_elements(s, peer, s->me);
}

static bool before_opens(chi_session *s, unsigned peer) {
  return before_bits(s, peer) || chii_shamir_bits_due(s, peer);
}

static size_t want(chi_session *s, unsigned peer, uint8_t **p) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  uint64_t count;
  *p = (uint8_t *)(h->window + (size_t)peer * CHUNK * s->ew) + c->bytes;
  if (h->dn && (count = chii_dn_dealt_due(s, peer)) > 0)
    *p = (uint8_t *)chii_dn_dealt(s, peer) + c->bytes;
  else if (before_bits(s, peer))
    count = due_now(s, peer);
  else if (chii_shamir_bits_due(s, peer))
    return chii_shamir_bits_want(s, peer, p);
  else if (!h->opens_ready)
    return 0;
  else if (h->open_at == s->o)
    return (size_t)chii_min(chii_shamir_bit_opens(s), CHUNK * 8) - c->bytes;
  else
    count = s->o - h->open_at;
  return (size_t)chii_min(count, CHUNK) * s->eb - c->bytes;
}

/* dst += v for the next n products of a dealer. */
static void add_products(chi_session *s, unsigned peer, const uint64_t *v,
                         size_t n) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  c->gate += n;
  while (n) {
    const chii_item *it = &s->reduce[c->item];
    size_t k = (size_t)chii_min(n, it->lanes - c->item_off);
    uint64_t *d = it->dst + c->item_off * s->ew;
    chii_add(&s->field, d, d, v, k);
    v += k * s->ew;
    n -= k;
    c->item_off += k;
    if (c->item_off == it->lanes) {
      c->item++;
      c->item_off = 0;
    }
  }
}

/* All n points of `count` openings are in the windows: check, then store. */
static void finish_opens(chi_session *s, size_t count) {
  chii_shamir *h = s->proto_state;
  const chii_field *f = &s->field;
  unsigned n = s->n, t = h->t;
  size_t ew = s->ew;
  uint64_t *mine = h->window + (size_t)s->me * CHUNK * ew;
  size_t at = 0;
  uint32_t item = h->open_item;
  uint64_t off = h->open_off;
  while (at < count) {
    const chii_item *it = &s->opened[item];
    size_t k = (size_t)chii_min(count - at, it->lanes - off);
    memcpy(mine + at * ew, it->src + off * ew, k * s->eb);
    at += k;
    off += k;
    if (off == it->lanes) {
      item++;
      off = 0;
    }
  }
  for (unsigned j = t + 1; j < n; j++) {
    const uint64_t *got = h->window + (size_t)j * CHUNK * ew;
    uint64_t differ = 0;
    chii_combine(f, h->own, h->predict + (j - t - 1) * (t + 1) * ew, h->window,
                 CHUNK, t + 1, count);
    for (size_t l = 0; l < count * ew; l++)
      differ |= h->own[l] ^ got[l];
    CHII_PUBLIC(&differ, sizeof differ);
    if (differ) {
      chii_fail(s, CHI_E_CHECK, -1,
                "an opening failed its check: the points of all %u parties do"
                " not lie on one polynomial of degree %u",
                n, t);
      return;
    }
  }
  chii_combine(f, h->own, h->lambda_t, h->window, CHUNK, t + 1, count);
  CHII_PUBLIC(h->own, count * s->eb);
  for (at = 0; at < count;) {
    const chii_item *it = &s->opened[h->open_item];
    size_t k = (size_t)chii_min(count - at, it->lanes - h->open_off);
    memcpy(it->dst + h->open_off * ew, h->own + at * ew, k * s->eb);
    at += k;
    h->open_off += k;
    if (h->open_off == it->lanes) {
      h->open_item++;
      h->open_off = 0;
    }
  }
  h->open_at += count;
  for (unsigned j = 0; j < n; j++)
    h->cur[j].bytes = 0;
}

/* Are the points of the next `bytes` of openings of all parties there? */
static bool all_told(chi_session *s, size_t bytes) {
  chii_shamir *h = s->proto_state;
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me && (before_opens(s, j) || h->cur[j].bytes < bytes))
      return false;
  return true;
}

static void took_bit_opens(chi_session *s) {
  size_t full = (size_t)chii_min(chii_shamir_bit_opens(s), CHUNK * 8);
  if (all_told(s, full))
    chii_shamir_finish_bit_opens(s, full);
}

static void took(chi_session *s, unsigned peer, size_t n) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  uint64_t *win = h->window + (size_t)peer * CHUNK * s->ew;
  bool dealt = h->dn && chii_dn_dealt_due(s, peer) > 0;
  if (!dealt && !before_bits(s, peer)) {
    if (chii_shamir_bits_due(s, peer)) {
      chii_shamir_bits_took(s, peer, n);
      return;
    }
    if (h->open_at == s->o) {
      c->bytes += n;
      took_bit_opens(s);
      return;
    }
  }
  if (dealt) /* they stay where they arrived */
    win = chii_dn_dealt(s, peer);
  size_t before = c->bytes / s->eb;
  c->bytes += n;
  size_t count = c->bytes / s->eb;
  if (!chii_canonical(s, peer, win + before * s->ew, count - before))
    return;
  if (dealt) {
    c->dealt += count;
    c->bytes -= count * s->eb;
    return;
  }
  if (before_bits(s, peer)) {
    if (h->dn)
      chii_dn_took(s, peer, win, count);
    else
      add_products(s, peer, win, count);
    c->bytes -= count * s->eb; /* a broken element stays */
    memmove(win, win + count * s->ew, c->bytes);
    return;
  }
  size_t full = (size_t)chii_min(s->o - h->open_at, CHUNK);
  if (all_told(s, full * s->eb))
    finish_opens(s, full);
}

static void deal(chi_session *s, unsigned dealer, uint64_t *dst,
                 const uint64_t *values, uint64_t lanes) {
  chii_shamir *h = s->proto_state;
  uint64_t send[CHI_PARTIES_MAX] = {0}, recv[CHI_PARTIES_MAX] = {0};
  uint8_t *raw[CHI_PARTIES_MAX] = {NULL};
  uint64_t index = h->deal_index;
  bool seeded = chii_seeded(s, h->t, dealer, s->me);
  h->deal_index += chii_prg_round(lanes);
  for (unsigned j = 0; s->me == dealer && j < s->n; j++)
    if (j != dealer && !chii_seeded(s, h->t, dealer, j))
      send[j] = s->eb * lanes;
  if (s->me != dealer && !seeded) {
    recv[dealer] = s->eb * lanes;
    raw[dealer] = (uint8_t *)dst;
  }
  if (!s->setup)
    s->stats.rounds++;
  chii_round_begin(s, send, recv, raw);
  for (uint64_t at = 0; at < lanes && !s->status; at += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, lanes - at);
    uint64_t *d = dst + at * s->ew;
    if (s->me == dealer) {
      memcpy(h->rows, values + at * s->ew, n * s->eb);
      (void)chii_shamir_deal(s, h->in_out, h->spread, index + at, n, d);
    } else if (seeded &&
               !chii_prg_fill(&s->field,
                              &h->in_in[(s->me + s->n - 1 - dealer) % s->n],
                              d, index + at, n)) {
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
    }
  }
  chii_round_end(s);
  if (!s->status && recv[dealer])
    chii_canonical(s, dealer, dst, lanes);
}

/* sum over lanes of rho_l x_l, rho expanded from the joint coin. */
static bool combination(chi_session *s, uint64_t *out, const uint8_t coin[32],
                        uint32_t input, const uint64_t *x, uint64_t lanes) {
  chii_shamir *h = s->proto_state;
  uint8_t msg[8], seed[32];
  memset(out, 0, s->eb);
  for (uint64_t at = 0, block = 0; at < lanes; at += CHUNK, block++) {
    size_t n = (size_t)chii_min(CHUNK, lanes - at);
    chii_put64(msg, (uint64_t)input << 32 | block);
    crypto_generichash(seed, sizeof seed, msg, sizeof msg, coin, 32);
    if (chii_seed_expand(&s->field, h->own, seed, n) != CHI_OK)
      return false;
    s->field.op->inner(&s->field, out, h->own, x + at * s->ew, n);
  }
  return true;
}

static void coin_commit(uint8_t out[32], const chi_session *s, unsigned party,
                        const uint8_t coin[32]) {
  crypto_generichash_state st;
  uint8_t p = (uint8_t)party;
  crypto_generichash_init(&st, NULL, 0, 32);
  crypto_generichash_update(&st, (const uint8_t *)"chi-coin-1", 10);
  crypto_generichash_update(&st, s->session_id, sizeof s->session_id);
  crypto_generichash_update(&st, &p, 1);
  crypto_generichash_update(&st, coin, 32);
  crypto_generichash_final(&st, out, 32);
}

/* Are the points of every input on a polynomial of degree t?  Three rounds:
 * each party deals a random mask for each input and commits to a coin; coins
 * are shown; the combination of each input under the joint coin, plus masks,
 * is opened to all and all n points are checked.  The opened value is uniform.
 * A wrong input passes if the random combination of its syndrome vanishes:
 * probability 1/p for each input. */
static void check_inputs(chi_session *s, const uint32_t *input,
                         uint32_t count) {
  chii_shamir *h = s->proto_state;
  const chii_field *f = &s->field;
  unsigned n = s->n, t = h->t;
  size_t ew = s->ew, eb = s->eb;
  size_t bytes = (size_t)count * eb, first = bytes + 32;
  size_t need = n * first * 2 + n * 32u + n * bytes + bytes;
  uint8_t *mem = chii_alloc(s, need, 1);
  if (!mem) {
    chii_fail(s, CHI_E_NOMEM, -1, "no memory to check inputs");
    return;
  }
  uint8_t *out = mem, *in = out + n * first, *coins = in + n * first;
  uint64_t *point = (uint64_t *)(void *)(coins + n * 32u);
  uint64_t *mine = (uint64_t *)(void *)((uint8_t *)point + n * bytes);
  uint8_t coin[32], joint[32];
  randombytes_buf(coin, sizeof coin);
  uint8_t commit[32];
  coin_commit(commit, s, s->me, coin);
  for (unsigned j = 0; j < n; j++)
    memcpy(out + j * first + bytes, commit, 32);
  for (uint32_t k = 0; k < count; k++) {
    /* random coefficients of degree 0..t */
    uint64_t *c = h->rows, v[CHI_FIELD_WORDS_MAX], x[CHI_FIELD_WORDS_MAX];
    uint8_t seed[32];
    randombytes_buf(seed, sizeof seed);
    if (chii_seed_expand(f, c, seed, t + 1) != CHI_OK) {
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
      break;
    }
    for (unsigned j = 0; j < n; j++) {
      memset(v, 0, eb);
      chii_small(f, x, chii_point(j));
      for (unsigned e = t + 1; e-- > 0;) {
        chii_mul(f, v, v, x, 1);
        chii_add(f, v, v, c + e * ew, 1);
      }
      memcpy(out + j * first + k * eb, v, eb);
    }
    chii_wipe(c, (t + 1) * eb);
    chii_wipe(v, sizeof v);
    chii_wipe(seed, sizeof seed);
  }
  chii_swap(s, out, first, in, first);
  memcpy(in + s->me * first, out + s->me * first, first);
  memcpy(coins + s->me * 32u, coin, 32);
  /* own coin lies in `coins` too, which chii_swap leaves alone */
  chii_swap(s, coin, 0, coins, 32);
  crypto_generichash_state st;
  crypto_generichash_init(&st, NULL, 0, 32);
  for (unsigned j = 0; j < n && !s->status; j++) {
    coin_commit(commit, s, j, coins + j * 32u);
    if (j != s->me && memcmp(commit, in + j * first + bytes, 32) != 0)
      chii_fail(s, CHI_E_PROTOCOL, (int)j,
                "party %u showed another coin than it committed to", j);
    crypto_generichash_update(&st, coins + j * 32u, 32);
  }
  crypto_generichash_final(&st, joint, sizeof joint);
  for (uint32_t k = 0; k < count && !s->status; k++) {
    const chi_leaf *lf = &s->program->input[input[k]];
    uint64_t *sum = mine + k * ew;
    if (!combination(s, sum, joint, input[k], s->w + lf->slot, lf->lanes))
      chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
    for (unsigned j = 0; j < n && !s->status; j++) {
      const uint64_t *v =
          (const uint64_t *)(const void *)(in + j * first + k * eb);
      if (chii_canonical(s, j, v, 1))
        chii_add(f, sum, sum, v, 1);
    }
  }
  chii_swap(s, (const uint8_t *)mine, 0, (uint8_t *)point, bytes);
  if (!s->status)
    memcpy(point + (size_t)s->me * count * ew, mine, bytes);
  CHII_PUBLIC(point, n * bytes); /* opened, masked */
  for (unsigned j = 0; j < n && !s->status; j++)
    (void)chii_canonical(s, j, point + (size_t)j * count * ew, count);
  for (uint32_t k = 0; k < count && !s->status; k++)
    for (unsigned j = t + 1; j < n && !s->status; j++) {
      uint64_t v[CHI_FIELD_WORDS_MAX];
      chii_combine(f, v, h->predict + (j - t - 1) * (t + 1) * ew,
                   point + k * ew, count, t + 1, 1);
      if (memcmp(v, point + ((size_t)j * count + k) * ew, eb) != 0)
        chii_fail(s, CHI_E_INPUT, -1,
                  "the shares of input '%s' are not of one value",
                  s->program->input[input[k]].name);
    }
  chii_wipe(mem, need);
  chii_free(s, mem);
}

const chii_proto chii_shamir_ops = {
    .id = CHI_SHAMIR,
    .planes = 1,
    .setup = setup,
    .keys = keys,
    .wipe = wipe,
    .begin = begin,
    .open_chunk = open_chunk,
    .close_chunk = close_chunk,
    .open = open_item,
    .bits = {[CHII_B_REDUCE] = chii_shamir_reduce_bits,
             [CHII_B_OPEN] = chii_shamir_open_bits,
             [CHII_B_DEAL] = chii_shamir_deal_bits,
             [CHII_B_BDEAL] = chii_shamir_deal_bits},
    .end = end,
    .shuffle_setup = chii_shamir_shuffle_setup,
    .shuffle_keys = chii_shamir_shuffle_keys,
    .shuffle_wipe = chii_shamir_shuffle_wipe,
    .shuffle = chii_shamir_shuffle,
    .want = want,
    .took = took,
    .deal = deal,
    .open_to = open_to,
    .check_inputs = check_inputs};
