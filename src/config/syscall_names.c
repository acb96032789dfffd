/* In `syscalls = default` are the calls that ordinary programs need, and none that reach beyond
 * the process's own rights: no other process's memory, no mounts, no keys, no setting of the
 * machine, and none of the rarely used parts in which kernels have had most holes. A call that
 * is in no list, because it is newer, is not allowed either. */
#include "config/syscall_names.h"

#include "config/word.h"

#include <seccomp.h>
#include <string.h>

/* clang-format off */

/* Descriptors: reading, writing, waiting. */
static const char *const io_calls[] = {
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev",
	"preadv2", "pwritev2", "lseek", "_llseek", "close", "close_range", "dup", "dup2",
	"dup3", "fcntl", "fcntl64", "ioctl", "pipe", "pipe2", "poll", "ppoll", "ppoll_time64",
	"select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait",
	"epoll_pwait2", "eventfd", "eventfd2", "sendfile", "sendfile64", "splice", "tee",
	"vmsplice", "copy_file_range", "readahead", "fadvise64", "fadvise64_64",
	"arm_fadvise64_64", "sync_file_range", "sync_file_range2", "arm_sync_file_range",
	"fsync", "fdatasync", "sync", "syncfs", "cachestat", NULL,
};

/* Files and directories by name, and what is said about them. */
static const char *const files_calls[] = {
	"open", "openat", "openat2", "creat", "stat", "fstat", "lstat", "stat64", "fstat64",
	"lstat64", "newfstatat", "fstatat64", "oldstat", "oldfstat", "oldlstat", "statx",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "readdir", "getdents",
	"getdents64", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink",
	"unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
	"symlinkat", "mknod", "mknodat", "truncate", "truncate64", "ftruncate", "ftruncate64",
	"fallocate", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown",
	"chown32", "fchown32", "lchown32", "fchownat", "umask", "utime", "utimes", "futimesat",
	"utimensat", "utimensat_time64", "statfs", "statfs64", "fstatfs", "fstatfs64",
	"getxattr", "lgetxattr", "fgetxattr", "getxattrat", "setxattr", "lsetxattr",
	"fsetxattr", "setxattrat", "listxattr", "llistxattr", "flistxattr", "listxattrat",
	"removexattr", "lremovexattr", "fremovexattr", "removexattrat", "flock",
	"inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	"name_to_handle_at", NULL,
};

/* Processes and threads: starting, waiting, scheduling, limits. */
static const char *const process_calls[] = {
	"fork", "vfork", "clone", "unshare", "execve", "execveat", "exit", "exit_group",
	"wait4", "waitpid", "waitid", "getpid", "getppid", "gettid", "getpgid", "getpgrp",
	"setpgid", "getsid", "setsid", "getpriority", "setpriority", "nice",
	"sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
	"sched_setaffinity", "sched_getattr", "sched_setattr", "sched_getparam",
	"sched_setparam", "sched_getscheduler", "sched_setscheduler", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "sched_yield", "getrlimit", "ugetrlimit", "setrlimit",
	"prlimit64", "getrusage", "getcpu", "ioprio_get", "ioprio_set", "prctl", "arch_prctl",
	"personality", "uname", "sysinfo", "set_tid_address", "set_robust_list",
	"get_robust_list", "rseq", "set_thread_area", "get_thread_area", "modify_ldt",
	"membarrier", "futex", "futex_time64", "futex_waitv", "futex_wake", "futex_wait",
	"futex_requeue", "restart_syscall", "pidfd_open", "process_mrelease", "getrandom",
	"breakpoint", "cacheflush", "set_tls", "get_tls", "riscv_flush_icache",
	"riscv_hwprobe", NULL,
};

/* Users, groups and capabilities; they give nothing that the process does not have. */
static const char *const identity_calls[] = {
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid",
	"getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups",
	"getgroups32", "setuid", "setuid32", "setgid", "setgid32", "setreuid", "setreuid32",
	"setregid", "setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32",
	"setgroups", "setgroups32", "setfsuid", "setfsuid32", "setfsgid", "setfsgid32",
	"capget", "capset", NULL,
};

