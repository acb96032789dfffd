#include "import/readers.h"

#include "import/protobuf.h"
#include "import/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
	struct import *import;
	struct draft draft;
	struct protobuf reader;
	bool listens, is_wrong;
};

/* --- fields of the configuration ------------------------------------------------------------ */

/* CAP_NAME, one in each field. */
static bool convert_capability(struct draft *draft, const struct rule *rule, struct span value)
{
	draft_add(draft, rule->attribute, value);
	return !span_is_empty(value);
}

/* NAME=VALUE, or NAME for the variable of nsjail's own environment. */
static bool convert_envar(struct draft *draft, const struct rule *rule, struct span value)
{
	bool is_set = !span_is_empty(value) && memchr(value.start, '=', span_length(value));

	draft_add(draft, is_set ? rule->attribute : "passenv", value);
	return !span_is_empty(value);
}

/* A limit of 0 is none. */
static bool convert_bytes(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is(value, "0"))
		return convert_size(draft, rule, value);
	draft_set(draft, rule->attribute, "UNLIMITED");
	return true;
}

/* IPv4 addresses are written as IPv6 ones there. */
static bool convert_bindhost(struct draft *draft, const struct rule *rule, struct span value)
{
	static const char mapped[] = "::ffff:";

	if (span_is(value, "::"))
		return true;
	if (span_length(value) > strlen(mapped) &&
	    memcmp(value.start, mapped, strlen(mapped)) == 0 &&
	    memchr(value.start, '.', span_length(value)))
		value.start += strlen(mapped);
	return convert_word(draft, rule, value);
}

/* A field for what the preset does in any case: only the opposite is noted. */
static bool convert_expected_true(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth;

	(void)draft;
	(void)rule;
	return value_truth(value, &truth) && truth;
}

static bool convert_expected_false(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth;

	(void)draft;
	(void)rule;
	return value_truth(value, &truth) && !truth;
}

/* VALUE, or the limit that nsjail was started with, or none. */
static bool convert_limit_type(struct draft *draft, const struct rule *rule, struct span value)
{
	if (span_is(value, "INF"))
		draft_set(draft, rule->attribute, "UNLIMITED");
	else if (span_is(value, "HARD") || span_is(value, "SOFT"))
		draft_unset(draft, rule->attribute);
	return true;
}

static const char own_log[] = "the log is the daemon's";
static const char own_list[] = "write the calls in syscalls; the preset's list stands in the entry";
static const char own_cgroup[] = "the daemon finds and makes its cgroups itself";

