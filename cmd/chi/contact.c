#include "cmd/chi/contact.h"

#include <sodium.h>
#include <string.h>

#include "cmd/chi/compile.h"
#include "cmd/chi/identity.h"

/* ---- reports ---- */

void contact_failed(contact *x, ledger_status st, const char *what,
                    const char *why) {
  diag *dg = x->c->dg;
  if (why == NULL || why[0] == '\0')
    why = ledger_status_text(st);
  switch (st) {
  case LEDGER_UNREACHABLE:
    diag_report_nowhere(dg, DIAG_NOT_REACHED, "the ledger", why);
    diag_hint(dg, "See how it is: chi net status.  If it is not "
                    "running: chi net start.");
    return;
  case LEDGER_CORRUPT:
    diag_report_nowhere(dg, DIAG_LEDGER_CORRUPT, why);
    return;
  case LEDGER_NOT_FOUND:
  case LEDGER_REFUSED:
  case LEDGER_REVERTED:
    diag_report_nowhere(dg, DIAG_LEDGER_REFUSED, what, why);
    return;
  default:
    diag_report_nowhere(dg, DIAG_LEDGER_FAILED, what, why);
  }
}

bool contact_read(contact *x, const ledger_query *q, ledger_answer *out,
                  const char *what) {
  *out = (ledger_answer){0};
  ledger_status st = x->l->ops->read(x->l, x->c->a, q, out);
  if (st == LEDGER_OK)
    return true;
  contact_failed(x, st, what, out->why);
  return false;
}

/* ---- the network ---- */

static bool other(contact *x, const char *what) {
  diag_report_nowhere(x->c->dg, DIAG_NET_FILE,
                      net_path(x->c->a, x->w->dir, "net.json"), what);
  return false;
}

static bool check_net(contact *x) {
  ledger_query q = {.kind = READ_HEAD};
  ledger_answer head;
  if (!contact_read(x, &q, &head, "read its head"))
    return false;
  if (memcmp(head.net, x->w->id, 32) != 0)
    return other(x, "the ledger is that of another network");
  if (head.genesis.kind != TX_GENESIS ||
      head.genesis.u.genesis.n != x->w->n ||
      head.genesis.u.genesis.protocol != (uint8_t)x->w->protocol)
    return other(x, "the ledger names another protocol or other nodes");
  memcpy(x->id, head.net, 32);
  x->key = arena_array(x->c->a, x->w->n, 32);
  for (unsigned i = 0; i < x->w->n; i++) {
    memcpy(x->key[i], head.genesis.u.genesis.key[i], 32);
    if (memcmp(x->key[i], x->w->node[i].key, 32) != 0)
      return other(x, "the ledger names other nodes");
  }
  return true;
}

bool contact_open(cli *c, contact *x) {
  const char *why = "";
  *x = (contact){.c = c, .w = net_find(c)};
  if (x->w == NULL)
    return false;
  identity_everybody(c, &x->who);
  ledger_status st =
      ledger_connect(&x->l, c->a, NET_HOST, x->w->ledger_port, &why);
  if (st != LEDGER_OK) {
    x->l = NULL;
    contact_failed(x, st, "connect", why);
    return false;
  }
  return check_net(x);
}

void contact_close(contact *x) {
  if (x->l != NULL)
    x->l->ops->close(x->l);
  x->l = NULL;
  people_free(&x->who);
}

chi_client_run contact_run(const contact *x, const ir_module *circuit,
                           const uint8_t session[32]) {
  chi_client_run run = {.protocol = x->w->protocol,
                        .n = x->w->n,
                        .field = compile_field(circuit),
                        .party_key = (const uint8_t(*)[32])x->key};
  memcpy(run.session_id, session, sizeof run.session_id);
  return run;
}

/* ---- contracts ---- */

/* How many ids begin with the name. */
static unsigned begin_with(const ledger_answer *all, const char *name) {
  unsigned n = 0;
  char hex[65];
  for (uint32_t i = 0; i < all->ninstance; i++) {
    chi_hex(hex, all->instance[i].id, 32);
    n += strncmp(hex, name, strlen(name)) == 0;
  }
  return n;
}

static void unknown_contract(contact *x, const char *name) {
  cli *c = x->c;
  ledger_query q = {.kind = READ_CONTRACTS};
  ledger_answer all = {0};
  const char *near = NULL;
  if (x->l->ops->read(x->l, c->a, &q, &all) == LEDGER_OK) {
    const char **list = ARENA_ARR(c->a, const char *, all.ninstance + 1);
    for (uint32_t i = 0; i < all.ninstance; i++)
      list[i] = all.instance[i].label;
    near = text_near(name, list, all.ninstance);
  }
  diag_report_nowhere(c->dg, DIAG_NOT_DEPLOYED,
                      text_shown(c->a, name, strlen(name)));
  if (name[0] != '\0' && begin_with(&all, name) > 0)
    diag_hint(c->dg, "An id is named by at least four of its first digits, "
                     "enough to be the only one.");
  else if (near != NULL && strcmp(near, name) != 0)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  else if (all.ninstance == 0)
    diag_hint(c->dg, "Nothing is deployed yet: chi deploy FILE --as NAME.");
}

bool contact_instance(contact *x, const char *name, ledger_instance *out) {
  ledger_query q = {.kind = READ_CONTRACT, .name = name};
  ledger_answer r = {0};
  ledger_status st = LEDGER_NOT_FOUND;
  if (strlen(name) <= CONTRACT_NAME_MAX)
    st = x->l->ops->read(x->l, x->c->a, &q, &r);
  if (st == LEDGER_OK && r.ninstance == 1) {
    *out = r.instance[0];
    return true;
  }
  if (st == LEDGER_OK || st == LEDGER_NOT_FOUND || st == LEDGER_REFUSED)
    unknown_contract(x, name);
  else
    contact_failed(x, st, "find the contract", r.why);
  return false;
}

iface *contact_iface(contact *x, const ledger_instance *i) {
  ledger_query q = {.kind = READ_PACKAGE};
  ledger_answer r;
  uint8_t hash[32];
  memcpy(q.id, i->id, 32);
  if (!contact_read(x, &q, &r, "read the contract's package"))
    return NULL;
  crypto_hash_sha256(hash, (const uint8_t *)r.bytes, r.nbytes);
  if (memcmp(hash, i->package, 32) != 0) {
    diag_report_nowhere(x->c->dg, DIAG_LEDGER_CORRUPT,
                        "the package is not the one that was deployed");
    return NULL;
  }
  return iface_read(x->c, i->label, r.bytes, r.nbytes);
}
