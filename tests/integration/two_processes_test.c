/* The monitor, which is the daemon's process, and the frontend, its child: their
 * privileges, and what happens when one of them dies. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SOME_USER = 54321,
	STABLE_MS = 1000, /* a frontend that dies earlier has died too soon */
	FIRST_UID = 61184,
	LAST_UID = 65519, /* of frontends when there is no _usherd */
};

/* Sanitizers catch faults themselves. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CRASH = SIGSYS };
#define CRASH_TEXT "31 \\(Bad system call\\)"
#else
enum { CRASH = SIGSEGV };
#define CRASH_TEXT "11 \\(Segmentation fault\\)"
#endif

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

static bool there_is_another_than(pid_t before)
{
	pid_t now = process_frontend(daemon_pid());

	return now > 0 && now != before;
}

static void crash_frontend(void)
{
	pid_t before = frontend();

	ck_assert_int_eq(kill(before, CRASH), 0);
	daemon_wait_log("the frontend \\(process %d\\) died of signal " CRASH_TEXT "$",
			(int)before);
	wait_until(there_is_another_than(before));
}

/* --- who they are ------------------------------------------------------------------ */

/* The real, effective, saved and file system ids are the same. */
static long id_of(pid_t pid, const char *name)
{
	char *ids = process_status(pid, name);
	long id = strtol(ids, NULL, 10);

	ck_assert_str_eq(ids, textf("%ld\t%ld\t%ld\t%ld", id, id, id, id));
	return id;
}

static long uid_of(pid_t pid)
{
	return id_of(pid, "Uid");
}

static void check_status(pid_t pid, const char *name, const char *value)
{
	ck_assert_msg(strcmp(process_status(pid, name), value) == 0, "%s is %s", name,
		      process_status(pid, name));
}

/* The files in /proc of a process that is not dumpable belong to root. */
static void check_fence(pid_t pid)
{
	struct stat status;

	check_status(pid, "CapInh", "0000000000000000");
	check_status(pid, "CapPrm", "0000000000000000");
	check_status(pid, "CapEff", "0000000000000000");
	check_status(pid, "CapAmb", "0000000000000000");
	check_status(pid, "NoNewPrivs", "1");
	check_status(pid, "Seccomp", "2");
	ck_assert_int_eq(stat(textf("/proc/%d/mem", (int)pid), &status), 0);
	ck_assert_uint_eq(status.st_uid, 0);
}

START_TEST(the_frontend_has_no_rights_and_the_monitor_keeps_them)
{
	const struct passwd *own = getpwnam("_usherd");
	long uid, gid;

	add_service("zzcat", CAT);
	daemon_start();
	uid = uid_of(frontend());
	gid = id_of(frontend(), "Gid");
	if (own)
		ck_assert(uid == own->pw_uid && gid == own->pw_gid);
	else
		ck_assert(uid >= FIRST_UID && uid <= LAST_UID && !getpwuid((uid_t)uid) &&
			  gid == uid && !getgrgid((gid_t)gid));
	check_fence(frontend());
	check_status(frontend(), "CapBnd", "0000000000000000");
	check_status(frontend(), "Groups", "");
	ck_assert_int_eq(uid_of(daemon_pid()), 0);
	ck_assert_int_eq(id_of(daemon_pid(), "Gid"), 0);
	ck_assert_str_ne(process_status(daemon_pid(), "CapEff"), "0000000000000000");
	check_status(daemon_pid(), "CapAmb", "0000000000000000");
	check_status(daemon_pid(), "NoNewPrivs", "0");
	check_status(daemon_pid(), "Seccomp", "0");
}
END_TEST

static void become_some_user(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

START_TEST(without_root_both_run_as_who_started_them)
{
	int user = is_superuser() ? SOME_USER : (int)geteuid();
	int port = add_service("zzcat", "user = %d\n" CAT, user);

	configure("daemon\n{\nuser = 61234\n}\n");
	if (is_superuser())
		ck_assert_int_eq(chown(place_path(""), SOME_USER, SOME_USER), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = become_some_user });
	ck_assert_int_eq(uid_of(daemon_pid()), user);
	ck_assert_int_eq(uid_of(frontend()), user);
	daemon_wait_log("usherd does not run as root, so the frontend runs as usherd's own user, "
			"not as 61234$");
	check_fence(frontend());
	ck_assert_str_eq(ask(port, "x"), "x");
}
END_TEST

