#include "backend/backend.h"

#include <stdlib.h>
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

const ir_target *backend_targets(const ir_module *m, uint32_t *n) {
  static const ir_target any[] = {
      {IR_REP3, 3}, {IR_SHAMIR, 3}, {IR_SHAMIR, 5}, {IR_SHAMIR, 7}};
  bool bound = m->target.protocol != IR_ANY;
  *n = bound ? 1 : sizeof any / sizeof *any;
  return bound ? &m->target : any;
}

const ir_cost *backend_cost(arena *a, const ir_module *m, const ir_target *t) {
  ir_module plain = *m;
  plain.src = NULL; /* the meter then keeps no lines */
  return ir_cost_meter_total(ir_cost_static(a, &plain, *t));
}

/* ---- leaves ---- */

typedef struct named {
  const char *name;
  uint32_t k;
} named;

static int by_name(const void *p, const void *q) {
  return strcmp(((const named *)p)->name, ((const named *)q)->name);
}

static void find_leaves(const ir_block *b, const named *tab, uint32_t n,
                        bool out, backend_leaf *leaf) {
  for (const ir_inst *i = b->first; i; i = i->next) {
    bool told = i->op == OP_TELL;
    if (out ? told || i->op == OP_OUTPUT : i->op == OP_INPUT) {
      named key = {i->at.name, 0};
      const named *at = bsearch(&key, tab, n, sizeof key, by_name);
      if (at && !leaf[at->k].v)
        leaf[at->k] = (backend_leaf){out ? i->arg[0] : i->res[0], told};
    }
    for (uint32_t r = 0; r < i->nregion; r++)
      find_leaves(i->region[r], tab, n, out, leaf);
  }
}

backend_leaf *backend_leaves(arena *a, const ir_module *m, bool out) {
  uint32_t n = out ? m->nout : m->nin;
  const ir_leaf *l = out ? m->out : m->in;
  backend_leaf *leaf = ARENA_ARR(a, backend_leaf, (size_t)n + 1);
  named *tab = ARENA_ARR(a, named, (size_t)n + 1);
  for (uint32_t k = 0; k < n; k++) tab[k] = (named){l[k].name, k};
  qsort(tab, n, sizeof *tab, by_name);
  find_leaves(m->body, tab, n, out, leaf);
  return leaf;
}
