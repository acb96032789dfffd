#include "frontend/fence.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct fence_user user = { .uid = 61234, .gid = 61235 };

/* Runs attempt in a process of its own that is fenced as user. Returns its exit status. */
static int fenced_as(const struct fence_user *who, int (*attempt)(void))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const char *step = "";

		if (fence_enter(who, &step) < 0) {
			fprintf(stderr, "%s: %s\n", step, strerror(errno));
			_exit(100);
		}
		_exit(attempt());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int fenced(int (*attempt)(void))
{
	return fenced_as(geteuid() == 0 ? &user : NULL, attempt);
}

/* errno of a call that must fail; 0: it succeeded. */
static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static char *const arguments[] = { (char[]){ "true" }, NULL };

static int try_execve(void)
{
	return error_of(execve("/bin/true", arguments, environ));
}

static int try_execveat(void)
{
	return error_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, environ, 0));
}

static int try_ptrace(void)
{
	return error_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_mount(void)
{
	return error_of(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
}

static int try_bpf(void)
{
	return error_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_init_module(void)
{
	return error_of(syscall(SYS_init_module, NULL, 0, ""));
}

static int try_finit_module(void)
{
	return error_of(syscall(SYS_finit_module, -1, "", 0));
}

static int try_keyctl(void)
{
	return error_of(syscall(SYS_keyctl, 0, 0, 0));
}

static int try_setuid(void)
{
	return error_of(syscall(SYS_setuid, getuid()));
}

enum { FCHMODAT2 = 452, SETXATTRAT = 463, REMOVEXATTRAT = 466, FILE_SETATTR = 469 };

/* The filter comes before the kernel looks at the arguments, which are wrong. */
static int try_metadata(void)
{
	const int errors[] = {
		error_of(syscall(SYS_fchmod, -1, 0644)),
		error_of(syscall(SYS_fchmodat, -1, "", 0644)),
		error_of(syscall(FCHMODAT2, -1, "", 0644, 0)),
		error_of(syscall(SYS_fchown, -1, -1, -1)),
		error_of(syscall(SYS_fchownat, -1, "", -1, -1, 0)),
		error_of(syscall(SYS_utimensat, -1, NULL, NULL, 0)),
		error_of(syscall(SYS_setxattr, "", "", "", 0, 0)),
		error_of(syscall(SYS_lsetxattr, "", "", "", 0, 0)),
		error_of(syscall(SYS_fsetxattr, -1, "", "", 0, 0)),
		error_of(syscall(SETXATTRAT, -1, "", 0, "", NULL, 0)),
		error_of(syscall(SYS_removexattr, "", "")),
		error_of(syscall(SYS_lremovexattr, "", "")),
		error_of(syscall(SYS_fremovexattr, -1, "")),
		error_of(syscall(REMOVEXATTRAT, -1, "", 0, "")),
		error_of(syscall(FILE_SETATTR, -1, "", NULL, 0, 0)),
	};

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i] != EPERM)
			return 0;
	return EPERM;
}

static const int namespaces[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
				  CLONE_NEWPID, CLONE_NEWNET,    CLONE_NEWUSER };

enum { NAMESPACES = sizeof namespaces / sizeof namespaces[0] };

static int try_unshare(void)
{
	for (size_t i = 0; i < NAMESPACES; i++)
		if (unshare(namespaces[i]) == 0 || errno != EPERM)
			return 0;
	return EPERM;
}

static int clone_with(unsigned long flags)
{
	long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return error_of(child);
}

static int try_clone_into_namespace(void)
{
	for (size_t i = 0; i < NAMESPACES; i++)
		if (clone_with((unsigned long)namespaces[i]) != EPERM)
			return 0;
	return clone_with(0) == 0 ? EPERM : 0;
}

static const struct {
	const char *what;
	int (*attempt)(void);
} refused[] = {
	{ "execve", try_execve },
	{ "execveat", try_execveat },
	{ "ptrace", try_ptrace },
	{ "mount", try_mount },
	{ "init_module", try_init_module },
	{ "finit_module", try_finit_module },
	{ "bpf", try_bpf },
	{ "keyctl", try_keyctl },
	{ "setuid", try_setuid },
	{ "unshare", try_unshare },
	{ "clone", try_clone_into_namespace },
	{ "metadata", try_metadata },
};

/* Also of who has every right, whom the kernel would refuse nothing. */
START_TEST(refuses_dangerous_calls)
{
	ck_assert_msg(fenced(refused[_i].attempt) == EPERM, "%s", refused[_i].what);
	ck_assert_msg(fenced_as(NULL, refused[_i].attempt) == EPERM, "%s as root",
		      refused[_i].what);
}
END_TEST

static int try_clone3(void)
{
	return error_of(syscall(SYS_clone3, NULL, 0));
}

START_TEST(the_newer_clone_does_not_exist)
{
	ck_assert_int_eq(fenced(try_clone3), ENOSYS);
}
END_TEST

/* True when the line of /proc/self/status that begins with name has that value. */
static bool status_has(const char *name, const char *value)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	bool has = false;

	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, strlen(name)) == 0)
			has |= strstr(line, value) != NULL;
	if (file)
		fclose(file);
	return has;
}

