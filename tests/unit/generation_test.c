#include "base/text.h"
#include "config/generation.h"
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct region *region;

static void setup(void)
{
	configuration_make();
	ck_assert_int_eq(regions_reserve(NULL), 0);
	ck_assert_ptr_nonnull(region = region_new());
}

static void teardown(void)
{
	region_free(region);
	configuration_remove();
}

/* Loads the services that text describes and fills the region with them. */
static struct generation *fill(const char *text)
{
	static const uint32_t continues[16];
	struct settings *settings = configuration_load("%s", text);
	struct generation *generation;

	ck_assert_ptr_nonnull(settings);
	generation = generation_fill(region, 7, settings->services, continues,
				     (uint32_t)settings->count);
	ck_assert_ptr_nonnull(generation);
	ck_assert_int_eq(region_seal(region), 0);
	return generation;
}

static const char everything[] =
	"service echo\n{\n type = UNLISTED\n port = 7007\n socket_type = stream\n protocol = tcp\n"
	" wait = no\n user = root\n server = /bin/cat\n server_args = -u \"a b\"\n"
	" end_command = /bin/sh -c \"exit 3\"\n env = A=1 B=2\n passenv = PATH\n bind = 127.0.0.1 ::1\n"
	" only_from = 127.0.0.0/8 good.example .example\n no_access = 127.0.0.9\n"
	" proxy_protocol = v2\n proxy_from = 10.0.0.1 ::1\n"
	" access_times = 8:00-12:00 13:00-17:00\n banner = /b\n banner_success = /s\n"
	" banner_fail = /f\n log_type = FILE /var/log/x 1000\n libwrap = other\n"
	" stderr = /tmp/errors\n syscalls = default +ptrace\n allow_read = /etc\n"
	" allow_write = /dev/null\n allow_execute = /\n}\n";

static bool is_inside(const void *pointer)
{
	const unsigned char *byte = pointer;

	return byte >= region->base && byte < region->base + region->used;
}

static void check_strings(const struct strings *one, const struct strings *other)
{
	ck_assert_uint_eq(one->count, other->count);
	ck_assert_int_eq(one->is_set, other->is_set);
	for (size_t i = 0; i < one->count; i++) {
		ck_assert_str_eq(one->list[i], other->list[i]);
		ck_assert(is_inside(one->list[i]));
	}
}

static void check_access_list(const struct access_list *one, const struct access_list *other)
{
	ck_assert_uint_eq(one->count, other->count);
	ck_assert_int_eq(one->is_set, other->is_set);
	for (size_t i = 0; i < one->count; i++) {
		ck_assert_int_eq(one->rules[i].kind, other->rules[i].kind);
		ck_assert(prefix_equal(&one->rules[i].prefix, &other->rules[i].prefix));
		ck_assert_str_eq(one->rules[i].text, other->rules[i].text);
		ck_assert(is_inside(one->rules[i].text) && is_inside(one->rules[i].file));
	}
}

START_TEST(keeps_every_value)
{
	struct generation *generation = fill(everything);
	const struct service_settings *copy = generation->services[0];
	const struct service_settings *original = configuration_service("echo");

	ck_assert_uint_eq(generation->number, 7);
	ck_assert_uint_eq(generation->count, 1);
	ck_assert_str_eq(copy->id, original->id);
	ck_assert_str_eq(copy->server, "/bin/cat");
	ck_assert_str_eq(copy->banner_fail, "/f");
	ck_assert_str_eq(copy->program->stderr_path, "/tmp/errors");
	ck_assert_str_eq(copy->log.path, "/var/log/x");
	ck_assert_uint_eq(copy->log.soft_limit, 1000);
	ck_assert_int_eq(copy->port, 7007);
	ck_assert_str_eq(copy->argv[0], "cat");
	ck_assert_str_eq(copy->argv[2], "a b");
	ck_assert_ptr_null(copy->argv[3]);
	check_strings(&copy->program->end_command, &original->program->end_command);
	ck_assert_str_eq(copy->program->end_argv[0], "sh");
	ck_assert_str_eq(copy->program->end_argv[2], "exit 3");
	ck_assert_ptr_null(copy->program->end_argv[3]);
	ck_assert(is_inside(copy->program->end_argv) && is_inside(copy->program->end_argv[0]));
	ck_assert_int_eq(copy->admission->access_times[1].first, 13 * 60);
	check_strings(&copy->bind, &original->bind);
	check_strings(&copy->program->env, &original->program->env);
	check_strings(&copy->program->syscalls, &original->program->syscalls);
	check_strings(&copy->program->allow_read, &original->program->allow_read);
	check_strings(&copy->program->allow_write, &original->program->allow_write);
	check_strings(&copy->program->allow_execute, &original->program->allow_execute);
	check_access_list(&copy->admission->only_from, &original->admission->only_from);
	check_access_list(&copy->admission->no_access, &original->admission->no_access);
	check_access_list(&copy->admission->proxy_from, &original->admission->proxy_from);
	ck_assert_ptr_null(copy->program->environment[copy->program->environment_count]);
}
END_TEST

