#include <CUnit/Basic.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "tests/unit/base/suites.h"

typedef struct fixture {
  arena *a;
  source_set *ss;
  diag *d;
  uint32_t base;
} fixture;

static fixture with_text(const char *text, size_t n) {
  fixture f = {.a = arena_new()};
  f.ss = source_set_new(f.a);
  f.d = diag_new(f.a, f.ss);
  source_id id;
  CU_ASSERT_TRUE_FATAL(source_add(f.ss, "t.chi", text, n, &id));
  f.base = source_get(f.ss, id)->base;
  return f;
}

static span at(const fixture *f, uint32_t start, uint32_t end) {
  return (span){f->base + start, f->base + end};
}

/* Ids are unique, in their ranges and findable; stories are whole. */
static void test_table(void) {
  for (int i = 0; i < DIAG_COUNT; i++) {
    const diag_info *e = &diag_table[i];
    CU_ASSERT_PTR_EQUAL(diag_find(e->id), e);
    CU_ASSERT_EQUAL(strlen(e->id), 5);
    CU_ASSERT_EQUAL(strspn(e->id + 1, "0123456789"), 4);
    CU_ASSERT_EQUAL(e->id[0], e->sev == SEV_WARNING ? 'W' : 'E');
    bool whole = strstr(e->story, "Example:") && strstr(e->story, "Mend:");
    if (!whole) printf("%s lacks its example or mend\n", e->id);
    CU_ASSERT_TRUE(whole);
    size_t n = strlen(e->fmt);
    CU_ASSERT_TRUE(n > 0 && e->fmt[n - 1] != '.' && !strchr(e->fmt, '\n'));
  }
  CU_ASSERT_PTR_NULL(diag_find("E9999"));
}

static void test_render(void) {
  static const char text[] = "let a = 1\n\tlet b = 2;\n";
  fixture f = with_text(text, sizeof text - 1);
  diag_report(f.d, DIAG_SYNTAX, at(&f, 15, 16), "`x`", "`y`");
  diag_note(f.d, at(&f, 0, 3), "here");
  diag_hint(f.d, "Do %s.", "this");
  buf b = {0};
  diag_render_all(f.d, &b, false);
  CU_ASSERT_STRING_EQUAL(b.p,
                         "t.chi:2:6: error[E0101]: expected `x`, found `y`\n"
                         "    2 | \tlet b = 2;\n"
                         "      | \t    ^\n"
                         "t.chi:1:1: note: here\n"
                         "    1 | let a = 1\n"
                         "      | ^~~\n"
                         "hint: Do this.\n");
  CU_ASSERT_PTR_NULL(strchr(b.p, '\033'));
  buf_reset(&b);
  diag_render_all(f.d, &b, true);
  CU_ASSERT_PTR_NOT_NULL(strchr(b.p, '\033'));
  buf_free(&b);
  arena_free(f.a);
}

/* The excerpt of a huge line is a window, wherever the caret is. */
static void test_long_line(void) {
  enum { N = 10 << 20 };
  arena *a = arena_new();
  char *text = arena_alloc(a, N);
  memset(text, 'a', N);
  fixture f = with_text(text, N);
  static const uint32_t places[] = {0, 100, N / 2, N - 1, N};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    diag_report(f.d, DIAG_SYNTAX, at(&f, places[i], N), "`x`", "`y`");
    buf b = {0};
    diag_render(f.d, diag_get(f.d, (uint32_t)i), &b, false);
    CU_ASSERT_TRUE(b.n < 600);
    CU_ASSERT_PTR_NOT_NULL(strchr(b.p, '^'));
    buf_free(&b);
  }
  arena_free(f.a);
  arena_free(a);
}

