/* Options of the command line, their output and exit status. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 8 };

/* --- what needs no daemon --- */

START_TEST(version_is_told_on_stdout)
{
	struct outcome outcome = daemon_run((const char *const[]){ "-version", NULL });

	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.output, "^[^ ]+ [0-9]+\\.[0-9]+"), "%s", outcome.output);
	ck_assert_str_eq(outcome.errors, "");
}
END_TEST

START_TEST(help_is_told_on_stdout)
{
	struct outcome outcome = daemon_run((const char *const[]){ "--help", NULL });

	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.output, "-filelog"), "%s", outcome.output);
	ck_assert_str_eq(outcome.errors, "");
}
END_TEST

/* Wrong options, and the error. */
static const struct {
	const char *arguments[ARGUMENTS_MAX], *named;
} mistakes[] = {
	{ { "-nosuchoption" }, "nosuchoption" },
	{ { "-dontfork", "--nosuchoption" }, "nosuchoption" },
	{ { "-x" }, "x" },
	{ { "word" }, "word" },
	{ { "-dontfork", "word" }, "word" },
	{ { "-f" }, "f" },
	{ { "-limit" }, "limit" },
	{ { "-limit", "many" }, "limit" },
	{ { "-limit", "-1" }, "limit" },
	{ { "-syslog", "nosuchfacility" }, "syslog" },
	{ { "-syslog", "daemon", "-filelog", "log" }, "syslog" },
	{ { "-cc", "often" }, "cc" },
};

START_TEST(a_mistake_is_an_error)
{
	struct outcome outcome = daemon_run(mistakes[_i].arguments);

	ck_assert_msg(outcome.status == 1, "status %d", outcome.status);
	ck_assert_msg(text_matches(outcome.errors, mistakes[_i].named),
		      "the complaint does not name %s: %s", mistakes[_i].named, outcome.errors);
	ck_assert_msg(text_matches(outcome.errors, "[Uu]sage"), "no usage: %s", outcome.errors);
	ck_assert_str_eq(outcome.output, "");
}
END_TEST

/* --- by xinetd's name --- */

START_TEST(xinetd_passes_over_unknown_options)
{
	struct outcome outcome;

	daemon_call_it("xinetd");
	outcome = daemon_run((const char *const[]){ "-nosuch", "-version", "--other=1", NULL });
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.errors, "option -nosuch:"), "%s", outcome.errors);
	ck_assert_msg(text_matches(outcome.errors, "option --other=1:"), "%s", outcome.errors);
}
END_TEST

START_TEST(xinetd_logs_unknown_options)
{
	daemon_call_it("xinetd");
	add_service("zzgood", HELLO);
	daemon_start_with(&(struct daemon_options){
		.arguments = (const char *const[]){ "-nosuch", NULL },
	});
	daemon_wait_log("WARNING: unknown option -nosuch:");
}
END_TEST

/* Mistakes that xinetd reports, too. */
static const char *const also_mistakes[][ARGUMENTS_MAX] = {
	{ "word" },
	{ "-nosuch", "word" },
	{ "-filelog" },
	{ "-limit", "many" },
};

START_TEST(xinetd_minds_other_mistakes)
{
	struct outcome outcome;

	daemon_call_it("xinetd");
	outcome = daemon_run(also_mistakes[_i]);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "[Uu]sage"), "no usage: %s", outcome.errors);
}
END_TEST

/* Debian's start script uses it. */
START_TEST(inetd_ipv6_is_known)
{
	struct outcome outcome =
		daemon_run((const char *const[]){ "-inetd_ipv6", "-version", NULL });

	ck_assert_int_eq(outcome.status, 0);
	ck_assert_str_eq(outcome.errors, "");
}
END_TEST

/* --- -check --- */

static struct outcome check_configuration(void)
{
	const char *const arguments[] = { "-check", "-f", configuration_path(), NULL };

	configuration_write();
	return daemon_run(arguments);
}

