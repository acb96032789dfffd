#include "monitor/jail_mounts.h"

#include "base/path_guard.h"
#include "base/path_in_root.h"
#include "monitor/in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By number and by value, as the C library and its headers may be older than the kernel. */
enum {
	CALL_OPEN_TREE = 428,
	CALL_MOVE_MOUNT = 429,
	CALL_MOUNT_SETATTR = 442,
	TREE_CLONE = 1,
	MOVE_FROM_DESCRIPTOR = 4,
	MOVE_TO_DESCRIPTOR = 0x40,
	EMPTY_PATH = 0x1000, /* AT_EMPTY_PATH */
	RECURSIVE = 0x8000,  /* AT_RECURSIVE */
	ATTRIBUTE_READ_ONLY = 1,
	ATTRIBUTE_NO_SETUID = 2,
	ATTRIBUTE_NO_DEVICES = 4,
	ATTRIBUTE_NO_PROGRAMS = 8,
	PLACE_INODE = 0x100,  /* STATX_INO */
	PLACE_MOUNT = 0x1000, /* STATX_MNT_ID, Linux 5.8 */
};

struct mount_attributes {
	uint64_t set, clear, propagation, user_namespace;
};

/* The work on one set of mounts. */
struct build {
	const struct jail_plan *plan;
	int origin; /* root as the host has it */
	int tree;   /* where the session's root is being made */
	int mounts; /* the namespace of a template */
	struct jail_report *report;
};

IN_CHILD static int close_from_keeping_errno(int fd, int result)
{
	int error = errno;

	syscall(SYS_close, fd);
	errno = error;
	return result;
}

/* --- pieces ------------------------------------------------------------------------------- */

/* A copy of the mount, with those on it, that is nowhere yet. */
IN_CHILD static int copy_mounts(int fd)
{
	return (int)syscall(CALL_OPEN_TREE, fd, "",
			    TREE_CLONE | EMPTY_PATH | RECURSIVE | O_CLOEXEC);
}

IN_CHILD static int restrict_mount(int fd, uint64_t attributes, int flags)
{
	const struct mount_attributes change = { .set = attributes, .propagation = MS_PRIVATE };

	return (int)syscall(CALL_MOUNT_SETATTR, fd, "", EMPTY_PATH | flags, &change, sizeof change);
}

IN_CHILD static int attach(int mount, int directory, const char *path)
{
	int flags = MOVE_FROM_DESCRIPTOR | (*path ? 0 : MOVE_TO_DESCRIPTOR);

	return (int)syscall(CALL_MOVE_MOUNT, mount, "", directory, path, flags);
}

/* Opens a directory or file of the session's root, where nobody can have laid a link. */
IN_CHILD static int open_place(struct build *build, int root, const char *path, int flags)
{
	build->report->path = path;
	return path_in_root_open(root, path, O_PATH | flags, PATH_NO_LINKS);
}

/* Makes that place the working directory, for a mount on ".". */
IN_CHILD static int go_to(struct build *build, const char *path)
{
	int fd = open_place(build, build->tree, path, O_DIRECTORY);

	return fd < 0 ? -1 : close_from_keeping_errno(fd, (int)syscall(SYS_fchdir, fd));
}

/* --- the stages ----------------------------------------------------------------------------- */

