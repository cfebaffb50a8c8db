/* chi: finds its own things, picks the subcommand, gives its exit code. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/chi/cli.h"
#include "cmd/chi/net.h"
#include "cmd/chi/version.h"

#define INPUT_FORMS                                                            \
  "VALUE is a number, true or false, a decimal for fixed, a list [1, 2, 3],\n" \
  "a matrix [[1, 2], [3, 4]], a struct {x: 1, y: 2}, or, for an identity, a\n" \
  "name (a fresh key for this run; the same name is the same identity) or 64\n"\
  "hex digits. A CSV file has a header; rows are counted from 1 after it and\n"\
  "FIRST-LAST includes both. One column makes a list, several a matrix."

#define ARG_FORMS                                                              \
  "ARG is VALUE for the next parameter, or NAME=VALUE; VALUE is written as\n"  \
  "for 'chi run --input': a number, true, [1, 2, 3], {x: 1}, @FILE.json, and\n"\
  "for an identity the name of one of yours or 64 hex digits."

const command command_table[CMD_COUNT] = {
    [CMD_CHECK] = {"check", "FILE", "errors and warnings only",
                   "Reads, types and checks FILE and all that it imports, and "
                   "tells what is wrong\nwith it. Nothing is written.",
                   "  chi check vote.chi\n  chi check --json vote.chi", 1, 1,
                   cmd_check, false},
    [CMD_BUILD] = {"build", "FILE [NAME] -o DIR",
                   "the circuit as C, header and manifest",
                   "Compiles the function NAME (all runnable functions and "
                   "all contracts of FILE if\nNAME is not given) into "
                   "DIR/NAME.c, DIR/NAME.h and DIR/NAME.json. Of a "
                   "contract,\nit writes the circuit of each action in the "
                   "same way, as CONTRACT.ACTION, and\nthe package that is "
                   "deployed, with the public parts, as\n"
                   "DIR/CONTRACT.contract.json.",
                   "  chi build vote.chi count -o out\n"
                   "  chi build vote.chi -o out\n"
                   "  chi build pool.chi SalaryPool --set SEATS=20 -o out",
                   1, 2, cmd_build, false},
    [CMD_RUN] = {"run", "FILE FN [--input NAME=VALUE ...]",
                 "computes a function on nodes of this machine",
                 "Starts N node processes with fresh keys, shares the inputs "
                 "among them as\nclients would, runs FN over TLS and prints "
                 "its outputs and its cost, predicted\nbeside measured. "
                 "Nothing is left behind.\n\n" INPUT_FORMS,
                 "  chi run vote.chi count --input votes=[1,0,1]\n"
                 "  chi run mean.chi mean --input xs=@pay.csv:salary:1-40\n"
                 "  chi run fit.chi fit --input x=@d.csv:age,dose --input "
                 "y=@d.csv:effect --nodes 5\n"
                 "  chi run vote.chi count --input votes=@votes.json --clear",
                 2, 2, cmd_run, false},
    [CMD_TEST] = {"test", "FILE", "its test blocks, in the clear and on nodes",
                  "Runs every test block of FILE on clear values and then on "
                  "real nodes; both\nmust agree.",
                  "  chi test vote.chi\n  chi test vote.chi --filter empty\n"
                  "  chi test vote.chi --protocol shamir --nodes 5",
                  1, 1, cmd_test, false},
    [CMD_COST] = {"cost", "FILE NAME", "rounds and bytes, exactly what run "
                  "measures",
                  "Tells the rounds, the bytes that each node sends, the "
                  "elements and the memory\nof one run of NAME, a function or "
                  "CONTRACT.ACTION, per source line and in total,\nand what is "
                  "opened. Where control flow depends on public values of the "
                  "run, it\nsays 'at most'.",
                  "  chi cost vote.chi count\n"
                  "  chi cost pool.chi SalaryPool.close\n"
                  "  chi cost vote.chi count --protocol shamir --nodes 7",
                  2, 2, cmd_cost, false},
    [CMD_INSPECT] = {"inspect", "FILE NAME --stage high|core|sched",
                     "the circuit as text",
                     "Prints the circuit of NAME, a function or "
                     "CONTRACT.ACTION, at a stage, in the\ntext form that "
                     "parses back.",
                     "  chi inspect vote.chi count --stage high\n"
                     "  chi inspect pool.chi SalaryPool.close --stage high\n"
                     "  chi inspect vote.chi count --stage sched --spans",
                     2, 2, cmd_inspect, false},
    [CMD_SPLIT] = {"split", "FILE [ACTION]",
                   "where an action is cut: ledger, nodes, ledger",
                   "Shows the actions of the contracts in FILE line by line: "
                   "what the ledger runs\nbefore the nodes, what the nodes run "
                   "on shares, what the ledger runs after; what\nis handed on, "
                   "and what is opened. ACTION may be CONTRACT.ACTION.",
                   "  chi split pool.chi\n  chi split pool.chi close\n"
                   "  chi split pool.chi SalaryPool.close --json",
                   1, 2, cmd_split, false},
    [CMD_IMPORT] = {"import", "bristol FILE",
                    "the declaration for a circuit file",
                    "Reads FILE, a boolean circuit in the format Bristol "
                    "Fashion, and prints how a\nsource file declares it as a "
                    "function, or writes that to the file of -o.",
                    "  chi import bristol adder64.txt\n"
                    "  chi import bristol adder64.txt -o adder64.chi\n"
                    "  chi import bristol adder64.txt --json",
                    2, 2, cmd_import, false},
    [CMD_EXPLAIN] = {"explain", "[ID]", "the long story of a diagnostic",
                     "Tells what a diagnostic means, why it is one, and how "
                     "its cause is mended.\nWithout ID: the list of all.",
                     "  chi explain E0101\n  chi explain", 0, 1, cmd_explain,
                     false},
    [CMD_NEW] = {"new", "identity NAME", "an identity: a key pair of yours",
                 "Makes a key pair and keeps it in chirograph/identities of "
                 "your configuration\nfolder, encrypted under a passphrase or "
                 "a key file. Contracts know you by its\npublic half. The key "
                 "file is made if it is not there; one key file may serve\n"
                 "many identities, and they open without asking.",
                 "  chi new identity ann\n"
                 "  chi new identity ann --passphrase-file secret.txt\n"
                 "  chi new identity ann --key-file "
                 "~/.config/chirograph/key",
                 2, 2, cmd_new, false},
    [CMD_NET] = {"net", "start|stop|status",
                 "a local network of nodes and a ledger",
                 "Keeps a network in the folder .chi of the current folder: a "
                 "ledger and N node\nprocesses on the loopback. 'start' makes "
                 "it the first time, starts it and waits\nuntil everything "
                 "answers; a process that dies is started again. 'stop' ends "
                 "all\nof them; what they keep stays. 'status' tells how they "
                 "are, and exits with 3\nunless all of them answer.",
                 "  chi net start\n  chi net start --nodes 5 --port 20000\n"
                 "  chi net status --json\n  chi net stop",
                 1, 1, cmd_net, false},
    [CMD_DEPLOY] = {"deploy", "FILE [CONTRACT] [NAME=VALUE ...] --as NAME",
                    "a contract onto the ledger",
                    "Compiles CONTRACT (the only one, if it is not named) of "
                    "FILE to a package and\nputs it on the ledger of this "
                    "folder's network. NAME=VALUE are the contract's\nown "
                    "parameters. A FILE that ends in .json is a package that "
                    "was built before.\nSeveral contracts of one name become "
                    "Pool, Pool-2 and so on.",
                    "  chi deploy pool.chi --as ann\n"
                    "  chi deploy vote.chi Vote deadline=1700000000 --as ann\n"
                    "  chi deploy pool.chi --set SEATS=20 --as ann\n"
                    "  chi deploy out/Pool.contract.json --as ann",
                    1, ARGS_MANY, cmd_deploy, false},
    [CMD_CALL] = {"call", "CONTRACT ACTION [ARG ...] --as NAME",
                  "runs an action of a contract",
                  "Seals the secret arguments for the nodes, signs the call "
                  "and waits for its end.\nPrints the result, what was opened, "
                  "the events, what was told to the caller, and\nthe cost. While "
                  "another call holds what this one needs, it "
                  "waits.\n\n" ARG_FORMS
                  "\nA failed condition exits with 1 and its reason; a call "
                  "that the nodes could not\nrun exits with 3. CONTRACT is "
                  "a label, or the first digits of an id.\n\n"
                  "With --batch, each line of FILE is a call: a JSON list of "
                  "the action's name and\nits arguments in order, or by name "
                  "in an object in the last place, like\n[\"pay\", {\"to\": "
                  "\"bob\", \"amount\": 5}]. Each call has a line of output. "
                  "One that\nreverts does not stop those behind it, and the "
                  "exit code is 1; anything else that\ngoes wrong does.",
                  "  chi call Pool join 4200 --as ann\n"
                  "  chi call Pool pay to=bob amount=5 --as ann --json\n"
                  "  chi call Vote cast [0,1,0] --as ann\n"
                  "  chi call Pool --batch calls.txt --as ann",
                  1, ARGS_MANY, cmd_call, false},
    [CMD_VIEW] = {"view", "CONTRACT VIEW [ARG ...]",
                  "what a view of a contract says",
                  "Runs a view on the public state as it is now. No nodes are "
                  "needed and nothing is\nrecorded. With --as, the view's "
                  "caller is that identity.\n\n" ARG_FORMS,
                  "  chi view Pool count\n  chi view Pool seat_of ann\n"
                  "  chi view Pool mine --as ann",
                  2, ARGS_MANY, cmd_view, false},
    [CMD_LOG] = {"log", "CONTRACT", "the history of a contract, verified",
                 "Has the ledger check its whole chain and state, checks the "
                 "chain and the\nsignatures again while it reads, and tells "
                 "every record of the contract: who,\nwhat, the outcome, what "
                 "was opened, events. With --follow and --json, one record\nis "
                 "one line.",
                 "  chi log Pool\n  chi log Pool --follow\n"
                 "  chi log Pool --json",
                 1, 1, cmd_log, false},
    [CMD_STATE] = {"state", "CONTRACT", "the state of a contract",
                   "Prints the public state, maps included. Of secret state it "
                   "tells the type, the\nversion (the call that wrote it) and "
                   "which nodes hold their share of it.",
                   "  chi state Pool\n  chi state Pool --json", 1, 1,
                   cmd_state, false},
    [CMD_INBOX] = {"inbox", "--as NAME", "values told to an identity",
                   "Fetches what contracts told to the identity with "
                   "reveal(x, to: id), from every\nnode, and opens it.",
                   "  chi inbox --as ann\n  chi inbox --as ann --json", 0, 0,
                   cmd_inbox, false},
    [CMD_VERSION] = {"version", "", "version of the command",
                     "Prints the version.", "  chi version", 0, 0, cmd_version,
                     false},
    [CMD_HELP] = {"help", "[COMMAND]", "this list, or a command's page",
                  "Tells what a command does.", "  chi help run", 0, 1,
                  cmd_help, false},
    [CMD_NODE] = {"node", "--control FD", "", "", "", 0, 0, cmd_node, true},
    [CMD_NET_PROCESS] = {"net-process", "--dir DIR", "", "", "", 0, 0,
                         cmd_net_process, true},
    [CMD_LEDGER_PROCESS] = {"ledger-process", "--dir DIR", "", "", "", 0, 0,
                            cmd_ledger_process, true},
    [CMD_NODE_PROCESS] = {"node-process", "--dir DIR --index I", "", "", "", 0,
                          0, cmd_node_process, true},
};

int cmd_version(cli *c) {
  buf b = {0};
  if (c->opt.json)
    buf_printf(&b, "{\"version\":\"%s\"}\n", CHI_VERSION);
  else
    buf_printf(&b, "chi %s\n", CHI_VERSION);
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

static void overview(buf *b) {
  buf_puts(b, "usage: chi COMMAND ...\n\n"
              "Chirograph: private contracts to multi-party computation.\n\n"
              "Commands:\n");
  for (int i = 0; i < CMD_COUNT; i++)
    if (!command_table[i].hidden)
      buf_printf(b, "  %-9s %s\n", command_table[i].name,
                 command_table[i].summary);
  buf_puts(b, "\n'chi COMMAND --help' tells more about one of them.\n");
}

static command_id find_command(const char *name) {
  int i = 0;
  while (i < CMD_COUNT && strcmp(command_table[i].name, name) != 0)
    i++;
  return (command_id)i;
}

static int unknown_command(cli *c, const char *name) {
  const char *list[CMD_COUNT];
  size_t n = 0;
  for (int i = 0; i < CMD_COUNT; i++)
    if (!command_table[i].hidden)
      list[n++] = command_table[i].name;
  const char *near = text_near(name, list, n);
  c->cmd = CMD_HELP;
  return usage_error(
      c, near ? arena_printf(c->a, "Did you mean 'chi %s'?", near) : NULL,
      "unknown command '%s'", text_shown(c->a, name, strlen(name)));
}

static int help_json(const buf *text) {
  buf b = {0};
  buf_puts(&b, "{\"help\":");
  text_json(&b, text->p, text->n);
  buf_puts(&b, "}\n");
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}

static int help_page(cli *c, command_id id) {
  buf b = {0};
  if (id == CMD_COUNT)
    overview(&b);
  else
    opts_help(c, id, &b);
  int code = c->opt.json       ? help_json(&b)
             : print_out(&b) ? EXIT_FINE
                             : EXIT_NETWORK;
  buf_free(&b);
  return code;
}

int cmd_help(cli *c) {
  if (c->opt.narg == 0)
    return help_page(c, CMD_COUNT);
  command_id id = find_command(c->opt.arg[0]);
  if (id == CMD_COUNT || command_table[id].hidden)
    return unknown_command(c, c->opt.arg[0]);
  return help_page(c, id);
}

/* Headers and share/chirograph/std stand beside bin/, in the build tree
 * as in an installation. */
