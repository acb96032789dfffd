/* What a session sees of the machine. tests/support/programs/probe.c looks, inside. Each test
 * runs twice: root makes the jails, and an ordinary user makes them in a user namespace. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/isolation.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOME_USER = 54321 };

/* --- who starts the daemon --- */

enum { AS_ROOT, AS_USER };

static void become_some_user(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

static int try_namespaces(void)
{
	become_some_user();
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID);
}

static int try_namespaces_of_root(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
}

/* True for mount_setattr(2) and what is older. */
static bool has_mount_calls(void)
{
	return syscall(442, -1, "", 0, NULL, 0) == 0 || errno != ENOSYS;
}

static bool is_allowed(int who)
{
	if (!has_mount_calls())
		return false;
	if (who == AS_ROOT)
		return is_superuser() && isolation_is_allowed(try_namespaces_of_root);
	return isolation_is_allowed(try_namespaces);
}

static int user_of_programs(void)
{
	return is_superuser() ? SOME_USER : (int)geteuid();
}

static void start_as(int who)
{
	if (who == AS_USER && is_superuser())
		ck_assert_int_eq(chown(place_path(""), SOME_USER, SOME_USER), 0);
	daemon_start_with(
		&(struct daemon_options){ .prepare = who == AS_USER ? become_some_user : NULL });
}

/* --- roots --- */

/* Everything that is named in the list is made in the root as a directory. */
static const char *make_root(const char *name, const char *const *directories)
{
	const char *root = place_path(name);

	ck_assert_int_eq(mkdir(root, 0755), 0);
	for (; *directories; directories++)
		ck_assert_int_eq(mkdir(textf("%s/%s", root, *directories), 0755), 0);
	ck_assert_int_eq(rename(place_program("probe"), textf("%s/probe", root)), 0);
	return root;
}

static const char *make_usual_root(const char *name)
{
	static const char *const directories[] = { "proc", "dev", "tmp", "data", "fixed", NULL };
	const char *root = make_root(name, directories);

	if (is_superuser())
		ck_assert_int_eq(chown(textf("%s/data", root), SOME_USER, SOME_USER), 0);
	ck_assert_int_eq(chmod(textf("%s/fixed", root), 0777), 0);
	ck_assert(mknod(textf("%s/log", root), S_IFREG, 0) == 0 &&
		  chmod(textf("%s/log", root), 0666) == 0);
	return root;
}

/* A service whose server is the probe in root; NULL: in the test's directory. */
static int add_probe(const char *name, const char *root, const char *lines, const char *words)
{
	const char *server = root ? textf("root = %s\nserver = /probe\n", root)
				  : textf("server = %s\n", place_program("probe"));

	return add_service(name, "user = %d\n%s%s\nserver_args = %s\n", user_of_programs(), server,
			   lines, words);
}

static void check_line(const char *report, const char *line)
{
	ck_assert_msg(strstr(textf("\n%s", report), textf("\n%s\n", line)) != NULL,
		      "no line %s in\n%s", line, report);
}

#define WHOLE_JAIL \
	"scratch = /tmp 64K\nwritable = /data /log\ndevices = null zero\nproc = yes\n" \
	"network = none\ndirectory = /data"

/* --- what is seen --- */

/* Listens where every process of this network can connect. */
static void listen_in_the_abstract(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0usherd-jail" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof "usherd-jail";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 8) == 0);
}

#define LOOK \
	"descriptors identity directory interfaces connect:usherd-jail bind:usherd-jail " \
	"write:/fixed/x write:/log write:/data/x write:/tmp/x write:/dev/null write:/proc/self/comm " \
	"list:/ list:/dev list:/tmp processes pid host mode:/tmp fill:/tmp mount:/tmp " \
	"remount:/ unmount:/tmp list:/tmp/.."

