/* A hostile program in `preset = jail`, with a root of its own and in the host's: what it tries
 * fails, and what it uses up is its own. tests/support/programs/escape.c makes the attempts. */
#include "base/cgroup_mounts.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/isolation.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOSTILE_USER = 54329, SCRATCH = 8 << 20 };

/* --- where the program runs ---------------------------------------------------------------- */

struct jail {
	const char *root;
	const char *prefix; /* of the program's files, in the root and on the host */
	const char *prefix_on_host;
	const char *open;    /* a directory that everybody may write to, in the root */
	const char *runtime; /* where the daemon has its control socket */
};

static bool is_ordinary; /* the daemon: it has no cgroups, and the user is its own */

static void copy_program(const char *to, mode_t mode)
{
	const char *from = textf("%s/escape", getenv("TEST_PROGRAMS"));

	ck_assert_int_eq(system(textf("cp %s %s", from, to)), 0);
	ck_assert_int_eq(chmod(to, mode), 0);
}

static void make_directory(const char *path, mode_t mode)
{
	ck_assert_int_eq(mkdir(path, mode), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static const char *make_runtime(const char *path)
{
	make_directory(path, 0755);
	ck_assert_int_eq(chown(path, is_ordinary ? HOSTILE_USER : 0, (gid_t)-1), 0);
	return path;
}

/* Nothing but the program, and what jails need to be there. */
static struct jail small_root(void)
{
	static const char *const directories[] = { "tmp", "proc", "dev" };
	const char *root = place_path("root");

	make_directory(root, 0755);
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
		make_directory(textf("%s/%s", root, directories[i]), 0755);
	make_directory(textf("%s/open", root), 0777);
	return (struct jail){ root, "/", textf("%s/", root), "/open",
			      make_runtime(place_path("run")) };
}

/* The test's own directory may be in /tmp, which the program's scratch covers. */
static struct jail whole_host(void)
{
	const char *prefix = textf("/var/tmp/usherd-test-%d-", (int)getpid());
	static const char *const files[] = {
		"escape",
		"suid",
		"node",
		"run/usherd/control",
		"run/usherd",
		"run/control",
		"run/later/control",
		"run/later",
		"run",
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		place_claim(textf("%s%s", prefix, files[i]));
	return (struct jail){ "/", prefix, prefix, "/var/tmp",
			      make_runtime(textf("%srun", prefix)) };
}

static struct jail (*const jails[])(void) = { small_root, whole_host, small_root, whole_host };

enum { ORDINARY = 2, JAILS = sizeof jails / sizeof jails[0] };

static void fill_root(const struct jail *jail)
{
	copy_program(textf("%sescape", jail->prefix_on_host), 0755);
	copy_program(textf("%ssuid", jail->prefix_on_host), 04755);
	ck_assert_int_eq(mknod(textf("%snode", jail->prefix_on_host), S_IFCHR, makedev(1, 5)), 0);
	ck_assert_int_eq(chmod(textf("%snode", jail->prefix_on_host), 0666), 0);
}

/* --- what can be limited here ---------------------------------------------------------------- */

static bool can_limit(const char *controller)
{
	char path[PATH_MAX];

	return cgroup_mounts_own(NULL, path) && access(path, W_OK) == 0 &&
	       cgroup_mounts_has(controller) &&
	       (!cgroup_mounts_own(controller, path) || access(path, W_OK) == 0);
}

/* As the manual says for containers without cgroups. */
static const char *without_missing_limits(void)
{
	bool none = is_ordinary;

	return textf("%s%s%s", !none && can_limit("memory") ? "" : "memory = UNLIMITED\n",
		     !none && can_limit("cpu") ? "" : "cpu = UNLIMITED\n",
		     !none && can_limit("pids") ? ""
						: "processes = UNLIMITED\nrlimit_nproc = 64\n");
}

static void become_ordinary(void)
{
	if (setgroups(0, NULL) < 0 || setgid(HOSTILE_USER) < 0 || setuid(HOSTILE_USER) < 0)
		_exit(126);
}

static int make_user_namespace(void)
{
	become_ordinary();
	return unshare(CLONE_NEWUSER);
}

static void start(void)
{
	if (is_ordinary)
		ck_assert_int_eq(chown(place_path(""), HOSTILE_USER, (gid_t)-1), 0);
	daemon_start_with(
		&(struct daemon_options){ .prepare = is_ordinary ? become_ordinary : NULL });
}

/* --- attempts --------------------------------------------------------------------------------- */

static const struct {
	const char *name, *what;
	int errors[4]; /* what the attempt may fail with */
} attempts[] = {
	{ "another_session_left_something", "find a file in /tmp at the start", { ENOENT } },
	{ "read_shadow", "read /etc/shadow", { EACCES, ENOENT } },
	{ "read_hidden", "read a file outside of the root", { ENOENT } },
	{ "read_through_process_1", "the same by /proc/1/root", { ENOENT, EACCES } },
	{ "read_through_working_directory", "the same by /proc/1/cwd", { ENOENT, EACCES } },
	{ "climb_out", "the same by ..", { ENOENT } },
	{ "chroot_twice", "the same by chroot(2)", { EPERM } },
	{ "write_root", "make a file in the root", { EROFS, EACCES } },
	{ "write_open", "make a file in a directory that everybody may write to", { EROFS } },
	{ "write_program", "write to the program's own file", { EROFS, ETXTBSY, EACCES } },
	{ "make_disk", "make a block device", { EPERM } },
	{ "make_memory", "make a character device", { EPERM } },
	{ "read_memory", "read /dev/mem", { ENOENT } },
	{ "read_disk", "read /dev/sda", { ENOENT } },
	{ "read_node", "read a device that lies in the root", { EACCES } },
	{ "read_kernel_memory", "read /proc/kcore", { EACCES, EPERM, ENODATA, ENOENT } },
	{ "write_core_pattern", "write to /proc/sys", { EACCES, EROFS } },
	{ "write_sysrq", "write to /proc/sysrq-trigger", { EACCES, EROFS, ENOENT } },
	{ "leave_cgroup", "write to the cgroup of others", { EACCES, EROFS, ENOENT } },
	{ "see_processes", "see others in /proc", { ESRCH } },
	{ "signal_victim", "kill another process of the same user", { ESRCH } },
	{ "trace_victim", "trace it", { EPERM, ESRCH } },
	{ "read_victim", "read its memory", { EPERM, ESRCH } },
	{ "trace_own", "be traced", { EPERM } },
	{ "reach_loopback", "connect to 127.0.0.1", { ENETUNREACH, EACCES, EPERM } },
	{ "reach_loopback_by_datagram", "send to 127.0.0.1", { ENETUNREACH, EPERM } },
	{ "reach_loopback6", "connect to ::1", { ENETUNREACH, EADDRNOTAVAIL, EACCES, EPERM } },
	{ "reach_abstract_socket", "connect to an abstract socket", { ECONNREFUSED, EPERM } },
	{ "reach_control", "ask the daemon at its control socket", { ENOENT, EACCES, EPERM } },
	{ "open_raw_socket", "open a raw socket", { EPERM } },
	{ "open_packet_socket", "open a packet socket", { EPERM, EAFNOSUPPORT } },
	{ "reach_queue", "open a message queue of the host", { ENOENT } },
	{ "add_key", "add a key to the session's keyring", { EPERM } },
	{ "read_session_keyring", "look at the session's keyring", { EPERM } },
	{ "use_descriptors", "find a descriptor besides 0, 1 and 2", { EBADF } },
	{ "run_suid", "run a setuid program of root's", { EPERM } },
	{ "become_root", "setuid(0)", { EPERM, EINVAL } },
	{ "mount_something", "mount a file system", { EPERM } },
	{ "make_writable", "mount the root writable", { EPERM } },
	{ "unmount_scratch", "unmount /tmp", { EPERM } },
	{ "pivot", "pivot_root(2)", { EPERM } },
	{ "make_user_namespace", "unshare(2) a user namespace", { EPERM } },
	{ "clone_user_namespace", "clone(2) into a user namespace", { EPERM } },
	{ "enter_namespace", "setns(2)", { EPERM } },
	{ "bpf", "bpf(2)", { EPERM } },
	{ "perf_event_open", "perf_event_open(2)", { EPERM } },
	{ "userfaultfd", "userfaultfd(2)", { EPERM } },
	{ "io_uring_setup", "io_uring_setup(2)", { EPERM } },
	{ "io_setup", "take the machine's requests of io_setup(2)", { EPERM } },
	{ "init_module", "init_module(2)", { EPERM } },
	{ "kexec_load", "kexec_load(2)", { EPERM } },
	{ "swapoff", "swapoff(2)", { EPERM } },
	{ "reboot", "reboot(2)", { EPERM } },
	{ "sethostname", "sethostname(2)", { EPERM } },
	{ "open_by_handle_at", "open_by_handle_at(2)", { EPERM } },
	{ "personality", "personality(2)", { EPERM } },
	{ "set_clock", "set the clock", { EPERM } },
	{ "allow_core_files", "raise the limit for core files", { EPERM } },
	{ "allow_large_files", "raise the limit for files", { EPERM } },
	{ "go_before_others", "a higher priority", { EACCES, EPERM } },
	{ "run_in_real_time", "a real-time priority", { EPERM } },
	{ "lock_memory", "lock 16 MiB of memory", { ENOMEM, EAGAIN, EPERM } },
	{ "use_up_descriptors", "open files without end", { EMFILE } },
	{ "use_up_processes", "make processes without end", { EAGAIN } },
	{ "fill_scratch", "write to /tmp without end", { ENOSPC } },
	{ "use_up_inodes", "make files in /tmp without end", { ENOSPC } },
	{ "write_large_file", "write a file of a terabyte", { EFBIG } },
};

enum { ATTEMPTS = sizeof attempts / sizeof attempts[0] };

static bool may_fail_with(size_t attempt, int error)
{
	for (size_t i = 0; i < 4; i++)
		if (error != 0 && attempts[attempt].errors[i] == error)
			return true;
	return false;
}

/* What is wrong with the program's answer, a line for each attempt; "": nothing. */
static const char *judge(const char *answer)
{
	const char *wrong = "";
	int count = 0, error, length;
	char name[64];

	for (; sscanf(answer, "%63s %d\n%n", name, &error, &length) == 2; answer += length) {
		if (count >= ATTEMPTS || strcmp(name, attempts[count].name) != 0)
			return textf("%s%s is not in the table\n", wrong, name);
		if (!may_fail_with((size_t)count, error))
			wrong = textf("%s%s (%s): %s\n", wrong, name, attempts[count].what,
				      error == 0  ? "it can"
				      : error < 0 ? "no answer"
						  : strerror(error));
		count++;
	}
	return count == ATTEMPTS ? wrong : textf("%sonly %d attempts\n", wrong, count);
}

/* --- what is there to be reached ------------------------------------------------------------ */

static void serve_abstract_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, name, strlen(name));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					  strlen(name))),
			 0);
	ck_assert_int_eq(listen(fd, 8), 0);
}

