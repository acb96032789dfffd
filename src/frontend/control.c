#include "frontend/control.h"

#include "base/container_of.h"
#include "base/loop.h"
#include "base/outbox.h"
#include "base/timer.h"
#include "config/control_socket.h"
#include "frontend/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	LIST_ENTRY(client) link;
	struct watch watch;
	struct timer deadline;
	char request[CONTROL_REQUEST_MAX + 1];
	size_t length;
	bool asks_only;           /* it has no right but to ask for the status */
	struct command_rest rest; /* ticket 0: it waits for no reload */
	struct status *status;    /* that is being written for it; NULL: none */
	struct outbox answer;
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);
static unsigned client_count, asking_count; /* all; those that only ask */
static struct watch listener = { .fd = -1, .slot = -1, .ready = -1 };
static struct timer shortage;
static struct control_message allowed;
static int spare = -1; /* given up for a client when no other descriptor is free */
static int place = -1; /* keeps one for the listener */

static void keep_spare(void)
{
	if (spare < 0)
		spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* --- who may ask ---------------------------------------------------------------------------- */

/* The peer's other groups, *size bytes of them; to be freed. NULL: none, or no memory. */
static gid_t *other_groups(int fd, socklen_t *size)
{
	gid_t *groups = NULL;

	*size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, size) < 0 && errno == ERANGE)
		groups = malloc(*size);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, size) == 0)
		return groups;
	free(groups);
	*size = 0;
	return NULL;
}

static bool is_in_group(int fd, const struct ucred *peer, gid_t group)
{
	socklen_t size;
	gid_t *groups = other_groups(fd, &size);
	bool is_in = peer->gid == group;

	for (size_t i = 0; i < size / sizeof *groups; i++)
		is_in |= groups[i] == group;
	free(groups);
	return is_in;
}

enum right { RIGHT_NONE, RIGHT_ASK, RIGHT_ALL };

/* The mode of the socket's file may say less, and a directory may be given away later. */
static enum right right_of(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return RIGHT_NONE;
	if (peer.uid == 0 || peer.uid == allowed.owner ||
	    (allowed.has_group && is_in_group(fd, &peer, allowed.group)))
		return RIGHT_ALL;
	if (allowed.has_status_group && is_in_group(fd, &peer, allowed.status_group))
		return RIGHT_ASK;
	return RIGHT_NONE;
}

/* --- clients -------------------------------------------------------------------------------- */

static void listen_if_there_is_room(void)
{
	if (listener.fd < 0)
		return;
	if (client_count >= CONTROL_CLIENTS_MAX)
		watch_stop(&listener);
	else if (!watch_is_started(&listener) && !timer_is_pending(&shortage) &&
		 watch_start(&listener, LOOP_READ) < 0)
		timer_start(&shortage, CONTROL_SHORTAGE_MS);
}

static void client_close(struct client *client)
{
	LIST_REMOVE(client, link);
	watch_stop(&client->watch);
	timer_stop(&client->deadline);
	outbox_clear(&client->answer);
	if (client->status)
		status_cancel(client->status);
	close(client->watch.fd);
	client_count--;
	asking_count -= client->asks_only;
	free(client);
	keep_spare();
	listen_if_there_is_room();
}

static void on_deadline(struct timer *timer)
{
	client_close(container_of(timer, struct client, deadline));
}

static void wait_for(struct client *client, short events, unsigned milliseconds)
{
	timer_start(&client->deadline, milliseconds);
	if (watch_start(&client->watch, events) < 0)
		client_close(client);
}

static void send_rest(struct client *client, int result)
{
	if (result == 1)
		wait_for(client, LOOP_WRITE, CONTROL_ANSWER_MS);
	else
		client_close(client);
}

/* The head and the text as one answer. */
static void send_answer(struct client *client, int status, const char *bytes, size_t length)
{
	char head[CONTROL_HEAD_MAX];
	int head_length = snprintf(head, sizeof head, "usherd %d %zu\n", status, length);
	char *answer = length > CONTROL_ANSWER_MAX ? NULL : malloc((size_t)head_length + length);

	if (!answer) {
		client_close(client);
		return;
	}
	memcpy(answer, head, (size_t)head_length);
	memcpy(answer + head_length, bytes, length);
	send_rest(client, outbox_send(&client->answer, client->watch.fd, answer,
				      (size_t)head_length + length));
	free(answer);
}

