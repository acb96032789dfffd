#include "import/units.h"

#include <stdio.h>
#include <string.h>

/* --- settings ----------------------------------------------------------------------------- */

int unit_begin(struct unit *unit, const struct import_file *file)
{
	*unit = (struct unit){ .section = { "", "" } };
	return long_lines_begin(&unit->lines, file->text, file->length);
}

void unit_end(struct unit *unit)
{
	long_lines_end(&unit->lines);
}

bool unit_next(struct unit *unit)
{
	struct span line;

	while (long_lines_next(&unit->lines, &line)) {
		if (span_is_idle(line) || *line.start == ';')
			continue;
		if (*line.start == '[' && line.end[-1] == ']') {
			unit->section = (struct span){ line.start + 1, line.end - 1 };
			continue;
		}
		unit->value = line;
		unit->name = span_trim(span_take_until(&unit->value, "="));
		unit->value = span_trim(unit->value);
		return true;
	}
	return false;
}

/* --- converters --------------------------------------------------------------------------- */

/* SOFT or SOFT:HARD; the soft one is what a program has. */
static struct span soft_limit(struct span value)
{
	return span_take_until(&value, ":");
}

static bool convert_size_limit(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_size(draft, rule, soft_limit(value));
}

static bool convert_number_limit(struct draft *draft, const struct rule *rule, struct span value)
{
	value = soft_limit(value);
	if (!span_is(value, "infinity"))
		return convert_number(draft, rule, value);
	draft_set(draft, rule->attribute, "UNLIMITED");
	return true;
}

static bool convert_time_limit(struct draft *draft, const struct rule *rule, struct span value)
{
	value = soft_limit(value);
	if (!span_is(value, "infinity"))
		return convert_time(draft, rule, value);
	draft_set(draft, rule->attribute, "UNLIMITED");
	return true;
}

static bool convert_v6only(struct draft *draft, const struct rule *rule, struct span value)
{
	draft_unset(draft, rule->attribute);
	if (span_is(value, "ipv6-only"))
		draft_set(draft, rule->attribute, "yes");
	return span_is(value, "ipv6-only") || span_is(value, "both") || span_is(value, "default");
}

static bool convert_percent(struct draft *draft, const struct rule *rule, struct span value)
{
	if (span_is_empty(value) || value.end[-1] != '%')
		return false;
	value.end--;
	return convert_number(draft, rule, value);
}

static bool convert_stop_time(struct draft *draft, const struct rule *rule, struct span value)
{
	enum { LONGEST = 40 };
	uint64_t seconds;

	if (!value_time(value, &seconds) || seconds < 1 || seconds > LONGEST)
		return false;
	draft_set_format(draft, rule->attribute, "%llu", (unsigned long long)seconds);
	return true;
}

static bool convert_stderr(struct draft *draft, const struct rule *rule, struct span value)
{
	struct span path = value, kind = span_take_until(&path, ":");

	if (span_is(kind, "file") || span_is(kind, "append") || span_is(kind, "truncate"))
		return convert_path(draft, rule, path);
	if (span_is(value, "inherit") || span_is(value, "socket"))
		draft_set(draft, rule->attribute, "socket");
	else if (span_is(value, "null"))
		draft_set(draft, rule->attribute, "null");
	else if (span_is(kind, "journal") || span_is(kind, "syslog") || span_is(kind, "kmsg") ||
		 span_is(kind, "journal+console") || span_is(kind, "syslog+console"))
		draft_set(draft, rule->attribute, "log");
	else
		return false;
	return true;
}

/* Programs of systemd write to the client when their standard input is the connection. */
static bool convert_stdout(struct draft *draft, const struct rule *rule, struct span value)
{
	(void)draft;
	(void)rule;
	return span_is(value, "inherit") || span_is(value, "socket");
}

/* -DIRECTORY: one that may be missing. */
static bool convert_directory(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is_empty(value) && *value.start == '-')
		value.start++;
	return convert_path(draft, rule, value);
}

/* PATH or PATH:OPTIONS, several of them. */
static bool convert_scratch(struct draft *draft, const struct rule *rule, struct span value)
{
	enum { USUAL = 64 << 20 };

	while (!span_is_empty(value = span_trim(value))) {
		struct span options = span_take_word(&value), path = span_take_until(&options, ":");
		char size[SIZE_TEXT];
		uint64_t bytes = 0;

		while (!span_is_empty(options)) {
			struct span text = span_take_until(&options, ","),
				    name = span_take_until(&text, "=");

			if (span_is(name, "size") && !value_size(text, &bytes))
				return false;
		}
		if (bytes == 0)
			import_note(draft->import, path, "64M stands in the entry for its size");
		draft_add_pair(draft, rule->attribute, path,
			       size_text(size, bytes ? bytes : USUAL));
	}
	return true;
}

