/* What a session must not do: no_new_privs, capabilities, syscalls, allow_read, allow_write and
 * allow_execute. tests/support/programs/trespass.c tries it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOME_USER = 54321 };

static const char *session_user = "";

/* The user of the daemon in tests of a daemon that is not root's. */
static void become_somebody(void)
{
	if (is_superuser() &&
	    (setgroups(0, NULL) < 0 || setgid(SOME_USER) < 0 || setuid(SOME_USER) < 0))
		_exit(126);
}

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		       LANDLOCK_CREATE_RULESET_VERSION);
}

/* --- what the program finds --- */

static void make_directory(const char *name)
{
	ck_assert_int_eq(mkdir(place_path(name), 0777), 0);
	ck_assert_int_eq(chmod(place_path(name), 0777), 0);
}

static void make_file(const char *name)
{
	place_write(name, "content\n");
	ck_assert_int_eq(chmod(place_path(name), 0666), 0);
}

static void copy_program(const char *directory, mode_t mode)
{
	const char *made = place_program("trespass"), *copy;

	make_directory(directory);
	ck_assert_int_eq(chmod(place_path(directory), mode & 0777), 0);
	copy = place_path(textf("%s/trespass", directory));
	ck_assert_int_eq(rename(made, copy), 0);
	ck_assert_int_eq(chmod(copy, mode), 0);
}

/* Everybody may do everything here, so what is refused is refused by the rules alone. */
static void make_files(void)
{
	copy_program("run", 0755);
	copy_program("writable", 0777);
	copy_program("setuid", 04755);
	make_directory("readable");
	make_directory("secret");
	make_directory("secret/empty");
	make_file("readable/file");
	make_file("secret/file");
	ck_assert_int_eq(symlink("../secret/file", place_path("writable/link")), 0);
}

/* Where programs of this machine need what. */
#define SYSTEM "allow_execute = -/usr -/lib -/lib64 -/bin\n"

static const char *file_rules(void)
{
	return textf(SYSTEM "allow_execute += %s %s\nallow_read = %s /proc\nallow_write = %s\n",
		     place_path("run"), place_path("setuid"), place_path("readable"),
		     place_path("writable"));
}

static const char *socket_name(void)
{
	return textf("usherd-test-%d", (int)getpid());
}

/* An abstract socket that belongs to no session. */
static void listen_abstract(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(socket_name());

	memcpy(address.sun_path + 1, socket_name(), length);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)),
			 0);
	ck_assert_int_eq(listen(fd, 8), 0);
}

static int add_trespass(const char *lines)
{
	return add_service("zztrespass", "server = %s\nserver_args = %s %s\n%s%s",
			   place_path("run/trespass"), place_path(""), socket_name(), session_user,
			   lines);
}

static const char *value_of(const char *report, const char *name)
{
	const char *found = strstr(textf("\n%s", report), textf("\n%s=", name));

	ck_assert_msg(text_matches(report, "^end=1$"), "an incomplete report: %s\n%s", report,
		      daemon_log());
	ck_assert_msg(found != NULL, "no %s in %s", name, report);
	found += strlen(name) + 2;
	return textf("%.*s", (int)strcspn(found, "\n"), found);
}

struct expected {
	const char *name;
	int error;
};

static void expect(const char *report, const struct expected *expected, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(atoi(value_of(report, expected[i].name)) == expected[i].error,
			      "%s: %s and not %d in\n%s", expected[i].name,
			      value_of(report, expected[i].name), expected[i].error, report);
}

#define EXPECT(report, table) expect(report, table, sizeof(table) / sizeof((table)[0]))

static void expect_text(const char *report, const char *name, const char *text)
{
	ck_assert_msg(strcmp(value_of(report, name), text) == 0, "%s: %s and not %s in\n%s", name,
		      value_of(report, name), text, report);
}

