/* Comparisons in a row: `a < b <= c` is `a < b & b <= c`, each operand computed
 * once.  What stands between two comparisons and is more than a name gets a
 * name of its own in a block around them:
 *
 *   0 <= f(x) < n        { let 0mid = f(x); 0 <= 0mid & 0mid < n }
 *
 * No name in a source begins with a digit. */
#include <stdio.h>

#include "grammar/parse_impl.h"

/* Only `<` with `<=`, and `>` with `>=`: of others it is not plain what a row
 * of them would mean. */
static int direction(node_op op) {
  return op == O_LT || op == O_LE ? 1 : op == O_GT || op == O_GE ? -1 : 0;
}

/* Costs nothing and does nothing, so that it may stand twice. */
static bool simple(const node *n) {
  while (n->kind == N_FIELD) n = n->kid[0];
  if (n->kind == N_UNARY && n->op == O_NEG) n = n->kid[0];
  return n->kind == N_NAME || n->kind == N_INT || n->kind == N_DECIMAL;
}

static node *copy(parser *ps, const node *n) {
  node *c = n->nkid ? mk(ps, n->kind, n->sp, 1, copy(ps, n->kid[0]))
                    : mk(ps, n->kind, n->sp, 0);
  c->op = n->op;
  c->text = n->text;
  c->name_sp = n->name_sp;
  return c;
}

/* ---- the row as it is so far ---- */
/* Where its conjunction stands. */
static node **all_of(node **row) {
  return (*row)->kind == N_BLOCK ? &(*row)->kid[(*row)->nkid - 1]->kid[0] : row;
}

static node *last_of(node *row) {
  node *n = *all_of(&row);
  return n->op == O_AND ? n->kid[1] : n;
}

static node *first_of(node *row) {
  node *n = *all_of(&row);
  while (n->op == O_AND) n = n->kid[0];
  return n;
}

/* A place for one more, before the last: arrays grow to powers of two. */
static void push_let(parser *ps, node *block, node *let) {
  uint32_t n = block->nkid;
  if ((n & (n - 1)) == 0)
    block->kid = arena_grow(ps->a, block->kid, n, 2 * n, sizeof *block->kid);
  block->kid[n] = block->kid[n - 1];
  block->kid[n - 1] = let;
  block->nkid = n + 1;
  if (let->depth >= block->depth) block->depth = let->depth + 1;
}

/* Gives the operand at *x a name in the block. */
static void hoist(parser *ps, node *block, node **x) {
  char text[24];
  int k = snprintf(text, sizeof text, "%umid", ps->mids++);
  token t = {.sp = (*x)->sp, .text = source_intern(ps->ss, text, (size_t)k)};
  node *name = mk_token(ps, N_NAME, &t);
  push_let(ps, block, mk(ps, N_LET, t.sp, 3, name, (node *)NULL, *x));
  *x = mk_token(ps, N_NAME, &t);
}

static node *with_block(parser *ps, node *row) {
  if (row->kind == N_BLOCK) return row;
  node *b = mk(ps, N_BLOCK, row->sp, 1, mk(ps, N_EXPR, row->sp, 1, row));
  b->has_value = true;
  node **first = &first_of(row)->kid[0];
  if (!simple(*first)) hoist(ps, b, first);
  return b;
}

static node *refuse(parser *ps, node_op op, span at, span all) {
  if (parser_may_report(ps)) {
    diag_report(ps->dg, DIAG_COMPARE_CHAIN, at, ast_op_text(op));
    diag_hint(ps->dg, "Write two comparisons, as in `a < b && b < c`, or put "
                      "one in parentheses.");
  }
  return mk(ps, N_ERROR, all, 0);
}

node *mk_compare(parser *ps, node_op op, span at, node *l, node *r) {
  node *row = l;
  if (!l->row) {
    row = mk_binary(ps, op, l, r);
  } else {
    node *last = last_of(l);
    span all = span_join(l->sp, r->sp);
    if (!direction(op) || direction((node_op)last->op) != direction(op))
      return refuse(ps, op, at, all);
    if (!simple(last->kid[1])) {
      row = with_block(ps, l);
      if (row->kind == N_ERROR) return row;
      hoist(ps, row, &last->kid[1]);
    }
    node **every = all_of(&row);
    *every = mk_binary(ps, O_AND, *every,
                       mk_binary(ps, op, copy(ps, last->kid[1]), r));
    if ((*every)->kind == N_ERROR) return *every;
    row->sp = all;
    if (row != *every && (*every)->depth + 2 > row->depth)
      row->depth = (*every)->depth + 2;
  }
  row->row = row->kind != N_ERROR;
  return row;
}
