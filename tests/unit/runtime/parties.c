#include "parties.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

uint64_t test_element(uint64_t *state) { return test_random(state) % CHI_P; }

/* Plain % arithmetic: the oracle shares no code with the library. */
static uint64_t mulmod(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 u128;
  return (uint64_t)((u128)a * b % CHI_P);
}

static uint64_t powmod(uint64_t a, uint64_t e) {
  uint64_t r = 1;
  for (; e; e >>= 1, a = mulmod(a, a))
    if (e & 1)
      r = mulmod(r, a);
  return r;
}

void test_split(chi_protocol protocol, unsigned n, uint64_t v,
                uint64_t *state, chi_sh *out) {
  if (protocol == CHI_REP3) {
    uint64_t x[3] = {test_element(state), test_element(state), 0};
    x[2] = (v + 2 * CHI_P - x[0] - x[1]) % CHI_P;
    for (unsigned i = 0; i < 3; i++)
      out[i] = (chi_sh){x[i], x[(i + 1) % 3]};
    return;
  }
  unsigned t = (n + 1) / 2 - 1;
  uint64_t c[CHI_PARTIES_MAX];
  for (unsigned e = 0; e < t; e++)
    c[e] = test_element(state);
  for (unsigned i = 0; i < n; i++) {
    uint64_t y = v, pw = 1;
    for (unsigned e = 0; e < t; e++) {
      pw = mulmod(pw, i + 1);
      y = (y + mulmod(c[e], pw)) % CHI_P;
    }
    out[i] = (chi_sh){y, 0};
  }
}

static uint64_t at_point(const chi_sh *in, unsigned k, uint64_t x) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < k; i++) {
    uint64_t num = in[i].a, den = 1;
    for (unsigned j = 0; j < k; j++)
      if (j != i) {
        num = mulmod(num, (x + CHI_P - (j + 1) % CHI_P) % CHI_P);
        den = mulmod(den, (i + 1 + CHI_P - (j + 1) % CHI_P) % CHI_P);
      }
    sum = (sum + mulmod(num, powmod(den, CHI_P - 2))) % CHI_P;
  }
  return sum;
}

uint64_t test_join(chi_protocol protocol, unsigned n, const chi_sh *in) {
  if (protocol == CHI_REP3) {
    for (unsigned i = 0; i < 3; i++)
      if (in[i].b != in[(i + 1) % 3].a || in[i].a >= CHI_P)
        return UINT64_MAX;
    return (in[0].a + in[1].a + in[2].a) % CHI_P;
  }
  unsigned t = (n + 1) / 2 - 1;
  for (unsigned i = t + 1; i < n; i++)
    if (at_point(in, t + 1, i + 1) != in[i].a)
      return UINT64_MAX;
  return at_point(in, t + 1, 0);
}

/* ---- what is sent ---- */

typedef struct piece {
  uint8_t *out;
  size_t n, room;
} piece;

static void emit(piece *p, const void *bytes, size_t n) {
  if (p->n + n > p->room)
    abort();
  memcpy(p->out + p->n, bytes, n);
  p->n += n;
}

static void record(tap_stream *t, const uint8_t *bytes, size_t n) {
  if (t->n + n > t->cap) {
    t->cap = 2 * (t->n + n) + 4096;
    t->bytes = realloc(t->bytes, t->cap);
    if (!t->bytes)
      abort();
  }
  memcpy(t->bytes + t->n, bytes, n);
  t->n += n;
}

static void head_done(tap_stream *t, const fault *f, piece *out) {
  uint8_t h[CHII_FRAME_BYTES];
  chii_frame fr;
  chii_frame_get(&fr, t->head);
  t->left = fr.round == CHII_ROUND_STOP ? 0 : fr.bytes;
  t->got = 0;
  if (t->frame < 64)
    t->frame_start[t->frame] = t->n;
  if (f && f->kind == FAULT_GARBAGE)
    fr.tag ^= UINT64_C(0x123456789abcdef);
  if (f && f->kind == FAULT_SHORT)
    fr.bytes -= 8;
  if (f && f->kind == FAULT_REPLAY && t->frame) {
    chii_frame old = fr;
    size_t from = t->frame_start[t->frame - 1];
    old.round--;
    old.bytes = t->n - from;
    chii_frame_put(h, &old);
    emit(out, h, sizeof h);
    emit(out, t->bytes + from, t->n - from);
  }
  chii_frame_put(h, &fr);
  emit(out, h, sizeof h);
}

