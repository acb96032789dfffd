/* Tries what each of its arguments says, VERB or VERB:OPERAND, and writes a line for each:
 * VERB:OPERAND=RESULT. A result is 0, a number, a list with a blank after each word, or the
 * name of an errno. Linked statically: nothing else need be in its root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EACCES, "EACCES" },
	{ EROFS, "EROFS" }, { ENOSPC, "ENOSPC" }, { ECONNREFUSED, "ECONNREFUSED" },
};

static void say_result(int result)
{
	if (result >= 0) {
		printf("0");
		return;
	}
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].number == errno) {
			fputs(errors[i].name, stdout);
			return;
		}
	printf("errno %d", errno);
}

static void say_pid(const char *operand)
{
	(void)operand;
	printf("%d %d", (int)getpid(), (int)getppid());
}

static void say_identity(const char *operand)
{
	(void)operand;
	printf("%d %d", (int)getuid(), (int)getgid());
}

static void say_directory(const char *operand)
{
	char path[4096];

	(void)operand;
	fputs(getcwd(path, sizeof path) ? path : "unknown", stdout);
}

static void say_host(const char *operand)
{
	struct utsname name;

	(void)operand;
	uname(&name);
	fputs(name.nodename, stdout);
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void list(const char *path, int only_numbers)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char *names[4096];
	size_t count = 0;

	if (!directory) {
		say_result(-1);
		return;
	}
	while ((entry = readdir(directory)) && count < 4096)
		if (entry->d_name[0] != '.' &&
		    (!only_numbers || strspn(entry->d_name, "0123456789") == strlen(entry->d_name)))
			names[count++] = strdup(entry->d_name);
	closedir(directory);
	qsort(names, count, sizeof names[0], compare);
	for (size_t i = 0; i < count; i++)
		printf("%s ", names[i]);
}

static void say_list(const char *operand)
{
	list(operand, 0);
}

static void say_processes(const char *operand)
{
	(void)operand;
	list("/proc", 1);
}

static void say_descriptors(const char *operand)
{
	(void)operand;
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
}

static int write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int result = fd < 0 ? -1 : (int)write(fd, "x", 1), error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return result;
}

static void say_write(const char *operand)
{
	say_result(write_file(operand));
}

static void say_read(const char *operand)
{
	int fd = open(operand, O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (length < 0)
		say_result(-1);
	else
		printf("%.*s", (int)length, text);
}

static void say_mode(const char *operand)
{
	struct stat status;

	if (stat(operand, &status) < 0)
		say_result(-1);
	else
		printf("%o %d", (unsigned)status.st_mode & 07777, (int)status.st_uid);
}

static void say_device(const char *operand)
{
	struct stat status;

	if (stat(operand, &status) < 0)
		say_result(-1);
	else
		printf("%o %u:%u", (unsigned)status.st_mode, major(status.st_rdev),
		       minor(status.st_rdev));
}

/* Bytes until there is no room. */
static void say_fill(const char *operand)
{
	static char block[4096];
	char path[4096];
	long bytes = 0;
	int fd;

	snprintf(path, sizeof path, "%s/fill", operand);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (fd >= 0 && bytes < 1 << 30 && write(fd, block, sizeof block) == sizeof block)
		bytes += sizeof block;
	printf("%ld ", bytes);
	say_result(-1);
	unlink(path);
}

/* Files until there is no room. */
static void say_inodes(const char *operand)
{
	char path[4096];
	int count = 0;

	do {
		snprintf(path, sizeof path, "%s/inode%d", operand, count);
	} while (mknod(path, S_IFREG | 0600, 0) == 0 && ++count < 1000000);
	printf("%d ", count);
	say_result(-1);
}

static void say_interfaces(const char *operand)
{
	struct ifaddrs *first = NULL;

	(void)operand;
	if (getifaddrs(&first) < 0)
		say_result(-1);
	for (struct ifaddrs *each = first; each; each = each->ifa_next)
		if ((each->ifa_flags & IFF_UP) && each->ifa_addr &&
		    each->ifa_addr->sa_family == AF_PACKET)
			printf("%s ", each->ifa_name);
}

/* A socket for which the call succeeded, or -1. */
static int reach(const char *name, int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path + 1, name);
	return call(fd, (struct sockaddr *)&address, length) == 0 ? fd : -1;
}

static void say_connect(const char *operand)
{
	say_result(reach(operand, connect));
}

static void say_bind(const char *operand)
{
	say_result(reach(operand, bind));
}

static void say_network(const char *operand)
{
	char text[64];
	ssize_t length = readlink("/proc/self/ns/net", text, sizeof text);

	(void)operand;
	if (length < 0)
		say_result(-1);
	else
		printf("%.*s", (int)length, text);
}

/* Gives a socket with the abstract name "left" to who listens there. */
static void say_give(const char *operand)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), left = -1;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof left)];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof left),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { (char[]){ 'x' }, 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };

	left = reach("left", bind);
	memcpy(CMSG_DATA(&control.header), &left, sizeof left);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", operand);
	if (left < 0 || listen(left, 1) < 0 ||
	    connect(to, (struct sockaddr *)&address, sizeof address) < 0)
		say_result(-1);
	else
		say_result(sendmsg(to, &message, 0) < 0 ? -1 : 0);
}

static void say_mount(const char *operand)
{
	say_result(mount("tmpfs", operand, "tmpfs", 0, NULL));
}

/* In a user namespace a process has all capabilities over it. */
static void say_remount(const char *operand)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		say_result(-1);
		return;
	}
	say_result(mount(NULL, operand, NULL, MS_REMOUNT | MS_BIND, NULL) < 0 ? -1 : 0);
}

static void say_unmount(const char *operand)
{
	say_result(umount2(operand, MNT_DETACH));
}

/* Waits for a line. */
static void say_wait(const char *operand)
{
	char byte = 0;

	(void)operand;
	printf("...\n");
	fflush(stdout);
	while (byte != '\n' && read(0, &byte, 1) == 1)
		;
}

static void say_stay(const char *operand)
{
	(void)operand;
	printf("...\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* Leaves a process behind that has the connection. */
static void say_leave(const char *operand)
{
	(void)operand;
	fflush(stdout);
	if (fork() == 0) {
		setsid();
		for (;;)
			pause();
	}
}

static const struct {
	const char *verb;
	void (*say)(const char *operand);
} verbs[] = {
	{ "pid", say_pid },
	{ "identity", say_identity },
	{ "directory", say_directory },
	{ "host", say_host },
	{ "list", say_list },
	{ "processes", say_processes },
	{ "descriptors", say_descriptors },
	{ "write", say_write },
	{ "read", say_read },
	{ "mode", say_mode },
	{ "device", say_device },
	{ "fill", say_fill },
	{ "inodes", say_inodes },
	{ "interfaces", say_interfaces },
	{ "connect", say_connect },
	{ "bind", say_bind },
	{ "network", say_network },
	{ "give", say_give },
	{ "mount", say_mount },
	{ "remount", say_remount },
	{ "unmount", say_unmount },
	{ "wait", say_wait },
	{ "stay", say_stay },
	{ "leave", say_leave },
};

static void try(const char *word)
{
	size_t length = strcspn(word, ":");
	const char *operand = word + length + (word[length] == ':');

	printf("%s=", word);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strlen(verbs[i].verb) == length && strncmp(verbs[i].verb, word, length) == 0)
			verbs[i].say(operand);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		try(argv[i]);
	return 0;
}
