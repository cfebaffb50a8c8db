#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/grammar/parsed.h"

/* Everything that was said about a text. */
static char *said(const parsed *p) {
  buf b = {0};
  diag_render_all(p->dg, &b, false);
  char *s = arena_strndup(p->a, b.p ? b.p : "", b.n);
  buf_free(&b);
  return s;
}

/* Slips: the id, the place, and a part of what the mend says. */
static void test_slips(void) {
  static const struct {
    const char *text, *id;
    uint32_t line, col;
    const char *says;
  } t[] = {
      {"fn f() {\n let x = 1\n let y = 2;\n}", "E0101", 2, 11, "Put `;`"},
      {"fn f() { x = 1 }", "E0101", 1, 16, "Put `;`"},
      {"fn f() { if x = 1 { } }", "E0101", 1, 15, "`==`"},
      {"fn f() { if x and y { } }", "E0101", 1, 15, "`&&`"},
      {"fn f() { if x or y { } }", "E0101", 1, 15, "`||`"},
      {"fn f() { if not y { } }", "E0101", 1, 17, "`!`"},
      {"fn f(x: u8) u8 { }", "E0101", 1, 13, "`->`"},
      {"fn f(x: u8): u8 { }", "E0101", 1, 12, "`->`"},
      {"fn f() { x := 1; }", "E0101", 1, 12, "`let x = ..;`"},
      {"fn f() { let mut x = 1; }", "E0101", 1, 18, "`var`"},
      {"fn f() { i++; }", "E0101", 1, 12, "`x += 1`"},
      {"fn f() { ++i; }", "E0101", 1, 10, "`x += 1`"},
      {"fn f() { i--; }", "E0101", 1, 13, "`x -= 1`"},
      {"fn f() { for (i = 0; i < 3; i++) { } }", "E0101", 1, 17, "0..n"},
      {"fn f() { for i = 0 { } }", "E0101", 1, 16, "0..n"},
      {"fn f() { if x { } elif y { } }", "E0101", 1, 24, "`else if`"},
      {"fn f() { let s = 'a'; }", "E0114", 1, 18, "double quotes"},
      {"fn f() { u32 x = 1; }", "E0101", 1, 14, "`let x: u32"},
      {"fn f() { while x { } }", "E0101", 1, 18, "max"},
      {"fn f() { x as u8; }", "E0101", 1, 12, "wrap(x, T)"},
      {"fn f() { x ** 2; }", "E0101", 1, 13, "pow(x, n)"},
      {"fn f() { a < b > c; }", "E0111", 1, 16, "&&"},
      {"fn f() { a == b == c; }", "E0111", 1, 17, "&&"},
      {"fn f() { a != b != c; }", "E0111", 1, 17, "&&"},
      {"fn f() { a < b == c; }", "E0111", 1, 16, "&&"},
      {"fn f() { a < b < f(x < y == z) < c; }", "E0111", 1, 26, "&&"},
      {"fn f() { let x; }", "E0101", 1, 15, "with its value"},
      {"fn f() { x ? 1 : 2; }", "E0102", 1, 12, "if c"},
      {"fn f() { const N = 1; }", "E0101", 1, 10, "top level"},
      {"fn f() { for i in 0..=9 { } }", "E0101", 1, 20, "a..b + 1"},
      {"fn f() { m::g(x); }", "E0101", 1, 11, "`.`"},
      {"fn f() { x === y; }", "E0101", 1, 14, "`==`"},
      {"fn f(secret x: u8) { }", "E0101", 1, 6, "x: secret u32"},
      {"struct P { x: u8; y: u8 }", "E0101", 1, 17, "`,`"},
      {"let x = 1;", "E0101", 1, 1, "const"},
      {"def f() { }", "E0101", 1, 1, "`fn`"},
      {"import \"util\";", "E0101", 1, 8, "without quotes"},
      {"fn f(a: secrt u8) {}", "E0101", 1, 15, "Before a type stands"},
      {"fn f(a: u8 [3]) {}", "E0101", 1, 12, "`[u32; 3]`"},
      {"fn f() -> u8 [3] {}", "E0101", 1, 14, "`[u32; 3]`"},
      {"fn f() { let x = [for i in 0..3 : i]; }", "E0101", 1, 19,
       "The element comes first"},
      {"fn f() { } }", "E0101", 1, 12, "closes nothing"},
      {"fn f(state: u8) { }", "E0116", 1, 6, "another name"},
      {"fn f() { let test = 1; }", "E0116", 1, 14, "another name"},
      {"fn f() { f(x) = 1; }", "E0117", 1, 10, "variable"},
      {"fn f() { a.b(c).P { x: 1 }; }", "E0118", 1, 10, "struct literal"},
      {"fn f() {\n  if x {\n    y;\n}\n\nfn g() { }", "E0112", 1, 8,
       "`}` is missing before `fn`"},
      {"fn f(x: u8", "E0112", 1, 5, "`)` is missing before the end"},
      {"const N = 10u32;", "E0108", 1, 11, "42"},
      {"const N = 0o17;", "E0108", 1, 11, "octal"},
      {"const N = 0b12;", "E0108", 1, 11, ""},
      {"const N = 1.5.2x;", "E0108", 1, 15, ""},
      {"const S = \"a\\q\";", "E0107", 1, 13, "\\n"},
      {"const S = \"\\u{0}\";", "E0107", 1, 12, ""},
      {"const S = \"\\u{d800}\";", "E0107", 1, 12, ""},
      {"const S = \"abc\nconst N = 1;", "E0106", 1, 11, "line"},
      {"const N = 1; /* a /* b */", "E0105", 1, 14, "nest"},
      {"const caf\xc3\xa9 = 1;", "E0102", 1, 10, "ASCII"},
      {"// \xe2\x80\xae x", "E0115", 1, 4, "\\u{202E}"},
      {"const N = \xff;", "E0103", 1, 11, "UTF-8"},
  };
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    parsed p = parse_text(t[i].text);
    bool good = strcmp(error_id(&p, 0), t[i].id) == 0 &&
                error_line(&p, 0) == t[i].line &&
                error_col(&p, 0) == t[i].col && strstr(said(&p), t[i].says);
    if (!good)
      printf("\n%s\nexpected %s at %u:%u with '%s', got:\n%s", t[i].text,
             t[i].id, t[i].line, t[i].col, t[i].says, said(&p));
    CU_ASSERT_TRUE(good);
    parsed_free(&p);
  }
}

