/* What a call needs: the circuit of the package that the contract names, its
 * public inputs out of the record, the sealed arguments that the caller signed,
 * this node's shares at the versions that the ledger names. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "node/ask.h"
#include "node/node_impl.h"

static void refuse(nd_call *c, const char *why) {
  if (!c->why)
    c->why = arena_strdup(c->a, why);
}

/* ---- the circuit ---- */

/* The package that made instance `id`: the deploy's signature, sender and
 * counter say that it is this one.  False: the node stops. */
static bool package_of(nd *x, nd_call *c, const uint8_t id[32],
                       uint8_t hash[32]) {
  char hex[65];
  ledger_answer ans;
  ledger_status s;
  ledger_record *r;
  uint8_t made[32];
  chi_hex(hex, id, 32);
  ledger_query q = {.kind = READ_CONTRACT, .name = hex};
  if (!nd_read(x, c->a, &q, &ans, &s))
    return false;
  if (s != LEDGER_OK || ans.ninstance != 1) {
    refuse(c, "the ledger does not know the contract");
    return true;
  }
  if (!nd_record(x, c->a, ans.instance[0].seq, &r))
    return false;
  if (r->t.kind != TX_DEPLOY || !tx_signed(r->tx, r->tx_bytes, &r->t)) {
    refuse(c, "the contract has no signed deploy");
    return true;
  }
  tx_hash((const uint8_t *)r->t.u.deploy.package, r->t.u.deploy.package_bytes,
          hash);
  tx_instance(made, x->net, hash, r->t.sender, r->t.counter);
  if (memcmp(made, id, 32) != 0) {
    refuse(c, "the contract was not made by the deploy that the ledger names");
    return true;
  }
  circuits_want(x->circuits, hash, r->t.u.deploy.package,
                r->t.u.deploy.package_bytes);
  return true;
}

static bool find_circuit(nd *x, nd_call *c) {
  const tx *t = &c->r->t;
  const char *why;
  uint8_t hash[32];
  if (!tx_signed(c->r->tx, c->r->tx_bytes, t) ||
      memcmp(t->net, x->net, 32) != 0) {
    refuse(c, "the call is not signed by its caller for this net");
    return true;
  }
  if (!package_of(x, c, t->u.call.contract, hash))
    return false;
  if (c->why)
    return true;
  if (!circuits_get(x->circuits, hash, t->u.call.action, &c->circuit, &why))
    refuse(c, why);
  else if (!c->circuit.program)
    refuse(c, c->circuit.why);
  return !c->why || !atomic_load(&x->stop); /* then it was not compiled */
}

/* ---- inputs ---- */

static void take_public(nd_call *c, const chi_leaf *leaf, nd_input *in) {
  const tx_value *v = tx_find(&c->r->handed, leaf->name);
  if (!v || v->n != leaf->lanes) {
    refuse(c, arena_printf(c->a, "the ledger did not hand on \"%s\"",
                           leaf->name));
    return;
  }
  in->how = ND_PUBLIC;
  in->text = ARENA_ARR(c->a, const char *, v->n + 1);
  for (uint64_t i = 0; i < v->n; i++) {
    char *s = arena_alloc(c->a, mpz_sizeinbase(v->lane[i], 10) + 2);
    in->text[i] = mpz_get_str(s, 10, v->lane[i]);
  }
}

/* The version of a secret variable that the call begins with. */
static bool version_of(const nd_call *c, const char *leaf, uint64_t *version) {
  int state = contract_state(c->circuit.c, leaf);
  for (uint32_t i = 0; i < c->r->secret_before.n; i++) {
    const tx_value *v = &c->r->secret_before.p[i];
    if (contract_state(c->circuit.c, v->name) == state && v->n == 1 &&
        mpz_sgn(v->lane[0]) >= 0 && mpz_sizeinbase(v->lane[0], 2) <= 63) {
      *version = mpz_get_ui(v->lane[0]);
      return state >= 0;
    }
  }
  return false;
}

/* Version 0: the public value that init gave, or zero, shared trivially. */
static void trivial(const nd *x, const nd_call *c, const tx_value *v,
                    uint64_t *words, uint64_t lanes) {
  const chi_field *f = &c->circuit.program->field;
  bool rep3 = x->cfg->protocol == CHI_REP3;
  if (!v || (rep3 && x->cfg->me == 1)) /* x_1, x_2 */
    return;
  if (rep3 && x->cfg->me == 2) /* x_2, x_0 */
    words += lanes * c->plane;
  mpz_t e, p;
  mpz_inits(e, p, NULL);
  if (f->prime) {
    mpz_import(p, c->plane, -1, sizeof *words, 0, 0, f->prime);
  } else {
    mpz_setbit(p, f->mersenne);
    mpz_sub_ui(p, p, 1);
  }
  for (uint64_t i = 0; i < lanes; i++) {
    mpz_mod(e, v->lane[i], p);
    mpz_export(words + i * c->plane, NULL, -1, sizeof *words, 0, 0, e);
  }
  mpz_clears(e, p, NULL);
}

