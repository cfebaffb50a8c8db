/* chi log: the history of a contract, verified as it is read. */
#include <stdio.h>
#include <string.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/show.h"
#include "cmd/chi/story.h"

enum { WATCH_MAX = 256, WATCH_MS = 1000 };

/* A pending call, until the record that ends it. */
typedef struct open_call {
  uint64_t seq;
  const char *action;
  uint8_t caller[32];
} open_call;

typedef struct reader {
  cli *c;
  contact x;
  ledger_instance inst;
  iface *f;
  story s;
  open_call *call;
  size_t ncall;
  uint8_t last[32]; /* hash of the record before */
  uint64_t seq;     /* of it; 0: none yet */
  uint64_t shown;
  buf b;
} reader;

/* ---- checking ---- */

static bool corrupt(reader *r, uint64_t seq, const char *what) {
  diag_report_nowhere(r->c->dg, DIAG_LEDGER_CORRUPT,
                      arena_printf(r->c->a, "record %llu: %s",
                                   (unsigned long long)seq, what));
  return false;
}

/* The ledger checks itself (READ_VERIFY); this is what it shows us. */
static bool check_record(reader *r, const ledger_record *k) {
  if (k->seq != r->seq + 1)
    return corrupt(r, k->seq, "it does not follow the one before");
  if (r->seq > 0 && memcmp(k->prev, r->last, 32) != 0)
    return corrupt(r, k->seq, "it is not chained to the one before");
  if (k->t.kind != TX_EXPIRE && !tx_signed(k->tx, k->tx_bytes, &k->t))
    return corrupt(r, k->seq, "its signature is not the sender's");
  if (k->t.kind != TX_GENESIS && memcmp(k->t.net, r->x.id, 32) != 0)
    return corrupt(r, k->seq, "it is of another network");
  r->seq = k->seq;
  memcpy(r->last, k->hash, 32);
  return true;
}

static bool verify(reader *r) {
  ledger_query q = {.kind = READ_VERIFY};
  ledger_answer a = {0};
  ledger_status st = r->x.l->ops->read(r->x.l, r->c->a, &q, &a);
  if (st != LEDGER_OK)
    contact_failed(&r->x, st, "verify itself", a.why);
  return st == LEDGER_OK;
}

/* ---- calls that are open ---- */

static const open_call *open_find(const reader *r, uint64_t seq) {
  for (size_t i = r->ncall; i-- > 0;)
    if (r->call[i].seq == seq)
      return &r->call[i];
  return NULL;
}

static void open_add(reader *r, const ledger_record *k) {
  if ((r->ncall & (r->ncall - 1)) == 0)
    r->call = arena_grow(r->c->a, r->call, r->ncall, 2 * r->ncall + 1,
                         sizeof *r->call);
  open_call *o = &r->call[r->ncall++];
  o->seq = k->seq;
  o->action = arena_strdup(r->c->a, k->t.u.call.action);
  memcpy(o->caller, k->t.sender, 32);
}

static void open_end(reader *r, uint64_t seq) {
  for (size_t i = 0; i < r->ncall; i++)
    if (r->call[i].seq == seq) {
      r->call[i] = r->call[--r->ncall];
      return;
    }
}

static const iface_action *action(const reader *r, const char *name) {
  for (uint32_t i = 0; i < r->f->k->naction; i++)
    if (strcmp(r->f->action[i].fn.name, name) == 0)
      return &r->f->action[i];
  return NULL;
}

/* ---- a record ---- */

static uint64_t call_of(const ledger_record *k) {
  return k->call != 0                ? k->call
         : k->t.kind == TX_VOTE   ? k->t.u.vote.call
         : k->t.kind == TX_EXPIRE ? k->t.u.expire.call
                                  : 0;
}

static bool concerns(const reader *r, const ledger_record *k) {
  uint64_t call = call_of(k);
  if (call != 0)
    return open_find(r, call) != NULL;
  return (k->t.kind == TX_DEPLOY || k->t.kind == TX_CALL) &&
         memcmp(k->contract, r->inst.id, 32) == 0;
}

