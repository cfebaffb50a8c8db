#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/identity.h"

enum { LABEL_BYTES = 22 };
static const char label[LABEL_BYTES + 1] = "chirograph identity v1";

/* ---- key files ---- */

static bool key_file_error(cli *c, const char *path, const char *why) {
  diag_report_nowhere(c->dg, DIAG_KEY_FILE,
                      text_shown(c->a, path, strlen(path)), why);
  return false;
}

static bool key_file_read(cli *c, const char *path, uint8_t key[32]) {
  struct stat st;
  uint8_t more;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return key_file_error(c, path, strerror(errno));
  const char *why = NULL;
  if (fstat(fd, &st) != 0)
    why = strerror(errno);
  else if (!S_ISREG(st.st_mode))
    why = "it is no plain file";
  else if ((st.st_mode & 077) != 0)
    why = "others may read it; its mode must be 0600";
  else if (read(fd, key, 32) != 32 || read(fd, &more, 1) != 0)
    why = "a key file has 32 bytes";
  close(fd);
  return why == NULL || key_file_error(c, path, why);
}

/* The key at path; a new one if there is no such file. */
static bool key_file_take(cli *c, const char *path, uint8_t key[32],
                          const char **absolute) {
  char real[PATH_MAX];
  randombytes_buf(key, 32);
  if (!disk_put(c->a, path, key, 32, 0600, true) && errno != EEXIST)
    return key_file_error(c, path, strerror(errno));
  if (realpath(path, real) == NULL)
    return key_file_error(c, path, strerror(errno));
  *absolute = arena_strdup(c->a, real);
  return key_file_read(c, real, key);
}

/* ---- keys from passphrases ---- */

static bool stretch(cli *c, const char *name, const identity_file *f,
                    bool twice, uint8_t key[32]) {
  char phrase[PASSPHRASE_MAX + 1] = {0};
  bool ok = passphrase_get(c, name, twice, phrase);
  if (ok && crypto_pwhash(key, 32, phrase, strlen(phrase), f->salt, f->ops,
                          (size_t)f->memory,
                          crypto_pwhash_ALG_ARGON2ID13) != 0) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "stretch the passphrase",
                        "out of memory");
    ok = false;
  }
  sodium_memzero(phrase, sizeof phrase);
  return ok;
}

/* ---- the box ---- */

static void bound(uint8_t out[LABEL_BYTES + 32], const identity_file *f) {
  memcpy(out, label, LABEL_BYTES);
  memcpy(out + LABEL_BYTES, f->pub, 32);
}

bool identity_seal(cli *c, const char *name, identity_file *f,
                   const uint8_t seed[32]) {
  uint8_t key[32], ad[LABEL_BYTES + 32];
  bool ok;
  if (c->opt.key_file != NULL) {
    f->kind = SEAL_KEY_FILE;
    ok = key_file_take(c, c->opt.key_file, key, &f->key_path);
  } else {
    f->kind = SEAL_PASSPHRASE;
    randombytes_buf(f->salt, sizeof f->salt);
    f->ops = crypto_pwhash_OPSLIMIT_INTERACTIVE;
    f->memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;
    ok = stretch(c, name, f, true, key);
  }
  if (ok) {
    bound(ad, f);
    randombytes_buf(f->nonce, sizeof f->nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        f->box, NULL, seed, 32, ad, sizeof ad, NULL, f->nonce, key);
  }
  sodium_memzero(key, sizeof key);
  return ok;
}

bool identity_unseal(cli *c, const char *name, const identity_file *f,
                     uint8_t seed[32]) {
  uint8_t key[32], ad[LABEL_BYTES + 32];
  bool ok, by_file = f->kind == SEAL_KEY_FILE;
  if (by_file)
    ok = key_file_read(
        c, c->opt.key_file != NULL ? c->opt.key_file : f->key_path, key);
  else
    ok = stretch(c, name, f, false, key);
  bound(ad, f);
  if (ok && crypto_aead_xchacha20poly1305_ietf_decrypt(
                seed, NULL, NULL, f->box, sizeof f->box, ad, sizeof ad,
                f->nonce, key) != 0) {
    diag_report_nowhere(c->dg, DIAG_IDENTITY_LOCKED, name,
                        by_file ? "this is another key file"
                                : "the passphrase is wrong");
    ok = false;
  }
  sodium_memzero(key, sizeof key);
  return ok;
}
