/* A child is made with clone(2) in the way of vfork(2). It shares the daemon's memory until
 * execve, so that nothing is copied. It shares the table of descriptors at first: a copy would
 * take longer the more sockets are open. Then it copies only the lowest few, which are
 * reserved. The parent has put the connection there.
 *
 * For a short time the child has the user's identity and root's memory. That is safe if a
 * change of credentials makes memory undumpable: then only root can attach to the child. If it
 * does not (fs.suid_dumpable is 1, see proc(5)), the child gets a copy of the memory: nobody
 * who attaches to it can change the daemon. The setting can change at any time, so it is read
 * for each child. In both cases the parent waits until execve or exit, and reads from a shared
 * page what failed. */
#include "monitor/start_program.h"

#include "base/path_guard.h"
#include "monitor/label.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <linux/keyctl.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ThreadSanitizer takes the actions of a vfork-like child for races. */
#ifdef __SANITIZE_THREAD__
extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
#define CLONE __clone
#else
#define CLONE clone
#endif

enum { STACK_SIZE = 64 * 1024 };

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

/* What a child reports. */
struct word {
	const char *step, *failed_step;
	int failure;
};

static struct {
	pthread_mutex_t mutex; /* guards taken */
	bool taken[PROGRAM_SLOTS_MAX];
	unsigned char *stacks;
	struct word *words; /* one for each slot, shared with the children */
	int dumpable;       /* fs.suid_dumpable; -1 where that can't be read */
	int end;            /* the first descriptor that is not reserved */
	int null;           /* /dev/null, in reserved descriptors that are not in use */
	bool can_unshare, is_root, has_ambient;
} slots = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static int connection_slot(int slot)
{
	return PROGRAM_SLOTS_FIRST + 2 * slot;
}

static int error_slot(int slot)
{
	return PROGRAM_SLOTS_FIRST + 2 * slot + 1;
}

int program_slots(void)
{
	struct rlimit limit;
	rlim_t count = PROGRAM_SLOTS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 8 < count)
		count = limit.rlim_cur / 8;
	return count > 1 ? (int)count : 1;
}

int program_slots_end(void)
{
	return PROGRAM_SLOTS_FIRST + 2 * program_slots();
}

/* close_range(2) by number, as the C library may be older than the kernel. */
static int close_from(unsigned first, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, UINT_MAX, flags);
}

static int open_above_slots(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int above = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, slots.end);

	if (fd >= 0)
		close(fd);
	return above;
}

/* Asked once: the daemon gets none later. */
static bool has_ambient_capabilities(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
			return true;
	return false;
}

int start_program_init(void)
{
	slots.end = program_slots_end();
	slots.null = open_above_slots("/dev/null", O_RDWR);
	if (slots.null < 0)
		return -1;
	for (int fd = PROGRAM_SLOTS_FIRST; fd < slots.end; fd++)
		if (dup3(slots.null, fd, O_CLOEXEC) < 0)
			return -1;
	slots.dumpable = open_above_slots("/proc/sys/fs/suid_dumpable", O_RDONLY);
	slots.stacks = malloc((size_t)program_slots() * STACK_SIZE);
	slots.words = mmap(NULL, (size_t)program_slots() * sizeof *slots.words,
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Closes nothing: only asks whether the kernel has the call. */
	slots.can_unshare = syscall(SYS_close_range, UINT_MAX, UINT_MAX, 0) == 0;
	slots.is_root = geteuid() == 0;
	slots.has_ambient = has_ambient_capabilities();
	return slots.stacks && slots.words != MAP_FAILED ? 0 : -1;
}

static int slot_take(void)
{
	int slot = 0;

	pthread_mutex_lock(&slots.mutex);
	while (slots.taken[slot])
		slot++;
	slots.taken[slot] = true;
	pthread_mutex_unlock(&slots.mutex);
	return slot;
}

static void slot_give_back(int slot)
{
	pthread_mutex_lock(&slots.mutex);
	slots.taken[slot] = false;
	pthread_mutex_unlock(&slots.mutex);
}

static void begin_step(struct program_order *order, const char *step)
{
	__atomic_store_n(&order->step, step, __ATOMIC_RELAXED);
}

const char *program_step(const struct program_order *order)
{
	return __atomic_load_n(&order->step, __ATOMIC_RELAXED);
}

/* --- in the child -----------------------------------------------------------------
 * Only system calls, in the order of the table below. Identity and descriptors are
 * changed by raw system calls: the C library would change the identity of the daemon's
 * threads too, and ThreadSanitizer's wrappers its records of the daemon's descriptors. */

#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

IN_CHILD static int open_file(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0640);
}

