/* A caller, and a node's voice, that keep to no rule: chi-rogue makes the
 * transactions that chi does not.
 *
 *   chi-rogue make FILE CONTRACT ACTION [amount=N] [counter=N] [net=other]
 *             [sealed=FILE] [deposit=none|changed|garbage]
 *       seals the amount and deposits it; the signed call goes to FILE.
 *       sealed: with the digests of the call in FILE
 *   chi-rogue vote FILE CALL NODE SEED-FILE commit|abort
 *       as NODE, signed with that seed
 *   chi-rogue record FILE SEQ
 *       the transaction of a record
 *   chi-rogue send FILE
 *       submits the bytes of FILE; tells what became of them
 *
 * It stands in the network's folder and is always the same person.
 */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/contract.h"
#include "chi.h"
#include "ledger/ledger.h"
#include "node/node.h"

enum { FILE_MAX = 1 << 20, WAIT_MS = 200, TURNS = 400 };

typedef struct rogue {
  arena *a;
  ledger *l;
  json_t *net;
  uint8_t id[32], me[32];
  chi_identity *key;
  chi_protocol protocol;
  unsigned n;
  uint8_t (*node)[32];
} rogue;

static void die(const char *what, const char *why) {
  fprintf(stderr, "chi-rogue: %s: %s\n", what, why);
  exit(2);
}

/* ---- files ---- */
static uint8_t *load(rogue *x, const char *path, size_t *n) {
  uint8_t *p = arena_alloc(x->a, FILE_MAX);
  FILE *f = fopen(path, "rb");
  if (!f) die(path, "cannot be read");
  *n = fread(p, 1, FILE_MAX, f);
  fclose(f);
  return p;
}

