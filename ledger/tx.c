#include "ledger/tx.h"

#include <sodium.h>
#include <string.h>

#include "chi.h"
#include "ledger/codec.h"

static const char label[] = "chirograph transaction v1";

enum { VERSION = 1, HEAD_BYTES = 4 + 1 + 1 + 32 + 32 + 8, SIG_BYTES = 64 };
_Static_assert(TX_NODES_MAX == CHI_PARTIES_MAX, "one limit of nodes");

const char *tx_kind_name(tx_kind k) {
  static const char *const names[] = {"?",    "genesis", "deploy",
                                      "call", "vote",    "expire"};
  return names[k >= TX_GENESIS && k <= TX_EXPIRE ? k : 0];
}

/* ---- rules that no encoding can express ---- */
static bool all_zero(const uint8_t *p, size_t n) {
  uint8_t any = 0;
  for (size_t k = 0; k < n; k++) any |= p[k];
  return !any;
}

static const char *genesis_wrong(const tx *t) {
  uint32_t n = t->u.genesis.n;
  uint8_t p = t->u.genesis.protocol;
  if (p != CHI_REP3 && p != CHI_SHAMIR) return "its protocol is not known";
  if (n < CHI_PARTIES_MIN || n > TX_NODES_MAX || (p == CHI_REP3 && n != 3))
    return "its number of nodes does not fit the protocol";
  if (!t->u.genesis.lock_ms || t->u.genesis.lock_ms > TX_LOCK_MS_MAX)
    return "its lock is shorter than 1 ms or longer than 30 days";
  if (t->u.genesis.step_budget > TX_STEPS_MAX)
    return "its step budget is larger than 10^9";
  if (!all_zero(t->net, 32)) return "a genesis belongs to no net yet";
  for (uint32_t k = 0; k < n; k++)
    for (uint32_t j = 0; j < k; j++)
      if (!memcmp(t->u.genesis.key[j], t->u.genesis.key[k], 32))
        return "two nodes have one key";
  if (memcmp(t->sender, t->u.genesis.key[0], 32))
    return "a genesis is signed by its first node";
  return NULL;
}

static const char *vote_wrong(const tx *t) {
  bool commit = t->u.vote.commit;
  if (t->u.vote.node >= TX_NODES_MAX) return "its node's index is too large";
  if (commit && (*t->u.vote.why || t->u.vote.status))
    return "a vote to commit has no reason";
  if (!commit && (!*t->u.vote.why || t->u.vote.opened.n))
    return "a vote to abort has a reason and opens nothing";
  return NULL;
}

/* NULL if all is well, else a clause. */
static const char *wrong(const tx *t) {
  bool counted = t->kind == TX_DEPLOY || t->kind == TX_CALL;
  if (counted != (t->counter > 0))
    return counted ? "counters begin at 1" : "it has no use for a counter";
  switch (t->kind) {
  case TX_GENESIS: return genesis_wrong(t);
  case TX_VOTE: return vote_wrong(t);
  case TX_EXPIRE:
    return all_zero(t->sender, 32) && all_zero(t->signature, SIG_BYTES)
               ? NULL
               : "an expiry is not signed";
  default: return NULL;
  }
}

/* ---- encoding ---- */
static void put_hashes(codec_writer *w, uint8_t (*h)[32], uint32_t n) {
  if (n > TX_NODES_MAX) w->bad = true;
  codec_put_u32(w, n);
  for (uint32_t k = 0; k < n && !w->bad; k++) codec_put_raw(w, h[k], 32);
}

