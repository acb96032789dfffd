#include "import/readers.h"

#include "import/units.h"

#include <stdio.h>
#include <string.h>

enum { LISTENS_MAX = 32, VALUE_SIZE = 256 };

#define UNSET UINT64_MAX

struct listen {
	char where[VALUE_SIZE];
	bool is_datagram;
	int line;
};

/* A .socket with its .service, while they are read. */
struct pair {
	struct draft draft;
	const struct import_file *socket, *service;
	struct listen listens[LISTENS_MAX];
	size_t listens_count;
	bool accepts, has_input_socket;
	char service_name[VALUE_SIZE]; /* Service=; "" */
	uint64_t interval, burst;      /* TriggerLimit...; UNSET: what systemd takes then */
};

static struct span span_of(const char *text)
{
	return (struct span){ text, text + strlen(text) };
}

static void copy_span(char to[VALUE_SIZE], struct span from)
{
	snprintf(to, VALUE_SIZE, "%.*s", (int)span_length(from), from.start);
}

/* --- [Socket] ------------------------------------------------------------------------------ */

static void add_listen(struct pair *pair, struct span value, int line, bool is_datagram)
{
	struct listen *next = &pair->listens[pair->listens_count];

	if (span_is_empty(value)) {
		pair->listens_count = 0;
	} else if (strchr("/@", *value.start) || memchr(value.start, '%', span_length(value)) ||
		   span_length(value) >= VALUE_SIZE ||
		   (span_length(value) > 5 && memcmp(value.start, "vsock", 5) == 0)) {
		import_note(pair->draft.import, value,
			    "only TCP and UDP ports are served; give the program a port");
	} else if (pair->listens_count == LISTENS_MAX) {
		import_note(pair->draft.import, value, "there are too many sockets");
	} else {
		copy_span(next->where, value);
		next->is_datagram = is_datagram;
		next->line = line;
		pair->listens_count++;
	}
}

static void take_listen_stream(struct pair *pair, const struct unit *unit)
{
	add_listen(pair, unit->value, unit->lines.number, false);
}

static void take_listen_datagram(struct pair *pair, const struct unit *unit)
{
	add_listen(pair, unit->value, unit->lines.number, true);
}

static void take_accept(struct pair *pair, const struct unit *unit)
{
	if (!value_truth(unit->value, &pair->accepts))
		import_note(pair->draft.import, unit->name, "this is neither yes nor no");
}

static void take_service(struct pair *pair, const struct unit *unit)
{
	copy_span(pair->service_name, unit->value);
}

static void take_trigger_interval(struct pair *pair, const struct unit *unit)
{
	if (!value_time(unit->value, &pair->interval))
		import_note(pair->draft.import, unit->name, "this is not a time");
}

static void take_trigger_burst(struct pair *pair, const struct unit *unit)
{
	if (!span_number(unit->value, INT32_MAX, &pair->burst))
		import_note(pair->draft.import, unit->name, "this is not a number");
}

/* --- [Service] ----------------------------------------------------------------------------- */

static void note_word(struct pair *pair, struct span word)
{
	if (memchr(word.start, '%', span_length(word)))
		import_note(pair->draft.import, word,
			    "specifiers are not replaced; placeholders = yes has names for some");
	else if (memchr(word.start, '$', span_length(word)))
		import_note(pair->draft.import, word, "variables are not replaced in arguments");
}

static void take_program(struct pair *pair, const struct unit *unit)
{
	struct span value = unit->value;
	bool has_name = false;
	struct words words;

	while (!span_is_empty(value) && strchr("-@:+!|", *value.start))
		has_name |= *value.start++ == '@';
	draft_unset(&pair->draft, "server");
	draft_unset(&pair->draft, "server_args");
	if (!words_split(&words, value, WORDS_SHELL))
		import_note(pair->draft.import, unit->name, "there are too many words");
	for (size_t i = 0; i < words.count; i++) {
		struct span word = words_get(&words, i);

		note_word(pair, word);
		if (i == 0)
			draft_set_program(&pair->draft, word);
		else
			draft_add(&pair->draft, "server_args", word);
	}
	if (has_name)
		draft_add_flag(&pair->draft, "NAMEINARGS");
	words_free(&words);
}

static void take_input(struct pair *pair, const struct unit *unit)
{
	pair->has_input_socket = span_is(unit->value, "socket");
}

/* --- both ---------------------------------------------------------------------------------- */

static const struct setting {
	const char *section, *name;
	void (*take)(struct pair *, const struct unit *);
} settings[] = {
	{ "Socket", "ListenStream", take_listen_stream },
	{ "Socket", "ListenDatagram", take_listen_datagram },
	{ "Socket", "Accept", take_accept },
	{ "Socket", "Service", take_service },
	{ "Socket", "TriggerLimitIntervalSec", take_trigger_interval },
	{ "Socket", "TriggerLimitBurst", take_trigger_burst },
	{ "Service", "ExecStart", take_program },
	{ "Service", "StandardInput", take_input },
};

