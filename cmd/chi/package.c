#include "cmd/chi/package.h"

#include <stdlib.h>
#include <string.h>

#include "backend/contract.h"
#include "cmd/chi/abi.h"
#include "cmd/chi/version.h"

/* ---- names ---- */

const fe_contract *package_find(cli *c, fe_unit *u, const char *name) {
  uint32_t n = fe_contract_count(u);
  const char *path = fe_file_at(u, 0)->path;
  if (name == NULL && n == 1)
    return fe_contract_at(u, 0);
  const fe_contract *f = name != NULL ? fe_contract_find(u, name) : NULL;
  if (f != NULL)
    return f;
  const char **list = ARENA_ARR(c->a, const char *, n + 1);
  buf b = {0};
  for (uint32_t i = 0; i < n; i++) {
    list[i] = fe_contract_at(u, i)->name;
    buf_printf(&b, "%s%s", i ? ", " : "", list[i]);
  }
  if (n == 0) {
    diag_report_nowhere(c->dg, DIAG_NO_CONTRACT, path, "has no contract");
    diag_hint(c->dg, "Functions are run with 'chi run'.");
  } else if (name == NULL) {
    diag_report_nowhere(c->dg, DIAG_NO_CONTRACT, path,
                        "has several contracts");
    diag_hint(c->dg, "Say which one: %s.", b.p);
  } else {
    diag_report_nowhere(c->dg, DIAG_NO_CONTRACT, path,
                        arena_printf(c->a, "has no contract \"%s\"",
                                     text_shown(c->a, name, strlen(name))));
    const char *near = text_near(name, list, n);
    diag_hint(c->dg, near ? "Did you mean \"%s\"?" : "It has: %s.",
              near ? near : b.p);
  }
  buf_free(&b);
  return NULL;
}

const fe_action *package_action(cli *c, const fe_contract *con,
                                const char *name) {
  const char **list = ARENA_ARR(c->a, const char *, con->naction + 1);
  for (uint32_t i = 0; i < con->naction; i++) {
    list[i] = con->action[i].fn.name;
    if (strcmp(list[i], name) == 0)
      return &con->action[i];
  }
  diag_report_nowhere(c->dg, DIAG_NO_ACTION, con->name,
                      text_shown(c->a, name, strlen(name)));
  const char *near = text_near(name, list, con->naction);
  if (near != NULL)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  return NULL;
}

/* ---- the parts ---- */

bool parts_make(cli *c, fe_unit *u, const fe_contract *con,
                const fe_action *act, parts *out) {
  *out = (parts){.c = con, .act = act};
  out->whole = fe_lower_action(u, con, act, c->a, &out->facts);
  return out->whole != NULL && ir_verify(out->whole, c->dg) &&
         ir_cut_action(c->a, out->whole, c->dg, &out->cut);
}

bool package_circuit(cli *c, fe_unit *u, const char *name, int level,
                     ir_stage stage, const ir_target *model, compiled *x) {
  const char *dot = strchr(name, '.');
  if (dot == NULL) {
    const fe_fn *f = compile_find(c, u, name);
    return f != NULL && compile_fn(c, u, f, level, stage, model, x);
  }
  const fe_contract *con = package_find(
      c, u, arena_strndup(c->a, name, (size_t)(dot - name)));
  const fe_action *act = con != NULL ? package_action(c, con, dot + 1) : NULL;
  parts p;
  if (act == NULL || !parts_make(c, u, con, act, &p))
    return false;
  if (p.cut.circuit == NULL) {
    diag_report(c->dg, DIAG_NOT_RUNNABLE, act->fn.sp, name,
                "it has no secret part, so there is no circuit");
    return false;
  }
  return compile_circuit(c, p.cut.circuit, &act->fn, &p.facts, level, stage,
                         model, x);
}

typedef struct touched {
  const fe_contract *c;
  bool *reads, *writes;
} touched;

/* The state variable of a leaf "$name.field"; -1: no state. */
static int state_of(const fe_contract *c, const char *leaf) {
  if (leaf[0] != '$')
    return -1;
  size_t n = strcspn(leaf + 1, ".");
  for (uint32_t i = 0; i < c->nstate; i++)
    if (strlen(c->state[i].name) == n &&
        memcmp(c->state[i].name, leaf + 1, n) == 0)
      return (int)i;
  return -1;
}

static void touch(ir_inst *i, void *user) {
  touched *t = user;
  if (i->at.name == NULL)
    return;
  int k = state_of(t->c, i->at.name);
  if (k < 0)
    return;
  if (i->op == OP_INPUT || i->op == OP_MLOAD)
    t->reads[k] = true;
  if (i->op == OP_OUTPUT || i->op == OP_MSTORE)
    t->writes[k] = true;
}

