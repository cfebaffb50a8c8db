/* Shuffles under replicated sharing, in two rounds [AFOPRT21].
 *
 * Each pair of parties knows a permutation; the rows are moved by that of
 * parties 0 and 1, then that of 2 and 0, then that of 1 and 2 (in turn 0; in
 * turn k the parties are numbered from k on); back by the inverses from the
 * last to the first.  Let a be the party that takes part in the first two
 * moves, b in the first and third, c in the second and third:
 *
 *   x = (x of a's two components) + (the one that a lacks, which b has)
 *   round 1   a -> b   X = p2(p1(x of a) + u) + v    u of a and b, v of a, c
 *             b -> c   Y = p1(x of b) - u
 *   round 2   b <-> c  X' = p3(X) - e, Y' = p3(p2(Y) - v) - f
 *   result    e is the component of a and b, f that of a and c, X' + Y' that
 *             of b and c; e and f are drawn from the pairs' keys
 *
 * b sees X under v, c sees Y under u, both see the other's half under a key
 * that they lack, a sees nothing.  Each party lacks one permutation of the
 * three.
 */
#include <string.h>

#include "rep3.h"
#include "shuffle.h"

typedef struct rep3_shuffle {
  uint64_t *inbox[CHII_GROUPS];
  uint8_t key[2][CHII_PERM_KEY_BYTES]; /* with party i - 1, with i + 1 */
  chii_prg mask[2];
} rep3_shuffle;

chi_status chii_rep3_shuffle_setup(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  u->state = chii_alloc(s, 1, sizeof(rep3_shuffle));
  u->in = chii_alloc(s, 2 * u->max_lanes, s->eb);
  return u->state && u->in ? CHI_OK : CHI_E_NOMEM;
}

bool chii_rep3_shuffle_keys(chi_session *s) {
  rep3_shuffle *h = s->shuffle->state;
  const chii_rep3 *r = s->proto_state;
  bool ok = true;
  for (unsigned k = 0; k < 2; k++) {
    unsigned peer = k ? r->next : r->prev;
    unsigned from = k ? s->me : peer, to = k ? peer : s->me;
    chii_derive(h->key[k], CHII_PERM_KEY_BYTES, s->pair_key[peer], from, to,
                CHII_PERM);
    ok = ok && chii_prg_init(&h->mask[k], s->pair_key[peer], from, to,
                             CHII_SHUFFLE);
#ifdef CHI_TEST_HOOKS
    h->mask[k].holder = (uint8_t)s->me;
#endif
  }
  return ok;
}

void chii_rep3_shuffle_wipe(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  rep3_shuffle *h = u->state;
  if (!h)
    return;
  chii_prg_fini(&h->mask[0]);
  chii_prg_fini(&h->mask[1]);
  chii_wipe(h, sizeof *h);
  chii_wipe(u->in, u->in ? 2 * u->max_lanes * s->eb : 0);
}

/* ---- roles ---- */
enum { A, B, C };

/* Who plays a role in moves of a group. */
static unsigned player_of(unsigned group, unsigned role) {
  return (group < CHI_GEN_TURNS ? group + role : group + 2 - role) % 3;
}
static unsigned player(const chii_move *m, unsigned role) {
  return player_of(chii_group(m), role);
}

/* Which of my components, keys and streams I share with that player. */
static unsigned side(const chi_session *s, const chii_move *m,
                     unsigned role) {
  return player(m, role) == (s->me + 1) % 3;
}

static uint64_t *component(const chi_session *s, const chii_move *m,
                           unsigned role) {
  return m->dst + side(s, m, role) * m->lanes * s->ew;
}

/* out: in moved by the permutation that I share with that player. */
static void move(chi_session *s, const chii_move *m, unsigned role,
                 uint64_t *out, const uint64_t *in) {
  rep3_shuffle *h = s->shuffle->state;
  unsigned k = side(s, m, role), id = (s->me + k) % 3; /* the component's */
  const uint32_t *from = chii_perm_get(s, m, h->key[k], id);
  if (from)
    chii_permute(s, out, in, from, m);
}

/* The first masks of a pair for a move go into messages, the second ones are
 * components of the result. */
static bool fill(chi_session *s, const chii_move *m, unsigned role,
                 bool second, uint64_t from, size_t n, uint64_t *out) {
  rep3_shuffle *h = s->shuffle->state;
  uint64_t index = m->index + (second ? chii_prg_round(m->lanes) : 0) + from;
  if (chii_prg_fill(&s->field, &h->mask[side(s, m, role)], out, index, n))
    return true;
  chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  return false;
}

static void mask(chi_session *s, const chii_move *m, unsigned role, bool minus,
                 uint64_t *v) {
  chii_rep3 *r = s->proto_state;
  for (uint64_t at = 0; at < m->lanes; at += CHII_BLOCK) {
    size_t n = (size_t)chii_min(CHII_BLOCK, m->lanes - at);
    if (!fill(s, m, role, false, at, n, r->mask))
      return;
    uint64_t *d = v + at * s->ew;
    if (minus)
      chii_sub(&s->field, d, d, r->mask, n);
    else
      chii_add(&s->field, d, d, r->mask, n);
  }
}

