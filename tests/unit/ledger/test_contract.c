/* Contract packages: what is not declared, or does not fit, is refused. */
#include <dirent.h>
#include <stdlib.h>

#include "backend/contract.h"
#include "world.h"

static arena *a;

static int setup(void) {
  a = arena_new();
  return 0;
}

static int teardown(void) {
  arena_free(a);
  return 0;
}

/* NULL, or the one report's text. */
static const char *parse(const char *text, contract **out) {
  diag *dg = diag_new(a, source_set_new(a));
  contract *c = contract_parse(a, "test", text, strlen(text), dg);
  CU_ASSERT_EQUAL(diag_errors(dg), c ? 0 : 1);
  if (out) *out = c;
  return c ? NULL : diag_get(dg, 0)->text;
}

static void refused(const char *text, const char *why) {
  const char *got = parse(text, NULL);
  bool ok = got && strstr(got, why);
  if (!ok) fprintf(stderr, "got: %s, not: %s\n", got ? got : "nothing", why);
  CU_ASSERT(ok);
}

static const char *with(const char *text, const char *from, const char *to) {
  const char *at = strstr(text, from);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to,
                      at + strlen(from));
}

static void test_members(void) {
  contract *c = NULL;
  int s;
  CU_ASSERT_PTR_NULL_FATAL(parse(pool_package(a), &c));
  CU_ASSERT_STRING_EQUAL(c->name, "Pool");
  CU_ASSERT_EQUAL(c->nstate, 9);
  CU_ASSERT_EQUAL(contract_state(c, "salary"), 7);
  CU_ASSERT_EQUAL(contract_state(c, "$salary"), 7);
  CU_ASSERT_EQUAL(contract_state(c, "$sal"), -1);
  CU_ASSERT_EQUAL(contract_leaf(c, "$salary", &s)->lanes, 4);
  CU_ASSERT_EQUAL(s, 7);
  CU_ASSERT_EQUAL(c->state[5].nkey, 1);
  CU_ASSERT(c->state[0].constant);
  const ct_action *join = contract_action(c, "join");
  CU_ASSERT_PTR_NOT_NULL_FATAL(join);
  CU_ASSERT(join->kind == CT_ACTION && join->nparam == 1 &&
            join->param[0].secret);
  CU_ASSERT(join->part[CT_BEFORE] && join->part[CT_CIRCUIT] &&
            !join->part[CT_AFTER]);
  CU_ASSERT_PTR_NULL(contract_action(c, "leave"));
  CU_ASSERT_EQUAL(contract_event(c, "Paid")->nfield, 2);
  const ct_action *pay = contract_action(c, "pay");
  const ct_action *note = contract_action(c, "note");
  const ct_action *spin = contract_action(c, "spin");
  CU_ASSERT(contract_conflict(c, join, join));
  CU_ASSERT_FALSE(contract_conflict(c, join, pay));
  CU_ASSERT(contract_conflict(c, contract_action(c, "close"), pay));
  CU_ASSERT(contract_conflict(c, pay, contract_action(c, "close")));
  CU_ASSERT_FALSE(contract_conflict(c, note, spin));
  CU_ASSERT_FALSE(contract_conflict(c, spin, spin));
}