IN_CHILD static int put(int from, int to)
{
	return (int)syscall(SYS_dup3, from, to, 0);
}

/* Only what it was not made in; the descriptors are lost with the next step. */
IN_CHILD static int cgroups(const struct program_order *order)
{
	for (int kind = 0; order->cgroup && kind < CGROUP_KINDS; kind++)
		if (order->entrance.procs[kind] >= 0 &&
		    syscall(SYS_write, order->entrance.procs[kind], "0", 1) != 1)
			return -1;
	return 0;
}

/* Copies only the descriptors up to the end of its own slot, to be fast. */
IN_CHILD static int own_descriptors(const struct program_order *order)
{
	unsigned end = (unsigned)error_slot(order->slot) + 1;

	return slots.can_unshare ? close_from(end, CLOSE_RANGE_UNSHARE) : 0;
}

IN_CHILD static int new_session(const struct program_order *order)
{
	(void)order;
	return setsid() < 0 ? -1 : 0;
}

IN_CHILD static int resource_limits(const struct program_order *order)
{
	static const int resources[LIMIT_COUNT] = {
		[LIMIT_AS] = RLIMIT_AS,       [LIMIT_CPU] = RLIMIT_CPU,
		[LIMIT_DATA] = RLIMIT_DATA,   [LIMIT_RSS] = RLIMIT_RSS,
		[LIMIT_STACK] = RLIMIT_STACK, [LIMIT_FILES] = RLIMIT_NOFILE,
		[LIMIT_NPROC] = RLIMIT_NPROC, [LIMIT_FSIZE] = RLIMIT_FSIZE,
		[LIMIT_CORE] = RLIMIT_CORE,   [LIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
	};

	for (int which = 0; which < LIMIT_COUNT; which++) {
		const struct resource_limit *limit = &order->settings->limits[which];
		struct rlimit value = { limit->value, limit->value };

		if (limit->is_set && syscall(SYS_prlimit64, 0, resources[which], &value, NULL) < 0)
			return -1;
	}
	return 0;
}

IN_CHILD static int priority(const struct program_order *order)
{
	int current;

	if (!order->settings->nice_is_set)
		return 0;
	errno = 0;
	current = getpriority(PRIO_PROCESS, 0);
	if (current == -1 && errno)
		return -1;
	return setpriority(PRIO_PROCESS, 0, current + order->settings->nice);
}

IN_CHILD static int file_mask(const struct program_order *order)
{
	if (order->settings->umask_is_set)
		umask(order->settings->umask);
	return 0;
}

enum { ERROR_FILE_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK };

/* Opens the file with the user's rights, so that a link leads only where the user may go.
 * setfsuid(2) changes only this process, in every C library. */
IN_CHILD static int open_error_file(const struct program_order *order)
{
	const struct service_settings *settings = order->settings;
	int fd, error;

	if (!slots.is_root)
		return open_file(settings->stderr_path, ERROR_FILE_FLAGS);
	if (settings->uid == 0)
		return path_guard_open_for_root(settings->stderr_path, ERROR_FILE_FLAGS, 0640);
	setfsuid(settings->uid);
	errno = EPERM;
	fd = (uid_t)setfsuid((uid_t)-1) == settings->uid
		     ? open_file(settings->stderr_path, ERROR_FILE_FLAGS)
		     : -1;
	error = errno;
	setfsuid(0);
	errno = error;
	return fd;
}

/* The descriptor that becomes 2. */
IN_CHILD static int open_error(const struct program_order *order)
{
	const struct service_settings *settings = order->settings;

	if (order->error >= 0)
		return error_slot(order->slot);
	/* Without its pipe to the log the output is lost. The client must not get it. */
	if (settings->stderr_kind == STDERR_NULL || settings->stderr_kind == STDERR_LOG)
		return open_file("/dev/null", O_WRONLY);
	if (settings->stderr_kind == STDERR_FILE)
		return open_error_file(order);
	return connection_slot(order->slot);
}

IN_CHILD static int descriptors(const struct program_order *order)
{
	int connection = connection_slot(order->slot), error = open_error(order);

	if (error < 0 || put(connection, 0) < 0 || put(connection, 1) < 0 || put(error, 2) < 0)
		return -1;
	if (slots.can_unshare)
		return close_from(3, 0);
	if (error != connection && error != error_slot(order->slot))
		syscall(SYS_close, error);
	return 0; /* all others close on exec */
}

IN_CHILD static int groups(const struct program_order *order)
{
	return slots.is_root ? (int)syscall(SYS_setgroups, order->group_count, order->groups) : 0;
}

IN_CHILD static int group(const struct program_order *order)
{
	gid_t gid = order->settings->gid;

	return slots.is_root ? (int)syscall(SYS_setresgid, gid, gid, gid) : 0;
}

IN_CHILD static int user(const struct program_order *order)
{
	uid_t uid = order->settings->uid;

	return slots.is_root ? (int)syscall(SYS_setresuid, uid, uid, uid) : 0;
}

/* A user who may attach to the child could read the copied memory. This ends that. */
IN_CHILD static int memory(const struct program_order *order)
{
	return order->has_own_memory ? prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) : 0;
}