/* The component that I share with that player is drawn; v loses it. */
static void draw_component(chi_session *s, const chii_move *m, unsigned role,
                           uint64_t *v) {
  uint64_t *e = component(s, m, role);
  if (!fill(s, m, role, true, 0, m->lanes, e))
    return;
  if (v)
    chii_sub(&s->field, v, v, e, (size_t)m->lanes);
}

/* ---- rounds ---- */

static const uint64_t *received(const chi_session *s, const chii_move *m,
                                uint64_t at) {
  const rep3_shuffle *h = s->shuffle->state;
  unsigned g = chii_group(m);
  return h->inbox[g] ? h->inbox[g] + (at - s->shuffle->start[g]) * s->ew : NULL;
}

/* dst is scratch until the result is there. */
static void first(chi_session *s, const chii_move *m, uint64_t at) {
  chii_shuffle *u = s->shuffle;
  size_t plane = (size_t)m->lanes * s->ew;
  uint64_t *out = u->out + at * s->ew, *t = m->dst, *t2 = m->dst + plane;
  if (s->me == player(m, A)) {
    chii_add(&s->field, t, m->src, m->src + plane, (size_t)m->lanes);
    move(s, m, B, t2, t);
    mask(s, m, B, false, t2);
    move(s, m, C, out, t2);
    mask(s, m, C, false, out);
  } else if (s->me == player(m, B)) {
    move(s, m, A, out, m->src + side(s, m, C) * plane);
    mask(s, m, A, true, out);
  }
}

static void second(chi_session *s, const chii_move *m, uint64_t at) {
  chii_shuffle *u = s->shuffle;
  uint64_t *out = u->out + at * s->ew, *t = m->dst;
  const uint64_t *in = received(s, m, at);
  if (s->me == player(m, A)) {
    draw_component(s, m, B, NULL);
    draw_component(s, m, C, NULL);
  } else if (s->me == player(m, B)) {
    move(s, m, C, out, in);
    draw_component(s, m, A, out);
  } else {
    move(s, m, A, t, in);
    mask(s, m, A, true, t);
    move(s, m, B, out, t);
    draw_component(s, m, A, out);
  }
}

static void sum_up(chi_session *s, const chii_move *m, uint64_t at) {
  chii_shuffle *u = s->shuffle;
  if (s->me == player(m, A))
    return;
  uint64_t *e = component(s, m, s->me == player(m, B) ? C : B);
  const uint64_t *in = received(s, m, at);
  chii_add(&s->field, e, u->out + at * s->ew, in, (size_t)m->lanes);
}

/* The message of a group in a round, of `lanes` lanes, to and from whom (3:
 * nobody): first from a to b and from b to c, then between b and c. */
static unsigned partner(const chi_session *s, unsigned g, bool again,
                        bool to) {
  unsigned role = A;
  while (player_of(g, role) != s->me)
    role++;
  if (again)
    return role == A ? 3 : player_of(g, role == B ? C : B);
  if (to)
    return role == C ? 3 : player_of(g, role + 1);
  return role == A ? 3 : player_of(g, role - 1);
}

static void exchange(chi_session *s, bool again) {
  chii_shuffle *u = s->shuffle;
  rep3_shuffle *h = u->state;
  uint64_t send[4] = {0}, recv[4] = {0};
  uint8_t *raw[3];
  for (unsigned j = 0; j < 3; j++) /* of each peer at most all lanes */
    raw[j] = (uint8_t *)(u->in +
                         (j == (s->me + 1) % 3) * u->max_lanes * s->ew);
  for (unsigned g = 0; g < CHII_GROUPS; g++) {
    uint64_t bytes = s->eb * (u->start[g + 1] - u->start[g]);
    unsigned from = partner(s, g, again, false);
    h->inbox[g] = from < 3 ? (uint64_t *)(void *)(raw[from] + recv[from])
                           : NULL;
    recv[from] += bytes;
    send[partner(s, g, again, true)] += bytes;
  }
  s->stats.rounds++;
  chii_round_begin(s, send, recv, raw);
  for (unsigned g = 0; g < CHII_GROUPS; g++) {
    uint64_t n = u->start[g + 1] - u->start[g];
    unsigned to = partner(s, g, again, true);
    if (to == 3)
      continue;
    chii_send_direct(s, to, u->out + u->start[g] * s->ew, s->eb * n);
    chii_count_elements(s, n);
  }
  chii_round_end(s);
  for (unsigned j = 0; j < 3 && !s->status; j++)
    if (j != s->me)
      chii_canonical(s, j, (uint64_t *)(void *)raw[j],
                     (size_t)(recv[j] / s->eb));
}

void chii_rep3_shuffle(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  for (uint32_t k = 0; k < u->n; k++) {
    u->move[k].index = u->index;
    u->index += 2 * chii_prg_round(u->move[k].lanes);
  }
  chii_each_move(s, first);
  if (!s->status)
    exchange(s, false);
  chii_each_move(s, second);
  if (!s->status)
    exchange(s, true);
  chii_each_move(s, sum_up);
}
