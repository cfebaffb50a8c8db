/* A circuit on clear values, and its cost with these very inputs. */
#ifndef CMD_CHI_EVAL_H
#define CMD_CHI_EVAL_H

#include "cmd/chi/compile.h"
#include "cmd/chi/inputs.h"

typedef struct told_value {
  uint32_t output; /* index into the circuit's results */
  uint8_t to[32];
  lanes val; /* n = 0: sealed for a key that is elsewhere */
} told_value;

/* What a run gave, in the clear or on nodes. */
typedef struct outcome {
  lanes *val; /* n = 0: shared or told */
  uint32_t n;
  told_value *told;
  uint32_t ntold;
} outcome;
void outcome_free(outcome *o);
/* From the order of the circuit's outputs, told ones among them, to that of
 * the function's result leaves. */
void outcome_arrange(outcome *o, const ir_module *m, const fe_fn *f);

typedef struct evaluation {
  ir_status status;
  const char *message; /* after a failed check */
  span sp;
  const ir_cost *cost; /* of this run, exactly; NULL with --check */
  outcome out;
  double seconds;
} evaluation;

/* in may be NULL (tests).  False after a report of a bug; a failed check is no
 * report but e->status. */
bool eval_run(cli *c, const compiled *x, const inputs *in,
              const ir_target *model, evaluation *e);
/* Reports the failed check as an error of the program. */
void eval_report(cli *c, const evaluation *e);

#endif
