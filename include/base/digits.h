/* Decimal numbers as text, for what is written at each connection: printf(3) takes ten times as
 * long. */
#ifndef USHERD_BASE_DIGITS_H
#define USHERD_BASE_DIGITS_H

#include <stdint.h>

/* Room for every number, with the NUL. */
enum { DIGITS_SIZE = 21 };

/* Writes the number and a NUL. Returns where the NUL is. */
char *digits_write(char *text, uint64_t number);

#endif