static bool convert_private_tmp(struct draft *draft, const struct rule *rule, struct span value)
{
	static const char tmp[] = "/tmp";
	bool truth = true;

	if (!value_truth(value, &truth) && !span_is(value, "disconnected"))
		return false;
	return !truth || convert_scratch(draft, rule, (struct span){ tmp, tmp + strlen(tmp) });
}

/* Only `strict` is the read-only root of usherd. */
static bool convert_protect_system(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth;

	if (value_truth(value, &truth) && !truth)
		return true;
	if (!span_is(value, "strict"))
		return false;
	if (!draft_has(draft, rule->attribute))
		draft_set(draft, rule->attribute, "/");
	return true;
}

/* -PATH and +PATH mean more than a path. */
static bool convert_writable(struct draft *draft, const struct rule *rule, struct span value)
{
	while (!span_is_empty(value = span_trim(value))) {
		struct span path = span_take_word(&value);

		if (*path.start == '/')
			draft_add(draft, rule->attribute, path);
		else
			import_note(draft->import, path,
				    "a path that may be missing can't be writable");
	}
	return true;
}

/* The set that is left; ~ and the names of groups have no counterpart. */
static bool convert_capabilities(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is_empty(value) && *value.start == '~')
		return false;
	if (span_is_empty(value)) {
		draft_set(draft, rule->attribute, "none");
		return true;
	}
	if (draft_is(draft, rule->attribute, "none"))
		draft_unset(draft, rule->attribute);
	return convert_list(draft, rule, value);
}

/* The usual set is that of `default`; others are not made of the same groups. */
static bool convert_syscalls(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is(value, "@system-service"))
		return false;
	draft_set(draft, rule->attribute, "default");
	return true;
}

/* The hosts that a name of systemd stands for; NULL: the word is an address or a network. */
static const char *address_of(struct span word)
{
	static const struct {
		const char *name, *hosts;
	} names[] = {
		{ "any", "0.0.0.0/0 ::/0" },
		{ "localhost", "127.0.0.0/8 ::1" },
		{ "link-local", "169.254.0.0/16 fe80::/64" },
		{ "multicast", "224.0.0.0/4 ff00::/8" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_is(word, names[i].name))
			return names[i].hosts;
	return NULL;
}

static bool convert_hosts(struct draft *draft, const struct rule *rule, struct span value)
{
	while (!span_is_empty(value = span_trim(value))) {
		struct span word = span_take_word(&value);
		const char *hosts = address_of(word);
		struct span rest = { hosts, hosts ? hosts + strlen(hosts) : hosts };

		if (!hosts)
			draft_add(draft, rule->attribute, word);
		while (hosts && !span_is_empty(rest))
			draft_add(draft, rule->attribute, span_take_until(&rest, " "));
	}
	return true;
}

/* `any` means all but those of IPAddressAllow=, as only_from does. Other words are hosts. */
static bool convert_denied(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is(value, "any"))
		return convert_hosts(draft, rule, value);
	if (!draft_has(draft, "only_from"))
		draft_set(draft, "only_from", "");
	return true;
}

/* --- tables ------------------------------------------------------------------------------- */

static const char unix_only[] = "only the sockets of ports are made, and those have no owner";
static const char one_daemon[] = "the daemon opens its sockets as it needs them";
static const char own_start[] = "the daemon starts programs when clients come, whatever else runs";
static const char one_program[] =
	"an entry has one program; end_command runs one at a session's end";

const struct rule unit_socket_rules[] = {
	{ "BindIPv6Only", "v6only", convert_v6only, NULL, NULL },
	{ "MaxConnections", "instances", convert_number, NULL, NULL },
	{ "MaxConnectionsPerSource", "per_source", convert_limit, NULL, NULL },
	{ "KeepAlive", "flags", convert_flag, "KEEPALIVE", NULL },
	{ "NoDelay", "flags", convert_flag, "NODELAY", NULL },
	{ "IPAddressAllow", "only_from", convert_hosts, NULL, NULL },
	{ "IPAddressDeny", "no_access", convert_denied, NULL, NULL },
	{ "FreeBind", NULL, NULL, NULL, NULL }, /* an address is waited for */
	{ "Backlog", NULL, NULL, NULL, "the daemon chooses the length of its queue" },
	{ "ReusePort", NULL, NULL, NULL, one_daemon },
	{ "BindToDevice", NULL, NULL, NULL, "bind takes addresses" },
	{ "SocketUser", NULL, NULL, NULL, unix_only },
	{ "SocketGroup", NULL, NULL, NULL, unix_only },
	{ "SocketMode", NULL, NULL, NULL, unix_only },
	{ "DirectoryMode", NULL, NULL, NULL, unix_only },
	{ "RemoveOnStop", NULL, NULL, NULL, unix_only },
	{ "PollLimitIntervalSec", NULL, NULL, NULL, "see cps_action = queue" },
	{ "PollLimitBurst", NULL, NULL, NULL, "see cps_action = queue" },
	{ "FileDescriptorName", NULL, NULL, NULL, "the program has the socket as descriptor 0" },
	{ "ExecStartPre", NULL, NULL, NULL, one_program },
	{ "ExecStartPost", NULL, NULL, NULL, one_program },
	{ "ExecStopPre", NULL, NULL, NULL, one_program },
	{ "ExecStopPost", NULL, NULL, NULL, one_program },
	RULES_END,
};

