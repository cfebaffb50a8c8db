#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/grammar/parsed.h"

static const char program[] =
    "import std.stats;\r\n"
    "/// A point,\n"
    "/// nothing more.\n"
    "struct Point<T> { x: T, y: secret T, }\n"
    "const N: u32 = 0xff;\n"
    "#[rounds(40)] #[bytes(2_000), checked]\n"
    "fn f<T, n>(xs: [T; n, 2], p: Point<u8>, q: [fixed<8, 8>; 3])"
    " -> (T, u8) {\n"
    "  let (a, b) = if a > 3 { 1 } else if b { 2 } else { 3 };\n"
    "  var v: geom.Point<A<u8>> = geom.Point { x: 1, y: t.0.1 };\n"
    "  a[1..4, .., ..3] += -x * (2 + y) >> 3;\n"
    "  for i in 0..n { while a max 3 { return; } }\n"
    "  { f(x, to: y, secret u8) }\n"
    "  [x for x in xs, (i, j) in ys]; [0; 3, 4]; [1, 2]; ();\n"
    "  \"text\\n\"; 1.5e-3; true\n"
    "}\n"
    "contract C<N = 3>(end: u64) {\n"
    "  /// Doc of the state.\n"
    "  secret state x: [u8; N]; state m: map<identity, u8>; state y: u8 = 1;\n"
    "  event E(a: u8); const K = 1;\n"
    "  action a(v: secret u8) -> u8 { m[caller] = y; emit E(y); return y; }\n"
    "  view v() -> u8 { y }\n"
    "}\n"
    "/// Doc of the test.\n"
    "test \"t\" { assert(1 == 1); }\n";

typedef struct walk {
  const parsed *p;
  unsigned char seen[4096]; /* by id */
  uint32_t count;
} walk;

static void check_node(walk *w, const node *n) {
  const parsed *p = w->p;
  uint32_t lo = p->file->base, hi = lo + (uint32_t)p->file->n;
  CU_ASSERT_TRUE(lo <= n->sp.start && n->sp.start <= n->sp.end &&
                 n->sp.end <= hi);
  CU_ASSERT_TRUE_FATAL(n->id < p->nodes && n->id < sizeof w->seen);
  CU_ASSERT_EQUAL(w->seen[n->id], 0);
  w->seen[n->id] = 1;
  w->count++;
  if (n->text && n->kind != N_STRING && n->kind != N_TEST) {
    const char *s = p->file->text + (n->name_sp.start - lo);
    size_t len = n->name_sp.end - n->name_sp.start;
    CU_ASSERT_TRUE(strlen(n->text) == len && memcmp(s, n->text, len) == 0);
  }
  for (uint32_t i = 0; i < n->nkid; i++) {
    const node *k = n->kid[i];
    if (!k) continue;
    bool attrs = k->kind == N_ATTRS; /* may stand before `fn` */
    CU_ASSERT_TRUE(attrs || (n->sp.start <= k->sp.start &&
                             k->sp.end <= n->sp.end));
    bool spine = i == 0 && n->kind == N_BINARY && k->kind == N_BINARY;
    CU_ASSERT_TRUE(k->depth < n->depth + (spine ? 1 : 0));
    check_node(w, k);
  }
}

static void test_spans_ids_depths(void) {
  parsed p = parse_text(program);
  CU_ASSERT_EQUAL_FATAL(diag_errors(p.dg), 0);
  walk w = {.p = &p};
  check_node(&w, p.root);
  CU_ASSERT_TRUE(w.count > 100);
  parsed_free(&p);
}

static void test_docs(void) {
  parsed p = parse_text(program);
  CU_ASSERT_EQUAL_FATAL(p.root->nkid, 6);
  CU_ASSERT_PTR_NULL(p.root->kid[0]->doc);
  CU_ASSERT_STRING_EQUAL(p.root->kid[1]->doc, "A point,\nnothing more.");
  CU_ASSERT_PTR_NULL(p.root->kid[2]->doc);
  CU_ASSERT_PTR_NULL(p.root->kid[3]->doc);
  CU_ASSERT_STRING_EQUAL(p.root->kid[5]->doc, "Doc of the test.");
  parsed_free(&p);
}

