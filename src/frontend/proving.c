#include "frontend/proving.h"

#include "admission/proofs.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/worker.h"
#include "frontend/service.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	CHECKERS = 2,      /* threads: a service that keeps one busy does not stop the others */
	CHECKS_MAX = 4096, /* solutions, those that wait included */
	PIECE = 4096,      /* steps, about a millisecond */
	NICENESS = 10,     /* the loop comes first */
};

/* A solution on its way; in session->handler_data. */
struct proving {
	struct job job;
	struct session *session; /* NULL: it is closed, and a thread still checks */
	proving_step *next;
	unsigned difficulty; /* of the puzzle; a reload may change that of the service */
	char line[SOLUTION_LINE_MAX];
	size_t length;
	struct sloth_number number; /* the solution, then the puzzle */
	bool is_checked;            /* the pool has the job */
	atomic_bool is_cancelled;
};

static struct worker_pool *checkers;

/* --- the service's proofs ---------------------------------------------------------------- */

static struct proofs *proofs_of(struct service *service)
{
	if (!service->proofs)
		service->proofs = proofs_new();
	return service->proofs;
}

static struct puzzle_terms terms_of(const struct session *session, unsigned difficulty)
{
	return (struct puzzle_terms){ .client = &session->peer, .difficulty = difficulty };
}

bool proving_is_remembered(const struct session *session)
{
	return session->settings->admission->proof_of_work_time > 0 && session->service->proofs &&
	       proofs_remembers(session->service->proofs, &session->peer,
				session->settings->source_prefix, clock_now());
}

bool proving_has_room(const struct session *session)
{
	struct service *service = session->service;
	unsigned pending = quota_pending_of(&service->quota, session->settings, &session->peer);

	return share_allows(descriptors_shares(), &service->descriptors,
			    pending * service_descriptors_per_session(service));
}

int proving_prompt(const struct session *session, char prompt[static PUZZLE_PROMPT_SIZE])
{
	struct proofs *proofs = proofs_of(session->service);
	struct puzzle_terms terms = terms_of(session, session->settings->admission->proof_of_work);
	char text[PUZZLE_TEXT_SIZE];

	if (!proofs)
		return -1;
	puzzle_prompt(proofs_puzzle(proofs, &terms, clock_now(), text), prompt);
	return 0;
}

static void remember(const struct session *session)
{
	const struct service_settings *settings = session->settings;
	uint64_t now = clock_now(), time = 1000 * (uint64_t)settings->admission->proof_of_work_time;

	if (time > 0)
		proofs_remember(session->service->proofs, &session->peer, settings->source_prefix,
				now, now + time);
}

/* --- the end of the wait ------------------------------------------------------------------- */

/* A job that a thread has is freed when it is done. */
static void stop_proving(struct session *session)
{
	struct proving *proving = session->handler_data;

	session->handler_data = NULL;
	session->stop = NULL;
	proving->session = NULL;
	if (!proving->is_checked || worker_cancel(checkers, &proving->job))
		free(proving);
	else
		atomic_store(&proving->is_cancelled, true);
}

static void finish(struct session *session, enum proof proof)
{
	const struct proving *proving = session->handler_data;
	proving_step *next = proving->next;

	watch_stop(&session->watch);
	timer_stop(&session->deadline);
	stop_proving(session);
	next(session, proof);
}

static void on_deadline(struct timer *timer)
{
	finish(container_of(timer, struct session, deadline), PROOF_NONE);
}

/* --- checking ------------------------------------------------------------------------------- */

/* On Linux the niceness is the thread's. */
static void step_back(void)
{
	static _Thread_local bool is_nice;

	if (!is_nice)
		setpriority(PRIO_PROCESS, 0, NICENESS);
	is_nice = true;
}

static void run_check(struct job *job)
{
	struct proving *proving = container_of(job, struct proving, job);
	unsigned left = proving->difficulty;

	step_back();
	while (left > 0 && !atomic_load(&proving->is_cancelled)) {
		unsigned steps = left < PIECE ? left : PIECE;

		sloth_undo(&proving->number, steps);
		left -= steps;
	}
}

static enum proof redeem(const struct session *session, const struct proving *proving)
{
	struct puzzle_terms terms = terms_of(session, proving->difficulty);

	return proofs_redeem(session->service->proofs, &terms, session->settings->source_prefix,
			     &proving->number, clock_now());
}

static void on_checked(struct job *job)
{
	struct proving *proving = container_of(job, struct proving, job);
	struct session *session = proving->session;
	enum proof proof;

	proving->is_checked = false;
	if (!session) {
		free(proving);
		return;
	}
	proof = redeem(session, proving);
	if (proof == PROOF_RIGHT)
		remember(session);
	finish(session, proof);
}

/* One solution under way for a service, and so for a source. */
static int open_checkers(void)
{
	static const unsigned most[] = { CHECKERS, 1, 1 };

	if (checkers)
		return 0;
	checkers = worker_pool_new_shared(1, CHECKERS, 2, most);
	if (!checkers)
		return -1;
	worker_pool_set_room(checkers, CHECKS_MAX);
	return 0;
}

static void check(struct session *session)
{
	struct proving *proving = session->handler_data;
	struct turn_owner owner = service_turn_owner(session->service);
	const struct turn_key keys[] = {
		turn_key_number(owner.service),
		turn_key_source(&session->peer, owner.lengths),
	};

	watch_stop(&session->watch);
	if (!puzzle_read_solution(proving->line, proving->length, &proving->number)) {
		finish(session, PROOF_WRONG);
		return;
	}
	proving->job = (struct job){ .run = run_check, .done = on_checked };
	if (open_checkers() < 0 || worker_submit_for(checkers, &proving->job, keys) < 0)
		finish(session, PROOF_BUSY);
	else
		proving->is_checked = true;
}

/* --- reading -------------------------------------------------------------------------------- */

/* Looks at what has come, and takes the line's part only. If the line goes on, that is all of
 * it, so the loop does not wake again for the same bytes. */
static void receive(struct session *session)
{
	struct proving *proving = session->handler_data;
	char *start = proving->line + proving->length;
	size_t room = sizeof proving->line - proving->length;
	ssize_t length = recv(session->fd, start, room, MSG_PEEK | MSG_DONTWAIT);
	const char *newline;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	newline = length > 0 ? memchr(start, '\n', (size_t)length) : NULL;
	if (newline)
		length = newline + 1 - start;
	if (length <= 0 || recv(session->fd, start, (size_t)length, MSG_DONTWAIT) != length) {
		finish(session, PROOF_GONE);
		return;
	}
	proving->length += (size_t)length;
	if (newline)
		check(session);
	else if (proving->length == sizeof proving->line)
		finish(session, PROOF_WRONG);
}

static void on_readable(struct watch *watch, short events)
{
	(void)events;
	receive(container_of(watch, struct session, watch));
}

void proving_read(struct session *session, proving_step *next)
{
	struct proving *proving = calloc(1, sizeof *proving);

	if (!proving) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return;
	}
	atomic_init(&proving->is_cancelled, false);
	proving->session = session;
	proving->next = next;
	proving->difficulty = session->settings->admission->proof_of_work;
	session->handler_data = proving;
	session->stop = stop_proving;
	timer_init(&session->deadline, on_deadline);
	timer_start(&session->deadline, PROVING_DEADLINE_MS);
	watch_init(&session->watch, session->fd, on_readable);
	if (watch_start(&session->watch, LOOP_READ) < 0)
		finish(session, PROOF_BUSY);
}
