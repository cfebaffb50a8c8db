/* Sealed boxes.  What a box means (run, node, input or output, length) stands
 * in the head of its plaintext (format.h), under the box's authentication, so
 * that a box moved to another place is recognised there.
 */
#include <sodium.h>
#include <string.h>

#include "keys.h"

_Static_assert(CHI_SEAL_BYTES == crypto_box_SEALBYTES, "see chi.h");
_Static_assert(CHI_SIGNATURE_BYTES == crypto_sign_BYTES, "see chi.h");

chi_status chi_seal(uint8_t *box, const uint8_t to[CHI_KEY_BYTES],
                    const void *msg, size_t msg_bytes) {
  uint8_t pub[32];
  if (sodium_init() < 0) return CHI_E_CRYPTO;
  /* Refuses what is no point, of small order, or off the main subgroup. */
  if (crypto_sign_ed25519_pk_to_curve25519(pub, to)) return CHI_E_ARG;
  return crypto_box_seal(box, msg, msg_bytes, pub) ? CHI_E_CRYPTO : CHI_OK;
}

chi_status chi_unseal(void *msg, const chi_identity *id, const uint8_t *box,
                      size_t box_bytes) {
  if (box_bytes < CHI_SEAL_BYTES) return CHI_E_CRYPTO;
  if (!crypto_box_seal_open(msg, box, box_bytes, id->box_pub, id->box_key)) {
    return CHI_OK;
  }
  sodium_memzero(msg, box_bytes - CHI_SEAL_BYTES);
  return CHI_E_CRYPTO;
}

/* Hash of what a node signs: a label, the receiver, the plaintext. */
static void told_digest(uint8_t out[64], const uint8_t to[CHI_KEY_BYTES],
                        const void *msg, size_t msg_bytes) {
  static const uint8_t label[32] = "chirograph told output v1";
  crypto_generichash_state st;
  (void)crypto_generichash_init(&st, label, sizeof label, 64);
  (void)crypto_generichash_update(&st, to, CHI_KEY_BYTES);
  (void)crypto_generichash_update(&st, msg, msg_bytes);
  (void)crypto_generichash_final(&st, out, 64);
  sodium_memzero(&st, sizeof st);
}

chi_status chii_told_seal(uint8_t *box, const chi_identity *node,
                          const uint8_t to[CHI_KEY_BYTES], const void *msg,
                          size_t msg_bytes) {
  if (sodium_init() < 0) return CHI_E_CRYPTO;
  uint8_t digest[64], *clear = box + CHI_SEAL_BYTES;
  told_digest(digest, to, msg, msg_bytes);
  /* The plaintext is put together where its ciphertext will stand, and sealed
   * in place. */
  memmove(clear + CHI_SIGNATURE_BYTES, msg, msg_bytes);
  chi_status st = chi_identity_sign(clear, node, digest, sizeof digest);
  if (!st) st = chi_seal(box, to, clear, CHI_SIGNATURE_BYTES + msg_bytes);
  if (st) sodium_memzero(box, msg_bytes + CHII_TOLD_BYTES);
  sodium_memzero(digest, sizeof digest);
  return st;
}

chi_status chii_told_unseal(void *msg, const chi_identity *id,
                            const uint8_t node[CHI_KEY_BYTES],
                            const uint8_t *box, size_t box_bytes) {
  if (box_bytes < CHII_TOLD_BYTES) return CHI_E_CRYPTO;
  size_t n = box_bytes - CHI_SEAL_BYTES;
  uint8_t digest[64], *clear = sodium_malloc(n);
  if (!clear) return CHI_E_NOMEM;
  chi_status st = chi_unseal(clear, id, box, box_bytes);
  if (!st) {
    told_digest(digest, id->sign_pub, clear + CHI_SIGNATURE_BYTES,
                n - CHI_SIGNATURE_BYTES);
    st = chi_identity_verify(node, clear, digest, sizeof digest);
    sodium_memzero(digest, sizeof digest);
  }
  if (!st) {
    memcpy(msg, clear + CHI_SIGNATURE_BYTES, n - CHI_SIGNATURE_BYTES);
  } else {
    sodium_memzero(msg, n - CHI_SIGNATURE_BYTES);
  }
  sodium_free(clear);
  return st;
}
