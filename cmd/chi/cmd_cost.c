/* chi cost: what a run takes, before it runs. */
#include <string.h>

#include "cmd/chi/package.h"
#include "cmd/chi/show.h"

typedef struct cost_page {
  cli *c;
  compiled x;
  ir_target model;
  uint64_t memory; /* bytes of a node's arena */
} cost_page;

static bool all_equal(const uint64_t *v, unsigned n) {
  for (unsigned i = 1; i < n; i++)
    if (v[i] != v[0])
      return false;
  return true;
}

static void numbers(buf *b, const uint64_t *v, unsigned n) {
  buf_putc(b, '[');
  for (unsigned i = 0; i < n; i++)
    buf_printf(b, "%s%llu", i ? "," : "", (unsigned long long)v[i]);
  buf_putc(b, ']');
}

static void print_json(const cost_page *p, buf *b) {
  const ir_cost *k = p->x.cost;
  uint32_t n;
  const ir_cost_line *line = ir_cost_meter_lines(p->x.meter, &n);
  buf_puts(b, "{\"function\":");
  text_jsonz(b, p->x.m->name);
  buf_printf(b, ",\"protocol\":\"%s\",\"nodes\":%u,\"exact\":%s",
             show_protocol(&p->model), p->model.n, k->exact ? "true" : "false");
  buf_printf(b, ",\"field\":\"%s\"", ir_field_name(p->c->a, p->x.m));
  buf_printf(b, ",\"rounds\":%llu,\"exchanges\":%llu,\"bytes_sent\":",
             (unsigned long long)k->rounds, (unsigned long long)k->exchanges);
  numbers(b, k->bytes, p->model.n);
  buf_puts(b, ",\"elements_sent\":");
  numbers(b, k->elements, p->model.n);
  buf_printf(b,
             ",\n \"products\":%llu,\"opened\":%llu,\"told\":%llu,"
             "\"bit_products\":%llu,\"bits_opened\":%llu,"
             "\"bits_dealt\":%llu,\"memory_bytes\":%llu",
             (unsigned long long)k->reduce_lanes,
             (unsigned long long)k->open_lanes,
             (unsigned long long)k->told_lanes,
             (unsigned long long)k->reduce_bits,
             (unsigned long long)k->open_bits,
             (unsigned long long)k->dealt,
             (unsigned long long)p->memory);
  buf_printf(b,
             ",\n \"randomness\":{\"zero_shares\":%llu,"
             "\"double_sharings_dealt\":%llu,\"double_sharings_used\":%llu,"
             "\"seeded\":%llu}",
             (unsigned long long)k->zero_shares,
             (unsigned long long)k->doubles_dealt,
             (unsigned long long)k->doubles_used,
             (unsigned long long)k->seeded);
  buf_puts(b, ",\n \"lines\":[");
  for (uint32_t i = 0; i < n; i++) {
    buf_puts(b, i ? ",\n  {\"file\":" : "\n  {\"file\":");
    text_jsonz(b, line[i].path);
    buf_printf(b,
               ",\"line\":%u,\"rounds\":%llu,\"products\":%llu,"
               "\"opened\":%llu,\"told\":%llu,\"bit_products\":%llu,"
               "\"bits_opened\":%llu,\"bits_dealt\":%llu,\"bytes\":%llu}",
               line[i].line, (unsigned long long)line[i].rounds,
               (unsigned long long)line[i].reduce_lanes,
               (unsigned long long)line[i].open_lanes,
               (unsigned long long)line[i].told_lanes,
               (unsigned long long)line[i].reduce_bits,
               (unsigned long long)line[i].open_bits,
               (unsigned long long)line[i].dealt,
               (unsigned long long)line[i].bytes);
  }
  buf_puts(b, "],\n ");
  show_openings_json(b, p->c, &p->x.facts);
  buf_puts(b, "}\n");
}

static void row(buf *b, const char *what, uint64_t v) {
  buf num = {0};
  text_count(&num, v);
  buf_printf(b, "  %-28s%18s\n", what, num.p);
  buf_free(&num);
}

static void per_node(const cost_page *p, buf *b, const char *what,
                     const uint64_t *v) {
  if (all_equal(v, p->model.n)) {
    row(b, arena_printf(p->c->a, "%s, each node", what), v[0]);
    return;
  }
  for (unsigned i = 0; i < p->model.n; i++)
    row(b, arena_printf(p->c->a, "%s, node %u", what, i), v[i]);
}