/* --- a frontend that dies ----------------------------------------------------------- */

START_TEST(another_frontend_serves_on_the_same_sockets)
{
	int port = add_service("zzcat", CAT);
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n");
	char *before;

	daemon_start();
	before = listener_inode(port);
	crash_frontend();
	ck_assert_str_eq(ask(port, "x"), "x");
	ck_assert_str_eq(ask(echo, "y"), "y");
	ck_assert_str_eq(listener_inode(port), before);
}
END_TEST

static int pid_in_log(const char *service)
{
	const char *start = textf("START: %s pid=", service);

	service_wait_log("%s", start);
	return atoi(strstr(service_log(), start) + strlen(start));
}

START_TEST(programs_go_on_and_are_logged_when_they_end)
{
	int port = add_service("zzcat", CAT "%s", log_everything()), fd, pid;

	daemon_start();
	fd = client_hold(port);
	pid = pid_in_log("zzcat");
	crash_frontend();
	client_ping(fd);
	ck_assert(process_runs(pid));
	crash_frontend();
	client_ping(fd);
	client_finish_sending(fd);
	client_expect_end(fd);
	service_wait_log(LOG_TIME "EXIT: zzcat status=0 pid=%d duration=[0-9]+\\(sec\\)$", pid);
}
END_TEST

/* The frontend hears of none of these ends. */
START_TEST(programs_that_end_without_a_frontend_are_logged)
{
	enum { PROGRAMS = 5 };
	int port = add_service("zzcat", CAT "%s", log_everything()), fds[PROGRAMS];
	pid_t stopped;

	daemon_start();
	for (int i = 0; i < PROGRAMS; i++)
		fds[i] = client_hold(port);
	service_wait_lines(PROGRAMS, "START: zzcat");
	stopped = frontend();
	ck_assert_int_eq(kill(stopped, SIGSTOP), 0);
	for (int i = 1; i < PROGRAMS; i++)
		client_finish_sending(fds[i]);
	wait_until(process_children(daemon_pid()) == 1);
	ck_assert_int_eq(kill(stopped, SIGKILL), 0);
	wait_until(there_is_another_than(stopped));
	service_wait_lines(PROGRAMS - 1, "EXIT: zzcat status=0");
	client_ping(fds[0]);
	client_finish_sending(fds[0]);
	service_wait_lines(PROGRAMS, "EXIT: zzcat status=0");
	ck_assert_uint_eq(text_count(service_log(), "START: zzcat"), PROGRAMS);
}
END_TEST

static const struct {
	const char *limit, *word;
} limits[] = {
	{ "instances = 2\n", "service_limit" },
	{ "per_source = 2\n", "per_source_limit" },
};

START_TEST(programs_still_count)
{
	int port = add_service("zzcat", CAT "%s%s", limits[_i].limit, log_everything());
	int first, second;

	daemon_start();
	first = client_hold(port);
	crash_frontend();
	second = client_hold(port);
	ck_assert_str_eq(ask(port, "x"), "");
	service_wait_log(LOG_TIME "FAIL: zzcat %s from=127\\.0\\.0\\.1$", limits[_i].word);
	daemon_signal(SIGABRT);
	daemon_wait_log("Consistency check passed");
	client_finish_sending(first);
	client_expect_end(first);
	service_wait_log("EXIT: zzcat");
	client_ping(second);
	ck_assert_str_eq(ask(port, "x"), "x");
	client_finish_sending(second);
	client_expect_end(second);
	service_wait_lines(3, "EXIT: zzcat");
}
END_TEST

START_TEST(a_wait_server_keeps_its_socket)
{
	int port = add_service("zzwait", "wait = yes\nserver = %s\n%s",
			       place_program("wait_stream"), log_everything());
	int fd, pid;
	char *first;

	daemon_start();
	fd = client_connect(NULL, port);
	first = client_read_line(fd);
	pid = pid_in_log("zzwait");
	crash_frontend();
	client_ping(fd);
	client_send(fd, "next\n");
	client_expect_end(fd);
	fd = client_connect(NULL, port);
	ck_assert_str_eq(client_read_line(fd), first);
	client_send(fd, "quit\n");
	client_expect_end(fd);
	service_wait_log("EXIT: zzwait status=0 pid=%d duration=", pid);
	fd = client_connect(NULL, port);
	ck_assert_str_ne(client_read_line(fd), first);
	client_send(fd, "quit\n");
	client_expect_end(fd);
}
END_TEST

