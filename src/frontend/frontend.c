#include "frontend/frontend.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/own_name.h"
#include "base/region.h"
#include "base/sink.h"
#include "channel/channel.h"
#include "config/generation.h"
#include "frontend/adoption.h"
#include "frontend/ask.h"
#include "frontend/candidates.h"
#include "frontend/connection.h"
#include "frontend/control.h"
#include "frontend/dispatch.h"
#include "frontend/facts.h"
#include "frontend/fence.h"
#include "frontend/holdings.h"
#include "frontend/last_load.h"
#include "frontend/listener.h"
#include "frontend/log_files.h"
#include "frontend/measures.h"
#include "frontend/multiplex.h"
#include "frontend/report.h"
#include "frontend/sensors.h"
#include "frontend/service.h"
#include "frontend/stop.h"
#include "handlers/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct channel channel;
static struct start_message start;
static const struct generation *incoming; /* the last one mapped */
static bool has_announced;
static int null = -1; /* /dev/null; the fence forbids to open it for writing later */
static int status;
static uint32_t room;         /* descriptors that the monitor has for sockets and programs */
static uint64_t news, logged; /* what the monitor has told of programs; what of it is in the log */

static void fail(const char *what)
{
	log_failure(errno, "the frontend can't %s", what);
	status = EXIT_FAILURE;
	loop_stop();
}

/* --- the start ----------------------------------------------------------------------------- */

static int open_log(int descriptor)
{
	log_set_level(start.log_level);
	log_set_style(start.log_style);
	own_process_take(start.monitor);
	sink_use_opener(log_files_take);
	if (descriptor >= 0)
		log_files_add("", descriptor);
	if (start.copies_errors)
		log_copy_errors_to_stderr();
	switch ((enum message_log)start.log) {
	case MESSAGE_LOG_STDERR:
		log_to_terminal();
		return 0;
	case MESSAGE_LOG_SYSLOG:
		return log_to_syslog(start.log_facility);
	case MESSAGE_LOG_FILE:
		return log_to_file("");
	}
	return -1;
}

static int enter_fence(void)
{
	struct fence_user user = { .uid = start.uid, .gid = start.gid };
	const char *step;

	if (fence_enter(start.changes_user ? &user : NULL, &step) == 0)
		return 0;
	log_failure(errno, "the frontend can't give up its privileges: %s", step);
	return -1;
}

/* Otherwise the monitor tells the next frontend too. */
static void log_news(void)
{
	sink_flush_all();
	if (logged == news)
		return;
	logged = news;
	ask_logged(logged);
}

static int prepare(void)
{
	descriptors_raise_limit();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	if (sensors_init() < 0)
		return -1;
	candidates_init(start.process_limit);
	holdings_init(start.ident_limit);
	dispatch_init();
	multiplex_init();
	launch_init(&ask_launch_way, start.first_session);
	loop_at_turn_end(log_news);
	report_check_every(start.check_interval);
	control_init();
	return descriptors_init();
}

static void on_start(const struct message *message, const int descriptors[], unsigned count)
{
	start = message->start;
	start.name[sizeof start.name - 1] = '\0';
	start.tag[sizeof start.tag - 1] = '\0';
	own_name_take(start.name);
	own_tag_take(start.tag);
	facts_set_start(start.daemon_since);
	if (open_log(count > 0 ? descriptors[0] : -1) < 0)
		fail("open its log");
	else if (regions_reserve((void *)(uintptr_t)start.region_address) < 0)
		fail("reserve memory addresses for the settings"); /* another frontend will */
	else if (prepare() < 0 || enter_fence() < 0)
		fail("start");
	else if (channel_send(&channel, &(struct message){ .kind = MESSAGE_READY }, NULL, 0) < 0)
		fail("tell the monitor that it is ready");
}

/* --- generations --------------------------------------------------------------------------- */

static void on_generation(const struct message *message, const int descriptors[], unsigned count)
{
	struct region *region = region_map(message->generation.place, descriptors[0],
					   (size_t)message->generation.used);

	(void)count;
	if (!region) {
		fail("map the settings");
		return;
	}
	incoming = (const void *)region->base;
}

