/* Contracts of a file: the cut of their actions, and the package. */
#ifndef CMD_CHI_PACKAGE_H
#define CMD_CHI_PACKAGE_H

#include "cmd/chi/compile.h"
#include "ir/cut.h"

/* One action and its three parts, at stage high and verified. */
typedef struct parts {
  const fe_contract *c;
  const fe_action *act;
  fe_facts facts;
  ir_module *whole; /* before the cut */
  ir_cut cut;
} parts;

/* False after reports. */
bool parts_make(cli *c, fe_unit *u, const fe_contract *con,
                const fe_action *act, parts *out);
/* The contract by name; NULL: the only one.  NULL after a report. */
const fe_contract *package_find(cli *c, fe_unit *u, const char *name);
const fe_action *package_action(cli *c, const fe_contract *con,
                                const char *name);
/* Compiles contract `name` (NULL: the only one) of a file to its package, see
 * backend/contract.h; NULL after a report.  set: NAME=VALUE of template
 * parameters. */
const char *package_build(cli *c, const char *file, const char *name,
                          const char *const *set, size_t nset, size_t *bytes);
/* The circuit of a function, or of CONTRACT.ACTION; false after reports. */
bool package_circuit(cli *c, fe_unit *u, const char *name, int level,
                     ir_stage stage, const ir_target *model, compiled *x);
/* Reports what fe_check cannot see: limits of circuits, what the cut refuses,
 * where values are told; and, if `all`, promises of cost and the tests. */
void package_check(cli *c, fe_unit *u, bool all);
/* A member `name` behind others: the part as text, or null. */
void package_part(buf *b, const char *name, const ir_module *m);
/* All actions of a contract, in their order; NULL after reports. */
parts *package_parts(cli *c, fe_unit *u, const fe_contract *con);
/* The package's text from the parts of all actions; false after a report that
 * no ledger or node would read it. */
bool package_print(cli *c, fe_unit *u, const fe_contract *con, parts *p,
                   buf *out);

#endif
