/* Words @FILE of only_from and no_access, and what -= removes. */
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE(id, lines) \
	"service " id "\n{\ntype = UNLISTED\nport = 0\nsocket_type = stream\nwait = no\n" \
	"user = root\nserver = /bin/sh\n" lines "\n}\n"

/* Where the first of lines stands. */
enum { FIRST_LINE = 9 };

static const struct access_list *no_access_of(const char *id)
{
	ck_assert_msg(configuration_service(id) != NULL, "%s", configuration_complaints_text());
	return &configuration_service(id)->admission->no_access;
}

/* --- what a file may have -------------------------------------------------------------- */

static const struct {
	const char *text;
	size_t rules;
} good_files[] = {
	{ "10.0.0.1\n", 1 },
	{ "10.0.0.1", 1 },
	{ "", 0 },
	{ "\n\n", 0 },
	{ "# nothing\n", 0 },
	{ "  \t10.0.0.1 \t\n", 1 },
	{ "10.0.0.1 # a comment\n", 1 },
	{ "10.0.0.1 #comment\n#10.0.0.2\n", 1 },
	{ "10.0.0.1\r\n10.0.0.2\r\n", 2 },
	{ "\xef\xbb\xbf"
	  "10.0.0.1\n",
	  1 },
	{ "10.0.0.{1,2,3}\n", 3 },
	{ "2001:db8::/32\n.example.org\nhost.example.org\n0.0.0.0/0\n", 4 },
	{ "10.0.0.1\n10.0.0.1\n", 2 },
};

START_TEST(reads_a_word_on_each_line)
{
	const struct access_list *list;

	place_write("list", "%s", good_files[_i].text);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	list = no_access_of("a");
	ck_assert_uint_eq(list->count, 0);
	ck_assert_uint_eq(list->set_count, 1);
	ck_assert_uint_eq(list->sets[0].set->count, good_files[_i].rules);
	ck_assert(list->is_set && list->is_settled);
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
}
END_TEST

static const struct {
	const char *text;
	int line;
	const char *said;
} bad_files[] = {
	{ "10.0.0.1\n10.0.0.0/33\n", 2, "\"10.0.0.0/33\" has no valid prefix length" },
	{ "10.0.0.1 10.0.0.2\n", 1, "\"10.0.0.1\" is not alone on its line" },
	{ "\n\n10.0.0.1,\n", 3, "has a comma in it" },
	{ "@other\n", 1, "\"@other\" has no place in a file of rules" },
	{ "10.0.0.1#x\n", 1, "\"10.0.0.1#x\" is no" },
	{ "1.2.3\n; drop\n", 2, "\";\" is not alone" },
	{ "a b", 1, "\"a\" is not alone" },
};

START_TEST(a_bad_line_keeps_the_service_out)
{
	place_write("list", "%s", bad_files[_i].text);
	configuration_load("%s%s", SERVICE("a", "no_access = @list"), SERVICE("b", ""));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_ptr_nonnull(configuration_service("b"));
	ck_assert_msg(configuration_said(ERROR, bad_files[_i].line, bad_files[_i].said), "%s",
		      configuration_complaints_text());
	ck_assert(text_matches(configuration_complaints_text(),
			       textf("list:%d: ", bad_files[_i].line)));
	ck_assert(configuration_said(ERROR, FIRST_LINE, "can't be used: the file has 1 error"));
}
END_TEST

START_TEST(a_nul_byte_or_a_long_word_is_an_error)
{
	char *text = keep(malloc(5000));

	place_write_bytes("list", "10.0.0.1\n10.0\0.0.1\n", 19);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert(configuration_said(ERROR, 2, "a NUL byte"));
	memset(text, 'a', 5000);
	place_write_bytes("list", text, 5000);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert(configuration_said(ERROR, 1, "the word is too long"));
	ck_assert_ptr_null(configuration_service("a"));
}
END_TEST

