/* Set-up of the TLS transport: party j connects to the parties below it and
 * accepts those above it, in one loop with one deadline.
 *
 * What strangers do costs them their connection and nothing else: an accepted
 * socket has a slot, a time limit and no name until its key is in the party
 * table.  What the peer we call does is judged: an address that presents a
 * wrong key or speaks something else ends set-up at once, a refused or reset
 * connection is tried again until the deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

#define MS_NS UINT64_C(1000000)
#define STRANGERS 32u              /* slots beyond one for each party */
#define STRANGER_NS (10000 * MS_NS) /* a handshake with us takes no longer */
#define DRAIN_NS (1000 * MS_NS)
#define RETRY_FIRST_NS (10 * MS_NS)
#define RETRY_LAST_NS (500 * MS_NS)
#define GREETING 8u

typedef enum {
  IDLE,     /* slot is free, or a call waits for its next try */
  DIALLING, /* TCP connect under way */
  SHAKING,  /* TLS handshake under way */
  GREETED,  /* TLS is up; the greeting of the peer is due */
  DRAINING  /* refused: reads to the end, so that our alert arrives */
} wire_step;

typedef struct wire {
  wire_step step;
  bool server;
  tls_accept accept; /* whom it may turn out to be */
  int fd;            /* until io owns it */
  tls_io *io;
  SSL *ssl;
  uint64_t since, until; /* retry not before / given up at */
  uint64_t backoff;
  uint8_t hello[GREETING];
  size_t hello_in;
  char address[64];
  char last[128]; /* what ended the last try */
} wire;

typedef struct setup {
  tls_state *s;
  const chi_tls_config *c;
  wire *slot; /* me calls, then c->n + STRANGERS accepted */
  unsigned slots;
  bool up[64];
  uint64_t now, deadline, listen_from;
  unsigned turned_away;
  char stranger[192]; /* the last one turned away, and why */
  unsigned limit_ms;
  chi_status status;
  char *detail;
  size_t cap;
} setup;

static chi_status fail(setup *u, chi_status st, const char *format, ...) {
  if (u->status) return u->status;
  u->status = st;
  va_list args;
  va_start(args, format);
  if (u->cap) (void)vsnprintf(u->detail, u->cap, format, args);
  va_end(args);
  return st;
}

static void wire_close(wire *l) {
  ERR_clear_error();
  SSL_free(l->ssl);
  chii_tls_io_free(l->io);
  if (!l->io && l->fd >= 0) close(l->fd);
  l->ssl = NULL;
  l->io = NULL;
  l->fd = -1;
  l->step = IDLE;
}

static bool address_text(const struct sockaddr *a, socklen_t n, char *out,
                         size_t cap) {
  char host[48], port[8];
  if (getnameinfo(a, n, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV)) {
    (void)snprintf(out, cap, "an unknown address");
    return false;
  }
  (void)snprintf(out, cap, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
  return true;
}

static bool socket_mode(int fd) {
  int one = 1, flags = fcntl(fd, F_GETFL);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0 &&
         fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0;
}

/* TCP can connect a socket to itself while nobody listens on its port. */
static bool self_connected(int fd) {
  struct sockaddr_storage a, b;
  socklen_t na = sizeof a, nb = sizeof b;
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  return !getsockname(fd, (struct sockaddr *)&a, &na) &&
         !getpeername(fd, (struct sockaddr *)&b, &nb) && na == nb &&
         !memcmp(&a, &b, na);
}

/* ---- calls to lower parties ---- */

static void call_again(setup *u, wire *l, const char *why) {
  (void)snprintf(l->last, sizeof l->last, "%s", why);
  wire_close(l);
  l->since = u->now + l->backoff;
  l->backoff = l->backoff * 2 > RETRY_LAST_NS ? RETRY_LAST_NS : l->backoff * 2;
}

static void start_tls(setup *u, wire *l) {
  l->io = chii_tls_io_new(l->fd);
  l->fd = -1;
  l->ssl = l->io ? chii_tls_context_ssl(u->s->context, l->io, &l->accept,
                                        l->server)
                 : NULL;
  l->hello_in = 0;
  l->step = SHAKING;
  if (!l->ssl) (void)fail(u, CHI_E_NOMEM, "no memory for a TLS connection");
}

static void call(setup *u, wire *l) {
  const chi_party *p = &l->accept.party[l->accept.first];
  struct addrinfo hints = {.ai_family = AF_UNSPEC,
                           .ai_socktype = SOCK_STREAM,
                           .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *a = NULL;
  char port[8];
  (void)snprintf(port, sizeof port, "%u", p->port);
  if (getaddrinfo(p->host, port, &hints, &a)) {
    (void)fail(u, CHI_E_ARG, "party %u: '%s' is not a numeric address",
               l->accept.first, p->host);
    return;
  }
  (void)address_text(a->ai_addr, a->ai_addrlen, l->address, sizeof l->address);
  l->fd = socket(a->ai_family, SOCK_STREAM, 0);
  if (l->fd < 0 || !socket_mode(l->fd)) {
    call_again(u, l, strerror(errno));
  } else if (!connect(l->fd, a->ai_addr, a->ai_addrlen) ||
             errno == EINPROGRESS || errno == EINTR) {
    l->step = DIALLING;
  } else {
    call_again(u, l, strerror(errno));
  }
  freeaddrinfo(a);
}

static void dialled(setup *u, wire *l) {
  int error = 0;
  socklen_t n = sizeof error;
  if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n)) error = errno;
  if (!error && self_connected(l->fd)) error = ECONNREFUSED;
  if (error) {
    call_again(u, l, strerror(error));
  } else {
    start_tls(u, l);
  }
}

