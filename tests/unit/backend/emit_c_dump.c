/* emit-c [--part c|h|json] FILE.ir: what the C backend makes of a circuit.  A
 * circuit below stage sched first takes the pipeline of -O2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "ir/pass/pass.h"

static bool read_file(const char *path, buf *b) {
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  char block[4096];
  size_t n;
  while ((n = fread(block, 1, sizeof block, f)) > 0) buf_write(b, block, n);
  fclose(f);
  return true;
}

static int run(const char *path, uint32_t part) {
  static const char *const owner[] = {"alice", "bob", "carol"};
  static const backend_fact opening = {.line = 3, .col = 5, .type = "u60",
                                       .lanes = 1, .to = "everybody",
                                       .times = 1};
  arena *a = arena_new();
  source_set *ss = source_set_new(a);
  diag *dg = diag_new(a, ss);
  buf text = {0};
  source_id id;
  bool ok = read_file(path, &text) &&
            source_add(ss, path, text.p ? text.p : "", text.n, &id);
  ir_module *m = ok ? ir_parse(a, ss, id, dg) : NULL;
  ok = m && ir_verify(m, dg);
  if (ok && m->stage != IR_SCHED)
    ok = pass_run(m, m->stage == IR_CORE ? "sched" : pass_pipeline(2, IR_SCHED),
                  NULL, dg);
  backend_info info = {.module = "golden", .version = "golden",
                       .doc = "One function.", .opening = &opening,
                       .nopening = 1};
  if (m && m->nin <= 3) info.owner = owner;
  if (m) m->src = ss;
  backend_output o = {0};
  ok = ok && backend_find("c")->emit(m, &info, a, dg, &o);
  if (ok) {
    fwrite(o.part[part].text.p, 1, o.part[part].text.n, stdout);
    backend_output_free(&o);
  } else {
    buf b = {0};
    diag_render_all(dg, &b, false);
    fputs(b.p ? b.p : "the file could not be read\n", stderr);
    buf_free(&b);
  }
  buf_free(&text);
  arena_free(a);
  return ok ? 0 : 1;
}

int main(int argc, char **argv) {
  uint32_t part = 0;
  if (argc == 4 && !strcmp(argv[1], "--part"))
    part = argv[2][0] == 'h' ? 1 : argv[2][0] == 'j' ? 2 : 0;
  else if (argc != 2)
    return 2;
  return run(argv[argc - 1], part);
}
