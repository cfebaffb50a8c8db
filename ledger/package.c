/* Packages that are in use, and whether values fit what they declare. */
#include <stdlib.h>
#include <string.h>

#include "ledger/exec.h"

typedef struct package {
  arena *a;
  contract *c;
  uint64_t used;
} package;

struct packages {
  package p[EXEC_PACKAGES];
  uint64_t clock;
};

packages *packages_new(void) {
  packages *p = calloc(1, sizeof *p);
  if (!p) arena_oom_hook();
  return p;
}

void packages_free(packages *p) {
  for (int k = 0; p && k < EXEC_PACKAGES; k++) arena_free(p->p[k].a);
  free(p);
}

const contract *packages_get(packages *p, state *st, const uint8_t hash[32]) {
  package *oldest = &p->p[0];
  for (int k = 0; k < EXEC_PACKAGES; k++) {
    package *x = &p->p[k];
    if (x->c && !memcmp(x->c->hash, hash, 32)) {
      x->used = ++p->clock;
      return x->c;
    }
    if (x->used < oldest->used) oldest = x;
  }
  arena *a = arena_new();
  size_t n;
  const char *text = state_package(st, a, hash, &n);
  diag *dg = diag_new(a, source_set_new(a));
  contract *c = text ? contract_parse(a, "package", text, n, dg) : NULL;
  if (!c || memcmp(c->hash, hash, 32)) {
    arena_free(a);
    return NULL;
  }
  arena_free(oldest->a);
  *oldest = (package){a, c, ++p->clock};
  return c;
}

/* ---- fitting ---- */
static bool no_fit(arena *a, const char **why, const char *what,
                   const char *name, const char *how) {
  *why = arena_printf(a, "%s '%.100s' %s", what, name, how);
  return false;
}

bool exec_fits(arena *a, const ct_leaf *leaf, uint32_t n, const tx_values *v,
               const char *what, const char **why) {
  uint32_t at = 0;
  for (uint32_t k = 0; k < n; k++) {
    const ct_leaf *l = &leaf[k];
    if (l->secret) continue;
    if (at == v->n || strcmp(v->p[at].name, l->name))
      return no_fit(a, why, what, l->name, "is missing, or not at its place");
    const tx_value *x = &v->p[at++];
    if (x->n != l->lanes)
      return no_fit(a, why, what, l->name,
                    arena_printf(a, "has %llu elements, not %llu",
                                 (unsigned long long)x->n,
                                 (unsigned long long)l->lanes));
    for (uint64_t j = 0; j < x->n; j++)
      if (!ct_leaf_holds(l, x->lane[j]))
        return no_fit(a, why, what, l->name,
                      arena_printf(a, "is outside its range %.100s..%.100s",
                                   l->lo ? l->lo : "0",
                                   l->hi ? l->hi : "p - 1"));
  }
  if (at < v->n)
    return no_fit(a, why, what, v->p[at].name, "is not asked for");
  return true;
}

/* An opened value in the circuit's range; any field element where it has
 * none. */
static bool holds(const ir_type *ty, mpz_srcptr p, mpz_srcptr v) {
  if (ty->range)
    return mpz_cmp(v, ty->range->lo) >= 0 && mpz_cmp(v, ty->range->hi) <= 0;
  return mpz_sgn(v) >= 0 && mpz_cmp(v, p) < 0;
}

bool exec_opened_fits(arena *a, const ct_action *x, const tx_values *v,
                      const char **why) {
  const ir_module *m = x->part[CT_CIRCUIT];
  uint32_t at = 0;
  for (uint32_t k = 0; k < m->nout; k++) {
    const char *name = m->out[k].name;
    if (*name != '!') continue;
    const ir_type *ty = x->out[CT_CIRCUIT][k];
    if (at == v->n || strcmp(v->p[at].name, name) ||
        v->p[at].n != ty->lanes)
      return no_fit(a, why, "opened value", name, "is missing or misshapen");
    const tx_value *o = &v->p[at++];
    for (uint64_t j = 0; j < o->n; j++)
      if (!holds(ty, m->p, o->lane[j]))
        return no_fit(a, why, "opened value", name, "is outside its range");
  }
  if (at < v->n)
    return no_fit(a, why, "opened value", v->p[at].name,
                  "is none of the circuit");
  return true;
}

bool exec_has_sealed(const ct_action *x) {
  const ir_module *m = x->part[CT_CIRCUIT];
  for (uint32_t k = 0; m && k < m->nin; k++)
    if (m->in[k].secret && *m->in[k].name != '$') return true;
  return false;
}
