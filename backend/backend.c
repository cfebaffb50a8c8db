#include "backend/backend.h"

#include <string.h>

#include "ir/cost.h"

static const backend *const list[] = {&backend_c};

const backend *backend_at(uint32_t i) {
  return i < sizeof list / sizeof *list ? list[i] : NULL;
}

const backend *backend_find(const char *name) {
  for (uint32_t i = 0; backend_at(i); i++)
    if (strcmp(list[i]->name, name) == 0) return list[i];
  return NULL;
}

void backend_output_free(backend_output *o) {
  for (uint32_t i = 0; i < o->npart; i++) buf_free(&o->part[i].text);
  o->npart = 0;
}

const ir_cost *backend_cost(arena *a, const ir_module *m, bool shamir,
                            unsigned nodes) {
  ir_module plain = *m;
  plain.src = NULL; /* the meter then keeps no lines */
  ir_cost_model c = {shamir ? IR_SHAMIR : IR_REP3, nodes};
  return ir_cost_meter_total(ir_cost_static(a, &plain, c));
}
