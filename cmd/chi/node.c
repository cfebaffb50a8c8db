/* chi node: one node of a local run.  Everything it needs comes over the
 * inherited socket: configuration, its key, the circuit's file, the inputs.
 * It runs circuit after circuit until the socket ends. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chi.h"
#include "cmd/chi/cli.h"
#include "cmd/chi/json.h"
#include "cmd/chi/proc.h"
#include "cmd/chi/wire.h"

enum { FD_LISTEN = 4, DETAIL = 512, DIGITS = 512 };

typedef struct node {
  int fd;
  arena *a;
  unsigned me, n;
  chi_protocol protocol;
  uint32_t deadline_ms;
  chi_identity *identity;
  uint8_t (*key)[CHI_KEY_BYTES];
  chi_party *party;
  /* of the circuit at hand */
  void *library;
  chi_session *session;
  chi_status status;
  char detail[DETAIL];
  double placed, agreed; /* when the first share was, when the nodes had */
} node;

static uint64_t number(const json_val *object, const char *key) {
  const json_val *v = json_get(object, key);
  return v != NULL && v->kind == JSON_WORD
             ? strtoull(v->u.text, NULL, 10)
             : 0;
}

static const char *string(const json_val *object, const char *key) {
  const json_val *v = json_get(object, key);
  return v != NULL && v->kind == JSON_STRING ? v->u.text : "";
}

static bool hex32(const char *s, uint8_t out[32]) {
  for (int i = 0; i < 32; i++) {
    char two[3] = {0};
    if (s[2 * i] == '\0' || s[2 * i + 1] == '\0')
      return false;
    memcpy(two, s + 2 * i, 2);
    out[i] = (uint8_t)strtoul(two, NULL, 16);
  }
  return true;
}

static bool configure(node *x, const buf *msg) {
  json_error err;
  const json_val *v =
      json_read(x->a, arena_strndup(x->a, msg->p, msg->n), msg->n, false, &err);
  const json_val *list = json_get(v, "parties");
  if (list == NULL || list->kind != JSON_LIST)
    return false;
  x->me = (unsigned)number(v, "me");
  x->n = list->n;
  x->protocol = (chi_protocol)number(v, "protocol");
  x->deadline_ms = (uint32_t)number(v, "deadline");
  x->key = arena_array(x->a, x->n, sizeof *x->key);
  x->party = ARENA_ARR(x->a, chi_party, x->n);
  for (unsigned i = 0; i < x->n; i++) {
    const json_val *p = &list->u.item[i];
    if (!hex32(string(p, "key"), x->key[i]))
      return false;
    memcpy(x->party[i].key, x->key[i], CHI_KEY_BYTES);
    x->party[i].host = "127.0.0.1";
    x->party[i].port = (uint16_t)number(p, "port");
  }
  return true;
}

static void failed(node *x, chi_status st, const char *detail) {
  if (st == CHI_OK || x->status != CHI_OK)
    return;
  x->status = st;
  snprintf(x->detail, sizeof x->detail, "%s", detail);
}

static void session_failed(node *x, chi_status st) {
  if (st != CHI_OK)
    failed(x, st, chi_session_detail(x->session));
}

