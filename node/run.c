/* One pending call: prepare, meet, run, stage, vote. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/codec.h"
#include "node/node_impl.h"

/* Who only lost a peer lets those speak first who know why. */
enum { YIELD_MS = 200, DIGITS = 320 };

/* ---- votes ---- */

static tx new_vote(const nd *x, uint64_t call) {
  tx t = {.kind = TX_VOTE};
  memcpy(t.net, x->net, 32);
  t.u.vote.call = call;
  t.u.vote.node = x->cfg->me;
  t.u.vote.why = "";
  return t;
}

bool nd_abort(nd *x, arena *a, uint64_t call, const char *why,
              chi_status status) {
  tx t = new_vote(x, call);
  size_t n;
  t.u.vote.status = (int32_t)status;
  t.u.vote.why = codec_clean(a, why);
  nd_log(x, "call %llu: votes to abort: %s", (unsigned long long)call,
         t.u.vote.why);
  const uint8_t *p = tx_encode(a, &t, x->cfg->identity, &n);
  if (!p) {
    nd_fatal(x, "a vote could not be signed");
    return false;
  }
  return nd_submit(x, p, n);
}

const char *node_words(arena *a, const char *detail) {
  static const char from[] = "party ", to[] = "node ";
  buf b = {0};
  for (const char *p; (p = strstr(detail, from)); detail = p) {
    buf_write(&b, detail, (size_t)(p - detail));
    p += sizeof from - 1;
    buf_puts(&b, *p >= '0' && *p <= '9' ? to : from);
  }
  buf_puts(&b, detail);
  char *s = arena_strndup(a, b.p ? b.p : "", b.n);
  buf_free(&b);
  return s;
}

static const char *of_node(nd *x, arena *a, const char *why) {
  return arena_printf(a, "node %u: %s", x->cfg->me, node_words(a, why));
}

/* An abort by a node that knows no more than that others went away. */
static bool abort_late(nd *x, arena *a, uint64_t call, const char *why,
                       chi_status status) {
  struct timespec pause = {0, YIELD_MS * 1000000L};
  bool pending;
  for (int turn = 0; turn < 2; turn++) {
    if (turn)
      nanosleep(&pause, NULL);
    if (!nd_is_pending(x, call, &pending))
      return false;
    if (!pending)
      return true;
  }
  return nd_abort(x, a, call, why, status);
}

/* ---- the session ---- */

static chi_status give(chi_session *s, uint32_t k, const chi_leaf *leaf,
                       const nd_call *c) {
  const nd_input *in = &c->input[k];
  switch (in->how) {
  case ND_PUBLIC:
    return chi_session_input_public_text(s, k, in->text, leaf->lanes);
  case ND_SEALED:
    return chi_session_input_sealed(s, k, in->box, in->box_bytes);
  default:
    return chi_session_input_share(s, k, in->words,
                                   in->words + leaf->lanes * c->plane,
                                   leaf->lanes);
  }
}

static chi_status session_of(nd *x, nd_call *c, const chi_transport *t,
                             chi_session **s) {
  const node_config *cfg = x->cfg;
  uint8_t(*key)[CHI_KEY_BYTES] = arena_array(c->a, cfg->n, sizeof *key);
  for (unsigned i = 0; i < cfg->n; i++)
    memcpy(key[i], cfg->peer[i].key, CHI_KEY_BYTES);
  chi_session_config sc = {.protocol = cfg->protocol,
                           .n = cfg->n,
                           .me = cfg->me,
                           .party_key = (const uint8_t(*)[CHI_KEY_BYTES])key,
                           .identity = cfg->identity,
                           .deadline_ms = nd_deadline(x)};
  memcpy(sc.session_id, c->session, sizeof sc.session_id);
  return chi_session_new(s, t, &sc, c->circuit.program);
}

/* The place of a failed condition is a line of the circuit's text: its message
 * alone tells the caller something. */
static const char *reason(nd *x, nd_call *c, const chi_session *s,
                          chi_status st) {
  const char *detail = s ? chi_session_detail(s) : chi_status_text(st);
  if ((st == CHI_E_REQUIRE || st == CHI_E_RANGE) &&
      strncmp(detail, ":0:0: ", 6) == 0)
    return arena_strdup(c->a, detail + 6);
  return of_node(x, c->a, *detail ? detail : chi_status_text(st));
}

/* ---- results ---- */

typedef struct results {
  store_share *share;
  store_told *told;
  size_t nshare, ntold;
  tx_value *opened;
  uint32_t nopened;
} results;

static void set_i64(mpz_t z, int64_t v) {
  mpz_set_ui(z, v < 0 ? -(uint64_t)v : (uint64_t)v);
  if (v < 0)
    mpz_neg(z, z);
}

static void clear_lanes(void *p) {
  tx_value *v = p;
  for (uint64_t i = 0; i < v->n; i++)
    mpz_clear(v->lane[i]);
}

