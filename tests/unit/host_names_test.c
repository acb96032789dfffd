#include "admission/host_names.h"
#include "base/loop.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_MS = 3600 * 1000, MANY = NAMES_KEPT_MAX + 10 };

/* --- lookups that the test ends ---------------------------------------------------- */

static struct {
	struct address address;
	names_found *found;
	void *context;
} lookups[2 * MANY];
static int begun;
static bool is_refusing;

static struct lookup *begin_lookup(const struct turn_owner *owner, const struct address *address,
				   names_found *found, void *context)
{
	(void)owner;
	if (is_refusing) {
		errno = EAGAIN;
		return NULL;
	}
	ck_assert_int_lt(begun, 2 * MANY);
	lookups[begun].address = *address;
	lookups[begun].found = found;
	lookups[begun].context = context;
	return (struct lookup *)&lookups[begun++];
}

/* The names are valid only during the callback. */
static void end_lookup(int number, const char *name)
{
	char *copy = strdup(name);
	const char *const names[] = { copy, NULL }, *const none[] = { NULL };

	lookups[number].found(lookups[number].context, *name ? names : none);
	memset(copy, '?', strlen(copy));
	free(copy);
}

/* --- the answers ------------------------------------------------------------------- */

struct asker {
	int calls;
	char names[512];
};

static struct asker askers[MANY];

static void take_names(void *context, const char *const *names)
{
	struct asker *asker = context;
	size_t length = 0;

	asker->calls++;
	for (asker->names[0] = '\0'; *names; names++)
		length += (size_t)snprintf(asker->names + length, sizeof asker->names - length,
					   "%s ", *names);
}

static struct address address_of(const char *text)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, 0) == 0, "%s is no address", text);
	return address;
}

