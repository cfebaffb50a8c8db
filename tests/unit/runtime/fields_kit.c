#include "fields_kit.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#define ONES UINT64_MAX
#define LIMBS(name, ...) static const uint64_t name[] = {__VA_ARGS__}

LIMBS(p5, 5);
LIMBS(p7, 7);
LIMBS(p11, 11);
LIMBS(p13, 13);
LIMBS(p31, 31);
LIMBS(p61, (UINT64_C(1) << 61) - 31);   /* 61 bits */
LIMBS(p63, (UINT64_C(1) << 63) - 25);   /* 63 */
LIMBS(p64, ONES - 58);                  /* 2^64 - 59 */
LIMBS(p65, 13, 1);                      /* 2^64 + 13: half is drawn again */
LIMBS(m127, ONES, ONES >> 1);           /* 2^127 - 1 */
LIMBS(p25519, ONES - 18, ONES, ONES, ONES >> 1); /* 2^255 - 19 */
LIMBS(secp256k1, UINT64_C(0xbfd25e8cd0364141), UINT64_C(0xbaaedce6af48a03b),
      ONES - 1, ONES); /* the order of its group */
LIMBS(p521, UINT64_C(0xbb6fb71e91386409), UINT64_C(0x3bb5c9b8899c47ae),
      UINT64_C(0x7fcc0148f709a5d0), UINT64_C(0x51868783bf2f966b),
      UINT64_C(0xfffffffffffffffa), ONES, ONES, ONES, 0x1ff); /* of P-521's */

#define FIELD(name) {#name, {0, sizeof name / 8, name}}

const kit_named_field kit_field[] = {
    {"own", {0, 0, NULL}}, {"127", {127, 2, NULL}}, FIELD(p5),
    FIELD(p7),             FIELD(p11),              FIELD(p13),
    FIELD(p31),            FIELD(p61),              FIELD(p63),
    FIELD(p64),            FIELD(p65),              FIELD(m127),
    FIELD(p25519),         FIELD(secp256k1),        FIELD(p521)};
const unsigned kit_fields = sizeof kit_field / sizeof *kit_field;

uint64_t test_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

unsigned kit_find(const char *name) {
  for (unsigned k = 0; k < kit_fields; k++)
    if (!strcmp(kit_field[k].name, name))
      return k;
  abort();
}

void kit_element(const chii_field *f, uint64_t *out, uint64_t *seed) {
  mpz_t p, z;
  uint64_t v[CHI_FIELD_WORDS_MAX + 1];
  unsigned kind = (unsigned)(test_random(seed) % 16);
  mpz_inits(p, z, NULL);
  mpz_import(p, f->words, -1, 8, 0, 0, f->prime);
  for (unsigned i = 0; i <= f->words; i++)
    v[i] = test_random(seed);
  mpz_import(z, f->words + 1, -1, 8, 0, 0, v);
  if (kind < 2)
    mpz_set_ui(z, kind);
  else if (kind < 4)
    mpz_sub_ui(z, p, kind - 1);
  else if (kind < 6)
    mpz_fdiv_q_ui(z, p, 2), mpz_add_ui(z, z, kind - 4);
  else if (kind == 6)
    mpz_ui_pow_ui(z, 2, 64);
  else if (kind == 7)
    mpz_ui_pow_ui(z, 2, 64), mpz_sub_ui(z, z, 1);
  mpz_fdiv_r(z, z, p);
  memset(out, 0, f->bytes);
  mpz_export(out, NULL, -1, 8, 0, 0, z);
  mpz_clears(p, z, NULL);
}
