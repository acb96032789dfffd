#include "frontend/reception.h"

#include "admission/libwrap.h"
#include "base/log.h"
#include "handlers/launch.h"
#include "handlers/redirect.h"
#include "frontend/arrival.h"
#include "frontend/intercept.h"
#include "frontend/judge.h"
#include "session/identify.h"
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

enum { ARRIVING_MOST = 4096 }; /* sessions of one service that have not begun */

static unsigned idents, idents_most; /* of refused peers; -logprocs */

static void check_address(struct session *session);
static void check_limits(struct session *session);
static void check_libwrap(struct session *session);
static void check_identity(struct session *session);
static void congratulate(struct session *session);
static void begin(struct session *session);

void reception_init(unsigned ident_limit)
{
	idents_most = ident_limit;
}

/* --- a session and its service --------------------------------------------------------------- */

/* Only so many are still needed. */
static void keep_descriptors(struct session *session, unsigned kept)
{
	if (session->descriptors <= kept)
		return;
	share_give_back(descriptors_shares(), &session->service->descriptors,
			session->descriptors - kept);
	session->descriptors = kept;
}

/* A program has the connection to itself; what the daemon still has is the pipe
 * that its standard error comes by. */
static void on_started(struct session *session)
{
	session->service->started++;
	if (session->pid > 0)
		keep_descriptors(session, session->settings->stderr_kind == STDERR_LOG);
}

static void on_failed(struct session *session, enum verdict verdict, const char *detail)
{
	service_refused(session->service, verdict, &session->peer, detail);
}

/* A source may have as many sessions arriving as there is room left for: alone it
 * fills half of the room, two fill a third each, and there is always some for a
 * source that has none. */
static enum verdict judge_arrival(struct service *service, const struct address *peer)
{
	unsigned left = ARRIVING_MOST - service->awaited, own;

	if (!service->arrivals)
		service->arrivals = sources_new();
	if (left == 0)
		return REFUSED_ARRIVING;
	if (!service->arrivals)
		return REFUSED_MEMORY;
	own = sources_running(service->arrivals, peer, service->settings->source_prefix);
	return own < left ? ADMITTED : REFUSED_SOURCE_LIMIT;
}

static void arrive(struct session *session)
{
	struct service *service = session->service;

	service->arriving++;
	service->awaited++;
	session->arrival = source_enter(service->arrivals, &session->peer,
					service->settings->source_prefix);
}

/* Nothing is awaited any more: the session begins, or closes. */
static void leave_arrivals(struct session *session)
{
	session->service->awaited--;
	if (session->arrival)
		source_leave(session->service->arrivals, session->arrival);
	session->arrival = NULL;
}

static void count(struct session *session)
{
	struct service *service = session->service;
	struct sources *sources;

	session->is_counted = true;
	service->arriving--;
	service->running++;
	if (service->settings->per_source != UNLIMITED && (sources = service_sources(service)))
		session->source = source_enter(sources, &session->peer,
					       service->settings->source_prefix);
	if (service_is_full(service))
		service_refresh(service);
}

/* Who is refused after having been counted takes nobody's place while it is parted
 * with. */
static void uncount(struct session *session)
{
	struct service *service = session->service;

	if (!session->is_counted)
		return;
	session->is_counted = false;
	service->running--;
	service->arriving++;
	if (session->source)
		source_leave(service->sources, session->source);
	session->source = NULL;
	if (service->settings->at_limit == AT_LIMIT_QUEUE)
		service_refresh(service);
}

/* Takes one connection off a socket that may block: it need not be there any more,
 * as a process that an earlier server left behind may accept from it too. */
static int accept_at_once(int socket)
{
	int flags = fcntl(socket, F_GETFL), fd;

	if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	fcntl(socket, F_SETFL, flags);
	return fd;
}

/* Takes one datagram, or connection, off a wait service's socket: the one that
 * its server was not started for. Left there it would knock again at once. */
