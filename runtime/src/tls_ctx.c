/* Who may speak: one OpenSSL context an identity, TLS 1.3 with one cipher, a
 * self-signed Ed25519 certificate made in memory, and peers known by their
 * public key alone.  No CA, no names, no resumption.
 */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SubjectPublicKeyInfo of an Ed25519 key up to the 32 key bytes: RFC 8410. */
static const uint8_t SPKI_ED25519[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

void chii_tls_error_text(char *out, size_t cap) {
  unsigned long e = ERR_peek_last_error();
  const char *reason = e ? ERR_reason_error_string(e) : NULL;
  (void)snprintf(out, cap, "%s", reason ? reason : "no reason given");
  ERR_clear_error();
}

static bool spki_key(const X509 *cert, uint8_t pub[32]) {
  uint8_t *der = NULL;
  int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
  bool ok = n == 44 && !memcmp(der, SPKI_ED25519, sizeof SPKI_ED25519);
  if (ok) memcpy(pub, der + sizeof SPKI_ED25519, 32);
  OPENSSL_free(der);
  return ok;
}

bool chii_tls_peer_key(const SSL *ssl, uint8_t pub[32]) {
  X509 *cert = SSL_get0_peer_certificate(ssl);
  return cert && spki_key(cert, pub);
}

/* The keys a connection accepts hang on its SSL: set-up tells a client the one
 * key it must find, and a server the keys of all higher parties. */
static int check_peer(X509_STORE_CTX *store, void *arg) {
  (void)arg;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store,
                                        SSL_get_ex_data_X509_STORE_CTX_idx());
  X509 *cert = X509_STORE_CTX_get0_cert(store);
  const tls_accept *accept = ssl ? SSL_get_app_data(ssl) : NULL;
  uint8_t pub[32];
  if (accept && cert && spki_key(cert, pub)) {
    for (unsigned j = accept->first; j < accept->end; j++) {
      if (!memcmp(accept->party[j].key, pub, 32)) return 1;
    }
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

static X509 *self_signed(OSSL_LIB_CTX *lib, EVP_PKEY *key) {
  X509 *x = X509_new_ex(lib, NULL);
  ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();
  bool ok = x && from && to && X509_set_version(x, X509_VERSION_3) &&
            ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
            /* Fixed dates: validity is the host's party table, not a clock. */
            ASN1_TIME_set_string(from, "20000101000000Z") &&
            ASN1_TIME_set_string(to, "99991231235959Z") &&
            X509_set1_notBefore(x, from) && X509_set1_notAfter(x, to) &&
            X509_set_pubkey(x, key);
  if (ok) {
    X509_NAME *name = X509_get_subject_name(x);
    ok = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    (const uint8_t *)"chi", -1, -1, 0) &&
         X509_set_issuer_name(x, name) && X509_sign(x, key, NULL);
  }
  ASN1_TIME_free(from);
  ASN1_TIME_free(to);
  if (ok) return x;
  X509_free(x);
  return NULL;
}

static bool fill(chi_tls_context *c, const uint8_t seed[32]) {
  X509 *cert = NULL;
  EVP_PKEY *key = NULL;
  c->lib = OSSL_LIB_CTX_new();
  if (c->lib) {
    key = EVP_PKEY_new_raw_private_key_ex(c->lib, "ED25519", NULL, seed, 32);
  }
  if (key) cert = self_signed(c->lib, key);
  if (cert) c->ssl = SSL_CTX_new_ex(c->lib, NULL, TLS_method());
  SSL_CTX *s = c->ssl;
  bool ok = s && (c->method = chii_tls_io_method()) &&
            SSL_CTX_set_min_proto_version(s, TLS1_3_VERSION) &&
            SSL_CTX_set_max_proto_version(s, TLS1_3_VERSION) &&
            SSL_CTX_set_ciphersuites(s, "TLS_AES_128_GCM_SHA256") &&
            SSL_CTX_set1_sigalgs_list(s, "ed25519") &&
            SSL_CTX_set1_client_sigalgs_list(s, "ed25519") &&
            SSL_CTX_set1_groups_list(s, "X25519") &&
            SSL_CTX_set_num_tickets(s, 0) && SSL_CTX_use_certificate(s, cert) &&
            SSL_CTX_use_PrivateKey(s, key);
  if (ok) {
    SSL_CTX_set_options(s, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(s, 0);
    SSL_CTX_set_max_cert_list(s, 4096);
    SSL_CTX_set_mode(s, SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(
        s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(s, check_peer, NULL);
  }
  X509_free(cert);
  EVP_PKEY_free(key);
  return ok;
}

chi_tls_context *chii_tls_context(const chi_identity *id, char *why,
                                  size_t cap) {
  uint8_t seed[32];
  chi_tls_context *c = calloc(1, sizeof *c);
  if (!c) {
    (void)snprintf(why, cap, "out of memory");
    return NULL;
  }
  ERR_clear_error();
  chi_identity_public(id, c->key);
  chi_identity_seed(id, seed);
  bool ok = fill(c, seed);
  chi_wipe(seed, sizeof seed);
  if (ok) return c;
  chii_tls_error_text(why, cap);
  chi_tls_context_free(c);
  return NULL;
}

chi_status chi_tls_context_new(chi_tls_context **out, const chi_identity *id) {
  char why[96];
  CHII_REQUIRE(out && id, "a NULL argument");
  *out = chii_tls_context(id, why, sizeof why);
  return *out ? CHI_OK : CHI_E_CRYPTO;
}

void chi_tls_context_free(chi_tls_context *c) {
  if (!c) return;
  SSL_CTX_free(c->ssl);
  BIO_meth_free(c->method);
  OSSL_LIB_CTX_free(c->lib);
  free(c);
}

SSL *chii_tls_context_ssl(const chi_tls_context *c, tls_io *io,
                          const tls_accept *accept, bool server) {
  SSL *ssl = SSL_new(c->ssl);
  BIO *bio = ssl ? BIO_new(c->method) : NULL;
  if (!bio) {
    SSL_free(ssl);
    return NULL;
  }
  BIO_set_data(bio, io);
  SSL_set_bio(ssl, bio, bio);
  /* check_peer only reads it; OpenSSL's slot has no const. */
  SSL_set_app_data(ssl, (void *)(uintptr_t)accept);
  if (server) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
  }
  return ssl;
}
