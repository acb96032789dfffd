/* floor MODE ADDRESS PORT THREADS [ARGUMENT]
 *
 * Servers without limits, logging or configuration. Their speed is the kernel's limit:
 * no superserver is faster. "send" is also the target of the redirections. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 4096, BATCH = 64, BLOCK = 256 * 1024, THREADS_MAX = 64 };

struct server {
	void (*serve)(const struct server *server);
	int (*next)(const struct server *server, int flags);
	int listener;
	const char *argument;
	bool takes_steps;
};

static int next_connection(const struct server *server, int flags)
{
	return server->next(server, flags);
}

static int accept_next(const struct server *server, int flags)
{
	for (;;) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | flags);

		if (fd >= 0 || errno == EAGAIN)
			return fd;
		if (errno != ECONNABORTED && errno != EINTR)
			err(1, "accept");
	}
}

/* What usherd does for each program, in system calls, whatever its settings are. */
static void take_steps(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	setsid();
	if (geteuid() == 0) {
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
		syscall(SYS_setgroups, 0, NULL);
		syscall(SYS_setresgid, 0, 0, 0);
		syscall(SYS_setresuid, 0, 0, 0);
	}
	syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0);
	sigaction(SIGPIPE, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_program(const struct server *server, int connection)
{
	char *const arguments[] = { (char *)(uintptr_t)server->argument, NULL };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(connection, fd);
	if (server->takes_steps)
		take_steps();
	execv(server->argument, arguments);
	_exit(127);
}

static void serve_launch(const struct server *server)
{
	for (;;) {
		int connection = next_connection(server, 0);
		pid_t pid = vfork();

		if (pid == 0)
			become_program(server, connection);
		if (pid < 0)
			err(1, "vfork");
		close(connection);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

static void serve_with_steps(const struct server *server)
{
	struct server its = *server;

	its.takes_steps = true;
	serve_launch(&its);
}

/* --- two processes: one accepts, the other one launches --------------------------------------- */

enum { REQUEST_SIZE = 96 }; /* as usherd's */

/* A message with one descriptor. */
struct handing {
	char request[REQUEST_SIZE];
	struct iovec part;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static struct cmsghdr *handing_init(struct handing *handing)
{
	memset(handing, 0, sizeof *handing);
	handing->part = (struct iovec){ handing->request, sizeof handing->request };
	handing->message = (struct msghdr){
		.msg_iov = &handing->part,
		.msg_iovlen = 1,
		.msg_control = handing->control,
		.msg_controllen = sizeof handing->control,
	};
	return CMSG_FIRSTHDR(&handing->message);
}

static void hand_over(int channel, int connection)
{
	struct handing handing;
	struct cmsghdr *header = handing_init(&handing);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof connection);
	memcpy(CMSG_DATA(header), &connection, sizeof connection);
	if (sendmsg(channel, &handing.message, MSG_NOSIGNAL) < 0)
		err(1, "sendmsg");
	close(connection);
}

static int receive_next(const struct server *server, int flags)
{
	struct handing handing;
	struct cmsghdr *header = handing_init(&handing);
	int connection;

	(void)flags;
	if (recvmsg(server->listener, &handing.message, MSG_CMSG_CLOEXEC) <= 0 ||
	    handing.message.msg_controllen == 0)
		errx(1, "nothing is handed over any more");
	memcpy(&connection, CMSG_DATA(header), sizeof connection);
	return connection;
}

static void accept_for(int channel, const struct server *server)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err(1, "prctl");
	for (;;)
		hand_over(channel, accept_next(server, 0));
}

/* From now on the server gets its connections from another process. */
static void begin_handing(struct server *server)
{
	int channel[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		accept_for(channel[1], server);
	close(channel[1]);
	close(server->listener);
	server->listener = channel[0];
	server->next = receive_next;
}

/* --- in namespaces: what the kernel takes for them, with a /proc and an empty directory ------- */

enum {
	STACK_SIZE = 64 * 1024,
	NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
};

struct session {
	const struct server *server;
	int connection;
};

static int enter_session(void *argument)
{
	const struct session *session = argument;
	unsigned long flags = MS_NOSUID | MS_NODEV;

	if (unshare(NAMESPACES) < 0 || mount("proc", "/proc", "proc", flags, NULL) < 0 ||
	    mount("tmpfs", "/var/tmp", "tmpfs", flags, "size=16m") < 0)
		_exit(126);
	become_program(session->server, session->connection);
	return 0;
}

static void start_session(struct session *session, char *stack)
{
	int flags = CLONE_VM | CLONE_VFORK | CLONE_NEWPID | SIGCHLD;

	if (clone(enter_session, stack + STACK_SIZE, flags, session) < 0)
		err(1, "clone");
	close(session->connection);
}

static void serve_sessions(const struct server *server)
{
	struct session session = { .server = server };
	char *stack = malloc(STACK_SIZE);

	/* Mounts of its own, which no other namespace follows. */
	if (!stack || unshare(CLONE_FS | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(1, "namespaces");
	for (;;) {
		session.connection = next_connection(server, 0);
		start_session(&session, stack);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

static void serve_daytime(const struct server *server)
{
	static const char line[] = "01 JAN 2000 00:00:00 UTC\r\n";

	for (;;) {
		int connection = next_connection(server, 0);

		send(connection, line, sizeof line - 1, MSG_NOSIGNAL);
		close(connection);
	}
}

static void serve_close(const struct server *server)
{
	for (;;)
		close(next_connection(server, 0));
}

static void send_bytes(int connection, unsigned long long left)
{
	static const char block[BLOCK];

	while (left > 0) {
		size_t some = left < sizeof block ? (size_t)left : sizeof block;
		ssize_t sent = send(connection, block, some, MSG_NOSIGNAL);

		if (sent < 0)
			return;
		left -= (unsigned long long)sent;
	}
}

static void serve_send(const struct server *server)
{
	unsigned long long total = strtoull(server->argument, NULL, 10);

	for (;;) {
		int connection = next_connection(server, 0);

		send_bytes(connection, total);
		close(connection);
	}
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void welcome(const struct server *server, int epoll)
{
	for (int fd; (fd = next_connection(server, SOCK_NONBLOCK)) >= 0;)
		watch(epoll, fd);
}

static void echo(int connection)
{
	char bytes[4096];
	ssize_t count = recv(connection, bytes, sizeof bytes, 0);

	if (count < 0 && errno == EAGAIN)
		return;
	if (count <= 0 || send(connection, bytes, (size_t)count, MSG_NOSIGNAL) != count)
		close(connection);
}

static void serve_echo(const struct server *server)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ready[BATCH];

	if (epoll < 0)
		err(1, "epoll_create1");
	watch(epoll, server->listener);
	for (;;) {
		int count = epoll_wait(epoll, ready, BATCH, -1);

		for (int i = 0; i < count; i++) {
			if (ready[i].data.fd == server->listener)
				welcome(server, epoll);
			else
				echo(ready[i].data.fd);
		}
	}
}

static void serve_datagrams(const struct server *server)
{
	static char bytes[UINT16_MAX];

	for (;;) {
		struct sockaddr_in peer;
		socklen_t length = sizeof peer;
		ssize_t count = recvfrom(server->listener, bytes, sizeof bytes, 0,
					 (struct sockaddr *)&peer, &length);

		if (count >= 0)
			sendto(server->listener, bytes, (size_t)count, 0, (struct sockaddr *)&peer,
			       length);
	}
}

static const struct mode {
	const char *name;
	int socket_type;
	void (*serve)(const struct server *server);
	bool has_argument;
	void (*begin)(struct server *server);
} modes[] = {
	{ "launch", SOCK_STREAM, serve_launch, true, NULL },
	{ "launch-steps", SOCK_STREAM, serve_with_steps, true, NULL },
	{ "launch-handed", SOCK_STREAM, serve_with_steps, true, begin_handing },
	{ "namespaces", SOCK_STREAM, serve_sessions, true, NULL },
	{ "daytime", SOCK_STREAM, serve_daytime, false, NULL },
	{ "close", SOCK_STREAM, serve_close, false, NULL },
	{ "send", SOCK_STREAM, serve_send, true, NULL },
	{ "echo", SOCK_STREAM | SOCK_NONBLOCK, serve_echo, false, NULL },
	{ "datagram-echo", SOCK_DGRAM, serve_datagrams, false, NULL },
};

static const struct mode *mode_named(const char *name)
{
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	errx(2, "no mode is called %s", name);
}

static int listener_open(int type, const char *host, const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)strtoul(port, NULL, 10)),
	};
	const int yes = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		errx(2, "not an IPv4 address: %s", host);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		err(1, "bind %s %s", host, port);
	if (!(type & SOCK_DGRAM) && listen(fd, BACKLOG) < 0)
		err(1, "listen");
	return fd;
}

static void *thread_main(void *server)
{
	((const struct server *)server)->serve(server);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		errx(2, "usage: floor MODE ADDRESS PORT THREADS [ARGUMENT]");

	const struct mode *mode = mode_named(argv[1]);
	long threads = strtol(argv[4], NULL, 10);

	if (threads < 1 || threads > THREADS_MAX || mode->has_argument != (argc > 5))
		errx(2, "%s: wrong number of threads or arguments", mode->name);

	struct server server = {
		.serve = mode->serve,
		.next = accept_next,
		.listener = listener_open(mode->socket_type, argv[2], argv[3]),
		.argument = argv[5],
	};
	pthread_t thread;

	if (mode->begin)
		mode->begin(&server);
	for (long i = 1; i < threads; i++)
		if ((errno = pthread_create(&thread, NULL, thread_main, &server)) != 0)
			err(1, "pthread_create");
	server.serve(&server);
}
