/* The TLS transport's own declarations: buffered socket I/O under OpenSSL, the
 * pinned context, and the peers that set-up hands to the data path.  For
 * people working on chi_tls_connect; nothing here is exported.
 */
#ifndef CHI_SRC_TLS_H
#define CHI_SRC_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chi.h"
#include "util.h"

/* The largest record that TLS 1.3 may put on the wire for one write of ours:
 * 2^14 bytes, content type, header, tag.  RFC 8446, 5.2. */
#define TLS_RECORD 16384u
#define TLS_RECORD_WIRE (TLS_RECORD + 256u)

/* Ciphertext buffer of each direction.  One system call then moves many
 * records: OpenSSL alone makes one call a record, and its own read_ahead
 * buffer is shifted down by a memmove at each record.  256 KiB stay in the
 * cache and do as well as 1 MiB. */
#define TLS_BUFFER (1u << 18)

/* A socket with a buffer either way, under a BIO.  The buffers only ever hold
 * ciphertext. */
typedef struct tls_io {
  int fd; /* owned; -1 when closed */
  uint8_t *in, *out;
  size_t in_at, in_end, out_at, out_end;
  uint64_t wire_in, wire_out; /* bytes that crossed the socket */
  int error;                  /* errno of the last failure, 0: none */
  bool eof;                   /* the peer closed its direction */
} tls_io;

BIO_METHOD *chii_tls_io_method(void);
/* Takes the socket over, also on failure.  NULL: out of memory. */
tls_io *chii_tls_io_new(int fd);
void chii_tls_io_free(tls_io *io);
/* Sends what is buffered, as far as the kernel takes it; false on an error. */
bool chii_tls_io_flush(tls_io *io);
/* Room for one more record, so that SSL_write cannot stop half-way: a write
 * that did would oblige the caller to come back with the same bytes. */
bool chii_tls_io_room(const tls_io *io);
static inline bool chii_tls_io_unsent(const tls_io *io) {
  return io->out_at < io->out_end;
}

/* Keys and certificate of one party, with TLS 1.3 and nothing else: nothing of
 * a connection. */
struct chi_tls_context {
  uint8_t key[CHI_KEY_BYTES];
  OSSL_LIB_CTX *lib; /* own: the host's OpenSSL configuration cannot reach us */
  SSL_CTX *ssl;
  BIO_METHOD *method;
};

/* NULL: OpenSSL refused or there is no memory; `why` tells. */
chi_tls_context *chii_tls_context(const chi_identity *id, char *why,
                                  size_t cap);
/* The keys a connection may meet: those of parties first..end-1. */
typedef struct tls_accept {
  const chi_party *party;
  unsigned first, end;
} tls_accept;

/* A connection over io, server or client side; io stays the caller's, and
 * accept must outlive the handshake. */
SSL *chii_tls_context_ssl(const chi_tls_context *c, tls_io *io,
                          const tls_accept *accept, bool server);
/* The peer's Ed25519 key, from a certificate whose SubjectPublicKeyInfo is
 * exactly the 44 bytes of an Ed25519 key.  Only after the handshake. */
bool chii_tls_peer_key(const SSL *ssl, uint8_t pub[32]);
/* Text for the newest OpenSSL error of this thread; empties its queue. */
void chii_tls_error_text(char *out, size_t cap);

/* One peer of an established transport. */
typedef struct tls_peer {
  SSL *ssl;
  tls_io *io;
  uint64_t since_update; /* plaintext bytes under the present sending key */
  uint64_t records;      /* records under it */
  int send_state;        /* 0, or the CHI_IO_* that every later send gets */
  int recv_state;
  char name[80]; /* "party 2 at 127.0.0.1:9000" */
  char why[256]; /* name, and what failed last */
} tls_peer;

typedef struct tls_state {
  const chi_tls_context *context;
  chi_tls_context *own; /* made for this transport alone, or NULL */
  unsigned me, n;
  tls_peer peer[64];
} tls_state;

/* Set-up: connects s->peer[] as the configuration says.  tls_setup.c. */
chi_status chii_tls_setup(tls_state *s, const chi_tls_config *c, char *detail,
                     size_t cap);
void chii_tls_peer_free(tls_peer *p);

#endif