static struct address numbered_address(uint32_t number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x0a000000 + number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

static const struct turn_owner service = { .service = 1 }, other_service = { .service = 2 };

static struct name_query *find(struct asker *asker, const char *text)
{
	struct address address = address_of(text);

	return host_names_find(&service, &address, take_names, asker);
}

#define ck_told(asker, text) \
	do { \
		ck_assert_int_eq((asker)->calls, 1); \
		ck_assert_str_eq((asker)->names, text); \
	} while (0)

static void set_up(void)
{
	memset(askers, 0, sizeof askers);
	begun = 0;
	is_refusing = false;
	host_names_forget();
	host_names_set_lookup(begin_lookup, LONG_MS, LONG_MS, LONG_MS);
	ck_assert_int_eq(loop_init(), 0);
}

static void tear_down(void)
{
	host_names_forget();
	loop_free();
}

START_TEST(answers_when_the_lookup_has_ended)
{
	ck_assert_ptr_nonnull(find(&askers[0], "192.0.2.1"));
	ck_assert_int_eq(askers[0].calls, 0);
	end_lookup(0, "one.example");
	ck_told(&askers[0], "one.example ");
}
END_TEST

START_TEST(answers_at_once_what_it_knows)
{
	find(&askers[0], "192.0.2.1");
	end_lookup(0, "one.example");
	ck_assert_ptr_null(find(&askers[1], "192.0.2.1"));
	ck_told(&askers[1], "one.example ");
	ck_assert_ptr_null(find(&askers[2], "::ffff:192.0.2.1"));
	ck_told(&askers[2], "one.example ");
	ck_assert_int_eq(begun, 1);
}
END_TEST

START_TEST(remembers_who_has_no_name)
{
	find(&askers[0], "192.0.2.1");
	end_lookup(0, "");
	ck_told(&askers[0], "");
	ck_assert_ptr_null(find(&askers[1], "192.0.2.1"));
	ck_told(&askers[1], "");
	ck_assert_int_eq(begun, 1);
}
END_TEST

START_TEST(ports_do_not_count)
{
	struct address address = address_of("2001:db8::1");

	address_set_port(&address, 1);
	ck_assert_ptr_nonnull(host_names_find(&service, &address, take_names, &askers[0]));
	address_set_port(&address, 2);
	ck_assert_ptr_nonnull(host_names_find(&service, &address, take_names, &askers[1]));
	ck_assert_int_eq(begun, 1);
	end_lookup(0, "six.example");
	ck_told(&askers[0], "six.example ");
	ck_told(&askers[1], "six.example ");
}
END_TEST

static const char *const different[] = {
	"192.0.2.1",  "192.0.2.2", "2001:db8::1", "2001:db8::1:0:0:1",
	"::c000:201", "fe80::1%1", "fe80::1%2",   "fe80::1",
};

START_TEST(different_hosts_have_different_names)
{
	enum { HOSTS = sizeof different / sizeof different[0] };

	for (int i = 0; i < HOSTS; i++)
		find(&askers[i], different[i]);
	ck_assert_int_eq(begun, HOSTS);
	for (int i = HOSTS - 1; i >= 0; i--)
		end_lookup(i, different[i]);
	for (int i = 0; i < HOSTS; i++) {
		size_t length = strlen(different[i]);

		ck_assert_msg(strncmp(askers[i].names, different[i], length) == 0 &&
				      strcmp(askers[i].names + length, " ") == 0,
			      "%s: %s", different[i], askers[i].names);
	}
}
END_TEST

START_TEST(queries_share_a_lookup)
{
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(find(&askers[i], "192.0.2.1"));
	ck_assert_int_eq(begun, 1);
	end_lookup(0, "one.example");
	for (int i = 0; i < 100; i++)
		ck_told(&askers[i], "one.example ");
}
END_TEST

START_TEST(another_service_does_not_wait_for_that_lookup)
{
	struct address address = address_of("192.0.2.1");

	find(&askers[0], "192.0.2.1");
	ck_assert_ptr_nonnull(host_names_find(&other_service, &address, take_names, &askers[1]));
	ck_assert_int_eq(begun, 2);
	end_lookup(1, "one.example");
	ck_told(&askers[1], "one.example ");
	ck_assert_int_eq(askers[0].calls, 0);
	end_lookup(0, "one.example");
	ck_told(&askers[0], "one.example ");
}
END_TEST

START_TEST(what_was_not_asked_is_not_remembered)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_nonnull(find(&askers[i], "192.0.2.1"));
		if (i == 1)
			host_names_forget();
		lookups[i].found(lookups[i].context, NULL);
		ck_told(&askers[i], "");
	}
	ck_assert_ptr_nonnull(find(&askers[2], "192.0.2.1"));
	end_lookup(2, "one.example");
	ck_told(&askers[2], "one.example ");
}
END_TEST

START_TEST(a_cancelled_query_is_not_answered)
{
	struct name_query *first = find(&askers[0], "192.0.2.1");

	find(&askers[1], "192.0.2.1");
	host_names_cancel(first);
	end_lookup(0, "one.example");
	ck_assert_int_eq(askers[0].calls, 0);
	ck_told(&askers[1], "one.example ");
}
END_TEST

START_TEST(a_lookup_nobody_waits_for_is_remembered)
{
	host_names_cancel(find(&askers[0], "192.0.2.1"));
	end_lookup(0, "one.example");
	ck_assert_ptr_null(find(&askers[1], "192.0.2.1"));
	ck_told(&askers[1], "one.example ");
}
END_TEST

START_TEST(who_is_not_named_in_time_is_nameless)
{
	host_names_set_lookup(begin_lookup, 0, LONG_MS, LONG_MS);
	find(&askers[0], "192.0.2.1");
	host_names_set_lookup(begin_lookup, LONG_MS, LONG_MS, LONG_MS);
	find(&askers[1], "192.0.2.1");
	ck_assert_int_eq(askers[0].calls, 0);
	loop_turn(1000);
	ck_told(&askers[0], "");
	ck_assert_int_eq(askers[1].calls, 0);
	end_lookup(0, "one.example");
	ck_told(&askers[0], "");
	ck_told(&askers[1], "one.example ");
}
END_TEST