static void load(node *x, const buf *msg) {
  json_error err;
  const json_val *v =
      json_read(x->a, arena_strndup(x->a, msg->p, msg->n), msg->n, false, &err);
  x->status = CHI_OK;
  x->detail[0] = '\0';
  x->placed = 0;
  x->library = dlopen(string(v, "library"), RTLD_NOW | RTLD_LOCAL);
  const chi_program *program =
      x->library ? dlsym(x->library, string(v, "symbol")) : NULL;
  if (program == NULL) {
    const char *why = dlerror();
    failed(x, CHI_E_BUG, why != NULL ? why : "no circuit in the library");
  }
  buf b = {0};
  wire_put(&b, MSG_LOADED, NULL, 0, NULL, 0);
  if (!wire_send(x->fd, &b))
    _exit(EXIT_NETWORK);
  buf_free(&b);
  if (program == NULL)
    return;
  chi_session_config cfg = {
      .protocol = x->protocol,
      .n = x->n,
      .me = x->me,
      .party_key = (const uint8_t(*)[CHI_KEY_BYTES])x->key,
      .identity = x->identity,
      .deadline_ms = x->deadline_ms};
  hex32(string(v, "session"), cfg.session_id);
  chi_tls_config tls = {.me = x->me,
                        .n = x->n,
                        .identity = x->identity,
                        .party = x->party,
                        .listen_fd = FD_LISTEN,
                        .deadline_ms = x->deadline_ms};
  chi_transport t;
  char detail[DETAIL] = "";
  chi_status st = chi_tls_connect(&t, detail, sizeof detail, &tls);
  if (st != CHI_OK) {
    failed(x, st, detail);
    return;
  }
  const chi_target *made = &program->target;
  if (made->protocol && (made->protocol != (uint32_t)x->protocol ||
                         made->n != x->n)) {
    t.ops->close(t.state);
    snprintf(detail, sizeof detail,
             "%s was compiled for %s with %u nodes, these are %s with %u",
             program->name, chi_protocol_name((chi_protocol)made->protocol),
             made->n, chi_protocol_name(x->protocol), x->n);
    failed(x, CHI_E_ARG, detail);
    return;
  }
  st = chi_session_new(&x->session, &t, &cfg, program);
  failed(x, st, "the session could not be made");
}

static void unload(node *x) {
  chi_session_free(x->session);
  x->session = NULL;
  if (x->library != NULL)
    dlclose(x->library);
  x->library = NULL;
}

static void input(node *x, char kind, const buf *msg) {
  uint32_t k;
  if (x->status != CHI_OK || msg->n < sizeof k)
    return;
  memcpy(&k, msg->p, sizeof k);
  const char *body = msg->p + sizeof k;
  size_t n = msg->n - sizeof k;
  if (kind == MSG_SEALED) {
    session_failed(x, chi_session_input_sealed(x->session, k,
                                               (const uint8_t *)body, n));
    if (x->placed == 0)
      x->placed = clock_seconds();
  } else if (kind == MSG_SMALL) {
    int64_t *v = malloc(n + 1);
    if (v == NULL)
      arena_oom_hook();
    memcpy(v, body, n);
    session_failed(
        x, chi_session_input_public(x->session, k, v, n / sizeof *v));
    free(v);
  } else {
    size_t lanes = 0, at = 0;
    for (size_t i = 0; i < n; i++)
      lanes += body[i] == '\0';
    const char **v = malloc((lanes + 1) * sizeof *v);
    if (v == NULL)
      arena_oom_hook();
    for (size_t i = 0; i < lanes; i++) {
      v[i] = body + at;
      at += strlen(v[i]) + 1;
    }
    session_failed(x, chi_session_input_public_text(x->session, k, v, lanes));
    free(v);
  }
}

static void output(node *x, buf *out, uint32_t k, const chi_leaf *leaf) {
  bool small = chi_session_program(x->session)->field.mersenne == 61;
  if (leaf->kind == CHI_KIND_WIDE ||
      (leaf->kind == CHI_KIND_FIELD && !small)) {
    buf text = {0};
    char digits[DIGITS];
    for (uint64_t i = 0; i < leaf->lanes; i++) {
      session_failed(x, chi_session_output_text(x->session, k, i, digits,
                                                sizeof digits));
      if (x->status != CHI_OK)
        break;
      buf_write(&text, digits, strlen(digits) + 1);
    }
    wire_put(out, MSG_DIGITS, &k, sizeof k, text.p, text.n);
    buf_free(&text);
  } else if (leaf->kind == CHI_KIND_FIELD || leaf->kind == CHI_KIND_INT) {
    int64_t *v = calloc(leaf->lanes, sizeof *v);
    if (v == NULL)
      arena_oom_hook();
    session_failed(x, chi_session_output(x->session, k, v, leaf->lanes));
    wire_put(out, MSG_VALUES, &k, sizeof k, v, leaf->lanes * sizeof *v);
    free(v);
  }
}