static void args_of(reader *r, buf *b, const ledger_record *k) {
  const tx *t = &k->t;
  const iface_action *x = t->kind == TX_CALL ? action(r, t->u.call.action)
                                             : iface_init(r->f);
  if (x != NULL)
    story_args(&r->s, b, x,
               t->kind == TX_CALL ? &t->u.call.args : &t->u.deploy.args);
  else
    buf_puts(b, r->s.json ? "{}" : "()");
}

static void what_text(reader *r, buf *b, const ledger_record *k) {
  const tx *t = &k->t;
  unsigned long long call = call_of(k);
  switch (t->kind) {
  case TX_DEPLOY:
    buf_puts(b, "deploy");
    args_of(r, b, k);
    break;
  case TX_CALL:
    buf_puts(b, text_shown(r->c->a, t->u.call.action,
                           strlen(t->u.call.action)));
    args_of(r, b, k);
    break;
  case TX_VOTE:
    buf_printf(b, "node %u votes to %s call %llu", t->u.vote.node,
               t->u.vote.commit ? "commit" : "abort", call);
    break;
  case TX_EXPIRE:
    buf_printf(b, "the lock of call %llu ran out", call);
    break;
  case TX_GENESIS:
    break;
  }
}

/* What a record that ends a call, or needs no nodes, did.  What was opened
 * stays known, also if the call came to nothing. */
static void effects(reader *r, buf *b, const ledger_record *k,
                    const char *name, const char *indent) {
  static const tx_values none;
  const iface_action *x = name != NULL ? action(r, name) : iface_init(r->f);
  bool json = r->s.json;
  if (json)
    buf_puts(b, ",\"opened\":");
  if (x != NULL)
    story_opened(&r->s, b, x,
                 k->t.kind == TX_VOTE ? &k->t.u.vote.opened : &none, indent);
  else if (json)
    buf_puts(b, "[]");
  if (json)
    buf_puts(b, ",\"events\":");
  story_events(&r->s, b, k->event, k->nevent, indent);
  if (json)
    buf_puts(b, ",\"result\":");
  if (x != NULL && name != NULL)
    story_result(&r->s, b, x, &k->result, indent);
  else if (json)
    buf_puts(b, "null");
}

static bool has_effects(const ledger_record *k) {
  return k->outcome == REC_DONE ||
         (k->outcome == REC_REVERTED && k->t.kind == TX_VOTE);
}

static const char *action_name(const reader *r, const ledger_record *k) {
  const open_call *o = open_find(r, call_of(k));
  return k->t.kind == TX_CALL ? k->t.u.call.action
         : o != NULL          ? o->action
                              : NULL;
}

static void record_text(reader *r, buf *b, const ledger_record *k) {
  const open_call *o = open_find(r, call_of(k));
  const char *dim = r->c->colour_out ? "\033[2m" : "";
  const char *off = r->c->colour_out ? "\033[0m" : "";
  buf_printf(b, "%s#%llu  %s%s  ", dim, (unsigned long long)k->seq,
             story_time(r->c->a, k->time_ms), off);
  if (k->t.kind == TX_DEPLOY || k->t.kind == TX_CALL) {
    show_key(b, k->t.sender, &r->x.who, false);
    buf_puts(b, "  ");
  }
  what_text(r, b, k);
  if (k->outcome != REC_NOTED)
    buf_printf(b, ": %s%s", o != NULL ? o->action : "", o != NULL ? " " : "");
  if (k->outcome != REC_NOTED)
    buf_puts(b, rec_outcome_name(k->outcome));
  if (k->why != NULL && k->why[0] != '\0')
    buf_printf(b, ": %s", text_whole(r->c->a, k->why));
  buf_putc(b, '\n');
  if (has_effects(k))
    effects(r, b, k, action_name(r, k), "    ");
}

