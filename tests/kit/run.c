/* n nodes as threads over the in-memory transport. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit_impl.h"
#include "tap.h"

typedef struct node {
  const kit_program *p;
  chi_transport tr;
  kit_tap tap;
  chi_session_config cfg;
  const ir_lanes *in;
  unsigned words;        /* of an element */
  uint64_t **element;    /* lanes of p leaves, canonical */
  uint8_t **blob;        /* per input: this node's sealed blob */
  size_t *blob_bytes;
  chi_session *s;
  chi_status st;
  chi_stats stats;
  char detail[256];
  double seconds;
  kit_value *out;        /* public outputs */
  uint64_t **a, **b;     /* shares of secret outputs */
} node;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const uint8_t reader_seed[32] = {7, 1, 7};

void kit_identity(mpz_t out) {
  chi_identity *id;
  uint8_t key[CHI_KEY_BYTES];
  mpz_set_ui(out, 0);
  if (chi_identity_from_seed(&id, reader_seed) != CHI_OK) return;
  chi_identity_public(id, key);
  mpz_import(out, sizeof key, 1, 1, 1, 0, key);
  chi_identity_free(id);
}

static void value_init(kit_value *v, uint64_t n) {
  v->n = n;
  v->lane = calloc(n ? n : 1, sizeof *v->lane);
  for (uint64_t k = 0; k < n; k++) mpz_init(v->lane[k]);
}

static void value_fini(kit_value *v) {
  for (uint64_t k = 0; k < v->n; k++) mpz_clear(v->lane[k]);
  free(v->lane);
  v->lane = NULL;
  v->n = 0;
}

static void set_words(mpz_t v, const uint64_t *x, unsigned words) {
  mpz_import(v, words, -1, sizeof *x, 0, 0, x);
}

/* ---- one node ---- */

static chi_status give_public(node *q, uint32_t k) {
  const chi_leaf *l = &q->p->program->input[k];
  if (q->in[k].i64)
    return chi_session_input_public(q->s, k, q->in[k].i64, l->lanes);
  const char **text = calloc(l->lanes, sizeof *text);
  for (uint64_t j = 0; j < l->lanes; j++)
    text[j] = mpz_get_str(NULL, 10, &q->in[k].mpz[j]);
  chi_status st = chi_session_input_public_text(q->s, k, text, l->lanes);
  for (uint64_t j = 0; j < l->lanes; j++) free((char *)(uintptr_t)text[j]);
  free(text);
  return st;
}

static chi_status give_inputs(node *q) {
  const chi_program *pr = q->p->program;
  for (uint32_t k = 0; k < pr->n_input; k++) {
    chi_status st;
    unsigned dealer = k % q->cfg.n;
    if (pr->input[k].kind != CHI_KIND_SHARE)
      st = give_public(q, k);
    else if (q->blob[k])
      st = chi_session_input_sealed(q->s, k, q->blob[k], q->blob_bytes[k]);
    else
      st = chi_session_input_node_elements(
          q->s, k, dealer, q->cfg.me == dealer ? q->element[k] : NULL,
          pr->input[k].lanes);
    if (st != CHI_OK) return st;
  }
  return CHI_OK;
}

static chi_status take_public(node *q, uint32_t k) {
  const chi_leaf *l = &q->p->program->output[k];
  char text[512];
  value_init(&q->out[k], l->lanes);
  for (uint64_t j = 0; j < l->lanes; j++) {
    chi_status st = chi_session_output_text(q->s, k, j, text, sizeof text);
    if (st != CHI_OK) return st;
    mpz_set_str(q->out[k].lane[j], text, 10);
  }
  return CHI_OK;
}

