/* The command's own vocabulary: options, where things are installed, what a
 * subcommand is.  Only this folder prints and exits. */
#ifndef CMD_CHI_CLI_H
#define CMD_CHI_CLI_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/source.h"

enum {
  EXIT_FINE = 0,
  EXIT_PROGRAM = 1, /* the program or its input is wrong */
  EXIT_USAGE = 2,
  EXIT_NETWORK = 3, /* the network, a node or this machine failed */
  EXIT_BUG = 4
};

typedef enum {
  CMD_CHECK,
  CMD_BUILD,
  CMD_RUN,
  CMD_TEST,
  CMD_COST,
  CMD_INSPECT,
  CMD_SPLIT,
  CMD_IMPORT,
  CMD_EXPLAIN,
  CMD_NEW,
  CMD_NET,
  CMD_DEPLOY,
  CMD_CALL,
  CMD_VIEW,
  CMD_LOG,
  CMD_STATE,
  CMD_INBOX,
  CMD_VERSION,
  CMD_HELP,
  CMD_NODE,
  CMD_NET_PROCESS,
  CMD_LEDGER_PROCESS,
  CMD_NODE_PROCESS,
  CMD_COUNT
} command_id;

typedef struct word_list {
  const char **p;
  size_t n;
} word_list;

/* Every option of every subcommand; opts.c says which takes which. */
typedef struct options {
  const char **arg; /* FILE FN, ID, COMMAND ..; NULL where there is none */
  unsigned narg;
  bool help, json, clear, check, openings, spans, all, markdown, list, follow;
  word_list input; /* NAME=VALUE, in order */
  word_list set;   /* NAME=VALUE of template parameters */
  const char *nodes, *protocol, *field, *keep, *out, *stage, *filter, *timeout, *port;
  const char *level, *control, *passphrase_file, *key_file, *as, *dir;
  const char *index, *batch;
} options;

typedef struct cli {
  arena *a; /* lives as long as the process */
  source_set *ss;
  diag *dg;
  options opt;
  command_id cmd;
  const char *self;                  /* this executable */
  const char *include, *std;         /* staged or installed beside it */
  mpz_srcptr prime;                  /* of --field; NULL: not given */
  bool colour_out, colour_err, tty_err;
} cli;

enum { ARGS_LEAST = 2, ARGS_MANY = 1 << 20 };

typedef struct command {
  const char *name, *args, *summary, *text, *examples;
  unsigned min, max; /* positional arguments; ARGS_MANY: any number */
  int (*run)(cli *c);
  bool hidden;
} command;
extern const command command_table[CMD_COUNT];

/* ---- opts.c ---- */
/* Fills c->opt; EXIT_USAGE after a message, or -1: go on. */
int opts_parse(cli *c, int argc, char **argv);
void opts_help(const cli *c, command_id id, buf *out);
int usage_error(const cli *c, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A whole number of an option within lo..hi; false after a usage error. */
bool opts_number(const cli *c, const char *option, const char *text,
                 unsigned lo, unsigned hi, unsigned *out);

/* ---- field.c ---- */
/* c->prime from --field; false after a usage error. */
bool option_field(cli *c);

/* ---- text.c ---- */
/* The candidate nearest to `word`, or NULL if none is near. */
const char *text_near(const char *word, const char *const *list, size_t n);
void text_json(buf *b, const char *s, size_t n); /* quoted and escaped */
void text_jsonz(buf *b, const char *s);          /* NULL prints null */
/* Shown in a message: escaped, at most 40 bytes. */
const char *text_shown(arena *a, const char *s, size_t n);
const char *text_whole(arena *a, const char *s); /* escaped only */
void text_count(buf *b, uint64_t v); /* 12,345,678 */

/* ---- report.c ---- */
/* Prints what the diag holds (stderr, or stdout as JSON) and gives the exit
 * code it stands for. */
int report_end(cli *c);
/* The same after a failure, which always has a reason. */
int report_failure(cli *c);
void report_json(const cli *c, buf *out); /* the array */
int report_code(const diag *d);
void report_warnings(cli *c);             /* text on stderr, whatever --json */
/* Writes to stdout; false after a message if it could not. */
bool print_out(const buf *b);

/* ---- subcommands ---- */
int cmd_check(cli *c);
int cmd_build(cli *c);
int cmd_run(cli *c);
int cmd_test(cli *c);
int cmd_cost(cli *c);
int cmd_inspect(cli *c);
int cmd_split(cli *c);
int cmd_import(cli *c);
int cmd_explain(cli *c);
int cmd_new(cli *c);
int cmd_net(cli *c);
int cmd_deploy(cli *c);
int cmd_call(cli *c);
int cmd_view(cli *c);
int cmd_log(cli *c);
int cmd_state(cli *c);
int cmd_inbox(cli *c);
int cmd_version(cli *c);
int cmd_help(cli *c);
int cmd_node(cli *c);

#endif
