#include "monitor/syscall_filter.h"

#include "config/syscall_names.h"
#include "monitor/filter_program.h"
#include "monitor/in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* --- calls that are allowed with some arguments ---------------------------------------------- */

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define EXACTLY UINT32_MAX

#define NEW_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

#if defined(__s390__)
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

enum { CALL_SOCKET = 1, CALL_SOCKETPAIR = 8 }; /* as in linux/net.h */

/* As the kernel answers where it is switched off (net.ipv4.tcp_fastopen). */
#define WITHOUT_FAST_OPEN(flags) \
	{ \
		{ { flags, MSG_FASTOPEN, 0, ALLOW, false } }, REFUSE(EOPNOTSUPP) \
	}

/* The flag CLONE_NEWTIME is one of unshare(2) alone.
 *
 * PER_LINUX and PER_LINUX32, each also with UNAME26, and the question which it is: none makes
 * addresses predictable or memory executable.
 *
 * Other domains of sockets reach hypervisors, hardware, or rarely used parts of the kernel. The C
 * library asks NETLINK_ROUTE which addresses the machine has.
 *
 * socketpair(2) makes sockets of other domains before it fails.
 *
 * With MSG_FASTOPEN a send connects, and Landlock does not see it.
 *
 * socketcall(2) of some machines has the arguments of these two in memory, where no filter sees
 * them. C libraries have made the calls themselves for long. */
static const struct conditional_call {
	const char *name;
	struct argument_check check;
} conditional_calls[] = {
	{ "clone", { { { CLONE_FLAGS, NEW_NAMESPACES, 0, ALLOW, false } }, REFUSE(EPERM) } },
	{ "unshare",
	  { { { 0, NEW_NAMESPACES | CLONE_NEWTIME, 0, ALLOW, false } }, REFUSE(EPERM) } },
	{ "personality",
	  { { { 0, EXACTLY, 0, ALLOW, false },
	      { 0, EXACTLY, 0x8, ALLOW, false },
	      { 0, EXACTLY, 0x20000, ALLOW, false },
	      { 0, EXACTLY, 0x20008, ALLOW, false },
	      { 0, EXACTLY, 0xffffffff, ALLOW, false } },
	    REFUSE(EPERM) } },
	{ "socket",
	  { { { 0, EXACTLY, AF_UNIX, ALLOW, false },
	      { 0, EXACTLY, AF_INET, ALLOW, false },
	      { 0, EXACTLY, AF_INET6, ALLOW, false },
	      { 0, EXACTLY, AF_NETLINK, 0, true },
	      { 2, EXACTLY, NETLINK_ROUTE, ALLOW, false } },
	    REFUSE(EPERM) } },
	{ "socketpair", { { { 0, EXACTLY, AF_UNIX, ALLOW, false } }, REFUSE(EPERM) } },
	{ "sendto", WITHOUT_FAST_OPEN(3) },
	{ "sendmsg", WITHOUT_FAST_OPEN(2) },
	{ "sendmmsg", WITHOUT_FAST_OPEN(3) },
	{ "send", WITHOUT_FAST_OPEN(3) },
	{ "socketcall",
	  { { { 0, EXACTLY, CALL_SOCKET, REFUSE(EPERM), false },
	      { 0, EXACTLY, CALL_SOCKETPAIR, REFUSE(EPERM), false } },
	    ALLOW } },
};

static struct outcome with_conditions(const char *name)
{
	for (size_t i = 0; i < sizeof conditional_calls / sizeof conditional_calls[0]; i++)
		if (strcmp(conditional_calls[i].name, name) == 0)
			return (struct outcome){ .check = &conditional_calls[i].check };
	return (struct outcome){ .action = ALLOW };
}

/* --- calls that stand for several ------------------------------------------------------------ */

/* Some machines have these two besides, or instead of, the calls of a group. */
static const struct {
	const char *name, *group;
} joint_calls[] = { { "socketcall", "@network" }, { "ipc", "@ipc" } };

static bool has_whole_group(const struct syscall_set *set, const char *name)
{
	const struct syscall_group *group = NULL;

	for (size_t i = 0; (group = syscall_group(i)) && strcmp(group->name, name) != 0; i++)
		;
	for (const char *const *call = group ? group->calls : NULL; call && *call; call++)
		if (!syscall_set_find(set, *call))
			return false;
	return group != NULL;
}

/* True when all that it stands for is allowed. */
static bool is_allowed_jointly(const struct syscall_set *set, const char *name)
{
	for (size_t i = 0; i < sizeof joint_calls / sizeof joint_calls[0]; i++)
		if (strcmp(joint_calls[i].name, name) == 0)
			return has_whole_group(set, joint_calls[i].group);
	return false;
}

/* --- the allow list --------------------------------------------------------------------------- */

