#include "cmd/chi/fill.h"

#include <string.h>

#include "cmd/chi/json.h"

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
    value_greatest(&hi, x->prime);
  } else {
    value_show(&lo, t, t->lo, NULL, false);
    value_show(&hi, t, t->hi, NULL, false);
  }
  report_at(x, start, end, DIAG_INPUT_RANGE, where, shown, t->elem_text,
            arena_strdup(x->c->a, lo.p), arena_strdup(x->c->a, hi.p));
  buf_free(&lo);
  buf_free(&hi);
}

static void nobody(filler *x, const char *s, size_t n, size_t start,
                   size_t end) {
  const people *w = &x->in->who;
  const char **list = ARENA_ARR(x->c->a, const char *, w->n + 1);
  uint32_t k = 0;
  for (uint32_t i = 0; i < w->n; i++)
    if (w->p[i].name != NULL)
      list[k++] = w->p[i].name;
  const char *near = text_near(arena_strndup(x->c->a, s, n), list, k);
  report_at(x, start, end, DIAG_IDENTITY_UNKNOWN, text_shown(x->c->a, s, n),
            NULL, NULL, NULL, NULL);
  if (near != NULL)
    diag_hint(x->c->dg, "Did you mean \"%s\"?", near);
  else
    diag_hint(x->c->dg, "Write its 64 hex digits, or make it: chi new "
              "identity NAME.");
}

static bool put_identity(filler *x, lanes *v, uint64_t at, const char *s,
                         size_t n, size_t start, size_t end) {
  const person *p = people_get(&x->in->who, s, n);
  if (p == NULL && x->in->who.closed) {
    nobody(x, s, n, start, end);
    return false;
  }
  if (p == NULL) {
    diag_report_nowhere(x->c->dg, DIAG_SYSTEM, "make a key", "no randomness");
    return false;
  }
  identity_to_mpz(x->tmp, p->pub);
  lanes_set(v, at, x->tmp);
  return true;
}

bool fill_scalar(filler *x, uint32_t k, const char *s, size_t n, size_t start,
                 size_t end, fill_where where, void *user) {
  const fe_leaf *l = x->in->leaf[k];
  lanes *v = &x->in->val[k];
  uint64_t at = x->cursor[k - x->first]++;
  int64_t small;
  if (v->small != NULL && value_read_small(l, x->prime, s, n, &small)) {
    v->small[at] = small;
    return true;
  }
  value_status st;
  if (l->type->kind == FE_IDENTITY) {
    if (identity_valid(s, n))
      return put_identity(x, v, at, s, n, start, end);
    st = VALUE_FORM;
  } else {
    st = value_read(l, x->prime, s, n, x->tmp);
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
  return fill_scalar(x, k, v->u.text, v->n, v->start, v->end, where_value,
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
      diag_report(x->c->dg, DIAG_INPUT_RAGGED,
                  data_span(x->f, v->start, v->end), x->p->name, got, want);
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

/* Is it an array of bytes, which may be given as text? */
static bool of_bytes(const fe_type *t) {
  return t->ndim > 0 && t->kind == FE_INT && mpz_sgn(t->lo) == 0 &&
         mpz_cmp_ui(t->hi, 255) == 0;
}

/* The numbers of n bytes, a list. */
static json_val byte_list(arena *a, const char *s, uint32_t n, uint32_t start,
                          uint32_t end) {
  json_val *item = ARENA_ARR(a, json_val, n + 1);
  for (uint32_t i = 0; i < n; i++) {
    const char *digits = arena_printf(a, "%u", (unsigned char)s[i]);
    item[i] = (json_val){.kind = JSON_WORD, .start = start, .end = end,
                         .n = (uint32_t)strlen(digits), .u.text = digits};
  }
  return (json_val){.kind = JSON_LIST, .start = start, .end = end, .n = n,
                    .u.item = item};
}

/* v with the strings that stand for rows of bytes as lists; `axes` are left. */
static const json_val *text_as_bytes(arena *a, const json_val *v,
                                     uint32_t axes) {
  json_val *r = ARENA_NEW(a, json_val);
  *r = *v;
  if (v->kind == JSON_STRING && axes == 1) {
    *r = byte_list(a, v->u.text, v->n, v->start, v->end);
  } else if (v->kind == JSON_LIST && axes > 1) {
    json_val *item = ARENA_ARR(a, json_val, v->n + 1);
    for (uint32_t i = 0; i < v->n; i++)
      item[i] = *text_as_bytes(a, &v->u.item[i], axes - 1);
    r->u.item = item;
  }
  return r;
}

static bool fill(filler *x, const fe_type *t, uint32_t k, const json_val *v) {
  if (of_bytes(t)) v = text_as_bytes(x->c->a, v, t->ndim);
  if (t->ndim > 0 || (v->kind == JSON_LIST && t->kind != FE_TUPLE)) {
    if (v->kind != JSON_LIST)
      return wrong_kind(x, v, t,
                        t->ndim == 1 ? "a list" : "a list of lists");
    if (!shape_fits(x, t, v))
      return false;
  }
  return fill_dims(x, t, k, v, 0);
}

bool fill_single(filler *x) {
  return fill_scalar(x, x->first, x->f->text, x->f->n, 0, x->f->n, where_value,
                     NULL);
}

bool fill_json(filler *x, const json_val *v) {
  return fill(x, x->p->type, x->first, v);
}

bool fill_text(filler *x, bool relaxed) {
  json_error err;
  const fe_type *t = x->p->type;
  if (relaxed && t->ndim == 1 && of_bytes(t) && x->f->n > 0 &&
      x->f->n < UINT32_MAX &&
      strchr(" [({\"+-0123456789", x->f->text[0]) == NULL) {
    uint32_t n = (uint32_t)x->f->n; /* the text itself; no list, no number */
    json_val bytes = byte_list(x->c->a, x->f->text, n, 0, n);
    return fill_json(x, &bytes);
  }
  const json_val *v =
      json_read(x->c->a, x->f->text, x->f->n, relaxed, &err);
  if (v == NULL) {
    report_at(x, err.start, err.end, DIAG_INPUT_SYNTAX, err.want, err.found,
              NULL, NULL, NULL);
    return false;
  }
  return fill_json(x, v);
}