static chi_status take_outputs(node *q) {
  const chi_program *pr = q->p->program;
  for (uint32_t k = 0; k < pr->n_output; k++) {
    const chi_leaf *l = &pr->output[k];
    chi_status st = CHI_OK;
    if (l->kind == CHI_KIND_TOLD) continue;
    if (l->kind == CHI_KIND_SHARE) {
      q->a[k] = calloc(l->lanes, q->words * sizeof **q->a);
      q->b[k] = calloc(l->lanes, q->words * sizeof **q->b);
      st = chi_session_output_share(q->s, k, q->a[k], q->b[k], l->lanes);
    } else {
      st = take_public(q, k);
    }
    if (st != CHI_OK) return st;
  }
  return CHI_OK;
}

static void *run_node(void *arg) {
  node *q = arg;
  q->st = chi_session_new(&q->s, &q->tr, &q->cfg, q->p->program);
  if (q->st == CHI_OK) q->st = give_inputs(q);
  if (q->st == CHI_OK) q->st = chi_session_start(q->s);
  if (q->st == CHI_OK) {
    double t = now();
    q->st = chi_session_run(q->s);
    q->seconds = now() - t;
  }
  if (q->s) chi_session_stats(q->s, &q->stats);
  if (q->st == CHI_OK) q->st = take_outputs(q);
  if (q->s)
    snprintf(q->detail, sizeof q->detail, "%s", chi_session_detail(q->s));
  if (q->st != CHI_OK) { /* let the others know at once */
    chi_session_free(q->s);
    q->s = NULL;
  }
  return NULL;
}

/* ---- all of them ---- */

static uint64_t *canonical(const ir_module *m, const ir_lanes *in) {
  unsigned words = ir_field_words(m);
  uint64_t *v = calloc(in->n ? in->n : 1, words * sizeof *v);
  mpz_t x;
  mpz_init(x);
  for (uint64_t j = 0; j < in->n; j++) {
    ir_lanes_get(in, j, x);
    mpz_mod(x, x, m->p);
    mpz_export(v + j * words, NULL, -1, sizeof *v, 0, 0, x);
  }
  mpz_clear(x);
  return v;
}

static chi_status share_input(node *q, unsigned n, uint32_t k,
                              const uint64_t *v, uint64_t lanes) {
  chi_client_run run = {.protocol = q->cfg.protocol, .n = n,
                        .party_key = q->cfg.party_key,
                        .field = q->p->program->field};
  memcpy(run.session_id, q->cfg.session_id, sizeof run.session_id);
  uint8_t **blobs = calloc(n, sizeof *blobs);
  for (unsigned i = 0; i < n; i++) {
    q[i].blob_bytes[k] = chi_client_blob_bytes(&run, i, lanes);
    blobs[i] = q[i].blob[k] = calloc(1, q[i].blob_bytes[k]);
  }
  chi_status st = chi_client_share_elements(blobs, &run, k, v, lanes);
  free(blobs);
  return st;
}

/* Secret of one lane from the nodes' shares: REP3 the sum of the a parts,
 * SHAMIR interpolation at 0 through the points 1 .. t + 1. */
static void reconstruct(const ir_module *m, const node *q, unsigned n,
                        uint32_t k, uint64_t j, mpz_t out) {
  mpz_set_ui(out, 0);
  mpz_t x, den;
  mpz_inits(x, den, (mpz_ptr)NULL);
  unsigned count = q->cfg.protocol == CHI_REP3 ? 3 : (n + 1) / 2;
  for (unsigned i = 0; i < count; i++) {
    set_words(x, q[i].a[k] + j * q->words, q->words);
    if (q->cfg.protocol == CHI_SHAMIR) {
      mpz_set_ui(den, 1);
      for (unsigned h = 0; h < count; h++) {
        if (h == i) continue;
        mpz_mul_ui(x, x, h + 1);
        mpz_mul_si(den, den, (long)h - (long)i);
      }
      mpz_mod(den, den, m->p);
      mpz_invert(den, den, m->p);
      mpz_mul(x, x, den);
    }
    mpz_add(out, out, x);
  }
  mpz_mod(out, out, m->p);
  mpz_clears(x, den, (mpz_ptr)NULL);
}

