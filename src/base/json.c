#include "base/json.h"

#include <stddef.h>

/* The length of the UTF-8 character at text (RFC 3629); 0: it is none. */
static size_t character_length(const unsigned char *text)
{
	static const struct {
		unsigned char first, last, second_least, second_most;
		size_t length;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i = 0;

	while (i < sizeof forms / sizeof forms[0] && *text > forms[i].last)
		i++;
	if (i == sizeof forms / sizeof forms[0] || *text < forms[i].first)
		return 0;
	if (forms[i].length > 1 &&
	    (text[1] < forms[i].second_least || text[1] > forms[i].second_most))
		return 0;
	for (size_t next = 2; next < forms[i].length; next++)
		if ((text[next] & 0xc0) != 0x80)
			return 0;
	return forms[i].length;
}

void json_string(FILE *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	putc('"', out);
	while (*text) {
		size_t length = character_length(text);

		if (length == 0)
			fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text < ' ' || *text == 0x7f)
			fprintf(out, "\\u%04x", *text);
		else
			fwrite(text, 1, length, out);
		text += length ? length : 1;
	}
	putc('"', out);
}
