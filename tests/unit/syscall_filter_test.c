/* Filters of system calls, each loaded by a process of its own that then makes calls. */
#include "monitor/syscall_filter.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* errno of a call that failed; 0: it succeeded. */
static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* The exit status of a process that loads the filters, those that are not empty, and makes the
 * attempt; 1000 and the signal that killed it. */
static int attempt_behind_both(const struct call_filter *first, const struct call_filter *second,
			       int (*attempt)(void))
{
	const struct call_filter *filters[] = { first, second };
	static const struct rlimit no_core;
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		for (int i = 0; i < 2; i++)
			if (filters[i] && filters[i]->count > 0 &&
			    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			     syscall_filter_load(filters[i]) < 0))
				_exit(200);
		_exit(attempt());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int attempt_behind(const struct call_filter *filter, int (*attempt)(void))
{
	return attempt_behind_both(filter, NULL, attempt);
}

static struct strings words_of(char *const *list)
{
	struct strings words = { .list = (char **)(uintptr_t)list, .is_set = true };

	while (list[words.count])
		words.count++;
	return words;
}

static int attempt_with(char *const *list, int (*attempt)(void))
{
	const struct strings words = words_of(list);
	struct call_filter filter = { 0 };
	int status;

	ck_assert_int_eq(syscall_filter_make(&words, &filter), 0);
	ck_assert_uint_gt(filter.count, 0);
	status = attempt_behind(&filter, attempt);
	free(filter.list);
	return status;
}

/* --- attempts --- */

static int try_keyctl(void)
{
	return error_of(syscall(SYS_keyctl, 0, -3, 0));
}

static int try_clone3(void)
{
	return error_of(syscall(SYS_clone3, NULL, 0));
}

static int clone_with(unsigned long flags)
{
	long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return error_of(child);
}

static int try_clone(void)
{
	return clone_with(0);
}

static int try_clone_namespaces(void)
{
	static const int flags[] = { CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
				     CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET };

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (clone_with((unsigned long)flags[i]) != EPERM ||
		    error_of(unshare(flags[i])) != EPERM)
			return 0;
	return EPERM;
}

static int try_unshare_time(void)
{
	return error_of(unshare(0x80));
}

static int try_unshare_files(void)
{
	return error_of(unshare(CLONE_FILES));
}

static int try_personality(void)
{
	return error_of(personality(ADDR_NO_RANDOMIZE));
}

static int try_harmless_personality(void)
{
	return error_of(personality(PER_LINUX));
}

static int try_newest(void)
{
	return error_of(syscall(1000));
}

