/* A unit is a lane of an item (shamir: of what one dealer deals of it): a few
 * words and the few draws that belong to it.  With the response of word w to
 * draw d as matrix entry, found by changing the draws of one column at a time
 * by 1, every unit must follow random changes of all draws of the exchange
 * linearly and by itself: so no word depends on a draw of another unit.  A
 * coalition of t nodes sees rows of the matrix; the columns that it does not
 * know must make them uniform: rank = rows.
 */
#include "masks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/bits_kit.h"

enum { RANDOM = 6 }; /* random changes of an exchange */

enum { UNIT_WORDS = 3, UNIT_DRAWS = 3 };
typedef enum { ELEMENT, BIT, BYTE } type;

typedef struct word {
  unsigned from, to;
  uint64_t at; /* of the frame: byte; BIT: bit */
} word;

typedef struct unit {
  type type;
  unsigned words, draws;
  word word[UNIT_WORDS];
  lab_draw draw[UNIT_DRAWS];
  unsigned part; /* of the draws' words: which bit, which byte */
} unit;

/* ---- numbers of three kinds ---- */

static uint64_t plus(type t, uint64_t a, uint64_t b) {
  return t == ELEMENT ? (a + b) % CHI_P : a ^ b;
}
static uint64_t minus(type t, uint64_t a, uint64_t b) {
  return t == ELEMENT ? (a + CHI_P - b) % CHI_P : a ^ b;
}
static uint64_t times(type t, uint64_t a, uint64_t b) {
  return t == ELEMENT ? a * b % CHI_P /* p is small */
         : t == BIT   ? a & b
                      : kit_gf_mul((unsigned)a, (unsigned)b);
}

/* ---- places of an exchange ---- */

typedef struct walk {
  const lab *l;
  const lab_exchange *x;
  uint64_t at[LAB_NODES * LAB_NODES]; /* bytes of each frame so far */
  void (*see)(const unit *u, void *user);
  void *user;
} walk;

static word take(walk *k, unsigned from, unsigned to, uint64_t bytes) {
  uint64_t *at = &k->at[from * k->l->n + to];
  word w = {from, to, *at};
  *at += bytes;
  return w;
}

static void add_draw(unit *u, unsigned from, unsigned to, unsigned purpose,
                     uint64_t index) {
  u->draw[u->draws++] = (lab_draw){from, to, purpose, index};
}

/* rep3: key c is of parties c - 1 and c, its stream from c - 1 to c. */
static void add_key(unit *u, unsigned c, unsigned purpose, uint64_t index) {
  add_draw(u, (c + 2) % 3, c, purpose, index);
}

static void rep3_reduce(walk *k, const lab_item *it, bool bits) {
  word start[3];
  for (unsigned i = 0; i < 3; i++)
    start[i] = take(k, i, (i + 2) % 3,
                    bits ? chii_bit_bytes(it->lanes) : 8 * it->lanes);
  for (uint64_t j = 0; j < it->lanes; j++) {
    unit u = {.type = bits ? BIT : ELEMENT, .words = 3};
    u.part = bits ? j % 64 : 0;
    for (unsigned i = 0; i < 3; i++) {
      u.word[i] = start[i];
      u.word[i].at = bits ? 8 * start[i].at + j : start[i].at + 8 * j;
      add_key(&u, i, bits ? CHII_BITS : CHII_REDUCE,
              it->index + (bits ? j / 64 : j));
    }
    k->see(&u, k->user);
  }
}

/* Lane j of class r: party r to r + 1 under key r. */
static void rep3_xdeal(walk *k, const lab_item *it) {
  for (uint64_t j = 0; j < it->lanes; j++) {
    unsigned r = j % 3;
    unit u = {.type = ELEMENT, .words = 1};
    u.word[0] = take(k, r, (r + 1) % 3, 8);
    add_key(&u, r, CHII_CONVERT, it->index + j / 3);
    k->see(&u, k->user);
  }
}

/* Parties r + 1 and r + 2 to each other, under keys r + 1 and r. */
static void rep3_xjoin(walk *k, const lab_item *it) {
  uint64_t half = it->index + (((it->lanes + 2) / 3 + 1) & ~UINT64_C(1));
  for (uint64_t j = 0; j < it->lanes; j++) {
    unsigned r = j % 3, a = (r + 1) % 3, b = (r + 2) % 3;
    unit u = {.type = ELEMENT, .words = 2};
    u.word[0] = take(k, a, b, 8);
    u.word[1] = take(k, b, a, 8);
    add_key(&u, a, CHII_CONVERT, half + j / 3);
    add_key(&u, r, CHII_CONVERT, it->index + j / 3);
    k->see(&u, k->user);
  }
}

