/* Descriptors that the daemon was started with, as logs. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/isolation.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOME_USER = 54321, PIPE_FD = 5, SOCKET_FD = 6, CLOSED_FD = 7, MANY = 40 };

static int pipe_ends[2], sockets[2];
static bool as_some_user;

static void take_streams(void)
{
	if (dup2(pipe_ends[1], PIPE_FD) < 0 || dup2(sockets[1], SOCKET_FD) < 0)
		_exit(126);
	close(CLOSED_FD);
	if (as_some_user && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

/* This end has them no longer: a stream ends with the daemon. */
static void start(void)
{
	daemon_start_with(&(struct daemon_options){ .prepare = take_streams });
	close(pipe_ends[1]);
	close(sockets[1]);
}

/* Out of the way of those that the daemon is to have. */
static void move_up(int ends[2])
{
	for (int i = 0; i < 2; i++) {
		int fd = fcntl(ends[i], F_DUPFD_CLOEXEC, 20);

		ck_assert_int_ge(fd, 0);
		close(ends[i]);
		ends[i] = fd;
	}
}

static void make_streams(bool for_some_user)
{
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	move_up(pipe_ends);
	move_up(sockets);
	ck_assert_int_ge(fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096), 0);
	as_some_user = for_some_user && is_superuser();
	if (as_some_user)
		ck_assert_int_eq(chown(place_path(""), SOME_USER, SOME_USER), 0);
}

static int add_logger(const char *name, const char *log)
{
	const char *user = as_some_user ? textf("%d", SOME_USER) : current_user();

	return add_service(name,
			   "type = INTERNAL UNLISTED\nuser = %s\ncps = 0 0\n"
			   "log_type = FILE %s\nlog_on_success = HOST\n",
			   user, log);
}

/* What is in the stream until so many lines of it match. */
static void expect_lines(int fd, unsigned count, const char *pattern)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	char buffer[4096];
	const char *all = "";

	while (text_count(all, pattern) < count) {
		ssize_t length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

		if (length < 0 && errno == ENOTSOCK && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
			length = read(fd, buffer, sizeof buffer);
		if (length > 0)
			all = textf("%s%.*s", all, (int)length, buffer);
		else
			deadline_pause(&deadline, textf("/%s/ in: %s", pattern, all), __FILE__,
				       __LINE__);
	}
}

/* As root and as a user who may not open what root has made. */
START_TEST(streams_are_logs)
{
	int port_pipe, port_socket;
	const char *pattern = LOG_TIME "START: .* from=127\\.0\\.0\\.1$";

	make_streams(_i);
	port_pipe = add_logger("time", "/dev/fd/5 1 1");
	port_socket = add_logger("daytime", "/proc/self/fd/6");
	start();
	ask(port_pipe, "");
	ask(port_socket, "");
	daemon_reload();
	ask(port_pipe, "");
	ask(port_socket, "");
	expect_lines(pipe_ends[0], 2, pattern);
	expect_lines(sockets[0], 2, pattern);
}
END_TEST

START_TEST(a_reader_that_is_gone_costs_lines_alone)
{
	int ports[3];

	make_streams(_i);
	ports[0] = add_logger("time", "/dev/fd/5");
	ports[1] = add_logger("daytime", "/dev/fd/6");
	ports[2] = add_logger("discard", "/dev/fd/7");
	start();
	close(pipe_ends[0]);
	close(sockets[0]);
	for (int i = 0; i < 3; i++) {
		ask(ports[i], "");
		ask(ports[i], "");
	}
	daemon_wait_log("log file /dev/fd/5: Broken pipe, lines are being lost$");
	daemon_wait_log("log file /dev/fd/6: Broken pipe, lines are being lost$");
	daemon_wait_log("log file /dev/fd/7: Bad file descriptor, lines are being lost$");
	daemon_reload();
	ask(ports[0], "");
	daemon_stop();
}
END_TEST

