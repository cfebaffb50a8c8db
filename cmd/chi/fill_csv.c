#include "cmd/chi/csv.h"

#include <string.h>

#include "cmd/chi/fill.h"

/* One column name, quoted or not, at *s; the rest begins at "," ":" or the
 * end. */
static bool column_name(cli *c, const char **s, const char **out) {
  const char *p = *s;
  if (*p == '"') {
    const char *q = strchr(p + 1, '"');
    if (q == NULL)
      return false;
    *out = arena_strndup(c->a, p + 1, (size_t)(q - p - 1));
    *s = q + 1;
  } else {
    size_t n = strcspn(p, ",:");
    *out = arena_strndup(c->a, p, n);
    *s = p + n;
  }
  return (*out)[0] != '\0' && (**s == '\0' || **s == ',' || **s == ':');
}

static bool row_number(const char **s, uint64_t *out) {
  uint64_t v = 0;
  size_t n = strspn(*s, "0123456789");
  for (size_t i = 0; i < n && n <= 18; i++)
    v = v * 10 + (uint64_t)((*s)[i] - '0');
  *s += n;
  *out = v;
  return n > 0 && n <= 18;
}

bool fill_csv_request(filler *x, const char *s, csv_request *q, span sp) {
  const char *from = s;
  q->col = arena_array(x->c->a, strlen(s) + 1, sizeof *q->col);
  for (;;) {
    if (!column_name(x->c, &s, &q->col[q->ncol].name)) {
      diag_report(x->c->dg, DIAG_INPUT_SYNTAX, sp, "a column's name",
                  arena_printf(x->c->a, "\"%s\"",
                               text_shown(x->c->a, from, strlen(from))));
      return false;
    }
    q->ncol++;
    if (*s != ',')
      break;
    s++;
  }
  if (*s == '\0')
    return true;
  from = ++s;
  q->rows = true;
  bool ok = row_number(&s, &q->first);
  if (ok && *s == '-') {
    s++;
    ok = row_number(&s, &q->last);
  } else {
    q->last = q->first;
  }
  if (ok && *s == '\0' && q->first >= 1 && q->first <= q->last)
    return true;
  diag_report(x->c->dg, DIAG_INPUT_SYNTAX, sp,
              "rows FIRST-LAST, counted from 1, FIRST at most LAST",
              arena_printf(x->c->a, "\"%s\"",
                           text_shown(x->c->a, from, strlen(from))));
  return false;
}

typedef struct csv_where {
  const csv *t;
  const char *path, *column;
} csv_where;

static const char *where_csv(filler *x, uint32_t k, void *user) {
  const csv_where *w = user;
  (void)k;
  return arena_printf(x->c->a, "data file \"%s\", row %llu, column \"%s\"",
                      w->path, (unsigned long long)w->t->row, w->column);
}

static bool find_columns(filler *x, const csv *t, csv_request *q, span sp) {
  for (size_t i = 0; i < q->ncol; i++) {
    size_t hits = 0;
    for (size_t j = 0; j < t->ncolumn; j++)
      if (strcmp(t->column[j], q->col[i].name) == 0) {
        q->col[i].at = j;
        hits++;
      }
    if (hits == 1)
      continue;
    const char *name = q->col[i].name;
    if (hits > 1) {
      diag_report(x->c->dg, DIAG_CSV_HEADER, sp, q->path,
                  arena_printf(x->c->a, "column \"%s\" stands %zu times in "
                               "its header", name, hits));
      return false;
    }
    diag_report(x->c->dg, DIAG_CSV_COLUMN, sp, q->path,
                text_shown(x->c->a, name, strlen(name)));
    buf b = {0};
    for (size_t j = 0; j < t->ncolumn && b.n < 300; j++)
      buf_printf(&b, "%s\"%s\"", j ? ", " : "",
                 text_shown(x->c->a, t->column[j], strlen(t->column[j])));
    const char *near = text_near(name, t->column, t->ncolumn);
    if (near != NULL)
      diag_hint(x->c->dg, "Did you mean \"%s\"?", near);
    else
      diag_hint(x->c->dg, "Its columns are %s.", b.p != NULL ? b.p : "none");
    buf_free(&b);
    return false;
  }
  return true;
}

