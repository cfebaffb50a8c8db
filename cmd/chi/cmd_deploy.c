/* chi deploy: a contract onto the ledger. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cmd/chi/contact.h"
#include "cmd/chi/disk.h"
#include "cmd/chi/identity.h"
#include "cmd/chi/package.h"
#include "cmd/chi/sealing.h"

typedef struct deploy {
  cli *c;
  contact x;
  const char *name; /* of the contract; NULL: the only one */
  const char *package;
  size_t bytes;
  iface *f;
  inputs in;
  chi_identity *id;
  submission s;
  progress prog;
  tx t;
} deploy;

/* ---- the package ---- */

static bool is_package(const char *path) {
  size_t n = strlen(path);
  return n > 5 && strcasecmp(path + n - 5, ".json") == 0;
}

/* What was built before: chi build writes it. */
static bool read_package(deploy *d) {
  cli *c = d->c;
  const char *path = c->opt.arg[0];
  const char *shown = text_shown(c->a, path, strlen(path));
  d->package = disk_read(c->a, path, CONTRACT_BYTES_MAX, &d->bytes);
  if (d->package == NULL) {
    diag_report_nowhere(c->dg, DIAG_PACKAGE_FILE, shown, strerror(errno));
    return false;
  }
  if (c->opt.set.n > 0 || c->opt.field != NULL) {
    diag_report_nowhere(c->dg, DIAG_PACKAGE_FILE, shown,
                        c->opt.field != NULL
                            ? "the field of a package was chosen by chi build"
                            : "a package has no template parameters any more");
    return false;
  }
  return true;
}

static bool get_package(deploy *d) {
  cli *c = d->c;
  const char *file = c->opt.arg[0];
  if (is_package(file)) {
    if (!read_package(d))
      return false;
  } else {
    d->package = package_build(c, file, d->name, c->opt.set.p, c->opt.set.n,
                               &d->bytes);
    if (d->package == NULL)
      return false;
  }
  d->f = iface_read(c, file, d->package, d->bytes);
  if (d->f == NULL)
    return false;
  if (d->name == NULL || strcmp(d->name, d->f->k->name) == 0)
    return true;
  diag_report_nowhere(c->dg, DIAG_PACKAGE_FILE, file,
                      arena_printf(c->a, "it is contract \"%s\", not \"%s\"",
                                   d->f->k->name,
                                   text_shown(c->a, d->name,
                                              strlen(d->name))));
  return false;
}

/* The contract's own parameters are those of its init. */
static bool get_arguments(deploy *d, unsigned first) {
  const iface_action *init = iface_init(d->f);
  fe_fn none = {.name = d->f->k->name};
  cli *c = d->c;
  identity_everybody(c, &d->in.who);
  if (init != NULL) {
    none.param = init->fn.param;
    none.nparam = init->fn.nparam;
  }
  return inputs_read_args(c, &none, d->f->k->p, c->opt.arg + first,
                          c->opt.narg - first, &d->in);
}

/* ---- the transaction ---- */

static bool fill(void *user, arena *a, tx *t) {
  deploy *d = user;
  t->kind = TX_DEPLOY;
  t->u.deploy.package = d->package;
  t->u.deploy.package_bytes = d->bytes;
  sealing_public(a, &d->in, &t->u.deploy.args);
  return true;
}

static bool perform(deploy *d, ledger_instance *inst, ledger_receipt *got) {
  char hex[65];
  uint8_t id[32];
  if (!submit(&d->s, &d->t, got))
    return false;
  if (got->outcome != REC_DONE) {
    diag_report_nowhere(d->c->dg, DIAG_REVERTED, d->f->k->name, got->why);
    return false;
  }
  tx_instance(id, d->x.id, d->f->k->hash, d->s.pub, d->t.counter);
  chi_hex(hex, id, 32);
  return contact_instance(&d->x, hex, inst);
}

static int print(deploy *d, const ledger_instance *i, uint64_t seq) {
  char id[65], package[65];
  buf b = {0};
  chi_hex(id, i->id, 32);
  chi_hex(package, i->package, 32);
  if (d->c->opt.json) {
    buf_puts(&b, "{\"contract\":");
    text_jsonz(&b, i->label);
    buf_printf(&b, ",\"id\":\"%s\",\"package\":\"%s\",\"record\":%llu}\n", id,
               package, (unsigned long long)seq);
  } else {
    buf_printf(&b, "%s is deployed, record %llu\nid       %s\npackage  %s\n",
               i->label, (unsigned long long)seq, id, package);
  }
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

/* ---- the command ---- */

static bool prepare(deploy *d, unsigned timeout, unsigned first) {
  cli *c = d->c;
  if (!get_package(d) || !get_arguments(d, first) || !contact_open(c, &d->x))
    return false;
  const char *why = compile_too_many(
      c, d->f->k->p, d->x.w->protocol == CHI_SHAMIR, d->x.w->n);
  if (why != NULL) {
    diag_report_nowhere(c->dg, DIAG_NOT_RUNNABLE, d->f->k->name, why);
    return false;
  }
  d->s = (submission){.x = &d->x,
                      .name = c->opt.as,
                      .timeout = timeout,
                      .prog = &d->prog,
                      .fill = fill,
                      .user = d};
  d->id = identity_open(c, c->opt.as, d->s.pub);
  d->s.id = d->id;
  return d->id != NULL;
}

int cmd_deploy(cli *c) {
  deploy d = {.c = c};
  unsigned timeout = 60, first = 1;
  ledger_instance inst;
  ledger_receipt got = {0};
  if (c->opt.as == NULL)
    return usage_error(c, NULL, "option '--as' is missing: who deploys?");
  if (c->opt.timeout != NULL &&
      !opts_number(c, "--timeout", c->opt.timeout, 1, 86400, &timeout))
    return EXIT_USAGE;
  if (c->opt.narg > 1 && strchr(c->opt.arg[1], '=') == NULL)
    d.name = c->opt.arg[first++];
  bool ok = prepare(&d, timeout, first);
  if (ok) {
    progress_begin(&d.prog, c);
    ok = perform(&d, &inst, &got);
    progress_end(&d.prog);
  }
  if (ok)
    report_warnings(c);
  int code = ok ? print(&d, &inst, got.seq) : report_failure(c);
  chi_identity_free(d.id);
  inputs_free(&d.in);
  contact_close(&d.x);
  return code;
}
