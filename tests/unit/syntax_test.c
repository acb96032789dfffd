#include "config/syntax.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text, and what is read: for each entry its kind, name and line, "broken" if it is,
 * and its body; then for each problem its line and first words. */
static const struct {
	const char *text, *entries, *complaints;
} texts[] = {
	{ "", "", "" },
	{ "\n \t\n# comment\n", "", "" },
	{ "service telnet\n{\n}\n", "service telnet 1\n", "" },
	{ "service telnet\n{\n}", "service telnet 1\n", "" },
	{ "SERVICE telnet ignored words\n\n# c\n{   \n}  \n", "service telnet 1\n", "" },
	{ "service telnet {\n}\n", "service telnet 1\n", "" },
	{ "service telnet words {\n}\n", "service telnet 1\n", "" },
	{ "service telnet { # comment\n}\n", "service telnet 1\n", "" },
	{ "service telnet # comment {\n{\n}\n", "service telnet 1\n", "" },
	{ "service telnet\n{ # comment\n} # end\n", "service telnet 1\n", "" },
	{ "defaults\n{\n}\ndefaults {\n}\ndaemon\n{\n}\n", "defaults  1\ndefaults  4\ndaemon  6\n",
	  "" },
	{ "include /etc/a\nincludedir /etc/b # words\nInclude c\n",
	  "include /etc/a 1\nincludedir /etc/b 2\ninclude c 3\n", "" },
	{ "\xef\xbb\xbfservice a\n{\n}\n", "service a 1\n", "" },
	{ "service a\r\n{\r\n\tport = 1\r\n}\r\n", "service a 1\nport+={'=1'}\n\n", "" },
	{ "service a\n{\n\n# c\nport=1\n}\n", "service a 1\n\n\nport+={'=1'}\n\n", "" },

	/* Operators and names. */
	{ "service a\n{\nport=1\nport= 1\nport =1\n PORT\t= 1 \n}\n",
	  "service a 1\nport+={'=1'}\nport+={'=1'}\nport+={'=1'}\n"
	  "port+={'=1'}\n\n",
	  "" },
	{ "service a\n{\nonly_from+=b\nonly_from -= b c\nonly_from =\n}\n",
	  "service a 1\nonly_from+={'+b'}\nonly_from+={'-b','-c'}\n"
	  "only_from+={'!='}\n\n",
	  "" },
	{ "service a\n{\ninterface = ::1\n}\n", "service a 1\nbind+={'=::1'}\n\n", "" },
	{ "service a\n{\nno_such = 1\n}\n", "service a 1\nno_such+={'=1'}\n\n", "" },
	{ "service a\n{\nport == 1\n}\n", "service a 1\nport+={'==','=1'}\n\n", "" },

	/* Words. */
	{ "service a\n{\nserver_args = -l a'b c\\d $X ${Y} ;|* {a} a=b // /* \xe9\n}\n",
	  "service a 1\nserver_args+={'=-l','=a\\'b','=c\\\\d','=$X','=${Y}','=;|*','={a}',"
	  "'=a=b','=//','=/*','=\xe9'}\n\n",
	  "" },
	{ "service a\n{\nenv = \"A=b c\" \"\" \"\\\"\\\\\\n\" a\"b\n}\n",
	  "service a 1\nenv+={'=A=b c','=','=\"\\\\\\\\n','=a\"b'}\n\n", "" },
	{ "service a\n{\nport = 1 # comment\ninstances = 2 #\numask = 022 ## x\n}\n",
	  "service a 1\nport+={'=1'}\ninstances+={'=2'}\numask+={'=022'}\n\n", "" },
	{ "service a\n{\nbanner = /a#b\nbind = \"#c\"\n}\n",
	  "service a 1\nbanner+={'=/a#b'}\nbind+={'=#c'}\n\n", "" },
	{ "service a\n{\nserver_args = a # b\nenv = #c\n}\n",
	  "service a 1\nserver_args+={'=a','=#','=b'}\nenv+={'=#c'}\n\n",
	  "3: \"#\" does not begin a comment in server_args\n"
	  "4: \"#\" does not begin a comment in env\n" },
	{ "service a\n{\n# comment with a backslash \\\nport = 1\n}\n",
	  "service a 1\n\nport+={'=1'}\n\n", "" },
	{ "service a\n{\nport = 1 \\\ninstances = 2\n}\n",
	  "service a 1\nport+={'=1','=\\\\'}\ninstances+={'=2'}\n\n", "" },

	/* Lines that are not assignments. */
	{ "service a\n{\nport\nport 1\n= 1\n.x = 1\n}\n", "service a 1 broken\n\n\n\n\n\n",
	  "3: \"port\" is not of the form\n4: \"port 1\" is not of the form\n"
	  "5: \"= 1\" is not of the form\n6: \".x = 1\" is not of the form\n" },
	{ "service a\n{\nport ! 1\nport + 1\nport =\n}\n",
	  "service a 1 broken\n\n\nport+={'!='}\n\n",
	  "3: \"port ! 1\" is not of the form\n4: \"port + 1\" is not of the form\n" },
	{ "service a\n{\nenv = \"a\nenv = \"a\"b\nenv = \"\n}\n",
	  "service a 1 broken\nenv+={'=a'}\nenv+={'=a'}\nenv+={'='}\n\n",
	  "3: a word that begins with \" has no closing \"\n"
	  "4: a blank is missing after the closing \"\n"
	  "5: a word that begins with \" has no closing \"\n" },
	{ "service a\n{\n"
	  "a_name_that_is_longer_than_any_attribute_could_possibly_have_ever_been = 1\n}\n",
	  "service a 1 broken\n\n\n", "3: \"a_name_that_is_longer" },

	/* Missing braces, and extra text. */
	{ "service a\n{\nport = 1\n", "service a 1 broken\nport+={'=1'}\n\n",
	  "1: this service entry has no closing \"}\"\n" },
	{ "service a\n{\nport = 1\nservice b\n{\n}\n",
	  "service a 1 broken\nport+={'=1'}\n\nservice b 4\n",
	  "1: this service entry has no closing \"}\"\n" },
	{ "defaults\n{\nincludedir /etc/x\n", "defaults  1 broken\nincludedir /etc/x 3\n",
	  "1: this defaults entry has no closing \"}\"\n" },
	{ "service a\n{\nservice = 1\n}\n", "service a 1\nservice+={'=1'}\n\n", "" },
	{ "service a\nservice b\n{\n}\n", "service b 2\n",
	  "1: service a has no \"{\" on this or the next line\nlost\n" },
	{ "service a\nport = 1\n}\nservice b\n{\n}\n", "service b 4\n",
	  "1: service a has no \"{\"\nlost\n" },
	{ "service a", "", "1: service a has no \"{\"\nlost\n" },
	{ "defaults\n\n\n", "", "1: defaults has no \"{\"\nlost\n" },
	{ "service a{\n{\n}\n", "service a{ 1\n", "" },
	{ "service\n{\n}\nservice b\n{\n}\n", "service b 4\n",
	  "1: service needs a name after it\nlost\n" },
	{ "service # a\n{\n}\n", "", "1: service needs a name after it\nlost\n" },
	{ "include\nincludedir # x\ninclude b\n", "include b 3\n",
	  "1: include needs a path after it\n2: includedir needs a path after it\nlost\n" },
	{ "stray\nservice a\n{\n}\nservice b\n{\n}\n", "service b 5\n",
	  "1: \"stray\" stands between entries\nlost\n" },
	/* As in xinetd, an extra closing brace spoils the text after it. */
	{ "}\nservice a\n{\n}\nservice b\n{\n}\n} # x\n", "service b 5\n",
	  "1: \"}\" stands between entries\n8: \"} # x\" stands between entries\nlost\n" },
	{ " } # x\n# y\ninclude a\nservice a\n{\nport = 1\n} # z\ninclude b\n", "include b 8\n",
	  "1: \"} # x\" stands between entries\nlost\n" },
	{ "service a\n{\n}\n}\n\n# nothing is lost\n", "service a 1\n",
	  "4: \"}\" stands between entries\n" },
	{ "}\n}\nservice a\n{\n}\n", "service a 3\n", "1: \"}\" stands between entries\n" },
	{ "{\nport = 1\n}\ninclude a\n", "include a 4\n",
	  "1: \"{\" stands between entries\nlost\n" },
	{ "a\x1b[31mb\n", "", "1: \"a?[31mb\" stands between entries\nlost\n" },
};