static const struct {
  const char *from, *to, *why;
} changes[] = {
    {"\"format\":1", "\"format\":2", "'format' must be 1"},
    {"\"format\":1", "\"form\":1", "'format' must be 1"},
    {"\"contract\":\"Pool\"", "\"contract\":\"a b\"", "must be a name"},
    {"\"2^61-1\"", "\"2^32-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^577-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^61-1 \"", "'field'"},
    {"\"2^61-1\"", "\"2^-99-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^+61-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^ 61-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^0-1\"", "'field'"},
    {"\"2^61-1\"", "\"2^4294967295-1\"", "'field'"},
    {"\"2^61-1\"", "\"-7\"", "'field'"},
    {"\"2^61-1\"", "\"2\"", "'field'"},
    {"\"2^61-1\"", "\"3\"", "'field'"},
    {"\"2^61-1\"", "\"2^127-1\"", "over 2^127-1"},
    {"\"2^61-1\"", "\"101\"", "over 101"},
    {"\"state\":[", "\"stat\":[", "'state' of the package must be a list"},
    {"\"name\":\"owner\"", "\"name\":\"seats\"",
     "the leaf '$owner' must be one of 'seats'"},
    {"\"name\":\"owner\"", "\"name\":\"own.er\"", "may have no dot"},
    {"\"name\":\"$owner\"", "\"name\":\"$own\"", "must be one of 'owner'"},
    {"\"lanes\":1", "\"lanes\":0", "'lanes' of $seats"},
    {"\"lanes\":1", "\"lanes\":1e3", "'lanes' of $seats"},
    {"\"name\":\"n\",\"type\":{",
     "\"name\":\"n\",\"type\":{\"dims\":[1048577],",
     "public parameters must have at most 2^20 elements"},
    {"\"lanes\":1", "\"lanes\":2", "'leaves' and 'value' of the state 'seats'"},
    {"\"hi\":\"9\"}]", "\"hi\":\"8\"}]", "'leaves' and 'value'"},
    {"\"lo\":\"0\"", "\"lo\":\"x\"", "'lo' of $seats must be a string of"},
    {"\"lo\":\"0\",\"hi\":\"9\"}]", "\"lo\":\"10\",\"hi\":\"9\"}]",
     "at most 'hi'"},
    {"\"lo\":\"0\",\"hi\":\"9\"}]", "\"hi\":\"9\"}]", "both 'lo' and 'hi'"},
    {"\"keys\":[]", "\"keys\":[7]", "must be a TYPE"},
    {"\"kind\":\"identity\"", "\"kind\":\"field\"",
     "must be public integers or identities"},
    {"\"kind\":\"identity\"", "\"kind\":\"float\"", "a kind this release"},
    {"\"name\":\"Closed\"", "\"name\":\"Paid\"",
     "the event 'Paid' is there twice"},
    {"\"name\":\"note\"", "\"name\":\"spin\"", "is there twice"},
    {"\"kind\":\"init\"", "\"kind\":\"action\"", "init for \"init\""},
    {"\"kind\":\"view\"", "\"kind\":\"voyeur\"", "must be action, view"},
    {"\"reads\":[\"filled\"", "\"reads\":[\"fulled\"",
     "'reads' of actions[1] must name state"},
    {"\"reads\":[\"filled\",\"seats\"", "\"reads\":[\"seats\"",
     "'$filled' is read, but not listed"},
    {"\"writes\":[\"filled\",\"salary\"]", "\"writes\":[\"filled\"]",
     "circuit of action 'join': '$salary' is written, but not listed"},
    {"\"writes\":[\"filled\",\"salary\"]", "\"writes\":[\"salary\"]",
     "before of action 'join': '$filled' is written, but not listed"},
    {"\"reads\":[\"votes\"],\"writes\":[\"votes\",\"when\"]",
     "\"reads\":[\"votes\"],\"writes\":[\"when\"]",
     "'$votes' is written, but not listed"},
    {"\"reads\":[\"votes\"],\"writes\":[\"votes\",\"when\"]",
     "\"reads\":[],\"writes\":[\"votes\",\"when\"]",
     "'$votes' is read, but not listed"},
    {"\"writes\":[]", "\"writes\":[\"digit\"]", NULL},
    {"check %ok", "chack %ok", "line"},
    {"lt %f, %s", "lt %f, %s, %s", "before of action 'join', line"},
    {"stage high", "stage core", "stage high"},
    {"field 61", "field 31", "over 2^61-1"},
    {"output %g \\\"$filled\\\"", "output %g \\\"$filled\\\"\\n  output %f "
     "\\\"$filled\\\"", "leaf"},
    {"\"circuit_hash\":\"", "\"circuit_hash\":\"0", "'circuit_hash'"},
    {"\"secret\":false,\"constant\":true", "\"secret\":true,\"constant\":true",
     "only one of secret, constant, a map"},
    {"\"secret\":true,\"constant\":false",
     "\"secret\":false,\"constant\":false",
     "'leaves' and 'value' of the state 'salary'"},
};

static void test_changes(void) {
  const char *text = pool_package(a);
  for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
    const char *t = with(text, changes[k].from, changes[k].to);
    if (changes[k].why)
      refused(t, changes[k].why);
    else
      CU_ASSERT_PTR_NULL(parse(t, NULL));
  }
}

/* Where opened values come from. */
static const char *opened(const char *entries) {
  return with(pool_package(a), "\"name\":\"close\"",
              arena_printf(a, "\"opened\":%s,\"name\":\"close\"", entries));
}

static contract *of(const char *text) {
  contract *c = NULL;
  CU_ASSERT_PTR_NULL(parse(text, &c));
  return c;
}