static void rep3_item(walk *k, const lab_item *it) {
  switch (it->kind) {
  case LAB_ELEMENTS:
    rep3_reduce(k, it, false);
    break;
  case CHII_B_REDUCE:
    rep3_reduce(k, it, true);
    break;
  case CHII_B_XDEAL:
    rep3_xdeal(k, it);
    break;
  case CHII_B_XJOIN:
    rep3_xjoin(k, it);
    break;
  default: /* open */
    for (unsigned i = 0; i < 3; i++)
      (void)take(k, i, (i + 1) % 3, chii_bit_bytes(it->lanes));
  }
}

static void rep3_opened(walk *k) {
  for (unsigned i = 0; i < 3; i++)
    (void)take(k, i, (i + 1) % 3, 8 * k->x->opened);
}

/* What dealer i sends: the points of those that it does not seed. */
static void shamir_dealt(walk *k, const lab_item *it, unsigned i) {
  const lab *l = k->l;
  bool bytes = it->kind == CHII_B_REDUCE || it->kind == CHII_B_DEAL;
  unsigned purpose = it->kind == LAB_ELEMENTS  ? CHII_REDUCE
                     : it->kind == CHII_B_BDEAL ? CHII_CONVERT
                                                : CHII_BITS;
  uint64_t size = bytes ? 1 : 8;
  word start[LAB_NODES];
  for (unsigned h = l->t + 1; h < l->n; h++)
    start[h] = take(k, i, (i + h) % l->n, size * it->lanes);
  for (uint64_t j = 0; j < it->lanes; j++) {
    unit u = {.type = bytes ? BYTE : ELEMENT, .part = bytes ? j % 8 : 0};
    for (unsigned h = l->t + 1; h < l->n; h++) {
      u.word[u.words] = start[h];
      u.word[u.words++].at += size * j;
    }
    for (unsigned h = 1; h <= l->t; h++)
      add_draw(&u, i, (i + h) % l->n, purpose,
               it->index + (bytes ? j / 8 : j));
    k->see(&u, k->user);
  }
}

static void all_to_all(walk *k, uint64_t bytes) {
  for (unsigned i = 0; i < k->l->n; i++)
    for (unsigned j = 0; j < k->l->n; j++)
      if (i != j) (void)take(k, i, j, bytes);
}

/* Calls see for each unit of exchange x; false if frames have other lengths. */
static bool each_unit(const lab *l, const lab_exchange *x,
                      void (*see)(const unit *u, void *user), void *user) {
  walk k = {.l = l, .x = x, .see = see, .user = user};
  bool rep3 = l->protocol == CHI_REP3, field = true;
  for (unsigned q = 0; q < x->items; q++) {
    const lab_item *it = &x->item[q];
    if (rep3 && field && it->kind != LAB_ELEMENTS) {
      rep3_opened(&k);
      field = false;
    }
    if (rep3)
      rep3_item(&k, it);
    for (unsigned i = 0; !rep3 && it->kind != CHII_B_OPEN && i < l->d; i++)
      shamir_dealt(&k, it, i);
  }
  if (rep3 && field) rep3_opened(&k);
  if (!rep3) all_to_all(&k, 8 * x->opened);
  for (unsigned q = 0; !rep3 && q < x->items; q++)
    if (x->item[q].kind == CHII_B_OPEN) all_to_all(&k, x->item[q].lanes);
  for (unsigned q = 0; q < l->n * l->n; q++)
    if (k.at[q] != x->frame[q].bytes) return false;
  return true;
}

/* ---- responses ---- */

typedef struct hunt {
  const lab *l;
  const lab_exchange *x;
  const lab_shift *shift; /* of this exchange: columns, then random ones */
  masks *m;
} hunt;

static uint64_t value(type t, const lab_frame *frame, unsigned n, word w) {
  const uint8_t *p = frame[w.from * n + w.to].p;
  uint64_t v;
  if (t == BIT) return p[w.at / 8] >> (w.at % 8) & 1;
  if (t == BYTE) return p[w.at];
  memcpy(&v, p + w.at, 8);
  return v;
}

static uint64_t change(const hunt *h, const unit *u, const lab_shift *s,
                       unsigned w) {
  unsigned n = h->l->n;
  return minus(u->type, value(u->type, s->frame, n, u->word[w]),
               value(u->type, h->x->frame, n, u->word[w]));
}

static uint64_t delta(const hunt *h, const unit *u, const lab_shift *s,
                      unsigned d) {
  uint64_t v = lab_delta(h->l, s, u->draw[d]);
  if (u->type == BIT) return v >> u->part & 1;
  return u->type == BYTE ? v >> 8 * u->part & 0xff : v;
}

static bool is_member(unsigned coalition, unsigned node) {
  return coalition >> node & 1;
}

