/* -serve: a service without any file. */
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

#define LOG "daemon.err"

/* Starts the daemon with up to three more words before the program. */
static int serve(const char *const more[3], const char *const program[3])
{
	int port = port_take();
	const char *arguments[12] = { "-serve", textf("%d", port) };
	size_t count = 2;

	for (size_t i = 0; i < 3 && more[i]; i++)
		arguments[count++] = more[i];
	arguments[count++] = "--";
	for (size_t i = 0; i < 3 && program[i]; i++)
		arguments[count++] = program[i];
	daemon_launch_logging_to(LOG, arguments);
	return port;
}

static const char *const hello[3] = { "/bin/sh", "-c", "read line; echo \"got $line\"" };

START_TEST(a_program_is_served)
{
	int port = serve((const char *const[3]){ NULL }, hello);

	ck_assert_str_eq(ask(port, "a\n"), "got a\n");
	ck_assert_str_eq(ask(port, "b\n"), "got b\n");
	wait_until(text_matches(place_read(LOG), "EXIT: sh status=0 pid=[0-9]+ duration="));
	daemon_signal(SIGTERM);
	ck_assert_int_eq(daemon_wait_end(), 0);
}
END_TEST

START_TEST(both_families_are_served)
{
	int port = serve((const char *const[3]){ NULL }, hello);
	int fd = client_connect("::1", port);

	client_send(fd, "six\n");
	ck_assert_str_eq(client_read_line(fd), "got six");
	close(fd);
}
END_TEST

START_TEST(attributes_of_a_service_count)
{
	int port = serve((const char *const[3]){ "no_access=127.0.0.9", "env=WORD=x", "-d" },
			 (const char *const[3]){ "/bin/sh", "-c", "echo $WORD" });

	ck_assert_str_eq(ask(port, ""), "x\n");
	ck_assert_str_eq(ask_from("127.0.0.9", port, ""), "");
	wait_until(text_matches(place_read(LOG), "FAIL: sh address from=127\\.0\\.0\\.9"));
}
END_TEST

START_TEST(errors_of_the_program_are_in_the_log)
{
	int port = serve((const char *const[3]){ NULL },
			 (const char *const[3]){ "/bin/sh", "-c", "echo trouble >&2" });

	ck_assert_str_eq(ask(port, ""), "");
	wait_until(text_matches(place_read(LOG), "service sh: stderr: trouble"));
}
END_TEST

/* What was written is not lost, although the request is not read. */
START_TEST(an_answer_is_not_cut)
{
	int port = serve((const char *const[3]){ NULL },
			 (const char *const[3]){ "/bin/echo", "answer" });

	for (int i = 0; i < 20; i++)
		ck_assert_str_eq(ask(port, "a request that nobody reads\n"), "answer\n");
}
END_TEST

START_TEST(a_reload_keeps_it)
{
	int port = serve((const char *const[3]){ NULL }, hello);

	daemon_signal(SIGHUP);
	wait_until(text_matches(place_read(LOG), "Reconfigured: new=0 old=1 dropped=0"));
	ck_assert_str_eq(ask(port, "a\n"), "got a\n");
}
END_TEST

START_TEST(it_can_be_printed_as_a_file)
{
	struct outcome outcome = daemon_run((const char *const[]){
		"-print", "-serve", "1337", "max_runtime=5", "--", "/bin/echo", "a b", NULL });

	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.output, "max_runtime += 5"), "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output, "server_args += \"a b\""), "%s", outcome.output);
}
END_TEST

/* Arguments after -serve, and what the error says. */
static const struct {
	const char *arguments[8], *says;
} mistakes[] = {
	{ { "-serve", "1337", "word", "--", "/bin/cat" }, "\"word\" is not NAME=VALUE" },
	{ { "-serve", "1337", "nosuch=1", "--", "/bin/cat" },
	  "the command line:2: unknown attribute \"nosuch\"" },
	{ { "-serve", "1337", "--", "no-such-program" }, "no program no-such-program" },
	{ { "-serve", "1337" }, "server is missing" },
	{ { "-serve", "1337", "-nosuch" }, "unknown option: -nosuch" },
	{ { "-serve", "1337", "-limit", "x" }, "bad value for -limit" },
	{ { "-serve", "" }, "bad value for -serve" },
	{ { "-serve", "1337", "-explain", "cat", "::1" }, "exclude each other" },
	{ { "-serve", "many", "--", "/bin/cat" }, "\"many\"" },
};

START_TEST(a_mistake_ends_it)
{
	struct outcome outcome = daemon_run(mistakes[_i].arguments);

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(strstr(outcome.errors, mistakes[_i].says), "%s", outcome.errors);
}
END_TEST

Suite *serve_suite(void)
{
	Suite *suite = suite_create("serve");
	TCase *tcase = daemon_tcase(suite, "serve");

	tcase_add_test(tcase, a_program_is_served);
	tcase_add_test(tcase, both_families_are_served);
	tcase_add_test(tcase, attributes_of_a_service_count);
	tcase_add_test(tcase, errors_of_the_program_are_in_the_log);
	tcase_add_test(tcase, an_answer_is_not_cut);
	tcase_add_test(tcase, a_reload_keeps_it);
	tcase_add_test(tcase, it_can_be_printed_as_a_file);
	tcase_add_loop_test(tcase, a_mistake_ends_it, 0, sizeof mistakes / sizeof mistakes[0]);
	return suite;
}
