/* node_serve: records in their order, one after the other. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "node/node_impl.h"

static void said(void *user, const char *line) {
  nd_log(user, "%s", line);
}

/* ---- records ---- */

/* What ended a call ends what is staged of it. */
static bool settle(nd *x, arena *a, const ledger_record *r) {
  const char *why;
  bool done = r->outcome == REC_DONE;
  ledger_record *was;
  uint8_t session[32];
  if (!nd_record(x, a, r->call, &was))
    return false;
  const tx *t = &was->t;
  if (t->kind != TX_CALL) {
    nd_fatal(x, "record %llu ends record %llu, which is no call",
             (unsigned long long)r->seq, (unsigned long long)r->call);
    return false;
  }
  tx_session(session, x->net, t->u.call.contract, t->sender, t->counter);
  store_status s = done ? store_promote(x->store, r->call, &why)
                        : store_discard(x->store, r->call, &why);
  if (s == STORE_OK && done)
    nd_barrier("promoted");
  if (s == STORE_OK)
    s = store_drop_sealed(x->store, session, &why);
  if (s != STORE_OK) {
    nd_fatal(x, "%s", why);
    return false;
  }
  nd_log(x, "call %llu: %s in record %llu", (unsigned long long)r->call,
         done ? "done" : "came to nothing", (unsigned long long)r->seq);
  return true;
}

static bool handle(nd *x, arena *a, const ledger_record *r) {
  if (r->seq != x->seen + 1 ||
      (x->seen > 0 && memcmp(r->prev, x->seen_hash, 32) != 0)) {
    nd_fatal(x, "record %llu does not follow the last one that this node has"
                " seen: the ledger was rolled back or replaced",
             (unsigned long long)r->seq);
    return false;
  }
  bool ok = true;
  if (r->call != 0 && r->outcome != REC_NOTED) {
    ok = settle(x, a, r);
  } else if (r->t.kind == TX_DEPLOY && r->outcome == REC_DONE) {
    uint8_t hash[32];
    tx_hash((const uint8_t *)r->t.u.deploy.package,
            r->t.u.deploy.package_bytes, hash);
    circuits_want(x->circuits, hash, r->t.u.deploy.package,
                  r->t.u.deploy.package_bytes);
  } else if (r->t.kind == TX_CALL && r->outcome == REC_PENDING) {
    ok = nd_pending(x, a, r);
  }
  if (!ok)
    return false;
  x->seen = r->seq;
  memcpy(x->seen_hash, r->hash, 32);
  atomic_store(&x->status_seen, r->seq);
  return true;
}

/* A batch, then one note of how far it went: doing a record again is
 * harmless. */
static bool turn(nd *x) {
  arena *a = arena_new();
  ledger_record *r = NULL;
  uint32_t n;
  uint64_t before = x->seen;
  bool ok = nd_watch(x, a, &r, &n);
  for (uint32_t i = 0; i < n && ok; i++) {
    arena *one = arena_new();
    ok = handle(x, one, &r[i]) && !atomic_load(&x->stop);
    arena_free(one);
  }
  const char *why;
  if (x->seen != before &&
      store_set_seen(x->store, x->seen, x->seen_hash, &why) != STORE_OK) {
    nd_fatal(x, "%s", why);
    ok = false;
  }
  arena_free(a);
  return ok;
}

/* ---- start ---- */

/* Contracts deployed before this node started. */
static bool want_all(nd *x, arena *a) {
  ledger_query q = {.kind = READ_CONTRACTS};
  ledger_answer all, one;
  ledger_status s;
  if (!nd_read(x, a, &q, &all, &s))
    return false;
  for (uint32_t i = 0; s == LEDGER_OK && i < all.ninstance; i++) {
    arena *tmp = arena_new();
    uint8_t hash[32];
    bool again = false;
    for (uint32_t k = 0; k < i; k++)
      again |= !memcmp(all.instance[k].package, all.instance[i].package, 32);
    q = (ledger_query){.kind = READ_PACKAGE};
    memcpy(q.id, all.instance[i].id, 32);
    bool ok = again || nd_read(x, tmp, &q, &one, &s);
    if (ok && !again && s == LEDGER_OK) {
      tx_hash((const uint8_t *)one.bytes, one.nbytes, hash);
      circuits_want(x->circuits, hash, one.bytes, one.nbytes);
    }
    arena_free(tmp);
    if (!ok)
      return false;
  }
  return true;
}

