#include "monitor/reload.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/region.h"
#include "base/sink.h"
#include "monitor/ban_file.h"
#include "monitor/binder.h"
#include "monitor/configuration.h"
#include "monitor/control.h"
#include "monitor/ending.h"
#include "monitor/frontend_process.h"
#include "monitor/launch_requests.h"
#include "monitor/launcher.h"
#include "monitor/log_files.h"
#include "monitor/metrics_file.h"
#include "monitor/orphans.h"
#include "monitor/outcome.h"
#include "monitor/service_manager.h"

#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

static const struct monitor_options *options;
static void (*on_started)(uint32_t bound, uint32_t wanted); /* NULL once it was called */
static void (*banned)(const struct address *address, uint64_t until, void *context);
static uint32_t *numbers;  /* from the generation in force to the one that was sent */
static bool reload_is_due; /* after the pending one, or when there is room for it */

/* A reload that waits for room. */
static struct {
	uint64_t waits_since; /* 0: none does */
	bool is_told;         /* the log */
	struct timer timer;   /* looks for the room */
} room;

/* Reloads that the frontend asks for. */
static struct {
	uint64_t ticket; /* the last one */
	uint64_t begun;  /* the last one that came before the last load began */
	uint64_t at;     /* when the last of these reloads began */
	struct timer timer;
	bool is_told;   /* the outcome of the last load */
	bool is_served; /* this frontend has the control socket, if there is one */
} asked;

void reload_init(const struct monitor_options *those,
		 void (*started)(uint32_t bound, uint32_t wanted),
		 void (*was_banned)(const struct address *address, uint64_t until, void *context))
{
	options = those;
	on_started = started;
	banned = was_banned;
}

bool reload_is_first(void)
{
	return on_started != NULL;
}

/* --- numbers ---------------------------------------------------------------------------------- */

const struct generation *reload_newest(void)
{
	return configuration_next() ? configuration_next() : configuration_current();
}

bool reload_is_stale(struct service_number number)
{
	return number.generation != reload_newest()->number;
}

uint32_t reload_number_now(struct service_number number)
{
	if (!reload_is_stale(number))
		return number.service;
	return numbers ? numbers[number.service] : SERVICE_IS_NEW;
}

static void renumber_child(struct child *child)
{
	child_renumber(child,
		       service_renumber(child->service, numbers, configuration_current()->count));
}

static bool ends_when_removed(uint32_t service)
{
	return configuration_current()->services[service]->on_remove == ON_REMOVE_END;
}

/* Switches everything to the service numbers of the newest generation. */
static void renumber(void)
{
	uint32_t count;

	if (numbers || !configuration_next() || !configuration_current())
		return;
	numbers = configuration_numbers();
	if (!numbers) {
		log_error("out of memory; programs that run are not counted any more");
		return;
	}
	count = configuration_current()->count;
	launch_requests_forget_removed();
	binder_renumber(numbers, count);
	launcher_renumber(numbers, count);
	children_each(renumber_child);
	orphans_renumber(numbers, count, ends_when_removed);
}

/* --- sending ---------------------------------------------------------------------------------- */

static struct message generation_message(enum message_kind kind)
{
	struct message message = { .kind = kind };

	message.generation.generation = reload_newest()->number;
	return message;
}

static void send_log(uint32_t service, int descriptor)
{
	struct message message = generation_message(MESSAGE_LOG);

	message.generation.log = service;
	frontend_process_send(&message, &descriptor, 1);
}

/* The daemon's own log, with a number that no service has. */
static void send_own_log(void)
{
	int descriptor;

	if (options->log != MESSAGE_LOG_FILE)
		return;
	descriptor = log_file_open(options->log_file);
	if (descriptor < 0)
		return; /* logged when it was reopened here */
	send_log(MESSAGE_OWN_LOG, descriptor);
	close(descriptor);
}

/* The last message about the generation. */
static void send_adopt(void)
{
	struct message message = generation_message(MESSAGE_ADOPT);

	message.generation.style = configuration_log_style();
	message.generation.descriptors = descriptors_shares()->total + binder_descriptors();
	frontend_process_send(&message, NULL, 0);
}

static void send_generation(void)
{
	struct message message = generation_message(MESSAGE_GENERATION);
	const struct region *region = region_of(reload_newest());

	message.generation.place = region->place;
	message.generation.used = region->used;
	frontend_process_send(&message, &region->fd, 1);
	log_files_send(reload_newest(), send_log);
	send_own_log();
	send_adopt();
}

