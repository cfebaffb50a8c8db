/* Functions whose body is a file: is the declaration what the file says? */
#include "frontend/bristol.h"

#include <errno.h>
#include <string.h>

#include "frontend/sema.h"

static const char *path_of(fe_unit *u, const sym *s, const char *file) {
  const module *m = s->mod;
  while (m->up) m = m->up;
  return file[0] == '/' ? file : arena_printf(u->a, "%s/%s", m->dir, file);
}

bristol *circuit_of(fe_unit *u, const sym *s) {
  fninfo *f = s->fn;
  if (f->circuit || f->circuit_bad) return f->circuit;
  const node *file = s->decl->kid[3];
  const char *path = path_of(u, s, file->text ? file->text : "");
  source_id id;
  errno = 0;
  if (source_load(u->ss, path, &id)) {
    f->circuit = bristol_parse(u->a, source_get(u->ss, id), u->dg);
  } else {
    diag_report(u->dg, DIAG_CIRCUIT_FILE, file->sp, path,
                errno ? strerror(errno) : "it is larger than 64 MiB");
    diag_hint(u->dg, "The path is relative to this source file.");
  }
  f->circuit_bad = !f->circuit;
  return f->circuit;
}

/* What stands at a place, and where. */
typedef struct slot {
  const char *what;
  span sp;
} slot;

/* Is t `width` bools, n times?  *n is 0 where none was seen yet. */
static bool is_bits(an *a, const slot *at, const ty *t, uint32_t width,
                    uint64_t *n) {
  const ty *e = ty_elem(t);
  uint64_t have = t->kind == T_ARRAY && t->ndim == 2 ? t->dim[1] : 1;
  if (e->kind == T_BOOL && t->kind == T_ARRAY && t->ndim <= 2 &&
      t->dim[0] == width && (!*n || *n == have)) {
    *n = have;
    return true;
  }
  bool other = e->kind == T_BOOL && t->kind == T_ARRAY && t->ndim <= 2 &&
               t->dim[0] == width;
  REPORT(a, CIRCUIT_TYPE, at->sp,
         other ? arena_printf(a->u->a,
                              "%s has %llu instances, others have %llu",
                              at->what, (unsigned long long)have,
                              (unsigned long long)*n)
               : arena_printf(a->u->a,
                              "%s is \"%s\", but has %u bits in the file",
                              at->what, tx(a, t), width));
  diag_hint(a->u->dg, "Declare `[bool; %u]`, or `[bool; %u, n]` for n "
                      "instances side by side.", width, width);
  poison(a);
  return false;
}

static bool same_count(an *a, span sp, const char *what, uint32_t declared,
                       uint32_t file) {
  if (declared == file) return true;
  REPORT(a, CIRCUIT_TYPE, sp,
         arena_printf(a->u->a, "%s has %u of the %u %s of the file",
                      a->in->s->name, declared, file, what));
  diag_hint(a->u->dg, "`chi import bristol FILE` prints the declaration.");
  poison(a);
  return false;
}

static bool result_fits(an *a, const bristol *c, const ty *ret, uint64_t *n) {
  const node *d = a->in->f->decl;
  span sp = d->kid[2] ? d->kid[2]->sp : d->name_sp;
  slot at = {"the result", sp};
  uint32_t have = !ret ? 0 : ret->kind == T_TUPLE ? ret->nelem : 1;
  if (!same_count(a, sp, "outputs", have, c->nout)) return false;
  if (ret->kind != T_TUPLE) return is_bits(a, &at, ret, c->out[0], n);
  for (uint32_t i = 0; i < c->nout; i++)
    if (!is_bits(a, &at, ret->elem[i], c->out[i], n)) return false;
  return true;
}

static const ty *labelled(ty_set *s, const ty *t, void *user) {
  return ty_relabel(s, t, *(const ty_label *)user);
}

val circuit_value(an *a, const ty *ret) {
  fe_unit *u = a->u;
  const inst *in = a->in;
  const bristol *c = circuit_of(u, in->s);
  if (!c || (ret && ret->err)) return val_of(poison(a));
  const node *params = in->f->decl->kid[1];
  uint64_t n = 0;
  ty_label label = LAB_PUB;
  span sp = in->f->decl->name_sp;
  if (!same_count(a, sp, "inputs", in->f->nparam, c->nin))
    return val_of(poison(a));
  for (uint32_t i = 0; i < c->nin; i++) {
    slot at = {a->quiet ? "" : arena_printf(u->a, "parameter \"%s\"",
                                            params->kid[i]->text),
               params->kid[i]->sp};
    if (in->param[i]->err || !is_bits(a, &at, in->param[i], c->in[i], &n))
      return val_of(poison(a));
    if (in->param[i]->sec) label = LAB_SEC;
  }
  if (!result_fits(a, c, ret, &n)) return val_of(poison(a));
  return val_of(ty_map(u->ts, ret, labelled, &label));
}

/* As for one instance. */
void circuit_check(fe_unit *u, const sym *s) {
  fninfo *f = s->fn;
  inst *in = new_inst(u, s, f, s->mod);
  in->targ = ARENA_ARR(u->a, const ty *, f->ngeneric + 1);
  in->param = ARENA_ARR(u->a, const ty *, f->nparam + 1);
  for (uint32_t i = 0; i < f->ngeneric; i++)
    in->targ[i] = ty_int(u->ts, ival_si(u->iv, 1, 1), LAB_OPEN);
  an a = {.u = u, .in = in};
  for (uint32_t i = 0; i < f->nparam; i++) {
    const ty *t = type_of(&a, s->decl->kid[1]->kid[i]->kid[0]);
    bool poly = false;
    in->param[i] = t->err ? t : entry_type(&a, t, NULL, &poly);
  }
  const ty *ret = s->decl->kid[2] ? type_of(&a, s->decl->kid[2]) : NULL;
  circuit_value(&a, ret);
}
