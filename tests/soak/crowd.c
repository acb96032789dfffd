#include "soak/crowd.h"

#include "soak/measures.h"
#include "soak/services.h"
#include "support/client.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CROWD = 200, /* clients at a time */
	ROLES_MAX = 80,
	BATCH = 64,
	REPORT_EVERY = 64,             /* clients */
	PATIENCE_MS = 6 * DEADLINE_MS, /* of one client */
};

static struct role_count counts[ROLES_MAX];

/* Of a role. Found once, as each assertion of Check's costs time. */
static struct place {
	struct endpoint target, own;
} places[ROLES_MAX];

static struct client *clients;
static int poller;
static unsigned next_number, present, gone;

const struct role_count *crowd_count(size_t role)
{
	return &counts[role];
}

static struct role_count *count_of(const struct client *client)
{
	return &counts[client->role - roles];
}

/* --- failing ---------------------------------------------------------------------------------- */

static const char *ending_text(enum ending ending)
{
	static const char *const texts[] = { "no end", "the end", "a reset" };

	return texts[ending];
}

struct last_line {
	const char *part, *line;
};

static void keep_last(const char *line, void *context)
{
	struct last_line *last = context;

	if (strstr(line, last->part))
		last->line = textf("%s", line);
}

/* The last refusal of the service, which may be that of another client. */
static const char *last_refusal(const char *service)
{
	struct last_line last = { textf(": FAIL: %s ", service), "none" };

	log_each("service.log", keep_last, &last);
	return last.line;
}

static void wrong(const struct client *client, const char *how)
{
	const struct role *role = client->role;

	ck_abort_msg("service %s, %s, client %u: %s; it sent %zu of %zu bytes and got %zu and %s: "
		     "\"%.*s\"; last refusal: %s",
		     role->service, role->name, client->number, how, client->sent, client->length,
		     client->received, ending_text(client->ending),
		     (int)(client->received < 100 ? client->received : 100), client->hears,
		     last_refusal(role->service));
}

static void wrong_by_errno(const struct client *client, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
	wrong(client, text);
}

/* --- the end of a client ---------------------------------------------------------------------- */

static void leave(struct client *client)
{
	static const struct linger at_once = { .l_onoff = 1 };

	if (!client->role->is_datagram && client->ending == ENDING_NONE)
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(client->fd);
	client->fd = -1;
	client->is_watched = false;
	count_of(client)->present--;
	count_of(client)->done++;
	present--;
	gone++;
}

static void count_served(struct client *client)
{
	struct role_count *count = count_of(client);

	count->served++;
	count->bytes_said += client->sent;
	count->bytes_heard += client->received;
}

static bool was_served(const struct client *client)
{
	const struct role *role = client->role;
	bool is_whole = role->enough > 0 || role->is_datagram ||
			(client->ending == ENDING_ORDERLY && client->sent == client->length);

	return is_whole && role->is_right(client);
}

static bool was_refused(const struct client *client)
{
	return client->received == 0 && client->ending != ENDING_NONE;
}

static void judge(struct client *client)
{
	enum fate fate = client->role->fate;

	if (fate != UNHEARD) {
		if (fate != REFUSED && was_served(client))
			count_served(client);
		else if (fate != SERVED && was_refused(client))
			count_of(client)->refused++;
		else
			wrong(client, fate == REFUSED ? "it should have been refused"
						      : "the answer is wrong");
	}
	leave(client);
}

/* --- talking ---------------------------------------------------------------------------------- */

static void watch(struct client *client, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };
	int change = client->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (client->is_watched && client->events == events)
		return;
	client->events = events;
	if (epoll_ctl(poller, change, client->fd, &event) < 0)
		wrong_by_errno(client, "epoll_ctl");
	client->is_watched = true;
}

static bool is_gone(int error)
{
	return error == ECONNRESET || error == EPIPE;
}

/* All is said. */
static void behave(struct client *client)
{
	switch (client->role->manner) {
	case LEAVES:
		if (client->role->is_datagram && client->role->fate == SERVED)
			count_served(client);
		else if (client->role->is_datagram && client->role->fate == REFUSED)
			count_of(client)->refused++;
		leave(client);
		return;
	case FINISHES:
		if (shutdown(client->fd, SHUT_WR) < 0 && errno != ENOTCONN)
			wrong_by_errno(client, "shutdown");
		break;
	case LISTENS:
		break;
	}
	watch(client, EPOLLIN);
}

static void speak(struct client *client)
{
	while (client->sent < client->length) {
		ssize_t sent = send(client->fd, client->says + client->sent,
				    client->length - client->sent, MSG_NOSIGNAL);

		if (sent < 0 && errno == EAGAIN) {
			watch(client, EPOLLIN | EPOLLOUT);
			return;
		}
		if (sent < 0 && is_gone(errno)) {
			watch(client, EPOLLIN); /* what has come may still be read */
			return;
		}
		if (sent < 0)
			wrong_by_errno(client, "sending");
		client->sent += (size_t)sent;
	}
	behave(client);
}

