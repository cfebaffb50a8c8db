#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { KEEP_ERRORS = 20, KEEP_WARNINGS = 100 };

const diag_info diag_table[DIAG_COUNT] = {
#define DIAG(ID, NAME, SEV, FMT, STORY) {#ID, #NAME, SEV, FMT, STORY},
#include "base/diag.def"
#undef DIAG
};

const diag_info *diag_find(const char *id) {
  for (size_t i = 0; i < DIAG_COUNT; i++)
    if (strcmp(diag_table[i].id, id) == 0) return &diag_table[i];
  return NULL;
}

struct diag {
  arena *a;
  const source_set *ss;
  VEC(diag_msg) msg;
  bool last_kept; /* notes go to the last report, or nowhere with it */
  uint32_t muted, errors, warnings, kept_errors, kept_warnings, more;
};

diag *diag_new(arena *a, const source_set *ss) {
  diag *d = ARENA_NEW(a, diag);
  d->a = a;
  d->ss = ss;
  return d;
}

static char *vformat(arena *a, const char *fmt, va_list ap) {
  va_list ap2;
  va_copy(ap2, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  char *p = ARENA_ARR(a, char, n < 0 ? 1 : (size_t)n + 1);
  if (n > 0) vsnprintf(p, (size_t)n + 1, fmt, ap2);
  va_end(ap2);
  return p;
}

/* The same words at the same place tell nothing new: a function checked once
 * for each instantiation repeats itself. */
static bool is_repeat(const diag *d, const diag_msg *m) {
  for (size_t i = 0; i < d->msg.n; i++) {
    const diag_msg *o = &d->msg.p[i];
    if (o->id == m->id && o->sp.start == m->sp.start &&
        o->sp.end == m->sp.end && strcmp(o->text, m->text) == 0)
      return true;
  }
  return false;
}

static void report(diag *d, diag_id id, span sp, va_list ap) {
  d->last_kept = false;
  if (d->muted) return;
  bool warning = diag_table[id].sev == SEV_WARNING;
  uint32_t *all = warning ? &d->warnings : &d->errors;
  uint32_t *kept = warning ? &d->kept_warnings : &d->kept_errors;
  ++*all;
  if (*kept >= (warning ? KEEP_WARNINGS : KEEP_ERRORS)) {
    if (!warning) d->more++;
    return;
  }
  diag_msg m = {.id = id,
                .sp = sp,
                .has_span = sp.end != 0,
                .text = vformat(d->a, diag_table[id].fmt, ap)};
  if (is_repeat(d, &m)) return;
  ++*kept;
  vec_push(d->a, &d->msg, m);
  d->last_kept = true;
}

void diag_report(diag *d, diag_id id, span sp, ...) {
  va_list ap;
  va_start(ap, sp);
  report(d, id, sp, ap);
  va_end(ap);
}

void diag_report_nowhere(diag *d, diag_id id, ...) {
  va_list ap;
  va_start(ap, id);
  report(d, id, (span){0, 0}, ap);
  va_end(ap);
}

static void add_note(diag *d, span sp, bool hint, const char *fmt,
                     va_list ap) {
  if (!d->last_kept) return;
  diag_msg *m = &d->msg.p[d->msg.n - 1];
  if ((m->nnote & (m->nnote - 1)) == 0) /* capacities are powers of two */
    m->note = arena_grow(d->a, m->note, m->nnote,
                         m->nnote ? 2 * (size_t)m->nnote : 1, sizeof *m->note);
  m->note[m->nnote++] = (diag_note_t){.sp = sp,
                                      .has_span = sp.end != 0,
                                      .text = vformat(d->a, fmt, ap),
                                      .hint = hint};
}

void diag_note(diag *d, span sp, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_note(d, sp, false, fmt, ap);
  va_end(ap);
}

void diag_hint(diag *d, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_note(d, (span){0, 0}, true, fmt, ap);
  va_end(ap);
}

void diag_mute(diag *d) { d->muted++; }

void diag_unmute(diag *d) {
  if (d->muted) d->muted--;
}

uint32_t diag_errors(const diag *d) { return d->errors; }
uint32_t diag_warnings(const diag *d) { return d->warnings; }
uint32_t diag_more(const diag *d) { return d->more; }
uint32_t diag_count(const diag *d) { return (uint32_t)d->msg.n; }

const diag_msg *diag_get(const diag *d, uint32_t i) {
  return i < d->msg.n ? &d->msg.p[i] : NULL;
}

const source_set *diag_sources(const diag *d) { return d->ss; }

/* Insertion sort: stable, and there are at most 120 messages, mostly in order.
 * Messages without a place come last. */
void diag_sort(diag *d) {
  for (size_t i = 1; i < d->msg.n; i++) {
    diag_msg m = d->msg.p[i];
    size_t j = i;
    for (; j > 0; j--) {
      const diag_msg *o = &d->msg.p[j - 1];
      bool later = o->has_span != m.has_span ? m.has_span
                                             : o->sp.start > m.sp.start;
      if (!later) break;
      d->msg.p[j] = *o;
    }
    d->msg.p[j] = m;
  }
  d->last_kept = false;
}
