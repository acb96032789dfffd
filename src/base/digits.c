#include "base/digits.h"

#include <string.h>

char *digits_write(char *text, uint64_t number)
{
	char digits[DIGITS_SIZE];
	size_t first = DIGITS_SIZE;

	do
		digits[--first] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	memcpy(text, digits + first, DIGITS_SIZE - first);
	text[DIGITS_SIZE - first] = '\0';
	return text + DIGITS_SIZE - first;
}
