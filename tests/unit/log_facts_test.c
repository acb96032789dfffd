#include "base/log_facts.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const struct log_moment moment = {
	.time = { .tv_sec = 1795244821, .tv_nsec = 123999999 },
	.level = LOG_INFO,
};

#define HEAD "{\"time\":\"2026-11-21T07:07:01.123Z\",\"level\":\"info\",\"event\":"

static char text[LOG_FORM_SIZE + 1];

static const char *json(const struct log_facts *facts, const struct log_moment *when)
{
	size_t length = log_facts_json(facts, when, text);

	ck_assert_uint_le(length, LOG_FORM_SIZE);
	text[length] = '\0';
	return text;
}

static const char *journal(const struct log_facts *facts, const struct log_moment *when)
{
	size_t length = log_facts_journal(facts, when, text);

	ck_assert_uint_le(length, LOG_FORM_SIZE);
	text[length] = '\0';
	return text;
}

static const struct {
	const char *raw, *escaped;
} texts[] = {
	{ "plain", "plain" },
	{ "\"\\/", "\\\"\\\\/" },
	{ "a\nb\r\t\x01\x1f\x7f", "a\\u000ab\\u000d\\u0009\\u0001\\u001f\\u007f" },
	{ "Gr\xc3\xbc\xc3\x9f"
	  "e \xe2\x82\xac \xf0\x9f\x98\x80",
	  "Gr\xc3\xbc\xc3\x9f"
	  "e \xe2\x82\xac \xf0\x9f\x98\x80" },
	/* not UTF-8: alone, cut, too long, a surrogate, beyond the last character */
	{ "\x80", "\\ufffd" },
	{ "\xe2\x82", "\\ufffd\\ufffd" },
	{ "\xc3(", "\\ufffd(" },
	{ "\xc0\x80", "\\ufffd\\ufffd" },
	{ "\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd" },
	{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
	{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "\xff", "\\ufffd" },
};

START_TEST(text_is_escaped)
{
	struct log_facts facts = { .event = LOG_EVENT_MESSAGE };
	char line[256];

	log_facts_text(&facts, "reason", texts[_i].raw);
	snprintf(line, sizeof line, HEAD "\"message\",\"reason\":\"%s\"}", texts[_i].escaped);
	ck_assert_str_eq(json(&facts, &moment), line);
}
END_TEST

START_TEST(facts_are_members)
{
	struct log_facts facts = { .event = LOG_EVENT_SESSION_END };
	struct log_moment told = moment;

	log_facts_text(&facts, "usherd.service", "zz");
	log_facts_text(&facts, "client.address", NULL);
	log_facts_text(&facts, "rule", "");
	log_facts_number(&facts, "bytes_in", UINT64_MAX);
	log_facts_thousandths(&facts, "duration_s", 61002);
	log_facts_thousandths(&facts, "cpu_s", 7);
	told.message = "EXIT: \"zz\"";
	told.level = LOG_CRIT;
	ck_assert_str_eq(json(&facts, &moment), HEAD "\"session.end\",\"usherd.service\":\"zz\","
						     "\"bytes_in\":18446744073709551615,"
						     "\"duration_s\":61.002,\"cpu_s\":0.007}");
	ck_assert(strstr(json(&facts, &told), "\"level\":\"critical\"") != NULL);
	ck_assert(strstr(text, ",\"message\":\"EXIT: \\\"zz\\\"\"}") != NULL);
}
END_TEST

/* Of what has no room nothing is left but the beginning of the message. */
START_TEST(a_line_has_an_end)
{
	struct log_facts facts = { .event = LOG_EVENT_MESSAGE };
	struct log_moment told = moment;
	char bytes[3001];

	memset(bytes, _i ? 'x' : '\x01', sizeof bytes - 1);
	bytes[sizeof bytes - 1] = '\0';
	for (int i = 0; i < LOG_FACTS_MAX + 5; i++)
		log_facts_text(&facts, "reason", bytes);
	log_facts_number(&facts, "count", 1); /* one too many */
	told.message = bytes;
	json(&facts, &told);
	ck_assert_uint_gt(strlen(text), LOG_FORM_SIZE - 8);
	ck_assert_str_eq(text + strlen(text) - 2, "\"}");
	ck_assert(strstr(text, "\"message\":\"") != NULL);
	journal(&facts, &told);
	ck_assert_str_eq(text + strlen(text) - 1, "\n");
	ck_assert_ptr_null(strstr(text, "COUNT"));
}
END_TEST

START_TEST(the_journal_gets_fields)
{
	struct log_facts facts = { .event = LOG_EVENT_SESSION_START };
	struct log_moment told = moment;
	const char *all;

	log_facts_text(&facts, "usherd.service", "zz\nPRIORITY=0");
	log_facts_number(&facts, "client.port", 4711);
	told.message = "START: zz";
	all = journal(&facts, &told);
	ck_assert(strncmp(all,
			  "MESSAGE=START: zz\nPRIORITY=6\n"
			  "MESSAGE_ID=21d488e0707d49df8d2bdeae58601df2\n"
			  "SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=usherd\nSYSLOG_PID=",
			  strlen("MESSAGE=START: zz\nPRIORITY=6\n"
				 "MESSAGE_ID=21d488e0707d49df8d2bdeae58601df2\n"
				 "SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=usherd\n"
				 "SYSLOG_PID=")) == 0);
	ck_assert(strstr(all, "\nUSHERD_EVENT=session.start\nUSHERD_SERVICE=zz PRIORITY=0\n"
			      "CLIENT_PORT=4711\n") != NULL);
}
END_TEST

/* packaging/usherd.catalog explains each. The current directory is the top of the
 * repository. */
START_TEST(the_catalog_has_each_event)
{
	const char *id = log_event_id((enum log_event)_i);
	FILE *catalog = fopen("packaging/usherd.catalog", "re");
	char line[512], wanted[64] = "";
	bool found = id == NULL;

	ck_assert_ptr_nonnull(catalog);
	snprintf(wanted, sizeof wanted, "-- %s\n", id ? id : "");
	while (fgets(line, sizeof line, catalog))
		found |= strcmp(line, wanted) == 0;
	fclose(catalog);
	ck_assert_msg(found, "%s", wanted);
}
END_TEST

Suite *log_facts_suite(void);

Suite *log_facts_suite(void)
{
	Suite *suite = suite_create("log_facts");
	TCase *tests = tcase_create("log_facts");

	tcase_add_loop_test(tests, text_is_escaped, 0, sizeof texts / sizeof texts[0]);
	tcase_add_test(tests, facts_are_members);
	tcase_add_loop_test(tests, a_line_has_an_end, 0, 2);
	tcase_add_test(tests, the_journal_gets_fields);
	tcase_add_loop_test(tests, the_catalog_has_each_event, 0, LOG_EVENTS);
	suite_add_tcase(suite, tests);
	return suite;
}