static void on_status(void *context, const char *text, size_t length)
{
	struct client *client = context;

	client->status = NULL;
	if (text)
		send_answer(client, commands_status(), text, length);
	else
		client_close(client);
}

/* Watches meanwhile whether the client goes. */
static void write_status(struct client *client)
{
	client->status = status_begin(client->rest.form, on_status, client);
	if (client->status)
		wait_for(client, 0, CONTROL_ANSWER_MS);
	else
		client_close(client);
}

/* Runs the request, or, for NULL, ends a reload. */
static void answer(struct client *client, char *request)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);
	int status;

	if (!out) {
		client_close(client);
		return;
	}
	status = request ? commands_run(request, client->asks_only, out, &client->rest)
			 : commands_answer_reload(out);
	if (fclose(out) != 0)
		client_close(client);
	else if (status == COMMAND_WAITS)
		wait_for(client, 0, CONTROL_RELOAD_MS);
	else if (status == COMMAND_IS_STATUS)
		write_status(client);
	else
		send_answer(client, status, bytes, length);
	free(bytes);
}

void control_reloaded(uint64_t ticket)
{
	struct client *client, *next;

	for (client = LIST_FIRST(&clients); client; client = next) {
		next = LIST_NEXT(client, link);
		if (client->rest.ticket == 0 || client->rest.ticket > ticket)
			continue;
		client->rest.ticket = 0;
		answer(client, NULL);
	}
}

static void read_request(struct client *client)
{
	ssize_t got = recv(client->watch.fd, client->request + client->length,
			   CONTROL_REQUEST_MAX - client->length, MSG_DONTWAIT);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->length += (size_t)got;
	end = memchr(client->request, '\n', client->length);
	if (end) {
		*end = '\0';
		watch_stop(&client->watch);
		answer(client, client->request);
	} else if (client->length == CONTROL_REQUEST_MAX) {
		client_close(client);
	}
}

static void on_client(struct watch *watch, short events)
{
	struct client *client = container_of(watch, struct client, watch);

	if (!outbox_is_empty(&client->answer))
		send_rest(client, outbox_flush(&client->answer, watch->fd));
	else if (events & LOOP_READ)
		read_request(client);
	else
		client_close(client); /* it does not wait any more */
}

/* Why a client with that right is not heard; NULL: it is. */
static const char *refusal_of(enum right right)
{
	if (right == RIGHT_NONE)
		return "you may not ask this daemon\n";
	if (right == RIGHT_ASK && asking_count >= CONTROL_ASKING_MAX)
		return "too many ask this daemon at once\n";
	return NULL;
}

static void client_open(int fd)
{
	enum right right = right_of(fd);
	const char *refusal = refusal_of(right);
	struct client *client = calloc(1, sizeof *client);

	if (!client) {
		close(fd);
		return;
	}
	LIST_INSERT_HEAD(&clients, client, link);
	client_count++;
	watch_init(&client->watch, fd, on_client);
	timer_init(&client->deadline, on_deadline);
	client->asks_only = right == RIGHT_ASK;
	asking_count += client->asks_only;
	if (refusal)
		send_answer(client, CONTROL_FAILED, refusal, strlen(refusal));
	else
		wait_for(client, LOOP_READ, CONTROL_REQUEST_MS);
}

/* --- the socket ----------------------------------------------------------------------------- */

static int accept_client(void)
{
	return accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void on_connection(struct watch *watch, short events)
{
	int fd = accept_client();

	(void)events;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && spare >= 0) {
		close(spare);
		spare = -1;
		fd = accept_client();
	}
	if (fd >= 0) {
		client_open(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		watch_stop(watch);
		timer_start(&shortage, CONTROL_SHORTAGE_MS);
	}
	keep_spare();
	listen_if_there_is_room();
}

static void on_shortage_over(struct timer *timer)
{
	(void)timer;
	keep_spare();
	listen_if_there_is_room();
}

void control_init(void)
{
	keep_spare();
	place = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void control_serve(int listening, const struct control_message *who)
{
	timer_stop(&shortage);
	timer_init(&shortage, on_shortage_over);
	watch_stop(&listener);
	if (listener.fd >= 0)
		close(listener.fd);
	if (place >= 0)
		close(place);
	place = -1;
	allowed = *who;
	watch_init(&listener, listening, on_connection);
	keep_spare();
	listen_if_there_is_room();
}