/* The peer that we called cannot be the one we mean, or will not have us. */
static void judge(setup *u, wire *l) {
  unsigned j = l->accept.first;
  unsigned long e = ERR_peek_last_error();
  int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
  bool alert = reason >= SSL_AD_REASON_OFFSET;
  char text[96];
  if (SSL_get_verify_result(l->ssl) == X509_V_ERR_CERT_REJECTED) {
    (void)fail(u, CHI_E_CRYPTO,
               "party %u at %s presented a key that is not the one in the "
               "party table",
               j, l->address);
  } else if (alert && reason == SSL_AD_REASON_OFFSET + SSL_AD_BAD_CERTIFICATE) {
    (void)fail(u, CHI_E_DISAGREE,
               "party %u at %s refused the key of party %u: the party tables "
               "differ",
               j, l->address, u->c->me);
  } else {
    chii_tls_error_text(text, sizeof text);
    (void)fail(u, CHI_E_PROTOCOL, "party %u at %s does not speak TLS 1.3: %s",
               j, l->address, text);
  }
}

/* ---- both sides ---- */

static void turn_away(setup *u, wire *l, const char *why) {
  u->turned_away++;
  (void)snprintf(u->stranger, sizeof u->stranger, "%s: %s", l->address, why);
  if (l->io && chii_tls_io_flush(l->io) && !shutdown(l->io->fd, SHUT_WR)) {
    l->step = DRAINING;
    l->until = u->now + DRAIN_NS;
  } else {
    wire_close(l);
  }
}

/* A try failed under TLS or in the greeting; called with OpenSSL's queue
 * as the failure left it. */
static void wire_failed(setup *u, wire *l) {
  const char *how = l->io->error ? strerror(l->io->error)
                    : l->io->eof ? "the connection was closed"
                                 : NULL;
  /* An alert that arrived counts more than the close that follows it. */
  int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (reason >= SSL_AD_REASON_OFFSET) how = NULL;
  if (l->server) {
    char text[96];
    chii_tls_error_text(text, sizeof text);
    turn_away(u, l, how ? how : text);
  } else if (how) {
    call_again(u, l, how);
  } else {
    judge(u, l);
  }
}