/* A file of another kind does not fill the log. */
START_TEST(many_bad_lines_are_reported_in_part)
{
	enum { LINES = 1000 };
	char *text = keep(calloc(LINES, 4));

	for (int i = 0; i < LINES; i++)
		strcat(text, "a,\n");
	place_write("list", "%s", text);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert_uint_eq(configuration_complaints(ERROR), 16 + 1);
	ck_assert(configuration_said(ERROR, FIRST_LINE, "the file has 1000 errors"));
}
END_TEST

/* --- the file itself --------------------------------------------------------------------- */

START_TEST(a_missing_file_keeps_the_service_out)
{
	configuration_load("%s%s", SERVICE("a", "no_access = 10.0.0.1 @list"), SERVICE("b", ""));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_ptr_nonnull(configuration_service("b"));
	ck_assert_msg(configuration_said(ERROR, FIRST_LINE,
					 textf("no_access: @%s can't be used: No such file",
					       place_path("list"))),
		      "%s", configuration_complaints_text());
}
END_TEST

START_TEST(a_missing_file_in_defaults_refuses_the_load)
{
	ck_assert_ptr_null(
		configuration_load("defaults\n{\nno_access = @list\n}\n%s", SERVICE("b", "")));
	ck_assert(configuration_said(ERROR, 3, "No such file"));
}
END_TEST

START_TEST(a_directory_or_a_pipe_is_no_file)
{
	ck_assert_int_eq(mkdir(place_path("list"), 0755), 0);
	ck_assert_int_eq(mkfifo(place_path("pipe"), 0644), 0);
	configuration_load("%s%s", SERVICE("a", "no_access = @list"),
			   SERVICE("b", "no_access = @pipe"));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_ptr_null(configuration_service("b"));
	ck_assert(configuration_said(ERROR, FIRST_LINE, "is not a regular file"));
}
END_TEST

/* Its size is 0. It must not count as empty. */
START_TEST(a_file_whose_end_is_not_known_is_not_read)
{
	configuration_load("%s", SERVICE("a", "no_access = @/proc/version"));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert(configuration_said(ERROR, FIRST_LINE, "changes while it is read"));
}
END_TEST

START_TEST(a_word_without_a_name_is_an_error)
{
	configuration_load("%s", SERVICE("a", "no_access = @"));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_uint_eq(configuration_complaints(ERROR), 1);
}
END_TEST

/* Others could put themselves on the list. */
START_TEST(root_takes_no_file_that_others_can_change)
{
	place_write("list", "10.0.0.1\n");
	ck_assert_int_eq(chmod(place_path("list"), 0666), 0);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_msg(configuration_said(ERROR, FIRST_LINE, "writable by everybody"), "%s",
		      configuration_complaints_text());
}
END_TEST

START_TEST(root_is_warned_of_a_file_of_the_top_files_owner)
{
	place_write("list", "10.0.0.1\n");
	ck_assert_int_eq(chown(place_path("top.conf"), 1, 1), 0);
	ck_assert_int_eq(chown(place_path("list"), 1, 1), 0);
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert_uint_eq(no_access_of("a")->set_count, 1);
	ck_assert(configuration_said(WARNING, 0, "is not owned by root"));
}
END_TEST

START_TEST(the_path_begins_at_the_file_with_the_word)
{
	ck_assert_int_eq(mkdir(place_path("sub"), 0755), 0);
	place_write("sub/list", "10.0.0.1\n");
	place_write("sub/conf", "%s", SERVICE("a", "no_access = @list"));
	place_write("outer", "10.0.0.2\n10.0.0.3\n");
	configuration_load("include sub/conf\n%s", SERVICE("b", "no_access = @sub/../outer"));
	ck_assert_uint_eq(no_access_of("a")->sets[0].set->count, 1);
	ck_assert_uint_eq(no_access_of("b")->sets[0].set->count, 2);
	ck_assert(text_matches(configuration_print(),
			       textf("no_access +=? @%s$", place_path("sub/list"))));
}
END_TEST

