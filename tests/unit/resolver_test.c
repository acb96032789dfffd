#include "base/loop.h"
#include "base/name_servers.h"
#include "base/resolver.h"
#include "support/name_server.h"
#include "support/own_etc.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof table / sizeof table[0]))

/* The result of one lookup. */
struct answer {
	int calls;
	size_t count;
	char text[2048]; /* the results, separated by spaces */
	char reason[128];
};

static struct answer answers[LOOKUPS_MAX + 1];
static int answered, wanted;

static void set_up(void)
{
	memset(answers, 0, sizeof answers);
	answered = 0;
	name_servers_log_nothing();
	ck_assert_int_eq(loop_init(), 0);
}

static void append(struct answer *answer, const char *word)
{
	size_t length = strlen(answer->text);

	snprintf(answer->text + length, sizeof answer->text - length, "%s%s",
		 answer->count > 0 ? " " : "", word);
	answer->count++;
}

static void count_answer(struct answer *answer)
{
	answer->calls++;
	if (++answered == wanted)
		loop_stop();
}

static void take_addresses(void *context, const struct address *addresses, size_t count,
			   const char *reason)
{
	struct answer *answer = context;
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_msg((count == 0) == (reason != NULL), "%zu addresses, reason %s", count,
		      reason ? reason : "none");
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(address_port(&addresses[i]), 0);
		append(answer, address_text(&addresses[i], text));
	}
	snprintf(answer->reason, sizeof answer->reason, "%s", reason ? reason : "");
	count_answer(answer);
}

static void take_names(void *context, const char *const *names)
{
	struct answer *answer = context;

	if (!names)
		append(answer, "(not asked)");
	while (names && *names)
		append(answer, *names++);
	count_answer(answer);
}

static struct lookup *ask_addresses(struct answer *answer, const char *host, int family)
{
	struct lookup *lookup = lookup_addresses(host, family, take_addresses, answer);

	ck_assert_msg(lookup != NULL, "%s: %s", host, strerror(errno));
	ck_assert_int_eq(answer->calls, 0);
	return lookup;
}

static struct lookup *begin_names(unsigned service, const char *text, struct answer *answer)
{
	struct turn_owner owner = { .service = service, .lengths = { 32, 64 } };
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, 99) == 0, "%s is no address", text);
	errno = 0;
	return lookup_names(&owner, &address, take_names, answer);
}

static struct lookup *ask_names_for(unsigned service, struct answer *answer, const char *text)
{
	struct lookup *lookup = begin_names(service, text, answer);

	ck_assert_msg(lookup != NULL, "%s: %s", text, strerror(errno));
	ck_assert_int_eq(answer->calls, 0);
	return lookup;
}

static struct lookup *ask_names(struct answer *answer, const char *text)
{
	return ask_names_for(0, answer, text);
}

static void run_until_answered(int count)
{
	wanted = count;
	if (answered < count)
		loop_run();
	ck_assert_int_eq(answered, count);
}

/* --- without a network ----------------------------------------------------------- */

static const struct {
	const char *host;
	int family;
	const char *found; /* "" for nothing */
} numeric[] = {
	{ "127.0.0.1", AF_UNSPEC, "127.0.0.1" },
	{ "127.0.0.1", AF_INET, "127.0.0.1" },
	{ "127.0.0.1", AF_INET6, "" },
	{ "::1", AF_UNSPEC, "::1" },
	{ "::1", AF_INET6, "::1" },
	{ "::1", AF_INET, "" },
	{ "::ffff:192.0.2.1", AF_UNSPEC, "192.0.2.1" },
	{ "::ffff:192.0.2.1", AF_INET6, "" },
	{ "fe80::1%lo", AF_UNSPEC, "fe80::1%lo" },
	{ "localhost", AF_INET, "127.0.0.1" },
	{ "", AF_UNSPEC, "" },
	{ "two words", AF_INET, "" },
};

START_TEST(finds_what_needs_no_network)
{
	ask_addresses(&answers[0], numeric[_i].host, numeric[_i].family);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].text, numeric[_i].found) == 0, "\"%s\", family %d: \"%s\"",
		      numeric[_i].host, numeric[_i].family, answers[0].text);
}
END_TEST

START_TEST(knows_its_own_name)
{
	ask_names(&answers[0], "127.0.0.1");
	run_until_answered(1);
	ck_assert_msg(text_matches(textf(" %s ", answers[0].text), " localhost "), "\"%s\"",
		      answers[0].text);
}
END_TEST

START_TEST(an_unknown_address_has_no_name)
{
	struct address unknown = address_from_sockaddr(NULL, 0);

	ck_assert_ptr_nonnull(
		lookup_names(&(struct turn_owner){ 0 }, &unknown, take_names, &answers[0]));
	run_until_answered(1);
	ck_assert_str_eq(answers[0].text, "");
}
END_TEST

