/* Rounds: full duplex with all peers at once, over a non-blocking transport.
 *
 * Every node computes, from the same schedule, how many bytes each peer sends
 * in a round; a frame of any other length is refused.  Sending never waits for
 * a particular peer: whoever waits for room in a send ring, or for bytes, moves
 * everything else that can move.  Why that cannot stop for ever: let X be a
 * node that waits for room towards Y and has advanced least in the round.  Y is
 * at least as far, so it has destinations for all that X has queued, and Y
 * reads whenever it waits itself.
 */
#include <string.h>

#include "ctime.h"
#include "session.h"

static const char *io_reason(chi_session *s, unsigned peer, long r) {
  const char *why =
      s->tr.ops->describe ? s->tr.ops->describe(s->tr.state, peer) : NULL;
  if (why && *why)
    return why;
  return r == CHI_IO_CLOSED ? "it closed its stream" : "the transport failed";
}

static void io_failed(chi_session *s, unsigned peer, long r) {
  chii_fail(s, r == CHI_IO_CLOSED ? CHI_E_PEER_LOST : CHI_E_IO, (int)peer,
            "party %u is lost: %s", peer, io_reason(s, peer, r));
}

static bool recv_due(const chii_link *l) { return l->recv_got < l->recv_total; }

/* Where the next payload bytes go. */
static size_t destination(chi_session *s, unsigned peer, uint8_t **p) {
  chii_link *l = &s->link[peer];
  uint64_t left = l->recv_total - l->recv_got;
  if (l->raw) {
    *p = l->raw + l->recv_got;
    return (size_t)left;
  }
  size_t n = s->proto->want(s, peer, p);
  return (size_t)chii_min(n, left);
}

/* The party to name when nothing moves: one that owes bytes, else one that
 * does not take any. */
static unsigned staller(chi_session *s) {
  uint8_t *p;
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me && recv_due(&s->link[j]) &&
        (s->link[j].head_got < CHII_FRAME_BYTES || destination(s, j, &p)))
      return j;
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me && s->link[j].span_count)
      return j;
  return s->me;
}

/* The peer's session failed and it said why. */
static void peer_stopped(chi_session *s, unsigned peer, uint64_t word) {
  chi_status st = (chi_status)(word & 255);
  int who = (int)(word >> 8 & 255) - 1;
  unsigned cause = staller(s);
  if (st == CHI_E_PEER_STALLED && who == (int)s->me && cause != s->me &&
      cause != peer) { /* it waits for us, and we for somebody else */
    chii_fail(s, CHI_E_PEER_STALLED, (int)cause,
              "party %u was silent, in round %llu, until party %u stopped",
              cause, (unsigned long long)s->round, peer);
    return;
  }
  s->accused = who == (int)s->me;
  s->stopped_by = (int)peer;
  s->stop_word = word;
  if (who < 0 || who >= (int)s->n || who == (int)s->me || who == (int)peer) {
    chii_fail(s, CHI_E_PEER_LOST, (int)peer, "party %u stopped the run: %s%s",
              peer, chi_status_name(st),
              who == (int)s->me ? ", naming this party" : "");
    return;
  }
  chii_fail(s, CHI_E_PEER_LOST, who,
            "party %u stopped the run: %s, naming party %d", peer,
            chi_status_name(st), who);
}

static void head_arrived(chi_session *s, unsigned peer) {
  chii_link *l = &s->link[peer];
  chii_frame got, want = {s->tag, s->round, l->recv_total};
  chii_frame_get(&got, l->head);
  switch (chii_frame_check(&got, &want)) {
  case CHII_FRAME_GOOD:
    return;
  case CHII_FRAME_STOP:
    peer_stopped(s, peer, got.bytes);
    return;
  case CHII_FRAME_GARBAGE:
    chii_fail(s, CHI_E_PROTOCOL, (int)peer,
              "party %u sent bytes that are no frame of this session, in round"
              " %llu",
              peer, (unsigned long long)s->round);
    return;
  case CHII_FRAME_OLD:
    chii_fail(s, CHI_E_PROTOCOL, (int)peer,
              "party %u sent a frame of round %llu again, in round %llu", peer,
              (unsigned long long)got.round, (unsigned long long)s->round);
    return;
  case CHII_FRAME_EARLY:
    chii_fail(s, CHI_E_PROTOCOL, (int)peer,
              "party %u sent a frame of round %llu in round %llu", peer,
              (unsigned long long)got.round, (unsigned long long)s->round);
    return;
  case CHII_FRAME_LENGTH:
    chii_fail(s, CHI_E_PROTOCOL, (int)peer,
              "party %u announced %llu bytes where %llu are scheduled, in"
              " round %llu",
              peer, (unsigned long long)got.bytes,
              (unsigned long long)want.bytes, (unsigned long long)s->round);
    return;
  }
}