static void dismiss_one(const struct listener *listener)
{
	char byte;
	int fd;

	if (!listener_is_open(listener))
		return;
	if (listener->service->settings->socket_type != SOCK_STREAM) {
		if (recv(listener->watch.fd, &byte, sizeof byte, MSG_DONTWAIT) < 0)
			return;
		return;
	}
	fd = accept_at_once(listener->watch.fd);
	if (fd >= 0)
		close(fd);
}

/* A program that fails at once would be started again at once, without end. */
static void delay_next_server(struct listener *listener, const struct session *session)
{
	uint64_t wait = 0;

	if (listener_is_open(listener))
		wait = wait_delay_end(&listener->delay, listener->watch.fd,
				      loop_now() - session->opened);
	if (wait == 0)
		return;
	if (listener->delay.is_first)
		log_warning("service %s: %s ends and leaves unread what it was started for; starting "
			    "it with growing delays", session->settings->id,
			    session->settings->server);
	listener_pause(listener, (unsigned)wait);
}

static void leave_origin(struct session *session)
{
	struct listener *listener = session->origin;

	listener->server = NULL;
	if (!listener->service) /* who knocked is left to whoever gets the socket now */
		return;
	if (session->state < SESSION_SERVING)
		dismiss_one(listener);
	else
		delay_next_server(listener, session);
	service_refresh(listener->service); /* not the session's, perhaps, since a reload */
}

static void name_no_more(struct session *session)
{
	if (session->is_being_named)
		idents--;
	session->is_being_named = false;
}

static void on_closed(struct session *session)
{
	struct service *service = session->service;

	LIST_REMOVE(session, link);
	keep_descriptors(session, 0);
	name_no_more(session);
	if (session->state == SESSION_ARRIVING)
		leave_arrivals(session);
	if (session->is_counted)
		service->running--;
	else
		service->arriving--;
	if (session->source)
		source_leave(service->sources, session->source);
	if (session->origin)
		leave_origin(session);
	if (service->is_draining && LIST_EMPTY(&service->sessions))
		service_free(service);
	else if (service->settings->at_limit == AT_LIMIT_QUEUE)
		service_refresh(service);
}

static const struct session_owner session_owner = {
	.started = on_started, .failed = on_failed, .closed = on_closed,
};

/* The connection's part of its service's descriptors. */
static bool take_descriptors(struct service *service)
{
	return share_take(descriptors_shares(), &service->descriptors,
			  service_descriptors_per_session(service));
}

static void give_descriptors_back(struct service *service)
{
	share_give_back(descriptors_shares(), &service->descriptors,
			service_descriptors_per_session(service));
}

static struct session *open_session(struct service *service, int fd, const struct address *peer,
				    enum verdict *verdict)
{
	struct session *session;

	*verdict = judge_arrival(service, peer);
	if (*verdict == ADMITTED && !take_descriptors(service))
		*verdict = REFUSED_DESCRIPTORS;
	if (*verdict != ADMITTED)
		return NULL;
	session = session_open(service->settings, service->log, fd, peer, &session_owner);
	if (!session) {
		give_descriptors_back(service);
		*verdict = REFUSED_MEMORY;
	}
	return session;
}

static struct session *receive(struct service *service, int fd, const struct address *peer)
{
	enum verdict verdict;
	struct session *session = open_session(service, fd, peer, &verdict);

	if (!session) {
		close(fd);
		service_refused(service, verdict, peer, NULL);
		return NULL;
	}
	session->service = service;
	session->descriptors = service_descriptors_per_session(service);
	arrive(session);
	LIST_INSERT_HEAD(&service->sessions, session, link);
	return session;
}

/* --- refusing -------------------------------------------------------------------------------- */

static bool is_multiplexed(const struct session *session)
{
	return service_is_multiplexed(session->settings);
}

