/* Feeds replies to the reader of RFC 1413; the first four bytes are the ports. */
#include "admission/ident.h"

#include "fuzz.h"

static void check_user(enum ident_outcome outcome, const char user[static IDENT_USER_SIZE])
{
	require(memchr(user, '\0', IDENT_USER_SIZE) != NULL);
	require(is_printable(user, strlen(user)));
	require((*user != '\0') == (outcome == IDENT_USER));
	require(*user != ' ');
}

static void check_reply(const char *reply, size_t length, uint16_t theirs, uint16_t ours)
{
	char user[IDENT_USER_SIZE];
	enum ident_outcome outcome = ident_parse(reply, length, theirs, ours, user);
	size_t readable = length < IDENT_REPLY_MAX ? length : IDENT_REPLY_MAX;
	bool has_line = length > 0 && memchr(reply, '\n', readable);

	check_user(outcome, user);
	require((outcome == IDENT_INCOMPLETE) == (!has_line && length < IDENT_REPLY_MAX));
	if (outcome != IDENT_USER && outcome != IDENT_ERROR)
		return;
	require(ident_parse(reply, length, theirs ^ 1, ours, user) == IDENT_BAD_RESPONSE);
	require(ident_parse(reply, length, theirs, ours ^ 1, user) == IDENT_BAD_RESPONSE);
}

/* A reply to this query is parsed, whatever follows the ports. */
static void check_answer(const char *rest, size_t length, uint16_t theirs, uint16_t ours)
{
	char reply[IDENT_REPLY_MAX], user[IDENT_USER_SIZE];
	size_t query = ident_query(reply, theirs, ours);
	size_t head = query - 2 + strlen(":USERID:U");

	require(query > 4 && query < IDENT_QUERY_SIZE && strlen(reply) == query);
	if (length + head + 1 > sizeof reply)
		length = sizeof reply - head - 1;
	strcpy(reply + query - 2, ":USERID:U");
	if (length > 0)
		memcpy(reply + head, rest, length);
	reply[head + length] = '\n';
	require(ident_parse(reply, head + length + 1, theirs, ours, user) == IDENT_USER);
	require(*user == 'U');
	check_user(IDENT_USER, user);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	uint16_t theirs, ours;

	if (length < 4)
		return 0;
	memcpy(&theirs, bytes, 2);
	memcpy(&ours, bytes + 2, 2);
	check_reply((const char *)bytes + 4, length - 4, theirs, ours);
	check_reply((const char *)bytes, length, 6193, 23);
	check_answer((const char *)bytes + 4, length - 4, theirs, ours);
	return 0;
}
