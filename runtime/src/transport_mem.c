/* Parties in one process: a ring of bytes for each ordered pair, one reader and
 * one writer each.  Positions are atomic, so bytes are copied without a lock;
 * a party's mutex and condition are only for waiting. */
#include "transport_mem.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util.h"

typedef struct mem_ring {
  _Atomic size_t head, tail; /* bytes written, read; never wrap in practice */
  _Atomic bool closed;       /* by the writer or by the reader */
  uint8_t *data;
} mem_ring;

typedef struct mem_hub mem_hub;

typedef struct mem_party {
  mem_hub *hub;
  unsigned me;
  pthread_mutex_t lock;
  pthread_cond_t news;
#ifdef CHI_TEST_HOOKS
  chii_mem_hook hook;
  void *hook_user;
  uint8_t *piece;
#endif
} mem_party;

struct mem_hub {
  unsigned n;
  size_t room; /* of a ring, a power of two */
  atomic_uint open;
  uint8_t secret[32];
  mem_party party[CHI_PARTIES_MAX];
  mem_ring *ring; /* [from * n + to] */
  uint8_t *data;
};

static mem_ring *ring_of(const mem_hub *h, unsigned from, unsigned to) {
  return &h->ring[from * h->n + to];
}

static void wake(mem_party *p) {
  pthread_mutex_lock(&p->lock);
  pthread_cond_signal(&p->news);
  pthread_mutex_unlock(&p->lock);
}

static size_t ring_put(const mem_hub *h, mem_ring *r, const uint8_t *p,
                       size_t n) {
  size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
  size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
  size_t at = head & (h->room - 1), end = h->room - at;
  n = (size_t)chii_min(n, h->room - (head - tail));
  size_t first = (size_t)chii_min(n, end);
  memcpy(r->data + at, p, first);
  memcpy(r->data, p + first, n - first);
  atomic_store_explicit(&r->head, head + n, memory_order_release);
  return n;
}

static size_t ring_get(const mem_hub *h, mem_ring *r, uint8_t *p, size_t n) {
  size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
  size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
  size_t at = tail & (h->room - 1), end = h->room - at;
  n = (size_t)chii_min(n, head - tail);
  size_t first = (size_t)chii_min(n, end);
  memcpy(p, r->data + at, first);
  memcpy(p + first, r->data, n - first);
  atomic_store_explicit(&r->tail, tail + n, memory_order_release);
  return n;
}

#ifdef CHI_TEST_HOOKS
#define PIECE 65536

void chii_mem_intercept(chi_transport *tr, chii_mem_hook hook, void *user) {
  mem_party *p = tr->state;
  if (!p->piece)
    p->piece = malloc(2 * PIECE);
  p->hook = p->piece ? hook : NULL;
  p->hook_user = user;
}

/* Through the hook: a piece goes whole or not at all. */
static long send_hooked(mem_party *p, mem_ring *r, unsigned peer,
                        const uint8_t *bytes, size_t n) {
  mem_hub *h = p->hub;
  n = (size_t)chii_min(n, PIECE / 2);
  size_t used = atomic_load(&r->head) - atomic_load(&r->tail);
  if (h->room - used < 2 * PIECE)
    return 0;
  memcpy(p->piece, bytes, n);
  long m = p->hook(p->hook_user, p->me, peer, p->piece, n, 2 * PIECE);
  if (m == CHII_MEM_CLOSE) {
    atomic_store(&r->closed, true);
  } else if (m != CHII_MEM_SWALLOW) {
    (void)ring_put(h, r, p->piece, (size_t)m);
  }
  wake(&h->party[peer]);
  return (long)n;
}
#endif

static long try_send(void *state, unsigned peer, const void *bytes, size_t n) {
  mem_party *p = state;
  mem_ring *r = ring_of(p->hub, p->me, peer);
  if (atomic_load(&r->closed))
    return CHI_IO_CLOSED;
#ifdef CHI_TEST_HOOKS
  if (p->hook)
    return send_hooked(p, r, peer, bytes, n);
#endif
  n = ring_put(p->hub, r, bytes, n);
  if (n)
    wake(&p->hub->party[peer]);
  return (long)n;
}

static long try_recv(void *state, unsigned peer, void *bytes, size_t n) {
  mem_party *p = state;
  mem_ring *r = ring_of(p->hub, peer, p->me);
  bool closed = atomic_load(&r->closed); /* before: nothing may follow */
  n = ring_get(p->hub, r, bytes, n);
  if (n == 0)
    return closed ? CHI_IO_CLOSED : 0;
  wake(&p->hub->party[peer]);
  return (long)n;
}

