/* Out of descriptors, out of processes: that connection is refused with its
 * reason, the daemon goes on, and does not spin. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 40, SOME_USER = 54321 };

static void have_few_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

static void start_with_few_descriptors(void)
{
	daemon_start_with(&(struct daemon_options){ .prepare = have_few_descriptors });
}

START_TEST(programs_cost_the_daemon_no_descriptor)
{
	enum { CLIENTS = 3 * DESCRIPTORS };
	int port = add_service("zzcat", CAT "cps = 0 0\n"), fds[CLIENTS];

	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_hold(port);
	for (int i = 0; i < CLIENTS; i++)
		client_ping(fds[i]);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

/* Each program costs another frontend no descriptor either. */
START_TEST(programs_cost_the_next_frontend_no_descriptor)
{
	enum { CLIENTS = 3 * DESCRIPTORS };
	int port = add_service("zzcat", CAT "cps = 0 0\n%s", log_everything()), fds[CLIENTS];
	pid_t before;

	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_hold(port);
	service_wait_lines(CLIENTS, "START: zzcat");
	wait_until((before = process_frontend(daemon_pid())) > 0);
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	ck_assert_str_eq(ask(port, "again"), "again");
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	service_wait_lines(CLIENTS + 1, "EXIT: zzcat");
	ck_assert_uint_eq(text_count(service_log(), "FAIL: zzcat"), 0);
}
END_TEST