START_TEST(a_cancelled_lookup_says_nothing)
{
	for (int i = 0; i < 40; i++) {
		struct lookup *lookup = i % 2 ? ask_addresses(&answers[i], "127.0.0.1", AF_INET)
					      : ask_names(&answers[i], "127.0.0.1");

		if (i % 4 < 2)
			lookup_cancel(lookup);
	}
	run_until_answered(20);
	for (int i = 0; i < 40; i++)
		ck_assert_msg(answers[i].calls == (i % 4 >= 2), "lookup %d", i);
}
END_TEST

static struct lookup *other;

static void cancel_the_other(void *context, const struct address *addresses, size_t count,
			     const char *reason)
{
	lookup_cancel(other);
	ask_addresses(&answers[2], "192.0.2.2", AF_UNSPEC);
	take_addresses(context, addresses, count, reason);
}

/* The pool returns jobs in the order in which they end. The other job can't have ended
 * when the callback that cancels it has just begun it. */
static void begin_the_other(void *context, const struct address *addresses, size_t count,
			    const char *reason)
{
	other = ask_addresses(&answers[3], "192.0.2.3", AF_UNSPEC);
	cancel_the_other(context, addresses, count, reason);
}

START_TEST(a_callback_may_begin_and_cancel)
{
	ck_assert_ptr_nonnull(
		lookup_addresses("192.0.2.1", AF_UNSPEC, begin_the_other, &answers[0]));
	run_until_answered(2);
	ask_addresses(&answers[4], "192.0.2.4", AF_UNSPEC);
	run_until_answered(3);
	ck_assert_str_eq(answers[2].text, "192.0.2.2");
	ck_assert_int_eq(answers[3].calls, 0);
}
END_TEST

/* Its turn does not come while the lookups before it run. */
START_TEST(who_waits_can_be_cancelled)
{
	struct lookup *lookups[100];

	for (int i = 0; i < 100; i++)
		lookups[i] = ask_names(&answers[i], "127.0.0.1");
	for (int i = 99; i >= 1; i--)
		lookup_cancel(lookups[i]);
	run_until_answered(1);
	ck_assert_int_eq(answers[0].calls, 1);
}
END_TEST

/* --- with a name server of the test's own ------------------------------------------
 * In its own namespaces any user's test is root, with an empty network and an empty
 * /etc. Where that is not allowed, these tests are left out. */

static const struct name_record records[] = {
	{ "1.2.0.192.in-addr.arpa", ns_t_ptr, "honest.example", 0 },
	{ "2.2.0.192.in-addr.arpa", ns_t_ptr, "nobody.example", 0 },
	{ "3.2.0.192.in-addr.arpa", ns_t_ptr, "liar.example", 0 },
	{ "5.2.0.192.in-addr.arpa", ns_t_ptr, "192.0.2.5", 0 },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ns_t_ptr,
	  "six.example", 0 },
	{ "honest.example", ns_t_a, "198.51.100.1", 0 },
	{ "honest.example", ns_t_a, "192.0.2.1", 0 },
	{ "honest.example", ns_t_aaaa, "2001:db8::77", 0 },
	{ "liar.example", ns_t_a, "198.51.100.1", 0 },
	{ "six.example", ns_t_aaaa, "2001:db8::1", 0 },
	{ "twice.example", ns_t_a, "192.0.2.9", 2 },
	{ "twice.example", ns_t_aaaa, "::ffff:192.0.2.9", 0 },
	{ "many.example", ns_t_a, "192.0.2.0", 70 },
	{ "silent.example", ns_t_a, NULL, 0 },
	{ ".18.198.in-addr.arpa", ns_t_ptr, NULL, 0 },
};

/* One host has more aliases than the first buffer for a reply holds. */
static void write_hosts(void)
{
	FILE *file = fopen("/etc/hosts", "we");

	ck_assert_ptr_nonnull(file);
	fputs("127.0.0.1 localhost\n192.0.2.6 Same same SAME\n192.0.2.7 first second\n"
	      "192.0.2.4",
	      file);
	for (int i = 0; i < 2000; i++)
		fprintf(file, " a%d", i);
	fputs("\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up_network(void)
{
	own_etc_enter();
	own_etc_write("nsswitch.conf", "hosts: files dns\n");
	own_etc_write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
				     "search .\n");
	write_hosts();
	name_server_start("127.0.0.1", records, ROWS(records));
	set_up();
}

static const struct {
	const char *address, *names;
} named[] = {
	{ "192.0.2.1", "honest.example" },
	{ "::ffff:192.0.2.1", "honest.example" },
	{ "192.0.2.2", "" },
	{ "192.0.2.3", "" },
	{ "192.0.2.4", "a0 a1 a2 a3 a4 a5 a6 a7" },
	{ "192.0.2.5", "" },
	{ "192.0.2.6", "Same" },
	{ "192.0.2.7", "first second" },
	{ "192.0.2.10", "" },
	{ "2001:db8::1", "six.example" },
	{ "2001:db8::2", "" },
	{ "0.0.0.0", "" },
};

START_TEST(keeps_the_names_that_are_confirmed)
{
	ask_names(&answers[0], named[_i].address);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].text, named[_i].names) == 0, "%s: \"%s\"",
		      named[_i].address, answers[0].text);
}
END_TEST

