/* --input options, and the parameters they fill. */
#include "cmd/chi/inputs.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cmd/chi/fill.h"
#include "cmd/chi/json.h"

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

static bool from_file(filler *x, const request *r) {
  const char *at = r->value + 1;
  cli *c = x->c;
  if (ends_with(at, ".json")) {
    x->f = data_open(c, at, r->value_sp);
    return x->f != NULL && fill_text(x, false);
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
  if (!fill_csv_request(x, colon + 1, &q, r->value_sp))
    return false;
  x->f = data_open(c, q.path, r->value_sp);
  return x->f != NULL && fill_csv(x, &q, r->value_sp);
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
    return fill_single(x);
  return fill_text(x, true);
}

/* The text of an option or an argument, as a source for messages. */
static bool add_text(cli *c, const char *label, const char *text,
                     request *r) {
  size_t n = strlen(text);
  source_id id;
  if (!source_add(c->ss, label, text, n, &id)) {
    diag_report_nowhere(c->dg, DIAG_INPUT_FORM, text_shown(c->a, text, n));
    return false;
  }
  const source_file *s = source_get(c->ss, id);
  data_file *d = ARENA_NEW(c->a, data_file);
  *d = (data_file){s->path, s->text, s->n, true, s->base};
  r->text = d;
  return true;
}

static bool bad_form(cli *c, const request *r) {
  const data_file *d = r->text;
  diag_report(c->dg, DIAG_INPUT_FORM, data_span(d, 0, d->n),
              text_shown(c->a, d->text, d->n));
  return false;
}

static bool split(cli *c, const char *label, const char *option, request *r) {
  const char *eq = strchr(option, '=');
  if (!add_text(c, label, option, r))
    return false;
  if (eq == NULL || eq == option || eq[1] == '\0' ||
      strcmp(eq + 1, "@") == 0)
    return bad_form(c, r);
  size_t k = (size_t)(eq - option);
  r->name = arena_strndup(c->a, option, k);
  r->value = r->text->text + k + 1;
  r->name_sp = data_span(r->text, 0, k);
  r->value_sp = data_span(r->text, k + 1, r->text->n);
  return true;
}

static void hint_params(cli *c, const fe_fn *f) {
  buf b = {0};
  for (uint32_t i = 0; i < f->nparam; i++)
    buf_printf(&b, "%s%s", i ? ", " : "", f->param[i].name);
  diag_hint(c->dg, "It has: %s.", b.p);
  buf_free(&b);
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
  else
    hint_params(c, f);
  return NULL;
}

/* ---- a parameter ---- */

typedef struct intake {
  cli *c;
  const fe_fn *f;
  mpz_srcptr prime;
  inputs *in;
  bool *given;
} intake;

static bool begin_value(intake *t, const fe_param *p, span sp, filler *x) {
  uint32_t i = (uint32_t)(p - t->f->param), first = 0;
  if (t->given[i]) {
    diag_report(t->c->dg, DIAG_INPUT_TWICE, sp, p->name);
    return false;
  }
  t->given[i] = true;
  for (uint32_t j = 0; j < i; j++)
    first += t->f->param[j].nleaf;
  *x = (filler){t->c, t->in, t->prime, p, first, NULL, NULL, {{0}}};
  x->cursor = ARENA_ARR(t->c->a, uint64_t, p->nleaf + 1);
  mpz_init(x->tmp);
  return true;
}

static bool read_value(intake *t, const fe_param *p, request *r) {
  filler x;
  if (!begin_value(t, p, r->name_sp, &x))
    return false;
  x.f = r->text;
  bool ok = from_option(&x, r);
  mpz_clear(x.tmp);
  return ok;
}

static bool read_json(intake *t, const fe_param *p, const data_file *d,
                      const json_val *v, span sp) {
  filler x;
  if (!begin_value(t, p, sp, &x))
    return false;
  x.f = d;
  bool ok = fill_json(&x, v);
  mpz_clear(x.tmp);
  return ok;
}

static bool read_named(intake *t, const char *label, const char *text) {
  request r;
  if (!split(t->c, label, text, &r))
    return false;
  const fe_param *p = find_param(t->c, t->f, &r);
  return p != NULL && read_value(t, p, &r);
}

static void begin(intake *t) {
  const fe_fn *f = t->f;
  inputs *in = t->in;
  uint32_t k = 0;
  for (uint32_t i = 0; i < f->nparam; i++)
    in->n += f->param[i].nleaf;
  in->leaf = ARENA_ARR(t->c->a, const fe_leaf *, in->n + 1);
  in->val = ARENA_ARR(t->c->a, lanes, in->n + 1);
  for (uint32_t i = 0; i < f->nparam; i++)
    for (uint32_t j = 0; j < f->param[i].nleaf; j++, k++) {
      in->leaf[k] = &f->param[i].leaf[j];
      lanes_new(&in->val[k], in->leaf[k], t->prime);
    }
  t->given = ARENA_ARR(t->c->a, bool, f->nparam + 1);
}

static bool complete(intake *t, const char *mend) {
  bool ok = true;
  for (uint32_t i = 0; i < t->f->nparam; i++) {
    const fe_param *p = &t->f->param[i];
    if (t->given[i] || p->nleaf == 0)
      continue;
    diag_report_nowhere(t->c->dg, DIAG_INPUT_MISSING, p->name, t->f->name,
                        p->type->text);
    diag_hint(t->c->dg, "Add %s%s=VALUE.", mend, p->name);
    ok = false;
  }
  return ok;
}

bool inputs_read(cli *c, const fe_fn *f, mpz_srcptr prime, inputs *in) {
  intake t = {c, f, prime, in, NULL};
  bool ok = true;
  *in = (inputs){0};
  begin(&t);
  for (size_t i = 0; i < c->opt.input.n; i++)
    ok &= read_named(&t, "--input", c->opt.input.p[i]);
  return ok && complete(&t, "--input ");
}

/* ---- arguments of the command ---- */

/* NAME=VALUE, where NAME could be a parameter's. */
static bool is_named(const char *s) {
  size_t n = 0;
  while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
         s[n] == '_' || (n > 0 && s[n] >= '0' && s[n] <= '9'))
    n++;
  return n > 0 && s[n] == '=';
}

