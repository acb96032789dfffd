#include "support/configuration.h"

#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct load_options load_options;
struct problems load_problems;

static struct settings *loaded;

static bool is_built_in(const char *name, int socket_type)
{
	static const char *const names[] = { "echo", "discard", "daytime", "time", "chargen" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(name, names[i]) == 0)
			return socket_type == SOCK_STREAM || socket_type == SOCK_DGRAM;
	return strcasecmp(name, "tcpmux") == 0 && socket_type == SOCK_STREAM;
}

void configuration_make(void)
{
	place_make();
	place_write("services",
		    "echo 7/tcp\necho 7/udp\ndiscard 9/tcp\ndiscard 9/udp\n"
		    "daytime 13/tcp\ndaytime 13/udp\nftp 21/tcp\ntelnet 23/tcp\ntftp 69/udp\n"
		    "ident 113/tcp\ntcpmux 1/tcp\n");
	place_write("top.conf", "daemon\n{\n\tport_map = services\n}\ninclude usherd.conf\n");
	place_write("usherd.conf", "# nothing\n");
	load_options = (struct load_options){
		.config = place_path("top.conf"),
		.start_directory = place_path("."),
		.internal_exists = is_built_in,
		.advise = true,
	};
	loaded = NULL;
}

void configuration_remove(void)
{
	settings_free(loaded);
	loaded = NULL;
	problems_clear(&load_problems);
	place_remove();
}

struct settings *configuration_load_again(void)
{
	settings_free(loaded);
	problems_clear(&load_problems);
	load_options.trusted = config_owner(load_options.config);
	loaded = settings_load(&load_options, &load_problems);
	return loaded;
}

struct settings *configuration_load(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	place_write("usherd.conf", "%s", textv(format, values));
	va_end(values);
	return configuration_load_again();
}

struct settings *configuration_load_inetd(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	place_write("inetd.conf", "%s", textv(format, values));
	va_end(values);
	place_write("usherd.conf", "# nothing\n");
	load_options.inetd_conf = place_path("inetd.conf");
	return configuration_load_again();
}

struct service_settings *configuration_service(const char *id)
{
	for (size_t i = 0; loaded && i < loaded->count; i++)
		if (strcmp(loaded->services[i]->id, id) == 0)
			return loaded->services[i];
	return NULL;
}

bool configuration_said(enum severity severity, int line, const char *text)
{
	for (size_t i = 0; i < load_problems.count; i++) {
		const struct problem *problem = &load_problems.list[i];

		if (problem->severity == severity && problem->line == line &&
		    strstr(problem->text, text))
			return true;
	}
	return false;
}

unsigned configuration_complaints(enum severity least)
{
	unsigned count = 0;

	for (size_t i = 0; i < load_problems.count; i++)
		count += load_problems.list[i].severity >= least;
	return count;
}

const char *configuration_complaints_text(void)
{
	const char *text = "";

	for (size_t i = 0; i < load_problems.count; i++) {
		const struct problem *problem = &load_problems.list[i];
		const char *slash = problem->file ? strrchr(problem->file, '/') : NULL;

		text = textf("%s%s %s:%d: %s\n", text, severity_name(problem->severity),
			     slash ? slash + 1 : "", problem->line, problem->text);
	}
	return text;
}

const char *configuration_print(void)
{
	const char *text = "";

	for (size_t i = 0; loaded && i < loaded->count; i++)
		text = textf("%sservice %s\n{\n%s}\n", text, loaded->services[i]->name,
			     loaded->services[i]->canonical);
	return text;
}