/* Programs must not get root's session keyring: each gets a new one. Root makes it, as users
 * may have few. If the kernel has no keyrings, or a container forbids them (EPERM, for the
 * program too), there is nothing to separate. */
IN_CHILD static int keyring(const struct program_order *order)
{
	(void)order;
	if (!slots.is_root || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	return errno == ENOSYS || errno == EPERM ? 0 : -1;
}

/* Programs must not get the daemon's capabilities, for example to bind ports. */
IN_CHILD static int capabilities(const struct program_order *order)
{
	(void)order;
	if (!slots.has_ambient)
		return 0;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0)
		return 0;
	return errno == EINVAL ? 0 : -1; /* an older kernel has none */
}

/* setexeccon(3) without the library: it would allocate memory. */
IN_CHILD static int label(const struct program_order *order)
{
	size_t length = order->label ? strlen(order->label) + 1 : 0;
	int fd = length ? open_file("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC) : -1;

	if (!length)
		return 0;
	return fd >= 0 && syscall(SYS_write, fd, order->label, length) == (long)length ? 0 : -1;
}

/* The daemon ignores SIGPIPE, blocks all signals and has no handlers. */
IN_CHILD static int signals(const struct program_order *order)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)order;
	sigemptyset(&none);
	if (sigaction(SIGPIPE, &action, NULL) < 0)
		return -1;
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

IN_CHILD static int program(const struct program_order *order)
{
	return execve(order->program, order->argv, order->environment);
}

static const struct {
	const char *name;
	int (*take)(const struct program_order *order);
} steps[] = {
	{ "cgroup", cgroups },
	{ "own descriptors", own_descriptors },
	{ "new session", new_session },
	{ "keyring", keyring },
	{ "capabilities", capabilities },
	{ "nice", priority }, /* as root, like all steps before user */
	{ "umask", file_mask },
	{ "groups", groups },
	{ "group", group }, /* before a file is opened with these rights */
	{ "descriptors", descriptors },
	{ "label", label },
	{ "resource limits", resource_limits }, /* after all that may open files */
	{ "user", user },                       /* root's rights end here */
	{ "memory", memory },
	{ "signals", signals },
	{ "exec", program },
};

IN_CHILD static int child_main(void *argument)
{
	const struct program_order *order = argument;
	struct word *word = &slots.words[order->slot];

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		word->step = steps[i].name;
		if (steps[i].take(order) < 0) {
			word->failure = errno;
			word->failed_step = steps[i].name;
			_exit(1);
		}
	}
	_exit(1); /* not reached: the last step does not return */
}

/* --- on the worker ------------------------------------------------------------------ */

static void fail(struct program_order *order, const char *step)
{
	order->failure = errno;
	order->failed_step = step;
}

/* True when the user could attach to a child that has their identity already. */
static bool needs_own_memory(const struct program_order *order)
{
	char mode = '1';

	if (!slots.is_root || order->settings->uid == 0)
		return false;
	return pread(slots.dumpable, &mode, 1, 0) != 1 || (mode != '0' && mode != '2');
}

/* clone3(2) into a cgroup, by number, as the C library has no function for it. The child runs
 * child_main on its own stack, which nothing but this knows how to begin. */
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

struct clone3_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

#if defined __x86_64__

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	register int (*function)(void *) __asm__("rdx") = run;
	register void *its_argument __asm__("r8") = argument;
	long result = SYS_clone3;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r8, %%rdi\n\t"
			 "call *%%rdx\n\t"
			 "hlt\n"
			 "1:"
			 : "+a"(result)
			 : "D"(arguments), "S"(sizeof *arguments), "r"(function), "r"(its_argument)
			 : "rcx", "r11", "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#elif defined __aarch64__

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	register long number __asm__("x8") = SYS_clone3;
	register long result __asm__("x0") = (long)arguments;
	register size_t size __asm__("x1") = sizeof *arguments;
	register int (*function)(void *) __asm__("x2") = run;
	register void *its_argument __asm__("x3") = argument;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(result)
			 : "r"(number), "r"(size), "r"(function), "r"(its_argument)
			 : "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#else

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	(void)arguments;
	(void)run;
	(void)argument;
	errno = ENOSYS;
	return -1;
}

