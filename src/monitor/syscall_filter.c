#include "monitor/syscall_filter.h"

#include "config/syscall_names.h"
#include "monitor/in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const char *syscall_filter_obstacle(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return NULL;
	if (errno == EPERM || errno == EACCES)
		return "filters of system calls are forbidden here; allow seccomp in the "
		       "container's list of system calls";
	return "the kernel has no filters of system calls; use one from 4.14 on, with "
	       "CONFIG_SECCOMP_FILTER";
}

/* --- rules; each function returns 0, or a negative error ------------------------------------ */

static int number_of(const char *name)
{
	return seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name);
}

static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
		    const struct scmp_arg_cmp *arguments)
{
	int number = number_of(name);

	/* Not a call of this libseccomp: it gets the action of unknown ones. */
	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, action, number, count, arguments);
}

static const unsigned long new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
					    CLONE_NEWNET;

#if defined(__s390__) || defined(__CRIS__)
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

static int allow_clone(scmp_filter_ctx filter, const char *name)
{
	const struct scmp_arg_cmp flags = { CLONE_FLAGS, SCMP_CMP_MASKED_EQ, new_namespaces, 0 };

	return add_rule(filter, SCMP_ACT_ALLOW, name, 1, &flags);
}

/* The flag CLONE_NEWTIME is one of unshare(2) alone. */
static int allow_unshare(scmp_filter_ctx filter, const char *name)
{
	const struct scmp_arg_cmp flags = { 0, SCMP_CMP_MASKED_EQ, new_namespaces | CLONE_NEWTIME,
					    0 };

	return add_rule(filter, SCMP_ACT_ALLOW, name, 1, &flags);
}

/* PER_LINUX and PER_LINUX32, each also with UNAME26, and the question: none makes addresses
 * predictable or memory executable. */
static int allow_personality(scmp_filter_ctx filter, const char *name)
{
	static const uint64_t harmless[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff };
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof harmless / sizeof harmless[0]; i++) {
		const struct scmp_arg_cmp persona = { 0, SCMP_CMP_EQ, harmless[i], 0 };

		result = add_rule(filter, SCMP_ACT_ALLOW, name, 1, &persona);
	}
	return result;
}

/* The domain and protocol are int: the upper half of a register does not count. */
#define LOW_HALF UINT64_C(0xffffffff)

/* Others reach hypervisors, hardware, or rarely used parts of the kernel. The C library asks
 * NETLINK_ROUTE which addresses the machine has. */
static int allow_socket(scmp_filter_ctx filter, const char *name)
{
	static const uint64_t domains[] = { AF_UNIX, AF_INET, AF_INET6 };
	const struct scmp_arg_cmp route[] = {
		{ 0, SCMP_CMP_MASKED_EQ, LOW_HALF, AF_NETLINK },
		{ 2, SCMP_CMP_MASKED_EQ, LOW_HALF, NETLINK_ROUTE },
	};
	int result = add_rule(filter, SCMP_ACT_ALLOW, name, 2, route);

	for (size_t i = 0; result == 0 && i < sizeof domains / sizeof domains[0]; i++) {
		const struct scmp_arg_cmp domain = { 0, SCMP_CMP_MASKED_EQ, LOW_HALF, domains[i] };

		result = add_rule(filter, SCMP_ACT_ALLOW, name, 1, &domain);
	}
	return result;
}

static int allow_always(scmp_filter_ctx filter, const char *name)
{
	return add_rule(filter, SCMP_ACT_ALLOW, name, 0, NULL);
}

/* Calls that are allowed only with some arguments, unless they are named by themselves. */
static const struct {
	const char *name;
	int (*allow)(scmp_filter_ctx filter, const char *name);
} conditions[] = {
	{ "clone", allow_clone },
	{ "unshare", allow_unshare },
	{ "personality", allow_personality },
	{ "socket", allow_socket },
};

static int allow_call(scmp_filter_ctx filter, const struct allowed_call *call)
{
	for (size_t i = 0; !call->is_whole && i < sizeof conditions / sizeof conditions[0]; i++)
		if (strcmp(conditions[i].name, call->name) == 0)
			return conditions[i].allow(filter, call->name);
	return allow_always(filter, call->name);
}

/* A filter can't see the flags of clone3(2). Where it does not exist, the C library calls
 * clone(2). */
