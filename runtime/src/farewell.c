/* How a session that fails parts from its peers: it tells each of them why,
 * and, where it only knows that somebody fell silent, hears what the others
 * know before it names a culprit.
 *
 * A stop frame can only stand where a frame may begin.  A frame that is half
 * sent is brought to its end with bytes 0xff: no such word is an element, so
 * the receiver notices at once (chii_canonical) and finds the stop behind it.
 * Shared bits may be any bytes: a frame with some in it is left as it is, the
 * stream ends there, and the receiver loses its peer in that round.  Taken for
 * shares, the fill would let the receiver go on and send openings of them.
 *
 * Silence spreads: if 1 is stuck, 0 waits for 1, and 2 for 0.  So each says
 * whom it suspects and then follows the chain from its own suspect to the one
 * who says nothing.  All of it takes half a deadline, but 0.5 s at least and
 * 2 s at most; nothing where the culprit's stream has ended.
 */
#include <stdio.h>
#include <string.h>

#include "session.h"

#define FILL_BYTES 4096
#define GRACE_MIN_MS 500
#define GRACE_MAX_MS 2000
#define NOBODY UINT32_MAX

/* One peer while we part. */
typedef struct parting {
  /* to the peer */
  uint64_t fill; /* bytes missing in the frame that is half sent */
  unsigned said; /* bytes of the stop frame that have left */
  bool mute;     /* takes nothing more */
  /* from the peer */
  uint64_t skip; /* payload to be passed over */
  unsigned head_got;
  uint8_t head[CHII_FRAME_BYTES];
  bool owed;  /* something of it was due when we failed */
  bool deaf;  /* nothing more to be had: closed, or no frames */
  bool spoke; /* it sent a stop frame */
  chi_status why;
  unsigned whom; /* it names; NOBODY */
  uint64_t round; /* in which it stopped */
} parting;

typedef struct farewell {
  chi_session *s;
  parting p[CHI_PARTIES_MAX];
  bool hold; /* our reason is not known yet */
  uint8_t stop[CHII_FRAME_BYTES];
  uint8_t fill[FILL_BYTES];
} farewell;

static void stopped(farewell *f, unsigned j, uint64_t word) {
  parting *p = &f->p[j];
  unsigned who = (unsigned)(word >> 8 & 255); /* + 1; 0: nobody */
  p->spoke = p->deaf = true;
  p->why = (chi_status)(word & 255);
  p->whom = who && who <= f->s->n ? who - 1 : NOBODY;
  p->round = word >> 16;
}

static void meet(farewell *f, unsigned j) {
  chii_link *l = &f->s->link[j];
  parting *p = &f->p[j];
  bool due = l->recv_got < l->recv_total;
  if (l->head_sent_part) {
    p->fill = l->send_total - l->queued;
    if (p->fill && f->s->load.items) {
      p->fill = 0;
      l->span_count = 0;
      p->mute = true;
    }
  } else {
    l->span_count = 0; /* nothing of the frame has left: it never existed */
  }
  p->owed = due;
  if (due && l->head_got == CHII_FRAME_BYTES) {
    p->skip = l->recv_total - l->recv_got;
  } else if (due) {
    p->head_got = l->head_got;
    memcpy(p->head, l->head, l->head_got);
  }
  if (f->s->stopped_by == (int)j)
    stopped(f, j, f->s->stop_word);
}

static bool spoken_to(const parting *p) {
  return p->mute || p->said == CHII_FRAME_BYTES;
}

/* Sends to j what it takes. */
static void say(farewell *f, unsigned j) {
  chi_session *s = f->s;
  chii_link *l = &s->link[j];
  parting *p = &f->p[j];
  while (!spoken_to(p)) {
    chii_span *sp = l->span_count ? &l->span[l->span_head] : NULL;
    if (!sp && !p->fill && f->hold)
      return;
    const uint8_t *from = sp ? sp->p : p->fill ? f->fill : f->stop + p->said;
    size_t n = sp        ? sp->bytes
               : p->fill ? (size_t)chii_min(p->fill, FILL_BYTES)
                         : CHII_FRAME_BYTES - p->said;
    long r = s->tr.ops->try_send(s->tr.state, j, from, n);
    if (r < 0 || (size_t)r > n)
      p->mute = true;
    if (r <= 0)
      return;
    if (sp) {
      sp->p += r;
      sp->bytes -= (size_t)r;
      if (sp->bytes == 0) {
        l->span_head = (l->span_head + 1) % l->span_cap;
        l->span_count--;
      }
    } else if (p->fill) {
      p->fill -= (uint64_t)r;
    } else {
      p->said += (unsigned)r;
    }
  }
}

static void head_heard(farewell *f, unsigned j) {
  parting *p = &f->p[j];
  chii_frame got;
  chii_frame_get(&got, p->head);
  p->head_got = 0;
  if (got.round == CHII_ROUND_STOP) {
    stopped(f, j, got.bytes);
  } else if (got.tag == f->s->tag) {
    p->skip = got.bytes;
  } else {
    p->deaf = true;
  }
}

/* Reads from j what there is, up to its stop frame. */
static void hear(farewell *f, unsigned j) {
  chi_session *s = f->s;
  parting *p = &f->p[j];
  uint8_t sink[FILL_BYTES];
  for (int turns = 0; turns < 64 && !p->deaf; turns++) {
    size_t n = p->skip ? (size_t)chii_min(p->skip, sizeof sink)
                       : CHII_FRAME_BYTES - p->head_got;
    uint8_t *to = p->skip ? sink : p->head + p->head_got;
    long r = s->tr.ops->try_recv(s->tr.state, j, to, n);
    if (r < 0 || (size_t)r > n)
      p->deaf = true;
    if (r <= 0)
      break;
    if (p->skip) {
      p->skip -= (uint64_t)r;
    } else {
      p->head_got += (unsigned)r;
      if (p->head_got == CHII_FRAME_BYTES)
        head_heard(f, j);
    }
  }
  chii_wipe(sink, sizeof sink); /* masked, but still somebody's share */
}

