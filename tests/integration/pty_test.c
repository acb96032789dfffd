/* pty: programs that have a terminal in place of the connection. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* A shell, whose command must not hold the word's quotes. */
#define SHELL(command) "server = /bin/sh\nserver_args = -c \"" command "\"\n"
#define PTY "pty = yes\n"

static const char *const kinds[] = { "pty = yes\n", "pty = eof\n" };

static const char *everything(void)
{
	return textf("%slog_on_success += REASON TRAFFIC\n", log_everything());
}

static void expect_order(int fd)
{
	int error = client_end(fd);

	ck_assert_msg(error == 0, "the end was no order: %s", strerror(error));
	close(fd);
}

/* --- what a program has ----------------------------------------------------------------- */

START_TEST(it_has_a_terminal)
{
	int port = add_service("zztty",
			       SHELL("for i in 0 1 2; do [ -t $i ] && echo -n $i' '; done; "
				     "stty size <&1; stat -L -c %%u:%%a /proc/self/fd/1; "
				     "echo through >/dev/tty") "%s",
			       kinds[_i]);
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, textf("0 1 2 24 80\n%u:600\nthrough\n", (unsigned)geteuid()));
	expect_order(fd);
}
END_TEST

START_TEST(its_prompt_comes_before_it_reads)
{
	int port = add_service("zzname", "server = %s\n%s", place_program("terminal"), kinds[_i]);
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "name: ");
	client_send(fd, "Ada\n");
	client_expect(fd, "hello Ada\nmore: ");
	client_send(fd, "\n");
	expect_order(fd);
}
END_TEST

