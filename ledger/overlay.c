#include "ledger/overlay.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

static uint64_t hash_of(const char *leaf, const mpz_t *key, uint64_t nkey) {
  uint64_t h = 0;
  for (; *leaf; leaf++) h = mix(h, (unsigned char)*leaf);
  for (uint64_t k = 0; k < nkey; k++) {
    h = mix(h, (uint64_t)(mpz_sgn(key[k]) + 1));
    for (size_t j = 0; j < mpz_size(key[k]); j++)
      h = mix(h, mpz_getlimbn(key[k], (mp_size_t)j));
  }
  return h;
}

static bool is(const effect_write *w, const char *leaf, const mpz_t *key,
               uint64_t nkey) {
  if (w->key.n != nkey || strcmp(w->value.name, leaf)) return false;
  for (uint64_t k = 0; k < nkey; k++)
    if (mpz_cmp(w->key.lane[k], key[k])) return false;
  return true;
}

/* The place of an entry, or the free one where it belongs. */
static uint32_t *place(const overlay *o, const char *leaf, const mpz_t *key,
                       uint64_t nkey) {
  uint32_t i = (uint32_t)hash_of(leaf, key, nkey) & (o->cap - 1);
  while (o->slot[i] && !is(&o->write[o->slot[i] - 1], leaf, key, nkey))
    i = (i + 1) & (o->cap - 1);
  return &o->slot[i];
}

static void grow(overlay *o) {
  uint32_t n = o->cap;
  o->cap = n ? 2 * n : 16;
  o->write = arena_grow(o->a, o->write, o->n, o->cap, sizeof *o->write);
  o->slot = ARENA_ARR(o->a, uint32_t, o->cap);
  for (uint32_t k = 0; k < o->n; k++) {
    const effect_write *w = &o->write[k];
    *place(o, w->value.name, (const mpz_t *)w->key.lane, w->key.n) = k + 1;
  }
}

const tx_value *overlay_get(const overlay *o, const char *leaf,
                            const mpz_t *key, uint64_t nkey) {
  uint32_t at = o->cap ? *place(o, leaf, key, nkey) : 0;
  return at ? &o->write[at - 1].value : NULL;
}

void overlay_put(overlay *o, const effect_write *w) {
  if (2 * (o->n + 1) > o->cap) grow(o);
  uint32_t *at =
      place(o, w->value.name, (const mpz_t *)w->key.lane, w->key.n);
  if (!*at) *at = ++o->n;
  o->write[*at - 1] = *w;
}