/* One who owed us something and gives no reason, other than `not`. */
static unsigned silent(const farewell *f, unsigned not) {
  for (unsigned j = 0; j < f->s->n; j++)
    if (j != f->s->me && j != not && f->p[j].owed && !f->p[j].spoke)
      return j;
  return NOBODY;
}

/* Follows suspicion to its end; *by: who named the one returned, NOBODY: we.
 * *settled: nothing that may still arrive would change it.  If suspicion goes
 * in a circle, who stopped in the earliest round has seen the cause. */
static unsigned suspect(const farewell *f, unsigned *by, bool *settled) {
  const chi_session *s = f->s;
  bool told = s->stopped_by >= 0;
  unsigned at = (unsigned)(told ? s->stopped_by : s->culprit);
  unsigned first = at, first_by = NOBODY;
  uint64_t first_round = told ? UINT64_MAX : s->round, seen = 0;
  *by = NOBODY;
  *settled = true;
  for (;;) {
    const parting *p = &f->p[at];
    if (!p->spoke) {
      *settled = p->deaf;
      return at;
    }
    unsigned next = p->whom;
    if (next == s->me) /* it may wait for us, and we for somebody else */
      next = p->why == CHI_E_PEER_STALLED ? silent(f, at) : NOBODY;
    if (next == NOBODY || next == at)
      return at;
    if (p->round < first_round) {
      first_round = p->round;
      first = next;
      first_by = at;
    }
    if (seen >> at & 1)
      break;
    seen |= UINT64_C(1) << at;
    *by = at;
    at = next;
  }
  *by = first_by;
  return first;
}

/* What was heard becomes the session's failure. */
static void conclude(farewell *f) {
  chi_session *s = f->s;
  unsigned by;
  bool settled;
  unsigned at = suspect(f, &by, &settled);
  const parting *p = &f->p[at];
  if (by != NOBODY && f->p[by].whom == s->me) {
    s->status = CHI_E_PEER_STALLED;
    (void)snprintf(s->detail, sizeof s->detail,
                   "party %u was silent, in round %llu, until party %u stopped",
                   at, (unsigned long long)s->round, by);
  } else if (by != NOBODY) {
    s->status = CHI_E_PEER_LOST;
    (void)snprintf(s->detail, sizeof s->detail,
                   "party %u stopped the run: %s, naming party %u", by,
                   chi_status_name(f->p[by].why), at);
  } else if (p->spoke) {
    s->status = CHI_E_PEER_LOST;
    s->accused = p->whom == s->me;
    (void)snprintf(s->detail, sizeof s->detail,
                   "party %u stopped the run: %s%s", at,
                   chi_status_name(p->why),
                   s->accused ? ", naming this party" : "");
  }
  s->culprit = (int)at;
}

static void write_stop(farewell *f) {
  chi_session *s = f->s;
  /* Accused ourselves, we do not accuse the accuser: what he has seen counts
   * more than that he left. */
  uint64_t whom = s->accused ? s->me + 1 : (uint64_t)(s->culprit + 1);
  chii_frame stop = {s->tag, CHII_ROUND_STOP,
                     (uint64_t)s->status | whom << 8 | s->round << 16};
  chii_frame_put(f->stop, &stop);
}

/* One turn with everybody; *readable, *writable: who may still move. */
static void talk(farewell *f, uint64_t *readable, uint64_t *writable) {
  *readable = *writable = 0;
  for (unsigned j = 0; j < f->s->n; j++) {
    parting *p = &f->p[j];
    if (j == f->s->me)
      continue;
    /* Reading goes on in any case: a peer that is stuck in sending to us
     * never comes to where it reads our word. */
    hear(f, j);
    say(f, j);
    if (!p->deaf)
      *readable |= UINT64_C(1) << j;
    if (!spoken_to(p) && !(f->hold && !f->s->link[j].span_count && !p->fill))
      *writable |= UINT64_C(1) << j;
  }
}

void chii_farewell(chi_session *s, bool listen) {
  farewell f;
  uint64_t grace = GRACE_MIN_MS;
  if (s->deadline_ms / 2 > grace)
    grace = chii_min(s->deadline_ms / 2, GRACE_MAX_MS);
  grace *= 1000000;
  uint64_t deadline = chii_now_ns() + grace;
  memset(&f, 0, sizeof f);
  f.s = s;
  listen = listen && s->culprit >= 0 && !s->accused;
  /* Who breaks off says why, so that is heard before we name him; who is
   * silent may itself wait, so suspicions are exchanged. */
  f.hold = listen && s->status == CHI_E_PEER_LOST;
  write_stop(&f);
  memset(f.fill, 0xff, sizeof f.fill);
  for (unsigned j = 0; j < s->n; j++)
    if (j != s->me)
      meet(&f, j);
  for (;;) {
    uint64_t readable, writable;
    unsigned by;
    bool settled = true, late = chii_now_ns() >= deadline;
    talk(&f, &readable, &writable);
    if (listen)
      (void)suspect(&f, &by, &settled);
    if (listen && (settled || late || !(readable | writable))) {
      conclude(&f);
      listen = false;
      if (f.hold) {
        f.hold = false;
        write_stop(&f);
        deadline += grace / 4;
        continue;
      }
    }
    if (!listen && (late || !writable))
      break;
    if (s->tr.ops->wait(s->tr.state, readable, writable, deadline) < 0)
      break;
  }
}