static bool csv_broken(filler *x, const csv *t, const csv_request *q) {
  const char *why = t->error;
  if (why == NULL)
    why = arena_printf(x->c->a, "it has %zu field%s, the header has %zu",
                       t->nfield, t->nfield == 1 ? "" : "s", t->ncolumn);
  if (x->f->has_span)
    diag_report(x->c->dg, DIAG_CSV_ROW, data_span(x->f, t->start, t->end),
                q->path, (unsigned long long)t->row, why);
  else
    diag_report_nowhere(x->c->dg, DIAG_CSV_ROW, q->path,
                        (unsigned long long)t->row, why);
  return false;
}

static bool csv_shape(filler *x, const csv_request *q, uint64_t rows,
                      span sp) {
  const fe_type *t = x->p->type;
  uint64_t dim[2] = {rows, q->ncol};
  uint32_t n = q->ncol == 1 ? 1 : 2;
  bool fits = t->ndim == n && t->dim[0] == rows &&
              (n == 1 || t->dim[1] == q->ncol);
  /* One row stands for a vector or a single value, one column for n x 1. */
  fits = fits || (rows == 1 && t->ndim == 1 && t->dim[0] == q->ncol) ||
         (rows == 1 && q->ncol == 1 && t->ndim == 0) ||
         (n == 1 && t->ndim == 2 && t->dim[0] == rows && t->dim[1] == 1);
  if (fits)
    return true;
  buf got = {0}, want = {0};
  value_shape(&got, dim, n);
  value_shape(&want, t->dim, t->ndim);
  diag_report(x->c->dg, DIAG_INPUT_SHAPE, sp, x->p->name, got.p, t->text,
              want.p);
  if (!q->rows && t->ndim > 0 && t->dim[0] < rows)
    diag_hint(x->c->dg, "Take some of the rows: :1-%llu behind the column.",
              (unsigned long long)t->dim[0]);
  buf_free(&got);
  buf_free(&want);
  return false;
}

bool fill_csv(filler *x, csv_request *q, span sp) {
  const fe_type *type = x->p->type;
  if (type->kind == FE_STRUCT || type->kind == FE_TUPLE) {
    diag_report(x->c->dg, DIAG_INPUT_KIND, sp, x->p->name, type->text,
                value_wants(type->kind), "columns of a CSV file");
    diag_hint(x->c->dg, "Give it as @FILE.json.");
    return false;
  }
  csv t;
  if (!csv_open(&t, x->c->a, x->f->text, x->f->n)) {
    diag_report(x->c->dg, DIAG_CSV_HEADER, sp, q->path, t.error);
    csv_close(&t);
    return false;
  }
  bool ok = find_columns(x, &t, q, sp);
  uint64_t taken = 0;
  int more = 0, bad = 0;
  while (ok && (more = csv_next(&t)) > 0) {
    if (q->rows && (t.row < q->first || t.row > q->last))
      continue;
    taken++;
    for (size_t j = 0; j < q->ncol && bad < 5; j++) {
      const csv_field *f = &t.field[q->col[j].at];
      csv_where w = {&t, q->path, q->col[j].name};
      if (x->cursor[0] < type->lanes &&
          !fill_scalar(x, x->first, f->text, f->n, f->start, f->end, where_csv,
                      &w))
        bad++;
    }
  }
  if (ok && more < 0)
    ok = csv_broken(x, &t, q);
  if (ok && q->rows && q->last > t.row) {
    diag_report(x->c->dg, DIAG_CSV_RANGE, sp, q->path,
                (unsigned long long)t.row,
                arena_printf(x->c->a, "%llu-%llu",
                             (unsigned long long)q->first,
                             (unsigned long long)q->last));
    ok = false;
  }
  ok = ok && bad == 0 && csv_shape(x, q, taken, sp);
  csv_close(&t);
  return ok;
}