static void touches(const parts *p, touched *t) {
  ir_module *part[] = {p->cut.before, p->cut.circuit, p->cut.after};
  for (int k = 0; k < 3; k++)
    if (part[k] != NULL)
      ir_walk(part[k]->body, touch, t);
}

/* ---- JSON ---- */

static void put_params(buf *b, const fe_param *p, uint32_t n) {
  buf_putc(b, '[');
  for (uint32_t i = 0; i < n; i++) {
    buf_puts(b, i ? ", {\"name\": " : "{\"name\": ");
    text_jsonz(b, p[i].name);
    buf_puts(b, ", \"type\": ");
    abi_write(b, p[i].type);
    buf_putc(b, '}');
  }
  buf_putc(b, ']');
}

static void put_bound(buf *b, mpz_srcptr v) {
  if (v == NULL) {
    buf_puts(b, "null");
    return;
  }
  buf_putc(b, '"');
  buf_mpz(b, v);
  buf_putc(b, '"');
}

static void put_leaves(buf *b, const fe_param *p) {
  buf_putc(b, '[');
  for (uint32_t i = 0; i < p->nleaf; i++) {
    const fe_leaf *l = &p->leaf[i];
    buf_puts(b, i ? ", {\"name\": " : "{\"name\": ");
    text_jsonz(b, l->name);
    buf_printf(b, ", \"lanes\": %llu, \"lo\": ",
               (unsigned long long)l->type->lanes);
    put_bound(b, l->type->lo);
    buf_puts(b, ", \"hi\": ");
    put_bound(b, l->type->hi);
    buf_putc(b, '}');
  }
  buf_putc(b, ']');
}

static void put_state(buf *b, const fe_state *s) {
  buf_puts(b, "\n  {\"name\": ");
  text_jsonz(b, s->name);
  buf_puts(b, ", \"type\": ");
  text_jsonz(b, s->value.type->text);
  buf_printf(b, ", \"secret\": %s, \"constant\": %s, \"keys\": [",
             s->secret ? "true" : "false", s->constant ? "true" : "false");
  for (uint32_t i = 0; i < s->nkey; i++) {
    buf_puts(b, i ? ", " : "");
    abi_write(b, s->key[i]);
  }
  buf_puts(b, "], \"value\": ");
  abi_write(b, s->value.type);
  buf_puts(b, ",\n   \"leaves\": ");
  put_leaves(b, &s->value);
  buf_putc(b, '}');
}

static void put_event(buf *b, const fe_event *e) {
  buf_puts(b, "\n  {\"name\": ");
  text_jsonz(b, e->name);
  buf_puts(b, ", \"fields\": ");
  put_params(b, e->field, e->nfield);
  buf_putc(b, '}');
}

static void put_names(buf *b, const fe_contract *con, const bool *is) {
  bool first = true;
  buf_putc(b, '[');
  for (uint32_t i = 0; i < con->nstate; i++) {
    if (!is[i])
      continue;
    buf_puts(b, first ? "" : ", ");
    text_jsonz(b, con->state[i].name);
    first = false;
  }
  buf_putc(b, ']');
}

void package_part(buf *b, const char *name, const ir_module *m) {
  buf_printf(b, ",\n   \"%s\": ", name);
  if (m == NULL) {
    buf_puts(b, "null");
    return;
  }
  buf text = {0};
  ir_print(m, &text, false);
  text_json(b, text.p, text.n);
  buf_free(&text);
}

static void put_facts(cli *c, buf *b, const char *key, const fe_opening *list,
                      uint32_t n, bool to) {
  buf_printf(b, ",\n   \"%s\": [", key);
  for (uint32_t i = 0; i < n; i++) {
    const fe_opening *o = &list[i];
    source_pos at = source_at(c->ss, o->sp.start);
    source_pos call = source_at(c->ss, o->call.start);
    buf_puts(b, i ? ", {\"file\": " : "{\"file\": ");
    text_jsonz(b, o->file);
    buf_printf(b, ", \"line\": %u, \"col\": %u, ", at.line, at.col);
    if (o->call_file != NULL) {
      buf_puts(b, "\"call\": {\"file\": ");
      text_jsonz(b, o->call_file);
      buf_printf(b, ", \"line\": %u, \"col\": %u}, ", call.line, call.col);
    }
    buf_puts(b, "\"type\": ");
    text_jsonz(b, o->type);
    buf_printf(b, ", \"lanes\": %llu", (unsigned long long)o->lanes);
    if (to) {
      buf_puts(b, ", \"to\": ");
      text_jsonz(b, o->to);
    }
    if (o->times < 0)
      buf_puts(b, ", \"times\": null}");
    else
      buf_printf(b, ", \"times\": %lld}", (long long)o->times);
  }
  buf_putc(b, ']');
}

/* ---- opened values ---- */

