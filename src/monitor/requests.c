#include "monitor/requests.h"

#include "base/closer.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/loop.h"
#include "base/own_name.h"
#include "base/region.h"
#include "base/sink.h"
#include "monitor/banners.h"
#include "monitor/ban_file.h"
#include "monitor/bans.h"
#include "monitor/binder.h"
#include "monitor/configuration.h"
#include "monitor/control.h"
#include "monitor/ending.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"
#include "monitor/launch_requests.h"
#include "monitor/libwrap_answers.h"
#include "monitor/log_files.h"
#include "monitor/port_holder.h"
#include "monitor/metrics_file.h"
#include "monitor/orphans.h"
#include "monitor/outcome.h"
#include "monitor/report_file.h"
#include "monitor/service_manager.h"
#include "monitor/session_processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static const struct monitor_options *options;
static void (*on_started)(uint32_t bound, uint32_t wanted); /* NULL once it was called */
static uint32_t *numbers;  /* from the generation in force to the one that was sent */
static uint64_t frontends; /* so far */
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

static void send_plain(enum message_kind kind)
{
	frontend_process_send(&(struct message){ .kind = kind }, NULL, 0);
}

static void tell_of_ban(const struct address *address, uint64_t until, void *context)
{
	struct message message = { .kind = MESSAGE_BANNED,
				   .ban = { .address = *address, .until = until } };

	(void)context;
	frontend_process_send(&message, NULL, 0);
}

/* --- a generation on its way ------------------------------------------------------------------ */

static const struct generation *newest(void)
{
	return configuration_next() ? configuration_next() : configuration_current();
}

static struct message generation_message(enum message_kind kind)
{
	return (struct message){ .kind = kind, .generation = { .generation = newest()->number } };
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
	frontend_process_send(&message, NULL, 0);
}

static void send_generation(void)
{
	struct message message = generation_message(MESSAGE_GENERATION);
	const struct region *region = region_of(newest());

	message.generation.place = region->place;
	message.generation.used = region->used;
	frontend_process_send(&message, &region->fd, 1);
	log_files_send(newest(), send_log);
	send_own_log();
	send_adopt();
}