static void collect_outputs(const ir_module *m, const kit_program *p,
                            node *q, unsigned n, kit_result *r) {
  r->agree = true;
  for (uint32_t k = 0; k < r->nout; k++) {
    const chi_leaf *l = &p->program->output[k];
    if (l->kind == CHI_KIND_TOLD) continue;
    value_init(&r->out[k], l->lanes);
    for (uint64_t j = 0; j < l->lanes; j++) {
      if (l->kind == CHI_KIND_SHARE) {
        reconstruct(m, q, n, k, j, r->out[k].lane[j]);
        continue;
      }
      mpz_set(r->out[k].lane[j], q[0].out[k].lane[j]);
      for (unsigned i = 1; i < n; i++)
        r->agree &= mpz_cmp(q[i].out[k].lane[j], r->out[k].lane[j]) == 0;
    }
  }
}

static void collect_told(node *q, unsigned n, const chi_client_run *run,
                         kit_result *r) {
  chi_identity *id;
  uint8_t mine[CHI_KEY_BYTES];
  if (chi_identity_from_seed(&id, reader_seed) != CHI_OK) return;
  chi_identity_public(id, mine);
  r->ntold = (uint32_t)chi_session_told_count(q[0].s);
  r->told = calloc(r->ntold + 1, sizeof *r->told);
  const uint8_t **blob = calloc(n, sizeof *blob);
  size_t *bytes = calloc(n, sizeof *bytes);
  for (uint32_t k = 0; k < r->ntold; k++) {
    uint8_t to[CHI_KEY_BYTES];
    uint64_t lanes = 0;
    bool ok = true;
    for (unsigned i = 0; i < n; i++)
      ok &= chi_session_told(q[i].s, k, to, &r->told[k].output, &lanes,
                             &blob[i], &bytes[i]) == CHI_OK;
    if (!ok || memcmp(to, mine, sizeof to)) continue;
    uint64_t *v = calloc(lanes, q->words * sizeof *v);
    r->told[k].opened =
        chi_client_open(v, lanes, NULL, run, id, r->told[k].output, blob,
                        bytes) == CHI_OK;
    value_init(&r->told[k].value, lanes);
    for (uint64_t j = 0; j < lanes; j++)
      set_words(r->told[k].value.lane[j], v + j * q->words, q->words);
    free(v);
  }
  free(blob);
  free(bytes);
  chi_identity_free(id);
}

static void free_node(node *q, uint32_t nin, uint32_t nout) {
  chi_session_free(q->s);
  for (uint32_t k = 0; k < nin; k++) free(q->blob[k]);
  for (uint32_t k = 0; k < nout; k++) {
    value_fini(&q->out[k]);
    free(q->a[k]);
    free(q->b[k]);
  }
  free(q->blob);
  free(q->blob_bytes);
  free(q->out);
  free(q->a);
  free(q->b);
}

/* The failure that explains the others: a node whose own check failed, else
 * the first. */
static const node *first_cause(const node *q, unsigned n) {
  const node *worst = NULL;
  for (unsigned i = 0; i < n; i++) {
    if (q[i].st == CHI_OK) continue;
    bool echo = q[i].st == CHI_E_PEER_LOST;
    if (!worst || (worst->st == CHI_E_PEER_LOST && !echo)) worst = &q[i];
  }
  return worst;
}

