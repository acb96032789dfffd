/* status_page: shows what usherd says of itself to a browser. usherd starts it for each
 * connection, which is its standard input and output; see status_page(8). */
#include "base/clock.h"
#include "config/control_client.h"
#include "config/control_socket.h"
#include "status_page/page.h"
#include "status_page/reply.h"
#include "status_page/request.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	REQUEST_S = 10, /* until the whole request has come, unless set */
	REQUEST_S_MAX = 30,
	ANSWER_MS = 10000, /* until the whole answer of the daemon has come */
	LIFETIME_S = 60,   /* then SIGALRM ends it: the client does not take its answer */
	HOSTS_MAX = 16,
	REASON_SIZE = 512,
};

enum { NO_REQUEST = -1, TIMED_OUT = 408, NOT_FOUND = 404, OTHER_HOST = 421, UNAVAILABLE = 503 };

struct options {
	const char *socket; /* NULL: the default */
	unsigned timeout;   /* of the request, in seconds */
	const char *hosts[HOSTS_MAX + 1];
	unsigned host_count;
};

/* --- the command line ----------------------------------------------------------------------- */

static bool take_socket(struct options *options, const char *value)
{
	options->socket = value;
	return value[0] == '/';
}

/* Without a port and a dot at the end: a request is compared without them. */
static bool is_name(const char *value)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-_.";
	size_t length = strlen(value);

	return length > 0 && strspn(value, characters) == length && value[length - 1] != '.';
}

static bool take_host(struct options *options, const char *value)
{
	if (options->host_count == HOSTS_MAX)
		return false;
	options->hosts[options->host_count++] = value;
	return is_name(value);
}

static bool take_timeout(struct options *options, const char *value)
{
	uint64_t seconds;

	if (!span_number((struct span){ value, value + strlen(value) }, REQUEST_S_MAX, &seconds))
		return false;
	options->timeout = (unsigned)seconds;
	return seconds > 0;
}

static bool take_option(struct options *options, const char *name, const char *value)
{
	static const struct {
		const char *name;
		bool (*take)(struct options *options, const char *value);
	} known[] = {
		{ "-socket", take_socket },
		{ "-host", take_host },
		{ "-timeout", take_timeout },
	};

	for (size_t i = 0; value && i < sizeof known / sizeof known[0]; i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].take(options, value);
	return false;
}

/* False, reported, when they are not understood. */
static bool read_options(struct options *options, char **argv)
{
	for (argv++; *argv; argv += 2)
		if (!take_option(options, argv[0], argv[1])) {
			fprintf(stderr,
				"status_page: %s %s is not understood; see status_page(8)\n",
				argv[0], argv[1] ? argv[1] : "");
			return false;
		}
	return true;
}

/* --- the request ---------------------------------------------------------------------------- */

static int left_until(uint64_t due)
{
	uint64_t now = clock_read();

	return now < due ? (int)(due - now) : 0;
}

/* Returns what request_read does, TIMED_OUT, or NO_REQUEST when nobody asks. */
static int read_request(unsigned seconds, char bytes[static REQUEST_MAX], struct request *request)
{
	uint64_t due = clock_read() + (uint64_t)seconds * 1000;
	size_t length = 0;
	int status;

	do {
		struct pollfd there = { .fd = STDIN_FILENO, .events = POLLIN };
		ssize_t got;

		if (poll(&there, 1, left_until(due)) <= 0)
			return TIMED_OUT;
		got = read(STDIN_FILENO, bytes + length, REQUEST_MAX - length);
		if (got <= 0)
			return NO_REQUEST;
		length += (size_t)got;
		status = request_read(bytes, length, request);
	} while (status == REQUEST_INCOMPLETE);
	return status;
}

/* --- what the daemon says ------------------------------------------------------------------- */

/* Says why the daemon's answer is not there. */
static struct reply unavailable(char text[static REASON_SIZE], const char *socket, const char *why)
{
	struct reply reply = reply_refusal(UNAVAILABLE);
	int length = snprintf(text, REASON_SIZE, "control socket %.300s: %.*s\n", socket,
			      (int)strcspn(why, "\n"), why);

	reply.body = text;
	reply.length = length < REASON_SIZE ? (size_t)length : REASON_SIZE - 1;
	return reply;
}

/* What may be asked for, and how the answer begins; any other one is a refusal. */
struct question {
	const char *path, *request, *type;
	char first;
};

static const struct question questions[] = {
	{ "/status.json", "status json\n", "application/json", '{' },
	{ "/metrics", "status prometheus\n", "text/plain; version=0.0.4; charset=utf-8", '#' },
};

static const char *ask(int fd, const struct question *question, struct control_answer *answer)
{
	if (control_client_send(fd, question->request, strlen(question->request)) < 0)
		return strerror(errno);
	if (control_client_receive(fd, ANSWER_MS, answer) < 0)
		return "the daemon has not answered";
	return answer->text[0] == question->first ? NULL : answer->text;
}

static int reply_from_daemon(const struct options *options, const struct question *question,
			     bool is_head)
{
	const char *path = options->socket, *fault;
	int fd = path ? control_client_connect(path) : control_client_connect_default(&path);
	struct reply reply = { .status = REQUEST_FINE, .type = question->type };
	struct control_answer answer = { 0 };
	char text[REASON_SIZE];
	int result;

	fault = fd < 0 ? control_client_fault(errno) : ask(fd, question, &answer);
	if (fd >= 0)
		close(fd);
	reply.body = answer.text;
	reply.length = answer.length;
	if (fault)
		reply = unavailable(text, path, fault);
	result = reply_write(STDOUT_FILENO, &reply, is_head);
	free(answer.bytes);
	return result;
}

/* --- the answer ----------------------------------------------------------------------------- */

static int reply_with_page(bool is_head)
{
	struct reply page = { .status = REQUEST_FINE,
			      .type = "text/html; charset=utf-8",
			      .policy = page_policy,
			      .body = page_html,
			      .length = page_html_length };

	return reply_write(STDOUT_FILENO, &page, is_head);
}

static int refuse(int status, bool is_head)
{
	struct reply refusal = reply_refusal(status);

	return reply_write(STDOUT_FILENO, &refusal, is_head);
}

static bool asks_for(const struct request *request, const char *path)
{
	return span_length(request->target) == strlen(path) &&
	       memcmp(request->target.start, path, strlen(path)) == 0;
}

static int answer(const struct options *options, const struct request *request)
{
	if (!request_host_is_allowed(request->host, options->hosts))
		return refuse(OTHER_HOST, request->is_head);
	if (asks_for(request, "/"))
		return reply_with_page(request->is_head);
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
		if (asks_for(request, questions[i].path))
			return reply_from_daemon(options, &questions[i], request->is_head);
	return refuse(NOT_FOUND, request->is_head);
}

int main(int argc, char **argv)
{
	struct options options = { .timeout = REQUEST_S };
	struct request request = { 0 };
	char bytes[REQUEST_MAX];
	int status, result = 0;

	if (argc < 1 || !read_options(&options, argv))
		return EXIT_FAILURE;
	alarm(LIFETIME_S);
	signal(SIGPIPE, SIG_IGN);
	status = read_request(options.timeout, bytes, &request);
	if (status == REQUEST_FINE)
		result = answer(&options, &request);
	else if (status != NO_REQUEST)
		result = refuse(status, request.is_head);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
