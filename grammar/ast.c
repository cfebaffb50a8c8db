#include "grammar/ast.h"

#include <stddef.h>

node *ast_new(arena *a, node_kind k, span sp, uint32_t nkid) {
  node *n = ARENA_NEW(a, node);
  n->kind = k;
  n->sp = sp;
  n->nkid = nkid;
  n->kid = nkid ? ARENA_ARR(a, node *, nkid) : NULL;
  n->depth = 1;
  return n;
}

const char *ast_kind_name(node_kind k) {
  static const char *const name[N_COUNT] = {
#define NODE(E, NAME, KIDS) NAME,
#include "grammar/ast.def"
#undef NODE
  };
  return (unsigned)k < N_COUNT ? name[k] : "?";
}

const char *ast_op_text(node_op op) {
  static const char *const text[] = {
      [O_NONE] = "=", [O_ADD] = "+",   [O_SUB] = "-",    [O_MUL] = "*",
      [O_DIV] = "/",  [O_MOD] = "%",   [O_MATMUL] = "@", [O_EQ] = "==",
      [O_NE] = "!=",  [O_LT] = "<",    [O_LE] = "<=",    [O_GT] = ">",
      [O_GE] = ">=",  [O_ANDAND] = "&&", [O_OROR] = "||", [O_AND] = "&",
      [O_OR] = "|",   [O_XOR] = "^",   [O_SHL] = "<<",   [O_SHR] = ">>",
      [O_NEG] = "-",  [O_NOT] = "!",   [O_INVERT] = "~"};
  _Static_assert(sizeof text / sizeof *text == O_INVERT + 1, "one row each");
  return (unsigned)op <= O_INVERT ? text[op] : "?";
}