/* Is it all ones, as farewell.c fills up what it breaks off? */
static bool is_fill(const uint64_t *v, unsigned words) {
  uint64_t all = UINT64_MAX;
  for (unsigned i = 0; i < words; i++)
    all &= v[i];
  return all == UINT64_MAX;
}

bool chii_canonical(chi_session *s, unsigned peer, const uint64_t *v,
                    size_t n) {
  uint64_t bad = s->field.op->above(&s->field, v, n);
  CHII_PUBLIC(&bad, sizeof bad);
  if (!bad)
    return true;
  CHII_PUBLIC(v, n * s->eb);
  for (size_t i = 0; i < n; i++)
    if (is_fill(v + i * s->ew, s->ew)) { /* its reason follows */
      chii_fail(s, CHI_E_PEER_LOST, (int)peer,
                "party %u broke off what it was sending, in round %llu", peer,
                (unsigned long long)s->round);
      return false;
    }
  chii_fail(s, CHI_E_PROTOCOL, (int)peer,
            "party %u sent a number that is not reduced modulo p, in round"
            " %llu",
            peer, (unsigned long long)s->round);
  return false;
}

chi_status chii_links_new(chi_session *s, uint32_t spans) {
  s->ring_bytes = CHII_RING_CHUNKS * CHUNK * s->eb;
  s->link = chii_alloc(s, s->n, sizeof *s->link);
  if (!s->link)
    return CHI_E_NOMEM;
  for (unsigned j = 0; j < s->n; j++) {
    chii_link *l = &s->link[j];
    if (j == s->me)
      continue;
    l->span_cap = spans;
    l->span = chii_alloc(s, spans, sizeof *l->span);
    l->ring = chii_alloc(s, s->ring_bytes, 1);
    if (!l->span || !l->ring)
      return CHI_E_NOMEM;
  }
  return CHI_OK;
}

void chii_links_free(chi_session *s) {
  if (!s->link)
    return;
  for (unsigned j = 0; j < s->n; j++) {
    chii_wipe(s->link[j].ring, s->link[j].ring ? s->ring_bytes : 0);
    chii_free(s, s->link[j].ring);
    chii_free(s, s->link[j].span);
  }
  chii_free(s, s->link);
  s->link = NULL;
}

/* Sends what the peer takes; true if something left. */
static bool pump_send(chi_session *s, unsigned peer) {
  chii_link *l = &s->link[peer];
  bool moved = false;
  while (l->span_count) {
    chii_span *sp = &l->span[l->span_head];
    long r = s->tr.ops->try_send(s->tr.state, peer, sp->p, sp->bytes);
    if (r == 0)
      break;
    if (r < 0 || (size_t)r > sp->bytes) {
      io_failed(s, peer, r);
      return false;
    }
    moved = true;
    l->head_sent_part = true;
    s->stats.wire_bytes_sent += (uint64_t)r;
    sp->p += r;
    sp->bytes -= (size_t)r;
    if (sp->ring) {
      l->ring_used -= sp->skip + (size_t)r;
      sp->skip = 0;
    }
    if (sp->bytes == 0) {
      l->span_head = (l->span_head + 1) % l->span_cap;
      l->span_count--;
    }
  }
  return moved;
}

static bool pump_recv(chi_session *s, unsigned peer) {
  chii_link *l = &s->link[peer];
  bool moved = false;
  while (recv_due(l)) {
    uint8_t *p;
    size_t n;
    if (l->head_got < CHII_FRAME_BYTES) {
      p = l->head + l->head_got;
      n = CHII_FRAME_BYTES - l->head_got;
    } else {
      n = destination(s, peer, &p);
      if (n == 0)
        break;
    }
    long r = s->tr.ops->try_recv(s->tr.state, peer, p, n);
    if (r == 0)
      break;
    if (r < 0 || (size_t)r > n) {
      io_failed(s, peer, r);
      return false;
    }
    moved = true;
    if (l->head_got < CHII_FRAME_BYTES) {
      l->head_got += (unsigned)r;
      if (l->head_got == CHII_FRAME_BYTES)
        head_arrived(s, peer);
    } else {
      l->recv_got += (uint64_t)r;
      if (!l->raw)
        s->proto->took(s, peer, (size_t)r);
    }
    if (s->status)
      return false;
  }
  return moved;
}

