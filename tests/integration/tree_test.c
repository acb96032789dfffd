/* A session's processes end together: with its cgroup, and without one. Its limits. */
#include "base/cgroup_mounts.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/isolation.h"
#include "support/kernel.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOME_USER = 54321 };

/* --- where the daemon runs ------------------------------------------------------------ */

static int hide_cgroups(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	umount2("/sys/fs/cgroup", MNT_DETACH);
	return 0;
}

static void without_cgroups(void)
{
	if (hide_cgroups() < 0)
		_exit(126);
}

static void as_somebody(void)
{
	if (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0)
		_exit(126);
}

static const struct {
	void (*prepare)(void);
	uid_t user;
} places[] = { { NULL, 0 }, { without_cgroups, 0 }, { as_somebody, SOME_USER } };

enum { HERE, WITHOUT, SOMEBODY, PLACES };

/* The others need root's rights. */
static int place_count(void)
{
	if (!is_superuser())
		return 1;
	return isolation_is_allowed(hide_cgroups) ? PLACES : 1;
}

static const char *user_of(int place)
{
	return is_superuser() ? textf("user = %d\n", (int)places[place].user) : "";
}

static void start_at(int place)
{
	if (is_superuser())
		ck_assert_int_eq(chown(place_path(""), places[place].user, (gid_t)-1), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = places[place].prepare });
}

/* The daemon's own directory in a hierarchy. */
static const char *own_directory(const char *controller)
{
	char path[PATH_MAX];

	ck_assert(cgroup_mounts_own(controller, path));
	return textf("%s/usherd-%d", path, (int)daemon_pid());
}

static unsigned count_directories(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	while (directory && (entry = readdir(directory)))
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return count;
}

/* How many of the cgroups in it have a process. */
static unsigned count_populated(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	while (directory && (entry = readdir(directory)))
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			 strstr(file_read(textf("%s/%s/cgroup.events", path, entry->d_name)),
				"populated 1") != NULL;
	if (directory)
		closedir(directory);
	return count;
}

/* --- what sessions leave ---------------------------------------------------------------- */

/* Each writes its process id into the file. */
static const char *const leavings[] = {
	"sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >>%s\n",
	"setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >>%s\n",
	/* in another session, without a parent */
	"(setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >>%s)\n",
	/* the same, and ends only by SIGKILL */
	("(setsid sh -c 'trap \"\" TERM; echo $$ >>%s; while :; do sleep 1000; done' "
	 "</dev/null >/dev/null 2>&1 &)\n"),
};

enum { STUBBORN = sizeof leavings / sizeof leavings[0] - 1, LEAVINGS = STUBBORN };

/* A server that leaves a process, and then does the rest. */
static const char *leaving(int which, const char *rest)
{
	char text[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof text, leavings[which], place_path("left"));
#pragma GCC diagnostic pop
	place_write("left", "%s", "");
	ck_assert_int_eq(chmod(place_path("left"), 0666), 0);
	return place_script("leaves", "%swhile [ ! -s %s ]; do sleep 0.01; done\n%s\n", text,
			    place_path("left"), rest);
}

static pid_t left_process(void)
{
	pid_t pid;

	wait_until((pid = (pid_t)atoi(place_read("left"))) > 0);
	wait_until(process_runs(pid));
	return pid;
}

static const char *const kinds[] = { "", "processes_at_exit = keep\n",
				     "processes_at_exit = kill\n" };

enum { PLAIN, KEEP, KILL, KINDS };

static int place_of(int i)
{
	return i % PLACES;
}

static int leaving_of(int i)
{
	return i / PLACES % LEAVINGS;
}

static int kind_of(int i)
{
	return i / PLACES / LEAVINGS;
}

static bool is_possible(int place)
{
	return place < place_count();
}

/* --- the end of a session ----------------------------------------------------------------- */

START_TEST(ends_when_its_service_is_removed)
{
	int place = place_of(_i), port, held;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s%s", leaving(leaving_of(_i), "exec cat"),
			   user_of(place), kinds[kind_of(_i)], log_everything());
	start_at(place);
	held = client_hold(port);
	left = left_process();
	configuration_clear();
	add_service("zzother", CAT "%s", user_of(place));
	daemon_reload();
	client_expect_end(held);
	service_wait_log("EXIT: zzleaves signal=");
	wait_until(!process_runs(left));
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

