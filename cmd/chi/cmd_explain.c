/* chi explain: the story of a diagnostic, the list of all, the page of all. */
#include <ctype.h>
#include <string.h>

#include "cmd/chi/cli.h"

static const char *severity(diag_severity s) {
  return s == SEV_ERROR      ? "error"
         : s == SEV_WARNING  ? "warning"
         : s == SEV_RESOURCE ? "failure"
                             : "bug";
}

/* A story is prose; "Example:" and "Mend:" begin parts of it; indented lines
 * are code. */
typedef struct story {
  const char *line;
  size_t n;
  bool code, part, blank;
} story;

static const char *next_line(const char *s, story *l) {
  l->line = s;
  l->n = strcspn(s, "\n");
  l->blank = strspn(s, " ") >= l->n;
  l->code = !l->blank && s[0] == ' ';
  l->part = strncmp(s, "Example:", 8) == 0 || strncmp(s, "Mend:", 5) == 0;
  s += l->n;
  return *s == '\n' ? s + 1 : s;
}

static void wrapped(buf *b, const char *s, size_t n) {
  size_t col = 0;
  for (size_t i = 0; i < n;) {
    size_t k = 0;
    while (i + k < n && s[i + k] != ' ')
      k++;
    if (col > 0 && col + 1 + k > 78) {
      buf_putc(b, '\n');
      col = 0;
    } else if (col > 0) {
      buf_putc(b, ' ');
      col++;
    }
    buf_write(b, s + i, k);
    col += k;
    i += k;
    while (i < n && s[i] == ' ')
      i++;
  }
  buf_putc(b, '\n');
}

/* Prose at 78 columns, a blank line before each part, code as it stands. */
static void story_text(buf *b, const char *s) {
  while (*s != '\0') {
    story l;
    s = next_line(s, &l);
    if (l.blank)
      continue;
    if (l.part)
      buf_putc(b, '\n');
    if (l.code) {
      buf_write(b, l.line, l.n);
      buf_putc(b, '\n');
    } else {
      wrapped(b, l.line, l.n);
    }
  }
}

static void story_markdown(buf *b, const char *s) {
  size_t indent = 0; /* of the code block at hand; 0: none */
  while (*s != '\0') {
    story l;
    const char *rest = next_line(s, &l);
    if (l.code && indent == 0) {
      indent = strspn(l.line, " ");
      buf_puts(b, "\n```\n");
    } else if (!l.code && !l.blank && indent > 0) {
      indent = 0;
      buf_puts(b, "```\n");
    }
    size_t skip = strspn(l.line, " ");
    if (skip > indent)
      skip = indent;
    if (l.part) {
      size_t k = strcspn(l.line, ":") + 1;
      buf_puts(b, "\n**");
      buf_write(b, l.line, k);
      buf_puts(b, "**");
      buf_write(b, l.line + k, l.n - k);
      buf_putc(b, '\n');
    } else if (!l.blank) {
      buf_write(b, l.line + skip, l.n - skip);
      buf_putc(b, '\n');
    }
    s = rest;
  }
  if (indent > 0)
    buf_puts(b, "```\n");
}

static void one_json(buf *b, const diag_info *d) {
  buf_puts(b, "{\"id\":");
  text_jsonz(b, d->id);
  buf_puts(b, ",\"name\":");
  text_jsonz(b, d->name);
  buf_printf(b, ",\"severity\":\"%s\",\"format\":", severity(d->sev));
  text_jsonz(b, d->fmt);
  buf_puts(b, ",\"story\":");
  text_jsonz(b, d->story);
  buf_putc(b, '}');
}

static void markdown(buf *b) {
  buf_puts(b, "# Diagnostics\n\nEvery message of `chi` has a stable id; `chi "
              "explain ID` prints what stands here.\nThis page is made by "
              "`scripts/gen_diagnostics`.\n");
  for (int i = 0; i < DIAG_COUNT; i++) {
    const diag_info *d = &diag_table[i];
    buf_printf(b, "\n## %s (%s)\n\n`%s`\n\n", d->id, severity(d->sev), d->fmt);
    story_markdown(b, d->story);
  }
}

static const diag_info *find(cli *c, const char *id) {
  char up[16] = {0};
  for (size_t i = 0; id[i] != '\0' && i < sizeof up - 1; i++)
    up[i] = (char)toupper((unsigned char)id[i]);
  const diag_info *d = strlen(id) < sizeof up ? diag_find(up) : NULL;
  if (d != NULL)
    return d;
  const char *list[DIAG_COUNT];
  for (int i = 0; i < DIAG_COUNT; i++)
    list[i] = diag_table[i].id;
  const char *near = text_near(up, list, DIAG_COUNT);
  usage_error(c,
              near ? arena_printf(c->a, "Did you mean '%s'?", near)
                   : "'chi explain' lists them all.",
              "there is no diagnostic '%s'",
              text_shown(c->a, id, strlen(id)));
  return NULL;
}

static void print_list(const cli *c, buf *b) {
  for (int i = 0; i < DIAG_COUNT; i++) {
    const diag_info *d = &diag_table[i];
    if (c->opt.json) {
      buf_puts(b, i ? ",\n " : "[\n ");
      one_json(b, d);
    } else if (c->opt.all) {
      buf_printf(b, "%s%s (%s): %s\n\n", i ? "\n" : "", d->id,
                 severity(d->sev), d->fmt);
      story_text(b, d->story);
    } else {
      buf_printf(b, "%s  %-8s %s\n", d->id, severity(d->sev), d->fmt);
    }
  }
  if (c->opt.json)
    buf_puts(b, "\n]\n");
}

int cmd_explain(cli *c) {
  buf b = {0};
  if (c->opt.narg == 1 && c->opt.all)
    return usage_error(c, NULL, "option '--all' takes no ID");
  if (c->opt.narg == 0) {
    if (c->opt.markdown && !c->opt.json)
      markdown(&b);
    else
      print_list(c, &b);
  } else {
    const diag_info *d = find(c, c->opt.arg[0]);
    if (d == NULL)
      return EXIT_USAGE;
    if (c->opt.json) {
      one_json(&b, d);
      buf_putc(&b, '\n');
    } else if (c->opt.markdown) {
      story_markdown(&b, d->story);
    } else {
      buf_printf(&b, "%s (%s): %s\n\n", d->id, severity(d->sev), d->fmt);
      story_text(&b, d->story);
    }
  }
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
