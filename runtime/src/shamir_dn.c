/* Products among n >= 6 parties, linear in n: [DN07] with pair seeds and a king
 * for each gate; docs/protocols.md, "Shamir, products".
 *
 * Double sharings.  For each batch every dealer i < d deals one: of degree 2t,
 * whose points of the other d-1 dealers are seeded and whose own point is
 * random (together they fix the secret, nobody sends anything); and of degree
 * t, of the same secret, t points seeded, n-1-t sent.  The Vandermonde matrix
 * (row r, dealer i: (i+1)^r) takes the d sharings of a batch to t+1 that are
 * uniform given any t dealers' [DN07]: gates b(t+1) .. b(t+1)+t of the
 * exchange.
 *
 * Round 1: dealers send the points of degree t, and to king g mod d of gate g
 * the product masked by the point of degree 2t.  Round 2: the king has e = xy+r
 * in the clear, uniform; it shares e by the polynomial that is 0 at the points
 * of the next t parties (they get nothing) and sends the other points.  All
 * subtract their point of r of degree t.
 *
 * Order in a frame: dealt points of all batches, products in order of gates,
 * openings.
 */
#include <sodium.h>
#include <string.h>

#include "shamir.h"

/* Gates of king k. */
static uint64_t gates_of(const chi_session *s, unsigned k) {
  const chii_shamir *h = s->proto_state;
  return s->m > k ? (s->m - k - 1) / h->d + 1 : 0;
}

chi_status chii_dn_setup(chi_session *s) {
  chii_shamir *h = s->proto_state;
  const chii_field *f = &s->field;
  h->dbl_lanes = CHUNK / (h->t + 1) + 4;
  if (h->dbl_lanes < CHII_DEAL_BLOCK)
    h->dbl_lanes = CHII_DEAL_BLOCK;
  h->dbl_out = chii_alloc(s, 2 * h->d, sizeof(chii_prg));
  h->dbl = chii_alloc(s, h->d * h->dbl_lanes, s->eb);
  h->max_batches = s->max_reduce / (h->t + 1) + 1;
  h->dealt = chii_alloc(s, h->d * (uint64_t)h->max_batches, s->eb);
  h->eacc = chii_alloc(s, s->max_reduce / h->d + 1, s->eb);
  h->vand = chii_alloc(s, (uint64_t)(h->t + 1) * h->d, s->eb);
  if (!h->vand || !h->dbl_out || !h->dbl || !h->dealt || !h->eacc)
    return CHI_E_NOMEM;
  h->dbl_in = h->dbl_out + h->d;
  for (unsigned i = 0; i < h->d; i++) {
    uint64_t v[CHI_FIELD_WORDS_MAX], x[CHI_FIELD_WORDS_MAX];
    chii_small(f, v, 1);
    chii_small(f, x, chii_point(i));
    for (unsigned r = 0; r <= h->t; r++) {
      memcpy(h->vand + (r * h->d + i) * s->ew, v, s->eb);
      chii_mul(f, v, v, x, 1);
    }
  }
  return CHI_OK;
}

bool chii_dn_keys(chi_session *s) {
  chii_shamir *h = s->proto_state;
  if (s->me >= h->d)
    return true;
  randombytes_buf(h->own_key, sizeof h->own_key);
  for (unsigned j = 0; j < h->d; j++)
    if (j != s->me &&
        (!chii_prg_init(&h->dbl_out[j], s->pair_key[j], s->me, j,
                        CHII_DOUBLE) ||
         !chii_prg_init(&h->dbl_in[j], s->pair_key[j], j, s->me,
                        CHII_DOUBLE)))
      return false;
#ifdef CHI_TEST_HOOKS
  for (unsigned j = 0; j < 2 * h->d; j++)
    h->dbl_out[j].holder = (uint8_t)s->me;
  h->dbl_own.holder = (uint8_t)s->me;
#endif
  return chii_prg_init(&h->dbl_own, h->own_key, s->me, s->me, CHII_DOUBLE);
}

/* out[j] = masks of gates g0 + j, j < n, from the dealers' points of a batch:
 * row i of v, `stride` lanes apart, starts at batch b0. */
