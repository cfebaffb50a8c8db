/* Bytes to tokens.  Every byte is part of one, of blanks or of a comment. */
#include "ir/ir_lex.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* Sets TK_STRING, or TK_BAD for an unterminated string, a control character or
 * an unknown escape. */
static void lex_string(ir_lexer *x) {
  const char *s = x->pos + 1;
  while (s < x->end && *s != '"' && (unsigned char)*s >= 0x20)
    s += *s == '\\' && s + 1 < x->end ? 2 : 1;
  x->tok.n = 1;
  if (s >= x->end || *s != '"') return;
  char *out = arena_alloc(x->a, (size_t)(s - x->pos) + 1), *w = out;
  for (const char *c = x->pos + 1; c < s; c++) {
    if (*c != '\\') {
      *w++ = *c;
      continue;
    }
    c++;
    if (*c == '"' || *c == '\\') {
      *w++ = *c;
    } else if (*c == 'x' && s - c > 2 && hex_digit(c[1]) >= 0 &&
               hex_digit(c[2]) >= 0 && (c[1] != '0' || c[2] != '0')) {
      *w++ = (char)(hex_digit(c[1]) * 16 + hex_digit(c[2]));
      c += 2;
    } else {
      return;
    }
  }
  x->tok.kind = TK_STRING;
  x->tok.str = out;
  x->tok.n = (size_t)(s + 1 - x->pos);
}

static void lex_run(ir_lexer *x, token_kind kind, size_t from, bool dots) {
  const char *s = x->pos + from;
  while (s < x->end && (is_word(*s) || (dots && *s == '.'))) s++;
  x->tok.n = (size_t)(s - x->pos);
  if (x->tok.n > from) x->tok.kind = kind;
}

void ir_lex(ir_lexer *x) {
  x->last_end = x->tok.at ? x->tok.at + x->tok.n : x->text;
  for (; x->pos < x->end; x->pos++) {
    if (*x->pos == '#')
      while (x->pos < x->end && *x->pos != '\n') x->pos++;
    if (x->pos == x->end || !strchr(" \t\r\n", *x->pos) || !*x->pos) break;
  }
  x->tok = (token){TK_BAD, x->pos, 1, NULL};
  if (x->pos >= x->end) {
    x->tok.kind = TK_END;
    x->tok.n = 0;
    return;
  }
  char c = *x->pos;
  bool digit_next = x->end - x->pos > 1 && isdigit((unsigned char)x->pos[1]);
  if (c == '"') {
    lex_string(x);
  } else if (c == '%') {
    lex_run(x, TK_VALUE, 1, true);
  } else if (c == '@') {
    lex_run(x, TK_LABEL, 1, false);
  } else if (isdigit((unsigned char)c) || (c == '-' && digit_next)) {
    const char *s = x->pos + 1;
    while (s < x->end && isdigit((unsigned char)*s)) s++;
    x->tok.kind = TK_INT;
    x->tok.n = (size_t)(s - x->pos);
  } else if (is_word(c)) {
    lex_run(x, TK_WORD, 0, false);
  } else if (c == '.' && x->end - x->pos > 1 && x->pos[1] == '.') {
    x->tok.kind = TK_DOTS;
    x->tok.n = 2;
  } else if (c && strchr(":,=(){}[]<>.", c)) {
    x->tok.kind = TK_PUNCT;
  }
  x->pos += x->tok.n;
}
