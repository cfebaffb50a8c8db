/* One table of options; the parser, the help pages and the completion scripts'
 * test read it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chi/cli.h"

typedef enum { OPT_FLAG, OPT_TEXT, OPT_LIST } option_kind;

#define AT(F) offsetof(options, F)
#define ON(C) (1u << CMD_##C)
enum {
  CONTRACT = ON(DEPLOY) | ON(CALL) | ON(VIEW) | ON(LOG) | ON(STATE) | ON(INBOX),
  ALL = ON(CHECK) | ON(BUILD) | ON(RUN) | ON(TEST) | ON(COST) | ON(INSPECT) |
        ON(SPLIT) | ON(IMPORT) | ON(EXPLAIN) | ON(NEW) | ON(NET) | CONTRACT |
        ON(VERSION) | ON(HELP),
  NODES = ON(RUN) | ON(TEST) | ON(COST) | ON(NET) | ON(BUILD) | ON(INSPECT),
  SIGNED = ON(DEPLOY) | ON(CALL) | ON(INBOX),
  UNLOCK = ON(NEW) | SIGNED,
  PROCESS = ON(NET_PROCESS) | ON(LEDGER_PROCESS) | ON(NODE_PROCESS)
};

typedef struct option {
  const char *name, *arg;
  option_kind kind;
  size_t at;
  unsigned commands;
  const char *help;
} option;

static const option table[] = {
    {"--input", "NAME=VALUE", OPT_LIST, AT(input), ON(RUN),
     "a parameter: a value, @FILE.csv:COLUMN[,COLUMN...][:FIRST-LAST] or "
     "@FILE.json"},
    {"--nodes", "N", OPT_TEXT, AT(nodes), NODES | ON(NET_PROCESS),
     "how many nodes compute (3..64; 3 if not given)"},
    {"--protocol", "NAME", OPT_TEXT, AT(protocol),
     NODES | ON(NET_PROCESS),
     "rep3 (3 nodes) or shamir (3..64); rep3 with 3 nodes if not given"},
    {"--port", "FIRST", OPT_TEXT, AT(port), ON(NET) | ON(NET_PROCESS),
     "a new network's ledger is on this port, its nodes on the 2N behind it "
     "(free ones if not given)"},
    {"--field", "FIELD", OPT_TEXT, AT(field),
     ON(CHECK) | ON(BUILD) | ON(RUN) | ON(TEST) | ON(COST) | ON(INSPECT) |
         ON(SPLIT) | ON(DEPLOY),
     "the field of the secrets: p61, p127 or prime:N (p61, or p127 where they "
     "need it)"},
    {"--clear", NULL, OPT_FLAG, AT(clear), ON(RUN) | ON(TEST),
     "compute on clear values, without nodes"},
    {"--check", NULL, OPT_FLAG, AT(check), ON(RUN) | ON(TEST),
     "as --clear, and stop at the first assume that is wrong, division of a "
     "secret by 0 or index outside"},
    {"--openings", NULL, OPT_FLAG, AT(openings), ON(RUN),
     "list what is opened, where and to whom"},
    {"--keep", "DIR", OPT_TEXT, AT(keep), ON(RUN),
     "keep the emitted C, header and manifest in DIR"},
    {"--timeout", "SECONDS", OPT_TEXT, AT(timeout),
     ON(RUN) | ON(TEST) | ON(NET) | ON(DEPLOY) | ON(CALL),
     "give up after this long without progress (60)"},
    {"--filter", "TEXT", OPT_TEXT, AT(filter), ON(TEST),
     "only tests whose name contains TEXT"},
    {"--list", NULL, OPT_FLAG, AT(list), ON(TEST), "names of the tests only"},
    {"-o", "PATH", OPT_TEXT, AT(out), ON(BUILD) | ON(IMPORT),
     "the folder for the files, made if it is not there; import: the file"},
    {"--set", "NAME=VALUE", OPT_LIST, AT(set),
     ON(CHECK) | ON(BUILD) | ON(SPLIT) | ON(INSPECT) | ON(COST) | ON(DEPLOY),
     "a template parameter of a contract"},
    {"--stage", "STAGE", OPT_TEXT, AT(stage), ON(INSPECT),
     "high, core or sched (sched if not given)"},
    {"--spans", NULL, OPT_FLAG, AT(spans), ON(INSPECT),
     "say where each instruction comes from"},
    {"--opt", "LEVEL", OPT_TEXT, AT(level),
     ON(BUILD) | ON(RUN) | ON(TEST) | ON(COST) | ON(INSPECT),
     "0, 1 or 2: how much the circuit is improved (2)"},
    {"--all", NULL, OPT_FLAG, AT(all), ON(EXPLAIN),
     "every diagnostic with its story"},
    {"--markdown", NULL, OPT_FLAG, AT(markdown), ON(EXPLAIN),
     "as a page of documentation"},
    {"--as", "NAME", OPT_TEXT, AT(as), SIGNED | ON(VIEW),
     "the identity that acts: chi new identity NAME"},
    {"--batch", "FILE", OPT_TEXT, AT(batch), ON(CALL),
     "calls from FILE (- for standard input), one a line: "
     "[\"ACTION\", ARG, ...]"},
    {"--follow", NULL, OPT_FLAG, AT(follow), ON(LOG),
     "go on with the records that come, until it is interrupted"},
    {"--passphrase-file", "FILE", OPT_TEXT, AT(passphrase_file), UNLOCK,
     "the identity's passphrase is the first line of FILE"},
    {"--key-file", "FILE", OPT_TEXT, AT(key_file), UNLOCK,
     "the identity is encrypted under the 32 bytes of FILE"},
    {"--control", "FD", OPT_TEXT, AT(control), ON(NODE),
     "the socket to the driver"},
    {"--dir", "DIR", OPT_TEXT, AT(dir), PROCESS, "the network's folder"},
    {"--index", "I", OPT_TEXT, AT(index), ON(NODE_PROCESS), "which node"},
    {"--json", NULL, OPT_FLAG, AT(json), ALL, "results as JSON"},
    {"--help", NULL, OPT_FLAG, AT(help), ALL, "this page"},
};
enum { NOPTION = sizeof table / sizeof table[0] };

int usage_error(const cli *c, const char *hint, const char *fmt, ...) {
  va_list ap;
  const char *red = c->colour_err ? "\033[1;31m" : "";
  const char *off = c->colour_err ? "\033[0m" : "";
  fprintf(stderr, "chi: %susage:%s ", red, off);
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
  if (hint != NULL)
    fprintf(stderr, "  %s\n", hint);
  if (command_table[c->cmd].hidden || c->cmd == CMD_HELP)
    fputs("  'chi --help' lists the commands.\n", stderr);
  else
    fprintf(stderr, "  'chi %s --help' tells more.\n",
            command_table[c->cmd].name);
  return EXIT_USAGE;
}

bool opts_number(const cli *c, const char *name, const char *text, unsigned lo,
                 unsigned hi, unsigned *out) {
  size_t n = strspn(text, "0123456789");
  unsigned long v = 0;
  bool ok = n > 0 && n < 10 && text[n] == '\0';
  if (ok)
    v = strtoul(text, NULL, 10);
  if (!ok || v < lo || v > hi) {
    usage_error(c, NULL, "option '%s' takes a number from %u to %u, not '%s'",
                name, lo, hi, text_shown(c->a, text, strlen(text)));
    return false;
  }
  *out = (unsigned)v;
  return true;
}

static const option *find(command_id cmd, const char *name, size_t n) {
  for (size_t i = 0; i < NOPTION; i++)
    if ((table[i].commands >> cmd & 1) && strlen(table[i].name) == n &&
        memcmp(table[i].name, name, n) == 0)
      return &table[i];
  return NULL;
}

static int unknown(const cli *c, const char *word) {
  const char *list[NOPTION], *other = NULL;
  size_t n = 0;
  for (size_t i = 0; i < NOPTION; i++) {
    if (table[i].commands >> c->cmd & 1)
      list[n++] = table[i].name;
    else if (!command_table[c->cmd].hidden && strcmp(table[i].name, word) == 0)
      other = word;
  }
  const char *near = text_near(word, list, n);
  const char *shown = text_shown(c->a, word, strlen(word));
  const char *hint = NULL;
  if (near != NULL)
    hint = arena_printf(c->a, "Did you mean '%s'?", near);
  else if (other != NULL)
    hint = "Other commands have this option; this one does not.";
  return usage_error(c, hint, "unknown option '%s' of 'chi %s'", shown,
                     command_table[c->cmd].name);
}

static int set(cli *c, const option *o, const char *value, bool *seen) {
  char *base = (char *)&c->opt;
  if (o->kind != OPT_LIST) {
    bool *again = &seen[o - table];
    if (*again)
      return usage_error(c, NULL, "option '%s' is given twice", o->name);
    *again = true;
  }
  switch (o->kind) {
  case OPT_FLAG:
    memcpy(base + o->at, &(bool){true}, sizeof(bool));
    break;
  case OPT_TEXT:
    memcpy(base + o->at, &value, sizeof value);
    break;
  case OPT_LIST: {
    word_list *l = (word_list *)(void *)(base + o->at);
    if ((l->n & (l->n - 1)) == 0)
      l->p = arena_grow(c->a, l->p, l->n, 2 * l->n + 1, sizeof *l->p);
    l->p[l->n++] = value;
    break;
  }
  }
  return -1;
}

/* One option at argv[i]; *i moves over a value of its own. */
static int option_at(cli *c, int argc, char **argv, int *i, bool *seen) {
  const char *word = argv[*i], *value = NULL;
  size_t n = strlen(word);
  const char *eq = strchr(word, '=');
  if (word[1] == '-' && eq != NULL) {
    n = (size_t)(eq - word);
    value = eq + 1;
  } else if (word[1] != '-' && n > 2) {
    n = 2; /* -oDIR */
    value = word + 2;
  }
  if (strcmp(word, "-h") == 0) {
    word = "--help";
    n = strlen(word);
  }
  const option *o = find(c->cmd, word, n);
  if (o == NULL)
    return unknown(c, arena_strndup(c->a, word, n));
  if (o->kind == OPT_FLAG) {
    if (value != NULL)
      return usage_error(c, NULL, "option '%s' takes no value", o->name);
  } else if (value == NULL) {
    if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
      return usage_error(c, NULL, "option '%s' needs a value: %s %s", o->name,
                         o->name, o->arg);
    value = argv[++*i];
  }
  return set(c, o, value, seen);
}