/* True when the client goes on listening. */
static bool hear(struct client *client)
{
	const struct role *role = client->role;
	size_t most = role->enough ? role->enough : HEARS_MAX;
	ssize_t got =
		recv(client->fd, client->hears + client->received, most - client->received, 0);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got < 0 && !is_gone(errno))
		wrong_by_errno(client, "receiving");
	if (got > 0) {
		client->received += (size_t)got;
		if (client->received == HEARS_MAX)
			wrong(client, "too much came");
		if (!role->is_datagram && client->received != role->enough)
			return true;
	} else if (!role->is_datagram) {
		client->ending = got == 0 ? ENDING_ORDERLY : ENDING_RESET;
	}
	judge(client);
	return false;
}

static void turn(struct client *client, uint32_t events)
{
	bool is_speaking = client->events & EPOLLOUT;

	if ((client->events & EPOLLIN) && (events & ~(uint32_t)EPOLLOUT) && !hear(client))
		return;
	if (is_speaking && (events & ~(uint32_t)EPOLLIN))
		speak(client);
}

/* --- coming ----------------------------------------------------------------------------------- */

static int make_socket(const struct role *role)
{
	const struct place *place = &places[role - roles];
	int type = role->is_datagram ? SOCK_DGRAM : SOCK_STREAM, yes = 1;
	int fd = socket(place->target.address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !role->from)
		return fd;
	/* The port is chosen when the target is known: each target has all ports. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) == 0 &&
	    bind(fd, (const struct sockaddr *)&place->own.address, place->own.length) == 0)
		return fd;
	close(fd);
	return -1;
}

static void come(struct client *client, const struct role *role)
{
	const struct endpoint *target = &places[role - roles].target;

	client->role = role;
	client->number = next_number++;
	client->ending = ENDING_NONE;
	client->length = client->sent = client->received = 0;
	client->due = deadline_in(PATIENCE_MS);
	count_of(client)->begun++;
	count_of(client)->present++;
	present++;
	if (role->say)
		role->say(client);
	client->fd = make_socket(role);
	if (client->fd < 0)
		wrong_by_errno(client, "socket");
	if (connect(client->fd, (const struct sockaddr *)&target->address, target->length) < 0 &&
	    errno != EINPROGRESS)
		wrong_by_errno(client, "connecting");
	watch(client, EPOLLOUT);
}

static bool may_come(size_t role)
{
	return counts[role].begun < counts[role].wanted &&
	       (roles[role].most == 0 || counts[role].present < roles[role].most);
}

/* Roles are mixed as if drawn from all clients that have not come yet. NULL: each that may come
 * has come. */
static const struct role *next_role(void)
{
	unsigned left = 0, drawn;

	for (size_t i = 0; i < role_count; i++)
		left += may_come(i) ? counts[i].wanted - counts[i].begun : 0;
	if (left == 0)
		return NULL;
	drawn = (unsigned)random() % left;
	for (size_t i = 0; i < role_count; i++) {
		unsigned own = may_come(i) ? counts[i].wanted - counts[i].begun : 0;

		if (drawn < own)
			return &roles[i];
		drawn -= own;
	}
	return NULL;
}

static void fill(void)
{
	const struct role *role;

	for (int i = 0; i < CROWD; i++)
		if (clients[i].fd < 0) {
			role = next_role();
			if (!role)
				return;
			come(&clients[i], role);
		}
}

/* --- all -------------------------------------------------------------------------------------- */

static unsigned shares(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < role_count; i++)
		sum += service_port(roles[i].service) >= 0 ? roles[i].share : 0;
	return sum;
}

/* Returns how many clients there will be: each role has one at least. */
static unsigned share_out(unsigned total)
{
	unsigned sum = 0;

	ck_assert_uint_le(role_count, ROLES_MAX);
	for (size_t i = 0; i < role_count; i++) {
		unsigned own = (unsigned)((uint64_t)total * roles[i].share / shares());

		if (service_port(roles[i].service) < 0)
			continue;
		places[i].target = endpoint_of(roles[i].host, service_port(roles[i].service));
		if (roles[i].from)
			places[i].own = endpoint_of(roles[i].from, 0);
		own += own == 0;
		counts[i].wanted += own;
		sum += own;
	}
	return sum;
}

static void make_crowd(void)
{
	srandom(1);
	poller = epoll_create1(EPOLL_CLOEXEC);
	clients = calloc(CROWD, sizeof *clients);
	ck_assert(poller >= 0 && clients);
	for (int i = 0; i < CROWD; i++)
		clients[i].fd = -1;
}

static void check_patience(void)
{
	for (int i = 0; i < CROWD; i++)
		if (clients[i].fd >= 0 && deadline_left(&clients[i].due) == 0)
			wrong(&clients[i], "it waited in vain");
}

void crowd_run(unsigned total, bool (*goes_on)(unsigned gone))
{
	unsigned wanted = share_out(total), told = 0;
	struct epoll_event ready[BATCH];

	if (!clients)
		make_crowd();
	gone = 0;
	while (gone < wanted) {
		int count;

		fill();
		count = epoll_wait(poller, ready, BATCH, 1000);
		for (int i = 0; i < count; i++)
			turn(ready[i].data.ptr, ready[i].events);
		if (count == 0 || gone - told >= REPORT_EVERY) {
			told = gone;
			check_patience();
			if (!goes_on(gone))
				return;
		}
	}
	ck_assert_uint_eq(present, 0);
}
