/* The inputs of a run: --input options read into lanes, one per leaf. */
#ifndef CMD_CHI_INPUTS_H
#define CMD_CHI_INPUTS_H

#include "cmd/chi/cli.h"
#include "cmd/chi/values.h"
#include "frontend/frontend.h"

typedef struct inputs {
  const fe_leaf **leaf; /* in the order of the circuit's inputs */
  lanes *val;
  uint32_t n;
  people who;
} inputs;

/* Reads every --input of c for the parameters of f; false after reports to
 * c->dg.  Free in either case. */
bool inputs_read(cli *c, const fe_fn *f, mpz_srcptr prime, inputs *in);
/* The same from arguments of the command: VALUE in order, then NAME=VALUE.
 * in->who is the caller's: the people that names may stand for. */
bool inputs_read_args(cli *c, const fe_fn *f, mpz_srcptr prime,
                      const char *const *arg, size_t narg, inputs *in);
/* The same from the elements of a list, which v is in the text of d: values in
 * order; an object in the last place names the others, unless a struct belongs
 * there. */
struct data_file;
struct json_val;
bool inputs_read_list(cli *c, const fe_fn *f, mpz_srcptr prime,
                      const struct data_file *d, const struct json_val *v,
                      uint32_t n, inputs *in);
void inputs_free(inputs *in);

/* ---- data.c: the files that inputs name ---- */
typedef struct data_file {
  const char *path, *text;
  size_t n;
  bool has_span; /* registered as a source; else only rows are named */
  uint32_t base;
} data_file;
/* NULL after a report at `sp`. */
const data_file *data_open(cli *c, const char *path, span sp);
static inline span data_span(const data_file *f, size_t start, size_t end) {
  return (span){f->base + (uint32_t)start, f->base + (uint32_t)end};
}

#endif