const struct rule unit_service_rules[] = {
	{ "Type", NULL, NULL, NULL, NULL },
	{ "User", "user", convert_word, NULL, NULL },
	{ "Group", "group", convert_word, NULL, NULL },
	{ "SupplementaryGroups", NULL, NULL, NULL,
	  "groups = yes gives those that the user has in /etc/group" },
	{ "Environment", "env", convert_list, NULL, NULL },
	{ "PassEnvironment", "passenv", convert_list, NULL, NULL },
	{ "EnvironmentFile", NULL, NULL, NULL, "env has the variables in the entry itself" },
	{ "StandardOutput", "stderr", convert_stdout, NULL, NULL },
	{ "StandardError", "stderr", convert_stderr, NULL, NULL },
	{ "WorkingDirectory", "directory", convert_directory, NULL, NULL },
	{ "RootDirectory", "root", convert_path, NULL, NULL },
	{ "UMask", "umask", convert_octal, NULL, NULL },
	{ "Nice", "nice", convert_nice, NULL, NULL },
	{ "LimitCPU", "rlimit_cpu", convert_time_limit, NULL, NULL },
	{ "LimitFSIZE", "rlimit_fsize", convert_size_limit, NULL, NULL },
	{ "LimitDATA", "rlimit_data", convert_size_limit, NULL, NULL },
	{ "LimitSTACK", "rlimit_stack", convert_size_limit, NULL, NULL },
	{ "LimitCORE", "rlimit_core", convert_size_limit, NULL, NULL },
	{ "LimitRSS", "rlimit_rss", convert_size_limit, NULL, NULL },
	{ "LimitNOFILE", "rlimit_files", convert_number_limit, NULL, NULL },
	{ "LimitAS", "rlimit_as", convert_size_limit, NULL, NULL },
	{ "LimitNPROC", "rlimit_nproc", convert_number_limit, NULL, NULL },
	{ "LimitMEMLOCK", "rlimit_memlock", convert_size_limit, NULL, NULL },
	{ "MemoryMax", "memory", convert_size, NULL, NULL },
	{ "MemoryLimit", "memory", convert_size, NULL, NULL },
	{ "TasksMax", "processes", convert_number_limit, NULL, NULL },
	{ "CPUQuota", "cpu", convert_percent, NULL, NULL },
	{ "RuntimeMaxSec", "max_runtime", convert_time, NULL, NULL },
	{ "TimeoutStopSec", "kill_timeout", convert_stop_time, NULL, NULL },
	{ "NoNewPrivileges", "no_new_privs", convert_yes_no, NULL, NULL },
	{ "CapabilityBoundingSet", "capabilities", convert_capabilities, NULL, NULL },
	{ "AmbientCapabilities", NULL, NULL, NULL,
	  "capabilities says which ones a program has and can have" },
	{ "SystemCallFilter", "syscalls", convert_syscalls, NULL, NULL },
	{ "IPAddressAllow", "only_from", convert_hosts, NULL, NULL },
	{ "IPAddressDeny", "no_access", convert_denied, NULL, NULL },
	{ "PrivateNetwork", "network", convert_true, "none", NULL },
	{ "PrivateTmp", "scratch", convert_private_tmp, NULL, NULL },
	{ "PrivateDevices", "devices", convert_true, "null zero full random urandom tty", NULL },
	{ "PrivatePIDs", "proc", convert_true, "yes", NULL },
	{ "ProtectSystem", "root", convert_protect_system, NULL, NULL },
	{ "TemporaryFileSystem", "scratch", convert_scratch, NULL, NULL },
	{ "ReadWritePaths", "writable", convert_writable, NULL, NULL },
	{ "ExecStartPre", NULL, NULL, NULL, one_program },
	{ "ExecStartPost", NULL, NULL, NULL, one_program },
	{ "ExecStop", NULL, NULL, NULL, one_program },
	{ "ExecStopPost", NULL, NULL, NULL, one_program },
	{ "ExecReload", NULL, NULL, NULL, one_program },
	{ "Restart", NULL, NULL, NULL, own_start },
	{ "KillMode", NULL, NULL, NULL, "processes_at_exit = kill or keep decides" },
	{ "DynamicUser", NULL, NULL, NULL, "no users are made; a number that nobody has will do" },
	RULES_END,
};
