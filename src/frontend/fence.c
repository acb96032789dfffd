#include "frontend/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- identity ------------------------------------------------------------------------ */

/* Without capabilities in the bounding set no exec of a privileged file brings them back. Who may
 * not drop them does without: no_new_privs and the filter of system calls prevent that, too. */
static int drop_bounding_set(const struct fence_user *user)
{
	(void)user;
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
	     capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EPERM ? 0 : -1;
	return 0;
}

/* Also those that a change of the user does not take away, and those that a service manager has
 * given to an ordinary user. */
static int drop_capabilities(const struct fence_user *user)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	(void)user;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -1; /* an older kernel has no ambient ones */
	return (int)syscall(SYS_capset, &header, none);
}

static int become_user(const struct fence_user *user)
{
	if (!user)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0)
		return -1;
	return setresuid(user->uid, user->uid, user->uid);
}

/* Then processes of the same user can't attach to it or read its memory. */
static int become_undumpable(const struct fence_user *user)
{
	(void)user;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int renounce_new_privileges(const struct fence_user *user)
{
	(void)user;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* What becomes of the process, not what it may do; here, as a change of identity
 * undoes it. A monitor that was killed can't close the channel of a frontend that does
 * not read it. The parent is the thread that started it: the monitor's loop. */
static int end_with_parent(const struct fence_user *user)
{
	(void)user;
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* --- the file system ------------------------------------------------------------------- */

/* The kernel's version of Landlock; 0 or less: it has none. */
static int landlock_version(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			    LANDLOCK_CREATE_RULESET_VERSION);
}

bool fence_has_landlock(void)
{
	return landlock_version() > 0;
}

/* Every right to change something that this version knows; it rejects others. */
static uint64_t writing_rights(int version)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

	if (version >= 2)
		rights |= 1ULL << 13; /* LANDLOCK_ACCESS_FS_REFER */
	if (version >= 3)
		rights |= 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE */
	return rights;
}

/* A ruleset that handles a right, without a rule that allows it, forbids it. */
static int forbid_writing(const struct fence_user *user)
{
	int version = landlock_version(), ruleset, result;
	struct landlock_ruleset_attr attributes = { 0 };

	(void)user;
	if (version <= 0)
		return 0;
	attributes.handled_access_fs = writing_rights(version);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
	if (ruleset < 0)
		return -1;
	result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return result;
}

/* --- system calls ------------------------------------------------------------------------ */

/* No frontend needs any of these. */
static const char *const refused_calls[] = {
	/* other programs */
	"execve",
	"execveat",
	/* other processes */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"pidfd_getfd",
	"kcmp",
	/* mounts and roots */
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"swapon",
	"swapoff",
	"quotactl",
	/* the kernel itself */
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"bpf",
	"perf_event_open",
	"reboot",
	"iopl",
	"ioperm",
	"syslog",
	"acct",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"lookup_dcookie",
	"nfsservctl",
	/* keys */
	"add_key",
	"request_key",
	"keyctl",
	/* another identity */
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	"personality",
	/* namespaces; clone(2) is looked at below */
	"unshare",
	"setns",
	/* what a file is like, which Landlock does not know */
	"chmod",
	"fchmod",
	"fchmodat",
	"fchmodat2",
	"chown",
	"lchown",
	"fchown",
	"fchownat",
	"utime",
	"utimes",
	"futimesat",
	"utimensat",
	"setxattr",
	"lsetxattr",
	"fsetxattr",
	"setxattrat",
	"removexattr",
	"lremovexattr",
	"fremovexattr",
	"removexattrat",
	"file_setattr",
	/* files by handle, past every directory's mode */
	"open_by_handle_at",
	"name_to_handle_at",
	"mknod",
	"mknodat",
	/* the machine's name and clocks */
	"sethostname",
	"setdomainname",
	"settimeofday",
	"clock_settime",
	"clock_adjtime",
	"adjtimex",
};

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static const unsigned long new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
					    CLONE_NEWNET;

/* Threads need clone(2), so it is refused only with a flag for a namespace. A filter can't
 * see the flags of clone3(2): it fails with ENOSYS, and the C library calls clone instead.
 * Returns 0, or a negative error. */
static int refuse_namespaces(scmp_filter_ctx filter)
{
	int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (unsigned long flag = 1; result == 0 && flag <= new_namespaces; flag <<= 1)
		if (flag & new_namespaces)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
						  SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
	return result;
}

/* Calls that are newer than some versions of libseccomp, by the number that they have on all machines
 * that this runs on. */
static const struct {
	const char *name;
	int number;
} newer_calls[] = {
	{ "fchmodat2", 452 },
	{ "setxattrat", 463 },
	{ "removexattrat", 466 },
	{ "file_setattr", 469 },
};

static int number_of(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; i < sizeof newer_calls / sizeof newer_calls[0]; i++)
		if (number == __NR_SCMP_ERROR && strcmp(newer_calls[i].name, name) == 0)
			return newer_calls[i].number;
	return number;
}

/* Calls that this machine does not have are left out.
 * Returns 0, or a negative error. */
static int fill_filter(scmp_filter_ctx filter)
{
	int result = refuse_namespaces(filter);

	for (size_t i = 0; result == 0 && i < sizeof refused_calls / sizeof refused_calls[0]; i++) {
		int number = number_of(refused_calls[i]);

		if (number != __NR_SCMP_ERROR)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	}
	return result;
}

static int filter_system_calls(const struct fence_user *user)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result;

	(void)user;
	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	result = fill_filter(filter);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	if (result == 0)
		return 0;
	errno = -result;
	return -1;
}

/* --- the fence ----------------------------------------------------------------------------- */

/* In this order: each step needs what the later ones take away. */
static const struct {
	const char *name;
	int (*take)(const struct fence_user *user);
} steps[] = {
	{ "bounding set", drop_bounding_set }, { "user", become_user },
	{ "capabilities", drop_capabilities }, { "end of the parent", end_with_parent },
	{ "dumpable", become_undumpable },     { "no_new_privs", renounce_new_privileges },
	{ "Landlock", forbid_writing },        { "system calls", filter_system_calls },
};

int fence_enter(const struct fence_user *user, const char **step)
{
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (steps[i].take(user) < 0) {
			*step = steps[i].name;
			return -1;
		}
	return 0;
}
