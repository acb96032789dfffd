/* Text for JSON (RFC 8259). */
#ifndef USHERD_BASE_JSON_H
#define USHERD_BASE_JSON_H

#include <stdio.h>

/* Writes a string with its quotes. JSON is UTF-8; other bytes become U+FFFD. */
void json_string(FILE *out, const char *string);

#endif
