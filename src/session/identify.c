#include "session/identify.h"

#include "admission/ident.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct identification {
	struct watch watch;
	struct timer deadline;
	identify_done *done;
	void *context;
	struct address local, peer;
	enum identify_result result; /* the result when the deadline is over */

	char query[IDENT_QUERY_SIZE];
	size_t query_length, sent;
	char reply[IDENT_REPLY_MAX];
	size_t received;
};

static uint16_t identd_port = IDENT_PORT;

void identify_set_port(uint16_t port)
{
	identd_port = port;
}

const char *identify_result_text(enum identify_result result)
{
	static const char *const texts[] = {
		[IDENTIFIED] = "no error",
		[IDENTIFY_NO_SERVER] = "no server",
		[IDENTIFY_TIMED_OUT] = "timeout",
		[IDENTIFY_SYSTEM_ERROR] = "system error",
		[IDENTIFY_RECEIVE_ERROR] = "error while receiving response",
		[IDENTIFY_BAD_RESPONSE] = "bad response",
	};

	return texts[result];
}

void identify_cancel(struct identification *identification)
{
	timer_stop(&identification->deadline);
	watch_stop(&identification->watch);
	if (identification->watch.fd >= 0)
		close(identification->watch.fd);
	free(identification);
}

static void finish(struct identification *identification, enum identify_result result,
		   const char *user)
{
	identify_done *done = identification->done;
	void *context = identification->context;

	identify_cancel(identification);
	done(context, result, user);
}

static void deadline_is_over(struct timer *timer)
{
	struct identification *identification =
		container_of(timer, struct identification, deadline);

	finish(identification, identification->result, NULL);
}

/* xinetd's wording. */
static void log_bad_response(const struct identification *identification)
{
	char text[ADDRESS_TEXT_SIZE], escaped[IDENT_REPLY_MAX];
	size_t length = identification->received;

	while (length > 0 && (identification->reply[length - 1] == '\n' ||
			      identification->reply[length - 1] == '\r'))
		length--;
	log_error("Bad line received from identity server at %s: %s",
		  log_address(&identification->peer, text),
		  log_escape(escaped, sizeof escaped, identification->reply, length));
}

static void judge(struct identification *identification)
{
	char user[IDENT_USER_SIZE];
	enum ident_outcome outcome = ident_parse(identification->reply, identification->received,
						 address_port(&identification->peer),
						 address_port(&identification->local), user);

	if (outcome == IDENT_USER) {
		finish(identification, IDENTIFIED, user);
	} else if (outcome != IDENT_INCOMPLETE) {
		log_bad_response(identification);
		finish(identification, IDENTIFY_BAD_RESPONSE, NULL);
	}
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void read_reply(struct identification *identification)
{
	ssize_t length =
		recv(identification->watch.fd, identification->reply + identification->received,
		     sizeof identification->reply - identification->received, 0);

	if (length < 0) {
		if (!must_wait(errno))
			finish(identification, IDENTIFY_RECEIVE_ERROR, NULL);
		return;
	}
	if (length == 0) {
		log_error("identd server reply missing ending CR-LF");
		finish(identification, IDENTIFY_RECEIVE_ERROR, NULL);
		return;
	}
	identification->received += (size_t)length;
	judge(identification);
}

static void send_query(struct identification *identification)
{
	ssize_t length =
		send(identification->watch.fd, identification->query + identification->sent,
		     identification->query_length - identification->sent, MSG_NOSIGNAL);

	if (length < 0) {
		if (!must_wait(errno))
			finish(identification, IDENTIFY_SYSTEM_ERROR, NULL);
		return;
	}
	identification->sent += (size_t)length;
	if (identification->sent == identification->query_length &&
	    watch_start(&identification->watch, LOOP_READ) < 0)
		finish(identification, IDENTIFY_SYSTEM_ERROR, NULL);
}

static bool is_connected(int fd)
{
	socklen_t length = sizeof(int);
	int error;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

static void connection_is_ready(struct watch *watch, short events)
{
	struct identification *identification = container_of(watch, struct identification, watch);

	(void)events;
	if (identification->sent == identification->query_length)
		read_reply(identification);
	else if (identification->sent > 0 || is_connected(watch->fd))
		send_query(identification);
	else
		finish(identification, IDENTIFY_NO_SERVER, NULL);
}

/* Begins to connect, and returns the result if nothing else happens. */
static enum identify_result connect_to_server(struct identification *identification)
{
	struct address from = identification->local, to = identification->peer;
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	watch_init(&identification->watch, fd, connection_is_ready);
	address_set_port(&from, 0);
	address_set_port(&to, identd_port);
	/* Otherwise bind(2) would take a local port for all destinations. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (fd < 0 || bind(fd, &from.any, from.length) < 0)
		return IDENTIFY_SYSTEM_ERROR;
	if (connect(fd, &to.any, to.length) < 0 && errno != EINPROGRESS)
		return IDENTIFY_NO_SERVER;
	if (watch_start(&identification->watch, LOOP_WRITE) < 0)
		return IDENTIFY_SYSTEM_ERROR;
	return IDENTIFY_TIMED_OUT;
}

struct identification *identify_start(const struct address *local, const struct address *peer,
				      uint64_t deadline_ms, identify_done *done, void *context)
{
	struct identification *identification = calloc(1, sizeof *identification);

	if (!identification)
		return NULL;
	identification->done = done;
	identification->context = context;
	identification->local = *local;
	identification->peer = *peer;
	identification->query_length =
		ident_query(identification->query, address_port(peer), address_port(local));
	identification->result = connect_to_server(identification);
	if (identification->result != IDENTIFY_TIMED_OUT)
		deadline_ms = 0;
	timer_init(&identification->deadline, deadline_is_over);
	timer_start(&identification->deadline, deadline_ms);
	return identification;
}
