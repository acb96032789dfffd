#include "monitor/requests.h"

#include "base/clock.h"
#include "base/log_file.h"
#include "base/own_name.h"
#include "base/region.h"
#include "monitor/ban_file.h"
#include "monitor/banners.h"
#include "monitor/bans.h"
#include "monitor/binder.h"
#include "monitor/configuration.h"
#include "monitor/control.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"
#include "monitor/launch_requests.h"
#include "monitor/libwrap_answers.h"
#include "monitor/metrics_file.h"
#include "monitor/port_holder.h"
#include "monitor/reload.h"
#include "monitor/report_file.h"
#include "monitor/session_messages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct monitor_options *options;

static void tell_of_ban(const struct address *address, uint64_t until, void *context)
{
	struct message message = { .kind = MESSAGE_BANNED,
				   .ban = { .address = *address, .until = until } };

	(void)context;
	frontend_process_send(&message, NULL, 0);
}

/* --- a new frontend --------------------------------------------------------------------------- */

static int fill_start(struct start_message *start)
{
	static uint64_t daemon_since;
	uint64_t number = session_messages_next_frontend();
	struct process_user user;

	if (number == 1)
		daemon_since = clock_read();
	*start = (struct start_message){
		.region_address = (uint64_t)(uintptr_t)regions_address(),
		.daemon_since = daemon_since,
		.first_session = number << 32,
		.monitor = (int32_t)getpid(),
		.process_limit = options->process_limit,
		.ident_limit = options->ident_limit,
		.check_interval = options->check_interval,
		.log = options->log,
		.log_facility = options->log_facility,
		.log_level = options->log_level,
		.log_style = configuration_log_style(),
		.announces = reload_is_first() && options->log == MESSAGE_LOG_STDERR,
		.copies_errors = reload_is_first() && options->log != MESSAGE_LOG_STDERR,
		.changes_user = frontend_user_choose(&user),
	};
	start->uid = user.uid;
	start->gid = user.gid;
	strncpy(start->name, own_name(), sizeof start->name - 1);
	strncpy(start->tag, own_tag(), sizeof start->tag - 1);
	return options->log == MESSAGE_LOG_FILE ? log_file_open(options->log_file) : -1;
}

static void on_ready(void)
{
	reload_resend();
	session_messages_tell_all();
	bans_each(tell_of_ban, NULL);
}

static void on_gone(void)
{
	session_messages_frontend_gone();
	libwrap_answers_forget_all();
	banners_forget_all();
	report_file_give_up();
	metrics_file_give_up();
	binder_close_gates();
}

/* --- requests of the frontend ----------------------------------------------------------------- */

/* The settings of that service; NULL: there is none, and the frontend is distrusted. */
static struct service_settings *settings_of(struct service_number number)
{
	struct service_settings *settings = configuration_find(number.generation, number.service);

	if (!settings)
		frontend_process_distrust("it names a service that there is not");
	return settings;
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
	if (reload_is_stale(message->bind.service)) {
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
	if (settings_of(message->bind.service) && !reload_is_stale(message->bind.service))
		binder_unbind(message->bind.service.service, &message->bind);
}

static void on_launch(const struct message *message, const int descriptors[], unsigned count)
{
	struct launch_request request = {
		.message = message,
		.descriptors = descriptors,
		.count = count,
		.settings = settings_of(message->launch.service),
		.frontend = session_messages_frontend(),
		.process_limit = options->process_limit,
	};
	const char *fault;

	if (!request.settings) {
		channel_close_descriptors(descriptors, count);
		return;
	}
	request.service = reload_number_now(message->launch.service);
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

static void on_logged(const struct message *message)
{
	session_messages_logged(message->logged.count);
}

static void on_measured(const struct message *message)
{
	if (message->measured.error < 0 || message->measured.error > ERRNO_LAST)
		frontend_process_distrust("measures with an error that there is not");
	else
		metrics_file_written(message->measured.ticket, message->measured.error);
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
	service = reload_number_now(message->gate.service);
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
	uint32_t service = settings ? reload_number_now(message->gate.service) : SERVICE_IS_NEW;

	if (service != SERVICE_IS_NEW)
		binder_let_out(settings, service, message->gate.port);
}

static void on_reported(const struct message *message)
{
	report_file_finish(message->report.ticket);
}

static bool on_without_descriptors(const struct message *message)
{
	bool is_launch = message->kind == MESSAGE_LAUNCH || message->kind == MESSAGE_LAUNCH_PROXIED;

	if (is_launch)
		launch_request_fail(&message->launch);
	return is_launch;
}

static void on_received(const struct message *message, const int descriptors[], unsigned count)
{
	static const struct channel_act acts[MESSAGE_FROM_FRONTEND] = {
		[MESSAGE_ADOPTED] = { .take = reload_adopted },
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
		[MESSAGE_RELOAD] = { .take = reload_ask },
		[MESSAGE_UNBAN] = { .take = on_unban },
		[MESSAGE_LOGGED] = { .take = on_logged },
	};

	channel_act(acts, message, descriptors, count);
}

int requests_start(const struct monitor_options *those,
		   void (*started)(uint32_t bound, uint32_t wanted))
{
	static const struct frontend_events events = {
		.ready = on_ready,
		.received = on_received,
		.without_descriptors = on_without_descriptors,
		.gone = on_gone,
		.start = fill_start,
	};

	options = those;
	reload_init(options, started, tell_of_ban);
	session_messages_init();
	binder_init(frontend_process_take_back);
	return frontend_process_start(&events);
}

void requests_finish(void)
{
	control_finish();
	metrics_file_finish();
	binder_close_all();
}

/* --- the report ------------------------------------------------------------------------------- */

/* The report shows also programs that are being started. */
void requests_report(void)
{
	int descriptor = report_file_open(configuration_daemon());

	if (descriptor < 0)
		return;
	session_messages_tell_processes();
	frontend_process_send(&(struct message){ .kind = MESSAGE_REPORT,
						 .report = { .ticket = report_file_ticket() } },
			      &descriptor, 1);
	close(descriptor);
}

void requests_check(void)
{
	frontend_process_send(&(struct message){ .kind = MESSAGE_CHECK }, NULL, 0);
}