static const struct rule rules[] = {
	{ "name", NULL, NULL, NULL, NULL },
	{ "description", NULL, NULL, NULL, NULL },
	{ "port", "port", convert_number, NULL, NULL },
	{ "bindhost", "bind", convert_bindhost, NULL, NULL },
	{ "max_conns", "instances", convert_limit, NULL, NULL },
	{ "max_conns_per_ip", "per_source", convert_limit, NULL, NULL },
	{ "time_limit", "max_runtime", convert_time, NULL, NULL },
	{ "daemon", NULL, NULL, NULL, NULL },
	{ "log_fd", NULL, NULL, NULL, own_log },
	{ "log_file", NULL, NULL, NULL, own_log },
	{ "log_level", NULL, NULL, NULL, own_log },
	{ "seccomp_log", NULL, NULL, NULL, own_log },
	{ "hostname", NULL, NULL, NULL, "the host name of a session is the service's id" },
	{ "cwd", "directory", convert_path, NULL, NULL },
	{ "chroot_dir", "root", convert_path, NULL, NULL },
	{ "is_root_rw", "root", convert_expected_false, NULL, NULL },
	{ "nice_level", "nice", convert_nice, NULL, NULL },
	{ "envar", "env", convert_envar, NULL, NULL },
	{ "keep_env", "passenv", convert_expected_false, NULL, NULL },
	{ "keep_caps", "capabilities", convert_expected_false, NULL, NULL },
	{ "cap", "capabilities", convert_capability, NULL, NULL },
	{ "stderr_to_null", "stderr", convert_true, "null", NULL },
	{ "silent", "stderr", convert_expected_false, NULL, NULL },
	{ "skip_setsid", NULL, convert_expected_false, NULL, NULL },
	{ "disable_no_new_privs", "no_new_privs", convert_false, "yes", NULL },
	{ "rlimit_as", "rlimit_as", convert_mebibytes, NULL, NULL },
	{ "rlimit_core", "rlimit_core", convert_mebibytes, NULL, NULL },
	{ "rlimit_cpu", "rlimit_cpu", convert_number, NULL, NULL },
	{ "rlimit_fsize", "rlimit_fsize", convert_mebibytes, NULL, NULL },
	{ "rlimit_nofile", "rlimit_files", convert_number, NULL, NULL },
	{ "rlimit_nproc", "rlimit_nproc", convert_number, NULL, NULL },
	{ "rlimit_stack", "rlimit_stack", convert_mebibytes, NULL, NULL },
	{ "rlimit_memlock", "rlimit_memlock", convert_kibibytes, NULL, NULL },
	{ "rlimit_as_type", "rlimit_as", convert_limit_type, NULL, NULL },
	{ "rlimit_core_type", "rlimit_core", convert_limit_type, NULL, NULL },
	{ "rlimit_cpu_type", "rlimit_cpu", convert_limit_type, NULL, NULL },
	{ "rlimit_fsize_type", "rlimit_fsize", convert_limit_type, NULL, NULL },
	{ "rlimit_nofile_type", "rlimit_files", convert_limit_type, NULL, NULL },
	{ "rlimit_nproc_type", "rlimit_nproc", convert_limit_type, NULL, NULL },
	{ "rlimit_stack_type", "rlimit_stack", convert_limit_type, NULL, NULL },
	{ "rlimit_memlock_type", "rlimit_memlock", convert_limit_type, NULL, NULL },
	{ "clone_newnet", "network", convert_false, "host", NULL },
	{ "clone_newuser", NULL, convert_expected_true, NULL, NULL },
	{ "clone_newns", NULL, convert_expected_true, NULL, NULL },
	{ "clone_newpid", "proc", convert_false, "no", NULL },
	{ "clone_newipc", NULL, convert_expected_true, NULL, NULL },
	{ "clone_newuts", NULL, convert_expected_true, NULL, NULL },
	{ "clone_newcgroup", NULL, convert_expected_true, NULL, NULL },
	{ "mount_proc", "proc", convert_true, "yes", NULL },
	{ "iface_no_lo", NULL, NULL, NULL, NULL },
	{ "seccomp_policy_file", NULL, NULL, NULL, own_list },
	{ "seccomp_string", NULL, NULL, NULL, own_list },
	{ "cgroup_mem_max", "memory", convert_bytes, NULL, NULL },
	{ "cgroup_pids_max", "processes", convert_limit, NULL, NULL },
	{ "cgroup_cpu_ms_per_sec", "cpu", convert_milliseconds, NULL, NULL },
	{ "cgroup_mem_mount", NULL, NULL, NULL, own_cgroup },
	{ "cgroup_mem_parent", NULL, NULL, NULL, own_cgroup },
	{ "cgroup_pids_mount", NULL, NULL, NULL, own_cgroup },
	{ "cgroup_pids_parent", NULL, NULL, NULL, own_cgroup },
	{ "cgroup_cpu_mount", NULL, NULL, NULL, own_cgroup },
	{ "cgroup_cpu_parent", NULL, NULL, NULL, own_cgroup },
	{ "cgroupv2_mount", NULL, NULL, NULL, own_cgroup },
	{ "use_cgroupv2", NULL, NULL, NULL, NULL },
	{ "detect_cgroupv2", NULL, NULL, NULL, NULL },
	RULES_END,
};

/* What nsjail does by default, where the preset does something else. */
static const struct {
	const char *attribute, *words;
} defaults[] = {
	{ "preset", "jail" },
	{ "max_runtime", "600" },
	{ "nice", "19" },
	{ "rlimit_as", "4G" },
	{ "rlimit_cpu", "600" },
	{ "rlimit_fsize", "1M" },
	{ "rlimit_files", "32" },
	{ "instances", "UNLIMITED" },
	{ "per_source", "UNLIMITED" },
	{ "scratch", "none" },
	{ "devices", "" },
	{ "stderr", "socket" },
	{ "memory", "UNLIMITED" },
	{ "processes", "UNLIMITED" },
	{ "cpu", "UNLIMITED" },
};

/* --- messages in it -------------------------------------------------------------------------- */

enum { FIELDS_MAX = 64 };

/* The fields of one message. */
struct fields {
	struct field {
		struct span name;
		char *value;
	} list[FIELDS_MAX];
	size_t count;
};

/* The value of the first field of that name, "" without one. */
static const char *field(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (span_is(fields->list[i].name, name))
			return fields->list[i].value;
	return "";
}

static struct span field_span(const struct fields *fields, const char *name)
{
	const char *value = field(fields, name);

	return (struct span){ value, value + strlen(value) };
}

static bool field_is_true(const struct fields *fields, const char *name)
{
	bool truth;

	return value_truth(field_span(fields, name), &truth) && truth;
}