static void test_opened(void) {
#define AT "{\"name\":\"!0\",\"line\":3,\"col\":9,\"path\":"
  contract *c = of(opened("[" AT "\"a.x\",\"type\":null}]"));
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  const ct_action *x = contract_action(c, "close");
  CU_ASSERT_EQUAL_FATAL(x->nopened, 1);
  CU_ASSERT_EQUAL(x->opened[0].line, 3);
  CU_ASSERT_EQUAL(x->opened[0].col, 9);
  CU_ASSERT_STRING_EQUAL(x->opened[0].path, "a.x");
  c = of(opened("[" AT "null}]"));
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_PTR_NULL(contract_action(c, "close")->opened[0].path);
  CU_ASSERT_PTR_NOT_NULL(of(opened("[" AT "\"\"}]")));
  CU_ASSERT_PTR_NOT_NULL(of(opened("[]")));
  refused(opened("7"), "must be a list");
  refused(opened("[7]"), "'name' of opened[0]");
  refused(opened("[{\"name\":\"!1\",\"line\":3,\"col\":9,\"path\":null}]"),
          "'!1' of opened[0] of actions[2] is opened by no circuit");
  refused(opened("[{\"name\":\"$filled\",\"line\":3,\"col\":9,"
                 "\"path\":null}]"), "is opened by no circuit");
  refused(opened("[{\"name\":\"!0\",\"line\":-1,\"col\":9,"
                 "\"path\":null}]"), "'line' of opened[0]");
  refused(opened("[{\"name\":\"!0\",\"line\":3,\"col\":\"9\","
                 "\"path\":null}]"), "'col' of opened[0]");
  refused(opened("[" AT "5}]"), "'path' of opened[0]");
  refused(opened("[" AT "\"\\u001b[0m\"}]"), "'path' of opened[0]");
  refused(opened("[" AT "null}," AT "null}]"), "is opened twice");
#undef AT
}

static void test_not_json(void) {
  refused("", "not JSON");
  refused("{\"a\": 1, \"a\": 2}", "not JSON");
  refused("[]", "one JSON object");
  char *deep = ARENA_ARR(a, char, 100001);
  memset(deep, '[', 100000);
  refused(deep, "not JSON");
  diag *dg = diag_new(a, source_set_new(a));
  CU_ASSERT_PTR_NULL(
      contract_parse(a, "x", "", CONTRACT_BYTES_MAX + 1, dg));
  CU_ASSERT_PTR_NOT_NULL(strstr(diag_get(dg, 0)->text, "the limit is"));
  /* Types within types. */
  const char *t = pool_package(a), *type = "\"x\"";
  for (int k = 0; k < 70; k++)
    type = arena_printf(a, "{\"kind\":\"tuple\",\"secret\":false,\"fields\":"
                        "[{\"name\":\"0\",\"type\":%s}]}", type);
  refused(with(t, "\"fields\":[{\"name\":\"total\",\"type\":{",
               arena_printf(a, "\"fields\":[{\"name\":\"t\",\"type\":%s},"
                            "{\"name\":\"total\",\"type\":{", type)),
          "must be a TYPE");
}

/* ---- parts ---- */
#define H "circuit \"go\"\nstage high\nfield 61\n"
#define U "0..4294967295"
static const char sees[] = H "output \"%0\" \"u8\" \"\" of \"%0\"\n@body {\n"
    "  %x: z<5..5> = const 5\n  output %x \"%0\"\n}\n";
static const char opens[] = H "input \"$y\" \"u32\" \"\" of \"$y\" secret\n"
    "output \"!0\" \"u32\" \"\" of \"!0\"\n@body {\n"
    "  %y: p.sh<" U "> = input \"$y\"\n  %o: p<" U "> = open %y\n"
    "  %d: z<" U "> = dec %o\n  output %d \"!0\"\n}\n";

/* A part with one input that it gives as one output. */
static const char *passes(const char *in, const char *out, int secret) {
  const char *s = secret ? " secret" : "", *k = secret ? "p.sh" : "z";
  return arena_printf(a, H "input \"%s\" \"u32\" \"\" of \"i\"%s\n"
                      "output \"%s\" \"u32\" \"\" of \"o\"%s\n@body {\n"
                      "  %%x: %s<" U "> = input \"%s\"\n"
                      "  output %%x \"%s\"\n}\n", in, s, out, s, k, in, out);
}

static void part(const char *before, const char *circuit, const char *after,
                 const char *why) {
  const char *t = pool_single(a, "One", "amount:s n:u", before, circuit,
                              after);
  if (why)
    refused(t, why);
  else
    CU_ASSERT_PTR_NULL(parse(t, NULL));
}

/* A part that computes 2^bits. */
static const char *wide(arena *b, unsigned bits) {
  mpz_t z;
  mpz_init(z);
  mpz_ui_pow_ui(z, 2, bits);
  char *d = mpz_get_str(NULL, 10, z);
  const char *s = arena_printf(
      b, H "@body {\n  %%1: z<1..1> = const 1\n  %%b: z<%u..%u> = const %u\n"
      "  %%x: z<%s..%s> = shl %%1, %%b\n}\n", bits, bits, bits, d, d);
  free(d);
  mpz_clear(z);
  return s;
}