/* What a process gives up for itself. */
static const char *const confine_calls[] = {
	"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
	NULL,
};

/* Memory. */
static const char *const memory_calls[] = {
	"brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync",
	"mlock", "mlock2", "mlockall", "munlock", "munlockall", "memfd_create", "memfd_secret",
	"remap_file_pages", "pkey_alloc", "pkey_free", "pkey_mprotect", "map_shadow_stack",
	"mseal", NULL,
};

/* Signals. */
static const char *const signals_calls[] = {
	"kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigpending",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "rt_sigreturn", "sigaction", "sigprocmask", "sigpending",
	"sigsuspend", "sigreturn", "signal", "sgetmask", "ssetmask", "sigaltstack", "pause",
	"signalfd", "signalfd4", "pidfd_send_signal", NULL,
};

/* Reading clocks, timers. */
static const char *const time_calls[] = {
	"time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64",
	"alarm", "getitimer", "setitimer", "timer_create", "timer_delete", "timer_getoverrun",
	"timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64",
	"timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "times", NULL,
};

/* Sockets. */
static const char *const network_calls[] = {
	"socket", "socketpair", "bind", "listen", "accept", "accept4", "connect",
	"getsockname", "getpeername", "send", "recv", "sendto", "recvfrom", "sendmsg",
	"recvmsg", "sendmmsg", "recvmmsg", "recvmmsg_time64", "shutdown", "getsockopt",
	"setsockopt", NULL,
};

/* System V IPC, message queues. */
static const char *const ipc_calls[] = {
	"msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop",
	"semtimedop_time64", "semctl", "shmget", "shmat", "shmdt", "shmctl", "mq_open",
	"mq_unlink", "mq_timedsend", "mq_timedsend_time64", "mq_timedreceive",
	"mq_timedreceive_time64", "mq_notify", "mq_getsetattr", NULL,
};

/* Other processes' memory and state. */
static const char *const debug_calls[] = {
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd",
	"kcmp", "perf_event_open", NULL,
};

/* Mounts, roots and namespaces. */
static const char *const mount_calls[] = {
	"mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree",
	"open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	"statmount", "listmount", "setns", NULL,
};

/* The kernel's keys. */
static const char *const keys_calls[] = {
	"add_key", "request_key", "keyctl", NULL,
};

/* Rings, which make calls that no filter sees. */
static const char *const io_uring_calls[] = {
	"io_uring_setup", "io_uring_enter", "io_uring_register", NULL,
};

/* Asynchronous input and output. The whole machine has a limited number of requests
 * (fs.aio-max-nr), and one process can take them all. */
static const char *const aio_calls[] = {
	"io_setup", "io_submit", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
	"io_cancel", "io_destroy", NULL,
};

/* Files by handle, watches of whole file systems. */
static const char *const handles_calls[] = {
	"open_by_handle_at", "fanotify_init", "fanotify_mark", NULL,
};

/* Where memory is. */
static const char *const numa_calls[] = {
	"get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "mbind", "migrate_pages",
	"move_pages", NULL,
};

/* Setting clocks. */
static const char *const clock_calls[] = {
	"settimeofday", "stime", "clock_settime", "clock_settime64", "adjtimex",
	"clock_adjtime", "clock_adjtime64", NULL,
};

/* The machine and the kernel itself. */
static const char *const kernel_calls[] = {
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
	"userfaultfd", "reboot", "swapon", "swapoff", "iopl", "ioperm", "syslog", "acct",
	"quotactl", "quotactl_fd", "sethostname", "setdomainname", "vhangup",
	"lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", NULL,
};

/* Calls that nothing needs any more. */
static const char *const obsolete_calls[] = {
	"_sysctl", "sysfs", "ustat", "uselib", "nfsservctl", "lookup_dcookie", "vm86",
	"vm86old", "create_module", "get_kernel_syms", "query_module", "bdflush",
	"afs_syscall", "getpmsg", "putpmsg", "security", "tuxcall", "vserver", NULL,
};

