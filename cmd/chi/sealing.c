#include "cmd/chi/sealing.h"

#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "cmd/chi/client.h"
#include "node/node.h"

void sealing_public(arena *a, const inputs *in, tx_values *out) {
  *out = (tx_values){ARENA_ARR(a, tx_value, in->n + 1), 0};
  for (uint32_t k = 0; k < in->n; k++)
    if (!in->leaf[k]->type->secret)
      iface_value(a, &out->p[out->n++], in->leaf[k]->name, &in->val[k]);
}

static const lanes *leaf_values(const inputs *in, const char *name) {
  for (uint32_t k = 0; k < in->n; k++)
    if (strcmp(in->leaf[k]->name, name) == 0)
      return &in->val[k];
  return NULL;
}

static bool share(contact *x, const chi_client_run *run, uint32_t input,
                  const char *name, const lanes *v, buf *part) {
  uint8_t *box[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  chi_status st = client_seal(run, input, v, box, bytes);
  for (unsigned i = 0; i < run->n; i++) {
    if (st == CHI_OK) {
      be_write(&part[i], bytes[i], 4);
      buf_write(&part[i], box[i], bytes[i]);
    }
    free(box[i]);
  }
  if (st != CHI_OK)
    diag_report_nowhere(x->c->dg, DIAG_INTERNAL,
                        arena_printf(x->c->a, "argument \"%s\" could not be "
                                     "shared: %s", name,
                                     chi_status_text(st)));
  return st == CHI_OK;
}

/* To all nodes at once, until the call's time is up. */
static bool deposit(contact *x, const uint8_t session[32], const buf *part,
                    double limit) {
  cli *c = x->c;
  node_parcel *p = ARENA_ARR(c->a, node_parcel, x->w->n);
  double left = limit - clock_seconds();
  for (unsigned i = 0; i < x->w->n; i++)
    p[i] = (node_parcel){.host = NET_HOST, .port = x->w->node[i].port,
                         .p = (const uint8_t *)part[i].p, .n = part[i].n};
  if (node_deposit(c->a, session, p, x->w->n,
                   left > 0 ? (int)(left * 1000) : 0))
    return true;
  for (unsigned i = 0; i < x->w->n; i++)
    if (p[i].why != NULL)
      diag_report_nowhere(c->dg, DIAG_NOT_REACHED,
                          arena_printf(c->a, "node %u", i), p[i].why);
  diag_hint(c->dg, "See how it is: chi net status.");
  return false;
}

bool sealing_secret(contact *x, const ct_action *act, const inputs *in,
                    const uint8_t session[32], double limit,
                    uint8_t (**digest)[32], uint32_t *n) {
  const ir_module *m = act->part[CT_CIRCUIT];
  buf part[CHI_PARTIES_MAX] = {{NULL, 0, 0}};
  bool ok = true, any = false;
  *n = 0;
  if (m == NULL)
    return true;
  chi_client_run run = contact_run(x, m, session);
  for (uint32_t k = 0; ok && k < m->nin; k++) {
    const lanes *v = leaf_values(in, m->in[k].name);
    if (v == NULL) /* of the state, or handed on */
      continue;
    any = true;
    ok = share(x, &run, k, m->in[k].name, v, part);
  }
  if (ok && any) {
    *n = x->w->n;
    *digest = arena_array(x->c->a, *n, 32);
    for (uint32_t i = 0; i < *n; i++)
      tx_sealed_digest((*digest)[i], (const uint8_t *)part[i].p, part[i].n);
    ok = deposit(x, session, part, limit);
  }
  for (unsigned i = 0; i < x->w->n; i++)
    buf_free(&part[i]);
  return ok;
}