static int replace_clone3(scmp_filter_ctx filter, const struct syscall_set *set)
{
	if (syscall_set_find(set, "clone3"))
		return 0;
	return add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

static int allow_calls(scmp_filter_ctx filter, const struct syscall_set *set)
{
	int result = replace_clone3(filter, set);

	for (size_t i = 0; result == 0 && i < set->count; i++)
		result = allow_call(filter, &set->calls[i]);
	return result;
}

/* --- filters ------------------------------------------------------------------------------ */

/* The kinds of programs that a filter is for. */
static const uint32_t architectures[] = {
#if defined(__x86_64__)
	SCMP_ARCH_X86,
#elif defined(__aarch64__)
	SCMP_ARCH_ARM,
#endif
	SCMP_ARCH_NATIVE,
};

enum { ARCHITECTURES = sizeof architectures / sizeof architectures[0] };

/* NULL with errno. */
static scmp_filter_ctx filter_new(uint32_t action)
{
	scmp_filter_ctx filter = seccomp_init(action);
	int result = filter ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < ARCHITECTURES; i++) {
		result = seccomp_arch_add(filter, architectures[i]);
		if (result == -EEXIST) /* the native one is there from the beginning */
			result = 0;
	}
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (result == 0) {
		/* A binary tree, if this libseccomp can. */
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		return filter;
	}
	seccomp_release(filter);
	errno = -result;
	return NULL;
}

/* Reads what libseccomp wrote, behind a head of so many instructions. 0, or -1 with errno. */
static int read_program(int fd, size_t head, struct call_filter *filter)
{
	struct stat status;
	struct sock_filter *list;
	size_t size, count;

	if (fstat(fd, &status) < 0)
		return -1;
	size = (size_t)status.st_size;
	count = head + size / sizeof *list;
	list = calloc(count, sizeof *list);
	if (!list)
		return -1;
	if (size % sizeof *list != 0 || count > BPF_MAXINSNS ||
	    pread(fd, list + head, size, 0) != status.st_size) {
		free(list);
		errno = E2BIG;
		return -1;
	}
	*filter = (struct call_filter){ list, count };
	return 0;
}

/* libseccomp 2.5 writes a program only to a descriptor. 0, or -1 with errno. */
static int export_program(scmp_filter_ctx context, size_t head, struct call_filter *filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), result;

	if (fd < 0)
		return -1;
	result = seccomp_export_bpf(context, fd);
	if (result < 0)
		errno = -result;
	else
		result = read_program(fd, head, filter);
	close(fd);
	return result < 0 ? -1 : 0;
}

/* Releases the context, whose rules were added with that result. 0, or -1 with errno. */
static int finish(scmp_filter_ctx context, int result, size_t head, struct call_filter *filter)
{
	if (result < 0)
		errno = -result;
	else
		result = export_program(context, head, filter);
	seccomp_release(context);
	return result < 0 ? -1 : 0;
}

/* --- what libseccomp can't say --------------------------------------------------------------- */

/* From this number on all machines have the same calls, those from 5.1 on. */
enum { COMMON_FIRST = 424, COMMON_END = 1024 };

/* The highest number of a call that this libseccomp knows. */
static uint32_t newest_known(void)
{
	uint32_t newest = COMMON_FIRST;

	for (int number = COMMON_FIRST; number < COMMON_END; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		if (name)
			newest = (uint32_t)number;
		free(name);
	}
	return newest;
}

/* A list of instructions that is being made. */
struct head {
	struct sock_filter list[32];
	size_t count;
};

static void add(struct head *head, struct sock_filter instruction)
{
	head->list[head->count++] = instruction;
}

#define ADD_STATEMENT(head, code, value) \
	add(head, (struct sock_filter)BPF_STMT((unsigned short)(code), value))
#define ADD_JUMP(head, code, value, yes, no) \
	add(head, (struct sock_filter)BPF_JUMP((unsigned short)(code), value, yes, no))

enum { LOAD = BPF_LD | BPF_W | BPF_ABS, PRIVATE_FIRST = 0xf0000 };

/* Newer calls do not exist. Numbers from PRIVATE_FIRST on are others: ARM's own ones, and those
 * of x32. */
