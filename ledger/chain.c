/* The embedded ledger: one SQLite file, one writer. */
#include "ledger/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static chain *of(ledger *l) { return (chain *)(void *)l; }

uint64_t chain_clock(const chain *c) {
  uint64_t ms;
  if (c->o.clock_ms) {
    ms = c->o.clock_ms(c->o.user);
  } else {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
  }
  return ms > c->head.time_ms ? ms : c->head.time_ms;
}

ledger_status chain_trouble(chain *c, arena *a, const char **why) {
  const char *e = c->broken ? c->broken : state_error(c->st);
  if (!e) return LEDGER_OK;
  *why = arena_printf(a, "the ledger's file: %s", e);
  return state_damaged(c->st) ? LEDGER_CORRUPT : LEDGER_FAILED;
}

/* ---- writing ---- */
static void append(chain *c, uint64_t time_ms, const uint8_t *p, size_t n,
                   const tx *t, const step_result *r) {
  raw_record raw = {.seq = c->head.seq + 1, .time_ms = time_ms, .tx = p,
                    .tx_bytes = n, .outcome = r->outcome, .why = r->why,
                    .effects = r->bytes, .effects_bytes = r->nbytes};
  ledger_record rec = {.seq = raw.seq, .tx = p, .tx_bytes = n, .t = *t,
                       .outcome = r->outcome};
  memcpy(raw.prev, c->head.hash, 32);
  record_hash(&raw, raw.hash);
  state_apply(c->st, &raw, &rec, &r->fx);
  c->head.seq = raw.seq;
  c->head.time_ms = time_ms;
  memcpy(c->head.hash, raw.hash, 32);
}

static step step_of(const chain *c, uint64_t time_ms) {
  step s = {.st = c->st, .packages = c->packages,
            .genesis = c->head.seq ? &c->genesis : NULL,
            .budget = step_budget(&c->genesis), .seq = c->head.seq + 1,
            .time_ms = time_ms};
  memcpy(s.net, c->net, 32);
  return s;
}

/* One transaction within the open database transaction. */
static ledger_status meet(chain *c, arena *a, uint64_t time_ms,
                          const uint8_t *p, size_t n,
                          ledger_receipt *receipt) {
  tx t;
  step_result r;
  const char *why;
  *receipt = (ledger_receipt){.why = ""};
  if (!tx_decode(a, p, n, &t, &why)) {
    receipt->why = why;
    return LEDGER_REFUSED;
  }
  if (t.kind == TX_EXPIRE || !tx_signed(p, n, &t)) {
    receipt->why = "the signature is not the sender's";
    return LEDGER_REFUSED;
  }
  step s = step_of(c, time_ms);
  step_run(&s, a, p, n, &t, &r);
  raw_record raw;
  if (r.repeated && state_record(c->st, a, r.seq, &raw)) {
    *receipt = (ledger_receipt){raw.seq, raw.outcome, raw.why};
    return LEDGER_OK;
  }
  if (r.status == LEDGER_OK || r.status == LEDGER_REVERTED) {
    append(c, time_ms, p, n, &t, &r);
    r.seq = c->head.seq;
  }
  *receipt = (ledger_receipt){r.seq, r.outcome, r.why};
  return r.status;
}

static int wait_for(uint64_t ms) { return ms > 1000000 ? 1000000 : (int)ms; }

/* Milliseconds until the next lock runs out, or -1. */
static int expire(chain *c, arena *a, uint64_t now) {
  uint64_t call, until;
  while (state_first_until(c->st, &call, &until)) {
    if (until > now) return wait_for(until - now);
    tx t = {.kind = TX_EXPIRE, .u.expire = {call}};
    step_result r;
    size_t n;
    memcpy(t.net, c->net, 32);
    uint8_t *p = tx_encode(a, &t, NULL, &n);
    step s = step_of(c, now);
    step_run(&s, a, p, n, &t, &r);
    if (r.status != LEDGER_OK) {
      c->broken = "a pending call cannot be ended";
      break;
    }
    append(c, now, p, n, &t, &r);
  }
  return -1;
}

void (*ledger_barrier)(const char *point);

static void barrier(const char *point) {
  if (ledger_barrier) ledger_barrier(point);
}

/* Makes durable what was done since state_begin, or undoes it. */
static ledger_status settle(chain *c, arena *a, verify_head before,
                            const char **why) {
  barrier("executed");
  if (!chain_trouble(c, a, why)) state_commit(c->st);
  ledger_status s = chain_trouble(c, a, why);
  barrier("committed");
  if (!s) return LEDGER_OK;
  state_rollback(c->st);
  c->head = before;
  return s;
}

