/* The monitor with a hostile frontend. The input is what that one says, and what
 * happens meanwhile: every message begins as one that a frontend of ours would send, of
 * which any bytes are changed, the length, and what comes with it.
 *
 * No process is made and no port is taken: clone(2), fork(2), bind(2) and listen(2) say
 * that they did it, and see to it that it is no more than the configuration allows. The
 * clock goes on when it is told to. */
#include "base/descriptors.h"
#include "base/log.h"
#include "base/clock.h"
#include "base/closer.h"
#include "base/loop.h"
#include "base/region.h"
#include "config/loader.h"
#include "handlers/handler.h"
#include "monitor/children.h"
#include "monitor/configuration.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"
#include "monitor/launcher.h"
#include "monitor/reload.h"
#include "monitor/requests.h"
#include "monitor/session_messages.h"
#include "monitor/start_program.h"

#include "fuzz.h"
#include "support/own_log.h"
#include "../support/raw_message.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	FRONTEND = 0x3000000,
	NOBODY,
	FIRST_CHILD, /* processes that there are not */
	EVENTS_MAX = 48,
	RELOADS_MAX = 2,
	FIRST_PORT = 7101,
	INSTANCES = 3,
	SERVERS_MAX = 8,
	LIMIT = 5,
	BAN_MAX_MS = 100000,
	ROUND_MS = 200000, /* which is longer than any of the monitor's times */
};

/* The numbers of the services. */
enum { PROGRAM, WAIT, INTERCEPT, BUILT_IN, TERMINAL, SERVICES };

static const char *const services[SERVICES] = {
	[PROGRAM] = "service zzcat\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n"
		    " wait = no\n server = /bin/cat\n instances = 3\n stderr = log\n"
		    " proxy_protocol = any\n proxy_from = 127.0.0.1\n"
		    " banner = /etc/hostname\n",
	[WAIT] = "service zzwait\n{\n type = UNLISTED\n socket_type = dgram\n protocol = udp\n"
		 " wait = yes\n server = /bin/cat\n",
	[INTERCEPT] = "service zzic\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n"
		      " wait = yes\n server = /bin/cat\n flags = INTERCEPT\n",
	[BUILT_IN] = "service echo\n{\n type = INTERNAL UNLISTED\n socket_type = stream\n"
		     " protocol = tcp\n wait = no\n",
	[TERMINAL] = "service zzpty\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n"
		     " wait = no\n server = /bin/cat\n pty = yes\n",
};

static int channel = -1; /* the frontend's end */
static uint64_t next_session;
static uint32_t generation;
static unsigned reloads;
static bool is_killed; /* the frontend */
static unsigned heard[MESSAGE_KINDS];
static uint64_t news; /* about programs, of this frontend */
static char directory[] = "/tmp/usherd-requests-fuzz-XXXXXX";
static char paths[2][sizeof directory + 16]; /* the configuration, the status report */

/* --- in place of the C library's --------------------------------------------------- */

static atomic_int last_child = FIRST_CHILD;
static _Atomic int64_t ahead_ms;

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int64_t ahead = clock == CLOCK_MONOTONIC ? ahead_ms : 0;

	if (syscall(SYS_clock_gettime, clock, time) < 0)
		return -1;
	time->tv_sec += ahead / 1000;
	return 0;
}

static int option_of(int socket, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* A program of the configuration, on a socket of its service's. */
static void check_order(const struct program_order *order)
{
	const struct service_settings *settings = order->settings;
	int domain = option_of(order->connection, SO_DOMAIN);

	require(settings->server && strcmp(settings->server, "/bin/cat") == 0);
	require(domain == AF_INET || domain == AF_INET6);
	require(option_of(order->connection, SO_ACCEPTCONN) == 0);
	require(option_of(order->connection, SO_TYPE) == settings->socket_type);
	require(order->error < 0 || settings->program->stderr_kind == STDERR_LOG);
	require(order->has_terminal == (settings->pty != PTY_NO));
	require(!order->has_terminal || isatty(order->terminal.slave));
	for (char **variable = order->environment; *variable; variable++)
		require(strncmp(*variable, "PROXY_", 6) != 0 ||
			is_printable(*variable, strlen(*variable)));
}

int clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
	pid_t *pid;
	va_list more;

	(void)run;
	require(stack && (flags & CLONE_PARENT_SETTID));
	check_order(argument);
	va_start(more, argument);
	pid = va_arg(more, pid_t *);
	va_end(more);
	*pid = last_child++;
	return *pid;
}