static void extract(const chi_session *s, uint64_t *out, uint64_t g0, size_t n,
                    const uint64_t *v, size_t stride, uint64_t b0) {
  const chii_shamir *h = s->proto_state;
  unsigned rows = h->t + 1;
  s->field.op->extract(&s->field, out, h->vand, h->d, rows,
                       v + (g0 / rows - b0) * s->ew, stride,
                       (unsigned)(g0 % rows), n);
}

/* My points of degree t of what party i dealt. */
static uint64_t *row_of(const chi_session *s, unsigned i) {
  const chii_shamir *h = s->proto_state;
  return h->dealt + i * h->max_batches * s->ew;
}

static bool fill(chi_session *s, chii_prg *g, uint64_t *out, uint64_t index,
                 size_t n) {
  if (chii_prg_fill(&s->field, g, out, index, n))
    return true;
  chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  return false;
}

void chii_dn_begin(chi_session *s) {
  chii_shamir *h = s->proto_state;
  h->batch_index = s->stream_index;
  s->stream_index += chii_prg_round(h->batches);
  for (uint64_t b = 0; b < h->batches && !s->status; b += CHII_DEAL_BLOCK) {
    size_t n = (size_t)chii_min(CHII_DEAL_BLOCK, h->batches - b);
    uint64_t index = h->batch_index + b;
    if (s->me < h->d) {
      for (unsigned j = 0; j < h->d; j++)
        if (!fill(s, j == s->me ? &h->dbl_own : &h->dbl_out[j],
                  h->dbl + j * h->dbl_lanes * s->ew, index, n))
          return;
      chii_combine(&s->field, h->rows, h->lambda_d, h->dbl, h->dbl_lanes,
                   h->d, n);
      if (!chii_shamir_deal(s, h->red_out, h->spread, index, n,
                            row_of(s, s->me) + b * s->ew))
        return;
    }
    for (unsigned k = 0; k < h->t; k++) {
      unsigned from = (s->me + s->n - 1 - k) % s->n;
      if (from >= h->d)
        continue;
      if (!fill(s, &h->red_in[k], row_of(s, from) + b * s->ew, index, n))
        return;
    }
    chii_pump(s);
  }
}

/* z = my points of degree 2t of the chunk's gates. */
uint64_t *chii_dn_open_chunk(chi_session *s, const chii_item *it, uint64_t off,
                             size_t n) {
  chii_shamir *h = s->proto_state;
  uint64_t *z = h->rows;
  if (s->me >= h->d) {
    memset(z, 0, n * s->eb);
    return z;
  }
  unsigned rows = h->t + 1;
  uint64_t g0 = it->first + off, b0 = (g0 / rows) & ~UINT64_C(1);
  size_t batches = (size_t)((g0 + n - 1) / rows - b0 + 1);
  for (unsigned i = 0; i < h->d; i++)
    if (!fill(s, i == s->me ? &h->dbl_own : &h->dbl_in[i],
              h->dbl + i * h->dbl_lanes * s->ew, h->batch_index + b0, batches))
      return NULL;
  extract(s, z, g0, n, h->dbl, h->dbl_lanes, b0);
  return z;
}

/* Masked products to their kings, times lambda: kings only add. */
void chii_dn_close_chunk(chi_session *s, const chii_item *it, uint64_t off,
                         size_t n) {
  chii_shamir *h = s->proto_state;
  const chii_field *f = &s->field;
  uint64_t g0 = it->first + off;
  const uint64_t *lambda = h->lambda_d + s->me * s->ew;
  if (s->me >= h->d)
    return;
  for (unsigned k = 0; k < h->d; k++) {
    size_t first = (size_t)((k + h->d - g0 % h->d) % h->d);
    if (first >= n)
      continue;
    size_t count = (n - first - 1) / h->d + 1;
    const uint64_t *z = h->rows + first * s->ew;
    if (k == s->me) {
      f->op->scale_add(f, h->eacc + (g0 + first) / h->d * s->ew, lambda, z,
                       h->d, count);
      continue;
    }
    uint64_t *p = chii_send_reserve(s, k, count * s->eb);
    if (!p)
      return;
    chii_scale(f, p, lambda, z, h->d, count);
    chii_count_elements(s, count);
  }
  chii_pump(s);
}

static bool sends_me(const chi_session *s, unsigned peer) {
  const chii_shamir *h = s->proto_state;
  return peer < h->d && !chii_seeded(s, h->t, peer, s->me);
}