static bool pump(chi_session *s) {
  bool moved = false;
  for (unsigned j = 0; j < s->n && !s->status; j++) {
    if (j == s->me)
      continue;
    /* first what the peer said: it may explain why it will not take more */
    if (pump_recv(s, j))
      moved = true;
    if (!s->status && pump_send(s, j))
      moved = true;
  }
  return moved;
}

void chii_pump(chi_session *s) { (void)pump(s); }

/* Waits until something may move; fails at the deadline. */
static void wait_io(chi_session *s) {
  uint64_t readable = 0, writable = 0;
  uint8_t *p;
  for (unsigned j = 0; j < s->n; j++) {
    const chii_link *l = &s->link[j];
    if (j == s->me)
      continue;
    if (recv_due(l) &&
        (l->head_got < CHII_FRAME_BYTES || destination(s, j, &p) > 0))
      readable |= UINT64_C(1) << j;
    if (l->span_count)
      writable |= UINT64_C(1) << j;
  }
  if (!(readable | writable)) {
    chii_fail(s, CHI_E_BUG, -1, "round %llu cannot end: nothing is on its way",
              (unsigned long long)s->round);
    return;
  }
  int r = s->tr.ops->wait(s->tr.state, readable, writable, s->deadline_ns);
  if (r < 0) {
    chii_fail(s, CHI_E_IO, -1, "waiting for the peers failed: %s",
              io_reason(s, s->me, r));
  } else if (r == 0 && chii_now_ns() >= s->deadline_ns) {
    unsigned j = staller(s);
    chii_fail(s, CHI_E_PEER_STALLED, (int)j,
              "party %u was silent for %u ms, in round %llu", j,
              (unsigned)s->deadline_ms, (unsigned long long)s->round);
  }
}

/* Silence allowed from now on: the configured time, and 1 ms for each KiB of
 * the round, so that a trickle ends as well. */
static void arm_deadline(chi_session *s) {
  uint64_t kib = 0;
  for (unsigned j = 0; j < s->n; j++)
    kib += (s->link[j].recv_total + s->link[j].send_total) / 1024;
  s->deadline_ns = chii_now_ns() + (s->deadline_ms + kib) * 1000000;
}

static void push_span(chi_session *s, unsigned peer, const uint8_t *p,
                      size_t bytes, size_t skip, bool ring) {
  chii_link *l = &s->link[peer];
  if (l->span_count) {
    chii_span *last =
        &l->span[(l->span_head + l->span_count - 1) % l->span_cap];
    if (last->p + last->bytes == p && last->ring == ring) {
      last->bytes += bytes; /* adjacent, so nothing was skipped */
      return;
    }
  }
  if (l->span_count == l->span_cap) {
    arm_deadline(s);
    while (!s->status && l->span_count == l->span_cap)
      if (!pump(s) && !s->status)
        wait_io(s);
    if (s->status)
      return;
  }
  l->span[(l->span_head + l->span_count) % l->span_cap] =
      (chii_span){p, bytes, skip, ring};
  l->span_count++;
}

/* Contiguous room in the ring at a word's boundary, or NULL; *skip: bytes lost
 * in front of it. */
static uint8_t *ring_room(const chi_session *s, chii_link *l, size_t bytes,
                          size_t *skip) {
  size_t pos = (l->ring_pos + 7) & ~(size_t)7;
  bool wrap = s->ring_bytes - pos < bytes;
  *skip = (wrap ? s->ring_bytes : pos) - l->ring_pos;
  if (l->ring_used + *skip + bytes > s->ring_bytes)
    return NULL;
  return wrap ? l->ring : l->ring + pos;
}