static bool take_setting(struct pair *pair, const struct unit *unit)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		if (!span_is(unit->section, settings[i].section) ||
		    !span_is(unit->name, settings[i].name))
			continue;
		settings[i].take(pair, unit);
		return true;
	}
	return false;
}

/* An empty value is as if nothing had been set. */
static void apply_rules(struct pair *pair, const struct rule *rules, const struct unit *unit)
{
	const struct rule *rule = rule_find(rules, unit->name);

	if (span_is_empty(unit->value) && rule && rule->attribute &&
	    !span_is(unit->name, "CapabilityBoundingSet"))
		draft_unset(&pair->draft, rule->attribute);
	else
		rules_apply(rules, &pair->draft, unit->name, unit->value);
}

/* Settings that say when a unit is started, or describe it for people, mean nothing here. */
static bool is_about_unit(struct span name)
{
	static const char *const silent[] = { "Description",    "Documentation", "WantedBy",
					      "RequiredBy",     "Also",          "Alias",
					      "DefaultInstance" };

	for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
		if (span_is(name, silent[i]))
			return true;
	return false;
}

static void read_settings(struct pair *pair, const struct import_file *file)
{
	struct import *import = pair->draft.import;
	struct unit unit;

	import->file = file->name;
	if (unit_begin(&unit, file) < 0)
		return;
	while (unit_next(&unit)) {
		import->line = unit.lines.number;
		if (take_setting(pair, &unit))
			continue;
		if (span_is(unit.section, "Socket"))
			apply_rules(pair, unit_socket_rules, &unit);
		else if (span_is(unit.section, "Service"))
			apply_rules(pair, unit_service_rules, &unit);
		else if (!is_about_unit(unit.name))
			import_note(import, unit.name,
				    "a service depends on nothing but its own entry");
	}
	unit_end(&unit);
}

/* --- which service ------------------------------------------------------------------------- */

static bool has_section(const struct import_file *file, const char *section)
{
	struct lines lines;
	struct span line;

	lines_begin(&lines, file->text, file->length);
	while (lines_next(&lines, &line))
		if (span_is(line, section))
			return true;
	return false;
}

bool systemd_has_socket(const struct import_file *file)
{
	return has_section(file, "[Socket]");
}

bool systemd_is_unit(const struct import_file *file)
{
	return has_section(file, "[Service]");
}

static const char *file_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The name without what follows the last dot. */
static struct span unit_name(const struct import_file *file)
{
	const char *name = file_part(file->name), *dot = strrchr(name, '.');

	return (struct span){ name, dot && dot > name ? dot : name + strlen(name) };
}

/* True for the service that the .socket starts: Service=, or by its name, of which the part
 * before the @ counts. */
static bool is_service_of(const struct pair *pair, const struct import_file *file)
{
	struct span socket = unit_name(pair->socket), service = unit_name(file);

	if (!has_section(file, "[Service]"))
		return false;
	if (*pair->service_name)
		return strcmp(file_part(file->name), pair->service_name) == 0;
	if (span_length(service) > 0 && service.end[-1] == '@') {
		service.end--;
		if (!pair->accepts)
			return false;
	} else if (pair->accepts) {
		return false;
	}
	return span_length(service) == span_length(socket) &&
	       memcmp(service.start, socket.start, span_length(socket)) == 0;
}

static const struct import_file *find_service(const struct pair *pair)
{
	const struct import *import = pair->draft.import;

	for (size_t i = 0; i < import->files_count; i++)
		if (&import->files[i] != pair->socket && is_service_of(pair, &import->files[i]))
			return &import->files[i];
	return NULL;
}

/* --- the entries --------------------------------------------------------------------------- */

/* PORT, ADDRESS:PORT or [ADDRESS]:PORT; address is empty when there is none. */
static void split_address(const struct listen *listen, struct span *address, struct span *port)
{
	const char *colon = strrchr(listen->where, ':');

	*port = *address = span_of(listen->where);
	address->end = colon ? colon : address->start;
	port->start = colon ? colon + 1 : port->start;
	if (span_length(*address) > 2 && *address->start == '[' && address->end[-1] == ']')
		*address = (struct span){ address->start + 1, address->end - 1 };
}

static bool is_same_port(const struct listen *one, const struct listen *other)
{
	struct span address, port, other_port;

	split_address(one, &address, &port);
	split_address(other, &address, &other_port);
	return one->is_datagram == other->is_datagram &&
	       span_length(port) == span_length(other_port) &&
	       memcmp(port.start, other_port.start, span_length(port)) == 0;
}

