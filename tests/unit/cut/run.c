#include "run.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static uint64_t hash(uint64_t seed, const char *s) {
  uint64_t h = mix(seed + 0x9E3779B97F4A7C15u);
  for (; *s; s++) h = mix(h ^ (uint8_t)*s) * 31 + 7;
  return mix(h);
}

/* ---- values by name ---- */
static const char *look(const named *t, size_t n, const char *name) {
  for (size_t k = 0; k < n; k++)
    if (!strcmp(t[k].name, name)) return t[k].text;
  return NULL;
}

static void set(named **t, size_t *n, const char *name, char *text) {
  for (size_t k = 0; k < *n; k++)
    if (!strcmp((*t)[k].name, name)) {
      free((*t)[k].text);
      (*t)[k].text = text;
      return;
    }
  *t = realloc(*t, (*n + 1) * sizeof **t);
  if (!*t) abort();
  (*t)[(*n)++] = (named){strdup(name), text};
}

static void put_lanes(buf *b, const ir_lanes *l) {
  mpz_t v;
  mpz_init(v);
  for (uint64_t k = 0; k < l->n; k++) {
    ir_lanes_get(l, k, v);
    if (k) buf_putc(b, ' ');
    buf_mpz(b, v);
  }
  mpz_clear(v);
}

static char *lanes_text(const ir_lanes *l) {
  buf b = {0};
  put_lanes(&b, l);
  char *s = strdup(b.p ? b.p : "");
  buf_free(&b);
  return s;
}

static void read_lanes(const char *s, ir_lanes *l) {
  mpz_t v;
  mpz_init(v);
  for (uint64_t k = 0; k < l->n; k++) {
    size_t n = strcspn(s, " ");
    char *one = strndup(s, n);
    if (mpz_set_str(v, one, 10) || !ir_lanes_set(l, k, v)) abort();
    free(one);
    s += n + (s[n] == ' ');
  }
  mpz_clear(v);
}

/* ---- the host ---- */
static char *entry_name(const char *leaf, const mpz_t *key, uint32_t nkey) {
  buf b = {0};
  buf_puts(&b, leaf);
  for (uint32_t k = 0; k < nkey; k++) {
    buf_putc(&b, ',');
    buf_mpz(&b, key[k]);
  }
  char *s = strdup(b.p);
  buf_free(&b);
  return s;
}

static bool load(void *user, const char *leaf, const mpz_t *key, uint32_t nkey,
                 ir_lanes *out) {
  world *w = user;
  char *name = entry_name(leaf, key, nkey);
  const char *text = look(w->map, w->nmap, name);
  mpz_t v;
  mpz_init_set_ui(v, hash(w->seed, name) % 8);
  if (text)
    read_lanes(text, out);
  else
    for (uint64_t k = 0; k < out->n; k++) ir_lanes_set(out, k, v);
  mpz_clear(v);
  free(name);
  return true;
}

static bool store(void *user, const char *leaf, const mpz_t *key,
                  uint32_t nkey, const ir_lanes *value) {
  world *w = user;
  char *name = entry_name(leaf, key, nkey);
  set(&w->map, &w->nmap, name, lanes_text(value));
  free(name);
  return true;
}

static bool emit(void *user, const char *event, const ir_lanes *field,
                 uint32_t nfield) {
  world *w = user;
  buf_puts(&w->events, event);
  for (uint32_t k = 0; k < nfield; k++) {
    buf_putc(&w->events, ' ');
    put_lanes(&w->events, &field[k]);
  }
  buf_putc(&w->events, '\n');
  return true;
}

/* ---- runs ---- */
static const ir_type *type_of_input(const ir_module *m, const char *name) {
  for (const ir_inst *i = m->body->first; i; i = i->next)
    if (i->op == OP_INPUT && !strcmp(i->at.name, name)) return &i->res[0]->ty;
  abort(); /* a leaf that nothing uses */
}

