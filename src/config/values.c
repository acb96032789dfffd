/* The readers of other attributes: what a service is, and what its server gets. A field
 * keeps its default when the value is refused. */
#include "config/inetd_line.h"
#include "config/bounds.h"
#include "config/frontend_account.h"
#include "config/reading.h"
#include "base/path_in_root.h"
#include "base/span.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

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

static const struct name_value answers[] = { { "yes", 1 }, { "no", 0 }, { 0 } };

void read_yes_no(struct reading *reading, void *field)
{
	int answer;

	if (read_name(reading, reading->words[0], answers, &answer))
		*(bool *)field = answer;
}

void read_preset(struct reading *reading, void *field)
{
	static const struct name_value presets[] = { { "jail", PRESET_JAIL }, { 0 } };
	int preset;

	if (read_name(reading, reading->words[0], presets, &preset))
		*(enum preset *)field = (enum preset)preset;
}

void read_wait(struct reading *reading, void *field)
{
	read_name(reading, reading->words[0], answers, field);
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
	reading->service->program->nice_is_set = true;
}

/* False, refused, when the word is no octal number up to 777. */
static bool read_octal(struct reading *reading, mode_t *field, const char *what)
{
	const char *text = first_word(reading);
	char *end;
	unsigned long number = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end || number > 0777) {
		reading_refuse(reading, NULL, "\"%s\" is not an octal %s from 000 to 777", text,
			       what);
		return false;
	}
	*field = (mode_t)number;
	return true;
}

void read_umask(struct reading *reading, void *field)
{
	reading->service->program->umask_is_set |= read_octal(reading, field, "mask");
}

void read_file_mode(struct reading *reading, void *field)
{
	read_octal(reading, field, "mode");
}

/* --- what and where ------------------------------------------------------------------- */

void read_type(struct reading *reading, void *field)
{
	static const struct name_value types[] = {
		{ "RPC", TYPE_RPC },
		{ "INTERNAL", TYPE_INTERNAL },
		{ "UNLISTED", TYPE_UNLISTED },
		{ "SPECIAL", TYPE_SPECIAL },
		{ "TCPMUX", TYPE_TCPMUX },
		{ "TCPMUXPLUS", TYPE_TCPMUXPLUS },
		{ 0 },
	};

	read_set(reading, field, types);
}

void read_flags(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "REUSE", FLAG_REUSE },
		{ "INTERCEPT", FLAG_INTERCEPT },
		{ "NORETRY", FLAG_NORETRY },
		{ "IDONLY", FLAG_IDONLY },
		{ "NAMEINARGS", FLAG_NAMEINARGS },
		{ "NODELAY", FLAG_NODELAY },
		{ "KEEPALIVE", FLAG_KEEPALIVE },
		{ "NOLIBWRAP", FLAG_NOLIBWRAP },
		{ "SENSOR", FLAG_SENSOR },
		{ "IPv4", FLAG_IPV4 },
		{ "IPv6", FLAG_IPV6 },
		{ "LABELED", FLAG_LABELED },
		{ "DGRAMBAN", FLAG_DGRAMBAN },
		{ 0 },
	};

	read_set(reading, field, flags);
	if (*(unsigned *)field & FLAG_REUSE)
		reading_advise(reading, NULL, ADVICE,
			       "REUSE is retired: it is always so; remove the word");
}

void read_socket_type(struct reading *reading, void *field)
{
	static const struct name_value socket_types[] = {
		{ "stream", SOCK_STREAM },
		{ "dgram", SOCK_DGRAM },
		{ "raw", SOCK_RAW },
		{ "seqpacket", SOCK_SEQPACKET },
		{ 0 },
	};

	read_name(reading, reading->words[0], socket_types, field);
}