static const struct expected calls_with_filter[] = {
	{ "mount", EPERM },           { "ptrace", EPERM },
	{ "unshare", EPERM },         { "unshare_files", 0 },
	{ "clone_user", EPERM },      { "clone", 0 },
	{ "clone3", ENOSYS },         { "setns", EPERM },
	{ "personality", EPERM },     { "personality_question", 0 },
	{ "keyctl", EPERM },          { "add_key", EPERM },
	{ "request_key", EPERM },     { "bpf", EPERM },
	{ "perf_event_open", EPERM }, { "userfaultfd", EPERM },
	{ "io_uring_setup", EPERM },  { "io_uring_enter", EPERM },
	{ "pivot_root", EPERM },      { "reboot", EPERM },
	{ "swapon", EPERM },          { "init_module", EPERM },
	{ "kexec_load", EPERM },      { "process_vm_readv", EPERM },
	{ "unknown", ENOSYS },        { "socket_inet", 0 },
	{ "socket_unix", 0 },         { "socket_netfilter", EPERM },
	{ "socket_packet", EPERM },   { "socket_vsock", EPERM },
	{ "socket_alg", EPERM },      { "socket_high", EPERM },
};

static const struct expected files_with_rules[] = {
	{ "read", 0 },
	{ "list", 0 },
	{ "read_outside", EACCES },
	{ "list_outside", EACCES },
	{ "read_by_link", EACCES },
	{ "read_by_dots", EACCES },
	{ "read_passwd", EACCES },
	{ "read_by_proc", EACCES },
	{ "create", 0 },
	{ "write", EACCES },
	{ "write_outside", EACCES },
	{ "create_outside", EACCES },
	{ "mkdir_outside", EACCES },
	{ "fifo_outside", EACCES },
	{ "truncate_outside", EACCES },
	{ "truncate_readable", EACCES },
	{ "truncate_by_open", EACCES },
	{ "truncate_by_mode_3", EACCES },
	{ "size", 8 },
	{ "rename", 0 },
	{ "unlink", 0 },
	{ "unlink_outside", EACCES },
	{ "rmdir_outside", EACCES },
	{ "run_inside", 0 },
	{ "run_outside", EACCES },
};

/* The directories differ, so EXDEV is as good: nothing moves. */
static void expect_nothing_moved(const char *report)
{
	static const char *const names[] = { "rename_out", "rename_in", "link_in" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int error = atoi(value_of(report, names[i]));

		ck_assert_msg(error == EACCES || error == EXDEV, "%s in %s", names[i], report);
	}
	ck_assert_str_eq(place_read("secret/file"), "content\n");
	ck_assert_str_eq(place_read("readable/file"), "content\n");
}

/* From version 6 of Landlock on. From version 3 on a file of one's own can be truncated. */
static void expect_scopes(const char *report)
{
	if (landlock_version() >= 6) {
		ck_assert_int_eq(atoi(value_of(report, "abstract")), EPERM);
		ck_assert_int_eq(atoi(value_of(report, "signal")), EPERM);
	}
	ck_assert_int_eq(atoi(value_of(report, "truncate_own")),
			 landlock_version() >= 3 ? 0 : EACCES);
}

static void expect_everything_refused(const char *report)
{
	EXPECT(report, calls_with_filter);
	EXPECT(report, files_with_rules);
	expect_nothing_moved(report);
	expect_scopes(report);
	expect_text(report, "NoNewPrivs", "1");
	expect_text(report, "Seccomp", "2");
	ck_assert_msg(!text_matches(report, "^identity=.* 0$") || *session_user == 'r', "%s",
		      report);
}

static void expect_no_capabilities(const char *report)
{
	expect_text(report, "CapEff", "0000000000000000");
	expect_text(report, "CapPrm", "0000000000000000");
	expect_text(report, "CapInh", "0000000000000000");
	expect_text(report, "CapAmb", "0000000000000000");
}

/* It is allowed, as far as the container of the tests allows it. */
static void expect_keyctl(const char *report)
{
	long result = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

	ck_assert_int_eq(atoi(value_of(report, "keyctl")), result < 0 ? errno : 0);
}

/* --- as root, as a user, without root --- */

static bool setuid_works(void)
{
	struct statvfs status;

	return statvfs(place_path(""), &status) == 0 && !(status.f_flag & ST_NOSUID);
}

/* Without any of the attributes the attempts succeed: the others show something. */
START_TEST(a_plain_session_may_do_it)
{
	static const struct expected allowed[] = {
		{ "ptrace", 0 },           { "socket_route", 0 },  { "read_outside", 0 },
		{ "read_by_link", 0 },     { "write_outside", 0 }, { "create_outside", 0 },
		{ "truncate_by_open", 0 }, { "size", 0 },          { "rename_out", 0 },
		{ "abstract", 0 },         { "run_outside", 0 },
	};
	const char *report;
	int port;

	make_files();
	listen_abstract();
	port = add_trespass("");
	daemon_start();
	report = ask(port, "");
	EXPECT(report, allowed);
	expect_keyctl(report);
	expect_text(report, "NoNewPrivs", process_status(getpid(), "NoNewPrivs"));
	expect_text(report, "Seccomp", process_status(getpid(), "Seccomp"));
	if (is_superuser() && setuid_works())
		ck_assert_msg(text_matches(report, "^identity=[1-9][0-9]* 0$"), "%s", report);
}
END_TEST

