#include "options.h"

#include "base/log.h"
#include "base/own_name.h"
#include "base/syslog_names.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_OF_XINETD SYSCONFDIR "/xinetd.conf"
#define CONFIG_OF_OUR_OWN SYSCONFDIR "/usherd.conf"

enum { LOG_PROCESSES = 15 };

/* Reads one option's value; false when it is invalid. */
typedef bool option_taker(struct options *options, const char *value);

static bool take_number(unsigned *number, const char *value)
{
	char *end;
	unsigned long parsed;

	errno = 0;
	parsed = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || parsed > INT_MAX)
		return false;
	*number = (unsigned)parsed;
	return true;
}

/* The daemon changes its directory, so paths must be absolute. The result is never
 * freed. */
static const char *absolute_path(const char *path)
{
	char directory[PATH_MAX], *absolute;

	if (path[0] == '/')
		return path;
	if (!getcwd(directory, sizeof directory) ||
	    asprintf(&absolute, "%s/%s", directory, path) < 0)
		return NULL;
	return absolute;
}

static bool take_config(struct options *options, const char *value)
{
	options->is_config_given = true;
	return (options->config = absolute_path(value)) != NULL;
}

static bool take_filelog(struct options *options, const char *value)
{
	if (strcmp(value, "-") == 0)
		value = "/dev/stdout";
	return (options->log_file = absolute_path(value)) != NULL;
}

static bool take_syslog(struct options *options, const char *value)
{
	options->log_facility = syslog_facility(value);
	return options->log_facility >= 0;
}

static bool take_syslog_tag(struct options *options, const char *value)
{
	(void)options;
	own_tag_take(value);
	return *value;
}

static bool take_log_format(struct options *options, const char *value)
{
	for (unsigned i = 0; i < LOG_FORMATS; i++)
		if (strcmp(value, log_format_name((enum log_format)i)) == 0) {
			options->log_format = i;
			return true;
		}
	return false;
}

static bool take_pidfile(struct options *options, const char *value)
{
	return (options->pid_file = absolute_path(value)) != NULL;
}

static bool take_limit(struct options *options, const char *value)
{
	return take_number(&options->process_limit, value);
}

static bool take_logprocs(struct options *options, const char *value)
{
	return take_number(&options->log_processes, value);
}

static bool take_cc(struct options *options, const char *value)
{
	return take_number(&options->check_interval, value);
}

static bool take_stayalive(struct options *options, const char *value)
{
	(void)value;
	return options->stay_alive = true;
}

static bool take_dontfork(struct options *options, const char *value)
{
	(void)value;
	return options->foreground = options->stay_alive = true;
}

static bool take_debug(struct options *options, const char *value)
{
	(void)value;
	return options->debug = options->foreground = true;
}

static bool take_inetd_compat(struct options *options, const char *value)
{
	(void)value;
	return options->inetd_compat = true;
}

/* For options without effect. */
static bool take_nothing(struct options *options, const char *value)
{
	(void)options;
	(void)value;
	return true;
}

static bool take_shutdownprocs(struct options *options, const char *value)
{
	(void)options;
	(void)value;
	fputs("The shutdownprocs option has been deprecated.\n", stderr);
	return true;
}

static bool take_check(struct options *options, const char *value)
{
	options->command = COMMAND_CHECK;
	options->as_json = value && strcmp(value, "json") == 0;
	return !value || options->as_json || strcmp(value, "text") == 0;
}

static bool take_print(struct options *options, const char *value)
{
	(void)value;
	options->command = COMMAND_PRINT;
	return true;
}

static bool take_explain(struct options *options, const char *value)
{
	options->command = COMMAND_EXPLAIN;
	options->explain[0] = value;
	return true;
}

/* Further files follow when all options are known. */
static bool take_import(struct options *options, const char *value)
{
	options->command = COMMAND_IMPORT;
	options->import[0] = value;
	return true;
}

/* The other words follow when all options are known. */
static bool take_serve(struct options *options, const char *value)
{
	options->serve.port = value;
	return options->foreground = *value;
}

static bool take_request(struct options *options, const char *command, const char *word)
{
	options->command = COMMAND_ASK;
	options->request[0] = command;
	options->request[1] = word;
	return true;
}

static bool take_status(struct options *options, const char *value)
{
	return take_request(options, "status", value ? value : "table") &&
	       (!value || strcmp(value, "json") == 0 || strcmp(value, "prometheus") == 0);
}

static bool take_reload(struct options *options, const char *value)
{
	return take_request(options, "reload", value);
}

static bool take_pause(struct options *options, const char *value)
{
	return take_request(options, "pause", value);
}

