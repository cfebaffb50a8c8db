/* Source files and spans.  A span is a byte range in the concatenation of all
 * files of a set; line and column exist only when shown. */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

typedef struct span {
  uint32_t start, end;
} span;

typedef uint32_t source_id;
typedef struct source_set source_set;

typedef struct source_file {
  const char *path; /* as given */
  const char *text; /* n bytes and a NUL */
  size_t n;
  uint32_t base;    /* offset of byte 0 in span coordinates */
} source_file;

typedef struct source_pos {
  const source_file *file;
  uint32_t line, col; /* 1-based; col counts bytes */
  const char *line_text;
  size_t line_len;
} source_pos;

source_set *source_set_new(arena *a);
/* Adds a text; limit 64 MiB a file, 1 GiB a set: false beyond it. */
bool source_add(source_set *s, const char *path, const char *text, size_t n,
                source_id *out);
/* Reads a file whole; false with errno. */
bool source_load(source_set *s, const char *path, source_id *out);
const source_file *source_get(const source_set *s, source_id id);
uint32_t source_count(const source_set *s); /* ids are 0..count-1 */
/* One NUL-terminated copy for each distinct text: equal text, equal pointer,
 * over all files of the set. */
const char *source_intern(source_set *s, const char *p, size_t n);
/* Offset 0 belongs to no file (file is NULL): the span {0, 0} is nowhere.  A
 * line ends before its "\n" or "\r\n". */
source_pos source_at(const source_set *s, uint32_t offset);
static inline span span_join(span a, span b) {
  return (span){a.start < b.start ? a.start : b.start,
                a.end > b.end ? a.end : b.end};
}

#endif
