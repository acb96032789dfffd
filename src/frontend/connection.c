#include "frontend/connection.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "frontend/candidates.h"
#include "frontend/intercept.h"
#include "frontend/lifecycle.h"
#include "frontend/listening.h"
#include "frontend/pending.h"
#include "frontend/proxied.h"
#include "frontend/proving.h"
#include "frontend/sensors.h"
#include "frontend/totals.h"
#include "handlers/launch.h"
#include "handlers/linger.h"
#include "handlers/redirect.h"
#include "session/identify.h"
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

static unsigned idents, idents_max; /* ident requests for refused peers; -logprocs */

static void go_on(struct session *session);

void connection_init(unsigned ident_limit)
{
	idents_max = ident_limit;
}

/* --- a session and its service --------------------------------------------------------------- */

/* Gives back all but the `kept` that are still needed. */
static void keep_descriptors(struct session *session, unsigned kept)
{
	if (session->descriptors <= kept)
		return;
	share_give_back(descriptors_shares(), &session->service->descriptors,
			session->descriptors - kept);
	session->descriptors = kept;
}

/* A program has the connection now. The daemon keeps at most its own descriptor of it, the
 * program's terminal, and the pipe of its standard error. */
static void keep_descriptors_of_program(struct session *session)
{
	bool keeps_connection = session->fd >= 0 && service_keeps_socket(session->settings);
	bool has_terminal = keeps_connection && session->settings->pty;

	keep_descriptors(session, (session->settings->program->stderr_kind == STDERR_LOG) +
					  keeps_connection + has_terminal);
}

/* Those that were pending may be too many for the share: they go on uncounted. */
static void begin_launching(struct session *session)
{
	session->launched = clock_now();
	session->is_launching = share_take(launch_shares(), &session->service->launches, 1);
}

static void end_launching(struct session *session)
{
	if (session->is_launching)
		share_give_back(launch_shares(), &session->service->launches, 1);
	session->is_launching = false;
}

static void on_started(struct session *session)
{
	end_launching(session);
	session->service->started++;
	session->has_begun = true;
	totals_session_begun(session);
	if (session->pid > 0)
		keep_descriptors_of_program(session);
}

/* The client, or the balancer that has not named it yet. */
static const struct address *known_peer(const struct session *session)
{
	return address_is_known(&session->peer) ? &session->peer : &session->proxy;
}

static void on_failed(struct session *session, enum verdict verdict, const char *detail)
{
	struct refusal refusal = {
		.verdict = verdict,
		.peer = known_peer(session),
		.session = session,
	};

	service_refused(session->service, &refusal, detail);
}

/* The session begins, or closes. */
static void end_pending(struct session *session)
{
	quota_pend_end(&session->service->quota, session->pending_source);
	session->pending_source = NULL;
}

static void count(struct session *session)
{
	struct service *service = session->service;

	session->is_counted = true;
	session->source = quota_run(&service->quota, service->settings, &session->peer);
	if (service_is_full(service))
		service_refresh(service);
}

/* Gives back the place of a session that is refused after it was counted, or closes. */
static void uncount(struct session *session)
{
	if (!session->is_counted)
		return;
	session->is_counted = false;
	quota_run_end(&session->service->quota, session->source);
	session->source = NULL;
	if (session->service->settings->admission->at_limit == AT_LIMIT_QUEUE)
		service_refresh(session->service);
}

/* Accepts one connection without blocking, from a socket that blocks. A process that an
 * earlier server left behind may have accepted it already. */
static int accept_at_once(int socket)
{
	int flags = fcntl(socket, F_GETFL), fd;

	if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	fcntl(socket, F_SETFL, flags);
	return fd;
}

/* Drops the datagram or connection for which a wait service's server was not started.
 * Otherwise the socket would be readable again at once. */
static void dismiss_one(const struct listener *listener)
{
	int fd = -1;

	if (!listener_is_open(listener))
		return;
	if (service_is_stream(listener->service->settings))
		fd = accept_at_once(listener->watch.fd);
	else
		recv(listener->watch.fd, NULL, 0, MSG_DONTWAIT);
	if (fd >= 0)
		descriptor_close(fd); /* an earlier server may have set SO_LINGER */
}