bool kit_run(kit_program *p, const ir_module *m, chi_protocol protocol,
             unsigned n, const ir_lanes *in, kit_result *r, buf *why) {
  const chi_program *pr = p->program;
  memset(r, 0, sizeof *r);
  r->nout = pr->n_output;
  r->out = calloc(r->nout + 1, sizeof *r->out);
  r->nsent = n * n;
  r->sent = calloc(r->nsent, sizeof *r->sent);
  chi_transport tr[CHI_PARTIES_MAX];
  chi_identity *id[CHI_PARTIES_MAX] = {0};
  uint8_t key[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  chi_status st = chi_mem_new(tr, n);
  bool have_tr = st == CHI_OK;
  for (unsigned i = 0; i < n && st == CHI_OK; i++) {
    st = chi_identity_new(&id[i]);
    if (st == CHI_OK) chi_identity_public(id[i], key[i]);
  }
  node *q = calloc(n, sizeof *q);
  for (unsigned i = 0; i < n; i++) {
    q[i] = (node){.p = p, .tr = tr[i], .in = in,
                  .words = ir_field_words(m)};
    if (have_tr) kit_tap_around(&q[i].tap, &q[i].tr, r->sent + i * n);
    q[i].cfg = (chi_session_config){
        .protocol = protocol, .n = n, .me = i, .identity = id[i],
        .party_key = (const uint8_t(*)[CHI_KEY_BYTES])key};
    q[i].cfg.session_id[0] = 42;
    q[i].blob = calloc(pr->n_input + 1, sizeof *q[i].blob);
    q[i].blob_bytes = calloc(pr->n_input + 1, sizeof *q[i].blob_bytes);
    q[i].out = calloc(pr->n_output + 1, sizeof *q[i].out);
    q[i].a = calloc(pr->n_output + 1, sizeof *q[i].a);
    q[i].b = calloc(pr->n_output + 1, sizeof *q[i].b);
  }
  uint64_t **element = calloc(pr->n_input + 1, sizeof *element);
  for (uint32_t k = 0; k < pr->n_input && st == CHI_OK; k++) {
    if (pr->input[k].kind != CHI_KIND_SHARE) continue;
    element[k] = canonical(m, &in[k]);
    if (k % 2 == 0)
      st = share_input(q, n, k, element[k], pr->input[k].lanes);
  }
  bool set_up = st == CHI_OK;
  if (!set_up) {
    buf_printf(why, "set-up failed: %s", chi_status_text(st));
    for (unsigned i = 0; have_tr && i < n; i++) tr[i].ops->close(tr[i].state);
  } else {
    pthread_t th[CHI_PARTIES_MAX];
    for (unsigned i = 0; i < n; i++) {
      q[i].element = element;
      pthread_create(&th[i], NULL, run_node, &q[i]);
    }
    for (unsigned i = 0; i < n; i++) pthread_join(th[i], NULL);
    const node *bad = first_cause(q, n);
    if (bad) {
      r->status = bad->st;
      snprintf(r->detail, sizeof r->detail, "%s", bad->detail);
    } else {
      collect_outputs(m, p, q, n, r);
      chi_client_run run = {.protocol = protocol, .n = n,
                            .party_key = q[0].cfg.party_key,
                            .field = pr->field};
      memcpy(run.session_id, q[0].cfg.session_id, sizeof run.session_id);
      collect_told(q, n, &run, r);
    }
    r->rounds = q[0].stats.rounds;
    r->seconds = q[0].seconds;
    for (unsigned i = 0; i < n; i++) {
      r->bytes[i] = q[i].stats.bytes_sent;
      r->elements[i] = q[i].stats.elements_sent;
    }
  }
  for (unsigned i = 0; i < n; i++) {
    free_node(&q[i], pr->n_input, pr->n_output);
    chi_identity_free(id[i]);
  }
  for (uint32_t k = 0; k < pr->n_input; k++) free(element[k]);
  free(element);
  free(q);
  return set_up;
}

void kit_result_fini(kit_result *r) {
  for (uint32_t k = 0; k < r->nout; k++) value_fini(&r->out[k]);
  for (uint32_t k = 0; k < r->ntold; k++) value_fini(&r->told[k].value);
  for (unsigned k = 0; k < r->nsent; k++) free(r->sent[k].frame);
  free(r->out);
  free(r->told);
  free(r->sent);
  memset(r, 0, sizeof *r);
}