/* libwrap's child, which ends without a word. What the fuzzer itself starts, from the
 * first thread, is a process. */
pid_t fork(void)
{
	return gettid() == getpid() ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)
				    : NOBODY;
}

int kill(pid_t pid, int signal)
{
	require(signal == SIGKILL || signal == SIGTERM);
	if (pid == FRONTEND)
		is_killed = true;
	else if (pid != NOBODY)
		require(child_of_process(-pid) != NULL);
	return 0;
}

static bool is_port_of_ours(uint16_t port)
{
	return port >= FIRST_PORT && port < FIRST_PORT + SERVICES;
}

/* The services are bound to one address, but for the inner socket of INTERCEPT. */
int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct sockaddr_in *in4 = (const void *)address;
	uint16_t port;

	require(fd >= 0 && length == sizeof *in4 && address->sa_family == AF_INET);
	port = ntohs(in4->sin_port);
	require(in4->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	require(port == 0 || is_port_of_ours(port));
	require((port == FIRST_PORT + WAIT) == (option_of(fd, SO_TYPE) == SOCK_DGRAM));
	return 0;
}

int listen(int fd, int backlog)
{
	require(fd >= 0 && backlog > 0);
	return 0;
}

/* --- the monitor ------------------------------------------------------------------- */

static pid_t spawn(int end)
{
	if (channel >= 0)
		close(channel);
	channel = fcntl(end, F_DUPFD_CLOEXEC, 0);
	require(channel >= 0);
	is_killed = false;
	return FRONTEND;
}

static void write_configuration(const char *more)
{
	FILE *file = fopen(paths[0], "we");

	require(file != NULL);
	fprintf(file, "daemon\n{\n status_file = %s\n control_socket = none\n}\n", paths[1]);
	for (int i = 0; i < SERVICES; i++)
		fprintf(file, "%s user = %u\n port = %d\n bind = 127.0.0.1\n %s\n}\n", services[i],
			(unsigned)geteuid(), FIRST_PORT + i, i == PROGRAM ? more : "");
	require(fclose(file) == 0);
}

static void leave_directory(void)
{
	unlink(paths[0]);
	unlink(paths[1]);
	rmdir(directory);
}

static void make_directory(void)
{
	umask(022);
	require(mkdtemp(directory) != NULL);
	snprintf(paths[0], sizeof paths[0], "%s/conf", directory);
	snprintf(paths[1], sizeof paths[1], "%s/status", directory);
	atexit(leave_directory);
	write_configuration("");
}

static void on_started(uint32_t bound, uint32_t wanted)
{
	(void)bound, (void)wanted;
}

static void start_monitor(void)
{
	static struct load_options load = {
		.start_directory = "/",
		.internal_exists = handler_is_built_in,
	};
	static struct monitor_options options = {
		.load = &load,
		.log = MESSAGE_LOG_SYSLOG,
		.process_limit = LIMIT,
		.stays_alive = true,
	};

	load.config = paths[0];
	load.trusted = config_owner(paths[0]);
	require(loop_init() == 0 && launcher_init(&session_messages_launcher_events) == 0);
	require(regions_reserve(NULL) == 0);
	own_log_open();
	require(descriptors_init() == 0);
	signal(SIGPIPE, SIG_IGN);
	configuration_init(&load, LOG_FORMAT_XINETD, NULL);
	require(configuration_read() && configuration_next()->count == SERVICES);
	require(frontend_user_init(configuration_daemon(), configuration_next()) == 0);
	frontend_process_start_by(spawn);
	require(requests_start(&options, on_started) == 0);
}

/* --- what comes with a message ----------------------------------------------------- */

enum { CONNECTION, PIPE_IN, PIPE_OUT, LISTENER, DATAGRAM, PAIR, A_FILE, UNBOUND, GIFTS };

static int gifts[GIFTS + 1]; /* the last one: the channel */

/* By the system calls themselves, as these sockets are bound. */
static int open_listener(struct sockaddr_in *here)
{
	socklen_t length = sizeof *here;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*here = (struct sockaddr_in){ .sin_family = AF_INET };
	here->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	require(syscall(SYS_bind, fd, here, length) == 0 && syscall(SYS_listen, fd, 8) == 0);
	require(getsockname(fd, (struct sockaddr *)here, &length) == 0);
	return fd;
}