IN_CHILD static int stay_private(struct build *build)
{
	(void)build;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

IN_CHILD static int open_root(const struct jail_plan *plan)
{
	struct path_guard guard = { .trusted = 0 };
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	if (!plan->root)
		return (int)syscall(SYS_openat, AT_FDCWD, "/", flags);
	return plan->is_privileged ? path_guard_open(&guard, plan->root, flags, 0)
				   : (int)syscall(SYS_openat, AT_FDCWD, plan->root, flags);
}

IN_CHILD static int note_root(struct build *build)
{
	struct stat status;

	if (fstat(build->origin, &status) < 0)
		return -1;
	build->report->device = status.st_dev;
	build->report->inode = status.st_ino;
	return 0;
}

/* Root goes onto "/", and is there for paths that begin at tree. */
IN_CHILD static int make_root(struct build *build)
{
	uint64_t attributes = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SETUID | ATTRIBUTE_NO_DEVICES;

	build->report->path = build->plan->root;
	build->origin = build->tree = open_root(build->plan);
	if (build->origin < 0 || note_root(build) < 0 || !build->plan->root)
		return build->origin < 0 ? -1 : 0;
	build->tree = copy_mounts(build->origin);
	if (build->tree < 0 || restrict_mount(build->tree, attributes, RECURSIVE) < 0)
		return -1;
	return attach(build->tree, AT_FDCWD, "/");
}

/* As the host has it, except for devices and set-user-ID programs. */
IN_CHILD static int make_path_writable(struct build *build, const char *path)
{
	int from = open_place(build, build->origin, path, 0);
	int to = open_place(build, build->tree, path, 0);
	int copy = from < 0 || to < 0 ? -1 : copy_mounts(from);

	if (copy < 0 ||
	    restrict_mount(copy, ATTRIBUTE_NO_SETUID | ATTRIBUTE_NO_DEVICES, RECURSIVE) < 0)
		return -1;
	return attach(copy, to, "");
}

IN_CHILD static int make_writable(struct build *build)
{
	for (size_t i = 0; i < build->plan->writable_count; i++)
		if (make_path_writable(build, build->plan->writable[i]) < 0)
			return -1;
	return 0;
}

/* The program can't enter it either: it has the daemon's user, and the rights of the one who makes
 * its mounts or fewer. A link gives ELOOP, and is none of these. */
IN_CHILD static bool needs_no_hiding(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR;
}

/* An empty directory covers each of them that can be entered. One may be in another, which covers
 * it already. */
IN_CHILD static int hide(struct build *build)
{
	const struct jail_plan *plan = build->plan;

	for (size_t i = 0; i < plan->hidden_count; i++) {
		if (go_to(build, plan->hidden[i]) < 0) {
			if (!needs_no_hiding(errno))
				return -1;
		} else if (mount("tmpfs", ".", "tmpfs",
				 MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
				 "mode=0555,size=4k") < 0) {
			return -1;
		}
	}
	return 0;
}

IN_CHILD static void drop_mounts_on(struct build *build, const char *path)
{
	while (go_to(build, path) == 0 && umount2(".", MNT_DETACH) == 0)
		continue;
}

/* The mount alone, without those on it. */
IN_CHILD static int copy_mount(int fd)
{
	return (int)syscall(CALL_OPEN_TREE, fd, "", TREE_CLONE | EMPTY_PATH | O_CLOEXEC);
}

/* Puts a copy in its place that has nothing on it. No failure where it is no mount. */
IN_CHILD static int drop_mounts_below(struct build *build, const char *path)
{
	int place = open_place(build, build->tree, path, O_DIRECTORY);
	int copy = place < 0 ? -1 : copy_mount(place);

	if (copy < 0 || go_to(build, path) < 0 || umount2(".", MNT_DETACH) < 0)
		return 0;
	place = open_place(build, build->tree, path, O_DIRECTORY);
	return place < 0 ? -1 : attach(copy, place, "");
}

/* What the kernel tells the host's administrator in mounts below /sys, as of cgroups: each
 * session's copy is faster without them, and holds less of the host. */
IN_CHILD static int drop_below_sys(struct build *build)
{
	const struct jail_plan *plan = build->plan;

	for (size_t i = 0; i < plan->writable_count; i++)
		if (path_below("/sys", plan->writable[i]))
			return 0;
	return plan->root ? drop_mounts_below(build, "/sys") : 0;
}

/* What is covered soon, for the same reasons. */
IN_CHILD static int drop_covered(struct build *build)
{
	if (build->plan->root && build->plan->has_devices)
		drop_mounts_on(build, "/dev");
	if (build->plan->root && build->plan->has_proc && !build->plan->keeps_host_proc)
		drop_mounts_on(build, "/proc");
	return 0;
}

/* The node itself stays the host's: only a file to mount it on is made. */
IN_CHILD static int make_device(struct build *build, int from, int to, const char *name)
{
	uint64_t attributes = ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SETUID | ATTRIBUTE_NO_PROGRAMS;
	struct stat status;
	int node, copy;

	build->report->path = name;
	node = (int)syscall(SYS_openat, from, name, O_PATH | O_CLOEXEC);
	if (node < 0 || fstat(node, &status) < 0)
		return -1;
	errno = ENODEV;
	if (!S_ISCHR(status.st_mode) || mknodat(to, name, S_IFREG | 0600, 0) < 0)
		return -1;
	copy = copy_mounts(node);
	if (copy < 0 || restrict_mount(copy, attributes, 0) < 0)
		return -1;
	return attach(copy, to, name);
}

IN_CHILD static int make_links(int directory)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },
		{ "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" },
		{ "/proc/self/fd/2", "stderr" },
	};

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		if (symlinkat(links[i][0], directory, links[i][1]) < 0)
			return -1;
	return 0;
}