static void put_body(codec_writer *w, const tx *t) {
  switch (t->kind) {
  case TX_GENESIS:
    codec_put_u8(w, t->u.genesis.protocol);
    put_hashes(w, t->u.genesis.key, t->u.genesis.n);
    codec_put_u64(w, t->u.genesis.lock_ms);
    codec_put_u64(w, t->u.genesis.step_budget);
    codec_put_raw(w, t->u.genesis.nonce, 32);
    break;
  case TX_DEPLOY:
    codec_put_bytes(w, t->u.deploy.package, t->u.deploy.package_bytes);
    codec_put_values(w, &t->u.deploy.args);
    break;
  case TX_CALL:
    codec_put_raw(w, t->u.call.contract, 32);
    codec_put_name(w, t->u.call.action);
    codec_put_values(w, &t->u.call.args);
    put_hashes(w, t->u.call.sealed, t->u.call.nsealed);
    break;
  case TX_VOTE:
    codec_put_u64(w, t->u.vote.call);
    codec_put_u32(w, t->u.vote.node);
    codec_put_u8(w, t->u.vote.commit);
    codec_put_why(w, t->u.vote.why);
    codec_put_u32(w, (uint32_t)t->u.vote.status);
    codec_put_values(w, &t->u.vote.opened);
    codec_put_u64(w, t->u.vote.rounds);
    codec_put_u64(w, t->u.vote.bytes);
    codec_put_u64(w, t->u.vote.told);
    break;
  case TX_EXPIRE: codec_put_u64(w, t->u.expire.call); break;
  }
}

static void put_all(codec_writer *w, const tx *t) {
  codec_put_raw(w, "CHTX", 4);
  codec_put_u8(w, VERSION);
  codec_put_u8(w, (uint8_t)t->kind);
  codec_put_raw(w, t->net, 32);
  codec_put_raw(w, t->sender, 32);
  codec_put_u64(w, t->counter);
  put_body(w, t);
}

/* What is signed of n bytes: the label and all before the signature. */
static uint8_t *signed_bytes(arena *a, const uint8_t *p, size_t n,
                             size_t *out) {
  uint8_t *m = ARENA_ARR(a, uint8_t, sizeof label - 1 + n);
  memcpy(m, label, sizeof label - 1);
  memcpy(m + sizeof label - 1, p, n - SIG_BYTES);
  *out = sizeof label - 1 + n - SIG_BYTES;
  return m;
}

uint8_t *tx_encode(arena *a, tx *t, const struct chi_identity *id,
                   size_t *bytes) {
  codec_writer w = codec_writer_new(a, TX_BYTES_MAX);
  memset(t->signature, 0, SIG_BYTES);
  memset(t->sender, 0, 32);
  if (t->kind < TX_GENESIS || t->kind > TX_EXPIRE) return NULL;
  if (!id != (t->kind == TX_EXPIRE)) return NULL;
  if (t->kind == TX_VOTE && !t->u.vote.why) t->u.vote.why = "";
  if (id) chi_identity_public(id, t->sender);
  put_all(&w, t);
  codec_put_raw(&w, t->signature, SIG_BYTES);
  if (w.bad || wrong(t)) return NULL;
  if (id) {
    size_t n;
    uint8_t *m = signed_bytes(a, w.p, w.n, &n);
    if (chi_identity_sign(t->signature, id, m, n) != CHI_OK) return NULL;
    memcpy(w.p + w.n - SIG_BYTES, t->signature, SIG_BYTES);
  }
  *bytes = w.n;
  return w.p;
}

/* ---- decoding ---- */
static void get_hashes(codec_reader *r, uint8_t (**h)[32], uint32_t *n) {
  *n = codec_get_count(r, TX_NODES_MAX);
  *h = arena_array(r->a, *n, 32);
  for (uint32_t k = 0; k < *n; k++) codec_get_raw(r, (*h)[k], 32);
}

static void get_body(codec_reader *r, tx *t) {
  switch (t->kind) {
  case TX_GENESIS:
    t->u.genesis.protocol = codec_get_u8(r);
    get_hashes(r, &t->u.genesis.key, &t->u.genesis.n);
    t->u.genesis.lock_ms = codec_get_u64(r);
    t->u.genesis.step_budget = codec_get_u64(r);
    codec_get_raw(r, t->u.genesis.nonce, 32);
    break;
  case TX_DEPLOY:
    t->u.deploy.package = (const char *)codec_get_bytes(
        r, TX_BYTES_MAX, &t->u.deploy.package_bytes);
    codec_get_values(r, &t->u.deploy.args);
    break;
  case TX_CALL:
    codec_get_raw(r, t->u.call.contract, 32);
    t->u.call.action = codec_get_name(r);
    codec_get_values(r, &t->u.call.args);
    get_hashes(r, &t->u.call.sealed, &t->u.call.nsealed);
    break;
  case TX_VOTE:
    t->u.vote.call = codec_get_u64(r);
    t->u.vote.node = codec_get_u32(r);
    t->u.vote.commit = codec_get_bool(r);
    t->u.vote.why = codec_get_why(r);
    t->u.vote.status = (int32_t)codec_get_u32(r);
    codec_get_values(r, &t->u.vote.opened);
    t->u.vote.rounds = codec_get_u64(r);
    t->u.vote.bytes = codec_get_u64(r);
    t->u.vote.told = codec_get_u64(r);
    break;
  case TX_EXPIRE: t->u.expire.call = codec_get_u64(r); break;
  default: codec_fail(r, "its kind is not known");
  }
}

