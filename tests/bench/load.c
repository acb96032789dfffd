/* load MODE ADDRESS PORT CLIENTS SECONDS [BYTES [SOURCE]]
 *
 * Uses a server in one way, CLIENTS at a time, for SECONDS, and prints the
 * exchanges completed per second, the median microseconds of one, the bytes
 * received per second, and the microseconds that 99 of 100 exchanges took at most.
 * SOURCE is the address that the clients connect from. "visit" is "launch" for one
 * client that rests between exchanges. "flood" accepts any answer; so do "browse", which
 * asks a status page, and "ask", which asks at a control socket, whose path is ADDRESS.
 * "burst" sends one datagram from each of CLIENTS sockets and prints how many were
 * answered within SECONDS.
 *
 * An exchange counts when exactly the right bytes came. After a refusal or a wrong answer
 * the program ends: such a server has no speed. Clients close with a reset; otherwise all
 * ports would soon be in TIME_WAIT. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 256,
	BLOCK = 256 * 1024,
	CLIENTS_MAX = 10000,
	REST_NANOSECONDS = 4000000,  /* of a visitor */
	MICROSECONDS_KEPT = 1000000, /* what takes longer counts as this long */
};

static const char page_request[] = "GET /status.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char ping[] = "Is anybody there? The quick brown fox would like to know it....";

struct client {
	int fd;
	bool has_spoken;
	uint64_t began;    /* nanoseconds */
	uint64_t received; /* bytes */
	char text[64];     /* the first bytes */
};

struct load {
	const struct usage *usage;
	struct sockaddr_storage server;
	socklen_t server_length;
	struct sockaddr_in source;
	uint64_t bytes_wanted;
	int epoll;
	uint64_t completed;
	uint64_t received;
	uint32_t took[MICROSECONDS_KEPT]; /* number of exchanges, by microseconds */
};

struct usage {
	const char *name;
	const char *speech; /* sent once connected; NULL: only the server sends */
	bool (*is_right)(const struct load *load, const struct client *client);
	bool is_echo; /* ends with an answer as long as the speech; others when the server closes */
	bool rests;   /* after each exchange */
};

static bool client_got(const struct client *client, const char *text)
{
	return client->received == strlen(text) && memcmp(client->text, text, strlen(text)) == 0;
}

static bool program_answered(const struct load *load, const struct client *client)
{
	(void)load;
	return client_got(client, "ok\n");
}

static bool line_was_read(const struct load *load, const struct client *client)
{
	(void)load;
	return client->received > 2 && client->received <= sizeof client->text &&
	       memcmp(client->text + client->received - 2, "\r\n", 2) == 0;
}

static bool was_refused(const struct load *load, const struct client *client)
{
	(void)load;
	return client->received == 0;
}

static bool ping_came_back(const struct load *load, const struct client *client)
{
	(void)load;
	return client_got(client, ping);
}

static bool whatever_came(const struct load *load, const struct client *client)
{
	(void)load;
	(void)client;
	return true;
}

static bool all_was_read(const struct load *load, const struct client *client)
{
	return client->received == load->bytes_wanted;
}

static const struct usage usages[] = {
	{ "launch", NULL, program_answered, false, false },
	{ "visit", NULL, program_answered, false, true },
	{ "daytime", NULL, line_was_read, false, false },
	{ "refused", NULL, was_refused, false, false },
	{ "echo", ping, ping_came_back, true, false },
	{ "download", NULL, all_was_read, false, false },
	{ "flood", NULL, whatever_came, false, false },
	{ "browse", page_request, whatever_came, false, false },
	{ "ask", "status json\n", whatever_came, false, false },
};