/* Sets port, and to bind the addresses of all sockets with it, from the first one on. */
static void set_addresses(struct pair *pair, size_t first)
{
	struct draft *draft = &pair->draft;
	bool is_any = false;
	struct span address, port;

	draft_unset(draft, "bind");
	for (size_t i = first; i < pair->listens_count; i++) {
		if (!is_same_port(&pair->listens[first], &pair->listens[i]))
			continue;
		split_address(&pair->listens[i], &address, &port);
		is_any |= span_is_empty(address);
		if (!span_is_empty(address))
			draft_add(draft, "bind", address);
	}
	if (is_any)
		draft_unset(draft, "bind");
	split_address(&pair->listens[first], &address, &port);
	draft_unset(draft, "port");
	draft_add(draft, "port", port);
}

static bool is_first_of_port(const struct pair *pair, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same_port(&pair->listens[i], &pair->listens[index]))
			return false;
	return true;
}

/* What the unit does not set gets systemd's defaults: two seconds, and a burst by Accept=. */
static void set_rate(struct pair *pair)
{
	enum { INTERVAL = 2, BURST_ACCEPTED = 200, BURST = 20, PAUSE = 10, DAY = 86400 };
	uint64_t burst = pair->burst != UNSET ? pair->burst
			 : pair->accepts      ? BURST_ACCEPTED
					      : BURST;
	uint64_t interval = pair->interval != UNSET ? pair->interval : INTERVAL;

	if (burst == 0 || interval == 0)
		draft_set(&pair->draft, "cps", "0 0");
	else
		draft_set_format(&pair->draft, "cps", "%llu/%llu %d", (unsigned long long)burst,
				 (unsigned long long)(interval < DAY ? interval : DAY), PAUSE);
}

static void set_common(struct pair *pair)
{
	struct draft *draft = &pair->draft;

	draft_set(draft, "type", "UNLISTED");
	draft_set(draft, "wait", pair->accepts ? "no" : "yes");
	set_rate(pair);
	if (!pair->accepts) {
		draft_unset(draft, "instances");
		draft_unset(draft, "per_source");
	} else if (!draft_has(draft, "instances")) {
		draft_set(draft, "instances", "64"); /* what systemd takes without a line */
	}
	if (!draft_has(draft, "user"))
		draft_set(draft, "user", "root"); /* as the system's manager does */
	if (draft_has(draft, "writable") && !draft_has(draft, "root"))
		draft_unset(draft, "writable"); /* it is writable anyway */
}

static void note_descriptor(struct pair *pair)
{
	if (!pair->has_input_socket)
		import_note(pair->draft.import, span_of("StandardInput"),
			    "the program gets the socket as descriptors 0 and 1, not as 3 with "
			    "LISTEN_FDS: use the mode that it has for inetd");
}

/* systemd counts the connections of all sockets of a unit together, or gives them to one
 * program. */
static void note_counts(struct pair *pair)
{
	size_t entries = 0;

	for (size_t i = 0; i < pair->listens_count; i++)
		entries += is_first_of_port(pair, i);
	if (pair->listens_count > 1 && !pair->accepts)
		import_note(
			pair->draft.import, span_of("Accept"),
			"systemd gives all sockets to one program; here each has a program of its "
			"own");
	if (entries > 1 && pair->accepts)
		import_note(pair->draft.import, span_of("MaxConnections"),
			    "each port has an entry, which counts its own sessions");
}

static void write_entries(struct pair *pair)
{
	set_common(pair);
	note_descriptor(pair);
	note_counts(pair);
	for (size_t i = 0; i < pair->listens_count; i++) {
		const struct listen *listen = &pair->listens[i];

		if (!is_first_of_port(pair, i))
			continue;
		pair->draft.import->line = listen->line;
		draft_set(&pair->draft, "socket_type", listen->is_datagram ? "dgram" : "stream");
		draft_set(&pair->draft, "protocol", listen->is_datagram ? "udp" : "tcp");
		set_addresses(pair, i);
		draft_write(&pair->draft);
	}
}

static void read_socket(struct pair *pair)
{
	struct import *import = pair->draft.import;
	const char *file = import->file;

	read_settings(pair, pair->socket);
	pair->service = has_section(pair->socket, "[Service]") ? pair->socket : find_service(pair);
	if (pair->service && pair->service != pair->socket) {
		import->is_read[pair->service - import->files] = true;
		read_settings(pair, pair->service);
	}
	import->file = file;
	import->line = 0;
	if (pair->listens_count == 0)
		import_complain(import, "it has no port that can be served");
	else if (!pair->service)
		import_complain(import, pair->accepts ? "its service is not given; name the "
							"NAME@.service too"
						      : "its service is not given; name the "
							"NAME.service too");
	else
		write_entries(pair);
}

void systemd_read(struct import *import, const struct import_file *file)
{
	struct pair pair = { .socket = file, .interval = UNSET, .burst = UNSET };

	if (systemd_has_socket(file)) {
		draft_begin(&pair.draft, import, unit_name(file));
		read_socket(&pair);
		draft_clear(&pair.draft);
	} else if (!import->is_read[file - import->files]) {
		import_complain(import, "a .service is started by a .socket; name that too");
	}
}