START_TEST(lists_share_the_rules_of_a_file)
{
	place_write("list", "10.0.0.1\n");
	configuration_load("defaults\n{\nno_access = @list\n}\n%s%s%s", SERVICE("a", ""),
			   SERVICE("b", "no_access += 10.0.0.2 @list"),
			   SERVICE("c", "only_from = @list"));
	ck_assert_ptr_eq(no_access_of("a")->sets[0].set, no_access_of("b")->sets[0].set);
	ck_assert_ptr_eq(no_access_of("a")->sets[0].set,
			 configuration_service("c")->admission->only_from.sets[0].set);
	ck_assert_uint_eq(no_access_of("b")->set_count, 1);
	ck_assert_uint_eq(no_access_of("b")->count, 1);
}
END_TEST

START_TEST(rules_know_their_file_and_line)
{
	const struct access_rule *rule;

	place_write("list", "# first\n10.0.0.1\n");
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	rule = &no_access_of("a")->sets[0].set->rules[0];
	ck_assert_str_eq(rule->file, place_path("list"));
	ck_assert_int_eq(rule->line, 2);
}
END_TEST

/* Short lines that would take much memory. */
START_TEST(a_file_that_stands_for_too_much_is_an_error)
{
	enum { NUMBERS = 256, LINES = 600 };
	char *text = keep(calloc(LINES, 4 * NUMBERS)), *end = text;

	for (int line = 0; line < LINES; line++) {
		end = stpcpy(end, "10.0.0.{1");
		for (int i = 1; i < NUMBERS; i++)
			end = stpcpy(end, ",2");
		end = stpcpy(end, "}\n");
	}
	place_write_bytes("list", text, (size_t)(end - text));
	configuration_load("%s", SERVICE("a", "no_access = @list"));
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_msg(configuration_said(ERROR, FIRST_LINE, "it has too many rules"), "%s",
		      configuration_complaints_text());
}
END_TEST

START_TEST(a_filter_of_datagrams_has_the_rules_itself)
{
	static const char entry[] = "service a\n{\ntype = UNLISTED\nport = 0\nsocket_type = dgram\n"
				    "wait = yes\nuser = root\nserver = /bin/sh\n"
				    "flags = INTERCEPT\nonly_from = 10.0.0.9 @list\n}\n";
	char *text = keep(calloc(1024, 16));

	place_write("list", "10.0.0.1\n10.0.0.2\n");
	configuration_load("%s", entry);
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert_uint_eq(configuration_service("a")->admission->only_from.count, 3);
	ck_assert_uint_eq(configuration_service("a")->admission->only_from.set_count, 0);
	for (int i = 0; i < 1024; i++)
		strcat(text, "10.0.0.1\n");
	place_write("list", "%s", text);
	configuration_load("%s", entry);
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert(configuration_said(ERROR, 1, "takes at most 1024 addresses and names"));
}
END_TEST

/* --- removing -------------------------------------------------------------------------------- */

static const struct {
	const char *lines, *left; /* left: after the =, as -print writes it; NULL: an error */
} removals[] = {
	{ "no_access = 10.0.0.1 @list\nno_access -= @list", "10.0.0.1" },
	{ "no_access = @list 10.0.0.1\nno_access -= 10.0.0.1", "@PLACE/list" },
	{ "no_access = @list\nno_access -= 10.0.0.9", NULL },
	{ "no_access = 10.0.0.9\nno_access -= @list", "10.0.0.9" },
	{ "no_access = @list\nno_access -= @LIST", "@PLACE/list" },
	{ "no_access = @list\nno_access -= @list\nno_access -= 10.0.0.9", "" },
	{ "no_access = 10.0.0.1 10.0.0.1/32 10.0.0.0\nno_access -= 10.0.0.1", "10.0.0.0" },
	{ "no_access = 10.0.0.1\nno_access -= 10.0.0.1\nno_access += 10.0.0.1", "10.0.0.1" },
	{ "no_access = 10.1.{1,2,3} x\nno_access -= 10.1.2.0\nno_access -= 10.1.1.0/24",
	  "10.1.3.0/24 x" },
	{ "no_access = 10.1.{1,2} x\nno_access -= 10.1.{2,1}", "x" },
	{ "no_access = a.org .a.org\nno_access -= A.ORG.", ".a.org" },
	{ "no_access = x\nno_access -= x\nno_access = y z\nno_access -= y", "z" },
	{ "no_access = 10.1.{1,1}\nno_access -= 10.1.1.0", "" },
};

