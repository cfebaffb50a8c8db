#include "cmd/chi/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/chi/csv.h"
#include "cmd/chi/json.h"

/* One parameter being filled. */
typedef struct filler {
  cli *c;
  inputs *in;
  unsigned mersenne;
  const fe_param *p;
  uint32_t first;      /* of its leaves in `in` */
  uint64_t *cursor;    /* lanes written, per leaf */
  const data_file *f;  /* what the value was read from */
  mpz_t tmp;
} filler;

static void report_at(filler *x, size_t start, size_t end, diag_id id,
                      const char *a, const char *b, const char *d,
                      const char *e, const char *g) {
  if (x->f->has_span)
    diag_report(x->c->dg, id, data_span(x->f, start, end), a, b, d, e, g);
  else
    diag_report_nowhere(x->c->dg, id, a, b, d, e, g);
}

/* ---- scalars ---- */

static void bad_value(filler *x, const fe_leaf *l, value_status st,
                      const char *where, const char *s, size_t n, size_t start,
                      size_t end) {
  const fe_type *t = l->type;
  const char *shown = text_shown(x->c->a, s, n);
  if (st == VALUE_FORM) {
    report_at(x, start, end, DIAG_INPUT_NUMBER, where, shown,
              value_wants(t->kind), NULL, NULL);
    diag_hint(x->c->dg, "\"%s\" is %s.", l->name, t->text);
    return;
  }
  buf lo = {0}, hi = {0};
  if (t->kind == FE_FIELD) {
    buf_puts(&lo, "0");
    buf_printf(&hi, "2^%u-2", x->mersenne);
  } else {
    value_show(&lo, t, t->lo, NULL, false);
    value_show(&hi, t, t->hi, NULL, false);
  }
  report_at(x, start, end, DIAG_INPUT_RANGE, where, shown, t->elem_text,
            arena_strdup(x->c->a, lo.p), arena_strdup(x->c->a, hi.p));
  buf_free(&lo);
  buf_free(&hi);
}

static bool put_identity(filler *x, lanes *v, uint64_t at, const char *s,
                         size_t n) {
  const person *p = people_get(&x->in->who, s, n);
  if (p == NULL) {
    diag_report_nowhere(x->c->dg, DIAG_SYSTEM, "make a key", "no randomness");
    return false;
  }
  identity_to_mpz(x->tmp, p->pub);
  lanes_set(v, at, x->tmp);
  return true;
}

/* The text of one element into the next lane of leaf k; `where` is built only
 * for a message. */
static bool put_scalar(filler *x, uint32_t k, const char *s, size_t n,
                       size_t start, size_t end,
                       const char *(*where)(filler *, uint32_t, void *),
                       void *user) {
  const fe_leaf *l = x->in->leaf[k];
  lanes *v = &x->in->val[k];
  uint64_t at = x->cursor[k - x->first]++;
  int64_t small;
  if (v->small != NULL && value_read_small(l, x->mersenne, s, n, &small)) {
    v->small[at] = small;
    return true;
  }
  value_status st;
  if (l->type->kind == FE_IDENTITY) {
    if (identity_valid(s, n))
      return put_identity(x, v, at, s, n);
    st = VALUE_FORM;
  } else {
    st = value_read(l, x->mersenne, s, n, x->tmp);
  }
  if (st == VALUE_OK) {
    lanes_set(v, at, x->tmp);
    return true;
  }
  bad_value(x, l, st, where(x, k, user), s, n, start, end);
  return false;
}

/* ---- JSON and inline values ---- */

static const char *where_value(filler *x, uint32_t k, void *user) {
  (void)user;
  const fe_leaf *l = x->in->leaf[k];
  uint64_t at = x->cursor[k - x->first] - 1;
  if (l->type->ndim == 0)
    return arena_printf(x->c->a, "input \"%s\"", l->name);
  buf b = {0};
  buf_printf(&b, "input \"%s\"[", l->name);
  uint64_t rest = l->type->lanes;
  for (uint32_t d = 0; d < l->type->ndim; d++) {
    rest /= l->type->dim[d];
    buf_printf(&b, "%s%llu", d ? ", " : "", (unsigned long long)(at / rest));
    at %= rest;
  }
  buf_putc(&b, ']');
  const char *s = arena_strdup(x->c->a, b.p);
  buf_free(&b);
  return s;
}

static uint32_t count_leaves(const fe_type *t) {
  uint32_t n = 0;
  if (t->kind != FE_STRUCT && t->kind != FE_TUPLE)
    return 1;
  for (uint32_t i = 0; i < t->nfield; i++)
    n += count_leaves(t->field[i]);
  return n;
}