static void payload(tap_stream *t, const fault *f, piece *out, uint8_t *p,
                    size_t n) {
  record(t, p, n);
  for (size_t i = 0; f && i < n; i++) {
    uint64_t at = t->got + i;
    if (f->kind == FAULT_FLIP && at == f->at)
      p[i] ^= 1;
    if (f->kind == FAULT_FLIP_TOP && at == f->at)
      p[i] ^= 0x80;
    if (f->kind == FAULT_NONCANON && at / 8 == f->at / 8)
      p[i] = (uint8_t)(CHI_P >> (8 * (at % 8)));
  }
  if (f && (f->kind == FAULT_WITHHOLD || f->kind == FAULT_CLOSE) &&
      t->got + n > f->at) {
    emit(out, p, f->at > t->got ? (size_t)(f->at - t->got) : 0);
    t->dead = true;
  } else {
    emit(out, p, n);
  }
  t->got += n;
  t->left -= n;
}

typedef struct tap_user {
  world *w;
  unsigned from;
} tap_user;

static long tap(void *user, unsigned from, unsigned to, uint8_t *p,
                size_t bytes, size_t room) {
  world *w = ((tap_user *)user)->w;
  tap_stream *t = &w->tap[from * w->n + to];
  uint8_t *copy = malloc(bytes);
  if (!copy)
    abort();
  memcpy(copy, p, bytes);
  piece out = {p, 0, room};
  for (size_t i = 0; i < bytes && !t->dead;) {
    const fault *f = w->fault.kind && w->fault.from == from &&
                             w->fault.to == to && w->fault.frame == t->frame
                         ? &w->fault
                         : NULL;
    if (t->head_got < CHII_FRAME_BYTES) {
      t->head[t->head_got++] = copy[i++];
      if (t->head_got < CHII_FRAME_BYTES)
        continue;
      head_done(t, f, &out);
    } else {
      size_t n = (size_t)chii_min(bytes - i, t->left);
      payload(t, f, &out, copy + i, n);
      i += n;
    }
    if (t->left == 0 && !t->dead) {
      if (f && f->kind == FAULT_LONG)
        emit(&out, "\0\0\0\0\0\0\0\0", 8);
      t->head_got = 0;
      t->frame++;
    }
  }
  free(copy);
  if (t->dead && w->fault.kind == FAULT_CLOSE)
    return CHII_MEM_CLOSE;
  if (t->dead && out.n == 0)
    return CHII_MEM_SWALLOW;
  return (long)out.n;
}

/* ---- parties ---- */

typedef struct party {
  world *w;
  unsigned me;
  chi_transport tr;
  pthread_t thread;
  tap_user tap;
} party;

static const uint8_t no_keys[CHI_PARTIES_MAX][CHI_KEY_BYTES];

static void *run_party(void *arg) {
  party *p = arg;
  world *w = p->w;
  party_result *r = &w->result[p->me];
  chi_session *s;
  chi_session_config cfg = {.protocol = w->protocol,
                            .n = w->n,
                            .me = p->me,
                            .party_key = w->keys ? w->keys : no_keys,
                            .identity =
                                w->identity ? w->identity[p->me] : NULL,
                            .deadline_ms = w->deadline_ms,
                            .alloc = w->alloc ? &w->alloc[p->me] : NULL,
                            .vec_words = w->vec_words,
                            .field = TEST_FIELD};
  if (w->field.mersenne || w->field.words)
    cfg.field = w->field;
  if (w->odd_field && w->odd == p->me)
    cfg.field = *w->odd_field;
  memcpy(cfg.session_id, w->session_id, sizeof cfg.session_id);
  const chi_program *program =
      w->odd_program && w->odd == p->me ? w->odd_program : w->program;
  r->status = chi_session_new(&s, &p->tr, &cfg, program);
  if (r->status)
    return NULL;
  if (w->prepare)
    w->prepare(s, w->user);
  r->status = chi_session_start(s);
  if (!r->status && w->before_run)
    w->before_run(s, w->user);
  if (!r->status && w->program)
    r->status = chi_session_run(s);
  r->outputs = !r->status && w->program;
  if (w->finish)
    w->finish(s, w->user);
  r->status = chi_session_status(s);
  r->culprit = chi_session_culprit(s);
  snprintf(r->detail, sizeof r->detail, "%s", chi_session_detail(s));
  chi_session_stats(s, &r->stats);
  chi_session_free(s);
  return NULL;
}

