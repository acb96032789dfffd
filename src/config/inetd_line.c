#include "config/inetd_line.h"

#include "config/syntax.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void inetd_line_complain(struct inetd_line *line, enum severity severity, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	line->broken |= severity == ERROR;
	problem_add(line->problems, severity, line->file, line->number, "%s", text);
}

/* --- the body of the entry ----------------------------------------------------- */

static void put_words(struct inetd_line *line, const char *attribute, const struct span *words,
		      size_t count)
{
	syntax_begin_values(&line->body, attribute);
	for (size_t i = 0; i < count; i++)
		syntax_put_value(&line->body, '=', words[i].start, span_length(words[i]));
	syntax_end_values(&line->body, '=');
}

static void put_word(struct inetd_line *line, const char *attribute, struct span word)
{
	put_words(line, attribute, &word, 1);
}

static void put_text(struct inetd_line *line, const char *attribute, const char *text)
{
	put_word(line, attribute, (struct span){ text, text + strlen(text) });
}

static void put_names(struct inetd_line *line, const char *attribute, const char *const *names,
		      size_t count)
{
	struct span words[8];

	for (size_t i = 0; i < count; i++)
		words[i] = (struct span){ names[i], names[i] + strlen(names[i]) };
	if (count > 0)
		put_words(line, attribute, words, count);
}

/* A rate per minute; 0: no limit. Numbers here have at most ten digits. */
static void put_minute_rate(struct inetd_line *line, const char *attribute, uint64_t rate,
			    uint64_t other)
{
	text_add_format(&line->body, "%s+={'=%llu/60','=%llu'}", attribute,
			(unsigned long long)rate, (unsigned long long)other);
}

static void put_number(struct inetd_line *line, const char *attribute, uint64_t number)
{
	text_add_format(&line->body, "%s+={'=%llu'}", attribute, (unsigned long long)number);
}

/* --- the fields ------------------------------------------------------------------ */

enum { NUMBER_MAX = 10000000, ID_SIZE = 256 };

/* Reads a limit; false, reported, when it is no number. */
static bool take_limit(struct inetd_line *line, struct span text, uint64_t *limit)
{
	if (span_number(text, NUMBER_MAX, limit))
		return true;
	inetd_line_complain(line, ERROR, "the limit \"%.*s\" is not a number from 0 to %d",
			    SHOWN(text), NUMBER_MAX);
	return false;
}

/* True if one of them is any address: then bind is not needed. */
static bool addresses_are_any(struct span addresses)
{
	bool any = span_is_empty(addresses);

	while (!any && !span_is_empty(addresses))
		any = span_is(span_take_until(&addresses, ","), "*");
	return any;
}

static struct span without_brackets(struct span address)
{
	if (span_length(address) >= 2 && *address.start == '[' && address.end[-1] == ']')
		return (struct span){ address.start + 1, address.end - 1 };
	return address;
}

static void translate_addresses(struct inetd_line *line)
{
	struct span rest = line->addresses;

	if (addresses_are_any(rest))
		return;
	syntax_begin_values(&line->body, "bind");
	while (!span_is_empty(rest)) {
		struct span address = without_brackets(span_take_until(&rest, ","));

		syntax_put_value(&line->body, '=', address.start, span_length(address));
	}
	syntax_end_values(&line->body, '=');
}

static bool line_is_rpc(const struct inetd_line *line)
{
	return span_length(line->words[FIELD_PROTOCOL]) >= 3 &&
	       strncasecmp(line->words[FIELD_PROTOCOL].start, "rpc", 3) == 0;
}

/* NAME/VERSIONS, where NAME may be the program's number. */
static void translate_rpc_name(struct inetd_line *line)
{
	struct span versions = line->name, name = span_take_until(&versions, "/");
	uint64_t number;

	line->types[line->types_count++] = "RPC";
	line->name = name;
	put_word(line, "rpc_version", versions);
	if (!span_number(name, UINT32_MAX, &number))
		return;
	line->types[line->types_count++] = "UNLISTED";
	put_number(line, "rpc_number", number);
}

/* tcpmux/NAME and tcpmux/+NAME. */
static void translate_tcpmux_name(struct inetd_line *line, struct span name)
{
	bool answers = !span_is_empty(name) && *name.start == '+';

	line->types[line->types_count++] = answers ? "TCPMUXPLUS" : "TCPMUX";
	line->types[line->types_count++] = "UNLISTED";
	line->name = (struct span){ name.start + answers, name.end };
}

static bool span_has_blank(struct span span)
{
	for (; span.start < span.end; span.start++)
		if (is_blank_char(*span.start))
			return true;
	return false;
}

