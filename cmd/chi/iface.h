/* A deployed contract as people see it: a package whose types can be read and
 * shown. */
#ifndef CMD_CHI_IFACE_H
#define CMD_CHI_IFACE_H

#include "backend/contract.h"
#include "cmd/chi/cli.h"
#include "cmd/chi/values.h"
#include "ledger/tx.h"

typedef struct iface_action {
  const ct_action *part;
  fe_fn fn; /* name, param, result: what inputs_read wants */
  const fe_type **opened; /* of part->opened; NULL: not known */
} iface_action;

typedef struct iface_event {
  const char *name;
  fe_param *field;
  uint32_t nfield;
} iface_event;

typedef struct iface_state {
  const ct_state *part;
  const fe_type **key;
  fe_param value; /* leaves as "$name.x" */
} iface_state;

typedef struct iface {
  const contract *k;
  const char *compiler;
  iface_action *action; /* as k->action */
  iface_event *event;   /* as k->event */
  iface_state *state;   /* as k->state */
} iface;

/* Checks the package and reads its types; NULL after a report. */
iface *iface_read(cli *c, const char *path, const char *text, size_t n);
/* An action (kind CT_ACTION) or view by name; NULL after a report. */
const iface_action *iface_find(cli *c, const iface *f, ct_kind kind,
                               const char *name, span at);
/* The init action, or NULL. */
const iface_action *iface_init(const iface *f);
const iface_event *iface_event_find(const iface *f, const char *name);

/* The lanes of a parameter's, field's or result's leaves out of values; a leaf
 * that is not there, or not as its type says, has n = 0.  Free each. */
lanes *iface_lanes(arena *a, const iface *f, const fe_param *p,
                   const tx_values *v);
void iface_lanes_free(lanes *l, uint32_t n);
/* From lanes; lives in `a`. */
void iface_value(arena *a, tx_value *out, const char *name, const lanes *l);
/* The type of a circuit's output leaf, from the circuit's own words. */
const fe_type *iface_leaf_type(arena *a, const ir_leaf *l, uint64_t lanes);

#endif