/* A filter can't see the flags of clone3(2). Where it does not exist, the C library calls
 * clone(2). */
static struct outcome refusal_of(const char *name)
{
	return (struct outcome){ .action = REFUSE(strcmp(name, "clone3") == 0 ? ENOSYS : EPERM) };
}

static struct outcome listed(const void *context, const char *name)
{
	const struct syscall_set *set = context;
	const struct allowed_call *call = syscall_set_find(set, name);

	if (call && call->is_whole)
		return (struct outcome){ .action = ALLOW };
	if (call || is_allowed_jointly(set, name))
		return with_conditions(name);
	return refusal_of(name);
}

/* --- what an old Landlock lacks ------------------------------------------------------------- */

/* open(2) with O_TRUNC, but not for writing: the file is truncated, and Landlock looks at the
 * mode alone. */
#define NO_TRUNCATION(flags) \
	{ \
		{ { flags, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC, REFUSE(EACCES), false }, \
		  { flags, O_ACCMODE | O_TRUNC, O_ACCMODE | O_TRUNC, REFUSE(EACCES), false } }, \
			ALLOW \
	}

static const struct argument_check open_check = NO_TRUNCATION(1), openat_check = NO_TRUNCATION(2);

/* A filter sees neither the flags of openat2(2) nor what is in a ring. */
static const struct {
	const char *name;
	struct outcome outcome;
} truncating_calls[] = {
	{ "truncate", { REFUSE(EACCES), NULL } },
	{ "truncate64", { REFUSE(EACCES), NULL } },
	{ "open", { 0, &open_check } },
	{ "openat", { 0, &openat_check } },
	{ "open_by_handle_at", { 0, &openat_check } },
	{ "openat2", { REFUSE(ENOSYS), NULL } },
	{ "io_uring_setup", { REFUSE(EPERM), NULL } },
};

static struct outcome not_truncating(const void *context, const char *name)
{
	(void)context;
	for (size_t i = 0; i < sizeof truncating_calls / sizeof truncating_calls[0]; i++)
		if (strcmp(truncating_calls[i].name, name) == 0)
			return truncating_calls[i].outcome;
	return (struct outcome){ .action = ALLOW };
}

/* --- filters ------------------------------------------------------------------------------ */

/* What a filter says. */
struct rules {
	struct outcome (*of)(const void *context, const char *name);
	const void *context;
	struct outcome unnamed; /* numbers that are no call */
	struct outcome newer;   /* numbers beyond those that this libseccomp knows */
};

#ifdef __mips__
enum { NUMBERS_END = 7000 };
#else
enum { NUMBERS_END = 1024 };
#endif

/* ARM's own calls, and what is no call of any machine but, in part, one of x32. */
enum { PRIVATE_FIRST = 0xf0000, PRIVATE_END = 0xf0010, X32_FIRST = 0x40000000 };

/* The outcome of a number; false when libseccomp knows no call of that number. */
static bool number_outcome(const struct rules *rules, uint32_t architecture, uint32_t number,
			   struct outcome *outcome)
{
	char *name = seccomp_syscall_resolve_num_arch(architecture, (int)number);

	*outcome = name ? rules->of(rules->context, name) : rules->unnamed;
	free(name);
	return name != NULL;
}

/* Fills in the numbers from first to before end, and then those that are newer. */
static void fill_numbers(const struct rules *rules, uint32_t architecture, uint32_t first,
			 uint32_t end, struct call_ranges *ranges)
{
	struct outcome outcomes[NUMBERS_END];
	uint32_t known_end = 0;

	for (uint32_t i = 0; i < end - first; i++)
		if (number_outcome(rules, architecture, first + i, &outcomes[i]))
			known_end = i + 1;
	for (uint32_t i = 0; i < known_end; i++)
		call_ranges_add(ranges, first + i, outcomes[i]);
	call_ranges_add(ranges, first + known_end, rules->newer);
}

static void add_architecture(struct filter_program *program, const struct rules *rules,
			     uint32_t architecture, struct call_ranges *ranges)
{
	const struct outcome killed = { .action = SECCOMP_RET_KILL_PROCESS };

	ranges->count = 0;
	ranges->is_full = false;
	fill_numbers(rules, architecture, 0, NUMBERS_END, ranges);
	if (architecture == SCMP_ARCH_ARM)
		fill_numbers(rules, architecture, PRIVATE_FIRST, PRIVATE_END, ranges);
	if (architecture == SCMP_ARCH_X86_64)
		call_ranges_add(ranges, X32_FIRST, killed);
	filter_program_add(program, architecture, ranges);
}

/* The architecture of 32-bit programs, if this machine runs them too. libseccomp's numbers are
 * those of audit(7). */