static void make_gifts(void)
{
	struct sockaddr_in here;
	int pipe_ends[2], pair[2], client;

	gifts[LISTENER] = open_listener(&here);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(connect(client, (struct sockaddr *)&here, sizeof here) == 0);
	gifts[CONNECTION] = accept4(gifts[LISTENER], NULL, NULL, SOCK_CLOEXEC);
	require(pipe2(pipe_ends, O_CLOEXEC) == 0);
	gifts[PIPE_IN] = pipe_ends[1];
	gifts[PIPE_OUT] = pipe_ends[0];
	here.sin_port = 0;
	gifts[DATAGRAM] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	require(syscall(SYS_bind, gifts[DATAGRAM], &here, sizeof here) == 0);
	require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	gifts[PAIR] = pair[0];
	gifts[A_FILE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	gifts[UNBOUND] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* --- what the frontend says and hears ---------------------------------------------- */

static struct address loopback(uint16_t port)
{
	struct address address;

	require(address_parse(&address, "127.0.0.1", port) == 0);
	return address;
}

static struct bind_message sound_bind(uint32_t service)
{
	bool is_inner = service == INTERCEPT, is_datagram = service == WAIT;

	return (struct bind_message){
		.service = { generation, service },
		.ticket = 1,
		.is_inner = is_inner,
		.type = is_datagram ? SOCK_DGRAM : SOCK_STREAM,
		.protocol = is_datagram ? IPPROTO_UDP : IPPROTO_TCP,
		.address = loopback(is_inner ? 0 : (uint16_t)(FIRST_PORT + service)),
	};
}

static struct launch_message sound_launch(uint32_t service)
{
	return (struct launch_message){
		.session = next_session++,
		.service = { generation, service },
		.peer = loopback(4000),
		.waits = service == WAIT || service == INTERCEPT,
		.socket = sound_bind(service).address,
		.is_inner = service == INTERCEPT,
		.logs_errors = service == PROGRAM,
	};
}

static struct proxied_launch_message sound_proxied_launch(uint32_t service)
{
	return (struct proxied_launch_message){
		.launch = sound_launch(service),
		.proxied = { .proxy = loopback(1),
			     .local = loopback(2),
			     .facts = { .unique_id = "id", .authority = "name" } },
	};
}

/* As a frontend of ours would say it. */
static struct message sound(enum message_kind kind, uint32_t service)
{
	const struct service_number number = { generation, service };
	struct message message = { .kind = kind };

	if (kind == MESSAGE_BIND || kind == MESSAGE_UNBIND)
		message.bind = sound_bind(service);
	else if (kind == MESSAGE_LAUNCH)
		message.launch = sound_launch(service);
	else if (kind == MESSAGE_LAUNCH_PROXIED)
		message.proxied_launch = sound_proxied_launch(service);
	else if (kind == MESSAGE_ADOPTED)
		message.generation.generation = generation;
	else if (kind == MESSAGE_END)
		message.end.session = next_session - 1 - service;
	else if (kind == MESSAGE_RELOAD)
		message.reload.ticket = 1;
	else if (kind == MESSAGE_LOGGED)
		message.logged.count = news;
	else if (kind == MESSAGE_BAN || kind == MESSAGE_UNBAN)
		message.ban = (struct ban_message){ loopback(1), clock_now() + 1000 };
	else if (kind == MESSAGE_OPEN_BANNER)
		message.banner.service = number;
	else if (kind == MESSAGE_ASK_LIBWRAP || kind == MESSAGE_FORGET_LIBWRAP)
		message.libwrap = (struct libwrap_message){
			.service = number,
			.peer = loopback(1),
			.local = loopback(2),
		};
	else if (kind == MESSAGE_LET_IN || kind == MESSAGE_LET_OUT)
		message.gate.service = number;
	return message;
}

static void send_bytes(const void *bytes, size_t size, const int descriptors[], unsigned count)
{
	if (raw_message_send(channel, bytes, size, descriptors, count) < 0)
		require(errno == EPIPE || errno == ECONNRESET || errno == EAGAIN);
}

static void send_plain(enum message_kind kind)
{
	struct message message = sound(kind, 0);

	send_bytes(&message, message_shape(kind)->size, NULL, 0);
}

/* The ones that belong to a launch, or those that the input names. */
static unsigned choose_gifts(const struct message *message, struct input *input, int descriptors[])
{
	uint8_t how = input_byte(input);
	unsigned count = 0;

	if (how & 0x80) {
		for (; count < (how & 7); count++)
			descriptors[count] = gifts[input_byte(input) % (GIFTS + 1)];
		return count;
	}
	if (message->kind != MESSAGE_LAUNCH && message->kind != MESSAGE_LAUNCH_PROXIED)
		return 0;
	if (!message->launch.waits)
		descriptors[count++] = gifts[CONNECTION];
	if (message->launch.logs_errors) {
		descriptors[count++] = gifts[PIPE_IN];
		descriptors[count++] = gifts[PIPE_OUT];
	}
	return count;
}

/* Bans end with the round: all there are are told to each frontend. */
static void limit_ban(struct message *message)
{
	if (message->kind == MESSAGE_BAN && message->ban.until > clock_now() + BAN_MAX_MS)
		message->ban.until = clock_now() + BAN_MAX_MS;
}

/* Sends message and a sound one of the kind that which names at once. */
static void send_with_another(const struct message *message, uint8_t which)
{
	size_t size = message_shape(message->kind % MESSAGE_FROM_FRONTEND)->size, other_size;
	struct message other = sound(which % MESSAGE_FROM_FRONTEND, (which >> 4) % (SERVICES + 1));
	unsigned char bytes[2 * sizeof *message];

	other_size = message_shape(other.kind)->size;
	memcpy(bytes, message, size);
	memcpy(bytes + size, &other, other_size);
	send_bytes(bytes, size + other_size, NULL, 0);
}

static void say(struct input *input)
{
	uint8_t which = input_byte(input), edits = input_byte(input), longer = 0;
	struct message message =
		sound(which % MESSAGE_FROM_FRONTEND, (which >> 4) % (SERVICES + 1));
	size_t size = message_shape(message.kind)->size;
	int descriptors[8];
	unsigned count;

	gifts[GIFTS] = channel;
	for (unsigned i = 0; i < (edits & 0x0f); i++) {
		size_t place = input_byte(input) * (size / 256 + 1);

		((uint8_t *)&message)[place % size] = input_byte(input);
	}
	limit_ban(&message);
	if (edits & 0x80)
		longer = input_byte(input);
	if (edits & 0x40) {
		send_with_another(&message, input_byte(input));
		return;
	}
	count = choose_gifts(&message, input, descriptors);
	send_bytes(&message, longer ? longer % sizeof message : size, descriptors, count);
}

/* What is told is of the kinds that come from the monitor. */
static void take(const struct message *message)
{
	require(message->kind >= MESSAGE_FROM_FRONTEND && message->kind < MESSAGE_KINDS);
	heard[message->kind]++;
	if (message->kind == MESSAGE_START) {
		next_session = message->start.first_session;
		news = 0;
	}
	news += message->kind == MESSAGE_STARTED || message->kind == MESSAGE_SESSION ||
		message->kind == MESSAGE_ENDED;
	if (message->kind == MESSAGE_GENERATION)
		generation = message->generation.generation;
	if (message->kind == MESSAGE_PING)
		send_plain(MESSAGE_PONG);
}

/* A packet may have several. */
static void take_all(const char *bytes, size_t size)
{
	struct message message = { .kind = MESSAGE_KINDS };

	for (size_t at = 0, length; at < size; at += length) {
		memcpy(&message.kind, bytes + at, sizeof message.kind);
		require(message.kind < MESSAGE_KINDS);
		length = message_shape(message.kind)->size;
		require(length <= size - at);
		memcpy(&message, bytes + at, length);
		take(&message);
	}
}

static bool hear(void)
{
	enum { SEVERAL = 32 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(SEVERAL * sizeof(int))];
	} control;
	static char bytes[SEVERAL * sizeof(struct message)];
	struct iovec vector = { bytes, sizeof bytes };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control };
	int descriptors[SEVERAL];
	ssize_t size = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t count;

	if (size <= 0)
		return false;
	require(!(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)));
	if (header.msg_controllen > 0) {
		count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(descriptors, CMSG_DATA(&control.header), count * sizeof(int));
		channel_close_descriptors(descriptors, (unsigned)count);
	}
	take_all(bytes, (size_t)size);
	return true;
}

