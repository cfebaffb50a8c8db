/* What follows from a record, and whether the tables say the same. */
#include <string.h>

#include "ledger/state_impl.h"

static void put(state *st, sqlite3_stmt *s) {
  state_step(st, s);
  state_done(s);
}

static void put_write(state *st, arena *a, uint64_t inst, uint64_t seq,
                      const effect_write *x) {
  codec_writer v = codec_writer_new(a, EFFECTS_BYTES_MAX);
  codec_put_lanes(&v, (const mpz_t *)x->value.lane, x->value.n);
  if (!x->key.n) {
    put(st, state_query(st, Q_PUT_LEAF, "itib", inst, x->value.name, seq, v.p,
                        v.n));
    return;
  }
  codec_writer k = codec_writer_new(a, EFFECTS_BYTES_MAX);
  codec_put_lanes(&k, (const mpz_t *)x->key.lane, x->key.n);
  put(st, state_query(st, Q_PUT_ENTRY, "itbib", inst, x->value.name, k.p, k.n,
                      seq, v.p, v.n));
}

/* Public writes and secret versions of what is done. */
static void put_state(state *st, arena *a, uint64_t inst, uint64_t seq,
                      const effects *e) {
  for (uint32_t k = 0; k < e->nwrite; k++)
    put_write(st, a, inst, seq, &e->write[k]);
  for (uint32_t k = 0; k < e->secret_after.n; k++) {
    const tx_value *v = &e->secret_after.p[k];
    put(st, state_query(st, Q_SET_SLOT, "iiit",
                        v->n ? (uint64_t)mpz_get_ui(v->lane[0]) : 0, seq,
                        inst, v->name));
  }
}

static void put_deploy(state *st, arena *a, const ledger_record *r,
                       const effects *e) {
  uint8_t package[32];
  const char *bytes = r->t.u.deploy.package;
  size_t n = r->t.u.deploy.package_bytes;
  tx_hash((const uint8_t *)bytes, n, package);
  put(st, state_query(st, Q_PUT_PACKAGE, "hib", package, r->seq, bytes, n));
  put(st, state_query(st, Q_PUT_INSTANCE, "ihhht", r->seq, e->contract,
                      package, r->t.sender, e->label));
  for (uint32_t k = 0; k < e->nslot; k++) {
    codec_writer w = codec_writer_new(a, EFFECTS_BYTES_MAX);
    codec_put_values(&w, &e->slot[k].initial);
    put(st, state_query(st, Q_PUT_SLOT, "itib", r->seq, e->slot[k].name,
                        r->seq, w.p, w.n));
  }
  put_state(st, a, r->seq, r->seq, e);
}

static void put_call(state *st, arena *a, const ledger_record *r,
                     const effects *e) {
  instance_row inst;
  for (uint32_t k = 0; k < r->t.u.call.nsealed; k++)
    put(st, state_query(st, Q_PUT_ARGUMENT, "hi", r->t.u.call.sealed[k],
                        r->seq));
  if (!state_instance(st, a, r->t.u.call.contract, &inst)) return;
  if (r->outcome == REC_PENDING)
    put(st, state_query(st, Q_PUT_PENDING, "iiti", r->seq, inst.seq,
                        r->t.u.call.action, e->lock_until_ms));
  if (r->outcome == REC_DONE) put_state(st, a, inst.seq, r->seq, e);
}

static void put_vote(state *st, arena *a, const ledger_record *r,
                     const effects *e) {
  uint8_t h[32];
  pending_row p;
  uint64_t call = r->t.u.vote.call;
  tx_hash(r->tx, r->tx_bytes, h);
  put(st, state_query(st, Q_PUT_VOTE, "iiih", call,
                      (uint64_t)r->t.u.vote.node, r->seq, h));
  if (r->outcome == REC_NOTED || !state_pending_call(st, a, call, &p)) return;
  if (r->outcome == REC_DONE) put_state(st, a, p.inst, r->seq, e);
  put(st, state_query(st, Q_END_PENDING, "i", call));
}

void state_fold(state *st, const ledger_record *r, const effects *e) {
  arena *a = arena_new();
  if (r->t.counter)
    put(st, state_query(st, Q_PUT_COUNTER, "hii", r->t.sender, r->seq,
                        r->t.counter + 1));
  switch (r->t.kind) {
  case TX_GENESIS: break;
  case TX_DEPLOY:
    if (r->outcome == REC_DONE) put_deploy(st, a, r, e);
    break;
  case TX_CALL: put_call(st, a, r, e); break;
  case TX_VOTE: put_vote(st, a, r, e); break;
  case TX_EXPIRE:
    put(st, state_query(st, Q_END_PENDING, "i", r->t.u.expire.call));
    break;
  }
  arena_free(a);
}

