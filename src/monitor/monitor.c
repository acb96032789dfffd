#include "monitor/monitor.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/loop.h"
#include "base/region.h"
#include "base/sink.h"
#include "base/start_descriptors.h"
#include "monitor/background.h"
#include "monitor/ban_file.h"
#include "monitor/cgroup_hierarchies.h"
#include "monitor/configuration.h"
#include "monitor/ending.h"
#include "monitor/frontend_process.h"
#include "monitor/frontend_user.h"
#include "monitor/inherited_sockets.h"
#include "monitor/launcher.h"
#include "monitor/libwrap_answers.h"
#include "monitor/requests.h"
#include "monitor/rpc.h"
#include "monitor/service_manager.h"
#include "monitor/session_messages.h"
#include "monitor/signals.h"
#include "monitor/spawn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RPC_FINISH_MS = 3000 };

static const struct monitor_options *options;

static bool logs_to_terminal(void)
{
	return options->log == MESSAGE_LOG_STDERR;
}

static int open_log(void)
{
	log_set_level(options->log_level);
	log_set_style((struct log_style){ options->log_format, { .in4 = 32, .in6 = 128 } });
	switch (options->log) {
	case MESSAGE_LOG_STDERR:
		log_to_terminal();
		return 0;
	case MESSAGE_LOG_SYSLOG:
		return log_to_syslog(options->log_facility);
	case MESSAGE_LOG_FILE:
		return log_to_file(options->log_file);
	}
	return -1;
}

/* Says on the terminal what went wrong, and why. */
static int fail_to(const char *what)
{
	fprintf(stderr, "usherd: can't %s: %s\n", what, strerror(errno));
	return -1;
}

/* Sets up what all parts of the monitor need. The launcher comes first: it reserves the low
 * descriptors. */
static int prepare(void)
{
	umask(umask(0) | 022);
	if (loop_init() < 0 || launcher_init(&session_messages_launcher_events) < 0 ||
	    regions_reserve(NULL) < 0)
		return fail_to("start");
	if (spawn_init(options->program) < 0)
		return fail_to("find its own program");
	loop_at_turn_end(sink_flush_all);
	if (open_log() < 0) {
		fprintf(stderr, "usherd: can't open log file %s: %s\n", options->log_file,
			log_file_error());
		return -1;
	}
	if (!logs_to_terminal())
		log_copy_errors_to_stderr();
	if (signals_watch(options->is_foreground) < 0)
		return fail_to("watch signals");
	service_manager_init();
	if (descriptors_init() < 0)
		return fail_to("keep descriptors back");
	inherited_sockets_give();
	return chdir("/") == 0 ? 0 : fail_to("go to /");
}

/* True, reported, when another daemon runs with the same pid file. */
static bool runs_already(void)
{
	pid_t holder = background_pid_holder(options->pid_file);

	if (holder > 0)
		log_error("pid file %s: usherd is running already, as process %d",
			  options->pid_file, (int)holder);
	else if (holder < 0)
		log_error("pid file %s: usherd is running already, in another container",
			  options->pid_file);
	return holder != 0;
}

/* False, reported, when another daemon has just taken the pid file. */
static bool write_pid(void)
{
	int error;

	if (background_write_pid(options->pid_file) == 0)
		return true;
	error = errno;
	if (error == EAGAIN && runs_already())
		return false;
	log_failure(error, "can't write the process id to %s", options->pid_file);
	return true;
}

/* The first generation is in force: the start has succeeded or failed. */
static void on_started(uint32_t bound, uint32_t wanted)
{
	size_t count = configuration_current()->count;

	if (wanted > 0 && bound == 0 && !options->stays_alive) {
		log_error("no service could be bound. Exiting...");
		ending_fail();
		return;
	}
	log_notice("Started working: %zu available service%s", count, count == 1 ? "" : "s");
	if (!write_pid()) {
		ending_fail();
		return;
	}
	sink_flush_all();
	log_stop_copying();
	start_descriptors_leave(!options->is_foreground);
	background_tell_ready(EXIT_SUCCESS);
}

static void log_unknown_options(void)
{
	for (size_t i = 0; options->unknown[i] && !logs_to_terminal(); i++)
		log_warning("unknown option %s: it has no effect", options->unknown[i]);
}

static void greet(void)
{
	log_notice("usherd %s started with%s options compiled in.", USHERD_VERSION,
		   options->features);
	log_unknown_options();
}

/* Runs until a signal ends it. Returns the exit status. */
static int serve(void)
{
	if (background_pid_holder(options->pid_file) != 0) {
		greet();
		if (runs_already())
			return EXIT_FAILURE;
	}
	frontend_process_prepare();
	if (!configuration_read())
		return EXIT_FAILURE;
	if (configuration_next()->count == 0 && !options->stays_alive) {
		log_error("no services. Exiting...");
		configuration_adopted();
		if (configuration_is_empty())
			background_tell_ready(EXIT_SUCCESS); /* nothing failed */
		return EXIT_FAILURE;
	}
	if (frontend_user_init(configuration_daemon(), configuration_next()) < 0)
		return EXIT_FAILURE;
	libwrap_answers_init();
	ban_file_use(configuration_daemon()->ban_file, NULL, NULL); /* before any client comes */
	if (requests_start(options, on_started) < 0) {
		log_failure(errno, "can't start the frontend");
		return EXIT_FAILURE;
	}
	loop_run();
	background_remove_pid(options->pid_file);
	return ending_status();
}

int monitor_run(const struct monitor_options *those)
{
	int status = EXIT_FAILURE;

	options = those;
	if (prepare() == 0) {
		configuration_init(options->load, (enum log_format)options->log_format, greet);
		status = serve();
		frontend_process_discard();
		requests_finish();
		ban_file_finish();
		rpc_finish(RPC_FINISH_MS);
		cgroup_hierarchies_close();
		sink_flush_all();
	}
	background_tell_ready(status);
	return status;
}
