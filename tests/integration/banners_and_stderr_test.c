/* Texts of the daemon to clients and about servers: banners, ident, standard error,
 * hosts.allow. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- banners --- */

static int add_with_banners(const char *lines)
{
	place_write("always", "always\r\n");
	place_write("success", "success\n");
	place_write("fail", "fail\n");
	return add_service("zzok", HELLO "banner = %s\nbanner_success = %s\nbanner_fail = %s\n%s",
			   place_path("always"), place_path("success"), place_path("fail"), lines);
}

START_TEST(banners_come_in_their_order)
{
	int port = add_with_banners("no_access = 127.0.0.5\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "always\r\nsuccess\nhello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "always\r\nfail\n");
}
END_TEST

START_TEST(banner_fail_comes_with_every_refusal)
{
	int port = add_with_banners("instances = 0\n");

	daemon_start();
	ck_assert_str_eq(ask(port, "something nobody reads"), "always\r\nfail\n");
}
END_TEST

START_TEST(a_banner_is_read_for_each_connection)
{
	int port = add_with_banners("");

	daemon_start();
	place_write("always", "changed\n");
	ck_assert_str_eq(ask(port, ""), "changed\nsuccess\nhello\n");
}
END_TEST

START_TEST(a_long_banner_is_whole)
{
	enum { LENGTH = 700000 };
	char *text = keep(malloc(LENGTH + 1));
	int port = add_with_banners("");
	struct bytes all;
	int fd;

	for (int i = 0; i < LENGTH; i++)
		text[i] = (char)('a' + i % 23);
	place_write_bytes("always", text, LENGTH);
	daemon_start();
	fd = client_connect(NULL, port);
	all = client_read_all(fd);
	ck_assert_uint_eq(all.length, LENGTH + strlen("success\nhello\n"));
	ck_assert_int_eq(memcmp(all.data, text, LENGTH), 0);
	ck_assert_str_eq(all.data + LENGTH, "success\nhello\n");
	close(fd);
}
END_TEST

START_TEST(a_client_that_does_not_read_its_banner_holds_up_nobody)
{
	int port = add_with_banners(""), fds[8];
	char *text = keep(calloc(1, 1000000));

	memset(text, 'x', 1000000);
	place_write_bytes("always", text, 1000000);
	add_service("zzother", "id = other\n" HELLO "port = %d\n", port_take());
	daemon_start();
	for (int i = 0; i < 8; i++)
		fds[i] = client_connect(NULL, port);
	ck_assert_uint_eq(client_read(client_connect(NULL, port), 1000000).length, 1000000);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
}
END_TEST

enum { LARGE = 1024 * 1024 };

static int add_with_large_banner(const char *attribute, const char *lines)
{
	char *text = keep(malloc(LARGE));

	memset(text, 'x', LARGE);
	place_write_bytes("large", text, LARGE);
	return add_service("zzlarge", "%s = %s\ncps = 0 0\n%s%s%s", attribute, place_path("large"),
			   HELLO, lines, log_everything());
}

START_TEST(a_banner_that_many_do_not_read_takes_little_memory)
{
	enum { CLIENTS = 200 };
	int port = add_with_large_banner("banner", ""), fds[CLIENTS];
	int other = add_service("zzother", HELLO);

	daemon_start();
	ck_assert_uint_eq(client_read_all(client_connect(NULL, port)).length, LARGE + 6);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(NULL, port);
		client_expect(fds[i], "x");
	}
	ck_assert_uint_lt(port_unsent(port), CLIENTS * 256UL * 1024);
	ck_assert_str_eq(ask(other, ""), "hello\n");
	ck_assert_uint_eq(client_read_all(fds[0]).length, LARGE + 6 - 1);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

static const struct {
	const char *attribute, *lines, *reason;
} resets[] = {
	{ "banner", "", "banner" },
	{ "banner_success", "", "banner" },
	{ "banner_fail", "no_access = 127.0.0.1\n", "address" },
};

