#include "prg.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <string.h>

#include "ctime.h"
#include "util.h"

#ifdef CHI_TEST_HOOKS
chii_prg_hook chii_test_prg;
void *chii_test_prg_user;
#endif

void chii_derive(uint8_t *out, size_t out_bytes,
                 const uint8_t key[CHII_PAIR_KEY_BYTES], unsigned from,
                 unsigned to, chii_purpose purpose) {
  uint8_t msg[16] = "chi-derive-1";
  msg[12] = (uint8_t)from;
  msg[13] = (uint8_t)to;
  msg[14] = (uint8_t)purpose;
  crypto_generichash(out, out_bytes, msg, sizeof msg, key,
                     CHII_PAIR_KEY_BYTES);
}

bool chii_prg_init(chii_prg *g, const uint8_t key[CHII_PAIR_KEY_BYTES],
                   unsigned from, unsigned to, chii_purpose purpose) {
  uint8_t k[48], iv[16] = {0};
  chii_derive(k, sizeof k, key, from, to, purpose);
  memcpy(g->retry, k + 16, 32);
  g->from = (uint8_t)from;
  g->to = (uint8_t)to;
  g->purpose = (uint8_t)purpose;
  g->block = 0;
  CHII_SECRET(k, sizeof k);
  CHII_SECRET(g->retry, sizeof g->retry);
  if (!g->ctx)
    g->ctx = EVP_CIPHER_CTX_new();
  bool ok = g->ctx && EVP_EncryptInit_ex(g->ctx, EVP_aes_128_ctr(), NULL, k,
                                         iv) == 1;
  chii_wipe(k, sizeof k);
  return ok;
}

void chii_prg_fini(chii_prg *g) {
  EVP_CIPHER_CTX_free(g->ctx); /* cleanses the key schedule */
  g->ctx = NULL;
  chii_wipe(g->retry, sizeof g->retry);
}

/* Zeros to encrypt: a window of the key stream. */
static const uint8_t zeros[8192];

static bool stream(chii_prg *g, uint8_t *out, uint64_t block, size_t bytes) {
  if (block != g->block) {
    uint8_t iv[16] = {0};
    for (int i = 0; i < 8; i++)
      iv[15 - i] = (uint8_t)(block >> (8 * i));
    if (EVP_EncryptInit_ex(g->ctx, NULL, NULL, NULL, iv) != 1)
      return false;
  }
  g->block = block + bytes / 16;
  while (bytes) {
    int n = (int)chii_min(bytes, sizeof zeros), done = 0;
    if (EVP_EncryptUpdate(g->ctx, out, &done, zeros, n) != 1 || done != n)
      return false;
    out += n;
    bytes -= (size_t)n;
  }
  return true;
}

/* F'(retry key, index, attempt): numbers of 16 bytes, longer ones in parts of
 * 64, whose number follows in the message. */
static void draw(const chii_prg *g, uint64_t *out, unsigned w, uint64_t index,
                 uint64_t attempt) {
  uint8_t msg[24], h[64];
  size_t bytes = w <= 2 ? 16 : sizeof h;
  chii_put64(msg, index);
  chii_put64(msg + 8, attempt);
  for (unsigned at = 0; at < w; at += 8) {
    chii_put64(msg + 16, at / 8);
    crypto_generichash(h, bytes, msg, at ? 24 : 16, g->retry,
                       sizeof g->retry);
    for (unsigned i = at; i < w && i < at + 8; i++)
      out[i] = chii_get64(h + 8 * (i - at));
  }
}

/* The first that is below p. */
static void retry(const chii_field *f, const chii_prg *g, uint64_t *out,
                  uint64_t index) {
  uint64_t bad = 1;
  for (uint64_t attempt = 0; bad; attempt++) {
    draw(g, out, f->words, index, attempt);
    bad = f->op->trim(f, out, 1);
    CHII_PUBLIC(&bad, sizeof bad);
  }
}

#ifdef CHI_TEST_HOOKS
static bool hooked(const chii_prg *g, uint64_t *out, uint64_t index,
                   size_t n) {
  return chii_test_prg &&
         chii_test_prg(chii_test_prg_user, g->holder, g->from, g->to,
                       g->purpose, out, index, n);
}
#else
#define hooked(g, out, index, n) false
#endif

static bool words(chii_prg *g, uint64_t *out, uint64_t index, size_t n) {
  size_t even = n & ~(size_t)1;
  if (!g->ctx) /* wiped */
    return false;
  if (!stream(g, (uint8_t *)out, index / 2, even * 8))
    return false;
  if (n != even) {
    uint64_t last[2];
    if (!stream(g, (uint8_t *)last, (index + even) / 2, 16))
      return false;
    out[even] = last[0];
    chii_wipe(last, sizeof last);
  }
  return true;
}

bool chii_prg_words(chii_prg *g, uint64_t *out, uint64_t index, size_t n) {
  return hooked(g, out, index, n) || words(g, out, index, n);
}

bool chii_prg_fill(const chii_field *f, chii_prg *g, uint64_t *out,
                   uint64_t index, size_t n) {
  unsigned w = f->words;
  if (hooked(g, out, index, n))
    return true;
  if (!words(g, out, index * w, n * w))
    return false;
  /* That a number was p or more and drawn again says nothing about the value
   * kept. */
  uint64_t bad = f->op->trim(f, out, n);
  CHII_PUBLIC(&bad, sizeof bad);
  for (size_t j = 0; bad && j < n; j++) {
    uint64_t one = f->op->above(f, out + j * w, 1);
    CHII_PUBLIC(&one, sizeof one);
    if (one)
      retry(f, g, out + j * w, index + j);
  }
  return true;
}
