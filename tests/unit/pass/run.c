#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static const ir_type *type_of_input(const ir_module *m, const char *name) {
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_INPUT && !strcmp(i->at.name, name)) return &i->res[0]->ty;
  return NULL;
}

outcome run_circuit(const ir_module *m, uint64_t seed) {
  outcome o = {0};
  ir_interp_opts opts = {.max_steps = 200000000};
  ir_interp *x = ir_interp_new(m, &opts);
  ir_lanes *in = calloc(m->nin + 1, sizeof *in);
  for (uint32_t k = 0; k < m->nin; k++) {
    const ir_type *t = type_of_input(m, m->in[k].name);
    if (!t || !ir_lanes_init(&in[k], t->lanes, ir_lanes_wide(m, t))) abort();
    int64_t lo = mpz_get_si(t->range->lo), hi = mpz_get_si(t->range->hi);
    mpz_t v;
    mpz_init(v);
    for (uint64_t l = 0; l < t->lanes; l++) {
      uint64_t r = mix(seed * 1000003u + k * 7919u + l + 1);
      mpz_set_si(v, lo + (int64_t)(r % (uint64_t)(hi - lo + 1)));
      ir_lanes_set(&in[k], l, v);
    }
    mpz_clear(v);
    ir_interp_input(x, k, &in[k]);
  }
  o.status = ir_interp_run(x);
  o.counts = ir_interp_counts(x);
  buf b = {0};
  buf_puts(&b, "");
  mpz_t v, p;
  mpz_inits(v, p, (mpz_ptr)NULL);
  mpz_set(p, m->p);
  for (uint32_t k = 0; o.status == IR_RUN_OK && k < m->nout; k++) {
    const ir_lanes *l = ir_interp_output(x, k);
    buf_printf(&b, "%s:", m->out[k].name);
    for (uint64_t j = 0; l && j < l->n; j++) {
      ir_lanes_get(l, j, v);
      if (m->out[k].secret) mpz_mod(v, v, p);
      buf_putc(&b, ' ');
      buf_mpz(&b, v);
    }
    buf_putc(&b, '\n');
  }
  if (o.status != IR_RUN_OK) buf_puts(&b, ir_interp_message(x));
  o.text = strdup(b.p ? b.p : "");
  buf_free(&b);
  mpz_clears(v, p, (mpz_ptr)NULL);
  for (uint32_t k = 0; k < m->nin; k++) ir_lanes_fini(&in[k]);
  free(in);
  ir_interp_free(x);
  return o;
}

bool same_outcome(const outcome *x, const outcome *y) {
  return x->status == y->status && !strcmp(x->text, y->text);
}

void free_outcome(outcome *o) { free(o->text); }

char *text_of(const ir_module *m) {
  buf b = {0};
  ir_print(m, &b, false);
  char *s = strdup(b.p);
  buf_free(&b);
  return s;
}

ir_module *reparse(arena *a, const ir_module *m) {
  char *s = text_of(m);
  source_set *ss = source_set_new(a);
  source_id id;
  diag *dg = diag_new(a, ss);
  ir_module *r = NULL;
  if (source_add(ss, "copy.ir", s, strlen(s), &id)) r = ir_parse(a, ss, id, dg);
  if (!r) {
    buf b = {0};
    diag_render_all(dg, &b, false);
    fprintf(stderr, "%s\n%s\n", s, b.p);
    buf_free(&b);
  }
  free(s);
  return r;
}
