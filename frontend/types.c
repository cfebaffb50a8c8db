#include "frontend/types.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 31);
}

static uint64_t hash_ty(const ty *t) {
  uint64_t h = mix(mix(17, t->kind), t->label);
  h = mix(h, (uint64_t)(uintptr_t)t->iv);
  h = mix(h, ((uint64_t)t->ibits << 32) | t->fbits);
  h = mix(h, (uint64_t)(uintptr_t)t->decl);
  for (uint32_t i = 0; i < t->nelem; i++)
    h = mix(h, (uint64_t)(uintptr_t)t->elem[i]);
  for (uint32_t i = 0; i < t->ndim; i++) h = mix(h, t->dim[i]);
  return mix(h, t->nelem);
}

static bool same(const ty *a, const ty *b) {
  if (a->kind != b->kind || a->label != b->label || a->iv != b->iv ||
      a->ibits != b->ibits || a->fbits != b->fbits || a->decl != b->decl ||
      a->nelem != b->nelem || a->ndim != b->ndim)
    return false;
  for (uint32_t i = 0; i < a->nelem; i++)
    if (a->elem[i] != b->elem[i]) return false;
  for (uint32_t i = 0; i < a->ndim; i++)
    if (a->dim[i] != b->dim[i]) return false;
  return true;
}

/* Interns t; copies it and its arrays only if it is new. */
static const ty *intern(ty_set *s, const ty *t) {
  uint64_t h = hash_ty(t);
  for (ty *v = s->slot[h & (s->nslot - 1)]; v; v = v->next)
    if (v->hash == h && same(v, t)) return v;
  if (s->count * 2 > s->nslot) {
    size_t n = s->nslot * 2;
    ty **slot = ARENA_ARR(s->a, ty *, n);
    for (size_t i = 0; i < s->nslot; i++)
      for (ty *v = s->slot[i], *nx; v; v = nx) {
        nx = v->next;
        v->next = slot[v->hash & (n - 1)];
        slot[v->hash & (n - 1)] = v;
      }
    s->slot = slot;
    s->nslot = n;
  }
  ty *c = ARENA_NEW(s->a, ty);
  *c = *t;
  c->hash = h;
  c->lanes = 1;
  if (t->nelem) {
    c->elem = ARENA_ARR(s->a, const ty *, t->nelem);
    memcpy(c->elem, t->elem, t->nelem * sizeof *c->elem);
  }
  if (t->ndim) {
    c->dim = ARENA_ARR(s->a, uint64_t, t->ndim);
    memcpy(c->dim, t->dim, t->ndim * sizeof *c->dim);
    for (uint32_t i = 0; i < t->ndim; i++) c->lanes *= t->dim[i];
  }
  c->err = t->kind == T_ERROR;
  c->open = ty_is_scalar(t) && t->label == LAB_OPEN;
  c->sec = ty_is_scalar(t) && t->label == LAB_SEC;
  c->nleaf = ty_is_scalar(t) || t->kind == T_ERROR ? 1 : 0;
  for (uint32_t i = 0; i < t->nelem; i++) {
    c->nleaf += t->elem[i]->nleaf;
    c->sec |= t->elem[i]->sec;
    c->open |= t->elem[i]->open;
    c->err |= t->elem[i]->err;
  }
  c->next = s->slot[h & (s->nslot - 1)];
  s->slot[h & (s->nslot - 1)] = c;
  s->count++;
  return c;
}

ty_set *ty_set_new(arena *a) {
  ty_set *s = ARENA_NEW(a, ty_set);
  s->a = a;
  s->iv = ival_set_new(a);
  s->nslot = 1024;
  s->slot = ARENA_ARR(a, ty *, s->nslot);
  s->error = intern(s, &(ty){.kind = T_ERROR});
  s->unit = intern(s, &(ty){.kind = T_UNIT});
  return s;
}

const ty *ty_scalar(ty_set *s, ty_kind k, const ival *iv, ty_label l) {
  return intern(s, &(ty){.kind = k, .iv = iv, .label = l});
}

const ty *ty_int(ty_set *s, const ival *iv, ty_label l) {
  return ty_scalar(s, T_INT, iv, l);
}

const ty *ty_bool(ty_set *s, ty_label l) {
  return ty_scalar(s, T_BOOL, ival_si(s->iv, 0, 1), l);
}

const ty *ty_bool_known(ty_set *s, bool v) {
  return ty_scalar(s, T_BOOL, ival_si(s->iv, v, v), LAB_PUB);
}