START_TEST(all_together_refuse_it)
{
	const char *report;
	int port;

	make_files();
	listen_abstract();
	port = add_trespass(textf("no_new_privs = yes\ncapabilities = none\nsyscalls = default\n%s",
				  file_rules()));
	daemon_start();
	report = ask(port, "");
	expect_everything_refused(report);
	expect_no_capabilities(report);
	if (is_superuser())
		expect_text(report, "CapBnd", "0000000000000000");
}
END_TEST

START_TEST(an_ordinary_user_can_refuse_it_too)
{
	const char *report;
	int port;

	make_files();
	listen_abstract();
	port = add_trespass(textf("no_new_privs = yes\ncapabilities = none\nsyscalls = default\n%s",
				  file_rules()));
	if (is_superuser())
		ck_assert_int_eq(chown(place_path(""), SOME_USER, (gid_t)-1), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = become_somebody });
	report = ask(port, "");
	expect_everything_refused(report);
	expect_no_capabilities(report);
}
END_TEST

/* Each attribute alone is enough for what it is about. */
START_TEST(file_rules_need_no_filter)
{
	const char *report;
	int port;

	make_files();
	listen_abstract();
	port = add_trespass(file_rules());
	daemon_start();
	report = ask(port, "");
	EXPECT(report, files_with_rules);
	expect_nothing_moved(report);
	expect_scopes(report);
	expect_text(report, "NoNewPrivs", "1");
	ck_assert_int_eq(atoi(value_of(report, "ptrace")), 0);
}
END_TEST

START_TEST(a_filter_can_be_changed)
{
	static const struct expected expected[] = {
		{ "ptrace", 0 },       { "socket_route", EPERM }, { "socket_alg", EPERM },
		{ "read_outside", 0 }, { "clone_user", EPERM },   { "mkdir_outside", EPERM },
	};
	const char *report;
	int port;

	make_files();
	port = add_trespass("syscalls = default +ptrace +@keys -@network -mkdir -mkdirat\n");
	daemon_start();
	report = ask(port, "");
	EXPECT(report, expected);
	expect_keyctl(report);
	expect_text(report, "Seccomp", "2");
}
END_TEST

/* Services with the same words have one filter; a reload gives each its own. */
START_TEST(a_reload_changes_the_filter)
{
	int port, other, fixed = port_take();
	const char *same_port = textf("port = %d\n", fixed);

	make_files();
	port = add_trespass(textf("syscalls = default\n%s", same_port));
	other = add_service("zzother", "server = %s\nserver_args = %s\nsyscalls = default\n",
			    place_path("run/trespass"), place_path(""));
	(void)port;
	daemon_start();
	ck_assert_str_eq(value_of(ask(fixed, ""), "ptrace"), textf("%d", EPERM));
	ck_assert_str_eq(value_of(ask(other, ""), "ptrace"), textf("%d", EPERM));
	configuration_clear();
	add_trespass(textf("syscalls = default +ptrace\n%s", same_port));
	daemon_reload();
	ck_assert_str_eq(value_of(ask(fixed, ""), "ptrace"), "0");
}
END_TEST

/* --- capabilities, as root --- */

static const struct {
	const char *lines, *effective, *bounding, *ambient;
} capability_sets[] = {
	{ "user = nobody\ncapabilities = none\n", "0000000000000000", "0000000000000000",
	  "0000000000000000" },
	{ "user = nobody\ncapabilities = CHOWN cap_net_bind_service\n", "0000000000000401",
	  "0000000000000401", "0000000000000401" },
	{ "user = root\ncapabilities = none\n", "0000000000000000", "0000000000000000",
	  "0000000000000000" },
	{ "user = root\ncapabilities = CHOWN\nsyscalls = default\n", "0000000000000001",
	  "0000000000000001", "0000000000000000" },
};

