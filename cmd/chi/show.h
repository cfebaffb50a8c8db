/* Outputs and costs as text and as JSON. */
#ifndef CMD_CHI_SHOW_H
#define CMD_CHI_SHOW_H

#include "cmd/chi/compile.h"
#include "cmd/chi/eval.h"

/* {"result": ...}, or the fields of a struct. */
void show_outputs_json(buf *b, const fe_fn *f, const outcome *o,
                       const people *who);
void show_outputs(buf *b, const cli *c, const ir_module *m, const fe_fn *f,
                  const outcome *o, const people *who);
/* Values told to one identity: [{"name":..,"to":..,"value":..}]. */
void show_told_json(buf *b, const ir_module *m, const outcome *o,
                    const people *who);
void show_told(buf *b, const cli *c, const ir_module *m, const outcome *o,
               const people *who);
/* What is opened, where, to whom. */
void show_openings_json(buf *b, const cli *c, const fe_facts *f);
void show_openings(buf *b, const cli *c, const fe_facts *f);
const char *show_protocol(const ir_cost_model *m);

#endif