static void check_inside(const char *report)
{
	static const char *const lines[] = {
		"directory=/data",
		"interfaces=",
		"bind:usherd-jail=0",
		"descriptors=0 1 2 ",
		"write:/fixed/x=EROFS",
		"write:/log=0",
		"write:/data/x=0",
		"write:/tmp/x=0",
		"write:/dev/null=0",
		"write:/proc/self/comm=EROFS",
		"list:/=data dev fixed log probe proc tmp ",
		"list:/dev=fd null shm stderr stdin stdout zero ",
		"list:/tmp=x ",
		"processes=1 ",
		"pid=1 0",
		"host=zzinside",
		"fill:/tmp=61440 ENOSPC",
		"mount:/tmp=EPERM",
		"remount:/=EPERM",
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		check_line(report, lines[i]);
	check_line(report, textf("mode:/tmp=700 %d", user_of_programs()));
	check_line(report, textf("identity=%d %d", user_of_programs(),
				 is_superuser() ? SOME_USER : (int)getegid()));
	/* Without root's rights connect(2) itself may be refused; see connection_lock.h. */
	ck_assert(text_matches(report, "^connect:usherd-jail=(ECONNREFUSED|EPERM)$"));
}

/* The same looks outside, so that what they see inside says something. */
static void check_outside(const char *report)
{
	check_line(report, "connect:usherd-jail=0");
	check_line(report, "interfaces=lo ");
	ck_assert(!strstr(report, "\npid=1 "));
}

START_TEST(a_session_sees_what_its_jail_has)
{
	const char *root = make_usual_root("root");
	int inside, outside;

	listen_in_the_abstract();
	inside = add_probe("zzinside", root, WHOLE_JAIL, LOOK);
	outside = add_probe("zzoutside", NULL, "", "interfaces connect:usherd-jail pid");
	start_as(_i);
	for (int i = 0; i < 2; i++) { /* the second one may get the network of the first */
		check_inside(ask(inside, ""));
		unlink(textf("%s/data/x", root));
	}
	check_outside(ask(outside, ""));
	ck_assert_str_eq(file_read(textf("%s/fixed/x", root)), "");
}
END_TEST

START_TEST(what_a_session_changes_is_its_own)
{
	const char *root = make_usual_root("root"), *mounts = file_read("/proc/self/mountinfo");
	int port = add_probe("zzown", root, WHOLE_JAIL, "list:/tmp inodes:/tmp wait list:/tmp");
	int first, second;

	start_as(_i);
	first = client_connect(NULL, port);
	client_expect(first, "list:/tmp=\ninodes:/tmp=63 ENOSPC\nwait=...\n");
	second = client_connect(NULL, port);
	client_expect(second, "list:/tmp=\ninodes:/tmp=63 ENOSPC\nwait=...\n");
	ck_assert_str_eq(file_read("/proc/self/mountinfo"), mounts);
	client_send(first, "\n");
	client_send(second, "\n");
	ck_assert(text_matches(client_read_all(first).data, "inode62 "));
	ck_assert(text_matches(client_read_all(second).data, "inode62 "));
}
END_TEST

START_TEST(every_attribute_works_alone)
{
	static const struct {
		const char *lines, *words, *expected;
	} alone[] = {
		{ "scratch = /usr 1M 4K", "", "" },
		{ "scratch = /usr 1M", "list:/usr write:/usr/x directory",
		  "list:/usr=\nwrite:/usr/x=0\ndirectory=/\n" },
		{ "proc = yes", "pid processes", "pid=1 0\nprocesses=1 \n" },
		{ "devices = null", "list:/dev write:/dev/null",
		  "list:/dev=null shm \nwrite:/dev/null=0\n" },
		{ "devices =", "list:/dev", "list:/dev=shm \n" },
		{ "devices = null\nscratch = /dev/shm 1M", "write:/dev/shm/x",
		  "write:/dev/shm/x=0\n" },
		{ "network = none", "interfaces", "interfaces=\n" },
		{ "directory = /usr", "directory", "directory=/usr\n" },
	};
	int ports[sizeof alone / sizeof alone[0]];

	for (size_t i = 1; i < sizeof alone / sizeof alone[0]; i++)
		ports[i] = add_probe(textf("zz%zu", i), NULL, alone[i].lines, alone[i].words);
	start_as(_i);
	for (size_t i = 1; i < sizeof alone / sizeof alone[0]; i++)
		ck_assert_str_eq(ask(ports[i], ""), alone[i].expected);
}
END_TEST

/* A session fills its scratch, which counts for no process: the daemon must not go first. */
START_TEST(without_memory_a_session_ends_before_the_daemon)
{
	const char *own = file_read("/proc/self/oom_score_adj"), *last = place_path("log/end");
	const char *end = place_script("end", "cat /proc/self/oom_score_adj >%s", last);
	const char *lines = textf("user = %d\nserver = /bin/cat\n"
				  "server_args = /proc/self/oom_score_adj\nend_command = %s\n",
				  user_of_programs(), end);
	int inside = add_service("zzinside", "%sproc = yes\n", lines);
	int outside = add_service("zzoutside", "%s", lines);

	ck_assert_int_eq(mkdir(place_path("log"), 0755), 0);
	ck_assert_int_eq(chmod(place_path("log"), 0777), 0);
	start_as(_i);
	ck_assert_str_eq(ask(outside, ""), own);
	wait_until(strcmp(file_read(last), own) == 0);
	ck_assert_int_eq(unlink(last), 0);
	ck_assert_str_eq(ask(inside, ""), "1000\n");
	wait_until(strcmp(file_read(last), own) == 0);
	ck_assert_str_eq(file_read(textf("/proc/%d/oom_score_adj", (int)daemon_pid())), own);
}
END_TEST

static const char *device_line(const char *path)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return textf("device:%s=%o %u:%u", path, (unsigned)status.st_mode, major(status.st_rdev),
		     minor(status.st_rdev));
}