static void translate_name(struct inetd_line *line)
{
	struct span rest = line->name, first = span_take_until(&rest, "/");
	uint64_t port;

	if (line_is_rpc(line)) {
		translate_rpc_name(line);
	} else if (span_is(first, "tcpmux") && first.end < line->name.end) {
		translate_tcpmux_name(line, rest);
	} else if (span_number(line->name, UINT64_MAX, &port)) {
		line->types[line->types_count++] = "UNLISTED";
		put_word(line, "port", line->name);
	}
	if (span_is_empty(line->name) || span_has_blank(line->name) || *line->name.start == '#')
		inetd_line_complain(line, ERROR, "\"%.*s\" is not the name of a service",
				    SHOWN(line->words[FIELD_NAME]));
}

/* TYPE[,MAX][:FILTER] */
static void translate_type(struct inetd_line *line)
{
	struct span filter = line->words[FIELD_TYPE], most = span_take_until(&filter, ":");
	struct span type = span_take_until(&most, ",");

	put_word(line, "socket_type", type);
	if (!span_is_empty(most))
		take_limit(line, most, &line->instances);
	if (!span_is_empty(filter))
		inetd_line_complain(line, WARNING,
				    "there are no accept filters; \":%.*s\" has no effect",
				    SHOWN(filter));
}

/* The word without rpc/ and without buffer sizes. */
static struct span protocol_name(struct span word)
{
	struct span rest = word, first = span_take_until(&rest, "/");

	if (span_is(first, "rpc"))
		word = rest;
	return span_take_until(&word, ",");
}

const struct inetd_protocol *inetd_protocol_find(struct span word)
{
	static const struct inetd_protocol protocols[] = {
		{ "tcp", "tcp", NULL, false },       { "udp", "udp", NULL, false },
		{ "tcp4", "tcp", "IPv4", false },    { "udp4", "udp", "IPv4", false },
		{ "tcp6", "tcp", "IPv6", true },     { "udp6", "udp", "IPv6", true },
		{ "tcp6only", "tcp", "IPv6", true }, { "udp6only", "udp", "IPv6", true },
		{ "tcp46", "tcp", "IPv6", false },   { "udp46", "udp", "IPv6", false },
	};
	struct span name = protocol_name(word);

	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (span_is(name, protocols[i].name))
			return &protocols[i];
	return NULL;
}

static void put_protocol(struct inetd_line *line, const struct inetd_protocol *protocol)
{
	const char *flag = protocol->flag;

	put_text(line, "protocol", protocol->base);
	line->is_ipv6_only = protocol->is_ipv6_only;
	if (line->is_ipv6_only)
		put_text(line, "v6only", "yes");
	else if (!flag && line->has_ipv6_sibling && addresses_are_any(line->addresses))
		flag = "IPv4";
	if (flag)
		line->flags[line->flags_count++] = flag;
}

/* [rpc/]PROTOCOL[,BUFFER SIZES] */
static void translate_protocol(struct inetd_line *line)
{
	struct span word = line->words[FIELD_PROTOCOL];
	const struct inetd_protocol *protocol = inetd_protocol_find(word);

	if (memchr(word.start, ',', span_length(word)))
		inetd_line_complain(line, WARNING,
				    "the system sizes buffers; what follows the "
				    "comma in \"%.*s\" has no effect",
				    SHOWN(word));
	if (protocol)
		put_protocol(line, protocol);
	else
		put_word(line, "protocol", protocol_name(word));
}

/* MAX starts in a minute. */
static void translate_spawns(struct inetd_line *line, struct span text)
{
	uint64_t most;

	if (!take_limit(line, text, &most))
		return;
	put_minute_rate(line, "cps", most, 0);
	put_text(line, "cps_action", "queue");
}

/* CHILDREN[/RATE[/EACH]] */
static void translate_children(struct inetd_line *line, struct span rest)
{
	struct span children = span_take_until(&rest, "/");
	struct span rate = span_take_until(&rest, "/"), each = rest;
	uint64_t limit;

	take_limit(line, children, &line->instances);
	if (!span_is_empty(rate) && take_limit(line, rate, &limit) && limit > 0)
		put_minute_rate(line, "source_cps", limit, limit);
	if (!span_is_empty(each) && take_limit(line, each, &limit) && limit > 0)
		put_number(line, "per_source", limit);
}

static void translate_wait(struct inetd_line *line)
{
	struct span limits = line->words[FIELD_WAIT], word = span_take_until(&limits, ".:/");
	bool waits = span_is(word, "wait");

	if (!waits && !span_is(word, "nowait")) {
		inetd_line_complain(line, ERROR, "\"%.*s\" is neither wait nor nowait",
				    SHOWN(line->words[FIELD_WAIT]));
		return;
	}
	put_text(line, "wait", waits ? "yes" : "no");
	if (word.end == line->words[FIELD_WAIT].end)
		return;
	if (*word.end == '/')
		translate_children(line, limits);
	else
		translate_spawns(line, limits);
}