uint64_t chii_dn_dealt_due(chi_session *s, unsigned peer) {
  const chii_shamir *h = s->proto_state;
  return h->round == 1 && sends_me(s, peer) ? h->batches - h->cur[peer].dealt
                                            : 0;
}

uint64_t *chii_dn_dealt(chi_session *s, unsigned peer) {
  const chii_shamir *h = s->proto_state;
  return row_of(s, peer) + h->cur[peer].dealt * s->ew;
}

uint64_t chii_dn_due(chi_session *s, unsigned peer) {
  const chii_shamir *h = s->proto_state;
  const chii_cursor *c = &h->cur[peer];
  if (h->round == 2)
    return sends_me(s, peer) ? gates_of(s, peer) - c->gate : 0;
  return peer < h->d && s->me < h->d ? gates_of(s, s->me) - c->gate : 0;
}

/* Moves a cursor over items that lie one after the other. */
static void step(const chi_session *s, chii_cursor *c, uint64_t by) {
  c->item_off += by;
  while (c->item < s->n_reduce &&
         c->item_off >= s->reduce[c->item].lanes) {
    c->item_off -= s->reduce[c->item].lanes;
    c->item++;
  }
}

/* Adds n elements to the gates of one king from the cursor on. */
static void to_gates(const chi_session *s, chii_cursor *c, const uint64_t *v,
                     size_t n) {
  const chii_shamir *h = s->proto_state;
  while (n) {
    const chii_item *it = &s->reduce[c->item];
    uint64_t here = (it->lanes - c->item_off - 1) / h->d + 1;
    size_t k = (size_t)chii_min(n, here);
    s->field.op->add_to(&s->field, it->dst + c->item_off * s->ew, h->d, v, k);
    step(s, c, k * h->d);
    v += k * s->ew;
    n -= k;
  }
}

void chii_dn_took(chi_session *s, unsigned peer, const uint64_t *v, size_t n) {
  chii_shamir *h = s->proto_state;
  chii_cursor *c = &h->cur[peer];
  if (h->round == 2) { /* my point of e of the king's next gates */
    to_gates(s, c, v, n);
  } else {
    uint64_t *e = h->eacc + c->gate * s->ew;
    chii_add(&s->field, e, e, v, n);
  }
  c->gate += n;
}

void chii_dn_second(chi_session *s) {
  chii_shamir *h = s->proto_state;
  uint64_t send[CHI_PARTIES_MAX] = {0}, recv[CHI_PARTIES_MAX] = {0};
  const chii_field *f = &s->field;
  h->round = 2;
  for (uint32_t k = 0; k < s->n_reduce; k++) {
    const chii_item *it = &s->reduce[k];
    extract(s, it->dst, it->first, (size_t)it->lanes, h->dealt,
            h->max_batches, 0);
    f->op->neg(f, it->dst, it->dst, (size_t)it->lanes);
  }
  for (unsigned j = 0; j < s->n; j++) {
    h->cur[j] = (chii_cursor){0};
    step(s, &h->cur[j], j);
    if (j == s->me)
      continue;
    if (s->me < h->d && !chii_seeded(s, h->t, s->me, j))
      send[j] = s->eb * gates_of(s, s->me);
    if (j < h->d && !chii_seeded(s, h->t, j, s->me))
      recv[j] = s->eb * gates_of(s, j);
  }
  s->stats.rounds++;
  chii_round_begin(s, send, recv, NULL);
  uint64_t mine = s->me < h->d ? gates_of(s, s->me) : 0;
  /* spread[j][0]: point j of the polynomial that is 1 at 0 and 0 at the points
   * of the next t parties */
  size_t row = (h->t + 1) * s->ew;
  const uint64_t *own = h->spread + s->me * row;
  chii_cursor at = h->cur[s->me];
  for (uint64_t g = 0; g < mine && !s->status; g += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, mine - g);
    const uint64_t *e = h->eacc + g * s->ew;
    for (unsigned j = 0; j < s->n; j++) {
      if (!send[j])
        continue;
      uint64_t *p = chii_send_reserve(s, j, n * s->eb);
      if (!p)
        return;
      chii_scale(f, p, h->spread + j * row, e, 1, n);
      chii_count_elements(s, n);
    }
    chii_scale(f, h->own, own, e, 1, n);
    to_gates(s, &at, h->own, n);
    chii_pump(s);
  }
  chii_round_end(s);
}