START_TEST(devices_are_those_of_the_host)
{
	int port = add_probe("zzdevices", NULL, "root = /\ndevices = null zero full\nproc = yes",
			     "device:/dev/null device:/dev/zero device:/dev/full write:/dev/full "
			     "write:/dev/null write:/dev/x list:/dev");
	const char *report;

	start_as(_i);
	report = ask(port, "");
	check_line(report, device_line("/dev/null"));
	check_line(report, device_line("/dev/zero"));
	check_line(report, device_line("/dev/full"));
	check_line(report, "write:/dev/full=ENOSPC");
	check_line(report, "write:/dev/null=0");
	check_line(report, "write:/dev/x=EROFS");
	check_line(report, "list:/dev=fd full null shm stderr stdin stdout zero ");
}
END_TEST

START_TEST(the_host_as_root_is_read_only)
{
	int port = add_service("zzhost",
			       "user = %d\nroot = /\nproc = yes\ndevices = null\n"
			       "server = %s\nserver_args = write:%s read:%s list:/dev\n",
			       user_of_programs(), place_program("probe"), place_path("x"),
			       place_path("y"));

	place_write("y", "seen");
	start_as(_i);
	ck_assert_str_eq(ask(port, ""),
			 textf("write:%s=EROFS\nread:%s=seen\nlist:/dev=fd null shm stderr stdin "
			       "stdout \n",
			       place_path("x"), place_path("y")));
}
END_TEST

