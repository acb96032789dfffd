/* redirect: forwards connections to another host, in the loop. */
#include "admission/proxy_header.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "handlers/handler.h"
#include "handlers/redirect.h"
#include "handlers/relay.h"
#include "handlers/target.h"
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_DEADLINE_MS = 10 * 1000 }; /* for each address */

struct redirection {
	struct session *session;
	struct target_wait wait;
	struct address *addresses; /* of the target */
	size_t count, tried;
	struct watch connecting;
	int target; /* -1 when there is no socket */
	struct relay relay;
	const struct redirect_gate *gate; /* NULL: none */
	void *opening;                    /* of the gate; NULL: none */
};

static void close_target(struct redirection *redirection)
{
	if (redirection->gate && redirection->target >= 0)
		redirection->gate->close(redirection->session, redirection->target,
					 redirection->opening);
	redirection->opening = NULL;
	watch_stop(&redirection->connecting);
	relay_stop(&redirection->relay);
	if (redirection->target >= 0)
		close(redirection->target);
	redirection->target = -1;
}

static void on_session_closed(struct session *session)
{
	struct redirection *redirection = session->handler_data;

	target_cancel(&redirection->wait);
	close_target(redirection);
	free(redirection->addresses);
	free(redirection);
}

static void note_traffic(struct session *session, const struct relay *relay)
{
	uint64_t received = relay->sides[0].received, sent = relay->sides[1].received;

	record_traffic(session, received, sent);
}

/* --- once connected --------------------------------------------------------------- */

static void end(struct session *session, bool at_once)
{
	const struct relay *relay = &((struct redirection *)session->handler_data)->relay;

	(void)at_once;
	note_traffic(session, relay);
	handler_finish(session);
}

/* True when the client is to get a reset. With lingering_close it gets none for a target that
 * closes and leaves unread what the client has sent, which is a reset too. */
static bool is_cut_off(const struct redirection *redirection)
{
	const struct session *session = redirection->session;
	const struct relay_side *target = &redirection->relay.sides[1];

	if (!target->is_cut)
		return false;
	if (session->settings->lingering_close == 0 || !target->is_lost)
		return true;
	descriptor_forbid_waiting(session->fd);
	return false;
}

static void on_done(struct relay *relay)
{
	struct redirection *redirection = container_of(relay, struct redirection, relay);
	struct session *session = redirection->session;

	if (relay->was_idle)
		end_reason_note(&session->reason, END_IDLE_TIMEOUT);
	note_traffic(session, relay);
	if (is_cut_off(redirection))
		handler_finish(session);
	else
		handler_finish_in_order(session);
}

static void switch_on(int fd, int level, int option)
{
	static const int on = 1;

	setsockopt(fd, level, option, &on, sizeof on);
}

/* send_proxy: tells the target who the client is, before anything else. There is always room
 * for it in the buffer of a new connection. */
static int send_header(const struct redirection *redirection)
{
	struct session *session = redirection->session;
	unsigned char header[PROXY_WRITTEN_MAX + 1];
	size_t length = proxy_header_write((enum proxy_version)session->settings->send_proxy,
					   &session->peer, session_local(session), header);
	ssize_t sent = send(redirection->target, header, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent == (ssize_t)length)
		return 0;
	return sent < 0 ? errno : ENOBUFS;
}

static void begin_relay(struct redirection *redirection)
{
	struct session *session = redirection->session;

	watch_stop(&redirection->connecting);
	timer_stop(&session->deadline);
	free(redirection->addresses);
	redirection->addresses = NULL;
	session->end = end;
	/* splice(2) uses only this flag, and would block for a slow client. */
	fcntl(session->fd, F_SETFL, O_NONBLOCK);
	/* Small pieces are passed on at once, as they were sent. */
	switch_on(session->fd, IPPROTO_TCP, TCP_NODELAY);
	switch_on(redirection->target, IPPROTO_TCP, TCP_NODELAY);
	if (session->settings->flags & FLAG_KEEPALIVE)
		switch_on(redirection->target, SOL_SOCKET, SO_KEEPALIVE);
	relay_start(&redirection->relay, session->fd, redirection->target,
		    (uint64_t)session->settings->idle_timeout * 1000, on_done);
}

/* --- connecting ------------------------------------------------------------------- */

/* Begins to connect to the current address, or checks the progress: 0 when it is
 * connected, otherwise why not, or not yet. */
static int connect_error(const struct redirection *redirection)
{
	const struct address *address = &redirection->addresses[redirection->tried];

	return connect(redirection->target, &address->any, address->length) == 0 ? 0 : errno;
}

static bool is_under_way(int error)
{
	return error == EINPROGRESS || error == EALREADY;
}

static void on_connect_event(struct watch *watch, short events);