/* Also when its service follows its processes, which is the second one. */
START_TEST(a_stubborn_process_is_killed)
{
	int place = _i / 2, port, other, held[2];
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzplain", "server = %s\nkill_timeout = 1\n%s",
			   leaving(STUBBORN, "exec cat"), user_of(place));
	other = add_service("zztracked", "server = %s\nkill_timeout = 1\n%s%s",
			    place_path("leaves"), user_of(place), kinds[KILL]);
	start_at(place);
	held[0] = client_hold(port);
	left = left_process();
	held[1] = client_hold(other);
	wait_until(text_count(place_read("left"), "^[0-9]+$") == 2);
	if (_i % 2) {
		daemon_stop();
		ck_assert(!process_runs(left));
	} else {
		configuration_clear();
		add_service("zzother", CAT "%s", user_of(place));
		daemon_reload();
		wait_until(process_children(daemon_pid()) == 0);
	}
	client_expect_end(held[0]);
	client_expect_end(held[1]);
}
END_TEST

START_TEST(ends_with_the_daemon)
{
	int place = place_of(_i), port, held;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s", leaving(leaving_of(_i), "exec cat"),
			   user_of(place), kinds[kind_of(_i)]);
	start_at(place);
	held = client_hold(port);
	left = left_process();
	daemon_stop();
	ck_assert(!process_runs(left));
	client_expect_end(held);
}
END_TEST

/* The main program is gone before; its process group is not, or it is. */
START_TEST(what_an_ended_session_left_ends_with_the_daemon)
{
	int place = place_of(_i), port;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s%s", leaving(leaving_of(_i), "exit 3"),
			   user_of(place), kinds[kind_of(_i)], log_everything());
	start_at(place);
	ask(port, "");
	left = left_process();
	if (kind_of(_i) == PLAIN)
		service_wait_log("EXIT: zzleaves status=3");
	daemon_stop();
	ck_assert(!process_runs(left));
	ck_assert(text_matches(service_log(), "EXIT: zzleaves status=3"));
}
END_TEST

START_TEST(what_an_ended_session_left_ends_when_the_service_is_removed)
{
	int place = _i, port;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s", leaving(0, "exit 0"), user_of(place),
			   log_everything());
	start_at(place);
	ask(port, "");
	left = left_process();
	service_wait_log("EXIT: zzleaves status=0");
	configuration_clear();
	add_service("zzother", CAT "%s", user_of(place));
	daemon_reload();
	wait_until(!process_runs(left));
}
END_TEST

START_TEST(is_left_when_the_removed_service_drains)
{
	int place = _i, port;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\non_remove = drain\n%s%s", leaving(0, "exit 0"),
			   user_of(place), log_everything());
	start_at(place);
	ask(port, "");
	left = left_process();
	service_wait_log("EXIT: zzleaves status=0");
	configuration_clear();
	add_service("zzother", CAT "%s", user_of(place));
	daemon_reload();
	daemon_reload();
	ck_assert(process_runs(left));
	daemon_stop();
	ck_assert(!process_runs(left));
}
END_TEST

START_TEST(is_left_by_sigquit)
{
	int place = place_of(_i), port, held, status;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s", leaving(1, "exec cat"), user_of(place),
			   kinds[_i / PLACES]);
	start_at(place);
	held = client_hold(port);
	left = left_process();
	daemon_signal(SIGQUIT);
	status = daemon_wait_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert(process_runs(left));
	client_ping(held);
	close(held);
	kill(left, SIGKILL);
}
END_TEST

/* --- processes_at_exit ---------------------------------------------------------------------- */

START_TEST(the_rest_is_killed_when_the_program_ends)
{
	int place = place_of(_i), port;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s%s", leaving(leaving_of(_i), "exit 7"),
			   user_of(place), kinds[KILL], log_everything());
	start_at(place);
	ask(port, "");
	wait_until((left = (pid_t)atoi(place_read("left"))) > 0);
	service_wait_log("EXIT: zzleaves status=7");
	ck_assert(!process_runs(left));
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

/* An orphan is known by the addresses in its environment, which are not the connection's. */
START_TEST(the_rest_is_killed_behind_a_balancer_too)
{
	int place = place_of(_i), port, fd;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves",
			   "server = %s\nproxy_protocol = v1\nproxy_from = 127.0.0.1\n%s%s%s",
			   leaving(2, "exit 7"), user_of(place), kinds[KILL], log_everything());
	start_at(place);
	fd = client_connect(NULL, port);
	client_send(fd, "PROXY TCP4 10.1.2.3 10.9.9.9 4000 80\r\n");
	client_expect_end(fd);
	wait_until((left = (pid_t)atoi(place_read("left"))) > 0);
	service_wait_log("EXIT: zzleaves status=7");
	wait_until(!process_runs(left));
}
END_TEST