static const char three[] =
	"defaults\n{\n}\nservice one\n{\n type = UNLISTED\n port = 1\n socket_type = stream\n"
	" wait = no\n user = root\n server = /bin/cat\n}\n"
	"service two\n{\n type = UNLISTED\n port = 2\n socket_type = stream\n"
	" wait = no\n user = root\n server = /bin/cat\n}\n"
	"service three\n{\n type = UNLISTED\n port = 3\n socket_type = stream\n"
	" wait = no\n user = root\n server = /bin/cat\n}\n";

/* Also when the service between has none, or its own bytes. */
START_TEST(keeps_equal_filters_once)
{
	static const uint32_t continues[3];
	struct sock_filter bytes[] = { { 6, 0, 0, 1 }, { 6, 0, 0, 2 } },
			   same[] = { { 6, 0, 0, 1 } };
	struct settings *settings = configuration_load("%s", three);
	struct generation *generation;
	struct service_settings **copies;

	settings->services[0]->program->filters[FILTER_CALLS] = (struct call_filter){ bytes, 1 };
	settings->services[1]->program->filters[FILTER_FILES] = (struct call_filter){ bytes, 2 };
	settings->services[2]->program->filters[FILTER_CALLS] =
		(struct call_filter){ _i ? same : bytes, 1 };
	generation = generation_fill(region, 7, settings->services, continues, 3);
	ck_assert_ptr_nonnull(generation);
	copies = generation->services;
	ck_assert(is_inside(copies[0]->program->filters[FILTER_CALLS].list));
	ck_assert_ptr_eq(copies[0]->program->filters[FILTER_CALLS].list,
			 copies[2]->program->filters[FILTER_CALLS].list);
	ck_assert_uint_eq(copies[2]->program->filters[FILTER_CALLS].count, 1);
	ck_assert_ptr_null(copies[1]->program->filters[FILTER_CALLS].list);
	ck_assert_uint_eq(copies[1]->program->filters[FILTER_FILES].count, 2);
	ck_assert_uint_eq(copies[1]->program->filters[FILTER_FILES].list[1].k, 2);
}
END_TEST

