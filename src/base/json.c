#include "base/json.h"

#include "base/utf8.h"

void json_string(FILE *out, const char *string)
{
	const unsigned char *text = (const unsigned char *)string;

	putc('"', out);
	while (*text) {
		size_t length = utf8_length((const char *)text);

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
