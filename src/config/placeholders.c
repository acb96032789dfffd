#include "config/placeholders.h"

#include "base/address.h"
#include "base/session_id.h"
#include "config/word.h"

#include <stdio.h>
#include <string.h>

static const char *const names[PLACEHOLDERS] = {
	[PLACEHOLDER_CLIENT] = "%client",   [PLACEHOLDER_PORT] = "%port",
	[PLACEHOLDER_SESSION] = "%session", [PLACEHOLDER_SLOT] = "%slot",
	[PLACEHOLDER_USER] = "%user",
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { UNKNOWN = PLACEHOLDERS + 1 };

/* A percent sign and what belongs to it. */
struct token {
	const char *start;
	size_t length;
	int which; /* enum placeholder, PLACEHOLDERS for a percent sign, or UNKNOWN */
};

static int name_find(const char *start, size_t length)
{
	for (int which = 0; which < PLACEHOLDERS; which++)
		if (strlen(names[which]) == length && memcmp(names[which], start, length) == 0)
			return which;
	return UNKNOWN;
}

/* The first one in text; false: there is none. */
static bool token_find(const char *text, struct token *token)
{
	token->start = strchr(text, '%');
	if (!token->start)
		return false;
	if (token->start[1] == '%') {
		token->length = 2;
		token->which = PLACEHOLDERS;
		return true;
	}
	token->length = 1 + strspn(token->start + 1, LETTERS);
	token->which = name_find(token->start, token->length);
	return true;
}

static bool fails(char *fault, const struct token *token, const char *remedy)
{
	snprintf(fault, PLACEHOLDER_FAULT_SIZE, "\"%.*s\" is no placeholder%s",
		 (int)(token->length < 32 ? token->length : 32), token->start, remedy);
	return false;
}

/* Says which one may be meant. */
static bool fails_unknown(char *fault, const struct token *token)
{
	const char *candidates[PLACEHOLDERS + 1] = { NULL };
	char word[16], remedy[64];
	const char *nearest;

	snprintf(word, sizeof word, "%.*s", (int)token->length, token->start);
	memcpy(candidates, names, sizeof names);
	nearest = token->length < sizeof word ? nearest_word(word, candidates) : NULL;
	if (token->length == 1)
		return fails(fault, token, "; write %% for a percent sign");
	if (!nearest)
		return fails(fault, token,
			     "; there are %client, %port, %session, %slot and %user, and %% for a "
			     "percent sign");
	snprintf(remedy, sizeof remedy, "; did you mean \"%s\"?", nearest);
	return fails(fault, token, remedy);
}

bool placeholders_are_known(const char *text, bool has_client,
			    char fault[static PLACEHOLDER_FAULT_SIZE])
{
	struct token token;

	for (; token_find(text, &token); text = token.start + token.length) {
		if (token.which == UNKNOWN)
			return fails_unknown(fault, &token);
		if (!has_client &&
		    (token.which == PLACEHOLDER_CLIENT || token.which == PLACEHOLDER_PORT)) {
			snprintf(fault, PLACEHOLDER_FAULT_SIZE,
				 "%s has no meaning with wait = yes, as the server serves many "
				 "clients; remove it",
				 names[token.which]);
			return false;
		}
	}
	return true;
}

unsigned placeholders_in(const char *text)
{
	struct token token;
	unsigned found = 0;

	for (; token_find(text, &token); text = token.start + token.length)
		if (token.which != UNKNOWN)
			found |= 1U << token.which;
	return found;
}

/* --- expanding -------------------------------------------------------------------------- */

/* Text that is cut off where its room ends, and its whole length. */
struct output {
	char *room;
	size_t size, length;
};

static void put(struct output *output, const char *bytes, size_t length)
{
	size_t space = output->length < output->size ? output->size - output->length : 0;

	if (space > 0)
		memcpy(output->room + output->length, bytes, length < space ? length : space);
	output->length += length;
}

static void put_value(struct output *output, const struct token *token,
		      const struct placeholder_values *values)
{
	if (token->which == PLACEHOLDERS)
		put(output, "%", 1);
	else if (token->which == UNKNOWN)
		put(output, token->start, token->length);
	else
		put(output, values->texts[token->which], strlen(values->texts[token->which]));
}

size_t placeholders_expand(char *room, size_t size, const char *text,
			   const struct placeholder_values *values)
{
	struct output output = { .room = room, .size = size };
	struct token token;

	for (; token_find(text, &token); text = token.start + token.length) {
		put(&output, text, (size_t)(token.start - text));
		put_value(&output, &token, values);
	}
	put(&output, text, strlen(text));
	if (size > 0)
		room[output.length < size ? output.length : size - 1] = '\0';
	return output.length;
}

bool placeholders_are_foreseen(const char *text)
{
	return !(placeholders_in(text) & ((1U << PLACEHOLDER_CLIENT) | (1U << PLACEHOLDER_PORT) |
					  (1U << PLACEHOLDER_SESSION)));
}

size_t placeholders_expand_first(char *room, size_t size, const char *text, const char *user)
{
	const struct placeholder_values first = { .texts = {
							  [PLACEHOLDER_CLIENT] = "",
							  [PLACEHOLDER_PORT] = "",
							  [PLACEHOLDER_SESSION] = "",
							  [PLACEHOLDER_SLOT] = "0",
							  [PLACEHOLDER_USER] = user,
						  } };

	return placeholders_expand(room, size, text, &first);
}

size_t placeholders_most(const char *text, const char *user)
{
	char address[ADDRESS_TEXT_SIZE], session[SESSION_ID_SIZE];
	const struct placeholder_values longest = { .texts = {
							    [PLACEHOLDER_CLIENT] = address,
							    [PLACEHOLDER_PORT] = "65535",
							    [PLACEHOLDER_SESSION] = session,
							    [PLACEHOLDER_SLOT] = "4294967295",
							    [PLACEHOLDER_USER] = user,
						    } };

	memset(address, 'x', sizeof address - 1);
	memset(session, 'x', sizeof session - 1);
	address[sizeof address - 1] = session[sizeof session - 1] = '\0';
	return placeholders_expand(NULL, 0, text, &longest);
}
