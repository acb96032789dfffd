#include "soak/json.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

/* Each of these returns the text behind what it has read, or NULL. */
static const char *skip_value(const char *text, int depth);

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* text is behind a backslash. */
static const char *skip_escape(const char *text)
{
	if (*text == 'u')
		return strspn(text + 1, "0123456789abcdefABCDEF") >= 4 ? text + 5 : NULL;
	return *text && strchr("\"\\/bfnrt", *text) ? text + 1 : NULL;
}

static const char *skip_string(const char *text)
{
	if (*text++ != '"')
		return NULL;
	while (text && *text != '"') {
		if ((unsigned char)*text < ' ')
			return NULL;
		text = *text == '\\' ? skip_escape(text + 1) : text + 1;
	}
	return text ? text + 1 : NULL;
}

static const char *skip_digits(const char *text)
{
	return isdigit((unsigned char)*text) ? text + strspn(text, "0123456789") : NULL;
}

static const char *skip_exponent(const char *text)
{
	if (*text != 'e' && *text != 'E')
		return text;
	text++;
	return skip_digits(*text == '+' || *text == '-' ? text + 1 : text);
}

static const char *skip_number(const char *text)
{
	text = skip_digits(*text == '-' ? text + 1 : text);
	if (text && *text == '.')
		text = skip_digits(text + 1);
	return text ? skip_exponent(text) : NULL;
}

static const char *skip_member(const char *text, int depth)
{
	text = skip_string(skip_blanks(text));
	text = text ? skip_blanks(text) : NULL;
	return text && *text == ':' ? skip_value(text + 1, depth) : NULL;
}

/* Values or members up to the bracket; text is behind the opening one. */
static const char *skip_list(const char *text, char bracket, int depth)
{
	text = skip_blanks(text);
	if (*text == bracket)
		return text + 1;
	for (;;) {
		text = bracket == '}' ? skip_member(text, depth) : skip_value(text, depth);
		text = text ? skip_blanks(text) : NULL;
		if (text && *text == bracket)
			return text + 1;
		if (!text || *text++ != ',')
			return NULL;
	}
}

static const char *skip_word(const char *text)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return text + strlen(words[i]);
	return NULL;
}

static const char *skip_value(const char *text, int depth)
{
	text = skip_blanks(text);
	if (depth == DEPTH_MAX)
		return NULL;
	if (*text == '{')
		return skip_list(text + 1, '}', depth + 1);
	if (*text == '[')
		return skip_list(text + 1, ']', depth + 1);
	if (*text == '"')
		return skip_string(text);
	return isalpha((unsigned char)*text) ? skip_word(text) : skip_number(text);
}

bool json_is_valid(const char *text)
{
	text = skip_value(text, 0);
	return text && *skip_blanks(text) == '\0';
}
