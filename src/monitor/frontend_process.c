#include "monitor/frontend_process.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "monitor/inherited_sockets.h"
#include "monitor/processes.h"
#include "monitor/service_manager.h"
#include "monitor/spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	const struct frontend_events *events;
	struct channel channel;
	pid_t pid;    /* 0: there is none */
	int prepared; /* the monitor's end of the channel to a process that waits; -1: none */
	bool is_ready, is_stopping;
	bool is_dead; /* what it has sent is still read */
	uint64_t started;
	unsigned delay_ms;  /* before the next one */
	struct timer timer; /* until the next start, until it must be ready, or to the next ping */
	unsigned ping_ms;
	unsigned pings; /* how long the last ping has been waited for; 0: it was answered */
} frontend = { .channel = { .watch = { .fd = -1 } }, .prepared = -1, .ping_ms = FRONTEND_PING_MS };

static pid_t (*spawn)(int channel) = spawn_frontend;

static void on_start_again(struct timer *timer);

void frontend_process_start_by(pid_t (*that)(int channel))
{
	spawn = that;
}

void frontend_process_ping_every(unsigned milliseconds)
{
	frontend.ping_ms = milliseconds;
}

bool frontend_process_is_ready(void)
{
	return frontend.is_ready && !frontend.is_dead && channel_is_open(&frontend.channel);
}

pid_t frontend_process_pid(void)
{
	return frontend.pid;
}

static void kill_it(void)
{
	if (frontend.pid > 0)
		kill(frontend.pid, SIGKILL);
}

void frontend_process_distrust(const char *reason)
{
	log_critical("%d {frontend} the frontend is not to be trusted: %s", (int)getpid(), reason);
	channel_close(&frontend.channel);
	kill_it();
}

/* --- pings --------------------------------------------------------------------------- */

/* Somebody looks at it: a debugger, or who has sent it SIGSTOP. */
static bool is_stopped(void)
{
	struct process process;

	return process_read(frontend.pid, &process) && process.is_stopped;
}

static void kill_silent(void)
{
	log_error("the frontend (process %d) has not answered for %u s; it is killed",
		  (int)frontend.pid, FRONTEND_PINGS_MAX * frontend.ping_ms / 1000);
	kill_it();
}

/* Waits are counted, and time is not measured: the machine, or the monitor itself, may have been
 * stopped meanwhile. */
static void on_ping_due(struct timer *timer)
{
	if (frontend.pings == FRONTEND_PINGS_MAX && !is_stopped()) {
		kill_silent();
		return;
	}
	if (frontend.pings == 0)
		frontend_process_send(&(struct message){ .kind = MESSAGE_PING }, NULL, 0);
	frontend.pings = frontend.pings > 0 && is_stopped() ? 1 : frontend.pings + 1;
	timer_start(timer, frontend.ping_ms);
}

static void begin_pings(void)
{
	frontend.pings = 0;
	timer_init(&frontend.timer, on_ping_due);
	timer_start(&frontend.timer, frontend.ping_ms);
}

static void on_pong(void)
{
	if (frontend.pings == 0)
		frontend_process_distrust("it answers before it is asked");
	frontend.pings = 0;
}

/* --- messages ------------------------------------------------------------------------ */

static void on_ready(void)
{
	if (frontend.is_ready) {
		frontend_process_distrust("it is ready twice");
		return;
	}
	frontend.is_ready = true;
	timer_stop(&frontend.timer);
	begin_pings();
	frontend.events->ready();
}

/* Its answer may stand in line behind other messages, each of which shows that it lives. */
static void note_life(void)
{
	if (frontend.pings > 1)
		frontend.pings = 1;
}

static void on_received(struct channel *channel, const struct message *message,
			const int descriptors[], unsigned count)
{
	(void)channel;
	note_life();
	if (message->kind == MESSAGE_READY) {
		on_ready();
	} else if (frontend.is_ready && message->kind == MESSAGE_PONG) {
		on_pong();
	} else if (frontend.is_ready) {
		frontend.events->received(message, descriptors, count);
	} else {
		channel_close_descriptors(descriptors, count);
		frontend_process_distrust("it asks for something before it is ready");
	}
}

static bool on_without_descriptors(const struct message *message)
{
	return frontend.is_ready && frontend.events->without_descriptors(message);
}

/* The next one is started only when the process has ended. */
static void on_closed(struct channel *channel, const char *reason)
{
	(void)channel;
	if (!frontend.is_stopping)
		log_error("the channel to the frontend is closed: %s", reason);
	kill_it();
}

static void not_sent(void)
{
	log_failure(errno, "a message to the frontend can't be sent");
	channel_close(&frontend.channel);
	kill_it();
}

static bool can_be_told(void)
{
	return channel_is_open(&frontend.channel) && !frontend.is_dead;
}

void frontend_process_send(const struct message *message, const int descriptors[], unsigned count)
{
	if (can_be_told() && channel_send(&frontend.channel, message, descriptors, count) < 0)
		not_sent();
}

void frontend_process_lend(const struct message *message, const int descriptors[], unsigned count)
{
	if (can_be_told() && channel_lend(&frontend.channel, message, descriptors, count) < 0)
		not_sent();
}

