#include "frontend/commands.h"

#include "config/control_socket.h"
#include "frontend/ask.h"
#include "frontend/facts.h"
#include "frontend/last_load.h"
#include "frontend/sensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 3 };

/* A request: the command, its words, and where its answer goes. */
struct request {
	const char *words[WORDS_MAX]; /* NULL: it is not there */
	FILE *out;
	struct command_rest *rest;
};

/* --- the status ----------------------------------------------------------------------------- */

static int run_status(struct request *request)
{
	static const struct {
		const char *name;
		enum status_form form;
	} forms[] = {
		{ "table", STATUS_TABLE },
		{ "json", STATUS_JSON },
		{ "prometheus", STATUS_METRICS },
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (strcmp(request->words[1], forms[i].name) == 0) {
			request->rest->form = forms[i].form;
			return COMMAND_IS_STATUS;
		}
	fprintf(request->out, "the status has no form %s\n", request->words[1]);
	return CONTROL_FAILED;
}

int commands_status(void)
{
	return facts_all_up() ? CONTROL_FINE : CONTROL_FAILED;
}

/* --- the configuration ---------------------------------------------------------------------- */

static int run_reload(struct request *request)
{
	request->rest->ticket = ask_reload();
	return COMMAND_WAITS;
}

/* The sockets that services could not get. Returns how many. */
static unsigned write_unbound(FILE *out)
{
	const struct service *service;
	const struct listener *listener;
	char text[ADDRESS_TEXT_SIZE];
	unsigned count = 0;

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link) {
			if (listener_is_open(listener) || !listener->error)
				continue;
			fprintf(out, "%s:%d: error: service %s: %s port %u can't be bound: %s\n",
				service->settings->file, service->settings->line,
				service->settings->id,
				address_text(&listener->endpoint.address, text),
				address_port(&listener->endpoint.address),
				strerror(listener->error));
			count++;
		}
	return count;
}

int commands_answer_reload(FILE *out)
{
	const struct reload_message *load = last_load();
	unsigned unbound;

	fputs(last_load_text(), out);
	unbound = write_unbound(out);
	if (!load->is_loaded) {
		fputs("the configuration is refused as a whole; the old one stays in force\n", out);
		return CONTROL_FAILED;
	}
	fprintf(out, "new=%u old=%u dropped=%u (services), %u changed", load->added, load->kept,
		load->removed, load->changed);
	if (load->broken > 0)
		fprintf(out, ", %u keep their running version", load->broken);
	if (load->left_out > 0)
		fprintf(out, ", %u not started", load->left_out);
	putc('\n', out);
	return last_load_is_fine() && unbound == 0 ? CONTROL_FINE : CONTROL_FAILED;
}

/* --- services ------------------------------------------------------------------------------- */

static bool is_called(const struct service *service, const char *name)
{
	return !service->is_draining && (strcasecmp(service->settings->id, name) == 0 ||
					 strcasecmp(service->settings->name, name) == 0);
}

static int no_service(const struct request *request)
{
	fprintf(request->out, "there is no service %s\n", request->words[1]);
	return CONTROL_FAILED;
}

/* 0: it is no number of seconds that a pause may have. */
static unsigned long pause_seconds(const char *word)
{
	char *end;
	unsigned long seconds;

	if (!word)
		return PAUSE_DEFAULT;
	errno = 0;
	seconds = strtoul(word, &end, 10);
	return *word >= '0' && *word <= '9' && !*end && errno == 0 && seconds <= PAUSE_MAX ? seconds
											   : 0;
}

static int run_pause(struct request *request)
{
	unsigned long seconds = pause_seconds(request->words[2]);
	struct service *service;
	unsigned count = 0;

	if (seconds == 0) {
		fprintf(request->out, "a pause has 1 to %d seconds\n", PAUSE_MAX);
		return CONTROL_FAILED;
	}
	TAILQ_FOREACH(service, &services, link)
		if (is_called(service, request->words[1])) {
			service_pause(service, seconds * 1000);
			fprintf(request->out, "%s is paused for at most %lu seconds\n",
				service->settings->id, seconds);
			count++;
		}
	return count > 0 ? CONTROL_FINE : no_service(request);
}

static int run_resume(struct request *request)
{
	struct service *service;
	unsigned count = 0;

	TAILQ_FOREACH(service, &services, link)
		if (is_called(service, request->words[1])) {
			fprintf(request->out,
				service_resume(service) ? "%s is resumed\n" : "%s was not paused\n",
				service->settings->id);
			count++;
		}
	return count > 0 ? CONTROL_FINE : no_service(request);
}

/* --- sessions and bans ---------------------------------------------------------------------- */

static struct session *find_session(const char *name)
{
	const struct service *service;
	struct session *session;
	char label[SESSION_LABEL_SIZE];

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(session, &service->sessions, link)
			if (strcmp(session_label(session, label), name) == 0)
				return session;
	return NULL;
}

/* One that is refused, or whose connection is only being closed, needs no program's end. */
static int run_end(struct request *request)
{
	struct session *session = find_session(request->words[1]);

	if (!session) {
		fprintf(request->out, "there is no session %s\n", request->words[1]);
		return CONTROL_FAILED;
	}
	fprintf(request->out, "session %s of %s is being ended\n", request->words[1],
		session->settings->id);
	session_end(session, END_ASKED);
	return CONTROL_FINE;
}

static int run_unban(struct request *request)
{
	struct address address;

	if (address_parse(&address, request->words[1], 0) < 0) {
		fprintf(request->out, "%s is no address\n", request->words[1]);
		return CONTROL_FAILED;
	}
	if (!sensors_forgive(&address)) {
		fprintf(request->out, "%s is not banned\n", request->words[1]);
		return CONTROL_FAILED;
	}
	fprintf(request->out, "%s is not banned any more\n", request->words[1]);
	return CONTROL_FINE;
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct command {
	const char *name;
	unsigned least, most; /* words after the name */
	int (*run)(struct request *request);
	bool only_asks; /* it changes nothing */
} table[] = {
	{ "status", 1, 1, run_status, true }, { "reload", 0, 0, run_reload, false },
	{ "pause", 1, 2, run_pause, false },  { "resume", 1, 1, run_resume, false },
	{ "end", 1, 1, run_end, false },      { "unban", 1, 1, run_unban, false },
};

/* How many there are; more than WORDS_MAX are not kept. */
static unsigned split(char *line, const char *words[static WORDS_MAX])
{
	unsigned count = 0;
	char *word, *rest = line;

	while ((word = strsep(&rest, " ")))
		if (*word && count++ < WORDS_MAX)
			words[count - 1] = word;
	return count;
}

static int refuse(const struct request *request)
{
	fputs("you may ask this daemon for its status, and no more\n", request->out);
	return CONTROL_FAILED;
}

int commands_run(char *line, bool asks_only, FILE *out, struct command_rest *rest)
{
	struct request request = { .out = out, .rest = rest };
	unsigned count = split(line, request.words);

	for (size_t i = 0; count > 0 && i < sizeof table / sizeof table[0]; i++) {
		if (strcmp(request.words[0], table[i].name) != 0)
			continue;
		if (count - 1 < table[i].least || count - 1 > table[i].most)
			break;
		return asks_only && !table[i].only_asks ? refuse(&request) : table[i].run(&request);
	}
	fputs("the request is not understood: the programs have different versions\n", out);
	return CONTROL_FAILED;
}