static bool take_initial(nd *x, nd_call *c, const chi_leaf *leaf,
                         nd_input *in) {
  ledger_query q = {.kind = READ_STATE};
  ledger_answer ans;
  ledger_status s;
  memcpy(q.id, c->r->t.u.call.contract, 32);
  if (!nd_read(x, c->a, &q, &ans, &s))
    return false;
  int state = contract_state(c->circuit.c, leaf->name);
  const ledger_slot *slot = NULL;
  for (uint32_t i = 0; s == LEDGER_OK && i < ans.nslot; i++)
    if (contract_state(c->circuit.c, ans.slot[i].name) == state)
      slot = &ans.slot[i];
  const tx_value *v = slot ? tx_find(&slot->initial, leaf->name) : NULL;
  if (!slot || (slot->initial.n && (!v || v->n != leaf->lanes)))
    refuse(c, arena_printf(c->a, "the ledger does not give what \"%s\" begins"
                                 " with", leaf->name + 1));
  else
    trivial(x, c, v, in->words, leaf->lanes);
  return true;
}

static bool take_share(nd *x, nd_call *c, const chi_leaf *leaf,
                       nd_input *in) {
  store_place p = {.leaf = leaf->name};
  const char *why;
  if (!version_of(c, leaf->name, &p.version)) {
    refuse(c, arena_printf(c->a, "the ledger names no version of \"%s\"",
                           leaf->name + 1));
    return true;
  }
  in->how = ND_SHARE;
  size_t width = c->planes * c->plane;
  in->words = leaf->lanes <= SIZE_MAX / sizeof *in->words / width
                  ? calloc(width * leaf->lanes, sizeof *in->words)
                  : NULL;
  if (!in->words) {
    refuse(c, arena_printf(c->a, "there is no memory for the share of \"%s\"",
                           leaf->name + 1));
    return true;
  }
  if (p.version == 0)
    return take_initial(x, c, leaf, in);
  memcpy(p.net, x->net, 32);
  memcpy(p.contract, c->r->t.u.call.contract, 32);
  if (store_load(x->store, &p, in->words, width, leaf->lanes, &why) !=
      STORE_OK)
    refuse(c, why);
  return true;
}

/* The sealed boxes, in the order of the secret parameters. */
static void take_sealed(nd *x, nd_call *c) {
  const tx *t = &c->r->t;
  const chi_program *pr = c->circuit.program;
  uint32_t want = 0;
  uint8_t *p, got[32];
  size_t n, at = 0;
  const char *why;
  for (uint32_t k = 0; k < c->ninput; k++)
    want += c->input[k].how == ND_SEALED;
  if (!want)
    return;
  if (t->u.call.nsealed != x->cfg->n) {
    refuse(c, "the caller signed no digests of sealed arguments");
    return;
  }
  const uint8_t *digest = t->u.call.sealed[x->cfg->me];
  if (store_get_sealed(x->store, c->a, c->session, digest, &p, &n, &why) !=
      STORE_OK) {
    refuse(c, why);
    return;
  }
  tx_sealed_digest(got, p, n);
  if (memcmp(got, digest, 32) != 0) {
    refuse(c, "the sealed arguments in its store were changed");
    return;
  }
  for (uint32_t k = 0; k < c->ninput; k++) {
    if (c->input[k].how != ND_SEALED)
      continue;
    uint64_t bytes = n - at >= 4 ? be_get(p + at, 4) : UINT64_MAX;
    if (bytes > n - at - 4) {
      refuse(c, arena_printf(c->a, "the sealed argument \"%s\" is missing",
                             pr->input[k].name));
      return;
    }
    c->input[k].box = p + at + 4;
    c->input[k].box_bytes = (size_t)bytes;
    at += 4 + (size_t)bytes;
  }
  if (at != n)
    refuse(c, "there are more sealed arguments than the circuit takes");
}

bool nd_prepare(nd *x, nd_call *c) {
  const tx *t = &c->r->t;
  c->planes = x->cfg->protocol == CHI_REP3 ? 2 : 1;
  if (!find_circuit(x, c))
    return false;
  if (c->why)
    return true;
  const chi_program *p = c->circuit.program;
  c->plane = p->field.words ? p->field.words : 1;
  c->ninput = p->n_input;
  c->input = ARENA_ARR(c->a, nd_input, p->n_input + 1);
  for (uint32_t k = 0; k < p->n_input && !c->why; k++) {
    const chi_leaf *leaf = &p->input[k];
    nd_input *in = &c->input[k];
    if (leaf->kind != CHI_KIND_SHARE)
      take_public(c, leaf, in);
    else if (*leaf->name != '$')
      in->how = ND_SEALED;
    else if (!take_share(x, c, leaf, in))
      return false;
  }
  if (!c->why)
    take_sealed(x, c);
  if (!c->why && memcmp(t->u.call.contract, c->r->contract, 32) != 0)
    refuse(c, "the record is of another contract than its call");
  return true;
}

void nd_forget(nd_call *c) {
  const chi_program *p = c->circuit.program;
  for (uint32_t k = 0; k < c->ninput; k++)
    if (c->input[k].words) {
      chi_wipe(c->input[k].words,
               c->planes * c->plane * p->input[k].lanes * 8);
      free(c->input[k].words);
      c->input[k].words = NULL;
    }
}
