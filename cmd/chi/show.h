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
/* A value of type t from the lanes of its leaves, in order; a leaf with n = 0
 * shows as null.  `inline_form`: for people, on one line, long lists cut. */
void show_value(buf *b, const fe_type *t, const lanes *v, uint32_t n,
                const people *who, bool inline_form);
/* As a line, or a block of lines that begin at column `indent`. */
void show_leaf(buf *b, const fe_type *t, const lanes *v, const people *who,
               size_t indent);
/* The type of a circuit's output leaf of n lanes, from the circuit's own words;
 * dim has SHOW_RANK_MAX places and belongs to it. */
enum { SHOW_RANK_MAX = 64 };
void show_leaf_type(const ir_leaf *l, uint64_t n, fe_type *t, uint64_t *dim);
void show_key(buf *b, const uint8_t key[32], const people *who, bool json);
/* Values told to one identity: [{"name":..,"to":..,"value":..}]. */
void show_told_json(buf *b, const ir_module *m, const outcome *o,
                    const people *who);
void show_told(buf *b, const cli *c, const ir_module *m, const outcome *o,
               const people *who);
/* What is opened, where, to whom, and what is assumed: members of an object,
 * "openings" and "assumes"; lines. */
void show_openings_json(buf *b, const cli *c, const fe_facts *f);
void show_openings(buf *b, const cli *c, const fe_facts *f);
void show_assumes(buf *b, const cli *c, const fe_facts *f);
const char *show_protocol(const ir_target *m);

#endif
