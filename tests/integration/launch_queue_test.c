/* Between a connection and its program: an exec that hangs, other programs that wait to
 * be started, the memory of the child. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/own_etc.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LAUNCH_DEADLINE_MS = 10000, HANG_MS = LAUNCH_DEADLINE_MS + DEADLINE_MS };

static int lease; /* on the hanging program */

/* A program whose exec hangs until the test gives up its lease on it; the kernel ends the
 * lease after /proc/sys/fs/lease-break-time seconds. */
static const char *hanging_program(const char *name)
{
	const char *path = place_script(name, "exec cat\n");

	signal(SIGIO, SIG_IGN);
	lease = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(lease, 0);
	ck_assert_int_eq(fcntl(lease, F_SETLEASE, F_WRLCK), 0);
	return path;
}

static void let_program_go(void)
{
	ck_assert_int_eq(fcntl(lease, F_SETLEASE, F_UNLCK), 0);
	close(lease);
}

static void wait_long_for_end(int fd)
{
	struct deadline deadline = deadline_in(HANG_MS);

	while (client_hears_nothing(fd))
		deadline_pause(&deadline, "the end of the connection", __FILE__, __LINE__);
	client_expect_end(fd);
}

START_TEST(a_program_that_never_comes_to_its_exec_is_given_up)
{
	int port = add_service("zzhangs", "server = %s\n%s", hanging_program("hangs"),
			       log_everything());
	int good = add_service("zzgood", HELLO), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	wait_long_for_end(fd);
	service_wait_log(LOG_TIME "FAIL: zzhangs exec from=127\\.0\\.0\\.1$");
	daemon_wait_log("ERROR: service zzhangs: exec .*/hangs: took too long");
	ck_assert_str_eq(ask(good, ""), "hello\n");
	wait_until(process_zombies(daemon_pid()) == 0);
}
END_TEST

static bool has_taken(int number)
{
	unsigned long pending = strtoul(process_status(daemon_pid(), "ShdPnd"), NULL, 16);

	return !(pending & 1UL << (number - 1));
}

/* Nor can a frontend that is stopped say that its session is to end. */
START_TEST(a_program_that_starts_while_the_daemon_ends_is_ended)
{
	int port = add_service("zzhangs", "server = %s\n", hanging_program("hangs")), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	wait_until(process_children(daemon_pid()) == 1);
	ck_assert_int_eq(kill(process_frontend(daemon_pid()), SIGSTOP), 0);
	daemon_signal(SIGTERM);
	wait_until(has_taken(SIGTERM));
	let_program_go();
	ck_assert_int_eq(daemon_wait_end(), 0);
	client_expect_end(fd);
}
END_TEST

/* They would fill the monitor, which has a descriptor for each. */
START_TEST(clients_beyond_those_that_are_being_started_wait_in_the_kernel)
{
	enum { CLIENTS = 700, LAUNCHES_MAX = 512, SLACK = 80 }; /* and others' shares */
	int port = add_service("zzhangs", "server = %s\ncps = 0 0\n", hanging_program("hangs"));
	int good = add_service("zzgood", HELLO);
	unsigned before;

	daemon_start();
	ck_assert_str_eq(ask(good, ""), "hello\n");
	before = process_descriptors(daemon_pid());
	for (int i = 0; i < CLIENTS; i++)
		client_connect(NULL, port);
	wait_until(process_descriptors(daemon_pid()) > before + LAUNCHES_MAX - SLACK);
	ck_assert_str_eq(ask(good, ""), "hello\n");
	ck_assert_uint_lt(process_descriptors(daemon_pid()), before + LAUNCHES_MAX + SLACK);
	let_program_go();
}
END_TEST

/* --- shares --- */

enum { CROWD = 40, SOME_USER = 54321, OTHER_USER = 54322 };

static const struct {
	const char *title;
	int hanging, other; /* users */
} shares[] = {
	{ "another user's service", SOME_USER, OTHER_USER },
	{ "another service of the same user", SOME_USER, SOME_USER },
	{ "another service of the daemon's user", 0, 0 },
};

/* Only root can set another user. */
static const char *user_line(int user)
{
	return is_superuser() ? textf("user = %d\n", user) : "";
}

/* LeakSanitizer stops all threads at the end. A thread that waits for an exec can't stop
 * before the lease ends. */
static void start_without_leak_sanitizer(void)
{
	daemon_start_with(&(struct daemon_options){ .environment = without_leak_sanitizer });
}

START_TEST(programs_that_hang_stop_no_other_service)
{
	int port = add_service("zzhangs", "server = %s\ncps = 0 0\n%s", hanging_program("hangs"),
			       user_line(shares[_i].hanging));
	int good = add_service("zzgood", HELLO "%s", user_line(shares[_i].other));
	int fds[CROWD];

	start_without_leak_sanitizer();
	for (int i = 0; i < CROWD; i++)
		fds[i] = client_connect(NULL, port);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(strcmp(ask(good, ""), "hello\n") == 0, "%s", shares[_i].title);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	daemon_signal(SIGTERM);
	daemon_signal(SIGTERM);
	daemon_wait_end();
}
END_TEST