static int add_hostile(const struct jail *jail, const char *name, const char *mode,
		       const char *lines)
{
	return add_service(name,
			   "preset = jail\nuser = %d\nroot = %s\nserver = %sescape\n"
			   "server_args = %s\nscratch = /tmp %d\n%s%s%s",
			   HOSTILE_USER, jail->root, jail->prefix, mode, SCRATCH, lines,
			   without_missing_limits(), log_everything());
}

/* Every one of them can be reached without the jail; see without_a_jail. */
static const char *targets(const struct jail *jail, int port, pid_t victim, int queue)
{
	const char *name = textf("usherd-test-%d", (int)getpid());
	const char *hidden = textf("/tmp/%s-hidden", name);

	place_claim(hidden);
	ck_assert_int_eq(system(textf("echo found >%s && chmod 644 %s", hidden, hidden)), 0);
	serve_abstract_socket(name);
	return textf("env = HIDDEN=%s OPEN=%s SUID=%ssuid NODE=%snode VICTIM=%d PORT=%d "
		     "ABSTRACT=%s QUEUE=%d CONTROL=%s/control\n",
		     hidden, jail->open, jail->prefix, jail->prefix, (int)victim, port, name, queue,
		     jail->runtime);
}

/* A session of the same user, which must be there at the end. */
static int hold_victim(int port, pid_t *pid)
{
	int fd = client_hold(port);

	*pid = process_child(daemon_pid());
	return fd;
}

