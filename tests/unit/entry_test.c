#include "config/entry.h"

#include "config/attributes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An entry's lines; what they assign, in the order of the table of attributes, as
 * "name op word@line ..."; and the problems. */
static const struct {
	const char *header, *lines, *assigned, *complaints;
} entries[] = {
	{ "service a", "", "", "" },
	{ "service a", "port = 8\nwait = no\n", "wait = no@4\nport = 8@3\n", "" },
	{ "service a", "\n\nPORT = 8\n", "port = 8@5\n", "" },
	{ "service a", "interface = ::1\n", "bind = ::1@3\n", "" },
	{ "service a", "server_args = -a '' \"\" #\n", "server_args = -a@3 ''@3 @3 #@3\n",
	  "advice 3: \"#\" does not begin a comment\n" },
	{ "service a", "only_from = a\nonly_from += b c\nonly_from -= a\nonly_from =\n",
	  "only_from = a@3\nonly_from += b@4 c@4\nonly_from -= a@5\nonly_from =\n", "" },
	{ "service a", "env = A=1\nenv += B=2\n", "env = A=1@3\nenv += B=2@4\n", "" },
	{ "defaults", "only_from += a\nenabled = x y\n", "only_from += a@3\nenabled = x@4 y@4\n",
	  "" },
	{ "daemon", "port_map = a\nport_map += b\nstatus_file = c\n",
	  "port_map = a@3\nport_map += b@4\nstatus_file = c@5\n", "" },

	/* Values that look like libconfuse's language. */
	{ "service a", "server_args = a \"b\n", NULL,
	  "error 3: a word that begins with \" has no closing \"\n" },
	{ "service a", "server_args = ${HOME} a\\b 'x' {1,2} a=b += // /* */ (x) \\\n",
	  "server_args = ${HOME}@3 a\\b@3 'x'@3 {1,2}@3 a=b@3 +=@3 //@3 /*@3 */@3 (x)@3 \\@3\n",
	  "" },

	/* How often, and with which operator. */
	{ "service a", "port = 1\nport = 2\nport = 3\n", "port = 1@3\n",
	  "warning 4: port is already set on line 3\nwarning 5: port is already set on line 3\n" },
	{ "service a", "port += 1\n", NULL, "error 3: port takes \"=\", not \"+=\"\n" },
	{ "service a", "port -= 1\n", NULL, "error 3: port takes \"=\", not \"-=\"\n" },
	{ "service a", "env = A=1\nenv -= B=1\n", "env = A=1@3\n",
	  "error 4: env takes \"=\" or \"+=\", not \"-=\"\n" },

	/* How many. */
	{ "service a", "port =\nwait = no\n", "wait = no@4\n",
	  "error 3: port takes 1 value and got 0\n" },
	{ "service a", "port = 1 2\n", "", "error 3: port takes 1 value and got 2\n" },
	{ "service a", "cps = 1\n", "", "error 3: cps takes 2 values and got 1\n" },
	{ "service a", "flags =\n", "", "error 3: flags takes at least 1 value and got 0\n" },
	{ "service a", "log_type = FILE a b c d\n", "",
	  "error 3: log_type takes 1 to 4 values and got 5\n" },
	{ "service a", "mdns =\n", "mdns =\n", "" },

	/* Names. */
	{ "service a", "prot = 1\nport = 2\n", "port = 2@4\n",
	  "error 3: unknown attribute \"prot\"; did you mean \"port\"?\n" },
	{ "service a", "Sever = /bin/cat\n", "",
	  "error 3: unknown attribute \"Sever\"; did you mean \"server\"?\n" },
	{ "service a", "log_on_failer = HOST\n", "",
	  "error 3: unknown attribute \"log_on_failer\"; did you mean \"log_on_failure\"?\n" },
	{ "service a", "only_form = a\n", "",
	  "error 3: unknown attribute \"only_form\"; did you mean \"only_from\"?\n" },
	{ "service a", "kafel_rule = a\n", "", "error 3: unknown attribute \"kafel_rule\"\n" },
	{ "service a", "include = a\n__unknown = b\n0 = c\n", "",
	  "error 3: unknown attribute \"include\"\nerror 4: unknown attribute \"__unknown\"\n"
	  "error 5: unknown attribute \"0\"\n" },
	{ "service a", "prot = 1\nport = 1 2\nport\nwait += no\n", "",
	  "error 5: \"port\" is not of the form\n"
	  "error 3: unknown attribute \"prot\"; did you mean \"port\"?\nerror 6: wait takes \"=\"\n"
	  "error 4: port takes 1 value\n" },

	/* Places. */
	{ "service a", "enabled = a\nport_map = b\nport = 1\n", "port = 1@5\n",
	  "error 3: enabled has no place in a service\nerror 4: port_map has no place in a service\n" },
	{ "defaults", "port = 1\nnice = 2\nport_map = a\n", "",
	  "warning 3: port has no effect in defaults; set it in each service\n"
	  "warning 4: nice has no effect in defaults; set it in each service\n"
	  "warning 5: port_map has no effect in defaults; set it in a daemon entry\n" },
	{ "defaults", "preset = jail\nnetwork = none\n", "",
	  "error 3: preset in defaults protects no service; write it in each service\n"
	  "error 4: network in defaults protects no service; write it in each service\n" },
	{ "defaults", "enable = a\n", "",
	  "error 3: unknown attribute \"enable\"; did you mean \"enabled\"?\n" },
	{ "daemon", "port = 1\n", "", "error 3: port has no place in daemon\n" },
};

