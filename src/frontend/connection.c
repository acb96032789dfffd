#include "frontend/connection.h"

#include "base/log.h"
#include "frontend/candidates.h"
#include "frontend/holdings.h"
#include "frontend/intercept.h"
#include "frontend/lending.h"
#include "frontend/listening.h"
#include "frontend/pending.h"
#include "frontend/proxied.h"
#include "frontend/proving.h"
#include "frontend/refusing.h"
#include "frontend/sensors.h"
#include "handlers/launch.h"
#include "handlers/redirect.h"
#include "session/identify.h"
#include "session/record.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

static void go_on(struct session *session);

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
		refusing_begin(session, verdict);
}

static bool take_proxied(struct session *session, struct candidate *candidate)
{
	struct judgement judgement = { .verdict = access_without_balancer(candidate->settings) };

	if (!address_is_known(&session->proxy))
		return refusing_heed(session, judgement);
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
	if (refusing_heed(session, admission_judge(STEP_ADDRESS, &candidate)))
		go_on(session);
}

static bool take_address(struct session *session, struct candidate *candidate)
{
	struct judgement judgement = admission_judge(STEP_ADDRESS, candidate);

	if (!judgement.needs_names)
		return refusing_heed(session, judgement);
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
		if (!judgement.needs_names && !refusing_heed(session, judgement))
			return false;
	}
	return true;
}

static void on_proof_accepted(struct session *session)
{
	if (is_still_welcome(session))
		go_on(session);
}

static void refuse_unproved(struct session *session)
{
	refusing_begin(session, REFUSED_PROOF);
}

static void refuse_crowded(struct session *session)
{
	refusing_begin(session, REFUSED_PENDING);
}

static void on_proof(struct session *session, enum proof proof)
{
	pending_step *next = proof == PROOF_RIGHT  ? on_proof_accepted
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
		refusing_begin(session, REFUSED_PENDING);
	} else if (proving_prompt(session, prompt) < 0) {
		refusing_begin(session, REFUSED_MEMORY);
	} else {
		session->was_puzzled = true;
		pending_send_copy(session, prompt, read_proof);
	}
	return false;
}

static bool take_counted(struct session *session, struct candidate *candidate)
{
	(void)candidate;
	holdings_count(session);
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
	refusing_begin(session, REFUSED_LIBWRAP);
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
	refusing_finish(session);
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

/* --- the walk --------------------------------------------------------------------------------- */

/* How each step is taken; NULL: it is judged at once. */
#define TAKES(ROW) \
	ROW(STEP_PROXIED, take_proxied) \
	ROW(STEP_BANNER, take_banner) \
	ROW(STEP_ADDRESS, take_address) \
	ROW(STEP_SOURCE_RATE, NULL) \
	ROW(STEP_RATE, NULL) \
	ROW(STEP_LOAD, NULL) \
	ROW(STEP_TIME, NULL) \
	ROW(STEP_PROOF, take_proof) \
	ROW(STEP_INSTANCES, NULL) \
	ROW(STEP_PER_SOURCE, NULL) \
	ROW(STEP_PROCESSES, NULL) \
	ROW(STEP_COUNTED, take_counted) \
	ROW(STEP_LIBWRAP, take_libwrap) \
	ROW(STEP_IDENTITY, take_identity) \
	ROW(STEP_WELCOME, take_welcome)

STEPS_CHECK(TAKES);

static bool (*const takes[])(struct session *session, struct candidate *candidate) = {
#define TAKE_ROW(step, take) [step] = (take),
	TAKES(TAKE_ROW)
};

static bool take(struct session *session, struct candidate *candidate, enum admission_step step)
{
	return takes[step] ? takes[step](session, candidate)
			   : refusing_heed(session, admission_judge(step, candidate));
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

/* --- beginning -------------------------------------------------------------------------------- */

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
	holdings_end_pending(session);
	session_enter(session, SESSION_STARTING);
	if (handler == &launch_handler)
		holdings_begin_launch(session);
	if (intercepts_streams(session->settings) && !session->origin)
		relay_to_server(session);
	else
		handler->start(session);
}

/* --- the four ways ---------------------------------------------------------------------------- */

/* A wait server has its listener's socket until it ends. */
static void resume_server(struct session *session, const struct program_message *program)
{
	struct endpoint endpoint = { program->socket, program->v6only };
	struct listener *listener = listening_find(session->service, &endpoint, program->is_inner);

	if (!listener || listener->server)
		return;
	lending_begin(listener, session);
}

void connection_resume(struct service *service, const struct program_message *program, int errors)
{
	bool is_server = address_is_known(&program->socket);
	struct session *session =
		holdings_resume(service, &program->peer, is_server ? WAY_SERVER : WAY_CONNECTION,
				errors >= 0);

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
	holdings_count(session);
	pending_done(session);
	holdings_end_pending(session);
	session_enter(session, SESSION_STARTING);
	if (program->pid > 0 && program->is_news)
		handler_begin(session);
	else if (program->pid > 0)
		session_enter(session, SESSION_SERVING);
	session->has_begun = program->pid > 0;
	if (program->pid > 0)
		holdings_keep_program(session);
}

void connection_accepted(struct service *service, int fd, const struct address *peer)
{
	bool is_balancer = access_is_balancer(service->settings, peer);
	struct session *session =
		holdings_open(service, fd, peer, is_balancer ? NULL : peer, WAY_CONNECTION);

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
	struct session *session = holdings_open(service, session_take_fd(from), &from->peer,
						&from->peer, WAY_MULTIPLEXED);

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
	session = holdings_open(listener->service, fd, peer, peer, WAY_SERVER);
	if (!session) {
		lending_dismiss_one(listener);
		return;
	}
	wait_delay_begin(&listener->delay, listener->watch.fd);
	lending_begin(listener, session);
	if (listener->is_inner) /* each client was admitted before it was relayed */
		begin(session);
	else
		go_on(session);
}