/* Nothing that a terminal acts on comes through, from source or arguments. */
static void test_control_bytes(void) {
  static const char text[] = "a\033[31m\xff\xe2\x80\xae\0 b";
  fixture f = with_text(text, sizeof text - 1);
  diag_report(f.d, DIAG_SYNTAX, at(&f, 12, 13), "\033[1m", "\xff");
  buf b = {0};
  diag_render_all(f.d, &b, false);
  for (size_t i = 0; i < b.n; i++)
    CU_ASSERT_TRUE(b.p[i] == '\n' || (b.p[i] >= ' ' && b.p[i] <= '~'));
  CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "a<U+001B>[31m<ff><U+202E><U+0000> b"));
  const char *source = strstr(b.p, "    1 | "), *mark = strchr(source, '^');
  const char *under = strstr(source, "      | ");
  CU_ASSERT_EQUAL(mark - under, strrchr(b.p, 'b') - source);
  buf_free(&b);
  arena_free(f.a);
}

static void test_counting(void) {
  fixture f = with_text("0123456789012345678901234567890123456789", 40);
  for (uint32_t i = 0; i < 35; i++)
    diag_report(f.d, DIAG_SYNTAX, at(&f, i, i + 1), "a", "b");
  diag_note(f.d, at(&f, 0, 1), "to a report that was not kept");
  CU_ASSERT_EQUAL(diag_errors(f.d), 35);
  CU_ASSERT_EQUAL(diag_count(f.d), 20);
  CU_ASSERT_EQUAL(diag_more(f.d), 15);
  CU_ASSERT_EQUAL(diag_get(f.d, 19)->nnote, 0);
  CU_ASSERT_PTR_NULL(diag_get(f.d, 20));
  buf b = {0};
  diag_render_all(f.d, &b, false);
  CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "and 15 more errors\n"));
  buf_free(&b);
  arena_free(f.a);
}

static void test_mute_and_repeats(void) {
  fixture f = with_text("abc", 3);
  diag_mute(f.d);
  diag_mute(f.d);
  diag_report(f.d, DIAG_SYNTAX, at(&f, 0, 1), "a", "b");
  diag_unmute(f.d);
  diag_report(f.d, DIAG_SYNTAX, at(&f, 0, 1), "a", "b");
  diag_hint(f.d, "To nobody.");
  diag_unmute(f.d);
  CU_ASSERT_EQUAL(diag_errors(f.d), 0);
  diag_report(f.d, DIAG_SYNTAX, at(&f, 0, 1), "a", "b");
  diag_report(f.d, DIAG_SYNTAX, at(&f, 0, 1), "a", "b");
  CU_ASSERT_EQUAL(diag_errors(f.d), 2); /* a caller can see that it failed */
  CU_ASSERT_EQUAL(diag_count(f.d), 1);
  CU_ASSERT_EQUAL(diag_more(f.d), 0);
  arena_free(f.a);
}

static void test_sort(void) {
  fixture f = with_text("abcdef", 6);
  diag_report_nowhere(f.d, DIAG_SYNTAX, "no", "place");
  diag_report(f.d, DIAG_SYNTAX, at(&f, 4, 5), "x", "1");
  diag_report(f.d, DIAG_SYNTAX, at(&f, 1, 2), "x", "2");
  diag_report(f.d, DIAG_SYNTAX, at(&f, 4, 5), "x", "3");
  for (int i = 0; i < 9; i++) diag_hint(f.d, "%d.", i);
  diag_sort(f.d);
  static const char last[] = {'2', '1', '3', 'e'};
  for (uint32_t i = 0; i < 4; i++) {
    const char *s = diag_get(f.d, i)->text;
    CU_ASSERT_EQUAL(s[strlen(s) - 1], last[i]);
  }
  CU_ASSERT_EQUAL(diag_get(f.d, 2)->nnote, 9);
  CU_ASSERT_STRING_EQUAL(diag_get(f.d, 2)->note[8].text, "8.");
  CU_ASSERT_FALSE(diag_get(f.d, 3)->has_span);
  arena_free(f.a);
}

void suite_diag(void) {
  CU_pSuite s = CU_add_suite("diag", NULL, NULL);
  CU_ADD_TEST(s, test_table);
  CU_ADD_TEST(s, test_render);
  CU_ADD_TEST(s, test_long_line);
  CU_ADD_TEST(s, test_control_bytes);
  CU_ADD_TEST(s, test_counting);
  CU_ADD_TEST(s, test_mute_and_repeats);
  CU_ADD_TEST(s, test_sort);
}
