/* The meaning of each attribute's words. */
#include "base/syslog_names.h"
#include "config/reading.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 512 };

static void reading_report(struct reading *reading, const struct word *word,
			   enum severity severity, const char *format, va_list arguments)
{
	char text[MESSAGE_SIZE];

	if (!word && reading->count > 0)
		word = reading->words[0];
	vsnprintf(text, sizeof text, format, arguments);
	problem_add(reading->problems, severity, word ? word->file : reading->service->file,
		    word ? word->line : reading->service->line, "%s: %s", reading->attribute->name,
		    text);
}

void reading_refuse(struct reading *reading, const struct word *word, const char *format, ...)
{
	va_list arguments;

	reading->refused = true;
	va_start(arguments, format);
	reading_report(reading, word, ERROR, format, arguments);
	va_end(arguments);
}

void reading_advise(struct reading *reading, const struct word *word, enum severity severity,
		    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	reading_report(reading, word, severity, format, arguments);
	va_end(arguments);
}

/* --- pieces ---------------------------------------------------------------------- */

/* Reads a whole word as a decimal number from 0 to most. */
static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number <= most;
}

/* A number with an optional K or M after it. */
static bool parse_size(const char *text, uint64_t *size)
{
	char digits[24];
	size_t length = strlen(text);
	uint64_t factor = 1;

	if (length == 0 || length >= sizeof digits)
		return false;
	if (strchr("kKmM", text[length - 1]))
		factor = strchr("kK", text[--length]) ? 1024 : 1024 * 1024;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (!parse_number(digits, UINT64_MAX / factor, size))
		return false;
	*size *= factor;
	return true;
}

static const char *first_word(const struct reading *reading)
{
	return reading->words[0]->text;
}

static bool is_unlimited(const char *text)
{
	return strcasecmp(text, "UNLIMITED") == 0;
}

struct name_value {
	const char *name;
	int value;
};

/* The most names any of the tables below has. */
enum { NAMES_MOST = 16 };

static void refuse_name(struct reading *reading, const struct word *word,
			const struct name_value *table)
{
	const char *names[NAMES_MOST + 1];
	const char *nearest;
	size_t count = 0;

	for (; table->name && count < NAMES_MOST; table++)
		names[count++] = table->name;
	names[count] = NULL;
	nearest = nearest_word(word->text, names);
	reading_refuse(reading, word, nearest ? "unknown value \"%s\"; did you mean \"%s\"?"
					      : "unknown value \"%s\"", word->text, nearest);
}

/* The value of word in table, or -1, reported. */
static int name_value(struct reading *reading, const struct word *word,
		      const struct name_value *table)
{
	for (const struct name_value *each = table; each->name; each++)
		if (strcasecmp(each->name, word->text) == 0)
			return each->value;
	refuse_name(reading, word, table);
	return -1;
}

/* All words of table, or-ed together. */
static void read_set(struct reading *reading, unsigned *set, const struct name_value *table)
{
	for (size_t i = 0; i < reading->count; i++) {
		int value = name_value(reading, reading->words[i], table);

		if (value > 0)
			*set |= (unsigned)value;
	}
}

/* Makes path absolute, in the arena. */
static char *absolute_path(struct reading *reading, const char *directory, const char *path)
{
	size_t size = strlen(directory) + strlen(path) + 2;
	char *absolute;

	if (path[0] == '/')
		return arena_string(reading->arena, path);
	absolute = arena_take(reading->arena, size);
	if (absolute)
		snprintf(absolute, size, "%s/%s", directory, path);
	return absolute;
}

static void strings_fill(struct reading *reading, struct strings *strings)
{
	strings->is_set = true;
	strings->list = arena_take(reading->arena, (reading->count + 1) * sizeof *strings->list);
	if (!strings->list)
		return;
	for (size_t i = 0; i < reading->count; i++)
		strings->list[i] = arena_string(reading->arena, reading->words[i]->text);
	strings->count = reading->count;
}

/* --- text and numbers ------------------------------------------------------------- */