static void refuse_newer_calls(struct head *head)
{
	ADD_STATEMENT(head, LOAD, offsetof(struct seccomp_data, nr));
	ADD_JUMP(head, BPF_JMP | BPF_JGT | BPF_K, newest_known(), 0, 2);
	ADD_JUMP(head, BPF_JMP | BPF_JGE | BPF_K, PRIVATE_FIRST, 1, 0);
	ADD_STATEMENT(head, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
}

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { FIRST_ARGUMENT = offsetof(struct seccomp_data, args) + 4 };
#else
enum { FIRST_ARGUMENT = offsetof(struct seccomp_data, args) };
#endif

enum { SOCKETCALL_SOCKET = 1 };

/* Some machines have socketcall(2), which has its arguments in memory, where no filter sees the
 * domain. libseccomp would allow it. C libraries have used socket(2) for long. */
static void refuse_hidden_sockets(struct head *head, uint32_t architecture)
{
	int number = seccomp_syscall_resolve_name_arch(architecture, "socketcall");
	uint32_t audit = architecture == SCMP_ARCH_NATIVE ? seccomp_arch_native() : architecture;

	if (number < 0)
		return;
	ADD_STATEMENT(head, LOAD, offsetof(struct seccomp_data, arch));
	ADD_JUMP(head, BPF_JMP | BPF_JEQ | BPF_K, audit, 0, 5);
	ADD_STATEMENT(head, LOAD, offsetof(struct seccomp_data, nr));
	ADD_JUMP(head, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3);
	ADD_STATEMENT(head, LOAD, FIRST_ARGUMENT);
	ADD_JUMP(head, BPF_JMP | BPF_JEQ | BPF_K, SOCKETCALL_SOCKET, 0, 1);
	ADD_STATEMENT(head, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
}

static void make_head(struct head *head, const struct syscall_set *set)
{
	const struct allowed_call *socket_call = syscall_set_find(set, "socket");

	refuse_newer_calls(head);
	for (size_t i = 0; socket_call && !socket_call->is_whole && i < ARCHITECTURES; i++)
		refuse_hidden_sockets(head, architectures[i]);
}

int syscall_filter_make(const struct strings *words, struct call_filter *filter)
{
	struct syscall_set set = { .count = 0 };
	struct head head = { .count = 0 };
	scmp_filter_ctx context;

	for (size_t i = 0; i < words->count; i++)
		if (!syscall_set_apply(&set, words->list[i])) {
			errno = EINVAL;
			return -1;
		}
	context = filter_new(SCMP_ACT_ERRNO(EPERM));
	if (!context)
		return -1;
	make_head(&head, &set);
	if (finish(context, allow_calls(context, &set), head.count, filter) < 0)
		return -1;
	memcpy(filter->list, head.list, head.count * sizeof *head.list);
	return 0;
}

/* --- what an old Landlock lacks ------------------------------------------------------------- */

/* open(2) with O_TRUNC, but not for writing: the file is truncated, and Landlock looks at the
 * mode alone. The flags are an argument of that index. */
static int refuse_truncation(scmp_filter_ctx context, const char *name, unsigned index)
{
	static const uint64_t modes[] = { O_RDONLY, O_ACCMODE };
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof modes / sizeof modes[0]; i++) {
		const struct scmp_arg_cmp flags = { index, SCMP_CMP_MASKED_EQ,
						    (uint64_t)(O_ACCMODE | O_TRUNC),
						    modes[i] | O_TRUNC };

		result = add_rule(context, SCMP_ACT_ERRNO(EACCES), name, 1, &flags);
	}
	return result;
}

/* A filter sees neither the flags of openat2(2) nor what is in a ring. */
static const struct {
	const char *name;
	int error;
} refused[] = {
	{ "truncate", EACCES },
	{ "truncate64", EACCES },
	{ "openat2", ENOSYS },
	{ "io_uring_setup", EPERM },
};

int syscall_filter_make_for_files(struct call_filter *filter)
{
	scmp_filter_ctx context = filter_new(SCMP_ACT_ALLOW);
	int result;

	if (!context)
		return -1;
	result = refuse_truncation(context, "open", 1);
	if (result == 0)
		result = refuse_truncation(context, "openat", 2);
	if (result == 0)
		result = refuse_truncation(context, "open_by_handle_at", 2);
	for (size_t i = 0; result == 0 && i < sizeof refused / sizeof refused[0]; i++)
		result = add_rule(context, SCMP_ACT_ERRNO((uint16_t)refused[i].error),
				  refused[i].name, 0, NULL);
	return finish(context, result, 0, filter);
}

/* --- in the child -------------------------------------------------------------------------- */

IN_CHILD int syscall_filter_load(const struct call_filter *filter)
{
	const struct sock_fprog program = { (unsigned short)filter->count, filter->list };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
