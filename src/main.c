#include "base/descriptors.h"
#include "base/own_name.h"
#include "frontend/frontend.h"
#include "handlers/handler.h"
#include "import/import.h"
#include "inspect/inspect.h"
#include "monitor/background.h"
#include "monitor/inherited_sockets.h"
#include "monitor/monitor.h"
#include "monitor/signals.h"
#include "monitor/spawn.h"
#include "options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

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
	static char directory[PATH_MAX]; /* where the program was started */

	if (!getcwd(directory, sizeof directory))
		strcpy(directory, "/");
	return (struct load_options){
		.config = options->serve.port ? NULL : options->config,
		.trusted = config_owner(options->serve.port ? NULL : options->config),
		.inetd_conf = options->inetd_compat ? SYSCONFDIR "/inetd.conf" : NULL,
		.start_directory = directory,
		.internal_exists = handler_is_built_in,
		.advise = options->command != COMMAND_RUN,
		.pid_file = options->pid_file,
		.log_file = options->log_file,
	};
}

/* Where the log goes. */
static enum message_log log_of(const struct options *options)
{
	if (options->debug)
		return MESSAGE_LOG_STDERR;
	if (options->log_file)
		return MESSAGE_LOG_FILE;
	return options->log_facility >= 0 || !options->foreground ? MESSAGE_LOG_SYSLOG
								  : MESSAGE_LOG_STDERR;
}

static struct monitor_options monitor_options_from(const struct options *options,
						   const struct load_options *load,
						   const char *program)
{
	return (struct monitor_options){
		.program = program,
		.load = load,
		.log_file = options->log_file,
		.log = log_of(options),
		.log_facility = options->log_facility >= 0 ? options->log_facility : LOG_DAEMON,
		.log_format = (uint8_t)options->log_format,
		.log_level = options->debug ? LOG_DEBUG : LOG_INFO,
		.pid_file = options->pid_file,
		.process_limit = options->process_limit,
		.ident_limit = options->log_processes,
		.check_interval = options->check_interval,
		.is_foreground = options->foreground,
		.stays_alive = options->stay_alive,
		.features = features,
		.unknown = options->unknown,
	};
}

static int run(const struct options *options, const struct load_options *load, const char *program)
{
	struct monitor_options monitor = monitor_options_from(options, load, program);

	descriptors_raise_limit();
	background_take_inherited(INHERITED_FIRST, inherited_sockets_take());
	if (!options->foreground && background_begin() < 0) {
		perror("usherd: can't go to the background");
		return EXIT_FAILURE;
	}
	signals_block();
	return monitor_run(&monitor);
}

int main(int argc, char **argv)
{
	static struct options options; /* its texts live as long as the process */
	static struct load_options load;

	if (argc == 2 && strcmp(argv[1], SPAWN_ARGUMENT) == 0)
		return frontend_run(SPAWN_CHANNEL);
	own_name_take(argv[0]);
	options = options_parse(argc, argv);
	if (options.command == COMMAND_MISUSED)
		return EXIT_FAILURE;
	load = load_options_from(&options);
	if (options.serve.port && !(load.serve = serve_text(&options.serve, load.start_directory)))
		return EXIT_FAILURE;
	switch (options.command) {
	case COMMAND_RUN:
		return run(&options, &load, argv[0]);
	case COMMAND_CHECK:
		return inspect_check(&load, options.as_json);
	case COMMAND_PRINT:
		return inspect_print(&load);
	case COMMAND_EXPLAIN:
		return inspect_explain(&load, options.explain[0], options.explain[1],
				       options.explain[2]);
	case COMMAND_ASK:
		return inspect_ask(&load, options.is_config_given, options.request);
	case COMMAND_IMPORT:
		return import_print(options.import);
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