static void fields_free(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		free(fields->list[i].value);
}

/* Reads to the end of the message that has begun, without messages in it. */
static void fields_read(struct config *config, struct fields *fields)
{
	int depth = config->reader.depth;
	enum protobuf_event event;

	fields->count = 0;
	while ((event = protobuf_next(&config->reader)) != PROTOBUF_WRONG) {
		struct span value = protobuf_value(&config->reader);
		struct field *next = &fields->list[fields->count];

		if (event == PROTOBUF_FINISHED ||
		    (event == PROTOBUF_END && config->reader.depth < depth))
			return;
		if (event != PROTOBUF_VALUE || config->reader.depth > depth ||
		    fields->count == FIELDS_MAX) {
			config->import->line = config->reader.name_line;
			import_note(config->import, config->reader.name, "there is no counterpart");
			continue;
		}
		*next = (struct field){ config->reader.name,
					strndup(value.start, span_length(value)) };
		fields->count += next->value != NULL;
	}
	config->is_wrong = true;
}

/* Bytes of size= in the options of a mount. */
static uint64_t size_of(const struct fields *fields, uint64_t otherwise)
{
	struct span rest = field_span(fields, "options");
	uint64_t bytes;

	while (!span_is_empty(rest)) {
		struct span value = span_take_until(&rest, ","),
			    name = span_take_until(&value, "=");

		if (span_is(name, "size") && value_size(value, &bytes))
			return bytes;
	}
	return otherwise;
}

static void add_scratch(struct config *config, const struct fields *fields)
{
	enum { USUAL = 4 << 20 };
	char size[SIZE_TEXT];

	if (strstr(field(fields, "options"), "size=") == NULL)
		import_note(config->import, field_span(fields, "dst"),
			    "the mount has no size=; the entry gives the tmpfs 4 MiB");
	if (draft_is(&config->draft, "scratch", "none"))
		draft_unset(&config->draft, "scratch");
	draft_add_pair(&config->draft, "scratch", field_span(fields, "dst"),
		       size_text(size, size_of(fields, USUAL)));
}

static bool take_device(struct config *config, const struct fields *fields)
{
	static const char devices[] = "/dev/";
	struct span source = field_span(fields, "src");

	if (span_length(source) <= strlen(devices) ||
	    memcmp(source.start, devices, strlen(devices)) != 0 ||
	    strcmp(field(fields, "src"), field(fields, "dst")) != 0)
		return false;
	source.start += strlen(devices);
	draft_add(&config->draft, "devices", source);
	return true;
}

/* A directory or file of the host at another place, or at the same. */
static void take_bind(struct config *config, const struct fields *fields)
{
	static const struct rule root = { "mount", "root", convert_path, NULL, NULL };
	struct span destination = field_span(fields, "dst");
	bool is_writable = field_is_true(fields, "rw");

	if (span_is(destination, "/") &&
	    convert_path(&config->draft, &root, field_span(fields, "src"))) {
		if (is_writable)
			import_note(config->import, destination,
				    "the root is read-only; name what may be written in writable");
	} else if (take_device(config, fields)) {
		return;
	} else {
		if (is_writable)
			draft_add(&config->draft, "writable", destination);
		import_note(config->import, destination,
			    "usherd mounts nothing of the host in a root: it must have this path "
			    "already, with what is in %.60s",
			    *field(fields, "src") ? field(fields, "src") : "the mount");
	}
}

static void take_mount(struct config *config, const struct fields *fields)
{
	struct span type = field_span(fields, "fstype");

	if (span_is(type, "tmpfs") && strcmp(field(fields, "dst"), "/dev") == 0)
		return; /* `devices` makes it */
	if (span_is(type, "proc"))
		draft_set(&config->draft, "proc", "yes");
	else if (span_is(type, "tmpfs"))
		add_scratch(config, fields);
	else if (span_is_empty(type) && !*field(fields, "src_content"))
		take_bind(config, fields);
	else
		import_note(config->import, field_span(fields, "dst"),
			    "such a mount has no counterpart");
}

static void take_program(struct config *config, const struct fields *fields)
{
	struct draft *draft = &config->draft;
	bool has_name = *field(fields, "arg0");

	draft_unset(draft, "server_args");
	draft_unset(draft, "server");
	draft_add(draft, "server", field_span(fields, "path"));
	if (has_name) {
		draft_add_flag(draft, "NAMEINARGS");
		draft_add(draft, "server_args", field_span(fields, "arg0"));
	}
	for (size_t i = 0; i < fields->count; i++) {
		const char *value = fields->list[i].value;

		if (span_is(fields->list[i].name, "arg"))
			draft_add(draft, "server_args",
				  (struct span){ value, value + strlen(value) });
	}
}