#endif

/* Makes the child in its cgroup. -1 with errno. */
static long clone_into_cgroup(struct program_order *order, unsigned char *stack, int flags)
{
	const struct clone3_arguments arguments = {
		.flags = ((uint64_t)(unsigned)flags & ~(uint64_t)CSIGNAL) | CLONE_INTO_CGROUP,
		.parent_tid = (uint64_t)(uintptr_t)&order->pid,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)(stack - STACK_SIZE),
		.stack_size = STACK_SIZE,
		.cgroup = (uint64_t)order->entrance.directory,
	};

	return clone3_running(&arguments, child_main, order);
}

/* True when another way into the cgroup may work. */
static bool lacks_clone_into_cgroup(void)
{
	return errno != EAGAIN && errno != ENOMEM;
}

/* The process id, or -1 with errno. */
static long make_child(struct program_order *order, unsigned char *stack, int flags)
{
	long pid;

	if (order->cgroup && order->entrance.directory >= 0) {
		pid = clone_into_cgroup(order, stack, flags);
		if (pid >= 0 || !lacks_clone_into_cgroup() ||
		    cgroup_enter_by_writing(order->cgroup, &order->entrance) < 0)
			return pid;
	}
	return CLONE(child_main, stack, flags, order, &order->pid);
}

static void clone_child(struct program_order *order)
{
	unsigned char *stack = slots.stacks + (size_t)(order->slot + 1) * STACK_SIZE;
	struct word *word = &slots.words[order->slot];
	int flags =
		CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD | (slots.can_unshare ? CLONE_FILES : 0);

	order->has_own_memory = needs_own_memory(order);
	if (!order->has_own_memory)
		flags |= CLONE_VM;
	*word = (struct word){ .failed_step = NULL };
	if (make_child(order, stack, flags) < 0) {
		fail(order, "fork");
		order->no_process = true;
		order->pid = 0;
		return;
	}
	begin_step(order, word->step);
	order->failed_step = word->failed_step;
	order->failure = word->failure;
}

static void clone_with_slot(struct program_order *order)
{
	int connection = connection_slot(order->slot), error = error_slot(order->slot);

	if (dup3(order->connection, connection, O_CLOEXEC) < 0 ||
	    (order->error >= 0 && dup3(order->error, error, O_CLOEXEC) < 0))
		fail(order, "descriptors");
	else
		clone_child(order);
	dup3(slots.null, connection, O_CLOEXEC);
	if (order->error >= 0)
		dup3(slots.null, error, O_CLOEXEC);
}

/* The user's supplementary groups, to be freed; NULL with errno. */
static gid_t *look_up_groups(const struct service_settings *settings, size_t *count)
{
	int found = 32, room;
	gid_t *list = NULL;

	do {
		gid_t *larger = realloc(list, (size_t)found * sizeof *larger);

		if (!larger) {
			free(list);
			return NULL;
		}
		list = larger;
		room = found;
	} while (getgrouplist(settings->account, settings->user_gid, list, &found) < 0 &&
		 found > room);
	*count = (size_t)found;
	return list;
}

static bool needs_groups(const struct service_settings *settings)
{
	return settings->groups && slots.is_root;
}

static bool needs_label(const struct service_settings *settings)
{
	return settings->flags & FLAG_LABELED;
}

bool program_needs_preparing(const struct service_settings *settings)
{
	return needs_groups(settings) || needs_label(settings);
}

void prepare_program(struct program_order *order)
{
	const struct service_settings *settings = order->settings;

	if (needs_groups(settings)) {
		begin_step(order, "groups");
		order->groups = look_up_groups(settings, &order->group_count);
		if (!order->groups) {
			fail(order, "groups");
			return;
		}
	}
	if (needs_label(settings)) {
		begin_step(order, "label");
		order->label = label_for(settings->server, order->connection);
		if (!order->label)
			fail(order, "label");
	}
}

void start_program(struct program_order *order)
{
	if (order->cgroup) {
		begin_step(order, "cgroup");
		if (cgroup_make(order->cgroup, &order->entrance) < 0)
			fail(order, "cgroup");
	}
	if (!order->failed_step) {
		order->slot = slot_take();
		clone_with_slot(order);
		slot_give_back(order->slot);
	}
	if (order->cgroup)
		cgroup_entrance_close(&order->entrance);
}

void program_order_clear(struct program_order *order)
{
	free(order->groups);
	free(order->label);
	order->groups = NULL;
	order->label = NULL;
}