static const char *all_output(struct outcome outcome)
{
	return textf("%s%s", outcome.output, outcome.errors);
}

START_TEST(check_is_content_with_what_is_right)
{
	struct outcome outcome;
	int port = add_service("zzgood", HELLO);

	add_service("echo", "type = INTERNAL UNLISTED\n");
	outcome = check_configuration();
	ck_assert_msg(outcome.status == 0, "status %d: %s", outcome.status, all_output(outcome));
	ck_assert_msg(!text_matches(all_output(outcome), "usherd\\.conf:|: error"), "%s",
		      all_output(outcome));
	ck_assert(client_is_refused(NULL, port));
}
END_TEST

START_TEST(check_lists_every_error)
{
	struct outcome outcome;
	const char *said;

	add_service("zzone", CAT "umask = 999\nnice = low\n");
	add_service("zztwo", CAT "instancs = 5\n");
	place_write("included", "service zzthree\n{\n\tsocket_type = flow\n}\n");
	configure("include %s\n", place_path("included"));
	outcome = check_configuration();
	said = all_output(outcome);
	ck_assert_msg(outcome.status == 1, "status %d: %s", outcome.status, said);
	ck_assert_msg(text_matches(said,
				   textf("usherd\\.conf:%d: .*999", configuration_line("umask"))),
		      "%s", said);
	ck_assert_msg(text_matches(said,
				   textf("usherd\\.conf:%d: .*low", configuration_line("nice"))),
		      "%s", said);
	ck_assert_msg(text_matches(said, textf("usherd\\.conf:%d: .*instances",
					       configuration_line("instancs"))),
		      "%s", said);
	ck_assert_msg(text_matches(said, "included:3: .*flow"), "%s", said);
}
END_TEST

START_TEST(check_fails_without_a_file)
{
	struct outcome outcome =
		daemon_run((const char *const[]){ "-check", "-f", "/no/such/file", NULL });

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(all_output(outcome), "/no/such/file"), "%s",
		      all_output(outcome));
}
END_TEST

START_TEST(check_mentions_advice_without_failing)
{
	struct outcome outcome;

	add_service("zzhash", "server = /bin/echo\nserver_args = 3 # x\n");
	outcome = check_configuration();
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(all_output(outcome),
				   textf("usherd\\.conf:%d: ", configuration_line("server_args"))),
		      "%s", all_output(outcome));
}
END_TEST

/* --- starts that fail --- */

START_TEST(a_missing_configuration_is_an_error)
{
	const char *const arguments[] = {
		"-dontfork", "-f", "/no/such/file", "-filelog", place_path("daemon.log"), NULL
	};
	struct outcome outcome = daemon_run(arguments);

	ck_assert_int_eq(outcome.status, 1);
	ck_assert(text_matches(outcome.errors, "/no/such/file"));
	ck_assert(text_matches(daemon_log(), "/no/such/file"));
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_is_an_error)
{
	const char *const arguments[] = {
		"-dontfork", "-f", configuration_path(), "-filelog", "/no/such/directory/log", NULL
	};
	struct outcome outcome;

	add_service("zzgood", HELLO);
	configuration_write();
	outcome = daemon_run(arguments);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "/no/such/directory"), "%s", outcome.errors);
}
END_TEST

/* --- in the background --- */

static struct outcome run_in_background(const char *option)
{
	const char *const arguments[] = { "-f",       configuration_path(),
					  "-filelog", place_path("daemon.log"),
					  "-pidfile", place_path("daemon.pid"),
					  option,     NULL };

	configuration_write();
	return daemon_run(arguments);
}

/* The daemon, an orphan once it is in the background, is a child of the test. */
static bool nothing_runs(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return process_child(getpid()) == 0;
}