static bool too_many(intake *t, span sp) {
  diag_report(t->c->dg, DIAG_ARGUMENT_EXTRA, sp, t->f->name, t->f->nparam,
              t->f->nparam == 1 ? "" : "s");
  return false;
}

static bool read_placed(intake *t, const char *label, const char *text,
                        uint32_t i, bool after_named) {
  cli *c = t->c;
  request r;
  if (!add_text(c, label, text, &r))
    return false;
  size_t n = r.text->n;
  if (n == 0 || strcmp(text, "@") == 0)
    return bad_form(c, &r);
  r.name_sp = r.value_sp = data_span(r.text, 0, n);
  if (after_named) {
    diag_report(c->dg, DIAG_ARGUMENT_ORDER, r.value_sp,
                text_shown(c->a, text, n));
    return false;
  }
  if (i >= t->f->nparam)
    return too_many(t, r.value_sp);
  r.name = t->f->param[i].name;
  r.value = r.text->text;
  return read_value(t, &t->f->param[i], &r);
}

bool inputs_read_args(cli *c, const fe_fn *f, mpz_srcptr prime,
                      const char *const *arg, size_t narg, inputs *in) {
  intake t = {c, f, prime, in, NULL};
  bool ok = true, named = false;
  uint32_t placed = 0;
  begin(&t);
  for (size_t i = 0; i < narg; i++) {
    const char *label = arena_printf(c->a, "argument %zu", i + 1);
    if (is_named(arg[i])) {
      named = true;
      ok &= read_named(&t, label, arg[i]);
    } else {
      ok &= read_placed(&t, label, arg[i], placed++, named);
    }
  }
  return ok && complete(&t, "");
}

static bool read_members(intake *t, const data_file *d, const json_val *v) {
  bool ok = true;
  for (uint32_t i = 0; i < v->n; i++) {
    const json_member *m = &v->u.member[i];
    request r = {.name = m->key, .name_sp = data_span(d, m->start, m->end)};
    const fe_param *p = find_param(t->c, t->f, &r);
    ok &= p != NULL && read_json(t, p, d, &m->val, r.name_sp);
  }
  return ok;
}

bool inputs_read_list(cli *c, const fe_fn *f, mpz_srcptr prime,
                      const data_file *d, const json_val *v, uint32_t n,
                      inputs *in) {
  intake t = {c, f, prime, in, NULL};
  bool ok = true;
  begin(&t);
  for (uint32_t i = 0; i < n && ok; i++) {
    span sp = data_span(d, v[i].start, v[i].end);
    const fe_param *p = i < f->nparam ? &f->param[i] : NULL;
    bool value = p != NULL && p->type->kind == FE_STRUCT && p->type->ndim == 0;
    if (i + 1 == n && v[i].kind == JSON_OBJECT && !value)
      ok = read_members(&t, d, &v[i]);
    else
      ok = p != NULL ? read_json(&t, p, d, &v[i], sp) : too_many(&t, sp);
  }
  return ok && complete(&t, "");
}

void inputs_free(inputs *in) {
  for (uint32_t i = 0; i < in->n; i++)
    lanes_free(&in->val[i]);
  people_free(&in->who);
}
