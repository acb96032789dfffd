#include "inspect/inspect.h"

#include "base/log.h"
#include "config/word_list.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void print_words(const char *attribute, const struct strings *words, FILE *out)
{
	struct text line = { 0 };

	for (size_t i = 0; i < words->count; i++)
		word_print(words->list[i], &line);
	fprintf(out, "\t%-15s =%.*s\n", attribute, (int)line.length, line.bytes);
	text_free(&line);
}

static bool cuts_addresses(const struct daemon_settings *daemon)
{
	return daemon->log_anonymize.in4 < 32 || daemon->log_anonymize.in6 < 128;
}

static void print_word(const char *attribute, const char *word, FILE *out)
{
	struct strings words = { .list = (char *[]){ (char *)(uintptr_t)word }, .count = 1 };

	if (word)
		print_words(attribute, &words, out);
}

/* True when no attribute of the daemon is set. */
static bool is_plain(const struct daemon_settings *daemon)
{
	const void *const set[] = {
		daemon->status_file,   daemon->ban_file,     daemon->control_socket,
		daemon->control_group, daemon->status_group, daemon->metrics_file,
		daemon->user
	};

	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
		if (set[i])
			return false;
	return !daemon->port_maps.is_set && !daemon->has_no_control && !daemon->watch &&
	       daemon->status_mode == STATUS_MODE && daemon->log_format < 0 &&
	       !cuts_addresses(daemon);
}

static void print_daemon(const struct daemon_settings *daemon, FILE *out)
{
	if (is_plain(daemon))
		return;
	fputs("\ndaemon\n{\n", out);
	if (daemon->port_maps.is_set)
		print_words("port_map", &daemon->port_maps, out);
	print_word("status_file", daemon->status_file, out);
	if (daemon->status_mode != STATUS_MODE)
		fprintf(out, "\tstatus_mode     = %03o\n", (unsigned)daemon->status_mode);
	print_word("ban_file", daemon->ban_file, out);
	print_word("control_socket", daemon->has_no_control ? "none" : daemon->control_socket, out);
	print_word("control_group", daemon->control_group, out);
	print_word("status_group", daemon->status_group, out);
	print_word("metrics_file", daemon->metrics_file, out);
	if (cuts_addresses(daemon))
		fprintf(out, "\tlog_anonymize   = %d %d\n", daemon->log_anonymize.in4,
			daemon->log_anonymize.in6);
	if (daemon->log_format >= 0)
		fprintf(out, "\tlog_format      = %s\n",
			log_format_name((enum log_format)daemon->log_format));
	print_word("user", daemon->user, out);
	print_word("watch", daemon->watch ? "yes" : NULL, out);
	fputs("}\n", out);
}

/* True for an inherited log: it is one log, with one limit, for all services that inherit
 * it, so it must be printed in defaults. Other attributes can be printed in each service. */
static bool shares_log(const struct service_settings *service)
{
	return service->log.is_common && service->log_line.length > 0;
}

static void print_defaults(const struct settings *settings, FILE *out)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct service_settings *service = settings->services[i];

		if (shares_log(service)) {
			fprintf(out, "\ndefaults\n{\n%.*s}\n", service->log_line.length,
				service->canonical + service->log_line.start);
			return;
		}
	}
}

static void print_service(const struct service_settings *service, FILE *out)
{
	const char *body = service->canonical;

	fprintf(out, "\nservice %s\n{\n", service->name);
	if (shares_log(service)) {
		fprintf(out, "%.*s", service->log_line.start, body);
		body += service->log_line.start + service->log_line.length;
	}
	fprintf(out, "%s}\n", body);
}

static void print_left_out(const struct settings *settings, FILE *out)
{
	const char *title = "# Left out:\n";
	const struct left_out *entry;

	STAILQ_FOREACH(entry, &settings->left_out, link) {
		if (entry->body)
			continue; /* see print_disabled */
		fprintf(out, "%s#   %s (%s:%d): %s\n", title, entry->id, entry->file, entry->line,
			entry->why);
		title = "";
	}
	if (settings->lost_entries)
		fputs("# Some text could not be understood and is left out, too; see -check.\n",
		      out);
}

/* With the newline. */
static int line_length(const char *line)
{
	return (int)(strcspn(line, "\n") + 1);
}

/* A disabled entry, to be enabled when its program is installed. */
static void print_disabled(const struct left_out *entry, FILE *out)
{
	static const char disable[] = "\tdisable ";
	const char *line = entry->body;

	fprintf(out, "\n# %s (%s:%d) is disabled: %s.\nservice %s\n{\n%s        = yes\n", entry->id,
		entry->file, entry->line, entry->why, entry->name, disable);
	for (; *line; line += line_length(line))
		if (strncmp(line, disable, strlen(disable)) != 0)
			fprintf(out, "%.*s", line_length(line), line);
	fputs("}\n", out);
}

void inspect_print_settings(const struct settings *settings, FILE *out)
{
	const struct left_out *entry;

	fputs("# The effective configuration, as usherd -print writes it.\n", out);
	print_left_out(settings, out);
	print_daemon(&settings->daemon, out);
	print_defaults(settings, out);
	for (size_t i = 0; i < settings->count; i++)
		print_service(settings->services[i], out);
	STAILQ_FOREACH(entry, &settings->left_out, link)
		if (entry->body)
			print_disabled(entry, out);
}

/* The exit status must say whether the output is complete: it may replace files. */
static int finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "usherd: can't write the configuration: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

int inspect_print(const struct load_options *options)
{
	struct load_options without_advice = *options;
	struct problems problems = { 0 };
	struct settings *settings;
	int status = EXIT_FAILURE;

	without_advice.advise = false;
	settings = settings_load(&without_advice, &problems);
	inspect_report(&problems, WARNING, stderr);
	if (settings) {
		inspect_print_settings(settings, stdout);
		status = finish_output();
	}
	problems_clear(&problems);
	settings_free(settings);
	return status;
}