/* A value that the circuit opens, or a reveal of the source. */
typedef struct opened {
  span sp;
  uint32_t order;
  const ir_inst *inst;     /* of the circuit */
  const fe_opening *reveal; /* of the source */
} opened;

static int same_place(const opened *x, const opened *y) {
  int d = (x->sp.start > y->sp.start) - (x->sp.start < y->sp.start);
  return d ? d : (x->sp.end > y->sp.end) - (x->sp.end < y->sp.end);
}

static int by_place(const void *p, const void *q) {
  const opened *x = p, *y = q;
  int d = same_place(x, y);
  return d ? d : (x->order > y->order) - (x->order < y->order);
}

static opened *values_opened(arena *a, const ir_module *m, uint32_t *n) {
  uint32_t k = 0;
  for (const ir_inst *i = m->body->first; i; i = i->next) k++;
  opened *v = ARENA_ARR(a, opened, (size_t)k + 1);
  *n = 0;
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_OUTPUT && i->at.name[0] == '!') {
      v[*n] = (opened){.sp = i->sp, .order = *n, .inst = i};
      ++*n;
    }
  qsort(v, *n, sizeof *v, by_place);
  return v;
}

static opened *reveals(arena *a, const fe_facts *f, uint32_t *n) {
  opened *r = ARENA_ARR(a, opened, (size_t)f->nopening + 1);
  *n = 0;
  for (uint32_t i = 0; i < f->nopening; i++)
    if (f->opening[i].nleaf > 0) {
      r[*n] = (opened){.sp = f->opening[i].sp, .order = *n,
                       .reveal = &f->opening[i]};
      ++*n;
    }
  qsort(r, *n, sizeof *r, by_place);
  return r;
}

/* What the n values of one place are: reveals are lowered in the order of their
 * values, but what the cut copies (the test of a loop) is there several times.
 * NULL where it cannot be said. */
static void name_values(const opened *v, uint32_t n, const opened *r,
                        uint32_t nr, const fe_leaf **leaf) {
  uint32_t sum = 0, k = 0;
  bool alike = nr > 0;
  for (uint32_t i = 0; i < nr; i++) {
    sum += r[i].reveal->nleaf;
    alike = alike && r[i].reveal->nleaf == r[0].reveal->nleaf &&
            strcmp(r[i].reveal->type, r[0].reveal->type) == 0;
  }
  if (sum == n) {
    for (uint32_t i = 0; i < nr; i++)
      for (uint32_t j = 0; j < r[i].reveal->nleaf; j++)
        leaf[v[k++].order] = &r[i].reveal->leaf[j];
  } else if (alike && n % r[0].reveal->nleaf == 0) {
    for (; k < n; k++)
      leaf[v[k].order] = &r[0].reveal->leaf[k % r[0].reveal->nleaf];
  }
}

static void put_value(cli *c, buf *b, const ir_inst *i, const fe_leaf *l) {
  source_pos at = source_at(c->ss, i->sp.start);
  buf_puts(b, "{\"name\": ");
  text_jsonz(b, i->at.name);
  buf_printf(b, ", \"line\": %u, \"col\": %u, \"path\": ", at.line, at.col);
  text_jsonz(b, l != NULL ? l->name + (l->name[0] == '.') : NULL);
  buf_puts(b, ", \"type\": ");
  if (l != NULL)
    abi_write(b, l->type);
  else
    buf_puts(b, "null");
  buf_putc(b, '}');
}