/* Without a delay, a program that fails at once would be started again for ever. */
static void delay_next_server(struct listener *listener, const struct session *session)
{
	uint64_t wait = 0;

	if (listener_is_open(listener))
		wait = wait_delay_end(&listener->delay, listener->watch.fd,
				      clock_now() - session->opened);
	if (wait == 0)
		return;
	if (listener->delay.is_first)
		log_warning(
			"service %s: %s ends and leaves unread what it was started for; starting "
			"it with growing delays",
			session->settings->id, session->settings->server);
	listener_pause(listener, (unsigned)wait);
}

/* Only the connection is left, which is being closed. */
static void on_served(struct session *session)
{
	keep_descriptors(session, 1);
	uncount(session);
}

static void leave_origin(struct session *session)
{
	struct listener *listener = session->origin;

	listener->server = NULL;
	if (!listener->service) /* the socket's next owner serves the peer */
		return;
	if (session->state < SESSION_SERVING)
		dismiss_one(listener);
	else
		delay_next_server(listener, session);
	service_refresh(listener->service); /* after a reload maybe not the session's service */
}

static void end_naming(struct session *session)
{
	if (session->is_being_named)
		idents--;
	session->is_being_named = false;
}

static void on_closed(struct session *session)
{
	struct service *service = session->service;

	LIST_REMOVE(session, link);
	service->received += session->received;
	service->sent += session->sent;
	totals_session_over(session);
	keep_descriptors(session, 0);
	end_launching(session);
	end_naming(session);
	if (session->state == SESSION_PENDING)
		end_pending(session);
	uncount(session);
	if (session->origin)
		leave_origin(session);
	if (service->is_draining && LIST_EMPTY(&service->sessions))
		service_free(service);
}

static const struct session_owner session_owner = {
	.started = on_started,
	.failed = on_failed,
	.served = on_served,
	.let_go = keep_descriptors_of_program,
	.closed = on_closed,
};

/* How many connections may be closed early for a new one. */
enum { ROOM_MAX = 4 };

/* Takes the descriptors of one connection from its service's share. Connections that are only
 * being closed make room. */
static bool take_descriptors(struct service *service)
{
	for (int i = 0; i <= ROOM_MAX; i++)
		if (share_take(descriptors_shares(), &service->descriptors,
			       service_descriptors_per_session(service)))
			return true;
		else if (!linger_make_room(service))
			return false;
	return false;
}

static void give_descriptors_back(struct service *service)
{
	share_give_back(descriptors_shares(), &service->descriptors,
			service_descriptors_per_session(service));
}

