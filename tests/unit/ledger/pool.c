/* The test contract as a package. */
#include <jansson.h>

#include "ir/ir.h"
#include "world.h"

#define U32 "0..4294967295"
#define ID                                                                     \
  "0..1157920892373161954235709850086879078532699846656405640394575840079131"   \
  "29639935"
#define HEAD(NAME) "circuit \"" NAME "\"\nstage high\nfield 61\n"
#define IN(NAME, TYPE) "input \"" NAME "\" \"" TYPE "\" \"\" of \"" NAME "\"\n"
#define OUT(NAME, TYPE)                                                        \
  "output \"" NAME "\" \"" TYPE "\" \"\" of \"" NAME "\"\n"

static const char init[] = HEAD("init") IN("seats", "u32")
    IN("@caller", "identity") OUT("$seats", "u32") OUT("$owner", "identity")
    OUT("$bonus", "u32")
    "@body {\n"
    "  %s: z<" U32 "> = input \"seats\"\n"
    "  %c: z<" ID "> = input \"@caller\"\n"
    "  %0: z<0..0> = const 0\n"
    "  %ok: z<0..1> = lt %0, %s\n"
    "  check %ok \"a pool without seats\"\n"
    "  %b: z<7..7> = const 7\n"
    "  output %s \"$seats\"\n"
    "  output %c \"$owner\"\n"
    "  output %b \"$bonus\"\n"
    "}\n";

static const char join_before[] = HEAD("join") IN("$filled", "u32")
    IN("$seats", "u32") OUT("%0", "u32") OUT("$filled", "u32")
    "@body {\n"
    "  %f: z<" U32 "> = input \"$filled\"\n"
    "  %s: z<" U32 "> = input \"$seats\"\n"
    "  %ok: z<0..1> = lt %f, %s\n"
    "  check %ok \"the pool is full\"\n"
    "  %1: z<1..1> = const 1\n"
    "  %g: z<1..4294967296> = add %f, %1\n"
    "  output %f \"%0\"\n"
    "  output %g \"$filled\"\n"
    "}\n";

static const char join_circuit[] = HEAD("join") IN("%0", "u32")
    "input \"amount\" \"u32\" \"\" of \"amount\" secret\n"
    "input \"$salary\" \"u32\" \"[4]\" of \"$salary\" secret\n"
    "output \"$salary\" \"u32\" \"[4]\" of \"$salary\" secret\n"
    "@body {\n"
    "  %i: z<" U32 "> = input \"%0\"\n"
    "  %a: p.sh<" U32 "> = input \"amount\"\n"
    "  %s: p.sh<" U32 ">[4] = input \"$salary\"\n"
    "  %k: z<0..3> = wrap %i bits 2\n"
    "  %t: p.sh<" U32 ">[4] = put %s, %a, %k []\n"
    "  output %t \"$salary\"\n"
    "}\n";

static const char close_before[] = HEAD("close") IN("@caller", "identity")
    IN("$owner", "identity") IN("$filled", "u32") OUT("%0", "u32")
    "@body {\n"
    "  %c: z<" ID "> = input \"@caller\"\n"
    "  %o: z<" ID "> = input \"$owner\"\n"
    "  %f: z<" U32 "> = input \"$filled\"\n"
    "  %ok: z<0..1> = eq %c, %o\n"
    "  check %ok \"only the owner closes the pool\"\n"
    "  %k: z<0..0> = const 0\n"
    "  mstore %f, %k \"$votes\"\n"
    "  emit %c, %f \"Paid\"\n"
    "  output %f \"%0\"\n"
    "}\n";

static const char close_circuit[] = HEAD("close")
    "input \"$salary\" \"u32\" \"[4]\" of \"$salary\" secret\n"
    OUT("!0", "u34")
    "@body {\n"
    "  %s: p.sh<" U32 ">[4] = input \"$salary\"\n"
    "  %t: p.sh<0..17179869180> = sum %s inner 4\n"
    "  %o: p<0..17179869180> = open %t\n"
    "  %d: z<0..17179869180> = dec %o\n"
    "  output %d \"!0\"\n"
    "}\n";

/* What before wrote to the map is seen here. */
static const char close_after[] = HEAD("close") IN("%0", "u32") IN("!0", "u34")
    OUT("$total", "u64") OUT("result", "u64")
    "@body {\n"
    "  %f: z<" U32 "> = input \"%0\"\n"
    "  %t: z<0..17179869180> = input \"!0\"\n"
    "  %big: z<1000000..1000000> = const 1000000\n"
    "  %ok: z<0..1> = lt %t, %big\n"
    "  check %ok \"the total is too large\"\n"
    "  %k: z<0..0> = const 0\n"
    "  %m: z<" U32 "> = mload %k \"$votes\"\n"
    "  %r: z<0..21474836475> = add %t, %m\n"
    "  emit %t \"Closed\"\n"
    "  output %t \"$total\"\n"
    "  output %r \"result\"\n"
    "}\n";