static void hear_all(void)
{
	while (hear())
		continue;
}

/* --- what happens meanwhile -------------------------------------------------------- */

/* Until every program has been started. */
static void settle(void)
{
	loop_turn(0);
	while (launcher_count() > 0)
		loop_turn(10);
}

static struct child *found;

static void find_running(struct child *child)
{
	if (!child->has_ended)
		found = child;
}

static bool end_a_program(void)
{
	found = NULL;
	children_each(find_running);
	if (found)
		session_messages_child_ended(found->pid, 0, &(struct program_usage){ 0 });
	return found != NULL;
}

static void reload(void)
{
	if (reloads++ >= RELOADS_MAX)
		return;
	write_configuration(reloads % 2 ? "nice = 1" : "");
	reload_begin();
}

static void end_frontend(void)
{
	require(frontend_process_ended(FRONTEND, SIGKILL));
	settle(); /* it may have asked for programs before */
	ahead_ms += ROUND_MS;
	loop_turn(0);
	require(frontend_process_pid() == FRONTEND);
}

static void begin_frontend(void)
{
	hear_all();
	send_plain(MESSAGE_READY);
	do { /* a reload may have waited for the one before it */
		settle();
		hear_all();
		send_plain(MESSAGE_ADOPTED);
		settle();
	} while (configuration_next());
	require(frontend_process_is_ready());
}