void state_apply(state *st, const raw_record *w, const ledger_record *r,
                 const effects *e) {
  put(st, state_query(st, Q_PUT_RECORD, "iihhbitb", w->seq, w->time_ms,
                      w->prev, w->hash, w->tx, w->tx_bytes,
                      (uint64_t)w->outcome, w->why, w->effects,
                      w->effects_bytes));
  state_fold(st, r, e);
}

/* ---- comparison ---- */
typedef struct table {
  const char *name, *what, *of; /* for people */
  const char *columns;     /* the key's first, then seq, then the rest */
  int nkey;
} table;

static const table tables[] = {
    {"sqlite_schema", "table", "", "type, name, 0, tbl_name, sql", 2},
    {"instance", "contract", "of record",
     "seq, seq, id, package, creator, label", 1},
    {"package", "package", "", "hash, seq, bytes", 1},
    {"leaf", "state", "of the contract of record", "inst, name, seq, value", 2},
    {"entry", "map entry", "of the contract of record",
     "inst, leaf, key, seq, value", 3},
    {"slot", "version of secret state", "of the contract of record",
     "inst, name, seq, version, initial",
     2},
    {"pending", "pending call", "of record",
     "call, call, inst, action, until", 1},
    {"vote", "vote", "on the call of record", "call, node, seq, hash", 2},
    {"counter", "counter", "", "id, seq, next", 1},
    {"argument", "used argument", "", "digest, seq", 1},
};

static sqlite3_stmt *all_rows(state *st, arena *a, const table *t) {
  sqlite3_stmt *s = NULL;
  const char *order = t->nkey == 1 ? "1" : t->nkey == 2 ? "1, 2" : "1, 2, 3";
  if (!st->failed)
    state_fail(st, sqlite3_prepare_v2(
                       st->db,
                       arena_printf(a, "SELECT %s FROM %s ORDER BY %s",
                                    t->columns, t->name, order),
                       -1, &s, NULL));
  return s;
}

/* <0, 0, >0 as SQLite orders values of one type; of different types: != 0. */
static int compare_column(sqlite3_stmt *x, sqlite3_stmt *y, int k) {
  int tx_ = sqlite3_column_type(x, k), ty = sqlite3_column_type(y, k);
  if (tx_ != ty) return tx_ < ty ? -1 : 1;
  if (tx_ == SQLITE_INTEGER) {
    sqlite3_int64 p = sqlite3_column_int64(x, k);
    sqlite3_int64 q = sqlite3_column_int64(y, k);
    return p < q ? -1 : p > q;
  }
  const void *p = sqlite3_column_blob(x, k), *q = sqlite3_column_blob(y, k);
  int n = sqlite3_column_bytes(x, k), m = sqlite3_column_bytes(y, k);
  int least = n < m ? n : m, c = least ? memcmp(p, q, (size_t)least) : 0;
  return c ? c : n < m ? -1 : n > m;
}

/* "state '$filled' of the contract of record 2" */
static const char *row_name(arena *a, const table *t, sqlite3_stmt *s) {
  const char *p = t->what;
  for (int k = 0; k < t->nkey; k++)
    if (sqlite3_column_type(s, k) == SQLITE_TEXT)
      p = arena_printf(a, "%s '%.100s'", p,
                       codec_clean(a, (const char *)
                                          sqlite3_column_text(s, k)));
  if (sqlite3_column_type(s, 0) == SQLITE_INTEGER)
    p = arena_printf(a, "%s %s %lld", p, t->of, sqlite3_column_int64(s, 0));
  return p;
}

static const char *differs(arena *a, const table *t, sqlite3_stmt *s,
                           const char *how) {
  return arena_printf(a, "record %lld: %s %s",
                      sqlite3_column_int64(s, t->nkey), row_name(a, t, s),
                      how);
}

/* NULL if the tables are equal. */
static const char *compare_table(state *st, state *folded, arena *a,
                                 const table *t) {
  sqlite3_stmt *x = all_rows(st, a, t), *y = all_rows(folded, a, t);
  const char *why = NULL;
  bool in_x = state_step(st, x), in_y = state_step(folded, y);
  while (!why && (in_x || in_y)) {
    int c = !in_x ? 1 : !in_y ? -1 : 0;
    for (int k = 0; !c && k < t->nkey; k++) c = compare_column(x, y, k);
    if (c < 0)
      why = differs(a, t, x, "is in the file, but follows from no record");
    else if (c > 0)
      why = differs(a, t, y, "is missing in the file");
    for (int k = t->nkey; !why && k < sqlite3_column_count(x); k++)
      if (compare_column(x, y, k))
        why = differs(a, t, y, "was changed in the file");
    if (why) break;
    in_x = state_step(st, x);
    in_y = state_step(folded, y);
  }
  sqlite3_finalize(x);
  sqlite3_finalize(y);
  return why;
}

bool state_compare(state *st, state *folded, arena *a, const char **why) {
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
    *why = compare_table(st, folded, a, &tables[k]);
    if (*why) return false;
  }
  return !st->failed && !folded->failed;
}