static const struct {
	const char *name;
	uint64_t kept_ms, none_kept_ms;
	int lookups;
} kept[] = {
	{ "one.example", LONG_MS, 0, 1 },
	{ "one.example", 0, LONG_MS, 2 },
	{ "", LONG_MS, 0, 2 },
	{ "", 0, LONG_MS, 1 },
};

START_TEST(names_are_kept_for_a_time)
{
	host_names_set_lookup(begin_lookup, LONG_MS, kept[_i].kept_ms, kept[_i].none_kept_ms);
	find(&askers[0], "192.0.2.1");
	end_lookup(0, kept[_i].name);
	find(&askers[1], "192.0.2.1");
	ck_assert_msg(begun == kept[_i].lookups, "row %d: %d lookups", _i, begun);
	if (begun == 2)
		end_lookup(1, "two.example");
	ck_assert_int_eq(askers[1].calls, 1);
}
END_TEST

START_TEST(who_can_not_be_looked_up_is_nameless_for_now)
{
	is_refusing = true;
	ck_assert_ptr_null(find(&askers[0], "192.0.2.1"));
	ck_told(&askers[0], "");
	is_refusing = false;
	ck_assert_ptr_nonnull(find(&askers[1], "192.0.2.1"));
	end_lookup(0, "one.example");
	ck_told(&askers[1], "one.example ");
}
END_TEST

START_TEST(an_unknown_address_is_nameless)
{
	struct address unknown = address_from_sockaddr(NULL, 0);

	ck_assert_ptr_null(host_names_find(&service, &unknown, take_names, &askers[0]));
	ck_told(&askers[0], "");
	ck_assert_int_eq(begun, 0);
}
END_TEST

static void fill(int from, int to)
{
	for (int i = from; i < to; i++) {
		struct address address = numbered_address((uint32_t)i);

		host_names_find(&service, &address, take_names, &askers[i]);
		end_lookup(begun - 1, "some.example");
	}
}

static bool is_remembered(int number)
{
	struct address address = numbered_address((uint32_t)number);
	struct asker asker = { 0 };
	struct name_query *query = host_names_find(&service, &address, take_names, &asker);

	if (query)
		host_names_cancel(query);
	return !query;
}

START_TEST(the_ones_unused_for_longest_give_way)
{
	fill(0, NAMES_KEPT_MAX);
	ck_assert(is_remembered(0)); /* this is a use, too */
	fill(NAMES_KEPT_MAX, NAMES_KEPT_MAX + 2);
	ck_assert(is_remembered(0));
	ck_assert(!is_remembered(1));
	ck_assert(!is_remembered(2));
	for (int i = 3; i < NAMES_KEPT_MAX + 2; i++)
		ck_assert_msg(is_remembered(i), "%d", i);
}
END_TEST

START_TEST(what_is_forgotten_is_looked_up_again)
{
	find(&askers[0], "192.0.2.1");
	end_lookup(0, "old.example");
	host_names_forget();
	ck_assert_ptr_nonnull(find(&askers[1], "192.0.2.1"));
	end_lookup(1, "new.example");
	ck_told(&askers[1], "new.example ");
}
END_TEST

/* A query from before gets the names of the old lookup, one from after it those of the
 * new one. */
START_TEST(forgetting_leaves_no_query_unanswered)
{
	ck_assert_ptr_nonnull(find(&askers[0], "192.0.2.1"));
	host_names_forget();
	ck_assert_ptr_nonnull(find(&askers[1], "192.0.2.1"));
	ck_assert_int_eq(begun, 2);
	end_lookup(0, "old.example");
	ck_told(&askers[0], "old.example ");
	ck_assert_int_eq(askers[1].calls, 0);
	end_lookup(1, "new.example");
	ck_told(&askers[1], "new.example ");
	ck_assert_ptr_null(find(&askers[2], "192.0.2.1"));
	ck_told(&askers[2], "new.example ");
}
END_TEST

static struct name_query *others[3]; /* made after the query of make_trouble */