static void fill(const world *w, const ir_type *ty, const char *name,
                 ir_lanes *l) {
  const char *given = look(w->value, w->nvalue, name);
  if (given && (*name == '%' || *name == '!')) {
    read_lanes(given, l);
    return;
  }
  if (*name == '%' || *name == '!') abort(); /* nobody made it */
  mpz_t v, size;
  mpz_inits(v, size, (mpz_ptr)NULL);
  mpz_sub(size, ty->range->hi, ty->range->lo);
  mpz_add_ui(size, size, 1);
  for (uint64_t k = 0; k < l->n; k++) {
    uint64_t h = hash(w->seed + k, name);
    mpz_set_ui(v, h % 3 ? h >> 8 : (h >> 8) % 8); /* often small */
    mpz_mod(v, v, size);
    mpz_add(v, v, ty->range->lo);
    ir_lanes_set(l, k, v);
  }
  mpz_clears(v, size, (mpz_ptr)NULL);
}

static void keep(world *w, const ir_module *m, const ir_interp *x) {
  for (uint32_t k = 0; k < m->nout; k++) {
    const ir_lanes *l = ir_interp_output(x, k);
    if (l) set(&w->value, &w->nvalue, m->out[k].name, lanes_text(l));
  }
  for (uint32_t k = 0; k < ir_interp_ntold(x); k++) {
    const ir_told *t = ir_interp_told(x, k);
    buf_mpz(&w->told, t->identity);
    buf_printf(&w->told, " %s ", t->name);
    put_lanes(&w->told, &t->value);
    buf_putc(&w->told, '\n');
  }
}

void world_run(world *w, const ir_module *m, const char *part) {
  if (w->status != IR_RUN_OK) return;
  ir_host host = {load, store, emit, w};
  ir_interp_opts o = {.max_steps = 10000000, .check_ranges = true,
                      .host = &host};
  ir_interp *x = ir_interp_new(m, &o);
  ir_lanes *in = calloc(m->nin + 1, sizeof *in);
  for (uint32_t k = 0; k < m->nin; k++) {
    const ir_type *ty = type_of_input(m, m->in[k].name);
    if (!ir_lanes_init(&in[k], ty->lanes, ir_lanes_wide(m, ty))) abort();
    fill(w, ty, m->in[k].name, &in[k]);
    ir_interp_input(x, k, &in[k]);
  }
  w->status = ir_interp_run(x);
  w->opened += ir_interp_counts(x).open_lanes;
  w->told_lanes += ir_interp_counts(x).told_lanes;
  if (w->status != IR_RUN_OK) {
    w->message = strdup(ir_interp_message(x));
    w->failed = part;
  } else {
    keep(w, m, x);
  }
  for (uint32_t k = 0; k < m->nin; k++) ir_lanes_fini(&in[k]);
  free(in);
  ir_interp_free(x);
}

/* ---- worlds ---- */
void world_init(world *w, uint64_t seed) { *w = (world){.seed = seed}; }

static void free_named(named *t, size_t n) {
  for (size_t k = 0; k < n; k++) {
    free(t[k].name);
    free(t[k].text);
  }
  free(t);
}

void world_free(world *w) {
  free_named(w->value, w->nvalue);
  free_named(w->map, w->nmap);
  buf_free(&w->events);
  buf_free(&w->told);
  free(w->message);
}

static int by_name(const void *x, const void *y) {
  return strcmp(((const named *)x)->name, ((const named *)y)->name);
}

static void put_named(buf *b, named *t, size_t n) {
  if (n) qsort(t, n, sizeof *t, by_name);
  for (size_t k = 0; k < n; k++)
    if (*t[k].name != '%' && *t[k].name != '!')
      buf_printf(b, "%s = %s\n", t[k].name, t[k].text);
}

char *world_text(const world *w) {
  buf b = {0};
  put_named(&b, w->value, w->nvalue);
  put_named(&b, w->map, w->nmap);
  buf_puts(&b, w->events.p ? w->events.p : "");
  buf_puts(&b, w->told.p ? w->told.p : "");
  char *s = strdup(b.p ? b.p : "");
  buf_free(&b);
  return s;
}