static void test_parts(void) {
  part(NULL, NULL, NULL, NULL);
  part(passes("n", "$x", 0), NULL, NULL, NULL);
  part(passes("n", "result", 0), NULL, NULL, NULL);
  part(sees, opens, passes("!0", "result", 0), NULL);
  part(sees, opens, passes("%0", "$x", 0), NULL);
  part(sees, passes("amount", "$y", 1), passes("%0", "$x", 0), NULL);
  /* inputs */
  part(passes("amount", "result", 0), NULL, NULL, "'amount' is secret");
  part(passes("$y", "result", 0), NULL, NULL, "secret state outside");
  part(passes("m", "result", 0), NULL, NULL, "no input that this part");
  part(passes("%0", "result", 0), NULL, NULL, "no input that this part");
  part(passes("!0", "result", 0), NULL, NULL, "no input that this part");
  part(passes("@weather", "result", 0), NULL, NULL, "no input that this");
  part(passes("$z", "result", 0), NULL, NULL, "no leaf of the state");
  part(sees, opens, passes("n", "result", 0), "no input that this part");
  part(sees, opens, passes("@now", "result", 0), "no input that this part");
  part(sees, opens, passes("%1", "result", 0), "given by no part before");
  part(sees, opens, passes("!1", "result", 0), "given by no part before");
  part(sees, passes("n", "$y", 1), NULL, "public parameter in the circuit");
  /* outputs */
  part(passes("n", "$y", 0), NULL, NULL, "secret state outside");
  part(passes("n", "!0", 0), NULL, NULL, "no output that this part");
  part(passes("n", "$z", 0), NULL, NULL, "no leaf of the state");
  part(passes("n", "resulting", 0), NULL, NULL, "no output that this part");
  part(passes("n", "result", 0), opens, passes("!0", "result", 0),
       "before of action 'go': 'result' is no output");
  part(sees, opens, passes("!0", "%1", 0), "no output that this part");
  part(sees, passes("amount", "$x", 1), NULL, "public state in the circuit");
  part(sees, passes("amount", "result", 1), NULL, "no output that this");
  part(sees, passes("amount", "!0", 1), NULL, "no output that this part");
  /* order of parts */
  part(sees, NULL, passes("%0", "$x", 0), "an after but no circuit");
  part(opens, NULL, NULL, "secret state outside");
  /* maps and events in the wrong places */
  part(H "@body {\n  %k: z<0..0> = const 0\n  %v: z<0..9> = mload %k \"$x\"\n"
       "}\n", NULL, NULL, "another number of keys");
  part(H "@body {\n  %k: z<0..0> = const 0\n  emit %k \"Gone\"\n}\n", NULL,
       NULL, "no event of the contract");
  part(sees, H "@body {\n  %k: z<0..0> = const 0\n"
       "  mstore %k, %k \"$x\"\n}\n", NULL, "is a map");
  part(H "@body {\n  %k: p<0..0> = const 0\n  %h: p.sh<0..0> = hide %k\n}\n",
       NULL, NULL, "works on shares");
  /* what would take too long */
  part(wide(a, 4095), NULL, NULL, NULL);
  part(wide(a, 4096), NULL, NULL, "more than 4096 bits");
  /* a leaf without an operation */
  part(H "input \"n\" \"u32\" \"\" of \"n\"\n@body {\n}\n", NULL, NULL,
       "no operation has it");
}

/* What the compiler writes: packages of the examples in a folder. */
static const char *folder;

static void test_compiled(void) {
  unsigned n = 0;
  DIR *d = folder ? opendir(folder) : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  for (struct dirent *e; (e = readdir(d));) {
    if (!strstr(e->d_name, ".contract.json")) continue;
    source_set *ss = source_set_new(a);
    source_id id;
    contract *c = NULL;
    CU_ASSERT_FATAL(source_load(
        ss, arena_printf(a, "%s/%s", folder, e->d_name), &id));
    const char *why = parse(source_get(ss, id)->text, &c);
    if (why) fprintf(stderr, "%s: %s\n", e->d_name, why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    n++;
  }
  closedir(d);
  CU_ASSERT(n >= 4);
}

void suite_contract(const char *packages) {
  folder = packages;
  CU_pSuite s = CU_add_suite("contract", setup, teardown);
  CU_add_test(s, "members", test_members);
  CU_add_test(s, "changes", test_changes);
  CU_add_test(s, "opened values", test_opened);
  CU_add_test(s, "not JSON", test_not_json);
  CU_add_test(s, "parts", test_parts);
  CU_add_test(s, "compiled", test_compiled);
}