START_TEST(every_attempt_fails)
{
	struct jail jail;
	int plain, port, held, key = 0x75736800 + (int)getpid() % 256;
	int queue = 0;
	pid_t victim;
	const char *first, *second;

	if (!is_superuser())
		return;
	is_ordinary = _i >= ORDINARY;
	if (is_ordinary && !isolation_is_allowed(make_user_namespace))
		return;
	jail = jails[_i]();
	fill_root(&jail);
	configure("daemon\n{\ncontrol_socket = %s/control\n}\n", jail.runtime);
	plain = add_service("zzcat", CAT "user = %d\n", HOSTILE_USER);
	start();
	held = hold_victim(plain, &victim);
	port = add_hostile(&jail, "zzescape", "attempts", targets(&jail, plain, victim, key));
	daemon_reload();
	queue = msgget(key, IPC_CREAT | 0666);
	first = ask(port, "");
	second = ask(port, "");
	msgctl(queue, IPC_RMID, NULL);
	ck_assert_str_eq(judge(first), "");
	ck_assert_str_eq(judge(second), "");
	client_ping(held);
}
END_TEST

/* --- sockets that are hidden ----------------------------------------------------------------- */

static void serve_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
}

static void start_as_ordinary(const char *environment)
{
	ck_assert_int_eq(chown(place_path(""), HOSTILE_USER, (gid_t)-1), 0);
	daemon_start_with(&(struct daemon_options){
		.prepare = become_ordinary,
		.environment = (const char *const[]){ environment, NULL },
	});
}