void read_text(struct reading *reading, void *field)
{
	*(char **)field = arena_string(reading->arena, first_word(reading));
}

void read_path(struct reading *reading, void *field)
{
	*(char **)field = absolute_path(reading, reading->start_directory, first_word(reading));
}

void read_words(struct reading *reading, void *field)
{
	strings_fill(reading, field);
}

void read_yes_no(struct reading *reading, void *field)
{
	static const struct name_value answers[] = { { "yes", 1 }, { "no", 0 }, { 0 } };

	*(bool *)field = name_value(reading, reading->words[0], answers) == 1;
}

void read_wait(struct reading *reading, void *field)
{
	static const struct name_value answers[] = { { "yes", 1 }, { "no", 0 }, { 0 } };

	*(int *)field = name_value(reading, reading->words[0], answers);
}

void read_count(struct reading *reading, void *field)
{
	uint64_t number = UNLIMITED;

	if (!is_unlimited(first_word(reading)) &&
	    !parse_number(first_word(reading), INT_MAX, &number))
		reading_refuse(reading, NULL, "\"%s\" is neither a number nor UNLIMITED",
			       first_word(reading));
	*(unsigned *)field = (unsigned)number;
}

void read_nothing(struct reading *reading, void *field)
{
	(void)field;
	reading_advise(reading, NULL, WARNING, "retired, has no effect; remove the line");
}

void read_nice(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	uint64_t number;
	bool negative = *text == '-';

	if (!parse_number(text + negative, 20, &number) || (!negative && number > 19)) {
		reading_refuse(reading, NULL, "\"%s\" is not a priority from -20 to 19", text);
		return;
	}
	*(int *)field = negative ? -(int)number : (int)number;
	reading->service->nice_is_set = true;
}

void read_umask(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	char *end;
	unsigned long mask = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end || mask > 0777) {
		reading_refuse(reading, NULL, "\"%s\" is not an octal mask from 000 to 777", text);
		return;
	}
	*(mode_t *)field = (mode_t)mask;
	reading->service->umask_is_set = true;
}

static void read_limit(struct reading *reading, struct resource_limit *limit, bool with_unit)
{
	const char *text = first_word(reading);
	uint64_t number = RLIM_INFINITY;

	if (!is_unlimited(text) && !(with_unit ? parse_size(text, &number)
					       : parse_number(text, RLIM_INFINITY, &number)))
		reading_refuse(reading, NULL, with_unit
			       ? "\"%s\" is neither a number (K or M may follow) nor UNLIMITED"
			       : "\"%s\" is neither a number nor UNLIMITED", text);
	*limit = (struct resource_limit){ .is_set = true, .value = number };
}

void read_size(struct reading *reading, void *field)
{
	read_limit(reading, field, true);
}

void read_seconds(struct reading *reading, void *field)
{
	read_limit(reading, field, false);
}

void read_load(struct reading *reading, void *field)
{
	char *end;
	double load = strtod(first_word(reading), &end);

	if (!isdigit((unsigned char)*first_word(reading)) || *end || !(load > 0) || load > 1e6)
		reading_refuse(reading, NULL, "\"%s\" is not a load above 0, such as 2.5",
			       first_word(reading));
	*(double *)field = load;
}

/* --- rates and limits --------------------------------------------------------------- */

enum { RATE_MOST = 10000000 };

static bool read_two_numbers(struct reading *reading, uint64_t most, uint64_t numbers[2])
{
	for (size_t i = 0; i < 2; i++)
		if (!parse_number(reading->words[i]->text, most, &numbers[i])) {
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is not a number from 0 to %llu",
				       reading->words[i]->text, (unsigned long long)most);
			return false;
		}
	return true;
}

void read_cps(struct reading *reading, void *field)
{
	uint64_t numbers[2];

	if (read_two_numbers(reading, RATE_MOST, numbers))
		*(struct rate *)field = (struct rate){
			.is_set = true, .rate = (uint32_t)numbers[0], .other = (uint32_t)numbers[1],
		};
}

