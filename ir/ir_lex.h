/* Tokens of circuit text; used by ir_parse.c alone. */
#ifndef IR_IR_LEX_H
#define IR_IR_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef enum {
  TK_END,
  TK_BAD,
  TK_WORD,   /* letters, digits, _ */
  TK_INT,    /* -?digits */
  TK_STRING, /* text: decoded */
  TK_VALUE,  /* %name; text without % */
  TK_LABEL,  /* @name; text without @ */
  TK_DOTS,   /* .. */
  TK_PUNCT   /* one character */
} token_kind;

typedef struct token {
  token_kind kind;
  const char *at;
  size_t n;
  const char *str; /* STRING: decoded, on the arena */
} token;

typedef struct ir_lexer {
  arena *a;
  const char *text, *end, *pos;
  const char *last_end; /* where the last taken token ended */
  token tok;            /* the next one */
} ir_lexer;

/* Moves on to the next token; TK_END for ever at the end. */
void ir_lex(ir_lexer *x);

#endif
