/* Shuffles of an exchange: the list of them, the contract of the calls, and
 * permutations from keys.  Rows move at addresses that follow a permutation:
 * these tell what the node knows of it, and nothing of what it moves.
 */
#include "shuffle.h"

#include <sodium.h>
#include <string.h>

#include "ctime.h"

chi_status chii_shuffle_new(chi_session *s, uint32_t moves, uint64_t lanes,
                            uint64_t rows) {
  if (!moves)
    return CHI_OK;
  if (rows > UINT32_MAX)
    return CHI_E_LIMIT;
  chii_shuffle *u = s->shuffle = chii_alloc(s, 1, sizeof *u);
  if (!u)
    return CHI_E_NOMEM;
  u->cap = moves;
  u->max_lanes = lanes;
  u->max_rows = rows;
  u->move = chii_alloc(s, moves, sizeof *u->move);
  u->out = chii_alloc(s, lanes, s->eb);
  for (unsigned k = 0; k < CHII_PERMS; k++)
    u->perm[k].from = chii_alloc(s, rows, sizeof(uint32_t));
  if (!u->move || !u->out || !u->perm[0].from || !u->perm[1].from)
    return CHI_E_NOMEM;
  return s->proto->shuffle_setup(s);
}

void chii_shuffle_wipe(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  if (!u)
    return;
  s->proto->shuffle_wipe(s);
  chii_prg_fini(&u->words);
  chii_wipe(u->out, u->out ? u->max_lanes * s->eb : 0);
  for (unsigned k = 0; k < CHII_PERMS; k++) {
    u->perm[k].key = NULL;
    chii_wipe(u->perm[k].from,
              u->perm[k].from ? u->max_rows * sizeof(uint32_t) : 0);
  }
}

/* ---- permutations ---- */

#define WORDS 256 /* drawn at a time */

typedef struct source {
  chi_session *s;
  uint64_t word[WORDS], index;
  unsigned left;
} source;

static bool draw(source *d, uint64_t *word) {
  if (!d->left) {
    chii_prg *g = &d->s->shuffle->words;
    if (!chii_prg_words(g, d->word, d->index, WORDS)) {
      chii_fail(d->s, CHI_E_CRYPTO, -1, "AES failed");
      return false;
    }
    CHII_PUBLIC(d->word, sizeof d->word); /* see the head of this file */
    d->index += WORDS;
    d->left = WORDS;
  }
  *word = d->word[WORDS - d->left--];
  return true;
}

/* Uniform in 0 .. n - 1: the high word of a product; of the 2^64 low words
 * those below 2^64 mod n are drawn again. */
static bool below(source *d, uint64_t n, uint64_t *out) {
  __extension__ typedef unsigned __int128 u128;
  uint64_t word, least = (0 - n) % n;
  u128 x;
  do {
    if (!draw(d, &word))
      return false;
    x = (u128)word * n;
  } while ((uint64_t)x < least);
  *out = (uint64_t)(x >> 64);
  return true;
}

/* Fisher and Yates, from the inside out. */
static bool make(chi_session *s, chii_perm *p, const chii_move *m,
                 const uint8_t *key, unsigned id) {
  chii_prg *g = &s->shuffle->words;
  uint8_t msg[16], k[CHII_PAIR_KEY_BYTES];
  uint64_t rows = m->lanes / m->row, at = 0;
  source d = {.s = s};
  chii_put64(msg, m->number);
  chii_put64(msg + 8, rows);
  crypto_generichash(k, sizeof k, msg, sizeof msg, key, CHII_PERM_KEY_BYTES);
  bool ok = chii_prg_init(g, k, id, id, CHII_PERM);
#ifdef CHI_TEST_HOOKS
  g->holder = (uint8_t)s->me;
#endif
  chii_wipe(k, sizeof k);
  if (!ok)
    chii_fail(s, CHI_E_CRYPTO, -1, "AES failed");
  for (uint64_t r = 0; ok && r < rows; r++) {
    ok = below(&d, r + 1, &at);
    if (!ok)
      break;
    p->from[r] = p->from[at];
    p->from[at] = (uint32_t)r;
  }
  chii_wipe(&d, sizeof d);
  return ok;
}

const uint32_t *chii_perm_get(chi_session *s, const chii_move *m,
                              const uint8_t key[CHII_PERM_KEY_BYTES],
                              unsigned id) {
  chii_shuffle *u = s->shuffle;
  uint64_t rows = m->lanes / m->row;
  for (unsigned k = 0; k < CHII_PERMS; k++) {
    chii_perm *p = &u->perm[k];
    if (p->key == key && p->number == m->number && p->rows == rows) {
      u->oldest = (k + 1) % CHII_PERMS;
      return p->from;
    }
  }
  chii_perm *p = &u->perm[u->oldest];
  u->oldest = (u->oldest + 1) % CHII_PERMS;
  p->key = NULL;
  if (s->status || !make(s, p, m, key, id))
    return NULL;
  p->key = key;
  p->number = m->number;
  p->rows = rows;
  return p->from;
}