void read_source_cps(struct reading *reading, void *field)
{
	read_cps(reading, field);
	if (!reading->refused && ((struct rate *)field)->rate > 0 &&
	    ((struct rate *)field)->other == 0)
		reading_refuse(reading, reading->words[1], "the burst must be at least 1");
}

void read_source_prefix(struct reading *reading, void *field)
{
	uint64_t lengths[2];

	if (!read_two_numbers(reading, 128, lengths))
		return;
	if (lengths[0] > 32)
		reading_refuse(reading, NULL, "an IPv4 address has 32 bits, not %s",
			       first_word(reading));
	*(struct source_prefix *)field =
		(struct source_prefix){ .in4 = (uint8_t)lengths[0], .in6 = (uint8_t)lengths[1] };
}

void read_cps_action(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "refuse", CPS_REFUSE }, { "queue", CPS_QUEUE }, { "suspend", CPS_SUSPEND }, { 0 },
	};

	*(enum cps_action *)field =
		(enum cps_action)name_value(reading, reading->words[0], actions);
}

void read_at_limit(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "refuse", AT_LIMIT_REFUSE }, { "queue", AT_LIMIT_QUEUE }, { 0 },
	};

	*(enum at_limit *)field = (enum at_limit)name_value(reading, reading->words[0], actions);
}

void read_on_remove(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "end", ON_REMOVE_END }, { "drain", ON_REMOVE_DRAIN }, { 0 },
	};

	*(enum on_remove *)field = (enum on_remove)name_value(reading, reading->words[0], actions);
}

void read_deny_time(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	uint64_t minutes = 0;

	if (strcasecmp(text, "FOREVER") == 0)
		*(int *)field = -1;
	else if (strcasecmp(text, "NEVER") == 0 || parse_number(text, INT_MAX, &minutes))
		*(int *)field = (int)minutes;
	else
		reading_refuse(reading, NULL, "\"%s\" is not a number of minutes, FOREVER or NEVER",
			       text);
}

/* --- what and where ------------------------------------------------------------------- */

void read_type(struct reading *reading, void *field)
{
	static const struct name_value types[] = {
		{ "RPC", TYPE_RPC }, { "INTERNAL", TYPE_INTERNAL }, { "UNLISTED", TYPE_UNLISTED },
		{ "SPECIAL", TYPE_SPECIAL }, { "TCPMUX", TYPE_TCPMUX },
		{ "TCPMUXPLUS", TYPE_TCPMUXPLUS }, { 0 },
	};

	read_set(reading, field, types);
}

void read_flags(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "REUSE", FLAG_REUSE }, { "INTERCEPT", FLAG_INTERCEPT },
		{ "NORETRY", FLAG_NORETRY }, { "IDONLY", FLAG_IDONLY },
		{ "NAMEINARGS", FLAG_NAMEINARGS }, { "NODELAY", FLAG_NODELAY },
		{ "KEEPALIVE", FLAG_KEEPALIVE }, { "NOLIBWRAP", FLAG_NOLIBWRAP },
		{ "SENSOR", FLAG_SENSOR }, { "IPv4", FLAG_IPV4 }, { "IPv6", FLAG_IPV6 },
		{ "LABELED", FLAG_LABELED }, { 0 },
	};

	read_set(reading, field, flags);
	if (*(unsigned *)field & FLAG_REUSE)
		reading_advise(reading, NULL, ADVICE,
			       "REUSE is retired: it is always so; remove the word");
}