static int add_plain(const struct jail *jail, const char *lines)
{
	return add_service("zzplain",
			   "user = %d\nserver = %sescape\n%s"
			   "server_args = attempts reach_control\n",
			   HOSTILE_USER, jail->prefix, lines);
}

/* EPERM: an older kernel, where a jail can't connect to anything. */
static void check_that_only_plain_reaches(int plain, int jailed)
{
	const char *answer;

	ck_assert_str_eq(ask(plain, ""), "reach_control 0\n");
	answer = ask(jailed, "");
	ck_assert_msg(text_matches(answer, textf("^reach_control (%d|%d)$", ENOENT, EPERM)), "%s",
		      answer);
}

/* The host as root of an ordinary daemon. False: there can be none here. */
static bool have_host_of_ordinary(struct jail *jail)
{
	is_ordinary = true;
	if (!is_superuser() || !isolation_is_allowed(make_user_namespace))
		return false;
	*jail = whole_host();
	fill_root(jail);
	return true;
}

/* Also where the program has the daemon's user and sees its files. */
START_TEST(the_daemon_hides_its_control_socket)
{
	bool is_default = _i == 0;
	struct jail jail;
	int plain, jailed;
	const char *lines;

	if (!have_host_of_ordinary(&jail))
		return;
	if (!is_default)
		configure("daemon\n{\ncontrol_socket = %s/control\n}\n", jail.runtime);
	lines = textf("env = CONTROL=%s/%scontrol\n", jail.runtime, is_default ? "usherd/" : "");
	plain = add_plain(&jail, lines);
	jailed = add_hostile(&jail, "zzjailed", "attempts reach_control", lines);
	start_as_ordinary(textf("XDG_RUNTIME_DIR=%s", is_default ? jail.runtime : "/nowhere"));
	check_that_only_plain_reaches(plain, jailed);
}
END_TEST

/* As that of a user, who logs in later. */
START_TEST(a_directory_that_comes_later_is_hidden_too)
{
	struct jail jail;
	int plain, jailed;
	const char *later, *lines;

	if (!have_host_of_ordinary(&jail))
		return;
	later = textf("%s/later", jail.runtime);
	lines = textf("env = CONTROL=%s/control\n", later);
	configure("daemon\n{\ncontrol_socket = control\n}\n");
	plain = add_plain(&jail, lines);
	jailed = add_hostile(&jail, "zzjailed", "attempts reach_control", lines);
	start_as_ordinary(textf("XDG_RUNTIME_DIR=%s/", later));
	make_directory(later, 0700);
	serve_socket(textf("%s/control", later));
	ck_assert_int_eq(chown(later, HOSTILE_USER, (gid_t)-1), 0);
	check_that_only_plain_reaches(plain, jailed);
}
END_TEST

/* As that of root, which sudo and su may leave in the environment; and what is no directory. */
START_TEST(a_directory_that_nobody_can_enter_needs_no_hiding)
{
	struct jail jail;
	const char *closed;
	int port;

	if (!have_host_of_ordinary(&jail))
		return;
	closed = textf("%s/later", jail.runtime);
	if (_i == 0)
		make_directory(closed, 0700);
	configure("daemon\n{\ncontrol_socket = control\n}\n");
	port = add_hostile(&jail, "zzjailed", "attempts read_memory", "");
	if (_i > 0)
		ck_assert_int_eq(mknod(closed, S_IFREG | 0644, 0), 0);
	start_as_ordinary(textf("XDG_RUNTIME_DIR=%s", closed));
	ck_assert_str_eq(ask(port, ""), textf("read_memory %d\n", ENOENT));
}
END_TEST

