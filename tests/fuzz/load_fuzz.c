/* The whole load: files that include each other, values of every attribute, and the
 * output of -print, which must load again and print the same.
 *
 * A line "--- NAME" in the input begins the file of that name, if it is one of
 * those below; text before the first such line goes into "top". The loaded file
 * includes "top" and names "services" as the port map: the machine's own would take
 * long to read. */
#include "config/attributes.h"
#include "config/loader.h"
#include "handlers/handler.h"
#include "inspect/inspect.h"

#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const file_names[] = {
	"top",      "one",        "two",   "several/one", "several/two",
	"services", "inetd.conf", "start", "printed",
};

enum {
	FILES = sizeof file_names / sizeof file_names[0],
	TOP = 0,
	SERVICES = 5,
	INETD_CONF = 6,
	START = 7,
	PRINTED = 8,
};

static const char start_text[] = "daemon\n{\nport_map = services\n}\ninclude top\n";
static const char services_text[] = "echo 7/tcp\necho 7/udp\ndaytime 13/tcp\ndaytime 13/udp\n"
				    "tcpmux 1/tcp\nftp 21/tcp\nshell 514/tcp cmd\n";

static char place[] = "/tmp/usherd-load-fuzz-XXXXXX";
static char paths[FILES][sizeof place + 16];

/* --- the files ------------------------------------------------------------------ */

static void leave_place(void)
{
	char several[sizeof place + 16];

	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	snprintf(several, sizeof several, "%s/several", place);
	rmdir(several);
	rmdir(place);
}

static void make_place(void)
{
	char several[sizeof place + 16];

	umask(022);
	require(mkdtemp(place) != NULL);
	for (int i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof paths[i], "%s/%s", place, file_names[i]);
	snprintf(several, sizeof several, "%s/several", place);
	require(mkdir(several, 0755) == 0);
	atexit(leave_place);
}

static void append(int file, const void *bytes, size_t length)
{
	FILE *out = fopen(paths[file], "ae");

	require(out && fwrite(bytes, 1, length, out) == length && fclose(out) == 0);
}

/* The file that begins with this line; -1: it is an ordinary line. */
static int file_begun_by(struct input line)
{
	for (int i = 0; i < START; i++)
		if (line.length == strlen(file_names[i]) + 4 &&
		    memcmp(line.bytes, "--- ", 4) == 0 &&
		    memcmp(line.bytes + 4, file_names[i], line.length - 4) == 0)
			return i;
	return -1;
}

static void write_files(struct input input)
{
	const uint8_t *start = input.bytes;
	int file = TOP;

	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	append(START, start_text, strlen(start_text));
	append(TOP, "", 0);
	while (input.length > 0) {
		struct input line = input_line(&input);
		int next = file_begun_by(line);

		if (next < 0 && input.length > 0)
			continue;
		append(file, start, (size_t)((next < 0 ? input.bytes : line.bytes) - start));
		start = input.bytes;
		file = next;
	}
	if (access(paths[SERVICES], F_OK) < 0)
		append(SERVICES, services_text, strlen(services_text));
}

/* --- the contract of one load ------------------------------------------------------ */

static void check_problem(const struct problem *problem)
{
	require(problem->text && problem->text[0]);
	require(!strpbrk(problem->text, "\n\r\033\177"));
	require(problem->line >= 0 && (problem->line == 0 || problem->file));
}

static void check_problems(const struct problems *problems)
{
	size_t errors = 0;

	for (size_t i = 0; i < problems->count; i++) {
		check_problem(&problems->list[i]);
		errors += problems->list[i].severity == ERROR;
	}
	require(errors <= problems->errors);
	require(errors == problems->errors || problems->omitted > 0);
}

static void check_attribute_line(const char *line)
{
	char name[32];
	int index;

	require(sscanf(line, "\t%31[a-z0-9_] ", name) == 1);
	index = attribute_find(name);
	require(index >= 0 && (attributes[index].places & IN_SERVICE));
}

static bool runs_program(const struct service_settings *service)
{
	return service->server && !service_is_internal(service) && !service->redirect_host;
}

static void check_service(const struct service_settings *service)
{
	require(service->references == 1 && service->file && service->line > 0);
	require(service->name && service->name[0] && service->id && service->id[0]);
	require(service->port >= 0 && service->port <= UINT16_MAX);
	require(!service->disable && service->canonical);
	require(!runs_program(service) || (service->argv && service->argv[0]));
	require(!service->server || service->server[0] == '/');
	require(!service->user || service->uid != (uid_t)-1);
	require(!service->group_is_set || service->gid != (gid_t)-1);
	for (const char *line = service->canonical; *line; line = strchr(line, '\n') + 1)
		check_attribute_line(line);
}

static void check_settings(const struct settings *settings, const struct problems *problems)
{
	const struct left_out *entry;

	require(settings || problems->errors > 0);
	if (!settings)
		return;
	for (size_t i = 0; i < settings->count; i++)
		check_service(settings->services[i]);
	STAILQ_FOREACH(entry, &settings->left_out, link) {
		require(entry->id && entry->name && entry->file && entry->why);
		require(!entry->is_broken || problems->errors > 0);
		require(!entry->is_broken || settings_has_broken(settings, entry->id));
	}
	require(!settings->lost_entries || problems->errors > 0);
}

static struct settings *load(int file, const char *inetd_conf, bool advise)
{
	struct load_options options = {
		.config = paths[file],
		.inetd_conf = inetd_conf,
		.start_directory = place,
		.internal_exists = handler_is_built_in,
		.advise = advise,
	};
	struct problems problems = { 0 };
	struct settings *settings = settings_load(&options, &problems);

	check_problems(&problems);
	check_settings(settings, &problems);
	problems_clear(&problems);
	return settings;
}

/* --- printing, and loading that ----------------------------------------------------- */

/* To be freed. */
static char *print(const struct settings *settings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL);
	inspect_print_settings(settings, out);
	require(fclose(out) == 0 && text && strlen(text) == size);
	return text;
}

/* Comments at the top name the entries that were left out. */
static const char *after_comments(const char *text)
{
	while (*text == '#')
		text = strchr(text, '\n') + 1;
	return text;
}

/* The length of the services; disabled entries follow them. */
static size_t services_length(const char *services)
{
	const char *disabled = strstr(services, "\n# ");

	return disabled ? (size_t)(disabled - services) : strlen(services);
}

/* The disabled entries are still there. */
static void check_disabled(const struct settings *settings, const struct settings *again)
{
	const struct left_out *entry;
	int kept = 0;

	STAILQ_FOREACH(entry, &settings->left_out, link)
		kept += entry->body != NULL;
	STAILQ_FOREACH(entry, &again->left_out, link)
		kept -= !entry->is_broken;
	require(kept == 0);
}

static void check_round_trip(const struct settings *settings)
{
	char *first = print(settings), *second;
	const char *services, *services_again;
	struct settings *again;

	append(PRINTED, first, strlen(first));
	again = load(PRINTED, NULL, false);
	require(again && again->count == settings->count && !again->lost_entries);
	second = print(again);
	services = after_comments(first);
	services_again = after_comments(second);
	require(services_length(services) == strlen(services_again));
	require(memcmp(services, services_again, strlen(services_again)) == 0);
	check_disabled(settings, again);
	settings_free(again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *inetd_conf = paths[INETD_CONF];
	struct settings *settings;

	if (!paths[0][0])
		make_place();
	write_files((struct input){ bytes, length });
	settings = load(START, access(inetd_conf, F_OK) == 0 ? inetd_conf : NULL, true);
	if (settings)
		check_round_trip(settings);
	settings_free(settings);
	return 0;
}
