/* A text, parsed: what the suites of this executable share. */
#ifndef TESTS_UNIT_GRAMMAR_PARSED_H
#define TESTS_UNIT_GRAMMAR_PARSED_H

#include "base/diag.h"
#include "grammar/parse.h"

typedef struct parsed {
  arena *a;
  source_set *ss;
  diag *dg;
  const source_file *file;
  node *root;
  uint32_t nodes; /* next free id */
} parsed;

parsed parse_bytes(const char *text, size_t n);
parsed parse_text(const char *text);
void parsed_free(parsed *p);
char *tree_text(const parsed *p); /* ast_print; in the arena */
/* The i-th message's id ("" if there is none), and its place. */
const char *error_id(const parsed *p, uint32_t i);
uint32_t error_line(const parsed *p, uint32_t i);
uint32_t error_col(const parsed *p, uint32_t i);

void suite_tokens(void);
void suite_tree(void);
void suite_precedence(void);
void suite_errors(void);
void suite_hostile(void);

#endif
