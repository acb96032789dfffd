#include "support/stage.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/sink.h"
#include "support/client.h"
#include "support/place.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stage stage;

static struct sink *lines_sink;
static int lines[2], messages[2];
static int stderr_before;
static int served = -1; /* the session's end of the connection, until it begins */

static void take_start(struct session *session)
{
	ck_assert_ptr_eq(session, stage.session);
	stage.has_started = true;
}

static void take_failure(struct session *session, enum verdict verdict, const char *detail)
{
	ck_assert_ptr_eq(session, stage.session);
	(void)detail;
	stage.has_failed = true;
	stage.verdict = verdict;
}

static void take_end(struct session *session)
{
	ck_assert_ptr_eq(session, stage.session);
	stage.session = NULL;
}

static void take_service(struct session *session)
{
	ck_assert_ptr_eq(session, stage.session);
}

static const struct session_owner owner = {
	.started = take_start,
	.failed = take_failure,
	.served = take_service,
	.closed = take_end,
};

static void open_pipe(int ends[2])
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void capture_messages(void)
{
	open_pipe(messages);
	stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(dup2(messages[1], STDERR_FILENO), STDERR_FILENO);
	log_to_stderr();
}

void stage_set_up(void)
{
	place_make();
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(loop_init(), 0);
	open_pipe(lines);
	capture_messages();
	lines_sink = sink_open_descriptor(lines[1]);
	stage = (struct stage){ .settings = service_settings_new(), .client = -1 };
	ck_assert(lines_sink && stage.settings);
	stage.settings->name = stage.settings->id = textf("svc");
	stage.settings->socket_type = SOCK_STREAM;
	stage.settings->log_on_success = LOG_FLAG_PID | LOG_FLAG_EXIT | LOG_FLAG_TRAFFIC;
}

static void close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

void stage_tear_down(void)
{
	if (stage.session)
		session_close(stage.session);
	ck_assert_uint_eq(session_count(), 0);
	if (stage.client >= 0)
		close(stage.client);
	if (served >= 0)
		close(served);
	served = -1;
	service_settings_release(stage.settings);
	sink_release(lines_sink);
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	close_pipe(lines);
	close_pipe(messages);
	loop_free();
	place_remove();
}

void stage_connect(void)
{
	struct endpoint here = endpoint_of(NULL, 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	stage.client = client_connect(NULL, client_port(listener));
	served = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ge(served, 0);
	close(listener);
}

void stage_serve(const struct handler *handler)
{
	struct address peer;

	if (served < 0)
		stage_connect();
	ck_assert_int_eq(address_parse(&peer, "127.0.0.1", 1), 0);
	stage.session = session_open(stage.settings, lines_sink, served, &peer, &owner);
	ck_assert_ptr_nonnull(stage.session);
	served = -1;
	handler->start(stage.session);
}

static const char *read_all(int fd)
{
	static char bytes[65536];
	ssize_t length = read(fd, bytes, sizeof bytes - 1);

	bytes[length < 0 ? 0 : length] = '\0';
	return textf("%s", bytes);
}

const char *stage_lines(void)
{
	return read_all(lines[0]);
}

const char *stage_messages(void)
{
	return read_all(messages[0]);
}

void stage_turn(const struct deadline *deadline, const char *what)
{
	if (deadline_left(deadline) == 0)
		ck_abort_msg("waited in vain for %s", what);
	loop_turn(1);
}
