/* The text that -serve stands for. */
#include "config/serve.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 6 };

static char *text_of(const char *const *attributes, const char *const *program)
{
	size_t count = 0;

	while (attributes[count])
		count++;
	return serve_text(&(struct serve){ .port = "1337",
					   .attributes = attributes,
					   .count = count,
					   .program = program },
			  "/somewhere");
}

/* Attributes, program, and a line that the text has, or "!" and one that it has not. */
static const struct {
	const char *attributes[WORDS_MAX], *program[WORDS_MAX], *line;
} texts[] = {
	{ { NULL }, { "/bin/cat" }, "service cat {\n" },
	{ { NULL }, { "/bin/cat" }, "\tport = 1337\n" },
	{ { NULL }, { "/bin/cat" }, "\ttype = UNLISTED\n" },
	{ { NULL }, { "/bin/cat" }, "\twait = no\n" },
	{ { NULL }, { "/bin/cat" }, "\tlingering_close = yes\n" },
	{ { NULL }, { "/bin/cat" }, "\tstderr = log\n" },
	{ { NULL }, { "/bin/cat" }, "\tserver = /bin/cat\n" },
	{ { NULL }, { "/bin/cat" }, "!server_args" },
	{ { NULL }, { "sh", "-c", "a b" }, "\tserver = /bin/sh\n\tserver_args = -c \"a b\"\n" },
	{ { NULL }, { "./pwn" }, "\tserver = /somewhere/./pwn\n" },
	{ { NULL }, { "./p w" }, "service serve {\n" },
	{ { "lingering_close=no" }, { "/bin/cat" }, "{\n\tlingering_close =no\n" },
	{ { "lingering_close=no" }, { "/bin/cat" }, "!lingering_close = yes" },
	{ { "LINGERING_CLOSE=no" }, { "/bin/cat" }, "!lingering_close = yes" },
	{ { "env+=A=b" }, { "/bin/cat" }, "\tenv +=A=b\n" },
	{ { "only_from-=::1" }, { "/bin/cat" }, "\tonly_from -=::1\n" },
	{ { "user=nobody" }, { "/bin/cat" }, "\tuser =nobody\n" },
	{ { "redirect=host 80" }, { NULL }, "\tredirect =host 80\n" },
	{ { "redirect=host 80" }, { NULL }, "!stderr" },
};

START_TEST(attributes_come_first_and_the_rest_has_defaults)
{
	const char *line = texts[_i].line;
	char *text;

	setenv("PATH", "relative:/nowhere:/bin", 1);
	text = text_of(texts[_i].attributes, texts[_i].program);
	ck_assert_ptr_nonnull(text);
	if (*line == '!')
		ck_assert_msg(!strstr(text, line + 1), "%s", text);
	else
		ck_assert_msg(strstr(text, line), "%s", text);
	free(text);
}
END_TEST

START_TEST(the_user_is_the_one_who_starts_it)
{
	char *text =
		text_of((const char *const[]){ NULL }, (const char *const[]){ "/bin/cat", NULL });

	ck_assert_ptr_nonnull(strstr(text, getuid() == 0 ? "\tuser = root\n" : "\tuser = "));
	free(text);
}
END_TEST

static const struct {
	const char *attributes[WORDS_MAX], *program[WORDS_MAX];
} refused[] = {
	{ { "word" }, { "/bin/cat" } },
	{ { "=value" }, { "/bin/cat" } },
	{ { "a=b\n}\nservice x {" }, { "/bin/cat" } },
	{ { NULL }, { "/bin/cat", "a\nb" } },
	{ { NULL }, { "no-such-program-anywhere" } },
};

START_TEST(what_can_not_be_an_entry_is_refused)
{
	ck_assert_ptr_null(text_of(refused[_i].attributes, refused[_i].program));
}
END_TEST

Suite *serve_suite(void)
{
	Suite *suite = suite_create("serve");
	TCase *tcase = tcase_create("text");

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, attributes_come_first_and_the_rest_has_defaults, 0,
			    sizeof texts / sizeof texts[0]);
	tcase_add_test(tcase, the_user_is_the_one_who_starts_it);
	tcase_add_loop_test(tcase, what_can_not_be_an_entry_is_refused, 0,
			    sizeof refused / sizeof refused[0]);
	return suite;
}