static unsigned count_text(const char *text, const char *part)
{
	unsigned count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

/* Nor could a program that may unmount uncover them. Nothing that is mounted in /sys is there. */
START_TEST(what_a_jail_covers_of_the_host_is_not_in_it)
{
	int port = add_service("zzmounts",
			       "user = %d\nroot = /\nproc = yes\ndevices = null\n"
			       "server = /bin/cat\nserver_args = /proc/self/mountinfo\n",
			       SOME_USER);
	const char *mounts;

	if (!is_allowed(AS_ROOT))
		return;
	start_as(AS_ROOT);
	mounts = ask(port, "");
	ck_assert_uint_eq(count_text(mounts, " / /proc "), 1);
	ck_assert_uint_eq(count_text(mounts, " /proc/"), 0);
	ck_assert_uint_eq(count_text(mounts, " / /dev "), 1);
	ck_assert_uint_eq(count_text(mounts, " /dev/pts "), 0);
	ck_assert_uint_eq(count_text(mounts, " /dev/shm "), 0);
	ck_assert_uint_eq(count_text(mounts, " /sys/"), 0);
	ck_assert_uint_eq(count_text(mounts, " / /sys "),
			  count_text(file_read("/proc/self/mountinfo"), " / /sys ") > 0);
}
END_TEST

/* --- what the daemon sees of the machine --- */

/* A directory that is a mount, and looks like the machine. */
static void be_in_a_chroot(void)
{
	const char *host = place_path("host");

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(host, 0755) < 0 || mount("/", host, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    chroot(host) < 0 || chdir("/") < 0)
		_exit(126);
}

/* The root of its namespace of mounts is another one. */
START_TEST(a_jail_holds_where_the_daemon_is_in_a_chroot)
{
	const char *root = make_usual_root("root");
	int port = add_probe("zzinside", root, WHOLE_JAIL, "list:/ write:/fixed/x");
	int host = add_probe("zzhost", NULL, "root = /\nproc = yes",
			     textf("write:%s processes", place_path("x")));

	daemon_start_with(&(struct daemon_options){ .prepare = be_in_a_chroot });
	ck_assert_str_eq(ask(port, ""), "list:/=data dev fixed log probe proc tmp \n"
					"write:/fixed/x=EROFS\n");
	ck_assert_str_eq(ask(host, ""), textf("write:%s=EROFS\nprocesses=1 \n", place_path("x")));
}
END_TEST

/* As root of the machine may for a container. */
static pid_t begin_to_map_users(const int ends[2], pid_t pid)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	pid_t mapper = fork();
	char byte;

	if (mapper != 0)
		return mapper;
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		_exit(126);
	for (size_t i = 0; i < 2; i++) {
		char path[64];
		int map;

		snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, maps[i]);
		map = open(path, O_WRONLY | O_CLOEXEC);
		if (write(map, "0 0 65536\n", 10) != 10)
			_exit(126);
	}
	_exit(0);
}

static void have_users(void)
{
	int ends[2], status;
	pid_t mapper;

	if (pipe2(ends, O_CLOEXEC) < 0)
		_exit(126);
	mapper = begin_to_map_users(ends, getpid());
	if (unshare(CLONE_NEWUSER) < 0 || write(ends[1], "", 1) != 1 ||
	    waitpid(mapper, &status, 0) != mapper || status != 0)
		_exit(126);
}

/* All that is in "/" but its processes, which are the container's. */
static void copy_machine_to(const char *root)
{
	DIR *directory = opendir("/");
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		const char *from = textf("/%s", entry->d_name);
		const char *to = textf("%s/%s", root, entry->d_name);
		char target[PATH_MAX] = "";

		if (entry->d_name[0] == '.' || strcmp(from, "/proc") == 0)
			continue;
		if (entry->d_type == DT_LNK && readlink(from, target, sizeof target - 1) > 0 &&
		    symlink(target, to) < 0)
			_exit(126);
		if (entry->d_type == DT_DIR &&
		    (mkdir(to, 0755) < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0))
			_exit(126);
	}
	if (!directory || closedir(directory) < 0)
		_exit(126);
}

static int enter_users(void)
{
	have_users();
	return unshare(CLONE_NEWNS | CLONE_NEWPID);
}

/* In the user namespace of the daemon alone. */
static void limit_namespaces(const char *kind, const char *most)
{
	pid_t helper = fork();
	int status;

	if (helper == 0) {
		const char *own = textf("/proc/%d/ns/user", (int)daemon_pid());
		int users = open(own, O_RDONLY | O_CLOEXEC);
		int limit;

		if (setns(users, CLONE_NEWUSER) < 0)
			_exit(1);
		limit = open(textf("/proc/sys/user/max_%s_namespaces", kind), O_WRONLY | O_CLOEXEC);
		_exit(write(limit, most, strlen(most)) < 0 ? 2 : 0);
	}
	ck_assert_int_eq(waitpid(helper, &status, 0), helper);
	ck_assert_int_eq(status, 0);
}