static void save(const char *path, const uint8_t *p, size_t n) {
  FILE *f = fopen(path, "wb");
  if (!p || !f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
    die(path, "cannot be written");
}

/* ---- the network ---- */
static void unhex(uint8_t out[32], const json_t *s) {
  if (chi_unhex(out, 32, json_string_value(s)) != CHI_OK)
    die("net.json", "a key is malformed");
}

static uint16_t port(const json_t *o, const char *key) {
  return (uint16_t)json_integer_value(json_object_get(o, key));
}

static void find_net(rogue *x) {
  const char *why = "";
  json_error_t err;
  x->net = json_load_file(".chi/net.json", 0, &err);
  if (!x->net) die("net.json", err.text);
  const json_t *list = json_object_get(x->net, "nodes");
  x->n = (unsigned)json_array_size(list);
  x->protocol = strcmp(json_string_value(json_object_get(x->net, "protocol")),
                       "rep3") == 0 ? CHI_REP3 : CHI_SHAMIR;
  x->node = arena_array(x->a, x->n, 32);
  for (unsigned i = 0; i < x->n; i++)
    unhex(x->node[i], json_object_get(json_array_get(list, i), "key"));
  unhex(x->id, json_object_get(x->net, "net"));
  if (ledger_connect(&x->l, x->a, "127.0.0.1", port(x->net, "ledger_port"),
                     &why) != LEDGER_OK)
    die("the ledger", why);
}

static void find_me(rogue *x) {
  static const uint8_t seed[32] = "chirograph tests: the rogue";
  if (chi_identity_from_seed(&x->key, seed) != CHI_OK) die("key", "none");
  chi_identity_public(x->key, x->me);
}

static ledger_answer read_one(rogue *x, ledger_query q) {
  ledger_answer out = {0};
  ledger_status s = x->l->ops->read(x->l, x->a, &q, &out);
  if (s != LEDGER_OK) die("read", ledger_status_text(s));
  return out;
}

/* ---- make ---- */
typedef struct order {
  const char *action, *sealed, *deposit;
  long amount; /* < 0: none */
  uint64_t counter;
  bool other_net;
  uint8_t contract[32], session[32];
} order;

static void parse(order *o, char **word, int n) {
  o->amount = -1;
  o->deposit = "right";
  for (int k = 0; k < n; k++) {
    char *v = strchr(word[k], '=');
    if (!v) die(word[k], "is no NAME=VALUE");
    *v++ = 0;
    if (!strcmp(word[k], "amount")) o->amount = atol(v);
    else if (!strcmp(word[k], "counter")) o->counter = strtoull(v, NULL, 10);
    else if (!strcmp(word[k], "net")) o->other_net = true;
    else if (!strcmp(word[k], "sealed")) o->sealed = v;
    else if (!strcmp(word[k], "deposit")) o->deposit = v;
    else die(word[k], "is not known");
  }
}

/* Which input of the circuit the amount is. */
static uint32_t amount_input(rogue *x, const order *o) {
  ledger_query q = {.kind = READ_PACKAGE};
  memcpy(q.id, o->contract, 32);
  ledger_answer r = read_one(x, q);
  diag *dg = diag_new(x->a, source_set_new(x->a));
  contract *c = contract_parse(x->a, "package", r.bytes, r.nbytes, dg);
  const ct_action *act = c ? contract_action(c, o->action) : NULL;
  const ir_module *m = act ? act->part[CT_CIRCUIT] : NULL;
  for (uint32_t k = 0; m && k < m->nin; k++)
    if (!strcmp(m->in[k].name, "amount")) return k;
  die(o->action, "takes no amount");
  return 0;
}

static void seal(rogue *x, const order *o, tx *t) {
  chi_client_run run = {.protocol = x->protocol, .n = x->n,
                        .party_key = (const uint8_t(*)[32])x->node};
  uint8_t *part[CHI_PARTIES_MAX], *box[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  int64_t v = o->amount;
  memcpy(run.session_id, o->session, 32);
  for (unsigned i = 0; i < x->n; i++) {
    bytes[i] = chi_client_blob_bytes(&run, i, 1);
    part[i] = arena_alloc(x->a, bytes[i] + 4);
    for (int k = 0; k < 4; k++)
      part[i][k] = (uint8_t)(bytes[i] >> (24 - 8 * k));
    box[i] = part[i] + 4;
    bytes[i] += 4;
  }
  if (chi_client_share(box, &run, amount_input(x, o), &v, 1) != CHI_OK)
    die("share", "failed");
  t->u.call.nsealed = x->n;
  t->u.call.sealed = arena_array(x->a, x->n, 32);
  for (unsigned i = 0; i < x->n; i++) {
    const json_t *node = json_array_get(json_object_get(x->net, "nodes"), i);
    node_parcel to = {"127.0.0.1", port(node, "port"), part[i], bytes[i], NULL};
    if (!strcmp(o->deposit, "garbage")) randombytes_buf(part[i], bytes[i]);
    tx_sealed_digest(t->u.call.sealed[i], part[i], bytes[i]);
    if (!strcmp(o->deposit, "changed")) part[i][bytes[i] - 1] ^= 1;
    if (strcmp(o->deposit, "none") != 0 &&
        !node_deposit(x->a, o->session, &to, 1, WAIT_MS * TURNS))
      die("deposit", to.why);
  }
}

static void borrow_digests(rogue *x, const char *path, tx *t) {
  tx other;
  size_t n;
  const char *why = "";
  uint8_t *p = load(x, path, &n);
  if (!tx_decode(x->a, p, n, &other, &why)) die(path, why);
  t->u.call.nsealed = other.u.call.nsealed;
  t->u.call.sealed = other.u.call.sealed;
}

static void make(rogue *x, char **arg, int n) {
  order o = {.action = arg[2]};
  tx t = {.kind = TX_CALL, .u.call.action = arg[2]};
  size_t bytes;
  parse(&o, arg + 3, n - 3);
  ledger_query q = {.kind = READ_CONTRACT, .name = arg[1]};
  memcpy(o.contract, read_one(x, q).instance[0].id, 32);
  q = (ledger_query){.kind = READ_COUNTER};
  memcpy(q.id, x->me, 32);
  t.counter = o.counter ? o.counter : read_one(x, q).seq;
  memcpy(t.net, x->id, 32);
  if (o.other_net) t.net[0] ^= 1;
  memcpy(t.u.call.contract, o.contract, 32);
  tx_session(o.session, t.net, o.contract, x->me, t.counter);
  if (o.amount >= 0) seal(x, &o, &t);
  if (o.sealed) borrow_digests(x, o.sealed, &t);
  uint8_t *p = tx_encode(x->a, &t, x->key, &bytes);
  save(arg[0], p, bytes);
}

/* ---- the other deeds ---- */
static void vote(rogue *x, char **arg) {
  tx t = {.kind = TX_VOTE};
  size_t n;
  chi_identity *id = NULL;
  uint8_t *seed = load(x, arg[3], &n);
  if (n != 32 || chi_identity_from_seed(&id, seed) != CHI_OK)
    die(arg[3], "is no seed");
  memcpy(t.net, x->id, 32);
  t.u.vote.call = strtoull(arg[1], NULL, 10);
  t.u.vote.node = (uint32_t)atoi(arg[2]);
  t.u.vote.commit = !strcmp(arg[4], "commit");
  t.u.vote.why = t.u.vote.commit ? "" : "out of spite";
  uint8_t *p = tx_encode(x->a, &t, id, &n);
  save(arg[0], p, n);
  chi_identity_free(id);
}

static void record(rogue *x, char **arg) {
  ledger_query q = {.kind = READ_RECORD, .seq = strtoull(arg[1], NULL, 10)};
  ledger_answer r = read_one(x, q);
  save(arg[0], r.record->tx, r.record->tx_bytes);
}

static json_t *end_of(rogue *x, uint64_t call) {
  uint64_t after = call;
  for (int turn = 0; turn < TURNS; turn++) {
    ledger_record *r;
    uint32_t n;
    if (x->l->ops->watch(x->l, x->a, after, 16, WAIT_MS, &r, &n) != LEDGER_OK)
      break;
    for (uint32_t i = 0; i < n; i++) {
      after = r[i].seq;
      if (r[i].call == call)
        return json_pack("{s:I,s:s,s:s}", "record", (json_int_t)r[i].seq,
                         "outcome", rec_outcome_name(r[i].outcome), "why",
                         r[i].why);
    }
  }
  return json_null();
}

static void submit(rogue *x, char **arg) {
  size_t n;
  uint8_t *p = load(x, arg[0], &n);
  ledger_receipt got = {.why = ""};
  ledger_status s = x->l->ops->submit(x->l, x->a, p, n, &got);
  json_t *end = got.outcome == REC_PENDING ? end_of(x, got.seq) : json_null();
  json_t *o = json_pack("{s:s,s:I,s:s,s:s,s:o}", "status",
                        ledger_status_text(s), "record",
                        (json_int_t)got.seq, "outcome",
                        rec_outcome_name(got.outcome), "why",
                        got.why ? got.why : "", "end", end);
  char *text = json_dumps(o, 0);
  puts(text);
  free(text);
  json_decref(o);
}

int main(int argc, char **argv) {
  rogue x = {.a = arena_new()};
  const char *deed = argc > 1 ? argv[1] : "";
  char **arg = argv + 2;
  int n = argc - 2;
  if (sodium_init() < 0) die("libsodium", "failed");
  find_me(&x);
  find_net(&x);
  if (!strcmp(deed, "make") && n >= 3) make(&x, arg, n);
  else if (!strcmp(deed, "vote") && n == 5) vote(&x, arg);
  else if (!strcmp(deed, "record") && n == 2) record(&x, arg);
  else if (!strcmp(deed, "send") && n == 1) submit(&x, arg);
  else die(deed, "is no deed, or has other arguments");
  x.l->ops->close(x.l);
  json_decref(x.net);
  chi_identity_free(x.key);
  arena_free(x.a);
  return 0;
}
