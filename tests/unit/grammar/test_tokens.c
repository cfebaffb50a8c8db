#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/parser.h"
#include "tests/unit/grammar/parsed.h"

typedef struct row {
  const char *name, *spelling;
  int kind;
} row;

static const row rows[] = {
#define TOKEN(NAME, SPELLING, CLASS) {#NAME, SPELLING, TOK_##NAME},
#include "grammar/tokens.def"
#undef TOKEN
};
enum { N = sizeof rows / sizeof *rows };

static void test_sorted_and_found(void) {
  for (int i = 0; i < N; i++) {
    size_t n = strlen(rows[i].spelling);
    if (i) CU_ASSERT_TRUE(strcmp(rows[i - 1].spelling, rows[i].spelling) < 0);
    CU_ASSERT_EQUAL(token_lookup(rows[i].spelling, n), rows[i].kind);
    CU_ASSERT_STRING_EQUAL(token_spelling(rows[i].kind), rows[i].spelling);
  }
  static const char *const others[] = {"", "f", "fnn", "!==", "lets", "zebra",
                                       "A", "::", "maximum"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    CU_ASSERT_EQUAL(token_lookup(others[i], strlen(others[i])), 0);
  CU_ASSERT_EQUAL(token_lookup("letter", 3), TOK_LET); /* a prefix of text */
}

/* parser.y has to repeat the spellings as aliases. */
static void test_aliases_of_the_grammar(void) {
  FILE *f = fopen(PARSER_Y, "rb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  buf b = {0};
  char chunk[4096];
  for (size_t k; (k = fread(chunk, 1, sizeof chunk, f)) > 0;)
    buf_write(&b, chunk, k);
  fclose(f);
  for (int i = 0; i < N; i++) {
    char want[64];
    snprintf(want, sizeof want, " %s \"%s\"", rows[i].name, rows[i].spelling);
    if (!strstr(b.p, want)) {
      printf("parser.y lacks%s\n", want);
      CU_FAIL("alias");
    }
  }
  buf_free(&b);
}

void suite_tokens(void) {
  CU_pSuite s = CU_add_suite("tokens", NULL, NULL);
  CU_ADD_TEST(s, test_sorted_and_found);
  CU_ADD_TEST(s, test_aliases_of_the_grammar);
}