const ty *ty_fixed(ty_set *s, unsigned i, unsigned f, const ival *iv,
                   ty_label l) {
  return intern(s, &(ty){.kind = T_FIXED, .ibits = i, .fbits = f, .iv = iv,
                         .label = l});
}

const ival *ty_fixed_range(ty_set *s, unsigned i, unsigned f) {
  return ival_signed(s->iv, i + f + 1);
}

const ty *ty_told(ty_set *s, const ty *what) {
  return intern(s, &(ty){.kind = T_TOLD, .elem = &what, .nelem = 1});
}

const ty *ty_tuple(ty_set *s, const ty **elem, uint32_t n) {
  if (n == 0) return s->unit;
  return intern(s, &(ty){.kind = T_TUPLE, .elem = elem, .nelem = n});
}

const ty *ty_struct(ty_set *s, const node *decl, const char *name,
                    const char **fname, const ty **elem, uint32_t n) {
  return intern(s, &(ty){.kind = T_STRUCT, .decl = decl, .name = name,
                         .fname = fname, .elem = elem, .nelem = n});
}

const ty *ty_array(ty_set *s, const ty *elem, const uint64_t *dim,
                   uint32_t ndim) {
  if (ndim == 0 || elem->kind == T_ERROR) return elem;
  if (elem->kind != T_ARRAY)
    return intern(s, &(ty){.kind = T_ARRAY, .elem = &elem, .nelem = 1,
                           .dim = (uint64_t *)dim, .ndim = ndim});
  uint64_t all[64];
  uint32_t n = ndim + elem->ndim;
  if (n > 64) return s->error;
  memcpy(all, dim, ndim * sizeof *all);
  memcpy(all + ndim, elem->dim, elem->ndim * sizeof *all);
  return intern(s, &(ty){.kind = T_ARRAY, .elem = elem->elem, .nelem = 1,
                         .dim = all, .ndim = n});
}

const ty *ty_with_dims(ty_set *s, const ty *t, const uint64_t *dim,
                       uint32_t ndim) {
  return ty_array(s, ty_elem(t), dim, ndim);
}

uint64_t ty_size(const ty *t) {
  if (ty_is_scalar(t)) return 1;
  uint64_t n = 0;
  for (uint32_t i = 0; i < t->nelem; i++) n += ty_size(t->elem[i]);
  return n * ty_lanes(t);
}

const ty *ty_map(ty_set *s, const ty *t, ty_map_fn f, void *user) {
  if (t->nelem == 0) return ty_is_scalar(t) ? f(s, t, user) : t;
  const ty *small[16];
  const ty **e = t->nelem <= 16 ? small : ARENA_ARR(s->a, const ty *, t->nelem);
  bool changed = false;
  for (uint32_t i = 0; i < t->nelem; i++) {
    e[i] = ty_map(s, t->elem[i], f, user);
    changed |= e[i] != t->elem[i];
  }
  if (!changed) return t;
  ty n = *t;
  n.elem = e;
  return intern(s, &n);
}

static const ty *relabel(ty_set *s, const ty *t, void *user) {
  ty n = *t;
  n.label = *(ty_label *)user;
  return intern(s, &n);
}

const ty *ty_relabel(ty_set *s, const ty *t, ty_label l) {
  return ty_map(s, t, relabel, &l);
}

static const ty *close_leaf(ty_set *s, const ty *t, void *user) {
  (void)user;
  if (t->label != LAB_OPEN) return t;
  ty n = *t;
  n.label = LAB_PUB;
  return intern(s, &n);
}

const ty *ty_close(ty_set *s, const ty *t) {
  return t->open ? ty_map(s, t, close_leaf, NULL) : t;
}

const ty *ty_leaf(const ty *t, uint32_t i) {
  while (t->nelem) {
    uint32_t k = 0;
    while (k + 1 < t->nelem && i >= t->elem[k]->nleaf)
      i -= t->elem[k++]->nleaf;
    t = t->elem[k];
  }
  return t;
}

bool ty_alike(const ty *a, const ty *b) {
  if (a == b) return true;
  if (a->kind == T_ERROR || b->kind == T_ERROR) return true;
  if (a->kind != b->kind || a->decl != b->decl || a->nelem != b->nelem ||
      a->ndim != b->ndim)
    return false;
  if (a->kind == T_FIXED)
    return a->ibits == b->ibits && a->fbits == b->fbits;
  for (uint32_t i = 0; i < a->ndim; i++)
    if (a->dim[i] != b->dim[i]) return false;
  for (uint32_t i = 0; i < a->nelem; i++)
    if (!ty_alike(a->elem[i], b->elem[i])) return false;
  return true;
}