START_TEST(out_of_descriptors_a_connection_is_refused_with_its_reason)
{
	enum { CLIENTS = 2 * DESCRIPTORS };
	int port = add_service("echo", "type = INTERNAL UNLISTED\ncps = 0 0\n%s", log_everything()),
	    fds[CLIENTS];

	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	service_wait_log(LOG_TIME "FAIL: echo .*descriptors");
	client_ping(fds[0]);
	daemon_check_calm(fds[0]);
	for (int i = 0; i < CLIENTS; i++) {
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
	ck_assert_str_eq(ask(port, "again"), "again");
}
END_TEST

START_TEST(out_of_descriptors_nothing_spins)
{
	enum { CLIENTS = 2 * DESCRIPTORS };
	int port = add_service("echo", "type = INTERNAL UNLISTED\ncps = 0 0\n"), fds[CLIENTS];

	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	client_ping(fds[0]);
	daemon_check_calm(fds[0]);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

START_TEST(out_of_descriptors_other_services_go_on)
{
	enum { CLIENTS = 2 * DESCRIPTORS };
	int port = add_service("echo", "id = stream\ntype = INTERNAL UNLISTED\ncps = 0 0\n");
	int datagram = add_service("echo", "id = datagram\ntype = INTERNAL UNLISTED\n"
					   "socket_type = dgram\n"),
	    fds[CLIENTS];

	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	client_ping(fds[0]);
	ck_assert_str_eq(datagram_ask(datagram, "fine"), "fine");
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	wait_until(strcmp(ask(port, "again"), "again") == 0);
}
END_TEST

START_TEST(out_of_descriptors_a_reload_keeps_what_runs)
{
	enum { CLIENTS = 2 * DESCRIPTORS };
	int port = port_take(), added = port_take(), fds[CLIENTS];

	add_service("echo", "port = %d\ntype = INTERNAL UNLISTED\ncps = 0 0\n", port);
	start_with_few_descriptors();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	client_ping(fds[0]);
	add_service("zzadded", "port = %d\n" HELLO, added);
	configuration_write();
	daemon_signal(SIGHUP);
	daemon_wait_log("Reconfigured: |[Rr]econfiguration failed");
	client_ping(fds[0]);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	wait_until(strcmp(ask(port, "again"), "again") == 0);
	/* In the end the new service, or a retry, gets its socket. */
	daemon_reload();
	wait_until(!client_is_refused(NULL, added));
}
END_TEST

static void have_256_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = 256, .rlim_max = 256 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

static void have_64_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = 64, .rlim_max = 64 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

enum { MANY_CLIENTS = 260 };

static void connect_many(int port, int fds[static MANY_CLIENTS])
{
	for (int i = 0; i < MANY_CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	service_wait_log(LOG_TIME "FAIL: .* no available descriptors from=127\\.0\\.0\\.1$");
}

static void close_many(const int fds[static MANY_CLIENTS])
{
	for (int i = 0; i < MANY_CLIENTS; i++)
		close(fds[i]);
}

START_TEST(idle_clients_of_one_service_leave_the_others_their_descriptors)
{
	int full = add_service("echo", "id = full\ntype = INTERNAL UNLISTED\ncps = 0 0\n%s",
			       log_everything()),
	    fds[MANY_CLIENTS];
	int other = add_service("echo", "id = other\ntype = INTERNAL UNLISTED\ncps = 0 0\n");
	int passed = add_service("zzpassed", "redirect = 127.0.0.1 %d\ncps = 0 0\n", other);
	int program = add_service("zzcat", CAT "cps = 0 0\n");

	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	connect_many(full, fds);
	for (int i = 0; i < 10; i++) {
		ck_assert_str_eq(ask(other, "built in"), "built in");
		ck_assert_str_eq(ask(program, "program"), "program");
		ck_assert_str_eq(ask(passed, "passed on"), "passed on");
	}
	client_ping(fds[0]);
	daemon_check_calm(fds[0]);
	close_many(fds);
}
END_TEST

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

/* Of each of these programs the monitor keeps a descriptor, and the next frontend gets a copy. */
START_TEST(programs_that_log_errors_leave_the_monitor_descriptors)
{
	int port = add_service("zzcat", CAT "stderr = log\ncps = 0 0\n%s", log_everything()),
	    fds[MANY_CLIENTS];
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n");
	pid_t before;

	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	connect_many(port, fds);
	ck_assert_str_eq(ask(echo, "fine"), "fine");
	before = frontend();
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	ck_assert_str_eq(ask(echo, "again"), "again");
	ck_assert_int_ne(frontend(), before);
	close_many(fds);
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert_str_eq(ask(port, "again"), "again");
	ck_assert_uint_eq(text_count(daemon_log(), "can't be sent"), 0);
}
END_TEST

/* What has no program, or no pipe, takes nothing of it, and has nothing reserved. */
START_TEST(errors_in_the_log_cost_only_programs_descriptors)
{
	enum { CLIENTS = 100, OTHERS = 20, PROGRAMS = 25 };
	int echo, port, fds[CLIENTS];

	add_defaults("stderr = log\n");
	echo = add_service("echo", "type = INTERNAL UNLISTED\ncps = 0 0\n");
	port = add_service("zzcat", CAT "cps = 0 0\n");
	for (int i = 0; i < OTHERS; i++)
		add_service(textf("zzother%d", i), CAT "stderr = null\n");
	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_hold(echo);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	for (int i = 0; i < PROGRAMS; i++)
		fds[i] = client_hold(port);
	for (int i = 0; i < PROGRAMS; i++)
		close(fds[i]);
}
END_TEST

/* They come while the monitor does something else, and wait in its channel. */
START_TEST(a_burst_of_launches_leaves_the_frontend_alone)
{
	int port = add_service("zzcat", CAT "stderr = log\nlingering_close = yes\ncps = 0 0\n"),
	    fds[MANY_CLIENTS];
	enum { LAUNCHED = 40 };
	int other = add_service("zzother", CAT "cps = 0 0\n");
	pid_t before;

	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	before = frontend();
	ck_assert_int_eq(kill(daemon_pid(), SIGSTOP), 0);
	for (int i = 0; i < MANY_CLIENTS; i++)
		fds[i] = client_connect(NULL, i % 2 ? port : other);
	wait_until(process_descriptors(before) > LAUNCHED);
	ck_assert_int_eq(kill(daemon_pid(), SIGCONT), 0);
	client_ping(fds[0]);
	client_ping(fds[1]);
	ck_assert_int_eq(frontend(), before);
	close_many(fds);
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert_str_eq(ask(port, "again"), "again");
	ck_assert_int_eq(frontend(), before);
}
END_TEST

/* Each client is gone, but its program holds a terminal, or a pipe, until it ends. */
static const struct {
	const char *attributes, *script;
} leftovers[] = {
	{ "pty = yes\ninstances = UNLIMITED\n", "exec </dev/null >/dev/null 2>&1; exec sleep 60" },
	{ "stderr = log\n", "sleep 60 </dev/null >/dev/null & exit 0" },
};

enum { MOMENTARY = 4 /* a sixteenth of the limit */ };

START_TEST(what_programs_leave_open_is_counted)
{
	int port = add_service("zzleft", "server = %s\ncps = 0 0\n%s%s",
			       place_script("left", "%s", leftovers[_i].script),
			       leftovers[_i].attributes, log_everything());
	int other = add_service("zztty", HELLO "pty = yes\ncps = 0 0\n");
	pid_t before;

	daemon_start_with(&(struct daemon_options){ .prepare = have_64_descriptors });
	before = frontend();
	for (int i = 0; i < 100; i++) {
		client_read_all(client_connect(NULL, port));
		ck_assert_uint_le(process_descriptors(before), 64 - MOMENTARY);
	}
	client_read_all(client_connect(NULL, other));
	ck_assert_int_eq(frontend(), before);
}
END_TEST

START_TEST(out_of_descriptors_signals_are_obeyed)
{
	int full = port_take(), added = port_take(), fds[MANY_CLIENTS];

	configure("daemon\n{\n\tstatus_file = %s\n}\n", place_path("status"));
	add_service("echo", "port = %d\ntype = INTERNAL UNLISTED\ncps = 0 0\n%s", full,
		    log_everything());
	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	connect_many(full, fds);
	daemon_signal(SIGUSR1);
	wait_until(text_matches(place_read("status"), "^END OF DUMP$"));
	ck_assert_int_eq(rename(place_path("service.log"), place_path("rotated")), 0);
	add_service("zzadded", "port = %d\n" HELLO, added);
	daemon_reload();
	ck_assert_str_eq(ask(added, ""), "hello\n");
	close(client_connect(NULL, full));
	service_wait_log("FAIL: echo");
	ck_assert(!text_matches(daemon_log(), "Too many open files"));
	client_ping(fds[0]);
	close_many(fds);
}
END_TEST

START_TEST(a_service_alone_may_have_nearly_all_descriptors)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\ncps = 0 0\n%s", log_everything()),
	    fds[MANY_CLIENTS];

	daemon_start_with(&(struct daemon_options){ .prepare = have_256_descriptors });
	connect_many(port, fds);
	for (int i = 0; i < 160; i++)
		client_ping(fds[i]);
	close_many(fds);
}
END_TEST

START_TEST(sockets_that_the_limit_does_not_allow_are_named_and_the_others_serve)
{
	enum { SOCKETS = 60 };
	int ports[SOCKETS], served = 0;

	for (int i = 0; i < SOCKETS; i++)
		ports[i] = add_service("echo", "id = echo%d\ntype = INTERNAL UNLISTED\n", i);
	daemon_start_with(&(struct daemon_options){ .prepare = have_64_descriptors });
	ck_assert(text_matches(daemon_log(), "[0-9]+ sockets and log files can't be opened: the "
					     "limit of 64 descriptors must be higher"));
	for (int i = 0; i < SOCKETS; i++) {
		bool is_named = text_matches(daemon_log(), textf("service = echo%d,.*Too many open "
								 "files",
								 i));

		ck_assert_int_eq(is_named, client_is_refused(NULL, ports[i]));
		if (!is_named) {
			ck_assert_str_eq(ask(ports[i], "served"), "served");
			served++;
		}
	}
	ck_assert_int_gt(served, 10);
}
END_TEST

/* Becomes a user with a limit of few processes and threads. */
static void be_a_poor_user(void)
{
	struct rlimit limit = { .rlim_cur = 12, .rlim_max = 12 };

	if (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0 ||
	    setrlimit(RLIMIT_NPROC, &limit) < 0)
		_exit(126);
}

START_TEST(out_of_processes_a_connection_is_refused_with_its_reason)
{
	enum { CLIENTS = 20 };
	int port = add_service("zzcat", "user = %d\nflags = NORETRY\ncps = 0 0\n" CAT "%s",
			       SOME_USER, log_everything()),
	    fds[CLIENTS];
	int echo = add_service("echo", "type = INTERNAL UNLISTED\nuser = %d\n", SOME_USER);

	ck_assert_int_eq(chown(place_path(""), SOME_USER, SOME_USER), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = be_a_poor_user });
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	service_wait_log(LOG_TIME "FAIL: zzcat fork from=127\\.0\\.0\\.1$");
	ck_assert_str_eq(ask(echo, "fine"), "fine");
	for (int i = 0; i < CLIENTS; i++) {
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
	wait_until(process_children(daemon_pid()) == 0);
	/* Other processes of that user count, too. */
	wait_until(strcmp(ask(port, "again"), "again") == 0);
}
END_TEST

/* A user of this test run alone: processes of other runs would count. */
static uid_t own_user;

/* Then the daemon can't start a thread for a program. */
static void be_a_user_without_processes(void)
{
	struct rlimit limit;

	if (setgroups(0, NULL) < 0 || setgid(own_user) < 0 || setuid(own_user) < 0 ||
	    getrlimit(RLIMIT_NPROC, &limit) < 0)
		_exit(126);
	limit.rlim_cur = 2; /* monitor and frontend */
	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		_exit(126);
}

/* Raises the limit of a process, as its own user. */
static void allow_processes(pid_t pid)
{
	pid_t helper = fork();
	struct rlimit many;
	int status;

	if (helper == 0) {
		if (setgroups(0, NULL) < 0 || setgid(own_user) < 0 || setuid(own_user) < 0 ||
		    prlimit(pid, RLIMIT_NPROC, NULL, &many) < 0)
			_exit(1);
		many.rlim_cur = many.rlim_max;
		_exit(prlimit(pid, RLIMIT_NPROC, &many, NULL) < 0);
	}
	ck_assert_int_eq(waitpid(helper, &status, 0), helper);
	ck_assert_int_eq(status, 0);
}

START_TEST(without_a_thread_a_launch_is_tried_again)
{
	int patient, hasty, fd;

	own_user = 62000 + (uid_t)getpid() % 3000;
	patient = add_service("zzcat", "user = %d\n" CAT, (int)own_user);
	hasty = add_service("zzhasty", "user = %d\nflags = NORETRY\n" CAT "%s", (int)own_user,
			    log_everything());
	ck_assert_int_eq(chown(place_path(""), own_user, own_user), 0);
	daemon_start_with(&(struct daemon_options){
		.prepare = be_a_user_without_processes,
		.environment = without_leak_sanitizer,
	});
	fd = client_connect(NULL, patient);
	ck_assert_str_eq(ask(hasty, ""), "");
	service_wait_log(LOG_TIME "FAIL: zzhasty fork from=127\\.0\\.0\\.1$");
	daemon_wait_log("ERROR: service zzhasty: fork /bin/cat: Resource temporarily unavailable");
	allow_processes(daemon_pid());
	client_ping(fd);
	close(fd);
}
END_TEST

START_TEST(no_zombie_remains)
{
	enum { CLIENTS = 100 };
	int port = add_service("zztrue", "server = /bin/true\ncps = 0 0\n"), fds[CLIENTS];

	daemon_start();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLIENTS; i++)
			fds[i] = client_connect(NULL, port);
		for (int i = 0; i < CLIENTS; i++)
			client_expect_end(fds[i]);
	}
	wait_until(process_zombies(daemon_pid()) == 0 && process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(an_idle_daemon_is_idle)
{
	int port = add_service("zzcat", CAT), fd;

	add_service("echo", "id = s\ntype = INTERNAL UNLISTED\n");
	add_service("echo", "id = d\ntype = INTERNAL UNLISTED\nsocket_type = dgram\n");
	daemon_start();
	fd = client_hold(port);
	daemon_check_calm(fd);
	close(fd);
}
END_TEST

START_TEST(a_program_that_never_reads_spins_nothing)
{
	int port = add_service("zzsleep", "socket_type = dgram\nserver = /bin/sleep\n"
					  "server_args = 1000\n");
	int quiet = add_service("zzcat", CAT), fd, held;

	daemon_start();
	held = client_hold(quiet);
	fd = datagram_connect(NULL, NULL, port);
	for (int i = 0; i < 10; i++)
		datagram_send(fd, "unread", 6);
	wait_until(process_children(daemon_pid()) == 2);
	daemon_check_calm(held);
	ck_assert_uint_eq(process_children(daemon_pid()), 2);
	close(fd);
	close(held);
}
END_TEST

START_TEST(a_program_that_cannot_run_spins_nothing)
{
	const char *program = place_program("wait_datagram");
	int port = add_service("zzgone", "socket_type = dgram\nserver = %s\n%s", program,
			       log_everything());
	int quiet = add_service("zzcat", CAT), fd, held;

	daemon_start();
	held = client_hold(quiet);
	ck_assert_int_eq(unlink(program), 0);
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, "nobody reads me", 15);
	service_wait_log("FAIL: zzgone exec");
	daemon_check_calm(held);
	close(fd);
	close(held);
}
END_TEST

Suite *exhaustion_suite(void)
{
	Suite *suite = suite_create("exhaustion");
	TCase *exhaustion = daemon_tcase(suite, "exhaustion");

	tcase_add_test(exhaustion, programs_cost_the_daemon_no_descriptor);
	tcase_add_test(exhaustion, programs_cost_the_next_frontend_no_descriptor);
	tcase_add_test(exhaustion, out_of_descriptors_a_connection_is_refused_with_its_reason);
	tcase_add_test(exhaustion, out_of_descriptors_nothing_spins);
	tcase_add_test(exhaustion, out_of_descriptors_other_services_go_on);
	tcase_add_test(exhaustion, out_of_descriptors_a_reload_keeps_what_runs);
	tcase_add_test(exhaustion, idle_clients_of_one_service_leave_the_others_their_descriptors);
	tcase_add_test(exhaustion, programs_that_log_errors_leave_the_monitor_descriptors);
	tcase_add_test(exhaustion, errors_in_the_log_cost_only_programs_descriptors);
	tcase_add_test(exhaustion, a_burst_of_launches_leaves_the_frontend_alone);
	tcase_add_loop_test(exhaustion, what_programs_leave_open_is_counted, 0,
			    sizeof leftovers / sizeof leftovers[0]);
	tcase_add_test(exhaustion, out_of_descriptors_signals_are_obeyed);
	tcase_add_test(exhaustion, a_service_alone_may_have_nearly_all_descriptors);
	tcase_add_test(exhaustion,
		       sockets_that_the_limit_does_not_allow_are_named_and_the_others_serve);
	if (is_superuser()) {
		tcase_add_test(exhaustion,
			       out_of_processes_a_connection_is_refused_with_its_reason);
		tcase_add_test(exhaustion, without_a_thread_a_launch_is_tried_again);
	}
	tcase_add_test(exhaustion, no_zombie_remains);
	tcase_add_test(exhaustion, an_idle_daemon_is_idle);
	tcase_add_test(exhaustion, a_program_that_never_reads_spins_nothing);
	tcase_add_test(exhaustion, a_program_that_cannot_run_spins_nothing);
	return suite;
}
