/* What a circuit opens and what it takes for granted, for its manifest. */
#include <string.h>

#include "frontend/lower.h"

/* The narrowest type as one would write it. */
static const ty *written_leaf(ty_set *s, const ty *t, void *user) {
  (void)user;
  if (t->kind != T_INT) return t;
  bool sign = mpz_sgn(t->iv->lo) < 0;
  const ival *iv = NULL;
  for (unsigned w = 1; !iv || !ival_inside(t->iv, iv); w++)
    iv = sign ? ival_signed(s->iv, w) : ival_unsigned(s->iv, w);
  return ty_int(s, iv, t->label);
}

static const ty *written(lo *l, const ty *t) {
  return ty_map(l->u->ts, ty_close(l->u->ts, t), written_leaf, NULL);
}

/* The path without the directory that is `dir`, or NULL. */
static const char *below(const char *path, const char *dir) {
  size_t n = dir ? strlen(dir) : 0;
  return dir && !strncmp(path, dir, n) && path[n] == '/' ? path + n + 1 : NULL;
}

/* The same on every machine: no directory that the program does not name. */
static const char *file_of(lo *l, span sp) {
  const source_file *f = source_at(l->u->ss, sp.start).file;
  if (!f) return NULL;
  const char *std = below(f->path, l->u->opt.std_dir);
  if (std) return arena_printf(l->a, "std/%s", std);
  const char *own = below(f->path, l->u->mod[0]->dir);
  return own ? own : f->path;
}

static fe_opening fact(lo *l, span sp, const ty *t, const char *to) {
  return (fe_opening){.sp = sp, .file = file_of(l, sp), .call = l->call,
                      .call_file = file_of(l, l->call),
                      .type = ty_text_plain(l->a, t), .lanes = ty_size(t),
                      .to = to, .times = l->times};
}

/* Is it in the list?  Then it is done more often. */
static bool again(fe_opening *list, size_t n, const fe_opening *o) {
  for (size_t i = 0; i < n; i++) {
    fe_opening *p = &list[i];
    if (p->sp.start != o->sp.start || p->call.start != o->call.start ||
        strcmp(p->type, o->type))
      continue;
    if (p->times < 0 || o->times < 0 || p->times > INT64_MAX - o->times)
      p->times = -1;
    else
      p->times += o->times;
    return true;
  }
  return false;
}

/* A call that is computed in several places is listed once. */
void note_uniform(lo *l, span sp, const ty *t) {
  fe_opening o = fact(l, sp, written(l, t), "everybody, uniform");
  if (!again(l->opening.p, l->opening.n, &o)) vec_push(l->a, &l->opening, o);
}

void note_opening(lo *l, span sp, const ty *t, const char *to,
                  const bool *opened) {
  t = written(l, t);
  fe_opening o = fact(l, sp, t, to);
  if (opened) {
    fe_param p = fe_make_param(l->u, "", t);
    fe_leaf *leaf = ARENA_ARR(l->a, fe_leaf, p.nleaf + 1);
    for (uint32_t i = 0; i < p.nleaf; i++)
      if (opened[i]) leaf[o.nleaf++] = p.leaf[i];
    o.leaf = leaf;
  }
  vec_push(l->a, &l->opening, o);
}

void note_assume(lo *l, span sp, const ty *t) {
  fe_opening o = fact(l, sp, written(l, t), "");
  if (!again(l->assume.p, l->assume.n, &o)) vec_push(l->a, &l->assume, o);
}