/* Without a descriptor the text is missing, and the numbers are there. */
static void tell_outcome(void)
{
	struct message message = { .kind = MESSAGE_LOADED, .reload = *outcome_numbers() };
	int descriptor;

	descriptors_open_reserve();
	descriptor = outcome_open();
	message.reload.ticket = asked.begun;
	frontend_process_send(&message, &descriptor, descriptor >= 0);
	if (descriptor >= 0)
		close(descriptor);
	descriptors_close_reserve();
	asked.is_told = true;
}

static void tell_manager(void)
{
	const struct reload_message *last = outcome_numbers();

	service_manager_ready(configuration_current()->count, last->broken + last->left_out,
			      last->is_loaded);
}

/* The files can't be loaded. Log files are opened again all the same. */
static void keep_generation(void)
{
	log_files_open_again(configuration_current());
	send_own_log();
	log_files_send(reload_newest(), send_log);
	send_adopt();
	tell_outcome();
	tell_manager();
}

void reload_resend(void)
{
	asked.ticket = asked.begun = 0;
	asked.is_told = asked.is_served = false;
	log_files_open_again(reload_newest());
	send_generation();
}

/* --- a reload --------------------------------------------------------------------------------- */

enum { LOOK_FOR_ROOM_MS = 50, LONG_WAIT_MS = 1000 };

static void on_room(struct timer *timer)
{
	(void)timer;
	if (reload_is_due)
		reload_begin();
}

/* Once for each wait, when it takes long. */
static void tell_of_wait(void)
{
	if (room.is_told || clock_now() - room.waits_since < LONG_WAIT_MS)
		return;
	room.is_told = true;
	log_warning("a reload waits: programs that are being started keep too many earlier "
		    "configurations");
}

/* False: it has to wait. A program that is being started, or waits for that, keeps the
 * generation of its service; there is room for few generations. */
static bool can_reload(void)
{
	if (configuration_next())
		return false; /* until it is adopted */
	if (regions_have_room()) {
		room.waits_since = 0;
		room.is_told = false;
		return true;
	}
	if (room.waits_since == 0)
		room.waits_since = clock_now();
	tell_of_wait();
	if (!timer_is_pending(&room.timer)) {
		timer_init(&room.timer, on_room);
		timer_start(&room.timer, LOOK_FOR_ROOM_MS);
	}
	return false;
}

void reload_begin(void)
{
	if (ending_has_begun()) /* a reload would open the services again */
		return;
	reload_is_due = !can_reload();
	if (reload_is_due)
		return;
	service_manager_reloading();
	asked.begun = asked.ticket;
	asked.is_told = false;
	if (!configuration_read())
		log_event(LOG_ERR, &(struct log_facts){ .event = LOG_EVENT_RELOAD },
			  "reconfiguration failed; the old configuration stays in force");
	sink_reopen_all();
	if (configuration_next()) {
		renumber();
		if (frontend_process_is_ready())
			send_generation();
	} else {
		keep_generation();
	}
}

static void on_asked(struct timer *timer)
{
	(void)timer;
	asked.at = clock_now();
	reload_begin();
}

/* A frontend that somebody has taken over could ask without end. */
void reload_ask(const struct message *message)
{
	uint64_t since = clock_now() - asked.at;

	if (message->reload.ticket > asked.ticket)
		asked.ticket = message->reload.ticket;
	if (timer_is_pending(&asked.timer))
		return;
	timer_init(&asked.timer, on_asked);
	timer_start(&asked.timer,
		    asked.at == 0 || since > RELOADS_APART_MS ? 0 : RELOADS_APART_MS - since);
}

static void end_without_services(void)
{
	if (configuration_current()->count > 0 || options->stays_alive)
		return;
	log_error("No available services. Exiting");
	ending_fail();
}

void reload_adopted(const struct message *message)
{
	void (*started)(uint32_t, uint32_t) = on_started;
	bool is_new = configuration_next() != NULL;

	if (message->generation.generation != reload_newest()->number) {
		frontend_process_distrust("it adopted what it was not given");
		return;
	}
	configuration_adopted();
	free(numbers);
	numbers = NULL;
	binder_sweep();
	orphans_end_removed(KILL_TIMEOUT * 1000);
	if (!asked.is_told)
		tell_outcome();
	if (!asked.is_served)
		control_send(); /* until then this frontend had nothing to tell */
	asked.is_served = true;
	control_use(configuration_daemon());
	metrics_file_use(configuration_daemon()->metrics_file);
	on_started = NULL;
	if (started)
		started(message->generation.bound, message->generation.wanted);
	else if (is_new)
		configuration_sum_up();
	if (is_new && !started) {
		ban_file_use(configuration_daemon()->ban_file, banned, NULL);
		end_without_services();
	}
	if (is_new)
		configuration_watch(reload_begin);
	if (!ending_has_begun())
		tell_manager();
	if (reload_is_due)
		reload_begin();
}
