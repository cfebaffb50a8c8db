/* Columns of a CSV file, RFC 4180: header required, CRLF or LF, quotes. */
#ifndef CMD_CHI_CSV_H
#define CMD_CHI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct csv_field {
  const char *text; /* without quotes and outer blanks; not terminated */
  size_t n, start, end; /* where in the file, quotes included */
} csv_field;

typedef struct csv {
  arena *a;
  const char *s;
  size_t n, i;
  csv_field *field; /* of the row read last */
  size_t nfield, cap;
  const char **column;
  size_t ncolumn;
  uint64_t row;      /* 1: first data row; 0 after csv_open */
  const char *error; /* a clause, with its place in start, end */
  size_t start, end;
} csv;

/* Reads the header; false with error.  The text is n bytes and a NUL and
 * lives longer. */
bool csv_open(csv *c, arena *a, const char *text, size_t n);
/* The next data row: 1, 0 at the end, -1 with error. */
int csv_next(csv *c);
void csv_close(csv *c);

#endif
