#include "base/name_servers.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ASK_AGAIN_MS = 5000, ROUNDS = 2, ROUND_MS = 750 };

/* A query for the address of localhost, which a name server answers by itself. */
static const unsigned char question[] = {
	0x75, 0x73, 0x01, 0x00, 0,   1,   0,   0,   0, 0, 0, 0, 9, 'l',
	'o',  'c',  'a',  'l',  'h', 'o', 's', 't', 0, 0, 1, 0, 1,
};

static atomic_uint_fast64_t ask_again; /* when */
static atomic_bool some_are_silent;

/* --- on any thread --------------------------------------------------------------- */

/* Those of the calling thread's resolver. */
static void list_servers(struct name_servers *servers)
{
	servers->count = 0;
	if (!(_res.options & RES_INIT) && res_init() < 0)
		return;
	for (int i = 0; i < _res.nscount && i < NAME_SERVERS_MAX; i++) {
		const struct sockaddr_in *in4 = &_res.nsaddr_list[i];
		const struct sockaddr_in6 *in6 = _res._u._ext.nsaddrs[i];

		if (in4->sin_family == AF_INET)
			servers->list[servers->count++] =
				address_from_sockaddr((const struct sockaddr *)in4, sizeof *in4);
		else if (in6)
			servers->list[servers->count++] =
				address_from_sockaddr((const struct sockaddr *)in6, sizeof *in6);
	}
}

static int connect_to(const struct address *server)
{
	int fd = socket(server->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, &server->any, server->length) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Any answer counts. */
static bool has_answered(int fd)
{
	unsigned char answer[512];
	ssize_t length = recv(fd, answer, sizeof answer, 0);

	return length >= 2 && memcmp(answer, question, 2) == 0;
}

/* Reads answers. A server that has answered, or can't be reached, is not asked again. */
static void take_answers(struct name_servers *servers, struct pollfd sockets[])
{
	for (size_t i = 0; i < servers->count; i++) {
		if (sockets[i].fd < 0 || !sockets[i].revents)
			continue;
		servers->answers[i] = has_answered(sockets[i].fd);
		close(sockets[i].fd);
		sockets[i].fd = -1;
	}
}

static bool all_are_done(const struct name_servers *servers, const struct pollfd sockets[])
{
	for (size_t i = 0; i < servers->count; i++)
		if (sockets[i].fd >= 0)
			return false;
	return true;
}

static void ask_round(struct name_servers *servers, struct pollfd sockets[])
{
	uint64_t end = clock_read() + ROUND_MS, now;

	for (size_t i = 0; i < servers->count; i++)
		if (sockets[i].fd >= 0)
			send(sockets[i].fd, question, sizeof question, MSG_NOSIGNAL);
	while (!all_are_done(servers, sockets) && (now = clock_read()) < end &&
	       poll(sockets, servers->count, (int)(end - now)) > 0)
		take_answers(servers, sockets);
}

static bool is_time(bool was_in_vain)
{
	uint64_t now = clock_read();
	uint_fast64_t due = atomic_load(&ask_again);

	return (was_in_vain || atomic_load(&some_are_silent)) && now >= due &&
	       atomic_compare_exchange_strong(&ask_again, &due, now + ASK_AGAIN_MS);
}

void name_servers_ask(struct name_servers *servers, bool was_in_vain)
{
	struct pollfd sockets[NAME_SERVERS_MAX];

	servers->count = 0;
	if (!is_time(was_in_vain))
		return;
	list_servers(servers);
	for (size_t i = 0; i < servers->count; i++) {
		sockets[i] = (struct pollfd){ connect_to(&servers->list[i]), POLLIN, 0 };
		servers->answers[i] = false;
	}
	for (int round = 0; round < ROUNDS; round++)
		ask_round(servers, sockets);
	for (size_t i = 0; i < servers->count; i++)
		if (sockets[i].fd >= 0)
			close(sockets[i].fd);
}

/* --- on the loop thread ------------------------------------------------------------ */

static struct name_servers known; /* when they were last asked */
static bool logs_nothing;

void name_servers_log_nothing(void)
{
	logs_nothing = true;
}

static bool was_silent(const struct address *server)
{
	for (size_t i = 0; i < known.count; i++)
		if (address_same_host(&known.list[i], server))
			return !known.answers[i];
	return false;
}

static void log_change(const struct address *server, bool answers)
{
	char text[ADDRESS_TEXT_SIZE];

	if (answers != was_silent(server))
		return;
	if (answers)
		log_notice("name server %s answers again", address_text(server, text));
	else
		log_error("name server %s does not answer: names can't be looked up there",
			  address_text(server, text));
}

/* Those that answer, or those that don't, separated by blanks; valid until the next call. */
static const char *list_of(const struct name_servers *servers, bool answers)
{
	static char text[NAME_SERVERS_MAX * ADDRESS_TEXT_SIZE];
	char address[ADDRESS_TEXT_SIZE];
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < servers->count; i++)
		if (servers->answers[i] == answers)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
						   length > 0 ? " " : "",
						   address_text(&servers->list[i], address));
	return text;
}

static bool has_any(const struct name_servers *servers, bool answers)
{
	for (size_t i = 0; i < servers->count; i++)
		if (servers->answers[i] == answers)
			return true;
	return false;
}

static bool are_all_silent(const struct name_servers *servers)
{
	return servers->count > 0 && !has_any(servers, true);
}

/* While one of them answers, rules can be checked. */
static void log_each_change(const struct name_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		log_change(&servers->list[i], servers->answers[i]);
}

static void log_changes(const struct name_servers *servers)
{
	bool were_silent = are_all_silent(&known), are_silent = are_all_silent(servers);

	if (are_silent && !were_silent)
		log_error("host name rules can't be checked: no answer from %s",
			  list_of(servers, false));
	else if (were_silent && !are_silent)
		log_notice("host name rules can be checked again: answer from %s",
			   list_of(servers, true));
	else if (!are_silent)
		log_each_change(servers);
}

void name_servers_report(const struct name_servers *servers)
{
	if (servers->count == 0)
		return;
	if (!logs_nothing)
		log_changes(servers);
	known = *servers;
	atomic_store(&some_are_silent, has_any(servers, false));
}

const char *name_servers_silent(void)
{
	return has_any(&known, false) ? list_of(&known, false) : NULL;
}

bool name_servers_all_silent(void)
{
	return are_all_silent(&known);
}
