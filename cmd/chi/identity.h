/* Identities of this user: NAME.id in the folder chirograph/identities of the
 * user's configuration.
 *
 * A file holds the public key and the seed, encrypted with XChaCha20-Poly1305
 * under Argon2id of a passphrase, or under a file of 32 random bytes:
 *
 * {"format": 1, "public": 64 hex,
 *  "seal": {"kind": "passphrase", "salt": hex, "ops": 2, "memory": bytes}
 *          or {"kind": "key-file", "path": ..},
 *  "nonce": hex, "box": hex}
 *
 * The label "chirograph identity v1" and the public key are authenticated with
 * it. */
#ifndef CMD_CHI_IDENTITY_H
#define CMD_CHI_IDENTITY_H

#include "chi.h"
#include "cmd/chi/cli.h"
#include "cmd/chi/values.h"

enum { IDENTITY_NAME_MAX = 64, PASSPHRASE_MAX = 1024 };

typedef enum { SEAL_PASSPHRASE, SEAL_KEY_FILE } seal_kind;

typedef struct identity_file {
  uint8_t pub[32];
  seal_kind kind;
  uint8_t salt[16]; /* PASSPHRASE */
  uint64_t ops, memory;
  const char *key_path; /* KEY_FILE: absolute */
  uint8_t nonce[24], box[32 + 16];
} identity_file;

/* All of these report what goes wrong. */

/* A new identity, sealed as the options say; never overwrites. */
bool identity_create(cli *c, const char *name, uint8_t pub[32],
                     const char **path);
/* Its public half. */
bool identity_public(cli *c, const char *name, uint8_t pub[32]);
/* With its secret; free with chi_identity_free.  NULL after a report. */
chi_identity *identity_open(cli *c, const char *name, uint8_t pub[32]);
/* Everybody who has a file here; the list is closed then. */
void identity_everybody(cli *c, people *who);

/* ---- identity_seal.c ---- */
/* Fills kind, salt, .., box.  `name` stands in messages. */
bool identity_seal(cli *c, const char *name, identity_file *f,
                   const uint8_t seed[32]);
bool identity_unseal(cli *c, const char *name, const identity_file *f,
                     uint8_t seed[32]);

/* ---- passphrase.c ---- */
/* From --passphrase-file, else from the terminal without echo (`twice`: and
 * again).  `out` has PASSPHRASE_MAX + 1 bytes; the caller wipes it. */
bool passphrase_get(cli *c, const char *name, bool twice, char *out);

#endif