static void write_line(FILE *out, const struct attribute *attribute, const struct assignment *line)
{
	fprintf(out, "%s %s", attribute->name, assign_operator_text(line->sign));
	for (size_t i = 0; i < line->count; i++)
		fprintf(out, " %s@%d", line->words[i]->text, line->words[i]->line);
	fprintf(out, "\n");
}

/* To be freed. */
static char *assigned_text(const struct entry *entry)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	for (size_t i = 0; i < attribute_count; i++)
		for (const struct assignment *line = entry_lines(entry, i); line; line = line->next)
			write_line(out, &attributes[i], line);
	fclose(out);
	return text;
}

static void check_complaints(const struct problems *problems, const char *expected)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		size_t length = strcspn(expected, "\n");
		char line[512];

		snprintf(line, sizeof line, "%s %d: %s", severity_name(problem->severity),
			 problem->line, problem->text);
		ck_assert_msg(length > 0 && strncmp(line, expected, length) == 0,
			      "says \"%s\", not \"%.*s\"", line, (int)length, expected);
		ck_assert_str_eq(problem->file, "file");
		expected += length + (expected[length] == '\n');
	}
	ck_assert_msg(*expected == '\0', "does not say \"%s\"", expected);
}

/* Parses the one entry of header and lines. */
static struct entry *parse(const char *header, const char *lines, struct problems *problems)
{
	struct raw_entry raw;
	struct syntax syntax;
	struct entry *entry;
	char *text;

	ck_assert_int_gt(asprintf(&text, "%s\n{\n%s}\n", header, lines), 0);
	syntax_begin(&syntax, "file", text, strlen(text), problems);
	ck_assert_msg(syntax_next(&syntax, &raw), "no entry in \"%s\"", text);
	entry = entry_parse(&raw, "file", problems);
	ck_assert_ptr_nonnull(entry);
	raw_entry_clear(&raw);
	free(text);
	return entry;
}

START_TEST(parses_entries)
{
	struct problems problems = { 0 };
	struct entry *entry = parse(entries[_i].header, entries[_i].lines, &problems);
	char *assigned = assigned_text(entry);

	check_complaints(&problems, entries[_i].complaints);
	if (entries[_i].assigned)
		ck_assert_str_eq(assigned, entries[_i].assigned);
	ck_assert_msg(entry->broken == (problems.errors > 0), "%s: broken is %d", entries[_i].lines,
		      entry->broken);
	free(assigned);
	entry_free(entry);
	problems_clear(&problems);
}
END_TEST

