#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

uint64_t world_clock(void *w) { return ((world *)w)->now; }

static ledger_options options(world *w) {
  return (ledger_options){world_clock, w};
}

static chi_identity *identity(int kind, int k) {
  uint8_t seed[32] = {(uint8_t)kind, (uint8_t)k, 77};
  chi_identity *id;
  if (chi_identity_from_seed(&id, seed) != CHI_OK) abort();
  return id;
}

static void make_genesis(world *w) {
  const char *why = "";
  size_t n;
  tx t = {.kind = TX_GENESIS,
          .u.genesis = {.protocol = CHI_REP3, .n = NODES, .lock_ms = 10000,
                        .step_budget = w->steps}};
  t.u.genesis.key = arena_array(w->a, NODES, 32);
  for (int k = 0; k < NODES; k++)
    chi_identity_public(w->node[k], t.u.genesis.key[k]);
  uint8_t *p = tx_encode(w->a, &t, w->node[0], &n);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  CU_ASSERT_EQUAL_FATAL(ledger_create(w->path, p, n, &why, w->a), LEDGER_OK);
  tx_hash(p, n, w->net);
}

static void open_file(world *w) {
  const char *why = "";
  ledger_options o = options(w);
  ledger_status s = ledger_open(&w->l, w->a, w->path, &o, &why);
  if (s) fprintf(stderr, "open: %s\n", why);
  CU_ASSERT_EQUAL_FATAL(s, LEDGER_OK);
}

void world_open(world *w, uint64_t steps) {
  *w = (world){.a = arena_new(), .now = 4000000000000, .steps = steps};
  strcpy(w->dir, "/tmp/chi-ledger-XXXXXX");
  if (!mkdtemp(w->dir)) abort();
  snprintf(w->path, sizeof w->path, "%s/ledger.db", w->dir);
  for (int k = 0; k < NODES; k++) w->node[k] = identity(1, k);
  for (int k = 0; k < PEOPLE; k++) {
    w->person[k] = identity(2, k);
    w->counter[k] = 1;
  }
  make_genesis(w);
  open_file(w);
}

void world_close(world *w) {
  if (w->l) w->l->ops->close(w->l);
  for (int k = 0; k < NODES; k++) chi_identity_free(w->node[k]);
  for (int k = 0; k < PEOPLE; k++) chi_identity_free(w->person[k]);
  unlink(w->path);
  unlink(arena_printf(w->a, "%s-wal", w->path));
  CU_ASSERT_EQUAL(rmdir(w->dir), 0);
  arena_free(w->a);
}

void world_reopen(world *w) {
  ledger_query q = {.kind = READ_VERIFY};
  ledger_answer out;
  w->l->ops->close(w->l);
  open_file(w);
  ledger_status s = w->l->ops->read(w->l, w->a, &q, &out);
  if (s) fprintf(stderr, "verify: %s\n", out.why);
  CU_ASSERT_EQUAL(s, LEDGER_OK);
}

/* ---- values ---- */
static void clear(void *p) { mpz_clear(*(mpz_t *)p); }

static tx_value value(arena *a, const char *text) {
  char *s = arena_strdup(a, text), *eq = strchr(s, '=');
  tx_value v = {.name = s};
  *eq++ = 0;
  v.lane = ARENA_ARR(a, mpz_t, strlen(eq) + 1);
  for (char *p = strtok(eq, ","); p; p = strtok(NULL, ",")) {
    mpz_init_set_str(v.lane[v.n], p, 10);
    arena_defer(a, clear, &v.lane[v.n++]);
  }
  return v;
}

tx_values world_values(arena *a, ...) {
  tx_values v = {.p = ARENA_ARR(a, tx_value, 16)};
  va_list ap;
  va_start(ap, a);
  for (const char *s; (s = va_arg(ap, const char *));)
    v.p[v.n++] = value(a, s);
  va_end(ap);
  return v;
}

tx_values world_none(void) { return (tx_values){0}; }

const char *world_text(arena *a, const tx_value *v) {
  const char *s = "";
  if (!v) return "";
  for (uint64_t k = 0; k < v->n; k++) {
    char *d = mpz_get_str(NULL, 10, v->lane[k]);
    s = arena_printf(a, "%s%s%s", s, k ? "," : "", d);
    free(d);
  }
  return s;
}

const char *world_key(world *w, const chi_identity *id) {
  uint8_t key[32];
  mpz_t z;
  chi_identity_public(id, key);
  mpz_init(z);
  mpz_import(z, 32, 1, 1, 1, 0, key);
  char *d = mpz_get_str(NULL, 10, z);
  const char *s = arena_strdup(w->a, d);
  free(d);
  mpz_clear(z);
  return s;
}

/* ---- transactions ---- */
uint8_t *world_bytes(world *w, tx *t, const chi_identity *id, size_t *n) {
  if (t->kind != TX_GENESIS) memcpy(t->net, w->net, 32);
  return tx_encode(w->a, t, id, n);
}

ledger_status world_submit(world *w, tx *t, const chi_identity *id) {
  size_t n;
  uint8_t *p = world_bytes(w, t, id, &n);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  w->status = w->l->ops->submit(w->l, w->a, p, n, &w->receipt);
  return w->status;
}