static void say_no(struct session *session)
{
	if (is_multiplexed(session))
		arrival_send_text(session, "-Service not available\r\n", arrival_linger);
	else
		session_close(session);
}

/* What a refused peer still gets. */
static void part(struct session *session)
{
	uncount(session);
	session->is_refused = true;
	if (session->origin)
		session_close(session);
	else if (session->settings->banner_fail)
		arrival_send_banner(session, BANNER_FAIL,
				  is_multiplexed(session) ? say_no : arrival_linger);
	else if (session->settings->banner)
		arrival_linger(session);
	else
		say_no(session);
}

/* Without a server there is nothing to say: few hosts have one. */
static void log_no_identity(const struct session *session, const char *reason)
{
	char text[ADDRESS_TEXT_SIZE];

	if (reason != identify_result_text(IDENTIFY_NO_SERVER))
		log_error("Failed to contact identity server at %s: %s",
			  address_text(&session->peer, text), reason);
}

static void on_refused_identified(struct session *session, const char *reason)
{
	name_no_more(session);
	if (session->user)
		record_userid(session, session->user);
	else if (reason)
		log_no_identity(session, reason);
	part(session);
}

static void refuse(struct session *session, enum verdict verdict)
{
	bool has_line = service_refused(session->service, verdict, &session->peer, NULL);

	uncount(session);
	if (has_line && (session->settings->log_on_failure & LOG_FLAG_USERID) &&
	    idents < idents_most) {
		idents++;
		session->is_being_named = true;
		arrival_ask_ident(session, IDENTIFY_DEADLINE_MS, on_refused_identified);
	} else {
		part(session);
	}
}

/* --- the steps of admission ---------------------------------------------------------------------- */

static void refuse_address(struct session *session, struct access_result result)
{
	char text[ADDRESS_TEXT_SIZE];

	if (result.tie)
		log_error("Service=%s: only_from list and no_access list match equally the "
			  "address %s", session->settings->id,
			  address_text(&session->peer, text));
	refuse(session, judge_bans(&session->peer) ? REFUSED_BANNED : REFUSED_ADDRESS);
}

static void on_names(struct session *session, const char *const *names)
{
	struct access_result result = judge_address(session->settings, &session->peer, names);

	if (result.decision == ACCESS_ALLOWED)
		check_limits(session);
	else
		refuse_address(session, result);
}

static void check_address(struct session *session)
{
	struct access_result result = judge_address(session->settings, &session->peer, NULL);

	switch (result.decision) {
	case ACCESS_ALLOWED:
		check_limits(session);
		break;
	case ACCESS_DENIED:
		refuse_address(session, result);
		break;
	case ACCESS_NEEDS_NAMES:
		arrival_ask_names(session, on_names);
		break;
	}
}

static void check_limits(struct session *session)
{
	enum verdict verdict = judge_limits(session->service, &session->peer);

	if (verdict != ADMITTED) {
		refuse(session, verdict);
		return;
	}
	count(session);
	check_libwrap(session);
}

static void on_libwrap(struct session *session, bool allowed)
{
	const struct service_settings *settings = session->settings;
	char text[ADDRESS_TEXT_SIZE];

	if (allowed) {
		check_identity(session);
		return;
	}
	log_info("libwrap refused connection to %s (libwrap=%s) from %s", settings->id,
		 service_libwrap_name(settings), address_text(&session->peer, text));
	refuse(session, REFUSED_LIBWRAP);
}

static void check_libwrap(struct session *session)
{
	const struct service_settings *settings = session->settings;

	/* rpcbind has its own say over RPC, and xinetd leaves it at that for TCP. */
	bool is_rpc_stream = (settings->types & TYPE_RPC) && service_is_stream(settings);

	if ((settings->flags & FLAG_NOLIBWRAP) || is_rpc_stream || !address_is_known(&session->peer) ||
	    !libwrap_has_rules())
		check_identity(session);
	else
		arrival_ask_libwrap(session, on_libwrap);
}

