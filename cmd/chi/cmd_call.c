/* chi call: an action, from its arguments to what became of it. */
#include <string.h>

#include "cmd/chi/call.h"
#include "cmd/chi/identity.h"
#include "cmd/chi/sealing.h"

static bool fill(void *user, arena *a, tx *t) {
  call *k = user;
  uint8_t session[32];
  t->kind = TX_CALL;
  memcpy(t->u.call.contract, k->inst.id, 32);
  t->u.call.action = k->act->fn.name;
  sealing_public(a, &k->in, &t->u.call.args);
  tx_session(session, k->x.id, k->inst.id, t->sender, t->counter);
  progress_tick(&k->prog, "giving the nodes their shares");
  return sealing_secret(&k->x, k->act->part, &k->in, session, k->s.limit,
                        &t->u.call.sealed, &t->u.call.nsealed);
}

static void see_vote(void *user, const ledger_record *r) {
  call *k = user;
  const tx *t = &r->t;
  if (t->u.vote.node < CHI_PARTIES_MAX)
    k->bytes[t->u.vote.node] = t->u.vote.bytes;
  if (k->vote == NULL || !t->u.vote.commit)
    k->vote = t;
}

/* ---- how it ended ---- */

static bool reverted(call *k, const char *why) {
  k->reverted = why;
  diag_report_nowhere(k->c->dg, DIAG_REVERTED,
                      arena_printf(k->c->a, "%s.%s", k->inst.label,
                                   k->act->fn.name),
                      why);
  return false;
}

static bool aborted(call *k) {
  const tx *v = k->vote;
  /* A condition of the program that the nodes found false. */
  if (v != NULL && !v->u.vote.commit &&
      (v->u.vote.status == CHI_E_REQUIRE || v->u.vote.status == CHI_E_RANGE))
    return reverted(k, k->r->why);
  diag_report_nowhere(k->c->dg, DIAG_CALL_ABORTED, (unsigned long long)k->seq,
                      k->r->why);
  diag_hint(k->c->dg, "All is as it was before the call. See that all nodes run "
                      "(chi net status), and call again.");
  return false;
}

static bool ended(call *k, rec_outcome o, const char *why) {
  return o == REC_DONE       ? true
         : o == REC_REVERTED ? reverted(k, why)
                             : aborted(k);
}

static bool perform(call *k) {
  ledger_receipt got;
  double start = clock_seconds();
  if (!submit(&k->s, &k->t, &got))
    return false;
  k->seq = k->end = got.seq;
  if (got.outcome == REC_PENDING) {
    k->r = submit_wait(&k->s, k->seq, see_vote, k);
    if (k->r == NULL)
      return false;
    k->end = k->r->seq;
    k->seconds = clock_seconds() - start;
    return ended(k, k->r->outcome, k->r->why);
  }
  k->seconds = clock_seconds() - start;
  if (got.outcome != REC_DONE)
    return ended(k, got.outcome, got.why);
  ledger_query q = {.kind = READ_RECORD, .seq = k->seq};
  ledger_answer a;
  if (!contact_read(&k->x, &q, &a, "read the record"))
    return false;
  k->r = a.record;
  return true;
}

/* Values told to the caller in this very call. */
static bool fetch_told(call *k) {
  if (k->vote == NULL || k->vote->u.vote.told == 0)
    return true;
  told_settle(&k->x, k->end);
  if (!told_fetch(&k->x, k->id, k->seq - 1, &k->told)) {
    diag_note(k->c->dg, (span){0, 0},
              "call %llu itself is done; chi inbox asks for its values again",
              (unsigned long long)k->seq);
    return false;
  }
  size_t n = 0;
  while (n < k->told.n && k->told.p[n].call == k->seq)
    n++;
  for (size_t i = n; i < k->told.n; i++)
    lanes_free(&k->told.p[i].val);
  k->told.n = n;
  return true;
}

bool call_make(call *k) {
  return perform(k) && fetch_told(k);
}

void call_forget(call *k) {
  told_free(&k->told);
  k->in.who = (people){0}; /* x.who */
  inputs_free(&k->in);
  k->act = NULL;
  k->in = (inputs){0};
  k->t = (tx){0};
  k->seq = k->end = 0;
  k->r = NULL;
  k->reverted = NULL;
  k->vote = NULL;
  memset(k->bytes, 0, sizeof k->bytes);
}

/* ---- printing ---- */

static const tx_values *opened(const call *k) {
  static const tx_values none;
  return k->vote != NULL ? &k->vote->u.vote.opened : &none;
}