static bool wants_more(const wire *l, int result) {
  int e = SSL_get_error(l->ssl, result);
  return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

/* Which party the key at the other end belongs to; c->n: none. */
static unsigned party_of(const wire *l) {
  uint8_t pub[32];
  if (chii_tls_peer_key(l->ssl, pub)) {
    for (unsigned j = l->accept.first; j < l->accept.end; j++) {
      if (!memcmp(pub, l->accept.party[j].key, 32)) return j;
    }
  }
  return l->accept.end;
}

static void established(setup *u, wire *l, unsigned j) {
  tls_peer *p = &u->s->peer[j];
  /* A peer whose earlier try failed on its side calls again: the newest
   * connection is the one it believes in. */
  chii_tls_peer_free(p);
  p->ssl = l->ssl;
  p->io = l->io;
  SSL_set_app_data(p->ssl, NULL);
  (void)snprintf(p->name, sizeof p->name, "party %u at %s", j, l->address);
  u->up[j] = true;
  l->ssl = NULL;
  l->io = NULL;
  wire_close(l);
}

static void shake(setup *u, wire *l) {
  ERR_clear_error();
  int r = SSL_do_handshake(l->ssl);
  if (r <= 0) {
    if (wants_more(l, r)) {
      (void)chii_tls_io_flush(l->io);
      return;
    }
    (void)chii_tls_io_flush(l->io); /* the alert, if there is one */
    wire_failed(u, l);
    return;
  }
  unsigned j = party_of(l);
  if (j == l->accept.end) {
    if (l->server) {
      turn_away(u, l, "key not in the party table");
    } else {
      judge(u, l);
    }
    return;
  }
  /* Who I am, whom I mean, how many we are: wrong tables show here. */
  const uint8_t hello[GREETING] = {
      'C', 'H', 'I', 1, (uint8_t)u->c->me, (uint8_t)j, (uint8_t)u->c->n, 0};
  size_t wrote = 0;
  ERR_clear_error();
  if (SSL_write_ex(l->ssl, hello, GREETING, &wrote) != 1 ||
      !chii_tls_io_flush(l->io)) {
    wire_failed(u, l);
    return;
  }
  l->step = GREETED;
}

static void greet(setup *u, wire *l) {
  (void)chii_tls_io_flush(l->io);
  while (l->hello_in < GREETING) {
    size_t got = 0;
    ERR_clear_error();
    int r = SSL_read_ex(l->ssl, l->hello + l->hello_in, GREETING - l->hello_in,
                        &got);
    if (r <= 0) {
      if (!wants_more(l, r)) wire_failed(u, l);
      return;
    }
    l->hello_in += got;
  }
  unsigned j = party_of(l);
  const uint8_t want[GREETING] = {
      'C', 'H', 'I', 1, (uint8_t)j, (uint8_t)u->c->me, (uint8_t)u->c->n, 0};
  if (!memcmp(l->hello, want, GREETING)) {
    established(u, l, j);
  } else if (l->hello[3] != 1 || memcmp(l->hello, "CHI", 3)) {
    (void)fail(u, CHI_E_DISAGREE, "party %u at %s speaks another version", j,
               l->address);
  } else {
    (void)fail(u, CHI_E_DISAGREE,
               "party %u at %s holds itself for party %u of %u and us for "
               "party %u; we are party %u of %u",
               j, l->address, l->hello[4], l->hello[6], l->hello[5], u->c->me,
               u->c->n);
  }
}

static void drain(wire *l) {
  char sink[4096];
  ssize_t n;
  do {
    n = recv(l->io->fd, sink, sizeof sink, MSG_DONTWAIT);
  } while (n > 0);
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) wire_close(l);
}

static void progress(setup *u, wire *l) {
  if (l->step == DIALLING) dialled(u, l);
  if (l->step == SHAKING && !u->status) shake(u, l);
  if (l->step == GREETED && !u->status) {
    greet(u, l);
  } else if (l->step == DRAINING) {
    drain(l);
  }
}

/* ---- accepting ---- */

static wire *free_slot(setup *u) {
  wire *oldest = NULL;
  for (unsigned i = u->c->me; i < u->slots; i++) {
    wire *l = &u->slot[i];
    if (l->step == IDLE) return l;
    /* Who has shown a key of the table keeps the slot. */
    if (l->step == GREETED) continue;
    if (!oldest || l->since < oldest->since) oldest = l;
  }
  if (oldest) {
    u->turned_away++;
    (void)snprintf(u->stranger, sizeof u->stranger, "%s: too many at once",
                   oldest->address);
    wire_close(oldest);
  }
  return oldest;
}

