/* The whole compile: file to checked unit to circuit to C. */
#ifndef CMD_CHI_COMPILE_H
#define CMD_CHI_COMPILE_H

#include "backend/backend.h"
#include "chi.h"
#include "cmd/chi/cli.h"
#include "frontend/frontend.h"
#include "ir/cost.h"
#include "ir/ir.h"

typedef struct compiled {
  const fe_fn *fn; /* NULL: a test */
  ir_module *m;
  fe_facts facts;
  ir_cost_meter *meter; /* static cost, if at stage sched */
  const ir_cost *cost;
} compiled;

/* Options of several subcommands; false after a usage error. */
bool option_level(cli *c, int *level);
bool option_model(cli *c, ir_target *model);
/* The circuit's field, for libchi; as long as m lives. */
/* Why n nodes cannot share over p: NULL if they can. */
const char *compile_too_many(cli *c, mpz_srcptr p, bool shamir, unsigned n);
chi_field compile_field(const ir_module *m);

/* Read and checked; NULL after reports. */
fe_unit *compile_unit(cli *c, const char *path);
/* The same with template parameters, "SEATS=20". */
fe_unit *compile_unit_given(cli *c, const char *path, const char *const *given,
                            size_t n);
/* SHA-256, hexadecimal, of all files read, each with its length before it. */
const char *compile_source_hash(cli *c, fe_unit *u);
/* The function by name, runnable; NULL after a report. */
const fe_fn *compile_find(cli *c, fe_unit *u, const char *name);
/* To stage `upto`, for the nodes of `model`; at sched with its static cost and
 * the function's #[rounds] and #[bytes] kept.  With --check it stays as it is
 * lowered, for the interpreter.  False after reports. */
bool compile_fn(cli *c, fe_unit *u, const fe_fn *f, int level, ir_stage upto,
                const ir_target *model, compiled *out);
/* The circuit of an action, which is at stage high and is changed. */
bool compile_circuit(cli *c, ir_module *m, const fe_fn *f,
                     const fe_facts *facts, int level, ir_stage upto,
                     const ir_target *model, compiled *out);
bool compile_test(cli *c, fe_unit *u, uint32_t i, int level, ir_stage upto,
                  const ir_target *model, compiled *out);
/* C, header and manifest; the caller frees `o`.  `stem` names the files. */
bool compile_emit(cli *c, fe_unit *u, compiled *x, const char *stem,
                  backend_output *o);
/* The name of the chi_program in what compile_emit made. */
const char *compile_symbol(cli *c, fe_unit *u, const compiled *x);

#endif
