/* Diagnostics.  Ids are stable and public (E0231), declared in diag.def with
 * severity, format and the long story.  Nothing prints but the handler.
 *
 * Message law: lower case, no full stop, one line, names in quotes with their
 * kind, the offending value included, "cannot" (never possible) vs "could not"
 * (failed now).  A hint (the mend) is a whole sentence.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/source.h"

typedef enum { SEV_ERROR, SEV_WARNING, SEV_RESOURCE, SEV_BUG } diag_severity;

typedef enum {
#define DIAG(ID, NAME, SEV, FMT, STORY) DIAG_##NAME,
#include "base/diag.def"
#undef DIAG
  DIAG_COUNT
} diag_id;

typedef struct diag_info {
  const char *id;    /* "E0231" */
  const char *name;  /* "SECRET_TO_PUBLIC" */
  diag_severity sev;
  const char *fmt;   /* printf */
  const char *story; /* `chi explain`: prose, then "Example:" and "Mend:" */
} diag_info;
extern const diag_info diag_table[DIAG_COUNT];
const diag_info *diag_find(const char *id); /* NULL if there is none */

typedef struct diag_note {
  span sp;
  bool has_span;
  const char *text;
  bool hint;
} diag_note_t;

typedef struct diag_msg {
  diag_id id;
  span sp;
  bool has_span;
  const char *text;
  diag_note_t *note;
  uint32_t nnote;
} diag_msg;

typedef struct diag diag;
/* Collects messages; at most 20 errors (and 100 warnings) are kept, further
 * ones counted.  A repeat of a kept message counts as an error, but is not
 * kept. */
diag *diag_new(arena *a, const source_set *ss);
void diag_report(diag *d, diag_id id, span sp, ...); /* args of the format */
void diag_report_nowhere(diag *d, diag_id id, ...);  /* no place in a source */
void diag_note(diag *d, span sp, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));           /* to the last report */
void diag_hint(diag *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));           /* the mend */
/* While muted, reports are dropped (speculative analysis); nests. */
void diag_mute(diag *d);
void diag_unmute(diag *d);
uint32_t diag_errors(const diag *d); /* errors, resource failures and bugs */
uint32_t diag_warnings(const diag *d);
uint32_t diag_count(const diag *d);  /* kept; diag_sort: in source order */
uint32_t diag_more(const diag *d);   /* errors counted but not kept */
const diag_msg *diag_get(const diag *d, uint32_t i);
const source_set *diag_sources(const diag *d);
void diag_sort(diag *d);
/* diag_text.c: the caret renderer and its JSON sibling's raw material. */
void diag_render(const diag *d, const diag_msg *m, buf *out, bool colour);
void diag_render_all(const diag *d, buf *out, bool colour);

#endif