static void *reserve(chi_session *s, unsigned peer, size_t bytes) {
  chii_link *l = &s->link[peer];
  size_t skip;
  uint8_t *p = ring_room(s, l, bytes, &skip);
  if (!p) {
    arm_deadline(s);
    while (!s->status && !(p = ring_room(s, l, bytes, &skip)))
      if (!pump(s) && !s->status)
        wait_io(s);
    if (s->status)
      return NULL;
  }
  l->ring_pos = (size_t)(p - l->ring) + bytes;
  l->ring_used += skip + bytes;
  push_span(s, peer, p, bytes, skip, true);
  return s->status ? NULL : p;
}

void chii_round_begin(chi_session *s, const uint64_t *send,
                      const uint64_t *recv, uint8_t *const *raw) {
  if (s->status)
    return;
  s->round++;
  for (unsigned j = 0; j < s->n; j++) {
    chii_link *l = &s->link[j];
    if (j == s->me)
      continue;
    l->send_total = send[j];
    l->recv_total = recv[j];
    l->queued = l->recv_got = 0;
    l->head_got = 0;
    l->head_sent_part = false;
    l->raw = raw ? raw[j] : NULL;
    if (send[j]) {
      uint8_t *h = reserve(s, j, CHII_FRAME_BYTES);
      if (!h)
        return;
      chii_frame f = {s->tag, s->round, send[j]};
      chii_frame_put(h, &f);
    }
  }
}

static void count_payload(chi_session *s, unsigned peer, size_t bytes) {
  s->link[peer].queued += bytes;
  if (s->setup)
    s->stats.setup_bytes_sent += bytes;
  else
    s->stats.bytes_sent += bytes;
}

void chii_count_elements(chi_session *s, uint64_t elements) {
  if (!s->setup)
    s->stats.elements_sent += elements;
}

void *chii_send_reserve(chi_session *s, unsigned peer, size_t bytes) {
  if (s->status)
    return NULL;
  void *p = reserve(s, peer, bytes);
  if (p)
    count_payload(s, peer, bytes);
  return p;
}

void chii_send_direct(chi_session *s, unsigned peer, const void *p,
                      size_t bytes) {
  if (s->status || bytes == 0)
    return;
  push_span(s, peer, p, bytes, 0, false);
  if (!s->status)
    count_payload(s, peer, bytes);
}

static bool round_over(const chi_session *s) {
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me && (s->link[j].span_count || recv_due(&s->link[j])))
      return false;
  return true;
}

void chii_round_end(chi_session *s) {
  if (s->status)
    return;
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me && s->link[j].queued != s->link[j].send_total) {
      chii_fail(s, CHI_E_BUG, -1,
                "%llu bytes for party %u where %llu are scheduled",
                (unsigned long long)s->link[j].queued, j,
                (unsigned long long)s->link[j].send_total);
      return;
    }
  arm_deadline(s);
  for (;;) {
    bool moved = pump(s);
    if (s->status)
      return;
    if (round_over(s))
      break;
    if (!moved)
      wait_io(s);
    if (s->status)
      return;
  }
  /* Whoever takes nothing until the deadline is named by the round that misses
   * its answer. */
  if (s->tr.ops->drain)
    (void)s->tr.ops->drain(s->tr.state, s->deadline_ns);
}

void chii_swap(chi_session *s, const uint8_t *out, size_t out_stride,
               uint8_t *in, size_t bytes) {
  uint64_t len[CHI_PARTIES_MAX];
  uint8_t *raw[CHI_PARTIES_MAX];
  for (unsigned j = 0; j < s->n; j++) {
    len[j] = bytes;
    raw[j] = in + j * bytes;
  }
  chii_round_begin(s, len, len, raw);
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me)
      chii_send_direct(s, j, out + j * out_stride, bytes);
  chii_round_end(s);
}

void chii_quiet(chi_session *s, unsigned peer) {
  uint8_t h[CHII_FRAME_BYTES];
  chii_frame f;
  long r = s->tr.ops->try_recv(s->tr.state, peer, h, sizeof h);
  if (r <= 0)
    return;
  memset(h + r, 0, sizeof h - (size_t)r);
  chii_frame_get(&f, h);
  if (f.tag == s->tag && f.round == CHII_ROUND_STOP)
    peer_stopped(s, peer, f.bytes);
  else
    chii_fail(s, CHI_E_PROTOCOL, (int)peer,
              "party %u sent more than was scheduled", peer);
}
