/* The test contract as a package: a public counter, a secret array, a secret
 * number that init gives. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "net.h"

#define U32 "0..4294967295"
#define ID_MAX                                                                 \
  "11579208923731619542357098500868790785326998466564056403945758400791312963" \
  "9935"
#define HEAD(NAME) "circuit \"" NAME "\"\nstage high\nfield 61\n"
#define IN(NAME, TYPE) "input \"" NAME "\" \"" TYPE "\" \"\" of \"" NAME "\"\n"
#define OUT(NAME, TYPE)                                                        \
  "output \"" NAME "\" \"" TYPE "\" \"\" of \"" NAME "\"\n"
#define LIST(DIR) DIR " \"$list\" \"u32\" \"[4]\" of \"$list\" secret\n"
#define SECRET(DIR, NAME)                                                      \
  DIR " \"" NAME "\" \"u32\" \"\" of \"" NAME "\" secret\n"

static const char init[] = HEAD("init") OUT("$bonus", "u32")
    "@body {\n"
    "  %b: z<7..7> = const 7\n"
    "  output %b \"$bonus\"\n"
    "}\n";

/* put(amount: secret): list[count] = amount; count += 1 */
static const char put_before[] = HEAD("put") IN("$count", "u32")
    OUT("%0", "u32") OUT("$count", "u32")
    "@body {\n"
    "  %f: z<" U32 "> = input \"$count\"\n"
    "  %4: z<4..4> = const 4\n"
    "  %ok: z<0..1> = lt %f, %4\n"
    "  check %ok \"the list is full\"\n"
    "  %1: z<1..1> = const 1\n"
    "  %g: z<1..4294967296> = add %f, %1\n"
    "  output %f \"%0\"\n"
    "  output %g \"$count\"\n"
    "}\n";
static const char put_circuit[] = HEAD("put") IN("%0", "u32")
    SECRET("input", "amount") LIST("input") LIST("output")
    "@body {\n"
    "  %i: z<" U32 "> = input \"%0\"\n"
    "  %a: p.sh<" U32 "> = input \"amount\"\n"
    "  %s: p.sh<" U32 ">[4] = input \"$list\"\n"
    "  %k: z<0..3> = wrap %i bits 2\n"
    "  %t: p.sh<" U32 ">[4] = put %s, %a, %k []\n"
    "  output %t \"$list\"\n"
    "}\n";

/* total(most) = sum(list) + bonus, opened, at most `most` */
static const char total_before[] = HEAD("total") IN("most", "u32")
    OUT("%0", "u32")
    "@body {\n"
    "  %m: z<" U32 "> = input \"most\"\n"
    "  output %m \"%0\"\n"
    "}\n";
static const char total_circuit[] = HEAD("total") IN("%0", "u32")
    LIST("input") SECRET("input", "$bonus") OUT("!0", "u35")
    "@body {\n"
    "  %m: z<" U32 "> = input \"%0\"\n"
    "  %s: p.sh<" U32 ">[4] = input \"$list\"\n"
    "  %b: p.sh<" U32 "> = input \"$bonus\"\n"
    "  %t: p.sh<0..17179869180> = sum %s inner 4\n"
    "  %u: p.sh<0..21474836475> = add %t, %b\n"
    "  %o: p<0..21474836475> = open %u\n"
    "  %d: z<0..21474836475> = dec %o\n"
    "  %ok: z<0..1> = le %d, %m\n"
    "  check %ok \"the total is too large\"\n"
    "  output %d \"!0\"\n"
    "}\n";
static const char total_after[] = HEAD("total") IN("!0", "u35")
    OUT("result", "u35")
    "@body {\n"
    "  %t: z<0..21474836475> = input \"!0\"\n"
    "  output %t \"result\"\n"
    "}\n";

/* scale(by: secret): bonus = bonus * list[0], and told times `by` */
static const char scale_before[] = HEAD("scale") IN("@caller", "identity")
    OUT("%0", "identity")
    "@body {\n"
    "  %c: z<0.." ID_MAX "> = input \"@caller\"\n"
    "  output %c \"%0\"\n"
    "}\n";
