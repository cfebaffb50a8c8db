/* The TLS transport's data path: chi_transport over one TLS 1.3 connection a
 * peer.  Set-up is tls_setup.c, who may speak is tls_ctx.c.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

/* AES-GCM keys are renewed long before the 2^24.5 records that TLS 1.3 allows
 * them (RFC 8446, 5.5): after 2^36 bytes, which is 2^22 full records. */
#define UPDATE_AFTER (UINT64_C(1) << 36)
/* The same for streams of tiny records. */
#define UPDATE_RECORDS (UINT64_C(1) << 23)
/* How long close waits for the kernel to take the last bytes. */
#define LINGER_NS UINT64_C(2000000000)
/* And for peers in the middle of a word, see hear_out. */
#define HEAR_NS UINT64_C(200000000)

static void note(tls_peer *p, const char *what) {
  char text[sizeof p->why];
  (void)snprintf(text, sizeof text, "%s: %s", p->name, what);
  memcpy(p->why, text, sizeof text);
}

/* Classifies what stopped SSL_read or SSL_write; 0: only not now. */
static int failure(tls_peer *p, int result) {
  switch (SSL_get_error(p->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      note(p, "closed the connection");
      return CHI_IO_CLOSED;
    default:
      break;
  }
  if (p->io->error) {
    int e = p->io->error;
    note(p, strerror(e));
    return e == ECONNRESET || e == EPIPE ? CHI_IO_CLOSED : CHI_IO_FAILED;
  }
  if (p->io->eof) {
    note(p, "closed the connection without a farewell");
    return CHI_IO_CLOSED;
  }
  char text[96];
  chii_tls_error_text(text, sizeof text);
  note(p, text);
  return CHI_IO_FAILED;
}

static bool flush(tls_peer *p) {
  if (p->send_state || chii_tls_io_flush(p->io)) return !p->send_state;
  note(p, strerror(p->io->error));
  p->send_state = CHI_IO_CLOSED;
  return false;
}

static long tls_try_send(void *state, unsigned peer, const void *data,
                         size_t n) {
  tls_peer *p = &((tls_state *)state)->peer[peer];
  const uint8_t *at = data;
  size_t done = 0;
  if (n > LONG_MAX) n = LONG_MAX;
  if (!flush(p)) return p->send_state;
  while (done < n) {
    if (!chii_tls_io_room(p->io)) {
      if (!flush(p)) break;
      if (!chii_tls_io_room(p->io)) break;
    }
    if (p->since_update > UPDATE_AFTER || p->records > UPDATE_RECORDS) {
      if (!SSL_key_update(p->ssl, SSL_KEY_UPDATE_NOT_REQUESTED)) {
        note(p, "the sending key could not be renewed");
        p->send_state = CHI_IO_FAILED;
        break;
      }
      p->since_update = p->records = 0;
    }
    size_t part = n - done, wrote = 0;
    if (part > TLS_RECORD) part = TLS_RECORD;
    ERR_clear_error();
    int r = SSL_write_ex(p->ssl, at + done, part, &wrote);
    if (r <= 0) {
      p->send_state = failure(p, r);
      break;
    }
    done += wrote;
    p->since_update += wrote;
    p->records++;
  }
  (void)flush(p);
  /* What was taken before a failure is still reported; the failure comes with
   * the next call. */
  return done ? (long)done : p->send_state;
}

static long tls_try_recv(void *state, unsigned peer, void *data, size_t n) {
  tls_peer *p = &((tls_state *)state)->peer[peer];
  uint8_t *at = data;
  size_t done = 0;
  if (n > LONG_MAX) n = LONG_MAX;
  if (chii_tls_io_unsent(p->io)) (void)flush(p);
  while (done < n && !p->recv_state) {
    size_t got = 0;
    ERR_clear_error();
    int r = SSL_read_ex(p->ssl, at + done, n - done, &got);
    if (r <= 0) {
      p->recv_state = failure(p, r);
      break;
    }
    done += got;
  }
  return done ? (long)done : p->recv_state;
}

/* Something to read without asking the kernel, or an end to report. */
static bool readable_now(const tls_peer *p) {
  return p->recv_state || SSL_pending(p->ssl) > 0 ||
         p->io->in_at < p->io->in_end;
}

static bool writable_now(const tls_peer *p) {
  return p->send_state || chii_tls_io_room(p->io);
}

static int poll_ms(uint64_t deadline_ns) {
  uint64_t now = chii_now_ns();
  if (now >= deadline_ns) return 0;
  uint64_t ms = (deadline_ns - now + 999999u) / 1000000u;
  return ms > 60000 ? 60000 : (int)ms;
}

static int tls_wait(void *state, uint64_t readable, uint64_t writable,
                    uint64_t deadline_ns) {
  tls_state *s = state;
  struct pollfd set[64];
  unsigned who[64];
  for (;;) {
    nfds_t count = 0;
    for (unsigned j = 0; j < s->n; j++) {
      tls_peer *p = &s->peer[j];
      uint64_t bit = UINT64_C(1) << j;
      if (j == s->me) continue;
      /* Bytes taken earlier are on their way whatever the caller waits for. */
      if (!p->send_state && chii_tls_io_unsent(p->io)) (void)flush(p);
      if ((readable & bit) && readable_now(p)) return 1;
      if ((writable & bit) && writable_now(p)) return 1;
      short events = 0;
      if (readable & bit) events |= POLLIN;
      if (!p->send_state && chii_tls_io_unsent(p->io)) events |= POLLOUT;
      if (!events) continue;
      set[count] = (struct pollfd){p->io->fd, events, 0};
      who[count++] = j;
    }
    int ms = poll_ms(deadline_ns);
    int r = poll(set, count, ms);
    if (r < 0 && errno != EINTR) return CHI_IO_FAILED;
    for (nfds_t i = 0; r > 0 && i < count; i++) {
      bool asked = (readable >> who[i]) & 1;
      if (asked && (set[i].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))) {
        return 1;
      }
    }
    if (r == 0 && chii_now_ns() >= deadline_ns) return 0;
  }
}

