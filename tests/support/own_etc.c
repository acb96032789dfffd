#include "support/own_etc.h"

#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int status = ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return status;
}

static int enter(void)
{
	int own_user = geteuid() == 0 ? 0 : CLONE_NEWUSER;

	if (unshare(own_user | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/etc", "tmpfs", 0, NULL) < 0)
		return -1;
	return raise_loopback();
}

bool own_etc_is_allowed(void)
{
	const char *fork_mode = getenv("CK_FORK");
	int status = -1;
	pid_t pid;

	if (fork_mode && strcmp(fork_mode, "no") == 0)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(enter() == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
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
