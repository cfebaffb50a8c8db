#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/parser.h"

typedef struct row {
  int kind;
  const char *spelling;
} row;

static const row rows[] = {
#define TOKEN(NAME, SPELLING, CLASS) {TOK_##NAME, SPELLING},
#include "grammar/tokens.def"
#undef TOKEN
};

typedef struct token_info {
  const char *spelling;
  token_class cls;
} token_info;

static const token_info info[] = {
#define TOKEN(NAME, SPELLING, CLASS) [TOK_##NAME] = {SPELLING, TC_##CLASS},
#include "grammar/tokens.def"
#undef TOKEN
    /* Tokens that the feed makes of others, or without one spelling. */
    [TOK_END] = {"the end of the file", TC_NONE},
    [TOK_IDENT] = {"a name", TC_NONE},
    [TOK_INT] = {"a number", TC_NONE},
    [TOK_DECIMAL] = {"a decimal number", TC_NONE},
    [TOK_STRING] = {"a string", TC_NONE},
    [TOK_MAX] = {"max", TC_WORD},
    [TOK_FIXED_OF] = {"fixed", TC_EXPR},
    [TOK_LIT_LBRACE] = {"{", TC_PUNCT},
    [TOK_GT_ADJ] = {">>", TC_OP},
};

enum { NROW = sizeof rows / sizeof *rows, NINFO = sizeof info / sizeof *info };

int token_lookup(const char *s, size_t n) {
  size_t lo = 0, hi = NROW;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    int c = strncmp(s, rows[mid].spelling, n);
    if (c == 0 && rows[mid].spelling[n]) c = -1;
    if (c == 0) return rows[mid].kind;
    if (c < 0)
      hi = mid;
    else
      lo = mid + 1;
  }
  return 0;
}

const char *token_spelling(int kind) {
  bool known = kind >= 0 && kind < NINFO && info[kind].spelling;
  return known ? info[kind].spelling : "?";
}

token_class token_class_of(int kind) {
  return kind >= 0 && kind < NINFO ? info[kind].cls : TC_NONE;
}
