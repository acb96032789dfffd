#include "config/word.h"

#include <check.h>
#include <stddef.h>

START_TEST(the_nearest_word_takes_fewest_edits)
{
	static const char *const words[] = {
		"stream",    "dgram", "a word that is much too long to be near",
		"seqpacket", "raw",   NULL
	};
	static const char *const none[] = { NULL };

	ck_assert_pstr_eq(nearest_word("STREAN", words), "stream");
	ck_assert_pstr_eq(nearest_word("dgrem", words), "dgram");
	ck_assert_pstr_eq(nearest_word("stream", words), "stream");
	ck_assert_pstr_eq(nearest_word("rw", words), NULL);
	ck_assert_pstr_eq(nearest_word("rav", words), "raw");
	ck_assert_pstr_eq(nearest_word("stream", none), NULL);
}
END_TEST

Suite *word_suite(void);

Suite *word_suite(void)
{
	Suite *suite = suite_create("word");
	TCase *tests = tcase_create("word");

	tcase_add_test(tests, the_nearest_word_takes_fewest_edits);
	suite_add_tcase(suite, tests);
	return suite;
}
