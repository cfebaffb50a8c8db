/* Identities, signatures, hexadecimal, sealed boxes.  Oracles: RFC 8032 and
 * OpenSSL's own Ed25519 and X25519. */
#include <CUnit/Basic.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chi.h"
#include "keys.h"

static void unhex(uint8_t *out, const char *text) {
  for (size_t i = 0; text[2 * i]; i++) {
    char pair[3] = {text[2 * i], text[2 * i + 1], 0};
    out[i] = (uint8_t)strtoul(pair, NULL, 16);
  }
}

/* RFC 8032, 7.1, tests 1 to 3: seed, public key, message, signature. */
static const char *const VECTOR[3][4] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590"
     "a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e"
     "15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d"
     "16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};

static void test_vectors(void) {
  for (int v = 0; v < 3; v++) {
    uint8_t seed[32], pub[32], msg[2], want[64], got[64], back[32];
    size_t n = strlen(VECTOR[v][2]) / 2;
    unhex(seed, VECTOR[v][0]);
    unhex(pub, VECTOR[v][1]);
    unhex(msg, VECTOR[v][2]);
    unhex(want, VECTOR[v][3]);
    chi_identity *id = NULL;
    CU_ASSERT_EQUAL_FATAL(chi_identity_from_seed(&id, seed), CHI_OK);
    chi_identity_public(id, got);
    CU_ASSERT(!memcmp(got, pub, 32));
    chi_identity_seed(id, back);
    CU_ASSERT(!memcmp(back, seed, 32));
    CU_ASSERT_EQUAL(chi_identity_sign(got, id, msg, n), CHI_OK);
    CU_ASSERT(!memcmp(got, want, 64));
    CU_ASSERT_EQUAL(chi_identity_verify(pub, want, msg, n), CHI_OK);
    for (int bit = 0; bit < 512; bit++) {
      want[bit / 8] ^= (uint8_t)(1 << bit % 8);
      CU_ASSERT_EQUAL(chi_identity_verify(pub, want, msg, n), CHI_E_CRYPTO);
      want[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    chi_identity_free(id);
  }
}

static void raw_public(int type, const uint8_t private[32], uint8_t out[32]) {
  size_t n = 32;
  EVP_PKEY *k = EVP_PKEY_new_raw_private_key(type, NULL, private, 32);
  CU_ASSERT_FATAL(k && EVP_PKEY_get_raw_public_key(k, out, &n) == 1);
  EVP_PKEY_free(k);
}

static void test_fresh(void) {
  chi_identity *a = NULL, *b = NULL;
  uint8_t seed[32], want[32], pub[32], other[32], hash[64];
  CU_ASSERT_EQUAL_FATAL(chi_identity_new(&a), CHI_OK);
  CU_ASSERT_EQUAL_FATAL(chi_identity_new(&b), CHI_OK);
  chi_identity_public(a, pub);
  chi_identity_public(b, other);
  CU_ASSERT(memcmp(pub, other, 32) != 0);
  chi_identity_seed(a, seed);
  raw_public(EVP_PKEY_ED25519, seed, want);
  CU_ASSERT(!memcmp(pub, want, 32));
  /* The box key is the one that RFC 7748 and RFC 8032 share. */
  CU_ASSERT_FATAL(EVP_Digest(seed, 32, hash, NULL, EVP_sha512(), NULL) == 1);
  raw_public(EVP_PKEY_X25519, hash, want);
  CU_ASSERT(!memcmp(a->box_pub, want, 32));
  chi_identity_free(a);
  chi_identity_free(b);
  chi_identity_free(NULL);
}

static void test_hex(void) {
  char text[513], want[3];
  uint8_t all[256], back[256];
  for (int i = 0; i < 256; i++) all[i] = (uint8_t)i;
  chi_hex(text, all, 256);
  for (int i = 0; i < 256; i++) {
    (void)snprintf(want, sizeof want, "%02x", (unsigned)i);
    CU_ASSERT(!memcmp(text + 2 * i, want, 2));
  }
  CU_ASSERT_EQUAL(text[512], 0);
  CU_ASSERT_EQUAL(chi_unhex(back, 256, text), CHI_OK);
  CU_ASSERT(!memcmp(back, all, 256));
  /* Every pair of characters, against the C library. */
  for (int c = 1; c < 256; c++) {
    for (int d = 1; d < 256; d++) {
      char pair[3] = {(char)c, (char)d, 0};
      uint8_t byte = 77;
      int good = c < 128 && d < 128 && isxdigit(c) && isxdigit(d);
      if (chi_unhex(&byte, 1, pair) != (good ? CHI_OK : CHI_E_ARG) ||
          byte != (good ? strtoul(pair, NULL, 16) : 0)) {
        CU_FAIL("a pair is read wrongly");
      }
    }
  }
  CU_ASSERT_EQUAL(chi_unhex(back, 2, "abc"), CHI_E_ARG);
  CU_ASSERT_EQUAL(chi_unhex(back, 2, "abcde"), CHI_E_ARG);
  CU_ASSERT_EQUAL(chi_unhex(back, 0, ""), CHI_OK);
}

static void test_wipe(void) {
  uint8_t secret[33];
  memset(secret, 7, sizeof secret);
  chi_wipe(secret, 32);
  for (int i = 0; i < 32; i++) CU_ASSERT_EQUAL(secret[i], 0);
  CU_ASSERT_EQUAL(secret[32], 7);
}

#define MSG 100

static void test_seal(void) {
  chi_identity *a = NULL, *b = NULL;
  uint8_t to[32], msg[MSG], box[MSG + CHI_SEAL_BYTES], again[sizeof box];
  uint8_t out[sizeof box];
  CU_ASSERT_FATAL(!chi_identity_new(&a) && !chi_identity_new(&b));
  chi_identity_public(a, to);
  for (int i = 0; i < MSG; i++) msg[i] = (uint8_t)(3 * i + 1);
  for (size_t n = 0; n <= MSG; n += 20) {
    CU_ASSERT_EQUAL(chi_seal(box, to, msg, n), CHI_OK);
    CU_ASSERT_EQUAL(chi_unseal(out, a, box, n + CHI_SEAL_BYTES), CHI_OK);
    CU_ASSERT(!memcmp(out, msg, n));
  }
  CU_ASSERT_EQUAL(chi_seal(box, to, msg, MSG), CHI_OK);
  CU_ASSERT_EQUAL(chi_seal(again, to, msg, MSG), CHI_OK);
  CU_ASSERT(memcmp(box, again, sizeof box) != 0);
  CU_ASSERT_EQUAL(chi_unseal(out, b, box, sizeof box), CHI_E_CRYPTO);
  for (size_t i = 0; i < sizeof box; i++) {
    box[i] ^= 0x10;
    memset(out, 9, sizeof out);
    CU_ASSERT_EQUAL(chi_unseal(out, a, box, sizeof box), CHI_E_CRYPTO);
    for (int k = 0; k < MSG; k++) CU_ASSERT_EQUAL(out[k], 0);
    box[i] ^= 0x10;
  }
  for (size_t n = 0; n < sizeof box; n++) {
    CU_ASSERT_EQUAL(chi_unseal(out, a, box, n), CHI_E_CRYPTO);
  }
  /* Points that nobody may seal to: not on the curve, small order. */
  uint8_t bad[32] = {2};
  CU_ASSERT_EQUAL(chi_seal(box, bad, msg, MSG), CHI_E_ARG);
  memset(bad, 0, 32);
  CU_ASSERT_EQUAL(chi_seal(box, bad, msg, MSG), CHI_E_ARG);
  bad[0] = 1;
  CU_ASSERT_EQUAL(chi_seal(box, bad, msg, MSG), CHI_E_ARG);
  chi_identity_free(a);
  chi_identity_free(b);
}

static void test_told_seal(void) {
  chi_identity *node = NULL, *other = NULL, *client = NULL, *thief = NULL;
  uint8_t to[32], from[32], wrong[32], thief_key[32], msg[MSG], out[MSG];
  uint8_t box[MSG + CHII_TOLD_BYTES];
  CU_ASSERT_FATAL(!chi_identity_new(&node) && !chi_identity_new(&other) &&
                  !chi_identity_new(&client) && !chi_identity_new(&thief));
  chi_identity_public(client, to);
  chi_identity_public(node, from);
  chi_identity_public(other, wrong);
  chi_identity_public(thief, thief_key);
  for (int i = 0; i < MSG; i++) msg[i] = (uint8_t)(5 * i + 2);
  CU_ASSERT_EQUAL(chii_told_seal(box, node, to, msg, MSG), CHI_OK);
  CU_ASSERT_EQUAL(chii_told_unseal(out, client, from, box, sizeof box), CHI_OK);
  CU_ASSERT(!memcmp(out, msg, MSG));
  CU_ASSERT_EQUAL(chii_told_unseal(out, client, wrong, box, sizeof box),
                  CHI_E_CRYPTO);
  CU_ASSERT_EQUAL(chii_told_unseal(out, thief, from, box, sizeof box),
                  CHI_E_CRYPTO);
  for (size_t i = 0; i < sizeof box; i += 3) {
    box[i] ^= 1;
    CU_ASSERT_EQUAL(chii_told_unseal(out, client, from, box, sizeof box),
                    CHI_E_CRYPTO);
    box[i] ^= 1;
  }
  CU_ASSERT_EQUAL(chii_told_unseal(out, client, from, box, CHII_TOLD_BYTES - 1),
                  CHI_E_CRYPTO);
  /* A receiver cannot pass a node's words on as if they were for another. */
  uint8_t inner[MSG + CHI_SIGNATURE_BYTES];
  CU_ASSERT_EQUAL(chi_unseal(inner, client, box, sizeof box), CHI_OK);
  CU_ASSERT_EQUAL(chi_seal(box, thief_key, inner, sizeof inner), CHI_OK);
  CU_ASSERT_EQUAL(chii_told_unseal(out, thief, from, box, sizeof box),
                  CHI_E_CRYPTO);
  chi_identity_free(node);
  chi_identity_free(other);
  chi_identity_free(client);
  chi_identity_free(thief);
}

int main(void) {
  if (CU_initialize_registry()) return 2;
  CU_pSuite k = CU_add_suite("keys", NULL, NULL);
  CU_ADD_TEST(k, test_vectors);
  CU_ADD_TEST(k, test_fresh);
  CU_ADD_TEST(k, test_hex);
  CU_ADD_TEST(k, test_wipe);
  CU_ADD_TEST(k, test_seal);
  CU_ADD_TEST(k, test_told_seal);
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed != 0;
}