/* It would be hidden too. */
START_TEST(a_server_beside_the_control_socket_is_refused)
{
	struct jail jail;

	if (!have_host_of_ordinary(&jail))
		return;
	configure("daemon\n{\ncontrol_socket = /var/tmp/usherd-test-%d-control\n}\n",
		  (int)getpid());
	add_hostile(&jail, "zzjailed", "attempts", "");
	add_service("zzcat", CAT);
	start();
	daemon_wait_log("ERROR: .*usherd.conf:%d: service zzjailed: root can't be had here: the "
			"server is in /var/tmp, which is hidden as sockets",
			configuration_line("service zzjailed"));
}
END_TEST

/* A session could give the directory another name, under which it is not hidden from the next. */
START_TEST(what_is_hidden_cannot_be_moved)
{
	struct jail jail;

	if (!have_host_of_ordinary(&jail))
		return;
	make_directory(textf("%s/later", jail.runtime), 0755);
	configure("daemon\n{\ncontrol_socket = %s/later/control\n}\n", jail.runtime);
	add_hostile(&jail, "zzjailed", "attempts", "writable = /var/tmp\n");
	add_service("zzcat", CAT);
	start();
	daemon_wait_log("ERROR: .*usherd.conf:%d: service zzjailed: writable can't be had here: a "
			"program could give another name to a directory above %s/later, which is "
			"hidden as sockets",
			configuration_line("service zzjailed"), jail.runtime);
}
END_TEST

START_TEST(the_connection_leads_nowhere_else)
{
	struct jail jail;
	int plain, port, fd;

	is_ordinary = _i == ORDINARY;
	if (!is_superuser() || (is_ordinary && !isolation_is_allowed(make_user_namespace)))
		return;
	jail = small_root();
	fill_root(&jail);
	plain = add_service("zzcat", CAT "user = %d\n", HOSTILE_USER);
	port = add_hostile(&jail, "zzreconnect", "reconnect",
			   textf("env = PORT=%d\nkill_on_disconnect = no\n", plain));
	start();
	fd = client_connect(NULL, port);
	service_wait_log("EXIT: zzreconnect status=(%d|%d|%d) ", EINPROGRESS, EACCES, EPERM);
	client_expect_end(fd);
}
END_TEST

static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Kernels may give locks of sockets, and Landlock for networks, or not. */
START_TEST(the_connection_takes_no_part_in_the_hosts_network)
{
	static const char ends[] = "kill_on_disconnect = no\n";
	struct jail jail;
	int plain, by_sending, by_binding, by_listening;
	bool has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4;

	is_ordinary = _i == ORDINARY;
	if (!is_superuser() || (is_ordinary && !isolation_is_allowed(make_user_namespace)))
		return;
	jail = small_root();
	fill_root(&jail);
	plain = add_service("zzcat", CAT "user = %d\n", HOSTILE_USER);
	by_sending = add_hostile(&jail, "zzsend", "send",
				 textf("env = PORT=%d\nsyscalls = all\n%s", plain, ends));
	by_binding = add_hostile(&jail, "zzbind", textf("serve %d", free_port()), ends);
	by_listening = add_hostile(&jail, "zzlisten", "serve 0", ends);
	start();
	client_connect(NULL, by_sending);
	service_wait_log("EXIT: zzsend status=(%d|%d|%d) ", EINPROGRESS, EAGAIN, EPERM);
	client_connect(NULL, by_binding);
	service_wait_log("EXIT: zzbind status=%s ",
			 has_landlock ? textf("(%d|%d)", EACCES, EPERM) : "[0-9]+");
	client_connect(NULL, by_listening);
	service_wait_log("EXIT: zzlisten status=%s ", is_ordinary ? textf("%d", EPERM) : "[0-9]+");
}
END_TEST

/* --- what lasts ------------------------------------------------------------------------------- */

static unsigned count_hostile_processes(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	struct stat status;
	unsigned count = 0;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			 stat(textf("/proc/%s", entry->d_name), &status) == 0 &&
			 status.st_uid == HOSTILE_USER;
	closedir(directory);
	return count;
}

/* Sleeping for ever, ignoring signals, leaving in a session of its own, and filling the socket
 * of a client that does not read: all at a time, as each takes until its time is over. */
