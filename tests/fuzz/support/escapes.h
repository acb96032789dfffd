/* Reads back what log_escape wrote. */
#ifndef USHERD_TESTS_FUZZ_ESCAPES_H
#define USHERD_TESTS_FUZZ_ESCAPES_H

#include "../fuzz.h"

/* How many of the bytes text stands for. It must be escaped as the header of
 * base/log says, and stand for the first of these bytes and nothing else. */
size_t escapes_match(const char *text, struct input bytes);

#endif