static const char *found_kind(filler *x, const json_val *v) {
  switch (v->kind) {
  case JSON_LIST:
    return "a list";
  case JSON_OBJECT:
    return "a struct";
  case JSON_STRING:
    return arena_printf(x->c->a, "\"%s\"",
                        text_shown(x->c->a, v->u.text, v->n));
  case JSON_WORD:
    break;
  }
  return text_shown(x->c->a, v->u.text, v->n);
}

static bool wrong_kind(filler *x, const json_val *v, const fe_type *t,
                       const char *wants) {
  report_at(x, v->start, v->end, DIAG_INPUT_KIND, x->p->name, t->text, wants,
            found_kind(x, v), NULL);
  return false;
}

static bool wrong_shape(filler *x, size_t start, size_t end,
                        const uint64_t *dim, uint32_t ndim,
                        const fe_type *t) {
  buf got = {0}, want = {0};
  value_shape(&got, dim, ndim);
  value_shape(&want, t->dim, t->ndim);
  report_at(x, start, end, DIAG_INPUT_SHAPE, x->p->name,
            arena_strdup(x->c->a, got.p), t->text,
            arena_strdup(x->c->a, want.p), NULL);
  buf_free(&got);
  buf_free(&want);
  return false;
}

static bool fill(filler *x, const fe_type *t, uint32_t k, const json_val *v);

static bool field_error(filler *x, uint32_t start, uint32_t end,
                        const char *why) {
  report_at(x, start, end, DIAG_INPUT_FIELD, x->p->name, why, NULL, NULL,
            NULL);
  return false;
}

static bool fill_struct(filler *x, const fe_type *t, uint32_t k,
                        const json_val *v) {
  if (v->kind != JSON_OBJECT)
    return wrong_kind(x, v, t, "a struct {name: value}");
  for (uint32_t i = 0; i < v->n; i++) {
    const json_member *m = &v->u.member[i];
    const char *shown = text_shown(x->c->a, m->key, strlen(m->key));
    uint32_t j = 0;
    while (j < t->nfield && strcmp(t->field_name[j], m->key) != 0)
      j++;
    if (j == t->nfield) {
      const char *near = text_near(m->key, t->field_name, t->nfield);
      field_error(x, m->start, m->end,
                  arena_printf(x->c->a, "%s has no field \"%s\"", t->elem_text,
                               shown));
      if (near != NULL)
        diag_hint(x->c->dg, "Did you mean \"%s\"?", near);
      return false;
    }
    for (j = 0; j < i; j++)
      if (strcmp(v->u.member[j].key, m->key) == 0)
        return field_error(
            x, m->start, m->end,
            arena_printf(x->c->a, "field \"%s\" is given twice", shown));
  }
  for (uint32_t j = 0; j < t->nfield; j++) {
    const json_val *f = json_get(v, t->field_name[j]);
    if (f == NULL)
      return field_error(x, v->start, v->end,
                         arena_printf(x->c->a, "field \"%s\" of %s is missing",
                                      t->field_name[j], t->elem_text));
    if (!fill(x, t->field[j], k, f))
      return false;
    k += count_leaves(t->field[j]);
  }
  return true;
}

static bool fill_tuple(filler *x, const fe_type *t, uint32_t k,
                       const json_val *v) {
  if (v->kind != JSON_LIST)
    return wrong_kind(x, v, t, "a tuple (a list)");
  if (v->n != t->nfield)
    return field_error(x, v->start, v->end,
                       arena_printf(x->c->a, "%s has %u elements, not %u",
                                    t->elem_text, t->nfield, v->n));
  for (uint32_t j = 0; j < t->nfield; j++) {
    if (!fill(x, t->field[j], k, &v->u.item[j]))
      return false;
    k += count_leaves(t->field[j]);
  }
  return true;
}

/* One element, dims aside. */
static bool fill_one(filler *x, const fe_type *t, uint32_t k,
                     const json_val *v) {
  if (t->kind == FE_STRUCT)
    return fill_struct(x, t, k, v);
  if (t->kind == FE_TUPLE)
    return fill_tuple(x, t, k, v);
  if (v->kind == JSON_LIST || v->kind == JSON_OBJECT)
    return wrong_kind(x, v, t, value_wants(t->kind));
  return put_scalar(x, k, v->u.text, v->n, v->start, v->end, where_value,
                    NULL);
}

static bool fill_dims(filler *x, const fe_type *t, uint32_t k,
                      const json_val *v, uint32_t d) {
  if (d == t->ndim)
    return fill_one(x, t, k, v);
  if (v->kind != JSON_LIST)
    return wrong_kind(x, v, t, "a list");
  if (v->n != t->dim[d]) {
    unsigned long long got = v->n, want = t->dim[d];
    if (x->f->has_span)
      diag_report(x->c->dg, DIAG_INPUT_RAGGED, data_span(x->f, v->start, v->end),
                  x->p->name, got, want);
    else
      diag_report_nowhere(x->c->dg, DIAG_INPUT_RAGGED, x->p->name, got, want);
    return false;
  }
  for (uint32_t i = 0; i < v->n; i++)
    if (!fill_dims(x, t, k, &v->u.item[i], d + 1))
      return false;
  return true;
}

