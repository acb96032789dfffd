/* Limits on running servers: of a service, of a source, of all services. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

static int hold_from(const char *source, int port)
{
	int fd = client_connect_from(source, NULL, port);

	client_ping(fd);
	return fd;
}

static void release(int fd)
{
	client_finish_sending(fd);
	client_expect_end(fd);
}

static void check_refused(const char *source, int port)
{
	ck_assert_msg(strcmp(ask_from(source, port, "refuse me"), "") == 0, "%s was served",
		      source);
}

START_TEST(instances_limits_the_servers)
{
	int port = add_service("zzcat", CAT "instances = 2\n%s", log_everything()), one, two;

	daemon_start();
	one = client_hold(port);
	two = client_hold(port);
	check_refused("127.0.0.1", port);
	service_wait_log(LOG_TIME "FAIL: zzcat service_limit from=127\\.0\\.0\\.1$");
	release(one);
	service_wait_log("EXIT: zzcat");
	one = client_hold(port);
	check_refused("127.0.0.1", port);
	release(one);
	release(two);
	service_wait_lines(3, "EXIT: zzcat");
	ck_assert_uint_eq(text_count(service_log(), "START: zzcat"), 3);
	ck_assert_uint_eq(text_count(service_log(), "FAIL: zzcat service_limit"), 2);
}
END_TEST

START_TEST(instances_of_zero_serves_nobody)
{
	int port = add_service("zzcat", CAT "instances = 0\n%s", log_everything());

	daemon_start();
	check_refused("127.0.0.1", port);
	service_wait_log("FAIL: zzcat service_limit");
}
END_TEST

START_TEST(instances_counts_each_service_apart)
{
	int one = add_service("zzname", "id = zz-one\n" CAT "instances = 1\n");
	int two = add_service("zzname", "id = zz-two\n" CAT "instances = 1\n"), held;

	daemon_start();
	held = client_hold(one);
	ck_assert_str_eq(ask(two, "free"), "free");
	release(held);
}
END_TEST

START_TEST(instances_limits_builtins)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\ninstances = 1\n%s",
			       log_everything()),
	    held;

	daemon_start();
	held = client_hold(port);
	check_refused("127.0.0.1", port);
	service_wait_log("FAIL: echo service_limit");
	release(held);
	wait_until(strcmp(ask(port, "free"), "free") == 0);
}
END_TEST

START_TEST(a_full_service_queues_when_asked)
{
	enum { QUEUED = 4 };
	int port = add_service("zzcat", CAT "instances = 1\nat_limit = queue\n%s",
			       log_everything()),
	    held, fds[QUEUED];

	daemon_start();
	held = client_hold(port);
	for (int i = 0; i < QUEUED; i++) {
		fds[i] = client_connect(NULL, port);
		client_send(fds[i], "patience");
		client_finish_sending(fds[i]);
	}
	daemon_check_calm(fds[0]);
	release(held);
	for (int i = 0; i < QUEUED; i++) {
		client_expect(fds[i], "patience");
		client_expect_end(fds[i]);
	}
	daemon_stop();
	ck_assert(!text_matches(service_log(), "FAIL"));
	ck_assert_uint_eq(text_count(service_log(), "START: zzcat"), QUEUED + 1);
}
END_TEST

START_TEST(per_source_limits_each_source)
{
	int port = add_service("zzcat", CAT "per_source = 2\n%s", log_everything());
	int one, two, other;

	daemon_start();
	one = hold_from("127.0.0.5", port);
	two = hold_from("127.0.0.5", port);
	check_refused("127.0.0.5", port);
	service_wait_log(LOG_TIME "FAIL: zzcat per_source_limit from=127\\.0\\.0\\.5$");
	other = hold_from("127.0.0.6", port);
	release(one);
	service_wait_log("EXIT: zzcat");
	one = hold_from("127.0.0.5", port);
	release(one);
	release(two);
	release(other);
}
END_TEST

START_TEST(per_source_knows_both_families)
{
	int four = add_service("zzfour", CAT "per_source = 1\nflags = IPv4\n");
	int both = add_service("zzboth", CAT "per_source = 1\n"), held, six;

	daemon_start();
	held = client_hold(four);
	check_refused("127.0.0.1", four);
	release(held);
	held = client_hold(both);
	six = client_connect("::1", both);
	client_ping(six);
	check_refused("127.0.0.1", both);
	ck_assert_str_eq(ask_at("::1", both, "again"), "");
	release(held);
	release(six);
}
END_TEST

START_TEST(a_source_may_be_a_network)
{
	int port = add_service("zzcat", CAT "per_source = 1\nsource_prefix = 24 64\n"), one, two;

	daemon_start();
	one = hold_from("127.0.1.5", port);
	check_refused("127.0.1.6", port);
	two = hold_from("127.0.2.6", port);
	release(one);
	release(two);
}
END_TEST

START_TEST(per_source_of_defaults_counts)
{
	int port, held;

	add_defaults("per_source = 1\n");
	port = add_service("zzcat", CAT);
	daemon_start();
	held = client_hold(port);
	check_refused("127.0.0.1", port);
	release(held);
}
END_TEST

START_TEST(the_process_limit_counts_all_services)
{
	static const char *const arguments[] = { "-limit", "2", NULL };
	int one = add_service("zzone", CAT "%s", log_everything());
	int two = add_service("zztwo", CAT "%s", log_everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), first, second;

	daemon_start_with(&(struct daemon_options){ .arguments = arguments });
	first = client_hold(one);
	second = client_hold(two);
	check_refused("127.0.0.1", one);
	service_wait_log(LOG_TIME "FAIL: zzone process_limit from=127\\.0\\.0\\.1$");
	/* A service without a process is not limited. */
	ck_assert_str_eq(ask(echo, "free"), "free");
	release(first);
	service_wait_log("EXIT: zzone");
	first = client_hold(two);
	release(first);
	release(second);
}
END_TEST

