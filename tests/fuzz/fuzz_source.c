/* Any bytes as source text: a tree or a diagnostic.  Checks what the headers
 * promise: spans inside the file, ids dense, depth bounded, at most 20 errors,
 * an error message whenever the tree has a hole. */
#include <stdint.h>
#include <stdlib.h>

#include "base/diag.h"
#include "grammar/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int holds) {
  if (!holds) abort();
}

typedef struct census {
  const source_file *file;
  uint32_t nodes, ids;
  int holes;
} census;

static void visit(census *c, const node *n) {
  for (;; n = n->kid[0]) { /* down the left spine of binaries */
    must(n->sp.start >= c->file->base && n->sp.start <= n->sp.end &&
         n->sp.end <= c->file->base + c->file->n);
    must(n->id < c->ids && n->depth <= AST_MAX_DEPTH);
    c->nodes++;
    if (n->kind == N_ERROR) c->holes++;
    for (uint32_t i = n->kind == N_BINARY ? 1 : 0; i < n->nkid; i++)
      if (n->kid[i]) visit(c, n->kid[i]);
    if (n->kind != N_BINARY) return;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  uint32_t ids = 0;
  must(source_add(ss, "fuzz.chi", (const char *)data, n, &id));
  node *root = parse_file(a, ss, id, dg, &ids);
  census c = {.file = source_get(ss, id), .ids = ids};
  visit(&c, root);
  must(c.nodes <= ids);
  must(!c.holes || diag_errors(dg) > 0);
  must(diag_errors(dg) <= PARSE_MAX_ERRORS + 1);
  buf out = {0};
  ast_print(root, &out);
  diag_sort(dg);
  diag_render_all(dg, &out, true);
  buf_free(&out);
  arena_free(a);
  return 0;
}