/* The client of a wait server that reads nothing stays in the socket's queue. A second
 * server is started for it when the first one has ended, and not before. */
static void expect_one_server_at_a_time(int hello)
{
	pid_t first = pid_in_log("zzwait");
	const char *log;

	ck_assert_str_eq(ask(hello, ""), "hello\n"); /* the new frontend serves */
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	service_wait_lines(2, "START: zzwait pid=");
	log = place_read("service.log");
	ck_assert_ptr_nonnull(strstr(log, "EXIT: zzwait"));
	ck_assert_msg(strstr(strstr(log, "EXIT: zzwait"), "START: zzwait"), "%s", log);
}

START_TEST(a_wait_server_that_reads_nothing_stays_alone)
{
	int port = add_service("zzwait", "wait = yes\nserver = %s\n%s",
			       place_script("holds", "exec sleep 60\n"), log_everything());
	int hello = add_service("zzhello", HELLO);

	daemon_start();
	client_connect(NULL, port);
	pid_in_log("zzwait");
	crash_frontend();
	expect_one_server_at_a_time(hello);
}
END_TEST

/* The exec waits for the lease that the test has on the program. */
START_TEST(a_wait_server_that_is_being_started_stays_alone)
{
	const char *program = place_script("holds", "exec sleep 60\n");
	int port = add_service("zzwait", "wait = yes\nserver = %s\n%s", program, log_everything());
	int hello = add_service("zzhello", HELLO), lease = open(program, O_RDONLY | O_CLOEXEC);

	signal(SIGIO, SIG_IGN);
	ck_assert_int_eq(fcntl(lease, F_SETLEASE, F_WRLCK), 0);
	daemon_start();
	client_connect(NULL, port);
	wait_until(process_children(daemon_pid()) == 1);
	crash_frontend();
	close(lease);
	expect_one_server_at_a_time(hello);
}
END_TEST

START_TEST(standard_error_still_reaches_the_log)
{
	int port = add_service("zzsays", "server = %s\nstderr = log\n%s",
			       place_script("says", "echo ready; read line; echo \"$line\" >&2\n"),
			       log_everything()),
	    fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "ready\n");
	crash_frontend();
	client_send(fd, "what went wrong\n");
	client_expect_end(fd);
	daemon_wait_log("zzsays.*what went wrong");
	service_wait_log("EXIT: zzsays status=0");
}
END_TEST

