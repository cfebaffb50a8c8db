/* A source text, loaded and checked. */
#ifndef TESTS_FRONTEND_CHECKED_H
#define TESTS_FRONTEND_CHECKED_H

#include <CUnit/Basic.h>

#include "frontend/sema.h"
#include "ir/ir.h"

typedef struct checked {
  arena *a;
  source_set *ss;
  diag *dg;
  fe_unit *u;
  bool ok;
} checked;

extern const char *std_dir; /* from the command line */

checked check_text(const char *text);
void checked_free(checked *c);
/* Interval of what the only instance of fn returns; NULL if it has none. */
const ival *returned(const checked *c, const char *fn);
bool has_id(const checked *c, const char *id);

void suite_intervals(void);
void suite_types(void);
void suite_units(void);
void suite_loops(void);
void suite_circuits(void);
void suite_bristol(void);

#endif