/* "-5" is a value where values are arguments. */
static bool is_option(const command *cmd, const char *word) {
  bool number = word[0] == '-' && ((word[1] >= '0' && word[1] <= '9') ||
                                   word[1] == '.');
  return word[0] == '-' && word[1] != '\0' &&
         !(number && cmd->max == ARGS_MANY);
}

int opts_parse(cli *c, int argc, char **argv) {
  const command *cmd = &command_table[c->cmd];
  bool seen[NOPTION] = {false}, only_args = false;
  c->opt.arg = ARENA_ARR(c->a, const char *, (size_t)argc + ARGS_LEAST + 1);
  const char *extra = NULL;
  for (int i = 0; i < argc; i++) {
    if (!only_args && strcmp(argv[i], "--") == 0) {
      only_args = true;
    } else if (!only_args && is_option(cmd, argv[i])) {
      int code = option_at(c, argc, argv, &i, seen);
      if (code >= 0)
        return code;
    } else if (c->opt.narg < cmd->max) {
      c->opt.arg[c->opt.narg++] = argv[i];
    } else if (extra == NULL) {
      extra = argv[i];
    }
  }
  if (c->opt.help)
    return -1;
  if (extra != NULL)
    return usage_error(c, NULL, "unexpected argument '%s'",
                       text_shown(c->a, extra, strlen(extra)));
  if (c->opt.narg < cmd->min)
    return usage_error(c, NULL, "missing argument: chi %s %s", cmd->name,
                       cmd->args);
  return -1;
}