START_TEST(bans_stay_in_force)
{
	int trap = add_service("zztrap", "type = INTERNAL UNLISTED\nflags = SENSOR\n"
					 "deny_time = 5\n");
	int port = add_service("zzok", HELLO);

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", trap, "x"), "");
	daemon_wait_log("Adding 127\\.0\\.0\\.5 to the global_no_access list for 5 minutes");
	ck_assert_str_eq(ask(port, ""), "hello\n"); /* the monitor has read the ban before */
	crash_frontend();
	ck_assert_str_eq(ask_from("127.0.0.6", port, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "");
}
END_TEST

static void ping(int port)
{
	int fd = client_connect(NULL, port);

	client_ping(fd);
	close(fd);
}

START_TEST(the_monitor_has_no_more_descriptors_after_a_crash)
{
	int port = add_service("zzcat", CAT "%s", log_everything());
	unsigned before;

	daemon_start();
	ping(port);
	service_wait_lines(1, "EXIT: zzcat");
	before = process_descriptors(daemon_pid());
	crash_frontend();
	ping(port);
	service_wait_lines(2, "EXIT: zzcat");
	wait_until(process_descriptors(daemon_pid()) == before);
}
END_TEST

/* A connection that such a frontend has accepted but not served is lost. */
START_TEST(frontends_that_die_again_and_again_are_replaced_ever_more_rarely)
{
	int port = add_service("zzcat", CAT), fd;

	daemon_start();
	for (int delay = 100; delay <= 400; delay *= 2) {
		crash_frontend();
		daemon_wait_log("ERROR: .*frontends die again and again; the next one starts in "
				"%d ms, and clients wait until then",
				delay);
		ck_assert(port_is_served("tcp", port));
	}
	ck_assert_int_eq(kill(frontend(), CRASH), 0);
	wait_until(process_frontend(daemon_pid()) == 0);
	fd = client_connect(NULL, port);
	client_ping(fd);
	close(fd);
}
END_TEST

/* --- under load ----------------------------------------------------------------------- */

/* Each takes a second. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CRASHES = 4, CROWD = 4 };
#else
enum { CRASHES = 20, CROWD = 4 };
#endif

/* Connects again and again, until nobody reads its results. It writes one byte for each
 * connection: S if it was served, L if it was lost, errno if it could not be made. */
static void be_a_client(struct endpoint there, int results)
{
	struct timeval limit = { .tv_sec = DEADLINE_MS / 1000 };
	char byte;

	signal(SIGPIPE, SIG_DFL);
	for (;;) {
		int fd = socket(there.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		if (connect(fd, (struct sockaddr *)&there.address, there.length) < 0)
			byte = (char)errno;
		else
			byte = read(fd, &byte, 1) == 1 ? 'S' : 'L';
		close(fd);
		if (write(results, &byte, 1) < 0)
			_exit(0);
	}
}

static int start_clients(int port)
{
	struct endpoint there = endpoint_of(NULL, port);
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	for (int i = 0; i < CROWD; i++)
		if (fork() == 0) {
			close(ends[0]);
			be_a_client(there, ends[1]);
		}
	close(ends[1]);
	return ends[0];
}

/* Reads the clients' results until the frontend is stable and has served some. */
static void watch_clients(int results, pid_t pid)
{
	struct deadline stable = deadline_in(STABLE_MS + 100), all = deadline_in(DEADLINE_MS);
	unsigned served = 0;
	char byte;

	while (deadline_left(&stable) > 0 || served < 2 * CROWD) {
		ck_assert_msg(deadline_left(&all) > 0, "frontend %d does not serve", (int)pid);
		ck_assert_int_eq(read(results, &byte, 1), 1);
		ck_assert_msg(byte == 'S' || byte == 'L', "a connection can't be made: %s",
			      strerror(byte));
		served += byte == 'S';
	}
}

enum { PIDS_MAX = 1 << 22, STARTED = 1, ENDED = 2 };

/* A line that the frontend has written may come again when it dies just then. */
static bool each_start_has_its_end(const char *service)
{
	static unsigned char lines[PIDS_MAX];
	const char *start = textf("START: %s pid=", service);
	const char *end = textf("EXIT: %s status=0 pid=", service);
	unsigned differ = 0;

	memset(lines, 0, sizeof lines);
	for (const char *at = service_log(); (at = strstr(at, start)); at += strlen(start))
		lines[atoi(at + strlen(start)) % PIDS_MAX] |= STARTED;
	for (const char *at = service_log(); (at = strstr(at, end)); at += strlen(end))
		lines[atoi(at + strlen(end)) % PIDS_MAX] |= ENDED;
	for (size_t i = 0; i < PIDS_MAX; i++)
		differ += lines[i] == STARTED || lines[i] == ENDED;
	return differ == 0;
}

START_TEST(crashes_under_load_refuse_nobody)
{
	int port = add_service("zzhello", HELLO "cps = 0 0\n%s", log_everything());
	int held = add_service("zzcat", CAT "%s", log_everything()), fd, results, pid;

	daemon_start();
	fd = client_hold(held);
	pid = pid_in_log("zzcat");
	results = start_clients(port);
	watch_clients(results, frontend());
	for (int i = 0; i < CRASHES; i++) {
		crash_frontend();
		watch_clients(results, frontend());
	}
	close(results);
	client_ping(fd);
	client_finish_sending(fd);
	client_expect_end(fd);
	service_wait_log("EXIT: zzcat status=0 pid=%d duration=[0-9]+\\(sec\\)$", pid);
	ck_assert_uint_eq(text_count(daemon_log(), "not to be trusted|again and again"), 0);
	wait_until(process_children(daemon_pid()) == 0);
	wait_until(each_start_has_its_end("zzhello"));
}
END_TEST

/* --- a monitor that dies, and signals ---------------------------------------------------- */

START_TEST(without_its_monitor_a_frontend_ends)
{
	int port = add_service("zzcat", CAT);
	pid_t pid;

	daemon_start();
	pid = frontend();
	daemon_signal(SIGKILL);
	ck_assert(WIFSIGNALED(daemon_wait_end()));
	wait_until(!process_runs(pid));
	ck_assert(client_is_refused(NULL, port));
}
END_TEST

/* A stopped frontend can't see that the channel is closed. */
START_TEST(a_frontend_that_is_stopped_ends_with_its_monitor_too)
{
	int port = add_service("zzcat", CAT), fd;
	pid_t pid;

	daemon_start();
	fd = client_hold(port);
	pid = frontend();
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	wait_until(process_state(pid) == 'T');
	daemon_signal(SIGKILL);
	ck_assert(WIFSIGNALED(daemon_wait_end()));
	wait_until(!process_runs(pid));
	ck_assert(client_is_refused(NULL, port));
	client_ping(fd);
}
END_TEST

START_TEST(a_reload_without_a_frontend_is_carried_out_by_the_next_one)
{
	int port = add_service("zzcat", CAT), more;

	daemon_start();
	crash_frontend();
	ck_assert_str_eq(ask(port, "x"), "x");
	ck_assert_int_eq(kill(frontend(), CRASH), 0);
	more = add_service("zzmore", HELLO);
	daemon_reload();
	daemon_wait_log("Reconfigured: new=1 old=1 dropped=0");
	ck_assert_str_eq(ask(more, ""), "hello\n");
	ck_assert_str_eq(ask(port, "x"), "x");
}
END_TEST

START_TEST(a_frontend_that_is_stopped_does_not_keep_the_daemon_from_ending)
{
	int port = add_service("zzcat", CAT), fd, status;
	pid_t pid;

	daemon_start();
	fd = client_hold(port);
	pid = frontend();
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	daemon_signal(SIGTERM);
	status = daemon_wait_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	client_expect_end(fd);
	wait_until(!process_runs(pid));
}
END_TEST

START_TEST(a_frontend_that_is_stopped_does_not_keep_reports_from_being_written_later)
{
	struct deadline deadline = deadline_in(2 * DEADLINE_MS);

	configure("daemon\n{\nstatus_file = %s\n}\n", place_path("status"));
	add_service("zzcat", CAT);
	daemon_start();
	ck_assert_int_eq(kill(frontend(), SIGSTOP), 0);
	daemon_signal(SIGUSR1);
	while (!text_matches(daemon_log(), "can't write the state dump .*timed out"))
		deadline_pause(&deadline, "the end of the wait", __FILE__, __LINE__);
	ck_assert_str_eq(place_read("status"), "");
	ck_assert_int_eq(kill(frontend(), SIGCONT), 0);
	daemon_signal(SIGUSR1);
	daemon_wait_log("generated state dump in file");
	ck_assert(text_matches(place_read("status"), "zzcat"));
}
END_TEST

Suite *two_processes_suite(void);

Suite *two_processes_suite(void)
{
	Suite *suite = suite_create("two_processes");
	TCase *identity = daemon_tcase(suite, "identity");
	TCase *crash = daemon_tcase(suite, "crash");
	TCase *end = daemon_tcase(suite, "end");

	if (is_superuser())
		tcase_add_test(identity, the_frontend_has_no_rights_and_the_monitor_keeps_them);
	tcase_add_test(identity, without_root_both_run_as_who_started_them);
	tcase_add_test(crash, another_frontend_serves_on_the_same_sockets);
	tcase_add_test(crash, programs_go_on_and_are_logged_when_they_end);
	tcase_add_test(crash, programs_that_end_without_a_frontend_are_logged);
	tcase_add_loop_test(crash, programs_still_count, 0, sizeof limits / sizeof limits[0]);
	tcase_add_test(crash, a_wait_server_keeps_its_socket);
	tcase_add_test(crash, a_wait_server_that_reads_nothing_stays_alone);
	tcase_add_test(crash, a_wait_server_that_is_being_started_stays_alone);
	tcase_add_test(crash, standard_error_still_reaches_the_log);
	tcase_add_test(crash, bans_stay_in_force);
	tcase_add_test(crash, the_monitor_has_no_more_descriptors_after_a_crash);
	tcase_add_test(crash, frontends_that_die_again_and_again_are_replaced_ever_more_rarely);
	tcase_add_test(crash, crashes_under_load_refuse_nobody);
	tcase_add_test(end, without_its_monitor_a_frontend_ends);
	tcase_add_test(end, a_frontend_that_is_stopped_ends_with_its_monitor_too);
	tcase_add_test(end, a_reload_without_a_frontend_is_carried_out_by_the_next_one);
	tcase_add_test(end, a_frontend_that_is_stopped_does_not_keep_the_daemon_from_ending);
	tcase_add_test(end,
		       a_frontend_that_is_stopped_does_not_keep_reports_from_being_written_later);
	return suite;
}