/* Does everything that a callback may do, then reads the names. */
static void make_trouble(void *context, const char *const *names)
{
	host_names_cancel(others[0]);
	host_names_cancel(others[2]);
	host_names_forget();
	find(&askers[4], "192.0.2.1");
	take_names(context, names);
}

static void forget_and_take(void *context, const char *const *names)
{
	host_names_forget();
	take_names(context, names);
}

START_TEST(an_answer_may_do_anything)
{
	struct address address = address_of("192.0.2.1");

	host_names_find(&service, &address, make_trouble, &askers[3]);
	others[0] = find(&askers[0], "192.0.2.1");
	others[1] = find(&askers[1], "192.0.2.1");
	others[2] = find(&askers[2], "192.0.2.1");
	end_lookup(0, "one.example");
	ck_told(&askers[3], "one.example ");
	ck_assert_int_eq(askers[0].calls, 0);
	ck_told(&askers[1], "one.example ");
	ck_assert_int_eq(askers[2].calls, 0);
	ck_assert_int_eq(askers[4].calls, 0);
	end_lookup(1, "two.example");
	ck_told(&askers[4], "two.example ");
	ck_assert_ptr_null(host_names_find(&service, &address, forget_and_take, &askers[5]));
	ck_told(&askers[5], "two.example ");
}
END_TEST

/* --- with the resolver ---------------------------------------------------------------- */

static void take_and_stop(void *context, const char *const *names)
{
	take_names(context, names);
	loop_stop();
}

START_TEST(knows_this_host)
{
	struct address address = address_of("127.0.0.1");

	host_names_set_lookup(lookup_names, NAMES_DEADLINE_MS, NAMES_KEPT_MS, NAMES_NONE_KEPT_MS);
	ck_assert_ptr_nonnull(host_names_find(&service, &address, take_and_stop, &askers[0]));
	loop_run();
	ck_assert_msg(strstr(askers[0].names, "localhost ") != NULL, "%s", askers[0].names);
	ck_assert_ptr_null(host_names_find(&service, &address, take_names, &askers[1]));
	ck_told(&askers[1], askers[0].names);
}
END_TEST

Suite *host_names_suite(void);

Suite *host_names_suite(void)
{
	Suite *suite = suite_create("host_names");
	TCase *cache = tcase_create("cache"), *resolver = tcase_create("resolver");

	tcase_add_checked_fixture(cache, set_up, tear_down);
	tcase_add_test(cache, answers_when_the_lookup_has_ended);
	tcase_add_test(cache, answers_at_once_what_it_knows);
	tcase_add_test(cache, remembers_who_has_no_name);
	tcase_add_test(cache, ports_do_not_count);
	tcase_add_test(cache, different_hosts_have_different_names);
	tcase_add_test(cache, queries_share_a_lookup);
	tcase_add_test(cache, another_service_does_not_wait_for_that_lookup);
	tcase_add_test(cache, what_was_not_asked_is_not_remembered);
	tcase_add_test(cache, a_cancelled_query_is_not_answered);
	tcase_add_test(cache, a_lookup_nobody_waits_for_is_remembered);
	tcase_add_test(cache, who_is_not_named_in_time_is_nameless);
	tcase_add_loop_test(cache, names_are_kept_for_a_time, 0, 4);
	tcase_add_test(cache, who_can_not_be_looked_up_is_nameless_for_now);
	tcase_add_test(cache, an_unknown_address_is_nameless);
	tcase_add_test(cache, the_ones_unused_for_longest_give_way);
	tcase_add_test(cache, what_is_forgotten_is_looked_up_again);
	tcase_add_test(cache, forgetting_leaves_no_query_unanswered);
	tcase_add_test(cache, an_answer_may_do_anything);
	tcase_add_checked_fixture(resolver, set_up, NULL);
	tcase_add_test(resolver, knows_this_host);
	suite_add_tcase(suite, cache);
	suite_add_tcase(suite, resolver);
	return suite;
}