static void find_home(cli *c) {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0)
    n = snprintf(path, sizeof path, "%s", "/usr/local/bin/chi");
  path[n] = '\0';
  c->self = arena_strdup(c->a, path);
  for (int i = 0; i < 2; i++) {
    char *slash = strrchr(path, '/');
    if (slash != NULL)
      *slash = '\0';
  }
  c->include = arena_printf(c->a, "%s/%s", path, CHI_INCLUDE);
  c->std = arena_printf(c->a, "%s/%s", path, CHI_STD);
}

static void find_terminal(cli *c) {
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  bool plain = (no != NULL && no[0] != '\0') ||
               (term != NULL && strcmp(term, "dumb") == 0);
  c->tty_err = isatty(2) == 1;
  c->colour_err = c->tty_err && !plain;
  c->colour_out = isatty(1) == 1 && !plain;
}

static int dispatch(cli *c, int argc, char **argv) {
  if (argc < 2) {
    c->cmd = CMD_HELP;
    return usage_error(c, NULL, "no command is given");
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
    name = "help";
  else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
    name = "version";
  command_id id = find_command(name);
  if (id == CMD_COUNT) {
    c->cmd = CMD_HELP;
    if (name[0] == '-')
      return usage_error(c, "Options follow the command.",
                         "unknown option '%s' of 'chi'",
                         text_shown(c->a, name, strlen(name)));
    return unknown_command(c, name);
  }
  c->cmd = id;
  int code = opts_parse(c, argc - 2, argv + 2);
  if (code >= 0)
    return code;
  if (c->opt.help)
    return help_page(c, id);
  if (!option_field(c))
    return EXIT_USAGE;
  return command_table[id].run(c);
}

int main(int argc, char **argv) {
  cli c = {0};
  c.a = arena_new();
  c.ss = source_set_new(c.a);
  c.dg = diag_new(c.a, c.ss);
  find_home(&c);
  find_terminal(&c);
  int code = dispatch(&c, argc, argv);
  arena_free(c.a);
  return code;
}