/* --- the memory of what is being started --- */

/* Only the daemon sees the test's value of fs.suid_dumpable. */
static void have_own_suid_dumpable(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(place_path("suid_dumpable"), "/proc/sys/fs/suid_dumpable", NULL, MS_BIND, NULL) <
		    0)
		_exit(126);
}

static void start_with_suid_dumpable(const char *value)
{
	place_write("suid_dumpable", "%s\n", value);
	daemon_start_with(&(struct daemon_options){ .prepare = have_own_suid_dumpable });
}

static bool shares_memory(pid_t one, pid_t other)
{
	return syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0;
}

static bool can_compare_memory(void)
{
	return shares_memory(getpid(), getpid());
}

static const struct {
	const char *value, *user;
	bool shares;
} memories[] = {
	{ "0", "nobody", true },
	{ "1", "nobody", false },
	{ "2", "nobody", true },
	{ "1", "root", true }, /* root may attach to every process anyway */
};

START_TEST(a_child_that_its_user_could_attach_to_has_its_own_memory)
{
	int port = add_service("zzhangs", "user = %s\nserver = %s\n", memories[_i].user,
			       hanging_program("hangs")),
	    fd;
	pid_t child;

	start_with_suid_dumpable(memories[_i].value);
	fd = client_connect(NULL, port);
	wait_until((child = process_child(daemon_pid())) != 0);
	ck_assert_int_eq(shares_memory(daemon_pid(), child), memories[_i].shares);
	kill(child, SIGKILL);
	client_expect_end(fd);
}
END_TEST

START_TEST(a_child_with_its_own_memory_starts_programs)
{
	int port = add_service("zzid", "user = nobody\nserver = /usr/bin/id\nserver_args = -u");
	int broken;

	place_write("broken", "#!/no/such/interpreter\n");
	ck_assert_int_eq(chmod(place_path("broken"), 0755), 0);
	broken = add_service("zzbroken", "user = nobody\nserver = %s", place_path("broken"));
	start_with_suid_dumpable("1");
	ck_assert_str_eq(ask(port, ""), textf("%d\n", (int)getpwnam("nobody")->pw_uid));
	ck_assert_str_eq(ask(broken, ""), "");
	daemon_wait_log("ERROR: service zzbroken: exec .*broken: No such file or directory");
}
END_TEST

/* --- name services --- */

/* Opening the file of groups waits until let_groups_go. */
static void hang_groups(void)
{
	ck_assert_int_eq(rename("/etc/group", "/etc/group.file"), 0);
	ck_assert_int_eq(mkfifo("/etc/group", 0644), 0);
}

static void let_groups_go(void)
{
	int fd;

	ck_assert_int_eq(rename("/etc/group", "/etc/group.hangs"), 0);
	ck_assert_int_eq(rename("/etc/group.file", "/etc/group"), 0);
	fd = open("/etc/group.hangs", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(a_name_service_that_hangs_stops_only_who_needs_it)
{
	int port, good, fds[CROWD];

	own_etc_furnish();
	port = add_service("zzgroups", HELLO "groups = yes\ncps = 0 0\n%s", log_everything());
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	hang_groups();
	for (int i = 0; i < CROWD; i++)
		fds[i] = client_connect(NULL, port);
	ck_assert_str_eq(ask(good, ""), "hello\n");
	wait_long_for_end(fds[0]);
	daemon_wait_log("ERROR: service zzgroups: groups /bin/echo: took too long");
	service_wait_log(LOG_TIME "FAIL: zzgroups exec from=127\\.0\\.0\\.1$");
	let_groups_go();
	ck_assert_str_eq(client_read_all(fds[CROWD - 1]).data, "hello\n");
	for (int i = 1; i < CROWD; i++)
		close(fds[i]);
}
END_TEST

Suite *launch_queue_suite(void);

Suite *launch_queue_suite(void)
{
	Suite *suite = suite_create("launch_queue");
	TCase *deadline = daemon_tcase(suite, "deadline");
	TCase *queue = daemon_tcase(suite, "queue");
	TCase *memory = daemon_tcase(suite, "memory");
	TCase *names = daemon_tcase(suite, "names");

	tcase_add_test(deadline, a_program_that_never_comes_to_its_exec_is_given_up);
	tcase_add_test(deadline, a_program_that_starts_while_the_daemon_ends_is_ended);
	tcase_add_test(queue, clients_beyond_those_that_are_being_started_wait_in_the_kernel);
	tcase_add_loop_test(queue, programs_that_hang_stop_no_other_service, 0,
			    sizeof shares / sizeof shares[0]);
	if (is_superuser() && can_compare_memory())
		tcase_add_loop_test(memory,
				    a_child_that_its_user_could_attach_to_has_its_own_memory, 0,
				    sizeof memories / sizeof memories[0]);
	if (is_superuser())
		tcase_add_test(memory, a_child_with_its_own_memory_starts_programs);
	if (is_superuser() && own_etc_is_allowed())
		tcase_add_test(names, a_name_service_that_hangs_stops_only_who_needs_it);
	return suite;
}
