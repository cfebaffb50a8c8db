/* Many calls by one process: a line each, one after the other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/call.h"
#include "cmd/chi/json.h"

typedef struct batch {
  call *k;
  FILE *f;
  const char *path; /* for messages */
  unsigned long line, reverted;
} batch;

/* ---- a line ---- */

/* The line as a source, at its place in the file. */
static const data_file *line_source(batch *b, const char *text, size_t n) {
  cli *c = b->k->c;
  size_t above = b->line - 1;
  source_id id;
  char *p = arena_alloc(c->a, above + n + 1);
  memset(p, '\n', above);
  memcpy(p + above, text, n);
  p[above + n] = '\0';
  if (!source_add(c->ss, b->path, p, above + n, &id)) {
    diag_report_nowhere(c->dg, DIAG_BATCH_LINE, "is too long");
    return NULL;
  }
  const source_file *s = source_get(c->ss, id);
  data_file *d = ARENA_NEW(c->a, data_file);
  *d = (data_file){s->path, s->text, s->n, true, s->base};
  return d;
}

static bool read_call(batch *b, const char *text, size_t n) {
  call *k = b->k;
  cli *c = k->c;
  json_error err;
  const data_file *d = line_source(b, text, n);
  if (d == NULL)
    return false;
  const json_val *v = json_read(c->a, d->text, d->n, false, &err);
  if (v == NULL) {
    diag_report(c->dg, DIAG_INPUT_SYNTAX, data_span(d, err.start, err.end),
                err.want, err.found);
    return false;
  }
  if (v->kind != JSON_LIST || v->n == 0 ||
      v->u.item[0].kind != JSON_STRING) {
    diag_report(c->dg, DIAG_BATCH_LINE, data_span(d, v->start, v->end),
                "is a list that begins with the action's name");
    return false;
  }
  const char *name = arena_strndup(c->a, v->u.item[0].u.text, v->u.item[0].n);
  k->act = iface_find(c, k->f, CT_ACTION, name,
                      data_span(d, v->u.item[0].start, v->u.item[0].end));
  k->in.who = k->x.who;
  return k->act != NULL &&
         inputs_read_list(c, &k->act->fn, k->f->k->p, d, v->u.item + 1,
                          v->n - 1, &k->in);
}

/* ---- telling ---- */

static void put_reverted(const batch *b, buf *out) {
  const call *k = b->k;
  if (!k->c->opt.json) {
    buf_printf(out, "line %lu: %s.%s reverted: %s\n", b->line, k->inst.label,
               k->act->fn.name, k->reverted);
    return;
  }
  buf_puts(out, "\"action\":");
  text_jsonz(out, k->act->fn.name);
  buf_printf(out, ",\"call\":%llu,\"record\":%llu,\"outcome\":\"reverted\","
                  "\"why\":",
             (unsigned long long)k->seq, (unsigned long long)k->end);
  text_jsonz(out, k->reverted);
  buf_puts(out, "}\n");
}

static void put_done(const batch *b, buf *out) {
  const call *k = b->k;
  story s = {k->c, k->f, &k->x.who, false};
  buf one = {0};
  if (k->c->opt.json) {
    call_json(k, &one);
    buf_puts(out, one.p + 1); /* behind its brace */
    buf_putc(out, '\n');
  } else {
    buf_printf(out, "line %lu: %s.%s is done, record %llu", b->line,
               k->inst.label, k->act->fn.name, (unsigned long long)k->end);
    story_result(&s, &one, k->act, &k->r->result, ", ");
    buf_puts(out, one.n > 0 ? one.p : "\n");
    call_told(k, out);
  }
  buf_free(&one);
}

/* What stops the batch. */
static void put_failure(const batch *b, buf *out) {
  buf all = {0};
  report_json(b->k->c, &all);
  buf_puts(out, "\"diagnostics\":");
  for (size_t i = 0; i < all.n; i++)
    if (all.p[i] != '\n')
      buf_putc(out, all.p[i]);
  buf_puts(out, "}\n");
  buf_free(&all);
}

static int tell(const batch *b, bool ok) {
  const cli *c = b->k->c;
  int code = ok ? EXIT_FINE : report_code(c->dg);
  buf out = {0};
  if (c->opt.json)
    buf_printf(&out, "{\"line\":%lu,", b->line);
  if (ok)
    put_done(b, &out);
  else if (b->k->reverted != NULL)
    put_reverted(b, &out);
  else if (c->opt.json)
    put_failure(b, &out);
  else
    report_warnings(b->k->c);
  if (!print_out(&out))
    code = EXIT_NETWORK;
  buf_free(&out);
  return code;
}

/* ---- all of them ---- */

/* One line with memory and diagnostics of its own. */
static int make_one(batch *b, const char *text, size_t n) {
  call *k = b->k;
  cli *whole = k->c, mine = *whole;
  mine.a = arena_new();
  mine.ss = source_set_new(mine.a);
  mine.dg = diag_new(mine.a, mine.ss);
  k->c = k->x.c = &mine;
  bool ok = read_call(b, text, n);
  if (ok) {
    progress_begin(&k->prog, &mine);
    ok = call_make(k);
    progress_end(&k->prog);
  }
  b->reverted += !ok && k->reverted != NULL;
  int code = tell(b, ok);
  call_forget(k);
  k->c = k->x.c = whole;
  arena_free(mine.a);
  return code;
}

static bool is_blank(const char *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strchr(" \t\r\n", s[i]) == NULL || s[i] == '\0')
      return false;
  return true;
}

static int run(batch *b) {
  char *text = NULL;
  size_t cap = 0;
  int code = EXIT_FINE;
  ssize_t n;
  errno = 0;
  while (code == EXIT_FINE && (n = getline(&text, &cap, b->f)) >= 0) {
    unsigned long before = b->reverted;
    b->line++;
    if (is_blank(text, (size_t)n))
      continue;
    code = make_one(b, text, (size_t)n - (text[n - 1] == '\n'));
    if (code == EXIT_PROGRAM && b->reverted > before)
      code = EXIT_FINE;
    errno = 0;
  }
  int why = errno;
  free(text);
  if (code == EXIT_FINE && ferror(b->f)) {
    diag_report_nowhere(b->k->c->dg, DIAG_INPUT_FILE, b->path, strerror(why));
    return report_failure(b->k->c);
  }
  return code == EXIT_FINE && b->reverted > 0 ? EXIT_PROGRAM : code;
}

int call_batch(call *k) {
  cli *c = k->c;
  const char *path = c->opt.batch;
  bool std = strcmp(path, "-") == 0;
  batch b = {.k = k,
             .f = std ? stdin : fopen(path, "r"),
             .path = std ? "standard input"
                         : text_shown(c->a, path, strlen(path))};
  if (b.f == NULL) {
    diag_report_nowhere(c->dg, DIAG_INPUT_FILE, b.path, strerror(errno));
    return report_failure(c);
  }
  int code = run(&b);
  if (!std)
    fclose(b.f);
  return code;
}
