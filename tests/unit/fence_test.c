#include "frontend/fence.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct fence_user user = { .uid = 61234, .gid = 61235 };

/* Runs attempt in a fenced process of its own. Returns its exit status. */
static int fenced(int (*attempt)(void))
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const char *step = "";

		if (fence_enter(geteuid() == 0 ? &user : NULL, &step) < 0) {
			fprintf(stderr, "%s: %s\n", step, strerror(errno));
			_exit(100);
		}
		_exit(attempt());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* errno of a call that must fail; 0: it succeeded. */
static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int try_exec(void)
{
	char name[] = "true", *argv[] = { name, NULL };

	return error_of(execv("/bin/true", argv));
}

static int try_ptrace(void)
{
	return error_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_mount(void)
{
	return error_of(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int try_bpf(void)
{
	return error_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_module(void)
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

static int try_unshare(void)
{
	return error_of(unshare(CLONE_NEWUSER));
}

static int try_clone_into_namespace(void)
{
	return error_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static const struct {
	const char *what;
	int (*attempt)(void);
} refused[] = {
	{ "exec", try_exec },       { "ptrace", try_ptrace },   { "mount", try_mount },
	{ "bpf", try_bpf },         { "module", try_module },   { "keyctl", try_keyctl },
	{ "setuid", try_setuid },   { "unshare", try_unshare },
	{ "clone", try_clone_into_namespace },
};

START_TEST(refuses_dangerous_calls)
{
	ck_assert_msg(fenced(refused[_i].attempt) == EPERM, "%s", refused[_i].what);
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
	if (!status_has("CapEff:", "0000000000000000") || !status_has("CapPrm:", "0000000000000000"))
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
	tcase_add_test(tests, leaves_no_privilege);
	tcase_add_test(tests, allows_no_writing_where_there_is_landlock);
	tcase_add_test(tests, leaves_what_a_frontend_needs);
	suite_add_tcase(suite, tests);
	return suite;
}
