#include "tests/unit/grammar/parsed.h"

#include <CUnit/Basic.h>
#include <string.h>

parsed parse_bytes(const char *text, size_t n) {
  parsed p = {.a = arena_new()};
  p.ss = source_set_new(p.a);
  p.dg = diag_new(p.a, p.ss);
  source_id id;
  CU_ASSERT_TRUE_FATAL(source_add(p.ss, "t.chi", text, n, &id));
  p.file = source_get(p.ss, id);
  p.root = parse_file(p.a, p.ss, id, p.dg, &p.nodes);
  diag_sort(p.dg);
  return p;
}

parsed parse_text(const char *text) { return parse_bytes(text, strlen(text)); }

void parsed_free(parsed *p) { arena_free(p->a); }

char *tree_text(const parsed *p) {
  buf b = {0};
  ast_print(p->root, &b);
  char *s = arena_strndup(p->a, b.p, b.n);
  buf_free(&b);
  return s;
}

const char *error_id(const parsed *p, uint32_t i) {
  const diag_msg *m = diag_get(p->dg, i);
  return m ? diag_table[m->id].id : "";
}

uint32_t error_line(const parsed *p, uint32_t i) {
  const diag_msg *m = diag_get(p->dg, i);
  return m && m->has_span ? source_at(p->ss, m->sp.start).line : 0;
}

uint32_t error_col(const parsed *p, uint32_t i) {
  const diag_msg *m = diag_get(p->dg, i);
  return m && m->has_span ? source_at(p->ss, m->sp.start).col : 0;
}