/* A connection to this host is complete at once, although connect(2) says EINPROGRESS. */
static int connect_at_once(struct redirection *redirection)
{
	int error = connect_error(redirection);

	return error == EINPROGRESS ? connect_error(redirection) : error;
}

static void connect_on(struct redirection *redirection, int error);

static void on_gate(void *context, int error)
{
	struct redirection *redirection = context;

	redirection->opening = NULL;
	connect_on(redirection, error ? error : connect_at_once(redirection));
}

static int connect_begin(struct redirection *redirection)
{
	int family = redirection->addresses[redirection->tried].any.sa_family;

	redirection->target = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (redirection->target < 0)
		return errno;
	watch_init(&redirection->connecting, redirection->target, on_connect_event);
	if (!redirection->gate)
		return connect_at_once(redirection);
	redirection->opening = redirection->gate->open(redirection->session, redirection->target,
						       on_gate, redirection);
	return redirection->opening ? EINPROGRESS : errno;
}

static int connect_wait(struct redirection *redirection)
{
	timer_start(&redirection->session->deadline, CONNECT_DEADLINE_MS);
	if (redirection->opening)
		return 0;
	return watch_start(&redirection->connecting, LOOP_WRITE) == 0 ? 0 : errno;
}

static void give_up(struct redirection *redirection, int error)
{
	const struct service_settings *settings = redirection->session->settings;
	const char *host = settings->redirect_host;

	log_failure(error, "service %s: can't connect to remote host %s", settings->id,
		    host ? host : "of its server");
	handler_finish(redirection->session);
}

/* Continues with the result of connect_begin. */
static void connect_on(struct redirection *redirection, int error)
{
	while (error != 0) {
		if (is_under_way(error) && (error = connect_wait(redirection)) == 0)
			return;
		close_target(redirection);
		if (++redirection->tried == redirection->count) {
			give_up(redirection, error);
			return;
		}
		error = connect_begin(redirection);
	}
	if (redirection->session->settings->send_proxy && (error = send_header(redirection)) != 0)
		give_up(redirection, error);
	else
		begin_relay(redirection);
}

static void on_connect_event(struct watch *watch, short events)
{
	struct redirection *redirection = container_of(watch, struct redirection, connecting);
	int error = connect_error(redirection);

	(void)events;
	if (!is_under_way(error))
		connect_on(redirection, error);
}

static void on_connect_deadline(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, deadline);

	connect_on(session->handler_data, ETIMEDOUT);
}

/* --- the beginning ---------------------------------------------------------------- */

static bool keep_addresses(struct redirection *redirection, const struct address *addresses,
			   size_t count)
{
	redirection->addresses = calloc(count, sizeof *addresses);
	if (!redirection->addresses)
		return false;
	memcpy(redirection->addresses, addresses, count * sizeof *addresses);
	redirection->count = count;
	for (size_t i = 0; i < count; i++)
		if (address_port(&addresses[i]) == 0)
			address_set_port(&redirection->addresses[i],
					 redirection->session->settings->redirect_port);
	return true;
}

static void on_found(struct target_wait *wait, const struct address *addresses, size_t count,
		     const char *reason)
{
	struct redirection *redirection = container_of(wait, struct redirection, wait);
	const struct service_settings *settings = redirection->session->settings;

	if (count == 0) {
		log_error("service %s: can't find remote host %s: %s", settings->id,
			  settings->redirect_host, reason);
		handler_finish(redirection->session);
	} else if (!keep_addresses(redirection, addresses, count)) {
		give_up(redirection, ENOMEM);
	} else {
		connect_on(redirection, connect_begin(redirection));
	}
}

static struct redirection *redirection_begin(struct session *session)
{
	struct redirection *redirection = calloc(1, sizeof *redirection);

	if (!redirection) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return NULL;
	}
	redirection->session = session;
	redirection->target = -1;
	watch_init(&redirection->connecting, -1, on_connect_event);
	session->handler_data = redirection;
	session->stop = on_session_closed;
	timer_init(&session->deadline, on_connect_deadline);
	handler_begin(session);
	return redirection;
}

void redirect_to(struct session *session, const struct address *address,
		 const struct redirect_gate *gate)
{
	struct redirection *redirection = redirection_begin(session);

	if (!redirection)
		return;
	redirection->gate = gate;
	on_found(&redirection->wait, address, 1, NULL);
}

static void redirect_start(struct session *session)
{
	const char *host = session->settings->redirect_host;
	struct address address;
	struct redirection *redirection;

	if (address_parse(&address, host, 0) == 0)
		redirect_to(session, &address, NULL);
	else if ((redirection = redirection_begin(session)))
		target_find(&redirection->wait, host, on_found);
}

const struct handler redirect_handler = { .name = "redirect", .start = redirect_start };