static void adopt_from_pid_file(void)
{
	const char *text = place_read("daemon.pid");
	pid_t pid = (pid_t)atoi(text);

	ck_assert_msg(pid > 0, "the pid file says \"%s\"", text);
	ck_assert_str_eq(text, textf("%d\n", (int)pid));
	ck_assert(process_runs(pid));
	daemon_adopt(pid);
}

START_TEST(the_start_returns_when_all_is_bound)
{
	enum { SERVICES = 20 };
	int ports[SERVICES];

	for (int i = 0; i < SERVICES; i++)
		ports[i] = add_service("zzhello", "id = zz-%d\n" HELLO, i);
	ck_assert_int_eq(run_in_background(NULL).status, 0);
	/* Without waiting: when the start returns, all must be served. */
	for (int i = 0; i < SERVICES; i++)
		ck_assert_str_eq(ask(ports[i], ""), "hello\n");
	adopt_from_pid_file();
	daemon_stop();
	ck_assert_int_lt(access(place_path("daemon.pid"), F_OK), 0);
}
END_TEST

START_TEST(a_daemon_has_a_session_of_its_own)
{
	add_service("zzhello", HELLO);
	ck_assert_int_eq(run_in_background(NULL).status, 0);
	adopt_from_pid_file();
	ck_assert_int_eq(getsid(daemon_pid()), daemon_pid());
	ck_assert_int_ne(getsid(0), daemon_pid());
	/* The daemon has left the directory and the terminal that it was started from. */
	ck_assert_str_eq(process_link(daemon_pid(), "cwd"), "/");
	ck_assert_str_eq(process_link(daemon_pid(), "fd/0"), "/dev/null");
	ck_assert_str_eq(process_link(daemon_pid(), "fd/1"), "/dev/null");
	ck_assert_str_eq(process_link(daemon_pid(), "fd/2"), "/dev/null");
}
END_TEST

START_TEST(a_start_that_fails_says_so)
{
	struct outcome outcome;

	add_defaults("instances = few\n");
	add_service("zzhello", HELLO);
	outcome = run_in_background(NULL);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, textf("^ERROR: .*usherd\\.conf:%d: .*few",
							 configuration_line("instances"))),
		      "%s", outcome.errors);
	wait_until(nothing_runs());
	ck_assert_int_lt(access(place_path("daemon.pid"), F_OK), 0);
}
END_TEST

START_TEST(a_start_without_its_sockets_says_so)
{
	int port = port_take(), occupant = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	struct endpoint endpoint = endpoint_of(NULL, port);
	struct outcome outcome;

	setsockopt(occupant, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	ck_assert_int_eq(bind(occupant, (struct sockaddr *)&endpoint.address, endpoint.length), 0);
	ck_assert_int_eq(listen(occupant, 1), 0);
	add_service("zzhello", HELLO "bind = 127.0.0.1\nport = %d\n", port);
	outcome = run_in_background(NULL);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "^ERROR: .*zzhello"), "%s", outcome.errors);
	ck_assert_msg(text_matches(outcome.errors, "^ERROR: no service could be bound"), "%s",
		      outcome.errors);
	daemon_wait_log("zzhello");
	close(occupant);
}
END_TEST

/* Configurations with nothing to serve, and the messages. The first has no services,
 * which is no failure. */
static const struct {
	const char *text, *said;
	int status;
} idle[] = {
	{ "# nothing\n", "no services", 0 },
	{ "service zzoff\n{\ndisable = yes\n}\n", "no services", 1 },
	{ "service zzbad\n{\nnice = low\n}\n", "usherd\\.conf:3: .*low", 1 },
	{ "includedir /no/such/directory\n", "usherd\\.conf:1: /no/such/directory: No such", 1 },
	{ "include /no/such/file\n", "usherd\\.conf:1: /no/such/file: No such", 1 },
	{ "nonsense\n", "usherd\\.conf:1: ", 1 },
};

