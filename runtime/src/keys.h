/* Identities and sealed boxes, inside libchi. */
#ifndef CHI_SRC_KEYS_H
#define CHI_SRC_KEYS_H

#include "chi.h"

struct chi_identity {
  uint8_t sign_key[64]; /* Ed25519: seed and public key */
  uint8_t box_key[32];  /* X25519 */
  uint8_t sign_pub[32];
  uint8_t box_pub[32];
};

/* Bytes that a told blob has beyond its plaintext. */
#define CHII_TOLD_BYTES (CHI_SEAL_BYTES + CHI_SIGNATURE_BYTES)

/* A node's blob for the holder of `to`: the plaintext signed by the node for
 * this receiver, then sealed.  Without the signature whoever carries the blobs
 * could replace all n of them by shares of a value of his own.
 *   box = seal(to, signature || msg),  signature over label || to || msg
 * Returns  CHI_OK; CHI_E_ARG (to); CHI_E_CRYPTO; CHI_E_NOMEM.
 * Out      box     msg_bytes + CHII_TOLD_BYTES. */
chi_status chii_told_seal(uint8_t *box, const chi_identity *node,
                          const uint8_t to[CHI_KEY_BYTES], const void *msg,
                          size_t msg_bytes);

/* The reverse, for the holder; CHI_E_CRYPTO unless `node` signed it.
 * Out      msg     box_bytes - CHII_TOLD_BYTES bytes. */
chi_status chii_told_unseal(void *msg, const chi_identity *id,
                            const uint8_t node[CHI_KEY_BYTES],
                            const uint8_t *box, size_t box_bytes);

#endif