static void accept_some(setup *u) {
  for (int i = 0; i < 16 && !u->status; i++) {
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    int fd = accept(u->c->listen_fd, (struct sockaddr *)&from, &n);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK ||
          errno == EOPNOTSUPP) {
        (void)fail(u, CHI_E_IO, "listening socket: %s", strerror(errno));
      } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        /* Out of descriptors or memory: better in a moment. */
        u->listen_from = u->now + 50 * MS_NS;
      }
      return;
    }
    wire *l = free_slot(u);
    if (!l || !socket_mode(fd)) {
      close(fd);
      continue;
    }
    l->fd = fd;
    l->server = true;
    l->accept = (tls_accept){u->c->party, u->c->me + 1, u->c->n};
    l->since = u->now;
    l->until = u->now + STRANGER_NS;
    (void)address_text((struct sockaddr *)&from, n, l->address,
                       sizeof l->address);
    start_tls(u, l);
  }
}

/* ---- the loop ---- */

static unsigned missing(const setup *u, unsigned *first) {
  unsigned count = 0;
  for (unsigned j = u->c->n; j-- > 0;) {
    if (j == u->c->me || u->up[j]) continue;
    *first = j;
    count++;
  }
  return count;
}

static void out_of_time(setup *u, unsigned first, unsigned count) {
  char more[96] = "";
  const chi_party *p = &u->c->party[first];
  if (count > 1) {
    (void)snprintf(more, sizeof more, " (nor did %u more)", count - 1);
  }
  if (first < u->c->me) {
    const wire *l = &u->slot[first];
    const char *why = l->step == SHAKING   ? "silent in the TLS handshake"
                      : l->step == GREETED ? "silent after the TLS handshake"
                      : l->last[0]         ? l->last
                                           : "no answer";
    (void)fail(u, CHI_E_PEER_STALLED,
               "party %u at %s did not come up within %u ms%s: %s", first,
               l->address, u->limit_ms, more, why);
  } else {
    char from[320] = "";
    if (u->turned_away) {
      (void)snprintf(from, sizeof from,
                     "; %u strangers were turned away, the last from %s",
                     u->turned_away, u->stranger);
    }
    (void)fail(u, CHI_E_PEER_STALLED,
               "party %u at %s did not connect within %u ms%s%s", first,
               p->host ? p->host : "an unknown address", u->limit_ms, more,
               from);
  }
}

static void sooner(uint64_t *at, uint64_t t) {
  if (t < *at) *at = t;
}

/* One turn: starts what is due, then sleeps until something happens. */
static void turn(setup *u, struct pollfd *set, wire **who) {
  nfds_t count = 0;
  uint64_t wake = u->deadline;
  bool awaited = false;
  for (unsigned j = u->c->me + 1; j < u->c->n; j++) awaited |= !u->up[j];
  if (awaited && u->now >= u->listen_from) {
    set[count] = (struct pollfd){u->c->listen_fd, POLLIN, 0};
    who[count++] = NULL;
  } else if (awaited) {
    sooner(&wake, u->listen_from);
  }
  for (unsigned i = 0; i < u->slots && !u->status; i++) {
    wire *l = &u->slot[i];
    if (l->step == IDLE && i < u->c->me && !u->up[i]) {
      if (l->since <= u->now) call(u, l);
      if (l->step == IDLE) sooner(&wake, l->since);
    }
    if (l->server && l->step != IDLE) {
      if (l->until <= u->now) {
        if (l->step == DRAINING) {
          wire_close(l);
        } else {
          turn_away(u, l, "silent");
        }
        if (l->step == IDLE) continue;
      }
      sooner(&wake, l->until);
    }
    if (l->step == IDLE) continue;
    short events = l->step == DIALLING ? POLLOUT : POLLIN;
    if (l->io && chii_tls_io_unsent(l->io)) events |= POLLOUT;
    set[count] = (struct pollfd){l->io ? l->io->fd : l->fd, events, 0};
    who[count++] = l;
  }
  if (u->status) return;
  uint64_t ms = wake > u->now ? (wake - u->now + MS_NS - 1) / MS_NS : 0;
  int r = poll(set, count, ms > 60000 ? 60000 : (int)ms);
  u->now = chii_now_ns();
  if (r < 0 && errno != EINTR) {
    (void)fail(u, CHI_E_IO, "poll: %s", strerror(errno));
  }
  for (nfds_t k = 0; r > 0 && k < count && !u->status; k++) {
    if (set[k].revents && who[k] && who[k]->step != IDLE) progress(u, who[k]);
  }
  if (r > 0 && awaited && !who[0] && set[0].revents && !u->status) {
    accept_some(u);
  }
}