static void on_identified(struct session *session, const char *reason)
{
	if (!reason || !(session->settings->flags & FLAG_IDONLY)) {
		congratulate(session);
		return;
	}
	record_noid(session, reason);
	service_count_refusal(session->service, REFUSED_IDENT);
	part(session);
}

static void check_identity(struct session *session)
{
	const struct service_settings *settings = session->settings;

	if (settings->log_on_success & LOG_FLAG_USERID)
		arrival_ask_ident(session, IDENTIFY_DEADLINE_MS, on_identified);
	else
		congratulate(session);
}

static void congratulate(struct session *session)
{
	if (session->settings->types & TYPE_TCPMUXPLUS)
		arrival_send_text(session, "+Go\r\n", begin);
	else if (session->settings->banner_success && !session->origin)
		arrival_send_banner(session, BANNER_SUCCESS, begin);
	else
		begin(session);
}

/* INTERCEPT: an admitted client goes on to the socket that the server has. */
static void relay_to_server(struct session *session)
{
	const struct listener *listener;
	struct address inner;

	LIST_FOREACH(listener, &session->service->listeners, link)
		if (listener->is_inner && listener_is_open(listener) &&
		    address_of_socket(listener->watch.fd, &inner) == 0) {
			redirect_to(session, &inner, &intercept_gate);
			return;
		}
	session_fail(session, REFUSED_TARGET, "the server's own socket is not open");
}

/* Servers find an IPv4 client on a socket of that family, whatever socket it came
 * in by: as with xinetd, and some know no other. */
static void show_as_ipv4(const struct session *session)
{
	static const int family = AF_INET;

	setsockopt(session->fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family);
}

static void begin(struct session *session)
{
	const struct handler *handler = handler_for(session->settings);

	if (session->settings->flags & FLAG_SENSOR)
		judge_ban(session->settings, &session->peer);
	if (handler == &launch_handler && session->peer.any.sa_family == AF_INET && !session->origin)
		show_as_ipv4(session);
	leave_arrivals(session);
	session_enter(session, SESSION_STARTING);
	if (intercepts_streams(session->settings) && !session->origin)
		relay_to_server(session);
	else
		handler->start(session);
}

/* One whose program an earlier frontend had started. */
void reception_resume(struct service *service, const struct program_message *program, int errors)
{
	struct session *session = receive(service, -1, &program->peer);

	if (!session || launch_resume(session, program, errors) < 0) {
		if (session)
			session_close(session);
		else if (errors >= 0)
			close(errors);
		return;
	}
	session->started = program->started;
	session->opened = program->opened;
	session->pid = program->pid;
	count(session);
	session_enter(session, SESSION_SERVING);
}

/* --- the ways in ----------------------------------------------------------------------------------- */

void reception_connection(struct service *service, int fd, const struct address *peer)
{
	struct session *session = receive(service, fd, peer);

	if (session && session->settings->banner)
		arrival_send_banner(session, BANNER_ALWAYS, check_address);
	else if (session)
		check_address(session);
}

void reception_multiplexed(struct service *service, int fd, const struct address *peer)
{
	struct session *session = receive(service, fd, peer);

	if (session)
		check_address(session);
}

void reception_wait(struct listener *listener, const struct address *peer)
{
	int fd = fcntl(listener->watch.fd, F_DUPFD_CLOEXEC, 0);
	struct session *session;

	if (fd < 0) {
		listener_pause(listener, 1000);
		return;
	}
	session = receive(listener->service, fd, peer);
	if (!session) {
		dismiss_one(listener);
		return;
	}
	session->origin = listener;
	listener->server = session;
	wait_delay_begin(&listener->delay, listener->watch.fd);
	listener_set_polled(listener, false);
	if (listener->is_inner) /* its clients are judged one by one */
		begin(session);
	else if (address_is_known(peer))
		check_address(session);
	else
		check_limits(session);
}