void call_json(const call *k, buf *b) {
  const story with = {k->c, k->f, &k->x.who, true}, *s = &with;
  char hex[65];
  chi_hex(hex, k->inst.id, 32);
  buf_puts(b, "{\"contract\":");
  text_jsonz(b, k->inst.label);
  buf_printf(b, ",\"id\":\"%s\",\"action\":", hex);
  text_jsonz(b, k->act->fn.name);
  buf_printf(b, ",\"call\":%llu,\"record\":%llu,\"outcome\":\"%s\",\"result\":",
             (unsigned long long)k->seq, (unsigned long long)k->end,
             rec_outcome_name(k->r->outcome));
  story_result(s, b, k->act, &k->r->result, "");
  buf_puts(b, ",\"opened\":");
  story_opened(s, b, k->act, opened(k), "");
  buf_puts(b, ",\"events\":");
  story_events(s, b, k->r->event, k->r->nevent, "");
  buf_puts(b, ",\"told\":[");
  for (size_t i = 0; i < k->told.n; i++) {
    if (i > 0)
      buf_putc(b, ',');
    told_print(b, &k->told.p[i], s->who, true);
  }
  buf_printf(b, "],\"rounds\":%llu,\"bytes_sent\":[",
             (unsigned long long)(k->vote ? k->vote->u.vote.rounds : 0));
  for (unsigned i = 0; k->vote != NULL && i < k->x.w->n; i++)
    buf_printf(b, "%s%llu", i > 0 ? "," : "",
               (unsigned long long)k->bytes[i]);
  buf_printf(b, "],\"seconds\":%.6f}", k->seconds);
}

static void print_cost(call *k, buf *b) {
  unsigned n = k->x.w->n;
  uint64_t most = 0;
  if (k->vote == NULL)
    return;
  for (unsigned i = 0; i < n; i++)
    most = k->bytes[i] > most ? k->bytes[i] : most;
  buf_printf(b, "%llu round%s among %u nodes, at most ",
             (unsigned long long)k->vote->u.vote.rounds,
             k->vote->u.vote.rounds == 1 ? "" : "s", n);
  text_count(b, most);
  buf_printf(b, " bytes sent by one, %.3f s\n", k->seconds);
}

void call_told(const call *k, buf *b) {
  for (size_t i = 0; i < k->told.n; i++) {
    const char *name = k->told.p[i].name;
    bool plain = strcmp(name, "told") == 0 || strcmp(name, "result") == 0;
    buf_printf(b, "told to %s alone: %s%s", k->c->opt.as, plain ? "" : name,
               plain ? "" : " = ");
    told_print(b, &k->told.p[i], &k->x.who, false);
    buf_putc(b, '\n');
  }
}

static void print_text(call *k, const story *s, buf *b) {
  story_result(s, b, k->act, &k->r->result, "");
  story_opened(s, b, k->act, opened(k), "");
  story_events(s, b, k->r->event, k->r->nevent, "");
  call_told(k, b);
  buf_printf(b, "%s.%s is done, record %llu\n", k->inst.label,
             k->act->fn.name, (unsigned long long)k->end);
  print_cost(k, b);
}

static int print(call *k) {
  story s = {k->c, k->f, &k->x.who, false};
  buf b = {0};
  if (k->c->opt.json) {
    call_json(k, &b);
    buf_putc(&b, '\n');
  } else {
    print_text(k, &s, &b);
  }
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

/* ---- the command ---- */

static bool prepare(call *k, unsigned timeout) {
  cli *c = k->c;
  if (!contact_open(c, &k->x) ||
      !contact_instance(&k->x, c->opt.arg[0], &k->inst) ||
      (k->f = contact_iface(&k->x, &k->inst)) == NULL)
    return false;
  k->s = (submission){.x = &k->x,
                      .name = c->opt.as,
                      .timeout = timeout,
                      .prog = &k->prog,
                      .fill = fill,
                      .user = k};
  return true;
}

static bool open_identity(call *k) {
  k->id = identity_open(k->c, k->c->opt.as, k->s.pub);
  k->s.id = k->id;
  return k->id != NULL;
}

static bool read_arguments(call *k) {
  const options *o = &k->c->opt;
  k->act = iface_find(k->c, k->f, CT_ACTION, o->arg[1], (span){0, 0});
  k->in.who = k->x.who;
  return k->act != NULL &&
         inputs_read_args(k->c, &k->act->fn, k->f->k->p, o->arg + 2, o->narg - 2,
                          &k->in);
}

static int one(call *k) {
  bool ok = read_arguments(k) && open_identity(k);
  if (ok) {
    progress_begin(&k->prog, k->c);
    ok = call_make(k);
    progress_end(&k->prog);
  }
  int code = ok ? print(k) : report_failure(k->c);
  call_forget(k);
  return code;
}

int cmd_call(cli *c) {
  call k = {.c = c};
  unsigned timeout = 60;
  bool many = c->opt.batch != NULL;
  if (!many && c->opt.narg < 2)
    return usage_error(c, NULL, "missing argument: which action?");
  if (c->opt.as == NULL)
    return usage_error(c, NULL, "option '--as' is missing: who calls?");
  if (many && c->opt.narg > 1)
    return usage_error(c, NULL, "with '--batch' the actions are in its file: "
                       "'%s' is too much",
                       text_shown(c->a, c->opt.arg[1],
                                  strlen(c->opt.arg[1])));
  if (c->opt.timeout != NULL &&
      !opts_number(c, "--timeout", c->opt.timeout, 1, 86400, &timeout))
    return EXIT_USAGE;
  int code;
  if (!prepare(&k, timeout) || (many && !open_identity(&k)))
    code = report_failure(c);
  else
    code = many ? call_batch(&k) : one(&k);
  chi_identity_free(k.id);
  contact_close(&k.x);
  return code;
}