static const char *log_path(uint32_t number)
{
	if (number == MESSAGE_OWN_LOG)
		return "";
	return incoming && number < incoming->count ? incoming->services[number]->log.path : NULL;
}

static void on_log(const struct message *message, const int descriptors[], unsigned count)
{
	const char *path = log_path(message->generation.log);

	(void)count;
	if (path)
		log_files_add(path, descriptors[0]);
	else
		close(descriptors[0]);
}

/* Closes the terminal that the daemon was started from. */
static void leave_terminal(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	log_stop_copying();
}

/* The monitor has the listening sockets, too. */
static void share_room_of_monitor(void)
{
	unsigned spent = descriptors_spent();

	launch_set_room(room > spent ? room - spent : 0);
}

static void on_in_force(uint32_t bound, uint32_t wanted)
{
	share_room_of_monitor();
	if (start.announces && !has_announced)
		report_announce();
	if (start.copies_errors && !has_announced)
		leave_terminal();
	has_announced = true;
	sink_flush_all();
	ask_adopted(bound, wanted);
}

static void on_adopt(const struct message *message)
{
	log_set_style(message->generation.style);
	room = message->generation.descriptors;
	sink_reopen_all();
	if (!incoming || incoming->number != message->generation.generation ||
	    incoming == adoption_generation())
		return; /* the same generation: only the logs were reopened */
	adoption_begin(incoming, on_in_force);
}

/* --- answers and notices ---------------------------------------------------------------------- */

static struct listener *find_listener(uint32_t service_number, uint32_t ticket)
{
	struct service *service = adoption_service(service_number);
	struct listener *listener;

	if (service && ticket != 0)
		LIST_FOREACH(listener, &service->listeners, link)
			if (listener->ticket == ticket)
				return listener;
	return NULL;
}

static void on_bound(const struct message *message, const int descriptors[], unsigned count)
{
	struct listener *listener =
		find_listener(message->bind.service.service, message->bind.ticket);

	if (listener)
		listener_bound(listener, descriptors[0], count > 1 ? descriptors[1] : -1,
			       message->bind.is_new);
	else
		channel_close_descriptors(descriptors, count);
}

static void on_not_bound(const struct message *message)
{
	struct listener *listener =
		find_listener(message->bind.service.service, message->bind.ticket);

	if (listener)
		listener_not_bound(listener, message->bind.error, message->bind.holder);
}

static void on_process(const struct message *message)
{
	launch_has_process(&message->program);
}

static void on_started(const struct message *message, const int descriptors[], unsigned count)
{
	news++;
	launch_started(&message->program, count > 0 ? descriptors[0] : -1);
}

static void on_not_started(const struct message *message)
{
	launch_not_started(&message->program);
}

static void on_released(const struct message *message)
{
	launch_released(&message->program);
}

static void on_ended(const struct message *message)
{
	news++;
	launch_ended(&message->program);
}

static void on_session(const struct message *message, const int descriptors[], unsigned count)
{
	struct service *service = adoption_service(message->program.service.service);

	news++;
	if (service)
		connection_resume(service, &message->program, count > 0 ? descriptors[0] : -1);
	else
		channel_close_descriptors(descriptors, count);
}

static void on_banned(const struct message *message)
{
	sensors_know(&message->ban.address, message->ban.until);
}

static void on_banner(const struct message *message, const int descriptors[], unsigned count)
{
	ask_banner_answered(&message->banner, count > 0 ? descriptors[0] : -1);
}

static void on_libwrap(const struct message *message)
{
	ask_libwrap_answered(&message->libwrap);
}

static void on_gate(const struct message *message)
{
	ask_gate_answered(&message->gate);
}

static void on_report(const struct message *message, const int descriptors[], unsigned count)
{
	(void)count;
	report_write(descriptors[0]);
	ask_reported(message->report.ticket);
}

