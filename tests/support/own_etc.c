#include "support/own_etc.h"

#include "support/isolation.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int write_own(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = write(fd, text, strlen(text));

	close(fd);
	return written < 0 ? -1 : 0;
}

/* Who has a namespace for users stays who they are there; nobody could own a file. */
static int keep_user(uid_t uid, gid_t gid)
{
	char users[32], groups[32];

	snprintf(users, sizeof users, "%u %u 1", (unsigned)uid, (unsigned)uid);
	snprintf(groups, sizeof groups, "%u %u 1", (unsigned)gid, (unsigned)gid);
	if (write_own("/proc/self/uid_map", users) < 0 ||
	    write_own("/proc/self/setgroups", "deny") < 0)
		return -1;
	return write_own("/proc/self/gid_map", groups);
}

static int enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (isolation_unshare(uid == 0 ? 0 : CLONE_NEWUSER) < 0 ||
	    (uid != 0 && keep_user(uid, gid) < 0))
		return -1;
	return mount("tmpfs", "/etc", "tmpfs", 0, NULL);
}

bool own_etc_is_allowed(void)
{
	const char *fork_mode = getenv("CK_FORK");

	return !(fork_mode && strcmp(fork_mode, "no") == 0) && isolation_is_allowed(enter);
}

void own_etc_enter(void)
{
	ck_assert_msg(enter() == 0, "%s", strerror(errno));
}

void own_etc_write(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "/etc/%s", name);
	file = fopen(path, "we");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

void own_etc_furnish(void)
{
	own_etc_enter();
	own_etc_write("nsswitch.conf", "passwd: files\ngroup: files\n");
	own_etc_write("passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
	own_etc_write("group", "root:x:0:\nnogroup:x:65534:\n");
	own_etc_write("protocols", "tcp 6 TCP\nudp 17 UDP\n");
	own_etc_write("services", "");
}