/* A session counts until its last process is gone. */
START_TEST(the_rest_counts_as_the_session)
{
	int place = place_of(_i), port;
	pid_t left;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%s%sinstances = 1\n",
			   leaving(leaving_of(_i), "echo up; exit 7"), user_of(place), kinds[KEEP],
			   log_everything());
	start_at(place);
	ck_assert_str_eq(ask(port, ""), "up\n");
	left = left_process();
	wait_until(process_children(daemon_pid()) == 1);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzleaves service_limit");
	ck_assert(!text_matches(service_log(), "EXIT"));
	kill(left, SIGKILL);
	service_wait_log("EXIT: zzleaves status=7");
	ck_assert_str_eq(ask(port, ""), "up\n");
}
END_TEST

START_TEST(the_rest_of_a_plain_session_does_not_count)
{
	int place = _i, port;

	if (!is_possible(place))
		return;
	port = add_service("zzleaves", "server = %s\n%s%sinstances = 1\n",
			   leaving(1, "echo up; exit 7"), user_of(place), log_everything());
	start_at(place);
	ck_assert_str_eq(ask(port, ""), "up\n");
	service_wait_log("EXIT: zzleaves status=7");
	ck_assert_str_eq(ask(port, ""), "up\n");
}
END_TEST

/* --- cgroups ---------------------------------------------------------------------------------- */

