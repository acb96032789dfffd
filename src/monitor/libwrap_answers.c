#include "monitor/libwrap_answers.h"

#include "admission/libwrap.h"
#include "base/hash.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"

#include <stdlib.h>

/* A pending question. */
struct question {
	UT_hash_handle hh;
	uint64_t ticket;
	struct libwrap_query *query;
};

static struct question *questions;

void libwrap_answers_init(void)
{
	struct process_user user;

	if (frontend_user_choose(&user))
		libwrap_run_as(user.uid, user.gid);
}

static void answer(uint64_t ticket, bool allowed)
{
	struct message message = { .kind = MESSAGE_LIBWRAP,
				   .libwrap = { .ticket = ticket, .is_allowed = allowed } };

	frontend_process_send(&message, NULL, 0);
}

static void forget(struct question *question)
{
	HASH_DEL(questions, question);
	free(question);
}

static void on_answer(void *context, bool allowed)
{
	struct question *question = context;

	answer(question->ticket, allowed);
	forget(question);
}

static struct turn_owner owner_of(const struct service_settings *settings,
				  const struct libwrap_message *asked)
{
	return (struct turn_owner){
		.service = asked->service.service,
		.lengths = settings->source_prefix,
	};
}

static bool ask(struct question *question, const struct service_settings *settings,
		const struct libwrap_message *asked)
{
	struct turn_owner owner = owner_of(settings, asked);

	question->ticket = asked->ticket;
	question->query = libwrap_ask(&owner, service_libwrap_name(settings), &asked->peer,
				      &asked->local, on_answer, question);
	if (!question->query)
		return false;
	HASH_ADD(hh, questions, ticket, sizeof question->ticket, question);
	if (question->hh.tbl)
		return true;
	libwrap_cancel(question->query);
	return false;
}

void libwrap_answers_find(const struct service_settings *settings,
			  const struct libwrap_message *asked)
{
	struct question *question = calloc(1, sizeof *question);

	if (question && ask(question, settings, asked))
		return;
	free(question);
	answer(asked->ticket, false);
}

void libwrap_answers_forget(uint64_t ticket)
{
	struct question *question;

	HASH_FIND(hh, questions, &ticket, sizeof ticket, question);
	if (!question)
		return;
	libwrap_cancel(question->query);
	forget(question);
}

void libwrap_answers_forget_all(void)
{
	struct question *question, *next;

	HASH_ITER(hh, questions, question, next) {
		libwrap_cancel(question->query);
		forget(question);
	}
}