bool tx_decode(arena *a, const uint8_t *p, size_t n, tx *out,
               const char **why) {
  codec_reader r = codec_reader_new(a, p, n);
  char magic[4];
  *out = (tx){0};
  if (n > TX_BYTES_MAX) codec_fail(&r, "it is too large");
  codec_get_raw(&r, magic, 4);
  if (!r.bad && memcmp(magic, "CHTX", 4))
    codec_fail(&r, "it does not begin as one");
  if (codec_get_u8(&r) != VERSION) codec_fail(&r, "its version is not known");
  out->kind = (tx_kind)codec_get_u8(&r);
  codec_get_raw(&r, out->net, 32);
  codec_get_raw(&r, out->sender, 32);
  out->counter = codec_get_u64(&r);
  if (!r.bad) get_body(&r, out);
  codec_get_raw(&r, out->signature, SIG_BYTES);
  if (codec_done(&r) && wrong(out)) codec_fail(&r, wrong(out));
  if (r.bad)
    *why = arena_printf(a, "the transaction is malformed: %s", r.why);
  return !r.bad;
}

bool tx_signed(const uint8_t *p, size_t n, const tx *t) {
  if (n < HEAD_BYTES + SIG_BYTES) return false;
  arena *a = arena_new();
  size_t bytes;
  uint8_t *m = signed_bytes(a, p, n, &bytes);
  bool ok = chi_identity_verify(t->sender, p + n - SIG_BYTES, m, bytes) ==
            CHI_OK;
  arena_free(a);
  return ok;
}

/* ---- digests ---- */
void tx_hash(const uint8_t *p, size_t n, uint8_t out[32]) {
  crypto_hash_sha256(out, p, n);
}

/* The label without its NUL, then three strings of 32 bytes, then a number. */
static void digest(uint8_t out[32], const char *what, const uint8_t a[32],
                   const uint8_t b[32], const uint8_t c[32], uint64_t n) {
  crypto_hash_sha256_state s;
  uint8_t big[8];
  for (int k = 8; k-- > 0; n >>= 8) big[k] = (uint8_t)n;
  crypto_hash_sha256_init(&s);
  crypto_hash_sha256_update(&s, (const uint8_t *)what, strlen(what));
  crypto_hash_sha256_update(&s, a, 32);
  crypto_hash_sha256_update(&s, b, 32);
  crypto_hash_sha256_update(&s, c, 32);
  crypto_hash_sha256_update(&s, big, 8);
  crypto_hash_sha256_final(&s, out);
}

void tx_session(uint8_t out[32], const uint8_t net[32],
                const uint8_t contract[32], const uint8_t caller[32],
                uint64_t counter) {
  digest(out, "chirograph run v1", net, contract, caller, counter);
}

void tx_instance(uint8_t out[32], const uint8_t net[32],
                 const uint8_t package[32], const uint8_t sender[32],
                 uint64_t counter) {
  digest(out, "chirograph instance v1", net, package, sender, counter);
}

void tx_sealed_digest(uint8_t out[32], const uint8_t *p, size_t n) {
  static const char what[] = "chirograph sealed v1";
  crypto_hash_sha256_state s;
  crypto_hash_sha256_init(&s);
  crypto_hash_sha256_update(&s, (const uint8_t *)what, sizeof what - 1);
  crypto_hash_sha256_update(&s, p, n);
  crypto_hash_sha256_final(&s, out);
}

const tx_value *tx_find(const tx_values *v, const char *name) {
  for (uint32_t k = 0; k < v->n; k++)
    if (!strcmp(v->p[k].name, name)) return &v->p[k];
  return NULL;
}
