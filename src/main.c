#include "base/descriptors.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/own_name.h"
#include "base/sink.h"
#include "handlers/handler.h"
#include "handlers/launch.h"
#include "inspect.h"
#include "options.h"
#include "server/background.h"
#include "server/judge.h"
#include "server/multiplex.h"
#include "server/reception.h"
#include "server/reload.h"
#include "server/rpc.h"
#include "server/service.h"
#include "server/signals.h"
#include "server/status.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

enum { RPC_FINISH_MS = 3000, NAMES_WAIT_MS = 5000 };

static const char features[] =
#ifdef HAVE_LIBWRAP
	" libwrap"
#endif
#ifdef HAVE_LIBTIRPC
	" rpc"
#endif
#ifdef HAVE_LIBSELINUX
	" labeled"
#endif
	" loadavg";

static struct load_options load_options_from(const struct options *options)
{
	static char directory[PATH_MAX]; /* which the daemon leaves */

	if (!getcwd(directory, sizeof directory))
		strcpy(directory, "/");
	return (struct load_options){
		.config = options->config,
		.trusted = config_owner(options->config),
		.inetd_conf = options->inetd_compat ? SYSCONFDIR "/inetd.conf" : NULL,
		.start_directory = directory,
		.internal_exists = handler_is_built_in,
		.advise = options->command != COMMAND_RUN,
	};
}

static int open_log(const struct options *options)
{
	if (options->debug)
		log_set_level(LOG_DEBUG);
	if (options->debug)
		log_to_stderr();
	else if (options->log_file)
		return log_to_file(options->log_file);
	else if (options->log_facility >= 0 || !options->foreground)
		return log_to_syslog(options->log_facility >= 0 ? options->log_facility : LOG_DAEMON);
	return 0;
}

static bool logs_to_terminal(const struct options *options)
{
	return options->debug ||
	       (options->foreground && !options->log_file && options->log_facility < 0);
}

/* A terminal was told already. */
static void log_unknown_options(const struct options *options)
{
	for (size_t i = 0; options->unknown[i] && !logs_to_terminal(options); i++)
		log_warning("unknown option %s: it has no effect", options->unknown[i]);
}

/* Says on the terminal what went wrong, and why. */
static int fail_to(const char *what)
{
	fprintf(stderr, "usherd: can't %s: %s\n", what, strerror(errno));
	return -1;
}

/* What every part of the daemon stands on. The launcher comes first, for the low
 * descriptors. */
static int prepare(const struct options *options)
{
	umask(umask(0) | 022);
	if (loop_init() < 0 || launch_init() < 0 ||
	    judge_init(options->process_limit) < 0)
		return fail_to("start");
	reception_init(options->log_processes);
	multiplex_init();
	loop_at_turn_end(sink_flush_all);
	if (open_log(options) < 0) {
		fprintf(stderr, "usherd: can't open log file %s: %s\n", options->log_file,
			sink_open_error());
		return -1;
	}
	if (!logs_to_terminal(options))
		log_copy_errors_to_stderr();
	if (signals_watch(options->foreground) < 0)
		return fail_to("watch signals");
	if (descriptors_init() < 0)
		return fail_to("keep descriptors back");
	return chdir("/") == 0 ? 0 : fail_to("go to /");
}

static bool has_bound_a_socket(void)
{
	const struct service *service;
	const struct listener *listener;
	bool wanted = false;

	TAILQ_FOREACH(service, &services, link) {
		wanted |= !LIST_EMPTY(&service->listeners);
		LIST_FOREACH(listener, &service->listeners, link)
			if (listener_is_open(listener))
				return true;
	}
	return !wanted;
}

static bool is_looking_up_names(void)
{
	const struct service *service;

	TAILQ_FOREACH(service, &services, link)
		if (service_is_looking_up(service))
			return true;
	return false;
}

/* A start is over when every socket is bound or could not be, those on addresses
 * that bind gives by name included, if the resolver says in time what they are. */
static void wait_for_names(void)
{
	uint64_t end = loop_now() + NAMES_WAIT_MS;

	while (is_looking_up_names() && loop_now() < end)
		loop_turn((int)(end - loop_now()));
}

/* True, reported, when another daemon runs with the same pid file. */
static bool runs_already(const struct options *options)
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

/* Runs until a signal ends it. Returns the exit status. */
static int serve(const struct options *options)
{
	size_t count = configuration_service_count();

	if (count == 0 && !options->stay_alive) {
		log_error("no services. Exiting...");
		if (configuration_is_empty())
			background_tell_ready(EXIT_SUCCESS); /* nothing failed */
		return EXIT_FAILURE;
	}
	wait_for_names();
	if (!has_bound_a_socket() && !options->stay_alive) {
		log_error("no service could be bound. Exiting...");
		return EXIT_FAILURE;
	}
	log_notice("Started working: %zu available service%s", count, count == 1 ? "" : "s");
	if (logs_to_terminal(options))
		status_announce();
	if (background_write_pid(options->pid_file) < 0) {
		int error = errno;

		if (error == EAGAIN && runs_already(options))
			return EXIT_FAILURE;
		log_failure(error, "can't write the process id to %s", options->pid_file);
	}
	sink_flush_all();
	log_stop_copying();
	background_tell_ready(EXIT_SUCCESS);
	status_check_every(options->check_interval);
	loop_run();
	background_remove_pid(options->pid_file);
	return configuration_exit_status();
}

static int run(const struct options *options, const struct load_options *load)
{
	int status = EXIT_FAILURE;

	background_close_inherited();
	descriptors_raise_limit();
	if (!options->foreground && background_begin() < 0) {
		perror("usherd: can't go to the background");
		return EXIT_FAILURE;
	}
	signals_block();
	if (prepare(options) == 0) {
		log_notice("usherd %s started with%s options compiled in.", USHERD_VERSION, features);
		log_unknown_options(options);
		if (!runs_already(options) && configuration_start(load, options->stay_alive))
			status = serve(options);
		configuration_free();
		rpc_finish(RPC_FINISH_MS);
		sink_flush_all();
	}
	background_tell_ready(status);
	return status;
}

int main(int argc, char **argv)
{
	static struct options options; /* its paths live as long as the process */
	struct load_options load;

	own_name_take(argv[0]);
	options = options_parse(argc, argv);
	load = load_options_from(&options);
	switch (options.command) {
	case COMMAND_RUN:
		return run(&options, &load);
	case COMMAND_CHECK:
		return inspect_check(&load, options.as_json);
	case COMMAND_PRINT:
		return inspect_print(&load);
	case COMMAND_EXPLAIN:
		return inspect_explain(&load, options.explain[0], options.explain[1],
				       options.explain[2]);
	case COMMAND_VERSION:
		printf("usherd %s%s\n", USHERD_VERSION, features);
		return EXIT_SUCCESS;
	case COMMAND_HELP:
		options_print_help();
		return EXIT_SUCCESS;
	case COMMAND_MISUSED:
		break;
	}
	return EXIT_FAILURE;
}
