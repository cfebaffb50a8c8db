/* Plaintext of the sealed blobs between clients and nodes: what client.c makes
 * and session.c reads, and the other way round for told outputs.
 *
 * A blob is a header and a body of elements, little-endian words of 64 bits,
 * least significant first.
 *   header  CHII_BLOB_HEAD bytes: "CHI" and 'I' (input) or 'T' (told), u8 wire
 *           version, u8 protocol, u8 n, u8 node, u32 index of the input or
 *           output, u64 lanes, 32 bytes session id, 4 bytes zero
 *   input   rep3, x = x_0 + x_1 + x_2 with x_0, x_1 expanded from seeds:
 *             node 0  seed_0[32] seed_1[32]
 *             node 1  seed_1[32] x_2[lanes]
 *             node 2  x_2[lanes] seed_0[32]
 *           shamir  the node's points [lanes]
 *   told    rep3    x_i[lanes] x_{i+1}[lanes], so everything comes twice
 *           shamir  the node's points [lanes]
 */
#ifndef CHII_FORMAT_H
#define CHII_FORMAT_H

#include "field.h"

#define CHII_BLOB_HEAD 56
#define CHII_SEED_BYTES 32

typedef enum { CHII_BLOB_INPUT = 'I', CHII_BLOB_TOLD = 'T' } chii_blob_kind;

/* Plaintext bytes of node `node`'s blob; 0 if that overflows. */
size_t chii_blob_bytes(const chii_field *f, chii_blob_kind kind,
                       chi_protocol protocol, unsigned n, unsigned node,
                       uint64_t lanes);
void chii_blob_put_head(uint8_t head[CHII_BLOB_HEAD], chii_blob_kind kind,
                        chi_protocol protocol, unsigned n, unsigned node,
                        uint32_t index, uint64_t lanes,
                        const uint8_t session_id[CHI_SESSION_ID_BYTES]);
/* Constant-time is not needed: a head holds nothing secret.  0 if `blob` is
 * exactly the blob described, else -1. */
int chii_blob_check(const chii_field *f, const uint8_t *blob,
                    size_t blob_bytes, chii_blob_kind kind,
                    chi_protocol protocol, unsigned n, unsigned node,
                    uint32_t index, uint64_t lanes,
                    const uint8_t session_id[CHI_SESSION_ID_BYTES]);

/* lanes uniform elements of F_p from a seed. */
chi_status chii_seed_expand(const chii_field *f, uint64_t *out,
                            const uint8_t seed[CHII_SEED_BYTES],
                            uint64_t lanes);

/* Splits canonical values into the n blobs' plaintexts (whole blobs, head
 * included, chii_blob_bytes each).  CHI_E_CRYPTO, CHI_E_NOMEM. */
chi_status chii_input_split(const chii_field *f, uint8_t *const *blobs,
                            chi_protocol protocol, unsigned n, uint32_t input,
                            const uint8_t session_id[CHI_SESSION_ID_BYTES],
                            const uint64_t *values, uint64_t lanes);

/* Joins the bodies of n checked told blobs: CHI_E_CHECK if they are not shares
 * of one value, CHI_E_PROTOCOL with *bad_node if a number is >= p. */
chi_status chii_told_join(const chii_field *f, uint64_t *values,
                          uint64_t lanes, unsigned *bad_node,
                          chi_protocol protocol, unsigned n,
                          const uint8_t *const *blobs);

#endif