void read_socket_type(struct reading *reading, void *field)
{
	static const struct name_value socket_types[] = {
		{ "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW },
		{ "seqpacket", SOCK_SEQPACKET }, { 0 },
	};

	*(int *)field = name_value(reading, reading->words[0], socket_types);
}

void read_protocol(struct reading *reading, void *field)
{
	if (!account_protocol(reading->accounts, first_word(reading),
			      &reading->service->protocol_number))
		reading_refuse(reading, NULL, "\"%s\" is not in /etc/protocols",
			       first_word(reading));
	read_text(reading, field);
}

void read_port(struct reading *reading, void *field)
{
	uint64_t port;

	if (parse_number(first_word(reading), 65535, &port))
		*(int *)field = (int)port;
	else
		reading_refuse(reading, NULL, "\"%s\" is not a port number from 0 to 65535",
			       first_word(reading));
}

/* True for what could be a host's name (RFC 1123, underscores allowed). */
static bool is_host_name(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-._");

	return length > 0 && length < 256 && text[length] == '\0' && text[0] != '-' &&
	       strspn(text, "0123456789.") != length;
}

static bool is_address_or_name(const char *text)
{
	struct address address;

	return address_parse(&address, text, 0) == 0 || is_host_name(text);
}

void read_bind(struct reading *reading, void *field)
{
	for (size_t i = 0; i < reading->count; i++)
		if (!is_address_or_name(reading->words[i]->text))
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is neither an address nor a host name",
				       reading->words[i]->text);
	strings_fill(reading, field);
}

static bool parse_redirect_port(struct reading *reading, const char *text, uint16_t *port)
{
	uint64_t number;
	int listed = port_map_find(reading->ports, text, "tcp");

	if (listed > 0)
		number = (uint64_t)listed;
	else if (!parse_number(text, 65535, &number) || number == 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

void read_redirect(struct reading *reading, void *field)
{
	struct service_settings *service = reading->service;

	(void)field;
	if (!is_address_or_name(first_word(reading)))
		reading_refuse(reading, NULL, "\"%s\" is neither an address nor a host name",
			       first_word(reading));
	if (!parse_redirect_port(reading, reading->words[1]->text, &service->redirect_port))
		reading_refuse(reading, reading->words[1],
			       "\"%s\" is neither a port number nor a TCP service of the port map",
			       reading->words[1]->text);
	service->redirect_host = arena_string(reading->arena, first_word(reading));
}

/* --- who ---------------------------------------------------------------------------------- */

enum { ID_MOST = INT_MAX };

void read_user(struct reading *reading, void *field)
{
	struct service_settings *service = reading->service;
	struct account account;
	uint64_t number;

	if (account_user(reading->accounts, first_word(reading), &account)) {
		service->uid = account.uid;
		service->gid = account.gid;
	} else if (parse_number(first_word(reading), ID_MOST, &number)) {
		service->uid = (uid_t)number;
		service->gid = (gid_t)number;
	} else {
		reading_refuse(reading, NULL, "there is no user \"%s\"", first_word(reading));
	}
	read_text(reading, field);
}

void read_group(struct reading *reading, void *field)
{
	uint64_t number;

	reading->service->group_is_set = true;
	if (account_group(reading->accounts, first_word(reading), field))
		return;
	if (parse_number(first_word(reading), ID_MOST, &number))
		*(gid_t *)field = (gid_t)number;
	else
		reading_refuse(reading, NULL, "there is no group \"%s\"", first_word(reading));
}

void read_server(struct reading *reading, void *field)
{
	struct stat status;

	read_path(reading, field);
	if (!*(char **)field)
		return;
	if (stat(*(char **)field, &status) < 0)
		reading_refuse(reading, NULL, "%s: %s", first_word(reading), strerror(errno));
	else if (!S_ISREG(status.st_mode))
		reading_refuse(reading, NULL, "%s is not a regular file", first_word(reading));
	else if (access(*(char **)field, X_OK) < 0)
		reading_refuse(reading, NULL, "%s is not executable: %s", first_word(reading),
			       strerror(errno));
}

void read_env(struct reading *reading, void *field)
{
	for (size_t i = 0; i < reading->count; i++)
		if (!strchr(reading->words[i]->text, '=') || reading->words[i]->text[0] == '=')
			reading_refuse(reading, reading->words[i], "\"%s\" is not NAME=VALUE",
				       reading->words[i]->text);
	strings_fill(reading, field);
}

void read_passenv(struct reading *reading, void *field)
{
	for (size_t i = 0; i < reading->count; i++)
		if (strchr(reading->words[i]->text, '='))
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is not the name of a variable; to set one use env",
				       reading->words[i]->text);
	strings_fill(reading, field);
}

void read_stderr(struct reading *reading, void *field)
{
	static const char *const words[] = { "socket", "log", "null" };

	for (int kind = STDERR_SOCKET; kind < STDERR_FILE; kind++)
		if (strcasecmp(first_word(reading), words[kind]) == 0) {
			*(enum stderr_kind *)field = (enum stderr_kind)kind;
			return;
		}
	if (first_word(reading)[0] != '/')
		reading_refuse(reading, NULL,
			       "\"%s\" is neither socket, log, null nor an absolute path",
			       first_word(reading));
	*(enum stderr_kind *)field = STDERR_FILE;
	read_path(reading, &reading->service->stderr_path);
}

/* --- admission ------------------------------------------------------------------------------ */

bool network_named(const char *name, struct prefix *prefix)
{
	const struct netent *network = getnetbyname(name);
	uint32_t number;

	if (!network || network->n_addrtype != AF_INET)
		return false;
	/* networks(5): trailing zero octets may be left out, 127 is 127.0.0.0. */
	for (number = network->n_net; number && !(number & 0xff000000);)
		number <<= 8;
	*prefix = (struct prefix){ .family = AF_INET };
	for (int i = 0; i < 4; i++) {
		prefix->bytes[i] = (unsigned char)(number >> (24 - 8 * i));
		if (prefix->bytes[i])
			prefix->length = (uint8_t)(8 * (i + 1));
	}
	return true;
}

void read_access_list(struct reading *reading, void *field)
{
	struct access_list *list = field;

	list->is_set = true;
	for (size_t i = 0; i < reading->count; i++) {
		const struct word *word = reading->words[i];
		enum access_word what = access_list_add(list, word->text, word->file, word->line,
							network_named);

		if (what != WORD_ADDED)
			reading_refuse(reading, word, "\"%s\" %s", word->text,
				       access_word_text(what));
	}
}

void read_access_times(struct reading *reading, void *field)
{
	struct access_interval *intervals =
		arena_take(reading->arena, reading->count * sizeof *intervals);

	if (!intervals)
		return;
	for (size_t i = 0; i < reading->count; i++)
		if (access_interval_parse(&intervals[i], reading->words[i]->text) < 0)
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is not an interval such as 8:00-17:30",
				       reading->words[i]->text);
	*(struct access_interval **)field = intervals;
	reading->service->access_times_count = reading->count;
}