static const struct usage *usage_named(const char *name)
{
	for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
		if (strcmp(usages[i].name, name) == 0)
			return &usages[i];
	errx(2, "no mode is called %s", name);
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int milliseconds_until(uint64_t deadline)
{
	uint64_t now = nanoseconds();

	return now < deadline ? (int)((deadline - now) / 1000000 + 1) : 0;
}

static int socket_connected(const struct load *load, int type)
{
	const struct sockaddr_in *source = &load->source;
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int fd = socket(load->server.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0)
		err(1, "SO_LINGER");
	if (source->sin_family && bind(fd, (const struct sockaddr *)source, sizeof *source) < 0)
		err(1, "bind");
	if (connect(fd, (const struct sockaddr *)&load->server, load->server_length) < 0 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	return fd;
}

static void client_watch(const struct load *load, struct client *client, int change,
			 uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(load->epoll, change, client->fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void client_start(const struct load *load, struct client *client)
{
	client->began = nanoseconds();
	client->fd = socket_connected(load, SOCK_STREAM);
	client->received = 0;
	client->has_spoken = !load->usage->speech;
	client_watch(load, client, EPOLL_CTL_ADD, client->has_spoken ? EPOLLIN : EPOLLOUT);
}

static void client_speak(const struct load *load, struct client *client)
{
	size_t length = strlen(load->usage->speech);

	if (send(client->fd, load->usage->speech, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
	client->has_spoken = true;
	client_watch(load, client, EPOLL_CTL_MOD, EPOLLIN);
}

static void client_finish(struct load *load, struct client *client)
{
	uint64_t took = (nanoseconds() - client->began) / 1000;

	if (!load->usage->is_right(load, client))
		errx(1, "%s: wrong answer of %llu bytes", load->usage->name,
		     (unsigned long long)client->received);
	load->took[took < MICROSECONDS_KEPT ? took : MICROSECONDS_KEPT - 1]++;
	load->completed++;
	close(client->fd);
}

/* Reads once. Returns whether the exchange is over. */
static bool client_listen(struct load *load, struct client *client)
{
	static char bytes[BLOCK];
	ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);

	if (count < 0 && errno == EAGAIN)
		return false;
	if (count < 0 && errno != ECONNRESET)
		err(1, "%s", load->usage->name);
	if (count <= 0)
		return true;
	if (client->received < sizeof client->text) {
		size_t room = sizeof client->text - client->received;
		size_t kept = (size_t)count < room ? (size_t)count : room;

		memcpy(client->text + client->received, bytes, kept);
	}
	client->received += (uint64_t)count;
	load->received += (uint64_t)count;
	return load->usage->is_echo && client->received >= strlen(load->usage->speech);
}

static void client_rest(const struct load *load)
{
	const struct timespec rest = { .tv_nsec = REST_NANOSECONDS };

	if (load->usage->rests)
		nanosleep(&rest, NULL);
}

static void client_turn(struct load *load, struct client *client)
{
	if (!client->has_spoken) {
		client_speak(load, client);
	} else if (client_listen(load, client)) {
		client_finish(load, client);
		client_rest(load);
		client_start(load, client);
	}
}

/* The microseconds that so many percent of the exchanges took at most. */
static unsigned percentile_microseconds(const struct load *load, unsigned percent)
{
	uint64_t seen = 0;
	unsigned took = 0;

	while (took < MICROSECONDS_KEPT - 1 &&
	       (seen += load->took[took]) * 100 < load->completed * percent)
		took++;
	return took;
}

static void load_run(struct load *load, size_t count, double seconds)
{
	struct client *clients = calloc(count, sizeof *clients);
	struct epoll_event ready[BATCH];
	uint64_t began = nanoseconds();
	uint64_t deadline = began + (uint64_t)(seconds * 1e9);

	if (!clients || (load->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		err(1, "starting");
	for (size_t i = 0; i < count; i++)
		client_start(load, &clients[i]);
	for (int left; (left = milliseconds_until(deadline)) > 0;) {
		int events = epoll_wait(load->epoll, ready, BATCH, left);

		for (int i = 0; i < events; i++)
			client_turn(load, ready[i].data.ptr);
	}

	double elapsed = (double)(nanoseconds() - began) / 1e9;

	if (load->completed == 0)
		errx(1, "%s: nothing was completed in %.1f s", load->usage->name, elapsed);
	printf("%.1f %u %.0f %u\n", (double)load->completed / elapsed,
	       percentile_microseconds(load, 50), (double)load->received / elapsed,
	       percentile_microseconds(load, 99));
	free(clients);
}

static bool datagram_came_back(int fd, size_t client)
{
	size_t answer = SIZE_MAX;

	return recv(fd, &answer, sizeof answer, 0) == sizeof answer && answer == client;
}

static void burst_run(const struct load *load, size_t count, double seconds)
{
	struct pollfd *clients = calloc(count, sizeof *clients);
	uint64_t deadline = nanoseconds() + (uint64_t)(seconds * 1e9);
	size_t answered = 0;

	if (!clients)
		err(1, "starting");
	for (size_t i = 0; i < count; i++)
		clients[i] = (struct pollfd){ socket_connected(load, SOCK_DGRAM), POLLIN, 0 };
	for (size_t i = 0; i < count; i++)
		if (send(clients[i].fd, &i, sizeof i, 0) != sizeof i)
			err(1, "send");
	while (answered < count && poll(clients, count, milliseconds_until(deadline)) > 0)
		for (size_t i = 0; i < count; i++)
			if (clients[i].revents && datagram_came_back(clients[i].fd, i)) {
				clients[i].fd = -1;
				answered++;
			} else if (clients[i].revents) {
				errx(1, "burst: wrong answer or none");
			}
	printf("%zu\n", answered);
	free(clients);
}

static void ipv4_address(struct sockaddr_in *result, const char *address, const char *port)
{
	*result = (struct sockaddr_in){ .sin_family = AF_INET,
					.sin_port = htons((in_port_t)strtoul(port, NULL, 10)) };
	if (inet_pton(AF_INET, address, &result->sin_addr) != 1)
		errx(2, "not an IPv4 address: %s", address);
}

static void unix_address(struct load *load, const char *path)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&load->server;

	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof address->sun_path)
		errx(2, "too long: %s", path);
	strcpy(address->sun_path, path);
	load->server_length = sizeof *address;
}

static void server_address(struct load *load, const char *address, const char *port)
{
	if (address[0] == '/') {
		unix_address(load, address);
	} else {
		ipv4_address((struct sockaddr_in *)&load->server, address, port);
		load->server_length = sizeof(struct sockaddr_in);
	}
}

int main(int argc, char **argv)
{
	static struct load load;

	if (argc < 6)
		errx(2, "usage: load MODE ADDRESS PORT CLIENTS SECONDS [BYTES [SOURCE]]");

	size_t clients = strtoul(argv[4], NULL, 10);
	double seconds = strtod(argv[5], NULL);

	server_address(&load, argv[2], argv[3]);
	if (clients < 1 || clients > CLIENTS_MAX || !(seconds > 0))
		errx(2, "wrong number of clients or seconds");
	if (argc > 6)
		load.bytes_wanted = strtoull(argv[6], NULL, 10);
	if (argc > 7)
		ipv4_address(&load.source, argv[7], "0");
	if (strcmp(argv[1], "burst") == 0) {
		burst_run(&load, clients, seconds);
		return 0;
	}
	load.usage = usage_named(argv[1]);
	load_run(&load, clients, seconds);
}