/* Rank of at most two rows. */
static unsigned rank(type t, uint64_t row[2][UNIT_DRAWS], unsigned rows,
                     unsigned cols) {
  bool one = false, two = false;
  for (unsigned r = 0; r < rows; r++)
    for (unsigned c = 0; c < cols; c++) one |= row[r][c] != 0;
  for (unsigned c = 0; rows == 2 && c < cols; c++)
    for (unsigned e = 0; e < c; e++)
      two |= times(t, row[0][c], row[1][e]) != times(t, row[0][e], row[1][c]);
  return two ? 2 : one;
}

static void pool(const hunt *h, const unit *u,
                 uint64_t m[UNIT_WORDS][UNIT_DRAWS], unsigned coalition) {
  uint64_t row[2][UNIT_DRAWS];
  unsigned rows = 0, cols = 0;
  for (unsigned w = 0; w < u->words; w++) {
    if (is_member(coalition, u->word[w].from) ||
        !is_member(coalition, u->word[w].to))
      continue;
    if (rows == 2) abort();
    cols = 0;
    for (unsigned d = 0; d < u->draws; d++)
      if (!is_member(coalition, u->draw[d].from) &&
          !is_member(coalition, u->draw[d].to))
        row[rows][cols++] = m[w][d];
    rows++;
  }
  if (rows && rank(u->type, row, rows, cols) != rows) h->m->bare++;
}

static void see_unit(const unit *u, void *user) {
  const hunt *h = user;
  const lab *l = h->l;
  unsigned columns = lab_columns(l);
  uint64_t m[UNIT_WORDS][UNIT_DRAWS];
  for (unsigned w = 0; w < u->words; w++) {
    h->m->words++;
    for (unsigned d = 0; d < u->draws; d++)
      m[w][d] = change(
          h, u, &h->shift[lab_column(l, u->draw[d].from, u->draw[d].to)], w);
    for (unsigned k = 0; k < RANDOM; k++) {
      const lab_shift *s = &h->shift[columns + k];
      uint64_t sum = 0;
      for (unsigned d = 0; d < u->draws; d++)
        sum = plus(u->type, sum, times(u->type, m[w][d], delta(h, u, s, d)));
      h->m->elsewhere += sum != change(h, u, s, w);
    }
  }
  for (unsigned c = 0; c < 1u << l->n; c++)
    if ((unsigned)__builtin_popcount(c) == l->t) pool(h, u, m, c);
}

static void plan(lab *l) {
  unsigned columns = lab_columns(l), each = columns + RANDOM;
  l->shifts = l->exchanges * each;
  l->shift = calloc(l->shifts + 1, sizeof *l->shift);
  if (!l->shift) abort();
  for (unsigned k = 0; k < l->shifts; k++) {
    unsigned c = k % each;
    l->shift[k].exchange = k / each;
    l->shift[k].column = c < columns ? (int)c : -1;
    l->shift[k].seed = k;
  }
}

bool masks_find(lab *l, masks *m) {
  memset(m, 0, sizeof *m);
  plan(l);
  if (!lab_shifts(l)) return false;
  for (unsigned e = 0; e < l->exchanges; e++) {
    const lab_exchange *x = &l->exchange[e];
    hunt h = {l, x, l->shift + e * (lab_columns(l) + RANDOM), m};
    if (!each_unit(l, x, see_unit, &h)) {
      fprintf(stderr, "exchange %u: frames are not what was called\n", e);
      return false;
    }
    m->opened += (unsigned)x->opened;
    for (unsigned q = 0; q < x->items; q++)
      if (x->item[q].kind == CHII_B_OPEN)
        m->opened += (unsigned)x->item[q].lanes;
  }
  m->twice = l->twice;
  m->early = l->early;
  return true;
}

/* ---- draws that a node lacks ---- */

typedef struct unknowns {
  unsigned node, n, room;
  lab_free *out;
} unknowns;

static void see_unknown(const unit *u, void *user) {
  unknowns *k = user;
  static const unsigned radix[] = {[ELEMENT] = CHI_P, [BIT] = 2, [BYTE] = 256};
  for (unsigned d = 0; d < u->draws && k->n < k->room; d++)
    if (u->draw[d].from != k->node && u->draw[d].to != k->node)
      k->out[k->n++] = (lab_free){u->draw[d], u->part, radix[u->type]};
}

unsigned masks_unknown(const lab *l, unsigned node, lab_free *out,
                       unsigned room) {
  unknowns k = {.node = node, .room = room, .out = out};
  for (unsigned e = 0; e < l->exchanges; e++)
    (void)each_unit(l, &l->exchange[e], see_unknown, &k);
  return k.n;
}