#define LIMIT_IS_REACHED \
	" /bin/cat: No space left on device: a limit of namespaces in /proc/sys/user is " \
	"reached, see namespaces\\(7\\)$"

START_TEST(a_limit_of_namespaces_is_named_and_may_pass)
{
	const char *lines = textf("user = %d\n" CAT "%s", SOME_USER, log_everything());
	int patient = add_service("zzpatient", "%sproc = yes\n", lines), fd;
	int hasty = add_service("zzhasty", "%sproc = yes\nflags = NORETRY\n", lines);
	int lone = add_service("zzlone", "%snetwork = none\n", lines);

	daemon_start_with(&(struct daemon_options){ .prepare = have_users });
	limit_namespaces("pid", "0");
	limit_namespaces("net", "0");
	fd = client_connect(NULL, patient);
	ck_assert_str_eq(ask(hasty, ""), "");
	service_wait_log("FAIL: zzhasty fork ");
	daemon_wait_log("ERROR: service zzhasty: fork" LIMIT_IS_REACHED);
	ck_assert_str_eq(ask(lone, ""), "");
	service_wait_log("FAIL: zzlone exec ");
	daemon_wait_log("ERROR: service zzlone: network" LIMIT_IS_REACHED);
	limit_namespaces("pid", "1000");
	client_ping(fd); /* at the next attempt */
	close(fd);
}
END_TEST

static pid_t process_1;

static void pass_on(int number)
{
	kill(process_1, number);
}

/* The daemon goes on as process 1. The process that was begun stands for it outside. */
static void become_process_1(void)
{
	int status = 0;

	process_1 = fork();
	if (process_1 == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	signal(SIGTERM, pass_on);
	while (waitpid(process_1, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

static void be_in_a_container(void)
{
	const char *root = place_path("container");

	if (mkdir(root, 0755) < 0 || enter_users() < 0)
		_exit(126);
	become_process_1();
	if (mount("tmpfs", root, "tmpfs", 0, NULL) < 0)
		_exit(126);
	copy_machine_to(root);
	if (mkdir(textf("%s/proc", root), 0755) < 0 ||
	    mount("proc", textf("%s/proc", root), "proc", 0, NULL) < 0 || chdir(root) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		_exit(126);
}

static bool has_template(pid_t pid)
{
	DIR *directory = opendir(textf("/proc/%d/fd", (int)pid));
	struct dirent *entry;
	bool found = false;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory))) {
		char target[64] = "";

		found |= readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1) >
				 0 &&
			 strncmp(target, "mnt:", 4) == 0;
	}
	closedir(directory);
	return found;
}

/* Where no procfs can be seen, a user namespace may mount none. */
START_TEST(a_template_keeps_the_only_procfs_of_a_container)
{
	int port = add_probe("zzhost", NULL, "root = /\nproc = yes", "pid processes");

	daemon_start_with(&(struct daemon_options){ .prepare = be_in_a_container });
	ck_assert(has_template(process_child(daemon_pid())));
	ck_assert_str_eq(ask(port, ""), "pid=1 0\nprocesses=1 \n");
}
END_TEST

/* --- its end --- */

START_TEST(all_processes_end_with_the_first)
{
	int port = add_probe("zzleave", make_usual_root("root"), "proc = yes", "leave");

	start_as(_i);
	ck_assert_str_eq(ask(port, ""), "leave=\n"); /* which lasts until the last one ends */
}
END_TEST

/* The first process of a namespace is not ended by signals that it does not handle. */
START_TEST(a_first_process_is_killed_in_the_end)
{
	int fd, port = add_probe("zzkill", make_usual_root("root"),
				 "proc = yes\nkill_on_disconnect = reset\nkill_timeout = 1",
				 "stay");

	add_defaults("%s", log_everything());
	start_as(_i);
	fd = client_connect(NULL, port);
	client_expect(fd, "stay=...\n");
	client_reset(fd);
	service_wait_log(LOG_TIME "EXIT: zzkill signal=9 ");
}
END_TEST

enum { MANY = 30 };

/* Waits until the session is over, which is the one of that number: its network is unused. */
static const char *ask_and_wait(int port, unsigned number)
{
	const char *answer = ask(port, "");

	service_wait_lines(number, "EXIT: ");
	return answer;
}

START_TEST(nothing_is_left_of_sessions)
{
	const char *mounts = file_read("/proc/self/mountinfo");
	int port = add_probe("zzmany", make_usual_root("root"), "cps = 0 0\n" WHOLE_JAIL, "pid");
	unsigned before, number = 1;

	add_defaults("%s", log_everything());
	start_as(_i);
	ck_assert_str_eq(ask_and_wait(port, number), "pid=1 0\n");
	before = process_descriptors(daemon_pid());
	while (number++ < MANY)
		ck_assert_str_eq(ask_and_wait(port, number), "pid=1 0\n");
	wait_until(process_descriptors(daemon_pid()) <= before);
	ck_assert_str_eq(file_read("/proc/self/mountinfo"), mounts);
}
END_TEST

/* Networks are used again, but not one in which something is left. */

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
	strcpy(address.sun_path, path);
	ck_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		  listen(fd, 1) == 0 && chmod(path, 0777) == 0);
	return fd;
}