/* Whatever was recorded used the counter. */
static ledger_status counted(world *w, int who, tx *t) {
  t->counter = w->counter[who];
  ledger_status s = world_submit(w, t, w->person[who]);
  if (s == LEDGER_OK || s == LEDGER_REVERTED) w->counter[who]++;
  return s;
}

ledger_status world_deploy_text(world *w, int who, const char *package,
                                tx_values args, uint8_t id[32]) {
  uint8_t hash[32], key[32];
  tx t = {.kind = TX_DEPLOY,
          .u.deploy = {package, strlen(package), args}};
  tx_hash((const uint8_t *)package, strlen(package), hash);
  chi_identity_public(w->person[who], key);
  tx_instance(id, w->net, hash, key, w->counter[who]);
  return counted(w, who, &t);
}

ledger_status world_deploy(world *w, int who, const char *seats,
                           uint8_t id[32]) {
  const char *s = arena_printf(w->a, "seats=%s", seats);
  return world_deploy_text(w, who, pool_package(w->a),
                           world_values(w->a, s, NULL), id);
}

tx world_call_tx(world *w, int who, const uint8_t id[32], const char *action,
                 tx_values args, bool sealed) {
  static uint64_t fresh;
  tx t = {.kind = TX_CALL,
          .counter = w->counter[who],
          .u.call = {.action = action, .args = args}};
  memcpy(t.u.call.contract, id, 32);
  if (!sealed) return t;
  t.u.call.nsealed = NODES;
  t.u.call.sealed = arena_array(w->a, NODES, 32);
  for (int k = 0; k < NODES; k++) {
    fresh++;
    tx_sealed_digest(t.u.call.sealed[k], (uint8_t *)&fresh, sizeof fresh);
  }
  return t;
}

ledger_status world_call(world *w, int who, const uint8_t id[32],
                         const char *action, tx_values args, bool sealed) {
  tx t = world_call_tx(w, who, id, action, args, sealed);
  return counted(w, who, &t);
}

ledger_status world_commit(world *w, int node, uint64_t call,
                           tx_values opened) {
  tx t = {.kind = TX_VOTE,
          .u.vote = {.call = call, .node = (uint32_t)node, .commit = true,
                     .why = "", .opened = opened, .rounds = 2, .bytes = 99}};
  return world_submit(w, &t, w->node[node]);
}

ledger_status world_abort(world *w, int node, uint64_t call, const char *why,
                          int32_t status) {
  tx t = {.kind = TX_VOTE,
          .u.vote = {.call = call, .node = (uint32_t)node, .why = why,
                     .status = status}};
  return world_submit(w, &t, w->node[node]);
}

void world_all_commit(world *w, uint64_t call, tx_values opened) {
  for (int k = 0; k < NODES; k++)
    CU_ASSERT_EQUAL(world_commit(w, k, call, opened), LEDGER_OK);
}

/* ---- reading ---- */
ledger_record *world_record(world *w, uint64_t seq) {
  ledger_query q = {.kind = READ_RECORD, .seq = seq};
  ledger_answer out;
  CU_ASSERT_EQUAL_FATAL(w->l->ops->read(w->l, w->a, &q, &out), LEDGER_OK);
  return out.record;
}

static ledger_answer state_of(world *w, const uint8_t id[32]) {
  ledger_query q = {.kind = READ_STATE};
  ledger_answer out;
  memcpy(q.id, id, 32);
  CU_ASSERT_EQUAL_FATAL(w->l->ops->read(w->l, w->a, &q, &out), LEDGER_OK);
  return out;
}

const char *world_state(world *w, const uint8_t id[32], const char *leaf) {
  ledger_answer out = state_of(w, id);
  return world_text(w->a, tx_find(&out.values, leaf));
}

const char *world_entry(world *w, const uint8_t id[32], const char *leaf,
                        const char *key) {
  ledger_answer out = state_of(w, id);
  for (uint32_t k = 0; k < out.nentry; k++)
    if (!strcmp(out.entry[k].leaf, leaf) &&
        !strcmp(world_text(w->a, &out.entry[k].key), key))
      return world_text(w->a, &out.entry[k].value);
  return "";
}

uint64_t world_version(world *w, const uint8_t id[32], const char *name) {
  ledger_answer out = state_of(w, id);
  for (uint32_t k = 0; k < out.nslot; k++)
    if (!strcmp(out.slot[k].name, name)) return out.slot[k].version;
  return UINT64_MAX;
}

const char *world_view(world *w, const uint8_t id[32], const char *view,
                       tx_values args) {
  ledger_query q = {.kind = READ_VIEW, .name = view, .args = args};
  ledger_answer out;
  const char *s = "";
  memcpy(q.id, id, 32);
  w->status = w->l->ops->read(w->l, w->a, &q, &out);
  w->receipt.why = out.why;
  if (w->status) return out.why;
  for (uint32_t k = 0; k < out.values.n; k++)
    s = arena_printf(w->a, "%s%s%s=%s", s, k ? " " : "", out.values.p[k].name,
                     world_text(w->a, &out.values.p[k]));
  return s;
}