static int try_vsock(void)
{
	return error_of(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int try_vsock_high(void)
{
	return error_of(syscall(SYS_socket, (uint64_t)1 << 40 | AF_VSOCK, SOCK_STREAM, 0));
}

static int try_sockets(void)
{
	if (error_of(socket(AF_UNIX, SOCK_STREAM, 0)) || error_of(socket(AF_INET, SOCK_DGRAM, 0)))
		return 1;
	return error_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}

static int try_pairs(void)
{
	int pair[2];

	if (error_of(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)))
		return 1;
	return error_of(socketpair(AF_TIPC, SOCK_STREAM, 0, pair));
}

static int try_netlink(void)
{
	return error_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}

static int try_mkdir(void)
{
	return error_of(mkdirat(AT_FDCWD, "/nonexistent/a", 0700));
}

#ifdef __x86_64__
/* A call of the kernel's 32-bit interface, which any program can make. */
static long call32(uint32_t number, uint32_t one, uint32_t two, uint32_t three)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(one), "c"(two), "d"(three)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static int error32(long result)
{
	return result < 0 ? (int)-result : 0;
}

static int try_getpid32(void)
{
	return call32(20, 0, 0, 0) == getpid() ? 0 : 1;
}

static int try_ptrace32(void)
{
	return error32(call32(26, 0, 0, 0));
}

static int try_socket32(void)
{
	return error32(call32(359, AF_UNIX, SOCK_STREAM, 0));
}

static int try_vsock32(void)
{
	return error32(call32(359, AF_VSOCK, SOCK_STREAM, 0));
}

/* socketcall(2), whose arguments are in memory where no filter sees them: socket, socketpair and
 * listen. */
static int try_socketcall32(void)
{
	if (error32(call32(102, 1, 0, 0)) != EPERM || error32(call32(102, 8, 0, 0)) != EPERM)
		return 1;
	return error32(call32(102, 4, 0, 0));
}

/* Only with all of its group. */
static int try_ipc32(void)
{
	return error32(call32(117, 2, 0, 0));
}

static int try_clone3_32(void)
{
	return error32(call32(435, 0, 0, 0));
}

static int try_clone32(void)
{
	return error32(call32(120, CLONE_NEWUSER | SIGCHLD, 0, 0));
}

static int try_x32(void)
{
	return error_of(syscall(0x40000000 | SYS_getpid));
}
#endif

static int try_sends(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct msghdr message = { .msg_name = NULL };

	if (error_of(sendto(fd, "", 1, MSG_FASTOPEN, NULL, 0)) != EOPNOTSUPP ||
	    error_of(sendmsg(fd, &message, MSG_FASTOPEN)) != EOPNOTSUPP ||
	    error_of(sendmmsg(fd, NULL, 0, MSG_FASTOPEN)) != EOPNOTSUPP)
		return 1;
	return error_of(send(fd, "", 1, MSG_NOSIGNAL));
}

static char default_word[] = "default", keys[] = "+@keys", no_files[] = "-@files",
	    whole_clone3[] = "+clone3", whole_socket[] = "+socket", no_network[] = "-@network",
	    no_mkdirat[] = "-mkdirat", no_listen[] = "-listen", no_shmget[] = "-shmget",
	    keyctl_word[] = "+keyctl";

static const struct {
	char *words[4];
	int (*attempt)(void);
	int status;
} attempts[] = {
	{ { default_word }, try_keyctl, EPERM },
	{ { default_word, keyctl_word }, try_keyctl, 0 },
	{ { default_word, keys }, try_keyctl, 0 },
	{ { default_word }, try_clone3, ENOSYS },
	{ { default_word, whole_clone3 }, try_clone3, EINVAL },
	{ { default_word }, try_clone, 0 },
	{ { default_word }, try_clone_namespaces, EPERM },
	{ { default_word }, try_unshare_time, EPERM },
	{ { default_word }, try_unshare_files, 0 },
	{ { default_word }, try_personality, EPERM },
	{ { default_word }, try_harmless_personality, 0 },
	{ { default_word }, try_newest, ENOSYS },
	{ { default_word }, try_vsock, EPERM },
	{ { default_word }, try_vsock_high, EPERM },
	{ { default_word }, try_sockets, 0 },
	{ { default_word }, try_pairs, EPERM },
	{ { default_word }, try_sends, EPIPE },
	{ { default_word }, try_netlink, EPERM },
	{ { default_word, whole_socket }, try_netlink, 0 },
	{ { default_word, no_network, whole_socket }, try_sockets, 0 },
	{ { default_word }, try_mkdir, ENOENT },
	{ { default_word, no_mkdirat }, try_mkdir, EPERM },
	{ { default_word, no_files }, try_mkdir, EPERM },
#ifdef __x86_64__
	{ { default_word }, try_getpid32, 0 },
	{ { default_word }, try_ptrace32, EPERM },
	{ { default_word }, try_socket32, 0 },
	{ { default_word }, try_vsock32, EPERM },
	{ { default_word }, try_socketcall32, EFAULT },
	{ { default_word, no_listen }, try_socketcall32, EPERM },
	{ { default_word }, try_ipc32, EINVAL },
	{ { default_word, no_shmget }, try_ipc32, EPERM },
	{ { default_word }, try_clone3_32, ENOSYS },
	{ { default_word }, try_clone32, EPERM },
	{ { default_word }, try_x32, 1000 + SIGSYS },
#endif
};

#ifdef __x86_64__
/* The kernel may be built, or started, without the 32-bit interface: such a call kills. */
static bool has_32_bit_calls(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(try_getpid32());
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_possible(int (*attempt)(void))
{
	return has_32_bit_calls() ||
	       (attempt != try_getpid32 && attempt != try_ptrace32 && attempt != try_socket32 &&
		attempt != try_ipc32 && attempt != try_vsock32 && attempt != try_socketcall32 &&
		attempt != try_clone3_32 && attempt != try_clone32);
}
#else
static bool is_possible(int (*attempt)(void))
{
	(void)attempt;
	return true;
}
#endif

START_TEST(calls_meet_the_filter)
{
	int status = attempts[_i].status;

	if (!is_possible(attempts[_i].attempt))
		return;
	if (status == 0) /* what is allowed is so only as far as the test may do it */
		status = attempt_behind(NULL, attempts[_i].attempt);
	ck_assert_int_eq(attempt_with(attempts[_i].words, attempts[_i].attempt), status);
}
END_TEST

/* --- in two parts --- */

/* None of a jail's steps is refused, though each fails. */
static int try_to_start(void)
{
	int fd = -1;

	if (try_clone3() != EINVAL || clone_with(CLONE_NEWUSER | CLONE_FS) != EINVAL ||
	    error_of(setns(fd, 0)) != EBADF || error_of(unshare(CLONE_NEWUSER | ~0)) != EINVAL ||
	    error_of(syscall(428 /* open_tree */, fd, "", 0x1000)) != EBADF ||
	    error_of(syscall(429 /* move_mount */, fd, "", fd, "", 0x44)) == EPERM ||
	    error_of(syscall(442 /* mount_setattr */, fd, "", 0x1000, NULL, 0)) != EINVAL)
		return 1;
	return error_of(syscall(SYS_keyctl, 0, -3, 0));
}

START_TEST(calls_meet_both_parts_as_they_meet_the_whole)
{
	const struct strings words = words_of(attempts[_i].words);
	struct call_filter inherited = { 0 }, rest = { 0 };
	int status = attempts[_i].status;

	if (!is_possible(attempts[_i].attempt))
		return;
	if (status == 0)
		status = attempt_behind(NULL, attempts[_i].attempt);
	ck_assert_int_eq(syscall_filter_make_inherited(&words, &inherited), 0);
	ck_assert_int_eq(syscall_filter_make_rest(&words, &rest), 0);
	ck_assert(rest.count < 64 && (inherited.count > 0) == (rest.count > 0));
	if (inherited.count > 0)
		ck_assert_int_eq(attempt_behind_both(&inherited, &rest, attempts[_i].attempt),
				 status);
	free(inherited.list);
	free(rest.list);
}
END_TEST

START_TEST(the_first_part_allows_what_starting_needs)
{
	char *list[] = { default_word, NULL };
	const struct strings words = words_of(list);
	struct call_filter inherited = { 0 };

	ck_assert_int_eq(syscall_filter_make_inherited(&words, &inherited), 0);
	if (inherited.count > 0) /* this libseccomp knows the calls */
		ck_assert_int_eq(attempt_behind(&inherited, try_to_start),
				 attempt_behind(NULL, try_to_start));
	free(inherited.list);
}
END_TEST

static const struct {
	char *words[4];
	bool has_parts;
} lists[] = {
	{ { default_word }, true },
	{ { default_word, keys, whole_socket }, true },
	{ { default_word, no_listen }, false },
	{ { default_word, no_files }, false },
	{ { keys }, false },
};

/* A thread that has the first part may need any call of the default. */
START_TEST(only_a_list_with_the_default_has_parts)
{
	const struct strings words = words_of(lists[_i].words), usual = words_of(lists[0].words);
	struct call_filter inherited = { 0 }, known = { 0 };

	ck_assert_int_eq(syscall_filter_make_inherited(&words, &inherited), 0);
	ck_assert_int_eq(syscall_filter_make_inherited(&usual, &known), 0);
	ck_assert_int_eq(inherited.count > 0, lists[_i].has_parts && known.count > 0);
	free(inherited.list);
	free(known.list);
}
END_TEST

/* --- for files --- */

static int try_to_truncate(void)
{
	struct open_how how = { .flags = O_RDONLY | O_TRUNC };

	if (error_of(truncate("/dev/null", 0)) != EACCES ||
	    error_of(open("/dev/null", O_RDONLY | O_TRUNC)) != EACCES ||
	    error_of(open("/dev/null", O_ACCMODE | O_TRUNC)) != EACCES ||
	    error_of(openat(AT_FDCWD, "/dev/null", O_TRUNC | O_NOCTTY)) != EACCES ||
	    error_of(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof how)) != ENOSYS ||
	    error_of(syscall(SYS_io_uring_setup, 0, NULL)) != EPERM)
		return 1;
#ifdef SYS_open
	if (error_of(syscall(SYS_open, "/dev/null", O_TRUNC)) != EACCES)
		return 2;
#endif
	return error_of(open("/dev/null", O_WRONLY | O_TRUNC)) ||
	       error_of(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0600)) ||
	       error_of(open("/dev/null", O_RDONLY));
}

