/* What a session's program gets in place of placeholders. */
#include "monitor/expansion.h"

#include "config/placeholders.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char name[] = "sh%slot", first[] = "-c", second[] = "%client:%port", third[] = "100%%";
static char *argv[] = { name, first, second, third, NULL };
static char passed[] = "P=%slot", own[] = "A=%session", plain[] = "B=1";
static char *environment[] = { passed, own, plain, NULL };
static char user[] = "somebody", directory[] = "/home/%user/%slot", fixed_directory[] = "/srv";
static char scratch_path[] = "/work/%slot", scratch_size[] = "4096", other_path[] = "/tmp";
static char *scratch[] = { scratch_path, scratch_size, other_path, scratch_size, NULL };

static const struct session_facts facts = { .id = { 0x5f, 2 }, .slot = 31 };

static struct program_settings program;

static struct service_settings settings_with(char *where)
{
	program = (struct program_settings){
		.environment = environment,
		.environment_count = 3,
		.environment_passed = 1,
		.directory = where,
		.scratch = { .list = scratch, .count = 4, .is_set = true },
	};
	return (struct service_settings){
		.account = user,
		.program = &program,
		.placeholders_used = 1U << PLACEHOLDER_SLOT,
	};
}

static struct address peer_of(const char *text)
{
	struct address peer;

	ck_assert_int_eq(address_parse(&peer, text, 4711), 0);
	return peer;
}

static void expect_texts(char *const list[], const char *const expected[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(list[i], expected[i]);
}

START_TEST(texts_are_those_of_the_session)
{
	static const char *const words[] = { "sh%slot", "-c", "192.0.2.7:4711", "100%" };
	static const char *const variables[] = { "P=%slot", "A=5f-2", "B=1" };
	struct service_settings settings = settings_with(directory);
	struct address peer = peer_of("192.0.2.7");
	struct expansion *expansion = expansion_new(&settings, &peer, &facts, argv, 1);
	char *filled[4] = { passed, own, plain, second };

	ck_assert_ptr_nonnull(expansion);
	expect_texts(expansion->argv, words, 4);
	ck_assert_ptr_null(expansion->argv[4]);
	expect_texts(expansion->environment, variables, 3);
	ck_assert_str_eq(expansion->directory, "/home/somebody/31");
	ck_assert_ptr_eq(expansion->argv[1], first); /* without placeholders, not copied */
	expansion_apply(expansion, &settings, filled);
	expect_texts(filled, variables, 3);
	ck_assert_ptr_eq(filled[3], second); /* not the settings' */
	free(expansion);
}
END_TEST

static const struct {
	const char *peer, *client;
} peers[] = {
	{ "192.0.2.7", "192.0.2.7:4711" },
	{ "2001:db8::7", "2001:db8::7:4711" },
	{ "fe80::1%lo", "fe80::1:4711" }, /* without the interface */
	{ NULL, "unknown:0" },
};

START_TEST(the_client_is_an_address)
{
	struct service_settings settings = settings_with(NULL);
	struct address unknown = { .in6 = { 0 } };
	struct address peer = peers[_i].peer ? peer_of(peers[_i].peer) : unknown;
	struct expansion *expansion = expansion_new(&settings, &peer, &facts, argv, 0);

	ck_assert_ptr_nonnull(expansion);
	ck_assert_str_eq(expansion->argv[0], "sh31");
	ck_assert_str_eq(expansion->argv[2], peers[_i].client);
	ck_assert_ptr_null(expansion->directory);
	free(expansion);
}
END_TEST

START_TEST(a_directory_without_placeholders_stays)
{
	struct service_settings settings = settings_with(fixed_directory);
	struct address peer = peer_of("::1");
	struct expansion *expansion = expansion_new(&settings, &peer, &facts, argv, 1);

	ck_assert_ptr_nonnull(expansion);
	ck_assert_ptr_eq(expansion->directory, fixed_directory);
	free(expansion);
}
END_TEST

START_TEST(a_jail_has_the_sessions_paths)
{
	const struct jail_scratch shared[] = { { "/work/0", "size=4096" },
					       { "/tmp", "size=8192" } };
	const struct jail_plan plan = { .root = "/srv", .scratch = shared, .scratch_count = 2 };
	struct service_settings settings = settings_with(NULL);
	struct jail_plan *own_plan = expansion_plan(&plan, &settings, &facts);

	ck_assert_ptr_nonnull(own_plan);
	ck_assert_str_eq(own_plan->root, "/srv");
	ck_assert_uint_eq(own_plan->scratch_count, 2);
	ck_assert_str_eq(own_plan->scratch[0].path, "/work/31");
	ck_assert_str_eq(own_plan->scratch[0].options, "size=4096");
	ck_assert_str_eq(own_plan->scratch[1].path, "/tmp");
	ck_assert_str_eq(own_plan->scratch[1].options, "size=8192");
	free(own_plan);
}
END_TEST

START_TEST(a_slot_is_taken_only_if_it_is_used)
{
	struct service_settings settings = settings_with(NULL);

	ck_assert(expansion_needs_slot(&settings));
	settings.placeholders_used = ~(1U << PLACEHOLDER_SLOT);
	ck_assert(!expansion_needs_slot(&settings));
}
END_TEST

Suite *expansion_suite(void)
{
	Suite *suite = suite_create("expansion");
	TCase *all = tcase_create("all");

	tcase_add_test(all, texts_are_those_of_the_session);
	tcase_add_loop_test(all, the_client_is_an_address, 0, sizeof peers / sizeof peers[0]);
	tcase_add_test(all, a_directory_without_placeholders_stays);
	tcase_add_test(all, a_jail_has_the_sessions_paths);
	tcase_add_test(all, a_slot_is_taken_only_if_it_is_used);
	suite_add_tcase(suite, all);
	return suite;
}