void chii_permute(const chi_session *s, uint64_t *out, const uint64_t *in,
                  const uint32_t *from, const chii_move *m) {
  uint64_t w = m->row * s->ew, rows = m->lanes / m->row;
  for (uint64_t r = 0; r < rows; r++) {
    const uint64_t *x = in + w * (m->back ? r : from[r]);
    uint64_t *y = out + w * (m->back ? from[r] : r);
    for (uint64_t c = 0; c < w; c++)
      y[c] = x[c];
  }
}

void chii_each_move(chi_session *s, chii_move_step f) {
  chii_shuffle *u = s->shuffle;
  uint64_t at = 0;
  for (unsigned g = 0; g < CHII_GROUPS; g++)
    for (uint32_t k = 0; k < u->n; k++)
      if (chii_group(&u->move[k]) == g) {
        if (s->status)
          return;
        f(s, &u->move[k], at);
        at += u->move[k].lanes;
      }
}

/* ---- calls ---- */

uint64_t chi_gen_perm(chi_gen *g, unsigned turn) {
  chii_shuffle *u = g->shuffle;
  CHII_REQUIRE(turn < CHI_GEN_TURNS, "no such turn");
  if (g->status)
    return 0;
  if (!u) {
    chii_fail(g, CHI_E_BUG, -1, "the program announces no permutations");
    return 0;
  }
  return u->numbers++ | (uint64_t)turn << CHI_GEN_TURN_BITS;
}

void chii_shuffle_begin(chi_session *s) {
  if (s->shuffle) {
    s->shuffle->lanes = s->shuffle->seen = s->shuffle->forth = 0;
    s->shuffle->n = 0;
  }
}

void chi_gen_begin_shuffle(chi_gen *g, uint64_t lanes) {
  chii_shuffle *u = g->shuffle;
  CHII_REQUIRE(g->in_exchange && !g->begun, "totals of shuffles come too late");
  if (g->status)
    return;
  if (!u || lanes > u->max_lanes) {
    chii_fail(g, CHI_E_BUG, -1, "an exchange exceeds the program's maxima");
    return;
  }
  u->lanes = lanes;
}

static void add(chi_session *s, const chii_move *m) {
  chii_shuffle *u = s->shuffle;
  CHII_REQUIRE(s->in_exchange && !s->chunk_item,
               "a shuffle outside an exchange");
  if (s->status)
    return;
  if (!u || u->n == u->cap || m->lanes > u->lanes - u->seen || !m->row ||
      m->lanes % m->row || m->lanes / m->row > u->max_rows) {
    chii_fail(s, CHI_E_BUG, -1, "more values than the exchange announced");
    return;
  }
  if (chii_turn(m) >= CHI_GEN_TURNS ||
      (m->number & ((UINT64_C(1) << CHI_GEN_TURN_BITS) - 1)) >= u->numbers) {
    chii_fail(s, CHI_E_BUG, -1, "permutation %llu was never made",
              (unsigned long long)m->number);
    return;
  }
  u->move[u->n++] = *m;
  u->seen += m->lanes;
  if (!m->back)
    u->forth += m->lanes;
}

void chi_gen_shuffle(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes,
                     uint64_t row, uint64_t perm) {
  add(g, &(chii_move){.dst = g->w + dst, .src = g->w + src, .lanes = lanes,
                      .row = row, .number = perm});
}

void chi_gen_unshuffle(chi_gen *g, uint64_t dst, uint64_t src, uint64_t lanes,
                       uint64_t row, uint64_t perm) {
  add(g, &(chii_move){.dst = g->w + dst, .src = g->w + src, .lanes = lanes,
                      .row = row, .number = perm, .back = true});
}

bool chii_shuffle_seen(const chi_session *s) {
  return !s->shuffle || s->shuffle->seen == s->shuffle->lanes;
}

void chii_shuffle_run(chi_session *s) {
  chii_shuffle *u = s->shuffle;
  if (!u || !u->lanes)
    return;
  memset(u->start, 0, sizeof u->start);
  for (uint32_t k = 0; k < u->n; k++)
    for (unsigned g = chii_group(&u->move[k]) + 1; g <= CHII_GROUPS; g++)
      u->start[g] += u->move[k].lanes;
  if (!s->begun)
    s->stats.exchanges++;
  s->proto->shuffle(s);
}