START_TEST(a_program_has_exactly_its_capabilities)
{
	const char *report;
	int port;

	make_files();
	session_user = "";
	port = add_trespass(capability_sets[_i].lines);
	daemon_start();
	report = ask(port, "");
	expect_text(report, "CapEff", capability_sets[_i].effective);
	expect_text(report, "CapPrm", capability_sets[_i].effective);
	expect_text(report, "CapBnd", capability_sets[_i].bounding);
	expect_text(report, "CapAmb", capability_sets[_i].ambient);
}
END_TEST

/* --- what can't be kept --- */

START_TEST(without_root_capabilities_are_not_given)
{
	int named, lone;

	named = add_service("zznamed", HELLO "capabilities = CHOWN\nno_new_privs = yes\n");
	lone = add_service("zzlone", HELLO "capabilities = none\n");
	add_service("zzhello", HELLO);
	if (is_superuser())
		ck_assert_int_eq(chown(place_path(""), SOME_USER, (gid_t)-1), 0);
	daemon_start_with(&(struct daemon_options){ .prepare = become_somebody });
	daemon_wait_log("service zznamed: capabilities can't be kept here: only root");
	daemon_wait_log("service zzlone: capabilities can't be kept here: without root .* it needs "
			"no_new_privs = yes");
	ck_assert(client_is_refused(NULL, named));
	ck_assert(client_is_refused(NULL, lone));
}
END_TEST

/* As a kernel without Landlock does, for the daemon and all that it starts. */
static void have_no_landlock(void)
{
	struct sock_filter list[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof list / sizeof list[0], list };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		_exit(126);
}

START_TEST(without_landlock_only_that_service_is_not_started)
{
	int restricted = add_service("zzfiles", HELLO SYSTEM),
	    plain = add_service("zzhello", HELLO);

	daemon_start_with(&(struct daemon_options){ .prepare = have_no_landlock });
	daemon_wait_log(
		"ERROR: .*:%d: service zzfiles: allow_execute can't be kept here: the kernel "
		"has no Landlock; use one from 5\\.13 on, with CONFIG_SECURITY_LANDLOCK$",
		configuration_line("^service zzfiles"));
	ck_assert(client_is_refused(NULL, restricted));
	ck_assert_str_eq(ask(plain, ""), "hello\n");
}
END_TEST

/* What is found to be wrong only in a session ends its start. */
START_TEST(a_path_that_vanishes_ends_the_launch)
{
	int port = add_service("zzfiles", HELLO SYSTEM "allow_read = %s\n%s",
			       place_path("readable"), log_everything());
	int other =
		add_service("zzmissing", HELLO SYSTEM "allow_read = -%s\n", place_path("readable"));

	make_directory("readable");
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_int_eq(rmdir(place_path("readable")), 0);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzfiles exec from=");
	daemon_wait_log("files /bin/echo: No such file or directory");
	ck_assert_str_eq(ask(other, ""), "hello\n");
}
END_TEST

/* --- the suite --- */

static void as_nobody(void)
{
	session_user = is_superuser() ? "user = nobody\n" : "";
}

/* Programs of users other than the daemon's. */
static void add_user_tests(Suite *suite)
{
	TCase *tests = daemon_tcase(suite, "users");

	tcase_add_checked_fixture(tests, as_nobody, NULL);
	tcase_add_test(tests, a_plain_session_may_do_it);
	tcase_add_test(tests, a_filter_can_be_changed);
	tcase_add_test(tests, a_reload_changes_the_filter);
	if (landlock_version() > 0) {
		tcase_add_test(tests, all_together_refuse_it);
		tcase_add_test(tests, file_rules_need_no_filter);
	}
}

/* The daemon is an ordinary user. */
static void add_tests_without_root(Suite *suite)
{
	TCase *tests = daemon_tcase(suite, "without root");

	tcase_add_test(tests, without_root_capabilities_are_not_given);
	tcase_add_test(tests, without_landlock_only_that_service_is_not_started);
	if (landlock_version() > 0) {
		tcase_add_test(tests, an_ordinary_user_can_refuse_it_too);
		tcase_add_test(tests, a_path_that_vanishes_ends_the_launch);
	}
}

Suite *privileges_suite(void)
{
	Suite *suite = suite_create("privileges");

	add_user_tests(suite);
	add_tests_without_root(suite);
	if (is_superuser())
		tcase_add_loop_test(daemon_tcase(suite, "capabilities"),
				    a_program_has_exactly_its_capabilities, 0,
				    (int)(sizeof capability_sets / sizeof capability_sets[0]));
	return suite;
}