static const struct {
	const char *host;
	int family;
	size_t count;
	const char *pattern;
} hosts[] = {
	{ "honest.example", AF_INET, 2, "^(198.51.100.1 192.0.2.1|192.0.2.1 198.51.100.1)$" },
	{ "honest.example", AF_INET6, 1, "^2001:db8::77$" },
	{ "honest.example", AF_UNSPEC, 3, "2001:db8::77" },
	{ "twice.example", AF_UNSPEC, 1, "^192.0.2.9$" },
	{ "twice.example", AF_INET6, 0, "^$" },
	{ "many.example", AF_INET, LOOKUP_ADDRESSES_MAX, "192.0.2" },
	{ "second", AF_INET, 1, "^192.0.2.7$" },
	{ "six.example", AF_INET, 0, "^$" },
	{ "nobody.example", AF_UNSPEC, 0, "^$" },
	{ "silent.example", AF_INET, 0, "^$" },
};

START_TEST(finds_the_addresses_of_a_host)
{
	ask_addresses(&answers[0], hosts[_i].host, hosts[_i].family);
	run_until_answered(1);
	ck_assert_msg(answers[0].count == hosts[_i].count &&
			      text_matches(answers[0].text, hosts[_i].pattern),
		      "%s, family %d: %zu: \"%s\"", hosts[_i].host, hosts[_i].family,
		      answers[0].count, answers[0].text);
}
END_TEST

static const struct {
	const char *host, *reason;
} missing[] = {
	{ "nobody.example", "Name or service not known" },
	{ "six.example", "No address associated with hostname" },
	{ "twice.example", "No address associated with hostname" },
	{ "silent.example", "Temporary failure in name resolution" },
};

START_TEST(says_why_it_found_nothing)
{
	ask_addresses(&answers[0], missing[_i].host,
		      strcmp(missing[_i].host, "twice.example") == 0 ? AF_INET6 : AF_INET);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].reason, missing[_i].reason) == 0, "%s: %s",
		      missing[_i].host, answers[0].reason);
}
END_TEST

START_TEST(a_slow_lookup_holds_up_no_other)
{
	for (int i = 0; i < 4; i++)
		ask_addresses(&answers[i], "silent.example", AF_INET);
	ask_addresses(&answers[4], "honest.example", AF_INET6);
	run_until_answered(1);
	ck_assert_str_eq(answers[4].text, "2001:db8::77");
	run_until_answered(5);
}
END_TEST

START_TEST(refuses_more_than_the_most)
{
	static struct lookup *lookups[LOOKUPS_MAX];

	for (int i = 0; i < LOOKUPS_MAX; i++)
		lookups[i] = ask_addresses(&answers[i], "silent.example", AF_INET);
	errno = 0;
	ck_assert_ptr_null(lookup_addresses("honest.example", AF_INET, take_addresses, NULL));
	ck_assert_int_eq(errno, EAGAIN);
	ask_names(&answers[LOOKUPS_MAX], "192.0.2.1");
	for (int i = 0; i < LOOKUPS_MAX; i++)
		lookup_cancel(lookups[i]);
	run_until_answered(1);
	ck_assert_str_eq(answers[LOOKUPS_MAX].text, "honest.example");
	ask_addresses(&answers[0], "honest.example", AF_INET6);
	run_until_answered(2);
	ck_assert_str_eq(answers[0].text, "2001:db8::77");
}
END_TEST

/* Looks up strangers until no more are taken. Returns how many. */
static int ask_all_that_fit(const char *host)
{
	int count = 0;

	while (begin_names(1, host ? host : textf("198.18.%d.%d", count / 256, count % 256),
			   &answers[count]))
		count++;
	ck_assert_int_eq(errno, EAGAIN);
	return count;
}

static const char *const stranger_hosts[] = { "198.18.0.1", NULL };