/* shm is for a scratch. */
IN_CHILD static int fill_devices(struct build *build, int from, int to)
{
	const struct jail_plan *plan = build->plan;

	for (size_t i = 0; i < plan->device_count; i++)
		if (make_device(build, from, to, plan->devices[i]) < 0)
			return -1;
	build->report->path = "/dev";
	if ((plan->has_proc && make_links(to) < 0) || mkdirat(to, "shm", 0755) < 0)
		return -1;
	return restrict_mount(to, ATTRIBUTE_READ_ONLY, 0);
}

IN_CHILD static int make_devices(struct build *build)
{
	int from, to;

	if (!build->plan->has_devices)
		return 0;
	from = (int)syscall(SYS_openat, AT_FDCWD, "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || go_to(build, "/dev") < 0 ||
	    mount("tmpfs", ".", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") < 0)
		return -1;
	to = open_place(build, build->tree, "/dev", O_DIRECTORY);
	return to < 0 ? -1 : fill_devices(build, from, to);
}

/* In the template's copy. */
IN_CHILD static int find_root(struct build *build)
{
	build->tree = (int)syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return build->tree < 0 ? -1 : 0;
}

/* Read-only, so that even root can't change the kernel's settings in it. */
IN_CHILD static int make_proc(struct build *build)
{
	if (!build->plan->has_proc)
		return 0;
	if (go_to(build, "/proc") < 0)
		return -1;
	return mount("proc", ".", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
}

IN_CHILD static int make_scratch(struct build *build)
{
	const struct jail_plan *plan = build->plan;

	for (size_t i = 0; i < plan->scratch_count; i++)
		if (go_to(build, plan->scratch[i].path) < 0 ||
		    mount("tmpfs", ".", "tmpfs", MS_NOSUID | MS_NODEV, plan->scratch[i].options) <
			    0)
			return -1;
	return 0;
}

/* The first file system of all, from which an initial ramdisk never moved, can't be put aside.
 * It is covered then, and root is its cover: no ".." leads below that. */
IN_CHILD static int leave_host(struct build *build)
{
	if (syscall(SYS_fchdir, build->tree) < 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		return umount2(".", MNT_DETACH);
	return errno == EINVAL ? (int)syscall(SYS_chroot, ".") : -1;
}

IN_CHILD static int go_to_root(struct build *build)
{
	build->report->path = build->plan->root;
	if (build->origin >= 0 && build->plan->root && leave_host(build) < 0)
		return -1;
	return (int)syscall(SYS_chdir, "/");
}

/* Of struct statx, see statx(2). */
struct place {
	uint32_t known;
	unsigned char others[28];
	uint64_t inode;
	unsigned char more[104];
	uint64_t mount;
	unsigned char rest[104];
};

IN_CHILD static bool find_place(int fd, struct place *place)
{
	return syscall(SYS_statx, fd, "", EMPTY_PATH, PLACE_INODE | PLACE_MOUNT, place) == 0 &&
	       (place->known & PLACE_MOUNT);
}

/* A session enters the template at the root of its namespace of mounts. Where the daemon's own root
 * is another one, as after chroot(8), that would be outside of it. */
IN_CHILD static bool is_same_place(int one, int other)
{
	struct place first, second;

	return find_place(one, &first) && find_place(other, &second) &&
	       first.mount == second.mount && first.inode == second.inode;
}

IN_CHILD static int open_own_namespace(struct build *build)
{
	build->mounts =
		(int)syscall(SYS_openat, AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return build->mounts < 0 ? -1 : 0;
}

IN_CHILD static int enter_as_session(struct build *build)
{
	int tree = build->tree;

	if (setns(build->mounts, CLONE_NEWNS) < 0 || find_root(build) < 0)
		return -1;
	errno = EXDEV;
	return is_same_place(tree, build->tree) ? 0 : -1;
}

/* --- both ways -------------------------------------------------------------------------------- */

enum { IN_TEMPLATE = 1, IN_COPY = 2, FROM_NOTHING = 4 };

/* A new procfs can be mounted in a user namespace only where one can be seen: before the host's
 * is left. */
static const struct {
	const char *attribute;
	int (*make)(struct build *build);
	unsigned ways;
} stages[] = {
	{ NULL, stay_private, IN_TEMPLATE | FROM_NOTHING },
	{ NULL, open_own_namespace, IN_TEMPLATE },
	{ "root", make_root, IN_TEMPLATE | FROM_NOTHING },
	{ "writable", make_writable, IN_TEMPLATE | FROM_NOTHING },
	{ "root", hide, FROM_NOTHING },
	{ "root", drop_below_sys, IN_TEMPLATE | FROM_NOTHING },
	{ NULL, drop_covered, IN_TEMPLATE },
	{ "devices", make_devices, IN_TEMPLATE | FROM_NOTHING },
	{ "root", find_root, IN_COPY },
	{ "proc", make_proc, IN_COPY | FROM_NOTHING },
	{ "scratch", make_scratch, IN_COPY | FROM_NOTHING },
	{ "root", go_to_root, IN_TEMPLATE | IN_COPY | FROM_NOTHING },
	{ "root", enter_as_session, IN_TEMPLATE },
};

IN_CHILD static int make_mounts(const struct jail_plan *plan, unsigned way,
				struct jail_report *report)
{
	struct build build = {
		.plan = plan, .origin = -1, .tree = -1, .mounts = -1, .report = report
	};

	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		if (!(stages[i].ways & way))
			continue;
		report->attribute = stages[i].attribute;
		report->path = NULL;
		if (stages[i].make(&build) < 0)
			return -1;
	}
	return 0;
}

IN_CHILD static int write_map(const char *path, const char *text)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);

	if (fd < 0)
		return -1;
	return close_from_keeping_errno(fd, syscall(SYS_write, fd, text, length) == (long)length
						    ? 0
						    : -1);
}

/* The kernel lets an ordinary user map groups only after "deny". */
IN_CHILD int jail_map_identity(const struct jail_plan *plan)
{
	if (write_map("/proc/self/setgroups", "deny") < 0 ||
	    write_map("/proc/self/uid_map", plan->uid_map) < 0)
		return -1;
	return write_map("/proc/self/gid_map", plan->gid_map);
}

IN_CHILD int jail_enter_network(int network)
{
	return network >= 0 ? setns(network, CLONE_NEWNET) : unshare(CLONE_NEWNET);
}

enum { SESSION_NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP };

IN_CHILD int jail_make_template(const struct jail_plan *plan, struct jail_report *report)
{
	return unshare(CLONE_NEWNS) < 0 ? -1 : make_mounts(plan, IN_TEMPLATE, report);
}

/* A deployment may put another directory in the place of root. */
IN_CHILD static bool is_up_to_date(const struct jail_plan *plan)
{
	struct stat status;

	return !plan->root || (stat(plan->root, &status) == 0 && status.st_dev == plan->device &&
			       status.st_ino == plan->inode);
}

IN_CHILD int jail_enter(const struct jail_plan *plan, int template, const char *name,
			struct jail_report *report)
{
	if (template >= 0 && !is_up_to_date(plan))
		template = -1;
	if ((template >= 0 && setns(template, CLONE_NEWNS) < 0) || unshare(SESSION_NAMESPACES) < 0)
		return -1;
	if (sethostname(name, strnlen(name, 64)) < 0)
		return -1;
	return make_mounts(plan, template >= 0 ? IN_COPY : FROM_NOTHING, report);
}