/* source: as in quota_judge_pending. */
static struct session *open_session(struct service *service, int fd, const struct address *peer,
				    const struct address *source, enum verdict *verdict)
{
	struct session *session;

	*verdict = quota_judge_pending(&service->quota, service->settings, source);
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

static struct session *receive_of(struct service *service, int fd, const struct address *peer,
				  const struct address *source, enum way way)
{
	enum verdict verdict;
	struct session *session = open_session(service, fd, peer, source, &verdict);

	if (!session) {
		close(fd);
		service_refused(service, &(struct refusal){ .verdict = verdict, .peer = peer },
				NULL);
		return NULL;
	}
	session->service = service;
	session->way = way;
	session->descriptors = service_descriptors_per_session(service);
	session->pending_source = quota_pend(&service->quota, service->settings, source);
	LIST_INSERT_HEAD(&service->sessions, session, link);
	pending_limit(session);
	return session;
}

static struct session *receive(struct service *service, int fd, const struct address *peer,
			       enum way way)
{
	return receive_of(service, fd, peer, peer, way);
}

/* --- refusing -------------------------------------------------------------------------------- */

static void send_refusal_line(struct session *session)
{
	if (session->way == WAY_MULTIPLEXED)
		pending_send_text(session, "-Service not available\r\n", pending_linger);
	else
		session_close(session);
}

/* Sends a refused peer banner_fail, if it is set, and closes. */
static void send_fail_banner(struct session *session)
{
	uncount(session);
	session->is_refused = true;
	if (session->origin)
		session_close(session);
	else if (session->settings->banner_fail)
		pending_send_banner(session, BANNER_FAIL,
				    session->way == WAY_MULTIPLEXED ? send_refusal_line
								    : pending_linger);
	else if (session->settings->banner || session->was_puzzled)
		pending_linger(session);
	else
		send_refusal_line(session);
}

/* Few hosts have an ident server: a missing one is not logged. */
static void log_no_identity(const struct session *session, enum identify_result result)
{
	char text[ADDRESS_TEXT_SIZE];

	if (result != IDENTIFIED && result != IDENTIFY_NO_SERVER)
		log_error("Failed to contact identity server at %s: %s",
			  log_address(&session->peer, text), identify_result_text(result));
}

static void on_refused_identified(struct session *session, enum identify_result result)
{
	end_naming(session);
	if (session->user)
		record_userid(session, session->user);
	else
		log_no_identity(session, result);
	send_fail_banner(session);
}

static void refuse_by(struct session *session, enum verdict verdict, const struct access_rule *rule)
{
	struct refusal refusal = {
		.verdict = verdict,
		.peer = &session->peer,
		.session = session,
		.rule = rule,
	};
	bool has_line = service_refused(session->service, &refusal, NULL);

	uncount(session);
	if (has_line && (session->settings->log_on_failure & LOG_FLAG_USERID) &&
	    !address_is_known(&session->proxy) && idents < idents_max) {
		idents++;
		session->is_being_named = true;
		pending_ask_ident(session, IDENTIFY_DEADLINE_MS, on_refused_identified);
	} else {
		send_fail_banner(session);
	}
}

static void refuse(struct session *session, enum verdict verdict)
{
	refuse_by(session, verdict, NULL);
}

static void log_tie(const struct session *session)
{
	char text[ADDRESS_TEXT_SIZE];

	log_error("Service=%s: only_from list and no_access list match equally the address %s",
		  session->settings->id, log_address(&session->peer, text));
}

/* True: the session goes on to its next step. Otherwise it is refused. */
static bool heed(struct session *session, struct judgement judgement)
{
	if (candidate_heed(session->service, &session->peer, judgement))
		return true;
	if (judgement.is_tie)
		log_tie(session);
	refuse_by(session, judgement.verdict, judgement.rule);
	return false;
}

/* --- the steps that take time ---------------------------------------------------------------- */

/* Each returns true when the step is done. Otherwise the session is refused, or a
 * callback continues it. */

/* The other end of the connection itself. */
static const struct address *socket_peer(const struct session *session)
{
	return address_is_known(&session->proxy) ? &session->proxy : &session->peer;
}

/* Nothing is sent: it is not known whether the balancer would pass it on. */
static void refuse_balancer(struct session *session, const char *fault)
{
	struct refusal refusal = {
		.verdict = REFUSED_PROXY,
		.peer = socket_peer(session),
		.session = session,
	};
	char text[ADDRESS_TEXT_SIZE];

	if (service_refused(session->service, &refusal, NULL))
		log_warning("service %s: balancer %s: %s", session->settings->id,
			    log_address(socket_peer(session), text), fault);
	session_close(session);
}

/* The client is one of many of the balancer, and counts among the pending by itself. */
static void on_client_known(struct session *session, const char *fault)
{
	struct service *service = session->service;
	enum verdict verdict;

	if (!fault && !access_is_balancer(service->settings, socket_peer(session)))
		fault = "it is none any more"; /* a reload has changed that */
	if (fault) {
		refuse_balancer(session, fault);
		return;
	}
	verdict = quota_pend_source(&service->quota, service->settings, &session->peer,
				    &session->pending_source);
	if (verdict == ADMITTED)
		go_on(session);
	else
		refuse(session, verdict);
}

static bool take_proxied(struct session *session, struct candidate *candidate)
{
	struct judgement judgement = { .verdict = access_without_balancer(candidate->settings) };

	if (!address_is_known(&session->proxy))
		return heed(session, judgement);
	proxied_read(session, on_client_known);
	return false;
}

static bool take_banner(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	pending_send_banner(session, BANNER_ALWAYS, go_on);
	return false;
}

static void on_names(struct session *session, const char *const *names)
{
	struct candidate candidate = candidate_for(session->service, &session->peer, session->way);

	candidate.names = names;
	if (heed(session, admission_judge(STEP_ADDRESS, &candidate)))
		go_on(session);
}

static bool take_address(struct session *session, struct candidate *candidate)
{
	struct judgement judgement = admission_judge(STEP_ADDRESS, candidate);

	if (!judgement.needs_names)
		return heed(session, judgement);
	pending_ask_names(session, on_names);
	return false;
}

/* The steps before, without those that take tokens, may decide otherwise after minutes.
 * False: the session is refused. */
static bool is_still_welcome(struct session *session)
{
	static const enum admission_step again[] = { STEP_ADDRESS, STEP_LOAD, STEP_TIME };
	struct candidate candidate = candidate_for(session->service, &session->peer, session->way);

	for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
		struct judgement judgement = { .verdict = ADMITTED };

		if (admission_applies(again[i], &candidate))
			judgement = admission_judge(again[i], &candidate);
		if (!judgement.needs_names && !heed(session, judgement))
			return false;
	}
	return true;
}