/* One slip is one error: the reading goes on where it should. */
static void test_no_cascades(void) {
  static const char *const slip[] = {
      "let x = ;",       "let x = (1 + 2;",  "x = = 3;",     "foo bar baz;",
      "for (i = 0; i < 3; i++) { x; }",      "if x = 3 { y; } else { z; }",
      "if x { y; } elif z { y; } else { x; }", "let [a, b] = 3;",
      "x[1, 2;",         "while x { y; }",   "P { x: 1, y };", "return return;",
      "let p = [1 2 3];", "let x = 3 let y = 4;", "u32 x = 5;", "i++;",
      "a < b > c;",      "fn g() { x; }",    "let x: = 3;",  "[x; ;"};
  for (size_t i = 0; i < sizeof slip / sizeof *slip; i++) {
    buf b = {0};
    buf_printf(&b, "fn f() {\n  %s\n  let good = 1;\n}\nfn h() { @ }\n",
               slip[i]);
    parsed p = parse_text(b.p);
    bool good = diag_errors(p.dg) == 2 && error_line(&p, 0) == 2 &&
                error_line(&p, 1) == 5 && p.root->nkid == 2 &&
                strstr(tree_text(&p), "(let (name \"good\") _ (int \"1\"))");
    if (!good) printf("\n%s%s%s", b.p, said(&p), tree_text(&p));
    CU_ASSERT_TRUE(good);
    parsed_free(&p);
    buf_free(&b);
  }
}

/* Slips in declarations: the next one is read. */
static void test_declarations_after_slips(void) {
  static const char *const slip[] = {
      "fn f(x u32) { let y = 1; }", "fn (x: u32) { }", "fn f(x: u32) u8 { y }",
      "fn f(x: u32;",               "struct P { x }",  "struct { x: u32 }",
      "const N 3;",                 "const = 3;",      "import a.;",
      "test { x; }",                "#[a fn q() { }",  "x = 3;",
      "contract { state x; }",      "#[a] const N = 1;"};
  for (size_t i = 0; i < sizeof slip / sizeof *slip; i++) {
    buf b = {0};
    buf_printf(&b, "%s\nfn good() { }\nfn h() { @ }\n", slip[i]);
    parsed p = parse_text(b.p);
    bool good = diag_errors(p.dg) >= 2 && error_line(&p, 0) == 1 &&
                error_line(&p, diag_count(p.dg) - 1) == 3 &&
                diag_errors(p.dg) <= 3 && strstr(tree_text(&p), "(fn \"good\"");
    if (!good) printf("\n%s%s%s", b.p, said(&p), tree_text(&p));
    CU_ASSERT_TRUE(good);
    parsed_free(&p);
    buf_free(&b);
  }
}