static bool take_resume(struct options *options, const char *value)
{
	return take_request(options, "resume", value);
}

static bool take_end(struct options *options, const char *value)
{
	return take_request(options, "end", value);
}

static bool take_unban(struct options *options, const char *value)
{
	return take_request(options, "unban", value);
}

static bool take_version(struct options *options, const char *value)
{
	(void)value;
	options->command = COMMAND_VERSION;
	return true;
}

static bool take_help(struct options *options, const char *value)
{
	(void)value;
	options->command = COMMAND_HELP;
	return true;
}

static const struct {
	const char *name;
	int argument; /* of struct option */
	option_taker *take;
	const char *value, *help;
} table[] = {
	{ "f", required_argument, take_config, "FILE",
	  "read FILE in place of " CONFIG_OF_XINETD
	  " or, where there is none, " CONFIG_OF_OUR_OWN },
	{ "serve", required_argument, take_serve, "PORT [ATTRIBUTE=VALUE ...] -- PROGRAM [ARGS]",
	  "serve a program without any file, in the foreground" },
	{ "filelog", required_argument, take_filelog, "FILE", "log to FILE" },
	{ "syslog", required_argument, take_syslog, "FACILITY", "log to syslog's FACILITY" },
	{ "syslog_tag", required_argument, take_syslog_tag, "NAME",
	  "the daemon's name in syslog and the journal" },
	{ "log_format", required_argument, take_log_format, "FORMAT",
	  "log as xinetd does, or as json, or to the journal" },
	{ "pidfile", required_argument, take_pidfile, "FILE", "write the process id to FILE" },
	{ "limit", required_argument, take_limit, "N", "run at most N programs at a time" },
	{ "logprocs", required_argument, take_logprocs, "N",
	  "ask for at most N refused users' names at a time" },
	{ "cc", required_argument, take_cc, "SECONDS", "check the state every SECONDS" },
	{ "dontfork", no_argument, take_dontfork, NULL, "stay in the foreground, and alive" },
	{ "stayalive", no_argument, take_stayalive, NULL, "go on without any services" },
	{ "d", no_argument, take_debug, NULL, "stay in the foreground and say more" },
	{ "inetd_compat", no_argument, take_inetd_compat, NULL,
	  "read " SYSCONFDIR "/inetd.conf too" },
	{ "inetd_ipv6", no_argument, take_nothing, NULL,
	  "accepted for Debian's sake: inetd.conf is served over IPv6 too" },
	{ "check", optional_argument, take_check, "json",
	  "say what is wrong with the configuration, and exit" },
	{ "print", no_argument, take_print, NULL, "print the effective configuration, and exit" },
	{ "explain", required_argument, take_explain, "SERVICE ADDRESS [H:MM]",
	  "say whether that peer would be served, and why, and exit" },
	{ "import", required_argument, take_import, "FILE ...",
	  "print entries for systemd units, socat lines, JAIL_ variables, nsjail.cfg" },
	{ "status", optional_argument, take_status, "json|prometheus",
	  "ask the running daemon how it is; status 0: every service is up" },
	{ "reload", no_argument, take_reload, NULL,
	  "make the running daemon read its configuration, and wait" },
	{ "pause", required_argument, take_pause, "SERVICE [SECONDS]",
	  "let the service's clients wait in the kernel" },
	{ "resume", required_argument, take_resume, "SERVICE", "end a pause" },
	{ "end", required_argument, take_end, "SESSION", "end a session that -status lists" },
	{ "unban", required_argument, take_unban, "ADDRESS", "end the ban of an address" },
	{ "reuse", no_argument, take_nothing, NULL, "accepted for xinetd's sake: it is always so" },
	{ "shutdownprocs", required_argument, take_shutdownprocs, "N",
	  "accepted for xinetd's sake, without effect" },
	{ "version", no_argument, take_version, NULL, "print the version, and exit" },
	{ "help", no_argument, take_help, NULL, "print this list, and exit" },
};

enum { OPTIONS = sizeof table / sizeof table[0] };

const char *const *options_names(void)
{
	static const char *names[OPTIONS + 1];

	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = table[i].name;
	return names;
}

enum { HELP_COLUMN = 34 };

void options_print_help(void)
{
	static const char next_line[] = "\n                                    ";

	puts("usage: usherd [options]");
	for (size_t i = 0; i < OPTIONS; i++) {
		bool optional = table[i].argument == optional_argument;
		char left[64];

		snprintf(left, sizeof left, "-%s%s%s%s", table[i].name,
			 optional         ? "[="
			 : table[i].value ? " "
					  : "",
			 table[i].value ? table[i].value : "", optional ? "]" : "");
		printf("  %-*s%s%s\n", HELP_COLUMN, left,
		       strlen(left) < HELP_COLUMN ? "" : next_line, table[i].help);
	}
}