static chi_status take_opened(chi_session *s, arena *a, uint32_t k,
                              const chi_leaf *leaf, tx_value *v) {
  chi_status st = CHI_OK;
  v->name = leaf->name;
  v->lane = arena_array(a, leaf->lanes, sizeof *v->lane);
  for (v->n = 0; v->n < leaf->lanes; v->n++)
    mpz_init(v->lane[v->n]);
  arena_defer(a, clear_lanes, v);
  if (leaf->kind == CHI_KIND_WIDE || leaf->kind == CHI_KIND_FIELD) {
    char digits[DIGITS];
    for (uint64_t i = 0; i < leaf->lanes && !st; i++) {
      st = chi_session_output_text(s, k, i, digits, sizeof digits);
      if (!st)
        mpz_set_str(v->lane[i], digits, 10);
    }
    return st;
  }
  int64_t *w = arena_array(a, leaf->lanes, sizeof *w);
  st = chi_session_output(s, k, w, leaf->lanes);
  for (uint64_t i = 0; i < leaf->lanes && !st; i++)
    set_i64(v->lane[i], w[i]);
  return st;
}

static chi_status take_share(chi_session *s, uint32_t k, const chi_leaf *leaf,
                             const nd_call *c, store_share *out) {
  size_t width = c->planes * c->plane;
  uint64_t *w = calloc(width * leaf->lanes + 1, sizeof *w);
  if (!w)
    return CHI_E_NOMEM;
  *out = (store_share){leaf->name, w, width, leaf->lanes};
  return chi_session_output_share(
      s, k, w, c->planes == 2 ? w + leaf->lanes * c->plane : NULL, leaf->lanes);
}

static chi_status take_all(chi_session *s, nd_call *c, results *r) {
  const chi_program *p = c->circuit.program;
  chi_status st = CHI_OK;
  r->share = ARENA_ARR(c->a, store_share, p->n_output + 1);
  r->opened = ARENA_ARR(c->a, tx_value, p->n_output + 1);
  for (uint32_t k = 0; k < p->n_output && !st; k++) {
    const chi_leaf *leaf = &p->output[k];
    if (leaf->kind == CHI_KIND_SHARE)
      st = take_share(s, k, leaf, c, &r->share[r->nshare++]);
    else if (leaf->kind != CHI_KIND_TOLD)
      st = take_opened(s, c->a, k, leaf, &r->opened[r->nopened++]);
  }
  size_t n = chi_session_told_count(s);
  r->told = ARENA_ARR(c->a, store_told, n + 1);
  for (; r->ntold < n && !st; r->ntold++) {
    store_told *t = &r->told[r->ntold];
    st = chi_session_told(s, r->ntold, t->to, &t->output, &t->lanes, &t->box,
                          &t->box_bytes);
    t->name = st ? "" : p->output[t->output].name;
  }
  return st;
}

static void forget_results(results *r) {
  for (size_t i = 0; i < r->nshare; i++) {
    uint64_t *w = (uint64_t *)(uintptr_t)r->share[i].words;
    if (w)
      chi_wipe(w, r->share[i].width * r->share[i].lanes * 8);
    free(w);
  }
}

/* Stages and votes to commit; an abort if that cannot be done. */
static bool stage_and_vote(nd *x, nd_call *c, chi_session *s, results *r) {
  chi_stats stats;
  tx t = new_vote(x, c->r->seq);
  store_run run = {.call = c->r->seq, .share = r->share, .nshare = r->nshare,
                   .told = r->told, .ntold = r->ntold};
  const char *why;
  chi_session_stats(s, &stats);
  t.u.vote.commit = true;
  t.u.vote.opened = (tx_values){r->opened, r->nopened};
  t.u.vote.rounds = stats.rounds;
  t.u.vote.bytes = stats.bytes_sent;
  t.u.vote.told = stats.told_lanes;
  run.vote = tx_encode(c->a, &t, x->cfg->identity, &run.vote_bytes);
  if (!run.vote)
    return nd_abort(x, c->a, c->r->seq,
                    of_node(x, c->a, "the opened values are too many for one"
                                     " vote"), CHI_E_LIMIT);
  memcpy(run.net, x->net, 32);
  memcpy(run.contract, c->r->t.u.call.contract, 32);
  memcpy(run.session, c->session, 32);
  if (store_stage(x->store, &run, &why) != STORE_OK)
    return nd_abort(x, c->a, c->r->seq, of_node(x, c->a, why), CHI_E_IO);
  nd_barrier("staged");
  nd_log(x, "call %llu: votes to commit: %llu rounds, %llu bytes",
         (unsigned long long)c->r->seq, (unsigned long long)stats.rounds,
         (unsigned long long)stats.bytes_sent);
  if (!nd_submit(x, run.vote, run.vote_bytes))
    return false;
  nd_barrier("voted");
  return true;
}

