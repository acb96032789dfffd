#include "config/placeholders.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct placeholder_values values = { .texts = {
							  [PLACEHOLDER_CLIENT] = "192.0.2.7",
							  [PLACEHOLDER_PORT] = "4711",
							  [PLACEHOLDER_SESSION] = "5f-2",
							  [PLACEHOLDER_SLOT] = "3",
							  [PLACEHOLDER_USER] = "nobody",
						  } };

enum {
	CLIENT = 1 << PLACEHOLDER_CLIENT,
	PORT = 1 << PLACEHOLDER_PORT,
	SESSION = 1 << PLACEHOLDER_SESSION,
	SLOT = 1 << PLACEHOLDER_SLOT,
	USER = 1 << PLACEHOLDER_USER,
	PERCENT = PLACEHOLDER_PERCENT,
};

static const struct {
	const char *text, *expanded;
	unsigned found;
} expansions[] = {
	{ "", "", 0 },
	{ "plain", "plain", 0 },
	{ "%client", "192.0.2.7", CLIENT },
	{ "a%clientb", "a%clientb", 0 }, /* an unknown one stays, and is an error before */
	{ "%client.b", "192.0.2.7.b", CLIENT },
	{ "%client:%port", "192.0.2.7:4711", CLIENT | PORT },
	{ "%session/%slot", "5f-2/3", SESSION | SLOT },
	{ "%slot0", "30", SLOT },
	{ "%user_data", "nobody_data", USER },
	{ "/home/%user/", "/home/nobody/", USER },
	{ "100%%", "100%", PERCENT },
	{ "%%client", "%client", PERCENT },
	{ "%%%client", "%192.0.2.7", PERCENT | CLIENT },
	{ "%%%%", "%%", PERCENT },
	{ "%slot%slot%slot", "333", SLOT },
	{ "%", "%", 0 },
	{ "%Client", "%Client", 0 },
	{ "%s %d %n", "%s %d %n", 0 },
};

START_TEST(texts_are_expanded)
{
	const char *text = expansions[_i].text, *expanded = expansions[_i].expanded;
	size_t length = strlen(expanded);
	char *exact = malloc(length + 1);

	ck_assert_ptr_nonnull(exact);
	ck_assert_uint_eq(placeholders_in(text), expansions[_i].found);
	ck_assert_uint_eq(placeholders_expand(NULL, 0, text, &values), length);
	ck_assert_uint_eq(placeholders_expand(exact, length + 1, text, &values), length);
	ck_assert_str_eq(exact, expanded);
	/* In every smaller room, the beginning. */
	for (size_t size = 1; size <= length; size++) {
		ck_assert_uint_eq(placeholders_expand(exact, size, text, &values), length);
		ck_assert_uint_eq(strlen(exact), size - 1);
		ck_assert_int_eq(strncmp(exact, expanded, size - 1), 0);
	}
	ck_assert_uint_ge(placeholders_most(text, "nobody"), length);
	free(exact);
}
END_TEST

#define LIST "; there are %client, %port, %session, %slot and %user, and %% for a percent sign"

static const struct {
	const char *text;
	bool has_client;
	const char *fault; /* NULL: none */
} faults[] = {
	{ "", true, NULL },
	{ "%client %port %session %slot %user %%", true, NULL },
	{ "%session %slot %user %%", false, NULL },
	{ "%", true, "\"%\" is no placeholder; write %% for a percent sign" },
	{ "100%", true, "\"%\" is no placeholder; write %% for a percent sign" },
	{ "%%%", true, "\"%\" is no placeholder; write %% for a percent sign" },
	{ "% client", true, "\"%\" is no placeholder; write %% for a percent sign" },
	{ "%2F", true, "\"%\" is no placeholder; write %% for a percent sign" },
	{ "a %clinet", true, "\"%clinet\" is no placeholder; did you mean \"%client\"?" },
	{ "%CLIENT", true, "\"%CLIENT\" is no placeholder; did you mean \"%client\"?" },
	{ "%users", true, "\"%users\" is no placeholder; did you mean \"%user\"?" },
	{ "%h", true, "\"%h\" is no placeholder" LIST },
	{ "%abcdefghijklmnopqrstuvwxyzabcdefghijklmn", true,
	  "\"%abcdefghijklmnopqrstuvwxyzabcde\" is no placeholder" LIST },
	{ "%client", false,
	  "%client has no meaning with wait = yes, as the server serves many clients; remove it" },
	{ "%user%port", false,
	  "%port has no meaning with wait = yes, as the server serves many clients; remove it" },
};

START_TEST(faults_are_found)
{
	char fault[PLACEHOLDER_FAULT_SIZE] = "";
	bool known = placeholders_are_known(faults[_i].text, faults[_i].has_client, fault);

	ck_assert_int_eq(known, faults[_i].fault == NULL);
	ck_assert_str_eq(fault, faults[_i].fault ? faults[_i].fault : "");
}
END_TEST

Suite *placeholders_suite(void)
{
	Suite *suite = suite_create("placeholders");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, texts_are_expanded, 0, sizeof expansions / sizeof expansions[0]);
	tcase_add_loop_test(all, faults_are_found, 0, sizeof faults / sizeof faults[0]);
	suite_add_tcase(suite, all);
	return suite;
}