static int look_at_status(void)
{
	bool as_root = getuid() == user.uid;

	if (as_root && (geteuid() != user.uid || getegid() != user.gid || getgroups(0, NULL) != 0))
		return 1;
	if (!status_has("CapEff:", "0000000000000000") ||
	    !status_has("CapPrm:", "0000000000000000"))
		return 2;
	if (as_root && !status_has("CapBnd:", "0000000000000000"))
		return 3;
	if (!status_has("NoNewPrivs:", "1") || !status_has("Seccomp:", "2"))
		return 4;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 5;
}

START_TEST(leaves_no_privilege)
{
	ck_assert_int_eq(fenced(look_at_status), 0);
}
END_TEST

static int try_capabilities(void)
{
	static const char *const sets[] = { "CapInh:", "CapPrm:", "CapEff:", "CapAmb:" };

	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		if (!status_has(sets[i], "0000000000000000"))
			return 1;
	return 0;
}

static void set_capabilities(unsigned usable, unsigned inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct sets[] = { { usable, usable, inheritable }, { 0 } };

	if (syscall(SYS_capset, &header, sets) < 0)
		_exit(101);
}

/* As systemd's AmbientCapabilities= does it for an ordinary user. */
static void have_ambient(void)
{
	const unsigned bind = 1U << CAP_NET_BIND_SERVICE;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(user.uid, user.uid, user.uid) < 0)
		_exit(102);
	set_capabilities(bind, bind);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0)
		_exit(103);
}

/* A change of the user takes none away. */
static void keep_all(void)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		_exit(104);
}

static void lack_setpcap(void)
{
	set_capabilities(1U << CAP_SETGID | 1U << CAP_SETUID, 0);
}

static const struct {
	void (*before)(void);
	const struct fence_user *user;
} starts[] = { { have_ambient, NULL }, { keep_all, &user }, { lack_setpcap, &user } };

START_TEST(leaves_no_capability_however_it_was_started)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const char *step;

		starts[_i].before();
		_exit(fence_enter(starts[_i].user, &step) < 0 ? 100 : try_capabilities());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static int look_at_parent(void)
{
	int number = 0;

	prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
	return number;
}

START_TEST(ends_with_its_parent)
{
	ck_assert_int_eq(fenced(look_at_parent), SIGKILL);
}
END_TEST

static int create_a_file(void)
{
	return error_of(open("/tmp/usherd-fence-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int write_a_device(void)
{
	return error_of(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

START_TEST(allows_no_writing_where_there_is_landlock)
{
	int error = fence_has_landlock() ? EACCES : 0;

	ck_assert_int_eq(fenced(create_a_file), error);
	ck_assert_int_eq(fenced(write_a_device), error);
	unlink("/tmp/usherd-fence-test");
}
END_TEST

static void *nothing(void *argument)
{
	return argument;
}

/* What a frontend needs to do. */
static int work(void)
{
	pthread_t thread;
	int ends[2], file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char byte;

	if (file < 0 || read(file, &byte, 1) != 1)
		return 1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    write(ends[0], "x", 1) != 1 || read(ends[1], &byte, 1) != 1)
		return 2;
	if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
		return 3;
	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 4;
	return 0;
}

START_TEST(leaves_what_a_frontend_needs)
{
	ck_assert_int_eq(fenced(work), 0);
}
END_TEST

Suite *fence_suite(void)
{
	Suite *suite = suite_create("fence");
	TCase *tests = tcase_create("fence");

	tcase_add_loop_test(tests, refuses_dangerous_calls, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(tests, the_newer_clone_does_not_exist);
	tcase_add_test(tests, leaves_no_privilege);
	if (geteuid() == 0)
		tcase_add_loop_test(tests, leaves_no_capability_however_it_was_started, 0,
				    sizeof starts / sizeof starts[0]);
	tcase_add_test(tests, ends_with_its_parent);
	tcase_add_test(tests, allows_no_writing_where_there_is_landlock);
	tcase_add_test(tests, leaves_what_a_frontend_needs);
	suite_add_tcase(suite, tests);
	return suite;
}