static bool ready(const mem_party *p, uint64_t readable, uint64_t writable) {
  const mem_hub *h = p->hub;
  for (unsigned j = 0; j < h->n; j++) {
    uint64_t bit = UINT64_C(1) << j;
    mem_ring *in = ring_of(h, j, p->me), *out = ring_of(h, p->me, j);
    if ((readable & bit) && (atomic_load(&in->head) != atomic_load(&in->tail) ||
                             atomic_load(&in->closed)))
      return true;
    size_t used = atomic_load(&out->head) - atomic_load(&out->tail);
    size_t least = 0;
#ifdef CHI_TEST_HOOKS
    least = p->hook ? 2 * PIECE - 1 : 0;
#endif
    if ((writable & bit) &&
        (h->room - used > least || atomic_load(&out->closed)))
      return true;
  }
  return false;
}

static int wait_news(void *state, uint64_t readable, uint64_t writable,
                     uint64_t deadline_ns) {
  mem_party *p = state;
  struct timespec ts = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                        .tv_nsec = (long)(deadline_ns % 1000000000u)};
  int r = 0;
  bool is;
  pthread_mutex_lock(&p->lock);
  while (!(is = ready(p, readable, writable)) && r == 0)
    r = pthread_cond_timedwait(&p->news, &p->lock, &ts);
  pthread_mutex_unlock(&p->lock);
  return is ? 1 : 0;
}

/* A value of the pair, as a TLS exporter gives. */
static int exporter(void *state, unsigned peer, uint8_t out[32]) {
  const mem_party *p = state;
  uint8_t pair[2] = {(uint8_t)(p->me < peer ? p->me : peer),
                     (uint8_t)(p->me < peer ? peer : p->me)};
  return crypto_generichash(out, 32, pair, 2, p->hub->secret, 32);
}

static void free_hub(mem_hub *h) {
  for (unsigned i = 0; i < h->n; i++) {
    pthread_mutex_destroy(&h->party[i].lock);
    pthread_cond_destroy(&h->party[i].news);
#ifdef CHI_TEST_HOOKS
    free(h->party[i].piece);
#endif
  }
  chii_wipe(h->secret, sizeof h->secret);
  free(h->data);
  free(h->ring);
  free(h);
}

static void close_party(void *state) {
  mem_party *p = state;
  mem_hub *h = p->hub;
  for (unsigned j = 0; j < h->n; j++) {
    if (j == p->me)
      continue;
    atomic_store(&ring_of(h, p->me, j)->closed, true);
    atomic_store(&ring_of(h, j, p->me)->closed, true);
    wake(&h->party[j]);
  }
  if (atomic_fetch_sub(&h->open, 1) == 1)
    free_hub(h);
}

static const chi_transport_ops mem_ops = {.try_send = try_send,
                                          .try_recv = try_recv,
                                          .wait = wait_news,
                                          .exporter = exporter,
                                          .close = close_party};

chi_status chi_mem_new(chi_transport *out, unsigned n) {
  if (!out || n < 2 || n > CHI_PARTIES_MAX)
    return CHI_E_ARG;
  if (sodium_init() < 0)
    return CHI_E_CRYPTO;
  mem_hub *h = calloc(1, sizeof *h);
  if (!h)
    return CHI_E_NOMEM;
  h->room = n <= 5 ? (size_t)1 << 20 : (size_t)1 << 18;
  h->ring = calloc((size_t)n * n, sizeof *h->ring);
  h->data = malloc((size_t)n * n * h->room);
  if (!h->ring || !h->data) {
    free(h->ring);
    free(h->data);
    free(h);
    return CHI_E_NOMEM;
  }
  h->n = n;
  atomic_store(&h->open, n);
  randombytes_buf(h->secret, sizeof h->secret);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  for (unsigned i = 0; i < n * n; i++)
    h->ring[i].data = h->data + (size_t)i * h->room;
  for (unsigned i = 0; i < n; i++) {
    h->party[i].hub = h;
    h->party[i].me = i;
    pthread_mutex_init(&h->party[i].lock, NULL);
    pthread_cond_init(&h->party[i].news, &attr);
    out[i] = (chi_transport){&mem_ops, &h->party[i]};
  }
  pthread_condattr_destroy(&attr);
  return CHI_OK;
}