START_TEST(without_services_there_is_no_daemon)
{
	struct outcome outcome;

	configure("%s", idle[_i].text);
	outcome = run_in_background(NULL);
	ck_assert_int_eq(outcome.status, idle[_i].status);
	ck_assert_msg(text_matches(outcome.errors, idle[_i].said), "%s", outcome.errors);
	daemon_wait_log("%s", idle[_i].said);
	daemon_wait_log("ERROR: no services\\. Exiting");
	wait_until(nothing_runs());
	ck_assert_int_lt(access(place_path("daemon.pid"), F_OK), 0);
}
END_TEST

START_TEST(without_a_configuration_the_start_says_so)
{
	struct outcome outcome = daemon_run((const char *const[]){
		"-f", "/no/such/file", "-filelog", place_path("daemon.log"), NULL });

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "^ERROR: /no/such/file: "), "%s",
		      outcome.errors);
}
END_TEST

/* The rest is served, and the errors go to the terminal. */
START_TEST(the_start_tells_what_is_left_out)
{
	int port = add_service("zzhello", HELLO);
	struct outcome outcome;

	add_service("zzbad", HELLO "nice = low\n");
	outcome = run_in_background(NULL);
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.errors, "^ERROR: .*low"), "%s", outcome.errors);
	ck_assert_str_eq(ask(port, ""), "hello\n");
	adopt_from_pid_file();
}
END_TEST

START_TEST(later_errors_are_for_the_log)
{
	add_service("zzhello", HELLO);
	daemon_start();
	add_service("zzbad", HELLO "nice = low\n");
	daemon_reload();
	ck_assert(text_matches(daemon_log(), "ERROR: .*low"));
	ck_assert_str_eq(place_read("daemon.err"), "");
}
END_TEST

static const rlim_t few_descriptors[] = { 32, 64 };