/* Its lines stay whole. */
START_TEST(a_reader_that_does_not_read_holds_up_nobody)
{
	int port, stream, one = 1;

	make_streams(_i & 1);
	stream = _i & 2 ? sockets[0] : pipe_ends[0];
	setsockopt(sockets[1], SOL_SOCKET, SO_SNDBUF, &one, sizeof one);
	port = add_logger("time", _i & 2 ? "/dev/fd/6" : "/dev/fd/5");
	start();
	for (int i = 0; i < 1000 && !text_matches(daemon_log(), "Resource temporarily"); i++)
		ask(port, "");
	daemon_wait_log("Resource temporarily unavailable, lines are being lost$");
	expect_lines(stream, 1, LOG_TIME "START: time from=127\\.0\\.0\\.1$");
	ask(port, "");
	daemon_wait_log("writing again, [0-9]+ lines? (was|were) lost$");
	expect_lines(stream, 1, LOG_TIME "START: time from=127\\.0\\.0\\.1$");
}
END_TEST

START_TEST(a_descriptor_that_is_not_kept_is_refused)
{
	make_streams(false);
	add_logger("time", "/dev/fd/10");
	add_logger("daytime", "/dev/fd/5");
	start();
	daemon_wait_log("service time: log file /dev/fd/10: only the descriptors 0 to 9");
}
END_TEST

START_TEST(the_daemon_logs_to_standard_output)
{
	static const char *const names[] = { "-", "/dev/stdout", "/proc/self/fd/1" };
	int port = add_service("zzcat", CAT "log_on_success = HOST");
	const char *const arguments[] = { "-dontfork", "-f",      configuration_path(),
					  "-filelog",  names[_i], NULL };

	configuration_write();
	daemon_launch_logging_to("daemon.out", arguments);
	ask(port, "");
	wait_until(text_matches(place_read("daemon.out"),
				LOG_TIME "START: zzcat from=127\\.0\\.0\\.1$") ||
		   text_matches(
			   place_read("daemon.out"),
			   "^[^ ]+ usherd\\[[0-9]+\\]: INFO: START: zzcat from=127\\.0\\.0\\.1$"));
	ck_assert_int_ne(access(place_path("-"), F_OK), 0);
}
END_TEST

/* --- process 1 --- */

static int have_processes(void)
{
	return isolation_unshare(CLONE_NEWPID);
}

/* How process 1 starts the daemon, whose arguments follow, and where its log must be then. */
static const struct {
	const char *start, *log;
} inits[] = {
	{ "$D & wait", "out" },        /* with its own standard output */
	{ "$D >other & wait", "out" }, /* with another one */
	{ "exec $D", "out" },          /* as process 1 */
};

START_TEST(what_process_1_has_is_a_log)
{
	add_service("zzcat", CAT);
	configuration_write();
	place_write("init", "D='%s -dontfork -f %s -filelog /proc/1/fd/1'\n%s\n", getenv("USHERD"),
		    configuration_path(), inits[_i].start);
	place_write("run",
		    "cd %s || exit 1\n"
		    "(unshare -f -p --kill-child --mount-proc sh init & echo $! >unshare; wait) | "
		    "cat >out &\n"
		    "i=0\n"
		    "until grep -q working out || [ $i = 80 ]; do sleep 0.1; i=$((i+1)); done\n"
		    "kill -9 $(cat unshare)\nwait\n",
		    place_path(""));
	ck_assert_int_eq(system(textf("sh %s", place_path("run"))), 0);
	ck_assert_msg(text_matches(place_read(inits[_i].log), "NOTICE: Started working"),
		      "out: %s other: %s", place_read("out"), place_read("other"));
	ck_assert(!text_matches(place_read("other"), "working"));
}
END_TEST

Suite *log_streams_suite(void)
{
	Suite *suite = suite_create("log_streams");
	TCase *tcase = daemon_tcase(suite, "log_streams");

	tcase_add_loop_test(tcase, streams_are_logs, 0, 2);
	tcase_add_loop_test(tcase, a_reader_that_is_gone_costs_lines_alone, 0, 2);
	tcase_add_loop_test(tcase, a_reader_that_does_not_read_holds_up_nobody, 0, 4);
	tcase_add_test(tcase, a_descriptor_that_is_not_kept_is_refused);
	tcase_add_loop_test(tcase, the_daemon_logs_to_standard_output, 0, 3);
	if (is_superuser() && isolation_is_allowed(have_processes))
		tcase_add_loop_test(tcase, what_process_1_has_is_a_log, 0,
				    sizeof inits / sizeof inits[0]);
	return suite;
}
