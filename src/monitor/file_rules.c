#include "monitor/file_rules.h"

#include "monitor/in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in linux/landlock.h, which may be older than the kernel. The kernel accepts a longer
 * structure than it knows if the rest is zero. */
struct landlock_attributes {
	uint64_t files, network, scopes;
};

#define RIGHT_REFER (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEVICE (UINT64_C(1) << 15)
#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS (UINT64_C(1) << 1)

enum { VERSION_REFER = 2, VERSION_TRUNCATE = 3, VERSION_IOCTL = 5, VERSION_SCOPES = 6 };

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t executing =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE;
static const uint64_t writing = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
				RIGHT_REFER | RIGHT_TRUNCATE | RIGHT_IOCTL_DEVICE;

/* The rights that a rule for a file, not a directory, can have. */
static const uint64_t of_files = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				 LANDLOCK_ACCESS_FS_EXECUTE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEVICE;

/* Every right that this version knows. */
IN_CHILD static uint64_t known_rights(long version)
{
	uint64_t rights = reading | executing | writing;

	if (version < VERSION_REFER)
		rights &= ~RIGHT_REFER;
	if (version < VERSION_TRUNCATE)
		rights &= ~RIGHT_TRUNCATE;
	if (version < VERSION_IOCTL)
		rights &= ~RIGHT_IOCTL_DEVICE;
	return rights;
}

IN_CHILD static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		       LANDLOCK_CREATE_RULESET_VERSION);
}

/* A right that a ruleset handles is forbidden unless one of its rules allows it. */
IN_CHILD static int make_ruleset(long version)
{
	struct landlock_attributes attributes = {
		.files = known_rights(version),
		.scopes = version < VERSION_SCOPES ? 0 : SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS,
	};

	return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}

/* Magic links, such as /proc/self/root, lead out of every root. */
IN_CHILD static int open_path(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* --- before any session -------------------------------------------------------------------- */

static const char *obstacle_text(int error)
{
	if (error == ENOSYS)
		return "the kernel has no Landlock; use one from 5.13 on, with "
		       "CONFIG_SECURITY_LANDLOCK";
	if (error == EOPNOTSUPP)
		return "Landlock is off; add landlock to the kernel's parameter lsm= "
		       "(lsm=landlock,...)";
	return "Landlock is forbidden here; allow the landlock_ calls and openat2 in the "
	       "container's list of system calls";
}

/* True when both calls that a child needs work here. */
static bool calls_work(long version)
{
	int ruleset = make_ruleset(version), path = open_path("/");

	if (ruleset >= 0)
		close(ruleset);
	if (path >= 0)
		close(path);
	return ruleset >= 0 && path >= 0;
}

int file_rules_version(const char **reason)
{
	long version = landlock_version();

	if (version > 0 && calls_work(version))
		return (int)version;
	*reason = obstacle_text(version > 0 ? EPERM : errno);
	return 0;
}

bool file_rules_lack_truncation(int version)
{
	return version < VERSION_TRUNCATE;
}

/* --- in the child -------------------------------------------------------------------------- */

IN_CHILD static int allow(int ruleset, int path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = path };
	struct stat status;

	if (fstat(path, &status) < 0)
		return -1;
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= of_files;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

IN_CHILD static bool may_be_missing(const char *word)
{
	return *word == '-' && (errno == ENOENT || errno == ENOTDIR);
}

IN_CHILD static int allow_paths(int ruleset, const struct strings *words, uint64_t rights)
{
	for (size_t i = 0; i < words->count; i++) {
		int path = open_path(file_rule_path(words->list[i])), result;

		if (path < 0 && may_be_missing(words->list[i]))
			continue;
		if (path < 0)
			return -1;
		result = allow(ruleset, path, rights);
		syscall(SYS_close, path);
		if (result < 0)
			return -1;
	}
	return 0;
}

IN_CHILD int file_rules_enter(const struct service_settings *service)
{
	long version = landlock_version();
	uint64_t known = known_rights(version);
	int ruleset = version > 0 ? make_ruleset(version) : -1;

	if (ruleset < 0)
		return -1;
	if (allow_paths(ruleset, &service->program->allow_read, reading & known) < 0 ||
	    allow_paths(ruleset, &service->program->allow_write, writing & known) < 0 ||
	    allow_paths(ruleset, &service->program->allow_execute, executing & known) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); /* closes on exec */
}
