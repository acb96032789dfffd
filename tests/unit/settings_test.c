#include "config/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_new_service_has_xinetds_defaults)
{
	struct service_settings *service = service_settings_new();

	ck_assert_ptr_nonnull(service);
	ck_assert_uint_eq(service->references, 1);
	ck_assert_int_eq(service->wait, -1);
	ck_assert_int_eq(service->port, -1);
	ck_assert_uint_eq(service->admission->instances, UNLIMITED);
	ck_assert_uint_eq(service->admission->per_source, UNLIMITED);
	ck_assert_uint_eq(service->admission->cps.rate, 50);
	ck_assert_uint_eq(service->admission->cps.other, 10);
	ck_assert_uint_eq(service->admission->source_cps.rate, 0);
	ck_assert_int_eq(service->admission->cps_action, CPS_REFUSE);
	ck_assert_int_eq(service->admission->at_limit, AT_LIMIT_REFUSE);
	ck_assert_int_eq(service->on_remove, ON_REMOVE_END);
	ck_assert_int_eq(service->program->stderr_kind, STDERR_SOCKET);
	ck_assert_uint_eq(service->source_prefix.in4, 32);
	ck_assert_uint_eq(service->source_prefix.in6, 64);
	ck_assert(!service->program->groups);
	ck_assert(!service->disable);
	service_settings_release(service);
}
END_TEST

START_TEST(a_service_outlives_the_settings_it_came_with)
{
	struct settings *settings = settings_new();
	struct service_settings *service = service_settings_new();

	ck_assert_ptr_nonnull(settings);
	ck_assert_ptr_nonnull(service);
	settings->services = calloc(1, sizeof *settings->services);
	settings->services[0] = service;
	settings->count = 1;
	service->name = arena_string(&service->arena, "name");
	ck_assert_ptr_eq(service_settings_keep(service), service);
	settings_free(settings);
	ck_assert_uint_eq(service->references, 1);
	ck_assert_str_eq(service->name, "name");
	service_settings_release(service);
}
END_TEST

START_TEST(nothing_can_be_freed)
{
	settings_free(NULL);
	service_settings_release(NULL);
}
END_TEST

START_TEST(remembers_what_was_broken)
{
	struct settings *settings = settings_new();

	ck_assert(!settings_has_broken(settings, "a"));
	settings_add_broken(settings, "Echo-Stream");
	settings_add_broken(settings, "b");
	settings_add_broken(settings, "B");
	ck_assert(settings_has_broken(settings, "echo-stream"));
	ck_assert(settings_has_broken(settings, "ECHO-stream"));
	ck_assert(settings_has_broken(settings, "b"));
	ck_assert(!settings_has_broken(settings, "echo"));
	ck_assert(!settings_has_broken(settings, ""));
	ck_assert(!settings->lost_entries);
	settings_free(settings);
}
END_TEST

START_TEST(keeps_a_copy_of_each_file_name)
{
	char name[] = "/etc/first";
	const char *kept = file_name_keep(name), *other = file_name_keep("/etc/second");

	name[5] = 'F';
	ck_assert_str_eq(kept, "/etc/first");
	ck_assert_str_eq(other, "/etc/second");
	file_names_forget();
	ck_assert_str_eq(file_name_keep("/etc/first"), "/etc/first");
	file_names_forget();
}
END_TEST

static const struct {
	unsigned types;
	int socket_type, wait;
	bool internal, stream, multiplexed, waits;
} kinds[] = {
	{ 0, SOCK_STREAM, 0, false, true, false, false },
	{ 0, SOCK_STREAM, 1, false, true, false, true },
	{ 0, SOCK_DGRAM, 1, false, false, false, true },
	{ 0, SOCK_DGRAM, -1, false, false, false, false },
	{ TYPE_INTERNAL, SOCK_DGRAM, 1, true, false, false, false },
	{ TYPE_TCPMUX | TYPE_UNLISTED, SOCK_STREAM, 0, false, true, true, false },
	{ TYPE_TCPMUXPLUS, SOCK_STREAM, 0, false, true, true, false },
	{ TYPE_RPC, SOCK_DGRAM, 1, false, false, false, true },
};

START_TEST(tells_kinds_of_services)
{
	struct service_settings service = {
		.types = kinds[_i].types,
		.socket_type = kinds[_i].socket_type,
		.wait = kinds[_i].wait,
	};

	ck_assert_msg(service_is_internal(&service) == kinds[_i].internal, "row %d", _i);
	ck_assert_msg(service_is_stream(&service) == kinds[_i].stream, "row %d", _i);
	ck_assert_msg(service_is_multiplexed(&service) == kinds[_i].multiplexed, "row %d", _i);
	ck_assert_msg(service_waits(&service) == kinds[_i].waits, "row %d", _i);
}
END_TEST

