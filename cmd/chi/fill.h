/* One parameter being filled with lanes: from JSON or inline text (fill.c),
 * from columns of a CSV file (fill_csv.c). */
#ifndef CMD_CHI_FILL_H
#define CMD_CHI_FILL_H

#include "cmd/chi/inputs.h"

typedef struct filler {
  cli *c;
  inputs *in;
  mpz_srcptr prime;
  const fe_param *p;
  uint32_t first;     /* of its leaves in `in` */
  uint64_t *cursor;   /* lanes written, per leaf */
  const data_file *f; /* what the value is read from */
  mpz_t tmp;
} filler;

/* Names the place of a value for a message; called only then. */
typedef const char *(*fill_where)(filler *x, uint32_t leaf, void *user);

/* All are false after a report. */

/* The text of one element into the next lane of leaf k. */
bool fill_scalar(filler *x, uint32_t k, const char *s, size_t n, size_t start,
                 size_t end, fill_where where, void *user);
/* The whole text of x->f as one element. */
bool fill_single(filler *x);
/* The text of x->f as JSON, or in the relaxed form of the command line. */
bool fill_text(filler *x, bool relaxed);
/* A value that was read from the text of x->f. */
struct json_val;
bool fill_json(filler *x, const struct json_val *v);

typedef struct csv_column {
  const char *name;
  size_t at; /* in the header */
} csv_column;

typedef struct csv_request {
  const char *path;
  csv_column *col;
  size_t ncol;
  bool rows; /* first..last given */
  uint64_t first, last;
} csv_request;

/* Reads COLUMN[,COLUMN...][:FIRST-LAST]. */
bool fill_csv_request(filler *x, const char *s, csv_request *q, span sp);
/* Columns of x->f; sp is the option's value. */
bool fill_csv(filler *x, csv_request *q, span sp);

#endif