START_TEST(a_refused_client_takes_no_place)
{
	int port = add_service("zzcat", CAT "instances = 1\nno_access = 127.0.0.9\n%s",
			       log_everything()),
	    held;

	daemon_start();
	for (int i = 0; i < 20; i++)
		check_refused("127.0.0.9", port);
	held = client_hold(port);
	release(held);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL: zzcat address from=127\\.0\\.0\\.9$"),
			  20);
	ck_assert_uint_eq(text_count(service_log(), "START"), 1);
}
END_TEST

START_TEST(a_server_that_was_not_started_takes_no_place)
{
	const char *program = place_program("report");
	int port =
		add_service("zzgone", "server = %s\ninstances = 1\n%s", program, log_everything());

	daemon_start();
	ck_assert_int_eq(unlink(program), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(ask(port, ""), "");
	service_wait_lines(5, "FAIL: zzgone exec");
	place_program("report");
	ck_assert(text_matches(ask(port, ""), "^end=1$"));
}
END_TEST

START_TEST(a_place_comes_back_however_the_server_ends)
{
	const char *server = place_script("killed", "read -r word; kill -$word $$; read -r word");
	int port =
		add_service("zzkilled", "server = %s\ninstances = 1\n%s", server, log_everything());
	static const char *const signals[] = { "KILL", "TERM", "SEGV" };

	daemon_start();
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_str_eq(ask(port, textf("%s\n", signals[i])), "");
		service_wait_lines(i + 1, "EXIT: zzkilled signal=");
	}
	ck_assert(!text_matches(service_log(), "FAIL"));
}
END_TEST

Suite *limits_suite(void)
{
	Suite *suite = suite_create("limits");
	TCase *limits = daemon_tcase(suite, "limits");

	tcase_add_test(limits, instances_limits_the_servers);
	tcase_add_test(limits, instances_of_zero_serves_nobody);
	tcase_add_test(limits, instances_counts_each_service_apart);
	tcase_add_test(limits, instances_limits_builtins);
	tcase_add_test(limits, a_full_service_queues_when_asked);
	tcase_add_test(limits, per_source_limits_each_source);
	tcase_add_test(limits, per_source_knows_both_families);
	tcase_add_test(limits, a_source_may_be_a_network);
	tcase_add_test(limits, per_source_of_defaults_counts);
	tcase_add_test(limits, the_process_limit_counts_all_services);
	tcase_add_test(limits, a_refused_client_takes_no_place);
	tcase_add_test(limits, a_server_that_was_not_started_takes_no_place);
	tcase_add_test(limits, a_place_comes_back_however_the_server_ends);
	return suite;
}