#if defined(__x86_64__)
enum { HAS_SMALLER = 1, SMALLER = SCMP_ARCH_X86 };
#elif defined(__aarch64__)
enum { HAS_SMALLER = 1, SMALLER = SCMP_ARCH_ARM };
#else
enum { HAS_SMALLER = 0, SMALLER = 0 };
#endif

/* smaller: for programs of the 32-bit kind. */
static int make(const struct rules *rules, const struct rules *smaller, struct call_filter *filter)
{
	struct filter_program *program = malloc(sizeof *program);
	struct call_ranges *ranges = malloc(sizeof *ranges);
	int result = -1;

	if (program && ranges) {
		filter_program_begin(program);
		add_architecture(program, rules, seccomp_arch_native(), ranges);
		if (HAS_SMALLER)
			add_architecture(program, smaller, SMALLER, ranges);
		result = filter_program_end(program, filter);
	}
	free(program);
	free(ranges);
	return result;
}

static int read_words(const struct strings *words, struct syscall_set *set)
{
	set->count = 0;
	for (size_t i = 0; i < words->count; i++)
		if (!syscall_set_apply(set, words->list[i])) {
			errno = EINVAL;
			return -1;
		}
	return 0;
}

static struct rules list_rules(struct outcome (*of)(const void *context, const char *name),
			       const struct syscall_set *set)
{
	return (struct rules){
		.of = of,
		.context = set,
		.unnamed = { .action = REFUSE(EPERM) },
		.newer = { .action = REFUSE(ENOSYS) },
	};
}

int syscall_filter_make(const struct strings *words, struct call_filter *filter)
{
	struct syscall_set set;
	const struct rules rules = list_rules(listed, &set);

	return read_words(words, &set) < 0 ? -1 : make(&rules, &rules, filter);
}

/* --- in two parts -------------------------------------------------------------------------- */

/* What it takes to start a program, besides the calls of the default. The last ones are in it,
 * but unknown to an older libseccomp. */
static const char *const starting_calls[] = {
	"clone",
	"clone3",
	"unshare",
	"setns",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"open_tree",
	"move_mount",
	"mount_setattr",
	"sethostname",
	"keyctl",
	"openat2",
	"close_range",
	"seccomp",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
};

enum { STARTING_CALLS = sizeof starting_calls / sizeof starting_calls[0] };

static bool is_for_starting(const char *name)
{
	for (size_t i = 0; i < STARTING_CALLS; i++)
		if (strcmp(starting_calls[i], name) == 0)
			return true;
	return false;
}

static const struct outcome allowed = { .action = ALLOW };

static struct outcome listed_or_for_starting(const void *context, const char *name)
{
	return is_for_starting(name) ? allowed : listed(context, name);
}

static struct outcome listed_if_for_starting(const void *context, const char *name)
{
	return is_for_starting(name) ? listed(context, name) : allowed;
}

static struct outcome any(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return (struct outcome){ .action = ALLOW };
}

static bool has_default(const struct syscall_set *set)
{
	const struct syscall_group *group;

	for (size_t i = 0; (group = syscall_group(i)); i++)
		if (group->is_default && !has_whole_group(set, group->name))
			return false;
	return true;
}

/* True where a thread with the first part can start programs. */
static bool can_be_inherited(const struct syscall_set *set)
{
	for (size_t i = 0; i < STARTING_CALLS; i++)
		if (seccomp_syscall_resolve_name(starting_calls[i]) < 0)
			return false;
	return has_default(set);
}

int syscall_filter_make_inherited(const struct strings *words, struct call_filter *filter)
{
	struct syscall_set set;
	const struct rules rules = list_rules(listed_or_for_starting, &set),
			   smaller = list_rules(listed, &set);

	if (read_words(words, &set) < 0)
		return -1;
	return can_be_inherited(&set) ? make(&rules, &smaller, filter) : 0;
}

int syscall_filter_make_rest(const struct strings *words, struct call_filter *filter)
{
	static const struct rules smaller = {
		.of = any,
		.unnamed = { .action = ALLOW },
		.newer = { .action = ALLOW },
	};
	struct syscall_set set;
	struct rules rules = smaller;

	rules.of = listed_if_for_starting;
	rules.context = &set;
	if (read_words(words, &set) < 0)
		return -1;
	return can_be_inherited(&set) ? make(&rules, &smaller, filter) : 0;
}

int syscall_filter_make_for_files(struct call_filter *filter)
{
	const struct rules rules = {
		.of = not_truncating,
		.unnamed = { .action = ALLOW },
		.newer = { .action = ALLOW },
	};

	return make(&rules, &rules, filter);
}

/* --- in the child -------------------------------------------------------------------------- */

IN_CHILD int syscall_filter_load(const struct call_filter *filter)
{
	const struct sock_fprog program = { (unsigned short)filter->count, filter->list };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