/* Shape along the first elements, as deep as the type has dims. */
static bool shape_fits(filler *x, const fe_type *t, const json_val *v) {
  enum { RANK_MAX = 64 };
  uint64_t dim[RANK_MAX];
  uint32_t n = 0;
  const json_val *at = v;
  bool scalar = t->kind != FE_STRUCT && t->kind != FE_TUPLE;
  while (n < RANK_MAX && at->kind == JSON_LIST && (scalar || n < t->ndim)) {
    dim[n++] = at->n;
    if (at->n == 0)
      break;
    at = &at->u.item[0];
  }
  bool same = n == t->ndim;
  for (uint32_t i = 0; same && i < n; i++)
    same = dim[i] == t->dim[i];
  return same || wrong_shape(x, v->start, v->end, dim, n, t);
}

static bool fill(filler *x, const fe_type *t, uint32_t k, const json_val *v) {
  if (t->ndim > 0 || (v->kind == JSON_LIST && t->kind != FE_TUPLE)) {
    if (v->kind != JSON_LIST)
      return wrong_kind(x, v, t,
                        t->ndim == 1 ? "a list" : "a list of lists");
    if (!shape_fits(x, t, v))
      return false;
  }
  return fill_dims(x, t, k, v, 0);
}

static bool from_text(filler *x, bool relaxed) {
  json_error err;
  const json_val *v =
      json_read(x->c->a, x->f->text, x->f->n, relaxed, &err);
  if (v == NULL) {
    report_at(x, err.start, err.end, DIAG_INPUT_SYNTAX, err.want, err.found,
              NULL, NULL, NULL);
    return false;
  }
  return fill(x, x->p->type, x->first, v);
}

/* ---- CSV ---- */

typedef struct column_ref {
  const char *name;
  size_t at; /* in the header */
} column_ref;

typedef struct csv_request {
  const char *path;
  column_ref *col;
  size_t ncol;
  bool rows; /* first..last given */
  uint64_t first, last;
} csv_request;

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