static void put_opened(cli *c, buf *b, const parts *p) {
  uint32_t n = 0, nr = 0;
  buf_puts(b, ",\n   \"opened\": [");
  if (p->cut.circuit != NULL) {
    opened *v = values_opened(c->a, p->cut.circuit, &n);
    opened *r = reveals(c->a, &p->facts, &nr);
    const fe_leaf **leaf = ARENA_ARR(c->a, const fe_leaf *, (size_t)n + 1);
    const ir_inst **inst = ARENA_ARR(c->a, const ir_inst *, (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++)
      inst[v[i].order] = v[i].inst;
    for (uint32_t i = 0, j = 0, e; i < n; i = e) {
      for (e = i; e < n && same_place(&v[e], &v[i]) == 0;) e++;
      while (j < nr && same_place(&r[j], &v[i]) < 0) j++;
      uint32_t from = j;
      while (j < nr && same_place(&r[j], &v[i]) == 0) j++;
      name_values(v + i, e - i, r + from, j - from, leaf);
    }
    for (uint32_t i = 0; i < n; i++) {
      buf_puts(b, i ? ", " : "");
      put_value(c, b, inst[i], leaf[i]);
    }
  }
  buf_putc(b, ']');
}

static void put_action(cli *c, buf *b, const parts *p) {
  static const char *const kinds[] = {[FE_ACTION] = "action",
                                      [FE_VIEW] = "view",
                                      [FE_INIT] = "init"};
  const fe_contract *con = p->c;
  touched t = {.c = con, .reads = ARENA_ARR(c->a, bool, con->nstate + 1),
               .writes = ARENA_ARR(c->a, bool, con->nstate + 1)};
  touches(p, &t);
  buf_puts(b, "\n  {\"name\": ");
  text_jsonz(b, p->act->fn.name);
  buf_printf(b, ", \"kind\": \"%s\",\n   \"params\": ", kinds[p->act->kind]);
  put_params(b, p->act->fn.param, p->act->fn.nparam);
  buf_puts(b, ",\n   \"result\": ");
  abi_write(b, p->act->fn.result.type);
  buf_puts(b, ",\n   \"reads\": ");
  put_names(b, con, t.reads);
  buf_puts(b, ", \"writes\": ");
  put_names(b, con, t.writes);
  package_part(b, "before", p->cut.before);
  package_part(b, "circuit", p->cut.circuit);
  package_part(b, "after", p->cut.after);
  buf_puts(b, ",\n   \"circuit_hash\": ");
  char hash[65];
  if (p->cut.circuit != NULL)
    ir_hash(p->cut.circuit, hash);
  text_jsonz(b, p->cut.circuit != NULL ? hash : NULL);
  put_facts(c, b, "openings", p->facts.opening, p->facts.nopening, true);
  put_facts(c, b, "assumes", p->facts.assume, p->facts.nassume, false);
  put_opened(c, b, p);
  buf_putc(b, '}');
}

bool package_print(cli *c, fe_unit *u, const fe_contract *con, parts *p,
                   buf *b) {
  buf_printf(b, "{\"format\": %d, \"compiler\": \"%s\", \"contract\": ",
             CONTRACT_FORMAT, CHI_VERSION);
  text_jsonz(b, con->name);
  buf_printf(b, ", \"field\": \"%s\",\n \"source_hash\": \"%s\",\n"
                " \"state\": [",
             ir_field_name(c->a, p[0].whole), compile_source_hash(c, u));
  for (uint32_t i = 0; i < con->nstate; i++) {
    buf_puts(b, i ? "," : "");
    put_state(b, &con->state[i]);
  }
  buf_puts(b, "],\n \"events\": [");
  for (uint32_t i = 0; i < con->nevent; i++) {
    buf_puts(b, i ? "," : "");
    put_event(b, &con->event[i]);
  }
  buf_puts(b, "],\n \"actions\": [");
  for (uint32_t i = 0; i < con->naction; i++) {
    buf_puts(b, i ? "," : "");
    put_action(c, b, &p[i]);
  }
  buf_puts(b, "]}\n");
  return contract_parse(c->a, fe_file_at(u, 0)->path, b->p, b->n, c->dg) !=
         NULL;
}

parts *package_parts(cli *c, fe_unit *u, const fe_contract *con) {
  parts *p = ARENA_ARR(c->a, parts, con->naction + 1);
  bool ok = true;
  for (uint32_t i = 0; i < con->naction; i++)
    ok = parts_make(c, u, con, &con->action[i], &p[i]) && ok;
  return ok ? p : NULL;
}

void package_check(cli *c, fe_unit *u, bool all) {
  ir_target model = {IR_REP3, 3};
  for (uint32_t i = 0; i < fe_fn_count(u); i++) {
    const fe_fn *f = fe_fn_at(u, i);
    compiled x;
    if (!f->runnable)
      continue;
    if (all && (f->max_rounds >= 0 || f->max_bytes >= 0)) {
      compile_fn(c, u, f, 2, IR_SCHED, &model, &x);
    } else {
      arena *scratch = arena_new();
      fe_lower(u, f->name, scratch, NULL);
      arena_free(scratch);
    }
  }
  for (uint32_t i = 0; i < fe_contract_count(u); i++)
    package_parts(c, u, fe_contract_at(u, i));
  for (uint32_t i = 0; all && i < fe_test_count(u); i++) {
    arena *scratch = arena_new();
    fe_lower_test(u, i, scratch, NULL);
    arena_free(scratch);
  }
}

const char *package_build(cli *c, const char *file, const char *name,
                          const char *const *set, size_t nset,
                          size_t *bytes) {
  fe_unit *u = compile_unit_given(c, file, set, nset);
  const fe_contract *con = u != NULL ? package_find(c, u, name) : NULL;
  parts *p = con != NULL ? package_parts(c, u, con) : NULL;
  if (p == NULL)
    return NULL;
  buf b = {0};
  bool ok = package_print(c, u, con, p, &b);
  *bytes = b.n;
  const char *text = ok ? arena_strndup(c->a, b.p, b.n) : NULL;
  buf_free(&b);
  return text;
}