static void on_congratulated(struct session *session)
{
	if (is_still_welcome(session))
		go_on(session);
}

static void refuse_unproved(struct session *session)
{
	refuse(session, REFUSED_PROOF);
}

static void refuse_crowded(struct session *session)
{
	refuse(session, REFUSED_PENDING);
}

static void on_proof(struct session *session, enum proof proof)
{
	pending_step *next = proof == PROOF_RIGHT  ? on_congratulated
			     : proof == PROOF_BUSY ? refuse_crowded
						   : refuse_unproved;

	pending_send_text(session, proof_answer(proof), next);
}

static void read_proof(struct session *session)
{
	proving_read(session, on_proof);
}

static bool take_proof(struct session *session, struct candidate *candidate)
{
	char prompt[PUZZLE_PROMPT_SIZE];

	(void)candidate;
	if (proving_is_remembered(session))
		return true;
	if (!proving_has_room(session)) {
		refuse(session, REFUSED_PENDING);
	} else if (proving_prompt(session, prompt) < 0) {
		refuse(session, REFUSED_MEMORY);
	} else {
		session->was_puzzled = true;
		pending_send_copy(session, prompt, read_proof);
	}
	return false;
}

static bool take_counted(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	count(session);
	return true;
}

static void on_libwrap(struct session *session, bool allowed)
{
	const struct service_settings *settings = session->settings;
	char text[ADDRESS_TEXT_SIZE];

	if (allowed) {
		go_on(session);
		return;
	}
	log_info("libwrap refused connection to %s (libwrap=%s) from %s", settings->id,
		 service_libwrap_name(settings), log_address(&session->peer, text));
	refuse(session, REFUSED_LIBWRAP);
}

static bool take_libwrap(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	pending_ask_libwrap(session, on_libwrap);
	return false;
}

static void refuse_unidentified(struct session *session, const char *why)
{
	record_noid(session, why);
	service_count_refusal(session->service, REFUSED_IDENT);
	send_fail_banner(session);
}

static void on_identified(struct session *session, enum identify_result result)
{
	if (result == IDENTIFIED || !(session->settings->flags & FLAG_IDONLY)) {
		go_on(session);
		return;
	}
	refuse_unidentified(session, identify_result_text(result));
}

/* The ident server of a balancer's client does not know a connection to this host. */
static bool take_identity_of_proxied(struct session *session)
{
	if (!(session->settings->flags & FLAG_IDONLY))
		return true;
	refuse_unidentified(session, "comes through a balancer");
	return false;
}

static bool take_identity(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	if (address_is_known(&session->proxy))
		return take_identity_of_proxied(session);
	pending_ask_ident(session, IDENTIFY_DEADLINE_MS, on_identified);
	return false;
}

static bool take_welcome(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	if (session->settings->types & TYPE_TCPMUXPLUS)
		pending_send_text(session, "+Go\r\n", go_on);
	else
		pending_send_banner(session, BANNER_SUCCESS, go_on);
	return false;
}

/* --- the walk ---------------------------------------------------------------------------------- */

/* Steps without a row are judged at once. */
static bool (*const takes[])(struct session *session, struct candidate *candidate) = {
	[STEP_PROXIED] = take_proxied,   [STEP_BANNER] = take_banner,
	[STEP_ADDRESS] = take_address,   [STEP_PROOF] = take_proof,
	[STEP_COUNTED] = take_counted,   [STEP_LIBWRAP] = take_libwrap,
	[STEP_IDENTITY] = take_identity, [STEP_WELCOME] = take_welcome,
};

_Static_assert(sizeof takes / sizeof takes[0] == ADMISSION_STEPS,
	       "a new step of admission has to be taken here");

static bool take(struct session *session, struct candidate *candidate, enum admission_step step)
{
	return takes[step] ? takes[step](session, candidate)
			   : heed(session, admission_judge(step, candidate));
}