static const char scale_circuit[] = HEAD("scale") IN("%0", "identity")
    SECRET("input", "by") SECRET("input", "$bonus") LIST("input")
    SECRET("output", "$bonus") SECRET("output", "result")
    "@body {\n"
    "  %c: z<0.." ID_MAX "> = input \"%0\"\n"
    "  %y: p.sh<" U32 "> = input \"by\"\n"
    "  %b: p.sh<" U32 "> = input \"$bonus\"\n"
    "  %s: p.sh<" U32 ">[4] = input \"$list\"\n"
    "  %f: p.sh<" U32 "> = view %s []\n"
    "  %n: p.sh<0..18446744065119617025> = mul %b, %f\n"
    "  %g: p.sh<" U32 "> = assume %n\n"
    "  %m: p.sh<0..18446744065119617025> = mul %g, %y\n"
    "  %h: p.sh<" U32 "> = assume %m\n"
    "  tell %h, %c \"result\"\n"
    "  output %g \"$bonus\"\n"
    "}\n";

static json_t *type(bool secret, int lanes) {
  json_t *t = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s}", "kind", "int",
                        "secret", secret, "text", "u32", "elem", "u32", "lo",
                        "0", "hi", "4294967295");
  if (lanes > 1)
    json_object_set_new(t, "dims", json_pack("[i]", lanes));
  return t;
}

static json_t *hash_of(const char *circuit) {
  if (!circuit)
    return json_null();
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  source_id id;
  char hash[65] = "no circuit";
  source_add(ss, "test", circuit, strlen(circuit), &id);
  ir_module *m = ir_parse(a, ss, id, diag_new(a, ss));
  if (m)
    ir_hash(m, hash);
  arena_free(a);
  return json_string(hash);
}

static json_t *text(const char *s) { return s ? json_string(s) : json_null(); }

/* `param`: its one parameter, with a '*' before if it is secret; or NULL. */
static json_t *action(const char *name, const char *kind, const char *param,
                      json_t *reads, json_t *writes, const char *before,
                      const char *circuit, const char *after) {
  json_t *params = json_array();
  if (param)
    json_array_append_new(
        params, json_pack("{s:s, s:o}", "name", param + (*param == '*'),
                          "type", type(*param == '*', 1)));
  return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[]}",
                   "name", name, "kind", kind, "params", params, "reads",
                   reads, "writes", writes, "before", text(before), "circuit",
                   text(circuit), "after", text(after), "circuit_hash",
                   hash_of(circuit), "openings");
}

static json_t *state(const char *name, bool secret, int lanes) {
  char leaf[64];
  snprintf(leaf, sizeof leaf, "$%s", name);
  return json_pack("{s:s, s:s, s:b, s:b, s:[], s:o, s:[{s:s, s:i, s:s, s:s}]}",
                   "name", name, "type", "u32", "secret", secret, "constant",
                   0, "keys", "value", type(secret, lanes), "leaves",
                   "name", leaf, "lanes", lanes, "lo", "0", "hi",
                   "4294967295");
}

const char *test_package(arena *a, const char *name) {
  json_t *states = json_pack("[o, o, o]", state("count", false, 1),
                             state("list", true, 4), state("bonus", true, 1));
  json_t *actions = json_pack(
      "[o, o, o, o]",
      action("init", "init", NULL, json_array(), json_pack("[s]", "bonus"),
             init, NULL, NULL),
      action("put", "action", "*amount", json_pack("[s, s]", "count", "list"),
             json_pack("[s, s]", "count", "list"), put_before, put_circuit,
             NULL),
      action("total", "action", "most", json_pack("[s, s]", "list", "bonus"),
             json_array(), total_before, total_circuit, total_after),
      action("scale", "action", "*by", json_pack("[s, s]", "list", "bonus"),
             json_pack("[s]", "bonus"), scale_before, scale_circuit, NULL));
  json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:[], s:o}", "format",
                        1, "compiler", "test", "contract", name, "field",
                        "2^61-1", "source_hash", "", "state", states, "events",
                        "actions", actions);
  char *s = json_dumps(j, JSON_COMPACT);
  const char *out = arena_strdup(a, s);
  free(s);
  json_decref(j);
  return out;
}
