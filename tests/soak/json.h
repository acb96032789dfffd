/* Whether a text is JSON (RFC 8259). */
#ifndef USHERD_TESTS_SOAK_JSON_H
#define USHERD_TESTS_SOAK_JSON_H

#include <stdbool.h>

/* True for one value, with blanks around it, in which arrays and objects are at most 32 levels
 * deep. */
bool json_is_valid(const char *text);

#endif