static void begin(struct session *session);

/* Takes the remaining steps, up to the first that has to wait. */
static void go_on(struct session *session)
{
	struct candidate candidate = candidate_for(session->service, &session->peer, session->way);

	while (session->step < ADMISSION_STEPS) {
		enum admission_step step = session->step++;

		if (admission_applies(step, &candidate) && !take(session, &candidate, step))
			return; /* the session may be freed */
	}
	begin(session);
}

/* --- beginning --------------------------------------------------------------------------------- */

/* INTERCEPT: relays an admitted client to the socket of the server. */
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

/* Gives the server an IPv4 socket for an IPv4 client that came by an IPv6 socket, as
 * xinetd does. Some servers know no other family. */
static void show_as_ipv4(const struct session *session)
{
	static const int family = AF_INET;

	setsockopt(session->fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family);
}

static void begin(struct session *session)
{
	const struct handler *handler = handler_for(session->settings);

	/* A balancer that checks whether the sensor is there is not banned for it. */
	if ((session->settings->flags & FLAG_SENSOR) &&
	    !access_is_balancer(session->settings, &session->peer))
		sensors_touched(session->settings, &session->peer);
	if (handler == &launch_handler && socket_peer(session)->any.sa_family == AF_INET &&
	    !session->origin)
		show_as_ipv4(session);
	if (handler != &tcpmux_handler) /* it waits for the name of a service */
		pending_done(session);
	end_pending(session);
	session_enter(session, SESSION_STARTING);
	if (handler == &launch_handler)
		begin_launching(session);
	if (intercepts_streams(session->settings) && !session->origin)
		relay_to_server(session);
	else
		handler->start(session);
}

/* --- the four ways ------------------------------------------------------------------------------- */

/* A wait server has its listener's socket until it ends. */
static void resume_server(struct session *session, const struct program_message *program)
{
	struct endpoint endpoint = { program->socket, program->v6only };
	struct listener *listener = listening_find(session->service, &endpoint, program->is_inner);

	if (!listener || listener->server)
		return;
	session->origin = listener;
	listener->server = session;
	listener->was_lent = true;
	listener_set_polled(listener, false);
}

void connection_resume(struct service *service, const struct program_message *program, int errors)
{
	bool is_server = address_is_known(&program->socket);
	struct session *session =
		receive(service, -1, &program->peer, is_server ? WAY_SERVER : WAY_CONNECTION);

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
	if (is_server)
		resume_server(session, program);
	count(session);
	pending_done(session);
	end_pending(session);
	session_enter(session, SESSION_STARTING);
	if (program->pid > 0 && program->is_news)
		handler_begin(session);
	else if (program->pid > 0)
		session_enter(session, SESSION_SERVING);
	session->has_begun = program->pid > 0;
	if (program->pid > 0)
		keep_descriptors_of_program(session);
}

void connection_accepted(struct service *service, int fd, const struct address *peer)
{
	bool is_balancer = access_is_balancer(service->settings, peer);
	struct session *session =
		receive_of(service, fd, peer, is_balancer ? NULL : peer, WAY_CONNECTION);

	if (!session)
		return;
	if (is_balancer) {
		session->proxy = *peer;
		session->peer = (struct address){ .length = 0 };
	}
	go_on(session);
}

void connection_multiplexed(struct service *service, struct session *from)
{
	struct session *session =
		receive(service, session_take_fd(from), &from->peer, WAY_MULTIPLEXED);

	if (!session)
		return;
	session->proxy = from->proxy;
	session->facts = from->facts;
	from->facts = NULL;
	if (address_is_known(&session->proxy))
		session->local = from->local;
	go_on(session);
}

void connection_wants_server(struct listener *listener, const struct address *peer)
{
	int fd = fcntl(listener->watch.fd, F_DUPFD_CLOEXEC, 0);
	struct session *session;

	if (fd < 0) {
		listener_pause(listener, 1000);
		return;
	}
	session = receive(listener->service, fd, peer, WAY_SERVER);
	if (!session) {
		dismiss_one(listener);
		return;
	}
	session->origin = listener;
	listener->server = session;
	listener->was_lent = true;
	wait_delay_begin(&listener->delay, listener->watch.fd);
	listener_set_polled(listener, false);
	if (listener->is_inner) /* each client was admitted before it was relayed */
		begin(session);
	else
		go_on(session);
}