/* Calls that were seen and have no end yet: voted again, or aborted. */
static bool resume(nd *x, arena *a) {
  ledger_query q = {.kind = READ_PENDING};
  ledger_answer ans;
  ledger_status s;
  if (!nd_read(x, a, &q, &ans, &s))
    return false;
  for (uint32_t i = 0; s == LEDGER_OK && i < ans.npending; i++) {
    uint64_t call = ans.pending[i];
    uint8_t *vote;
    size_t n;
    const char *why;
    bool ok;
    if (call > x->seen)
      continue;
    store_status st = store_vote(x->store, a, call, &vote, &n, &why);
    if (st == STORE_OK && nd_is_vote(x, a, call, vote, n))
      ok = nd_submit(x, vote, n);
    else if (st == STORE_OK)
      ok = nd_abort(x, a, call,
                    arena_printf(a, "node %u: %s", x->cfg->me,
                                 ND_VOTE_CHANGED), CHI_E_STATE);
    else if (st == STORE_MISSING)
      ok = nd_abort(x, a, call,
                    arena_printf(a, "node %u: it was restarted and has nothing"
                                    " of this call", x->cfg->me),
                    CHI_E_STATE);
    else
      ok = (nd_fatal(x, "%s", why), false);
    if (!ok)
      return false;
  }
  return true;
}

static void work(nd *x) {
  arena *a = arena_new();
  bool ok = nd_connect(x);
  if (ok)
    nd_log(x, "serves, from record %llu on", (unsigned long long)x->seen + 1);
  if (ok && x->cfg->ready)
    x->cfg->ready();
  ok = ok && want_all(x, a) && resume(x, a);
  arena_free(a);
  while (ok && !atomic_load(&x->stop))
    ok = turn(x);
}

static bool open_all(nd *x, const char **why) {
  const node_config *cfg = x->cfg;
  const char *path = arena_printf(x->a, "%s/store.db", cfg->dir);
  if (mkdir(cfg->dir, 0700) != 0 && errno != EEXIST) {
    *why = arena_printf(x->a, "%s: %s", cfg->dir, strerror(errno));
    return false;
  }
  if (store_open(&x->store, path, cfg->identity, cfg->me,
                 (uint8_t)cfg->protocol, x->a, why) != STORE_OK)
    return false;
  if (store_seen(x->store, &x->seen, x->seen_hash, why) != STORE_OK) {
    *why = arena_printf(x->a, "%s: %s", path, *why);
    return false;
  }
  atomic_store(&x->status_seen, x->seen);
  if (chi_tls_context_new(&x->tls, cfg->identity) != CHI_OK) {
    *why = "its TLS context could not be made";
    return false;
  }
  ir_target target = {cfg->protocol == CHI_REP3 ? IR_REP3 : IR_SHAMIR, cfg->n};
  x->circuits = circuits_new(target, cfg->include, cfg->cache_dir, said, x,
                             x->a, why);
  return x->circuits != NULL;
}

/* Signals stay the host's: its main thread sees them. */
static int start_listening(nd *x, pthread_t *t) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int rc = pthread_create(t, NULL, nd_listen, x);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return rc;
}

static const char *config_fault(const node_config *cfg) {
  uint8_t key[CHI_KEY_BYTES];
  if (cfg->n < CHI_PARTIES_MIN || cfg->n > CHI_PARTIES_MAX || cfg->me >= cfg->n)
    return "there are 3 to 64 nodes, and this is one of them";
  chi_identity_public(cfg->identity, key);
  if (memcmp(key, cfg->peer[cfg->me].key, sizeof key) != 0)
    return "the node's identity is not the one in the table of nodes";
  return NULL;
}

int node_serve(const node_config *cfg, int log, const char **why, arena *a) {
  nd x = {.cfg = cfg, .log = log, .a = a};
  pthread_t listener;
  *why = config_fault(cfg);
  if (*why)
    return -1;
  /* what the host made: the compiler shall not inherit it */
  fcntl(cfg->mesh_fd, F_SETFD, FD_CLOEXEC);
  fcntl(cfg->client_fd, F_SETFD, FD_CLOEXEC);
  fcntl(cfg->client_fd, F_SETFL, O_NONBLOCK); /* who connects may be gone */
  if (open_all(&x, why)) {
    int rc = start_listening(&x, &listener);
    if (rc == 0) {
      work(&x);
      atomic_store(&x.stop, true);
      circuits_stop(x.circuits);
      pthread_join(listener, NULL);
      *why = x.fatal;
    } else {
      *why = arena_printf(a, "no thread could be started: %s", strerror(rc));
    }
  }
  if (x.ledger)
    x.ledger->ops->close(x.ledger);
  arena_free(x.ledger_a);
  circuits_free(x.circuits);
  store_close(x.store);
  chi_tls_context_free(x.tls);
  if (!*why)
    nd_log(&x, "stops");
  return *why ? -1 : 0;
}