static void misuse(struct options *options, const char *what, const char *which)
{
	fprintf(stderr, "usherd: %s%s\nUsage: usherd [options]; usherd -help lists them\n", what,
		which);
	options->command = COMMAND_MISUSED;
}

/* Ignores an unknown option. False unless the program's name is xinetd, or when there are
 * too many. */
static bool pass_over(struct options *options, const char *option)
{
	size_t count = 0;

	while (options->unknown[count])
		count++;
	if (strcmp(own_name(), "xinetd") != 0 || count == UNKNOWN_MAX)
		return false;
	options->unknown[count] = option;
	fprintf(stderr, "usherd: unknown option %s: it has no effect\n", option);
	return true;
}

/* Words that take_words has refused; first is the first one. */
static void misuse_words(struct options *options, const char *first)
{
	if (options->command == COMMAND_EXPLAIN)
		misuse(options, "-explain takes SERVICE ADDRESS [H:MM]", "");
	else if (options->command == COMMAND_IMPORT)
		misuse(options, "there are too many files for -import", "");
	else
		misuse(options, "not an option: ", first);
}

static void fill_long_options(struct option longs[OPTIONS + 1])
{
	for (size_t i = 0; i < OPTIONS; i++)
		longs[i] = (struct option){ table[i].name, table[i].argument, NULL, 0 };
	longs[OPTIONS] = (struct option){ 0 };
}

/* The files after the first one, which getopt knows. */
static bool take_files(struct options *options, int count, char **words)
{
	for (int i = 0; i < count && i + 1 < IMPORT_FILES_MAX; i++)
		options->import[i + 1] = words[i];
	return count < IMPORT_FILES_MAX;
}

/* -explain has two or three words, and -pause one or two, of which getopt knows the first. */
static bool take_words(struct options *options, int count, char **words)
{
	if (options->command == COMMAND_IMPORT)
		return take_files(options, count, words);
	if (options->command == COMMAND_ASK && count == 1 &&
	    strcmp(options->request[0], "pause") == 0) {
		options->request[2] = words[0];
		return true;
	}
	if (options->command != COMMAND_EXPLAIN || count < 1 || count > 2)
		return count == 0 && options->command != COMMAND_EXPLAIN;
	options->explain[1] = words[0];
	options->explain[2] = count == 2 ? words[1] : NULL;
	return true;
}

/* How many words stand after the first "--". */
static int words_after_dashes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argc - i - 1;
	return 0;
}

/* The attributes of -serve, and behind "--" its program, which are count and after words. */
static void take_service(struct options *options, char **words, int count, int after)
{
	options->serve.attributes = (const char *const *)words;
	options->serve.count = (size_t)(count - after);
	options->serve.program = options->serve.attributes + options->serve.count;
}

/* Where there is xinetd's file, it goes on to be the one that counts. */
static const char *default_config(void)
{
	if (access(CONFIG_OF_XINETD, F_OK) == 0 || errno != ENOENT ||
	    strcmp(own_name(), "xinetd") == 0)
		return CONFIG_OF_XINETD;
	return CONFIG_OF_OUR_OWN;
}

struct options options_parse(int argc, char **argv)
{
	struct options options = {
		.config = default_config(),
		.log_facility = -1,
		.log_processes = LOG_PROCESSES,
	};
	struct option longs[OPTIONS + 1];
	int found, index, after = words_after_dashes(argc, argv);

	fill_long_options(longs);
	opterr = 0;
	while ((found = getopt_long_only(argc, argv, ":", longs, &index)) != -1) {
		if (found == '?' && pass_over(&options, argv[optind - 1]))
			continue;
		if (found != 0) {
			misuse(&options,
			       found == ':' ? "a value is missing after " : "unknown option: ",
			       argv[optind - 1]);
			return options;
		}
		if (!table[index].take(&options, optarg)) {
			misuse(&options, "bad value for -", table[index].name);
			return options;
		}
	}
	if (options.serve.port && options.command == COMMAND_EXPLAIN)
		misuse(&options, "-serve and -explain exclude each other", "");
	else if (options.serve.port)
		take_service(&options, argv + optind, argc - optind, after);
	else if (!take_words(&options, argc - optind, argv + optind))
		misuse_words(&options, optind < argc ? argv[optind] : "");
	else if (options.log_file && options.log_facility >= 0)
		misuse(&options, "-filelog and -syslog exclude each other", "");
	return options;
}