/* Whether the kernel can read that address. */
static bool is_mapped(uintptr_t address)
{
	int ends[2];
	bool mapped;

	ck_assert_int_eq(pipe(ends), 0);
	mapped = write(ends[1], (const void *)address, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	return mapped;
}

/* How many pointers into the region a part of a copy has. Any other pointer would crash the
 * other process. */
static size_t count_pointers(const void *part, size_t size)
{
	const uintptr_t *words = part;
	size_t pointers = 0;

	ck_assert(is_inside(part));
	for (size_t i = 0; i < size / sizeof *words; i++) {
		if (is_inside((const void *)words[i]))
			pointers++;
		else
			ck_assert_msg(!is_mapped(words[i]), "word %zu", i);
	}
	return pointers;
}

START_TEST(points_nowhere_else)
{
	struct generation *generation = fill(everything);
	const struct service_settings *copy = generation->services[0];

	ck_assert_uint_ge(count_pointers(copy, sizeof *copy), 13);
	ck_assert_uint_ge(count_pointers(copy->program, sizeof *copy->program), 10);
	ck_assert_uint_ge(count_pointers(copy->admission, sizeof *copy->admission), 8);
}
END_TEST

static void check_set(const struct rule_set *set)
{
	ck_assert(is_inside(set) && is_inside(set->rules));
	ck_assert(is_inside(set->rules[0].text) && is_inside(set->rules[0].file));
	ck_assert(is_inside(set->index.prefixes) && is_inside(set->index.slots));
	ck_assert(is_inside(set->index.names));
}

static enum access_decision decide(const struct service_settings *service, const char *text,
				   const char *name)
{
	const char *const names[] = { name, NULL };
	struct address peer;

	ck_assert_int_eq(address_parse(&peer, text, 0), 0);
	return access_decide(&service->admission->only_from, &service->admission->no_access, &peer,
			     names)
		.decision;
}

START_TEST(keeps_a_file_of_rules_once)
{
	static const char echo[] =
		"service echo\n{\n type = INTERNAL\n socket_type = stream\n wait = no\n}\n"
		"service discard\n{\n type = INTERNAL\n socket_type = stream\n wait = no\n}\n";
	const struct generation *generation;
	const struct access_list *one, *other;

	place_write("list", "10.0.0.0/8\n.example.org\n");
	generation =
		fill(textf("defaults\n{\n only_from = @list 127.0.0.9 host.example\n}\n%s", echo));
	one = &generation->services[0]->admission->only_from;
	other = &generation->services[1]->admission->only_from;
	ck_assert(is_inside(one->sets) && is_inside(one->index->prefixes) &&
		  is_inside(one->index->slots));
	check_set(one->sets[0].set);
	ck_assert_ptr_eq(one->sets[0].set, other->sets[0].set);
	ck_assert_int_eq(decide(generation->services[1], "10.7.7.7", NULL), ACCESS_ALLOWED);
	ck_assert_int_eq(decide(generation->services[1], "127.0.0.9", NULL), ACCESS_ALLOWED);
	ck_assert_int_eq(decide(generation->services[1], "::1", "a.example.org"), ACCESS_ALLOWED);
	ck_assert_int_eq(decide(generation->services[1], "::1", "host.example"), ACCESS_ALLOWED);
	ck_assert_int_eq(decide(generation->services[1], "127.0.0.8", "x.example"), ACCESS_DENIED);
}
END_TEST

START_TEST(keeps_equal_texts_and_lists_once)
{
	struct generation *generation = fill(
		"defaults\n{\n log_on_success = PID\n only_from = 10.0.0.0/8\n}\n"
		"service echo\n{\n type = INTERNAL\n socket_type = stream\n wait = no\n}\n"
		"service discard\n{\n type = INTERNAL\n socket_type = stream\n wait = no\n}\n");
	const struct service_settings *one = generation->services[0];
	const struct service_settings *other = generation->services[1];

	ck_assert_ptr_eq(one->protocol, other->protocol);
	ck_assert_ptr_eq(one->program->environment, other->program->environment);
	ck_assert_ptr_eq(one->file, other->file);
	ck_assert_ptr_ne(one->id, other->id);
}
END_TEST

/* With the first service's, or those of the one before. */
START_TEST(keeps_equal_parts_once)
{
	static const char *const lines[] = { "nice = 5\n syscalls = default\n only_from =",
					     "nice = 6\n instances = 9\n",
					     "nice = 5\n syscalls = default\n instances = 9\n" };
	struct text text = { 0 };
	struct generation *generation;
	struct service_settings **copies;

	for (size_t i = 0; i < 4; i++)
		text_add_format(&text,
				"service s%zu\n{\n type = UNLISTED\n port = %zu\n"
				" socket_type = stream\n wait = no\n user = root\n"
				" server = /bin/cat\n %s\n}\n",
				i, 7000 + i, lines[i % 3]);
	text_add_bytes(&text, "", 1);
	generation = fill(text.bytes);
	text_free(&text);
	copies = generation->services;
	ck_assert_ptr_eq(copies[0]->program, copies[2]->program);
	ck_assert_ptr_eq(copies[2]->program, copies[3]->program);
	ck_assert_int_eq(copies[0]->program->nice, 5);
	ck_assert_int_eq(copies[1]->program->nice, 6);
	ck_assert_ptr_eq(copies[1]->admission, copies[2]->admission);
	ck_assert_ptr_eq(copies[0]->admission, copies[3]->admission);
	ck_assert_uint_eq(copies[0]->admission->instances, UNLIMITED);
	ck_assert_uint_eq(copies[1]->admission->instances, 9);
}
END_TEST

/* Texts and lists are compared with those of the service before. */
START_TEST(keeps_apart_what_differs_from_the_service_before)
{
	static const struct {
		const char *args, *banner;
	} each[] = { { "a b", "/b" }, { "a", "/b" },  { "a b", "/bb" },
		     { "", "/b" },    { "b", "/bb" }, { "b", "" } };
	const size_t count = sizeof each / sizeof each[0];
	struct text text = { 0 };
	struct generation *generation;

	for (size_t i = 0; i < count; i++)
		text_add_format(&text,
				"service s%zu\n{\n type = UNLISTED\n port = %zu\n"
				" socket_type = stream\n wait = no\n user = root\n"
				" server = /bin/cat\n%s%s\n%s%s\n}\n",
				i, 7000 + i, *each[i].args ? " server_args = " : "", each[i].args,
				*each[i].banner ? " banner = " : "", each[i].banner);
	text_add_bytes(&text, "", 1);
	generation = fill(text.bytes);
	text_free(&text);
	ck_assert_uint_eq(generation->count, count);
	for (size_t i = 0; i < count; i++) {
		const struct service_settings *copy = generation->services[i];
		const struct service_settings *original = configuration_service(textf("s%zu", i));

		ck_assert(generation_equal(copy, original));
		check_strings(&copy->server_args, &original->server_args);
		ck_assert_str_eq(copy->banner ? copy->banner : "", each[i].banner);
		ck_assert_ptr_eq(copy->argv[copy->server_args.count + 1], NULL);
	}
}
END_TEST

START_TEST(knows_what_has_not_changed)
{
	struct generation *generation = fill(everything);
	struct service_settings *copy = generation->services[0];

	ck_assert(generation_equal(copy, configuration_service("echo")));
	ck_assert(generation_equal(configuration_service("echo"), copy));
	ck_assert(generation_equal(copy, copy));
	ck_assert_ptr_nonnull(configuration_load("\n%s", everything));
	ck_assert(generation_equal(copy, configuration_service("echo")));
	ck_assert_ptr_nonnull(configuration_load("defaults\n{\n instances = 3\n}\n%s", everything));
	ck_assert(!generation_equal(copy, configuration_service("echo")));
	ck_assert(!generation_equal(configuration_service("echo"), copy));
}
END_TEST

/* A generation can be filled from another one: a service whose new entry is broken. */
START_TEST(can_be_copied_on)
{
	static const uint32_t continues[] = { 0 };
	struct generation *first = fill(everything), *second;
	struct region *old = region;
	uint32_t count = first->count;

	region = region_new();
	second = generation_fill(region, 8, first->services, continues, count);
	ck_assert_ptr_nonnull(second);
	ck_assert(generation_equal(first->services[0], second->services[0]));
	region_free(old);
	ck_assert_str_eq(second->services[0]->admission->only_from.rules[1].text, "good.example");
	ck_assert_str_eq(second->services[0]->server_args.list[1], "a b");
}
END_TEST

START_TEST(one_service_can_outlive_its_generation)
{
	struct generation *generation = fill(everything);
	struct service_settings *copy = service_settings_copy(generation->services[0]);

	ck_assert_ptr_nonnull(copy);
	ck_assert(generation_equal(generation->services[0], copy));
	region_free(region);
	region = NULL;
	ck_assert_ptr_eq(service_settings_keep(copy), copy);
	service_settings_release(copy);
	ck_assert(copy->admission->only_from.is_set);
	ck_assert_uint_eq(copy->admission->only_from.count, 0);
	ck_assert_str_eq(copy->argv[2], "a b");
	service_settings_release(copy);
}
END_TEST

START_TEST(lasts_as_long_as_somebody_uses_it)
{
	struct generation *generation = fill(everything);
	struct service_settings *service = service_settings_keep(generation->services[0]);

	region_retire(region);
	ck_assert_int_ge(region->fd, 0);
	ck_assert_str_eq(service->name, "echo");
	service_settings_release(service);
	ck_assert_int_eq(region->fd, -1);
}
END_TEST

Suite *generation_suite(void)
{
	Suite *suite = suite_create("generation");
	TCase *tests = tcase_create("generation");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, keeps_every_value);
	tcase_add_test(tests, points_nowhere_else);
	tcase_add_test(tests, keeps_a_file_of_rules_once);
	tcase_add_test(tests, keeps_equal_texts_and_lists_once);
	tcase_add_test(tests, keeps_equal_parts_once);
	tcase_add_loop_test(tests, keeps_equal_filters_once, 0, 2);
	tcase_add_test(tests, keeps_apart_what_differs_from_the_service_before);
	tcase_add_test(tests, knows_what_has_not_changed);
	tcase_add_test(tests, can_be_copied_on);
	tcase_add_test(tests, one_service_can_outlive_its_generation);
	tcase_add_test(tests, lasts_as_long_as_somebody_uses_it);
	suite_add_tcase(suite, tests);
	return suite;
}