static const struct syscall_group groups[] = {
	{ "@io", true, io_calls },
	{ "@files", true, files_calls },
	{ "@process", true, process_calls },
	{ "@identity", true, identity_calls },
	{ "@confine", true, confine_calls },
	{ "@memory", true, memory_calls },
	{ "@signals", true, signals_calls },
	{ "@time", true, time_calls },
	{ "@network", true, network_calls },
	{ "@ipc", true, ipc_calls },
	{ "@debug", false, debug_calls },
	{ "@mount", false, mount_calls },
	{ "@keys", false, keys_calls },
	{ "@io_uring", false, io_uring_calls },
	{ "@aio", false, aio_calls },
	{ "@handles", false, handles_calls },
	{ "@numa", false, numa_calls },
	{ "@clock", false, clock_calls },
	{ "@kernel", false, kernel_calls },
	{ "@obsolete", false, obsolete_calls },
};

/* clang-format on */

enum { GROUPS = sizeof groups / sizeof groups[0] };

const struct syscall_group *syscall_group(size_t index)
{
	return index < GROUPS ? &groups[index] : NULL;
}

static const struct syscall_group *find_group(const char *name)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}

/* --- sets --------------------------------------------------------------------------------- */

static size_t index_of(const struct syscall_set *set, const char *name)
{
	size_t i = 0;

	while (i < set->count && strcmp(set->calls[i].name, name) != 0)
		i++;
	return i;
}

const struct allowed_call *syscall_set_find(const struct syscall_set *set, const char *name)
{
	size_t i = index_of(set, name);

	return i < set->count ? &set->calls[i] : NULL;
}

static bool add_call(struct syscall_set *set, const char *name, bool is_whole)
{
	size_t i = index_of(set, name);

	if (i == SYSCALLS_MAX)
		return false;
	if (i == set->count)
		set->calls[set->count++] = (struct allowed_call){ .name = name };
	set->calls[i].is_whole |= is_whole;
	return true;
}

static void remove_call(struct syscall_set *set, const char *name)
{
	size_t i = index_of(set, name);

	if (i < set->count)
		set->calls[i] = set->calls[--set->count];
}

static bool apply_group(struct syscall_set *set, const struct syscall_group *group, bool adds)
{
	for (const char *const *call = group->calls; *call; call++)
		if (!adds)
			remove_call(set, *call);
		else if (!add_call(set, *call, false))
			return false;
	return true;
}

static bool apply_default(struct syscall_set *set)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (groups[i].is_default && !apply_group(set, &groups[i], true))
			return false;
	return true;
}

bool syscall_set_apply(struct syscall_set *set, const char *word)
{
	const char *name = word + 1;
	bool adds = *word == '+';

	if (strcmp(word, "default") == 0)
		return apply_default(set);
	if ((!adds && *word != '-') || !syscall_is_known(name))
		return false;
	if (*name == '@')
		return apply_group(set, find_group(name), adds);
	if (adds)
		return add_call(set, name, true);
	remove_call(set, name);
	return true;
}

/* --- names -------------------------------------------------------------------------------- */

static bool is_in_group(const char *name)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (const char *const *call = groups[i].calls; *call; call++)
			if (strcmp(*call, name) == 0)
				return true;
	return false;
}

bool syscall_is_known(const char *name)
{
	if (*name == '@')
		return find_group(name) != NULL;
	return is_in_group(name) ||
	       seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name) != __NR_SCMP_ERROR;
}

const char *syscall_nearest(const char *name)
{
	const char *names[GROUPS + SYSCALLS_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < GROUPS; i++) {
		names[count++] = groups[i].name;
		for (const char *const *call = groups[i].calls;
		     *call && count < GROUPS + SYSCALLS_MAX; call++)
			names[count++] = *call;
	}
	names[count] = NULL;
	return nearest_word(name, names);
}