static void write_entry(FILE *out, const struct raw_entry *entry)
{
	fprintf(out, "%s %s %d%s\n", entry_kind_name(entry->kind), entry->name, entry->line,
		entry->broken ? " broken" : "");
	if (entry->body && entry->body[0])
		fprintf(out, "%s\n", entry->body);
}

/* Reads text; entries is to be freed. */
static bool read_text(const char *text, size_t length, char **entries, struct problems *problems)
{
	struct raw_entry entry;
	struct syntax syntax;
	size_t size;
	FILE *out = open_memstream(entries, &size);

	ck_assert_ptr_nonnull(out);
	syntax_begin(&syntax, "file", text, length, problems);
	while (syntax_next(&syntax, &entry)) {
		write_entry(out, &entry);
		raw_entry_clear(&entry);
	}
	fclose(out);
	return syntax.lost_entries;
}

/* Whether the complaints begin as the lines of `expected` do. */
static void check_complaints(const struct problems *problems, bool lost, const char *expected,
			     const char *text)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		size_t length = strcspn(expected, "\n");
		char line[512];

		snprintf(line, sizeof line, "%d: %s", problem->line, problem->text);
		ck_assert_msg(length > 0 && strncmp(line, expected, length) == 0,
			      "\"%s\" says \"%s\", not \"%.*s\"", text, line, (int)length,
			      expected);
		expected += length + (expected[length] == '\n');
	}
	ck_assert_msg(strcmp(expected, lost ? "lost\n" : "") == 0, "\"%s\" does not say \"%s\"",
		      text, expected);
}

