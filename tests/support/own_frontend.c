#include "support/own_frontend.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/region.h"
#include "base/sink.h"
#include "monitor/configuration.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"
#include "monitor/launcher.h"
#include "monitor/reload.h"
#include "monitor/requests.h"
#include "monitor/session_messages.h"
#include "monitor/start_program.h"
#include "support/configuration.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"
#include "support/raw_message.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURN_MS = 20, DESCRIPTORS_HERE_MAX = 1024 };

struct monitor_options own_frontend_options;

static int channel = -1; /* the frontend's end */

/* What came last, which may be several messages. */
static struct {
	unsigned char bytes[32 * sizeof(struct message)];
	size_t size, at;
	unsigned count; /* of descriptors */
} packet;
static unsigned frontends;
static uint64_t next_session;
static uint64_t news; /* messages about programs that this frontend has received */
static uint32_t generation;

/* --- a process that does nothing --------------------------------------------------------- */

/* It ends with the test, which may be over already. */
static void do_nothing(pid_t test)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 0; fd < DESCRIPTORS_HERE_MAX; fd++)
		close(fd);
	while (getppid() == test)
		pause();
	_exit(0);
}

static pid_t spawn(int end)
{
	pid_t test = getpid(), pid = fork();

	if (pid == 0)
		do_nothing(test);
	ck_assert_int_gt(pid, 0);
	own_frontend_close();
	channel = fcntl(end, F_DUPFD_CLOEXEC, 0);
	packet.size = packet.at = 0;
	ck_assert_int_ge(channel, 0);
	frontends++;
	return pid;
}

void own_frontend_kill(void)
{
	ck_assert_int_eq(kill(frontend_process_pid(), SIGKILL), 0);
	own_frontend_close();
}

void own_frontend_close(void)
{
	if (channel >= 0)
		close(channel);
	channel = -1;
}

void own_frontend_reap(void)
{
	const struct program_usage usage = { .cpu_us = 1, .max_rss = 2 };
	siginfo_t ended = { .si_pid = 0 };

	while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
		session_messages_child_ended(ended.si_pid,
					     ended.si_code == CLD_EXITED ? ended.si_status << 8
									 : ended.si_status,
					     &usage);
		waitpid(ended.si_pid, NULL, WNOHANG);
		ended.si_pid = 0;
	}
}

void own_frontend_wait_next(void)
{
	unsigned before = frontends;

	wait_until(({
		own_frontend_reap();
		loop_turn(TURN_MS);
		frontends > before;
	}));
}

/* --- messages ------------------------------------------------------------------------------ */

void own_frontend_say_raw(const void *bytes, size_t size, const int descriptors[], unsigned count)
{
	while (raw_message_send(channel, bytes, size, descriptors, count) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return; /* the monitor has closed its end */
		ck_assert_int_eq(errno, EAGAIN);
		loop_turn(TURN_MS);
	}
}

void own_frontend_say(const struct message *message, const int descriptors[], unsigned count)
{
	own_frontend_say_raw(message, message_shape(message->kind)->size, descriptors, count);
}