/* ---- all in one thread ---- */

enum { STACK = 1 << 20 };

typedef struct turns {
  ucontext_t host, of[CHI_PARTIES_MAX];
  party *party;
  unsigned now;
  bool done[CHI_PARTIES_MAX];
} turns;

static turns *the_turns; /* one world at a time takes turns */

static int next_turn(void *state, uint64_t readable, uint64_t writable,
                     uint64_t deadline_ns) {
  turns *t = the_turns;
  (void)state, (void)readable, (void)writable, (void)deadline_ns;
  swapcontext(&t->of[t->now], &t->host);
  return 1; /* maybe: who waits looks again */
}

static void play(void) {
  turns *t = the_turns;
  (void)run_party(&t->party[t->now]);
  t->done[t->now] = true;
}

/* Whoever would wait lets the next one go on: a switch costs less than a
 * thread's, and the order is always the same. */
static void take_turns(world *w, party *p) {
  turns *t = the_turns = calloc(1, sizeof *t);
  uint8_t *stack = malloc((size_t)w->n * STACK);
  chi_transport_ops ops = *p[0].tr.ops;
  if (!t || !stack)
    abort();
  ops.wait = next_turn;
  t->party = p;
  for (unsigned i = 0; i < w->n; i++) {
    p[i].tr.ops = &ops;
    getcontext(&t->of[i]);
    t->of[i].uc_stack.ss_sp = stack + (size_t)i * STACK;
    t->of[i].uc_stack.ss_size = STACK;
    t->of[i].uc_link = &t->host;
    makecontext(&t->of[i], play, 0);
  }
  for (unsigned left = w->n; left;)
    for (t->now = 0; t->now < w->n; t->now++) {
      if (t->done[t->now])
        continue;
      swapcontext(&t->host, &t->of[t->now]);
      left -= t->done[t->now];
    }
  free(stack);
  free(t);
}

void world_run(world *w) {
  party *p = calloc(w->n, sizeof *p);
  chi_transport tr[CHI_PARTIES_MAX];
  if (!p || chi_mem_new(tr, w->n) != CHI_OK)
    abort();
  memset(w->result, 0, sizeof w->result);
  if (w->record || w->fault.kind) {
    w->tap = calloc((size_t)w->n * w->n, sizeof *w->tap);
    if (!w->tap)
      abort();
  }
  uint64_t start = chii_now_ns();
  for (unsigned i = 0; i < w->n; i++) {
    p[i] = (party){.w = w, .me = i, .tr = tr[i], .tap = {w, i}};
    if (w->tap)
      chii_mem_intercept(&p[i].tr, tap, &p[i].tap);
  }
  if (w->in_turn)
    take_turns(w, p);
  for (unsigned i = 0; i < w->n && !w->in_turn; i++)
    if (pthread_create(&p[i].thread, NULL, run_party, &p[i]) != 0)
      abort();
  for (unsigned i = 0; i < w->n && !w->in_turn; i++)
    pthread_join(p[i].thread, NULL);
  w->seconds = (double)(chii_now_ns() - start) * 1e-9;
  free(p);
}

const uint64_t *world_frame(const world *w, unsigned from, unsigned to,
                            unsigned frame, size_t *words) {
  const tap_stream *t = &w->tap[from * w->n + to];
  size_t end = frame + 1 < t->frame ? t->frame_start[frame + 1] : t->n;
  *words = (end - t->frame_start[frame]) / 8;
  return (const uint64_t *)(const void *)(t->bytes + t->frame_start[frame]);
}

void world_free(world *w) {
  for (unsigned i = 0; w->tap && i < w->n * w->n; i++)
    free(w->tap[i].bytes);
  free(w->tap);
  w->tap = NULL;
}
