#include "evil.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Layout of a frame, as wire.h has it: tag, round, bytes, 8 bytes each. */
#define HEAD 24

typedef struct stream {
  uint8_t *frame; /* being collected from the session */
  size_t got, cap;
  uint8_t *before; /* the frame before */
  size_t before_bytes;
  uint8_t *queue; /* on its way to the inner transport */
  size_t at, end, queue_cap;
  int mute;
} stream;

typedef struct evil {
  chi_transport inner;
  unsigned n, at;
  evil_mode mode;
  volatile evil_log *log;
  stream s[CHI_PARTIES_MAX];
} evil;

const char *evil_name(evil_mode mode) {
  static const char *const text[] = {
#define EVIL_TEXT(name, what) what,
      EVIL_MODES(EVIL_TEXT)
#undef EVIL_TEXT
  };
  return text[mode];
}

static uint64_t word(const uint8_t *p) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
  return v;
}

static void put_word(uint8_t *p, uint64_t v) {
  for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void grow(uint8_t **p, size_t *cap, size_t need) {
  if (need <= *cap) return;
  *cap = 2 * need;
  *p = realloc(*p, *cap);
  if (!*p) abort();
}

static void emit(stream *s, const uint8_t *p, size_t n) {
  if (s->mute) return;
  if (s->at == s->end) s->at = s->end = 0;
  grow(&s->queue, &s->queue_cap, s->end + n);
  memcpy(s->queue + s->end, p, n);
  s->end += n;
}

static void pump(evil *e) {
  for (unsigned j = 0; j < e->n; j++) {
    stream *s = &e->s[j];
    while (s->at < s->end) {
      long k = e->inner.ops->try_send(e->inner.state, j, s->queue + s->at,
                                      s->end - s->at);
      if (k < 0) s->at = s->end;
      if (k <= 0) break;
      s->at += (size_t)k;
    }
  }
}

static void misbehave(evil *e, stream *s) {
  size_t n = s->got, payload = n - HEAD;
  uint64_t noise = 0x9e3779b97f4a7c15u;
  if (e->mode == EVIL_REPLAYED && !s->before) {
    emit(s, s->frame, n);
    return;
  }
  e->log->done = 1;
  switch (e->mode) {
    case EVIL_KILLED:
      (void)raise(SIGKILL);
      break;
    case EVIL_STOPPED:
      (void)raise(SIGSTOP);
      break;
    case EVIL_CLOSED:
      e->inner.ops->close(e->inner.state);
      _exit(0);
    case EVIL_GARBAGE:
      for (size_t i = 0; i < n; i++) {
        noise = noise * 6364136223846793005u + 1;
        s->frame[i] = (uint8_t)(noise >> 40);
      }
      emit(s, s->frame, n);
      break;
    case EVIL_LONGER:
      put_word(s->frame + 16, payload + 8);
      emit(s, s->frame, n);
      emit(s, s->frame, 8);
      break;
    case EVIL_SHORTER:
      put_word(s->frame + 16, payload - 8);
      emit(s, s->frame, n - 8);
      break;
    case EVIL_TRUNCATED:
      emit(s, s->frame, n / 2);
      s->mute = 1;
      break;
    case EVIL_REPLAYED:
      emit(s, s->before, s->before_bytes);
      break;
    case EVIL_DOUBLED:
      emit(s, s->frame, n);
      emit(s, s->frame, n);
      break;
    case EVIL_NONCANONICAL:
      for (size_t i = HEAD; i + 8 <= n; i += 8) {
        put_word(s->frame + i, (UINT64_C(1) << 61) - 1);
      }
      emit(s, s->frame, n);
      break;
    default:
      emit(s, s->frame, n);
      break;
  }
}

static long evil_send(void *state, unsigned peer, const void *p, size_t n) {
  evil *e = state;
  stream *s = &e->s[peer];
  const uint8_t *from = p;
  for (size_t left = n; left > 0;) {
    size_t want = s->got < HEAD ? HEAD : HEAD + (size_t)word(s->frame + 16);
    /* The frame that says stop has a status where others have a length. */
    if (s->got >= HEAD && word(s->frame + 8) == UINT64_MAX) want = HEAD;
    size_t k = want - s->got < left ? want - s->got : left;
    grow(&s->frame, &s->cap, want + 16);
    memcpy(s->frame + s->got, from, k);
    s->got += k;
    from += k;
    left -= k;
    if (s->got < HEAD) continue;
    int stop = word(s->frame + 8) == UINT64_MAX;
    if (!stop && s->got < HEAD + word(s->frame + 16)) continue;
    size_t whole = s->got;
    uint64_t round = word(s->frame + 8);
    if (!stop && round > e->log->rounds) e->log->rounds = (unsigned)round;
    if (round == e->at && !stop) {
      misbehave(e, s);
    } else {
      emit(s, s->frame, whole);
    }
    free(s->before);
    s->before = malloc(whole);
    if (!s->before) abort();
    memcpy(s->before, s->frame, whole);
    s->before_bytes = whole;
    s->got = 0;
  }
  pump(e);
  return (long)n;
}

static long evil_recv(void *state, unsigned peer, void *p, size_t n) {
  evil *e = state;
  pump(e);
  return e->inner.ops->try_recv(e->inner.state, peer, p, n);
}

static int evil_wait(void *state, uint64_t readable, uint64_t writable,
                     uint64_t deadline_ns) {
  evil *e = state;
  pump(e);
  if (writable) return 1;
  return e->inner.ops->wait(e->inner.state, readable, 0, deadline_ns);
}

static int evil_exporter(void *state, unsigned peer, uint8_t out[32]) {
  evil *e = state;
  return e->inner.ops->exporter(e->inner.state, peer, out);
}

static void evil_close(void *state) {
  evil *e = state;
  pump(e);
  e->inner.ops->close(e->inner.state);
  for (unsigned j = 0; j < e->n; j++) {
    free(e->s[j].frame);
    free(e->s[j].before);
    free(e->s[j].queue);
  }
  free(e);
}

static const chi_transport_ops OPS = {.try_send = evil_send,
                                      .try_recv = evil_recv,
                                      .wait = evil_wait,
                                      .exporter = evil_exporter,
                                      .close = evil_close};

chi_transport evil_wrap(const chi_transport *t, unsigned n, evil_mode mode,
                        unsigned at, volatile evil_log *log) {
  evil *e = calloc(1, sizeof *e);
  if (!e) abort();
  e->inner = *t;
  e->n = n;
  e->mode = mode;
  e->at = at;
  e->log = log;
  return (chi_transport){&OPS, e};
}