void ledger_submit_group(ledger *l, arena *a, uint32_t n,
                         const uint8_t *const *p, const size_t *bytes,
                         ledger_status *status, ledger_receipt *receipt) {
  chain *c = of(l);
  verify_head before = c->head;
  const char *why = "";
  state_begin(c->st);
  if (!chain_trouble(c, a, &why)) expire(c, a, chain_clock(c));
  for (uint32_t k = 0; k < n && !chain_trouble(c, a, &why); k++)
    status[k] = meet(c, a, chain_clock(c), p[k], bytes[k], &receipt[k]);
  ledger_status s = settle(c, a, before, &why);
  for (uint32_t k = 0; k < n && s; k++) {
    status[k] = s;
    receipt[k] = (ledger_receipt){.why = why};
  }
}

int ledger_expire(ledger *l, arena *a) {
  chain *c = of(l);
  verify_head before = c->head;
  uint64_t call, until, now = chain_clock(c);
  const char *why = "";
  if (c->broken || !state_first_until(c->st, &call, &until)) return -1;
  if (until > now) return wait_for(until - now);
  state_begin(c->st);
  int next = expire(c, a, now);
  return settle(c, a, before, &why) ? 1000 : next;
}

/* ---- the interface ---- */
static ledger_status chain_submit(ledger *l, arena *a, const uint8_t *p,
                                  size_t n, ledger_receipt *out) {
  ledger_status s;
  ledger_submit_group(l, a, 1, &p, &n, &s, out);
  return s;
}

uint32_t chain_records(chain *c, arena *a, uint64_t after, uint32_t max,
                       size_t max_bytes, raw_record **out) {
  size_t bytes = 0;
  uint32_t n = 0, cap = max < 1024 ? max : 1024;
  *out = ARENA_ARR(a, raw_record, cap);
  while (n < cap && after < c->head.seq) {
    raw_record *r = &(*out)[n];
    if (!state_record(c->st, a, after + 1, r)) break;
    bytes += 200 + r->tx_bytes + r->effects_bytes + strlen(r->why);
    if (n && bytes > max_bytes) break;
    n++;
    after++;
  }
  return n;
}

static ledger_status chain_watch(ledger *l, arena *a, uint64_t after,
                                 uint32_t max, int timeout_ms,
                                 ledger_record **out, uint32_t *n) {
  chain *c = of(l);
  const char *why;
  raw_record *raw;
  *n = 0;
  *out = NULL;
  /* Nobody else writes: only a lock may run out meanwhile. */
  if (after >= c->head.seq && timeout_ms > 0) {
    int next = ledger_expire(l, a);
    if (after >= c->head.seq) {
      if (next >= 0 && next < timeout_ms) timeout_ms = next;
      poll(NULL, 0, timeout_ms);
      ledger_expire(l, a);
    }
  }
  uint32_t got = chain_records(c, a, after, max, 32 << 20, &raw);
  *out = ARENA_ARR(a, ledger_record, got);
  for (uint32_t k = 0; k < got; k++, ++*n)
    if (!record_open(a, &raw[k], &(*out)[k], NULL, &why))
      return LEDGER_CORRUPT;
  return chain_trouble(c, a, &why);
}

static ledger_status chain_verify(chain *c, arena *a, const char **why) {
  verify *v = verify_new(c->st, c->packages, true);
  while (!verify_step(v, 10000)) continue;
  ledger_status s = verify_verdict(v, why);
  *why = arena_strdup(a, *why);
  verify_free(v);
  return s;
}

static ledger_status read_record(chain *c, arena *a, uint64_t seq,
                                 ledger_answer *out) {
  raw_record *raw;
  if (!seq || !chain_records(c, a, seq - 1, 1, 1, &raw)) {
    out->why = "there is no such record";
    ledger_status s = chain_trouble(c, a, &out->why);
    return s ? s : LEDGER_NOT_FOUND;
  }
  out->record = ARENA_NEW(a, ledger_record);
  return record_open(a, raw, out->record, NULL, &out->why) ? LEDGER_OK
                                                           : LEDGER_CORRUPT;
}

static ledger_status embedded_read(ledger *l, arena *a, const ledger_query *q,
                                   ledger_answer *out) {
  chain *c = of(l);
  *out = (ledger_answer){.why = ""};
  if (q->kind == READ_VERIFY) return chain_verify(c, a, &out->why);
  if (q->kind == READ_RECORD) return read_record(c, a, q->seq, out);
  return chain_read(c, a, q, out);
}

static void chain_close(ledger *l) {
  chain *c = of(l);
  if (!c) return;
  packages_free(c->packages);
  state_close(c->st);
  arena_free(c->a);
}

