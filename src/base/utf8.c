#include "base/utf8.h"

size_t utf8_length(const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	static const struct {
		unsigned char first, last, second_least, second_most;
		size_t length;
	} rows[] = {
		{ 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t length = rows[i].length, good = 1;

		if (*text < rows[i].first || *text > rows[i].last)
			continue;
		if (length > 1 && (text[1] < rows[i].second_least || text[1] > rows[i].second_most))
			return 0;
		for (good = 2; good < length; good++)
			if ((text[good] & 0xc0) != 0x80)
				return 0;
		return length;
	}
	return 0;
}
