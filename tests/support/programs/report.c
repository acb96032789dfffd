/* Writes the state of its own process to standard output, a line NAME=VALUE for each
 * fact. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void report_identity(void)
{
	gid_t groups[256];
	int count = getgroups(256, groups);
	mode_t mask = umask(0);
	char directory[4096];

	printf("uid=%d\neuid=%d\ngid=%d\negid=%d\ngroups=", (int)getuid(), (int)geteuid(),
	       (int)getgid(), (int)getegid());
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? " " : "", (int)groups[i]);
	printf("\numask=%03o\nnice=%d\n", (unsigned)mask, getpriority(PRIO_PROCESS, 0));
	printf("directory=%s\n", getcwd(directory, sizeof directory));
	printf("pid=%d\nparent=%d\nsession=%d\ngroup=%d\n", (int)getpid(), (int)getppid(),
	       (int)getsid(0), (int)getpgrp());
}

static void report_descriptors(void)
{
	DIR *listing = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat one, other;

	printf("descriptors=");
	for (int fd = 0; fd < 1024; fd++)
		if (fd != dirfd(listing) && fcntl(fd, F_GETFD) >= 0)
			printf("%s%d", fd ? " " : "", fd);
	while ((entry = readdir(listing)) != NULL)
		if (atoi(entry->d_name) >= 1024)
			printf(" %s", entry->d_name);
	closedir(listing);
	fstat(0, &one);
	printf("\n");
	for (int fd = 1; fd < 3; fd++) {
		fstat(fd, &other);
		printf("same.%d=%d\n", fd,
		       one.st_dev == other.st_dev && one.st_ino == other.st_ino);
	}
}

static int option(int level, int name)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(0, level, name, &value, &size) < 0 ? -1 : value;
}

static void report_address(const char *name, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
	struct sockaddr_in *in4 = (struct sockaddr_in *)&address;
	char text[INET6_ADDRSTRLEN] = "";
	socklen_t length = sizeof address;

	if (get(0, (struct sockaddr *)&address, &length) < 0)
		return;
	if (address.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
	else
		inet_ntop(AF_INET, &in4->sin_addr, text, sizeof text);
	printf("%s.address=%s\n%s.port=%d\n", name, text, name,
	       ntohs(address.ss_family == AF_INET6 ? in6->sin6_port : in4->sin_port));
}

static void report_socket(void)
{
	printf("stream=%d\nlistening=%d\nnodelay=%d\nkeepalive=%d\nnonblocking=%d\n",
	       option(SOL_SOCKET, SO_TYPE) == SOCK_STREAM, option(SOL_SOCKET, SO_ACCEPTCONN),
	       option(IPPROTO_TCP, TCP_NODELAY) != 0, option(SOL_SOCKET, SO_KEEPALIVE) != 0,
	       (fcntl(0, F_GETFL) & O_NONBLOCK) != 0);
	report_address("local", getsockname);
	report_address("peer", getpeername);
}

static void report_signals(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof line, status)) {
		char *value = strchr(line, '\t');

		if ((strncmp(line, "Sig", 3) == 0 || strncmp(line, "CapAmb", 6) == 0) && value &&
		    line[6] == ':')
			printf("%.6s=%s", line, value + 1);
	}
	if (status)
		fclose(status);
}

/* Whether this process can find the key of that name. */
static void report_key(const char *name)
{
	printf("key.%s=%d\n", name,
	       syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0) > 0);
}

static void report_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "as", RLIMIT_AS },       { "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },   { "rss", RLIMIT_RSS },
		{ "stack", RLIMIT_STACK }, { "files", RLIMIT_NOFILE },
		{ "core", RLIMIT_CORE },   { "nproc", RLIMIT_NPROC },
		{ "fsize", RLIMIT_FSIZE }, { "memlock", RLIMIT_MEMLOCK },
	};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rlimit limit;

		getrlimit(limits[i].resource, &limit);
		printf("limit.%s=%lld %lld\n", limits[i].name, (long long)limit.rlim_cur,
		       (long long)limit.rlim_max);
	}
}

extern char **environ;

int main(int argc, char **argv)
{
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	report_descriptors();
	printf("arguments=%d\n", argc);
	for (int i = 0; i < argc; i++)
		printf("argument.%d=%s\n", i, argv[i]);
	for (char **variable = environ; *variable; variable++)
		printf("env.%s\n", *variable);
	report_identity();
	report_socket();
	report_signals();
	report_key("usherd-test");
	report_limits();
	printf("end=1\n");
	return 0;
}
