#include "admission/ident.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	uint16_t theirs, ours;
	const char *query;
} queries[] = {
	{ 6193, 23, "6193,23\r\n" },
	{ 65535, 65535, "65535,65535\r\n" },
	{ 0, 0, "0,0\r\n" },
};

START_TEST(asks_theirs_first)
{
	char query[IDENT_QUERY_SIZE];
	size_t length = ident_query(query, queries[_i].theirs, queries[_i].ours);

	ck_assert_str_eq(query, queries[_i].query);
	ck_assert_uint_eq(length, strlen(queries[_i].query));
}
END_TEST

/* Replies to the query 6193, 23. */
static const struct {
	const char *reply;
	enum ident_outcome outcome;
	const char *user;
} replies[] = {
	{ "6193, 23 : USERID : UNIX : stjohns\r\n", IDENT_USER, "UNIX : stjohns" },
	{ "6193,23:USERID:UNIX:joe\r\n", IDENT_USER, "UNIX:joe" },
	{ "6193,23:USERID:UNIX:joe\n", IDENT_USER, "UNIX:joe" },
	{ " 6193 \t,\t 23\t: USERID\t:  OTHER , US-ASCII : a b  \r\n", IDENT_USER,
	  "OTHER , US-ASCII : a b" },
	{ "06193,0000023:USERID:UNIX:joe\r\n", IDENT_USER, "UNIX:joe" },
	{ "6193,23:USERID:joe\r\n6193,23:USERID:eve\r\n", IDENT_USER, "joe" },
	{ "6193,23:USERID:joe\n\r\n", IDENT_USER, "joe" },
	{ "6193,23:USERID::\r\n", IDENT_USER, ":" },
	{ "6193,23:USERID:joe\r\r\n", IDENT_USER, "joe" },
	{ "6193,23:USERID:jo\re\r\n", IDENT_USER, "jo\\re" },
	{ "6193,23:USERID:UNIX:\x1b[31m\\\xff\x01\r\n", IDENT_USER,
	  "UNIX:\\x1B[31m\\\\\\xFF\\x01" },
	{ "6193, 23 : ERROR : NO-USER\r\n", IDENT_ERROR, "" },
	{ "6193,23:ERROR:\r\n", IDENT_ERROR, "" },
	{ "6193,23:USERID:\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:USERID: \t \r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:USERID\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:USERIDS:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:userid:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:USER ID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23::joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23:HELLO:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,23\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193 23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "23,6193:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6194,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,24:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,24:ERROR:NO-USER\r\n", IDENT_BAD_RESPONSE, "" },
	{ "71729,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "4294973489,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "-6193,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "+6193,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "0x1831,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193x,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "61 93,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ ",23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "6193,:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "\r\n", IDENT_BAD_RESPONSE, "" },
	{ "\n", IDENT_BAD_RESPONSE, "" },
	{ "\n6193,23:USERID:joe\r\n", IDENT_BAD_RESPONSE, "" },
	{ "HTTP/1.1 400 Bad Request\r\n", IDENT_BAD_RESPONSE, "" },
	{ "", IDENT_INCOMPLETE, "" },
	{ "6193,23:USERID:joe", IDENT_INCOMPLETE, "" },
	{ "6193,23:USERID:joe\r", IDENT_INCOMPLETE, "" },
	{ "nonsense", IDENT_INCOMPLETE, "" },
};

START_TEST(judges_replies)
{
	const char *reply = replies[_i].reply;
	char user[IDENT_USER_SIZE];
	enum ident_outcome outcome = ident_parse(reply, strlen(reply), 6193, 23, user);

	ck_assert_msg(outcome == replies[_i].outcome, "%s: %d", reply, outcome);
	ck_assert_msg(strcmp(user, replies[_i].user) == 0, "%s: user %s", reply, user);
}
END_TEST

START_TEST(every_part_of_an_answer_is_incomplete)
{
	static const char reply[] = "6193, 23 : USERID : UNIX : joe\r\n";
	char user[IDENT_USER_SIZE];

	for (size_t length = 0; length < sizeof reply - 1; length++)
		ck_assert_int_eq(ident_parse(reply, length, 6193, 23, user), IDENT_INCOMPLETE);
	ck_assert_int_eq(ident_parse(reply, sizeof reply - 1, 6193, 23, user), IDENT_USER);
}
END_TEST

START_TEST(a_zero_byte_is_a_byte_like_others)
{
	static const char in_user[] = "6193,23:USERID:j\0e\r\n";
	static const char in_port[] = "6193\0,23:USERID:j\r\n";
	char user[IDENT_USER_SIZE];

	ck_assert_int_eq(ident_parse(in_user, sizeof in_user - 1, 6193, 23, user), IDENT_USER);
	ck_assert_str_eq(user, "j\\x00e");
	ck_assert_int_eq(ident_parse(in_port, sizeof in_port - 1, 6193, 23, user),
			 IDENT_BAD_RESPONSE);
}
END_TEST

START_TEST(no_digits_are_no_port)
{
	static const char *const lines[] = { ",0:USERID:joe\n", "0,:USERID:joe\n" };
	char user[IDENT_USER_SIZE];

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ck_assert_msg(ident_parse(lines[i], strlen(lines[i]), 0, 0, user) ==
				      IDENT_BAD_RESPONSE,
			      "%s", lines[i]);
}
END_TEST

static size_t long_reply(char reply[static IDENT_REPLY_MAX + 2], size_t length, char filler)
{
	size_t begun = (size_t)sprintf(reply, "6193,23:USERID:");

	memset(reply + begun, filler, length - begun - 1);
	reply[length - 1] = '\n';
	return length;
}

START_TEST(a_line_has_its_longest)
{
	char reply[IDENT_REPLY_MAX + 2], user[IDENT_USER_SIZE];
	size_t length = long_reply(reply, IDENT_REPLY_MAX, 'x');

	ck_assert_int_eq(ident_parse(reply, length - 1, 6193, 23, user), IDENT_INCOMPLETE);
	ck_assert_int_eq(ident_parse(reply, length, 6193, 23, user), IDENT_USER);
	ck_assert_uint_eq(strlen(user), IDENT_USER_SIZE - 1);
	length = long_reply(reply, IDENT_REPLY_MAX + 1, 'x');
	ck_assert_int_eq(ident_parse(reply, length - 1, 6193, 23, user), IDENT_BAD_RESPONSE);
	ck_assert_int_eq(ident_parse(reply, length, 6193, 23, user), IDENT_BAD_RESPONSE);
	ck_assert_str_eq(user, "");
}
END_TEST

START_TEST(a_user_is_printable_whatever_it_holds)
{
	for (int byte = 0; byte < 256; byte++) {
		char reply[IDENT_REPLY_MAX + 2], user[IDENT_USER_SIZE];
		size_t length = long_reply(reply, IDENT_REPLY_MAX, (char)byte);

		ident_parse(reply, length, 6193, 23, user);
		ck_assert_uint_lt(strlen(user), IDENT_USER_SIZE);
		for (const char *at = user; *at; at++)
			if (!isprint((unsigned char)*at))
				ck_abort_msg("byte %d", byte);
	}
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *ident_suite(void)
{
	Suite *suite = suite_create("ident");
	TCase *ident = tcase_create("ident");

	tcase_add_loop_test(ident, asks_theirs_first, 0, ROWS(queries));
	tcase_add_loop_test(ident, judges_replies, 0, ROWS(replies));
	tcase_add_test(ident, every_part_of_an_answer_is_incomplete);
	tcase_add_test(ident, a_zero_byte_is_a_byte_like_others);
	tcase_add_test(ident, no_digits_are_no_port);
	tcase_add_test(ident, a_line_has_its_longest);
	tcase_add_test(ident, a_user_is_printable_whatever_it_holds);
	suite_add_tcase(suite, ident);
	return suite;
}