static void told(node *x, buf *out) {
  struct {
    uint32_t output, zero;
    uint64_t lanes;
    uint8_t to[CHI_KEY_BYTES];
  } head;
  size_t n = chi_session_told_count(x->session);
  for (size_t i = 0; i < n && x->status == CHI_OK; i++) {
    const uint8_t *blob;
    size_t bytes;
    memset(&head, 0, sizeof head);
    session_failed(x, chi_session_told(x->session, i, head.to, &head.output,
                                       &head.lanes, &blob, &bytes));
    if (x->status == CHI_OK)
      wire_put(out, MSG_TOLD, &head, sizeof head, blob, bytes);
  }
}

static void finish(node *x, buf *out, double done) {
  chi_stats st = {0};
  int culprit = -1;
  if (x->session != NULL) {
    chi_session_stats(x->session, &st);
    culprit = chi_session_culprit(x->session);
  }
  buf b = {0};
  buf_printf(&b, "{\"status\":%d,\"culprit\":%d,\"detail\":", (int)x->status,
             culprit + 1);
  text_jsonz(&b, x->detail);
  buf_printf(&b,
             ",\"rounds\":%llu,\"bytes\":%llu,\"elements\":%llu,"
             "\"setup\":%llu,\"wire\":%llu,\"placed_ns\":%.0f,"
             "\"agreed_ns\":%.0f,\"done_ns\":%.0f}",
             (unsigned long long)st.rounds, (unsigned long long)st.bytes_sent,
             (unsigned long long)st.elements_sent,
             (unsigned long long)st.setup_bytes_sent,
             (unsigned long long)st.wire_bytes_sent, x->placed * 1e9,
             x->agreed * 1e9, done * 1e9);
  wire_put(out, MSG_DONE, b.p, b.n, NULL, 0);
  buf_free(&b);
}

static bool go(node *x) {
  buf out = {0};
  if (x->placed == 0)
    x->placed = clock_seconds();
  if (x->status == CHI_OK)
    session_failed(x, chi_session_start(x->session));
  x->agreed = clock_seconds();
  if (x->status == CHI_OK)
    session_failed(x, chi_session_run(x->session));
  if (x->status == CHI_OK) {
    const chi_program *p = chi_session_program(x->session);
    for (uint32_t k = 0; k < p->n_output && x->status == CHI_OK; k++)
      output(x, &out, k, &p->output[k]);
    told(x, &out);
  }
  double done = clock_seconds();
  if (x->status != CHI_OK)
    buf_reset(&out); /* a failed run has no outputs, not even some */
  finish(x, &out, done);
  bool ok = wire_send(x->fd, &out);
  buf_free(&out);
  unload(x);
  return ok;
}

int cmd_node(cli *c) {
  node x = {.fd = -1, .a = c->a};
  unsigned fd;
  if (c->opt.control == NULL)
    return usage_error(c, "Nodes are started by 'chi run'.",
                       "option '--control' is missing");
  if (!opts_number(c, "--control", c->opt.control, 3, 1023, &fd))
    return EXIT_USAGE;
  x.fd = (int)fd;
  signal(SIGINT, SIG_IGN); /* the driver decides */
  signal(SIGHUP, SIG_IGN);
  proc_no_core();
  buf msg = {0};
  char kind;
  bool ok = true;
  while (ok && wire_recv(x.fd, &kind, &msg)) {
    switch (kind) {
    case MSG_CONFIG:
      ok = configure(&x, &msg);
      break;
    case MSG_KEY:
      ok = msg.n == 32 &&
           chi_identity_from_seed(&x.identity, (const uint8_t *)msg.p) ==
               CHI_OK;
      explicit_bzero(msg.p, msg.n);
      break;
    case MSG_LOAD:
      load(&x, &msg);
      break;
    case MSG_GO:
      ok = go(&x);
      break;
    default:
      input(&x, kind, &msg);
      break;
    }
  }
  unload(&x);
  chi_identity_free(x.identity);
  buf_free(&msg);
  return ok ? EXIT_FINE : EXIT_BUG;
}
