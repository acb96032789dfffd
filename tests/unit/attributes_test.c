#include "config/attributes.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

START_TEST(finds_each_attribute_by_its_name)
{
	char upper[64];
	size_t i = (size_t)_i;

	ck_assert_int_eq(attribute_find(attributes[i].name), _i);
	snprintf(upper, sizeof upper, "%s", attributes[i].name);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	ck_assert_int_eq(attribute_find(upper), _i);
}
END_TEST

/* What is true of every row of the table. */
START_TEST(attribute_is_well_formed)
{
	const struct attribute *attribute = &attributes[_i];
	const char *name = attribute->name;

	ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name), "%s",
		      name);
	ck_assert_msg(attribute->places != 0, "%s has no place", name);
	ck_assert_msg(attribute->least >= 0, "%s", name);
	ck_assert_msg(attribute->most == -1 || attribute->most >= attribute->least, "%s", name);
	ck_assert_msg(attribute->read != NULL, "%s has no reader", name);
	ck_assert_msg(attribute->help && attribute->help[0], "%s has no help", name);
	/* A list may be set to nothing. */
	ck_assert_msg(attribute->shape != SHAPE_LIST || attribute->least == 0, "%s", name);
	ck_assert_msg(attribute->shape == SHAPE_SCALAR || attribute->most == -1, "%s", name);
}
END_TEST

static const struct {
	const char *name, *found; /* NULL: none */
} names[] = {
	{ "interface", "bind" },
	{ "INTERFACE", "bind" },
	{ "", NULL },
	{ "por", NULL },
	{ "ports", NULL },
	{ "port ", NULL },
	{ "no such attribute", NULL },
};

START_TEST(finds_names)
{
	int index = attribute_find(names[_i].name);

	if (names[_i].found)
		ck_assert_msg(index >= 0 && strcmp(attributes[index].name, names[_i].found) == 0,
			      "%s", names[_i].name);
	else
		ck_assert_msg(index == -1, "%s", names[_i].name);
}
END_TEST

static const struct {
	const char *name;
	unsigned place;
	const char *nearest; /* NULL: none is near */
} misspellings[] = {
	{ "only_form", IN_SERVICE, "only_from" },
	{ "log_on_sucess", IN_SERVICE, "log_on_success" },
	{ "rlimit_file", IN_SERVICE, "rlimit_files" },
	{ "instance", IN_DEFAULTS, "instances" },
	{ "enable", IN_DEFAULTS, "enabled" },
	{ "sevrer", IN_SERVICE, "server" },
	{ "serverargs", IN_SERVICE, "server_args" },
	{ "prot", IN_SERVICE, "port" },
	{ "prot", IN_DEFAULTS, NULL },
	{ "POTR", IN_SERVICE, "port" },
	{ "portmap", IN_DAEMON, "port_map" },
	{ "x", IN_SERVICE, NULL },
	{ "something_else", IN_SERVICE, NULL },
	{ "a_word_that_is_longer_than_any_attribute", IN_SERVICE, NULL },
	{ "", IN_SERVICE, NULL },
};

START_TEST(suggests_the_nearest_name_for_the_place)
{
	const char *nearest = attribute_nearest(misspellings[_i].name, misspellings[_i].place);

	ck_assert_pstr_eq(nearest, misspellings[_i].nearest);
}
END_TEST

/* True when the words of the attribute have all of these bits. */
static bool words_are(const char *name, unsigned bits)
{
	return (attributes[ATTRIBUTE(name)].words & bits) == bits;
}

START_TEST(knows_what_is_free_form)
{
	ck_assert(words_are("server_args", WORDS_FREE));
	ck_assert(words_are("end_command", WORDS_FREE));
	ck_assert(words_are("ENV", WORDS_FREE));
	ck_assert(!words_are("server", WORDS_FREE));
	ck_assert(!words_are("passenv", WORDS_FREE));
}
END_TEST

START_TEST(knows_what_takes_placeholders)
{
	ck_assert(words_are("server_args", WORDS_EXPANDED));
	ck_assert(words_are("end_command", WORDS_EXPANDED));
	ck_assert(words_are("env", WORDS_EXPANDED | WORDS_VARIABLES));
	ck_assert(words_are("directory", WORDS_EXPANDED));
	ck_assert(words_are("scratch", WORDS_EXPANDED | WORDS_FORESEEN));
	ck_assert(!words_are("directory", WORDS_FORESEEN));
	ck_assert(!words_are("root", WORDS_EXPANDED));
}
END_TEST

START_TEST(knows_access_lists_and_programs)
{
	ck_assert(words_are("only_from", WORDS_ACCESS));
	ck_assert(words_are("no_access", WORDS_ACCESS));
	ck_assert(words_are("proxy_from", WORDS_ACCESS));
	ck_assert(!words_are("bind", WORDS_ACCESS));
	ck_assert(words_are("server", WORDS_PROGRAM | WORDS_PATH));
	ck_assert(!words_are("banner", WORDS_PROGRAM));
}
END_TEST

Suite *attributes_suite(void)
{
	Suite *suite = suite_create("attributes");
	TCase *tests = tcase_create("attributes");

	tcase_add_loop_test(tests, finds_each_attribute_by_its_name, 0, (int)attribute_count);
	tcase_add_loop_test(tests, attribute_is_well_formed, 0, (int)attribute_count);
	tcase_add_loop_test(tests, finds_names, 0, (int)(sizeof names / sizeof names[0]));
	tcase_add_loop_test(tests, suggests_the_nearest_name_for_the_place, 0,
			    (int)(sizeof misspellings / sizeof misspellings[0]));
	tcase_add_test(tests, knows_what_is_free_form);
	tcase_add_test(tests, knows_what_takes_placeholders);
	tcase_add_test(tests, knows_access_lists_and_programs);
	suite_add_tcase(suite, tests);
	return suite;
}
