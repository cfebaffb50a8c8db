/* Identities: Ed25519 key pairs in locked, guarded, read-only pages, and the
 * X25519 pair that follows from them.
 */
#include "keys.h"

#include <sodium.h>
#include <string.h>

#include "util.h"

static chi_status identity_make(chi_identity **out, const uint8_t *seed) {
  CHII_REQUIRE(out, "a NULL argument");
  *out = NULL;
  if (sodium_init() < 0) return CHI_E_CRYPTO;
  /* Between guard pages, kept from swap and core dumps where the system
   * allows it, wiped by sodium_free. */
  chi_identity *id = sodium_malloc(sizeof *id);
  if (!id) return CHI_E_NOMEM;
  if (seed) {
    (void)crypto_sign_seed_keypair(id->sign_pub, id->sign_key, seed);
  } else {
    (void)crypto_sign_keypair(id->sign_pub, id->sign_key);
  }
  if (crypto_sign_ed25519_sk_to_curve25519(id->box_key, id->sign_key) ||
      crypto_sign_ed25519_pk_to_curve25519(id->box_pub, id->sign_pub) ||
      sodium_mprotect_readonly(id)) {
    sodium_free(id);
    return CHI_E_CRYPTO;
  }
  *out = id;
  return CHI_OK;
}

chi_status chi_identity_new(chi_identity **out) {
  return identity_make(out, NULL);
}

chi_status chi_identity_from_seed(chi_identity **out, const uint8_t seed[32]) {
  CHII_REQUIRE(seed, "a NULL argument");
  return identity_make(out, seed);
}

void chi_identity_public(const chi_identity *id, uint8_t out[CHI_KEY_BYTES]) {
  memcpy(out, id->sign_pub, CHI_KEY_BYTES);
}

void chi_identity_seed(const chi_identity *id, uint8_t out[32]) {
  (void)crypto_sign_ed25519_sk_to_seed(out, id->sign_key);
}

void chi_identity_free(chi_identity *id) { sodium_free(id); }

chi_status chi_identity_sign(uint8_t signature[CHI_SIGNATURE_BYTES],
                             const chi_identity *id, const void *msg,
                             size_t msg_bytes) {
  return crypto_sign_detached(signature, NULL, msg, msg_bytes, id->sign_key)
             ? CHI_E_CRYPTO
             : CHI_OK;
}

chi_status chi_identity_verify(const uint8_t key[CHI_KEY_BYTES],
                               const uint8_t signature[CHI_SIGNATURE_BYTES],
                               const void *msg, size_t msg_bytes) {
  if (sodium_init() < 0) return CHI_E_CRYPTO;
  return crypto_sign_verify_detached(signature, msg, msg_bytes, key)
             ? CHI_E_CRYPTO
             : CHI_OK;
}

void chi_wipe(void *p, size_t bytes) { sodium_memzero(p, bytes); }

void chi_hex(char *text, const uint8_t *in, size_t bytes) {
  (void)sodium_bin2hex(text, 2 * bytes + 1, in, bytes);
}

/* Digit value in constant time; -1: no digit. */
static int hex_digit(unsigned c) {
  unsigned num = c - '0', letter = (c | 32u) - 'a';
  int is_num = (int)((num - 10u) >> 31), is_letter = (int)((letter - 6u) >> 31);
  /* num and letter wrap far above 2^31 where c lies below the range. */
  is_num &= (int)((num >> 31) ^ 1u);
  is_letter &= (int)((letter >> 31) ^ 1u);
  return (is_num * ((int)(num & 15u) + 1)) +
         (is_letter * ((int)(letter & 15u) + 11)) - 1;
}

chi_status chi_unhex(uint8_t *out, size_t bytes, const char *text) {
  int bad = strlen(text) != 2 * bytes;
  for (size_t i = 0; i < bytes && !bad; i++) {
    int hi = hex_digit((unsigned char)text[2 * i]);
    int lo = hex_digit((unsigned char)text[2 * i + 1]);
    bad = (hi | lo) < 0;
    out[i] = (uint8_t)(((unsigned)hi << 4) | ((unsigned)lo & 15u));
  }
  if (!bad) return CHI_OK;
  sodium_memzero(out, bytes);
  return CHI_E_ARG;
}