START_TEST(keeps_room_for_who_has_asked_for_nothing_yet)
{
	int count = ask_all_that_fit(stranger_hosts[_i]);

	ck_assert_int_ge(count, LOOKUPS_MAX / 8);
	ask_names_for(2, &answers[count], "192.0.2.1");
	while (answers[count].calls == 0)
		loop_turn(-1);
	ck_assert_str_eq(answers[count].text, "honest.example");
}
END_TEST

/* Strangers with slow names come to service 1, from so many networks with so many hosts
 * each; then one client comes to `service`. */
static const struct {
	int networks, of_each;
	unsigned service;
} crowds[] = { { 100, 1, 2 }, { 1, 100, 2 }, { 1, 1, 2 }, { 1, 100, 1 }, { 1, 1, 1 } };

enum { CROWD = 100, PASSED_MAX = 32 };

static void ask_strangers(int networks, int of_each)
{
	for (int i = 1; i <= CROWD; i++)
		ask_names_for(1, &answers[i], textf("198.18.%d.%d", i % networks, i % of_each));
}

/* In a single queue it would wait for almost all of them. */
START_TEST(slow_strangers_hold_up_nobody_else)
{
	ask_strangers(crowds[_i].networks, crowds[_i].of_each);
	ask_names_for(crowds[_i].service, &answers[0], "192.0.2.1");
	while (answers[0].calls == 0)
		loop_turn(-1);
	ck_assert_str_eq(answers[0].text, "honest.example");
	ck_assert_msg(answered <= PASSED_MAX, "after %d others", answered - 1);
}
END_TEST

START_TEST(slow_strangers_hold_up_no_address)
{
	ask_strangers(CROWD, 1);
	ask_addresses(&answers[0], "honest.example", AF_INET6);
	while (answers[0].calls == 0)
		loop_turn(-1);
	ck_assert_str_eq(answers[0].text, "2001:db8::77");
	ck_assert_msg(answered <= PASSED_MAX, "after %d others", answered - 1);
}
END_TEST

/* Whatever timeout resolv.conf sets. */
START_TEST(a_stranger_has_little_patience_to_spend)
{
	own_etc_write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
	ask_names(&answers[0], "198.18.0.1");
	run_until_answered(1);
	ck_assert_str_eq(answers[0].text, "");
}
END_TEST

/* The C library must not keep using what it read before. */
START_TEST(a_new_resolv_conf_is_read)
{
	ask_names(&answers[0], "192.0.2.1");
	run_until_answered(1);
	ck_assert_str_eq(answers[0].text, "honest.example");
	own_etc_write("resolv.conf.new", "nameserver 127.0.0.9\noptions timeout:1 attempts:1\n");
	ck_assert_int_eq(rename("/etc/resolv.conf.new", "/etc/resolv.conf"), 0);
	ask_names(&answers[1], "192.0.2.1");
	run_until_answered(2);
	ck_assert_str_eq(answers[1].text, "");
}
END_TEST

static TCase *network_cases(void)
{
	TCase *network = tcase_create("network");

	tcase_add_checked_fixture(network, set_up_network, NULL);
	tcase_set_timeout(network, 30);
	tcase_add_loop_test(network, keeps_the_names_that_are_confirmed, 0, ROWS(named));
	tcase_add_loop_test(network, finds_the_addresses_of_a_host, 0, ROWS(hosts));
	tcase_add_loop_test(network, says_why_it_found_nothing, 0, ROWS(missing));
	tcase_add_test(network, a_slow_lookup_holds_up_no_other);
	tcase_add_test(network, refuses_more_than_the_most);
	tcase_add_loop_test(network, keeps_room_for_who_has_asked_for_nothing_yet, 0,
			    ROWS(stranger_hosts));
	tcase_add_loop_test(network, slow_strangers_hold_up_nobody_else, 0, ROWS(crowds));
	tcase_add_test(network, slow_strangers_hold_up_no_address);
	tcase_add_test(network, a_stranger_has_little_patience_to_spend);
	tcase_add_test(network, a_new_resolv_conf_is_read);
	return network;
}

Suite *resolver_suite(void);

Suite *resolver_suite(void)
{
	Suite *suite = suite_create("resolver");
	TCase *local = tcase_create("local");

	tcase_add_checked_fixture(local, set_up, NULL);
	tcase_set_timeout(local, 30);
	tcase_add_loop_test(local, finds_what_needs_no_network, 0, ROWS(numeric));
	tcase_add_test(local, knows_its_own_name);
	tcase_add_test(local, an_unknown_address_has_no_name);
	tcase_add_test(local, a_cancelled_lookup_says_nothing);
	tcase_add_test(local, a_callback_may_begin_and_cancel);
	tcase_add_test(local, who_waits_can_be_cancelled);
	suite_add_tcase(suite, local);
	if (own_etc_is_allowed())
		suite_add_tcase(suite, network_cases());
	return suite;
}
