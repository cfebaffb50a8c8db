/* Shuffles under Shamir sharing, a round for each set of t + 1 of the
 * d = 2t + 1 dealers [LWZ11].
 *
 * The members of a set share a key.  In its round each weights its share with
 * its Lagrange coefficient of the set, so that the weighted shares add up to
 * the secret, moves it by the set's permutation and deals it afresh; the new
 * share is the sum of what was dealt.  Back: the inverses, from the last set to
 * the first.  Any t parties are outside one set, whose permutation they do not
 * know; of every set one member is not among them, so all they receive is
 * uniform.
 */
#include <sodium.h>
#include <string.h>

#include "shamir.h"
#include "shuffle.h"

typedef struct set {
  uint64_t members; /* bit per party */
  uint64_t *lambda; /* mine: an element */
  uint8_t key[CHII_PERM_KEY_BYTES];
} set;

typedef struct shamir_shuffle {
  set *set;
  unsigned n, now;     /* sets; round */
  chii_prg *out, *in;  /* as chii_shamir.red_out, .red_in */
  uint64_t *spread;    /* as chii_shamir.spread, of a set */
} shamir_shuffle;

static bool in_set(const set *x, unsigned party) {
  return x->members >> party & 1;
}

static unsigned leader(const chi_session *s, const set *x) {
  unsigned j = 0;
  while (j + 1 < s->n && !in_set(x, j))
    j++;
  return j;
}

/* All sets of k of the first n; how many. */
static unsigned subsets(set *x, unsigned n, unsigned k) {
  unsigned count = 0;
  for (uint64_t m = 0; m < UINT64_C(1) << n; m++) {
    unsigned size = 0;
    for (unsigned j = 0; j < n; j++)
      size += m >> j & 1;
    if (size != k)
      continue;
    if (x)
      x[count].members = m;
    count++;
  }
  return count;
}

static void weights(chi_session *s, set *x) {
  uint64_t at[CHII_SHUFFLE_NODES] = {0};
  uint64_t c[CHII_SHUFFLE_NODES * CHI_FIELD_WORDS_MAX];
  unsigned n = 0;
  for (unsigned j = 0; j < s->n; j++)
    if (in_set(x, j))
      at[n++] = chii_point(j);
  chii_lagrange(&s->field, c, at, n, 0);
  for (unsigned k = 0; k < n; k++)
    if (at[k] == chii_point(s->me))
      memcpy(x->lambda, c + k * s->ew, s->eb);
}

chi_status chii_shamir_shuffle_setup(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  const chii_shamir *p = s->proto_state;
  unsigned n = s->n, t = p->t;
  if (n > CHII_SHUFFLE_NODES)
    return CHI_E_LIMIT;
  shamir_shuffle *h = u->state = chii_alloc(s, 1, sizeof *h);
  if (!h)
    return CHI_E_NOMEM;
  h->n = subsets(NULL, p->d, t + 1);
  h->set = chii_alloc(s, h->n, sizeof *h->set);
  h->out = chii_alloc(s, 2 * (uint64_t)t, sizeof(chii_prg));
  h->spread = chii_alloc(s, (uint64_t)n * (t + 1), s->eb);
  u->in = chii_alloc(s, (n - 1 - t) * u->max_lanes, s->eb);
  uint64_t *lambda = chii_alloc(s, h->n, s->eb);
  if (!lambda || !h->set || !h->out || !h->spread || !u->in)
    return CHI_E_NOMEM;
  h->in = h->out + t;
  subsets(h->set, p->d, t + 1);
  for (unsigned k = 0; k < h->n; k++) {
    h->set[k].lambda = lambda + k * s->ew;
    weights(s, &h->set[k]);
  }
  return CHI_OK;
}

/* The least member of each set draws its key and sends it to the others; to
 * who is not in the set it sends zeros. */
static void swap_keys(chi_session *s) {
  shamir_shuffle *h = s->shuffle->state;
  size_t each = (size_t)h->n * CHII_PERM_KEY_BYTES;
  uint8_t *out = chii_alloc(s, 2 * (uint64_t)s->n, each);
  if (!out) {
    chii_fail(s, CHI_E_NOMEM, -1, "no memory for keys of permutations");
    return;
  }
  uint8_t *in = out + s->n * each;
  for (unsigned k = 0; k < h->n; k++) {
    set *x = &h->set[k];
    if (leader(s, x) != s->me)
      continue;
    randombytes_buf(x->key, sizeof x->key);
    for (unsigned j = 0; j < s->n; j++)
      if (in_set(x, j))
        memcpy(out + j * each + k * sizeof x->key, x->key, sizeof x->key);
  }
  chii_swap(s, out, each, in, each);
  for (unsigned k = 0; k < h->n && !s->status; k++) {
    set *x = &h->set[k];
    if (in_set(x, s->me) && leader(s, x) != s->me)
      memcpy(x->key, in + leader(s, x) * each + k * sizeof x->key,
             sizeof x->key);
  }
  chii_free(s, out);
}

bool chii_shamir_shuffle_keys(chi_session *s) {
  shamir_shuffle *h = s->shuffle->state;
  const chii_shamir *p = s->proto_state;
  for (unsigned k = 0; k < p->t; k++) {
    unsigned to = (s->me + 1 + k) % s->n;
    unsigned from = (s->me + s->n - 1 - k) % s->n;
    if (!chii_prg_init(&h->out[k], s->pair_key[to], s->me, to,
                       CHII_SHUFFLE) ||
        !chii_prg_init(&h->in[k], s->pair_key[from], from, s->me,
                       CHII_SHUFFLE))
      return false;
#ifdef CHI_TEST_HOOKS
    h->out[k].holder = h->in[k].holder = (uint8_t)s->me;
#endif
  }
  swap_keys(s);
  return true;
}

