#include "escapes.h"

/* -1: not a digit of an escape. */
static int digit_value(char digit)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = digit ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

static char named_byte(char name)
{
	static const char names[] = "n\nr\rt\t\\\\";

	for (size_t i = 0; names[i]; i += 2)
		if (names[i] == name)
			return names[i + 1];
	return '\0';
}

/* The byte that an escape, or a plain character, stands for; *text is moved on. */
static uint8_t unescape(const char **text)
{
	const char *escape = *text;
	int high, low;

	*text += 1;
	if (escape[0] != '\\')
		return (uint8_t)escape[0];
	*text += 1;
	if (named_byte(escape[1]))
		return (uint8_t)named_byte(escape[1]);
	require(escape[1] == 'x');
	high = digit_value(escape[2]);
	low = high < 0 ? -1 : digit_value(escape[3]);
	require(low >= 0);
	*text += 2;
	return (uint8_t)(high << 4 | low);
}

size_t escapes_match(const char *text, struct input bytes)
{
	size_t count = 0;

	require(is_printable(text, strlen(text)));
	while (*text) {
		require(count < bytes.length);
		require(unescape(&text) == bytes.bytes[count++]);
	}
	return count;
}