/* --- what is promised -------------------------------------------------------------- */

static void check_counts(void)
{
	require(children_counted() <= LIMIT + SERVERS_MAX);
	for (uint32_t service = 0; service < SERVICES; service++)
		require(service != PROGRAM || children_have_room(service, INSTANCES + 1));
}

static void check_log(void)
{
	size_t length;
	char *rest = own_log_take(&length), *line;

	while ((line = strsep(&rest, "\n")) && *line)
		require(is_printable(line, strlen(line)));
}

static void step(struct input *input)
{
	uint8_t what = input_byte(input);

	switch (what & 0x0f) {
	case 0:
		reload();
		break;
	case 1:
		end_a_program();
		break;
	case 2:
		requests_report();
		break;
	case 3:
		end_frontend();
		if (what & 0x80)
			begin_frontend();
		return;
	default:
		say(input);
	}
	if (what & 0x40) /* the next message comes at once */
		return;
	settle();
	check_counts();
	if (!(what & 0x20)) /* or it does not listen */
		hear_all();
}

/* --- one round --------------------------------------------------------------------- */

static unsigned descriptors_open(void)
{
	DIR *list = opendir("/proc/self/fd");
	unsigned count = 0;

	require(list != NULL);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

/* Workers may still have some open, for a moment. */
static void check_descriptors(unsigned before)
{
	for (int tries = 0; tries < 500 && descriptors_open() != before; tries++)
		loop_turn(10);
	require(descriptors_open() == before);
}

/* Whatever was asked before has been answered then: workers take one after the other. */
static void ask_and_hear(enum message_kind asked, enum message_kind answer)
{
	unsigned before = heard[answer];

	send_plain(asked);
	while (heard[answer] == before) {
		loop_turn(10);
		hear_all();
	}
}

static void clean_up(void)
{
	settle();
	hear_all();
	end_frontend();
	begin_frontend();
	while (end_a_program())
		settle();
	hear_all();
	send_plain(MESSAGE_LOGGED);
	settle();
	require(children_count() == 0 && children_counted() == 0);
	ask_and_hear(MESSAGE_OPEN_BANNER, MESSAGE_BANNER);
	ask_and_hear(MESSAGE_ASK_LIBWRAP, MESSAGE_LIBWRAP);
	ahead_ms += ROUND_MS;
	loop_turn(0);
	requests_finish();
	hear_all();
}

/* Its workers stay. What it closes for that must not be counted with what is open. */
static void start_closer(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	closer_close(null, 0);
	while (fcntl(null, F_GETFD) >= 0)
		loop_turn(10);
}

/* What is opened once is open from here on. */
static void set_up(void)
{
	make_directory();
	start_monitor();
	make_gifts();
	begin_frontend();
	start_closer();
	clean_up();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = { bytes, length };
	unsigned before;

	if (channel < 0)
		set_up();
	before = descriptors_open();
	reloads = 0;
	for (int events = 0; events < EVENTS_MAX && input.length > 0; events++)
		step(&input);
	settle();
	check_counts();
	check_log();
	clean_up();
	check_descriptors(before);
	return 0;
}