START_TEST(knows_what_it_is)
{
	struct problems problems = { 0 };
	struct entry *entry = parse("service telnet", "disable = no\n", &problems);

	ck_assert_int_eq(entry->kind, ENTRY_SERVICE);
	ck_assert_str_eq(entry->name, "telnet");
	ck_assert_str_eq(entry->file, "file");
	ck_assert_int_eq(entry->line, 1);
	ck_assert(!entry->broken);
	ck_assert(!entry->disabled);
	entry_free(entry);
}
END_TEST

static const struct {
	const char *lines;
	bool disabled;
} disables[] = {
	{ "disable = yes\n", true },
	{ "disable = YES # comment\n", true },
	{ "no_such = 1\ndisable = yes\n", true },
	{ "disable = yes\ndisable = no\n", true },
	{ "disable = no\ndisable = yes\n", false },
	{ "disable = true\n", false },
	{ "disable = yes yes\n", false },
	{ "disable =\n", false },
	{ "", false },
};

START_TEST(tells_what_is_disabled)
{
	struct problems problems = { 0 };
	struct entry *entry = parse("service a", disables[_i].lines, &problems);

	ck_assert_msg(entry->disabled == disables[_i].disabled, "%s", disables[_i].lines);
	entry_free(entry);
	problems_clear(&problems);
}
END_TEST

START_TEST(a_fault_does_not_reach_the_next_entry)
{
	struct problems problems = { 0 };
	struct entry *broken = parse("service a", "no_such = \"x\"\nport = 1\n", &problems);
	struct entry *next = parse("service b", "port = 2\n", &problems);
	char *assigned = assigned_text(next);

	ck_assert(broken->broken);
	ck_assert(!next->broken);
	ck_assert_str_eq(assigned, "port = 2@3\n");
	ck_assert_uint_eq(problems.count, 1);
	free(assigned);
	entry_free(broken);
	entry_free(next);
	problems_clear(&problems);
}
END_TEST

START_TEST(stops_telling_after_many_faults)
{
	struct problems problems = { 0 };
	char lines[100 * 16] = "";
	struct entry *entry;

	for (int i = 0; i < 100; i++)
		snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "xxx%d = 1\n", i);
	entry = parse("service a", lines, &problems);
	ck_assert(entry->broken);
	ck_assert_uint_ge(problems.errors, 10);
	ck_assert_uint_lt(problems.errors, 30);
	entry_free(entry);
	problems_clear(&problems);
}
END_TEST

START_TEST(takes_body_and_line_from_elsewhere)
{
	struct problems problems = { 0 };
	char body[] = "port+={'=7'} env+={'=A=1','=B=2'} ", name[] = "a";
	struct raw_entry raw = {
		.kind = ENTRY_SERVICE, .name = name, .line = 40, .body_line = 40, .body = body
	};
	struct entry *entry = entry_parse(&raw, "file", &problems);
	char *assigned = assigned_text(entry);

	ck_assert_str_eq(assigned, "port = 7@40\nenv = A=1@40 B=2@40\n");
	ck_assert_uint_eq(problems.count, 0);
	free(assigned);
	entry_free(entry);
}
END_TEST

START_TEST(nothing_can_be_freed)
{
	entry_free(NULL);
}
END_TEST

Suite *entry_suite(void)
{
	Suite *suite = suite_create("entry");
	TCase *tests = tcase_create("entry");

	tcase_add_loop_test(tests, parses_entries, 0, (int)(sizeof entries / sizeof entries[0]));
	tcase_add_loop_test(tests, tells_what_is_disabled, 0,
			    (int)(sizeof disables / sizeof disables[0]));
	tcase_add_test(tests, knows_what_it_is);
	tcase_add_test(tests, a_fault_does_not_reach_the_next_entry);
	tcase_add_test(tests, stops_telling_after_many_faults);
	tcase_add_test(tests, takes_body_and_line_from_elsewhere);
	tcase_add_test(tests, nothing_can_be_freed);
	suite_add_tcase(suite, tests);
	return suite;
}