static const char pay[] = HEAD("pay") IN("to", "identity") IN("amount", "u32")
    IN("@now", "u64") IN("@height", "u64") OUT("result", "u33")
    "@body {\n"
    "  %to: z<" ID "> = input \"to\"\n"
    "  %a: z<" U32 "> = input \"amount\"\n"
    "  %now: z<0..18446744073709551615> = input \"@now\"\n"
    "  %h: z<0..18446744073709551615> = input \"@height\"\n"
    "  %0: z<0..0> = const 0\n"
    "  %ok: z<0..1> = lt %0, %a\n"
    "  check %ok \"nothing to pay\"\n"
    "  %v: z<" U32 "> = mload %to \"$votes\"\n"
    "  %w: z<0..8589934590> = add %v, %a\n"
    "  mstore %w, %to \"$votes\"\n"
    "  %x: z<" U32 "> = mload %to \"$votes\"\n"
    "  emit %to, %a \"Paid\"\n"
    "  mstore %now, %0 \"$when\"\n"
    "  %1: z<1..1> = const 1\n"
    "  mstore %h, %1 \"$when\"\n"
    "  output %x \"result\"\n"
    "}\n";

static const char spin[] = HEAD("spin") IN("n", "u32") OUT("result", "u64")
    "@body {\n"
    "  %n: z<" U32 "> = input \"n\"\n"
    "  %z: z<0..0> = const 0\n"
    "  %r: z<0..4294967295> = for %n, %z @turn(%i: z<0..4294967294>, "
    "%t: z<0..4294967295>) {\n"
    "    %1: z<1..1> = const 1\n"
    "    %u: z<1..4294967296> = add %t, %1\n"
    "    %w: z<" U32 "> = wrap %u bits 32\n"
    "    yield %w\n"
    "  }\n"
    "  output %r \"result\"\n"
    "}\n";

static const char note[] = HEAD("note") IN("x", "u32") OUT("$digit", "u32")
    "@body {\n"
    "  %x: z<" U32 "> = input \"x\"\n"
    "  output %x \"$digit\"\n"
    "}\n";

static const char total[] = HEAD("total") IN("$total", "u64")
    IN("$filled", "u32") OUT("result.0", "u64") OUT("result.1", "u32")
    "@body {\n"
    "  %t: z<0..18446744073709551615> = input \"$total\"\n"
    "  %f: z<" U32 "> = input \"$filled\"\n"
    "  output %t \"result.0\"\n"
    "  output %f \"result.1\"\n"
    "}\n";

static const char paid[] = HEAD("paid") IN("who", "identity")
    OUT("result", "u32")
    "@body {\n"
    "  %w: z<" ID "> = input \"who\"\n"
    "  %v: z<" U32 "> = mload %w \"$votes\"\n"
    "  %1: z<1..1> = const 1\n"
    "  %ok: z<0..1> = le %1, %v\n"
    "  check %ok \"nobody paid\"\n"
    "  output %v \"result\"\n"
    "}\n";

/* ---- the package ---- */
static const char *id_max(void) { return &ID[3]; }

static json_t *type(const char *kind, const char *hi, int secret, int lanes) {
  json_t *t = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s}", "kind", kind,
                        "secret", secret, "text", "T", "elem", "T", "lo", "0",
                        "hi", hi);
  if (lanes) json_object_set_new(t, "dims", json_pack("[i]", lanes));
  return t;
}

/* "to:i", "amount:u", "amount:s": identity, u32, secret u32. */
static json_t *params(const char *text) {
  json_t *list = json_array();
  char name[32];
  for (; *text; text += strlen(name) + 2 + (text[strlen(name) + 2] == ' ')) {
    sscanf(text, "%31[^:]", name);
    char k = text[strlen(name) + 1];
    json_t *t = k == 'i' ? type("identity", id_max(), 0, 0)
                         : type("int", "4294967295", k == 's', 0);
    json_array_append_new(list, json_pack("{s:s, s:o}", "name", name, "type",
                                          t));
  }
  return list;
}

static json_t *names(const char *text) {
  json_t *list = json_array();
  char name[32];
  int n;
  while (sscanf(text, "%31s%n", name, &n) == 1) {
    json_array_append_new(list, json_string(name));
    text += n;
  }
  return list;
}