START_TEST(removes_words_by_meaning_and_files_by_name)
{
	place_write("list", "10.0.0.9\n");
	configuration_load(SERVICE("a", "%s"), removals[_i].lines);
	ck_assert_msg((configuration_service("a") != NULL) == (removals[_i].left != NULL), "%s: %s",
		      removals[_i].lines, configuration_complaints_text());
	if (removals[_i].left) {
		const char *place = strstr(removals[_i].left, "PLACE");
		const char *left = !place ? removals[_i].left : textf("@%s", place_path("list"));

		ck_assert_msg(text_matches(configuration_print(),
					   textf("no_access +=%s%s$", *left ? " " : "",
						 *left ? left : "")),
			      "%s: %s", removals[_i].lines, configuration_print());
	} else {
		ck_assert(configuration_said(ERROR, FIRST_LINE + 1, "has to be removed there"));
	}
}
END_TEST

#ifdef __SANITIZE_ADDRESS__ /* libconfuse enlarges its list word by word, which is slow there */
enum { MANY_WORDS = 2000 };
#else
enum { MANY_WORDS = 20000 };
#endif

/* Comparing each word with each would take longer than the test's timeout. */
START_TEST(adds_and_removes_many_words_one_by_one)
{
	enum { WORDS = MANY_WORDS, LINE = 64 };
	char *text = keep(malloc(2 * WORDS * LINE)), *end = text;

	*text = '\0';
	for (int i = 0; i < WORDS; i++)
		end += sprintf(end, "no_access += 10.0.%d.%d h%d.example.org\n", i >> 8,
			       i & 255 ? i & 255 : 255, i);
	for (int i = 0; i < WORDS - 1; i++)
		end += sprintf(end, "no_access -= h%d.example.org\nno_access += x\n", i);
	configuration_load(SERVICE("a", "%s"), text);
	ck_assert_uint_eq(no_access_of("a")->count, 2 * WORDS);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *rule_files_suite(void)
{
	Suite *suite = suite_create("rule_files");
	TCase *lines = tcase_create("lines"), *files = tcase_create("files");
	TCase *removing = tcase_create("removing"), *all[] = { lines, files, removing };

	for (int i = 0; i < ROWS(all); i++) {
		tcase_add_checked_fixture(all[i], configuration_make, configuration_remove);
		suite_add_tcase(suite, all[i]);
	}
	tcase_set_timeout(removing, 60);
	tcase_add_loop_test(lines, reads_a_word_on_each_line, 0, ROWS(good_files));
	tcase_add_loop_test(lines, a_bad_line_keeps_the_service_out, 0, ROWS(bad_files));
	tcase_add_test(lines, a_nul_byte_or_a_long_word_is_an_error);
	tcase_add_test(lines, many_bad_lines_are_reported_in_part);
	tcase_add_test(files, a_missing_file_keeps_the_service_out);
	tcase_add_test(files, a_missing_file_in_defaults_refuses_the_load);
	tcase_add_test(files, a_directory_or_a_pipe_is_no_file);
	tcase_add_test(files, a_file_whose_end_is_not_known_is_not_read);
	tcase_add_test(files, a_word_without_a_name_is_an_error);
	if (geteuid() == 0) {
		tcase_add_test(files, root_takes_no_file_that_others_can_change);
		tcase_add_test(files, root_is_warned_of_a_file_of_the_top_files_owner);
	}
	tcase_add_test(files, the_path_begins_at_the_file_with_the_word);
	tcase_add_test(files, lists_share_the_rules_of_a_file);
	tcase_add_test(files, rules_know_their_file_and_line);
	tcase_add_test(files, a_file_that_stands_for_too_much_is_an_error);
	tcase_add_test(files, a_filter_of_datagrams_has_the_rules_itself);
	tcase_add_loop_test(removing, removes_words_by_meaning_and_files_by_name, 0,
			    ROWS(removals));
	tcase_add_test(removing, adds_and_removes_many_words_one_by_one);
	return suite;
}
