/* Writing the manifest.  Key order is fixed, so equal circuits give equal
 * bytes. */
#include "backend/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/cost.h"

static const char zero_hash[] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* JSON text must be UTF-8; other bytes of names become '?'. */
static json_t *text(const char *s) {
  json_t *j = json_string(s);
  if (j) return j;
  char *copy = strdup(s);
  if (!copy) return json_null();
  for (char *p = copy; *p; p++)
    if ((unsigned char)*p >= 0x80) *p = '?';
  j = json_string(copy);
  free(copy);
  return j;
}

/* Counts beyond int64_t do not occur in a file; they saturate. */
static json_t *count(uint64_t n) {
  return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *decimal(mpz_srcptr v) {
  char *s = mpz_get_str(NULL, 10, v);
  json_t *j = json_string(s);
  free(s);
  return j;
}

static json_t *leaf_json(const ir_leaf *l, const backend_leaf *at,
                         const char *owner, bool out) {
  const ir_type *ty = at->v ? &at->v->ty : NULL;
  json_t *j = json_object();
  json_object_set_new(j, "name", text(l->name));
  json_object_set_new(j, "type", text(l->type));
  json_object_set_new(j, "shape", text(l->shape));
  json_object_set_new(j, "lanes", count(ty ? ty->lanes : 0));
  json_object_set_new(j, "secret", json_boolean(l->secret));
  if (out)
    json_object_set_new(j, "to",
                        text(at->told ? "identity"
                             : ty && ty->kind == KIND_SH
                                 ? "nodes"
                                 : "everybody"));
  else
    json_object_set_new(j, "owner", text(owner ? owner : "anybody"));
  const ir_range *r = ty ? ty->range : NULL;
  json_object_set_new(j, "lo", r ? decimal(r->lo) : json_null());
  json_object_set_new(j, "hi", r ? decimal(r->hi) : json_null());
  json_object_set_new(j, "scale", count(l->scale));
  return j;
}

static json_t *facts_json(const backend_fact *f, uint32_t n, bool to) {
  json_t *list = json_array();
  for (uint32_t k = 0; k < n; k++) {
    json_t *j = json_object();
    if (f[k].file) json_object_set_new(j, "file", text(f[k].file));
    json_object_set_new(j, "line", count(f[k].line));
    json_object_set_new(j, "col", count(f[k].col));
    if (f[k].call_file) {
      json_t *call = json_object();
      json_object_set_new(call, "file", text(f[k].call_file));
      json_object_set_new(call, "line", count(f[k].call_line));
      json_object_set_new(call, "col", count(f[k].call_col));
      json_object_set_new(j, "call", call);
    }
    json_object_set_new(j, "type", text(f[k].type ? f[k].type : ""));
    json_object_set_new(j, "lanes", count(f[k].lanes));
    if (to)
      json_object_set_new(j, "to", text(f[k].to ? f[k].to : "everybody"));
    json_object_set_new(j, "times",
                        f[k].times < 0 ? json_null()
                                       : json_integer(f[k].times));
    json_array_append_new(list, j);
  }
  return list;
}

static const char *protocol_name(const ir_target *t) {
  return t->protocol == IR_SHAMIR ? "shamir" : "rep3";
}

static json_t *cost_json(const ir_module *m, arena *a, const ir_target *t) {
  const ir_cost *c = backend_cost(a, m, t);
  unsigned n = t->n;
  json_t *j = json_object(), *bytes = json_array(), *elements = json_array();
  json_object_set_new(j, "protocol", text(protocol_name(t)));
  json_object_set_new(j, "nodes", count(n));
  json_object_set_new(j, "exact", json_boolean(c->exact));
  json_object_set_new(j, "rounds", count(c->rounds));
  for (unsigned k = 0; k < n; k++) {
    json_array_append_new(bytes, count(c->bytes[k]));
    json_array_append_new(elements, count(c->elements[k]));
  }
  json_object_set_new(j, "bytes", bytes);
  json_object_set_new(j, "elements", elements);
  json_object_set_new(j, "zero_shares", count(c->zero_shares));
  json_object_set_new(j, "doubles_dealt", count(c->doubles_dealt));
  json_object_set_new(j, "doubles_used", count(c->doubles_used));
  json_object_set_new(j, "seeded", count(c->seeded));
  return j;
}

void manifest_print(buf *out, const ir_module *m, const backend_info *info,
                    const char *symbol, arena *a) {
  char hash[65];
  ir_hash(m, hash);
  json_t *j = json_object();
  json_object_set_new(j, "format", json_integer(MANIFEST_FORMAT));
  json_object_set_new(j, "name", text(m->name));
  json_object_set_new(j, "module", text(info->module ? info->module : "main"));
  json_object_set_new(j, "symbol", text(symbol));
  json_object_set_new(j, "compiler", text(info->version ? info->version : ""));
  json_object_set_new(j, "field", decimal(m->p));
  json_object_set_new(j, "circuit_hash", text(hash));
  json_object_set_new(
      j, "source_hash", text(info->source_hash ? info->source_hash
                                               : zero_hash));
  json_t *target = json_null();
  if (m->target.protocol) {
    target = json_object();
    json_object_set_new(target, "protocol", text(protocol_name(&m->target)));
    json_object_set_new(target, "nodes", count(m->target.n));
  }
  json_object_set_new(j, "target", target);
  const backend_leaf *inputs = backend_leaves(a, m, false);
  const backend_leaf *outputs = backend_leaves(a, m, true);
  json_t *in = json_array(), *res = json_array(), *cost = json_array();
  for (uint32_t k = 0; k < m->nin; k++)
    json_array_append_new(
        in, leaf_json(&m->in[k], &inputs[k],
                      info->owner ? info->owner[k] : NULL, false));
  for (uint32_t k = 0; k < m->nout; k++)
    json_array_append_new(res,
                          leaf_json(&m->out[k], &outputs[k], NULL, true));
  uint32_t ntarget;
  const ir_target *t = backend_targets(m, &ntarget);
  for (uint32_t k = 0; k < ntarget; k++)
    json_array_append_new(cost, cost_json(m, a, &t[k]));
  json_object_set_new(j, "inputs", in);
  json_object_set_new(j, "outputs", res);
  json_object_set_new(j, "openings",
                      facts_json(info->opening, info->nopening, true));
  json_object_set_new(j, "assumes",
                      facts_json(info->assume, info->nassume, false));
  json_object_set_new(j, "cost", cost);
  char *s = json_dumps(j, JSON_INDENT(2) | JSON_ENSURE_ASCII);
  if (s) {
    buf_puts(out, s);
    buf_putc(out, '\n');
  }
  free(s);
  json_decref(j);
}
