/* What stands in the ledger now. */
#include <string.h>

#include "base/vec.h"
#include "chi.h"
#include "ledger/chain.h"

enum { CONTRACTS_MAX = 100000, PREFIX_MIN = 4 };

static ledger_status not_found(ledger_answer *out, const char *why) {
  out->why = why;
  return LEDGER_NOT_FOUND;
}

static ledger_instance instance_of(const instance_row *r) {
  ledger_instance i = {.label = r->label, .seq = r->seq};
  memcpy(i.id, r->id, 32);
  memcpy(i.package, r->package, 32);
  memcpy(i.creator, r->creator, 32);
  return i;
}

static uint64_t locked_by(chain *c, arena *a, uint64_t inst) {
  pending_row *p;
  return state_pending(c->st, a, inst, &p) ? p[0].call : 0;
}

static ledger_status read_contracts(chain *c, arena *a, ledger_answer *out) {
  VEC(ledger_instance) v = {0};
  instance_row row;
  uint64_t after = 0;
  while (v.n < CONTRACTS_MAX && state_instances(c->st, a, after, 1, &row)) {
    vec_push(a, &v, instance_of(&row));
    v.p[v.n - 1].locked_by = locked_by(c, a, row.seq);
    after = row.seq;
  }
  out->instance = v.p;
  out->ninstance = (uint32_t)v.n;
  return LEDGER_OK;
}

/* By the first digits of its id. */
static ledger_status by_prefix(chain *c, arena *a, const char *prefix,
                               instance_row *out, ledger_answer *answer) {
  size_t n = strlen(prefix);
  uint64_t after = 0;
  instance_row row;
  char hex[65];
  bool found = false;
  if (n < PREFIX_MIN || n > 64 || strspn(prefix, "0123456789abcdef") != n)
    return not_found(answer, arena_printf(a, "there is no contract '%.100s'",
                                          prefix));
  while (state_instances(c->st, a, after, 1, &row)) {
    after = row.seq;
    chi_hex(hex, row.id, 32);
    if (strncmp(hex, prefix, n)) continue;
    if (found)
      return not_found(answer, arena_printf(a, "more than one contract begins "
                                            "with '%.100s'", prefix));
    *out = row;
    found = true;
  }
  return found ? LEDGER_OK
               : not_found(answer, arena_printf(a, "there is no contract "
                                                "'%.100s'", prefix));
}

static ledger_status read_contract(chain *c, arena *a, const ledger_query *q,
                                   ledger_answer *out) {
  instance_row row;
  const char *name = q->name ? q->name : "";
  if (!state_labelled(c->st, a, name, &row)) {
    ledger_status s = by_prefix(c, a, name, &row, out);
    if (s) return s;
  }
  out->instance = ARENA_NEW(a, ledger_instance);
  *out->instance = instance_of(&row);
  out->instance->locked_by = locked_by(c, a, row.seq);
  out->ninstance = 1;
  return LEDGER_OK;
}

static ledger_status read_instance(chain *c, arena *a, const ledger_query *q,
                                   ledger_answer *out) {
  instance_row row;
  if (!state_instance(c->st, a, q->id, &row))
    return not_found(out, "there is no such contract");
  if (q->kind == READ_PACKAGE) {
    out->bytes = state_package(c->st, a, row.package, &out->nbytes);
    return out->bytes ? LEDGER_OK
                      : not_found(out, "there is no such package");
  }
  state_read(c->st, a, row.seq, out);
  out->seq = c->head.seq;
  out->time_ms = c->head.time_ms;
  return LEDGER_OK;
}

static ledger_status read_pending(chain *c, arena *a, ledger_answer *out) {
  pending_row *p;
  uint32_t n = state_pending(c->st, a, 0, &p);
  out->pending = ARENA_ARR(a, uint64_t, n);
  out->npending = n;
  for (uint32_t k = 0; k < n; k++) out->pending[k] = p[k].call;
  return LEDGER_OK;
}

/* A view sees time and height of the record that a call would be now. */
static ledger_status read_view(chain *c, arena *a, const ledger_query *q,
                               ledger_answer *out) {
  step s = {.st = c->st, .packages = c->packages, .genesis = &c->genesis,
            .budget = step_budget(&c->genesis),
            .seq = c->head.seq + 1, .time_ms = chain_clock(c)};
  return step_view(&s, a, q, &out->values, &out->why);
}

static ledger_status read_any(chain *c, arena *a, const ledger_query *q,
                              ledger_answer *out) {
  switch (q->kind) {
  case READ_HEAD:
    out->seq = c->head.seq;
    out->time_ms = c->head.time_ms;
    memcpy(out->hash, c->head.hash, 32);
    memcpy(out->net, c->net, 32);
    out->genesis = c->genesis;
    return LEDGER_OK;
  case READ_COUNTER:
    out->seq = state_counter(c->st, q->id);
    return LEDGER_OK;
  case READ_CONTRACTS: return read_contracts(c, a, out);
  case READ_CONTRACT: return read_contract(c, a, q, out);
  case READ_PACKAGE:
  case READ_STATE: return read_instance(c, a, q, out);
  case READ_VIEW: return read_view(c, a, q, out);
  case READ_PENDING: return read_pending(c, a, out);
  case READ_RECORD:
  case READ_VERIFY: break;
  }
  return not_found(out, "the ledger knows no such question");
}

ledger_status chain_read(chain *c, arena *a, const ledger_query *q,
                         ledger_answer *out) {
  *out = (ledger_answer){.why = ""};
  ledger_status s = read_any(c, a, q, out);
  ledger_status bad = chain_trouble(c, a, &out->why);
  if (bad) state_rollback(c->st);
  return bad ? bad : s;
}
