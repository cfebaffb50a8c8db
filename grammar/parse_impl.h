/* Private to grammar/: what lexer, token feed, parser and error reporting
 * share.  Flow: lexer.l -> feed.c -> parser.y -> build.c. */
#ifndef GRAMMAR_PARSE_IMPL_H
#define GRAMMAR_PARSE_IMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/source.h"
#include "base/vec.h"
#include "grammar/ast.h"
#include "grammar/parse.h"

typedef struct token {
  int kind; /* TOK_ of the generated parser.h; 0 is the end of the file */
  span sp;
  const char *text; /* names, numbers, strings; else NULL */
  const char *doc;  /* keywords that begin a declaration */
} token;

/* `tail`: the last statement is an expression that is the block's value. */
typedef struct node_list {
  node **p;
  size_t n, cap;
  bool tail;
} node_list;

typedef struct bracket {
  int kind; /* TOK_ of the opening one */
  span sp;
} bracket;

enum { LOOKAHEAD = 6, HISTORY = 4 };

typedef struct parser {
  arena *a;
  source_set *ss;
  const source_file *file;
  diag *dg;
  uint32_t *next_id;

  void *scanner;
  char *text;       /* the file with unreadable bytes blanked, and two NULs */
  uint32_t open_at; /* start of the comment or string being scanned */
  uint32_t comment_depth;
  bool unclosed;    /* the string just scanned */
  bool scanned;     /* the lexer has met the end */
  buf doc;          /* lines of /// since the last declaration */

  token ahead[LOOKAHEAD]; /* read from the lexer, not yet given out */
  unsigned nahead;
  token past[HISTORY];    /* given out, last first; past[0] has not yet
                             acted on `open` */
  VEC(bracket) open;
  uint32_t closers;  /* `}` to give out before anything else */
  bool give_opener;  /* a `{` before those */
  bool skip_block;   /* the broken statement has `;` before its block */
  bool at_end;       /* the end was given out in recovery */
  bool stop;         /* give up: only the end is given out, in silence */
  uint32_t errors;
  uint32_t mids; /* names given out by chain.c */

  node_list items;
} parser;

/* tokens.c */
typedef enum {
  TC_NONE, TC_OP, TC_ASSIGN, TC_EXPR, TC_STMT, TC_ITEM, TC_TYPE, TC_WORD,
  TC_MEMBER, TC_PUNCT
} token_class;
int token_lookup(const char *s, size_t n); /* 0 if there is no such row */
const char *token_spelling(int kind);      /* "a name" and the like too */
token_class token_class_of(int kind);

/* lexer.l: kind of the next token; text is ps->text[*start .. *end). */
void lexer_open(parser *ps, size_t n);
void lexer_close(parser *ps);
token lexer_next(parser *ps);
/* string.c: the value of a string literal's inside. */
const char *string_value(parser *ps, uint32_t from, uint32_t to);

/* feed.c */
token feed_next(parser *ps);
typedef enum { SYNC_STMT, SYNC_HEADER, SYNC_ITEM, SYNC_MEMBER } sync_level;
/* After a syntax error at the last token given out: skips to where the level
 * can go on.  False if there is no such place: abort. */
bool feed_resync(parser *ps, sync_level level);
token feed_peek(parser *ps, unsigned i);
bool feed_begins_line(const parser *ps, token t, uint32_t *indent);
bool feed_is_anchor(const parser *ps, token t);

/* syntax_error.c: counts, and says whether this one may still be told. */
bool parser_may_report(parser *ps);
void syntax_report(parser *ps, const token *found, const int *expected,
                   int nexpected);
void nesting_report(parser *ps, span sp);

/* build.c: nodes.  Each node's id and depth are set here. */
node *mk(parser *ps, node_kind k, span sp, unsigned n, ...);
node *mk_token(parser *ps, node_kind k, const token *t);
node *mk_list(parser *ps, node_kind k, span sp, node *first,
              const node_list *l);
node *mk_binary(parser *ps, node_op op, node *l, node *r);
/* chain.c: l op r, where l may end in a comparison itself; `at`: the operator. */
node *mk_compare(parser *ps, node_op op, span at, node *l, node *r);
node *mk_unary(parser *ps, node_op op, span sp, node *x);
node *mk_assign(parser *ps, node_op op, span sp, node *place, node *value);
/* FN from its head (name, generics, params, result), body and attributes. */
node *mk_fn(parser *ps, span sp, const node *head, node *body, node *attrs,
            unsigned what);
node *mk_struct_literal(parser *ps, span sp, node *name, const node_list *l);
node *name_node(node *n, const token *t); /* sets text, name_sp, doc */
void list_push(parser *ps, node_list *l, node *n); /* NULL is left out */
token dotted(parser *ps, const token *l, const token *r);

#endif