static json_t *text_or_null(const char *s) {
  return s ? json_string(s) : json_null();
}

static json_t *hash_of(const char *circuit) {
  if (!circuit) return json_null();
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  source_id id;
  char hash[65];
  source_add(ss, "test", circuit, strlen(circuit), &id);
  ir_module *m = ir_parse(a, ss, id, diag_new(a, ss));
  if (!m) strcpy(hash, "no circuit");
  else ir_hash(m, hash);
  arena_free(a);
  return json_string(hash);
}

static json_t *action(const char *name, const char *kind, const char *param,
                      const char *reads, const char *writes,
                      const char *before, const char *circuit,
                      const char *after) {
  return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[]}",
                   "name", name, "kind", kind, "params", params(param),
                   "reads", names(reads), "writes", names(writes), "before",
                   text_or_null(before), "circuit", text_or_null(circuit),
                   "after", text_or_null(after), "circuit_hash",
                   hash_of(circuit), "openings");
}

static json_t *state(const char *name, const char *hi, int secret,
                     int constant, int key, int lanes) {
  char leaf[64];
  snprintf(leaf, sizeof leaf, "$%s", name);
  json_t *keys = json_array();
  if (key)
    json_array_append_new(keys, type("identity", id_max(), 0, 0));
  return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:[{s:s, s:i, s:s, s:s}]}",
                   "name", name, "type", "T", "secret", secret, "constant",
                   constant, "keys", keys, "value",
                   type("int", hi, secret, lanes > 1 ? lanes : 0),
                   "leaves", "name", leaf, "lanes", lanes, "lo", "0", "hi",
                   hi);
}

static const char *finish(arena *a, json_t *j) {
  char *s = json_dumps(j, JSON_COMPACT);
  const char *text = arena_strdup(a, s);
  free(s);
  json_decref(j);
  return text;
}

static json_t *head(const char *name, json_t *states, json_t *events,
                    json_t *actions) {
  return json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "format", 1,
                   "compiler", "test", "contract", name, "field", "2^61-1",
                   "source_hash", "", "state", states, "events", events,
                   "actions", actions);
}

const char *pool_package(arena *a) {
  const char *id = id_max();
  json_t *states = json_pack(
      "[o, o, o, o, o, o, o, o, o]", state("seats", "4294967295", 0, 1, 0, 1),
      state("owner", id, 0, 0, 0, 1),
      state("filled", "4294967295", 0, 0, 0, 1),
      state("total", "18446744073709551615", 0, 0, 0, 1),
      state("digit", "9", 0, 0, 0, 1),
      state("votes", "4294967295", 0, 0, 1, 1),
      state("when", "18446744073709551615", 0, 0, 1, 1),
      state("salary", "4294967295", 1, 0, 0, 4),
      state("bonus", "4294967295", 1, 0, 0, 1));
  json_t *events = json_pack(
      "[{s:s, s:[{s:s, s:o}]}, {s:s, s:[{s:s, s:o}, {s:s, s:o}]}]", "name",
      "Closed", "fields", "name", "total", "type",
      type("int", "18446744073709551615", 0, 0), "name", "Paid", "fields",
      "name", "who", "type", type("identity", id, 0, 0), "name", "amount",
      "type", type("int", "4294967295", 0, 0));
  json_t *actions = json_pack(
      "[o, o, o, o, o, o, o, o]",
      action("init", "init", "seats:u", "", "seats owner bonus", init, NULL,
             NULL),
      action("join", "action", "amount:s", "filled seats salary",
             "filled salary", join_before, join_circuit, NULL),
      action("close", "action", "", "owner filled salary votes",
             "total votes", close_before, close_circuit, close_after),
      action("pay", "action", "to:i amount:u", "votes", "votes when", pay,
             NULL, NULL),
      action("spin", "action", "n:u", "", "", spin, NULL, NULL),
      action("note", "action", "x:u", "", "digit", note, NULL, NULL),
      action("total", "view", "", "total filled", "", total, NULL, NULL),
      action("paid", "view", "who:i", "votes", "", paid, NULL, NULL));
  return finish(a, head("Pool", states, events, actions));
}

const char *pool_single(arena *a, const char *name, const char *param,
                        const char *before, const char *circuit,
                        const char *after) {
  json_t *states = json_pack("[o, o]", state("x", "9", 0, 0, 0, 1),
                             state("y", "4294967295", 1, 0, 0, 1));
  json_t *actions = json_pack(
      "[o]", action("go", "action", param, "x y", "x y", before, circuit,
                    after));
  return finish(a, head(name, states, json_array(), actions));
}