START_TEST(who_is_gone_before_the_end_of_a_banner_is_logged_once)
{
	int port = add_with_large_banner(resets[_i].attribute, resets[_i].lines), fd;

	configure("daemon\n{\n\tstatus_file = %s\n}\n", place_path("status"));
	daemon_start();
	fd = client_connect(NULL, port);
	client_read(fd, 1);
	client_reset(fd);
	service_wait_log(LOG_TIME "FAIL: zzlarge %s from=127\\.0\\.0\\.1$", resets[_i].reason);
	daemon_signal(SIGUSR1);
	wait_until(text_matches(place_read("status"), "^END OF DUMP$"));
	ck_assert(text_matches(place_read("status"),
			       textf("refused \\(%s\\) = 1$", resets[_i].reason)));
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "(FAIL|START): zzlarge"), 1);
}
END_TEST

START_TEST(a_missing_banner_is_reported_and_the_service_works)
{
	int port = add_service("zzok", HELLO "banner = %s\n", place_path("nothing"));

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	daemon_wait_log("ERROR: service = zzok, open of banner .*/nothing failed");
}
END_TEST

START_TEST(banners_of_defaults_count)
{
	int port;

	place_write("always", "hi\n");
	add_defaults("banner = %s\n", place_path("always"));
	port = add_service("time", "type = INTERNAL UNLISTED\n");
	daemon_start();
	ck_assert_uint_eq(client_read_all(client_connect(NULL, port)).length, 7);
}
END_TEST

/* --- standard error --- */

static const char *complainer(void)
{
	return place_script("complain", "echo out\necho 'first line' >&2\n"
					"printf 'second \\033[1m' >&2\n");
}

static unsigned times_in(const char *text, const char *what)
{
	unsigned count = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

START_TEST(stderr_may_go_to_the_log)
{
	int port = add_service("zzerr", "server = %s\nstderr = log\n", complainer());

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "out\n");
	daemon_wait_log("NOTICE: service zzerr: stderr: first line$");
	/* An unfinished line, too; escape sequences for terminals are escaped. */
	daemon_wait_log("NOTICE: service zzerr: stderr: second \\\\x1B\\[1m$");
}
END_TEST

/* Letters of two bytes, each byte four in the log: no byte is lost. */
START_TEST(a_long_line_of_stderr_is_whole)
{
	enum { LETTERS = 202, PLAIN = 512 };
	const char *script = place_script("letters",
					  "printf '%%%ds\\n' '' | sed 's/ /\303\244/g' >&2\n"
					  "printf '%%%ds\\nend\\n' '' | tr ' ' x >&2\n",
					  LETTERS, PLAIN);
	int port = add_service("zzerr", "server = %s\nstderr = log\n", script);

	daemon_start();
	ask(port, "");
	daemon_wait_log("stderr: end$");
	ck_assert_uint_eq(text_count(daemon_log(), "stderr: x{512}$"), 1);
	ck_assert_uint_eq(times_in(daemon_log(), "\\xC3"), LETTERS);
	ck_assert_uint_eq(times_in(daemon_log(), "\\xA4"), LETTERS);
}
END_TEST

START_TEST(a_child_left_behind_does_not_keep_the_pipe)
{
	int port = add_service("zzerr", "server = %s\nstderr = log\n",
			       place_script("leave", "echo line >&2\n"
						     "sleep 1000 < /dev/null > /dev/null &\n"
						     "echo out\n"));
	unsigned before;

	configure("daemon\n{\nstatus_file = %s\n}\n", place_path("status"));
	daemon_start();
	before = process_descriptors(daemon_pid());
	ck_assert_str_eq(ask(port, ""), "out\n");
	daemon_signal(SIGUSR1);
	wait_until(text_matches(place_read("status"), "^pipes of standard error = 1$"));
	wait_until(process_descriptors(daemon_pid()) <= before);
	daemon_wait_log("stderr: line$");
}
END_TEST