START_TEST(reads_texts)
{
	const char *text = texts[_i].text;
	struct problems problems = { 0 };
	char *entries;
	bool lost = read_text(text, strlen(text), &entries, &problems);

	ck_assert_msg(strcmp(entries, texts[_i].entries) == 0, "\"%s\" gives \"%s\", not \"%s\"",
		      text, entries, texts[_i].entries);
	check_complaints(&problems, lost, texts[_i].complaints, text);
	free(entries);
	problems_clear(&problems);
}
END_TEST

/* The same, cut after each byte: nothing is read beyond the end. */
START_TEST(reads_beginnings_of_texts)
{
	size_t length = strlen(texts[_i].text);

	for (size_t part = 0; part < length; part++) {
		struct problems problems = { 0 };
		char *copy = malloc(part > 0 ? part : 1), *entries;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, texts[_i].text, part);
		read_text(copy, part, &entries, &problems);
		ck_assert_ptr_nonnull(entries);
		free(entries);
		free(copy);
		problems_clear(&problems);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t length;
	const char *entries, *complaints;
} texts_with_nul[] = {
#define TEXT(text) text, sizeof text - 1
	{ TEXT("service a\n{\nport = 1\0002\nwait = no\n}\n"),
	  "service a 1 broken\n\nwait+={'=no'}\n\n", "3: a NUL byte in the line\n" },
	{ TEXT("service a\0b\n{\n}\nservice c\n{\n}\n"), "service c 4\n",
	  "1: a NUL byte in the line\nlost\n" },
	{ TEXT("# \0\nservice a # \0\n{ # \0\n}\n"), "", "2: a NUL byte in the line\nlost\n" },
	{ TEXT("\0\n}\ninclude a\n"), "include a 3\n", "1: a NUL byte in the line\nlost\n" },
#undef TEXT
};

START_TEST(refuses_nul_bytes)
{
	struct problems problems = { 0 };
	char *entries;
	bool lost =
		read_text(texts_with_nul[_i].text, texts_with_nul[_i].length, &entries, &problems);

	ck_assert_str_eq(entries, texts_with_nul[_i].entries);
	check_complaints(&problems, lost, texts_with_nul[_i].complaints, texts_with_nul[_i].text);
	free(entries);
	problems_clear(&problems);
}
END_TEST

START_TEST(tells_where_the_body_begins)
{
	static const char text[] =
		"\n\nservice a\n# comment\n{\nport = 1\n}\nservice b {\nport = 1\n}\n";
	struct problems problems = { 0 };
	struct raw_entry entry;
	struct syntax syntax;

	syntax_begin(&syntax, "file", text, strlen(text), &problems);
	ck_assert(syntax_next(&syntax, &entry));
	ck_assert_int_eq(entry.line, 3);
	ck_assert_int_eq(entry.body_line, 6);
	raw_entry_clear(&entry);
	ck_assert(syntax_next(&syntax, &entry));
	ck_assert_int_eq(entry.line, 8);
	ck_assert_int_eq(entry.body_line, 9);
	raw_entry_clear(&entry);
	ck_assert(!syntax_next(&syntax, &entry));
}
END_TEST

START_TEST(shows_only_the_beginning_of_a_long_line)
{
	struct problems problems = { 0 };
	char text[5000], *entries;

	memset(text, 'x', sizeof text);
	read_text(text, sizeof text, &entries, &problems);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_uint_lt(strlen(problems.list[0].text), 300);
	free(entries);
	problems_clear(&problems);
}
END_TEST

START_TEST(takes_words_of_any_length)
{
	struct problems problems = { 0 };
	size_t length = 100000;
	char *word = malloc(length + 1), *text, *expected, *entries;

	ck_assert_ptr_nonnull(word);
	memset(word, 'x', length);
	word[length] = '\0';
	ck_assert_int_gt(asprintf(&text, "service a\n{\nserver_args = %s\n}\n", word), 0);
	ck_assert_int_gt(asprintf(&expected, "service a 1\nserver_args+={'=%s'}\n\n", word), 0);
	read_text(text, strlen(text), &entries, &problems);
	ck_assert_str_eq(entries, expected);
	ck_assert_uint_eq(problems.count, 0);
	free(word);
	free(text);
	free(expected);
	free(entries);
}
END_TEST

Suite *syntax_suite(void)
{
	Suite *suite = suite_create("syntax");
	TCase *tests = tcase_create("syntax");
	int count = (int)(sizeof texts / sizeof texts[0]);

	tcase_add_loop_test(tests, reads_texts, 0, count);
	tcase_add_loop_test(tests, reads_beginnings_of_texts, 0, count);
	tcase_add_loop_test(tests, refuses_nul_bytes, 0,
			    (int)(sizeof texts_with_nul / sizeof texts_with_nul[0]));
	tcase_add_test(tests, tells_where_the_body_begins);
	tcase_add_test(tests, shows_only_the_beginning_of_a_long_line);
	tcase_add_test(tests, takes_words_of_any_length);
	suite_add_tcase(suite, tests);
	return suite;
}