void frontend_process_take_back(void)
{
	if (can_be_told() && channel_flush(&frontend.channel) < 0)
		not_sent();
}

/* What it has sent counts as if it had died later: programs to be started, and what it has
 * logged. */
static void read_last_messages(void)
{
	frontend.is_dead = true;
	if (frontend.is_ready)
		channel_drain(&frontend.channel);
	frontend.is_dead = false;
}

/* Nothing is left in it to be sent. */
static void close_channel(void)
{
	channel_close(&frontend.channel);
	if (frontend.channel.joins > 0 && channel_part(&frontend.channel) < 0)
		errno = 0;
}

static void send_start(void)
{
	struct message message = { .kind = MESSAGE_START };
	int descriptor = frontend.events->start(&message.start);

	frontend_process_send(&message, &descriptor, descriptor >= 0);
	if (descriptor >= 0)
		close(descriptor);
}

/* --- processes ----------------------------------------------------------------------- */

static void on_not_ready(struct timer *timer)
{
	(void)timer;
	log_error("the frontend was not ready in %d s", FRONTEND_READY_MS / 1000);
	kill_it();
}

int frontend_process_prepare(void)
{
	int ends[2];

	if (channel_pair(ends) < 0)
		return -1;
	frontend.pid = spawn(ends[1]);
	close(ends[1]);
	if (frontend.pid > 0) {
		frontend.prepared = ends[0];
		return 0;
	}
	close(ends[0]);
	frontend.pid = 0;
	return -1;
}

void frontend_process_discard(void)
{
	if (frontend.prepared < 0)
		return;
	kill_it();
	close(frontend.prepared);
	frontend.prepared = -1;
	waitpid(frontend.pid, NULL, 0);
	frontend.pid = 0;
}

static int begin(void)
{
	static const struct channel_events events = {
		.received = on_received,
		.without_descriptors = on_without_descriptors,
		.closed = on_closed,
	};

	if (frontend.prepared < 0 && frontend_process_prepare() < 0)
		return -1;
	if (channel_open(&frontend.channel, frontend.prepared, MESSAGE_READY,
			 MESSAGE_FROM_FRONTEND - 1, &events) < 0) {
		frontend_process_discard();
		return -1;
	}
	channel_join(&frontend.channel); /* for as long as it is open */
	frontend.prepared = -1;
	frontend.started = clock_now();
	timer_init(&frontend.timer, on_not_ready);
	timer_start(&frontend.timer, FRONTEND_READY_MS);
	send_start();
	return 0;
}

static void begin_later(void)
{
	timer_init(&frontend.timer, on_start_again);
	timer_start(&frontend.timer, frontend.delay_ms);
}

static void grow_delay(void)
{
	if (frontend.delay_ms == 0)
		frontend.delay_ms = FRONTEND_DELAY_FIRST_MS;
	else if (frontend.delay_ms < FRONTEND_DELAY_MAX_MS / 2)
		frontend.delay_ms *= 2;
	else
		frontend.delay_ms = FRONTEND_DELAY_MAX_MS;
}

static void on_start_again(struct timer *timer)
{
	(void)timer;
	if (begin() == 0)
		return;
	log_failure(errno, "can't start a frontend");
	grow_delay();
	begin_later();
}

int frontend_process_start(const struct frontend_events *events)
{
	frontend.events = events;
	loop_at_turn_end(frontend_process_take_back);
	return begin();
}

static void log_end(int status)
{
	if (WIFSIGNALED(status))
		log_error("the frontend (process %d) died of signal %d (%s)", (int)frontend.pid,
			  WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("the frontend (process %d) ended with status %d", (int)frontend.pid,
			  WEXITSTATUS(status));
}

/* The sockets stay bound, and clients wait there for the next frontend. */
static void replace(void)
{
	if (clock_now() - frontend.started >= FRONTEND_STABLE_MS)
		frontend.delay_ms = 0;
	else
		grow_delay();
	if (frontend.delay_ms > 0)
		log_error(
			"frontends die again and again; the next one starts in %u ms, and clients "
			"wait until then",
			frontend.delay_ms);
	begin_later();
}

bool frontend_process_ended(pid_t pid, int status)
{
	if (pid != frontend.pid || pid == 0)
		return false;
	if (!frontend.is_stopping)
		log_end(status);
	read_last_messages();
	close_channel();
	timer_stop(&frontend.timer);
	frontend.pid = 0;
	frontend.is_ready = false;
	frontend.events->gone();
	if (!frontend.is_stopping)
		replace();
	return true;
}

static void start_no_other(void)
{
	frontend.is_stopping = true;
	if (frontend.pid == 0)
		timer_stop(&frontend.timer);
}

void frontend_process_stop(bool leaves_programs)
{
	struct message message = { .kind = MESSAGE_STOP,
				   .stop = { .leaves_programs = leaves_programs,
					     .leaves_ports = service_manager_stores() ||
							     inherited_sockets_count() > 0 } };

	start_no_other();
	frontend_process_send(&message, NULL, 0);
	if (frontend.pid == 0 && frontend.events) /* there is none, and none will come */
		frontend.events->gone();
}

void frontend_process_kill(void)
{
	start_no_other();
	kill_it();
}