/* Takes what a session gives, which stays open as long as the test. */
static void take_a_socket(int listener)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec room = { &byte, 1 };
	struct msghdr message = { .msg_iov = &room,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof control };

	ck_assert_int_eq(recvmsg(accept(listener, NULL, NULL), &message, 0), 1);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
}

START_TEST(only_an_empty_network_is_used_again)
{
	const char *root = make_usual_root("root"), *first, *second;
	int port = add_probe("zzempty", root, WHOLE_JAIL, "network connect:left");
	int giver = add_probe("zzgiver", root, WHOLE_JAIL, "give:/data/socket");
	int listener = listen_at(textf("%s/data/socket", root));

	add_defaults("%s", log_everything());
	start_as(AS_ROOT);
	first = ask_and_wait(port, 1);
	ck_assert(text_matches(first, "^network=net:.[0-9]+.\nconnect:left=ECONNREFUSED\n$"));
	ck_assert_str_eq(ask_and_wait(port, 2), first);
	ck_assert_str_eq(ask_and_wait(giver, 3), "give:/data/socket=0\n");
	take_a_socket(listener);
	second = ask_and_wait(port, 4);
	ck_assert(text_matches(second, "^network=net:.[0-9]+.\nconnect:left=ECONNREFUSED\n$"));
	ck_assert_str_ne(second, first);
}
END_TEST

static void forbid(unsigned call)
{
	struct sock_filter list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof list / sizeof list[0], list };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(126);
}

static void forbid_setns(void)
{
	forbid(SYS_setns);
}

static void forbid_close_range(void)
{
	forbid(SYS_close_range);
}

/* As a container may have it. Sessions then make their own. */
START_TEST(no_network_is_used_again_where_none_can_be_entered)
{
	int port = add_probe("zzown", make_usual_root("root"), WHOLE_JAIL, "interfaces");

	daemon_start_with(&(struct daemon_options){ .prepare = forbid_setns });
	ck_assert_str_eq(ask(port, ""), "interfaces=\n");
	ck_assert_str_eq(ask(port, ""), "interfaces=\n");
}
END_TEST

/* --- changes --- */

START_TEST(a_root_can_be_replaced)
{
	const char *root = make_usual_root("root"), *next = make_usual_root("next");
	int port = add_probe("zzroot", root, WHOLE_JAIL, "list:/");

	ck_assert_int_eq(mkdir(textf("%s/new", next), 0755), 0);
	start_as(_i);
	ck_assert_str_eq(ask(port, ""), "list:/=data dev fixed log probe proc tmp \n");
	ck_assert_int_eq(rename(root, place_path("old")), 0);
	ck_assert_int_eq(rename(next, root), 0);
	ck_assert_str_eq(ask(port, ""), "list:/=data dev fixed log new probe proc tmp \n");
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "list:/=data dev fixed log new probe proc tmp \n");
}
END_TEST