START_TEST(few_descriptors_are_enough_to_start)
{
	struct rlimit limit = { few_descriptors[_i], few_descriptors[_i] };
	int port = add_service("zzhello", HELLO);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(run_in_background(NULL).status, 0);
	adopt_from_pid_file();
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(stayalive_waits_for_services)
{
	int port = port_take();

	configure("# nothing\n");
	ck_assert_int_eq(run_in_background("-stayalive").status, 0);
	adopt_from_pid_file();
	add_service("zzhello", "port = %d\n" HELLO, port);
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(dontfork_stays_alive)
{
	int port = port_take();

	configure("# nothing\n");
	daemon_start();
	add_service("zzhello", "port = %d\n" HELLO, port);
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	configuration_clear();
	daemon_reload();
	ck_assert(client_is_refused(NULL, port));
	ck_assert(daemon_is_running());
}
END_TEST

/* --- files --- */

START_TEST(the_pid_file_has_the_pid)
{
	struct stat status;

	place_write("daemon.pid", "999999\nstale\n");
	add_service("zzhello", HELLO);
	daemon_start();
	ck_assert_str_eq(place_read("daemon.pid"), textf("%d\n", (int)daemon_pid()));
	ck_assert_int_eq(stat(place_path("daemon.pid"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_pid_file_is_no_way_to_write_elsewhere)
{
	place_write("precious", "untouched\n");
	ck_assert_int_eq(symlink(place_path("precious"), place_path("daemon.pid")), 0);
	add_service("zzhello", HELLO);
	daemon_start();
	ck_assert_str_eq(place_read("precious"), "untouched\n");
	daemon_stop();
	ck_assert_str_eq(place_read("precious"), "untouched\n");
}
END_TEST

/* Runs a second daemon with the pid file of the first. */
static struct outcome start_another(const char *config)
{
	return daemon_run((const char *const[]){ "-dontfork", "-f", config, "-pidfile",
						 place_path("daemon.pid"), NULL });
}

START_TEST(a_second_daemon_with_the_pid_file_is_refused)
{
	int port = add_service("zzhello", HELLO);
	struct outcome outcome;
	pid_t first;

	daemon_start();
	first = daemon_pid();
	place_write("second.conf", "# nothing\n");
	outcome = start_another(place_path("second.conf"));
	daemon_adopt(first);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors,
				   textf("daemon\\.pid: usherd is running already, as "
					 "process %d$",
					 (int)first)),
		      "%s", outcome.errors);
	ck_assert_str_eq(place_read("daemon.pid"), textf("%d\n", (int)first));
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

/* Also while a program of the dead daemon still runs. */
START_TEST(the_pid_file_of_a_dead_daemon_is_taken_over)
{
	int port = add_service("zzcat", CAT), held;

	daemon_start();
	held = client_hold(port);
	daemon_signal(SIGKILL);
	daemon_wait_end();
	client_ping(held);
	daemon_start();
	ck_assert_str_eq(place_read("daemon.pid"), textf("%d\n", (int)daemon_pid()));
	close(held);
}
END_TEST

/* A user who may read a file can lock it against writing. */
START_TEST(a_pid_file_that_a_reader_has_locked_is_taken_over)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd;

	place_write("daemon.pid", "999999\n");
	fd = open(place_path("daemon.pid"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_SETLK, &lock), 0);
	add_service("zzhello", HELLO);
	daemon_start();
	ck_assert_str_eq(place_read("daemon.pid"), textf("%d\n", (int)daemon_pid()));
	close(fd);
}
END_TEST

START_TEST(a_pid_file_that_somebody_else_put_there_stays)
{
	add_service("zzhello", HELLO);
	daemon_start();
	ck_assert_int_eq(unlink(place_path("daemon.pid")), 0);
	place_write("daemon.pid", "1\n");
	daemon_stop();
	ck_assert_str_eq(place_read("daemon.pid"), "1\n");
}
END_TEST

START_TEST(relative_names_start_where_the_daemon_was_started)
{
	const char *const arguments[] = { "-dontfork",  "-f",       "usherd.conf", "-filelog",
					  "daemon.log", "-pidfile", "daemon.pid",  NULL };
	int port = add_service("zzhello", HELLO);

	configuration_write();
	daemon_launch(arguments);
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_str_eq(place_read("daemon.pid"), textf("%d\n", (int)daemon_pid()));
	daemon_stop();
	ck_assert_int_lt(access(place_path("daemon.pid"), F_OK), 0);
}
END_TEST

START_TEST(options_may_have_two_dashes)
{
	const char *const arguments[] = {
		"--dontfork", "--f", configuration_path(), "--filelog", place_path("daemon.log"),
		NULL
	};
	int port = add_service("zzhello", HELLO);

	configuration_write();
	daemon_launch(arguments);
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(in_the_foreground_the_terminal_is_the_log)
{
	const char *const arguments[] = { "-dontfork", "-f", configuration_path(), NULL };
	int port = add_service("zzhello", HELLO);

	configuration_write();
	daemon_launch_logging_to("daemon.err", arguments);
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_msg(text_count(place_read("daemon.err"),
				 "^[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}@[0-9:]{8} [A-Z]+: ") ==
			      text_count(place_read("daemon.err"), "\n"),
		      "%s", place_read("daemon.err"));
	/* The services and their ports. */
	ck_assert_msg(text_matches(place_read("daemon.err"), textf("zzhello.*%d", port)), "%s",
		      place_read("daemon.err"));
}
END_TEST

/* Without times, because it has its own, if standard error is the one that the variable means. */
START_TEST(the_journal_may_be_the_terminal)
{
	const char *const arguments[] = { "-d", NULL };
	const char *environment[] = { NULL, NULL };
	struct stat status;

	place_write("daemon.err", "%s", "");
	ck_assert_int_eq(stat(place_path("daemon.err"), &status), 0);
	environment[0] = textf("JOURNAL_STREAM=%ju:%ju", (uintmax_t)status.st_dev,
			       (uintmax_t)status.st_ino + (unsigned)_i);
	add_service("zzhello", HELLO);
	daemon_start_with(&(struct daemon_options){
		.arguments = arguments,
		.environment = environment,
		.log_name = "daemon.err",
	});
	ck_assert_int_eq(text_matches(place_read("daemon.err"), "^NOTICE: Started"), _i == 0);
}
END_TEST

START_TEST(debugging_needs_no_terminal)
{
	const char *const arguments[] = { "-d", "-f", configuration_path(), NULL };
	int port = add_service("zzhello", HELLO);

	configuration_write();
	daemon_launch_logging_to("daemon.err", arguments);
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

static void add_background_tests(Suite *suite)
{
	TCase *background = daemon_tcase(suite, "in the background");

	tcase_add_test(background, the_start_returns_when_all_is_bound);
	tcase_add_test(background, a_daemon_has_a_session_of_its_own);
	tcase_add_test(background, a_start_that_fails_says_so);
	tcase_add_test(background, a_start_without_its_sockets_says_so);
	tcase_add_loop_test(background, without_services_there_is_no_daemon, 0,
			    sizeof idle / sizeof idle[0]);
	tcase_add_test(background, without_a_configuration_the_start_says_so);
	tcase_add_test(background, the_start_tells_what_is_left_out);
	tcase_add_test(background, later_errors_are_for_the_log);
	tcase_add_loop_test(background, few_descriptors_are_enough_to_start, 0, 2);
	tcase_add_test(background, stayalive_waits_for_services);
	tcase_add_test(background, dontfork_stays_alive);
}

static void add_file_tests(Suite *suite)
{
	TCase *files = daemon_tcase(suite, "files");

	tcase_add_test(files, the_pid_file_has_the_pid);
	tcase_add_test(files, a_pid_file_is_no_way_to_write_elsewhere);
	tcase_add_test(files, a_second_daemon_with_the_pid_file_is_refused);
	tcase_add_test(files, the_pid_file_of_a_dead_daemon_is_taken_over);
	tcase_add_test(files, a_pid_file_that_a_reader_has_locked_is_taken_over);
	tcase_add_test(files, a_pid_file_that_somebody_else_put_there_stays);
	tcase_add_test(files, relative_names_start_where_the_daemon_was_started);
	tcase_add_test(files, options_may_have_two_dashes);
	tcase_add_test(files, in_the_foreground_the_terminal_is_the_log);
	tcase_add_test(files, debugging_needs_no_terminal);
	tcase_add_loop_test(files, the_journal_may_be_the_terminal, 0, 2);
}

Suite *command_line_suite(void)
{
	Suite *suite = suite_create("command_line");
	TCase *answers = daemon_tcase(suite, "answers");
	TCase *names = daemon_tcase(suite, "by xinetd's name");
	TCase *check = daemon_tcase(suite, "check");
	TCase *failures = daemon_tcase(suite, "failing starts");

	tcase_add_test(answers, version_is_told_on_stdout);
	tcase_add_test(answers, help_is_told_on_stdout);
	tcase_add_loop_test(answers, a_mistake_is_an_error, 0,
			    sizeof mistakes / sizeof mistakes[0]);
	tcase_add_test(answers, inetd_ipv6_is_known);
	tcase_add_test(names, xinetd_passes_over_unknown_options);
	tcase_add_test(names, xinetd_logs_unknown_options);
	tcase_add_loop_test(names, xinetd_minds_other_mistakes, 0,
			    sizeof also_mistakes / sizeof also_mistakes[0]);
	tcase_add_test(check, check_is_content_with_what_is_right);
	tcase_add_test(check, check_lists_every_error);
	tcase_add_test(check, check_fails_without_a_file);
	tcase_add_test(check, check_mentions_advice_without_failing);
	tcase_add_test(failures, a_missing_configuration_is_an_error);
	tcase_add_test(failures, a_log_that_cannot_be_opened_is_an_error);
	add_background_tests(suite);
	add_file_tests(suite);
	return suite;
}