static bool works_on_bits(const ir_cost *k) {
  return k->reduce_bits != 0 || k->open_bits != 0 || k->dealt != 0;
}

static void print_lines(const cost_page *p, buf *b) {
  uint32_t n;
  const ir_cost_line *line = ir_cost_meter_lines(p->x.meter, &n);
  if (n == 0)
    return;
  bool bits = works_on_bits(p->x.cost);
  buf_printf(b, "\n      rounds      products        opened%s     bytes, all\n",
             bits ? "          bits" : "");
  for (uint32_t i = 0; i < n; i++) {
    uint64_t v[5] = {line[i].rounds, line[i].reduce_lanes, line[i].open_lanes,
                     line[i].reduce_bits + line[i].open_bits + line[i].dealt,
                     line[i].bytes};
    static const int wide[5] = {12, 14, 14, 14, 15};
    for (int k = 0; k < 5; k++) {
      if (k == 3 && !bits)
        continue;
      buf num = {0};
      text_count(&num, v[k]);
      buf_printf(b, "%*s", wide[k], num.p);
      buf_free(&num);
    }
    buf_printf(b, "  %s:%u\n", line[i].path != NULL ? line[i].path : "?",
               line[i].line);
    source_pos at = source_at(p->c->ss, line[i].sp.start);
    size_t skip = 0, len = at.line_len;
    while (skip < len && (at.line_text[skip] == ' ' ||
                          at.line_text[skip] == '\t'))
      skip++;
    if (len - skip > 60)
      len = skip + 60;
    buf_printf(b, "%*s", bits ? 71 : 57, "");
    buf_puts(b, text_shown(p->c->a, at.line_text + skip, len - skip));
    buf_putc(b, '\n');
  }
}

static void print_text(const cost_page *p, buf *b) {
  const ir_cost *k = p->x.cost;
  bool usual = ir_field_is_word(p->x.m);
  buf_printf(b, "%s %s: %s, %u nodes%s%s%s\n",
             strchr(p->x.m->name, '.') ? "action" : "function", p->x.m->name,
             show_protocol(&p->model), p->model.n,
             usual ? "" : ", in the field of ", usual ? "" : ir_field_name(p->c->a, p->x.m),
             k->exact ? ""
                      : "; at most, since control flow depends on the run");
  row(b, "rounds", k->rounds);
  per_node(p, b, "bytes sent", k->bytes);
  per_node(p, b, "elements sent", k->elements);
  row(b, "products reduced", k->reduce_lanes);
  row(b, "values opened", k->open_lanes);
  if (works_on_bits(k)) {
    row(b, "products of bits reduced", k->reduce_bits);
    row(b, "bits opened", k->open_bits);
    row(b, "bits dealt", k->dealt);
  }
  row(b, "values told", k->told_lanes);
  row(b, "memory of a node, bytes", p->memory);
  buf_puts(b, "correlated randomness\n");
  row(b, "zero shares", k->zero_shares);
  row(b, "double sharings, dealt", k->doubles_dealt);
  row(b, "double sharings, used", k->doubles_used);
  row(b, "elements from seeds", k->seeded);
  print_lines(p, b);
  buf_putc(b, '\n');
  show_openings(b, p->c, &p->x.facts);
}

static bool find_memory(cost_page *p, fe_unit *u) {
  backend_output o = {0};
  if (!compile_emit(p->c, u, &p->x, p->x.fn->name, &o))
    return false;
  p->memory = o.words * 8;
  backend_output_free(&o);
  return true;
}

int cmd_cost(cli *c) {
  cost_page p = {.c = c};
  int level;
  if (!option_model(c, &p.model) || !option_level(c, &level))
    return EXIT_USAGE;
  fe_unit *u = compile_unit_given(c, c->opt.arg[0], c->opt.set.p,
                                  c->opt.set.n);
  if (u == NULL ||
      !package_circuit(c, u, c->opt.arg[1], level, IR_SCHED, &p.model, &p.x) ||
      !find_memory(&p, u))
    return report_failure(c);
  report_warnings(c);
  buf b = {0};
  if (c->opt.json)
    print_json(&p, &b);
  else
    print_text(&p, &b);
  bool ok = print_out(&b);
  buf_free(&b);
  return ok ? EXIT_FINE : EXIT_NETWORK;
}
