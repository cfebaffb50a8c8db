/* --input options, and the parameters they fill. */
#include "cmd/chi/inputs.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cmd/chi/fill.h"

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
  for (size_t i = 0; i < c->opt.input.n; i++)
    ok &= read_one(c, f, mersenne, in, c->opt.input.p[i], given);
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