START_TEST(files_can_be_truncated_only_by_writers)
{
	struct call_filter filter = { 0 };

	ck_assert_int_eq(syscall_filter_make_for_files(&filter), 0);
	ck_assert_int_eq(attempt_behind(&filter, try_to_truncate), 0);
	free(filter.list);
}
END_TEST

START_TEST(words_that_are_wrong_make_no_filter)
{
	static char nonsense[] = "+nonsense";
	char *list[] = { default_word, nonsense, NULL };
	const struct strings words = { .list = list, .count = 2 };
	struct call_filter filter = { 0 };

	ck_assert_int_eq(syscall_filter_make(&words, &filter), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(filter.list);
}
END_TEST

Suite *syscall_filter_suite(void)
{
	Suite *suite = suite_create("syscall_filter");
	TCase *tests = tcase_create("filter");

	if (!syscall_filter_obstacle()) {
		tcase_add_loop_test(tests, calls_meet_the_filter, 0,
				    (int)(sizeof attempts / sizeof attempts[0]));
		tcase_add_loop_test(tests, calls_meet_both_parts_as_they_meet_the_whole, 0,
				    (int)(sizeof attempts / sizeof attempts[0]));
		tcase_add_test(tests, the_first_part_allows_what_starting_needs);
		tcase_add_loop_test(tests, only_a_list_with_the_default_has_parts, 0,
				    (int)(sizeof lists / sizeof lists[0]));
		tcase_add_test(tests, files_can_be_truncated_only_by_writers);
	}
	tcase_add_test(tests, words_that_are_wrong_make_no_filter);
	suite_add_tcase(suite, tests);
	return suite;
}