/* --- logs ------------------------------------------------------------------------------------- */

/* Without a hard limit it is the soft one and 1 %, of which at least 5 and at
 * most 20 KiB, as in xinetd. */
static uint64_t default_hard_limit(uint64_t soft)
{
	uint64_t more = soft / 100;

	more = more < 5 * 1024 ? 5 * 1024 : more > 20 * 1024 ? 20 * 1024 : more;
	return soft + more;
}

static void read_log_limits(struct reading *reading, struct log_type *log)
{
	if (!parse_size(reading->words[2]->text, &log->soft_limit))
		reading_refuse(reading, reading->words[2], "\"%s\" is not a size (K or M may follow)",
			       reading->words[2]->text);
	log->hard_limit = default_hard_limit(log->soft_limit);
	if (reading->count == 4 && !parse_size(reading->words[3]->text, &log->hard_limit))
		reading_refuse(reading, reading->words[3], "\"%s\" is not a size (K or M may follow)",
			       reading->words[3]->text);
	if (log->hard_limit < log->soft_limit)
		reading_refuse(reading, reading->words[3],
			       "the hard limit %s is less than the soft limit %s",
			       reading->words[3]->text, reading->words[2]->text);
}

static void check_log_directory(struct reading *reading, const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
	if (slash > path && access(directory, F_OK) < 0)
		reading_refuse(reading, reading->words[1], "the directory of %s: %s", path,
			       strerror(errno));
}

