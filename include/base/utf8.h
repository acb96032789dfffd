/* Characters of UTF-8 (RFC 3629, 4). */
#ifndef USHERD_BASE_UTF8_H
#define USHERD_BASE_UTF8_H

#include <stddef.h>

/* How many bytes of the NUL-ended text are one character, from 1 to 4; 0: they are none, or
 * the text ends here. */
size_t utf8_length(const char *text);

#endif