/* The user of a service may write to a directory, and lays a link for root to mount on. */
START_TEST(no_mount_goes_where_a_planted_link_leads)
{
	const char *root = make_usual_root("root");
	const char *place = textf("%s/data/place", root);
	int port;

	ck_assert_int_eq(mkdir(place, 0755), 0);
	port = add_probe("zzlink", root, "writable = /data\nscratch = /data/place 1M", "pid");
	start_as(_i);
	ck_assert_str_ne(ask(port, ""), "");
	ck_assert(rmdir(place) == 0 && symlink("/fixed", place) == 0);
	ck_assert_str_eq(ask(port, ""), "");
	daemon_wait_log("zzlink.*mounts.*symbolic links");
	daemon_reload();
	daemon_wait_log("service zzlink: scratch: /data/place in %s has a symbolic link in it",
			root);
}
END_TEST

/* With its directory it would have another name, and another one would have its name. */
START_TEST(a_scratch_that_another_session_could_move_is_refused)
{
	const char *root = make_usual_root("root");

	ck_assert_int_eq(mkdir(textf("%s/data/a", root), 0755), 0);
	ck_assert_int_eq(mkdir(textf("%s/data/a/place", root), 0755), 0);
	add_probe("zzmoved", root, "writable = /data\nscratch = /data/a/place 1M", "pid");
	add_probe("zzslot", root, "placeholders = yes\nwritable = /data\nscratch = /data/%slot 1M",
		  "pid");
	ck_assert_int_eq(mkdir(textf("%s/data/0", root), 0755), 0);
	add_service("zzcat", CAT);
	start_as(_i);
	daemon_wait_log("ERROR: .*: service zzslot: scratch: another session could move /data/0 "
			"away, as its user may write to /data; put it somewhere else");
	daemon_wait_log(
		"ERROR: .*: service zzmoved: scratch: another session could move "
		"/data/a/place away, as its user may write to /data; put it somewhere else");
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_a_failure)
{
	int port = add_probe("zzdirectory", NULL, "directory = /nonexistent", "pid");

	start_as(_i);
	ck_assert_str_eq(ask(port, ""), "");
	daemon_wait_log("zzdirectory.*directory.*No such file");
}
END_TEST

/* --- what can't be had --- */

static void lose_the_right_to_mount(void)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) < 0)
		_exit(126);
}

START_TEST(a_service_without_its_jail_is_not_started)
{
	int jailed = add_probe("zzjailed", make_usual_root("root"), "proc = yes", "pid");
	int plain = add_service("zzplain", HELLO);

	daemon_start_with(&(struct daemon_options){ .prepare = lose_the_right_to_mount });
	ck_assert(client_is_refused(NULL, jailed));
	ck_assert_str_eq(ask(plain, ""), "hello\n");
	daemon_wait_log("usherd.conf:[0-9]+: service zzjailed: root can't be had here: usherd may "
			"make no namespaces and mounts here .* CAP_SYS_ADMIN");
}
END_TEST

START_TEST(a_jail_that_could_not_close_descriptors_is_not_started)
{
	int jailed = add_probe("zzjailed", make_usual_root("root"), "proc = yes", "pid");
	int plain = add_service("zzplain", HELLO);

	daemon_start_with(&(struct daemon_options){ .prepare = forbid_close_range });
	ck_assert(client_is_refused(NULL, jailed));
	ck_assert_str_eq(ask(plain, ""), "hello\n");
	daemon_wait_log("service zzjailed: root can't be had here: it needs close_range");
}
END_TEST