static void record_json(reader *r, buf *b, const ledger_record *k) {
  char hex[65];
  const char *name = action_name(r, k);
  static const char *const kind[] = {"", "genesis", "deploy", "call", "vote",
                                     "expire"};
  chi_hex(hex, k->hash, 32);
  buf_printf(b, "{\"record\":%llu,\"time_ms\":%llu,\"hash\":\"%s\","
             "\"kind\":\"%s\",\"sender\":",
             (unsigned long long)k->seq, (unsigned long long)k->time_ms, hex,
             kind[k->t.kind <= TX_EXPIRE ? k->t.kind : 0]);
  if (k->t.kind == TX_EXPIRE)
    buf_puts(b, "null");
  else
    show_key(b, k->t.sender, NULL, true);
  buf_puts(b, ",\"action\":");
  text_jsonz(b, name);
  buf_puts(b, ",\"call\":");
  if (call_of(k) != 0)
    buf_printf(b, "%llu", (unsigned long long)call_of(k));
  else
    buf_puts(b, "null");
  if (k->t.kind == TX_VOTE)
    buf_printf(b, ",\"node\":%u,\"commit\":%s", k->t.u.vote.node,
               k->t.u.vote.commit ? "true" : "false");
  if (k->t.kind == TX_CALL || k->t.kind == TX_DEPLOY) {
    buf_puts(b, ",\"args\":");
    args_of(r, b, k);
  }
  buf_printf(b, ",\"outcome\":\"%s\",\"why\":", rec_outcome_name(k->outcome));
  text_jsonz(b, k->why != NULL ? k->why : "");
  if (has_effects(k))
    effects(r, b, k, name, "");
  buf_putc(b, '}');
}

static void take(reader *r, const ledger_record *k) {
  if (!concerns(r, k))
    return;
  if (r->s.json && !r->c->opt.follow)
    buf_puts(&r->b, r->shown > 0 ? ",\n" : "\n");
  if (r->s.json)
    record_json(r, &r->b, k);
  else
    record_text(r, &r->b, k);
  if (r->s.json && r->c->opt.follow)
    buf_putc(&r->b, '\n');
  r->shown++;
  if (k->outcome == REC_PENDING)
    open_add(r, k);
  else if (k->call != 0)
    open_end(r, k->call);
}

/* ---- all of them ---- */

/* 1: there were records; 0: none; -1 after a report. */
static int next_records(reader *r, int wait_ms) {
  ledger_record *k;
  uint32_t n = 0;
  arena *a = arena_new();
  ledger_status st =
      r->x.l->ops->watch(r->x.l, a, r->seq, WATCH_MAX, wait_ms, &k, &n);
  bool ok = st == LEDGER_OK;
  if (!ok)
    contact_failed(&r->x, st, "read its records", NULL);
  for (uint32_t i = 0; ok && i < n; i++) {
    ok = check_record(r, &k[i]);
    if (ok)
      take(r, &k[i]);
  }
  arena_free(a);
  return !ok ? -1 : n > 0;
}

static bool flush(reader *r) {
  bool ok = print_out(&r->b);
  buf_reset(&r->b);
  return ok;
}

static int read_all(reader *r) {
  bool follow = r->c->opt.follow, json = r->s.json;
  int more;
  if (json && !follow)
    buf_puts(&r->b, "{\"verified\":true,\"records\":[");
  while ((more = next_records(r, 0)) > 0)
    if (!json && !flush(r))
      return EXIT_NETWORK;
  while (more >= 0 && follow) {
    if (!flush(r))
      return EXIT_NETWORK;
    more = next_records(r, WATCH_MS);
  }
  if (more < 0)
    return report_failure(r->c);
  if (json)
    buf_puts(&r->b, "]}\n");
  else
    buf_printf(&r->b, "verified: %llu records of the ledger, %llu of them of "
               "%s\n", (unsigned long long)r->seq,
               (unsigned long long)r->shown, r->inst.label);
  return flush(r) ? EXIT_FINE : EXIT_NETWORK;
}

int cmd_log(cli *c) {
  reader r = {.c = c};
  bool ok = contact_open(c, &r.x) &&
            contact_instance(&r.x, c->opt.arg[0], &r.inst) &&
            (r.f = contact_iface(&r.x, &r.inst)) != NULL && verify(&r);
  r.s = (story){c, r.f, &r.x.who, c->opt.json};
  int code = ok ? read_all(&r) : report_failure(c);
  buf_free(&r.b);
  contact_close(&r.x);
  return code;
}
