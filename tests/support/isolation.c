#include "support/isolation.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

int isolation_unshare(int flags)
{
	if (unshare(flags | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return raise_loopback();
}

bool isolation_is_allowed(int (*enter)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter() == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Binds the device at path to the same path under root. */
static int bind_device(const char *root, const char *path)
{
	char target[128];
	int fd;

	snprintf(target, sizeof target, "%s%s", root, path);
	fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	return mount(path, target, NULL, MS_BIND, NULL);
}

/* Terminals of the tests' own; without them their tests are skipped. */
static void make_terminals(const char *dev)
{
	char path[128];

	snprintf(path, sizeof path, "%s/pts", dev);
	if (mkdir(path, 0755) < 0 ||
	    mount("devpts", path, "devpts", 0, "ptmxmode=666,mode=600") < 0)
		return;
	snprintf(path, sizeof path, "%s/ptmx", dev);
	if (symlink("pts/ptmx", path) < 0)
		perror(path);
}

/* root is a directory that holds another, dev. */
static int fill_devices(const char *root, const char *dev)
{
	static const char *const devices[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					       "/dev/random", "/dev/urandom", "/dev/tty" };
	char link[128];

	if (mount("tmpfs", dev, "tmpfs", 0, "mode=755") < 0)
		return -1;
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
		if (bind_device(root, devices[i]) < 0)
			return -1;
	snprintf(link, sizeof link, "%s/fd", dev);
	if (symlink("/proc/self/fd", link) < 0)
		return -1;
	make_terminals(dev);
	return mount(dev, "/dev", NULL, MS_BIND | MS_REC, NULL);
}

static int own_devices(void)
{
	char root[] = "/tmp/usherd-devices-XXXXXX", dev[sizeof root + 4];
	int status;

	if (!mkdtemp(root))
		return -1;
	snprintf(dev, sizeof dev, "%s/dev", root);
	mkdir(dev, 0755);
	status = fill_devices(root, dev);
	umount2(dev, MNT_DETACH);
	rmdir(dev);
	rmdir(root);
	return status;
}

/* Where daemons of root have their control socket. */
static int own_run(void)
{
	return mount("tmpfs", "/run", "tmpfs", 0, "mode=755");
}

static int enter(void)
{
	if (geteuid() != 0 || isolation_unshare(0) < 0 || own_devices() < 0)
		return -1;
	return own_run();
}

void isolation_enter(void)
{
	if (isolation_is_allowed(enter) && enter() < 0) {
		perror("a network and a /dev for the tests");
		exit(EXIT_FAILURE);
	}
}
