#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/net.h"

enum { FILE_MAX = 1 << 20 };

const char *net_folder(cli *c) {
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) != NULL)
    return arena_printf(c->a, "%s/.chi", strcmp(path, "/") == 0 ? "" : path);
  diag_report_nowhere(c->dg, DIAG_SYSTEM, "find the current directory",
                      strerror(errno));
  return NULL;
}

const char *net_path(arena *a, const char *dir, const char *name) {
  return arena_printf(a, "%s/%s", dir, name);
}

const char *net_node_path(arena *a, const char *dir, unsigned i,
                          const char *name) {
  return arena_printf(a, "%s/node-%u/%s", dir, i, name);
}

/* ---- reading ---- */

static bool get_hex(const json_t *o, const char *key, uint8_t out[32]) {
  const char *s = json_string_value(json_object_get(o, key));
  return s != NULL && chi_unhex(out, 32, s) == CHI_OK;
}

static bool get_port(const json_t *o, const char *key, uint16_t *out) {
  json_int_t v = json_integer_value(json_object_get(o, key));
  *out = (uint16_t)v;
  return v > 0 && v < 65536;
}

static bool parse(arena *a, const json_t *o, net *w) {
  const json_t *list = json_object_get(o, "nodes");
  const char *p = json_string_value(json_object_get(o, "protocol"));
  size_t n = json_array_size(list);
  bool rep3 = p != NULL && strcmp(p, "rep3") == 0;
  if (json_integer_value(json_object_get(o, "format")) != 1 || p == NULL ||
      (!rep3 && strcmp(p, "shamir") != 0) || n < CHI_PARTIES_MIN ||
      n > CHI_PARTIES_MAX || (rep3 && n != 3) || !get_hex(o, "net", w->id) ||
      !get_port(o, "ledger_port", &w->ledger_port))
    return false;
  w->protocol = rep3 ? CHI_REP3 : CHI_SHAMIR;
  w->n = (unsigned)n;
  w->node = ARENA_ARR(a, net_node, n);
  for (size_t i = 0; i < n; i++) {
    const json_t *x = json_array_get(list, i);
    if (!get_hex(x, "key", w->node[i].key) ||
        !get_port(x, "port", &w->node[i].port) ||
        !get_port(x, "mesh_port", &w->node[i].mesh_port))
      return false;
  }
  return true;
}

net *net_load(arena *a, const char *dir, const char **why) {
  size_t n;
  char *text = disk_read(a, net_path(a, dir, "net.json"), FILE_MAX, &n);
  if (text == NULL) {
    *why = errno == ENOENT || errno == ENOTDIR ? "" : strerror(errno);
    return NULL;
  }
  net *w = ARENA_NEW(a, net);
  w->dir = dir;
  json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
  bool ok = parse(a, o, w);
  json_decref(o);
  *why = "it is no description of a network, or it was changed";
  return ok ? w : NULL;
}

net *net_find(cli *c) {
  const char *dir = net_folder(c), *why;
  net *w = dir != NULL ? net_load(c->a, dir, &why) : NULL;
  if (w != NULL || dir == NULL)
    return w;
  if (why[0] == '\0') {
    diag_report_nowhere(c->dg, DIAG_NET_MISSING, dir);
    diag_hint(c->dg, "Start one here: chi net start.");
  } else {
    diag_report_nowhere(c->dg, DIAG_NET_FILE, net_path(c->a, dir, "net.json"),
                        why);
  }
  return NULL;
}

/* ---- writing ---- */

bool net_save(arena *a, const net *w) {
  buf b = {0};
  char hex[65];
  chi_hex(hex, w->id, 32);
  buf_printf(&b,
             "{\n  \"format\": 1,\n  \"net\": \"%s\",\n"
             "  \"protocol\": \"%s\",\n  \"ledger_port\": %u,\n"
             "  \"nodes\": [",
             hex, chi_protocol_name(w->protocol), w->ledger_port);
  for (unsigned i = 0; i < w->n; i++) {
    const net_node *x = &w->node[i];
    chi_hex(hex, x->key, 32);
    buf_printf(&b,
               "%s\n    {\"key\": \"%s\", \"port\": %u, \"mesh_port\": %u}",
               i > 0 ? "," : "", hex, x->port, x->mesh_port);
  }
  buf_puts(&b, "\n  ]\n}\n");
  bool ok = disk_put(a, net_path(a, w->dir, "net.json"), b.p, b.n, 0600,
                     false);
  buf_free(&b);
  return ok;
}