static void read_file_log(struct reading *reading, struct log_type *log)
{
	if (reading->count < 2) {
		reading_refuse(reading, NULL, "FILE needs a path after it");
		return;
	}
	log->kind = LOG_KIND_FILE;
	log->path = absolute_path(reading, reading->start_directory, reading->words[1]->text);
	if (log->path)
		check_log_directory(reading, log->path);
	if (reading->count > 2)
		read_log_limits(reading, log);
}

static void read_syslog_log(struct reading *reading, struct log_type *log)
{
	if (reading->count < 2 || reading->count > 3) {
		reading_refuse(reading, NULL, "SYSLOG needs a facility and perhaps a level after it");
		return;
	}
	log->kind = LOG_KIND_SYSLOG;
	log->facility = syslog_facility(reading->words[1]->text);
	log->level = reading->count == 3 ? syslog_level(reading->words[2]->text) : LOG_INFO;
	if (log->facility < 0)
		reading_refuse(reading, reading->words[1], "\"%s\" is not a syslog facility",
			       reading->words[1]->text);
	if (log->level < 0)
		reading_refuse(reading, reading->words[2], "\"%s\" is not a syslog level",
			       reading->words[2]->text);
}

void read_log_type(struct reading *reading, void *field)
{
	if (strcasecmp(first_word(reading), "FILE") == 0)
		read_file_log(reading, field);
	else if (strcasecmp(first_word(reading), "SYSLOG") == 0)
		read_syslog_log(reading, field);
	else
		reading_refuse(reading, NULL, "\"%s\" is neither FILE nor SYSLOG",
			       first_word(reading));
}

void read_log_success(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "PID", LOG_FLAG_PID }, { "HOST", LOG_FLAG_HOST }, { "USERID", LOG_FLAG_USERID },
		{ "EXIT", LOG_FLAG_EXIT }, { "DURATION", LOG_FLAG_DURATION },
		{ "TRAFFIC", LOG_FLAG_TRAFFIC }, { 0 },
	};

	read_set(reading, field, flags);
}

void read_log_failure(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "HOST", LOG_FLAG_HOST }, { "USERID", LOG_FLAG_USERID },
		{ "ATTEMPT", LOG_FLAG_ATTEMPT }, { 0 },
	};

	read_set(reading, field, flags);
}

/* --- RPC ---------------------------------------------------------------------------------------- */

void read_rpc_version(struct reading *reading, void *field)
{
	struct service_settings *service = reading->service;
	char text[32];
	char *dash;
	uint64_t first, last;

	(void)field;
	snprintf(text, sizeof text, "%s", first_word(reading));
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (!parse_number(text, INT_MAX, &first) || !parse_number(dash ? dash : text, INT_MAX, &last) ||
	    last < first || first == 0) {
		reading_refuse(reading, NULL, "\"%s\" is not a version such as 2 or 1-3",
			       first_word(reading));
		return;
	}
	service->rpc_version_first = (int)first;
	service->rpc_version_last = (int)last;
}

void read_rpc_number(struct reading *reading, void *field)
{
	uint64_t number = 0;

	if (!parse_number(first_word(reading), UINT32_MAX, &number) || number == 0)
		reading_refuse(reading, NULL, "\"%s\" is not an RPC program number",
			       first_word(reading));
	*(unsigned long *)field = (unsigned long)number;
}

/* --- the daemon's own ------------------------------------------------------------------------------ */

/* Relative to the directory of the file that says so. */
static char *path_beside(struct reading *reading, const struct word *word)
{
	const char *slash = strrchr(word->file, '/');
	char directory[PATH_MAX];

	snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - word->file) : 1,
		 slash ? word->file : ".");
	return absolute_path(reading, directory, word->text);
}

void read_config_path(struct reading *reading, void *field)
{
	*(char **)field = path_beside(reading, reading->words[0]);
}

void read_config_paths(struct reading *reading, void *field)
{
	struct strings *paths = field;

	strings_fill(reading, paths);
	for (size_t i = 0; i < paths->count; i++)
		paths->list[i] = path_beside(reading, reading->words[i]);
}
