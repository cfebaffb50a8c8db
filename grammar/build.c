#include <stdarg.h>
#include <string.h>

#include "grammar/parse_impl.h"
#include "grammar/parser.h"

/* Ids are given in order of completion: children before parents.  A tree that
 * would be too deep for recursive walkers ends here (see ast.h). */
static node *finish(parser *ps, node *n) {
  n->id = (*ps->next_id)++;
  uint32_t deepest = 0;
  for (uint32_t i = 0; i < n->nkid; i++) {
    if (!n->kid[i]) continue;
    bool spine = i == 0 && n->kind == N_BINARY && n->kid[0]->kind == N_BINARY;
    uint32_t d = n->kid[i]->depth - (spine ? 1 : 0);
    if (d > deepest) deepest = d;
  }
  n->depth = deepest + 1;
  if (n->depth > AST_MAX_DEPTH) {
    nesting_report(ps, n->sp);
    n->kind = N_ERROR;
    n->nkid = 0;
    n->depth = 1;
  }
  return n;
}

node *mk(parser *ps, node_kind k, span sp, unsigned n, ...) {
  node *r = ast_new(ps->a, k, sp, n);
  va_list ap;
  va_start(ap, n);
  for (unsigned i = 0; i < n; i++) r->kid[i] = va_arg(ap, node *);
  va_end(ap);
  return finish(ps, r);
}

node *name_node(node *n, const token *t) {
  n->text = t->text;
  n->name_sp = t->sp;
  return n;
}

node *mk_token(parser *ps, node_kind k, const token *t) {
  node *n = name_node(mk(ps, k, t->sp, 0), t);
  if (!n->text) n->text = token_spelling(t->kind); /* `fixed`, `caller` */
  return n;
}

void list_push(parser *ps, node_list *l, node *n) {
  if (n) vec_push(ps->a, l, n);
}

node *mk_list(parser *ps, node_kind k, span sp, node *first,
              const node_list *l) {
  uint32_t head = first ? 1 : 0;
  node *n = ast_new(ps->a, k, sp, (uint32_t)l->n + head);
  if (first) n->kid[0] = first;
  if (l->n) memcpy(n->kid + head, l->p, l->n * sizeof *l->p);
  return finish(ps, n);
}

node *mk_binary(parser *ps, node_op op, node *l, node *r) {
  node *n = mk(ps, N_BINARY, span_join(l->sp, r->sp), 2, l, r);
  n->op = (uint16_t)op;
  return n;
}

node *mk_unary(parser *ps, node_op op, span sp, node *x) {
  node *n = mk(ps, N_UNARY, sp, 1, x);
  n->op = (uint16_t)op;
  return n;
}

node *mk_fn(parser *ps, span sp, const node *head, node *body, node *attrs,
            unsigned what) {
  node *n = mk(ps, N_FN, sp, 5, head->kid[0], head->kid[1], head->kid[2], body,
               attrs);
  n->op = (uint16_t)what;
  n->text = head->text;
  n->name_sp = head->name_sp;
  return n;
}

node *mk_assign(parser *ps, node_op op, span sp, node *place, node *value) {
  const node *root = place;
  while (root->kind == N_INDEX || root->kind == N_FIELD) root = root->kid[0];
  if (root->kind != N_NAME && root->kind != N_ERROR &&
      parser_may_report(ps)) {
    diag_report(ps->dg, DIAG_ASSIGN_TARGET, place->sp);
    if (root->kind == N_BINARY && op == O_NONE)
      diag_hint(ps->dg, "To compare, write `==`.");
    else
      diag_hint(ps->dg, "The left side is a variable, or an element, slice or "
                        "field of one.");
  }
  node *n = mk(ps, N_ASSIGN, sp, 2, place, value);
  n->op = (uint16_t)op;
  return n;
}

token dotted(parser *ps, const token *l, const token *r) {
  size_t nl = strlen(l->text), nr = strlen(r->text);
  token t = {.kind = TOK_IDENT, .sp = span_join(l->sp, r->sp), .text = l->text};
  if (nl + 1 + nr > PARSE_MAX_NUMBER) { /* else paths would be quadratic */
    if (parser_may_report(ps))
      diag_report(ps->dg, DIAG_LONG_NAME, t.sp, nl + 1 + nr,
                  (int)PARSE_MAX_NUMBER);
    return t;
  }
  char joined[PARSE_MAX_NUMBER];
  memcpy(joined, l->text, nl);
  joined[nl] = '.';
  memcpy(joined + nl + 1, r->text, nr);
  t.text = source_intern(ps->ss, joined, nl + 1 + nr);
  return t;
}

/* The feed says LIT_LBRACE only after a name, so `name` is NAME or FIELD. */
node *mk_struct_literal(parser *ps, span sp, node *name, const node_list *l) {
  token t = {.kind = TOK_IDENT, .sp = name->name_sp, .text = name->text};
  if (name->kind == N_FIELD && name->kid[0]->kind == N_NAME) {
    const node *m = name->kid[0];
    token left = {.kind = TOK_IDENT, .sp = m->name_sp, .text = m->text};
    t = dotted(ps, &left, &t);
  } else if (name->kind != N_NAME && name->kind != N_ERROR &&
             parser_may_report(ps)) {
    diag_report(ps->dg, DIAG_LITERAL_NAME, name->sp);
    diag_hint(ps->dg, "A struct literal begins with the struct's name, as in "
                      "`Point { x: 1 }` or `geom.Point { x: 1 }`.");
  }
  return name_node(mk_list(ps, N_STRUCTLIT, sp, NULL, l), &t);
}