static void test_at_most_twenty(void) {
  buf b = {0};
  for (int i = 0; i < 1000; i++) buf_puts(&b, "fn f() { let = 1; }\n");
  parsed p = parse_text(b.p);
  CU_ASSERT_EQUAL(diag_errors(p.dg), 20);
  for (uint32_t i = 0; i < 20; i++) CU_ASSERT_EQUAL(error_line(&p, i), i + 1);
  parsed_free(&p);
  buf_free(&b);
}

/* Every prefix and every single-byte change of a program: an answer. */
static void test_broken_programs(void) {
  static const char text[] =
      "import a.b;\nstruct P<T> { x: [T; 2], }\n#[r(1)]\n"
      "fn f<n>(x: secret u8, y: A<B<u8>>) -> (u8, ()) {\n"
      "  let (a, b) = if x { P { x: 1 } } else { [i for i in 0..n] };\n"
      "  while a max 3 { a[.., 1] += -1.5 >> \"s\\n\"; } /* c */\n"
      "  return t.0.1;\n"
      "}\ntest \"t\" { fixed<1, 2>(x); }\ncontract C { }\n";
  enum { N = sizeof text - 1 };
  static const char bytes[] = {'{', '}', '(', ')', ';', '"', '<', ' ',
                               0,   '/', '.', 'x', (char)0xff};
  for (size_t cut = 0; cut < N; cut++) {
    parsed p = parse_bytes(text, cut);
    said(&p);
    parsed_free(&p);
    for (size_t k = 0; k < sizeof bytes; k++) {
      char copy[N];
      memcpy(copy, text, N);
      copy[cut] = bytes[k];
      p = parse_bytes(copy, N);
      CU_ASSERT_TRUE(diag_errors(p.dg) <= 20);
      said(&p);
      parsed_free(&p);
    }
  }
}

/* The text after `title` of a story, without its indent. */
static char *story_part(arena *a, const char *story, const char *title) {
  buf b = {0};
  const char *s = strstr(story, title);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  for (s += strlen(title); *s && strncmp(s, "\nMend:", 6) != 0; s++)
    if (s[0] == '\n' && s[1] == ' ' && s[2] == ' ') {
      buf_putc(&b, '\n');
      s += 2;
    } else {
      buf_putc(&b, *s);
    }
  char *r = arena_strndup(a, b.p ? b.p : "", b.n);
  buf_free(&b);
  return r;
}

/* `chi explain` shows examples that do what they say.  Some cannot be written
 * in a story: bytes that are no text, and what is too long. */
static void test_stories(void) {
  static const char *const schematic[] = {"E0103", "E0104", "E0109",
                                          "E0110", "E0113", "E0115"};
  for (int i = 0; i < DIAG_COUNT; i++) {
    const diag_info *d = &diag_table[i];
    bool skip = strncmp(d->id, "E01", 3) != 0;
    for (size_t k = 0; k < sizeof schematic / sizeof *schematic; k++)
      skip = skip || strcmp(d->id, schematic[k]) == 0;
    if (skip) continue;
    arena *a = arena_new();
    parsed p = parse_text(story_part(a, d->story, "Example:"));
    parsed q = parse_text(story_part(a, d->story, "Mend:"));
    bool good = strcmp(error_id(&p, 0), d->id) == 0 && diag_errors(q.dg) == 0;
    if (!good) printf("\n%s:\n%s%s", d->id, said(&p), said(&q));
    CU_ASSERT_TRUE(good);
    parsed_free(&p);
    parsed_free(&q);
    arena_free(a);
  }
}

void suite_errors(void) {
  CU_pSuite s = CU_add_suite("errors", NULL, NULL);
  CU_ADD_TEST(s, test_slips);
  CU_ADD_TEST(s, test_no_cascades);
  CU_ADD_TEST(s, test_declarations_after_slips);
  CU_ADD_TEST(s, test_at_most_twenty);
  CU_ADD_TEST(s, test_broken_programs);
  CU_ADD_TEST(s, test_stories);
}
