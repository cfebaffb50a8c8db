/* What a run is to the driver: inputs out, outputs in, what went wrong. */
#define _GNU_SOURCE
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cmd/chi/client.h"
#include "cmd/chi/mesh.h"
#include "node/node.h"

/* ---- inputs ---- */

static void put_public(mesh *m, uint32_t k, const lanes *v) {
  buf b = {0};
  if (v->small == NULL)
    for (uint64_t i = 0; i < v->n; i++) {
      buf_mpz(&b, v->big[i]);
      buf_putc(&b, '\0');
    }
  for (unsigned i = 0; i < m->n; i++)
    if (v->small != NULL)
      wire_put(&m->p[i].out, MSG_SMALL, &k, sizeof k, v->small,
               v->n * sizeof *v->small);
    else
      wire_put(&m->p[i].out, MSG_TEXT, &k, sizeof k, b.p, b.n);
  buf_free(&b);
}

/* As the client who holds the value would: one sealed box per node. */
static bool put_shared(mesh *m, uint32_t k, const lanes *v,
                       const chi_client_run *run) {
  uint8_t *box[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  chi_status st = client_seal(run, k, v, box, bytes);
  for (unsigned i = 0; i < m->n; i++) {
    if (st == CHI_OK)
      wire_put(&m->p[i].out, MSG_SEALED, &k, sizeof k, box[i], bytes[i]);
    free(box[i]);
  }
  if (st != CHI_OK)
    diag_report_nowhere(m->c->dg, DIAG_INTERNAL,
                        arena_printf(m->c->a, "an input could not be shared: "
                                     "%s", chi_status_text(st)));
  return st == CHI_OK;
}

static bool put_inputs(mesh *m, const inputs *in, const chi_client_run *run) {
  for (uint32_t k = 0; in != NULL && k < in->n; k++) {
    progress_tick(m->prog, "sharing the inputs");
    if (!in->leaf[k]->type->secret)
      put_public(m, k, &in->val[k]);
    else if (!put_shared(m, k, &in->val[k], run))
      return false;
  }
  for (unsigned i = 0; i < m->n; i++)
    wire_put(&m->p[i].out, MSG_GO, NULL, 0, NULL, 0);
  return true;
}

/* ---- what happened ---- */

static const char *end_detail(const peer *p) {
  const json_val *v = json_get(p->end, "detail");
  return v != NULL && v->kind == JSON_STRING ? v->u.text : "";
}

/* How near to the cause a status is: a lost peer is what others see. */
static int rank(chi_status st) {
  switch (st) {
  case CHI_OK:
    return 0;
  case CHI_E_PEER_LOST:
    return 1;
  case CHI_E_PEER_STALLED:
    return 2;
  default:
    return 3;
  }
}

static void note_others(mesh *m, unsigned but) {
  for (unsigned i = 0; i < m->n; i++)
    if (i != but && m->p[i].done && mesh_number(&m->p[i], "status") != 0)
      diag_note(m->c->dg, (span){0, 0}, "node %u: %s", i,
                node_words(m->c->a, end_detail(&m->p[i])));
}

static bool find_dead(mesh *m) {
  for (unsigned i = 0; i < m->n; i++) {
    peer *p = &m->p[i];
    if (!p->eof || p->done || p->pid <= 0)
      continue;
    int status = 0;
    pid_t got = 0;
    for (int turn = 0; turn < 100 && got == 0; turn++) {
      got = waitpid(p->pid, &status, WNOHANG);
      if (got == 0)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    const char *how = "it closed its socket";
    if (got == p->pid) {
      p->pid = 0;
      how = proc_status_text(m->c->a, status);
    }
    diag_report_nowhere(m->c->dg, DIAG_NODE_DIED, i, how);
    return true;
  }
  return false;
}

static run_status explain_failure(mesh *m, run_result *out) {
  unsigned worst = 0;
  int best = 0;
  if (find_dead(m))
    return RUN_FAILED;
  for (unsigned i = 0; i < m->n; i++) {
    int r = rank((chi_status)mesh_number(&m->p[i], "status"));
    if (m->p[i].done && r > best) {
      best = r;
      worst = i;
    }
  }
  const peer *p = &m->p[worst];
  chi_status st = (chi_status)mesh_number(p, "status");
  out->detail = end_detail(p);
  if (st == CHI_E_REQUIRE || st == CHI_E_RANGE)
    return RUN_CHECK;
  if (st == CHI_E_BUG || st == CHI_E_ARG || st == CHI_E_STATE)
    diag_report_nowhere(m->c->dg, DIAG_INTERNAL,
                        arena_printf(m->c->a, "node %u: %s: %s", worst,
                                     chi_status_text(st), out->detail));
  else
    diag_report_nowhere(m->c->dg, DIAG_NODE_FAILED, worst, chi_status_text(st),
                        out->detail[0] ? ": " : "",
                        node_words(m->c->a, out->detail));
  note_others(m, worst);
  return RUN_FAILED;
}

/* ---- outputs ---- */

static bool agree(mesh *m) {
  /* Values and digits are public: byte for byte the same on all nodes. */
  for (unsigned i = 1; i < m->n; i++) {
    const buf *a = &m->p[0].results, *b = &m->p[i].results;
    size_t at = 0, bt = 0;
    while (at < a->n || bt < b->n) {
      uint64_t na = 0, nb = 0;
      if (a->n - at < WIRE_HEAD || b->n - bt < WIRE_HEAD)
        break;
      memcpy(&na, a->p + at + 1, sizeof na);
      memcpy(&nb, b->p + bt + 1, sizeof nb);
      char ka = a->p[at], kb = b->p[bt];
      bool same = ka == kb && (ka == MSG_TOLD ||
                               (na == nb && memcmp(a->p + at + WIRE_HEAD,
                                                   b->p + bt + WIRE_HEAD,
                                                   na) == 0));
      if (!same)
        break;
      at += WIRE_HEAD + na;
      bt += WIRE_HEAD + nb;
    }
    if (at != a->n || bt != b->n) {
      diag_report_nowhere(m->c->dg, DIAG_NODES_DISAGREE, 0u, i, "outputs");
      return false;
    }
  }
  return true;
}

/* Message number k of that kind in a node's results. */
static const char *message(const buf *b, char kind, uint32_t k,
                           uint64_t *bytes) {
  for (size_t at = 0; at + WIRE_HEAD <= b->n;) {
    memcpy(bytes, b->p + at + 1, sizeof *bytes);
    if (b->p[at] == kind && k-- == 0)
      return b->p + at + WIRE_HEAD;
    at += WIRE_HEAD + *bytes;
  }
  return NULL;
}

enum { TOLD_HEAD = 48 };

static bool take_told(mesh *m, const inputs *in, const chi_client_run *run,
                      uint32_t k, run_told *out) {
  const uint8_t *blob[CHI_PARTIES_MAX];
  size_t bytes[CHI_PARTIES_MAX];
  for (unsigned i = 0; i < m->n; i++) {
    uint64_t n;
    const char *p = message(&m->p[i].results, MSG_TOLD, k, &n);
    if (p == NULL || n < TOLD_HEAD) {
      diag_report_nowhere(m->c->dg, DIAG_NODES_DISAGREE, 0u, i,
                          "told values");
      return false;
    }
    memcpy(&out->output, p, 4);
    memcpy(&out->n, p + 8, 8);
    memcpy(out->to, p + 16, 32);
    blob[i] = (const uint8_t *)p + TOLD_HEAD;
    bytes[i] = (size_t)n - TOLD_HEAD;
  }
  const person *who = in != NULL ? people_find(&in->who, out->to) : NULL;
  if (who == NULL || who->key == NULL)
    return true;
  unsigned bad = 0;
  out->value = ARENA_ARR(m->c->a, uint64_t, out->n * run->field.words);
  chi_status st = chi_client_open(out->value, out->n, &bad, run, who->key,
                                  out->output, blob, bytes);
  if (st == CHI_OK)
    return true;
  diag_report_nowhere(m->c->dg, DIAG_NODE_FAILED, bad, chi_status_text(st),
                      ": ", "a told value");
  return false;
}

static bool take_outputs(mesh *m, const inputs *in, const chi_client_run *run,
                         run_result *out) {
  if (!agree(m))
    return false;
  const buf *b = &m->p[0].results;
  for (size_t at = 0; at + WIRE_HEAD <= b->n;) {
    uint64_t n;
    uint32_t k = 0;
    memcpy(&n, b->p + at + 1, sizeof n);
    const char *body = b->p + at + WIRE_HEAD;
    if (n >= sizeof k)
      memcpy(&k, body, sizeof k);
    if (b->p[at] == MSG_TOLD) {
      out->ntold++;
    } else if (k < out->noutput) {
      run_output *o = &out->output[k];
      char *copy = arena_alloc(m->c->a, (size_t)n);
      memcpy(copy, body + sizeof k, (size_t)n - sizeof k);
      if (b->p[at] == MSG_VALUES) {
        o->n = (n - sizeof k) / sizeof(int64_t);
        o->small = (int64_t *)(void *)copy;
      } else {
        o->digits = copy;
        o->digits_bytes = (size_t)n - sizeof k;
        for (size_t i = 0; i < o->digits_bytes; i++)
          o->n += copy[i] == '\0';
      }
    }
    at += WIRE_HEAD + n;
  }
  out->told = ARENA_ARR(m->c->a, run_told, out->ntold + 1);
  for (uint32_t k = 0; k < out->ntold; k++)
    if (!take_told(m, in, run, k, &out->told[k]))
      return false;
  return true;
}

static void take_counters(mesh *m, run_result *out) {
  double first = 0, agreed = 0, last = 0;
  for (unsigned i = 0; i < m->n; i++) {
    const peer *p = &m->p[i];
    double a = (double)mesh_number(p, "placed_ns") * 1e-9;
    double b = (double)mesh_number(p, "agreed_ns") * 1e-9;
    double c = (double)mesh_number(p, "done_ns") * 1e-9;
    first = i == 0 || a < first ? a : first;
    agreed = i == 0 || b < agreed ? b : agreed;
    last = c > last ? c : last;
    out->rounds[i] = mesh_number(p, "rounds");
    out->bytes[i] = mesh_number(p, "bytes");
    out->elements[i] = mesh_number(p, "elements");
    out->setup[i] = mesh_number(p, "setup");
    out->wire[i] = mesh_number(p, "wire");
  }
  out->seconds = last - first;
  out->online = last - agreed;
}

run_status mesh_run(mesh *m, const char *library, const char *symbol,
                    chi_field field, const inputs *in, uint32_t noutput,
                    void (*loaded)(void *user), void *user, run_result *out) {
  uint8_t keys[CHI_PARTIES_MAX][CHI_KEY_BYTES];
  chi_client_run run = {.protocol = m->protocol,
                        .n = m->n,
                        .party_key = (const uint8_t(*)[CHI_KEY_BYTES])keys,
                        .field = field};
  buf b = {0};
  *out = (run_result){.noutput = noutput, .detail = ""};
  out->output = ARENA_ARR(m->c->a, run_output, noutput + 1);
  randombytes_buf(run.session_id, sizeof run.session_id);
  buf_puts(&b, "{\"library\":");
  text_jsonz(&b, library);
  buf_printf(&b, ",\"symbol\":\"%s\",\"session\":\"", symbol);
  for (size_t i = 0; i < sizeof run.session_id; i++)
    buf_printf(&b, "%02x", run.session_id[i]);
  buf_puts(&b, "\"}");
  for (unsigned i = 0; i < m->n; i++) {
    peer *p = &m->p[i];
    memcpy(keys[i], p->key, CHI_KEY_BYTES);
    p->done = p->loaded = false;
    p->end = NULL;
    buf_reset(&p->results);
    wire_put(&p->out, MSG_LOAD, b.p, b.n, NULL, 0);
  }
  buf_free(&b);
  if (!put_inputs(m, in, &run))
    return RUN_FAILED;
  switch (mesh_loop(m, loaded, user)) {
  case LOOP_DONE:
    break;
  case LOOP_SOME_FAILED:
    return explain_failure(m, out);
  case LOOP_STALLED:
    diag_report_nowhere(m->c->dg, DIAG_NODE_STALLED, m->timeout_s);
    return RUN_FAILED;
  case LOOP_STOPPED:
    return RUN_FAILED;
  }
  take_counters(m, out);
  return take_outputs(m, in, &run, out) ? RUN_OK : RUN_FAILED;
}