/* From a session that exists to the vote. */
static bool run_session(nd *x, nd_call *c, chi_session *s) {
  const chi_program *p = c->circuit.program;
  results r = {0};
  chi_status st = CHI_OK;
  for (uint32_t k = 0; k < p->n_input && !st; k++)
    st = give(s, k, &p->input[k], c);
  nd_forget(c);
  if (!st)
    st = chi_session_start(s);
  if (!st)
    st = chi_session_run(s);
  if (!st)
    st = take_all(s, c, &r);
  if (!st)
    nd_barrier("ran");
  bool ok;
  if (!st)
    ok = stage_and_vote(x, c, s, &r);
  else if (st == CHI_E_PEER_LOST || st == CHI_E_PEER_STALLED)
    ok = abort_late(x, c->a, c->r->seq, reason(x, c, s, st), st);
  else
    ok = nd_abort(x, c->a, c->r->seq, reason(x, c, s, st), st);
  forget_results(&r);
  return ok;
}

static bool run_met(nd *x, nd_call *c, chi_transport *t) {
  const char *why;
  chi_session *s = NULL;
  uint64_t call = c->r->seq;
  nd_barrier("connected");
  if (store_start(x->store, c->session, call, &why) != STORE_OK) {
    bool ok = nd_abort(x, c->a, call, of_node(x, c->a, why), CHI_E_STATE);
    t->ops->close(t->state);
    return ok;
  }
  nd_barrier("started");
  chi_status st = session_of(x, c, t, &s);
  if (st != CHI_OK)
    return nd_abort(x, c->a, call, reason(x, c, NULL, st), st);
  bool ok = run_session(x, c, s);
  chi_session_free(s);
  return ok;
}

static bool run_call(nd *x, nd_call *c) {
  chi_transport t;
  chi_status st = CHI_OK;
  const char *why = "";
  uint64_t call = c->r->seq;
  bool ok;
  if (!nd_prepare(x, c))
    return false;
  if (!c->why)
    nd_barrier("inputs-ready");
  switch (nd_meet(x, c, &t, &st, &why)) {
  case MEET_READY:
    return run_met(x, c, &t);
  case MEET_UNREADY:
    if (c->why) { /* the vote first: then the others' reasons come too late */
      ok = nd_abort(x, c->a, call, of_node(x, c->a, c->why), CHI_OK);
      t.ops->close(t.state);
      return ok;
    }
    nd_await_leave(x, &t, c->unready);
    t.ops->close(t.state);
    return abort_late(x, c->a, call,
                      arena_printf(c->a, "node %u was not ready", c->unready),
                      CHI_OK);
  case MEET_FAILED:
    why = c->why ? c->why : why;
    return nd_abort(x, c->a, call, of_node(x, c->a, why), c->why ? CHI_OK : st);
  case MEET_GONE:
    nd_log(x, "call %llu: ended before the nodes met",
           (unsigned long long)call);
    return true;
  default:
    return false;
  }
}

/* A staged vote out of the store: is it this node's, on that call? */
bool nd_is_vote(nd *x, arena *a, uint64_t call, const uint8_t *p, size_t n) {
  uint8_t key[CHI_KEY_BYTES];
  tx t;
  const char *why;
  chi_identity_public(x->cfg->identity, key);
  return tx_decode(a, p, n, &t, &why) && t.kind == TX_VOTE &&
         memcmp(t.net, x->net, 32) == 0 && memcmp(t.sender, key, 32) == 0 &&
         t.u.vote.call == call && t.u.vote.node == x->cfg->me &&
         tx_signed(p, n, &t);
}

bool nd_pending(nd *x, arena *a, const ledger_record *r) {
  const tx *t = &r->t;
  bool pending, started;
  uint8_t *vote;
  size_t n;
  const char *why;
  nd_call c = {.a = a, .r = r};
  if (!nd_is_pending(x, r->seq, &pending))
    return false;
  if (!pending)
    return true;
  nd_barrier("pending-seen");
  nd_log(x, "call %llu: \"%s\"", (unsigned long long)r->seq, t->u.call.action);
  tx_session(c.session, x->net, t->u.call.contract, t->sender, t->counter);
  store_status s = store_vote(x->store, a, r->seq, &vote, &n, &why);
  if (s == STORE_OK && !nd_is_vote(x, a, r->seq, vote, n))
    return nd_abort(x, a, r->seq, of_node(x, a, ND_VOTE_CHANGED), CHI_E_STATE);
  if (s == STORE_OK) {
    nd_log(x, "call %llu: is staged: votes again", (unsigned long long)r->seq);
    return nd_submit(x, vote, n);
  }
  if (s == STORE_MISSING)
    s = store_was_started(x->store, c.session, &started, &why);
  if (s != STORE_OK) {
    nd_fatal(x, "%s", why);
    return false;
  }
  if (started)
    return nd_abort(x, a, r->seq,
                    of_node(x, a, "it stopped while it ran this call, and a"
                                  " run is never repeated"), CHI_E_STATE);
  bool ok = run_call(x, &c);
  nd_forget(&c);
  return ok;
}