void opts_help(const cli *c, command_id id, buf *out) {
  const command *cmd = &command_table[id];
  (void)c;
  buf_printf(out, "usage: chi %s %s\n\n%s\n\nOptions:\n", cmd->name, cmd->args,
             cmd->text);
  for (size_t i = 0; i < NOPTION; i++) {
    const option *o = &table[i];
    if (!(o->commands >> id & 1))
      continue;
    char left[48];
    snprintf(left, sizeof left, "%s%s%s", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
    buf_printf(out, "  %-20s ", left);
    /* Wrapped at 78 columns, continued under the text. */
    size_t col = 23;
    for (const char *w = o->help; *w != '\0';) {
      size_t n = strcspn(w, " ");
      if (col > 23 && col + 1 + n > 78) {
        buf_printf(out, "\n%23s", "");
        col = 23;
      } else if (col > 23) {
        buf_putc(out, ' ');
        col++;
      }
      buf_write(out, w, n);
      col += n;
      w += n + (w[n] == ' ');
    }
    buf_putc(out, '\n');
  }
  buf_printf(out, "\nExamples:\n%s\n", cmd->examples);
  buf_puts(out, "\nExit codes: 0 fine, 1 the program or its input is wrong, "
                "2 usage,\n3 the network or a node failed, 4 a bug of ours.\n");
}