/* The sum of the numbers that follow mark in the lines of text. */
static unsigned long sum_after(const char *text, const char *mark)
{
	unsigned long sum = 0;

	for (const char *at = text; (at = strstr(at, mark)); at += strlen(mark))
		sum += strtoul(at + strlen(mark), NULL, 10);
	return sum;
}

START_TEST(a_flood_of_stderr_is_bounded_and_counted)
{
	enum { LINES = 300000 };
	int port = add_service("zzerr", "server = %s\nstderr = log\n",
			       place_script("flood", "yes 7 | head -n %d >&2\n", LINES));

	daemon_start();
	ask(port, "");
	wait_until(text_count(daemon_log(), "zzerr: stderr: 7$") +
			   sum_after(daemon_log(), "zzerr: stderr: ") -
			   7 * text_count(daemon_log(), "zzerr: stderr: 7$") ==
		   LINES);
	daemon_wait_log(
		"WARNING: service zzerr: stderr: [0-9]+ lines dropped, there were more than "
		"100 a second$");
}
END_TEST

START_TEST(programs_outlive_a_daemon_that_reads_their_stderr)
{
	/* More than a pipe holds, so that the daemon has to read it. */
	int port = add_service("zzerr", "server = %s\nstderr = log\n",
			       place_script("outlive",
					    "echo ready\nread word\n"
					    "head -c 300000 /dev/zero >&2 && echo alive\n"));
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "ready\n");
	daemon_signal(SIGQUIT);
	ck_assert_int_eq(daemon_wait_end(), 0);
	client_send(fd, "go\n");
	client_expect(fd, "alive\n");
	client_expect_end(fd);
}
END_TEST

START_TEST(stderr_may_go_nowhere)
{
	int port = add_service("zzerr", "server = %s\nstderr = null\n", complainer());

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "out\n");
}
END_TEST

START_TEST(stderr_may_go_to_a_file)
{
	int port = add_service("zzerr", "server = %s\nstderr = %s\n", complainer(),
			       place_path("errors"));

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "out\n");
	ck_assert_str_eq(ask(port, ""), "out\n");
	wait_until(text_count(place_read("errors"), "first line$") == 2);
}
END_TEST

START_TEST(stderr_is_the_connection_otherwise)
{
	int port = add_service("zzerr", "server = %s\n", complainer());

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "out\nfirst line\nsecond \033[1m");
}
END_TEST

Suite *banners_and_stderr_suite(void)
{
	Suite *suite = suite_create("banners_and_stderr");
	TCase *banners = daemon_tcase(suite, "banners");
	TCase *errors = daemon_tcase(suite, "standard error");

	tcase_add_test(banners, banners_come_in_their_order);
	tcase_add_test(banners, banner_fail_comes_with_every_refusal);
	tcase_add_test(banners, a_banner_is_read_for_each_connection);
	tcase_add_test(banners, a_long_banner_is_whole);
	tcase_add_test(banners, a_client_that_does_not_read_its_banner_holds_up_nobody);
	tcase_add_test(banners, a_banner_that_many_do_not_read_takes_little_memory);
	tcase_add_loop_test(banners, who_is_gone_before_the_end_of_a_banner_is_logged_once, 0,
			    sizeof resets / sizeof resets[0]);
	tcase_add_test(banners, a_missing_banner_is_reported_and_the_service_works);
	tcase_add_test(banners, banners_of_defaults_count);
	tcase_add_test(errors, stderr_may_go_to_the_log);
	tcase_add_test(errors, stderr_may_go_nowhere);
	tcase_add_test(errors, a_long_line_of_stderr_is_whole);
	tcase_add_test(errors, a_child_left_behind_does_not_keep_the_pipe);
	tcase_add_test(errors, a_flood_of_stderr_is_bounded_and_counted);
	tcase_add_test(errors, programs_outlive_a_daemon_that_reads_their_stderr);
	tcase_add_test(errors, stderr_may_go_to_a_file);
	tcase_add_test(errors, stderr_is_the_connection_otherwise);
	return suite;
}