/* True if there is a user with this name, dot included. */
static bool is_dotted_user(struct span name)
{
	char text[ID_SIZE];

	if (!memchr(name.start, '.', span_length(name)) || span_length(name) >= sizeof text)
		return false;
	memcpy(text, name.start, span_length(name));
	text[span_length(name)] = '\0';
	return getpwnam(text) != NULL;
}

/* USER[:GROUP][/CLASS] or USER[.GROUP][/CLASS] */
static void translate_user(struct inetd_line *line)
{
	struct span class = line->words[FIELD_USER], whole = span_take_until(&class, "/");
	struct span group = whole, user = span_take_until(&group, ":");

	if (user.end == whole.end && !is_dotted_user(whole)) {
		group = whole;
		user = span_take_until(&group, ".");
	}
	put_word(line, "user", user);
	if (user.end < whole.end)
		put_word(line, "group", group);
	if (whole.end < line->words[FIELD_USER].end)
		inetd_line_complain(line, WARNING,
				    "there are no login classes; \"/%.*s\" has no "
				    "effect, set limits in an xinetd-style entry with rlimit_...",
				    SHOWN(class));
}

#define PROGRAM_DIRECTORIES "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Writes the path of the program for a name without a slash; false when there is none. */
static bool find_program(struct span name, char path[PATH_MAX])
{
	static const char directories[] = PROGRAM_DIRECTORIES;
	struct span rest = { directories, directories + sizeof directories - 1 };

	while (!span_is_empty(rest)) {
		struct span directory = span_take_until(&rest, ":");
		int length = snprintf(path, PATH_MAX, "%.*s/%.*s", (int)span_length(directory),
				      directory.start, (int)span_length(name), name.start);

		if (length < PATH_MAX && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void put_server(struct inetd_line *line, struct span server)
{
	char path[PATH_MAX];

	if (memchr(server.start, '/', span_length(server)))
		put_word(line, "server", server);
	else if (find_program(server, path))
		put_text(line, "server", path);
	else
		inetd_line_complain(line, ERROR,
				    "there is no program \"%.*s\" in " PROGRAM_DIRECTORIES
				    "; write its whole path",
				    SHOWN(server));
}

static void translate_server(struct inetd_line *line)
{
	line->is_internal = span_is(line->words[FIELD_SERVER], "internal");
	if (line->is_internal) {
		line->types[line->types_count++] = "INTERNAL";
		return;
	}
	/* inetd does not use libwrap itself: its files name tcpd if they need it. */
	line->flags[line->flags_count++] = "NOLIBWRAP";
	put_server(line, line->words[FIELD_SERVER]);
	if (line->count == FIELD_ARGUMENTS)
		return;
	line->flags[line->flags_count++] = "NAMEINARGS";
	put_words(line, "server_args", line->words + FIELD_ARGUMENTS,
		  line->count - FIELD_ARGUMENTS);
}

/* Makes different ids for the stream and dgram forms of a built-in, and for IPv4 and IPv6
 * lines with one name. */
static void put_id(struct inetd_line *line)
{
	struct span limit = line->words[FIELD_TYPE], type = span_take_until(&limit, ",:");
	char id[ID_SIZE];

	snprintf(id, sizeof id, "%.*s%s%.*s%s", (int)span_length(line->name), line->name.start,
		 line->is_internal ? "-" : "", line->is_internal ? (int)span_length(type) : 0,
		 type.start, line->is_ipv6_only ? "-ipv6" : "");
	put_text(line, "id", id);
}

/* Writes attributes that depend on several fields. */
static void put_rest(struct inetd_line *line)
{
	put_id(line);
	put_names(line, "type", line->types, line->types_count);
	put_names(line, "flags", line->flags, line->flags_count);
	put_text(line, "groups", "yes");
	if (line->instances == 0)
		return;
	put_number(line, "instances", line->instances);
	put_text(line, "at_limit", "queue");
}

char *inetd_line_translate(struct inetd_line *line)
{
	static void (*const translate[])(struct inetd_line *) = {
		translate_addresses, translate_protocol, translate_name,   translate_type,
		translate_wait,      translate_user,     translate_server, put_rest,
	};
	char *body;

	line->body = (struct text){ 0 };
	for (size_t i = 0; i < sizeof translate / sizeof translate[0]; i++)
		translate[i](line);
	body = text_copy_out(&line->body);
	text_free(&line->body);
	if (!body)
		inetd_line_complain(line, ERROR, "out of memory");
	return body;
}
