/* Placeholders: words such as %client in the texts of a service, which stand for what is known
 * only when a session begins. Pure.
 *
 *	%client   the client's address       %session  the session's name (session_id.h)
 *	%port     the client's port          %slot     the session's number (session_slots.h)
 *	%user     the server's user          %%        a percent sign
 *
 * The name is all letters that follow the percent sign, so %user_1 is %user and "_1". */
#ifndef USHERD_CONFIG_PLACEHOLDERS_H
#define USHERD_CONFIG_PLACEHOLDERS_H

#include <stdbool.h>
#include <stddef.h>

enum placeholder {
	PLACEHOLDER_CLIENT,
	PLACEHOLDER_PORT,
	PLACEHOLDER_SESSION,
	PLACEHOLDER_SLOT,
	PLACEHOLDER_USER,
	PLACEHOLDERS
};

/* For placeholders_in, besides 1 << enum placeholder. */
enum { PLACEHOLDER_PERCENT = 1 << PLACEHOLDERS };

enum {
	PLACEHOLDER_FAULT_SIZE = 256,
	PLACEHOLDERS_TEXT_MAX = 64 << 10, /* bytes of all texts of a service that have some */
};

/* A text for each of one session; none is NULL. */
struct placeholder_values {
	const char *texts[PLACEHOLDERS];
};

/* False when text has something after a percent sign that is no placeholder, or, without
 * has_client, one about the client: fault says what, and what to write instead. */
bool placeholders_are_known(const char *text, bool has_client,
			    char fault[static PLACEHOLDER_FAULT_SIZE]);

/* A bit for each placeholder in text, 1 << enum placeholder or PLACEHOLDER_PERCENT; 0: text
 * stays as it is. */
unsigned placeholders_in(const char *text);

/* Writes text with the values in place of the placeholders into room, which has size bytes:
 * as much as fits, and a NUL unless size is 0. What is unknown stays. Returns the length
 * without the NUL that all of it has, as snprintf(3) does. */
size_t placeholders_expand(char *room, size_t size, const char *text,
			   const struct placeholder_values *values);

/* True when text has only what is known when the configuration is read, which is %user, and
 * %slot, whose first value is 0: what must exist then can be looked for. */
bool placeholders_are_foreseen(const char *text);

/* Expands a text that is foreseen for the first session of that user. */
size_t placeholders_expand_first(char *room, size_t size, const char *text, const char *user);

/* The greatest length, without the NUL, that text can get in a session of that user. */
size_t placeholders_most(const char *text, const char *user);

#endif