static chi_status arguments(setup *u) {
  const chi_tls_config *c = u->c;
  uint8_t key[CHI_KEY_BYTES];
  if (c->n < 2 || c->n > CHI_PARTIES_MAX || c->me >= c->n) {
    return fail(u, CHI_E_ARG, "party %u of %u cannot be", c->me, c->n);
  }
  if (!c->identity || !c->party) {
    return fail(u, CHI_E_ARG, "an identity and a party table are needed");
  }
  chi_identity_public(c->identity, key);
  if (memcmp(key, c->party[c->me].key, sizeof key) != 0) {
    return fail(u, CHI_E_ARG, "the identity is not that of party %u", c->me);
  }
  if (c->context && memcmp(key, c->context->key, sizeof key) != 0) {
    return fail(u, CHI_E_ARG, "the TLS context is of another identity");
  }
  int listens = 0;
  socklen_t size = sizeof listens;
  if (c->me + 1 < c->n &&
      (getsockopt(c->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) ||
       !listens)) {
    return fail(u, CHI_E_ARG, "party %u needs a listening socket", c->me);
  }
  for (unsigned j = 0; j < c->n; j++) {
    if (j < c->me && !c->party[j].host) {
      return fail(u, CHI_E_ARG, "party %u has no address", j);
    }
    for (unsigned i = 0; i < j; i++) {
      if (!memcmp(c->party[i].key, c->party[j].key, CHI_KEY_BYTES)) {
        return fail(u, CHI_E_ARG, "parties %u and %u have one key", i, j);
      }
    }
  }
  return CHI_OK;
}

chi_status chii_tls_setup(tls_state *s, const chi_tls_config *c, char *detail,
                     size_t cap) {
  setup u = {.s = s, .c = c, .detail = detail, .cap = cap};
  char why[96] = "";
  if (cap) detail[0] = 0;
  if (arguments(&u)) return u.status;
  if (!c->context) s->own = chii_tls_context(c->identity, why, sizeof why);
  s->context = c->context ? c->context : s->own;
  if (!s->context) return fail(&u, CHI_E_CRYPTO, "TLS context: %s", why);

  u.slots = c->me + c->n + STRANGERS;
  u.slot = calloc(u.slots, sizeof *u.slot);
  struct pollfd *set = calloc(u.slots + 1, sizeof *set);
  wire **who = calloc(u.slots + 1, sizeof *who);
  if (!u.slot || !set || !who) {
    (void)fail(&u, CHI_E_NOMEM, "no memory to connect %u parties", c->n);
  }
  for (unsigned i = 0; u.slot && i < u.slots; i++) {
    u.slot[i].fd = -1;
    u.slot[i].backoff = RETRY_FIRST_NS;
    if (i < c->me) u.slot[i].accept = (tls_accept){c->party, i, i + 1};
  }
  /* accept after poll may block all the same: the connection may be gone. */
  int flags = c->listen_fd >= 0 ? fcntl(c->listen_fd, F_GETFL) : 0;
  if (flags < 0 || (c->listen_fd >= 0 &&
                    fcntl(c->listen_fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
    (void)fail(&u, CHI_E_IO, "listening socket: %s", strerror(errno));
  }
  u.now = chii_now_ns();
  u.limit_ms = c->deadline_ms ? c->deadline_ms : 30000;
  u.deadline = u.now + u.limit_ms * MS_NS;
  while (!u.status) {
    unsigned first = 0, count = missing(&u, &first);
    if (count == 0) break;
    if (u.now >= u.deadline) {
      out_of_time(&u, first, count);
    } else {
      turn(&u, set, who);
    }
  }
  if (c->listen_fd >= 0) (void)fcntl(c->listen_fd, F_SETFL, flags);
  for (unsigned i = 0; u.slot && i < u.slots; i++) wire_close(&u.slot[i]);
  free(u.slot);
  free(set);
  free(who);
  return u.status;
}