static int tls_drain(void *state, uint64_t deadline_ns) {
  tls_state *s = state;
  for (;;) {
    struct pollfd set[CHI_PARTIES_MAX];
    nfds_t count = 0;
    for (unsigned j = 0; j < s->n; j++) {
      tls_peer *p = &s->peer[j];
      if (!p->ssl || p->send_state || !flush(p)) continue;
      if (!chii_tls_io_unsent(p->io)) continue;
      set[count++] = (struct pollfd){p->io->fd, POLLOUT, 0};
    }
    if (count == 0) return 1;
    int ms = poll_ms(deadline_ns);
    if (ms == 0 || (poll(set, count, ms) < 0 && errno != EINTR)) return 0;
  }
}

static int tls_exporter(void *state, unsigned peer, uint8_t out[32]) {
  static const char label[] = "EXPORTER-chirograph-pair";
  tls_peer *p = &((tls_state *)state)->peer[peer];
  ERR_clear_error();
  if (SSL_export_keying_material(p->ssl, out, 32, label, sizeof label - 1,
                                 NULL, 0, 0) == 1) {
    return 0;
  }
  note(p, "TLS exporter failed");
  return CHI_IO_FAILED;
}

static const char *tls_describe(void *state, unsigned peer) {
  const tls_peer *p = &((tls_state *)state)->peer[peer];
  return p->why[0] ? p->why : p->name;
}

void chii_tls_peer_free(tls_peer *p) {
  SSL_free(p->ssl);
  chii_tls_io_free(p->io);
  *p = (tls_peer){0};
}

/* A socket that is closed with bytes unread resets its connection, and what
 * the kernel has not sent yet is lost with it, our last words perhaps: takes
 * what a peer is saying until it has closed, too. */
static void hear_out(tls_state *s) {
  uint64_t deadline = chii_now_ns() + HEAR_NS;
  bool quiet[CHI_PARTIES_MAX] = {false};
  for (bool first = true;; first = false) {
    struct pollfd set[CHI_PARTIES_MAX];
    nfds_t count = 0;
    for (unsigned j = 0; j < s->n; j++) {
      tls_io *io = s->peer[j].io;
      if (!io || quiet[j]) continue;
      if (first) (void)shutdown(io->fd, SHUT_WR);
      ssize_t n = recv(io->fd, io->in, TLS_BUFFER, MSG_DONTWAIT);
      bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
      quiet[j] = n == 0 || (n < 0 && !(later && !first));
      if (!quiet[j]) set[count++] = (struct pollfd){io->fd, POLLIN, 0};
    }
    int ms = poll_ms(deadline);
    if (count == 0 || ms == 0) return;
    if (poll(set, count, ms) < 0 && errno != EINTR) return;
  }
}

/* A farewell to all, then until LINGER_NS for the kernel to take the rest: a
 * peer that still waits for our last message must get it. */
static void tls_close(void *state) {
  tls_state *s = state;
  uint64_t deadline = chii_now_ns() + LINGER_NS;
  for (unsigned j = 0; j < s->n; j++) {
    tls_peer *p = &s->peer[j];
    if (!p->ssl || p->send_state) continue;
    ERR_clear_error();
    if (!p->recv_state || p->recv_state == CHI_IO_CLOSED) {
      (void)SSL_shutdown(p->ssl);
    }
    (void)flush(p);
  }
  (void)tls_drain(s, deadline);
  ERR_clear_error();
  hear_out(s);
  for (unsigned j = 0; j < s->n; j++) chii_tls_peer_free(&s->peer[j]);
  chi_tls_context_free(s->own);
  free(s);
}

static const chi_transport_ops TLS_OPS = {
    .try_send = tls_try_send,
    .try_recv = tls_try_recv,
    .wait = tls_wait,
    .drain = tls_drain,
    .exporter = tls_exporter,
    .describe = tls_describe,
    .close = tls_close,
};

chi_status chi_tls_connect(chi_transport *out, char *detail,
                           size_t detail_bytes, const chi_tls_config *cfg) {
  CHII_REQUIRE(out && cfg, "a NULL argument");
  *out = (chi_transport){0};
  tls_state *s = calloc(1, sizeof *s);
  if (!s) return CHI_E_NOMEM;
  s->me = cfg->me;
  s->n = cfg->n <= CHI_PARTIES_MAX ? cfg->n : 0;
  chi_status st = chii_tls_setup(s, cfg, detail, detail ? detail_bytes : 0);
  if (st) {
    for (unsigned j = 0; j < s->n; j++) chii_tls_peer_free(&s->peer[j]);
    chi_tls_context_free(s->own);
    free(s);
    return st;
  }
  *out = (chi_transport){&TLS_OPS, s};
  return CHI_OK;
}
