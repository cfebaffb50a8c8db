/* chi view: what a view says of the state as it is now. */
#include <string.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/identity.h"
#include "cmd/chi/sealing.h"
#include "cmd/chi/story.h"

typedef struct look {
  contact x;
  ledger_instance inst;
  iface *f;
  const iface_action *act;
  inputs in;
  ledger_query q;
  ledger_answer got;
} look;

static bool ask(cli *c, look *k) {
  if (!contact_open(c, &k->x) ||
      !contact_instance(&k->x, c->opt.arg[0], &k->inst) ||
      (k->f = contact_iface(&k->x, &k->inst)) == NULL ||
      (k->act = iface_find(c, k->f, CT_VIEW, c->opt.arg[1], (span){0, 0})) == NULL ||
      !inputs_read_args(c, &k->act->fn, k->f->k->p, c->opt.arg + 2,
                        c->opt.narg - 2, &k->in))
    return false;
  k->q = (ledger_query){.kind = READ_VIEW, .name = k->act->fn.name};
  memcpy(k->q.id, k->inst.id, 32);
  if (c->opt.as != NULL && !identity_public(c, c->opt.as, k->q.caller))
    return false;
  sealing_public(c->a, &k->in, &k->q.args);
  ledger_status st = k->x.l->ops->read(k->x.l, c->a, &k->q, &k->got);
  if (st == LEDGER_REVERTED)
    diag_report_nowhere(c->dg, DIAG_REVERTED,
                        arena_printf(c->a, "%s.%s", k->inst.label,
                                     k->act->fn.name),
                        k->got.why);
  else if (st != LEDGER_OK)
    contact_failed(&k->x, st, "run the view", k->got.why);
  return st == LEDGER_OK;
}

int cmd_view(cli *c) {
  look k = {0};
  buf b = {0};
  identity_everybody(c, &k.in.who);
  int code = EXIT_NETWORK;
  if (!ask(c, &k)) {
    code = report_failure(c);
  } else {
    story s = {c, k.f, &k.x.who, c->opt.json};
    if (s.json)
      buf_puts(&b, "{\"result\":");
    story_result(&s, &b, k.act, &k.got.values, "");
    if (s.json)
      buf_puts(&b, "}\n");
    if (print_out(&b))
      code = EXIT_FINE;
  }
  buf_free(&b);
  inputs_free(&k.in);
  contact_close(&k.x);
  return code;
}
