/* UTF-8 decoding: shortest forms only, no surrogates, up to U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence at p (n bytes left), 0 if there is none.
 * *cp gets the code point. */
static inline size_t utf8_decode(const char *p, size_t n, uint32_t *cp) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  if (n == 0) return 0;
  unsigned char c = (unsigned char)p[0];
  if (c < 0x80) {
    *cp = c;
    return 1;
  }
  size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  if (c < 0xc2 || c > 0xf4 || len > n) return 0;
  uint32_t v = c & (0x7fu >> len);
  for (size_t i = 1; i < len; i++) {
    unsigned char t = (unsigned char)p[i];
    if ((t & 0xc0) != 0x80) return 0;
    v = v << 6 | (t & 0x3f);
  }
  if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000)) return 0;
  *cp = v;
  return len;
}

/* Characters that reorder or hide the text around them on a screen. */
static inline int utf8_is_bidi(uint32_t cp) {
  return cp == 0x061c || cp == 0x200e || cp == 0x200f ||
         (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

#endif