START_TEST(cgroups_are_removed)
{
	enum { SESSIONS = 300 };
	int port = add_service("zzhello", HELLO "%s%scps = 0 0\n", kinds[KILL], log_everything());
	unsigned descriptors;
	const char *own;

	daemon_start();
	own = own_directory(NULL);
	ck_assert_str_eq(ask(port, ""), "hello\n");
	service_wait_lines(1, "EXIT: zzhello status=0");
	descriptors = process_descriptors(daemon_pid());
	for (int i = 0; i < SESSIONS; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
	service_wait_lines(1 + SESSIONS, "EXIT: zzhello status=0");
	ck_assert_int_eq(access(own, F_OK), 0);
	ck_assert_uint_eq(count_directories(own), 0);
	ck_assert_uint_eq(process_descriptors(daemon_pid()), descriptors);
	daemon_stop();
	ck_assert_int_ne(access(own, F_OK), 0);
}
END_TEST

/* Its process may not be reaped yet when its cgroup is to be removed. */
START_TEST(cgroups_of_programs_that_cannot_be_started_are_removed)
{
	enum { MANY = 300 };
	const char *own;
	int port;

	if (!kernel_has_cgroups())
		return;
	place_write("broken", "no program\n");
	ck_assert_int_eq(chmod(place_path("broken"), 0755), 0);
	port = add_service("zzbroken", "server = %s\nprocesses_at_exit = kill\ncps = 0 0\n",
			   place_path("broken"));
	daemon_start();
	own = own_directory(NULL);
	for (int i = 0; i < MANY; i++)
		client_expect_end(client_connect(NULL, port));
	wait_until(count_directories(own) == 0);
}
END_TEST

START_TEST(a_program_is_in_a_cgroup_of_its_own)
{
	int port = add_service("zzcat", CAT "%s", kinds[KEEP]), held;
	const char *where;

	daemon_start();
	held = client_hold(port);
	where = file_read(textf("/proc/%d/cgroup", (int)process_child(daemon_pid())));
	ck_assert_msg(text_matches(where, textf("^0::.*/usherd-%d/[0-9]+$", (int)daemon_pid())),
		      "%s", where);
	where = file_read(textf("/proc/%d/cgroup", (int)process_frontend(daemon_pid())));
	ck_assert_msg(!text_matches(where, textf("usherd-%d/[0-9]", (int)daemon_pid())), "%s",
		      where);
	ck_assert_uint_eq(count_directories(own_directory(NULL)), 1);
	close(held);
}
END_TEST

/* With root's rights it can. */
START_TEST(a_program_that_leaves_its_cgroup_ends_too)
{
	char own[PATH_MAX];
	int port, held;

	ck_assert(cgroup_mounts_own(NULL, own));
	port = add_service("zzleaves", "server = %s\n%smax_runtime = 2\n%s",
			   place_script("leaves", "echo $$ >%s/cgroup.procs; exec cat\n", own),
			   kinds[KEEP], log_everything());
	daemon_start();
	held = client_hold(port);
	client_expect_end(held);
	service_wait_log("EXIT: zzleaves signal=15");
}
END_TEST

START_TEST(a_plain_service_makes_no_cgroup)
{
	int port = add_service("zzcat", CAT), held;

	daemon_start();
	held = client_hold(port);
	ck_assert_int_ne(access(own_directory(NULL), F_OK), 0);
	close(held);
}
END_TEST

/* A program that runs on keeps its cgroup. */
START_TEST(what_a_dead_daemon_left_is_removed)
{
	int port = add_service("zzcat", CAT "%s", kinds[KEEP]), one, other;
	const char *own, *where;
	pid_t kept;

	daemon_start();
	own = own_directory(NULL);
	one = client_hold(port);
	kept = process_child(daemon_pid());
	other = client_hold(port);
	ck_assert_uint_eq(count_directories(own), 2);
	daemon_signal(SIGKILL);
	daemon_wait_end();
	client_ping(one);
	client_finish_sending(other);
	client_expect_end(other);
	wait_until(count_populated(own) == 1);
	daemon_start();
	wait_until(count_directories(own) == 1);
	where = file_read(textf("/proc/%d/cgroup", (int)kept));
	ck_assert_msg(strstr(where, strrchr(own, '/')), "%s", where);
	client_ping(one);
	client_finish_sending(one);
	client_expect_end(one);
	daemon_reload();
	daemon_stop();
	daemon_start();
	ck_assert_int_ne(access(own, F_OK), 0);
}
END_TEST

/* Who locks one makes it look as if its daemon lives; an administrator's is not usherd's. */
START_TEST(its_directory_is_nobody_elses)
{
	int port = add_service("zzcat", CAT "%s", kinds[KEEP]);
	const char *own, *similar;
	struct stat status;

	daemon_start();
	client_ping(client_hold(port));
	own = own_directory(NULL);
	ck_assert_int_eq(stat(own, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0711);
	daemon_stop();
	similar = textf("%.*s/usherd-zz-%d", (int)(strrchr(own, '/') - own), own, (int)getpid());
	ck_assert_int_eq(mkdir(similar, 0755), 0);
	daemon_start();
	close(client_hold(port));
	ck_assert_int_eq(rmdir(similar), 0);
}
END_TEST

static bool can_limit(const char *controller)
{
	char path[PATH_MAX];

	return kernel_has_cgroups() && cgroup_mounts_has(controller) &&
	       (!cgroup_mounts_own(controller, path) || access(path, W_OK) == 0);
}

/* --- cgroups that are used again -------------------------------------------------------------- */

static int try_jail(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWPID);
}

static bool can_jail(void)
{
	return kernel_has_cgroups() && isolation_is_allowed(try_jail);
}

/* Of a user that can't change them. */
static const char *jailed(const char *name, const char *script, const char *lines)
{
	return textf("server = %s\nuser = %d\nno_new_privs = yes\nproc = yes\n"
		     "processes_at_exit = kill\ncps = 0 0\n%s%s",
		     place_script(name, "%s", script), SOME_USER, lines, log_everything());
}

static int add_jailed(const char *name, const char *script, const char *lines)
{
	return add_service(name, "%s", jailed(name, script, lines));
}

/* The only directory in it; "": there is none. */
static const char *only_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	const char *name = "";
	unsigned count = 0;

	while (directory && (entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			name = textf("%s", entry->d_name);
			count++;
		}
	if (directory)
		closedir(directory);
	ck_assert_uint_le(count, 1);
	return name;
}

/* Waits until the session is over, which is the one of that number. */
static void have_session(int port, const char *word, unsigned number)
{
	ask(port, word);
	service_wait_lines(number, "EXIT: ");
}

START_TEST(a_cgroup_is_used_again)
{
	enum { SESSIONS = 20 };
	int port = add_jailed("zzjail", "exec cat", can_limit("cpu") ? "cpu = 50\n" : "");
	int one, other;
	const char *own, *name;

	daemon_start();
	own = own_directory(NULL);
	have_session(port, "first", 1);
	name = only_directory(own);
	ck_assert_str_ne(name, "");
	for (unsigned i = 2; i <= SESSIONS; i++)
		have_session(port, "next", i);
	ck_assert_str_eq(only_directory(own), name);
	one = client_hold(port);
	ck_assert_str_eq(only_directory(own), name);
	other = client_hold(port); /* has another one */
	ck_assert_uint_eq(count_directories(own), 2);
	ck_assert_uint_eq(count_populated(own), 2);
	close(one);
	close(other);
	service_wait_lines(SESSIONS + 2, "EXIT: ");
	daemon_stop();
	ck_assert_int_ne(access(own, F_OK), 0);
}
END_TEST

/* Memory may be charged to it later, for what a session has handed to somebody outside. */
START_TEST(a_cgroup_is_used_again_only_for_its_service_and_source)
{
	int first = add_jailed("zzfirst", "exec cat", "");
	int other = add_jailed("zzother", "exec cat", "");
	const char *own;

	daemon_start();
	own = own_directory(NULL);
	have_session(first, "first", 1);
	ck_assert_uint_eq(count_directories(own), 1);
	ask_from("127.0.0.2", first, "another source");
	service_wait_lines(2, "EXIT: ");
	ck_assert_uint_eq(count_directories(own), 2);
	have_session(other, "another service", 3);
	ck_assert_uint_eq(count_directories(own), 3);
	have_session(first, "again", 4);
	ask_from("127.0.0.2", first, "again");
	service_wait_lines(5, "EXIT: ");
	ck_assert_uint_eq(count_directories(own), 3);
}
END_TEST

/* A reload gives a service the number that a removed one had. */
START_TEST(a_cgroup_of_a_removed_service_is_not_used_again)
{
	int first = add_jailed("zzfirst", "exec cat", ""), other = port_take();
	const char *own;

	daemon_start();
	own = own_directory(NULL);
	have_session(first, "first", 1);
	ck_assert_uint_eq(count_directories(own), 1);
	configuration_clear();
	add_service("zzother", "port = %d\n%s", other, jailed("zzother", "exec cat", ""));
	daemon_reload();
	have_session(other, "another service", 2);
	ck_assert_uint_eq(count_directories(own), 2);
}
END_TEST

/* Other limits are other cgroups; so are those that somebody has removed. */
START_TEST(a_cgroup_is_used_again_only_as_it_was)
{
	int port = port_take();
	const char *own, *name;

	if (!can_limit("pids"))
		return;
	add_service("zzjail", "port = %d\n%s", port, jailed("zzjail", "exec cat", ""));
	daemon_start();
	own = own_directory(NULL);
	have_session(port, "first", 1);
	name = only_directory(own);
	configuration_clear();
	add_service("zzjail", "port = %d\n%s", port,
		    jailed("zzjail", "exec cat", "processes = 10\n"));
	daemon_reload();
	have_session(port, "with a limit", 2);
	ck_assert_uint_eq(count_directories(own), 2);
	ck_assert_int_eq(rmdir(textf("%s/%s", own, name)), 0);
	have_session(port, "again", 3);
	ck_assert_uint_eq(count_directories(own), 1);
}
END_TEST

/* The kernel's counter goes on. */
START_TEST(memory_kills_are_those_of_the_session)
{
	static const char *const words[] = { "eat", "rest", "eat" };
	const char *killed = "the session used up its memory; the kernel killed ";
	const char *found;
	int port, count;

	if (!can_limit("memory"))
		return;
	port = add_jailed("zzeats", "read word; [ $word = eat ] && exec tail /dev/zero; exit 0",
			  "memory = 24M\n");
	daemon_start();
	for (unsigned i = 0; i < 3; i++) {
		have_session(port, textf("%s\n", words[i]), i + 1);
		ck_assert_str_ne(only_directory(own_directory(NULL)), "");
	}
	daemon_wait_log("%s", killed);
	found = strstr(daemon_log(), killed) + strlen(killed);
	count = atoi(found);
	ck_assert_int_gt(count, 0); /* some kernels count one process twice */
	found = strstr(found, killed);
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(atoi(found + strlen(killed)), count);
	ck_assert_ptr_null(strstr(found + 1, killed));
	ck_assert(text_matches(service_log(), "EXIT: zzeats signal=9 .*\n.*START.*\n.*EXIT: "
					      "zzeats status=0 "));
}
END_TEST

/* True when the kernel has nothing of the file in its memory any more. */
static bool forget_file(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char pages[(4 << 20) / 4096] = { 0 };
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	bool is_gone = map != MAP_FAILED && fsync(fd) == 0 &&
		       posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
		       mincore(map, size, pages) == 0;

	for (size_t i = 0; i < sizeof pages; i++)
		is_gone = is_gone && !(pages[i] & 1);
	if (map != MAP_FAILED)
		munmap(map, size);
	close(fd);
	return is_gone;
}

/* What a session has read stays in memory, and is charged to its cgroup. */
START_TEST(a_cgroup_in_which_much_is_left_is_removed)
{
	enum { SIZE = 4 << 20 };
	static char bytes[SIZE];
	int port;

	if (!can_limit("memory"))
		return;
	port = add_jailed("zzreads", textf("cat %s >/dev/null", place_path("much")),
			  "memory = 24M\n");
	place_write_bytes("much", bytes, sizeof bytes);
	daemon_start();
	if (!forget_file(place_path("much"), SIZE))
		return;
	have_session(port, "", 1);
	wait_until(count_directories(own_directory(NULL)) == 0);
	have_session(port, "", 2); /* the first one has been charged for the file */
	ck_assert_str_ne(only_directory(own_directory(NULL)), "");
}
END_TEST

/* Where the controller's cgroups are. */
static const char *directory_of(const char *controller)
{
	char path[PATH_MAX];

	return own_directory(cgroup_mounts_own(controller, path) ? controller : NULL);
}

/* The second one begins with a new counter. */
START_TEST(memory_kills_are_counted_in_a_cgroup_that_was_removed_meanwhile)
{
	const char *killed = "the session used up its memory";
	int port;

	if (!can_limit("memory"))
		return;
	port = add_jailed("zzeats", "exec tail /dev/zero", "memory = 24M\n");
	daemon_start();
	have_session(port, "", 1);
	for (int i = 0; i < 2; i++) {
		const char *own = i == 0 ? own_directory(NULL) : directory_of("memory");
		const char *name = only_directory(own);

		if (*name)
			ck_assert_int_eq(rmdir(textf("%s/%s", own, name)), 0);
	}
	have_session(port, "", 2);
	wait_until(({
		const char *first = strstr(daemon_log(), killed);

		first &&strstr(first + 1, killed);
	}));
}
END_TEST

/* The lowest number that is no descriptor of the process. */
static unsigned lowest_free(pid_t pid)
{
	unsigned number = 0;

	while (access(textf("/proc/%d/fd/%u", (int)pid, number), F_OK) == 0)
		number++;
	return number;
}

/* The daemon has a descriptor for the connection, but none to set the limits with. */
START_TEST(a_cgroup_without_its_limits_is_not_used_again)
{
	struct rlimit few, usual;
	const char *own;
	int port, held;

	if (!can_limit("pids"))
		return;
	port = add_jailed("zzjail", "exec cat", "processes = 10\n");
	daemon_start();
	few.rlim_cur = lowest_free(daemon_pid()) + 1;
	ck_assert_int_eq(prlimit(daemon_pid(), RLIMIT_NOFILE, NULL, &usual), 0);
	few.rlim_max = usual.rlim_max;
	ck_assert_int_eq(prlimit(daemon_pid(), RLIMIT_NOFILE, &few, NULL), 0);
	client_expect_end(client_connect(NULL, port));
	daemon_wait_log("cgroup");
	ck_assert_int_eq(prlimit(daemon_pid(), RLIMIT_NOFILE, &usual, NULL), 0);
	held = client_hold(port);
	own = directory_of("pids");
	ck_assert_str_eq(file_read(textf("%s/%s/pids.max", own, only_directory(own))), "10\n");
	close(held);
}
END_TEST

/* Linux 6.18 kills whatever enters a cgroup in which all were killed at once. */
START_TEST(a_cgroup_that_was_killed_is_not_used_again)
{
	int port = add_jailed("zzjail", "exec cat", "max_runtime = 1\nkill_timeout = 1\n");

	daemon_start();
	client_expect_end(client_hold(port));
	service_wait_log("EXIT: zzjail signal=9 ");
	close(client_hold(port));
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(processes_are_limited)
{
	const char *bomb = place_script("bomb", "i=0\nwhile [ $i -lt 30 ]; do sleep 1000 & "
						"i=$((i + 1)); done\necho all; wait\n");
	int port, plain, held;

	if (!can_limit("pids"))
		return;
	port = add_service("zzbomb", "server = %s\nprocesses = 10\nstderr = null\n", bomb);
	plain = add_service("zzcat", CAT);
	daemon_start();
	held = client_connect(NULL, port);
	wait_until(process_children(daemon_pid()) == 9);
	ck_assert_str_eq(ask(plain, "on"), "on");
	wait_until(process_children(daemon_pid()) == 9); /* the other service's is reaped */
	close(held);
	daemon_stop();
}
END_TEST

START_TEST(memory_is_limited)
{
	int port, plain, held;

	if (!can_limit("memory"))
		return;
	port = add_service("zzeats", "server = %s\nmemory = 24M\nprocesses_at_exit = kill\n%s",
			   place_script("eats", "exec tail /dev/zero"), log_everything());
	plain = add_service("zzcat", CAT);
	daemon_start();
	held = client_hold(plain);
	client_expect_end(client_connect(NULL, port));
	service_wait_log("EXIT: zzeats signal=9");
	daemon_wait_log("service zzeats: process [0-9]+: the session used up its memory");
	client_ping(held);
	close(held);
}
END_TEST

static void expect_in(const char *cgroup, const char *file, const char *pattern)
{
	const char *path = textf("%s/%s", cgroup, file);

	ck_assert_msg(text_matches(file_read(path), pattern), "%s: %s", path, file_read(path));
}

/* The value is checked; that it slows a program down is the kernel's. */
START_TEST(cpu_is_limited)
{
	int port, held;
	char path[PATH_MAX];
	const char *cgroup;
	bool is_v1 = cgroup_mounts_own("cpu", path);

	if (!can_limit("cpu"))
		return;
	port = add_service("zzbusy", "server = %s\ncpu = 5\nnice = 10\n",
			   place_script("busy", "echo up; while :; do :; done"));
	daemon_start();
	held = client_connect(NULL, port);
	client_expect(held, "up\n");
	cgroup = textf("%s/%s", directory_of("cpu"), only_directory(directory_of("cpu")));
	expect_in(cgroup, is_v1 ? "cpu.cfs_quota_us" : "cpu.max", "^5000( 100000)?$");
	expect_in(cgroup, is_v1 ? "cpu.shares" : "cpu.weight.nice", is_v1 ? "^108$" : "^10$");
	wait_until(text_matches(file_read(textf("%s/cpu.stat", cgroup)), "nr_throttled [1-9]"));
	close(held);
}
END_TEST

static const struct {
	const char *attribute, *value;
} limits[] = { { "memory", "64M" }, { "processes", "10" }, { "cpu", "50" } };

START_TEST(a_service_whose_limits_cannot_be_kept_is_not_started)
{
	int place = WITHOUT, limited, plain;

	if (!is_possible(place))
		return;
	limited = add_service("zzlimited", CAT "%s%s = %s\n", user_of(place), limits[_i].attribute,
			      limits[_i].value);
	plain = add_service("zzcat", CAT "%s", user_of(place));
	start_at(place);
	daemon_wait_log("ERROR: .*usherd.conf:[0-9]+: service zzlimited: %s can't be kept here: "
			".*Delegate=yes.*; to start it without this limit, write %s = UNLIMITED$",
			limits[_i].attribute, limits[_i].attribute);
	ck_assert(client_is_refused(NULL, limited));
	ck_assert_str_eq(ask(plain, "on"), "on");
}
END_TEST

/* --- a unit: a cgroup of version 2 that is not the root, with controllers --------------------- */

static void write_in(const char *directory, const char *name, const char *text)
{
	FILE *file = fopen(textf("%s/%s", directory, name), "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		_exit(126);
}

/* Only the root of the hierarchy may give controllers and have processes too. */
static void enter_unit(void)
{
	char path[PATH_MAX];
	const char *unit;

	if (!cgroup_mounts_own(NULL, path))
		_exit(126);
	write_in(path, "cgroup.subtree_control", "+memory +pids +cpu");
	unit = textf("%s/zzunit-%d", path, (int)getpid());
	if (mkdir(unit, 0755) < 0)
		_exit(126);
	write_in(unit, "cgroup.procs", "0");
}

/* With a process that is not the daemon's. */
static void enter_crowded_unit(void)
{
	pid_t pid;

	enter_unit();
	pid = fork();
	if (pid == 0 && fork() == 0)
		execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static bool can_enter_unit(void)
{
	char path[PATH_MAX], type[PATH_MAX + 16];

	if (!kernel_has_cgroups() || cgroup_mounts_own("memory", path) ||
	    !cgroup_mounts_has("memory") || !cgroup_mounts_own(NULL, path))
		return false;
	snprintf(type, sizeof type, "%s/cgroup.type", path); /* not in the root */
	return access(type, F_OK) != 0;
}

static const char *cgroup_of(pid_t pid)
{
	return file_read(textf("/proc/%d/cgroup", (int)pid));
}

static const struct {
	const char *file, *text;
} kept_limits[] = {
	{ "memory.max", "^67108864$" },  { "memory.oom.group", "^1$" }, { "pids.max", "^10$" },
	{ "cpu.max", "^50000 100000$" }, { "cpu.weight.nice", "^5$" },
};

/* Another daemon takes it for a dead one's otherwise. */
static void expect_held(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", directory, strerror(errno));
	ck_assert_int_lt(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

/* The first service has no limits, so that the daemon must move with all it has started. */
START_TEST(a_unit_gives_controllers_to_sessions)
{
	int plain = port_take(), limited, niced, held, other, third;
	const char *where;

	add_service("zzcat", "port = %d\n" CAT, plain);
	daemon_start_with(&(struct daemon_options){ .prepare = enter_unit });
	held = client_hold(plain);
	limited =
		add_service("zzlimited", CAT "memory = 64M\nprocesses = 10\ncpu = 50\nnice = 5\n");
	niced = add_service("zznice", CAT "processes_at_exit = kill\nnice = -7\n");
	daemon_reload();
	other = client_hold(limited);
	where = textf("/zzunit-%d/usherd-%d", (int)daemon_pid(), (int)daemon_pid());
	ck_assert(text_matches(cgroup_of(daemon_pid()), textf("%s\\.daemon$", where)));
	ck_assert(text_matches(cgroup_of(process_frontend(daemon_pid())),
			       textf("%s\\.daemon$", where)));
	expect_held(textf("/sys/fs/cgroup%s", where));
	expect_held(textf("/sys/fs/cgroup%s.daemon", where));
	for (size_t i = 0; i < sizeof kept_limits / sizeof kept_limits[0]; i++)
		expect_in(textf("/sys/fs/cgroup%s/1", where), kept_limits[i].file,
			  kept_limits[i].text);
	third = client_hold(niced);
	expect_in(textf("/sys/fs/cgroup%s/2", where), "cpu.max", "^max ");
	expect_in(textf("/sys/fs/cgroup%s/2", where), "cpu.weight.nice", "^-7$");
	client_ping(held);
	client_ping(other);
	client_ping(third);
	close(held);
	close(other);
	close(third);
}
END_TEST

START_TEST(a_crowded_unit_keeps_no_limits)
{
	int limited = add_service("zzlimited", CAT "memory = 64M\n"),
	    plain = add_service("zzcat", CAT);

	daemon_start_with(&(struct daemon_options){ .prepare = enter_crowded_unit });
	daemon_wait_log("ERROR: .*: service zzlimited: memory can't be kept here: "
			"other processes are in the daemon's own cgroup");
	ck_assert(client_is_refused(NULL, limited));
	ck_assert_str_eq(ask(plain, "on"), "on");
}
END_TEST

Suite *tree_suite(void)
{
	Suite *suite = suite_create("tree");
	TCase *end = daemon_tcase(suite, "the end of a session");
	TCase *at_exit = daemon_tcase(suite, "processes_at_exit");
	TCase *cgroups = daemon_tcase(suite, "cgroups");
	TCase *limited = daemon_tcase(suite, "limits");

	tcase_add_loop_test(end, ends_when_its_service_is_removed, 0, PLACES * LEAVINGS * 2);
	tcase_add_loop_test(end, a_stubborn_process_is_killed, 0, SOMEBODY * 2);
	tcase_add_loop_test(end, ends_with_the_daemon, 0, PLACES * LEAVINGS * 2);
	tcase_add_loop_test(end, what_an_ended_session_left_ends_with_the_daemon, 0,
			    PLACES * LEAVINGS * 2);
	tcase_add_loop_test(end, what_an_ended_session_left_ends_when_the_service_is_removed, 0,
			    PLACES);
	tcase_add_loop_test(end, is_left_when_the_removed_service_drains, 0, PLACES);
	tcase_add_loop_test(end, is_left_by_sigquit, 0, PLACES * KINDS);
	tcase_add_loop_test(at_exit, the_rest_is_killed_when_the_program_ends, 0,
			    PLACES * LEAVINGS);
	tcase_add_loop_test(at_exit, the_rest_is_killed_behind_a_balancer_too, 0, PLACES);
	tcase_add_loop_test(at_exit, the_rest_counts_as_the_session, 0, PLACES * LEAVINGS);
	tcase_add_loop_test(at_exit, the_rest_of_a_plain_session_does_not_count, 0, PLACES);
	if (kernel_has_cgroups()) {
		tcase_add_test(cgroups, cgroups_are_removed);
		tcase_add_test(cgroups, cgroups_of_programs_that_cannot_be_started_are_removed);
		tcase_add_test(cgroups, a_program_is_in_a_cgroup_of_its_own);
		tcase_add_test(cgroups, a_program_that_leaves_its_cgroup_ends_too);
		tcase_add_test(cgroups, a_plain_service_makes_no_cgroup);
		tcase_add_test(cgroups, what_a_dead_daemon_left_is_removed);
		tcase_add_test(cgroups, its_directory_is_nobody_elses);
	}
	if (can_jail()) {
		tcase_add_test(cgroups, a_cgroup_is_used_again);
		tcase_add_test(cgroups, a_cgroup_is_used_again_only_for_its_service_and_source);
		tcase_add_test(cgroups, a_cgroup_of_a_removed_service_is_not_used_again);
		tcase_add_test(cgroups, a_cgroup_is_used_again_only_as_it_was);
		tcase_add_test(cgroups, memory_kills_are_those_of_the_session);
		tcase_add_test(cgroups, a_cgroup_in_which_much_is_left_is_removed);
		tcase_add_test(cgroups,
			       memory_kills_are_counted_in_a_cgroup_that_was_removed_meanwhile);
		tcase_add_test(cgroups, a_cgroup_without_its_limits_is_not_used_again);
		tcase_add_test(cgroups, a_cgroup_that_was_killed_is_not_used_again);
	}
	if (can_enter_unit()) {
		tcase_add_test(limited, a_unit_gives_controllers_to_sessions);
		tcase_add_test(limited, a_crowded_unit_keeps_no_limits);
	}
	tcase_add_test(limited, processes_are_limited);
	tcase_add_test(limited, memory_is_limited);
	tcase_add_test(limited, cpu_is_limited);
	tcase_add_loop_test(limited, a_service_whose_limits_cannot_be_kept_is_not_started, 0,
			    sizeof limits / sizeof limits[0]);
	return suite;
}