/* Closes the descriptors that come. */
static bool receive(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(32 * sizeof(int))];
	} control;
	struct iovec vector = { packet.bytes, sizeof packet.bytes };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control };
	ssize_t size = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int descriptors[32];

	if (size <= 0)
		return false;
	packet.size = (size_t)size;
	packet.at = packet.count = 0;
	if (header.msg_controllen > 0) {
		packet.count = (unsigned)((control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(descriptors, CMSG_DATA(&control.header), packet.count * sizeof(int));
	}
	for (unsigned i = 0; i < packet.count; i++)
		close(descriptors[i]);
	return true;
}

static bool is_news(enum message_kind kind)
{
	return kind == MESSAGE_STARTED || kind == MESSAGE_SESSION || kind == MESSAGE_ENDED;
}

static bool hear(struct message *message, unsigned *count)
{
	const struct message_shape *shape;

	if (packet.at == packet.size && !receive())
		return false;
	memcpy(&message->kind, packet.bytes + packet.at, sizeof message->kind);
	shape = message_shape(message->kind);
	memcpy(message, packet.bytes + packet.at, shape->size);
	*count = shape->size == packet.size ? packet.count : shape->descriptors_min;
	packet.at += shape->size;
	if (message->kind == MESSAGE_START) {
		next_session = message->start.first_session;
		news = 0;
	}
	news += is_news(message->kind);
	if (message->kind == MESSAGE_GENERATION)
		generation = message->generation.generation;
	return true;
}

struct message own_frontend_hear_any(unsigned *count)
{
	struct message message = { .kind = MESSAGE_KINDS };
	unsigned ignored;

	wait_until(hear(&message, count ? count : &ignored) || ({
			   own_frontend_reap();
			   loop_turn(TURN_MS);
			   false;
		   }));
	return message;
}

struct message own_frontend_hear(enum message_kind kind, unsigned *count)
{
	struct message message = own_frontend_hear_any(count);

	ck_assert_uint_eq(message.kind, kind);
	return message;
}

/* The unread bytes in the channel; none when it is closed. */
static int unread(void)
{
	int bytes = 0;

	ck_assert_int_eq(ioctl(channel, SIOCOUTQ, &bytes), 0);
	return bytes;
}

void own_frontend_wait_read(void)
{
	wait_until(({
		loop_turn(0);
		unread() == 0;
	}));
}

void own_frontend_say_logged(void)
{
	own_frontend_say(&(struct message){ .kind = MESSAGE_LOGGED, .logged = { .count = news } },
			 NULL, 0);
}

unsigned own_frontend_drain(void)
{
	struct message message;
	unsigned heard = 0, count;

	own_frontend_wait_read();
	while (hear(&message, &count))
		heard++;
	return heard;
}

bool own_frontend_is_heard(void)
{
	struct pollfd there = { .fd = channel, .events = POLLOUT };

	return poll(&there, 1, 0) >= 0 && !(there.revents & (POLLHUP | POLLERR));
}

int own_frontend_channel(void)
{
	return fcntl(channel, F_DUPFD_CLOEXEC, 0);
}

uint64_t own_frontend_session(void)
{
	return next_session++;
}

uint32_t own_frontend_generation(void)
{
	return generation;
}

/* --- beginning and end ----------------------------------------------------------------------- */

void own_frontend_keep_descriptors(void)
{
	int null;

	do
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (null >= 0 && null < program_slots_end());
}

static void on_started(uint32_t bound, uint32_t wanted)
{
	(void)bound;
	(void)wanted;
}

__attribute__((format(printf, 1, 0))) static void write_configuration(const char *format,
								      va_list values)
{
	place_write("usherd.conf", "daemon\n{\ncontrol_socket = none\n}\n%s",
		    textv(format, values));
}

void own_frontend_begin(const char *format, ...)
{
	static const struct launcher_events *const events = &session_messages_launcher_events;
	va_list values;

	configuration_make();
	load_options.trusted = config_owner(load_options.config);
	load_options.advise = false;
	va_start(values, format);
	write_configuration(format, values);
	va_end(values);
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(launcher_init(events), 0);
	ck_assert_int_eq(regions_reserve(NULL), 0);
	ck_assert_int_eq(log_to_file(place_path("monitor.log")), 0);
	ck_assert_int_eq(descriptors_init(), 0);
	signal(SIGPIPE, SIG_IGN);
	own_frontend_options.load = &load_options;
	own_frontend_options.log = MESSAGE_LOG_SYSLOG;
	own_frontend_options.stays_alive = true;
	configuration_init(&load_options, LOG_FORMAT_XINETD, NULL);
	ck_assert_msg(configuration_read(), "%s", own_frontend_log());
	ck_assert_int_eq(frontend_user_init(configuration_daemon(), configuration_next()), 0);
	frontend_process_start_by(spawn);
	frontend_process_ping_every(3600000); /* it does not answer */
	ck_assert_int_eq(requests_start(&own_frontend_options, on_started), 0);
}

static void kill_program(struct child *child)
{
	child_end(child, true, END_STOP);
}

void own_frontend_finish(void)
{
	children_each(kill_program);
	frontend_process_kill();
	place_remove();
}

void own_frontend_get_ready(void)
{
	own_frontend_hear(MESSAGE_START, NULL);
	own_frontend_say(&(struct message){ .kind = MESSAGE_READY }, NULL, 0);
	own_frontend_hear(MESSAGE_GENERATION, NULL);
	own_frontend_hear(MESSAGE_ADOPT, NULL);
}

void own_frontend_adopt(void)
{
	const struct message adopted = { .kind = MESSAGE_ADOPTED,
					 .generation = { .generation = generation } };

	own_frontend_say(&adopted, NULL, 0);
	own_frontend_hear(MESSAGE_LOADED, NULL);
}

void own_frontend_reload(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	write_configuration(format, values);
	va_end(values);
	reload_begin();
	own_frontend_hear(MESSAGE_GENERATION, NULL);
	own_frontend_hear(MESSAGE_ADOPT, NULL);
}

const char *own_frontend_log(void)
{
	sink_flush_all();
	return place_read("monitor.log");
}

unsigned own_descriptors(void)
{
	return process_descriptors(getpid());
}