/* Somebody else could have laid the link. */
START_TEST(a_service_whose_new_jail_fails_keeps_the_old_one)
{
	const char *root = make_usual_root("root"), *loose = place_path("loose");
	const char *link = textf("%s/link", loose);
	int port = add_service("zzkept",
			       "user = %d\nroot = %s\nserver = /probe\nproc = yes\n"
			       "server_args = pid\n",
			       SOME_USER, root);

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "pid=1 0\n");
	ck_assert(mkdir(loose, 0) == 0 && chmod(loose, 01777) == 0 && symlink(root, link) == 0 &&
		  lchown(link, SOME_USER, SOME_USER) == 0);
	configuration_clear();
	add_service("zzkept", "port = %d\nuser = %d\nroot = %s\nserver = /probe\nproc = yes\n",
		    port, SOME_USER, link);
	daemon_reload();
	daemon_wait_log("ERROR: .*: service zzkept: root can't be had here: %s: .*a symbolic link",
			link);
	daemon_wait_log("Reconfigured: new=0 old=0 dropped=0 .services., 1 keep");
	ck_assert_str_eq(ask(port, ""), "pid=1 0\n");
}
END_TEST

#define OF_ROOT \
	"user = root\nroot = %s\nserver = /probe\nproc = yes\n" \
	"server_args = pid write:/proc/sys/vm/swappiness\n"

START_TEST(others_must_not_decide_what_root_runs)
{
	const char *sound = make_usual_root("sound"), *loose = make_usual_root("loose");
	int port = add_service("zzsound", OF_ROOT, sound);

	add_service("zzloose", OF_ROOT, loose);
	ck_assert_int_eq(chmod(textf("%s/probe", loose), 0757), 0);
	daemon_start();
	daemon_wait_log("service zzloose: server: %s/probe is writable by everybody", loose);
	ck_assert_str_eq(ask(port, ""), "pid=1 0\nwrite:/proc/sys/vm/swappiness=EROFS\n");
}
END_TEST

/* --- */

static void add_both(TCase *tcase, const TTest *test)
{
	for (int who = AS_ROOT; who <= AS_USER; who++)
		if (is_allowed(who))
			tcase_add_loop_test(tcase, test, who, who + 1);
}

Suite *jail_suite(void)
{
	Suite *suite = suite_create("jail");
	TCase *tcase = daemon_tcase(suite, "jail"), *of_root = daemon_tcase(suite, "of root");

	add_both(tcase, a_session_sees_what_its_jail_has);
	add_both(tcase, what_a_session_changes_is_its_own);
	add_both(tcase, every_attribute_works_alone);
	add_both(tcase, without_memory_a_session_ends_before_the_daemon);
	add_both(tcase, devices_are_those_of_the_host);
	add_both(tcase, the_host_as_root_is_read_only);
	add_both(tcase, all_processes_end_with_the_first);
	add_both(tcase, a_first_process_is_killed_in_the_end);
	add_both(tcase, nothing_is_left_of_sessions);
	add_both(tcase, a_root_can_be_replaced);
	add_both(tcase, no_mount_goes_where_a_planted_link_leads);
	add_both(tcase, a_scratch_that_another_session_could_move_is_refused);
	add_both(tcase, a_directory_that_is_not_there_is_a_failure);
	if (!is_allowed(AS_ROOT))
		return suite;
	tcase_add_test(of_root, what_a_jail_covers_of_the_host_is_not_in_it);
	tcase_add_test(of_root, a_jail_holds_where_the_daemon_is_in_a_chroot);
	if (isolation_is_allowed(enter_users)) {
		tcase_add_test(of_root, a_limit_of_namespaces_is_named_and_may_pass);
		tcase_add_test(of_root, a_template_keeps_the_only_procfs_of_a_container);
	}
	tcase_add_test(of_root, only_an_empty_network_is_used_again);
	tcase_add_test(of_root, no_network_is_used_again_where_none_can_be_entered);
	tcase_add_test(of_root, a_service_whose_new_jail_fails_keeps_the_old_one);
	tcase_add_test(of_root, a_service_without_its_jail_is_not_started);
	tcase_add_test(of_root, a_jail_that_could_not_close_descriptors_is_not_started);
	tcase_add_test(of_root, others_must_not_decide_what_root_runs);
	return suite;
}