enum { BOTH = FLAG_IPV4 | FLAG_IPV6 };

static const struct {
	unsigned flags, allowed;
} allowed_families[] = {
	{ 0, BOTH },
	{ FLAG_IPV4, FLAG_IPV4 },
	{ FLAG_IPV6, FLAG_IPV6 },
	{ FLAG_IPV4 | FLAG_IPV6, BOTH },
	{ FLAG_NOLIBWRAP, BOTH },
	{ FLAG_NOLIBWRAP | FLAG_IPV6, FLAG_IPV6 },
};

START_TEST(knows_the_families_that_the_flags_allow)
{
	struct service_settings service = { .flags = allowed_families[_i].flags };

	ck_assert_uint_eq(service_allowed_families(&service), allowed_families[_i].allowed);
}
END_TEST

static const struct {
	const char *bind; /* NULL: none */
	unsigned flags;
	bool v6only;
	unsigned families;
} socket_families[] = {
	{ NULL, 0, false, BOTH },
	{ NULL, FLAG_IPV4, false, FLAG_IPV4 },
	{ NULL, FLAG_IPV6, false, BOTH },
	{ NULL, BOTH, false, BOTH },
	{ NULL, 0, true, FLAG_IPV6 },
	{ NULL, FLAG_IPV6, true, FLAG_IPV6 },
	{ NULL, BOTH, true, FLAG_IPV6 },
	{ "0.0.0.0", 0, false, FLAG_IPV4 },
	{ "127.0.0.1", BOTH, false, FLAG_IPV4 },
	{ "::", 0, false, BOTH },
	{ "::", FLAG_IPV6, false, BOTH },
	{ "::", 0, true, FLAG_IPV6 },
	{ "::1", 0, false, FLAG_IPV6 },
	{ "host", 0, false, BOTH },
	{ "host", FLAG_IPV4, false, FLAG_IPV4 },
	{ "host", FLAG_IPV6, false, FLAG_IPV6 },
	{ "host", BOTH, true, BOTH },
};

START_TEST(knows_the_families_of_a_socket)
{
	char bind[16];
	char *list[] = { bind, NULL };
	struct service_settings service = {
		.flags = socket_families[_i].flags,
		.v6only = socket_families[_i].v6only,
	};

	if (socket_families[_i].bind) {
		snprintf(bind, sizeof bind, "%s", socket_families[_i].bind);
		service.bind = (struct strings){ .list = list, .count = 1 };
	}
	ck_assert_uint_eq(service_families(&service, 0), socket_families[_i].families);
}
END_TEST

static const struct {
	const char *libwrap, *name, *first_argument, *expected;
} libwrap_names[] = {
	{ NULL, "ftp", "in.ftpd", "in.ftpd" },
	{ NULL, "ftp", "/usr/sbin/in.ftpd", "in.ftpd" },
	{ NULL, "echo", NULL, "echo" },
	{ "other", "ftp", "in.ftpd", "other" },
};

START_TEST(knows_the_name_for_hosts_allow)
{
	char libwrap[16], name[16], first[32];
	char *argv[] = { first, NULL };
	struct admission_settings admission = { .libwrap = NULL };
	struct service_settings service = { .name = name, .admission = &admission };

	snprintf(name, sizeof name, "%s", libwrap_names[_i].name);
	if (libwrap_names[_i].first_argument) {
		snprintf(first, sizeof first, "%s", libwrap_names[_i].first_argument);
		service.argv = argv;
	}
	if (libwrap_names[_i].libwrap) {
		snprintf(libwrap, sizeof libwrap, "%s", libwrap_names[_i].libwrap);
		admission.libwrap = libwrap;
	}
	ck_assert_str_eq(service_libwrap_name(&service), libwrap_names[_i].expected);
}
END_TEST

Suite *settings_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *tests = tcase_create("settings");

	tcase_add_test(tests, a_new_service_has_xinetds_defaults);
	tcase_add_test(tests, a_service_outlives_the_settings_it_came_with);
	tcase_add_test(tests, nothing_can_be_freed);
	tcase_add_test(tests, remembers_what_was_broken);
	tcase_add_test(tests, keeps_a_copy_of_each_file_name);
	tcase_add_loop_test(tests, knows_the_name_for_hosts_allow, 0,
			    (int)(sizeof libwrap_names / sizeof libwrap_names[0]));
	tcase_add_loop_test(tests, tells_kinds_of_services, 0,
			    (int)(sizeof kinds / sizeof kinds[0]));
	tcase_add_loop_test(tests, knows_the_families_that_the_flags_allow, 0,
			    (int)(sizeof allowed_families / sizeof allowed_families[0]));
	tcase_add_loop_test(tests, knows_the_families_of_a_socket, 0,
			    (int)(sizeof socket_families / sizeof socket_families[0]));
	suite_add_tcase(suite, tests);
	return suite;
}
