#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 24 }; /* tag, round, bytes of payload: runtime/src/wire.h */

static uint64_t get64(const uint8_t *p) {
  uint64_t v = 0;
  for (int k = 7; k >= 0; k--) v = v << 8 | p[k];
  return v;
}

static void head_done(kit_stream *s) {
  s->frame = realloc(s->frame, (s->n + 1) * sizeof *s->frame);
  if (!s->frame) abort();
  s->frame[s->n] = (kit_frame){get64(s->head + 8), get64(s->head + 16)};
  s->left = s->frame[s->n++].bytes;
  s->head_got = 0;
}

static void see(kit_stream *s, const uint8_t *p, size_t n) {
  while (n) {
    size_t k = s->left < n ? (size_t)s->left : n;
    s->left -= k;
    p += k;
    n -= k;
    if (!n) return;
    s->head[s->head_got++] = *p++;
    n--;
    if (s->head_got == HEAD) head_done(s);
  }
}

static long try_send(void *state, unsigned peer, const void *p, size_t n) {
  kit_tap *t = state;
  long r = t->inner.ops->try_send(t->inner.state, peer, p, n);
  if (r > 0) see(&t->to[peer], p, (size_t)r);
  return r;
}
static long try_recv(void *state, unsigned peer, void *p, size_t n) {
  kit_tap *t = state;
  return t->inner.ops->try_recv(t->inner.state, peer, p, n);
}
static int wait_for(void *state, uint64_t readable, uint64_t writable,
                    uint64_t deadline_ns) {
  kit_tap *t = state;
  return t->inner.ops->wait(t->inner.state, readable, writable, deadline_ns);
}
static int exporter(void *state, unsigned peer, uint8_t out[32]) {
  kit_tap *t = state;
  return t->inner.ops->exporter(t->inner.state, peer, out);
}
static void close_all(void *state) {
  kit_tap *t = state;
  t->inner.ops->close(t->inner.state);
}

void kit_tap_around(kit_tap *t, chi_transport *tr, kit_stream *to) {
  t->inner = *tr;
  t->to = to;
  t->ops = (chi_transport_ops){.try_send = try_send, .try_recv = try_recv,
                               .wait = wait_for, .exporter = exporter,
                               .close = close_all};
  *tr = (chi_transport){&t->ops, t};
}

bool kit_same_shape(const kit_result *a, const kit_result *b, unsigned n,
                    buf *why) {
  for (unsigned i = 0; i < n * n; i++) {
    const kit_stream *x = &a->sent[i], *y = &b->sent[i];
    unsigned k = 0, most = x->n < y->n ? x->n : y->n;
    while (k < most && x->frame[k].round == y->frame[k].round &&
           x->frame[k].bytes == y->frame[k].bytes)
      k++;
    if (k == x->n && k == y->n && x->left == y->left &&
        x->head_got == y->head_got)
      continue;
    buf_printf(why, "node %u to %u, frame %u:", i / n, i % n, k);
    for (int j = 0; j < 2; j++) {
      const kit_stream *s = j ? y : x;
      if (k < s->n)
        buf_printf(why, " %llu bytes in round %llu",
                   (unsigned long long)s->frame[k].bytes,
                   (unsigned long long)s->frame[k].round);
      else
        buf_puts(why, " none");
      if (!j) buf_puts(why, ", then");
    }
    return false;
  }
  return true;
}