const ty *ty_join(ty_set *s, const ty *a, const ty *b) {
  if (a == b) return a;
  if (a->kind == T_ERROR || b->kind == T_ERROR) return s->error;
  if (a->kind != b->kind || a->decl != b->decl || a->nelem != b->nelem ||
      a->ndim != b->ndim)
    return NULL;
  for (uint32_t i = 0; i < a->ndim; i++)
    if (a->dim[i] != b->dim[i]) return NULL;
  ty n = *a;
  if (ty_is_scalar(a)) {
    if (a->kind == T_FIXED && a->fbits != b->fbits) return NULL;
    if (b->ibits > a->ibits) n.ibits = b->ibits;
    if (a->label == LAB_SEC || b->label == LAB_SEC) n.label = LAB_SEC;
    else if (b->label == LAB_OPEN) n.label = LAB_OPEN;
    if (a->iv && b->iv) n.iv = ival_hull(s->iv, a->iv, b->iv);
    return intern(s, &n);
  }
  if (!a->nelem) return a;
  const ty **e = ARENA_ARR(s->a, const ty *, a->nelem);
  for (uint32_t i = 0; i < a->nelem; i++) {
    e[i] = ty_join(s, a->elem[i], b->elem[i]);
    if (!e[i]) return NULL;
  }
  n.elem = e;
  return intern(s, &n);
}

static void print(const ty *t, buf *out, bool labels) {
  if (labels && ty_is_scalar(t) && t->label == LAB_SEC)
    buf_puts(out, "secret ");
  switch (t->kind) {
  case T_ERROR: buf_puts(out, "?"); break;
  case T_UNIT: buf_puts(out, "()"); break;
  case T_BOOL: buf_puts(out, "bool"); break;
  case T_INT: {
    bool named = true;
    buf b = {0};
    ival_print(t->iv, &b);
    if (b.n && b.p[0] != 'u' && b.p[0] != 'i') named = false;
    if (!named) buf_puts(out, "int ");
    buf_puts(out, b.p ? b.p : "");
    buf_free(&b);
    break;
  }
  case T_FIXED:
    if (t->ibits == TY_DEF_IBITS && t->fbits == TY_DEF_FBITS)
      buf_puts(out, "fixed");
    else
      buf_printf(out, "fixed<%u, %u>", t->ibits, t->fbits);
    break;
  case T_FIELD: buf_puts(out, "field"); break;
  case T_IDENTITY: buf_puts(out, "identity"); break;
  case T_TOLD:
    buf_puts(out, "told ");
    print(t->elem[0], out, labels);
    break;
  case T_STRUCT: buf_puts(out, t->name); break;
  case T_TUPLE:
    buf_putc(out, '(');
    for (uint32_t i = 0; i < t->nelem; i++) {
      if (i) buf_puts(out, ", ");
      print(t->elem[i], out, labels);
    }
    if (t->nelem == 1) buf_putc(out, ',');
    buf_putc(out, ')');
    break;
  case T_ARRAY:
    buf_putc(out, '[');
    print(t->elem[0], out, labels);
    buf_puts(out, ";");
    for (uint32_t i = 0; i < t->ndim; i++)
      buf_printf(out, "%s %llu", i ? "," : "", (unsigned long long)t->dim[i]);
    buf_putc(out, ']');
    break;
  }
}

/* All leaves secret, so that one word at the front says it. */
static bool all_secret(const ty *t) {
  if (t->nelem == 0) return ty_is_scalar(t) && t->label == LAB_SEC;
  for (uint32_t i = 0; i < t->nelem; i++)
    if (!all_secret(t->elem[i])) return false;
  return true;
}

void ty_print(const ty *t, buf *out) {
  if (t->nelem && all_secret(t)) {
    buf_puts(out, "secret ");
    print(t, out, false);
  } else {
    print(t, out, true);
  }
}

void ty_print_plain(const ty *t, buf *out) { print(t, out, false); }

static const char *text(arena *a, const ty *t, bool labels) {
  buf b = {0};
  if (labels) ty_print(t, &b);
  else ty_print_plain(t, &b);
  const char *s = arena_strndup(a, b.p ? b.p : "", b.n);
  buf_free(&b);
  return s;
}

const char *ty_text(arena *a, const ty *t) { return text(a, t, true); }
const char *ty_text_plain(arena *a, const ty *t) { return text(a, t, false); }