static void on_measure(const struct message *message, const int descriptors[], unsigned count)
{
	(void)count;
	measures_write(descriptors[0], message->measured.ticket);
}

static void on_control(const struct message *message, const int descriptors[], unsigned count)
{
	control_serve(count > 0 ? descriptors[0] : -1, &message->control);
}

static void on_loaded(const struct message *message, const int descriptors[], unsigned count)
{
	last_load_take(&message->reload, count > 0 ? descriptors[0] : -1);
	control_reloaded(message->reload.ticket);
}

static void on_check(const struct message *message)
{
	(void)message;
	report_check_consistency();
}

static void on_ping(const struct message *message)
{
	(void)message;
	ask_pong();
}

static void on_stop(const struct message *message)
{
	if (message->stop.leaves_ports)
		listeners_leave_ports();
	if (message->stop.leaves_programs)
		stop_leaving_programs();
	else
		stop_begin();
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_received(struct channel *from, const struct message *message,
			const int descriptors[], unsigned count)
{
	static const struct channel_act acts[MESSAGE_KINDS] = {
		[MESSAGE_START] = { .take_with = on_start },
		[MESSAGE_GENERATION] = { .take_with = on_generation },
		[MESSAGE_LOG] = { .take_with = on_log },
		[MESSAGE_ADOPT] = { .take = on_adopt },
		[MESSAGE_BOUND] = { .take_with = on_bound },
		[MESSAGE_NOT_BOUND] = { .take = on_not_bound },
		[MESSAGE_PROCESS] = { .take = on_process },
		[MESSAGE_STARTED] = { .take_with = on_started },
		[MESSAGE_NOT_STARTED] = { .take = on_not_started },
		[MESSAGE_RELEASED] = { .take = on_released },
		[MESSAGE_ENDED] = { .take = on_ended },
		[MESSAGE_SESSION] = { .take_with = on_session },
		[MESSAGE_BANNED] = { .take = on_banned },
		[MESSAGE_BANNER] = { .take_with = on_banner },
		[MESSAGE_LIBWRAP] = { .take = on_libwrap },
		[MESSAGE_GATE] = { .take = on_gate },
		[MESSAGE_REPORT] = { .take_with = on_report },
		[MESSAGE_MEASURE] = { .take_with = on_measure },
		[MESSAGE_CONTROL] = { .take_with = on_control },
		[MESSAGE_LOADED] = { .take_with = on_loaded },
		[MESSAGE_CHECK] = { .take = on_check },
		[MESSAGE_PING] = { .take = on_ping },
		[MESSAGE_STOP] = { .take = on_stop },
	};

	(void)from;
	channel_act(acts, message, descriptors, count);
}

/* Sessions lose their terminal or their standard error, and not the frontend. */
static bool on_without_descriptors(const struct message *message)
{
	static const bool can_do_without[MESSAGE_KINDS] = {
		[MESSAGE_STARTED] = true,
		[MESSAGE_SESSION] = true,
		[MESSAGE_BANNER] = true,
	};

	if (can_do_without[message->kind])
		on_received(&channel, message, NULL, 0);
	return can_do_without[message->kind];
}

/* A frontend without its monitor ends. Others may have the sockets: a service manager, or the
 * monitor that has closed the channel. */
static void on_closed(struct channel *from, const char *reason)
{
	(void)from;
	log_error("the channel to the monitor is closed: %s", reason);
	listeners_leave_ports();
	loop_stop();
}

int frontend_run(int descriptor)
{
	static const struct channel_events events = {
		.received = on_received,
		.without_descriptors = on_without_descriptors,
		.closed = on_closed,
	};

	prctl(PR_SET_NAME, "usherd-frontend");
	if (loop_init() < 0 || channel_open(&channel, descriptor, MESSAGE_FROM_FRONTEND,
					    MESSAGE_KINDS - 1, &events) < 0)
		return EXIT_FAILURE;
	ask_init(&channel);
	loop_run();
	/* After a failure the next frontend takes over the sockets. */
	if (status == EXIT_SUCCESS)
		adoption_free();
	sink_flush_all();
	return status;
}