static void take_id(struct config *config, const struct fields *fields, const char *attribute)
{
	struct span id = field_span(fields, "outside_id");

	if (span_is_empty(id) || draft_has(&config->draft, attribute))
		import_note(config->import, config->reader.name,
			    "a session has the %s of the service, and no other", attribute);
	else
		draft_add(&config->draft, attribute, id);
}

static void take_uid(struct config *config, const struct fields *fields)
{
	take_id(config, fields, "user");
}

static void take_gid(struct config *config, const struct fields *fields)
{
	take_id(config, fields, "group");
}

static const struct {
	const char *name;
	void (*take)(struct config *, const struct fields *);
} messages[] = {
	{ "mount", take_mount },
	{ "exec_bin", take_program },
	{ "uidmap", take_uid },
	{ "gidmap", take_gid },
};

static void take_message(struct config *config)
{
	struct span name = config->reader.name;
	int line = config->reader.name_line;
	struct fields fields;
	size_t i = 0;

	fields_read(config, &fields);
	config->import->line = line;
	while (i < sizeof messages / sizeof messages[0] && !span_is(name, messages[i].name))
		i++;
	if (i < sizeof messages / sizeof messages[0])
		messages[i].take(config, &fields);
	else
		import_note(config->import, name, "there is no counterpart");
	fields_free(&fields);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void take_value(struct config *config)
{
	struct span name = config->reader.name, value = protobuf_value(&config->reader);

	config->import->line = config->reader.name_line;
	if (span_is(name, "mode"))
		config->listens = span_is(value, "LISTEN");
	else if (span_is(name, "name") && !span_is_empty(value))
		draft_rename(&config->draft, value);
	else if (rule_find(rules, name) || !span_is(value, "false"))
		rules_apply(rules, &config->draft, name, value);
}

static void begin(struct config *config, struct import *import, const struct import_file *file)
{
	*config = (struct config){ .import = import };
	protobuf_begin(&config->reader, file->text, file->length);
	draft_begin(&config->draft, import, import_service_name(file));
	draft_set_stream(&config->draft);
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		draft_set(&config->draft, defaults[i].attribute, defaults[i].words);
}

static void finish(struct config *config)
{
	struct draft *draft = &config->draft;
	static const char port[] = "port", root[] = "root";

	if (!draft_has(draft, "proc"))
		draft_set(draft, "proc", "no");
	config->import->line = 0;
	if (!draft_has(draft, "root"))
		import_note(config->import, (struct span){ root, root + strlen(root) },
			    "no mount names one; preset = jail shows all of the host's files, "
			    "read-only");
	if (!config->listens)
		import_note(config->import, (struct span){ port, port + strlen(port) },
			    "nsjail itself does not listen in this mode; the entry does, on %s",
			    draft_has(draft, "port") ? "the port of the file" : "port 1337");
	if (!draft_has(draft, "port"))
		draft_set(draft, "port", "1337");
	draft_choose_user(draft, "nsjail runs it as whoever has started nsjail");
	draft_write(draft);
}

void nsjail_read(struct import *import, const struct import_file *file)
{
	struct config config;
	enum protobuf_event event = PROTOBUF_VALUE;

	begin(&config, import, file);
	while (event != PROTOBUF_FINISHED && event != PROTOBUF_WRONG && !config.is_wrong) {
		event = protobuf_next(&config.reader);
		if (event == PROTOBUF_VALUE)
			take_value(&config);
		else if (event == PROTOBUF_BEGIN)
			take_message(&config);
	}
	import->line = config.reader.line;
	if (event == PROTOBUF_WRONG || config.is_wrong)
		import_complain(import, "this is not the text format of protocol buffers");
	else
		finish(&config);
	protobuf_end(&config.reader);
	draft_clear(&config.draft);
}

/* Fields that only nsjail's configuration is likely to have. */
bool nsjail_is_config(const struct import_file *file)
{
	static const char *const signs[] = { "exec_bin",       "time_limit", "clone_newnet",
					     "mount",          "mode",       "chroot_dir",
					     "cgroup_mem_max", "rlimit_as",  "mount_proc" };
	struct lines lines;
	struct span line;

	lines_begin(&lines, file->text, file->length);
	while (lines_next(&lines, &line)) {
		struct span rest = line, name = span_trim(span_take_until(&rest, ":{<"));

		if (name.end == line.end)
			continue;
		for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
			if (span_is(name, signs[i]))
				return true;
	}
	return false;
}