static const ledger_ops embedded = {chain_submit, embedded_read, chain_watch,
                                    chain_close};

/* ---- life ---- */
static chain *chain_new(const ledger_options *o) {
  arena *a = arena_new();
  chain *c = ARENA_NEW(a, chain);
  c->base.ops = &embedded;
  c->a = a;
  c->packages = packages_new();
  if (o) c->o = *o;
  return c;
}

static bool take_genesis(chain *c, const uint8_t *p, size_t n,
                         const char **why) {
  uint8_t *copy = ARENA_ARR(c->a, uint8_t, n);
  if (n) memcpy(copy, p, n);
  if (!tx_decode(c->a, copy, n, &c->genesis, why)) return false;
  *why = "it is no genesis, or not signed by its first node";
  if (c->genesis.kind != TX_GENESIS || !tx_signed(copy, n, &c->genesis))
    return false;
  tx_hash(copy, n, c->net);
  return true;
}

/* Writes record 1 to a new file. */
static ledger_status first_record(chain *c, arena *a, const char *path,
                                  const uint8_t *p, size_t n,
                                  const char **why) {
  bool damaged;
  tx t;
  step_result r;
  if (!take_genesis(c, p, n, why) || !tx_decode(a, p, n, &t, why)) {
    *why = arena_printf(a, "%s", *why);
    return LEDGER_REFUSED;
  }
  c->st = state_open(path, true, NULL, a, why, &damaged);
  if (!c->st) return LEDGER_FAILED;
  step s = step_of(c, chain_clock(c));
  step_run(&s, a, p, n, &t, &r);
  state_begin(c->st);
  append(c, s.time_ms, p, n, &t, &r);
  return settle(c, a, (verify_head){0}, why);
}

static bool sync_folder(arena *a, const char *path) {
  char *dir = arena_strdup(a, path), *slash = strrchr(dir, '/');
  if (slash) slash[slash == dir] = 0;
  int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return ok;
}

ledger_status ledger_create(const char *path, const uint8_t *genesis,
                            size_t n, const char **why, arena *a) {
  /* Made aside and linked: a file of that name is whole, and none is lost. */
  char *made = arena_printf(a, "%s.%ld.new", path, (long)getpid());
  chain *c = chain_new(NULL);
  unlink(made);
  ledger_status s = first_record(c, a, made, genesis, n, why);
  chain_close(&c->base);
  if (!s && (link(made, path) < 0 || !sync_folder(a, path))) {
    *why = arena_printf(a, "could not make '%s': %s", path, strerror(errno));
    s = LEDGER_FAILED;
  }
  unlink(made);
  unlink(arena_printf(a, "%s-wal", made));
  return s;
}

static ledger_status check(chain *c, arena *a, const char **why) {
  raw_record raw;
  verify *v = verify_new(c->st, c->packages, false);
  while (!verify_step(v, 10000)) continue;
  ledger_status s = verify_verdict(v, why);
  c->head = verify_last(v);
  *why = arena_strdup(a, *why);
  verify_free(v);
  if (s) return s;
  if (state_record(c->st, a, 1, &raw) &&
      take_genesis(c, raw.tx, raw.tx_bytes, why))
    return LEDGER_OK;
  *why = arena_printf(a, "record 1: %s", *why);
  return LEDGER_CORRUPT;
}

ledger_status ledger_open(ledger **out, arena *a, const char *path,
                          const ledger_options *o, const char **why) {
  bool damaged = false;
  ledger_status s = LEDGER_FAILED;
  chain *c = chain_new(o);
  c->st = state_open(path, false, NULL, a, why, &damaged);
  if (c->st) s = check(c, a, why);
  if (!c->st && damaged) s = LEDGER_CORRUPT;
  if (s) {
    *why = arena_printf(a, "ledger '%s': %s", path, *why);
    chain_close(&c->base);
    return s;
  }
  *out = &c->base;
  return LEDGER_OK;
}

/* ---- texts ---- */
const char *ledger_status_text(ledger_status s) {
  static const char *const text[] = {
      "done",           "reverted",  "locked by a pending call",
      "refused",        "the counter is not the next one",
      "not found",      "the ledger cannot be reached",
      "the ledger's file does not check", "the ledger failed"};
  return s <= LEDGER_FAILED ? text[s] : "?";
}

const char *rec_outcome_name(rec_outcome o) {
  static const char *const name[] = {"?",        "done",    "pending",
                                     "reverted", "aborted", "noted"};
  return name[o >= REC_DONE && o <= REC_NOTED ? o : 0];
}
