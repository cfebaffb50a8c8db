/* The syntax tree.  One uniform node; kinds and children are in ast.def.
 * Nodes live in the unit arena and are never freed singly.
 *
 * Depth.  The tree is at most AST_MAX_DEPTH deep, with one exception: the LEFT
 * children of BINARY nodes form a spine that is as long as the source makes it
 * (`x + x + ...`, 200,000 terms).  So a walker may recurse into every child
 * but must go down a BINARY's left spine in a loop:
 *
 *   for (; n->kind == N_BINARY; n = n->kid[0]) push(n);   // then unwind
 */
#ifndef GRAMMAR_AST_H
#define GRAMMAR_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/source.h"

typedef enum {
#define NODE(E, ...) N_##E,
#include "grammar/ast.def"
#undef NODE
  N_COUNT
} node_kind;

/* Operators of UNARY, BINARY and ASSIGN. */
typedef enum {
  O_NONE, O_ADD, O_SUB, O_MUL, O_DIV, O_MOD, O_MATMUL,
  O_EQ, O_NE, O_LT, O_LE, O_GT, O_GE, O_ANDAND, O_OROR,
  O_AND, O_OR, O_XOR, O_SHL, O_SHR, O_NEG, O_NOT, O_INVERT
} node_op;

/* What an FN is. */
enum { FN_PLAIN, FN_ACTION, FN_VIEW };

enum { AST_MAX_DEPTH = 500 };

typedef struct node node;
struct node {
  node_kind kind;
  uint16_t op;       /* node_op; BOOL: 0 or 1; FN: FN_*; STATE: secret */
  bool has_value;    /* BLOCK */
  bool row;          /* ends in a comparison that stands in no parentheses */
  span sp;           /* the whole construct */
  span name_sp;      /* of `text`, where there is one */
  const char *text;  /* source_intern: NUL-terminated; NULL if none */
  const char *doc;   /* declarations: the lines of the `///` comment before
                        it, joined by \n; else NULL */
  uint32_t nkid;
  uint32_t depth;    /* 1 + deepest child, BINARY's left spine not counted */
  node **kid;
  uint32_t id;       /* dense per file set, for side tables */
};

/* A node with nkid empty children; id and depth are the caller's to set. */
node *ast_new(arena *a, node_kind k, span sp, uint32_t nkid);
const char *ast_kind_name(node_kind k);
const char *ast_op_text(node_op op);
void ast_print(const node *n, buf *out); /* s-expression, for goldens */

#endif