static void renumber_child(struct child *child)
{
	child_counts_for(child,
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
	log_files_send(newest(), send_log);
	send_adopt();
	tell_outcome();
	tell_manager();
}

enum { LOOK_FOR_ROOM_MS = 50, LONG_WAIT_MS = 1000 };

static void on_room(struct timer *timer)
{
	(void)timer;
	if (reload_is_due)
		requests_reload();
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

void requests_reload(void)
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
	requests_reload();
}

/* A frontend that somebody has taken over could ask without end. */
static void on_reload(const struct message *message)
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

/* The newest generation is in force. */
static void on_adopted(const struct message *message)
{
	void (*started)(uint32_t, uint32_t) = on_started;
	bool is_new = configuration_next() != NULL;

	if (message->generation.generation != newest()->number) {
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
		ban_file_use(configuration_daemon()->ban_file, tell_of_ban, NULL);
		end_without_services();
	}
	if (is_new)
		configuration_watch(requests_reload);
	if (!ending_has_begun())
		tell_manager();
	if (reload_is_due)
		requests_reload();
}

/* --- a new frontend ---------------------------------------------------------------------------- */

static int fill_start(struct start_message *start)
{
	static uint64_t daemon_since;
	struct process_user user;

	if (frontends++ == 0)
		daemon_since = clock_read();
	*start = (struct start_message){
		.region_address = (uint64_t)(uintptr_t)regions_address(),
		.daemon_since = daemon_since,
		.first_session = frontends << 32,
		.monitor = (int32_t)getpid(),
		.process_limit = options->process_limit,
		.ident_limit = options->ident_limit,
		.check_interval = options->check_interval,
		.log = options->log,
		.log_facility = options->log_facility,
		.log_level = options->log_level,
		.log_style = configuration_log_style(),
		.announces = on_started && options->log == MESSAGE_LOG_STDERR,
		.copies_errors = on_started && options->log != MESSAGE_LOG_STDERR,
		.changes_user = frontend_user_choose(&user),
	};
	start->uid = user.uid;
	start->gid = user.gid;
	strncpy(start->name, own_name(), sizeof start->name - 1);
	strncpy(start->tag, own_tag(), sizeof start->tag - 1);
	return options->log == MESSAGE_LOG_FILE ? log_file_open(options->log_file) : -1;
}

static struct message child_message(enum message_kind kind, const struct child *child)
{
	return (struct message){
		.kind = kind,
		.program = { .session = child->session,
			     .pid = child->pid,
			     .peer = child->peer,
			     .socket = child->socket,
			     .v6only = child->v6only,
			     .is_inner = child->is_inner,
			     .started = child->started,
			     .opened = child->opened,
			     .id = child->id,
			     .is_news = !child->start_told,
			     .status = child->status,
			     .end_reason = (uint8_t)child->reason,
			     .usage = child->usage,
			     .ended = child->ended,
			     .service = { newest()->number, child->service } },
	};
}

/* Only the frontend that started the program keeps a descriptor of its connection. */
static bool is_kept(const struct child *child)
{
	return child->session >> 32 == frontends;
}

static void tell_released(struct socket_holders *holders)
{
	const struct child *child = container_of(holders, struct child, holders);
	struct message message = child_message(MESSAGE_RELEASED, child);

	if (is_kept(child))
		frontend_process_send(&message, NULL, 0);
}

/* Children whose ends were lent to the frontend. */
static LIST_HEAD(, child) told = LIST_HEAD_INITIALIZER(told);

static void leave_told(struct child *child)
{
	if (child->is_told)
		LIST_REMOVE(child, told);
	child->is_told = false;
}

/* Ends of one turn are sent together. Only then is it known whether the frontend is ready; if not,
 * its children are kept for the next one. */
static void send_ends(void)
{
	struct child *child;

	frontend_process_take_back();
	while ((child = LIST_FIRST(&told))) {
		leave_told(child);
		if (frontend_process_is_ready() || ending_has_begun())
			child_remove(child);
	}
}

static void tell_end(struct child *child)
{
	struct message message = child_message(MESSAGE_ENDED, child);

	frontend_process_lend(&message, NULL, 0);
	leave_told(child);
	LIST_INSERT_HEAD(&told, child, told);
	child->is_told = true;
	if (ending_has_begun()) /* the last one may be waited for */
		send_ends();
}

static void tell_or_keep(struct child *child)
{
	if (frontend_process_is_ready() || ending_has_begun())
		tell_end(child);
}

static void tell_of_child(struct child *child)
{
	struct message message = child_message(MESSAGE_SESSION, child);

	child->start_told = child->pid > 0;
	if (child->service != SERVICE_IS_NEW)
		frontend_process_send(&message, &child->errors, child->errors >= 0);
	if (child->is_over)
		tell_end(child);
}

/* A wait server that is being started has its socket already. */
static void tell_of_server(struct child *child)
{
	child->launch_told = true;
	tell_of_child(child);
}

static void on_ready(void)
{
	asked.ticket = asked.begun = 0;
	asked.is_told = asked.is_served = false;
	log_files_open_again(newest());
	send_generation();
	children_each(tell_of_child);
	launcher_each_server(tell_of_server);
	bans_each(tell_of_ban, NULL);
}

static void forget_ended(struct child *child)
{
	if (!child->is_over)
		return;
	leave_told(child);
	child_remove(child);
}

/* Without a next frontend nobody needs the children that have ended. */
static void forget_all_ended(void)
{
	if (ending_has_begun() && frontend_process_pid() == 0)
		children_each(forget_ended);
}

static void stop_looking(struct child *child)
{
	socket_holders_stop(&child->holders);
}

static void on_gone(void)
{
	children_each(stop_looking);
	forget_all_ended();
	libwrap_answers_forget_all();
	banners_forget_all();
	report_file_give_up();
	metrics_file_give_up();
	binder_close_gates();
}

/* --- requests of the frontend -------------------------------------------------------------------- */

/* The settings of that service; NULL: there is none, and the frontend is distrusted. */
static struct service_settings *settings_of(struct service_number number)
{
	struct service_settings *settings = configuration_find(number.generation, number.service);

	if (!settings)
		frontend_process_distrust("it names a service that there is not");
	return settings;
}

/* True when the message was sent before the newest generation arrived. */
static bool is_stale(struct service_number number)
{
	return number.generation != newest()->number;
}

static void name_holder(struct bind_message *answer)
{
	_Static_assert(sizeof answer->holder == HOLDER_TEXT_SIZE, "the text must fit");
	if (answer->error == EADDRINUSE && answer->asks_holder)
		port_holder_find(answer->type, &answer->address, answer->holder);
}

static void on_bind(const struct message *message)
{
	struct service_settings *settings = settings_of(message->bind.service);
	struct message answer = { .kind = MESSAGE_NOT_BOUND, .bind = message->bind };
	struct bound bound;
	int sockets[2];

	memset(answer.bind.holder, 0, sizeof answer.bind.holder);
	if (!settings)
		return;
	if (is_stale(message->bind.service)) {
		answer.bind.error = ESTALE;
	} else if (binder_bind(settings, message->bind.service.service, &message->bind, &bound) <
		   0) {
		answer.bind.error = errno;
		name_holder(&answer.bind);
	} else {
		answer.kind = MESSAGE_BOUND;
		answer.bind.is_new = bound.is_new;
		sockets[0] = bound.fd;
		sockets[1] = bound.refused;
		frontend_process_lend(&answer, sockets, bound.refused >= 0 ? 2 : 1);
		return;
	}
	frontend_process_lend(&answer, NULL, 0);
}

static void on_unbind(const struct message *message)
{
	if (settings_of(message->bind.service) && !is_stale(message->bind.service))
		binder_unbind(message->bind.service.service, &message->bind);
}

/* The service's number in the newest generation. A launch from before a reload counts for the
 * service that continues the old one. */
static uint32_t number_now(struct service_number number)
{
	if (!is_stale(number))
		return number.service;
	return numbers ? numbers[number.service] : SERVICE_IS_NEW;
}

static void on_launch(const struct message *message, const int descriptors[], unsigned count)
{
	struct launch_request request = {
		.message = message,
		.descriptors = descriptors,
		.count = count,
		.settings = settings_of(message->launch.service),
		.frontend = frontends,
		.process_limit = options->process_limit,
	};
	const char *fault;

	if (!request.settings) {
		channel_close_descriptors(descriptors, count);
		return;
	}
	if (!LIST_EMPTY(&told)) /* it may know of them already */
		send_ends();
	request.service = number_now(message->launch.service);
	fault = launch_request_take(&request);
	if (fault)
		frontend_process_distrust(fault);
}

static void on_end(const struct message *message)
{
	const struct end_message *end = &message->end;
	struct child *child = child_of_session(end->session);

	if (!end_reason_is_known(end->reason))
		frontend_process_distrust("it ends a session for no reason that there is");
	else if (child)
		child_end(child, end->at_once, end->reason);
	else
		launcher_end(end->session, end->reason);
}

static void on_ban(const struct message *message)
{
	if (!message_address_is_sound(&message->ban.address)) {
		frontend_process_distrust("a ban of what is no address");
		return;
	}
	bans_add(&message->ban.address, message->ban.until);
	ban_file_changed();
}

static void on_unban(const struct message *message)
{
	if (!message_address_is_sound(&message->ban.address))
		frontend_process_distrust("an end of a ban of what is no address");
	else if (bans_remove(&message->ban.address))
		ban_file_changed();
}

enum { ERRNO_LAST = 4095 /* the kernel has no larger one */ };

static void on_measured(const struct message *message)
{
	if (message->measured.error < 0 || message->measured.error > ERRNO_LAST)
		frontend_process_distrust("measures with an error that there is not");
	else
		metrics_file_written(message->measured.error);
}

static void on_open_banner(const struct message *message)
{
	struct service_settings *settings = settings_of(message->banner.service);

	if (settings && message->banner.which < BANNER_KINDS)
		banners_open(settings, &message->banner);
	else if (settings)
		frontend_process_distrust("it asks for a banner that there is not");
}

static void on_ask_libwrap(const struct message *message)
{
	struct service_settings *settings = settings_of(message->libwrap.service);

	if (settings && message_address_is_sound(&message->libwrap.peer) &&
	    message_address_is_sound(&message->libwrap.local))
		libwrap_answers_find(settings, &message->libwrap);
	else if (settings)
		frontend_process_distrust("it asks libwrap about what is no address");
}

static void on_forget_libwrap(const struct message *message)
{
	libwrap_answers_forget(message->libwrap.ticket);
}

/* The inner socket has the number of the newest generation, and the connection may be older. */
static void on_let_in(const struct message *message)
{
	const struct service_settings *settings = settings_of(message->gate.service);
	struct message answer = { .kind = MESSAGE_GATE, .gate = message->gate };
	uint32_t service;

	if (!settings)
		return;
	service = number_now(message->gate.service);
	if (service == SERVICE_IS_NEW)
		answer.gate.error = ESTALE;
	else if (binder_let_in(settings, service, message->gate.port) < 0)
		answer.gate.error = errno;
	else
		answer.gate.error = 0;
	frontend_process_send(&answer, NULL, 0);
}

static void on_let_out(const struct message *message)
{
	const struct service_settings *settings = settings_of(message->gate.service);
	uint32_t service = settings ? number_now(message->gate.service) : SERVICE_IS_NEW;

	if (service != SERVICE_IS_NEW)
		binder_let_out(settings, service, message->gate.port);
}

static void on_reported(const struct message *message)
{
	(void)message;
	report_file_finish();
}

static void on_received(const struct message *message, const int descriptors[], unsigned count)
{
	static const struct channel_act acts[MESSAGE_FROM_FRONTEND] = {
		[MESSAGE_ADOPTED] = { .take = on_adopted },
		[MESSAGE_BIND] = { .take = on_bind },
		[MESSAGE_UNBIND] = { .take = on_unbind },
		[MESSAGE_LAUNCH] = { .take_with = on_launch },
		[MESSAGE_LAUNCH_PROXIED] = { .take_with = on_launch },
		[MESSAGE_END] = { .take = on_end },
		[MESSAGE_BAN] = { .take = on_ban },
		[MESSAGE_OPEN_BANNER] = { .take = on_open_banner },
		[MESSAGE_ASK_LIBWRAP] = { .take = on_ask_libwrap },
		[MESSAGE_FORGET_LIBWRAP] = { .take = on_forget_libwrap },
		[MESSAGE_LET_IN] = { .take = on_let_in },
		[MESSAGE_LET_OUT] = { .take = on_let_out },
		[MESSAGE_REPORTED] = { .take = on_reported },
		[MESSAGE_MEASURED] = { .take = on_measured },
		[MESSAGE_RELOAD] = { .take = on_reload },
		[MESSAGE_UNBAN] = { .take = on_unban },
	};

	channel_act(acts, message, descriptors, count);
}

/* What runs for a session that has ended is in no session, also while it is being started. */
static bool is_spared(pid_t pid)
{
	return !end_commands_are_killed() &&
	       (end_command_is(pid) || (!child_is_program(pid) && launcher_starts_task(pid)));
}

static void on_session_gone(struct child *child);

int requests_start(const struct monitor_options *those,
		   void (*started)(uint32_t bound, uint32_t wanted))
{
	static const struct frontend_events events = {
		.ready = on_ready,
		.received = on_received,
		.gone = on_gone,
		.start = fill_start,
	};

	options = those;
	on_started = started;
	end_command_init(launcher_run);
	session_processes_init(child_is_program);
	binder_init(frontend_process_take_back);
	children_init(on_session_gone, is_spared);
	loop_at_turn_end(send_ends);
	return frontend_process_start(&events);
}

void requests_finish(void)
{
	control_finish();
	metrics_file_finish();
	binder_close_all();
}

/* --- programs -------------------------------------------------------------------------------------- */

/* A frontend that did not ask for the program is told everything about it. */
static void tell_of_start(struct child *child)
{
	struct message message = child_message(MESSAGE_STARTED, child);
	int master = child->terminal.master;

	if (child->session >> 32 != frontends && !child->launch_told) {
		tell_of_child(child);
		return;
	}
	child->start_told = true;
	frontend_process_lend(&message, &master, master >= 0);
	terminal_close(&child->terminal); /* at once: the frontend has it, or it is on its way */
}

static void on_over(void *context)
{
	struct child *child = context;

	child->is_over = true;
	tell_or_keep(child);
	ending_process_gone();
}

/* The session is over when its end_command has ended. */
static void end_session(struct child *child)
{
	const struct session_facts facts = {
		.id = child->id,
		.has_slot = child->slot.table != NULL,
		.slot = child->slot.number,
		.has_ended = true,
		.status = child->status,
		.reason = child->reason,
		.seconds = (child->ended - child->opened) / 1000,
	};

	if (!child->end_command) {
		on_over(child);
		return;
	}
	socket_holders_lose_all(&child->holders); /* its client need not wait for the command */
	end_command_run(child->end_command, child->service, &facts, on_over, child);
}

/* What a session that nobody follows leaves behind. */
static void expect_orphans(const struct child *child)
{
	if (!child->is_tracked && !child->is_ending)
		orphans_expect(child->pid, child->service, &child->peer, &child->local);
}

/* A program may have ended, and may be reaped, before it is known that it started. */
static void on_program_started(const struct child *started)
{
	struct child *child = child_of_session(started->session);

	if (child->has_ended) {
		expect_orphans(child);
		orphans_note(child->pid);
	}
	if (is_kept(child))
		socket_holders_watch(&child->holders, child->pid, tell_released);
	if (ending_ends_programs())
		ending_end(child);
	if (frontend_process_is_ready()) /* otherwise the next one is told of every child */
		tell_of_start(child);
	/* A terminal that no frontend has is hung up. */
	closer_close(child->terminal.master, child->service);
	child->terminal.master = -1;
	if (child->is_gone)
		end_session(child);
}

static void on_program_not_started(const struct program_message *program)
{
	struct message message = { .kind = MESSAGE_NOT_STARTED, .program = *program };

	if (frontend_process_is_ready())
		frontend_process_send(&message, NULL, 0);
}

const struct launcher_events requests_launcher_events = {
	.started = on_program_started,
	.not_started = on_program_not_started,
};

static void log_memory_kills(const struct child *child)
{
	const struct generation *current = configuration_current();

	log_warning("service %s: process %d: the session used up its memory; the kernel killed %lu "
		    "of its processes",
		    child->service < current->count ? current->services[child->service]->id
						    : "that is removed",
		    (int)child->pid, child->memory_kills);
}

/* Later than its program. */
static void on_session_gone(struct child *child)
{
	if (child->memory_kills > 0)
		log_memory_kills(child);
	end_session(child);
}

/* Any other process is an orphan that the monitor has adopted. */
void requests_child_ended(pid_t pid, int status, const struct program_usage *usage)
{
	struct child *child = child_of_process(pid);

	if (frontend_process_ended(pid, status))
		return;
	if (!child) {
		if (!launcher_reaped(pid, status, usage))
			end_command_reaped(pid, status);
		return;
	}
	child->usage = *usage;
	expect_orphans(child);
	child_reaped(child, status);
	if (socket_holders_are_noted(&child->holders))
		waitpid(pid, NULL,
			WNOHANG); /* now, as its process group must not have it any more */
	if (child->is_gone)
		end_session(child);
}

/* --- the report -------------------------------------------------------------------------------------- */

static void tell_process(uint64_t session, pid_t pid)
{
	struct message message = { .kind = MESSAGE_PROCESS,
				   .program = { .session = session, .pid = pid } };

	frontend_process_send(&message, NULL, 0);
}

/* The report shows also programs that are being started. */
void requests_report(void)
{
	int descriptor = report_file_open(configuration_daemon());

	if (descriptor < 0)
		return;
	launcher_each_process(tell_process);
	frontend_process_send(&(struct message){ .kind = MESSAGE_REPORT }, &descriptor, 1);
	close(descriptor);
}

void requests_check(void)
{
	send_plain(MESSAGE_CHECK);
}
