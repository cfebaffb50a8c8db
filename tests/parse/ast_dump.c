/* ast-dump FILE: the syntax tree as text, then what there was to report.
 * With --quiet only the messages, with --stats only counts.  Exit 1 if there
 * were errors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "grammar/parse.h"

static int run(arena *a, const char *mode, const char *path) {
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  source_id id;
  if (!source_load(ss, path, &id)) {
    fprintf(stderr, "ast-dump: %s: %s\n", path, strerror(errno));
    return 2;
  }
  uint32_t nodes = 0;
  node *file = parse_file(a, ss, id, dg, &nodes);
  buf out = {0};
  if (strcmp(mode, "--stats") == 0)
    buf_printf(&out, "items %u nodes %u depth %u errors %u\n", file->nkid,
               nodes, file->depth, diag_errors(dg));
  else if (strcmp(mode, "--quiet") != 0)
    ast_print(file, &out);
  diag_sort(dg);
  diag_render_all(dg, &out, false);
  if (out.n) fwrite(out.p, 1, out.n, stdout);
  buf_free(&out);
  return diag_errors(dg) ? 1 : 0;
}

int main(int argc, char **argv) {
  const char *mode = argc == 3 ? argv[1] : "";
  if (argc < 2 || argc > 3) {
    fputs("usage: ast-dump [--quiet|--stats] FILE\n", stderr);
    return 2;
  }
  arena *a = arena_new();
  int rc = run(a, mode, argv[argc - 1]);
  arena_free(a);
  return rc;
}