void chii_shamir_shuffle_wipe(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  const chii_shamir *p = s->proto_state;
  shamir_shuffle *h = u->state;
  if (!h)
    return;
  for (unsigned k = 0; h->out && k < 2 * p->t; k++)
    chii_prg_fini(&h->out[k]);
  chii_wipe(h->set, h->set ? h->n * sizeof *h->set : 0);
  chii_wipe(u->in, u->in ? (s->n - 1 - p->t) * u->max_lanes * s->eb : 0);
}

/* ---- rounds ---- */

/* Whose turn it is; in a round moves forth and back are at different sets. */
static const set *turn(const shamir_shuffle *h, bool back) {
  return &h->set[back ? h->n - 1 - h->now : h->now];
}

/* Elements from a party to who has no seed of it. */
static uint64_t due(const chi_session *s, unsigned from) {
  const chii_shuffle *u = s->shuffle;
  const shamir_shuffle *h = u->state;
  return (in_set(turn(h, false), from) ? u->forth : 0) +
         (in_set(turn(h, true), from) ? u->lanes - u->forth : 0);
}

/* Where they arrive. */
static uint64_t *inbox(const chi_session *s, unsigned from) {
  const chii_shuffle *u = s->shuffle;
  const chii_shamir *p = s->proto_state;
  unsigned ahead = (s->me + s->n - from - 1) % s->n; /* t .. n - 2 */
  return u->in + (ahead - p->t) * u->max_lanes * s->ew;
}

/* The message: my weighted share goes in the spread's first column. */
static void take_up(chi_session *s, const chii_move *m, uint64_t at) {
  shamir_shuffle *h = s->shuffle->state;
  const set *x = turn(h, m->back);
  if (!in_set(x, s->me))
    return;
  const uint32_t *from = chii_perm_get(s, m, x->key, (unsigned)(x - h->set));
  if (from)
    chii_permute(s, s->shuffle->out + at * s->ew, h->now ? m->dst : m->src,
                 from, m);
}

static void deal(chi_session *s, const chii_move *m, uint64_t at) {
  chii_shuffle *u = s->shuffle;
  shamir_shuffle *h = u->state;
  chii_shamir *p = s->proto_state;
  const set *x = turn(h, m->back);
  uint64_t index = m->index + h->now * chii_prg_round(m->lanes);
  const chii_field *f = &s->field;
  size_t row = (p->t + 1) * s->ew;
  memcpy(h->spread, p->spread, s->n * row * 8);
  for (unsigned j = 0; j < s->n; j++)
    chii_mul(f, h->spread + j * row, x->lambda, p->spread + j * row, 1);
  memset(m->dst, 0, m->lanes * s->eb);
  for (uint64_t l = 0; l < m->lanes; l += CHUNK) {
    size_t n = (size_t)chii_min(CHUNK, m->lanes - l);
    uint64_t *d = m->dst + l * s->ew;
    if (in_set(x, s->me)) {
      memcpy(p->rows, u->out + (at + l) * s->ew, n * s->eb);
      if (!chii_shamir_deal(s, h->out, h->spread, index + l, n, d))
        return;
    }
    for (unsigned k = 0; k < p->t; k++) {
      if (!in_set(x, (s->me + s->n - 1 - k) % s->n))
        continue;
      if (!chii_prg_fill(f, &h->in[k], p->own, index + l, n)) {
        chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
        return;
      }
      chii_add(f, d, d, p->own, n);
    }
    chii_pump(s);
  }
}

static void collect(chi_session *s, const chii_move *m, uint64_t at) {
  chii_shuffle *u = s->shuffle;
  shamir_shuffle *h = u->state;
  const chii_shamir *p = s->proto_state;
  for (unsigned j = 0; j < s->n; j++) {
    if (j == s->me || chii_seeded(s, p->t, j, s->me) ||
        !in_set(turn(h, m->back), j))
      continue;
    bool forth = in_set(turn(h, false), j);
    const uint64_t *v = inbox(s, j) + (forth ? at : at - u->forth) * s->ew;
    chii_add(&s->field, m->dst, m->dst, v, (size_t)m->lanes);
  }
}

static void one_round(chi_session *s) {
  const chii_shamir *p = s->proto_state;
  uint64_t send[CHI_PARTIES_MAX] = {0}, recv[CHI_PARTIES_MAX] = {0};
  uint8_t *raw[CHI_PARTIES_MAX] = {NULL};
  for (unsigned j = 0; j < s->n; j++) {
    if (j == s->me)
      continue;
    if (!chii_seeded(s, p->t, s->me, j))
      send[j] = s->eb * due(s, s->me);
    if (chii_seeded(s, p->t, j, s->me))
      continue;
    recv[j] = s->eb * due(s, j);
    raw[j] = (uint8_t *)inbox(s, j);
  }
  chii_each_move(s, take_up);
  if (s->status)
    return;
  s->stats.rounds++;
  chii_round_begin(s, send, recv, raw);
  chii_each_move(s, deal);
  chii_round_end(s);
  for (unsigned j = 0; j < s->n && !s->status; j++)
    if (recv[j])
      chii_canonical(s, j, inbox(s, j), (size_t)(recv[j] / s->eb));
  chii_each_move(s, collect);
}

void chii_shamir_shuffle(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  shamir_shuffle *h = u->state;
  for (uint32_t k = 0; k < u->n; k++) {
    u->move[k].index = u->index;
    u->index += h->n * chii_prg_round(u->move[k].lanes);
  }
  for (h->now = 0; h->now < h->n && !s->status; h->now++)
    one_round(s);
}