static bool from_csv(filler *x, csv_request *q, span sp) {
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
          !put_scalar(x, x->first, f->text, f->n, f->start, f->end, where_csv,
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

/* ---- --input NAME=VALUE ---- */

typedef struct request {
  const data_file *text; /* the whole option as a source */
  const char *name, *value;
  span name_sp, value_sp;
} request;

static bool is_file(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), k = strlen(end);
  return n >= k && strcasecmp(s + n - k, end) == 0;
}

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

/* COLUMN[,COLUMN...][:FIRST-LAST] */
static bool read_request(filler *x, const char *s, csv_request *q, span sp) {
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

static bool from_file(filler *x, const request *r) {
  const char *at = r->value + 1;
  cli *c = x->c;
  if (ends_with(at, ".json")) {
    x->f = data_open(c, at, r->value_sp);
    return x->f != NULL && from_text(x, false);
  }
  /* The path ends at the first colon that leaves a file's name. */
  const char *colon = NULL;
  for (const char *p = strchr(at, ':'); p != NULL; p = strchr(p + 1, ':'))
    if (is_file(arena_strndup(c->a, at, (size_t)(p - at)))) {
      colon = p;
      break;
    }
  if (colon == NULL)
    colon = strchr(at, ':');
  if (colon == NULL) {
    if (!is_file(at)) {
      x->f = data_open(c, at, r->value_sp);
      if (x->f == NULL)
        return false;
    }
    diag_report(c->dg, DIAG_INPUT_FILE_FORM, r->value_sp,
                text_shown(c->a, at, strlen(at)));
    diag_hint(c->dg, "Write @%s:COLUMN; JSON files end in .json.", at);
    return false;
  }
  csv_request q = {.path = arena_strndup(c->a, at, (size_t)(colon - at))};
  if (!read_request(x, colon + 1, &q, r->value_sp))
    return false;
  x->f = data_open(c, q.path, r->value_sp);
  return x->f != NULL && from_csv(x, &q, r->value_sp);
}

static bool from_option(filler *x, const request *r) {
  if (r->value[0] == '@')
    return from_file(x, r);
  /* The text behind "=" is a document of its own inside the option. */
  size_t skip = (size_t)(r->value - r->text->text);
  data_file *d = ARENA_NEW(x->c->a, data_file);
  *d = *r->text;
  d->text += skip;
  d->n -= skip;
  d->base += (uint32_t)skip;
  x->f = d;
  const fe_type *t = x->p->type;
  if (t->kind == FE_IDENTITY && t->ndim == 0 && d->text[0] != '"')
    return put_scalar(x, x->first, d->text, d->n, 0, d->n, where_value, NULL);
  return from_text(x, true);
}

static bool split(cli *c, const char *option, request *r) {
  const char *eq = strchr(option, '=');
  size_t n = strlen(option);
  source_id id;
  if (!source_add(c->ss, "--input", option, n, &id)) {
    diag_report_nowhere(c->dg, DIAG_INPUT_FORM,
                        text_shown(c->a, option, n));
    return false;
  }
  const source_file *s = source_get(c->ss, id);
  data_file *d = ARENA_NEW(c->a, data_file);
  *d = (data_file){s->path, s->text, s->n, true, s->base};
  r->text = d;
  if (eq == NULL || eq == option || eq[1] == '\0' ||
      strcmp(eq + 1, "@") == 0) {
    diag_report(c->dg, DIAG_INPUT_FORM, data_span(d, 0, n),
                text_shown(c->a, option, n));
    return false;
  }
  size_t k = (size_t)(eq - option);
  r->name = arena_strndup(c->a, option, k);
  r->value = s->text + k + 1;
  r->name_sp = data_span(d, 0, k);
  r->value_sp = data_span(d, k + 1, n);
  return true;
}

static const fe_param *find_param(cli *c, const fe_fn *f, const request *r) {
  for (uint32_t i = 0; i < f->nparam; i++)
    if (strcmp(f->param[i].name, r->name) == 0)
      return &f->param[i];
  const char **list = ARENA_ARR(c->a, const char *, f->nparam + 1);
  for (uint32_t i = 0; i < f->nparam; i++)
    list[i] = f->param[i].name;
  const char *near = text_near(r->name, list, f->nparam);
  diag_report(c->dg, DIAG_INPUT_UNKNOWN, r->name_sp, f->name,
              text_shown(c->a, r->name, strlen(r->name)));
  if (near != NULL)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  else if (f->nparam == 0)
    diag_hint(c->dg, "It has no parameters.");
  return NULL;
}

static bool read_one(cli *c, const fe_fn *f, unsigned mersenne, inputs *in,
                     const char *option, bool *given) {
  request r;
  if (!split(c, option, &r))
    return false;
  const fe_param *p = find_param(c, f, &r);
  if (p == NULL)
    return false;
  uint32_t i = (uint32_t)(p - f->param), first = 0;
  if (given[i]) {
    diag_report(c->dg, DIAG_INPUT_TWICE, r.name_sp, p->name);
    return false;
  }
  given[i] = true;
  for (uint32_t j = 0; j < i; j++)
    first += f->param[j].nleaf;
  filler x = {c, in, mersenne, p, first, NULL, r.text, {{0}}};
  x.cursor = ARENA_ARR(c->a, uint64_t, p->nleaf + 1);
  mpz_init(x.tmp);
  bool ok = from_option(&x, &r);
  mpz_clear(x.tmp);
  return ok;
}

bool inputs_read(cli *c, const fe_fn *f, unsigned mersenne, inputs *in) {
  bool ok = true;
  *in = (inputs){0};
  for (uint32_t i = 0; i < f->nparam; i++)
    in->n += f->param[i].nleaf;
  in->leaf = ARENA_ARR(c->a, const fe_leaf *, in->n + 1);
  in->val = ARENA_ARR(c->a, lanes, in->n + 1);
  uint32_t k = 0;
  for (uint32_t i = 0; i < f->nparam; i++)
    for (uint32_t j = 0; j < f->param[i].nleaf; j++, k++) {
      in->leaf[k] = &f->param[i].leaf[j];
      lanes_new(&in->val[k], in->leaf[k]);
    }
  bool *given = ARENA_ARR(c->a, bool, f->nparam + 1);
  for (size_t i = 0; i < c->opt.ninput; i++)
    ok &= read_one(c, f, mersenne, in, c->opt.input[i], given);
  for (uint32_t i = 0; i < f->nparam; i++) {
    if (given[i] || f->param[i].nleaf == 0)
      continue;
    diag_report_nowhere(c->dg, DIAG_INPUT_MISSING, f->param[i].name, f->name,
                        f->param[i].type->text);
    diag_hint(c->dg, "Add --input %s=VALUE.", f->param[i].name);
    ok = false;
  }
  return ok;
}

void inputs_free(inputs *in) {
  for (uint32_t i = 0; i < in->n; i++)
    lanes_free(&in->val[i]);
  people_free(&in->who);
}