START_TEST(no_session_outlives_its_time)
{
	static const char ends[] = "max_runtime = 1\nkill_timeout = 1\n";
	struct jail jail;
	int stay, leave, flood, fd;

	if (!is_superuser())
		return;
	jail = small_root();
	fill_root(&jail);
	stay = add_hostile(&jail, "zzstay", "stay", ends);
	leave = add_hostile(&jail, "zzleave", "leave", "");
	flood = add_hostile(&jail, "zzflood", "flood", ends);
	daemon_start();
	fd = client_connect(NULL, stay);
	client_expect(fd, "staying\n");
	client_connect(NULL, flood);
	ck_assert_str_eq(ask(leave, ""), "");
	service_wait_log("EXIT: zzleave status=0");
	service_wait_log("EXIT: zzflood signal=9");
	service_wait_log("EXIT: zzstay signal=9");
	client_expect_end(fd);
	wait_until(count_hostile_processes() == 0);
}
END_TEST

START_TEST(memory_that_is_eaten_is_its_own)
{
	struct jail jail;
	int port, plain, held;

	if (!is_superuser() || !can_limit("memory"))
		return;
	jail = small_root();
	fill_root(&jail);
	port = add_hostile(&jail, "zzeat", "eat", "memory = 16M\n");
	plain = add_service("zzcat", CAT);
	daemon_start();
	held = client_hold(plain);
	ck_assert_str_eq(ask(port, ""), "eating\n");
	service_wait_log("EXIT: zzeat signal=9");
	client_ping(held);
	wait_until(count_hostile_processes() == 0);
}
END_TEST

/* The attempts are possible where nothing forbids them: they are no empty words. */
START_TEST(without_the_jail_some_succeed)
{
	static const char *const possible[] = {
		"read_hidden",           "write_open",    "read_node",
		"see_processes",         "signal_victim", "reach_loopback",
		"reach_abstract_socket", "reach_queue",   "run_suid",
	};
	enum { POSSIBLE = sizeof possible / sizeof possible[0] };
	const char *names = "";
	int plain, port, key = 0x75736800 + (int)getpid() % 256;
	struct jail jail;
	const char *answer;
	pid_t victim;
	int queue;

	if (!is_superuser())
		return;
	jail = whole_host();
	jail.open = place_path("open");
	make_directory(jail.open, 0777);
	for (size_t i = 0; i < POSSIBLE; i++)
		names = textf("%s %s", names, possible[i]);
	fill_root(&jail);
	plain = add_service("zzcat", CAT "user = %d\n", HOSTILE_USER);
	daemon_start();
	hold_victim(plain, &victim);
	port = add_service("zzescape", "user = %d\nserver = %sescape\nserver_args = attempts%s\n%s",
			   HOSTILE_USER, jail.prefix, names, targets(&jail, plain, victim, key));
	daemon_reload();
	queue = msgget(key, IPC_CREAT | 0666);
	answer = ask(port, "");
	msgctl(queue, IPC_RMID, NULL);
	for (size_t i = 0; i < POSSIBLE; i++)
		ck_assert_msg(text_matches(answer, textf("^%s 0$", possible[i])), "%s in\n%s",
			      possible[i], answer);
}
END_TEST

Suite *escape_suite(void)
{
	Suite *suite = suite_create("escape");
	TCase *own = daemon_tcase(suite, "jail with a root");
	TCase *ordinary = daemon_tcase(suite, "jail without root");
	TCase *host = daemon_tcase(suite, "jail in the host's root");

	tcase_add_loop_test(own, every_attempt_fails, 0, 1);
	tcase_add_loop_test(ordinary, every_attempt_fails, ORDINARY, JAILS);
	tcase_add_loop_test(ordinary, the_daemon_hides_its_control_socket, 0, 2);
	tcase_add_test(ordinary, a_directory_that_comes_later_is_hidden_too);
	tcase_add_loop_test(ordinary, a_directory_that_nobody_can_enter_needs_no_hiding, 0, 2);
	tcase_add_test(ordinary, a_server_beside_the_control_socket_is_refused);
	tcase_add_test(ordinary, what_is_hidden_cannot_be_moved);
	tcase_add_loop_test(own, the_connection_leads_nowhere_else, 0, 1);
	tcase_add_loop_test(own, the_connection_takes_no_part_in_the_hosts_network, 0, 1);
	tcase_add_loop_test(ordinary, the_connection_leads_nowhere_else, ORDINARY, ORDINARY + 1);
	tcase_add_loop_test(ordinary, the_connection_takes_no_part_in_the_hosts_network, ORDINARY,
			    ORDINARY + 1);
	tcase_add_test(own, no_session_outlives_its_time);
	tcase_add_test(own, memory_that_is_eaten_is_its_own);
	tcase_add_loop_test(host, every_attempt_fails, 1, 2);
	tcase_add_test(host, without_the_jail_some_succeed);
	return suite;
}