/* Two files of a set: ids go on, equal names are the same pointer. */
static void test_two_files(void) {
  static const char one[] = "const A = x;", two[] = "const B = x;";
  parsed p = parse_text(one);
  uint32_t first = p.nodes;
  source_id id;
  CU_ASSERT_TRUE_FATAL(source_add(p.ss, "u.chi", two, sizeof two - 1, &id));
  node *root = parse_file(p.a, p.ss, id, p.dg, &p.nodes);
  CU_ASSERT_EQUAL(root->kid[0]->kid[1]->id, first);
  CU_ASSERT_PTR_EQUAL(root->kid[0]->kid[1]->text,
                      p.root->kid[0]->kid[1]->text);
  CU_ASSERT_STRING_EQUAL(source_at(p.ss, root->sp.start).file->path, "u.chi");
  parsed_free(&p);
}

/* `IDENT {` is a literal only before `IDENT :`. */
static void test_literal_or_block(void) {
  parsed p = parse_text("fn f() { if x { y } if a == P { y: 1 } { z } }");
  CU_ASSERT_EQUAL_FATAL(diag_errors(p.dg), 0);
  const char *t = tree_text(&p);
  CU_ASSERT_PTR_NOT_NULL(strstr(t, "(if (name \"x\") (block value"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(t, "(structlit \"P\" (named \"y\" (int \"1\"))))"));
  parsed_free(&p);
}

static void test_max_is_a_name_elsewhere(void) {
  parsed p = parse_text(
      "fn max(max: u8) { let max = max(max, 1); { } max(max); "
      "while max(a) > max max max(3) { } [max, max]; max }");
  CU_ASSERT_EQUAL(diag_errors(p.dg), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(
      tree_text(&p), "(while (binary > (call (name \"max\") (name \"a\")) "
                     "(name \"max\")) (call (name \"max\") (int \"3\"))"));
  parsed_free(&p);
}

static void test_block_values(void) {
  static const struct {
    const char *text;
    bool value;
  } t[] = {{"fn f() { }", false},           {"fn f() { x }", true},
           {"fn f() { x; }", false},        {"fn f() { if a { } }", true},
           {"fn f() { if a { }; }", false}, {"fn f() { { 1 } }", true},
           {"fn f() { { 1 } x; }", false},  {"fn f() { return; }", false},
           {"fn f() { for i in x { } }", false}};
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    parsed p = parse_text(t[i].text);
    CU_ASSERT_EQUAL(diag_errors(p.dg), 0);
    CU_ASSERT_EQUAL(p.root->kid[0]->kid[3]->has_value, t[i].value);
    parsed_free(&p);
  }
}

static void test_strings(void) {
  parsed p = parse_text(
      "const S = \"a\\n\\t\\r\\\\\\\"\\u{e9}\\u{20AC}\\u{1F600} \xc3\xa9\";");
  CU_ASSERT_EQUAL(diag_errors(p.dg), 0);
  CU_ASSERT_STRING_EQUAL(p.root->kid[0]->kid[1]->text,
                         "a\n\t\r\\\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 "
                         "\xc3\xa9");
  parsed_free(&p);
}

/* BOM, CRLF and their absence give the same tree. */
static void test_line_ends(void) {
  parsed p = parse_text("fn f() {\n  x;\n}\n");
  parsed q = parse_text("\xef\xbb\xbf" "fn f() {\r\n  x;\r\n}\r\n");
  CU_ASSERT_EQUAL(diag_errors(q.dg), 0);
  CU_ASSERT_STRING_EQUAL(tree_text(&p), tree_text(&q));
  parsed_free(&p);
  parsed_free(&q);
}

void suite_tree(void) {
  CU_pSuite s = CU_add_suite("tree", NULL, NULL);
  CU_ADD_TEST(s, test_spans_ids_depths);
  CU_ADD_TEST(s, test_docs);
  CU_ADD_TEST(s, test_two_files);
  CU_ADD_TEST(s, test_literal_or_block);
  CU_ADD_TEST(s, test_max_is_a_name_elsewhere);
  CU_ADD_TEST(s, test_block_values);
  CU_ADD_TEST(s, test_strings);
  CU_ADD_TEST(s, test_line_ends);
}