/* Words such as tcp6, as in inetd.conf, mean a protocol and a family. */
static void refuse_protocol(struct reading *reading)
{
	const char *text = first_word(reading);
	const struct inetd_protocol *meant =
		inetd_protocol_find((struct span){ text, strchr(text, '\0') });

	if (meant && meant->flag)
		reading_refuse(reading, NULL,
			       "\"%s\" is not in /etc/protocols; write protocol = %s "
			       "and flags = %s%s",
			       text, meant->base, meant->flag,
			       meant->is_ipv6_only ? ", with v6only = yes" : "");
	else
		reading_refuse(reading, NULL, "\"%s\" is not in /etc/protocols", text);
}

void read_protocol(struct reading *reading, void *field)
{
	if (account_protocol(reading->accounts, first_word(reading),
			     &reading->service->protocol_number))
		read_text(reading, field);
	else
		refuse_protocol(reading);
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

/* (uid_t)-1 means "unchanged" to setuid(2) and similar calls. */
#define ID_MAX (UINT32_MAX - 1)

/* As in xinetd, digits are a number; without such a user, the group has the same number.
 * False, refused, when there is no such user. */
static bool find_account(struct reading *reading, struct account *account)
{
	const char *text = first_word(reading);
	uint64_t number;

	if (parse_number(text, ID_MAX, &number)) {
		if (!account_user_id(reading->accounts, (uid_t)number, account))
			*account = (struct account){ (uid_t)number, (gid_t)number, text };
		return true;
	}
	if (account_user(reading->accounts, text, account))
		return true;
	reading_refuse(reading, NULL, "there is no user \"%s\"", text);
	return false;
}

static void take_account(struct reading *reading, const struct account *account)
{
	struct service_settings *service = reading->service;

	service->uid = account->uid;
	service->gid = service->user_gid = account->gid;
	service->account = arena_string(reading->arena, account->name);
	service->user = arena_string(reading->arena, first_word(reading));
}

void read_user(struct reading *reading, void *field)
{
	struct account account;

	(void)field;
	if (!find_account(reading, &account))
		return;
	if (reading->daemon)
		frontend_account_take(reading, &account);
	else
		take_account(reading, &account);
}

void read_group(struct reading *reading, void *field)
{
	uint64_t number;

	reading->service->group_is_set = true;
	if (parse_number(first_word(reading), ID_MAX, &number))
		*(gid_t *)field = (gid_t)number;
	else if (!account_group(reading->accounts, first_word(reading), field))
		reading_refuse(reading, NULL, "there is no group \"%s\"", first_word(reading));
}

/* errno says why path can't be used. */
static void refuse_server(struct reading *reading, const char *path)
{
	const char *text = first_word(reading), *root = reading->service->program->root;

	reading->service->lacks_program = errno == ENOENT || errno == ENOTDIR;
	if (root)
		reading_refuse(reading, NULL, "%s in %s: %s", text, root, strerror(errno));
	else if (text[0] == '/')
		reading_refuse(reading, NULL, "%s: %s", path, strerror(errno));
	else
		reading_refuse(reading, NULL, "\"%s\" is not an absolute path (%s: %s)", text, path,
			       strerror(errno));
}

static bool check_program(struct reading *reading, const char *path, const struct stat *status)
{
	bool is_file = S_ISREG(status->st_mode), is_usable = is_file && access(path, X_OK) == 0;

	if (!is_file)
		reading_refuse(reading, NULL, "%s is not a regular file", path);
	else if (!is_usable)
		reading_refuse(reading, NULL, "%s is not executable: %s", path, strerror(errno));
	return is_usable;
}

/* The same in the session's root, as the session will find it. */
static void read_server_in_root(struct reading *reading, void *field)
{
	const char *root = reading->service->program->root, *path = first_word(reading);
	char real[PATH_MAX];
	struct stat status;

	read_text(reading, field);
	if (path[0] != '/')
		reading_refuse(reading, NULL,
			       "\"%s\" is not an absolute path, as it must be in root", path);
	else if (!reading->service->program->lacks_root &&
		 (path_in_root_find(root, path, real) < 0 || stat(real, &status) < 0))
		refuse_server(reading, path);
	else if (!reading->service->program->lacks_root)
		check_program(reading, real, &status);
}

void read_server(struct reading *reading, void *field)
{
	const char *path;
	struct stat status;

	if (reading->service->program->root) {
		read_server_in_root(reading, field);
		return;
	}
	read_path(reading, field);
	path = *(char **)field;
	if (!path || strcmp(reading->usable->server, path) == 0)
		return;
	if (stat(path, &status) < 0)
		refuse_server(reading, path);
	else if (check_program(reading, path, &status))
		snprintf(reading->usable->server, PATH_MAX, "%s", path);
}

/* A missing end_command is an ordinary error: unlike a missing server it does not let -print show
 * the entry as a disabled one. */
void read_command(struct reading *reading, void *field)
{
	const char *path = first_word(reading);
	struct stat status;

	strings_fill(reading, field);
	if (path[0] != '/')
		reading_refuse(reading, NULL, "\"%s\" is not an absolute path", path);
	else if (stat(path, &status) < 0)
		reading_refuse(reading, NULL, "%s: %s", path, strerror(errno));
	else
		check_program(reading, path, &status);
}

void read_env(struct reading *reading, void *field)
{
	if (reading->count > ENV_MAX) {
		reading_refuse(reading, NULL, "there are more than %d variables", ENV_MAX);
		return;
	}
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
	static const struct name_value kinds[] = {
		{ "socket", STDERR_SOCKET },
		{ "log", STDERR_LOG },
		{ "null", STDERR_NULL },
		{ 0 },
	};
	int kind = STDERR_FILE;

	if (first_word(reading)[0] == '/')
		read_path(reading, &reading->service->program->stderr_path);
	else if (!read_name(reading, reading->words[0], kinds, &kind))
		return;
	*(enum stderr_kind *)field = (enum stderr_kind)kind;
}

/* --- RPC ------------------------------------------------------------------------------- */

void read_rpc_version(struct reading *reading, void *field)
{
	struct service_settings *service = reading->service;
	struct span last = { first_word(reading), strchr(first_word(reading), '\0') };
	struct span first = span_take_until(&last, "-");
	uint64_t from, to;

	(void)field;
	if (first.end == last.end)
		last = first;
	if (!span_number(first, INT_MAX, &from) || !span_number(last, INT_MAX, &to) || to < from ||
	    from == 0) {
		reading_refuse(reading, NULL, "\"%s\" is not a version such as 2 or 1-3",
			       first_word(reading));
		return;
	}
	service->rpc_version_first = (int)from;
	service->rpc_version_last = (int)to;
}

void read_rpc_number(struct reading *reading, void *field)
{
	uint64_t number = 0;

	if (!parse_number(first_word(reading), UINT32_MAX, &number) || number == 0)
		reading_refuse(reading, NULL, "\"%s\" is not an RPC program number",
			       first_word(reading));
	*(unsigned long *)field = (unsigned long)number;
}

/* --- the daemon's own ------------------------------------------------------------------ */

/* Relative to the directory of the file that has the word. */
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

void read_control_socket(struct reading *reading, void *field)
{
	reading->daemon->has_no_control = strcasecmp(first_word(reading), "none") == 0;
	if (!reading->daemon->has_no_control)
		read_config_path(reading, field);
}

static void read_daemon_group(struct reading *reading, void *field, gid_t *gid)
{
	uint64_t number;

	if (parse_number(first_word(reading), ID_MAX, &number))
		*gid = (gid_t)number;
	else if (!account_group(reading->accounts, first_word(reading), gid))
		reading_refuse(reading, NULL, "there is no group \"%s\"", first_word(reading));
	*(char **)field = arena_string(reading->arena, first_word(reading));
}

void read_control_group(struct reading *reading, void *field)
{
	read_daemon_group(reading, field, &reading->daemon->control_gid);
}

void read_status_group(struct reading *reading, void *field)
{
	read_daemon_group(reading, field, &reading->daemon->status_gid);
}

void read_config_paths(struct reading *reading, void *field)
{
	struct strings *paths = field;

	strings_fill(reading, paths);
	for (size_t i = 0; i < paths->count; i++)
		paths->list[i] = path_beside(reading, reading->words[i]);
}