START_TEST(its_errors_may_go_to_the_log)
{
	int port = add_service("zzerr", SHELL("[ -t 2 ] || echo wrong >&2; echo right") PTY
			       "stderr = log\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "right\n");
	daemon_wait_log("service zzerr: stderr: wrong$");
}
END_TEST

/* --- what passes -------------------------------------------------------------------------- */

enum { MUCH = 4 << 20 };

/* Every byte, a line longer than a terminal's buffer, and what looks random. */
static struct bytes data_of(size_t length)
{
	enum { ALL = 512, LINE = 100000 };
	struct bytes data = { keep(malloc(length + 1)), length };
	unsigned state = 1;

	memset(data.data, 'x', ALL + LINE);
	for (size_t i = 0; i < ALL; i++)
		data.data[i] = (char)i;
	for (size_t i = ALL + LINE; i < length; i++) {
		state = state * 1103515245 + 12345;
		data.data[i] = (char)(state >> 16);
	}
	return data;
}

/* In a process of its own, while the answer is read. */
static pid_t send_beside(int fd, struct bytes data)
{
	pid_t pid = fork();

	if (pid == 0) {
		client_send_bytes(fd, data.data, data.length);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

START_TEST(bytes_pass_unchanged)
{
	int port = add_service("zzcat", CAT "%s%s", kinds[_i], everything()), fd, status;
	struct bytes data = data_of(MUCH);
	pid_t sender;

	daemon_start();
	fd = client_connect(NULL, port);
	sender = send_beside(fd, data);
	client_expect_bytes(fd, data.data, data.length);
	ck_assert_int_eq(waitpid(sender, &status, 0), sender);
	ck_assert_int_eq(status, 0);
	client_reset(fd);
	service_wait_log("TRAFFIC: zzcat in=%d\\(bytes\\) out=%d\\(bytes\\)$", MUCH, MUCH);
}
END_TEST

/* Of its processes, the one that has a name. */
static long frontend_kib(void)
{
	return strtol(process_status(process_frontend(daemon_pid()), "VmRSS"), NULL, 10);
}

/* It does nothing for some time. */
static bool rests(pid_t pid)
{
	long before = process_cpu_ms(pid);

	for (int i = 0; i < 10; i++)
		if (usleep(10000) < 0 || process_cpu_ms(pid) != before || process_state(pid) != 'S')
			return false;
	return true;
}

enum { GROWS_KIB = 4096 };

START_TEST(a_client_that_does_not_read_stops_it)
{
	int port = add_service("zzyes", "server = /usr/bin/yes\n" PTY);
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd;
	struct bytes much;
	size_t wrong = 0;
	long before;

	daemon_start();
	ck_assert_str_eq(ask(echo, "x"), "x");
	before = frontend_kib();
	fd = client_connect(NULL, port);
	wait_until(process_child(daemon_pid()) > 0);
	wait_until(rests(process_child(daemon_pid())));
	ck_assert_int_lt(frontend_kib(), before + GROWS_KIB);
	ck_assert_str_eq(ask(echo, "lives"), "lives");
	much = client_read(fd, 2 * MUCH);
	for (size_t i = 0; i < much.length; i += 2)
		wrong += memcmp(much.data + i, "y\n", 2) != 0;
	ck_assert_uint_eq(wrong, 0);
	close(fd);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

/* Sends until it would have to wait for a fifth of a second. */
static size_t send_until_full(int fd)
{
	static char zeros[65536];
	struct timeval wait = { .tv_usec = 200000 };
	size_t sent = 0;
	ssize_t length;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
	while ((length = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL)) > 0)
		sent += (size_t)length;
	ck_assert_int_eq(errno, EAGAIN);
	return sent;
}

START_TEST(a_program_that_does_not_read_stops_the_client)
{
	int port = add_service("zzdeaf", SHELL("echo up; exec sleep 1000") "%s", kinds[_i]), fd;
	long before;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "up\n");
	before = frontend_kib();
	ck_assert_uint_lt(send_until_full(fd), 64 << 20);
	ck_assert_int_lt(frontend_kib(), before + GROWS_KIB);
	daemon_check_calm(fd);
	client_reset(fd);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

/* --- the client's end --------------------------------------------------------------------- */

/* Two processes of the foreground group say what they are told. */
static int add_listening_group(void)
{
	return add_service("zzhup",
			   SHELL("cd %s; say() { echo $1 >>heard; exit 0; }; "
				 "(trap 'say child' HUP; while :; do echo c; sleep 0.05; done) & "
				 "trap 'say leader' HUP; while :; do echo l; sleep 0.05; done") PTY
			   "%s",
			   place_path(""), everything());
}

static int hear_both(int port)
{
	int fd = client_connect(NULL, port);
	bool child = false, leader = false;

	while (!child || !leader) {
		const char *line = client_read_line(fd);

		child |= strcmp(line, "c") == 0;
		leader |= strcmp(line, "l") == 0;
	}
	return fd;
}

static void wait_until_both_heard(void)
{
	wait_until(text_matches(place_read("heard"), "^child$") &&
		   text_matches(place_read("heard"), "^leader$"));
}

/* By a reset, or because nobody takes what is sent. */
START_TEST(its_group_is_hung_up_when_the_client_leaves)
{
	int port = add_listening_group(), fd;

	daemon_start();
	fd = hear_both(port);
	if (_i == 0)
		client_reset(fd);
	else
		close(fd);
	wait_until_both_heard();
	service_wait_log("EXIT: zzhup status=0 .* reason=exit$");
}
END_TEST

/* The terminal is lost with the process that had its other end. */
START_TEST(so_it_is_when_the_frontend_ends)
{
	int port = add_listening_group(), fd;
	pid_t before;

	daemon_start();
	fd = hear_both(port);
	before = process_frontend(daemon_pid());
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	wait_until_both_heard();
	wait_until(process_frontend(daemon_pid()) > 0 && process_frontend(daemon_pid()) != before);
	close(fd);
	fd = hear_both(port);
	close(fd);
	service_wait_lines(2, "EXIT: zzhup");
}
END_TEST

START_TEST(it_sees_no_end_of_input)
{
	int port = add_service("zzcat", CAT PTY), fd;

	daemon_start();
	fd = client_hold(port);
	client_finish_sending(fd);
	ck_assert(client_hears_nothing(fd));
	daemon_check_calm(fd);
	close(fd);
}
END_TEST

START_TEST(unless_that_is_asked_for)
{
	int port = add_service("zzwc", SHELL("echo up; wc -c; exec cat") "pty = eof\n"), fd;
	int cat = add_service("zzcat", CAT "pty = eof\n");
	struct bytes data = data_of(300000);

	daemon_start();
	fd = client_hold(cat);
	client_finish_sending(fd);
	expect_order(fd);
	fd = client_connect(NULL, port);
	client_expect(fd, "up\n");
	client_send_bytes(fd, data.data, data.length);
	client_finish_sending(fd);
	client_expect(fd, "300000\n");
	expect_order(fd);
}
END_TEST

START_TEST(an_end_of_sending_ends_it_when_asked)
{
	int port = add_service("zzcat", CAT PTY "kill_on_disconnect = fin\n%s", everything()), fd;

	daemon_start();
	fd = client_hold(port);
	client_finish_sending(fd);
	expect_order(fd);
	service_wait_log("EXIT: zzcat signal=15 .* reason=disconnect$");
}
END_TEST

/* --- the program's end ------------------------------------------------------------------- */

START_TEST(what_it_wrote_last_arrives)
{
	int port = add_service("zzhead", SHELL("head -c 60000 /dev/zero") PTY "%s", everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, "never read");
	service_wait_log("EXIT: zzhead status=0");
	client_send(fd, "never read");
	ck_assert_uint_eq(client_read(fd, 60000).length, 60000);
	expect_order(fd);
}
END_TEST

/* A client with little room, so that no more fits when the program has ended. */
static int connect_narrowly(int port)
{
	struct endpoint there = endpoint_of(NULL, port);
	int size = 1, fd = socket(there.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&there.address, there.length), 0);
	return fd;
}

/* A program that has to wait for its client, which has read nothing, ends. */
static int end_blocked(int port)
{
	int fd = connect_narrowly(port);
	pid_t program;

	wait_until((program = process_child(daemon_pid())) > 0);
	wait_until(rests(program) && rests(process_frontend(daemon_pid())));
	ck_assert_int_eq(kill(program, SIGTERM), 0);
	service_wait_log("EXIT: zzyes signal=15 .* reason=exit$");
	return fd;
}

/* Otherwise it is refused. */
static bool is_served(int port, int *fd)
{
	struct pollfd answer = { .events = POLLIN };
	char byte;

	*fd = answer.fd = client_connect(NULL, port);
	if (poll(&answer, 1, DEADLINE_MS) == 1 && recv(*fd, &byte, 1, 0) == 1)
		return true;
	close(*fd);
	return false;
}

#define YES "server = /usr/bin/yes\n"

START_TEST(so_does_what_the_client_has_no_room_for)
{
	int port = add_service("zzyes", YES PTY "%s", everything()), fd;
	struct bytes all;

	daemon_start();
	fd = end_blocked(port);
	all = client_read_all(fd);
	ck_assert_uint_gt(all.length, 65536);
	ck_assert_int_eq(client_end(fd), 0);
	daemon_stop();
	ck_assert(text_matches(service_log(),
			       textf("TRAFFIC: zzyes in=0\\(bytes\\) out=%zu\\(bytes\\)$",
				     all.length)));
}
END_TEST

/* Then what it got is no whole answer. Until then it counts. */
START_TEST(a_client_that_never_reads_is_cut_off)
{
	int port = add_service("zzyes", YES PTY "lingering_close = 1\ninstances = 1\n%s",
			       everything());
	int fd, next;

	daemon_start();
	fd = end_blocked(port);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzyes service_limit");
	wait_until(is_served(port, &next));
	close(next);
	client_read_all(fd);
	close(fd);
}
END_TEST

/* Only its program is waited for. */
START_TEST(who_it_leaves_behind_is_not_waited_for)
{
	int port =
		add_service("zzleave", SHELL("(trap '' HUP; exec sleep 1000) & echo bye") PTY "%s",
			    everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "bye\n");
	expect_order(fd);
	service_wait_log("EXIT: zzleave status=0 .* reason=exit$");
}
END_TEST

/* It is not hung up for that. */
START_TEST(it_may_close_its_terminal)
{
	int port = add_service("zzbye", SHELL("echo bye; exec sleep 1000 <&- >&- 2>&-") "%s%s",
			       kinds[_i], everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "bye\n");
	expect_order(fd);
	ck_assert(process_runs(process_child(daemon_pid())));
	daemon_stop();
	ck_assert(text_matches(service_log(), "EXIT: zzbye signal=15 .* reason=stop$"));
}
END_TEST

START_TEST(it_may_close_its_output_alone)
{
	int port = add_service("zzsave",
			       SHELL("echo on; exec >/dev/null 2>&1; cat >%s") "pty = eof\n%s",
			       place_path("saved"), everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "on\n");
	client_send(fd, "saved");
	client_finish_sending(fd);
	service_wait_log("EXIT: zzsave status=0 .* reason=exit$");
	ck_assert_str_eq(place_read("saved"), "saved");
	expect_order(fd);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------- */

START_TEST(it_is_ended_like_any_other)
{
	int longest = add_service("zzlong", CAT PTY "max_runtime = 1\n%s", everything()), first;
	int idle = add_service("zzidle", CAT PTY "idle_timeout = 1\n%s", everything()), second;

	daemon_start();
	first = client_hold(longest);
	second = client_hold(idle);
	expect_order(first);
	expect_order(second);
	service_wait_log("EXIT: zzlong signal=15 .* reason=max_runtime$");
	service_wait_log("EXIT: zzidle signal=15 .* reason=idle_timeout$");
}
END_TEST

/* Of the kernel. */
static bool is_in(pid_t pid, const char *function)
{
	return text_matches(file_read(textf("/proc/%d/wchan", (int)pid)), function);
}

/* Closing the other end of its terminal waits for it. Where the kernel has no such memory, there is
 * nothing to see. */
START_TEST(one_that_never_finishes_reading_stops_nobody)
{
	int port = add_service("zzstuck", "server = %s\nserver_args = stuck\n" PTY,
			       place_program("terminal"));
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	if (strcmp(client_read_line(fd), "ready") != 0) {
		close(fd);
		return;
	}
	client_send(fd, "x");
	wait_until(is_in(process_child(daemon_pid()), "userfault"));
	client_reset(fd);
	for (int i = 0; i < 10; i++)
		ck_assert_str_eq(ask(echo, "lives"), "lives");
	wait_until(process_threads(process_frontend(daemon_pid())) > 1);
	ck_assert_str_eq(ask(echo, "lives"), "lives");
}
END_TEST

/* --- what the machine has ------------------------------------------------------------------ */

static void mount_on_pts(const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(type, "/dev/pts", type, 0, options) < 0)
		_exit(126);
}

static void have_one_terminal(void)
{
	mount_on_pts("devpts", "ptmxmode=666,max=1");
}

static void have_no_terminals(void)
{
	mount_on_pts("tmpfs", NULL);
}

static const char *standard_input(void)
{
	char target[64] = "";

	ck_assert(readlink(textf("/proc/%d/fd/0", (int)daemon_pid()), target, sizeof target - 1) >
		  0);
	return textf("%s", target);
}

/* Nothing else of the daemon is closed then: it goes on with the descriptors that it had. */
START_TEST(without_a_terminal_it_is_not_started)
{
	int port = add_service("zzcat", CAT PTY "processes_at_exit = kill\n%s", everything());
	int first, second;
	const char *input;

	daemon_start_with(&(struct daemon_options){ .prepare = have_one_terminal });
	input = standard_input();
	first = client_hold(port);
	second = client_connect(NULL, port);
	client_expect_end(second);
	service_wait_log("FAIL: zzcat");
	daemon_wait_log("pty /bin/cat: No space left on device");
	ck_assert_str_eq(standard_input(), input);
	client_reset(first);
	service_wait_log("EXIT: zzcat");
	close(client_hold(port));
}
END_TEST

START_TEST(without_ptmx_its_service_is_not)
{
	int port = add_service("zzcat", CAT PTY);
	int other = add_service("zzhello", HELLO);

	daemon_start_with(&(struct daemon_options){ .prepare = have_no_terminals });
	ck_assert_str_eq(ask(other, ""), "hello\n");
	ck_assert(client_is_refused(NULL, port));
	daemon_wait_log("service zzcat: pty can't be kept here: no terminal can be made from "
			"/dev/ptmx: .*; mount devpts");
}
END_TEST

static bool has_terminals(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master >= 0)
		close(master);
	return master >= 0;
}

Suite *pty_suite(void)
{
	Suite *suite = suite_create("pty");
	TCase *program = daemon_tcase(suite, "program");
	TCase *bytes = daemon_tcase(suite, "bytes");
	TCase *client = daemon_tcase(suite, "client");
	TCase *end = daemon_tcase(suite, "end");
	TCase *limits = daemon_tcase(suite, "limits");
	TCase *machine = daemon_tcase(suite, "machine");

	if (!has_terminals())
		return suite;
	tcase_add_loop_test(program, it_has_a_terminal, 0, 2);
	tcase_add_loop_test(program, its_prompt_comes_before_it_reads, 0, 2);
	tcase_add_test(program, its_errors_may_go_to_the_log);
	tcase_add_loop_test(bytes, bytes_pass_unchanged, 0, 2);
	tcase_add_test(bytes, a_client_that_does_not_read_stops_it);
	tcase_add_loop_test(bytes, a_program_that_does_not_read_stops_the_client, 0, 2);
	tcase_add_loop_test(client, its_group_is_hung_up_when_the_client_leaves, 0, 2);
	tcase_add_test(client, so_it_is_when_the_frontend_ends);
	tcase_add_test(client, it_sees_no_end_of_input);
	tcase_add_test(client, unless_that_is_asked_for);
	tcase_add_test(client, an_end_of_sending_ends_it_when_asked);
	tcase_add_test(end, what_it_wrote_last_arrives);
	tcase_add_test(end, so_does_what_the_client_has_no_room_for);
	tcase_add_test(end, a_client_that_never_reads_is_cut_off);
	tcase_add_test(end, who_it_leaves_behind_is_not_waited_for);
	tcase_add_loop_test(end, it_may_close_its_terminal, 0, 2);
	tcase_add_test(end, it_may_close_its_output_alone);
	tcase_add_test(limits, it_is_ended_like_any_other);
	tcase_add_test(limits, one_that_never_finishes_reading_stops_nobody);
	if (is_superuser()) {
		tcase_add_test(machine, without_a_terminal_it_is_not_started);
		tcase_add_test(machine, without_ptmx_its_service_is_not);
	}
	return suite;
}
